//! gzip: members one after the other; blocks of BGZF, which say how long they are, on several threads.

use std::ops::ControlFlow;

use super::crew::in_order;
use super::{BATCH_BYTES, Damage, Out, Stop, serial};
use crate::report::{Code, Issue, Stage};

/// What a block of BGZF inflates to at most.
const BLOCK_BYTES: usize = 1 << 16;

/// A check sum and a size.
const TRAILER: usize = 8;

/// One member, or all blocks of BGZF from `at` on; answers where it ends.
pub(super) fn inflate(
    bytes: &[u8],
    at: usize,
    threads: usize,
    out: &mut Out<'_>,
) -> Result<usize, Stop> {
    if block(bytes, at).is_none() {
        let decoder = flate2::bufread::GzDecoder::new(&bytes[at..]);
        return serial::drain(decoder, bytes.len(), out);
    }
    let mut next = at;
    let mut last_is_empty = false;
    let mut member = None;
    let batches = std::iter::from_fn(|| {
        let start = next;
        for _ in 0..BATCH_BYTES / BLOCK_BYTES {
            let Some(size) = block(bytes, next) else { break };
            next += size;
        }
        (next > start).then_some((start, next))
    });
    in_order(
        threads,
        BATCH_BYTES,
        batches,
        |(start, end)| inflate_blocks(&bytes[..end], start),
        |(mut inflated, empty, end)| {
            out.give(&mut inflated)?;
            last_is_empty = empty;
            match end {
                End::Block(end) => out.done(end)?,
                End::Damage(damage) => return Err(damage.into()),
                End::Member(start) => {
                    let decoder = flate2::bufread::GzDecoder::new(&bytes[start..]);
                    member = Some(serial::drain(decoder, bytes.len(), out)?);
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    if let Some(end) = member {
        return Ok(end);
    }
    if !last_is_empty && next == bytes.len() {
        let message = "the gzip data has blocks (BGZF), but not the empty one that marks their end: \
                       some may be missing";
        out.issues.push(
            Issue::warning(Stage::Decompress, Code::Truncated, message)
                .byte_offset(next as u64)
                .hint("compare its length with that of the original"),
        );
    }
    Ok(next)
}

/// The size of the block of BGZF at `at`: a gzip member with nothing in its header but an extra field
/// of that name, all of it there.
fn block(bytes: &[u8], at: usize) -> Option<usize> {
    let head = bytes.get(at..at + 12).filter(|head| head.starts_with(&[0x1f, 0x8b, 8, 4]))?;
    let mut fields = bytes.get(at + 12..at + 12 + number(&head[10..]))?;
    let header = 12 + fields.len();
    while let Some((name, rest)) = fields.split_at_checked(4) {
        let (value, more) = rest.split_at_checked(number(&name[2..]))?;
        if name.starts_with(b"BC") && value.len() == 2 {
            let size = number(value) + 1;
            return (size >= header + TRAILER && at + size <= bytes.len()).then_some(size);
        }
        fields = more;
    }
    None
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().take(2).rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// Why no more blocks were inflated.
enum End {
    /// The last of them ends here.
    Block(usize),
    /// What begins here inflates to more than a block may hold: a member like any other.
    Member(usize),
    Damage(Damage),
}

/// The blocks from `at` on: what they inflate to, whether the last was empty, and how they end.
fn inflate_blocks(bytes: &[u8], mut at: usize) -> (Vec<u8>, bool, End) {
    let mut inflated = Vec::new();
    let mut empty = false;
    let mut decoder = flate2::Decompress::new(false);
    while let Some(size) = block(bytes, at) {
        let whole = &bytes[at..at + size];
        let (data, trailer) = whole.split_at(size - TRAILER);
        let data = &data[12 + number(&data[10..])..];
        let before = inflated.len();
        inflated.reserve(BLOCK_BYTES + 1);
        decoder.reset(false);
        let outcome = decoder.decompress_vec(data, &mut inflated, flate2::FlushDecompress::Finish);
        let given = &inflated[before..];
        if given.len() > BLOCK_BYTES {
            inflated.truncate(before);
            return (inflated, false, End::Member(at));
        }
        let text = match outcome {
            Ok(flate2::Status::StreamEnd) if decoder.total_in() != data.len() as u64 => {
                Some("a block ends before it says".to_owned())
            }
            Ok(flate2::Status::StreamEnd) => {
                let fits = trailer[..4] == serial::check_sum(given).to_le_bytes()
                    && trailer[4..] == (given.len() as u32).to_le_bytes();
                (!fits).then(|| "the check sum of a block does not fit".to_owned())
            }
            Ok(_) => Some("a block is longer than it says".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(text) = text {
            inflated.truncate(before);
            return (inflated, false, End::Damage(Damage::corrupt(at, text)));
        }
        empty = given.is_empty();
        at += size;
    }
    (inflated, empty, End::Block(at))
}
