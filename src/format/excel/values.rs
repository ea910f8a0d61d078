//! What a cell's bits mean: numbers, days, times, texts; and how Excel would show them.

use std::fmt::Write;

use chrono::{NaiveDate, NaiveDateTime};

use super::sheet::{Cell, Sheet, Tag};

const DAY_MILLIS: i64 = 86_400_000;
const DAY_MICROS: i64 = DAY_MILLIS * 1000;
/// Days from 1899-12-30 to 1970-01-01, and from there to 1904-01-01.
const TO_1970: i64 = 25_569;
const TO_1904: i64 = 1_462;
/// The day behind 9999-12-31, the last that Excel shows.
const END_OF_DAYS: i64 = 2_958_466;
/// Days of a year.
const YEAR: f64 = 366.0;
/// Up to 2⁵³ a float holds whole numbers exactly.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Whole(i64),
    Float(f64),
    Bool(bool),
    /// Days since 1970.
    Day(i32),
    /// Microseconds since 1970.
    Stamp(i64),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds.
    Duration(i64),
    Text,
    Error,
    /// A number that is shown as a date, but of no day there is.
    NoDate(f64),
}

/// The value of a cell.
#[inline]
pub(super) fn value(cell: Cell, sheet: &Sheet) -> Value {
    let serial = f64::from_bits(cell.bits);
    match cell.tag {
        Tag::Number => number(serial),
        Tag::Whole => Value::Whole(cell.bits.cast_signed()),
        Tag::Bool => Value::Bool(cell.bits != 0),
        Tag::Shared | Tag::Own => Value::Text,
        Tag::Error => Value::Error,
        Tag::Date | Tag::Stamp | Tag::Time | Tag::Moment | Tag::Duration => {
            temporal(cell.tag, serial, sheet.from_1904)
        }
        Tag::Iso => iso(sheet.own.get(cell.bits)).unwrap_or(Value::Text),
    }
}

fn number(number: f64) -> Value {
    let is_whole = number.fract() == 0.0 && number.abs() <= WHOLE;
    if is_whole && !(number == 0.0 && number.is_sign_negative()) {
        Value::Whole(number as i64)
    } else {
        Value::Float(number)
    }
}

/// A number of days as its format shows it, rounded to milliseconds as Excel does.
fn temporal(tag: Tag, serial: f64, from_1904: bool) -> Value {
    let millis = (serial * DAY_MILLIS as f64).round();
    if millis.is_nan() || millis.abs() >= i64::MAX as f64 / 1000.0 {
        return Value::NoDate(serial);
    }
    let millis = millis as i64;
    let within_day = (0..DAY_MILLIS).contains(&millis);
    match tag {
        Tag::Duration => return Value::Duration(millis * 1000),
        // What rounds up to midnight is still of its day.
        Tag::Time if (0.0..1.0).contains(&serial) => {
            return Value::Time(millis.min(DAY_MILLIS - 1) * 1000);
        }
        // Hours counted beyond a day; nobody shows the clock alone of days so long ago.
        Tag::Time if (1.0..YEAR).contains(&serial) => return Value::Duration(millis * 1000),
        Tag::Moment if within_day && !from_1904 => return Value::Time(millis * 1000),
        _ => {}
    }
    let Some(since_1970) = since_1970(millis, from_1904) else { return Value::NoDate(serial) };
    match since_1970 % DAY_MILLIS == 0 && matches!(tag, Tag::Date | Tag::Moment) {
        true => Value::Day((since_1970 / DAY_MILLIS) as i32),
        false => Value::Stamp(since_1970 * 1000),
    }
}

/// Milliseconds since 1970 of milliseconds since the workbook's epoch. Excel believes that 1900 had a
/// 29 February: its day 60 is none, and those before are one later than its count says.
fn since_1970(millis: i64, from_1904: bool) -> Option<i64> {
    let day = millis.div_euclid(DAY_MILLIS);
    let shift = match (from_1904, day) {
        (true, 0..) if day + TO_1904 < END_OF_DAYS => TO_1904,
        (false, 1..=59) => 1,
        (false, 61..END_OF_DAYS) => 0,
        _ => return None,
    };
    Some(millis + (shift - TO_1970) * DAY_MILLIS)
}

/// An ISO 8601 date, date with time, time of day or duration.
fn iso(text: &str) -> Option<Value> {
    let micros = |stamp: NaiveDateTime| {
        // Half a microsecond is rounded up, not cut off.
        let stamp = stamp.checked_add_signed(chrono::TimeDelta::nanoseconds(500)).unwrap_or(stamp);
        stamp.and_utc().timestamp_micros()
    };
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let days = day.signed_duration_since(NaiveDate::default()).num_days();
        return Some(Value::Day(days as i32));
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let stamp = formats.iter().find_map(|f| NaiveDateTime::parse_from_str(text, f).ok());
    if let Some(stamp) = stamp {
        return Some(Value::Stamp(micros(stamp)));
    }
    if let Ok(time) = chrono::NaiveTime::parse_from_str(text, "%H:%M:%S%.f") {
        // A leap second, and what rounds up to midnight, is still of its day.
        let micros = micros(NaiveDate::default().and_time(time));
        return Some(Value::Time(micros.min(DAY_MICROS - 1)));
    }
    let micros = iso_duration(text)?;
    Some(match (0..DAY_MICROS).contains(&micros) {
        true => Value::Time(micros),
        false => Value::Duration(micros),
    })
}

/// `PT26H03M00.5S` in microseconds.
fn iso_duration(text: &str) -> Option<i64> {
    let (sign, rest) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let mut seconds = 0.0;
    let mut number = String::new();
    let mut in_time = false;
    for character in rest.strip_prefix('P')?.chars() {
        match character {
            '0'..='9' | '.' => number.push(character),
            ',' => number.push('.'),
            'T' if number.is_empty() => in_time = true,
            unit => {
                let size = match (unit, in_time) {
                    ('D', false) => 86_400.0,
                    ('H', true) => 3_600.0,
                    ('M', true) => 60.0,
                    ('S', true) => 1.0,
                    _ => return None,
                };
                seconds += std::mem::take(&mut number).parse::<f64>().ok()? * size;
            }
        }
    }
    let micros = (sign * seconds * 1e6).round();
    (number.is_empty() && micros.abs() < i64::MAX as f64).then_some(micros as i64)
}

/// The texts of cells, as Excel shows values without a format: whole numbers without a point, days
/// in ISO form.
pub(super) fn write_text(cell: Cell, sheet: &Sheet, out: &mut String) {
    match value(cell, sheet) {
        Value::Text | Value::Error => out.push_str(sheet.text(cell).unwrap_or_default()),
        Value::Bool(flag) => out.push_str(if flag { "TRUE" } else { "FALSE" }),
        Value::Whole(number) => write_to(out, format_args!("{number}")),
        Value::Float(number) | Value::NoDate(number) => write_number(number, out),
        Value::Day(days) => {
            let day = NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(days.into()));
            write_to(out, format_args!("{}", day.unwrap_or_default()));
        }
        Value::Stamp(micros) => {
            let stamp = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
            write_to(out, format_args!("{}", stamp.naive_utc()));
        }
        Value::Time(micros) | Value::Duration(micros) => write_clock(micros, out),
    }
}

/// The text of one cell.
pub(super) fn text_of(cell: Cell, sheet: &Sheet) -> String {
    let mut text = String::new();
    write_text(cell, sheet, &mut text);
    text
}

fn write_to(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(arguments);
}

fn write_number(number: f64, out: &mut String) {
    let size = number.abs();
    if number == 0.0 {
        out.push('0');
    } else if number.is_finite() && !(1e-9..1e21).contains(&size) {
        let text = format!("{number:E}");
        out.push_str(&if text.contains("E-") { text } else { text.replace('E', "E+") });
    } else {
        write_to(out, format_args!("{number}"));
    }
}

fn write_clock(micros: i64, out: &mut String) {
    let (sign, micros) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    write_to(out, format_args!("{sign}{hours:02}:{minutes:02}:{seconds:02}"));
    if fraction % 1000 != 0 {
        write_to(out, format_args!(".{fraction:06}"));
    } else if fraction != 0 {
        write_to(out, format_args!(".{:03}", fraction / 1000));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tag: Tag, serial: f64, from_1904: bool) -> Value {
        let sheet = Sheet { from_1904, ..Sheet::default() };
        value(Cell { row: 0, tag, bits: serial.to_bits() }, &sheet)
    }

    #[test]
    fn days_as_excel_counts_them() {
        let day = |year, month, day| {
            let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            Value::Day(date.signed_duration_since(NaiveDate::default()).num_days() as i32)
        };
        assert_eq!(of(Tag::Date, 1.0, false), day(1900, 1, 1));
        assert_eq!(of(Tag::Date, 59.0, false), day(1900, 2, 28));
        assert_eq!(of(Tag::Date, 60.0, false), Value::NoDate(60.0));
        assert_eq!(of(Tag::Date, 61.0, false), day(1900, 3, 1));
        assert_eq!(of(Tag::Date, 2_958_465.0, false), day(9999, 12, 31));
        assert_eq!(of(Tag::Date, 0.0, true), day(1904, 1, 1));
        assert_eq!(of(Tag::Date, 44_620.0, true), day(2026, 3, 1));
        for none in [-1.0, 0.0, 0.5, 2_958_466.0, 1e300, f64::NAN] {
            assert!(matches!(of(Tag::Date, none, false), Value::NoDate(_)), "{none}");
        }
        // What rounds up to midnight is the next day.
        assert_eq!(of(Tag::Date, 61.999_999_999_9, false), day(1900, 3, 2));
        assert_eq!(of(Tag::Stamp, 25_569.0, false), Value::Stamp(0));
        assert_eq!(of(Tag::Date, 25_569.5, false), Value::Stamp(DAY_MICROS / 2));
    }

    #[test]
    fn times_and_durations() {
        assert_eq!(of(Tag::Time, 0.5, false), Value::Time(DAY_MICROS / 2));
        assert_eq!(of(Tag::Time, 25_570.0, false), Value::Stamp(DAY_MICROS));
        assert_eq!(of(Tag::Time, 1.25, false), Value::Duration(DAY_MICROS * 5 / 4));
        assert_eq!(of(Tag::Time, 0.999_999_999_9, false), Value::Time(DAY_MICROS - 1000));
        assert_eq!(of(Tag::Moment, 0.25, false), Value::Time(DAY_MICROS / 4));
        assert_eq!(of(Tag::Duration, -1.5, false), Value::Duration(-DAY_MICROS * 3 / 2));
        assert_eq!(iso("PT26H03M00S"), Some(Value::Duration(93_780_000_000)));
        assert_eq!(iso("PT14H05M00.5S"), Some(Value::Time(50_700_500_000)));
        assert_eq!(iso("2026-03-01"), Some(Value::Day(20_513)));
        assert_eq!(iso("2026-03-01T08:30:15"), Some(Value::Stamp(1_772_353_815_000_000)));
        assert_eq!(iso("P1Y"), None);
        for late in ["23:59:60", "23:59:59.9999999"] {
            assert_eq!(iso(late), Some(Value::Time(DAY_MICROS - 1)), "{late}");
        }
    }

    #[test]
    fn numbers_as_text() {
        for (number, text) in [
            (1.0, "1"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (1e20, "100000000000000000000"),
            (1e300, "1E+300"),
            (1.5e-12, "1.5E-12"),
        ] {
            let mut out = String::new();
            write_number(number, &mut out);
            assert_eq!(out, text);
        }
    }
}
