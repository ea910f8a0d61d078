//! What a message says of its rows: how many, how many are null, and where the buffers are.

use std::ops::Range;

use arrow::ipc::{CompressionType, MetadataVersion, RecordBatch};

use super::messages::{Place, corrupt};
use super::schema::Column;
use crate::decompress::BufferCodec;
use crate::error::Result;
use crate::limits::Limits;
use crate::report::{Code, Issue, Stage};

/// How long an array is, and how many of its values are said to be null.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub length: usize,
    /// `None` where the writer did not count.
    pub nulls: Option<usize>,
}

/// A message's description, checked against the bytes that are there.
#[derive(Debug)]
pub(super) struct Header {
    /// Where the message begins.
    pub at: usize,
    pub rows: usize,
    pub nodes: Vec<Node>,
    /// Where the buffers are in the body.
    pub buffers: Vec<Range<usize>>,
    /// How many buffers the values of each column of views are in.
    pub counts: Vec<usize>,
    pub codec: Option<BufferCodec>,
    /// Unions had a validity once.
    pub has_union_validity: bool,
    /// For a dictionary, which one it is, and whether it adds to what was there before.
    pub dictionary: Option<(i64, bool)>,
}

/// How much of a message comes before a column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Position {
    pub node: usize,
    pub buffer: usize,
    pub count: usize,
}

impl Header {
    pub fn of(place: &Place, bytes: &[u8], limits: &Limits) -> Result<Header> {
        let at = place.metadata.start;
        let message = place.message(bytes)?;
        let missing = || corrupt("a message says nothing of its rows", at);
        let (batch, dictionary) = match message.header_as_dictionary_batch() {
            Some(dictionary) => {
                let batch = dictionary.data().ok_or_else(missing)?;
                (batch, Some((dictionary.id(), dictionary.isDelta())))
            }
            None => (message.header_as_record_batch().ok_or_else(missing)?, None),
        };
        let old = message.custom_metadata().into_iter().flatten();
        if old.filter_map(|pair| pair.key()).any(|key| key == "ARROW:experimental_compression") {
            return Err(unsupported("buffers are compressed as Arrow 0.17 did it", at));
        }
        let rows = length(batch.length(), limits, at)?;
        let nodes = batch.nodes().into_iter().flatten().map(|node| {
            let length = usize::try_from(node.length())
                .map_err(|_| corrupt(format!("an array has {} values", node.length()), at))?;
            let nulls = match node.null_count() {
                -1 => None,
                count => match usize::try_from(count) {
                    Ok(count) if count <= length => Some(count),
                    _ => {
                        let message = format!("an array of {length} values has {count} nulls");
                        return Err(corrupt(message, at));
                    }
                },
            };
            Ok(Node { length, nulls })
        });
        let counts = batch.variadicBufferCounts().into_iter().flatten().map(|count| {
            usize::try_from(count)
                .map_err(|_| corrupt(format!("a column of views has {count} buffers"), at))
        });
        Ok(Header {
            at,
            rows,
            nodes: nodes.collect::<Result<_>>()?,
            buffers: buffers(batch, &place.body, at)?,
            counts: counts.collect::<Result<_>>()?,
            codec: codec(batch, at)?,
            has_union_validity: message.version() == MetadataVersion::V4,
            dictionary,
        })
    }

    /// The position behind this column.
    pub fn behind(&self, column: &Column, mut position: Position) -> Result<Position> {
        use arrow::datatypes::DataType::*;
        position.node += 1;
        position.buffer += match column.field.data_type() {
            Null | RunEndEncoded(..) => 0,
            Struct(_) | FixedSizeList(..) => 1,
            Utf8 | Binary | LargeUtf8 | LargeBinary | ListView(_) | LargeListView(_) => 3,
            Utf8View | BinaryView => {
                let count = self.counts.get(position.count).copied().unwrap_or_default();
                position.count += 1;
                count.saturating_add(2)
            }
            Union(_, mode) => {
                let offsets = usize::from(*mode == arrow::datatypes::UnionMode::Dense);
                1 + offsets + usize::from(self.has_union_validity)
            }
            _ => 2,
        };
        if position.node > self.nodes.len() || position.buffer > self.buffers.len() {
            let message = format!(
                "a message describes {} arrays and {} buffers, which is too few",
                self.nodes.len(),
                self.buffers.len()
            );
            return Err(corrupt(message, self.at));
        }
        column.children.iter().try_fold(position, |at, child| self.behind(child, at))
    }
}

/// A number of rows, which must be one that is allowed: rows may take no room at all.
pub(super) fn length(rows: i64, limits: &Limits, at: usize) -> Result<usize> {
    let wanted =
        usize::try_from(rows).map_err(|_| corrupt(format!("a message has {rows} rows"), at))?;
    if wanted as u64 > limits.rows {
        let message = format!("got {wanted} rows in one message, allowed are {}", limits.rows);
        return Err(Issue::limit(Code::TooManyRows, message, "rows").byte_offset(at as u64).into());
    }
    Ok(wanted)
}

fn unsupported(message: &str, at: usize) -> crate::error::Error {
    let message = format!("{message}, which is not read");
    Issue::error(Stage::Parse, Code::UnsupportedFeature, message).byte_offset(at as u64).into()
}

fn codec(batch: RecordBatch<'_>, at: usize) -> Result<Option<BufferCodec>> {
    let Some(compression) = batch.compression() else { return Ok(None) };
    match compression.codec() {
        CompressionType::LZ4_FRAME => Ok(Some(BufferCodec::Lz4Frame)),
        CompressionType::ZSTD => Ok(Some(BufferCodec::Zstd)),
        other => Err(unsupported(&format!("buffers are compressed by codec {}", other.0), at)),
    }
}

fn buffers(batch: RecordBatch<'_>, body: &Range<usize>, at: usize) -> Result<Vec<Range<usize>>> {
    let mut total = 0usize;
    let found = batch.buffers().into_iter().flatten().map(|buffer| {
        if buffer.length() == 0 {
            return Ok(0..0);
        }
        let start = usize::try_from(buffer.offset()).ok();
        let length = usize::try_from(buffer.length()).ok();
        let end = start.zip(length).and_then(|(start, length)| start.checked_add(length));
        let (Some(start), Some(end)) = (start, end.filter(|end| *end <= body.len())) else {
            let message = format!(
                "a buffer has {} bytes at {} of a body of {}",
                buffer.length(),
                buffer.offset(),
                body.len()
            );
            return Err(corrupt(message, at));
        };
        total = total.saturating_add(end - start);
        Ok(start..end)
    });
    let found = found.collect::<Result<Vec<_>>>()?;
    if total > body.len() {
        let message =
            format!("buffers overlap: together they have {total} bytes, the body {}", body.len());
        return Err(corrupt(message, at));
    }
    Ok(found)
}
