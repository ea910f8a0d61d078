//! Work on several threads whose results come back in order, a few of them at most at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::error::Result;

/// Runs `job` for `0..count` on `threads` threads and hands each result to `take`, in order, on the
/// thread that calls. Each thread has a state of its own. `take` ends the work with `Ok(false)` or an
/// error; no more than `ahead` results wait to be taken.
pub(in super::super) fn ordered<S, T: Send>(
    threads: usize,
    count: usize,
    ahead: usize,
    state: impl Fn() -> S + Sync,
    job: impl Fn(&mut S, usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> Result<bool>,
) -> Result<()> {
    if threads <= 1 || count <= 1 {
        let mut state = state();
        for index in 0..count {
            if !take(index, job(&mut state, index))? {
                break;
            }
        }
        return Ok(());
    }
    let shelf: Shelf<T> = Shelf::new(ahead.max(threads));
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(count) {
            scope.spawn(|| {
                let _last_word = OnDrop(|| shelf.leave(&stop));
                let mut state = state();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count || !shelf.wait_for_turn(index, &stop) {
                        return;
                    }
                    shelf.put(index, job(&mut state, index));
                }
            });
        }
        let _stop = OnDrop(|| shelf.stop(&stop));
        for index in 0..count {
            // Nothing comes where a thread ended early: its panic goes on when the scope ends.
            let Some(result) = shelf.take(index, threads.min(count), &stop) else {
                return Ok(());
            };
            if !take(index, result)? {
                return Ok(());
            }
        }
        Ok(())
    })
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Where results wait for their turn.
struct Shelf<T> {
    inner: Mutex<Inner<T>>,
    changed: Condvar,
    ahead: usize,
}

struct Inner<T> {
    results: std::collections::BTreeMap<usize, T>,
    taken: usize,
    left: usize,
}

impl<T> Shelf<T> {
    fn new(ahead: usize) -> Self {
        let inner = Inner { results: std::collections::BTreeMap::new(), taken: 0, left: 0 };
        Shelf { inner: Mutex::new(inner), changed: Condvar::new(), ahead }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_turn(&self, index: usize, stop: &AtomicBool) -> bool {
        let mut inner = self.lock();
        while index >= inner.taken + self.ahead && !stop.load(Ordering::Relaxed) {
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        !stop.load(Ordering::Relaxed)
    }

    fn put(&self, index: usize, result: T) {
        self.lock().results.insert(index, result);
        self.changed.notify_all();
    }

    fn take(&self, index: usize, threads: usize, stop: &AtomicBool) -> Option<T> {
        let mut inner = self.lock();
        loop {
            if let Some(result) = inner.results.remove(&index) {
                inner.taken = index + 1;
                self.changed.notify_all();
                return Some(result);
            }
            if inner.left == threads || stop.load(Ordering::Relaxed) {
                return None;
            }
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn leave(&self, stop: &AtomicBool) {
        let mut inner = self.lock();
        inner.left += 1;
        // The others would wait for a turn that never comes.
        if std::thread::panicking() {
            stop.store(true, Ordering::Relaxed);
        }
        drop(inner);
        self.changed.notify_all();
    }

    fn stop(&self, stop: &AtomicBool) {
        let inner = self.lock();
        stop.store(true, Ordering::Relaxed);
        drop(inner);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_the_work() {
        let job = |(): &mut (), index: usize| assert_ne!(index, 3);
        let work = || ordered(3, 100, 2, || (), job, |_, ()| Ok(true));
        assert!(std::panic::catch_unwind(work).is_err());
    }

    #[test]
    fn results_come_in_order_and_work_ends_when_told() {
        for threads in [1, 2, 7] {
            let mut seen = Vec::new();
            let take = |index, result: usize| {
                seen.push((index, result));
                Ok(index < 50)
            };
            ordered(threads, 100, 3, || (), |(), index| index * 2, take).unwrap();
            assert_eq!(seen, (0..=50).map(|index| (index, index * 2)).collect::<Vec<_>>());
        }
    }
}
