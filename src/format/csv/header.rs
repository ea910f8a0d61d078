//! Which rows are the header: none, one or several.
//!
//! A first row of the same kinds as the rows below it is data; otherwise it is a header, which is
//! what most files have. Several rows are a header only where that is plain: a row of units or of
//! kinds of measurement below the names, or a row of groups with empty cells above them, and
//! values below.

use super::lines::{Column, Line, columns};
use super::look::CellLook;
use crate::options::Header;

/// Rows that settle whether the first is one of them.
const JUDGED: usize = 50;

/// Below the names in logger and instrument files.
const UNITS: &[&str] = &[
    "s", "sec", "ms", "us", "ns", "min", "h", "hr", "hour", "hours", "d", "day", "days", "m", "km",
    "cm", "mm", "um", "µm", "nm", "ft", "in", "kg", "g", "mg", "ug", "µg", "t", "lb", "c", "degc",
    "deg c", "°c", "f", "°f", "k", "v", "mv", "uv", "kv", "a", "ma", "ua", "w", "kw", "mw", "kwh",
    "mwh", "wh", "hz", "khz", "mhz", "ghz", "pa", "hpa", "kpa", "mpa", "bar", "mbar", "psi", "%",
    "ppm", "ppb", "m/s", "km/h", "mph", "m/s2", "m/s²", "l", "ml", "m3", "m³", "l/min", "l/s",
    "mol", "rad", "deg", "°", "degrees", "n", "nm", "j", "kj", "usd", "eur", "chf", "gbp", "€",
    "$", "-", "ts", "rn", "smp", "avg", "tot", "max", "min", "std", "wvc", "w/m2", "w/m²", "w/m^2",
    "rpm", "db", "dbm", "lux", "lx", "ph", "ms/cm", "us/cm", "µs/cm", "ntu", "mg/l", "µg/m³",
    "ug/m3", "µg/m3", "kn", "knots", "none", "text", "string", "int", "float", "date", "time",
    "counts", "count", "pcs", "stk", "gal", "mi", "ha", "km2", "km²", "m2", "m²", "count/s",
];

/// The header rows at the start of these lines, which begin where the table does. `width` is the
/// table's.
pub(in crate::format) fn find(lines: &[Line], width: usize) -> Header {
    let Some((first, rest)) = lines.split_first() else { return Header::Rows(vec![0]) };
    let rows = several(lines, width);
    if rows > 1 {
        return Header::Rows((0..rows as u64).collect());
    }
    if is_header(first, rest, width) { Header::Rows(vec![0]) } else { Header::None }
}

/// How many rows make up the header where that is more than one; otherwise 1.
fn several(lines: &[Line], width: usize) -> usize {
    let Some(first) = lines.first() else { return 1 };
    let rows = &lines[..lines.len().min(4)];
    let words = rows.iter().enumerate().take_while(|(i, l)| l.is_words() && (*i == 0 || !l.gap));
    let words = words.count();
    if words < 2 || lines.len() <= words || width < 2 {
        return 1;
    }
    let names_first = first.filled >= width.min(first.width) && first.filled * 5 >= width * 4;
    let mut rows = 1;
    // Groups above the names: some columns have none, or a name stands over several.
    let second = &lines[1];
    let is_group = first.filled < first.width.max(second.width)
        && second.filled >= width.max(2)
        && first.cells.len() >= width.min(second.cells.len())
        && (first.filled > 1 || first.text(0).is_empty())
        && first.filled < second.filled;
    if is_group {
        rows = 2;
    } else if !names_first {
        return 1;
    }
    while rows < words && are_units(&lines[rows], width) {
        rows += 1;
    }
    if rows == 1 {
        return 1;
    }
    let below = columns(lines[rows..].iter(), width);
    let typed = below.iter().filter(|column| column.typed).count();
    if typed > 0 && typed * 2 >= width.min(first.width.max(second.width)) { rows } else { 1 }
}

/// Whether most filled cells are units, and there is more than one or nothing else.
pub(in crate::format) fn are_units(line: &Line, width: usize) -> bool {
    let filled = || line.cells.iter().filter(|(_, text)| !text.is_empty());
    let units = filled().filter(|(_, text)| is_unit(text)).count();
    line.width <= width && units > 0 && units * 3 >= filled().count() * 2
}

fn is_unit(text: &[u8]) -> bool {
    let bracketed = matches!(text, [b'[', .., b']'] | [b'(', .., b')']);
    let lower = String::from_utf8_lossy(text).to_lowercase();
    let is_pattern = !lower.is_empty()
        && lower.split(|c: char| !c.is_alphabetic()).all(|part| {
            matches!(part, "" | "yyyy" | "yy" | "mm" | "dd" | "hh" | "ss" | "jjjj" | "tt" | "utc")
        })
        && lower.contains(['y', 'h', 'd', 'j'])
        && lower.contains([':', '-', '/', '.']);
    bracketed || is_pattern || UNITS.contains(&lower.as_str())
}

/// Whether the first row names columns rather than being one of the rows below.
fn is_header(first: &Line, rest: &[Line], width: usize) -> bool {
    if rest.is_empty() {
        // One row alone: a header without data, unless it holds values.
        return !first.cells.iter().any(|(look, _)| look.is_value());
    }
    let values: Vec<usize> =
        (0..first.width).filter(|column| first.look(*column).is_value()).collect();
    if values.is_empty() {
        // Names stand over the columns of values; only an index often has none.
        let below = columns(rest.iter(), width.max(first.width));
        let typed = || (1..below.len()).filter(|column| below[*column].typed);
        let names_first = first.filled > 1 && below[0].typed && first.look(0) == CellLook::Text;
        if !names_first
            && typed().next().is_some()
            && typed().all(|column| first.look(column) == CellLook::Empty)
        {
            let is_named = (0..first.width).all(|column| first.look(column) == CellLook::Text);
            return is_named && first.width > 1 && first.width < width;
        }
        return !is_like_below(first, rest);
    }
    let below = columns(rest.iter(), first.width);
    let is_named = |column: &usize| first.look(*column) == CellLook::Text && below[*column].typed;
    let named = (0..first.width).filter(is_named).count();
    // Numbers in a row are names if there are others: `hour,0,1,2,3` or `country,2019,2020`.
    if first.cells.iter().all(|(look, _)| !look.is_value() || *look == CellLook::Year) {
        let as_below = values.iter().all(|column| {
            let is_year = |line: &Line| {
                matches!(
                    line.cells.get(*column),
                    Some((CellLook::Year | CellLook::Empty, _)) | None
                )
            };
            rest.iter().all(is_year)
        });
        if !as_below || named > 0 {
            return true;
        }
    }
    if values.len() >= 3 && values.len() + 1 >= first.filled && !first.look(0).is_value() {
        let number = |column: &usize| std::str::from_utf8(first.text(*column)).ok()?.parse().ok();
        let numbers: Vec<Option<i64>> = values.iter().map(number).collect();
        let is_next = |pair: &[Option<i64>]| matches!(pair, [Some(a), Some(b)] if a.checked_add(1) == Some(*b));
        if numbers.windows(2).all(is_next) {
            return true;
        }
    }
    // Every value of the first row stands over values of its own kind; a word among many is a slip.
    let fits = |column: &usize| {
        let kind = first.look(*column);
        let below = rest.iter().map(|line| line.look(*column));
        let filled = below.filter(|below| *below != CellLook::Empty).take(JUDGED);
        let (all, others) = filled
            .fold((0, 0), |(all, others), below| (all + 1, others + usize::from(below != kind)));
        others * 2 <= all
    };
    !values.iter().all(fits)
}

/// Whether a row of text is one of many: its codes are written as those below, or its texts come
/// up again below. Only if no column below holds values, since then a text above is a name.
fn is_like_below(first: &Line, rest: &[Line]) -> bool {
    let below: Vec<Column> = columns(rest.iter(), first.width);
    if below.iter().any(|column| column.typed) {
        return false;
    }
    // Lines of logs begin alike: with times, addresses, numbers.
    let start = first_marks(first.text(0));
    let is_log = start.iter().filter(|byte| **byte == b'9').count() >= 3
        && rest.len() > 1
        && rest.iter().all(|line| first_marks(line.text(0)) == start);
    if is_log || rest.len() < 3 {
        return is_log;
    }
    let same = |line: &Line| (0..first.width).all(|c| line.text(c) == first.text(c));
    if rest.iter().any(same) {
        // A header that is repeated is still one.
        return false;
    }
    let coded = (0..first.width).any(|column| {
        let code = pattern(first.text(column));
        code.contains(&b'9') && rest.iter().all(|line| pattern(line.text(column)) == code)
    });
    let again = |column: usize| {
        let text = first.text(column);
        !text.is_empty() && rest.iter().filter(|line| line.text(column) == text).count() >= 2
    };
    coded || (0..first.width).any(again)
}

/// How a text begins: runs of digits as one `9`, runs of letters as one `a`, up to the third run of
/// digits.
fn first_marks(text: &[u8]) -> Vec<u8> {
    let mut marks = pattern(text);
    marks.dedup_by(|next, last| next == last && matches!(*next, b'9' | b'a'));
    let third = memchr::memchr_iter(b'9', &marks).nth(2);
    marks.truncate(third.map_or(marks.len(), |at| at + 1));
    marks
}

/// The text with every digit as `9` and every letter as `a`.
fn pattern(text: &[u8]) -> Vec<u8> {
    let class = |byte: &u8| match byte {
        b'0'..=b'9' => b'9',
        byte if byte.is_ascii_alphabetic() => b'a',
        byte => *byte,
    };
    text.iter().map(class).collect()
}
