//! What the system itself allows a worker.

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::limits::Limits;

/// What a process needs before it has read anything: threads' stacks, what an allocator keeps.
#[cfg(unix)]
const SPARE: u64 = 128 << 20;
/// What each thread adds to that.
#[cfg(unix)]
const SPARE_PER_THREAD: u64 = 8 << 20;
/// Bytes that a table may take for each byte of text: a column of digits becomes one of 64 bits.
const FILE_GROWTH: u64 = 8;
/// A file that grows is made longer before it is written (`source/growing.rs`).
const FILE_ROOM: u64 = 96 << 20;

/// Bytes that a file which a worker writes may have.
pub(super) fn file_bytes(limits: &Limits) -> u64 {
    let text = limits.inflated_bytes.max(limits.input_bytes);
    text.saturating_mul(FILE_GROWTH).saturating_add(FILE_ROOM)
}

#[cfg(not(unix))]
pub(super) fn set(_: &Limits, _: u64, _: u64) {}

/// Bounds this process. What the system does not know it does not bound; the parent watches too.
#[cfg(unix)]
pub(super) fn set(limits: &Limits, stacks: u64, threads: u64) {
    let bound = |resource, most: u64| {
        let rlimit = Rlimit { current: Some(most), maximum: Some(most.saturating_add(1)) };
        // A bound that is lower already stays.
        let _ = setrlimit(resource, rlimit);
    };
    // Private writable memory. The whole address space would count the mapped input as well, which
    // is larger than any bound on memory can be, and takes none.
    let spare = SPARE + SPARE_PER_THREAD.saturating_mul(threads) + stacks;
    let memory = limits.memory_bytes.saturating_add(spare);
    bound(Resource::Data, memory);
    let seconds = limits.time.as_secs().saturating_add(2).saturating_mul(threads);
    bound(Resource::Cpu, seconds);
    bound(Resource::Core, 0);
    bound(Resource::Fsize, file_bytes(limits));
    // Should the machine itself run out of memory, this process goes before its parent.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Bytes of memory of its own that a process holds now; `None` where the system does not say.
#[cfg(unix)]
pub(super) fn memory_of(process: u32) -> Option<u64> {
    let pages = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let mut numbers = pages.split(' ').skip(1).map(|number| number.parse::<u64>().ok());
    // Pages of mapped files are shared: they come and go as the system likes.
    let (resident, shared) = (numbers.next()??, numbers.next()??);
    Some(resident.saturating_sub(shared).saturating_mul(rustix::param::page_size() as u64))
}

#[cfg(not(unix))]
pub(super) fn memory_of(_: u32) -> Option<u64> {
    None
}
