//! The one place that maps files into memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use memmap2::{Mmap, MmapOptions, UncheckedAdvice};

/// Every map that is still in use, so that a stage that is done with a stretch can hand it back.
static MAPS: Mutex<Vec<Weak<Mmap>>> = Mutex::new(Vec::new());

/// Of a file that is larger the end is waited for by another thread: the system takes a second for
/// some GB.
const LARGE: usize = 16 << 20;

struct Owner {
    map: Option<Arc<Mmap>>,
    /// Whether the file has no name any more, so that it ends with its map.
    is_last: bool,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        self.map.as_ref().map_or(&[], |map| map)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let map = self.map.take().filter(|map| self.is_last && map.len() >= LARGE);
        if let Some(map) = map {
            // Where there is no thread the map is dropped here.
            let _ = std::thread::Builder::new().spawn(move || drop(map));
        }
    }
}

/// The file's bytes, mapped read-only.
pub(super) fn map(file: &File) -> io::Result<Bytes> {
    map_whole(file, false)
}

/// The same of a temporary file that nobody else has.
pub(super) fn map_temporary(file: &File) -> io::Result<Bytes> {
    map_whole(file, true)
}

fn map_whole(file: &File, is_last: bool) -> io::Result<Bytes> {
    if file.metadata()?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the map is private and read-only. Rust cannot see another process change or cut the
    // file; as with every reader that maps files, that would change what we read or end the process
    // by a signal, so `Source::path` asks that the file stay as it is. The server maps only files
    // that it wrote itself and never changes in place.
    Ok(keep(unsafe { Mmap::map(file)? }, is_last))
}

/// A temporary file that nobody else has, made so long and mapped read-only. It must not be made
/// shorter, nor written where bytes of the map were handed out.
pub(super) fn map_room(file: &File, length: usize) -> io::Result<Bytes> {
    file.set_len(length as u64)?;
    // SAFETY: the file is as long as the map, has no name by which another process could open it, and
    // is only written behind the bytes that `growing.rs` hands out.
    Ok(keep(unsafe { MmapOptions::new().len(length).map(file)? }, true))
}

fn keep(map: Mmap, is_last: bool) -> Bytes {
    let map = Arc::new(map);
    let mut maps = MAPS.lock().unwrap_or_else(PoisonError::into_inner);
    maps.retain(|map| map.strong_count() > 0);
    maps.push(Arc::downgrade(&map));
    Bytes::from_owner(Owner { map: Some(map), is_last })
}

/// Pages are handed back in whole ones of this size, which is a multiple of every machine's.
const PAGE: usize = 64 << 10;

/// Says that a stretch of text will not be read again soon. Where it is mapped from a file its pages
/// no longer count as this process's memory; they are still there, and come back when read.
pub(crate) fn release(part: &[u8]) {
    let maps = MAPS.lock().unwrap_or_else(PoisonError::into_inner);
    let from = part.as_ptr() as usize;
    for map in maps.iter().filter_map(Weak::upgrade) {
        let start = map.as_ptr() as usize;
        let Some(offset) = from.checked_sub(start).filter(|at| at + part.len() <= map.len()) else {
            continue;
        };
        let first = offset.next_multiple_of(PAGE);
        let last = (offset + part.len()) / PAGE * PAGE;
        if first < last {
            // SAFETY: the map is of a file and only read, so nothing is lost: the next read maps the
            // same page of the same file again.
            let advice = unsafe {
                map.unchecked_advise_range(UncheckedAdvice::DontNeed, first, last - first)
            };
            // Advice that is not taken costs memory, nothing else.
            let _ = advice;
        }
        return;
    }
}
