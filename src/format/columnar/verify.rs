//! All values decoded and none kept: nulls are counted, and what the metadata says of rows, nulls and
//! bounds is held against them.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Datum};
use arrow::array::{RecordBatch, Scalar};
use arrow::compute::kernels::cmp;
use arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use arrow::error::ArrowError;

use super::{Bounds, Span, Units, batch_rows, fewer, is_overflow, read_job, shared_out, unit_name};
use crate::error::Result;
use crate::report::{Code, Issue, Stage};

/// What a contradiction may mean.
const HINT: &str = "either is wrong: compare with where the file comes from";

/// Rows of a batch: none is kept, and a large one gains nothing.
const ROWS: usize = 4 << 10;
/// Issues of wrong statistics that are worth their text; one column of many row groups is one.
const LISTED: usize = 100;

/// What was found out.
pub(in super::super) struct Found {
    pub nulls: Vec<u64>,
    pub issues: Vec<Issue>,
}

/// What one job finds: for each of its columns nulls, and values outside of the bounds.
#[derive(Default)]
struct Seen {
    nulls: Vec<u64>,
    outside: Vec<u64>,
}

/// A row group whose rows are not as many as it says.
pub(in super::super) fn wrong_rows(span: &Span, rows: u64, format: &str) -> Issue {
    let name = unit_name(format);
    let message = format!("{name} {} has {rows} rows, its metadata says {}", span.unit, span.rows);
    Issue::warning(Stage::Parse, Code::WrongStatistics, message)
}

/// Decodes all that the plan has.
pub(in super::super) fn verify(units: &dyn Units, bounds: &Bounds) -> Result<Found> {
    let mut rows = batch_rows(units).min(ROWS);
    loop {
        match try_verify(units, bounds, rows) {
            Err(error) if rows > 1 && is_overflow(&error) => rows = fewer(rows),
            other => return other,
        }
    }
}

fn try_verify(units: &dyn Units, bounds: &Bounds, rows: usize) -> Result<Found> {
    let columns = units.schema().fields().len();
    let mut found = Found { nulls: vec![0; columns], issues: Vec::new() };
    let job = |span: &Span, columns: &[usize]| {
        let limits = columns.iter().map(|column| units.claimed_bounds(span, *column));
        let limits: Vec<Option<Between>> = limits.collect();
        read_job(units, span, columns, rows, bounds, |seen: &mut Seen, batch| {
            see(seen, &batch, &limits);
            Ok(())
        })
    };
    shared_out(units, bounds, bounds.threads * 4, job, |span, sets, parts| {
        let mut rows = span.rows as u64;
        for (set, part) in sets.iter().zip(&parts) {
            rows = if part.rows == span.rows as u64 { rows } else { part.rows };
            for (index, column) in set.iter().enumerate() {
                let nulls = part.found.nulls.get(index).copied().unwrap_or_default();
                let outside = part.found.outside.get(index).copied().unwrap_or_default();
                found.nulls[*column] += nulls;
                note(units, span, bounds.format, *column, nulls, outside, &mut found.issues);
            }
        }
        if rows != span.rows as u64 {
            found.issues.push(wrong_rows(span, rows, bounds.format));
        }
        Ok(true)
    })?;
    Ok(found)
}

fn see(seen: &mut Seen, batch: &RecordBatch, limits: &[Option<Between>]) {
    seen.nulls.resize(limits.len(), 0);
    seen.outside.resize(limits.len(), 0);
    for (index, column) in batch.columns().iter().enumerate() {
        seen.nulls[index] += column.logical_null_count() as u64;
        if let Some(limits) = &limits[index] {
            seen.outside[index] += limits.outside(column);
        }
    }
}

fn note(
    units: &dyn Units,
    span: &Span,
    format: &str,
    column: usize,
    nulls: u64,
    outside: u64,
    issues: &mut Vec<Issue>,
) {
    let name = units.schema().field(column).name();
    let unit = format!("{} {}", unit_name(format), span.unit);
    let mut push = |message: String| {
        if issues.len() < LISTED {
            let issue = Issue::warning(Stage::Parse, Code::WrongStatistics, message);
            issues.push(issue.column(name).hint(HINT));
        }
    };
    let claimed = units.claimed_nulls(span, column);
    if let Some(claimed) = claimed.filter(|claimed| *claimed != nulls) {
        push(format!("{unit} has {nulls} nulls, its statistics say {claimed}"));
    }
    if outside > 0 {
        let values = if outside == 1 { "1 value".to_owned() } else { format!("{outside} values") };
        push(format!("{unit} has {values} outside of its statistics' bounds"));
    }
}

/// The smallest and the largest value of a column, as the metadata has them: arrays of one value.
pub(in super::super) struct Between {
    least: ArrayRef,
    most: ArrayRef,
}

impl Between {
    /// Of two arrays of one value each, of the column's type.
    pub fn new(least: ArrayRef, most: ArrayRef) -> Option<Self> {
        let is_one = |array: &ArrayRef| array.len() == 1 && array.is_valid(0);
        (is_one(&least) && is_one(&most)).then_some(Between { least, most })
    }

    /// How many values are smaller or larger.
    fn outside(&self, values: &ArrayRef) -> u64 {
        match values.data_type() {
            DataType::Float16 => self.outside_floats::<Float16Type>(values),
            DataType::Float32 => self.outside_floats::<Float32Type>(values),
            DataType::Float64 => self.outside_floats::<Float64Type>(values),
            _ => {
                let least: &dyn Datum = &Scalar::new(&self.least);
                let most: &dyn Datum = &Scalar::new(&self.most);
                let count = |found: std::result::Result<BooleanArray, ArrowError>| {
                    found.map_or(0, |found| found.true_count() as u64)
                };
                count(cmp::lt(values, least)) + count(cmp::gt(values, most))
            }
        }
    }

    /// Bounds of floats leave out what is no number, and do not tell one zero from the other.
    fn outside_floats<T: ArrowPrimitiveType>(&self, values: &ArrayRef) -> u64 {
        let one = |array: &ArrayRef| array.as_primitive_opt::<T>().map(|array| array.value(0));
        let (Some(least), Some(most)) = (one(&self.least), one(&self.most)) else { return 0 };
        let Some(values) = values.as_primitive_opt::<T>() else { return 0 };
        values.iter().flatten().filter(|value| *value < least || *value > most).count() as u64
    }
}
