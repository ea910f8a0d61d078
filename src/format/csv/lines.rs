//! The first or last records of a region with what structure finding asks of each: how many cells,
//! how many of them hold anything, what they look like, whether a blank line stands above.

use super::comment;
use super::dialect::{CsvDialect, Delimiter};
use super::look::{CellLook, look};
use super::records::{Record, RecordReader};

/// So much of a region's head is read, and more only if it holds hardly a line.
const HEAD: usize = 96 << 10;
const HEAD_OF_ONE_LINE: usize = 4 << 20;
/// Bytes of a cell that are kept.
const CELL_BYTES: usize = 80;
const CELLS: usize = 2000;

/// One record.
#[derive(Debug)]
pub(in crate::format) struct Line {
    /// Where it begins in the region.
    pub offset: usize,
    /// Cells up to the last that holds anything.
    pub width: usize,
    /// Cells that hold anything.
    pub filled: usize,
    /// Whether a blank line or a row of delimiters alone stands above.
    pub gap: bool,
    /// Whether it begins as comments do.
    pub marked: bool,
    /// Whether cells behind a delimiter begin with a blank, as in prose.
    pub spaced: bool,
    /// What each cell holds, up to the last.
    pub cells: Vec<(CellLook, Vec<u8>)>,
}

impl Line {
    /// The kind of a cell; nothing is in cells that are not there.
    pub(in crate::format) fn look(&self, column: usize) -> CellLook {
        self.cells.get(column).map_or(CellLook::Empty, |(look, _)| look.kind())
    }

    /// Whether a cell holds a year.
    pub(super) fn is_year(&self, column: usize) -> bool {
        self.cells.get(column).is_some_and(|(look, _)| *look == CellLook::Year)
    }

    /// The text of a cell.
    pub(in crate::format) fn text(&self, column: usize) -> &[u8] {
        self.cells.get(column).map(|(_, text)| text.as_slice()).unwrap_or_default()
    }

    /// The first cell that holds anything.
    pub(in crate::format) fn first_text(&self) -> &[u8] {
        let filled = |(_, text): &&(CellLook, Vec<u8>)| !text.is_empty();
        self.cells.iter().find(filled).map(|(_, text)| text.as_slice()).unwrap_or_default()
    }

    /// Whether it begins as comments do, with a blank behind the mark.
    pub(super) fn is_remark(&self) -> bool {
        let mut text = self.first_text().iter().skip_while(|byte| byte.is_ascii_punctuation());
        self.marked && text.next().is_none_or(|byte| *byte == b' ')
    }

    /// Whether no cell holds a number, a date or a boolean; years may be names.
    pub(in crate::format) fn is_words(&self) -> bool {
        self.cells.iter().all(|(look, _)| !look.is_value() || *look == CellLook::Year)
    }
}

/// The first lines of a region, from `start` on. Rows of delimiters alone are gaps, not lines.
pub(super) fn first(region: &[u8], start: usize, most: usize, dialect: &CsvDialect) -> Vec<Line> {
    let rest = &region[start..];
    let mut head = rest;
    for size in [HEAD, HEAD_OF_ONE_LINE] {
        if rest.len() <= size {
            break;
        }
        head = &rest[..size];
        let mut ends = memchr::memrchr_iter(b'\n', head);
        if let Some(end) = ends.next()
            && ends.next().is_some()
        {
            head = &head[..=end];
            break;
        }
    }
    read(head, start, most, dialect)
}

/// Reads up to `most` lines of a text that begins at `shift` in its region.
pub(super) fn read(text: &[u8], shift: usize, most: usize, dialect: &CsvDialect) -> Vec<Line> {
    let mut reader = RecordReader::new(text, dialect);
    let mut record = Record::default();
    let mut lines = Vec::new();
    // A row may begin with an empty cell, whatever the delimiter is a mark of elsewhere.
    let delimiter = match &dialect.delimiter {
        Delimiter::Bytes(bytes) => bytes.as_slice(),
        _ => b"\n",
    };
    let (mut gap, mut end) = (false, 0);
    while lines.len() < most && reader.read(&mut record) {
        gap |= has_blank_line(&text[end..record.offset]);
        end = record.end;
        let cells: Vec<(CellLook, Vec<u8>)> = record
            .cells(text)
            .take(CELLS)
            .map(|(cell, _)| {
                let trimmed = cell.trim_ascii();
                (look(trimmed), trimmed[..trimmed.len().min(CELL_BYTES)].to_vec())
            })
            .collect();
        let width = cells.iter().rposition(|(_, text)| !text.is_empty()).map_or(0, |at| at + 1);
        if width == 0 {
            gap = true;
            continue;
        }
        let starts_blank = |(cell, quoted): (&[u8], bool)| !quoted && cell.starts_with(b" ");
        lines.push(Line {
            offset: shift + record.offset,
            width,
            filled: cells.iter().filter(|(_, text)| !text.is_empty()).count(),
            gap,
            marked: !text[record.offset..].starts_with(delimiter)
                && comment::is_marked(&text[record.offset..]),
            spaced: record.cells(text).skip(1).any(starts_blank),
            cells,
        });
        gap = false;
    }
    lines
}

fn has_blank_line(between: &[u8]) -> bool {
    let lines = between.split(|byte| *byte == b'\n');
    // What follows the last end of a line is the start of the record.
    let count = memchr::memchr_iter(b'\n', between).count();
    lines.take(count).any(|line| line.trim_ascii().is_empty())
        || count == 0 && between.contains(&b'\r')
}

/// The columns of data lines: whether each holds values, and whether it is ever empty.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) struct Column {
    /// Numbers, dates or booleans in at least four of five filled cells.
    pub typed: bool,
    /// The most frequent kind.
    pub kind: CellLook,
    /// Some cell is empty.
    pub gaps: bool,
}

/// What the columns of these lines hold.
pub(in crate::format) fn columns<'a>(
    lines: impl Iterator<Item = &'a Line> + Clone,
    width: usize,
) -> Vec<Column> {
    (0..width)
        .map(|column| {
            let looks = || lines.clone().map(|line| line.look(column));
            let filled = looks().filter(|look| *look != CellLook::Empty).count();
            let values = looks().filter(|look| look.is_value()).count();
            let gaps = lines.clone().any(|line| line.text(column).is_empty());
            let count = |kind: CellLook| looks().filter(|look| *look == kind).count();
            let kinds = [CellLook::Text, CellLook::Boolean, CellLook::Date, CellLook::Number];
            let kind = kinds.into_iter().max_by_key(|kind| count(*kind));
            let kind = kind.unwrap_or(CellLook::Text);
            Column { typed: values > 0 && values * 5 >= filled * 4, kind, gaps }
        })
        .collect()
}
