//! A sheet as its reader left it: cells by column, packed, and what the file says of areas of it.
//!
//! Every reader of workbooks fills a [`Sheet`]; what finds tables in it and types them sees nothing else.

use std::sync::Arc;

use super::place::{COLUMNS, ROWS};
use crate::error::Result;
use crate::report::{Code, Issue, Stage};

/// What a cell holds. Its value is 64 bits, read by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// A number: the bits of an `f64`, which is how workbooks keep whole numbers too.
    Number,
    /// A whole number: an `i64`.
    Whole,
    /// 0 or 1.
    Bool,
    /// A text: its index in [`Sheet::shared`].
    Shared,
    /// A text: its index in [`Sheet::own`].
    Own,
    /// Days since the workbook's epoch (bits of an `f64`), in a format that shows a date only.
    Date,
    /// Days since the workbook's epoch, in a format that shows a date and a time.
    Stamp,
    /// Days since the workbook's epoch, in a format that shows a time of day only.
    Time,
    /// Days since the workbook's epoch, where it is not known what of it the format shows.
    Moment,
    /// A length of time in days (bits of an `f64`), in a format such as `[h]:mm`.
    Duration,
    /// An ISO 8601 date, time or both: its index in [`Sheet::own`].
    Iso,
    /// An error such as `#N/A`: its text's index in [`Sheet::own`].
    Error,
}

/// A cell: sheet row from 0, what it holds, the bits of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub row: u32,
    pub tag: Tag,
    pub bits: u64,
}

/// The cells of one sheet column that are not empty, in rising order of rows.
#[derive(Clone, Debug, Default)]
pub(super) struct CellColumn {
    rows: Vec<u32>,
    tags: Vec<Tag>,
    bits: Vec<u64>,
    unordered: bool,
}

impl CellColumn {
    /// Adds a cell; rows may come in any order, and the last cell of a place counts.
    #[inline]
    pub fn push(&mut self, row: u32, tag: Tag, bits: u64) {
        self.unordered |= self.rows.last().is_some_and(|last| *last >= row);
        self.rows.push(row);
        self.tags.push(tag);
        self.bits.push(bits);
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn get(&self, index: usize) -> Cell {
        Cell { row: self.rows[index], tag: self.tags[index], bits: self.bits[index] }
    }

    /// The sheet rows of the cells.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The cells of rows `from .. to`, as a range of indices.
    pub fn between(&self, from: u32, to: u32) -> std::ops::Range<usize> {
        let at = |row: u32| self.rows.partition_point(|other| *other < row);
        at(from)..at(to).max(at(from))
    }

    /// Makes errors of the texts in an area's rows.
    pub fn mark_errors(&mut self, area: Area) {
        for at in self.between(area.top, area.bottom.saturating_add(1)) {
            if self.tags[at] == Tag::Own {
                self.tags[at] = Tag::Error;
            }
        }
    }

    fn settle(&mut self) {
        if !self.unordered {
            return;
        }
        let mut cells: Vec<Cell> = (0..self.len()).map(|index| self.get(index)).collect();
        cells.sort_by_key(|cell| cell.row);
        *self = CellColumn::default();
        for (index, cell) in cells.iter().enumerate() {
            if cells.get(index + 1).is_none_or(|next| next.row != cell.row) {
                self.push(cell.row, cell.tag, cell.bits);
            }
        }
    }
}

/// Texts one behind the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    data: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Adds a text; gives its index.
    pub fn push(&mut self, text: &str) -> u64 {
        self.data.push_str(text);
        self.ends.push(self.data.len());
        self.ends.len() as u64 - 1
    }

    /// The text of an index; nothing where there is none.
    pub fn get(&self, index: u64) -> &str {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(end) = self.ends.get(index) else { return "" };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.data[start..*end]
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }
}

/// Rows and columns of a sheet, from 0, the last ones included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub top: u32,
    pub left: u32,
    pub bottom: u32,
    pub right: u32,
}

/// A table that the workbook itself names (Excel's "format as table").
#[derive(Clone, Debug)]
pub(super) struct NamedTable {
    pub name: String,
    /// With its header and totals.
    pub area: Area,
    /// 0 or 1.
    pub header_rows: u32,
    /// 0 or 1.
    pub totals_rows: u32,
    /// The columns' names, as far as the file has them.
    pub columns: Vec<String>,
}

/// A sheet.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    pub name: String,
    pub hidden: bool,
    /// By sheet column from 0 (A).
    pub columns: Vec<CellColumn>,
    /// The workbook's texts.
    pub shared: Arc<Texts>,
    /// This sheet's texts.
    pub own: Texts,
    /// Cells merged into one; the value stands in the first.
    pub merged: Vec<Area>,
    pub tables: Vec<NamedTable>,
    /// Days are counted from 1904-01-01, not from 1899-12-30.
    pub from_1904: bool,
}

impl Sheet {
    /// Adds a cell, if `left` allows one more in the workbook.
    #[inline]
    pub fn push(
        &mut self,
        row: u32,
        column: u32,
        tag: Tag,
        bits: u64,
        left: &mut u64,
    ) -> Result<()> {
        *left = left.checked_sub(1).ok_or_else(too_many)?;
        if row >= ROWS || column >= COLUMNS {
            return Err(outside(row, column));
        }
        let column = column as usize;
        if column >= self.columns.len() {
            self.columns.resize_with(column + 1, CellColumn::default);
        }
        self.columns[column].push(row, tag, bits);
        Ok(())
    }

    /// Puts cells and merged areas that did not come in order in their order. To be called once all
    /// are in.
    pub fn settle(&mut self) {
        self.columns.iter_mut().for_each(CellColumn::settle);
        self.merged.retain(|area| area.top <= area.bottom && area.left <= area.right);
        self.merged.sort_by_key(|area| (area.top, area.left, area.bottom, area.right));
        self.merged.dedup();
    }

    /// The merged areas that begin in rows `from ..= last`.
    pub fn merged_in(&self, from: u32, last: u32) -> &[Area] {
        let start = self.merged.partition_point(|area| area.top < from);
        let end = self.merged.partition_point(|area| area.top <= last);
        self.merged.get(start..end).unwrap_or_default()
    }

    /// The text of a cell that is one; `None` for other cells.
    pub fn text(&self, cell: Cell) -> Option<&str> {
        match cell.tag {
            Tag::Shared => Some(self.shared.get(cell.bits)),
            Tag::Own | Tag::Iso | Tag::Error => Some(self.own.get(cell.bits)),
            _ => None,
        }
    }
}

#[cold]
fn outside(row: u32, column: u32) -> crate::Error {
    let message = format!(
        "the workbook is damaged: a cell in row {} and column {}, but a sheet has {ROWS} rows and \
         {COLUMNS} columns",
        u64::from(row) + 1,
        u64::from(column) + 1
    );
    Issue::error(Stage::Parse, Code::Corrupt, message).into()
}

fn too_many() -> crate::Error {
    Issue::limit(Code::TooManyCells, "more cells than allowed in one workbook", "sheet_cells")
        .into()
}
