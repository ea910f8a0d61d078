//! Parsed tables as stored: Arrow streams, mapped when they are read back.

use std::io::Write;
use std::path::Path;

use arrow::error::ArrowError;

use super::error::{Result, StoreError};
use crate::format::spill;
use crate::limits::Limits;
use crate::source::Source;
use crate::table::Table;

/// Writes a table's columns and rows; its name is not among them.
pub fn write_table(table: &Table, out: impl Write) -> Result<()> {
    let failed = |error| StoreError::Table(ArrowError::ExternalError(Box::new(error)));
    spill::write(table, out).map_err(failed)
}

/// Reads a table back, by memory map.
pub fn read_table(path: &Path, name: &str) -> Result<Table> {
    let limits = Limits { input_bytes: u64::MAX, ..Limits::default() };
    let bytes = Source::path(path).open(&limits).map_err(std::io::Error::from)?;
    let (schema, batches) = spill::read(bytes)?;
    Ok(Table::new(name, schema, batches))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn batch(words: [&str; 2]) -> RecordBatch {
        let words: DictionaryArray<Int32Type> = words.into_iter().collect();
        let numbers = Int64Array::from(vec![Some(1), None]);
        RecordBatch::try_from_iter([
            ("word", Arc::new(words) as ArrayRef),
            ("number", Arc::new(numbers) as ArrayRef),
        ])
        .unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let batches = vec![batch(["a", "b"]), batch(["c", "d"])];
        let table = Table::new("t", batches[0].schema(), batches);
        write_table(&table, file.as_file()).unwrap();
        let back = read_table(file.path(), "t").unwrap();
        assert_eq!(back.schema(), table.schema());
        assert_eq!(back.batches(), table.batches());
    }

    #[test]
    fn a_table_without_rows_has_its_columns() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let table = Table::new("t", batch(["a", "b"]).schema(), Vec::new());
        write_table(&table, file.as_file()).unwrap();
        assert_eq!(read_table(file.path(), "t").unwrap().schema(), table.schema());
    }
}
