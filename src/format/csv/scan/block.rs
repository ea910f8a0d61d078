//! A stretch of whole records, cut into cells: regular rows by their cell ends, odd ones apart.

use super::index::{Index, Stop};
use super::masks::Needles;
use crate::format::csv::dialect::{CsvDialect, Delimiter};
use crate::format::csv::records::{Oddity, Record, RecordReader};

/// How the rows of a text are cut.
#[derive(Debug)]
pub(in super::super) struct Cut<'a> {
    pub dialect: &'a CsvDialect,
    /// Columns that have a name.
    pub named: usize,
    /// Cells of a regular row: those, and empty ones behind them that nobody meant.
    pub stride: usize,
    /// Rows of the wrong length are left out rather than repaired.
    pub drop_bad: bool,
    /// Where lines begin that are left out, in order.
    pub skipped: &'a [usize],
    needles: Option<Needles>,
}

impl<'a> Cut<'a> {
    pub fn new(
        dialect: &'a CsvDialect,
        named: usize,
        stride: usize,
        drop_bad: bool,
        skipped: &'a [usize],
    ) -> Self {
        let stride = stride.max(named);
        Cut { dialect, named, stride, drop_bad, skipped, needles: needles(dialect) }
    }

    fn skips(&self, offset: usize) -> bool {
        !self.skipped.is_empty() && self.skipped.binary_search(&offset).is_ok()
    }
}

/// What the index looks for; `None` for a dialect that only the exact reader knows.
fn needles(dialect: &CsvDialect) -> Option<Needles> {
    let delimiter = match &dialect.delimiter {
        Delimiter::Bytes(bytes) => match bytes.as_slice() {
            [byte] => *byte,
            _ => return None,
        },
        _ => return None,
    };
    let plain = dialect.escape.is_none()
        && dialect.comment.is_none()
        && dialect.terminator.is_none()
        && !dialect.skip_initial_space
        && dialect.skip_blank_lines
        && dialect.doubled
        && !matches!(delimiter, b'\n' | b'\r')
        && dialect.quote != Some(delimiter);
    plain.then_some(Needles { delimiter, quote: dialect.quote })
}

/// A run of rows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Segment {
    /// Rows of `stride` cells each; the first cell of the first one ends at this position.
    Regular { first: usize, rows: usize },
    /// One row that the exact reader cut.
    Odd(usize),
}

/// Something to report about a row.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Event {
    /// Its row among those kept, from 0, counted from the start of the block or chunk; for a row
    /// that was left out, the row that would have been there.
    pub row: u64,
    /// Where its record begins and ends.
    pub offset: usize,
    pub end: usize,
    pub what: What,
}

/// What there is to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum What {
    /// So many cells, fewer or more than expected; kept or left out.
    Cells { got: usize, kept: bool },
    /// A quote where none belongs.
    Quote(Oddity),
}

/// Blank lines and rows of nothing but delimiters are noted up to this many.
pub(in super::super) const GAPS: usize = 4096;

/// The rows of one stretch of the text.
#[derive(Debug, Default)]
pub(super) struct Block {
    index: Index,
    segments: Vec<Segment>,
    odd: Vec<Record>,
    odd_used: usize,
    /// The number of rows.
    pub rows: usize,
    /// The offset of the first record that is not in the block.
    pub next: usize,
    /// What there is to report.
    pub events: Vec<Event>,
    /// Where blank lines and rows of nothing but delimiters begin.
    pub gaps: Vec<usize>,
    /// The most cells of any row.
    pub width: usize,
    /// The bytes of the longest record.
    pub longest: usize,
    /// Whether a quote was opened that nothing up to the end of the text closes.
    pub ran_out: bool,
}

impl Block {
    /// Cuts the records that begin in `from..end`, at least one of them, until about `enough`.
    pub fn fill(&mut self, text: &[u8], cut: &Cut<'_>, from: usize, enough: usize, end: usize) {
        self.index.clear(from);
        self.index.positions.push(u32::MAX);
        self.segments.clear();
        self.odd_used = 0;
        self.rows = 0;
        self.events.clear();
        self.gaps.clear();
        self.width = 0;
        self.longest = 0;
        self.ran_out = false;
        let enough = enough.min(end);
        let mut at = from;
        while at < enough.min(text.len()) {
            let Some(needles) = cut.needles else {
                at = self.exact(text, cut, at, end);
                continue;
            };
            let (rows, cells) = (self.index.row_ends.len(), self.index.positions.len());
            let stop = self.index.extend(text, at, enough, needles);
            at = self.walk(text, cut, rows, cells, at, end);
            if stop == Stop::Quote && at < end {
                at = self.exact(text, cut, at, end);
                // A row begins behind the position before its first one.
                self.index.positions.push((at - self.index.base) as u32 - 1);
            }
        }
        self.next = at;
    }

    /// Goes through the rows just found: regular ones in runs, the others one by one. Gives the
    /// start of the record behind them.
    fn walk(
        &mut self,
        text: &[u8],
        cut: &Cut<'_>,
        rows_from: usize,
        cells_from: usize,
        start: usize,
        end: usize,
    ) -> usize {
        let (mut first, mut at) = (cells_from, start);
        let mut run: Option<(usize, usize)> = None;
        let mut kept = rows_from;
        for row in rows_from..self.index.row_ends.len() {
            if at >= end {
                break;
            }
            kept = row + 1;
            let last = self.index.row_ends[row] as usize;
            let row_end = self.index.base + self.index.positions[last] as usize;
            let (cells, length) = (last + 1 - first, row_end - at);
            let is_nothing = length < cells || length == cells && text[row_end - 1] == b'\r';
            if is_nothing || cells == 1 && text[at..row_end].trim_ascii().is_empty() {
                self.note_gap(at);
            }
            let blank = is_nothing && cells == 1;
            let is_regular = cells == cut.stride
                && !blank
                && !cut.skips(at)
                && (cut.stride == cut.named || self.ends_empty(text, cut, first, last));
            if is_regular {
                self.rows += 1;
                self.longest = self.longest.max(length);
                match &mut run {
                    Some((_, rows)) => *rows += 1,
                    None => run = Some((first, 1)),
                }
            } else {
                if let Some((first, rows)) = run.take() {
                    self.segments.push(Segment::Regular { first, rows });
                }
                if !blank {
                    self.exact(text, cut, at, end);
                }
            }
            first = last + 1;
            at = row_end + 1;
        }
        if let Some((first, rows)) = run {
            self.segments.push(Segment::Regular { first, rows });
        }
        self.index.row_ends.truncate(kept);
        self.index.positions.truncate(first);
        // Behind the last row quotes may yet be read in another way.
        let known = (at - self.index.base) as u32;
        while self.index.doubled.last().is_some_and(|last| *last >= known) {
            self.index.doubled.pop();
        }
        at.min(text.len())
    }

    fn note_gap(&mut self, at: usize) {
        if self.gaps.len() < GAPS {
            self.gaps.push(at);
        }
    }

    /// Whether the cells without a name are empty.
    fn ends_empty(&self, text: &[u8], cut: &Cut<'_>, first: usize, last: usize) -> bool {
        let positions = &self.index.positions[first + cut.named - 1..=last];
        let is_carriage = |at: u32| text.get(self.index.base + at as usize) == Some(&b'\r');
        let mut pairs = positions.windows(2).peekable();
        while let Some(pair) = pairs.next() {
            let is_last = pairs.peek().is_none();
            let empty = pair[1] == pair[0] + 1
                || is_last && pair[1] == pair[0] + 2 && is_carriage(pair[0] + 1);
            if !empty {
                return false;
            }
        }
        true
    }

    /// One record by the exact reader. Gives the offset behind it.
    fn exact(&mut self, text: &[u8], cut: &Cut<'_>, at: usize, end: usize) -> usize {
        let mut reader = RecordReader::starting_at(text, cut.dialect, at);
        if self.odd_used == self.odd.len() {
            self.odd.push(Record::default());
        }
        let record = &mut self.odd[self.odd_used];
        if !reader.read(record) {
            return text.len();
        }
        self.ran_out |= record.ran_out;
        // Blank lines that the reader went over.
        let mut blank = at;
        while blank < record.offset.min(end) {
            if self.gaps.len() < GAPS && self.gaps.last().is_none_or(|last| *last < blank) {
                self.gaps.push(blank);
            }
            let rest = &text[blank..record.offset];
            let line = memchr::memchr2(b'\n', b'\r', rest).map_or(rest.len(), |end| end + 1);
            blank += line;
            if text[blank - 1] == b'\r' && text.get(blank) == Some(&b'\n') {
                blank += 1;
            }
        }
        if record.offset >= end {
            return record.offset;
        }
        if cut.skips(record.offset) {
            return record.end;
        }
        let (row, next) = (self.rows as u64, record.end);
        let event = |what| Event { row, offset: record.offset, end: record.end, what };
        let cells = record.len();
        let mut surplus = record.cells(text).skip(cut.named);
        let is_endless = cells > record.cells(text).len();
        let has_surplus = is_endless
            || cells > cut.named && surplus.any(|(cell, quoted)| !cell.is_empty() || quoted);
        let fits = cells == cut.named || cells > cut.named && !has_surplus;
        let kept = fits || !cut.drop_bad;
        if kept {
            let quotes = record.oddities.iter().map(|oddity| What::Quote(*oddity));
            self.events.extend(quotes.map(event));
        }
        if !fits {
            self.events.push(event(What::Cells { got: cells, kept }));
        }
        if record.cells(text).all(|(cell, quoted)| cell.trim_ascii().is_empty() && !quoted)
            && self.gaps.len() < GAPS
            && self.gaps.last().is_none_or(|last| *last < record.offset)
        {
            self.gaps.push(record.offset);
        }
        if kept {
            self.longest = self.longest.max(record.end - record.offset);
            self.width = self.width.max(if has_surplus { cells } else { cut.named });
            self.segments.push(Segment::Odd(self.odd_used));
            self.odd_used += 1;
            self.rows += 1;
        }
        next
    }

    /// Where each row begins.
    pub fn row_offsets(&self, cut: &Cut<'_>) -> Vec<usize> {
        let mut offsets = Vec::with_capacity(self.rows);
        for segment in &self.segments {
            match *segment {
                Segment::Odd(index) => offsets.push(self.odd[index].offset),
                Segment::Regular { first, rows } => offsets.extend((0..rows).map(|row| {
                    let before = self.index.positions[first + row * cut.stride - 1];
                    self.index.base + before.wrapping_add(1) as usize
                })),
            }
        }
        offsets
    }

    /// The cells of one column, in the order of the rows.
    pub fn column<'b>(&'b self, text: &'b [u8], cut: &'b Cut<'_>, column: usize) -> Column<'b> {
        Column {
            text,
            block: self,
            stride: cut.stride,
            column,
            trims_carriage: self.index.has_carriage && column + 1 == cut.stride,
            quote: if self.index.has_quotes { cut.dialect.quote } else { None },
        }
    }
}

/// One column of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<'b> {
    pub text: &'b [u8],
    block: &'b Block,
    stride: usize,
    column: usize,
    trims_carriage: bool,
    /// The quote, where the block has any.
    pub quote: Option<u8>,
}

/// Takes the cells of a column one after the other; `false` stops.
pub(super) trait Sink {
    /// A cell as it stands in the text, quotes and all.
    fn raw(&mut self, column: &Column<'_>, start: usize, end: usize) -> bool;
    /// A cell that was cut already; `None` where the row has none.
    fn cell(&mut self, cell: Option<(&[u8], bool)>) -> bool;
}

/// Tells which cells of a column hold doubled quotes; they are asked for in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubled<'b> {
    rest: &'b [u32],
    base: usize,
}

impl Doubled<'_> {
    /// Whether the cell holds any.
    #[inline(always)]
    pub fn any(&mut self, start: usize, end: usize) -> bool {
        while let [first, rest @ ..] = self.rest {
            let at = self.base + *first as usize;
            if at >= start {
                return at < end;
            }
            self.rest = rest;
        }
        false
    }
}

impl<'b> Column<'b> {
    /// For the cells of this column from the first on.
    pub fn doubled(&self) -> Doubled<'b> {
        Doubled { rest: &self.block.index.doubled, base: self.block.index.base }
    }
}

impl Column<'_> {
    /// Hands every cell to the sink, unless it stops.
    #[inline(always)]
    pub fn feed(&self, sink: &mut impl Sink) -> bool {
        let Block { index, segments, odd, .. } = self.block;
        for segment in segments {
            match *segment {
                Segment::Odd(record) => {
                    let cell = odd[record].cell(self.text, self.column);
                    if !sink.cell(cell) {
                        return false;
                    }
                }
                Segment::Regular { rows, .. } if self.column >= self.stride => {
                    // Only longer rows have a cell here.
                    if !(0..rows).all(|_| sink.cell(None)) {
                        return false;
                    }
                }
                Segment::Regular { first, rows } => {
                    let from = first + self.column - 1;
                    let to = first + (rows - 1) * self.stride + self.column + 1;
                    let positions = &index.positions[from..to];
                    // Plain loops, so that the sink becomes part of them.
                    if self.stride == 1 {
                        for pair in positions.windows(2) {
                            if !self.hand_over(sink, pair[0], pair[1]) {
                                return false;
                            }
                        }
                    } else {
                        for row in positions.chunks(self.stride) {
                            if !self.hand_over(sink, row[0], row[1]) {
                                return false;
                            }
                        }
                    }
                }
            }
        }
        true
    }

    /// The cell between two positions.
    #[inline(always)]
    fn hand_over(&self, sink: &mut impl Sink, before: u32, end: u32) -> bool {
        let start = self.block.index.base + before.wrapping_add(1) as usize;
        let end = self.block.index.base + end as usize;
        sink.raw(self, start, self.trimmed(start, end))
    }

    /// Without the carriage return of a line end.
    #[inline(always)]
    fn trimmed(&self, start: usize, end: usize) -> usize {
        if self.trims_carriage
            && end > start
            && self.text[end - 1] == b'\r'
            && self.text.get(end) == Some(&b'\n')
        {
            end - 1
        } else {
            end
        }
    }

    /// The cell in `start..end` without its quotes, and whether it had any. Doubled quotes are still
    /// doubled; `undouble` makes them single.
    #[inline(always)]
    pub fn unquoted(&self, start: usize, end: usize) -> (usize, usize, bool) {
        match self.quote {
            Some(quote) if end > start && self.text[start] == quote => (start + 1, end - 1, true),
            _ => (start, end, false),
        }
    }
}

/// The cell with every doubled quote single.
pub(super) fn undouble(cell: &[u8], quote: u8, out: &mut Vec<u8>) {
    let mut rest = cell;
    while let Some(at) = memchr::memchr(quote, rest) {
        out.extend_from_slice(&rest[..=at]);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}
