//! What is reported of columns and of values that do not fit.

use arrow::datatypes::DataType;

use super::Place;
use super::scan::Scan;
use crate::context::Context;
use crate::error::Result;
use crate::infer::{Ambiguity, BadValue};
use crate::options::dtype_name;
use crate::report::{Code, Issue, Stage, quote};

/// Warnings on columns whose type is worth a word.
pub(super) fn columns(
    scan: &Scan,
    names: &[String],
    long_floats: &[u64],
    place: &Place<'_>,
    context: &mut Context<'_>,
) {
    for (index, name) in names.iter().enumerate() {
        let inferred = &scan.columns[index].inferred;
        let long = inferred.long_floats + long_floats[index];
        if long > 0 {
            let message = format!(
                "{long} numbers in column {name:?} have more than 17 digits; a float64 holds the \
                 nearest"
            );
            context.reporter.push(
                Issue::warning(Stage::Parse, Code::FloatPrecision, message)
                    .column(name)
                    .hint(format!("dtype={{{name:?}: \"str\"}} keeps every digit")),
            );
        }
        if let Some(ambiguity) = inferred.ambiguous {
            context.reporter.push(ambiguous(name, ambiguity));
        }
        if let Some(odd) = inferred.odd {
            let chunk = scan.rows.partition_point(|before| *before <= odd) - 1;
            let row = (odd - scan.rows[chunk]) as usize;
            let text = &scan.cell(index, chunk, row);
            let row_number = odd + 1;
            let message = format!(
                "column {name:?} is kept as text: its values are of several types, \"{}\" in row \
                 {row_number} is the first that stands out",
                quote(text)
            );
            let issue = Issue::warning(Stage::Parse, Code::MixedTypes, message);
            let issue = issue.row(row_number).column(name);
            let issue = place.mark(issue, scan.row_offset(chunk, row));
            context.reporter.push(issue.raw(text).hint(format!(
                "if it means null: na_values; to have every such value listed: dtype={{{name:?}: …}}"
            )));
        }
    }
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
        name: &str,
        column: usize,
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
        for (index, bad) in bad_values.into_iter().take(wanted).enumerate() {
            let row = scan.rows[chunk] + bad.row as u64 + 1;
            let issue = bad_value(name, data_type, row, &bad.text);
            let raw = issue.raw.clone();
            let issue = Issue { raw, ..place.mark(issue, offsets[bad.row]) };
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
        .hint(format!("drop {column} from parser_options.dtype to infer it"))
}
