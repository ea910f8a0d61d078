//! The plainest things in JSON, many bytes at a time: where a text ends, what a number is.
//!
//! Takes any bytes; says where things end and whether they are as RFC 8259 has them. What is wrong
//! with those that are not is for the tape parser to say.
#![allow(unsafe_code)]

use crate::infer::swift;

/// How the characters behind an opening quote go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A closing quote stands there.
    Quote(usize),
    /// An escape stands there.
    Escape(usize),
    /// A control character stands there, or the text ends.
    Broken,
}

/// The first quote, backslash or control character from a place on.
#[inline(always)]
pub(super) fn stop(text: &[u8], mut at: usize) -> Stop {
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let mask = special(block);
        if mask != 0 {
            return what(text, at + mask.trailing_zeros() as usize);
        }
        at += 16;
    }
    while let Some(byte) = text.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            return what(text, at);
        }
        at += 1;
    }
    Stop::Broken
}

#[inline(always)]
fn what(text: &[u8], at: usize) -> Stop {
    match text[at] {
        b'"' => Stop::Quote(at),
        b'\\' => Stop::Escape(at),
        _ => Stop::Broken,
    }
}

/// A bit for each of 16 bytes that is a quote, a backslash or a control character.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn special(block: &[u8; 16]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8,
    };
    // SAFETY: SSE2 is part of the architecture; the block has 16 bytes, and the load needs no
    // alignment.
    unsafe {
        let bytes = _mm_loadu_si128(block.as_ptr().cast());
        let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"'.cast_signed()));
        let escape = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\'.cast_signed()));
        let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, escape), control)).cast_unsigned()
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn special(block: &[u8; 16]) -> u32 {
    plain_special(block)
}

/// Byte by byte: what the other form means.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn plain_special(block: &[u8; 16]) -> u32 {
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    block.iter().enumerate().map(|(bit, byte)| u32::from(is_special(byte)) << bit).sum()
}

/// Where quotes, backslashes and brackets are among 64 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits {
    pub quote: u64,
    pub escape: u64,
    pub open: u64,
    pub close: u64,
}

/// A bit for each byte that matters. Both brackets of a kind differ in one bit only.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn bits(block: &[u8; 64]) -> Bits {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    let mut bits = Bits::default();
    for (index, sixteen) in block.as_chunks::<16>().0.iter().enumerate() {
        // SAFETY: SSE2 is part of the architecture; 16 bytes are read, and the load needs no
        // alignment.
        unsafe {
            let bytes = _mm_loadu_si128(sixteen.as_ptr().cast());
            let lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
            let find = |bytes: __m128i, byte: u8| {
                let found = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()));
                u64::from(_mm_movemask_epi8(found).cast_unsigned()) << (16 * index)
            };
            bits.quote |= find(bytes, b'"');
            bits.escape |= find(bytes, b'\\');
            bits.open |= find(lower, b'{');
            bits.close |= find(lower, b'}');
        }
    }
    bits
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(super) fn bits(block: &[u8; 64]) -> Bits {
    plain_bits(block)
}

/// Byte by byte: what the other form means.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn plain_bits(block: &[u8; 64]) -> Bits {
    let mut bits = Bits::default();
    for (index, byte) in block.iter().enumerate() {
        bits.quote |= u64::from(*byte == b'"') << index;
        bits.escape |= u64::from(*byte == b'\\') << index;
        bits.open |= u64::from(matches!(byte, b'{' | b'[')) << index;
        bits.close |= u64::from(matches!(byte, b'}' | b']')) << index;
    }
    bits
}

/// Where a text ends: the place of its closing quote, and whether it has escapes. `None` if it is
/// broken.
#[inline(always)]
pub(super) fn text_end(text: &[u8], start: usize) -> Option<(usize, bool)> {
    match stop(text, start) {
        Stop::Quote(end) => Some((end, false)),
        Stop::Escape(at) => escaped_end(text, at).map(|end| (end, true)),
        Stop::Broken => None,
    }
}

#[inline(never)]
fn escaped_end(text: &[u8], at: usize) -> Option<usize> {
    let mut at = escape(text, at)?.1;
    loop {
        match stop(text, at) {
            Stop::Quote(end) => return Some(end),
            Stop::Escape(next) => at = escape(text, next)?.1,
            Stop::Broken => return None,
        }
    }
}

/// The character that an escape stands for, and the place behind it.
pub(super) fn escape(text: &[u8], at: usize) -> Option<(char, usize)> {
    let plain = |c: char| Some((c, at + 2));
    match text.get(at + 1)? {
        b'"' => plain('"'),
        b'\\' => plain('\\'),
        b'/' => plain('/'),
        b'b' => plain('\u{8}'),
        b'f' => plain('\u{c}'),
        b'n' => plain('\n'),
        b'r' => plain('\r'),
        b't' => plain('\t'),
        b'u' => {
            let unit = hex4(text, at + 2)?;
            if !(0xd800..0xdc00).contains(&unit) {
                return char::from_u32(unit).map(|c| (c, at + 6));
            }
            if text.get(at + 6..at + 8)? != b"\\u" {
                return None;
            }
            let low = hex4(text, at + 8).filter(|low| (0xdc00..0xe000).contains(low))?;
            let joined = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            char::from_u32(joined).map(|c| (c, at + 12))
        }
        _ => None,
    }
}

/// Four hexadecimal digits.
pub(in super::super) fn hex4(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    let add = |value, digit: &u8| Some(value * 16 + char::from(*digit).to_digit(16)?);
    digits.iter().try_fold(0, add)
}

/// Adds a text with its escapes resolved; it is known to be whole.
pub(in super::super) fn unescape(text: &[u8], start: usize, end: usize, out: &mut Vec<u8>) {
    let mut at = start;
    while at < end {
        let rest = &text[at..end];
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        at += plain;
        if at < end {
            let Some((c, next)) = escape(text, at) else { return };
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            at = next;
        }
    }
}

/// A number in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// A whole number of at most 15 digits, and the place behind it.
    Small(i64, usize),
    /// Any other, by its parts.
    Other(Parts),
}

/// The parts of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Parts {
    pub end: usize,
    /// Digits before the point, behind it, and whether there is an exponent.
    pub whole: usize,
    pub fraction: usize,
    pub exponent: bool,
}

/// The number that begins at a place; `None` if it is none as JSON has them.
#[inline(always)]
pub(super) fn number(text: &[u8], at: usize) -> Option<Number> {
    let negative = text.get(at) == Some(&b'-');
    let start = at + usize::from(negative);
    let Some(run) = swift::run(text, start) else { return parts(text, start).map(Number::Other) };
    if run.count == 0 || run.count > 15 {
        return parts(text, start).map(Number::Other);
    }
    let leads = text[start] == b'0';
    if leads && (run.count > 1 || negative) || matches!(run.next, b'.' | b'e' | b'E') {
        return parts(text, start).map(Number::Other);
    }
    let value = run.value.cast_signed();
    Some(Number::Small(if negative { -value } else { value }, start + run.count))
}

/// The parts of the number whose first digit is at a place.
#[inline]
fn parts(text: &[u8], start: usize) -> Option<Parts> {
    let whole = digits(text, start);
    if whole == 0 || whole > 1 && text[start] == b'0' {
        return None;
    }
    let mut end = start + whole;
    let mut fraction = 0;
    if text.get(end) == Some(&b'.') {
        fraction = digits(text, end + 1);
        end += 1 + fraction;
        if fraction == 0 {
            return None;
        }
    }
    let exponent = matches!(text.get(end), Some(b'e' | b'E'));
    if exponent {
        end += 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let digits = digits(text, end);
        end += digits;
        if digits == 0 {
            return None;
        }
    }
    Some(Parts { end, whole, fraction, exponent })
}

/// How many digits stand at a place.
#[inline(always)]
fn digits(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(run) = swift::run(text, at) {
        at += run.count;
        if run.count < 16 {
            return at - start;
        }
    }
    let rest = text.get(at..).unwrap_or_default();
    at - start + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_as_json_has_them() {
        let cases: [(&str, Option<usize>); 22] = [
            ("0", Some(1)),
            ("-0", Some(2)),
            ("00", None),
            ("01", None),
            ("-", None),
            ("+1", None),
            ("1.", None),
            (".5", None),
            ("1.5", Some(3)),
            ("1e5", Some(3)),
            ("1E+5", Some(4)),
            ("1e", None),
            ("1e+", None),
            ("12345678", Some(8)),
            ("1234567", Some(7)),
            ("123456789012345", Some(15)),
            ("1234567890123456", Some(16)),
            ("-123456789012345678901234567890", Some(31)),
            ("123456789012345.12345678901234567890e-10", Some(40)),
            ("1.5.2", Some(3)),
            ("1a", Some(1)),
            ("a", None),
        ];
        for (number_text, end) in cases {
            for padding in ["", ",", "                        "] {
                let text = format!("{number_text}{padding}");
                let found = number(text.as_bytes(), 0).map(|number| match number {
                    Number::Small(value, end) => {
                        assert_eq!(Ok(value), number_text[..end].parse());
                        end
                    }
                    Number::Other(parts) => parts.end,
                });
                assert_eq!(found, end, "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn both_ways_find_brackets(bytes in proptest::collection::vec(
            prop_oneof![Just(b'"'), Just(b'\\'), Just(b'{'), Just(b']'), Just(b'}'), any::<u8>()], 64))
        {
            let block: &[u8; 64] = bytes.as_slice().try_into().unwrap();
            prop_assert_eq!(bits(block), plain_bits(block));
        }

        #[test]
        fn both_ways_agree(bytes in any::<[u8; 16]>()) {
            prop_assert_eq!(special(&bytes), plain_special(&bytes));
        }

        #[test]
        fn texts_end_where_serde_says(inner in "([ -~]|\\\\[\"\\\\/bfnrtu]|\\\\u[0-9a-f]{4}|é|\u{1}|\"){0,40}") {
            let text = format!("\"{inner}\" ,");
            let mut stream = serde_json::Deserializer::from_str(&text).into_iter::<String>();
            let expected = stream.next().and_then(|text| text.ok()).map(|text| (text, stream.byte_offset()));
            let found = text_end(text.as_bytes(), 1).map(|(end, _)| {
                let mut out = Vec::new();
                unescape(text.as_bytes(), 1, end, &mut out);
                (String::from_utf8(out).unwrap(), end + 1)
            });
            prop_assert_eq!(found, expected);
        }
    }
}
