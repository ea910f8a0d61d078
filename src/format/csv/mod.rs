//! Delimited text: comma, tab, semicolon, pipe or any other; with or without header.
//!
//! Takes text in any encoding; finds the dialect; reads all cells as text and infers types over all
//! rows. Rows that are too short are padded with nulls, longer ones make columns; both are reported.
//! Refuses text that is blank throughout, and rows of the wrong length if `on_bad_lines=error`.

mod dialect;
mod events;
mod header;
mod in_file;
mod notes;
mod records;
mod scan;
mod sniff;
mod table;

use std::cell::Cell;

use super::{FormatReader, Input, RawTable};
use crate::context::Context;
use crate::detect::encoding::{Text, decode};
use crate::detect::{Confidence, Signature, looks_like_text};
use crate::error::Result;
use crate::options::{FileType, nearest};
use crate::report::{Code, Issue, Stage};

pub use dialect::CsvDialect;
pub(super) use notes::bad_value;
pub use records::{Field as RecordField, Record, RecordReader};

/// The reader of delimited text.
#[derive(Debug)]
pub struct Csv;

impl Signature for Csv {
    fn file_type(&self) -> FileType {
        FileType::Csv
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["csv", "tsv", "txt", "dat", "tab", "psv"]
    }

    fn recognise(&self, bytes: &[u8]) -> Confidence {
        if looks_like_text(bytes) { Confidence::Possible } else { Confidence::No }
    }
}

impl FormatReader for Csv {
    fn options(&self) -> &'static [&'static str] {
        &[
            "sep",
            "delimiter",
            "delim_whitespace",
            "lineterminator",
            "quotechar",
            "quoting",
            "doublequote",
            "escapechar",
            "comment",
            "skipinitialspace",
            "encoding",
            "encoding_errors",
            "header",
            "names",
            "usecols",
            "columns",
            "index_col",
            "prefix",
            "mangle_dupe_cols",
            "skiprows",
            "skip_rows",
            "skipfooter",
            "nrows",
            "num_rows",
            "byte_range",
            "skip_blank_lines",
            "on_bad_lines",
            "dtype",
            "decimal",
            "thousands",
            "true_values",
            "false_values",
            "na_values",
            "keep_default_na",
            "na_filter",
            "parse_dates",
            "dayfirst",
        ]
    }

    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        let text = decode(&input.bytes, context)?;
        let utf8 = dialect::byte_range(&text.utf8, context);
        if utf8.trim_ascii().is_empty() {
            let issue = Issue::error(Stage::Parse, Code::Empty, "the file holds only blank lines");
            return Err(issue.line(1).byte_offset(0).into());
        }
        let dialect = dialect::settle(utf8, &input.name, context);
        let place = Place::new(&text, utf8);
        let found = table::read(&place, text.utf8.slice_ref(utf8), &dialect, context)?;
        dialect::report(&text.survey, &dialect, &found.header, context);
        Ok(vec![found.table])
    }
}

/// The text that rows lie in, to turn offsets into places for messages.
pub(super) struct Place<'a> {
    text: &'a Text,
    /// Where the part begins in the text.
    start: usize,
    utf8: &'a [u8],
    shift: u64,
    /// The last offset asked for and its line: issues mostly come in the order of the file, and
    /// counting lines anew for each would take long in a large one.
    last: Cell<(usize, u64)>,
    /// What ends a line: `\r` where there is no `\n`.
    newline: u8,
}

impl<'a> Place<'a> {
    /// Of a part of the text.
    fn new(text: &'a Text, part: &'a [u8]) -> Self {
        let start = part.as_ptr() as usize - text.utf8.as_ptr() as usize;
        let newline = if text.survey.line_feeds > 0 { b'\n' } else { b'\r' };
        let shift = text.shift + start as u64;
        Place { text, start, utf8: part, shift, last: Cell::new((0, 1)), newline }
    }

    /// The line, from 1, of an offset.
    fn line(&self, offset: usize) -> u64 {
        let offset = self.start + offset;
        let marks = &self.text.survey.marks;
        let before = marks.partition_point(|mark| mark.offset <= offset).saturating_sub(1);
        let mark = marks.get(before).copied().unwrap_or_default();
        let known = match self.newline {
            b'\n' => mark.line_feeds,
            _ => mark.carriage_returns,
        };
        let (from, line) = match self.last.get() {
            last if last.0 <= offset && last.0 >= mark.offset => last,
            _ => (mark.offset, known + 1),
        };
        let passed = &self.text.utf8[from..offset];
        let line = line + memchr::memchr_iter(self.newline, passed).count() as u64;
        self.last.set((offset, line));
        line
    }

    /// The issue with line, byte offset and the raw row that begins at `offset`.
    fn mark(&self, issue: Issue, offset: usize) -> Issue {
        let rest = &self.utf8[offset..];
        let line = self.line(offset);
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        issue.line(line).byte_offset(offset as u64 + self.shift).raw(&rest[..end])
    }
}

/// An option that names a column which is not there.
pub(super) fn unknown_column(option: &str, wanted: &str, names: &[String]) -> Issue {
    let message = format!("{option} names column {wanted:?}, which is not there");
    let issue = Issue::error(Stage::Parse, Code::UnknownColumn, message).column(wanted);
    match nearest(wanted, names.iter().map(String::as_str)) {
        Some(near) => issue.hint(format!("did you mean {near:?}?")),
        None => {
            let shown: Vec<&str> = names.iter().take(20).map(String::as_str).collect();
            issue.hint(format!("the columns are {}", shown.join(", ")))
        }
    }
}
