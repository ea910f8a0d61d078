//! Column names: given, in the first rows, or none.

use super::dialect::CsvDialect;
use super::records::{Record, RecordReader};
use super::sniff::{CellLook, look};
use crate::context::Context;
use crate::error::Result;
use crate::options::Header;
use crate::report::{Code, Issue, Stage};

/// The records, without the lines that `skiprows` lists.
#[derive(Clone)]
pub(super) struct Records<'a> {
    pub reader: RecordReader<'a>,
    /// Where the lines begin that are left out.
    skipped: &'a [usize],
}

impl<'a> Records<'a> {
    pub fn new(text: &'a [u8], dialect: &'a CsvDialect, skipped: &'a [usize]) -> Self {
        Records { reader: RecordReader::new(text, dialect), skipped }
    }

    /// The next record whose first line is not listed.
    pub fn read(&mut self, record: &mut Record) -> bool {
        while self.reader.read(record) {
            if self.skipped.binary_search(&record.offset).is_err() {
                return true;
            }
        }
        false
    }
}

/// So many rows are looked at to tell whether the first one is a header.
const SAMPLE_ROWS: usize = 100;

/// The column names, and where they came from. Afterwards the reader stands at the first data row.
pub(super) fn names(
    records: &mut Records<'_>,
    text: &[u8],
    dialect: &CsvDialect,
    context: &mut Context<'_>,
) -> Result<(Vec<String>, Header)> {
    let parser = context.parser();
    let header = match (&parser.header, &parser.names) {
        (Some(header), _) => header.clone(),
        (None, Some(_)) => Header::None,
        (None, None) if first_is_header(text, records.reader.offset(), dialect) => {
            Header::Rows(vec![0])
        }
        (None, None) => Header::None,
    };
    let found = match &header {
        Header::None => None,
        Header::Rows(rows) => Some(read_rows(records, text, rows, context)?),
    };
    let names = match (&parser.names, found) {
        (Some(names), found) => {
            let width =
                found.map_or_else(|| peek_width(text, records, dialect), |names| names.len());
            let mut names = names.clone();
            names.resize(width.max(names.len()), String::new());
            names
        }
        (None, Some(names)) => names,
        (None, None) => {
            let prefix = parser.prefix.as_deref().unwrap_or_default();
            (0..peek_width(text, records, dialect))
                .map(|index| format!("{prefix}{index}"))
                .collect()
        }
    };
    Ok((names, header))
}

/// Reads up to the last header row; several header rows are joined with a space.
fn read_rows(
    records: &mut Records<'_>,
    text: &[u8],
    rows: &[u64],
    context: &Context<'_>,
) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut record = Record::default();
    let last = rows.last().copied().unwrap_or_default();
    for row in 0..=last {
        if !records.read(&mut record) {
            let message = format!("header names row {row}, but the file ends before it");
            return Err(Issue::error(Stage::Parse, Code::BadOption, message).into());
        }
        if !rows.contains(&row) {
            continue;
        }
        let allowed = context.limits.columns;
        if record.len() > allowed {
            let message = format!("got {} columns, allowed are {allowed}", record.len());
            return Err(Issue::limit(Code::TooManyColumns, message, "columns").into());
        }
        names.resize(names.len().max(record.len()), String::new());
        for (name, (cell, _)) in names.iter_mut().zip(record.cells(text)) {
            let cell = String::from_utf8_lossy(cell);
            if !name.is_empty() && !cell.is_empty() {
                name.push(' ');
            }
            name.push_str(&cell);
        }
    }
    // Delimiters at the end of the header line name nothing.
    Ok(names)
}

/// The number of cells of most rows ahead.
fn peek_width(text: &[u8], records: &Records<'_>, dialect: &CsvDialect) -> usize {
    let rows = peek(text, records.reader.offset(), dialect);
    let mut counts: Vec<usize> = rows.iter().map(Vec::len).collect();
    counts.sort_unstable();
    let runs = counts.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| run.len()).and_then(|run| run.first().copied()).unwrap_or(1)
}

fn peek(text: &[u8], from: usize, dialect: &CsvDialect) -> Vec<Vec<CellLook>> {
    let mut reader = RecordReader::new(&text[from..], dialect);
    let mut record = Record::default();
    let mut rows = Vec::new();
    while rows.len() < SAMPLE_ROWS && reader.read(&mut record) {
        rows.push(record.cells(&text[from..]).map(|(cell, _)| look(cell)).collect());
    }
    rows
}

/// A first row of the same kinds as the rows below it is data; otherwise it is a header, which is
/// what most files have.
fn first_is_header(text: &[u8], from: usize, dialect: &CsvDialect) -> bool {
    let rows = peek(text, from, dialect);
    let Some((first, rest)) = rows.split_first() else { return true };
    if rest.is_empty() {
        // One row alone: a header without data, unless it holds values.
        return !first.iter().any(|look| look.is_value());
    }
    let values = first.iter().filter(|look| look.is_value()).count();
    if values == 0 {
        return true;
    }
    // Years over figures are a header: `country,2019,2020`.
    if first.iter().all(|look| matches!(look, CellLook::Text | CellLook::Year | CellLook::Empty)) {
        let as_below = first.iter().enumerate().filter(|(_, look)| **look == CellLook::Year).all(
            |(index, _)| rest.iter().filter_map(|row| row.get(index)).all(|l| *l == CellLook::Year),
        );
        if !as_below {
            return true;
        }
    }
    // Every value of the first row stands over values of its own kind.
    let fits = |index: usize, look: &CellLook| {
        rest.iter()
            .filter_map(|row| row.get(index))
            .all(|below| below.kind() == look.kind() || *below == CellLook::Empty)
    };
    !first.iter().enumerate().all(|(index, look)| !look.is_value() || fits(index, look))
}
