//! The structural index: where cells and rows end, quotes taken into account, 64 bytes at a step.
//!
//! Quoted stretches are found by a prefix-xor over the quotes. That is right only where every quote
//! opens a cell, closes one, or is doubled inside one; at the first that does none of these the
//! index stops, and the record it stands in is left to the exact reader of `records.rs`.
#![allow(unsafe_code)]

use super::masks::{Lanes, Masks, Needles, Scalar};

/// What was found: offsets from `base`, each of the byte that ends a cell.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub base: usize,
    pub positions: Vec<u32>,
    /// For each row, which of the positions ends it.
    pub row_ends: Vec<u32>,
    pub has_quotes: bool,
    /// Where quotes stand doubled in a cell: the second of each two.
    pub doubled: Vec<u32>,
    pub has_carriage: bool,
}

/// Why the index ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Far enough, or at the end of the text.
    Done,
    /// The record behind the last row has a quote that fits no pattern.
    Quote,
}

/// A record longer than this is left to the exact reader.
const LONGEST: usize = 1 << 30;

impl Index {
    pub fn clear(&mut self, base: usize) {
        self.base = base;
        self.positions.clear();
        self.row_ends.clear();
        self.has_quotes = false;
        self.doubled.clear();
        self.has_carriage = false;
    }

    /// Adds whole rows, from a record's start on, until one begins at or behind `enough`.
    pub fn extend(&mut self, text: &[u8], from: usize, enough: usize, needles: Needles) -> Stop {
        #[cfg(target_arch = "x86_64")]
        {
            use super::masks::x86::{Avx2, Avx512};
            #[target_feature(
                enable = "avx512f,avx512bw,avx512vbmi2,avx2,pclmulqdq,bmi1,bmi2,popcnt"
            )]
            fn avx512(index: &mut Index, text: &[u8], from: usize, to: usize, n: Needles) -> Stop {
                run::<Avx512>(index, text, from, to, n)
            }
            #[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,popcnt")]
            fn avx2(index: &mut Index, text: &[u8], from: usize, to: usize, n: Needles) -> Stop {
                run::<Avx2>(index, text, from, to, n)
            }
            let has_avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("pclmulqdq")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("popcnt");
            if has_avx2 {
                if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vbmi2") {
                    // SAFETY: the machine has what the function asks for.
                    return unsafe { avx512(self, text, from, enough, needles) };
                }
                // SAFETY: as above.
                return unsafe { avx2(self, text, from, enough, needles) };
            }
            run::<Scalar>(self, text, from, enough, needles)
        }
        #[cfg(target_arch = "aarch64")]
        {
            run::<super::masks::arm::Neon>(self, text, from, enough, needles)
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        {
            run::<Scalar>(self, text, from, enough, needles)
        }
    }
}

/// What one step leaves to the next.
struct Carry {
    /// All ones inside quotes.
    inside: u64,
    /// Whether a quote may open a cell here: behind a delimiter, a line end or a closing quote.
    may_open: u64,
    /// Whether the last byte closed a quote.
    closed: u64,
}

#[inline(always)]
fn run<L: Lanes>(
    index: &mut Index,
    text: &[u8],
    from: usize,
    enough: usize,
    needles: Needles,
) -> Stop {
    let mut carry = Carry { inside: 0, may_open: 1, closed: 0 };
    let rows_before = index.row_ends.len();
    let mut at = from;
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<64>()) {
        if at >= enough && index.row_ends.len() > rows_before || at - index.base > LONGEST {
            return if index.row_ends.len() > rows_before { Stop::Done } else { Stop::Quote };
        }
        let next_is_newline = text.get(at + 64) == Some(&b'\n');
        let masks = L::masks(block, needles);
        if !step::<L>(index, masks, at, !0, next_is_newline, &mut carry) {
            return Stop::Quote;
        }
        at += 64;
    }
    let rest = text.get(at..).unwrap_or_default();
    let mut block = [0; 64];
    block[..rest.len()].copy_from_slice(rest);
    let masks = L::masks(&block, needles);
    let valid = (1u64 << rest.len()) - 1;
    let masks = Masks {
        delimiter: masks.delimiter & valid,
        newline: masks.newline & valid,
        carriage: masks.carriage & valid,
        quote: masks.quote & valid,
    };
    if !step::<L>(index, masks, at, valid, false, &mut carry) || carry.inside != 0 {
        return Stop::Quote;
    }
    // The last row may lack its line end.
    let end = (text.len() - index.base) as u32;
    let row_start = match index.row_ends.last() {
        Some(last) if index.row_ends.len() > rows_before => index.positions[*last as usize] + 1,
        _ => (from - index.base) as u32,
    };
    if row_start < end {
        index.row_ends.push(index.positions.len() as u32);
        index.positions.push(end);
    }
    Stop::Done
}

/// One block of 64 bytes, of which the `valid` ones are text. `false` at a quote that fits no
/// pattern; nothing of the block is kept then.
#[inline(always)]
fn step<L: Lanes>(
    index: &mut Index,
    masks: Masks,
    at: usize,
    valid: u64,
    next_is_newline: bool,
    carry: &mut Carry,
) -> bool {
    let Masks { delimiter, newline, carriage, quote } = masks;
    let mut ends = newline;
    if carriage != 0 {
        // A carriage return alone ends a line too.
        ends |= carriage & !(newline >> 1 | u64::from(next_is_newline) << 63);
        index.has_carriage = true;
    }
    let mut structural = delimiter | ends;
    index.has_quotes |= quote != 0;
    // Once there are quotes every block is looked at so: which has some is hard to foretell.
    if index.has_quotes {
        let inside = L::prefix_xor(quote) ^ carry.inside;
        let (opens, closes) = (quote & inside, quote & !inside);
        structural &= !inside;
        let may_open = (structural | closes) << 1 | carry.may_open;
        let may_follow = structural | carriage | quote;
        let wrong = opens & !may_open | (closes << 1 | carry.closed) & !may_follow & valid;
        if wrong != 0 {
            return false;
        }
        let mut doubled = (closes << 1 | carry.closed) & opens;
        while doubled != 0 {
            index.doubled.push((at - index.base) as u32 + doubled.trailing_zeros());
            doubled &= doubled - 1;
        }
        carry.inside = ((inside.cast_signed()) >> 63).cast_unsigned();
        carry.closed = closes >> 63;
        carry.may_open = (structural | closes) >> 63;
        ends &= !inside;
    } else {
        carry.may_open = structural >> 63;
    }
    let before = index.positions.len() as u32;
    let mut rows = ends;
    while rows != 0 {
        let below = structural & ((rows & rows.wrapping_neg()) - 1);
        index.row_ends.push(before + below.count_ones());
        rows &= rows - 1;
    }
    let offset = (at - index.base) as u32;
    let count = structural.count_ones() as usize;
    index.positions.reserve(64);
    if let Some(room) = index.positions.spare_capacity_mut().first_chunk_mut::<64>() {
        L::places(structural, offset, room);
        // SAFETY: the first `count` places of the spare room, which has 64, were just written.
        unsafe { index.positions.set_len(before as usize + count) };
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_byte_by_byte(text in "[a,\"\n\r]{0,300}", from in 0usize..70, enough in 0usize..300) {
            let needles = Needles { delimiter: b',', quote: Some(b'"') };
            let text = text.as_bytes();
            let from = from.min(text.len());
            let (mut fast, mut slow) = (Index::default(), Index::default());
            fast.clear(from);
            slow.clear(from);
            let stops = (
                fast.extend(text, from, enough, needles),
                run::<Scalar>(&mut slow, text, from, enough, needles),
            );
            prop_assert_eq!(stops.0, stops.1);
            prop_assert_eq!(&fast.positions, &slow.positions);
            prop_assert_eq!(&fast.row_ends, &slow.row_ends);
            prop_assert_eq!(&fast.doubled, &slow.doubled);
        }
    }
}
