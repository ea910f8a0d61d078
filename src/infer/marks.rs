//! Numbers as people write them: decimal commas, thousands set off, negatives of accountants.
//!
//! Takes digits with marks between: `1.234,5`, `1,234.5`, `12,34,567`, `1 234`, `1'234.50`,
//! `1.234,50-`, `(1,234)`. Which mark is which is the column's business; here it is only said what a
//! value could be. Refuses percents, currencies, leading zeros.

use super::class::{
    ACCOUNTING, BY_APOSTROPHES, BY_BLANKS, BY_MARKS, COMMA, Class, EITHER_MARK, GROUPINGS,
    LONG_FLOAT, MARKED, POINT_NUMBERS, SUSPECT, point_numbers,
};
use super::number::number_shape;

/// More groups, or more bytes, no number has.
const GROUPS: usize = 16;
const LONGEST: usize = 60;

/// Stands for the blanks at which no line is broken.
const NO_BREAK: u8 = 0xa0;

/// A number cut at its marks.
struct Pieces<'a> {
    body: &'a [u8],
    negative: bool,
    accounting: bool,
    /// Where each group of digits begins and ends.
    groups: [(u8, u8); GROUPS],
    /// The mark behind each group but the last.
    marks: [u8; GROUPS],
    count: usize,
    exponent: &'a [u8],
}

/// How a number reads with one decimal mark.
struct Reading {
    /// The groups before the decimal mark.
    wholes: usize,
    fraction: bool,
}

impl<'a> Pieces<'a> {
    fn of(text: &'a [u8]) -> Option<Self> {
        let (body, negative, accounting) = match text {
            [b'(', body @ .., b')'] => (body, true, true),
            [b'-', body @ ..] => (body, true, false),
            [body @ .., b'-'] => (body, true, true),
            body => (body, false, false),
        };
        if body.is_empty() || body.len() > LONGEST {
            return None;
        }
        let mut pieces = Pieces {
            body,
            negative,
            accounting,
            groups: [(0, 0); GROUPS],
            marks: [0; GROUPS],
            count: 0,
            exponent: &[],
        };
        let mut at = 0;
        loop {
            let start = at;
            at += body[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            pieces.groups[pieces.count] = (start as u8, at as u8);
            pieces.count += 1;
            let (mark, width) = match &body[at..] {
                [] => break,
                [mark @ (b',' | b'.' | b' ' | b'\''), ..] => (*mark, 1),
                [0xc2, 0xa0, ..] => (NO_BREAK, 2),
                [0xe2, 0x80, 0xaf, ..] => (NO_BREAK, 3),
                [0xe2, 0x80, 0x99, ..] => (b'\'', 3),
                [b'e' | b'E', exponent @ ..] if !exponent.is_empty() => {
                    pieces.exponent = exponent;
                    break;
                }
                _ => return None,
            };
            if pieces.count == GROUPS {
                return None;
            }
            pieces.marks[pieces.count - 1] = mark;
            at += width;
        }
        Some(pieces)
    }

    fn group(&self, index: usize) -> &'a [u8] {
        let (start, end) = self.groups[index];
        &self.body[usize::from(start)..usize::from(end)]
    }

    fn reading(&self, decimal: u8) -> Option<Reading> {
        let fraction = self.count >= 2 && self.marks[self.count - 2] == decimal;
        let wholes = self.count - usize::from(fraction);
        let first = self.group(0);
        if fraction {
            // Programs write `5.`; nobody writes `5,`.
            let empty = self.group(self.count - 1).is_empty();
            if empty && (decimal != b'.' || first.is_empty()) {
                return None;
            }
        } else if first.is_empty() {
            return None;
        }
        if first.len() > 1 && first[0] == b'0' {
            return None;
        }
        if wholes > 1 && !self.is_grouped(wholes, decimal, fraction) {
            return None;
        }
        Some(Reading { wholes, fraction })
    }

    /// Whether one mark, other than the decimal one, sets off all thousands.
    fn is_grouped(&self, wholes: usize, decimal: u8, fraction: bool) -> bool {
        let mark = plain_mark(self.marks[0]);
        let same = self.marks[..wholes - 1].iter().all(|other| plain_mark(*other) == mark);
        let first = self.group(0);
        if !same || mark == decimal || first.is_empty() || first[0] == b'0' {
            return false;
        }
        let length = |index: usize| self.group(index).len();
        // Four groups up to 255 are an address on a network.
        let byte = |index: usize| {
            self.group(index).iter().fold(0, |n, d| n * 10 + usize::from(d - b'0')) <= 255
        };
        if mark == b'.' && wholes == 4 && !fraction && (0..4).all(byte) {
            return false;
        }
        self.exponent.is_empty() && grouped(wholes, length, mark == b',')
    }

    /// As programs write it.
    fn write(&self, reading: &Reading, out: &mut Vec<u8>) {
        out.clear();
        if self.negative {
            out.push(b'-');
        }
        (0..reading.wholes).for_each(|index| out.extend_from_slice(self.group(index)));
        if reading.fraction {
            out.push(b'.');
            out.extend_from_slice(self.group(self.count - 1));
        }
        if !self.exponent.is_empty() {
            out.push(b'e');
            out.extend_from_slice(self.exponent);
        }
    }
}

fn plain_mark(mark: u8) -> u8 {
    if mark == NO_BREAK { b' ' } else { mark }
}

/// Whether groups of these lengths are thousands: three digits each, or, with commas, the Indian
/// way, three and then always two.
pub(super) fn grouped(count: usize, length: impl Fn(usize) -> usize, indian: bool) -> bool {
    let threes = (1..=3).contains(&length(0)) && (1..count).all(|index| length(index) == 3);
    let twos = || {
        (1..=2).contains(&length(0))
            && length(count - 1) == 3
            && (1..count - 1).all(|index| length(index) == 2)
    };
    threes || indian && count >= 3 && twos()
}

/// The class of a number with marks.
pub(super) fn class(text: &[u8], buffer: &mut Vec<u8>) -> Class {
    let Some(pieces) = Pieces::of(text) else { return 0 };
    // SAP's minus stands behind decimals; `5-` alone may be anything.
    let minus_behind = pieces.accounting && text[0] != b'(';
    let mut class = 0;
    let mut readings = 0;
    for (decimal, shift) in [(b'.', 0), (b',', COMMA)] {
        let Some(reading) = pieces.reading(decimal) else { continue };
        if minus_behind && !reading.fraction {
            continue;
        }
        pieces.write(&reading, buffer);
        let Some(shape) = number_shape(buffer) else { continue };
        let numbers = point_numbers(shape);
        let grouping = match (reading.wholes, plain_mark(pieces.marks[0])) {
            (1, _) => GROUPINGS,
            (_, b' ') => BY_BLANKS,
            (_, b'\'') => BY_APOSTROPHES,
            _ => BY_MARKS,
        };
        class |= (numbers & POINT_NUMBERS | grouping) << shift | numbers & LONG_FLOAT;
        readings += 1;
    }
    if readings == 0 {
        return 0;
    }
    let mark = pieces.marks[0];
    if readings == 2 && pieces.count == 2 && matches!(mark, b',' | b'.') {
        class |= EITHER_MARK;
    }
    if pieces.accounting {
        class |= ACCOUNTING;
    }
    let whole = pieces.count > 1 && pieces.marks[..pieces.count - 1].iter().all(|m| *m == mark);
    if whole && !pieces.negative && matches!(mark, b' ' | b'.') && pieces.group(0).len() == 3 {
        class |= SUSPECT;
    }
    class | MARKED
}

/// The number as programs write it, if the decimal mark is this one.
pub(super) fn to_plain<'b>(
    text: &'b [u8],
    decimal: u8,
    buffer: &'b mut Vec<u8>,
) -> Option<&'b [u8]> {
    let Some(pieces) = Pieces::of(text) else {
        // Infinity has no marks.
        return number_shape(text).map(|_| text);
    };
    pieces.write(&pieces.reading(decimal)?, buffer);
    Some(buffer)
}
