//! Delimited text: comma, tab, semicolon, pipe or any other; with or without header.
//!
//! Takes text in any encoding; finds the dialect; reads all cells as text and infers types over all
//! rows. Rows that are too short are padded with nulls, longer ones make columns; both are reported.
//! Refuses text that is blank throughout, and rows of the wrong length if `on_bad_lines=error`.

mod ahead;
mod candidates;
mod comment;
mod dialect;
mod events;
mod footer;
mod header;
mod in_file;
mod lines;
mod look;
mod names;
mod notes;
mod plan;
mod record;
mod records;
mod sample;
mod scan;
mod score;
mod sniff;
mod stack;
mod structure;
mod table;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod cases_exports;
#[cfg(test)]
mod cases_structure;
#[cfg(test)]
mod cases_trial;
#[cfg(test)]
mod round_trip;

use super::{FormatReader, Input, RawTable};
use crate::context::Context;
use crate::detect::encoding::{Text, decode_on};
use crate::detect::{Confidence, Signature, looks_like_text};
use crate::error::Result;
use crate::options::{FileType, nearest};
use crate::report::{Code, Issue, Stage};

use super::place::Place;
use crate::source::{self, Growing};
use ahead::Ahead;
pub use dialect::CsvDialect;
use dialect::{Delimiter, Newlines};
pub(super) use notes::bad_value;
pub use records::{Field as RecordField, Record, RecordReader};

/// How titles, headers and notes are told from rows, which workbooks need as well.
pub(super) mod shape {
    pub(in crate::format) use super::footer::is_note;
    pub(in crate::format) use super::header::{are_units, find as find_header};
    pub(in crate::format) use super::lines::{Line, columns};
    pub(in crate::format) use super::look::{CellLook, look};
    pub(in crate::format) use super::stack::Part;
    pub(in crate::format) use super::structure::{are_pairs, begins_table};
}

/// The pages of a larger mapped file are handed back while it is looked at.
const HELD: usize = 768 << 20;

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
            "escape_outside",
            "stacked",
        ]
    }

    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        read(input, None, context)
    }

    fn ahead(
        &self,
        head: &[u8],
        growing: &Growing,
        name: &str,
        context: &mut Context<'_>,
    ) -> Option<source::Ahead> {
        Some(Box::new(Ahead::of(head, growing, name, context)?))
    }

    fn read_on(
        &self,
        input: &Input,
        ahead: source::Ahead,
        context: &mut Context<'_>,
    ) -> Result<Vec<RawTable>> {
        read(input, ahead.downcast().ok().map(|ahead| *ahead), context)
    }
}

fn read(
    input: &Input,
    mut ahead: Option<Ahead>,
    context: &mut Context<'_>,
) -> Result<Vec<RawTable>> {
    let surveyed = ahead.as_mut().map(Ahead::take_surveyed).unwrap_or_default();
    let text = decode_on(&input.bytes, HELD, surveyed, context)?;
    // What was read ahead are the bytes as they came.
    let ahead = ahead.filter(|_| !text.is_converted);
    let utf8 = dialect::byte_range(&text.utf8, context);
    if utf8.trim_ascii().is_empty() {
        let issue = Issue::error(Stage::Parse, Code::Empty, "the file holds only blank lines");
        return Err(issue.line(1).byte_offset(0).into());
    }
    let dialect = dialect::settle(utf8, text.survey.has_remarks, &input.name, context);
    note_nuls(&text, context);
    let reading = Reading { text: &text, utf8, dialect };
    if !reading.may_be_stacked(context) {
        return reading.one(ahead, context).map(|found| vec![found.table]);
    }
    // In a small text gaps are looked for first; in a large one they are found on the way.
    if utf8.len() <= SMALL {
        let gaps = gaps(utf8, &reading.dialect);
        return match stack::regions(utf8, &reading.dialect, &gaps).as_slice() {
            regions @ [_, _, ..] => reading.stacked(regions, context),
            _ => reading.one(ahead, context).map(|found| vec![found.table]),
        };
    }
    let before = context.reporter.clone();
    let found = reading.one(ahead, context)?;
    let mut gaps = gaps(&utf8[..found.start], &reading.dialect);
    gaps.extend(found.gaps);
    match stack::regions(utf8, &reading.dialect, &gaps).as_slice() {
        regions @ [_, _, ..] => {
            context.restart(before)?;
            reading.stacked(regions, context)
        }
        _ => Ok(vec![found.table]),
    }
}

/// Texts up to this size are looked through for gaps before they are read.
const SMALL: usize = 1 << 20;

/// A text whose dialect is settled.
struct Reading<'a> {
    text: &'a Text,
    utf8: &'a [u8],
    dialect: CsvDialect,
}

impl Reading<'_> {
    /// Whether several tables may be looked for: no option says where the one table is.
    fn may_be_stacked(&self, context: &Context<'_>) -> bool {
        let parser = context.parser();
        let is_framed = parser.header.is_some()
            || parser.names.is_some()
            || parser.skiprows.is_some()
            || parser.skipfooter.is_some()
            || parser.byte_range.is_some()
            || parser.nrows.is_some();
        parser.stacked.unwrap_or(!is_framed)
    }

    /// The text as one table.
    fn one(&self, ahead: Option<Ahead>, context: &mut Context<'_>) -> Result<table::Found> {
        self.part(self.utf8, &self.dialect, false, ahead, context)
    }

    /// Each region's table.
    fn stacked(
        &self,
        regions: &[stack::Region],
        context: &mut Context<'_>,
    ) -> Result<Vec<RawTable>> {
        let mut tables = Vec::with_capacity(regions.len());
        for (index, region) in regions.iter().enumerate() {
            let part = &self.utf8[region.range.clone()];
            let skip_rows = if index == 0 { self.dialect.skip_rows } else { 0 };
            let dialect = CsvDialect { skip_rows, ..self.dialect.clone() };
            let table = self.part(part, &dialect, true, None, context)?.table;
            tables.push(RawTable { name: region.title.clone(), ..table });
        }
        Ok(tables)
    }

    fn part(
        &self,
        part: &[u8],
        dialect: &CsvDialect,
        is_stacked: bool,
        ahead: Option<Ahead>,
        context: &mut Context<'_>,
    ) -> Result<table::Found> {
        let place = Place::new(self.text, part);
        let frame = structure::frame(part, dialect, context);
        frame.raise(&place, context);
        dialect::report(dialect, &frame, is_stacked, Newlines::of(&self.text.survey), context);
        table::read(&place, self.text.utf8.slice_ref(part), dialect, &frame, ahead, context)
    }
}

/// NUL bytes stay where they are, but nobody meant them.
fn note_nuls(text: &Text, context: &mut Context<'_>) {
    let Some(first) = text.survey.first_nul else { return };
    let place = Place::new(text, &text.utf8);
    let count = text.survey.nuls;
    let message = match count {
        1 => "a NUL byte, kept as part of its cell".to_owned(),
        _ => format!("{count} NUL bytes, kept as part of their cells; this is the first"),
    };
    let issue = Issue::warning(Stage::Parse, Code::NulByte, message);
    let start = text.utf8[..first].iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
    let issue = place.mark(issue, start.map_or(0, |at| at + 1));
    context.reporter.push(issue.byte_offset(first as u64 + place.shift));
}

/// Where blank lines and rows of nothing but delimiters begin.
fn gaps(utf8: &[u8], dialect: &CsvDialect) -> Vec<usize> {
    // Most texts have no line of nothing but delimiters and blanks, which is soon seen.
    if let Delimiter::Bytes(mark) = &dialect.delimiter {
        let is_nothing = |byte: &u8| byte.is_ascii_whitespace() || mark.contains(byte);
        let begins_gap = |start: usize| {
            let line = utf8.get(start..).unwrap_or_default();
            let mut text = line.iter().take_while(|byte| !matches!(byte, b'\n' | b'\r'));
            !line.is_empty() && text.all(is_nothing)
        };
        let is_pair = |end: usize| utf8[end] == b'\r' && utf8.get(end + 1) == Some(&b'\n');
        let mut ends = memchr::memchr2_iter(b'\n', b'\r', utf8);
        if !begins_gap(0) && !ends.any(|end| !is_pair(end) && begins_gap(end + 1)) {
            return Vec::new();
        }
    }
    let dialect = CsvDialect { skip_blank_lines: false, ..dialect.clone() };
    let mut reader = RecordReader::new(utf8, &dialect);
    let mut record = Record::default();
    let mut gaps = Vec::new();
    while gaps.len() < stack::MOST_GAPS && reader.read(&mut record) {
        if record.cells(utf8).all(|(cell, quoted)| cell.trim_ascii().is_empty() && !quoted) {
            gaps.push(record.offset);
        }
    }
    gaps
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
