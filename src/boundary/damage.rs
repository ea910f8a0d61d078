//! Damage done to a file: by chance, and where sizes and counts stand.

use super::choices::Choices;
use super::wrapping;

/// A stretch that is copied, cut out or put in has at most so many bytes.
const MOST_STRETCH: usize = 2048;
/// A file does not grow beyond this by damage.
const MOST_BYTES: usize = 8 << 20;
/// Bytes that mean something in one format or the other.
const TELLING: &[u8] = b"\0\x01\x7f\x80\xff\"',;\t\n\r{}[]:<>&/\\-+.eE09 #=P(%";
/// Numbers as text that few readers expect.
const NUMBERS: &[&str] = &[
    "-1",
    "0",
    "1e999",
    "-0",
    "NaN",
    "2147483648",
    "4294967295",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "0.00000000000000000000000000000000000000000001",
    "1048577",
    "ZZZ1048577",
];

/// Damages the file itself, or, more often, what is inside of its compression, which is then
/// compressed again so that its checksums hold.
pub fn damage_inside(bytes: &[u8], choices: &mut Choices<'_>, donor: &[u8]) -> Vec<u8> {
    if !choices.one_in(4)
        && let Some(mut inside) = wrapping::open(bytes)
        && let Some(chosen) = inside.choose(choices)
    {
        *chosen = damage_inside(chosen, choices, donor);
        if let Some(wrapped) = inside.wrap(choices) {
            return wrapped;
        }
    }
    let mut damaged = bytes.to_vec();
    damage(&mut damaged, choices, donor);
    damaged
}

/// Damages bytes in one to three ways, some of them with stretches of a donor.
pub fn damage(bytes: &mut Vec<u8>, choices: &mut Choices<'_>, donor: &[u8]) {
    for _ in 0..=choices.below(3) {
        once(bytes, choices, donor);
    }
    bytes.truncate(MOST_BYTES);
}

fn once(bytes: &mut Vec<u8>, choices: &mut Choices<'_>, donor: &[u8]) {
    if bytes.is_empty() {
        bytes.extend_from_slice(stretch(donor, choices));
        return;
    }
    let at = place(bytes.len(), choices);
    match choices.below(12) {
        0 | 1 => {
            for _ in 0..=choices.below(8) {
                let at = place(bytes.len(), choices);
                bytes[at] ^= 1 << choices.below(8);
            }
        }
        2 | 3 => {
            let value = if choices.one_in(3) { choices.byte() } else { choices.one_of(TELLING) };
            let count = 1 + choices.below(8);
            bytes.iter_mut().skip(at).take(count).for_each(|byte| *byte = value);
        }
        4 => bytes.truncate(choices.below(bytes.len())),
        5 => overwrite(bytes, at, stretch(donor, choices)),
        6 => drop(bytes.splice(at..at, stretch(donor, choices).iter().copied())),
        7 => {
            let copied = stretch(bytes, choices).repeat(1 + choices.below(4));
            bytes.splice(at..at, copied);
        }
        8 => {
            let length = 1 + choices.below(MOST_STRETCH.min(bytes.len() - at));
            bytes.drain(at..at + length);
        }
        9 => number_as_text(bytes, at, choices),
        _ => size_field(bytes, at, choices),
    }
}

/// Anywhere, but more often near the start and the end, where the structure of files stands.
fn place(length: usize, choices: &mut Choices<'_>) -> usize {
    match choices.below(4) {
        0 => choices.below(length.min(128)),
        1 => length - 1 - choices.below(length.min(256)),
        _ => choices.below(length),
    }
}

fn stretch<'a>(bytes: &'a [u8], choices: &mut Choices<'_>) -> &'a [u8] {
    let start = choices.below(bytes.len());
    let most = if choices.one_in(4) { MOST_STRETCH } else { 32 };
    let length = choices.below(most.min(bytes.len() - start) + 1);
    &bytes[start..start + length]
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (byte, new) in bytes[at..].iter_mut().zip(with) {
        *byte = *new;
    }
}

/// A field of 16, 32 or 64 bits, or of 7 bits a byte, set to what sizes should not be.
fn size_field(bytes: &mut Vec<u8>, at: usize, choices: &mut Choices<'_>) {
    let width = choices.one_of(&[2, 4, 4, 8]);
    let at = if choices.one_in(2) { at / width * width } else { at };
    let length = bytes.len() as u64;
    let most = u64::MAX >> (64 - 8 * width);
    let values = [
        0,
        1,
        most,
        most >> 1,
        (most >> 1) + 1,
        most - 1,
        most >> 4,
        length,
        length + 1,
        length.wrapping_sub(1),
        length.wrapping_sub(at as u64),
        length / 2,
        1 << 20,
        choices.number(),
    ];
    let value = choices.one_of(&values) & most;
    match choices.below(4) {
        0 => overwrite(bytes, at, &value.to_be_bytes()[8 - width..]),
        // In place of the one that stands there, as far as it is one.
        1 => {
            let old = bytes[at..].iter().take(9).take_while(|byte| **byte >= 0x80).count() + 1;
            let end = (at + old).min(bytes.len());
            bytes.splice(at..end, seven_bits(value));
        }
        _ => overwrite(bytes, at, &value.to_le_bytes()[..width]),
    }
}

fn seven_bits(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The next number in digits, whatever follows its first digits.
fn number_as_text(bytes: &mut Vec<u8>, at: usize, choices: &mut Choices<'_>) {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let start = at + bytes[at..].iter().position(is_digit).unwrap_or(0);
    let end = start + bytes[start..].iter().take_while(|byte| is_digit(byte)).count();
    bytes.splice(start..end, choices.one_of(NUMBERS).bytes());
}
