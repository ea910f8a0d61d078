//! What every handler is handed: configuration, store, tokens, and who may do heavy work just now.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::config::ServerConfig;
use super::serve::ServeError;
use super::throttle::Throttle;
use super::token::Tokens;
use crate::store::{Store, hash_password, random_text};

/// A server's state; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What an [`App`] holds.
pub struct Inner {
    /// The configuration.
    pub(super) config: ServerConfig,
    /// The data folder.
    pub(super) store: Store,
    /// Makes and reads tokens.
    pub(super) tokens: Tokens,
    /// Slows down failing logins.
    pub(super) throttle: Throttle,
    /// Files that may be parsed at a time.
    pub(super) parse_slots: Semaphore,
    /// Passwords that may be checked at a time: each takes memory and a processor.
    pub(super) password_slots: Semaphore,
    /// The hash of a password that nobody has: an unknown user costs as much time as a known one.
    pub(super) nobodys_hash: String,
}

impl App {
    /// Opens the data folder; gives the random password of the user `admin` if it was made now.
    pub async fn open(mut config: ServerConfig) -> Result<(Self, Option<String>), ServeError> {
        let store = Store::open_to_serve(&config.data).await?;
        config.prepare_worker()?;
        let password = store.ensure_admin(config.admin_password.as_deref()).await?;
        let nobodys_hash = tokio::task::spawn_blocking(|| hash_password(&random_text(16)))
            .await
            .map_err(|error| ServeError::Secret(error.to_string()))??;
        let tokens = Tokens::new(store.signing_key(), config.token_seconds, config.refresh_seconds);
        let app = App(Arc::new(Inner {
            store,
            tokens,
            throttle: Throttle::default(),
            parse_slots: Semaphore::new(config.parse_jobs.max(1)),
            password_slots: Semaphore::new(2),
            nobodys_hash,
            config,
        }));
        Ok((app, password))
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
