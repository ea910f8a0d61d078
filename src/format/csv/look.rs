//! What a cell looks like at a glance: a number, a date, a text.
//!
//! Takes a cell's bytes; gives its kind, and how much it speaks for the cut that made it. It is
//! quick and generous, since it only has to tell tables from prose; types are inferred elsewhere.

use crate::infer::number_shape;

/// What a cell looks like at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) enum CellLook {
    Empty,
    Text,
    Number,
    /// A whole number between 1900 and 2100: perhaps a column's name.
    Year,
    Date,
    Boolean,
}

impl CellLook {
    /// Whether the cell holds a value that a header would not.
    pub(in crate::format) fn is_value(self) -> bool {
        !matches!(self, CellLook::Text | CellLook::Empty)
    }

    /// Years are numbers.
    pub(super) fn kind(self) -> CellLook {
        if self == CellLook::Year { CellLook::Number } else { self }
    }
}

/// The kind of a cell. Words for "nothing here" are as good as an empty cell.
pub(in crate::format) fn look(cell: &[u8]) -> CellLook {
    let cell = cell.trim_ascii();
    match cell {
        []
        | b"-"
        | b"--"
        | b"?"
        | b"NA"
        | b"N/A"
        | b"n/a"
        | b"NaN"
        | b"nan"
        | b"NULL"
        | b"null"
        | b"None"
        | b"\\N"
        | b"#N/A" => CellLook::Empty,
        b"true" | b"false" | b"True" | b"False" | b"TRUE" | b"FALSE" => CellLook::Boolean,
        [b'1', b'9', a, b] | [b'2', b'0', a, b] if a.is_ascii_digit() && b.is_ascii_digit() => {
            CellLook::Year
        }
        _ if cell.len() > 40 => CellLook::Text,
        [first, ..] if first.is_ascii_alphabetic() && !is_named_date(cell) => CellLook::Text,
        _ if is_number(cell) => CellLook::Number,
        _ if is_dateish(cell) || is_named_date(cell) => CellLook::Date,
        _ => CellLook::Text,
    }
}

/// A number as people write it: `-1.5e3`, `1.234,50`, `1'234`, `007`, `+3`, `$5`, `12 %`, `(5.00)`.
fn is_number(cell: &[u8]) -> bool {
    if number_shape(cell).is_some() {
        return true;
    }
    let inner = cell.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")).unwrap_or(cell);
    let text = std::str::from_utf8(inner).unwrap_or_default();
    let text = text.trim_start_matches(['$', '€', '£', '¥', '+', '-', '−', '<', '>']);
    let text = text.trim_end_matches(['%', '€', '$', '£', '°', '-']).trim();
    let bytes = text.as_bytes();
    let is_mark = |byte: u8| matches!(byte, b'.' | b',' | b'\'');
    let Some((first, rest)) = bytes.split_first() else { return false };
    let is_fraction = is_mark(*first) && rest.first().is_some_and(u8::is_ascii_digit);
    if !is_fraction && !first.is_ascii_digit() {
        return false;
    }
    // Dots more than twice with groups of other lengths are addresses and versions.
    let groups = bytes.split(|byte| matches!(byte, b'.' | b',' | b'\'' | b' '));
    let (mut count, mut uneven) = (0, 0);
    for (index, group) in groups.enumerate() {
        count += 1;
        uneven += usize::from(index > 0 && group.len() != 3);
        let exponent = group.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (digits, power) = match exponent {
            Some(at) if at > 0 => (&group[..at], &group[at + 1..]),
            _ => (group, &group[..0]),
        };
        let power = power.strip_prefix(b"-").or(power.strip_prefix(b"+")).unwrap_or(power);
        if !digits.iter().chain(power).all(u8::is_ascii_digit) {
            return false;
        }
        if index > 0 && group.is_empty() && bytes.last() != Some(&b'.') {
            return false;
        }
    }
    // One group may be of any length: that behind the decimal mark.
    count <= 2 && !bytes.contains(&b' ') || uneven <= 1 && !rest.is_empty()
}

/// A day, a clock time or both, and perhaps a zone: digits and marks, a T, a Z, am or pm.
fn is_dateish(cell: &[u8]) -> bool {
    if !cell.first().is_some_and(u8::is_ascii_digit) || cell.len() > 35 {
        return false;
    }
    let lower = cell.to_ascii_lowercase();
    let body = [&b"utc"[..], b"gmt", b"z", b"am", b"pm", b"a.m.", b"p.m."]
        .iter()
        .find_map(|end| lower.strip_suffix(*end))
        .unwrap_or(&lower);
    let (mut days, mut clocks, mut zones) = (0, 0, 0);
    for token in body.split(|byte| matches!(byte, b' ' | b't')).filter(|token| !token.is_empty()) {
        let token = token.strip_suffix(b",").unwrap_or(token);
        let zone = token.strip_prefix(b"+").or(token.strip_prefix(b"-"));
        let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b':';
        match token {
            _ if zone.is_some_and(|zone| zone.len() >= 2 && zone.iter().all(is_digit)) => {
                zones += 1
            }
            _ if is_clock(token) => clocks += 1,
            _ if is_day(token) => days += 1,
            _ => return false,
        }
    }
    days + clocks > 0 && days <= 1 && clocks <= 1 && zones <= 1
}

/// `2026-01-31`, `1/2/26`, `31.12.2026`: three groups of digits with one mark.
fn is_day(token: &[u8]) -> bool {
    [b'-', b'/', b'.'].into_iter().any(|mark| {
        let groups: Vec<&[u8]> = token.split(|byte| *byte == mark).collect();
        groups.len() == 3
            && groups.iter().all(|group| {
                matches!(group.len(), 1 | 2 | 4) && group.iter().all(u8::is_ascii_digit)
            })
            && token.len() >= 6
    })
}

/// `9:05`, `10:00:01.5+02:00`: colons, each before two digits.
fn is_clock(text: &[u8]) -> bool {
    let is_digit = |index: usize| text.get(index).is_some_and(u8::is_ascii_digit);
    let allowed =
        |byte: &u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'+' | b'-' | b',');
    memchr::memchr(b':', text).is_some_and(|first| first <= 2)
        && text.iter().all(allowed)
        && memchr::memchr_iter(b':', text)
            .all(|at| at > 0 && is_digit(at - 1) && is_digit(at + 1) && is_digit(at + 2))
}

const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// `1-Mar-2026`, `12 January 2020`, `Mar 3, 2024`: one word, a month, among digits.
fn is_named_date(cell: &[u8]) -> bool {
    if cell.len() < 5 || cell.len() > 30 || !cell.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let mut words = cell.split(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let Some(word) = words.next() else { return false };
    let lower = word.to_ascii_lowercase();
    word.len() >= 3
        && word.len() <= 9
        && words.all(|word| word.len() <= 3)
        && MONTHS.iter().any(|month| lower.starts_with(month))
        && cell.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b' ' | b',' | b'/' | b'.' | b':')
        })
}

/// How much a cell speaks for the cut that made it, from 0 to 1.
pub(super) fn weight(look: CellLook, cell: &[u8], quoted: bool) -> f32 {
    match look {
        CellLook::Number | CellLook::Year | CellLook::Date | CellLook::Boolean => 1.0,
        CellLook::Empty => 0.6,
        CellLook::Text if quoted => 0.75,
        CellLook::Text => text_weight(cell),
    }
}

/// Text that holds other delimiters or quotes speaks against the cut; a comma before a blank is
/// mere prose.
fn text_weight(cell: &[u8]) -> f32 {
    let cell = &cell[..cell.len().min(400)];
    let mut worst: f32 = 0.7;
    for (at, byte) in cell.iter().enumerate() {
        let before_blank = matches!(cell.get(at + 1), Some(b' ') | None);
        match byte {
            b'\t' | b'|' | 0x01..=0x08 | 0x1c..=0x1f => return 0.1,
            b'"' => worst = worst.min(0.3),
            b',' | b';' if before_blank => worst = worst.min(0.5),
            b',' | b';' => worst = worst.min(0.2),
            _ => {}
        }
    }
    // A pair around the whole cell is a pair of quotes that the dialect does not know.
    match cell {
        [b'\'', .., b'\''] => worst.min(0.3),
        [b'"', .., b'"'] => worst.min(0.15),
        // One without its partner may be half of a cell.
        [b'\'', ..] | [.., b'\''] => worst.min(0.35),
        // An opening bracket that another cell closes: a list was cut.
        [b'[' | b'{', ..] if !matches!(cell.last(), Some(b']' | b'}')) => worst.min(0.2),
        [.., b']' | b'}'] if !cell.iter().any(|byte| matches!(byte, b'[' | b'{')) => worst.min(0.2),
        _ => worst,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (kind, cells) in [
            (
                CellLook::Number,
                &["1", "-1.5", "1.234,50", "1'234.50", "007", "$5", "12 %", "(5.00)", "1 234,5"][..],
            ),
            (CellLook::Number, &["+3", "1e-5", ".5", "12.345.678", "0,04", "€ 12,50", "1.", "5-"]),
            (
                CellLook::Date,
                &["2026-01-01", "10:00:01", "9:05", "1/2/2026", "1-Mar-2026", "Mar 3, 2024"],
            ),
            (CellLook::Date, &["2026-01-01T10:00:00Z", "15.02.2026 12:30", "2026-01-01 10:00 PM"]),
            (CellLook::Year, &["1999", "2024"]),
            (CellLook::Text, &["abc", "10.0.0.1", "1,2;3", "a1", "12 Main St", "1 2 3", "5;2"]),
            (CellLook::Text, &["2026-01-01 10", "May", "1.2.3-beta", "+", "(", "March"]),
            (CellLook::Empty, &["", " ", "NA", "-", "NULL"]),
        ] {
            for cell in cells {
                assert_eq!(look(cell.as_bytes()), kind, "{cell}");
            }
        }
    }
}
