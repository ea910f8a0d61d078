//! Column names: given, in the header rows, or made of positions.

use super::dialect::{CsvDialect, Delimiter};
use super::records::{Record, RecordReader};
use super::score::usual_width;
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

/// So many rows are looked at to tell how wide a table without a header is.
const SAMPLE_ROWS: usize = 100;
/// Of very long rows so many bytes are enough, but at least ten rows.
const SAMPLE_BYTES: usize = 64 << 10;

fn is_enough(rows: usize, bytes: usize) -> bool {
    rows >= SAMPLE_ROWS || rows >= 10 && bytes >= SAMPLE_BYTES
}

/// The column names. Afterwards the reader stands at the first data row.
pub(super) fn names(
    records: &mut Records<'_>,
    text: &[u8],
    dialect: &CsvDialect,
    header: &Header,
    context: &mut Context<'_>,
) -> Result<Vec<String>> {
    let parser = context.parser();
    let found = match header {
        Header::None => None,
        Header::Rows(rows) => {
            let mut names = read_rows(records, text, rows, context)?;
            if parser.names.is_none() {
                fit_rows(&mut names, text, records, dialect, context);
            }
            Some(names)
        }
    };
    Ok(match (&parser.names, found) {
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
    })
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
            let (code, message) = match context.parser().header {
                Some(_) => (
                    Code::BadOption,
                    format!("header names row {row}, but the file ends before it"),
                ),
                None => {
                    (Code::Empty, "the file ends before a row that could be a header".to_owned())
                }
            };
            return Err(Issue::error(Stage::Parse, code, message).into());
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

/// Makes the names those of the rows ahead. R writes no name for the column of row names: where
/// nearly all rows have one cell more than there are names, the first column has none. Delimiters
/// at the end of the header and of all rows make no column.
fn fit_rows(
    names: &mut Vec<String>,
    text: &[u8],
    records: &Records<'_>,
    dialect: &CsvDialect,
    context: &mut Context<'_>,
) {
    let mut ahead = records.clone();
    let mut record = Record::default();
    let (mut rows, mut longer, mut filled) = (0usize, 0usize, false);
    let mut widest = 0;
    let start = ahead.reader.offset();
    while !is_enough(rows, ahead.reader.offset() - start) && ahead.read(&mut record) {
        rows += 1;
        longer += usize::from(record.len() == names.len() + 1);
        filled |= record.cell(text, names.len()).is_some_and(|(cell, _)| !cell.is_empty());
        let holds = |(cell, quoted): (&[u8], bool)| quoted || !cell.is_empty();
        let last = record.cells(text).enumerate().filter(|(_, cell)| holds(*cell)).last();
        widest = widest.max(last.map_or(0, |(index, _)| index + 1));
    }
    if rows > 1 && longer * 20 >= rows * 19 && filled {
        names.insert(0, String::new());
        let message = "rows have one cell more than the header has names; the first column has \
                       no name, as R writes the names of rows";
        let issue = Issue::warning(Stage::Parse, Code::LongRow, message);
        context
            .reporter
            .push(issue.hint("set names=[...] and skiprows to name the columns in another way"));
        return;
    }
    let is_cut = matches!(&dialect.delimiter, Delimiter::Bytes(_));
    if rows > 0 && is_cut && widest > 0 {
        let named = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        names.truncate(named.max(widest));
    }
}

/// The number of cells of most rows ahead.
fn peek_width(text: &[u8], records: &Records<'_>, dialect: &CsvDialect) -> usize {
    let ahead = &text[records.reader.offset()..];
    let mut reader = RecordReader::new(ahead, dialect);
    let mut record = Record::default();
    let mut widths = Vec::new();
    while !is_enough(widths.len(), reader.offset()) && reader.read(&mut record) {
        widths.push(record.len());
    }
    let narrow = widths.iter().filter(|width| **width <= 1).count();
    if narrow * 2 > widths.len() { 1 } else { usual_width(widths.into_iter()) }
}
