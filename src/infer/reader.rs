//! Single values, once the column's type and layout are known.
//!
//! Takes the text of a value that is not null, blanks around it included; gives `None` where it does
//! not fit, which only a type that was asked for can meet.

use arrow::datatypes::TimeUnit;

use super::lattice::Inferred;
use super::marks;
use super::number::{parse_float, parse_int64, parse_whole};
use super::rules::{ColumnRules, Dates};
use super::temporal::{self, Moment};

/// Reads the values of one column.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rules: &'a ColumnRules,
    na_is_null: bool,
    decimal: Option<u8>,
    day_first: bool,
    buffer: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// For a column of this type and layout.
    pub fn new(inferred: &Inferred, rules: &'a ColumnRules) -> Self {
        let layout = &inferred.layout;
        Reader {
            rules,
            na_is_null: inferred.na_is_null,
            decimal: layout.decimal,
            day_first: layout.day_first,
            buffer: Vec::new(),
        }
    }

    /// Whether the value is null in this column.
    pub fn is_null(&self, text: &[u8], quoted: bool) -> bool {
        self.rules.is_null(text, quoted) || self.na_is_null && self.rules.may_be_null(text)
    }

    /// Whether numbers are as programs write them, so that a faster way to read them is as good.
    pub fn has_plain_numbers(&self) -> bool {
        self.decimal.is_none() && !self.rules.has_marks()
    }

    fn number<'t>(&'t mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let text = text.trim_ascii();
        if self.has_plain_numbers() {
            return Some(text);
        }
        match self.decimal {
            Some(decimal) => marks::to_plain(text, decimal, &mut self.buffer),
            None => self.rules.plain_number(text, &mut self.buffer),
        }
    }

    /// A whole number of 64 bits.
    pub fn int64(&mut self, text: &[u8]) -> Option<i64> {
        self.number(text).and_then(parse_int64)
    }

    /// A whole number of any size up to 38 digits.
    pub fn whole(&mut self, text: &[u8]) -> Option<i128> {
        self.number(text).and_then(parse_whole)
    }

    /// The nearest double.
    pub fn float(&mut self, text: &[u8]) -> Option<f64> {
        self.number(text).and_then(parse_float)
    }

    /// True or false.
    pub fn boolean(&self, text: &[u8]) -> Option<bool> {
        self.rules.boolean(text.trim_ascii())
    }

    fn moment(&self, text: &[u8]) -> Option<Moment> {
        let digits_alone = matches!(self.rules.dates, Dates::Any { .. });
        temporal::parse(text.trim_ascii(), digits_alone)
            .filter(|moment| self.rules.dates != Dates::Iso || moment.is_iso)
    }

    /// Days since 1970.
    pub fn date(&self, text: &[u8]) -> Option<i32> {
        let moment = self.moment(text)?;
        if moment.time.is_some() {
            return None;
        }
        moment.days(self.day_first)
    }

    /// Since 1970 in this unit; with a zone in UTC. What is finer than the unit does not fit: it
    /// would be cut.
    pub fn stamp(&self, text: &[u8], unit: TimeUnit, zoned: bool) -> Option<i64> {
        let moment = self.moment(text)?;
        if moment.offset.is_some() != zoned {
            return None;
        }
        let days = i64::from(moment.days(self.day_first)?);
        let nanos = moment.time.unwrap_or_default() - moment.offset.unwrap_or_default();
        let size = match unit {
            TimeUnit::Second => 1_000_000_000,
            TimeUnit::Millisecond => 1_000_000,
            TimeUnit::Microsecond => 1_000,
            TimeUnit::Nanosecond => 1,
        };
        if nanos % size != 0 {
            return None;
        }
        days.checked_mul(86_400_000_000_000 / size)?.checked_add(nanos / size)
    }

    /// Nanoseconds of the day.
    pub fn time(&self, text: &[u8]) -> Option<i64> {
        let moment = self.moment(text)?;
        if moment.is_dated() { None } else { moment.time }
    }
}
