//! Pieces inflated by several threads, their outcomes taken in order, few at a time.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use super::{Damage, Flow, Stop};
use crate::guard::guarded;
use crate::report::Stage;

/// Outcomes that wait to be taken, beside those that are being made.
const AHEAD: usize = 2;

/// What outcomes may hold together.
const UNDER_WAY_BYTES: usize = 256 << 20;

/// Does `work` for every job and gives the outcomes to `take` in the order of the jobs, until it has
/// had enough. At most `threads` + [`AHEAD`] jobs are under way, and fewer where an outcome may hold so
/// many bytes that they would be too much; a single job needs no thread.
pub(super) fn in_order<J: Send, O: Send>(
    threads: usize,
    bytes: usize,
    mut jobs: impl Iterator<Item = J>,
    work: impl Fn(J) -> O + Sync,
    mut take: impl FnMut(O) -> Flow,
) -> Result<(), Stop> {
    let threads = threads.min((UNDER_WAY_BYTES / bytes.max(1)).saturating_sub(AHEAD));
    // A decoder that panics on damaged data ends neither the process nor the wait for its answer.
    let work = |job| guarded(Stage::Decompress, "compressed", || Ok(work(job))).ok();
    let mut first = Vec::new();
    if threads > 1 {
        first.extend(jobs.by_ref().take(2));
    }
    if first.len() < 2 {
        for job in first.into_iter().chain(jobs) {
            let outcome = work(job).ok_or_else(gave_up)?;
            if take(outcome)?.is_break() {
                break;
            }
        }
        return Ok(());
    }
    let mut jobs = first.into_iter().chain(jobs);
    let (give, given) = mpsc::channel::<(J, mpsc::SyncSender<Option<O>>)>();
    let given = Mutex::new(given);
    let over = AtomicBool::new(false);
    let worker = || {
        loop {
            let next = given.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((job, answer)) = next else { return };
            if !over.load(Ordering::Relaxed) {
                // Nobody waits for it any more where this fails.
                let _ = answer.send(work(job));
            }
        }
    };
    std::thread::scope(|scope| {
        // Dropped at the end, so that the threads end.
        let give = give;
        for _ in 0..threads {
            scope.spawn(worker);
        }
        let mut waiting = VecDeque::new();
        let mut lead = || {
            loop {
                while waiting.len() < threads + AHEAD {
                    let Some(job) = jobs.next() else { break };
                    let (answer, outcome) = mpsc::sync_channel(1);
                    if give.send((job, answer)).is_err() {
                        return Err(gave_up());
                    }
                    waiting.push_back(outcome);
                }
                let Some(outcome) = waiting.pop_front() else { return Ok(()) };
                let outcome = outcome.recv().ok().flatten().ok_or_else(gave_up)?;
                if let ControlFlow::Break(()) = take(outcome)? {
                    return Ok(());
                }
            }
        };
        let result = lead();
        over.store(true, Ordering::Relaxed);
        result
    })
}

fn gave_up() -> Stop {
    Damage { whole_before: false, ..Damage::corrupt(0, "a decoder gave up on it") }.into()
}
