//! Times of day and zones at the end of dates, and the pieces that dates are made of: digits, names.

use super::class::{FINE_TIME, HALF_DAYS, MINUTES, SECONDS};
use super::temporal::Moment;

/// Nanoseconds in a minute.
const MINUTE: i64 = 60_000_000_000;

impl Moment {
    /// The time at the start of the text; gives what follows it.
    pub(super) fn clock<'t>(&mut self, text: &'t [u8], basic: bool) -> Option<&'t [u8]> {
        let compact = basic && text.get(2) != Some(&b':');
        let (hour, rest, length) = digits(text, 2)?;
        self.is_iso &= length == 2;
        let colon = |text: &'t [u8]| if compact { Some(text) } else { text.strip_prefix(b":") };
        let (minute, mut rest, 2) = digits(colon(rest)?, 2)? else { return None };
        let (mut second, mut nanos) = (0, 0);
        self.traits |= MINUTES;
        let more = colon(rest).filter(|rest| rest.first().is_some_and(u8::is_ascii_digit));
        if let Some(more) = more {
            let (number, after, 2) = digits(more, 2)? else { return None };
            (second, rest) = (number, after);
            self.traits |= SECONDS;
            if let [b'.' | b',', fraction @ ..] = rest {
                let (number, after, count) = digits(fraction, 9)?;
                if after.first().is_some_and(u8::is_ascii_digit) {
                    return None;
                }
                nanos = number * 10u32.pow(9 - count as u32);
                rest = after;
            }
        }
        let half = match rest.strip_prefix(b" ").unwrap_or(rest) {
            [b'a' | b'A', b'm' | b'M', after @ ..] => Some((0, after)),
            [b'p' | b'P', b'm' | b'M', after @ ..] => Some((12, after)),
            _ => None,
        };
        let hour = match half {
            Some((noon, after)) if (1..=12).contains(&hour) => {
                self.traits |= HALF_DAYS;
                self.is_iso = false;
                rest = after;
                hour % 12 + noon
            }
            Some(_) => return None,
            None => hour,
        };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        if !nanos.is_multiple_of(1000) {
            self.traits |= FINE_TIME;
        }
        let seconds = i64::from(hour * 3600 + minute * 60 + second);
        self.time = Some(seconds * 1_000_000_000 + i64::from(nanos));
        Some(rest)
    }

    /// Nanoseconds east of UTC; `Some(None)` where there is no zone.
    pub(super) fn zone(&mut self, text: &[u8]) -> Option<Option<i64>> {
        let text = match text {
            [b' ', rest @ ..] => {
                self.is_iso = false;
                rest
            }
            text => text,
        };
        let (sign, digits_of) = match text {
            [] => return Some(None),
            [b'Z' | b'z'] => return Some(Some(0)),
            b"UTC" | b"GMT" => {
                self.is_iso = false;
                return Some(Some(0));
            }
            [b'+', rest @ ..] => (1, rest),
            [b'-', rest @ ..] => (-1, rest),
            _ => return None,
        };
        let (hours, rest, 2) = digits(digits_of, 2)? else { return None };
        let minutes = match rest {
            [] => 0,
            rest => match digits(rest.strip_prefix(b":").unwrap_or(rest), 2)? {
                (minutes, [], 2) => minutes,
                _ => return None,
            },
        };
        let fits = hours < 24 && minutes < 60;
        fits.then(|| Some(sign * i64::from(hours * 60 + minutes) * MINUTE))
    }
}

/// At most `most` digits at the start, one at least: their number, what follows, how many.
pub(super) fn digits(text: &[u8], most: usize) -> Option<(u32, &[u8], usize)> {
    let mut value = 0;
    let mut length = 0;
    while length < most
        && let Some(digit) = text.get(length).map(|byte| byte.wrapping_sub(b'0'))
        && digit < 10
    {
        value = value * 10 + u32::from(digit);
        length += 1;
    }
    (length > 0).then(|| (value, &text[length..], length))
}

/// Letters at the start, and what follows.
pub(super) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count())
}

pub(super) const MONTHS: &[&[u8]] = &[
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];
pub(super) const WEEKDAYS: &[&[u8]] =
    &[b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];

/// The position of a name, written out or cut to three letters, and whether it is written out.
pub(super) fn named(name: &[u8], names: &[&[u8]]) -> Option<(u32, bool)> {
    if name.len() < 3 || name.len() > 9 {
        return None;
    }
    let index = names.iter().position(|known| known[..3].eq_ignore_ascii_case(&name[..3]))?;
    let known = names[index];
    let long = known.eq_ignore_ascii_case(name);
    let cut = name.len() == 3 || name.eq_ignore_ascii_case(b"sept");
    (long || cut).then_some((index as u32, long && !cut))
}
