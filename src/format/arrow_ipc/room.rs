//! Buffers of messages: as they lie in the file, or inflated to memory of their own.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use arrow::buffer::{Buffer, MutableBuffer};
use bytes::Bytes;
use memmap2::{MmapMut, MmapOptions};

use super::messages::corrupt;
use crate::decompress::{Budget, BufferCodec, BufferInflater};
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// Buffers that inflate to less than this together take ordinary memory.
const LARGE: usize = 1 << 20;
/// Huge pages are of this size on most machines, and begin at its multiples.
const HUGE_PAGE: usize = 2 << 20;
/// Where a buffer begins, as Arrow recommends.
const ALIGNMENT: usize = 64;
/// The length in front of a buffer that was not compressed after all.
const AS_IT_IS: i64 = -1;

/// A buffer in the file.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Where its bytes are.
    bytes: Range<usize>,
    /// How they are compressed, and how many they will be.
    packed: Option<(BufferCodec, usize)>,
    /// Where its message begins.
    at: usize,
}

impl Piece {
    /// `range` is where it is in the file.
    pub fn of(
        file: &[u8],
        range: Range<usize>,
        codec: Option<BufferCodec>,
        at: usize,
    ) -> Result<Piece> {
        let Some(codec) = codec.filter(|_| !range.is_empty()) else {
            return Ok(Piece { bytes: range, packed: None, at });
        };
        let Some((length, _)) = file[range.clone()].split_first_chunk::<8>() else {
            let message = format!("a compressed buffer has only {} bytes", range.len());
            return Err(corrupt(message, at));
        };
        let bytes = range.start + 8..range.end;
        match i64::from_le_bytes(*length) {
            AS_IT_IS => Ok(Piece { bytes, packed: None, at }),
            0 => Ok(Piece { bytes: 0..0, packed: None, at }),
            length => match usize::try_from(length) {
                Ok(length) => Ok(Piece { bytes, packed: Some((codec, length)), at }),
                Err(_) => Err(corrupt(format!("a buffer inflates to {length} bytes"), at)),
            },
        }
    }
}

/// All of the pieces, uncompressed.
pub(super) fn filled(
    file: &Bytes,
    pieces: &[Piece],
    budget: &Mutex<Budget<'_>>,
    inflater: &mut BufferInflater,
) -> Result<Vec<Buffer>> {
    let lengths = pieces.iter().filter_map(|piece| piece.packed).map(|(_, length)| length);
    let mut total = 0usize;
    for length in lengths {
        budget.lock().unwrap_or_else(PoisonError::into_inner).spend(length as u64)?;
        total = total.saturating_add(length.saturating_add(ALIGNMENT));
    }
    // Where the system has no room for it, a refused map is an error; a refused allocation ends the
    // process.
    let mut map = None;
    if total >= LARGE {
        let room = MmapOptions::new().len(total.saturating_add(HUGE_PAGE)).map_anon();
        map = Some(room.map_err(|error| no_room(total, &error))?);
    }
    // Pages in front of the first huge one would come one by one; so they stay untouched.
    let mut used = map.as_ref().map_or(0, |map| map.as_ptr().align_offset(HUGE_PAGE));
    #[cfg(target_os = "linux")]
    if let Some(map) = &map {
        // Where the system does not know huge pages it says so, and small ones do as well.
        let _ = map.advise(memmap2::Advice::HugePage);
    }
    let mut places = Vec::with_capacity(pieces.len());
    for piece in pieces {
        places.push(place(file, piece, map.as_mut(), &mut used, inflater)?);
    }
    let map = map.map(Bytes::from_owner).unwrap_or_default();
    let buffers = places.into_iter().map(|place| match place {
        Place::Apart(buffer) => buffer,
        Place::InMap(range) => Buffer::from(map.slice(range)),
    });
    Ok(buffers.collect())
}

fn no_room(bytes: usize, error: &std::io::Error) -> Error {
    let message = format!("no memory for buffers that inflate to {bytes} bytes: {error}");
    Issue::error(Stage::Source, Code::Io, message).into()
}

enum Place {
    Apart(Buffer),
    InMap(Range<usize>),
}

fn place(
    file: &Bytes,
    piece: &Piece,
    map: Option<&mut MmapMut>,
    used: &mut usize,
    inflater: &mut BufferInflater,
) -> Result<Place> {
    let bytes = piece.bytes.clone();
    let Some((codec, length)) = piece.packed else {
        // A slice keeps the whole file, and counts as its own length only.
        return Ok(Place::Apart(if bytes.is_empty() {
            Buffer::default()
        } else {
            Buffer::from(file.slice(bytes))
        }));
    };
    let damaged =
        |error: String| corrupt(format!("a compressed buffer is damaged: {error}"), piece.at);
    let range = *used..used.saturating_add(length);
    if let Some(room) = map.and_then(|map| map.get_mut(range.clone())) {
        inflater.inflate(codec, &file[bytes], room).map_err(damaged)?;
        *used = range.end.next_multiple_of(ALIGNMENT);
        return Ok(Place::InMap(range));
    }
    let mut room = MutableBuffer::from_len_zeroed(length);
    inflater.inflate(codec, &file[bytes], room.as_slice_mut()).map_err(damaged)?;
    Ok(Place::Apart(room.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn no_room_is_an_error() {
        let most = u64::MAX;
        let limits = Limits { inflated_bytes: most, ratio_free_bytes: most, ..Limits::default() };
        let budget = Mutex::new(Budget::new(8, &limits));
        let piece = Piece { bytes: 0..8, packed: Some((BufferCodec::Zstd, 1 << 60)), at: 0 };
        let file = Bytes::from_static(&[0; 8]);
        let filled = filled(&file, &[piece], &budget, &mut BufferInflater::default());
        assert_eq!(filled.unwrap_err().kind(), crate::ErrorKind::Io);
    }
}
