//! The one place that maps files into memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

use bytes::Bytes;
use memmap2::Mmap;

/// The file's bytes, mapped read-only.
pub(super) fn map(file: &File) -> io::Result<Bytes> {
    if file.metadata()?.len() == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the map is private and read-only. Rust cannot see another process change or cut the
    // file; as with every reader that maps files, that would change what we read or end the process
    // by a signal, so `Source::path` asks that the file stay as it is. The server maps only files
    // that it wrote itself and never changes in place.
    let map = unsafe { Mmap::map(file)? };
    Ok(Bytes::from_owner(map))
}
