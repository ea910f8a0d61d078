//! The blocks of a stream, looked at before the crate inflates them: how long they become.

use std::io::{copy, sink};

use bytes::Bytes;
use orc_rust::compression::{Compression, Decompressor};
use orc_rust::proto::r#type::Kind as TypeKind;
use orc_rust::proto::{CompressionKind, Footer, PostScript, Type};
use orc_rust::reader::metadata::read_metadata;
use prost::Message;

use super::super::columnar::Bounds;
use super::streams::Source;
use crate::decompress::{Budget, deflated_length};
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// The header of a block: 23 bits of length and one that says whether it is compressed.
const HEADER: usize = 3;
const MOST_BLOCK: u64 = 1 << 23;
/// Where the file does not say it.
const DEFAULT_BLOCK: u64 = 256 << 10;
/// Bytes that come out of one that is deflated, at most.
const MOST_OF_DEFLATED: u64 = 1_032;
/// Bytes that a block may become without having been looked into.
const MOST_UNSEEN: u64 = 64 << 20;

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
        read_metadata(&mut Source { bytes: file.into(), tail: Bytes::new() }).ok()?.compression()
    }
}

/// Checks the blocks of streams, and counts the bytes that they inflate to: at most, as far as that is
/// within the limits, or else exactly. An error where a block becomes more than a writer's block.
pub(super) fn inflated<'a>(
    streams: &[Bytes],
    codec: Codec,
    bounds: &'a Bounds,
) -> Result<(u64, Budget<'a>)> {
    if codec.kind == CompressionKind::None {
        let total = streams.iter().map(|stream| stream.len() as u64).fold(0, u64::saturating_add);
        let mut budget = Budget::new(bounds.input, &bounds.limits);
        budget.spend(total)?;
        return Ok((total, budget));
    }
    let mut most = 0u64;
    for stream in streams {
        each_block(stream, |block| {
            most = most.saturating_add(block.at_most(codec)?);
            Ok(())
        })?;
    }
    let mut budget = Budget::new(bounds.input, &bounds.limits);
    if budget.spend(most).is_ok() {
        return Ok((most, budget));
    }
    let (mut budget, mut total) = (Budget::new(bounds.input, &bounds.limits), 0);
    let of_crate = codec.of_crate();
    for stream in streams {
        each_block(stream, |block| {
            let length = block.exactly(codec, of_crate)?;
            total += length;
            budget.spend(length)
        })?;
    }
    Ok((total, budget))
}

/// A block, with its header.
struct Block {
    framed: Bytes,
    is_original: bool,
}

fn each_block(stream: &Bytes, mut take: impl FnMut(Block) -> Result<()>) -> Result<()> {
    let mut at = 0;
    while let Some(header) = stream[at..].first_chunk::<HEADER>() {
        let [a, b, c] = *header;
        let header = u32::from_le_bytes([a, b, c, 0]);
        let (length, left) = ((header >> 1) as usize, stream.len() - at - HEADER);
        if length > left {
            let message = format!("a compressed block has {length} bytes, {left} are left");
            return Err(Issue::error(Stage::Parse, Code::Truncated, message).into());
        }
        let end = at + HEADER + length;
        take(Block { framed: stream.slice(at..end), is_original: header & 1 == 1 })?;
        at = end;
    }
    match at == stream.len() {
        true => Ok(()),
        false => Err(damaged("a stream ends inside of the header of a block".to_owned())),
    }
}

impl Block {
    fn bytes(&self) -> &[u8] {
        &self.framed[HEADER..]
    }

    /// The bytes that it inflates to, or a few more.
    fn at_most(&self, codec: Codec) -> Result<u64> {
        let length = self.bytes().len() as u64;
        if self.is_original {
            return Ok(length);
        }
        // What did not become shorter is written as it is.
        if length > codec.block {
            return Err(too_long(length, Some(length), codec));
        }
        let claimed = match codec.kind {
            CompressionKind::Snappy => leading_varint(self.bytes()),
            CompressionKind::Zstd => zstd_at_most(self.bytes(), codec),
            CompressionKind::Lz4 => Some(codec.block.min(length.saturating_mul(256))),
            // One that may become very long is looked into now; of the others the crate reads no more
            // than the values need.
            CompressionKind::Zlib if length.saturating_mul(MOST_OF_DEFLATED) > MOST_UNSEEN => {
                return self.deflated(codec);
            }
            _ => Some(codec.block.min(length.saturating_mul(MOST_OF_DEFLATED))),
        };
        match claimed {
            Some(claimed) if claimed <= codec.block => Ok(claimed),
            claimed => Err(too_long(length, claimed, codec)),
        }
    }

    fn exactly(&self, codec: Codec, of_crate: Option<Compression>) -> Result<u64> {
        let length = self.bytes().len() as u64;
        match codec.kind {
            _ if self.is_original => Ok(length),
            CompressionKind::Zlib => self.deflated(codec),
            // They say it themselves, and are damaged where they become anything else.
            CompressionKind::Snappy => self.at_most(codec),
            CompressionKind::Zstd if zstd_content_size(self.bytes()).is_some() => {
                self.at_most(codec)
            }
            _ => {
                let mut block = Decompressor::new(self.framed.clone(), of_crate, Vec::new());
                // What cannot be inflated is for the crate to say.
                let found = copy(&mut block, &mut sink()).unwrap_or_default();
                match found <= codec.block {
                    true => Ok(found),
                    false => Err(too_long(length, Some(found), codec)),
                }
            }
        }
    }

    fn deflated(&self, codec: Codec) -> Result<u64> {
        let length = self.bytes().len() as u64;
        match deflated_length(self.bytes(), codec.block) {
            Ok(found) if found > codec.block => Err(too_long(length, None, codec)),
            Ok(found) => Ok(found),
            Err(error) => Err(damaged(format!("a block of {length} bytes: {error}"))),
        }
    }
}

fn too_long(length: u64, claimed: Option<u64>, codec: Codec) -> Error {
    damaged(format!(
        "a block of {length} bytes becomes {}, more than the {} of the file's blocks",
        claimed.map_or_else(|| "longer".to_owned(), |claimed| format!("{claimed} bytes")),
        codec.block
    ))
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

/// What a zstd frame becomes as it says itself or, if it does not, what its blocks can hold.
fn zstd_at_most(frame: &[u8], codec: Codec) -> Option<u64> {
    let held = zstd_held(frame)?;
    match zstd_content_size(frame) {
        Some(size) => (size <= held).then_some(size),
        // Its blocks hold 128 KiB each, so the last of them more than the file's blocks.
        None if held < codec.block.saturating_add(2 * ZSTD_BLOCK) => Some(held.min(codec.block)),
        None => None,
    }
}

const ZSTD_BLOCK: u64 = 128 << 10;

/// The descriptor of a zstd frame, and where the bytes begin that say how long it becomes.
fn zstd_head(frame: &[u8]) -> Option<(u8, usize, usize)> {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let (magic, rest) = frame.split_first_chunk::<4>()?;
    let descriptor = *rest.first().filter(|_| *magic == MAGIC)?;
    let is_single = descriptor & 0x20 != 0;
    let of_size = match descriptor >> 6 {
        0 => usize::from(is_single),
        flag => 1 << flag,
    };
    let of_dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    Some((descriptor, 5 + usize::from(!is_single) + of_dictionary, of_size))
}

fn zstd_content_size(frame: &[u8]) -> Option<u64> {
    let (_, at, length) = zstd_head(frame)?;
    let bytes = frame.get(at..at + length).filter(|bytes| !bytes.is_empty())?;
    let size = bytes.iter().rev().fold(0, |size, byte| size << 8 | u64::from(*byte));
    Some(if length == 2 { size + 256 } else { size })
}

/// What a zstd frame's blocks can hold: 128 KiB each, whatever its header says.
fn zstd_held(frame: &[u8]) -> Option<u64> {
    let (descriptor, at, of_size) = zstd_head(frame)?;
    let (mut at, mut total) = (at + of_size, 0u64);
    loop {
        let [a, b, c] = *frame.get(at..)?.first_chunk::<3>()?;
        let header = u32::from_le_bytes([a, b, c, 0]);
        let size = (header >> 3) as usize;
        let (stored, most) = match header >> 1 & 3 {
            0 => (size, size as u64),
            1 => (1, size as u64),
            _ => (size, ZSTD_BLOCK),
        };
        total = total.saturating_add(most.min(ZSTD_BLOCK));
        at = at.checked_add(3)?.checked_add(stored)?;
        if header & 1 == 1 {
            break;
        }
    }
    // A checksum may follow, and nothing else: a second frame would have to be counted as well.
    let checksum = if descriptor & 4 != 0 { 4 } else { 0 };
    (at + checksum >= frame.len()).then_some(total)
}

fn damaged(message: String) -> Error {
    Issue::error(Stage::Parse, Code::Corrupt, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn bounds(inflated_bytes: u64) -> Bounds {
        let limits = Limits { inflated_bytes, ..Limits::default() };
        Bounds { limits, threads: 1, input: 1 << 20, format: "orc" }
    }

    fn framed(block: &[u8]) -> Bytes {
        let header = (block.len() as u32) << 1;
        [&header.to_le_bytes()[..3], block].concat().into()
    }

    fn count(block: &[u8], kind: CompressionKind, inflated_bytes: u64) -> Result<u64> {
        let codec = Codec { kind, block: 64 << 10 };
        inflated(&[framed(block)], codec, &bounds(inflated_bytes)).map(|(count, _)| count)
    }

    #[test]
    fn blocks_are_bounded_by_what_they_can_hold() {
        const PLENTY: u64 = 1 << 30;
        let kind = CompressionKind::Zstd;
        // One RLE block of 1 KiB, as its head says; then one of 128 KiB that says it is 2 MiB.
        let short = [0x28, 0xb5, 0x2f, 0xfd, 0x60, 0, 3, 3, 0x20, 0, b'x'];
        assert_eq!(count(&short, kind, PLENTY).unwrap(), 1 << 10);
        let run = [0x28, 0xb5, 0x2f, 0xfd, 0x80, 0x58, 0, 0, 0x20, 0, 3, 0, 0xfc, b'x'];
        assert!(count(&run, kind, PLENTY).is_err());
        let mut many = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
        many.extend([0x02, 0x00, 0xfc, b'x'].repeat(1000));
        assert!(count(&many, kind, PLENTY).is_err());
        let huge = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        assert!(count(&huge, CompressionKind::Snappy, PLENTY).is_err());
        let cut: Bytes = vec![9, 0, 0, 1].into();
        assert!(inflated(&[cut], Codec { kind, block: 1 << 10 }, &bounds(PLENTY)).is_err());
        assert!(Codec { kind, block: 1 << 40 }.check_block_size().is_err());
    }

    #[test]
    fn deflated_blocks_are_counted_where_the_limit_is_near() {
        // 258 times "x".
        let block = [0xab, 0xa8, 0x18, 0xe9, 0x00, 0x00];
        let kind = CompressionKind::Zlib;
        assert_eq!(count(&block, kind, 1 << 20).unwrap(), 6 * MOST_OF_DEFLATED);
        assert_eq!(count(&block, kind, 258).unwrap(), 258);
        assert!(count(&block, kind, 257).is_err());
    }

    #[test]
    fn the_crate_has_every_codec() {
        use CompressionKind::{Lz4, Lzo, Snappy, Zlib, Zstd};
        for kind in [Lz4, Lzo, Snappy, Zlib, Zstd] {
            assert!(Codec { kind, block: 64 << 10 }.of_crate().is_some(), "{kind:?}");
        }
    }
}
