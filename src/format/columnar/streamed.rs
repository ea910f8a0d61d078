//! Rows that are handed on and not kept.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::values::check_batch;
use super::{
    BATCH_BYTES, BATCH_ROWS, Bounds, Span, Units, assemble, batch_rows, batches_of, fewer,
    is_overflow, messages, renamed, shared_out_of, sizes, unit_name,
};
use crate::decompress::Budget;
use crate::error::Result;
use crate::guard::guarded;
use crate::report::{Code, Issue, Stage};
use crate::table::Rows;

/// The first rows are handed on in small batches: a preview wants no more, and how large values are is
/// not known before.
const HEAD_ROWS: usize = 1 << 10;
const HEAD_BATCH: usize = 64;
/// Larger units are handed on batch by batch where not all rows are to be in memory.
const UNIT_BYTES: u64 = 256 << 20;

/// Rows that stay in the file.
#[derive(Debug)]
pub(in super::super) struct InFile<U> {
    bounds: Bounds,
    units: U,
    nulls: Vec<Option<u64>>,
}

impl<U: Units> InFile<U> {
    /// All rows of these units; `nulls` are those of each column, as far as they are known.
    pub fn new(bounds: Bounds, units: U, nulls: Vec<Option<u64>>) -> Self {
        InFile { bounds, units, nulls }
    }
}

impl<U: Units> Rows for InFile<U> {
    fn num_rows(&self) -> u64 {
        self.units.spans().iter().map(|span| span.rows as u64).sum()
    }

    fn null_counts(&self) -> &[Option<u64>] {
        &self.nulls
    }

    fn each(
        &self,
        schema: &SchemaRef,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        each(&self.units, &self.bounds, &mut |batch| {
            // The pipeline may have given the columns other names.
            take(renamed(batch, schema)?)
        })
    }
}

/// Hands on all rows in order, a few jobs ahead of who takes them; the first batches are small ones.
fn each(
    units: &dyn Units,
    bounds: &Bounds,
    take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
) -> Result<()> {
    let mut most = batch_rows(units).min(BATCH_ROWS / 4);
    let mut taken = 0;
    loop {
        let spans = behind(units.spans(), taken);
        let mut count = |batch: RecordBatch| {
            taken += batch.num_rows();
            take(batch)
        };
        match try_each(units, &spans, most, bounds, &mut count) {
            Err(error) if most > 1 && is_overflow(&error) => most = fewer(most).min(HEAD_BATCH),
            other => return other,
        }
    }
}

fn try_each(
    units: &dyn Units,
    spans: &[Span],
    most: usize,
    bounds: &Bounds,
    take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
) -> Result<()> {
    let all: Vec<usize> = (0..units.schema().fields().len()).collect();
    let mut budget = Budget::new(bounds.input, &bounds.limits);
    let (mut rows, mut bytes, mut more) = (0, 0, true);
    let mut rest = spans.to_vec();
    if let Some(first) = spans.first().filter(|first| first.rows > 4 * HEAD_BATCH) {
        let length = HEAD_ROWS.min(first.rows / 4);
        let begin = Span { rows: length, whole: false, ..first.clone() };
        sequentially(units, &begin, &all, HEAD_BATCH.min(most), bounds, &mut |batch| {
            rows += batch.num_rows() as u64;
            bytes += sizes::of(&batch);
            more = take(batch)?;
            Ok(more)
        })?;
        rest = behind(spans, length);
    }
    if !more {
        return Ok(());
    }
    // What the first rows take in memory tells what the others will.
    let width = (bytes / rows.max(1)).max(8 * all.len() as u64).max(1);
    let batch_rows = ((BATCH_BYTES / width) as usize).clamp(1, most);
    let is_large = |span: &Span| {
        units.bytes(span.unit).max(width.saturating_mul(span.rows as u64)) > UNIT_BYTES
    };
    if most <= HEAD_BATCH || rest.iter().any(is_large) {
        for span in &rest {
            let inflated = sequentially(units, span, &all, batch_rows, bounds, &mut |batch| {
                more = take(batch)?;
                Ok(more)
            })?;
            budget.spend(inflated)?;
            if !more {
                break;
            }
        }
        return Ok(());
    }
    let job = |span: &Span, columns: &[usize]| batches_of(units, span, columns, batch_rows, bounds);
    shared_out_of(units, &rest, bounds, bounds.threads + 1, job, |span, sets, parts| {
        let batches = assemble(units, sets, parts, bounds)?;
        check_count(span, batches.iter().map(|batch| batch.num_rows() as u64).sum(), bounds)?;
        for batch in batches {
            if !take(batch)? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// The spans without so many rows at their beginning.
fn behind(spans: &[Span], mut skip: usize) -> Vec<Span> {
    let mut rest = Vec::with_capacity(spans.len());
    for span in spans {
        let start = skip.min(span.rows);
        skip -= start;
        if start == 0 {
            rest.push(span.clone());
        } else if start < span.rows {
            let (offset, rows) = (span.offset + start, span.rows - start);
            rest.push(Span { offset, rows, whole: false, ..span.clone() });
        }
    }
    rest
}

/// One span batch by batch, with the rows it said it has.
fn sequentially(
    units: &dyn Units,
    span: &Span,
    columns: &[usize],
    batch_rows: usize,
    bounds: &Bounds,
    take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
) -> Result<u64> {
    let (mut rows, mut stopped) = (0, false);
    let inflated = guarded(Stage::Parse, bounds.format, || {
        units.read(span, columns, batch_rows, &mut |batch| {
            check_batch(&batch, &bounds.limits)?;
            rows += batch.num_rows() as u64;
            stopped = !take(batch)?;
            Ok(!stopped)
        })
    })
    .map_err(|error| messages::placed(error, units, span, columns, bounds))?;
    if !stopped {
        check_count(span, rows, bounds)?;
    }
    Ok(inflated)
}

/// The report has said how many rows there are: there are no others.
fn check_count(span: &Span, rows: u64, bounds: &Bounds) -> Result<()> {
    if rows == span.rows as u64 {
        return Ok(());
    }
    let name = unit_name(bounds.format);
    let message = format!("{name} {} has {rows} rows, its metadata says {}", span.unit, span.rows);
    Err(Issue::error(Stage::Parse, Code::Corrupt, message).into())
}
