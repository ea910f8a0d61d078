//! Finding the dialect: the one whose table is the most uniform and the most typed.
//!
//! Takes a text and what is settled already; gives the delimiter, the quote, the escape and whether
//! blanks follow delimiters. Each delimiter that occurs often enough is tried with each quote that
//! occurs; `score.rs` says how good the table is, over samples from several places (`sample.rs`).
//!
//! Commas, semicolons, tabs and bars are believed if their table beats a text in one column. Blanks
//! and colons, which stand in ordinary text and times, and all other characters must earn it: the
//! first row has to be cut as well, and values or a header over values have to come out.

use super::candidates::{Trust, candidates, is_plain};
use super::dialect::{CsvDialect, Delimiter};
use super::look::{CellLook, look};
use super::records::{Record, RecordReader};
use super::sample::{self, Piece};
use super::score::Shape;
use crate::detect::extension;

/// Lines looked at to see which characters may be delimiters at all.
pub(super) const LINES: usize = 120;
/// What a text in one column scores: prose must not be beaten by its commas too easily.
const ONE_TEXT_COLUMN: f64 = 0.1;
/// And a column of numbers or dates, whatever marks are in them.
const ONE_VALUE_COLUMN: f64 = 0.9;
/// Cells looked at to see whether blanks follow delimiters.
const SPACED_ROWS: usize = 200;

/// What the caller's options have settled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settled {
    pub delimiter: bool,
    pub quote: bool,
    pub escape: bool,
    pub spaces: bool,
}

/// Completes `base` by the most plausible dialect of the text. Lines that begin with `mark` are
/// taken for comments.
pub(super) fn sniff(
    text: &[u8],
    name: &str,
    base: &CsvDialect,
    settled: Settled,
    mark: Option<&[u8]>,
) -> CsvDialect {
    let pieces = sample::pieces(text);
    let named = match extension(name).as_str() {
        "tsv" | "tab" => Some(b'\t'),
        "psv" => Some(b'|'),
        _ => None,
    };
    let mut best: Option<(f64, CsvDialect)> = None;
    for (delimiter, trust) in candidates(&pieces, base, settled, mark) {
        let is_named = matches!(&delimiter, Delimiter::Bytes(b) if b.first() == named.as_ref());
        let bonus = if is_named { 1.5 } else { 1.0 };
        let mut does_badly = false;
        for mut dialect in variants(&pieces, &delimiter, base, settled) {
            // Quotes as text are worth a look only where quotes as quotes do badly.
            if dialect.quote.is_none() && !settled.quote && !does_badly {
                continue;
            }
            let shape = Shape::of(&pieces, &dialect, mark);
            // Single quotes must earn their place: they are apostrophes too.
            let is_apostrophe = dialect.quote == Some(b'\'') && !shape.needs_quotes();
            if is_apostrophe && !settled.quote {
                continue;
            }
            does_badly |= shape.oddities > 1 && shape.oddities * 20 > shape.rows;
            let quote_trust = match dialect.quote {
                _ if settled.quote => 1.0,
                Some(b'\'') if shape.quoted == 0 || shape.oddities * 4 > shape.quoted => 0.5,
                None => 0.9,
                _ => 1.0,
            };
            let score = earned(&shape, &pieces, &delimiter, trust) * quote_trust * bonus;
            if best.as_ref().is_none_or(|(top, _)| score > *top + 1e-9) {
                dialect.escape_everywhere &= dialect.escape.is_some();
                best = Some((score, dialect));
            }
        }
    }
    let mut found = match best {
        Some((_, dialect)) if settled.delimiter => dialect,
        Some((score, dialect)) if score > one_column(&pieces, mark) => dialect,
        _ => {
            let delimiter = Delimiter::Bytes(vec![named.unwrap_or_else(|| absent(&pieces))]);
            let mut variants = variants(&pieces, &delimiter, base, settled);
            let wraps_all = |dialect: &CsvDialect| {
                dialect.quote.is_some() && Shape::of(&pieces, dialect, mark).quotes_all()
            };
            variants.retain(|dialect| {
                settled.quote || dialect.quote == Some(b'"') || wraps_all(dialect)
            });
            let fewest = |dialect: &CsvDialect| Shape::of(&pieces, dialect, mark).oddities;
            let last = variants.iter().rposition(|dialect| wraps_all(dialect) && !settled.quote);
            if let Some(last) = last.filter(|last| variants[*last].quote == Some(b'\'')) {
                variants.drain(..last);
            }
            let alone = variants.into_iter().min_by_key(fewest);
            alone.unwrap_or_else(|| CsvDialect { delimiter, ..base.clone() })
        }
    };
    if !settled.spaces && !found.skip_initial_space {
        found.skip_initial_space = blanks_follow(&pieces, &found, mark);
    }
    found
}

/// The quotes and escapes to try with a delimiter.
fn variants(
    pieces: &[Piece<'_>],
    delimiter: &Delimiter,
    base: &CsvDialect,
    settled: Settled,
) -> Vec<CsvDialect> {
    let Delimiter::Bytes(mark) = delimiter else {
        return vec![CsvDialect { delimiter: delimiter.clone(), ..base.clone() }];
    };
    let holds = |what: &[u8]| pieces.iter().any(|p| memchr::memmem::find(p.text, what).is_some());
    let opens = |quote: u8| {
        if !holds(&[quote]) {
            return (false, false, false);
        }
        let tight = [&mark[..], &[quote]].concat();
        let spaced = [&mark[..], &[b' ', quote]].concat();
        let at_start = |p: &Piece<'_>| sample::lines(p.text).any(|l| l.first() == Some(&quote));
        (
            holds(&tight) || pieces.iter().any(at_start),
            holds(&spaced) && mark != b" ",
            holds(&tight),
        )
    };
    let quotes = match (settled.quote, opens(b'\'').0 || opens(b'\'').1) {
        (true, _) => vec![base.quote],
        (false, false) => vec![Some(b'"'), None],
        (false, true) => vec![Some(b'"'), Some(b'\''), None],
    };
    let mut found = Vec::new();
    for quote in quotes {
        let mut dialect = CsvDialect { delimiter: delimiter.clone(), quote, ..base.clone() };
        if !settled.spaces
            && let Some(quote) = quote
        {
            let (_, spaced, tight) = opens(quote);
            dialect.skip_initial_space = spaced && !tight;
        }
        found.push(dialect.clone());
        // `\"` with the quotes doubled, or not.
        if let Some(quote) = quote
            && !settled.escape
            && holds(&[b'\\', quote])
        {
            found.push(CsvDialect { escape: Some(b'\\'), doubled: false, ..dialect });
        }
    }
    found
}

/// The score, less what a delimiter of that sort has not shown.
fn earned(shape: &Shape, pieces: &[Piece<'_>], delimiter: &Delimiter, trust: Trust) -> f64 {
    let score = shape.score();
    let shows_values = shape.values >= 0.5 || shape.has_header && shape.values > 0.0;
    match trust {
        Trust::Given => 1.0 + score,
        Trust::Usual if shape.rows == 1 && is_sentence(pieces, delimiter) => 0.0,
        Trust::Usual if shape.is_prose() => score * 0.2,
        Trust::Usual => score,
        Trust::Weak => {
            // Words alone are prose, unless there are always as many of them.
            let worth = match shows_values {
                true => 0.9,
                false if shape.uniform > 0.99 && shape.width >= 3 && shape.rows >= 5 => 0.3,
                false if matches!(delimiter, Delimiter::Bytes(b) if b == b":") => 0.35,
                false => 0.0,
            };
            if shape.rows == 1 && shape.values < 1.0 {
                return 0.0;
            }
            score * worth * if shape.first_fits || shape.has_header { 1.0 } else { 0.3 }
        }
        Trust::Odd => {
            let is_plain = matches!(delimiter, Delimiter::Bytes(b) if is_plain(b));
            let enough = shows_values || !is_plain || shape.width >= 3 && shape.rows >= 4;
            // A title above is no reason against what the rows below it show.
            let is_below = !is_plain && shape.above <= 5 && shape.rows >= shape.above + 3;
            let fits = (shape.first_fits || is_below) && shape.uniform > 0.94 && shape.filled > 1;
            if fits && enough && shape.rows > 1 { score * 0.7 } else { 0.0 }
        }
    }
}

/// Whether a single line is a sentence: `Hello, world`.
fn is_sentence(pieces: &[Piece<'_>], delimiter: &Delimiter) -> bool {
    let Some(line) = pieces.first().and_then(|piece| sample::lines(piece.text).next()) else {
        return false;
    };
    let Delimiter::Bytes(mark) = delimiter else { return false };
    let cells: Vec<&[u8]> = match mark.as_slice() {
        [byte] => line.split(|b| b == byte).collect(),
        _ => return false,
    };
    let words = |cell: &&[u8]| cell.split(|b| *b == b' ').filter(|word| !word.is_empty()).count();
    let spaced = cells.iter().skip(1).all(|cell| matches!(cell, [b' ', ..] | []));
    let is_text = cells.iter().all(|cell| !look(cell).is_value());
    is_text && spaced && (cells.len() == 2 || cells.iter().any(|cell| words(cell) > 2))
}

/// What the text scores as a single column.
fn one_column(pieces: &[Piece<'_>], mark: Option<&[u8]>) -> f64 {
    let lines = pieces.iter().flat_map(|piece| sample::lines(piece.text).take(LINES));
    let mut lines = lines.filter(|line| mark.is_none_or(|mark| !line.starts_with(mark))).peekable();
    let first = lines.peek().copied().unwrap_or_default();
    // Below a title of several words the numbers need more than one comma each to be numbers.
    let is_title = first.contains(&b' ') && look(first) == CellLook::Text;
    let (mut count, mut values, mut unsure) = (0usize, 0usize, 0usize);
    for line in lines {
        // Commas and blanks make a number of what might be several, if the first line has them too.
        let shared = |byte: &u8| matches!(byte, b',' | b' ' | b'\'') && first.contains(byte);
        let is_value = match look(line) {
            CellLook::Text | CellLook::Empty => false,
            CellLook::Date => !line.contains(&b',') || !first.contains(&b','),
            _ => !line.trim_ascii().iter().any(shared),
        };
        // A tab cuts a line even where one of the cells is empty.
        let is_value = is_value && !line.contains(&b'\t');
        unsure += usize::from(is_value && may_be_two(line));
        count += 1;
        values += usize::from(is_value);
    }
    // The first line may be a header.
    if is_title && unsure > 0 && unsure == values {
        return ONE_TEXT_COLUMN;
    }
    let is_column = values > 0 && values * 10 >= count.saturating_sub(1) * 8;
    if is_column { ONE_VALUE_COLUMN } else { ONE_TEXT_COLUMN }
}

/// Whether a text of one column holds numbers with one comma each, which may also be two columns.
pub(super) fn may_be_two_columns(pieces: &[Piece<'_>], found: &CsvDialect) -> bool {
    let Delimiter::Bytes(mark) = &found.delimiter else { return false };
    let is_cut = pieces.iter().any(|piece| memchr::memmem::find(piece.text, mark).is_some());
    let mut lines = pieces.iter().flat_map(|piece| sample::lines(piece.text).take(LINES)).skip(1);
    let one_comma = |line: &[u8]| {
        memchr::memchr_iter(b',', line).count() == 1 && look(line) == CellLook::Number
    };
    let Some(second) = lines.next().filter(|_| !is_cut) else { return false };
    one_comma(second) && lines.all(one_comma)
}

/// Whether a number is as good as two: one digit behind its only comma.
fn may_be_two(line: &[u8]) -> bool {
    let mut parts = line.split(|byte| *byte == b',');
    let (_, second) = (parts.next(), parts.next());
    let digits = second.map(|part| part.trim_ascii()).unwrap_or_default();
    digits.len() == 1 && parts.next().is_none()
}

/// A delimiter for a text of one column: the first usual one that cuts nothing.
fn absent(pieces: &[Piece<'_>]) -> u8 {
    let is_absent = |byte: &u8| pieces.iter().all(|p| memchr::memchr(*byte, p.text).is_none());
    [b',', b'\t', b';', b'|', 0x1f, 0x1e].into_iter().find(is_absent).unwrap_or(0x1f)
}

/// Whether nearly all cells but the first of each row begin with a blank: `a, b, c`.
fn blanks_follow(pieces: &[Piece<'_>], dialect: &CsvDialect, mark: Option<&[u8]>) -> bool {
    if !matches!(&dialect.delimiter, Delimiter::Bytes(bytes) if bytes != b" ") {
        return false;
    }
    let (mut cells, mut spaced) = (0usize, 0usize);
    let mut record = Record::default();
    for piece in pieces {
        let mut reader = RecordReader::new(piece.text, dialect);
        for _ in 0..SPACED_ROWS {
            if !reader.read(&mut record) {
                break;
            }
            if mark.is_some_and(|mark| piece.text[record.offset..].starts_with(mark)) {
                continue;
            }
            for (cell, quoted) in record.cells(piece.text).skip(1) {
                if !cell.is_empty() {
                    cells += 1;
                    spaced += usize::from(!quoted && cell[0] == b' ');
                }
            }
        }
    }
    spaced > 0 && spaced * 20 >= cells * 19
}
