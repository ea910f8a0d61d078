//! Floats of up to 19 digits, with or without an exponent, to the nearest double.
//!
//! Digits are read eight at a time. Where digits and power of ten are both exact doubles, one
//! multiplication or division gives the nearest; otherwise the product with a 128-bit power of five
//! does (Daniel Lemire, "Number Parsing at a Gigabyte per Second", 2021). Only powers for which that
//! product is always enough are in the table; for all others the caller asks another reader.

use super::swift::{HIGH, POWERS, ZEROS, join8, load8};

/// A float that has a point or an exponent, and whether it has more than 17 digits.
#[inline(always)]
pub(crate) fn decimal(text: &[u8], start: usize, end: usize) -> Option<(f64, bool)> {
    let first = *text.get(start)?;
    let negative = first == b'-';
    let start = start + usize::from(negative);
    let (mut mantissa, whole) = eight(text, start)?;
    let mut at = start + whole;
    let has_point = text.get(at) == Some(&b'.');
    let mut fraction = 0;
    if has_point {
        // Two words whatever the length, because lengths are hard to foretell.
        let (high, first) = eight(text, at + 1)?;
        let (low, second) = eight(text, at + 9)?;
        let second = if first == 8 { second } else { 0 };
        let low = if second == 0 { 0 } else { low };
        fraction = first + second;
        mantissa = mantissa
            .wrapping_mul(TENS[fraction])
            .wrapping_add(high.wrapping_mul(TENS[second]).wrapping_add(low));
        at += 1 + fraction;
        if fraction == 16 {
            let (value, third) = eight(text, at)?;
            mantissa = mantissa.wrapping_mul(TENS[third]).wrapping_add(value);
            fraction += third;
            at += third;
        }
    }
    let mut power = -(fraction as i32);
    if at != end {
        if fraction == 24 || whole == 8 {
            return longer(text, start, end, negative);
        }
        if text[at] | 0x20 != b'e' {
            return None;
        }
        let (exponent, next) = exponent(text, at + 1)?;
        if next != end {
            return None;
        }
        power += exponent;
    } else if !has_point {
        return None;
    }
    if whole > 1 && text[start] == b'0' || whole + fraction == 0 {
        return None;
    }
    // Up to 19 digits fit, a zero before the point not counted.
    if fraction + if text[start] == b'0' { 0 } else { whole } > 19 {
        return longer(text, start, end, negative);
    }
    finish(mantissa, power, negative)
}

#[inline(always)]
fn finish(mantissa: u64, power: i32, negative: bool) -> Option<(f64, bool)> {
    let value = nearest(mantissa, power)?.to_bits() | u64::from(negative) << 63;
    Some((f64::from_bits(value), mantissa >= 100_000_000_000_000_000))
}

/// The same for any number of digits in each part.
#[cold]
fn longer(text: &[u8], start: usize, end: usize, negative: bool) -> Option<(f64, bool)> {
    let mut mantissa = 0;
    let mut at = digits(text, start, &mut mantissa)?;
    let whole = at - start;
    let mut fraction = 0;
    let has_point = text.get(at) == Some(&b'.');
    if has_point {
        let from = at + 1;
        at = digits(text, from, &mut mantissa)?;
        fraction = at - from;
    }
    let counted = fraction + if text[start] == b'0' { 0 } else { whole };
    if counted > 19 || whole + fraction == 0 || whole > 1 && text[start] == b'0' {
        return None;
    }
    let mut power = -(fraction as i32);
    if at < end && text[at] | 0x20 == b'e' {
        let (exponent, next) = exponent(text, at + 1)?;
        power += exponent;
        at = next;
    } else if !has_point {
        return None;
    }
    if at != end {
        return None;
    }
    finish(mantissa, power, negative)
}

const TENS: [u64; 17] = {
    let mut tens = [1; 17];
    let mut index = 1;
    while index < 17 {
        tens[index] = tens[index - 1] * 10;
        index += 1;
    }
    tens
};

/// The number that up to eight digits make, and how many they are.
#[inline(always)]
fn eight(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let values = load8(text, at)? ^ ZEROS;
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & HIGH;
    let count = others.trailing_zeros() / 8;
    // In two steps, because no digit at all is a shift by 64.
    let half = 4 * (8 - count);
    Some((join8(values << half << half), count as usize))
}

/// Adds a run of digits to a number; gives the place behind it.
fn digits(text: &[u8], mut at: usize, number: &mut u64) -> Option<usize> {
    loop {
        let (value, count) = eight(text, at)?;
        *number = number.wrapping_mul(TENS[count]).wrapping_add(value);
        at += count;
        if count < 8 {
            return Some(at);
        }
    }
}

/// Up to four digits with or without a sign, and the place behind them.
#[inline]
fn exponent(text: &[u8], mut at: usize) -> Option<(i32, usize)> {
    let negative = text.get(at) == Some(&b'-');
    at += usize::from(negative || text.get(at) == Some(&b'+'));
    let (mut value, from) = (0, at);
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|d| *d < 10) {
        value = value * 10 + i32::from(digit);
        at += 1;
        if at - from > 4 {
            return None;
        }
    }
    (at > from).then_some((if negative { -value } else { value }, at))
}

/// The double nearest to `mantissa · 10^power`; `None` where the table does not reach.
#[inline(always)]
fn nearest(mantissa: u64, power: i32) -> Option<f64> {
    // Below 2^53, but by a bound that numbers of 16 digits do not straddle.
    if mantissa < 1_000_000_000_000_000 && (-22..=22).contains(&power) {
        let value = mantissa as f64;
        return Some(match power {
            0.. => value * POWERS[power as usize],
            _ => value / POWERS[-power as usize],
        });
    }
    if mantissa == 0 {
        return Some(0.0);
    }
    let index = power.wrapping_sub(FIRST);
    let five = FIVES.get(index as usize)?;
    let zeros = mantissa.leading_zeros();
    let wanted = mantissa << zeros;
    let product = u128::from(wanted) * (five >> 64);
    let (mut high, mut low) = ((product >> 64) as u64, product as u64);
    if high & 0x1ff == 0x1ff {
        // The bits that are kept may depend on what the lower half of the power adds.
        let rest = (u128::from(wanted) * (five & u128::from(u64::MAX))) >> 64;
        let (sum, carry) = low.overflowing_add(rest as u64);
        low = sum;
        high += u64::from(carry);
    }
    let top = (high >> 63) as u32;
    let shift = top + 9;
    let mut bits = high >> shift;
    // Exactly half way between two doubles, the even one is the nearest.
    if low <= 1 && (-4..=23).contains(&power) && bits & 3 == 1 && bits << shift == high {
        bits &= !1;
    }
    bits = (bits + (bits & 1)) >> 1;
    let mut exponent = ((217_706 * power) >> 16) + 63 + top as i32 - zeros as i32 + 1023;
    if bits >> 53 != 0 {
        bits = 1 << 52;
        exponent += 1;
    }
    // With these powers an exponent is always that of a normal number.
    Some(f64::from_bits(bits & !(1 << 52) | (exponent as u64) << 52))
}

/// The first power in the table.
const FIRST: i32 = -27;

/// The 128 highest bits of 5^n, for n from -27 to 55: cut off for positive powers, which all fit, and
/// rounded up for negative ones.
static FIVES: [u128; 83] = {
    let mut table = [0; 83];
    let mut power = 1u128;
    let mut index = 0;
    while index <= 55 {
        table[index + 27] = power << power.leading_zeros();
        if index < 55 {
            power *= 5;
        }
        index += 1;
    }
    let mut power = 1u128;
    let mut index = 1;
    while index <= 27 {
        power *= 5;
        table[27 - index] = reciprocal(power as u64);
        index += 1;
    }
    table
};

/// One more than the 128 highest bits of 1 / `divisor`.
const fn reciprocal(divisor: u64) -> u128 {
    // Long division of 2^(bits + 127) by 64-bit digits.
    let bits = 64 - divisor.leading_zeros();
    let exponent = bits + 127;
    let mut quotient = 0u128;
    let mut rest = 0u128;
    let mut digit = 3u32;
    while digit > 0 {
        digit -= 1;
        let here = if exponent / 64 == digit { 1u128 << (exponent % 64) } else { 0 };
        let dividend = rest << 64 | here;
        quotient = (quotient << 64) | (dividend / divisor as u128);
        rest = dividend % divisor as u128;
    }
    quotient + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<(f64, bool)> {
        let padded = format!("{text},{}", " ".repeat(24));
        decimal(padded.as_bytes(), 0, text.len())
    }

    #[test]
    fn what_is_read_and_what_is_not() {
        for text in ["1.5", "-0.25", ".5", "5.", "1e5", "1.25e-3", "0.11717935849035166", "0e9"] {
            assert_eq!(read(text).map(|(value, _)| value), text.parse().ok(), "{text}");
        }
        for text in ["1", "00.5", "", ".", "-", "1.2.3", "1e", "1 ", "1.5x", "e5", "1e99999"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(read("3.14159265358979323").unwrap().1);
        assert!(read("0.0123456789012345678").unwrap().1);
        assert!(!read("0.01234567890123456").unwrap().1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn nearest_doubles(value in any::<u64>(), power in -27i32..=55) {
            let value = value % 10_000_000_000_000_000_000;
            let expected: f64 = format!("{value}e{power}").parse().unwrap();
            prop_assert_eq!(nearest(value, power).map(f64::to_bits), Some(expected.to_bits()));
        }

        #[test]
        fn any_double_that_is_printed(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            for text in [format!("{value:e}"), format!("{:.3}", value % 1e9)] {
                if let Some((found, _)) = read(&text) {
                    let expected: f64 = text.parse().unwrap();
                    prop_assert_eq!(found.to_bits(), expected.to_bits(), "{}", text);
                }
            }
        }

        #[test]
        fn halfway_cases(bits in any::<u32>(), power in 0i32..23) {
            // A whole number of 54 bits, divided by no power of ten at all or by a small one.
            let value = 1 << 53 | u64::from(bits) << 21 | 1;
            let expected: f64 = format!("{value}e-{power}").parse().unwrap();
            prop_assert_eq!(nearest(value, -power).map(f64::to_bits), Some(expected.to_bits()));
        }
    }
}
