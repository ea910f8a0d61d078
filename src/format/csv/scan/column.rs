//! A column of a chunk in the making: values straight from the text, as long as they are of the type
//! that the sample showed. The first that is not ends the attempt; the column is then read anew.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int64Array, NullArray, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowNativeType, ToByteSlice};
use arrow::error::ArrowError;

use super::slab::{Frozen, Placed, Slab};
use super::trusted::string_array;
use crate::infer::TextColumn;

/// What a column is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kernel {
    /// Not at all.
    Skip,
    /// Nulls only.
    Null,
    Int64,
    Float64,
    Date32,
    Stamp,
    Text,
    /// Cells are gathered as text, for the readers that know every form.
    Gather,
}

/// A column of a chunk in the making.
#[derive(Debug, Default)]
pub(super) enum Builder {
    #[default]
    Skip,
    /// A value was not of the type.
    Broken,
    Null(usize),
    Int64(Typed<i64>),
    Float64(Typed<f64>),
    Date32(Typed<i32>),
    Stamp(Typed<i64>),
    Text(Texts),
    Gather(TextColumn),
}

/// Values of one type.
#[derive(Debug, Default)]
pub(super) struct Typed<T> {
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
pub(super) struct Texts {
    /// Where each ends.
    pub ends: Vec<i32>,
    pub data: Vec<u8>,
    pub valid: Validity,
}

/// Which rows hold a value; kept only once there is one without.
#[derive(Debug, Default)]
pub(super) struct Validity {
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

    fn clear(&mut self) {
        self.bits.clear();
        self.nulls = 0;
    }

    fn bytes(&self, rows: usize) -> usize {
        if self.nulls == 0 { 0 } else { rows.div_ceil(8) }
    }

    fn place(&mut self, rows: usize, slab: &mut Slab) -> Option<Placed> {
        if self.nulls == 0 {
            return None;
        }
        self.bits.resize(rows.div_ceil(8), 0xff);
        Some(slab.put(&self.bits))
    }
}

impl<T: ArrowNativeType> Typed<T> {
    /// The same room, empty.
    fn emptied(mut self) -> Self {
        self.values.clear();
        self.valid.clear();
        Typed { long: 0, others: 0, ..self }
    }

    fn bytes(&self) -> [usize; 3] {
        [size_of_val(self.values.as_slice()), self.valid.bytes(self.values.len()), 0]
    }

    fn place(&mut self, slab: &mut Slab) -> Moved {
        let rows = self.values.len();
        let values = slab.put(self.values.to_byte_slice());
        Moved { rows, values, valid: self.valid.place(rows, slab), data: None }
    }
}

impl Texts {
    fn emptied(mut self) -> Self {
        self.ends.clear();
        self.ends.push(0);
        self.data.clear();
        self.valid.clear();
        self
    }

    fn rows(&self) -> usize {
        self.ends.len() - 1
    }

    fn bytes(&self) -> [usize; 3] {
        [size_of_val(self.ends.as_slice()), self.valid.bytes(self.rows()), self.data.len()]
    }

    fn place(&mut self, slab: &mut Slab) -> Moved {
        let rows = self.rows();
        let values = slab.put(self.ends.to_byte_slice());
        let data = Some(slab.put(&self.data));
        Moved { rows, values, valid: self.valid.place(rows, slab), data }
    }
}

/// Where a column was moved.
pub(super) struct Moved {
    rows: usize,
    values: Placed,
    valid: Option<Placed>,
    data: Option<Placed>,
}

/// A finished column of a chunk.
#[derive(Debug)]
pub(in super::super) enum Piece {
    Skip,
    Broken,
    Array(ArrayRef),
    Gathered(TextColumn),
}

impl Builder {
    /// An empty column of this kind, in the room of another if that was of the same kind.
    pub fn again(self, kernel: Kernel) -> Self {
        match (kernel, self) {
            (Kernel::Skip, _) => Builder::Skip,
            (Kernel::Null, _) => Builder::Null(0),
            (Kernel::Int64, Builder::Int64(room)) => Builder::Int64(room.emptied()),
            (Kernel::Int64, _) => Builder::Int64(Typed::default()),
            (Kernel::Float64, Builder::Float64(room)) => Builder::Float64(room.emptied()),
            (Kernel::Float64, _) => Builder::Float64(Typed::default()),
            (Kernel::Date32, Builder::Date32(room)) => Builder::Date32(room.emptied()),
            (Kernel::Date32, _) => Builder::Date32(Typed::default()),
            (Kernel::Stamp, Builder::Stamp(room)) => Builder::Stamp(room.emptied()),
            (Kernel::Stamp, _) => Builder::Stamp(Typed::default()),
            (Kernel::Text, Builder::Text(room)) => Builder::Text(room.emptied()),
            (Kernel::Text, _) => Builder::Text(Texts::default().emptied()),
            (Kernel::Gather, _) => Builder::Gather(TextColumn::default()),
        }
    }

    /// Floats of more than 17 digits so far.
    pub fn long_floats(&self) -> u64 {
        match self {
            Builder::Float64(typed) => typed.long,
            _ => 0,
        }
    }

    /// The sizes of the buffers that the column takes.
    pub fn bytes(&self) -> [usize; 3] {
        match self {
            Builder::Int64(typed) | Builder::Stamp(typed) => typed.bytes(),
            Builder::Float64(typed) => typed.bytes(),
            Builder::Date32(typed) => typed.bytes(),
            Builder::Text(texts) => texts.bytes(),
            Builder::Skip | Builder::Broken | Builder::Null(_) | Builder::Gather(_) => [0; 3],
        }
    }

    /// Moves the values out; the room stays.
    pub fn place(&mut self, slab: &mut Slab) -> Option<Moved> {
        match self {
            Builder::Int64(typed) | Builder::Stamp(typed) => Some(typed.place(slab)),
            Builder::Float64(typed) => Some(typed.place(slab)),
            Builder::Date32(typed) => Some(typed.place(slab)),
            Builder::Text(texts) => Some(texts.place(slab)),
            Builder::Skip | Builder::Broken | Builder::Null(_) | Builder::Gather(_) => None,
        }
    }

    /// The column, from what was moved out of it.
    pub fn finish(&mut self, moved: Option<Moved>, slab: &Frozen) -> Result<Piece, ArrowError> {
        let Some(Moved { rows, values, valid, data }) = moved else {
            return Ok(match self {
                Builder::Null(rows) => Piece::Array(Arc::new(NullArray::new(*rows))),
                Builder::Gather(texts) => Piece::Gathered(std::mem::take(texts)),
                Builder::Broken => Piece::Broken,
                _ => Piece::Skip,
            });
        };
        let values = slab.buffer(values);
        let valid =
            valid.map(|bits| NullBuffer::new(BooleanBuffer::new(slab.buffer(bits), 0, rows)));
        fn numbers<T: ArrowNativeType>(values: Buffer, rows: usize) -> ScalarBuffer<T> {
            ScalarBuffer::new(values, 0, rows)
        }
        let array: ArrayRef = match (self, data) {
            (Builder::Float64(_), _) => {
                Arc::new(Float64Array::try_new(numbers(values, rows), valid)?)
            }
            (Builder::Date32(_), _) => {
                Arc::new(Date32Array::try_new(numbers(values, rows), valid)?)
            }
            (Builder::Stamp(_), _) => {
                Arc::new(TimestampMicrosecondArray::try_new(numbers(values, rows), valid)?)
            }
            (Builder::Text(_), Some(data)) => {
                let offsets = OffsetBuffer::new(numbers(values, rows + 1));
                Arc::new(string_array(offsets, slab.buffer(data), valid))
            }
            _ => Arc::new(Int64Array::try_new(numbers(values, rows), valid)?),
        };
        Ok(Piece::Array(array))
    }
}
