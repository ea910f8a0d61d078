//! ORC, through the pure Rust reader.
//!
//! Takes a file; gives its columns in Arrow's types. Refuses what orc-rust does not read, by name.

use arrow::array::{Array, AsArray, RecordBatchReader};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType};
use bytes::Bytes;
use orc_rust::ArrowReaderBuilder;
use orc_rust::error::OrcError;
use orc_rust::schema::TimestampPrecision;

use crate::context::Context;
use crate::detect::{Confidence, Signature};
use crate::error::{Error, Result};
use crate::format::arrow_ipc::{arrow_error, collect};
use crate::format::{FormatReader, Input, RawTable};
use crate::guard::guarded;
use crate::options::FileType;
use crate::report::{Code, Issue, Stage};

const MAGIC: &[u8] = b"ORC";
const BATCH_ROWS: usize = 32 << 10;
/// What writers put into files of a draft of ORC 2.
const UNRELEASED_VERSION: &str = "1.9999";
const NO_STATISTICS: &str = "without stripe statistics (before Hive 0.12)";

/// The reader of ORC.
#[derive(Debug)]
pub struct Orc;

impl Signature for Orc {
    fn file_type(&self) -> FileType {
        FileType::Orc
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["orc"]
    }

    fn recognise(&self, bytes: &[u8]) -> Confidence {
        // Three letters may begin a text; the postscript at the end has them again.
        let tail = &bytes[bytes.len().saturating_sub(300)..];
        let ends_so = memchr::memmem::find(tail, MAGIC).is_some();
        let is_binary = !crate::detect::looks_like_text(bytes);
        match bytes.starts_with(MAGIC) {
            true if is_binary || ends_so => Confidence::Certain,
            _ => Confidence::No,
        }
    }
}

impl FormatReader for Orc {
    fn options(&self) -> &'static [&'static str] {
        &["columns", "usecols", "stripes", "skiprows", "skip_rows", "nrows", "num_rows"]
    }

    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        let mut bytes = input.bytes.clone();
        if open(&bytes).is_err_and(|error| error.issue().message.contains(NO_STATISTICS))
            && let Some(longer) = with_metadata_length(&bytes)
        {
            bytes = longer;
        }
        // Nanoseconds reach only from 1677 to 2262; a file with times beyond is read again in
        // microseconds, which ORC's writers seldom go below.
        let table = match read(&bytes, TimestampPrecision::Nanosecond, context) {
            Err(error) if error.issue().message.contains("timestamp") => {
                let message =
                    "times beyond 1677 to 2262 are read in microseconds, finer digits are cut";
                let issue = Issue::warning(Stage::Parse, Code::TimePrecision, message);
                context.reporter.push(issue);
                read(&bytes, TimestampPrecision::Microsecond, context)?
            }
            other => other?,
        };
        warn_of_far_times(&table, context);
        crate::format::note_options(context);
        Ok(vec![crate::format::select::select(table, context)?])
    }
}

/// Before Hive 0.12 the postscript did not give the length of the stripe statistics, which the crate
/// wants: the same file with a length of 0 behind the other fields, and the postscript's own length
/// (the last byte) made longer by the two bytes of it.
fn with_metadata_length(bytes: &Bytes) -> Option<Bytes> {
    const METADATA_LENGTH_0: [u8; 2] = [0x28, 0x00];
    let (length, rest) = bytes.split_last()?;
    let mut longer = rest.to_vec();
    longer.extend_from_slice(&METADATA_LENGTH_0);
    longer.push(length.checked_add(2)?);
    Some(longer.into())
}

fn open(bytes: &Bytes) -> Result<ArrowReaderBuilder<Bytes>> {
    let try_open = || ArrowReaderBuilder::try_new(bytes.clone()).map_err(orc_error);
    // The crate asserts that the top level is a struct, which nothing makes a writer do.
    let builder = guarded(Stage::Parse, "orc", try_open).map_err(|error| {
        match error.issue().message.contains("Kind::Struct") {
            true => unread("whose top level is no struct"),
            false => error,
        }
    })?;
    let version = builder.file_metadata().file_format_version();
    if version == UNRELEASED_VERSION {
        return Err(unread(&format!("of the unreleased version {version}")));
    }
    Ok(builder)
}

fn read(bytes: &Bytes, unit: TimestampPrecision, context: &mut Context<'_>) -> Result<RawTable> {
    let open = || {
        let builder = open(bytes)?;
        Ok::<_, Error>(builder.with_batch_size(BATCH_ROWS).with_timestamp_precision(unit))
    };
    let Some(wanted) = &context.parser().stripes else {
        return collect(open()?.build(), context)
            .map_err(|error| unread_feature(&error.issue().message).map_or(error, unread));
    };
    let ranges: Vec<_> = open()?
        .file_metadata()
        .stripe_metadatas()
        .iter()
        .map(|stripe| stripe.offset() as usize..stripe.offset() as usize + 1)
        .collect();
    let mut table = RawTable::new(None, open()?.build().schema(), Vec::new());
    for index in wanted {
        let Some(range) = ranges.get(*index as usize) else {
            let message = format!("stripes names stripe {index}, the file has {}", ranges.len());
            return Err(Issue::error(Stage::Parse, Code::BadOption, message).into());
        };
        let reader = open()?.with_file_byte_range(range.clone()).build();
        table.batches.extend(collect(reader, context)?.batches);
    }
    Ok(table)
}

/// Times are stored by the writer's clock; the rules for summer time that turn them back end in 2099.
fn warn_of_far_times(table: &RawTable, context: &mut Context<'_>) {
    const YEAR_2100: i64 = 4_102_444_800;
    let is_far = |column: &dyn Array| match column.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => column
            .as_primitive::<TimestampNanosecondType>()
            .iter()
            .flatten()
            .any(|time| time >= YEAR_2100 * 1_000_000_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => column
            .as_primitive::<TimestampMicrosecondType>()
            .iter()
            .flatten()
            .any(|time| time >= YEAR_2100 * 1_000_000),
        _ => false,
    };
    for (index, field) in table.schema.fields().iter().enumerate() {
        if table.batches.iter().any(|batch| is_far(batch.column(index).as_ref())) {
            let message = format!(
                "column {:?} has times after 2099; in a zone with summer time they may be an hour off",
                field.name()
            );
            let issue = Issue::warning(Stage::Parse, Code::TimePrecision, message);
            context.reporter.push(issue.column(field.name()));
        }
    }
}

/// Old and odd files that orc-rust does not read, by what its messages show.
fn unread_feature(message: &str) -> Option<&'static str> {
    match message {
        text if text.contains("Metadata length is empty") => Some(NO_STATISTICS),
        text if text.contains("precision cannot be 0") => {
            Some("with decimals without a precision (Hive 0.11)")
        }
        _ => None,
    }
}

fn unread(what: &str) -> Error {
    let message = format!("ORC files {what} are not read");
    Issue::error(Stage::Parse, Code::UnsupportedFeature, message).into()
}

fn orc_error(error: OrcError) -> Error {
    let message = error.to_string();
    if let Some(feature) = unread_feature(&message) {
        return unread(feature);
    }
    let code = match &error {
        OrcError::UnsupportedTypeVariant { .. } => Code::UnsupportedFeature,
        OrcError::Arrow { .. } => return arrow_error(error.into()),
        _ if crate::format::names_unsupported(&message.to_lowercase()) => Code::UnsupportedFeature,
        _ => Code::Corrupt,
    };
    Issue::error(Stage::Parse, code, message).into()
}
