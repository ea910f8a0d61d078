//! Comment lines: found where some lines begin with a mark, do not fit the table, and no row of the
//! whole text holds the mark elsewhere.
//!
//! The last is strict on purpose: the `comment` option, as in pandas, also cuts off the rest of a
//! row behind the mark, and `#1`, `C#` or `#ff0000` must not be cut. Where the mark is ambiguous,
//! lines above the table are still left out as lines above a table (`structure.rs`).

use super::dialect::{CsvDialect, Delimiter};
use super::look::look;
use super::records::{Record, RecordReader};
use super::sample::{self, Piece};
use super::score::Shape;

/// What comment lines begin with, longer marks before those they begin with.
const MARKS: [&[u8]; 11] =
    [b"##", b"#", b"//", b"%", b"--", b"|--", b"|:-", b"+--", b"!", b";", b"*"];
/// A mark is only believed after a look at the whole text; a larger one is not walked for it.
const CHECKED: usize = 256 << 20;
/// Up to this size the text is cut into cells for it.
const EXACT: usize = 1 << 20;
const LINES: usize = 200;

/// The mark that begins some lines, but not most, of the samples.
pub(super) fn candidate(pieces: &[Piece<'_>]) -> Option<&'static [u8]> {
    let lines = || pieces.iter().flat_map(|piece| sample::lines(piece.text).take(LINES));
    let first = |line: &[u8]| line.first().copied().unwrap_or_default();
    if !lines().any(|line| MARKS.iter().any(|mark| mark[0] == first(line))) {
        return None;
    }
    let total = lines().count();
    let all: Vec<&[u8]> = lines().collect();
    let has_bar = |line: Option<&&[u8]>| line.is_some_and(|line| line.contains(&b'|'));
    // Rules are drawn below titles too, but those next to rows between bars belong to the table.
    let is_in_box = all.iter().enumerate().any(|(at, line)| {
        is_rule(line)
            && has_bar(all.get(at + 1))
            && has_bar(at.checked_sub(1).and_then(|at| all.get(at)))
    });
    let mut best: Option<(usize, &'static [u8])> = None;
    for mark in MARKS {
        let is_marked = |line: &&[u8]| {
            // A row of semicolons may begin with an empty cell.
            let is_row = mark == b";" && memchr::memchr(b';', &line[1..]).is_some();
            line.starts_with(mark) && (!is_rule(line) || is_in_box) && !is_row
        };
        let count = lines().filter(is_marked).count();
        let on_top = lines().take_while(is_marked).count();
        // Below everything else they are footnotes.
        let last = lines().fold((false, false), |(seen, before), line| match is_marked(&line) {
            true => (true, before),
            false => (seen, seen),
        });
        let is_word = !matches!(mark, b"*" | b"!" | b";");
        if !last.1 || !is_word && on_top == 0 {
            continue;
        }
        let is_minority = count * 2 <= total || (count == on_top && count < total);
        if count > 0 && is_minority && best.is_none_or(|(most, _)| count > most) {
            best = Some((count, mark));
        }
    }
    best.map(|(_, mark)| mark)
}

/// `-----` and the like are drawn below titles.
fn is_rule(line: &[u8]) -> bool {
    line.len() > 2 && line.iter().all(|byte| *byte == line[0])
}

/// Whether a line begins as comments do.
pub(super) fn is_marked(line: &[u8]) -> bool {
    MARKS.iter().any(|mark| line.starts_with(mark))
}

/// The mark, or a longer one, if its lines are comments beyond doubt, and how many they are.
pub(super) fn settle(
    text: &[u8],
    pieces: &[Piece<'_>],
    dialect: &CsvDialect,
    mark: &'static [u8],
) -> Option<(&'static [u8], u64)> {
    if is_comment(pieces, dialect, mark) {
        return Some((mark, count(text, dialect, mark)?));
    }
    // `##` above `#chrom`: the last one is the header.
    let longer = (mark == b"#" && memchr::memmem::find(text_of(pieces), b"\n##").is_some()
        || text.starts_with(b"##"))
    .then_some(&b"##"[..])?;
    let is_longer = mark != longer && is_comment(pieces, dialect, longer);
    if is_longer { Some((longer, count(text, dialect, longer)?)) } else { None }
}

fn text_of<'a>(pieces: &[Piece<'a>]) -> &'a [u8] {
    pieces.first().map(|piece| piece.text).unwrap_or_default()
}

/// Whether the marked lines of the samples are no rows and no header.
fn is_comment(pieces: &[Piece<'_>], dialect: &CsvDialect, mark: &[u8]) -> bool {
    if matches!(&dialect.delimiter, Delimiter::Bytes(bytes) if bytes.starts_with(mark)) {
        return false;
    }
    let shape = Shape::of(pieces, dialect, Some(mark));
    let (mut marked, mut fitting, mut spaced) = (0usize, 0usize, 0usize);
    let (mut values, mut plain) = (0usize, 0usize);
    let mut last_on_top: Option<bool> = None;
    let mut record = Record::default();
    for piece in pieces {
        let mut reader = RecordReader::new(piece.text, dialect);
        for _ in 0..LINES {
            if !reader.read(&mut record) {
                break;
            }
            let line = &piece.text[record.offset..];
            let mut cells = record.cells(piece.text).map(|(cell, _)| cell);
            if !line.starts_with(mark) {
                if let Some(cell) = cells.next() {
                    plain += 1;
                    values += usize::from(look(cell).is_value());
                }
                continue;
            }
            marked += 1;
            let is_spaced = line.get(mark.len()).is_none_or(|byte| !byte.is_ascii_alphanumeric());
            spaced += usize::from(is_spaced);
            let fits = shape.width >= 2 && record.len() == shape.width;
            fitting += usize::from(fits && !is_spaced);
            if plain == 0 {
                let is_words = cells.enumerate().all(|(index, cell)| {
                    let blank = index > 0 && cell.first() == Some(&b' ');
                    !look(cell).is_value() && (!blank || dialect.skip_initial_space)
                });
                last_on_top = Some(fits && is_words && mark[0] != b'|');
            }
        }
    }
    let typed = values * 10 >= plain.saturating_sub(1) * 8 && values > 0;
    // A row that was made a comment has a mark before its number; text may just begin with it.
    let is_data = fitting > 0 && !typed;
    let is_header = last_on_top == Some(true) && !shape.has_header;
    let in_one_column = shape.width < 2 && (spaced < marked || !typed);
    marked > 0 && plain > 0 && !is_data && !is_header && !in_one_column
}

/// The mark of comments that only come late, where the samples do not show them: lines that begin
/// with it and a blank, with rows below.
pub(super) fn late(text: &[u8], dialect: &CsvDialect) -> Option<(&'static [u8], u64)> {
    if text.len() > CHECKED {
        return None;
    }
    [&b"#"[..], b"//"].into_iter().find_map(|mark| {
        let start = [b"\n", mark, b" "].concat();
        let first = memchr::memmem::find(text, &start)?;
        let mut below = sample::lines(&text[first + 1..]).take(LINES);
        let is_row = below.any(|line| !line.starts_with(mark));
        // In a large text quotes are not followed, so the mark must be nowhere else at all.
        let all = memchr::memmem::find_iter(text, mark).count();
        let at_start = memchr::memmem::find_iter(text, &start).count();
        let is_sure = text.len() <= EXACT || all == at_start;
        let count = (is_row && is_sure).then(|| count(text, dialect, mark)).flatten()?;
        (count > 0).then_some((mark, count))
    })
}

/// How many lines are comments; `None` if a row holds the mark outside of quotes.
fn count(text: &[u8], dialect: &CsvDialect, mark: &[u8]) -> Option<u64> {
    match text.len() {
        0..=EXACT => count_records(text, dialect, mark),
        size if size <= CHECKED => count_lines(text, dialect, mark),
        _ => None,
    }
}

fn count_records(text: &[u8], dialect: &CsvDialect, mark: &[u8]) -> Option<u64> {
    let finder = memchr::memmem::Finder::new(mark);
    let mut reader = RecordReader::new(text, dialect);
    let mut record = Record::default();
    let mut count = 0;
    while reader.read(&mut record) {
        if text[record.offset..].starts_with(mark) {
            count += 1;
            // Quotes mean nothing in a comment.
            reader = RecordReader::starting_at(text, dialect, record.offset);
            reader.skip_line();
        } else if finder.find(&text[record.offset..record.end]).is_some() {
            let mut cells = record.cells(text);
            if cells.any(|(cell, quoted)| !quoted && finder.find(cell).is_some()) {
                return None;
            }
        }
    }
    Some(count)
}

/// The same for a large text, by its lines: quotes that span several are not followed.
fn count_lines(text: &[u8], dialect: &CsvDialect, mark: &[u8]) -> Option<u64> {
    let finder = memchr::memmem::Finder::new(mark);
    let (mut from, mut count) = (0, 0);
    while let Some(found) = finder.find(&text[from..]).map(|at| from + at) {
        let start = memchr::memrchr2(b'\n', b'\r', &text[..found]).map_or(0, |at| at + 1);
        let end = memchr::memchr2(b'\n', b'\r', &text[found..]).map_or(text.len(), |at| found + at);
        if text[start..].starts_with(mark) {
            count += 1;
            from = end;
            continue;
        }
        let quotes =
            dialect.quote.map_or(0, |q| memchr::memchr_iter(q, &text[start..found]).count());
        if quotes.is_multiple_of(2) {
            return None;
        }
        from = found + mark.len();
    }
    Some(count)
}
