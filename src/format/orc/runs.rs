//! Integers out of ORC's run lengths, both versions of them.

/// The numbers of a stream, at most so many; of one that is damaged, up to where it is.
pub(super) fn decoded(bytes: &[u8], is_second: bool, is_signed: bool, most: usize) -> Vec<i64> {
    let mut runs = Runs::new(bytes, is_second, is_signed);
    while runs.values.len() < most && runs.next() {}
    runs.values.truncate(most);
    runs.values
}

/// The sum of a stream of lengths; of one that is damaged, up to where it is. The crate makes room for
/// all elements of a batch at once, and ten bytes may say 2⁶⁰ of them.
pub(super) fn total(bytes: &[u8], is_second: bool) -> u64 {
    let mut runs = Runs::new(bytes, is_second, false);
    let mut total = 0u64;
    loop {
        let is_more = runs.next();
        for length in runs.values.drain(..) {
            total = total.saturating_add(length as u64);
        }
        if runs.wraps {
            return u64::MAX;
        }
        if !is_more {
            return total;
        }
    }
}

struct Runs<'a> {
    bytes: &'a [u8],
    is_second: bool,
    is_signed: bool,
    values: Vec<i64>,
    /// Whether a number without a sign went below zero or beyond 64 bits.
    wraps: bool,
}

impl<'a> Runs<'a> {
    fn new(bytes: &'a [u8], is_second: bool, is_signed: bool) -> Self {
        Runs { bytes, is_second, is_signed, values: Vec::new(), wraps: false }
    }

    /// Reads one more run; `false` at the end, or where the stream is damaged.
    fn next(&mut self) -> bool {
        let run = if self.is_second { Runs::second } else { Runs::first };
        !self.bytes.is_empty() && run(self).is_some()
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn big_endian(&mut self, width: usize) -> Option<u64> {
        (0..width).try_fold(0u64, |value, _| Some(value << 8 | u64::from(self.byte()?)))
    }

    /// Numbers of so many bits, the last byte filled up.
    fn packed(&mut self, count: usize, width: usize) -> Option<Vec<u64>> {
        let (packed, rest) = self.bytes.split_at_checked((count * width).div_ceil(8))?;
        self.bytes = rest;
        if width.is_multiple_of(8) && width > 0 {
            let numbers = packed.chunks_exact(width / 8);
            let number = |bytes: &[u8]| bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b));
            return Some(numbers.map(number).collect());
        }
        let bit = |at: usize| u64::from(packed[at / 8] >> (7 - at % 8) & 1);
        let number = |index: usize| {
            (index * width..(index + 1) * width).fold(0, |value, at| value << 1 | bit(at))
        };
        Some((0..count).map(number).collect())
    }

    /// A number so far above another, or below it.
    fn moved(&mut self, value: i64, by: u64, is_below: bool) -> i64 {
        let (moved, wraps) = match is_below {
            true => (value as u64).overflowing_sub(by),
            false => (value as u64).overflowing_add(by),
        };
        self.wraps |= wraps;
        moved as i64
    }

    /// A number, and so many more that each differ by the same.
    fn evenly(&mut self, first: i64, more: usize, delta: i64) {
        let mut value = first;
        self.values.push(value);
        for _ in 0..more {
            value = self.moved(value, delta.unsigned_abs(), delta < 0);
            self.values.push(value);
        }
    }

    fn value(&self, stored: u64) -> i64 {
        if self.is_signed { zigzag(stored) } else { stored as i64 }
    }

    fn first(&mut self) -> Option<()> {
        match self.byte()? as i8 {
            literals @ i8::MIN..=-1 => {
                for _ in 0..literals.unsigned_abs() {
                    let stored = self.varint()?;
                    self.values.push(self.value(stored));
                }
            }
            run => {
                let delta = i64::from(self.byte()? as i8);
                let stored = self.varint()?;
                let first = self.value(stored);
                self.evenly(first, run as usize + 2, delta);
            }
        }
        Some(())
    }

    fn second(&mut self) -> Option<()> {
        let head = self.byte()?;
        if head >> 6 == 0 {
            let stored = self.big_endian(usize::from(head >> 3 & 7) + 1)?;
            let value = self.value(stored);
            self.values.extend(std::iter::repeat_n(value, usize::from(head & 7) + 3));
            return Some(());
        }
        let code = head >> 1 & 31;
        let count = (usize::from(head & 1) << 8 | usize::from(self.byte()?)) + 1;
        match head >> 6 {
            1 => {
                let stored = self.packed(count, width(code))?;
                let is_signed = self.is_signed;
                let value = |stored| if is_signed { zigzag(stored) } else { stored as i64 };
                self.values.extend(stored.into_iter().map(value));
            }
            2 => self.patched(count, width(code))?,
            _ => {
                let stored = self.varint()?;
                let first = self.value(stored);
                let delta = zigzag(self.varint()?);
                if code == 0 {
                    self.evenly(first, count - 1, delta);
                    return Some(());
                }
                self.evenly(first, 1, delta);
                let mut value = self.values.last().copied().unwrap_or(first);
                for step in self.packed(count.saturating_sub(2), width(code))? {
                    value = self.moved(value, step, delta < 0);
                    self.values.push(value);
                }
            }
        }
        Some(())
    }

    fn patched(&mut self, count: usize, bits: usize) -> Option<()> {
        let (third, fourth) = (self.byte()?, self.byte()?);
        let of_base = usize::from(third >> 5) + 1;
        let of_patch = width(third & 31);
        let of_gap = usize::from(fourth >> 5) + 1;
        let patches = usize::from(fourth & 31);
        let base = self.big_endian(of_base)?;
        // The highest bit is the sign, of numbers without one as well.
        let sign = 1u64 << (8 * of_base - 1);
        let size = (base & (sign - 1)) as i64;
        let base = if base & sign == 0 { size } else { -size };
        let mut values = self.packed(count, bits)?;
        let (mut at, whole) = (0usize, (0..32).map(width).find(|w| *w >= of_gap + of_patch)?);
        for entry in self.packed(patches, whole)? {
            let gap = entry.checked_shr(of_patch as u32).unwrap_or_default();
            let patch = entry & 1u64.checked_shl(of_patch as u32).map_or(u64::MAX, |bit| bit - 1);
            at = at.checked_add(usize::try_from(gap).ok()?)?;
            if let Some(value) = values.get_mut(at) {
                let shifted = patch.checked_shl(bits as u32);
                self.wraps |= shifted.is_none();
                *value |= shifted.unwrap_or_default();
            }
        }
        for value in values {
            let value = self.moved(base, value, false);
            self.values.push(value);
        }
        Some(())
    }
}

fn zigzag(stored: u64) -> i64 {
    (stored >> 1) as i64 ^ -((stored & 1) as i64)
}

/// The bits that a code of five stands for.
fn width(code: u8) -> usize {
    match code {
        0..=23 => usize::from(code) + 1,
        24..=27 => 2 * usize::from(code) - 22,
        _ => 8 * usize::from(code) - 184,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsigned(bytes: &[u8], is_second: bool) -> Vec<i64> {
        let values = decoded(bytes, is_second, false, 10_000);
        if values.iter().all(|value| (0..1 << 40).contains(value)) {
            assert_eq!(total(bytes, is_second), values.iter().sum::<i64>() as u64);
        }
        values
    }

    #[test]
    fn the_examples_of_the_specification_are_read() {
        assert_eq!(unsigned(&[0x0a, 0x27, 0x10], true), [10_000; 5]);
        let direct = [0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef];
        assert_eq!(unsigned(&direct, true), [23_713, 43_806, 57_005, 48_879]);
        let patched = [
            0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3c, 0x46,
            0x50, 0x5a, 0x64, 0x6e, 0x78, 0x82, 0x8c, 0x96, 0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8,
        ];
        let mut values = vec![2030, 2000, 2020, 1_000_000];
        values.extend((0..16).map(|step| 2040 + 10 * step));
        assert_eq!(unsigned(&patched, true), values);
        let delta = [0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46];
        assert_eq!(unsigned(&delta, true), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert_eq!(unsigned(&[0x61, 0x00, 0x07], false), [7; 100]);
        assert_eq!(unsigned(&[0x61, 0xff, 0x64], false), (1..=100).rev().collect::<Vec<_>>());
        assert_eq!(unsigned(&[0xfb, 2, 3, 6, 7, 11], false), [2, 3, 6, 7, 11]);
        assert_eq!(decoded(&[0xfe, 1, 2], false, true, 9), [-1, 1]);
    }

    #[test]
    fn ten_bytes_may_claim_anything() {
        assert_eq!(total(&[0x3f, 0xff, 0, 0, 0, 0, 0, 0, 0], true), u64::MAX);
        assert_eq!(total(&[0x0a], true), 0);
        assert_eq!(total(&[0xff; 40], true), 0);
        // Below zero, and beyond 64 bits.
        assert_eq!(total(&[0x61, 0xff, 0x07], false), u64::MAX);
        assert_eq!(total(&[0xc0, 0x02, 0x05, 0x03], true), 5 + 3 + 1);
        assert_eq!(total(&[0xc0, 0x02, 0x01, 0x09], true), u64::MAX);
    }

    #[test]
    fn damage_ends_the_numbers_and_nothing_else() {
        assert_eq!(unsigned(&[0x0a], true), [0i64; 0]);
        unsigned(&[0xff; 40], true);
        unsigned(&[0x8f; 40], true);
        assert_eq!(decoded(&[0x7f, 0, 7].repeat(9), false, false, 200), [7; 200]);
    }
}
