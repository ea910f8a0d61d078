//! The values that options take where they are more than a text or a number.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;

/// Where the column names are.
#[derive(Clone, Debug, PartialEq)]
pub enum Header {
    /// There are none.
    None,
    /// In these rows, counted from 0 after skipped ones; several are joined with a space.
    Rows(Vec<u64>),
}

/// Columns by name or by position from 0.
pub type Columns = Vec<String>;

/// Lines left out at the top.
#[derive(Clone, Debug, PartialEq)]
pub enum SkipRows {
    /// The first so many.
    First(u64),
    /// These, from 0, in rising order.
    Lines(Vec<u64>),
}

/// What to do with a row that has too many or too few cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLines {
    /// Refuse the file.
    Error,
    /// Leave the row out and say so.
    Warn,
    /// Leave the row out; it is only counted.
    Skip,
}

/// What to do with bytes that are no text in the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodingErrors {
    /// Refuse the file.
    Strict,
    /// Put U+FFFD in their place and say so.
    Replace,
}

/// The types asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Dtypes {
    /// One for every column.
    All(DataType),
    /// By column name (or position, as text).
    ByName(BTreeMap<String, DataType>),
    /// By position.
    ByPosition(Vec<DataType>),
    /// Leave values as the file has them (`false`).
    AsIs,
}

/// Which columns hold dates.
#[derive(Clone, Debug, PartialEq)]
pub enum ParseDates {
    /// Every column may, or none.
    All(bool),
    /// These, by name or position.
    Columns(Columns),
}

/// Texts that mean null, besides or instead of the usual ones.
#[derive(Clone, Debug, PartialEq)]
pub enum NaValues {
    /// In every column.
    All(Vec<String>),
    /// By column name.
    ByName(BTreeMap<String, Vec<String>>),
}

/// Which sheets to read.
#[derive(Clone, Debug, PartialEq)]
pub enum Sheets {
    /// All, one table each.
    All,
    /// These, by name or position from 0.
    Some(Vec<String>),
}

/// An option nobody knows.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownOption {
    /// As it was given.
    pub name: String,
    /// The known one that was probably meant.
    pub nearest: Option<&'static str>,
}

/// A known option with an impossible value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct OptionProblem {
    /// The option.
    pub name: String,
    /// What was got and what was expected.
    pub problem: String,
}
