//! Dates and times in text: ISO 8601 always, other orders where the caller names the column.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};

/// A point in time as its text has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Temporal {
    /// A day.
    Date(NaiveDate),
    /// A day and a time without a zone.
    Stamp(NaiveDateTime),
    /// The same, turned to UTC by the offset in the text.
    Zoned(NaiveDateTime),
    /// A time of day.
    Time(NaiveTime),
}

/// ISO 8601: `2026-01-31`, `2026-01-31T12:00[:00[.123]]` (or a blank for the T) with or without
/// `Z`, `+01:00`, `+0100`; `12:00:00[.123]`. The flag says that there are more than six digits of
/// a second.
pub(super) fn parse_iso(text: &[u8]) -> Option<(Temporal, bool)> {
    // The cheapest look first: nearly every text fails here.
    match text {
        [_, _, b':', ..] => {
            let (time, rest, fine) = parse_time(text, true)?;
            rest.is_empty().then_some((Temporal::Time(time), fine))
        }
        [_, _, _, _, b'-', _, _, b'-', _, _, rest @ ..] => {
            let date = NaiveDate::from_ymd_opt(
                number(&text[0..4])? as i32,
                number(&text[5..7])?,
                number(&text[8..10])?,
            )?;
            match rest {
                [] => Some((Temporal::Date(date), false)),
                [b'T' | b't' | b' ', rest @ ..] => {
                    let (time, zone, fine) = parse_time(rest, false)?;
                    let stamp = date.and_time(time);
                    match parse_offset(zone)? {
                        None => Some((Temporal::Stamp(stamp), fine)),
                        Some(minutes) => {
                            let offset = chrono::TimeDelta::minutes(minutes);
                            Some((Temporal::Zoned(stamp.checked_sub_signed(offset)?), fine))
                        }
                    }
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + u32::from(digit - b'0'))
    })
}

/// The time, what follows it, and whether it is finer than microseconds.
fn parse_time(text: &[u8], seconds_needed: bool) -> Option<(NaiveTime, &[u8], bool)> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return None };
    let (hour, minute) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    let [b':', s1, s2, rest @ ..] = rest else {
        let time = NaiveTime::from_hms_opt(hour, minute, 0)?;
        return (!seconds_needed).then_some((time, rest, false));
    };
    let second = number(&[*s1, *s2])?;
    let [b'.' | b',', fraction @ ..] = rest else {
        return Some((NaiveTime::from_hms_opt(hour, minute, second)?, rest, false));
    };
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 9 {
        return None;
    }
    let nanos = number(&fraction[..digits])? * 10u32.pow(9 - digits as u32);
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)?;
    Some((time, &fraction[digits..], !nanos.is_multiple_of(1000)))
}

/// Minutes east of UTC; `Some(None)` where there is no zone.
fn parse_offset(text: &[u8]) -> Option<Option<i64>> {
    let (sign, digits) = match text {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [h1, h2] => (number(&[*h1, *h2])?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (number(&[*h1, *h2])?, number(&[*m1, *m2])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| Some(sign * i64::from(hours * 60 + minutes)))
}

/// Dates in other orders, for columns that the caller says hold dates.
pub(super) fn parse_flexible(text: &[u8], dayfirst: bool) -> Option<(Temporal, bool)> {
    if let Some(found) = parse_iso(text) {
        return Some(found);
    }
    let text = std::str::from_utf8(text).ok()?;
    const DAY_FIRST: &[&str] = &["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"];
    const MONTH_FIRST: &[&str] = &["%m/%d/%Y", "%m-%d-%Y", "%d.%m.%Y"];
    const OTHERS: &[&str] =
        &["%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y"];
    let ordered = if dayfirst { DAY_FIRST } else { MONTH_FIRST };
    // A year of two digits would be read as one of antiquity.
    let recent = |date: NaiveDate| date.year() >= 1000;
    for format in ordered.iter().chain(OTHERS) {
        if let Ok(date) = NaiveDate::parse_from_str(text, format)
            && recent(date)
        {
            return Some((Temporal::Date(date), false));
        }
        for time in ["%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p"] {
            if let Ok(stamp) = NaiveDateTime::parse_from_str(text, &format!("{format} {time}"))
                && recent(stamp.date())
            {
                return Some((Temporal::Stamp(stamp), false));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_texts() {
        let stamp = |text: &str| parse_iso(text.as_bytes()).map(|(t, _)| t);
        let day = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap();
        assert_eq!(stamp("2026-01-31"), Some(Temporal::Date(day)));
        assert_eq!(
            stamp("2026-01-31 12:30"),
            Some(Temporal::Stamp(day.and_hms_opt(12, 30, 0).unwrap()))
        );
        assert_eq!(
            stamp("2026-01-31T12:30:00+01:00"),
            Some(Temporal::Zoned(day.and_hms_opt(11, 30, 0).unwrap()))
        );
        assert!(matches!(stamp("12:30:00"), Some(Temporal::Time(_))));
        for text in
            ["2026-02-30", "2026-1-31", "12:30", "2026-01-31T25:00", "2026-01-31Z", "24:00:00"]
        {
            assert_eq!(stamp(text), None, "{text}");
        }
        assert!(parse_iso(b"2026-01-31T12:30:00.123456789Z").unwrap().1);
        assert!(!parse_iso(b"2026-01-31T12:30:00.123456").unwrap().1);
    }

    #[test]
    fn orders_of_day_and_month() {
        let date = |text: &str, dayfirst| parse_flexible(text.as_bytes(), dayfirst).map(|(t, _)| t);
        let february = NaiveDate::from_ymd_opt(2026, 2, 1).unwrap();
        let january = NaiveDate::from_ymd_opt(2026, 1, 2).unwrap();
        assert_eq!(date("1/2/2026", true), Some(Temporal::Date(february)));
        assert_eq!(date("1/2/2026", false), Some(Temporal::Date(january)));
    }
}
