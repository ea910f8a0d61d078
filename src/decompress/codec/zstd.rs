//! Zstandard: frames, small ones on several threads, large ones as they come.

use std::ops::ControlFlow;

use super::crew::in_order;
use super::{BATCH_BYTES, Damage, Out, PIECE_BYTES, Stop, serial};

/// The flag of a frame that has a check sum behind it.
const CHECK_SUM: u8 = 4;

/// What a block inflates to at most.
const BLOCK_BYTES: usize = 128 << 10;

/// Frames of a batch; those that hold nothing are also work.
const BATCH_FRAMES: usize = 4096;

/// A frame that is there to its end and fits into memory.
#[derive(Clone, Copy)]
struct Frame {
    end: usize,
    /// What its blocks can inflate to, whatever its header says.
    most: usize,
}

/// One large frame, or all small ones up to the next large one; answers where they end.
pub(super) fn inflate(
    bytes: &[u8],
    at: usize,
    threads: usize,
    out: &mut Out<'_>,
) -> Result<usize, Stop> {
    if frame(bytes, at).is_none() {
        let decoder = ::zstd::stream::read::Decoder::with_buffer(&bytes[at..])
            .map_err(|error| serial::piece_damage(&error, at))?;
        return serial::drain(decoder.single_frame(), bytes.len(), out);
    }
    let mut next = at;
    let batches = std::iter::from_fn(|| {
        let (start, mut most) = (next, 0);
        for _ in 0..BATCH_FRAMES {
            let Some(frame) = frame(bytes, next) else { break };
            if most + frame.most > BATCH_BYTES && next > start {
                break;
            }
            (next, most) = (frame.end, most + frame.most);
        }
        (next > start).then_some((start, next))
    });
    in_order(
        threads,
        PIECE_BYTES,
        batches,
        |(start, end)| inflate_frames(&bytes[..end], start),
        |(mut inflated, end)| {
            out.give(&mut inflated)?;
            out.done(end?)?;
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(next)
}

fn inflate_frames(bytes: &[u8], mut at: usize) -> (Vec<u8>, Result<usize, Damage>) {
    let mut inflated = Vec::new();
    while let Some(frame) = frame(bytes, at) {
        if frame.most == 0 {
            at = frame.end;
            continue;
        }
        let before = inflated.len();
        let outcome = ::zstd::stream::read::Decoder::with_buffer(&bytes[at..frame.end])
            .and_then(|decoder| serial::at_most(decoder, frame.most, &mut inflated));
        if let Err(error) = outcome {
            let damage = serial::piece_damage(&error, at);
            inflated.truncate(before);
            if damage.text.contains("match checksum")
                && unchecked(&bytes[at..frame.end], frame.most, &mut inflated)
            {
                let all_there = frame.end == bytes.len();
                return (inflated, Err(Damage { anywhere: true, all_there, ..damage }));
            }
            inflated.truncate(before);
            return (inflated, Err(damage));
        }
        at = frame.end;
    }
    (inflated, Ok(at))
}

/// Inflates a frame as if it had no check sum; whether all of it came out.
fn unchecked(frame: &[u8], most: usize, inflated: &mut Vec<u8>) -> bool {
    let Some((body, _)) = frame.split_last_chunk::<4>() else { return false };
    let mut body = body.to_vec();
    if let Some(descriptor) = body.get_mut(4) {
        *descriptor &= !CHECK_SUM;
    }
    ::zstd::stream::read::Decoder::with_buffer(&body[..])
        .and_then(|decoder| serial::at_most(decoder, most, inflated))
        .is_ok()
}

/// The frame at `at`, if it is a small one, found by the sizes of its blocks (RFC 8878, section 3.1).
fn frame(bytes: &[u8], at: usize) -> Option<Frame> {
    let rest = bytes.get(at..)?;
    let (magic, head) = rest.split_first_chunk::<4>()?;
    if magic[0] & 0xf0 == 0x50 && magic[1..] == [0x2a, 0x4d, 0x18] {
        let size = u32::from_le_bytes(*head.first_chunk()?) as usize;
        return (size <= head.len() - 4).then_some(Frame { end: at + 8 + size, most: 0 });
    }
    if *magic != [0x28, 0xb5, 0x2f, 0xfd] {
        return None;
    }
    let descriptor = *head.first()?;
    let single = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content = match descriptor >> 6 {
        0 => usize::from(single),
        size => 1 << size,
    };
    let mut end = 5 + usize::from(!single) + dictionary + content;
    let mut most = 0;
    loop {
        let block = rest.get(end..end + 3)?;
        let block = u32::from_le_bytes([block[0], block[1], block[2], 0]);
        let size = match block >> 1 & 3 {
            // A block of one byte, many times over.
            1 => 1,
            3 => return None,
            _ => (block >> 3) as usize,
        };
        end += 3 + size;
        most += BLOCK_BYTES;
        if most > PIECE_BYTES {
            return None;
        }
        if block & 1 == 1 {
            break;
        }
    }
    end += if descriptor & CHECK_SUM != 0 { 4 } else { 0 };
    (end <= rest.len()).then_some(Frame { end: at + end, most })
}
