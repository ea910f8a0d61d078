//! Signed tokens: who logged in, when first, until when the token is good.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::store::{User, new_id};

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub user_id: i64,
    /// The user's login name; only for people who look into tokens.
    pub username: String,
    /// When the user logged in with a password or key, in seconds since 1970.
    pub orig_iat: u64,
    /// When this token expires.
    pub exp: u64,
    /// Makes every token another.
    pub jti: String,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It was good once.
    Expired,
    /// It is none of ours.
    Bad,
}

impl TokenError {
    /// The text that clients test for.
    pub fn text(self) -> &'static str {
        match self {
            TokenError::Expired => "Token has expired.",
            TokenError::Bad => "Error decoding token.",
        }
    }
}

/// Makes and reads tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lifetime: u64,
    refreshable: u64,
}

impl Tokens {
    /// With this key; a token is good for `lifetime` seconds and refreshable until `refreshable`
    /// seconds after the login.
    pub fn new(key: &[u8], lifetime: u64, refreshable: u64) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        Tokens {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            validation,
            lifetime,
            refreshable,
        }
    }

    /// A token for a user who has just shown a password or key.
    pub fn login(&self, user: &User) -> Result<String, ApiError> {
        self.issue(user.id, &user.username, now())
    }

    /// Another token in the place of this one; `None` if the login is too long ago.
    pub fn refresh(&self, claims: &Claims) -> Result<Option<String>, ApiError> {
        if now() > claims.orig_iat.saturating_add(self.refreshable) {
            return Ok(None);
        }
        self.issue(claims.user_id, &claims.username, claims.orig_iat).map(Some)
    }

    fn issue(&self, user_id: i64, username: &str, orig_iat: u64) -> Result<String, ApiError> {
        let claims = Claims {
            user_id,
            username: username.to_owned(),
            orig_iat,
            exp: now().saturating_add(self.lifetime),
            jti: new_id(),
        };
        encode(&Header::default(), &claims, &self.encoding).map_err(ApiError::internal)
    }

    /// What a token says, if it is ours and still good.
    pub fn read(&self, token: &str) -> Result<Claims, TokenError> {
        match decode::<Claims>(token, &self.decoding, &self.validation) {
            Ok(read) => Ok(read.claims),
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                Err(TokenError::Expired)
            }
            Err(_) => Err(TokenError::Bad),
        }
    }
}

fn now() -> u64 {
    u64::try_from(chrono::Utc::now().timestamp()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> User {
        User {
            id: 7,
            username: "u".repeat(150),
            name: String::new(),
            email: String::new(),
            password_hash: String::new(),
        }
    }

    #[test]
    fn tokens_are_ours_or_refused() {
        let tokens = Tokens::new(&[1; 32], 60, 60);
        let token = tokens.login(&user()).unwrap();
        assert!(token.len() < 1000);
        let claims = tokens.read(&token).unwrap();
        assert_eq!(claims.user_id, 7);
        assert_ne!(tokens.refresh(&claims).unwrap().unwrap(), token);
        assert_eq!(Tokens::new(&[2; 32], 60, 60).read(&token).unwrap_err(), TokenError::Bad);
        assert_eq!(tokens.read("a.b.c").unwrap_err(), TokenError::Bad);
    }

    #[test]
    fn logins_and_tokens_grow_old() {
        let tokens = Tokens::new(&[1; 32], 60, 60);
        let old = tokens.issue(7, "u", now() - 61).unwrap();
        assert_eq!(tokens.refresh(&tokens.read(&old).unwrap()).unwrap(), None);
        let claims = Claims { exp: now() - 1, ..tokens.read(&old).unwrap() };
        let expired = encode(&Header::default(), &claims, &tokens.encoding).unwrap();
        assert_eq!(tokens.read(&expired).unwrap_err(), TokenError::Expired);
    }
}
