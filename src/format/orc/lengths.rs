//! The lengths of lists, summed up: the crate makes room for all elements of a batch at once, and ten bytes
//! may say 2⁶⁰ of them.

/// The sum of a stream of lengths; of one that is damaged, up to where it is.
pub(super) fn total(bytes: &[u8], is_second_version: bool) -> u64 {
    let mut runs = Runs { bytes, total: 0 };
    while !runs.bytes.is_empty() {
        let run = if is_second_version { runs.second() } else { runs.first() };
        if run.is_none() {
            break;
        }
    }
    runs.total
}

struct Runs<'a> {
    bytes: &'a [u8],
    total: u64,
}

impl Runs<'_> {
    fn add(&mut self, value: u64) {
        self.total = self.total.saturating_add(value);
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
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
        let bit = |at: usize| u64::from(packed[at / 8] >> (7 - at % 8) & 1);
        let number = |index: usize| {
            (index * width..(index + 1) * width).fold(0, |value, at| value << 1 | bit(at))
        };
        Some((0..count).map(number).collect())
    }

    /// A number, and `steps` more that each differ by the same.
    fn add_run(&mut self, first: u64, steps: u64, delta: i64) {
        let last = i128::from(first) + i128::from(delta) * i128::from(steps);
        // What goes below zero is damaged: its largest value counts.
        let most = i128::from(first).max(last).max(0) as u64;
        match last >= 0 {
            true => {
                let sum = (u128::from(first) + last as u128) * u128::from(steps + 1) / 2;
                self.add(u64::try_from(sum).unwrap_or(u64::MAX));
            }
            false => self.add(most.saturating_mul(steps + 1)),
        }
    }

    fn first(&mut self) -> Option<()> {
        match self.byte()? as i8 {
            literals @ i8::MIN..=-1 => {
                for _ in 0..literals.unsigned_abs() {
                    let value = self.varint()?;
                    self.add(value);
                }
            }
            run => {
                let delta = self.byte()? as i8;
                let first = self.varint()?;
                self.add_run(first, u64::from(run as u8) + 2, i64::from(delta));
            }
        }
        Some(())
    }

    fn second(&mut self) -> Option<()> {
        let head = self.byte()?;
        if head >> 6 == 0 {
            let value = self.big_endian(usize::from(head >> 3 & 7) + 1)?;
            self.add(value.saturating_mul(u64::from(head & 7) + 3));
            return Some(());
        }
        let code = head >> 1 & 31;
        let count = (usize::from(head & 1) << 8 | usize::from(self.byte()?)) + 1;
        match head >> 6 {
            1 => {
                let values = self.packed(count, width(code))?;
                values.into_iter().for_each(|value| self.add(value));
            }
            2 => self.patched(count, width(code))?,
            _ => {
                let first = self.varint()?;
                let delta = self.varint()?;
                let delta = (delta >> 1) as i64 ^ -((delta & 1) as i64);
                if code == 0 {
                    self.add_run(first, count as u64 - 1, delta);
                    return Some(());
                }
                let mut value = first.saturating_add_signed(delta);
                self.add(first);
                self.add(value);
                for step in self.packed(count.saturating_sub(2), width(code))? {
                    value = match delta < 0 {
                        true => value.saturating_sub(step),
                        false => value.saturating_add(step),
                    };
                    self.add(value);
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
        // The highest bit is the sign; lengths have none.
        let base = base & ((1u64 << (8 * of_base - 1)) - 1);
        let mut values = self.packed(count, bits)?;
        let (mut at, whole) = (0usize, (0..32).map(width).find(|w| *w >= of_gap + of_patch)?);
        for entry in self.packed(patches, whole)? {
            let gap = entry.checked_shr(of_patch as u32).unwrap_or_default();
            let patch = entry & 1u64.checked_shl(of_patch as u32).map_or(u64::MAX, |bit| bit - 1);
            at = at.checked_add(usize::try_from(gap).ok()?)?;
            if let Some(value) = values.get_mut(at) {
                *value |= patch.checked_shl(bits as u32).unwrap_or(u64::MAX);
            }
        }
        values.into_iter().for_each(|value| self.add(value.saturating_add(base)));
        Some(())
    }
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

    #[test]
    fn the_examples_of_the_specification_add_up() {
        assert_eq!(total(&[0x0a, 0x27, 0x10], true), 5 * 10_000);
        let direct = [0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef];
        assert_eq!(total(&direct, true), 23_713 + 43_806 + 57_005 + 48_879);
        let patched = [
            0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3c, 0x46,
            0x50, 0x5a, 0x64, 0x6e, 0x78, 0x82, 0x8c, 0x96, 0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8,
        ];
        let values: u64 = [2030, 2000, 2020, 1_000_000].iter().sum::<u64>()
            + (0..16).map(|step| 2040 + 10 * step).sum::<u64>();
        assert_eq!(total(&patched, true), values);
        let delta = [0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46];
        assert_eq!(total(&delta, true), 2 + 3 + 5 + 7 + 11 + 13 + 17 + 19 + 23 + 29);
        assert_eq!(total(&[0x61, 0x00, 0x07], false), 100 * 7);
        assert_eq!(total(&[0x61, 0xff, 0x64], false), (1..=100).sum::<u64>());
        assert_eq!(total(&[0xfb, 2, 3, 6, 7, 11], false), 29);
    }

    #[test]
    fn ten_bytes_may_claim_anything() {
        assert_eq!(total(&[0x3f, 0xff, 0, 0, 0, 0, 0, 0, 0], true), u64::MAX);
        assert_eq!(total(&[0x0a], true), 0);
        assert_eq!(total(&[0xff; 40], true), 0);
    }
}
