//! The cells of a sheet, as calamine gives them, one after the other and counted.

use std::io::Cursor;

use bytes::Bytes;
use calamine::{Data, DataRef, Ods, Reader, SheetType, Xls, Xlsb, Xlsx};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::options::FileType;
use crate::report::{Code, Issue, Stage};

/// A cell that is not empty: row and column from 0, and its value.
pub(super) type Cell = (u32, u32, Data);

/// An open workbook of any kind.
pub(super) enum Workbook {
    Xlsx(Box<Xlsx<Cursor<Bytes>>>),
    Xlsb(Box<Xlsb<Cursor<Bytes>>>),
    Xls(Box<Xls<Cursor<Bytes>>>),
    Ods(Box<Ods<Cursor<Bytes>>>),
}

impl Workbook {
    pub(super) fn open(file_type: FileType, bytes: &Bytes, context: &Context<'_>) -> Result<Self> {
        let cursor = Cursor::new(bytes.clone());
        if file_type != FileType::Xls {
            crate::decompress::check_workbook(bytes, context.limits)?;
        }
        Ok(match file_type {
            FileType::Xls => Workbook::Xls(Box::new(Xls::new(cursor).map_err(corrupt)?)),
            FileType::Xlsb => Workbook::Xlsb(Box::new(Xlsb::new(cursor).map_err(corrupt)?)),
            FileType::Ods => Workbook::Ods(Box::new(Ods::new(cursor).map_err(corrupt)?)),
            _ => Workbook::Xlsx(Box::new(Xlsx::new(cursor).map_err(corrupt)?)),
        })
    }

    fn sheets(&self) -> &[calamine::Sheet] {
        match self {
            Workbook::Xlsx(workbook) => workbook.sheets_metadata(),
            Workbook::Xlsb(workbook) => workbook.sheets_metadata(),
            Workbook::Xls(workbook) => workbook.sheets_metadata(),
            Workbook::Ods(workbook) => workbook.sheets_metadata(),
        }
    }

    pub(super) fn sheet_names(&self) -> Vec<String> {
        self.sheets().iter().map(|sheet| sheet.name.clone()).collect()
    }

    /// The cells of a sheet in reading order; `None` for a sheet that holds no cells by its nature.
    pub(super) fn sheet(
        &mut self,
        index: usize,
        left: &mut u64,
        context: &mut Context<'_>,
    ) -> Result<Option<Vec<Cell>>> {
        let sheet = &self.sheets()[index];
        let name = sheet.name.clone();
        if sheet.typ != SheetType::WorkSheet {
            let message = format!("the sheet {name:?} is no worksheet and was left out");
            let issue = Issue::warning(Stage::Parse, Code::EmptySheet, message);
            context.reporter.push(issue.table(name));
            return Ok(None);
        }
        let at_sheet = |error: Error| error.map_issue(|issue| issue.table(&name));
        let mut cells = Vec::new();
        match self {
            Workbook::Xlsx(workbook) => {
                let mut reader =
                    workbook.worksheet_cells_reader(&name).map_err(corrupt).map_err(at_sheet)?;
                while let Some(cell) = reader.next_cell().map_err(corrupt).map_err(at_sheet)? {
                    let (row, column) = cell.get_position();
                    push(&mut cells, row, column, owned(cell.get_value()), left)
                        .map_err(at_sheet)?;
                }
            }
            Workbook::Xlsb(workbook) => {
                let mut reader =
                    workbook.worksheet_cells_reader(&name).map_err(corrupt).map_err(at_sheet)?;
                while let Some(cell) = reader.next_cell().map_err(corrupt).map_err(at_sheet)? {
                    let (row, column) = cell.get_position();
                    push(&mut cells, row, column, owned(cell.get_value()), left)
                        .map_err(at_sheet)?;
                }
            }
            Workbook::Xls(workbook) => {
                let range = workbook.worksheet_range(&name).map_err(corrupt).map_err(at_sheet)?;
                from_range(&range, &mut cells, left).map_err(at_sheet)?;
            }
            Workbook::Ods(workbook) => {
                let range = workbook.worksheet_range(&name).map_err(corrupt).map_err(at_sheet)?;
                from_range(&range, &mut cells, left).map_err(at_sheet)?;
            }
        }
        // Writers put cells in order, but nothing makes them.
        cells.sort_by_key(|(row, column, _)| (*row, *column));
        Ok(Some(cells))
    }
}

fn from_range(range: &calamine::Range<Data>, cells: &mut Vec<Cell>, left: &mut u64) -> Result<()> {
    let (first_row, first_column) = range.start().unwrap_or_default();
    for (row, column, value) in range.used_cells() {
        let (row, column) = (first_row + row as u32, first_column + column as u32);
        push(cells, row, column, value.clone(), left)?;
    }
    Ok(())
}

fn push(cells: &mut Vec<Cell>, row: u32, column: u32, value: Data, left: &mut u64) -> Result<()> {
    if value == Data::Empty {
        return Ok(());
    }
    *left = left.checked_sub(1).ok_or_else(|| {
        Issue::limit(Code::TooManyCells, "more cells than allowed in one workbook", "sheet_cells")
    })?;
    cells.push((row, column, value));
    Ok(())
}

fn owned(value: &DataRef<'_>) -> Data {
    value.clone().into()
}

/// What calamine says, in our terms.
fn corrupt(error: impl std::fmt::Display) -> Error {
    let message = error.to_string();
    let lower = message.to_lowercase();
    if lower.contains("password") || lower.contains("encrypt") {
        return super::encrypted();
    }
    let code = if super::super::names_unsupported(&lower) {
        Code::UnsupportedFeature
    } else {
        Code::Corrupt
    };
    Issue::error(Stage::Parse, code, format!("the workbook is damaged: {message}")).into()
}
