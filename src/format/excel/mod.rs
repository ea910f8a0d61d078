//! Workbooks: xls, xlsx, xlsb, ods; one table a sheet.
//!
//! Takes a workbook; gives each sheet with cells as a table whose types hold for every row. Error
//! cells are null and reported by name; empty and chart sheets are reported, not tables. Refuses
//! password-protected files, and sheets whose corners span more cells than allowed.

mod cells;
mod columns;
mod compound;
mod grid;
mod place;
mod records;
#[allow(dead_code)]
mod sheet;
mod spans;
mod xlsx;

use super::{FormatReader, Input, RawTable};
use crate::context::Context;
use crate::decompress::{WorkbookZip, workbook_zip};
use crate::detect::{Confidence, Signature};
use crate::error::Result;
use crate::options::{FileType, Sheets};
use crate::report::{Code, Issue, Stage};

/// The reader of one kind of workbook.
#[derive(Debug)]
pub struct Excel {
    file_type: FileType,
    extensions: &'static [&'static str],
}

impl Excel {
    pub(super) const XLSX: Excel =
        Excel { file_type: FileType::Xlsx, extensions: &["xlsx", "xlsm", "xltx", "xltm"] };
    pub(super) const XLS: Excel = Excel { file_type: FileType::Xls, extensions: &["xls", "xlt"] };
    pub(super) const XLSB: Excel = Excel { file_type: FileType::Xlsb, extensions: &["xlsb"] };
    pub(super) const ODS: Excel = Excel { file_type: FileType::Ods, extensions: &["ods"] };
}

/// calamine keeps what lies between the corners of an xls's sheets in memory, 24 bytes and more a cell.
const DENSE_CELLS: u64 = 40_000_000;

/// The head of an OLE2 compound file, which xls and encrypted workbooks are.
const OLE_MAGIC: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

impl Signature for Excel {
    fn file_type(&self) -> FileType {
        self.file_type
    }

    fn extensions(&self) -> &'static [&'static str] {
        self.extensions
    }

    fn recognise(&self, bytes: &[u8]) -> Confidence {
        let is = match self.file_type {
            FileType::Xls => bytes.starts_with(OLE_MAGIC),
            FileType::Xlsx => workbook_zip(bytes) == Some(WorkbookZip::Xlsx),
            FileType::Xlsb => workbook_zip(bytes) == Some(WorkbookZip::Xlsb),
            _ => workbook_zip(bytes) == Some(WorkbookZip::Ods),
        };
        if is { Confidence::Certain } else { Confidence::No }
    }
}

impl FormatReader for Excel {
    fn options(&self) -> &'static [&'static str] {
        &[
            "sheet_name",
            "header",
            "names",
            "usecols",
            "columns",
            "skiprows",
            "skip_rows",
            "skipfooter",
            "nrows",
            "num_rows",
            "dtype",
            "na_values",
            "keep_default_na",
            "na_filter",
            "true_values",
            "false_values",
            "parse_dates",
            "dayfirst",
            "decimal",
            "thousands",
            "mangle_dupe_cols",
            "prefix",
            "index_col",
        ]
    }

    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        if self.file_type == FileType::Xls && has_stream(&input.bytes, "EncryptedPackage") {
            return Err(encrypted());
        }
        if self.file_type == FileType::Xls {
            compound::check(&input.bytes, context.limits.sheet_cells.min(DENSE_CELLS))?;
        }
        let mut workbook = cells::Workbook::open(self.file_type, &input.bytes, context)?;
        let infos = workbook.sheets();
        let names: Vec<String> = infos.iter().map(|info| info.name.clone()).collect();
        let mut wanted = wanted_sheets(&names, context)?;
        wanted.retain(|index| {
            let info = &infos[*index];
            if !info.worksheet {
                let message = format!("the sheet {:?} is no worksheet and was left out", info.name);
                let issue = Issue::warning(Stage::Parse, Code::EmptySheet, message);
                context.reporter.push(issue.table(&info.name));
            }
            info.worksheet
        });
        let mut tables = Vec::new();
        workbook.read(&wanted, context, &mut |_, sheet, context| {
            let name = sheet.name.clone();
            let Some(grid) = grid::Grid::new(&name, old_cells(&sheet), context)? else {
                let message = format!("the sheet {name:?} has no cells");
                let issue = Issue::warning(Stage::Parse, Code::EmptySheet, message);
                context.reporter.push(issue.table(&name));
                return Ok(());
            };
            tables.push(columns::table(&name, grid, context)?);
            Ok(())
        })?;
        super::note_options(context);
        if tables.is_empty() {
            let message = "no sheet of the workbook has cells";
            return Err(Issue::error(Stage::Parse, Code::Empty, message).into());
        }
        Ok(tables)
    }
}

type Cell = (u32, u32, calamine::Data);

/// A sheet as the list of cells that `grid` takes.
fn old_cells(sheet: &sheet::Sheet) -> Vec<Cell> {
    use calamine::{Data, ExcelDateTime, ExcelDateTimeType};
    use sheet::Tag;
    let mut cells = Vec::new();
    for (column, stack) in sheet.columns.iter().enumerate() {
        for index in 0..stack.len() {
            let cell = stack.get(index);
            let text = || sheet.text(cell).unwrap_or_default().to_owned();
            let moment = |kind| {
                Data::DateTime(ExcelDateTime::new(f64::from_bits(cell.bits), kind, sheet.from_1904))
            };
            let value = match cell.tag {
                Tag::Number => Data::Float(f64::from_bits(cell.bits)),
                Tag::Whole => Data::Int(cell.bits.cast_signed()),
                Tag::Bool => Data::Bool(cell.bits == 1),
                Tag::Shared | Tag::Own => Data::String(text()),
                Tag::Date | Tag::Stamp | Tag::Time | Tag::Moment => {
                    moment(ExcelDateTimeType::DateTime)
                }
                Tag::Duration => moment(ExcelDateTimeType::TimeDelta),
                Tag::Iso if text().starts_with('P') => Data::DurationIso(text()),
                Tag::Iso => Data::DateTimeIso(text()),
                Tag::Error => text().parse().map_or_else(|_| Data::String(text()), Data::Error),
            };
            cells.push((cell.row, column as u32, value));
        }
    }
    cells.sort_by_key(|(row, column, _)| (*row, *column));
    cells
}

/// Names in a compound file's directory are UTF-16.
fn has_stream(bytes: &[u8], name: &str) -> bool {
    let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    memchr::memmem::find(bytes, &wide).is_some()
}

fn encrypted() -> crate::Error {
    let message = "the workbook is protected by a password";
    Issue::error(Stage::Parse, Code::Encrypted, message)
        .hint("save it without the password and try again")
        .into()
}

/// The sheets that `sheet_name` asks for, by name or position from 0; all by default.
fn wanted_sheets(names: &[String], context: &Context<'_>) -> Result<Vec<usize>> {
    let Some(Sheets::Some(wanted)) = &context.parser().sheet_name else {
        return Ok((0..names.len()).collect());
    };
    let find = |sheet: &String| {
        let by_name = names.iter().position(|name| name == sheet);
        let by_position = || sheet.parse().ok().filter(|index| *index < names.len());
        by_name.or_else(by_position).ok_or_else(|| {
            let message = format!("sheet_name names {sheet:?}, which is not there");
            let hint = format!("the sheets are {}", names.join(", "));
            Issue::error(Stage::Parse, Code::UnknownSheet, message).hint(hint).into()
        })
    };
    wanted.iter().map(find).collect()
}
