//! Finding the dialect: the one whose table is the most uniform and the most typed.

use super::dialect::{CsvDialect, Delimiter};
use super::records::{Record, RecordReader};
use crate::detect::extension;
use crate::infer::number_shape;

/// So much of the text is looked at, in whole lines.
const SAMPLE: usize = 256 << 10;
const SAMPLE_ROWS: usize = 1000;

/// Delimiters in the order of preference among equals, and how much they are trusted: blanks and
/// colons stand in ordinary text and times.
const DELIMITERS: &[(u8, f64)] =
    &[(b',', 1.0), (b';', 1.0), (b'\t', 1.0), (b'|', 1.0), (b':', 0.4), (b' ', 0.3)];

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sniffed {
    pub delimiter: u8,
    pub quote: Option<u8>,
    /// Lines above the table.
    pub preamble: u64,
}

/// The most plausible dialect for the start of the text; `base` holds what is settled already.
pub(super) fn sniff(text: &[u8], name: &str, base: &CsvDialect, quote_given: bool) -> Sniffed {
    let sample = sample(text);
    let quotes: Vec<Option<u8>> = if quote_given {
        vec![base.quote]
    } else {
        let mut quotes = vec![Some(b'"')];
        if memchr::memchr(b'\'', sample).is_some() {
            quotes.push(Some(b'\''));
        }
        quotes
    };
    let named = match extension(name).as_str() {
        "tsv" | "tab" => Some(b'\t'),
        "psv" => Some(b'|'),
        _ => None,
    };
    let mut best: Option<(f64, Sniffed)> = None;
    for (delimiter, trust) in DELIMITERS {
        if memchr::memchr(*delimiter, sample).is_none() {
            continue;
        }
        for quote in &quotes {
            let dialect = CsvDialect {
                delimiter: Delimiter::Bytes(vec![*delimiter]),
                quote: *quote,
                ..base.clone()
            };
            let shape = Shape::of(sample, &dialect);
            let bonus = if named == Some(*delimiter) { 1.5 } else { 1.0 };
            // Single quotes must earn their place: they are apostrophes too.
            let quote_trust = match quote {
                Some(b'\'') if shape.quoted == 0 => 0.5,
                _ => 1.0,
            };
            // Blanks and colons must also cut out values: words alone are prose.
            let earned = if *trust < 1.0 { shape.values } else { 1.0 };
            let score = shape.score() * trust * bonus * quote_trust * earned;
            if best.is_none_or(|(top, _)| score > top) {
                let preamble = shape.preamble;
                best = Some((score, Sniffed { delimiter: *delimiter, quote: *quote, preamble }));
            }
        }
    }
    let quote = if quote_given { base.quote } else { Some(b'"') };
    let column = CsvDialect { delimiter: Delimiter::Bytes(vec![b',']), quote, ..base.clone() };
    let alone = Sniffed { delimiter: named.unwrap_or_else(|| absent(text)), quote, preamble: 0 };
    // A text in one column has to be beaten: prose has commas too.
    let one_column = 0.12 * Shape::of_lines(sample, &column);
    best.filter(|(score, _)| *score > one_column).map_or(alone, |(_, sniffed)| sniffed)
}

/// A delimiter for a text of one column: the first usual one that cuts nothing.
fn absent(text: &[u8]) -> u8 {
    let usual = [b',', b'\t', b';', b'|', 0x1f, 0x1e];
    usual.into_iter().find(|byte| memchr::memchr(*byte, text).is_none()).unwrap_or(b',')
}

/// The head of the text, cut behind its last whole line.
fn sample(text: &[u8]) -> &[u8] {
    if text.len() <= SAMPLE {
        return text;
    }
    let head = &text[..SAMPLE];
    &head[..memchr::memrchr2(b'\n', b'\r', head).map_or(SAMPLE, |end| end + 1)]
}

/// How a sample looks when it is cut by a dialect.
struct Shape {
    /// The share of rows with the usual number of cells.
    uniform: f64,
    /// The usual number of cells.
    width: usize,
    /// The share of cells that look like a value of some kind.
    typed: f64,
    /// The share of cells that hold a number, a date or a boolean.
    values: f64,
    quoted: usize,
    preamble: u64,
}

impl Shape {
    fn of(sample: &[u8], dialect: &CsvDialect) -> Shape {
        let mut reader = RecordReader::new(sample, dialect);
        let (mut record, mut widths) = (Record::default(), Vec::new());
        let (mut cells, mut typed, mut values, mut quoted) = (0usize, 0.0, 0usize, 0usize);
        let mut line_starts = Vec::new();
        while widths.len() < SAMPLE_ROWS && reader.read(&mut record) {
            widths.push(record.len());
            line_starts.push(record.offset);
            for (cell, is_quoted) in record.cells(sample) {
                cells += 1;
                quoted += usize::from(is_quoted);
                let look = look(cell);
                typed += if is_quoted { 1.0 } else { look.score(cell) };
                values += usize::from(look.is_value());
            }
            // Stray and unclosed quotes speak against the quote.
            typed -= record.oddities.len() as f64;
        }
        let width = usual(&widths);
        let preamble_rows = preamble(&widths, width);
        let body = &widths[preamble_rows..];
        let fitting = body.iter().filter(|w| **w == width).count();
        let preamble = match preamble_rows {
            0 => 0,
            rows => memchr::memchr_iter(b'\n', &sample[..line_starts[rows]]).count() as u64,
        };
        Shape {
            uniform: fitting as f64 / body.len().max(1) as f64,
            width,
            typed: (typed / cells.max(1) as f64).max(0.0),
            values: values as f64 / cells.max(1) as f64,
            quoted,
            preamble,
        }
    }

    /// How typed the text is as a single column.
    fn of_lines(sample: &[u8], dialect: &CsvDialect) -> f64 {
        let lines = sample.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|l| !l.is_empty());
        let (mut count, mut typed) = (0, 0.0);
        for line in lines.take(SAMPLE_ROWS) {
            count += 1;
            let is_quoted = line.first() == dialect.quote.as_ref() && line.len() > 1;
            typed += if is_quoted { 0.5 } else { look(line).score(line) };
        }
        typed / f64::from(count.max(1))
    }

    fn score(&self) -> f64 {
        if self.width < 2 {
            return 0.0;
        }
        let more_columns = (self.width as f64 - 1.0) / self.width as f64;
        self.uniform.powi(2) * (0.3 + 0.7 * self.typed) * more_columns.sqrt()
    }
}

/// The most frequent width above one, weighted towards what fills the sample.
fn usual(widths: &[usize]) -> usize {
    let mut sorted: Vec<usize> = widths.iter().copied().filter(|width| *width > 1).collect();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| run.len()).map_or(1, |run| run[0])
}

/// Leading rows of few cells above a table of many columns are titles and notes.
fn preamble(widths: &[usize], width: usize) -> usize {
    let leading = widths.iter().take_while(|w| **w * 2 <= width).count();
    let body = &widths[leading..];
    let fitting = body.iter().filter(|w| **w == width).count();
    let starts = body.first() == Some(&width);
    let fits =
        width > 1 && leading <= 20 && body.len() >= 2 && starts && fitting * 10 >= body.len() * 9;
    if fits { leading } else { 0 }
}

/// What a cell looks like at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellLook {
    Empty,
    Text,
    Number,
    /// A whole number between 1900 and 2100: perhaps a column's name.
    Year,
    Date,
    Boolean,
}

/// The kind of a cell.
pub(super) fn look(cell: &[u8]) -> CellLook {
    let cell = cell.trim_ascii();
    match cell {
        [] => CellLook::Empty,
        b"true" | b"false" | b"True" | b"False" | b"TRUE" | b"FALSE" => CellLook::Boolean,
        [b'1', b'9', a, b] | [b'2', b'0', a, b] if a.is_ascii_digit() && b.is_ascii_digit() => {
            CellLook::Year
        }
        [first, ..] if first.is_ascii_alphabetic() => CellLook::Text,
        _ if number_shape(cell).is_some() || european_number(cell) => CellLook::Number,
        _ if is_dateish(cell) => CellLook::Date,
        _ => CellLook::Text,
    }
}

/// Digits with one mark in between, as in `1.234,50`.
fn european_number(cell: &[u8]) -> bool {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    digits.first().is_some_and(u8::is_ascii_digit)
        && digits.last().is_some_and(u8::is_ascii_digit)
        && digits.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
}

/// Digits and the marks of dates and times, nothing else but a T, a Z.
fn is_dateish(cell: &[u8]) -> bool {
    cell.len() >= 8
        && cell.len() <= 35
        && cell[0].is_ascii_digit()
        && cell.iter().filter(|byte| byte.is_ascii_digit()).count() >= 6
        && cell.iter().all(|b| {
            b.is_ascii_digit() || matches!(b, b'-' | b'/' | b'.' | b':' | b' ' | b'T' | b'Z' | b'+')
        })
}

impl CellLook {
    /// Whether the cell holds a value that a header would not.
    pub(super) fn is_value(self) -> bool {
        !matches!(self, CellLook::Text | CellLook::Empty)
    }

    /// Years are numbers.
    pub(super) fn kind(self) -> CellLook {
        if self == CellLook::Year { CellLook::Number } else { self }
    }

    /// How much the cell speaks for the cut that made it. Text that holds other delimiters or quotes
    /// speaks against it.
    fn score(self, cell: &[u8]) -> f64 {
        match self {
            CellLook::Number | CellLook::Year | CellLook::Date | CellLook::Boolean => 1.0,
            CellLook::Empty => 0.6,
            CellLook::Text => {
                let odd = cell.iter().any(|byte| matches!(byte, b',' | b';' | b'\t' | b'|' | b'"'));
                if odd { 0.1 } else { 0.7 }
            }
        }
    }
}

/// Whether quoted cells stand behind a delimiter and a blank: `1, "x, y"`.
pub(super) fn spaces_before_quotes(text: &[u8], delimiter: &[u8], quote: u8) -> bool {
    let sample = sample(text);
    let spaced = [delimiter, &[b' ', quote]].concat();
    let tight = [delimiter, &[quote]].concat();
    memchr::memmem::find(sample, &spaced).is_some()
        && memchr::memmem::find(sample, &tight).is_none()
}

/// Whether quotes inside quoted cells are written `\"` rather than doubled.
pub(super) fn escapes_with_backslash(text: &[u8], quote: Option<u8>) -> bool {
    let Some(quote) = quote else { return false };
    let sample = sample(text);
    let inside = memchr::memchr_iter(b'\\', sample).any(|at| {
        // `"C:\"` ends a cell; `\"` before more text does not.
        sample.get(at + 1) == Some(&quote)
            && !matches!(
                sample.get(at + 2),
                None | Some(b',' | b';' | b'\t' | b'|' | b'\n' | b'\r')
            )
    });
    inside
        && memchr::memmem::find(sample, &[quote, quote, quote]).is_none()
        && !has_doubled(sample, quote)
}

/// A doubled quote with text on both sides.
fn has_doubled(sample: &[u8], quote: u8) -> bool {
    memchr::memmem::find_iter(sample, &[quote, quote]).any(|at| {
        let is_text = |byte: Option<&u8>| {
            byte.is_some_and(|b| !matches!(b, b',' | b';' | b'\t' | b'|' | b'\n' | b'\r'))
        };
        at > 0 && is_text(sample.get(at - 1)) && is_text(sample.get(at + 2))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (char, u64) {
        let sniffed = sniff(text.as_bytes(), "", &CsvDialect::default(), false);
        (char::from(sniffed.delimiter), sniffed.preamble)
    }

    #[test]
    fn delimiters() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", ','),
            ("a;b\n1,5;2,5\n3,1;4,0\n", ';'),
            ("a\tb\nx y\tz, w\n", '\t'),
            ("a|b|c\n1|2|3\n", '|'),
            ("time,v\n10:00:01,1\n10:00:02,2\n", ','),
            ("name\nJohn Smith\nJane Roe\n", ','),
            ("text\nwell, no\nyes\nperhaps, or not, who knows\n", '\t'),
        ] {
            assert_eq!(found(text).0, delimiter, "{text}");
        }
    }

    #[test]
    fn titles_above_the_table() {
        assert_eq!(found("Report 2026\n\na,b\n1,2\n3,4\n"), (',', 2));
    }

    #[test]
    fn single_quotes() {
        let text = b"a,b\n'x, y',1\n'z, w',2\n";
        assert_eq!(sniff(text, "", &CsvDialect::default(), false).quote, Some(b'\''));
        let text = b"a,b\nit's,1\nthat's,2\n";
        assert_eq!(sniff(text, "", &CsvDialect::default(), false).quote, Some(b'"'));
    }
}
