//! Where chunks begin: at rows, whatever the number of threads.
//!
//! Where rows are lines, at the first line of each stretch. Otherwise one look at every byte tells how
//! deep in brackets, and whether in a text, each stretch begins; from there to the next row is not far.

use super::super::HELD;
use super::{Between, Rows, quick};
use crate::error::Result;
use crate::format::chunks::ordered;
use crate::source::release;

/// What a stretch does to the depth, and whether it ends inside a text, by how it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Effect {
    /// Brackets opened less brackets closed, outside of texts if it begins outside; if inside.
    outside: i64,
    inside: i64,
    /// Whether there is an odd number of quotes.
    turns: bool,
}

impl Rows {
    /// Where each chunk begins, and where the last ends.
    pub(super) fn starts(&self) -> Result<Vec<usize>> {
        let count = (self.end - self.start).div_ceil(self.chunk_bytes).max(1);
        let targets: Vec<usize> = (1..count).map(|i| self.start + i * self.chunk_bytes).collect();
        let mut starts = vec![self.start];
        if self.between == Between::Lines {
            for target in targets {
                let from = target.max(starts.last().copied().unwrap_or(target)) - 1;
                match memchr::memchr(b'\n', &self.text[from..self.end]) {
                    Some(newline) if from + newline + 1 > starts[starts.len() - 1] => {
                        starts.push(from + newline + 1);
                    }
                    Some(_) => {}
                    // The last line goes to the end.
                    None => break,
                }
            }
        } else {
            self.rows_in_brackets(&targets, &mut starts)?;
        }
        if starts.last() != Some(&self.end) || starts.len() == 1 {
            starts.push(self.end);
        }
        Ok(starts)
    }

    fn rows_in_brackets(&self, targets: &[usize], starts: &mut Vec<usize>) -> Result<()> {
        let mut effects = Vec::with_capacity(targets.len());
        let stretch = |index: usize| {
            let from = if index == 0 { self.start } else { targets[index - 1] };
            &self.text[from..targets[index]]
        };
        // Whether each stretch begins behind a backslash that counts.
        let mut escaped = vec![false];
        for index in 0..targets.len() {
            let stretch = stretch(index);
            let run = stretch.iter().rev().take_while(|byte| **byte == b'\\').count();
            escaped.push((run % 2 == 1) != (run == stretch.len() && escaped[index]));
        }
        let look = |(): &mut (), index: usize| {
            let effect = effect(stretch(index), escaped[index]);
            if self.text.len() > HELD {
                release(stretch(index));
            }
            effect
        };
        ordered(
            self.threads,
            targets.len(),
            usize::MAX / 2,
            || (),
            look,
            |_, found| {
                effects.push(found);
                Ok(true)
            },
        )?;
        let (mut depth, mut inside, mut reached) = (0, false, self.start);
        for (index, (target, effect)) in targets.iter().zip(&effects).enumerate() {
            depth += if inside { effect.inside } else { effect.outside };
            inside ^= effect.turns;
            if reached > *target {
                continue;
            }
            // From here to the next row, or to the next stretch if a row is that long.
            let limit = targets.get(index + 1).copied().unwrap_or(self.end);
            let state = State { depth, inside, escaped: escaped[index + 1] };
            if let Some(start) = self.row_start(*target, limit, state) {
                starts.push(start);
                reached = start;
            }
        }
        Ok(())
    }

    /// The first row behind a place.
    fn row_start(&self, from: usize, limit: usize, state: State) -> Option<usize> {
        let State { mut depth, mut inside, mut escaped } = state;
        for (at, byte) in self.text[..limit].iter().enumerate().skip(from) {
            if escaped {
                escaped = false;
                continue;
            }
            match byte {
                b'\\' => escaped = true,
                b'"' => inside = !inside,
                _ if inside => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 && self.between == Between::Nothing {
                        return Some(at + 1);
                    }
                }
                b',' if depth == 0 && self.between == Between::Commas => return Some(at + 1),
                _ => {}
            }
        }
        None
    }
}

struct State {
    depth: i64,
    inside: bool,
    escaped: bool,
}

/// What a stretch does; `escaped` if its first byte is.
fn effect(text: &[u8], escaped: bool) -> Effect {
    let mut effect = Effect::default();
    let mut escaped = u64::from(escaped);
    let mut parity = 0u64;
    let mut blocks = text.chunks_exact(64);
    let mut add = |block: &[u8; 64]| {
        let bits = quick::bits(block);
        let quotes = bits.quote & !escapes(bits.escape, &mut escaped);
        let mut inside = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        // The parity goes on from block to block.
        inside ^= parity;
        parity = if inside >> 63 == 1 { u64::MAX } else { 0 };
        let count = |bits: u64| i64::from(bits.count_ones());
        effect.outside += count(bits.open & !inside) - count(bits.close & !inside);
        effect.inside += count(bits.open & inside) - count(bits.close & inside);
    };
    for block in blocks.by_ref() {
        if let Some(block) = block.first_chunk() {
            add(block);
        }
    }
    let mut last = [b' '; 64];
    last[..blocks.remainder().len()].copy_from_slice(blocks.remainder());
    add(&last);
    effect.turns = parity != 0;
    effect
}

/// The bytes that are behind a backslash that counts; `carry` says so of the next block's first.
#[inline(always)]
fn escapes(backslashes: u64, carry: &mut u64) -> u64 {
    if backslashes == 0 {
        return std::mem::take(carry);
    }
    let mut escaped = *carry;
    let mut rest = backslashes & !escaped;
    *carry = 0;
    while rest != 0 {
        let at = rest.trailing_zeros();
        if at == 63 {
            *carry = 1;
            break;
        }
        escaped |= 2 << at;
        rest &= !(3 << at);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Byte by byte: what the other form means.
    fn plain(text: &[u8], mut escaped: bool) -> Effect {
        let mut effect = Effect::default();
        for byte in text {
            if std::mem::take(&mut escaped) {
                if matches!(byte, b'{' | b'[' | b'}' | b']') {
                    let step = if matches!(byte, b'{' | b'[') { 1 } else { -1 };
                    *if effect.turns { &mut effect.inside } else { &mut effect.outside } += step;
                }
                continue;
            }
            let side = if effect.turns { &mut effect.inside } else { &mut effect.outside };
            match byte {
                b'\\' => escaped = true,
                b'"' => effect.turns = !effect.turns,
                b'{' | b'[' => *side += 1,
                b'}' | b']' => *side -= 1,
                _ => {}
            }
        }
        effect
    }

    proptest! {
        #[test]
        fn effects_are_those_of_single_bytes(text in "[\\[{}\\]\"\\\\,a é]{0,300}", escaped: bool) {
            let escaped = escaped && !text.is_empty();
            prop_assert_eq!(effect(text.as_bytes(), escaped), plain(text.as_bytes(), escaped));
        }
    }
}
