//! Parquet, all codecs but the old Hadoop lzo.
//!
//! Takes a file; gives its columns as the parquet crate maps them to Arrow. Refuses encrypted files
//! and what the crate does not read, by name.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Schema, TimeUnit, TimestampMicrosecondType};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type;
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, ParquetMetaData};
use parquet::schema::types::ColumnDescriptor;

use super::arrow_ipc::collect;
use super::{FormatReader, Input, RawTable};
use crate::context::Context;
use crate::detect::{Confidence, Signature};
use crate::error::{Error, Result};
use crate::options::FileType;
use crate::report::{Code, Issue, Stage};

const MAGIC: &[u8] = b"PAR1";
const ENCRYPTED_MAGIC: &[u8] = b"PARE";
const BATCH_ROWS: usize = 32 << 10;

/// The reader of Parquet.
#[derive(Debug)]
pub struct Parquet;

impl Signature for Parquet {
    fn file_type(&self) -> FileType {
        FileType::Parquet
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["parquet", "parq", "pq"]
    }

    fn recognise(&self, bytes: &[u8]) -> Confidence {
        let is_magic = bytes.starts_with(MAGIC) || bytes.starts_with(ENCRYPTED_MAGIC);
        if is_magic { Confidence::Certain } else { Confidence::No }
    }
}

impl FormatReader for Parquet {
    fn options(&self) -> &'static [&'static str] {
        &["columns", "usecols", "row_groups", "skiprows", "skip_rows", "nrows", "num_rows"]
    }

    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        let bytes: Bytes = input.bytes.clone();
        if bytes.starts_with(ENCRYPTED_MAGIC) || bytes.ends_with(ENCRYPTED_MAGIC) {
            let message = "the Parquet footer is encrypted";
            return Err(Issue::error(Stage::Parse, Code::Encrypted, message).byte_offset(0).into());
        }
        if !bytes.ends_with(MAGIC) || bytes.len() < 12 {
            let message = "the Parquet file has no footer: it does not end in PAR1";
            return Err(Issue::error(Stage::Parse, Code::Truncated, message)
                .byte_offset(bytes.len() as u64)
                .hint("fetch or upload the file again")
                .into());
        }
        let metadata = metadata(&bytes)?;
        let table = match in_microseconds(&metadata) {
            // The old 96-bit times have nanoseconds and reach further than 64 bits of them do.
            Some(wide) => {
                let table = read(&bytes, wide, context)?;
                if beyond_nanoseconds(&table) { table } else { read(&bytes, metadata, context)? }
            }
            None => read(&bytes, metadata, context)?,
        };
        super::note_options(context);
        Ok(vec![super::select::select(table, context)?])
    }
}

fn read(
    bytes: &Bytes,
    metadata: ArrowReaderMetadata,
    context: &mut Context<'_>,
) -> Result<RawTable> {
    let writer = metadata.metadata().file_metadata().created_by().unwrap_or_default().to_owned();
    let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata)
        .with_batch_size(BATCH_ROWS);
    if let Some(groups) = &context.parser().row_groups {
        let count = builder.metadata().num_row_groups() as u64;
        if let Some(missing) = groups.iter().find(|group| **group >= count) {
            let message = format!("row_groups names group {missing}, the file has {count}");
            return Err(Issue::error(Stage::Parse, Code::BadOption, message).into());
        }
        builder = builder.with_row_groups(groups.iter().map(|group| *group as usize).collect());
    }
    let reader = builder.build().map_err(parquet_error)?;
    collect(reader, context).map_err(|error| {
        // These versions forgot the dictionary page's header in the size of a column (PARQUET-816).
        let is_old = writer == "parquet-mr"
            || ["parquet-mr version 1.2", "parquet-mr version 1.1", "parquet-mr version 1.0"]
                .iter()
                .any(|version| writer.starts_with(version));
        let is_damage = matches!(error.issue().code, Code::Corrupt | Code::Truncated);
        if is_old && is_damage {
            let message = format!("column sizes as {writer} wrote them are not read");
            return Issue::error(Stage::Parse, Code::UnsupportedFeature, message).into();
        }
        error
    })
}

/// The footer, its row count put right where it contradicts the row groups.
fn metadata(bytes: &Bytes) -> Result<ArrowReaderMetadata> {
    let options = ArrowReaderOptions::new();
    let loaded = ArrowReaderMetadata::load(bytes, options.clone()).map_err(parquet_error)?;
    let found = loaded.metadata();
    let file = found.file_metadata();
    let rows: i64 = found.row_groups().iter().map(|group| group.num_rows()).sum();
    if rows == file.num_rows() {
        return Ok(loaded);
    }
    let file = FileMetaData::new(
        file.version(),
        rows,
        file.created_by().map(str::to_owned),
        file.key_value_metadata().cloned(),
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    let repaired = ParquetMetaData::new(file, found.row_groups().to_vec());
    ArrowReaderMetadata::try_new(Arc::new(repaired), options).map_err(parquet_error)
}

/// The footer with 96-bit times as microseconds; `None` where there are none.
fn in_microseconds(metadata: &ArrowReaderMetadata) -> Option<ArrowReaderMetadata> {
    let columns = metadata.metadata().file_metadata().schema_descr();
    let is_old_time = |column: &ColumnDescriptor| column.physical_type() == Type::INT96;
    columns.columns().iter().find(|column| is_old_time(column))?;
    let fields = metadata.schema().fields().iter().map(|field| match field.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            let wide = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            Arc::new(field.as_ref().clone().with_data_type(wide))
        }
        _ => field.clone(),
    });
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    ArrowReaderMetadata::try_new(metadata.metadata().clone(), options).ok()
}

/// Whether a time is so far away that 64 bits of nanoseconds do not reach it.
fn beyond_nanoseconds(table: &RawTable) -> bool {
    table.batches.iter().flat_map(|batch| batch.columns()).any(|column| {
        let times = column.as_primitive_opt::<TimestampMicrosecondType>();
        times.is_some_and(|times| {
            times.iter().flatten().any(|time| time.checked_mul(1000).is_none())
        })
    })
}

fn parquet_error(error: ParquetError) -> Error {
    let message = error.to_string();
    if message.contains("Expected list element type") {
        let message = format!("the footer has fields that are not read: {message}");
        return Issue::error(Stage::Parse, Code::UnsupportedFeature, message).into();
    }
    let code = match &error {
        ParquetError::NYI(_) => Code::UnsupportedFeature,
        ParquetError::EOF(_) => Code::Truncated,
        _ if message.to_lowercase().contains("encrypt") => Code::Encrypted,
        _ if super::names_unsupported(&message.to_lowercase()) => Code::UnsupportedFeature,
        _ => Code::Corrupt,
    };
    Issue::error(Stage::Parse, code, message).into()
}
