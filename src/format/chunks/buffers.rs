//! Values of one column in the making, in room that is used again.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowNativeType, ArrowPrimitiveType, ToByteSlice};
use arrow::error::ArrowError;

use super::slab::{Frozen, Placed, Slab};
use super::trusted::string_array;

/// Values of one type.
#[derive(Debug, Default)]
pub(in super::super) struct Typed<T> {
    pub values: Vec<T>,
    pub valid: Validity,
    /// Floats of more than 17 digits.
    pub long: u64,
    /// Values that were not in the form that was tried first.
    pub others: usize,
    /// Whether the form that is otherwise the second is tried first.
    pub swapped: bool,
}

/// Texts one behind the other.
#[derive(Debug, Default)]
pub(in super::super) struct Texts {
    /// Where each ends.
    pub ends: Vec<i32>,
    pub data: Vec<u8>,
    pub valid: Validity,
}

/// Which rows hold a value; kept only once there is one without.
#[derive(Debug, Default)]
pub(in super::super) struct Validity {
    bits: Vec<u8>,
    nulls: usize,
}

impl Validity {
    #[cold]
    #[inline(never)]
    pub fn null(&mut self, row: usize) {
        self.bits.resize((row / 8 + 1).max(self.bits.len()), 0xff);
        self.bits[row / 8] &= !(1 << (row % 8));
        self.nulls += 1;
    }

    /// The rows of a range hold none; those behind it are not yet there.
    pub fn nulls(&mut self, rows: Range<usize>) {
        let Range { start, end } = rows;
        if start >= end {
            return;
        }
        self.nulls += end - start;
        self.bits.resize(start.div_ceil(8).max(self.bits.len()), 0xff);
        self.bits.resize(end.div_ceil(8), 0);
        for row in start..end.min(start.next_multiple_of(8)) {
            self.bits[row / 8] &= !(1 << (row % 8));
        }
        // Rows behind the last hold a value until they are said not to.
        if !end.is_multiple_of(8) {
            self.bits[end / 8] |= 0xff << (end % 8);
        }
    }

    /// The bits of so many rows, where any is null.
    pub fn finish(&mut self, rows: usize) -> Option<NullBuffer> {
        (self.nulls > 0).then(|| {
            self.bits.resize(rows.div_ceil(8), 0xff);
            NullBuffer::new(BooleanBuffer::new(Buffer::from_slice_ref(&self.bits), 0, rows))
        })
    }

    pub fn clear(&mut self) {
        self.bits.clear();
        self.nulls = 0;
    }

    fn bytes(&self, rows: usize) -> usize {
        if self.nulls == 0 { 0 } else { rows.div_ceil(8) }
    }

    fn place(&mut self, rows: usize, slab: &mut Slab<'_>) -> Option<Placed> {
        if self.nulls == 0 {
            return None;
        }
        self.bits.resize(rows.div_ceil(8), 0xff);
        Some(slab.put(&self.bits))
    }
}

impl<T: ArrowNativeType> Typed<T> {
    /// The same room, empty.
    pub fn emptied(mut self) -> Self {
        self.values.clear();
        self.valid.clear();
        Typed { long: 0, others: 0, ..self }
    }

    pub fn bytes(&self) -> [usize; 3] {
        [size_of_val(self.values.as_slice()), self.valid.bytes(self.values.len()), 0]
    }

    pub fn place(&mut self, slab: &mut Slab<'_>) -> Moved {
        let rows = self.values.len();
        let values = slab.put(self.values.to_byte_slice());
        Moved { rows, values, valid: self.valid.place(rows, slab), data: None }
    }
}

impl Texts {
    pub fn emptied(mut self) -> Self {
        self.ends.clear();
        self.ends.push(0);
        self.data.clear();
        self.valid.clear();
        self
    }

    pub fn rows(&self) -> usize {
        self.ends.len() - 1
    }

    pub fn bytes(&self) -> [usize; 3] {
        [size_of_val(self.ends.as_slice()), self.valid.bytes(self.rows()), self.data.len()]
    }

    pub fn place(&mut self, slab: &mut Slab<'_>) -> Moved {
        let rows = self.rows();
        let values = slab.put(self.ends.to_byte_slice());
        let data = Some(slab.put(&self.data));
        Moved { rows, values, valid: self.valid.place(rows, slab), data }
    }
}

/// Texts of up to this many bytes are copied as so many, which is faster than a call.
const SHORT: usize = 32;

impl Texts {
    #[inline(always)]
    /// Adds a piece of a text.
    pub fn push(&mut self, text: &[u8], start: usize, end: usize) {
        let length = end - start;
        if length <= SHORT
            && let Some(piece) = text.get(start..).and_then(|rest| rest.first_chunk::<SHORT>())
        {
            let before = self.data.len();
            self.data.extend_from_slice(piece);
            self.data.truncate(before + length);
        } else {
            self.data.extend_from_slice(&text[start..end]);
        }
        self.ends.push(self.data.len() as i32);
    }

    /// Adds a null.
    pub fn null(&mut self) {
        self.valid.null(self.ends.len() - 1);
        self.ends.push(self.data.len() as i32);
    }
}

/// Where a column was moved.
pub(in super::super) struct Moved {
    rows: usize,
    values: Placed,
    valid: Option<Placed>,
    data: Option<Placed>,
}

impl Moved {
    /// The values as an array of this type, whose native type they are of.
    pub fn numbers<T: ArrowPrimitiveType>(self, slab: &Frozen) -> Result<ArrayRef, ArrowError> {
        let values = ScalarBuffer::new(slab.buffer(self.values), 0, self.rows);
        let valid = nulls(self.valid, self.rows, slab);
        Ok(Arc::new(PrimitiveArray::<T>::try_new(values, valid)?))
    }

    /// The texts, every one of which is UTF-8.
    pub fn texts(self, slab: &Frozen) -> ArrayRef {
        let offsets = ScalarBuffer::new(slab.buffer(self.values), 0, self.rows + 1);
        let data = self.data.map(|data| slab.buffer(data)).unwrap_or_default();
        let valid = nulls(self.valid, self.rows, slab);
        Arc::new(string_array(OffsetBuffer::new(offsets), data, valid))
    }
}

fn nulls(valid: Option<Placed>, rows: usize, slab: &Frozen) -> Option<NullBuffer> {
    valid.map(|bits| NullBuffer::new(BooleanBuffer::new(slab.buffer(bits), 0, rows)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_of_nulls_are_nulls_one_by_one(runs in proptest::collection::vec((0usize..20, 0usize..20), 0..12)) {
            let (mut ranged, mut single) = (Validity::default(), Validity::default());
            let mut rows = 0;
            let mut expected = Vec::new();
            for (nulls, values) in runs {
                ranged.nulls(rows..rows + nulls);
                (rows..rows + nulls).for_each(|row| single.null(row));
                expected.extend(std::iter::repeat_n(false, nulls));
                expected.extend(std::iter::repeat_n(true, values));
                rows += nulls + values;
            }
            let ranged = ranged.finish(rows);
            prop_assert_eq!(&ranged, &single.finish(rows));
            let expected: NullBuffer = expected.into_iter().collect();
            prop_assert_eq!(ranged.map_or(0, |nulls| nulls.null_count()), expected.null_count());
            if let Some(ranged) = single.finish(rows) {
                prop_assert!(ranged.iter().eq(expected.iter()));
            }
        }
    }
}
