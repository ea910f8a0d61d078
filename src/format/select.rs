//! The options that pick columns and rows, the same for every format.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::RawTable;
use super::csv::unknown_column;
use crate::context::Context;
use crate::error::Result;
use crate::options::{Dtypes, ParseDates, SkipRows};
use crate::report::{Code, Issue, Stage};

/// The positions that `usecols` asks for; `None` for all. A number is a position unless a column is
/// called so.
pub(super) fn wanted_columns(
    names: &[String],
    context: &Context<'_>,
) -> Result<Option<HashSet<usize>>> {
    let Some(wanted) = &context.parser().usecols else { return Ok(None) };
    let find = |column: &String| {
        let by_name = names.iter().position(|name| name == column);
        let by_position = || column.parse().ok().filter(|index| *index < names.len());
        by_name.or_else(by_position).ok_or_else(|| unknown_column("usecols", column, names).into())
    };
    wanted.iter().map(find).collect::<Result<HashSet<usize>>>().map(Some)
}

/// Options that name columns which are not there are errors, not wishes.
pub(super) fn check_named_columns(names: &[String], context: &Context<'_>) -> Result<()> {
    match missing_columns(names, context).first() {
        Some((option, column)) => Err(unknown_column(option, column, names).into()),
        None => Ok(()),
    }
}

/// The columns that options name and that are not among these, each with its option.
pub(super) fn missing_columns(
    names: &[String],
    context: &Context<'_>,
) -> Vec<(&'static str, String)> {
    let exists = |column: &str| {
        names.iter().any(|name| name == column)
            || column.parse::<usize>().is_ok_and(|index| index < names.len())
    };
    let parser = context.parser();
    let mut missing = Vec::new();
    if let Some(Dtypes::ByName(types)) = &parser.dtype {
        let absent = types.keys().filter(|column| !exists(column));
        missing.extend(absent.map(|column| ("dtype", column.clone())));
    }
    if let Some(ParseDates::Columns(columns)) = &parser.parse_dates {
        let absent = columns.iter().filter(|column| !exists(column));
        missing.extend(absent.map(|column| ("parse_dates", column.clone())));
    }
    missing
}

/// The columns and rows that the options ask for out of a table that is already typed.
pub(super) fn select(table: RawTable, context: &mut Context<'_>) -> Result<RawTable> {
    let skip = skipped_rows(context);
    select_behind(table, skip, context)
}

/// How many rows `skiprows` leaves out at the top of a table that is already typed.
pub(super) fn skipped_rows(context: &mut Context<'_>) -> u64 {
    match &context.parser().skiprows {
        Some(SkipRows::First(rows)) => *rows,
        Some(SkipRows::Lines(_)) => {
            let message = "skiprows as a list has no meaning for this format";
            context.reporter.push(
                Issue::warning(Stage::Parse, Code::OptionIgnored, message)
                    .hint("give the number of rows to leave out at the top"),
            );
            0
        }
        None => 0,
    }
}

/// The same for a format whose rows `skiprows` does not count.
pub(super) fn select_but_skip(table: RawTable, context: &mut Context<'_>) -> Result<RawTable> {
    select_behind(table, 0, context)
}

fn select_behind(mut table: RawTable, skip: u64, context: &Context<'_>) -> Result<RawTable> {
    let names: Vec<String> = table.schema.fields().iter().map(|f| f.name().clone()).collect();
    if let Some(wanted) = wanted_columns(&names, context)? {
        let mut indices: Vec<usize> = wanted.into_iter().collect();
        indices.sort_unstable();
        let corrupt = |error: arrow::error::ArrowError| {
            Issue::error(Stage::Parse, Code::Corrupt, error.to_string())
        };
        let batches = table.batches.iter().map(|batch| batch.project(&indices));
        table.batches = batches.collect::<Result<_, _>>().map_err(corrupt)?;
        table.schema = Arc::new(table.schema.project(&indices).map_err(corrupt)?);
    }
    table.batches = slice(table.batches, skip, context.parser().nrows.unwrap_or(u64::MAX));
    Ok(table)
}

fn slice(batches: Vec<RecordBatch>, mut skip: u64, mut left: u64) -> Vec<RecordBatch> {
    if skip == 0 && left == u64::MAX {
        return batches;
    }
    let mut kept = Vec::new();
    for batch in batches {
        let rows = batch.num_rows() as u64;
        let start = skip.min(rows);
        let length = left.min(rows - start);
        skip -= start;
        left -= length;
        if length > 0 {
            kept.push(batch.slice(start as usize, length as usize));
        }
    }
    kept
}
