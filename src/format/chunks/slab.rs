//! Memory for the columns of chunks: maps of many huge pages, one chunk's columns behind those of another.
//!
//! Fresh memory costs a fault for every page, and huge pages are 512 times fewer. Values are built
//! in room that a thread uses again for each chunk, and moved here once their size is known.

use std::ops::Range;

use arrow::buffer::Buffer;
use bytes::Bytes;

use crate::source::Room;

/// Chunks with less than this take ordinary memory.
const LARGE: usize = 1 << 20;
/// A map has as much as this at least. It is freed when the last column in it is.
const MAP: usize = 32 << 20;
/// Where a column begins, as Arrow recommends.
const ALIGNMENT: usize = 64;

/// What is left of the last map, for the next chunk of the same thread.
#[derive(Debug, Default)]
pub(in super::super) struct Rest(Option<Room>);

/// Where columns are moved to.
#[derive(Debug)]
pub(in super::super) struct Slab<'a> {
    room: Option<&'a mut Room>,
}

/// Where a column was moved.
#[derive(Debug)]
pub(in super::super) enum Placed {
    InSlab(Range<usize>),
    Apart(Buffer),
}

impl<'a> Slab<'a> {
    /// With room for columns of these sizes in bytes.
    pub fn new(rest: &'a mut Rest, sizes: impl Iterator<Item = usize>) -> Self {
        let total: usize = sizes.map(|size| size.next_multiple_of(ALIGNMENT)).sum();
        if total < LARGE {
            return Slab { room: None };
        }
        if !rest.0.as_ref().is_some_and(|room| room.has_room(total)) {
            // Without such a map the columns lie apart, which is only slower.
            rest.0 = Room::new(total.max(MAP)).ok();
        }
        Slab { room: rest.0.as_mut() }
    }

    /// Moves bytes in.
    pub fn put(&mut self, bytes: &[u8]) -> Placed {
        match &mut self.room {
            Some(room) if room.has_room(bytes.len()) => {
                let start = room.len();
                room.add(bytes);
                let end = room.len();
                room.align(ALIGNMENT);
                Placed::InSlab(start..end)
            }
            _ => Placed::Apart(Buffer::from_slice_ref(bytes)),
        }
    }

    /// No more is moved in; buffers can be had.
    pub fn freeze(self) -> Frozen {
        Frozen(self.room.map(|room| room.written()).unwrap_or_default())
    }
}

/// A slab that is full.
pub(in super::super) struct Frozen(Bytes);

impl Frozen {
    /// The bytes that were moved in.
    pub fn buffer(&self, placed: Placed) -> Buffer {
        match placed {
            Placed::InSlab(range) => Buffer::from(self.0.slice(range)),
            Placed::Apart(buffer) => buffer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out() {
        let mut rest = Rest::default();
        // The last does not fit behind the others.
        for size in [0, 100, LARGE, LARGE, MAP - LARGE, 2 * MAP] {
            let (first, second) = (vec![7u8; 33], vec![9u8; size]);
            let mut slab = Slab::new(&mut rest, [first.len(), second.len()].into_iter());
            let mut placed: Vec<Placed> = vec![slab.put(&first), slab.put(&second)];
            placed.push(slab.put(&vec![5; 3 * MAP]));
            let frozen = slab.freeze();
            let found: Vec<Buffer> =
                placed.into_iter().map(|placed| frozen.buffer(placed)).collect();
            assert_eq!(found[0].as_slice(), &first[..]);
            assert_eq!(found[1].as_slice(), &second[..]);
            assert_eq!(found[2].len(), 3 * MAP);
            assert_eq!(found[1].as_ptr() as usize % ALIGNMENT, 0);
        }
    }
}
