//! A table: a name, a schema, record batches.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;

use crate::options::dtype_name;
use crate::report::{ColumnReport, TableReport};

/// The key of a field's metadata that says how its texts were written.
pub const FORMAT_KEY: &str = "tablemill.format";

/// A named Arrow table. Its batches all have its schema.
#[derive(Clone, Debug)]
pub struct Table {
    name: String,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Table {
    /// A table of these batches, all of this schema.
    pub fn new(name: impl Into<String>, schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Table { name: name.into(), schema, batches }
    }

    /// Its name, unique in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Its rows.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// The number of rows.
    pub fn num_rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.num_rows() as u64).sum()
    }

    /// The same table under another name.
    pub fn renamed(self, name: impl Into<String>) -> Self {
        Table { name: name.into(), ..self }
    }

    /// Rows `offset .. offset + limit`, without copying.
    pub fn slice(&self, offset: u64, limit: u64) -> Self {
        let (mut skip, mut left) = (offset, limit);
        let mut batches = Vec::new();
        for batch in &self.batches {
            let rows = batch.num_rows() as u64;
            let start = skip.min(rows);
            let length = left.min(rows - start);
            if length > 0 {
                batches.push(batch.slice(start as usize, length as usize));
            }
            skip -= start;
            left -= length;
        }
        Table { name: self.name.clone(), schema: self.schema.clone(), batches }
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
                null_count: self
                    .batches
                    .iter()
                    .map(|batch| batch.column(index).logical_null_count() as u64)
                    .sum(),
                format: field.metadata().get(FORMAT_KEY).cloned(),
            })
            .collect();
        TableReport {
            name: self.name.clone(),
            num_rows: self.num_rows(),
            num_cols: self.schema.fields().len() as u64,
            columns,
        }
    }
}
