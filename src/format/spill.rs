//! Tables as files for ourselves: Arrow streams without compression, so that reading one back maps
//! the file and copies nothing. (The stream, not the file format: batches may each bring their own
//! dictionaries.)

use std::io::{BufWriter, Write};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;

use crate::error::Result;
use crate::table::Table;

/// Writes a table's columns and rows; its name is not among them.
pub fn write(table: &Table, out: impl Write) -> Result<()> {
    let failed = |error: ArrowError| std::io::Error::other(error.to_string());
    let mut writer = StreamWriter::try_new(BufWriter::new(out), table.schema()).map_err(failed)?;
    table.each_batch(&mut |batch| {
        writer.write(batch).map_err(failed)?;
        Ok(true)
    })?;
    writer.finish().map_err(failed)?;
    writer.into_inner().map_err(failed)?.flush()?;
    Ok(())
}

/// Reads columns and rows back; arrays point into `bytes`.
pub fn read(bytes: Bytes) -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
    let mut buffer = Buffer::from(bytes);
    let mut decoder = StreamDecoder::new();
    let mut batches = Vec::new();
    while !buffer.is_empty() {
        batches.extend(decoder.decode(&mut buffer)?);
    }
    let cut_off = || ArrowError::IpcError("a table is cut off".into());
    let schema = decoder.schema().ok_or_else(cut_off)?;
    decoder.finish()?;
    Ok((schema, batches))
}
