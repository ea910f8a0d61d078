//! Delimited text: comma, tab, semicolon, pipe or any other; with or without header.
//!
//! Takes text in any encoding; finds the dialect; reads all cells as text and infers types over all
//! rows. Rows that are too short are padded with nulls, longer ones make columns; both are reported.
//! Refuses text that is blank throughout, and rows of the wrong length if `on_bad_lines=error`.

mod comment;
mod dialect;
mod footer;
mod header;
mod lines;
mod look;
mod names;
mod records;
mod rows;
mod sample;
mod score;
mod sniff;
mod stack;
mod structure;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod cases_exports;
#[cfg(test)]
mod cases_structure;
#[cfg(test)]
mod round_trip;

use std::cell::Cell;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};

use super::{FormatReader, Input, RawTable};
use crate::context::Context;
use crate::detect::encoding::{Text, decode};
use crate::detect::{Confidence, Signature, looks_like_text};
use crate::error::Result;
use crate::infer::{BadValue, ColumnRules, Inferred, Rules, convert, infer};
use crate::options::{FileType, dtype_name, nearest};
use crate::report::{Code, Issue, Stage, quote};

pub use dialect::CsvDialect;
pub use records::{Field as RecordField, Record, RecordReader};
use rows::TextTable;

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
        let text = decode(&input.bytes, context)?;
        let utf8 = dialect::byte_range(&text.utf8, context);
        if utf8.trim_ascii().is_empty() {
            let issue = Issue::error(Stage::Parse, Code::Empty, "the file holds only blank lines");
            return Err(issue.line(1).byte_offset(0).into());
        }
        let dialect = dialect::settle(utf8, &input.name, context);
        let newlines = dialect::Newlines::count(utf8);
        let parser = context.parser();
        let is_framed = parser.header.is_some()
            || parser.names.is_some()
            || parser.skiprows.is_some()
            || parser.skipfooter.is_some()
            || parser.byte_range.is_some()
            || parser.nrows.is_some();
        let regions = match parser.stacked {
            Some(true) => stack::regions(utf8, &dialect, &gaps(utf8, &dialect)),
            None if !is_framed => stack::regions(utf8, &dialect, &gaps(utf8, &dialect)),
            _ => Vec::new(),
        };
        if let [_, _, ..] = regions.as_slice() {
            return stacked(&text, utf8, &regions, &dialect, newlines, context);
        }
        let place = Place::new(&text, utf8);
        let frame = structure::frame(utf8, &dialect, context);
        frame.raise(&place, context);
        let table = rows::read(&place, &dialect, &frame, context)?;
        dialect::report(&dialect, &frame, false, newlines, context);
        typed(table, &place, context).map(|table| vec![table])
    }
}

/// Each region's table.
fn stacked(
    text: &Text,
    utf8: &[u8],
    regions: &[stack::Region],
    dialect: &CsvDialect,
    newlines: dialect::Newlines,
    context: &mut Context<'_>,
) -> Result<Vec<RawTable>> {
    let mut tables = Vec::with_capacity(regions.len());
    for (index, region) in regions.iter().enumerate() {
        let part = &utf8[region.range.clone()];
        let skip_rows = if index == 0 { dialect.skip_rows } else { 0 };
        let dialect = CsvDialect { skip_rows, ..dialect.clone() };
        let place = Place::new(text, part);
        let frame = structure::frame(part, &dialect, context);
        frame.raise(&place, context);
        let table = rows::read(&place, &dialect, &frame, context)?;
        dialect::report(&dialect, &frame, true, newlines, context);
        let table = typed(table, &place, context)?;
        tables.push(RawTable { name: region.title.clone(), ..table });
    }
    Ok(tables)
}

/// Where blank lines and rows of nothing but delimiters begin.
fn gaps(utf8: &[u8], dialect: &CsvDialect) -> Vec<usize> {
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

/// The text that rows lie in, to turn offsets into places for messages.
pub(super) struct Place<'a> {
    utf8: &'a [u8],
    shift: u64,
    /// The last offset asked for and its line: issues mostly come in the order of the file, and
    /// counting lines from its start for each would take long in a large one.
    last: Cell<(usize, u64)>,
    /// The line that the text begins in, where `byte_range` cut off what is above.
    first_line: u64,
    /// What ends a line: `\r` where there is no `\n`.
    newline: u8,
}

impl<'a> Place<'a> {
    /// Of a part of the text.
    fn new(text: &Text, part: &'a [u8]) -> Self {
        let start = part.as_ptr() as usize - text.utf8.as_ptr() as usize;
        let has_newlines = memchr::memchr(b'\n', &text.utf8).is_some();
        let newline = if has_newlines { b'\n' } else { b'\r' };
        let above = memchr::memchr_iter(newline, &text.utf8[..start]).count() as u64;
        let first_line = above + 1;
        let shift = text.shift + start as u64;
        Place { utf8: part, shift, last: Cell::new((0, first_line)), first_line, newline }
    }

    /// The line, from 1, of an offset.
    fn line(&self, offset: usize) -> u64 {
        let (from, line) = match self.last.get() {
            last if last.0 <= offset => last,
            _ => (0, self.first_line),
        };
        let passed = &self.utf8[from..offset];
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

/// Infers each column's type over all rows and converts it.
fn typed(mut table: TextTable, place: &Place<'_>, context: &mut Context<'_>) -> Result<RawTable> {
    select_columns(&mut table, context)?;
    let rules = Rules::for_text(context.parser(), &table.names);
    let columns: Vec<(ColumnRules, Inferred)> = table
        .names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let rules = rules.column(name, table.positions[index]);
            let inferred = infer(table.chunks.iter().map(|chunk| &chunk.columns[index]), &rules);
            (rules, inferred)
        })
        .collect();
    note_columns(&table, &columns, place, context);
    let fields: Vec<Field> = table
        .names
        .iter()
        .zip(&columns)
        .map(|(name, (_, inferred))| Field::new(name, inferred.data_type.clone(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let mut bad_values = BadValues::default();
    let mut batches = Vec::with_capacity(table.chunks.len());
    let mut first_row = 0;
    for chunk in &table.chunks {
        let mut arrays = Vec::with_capacity(columns.len());
        for (index, (rules, inferred)) in columns.iter().enumerate() {
            let name = &table.names[index];
            arrays.push(convert(&chunk.columns[index], inferred, rules, &mut |bad| {
                bad_values.note(name, &inferred.data_type, first_row, &chunk.offsets, bad);
            }));
        }
        let options =
            arrow::array::RecordBatchOptions::new().with_row_count(Some(chunk.offsets.len()));
        let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
            .map_err(|error| Issue::error(Stage::Parse, Code::Corrupt, error.to_string()))?;
        batches.push(batch);
        first_row += chunk.offsets.len() as u64;
    }
    bad_values.raise(place, context)?;
    Ok(RawTable { name: None, schema, batches })
}

/// `usecols`: the columns wanted, in the order of the file.
fn select_columns(table: &mut TextTable, context: &mut Context<'_>) -> Result<()> {
    super::select::check_named_columns(&table.names, context)?;
    let Some(wanted) = super::select::wanted_columns(&table.names, context)? else { return Ok(()) };
    let keep = |index: usize| wanted.contains(&index);
    for chunk in &mut table.chunks {
        let mut index = 0;
        chunk.columns.retain(|_| {
            index += 1;
            keep(index - 1)
        });
    }
    let names = std::mem::take(&mut table.names).into_iter().enumerate();
    (table.positions, table.names) = names.filter(|(index, _)| keep(*index)).unzip();
    Ok(())
}

/// Warnings on columns whose type is worth a word.
fn note_columns(
    table: &TextTable,
    columns: &[(ColumnRules, Inferred)],
    place: &Place<'_>,
    context: &mut Context<'_>,
) {
    for (index, (name, (_, inferred))) in table.names.iter().zip(columns).enumerate() {
        if inferred.long_floats > 0 {
            let message = format!(
                "{} numbers in column {name:?} have more than 17 digits; a float64 holds the nearest",
                inferred.long_floats
            );
            context.reporter.push(
                Issue::warning(Stage::Parse, Code::FloatPrecision, message)
                    .column(name)
                    .hint(format!("dtype={{{name:?}: \"str\"}} keeps every digit")),
            );
        }
        if let Some((part, row)) = inferred.odd {
            let chunk = &table.chunks[part];
            let before: usize = table.chunks[..part].iter().map(|c| c.offsets.len()).sum();
            let (text, _) = chunk.columns[index].get(row).unwrap_or_default();
            let row_number = (before + row) as u64 + 1;
            let message = format!(
                "column {name:?} is kept as text: its values are of several types, \"{}\" in row \
                 {row_number} is the first that stands out",
                quote(text)
            );
            let issue = Issue::warning(Stage::Parse, Code::MixedTypes, message);
            let issue = issue.row(row_number).column(name);
            let issue = place.mark(issue, chunk.offsets[row] as usize);
            context.reporter.push(issue.raw(text).hint(format!(
                "if it means null: na_values; to have every such value listed: dtype={{{name:?}: …}}"
            )));
        }
    }
}

/// So many values that do not fit are listed; all are counted.
const BAD_VALUES_LISTED: usize = 20;

/// Values that do not fit the type that was asked for.
#[derive(Default)]
pub(super) struct BadValues {
    listed: Vec<(Issue, usize)>,
    further: u64,
}

impl BadValues {
    fn note(
        &mut self,
        column: &str,
        data_type: &arrow::datatypes::DataType,
        first_row: u64,
        offsets: &[u64],
        bad: BadValue,
    ) {
        if self.listed.len() == BAD_VALUES_LISTED {
            self.further += 1;
            return;
        }
        let row = first_row + bad.row as u64 + 1;
        let issue = bad_value(column, data_type, row, &bad.text);
        self.listed.push((issue, offsets[bad.row] as usize));
    }

    /// All but the last go to the report; the last is the error.
    fn raise(self, place: &Place<'_>, context: &mut Context<'_>) -> Result<()> {
        context.reporter.count(Code::BadValue, self.further);
        let mut issues = self.listed.into_iter().map(|(issue, row_offset)| {
            let raw = issue.raw.clone();
            let marked = place.mark(issue, row_offset);
            Issue { raw, ..marked }
        });
        let Some(last) = issues.next_back() else { return Ok(()) };
        issues.for_each(|issue| context.reporter.push(issue));
        Err(last.into())
    }
}

/// The issue of a value that does not fit.
pub(super) fn bad_value(
    column: &str,
    data_type: &arrow::datatypes::DataType,
    row: u64,
    text: &[u8],
) -> Issue {
    let wanted = match data_type {
        arrow::datatypes::DataType::Date32 => "date".to_owned(),
        other => dtype_name(other),
    };
    let message =
        format!("row {row} of column {column:?}: got \"{}\", expected {wanted}", quote(text));
    Issue::error(Stage::Parse, Code::BadValue, message)
        .row(row)
        .column(column)
        .raw(text)
        .hint(format!("drop {column} from parser_options.dtype to infer it"))
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
