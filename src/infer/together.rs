//! What the columns of a table say of each other.
//!
//! Whoever writes `1.234,50` in one column writes `1.000` for a thousand in the next. A column that
//! its own values leave open is read as the others are written; where those say nothing, or contradict
//! each other, it stays as it was.

use super::class::{
    COMMA, Class, DASH, DATE, DAY_FIRST, MONTH_FIRST, POINT, SHORT_YEAR, SLASH, STAMP, ZONED,
};
use super::lattice::{Inferred, Seen};
use super::layout::Ambiguity;
use super::rules::ColumnRules;

/// How dates are written, as far as that goes with the order of day and month.
const DATE_LAYOUT: Class = SLASH | DASH | POINT | SHORT_YEAR;

/// What columns show of how their file is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// Numbers that only a decimal point explains.
    point: bool,
    /// Numbers that only a decimal comma explains.
    comma: bool,
    /// Numbers that are text because nothing settles their mark.
    undecided: bool,
    /// Layouts of dates, and whether the day is first.
    orders: Vec<(Class, bool)>,
}

impl Habits {
    /// Adds what a column shows. One whose marks or order the options settle shows nothing.
    pub fn note(&mut self, seen: &Seen, rules: &ColumnRules) {
        let inferred = seen.conclude(rules);
        if rules.finds_marks() && inferred.data_type.is_numeric() {
            match (seen.reads(0), seen.reads(COMMA)) {
                (true, false) => self.point = true,
                (false, true) => self.comma = true,
                _ => {}
            }
        }
        self.undecided |= inferred.ambiguous == Some(Ambiguity::Numbers);
        if inferred.data_type.is_temporal() && rules.prefers_day_first().is_none() {
            let layout = seen.kinds & DATE_LAYOUT;
            match orders(seen) {
                (true, false) => self.orders.push((layout, true)),
                (false, true) => self.orders.push((layout, false)),
                _ => {}
            }
        }
    }

    /// Whether numbers that could have either decimal mark may be read anew for what was seen.
    pub fn matter_to_open_marks(&self) -> bool {
        self.comma || self.undecided
    }

    /// The decimal mark, if all columns that show one show the same.
    fn decimal(&self) -> Option<u8> {
        match (self.point, self.comma) {
            (true, false) => Some(b'.'),
            (false, true) => Some(b','),
            _ => None,
        }
    }

    /// Whether the day is first in dates of this layout, if the columns agree.
    fn day_first(&self, layout: Class) -> Option<bool> {
        let mut alike = self.orders.iter().filter(|(other, _)| *other == layout);
        let (_, day_first) = alike.next()?;
        alike.all(|(_, other)| other == day_first).then_some(*day_first)
    }

    /// Settles what a column's own values leave open. `seen` is of all its values.
    pub fn settle(&self, inferred: &mut Inferred, seen: &Seen, rules: &ColumnRules) {
        if inferred.ambiguous == Some(Ambiguity::Dates) {
            let (may_be_day, may_be_month) = orders(seen);
            let day_first = self.day_first(seen.kinds & DATE_LAYOUT);
            let fits = |day_first: &bool| if *day_first { may_be_day } else { may_be_month };
            if let (Some(day_first), Some((data_type, _))) =
                (day_first.filter(fits), seen.dated(rules))
            {
                *inferred = seen.typed(data_type, None, day_first);
            }
            return;
        }
        if !seen.has_open_marks() || !rules.finds_marks() {
            return;
        }
        let is_open = inferred.ambiguous == Some(Ambiguity::Numbers);
        let is_number = inferred.data_type.is_numeric() && inferred.layout.decimal.is_none();
        let Some(decimal) = self.decimal() else { return };
        // A number with a point is read so already.
        if !is_open && (!is_number || decimal == b'.') || seen.is_suspect() {
            return;
        }
        let shift = if decimal == b',' { COMMA } else { 0 };
        let Some(data_type) = seen.number_type(shift) else { return };
        let forced = rules.forced.clone();
        *inferred = seen.typed(forced.unwrap_or(data_type), Some(decimal), false);
    }
}

impl Seen {
    /// Whether each number reads with a decimal point and with a decimal comma, and not the same.
    pub fn has_open_marks(&self) -> bool {
        self.reads(0) && self.reads(COMMA)
    }
}

/// Whether dates may have the day first, and the month.
fn orders(seen: &Seen) -> (bool, bool) {
    let kind = [DATE, STAMP, ZONED].into_iter().find(|kind| seen.types & kind != 0);
    let is = |bit: Class| kind.is_some_and(|kind| seen.types & kind & bit != 0);
    (is(DAY_FIRST), is(MONTH_FIRST))
}

#[cfg(test)]
mod tests {
    use super::super::cases::tests::{column, options, short};
    use super::super::{Rules, convert};
    use super::*;
    use arrow::array::Array;
    use arrow::util::display::array_value_to_string;

    /// Columns between blanks, values between bars: type, values and layout of the first.
    fn first(columns: &str, json: &str) -> String {
        let options = options(json);
        let rules = Rules::for_text(&options, &[]).column("c", 0);
        let texts: Vec<_> =
            columns.split(' ').map(|texts| column(&texts.split('|').collect::<Vec<_>>())).collect();
        let mut habits = Habits::default();
        let seen: Vec<Seen> = texts
            .iter()
            .map(|column| {
                let mut seen = Seen::default();
                seen.add_all(column, &rules);
                habits.note(&seen, &rules);
                seen
            })
            .collect();
        let mut inferred = seen[0].conclude(&rules);
        habits.settle(&mut inferred, &seen[0], &rules);
        let array = convert(&texts[0], &inferred, &rules, &mut |_| {});
        let shown: Vec<String> =
            (0..array.len()).map(|row| array_value_to_string(&array, row).unwrap()).collect();
        let format = inferred.format().unwrap_or_default();
        let ambiguous = if inferred.ambiguous.is_some() { "?" } else { "" };
        format!("{}{ambiguous} {} {format}", short(&inferred.data_type), shown.join("|"))
    }

    #[test]
    fn marks_are_as_in_the_other_columns() {
        for (columns, expected) in [
            ("1.000|2.500|12.000 1.234,50|99,90", "int 1000|2500|12000 1.234"),
            ("1.000|500 1,5", "int 1000|500 1.234"),
            ("1.000|NA 1.234.567|1", "int 1000| 1.234"),
            ("1.000|2.5 1,5", "float 1.0|2.5 "),
            ("0.125|1.000 1,5", "float 0.125|1.0 "),
            ("1.000|2.500", "float 1.0|2.5 "),
            ("1.000|2.500 1,234", "float 1.0|2.5 "),
            ("1.000|2.500 1,5 2.5", "float 1.0|2.5 "),
            ("1.000|2.500 5|6", "float 1.0|2.5 "),
            ("1,234|5,678 2.5", "int 1234|5678 1,234"),
            ("1,234|5 1,234.5", "int 1234|5 1,234"),
            ("1,234|5 1,234,567", "int 1234|5 1,234"),
            ("1,234|5 2,5", "float 1.234|5.0 1234,5"),
            ("1,234|5 1.234", "text? 1,234|5 "),
            ("1,234|5 2.5 2,5", "text? 1,234|5 "),
            ("1,234|5 1'234", "text? 1,234|5 "),
            ("1.234|12,345 2,5", "float 1234.0|12.345 1.234,5"),
        ] {
            assert_eq!(first(columns, "{}"), expected, "{columns}");
        }
        let given = r#"{"decimal": "."}"#;
        assert_eq!(first("1.000|2.500 1,5", given), "float 1.0|2.5 ");
        let forced = r#"{"dtype": "float64"}"#;
        assert_eq!(first("1.000|2.500 1,5", forced), "float 1000.0|2500.0 1.234,5");
    }

    #[test]
    fn dates_are_as_in_the_other_columns() {
        for (columns, expected) in [
            ("01/02/2026 31/01/2026", "date 2026-02-01 %d/%m/%Y"),
            ("01/02/2026 01/31/2026", "date 2026-01-02 %m/%d/%Y"),
            ("01/02/2026 31.01.2026", "text? 01/02/2026 "),
            ("01/02/26 31/01/2026", "text? 01/02/26 "),
            ("01/02/2026 31/01/2026 01/31/2026", "text? 01/02/2026 "),
            ("01/02/2026 02/02/2026", "text? 01/02/2026 "),
            ("01/02/2026 2026-01-31", "text? 01/02/2026 "),
        ] {
            assert_eq!(first(columns, "{}"), expected, "{columns}");
        }
    }
}
