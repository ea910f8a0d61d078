//! Bits that do not begin at a byte: finding bz2's marks among them, and moving them to one.

/// What begins a block of bz2, and what ends a stream; 48 bits each.
pub(super) const BLOCK: u64 = 0x3141_5926_5359;
pub(super) const END: u64 = 0x1772_4538_5090;

const BITS: u32 = 48;

/// For a byte at a place in a mark, at which of the eight shifts it may stand there: the low eight bits
/// for [`BLOCK`], the next for [`END`].
const fn shifts(place: u32) -> [u16; 256] {
    let mut table = [0; 256];
    let mut shift = 0;
    while shift < 8 {
        let down = BITS - 8 * place - 8 + shift;
        table[(BLOCK >> down & 0xff) as usize] |= 1 << shift;
        table[(END >> down & 0xff) as usize] |= 1 << (shift + 8);
        shift += 1;
    }
    table
}

static SECOND: [u16; 256] = shifts(1);
static THIRD: [u16; 256] = shifts(2);

/// A mark: at which bit it begins, and whether it ends a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mark {
    pub bit: u64,
    pub end: bool,
}

/// The first mark that begins at `from` or a later bit.
pub(super) fn find(bytes: &[u8], from: u64) -> Option<Mark> {
    let first = (from / 8) as usize;
    // The second and third byte of a mark are looked for, the rest is checked where they fit.
    let pairs = bytes.get(first + 1..)?.windows(2).enumerate();
    for (index, pair) in pairs {
        let mask = SECOND[usize::from(pair[0])] & THIRD[usize::from(pair[1])];
        if mask == 0 {
            continue;
        }
        let byte = first + index;
        for bit in (byte as u64 * 8..byte as u64 * 8 + 8).filter(|bit| *bit >= from) {
            match read(bytes, bit, BITS) {
                Some(BLOCK) => return Some(Mark { bit, end: false }),
                Some(END) => return Some(Mark { bit, end: true }),
                _ => {}
            }
        }
    }
    None
}

/// `count` bits from `bit` on, at most 56.
pub(super) fn read(bytes: &[u8], bit: u64, count: u32) -> Option<u64> {
    let first = (bit / 8) as usize;
    let skipped = (bit % 8) as u32;
    let over = (skipped + count).div_ceil(8);
    let window = bytes.get(first..first + over as usize)?;
    let value = window.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
    Some(value >> (over * 8 - skipped - count) & ((1 << count) - 1))
}

/// The bits from `bit` on as bytes, at most `most` of them; zeros fill the last one up.
pub(super) fn moved(bytes: &[u8], bit: u64, most: usize, into: &mut Vec<u8>) {
    into.clear();
    let rest = bytes.get((bit / 8) as usize..).unwrap_or_default();
    let shift = bit % 8;
    if shift == 0 {
        into.extend_from_slice(&rest[..most.min(rest.len())]);
        return;
    }
    let pairs = rest.windows(2).take(most);
    into.extend(pairs.map(|pair| pair[0] << shift | pair[1] >> (8 - shift)));
    if into.len() < most
        && let Some(last) = rest.last()
    {
        into.push(last << shift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_at_any_bit() {
        for (mark, end) in [(BLOCK, false), (END, true)] {
            for before in 0..40 {
                // Ones before it, so that nothing begins early; then the mark, then ones.
                let mut bits = vec![true; before];
                bits.extend((0..48).rev().map(|bit| mark >> bit & 1 == 1));
                bits.resize((before + 48 + 30).next_multiple_of(8), true);
                let bytes: Vec<u8> = bits
                    .chunks(8)
                    .map(|bits| bits.iter().fold(0, |sum, bit| sum << 1 | u8::from(*bit)))
                    .collect();
                let bit = before as u64;
                assert_eq!(find(&bytes, 0), Some(Mark { bit, end }));
                assert_eq!(find(&bytes, bit), Some(Mark { bit, end }));
                assert_eq!(find(&bytes, bit + 1), None);
                let mut out = Vec::new();
                moved(&bytes, bit, 6, &mut out);
                assert_eq!(out, mark.to_be_bytes()[2..]);
                assert_eq!(find(&bytes[..bytes.len() - 6], 0), None);
            }
        }
    }
}
