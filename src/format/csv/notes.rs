//! What is reported of columns and of values that do not fit.

use arrow::datatypes::DataType;

use super::Place;
use super::records::{Record, RecordReader};
use super::scan::Scan;
use crate::context::Context;
use crate::error::Result;
use crate::infer::{Ambiguity, BadValue, Seen};
use crate::options::dtype_name;
use crate::report::{Code, Issue, Stage, quote};

/// What a table's columns are called in messages, and what was seen of each.
pub(super) struct Columns<'a> {
    /// By position in the file.
    pub names: &'a [String],
    /// Columns without a name of their own.
    pub unnamed: &'a [bool],
    pub seen: &'a [Option<Seen>],
    pub long_floats: &'a [u64],
}

impl Columns<'_> {
    /// How the option `dtype` gives the column this type.
    fn dtype(&self, index: usize, data_type: &str) -> String {
        // A name that was made up is not in the file.
        match self.unnamed[index] {
            true => format!("dtype={{\"{index}\": \"{data_type}\"}}"),
            false => format!("dtype={{{:?}: \"{data_type}\"}}", self.names[index]),
        }
    }
}

/// Warnings on columns whose type is worth a word.
pub(super) fn columns(
    scan: &Scan,
    columns: &Columns<'_>,
    place: &Place<'_>,
    context: &mut Context<'_>,
) {
    let mut offsets = (0, Vec::new());
    for (index, name) in columns.names.iter().enumerate() {
        let inferred = &scan.columns[index].inferred;
        let long = inferred.long_floats + columns.long_floats[index];
        if long > 0 {
            let (numbers, have) = if long == 1 { ("number", "has") } else { ("numbers", "have") };
            let message = format!(
                "{long} {numbers} in column {name:?} {have} more than 17 digits; a float64 holds \
                 the nearest"
            );
            context.reporter.push(
                Issue::warning(Stage::Parse, Code::FloatPrecision, message)
                    .column(name)
                    .hint(format!("{} keeps every digit", columns.dtype(index, "str"))),
            );
        }
        if let Some(ambiguity) = inferred.ambiguous {
            context.reporter.push(ambiguous(name, ambiguity));
        }
        let Some(odd) = inferred.odd else { continue };
        if !context.reporter.has_room() {
            let inexact = inferred.inexact;
            let code = if inexact { Code::FloatPrecision } else { Code::MixedTypes };
            context.reporter.count(code, 1);
            continue;
        }
        let (row, text, offset) = cell(scan, index, odd, &mut offsets);
        let issue = if inferred.inexact {
            let message = format!(
                "column {name:?} is kept as text: \"{}\" in row {row} would not survive as a \
                 float64",
                quote(&text)
            );
            Issue::warning(Stage::Parse, Code::FloatPrecision, message)
                .hint(format!("{} takes the nearest float", columns.dtype(index, "float64")))
        } else {
            let seen = columns.seen[index].as_ref();
            let mixture = seen.map_or("values of several types".to_owned(), Seen::mixture);
            let what = match seen.is_some_and(|seen| seen.is_no_such_date(&text)) {
                true => "there is no such day as",
                false => "the first that stands out is",
            };
            let message = format!(
                "column {name:?} is kept as text: {mixture}; {what} \"{}\" in row {row}",
                quote(&text)
            );
            Issue::warning(Stage::Parse, Code::MixedTypes, message).hint(format!(
                "if it means null: {}; to have every such value listed: {}",
                null_option(&text),
                columns.dtype(index, "…")
            ))
        };
        let issue = issue.row(row).column(name);
        context.reporter.push(place.mark(issue, offset).raw(&text));
    }
}

/// How to say that a text means null.
fn null_option(text: &[u8]) -> String {
    let is_short = (1..=12).contains(&text.len());
    let is_plain = text.iter().all(|byte| byte.is_ascii_graphic() && !b"\"'`$,".contains(byte));
    match std::str::from_utf8(text) {
        Ok(text) if is_short && is_plain => format!("na_values={text}"),
        _ => "na_values".to_owned(),
    }
}

/// The row, from 1, the text and the place of a cell, counted from 0 down its column.
fn cell(
    scan: &Scan,
    column: usize,
    number: u64,
    offsets: &mut (usize, Vec<usize>),
) -> (u64, Vec<u8>, usize) {
    let chunk = scan.rows.partition_point(|before| *before <= number) - 1;
    let row = (number - scan.rows[chunk]) as usize;
    // Many columns have their odd value in the same chunk, whose rows are looked for once.
    if offsets.0 != chunk || offsets.1.is_empty() {
        *offsets = (chunk, scan.row_offsets(chunk));
    }
    let start = offsets.1.get(row).copied().unwrap_or(scan.starts[chunk]);
    let mut record = Record::default();
    let mut reader = RecordReader::starting_at(&scan.text, &scan.dialect, start);
    let cell = reader.read(&mut record).then(|| record.cell(&scan.text, column)).flatten();
    let text = cell.map_or(Vec::new(), |(text, _)| text.to_vec());
    (number + 1, text, record.cell_offset(column).unwrap_or(start))
}

/// The issue of a column that nothing in it settles.
fn ambiguous(name: &str, ambiguity: Ambiguity) -> Issue {
    let issue = |code, what, hint: &str| {
        let message = format!("column {name:?} is kept as text: {what}");
        Issue::warning(Stage::Parse, code, message).column(name).hint(hint)
    };
    match ambiguity {
        Ambiguity::Dates => issue(
            Code::AmbiguousDate,
            "nothing in its dates says which number is the day",
            "dayfirst=true if the day stands before the month, dayfirst=false if behind",
        ),
        Ambiguity::Numbers => issue(
            Code::AmbiguousNumber,
            "nothing in its numbers says whether the mark sets off thousands or decimals",
            "name the mark: thousands=\",\" or decimal=\",\"; with points, thousands=\".\" and \
             decimal=\",\"",
        ),
    }
}

/// So many values that do not fit are listed; all are counted.
const BAD_VALUES_LISTED: usize = 20;

/// Values that do not fit the type that was asked for.
#[derive(Default)]
pub(super) struct BadValues {
    listed: Vec<Issue>,
    further: u64,
}

impl BadValues {
    pub(super) fn note(
        &mut self,
        scan: &Scan,
        (column, name): (usize, &str),
        chunk: usize,
        bad_values: Vec<BadValue>,
        place: &Place<'_>,
        context: &mut Context<'_>,
    ) -> Result<()> {
        if bad_values.is_empty() {
            return Ok(());
        }
        let room = BAD_VALUES_LISTED - self.listed.len();
        self.further += bad_values.len().saturating_sub(room) as u64;
        let wanted = if context.wants_rejects() { usize::MAX } else { room };
        if wanted == 0 {
            return Ok(());
        }
        let data_type = &scan.columns[column].inferred.data_type;
        let offsets = scan.row_offsets(chunk);
        let mut record = Record::default();
        for (index, bad) in bad_values.into_iter().take(wanted).enumerate() {
            let row = scan.rows[chunk] + bad.row as u64 + 1;
            let issue = bad_value(name, data_type, row, &bad.text);
            let start = offsets[bad.row];
            RecordReader::starting_at(&scan.text, &scan.dialect, start).read(&mut record);
            let offset = record.cell_offset(column).unwrap_or(start);
            let raw = issue.raw.clone();
            let issue = Issue { raw, ..place.mark(issue, offset) };
            context.reject(&issue, &bad.text)?;
            if index < room {
                self.listed.push(issue);
            }
        }
        Ok(())
    }

    /// All but the last go to the report; the last is the error.
    pub(super) fn raise(self, context: &mut Context<'_>) -> Result<()> {
        context.reporter.count(Code::BadValue, self.further);
        let mut issues = self.listed.into_iter();
        let Some(last) = issues.next_back() else { return Ok(()) };
        issues.for_each(|issue| context.reporter.push(issue));
        Err(last.into())
    }
}

/// The issue of a value that does not fit.
pub fn bad_value(column: &str, data_type: &DataType, row: u64, text: &[u8]) -> Issue {
    let wanted = match data_type {
        DataType::Date32 => "date".to_owned(),
        other => dtype_name(other),
    };
    let message =
        format!("row {row} of column {column:?}: got \"{}\", expected {wanted}", quote(text));
    Issue::error(Stage::Parse, Code::BadValue, message)
        .row(row)
        .column(column)
        .raw(text)
        .hint(format!("leave {column} out of the option dtype to have its type found out"))
}
