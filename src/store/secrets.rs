//! Passwords, random secrets and their digests. Nothing secret is kept in clear but the key that
//! signs tokens.

use std::io::{self, Write};
use std::path::Path;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::error::{Result, StoreError};

/// A random text of `bytes` bytes in URL-safe base64.
pub fn random_text(bytes: usize) -> String {
    let random: Vec<u8> = (0..bytes).map(|_| rand::random()).collect();
    URL_SAFE_NO_PAD.encode(random)
}

/// The digest under which a long random secret is kept.
pub fn digest(secret: &str) -> String {
    format!("{:x}", Sha256::digest(secret))
}

/// The argon2id hash of a password. Takes tens of milliseconds and 19 MiB: not for async threads.
pub fn hash_password(password: &str) -> Result<String> {
    let failed = |error: argon2::password_hash::Error| StoreError::Password(error.to_string());
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(failed)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(failed)?;
    Ok(hash.to_string())
}

/// Whether the password belongs to the hash. As slow as hashing, whatever the answer.
pub fn verify_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// The key that signs tokens; made on the first start, readable for its owner only.
pub fn signing_key(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read.and_then(checked_key),
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let key = random_text(32);
    match options.open(path) {
        Ok(mut file) => {
            file.write_all(key.as_bytes())?;
            Ok(key.into_bytes())
        }
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::read(path).and_then(checked_key)
        }
        Err(error) => Err(error),
    }
}

/// A short key could be guessed; an empty one is what a full disk leaves.
fn checked_key(key: Vec<u8>) -> io::Result<Vec<u8>> {
    if key.len() >= 32 {
        return Ok(key);
    }
    Err(io::Error::other(format!(
        "secret.key has {} bytes, expected at least 32; delete it to have a new one made",
        key.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_fit_their_hash_only() {
        let hash = hash_password("tuna").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_password("tuna", &hash));
        assert!(!verify_password("Tuna", &hash));
        assert!(!verify_password("tuna", "no hash"));
    }

    #[test]
    fn the_key_stays_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let key = signing_key(&path).unwrap();
        assert_eq!(signing_key(&path).unwrap(), key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&path, "").unwrap();
        assert!(signing_key(&path).is_err());
    }
}
