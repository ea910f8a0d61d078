//! The server's memory: a catalogue of users, files and datasets, and a folder of bytes.
//!
//! Takes a data folder, which is filled on the first start: `catalogue.sqlite`, `blobs/`,
//! `secret.key`, the user `admin`. Uploaded bytes and parsed tables are blobs that are never changed
//! in place: a file that is uploaded again refers to new ones, a dataset keeps the old ones, and a
//! blob goes when nobody refers to it. Refuses a folder in which another server works.

mod blobs;
mod catalogue;
mod error;
mod locks;
mod records;
mod secrets;
mod sqlite;
mod tables;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

pub use blobs::{BlobWriter, Blobs, BlockingBlobWriter, UploadWriter};
pub use catalogue::{Answer, Catalogue};
pub use error::{Result, StoreError};
pub use locks::FileLocks;
pub use records::{
    Access, DatasetRow, FileRow, FileSettings, FrozenView, Outcome, Role, StoredBytes, StoredTable,
    User, is_id, new_id, now,
};
pub use secrets::{digest, hash_password, random_text, verify_password};
pub use sqlite::SqliteCatalogue;
pub use tables::{read_table, write_table};

/// The user that a server makes on its first start.
pub const ADMIN: &str = "admin";

/// All that the server remembers.
pub struct Store {
    /// Users, files, datasets.
    pub catalogue: Arc<dyn Catalogue>,
    /// Bytes.
    pub blobs: Blobs,
    /// Who writes to which file.
    pub locks: FileLocks,
    signing_key: Vec<u8>,
    _folder_lock: Option<File>,
}

impl Store {
    /// Opens a data folder beside whoever else uses it, to look up or add users.
    pub async fn open(folder: &Path) -> Result<Self> {
        make_private(folder)?;
        Ok(Store {
            catalogue: Arc::new(SqliteCatalogue::open(&folder.join("catalogue.sqlite")).await?),
            blobs: Blobs::open(&folder.join("blobs"))?,
            locks: FileLocks::default(),
            signing_key: secrets::signing_key(&folder.join("secret.key"))?,
            _folder_lock: None,
        })
    }

    /// Opens a data folder to serve from it: nobody else may, and leftovers of an earlier run are
    /// swept up.
    pub async fn open_to_serve(folder: &Path) -> Result<Self> {
        make_private(folder)?;
        let lock = File::create(folder.join("lock"))?;
        if lock.try_lock().is_err() {
            return Err(StoreError::InUse(folder.display().to_string()));
        }
        let mut store = Store::open(folder).await?;
        store._folder_lock = Some(lock);
        store.blobs.sweep(store.catalogue.blobs().await?).await?;
        Ok(store)
    }

    /// Makes the user [`ADMIN`] if there is none, with this password or a random one; gives the
    /// random one, which nobody can look up later.
    pub async fn ensure_admin(&self, password: Option<&str>) -> Result<Option<String>> {
        if self.catalogue.user_by_name(ADMIN).await?.is_some() {
            return Ok(None);
        }
        let (password, made) = match password {
            Some(password) => (password.to_owned(), None),
            None => {
                let random = random_text(15);
                (random.clone(), Some(random))
            }
        };
        self.add_user(ADMIN, &password).await?;
        Ok(made)
    }

    /// Adds a user.
    pub async fn add_user(&self, username: &str, password: &str) -> Result<User> {
        check_name(username)?;
        let hash = hash_off_thread(password).await?;
        let user = User {
            id: 0,
            username: username.to_owned(),
            name: username.to_owned(),
            email: String::new(),
            password_hash: hash,
        };
        self.catalogue.add_user(&user).await
    }

    /// Gives a user another password.
    pub async fn set_password(&self, user: &User, password: &str) -> Result<()> {
        let hash = hash_off_thread(password).await?;
        self.catalogue.set_password(user.id, &hash).await
    }

    /// The key that signs tokens.
    pub fn signing_key(&self) -> &[u8] {
        &self.signing_key
    }
}

/// Makes the folder if it is not there, for its owner only: files of every user will lie in it.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

async fn hash_off_thread(password: &str) -> Result<String> {
    let password = password.to_owned();
    tokio::task::spawn_blocking(move || hash_password(&password)).await?
}

/// Refuses what cannot be a user's or an organisation's name.
pub fn check_name(name: &str) -> Result<()> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\' | ':');
    if name.is_empty() || name.chars().count() > 150 || name.contains(bad) {
        return Err(StoreError::BadName(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(author: i64, blob: &str, table: &str) -> FileRow {
        let stored = |blob: &str| StoredBytes { blob: blob.into(), bytes: 1, sha256: "".into() };
        let table = StoredTable {
            name: "t".into(),
            dtypes: [("a".to_owned(), "int64".into())].into_iter().collect(),
            num_cols: 1,
            num_rows: 1,
            blob: table.into(),
        };
        FileRow {
            id: new_id(),
            author,
            organisation: None,
            settings: FileSettings { file_type: "csv".into(), ..FileSettings::default() },
            agent_name: String::new(),
            agent_version: String::new(),
            created_at: now(),
            updated_at: now(),
            upload: Some(stored(blob)),
            outcome: Outcome { is_valid: true, tables: vec![table], ..Outcome::default() },
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn users_are_made_once_and_files_are_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_to_serve(folder.path()).await.unwrap();
        assert!(matches!(
            Store::open_to_serve(folder.path()).await.err(),
            Some(StoreError::InUse(_))
        ));
        assert!(store.ensure_admin(None).await.unwrap().is_some());
        assert!(store.ensure_admin(None).await.unwrap().is_none());
        let bob = store.add_user("bob", "x").await.unwrap();
        assert_eq!(bob.id, 2);
        assert!(matches!(store.add_user("bob", "y").await, Err(StoreError::UserExists(_))));

        let mut row = file(1, "b1", "t1");
        row.organisation = Some("org".into());
        let catalogue = &store.catalogue;
        catalogue.add_file(&row).await.unwrap();
        assert_eq!(catalogue.file(1, &row.id).await.unwrap(), Some((row.clone(), Access::Author)));
        assert_eq!(catalogue.file(bob.id, &row.id).await.unwrap(), None);
        assert_eq!(catalogue.files(bob.id, 10, 0).await.unwrap().0, 0);
        catalogue.join_organisation(bob.id, "org").await.unwrap();
        assert_eq!(catalogue.file(bob.id, &row.id).await.unwrap().unwrap().1, Access::Member);
        assert_eq!(catalogue.files(bob.id, 10, 0).await.unwrap().0, 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_blob_is_released_when_nobody_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        store.ensure_admin(Some("x")).await.unwrap();
        let catalogue = &store.catalogue;
        let row = file(1, "b1", "t1");
        catalogue.add_file(&row).await.unwrap();
        let view = FrozenView {
            role: Role::Edges,
            file_id: row.id.clone(),
            table_index: 0,
            table: row.outcome.tables[0].clone(),
        };
        let mut dataset = DatasetRow {
            id: new_id(),
            author: 1,
            organisation: None,
            body: serde_json::Map::new(),
            views: vec![view],
            created_at: now(),
            updated_at: now(),
        };
        assert!(catalogue.add_dataset(&dataset).await.unwrap());
        let mut newer = file(1, "b2", "t2");
        newer.id = row.id.clone();
        // The dataset still needs the table, nobody needs the bytes.
        assert_eq!(catalogue.replace_file(&newer).await.unwrap(), Some(vec!["b1".to_owned()]));
        let released = catalogue.remove_file(&row.id).await.unwrap().unwrap();
        assert_eq!(released, ["b2", "t2"]);
        assert_eq!(catalogue.remove_file(&row.id).await.unwrap(), None);
        assert_eq!(catalogue.replace_file(&newer).await.unwrap(), None);
        assert_eq!(catalogue.blobs().await.unwrap().len(), 1);
        // A dataset on a table that is gone is refused.
        dataset.id = new_id();
        dataset.views[0].table.blob = "t2".into();
        assert!(!catalogue.add_dataset(&dataset).await.unwrap());
        assert!(catalogue.dataset(1, &dataset.id).await.unwrap().is_none());
    }
}
