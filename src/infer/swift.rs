//! The values that nearly every cell of a column holds, read eight bytes at a time.
//!
//! Each function reads one cell of a larger text, so that whole words can be loaded across its
//! edges. `None` means only "not in the plainest form": the exact readers of this stage then say
//! what it is. Where there is a value it is the one that they would give.

use super::number::{number_shape, parse_float, parse_int64};

pub(super) const ZEROS: u64 = 0x3030_3030_3030_3030;
pub(super) const HIGH: u64 = 0x8080_8080_8080_8080;
const ONES: u64 = 0x0101_0101_0101_0101;

#[inline(always)]
pub(super) fn load8(text: &[u8], at: usize) -> Option<u64> {
    text.get(at..).and_then(|rest| rest.first_chunk()).map(|bytes| u64::from_le_bytes(*bytes))
}

/// Whether each byte is a digit's value.
#[inline(always)]
fn all_digits(values: u64) -> bool {
    (values.wrapping_add(0x7676_7676_7676_7676) | values) & HIGH == 0
}

/// Eight digits' values, the first in the lowest byte, as one number.
#[inline(always)]
pub(super) fn join8(values: u64) -> u64 {
    const MASK: u64 = 0x0000_00ff_0000_00ff;
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let low = (pairs & MASK).wrapping_mul(0x000f_4240_0000_0064);
    let high = (pairs >> 16 & MASK).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// The last `length` (1 to 8) bytes before `end` as digits' values, zeros before them.
#[inline(always)]
fn tail(text: &[u8], end: usize, length: usize) -> Option<u64> {
    let word = load8(text, end.checked_sub(8)?)?;
    Some((word ^ ZEROS) & !0 << (64 - 8 * length as u32))
}

/// A whole number of at most 15 digits: no plus, no leading zero, no `-0`. Every such number is an
/// exact float too.
#[inline(always)]
pub(crate) fn int(text: &[u8], start: usize, end: usize) -> Option<i64> {
    let first = *text.get(start)?;
    let negative = first == b'-';
    let start = start + usize::from(negative);
    let length = end.wrapping_sub(start);
    if length.wrapping_sub(1) > 14 {
        return None;
    }
    let value = digits(text, start, end)?;
    if text[start] == b'0' && (length > 1 || negative) {
        return None;
    }
    let value = value.cast_signed();
    Some(if negative { -value } else { value })
}

/// One to 16 digits as a number.
#[inline(always)]
fn digits(text: &[u8], start: usize, end: usize) -> Option<u64> {
    let length = end - start;
    if length <= 8 {
        let values = tail(text, end, length)?;
        return all_digits(values).then(|| join8(values));
    }
    let (high, low) = (tail(text, end - 8, length - 8)?, tail(text, end, 8)?);
    (all_digits(high) && all_digits(low)).then(|| join8(high) * 100_000_000 + join8(low))
}

/// Digits at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// How many, 16 at most.
    pub count: usize,
    /// Their value.
    pub value: u64,
    /// The byte behind them; of no meaning where there are 16.
    pub next: u8,
}

/// The digits that stand at a place; `None` where the text ends too soon to tell at a glance.
#[inline(always)]
pub(crate) fn run(text: &[u8], at: usize) -> Option<Run> {
    let word = load8(text, at)?;
    let values = word ^ ZEROS;
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & HIGH;
    if others != 0 {
        let bits = others.trailing_zeros() & !7;
        // In two steps, because no digit at all is a shift by 64.
        let value = join8(values << (32 - bits / 2) << (32 - bits / 2));
        return Some(Run { count: bits as usize / 8, value, next: (word >> bits) as u8 });
    }
    let next = load8(text, at + 8)?;
    let low = next ^ ZEROS;
    let others = (low.wrapping_add(0x7676_7676_7676_7676) | low) & HIGH;
    let bits = if others == 0 { 64 } else { others.trailing_zeros() & !7 };
    let count = bits as usize / 8;
    let low = if bits == 0 { 0 } else { join8(low << (64 - bits)) };
    let value = join8(values) * TENS[count] + low;
    Some(Run { count: 8 + count, value, next: (next >> (bits & 63)) as u8 })
}

const TENS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Powers of ten that a float holds exactly.
pub(super) const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A number with or without a decimal point, of at most 15 digits: mantissa and power of ten are
/// both exact, so their quotient is the nearest float.
#[inline(always)]
pub(crate) fn float(text: &[u8], start: usize, end: usize) -> Option<f64> {
    let first = *text.get(start)?;
    let negative = first == b'-';
    let start = start + usize::from(negative);
    let length = end.wrapping_sub(start);
    let (mantissa, fraction) = if length.wrapping_sub(1) < 8 {
        short_decimal(text, end, length)?
    } else if length.wrapping_sub(9) < 8 {
        long_decimal(text, end, length)?
    } else {
        return None;
    };
    // Leading zeros make an identifier; 16 digits may be more than a float holds.
    let [first, second] = *text.get(start..)?.first_chunk()?;
    if first == b'0' && length > 1 && second.is_ascii_digit() || mantissa >= 1 << 53 {
        return None;
    }
    let value = mantissa as f64 / POWERS[fraction as usize & 15];
    Some(if negative { -value } else { value })
}

/// Up to eight bytes, at most one of them a point: the digits, and how many are behind the point.
#[inline(always)]
fn short_decimal(text: &[u8], end: usize, length: usize) -> Option<(u64, u32)> {
    let word = load8(text, end.checked_sub(8)?)?;
    let keep = !0u64 << (64 - 8 * length as u32);
    let points = zero_bytes((word ^ (ONES * u64::from(b'.'))) | !keep);
    let values = (word ^ ZEROS) & keep;
    if points == 0 {
        return all_digits(values).then(|| (join8(values), 0));
    }
    let bit = points.trailing_zeros() & !7;
    let below = values & ((1 << bit) - 1);
    // Shifting by 64 in two steps: the point may be the last byte.
    let above = values >> bit >> 8 << bit << 8;
    let joined = below << 8 | above;
    (all_digits(joined) && length > 1).then(|| (join8(joined), (56 - bit) / 8))
}

/// The same for nine to 16 bytes.
#[inline(always)]
fn long_decimal(text: &[u8], end: usize, length: usize) -> Option<(u64, u32)> {
    let low = load8(text, end - 8)?;
    let high = load8(text, end.checked_sub(16)?)?;
    let keep = !0u64 << (128 - 8 * length as u32);
    let point = ONES * u64::from(b'.');
    let (high_points, low_points) = (zero_bytes((high ^ point) | !keep), zero_bytes(low ^ point));
    let values = u128::from((high ^ ZEROS) & keep) | u128::from(low ^ ZEROS) << 64;
    let (joined, fraction) = if high_points | low_points == 0 {
        (values, 0)
    } else {
        let bit = match high_points {
            0 => 64 + (low_points.trailing_zeros() & !7),
            points => points.trailing_zeros() & !7,
        };
        let below = values & ((1 << bit) - 1);
        let above = values >> bit >> 8 << bit << 8;
        (below << 8 | above, (120 - bit) / 8)
    };
    let (first, second) = (joined as u64, (joined >> 64) as u64);
    (all_digits(first) && all_digits(second))
        .then(|| (join8(first) * 100_000_000 + join8(second), fraction))
}

/// The high bit of each byte that is zero; bits above the lowest such byte may be wrong.
#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// `YYYY-MM-DD` as days since 1970.
#[inline(always)]
pub(crate) fn date(text: &[u8], start: usize, end: usize) -> Option<i32> {
    if end.wrapping_sub(start) != 10 {
        return None;
    }
    day(text.get(start..)?.first_chunk()?)
}

#[inline(always)]
fn day(bytes: &[u8; 10]) -> Option<i32> {
    let [head @ .., tens, ones] = bytes;
    // The dashes become zeros, like the digits' values.
    let values = u64::from_le_bytes(*head) ^ 0x2d30_302d_3030_3030;
    let dashes = 0xff00_00ff_0000_0000u64;
    let (tens, ones) = (tens ^ b'0', ones ^ b'0');
    if !all_digits(values) || values & dashes != 0 || tens > 9 || ones > 9 {
        return None;
    }
    let byte = |index: u32| (values >> (8 * index) & 0xff) as u32;
    let year = byte(0) * 1000 + byte(1) * 100 + byte(2) * 10 + byte(3);
    let (month, day) = (byte(5) * 10 + byte(6), u32::from(tens) * 10 + u32::from(ones));
    days_from_civil(year, month, day)
}

/// Days since 1970 of a day in the Gregorian calendar, years 0 to 9999.
#[inline(always)]
pub(crate) fn days_from_civil(year: u32, month: u32, day: u32) -> Option<i32> {
    const LENGTHS: [u8; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];
    const BEFORE: [i32; 16] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 0, 0, 0];
    let index = month as usize & 15;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let longest = u32::from(LENGTHS[index]) + u32::from(leap && month == 2);
    if month > 12 || day.wrapping_sub(1) >= longest {
        return None;
    }
    // Years counted so that the leap day is the last of its year.
    let year = year.cast_signed() - i32::from(month <= 2) + 400;
    let leaps = year / 4 - year / 100 + year / 400;
    let in_year = BEFORE[index] + day.cast_signed() - 1 + if month <= 2 { 365 } else { 0 };
    // The days from year 0 to 1970, less the leap day of year 0, and the 400 years added above.
    Some(year * 365 + leaps + in_year - 719_527 - 146_097)
}

/// A day and a time without a zone, `YYYY-MM-DD HH:MM:SS` (or a T) and up to six digits of a second,
/// or a day alone, as microseconds since 1970.
#[inline(always)]
pub(crate) fn stamp(text: &[u8], start: usize, end: usize) -> Option<i64> {
    let bytes = text.get(start..end)?;
    let days = i64::from(day(bytes.first_chunk()?)?);
    let seconds = match bytes.len() {
        10 => return Some(days * 86_400_000_000),
        19..=26 => clock(bytes[10..].first_chunk()?)?,
        _ => return None,
    };
    let micros = match bytes.get(19..)? {
        [] => 0,
        [b'.', fraction @ ..] if !fraction.is_empty() => {
            let mut micros = 0;
            for digit in fraction {
                let value = digit.wrapping_sub(b'0');
                if value > 9 {
                    return None;
                }
                micros = micros * 10 + i64::from(value);
            }
            micros * [0, 100_000, 10_000, 1000, 100, 10, 1][fraction.len()]
        }
        _ => return None,
    };
    Some((days * 86_400 + i64::from(seconds)) * 1_000_000 + micros)
}

/// `THH:MM:SS` as seconds of the day.
#[inline(always)]
fn clock(bytes: &[u8; 9]) -> Option<u32> {
    let [joint, rest @ ..] = bytes;
    // The colons become zeros, like the digits' values.
    let values = u64::from_le_bytes(*rest) ^ 0x3030_3a30_303a_3030;
    let colons = 0x0000_ff00_00ff_0000u64;
    if !matches!(joint, b'T' | b't' | b' ') || !all_digits(values) || values & colons != 0 {
        return None;
    }
    let byte = |index: u32| (values >> (8 * index) & 0xff) as u32;
    let (hour, minute) = (byte(0) * 10 + byte(1), byte(3) * 10 + byte(4));
    let second = byte(6) * 10 + byte(7);
    (hour < 24 && minute < 60 && second < 60).then(|| (hour * 60 + minute) * 60 + second)
}

/// A whole number that fits, in any form that the lattice takes for one.
pub(crate) fn any_int(cell: &[u8]) -> Option<i64> {
    number_shape(cell).filter(|shape| shape.int64)?;
    parse_int64(cell)
}

/// A float in any form that the lattice takes for one, and whether it has more than 17 digits.
pub(crate) fn any_float(cell: &[u8]) -> Option<(f64, bool)> {
    let shape = number_shape(cell).filter(|shape| shape.float)?;
    parse_float(cell).map(|value| (value, shape.long_float))
}
