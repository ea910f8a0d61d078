//! Numbers in text: what a text could be without losing anything, and its value.

/// What a number text could be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberShape {
    /// Fits `int64`.
    pub int64: bool,
    /// Fits `uint64`.
    pub uint64: bool,
    /// A whole number of at most 38 digits.
    pub decimal: bool,
    /// The nearest double is finite, and, for a whole number, exact.
    pub float: bool,
    /// More than 17 significant digits behind a decimal mark or an exponent.
    pub long_float: bool,
}

/// What the text could be; `None` where it is no number as people write numbers: no blanks, no plus,
/// no leading zeros (such texts are identifiers).
pub fn number_shape(text: &[u8]) -> Option<NumberShape> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let negative = digits.len() != text.len();
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if whole > 1 && digits[0] == b'0' {
        return None;
    }
    if whole == digits.len() {
        return match whole {
            0 => None,
            _ => Some(whole_shape(digits, negative)),
        };
    }
    float_shape(text, digits, whole)
}

fn whole_shape(digits: &[u8], negative: bool) -> NumberShape {
    if digits == b"0" && negative {
        // Only a float knows a negative zero.
        return NumberShape { float: true, ..NOTHING };
    }
    if digits.len() <= 15 {
        return NumberShape {
            int64: true,
            uint64: !negative,
            decimal: true,
            float: true,
            long_float: false,
        };
    }
    if digits.len() > 38 {
        return NOTHING;
    }
    let value = digits.iter().fold(0i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    let value = if negative { -value } else { value };
    NumberShape {
        int64: i64::try_from(value).is_ok(),
        uint64: u64::try_from(value).is_ok(),
        decimal: true,
        float: (value as f64) as i128 == value && value.unsigned_abs() < 1 << 100,
        long_float: false,
    }
}

const NOTHING: NumberShape =
    NumberShape { int64: false, uint64: false, decimal: false, float: false, long_float: false };

fn float_shape(text: &[u8], digits: &[u8], whole: usize) -> Option<NumberShape> {
    if matches!(digits, b"inf" | b"Inf" | b"INF" | b"infinity" | b"Infinity") {
        return Some(NumberShape { float: true, ..NOTHING });
    }
    let mut rest = &digits[whole..];
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        fraction = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = &after[fraction..];
    }
    if whole + fraction == 0 {
        return None;
    }
    let mantissa = &digits[..digits.len() - rest.len()];
    if let Some((b'e' | b'E', exponent)) = rest.split_first() {
        let exponent =
            exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
        if exponent.is_empty() || !exponent.iter().all(u8::is_ascii_digit) {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    let value: f64 = fast_float2::parse(text).ok()?;
    let mut significant =
        mantissa.iter().filter(|byte| byte.is_ascii_digit()).skip_while(|d| **d == b'0');
    let nonzero = significant.clone().next().is_some();
    let count = significant.by_ref().count();
    // Too large or too small for a double: the value would not survive.
    let survives = value.is_finite() && (value != 0.0 || !nonzero);
    Some(NumberShape { float: survives, long_float: count > 17, ..NOTHING })
}

/// The whole number, if it fits 38 digits. Leading zeros and a plus are fine here: the caller asked.
pub(super) fn parse_whole(text: &[u8]) -> Option<i128> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        (b'+', digits) => (false, digits),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 38 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    Some(if negative { -value } else { value })
}

/// The whole number, if it fits `int64`.
pub(super) fn parse_int64(text: &[u8]) -> Option<i64> {
    if text.len() > 18 {
        return parse_whole(text).and_then(|value| value.try_into().ok());
    }
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        (b'+', digits) => (false, digits),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// The nearest double.
pub(super) fn parse_float(text: &[u8]) -> Option<f64> {
    fast_float2::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Option<NumberShape> {
        number_shape(text.as_bytes())
    }

    #[test]
    fn identifiers_are_no_numbers() {
        for text in ["", "-", "00501", "+5", "1_000", "0x1f", "1.2.3", "1e", "e5", ".", "1 ", "１"]
        {
            assert_eq!(shape(text), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_by_their_size() {
        let largest = shape("9223372036854775807").unwrap();
        assert!(largest.int64 && largest.uint64 && largest.decimal && !largest.float);
        let beyond = shape("9223372036854775808").unwrap();
        assert!(!beyond.int64 && beyond.uint64 && beyond.float);
        let negative = shape("-9223372036854775809").unwrap();
        assert!(!negative.int64 && !negative.uint64 && negative.decimal);
        assert_eq!(shape(&"9".repeat(39)), Some(NOTHING));
    }

    #[test]
    fn floats_that_survive() {
        for text in ["1.5", ".5", "5.", "-0", "1e5", "1E-7", "0.1", "inf", "-Infinity"] {
            assert!(shape(text).unwrap().float, "{text}");
        }
        for text in ["1e999", "1e-999"] {
            assert!(!shape(text).unwrap().float, "{text}");
        }
        assert!(shape("3.14159265358979323846").unwrap().long_float);
        assert!(!shape("0.00000000000000000000001").unwrap().long_float);
    }
}
