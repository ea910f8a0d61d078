//! Failed logins, slowed down per user name and address, and refused for a while when persistent.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

/// Failures after which logins are refused.
const PATIENCE: u32 = 10;
/// How long they are refused after the last failure.
const BLOCKED: Duration = Duration::from_secs(60);
/// After this time failures are forgotten.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// Pairs of user and address remembered at a time.
const REMEMBERED: usize = 10_000;

type Slot = Arc<tokio::sync::Mutex<Failures>>;

#[derive(Debug, Default)]
struct Failures {
    count: u32,
    last: Option<Instant>,
}

/// Remembers failed logins.
#[derive(Debug, Default)]
pub struct Throttle {
    slots: Mutex<HashMap<(String, IpAddr), Slot>>,
}

/// A login being checked; others of the same user and address wait for it, so that trying many
/// passwords at once gains nothing.
#[derive(Debug)]
pub struct Attempt(OwnedMutexGuard<Failures>);

impl Throttle {
    /// Waits as long as earlier failures demand. `Err` says how long to stay away.
    pub async fn attempt(&self, user: &str, address: IpAddr) -> Result<Attempt, Duration> {
        let mut failures = self.slot(user, address).lock_owned().await;
        let since = failures.last.map_or(MEMORY, |last| last.elapsed());
        if since >= MEMORY {
            *failures = Failures::default();
        }
        if failures.count >= PATIENCE && since < BLOCKED {
            return Err(BLOCKED - since);
        }
        if failures.count > 0 {
            let quarters = 1 << (failures.count - 1).min(4);
            tokio::time::sleep(Duration::from_millis(250 * quarters)).await;
        }
        Ok(Attempt(failures))
    }

    fn slot(&self, user: &str, address: IpAddr) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= REMEMBERED {
            // Whoever waits or failed lately is kept; if all did, somebody is playing with us, and
            // forgetting is better than growing.
            slots.retain(|_, slot| {
                slot.try_lock().is_ok_and(|f| f.last.is_some_and(|last| last.elapsed() < BLOCKED))
            });
            if slots.len() >= REMEMBERED {
                slots.clear();
            }
        }
        // A name is only a key here: a long one must not fill the memory.
        let user: String = user.chars().take(150).collect();
        slots.entry((user, address)).or_default().clone()
    }
}

impl Attempt {
    /// The password was right.
    pub fn succeeded(mut self) {
        *self.0 = Failures::default();
    }

    /// The password was wrong.
    pub fn failed(mut self) {
        self.0.count += 1;
        self.0.last = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn failures_slow_down_and_block_one_user_at_one_address() {
        let throttle = Throttle::default();
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        // Sleeping is only looked at for the first two, the others would take too long here.
        let start = Instant::now();
        throttle.attempt("a", here).await.unwrap().failed();
        assert!(start.elapsed() < Duration::from_millis(200));
        throttle.attempt("a", here).await.unwrap().failed();
        assert!(start.elapsed() >= Duration::from_millis(250));
        throttle.slot("a", here).lock().await.count = PATIENCE;
        assert!(throttle.attempt("a", here).await.unwrap_err() <= BLOCKED);
        throttle.attempt("a", there).await.unwrap().succeeded();
        throttle.attempt("b", here).await.unwrap().succeeded();
    }
}
