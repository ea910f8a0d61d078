//! The value of a cell from its text.

use crate::infer::{decimal, swift};

/// What a cell says that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Shared,
    Text,
    Inline,
    Bool,
    Error,
    Date,
    /// A word that means nothing here.
    Unknown,
}

impl Kind {
    /// By the cell's attribute `t`.
    #[inline]
    pub fn of(word: &[u8]) -> Self {
        match word {
            b"n" => Kind::Number,
            b"s" => Kind::Shared,
            b"str" => Kind::Text,
            b"inlineStr" => Kind::Inline,
            b"b" => Kind::Bool,
            b"e" => Kind::Error,
            b"d" => Kind::Date,
            _ => Kind::Unknown,
        }
    }
}

/// A number as workbooks keep it, or a whole number that a float does not hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Float(f64),
    Whole(i64),
}

/// The number that is at `start .. end` of a text; `None` for what is none.
#[inline]
pub(super) fn number(text: &[u8], start: usize, end: usize) -> Option<Number> {
    if let Some(whole) = swift::int(text, start, end) {
        return Some(Number::Float(whole as f64));
    }
    if let Some(float) = swift::float(text, start, end) {
        return Some(Number::Float(float));
    }
    if let Some((float, _)) = decimal::decimal(text, start, end).filter(|(f, _)| f.is_finite()) {
        return Some(Number::Float(float));
    }
    any_number(&text[start..end])
}

#[cold]
fn any_number(text: &[u8]) -> Option<Number> {
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    // The reader of floats takes words such as `inf` too.
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    if let Ok(whole) = text.parse::<i128>() {
        let is_exact = whole as f64 as i128 == whole;
        match i64::try_from(whole) {
            Ok(whole) if !is_exact => return Some(Number::Whole(whole)),
            // A float would lose digits: it stays the text that it is.
            Err(_) if !is_exact => return None,
            _ => {}
        }
    }
    fast_float2::parse::<f64, _>(text).ok().filter(|float| float.is_finite()).map(Number::Float)
}

/// A shared text's index.
#[inline]
pub(super) fn index(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let mut index = 0;
    for digit in text {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        index = index * 10 + u64::from(value);
    }
    Some(index)
}

/// As XML Schema writes it, and as people do.
pub(super) fn flag(text: &[u8]) -> Option<bool> {
    match text.trim_ascii() {
        b"1" => Some(true),
        b"0" => Some(false),
        word if word.eq_ignore_ascii_case(b"true") => Some(true),
        word if word.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let read = |text: &str| number(text.as_bytes(), 0, text.len());
        for text in [
            "0",
            "-0",
            "1",
            "42",
            "1.5",
            "-1.25E-3",
            "0.1",
            "0.10000000000000001",
            "1E+100",
            "1.7976931348623157E+308",
            "5e-324",
            "123456789012345678",
            "9007199254740992",
            " 7 ",
            "+3",
            ".5",
            "1.",
            "00012",
            "1e-400",
            "1000000000000000000000",
            "2.2250738585072014E-308",
        ] {
            let exact: f64 = text.trim().parse().unwrap();
            let Some(Number::Float(float)) = read(text).filter(|_| text != "123456789012345678")
            else {
                assert_eq!(read(text), Some(Number::Whole(123_456_789_012_345_678)), "{text}");
                continue;
            };
            assert_eq!(float.to_bits(), exact.to_bits(), "{text}");
        }
        assert_eq!(read("9007199254740993"), Some(Number::Whole(9_007_199_254_740_993)));
        for text in [
            "12345678901234567890",
            "",
            "inf",
            "nan",
            "-infinity",
            "1e999",
            "abc",
            "1,5",
            "1 2",
            "0x10",
            "--1",
            "1e",
            "-",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
