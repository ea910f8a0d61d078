//! The type lattice: every value narrows what its column can be; what is left at the end is the type.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::Datelike;

use super::column::TextColumn;
use super::number::number_shape;
use super::rules::{ColumnRules, Dates};
use super::temporal::{Temporal, parse_flexible, parse_iso};

const BOOL: u16 = 1;
const INT64: u16 = 1 << 1;
const UINT64: u16 = 1 << 2;
const DECIMAL: u16 = 1 << 3;
const FLOAT: u16 = 1 << 4;
const DATE: u16 = 1 << 5;
const STAMP: u16 = 1 << 6;
const ZONED: u16 = 1 << 7;
const TIME: u16 = 1 << 8;
const ALL: u16 = (1 << 9) - 1;

/// What the values seen so far have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    types: u16,
    kinds: u16,
    values: u64,
    texts: u64,
    maybe_null: u64,
    fine_time: bool,
    far_time: bool,
    /// Values with more digits than a float holds.
    pub long_floats: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Seen {
            types: ALL,
            kinds: 0,
            values: 0,
            texts: 0,
            maybe_null: 0,
            fine_time: false,
            far_time: false,
            long_floats: 0,
        }
    }
}

/// The type of a column, and what came up on the way to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Inferred {
    /// The Arrow type.
    pub data_type: DataType,
    /// Whether texts such as `NA` are null, because that lets the rest be typed.
    pub na_is_null: bool,
    /// Values that a float holds only nearly.
    pub long_floats: u64,
    /// Whether the column is text because its values are of several kinds.
    pub mixed: bool,
    /// The first value that stands out where they are: its part and its row there, from 0.
    pub odd: Option<(usize, usize)>,
}

impl Inferred {
    /// Text, every value as it stands.
    pub fn text() -> Self {
        Inferred {
            data_type: DataType::Utf8,
            na_is_null: false,
            long_floats: 0,
            mixed: false,
            odd: None,
        }
    }
}

impl Seen {
    /// Narrows by one more value.
    pub fn add(&mut self, text: &[u8], quoted: bool, rules: &ColumnRules, buffer: &mut Vec<u8>) {
        if rules.is_null(text, quoted) {
            return;
        }
        if rules.may_be_null(text) {
            self.maybe_null += 1;
            return;
        }
        self.values += 1;
        let types = self.classify(text, rules, buffer);
        self.types &= types;
        self.kinds |= types;
        // Digits with leading zeros are no mistake in a column of identifiers.
        let is_text = types == 0 && !text.iter().all(u8::is_ascii_digit);
        self.texts += u64::from(is_text);
    }

    /// Whether there is a text among them that is no identifier.
    pub fn has_texts(&self) -> bool {
        self.texts > 0
    }

    /// Whether nothing but text is left for them to be.
    pub fn is_text(&self) -> bool {
        self.values > 0 && self.types == 0
    }

    /// What these values and later ones have in common.
    pub fn merge(&mut self, later: &Seen) {
        self.types &= later.types;
        self.kinds |= later.kinds;
        self.values += later.values;
        self.texts += later.texts;
        self.maybe_null += later.maybe_null;
        self.fine_time |= later.fine_time;
        self.far_time |= later.far_time;
        self.long_floats += later.long_floats;
    }

    fn classify(&mut self, text: &[u8], rules: &ColumnRules, buffer: &mut Vec<u8>) -> u16 {
        let text = text.trim_ascii();
        let starts = text.first().copied().unwrap_or_default();
        if let Some(shape) = rules
            .plain_number(text, buffer)
            .filter(|_| !starts.is_ascii_alphabetic() || starts | 32 == b'i')
            .and_then(number_shape)
        {
            self.long_floats += u64::from(shape.long_float);
            let number = if shape.int64 { INT64 } else { 0 }
                | if shape.uint64 { UINT64 } else { 0 }
                | if shape.decimal { DECIMAL } else { 0 }
                | if shape.float { FLOAT } else { 0 };
            return number | self.flexible_date(text, rules);
        }
        if rules.boolean(text).is_some() {
            return BOOL;
        }
        if rules.dates == Dates::Never || text.len() < 6 {
            return 0;
        }
        if let Dates::Any { .. } = rules.dates {
            return self.flexible_date(text, rules);
        }
        parse_iso(text).map_or(0, |found| self.temporal(found))
    }

    /// `20260131` is a number unless the caller says that the column holds dates.
    fn flexible_date(&mut self, text: &[u8], rules: &ColumnRules) -> u16 {
        match rules.dates {
            Dates::Any { dayfirst } => {
                parse_flexible(text, dayfirst).map_or(0, |found| self.temporal(found))
            }
            _ => 0,
        }
    }

    fn temporal(&mut self, (value, fine): (Temporal, bool)) -> u16 {
        self.fine_time |= fine;
        let year = match value {
            Temporal::Date(date) => date.year(),
            Temporal::Stamp(stamp) | Temporal::Zoned(stamp) => stamp.year(),
            Temporal::Time(_) => 2000,
        };
        self.far_time |= !(1678..=2261).contains(&year);
        match value {
            Temporal::Date(_) => DATE | STAMP,
            Temporal::Stamp(_) => STAMP,
            Temporal::Zoned(_) => ZONED,
            Temporal::Time(_) => TIME,
        }
    }

    /// The narrowest type that every value survives.
    pub fn conclude(&self, rules: &ColumnRules) -> Inferred {
        let text = |mixed| Inferred { mixed, ..Inferred::text() };
        if rules.never_typed {
            return text(false);
        }
        if let Some(forced) = &rules.forced {
            // Asked for as text, every text is kept, `NA` too.
            let na_is_null = *forced != DataType::Utf8;
            return Inferred { data_type: forced.clone(), na_is_null, ..text(false) };
        }
        if self.values == 0 {
            let data_type = if self.maybe_null == 0 { DataType::Null } else { DataType::Utf8 };
            return Inferred { data_type, ..text(false) };
        }
        let is = |bit| self.types & bit != 0;
        let dates_wanted = matches!(rules.dates, Dates::Any { .. });
        let unit = if self.fine_time { TimeUnit::Nanosecond } else { TimeUnit::Microsecond };
        // Nanoseconds reach from 1678 to 2261; finer times further away have no type but text.
        let timed = !(self.fine_time && self.far_time);
        let data_type = match () {
            () if dates_wanted && is(DATE) => DataType::Date32,
            () if dates_wanted && is(STAMP) && timed => DataType::Timestamp(unit, None),
            () if is(BOOL) => DataType::Boolean,
            () if is(INT64) => DataType::Int64,
            () if is(UINT64) => DataType::UInt64,
            () if is(DECIMAL) => DataType::Decimal128(38, 0),
            () if is(FLOAT) => DataType::Float64,
            () if is(DATE) => DataType::Date32,
            () if is(STAMP) && timed => DataType::Timestamp(unit, None),
            () if is(ZONED) && timed => DataType::Timestamp(unit, Some("UTC".into())),
            () if is(TIME) => DataType::Time64(unit),
            // Worth a word where texts are the exception, or where the values never agree.
            () => {
                let exceptional = self.texts > 0 && self.texts * 2 <= self.values;
                let conflicting =
                    self.texts == 0 && self.kinds & (BOOL | DATE | STAMP | ZONED | TIME) != 0;
                return text(exceptional || conflicting);
            }
        };
        let long_floats = if data_type == DataType::Float64 { self.long_floats } else { 0 };
        Inferred { data_type, na_is_null: true, long_floats, mixed: false, odd: None }
    }
}

/// The type of a column from all of its parts.
pub fn infer<'a, I>(parts: I, rules: &ColumnRules) -> Inferred
where
    I: IntoIterator<Item = &'a TextColumn> + Clone,
{
    let mut seen = Seen::default();
    let mut buffer = Vec::new();
    for part in parts.clone() {
        for (text, quoted) in part.iter().flatten() {
            seen.add(text, quoted, rules, &mut buffer);
        }
    }
    let mut inferred = seen.conclude(rules);
    if inferred.mixed {
        inferred.odd = first_odd(parts, rules);
    }
    inferred
}

/// The first text among values, or the first value that agrees with none before it.
fn first_odd<'a>(
    parts: impl IntoIterator<Item = &'a TextColumn> + Clone,
    rules: &ColumnRules,
) -> Option<(usize, usize)> {
    let mut buffer = Vec::new();
    let mut find = |stands_out: fn(&Seen) -> bool| {
        let mut seen = Seen::default();
        for (index, part) in parts.clone().into_iter().enumerate() {
            for (row, cell) in part.iter().enumerate() {
                let Some((text, quoted)) = cell else { continue };
                seen.add(text, quoted, rules, &mut buffer);
                if stands_out(&seen) {
                    return Some((index, row));
                }
            }
        }
        None
    };
    find(|seen| seen.texts > 0).or_else(|| find(|seen| seen.types == 0))
}

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::*;
    use crate::options::ParserOptions;

    fn type_of(values: &[&str]) -> DataType {
        type_with(values, serde_json::json!({}))
    }

    fn type_with(values: &[&str], options: serde_json::Value) -> DataType {
        let options = ParserOptions::from_json(options.as_object().unwrap()).unwrap();
        let mut column = TextColumn::default();
        values.iter().for_each(|value| column.push(value.as_bytes(), false));
        infer([&column], &Rules::for_text(&options, &[]).column("c", 0)).data_type
    }

    #[test]
    fn the_lattice() {
        let stamp =
            |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
        for (values, expected) in [
            (&["1", "-2"][..], DataType::Int64),
            (&["1", "18446744073709551615"], DataType::UInt64),
            (&["-1", "18446744073709551615"], DataType::Decimal128(38, 0)),
            (&["1", "2.5"], DataType::Float64),
            (&["9007199254740993", "2.5"], DataType::Utf8),
            (&["1", "abc"], DataType::Utf8),
            (&["00501", "10001"], DataType::Utf8),
            (&["true", "False"], DataType::Boolean),
            (&["true", "1"], DataType::Utf8),
            (&["2026-01-31", ""], DataType::Date32),
            (&["2026-01-31", "2026-01-31 10:00"], stamp(None)),
            (&["2026-01-31T10:00:00Z", "2026-01-31T10:00:00+02:00"], stamp(Some("UTC"))),
            (&["2026-01-31T10:00:00Z", "2026-01-31T10:00:00"], DataType::Utf8),
            (&["10:00:00"], DataType::Time64(TimeUnit::Microsecond)),
            (&["NA", "1"], DataType::Int64),
            (&["NA", "DE"], DataType::Utf8),
            (&["NA"], DataType::Utf8),
            (&["", ""], DataType::Null),
            (&["infinite"], DataType::Utf8),
        ] {
            assert_eq!(type_of(values), expected, "{values:?}");
        }
    }

    #[test]
    fn options_decide_what_is_open() {
        let json = |text: &str| serde_json::from_str(text).unwrap();
        assert_eq!(type_with(&["1,5"], json(r#"{"decimal": ","}"#)), DataType::Float64);
        assert_eq!(type_with(&["1.234"], json(r#"{"decimal": ","}"#)), DataType::Utf8);
        assert_eq!(type_with(&["1,234", "5"], json(r#"{"thousands": ","}"#)), DataType::Int64);
        assert_eq!(type_with(&["1,23"], json(r#"{"thousands": ","}"#)), DataType::Utf8);
        assert_eq!(
            type_with(&["31/01/2026"], json(r#"{"parse_dates": ["c"], "dayfirst": true}"#)),
            DataType::Date32
        );
        assert_eq!(type_with(&["2026-01-31"], json(r#"{"parse_dates": false}"#)), DataType::Utf8);
        assert_eq!(type_with(&["x", "1"], json(r#"{"na_values": "x"}"#)), DataType::Int64);
    }
}
