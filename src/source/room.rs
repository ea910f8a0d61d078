//! Memory that is written once, from its start on, while others read what is there already.
#![allow(unsafe_code)]

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use memmap2::{MmapMut, MmapOptions, MmapRaw};

/// Rooms of at least this size are of huge pages where the system has them.
const LARGE: usize = 4 << 20;

/// The one writer of a room. Its bytes never move and, once written, never change.
#[derive(Debug)]
pub(crate) struct Room {
    map: Arc<MmapRaw>,
    written: usize,
}

/// What was written when it was asked for.
struct Written {
    map: Arc<MmapRaw>,
    length: usize,
}

impl AsRef<[u8]> for Written {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the first `length` bytes of the map were written before this value was made, and
        // the only writer goes on behind them. The map lives as long as this value.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr(), self.length) }
    }
}

impl Room {
    /// Room for so many bytes, more than none.
    pub fn new(bytes: usize) -> io::Result<Self> {
        let map: MmapMut = MmapOptions::new().len(bytes).map_anon()?;
        #[cfg(target_os = "linux")]
        if bytes >= LARGE {
            // Where the system does not know huge pages it says so, and small ones do as well.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        Ok(Room { map: Arc::new(map.into()), written: 0 })
    }

    /// Whether there is room for so many more bytes.
    pub fn has_room(&self, bytes: usize) -> bool {
        bytes <= self.map.len() - self.written
    }

    /// Adds as many of the bytes as there is room for.
    pub fn add(&mut self, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(self.map.len() - self.written)];
        // SAFETY: there is room behind what is written. Nobody reads there: readers have what was
        // written when they asked. Nobody else writes: a room is not cloned, and is borrowed mutably.
        unsafe {
            let place = self.map.as_mut_ptr().add(self.written);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len());
        }
        self.written += bytes.len();
    }

    /// Leaves the bytes out up to a multiple of `alignment`, as far as there is room.
    pub fn align(&mut self, alignment: usize) {
        self.written = self.written.next_multiple_of(alignment).min(self.map.len());
    }

    /// The bytes written, those left out included, which are zero.
    pub fn len(&self) -> usize {
        self.written
    }

    /// All that was written so far.
    pub fn written(&self) -> Bytes {
        Bytes::from_owner(Written { map: self.map.clone(), length: self.written })
    }
}
