//! What the cells of a column are: how many of each kind, and the type that all of them allow.

use std::ops::Range;

use super::sheet::{Cell, CellColumn, Sheet};
use super::values::{Value, value, write_text};
use crate::infer::ColumnRules;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nothing,
    Whole,
    Float,
    Bool,
    Date,
    Stamp,
    Time,
    Duration,
    Text,
}

/// The kinds of cells that are told apart.
const CLASSES: usize = 6;
const NUMBER: usize = 0;
const BOOL: usize = 1;
const DATE: usize = 2;
const TIME: usize = 3;
const DURATION: usize = 4;
const TEXT: usize = 5;
/// One of them, and several.
const WORDS: [(&str, &str); CLASSES] = [
    ("number", "numbers"),
    ("true or false", "true or false"),
    ("date", "dates"),
    ("time", "times"),
    ("duration", "durations"),
    ("text", "texts"),
];

const NEVER: u32 = u32::MAX;
/// So many cells of a column with an error, or a date of no day, are told one by one.
const LISTED: usize = 1_000;

/// The cells of a column, counted.
#[derive(Clone, Debug)]
pub(super) struct Census {
    counts: [u64; CLASSES],
    /// The sheet row of the first of each kind.
    first: [u32; CLASSES],
    has_float: bool,
    has_stamp: bool,
    /// The row of a whole number that no float holds.
    exact: u32,
    /// Texts that are null where that lets the rest be typed.
    maybe_null: u64,
    /// Cells that hold an error, or are shown as a date of no day there is: null.
    pub errors: Vec<Cell>,
    /// Those that are not listed.
    pub more_errors: u64,
    /// Bytes of all texts.
    pub text_bytes: u64,
}

impl Census {
    /// Of these cells of the column.
    pub fn of(cells: &CellColumn, range: Range<usize>, sheet: &Sheet, rules: &ColumnRules) -> Self {
        let mut census = Census {
            counts: [0; CLASSES],
            first: [NEVER; CLASSES],
            has_float: false,
            has_stamp: false,
            exact: NEVER,
            maybe_null: 0,
            errors: Vec::new(),
            more_errors: 0,
            text_bytes: 0,
        };
        let mut nulls = NullCells::new(rules);
        for at in range {
            let cell = cells.get(at);
            if !nulls.contains(cell, sheet) {
                census.add(cell, sheet, rules);
            }
        }
        census
    }

    fn add(&mut self, cell: Cell, sheet: &Sheet, rules: &ColumnRules) {
        let class = match value(cell, sheet) {
            Value::Whole(number) => {
                let is_long = number.unsigned_abs() > 1 << 53;
                if is_long && (number as f64) as i128 != i128::from(number) {
                    self.exact = self.exact.min(cell.row);
                }
                NUMBER
            }
            Value::Float(_) => {
                self.has_float = true;
                NUMBER
            }
            Value::Bool(_) => BOOL,
            Value::Day(_) => DATE,
            Value::Stamp(_) => {
                self.has_stamp = true;
                DATE
            }
            Value::Time(_) => TIME,
            Value::Duration(_) => DURATION,
            Value::Text => {
                let text = sheet.text(cell).unwrap_or_default();
                self.text_bytes += text.len() as u64;
                if rules.reads_as_null(text.as_bytes(), true) {
                    self.maybe_null += 1;
                    return;
                }
                TEXT
            }
            Value::Error | Value::NoDate(_) => {
                match self.errors.len() < LISTED {
                    true => self.errors.push(cell),
                    false => self.more_errors += 1,
                }
                return;
            }
        };
        self.counts[class] += 1;
        self.first[class] = self.first[class].min(cell.row);
    }

    /// The type that all cells allow.
    pub fn kind(&self) -> Kind {
        let has = |class: usize| self.counts[class] > 0;
        let classes = (0..CLASSES).filter(|class| has(*class)).count();
        match classes {
            0 if self.maybe_null > 0 => Kind::Text,
            0 => Kind::Nothing,
            1 if has(NUMBER) && !self.has_float => Kind::Whole,
            1 if has(NUMBER) && self.exact == NEVER => Kind::Float,
            1 if has(BOOL) => Kind::Bool,
            1 if has(DATE) && self.has_stamp => Kind::Stamp,
            1 if has(DATE) => Kind::Date,
            1 if has(TIME) => Kind::Time,
            1 if has(DURATION) => Kind::Duration,
            // Hours of a day are a length of time too, counted from midnight.
            2 if has(TIME) && has(DURATION) => Kind::Duration,
            _ => Kind::Text,
        }
    }

    /// Whether no cell is anything but a text.
    pub fn is_text(&self) -> bool {
        self.counts.iter().sum::<u64>() == self.counts[TEXT]
    }

    /// Whether every value is a text or a day, which groups of rows have as labels.
    pub fn is_label(&self) -> bool {
        let values: u64 = self.counts.iter().sum();
        values > 0 && values == self.counts[TEXT] + self.counts[DATE]
    }

    /// What the column is a mixture of: `300 numbers, 1 text`; `None` where all are of one kind.
    pub fn mixture(&self) -> Option<Mixture> {
        if self.is_text() || self.kind() != Kind::Text {
            return None;
        }
        let kinds = (0..CLASSES).filter(|class| self.counts[*class] > 0);
        let words: Vec<String> = kinds
            .clone()
            .map(|class| {
                let (one, many) = WORDS[class];
                let count = self.counts[class];
                format!("{count} {}", if count == 1 { one } else { many })
            })
            .collect();
        if words.len() == 1 {
            let row = self.exact;
            return Some(Mixture { words: String::new(), odd: "", row, is_text: false });
        }
        // Of equally many the later kind, which is text if there is any.
        let odd = kinds.rev().min_by_key(|class| self.counts[*class])?;
        Some(Mixture {
            words: words.join(", "),
            odd: WORDS[odd].0,
            row: self.first[odd],
            is_text: odd == TEXT,
        })
    }
}

/// The kinds in a column that is text because of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mixture {
    /// How many of each; empty where all are numbers, but too long for a float.
    pub words: String,
    /// The kind of the fewest.
    pub odd: &'static str,
    /// The sheet row of the first of that kind.
    pub row: u32,
    pub is_text: bool,
}

/// Cells whose text the options call null.
pub(super) struct NullCells<'a> {
    rules: &'a ColumnRules,
    has_texts: bool,
    text: String,
}

impl<'a> NullCells<'a> {
    pub fn new(rules: &'a ColumnRules) -> Self {
        NullCells { rules, has_texts: rules.has_null_texts(), text: String::new() }
    }

    pub fn contains(&mut self, cell: Cell, sheet: &Sheet) -> bool {
        if !self.has_texts {
            return false;
        }
        self.text.clear();
        write_text(cell, sheet, &mut self.text);
        self.rules.is_null(self.text.as_bytes(), true)
    }
}
