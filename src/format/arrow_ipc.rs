//! Arrow IPC: the file (Feather v2) and the stream, also the framing before version 0.15.
//!
//! Takes either framing, lz4 and zstd bodies included; gives the batches as they are. Refuses
//! Feather v1 and what arrow-ipc does not read, by name.

use std::io::Cursor;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};

use super::{FormatReader, Input, RawTable};
use crate::context::Context;
use crate::decompress::Budget;
use crate::detect::{Confidence, Signature};
use crate::error::{Error, Result};
use crate::options::FileType;
use crate::report::{Code, Issue, Stage};

const FILE_MAGIC: &[u8] = b"ARROW1";
const FEATHER_1_MAGIC: &[u8] = b"FEA1";
const CONTINUATION: &[u8] = &[0xff; 4];

/// The reader of Arrow IPC.
#[derive(Debug)]
pub struct ArrowIpc;

impl Signature for ArrowIpc {
    fn file_type(&self) -> FileType {
        FileType::Arrow
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["arrow", "feather", "ipc", "arrows", "arrow_file", "stream"]
    }

    fn recognise(&self, bytes: &[u8]) -> Confidence {
        let is_magic = bytes.starts_with(FILE_MAGIC) || bytes.starts_with(FEATHER_1_MAGIC);
        if is_magic || bytes.starts_with(CONTINUATION) || is_old_stream(bytes) {
            Confidence::Certain
        } else {
            Confidence::No
        }
    }
}

/// Before 0.15 a stream began with the length of its schema message.
fn is_old_stream(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return false };
    let length = u32::from_le_bytes(*length) as usize;
    if length < 16 || !length.is_multiple_of(4) {
        return false;
    }
    let message = rest.get(..length).map(arrow::ipc::root_as_message);
    matches!(message, Some(Ok(message)) if message.header_as_schema().is_some())
}

impl FormatReader for ArrowIpc {
    fn options(&self) -> &'static [&'static str] {
        &["columns", "usecols", "skiprows", "skip_rows", "nrows", "num_rows"]
    }

    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        if input.bytes.starts_with(FEATHER_1_MAGIC) {
            let message = "the file is Feather version 1, which is not read";
            return Err(Issue::error(Stage::Parse, Code::UnsupportedFeature, message)
                .byte_offset(0)
                .hint("write it again as Feather 2: pyarrow.feather.write_feather(table, path)")
                .into());
        }
        let cursor = Cursor::new(input.bytes.clone());
        let is_file = input.bytes.starts_with(FILE_MAGIC);
        let mut budget = Budget::new(input.bytes.len() as u64, context.limits);
        if is_file {
            check_blocks(&input.bytes, &mut budget)?;
        } else {
            check_messages(&input.bytes, &mut budget)?;
        }
        context
            .reporter
            .file()
            .framing
            .get_or_insert(if is_file { "file" } else { "stream" }.into());
        let table = if is_file {
            collect(FileReader::try_new(cursor, None).map_err(arrow_error)?, context)?
        } else {
            collect(StreamReader::try_new(cursor, None).map_err(arrow_error)?, context)?
        };
        super::note_options(context);
        Ok(vec![super::select::select(table, context)?])
    }
}

/// The reader makes room for as many bytes as a message says it has: no more than there are.
fn check_messages(bytes: &[u8], budget: &mut Budget<'_>) -> Result<()> {
    let mut at = 0;
    while let Some((length, rest)) = bytes[at..].split_first_chunk::<4>() {
        let (prefix, length) = match (length, rest.first_chunk::<4>()) {
            (&[0xff, 0xff, 0xff, 0xff], Some(length)) => (8, i32::from_le_bytes(*length)),
            (length, _) => (4, i32::from_le_bytes(*length)),
        };
        let Ok(length) = usize::try_from(length) else { return Ok(()) };
        if length == 0 {
            return Ok(());
        }
        let start = at + prefix;
        let Some(message) = bytes.get(start..start.saturating_add(length)) else {
            return Err(cut_short(at, length, bytes.len()));
        };
        let parsed = arrow::ipc::root_as_message(message).ok();
        if let Some(schema) = parsed.as_ref().and_then(|message| message.header_as_schema())
            && schema.endianness() == arrow::ipc::Endianness::Big
        {
            return Err(big_endian());
        }
        let body = parsed.as_ref().map_or(0, |message| message.bodyLength());
        let body = usize::try_from(body).unwrap_or(usize::MAX);
        if body > bytes.len() - start - length {
            return Err(cut_short(at, body, bytes.len()));
        }
        if let Some(message) = parsed {
            check_buffers(message, &bytes[start + length..], budget)?;
        }
        at = start + length + body;
    }
    Ok(())
}

/// The same for a file, whose footer says where its blocks are.
fn check_blocks(bytes: &[u8], budget: &mut Budget<'_>) -> Result<()> {
    let Some((body, tail)) = bytes.split_last_chunk::<10>() else { return Ok(()) };
    let [a, b, c, d, magic @ ..] = tail;
    let length = usize::try_from(i32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
    // What is no footer is for the reader to say.
    let Some(start) = body.len().checked_sub(length).filter(|_| magic == FILE_MAGIC) else {
        return Ok(());
    };
    let Ok(footer) = arrow::ipc::root_as_footer(&body[start..]) else { return Ok(()) };
    let blocks = footer.recordBatches().into_iter().chain(footer.dictionaries()).flatten();
    for block in blocks {
        let parts = [block.offset(), block.metaDataLength().into(), block.bodyLength()];
        let end =
            parts.iter().try_fold(0u64, |end, part| end.checked_add(u64::try_from(*part).ok()?));
        if end.is_none_or(|end| end > bytes.len() as u64) {
            let wanted = usize::try_from(block.bodyLength()).unwrap_or(usize::MAX);
            return Err(cut_short(block.offset().max(0) as usize, wanted, bytes.len()));
        }
        let start = block.offset() as usize;
        let body = start + block.metaDataLength() as usize;
        let message = &bytes[start..body];
        let message = message.strip_prefix(CONTINUATION).unwrap_or(message);
        if let Some(Ok(message)) = message.get(4..).map(arrow::ipc::root_as_message) {
            check_buffers(message, &bytes[body..], budget)?;
        }
    }
    Ok(())
}

/// A compressed buffer begins with the length it will have, which the reader believes.
fn check_buffers(
    message: arrow::ipc::Message<'_>,
    body: &[u8],
    budget: &mut Budget<'_>,
) -> Result<()> {
    let dictionary = message.header_as_dictionary_batch().and_then(|batch| batch.data());
    let Some(batch) = message.header_as_record_batch().or(dictionary) else { return Ok(()) };
    if batch.compression().is_none() {
        return Ok(());
    }
    for buffer in batch.buffers().into_iter().flatten() {
        let start = usize::try_from(buffer.offset()).unwrap_or(usize::MAX);
        let Some(length) = body.get(start..).and_then(|rest| rest.first_chunk::<8>()) else {
            continue;
        };
        // −1 marks a buffer that is not compressed after all, 0 one that is empty.
        if buffer.length() > 0
            && let Ok(length) = u64::try_from(i64::from_le_bytes(*length))
        {
            budget.spend(length)?;
        }
    }
    Ok(())
}

fn big_endian() -> Error {
    let message = "the Arrow data is big-endian, which is not read";
    Issue::error(Stage::Parse, Code::UnsupportedFeature, message)
        .hint("write it again on a little-endian machine")
        .into()
}

fn cut_short(at: usize, wanted: usize, size: usize) -> Error {
    let message =
        format!("a message at byte {at} has {wanted} bytes, but the stream ends at {size}");
    Issue::error(Stage::Parse, Code::Truncated, message).byte_offset(at as u64).into()
}

/// All batches of a reader, as long as the limits allow.
pub(super) fn collect(
    reader: impl RecordBatchReader,
    context: &mut Context<'_>,
) -> Result<RawTable> {
    let schema = reader.schema();
    let mut batches: Vec<RecordBatch> = Vec::new();
    let mut rows = 0;
    for batch in reader {
        let batch = batch.map_err(arrow_error)?;
        rows += batch.num_rows() as u64;
        if rows > context.limits.rows {
            let message = format!("more than {} rows", context.limits.rows);
            return Err(Issue::limit(Code::TooManyRows, message, "rows").into());
        }
        batches.push(batch);
    }
    Ok(RawTable::new(None, schema, batches))
}

/// What the arrow crates say, in our terms.
pub(super) fn arrow_error(error: ArrowError) -> Error {
    let message = error.to_string();
    let lower = message.to_lowercase();
    if lower.contains("endianness") {
        return big_endian();
    }
    if lower.contains("index overflow decoding byte array") {
        let message = "a column of one batch has more than 2 GiB of values";
        return Issue::limit(Code::ValueTooLarge, message, "value_bytes").into();
    }
    let is_end = matches!(&error, ArrowError::IoError(_, io)
        if io.kind() == std::io::ErrorKind::UnexpectedEof)
        || lower.contains("unexpected end")
        || lower.contains("does not contain correct footer")
        || lower.contains("eof");
    let code = match error {
        ArrowError::NotYetImplemented(_) => Code::UnsupportedFeature,
        _ if is_end => Code::Truncated,
        _ if super::names_unsupported(&lower) => Code::UnsupportedFeature,
        _ => Code::Corrupt,
    };
    Issue::error(Stage::Parse, code, message).into()
}
