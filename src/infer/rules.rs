//! What the parser options say about values: null texts, boolean texts, marks, dates, forced types.

use std::collections::HashSet;

use arrow::datatypes::DataType;

use crate::options::{Dtypes, NaValues, ParseDates, ParserOptions};

/// The texts that pandas takes for null, and a lone dash.
const NA_TEXTS: &[&str] = &[
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// How dates are read in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dates {
    /// Not at all.
    Never,
    /// Where all values are ISO 8601.
    Iso,
    /// In any usual order.
    Any { dayfirst: bool },
}

/// The rules for one column.
#[derive(Clone, Debug)]
pub struct ColumnRules {
    /// The type asked for.
    pub forced: Option<DataType>,
    pub(super) never_typed: bool,
    pub(super) null_texts: HashSet<Vec<u8>>,
    pub(super) maybe_null: bool,
    pub(super) empty_is_null: bool,
    pub(super) true_texts: Vec<Vec<u8>>,
    pub(super) false_texts: Vec<Vec<u8>>,
    pub(super) decimal: u8,
    pub(super) thousands: Option<u8>,
    pub(super) dates: Dates,
}

/// The rules of a file, from which each column's follow.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    parser: &'a ParserOptions,
    names: &'a [String],
    default_dates: Dates,
}

impl<'a> Rules<'a> {
    /// Rules for untyped cells, where ISO dates become dates unless `parse_dates` is false.
    pub fn for_text(parser: &'a ParserOptions, names: &'a [String]) -> Self {
        Rules { parser, names, default_dates: Dates::Iso }
    }

    /// Rules for the strings of a typed format: they stay text unless the options say otherwise.
    pub fn for_strings(parser: &'a ParserOptions, names: &'a [String]) -> Self {
        Rules { parser, names, default_dates: Dates::Never }
    }

    /// The rules for the column of this name and position.
    pub fn column(&self, name: &str, index: usize) -> ColumnRules {
        let parser = self.parser;
        // A number is a position only where no column is called so.
        let by_position = |wanted: &str| !self.names.iter().any(|name| name == wanted);
        let is_this =
            |wanted: &str| wanted == name || wanted.parse() == Ok(index) && by_position(wanted);
        let (forced, never_typed) = match &parser.dtype {
            Some(Dtypes::All(data_type)) => (Some(data_type.clone()), false),
            Some(Dtypes::ByName(types)) => {
                let position = index.to_string();
                let found = types
                    .get(name)
                    .or_else(|| types.get(&position).filter(|_| by_position(&position)));
                (found.cloned(), false)
            }
            Some(Dtypes::ByPosition(types)) => (types.get(index).cloned(), false),
            Some(Dtypes::AsIs) => (None, true),
            None => (None, false),
        };
        let dayfirst = parser.dayfirst.unwrap_or(false);
        let dates = match &parser.parse_dates {
            Some(ParseDates::All(false)) => Dates::Never,
            Some(ParseDates::All(true)) => Dates::Iso,
            Some(ParseDates::Columns(columns)) if columns.iter().any(|c| is_this(c)) => {
                Dates::Any { dayfirst }
            }
            Some(ParseDates::Columns(_)) | None => self.default_dates,
        };
        let filter = parser.na_filter.unwrap_or(true);
        let keep_default = parser.keep_default_na;
        let mut null_texts: HashSet<Vec<u8>> = HashSet::new();
        if filter {
            match &parser.na_values {
                Some(NaValues::All(texts)) => {
                    null_texts.extend(texts.iter().map(|t| t.clone().into_bytes()))
                }
                Some(NaValues::ByName(columns)) => {
                    let texts = columns.get(name).into_iter().flatten();
                    null_texts.extend(texts.map(|text| text.clone().into_bytes()));
                }
                None => {}
            }
            if keep_default == Some(true) {
                null_texts.extend(NA_TEXTS.iter().map(|text| text.as_bytes().to_vec()));
            }
        }
        let texts = |given: &Option<Vec<String>>| {
            given.iter().flatten().map(|text| text.clone().into_bytes()).collect()
        };
        let byte = |mark: Option<char>| mark.and_then(|mark| u8::try_from(mark).ok());
        ColumnRules {
            forced,
            never_typed,
            maybe_null: filter && keep_default.is_none(),
            empty_is_null: filter && (keep_default != Some(false) || null_texts.contains(&b""[..])),
            null_texts,
            true_texts: texts(&parser.true_values),
            false_texts: texts(&parser.false_values),
            decimal: byte(parser.decimal).unwrap_or(b'.'),
            thousands: byte(parser.thousands),
            dates,
        }
    }
}

impl ColumnRules {
    /// Whether the options name texts that mean null.
    pub fn has_null_texts(&self) -> bool {
        !self.null_texts.is_empty()
    }

    /// Whether the options name texts that mean true or false.
    pub fn has_boolean_texts(&self) -> bool {
        !self.true_texts.is_empty() || !self.false_texts.is_empty()
    }

    /// Whether texts that are dates become dates.
    pub fn wants_dates(&self) -> bool {
        self.dates != Dates::Never
    }

    /// Whether values are read as they stand: no marks, null texts or types of the caller's own.
    pub fn is_plain(&self) -> bool {
        self.decimal == b'.'
            && self.thousands.is_none()
            && self.null_texts.is_empty()
            && self.empty_is_null
            && self.forced.as_ref().is_none_or(|forced| *forced == DataType::Utf8)
    }

    /// Whether dates are read in other orders than that of ISO 8601.
    pub fn reads_other_dates(&self) -> bool {
        matches!(self.dates, Dates::Any { .. })
    }

    /// Whether the text is null in a column that is not text.
    pub fn reads_as_null(&self, text: &[u8], quoted: bool) -> bool {
        self.is_null(text, quoted) || self.may_be_null(text)
    }

    /// Whether the text is null whatever the column is.
    pub fn is_null(&self, text: &[u8], quoted: bool) -> bool {
        if text.is_empty() {
            return self.empty_is_null && !quoted || self.null_texts.contains(text);
        }
        !self.null_texts.is_empty() && self.null_texts.contains(text)
    }

    /// Whether the text is null where that lets the rest of the column be typed.
    pub(super) fn may_be_null(&self, text: &[u8]) -> bool {
        self.maybe_null
            && (text.is_empty()
                || text == b"-"
                || text.len() <= 8 && NA_TEXTS.iter().any(|na| na.as_bytes() == text))
    }

    pub(super) fn boolean(&self, text: &[u8]) -> Option<bool> {
        match text {
            b"true" | b"True" | b"TRUE" => Some(true),
            b"false" | b"False" | b"FALSE" => Some(false),
            _ if self.true_texts.iter().any(|known| known == text) => Some(true),
            _ if self.false_texts.iter().any(|known| known == text) => Some(false),
            _ => None,
        }
    }

    /// The number text in the plain form, marks between groups taken out and the decimal mark a
    /// point. `None` where groups are not of three digits.
    pub(super) fn plain_number<'t>(
        &self,
        text: &'t [u8],
        buffer: &'t mut Vec<u8>,
    ) -> Option<&'t [u8]> {
        if self.decimal == b'.' && self.thousands.is_none() {
            return Some(text);
        }
        buffer.clear();
        let whole_end = text.iter().position(|byte| *byte == self.decimal).unwrap_or(text.len());
        let (whole, fraction) = text.split_at(whole_end);
        // A point in a number whose decimal mark is a comma is no decimal mark.
        if fraction.iter().skip(1).any(|byte| Some(*byte) == self.thousands || *byte == b'.') {
            return None;
        }
        match self.thousands.filter(|mark| whole.contains(mark)) {
            Some(mark) => {
                for (index, group) in whole.split(|byte| *byte == mark).enumerate() {
                    let digits = group.strip_prefix(b"-").filter(|_| index == 0).unwrap_or(group);
                    let fits =
                        if index == 0 { (1..=3).contains(&digits.len()) } else { group.len() == 3 };
                    if !fits || !digits.iter().all(u8::is_ascii_digit) {
                        return None;
                    }
                    buffer.extend_from_slice(group);
                }
            }
            None if self.decimal != b'.' && whole.contains(&b'.') => return None,
            None => buffer.extend_from_slice(whole),
        }
        if let Some((_, digits)) = fraction.split_first() {
            buffer.push(b'.');
            buffer.extend_from_slice(digits);
        }
        Some(buffer)
    }
}
