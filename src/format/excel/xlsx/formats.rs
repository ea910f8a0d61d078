//! Number formats: which of them show a date, a time, both or a length of time.

use crate::format::excel::sheet::Tag;

/// What a format that needs no code of its own shows. Those of East Asia mean one thing in one
/// country and another in the next, so some are known only to show a moment.
pub(super) fn builtin(id: u32) -> Tag {
    match id {
        14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 | 71..=74 | 81 => Tag::Date,
        18..=21 | 32 | 33 | 45 | 47 | 75 | 76 | 78 | 80 => Tag::Time,
        22 | 77 => Tag::Stamp,
        34 | 35 | 55 | 56 => Tag::Moment,
        46 | 79 => Tag::Duration,
        _ => Tag::Number,
    }
}

/// What a format's code shows, judged by its first section.
pub(super) fn custom(code: &str) -> Tag {
    let mut shown = Shown::default();
    let mut rest = code.chars().peekable();
    let comes = |rest: &std::iter::Peekable<std::str::Chars<'_>>, word: &str| {
        let tail: String = rest.clone().take(word.len()).collect();
        tail.eq_ignore_ascii_case(word)
    };
    // Chinese and Japanese Excel write `G/通用格式` where others write `General`.
    if code.strip_prefix("G/").is_some_and(|tail| !tail.is_ascii()) {
        return Tag::Number;
    }
    while let Some(character) = rest.next() {
        shown.running &= character.is_ascii_alphabetic();
        match character {
            '"' => while rest.next().is_some_and(|next| next != '"') {},
            '\\' | '_' | '*' => {
                rest.next();
            }
            '[' => {
                let inside: String = rest.by_ref().take_while(|next| *next != ']').collect();
                let lower = inside.to_ascii_lowercase();
                let mut letters = lower.chars();
                if let Some(first @ ('h' | 'm' | 's')) = letters.next()
                    && letters.all(|letter| letter == first)
                {
                    shown.elapsed = true;
                    shown.last = first;
                }
            }
            ';' => break,
            '0' | '#' | '?' => shown.digit(character),
            '.' => shown.point = true,
            'E' | 'e' if matches!(rest.peek(), Some('+' | '-')) => shown.placeholders = true,
            _ => {
                let letter = character.to_ascii_lowercase();
                if letter == 'g' && comes(&rest, "eneral") {
                    return Tag::Number;
                }
                let clock = ["m/pm", "/p"].into_iter().find(|tail| comes(&rest, tail));
                if let Some(tail) = clock.filter(|_| letter == 'a') {
                    rest.nth(tail.len() - 1);
                    shown.time = true;
                } else {
                    shown.letter(letter);
                }
            }
        }
    }
    shown.verdict()
}

#[derive(Default)]
struct Shown {
    date: bool,
    time: bool,
    elapsed: bool,
    /// Places of digits other than the fractions of a second.
    placeholders: bool,
    /// Letters `m` that are months unless seconds follow.
    months: bool,
    point: bool,
    /// The last letter that stands for a part of a moment, or NUL.
    last: char,
    /// Nothing came since that letter.
    running: bool,
}

impl Shown {
    fn letter(&mut self, letter: char) {
        let again = self.last == letter && self.running;
        self.running = true;
        match letter {
            'y' | 'd' | 'e' | 'g' | 'b' => self.date = true,
            'h' => self.time = true,
            's' => {
                self.time = true;
                // The letters before seconds are minutes.
                self.months = false;
            }
            'm' if again => return,
            'm' if self.last == 'h' => self.time = true,
            'm' => {
                self.settle();
                self.months = true;
            }
            'a' => self.date |= again,
            _ => {
                self.running = false;
                return;
            }
        }
        if letter != 's' && letter != 'm' {
            self.settle();
        }
        self.point = false;
        self.last = letter;
    }

    /// Letters `m` that no seconds follow are months.
    fn settle(&mut self) {
        self.date |= std::mem::take(&mut self.months);
    }

    fn digit(&mut self, digit: char) {
        let fraction = digit == '0' && self.point && self.last == 's';
        self.placeholders |= !fraction;
    }

    fn verdict(mut self) -> Tag {
        // `mm` after elapsed hours came with them.
        self.settle();
        match (self.date, self.time, self.elapsed) {
            _ if self.placeholders => Tag::Number,
            (true, true, _) | (true, _, true) => Tag::Stamp,
            (_, _, true) => Tag::Duration,
            (true, false, _) => Tag::Date,
            (false, true, _) => Tag::Time,
            (false, false, _) => Tag::Number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        let cases: &[(Tag, &[&str])] = &[
            (
                Tag::Number,
                &[
                    "General",
                    "GENERAL",
                    "0",
                    "0.00",
                    "#,##0.00",
                    "0%",
                    "0.00E+00",
                    "##0.0E+0",
                    "# ?/?",
                    "@",
                    "",
                    ";;;",
                    "[Red]#,##0;[Blue]-#,##0",
                    "\"day\" 0",
                    "\\d0",
                    "0\" hours\"",
                    "[$$-409]#,##0.00",
                    "[$€-407] #,##0",
                    "_($* #,##0_);_($* (#,##0)",
                    "[>=1000]0,\"k\"",
                    "G/通用格式",
                    "0.0 \"m/s\"",
                    "General\" d\"",
                    "[Magenta]0",
                    "[Black]General",
                    "#,##0 [$CHF-807]",
                    "0;yyyy",
                    "*d0",
                    "_y0",
                    "00000",
                    "0 kg",
                ],
            ),
            (
                Tag::Date,
                &[
                    "yyyy-mm-dd",
                    "dd/mm/yyyy",
                    "d-mmm-yy",
                    "mmm",
                    "mm",
                    "MMMM YYYY",
                    "[$-409]mmmm d, yyyy",
                    "yyyy\\-mm\\-dd;@",
                    "[$-F800]dddd, mmmm dd, yyyy",
                    "dddd",
                    "yyyy\"年\"m\"月\"d\"日\"",
                    "ge.m.d",
                    "[$-411]ggge\"年\"",
                    "[Red]yyyy",
                    "\"h\"yyyy",
                    "m/d",
                    "aaa",
                    "[DBNum1]yyyy",
                    "e/m/d",
                ],
            ),
            (
                Tag::Time,
                &[
                    "h:mm",
                    "hh:mm:ss",
                    "h:mm AM/PM",
                    "mm:ss",
                    "mm:ss.0",
                    "ss.000",
                    "h:mm a/p",
                    "mmss.0",
                    "[$-F400]h:mm:ss AM/PM",
                    "hh\"h\"mm",
                    "h:mm:ss.00;@",
                    "h \"Uhr\" m",
                ],
            ),
            (
                Tag::Stamp,
                &[
                    "m/d/yy h:mm",
                    "yyyy-mm-dd hh:mm:ss.000",
                    "dd.mm.yyyy\\ hh:mm",
                    "yyyy-mm-ddThh:mm:ss",
                    "h:mm d/m",
                    "[$-409]m/d/yy h:mm AM/PM;@",
                    "hh:mm mmm",
                ],
            ),
            (
                Tag::Duration,
                &[
                    "[h]:mm",
                    "[hh]:mm:ss",
                    "[mm]:ss",
                    "[ss].00",
                    "[h]",
                    "[H]:MM:SS;@",
                    "[Red][h]:mm",
                ],
            ),
        ];
        for (tag, codes) in cases {
            for code in *codes {
                assert_eq!(custom(code), *tag, "{code}");
            }
        }
    }
}
