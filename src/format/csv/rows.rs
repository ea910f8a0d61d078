//! Records to columns of text: header, names, rows of the wrong length.

use super::Place;
use super::dialect::CsvDialect;
use super::names;
use super::records::{Oddity, Record, RecordReader};
use super::structure::Frame;
use crate::context::Context;
use crate::error::Result;
use crate::infer::TextColumn;
use crate::options::{BadLines, SkipRows};
use crate::report::{Code, Issue, Stage};

/// A table of text cells.
pub(super) struct TextTable {
    /// The column names, as the file or the options have them.
    pub names: Vec<String>,
    /// Each column's position in the file.
    pub positions: Vec<usize>,
    /// The rows.
    pub chunks: Vec<TextChunk>,
}

/// A run of rows; every column has a cell for each.
#[derive(Default)]
pub(super) struct TextChunk {
    pub columns: Vec<TextColumn>,
    /// Where each row begins in the text.
    pub offsets: Vec<u64>,
}

/// A chunk ends after so many rows, or so many bytes of text.
const CHUNK_ROWS: usize = 64 << 10;
const CHUNK_BYTES: usize = 64 << 20;

/// Reads the whole text.
pub(super) fn read(
    place: &Place<'_>,
    dialect: &CsvDialect,
    frame: &Frame,
    context: &mut Context<'_>,
) -> Result<TextTable> {
    let text = place.utf8;
    let parser = context.parser();
    let skip_lines: &[u64] = match &parser.skiprows {
        Some(SkipRows::Lines(lines)) => lines,
        _ => &[],
    };
    let mut records =
        Records { reader: RecordReader::new(text, dialect), skip_lines, line: 0, counted: 0 };
    for _ in 0..frame.skip_rows {
        records.reader.skip_line();
    }
    let names = names::names(&mut records, text, dialect, &frame.header, context)?;
    let mut rows = Rows {
        place,
        named: names.len(),
        width: names.len(),
        chunk: TextChunk::default(),
        chunks: Vec::new(),
        count: 0,
        text_in_chunk: 0,
        cells: 0,
        padded: 0,
    };
    rows.chunk.columns.resize_with(rows.width, TextColumn::default);
    let mut left = body_records(&records, parser.skipfooter.or(Some(frame.footer_lines)));
    let wanted = parser.nrows.unwrap_or(u64::MAX);
    let mut record = Record::default();
    while left > 0 && rows.count < wanted && records.read(&mut record) {
        left -= 1;
        rows.add(&record, context)?;
        if rows.count.is_multiple_of(4096) {
            context.progress().done(record.end as u64);
        }
    }
    let chunks = rows.finish(context)?;
    let width = chunks.first().map_or(names.len(), |chunk| chunk.columns.len());
    let names = complete(names, width);
    Ok(TextTable { positions: (0..names.len()).collect(), names, chunks })
}

/// Surplus columns have no name of their own; they get one when names are made unique.
fn complete(mut names: Vec<String>, width: usize) -> Vec<String> {
    names.resize(width.max(names.len()), String::new());
    names
}

/// How many records come before the footer: where there is one they are counted first, so that it
/// has no say in anything.
fn body_records(records: &Records<'_>, footer: Option<u64>) -> u64 {
    let Some(footer) = footer.filter(|rows| *rows > 0) else { return u64::MAX };
    let mut ahead = records.clone();
    let mut record = Record::default();
    let mut count = 0u64;
    while ahead.read(&mut record) {
        count += 1;
    }
    count.saturating_sub(footer)
}

/// The records, without the lines that `skiprows` lists.
#[derive(Clone)]
pub(super) struct Records<'a> {
    pub reader: RecordReader<'a>,
    pub skip_lines: &'a [u64],
    /// The line at the offset up to which lines are counted.
    line: u64,
    counted: usize,
}

impl Records<'_> {
    /// The next record whose first line is not listed. Lines count from 0, blank ones too.
    pub(super) fn read(&mut self, record: &mut Record) -> bool {
        while self.reader.read(record) {
            if self.skip_lines.is_empty() {
                return true;
            }
            let passed = &self.reader.text()[self.counted..record.offset];
            self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
            self.counted = record.offset;
            if self.skip_lines.binary_search(&self.line).is_err() {
                return true;
            }
        }
        false
    }
}

struct Rows<'a, 'p> {
    place: &'a Place<'p>,
    /// Columns that have a name.
    named: usize,
    /// Columns so far, surplus ones included.
    width: usize,
    chunk: TextChunk,
    chunks: Vec<TextChunk>,
    count: u64,
    text_in_chunk: usize,
    cells: u64,
    padded: u64,
}

impl Rows<'_, '_> {
    fn add(&mut self, record: &Record, context: &mut Context<'_>) -> Result<()> {
        for oddity in &record.oddities {
            self.note_oddity(*oddity, record, context);
        }
        let cells = record.len();
        // A delimiter at the end of the line makes empty cells that nobody meant.
        let surplus = cells > self.named && self.has_surplus(record);
        if (surplus || cells < self.named) && !self.accept(record, cells, context)? {
            return Ok(());
        }
        if surplus && cells > self.width {
            if cells > context.limits.columns {
                let message =
                    format!("got {cells} columns, allowed are {}", context.limits.columns);
                let issue = Issue::limit(Code::TooManyColumns, message, "columns");
                return Err(self.place.mark(issue, record.offset).into());
            }
            self.width = cells;
            self.chunk.columns.resize_with(cells, TextColumn::default);
        }
        let row = self.chunk.offsets.len();
        for (column, (cell, quoted)) in
            self.chunk.columns.iter_mut().zip(record.cells(self.place.utf8))
        {
            if cell.len() as u64 > context.limits.value_bytes {
                let message = format!(
                    "a cell of {} bytes, allowed are {}",
                    cell.len(),
                    context.limits.value_bytes
                );
                let issue = Issue::limit(Code::ValueTooLarge, message, "value_bytes");
                return Err(self.place.mark(issue, record.offset).into());
            }
            column.pad_to(row);
            column.push(cell, quoted);
        }
        self.chunk.offsets.push(record.offset as u64);
        self.count += 1;
        self.cells += cells.min(self.width) as u64;
        self.padded += (self.width - cells.min(self.width)) as u64;
        self.text_in_chunk += record.end - record.offset;
        if self.count > context.limits.rows {
            let message = format!("more than {} rows", context.limits.rows);
            return Err(Issue::limit(Code::TooManyRows, message, "rows").into());
        }
        self.check_padding(context)?;
        if self.chunk.offsets.len() == CHUNK_ROWS || self.text_in_chunk > CHUNK_BYTES {
            self.flush();
        }
        Ok(())
    }

    fn has_surplus(&self, record: &Record) -> bool {
        record
            .cells(self.place.utf8)
            .skip(self.named)
            .any(|(cell, quoted)| !cell.is_empty() || quoted)
    }

    /// Whether a row of the wrong length is taken; it is reported in any case.
    fn accept(&self, record: &Record, cells: usize, context: &mut Context<'_>) -> Result<bool> {
        let (code, what) = if cells < self.named {
            (Code::ShortRow, "the missing ones are null")
        } else {
            (Code::LongRow, "the surplus is in columns of its own")
        };
        let row = self.count + 1;
        let message = format!("row {row} has {cells} cells, expected {}", self.named);
        match context.parser().on_bad_lines {
            None if !context.reporter.has_room() => context.reporter.count(code, 1),
            None => {
                let issue = Issue::warning(Stage::Parse, code, format!("{message}; {what}"));
                context.reporter.push(self.place.mark(issue.row(row), record.offset));
            }
            Some(BadLines::Error) => {
                let issue = Issue::error(Stage::Parse, code, message).row(row);
                let issue = issue.hint("leave on_bad_lines out to have such rows repaired");
                return Err(self.place.mark(issue, record.offset).into());
            }
            Some(BadLines::Skip) => {
                context.reporter.count(Code::SkippedRow, 1);
                return Ok(false);
            }
            Some(BadLines::Warn) => {
                let issue =
                    Issue::warning(Stage::Parse, Code::SkippedRow, format!("{message}; left out"));
                context.reporter.push(self.place.mark(issue, record.offset));
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn note_oddity(&self, oddity: Oddity, record: &Record, context: &mut Context<'_>) {
        let (code, message, offset) = match oddity {
            Oddity::StrayQuote(at) => {
                (Code::StrayQuote, "text after a closing quote; kept as part of the cell", at)
            }
            Oddity::UnclosedQuote(at) => {
                (Code::UnclosedQuote, "a quote that is never closed; read as ordinary text", at)
            }
        };
        if !context.reporter.has_room() {
            return context.reporter.count(code, 1);
        }
        let issue = Issue::warning(Stage::Parse, code, message).row(self.count + 1);
        let issue = self.place.mark(issue, record.offset).line(self.place.line(offset));
        context.reporter.push(issue.byte_offset(offset as u64 + self.place.shift));
    }

    /// A few long rows among many short ones would make a table of mostly nothing.
    fn check_padding(&self, context: &Context<'_>) -> Result<()> {
        let padded = self.padded;
        if padded > context.limits.sheet_cells && padded > self.cells * 4 {
            let message = format!(
                "{} rows of up to {} columns are mostly padding: {padded} cells of nothing",
                self.count, self.width
            );
            return Err(Issue::limit(Code::TooManyCells, message, "sheet_cells").into());
        }
        Ok(())
    }

    fn flush(&mut self) {
        let rows = self.chunk.offsets.len();
        self.chunk.columns.iter_mut().for_each(|column| column.pad_to(rows));
        let mut next = TextChunk::default();
        next.columns.resize_with(self.width, TextColumn::default);
        self.chunks.push(std::mem::replace(&mut self.chunk, next));
        self.text_in_chunk = 0;
    }

    fn finish(mut self, context: &Context<'_>) -> Result<Vec<TextChunk>> {
        if !self.chunk.offsets.is_empty() {
            self.flush();
        }
        for chunk in &mut self.chunks {
            let (rows, missing) = (chunk.offsets.len(), self.width - chunk.columns.len());
            self.padded += (rows * missing) as u64;
            chunk.columns.resize_with(self.width, TextColumn::default);
            chunk.columns.iter_mut().for_each(|column| column.pad_to(rows));
            if missing > 0
                && self.padded > context.limits.sheet_cells
                && self.padded > self.cells * 4
            {
                let message = "a few long rows would make a table of mostly nothing";
                return Err(Issue::limit(Code::TooManyCells, message, "sheet_cells").into());
            }
        }
        Ok(self.chunks)
    }
}
