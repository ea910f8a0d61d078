//! Where the messages are, in a stream and in a file.
//!
//! Nothing of a body is read here; every place that is handed out lies in the bytes.

use std::ops::Range;

use arrow::ipc::{Message, MessageHeader, MetadataVersion, Schema};
use bytes::Bytes;

use super::super::columnar::{end_of_first, joined};
use super::{CONTINUATION, FILE_MAGIC};
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// A message of rows or of a dictionary: its description and its body.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub is_dictionary: bool,
    pub metadata: Range<usize>,
    pub body: Range<usize>,
}

impl Place {
    /// The message's description.
    pub fn message<'a>(&self, bytes: &'a [u8]) -> Result<Message<'a>> {
        parsed(bytes, self.metadata.clone())
    }
}

/// All messages behind the schema's, in the order in which they count: in a file dictionaries first.
#[derive(Debug)]
pub(super) struct Layout {
    pub is_file: bool,
    schema: Range<usize>,
    pub places: Vec<Place>,
    /// Where the bytes begin that belong to no message, if there are any.
    pub surplus: Option<usize>,
    /// How a stream ends too early, behind messages that are whole.
    pub cut: Option<Issue>,
}

impl Layout {
    pub fn of(bytes: &Bytes) -> Result<Layout> {
        if bytes.starts_with(FILE_MAGIC) { of_file(bytes) } else { of_stream(bytes) }
    }

    /// The schema, out of the footer or out of the first message.
    pub fn schema<'a>(&self, bytes: &'a [u8]) -> Result<Schema<'a>> {
        let missing = || corrupt("there is no schema", self.schema.start);
        if self.is_file {
            footer(bytes, self.schema.clone())?.schema().ok_or_else(missing)
        } else {
            parsed(bytes, self.schema.clone())?.header_as_schema().ok_or_else(missing)
        }
    }
}

fn parsed(bytes: &[u8], metadata: Range<usize>) -> Result<Message<'_>> {
    let at = metadata.start;
    let message = arrow::ipc::root_as_message(&bytes[metadata])
        .map_err(|error| flatbuffer("a message's description", &error, at))?;
    if matches!(message.version(), MetadataVersion::V4 | MetadataVersion::V5) {
        return Ok(message);
    }
    let message = format!(
        "Arrow metadata of version {}, which is not read",
        i32::from(message.version().0) + 1
    );
    Err(Issue::error(Stage::Parse, Code::UnsupportedFeature, message)
        .byte_offset(at as u64)
        .hint("versions 4 (Arrow 0.8) and 5 (Arrow 1.0) are read")
        .into())
}

fn footer(bytes: &[u8], place: Range<usize>) -> Result<arrow::ipc::Footer<'_>> {
    let at = place.start;
    arrow::ipc::root_as_footer(&bytes[place]).map_err(|error| flatbuffer("the footer", &error, at))
}

fn flatbuffer(what: &str, error: &dyn std::fmt::Display, at: usize) -> Error {
    let text = error.to_string();
    if text.to_lowercase().contains("depth limit") {
        let message = "types nest deeper than 60, which is not read";
        return Issue::error(Stage::Parse, Code::UnsupportedFeature, message)
            .byte_offset(at as u64)
            .into();
    }
    let first = text.lines().next().unwrap_or_default().trim_end_matches([':', '.', ' ']);
    corrupt(format!("{what} is damaged: {first}"), at)
}

pub(super) fn corrupt(message: impl Into<String>, at: usize) -> Error {
    Issue::error(Stage::Parse, Code::Corrupt, message).byte_offset(at as u64).into()
}

fn cut_short(at: usize, wanted: usize, size: usize) -> Error {
    let message =
        format!("a message at byte {at} has {wanted} bytes, but the stream ends at {size}");
    Issue::error(Stage::Parse, Code::Truncated, message).byte_offset(at as u64).into()
}

/// What stands at a place: the end mark, or the description of a message.
enum Frame {
    End(usize),
    Message(Range<usize>),
}

/// The length before a message; before version 0.15 there was no mark in front of it.
fn frame(bytes: &[u8], at: usize) -> Result<Frame> {
    let number = |at: usize| bytes.get(at..)?.first_chunk::<4>().copied();
    let Some(first) = number(at) else { return Err(cut_short(at, 4, bytes.len())) };
    let (start, length) = if first == CONTINUATION {
        (at + 8, number(at + 4).ok_or_else(|| cut_short(at, 8, bytes.len()))?)
    } else {
        (at + 4, first)
    };
    let length = i32::from_le_bytes(length);
    let Ok(length) = usize::try_from(length) else {
        return Err(corrupt(format!("a message has a length of {length} bytes"), at));
    };
    if length == 0 {
        return Ok(Frame::End(start));
    }
    if length > bytes.len() - start {
        return Err(cut_short(at, length, bytes.len()));
    }
    Ok(Frame::Message(start..start + length))
}

fn of_stream(bytes: &[u8]) -> Result<Layout> {
    let mut schema = None;
    let mut places = Vec::new();
    let mut at = 0;
    let (mut surplus, mut cut) = (None, None);
    // A stream may do without its end mark.
    while at < bytes.len() {
        let found = match frame(bytes, at) {
            Err(error) if has_rows(&places) && error.issue().code == Code::Truncated => {
                cut = Some(error.issue().clone());
                break;
            }
            found => found?,
        };
        let metadata = match found {
            Frame::Message(metadata) => metadata,
            Frame::End(end) => {
                surplus = bytes[end..].iter().any(|byte| *byte != 0).then_some(end);
                break;
            }
        };
        let message = parsed(bytes, metadata.clone())?;
        let room = bytes.len() - metadata.end;
        let length = usize::try_from(message.bodyLength())
            .map_err(|_| corrupt("a message's body has a negative length", at))?;
        if length > room {
            let error = cut_short(at, length, bytes.len());
            if !has_rows(&places) {
                return Err(error);
            }
            cut = Some(error.issue().clone());
            break;
        }
        let body = metadata.end..metadata.end + length;
        let next = body.end;
        match message.header_type() {
            MessageHeader::Schema if schema.is_none() => schema = Some(metadata),
            MessageHeader::Schema => {
                return Err(corrupt("a second schema begins inside of the stream", at));
            }
            kind => {
                if schema.is_none() {
                    return Err(corrupt("the stream does not begin with a schema", at));
                }
                let is_dictionary = is_dictionary(kind, at)?;
                places.push(Place { is_dictionary, metadata, body });
            }
        }
        at = next;
    }
    let Some(schema) = schema else {
        return Err(corrupt("the stream has no schema", 0));
    };
    Ok(Layout { is_file: false, schema, places, surplus, cut })
}

fn has_rows(places: &[Place]) -> bool {
    places.iter().any(|place| !place.is_dictionary)
}

fn is_dictionary(kind: MessageHeader, at: usize) -> Result<bool> {
    match kind {
        MessageHeader::DictionaryBatch => Ok(true),
        MessageHeader::RecordBatch => Ok(false),
        MessageHeader::Tensor | MessageHeader::SparseTensor => {
            let message = "the Arrow data is a tensor, which is not read";
            Err(Issue::error(Stage::Parse, Code::UnsupportedFeature, message)
                .byte_offset(at as u64)
                .into())
        }
        _ => Err(corrupt("a message is of no known kind", at)),
    }
}

fn of_file(bytes: &[u8]) -> Result<Layout> {
    let no_footer = || {
        let message = "the Arrow file has no footer: it does not end in ARROW1";
        Issue::error(Stage::Parse, Code::Truncated, message)
            .byte_offset(bytes.len() as u64)
            .hint("fetch or upload the file again")
    };
    let (body, tail) = bytes.split_last_chunk::<10>().ok_or_else(no_footer)?;
    let Some(length) = tail.first_chunk::<4>().filter(|_| tail[4..] == *FILE_MAGIC) else {
        return Err(no_footer().into());
    };
    let length = i32::from_le_bytes(*length);
    let start = usize::try_from(length)
        .ok()
        .and_then(|length| body.len().checked_sub(length))
        .filter(|start| *start >= 8)
        .ok_or_else(|| {
            let message = format!("the footer has {length} bytes, the file {}", bytes.len());
            corrupt(message, body.len())
        })?;
    let schema = start..body.len();
    let footer = footer(bytes, schema.clone())?;
    let mut places = Vec::new();
    let blocks = footer.dictionaries().into_iter().flatten().map(|block| (true, block));
    let blocks = blocks.chain(footer.recordBatches().into_iter().flatten().map(|b| (false, b)));
    let mut taken = Vec::new();
    for (dictionary, block) in blocks {
        let outside = || {
            let message = format!(
                "the footer has a message at byte {} with {} and {} bytes, the file has {start}",
                block.offset(),
                block.metaDataLength(),
                block.bodyLength()
            );
            Issue::error(Stage::Parse, Code::Truncated, message).byte_offset(start as u64)
        };
        let begin = usize::try_from(block.offset()).ok();
        let middle =
            begin.and_then(|begin| begin.checked_add(block.metaDataLength().try_into().ok()?));
        let end = middle.and_then(|middle| middle.checked_add(block.bodyLength().try_into().ok()?));
        let (Some(begin), Some(middle), Some(end)) = (begin, middle, end) else {
            return Err(outside().into());
        };
        if end > start {
            return Err(outside().into());
        }
        taken.push(begin..end);
        let metadata = match frame(&bytes[..middle], begin)? {
            Frame::Message(metadata) => metadata,
            Frame::End(_) => return Err(corrupt("the footer points to an empty message", begin)),
        };
        let message = parsed(bytes, metadata.clone())?;
        if is_dictionary(message.header_type(), begin)? != dictionary {
            return Err(corrupt("the footer takes rows for a dictionary, or the reverse", begin));
        }
        places.push(Place { is_dictionary: dictionary, metadata, body: middle..end });
    }
    let end = taken.iter().map(|range| range.end).max().unwrap_or_default();
    if let Some(end) = end_of_first(bytes, bytes.len() - end, FILE_MAGIC) {
        return Err(joined("Arrow", end));
    }
    // A footer could name one message very often.
    taken.sort_unstable_by_key(|place: &Range<usize>| place.start);
    if let Some([_, overlapped]) = taken.array_windows().find(|[a, b]| a.end > b.start) {
        return Err(corrupt("two messages of the footer overlap", overlapped.start));
    }
    Ok(Layout { is_file: true, schema, places, surplus: None, cut: None })
}
