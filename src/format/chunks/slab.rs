//! Memory for the columns of a chunk: one map of whole huge pages where there is much of it.
//!
//! Fresh memory costs a fault for every page, and huge pages are 512 times fewer. Values are built
//! in room that a thread uses again for each chunk, and moved here once their size is known.

use std::ops::Range;

use arrow::buffer::Buffer;
use bytes::Bytes;
use memmap2::{MmapMut, MmapOptions};

/// Chunks with less than this take ordinary memory.
const LARGE: usize = 1 << 20;
/// Where a column begins, as Arrow recommends.
const ALIGNMENT: usize = 64;

/// Where columns are moved to.
#[derive(Debug, Default)]
pub(in super::super) struct Slab {
    map: Option<MmapMut>,
    used: usize,
}

/// Where a column was moved.
#[derive(Debug)]
pub(in super::super) enum Placed {
    InSlab(Range<usize>),
    Apart(Buffer),
}

impl Slab {
    /// With room for columns of these sizes in bytes.
    pub fn new(sizes: impl Iterator<Item = usize>) -> Self {
        let total: usize = sizes.map(|size| size.next_multiple_of(ALIGNMENT)).sum();
        if total < LARGE {
            return Slab::default();
        }
        // Without such a map the columns lie apart, which is only slower.
        let map = MmapOptions::new().len(total).map_anon().ok();
        #[cfg(target_os = "linux")]
        if let Some(map) = &map {
            // Where the system does not know huge pages it says so, and small ones do as well.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        Slab { map, used: 0 }
    }

    /// Moves bytes in.
    pub fn put(&mut self, bytes: &[u8]) -> Placed {
        let range = self.used..self.used + bytes.len();
        match self.map.as_mut().and_then(|map| map.get_mut(range.clone())) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.used = range.end.next_multiple_of(ALIGNMENT);
                Placed::InSlab(range)
            }
            None => Placed::Apart(Buffer::from_slice_ref(bytes)),
        }
    }

    /// No more is moved in; buffers can be had.
    pub fn freeze(self) -> Frozen {
        Frozen(self.map.map(Bytes::from_owner).unwrap_or_default())
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
        for size in [0, 100, LARGE] {
            let (first, second) = (vec![7u8; 33], vec![9u8; size]);
            let mut slab = Slab::new([first.len(), second.len()].into_iter());
            let placed = [slab.put(&first), slab.put(&second), slab.put(b"too much")];
            let frozen = slab.freeze();
            let [a, b, c] = placed.map(|placed| frozen.buffer(placed));
            assert_eq!((a.as_slice(), b.as_slice()), (&first[..], &second[..]));
            assert_eq!(c.as_slice(), b"too much");
            assert_eq!(b.as_ptr() as usize % ALIGNMENT, 0);
        }
    }
}
