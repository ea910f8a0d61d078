//! What can go wrong in the store, apart from "not there".

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The data folder cannot be made or used.
    #[error("cannot use the data folder: {0}")]
    Folder(#[from] std::io::Error),
    /// Another server works in this folder.
    #[error("another server uses the data folder {0}")]
    InUse(String),
    /// The catalogue failed.
    #[error("the catalogue failed: {0}")]
    Catalogue(#[from] sqlx::Error),
    /// The catalogue is of another version, or could not be brought to this one.
    #[error("the catalogue could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A text in the catalogue is not what we wrote there.
    #[error("the catalogue holds a damaged entry: {0}")]
    Entry(#[from] serde_json::Error),
    /// Stored bytes could not be written, read or deleted.
    #[error("the stored bytes failed: {0}")]
    Blobs(#[from] object_store::Error),
    /// A stored table could not be written or read.
    #[error("a stored table failed: {0}")]
    Table(#[from] arrow::error::ArrowError),
    /// A password could not be hashed.
    #[error("a password could not be hashed: {0}")]
    Password(String),
    /// A user of this name is there already.
    #[error("a user named {0:?} is there already")]
    UserExists(String),
    /// No user has this name.
    #[error("there is no user named {0:?}")]
    NoSuchUser(String),
    /// This cannot be a user's or an organisation's name.
    #[error("{0:?} is no good name: expected 1 to 150 characters, no blanks, slashes or colons")]
    BadName(String),
    /// A background task was cancelled or panicked.
    #[error("a background task failed: {0}")]
    Task(String),
}

impl StoreError {
    /// Whether stored bytes were asked for that are gone: they were replaced meanwhile.
    pub fn is_gone(&self) -> bool {
        match self {
            StoreError::Blobs(object_store::Error::NotFound { .. }) => true,
            StoreError::Folder(error) => error.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }
}

impl From<tokio::task::JoinError> for StoreError {
    fn from(error: tokio::task::JoinError) -> Self {
        StoreError::Task(error.to_string())
    }
}

/// A `Result` with a [`StoreError`].
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
