//! Dates and times in text, in the usual layouts.
//!
//! Takes ISO 8601 with its basic form, numbers in any order between `/`, `-` or `.`, English names
//! of months and weekdays, times of 24 or twice 12 hours, offsets. Days and months that could be
//! either stay undecided here: the column decides. Refuses eight digits alone, years of two digits in
//! first place, days that are in no calendar.

use chrono::{Datelike, NaiveDate};

use super::class::{
    BASIC, Class, DASH, DATE, DAY_FIRST, EITHER_ORDER, FAR_TIME, HALF_DAYS, LONG_NAME, MONTH_FIRST,
    NAME_BLANK, NAME_DASH, NAME_FIRST, NAME_SLASH, POINT, SECONDS, SHORT_YEAR, SLASH, STAMP, TIME,
    WEEKDAY, YEAR_POINT, YEAR_SLASH, ZONED,
};
use super::clock::{MONTHS, WEEKDAYS, digits, named, word};

/// A day as its text has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    year: i32,
    /// The month, or the first of two numbers that could be it.
    first: u32,
    /// The day of the month, or the second of two numbers.
    second: u32,
    either: bool,
    weekday: Option<u32>,
}

/// A point in time as its text has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    day: Option<Day>,
    /// Nanoseconds of the day.
    pub time: Option<i64>,
    /// Nanoseconds east of UTC.
    pub offset: Option<i64>,
    /// ISO 8601 to the letter.
    pub is_iso: bool,
    pub(super) traits: Class,
}

impl Day {
    fn date(&self, day_first: bool) -> Option<NaiveDate> {
        let swap = self.either && day_first;
        let (month, day) = if swap { (self.second, self.first) } else { (self.first, self.second) };
        let date = NaiveDate::from_ymd_opt(self.year, month, day)?;
        let fits = |weekday: u32| date.weekday().num_days_from_monday() == weekday;
        self.weekday.is_none_or(fits).then_some(date)
    }
}

impl Moment {
    /// Days since 1970; `None` for a time alone and where the order makes it no day.
    pub fn days(&self, day_first: bool) -> Option<i32> {
        const EPOCH: i32 = 719_163;
        Some(self.day?.date(day_first)?.num_days_from_ce() - EPOCH)
    }

    /// Whether there is a day.
    pub fn is_dated(&self) -> bool {
        self.day.is_some()
    }

    /// What the text could be.
    pub fn class(&self) -> Class {
        let Some(day) = self.day else { return TIME | self.traits };
        let orders = if day.date(false).is_some() { MONTH_FIRST } else { 0 }
            | if day.date(true).is_some() { DAY_FIRST } else { 0 };
        let kind = match (self.time, self.offset) {
            (None, _) => DATE | STAMP,
            (Some(_), None) => STAMP,
            (Some(_), Some(_)) => ZONED,
        };
        if orders == 0 {
            return 0;
        }
        let open = day.either && orders == MONTH_FIRST | DAY_FIRST && day.first != day.second;
        let far = !(1678..=2261).contains(&day.year);
        kind & orders
            | self.traits
            | if open { EITHER_ORDER } else { 0 }
            | if far { FAR_TIME } else { 0 }
    }

    /// The three numbers of a date whose year has two digits; `None` where the month is in words:
    /// nobody writes the year first there.
    pub fn places(&self) -> Option<(u32, u32, u32)> {
        let day = self.day.filter(|day| day.either)?;
        Some((day.first, day.second, day.year.rem_euclid(100) as u32))
    }
}

/// Reads the text; `digits_alone` says that `20260131` is a date.
pub(super) fn parse(text: &[u8], digits_alone: bool) -> Option<Moment> {
    if text.len() < 5 || text.len() > 60 {
        return None;
    }
    let mut moment = Moment { day: None, time: None, offset: None, is_iso: true, traits: 0 };
    let rest = if text[0].is_ascii_digit() {
        if matches!(text, [_, b':', ..] | [_, _, b':', ..]) {
            return moment.time_alone(text);
        }
        moment.numeric(text)?
    } else {
        moment.is_iso = false;
        moment.named(text)?
    };
    let basic = moment.traits & BASIC != 0;
    let time = match rest {
        [] => return (!basic || digits_alone).then_some(moment),
        [b'T' | b't', rest @ ..] => rest,
        [b' ', rest @ ..] if !basic => rest,
        [b',', b' ', rest @ ..] if !basic => {
            moment.is_iso = false;
            rest
        }
        _ => return None,
    };
    let zone = moment.clock(time, basic)?;
    moment.offset = moment.zone(zone)?;
    Some(moment)
}

impl Moment {
    fn time_alone(mut self, text: &[u8]) -> Option<Self> {
        let rest = self.clock(text, false)?;
        // `4:35` alone may be minutes and seconds.
        let clear = text[1] != b':' || self.traits & (SECONDS | HALF_DAYS) != 0;
        self.is_iso &= self.traits & SECONDS != 0;
        (clear && rest.is_empty()).then_some(self)
    }

    /// A date that begins with a digit; gives what follows it.
    fn numeric<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let (first, rest, length) = digits(text, 8)?;
        let (separator, after) = rest.split_first().unwrap_or((&b'T', &[]));
        match (length, separator) {
            (4, b'-' | b'/' | b'.') => {
                let (month, rest, wide) = digits(after, 2)?;
                let (day, rest, wider) = digits(rest.strip_prefix(&[*separator])?, 2)?;
                self.is_iso = *separator == b'-' && wide == 2 && wider == 2;
                self.traits |= match separator {
                    b'/' => YEAR_SLASH,
                    b'.' => YEAR_POINT,
                    _ => 0,
                };
                if !self.is_iso && first < 1000 {
                    return None;
                }
                self.day = Some(Day::fixed(first as i32, month, day));
                Some(rest)
            }
            (8, _) => {
                self.is_iso = false;
                self.traits |= BASIC;
                if first < 10_000_000 {
                    return None;
                }
                let (year, month, day) = (first / 10_000, first / 100 % 100, first % 100);
                self.day = Some(Day::fixed(year as i32, month, day));
                Some(rest)
            }
            (1 | 2, b'/' | b'-' | b'.' | b' ') => {
                self.is_iso = false;
                match after.first()? {
                    byte if byte.is_ascii_alphabetic() => self.month_second(first, rest),
                    _ if *separator != b' ' => self.two_numbers(first, length, rest),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `/01/2026` after the first number.
    fn two_numbers<'t>(
        &mut self,
        first: u32,
        first_length: usize,
        text: &'t [u8],
    ) -> Option<&'t [u8]> {
        let separator = text[0];
        let (second, rest, length) = digits(&text[1..], 2)?;
        let rest = rest.strip_prefix(&[separator])?;
        let (year, rest) = self.year(rest)?;
        // `1-2-26` and `1.2.26` may be any code or version.
        let loose = separator == b'/' || first_length == 2 && length == 2;
        if self.traits & SHORT_YEAR != 0 && !loose {
            return None;
        }
        self.traits |= match separator {
            b'/' => SLASH,
            b'-' => DASH,
            _ => POINT,
        };
        self.day = Some(Day { year, first, second, either: true, weekday: None });
        Some(rest)
    }

    /// ` January 2026`, `-Jan-26` after the day.
    fn month_second<'t>(&mut self, day: u32, text: &'t [u8]) -> Option<&'t [u8]> {
        let separator = text[0];
        let (month, rest) = self.month(&text[1..])?;
        let rest = match rest {
            [b',', b' ', rest @ ..] if separator == b' ' => rest,
            rest => rest.strip_prefix(&[separator])?,
        };
        let (year, rest) = self.year(rest)?;
        self.traits |= match separator {
            b' ' => NAME_BLANK,
            b'-' => NAME_DASH,
            b'/' => NAME_SLASH,
            _ => return None,
        };
        self.day = Some(Day::fixed(year, month, day));
        Some(rest)
    }

    /// A date that begins with the name of a month or a weekday.
    fn named<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let (name, rest) = word(text);
        let weekday = named(name, WEEKDAYS);
        if let Some((weekday, _)) = weekday {
            let rest = rest.strip_prefix(b",").unwrap_or(rest).strip_prefix(b" ")?;
            let rest = match rest.first()? {
                byte if byte.is_ascii_digit() => self.numeric(rest)?,
                _ => self.month_first(rest)?,
            };
            self.is_iso = false;
            self.traits |= WEEKDAY;
            self.day = self.day.map(|day| Day { weekday: Some(weekday), ..day });
            return Some(rest);
        }
        self.month_first(text)
    }

    /// `Jan 31, 2026`.
    fn month_first<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let (month, rest) = self.month(text)?;
        let (day, rest, _) = digits(rest.strip_prefix(b" ")?, 2)?;
        let rest = rest.strip_prefix(b",").unwrap_or(rest).strip_prefix(b" ")?;
        let (year, rest, length) = digits(rest, 4)?;
        if length != 4 || year < 1000 {
            return None;
        }
        self.traits |= NAME_FIRST;
        self.day = Some(Day::fixed(year as i32, month, day));
        Some(rest)
    }

    fn month<'t>(&mut self, text: &'t [u8]) -> Option<(u32, &'t [u8])> {
        let (name, rest) = word(text);
        let (month, long) = named(name, MONTHS)?;
        if long {
            self.traits |= LONG_NAME;
            return Some((month + 1, rest));
        }
        Some((month + 1, rest.strip_prefix(b".").unwrap_or(rest)))
    }

    fn year<'t>(&mut self, text: &'t [u8]) -> Option<(i32, &'t [u8])> {
        match digits(text, 4)? {
            (year @ 1000.., rest, 4) => Some((year as i32, rest)),
            // The pivot of POSIX.
            (year, rest, 2) => {
                self.traits |= SHORT_YEAR;
                Some((year as i32 + if year < 69 { 2000 } else { 1900 }, rest))
            }
            _ => None,
        }
    }
}

impl Day {
    fn fixed(year: i32, month: u32, day: u32) -> Self {
        Day { year, first: month, second: day, either: false, weekday: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str, day_first: bool) -> Option<String> {
        let days = parse(text.as_bytes(), false)?.days(day_first)?;
        NaiveDate::from_num_days_from_ce_opt(days + 719_163).map(|date| date.to_string())
    }

    #[test]
    fn iso_to_the_letter() {
        for text in [
            "2026-01-31",
            "2026-01-31 12:30",
            "2026-01-31T12:30:00.5+01:00",
            "12:30:00",
            "0999-01-31T12:30:00Z",
        ] {
            assert!(parse(text.as_bytes(), false).unwrap().is_iso, "{text}");
        }
        for text in ["2026-1-31", "12:30", "2026-01-31 12:30 Z", "2026-01-31 1:30"] {
            assert!(!parse(text.as_bytes(), false).unwrap().is_iso, "{text}");
        }
        for text in [
            "2026-01-31T25:00",
            "2026-01-31Z",
            "24:00:00",
            "20260131",
            "4:35",
            "2026-01-31T",
            "2026-01-31 12:30:00.",
            "2026-01-31 12:30:00.1234567890",
            "12:30Z",
            "31/01-2026",
            "13:00 PM",
            "31 Xyz 2026",
            "Janu 31, 2026",
            "1-2-26",
            "0999/01/31",
            "31/01/026",
        ] {
            assert!(parse(text.as_bytes(), false).is_none(), "{text}");
        }
        let offset = parse(b"2026-01-31T12:30:00-05:30", false).unwrap().offset;
        assert_eq!(offset, Some(-330 * 60_000_000_000));
    }

    #[test]
    fn layouts_of_one_day() {
        for text in [
            "2026-01-31",
            "2026-1-31",
            "2026/01/31",
            "2026.01.31",
            "31/01/2026",
            "31-01-2026",
            "31.01.2026",
            "31/1/26",
            "31.01.26",
            "31 Jan 2026",
            "31-Jan-2026",
            "31-jan-26",
            "Jan 31, 2026",
            "JANUARY 31, 2026",
            "31 January 2026",
            "Sat, 31 Jan 2026",
            "Saturday, January 31, 2026",
            "Sat 31/01/2026",
            "Jan. 31 2026",
            "31/Jan/2026",
            "20260131T120000Z",
            "20260131T1200",
            "31.01.2026 9:05",
            "1/31/2026, 1:30:00 PM",
            "Sat, 31 Jan 2026 12:00:00 +0100",
            "2026-01-31 12:00:00 UTC",
        ] {
            let either = day(text, true).or_else(|| day(text, false));
            assert_eq!(either.as_deref(), Some("2026-01-31"), "{text}");
        }
        assert_eq!(day("1/2/2026", true).as_deref(), Some("2026-02-01"));
        assert_eq!(day("1/2/2026", false).as_deref(), Some("2026-01-02"));
        assert_eq!(day("31-Dec-69", true).as_deref(), Some("1969-12-31"));
        for text in ["Sun, 31 Jan 2026", "30/02/2026", "2026-02-30", "29.02.2025"] {
            assert_eq!(day(text, true).or_else(|| day(text, false)), None, "{text}");
        }
    }

    #[test]
    fn half_days() {
        let time =
            |text: &str| parse(text.as_bytes(), false).unwrap().time.unwrap() / 60_000_000_000;
        assert_eq!(time("12:05 AM"), 5);
        assert_eq!(time("12:05pm"), 725);
        assert_eq!(time("1:30 PM"), 810);
    }
}
