//! A column of a chunk in the making: values straight from the text, as long as they are of the type
//! that the sample showed. The first that is not ends the attempt; the column is then read anew.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray};
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;

use crate::format::chunks::{Frozen, Moved, Slab, Texts, Typed};
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

/// A finished column of a chunk.
#[derive(Debug)]
pub(in super::super) enum Piece {
    Skip,
    Broken,
    Array(ArrayRef),
    Gathered(TextColumn),
    /// So many nulls; the values were left in the text.
    Nulls(u64),
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
    pub fn place(&mut self, slab: &mut Slab<'_>) -> Option<Moved> {
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
        let Some(moved) = moved else {
            return Ok(match self {
                Builder::Null(rows) => Piece::Array(Arc::new(NullArray::new(*rows))),
                Builder::Gather(texts) => Piece::Gathered(std::mem::take(texts)),
                Builder::Broken => Piece::Broken,
                _ => Piece::Skip,
            });
        };
        let array = match self {
            Builder::Float64(_) => moved.numbers::<Float64Type>(slab)?,
            Builder::Date32(_) => moved.numbers::<Date32Type>(slab)?,
            Builder::Stamp(_) => moved.numbers::<TimestampMicrosecondType>(slab)?,
            Builder::Text(_) => moved.texts(slab),
            _ => moved.numbers::<Int64Type>(slab)?,
        };
        Ok(Piece::Array(array))
    }
}
