//! Cells into columns: each kind of column takes its cells in the plainest form first, and in any
//! form that is of its type second.
#![allow(unsafe_code)]

use super::block::{Column, Doubled, Sink, undouble};
use super::column::Builder;
use crate::format::chunks::{Texts, Typed};
use crate::infer::{ColumnRules, TextColumn, decimal, swift};

impl Builder {
    /// Adds the cells of a column of a block; a value that is not of the type breaks the column.
    pub fn add(&mut self, column: &Column<'_>, rules: &ColumnRules) {
        #[cfg(target_arch = "x86_64")]
        {
            // The same code, with shifts and multiplications that newer machines have.
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn newer(builder: &mut Builder, column: &Column<'_>, rules: &ColumnRules) {
                builder.add_cells(column, rules);
            }
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt")
            {
                // SAFETY: the machine has what the function asks for.
                return unsafe { newer(self, column, rules) };
            }
        }
        self.add_cells(column, rules);
    }

    #[inline(always)]
    fn add_cells(&mut self, column: &Column<'_>, rules: &ColumnRules) {
        let fits = match self {
            Builder::Skip | Builder::Broken => return,
            Builder::Null(rows) => column.feed(&mut Nulls { rows, rules }),
            Builder::Int64(typed) => {
                column.feed(&mut Values::<_, Ints> { typed, rules, form: Ints })
            }
            Builder::Float64(typed) => {
                let (rows, others) = (typed.values.len(), typed.others);
                let fits = match typed.swapped {
                    false => column.feed(&mut Values::<_, Floats> { typed, rules, form: Floats }),
                    true => {
                        column.feed(&mut Values::<_, LongFloats> { typed, rules, form: LongFloats })
                    }
                };
                // The form that most values of this block have is the first to be tried in the next.
                let others = typed.others - others;
                if others * 2 > typed.values.len() - rows {
                    typed.swapped = !typed.swapped;
                }
                fits
            }
            Builder::Date32(typed) => {
                column.feed(&mut Values::<_, Dates> { typed, rules, form: Dates })
            }
            Builder::Stamp(typed) => {
                column.feed(&mut Values::<_, Stamps> { typed, rules, form: Stamps })
            }
            Builder::Text(texts) => column.feed(&mut TextSink { texts, doubled: column.doubled() }),
            Builder::Gather(texts) => {
                let doubled = column.doubled();
                column.feed(&mut Gather { texts, doubled, scratch: Vec::new() })
            }
        };
        if !fits {
            *self = Builder::Broken;
        }
    }
}

/// How one type is read. With each value comes whether it is a float of more than 17 digits.
trait Form<T> {
    /// The value in its plainest form.
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<(T, bool)>;
    /// The value in a form that is nearly as plain.
    #[inline(always)]
    fn nearly(&self, _text: &[u8], _start: usize, _end: usize) -> Option<(T, bool)> {
        None
    }
    /// The value of a trimmed cell in any form that is of this type.
    fn any(&self, cell: &[u8]) -> Option<(T, bool)>;
}

struct Ints;

impl Form<i64> for Ints {
    #[inline(always)]
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<(i64, bool)> {
        swift::int(text, start, end).map(|value| (value, false))
    }

    fn any(&self, cell: &[u8]) -> Option<(i64, bool)> {
        swift::any_int(cell).map(|value| (value, false))
    }
}

/// Mostly short ones.
struct Floats;

impl Form<f64> for Floats {
    #[inline(always)]
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<(f64, bool)> {
        swift::float(text, start, end).map(|value| (value, false))
    }

    #[inline(always)]
    fn nearly(&self, text: &[u8], start: usize, end: usize) -> Option<(f64, bool)> {
        decimal::decimal(text, start, end)
    }

    fn any(&self, cell: &[u8]) -> Option<(f64, bool)> {
        swift::any_float(cell)
    }
}

/// Mostly such as have many digits or an exponent.
struct LongFloats;

impl Form<f64> for LongFloats {
    #[inline(always)]
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<(f64, bool)> {
        decimal::decimal(text, start, end)
    }

    #[inline(always)]
    fn nearly(&self, text: &[u8], start: usize, end: usize) -> Option<(f64, bool)> {
        swift::float(text, start, end).map(|value| (value, false))
    }

    fn any(&self, cell: &[u8]) -> Option<(f64, bool)> {
        swift::any_float(cell)
    }
}

struct Dates;

impl Form<i32> for Dates {
    #[inline(always)]
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<(i32, bool)> {
        swift::date(text, start, end).map(|value| (value, false))
    }

    fn any(&self, cell: &[u8]) -> Option<(i32, bool)> {
        swift::date(cell, 0, cell.len()).map(|value| (value, false))
    }
}

struct Stamps;

impl Form<i64> for Stamps {
    #[inline(always)]
    fn plain(&self, text: &[u8], start: usize, end: usize) -> Option<(i64, bool)> {
        swift::stamp(text, start, end).map(|value| (value, false))
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
    #[inline(always)]
    fn push(&mut self, value: T, long: bool) {
        self.typed.values.push(value);
        self.typed.long += u64::from(long);
    }

    #[inline(never)]
    fn other(&mut self, cell: &[u8], quoted: bool) -> bool {
        let row = self.typed.values.len();
        if self.rules.reads_as_null(cell, quoted) {
            self.typed.valid.null(row);
            self.typed.values.push(T::default());
            return true;
        }
        let Some((value, long)) = self.form.any(cell.trim_ascii()) else { return false };
        self.push(value, long);
        true
    }
}

impl<T: Default, F: Form<T>> Sink for Values<'_, T, F> {
    #[inline(always)]
    fn raw(&mut self, column: &Column<'_>, start: usize, end: usize) -> bool {
        if let Some((value, long)) = self.form.plain(column.text, start, end) {
            self.push(value, long);
            return true;
        }
        if let Some((value, long)) = self.form.nearly(column.text, start, end) {
            self.typed.others += 1;
            self.push(value, long);
            return true;
        }
        let (start, end, quoted) = column.unquoted(start, end);
        if quoted && let Some((value, long)) = self.form.plain(column.text, start, end) {
            self.push(value, long);
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

struct TextSink<'a, 'b> {
    texts: &'a mut Texts,
    doubled: Doubled<'b>,
}

impl Sink for TextSink<'_, '_> {
    #[inline(always)]
    fn raw(&mut self, column: &Column<'_>, start: usize, end: usize) -> bool {
        if start == end {
            self.texts.null();
            return true;
        }
        let (start, end, quoted) = column.unquoted(start, end);
        if quoted
            && self.doubled.any(start, end)
            && let Some(quote) = column.quote
        {
            undouble(&column.text[start..end], quote, &mut self.texts.data);
            self.texts.ends.push(self.texts.data.len() as i32);
            return true;
        }
        self.texts.push(column.text, start, end);
        true
    }

    fn cell(&mut self, cell: Option<(&[u8], bool)>) -> bool {
        match cell {
            Some((cell, quoted)) if quoted || !cell.is_empty() => {
                self.texts.push(cell, 0, cell.len());
            }
            _ => self.texts.null(),
        }
        true
    }
}

/// Cells as they stand.
struct Gather<'a, 'b> {
    texts: &'a mut TextColumn,
    doubled: Doubled<'b>,
    scratch: Vec<u8>,
}

impl Sink for Gather<'_, '_> {
    #[inline(always)]
    fn raw(&mut self, column: &Column<'_>, start: usize, end: usize) -> bool {
        let (start, end, quoted) = column.unquoted(start, end);
        let cell = &column.text[start..end];
        if let Some(quote) = column.quote.filter(|_| quoted && self.doubled.any(start, end)) {
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
