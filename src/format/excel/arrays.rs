//! The cells of a column as Arrow arrays of one kind, in runs of rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, NullArray, PrimitiveBuilder, StringArray, StringBuilder,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, DurationMicrosecondType, Float64Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType,
};

use super::census::{Kind, NullCells};
use super::sheet::{Cell, CellColumn, Sheet};
use super::values::{Value, value, write_text};
use crate::infer::{ColumnRules, TextColumn};

/// Arrays one behind the other, each with its first row counted from 0.
pub(super) type Runs = Vec<(u32, ArrayRef)>;

/// Rows of a batch.
pub(super) const BATCH_ROWS: u32 = 64 << 10;
/// Bytes of a text column in a batch; offsets reach to 2 GiB.
const BATCH_BYTES: usize = 1 << 30;
/// The text in a row of a column of texts.
pub(super) fn text_at(runs: &Runs, row: u32) -> String {
    let at = runs.partition_point(|(first, _)| *first <= row);
    let Some((first, array)) = at.checked_sub(1).and_then(|at| runs.get(at)) else {
        return String::new();
    };
    let texts = array.as_any().downcast_ref::<StringArray>();
    let index = (row - first) as usize;
    texts
        .filter(|texts| index < texts.len())
        .map_or(String::new(), |texts| texts.value(index).to_owned())
}

/// The cells of a column, of which arrays are made.
pub(super) struct Typed<'a> {
    pub sheet: &'a Sheet,
    pub cells: &'a CellColumn,
    /// The sheet row of the first.
    pub first: u32,
    pub rows: u32,
    pub rules: &'a ColumnRules,
}

impl Typed<'_> {
    /// The cells as arrays of this kind.
    pub fn runs(&self, kind: Kind) -> (DataType, Runs) {
        if kind == Kind::Text {
            return (DataType::Utf8, self.strings());
        }
        let starts = (0..self.rows.max(1)).step_by(BATCH_ROWS as usize);
        let runs: Runs = starts
            .map(|start| (start, self.array(kind, start, (self.rows - start).min(BATCH_ROWS))))
            .collect();
        let data_type = runs.first().map_or(DataType::Null, |(_, array)| array.data_type().clone());
        (data_type, runs)
    }

    fn array(&self, kind: Kind, start: u32, rows: u32) -> ArrayRef {
        match kind {
            Kind::Nothing | Kind::Text => Arc::new(NullArray::new(rows as usize)),
            Kind::Whole => self.primitive::<Int64Type>(start, rows, |value| match value {
                Value::Whole(number) => Some(number),
                _ => None,
            }),
            Kind::Float => self.primitive::<Float64Type>(start, rows, |value| match value {
                Value::Whole(number) => Some(number as f64),
                Value::Float(number) => Some(number),
                _ => None,
            }),
            Kind::Date => self.primitive::<Date32Type>(start, rows, |value| match value {
                Value::Day(days) => Some(days),
                _ => None,
            }),
            Kind::Stamp => {
                self.primitive::<TimestampMicrosecondType>(start, rows, |value| match value {
                    Value::Stamp(micros) => Some(micros),
                    Value::Day(days) => Some(i64::from(days) * 86_400_000_000),
                    _ => None,
                })
            }
            Kind::Time => {
                self.primitive::<Time64MicrosecondType>(start, rows, |value| match value {
                    Value::Time(micros) => Some(micros),
                    _ => None,
                })
            }
            Kind::Duration => {
                self.primitive::<DurationMicrosecondType>(start, rows, |value| match value {
                    Value::Time(micros) | Value::Duration(micros) => Some(micros),
                    _ => None,
                })
            }
            Kind::Bool => {
                let mut builder = BooleanBuilder::with_capacity(rows as usize);
                self.each(start, rows, |cell, blanks| {
                    builder.append_nulls(blanks);
                    if let Some(cell) = cell {
                        builder.append_option(match value(cell, self.sheet) {
                            Value::Bool(flag) => Some(flag),
                            _ => None,
                        });
                    }
                });
                Arc::new(builder.finish())
            }
        }
    }

    fn primitive<T: ArrowPrimitiveType>(
        &self,
        start: u32,
        rows: u32,
        of: impl Fn(Value) -> Option<T::Native>,
    ) -> ArrayRef {
        let mut builder = PrimitiveBuilder::<T>::with_capacity(rows as usize);
        self.each(start, rows, |cell, blanks| {
            if blanks > 0 {
                builder.append_nulls(blanks);
            }
            if let Some(cell) = cell {
                builder.append_option(of(value(cell, self.sheet)));
            }
        });
        Arc::new(builder.finish())
    }

    /// Each cell with the number of blank rows above it, then those at the end. Cells that options
    /// call null are blank.
    fn each(&self, start: u32, rows: u32, mut take: impl FnMut(Option<Cell>, usize)) {
        let from = self.first + start;
        let mut next = from;
        let mut nulls = NullCells::new(self.rules);
        for at in self.cells.between(from, from + rows) {
            let cell = self.cells.get(at);
            if nulls.contains(cell, self.sheet) {
                continue;
            }
            take(Some(cell), (cell.row - next) as usize);
            next = cell.row + 1;
        }
        take(None, (from + rows - next) as usize);
    }

    /// The cells as Excel shows them without a number format, in runs of no more bytes than offsets reach.
    fn strings(&self) -> Runs {
        let mut runs: Runs = Vec::new();
        let mut text = String::new();
        for start in (0..self.rows.max(1)).step_by(BATCH_ROWS as usize) {
            let rows = (self.rows - start).min(BATCH_ROWS);
            let mut builder = StringBuilder::with_capacity(rows as usize, 0);
            let (mut first, mut bytes) = (start, 0);
            self.each(start, rows, |cell, blanks| {
                (0..blanks).for_each(|_| builder.append_null());
                let Some(cell) = cell else { return };
                let shown = match value(cell, self.sheet) {
                    Value::Error | Value::NoDate(_) => None,
                    Value::Text => self.sheet.text(cell),
                    _ => {
                        text.clear();
                        write_text(cell, self.sheet, &mut text);
                        Some(&*text)
                    }
                };
                let length = shown.map_or(0, str::len);
                if bytes + length > BATCH_BYTES {
                    let row = cell.row - self.first;
                    runs.push((first, Arc::new(builder.finish())));
                    (first, bytes) = (row, 0);
                }
                bytes += length;
                builder.append_option(shown);
            });
            runs.push((first, Arc::new(builder.finish())));
        }
        runs
    }

    /// The cells as the texts that `infer` takes, in runs of rows.
    pub fn texts(&self) -> Vec<(u32, TextColumn)> {
        let mut runs = Vec::new();
        let mut text = String::new();
        for start in (0..self.rows.max(1)).step_by(BATCH_ROWS as usize) {
            let rows = (self.rows - start).min(BATCH_ROWS);
            let (mut first, mut texts) = (start, TextColumn::default());
            let from = self.first + start;
            for at in self.cells.between(from, from + rows) {
                let cell = self.cells.get(at);
                if matches!(value(cell, self.sheet), Value::Error | Value::NoDate(_)) {
                    continue;
                }
                text.clear();
                write_text(cell, self.sheet, &mut text);
                let row = cell.row - self.first;
                texts.pad_to((row - first) as usize);
                if texts.data_len() + text.len() > BATCH_BYTES {
                    runs.push((first, std::mem::take(&mut texts)));
                    first = row;
                }
                texts.push(text.as_bytes(), true);
            }
            texts.pad_to((start + rows - first) as usize);
            runs.push((first, texts));
        }
        runs
    }
}
