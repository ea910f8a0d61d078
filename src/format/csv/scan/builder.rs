//! A column of a chunk in the making: values straight from the text, as long as they are of the type
//! that the sample showed. The first that is not ends the attempt; the column is then read anew.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int64Array, NullArray, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;

use super::block::{Column, Sink, undouble};
use super::trusted::string_array;
use crate::infer::{ColumnRules, TextColumn, decimal, swift};

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
#[derive(Debug)]
pub(super) enum Builder {
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
#[derive(Debug)]
pub(super) struct Typed<T> {
    values: Vec<T>,
    valid: Validity,
    /// Floats of more than 17 digits.
    pub long: u64,
}

impl<T> Typed<T> {
    fn new(rows: usize) -> Self {
        Typed { values: Vec::with_capacity(rows), valid: Validity::default(), long: 0 }
    }
}

/// Texts one behind the other.
#[derive(Debug)]
pub(super) struct Texts {
    offsets: Vec<i32>,
    data: Vec<u8>,
    valid: Validity,
}

/// Which rows hold a value; kept only once there is one without.
#[derive(Debug, Default)]
struct Validity {
    bits: Vec<u8>,
    nulls: usize,
}

impl Validity {
    #[cold]
    #[inline(never)]
    fn null(&mut self, row: usize) {
        self.bits.resize((row / 8 + 1).max(self.bits.len()), 0xff);
        self.bits[row / 8] &= !(1 << (row % 8));
        self.nulls += 1;
    }

    fn finish(mut self, rows: usize) -> Option<NullBuffer> {
        if self.nulls == 0 {
            return None;
        }
        self.bits.resize(rows.div_ceil(8), 0xff);
        Some(NullBuffer::new(BooleanBuffer::new(self.bits.into(), 0, rows)))
    }
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
    /// For about so many rows, with so many bytes of text in all columns together.
    pub fn new(kernel: Kernel, rows: usize) -> Self {
        match kernel {
            Kernel::Skip => Builder::Skip,
            Kernel::Null => Builder::Null(0),
            Kernel::Int64 => Builder::Int64(Typed::new(rows)),
            Kernel::Float64 => Builder::Float64(Typed::new(rows)),
            Kernel::Date32 => Builder::Date32(Typed::new(rows)),
            Kernel::Stamp => Builder::Stamp(Typed::new(rows)),
            Kernel::Text => {
                let mut offsets = Vec::with_capacity(rows + 1);
                offsets.push(0);
                Builder::Text(Texts {
                    offsets,
                    data: Vec::with_capacity(rows * 8),
                    valid: Validity::default(),
                })
            }
            Kernel::Gather => Builder::Gather(TextColumn::default()),
        }
    }

    /// Adds the cells of a column of a block. `false` where a value is not of the type.
    pub fn add(&mut self, column: &Column<'_>, rules: &ColumnRules) -> bool {
        let fits = match self {
            Builder::Skip | Builder::Broken => return true,
            Builder::Null(rows) => column.feed(&mut Nulls { rows, rules }),
            Builder::Int64(typed) => {
                column.feed(&mut Values::<_, Ints> { typed, rules, form: Ints })
            }
            Builder::Float64(typed) => {
                column.feed(&mut Values::<_, Floats> { typed, rules, form: Floats })
            }
            Builder::Date32(typed) => {
                column.feed(&mut Values::<_, Dates> { typed, rules, form: Dates })
            }
            Builder::Stamp(typed) => {
                column.feed(&mut Values::<_, Stamps> { typed, rules, form: Stamps })
            }
            Builder::Text(texts) => column.feed(texts),
            Builder::Gather(texts) => column.feed(&mut Gather { texts, scratch: Vec::new() }),
        };
        if !fits {
            *self = Builder::Broken;
        }
        fits
    }

    /// Floats of more than 17 digits so far.
    pub fn long_floats(&self) -> u64 {
        match self {
            Builder::Float64(typed) => typed.long,
            _ => 0,
        }
    }

    pub fn finish(self) -> Result<Piece, ArrowError> {
        let array: ArrayRef = match self {
            Builder::Skip => return Ok(Piece::Skip),
            Builder::Broken => return Ok(Piece::Broken),
            Builder::Gather(column) => return Ok(Piece::Gathered(column)),
            Builder::Null(rows) => Arc::new(NullArray::new(rows)),
            Builder::Int64(typed) => {
                let (values, nulls) = typed.finish();
                Arc::new(Int64Array::try_new(values, nulls)?)
            }
            Builder::Float64(typed) => {
                let (values, nulls) = typed.finish();
                Arc::new(Float64Array::try_new(values, nulls)?)
            }
            Builder::Date32(typed) => {
                let (values, nulls) = typed.finish();
                Arc::new(Date32Array::try_new(values, nulls)?)
            }
            Builder::Stamp(typed) => {
                let (values, nulls) = typed.finish();
                Arc::new(TimestampMicrosecondArray::try_new(values, nulls)?)
            }
            Builder::Text(texts) => {
                let rows = texts.offsets.len() - 1;
                let offsets = OffsetBuffer::new(texts.offsets.into());
                let nulls = texts.valid.finish(rows);
                Arc::new(string_array(offsets, texts.data.into(), nulls))
            }
        };
        Ok(Piece::Array(array))
    }
}

impl<T: arrow::datatypes::ArrowNativeType> Typed<T> {
    fn finish(self) -> (ScalarBuffer<T>, Option<NullBuffer>) {
        let rows = self.values.len();
        (self.values.into(), self.valid.finish(rows))
    }
}

/// How one type is read.
trait Form<T> {
    /// The value in its plainest form.
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<T>;
    /// The value in a form that is nearly as plain, and whether it is a float of more than 17 digits.
    #[inline(always)]
    fn nearly(&self, _text: &[u8], _start: usize, _end: usize) -> Option<(T, bool)> {
        None
    }
    /// The value of a trimmed cell in any form that is of this type, and whether it is a float of
    /// more than 17 digits.
    fn any(&self, cell: &[u8]) -> Option<(T, bool)>;
}

struct Ints;

impl Form<i64> for Ints {
    #[inline(always)]
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<i64> {
        swift::int(text, start, end)
    }

    fn any(&self, cell: &[u8]) -> Option<(i64, bool)> {
        swift::any_int(cell).map(|value| (value, false))
    }
}

struct Floats;

impl Form<f64> for Floats {
    #[inline(always)]
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<f64> {
        swift::float(text, start, end)
    }

    #[inline(always)]
    fn nearly(&self, text: &[u8], start: usize, end: usize) -> Option<(f64, bool)> {
        decimal::decimal(text, start, end)
    }

    #[inline]
    fn any(&self, cell: &[u8]) -> Option<(f64, bool)> {
        swift::any_float(cell)
    }
}

struct Dates;

impl Form<i32> for Dates {
    #[inline(always)]
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<i32> {
        swift::date(text, start, end)
    }

    fn any(&self, cell: &[u8]) -> Option<(i32, bool)> {
        swift::date(cell, 0, cell.len()).map(|value| (value, false))
    }
}

struct Stamps;

impl Form<i64> for Stamps {
    #[inline(always)]
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<i64> {
        swift::stamp(text, start, end)
    }

    fn any(&self, cell: &[u8]) -> Option<(i64, bool)> {
        swift::stamp(cell, 0, cell.len()).map(|value| (value, false))
    }
}

struct Values<'a, T, F> {
    typed: &'a mut Typed<T>,
    rules: &'a ColumnRules,
    form: F,
}

impl<T: Default, F: Form<T>> Values<'_, T, F> {
    #[inline(never)]
    fn other(&mut self, cell: &[u8], quoted: bool) -> bool {
        let row = self.typed.values.len();
        if self.rules.reads_as_null(cell, quoted) {
            self.typed.valid.null(row);
            self.typed.values.push(T::default());
            return true;
        }
        let Some((value, long)) = self.form.any(cell.trim_ascii()) else { return false };
        self.typed.values.push(value);
        self.typed.long += u64::from(long);
        true
    }
}

impl<T: Default, F: Form<T>> Sink for Values<'_, T, F> {
    #[inline(always)]
    fn raw(&mut self, column: &Column<'_>, start: usize, end: usize) -> bool {
        if let Some(value) = self.form.plain(column.text, start, end) {
            self.typed.values.push(value);
            return true;
        }
        if let Some((value, long)) = self.form.nearly(column.text, start, end) {
            self.typed.values.push(value);
            self.typed.long += u64::from(long);
            return true;
        }
        let (start, end, quoted) = column.unquoted(start, end);
        if quoted && let Some(value) = self.form.plain(column.text, start, end) {
            self.typed.values.push(value);
            return true;
        }
        self.other(&column.text[start..end], quoted)
    }

    fn cell(&mut self, cell: Option<(&[u8], bool)>) -> bool {
        match cell {
            Some((cell, quoted)) => self.other(cell, quoted),
            None => {
                self.typed.valid.null(self.typed.values.len());
                self.typed.values.push(T::default());
                true
            }
        }
    }
}

/// A column that has no values so far.
struct Nulls<'a> {
    rows: &'a mut usize,
    rules: &'a ColumnRules,
}

impl Sink for Nulls<'_> {
    #[inline(always)]
    fn raw(&mut self, column: &Column<'_>, start: usize, end: usize) -> bool {
        let (start, end, quoted) = column.unquoted(start, end);
        self.cell(Some((&column.text[start..end], quoted)))
    }

    #[inline(always)]
    fn cell(&mut self, cell: Option<(&[u8], bool)>) -> bool {
        *self.rows += 1;
        cell.is_none_or(|(cell, quoted)| self.rules.is_null(cell, quoted))
    }
}

/// Cells of up to this many bytes are copied as so many, which is faster than a call.
const SHORT: usize = 32;

impl Texts {
    #[inline(always)]
    fn push(&mut self, text: &[u8], start: usize, end: usize) {
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
        self.offsets.push(self.data.len() as i32);
    }

    fn null(&mut self) {
        self.valid.null(self.offsets.len() - 1);
        self.offsets.push(self.data.len() as i32);
    }
}

impl Sink for Texts {
    #[inline(always)]
    fn raw(&mut self, column: &Column<'_>, start: usize, end: usize) -> bool {
        if start == end {
            self.null();
            return true;
        }
        let (start, end, quoted) = column.unquoted(start, end);
        if quoted
            && column.has_doubled
            && let Some(quote) = column.quote
            && memchr::memchr(quote, &column.text[start..end]).is_some()
        {
            undouble(&column.text[start..end], quote, &mut self.data);
            self.offsets.push(self.data.len() as i32);
            return true;
        }
        self.push(column.text, start, end);
        true
    }

    fn cell(&mut self, cell: Option<(&[u8], bool)>) -> bool {
        match cell {
            Some((cell, quoted)) if quoted || !cell.is_empty() => self.push(cell, 0, cell.len()),
            _ => self.null(),
        }
        true
    }
}

/// Cells as they stand.
struct Gather<'a> {
    texts: &'a mut TextColumn,
    scratch: Vec<u8>,
}

impl Sink for Gather<'_> {
    #[inline(always)]
    fn raw(&mut self, column: &Column<'_>, start: usize, end: usize) -> bool {
        let (start, end, quoted) = column.unquoted(start, end);
        let cell = &column.text[start..end];
        if let Some(quote) = column.quote.filter(|_| quoted && column.has_doubled) {
            self.scratch.clear();
            undouble(cell, quote, &mut self.scratch);
            self.texts.push(&self.scratch, true);
        } else {
            self.texts.push(cell, quoted);
        }
        true
    }

    fn cell(&mut self, cell: Option<(&[u8], bool)>) -> bool {
        match cell {
            Some((cell, quoted)) => self.texts.push(cell, quoted),
            None => self.texts.pad_to(self.texts.len() + 1),
        }
        true
    }
}
