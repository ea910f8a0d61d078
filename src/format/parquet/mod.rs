//! Parquet, all codecs but the old Hadoop lzo.
//!
//! Takes a file; gives its columns as the parquet crate maps them to Arrow. Refuses encrypted files
//! and what the crate does not read, by name.

mod leaves;
mod pages;
mod plan;
mod shapes;
mod thrift;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, RowGroupMetaData,
};

use self::plan::Plan;
use self::shapes::FILE_METADATA;
use self::thrift::Thrift;
use super::columnar::{self, Bounds, arrow_error, check_rows};
use super::{FormatReader, Input, RawTable, select};
use crate::context::Context;
use crate::detect::{Confidence, Signature};
use crate::error::{Error, Result};
use crate::options::FileType;
use crate::report::{Code, Issue, Stage};

const MAGIC: &[u8] = b"PAR1";
const ENCRYPTED_MAGIC: &[u8] = b"PARE";
/// Row groups are counted with 16 bits.
const MOST_ROW_GROUPS: i64 = i16::MAX as i64 + 1;

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
        check_ends(&bytes)?;
        let metadata = metadata(&bytes, context)?;
        check_is_one(&bytes, metadata.metadata())?;
        let writer = metadata.metadata().file_metadata().created_by().unwrap_or_default();
        let writer = writer.to_owned();
        let bounds = Bounds {
            limits: context.limits.clone(),
            threads: context.options.parallelism.threads(),
            input: bytes.len() as u64,
            format: "parquet",
        };
        let table = Plan::new(bytes, metadata, bounds.clone(), context)
            .and_then(|plan| read(plan, &bounds, context))
            .map_err(|error| of_old_writer(&writer, error))?;
        super::note_options(context);
        Ok(vec![table])
    }
}

/// Refuses what is several files.
fn check_is_one(bytes: &[u8], metadata: &ParquetMetaData) -> Result<()> {
    let end = |column: &ColumnChunkMetaData| {
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        start.saturating_add(column.compressed_size())
    };
    let columns = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let end = columns.map(end).max().unwrap_or_default();
    let unused = bytes.len().saturating_sub(usize::try_from(end).unwrap_or_default());
    let joined = columnar::end_of_first(bytes, unused, MAGIC);
    joined.map_or(Ok(()), |end| Err(columnar::joined("Parquet", end)))
}

fn check_ends(bytes: &Bytes) -> Result<()> {
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
    let length = bytes.get(bytes.len() - 8..).and_then(|tail| tail.first_chunk::<4>());
    let length = length.map_or(0, |length| u32::from_le_bytes(*length) as usize);
    match (bytes.len() - 8).checked_sub(length) {
        Some(start) => check_footer(&bytes[start..bytes.len() - 8], start as u64),
        // A footer that is longer than the file is for the crate to say.
        None => Ok(()),
    }
}

/// The crate reads fields by their numbers, whatever their kinds, and makes room for as many row groups
/// as there are said to be: so nothing may be in the footer that it would take for something else.
fn check_footer(footer: &[u8], start: u64) -> Result<()> {
    const ROW_GROUPS: i16 = 4;
    const ENCRYPTION: i16 = 8;
    const STRUCT: i64 = 12;
    let (mut thrift, mut row_groups, mut is_encrypted) = (Thrift::new(footer), 0, false);
    let walk = thrift.known(FILE_METADATA, &mut |path, value| match path {
        [ROW_GROUPS] => row_groups = row_groups.max(value),
        [ENCRYPTION] => is_encrypted |= value == STRUCT,
        _ => {}
    });
    if is_encrypted {
        let message = "the Parquet file has encrypted columns";
        return Err(Issue::error(Stage::Parse, Code::Encrypted, message).into());
    }
    walk.map_err(|wrong| {
        let place = start + wrong.at as u64;
        let (code, message) = match wrong.is_unread {
            true => {
                let message = format!("the footer has fields that are not read: {}", wrong.what);
                (Code::UnsupportedFeature, message)
            }
            false => (Code::Corrupt, format!("the footer is damaged: {}", wrong.what)),
        };
        Issue::error(Stage::Parse, code, message).byte_offset(place)
    })?;
    let corrupt = |message: String| Issue::error(Stage::Parse, Code::Corrupt, message);
    if row_groups > MOST_ROW_GROUPS {
        let message = format!("{row_groups} row groups, at most {MOST_ROW_GROUPS}");
        return Err(corrupt(message).into());
    }
    if thrift.at < footer.len() {
        let left = footer.len() - thrift.at;
        let message = format!("the footer is damaged: {left} bytes are behind its last field");
        return Err(corrupt(message).byte_offset(start + thrift.at as u64).into());
    }
    Ok(())
}

/// The rows as the options want them: in memory, left in the file, or looked at and left there.
fn read(plan: Plan, bounds: &Bounds, context: &mut Context<'_>) -> Result<RawTable> {
    let schema = plan.schema().clone();
    let options = context.options;
    let leaves = options.leave_rows && options.transforms.is_empty();
    if !leaves {
        let mut wrong = BTreeMap::new();
        let batches = columnar::read_all(&plan, bounds, &mut |span, rows| {
            if rows != span.rows as u64 {
                wrong.insert(span.unit, (span.clone(), rows));
            }
        })?;
        for (span, rows) in wrong.values() {
            context.reporter.push(columnar::wrong_rows(span, *rows, bounds.format));
        }
        if options.verify {
            let found = columnar::verify(&plan, bounds)?;
            found.issues.into_iter().for_each(|issue| context.reporter.push(issue));
        }
        return Ok(RawTable::new(None, schema, batches));
    }
    let nulls = if options.verify {
        let found = columnar::verify(&plan, bounds)?;
        found.issues.into_iter().for_each(|issue| context.reporter.push(issue));
        found.nulls.into_iter().map(Some).collect()
    } else {
        plan.null_counts()
    };
    let mut table = RawTable::new(None, schema, Vec::new());
    table.in_file = Some(Arc::new(plan.in_file(nulls)));
    Ok(table)
}

/// The first parquet-mr forgot the dictionary page's header in the size of a column (PARQUET-816).
fn of_old_writer(writer: &str, error: Error) -> Error {
    let is_old = writer == "parquet-mr"
        || ["parquet-mr version 1.2.", "parquet-mr version 1.1.", "parquet-mr version 1.0."]
            .iter()
            .any(|version| writer.starts_with(version));
    let is_damage = matches!(error.issue().code, Code::Corrupt | Code::Truncated);
    if is_old && is_damage {
        let message = format!("column sizes as {writer} wrote them are not read");
        return Issue::error(Stage::Parse, Code::UnsupportedFeature, message).into();
    }
    error
}

/// The footer, its row count put right where it contradicts the row groups.
fn metadata(bytes: &Bytes, context: &mut Context<'_>) -> Result<ArrowReaderMetadata> {
    let options = ArrowReaderOptions::new();
    let loaded = ArrowReaderMetadata::load(bytes, options.clone()).map_err(parquet_error)?;
    let found = loaded.metadata();
    let file = found.file_metadata();
    let mut rows = 0i64;
    for (index, group) in found.row_groups().iter().enumerate() {
        let sum = rows.checked_add(group.num_rows()).filter(|_| group.num_rows() >= 0);
        let Some(sum) = sum else {
            let message = format!("row group {index} says it has {} rows", group.num_rows());
            return Err(Issue::error(Stage::Parse, Code::Corrupt, message).into());
        };
        rows = sum;
    }
    if rows == file.num_rows() {
        return Ok(loaded);
    }
    let message = format!("the row groups have {rows} rows, the footer says {}", file.num_rows());
    context.reporter.push(Issue::warning(Stage::Parse, Code::WrongStatistics, message));
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

fn parquet_error(error: ParquetError) -> Error {
    let message = columnar::plain(&error.to_string());
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
