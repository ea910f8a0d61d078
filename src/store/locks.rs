//! One writer a file at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// A lock for each file that somebody writes to just now.
#[derive(Debug, Default)]
pub struct FileLocks {
    locks: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl FileLocks {
    /// Waits until nobody else writes to the file; writes are queued in the order they ask.
    pub async fn lock(&self, id: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            // Locks that nobody holds or waits for are only ours.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            locks.entry(id.to_owned()).or_default().clone()
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_nothing_stays() {
        let locks = FileLocks::default();
        let first = locks.lock("a").await;
        let other = locks.lock("b").await;
        assert!(tokio::time::timeout(Duration::from_millis(20), locks.lock("a")).await.is_err());
        drop(first);
        drop(locks.lock("a").await);
        drop(other);
        drop(locks.lock("c").await);
        assert_eq!(locks.locks.lock().unwrap().len(), 1);
    }
}
