//! Times that the calendar we use has no words for: years beyond its own, zones it does not know.
//!
//! ISO 8601 has words for them: years of more digits have a sign, and a time in UTC ends in `Z`.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};

const DAY: i64 = 86_400;

/// The time in this row as text; `None` for arrays of anything else. Times with a zone are in UTC.
pub(super) fn text(array: &dyn Array, row: usize) -> Option<String> {
    let (unit, is_time_of_day, is_utc) = match array.data_type() {
        DataType::Timestamp(unit, zone) => (*unit, false, zone.is_some()),
        DataType::Date64 => (TimeUnit::Millisecond, false, false),
        DataType::Time32(unit) | DataType::Time64(unit) => (*unit, true, false),
        DataType::Date32 => {
            let days = whole(array, row)?;
            return Some(date(days));
        }
        DataType::Duration(unit) => {
            let value = whole(array, row)?;
            let sign = if value < 0 { "-" } else { "" };
            let (per_second, _) = parts(*unit);
            let seconds = value.unsigned_abs() / per_second;
            let rest = value.unsigned_abs() % per_second;
            return Some(format!("{sign}PT{seconds}{}S", fraction(rest, *unit)));
        }
        _ => return None,
    };
    let value = whole(array, row)?;
    let (per_second, _) = parts(unit);
    if is_time_of_day {
        // No time of any day: hours go on beyond 24, or stand before midnight.
        let sign = if value < 0 { "-" } else { "" };
        let seconds = value.unsigned_abs() / per_second;
        let rest = fraction(value.unsigned_abs() % per_second, unit);
        return Some(format!("{sign}{}{rest}", clock(seconds)));
    }
    let per_second = per_second.cast_signed();
    let (seconds, rest) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let zone = if is_utc { "Z" } else { "" };
    let rest = fraction(rest.unsigned_abs(), unit);
    Some(format!("{}T{}{rest}{zone}", date(days), clock(second.unsigned_abs())))
}

fn whole(array: &dyn Array, row: usize) -> Option<i64> {
    let one = array.slice(row, 1);
    let one = match array.data_type() {
        DataType::Date32 | DataType::Time32(_) => cast(&one, &DataType::Int32).ok()?,
        _ => one,
    };
    let number = cast(&one, &DataType::Int64).ok()?;
    let number = number.as_primitive::<Int64Type>();
    number.is_valid(0).then(|| number.value(0))
}

/// How many of a unit are a second, and the digits of its fraction.
fn parts(unit: TimeUnit) -> (u64, usize) {
    match unit {
        TimeUnit::Second => (1, 0),
        TimeUnit::Millisecond => (1_000, 3),
        TimeUnit::Microsecond => (1_000_000, 6),
        TimeUnit::Nanosecond => (1_000_000_000, 9),
    }
}

/// Digits by threes, as many as it takes.
fn fraction(rest: u64, unit: TimeUnit) -> String {
    if rest == 0 {
        return String::new();
    }
    let (_, digits) = parts(unit);
    let mut text = format!(".{rest:0digits$}");
    while text.ends_with("000") {
        text.truncate(text.len() - 3);
    }
    text
}

fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The date of a day counted from 1970-01-01, in the calendar of today for all times. Years are
/// counted in spans of 400, which all have the same days, and from March on, so that the leap day is
/// the last of its year.
fn date(days: i64) -> String {
    const DAYS_OF_400_YEARS: i128 = 146_097;
    const FROM_0000_03_01: i128 = 719_468;
    let days = i128::from(days) + FROM_0000_03_01;
    let (span, day) = (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = span * 400 + year + i128::from(month <= 2);
    if (0..=9999).contains(&year) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:+05}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Date32Array, Date64Array, Time32SecondArray, TimestampMicrosecondArray,
        TimestampNanosecondArray, TimestampSecondArray,
    };
    use arrow::util::display::{ArrayFormatter, FormatOptions};

    use super::*;

    fn same(array: &dyn Array) {
        let formatter = ArrayFormatter::try_new(array, &FormatOptions::new()).unwrap();
        for row in 0..array.len() {
            assert_eq!(text(array, row).unwrap(), formatter.value(row).to_string());
        }
    }

    #[test]
    fn within_the_calendar_the_words_are_the_same() {
        let seconds = (-40_000..40_000).map(|at| at * 86_400 * 37 + at * 7);
        same(&TimestampSecondArray::from_iter_values(seconds));
        let odd = [0, -1, 1, 999, 1_000, -1_000_000, 1_500_000_000, i64::MAX, i64::MIN];
        same(&TimestampNanosecondArray::from_iter_values(odd));
        same(&TimestampNanosecondArray::from_iter_values(odd).with_timezone("UTC"));
        same(&TimestampMicrosecondArray::from_iter_values([-1, 1, 253_402_300_800_000_000]));
        same(&Date32Array::from_iter_values([
            -1_000_000, -719_529, -719_528, 0, 59, 60, 2_932_897,
        ]));
        same(&Date64Array::from_iter_values([-1, 0, 86_400_001]));
        same(&Time32SecondArray::from_iter_values([0, 86_399]));
    }

    #[test]
    fn beyond_it_nothing_is_lost() {
        let far = TimestampMicrosecondArray::from_iter_values([i64::MAX, i64::MIN]);
        assert_eq!(text(&far, 0).unwrap(), "+294247-01-10T04:00:54.775807");
        assert_eq!(text(&far, 1).unwrap(), "-290308-12-21T19:59:05.224192");
        let far = TimestampSecondArray::from_iter_values([i64::MAX, i64::MIN]);
        assert_eq!(text(&far, 0).unwrap(), "+292277026596-12-04T15:30:07");
        assert_eq!(text(&far, 1).unwrap(), "-292277022657-01-27T08:29:52");
        let odd = Time32SecondArray::from_iter_values([90_000, -1]);
        assert_eq!(text(&odd, 0).unwrap(), "25:00:00");
        assert_eq!(text(&odd, 1).unwrap(), "-00:00:01");
    }
}
