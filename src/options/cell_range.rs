//! Cells by their names: `B3:F20`, `Sheet1!$B$3:$F$20`, `B:F`, `3:20`.

use std::fmt;
use std::str::FromStr;

/// Rows and columns of a sheet, from 0, the last ones included; a side that is open reaches as far as
/// there are cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellRange {
    /// The sheet; every sheet where absent.
    pub sheet: Option<String>,
    /// The first row.
    pub top: Option<u32>,
    /// The first column.
    pub left: Option<u32>,
    /// The last row.
    pub bottom: Option<u32>,
    /// The last column.
    pub right: Option<u32>,
}

/// Rows and columns that a sheet may have.
const ROWS: u32 = 1_048_576;
const COLUMNS: u32 = 16_384;

impl FromStr for CellRange {
    type Err = String;

    /// ```
    /// use tablemill::options::CellRange;
    /// let range: CellRange = "'Q1 2026'!$B$3:F20".parse().unwrap();
    /// assert_eq!(range.sheet.as_deref(), Some("Q1 2026"));
    /// assert_eq!((range.top, range.left), (Some(2), Some(1)));
    /// assert!("B3:".parse::<CellRange>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "got {text:?}, expected cells such as \"B3:F20\", \"Sheet1!B3:F20\", columns such as \
                 \"B:F\" or rows such as \"3:20\""
            )
        };
        let (sheet, cells) = match text.rsplit_once('!') {
            Some((sheet, cells)) => (Some(unquoted(sheet).ok_or_else(wrong)?), cells),
            None => (None, text),
        };
        let corner = |text: &str| corner(text).ok_or_else(wrong);
        let (first, last) = match cells.split_once(':') {
            Some((first, last)) => (corner(first)?, corner(last)?),
            // One cell; a column or row alone is not told from a misspelt one.
            None => match corner(cells)? {
                cell @ (Some(_), Some(_)) => (cell, cell),
                _ => return Err(wrong()),
            },
        };
        if first.0.is_some() != last.0.is_some() || first.1.is_some() != last.1.is_some() {
            return Err(wrong());
        }
        // Excel takes corners in any order.
        Ok(CellRange {
            sheet,
            top: first.0.min(last.0),
            left: first.1.min(last.1),
            bottom: first.0.max(last.0),
            right: first.1.max(last.1),
        })
    }
}

/// `Sheet1`, `'Bob''s sheet'`.
fn unquoted(sheet: &str) -> Option<String> {
    let sheet = match sheet.strip_prefix('\'') {
        Some(rest) => rest.strip_suffix('\'')?.replace("''", "'"),
        None => sheet.to_owned(),
    };
    (!sheet.is_empty()).then_some(sheet)
}

/// The row and the column of `$B$3`, `B` or `3`.
fn corner(text: &str) -> Option<(Option<u32>, Option<u32>)> {
    let rest = text.trim();
    let rest = rest.strip_prefix('$').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (letters, rest) = rest.split_at(end);
    let column = match letters {
        "" => None,
        letters => Some(column_of(letters)?),
    };
    let digits = if letters.is_empty() { rest } else { rest.strip_prefix('$').unwrap_or(rest) };
    let row = match digits {
        "" => None,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let row: u32 = digits.parse().ok()?;
            Some(row.checked_sub(1).filter(|row| *row < ROWS)?)
        }
        _ => return None,
    };
    (row.is_some() || column.is_some()).then_some((row, column))
}

/// The position from 0 of the column that Excel calls by these letters.
fn column_of(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let mut column = 0;
    for byte in letters.bytes() {
        if !byte.is_ascii_alphabetic() {
            return None;
        }
        column = column * 26 + u32::from(byte.to_ascii_uppercase() - b'A') + 1;
    }
    Some(column - 1).filter(|column| *column < COLUMNS)
}

/// The columns of `A:C,F`, from 0; `None` where the text is nothing of that kind.
pub(crate) fn columns_of(text: &str) -> Option<Vec<u32>> {
    let mut columns = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let (first, last) = (column_of(first.trim())?, column_of(last.trim())?);
        columns.extend(first.min(last)..=first.max(last));
    }
    Some(columns)
}

impl fmt::Display for CellRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sheet) = &self.sheet {
            write!(f, "{}!", quoted(sheet))?;
        }
        let corner = |row: Option<u32>, column: Option<u32>| {
            let mut text = column.map(column_name).unwrap_or_default();
            if let Some(row) = row {
                text.push_str(&(u64::from(row) + 1).to_string());
            }
            text
        };
        let (first, last) = (corner(self.top, self.left), corner(self.bottom, self.right));
        if first == last && self.top.is_some() && self.left.is_some() {
            return f.write_str(&first);
        }
        write!(f, "{first}:{last}")
    }
}

/// A sheet's name as it stands before `!`.
fn quoted(sheet: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let is_word = sheet.chars().all(is_plain) && sheet.starts_with(char::is_alphabetic);
    if is_word { sheet.to_owned() } else { format!("'{}'", sheet.replace('\'', "''")) }
}

/// A column as Excel names it: `C`.
fn column_name(column: u32) -> String {
    let mut letters = Vec::new();
    let mut left = u64::from(column) + 1;
    while left > 0 {
        letters.push(char::from(b'A' + ((left - 1) % 26) as u8));
        left = (left - 1) / 26;
    }
    letters.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_back() {
        for (text, shown) in [
            ("B3:F20", "B3:F20"),
            ("$B$3:$F$20", "B3:F20"),
            ("F20:B3", "B3:F20"),
            ("b3", "B3"),
            ("B:F", "B:F"),
            ("C:C", "C:C"),
            ("3:20", "3:20"),
            ("Sheet1!A1:XFD1048576", "Sheet1!A1:XFD1048576"),
            ("'Bob''s sheet'!A1:B2", "'Bob''s sheet'!A1:B2"),
            ("Über!A1:B2", "Über!A1:B2"),
        ] {
            let range: CellRange = text.parse().unwrap_or_else(|problem| panic!("{problem}"));
            assert_eq!(range.to_string(), shown);
            assert_eq!(shown.parse(), Ok(range));
        }
        for text in
            ["", "B3:", ":", "B", "3", "B3:F", "3:F", "A0:B2", "XFE1:A2", "A1:B2:C3", "!A1", "1A"]
        {
            assert!(text.parse::<CellRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn columns_by_letters() {
        assert_eq!(columns_of("A:C,F"), Some(vec![0, 1, 2, 5]));
        assert_eq!(columns_of("c : a"), Some(vec![0, 1, 2]));
        assert_eq!(columns_of("amount"), None);
        assert_eq!(columns_of("A1"), None);
        assert_eq!(columns_of(""), None);
    }
}
