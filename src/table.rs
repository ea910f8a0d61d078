//! A table: a name, a schema, record batches.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;

use crate::error::Result;
use crate::guard::guarded;
use crate::options::dtype_name;
use crate::report::{ColumnReport, Stage, TableReport};

/// The key of a field's metadata that says how its texts were written.
pub const FORMAT_KEY: &str = "tablemill.format";

/// The keys of a schema's metadata that say which cells of a workbook a table was read from, and that
/// its sheet is hidden.
pub const RANGE_KEY: &str = "tablemill.range";
/// See [`RANGE_KEY`].
pub const HIDDEN_KEY: &str = "tablemill.hidden";

/// A named Arrow table. Its batches all have its schema.
#[derive(Clone, Debug)]
pub struct Table {
    name: String,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    in_file: Option<Arc<dyn Rows>>,
}

/// Rows that were left in their file, and are read from there each time. All is known of them but
/// the values themselves.
pub trait Rows: std::fmt::Debug + Send + Sync {
    /// How many there are.
    fn num_rows(&self) -> u64;

    /// How many values of each column are null; `None` where only reading the rows would tell.
    fn null_counts(&self) -> &[Option<u64>];

    /// Hands over all rows in order, in batches of this schema, until `take` gives `false`.
    fn each(
        &self,
        schema: &SchemaRef,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()>;
}

impl Table {
    /// A table of these batches, all of this schema.
    pub fn new(name: impl Into<String>, schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Table { name: name.into(), schema, batches, in_file: None }
    }

    /// A table whose rows are in a file.
    pub(crate) fn in_file(name: String, schema: SchemaRef, rows: Arc<dyn Rows>) -> Self {
        Table { name, schema, batches: Vec::new(), in_file: Some(rows) }
    }

    /// Its name, unique in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Its rows, as far as they are in memory. Where `Options::leave_rows` had them stay in the file
    /// there are none: [`each_batch`](Self::each_batch) and [`slice`](Self::slice) read them.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// Hands over its rows in order, from memory or from the file, until `take` gives `false`.
    pub fn each_batch(&self, take: &mut dyn FnMut(&RecordBatch) -> Result<bool>) -> Result<()> {
        if let Some(rows) = &self.in_file {
            // Reading happens only now, where no guard of the pipeline's is.
            return guarded(Stage::Parse, "row", || {
                rows.each(&self.schema, &mut |batch| take(&batch))
            });
        }
        for batch in &self.batches {
            if !take(batch)? {
                break;
            }
        }
        Ok(())
    }

    /// The number of rows.
    pub fn num_rows(&self) -> u64 {
        match &self.in_file {
            Some(rows) => rows.num_rows(),
            None => self.batches.iter().map(|batch| batch.num_rows() as u64).sum(),
        }
    }

    /// The same table under another name.
    pub fn renamed(self, name: impl Into<String>) -> Self {
        Table { name: name.into(), ..self }
    }

    /// Rows `offset .. offset + limit`, in memory; of a table in memory without copying.
    pub fn slice(&self, offset: u64, limit: u64) -> Result<Self> {
        let (mut skip, mut left) = (offset, limit);
        let mut batches = Vec::new();
        self.each_batch(&mut |batch| {
            let rows = batch.num_rows() as u64;
            let start = skip.min(rows);
            let length = left.min(rows - start);
            if length > 0 {
                batches.push(batch.slice(start as usize, length as usize));
            }
            skip -= start;
            left -= length;
            Ok(left > 0)
        })?;
        Ok(Table::new(self.name.clone(), self.schema.clone(), batches))
    }

    fn null_count(&self, column: usize) -> Option<u64> {
        if let Some(rows) = &self.in_file {
            return rows.null_counts().get(column).copied().flatten();
        }
        let nulls = |batch: &RecordBatch| batch.column(column).logical_null_count() as u64;
        Some(self.batches.iter().map(nulls).sum())
    }

    /// Its entry in a report.
    pub fn report(&self) -> TableReport {
        let columns = self
            .schema
            .fields()
            .iter()
            .enumerate()
            .map(|(index, field)| ColumnReport {
                name: field.name().clone(),
                dtype: dtype_name(field.data_type()),
                arrow_type: field.data_type().to_string(),
                null_count: self.null_count(index),
                format: field.metadata().get(FORMAT_KEY).cloned(),
            })
            .collect();
        TableReport {
            name: self.name.clone(),
            num_rows: self.num_rows(),
            num_cols: self.schema.fields().len() as u64,
            range: self.schema.metadata().get(RANGE_KEY).cloned(),
            hidden: self.schema.metadata().contains_key(HIDDEN_KEY),
            columns,
        }
    }
}
