//! What the parser options say about values: null texts, boolean texts, marks, dates, forced types.

use std::collections::HashSet;

use arrow::datatypes::DataType;

use crate::options::{Dtypes, NaValues, ParseDates, ParserOptions};

/// The texts that pandas takes for null, next to the empty one.
const NA_TEXTS: &[&str] = &[
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// Further texts that say "nothing here" among values, and nowhere decide that a column is text.
const NOTHING_TEXTS: &[&str] = &[
    "-", "--", "---", ".", "..", "?", "N.A.", "NIL", "NONE", "NaT", "Nil", "Null", "n.a.", "nil",
    "none", "–", "—", "\\N",
];

/// How dates are read in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dates {
    /// Not at all.
    Never,
    /// Where all values are ISO 8601.
    Iso,
    /// In the usual layouts, if the values or the option settle the order of day and month.
    Usual { dayfirst: Option<bool> },
    /// In the usual layouts and as eight digits; the order that nothing settles is the option's.
    Any { dayfirst: Option<bool> },
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
    pub(super) thousands: Option<char>,
    finds_marks: bool,
    pub(super) dates: Dates,
}

/// The rules of a file, from which each column's follow.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    parser: &'a ParserOptions,
    names: &'a [String],
    is_text: bool,
}

impl<'a> Rules<'a> {
    /// Rules for untyped cells, where dates become dates unless `parse_dates` is false, and marks in
    /// numbers are found out.
    pub fn for_text(parser: &'a ParserOptions, names: &'a [String]) -> Self {
        Rules { parser, names, is_text: true }
    }

    /// Rules for the strings of a typed format: they stay text unless the options say otherwise.
    pub fn for_strings(parser: &'a ParserOptions, names: &'a [String]) -> Self {
        Rules { parser, names, is_text: false }
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
        let dayfirst = parser.dayfirst;
        let dates = match &parser.parse_dates {
            // A date type that is asked for is as good as `parse_dates`.
            _ if forced.as_ref().is_some_and(DataType::is_temporal) => Dates::Any { dayfirst },
            Some(ParseDates::All(false)) => Dates::Never,
            Some(ParseDates::Columns(columns)) if columns.iter().any(|c| is_this(c)) => {
                Dates::Any { dayfirst }
            }
            _ if self.is_text => Dates::Usual { dayfirst },
            Some(ParseDates::All(true)) => Dates::Iso,
            Some(ParseDates::Columns(_)) | None => Dates::Never,
        };
        let filter = parser.na_filter.unwrap_or(true);
        let keep_default = parser.keep_default_na;
        let mut null_texts: HashSet<Vec<u8>> = HashSet::new();
        if filter {
            match &parser.na_values {
                Some(NaValues::All(texts)) => {
                    texts.iter().for_each(|text| add_null(&mut null_texts, text));
                }
                Some(NaValues::ByName(columns)) => {
                    let texts = columns.get(name).into_iter().flatten();
                    texts.for_each(|text| add_null(&mut null_texts, text));
                }
                None => {}
            }
            if keep_default == Some(true) {
                null_texts.extend(NA_TEXTS.iter().map(|text| text.as_bytes().to_vec()));
                null_texts.insert(Vec::new());
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
            thousands: parser.thousands,
            finds_marks: self.is_text && parser.decimal.is_none() && parser.thousands.is_none(),
            dates,
        }
    }
}

/// Adds a text and, as pandas does, the other ways to write the same whole number.
fn add_null(texts: &mut HashSet<Vec<u8>>, text: &str) {
    texts.insert(text.as_bytes().to_vec());
    if let Ok(number) = text.parse::<f64>()
        && number.fract() == 0.0
        && number.abs() < 1e15
    {
        texts.insert(format!("{number}").into_bytes());
        texts.insert(format!("{number}.0").into_bytes());
    }
}

impl ColumnRules {
    /// The order of day and month where the values leave it open.
    pub(super) fn prefers_day_first(&self) -> Option<bool> {
        match self.dates {
            Dates::Usual { dayfirst } => dayfirst,
            Dates::Any { dayfirst } => Some(dayfirst.unwrap_or(false)),
            Dates::Never | Dates::Iso => None,
        }
    }

    /// Whether the options say which marks stand in numbers.
    pub(super) fn has_marks(&self) -> bool {
        self.decimal != b'.' || self.thousands.is_some()
    }

    /// Whether the column may decide which marks stand in its numbers.
    pub(super) fn finds_marks(&self) -> bool {
        self.finds_marks
    }

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
        if !self.maybe_null {
            return false;
        }
        let text = text.trim_ascii();
        // Nearly every value is through with the first look.
        let worth_a_look = match text {
            [] => return true,
            [b'1', b'.', mark, ..] => *mark == b'#',
            [b'-', b'0'..=b'9', rest @ ..] => rest.get(1) == Some(&b'#'),
            [b'N' | b'n' | b'#' | b'<' | b'-' | b'.' | b'?' | b'\\' | 0xe2, ..] => text.len() <= 8,
            _ => false,
        };
        let mut known = NA_TEXTS.iter().chain(NOTHING_TEXTS);
        // Data loggers write `NAN`, others `Nan`.
        worth_a_look && (text.eq_ignore_ascii_case(b"nan") || known.any(|na| na.as_bytes() == text))
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
        if !self.has_marks() {
            return Some(text);
        }
        buffer.clear();
        let whole_end = text.iter().position(|byte| *byte == self.decimal).unwrap_or(text.len());
        let (whole, fraction) = text.split_at(whole_end);
        let mut room = [0; 4];
        let mark = self.thousands.map(|mark| mark.encode_utf8(&mut room).as_bytes());
        let first = mark.map(|mark| mark[0]);
        // A point in a number whose decimal mark is a comma is no decimal mark.
        if fraction.iter().skip(1).any(|byte| Some(*byte) == first || *byte == b'.') {
            return None;
        }
        let marked = mark.and_then(|mark| Some((mark, memchr::memmem::find(whole, mark)?)));
        match marked {
            Some((mark, at)) => {
                let digits = whole.strip_prefix(b"-").unwrap_or(whole);
                let first = at - (whole.len() - digits.len()).min(at);
                buffer.extend_from_slice(&whole[..at]);
                let rest = &whole[at + mark.len()..];
                let step = 3 + mark.len();
                let fits = (1..=3).contains(&first)
                    && digits[..first].iter().all(u8::is_ascii_digit)
                    && (rest.len() + mark.len()).is_multiple_of(step);
                if !fits {
                    return None;
                }
                for group in rest.chunks(step) {
                    let (digits, follows) = group.split_at(3.min(group.len()));
                    let is_mark = follows.is_empty() || follows == mark;
                    if digits.len() < 3 || !digits.iter().all(u8::is_ascii_digit) || !is_mark {
                        return None;
                    }
                    buffer.extend_from_slice(digits);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(options: serde_json::Value) -> ColumnRules {
        let options = ParserOptions::from_json(options.as_object().unwrap()).unwrap();
        Rules::for_text(&options, &[]).column("c", 0)
    }

    /// The table in pandas' `read_csv`, for each combination of the options.
    #[test]
    fn null_texts_as_in_pandas() {
        let cases = [
            // options, null, no null
            (r#"{"keep_default_na": true}"#, &["NA", "nan", ""][..], &["-", "x"][..]),
            (r#"{"keep_default_na": true, "na_values": "x"}"#, &["NA", "x", ""], &["-"]),
            (r#"{"keep_default_na": false, "na_values": "x"}"#, &["x"], &["NA", "", "-"]),
            (r#"{"keep_default_na": false, "na_values": ["", "x"]}"#, &["x", ""], &["NA"]),
            (r#"{"keep_default_na": false}"#, &[], &["NA", "", "x"]),
            (r#"{"na_values": {"c": "x"}}"#, &["x", ""], &["y"]),
            (r#"{"na_values": {"d": "x"}}"#, &[""], &["x"]),
            (r#"{"na_values": {"d": "x"}, "keep_default_na": false}"#, &[], &["x", ""]),
            (r#"{"na_values": {"c": "x"}, "keep_default_na": true}"#, &["x", "NA"], &["y"]),
            (r#"{"na_values": -999}"#, &["-999", "-999.0"], &["999"]),
            (r#"{"na_values": "x", "na_filter": false}"#, &[], &["x", "", "NA"]),
        ];
        for (options, nulls, values) in cases {
            let rules = rules(serde_json::from_str(options).unwrap());
            for text in nulls {
                assert!(rules.is_null(text.as_bytes(), false), "{options}: {text:?}");
            }
            for text in values {
                let is_null = rules.is_null(text.as_bytes(), false);
                assert!(!is_null, "{options}: {text:?}");
            }
            if options.contains("keep_default_na") || options.contains("na_filter") {
                assert!(!rules.may_be_null(b"-") && !rules.may_be_null(b"NA"), "{options}");
            }
        }
    }

    #[test]
    fn texts_that_may_be_null() {
        let rules = rules(serde_json::json!({}));
        for text in NA_TEXTS.iter().chain(NOTHING_TEXTS).chain(&["", "  ", " NA ", "NAN"]) {
            assert!(rules.may_be_null(text.as_bytes()), "{text:?}");
        }
        for text in ["-1", "1.5", "x", "Namibia", "-x", "0", "NANA", "\\n", "…"] {
            assert!(!rules.may_be_null(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn marks_that_are_given() {
        let plain = |options: serde_json::Value, text: &str| {
            let mut buffer = Vec::new();
            let rules = rules(options);
            let found = rules.plain_number(text.as_bytes(), &mut buffer);
            found.map(|text| String::from_utf8_lossy(text).into_owned())
        };
        let comma = || serde_json::json!({"thousands": ","});
        assert_eq!(plain(comma(), "-1,234,567.5").as_deref(), Some("-1234567.5"));
        for text in ["1,23", "1234,567", ",234", "1,234,", "-,234", "1,,234", "1.5,000"] {
            assert_eq!(plain(comma(), text), None, "{text}");
        }
        let narrow = serde_json::json!({"thousands": "\u{202f}", "decimal": ","});
        assert_eq!(plain(narrow, "1\u{202f}234,5").as_deref(), Some("1234.5"));
    }
}
