//! Rows that stay in the text: read once for types and report, and again whenever they are wanted.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};

use super::asked::BadValues;
use super::notes::Found;
use super::piece::{Fields, Summary};
use super::table::{Scan, batch, check_rows};
use crate::context::Context;
use crate::error::Result;
use crate::table::Rows;

/// Rows whose types are settled.
#[derive(Debug)]
pub(super) struct InFile {
    scan: Scan,
    /// The columns wanted.
    kept: Vec<usize>,
    counts: Vec<usize>,
    nulls: Vec<Option<u64>>,
}

impl InFile {
    /// Where options ask for types, finds the values that do not fit.
    pub fn new(
        scan: Scan,
        kept: Vec<usize>,
        counts: Vec<usize>,
        fields: &Fields,
        found: &Found<'_>,
        context: &mut Context<'_>,
    ) -> Result<Self> {
        let nulls = |(_, summary): &(Box<str>, Summary)| {
            summary.nulls + fields.objects.saturating_sub(summary.rows)
        };
        let mut nulls: Vec<u64> = fields.all.iter().map(nulls).collect();
        let asked: Vec<usize> =
            (0..scan.columns.len()).filter(|index| scan.columns[*index].asked.is_some()).collect();
        if !asked.is_empty() {
            let (mut bad, mut before) = (BadValues::default(), 0);
            asked.iter().for_each(|index| nulls[*index] = 0);
            let all: Vec<usize> = (0..counts.len()).collect();
            let columns = |_| scan.plans(|column| column.asked.is_some());
            scan.rows.again(&scan.places, &all, columns, |_, chunk| {
                bad.take(&scan, &chunk, before);
                before += chunk.rows;
                for (index, (_, piece)) in asked.iter().zip(&chunk.pieces) {
                    let array = scan.columns[*index].asked.as_ref().and_then(|a| a.array(piece));
                    nulls[*index] += array.map_or(0, |array| array.logical_null_count() as u64);
                }
                Ok(true)
            })?;
            bad.raise(found, context)?;
        }
        let nulls = kept.iter().map(|index| Some(nulls[*index])).collect();
        Ok(InFile { scan, kept, counts, nulls })
    }

    /// The columns wanted.
    pub fn schema(&self) -> SchemaRef {
        let schema = self.scan.schema();
        let fields: Vec<_> = self.kept.iter().map(|index| schema.field(*index).clone()).collect();
        Arc::new(Schema::new(fields))
    }
}

impl Rows for InFile {
    fn num_rows(&self) -> u64 {
        self.counts.iter().map(|rows| *rows as u64).sum()
    }

    fn null_counts(&self) -> &[Option<u64>] {
        &self.nulls
    }

    fn each(
        &self,
        schema: &SchemaRef,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        let all: Vec<usize> = (0..self.counts.len()).collect();
        let kept: Vec<&str> =
            self.kept.iter().map(|index| self.scan.columns[*index].key.as_ref()).collect();
        let columns = |_| self.scan.plans(|column| kept.contains(&column.key.as_ref()));
        self.scan.rows.again(&self.scan.places, &all, columns, |chunk, read| {
            let start = self.scan.places[chunk].start;
            check_rows(&read, self.counts[chunk], start)?;
            if read.rows == 0 {
                return Ok(true);
            }
            let mut arrays = self.scan.arrays(&read)?;
            let arrays = self.kept.iter().map(|index| arrays[*index].take()).collect();
            take(batch(schema, arrays, read.rows, start)?)
        })
    }
}
