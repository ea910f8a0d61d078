//! bz2: blocks begin at any bit with a mark; each is inflated as a stream of its own.
//!
//! A mark may also occur by chance inside of a block. So a block's end is where its decoder says that
//! it is, and marks before that are passed over; a block that was begun at one of them is thrown away.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use super::bits::{self, Mark};
use super::crew::in_order;
use super::{Damage, Out, Stop, Tail};
use crate::options::Compression;

/// A block that inflates to more is inflated a second time, to be given as it comes: runs of one byte
/// can make 46 MB of it.
const HELD_BYTES: usize = 8 << 20;

/// Bytes of a block that a decoder is fed at a time.
const FEED: usize = 64 << 10;

/// Bits that a decoder may have read ahead of a block's end.
const READ_AHEAD: u64 = 64 + 8;

/// All streams from `at` on; answers where the last one ends.
pub(super) fn inflate(
    bytes: &[u8],
    at: usize,
    threads: usize,
    out: &mut Out<'_>,
) -> Result<usize, Stop> {
    let first = (at as u64 + 4) * 8;
    let state = Cell::new(State { from: first, to: first, sum: 0, end: None });
    // Blocks that begin before this bit are not needed any more.
    let needed = AtomicU64::new(first);
    let mut next = first;
    let marks = std::iter::from_fn(|| {
        let mark = bits::find(bytes, next.max(state.get().from))?;
        next = mark.bit + 1;
        Some(mark)
    });
    in_order(
        threads,
        HELD_BYTES,
        marks,
        |mark| {
            let wanted = !mark.end && mark.bit >= needed.load(Ordering::Relaxed);
            (mark, wanted.then(|| Block::inflate(bytes, mark.bit)))
        },
        |(mark, block)| {
            let flow = state.get().take(bytes, mark, block, out)?;
            let Some(after) = flow else { return Ok(ControlFlow::Continue(())) };
            needed.store(after.from, Ordering::Relaxed);
            out.done((after.from / 8) as usize)?;
            state.set(after);
            let over = after.end.is_some();
            Ok(if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        },
    )?;
    let state = state.get();
    state.end.ok_or_else(|| missing(bytes, state.from).into())
}

/// Where the next mark must be, and what is known of the stream that it is in.
#[derive(Clone, Copy)]
struct State {
    /// The first and the last bit at which it can be.
    from: u64,
    to: u64,
    /// The check sums of the stream's blocks so far, in one.
    sum: u32,
    /// Where the last stream ended.
    end: Option<usize>,
}

impl State {
    /// Takes the next mark over; `None` if it is not one.
    fn take(
        self,
        bytes: &[u8],
        mark: Mark,
        block: Option<Block>,
        out: &mut Out<'_>,
    ) -> Result<Option<State>, Stop> {
        if mark.bit < self.from {
            return Ok(None);
        }
        if mark.bit > self.to {
            return Err(missing(bytes, self.from).into());
        }
        let place = (mark.bit / 8) as usize;
        let sum = bits::read(bytes, mark.bit + 48, 32).unwrap_or_default() as u32;
        if mark.end {
            let end = (mark.bit + 80).div_ceil(8) as usize;
            if end > bytes.len() {
                return Err(Damage::truncated(bytes.len()).into());
            }
            let tail = super::tail(Compression::Bz2, bytes, end);
            if sum != self.sum {
                let text = "the check sum of all blocks does not fit";
                let all_there = !matches!(tail, Tail::More(_));
                return Err(Damage { all_there, ..Damage::corrupt(place, text) }.into());
            }
            return Ok(Some(match tail {
                Tail::More(at) => {
                    let first = (at as u64 + 4) * 8;
                    State { from: first, to: first, sum: 0, end: None }
                }
                Tail::Nothing | Tail::Garbage => State { end: Some(end), ..self },
            }));
        }
        // It may have been passed over because a block before it was thought to end behind it.
        let block = block.unwrap_or_else(|| Block::inflate(bytes, mark.bit));
        match block.held {
            Ok(Some(mut inflated)) => out.give(&mut inflated)?,
            Ok(None) => {
                let (mut given, mut piece_buffer) = (Ok(()), Vec::new());
                let _ = Block::each_piece(bytes, mark.bit, |piece| {
                    piece_buffer.clear();
                    piece_buffer.extend_from_slice(piece);
                    given = out.give(&mut piece_buffer);
                    given.is_ok()
                });
                given?;
            }
            Err(damage) => return Err(damage.into()),
        }
        let end = mark.bit + block.bytes * 8;
        let from = end.saturating_sub(READ_AHEAD).max(mark.bit + 80);
        Ok(Some(State { from, to: end, sum: self.sum.rotate_left(1) ^ sum, end: None }))
    }
}

/// The next mark is not where it should be.
fn missing(bytes: &[u8], bit: u64) -> Damage {
    // A stream that goes on has a mark and a check sum there.
    if bit + READ_AHEAD + 80 > bytes.len() as u64 * 8 {
        return Damage::truncated(bytes.len());
    }
    Damage::corrupt((bit / 8) as usize, "neither a block nor the end of the stream follows a block")
}

/// One block, inflated.
struct Block {
    /// What came out; `None` if that was too much to hold.
    held: Result<Option<Vec<u8>>, Damage>,
    /// The bytes that its decoder read from its mark on.
    bytes: u64,
}

impl Block {
    fn inflate(bytes: &[u8], bit: u64) -> Block {
        let mut held = Some(Vec::new());
        let read = Block::each_piece(bytes, bit, |piece| {
            if let Some(inflated) = &mut held {
                inflated.extend_from_slice(piece);
                if inflated.len() > HELD_BYTES {
                    held = None;
                }
            }
            true
        });
        match read {
            Ok(read) => Block { held: Ok(held), bytes: read },
            Err(damage) => Block { held: Err(damage), bytes: 0 },
        }
    }

    /// Inflates the block at a bit, as long as `take` wants more; answers how many bytes were read.
    fn each_piece(
        bytes: &[u8],
        bit: u64,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<u64, Damage> {
        let failed = |text: &str| Damage::corrupt((bit / 8) as usize, text);
        let mut decoder = bzip2::Decompress::new(false);
        decoder.decompress(b"BZh9", &mut []).map_err(|error| failed(&error.to_string()))?;
        let mut fed = 0;
        let mut input = Vec::new();
        // Without room for output the decoder stops at the end of the block.
        loop {
            bits::moved(bytes, bit + fed * 8, FEED, &mut input);
            if input.is_empty() {
                return Err(Damage::truncated(bytes.len()));
            }
            let before = decoder.total_in();
            let outcome = decoder.decompress(&input, &mut []);
            outcome.map_err(|error| failed(&error.to_string()))?;
            let used = decoder.total_in() - before;
            fed += used;
            if used < input.len() as u64 {
                break;
            }
        }
        let mut buffer = vec![0; 256 << 10];
        loop {
            let before = decoder.total_out();
            let outcome = decoder.decompress(&[], &mut buffer);
            // The check sum is compared once all is out.
            outcome.map_err(|_| failed("the check sum of a block does not fit"))?;
            let given = (decoder.total_out() - before) as usize;
            if given == 0 || !take(&buffer[..given]) {
                return Ok(fed);
            }
        }
    }
}
