//! Durations as ISO 8601 writes them: `P1DT2H3M4.5S`.

/// Nanoseconds; nothing for a text that is no duration of days and less, or does not fit.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let rest = rest.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    const SECOND: i128 = 1_000_000_000;
    let mut total = parts(date, &[('W', 604_800 * SECOND), ('D', 86_400 * SECOND)])?;
    total += parts(time, &[('H', 3600 * SECOND), ('M', 60 * SECOND), ('S', SECOND)])?;
    i64::try_from(if negative { -total } else { total }).ok()
}

/// The sum of numbers, each with its unit behind it, in the order of units.
fn parts(mut text: &str, units: &[(char, i128)]) -> Option<i128> {
    let mut total = 0;
    for (letter, unit) in units {
        let Some((number, rest)) = text.split_once(*letter) else { continue };
        let (negative, number) = match number.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let is_number = |digits: &str, most| {
            digits.len() <= most && digits.bytes().all(|digit| digit.is_ascii_digit())
        };
        if whole.is_empty() || !is_number(whole, 12) || !is_number(fraction, 9) {
            return None;
        }
        if number.contains('.') && (fraction.is_empty() || *letter != 'S') {
            return None;
        }
        let mut value = whole.parse::<i128>().ok()? * unit;
        if !fraction.is_empty() {
            value += fraction.parse::<i128>().ok()? * 10i128.pow(9 - fraction.len() as u32);
        }
        total += if negative { -value } else { value };
        text = rest;
    }
    text.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::nanoseconds;

    #[test]
    fn durations_as_pandas_writes_them() {
        for (text, expected) in [
            ("P0DT0H0M0S", Some(0)),
            ("P1DT2H3M4.5S", Some(93_784_500_000_000)),
            ("P-1DT23H59M59S", Some(-1_000_000_000)),
            ("PT0.000000001S", Some(1)),
            ("-P2D", Some(-172_800_000_000_000)),
            ("P1W", Some(604_800_000_000_000)),
            ("P", None),
            ("PT", None),
            ("P1", None),
            ("P1M", None),
            ("P1.5D", None),
            ("PT1S1H", None),
            ("P999999999D", None),
            ("1 day", None),
        ] {
            assert_eq!(nanoseconds(text), expected, "{text}");
        }
    }
}
