//! What the test binary has allocated: now, at most, and a bound for tests of hostile input.
//!
//! Room that is asked for counts, whether it is ever touched or not.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[global_allocator]
static COUNTED: Counted = Counted;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static BOUND: AtomicUsize = AtomicUsize::new(usize::MAX);

struct Counted;

/// Starts to look for a new peak; gives what is allocated now.
pub fn start() -> usize {
    let now = NOW.load(Relaxed);
    PEAK.store(now, Relaxed);
    now
}

/// The most that was allocated at a time since [`start`].
pub fn peak() -> usize {
    PEAK.load(Relaxed)
}

/// An allocation beyond so many bytes in all fails from here on, which mostly ends the process.
pub fn bound(bytes: usize) {
    BOUND.store(bytes, Relaxed);
}

fn grant(bytes: usize) -> bool {
    let now = NOW.fetch_add(bytes, Relaxed).saturating_add(bytes);
    PEAK.fetch_max(now, Relaxed);
    let granted = now <= BOUND.load(Relaxed);
    if !granted {
        NOW.fetch_sub(bytes, Relaxed);
    }
    granted
}

fn counted(bytes: usize, allocate: impl FnOnce() -> *mut u8) -> *mut u8 {
    if !grant(bytes) {
        return std::ptr::null_mut();
    }
    let room = allocate();
    if room.is_null() {
        NOW.fetch_sub(bytes, Relaxed);
    }
    room
}

// SAFETY: all is passed on to the system's allocator; a null pointer is how one refuses.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of the system's allocator.
        counted(layout.size(), || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        counted(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, room: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(room, layout) }
    }

    unsafe fn realloc(&self, room: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The new room and the old one may be there at the same time.
        let moved = counted(size, || {
            // SAFETY: as above.
            unsafe { System.realloc(room, layout, size) }
        });
        if !moved.is_null() {
            NOW.fetch_sub(layout.size(), Relaxed);
        }
        moved
    }
}
