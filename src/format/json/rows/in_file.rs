//! Rows that stay in the text: read once for types and report, and again whenever they are wanted.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;

use super::asked::BadValues;
use super::notes::Found;
use super::piece::{Fields, Summary};
use super::plan::Plan;
use super::table::{Column, Scan, batch, check_rows};
use crate::context::Context;
use crate::error::Result;
use crate::table::Rows;

/// Rows whose types are settled.
#[derive(Debug)]
pub(super) struct InFile {
    scan: Scan,
    counts: Vec<usize>,
    nulls: Vec<u64>,
}

impl InFile {
    /// Where options ask for types, finds the values that do not fit.
    pub fn new(
        scan: Scan,
        counts: Vec<usize>,
        fields: &Fields,
        found: &Found<'_>,
        context: &mut Context<'_>,
    ) -> Result<Self> {
        let nulls = |(_, summary): &(Box<str>, Summary)| {
            summary.nulls + fields.objects.saturating_sub(summary.rows)
        };
        let nulls = fields.all.iter().map(nulls).collect();
        let mut rows = InFile { scan, counts, nulls };
        let asked: Vec<usize> = (0..rows.scan.columns.len())
            .filter(|index| rows.scan.columns[*index].asked.is_some())
            .collect();
        if asked.is_empty() {
            return Ok(rows);
        }
        let plan = |column: &Column| match column.asked {
            Some(_) => (column.key.clone(), Plan::Gather),
            None => (column.key.clone(), Plan::Skip),
        };
        let columns: Vec<(Box<str>, Plan)> = rows.scan.columns.iter().map(plan).collect();
        let columns: Vec<(&str, &Plan)> =
            columns.iter().map(|(key, plan)| (&**key, plan)).collect();
        let wanted: Vec<_> = (0..rows.counts.len()).map(|chunk| (chunk, columns.clone())).collect();
        let (mut bad, mut before) = (BadValues::default(), 0);
        let mut nulls = vec![0; asked.len()];
        rows.scan.rows.again(&rows.scan.places, &wanted, |_, chunk| {
            bad.take(&rows.scan, &chunk, before);
            before += chunk.rows;
            for ((count, index), (_, piece)) in nulls.iter_mut().zip(&asked).zip(&chunk.pieces) {
                let asked = rows.scan.columns[*index].asked.as_ref();
                let array = asked.and_then(|asked| asked.array(piece));
                *count += array.map_or(0, |array| array.logical_null_count() as u64);
            }
            Ok(true)
        })?;
        bad.raise(found, context)?;
        asked.iter().zip(nulls).for_each(|(index, count)| rows.nulls[*index] = count);
        Ok(rows)
    }

    fn wanted(&self) -> Vec<(usize, Vec<(&str, &Plan)>)> {
        let columns: Vec<(&str, &Plan)> =
            self.scan.columns.iter().map(|column| (&*column.key, column.wanted())).collect();
        (0..self.counts.len()).map(|chunk| (chunk, columns.clone())).collect()
    }
}

impl Rows for InFile {
    fn num_rows(&self) -> u64 {
        self.counts.iter().map(|rows| *rows as u64).sum()
    }

    fn null_counts(&self) -> &[u64] {
        &self.nulls
    }

    fn each(
        &self,
        schema: &SchemaRef,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        self.scan.rows.again(&self.scan.places, &self.wanted(), |index, chunk| {
            let start = self.scan.places[index].start;
            check_rows(&chunk, self.counts[index], start)?;
            if chunk.rows == 0 {
                return Ok(true);
            }
            take(batch(schema, self.scan.arrays(&chunk)?, chunk.rows, start)?)
        })
    }
}
