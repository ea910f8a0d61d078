//! Rows that stay in the text: read once for types and report, and again whenever they are wanted.

use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::Place;
use super::notes::BadValues;
use super::plan;
use super::scan::{Kernel, Scan};
use super::table::batch;
use crate::context::Context;
use crate::error::Result;
use crate::infer::Seen;
use crate::table::Rows;

/// The plan of a scan whose types are settled.
#[derive(Debug)]
pub(super) struct InFile {
    scan: Scan,
    /// The columns wanted, and how each of the file's is read.
    kept: Vec<usize>,
    kernels: Vec<Kernel>,
    nulls: Vec<Option<u64>>,
}

impl InFile {
    pub fn new(scan: Scan, kept: Vec<usize>, nulls: &[u64], seen: &[Option<Seen>]) -> Self {
        let kernels = scan.columns.iter().zip(seen).map(|(column, seen)| {
            let Some(seen) = seen.as_ref().filter(|_| column.kernel == Kernel::Gather) else {
                return column.kernel;
            };
            // What was gathered only because its type was not known yet may be read fast now, if
            // that reads every form of the type; dates and stamps have forms that only the others do.
            match plan::kernel(&column.rules, &column.inferred, seen) {
                Kernel::Date32 | Kernel::Stamp => Kernel::Gather,
                kernel => kernel,
            }
        });
        let kernels = kernels.collect();
        let nulls = kept.iter().map(|column| match &seen[*column] {
            Some(seen) if scan.columns[*column].inferred.data_type == DataType::Null => {
                seen.cells()
            }
            Some(seen) if scan.columns[*column].inferred.na_is_null => seen.nulls + seen.maybe_null,
            Some(seen) => seen.nulls,
            None => nulls[*column],
        });
        let nulls = nulls.map(Some).collect();
        InFile { scan, kept, kernels, nulls }
    }
}

/// Values that do not fit a type that was asked for are found before rows are handed out.
pub(super) fn check(
    scan: &Scan,
    names: &[String],
    place: &Place<'_>,
    context: &mut Context<'_>,
) -> Result<()> {
    let kernels: Vec<Kernel> = scan
        .columns
        .iter()
        .map(|column| match &column.rules.forced {
            Some(forced) if *forced != DataType::Utf8 && column.kernel != Kernel::Skip => {
                Kernel::Gather
            }
            _ => Kernel::Skip,
        })
        .collect();
    if !kernels.contains(&Kernel::Gather) {
        return Ok(());
    }
    let mut bad_values = BadValues::default();
    scan.arrays(&kernels, |chunk, _, arrays| {
        for (column, _, bad) in arrays {
            bad_values.note(scan, (column, &names[column]), chunk, bad, place, context)?;
        }
        Ok(true)
    })?;
    bad_values.raise(context)
}

impl Rows for InFile {
    fn num_rows(&self) -> u64 {
        self.scan.rows.last().copied().unwrap_or_default()
    }

    fn null_counts(&self) -> &[Option<u64>] {
        &self.nulls
    }

    fn each(
        &self,
        schema: &SchemaRef,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        self.scan.arrays(&self.kernels, |_, rows, arrays| {
            if rows == 0 {
                return Ok(true);
            }
            let mut columns = vec![None; self.scan.columns.len()];
            for (column, array, _) in arrays {
                columns[column] = Some(array);
            }
            let columns = self.kept.iter().map(|column| columns[*column].take()).collect();
            take(batch(schema, columns, rows)?)
        })
    }
}
