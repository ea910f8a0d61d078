//! Parquet, all codecs but the old Hadoop lzo.
//!
//! Takes a file; gives its columns as the parquet crate maps them to Arrow. Refuses encrypted files
//! and what the crate does not read, by name.

use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;

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
        let mut builder = ParquetRecordBatchReaderBuilder::try_new(bytes)
            .map_err(parquet_error)?
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
        let table = collect(reader, context)?;
        super::note_options(context);
        Ok(vec![super::select::select(table, context)?])
    }
}

fn parquet_error(error: ParquetError) -> Error {
    let message = error.to_string();
    let code = match &error {
        ParquetError::NYI(_) => Code::UnsupportedFeature,
        ParquetError::EOF(_) => Code::Truncated,
        _ if message.to_lowercase().contains("encrypt") => Code::Encrypted,
        _ if super::names_unsupported(&message.to_lowercase()) => Code::UnsupportedFeature,
        _ => Code::Corrupt,
    };
    Issue::error(Stage::Parse, code, message).into()
}
