//! What the readers of Parquet and ORC share: a file of units (row groups, stripes), each cut by
//! columns into jobs for several threads; batches of rows come back in order.

mod joined;
mod keep;
mod messages;
mod sizes;
mod streamed;
mod values;
mod verify;

use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use self::keep::Keeper;
use self::messages::is_overflow;
use self::sizes::Decoded;
use self::values::check_batch;
use super::chunks::ordered;
use crate::decompress::Budget;
use crate::error::{Error, Result};
use crate::guard::guarded;
use crate::limits::Limits;
use crate::report::{Code, Issue, Stage};

pub(super) use self::joined::{end_of_first, joined};
pub(super) use self::messages::{arrow_error, plain};
pub(super) use self::streamed::InFile;
pub(super) use self::values::check_values;
pub(super) use self::verify::{Between, verify, wrong_rows};

/// Rows of a batch, where its values leave room for so many.
pub(super) const BATCH_ROWS: usize = 64 << 10;
/// Bytes of a batch as the file has them, dictionaries apart, if it has more than one row.
const BATCH_BYTES: u64 = 128 << 20;
/// Jobs for each thread: few enough to cost nothing, many enough for the threads to end together.
const JOBS: usize = 8;

/// Some rows of one unit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    /// The row group or stripe.
    pub unit: usize,
    /// The first row, counted in the unit.
    pub offset: usize,
    /// How many rows.
    pub rows: usize,
    /// Whether these are all rows that the unit says it has.
    pub whole: bool,
}

/// What of a file is to be read: columns, and units with their rows.
pub(super) trait Units: std::fmt::Debug + Send + Sync {
    /// The columns to read.
    fn schema(&self) -> &SchemaRef;

    /// The rows to read, in order.
    fn spans(&self) -> &[Span];

    /// Bytes that a unit of the file has, inflated.
    fn bytes(&self, unit: usize) -> u64;

    /// How much work a column is, compared with the others.
    fn weight(&self, column: usize) -> u64;

    /// How many nulls the metadata says a column of a span has; `None` where it does not say, and of
    /// columns that are nested.
    fn claimed_nulls(&self, span: &Span, column: usize) -> Option<u64>;

    /// Between what the values of a column of a span are, as the metadata says.
    fn claimed_bounds(&self, span: &Span, column: usize) -> Option<Between>;

    /// Reads some columns of a span in batches of so many rows, until `take` gives `false`. Gives the
    /// bytes that came out of compressions.
    fn read(
        &self,
        span: &Span,
        columns: &[usize],
        batch_rows: usize,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<u64>;
}

/// Where units are read: bounds and threads.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub limits: Limits,
    pub threads: usize,
    pub input: u64,
    /// The format, for messages.
    pub format: &'static str,
}

/// What a job has read.
pub(super) struct Read<T> {
    pub rows: u64,
    pub found: T,
    inflated: u64,
}

/// Which rows of a file the options ask for: of units with so many rows.
pub(super) fn spans(units: &[(usize, u64)], mut skip: u64, mut left: u64) -> Vec<Span> {
    let mut spans = Vec::new();
    for (unit, rows) in units {
        let start = skip.min(*rows);
        let length = left.min(rows - start);
        skip -= start;
        left -= length;
        // A unit that says it has no rows is looked into all the same.
        if length > 0 || (*rows == 0 && left > 0) {
            let (offset, length) = (start as usize, length as usize);
            let whole = length as u64 == *rows;
            spans.push(Span { unit: *unit, offset, rows: length, whole });
        }
    }
    spans
}

/// The same rows under these names of columns.
pub(super) fn renamed(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = batch.columns().to_vec();
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(arrow_error)
}

/// More rows than allowed are refused before anything is made of them.
pub(super) fn check_rows(rows: u64, limits: &Limits) -> Result<()> {
    if rows <= limits.rows {
        return Ok(());
    }
    let message = format!("got {rows} rows, allowed are {}", limits.rows);
    Err(Issue::limit(Code::TooManyRows, message, "rows").into())
}

/// All rows into memory.
pub(super) fn read_all(
    units: &dyn Units,
    bounds: &Bounds,
    note: &mut dyn FnMut(&Span, u64),
) -> Result<Vec<RecordBatch>> {
    let mut rows = batch_rows(units);
    loop {
        match try_read_all(units, bounds, rows, note) {
            // A dictionary's long values may be there so often that a batch cannot hold them.
            Err(error) if rows > 1 && is_overflow(&error) => rows = fewer(rows),
            other => return other,
        }
    }
}

fn try_read_all(
    units: &dyn Units,
    bounds: &Bounds,
    batch_rows: usize,
    note: &mut dyn FnMut(&Span, u64),
) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    let mut total = 0;
    keep::use_memory_again();
    let decoded = Decoded::new(&bounds.limits);
    let job = |span: &Span, columns: &[usize]| {
        kept_of(units, span, columns, batch_rows, bounds, &decoded)
    };
    shared_out(units, bounds, JOBS * bounds.threads, job, |span, sets, parts| {
        let whole = assemble(units, sets, parts, bounds)?;
        let rows = whole.iter().map(|batch| batch.num_rows() as u64).sum();
        note(span, rows);
        total += rows;
        check_rows(total, &bounds.limits)?;
        batches.extend(whole);
        Ok(true)
    })?;
    Ok(batches)
}

/// Rows of a batch where so many were too many.
fn fewer(rows: usize) -> usize {
    (rows / 32).max(1)
}

/// What a unit of a format is called.
pub(super) fn unit_name(format: &str) -> &'static str {
    if format == "orc" { "stripe" } else { "row group" }
}

/// Runs `job` for sets of columns of each span, and hands over what it found in a span's sets together.
pub(super) fn shared_out<T: Send>(
    units: &dyn Units,
    bounds: &Bounds,
    ahead: usize,
    job: impl Fn(&Span, &[usize]) -> Result<Read<T>> + Sync,
    take: impl FnMut(&Span, &[Vec<usize>], Vec<Read<T>>) -> Result<bool>,
) -> Result<()> {
    shared_out_of(units, units.spans(), bounds, ahead, job, take)
}

fn shared_out_of<T: Send>(
    units: &dyn Units,
    spans: &[Span],
    bounds: &Bounds,
    ahead: usize,
    job: impl Fn(&Span, &[usize]) -> Result<Read<T>> + Sync,
    mut take: impl FnMut(&Span, &[Vec<usize>], Vec<Read<T>>) -> Result<bool>,
) -> Result<()> {
    let sets = column_sets(units, spans.len(), bounds.threads);
    let mut budget = Budget::new(bounds.input, &bounds.limits);
    let mut parts = Vec::with_capacity(sets.len());
    let one = |(): &mut (), index: usize| {
        let (span, columns) = (&spans[index / sets.len()], &sets[index % sets.len()]);
        guarded(Stage::Parse, bounds.format, || job(span, columns))
            .map_err(|error| messages::placed(error, units, span, columns, bounds))
    };
    ordered(
        bounds.threads,
        spans.len() * sets.len(),
        ahead,
        || (),
        one,
        |index, read| {
            let read = read?;
            budget.spend(read.inflated)?;
            parts.push(read);
            if parts.len() < sets.len() {
                return Ok(true);
            }
            take(&spans[index / sets.len()], &sets, std::mem::take(&mut parts))
        },
    )
}

/// Columns in sets of about the same weight, as many sets as give every thread some jobs.
fn column_sets(units: &dyn Units, spans: usize, threads: usize) -> Vec<Vec<usize>> {
    let columns = units.schema().fields().len();
    let jobs = if threads > 1 { threads * JOBS } else { 1 };
    let count = jobs.div_ceil(spans.max(1)).clamp(1, columns.max(1));
    let mut by_weight: Vec<usize> = (0..columns).collect();
    by_weight.sort_by_key(|column| std::cmp::Reverse(units.weight(*column)));
    let mut sets = vec![(0, Vec::new()); count];
    for column in by_weight {
        if let Some((weight, set)) = sets.iter_mut().min_by_key(|(weight, _)| *weight) {
            *weight += units.weight(column).max(1);
            set.push(column);
        }
    }
    // The heaviest first, so that none of them is left alone at the end.
    sets.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let sorted = sets.into_iter().map(|(_, mut set)| {
        set.sort_unstable();
        set
    });
    sorted.collect()
}

/// Reads a job batch by batch; `see` looks at each and says what was found at last.
pub(super) fn read_job<T: Default>(
    units: &dyn Units,
    span: &Span,
    columns: &[usize],
    batch_rows: usize,
    bounds: &Bounds,
    mut see: impl FnMut(&mut T, RecordBatch) -> Result<()>,
) -> Result<Read<T>> {
    let mut read = Read { rows: 0, found: T::default(), inflated: 0 };
    let started = Instant::now();
    let inflated = units.read(span, columns, batch_rows, &mut |batch| {
        check_batch(&batch, &bounds.limits)?;
        read.rows += batch.num_rows() as u64;
        check_rows(read.rows, &bounds.limits)?;
        check_time(started, &bounds.limits)?;
        see(&mut read.found, batch)?;
        Ok(true)
    })?;
    read.inflated = inflated;
    Ok(read)
}

/// A job alone may take longer than allowed.
fn check_time(started: Instant, limits: &Limits) -> Result<()> {
    if started.elapsed() <= limits.time {
        return Ok(());
    }
    let message = format!("decoding took more than {} s", limits.time.as_secs_f64());
    Err(Issue::limit(Code::Timeout, message, "time").into())
}

fn batches_of(
    units: &dyn Units,
    span: &Span,
    columns: &[usize],
    batch_rows: usize,
    bounds: &Bounds,
) -> Result<Read<Vec<RecordBatch>>> {
    read_job(units, span, columns, batch_rows, bounds, |batches: &mut Vec<_>, batch| {
        batches.push(batch);
        Ok(())
    })
}

/// The same, in memory that is theirs.
fn kept_of(
    units: &dyn Units,
    span: &Span,
    columns: &[usize],
    batch_rows: usize,
    bounds: &Bounds,
    decoded: &Decoded<'_>,
) -> Result<Read<Vec<RecordBatch>>> {
    let read = |keeper: &mut Keeper, batch| {
        decoded.add(&batch)?;
        keeper.push(batch)
    };
    let Read { rows, found, inflated } = read_job(units, span, columns, batch_rows, bounds, read)?;
    Ok(Read { rows, found: found.finish()?, inflated })
}

/// Batches of all columns out of those of each set.
fn assemble(
    units: &dyn Units,
    sets: &[Vec<usize>],
    parts: Vec<Read<Vec<RecordBatch>>>,
    bounds: &Bounds,
) -> Result<Vec<RecordBatch>> {
    let schema = units.schema();
    let count = parts.first().map_or(0, |part| part.found.len());
    let uneven = || {
        let name = unit_name(bounds.format);
        let message = format!("the columns of a {name} have different numbers of rows");
        Error::from(Issue::error(Stage::Parse, Code::Corrupt, message))
    };
    let mut batches = Vec::with_capacity(count);
    if parts.iter().any(|part| part.found.len() != count) {
        return Err(uneven());
    }
    for index in 0..count {
        let rows = parts[0].found[index].num_rows();
        let mut columns: Vec<Option<ArrayRef>> = vec![None; schema.fields().len()];
        for (set, part) in sets.iter().zip(&parts) {
            let batch = &part.found[index];
            if batch.num_rows() != rows {
                return Err(uneven());
            }
            for (column, array) in set.iter().zip(batch.columns()) {
                columns[*column] = Some(array.clone());
            }
        }
        let columns = columns.into_iter().collect::<Option<Vec<_>>>().ok_or_else(uneven)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(schema.clone(), columns, &options);
        batches.push(batch.map_err(arrow_error)?);
    }
    Ok(batches)
}

/// Rows of a batch, so that it is no more than some MB of the file.
pub(super) fn batch_rows(units: &dyn Units) -> usize {
    let most = units.spans().iter().map(|span| {
        let rows = (span.offset + span.rows).max(1) as u64;
        (units.bytes(span.unit) / rows).max(1)
    });
    let rows = BATCH_BYTES / most.max().unwrap_or(1);
    (rows as usize).clamp(1, BATCH_ROWS)
}
