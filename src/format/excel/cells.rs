//! The sheets of a workbook of any kind, read one after the other or side by side.

use std::collections::HashMap;
use std::io::Cursor;

use bytes::Bytes;
use calamine::{Data, DataRef, Ods, Reader, SheetType, SheetVisible, Xls, Xlsb};

use super::biff12;
use super::sheet::{Area, Sheet, Tag};
use super::spans::Spans;
use super::xlsx::Xlsx;
use crate::context::Context;
use crate::decompress::Parts;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::options::FileType;
use crate::report::{Code, Issue, Stage};

/// What a workbook says of one of its sheets.
#[derive(Clone, Debug)]
pub(super) struct SheetInfo {
    pub name: String,
    /// Hidden from the user, or hidden so that only a program can show it.
    pub hidden: bool,
    /// A sheet of cells, not of a chart, a dialog or macros.
    pub worksheet: bool,
}

/// An open workbook of any kind.
pub(super) enum Workbook {
    Xlsx(Box<Xlsx>),
    /// With what is read of it besides.
    Xlsb(Box<Xlsb<Cursor<Bytes>>>, Box<Beside>),
    Xls(Box<Xls<Cursor<Bytes>>>),
    /// With what its reader does not tell, by sheet.
    Ods(Box<Ods<Cursor<Bytes>>>, HashMap<String, Spans>),
}

/// The parts of an xlsb, and for each sheet its name and its part.
pub(super) struct Beside {
    parts: Parts,
    sheets: Vec<(String, String)>,
    limits: Limits,
}

impl Workbook {
    /// Opens a workbook of this kind; reads no cells yet where the kind allows that.
    pub(super) fn open(file_type: FileType, bytes: &Bytes, context: &Context<'_>) -> Result<Self> {
        let cursor = Cursor::new(bytes.clone());
        if !matches!(file_type, FileType::Xls | FileType::Xlsx) {
            Parts::open(bytes, context.limits)?.check(context.limits)?;
        }
        Ok(match file_type {
            FileType::Xls => Workbook::Xls(Box::new(Xls::new(cursor).map_err(corrupt)?)),
            FileType::Xlsb => {
                let workbook = Box::new(Xlsb::new(cursor).map_err(corrupt)?);
                let parts = Parts::open(bytes, context.limits)?;
                // Cells can be read without; so what is damaged here is no error.
                let sheets = biff12::sheets(&parts, context.limits).unwrap_or_default();
                let limits = context.limits.clone();
                Workbook::Xlsb(workbook, Box::new(Beside { parts, sheets, limits }))
            }
            FileType::Ods => {
                let spans = super::spans::spans(bytes, context.limits)?;
                Workbook::Ods(Box::new(Ods::new(cursor).map_err(corrupt)?), spans)
            }
            _ => Workbook::Xlsx(Box::new(Xlsx::open(bytes, context.limits)?)),
        })
    }

    fn metadata(&self) -> &[calamine::Sheet] {
        match self {
            Workbook::Xlsx(_) => &[],
            Workbook::Xlsb(workbook, _) => workbook.sheets_metadata(),
            Workbook::Xls(workbook) => workbook.sheets_metadata(),
            Workbook::Ods(workbook, _) => workbook.sheets_metadata(),
        }
    }

    /// The sheets in the workbook's order.
    pub(super) fn sheets(&self) -> Vec<SheetInfo> {
        if let Workbook::Xlsx(workbook) = self {
            return workbook.sheets();
        }
        let info = |sheet: &calamine::Sheet| SheetInfo {
            name: sheet.name.clone(),
            hidden: sheet.visible != SheetVisible::Visible,
            worksheet: sheet.typ == SheetType::WorkSheet,
        };
        self.metadata().iter().map(info).collect()
    }

    /// Reads these sheets and hands each to `take`, in this order. Sheets that are no worksheets
    /// come without cells.
    pub(super) fn read(
        &mut self,
        wanted: &[usize],
        context: &mut Context<'_>,
        take: &mut dyn FnMut(usize, Sheet, &mut Context<'_>) -> Result<()>,
    ) -> Result<()> {
        if let Workbook::Xlsx(workbook) = self {
            return workbook.read(wanted, context, take);
        }
        let infos = self.sheets();
        let mut spans = match self {
            Workbook::Ods(_, spans) => std::mem::take(spans),
            _ => HashMap::new(),
        };
        let mut left = context.limits.sheet_cells;
        for index in wanted {
            let Some(info) = infos.get(*index) else { continue };
            let mut sheet =
                Sheet { name: info.name.clone(), hidden: info.hidden, ..Sheet::default() };
            let Spans { merged, errors } = spans.remove(&info.name).unwrap_or_default();
            sheet.merged = merged;
            if info.worksheet {
                self.fill(&mut sheet, &mut left)
                    .map_err(|error| error.map_issue(|issue| issue.table(&info.name)))?;
            }
            sheet.settle();
            for area in errors {
                let columns = sheet.columns.iter_mut().take(area.right as usize + 1);
                columns.skip(area.left as usize).for_each(|column| column.mark_errors(area));
            }
            take(*index, sheet, context)?;
        }
        Ok(())
    }

    fn fill(&mut self, sheet: &mut Sheet, left: &mut u64) -> Result<()> {
        let name = sheet.name.clone();
        match self {
            Workbook::Xlsx(_) => {}
            Workbook::Xlsb(workbook, beside) => {
                sheet.from_1904 = workbook.has_1904_epoch();
                let mut reader = workbook.worksheet_cells_reader(&name).map_err(corrupt)?;
                while let Some(cell) = reader.next_cell().map_err(corrupt)? {
                    let value: DataRef<'_> = cell.get_value().clone();
                    push(sheet, cell.get_position(), value.into(), left)?;
                }
                if let Some((_, part)) = beside.sheets.iter().find(|(other, _)| *other == name) {
                    biff12::complete(&beside.parts, part, &beside.limits, sheet, left)?;
                }
            }
            Workbook::Xls(workbook) => {
                sheet.from_1904 = workbook.has_1904_epoch();
                let merged = workbook.merge_cells_by_sheet_name(&name).map_err(corrupt)?;
                sheet.merged = merged.into_iter().map(area).collect();
                let range = workbook.worksheet_range(&name).map_err(corrupt)?;
                from_range(range, sheet, left)?;
            }
            Workbook::Ods(workbook, _) => {
                let range = workbook.worksheet_range(&name).map_err(corrupt)?;
                from_range(range, sheet, left)?;
            }
        }
        Ok(())
    }
}

fn area(dimensions: calamine::Dimensions) -> Area {
    let ((top, left), (bottom, right)) = (dimensions.start, dimensions.end);
    Area { top, left, bottom, right }
}

fn from_range(range: calamine::Range<Data>, sheet: &mut Sheet, left: &mut u64) -> Result<()> {
    let (first_row, first_column) = range.start().unwrap_or_default();
    for (row, column, value) in range.used_cells() {
        let place = (first_row + row as u32, first_column + column as u32);
        push(sheet, place, value.clone(), left)?;
    }
    Ok(())
}

fn push(sheet: &mut Sheet, place: (u32, u32), value: Data, left: &mut u64) -> Result<()> {
    let (tag, bits) = match value {
        Data::Empty => return Ok(()),
        Data::Int(number) => (Tag::Whole, number.cast_unsigned()),
        Data::Float(number) => (Tag::Number, number.to_bits()),
        Data::Bool(flag) => (Tag::Bool, u64::from(flag)),
        Data::String(text) => (Tag::Own, sheet.own.push(&text)),
        Data::DateTime(moment) if moment.is_duration() => {
            (Tag::Duration, moment.as_f64().to_bits())
        }
        Data::DateTime(moment) => (Tag::Moment, moment.as_f64().to_bits()),
        Data::DateTimeIso(text) | Data::DurationIso(text) => (Tag::Iso, sheet.own.push(&text)),
        Data::Error(error) => (Tag::Error, sheet.own.push(&error.to_string())),
    };
    sheet.push(place.0, place.1, tag, bits, left)
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
