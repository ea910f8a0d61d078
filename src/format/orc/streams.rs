//! A look at the streams of a stripe before the crate inflates them: it makes room for whatever sizes and
//! counts they claim.

use std::io::{Error as IoError, ErrorKind, Read};

use bytes::buf::{Chain, Reader};
use bytes::{Buf, Bytes};
use orc_rust::compression::Decompressor;
use orc_rust::proto::StripeFooter;
use orc_rust::proto::column_encoding::Kind;
use orc_rust::proto::stream::Kind as StreamKind;
use orc_rust::reader::ChunkReader;
use orc_rust::reader::metadata::FileMetadata;
use orc_rust::schema::{DataType, RootDataType};
use orc_rust::stripe::StripeMetadata;
use prost::Message;

use super::super::columnar::Bounds;
use super::blocks::{self, Codec};
use super::runs;
use crate::decompress::Budget;
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// Elements of all lists of a column of a stripe, whatever its bytes.
const MOST_ELEMENTS: u64 = 1 << 27;

/// The bytes of a file, never read beyond their end, and what stands behind them.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub bytes: Bytes,
    pub tail: Bytes,
}

impl ChunkReader for Source {
    type T = Reader<Chain<Bytes, Bytes>>;

    fn len(&self) -> u64 {
        (self.bytes.len() + self.tail.len()) as u64
    }

    fn get_read(&self, start: u64) -> std::io::Result<Self::T> {
        let start = start.min(self.len()) as usize;
        let of_bytes = start.min(self.bytes.len());
        let (bytes, tail) = (self.bytes.slice(of_bytes..), self.tail.slice(start - of_bytes..));
        Ok(bytes.chain(tail).reader())
    }

    fn get_bytes(&self, start: u64, length: u64) -> std::io::Result<Bytes> {
        let Some(end) = start.checked_add(length).filter(|end| *end <= self.len()) else {
            let message =
                format!("unexpected end of file: {length} bytes at byte {start} of {}", self.len());
            return Err(IoError::new(ErrorKind::UnexpectedEof, message));
        };
        let (start, end) = (start as usize, end as usize);
        if end <= self.bytes.len() {
            return Ok(self.bytes.slice(start..end));
        }
        let of_bytes = start.min(self.bytes.len());
        let tail = &self.tail[start - of_bytes..end - self.bytes.len()];
        Ok([&self.bytes[of_bytes..], tail].concat().into())
    }
}

/// Checks the streams of some columns of a stripe; gives the bytes that they inflate to at most.
pub(super) fn check_stripe(
    source: &Source,
    metadata: &FileMetadata,
    codec: Codec,
    info: &StripeMetadata,
    root: &RootDataType,
    bounds: &Bounds,
) -> Result<u64> {
    let place = |parts: [u64; 3]| parts.iter().try_fold(0u64, |sum, part| sum.checked_add(*part));
    let footer_at = place([info.offset(), info.index_length(), info.data_length()]);
    let footer = footer_at.map_or_else(
        || Err(damaged("a stripe's lengths are no lengths".to_owned())),
        |at| source.get_bytes(at, info.footer_length()).map_err(beyond),
    )?;
    blocks::inflated(std::slice::from_ref(&footer), codec, bounds)?;
    let mut inflated = Vec::new();
    let decoded = Decompressor::new(footer, metadata.compression(), Vec::new())
        .read_to_end(&mut inflated)
        .ok()
        .and_then(|_| StripeFooter::decode(inflated.as_slice()).ok());
    // What is no footer is for the crate to say.
    let Some(footer) = decoded else { return Ok(0) };
    let (mut at, mut data, mut lengths) = (info.offset(), Vec::new(), Vec::new());
    for stream in &footer.streams {
        let (column, length) = (stream.column() as usize, stream.length());
        if root.contains_column_index(column) {
            let bytes = source.get_bytes(at, length).map_err(beyond)?;
            let is_data = !matches!(
                stream.kind(),
                StreamKind::RowIndex | StreamKind::BloomFilter | StreamKind::BloomFilterUtf8
            );
            // Indexes are not read.
            if stream.kind() == StreamKind::Length {
                lengths.push((column, bytes.clone()));
            }
            if is_data {
                data.push(bytes);
            }
        }
        at = at.checked_add(length).ok_or_else(|| damaged("a stream has no end".to_owned()))?;
    }
    let (total, mut budget) = blocks::inflated(&data, codec, bounds)?;
    for (column, bytes) in lengths {
        let Some(encoding) = footer.columns.get(column) else { continue };
        check_dictionary(encoding.dictionary_size(), &bytes, metadata, &mut budget)?;
        let mut inflated = Vec::new();
        let mut lengths = Decompressor::new(bytes, metadata.compression(), Vec::new());
        // What cannot be inflated ends the crate's reading as well.
        let _ = lengths.read_to_end(&mut inflated);
        let is_second = matches!(encoding.kind(), Kind::DirectV2 | Kind::DictionaryV2);
        let sum = runs::total(&inflated, is_second);
        let (what, most) = match holds_elements(root, column) {
            true => ("elements", MOST_ELEMENTS.max(total.saturating_mul(16))),
            false => ("bytes", total),
        };
        if sum > most {
            let message = format!(
                "the lengths of column {column} of a stripe add up to {sum} {what}, its streams \
                 to {total} bytes"
            );
            return Err(damaged(message));
        }
    }
    Ok(total)
}

/// Whether a column has lists or maps.
fn holds_elements(root: &RootDataType, column: usize) -> bool {
    fn find(data_type: &DataType, column: usize) -> bool {
        match data_type {
            DataType::List { column_index, child } => {
                *column_index == column || find(child, column)
            }
            DataType::Map { column_index, key, value } => {
                *column_index == column || find(key, column) || find(value, column)
            }
            DataType::Struct { children, .. } => {
                children.iter().any(|child| find(child.data_type(), column))
            }
            DataType::Union { variants, .. } => variants.iter().any(|one| find(one, column)),
            _ => false,
        }
    }
    root.children().iter().any(|child| find(child.data_type(), column))
}

/// The lengths of a dictionary's entries are made room for at once.
fn check_dictionary(
    entries: u32,
    lengths: &Bytes,
    metadata: &FileMetadata,
    budget: &mut Budget<'_>,
) -> Result<()> {
    /// Of one byte no more lengths are made than this.
    const OF_A_BYTE: u64 = 256;
    /// With so few entries nothing can be had.
    const FEW: u64 = 1 << 20;
    if u64::from(entries) <= FEW {
        return Ok(());
    }
    let lengths = Decompressor::new(lengths.clone(), metadata.compression(), Vec::new());
    let most = u64::from(entries).div_ceil(OF_A_BYTE) + 1;
    let found = std::io::copy(&mut lengths.take(most), &mut std::io::sink()).unwrap_or_default();
    if found.saturating_mul(OF_A_BYTE) < u64::from(entries) {
        let message = format!("a dictionary of {entries} entries has {found} bytes of lengths");
        return Err(damaged(message));
    }
    budget.spend(u64::from(entries) * 8)
}

fn beyond(error: IoError) -> Error {
    Issue::error(Stage::Parse, Code::Truncated, error.to_string()).into()
}

fn damaged(message: String) -> Error {
    Issue::error(Stage::Parse, Code::Corrupt, message).into()
}
