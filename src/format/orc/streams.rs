//! A look at the streams of a stripe before the crate inflates them: it makes room for whatever sizes and
//! counts they claim.

use std::io::{Error as IoError, ErrorKind, Read};

use bytes::{Buf, Bytes};
use orc_rust::compression::{Compression, Decompressor};
use orc_rust::proto::column_encoding::Kind as EncodingKind;
use orc_rust::proto::stream::Kind as StreamKind;
use orc_rust::proto::r#type::Kind as TypeKind;
use orc_rust::proto::{CompressionKind, Footer, PostScript, StripeFooter, Type};
use orc_rust::reader::ChunkReader;
use orc_rust::reader::metadata::{FileMetadata, read_metadata};
use orc_rust::schema::{DataType, RootDataType};
use orc_rust::stripe::StripeMetadata;
use prost::Message;

use super::super::columnar::Bounds;
use super::lengths;
use crate::decompress::Budget;
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// The header of a block: 23 bits of length and one that says whether it is compressed.
const HEADER: usize = 3;
const MOST_BLOCK: u64 = 1 << 23;
/// What a writer may add to a block that it did not compress well.
const DEFAULT_BLOCK: u64 = 256 << 10;
/// Deflated blocks do not say how long they become, only that it is 1,032 times this at most.
const MOST_DEFLATED: u64 = 1 << 20;

/// Elements of all lists of a column of a stripe, whatever its bytes.
const MOST_ELEMENTS: u64 = 1 << 27;

/// The bytes of a file, never read beyond their end.
#[derive(Clone, Debug)]
pub(super) struct Source(pub Bytes);

impl ChunkReader for Source {
    type T = bytes::buf::Reader<Bytes>;

    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn get_read(&self, start: u64) -> std::io::Result<Self::T> {
        let left = self.len().saturating_sub(start);
        Ok(self.get_bytes(start.min(self.len()), left)?.reader())
    }

    fn get_bytes(&self, start: u64, length: u64) -> std::io::Result<Bytes> {
        match start.checked_add(length).filter(|end| *end <= self.len()) {
            Some(end) => Ok(self.0.slice(start as usize..end as usize)),
            None => {
                let message = format!(
                    "unexpected end of file: {length} bytes at byte {start} of {}",
                    self.len()
                );
                Err(IoError::new(ErrorKind::UnexpectedEof, message))
            }
        }
    }
}

/// How blocks are compressed, and how long they may become.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codec {
    kind: CompressionKind,
    block: u64,
}

impl Codec {
    pub fn of(postscript: &PostScript) -> Self {
        let block = postscript.compression_block_size.unwrap_or(DEFAULT_BLOCK);
        Codec { kind: postscript.compression(), block }
    }

    /// lz4 takes room for a whole block each time, and the header of a block cannot count more.
    pub fn check_block_size(self) -> Result<()> {
        if self.kind == CompressionKind::None || self.block <= MOST_BLOCK {
            return Ok(());
        }
        let message =
            format!("compression blocks of {} bytes, {MOST_BLOCK} are possible", self.block);
        Err(damaged(message))
    }

    /// The same for the crate, which only makes it out of a file: one without columns.
    pub fn of_crate(self) -> Option<Compression> {
        let root = Type { kind: Some(TypeKind::Struct as i32), ..Type::default() };
        let footer = Footer { types: vec![root], ..Footer::default() }.encode_to_vec();
        let mut file = match self.kind {
            CompressionKind::None => Vec::new(),
            _ => vec![(footer.len() as u8) << 1 | 1, 0, 0],
        };
        file.extend(footer);
        let postscript = PostScript {
            footer_length: Some(file.len() as u64),
            compression: Some(self.kind as i32),
            compression_block_size: Some(self.block),
            metadata_length: Some(0),
            ..PostScript::default()
        };
        file.extend(postscript.encode_to_vec());
        file.push(postscript.encoded_len() as u8);
        read_metadata(&mut Source(file.into())).ok()?.compression()
    }
}

/// Bytes that the blocks of a stream become at most; an error where one of them may become more than
/// any writer's block.
pub(super) fn inflated_at_most(mut stream: &[u8], codec: Codec) -> Result<u64> {
    if codec.kind == CompressionKind::None {
        return Ok(stream.len() as u64);
    }
    let mut total = 0u64;
    while let Some((header, rest)) = stream.split_first_chunk::<HEADER>() {
        let [a, b, c] = *header;
        let header = u32::from_le_bytes([a, b, c, 0]);
        let (length, is_original) = ((header >> 1) as usize, header & 1 == 1);
        let Some((block, rest)) = rest.split_at_checked(length) else {
            let left = rest.len();
            let message = format!("a compressed block has {length} bytes, {left} are left");
            return Err(Issue::error(Stage::Parse, Code::Truncated, message).into());
        };
        let most = if is_original { length as u64 } else { block_at_most(block, codec)? };
        total = total.saturating_add(most);
        stream = rest;
    }
    match stream.is_empty() {
        true => Ok(total),
        false => Err(damaged("a stream ends inside of the header of a block".to_owned())),
    }
}

fn block_at_most(block: &[u8], codec: Codec) -> Result<u64> {
    let length = block.len() as u64;
    let allowed = codec.block.max(DEFAULT_BLOCK);
    let claimed = match codec.kind {
        CompressionKind::Snappy => leading_varint(block),
        CompressionKind::Zstd => Some(zstd_at_most(block)),
        CompressionKind::Lz4 => Some(codec.block.min(length.saturating_mul(256))),
        _ if length > MOST_DEFLATED => Some(u64::MAX),
        _ => Some(codec.block.min(length.saturating_mul(1_040))),
    };
    match claimed {
        Some(claimed) if claimed <= allowed.saturating_mul(2) => Ok(claimed),
        claimed => {
            let message = format!(
                "a block of {length} bytes may become {}, more than the {} of a block",
                claimed.map_or_else(|| "any number".to_owned(), |claimed| claimed.to_string()),
                codec.block
            );
            Err(damaged(message))
        }
    }
}

/// Snappy begins with the length that comes out.
fn leading_varint(bytes: &[u8]) -> Option<u64> {
    let mut value = 0;
    for (byte, shift) in bytes.iter().zip((0..35).step_by(7)) {
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// What a zstd frame's blocks can hold: 128 KiB each, whatever its header says.
fn zstd_at_most(frame: &[u8]) -> u64 {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    const MOST: u64 = 128 << 10;
    let count = || {
        let (magic, rest) = frame.split_first_chunk::<4>()?;
        let descriptor = *rest.first().filter(|_| *magic == MAGIC)?;
        let is_single = descriptor & 0x20 != 0;
        let of_size = match descriptor >> 6 {
            0 => usize::from(is_single),
            flag => 1 << flag,
        };
        let of_dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let mut at = 5 + usize::from(!is_single) + of_dictionary + of_size;
        let mut total = 0u64;
        loop {
            let [a, b, c] = *frame.get(at..)?.first_chunk::<3>()?;
            let header = u32::from_le_bytes([a, b, c, 0]);
            let size = (header >> 3) as usize;
            let (stored, most) = match header >> 1 & 3 {
                0 => (size, size as u64),
                1 => (1, size as u64),
                _ => (size, MOST),
            };
            total = total.saturating_add(most.min(MOST));
            at = at.checked_add(3)?.checked_add(stored)?;
            if header & 1 == 1 {
                break;
            }
        }
        // A checksum may follow, and nothing else: a second frame would have to be counted as well.
        let checksum = if descriptor & 4 != 0 { 4 } else { 0 };
        (at + checksum >= frame.len()).then_some(total)
    };
    count().unwrap_or(u64::MAX)
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
    let mut budget = Budget::new(bounds.input, &bounds.limits);
    budget.spend(inflated_at_most(&footer, codec)?)?;
    let mut inflated = Vec::new();
    let decoded = Decompressor::new(footer, metadata.compression(), Vec::new())
        .read_to_end(&mut inflated)
        .ok()
        .and_then(|_| StripeFooter::decode(inflated.as_slice()).ok());
    // What is no footer is for the crate to say.
    let Some(footer) = decoded else { return Ok(0) };
    let (mut at, mut total, mut lengths) = (info.offset(), 0u64, Vec::new());
    for stream in &footer.streams {
        let (column, length) = (stream.column() as usize, stream.length());
        if root.contains_column_index(column) {
            let bytes = source.get_bytes(at, length).map_err(beyond)?;
            let is_data = !matches!(
                stream.kind(),
                StreamKind::RowIndex | StreamKind::BloomFilter | StreamKind::BloomFilterUtf8
            );
            // Indexes are not read.
            if is_data {
                let most = inflated_at_most(&bytes, codec)?;
                budget.spend(most)?;
                total += most;
            }
            if stream.kind() == StreamKind::Length {
                lengths.push((column, bytes));
            }
        }
        at = at.checked_add(length).ok_or_else(|| damaged("a stream has no end".to_owned()))?;
    }
    for (column, bytes) in lengths {
        let Some(encoding) = footer.columns.get(column) else { continue };
        check_dictionary(encoding.dictionary_size(), &bytes, metadata, &mut budget)?;
        if holds_elements(root, column) {
            let mut inflated = Vec::new();
            let mut lengths = Decompressor::new(bytes, metadata.compression(), Vec::new());
            // What cannot be inflated ends the crate's reading as well.
            let _ = lengths.read_to_end(&mut inflated);
            let is_second = encoding.kind() == EncodingKind::DirectV2;
            let elements = lengths::total(&inflated, is_second);
            if elements > MOST_ELEMENTS.max(total.saturating_mul(16)) {
                let message = format!(
                    "the lists of column {column} of a stripe say they have {elements} elements, \
                     its streams {total} bytes"
                );
                return Err(damaged(message));
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_bounded_by_what_they_can_hold() {
        let codec = |kind| Codec { kind, block: 64 << 10 };
        let framed = |block: &[u8]| {
            let header = (block.len() as u32) << 1;
            [&header.to_le_bytes()[..3], block].concat()
        };
        // One RLE block that claims 2 MiB, of which no block can hold more than 128 KiB.
        let run = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, 0x03, 0x00, 0xfc, b'x'];
        let kind = CompressionKind::Zstd;
        assert_eq!(inflated_at_most(&framed(&run), codec(kind)).unwrap(), 128 << 10);
        let mut many = run[..6].to_vec();
        many.extend([0x02, 0x00, 0xfc, b'x'].repeat(1000));
        assert!(inflated_at_most(&framed(&many), codec(kind)).is_err());
        let huge = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        assert!(inflated_at_most(&framed(&huge), codec(CompressionKind::Snappy)).is_err());
        assert!(inflated_at_most(&[9, 0, 0, 1], codec(kind)).is_err());
        assert!(Codec { kind, block: 1 << 40 }.check_block_size().is_err());
    }

    #[test]
    fn the_crate_has_every_codec() {
        use CompressionKind::{Lz4, Lzo, Snappy, Zlib, Zstd};
        for kind in [Lz4, Lzo, Snappy, Zlib, Zstd] {
            assert!(Codec { kind, block: 64 << 10 }.of_crate().is_some(), "{kind:?}");
        }
    }
}
