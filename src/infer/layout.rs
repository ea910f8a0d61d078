//! How the texts of a typed column are read, and how that is told.

use arrow::datatypes::DataType;

use super::class::{
    BASIC, BY_APOSTROPHES, BY_BLANKS, BY_MARKS, COMMA, Class, DASH, GROUPINGS, HALF_DAYS,
    LONG_NAME, MINUTES, NAME_BLANK, NAME_DASH, NAME_FIRST, NAME_SLASH, POINT, SECONDS, SHORT_YEAR,
    SLASH, TIME, WEEKDAY, YEAR_POINT, YEAR_SLASH, ZONED,
};

/// Why a column is text although every value could be more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// Day and month could each be the other in every date.
    Dates,
    /// The mark in every number could set off thousands or decimals.
    Numbers,
}

/// How the texts of a column are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The decimal mark that the column settled; `None` where numbers are as the options say.
    pub(super) decimal: Option<u8>,
    /// Whether the day stands before the month where both are numbers.
    pub(super) day_first: bool,
    /// What the values have in common, and what came up among them.
    pub(super) common: Class,
    pub(super) kinds: Class,
}

impl Layout {
    /// In words a person knows: `%d/%m/%Y`, `1.234,5`. `None` where it is as programs write it.
    pub fn format(&self, data_type: &DataType) -> Option<String> {
        if data_type.is_temporal() { self.dates() } else { self.numbers(data_type) }
    }

    fn numbers(&self, data_type: &DataType) -> Option<String> {
        let decimal = self.decimal?;
        let groupings = match decimal {
            b',' => self.common >> COMMA & GROUPINGS,
            _ => self.common & GROUPINGS,
        };
        let mark = match (groupings, decimal) {
            (BY_MARKS, b',') => ".",
            (BY_MARKS, _) => ",",
            (BY_BLANKS, _) => " ",
            (BY_APOSTROPHES, _) => "'",
            // All of them fit as none is there; or blanks fit both.
            _ => "",
        };
        let fraction = match (data_type, decimal) {
            (DataType::Float64 | DataType::Float32, b',') => ",5",
            (DataType::Float64 | DataType::Float32, _) => ".5",
            _ => "",
        };
        Some(format!("1{mark}234{fraction}"))
    }

    fn dates(&self) -> Option<String> {
        let has = |bit: Class| self.kinds & bit != 0;
        let year = if has(SHORT_YEAR) { "%y" } else { "%Y" };
        let name = if has(LONG_NAME) { "%B" } else { "%b" };
        let (first, second) = if self.day_first { ("%d", "%m") } else { ("%m", "%d") };
        let numbers = |mark: &str| format!("{first}{mark}{second}{mark}{year}");
        let named = |mark: &str| format!("%d{mark}{name}{mark}{year}");
        let layouts = [
            (YEAR_SLASH, "%Y/%m/%d".to_owned()),
            (YEAR_POINT, "%Y.%m.%d".to_owned()),
            (SLASH, numbers("/")),
            (DASH, numbers("-")),
            (POINT, numbers(".")),
            (NAME_BLANK, named(" ")),
            (NAME_DASH, named("-")),
            (NAME_SLASH, named("/")),
            (NAME_FIRST, format!("{name} %d, %Y")),
            (BASIC, "%Y%m%d".to_owned()),
        ];
        let time = match (has(SECONDS), has(HALF_DAYS)) {
            (false, true) => "%I:%M %p",
            (true, true) => "%I:%M:%S %p",
            (true, false) => "%H:%M:%S",
            (false, false) => "%H:%M",
        };
        if has(TIME) {
            return (!has(SECONDS) || has(HALF_DAYS)).then(|| time.to_owned());
        }
        let found: Vec<String> = layouts
            .into_iter()
            .filter(|(bit, _)| has(*bit))
            .map(|(_, date)| {
                let weekday = if has(WEEKDAY) { "%a, " } else { "" };
                let (join, time) = match () {
                    () if !has(MINUTES) => ("", String::new()),
                    () if has(BASIC) => ("T", time.replace(':', "")),
                    () => (" ", time.to_owned()),
                };
                let zone = if has(ZONED) { "%z" } else { "" };
                format!("{weekday}{date}{join}{time}{zone}")
            })
            .collect();
        if found.is_empty() && has(HALF_DAYS) {
            return Some(format!("%Y-%m-%d {time}"));
        }
        (!found.is_empty()).then(|| found.join(" or "))
    }
}
