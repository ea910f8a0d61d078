//! What one value could be: a set of readings, one bit each.
//!
//! A column's type is what the sets of all its values have in common, so every bit up to
//! [`TYPE_BITS`] is a reading; what is above says something about the value that `Seen` adds up.

use super::marks;
use super::number::{NumberShape, number_shape};
use super::rules::{ColumnRules, Dates};
use super::temporal;

/// The readings of one value, or what the readings of several have in common.
pub type Class = u64;

/// `true`, `false` and what the options add.
pub const BOOL: Class = 1;
/// A whole number as programs write it, of this size.
pub const INT64: Class = 1 << 1;
/// The same, from 0 on.
pub const UINT64: Class = 1 << 2;
/// The same, of at most 38 digits.
pub const DECIMAL: Class = 1 << 3;
/// A number as programs write it that a float keeps.
pub const FLOAT: Class = 1 << 4;
/// A time of day.
pub const TIME: Class = 1 << 5;
const DATE_MONTH_FIRST: Class = 1 << 6;
const STAMP_MONTH_FIRST: Class = 1 << 7;
const ZONED_MONTH_FIRST: Class = 1 << 8;
/// What holds if the month stands before the day.
pub const MONTH_FIRST: Class = DATE_MONTH_FIRST | STAMP_MONTH_FIRST | ZONED_MONTH_FIRST;
/// What holds if the day stands before the month.
pub const DAY_FIRST: Class = MONTH_FIRST << 3;
/// A day, in both orders: what an ISO date is, together with [`STAMP`].
pub const DATE: Class = DATE_MONTH_FIRST | DATE_MONTH_FIRST << 3;
/// A day and a time without a zone.
pub const STAMP: Class = STAMP_MONTH_FIRST | STAMP_MONTH_FIRST << 3;
/// A day and a time with a zone.
pub const ZONED: Class = ZONED_MONTH_FIRST | ZONED_MONTH_FIRST << 3;

/// Numbers with a decimal point whose thousands are set off by commas: `1,234.5`.
pub(super) const BY_MARKS: Class = 1 << 12;
/// The same by blanks.
pub(super) const BY_BLANKS: Class = 1 << 13;
/// The same by apostrophes.
pub(super) const BY_APOSTROPHES: Class = 1 << 14;
/// Any of them, or none.
pub(super) const GROUPINGS: Class = BY_MARKS | BY_BLANKS | BY_APOSTROPHES;
/// A whole number, if the decimal mark is a point.
pub(super) const POINT_INT64: Class = 1 << 15;
/// The same of at most 38 digits.
pub(super) const POINT_DECIMAL: Class = 1 << 16;
/// A number that a float keeps, if the decimal mark is a point.
pub(super) const POINT_FLOAT: Class = 1 << 17;
pub(super) const POINT_NUMBERS: Class = POINT_INT64 | POINT_DECIMAL | POINT_FLOAT;
/// All of this again for the decimal comma, where `BY_MARKS` means points.
pub(super) const COMMA: u32 = 6;

/// So many bits are readings.
pub const TYPE_BITS: usize = 24;
/// All readings.
pub const TYPES: Class = (1 << TYPE_BITS) - 1;

/// A date whose year has two digits.
pub const SHORT_YEAR: Class = 1 << 24;
/// A whole number grouped as telephone numbers and postal codes are too.
pub(super) const SUSPECT: Class = 1 << 25;
/// A negative number in parentheses or with its minus behind.
pub(super) const ACCOUNTING: Class = 1 << 26;
/// What is worth knowing of all values together.
pub(super) const COMMON: Class = TYPES | SHORT_YEAR | SUSPECT | ACCOUNTING;

/// A time finer than microseconds.
pub const FINE_TIME: Class = 1 << 27;
/// A year that nanoseconds do not reach.
pub const FAR_TIME: Class = 1 << 28;
/// More than 17 significant digits.
pub const LONG_FLOAT: Class = 1 << 29;
/// Digits that are no number, as with leading zeros.
pub const DIGITS: Class = 1 << 30;
/// Day and month could be either, and differ.
pub(super) const EITHER_ORDER: Class = 1 << 31;
/// The mark could set off thousands or decimals.
pub(super) const EITHER_MARK: Class = 1 << 32;
/// A number, but not as programs write it.
pub(super) const MARKED: Class = 1 << 33;

// Layouts that came up, to be able to say so.
pub(super) const YEAR_SLASH: Class = 1 << 34;
pub(super) const YEAR_POINT: Class = 1 << 35;
pub(super) const SLASH: Class = 1 << 36;
pub(super) const DASH: Class = 1 << 37;
pub(super) const POINT: Class = 1 << 38;
pub(super) const NAME_BLANK: Class = 1 << 39;
pub(super) const NAME_DASH: Class = 1 << 40;
pub(super) const NAME_SLASH: Class = 1 << 41;
pub(super) const NAME_FIRST: Class = 1 << 42;
pub(super) const BASIC: Class = 1 << 43;
pub(super) const LONG_NAME: Class = 1 << 44;
pub(super) const WEEKDAY: Class = 1 << 45;
pub(super) const MINUTES: Class = 1 << 46;
pub(super) const SECONDS: Class = 1 << 47;
pub(super) const HALF_DAYS: Class = 1 << 48;

const BOTH_MARKS: Class = 1 | 1 << COMMA;
/// A whole number from 0 on, of at most 15 digits, without leading zeros.
pub const WHOLE: Class =
    INT64 | UINT64 | DECIMAL | FLOAT | ((GROUPINGS | POINT_NUMBERS) * BOTH_MARKS);
/// The same with a minus, but not `-0`.
pub const NEGATIVE: Class = WHOLE & !UINT64;
/// Digits, a point, digits, together at most 17; but see [`GROUP_LIKE`].
pub const FRACTION: Class = FLOAT | GROUPINGS | POINT_FLOAT;
/// Goes with [`FRACTION`] where one to three digits, the first no zero, stand before the point and
/// three behind it: where the column has decimal commas, the point sets off thousands.
pub const GROUP_LIKE: Class = (BY_MARKS | POINT_NUMBERS) << COMMA | EITHER_MARK;

/// The class of one value that is not null. `buffer` is only room to work in.
pub fn class(text: &[u8], rules: &ColumnRules, buffer: &mut Vec<u8>) -> Class {
    let text = text.trim_ascii();
    let Some(&first) = text.first() else { return 0 };
    let digit = first.is_ascii_digit();
    if digit || matches!(first, b'-' | b'.' | b'i' | b'I') || rules.has_marks() {
        let number = rules.plain_number(text, buffer).and_then(plain_class);
        if let Some(number) = number {
            // `20260131` is a number unless the caller says that the column holds dates.
            return match rules.dates {
                Dates::Any { .. } => number | dates(text, rules),
                _ => number,
            };
        }
    }
    if rules.boolean(text).is_some() {
        return BOOL;
    }
    if rules.dates != Dates::Never && (digit || names_a_day(text)) {
        let class = dates(text, rules);
        if class != 0 {
            return class;
        }
    }
    if rules.finds_marks() && (digit || matches!(first, b'-' | b'(' | b',' | b'.')) {
        let class = marks::class(text, buffer);
        if class != 0 {
            return class;
        }
    }
    if digit && text.iter().all(u8::is_ascii_digit) { DIGITS } else { 0 }
}

/// Whether a text that begins with a letter ends as dates and times do; few words do.
fn names_a_day(text: &[u8]) -> bool {
    let ends = matches!(text, [.., b'0'..=b'9' | b'M' | b'm' | b'Z' | b'z' | b'C' | b'T']);
    ends && text[0].is_ascii_alphabetic()
}

fn dates(text: &[u8], rules: &ColumnRules) -> Class {
    let digits_alone = matches!(rules.dates, Dates::Any { .. });
    temporal::parse(text, digits_alone)
        .filter(|moment| rules.dates != Dates::Iso || moment.is_iso)
        .map_or(0, |moment| moment.class())
}

/// The readings of a number with a decimal point, by its shape.
pub(super) fn point_numbers(shape: NumberShape) -> Class {
    let bit = |is: bool, bit: Class| if is { bit } else { 0 };
    bit(shape.int64, POINT_INT64)
        | bit(shape.decimal, POINT_DECIMAL)
        | bit(shape.float, POINT_FLOAT)
        | bit(shape.long_float, LONG_FLOAT)
}

/// The class of a number as programs write it; `None` where the text is no such number.
pub fn plain_class(text: &[u8]) -> Option<Class> {
    // Most numbers are short and whole.
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let leads = digits.first().is_some_and(|byte| matches!(byte, b'1'..=b'9'));
    if leads && digits.len() <= 15 && digits.iter().all(u8::is_ascii_digit) {
        return Some(if digits.len() == text.len() { WHOLE } else { NEGATIVE });
    }
    let shape = number_shape(text)?;
    let bit = |is: bool, bit: Class| if is { bit } else { 0 };
    let numbers = point_numbers(shape);
    let long = numbers & LONG_FLOAT;
    let Some(point) = memchr::memchr(b'.', digits) else {
        let plain = bit(shape.int64, INT64)
            | bit(shape.uint64, UINT64)
            | bit(shape.decimal, DECIMAL)
            | bit(shape.float, FLOAT);
        return Some(plain | long | ((numbers & POINT_NUMBERS | GROUPINGS) * BOTH_MARKS));
    };
    let (whole, fraction) = (&digits[..point], &digits[point + 1..]);
    let group_like = (1..=3).contains(&whole.len())
        && whole[0] != b'0'
        && fraction.len() == 3
        && fraction.iter().all(u8::is_ascii_digit);
    // A number that no float holds is still none with other marks.
    Some(bit(shape.float, FRACTION) | GROUPINGS | long | bit(group_like, GROUP_LIKE))
}
