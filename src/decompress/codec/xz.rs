//! xz: the blocks that the index at a stream's end lists, on several threads; else as they come.

use std::ops::ControlFlow;

use xz2::stream::{Action, Status, Stream};

use super::crew::in_order;
use super::{Damage, Out, PIECE_BYTES, Stop, serial};

/// What a stream may ask for its dictionary; `xz -9` needs 65 MiB.
pub(super) const MEMORY: u64 = 256 << 20;

/// The header and the footer of a stream.
const HEADER: usize = 12;

/// One block: where it is, and what its stream's index says that it inflates to.
struct Block {
    start: usize,
    end: usize,
    inflated: usize,
}

/// One stream; answers where it ends. `last` is what is known of the last one.
pub(super) fn inflate(
    bytes: &[u8],
    at: usize,
    last: Option<&Index<'_>>,
    threads: usize,
    out: &mut Out<'_>,
) -> Result<usize, Stop> {
    let Some(index) = last.filter(|index| index.start == at + HEADER) else {
        let stream = Stream::new_stream_decoder(MEMORY, 0)
            .map_err(|error| serial::piece_damage(&error.into(), at))?;
        let decoder = xz2::bufread::XzDecoder::new_stream(&bytes[at..], stream);
        return serial::drain(decoder, bytes.len(), out);
    };
    let header = &bytes[at..at + HEADER];
    in_order(
        threads,
        index.largest,
        index.blocks(),
        |block| (inflate_block(header, bytes, &block), block.end),
        |(inflated, end)| {
            out.give(&mut inflated?)?;
            out.done(end)?;
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(index.end)
}

/// The list of blocks at the end of a stream, which agrees with where the stream begins and ends.
pub(super) struct Index<'a> {
    records: &'a [u8],
    blocks: u64,
    /// What the largest block inflates to.
    largest: usize,
    /// Where the first block begins.
    start: usize,
    /// Where the stream ends.
    end: usize,
}

impl<'a> Index<'a> {
    /// The index of the last stream, if that is worth its while: it has several blocks, each of which
    /// fits into memory.
    pub(super) fn of_last(bytes: &'a [u8]) -> Option<Self> {
        // Padding is zeros; the footer itself ends in a letter.
        let end = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
        let footer = bytes.get(end.checked_sub(HEADER)?..end)?;
        let size = (u32::from_le_bytes(*footer[4..].first_chunk()?) as usize + 1).checked_mul(4)?;
        let start = (end - HEADER).checked_sub(size)?;
        let (list, crc) = bytes[start..end - HEADER].split_at_checked(size - 4)?;
        let sound = footer.ends_with(b"YZ") && footer[..4] == crc32(&footer[4..10]);
        if !sound || list.first() != Some(&0) || crc != crc32(list) {
            return None;
        }
        let mut records = &list[1..];
        let blocks = varint(&mut records)?;
        let mut found = Index { records, blocks, largest: 0, start: 0, end };
        let (mut length, mut seen, mut largest) = (0, 0, 0);
        for block in found.blocks() {
            (length, seen, largest) = (block.end, seen + 1, block.inflated.max(largest));
        }
        if largest > PIECE_BYTES {
            return None;
        }
        found.largest = largest;
        found.start = start.checked_sub(length)?;
        let header = bytes.get(found.start.checked_sub(HEADER)?..found.start)?;
        let begins = header.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0])
            && header[8..] == crc32(&header[6..8])
            && footer[8..10] == header[6..8];
        (begins && seen == blocks && seen > 1).then_some(found)
    }

    fn blocks(&self) -> impl Iterator<Item = Block> + use<'a> {
        let mut records = self.records;
        let mut start = self.start;
        (0..self.blocks).map_while(move |_| {
            let unpadded = usize::try_from(varint(&mut records)?).ok()?;
            let inflated = usize::try_from(varint(&mut records)?).ok()?;
            let end = start.checked_add(unpadded.checked_next_multiple_of(4)?)?;
            let block = Block { start, end, inflated };
            start = end;
            (unpadded > 0).then_some(block)
        })
    }
}

/// A number of seven bits a byte, the lowest first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn crc32(bytes: &[u8]) -> [u8; 4] {
    serial::check_sum(bytes).to_le_bytes()
}

/// A block as if it were the first of its stream; the decoder checks its check sum.
fn inflate_block(header: &[u8], bytes: &[u8], block: &Block) -> Result<Vec<u8>, Damage> {
    let damaged = |text: String| Damage::corrupt(block.start, text);
    let failed = |error: xz2::stream::Error| damaged(std::io::Error::from(error).to_string());
    let mut stream = Stream::new_stream_decoder(MEMORY, 0).map_err(failed)?;
    // One byte more than was said, so that a block that holds more is seen.
    let mut inflated = Vec::new();
    for mut input in [header, &bytes[block.start..block.end]] {
        while !input.is_empty() || inflated.len() == inflated.capacity() {
            let room = (block.inflated + 1).saturating_sub(inflated.len()).min(1 << 20);
            if room == 0 {
                return Err(damaged("a block is longer than the index says".to_owned()));
            }
            inflated.reserve(room);
            let (used, given) = (stream.total_in(), inflated.len());
            let status = stream.process_vec(input, &mut inflated, Action::Run).map_err(failed)?;
            let used = (stream.total_in() - used) as usize;
            input = &input[used..];
            if status == Status::StreamEnd || used == 0 && inflated.len() == given {
                break;
            }
        }
        if !input.is_empty() {
            return Err(damaged("a block is shorter than the index says".to_owned()));
        }
    }
    if inflated.len() != block.inflated {
        return Err(damaged("a block is not as long as the index says".to_owned()));
    }
    Ok(inflated)
}
