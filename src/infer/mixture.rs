//! What a column is a mixture of, in words for a message.

use super::class::{
    BOOL, Class, DATE, DECIMAL, DIGITS, FLOAT, INT64, MARKED, STAMP, TIME, UINT64, ZONED,
};
use super::clock::digits;
use super::lattice::Seen;

const NUMBERS: Class = INT64 | UINT64 | DECIMAL | FLOAT | MARKED;
const DATES: Class = DATE | STAMP | ZONED;

impl Seen {
    /// `99 numbers, 1 text`; `both day-first and month-first dates`. For columns that are text
    /// because their values are of several kinds.
    pub fn mixture(&self) -> String {
        let has = |bits: Class| self.kinds & bits != 0;
        let kinds: Vec<&str> = [
            (NUMBERS, "numbers"),
            (DIGITS, "digits with leading zeros"),
            (DATES, "dates"),
            (TIME, "times"),
            (BOOL, "true or false"),
        ]
        .into_iter()
        .filter_map(|(bits, name)| has(bits).then_some(name))
        .collect();
        if self.texts > 0 {
            let others = self.values - self.texts;
            let what = match (kinds.as_slice(), others) {
                (_, 1) => "other value",
                ([one], _) => one,
                _ => "values of other types",
            };
            let texts = if self.texts == 1 { "text" } else { "texts" };
            return format!("{others} {what}, {} {texts}", self.texts);
        }
        if kinds == ["dates"] {
            // Days alone are times without a zone too; the order is all else that can part dates.
            return if has(ZONED) && has(DATE | STAMP) {
                "times with and without a zone".to_owned()
            } else {
                "both day-first and month-first dates".to_owned()
            };
        }
        match kinds.as_slice() {
            ["numbers"] => "numbers whose marks contradict each other".to_owned(),
            [] => "values of several types".to_owned(),
            [one] => (*one).to_owned(),
            [all @ .., last] => format!("{} and {last}", all.join(", ")),
        }
    }

    /// Whether the text is written as a day, among dates, but is none of any calendar.
    pub fn is_no_such_date(&self, text: &[u8]) -> bool {
        self.kinds & DATES != 0 && has_the_form_of_a_date(text.trim_ascii())
    }
}

/// `2024-02-30`, `31/02/2024`.
fn has_the_form_of_a_date(text: &[u8]) -> bool {
    let number = |text| digits(text, 4);
    let parts = || {
        let (_, rest, first) = number(text)?;
        let (mark, rest) = rest.split_first()?;
        let (_, rest, second) = number(rest)?;
        let (_, rest, third) = number(rest.strip_prefix(&[*mark])?)?;
        Some((mark, first, second, third, rest))
    };
    parts().is_some_and(|(mark, first, second, third, rest)| {
        matches!(mark, b'-' | b'/' | b'.')
            && second <= 2
            && first.max(third) == 4
            && first.min(third) <= 2
            && matches!(rest, [] | [b' ' | b'T', ..])
    })
}

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::super::cases::tests::{column, options};
    use super::*;

    #[test]
    fn mixtures_in_words() {
        for (texts, expected) in [
            ("1|2|x", "2 numbers, 1 text"),
            ("1|x", "1 other value, 1 text"),
            ("1|2026-01-31|x|2|y", "3 values of other types, 2 texts"),
            ("31/01/2026|01/31/2026", "both day-first and month-first dates"),
            ("2026-01-31T10:00:00Z|2026-01-31T10:00:00", "times with and without a zone"),
            ("2026-01-31|2026-01-30|5", "numbers and dates"),
            ("1,5|1.5", "numbers whose marks contradict each other"),
            ("true|1", "numbers and true or false"),
        ] {
            let options = options("{}");
            let rules = Rules::for_text(&options, &[]).column("c", 0);
            let mut seen = Seen::default();
            seen.add_all(&column(&texts.split('|').collect::<Vec<_>>()), &rules);
            assert_eq!(seen.mixture(), expected, "{texts}");
        }
        for text in ["2024-02-30", "31/02/2024", "31.2.2024 10:00"] {
            assert!(has_the_form_of_a_date(text.as_bytes()), "{text}");
        }
        for text in ["1-2-3", "2024-02", "192.168.1.1", "x", "2024-02-30x"] {
            assert!(!has_the_form_of_a_date(text.as_bytes()), "{text}");
        }
    }
}
