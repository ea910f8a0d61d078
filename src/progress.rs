//! How far a piece of work is, for a face that wants to show it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shared between the pipeline, which writes, and a face, which reads. Cheap to update.
#[derive(Debug, Default)]
pub struct Progress {
    stage: Mutex<&'static str>,
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Starts a stage of `total` bytes (0 where unknown).
    pub fn start(&self, stage: &'static str, total: u64) {
        if let Ok(mut name) = self.stage.lock() {
            *name = stage;
        }
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Says how many bytes of the stage are done.
    pub fn done(&self, bytes: u64) {
        self.done.store(bytes, Ordering::Relaxed);
    }

    /// The stage, the bytes done and the bytes in all (0 where unknown).
    pub fn state(&self) -> (&'static str, u64, u64) {
        let stage = self.stage.lock().map(|name| *name).unwrap_or_default();
        (stage, self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}
