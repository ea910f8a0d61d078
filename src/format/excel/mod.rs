//! Workbooks: xls, xlsx, xlsb, ods; the tables of each sheet.
//!
//! Takes a workbook; gives the tables that it names and those found in its sheets, with types that
//! hold for every row. Error cells are null and reported by name, as are cells that are part of no
//! table; empty and chart sheets are reported, not tables. Refuses password-protected files, and
//! tables whose corners span more cells than allowed.

mod allowance;
mod arrays;
mod biff12;
mod cells;
mod census;
mod columns;
mod compound;
mod cover;
mod grid;
mod header;
mod lines;
mod merged;
mod notes;
mod own;
mod place;
mod records;
mod region;
mod sheet;
mod spans;
mod values;
mod xlsx;

use std::sync::Arc;

use self::allowance::Allowance;
use super::csv::unknown_column;
use super::{FormatReader, Input, RawTable, select};
use crate::context::Context;
use crate::decompress::{WorkbookZip, workbook_zip};
use crate::detect::{Confidence, Signature};
use crate::error::Result;
use crate::limits::Limits;
use crate::options::{FileType, Header, Sheets};
use crate::report::{Code, Issue, Severity, Stage};

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

/// Columns' names that a hint chooses from.
const MOST_SHOWN: usize = 10_000;

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
            "range",
            "table_name",
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
        if let Some(long) = names.iter().find(|name| name.len() > header::MOST_NAME) {
            let message = format!(
                "the workbook is damaged: the name of a sheet has {} bytes, expected at most {}",
                long.len(),
                header::MOST_NAME
            );
            return Err(Issue::error(Stage::Parse, Code::Corrupt, message).into());
        }
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
        note_unused(context);
        let mut found = Found::new(input.bytes.len() as u64, context.limits);
        workbook.read(&wanted, context, &mut |_, sheet, context| found.take(sheet, context))?;
        found.finish(context)
    }
}

/// The tables of the sheets so far.
struct Found {
    allowance: Arc<Allowance>,
    tables: Vec<RawTable>,
    /// The tables that the workbook itself names.
    names: Vec<String>,
    ranges: Vec<String>,
    /// The header of every table, as long as they all have the same and nothing around them.
    header: Option<Header>,
    is_odd: bool,
    has_named: bool,
    /// Cells that the tables span, and cells that are there.
    spanned: u64,
    present: u64,
    /// Why tables were left out; an error where none is left.
    refused: Vec<Issue>,
    /// Columns that options name and no table has so far, each with its option; and the columns
    /// that tables have.
    missing: Option<Vec<(&'static str, String)>>,
    columns: Vec<String>,
}

impl Found {
    fn new(input: u64, limits: &Limits) -> Self {
        Found {
            allowance: Arc::new(Allowance::new(input, limits)),
            tables: Vec::new(),
            names: Vec::new(),
            ranges: Vec::new(),
            header: None,
            is_odd: false,
            has_named: false,
            spanned: 0,
            present: 0,
            refused: Vec::new(),
            missing: None,
            columns: Vec::new(),
        }
    }

    /// Columns that options name must be in one table, not in each.
    fn note_columns(&mut self, names: &[String], context: &Context<'_>) {
        let here = select::missing_columns(names, context);
        match &mut self.missing {
            Some(missing) => missing.retain(|column| here.contains(column)),
            None => self.missing = Some(here),
        }
        let room = MOST_SHOWN.saturating_sub(self.columns.len());
        self.columns.extend(names.iter().take(room).cloned());
    }

    /// The tables, or why there are none.
    fn finish(self, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        self.note_options(context);
        if let Some(missing) = self.missing_table(context) {
            return Err(missing.into());
        }
        if let Some((option, column)) = self.missing.iter().flatten().next() {
            return Err(unknown_column(option, column, &self.columns).into());
        }
        if !self.tables.is_empty() {
            for issue in self.refused {
                let message = format!("a table was left out: {}", issue.message);
                let severity = Severity::Warning;
                context.reporter.push(Issue { severity, message, ..issue });
            }
            return Ok(self.tables);
        }
        if let Some(first) = self.refused.into_iter().next() {
            return Err(first.into());
        }
        let parser = context.parser();
        let (code, message) = match (parser.range.is_some(), parser.sheet_name.is_some()) {
            (true, _) => (Code::BadOption, "the workbook has no cells where range looks for them"),
            (_, true) => (Code::Empty, "the sheets that sheet_name names have no cells"),
            _ => (Code::Empty, "no sheet of the workbook has cells"),
        };
        Err(Issue::error(Stage::Parse, code, message).into())
    }

    fn take(&mut self, mut sheet: sheet::Sheet, context: &mut Context<'_>) -> Result<()> {
        let name = sheet.name.clone();
        if sheet.columns.iter().all(|column| column.len() == 0) {
            note_empty(&name, context);
            return Ok(());
        }
        self.names.extend(sheet.tables.iter().map(|table| table.name.clone()));
        let mut grids = grid::grids(&mut sheet, context)?;
        let parser = context.parser();
        let is_odd = !grids.refused.is_empty();
        self.refused.append(&mut grids.refused);
        if grids.grids.is_empty()
            && !is_odd
            && parser.range.is_none()
            && parser.table_name.is_none()
        {
            note_empty(&name, context);
        }
        let before = self.tables.len();
        let cells = std::mem::take(&mut sheet.columns);
        self.present += cells.iter().map(|column| column.len() as u64).sum::<u64>();
        let allowance = self.allowance.clone();
        let columns = columns::Columns::new(&sheet, cells, &grids, &allowance);
        for (index, grid) in grids.grids.iter().enumerate() {
            self.spanned += u64::from(grid.rows) * grid.names.len() as u64;
            if self.tables.len() >= context.limits.tables {
                let message = format!("more than {} tables", context.limits.tables);
                return Err(Issue::limit(Code::TooManyTables, message, "tables").into());
            }
            allowance::check_spanned(self.spanned, self.present, context.limits)
                .map_err(|error| error.map_issue(|issue| issue.table(&grid.table)))?;
            self.note_columns(&grid.names, context);
            match columns.table(index, grid, context)? {
                Ok(table) => self.tables.push(table),
                Err(issue) => {
                    self.refused.push(*issue);
                    continue;
                }
            }
            self.ranges.push(notes::area_name(&sheet, grid.area));
            self.has_named |= grid.is_named;
            let header = self.header.get_or_insert_with(|| grid.header.clone());
            self.is_odd |= *header != grid.header;
        }
        self.is_odd |= grids.is_found && !grids.is_plain;
        if sheet.hidden && self.tables.len() > before {
            let message = format!("the sheet {name:?} is hidden in the workbook; it was read too");
            let issue = Issue::warning(Stage::Parse, Code::HiddenSheet, message).table(&name);
            context.reporter.push(issue.hint("sheet_name names the sheets to read"));
        }
        Ok(())
    }

    /// The options that give these tables again.
    fn note_options(&self, context: &mut Context<'_>) {
        super::note_options(context);
        let parser = context.parser();
        if parser.range.is_some() || parser.table_name.is_some() {
            return;
        }
        match &self.header {
            Some(header) if !self.is_odd => {
                let value = match header {
                    Header::None => serde_json::Value::from("none"),
                    Header::Rows(rows) => match rows[..] {
                        [row] => row.into(),
                        _ => rows.clone().into(),
                    },
                };
                context.reporter.option("header", value);
            }
            // The workbook's own tables are found by their names, not by where they are.
            Some(_) if !self.has_named => {
                context.reporter.option("range", self.ranges.clone());
            }
            _ => {}
        }
    }

    /// The error of a table that was asked for and is not there.
    fn missing_table(&self, context: &Context<'_>) -> Option<Issue> {
        let wanted = context.parser().table_name.as_ref()?;
        let missing = wanted.iter().find(|name| !self.names.contains(name))?;
        let message = format!("table_name names {missing:?}, which is not there");
        let hint = match self.names.is_empty() {
            true => "the workbook names no tables".to_owned(),
            false => format!("the tables are {}", self.names.join(", ")),
        };
        Some(Issue::error(Stage::Parse, Code::BadOption, message).hint(hint))
    }
}

/// A table that the workbook names has its own rows and header.
fn note_unused(context: &mut Context<'_>) {
    if context.parser().table_name.is_none() {
        return;
    }
    for option in ["header", "names", "skiprows", "skip_rows", "skipfooter"] {
        if context.parser().given().contains_key(option) {
            let message = format!("the option {option} has no meaning with table_name");
            let issue = Issue::warning(Stage::Parse, Code::OptionIgnored, message);
            context.reporter.push(issue.hint("range reads the same cells with any option"));
        }
    }
}

fn note_empty(sheet: &str, context: &mut Context<'_>) {
    let message = format!("the sheet {sheet:?} has no cells");
    let issue = Issue::warning(Stage::Parse, Code::EmptySheet, message);
    context.reporter.push(issue.table(sheet));
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

/// The sheets that `sheet_name` asks for, by name or position from 0, or that `range` names; all by
/// default.
fn wanted_sheets(names: &[String], context: &Context<'_>) -> Result<Vec<usize>> {
    let unknown = |option: &str, sheet: &str| {
        let message = format!("{option} names the sheet {sheet:?}, which is not there");
        let hint = format!("the sheets are {}", names.join(", "));
        crate::Error::from(Issue::error(Stage::Parse, Code::UnknownSheet, message).hint(hint))
    };
    let parser = context.parser();
    let mut wanted: Vec<usize> = match &parser.sheet_name {
        Some(Sheets::Some(wanted)) => {
            let find = |sheet: &String| {
                let by_name = names.iter().position(|name| name == sheet);
                let by_position = || sheet.parse().ok().filter(|index| *index < names.len());
                by_name.or_else(by_position).ok_or_else(|| unknown("sheet_name", sheet))
            };
            wanted.iter().map(find).collect::<Result<_>>()?
        }
        _ => (0..names.len()).collect(),
    };
    let Some(ranges) = &parser.range else { return Ok(wanted) };
    if parser.table_name.is_some() {
        let message = "got both range and table_name, expected one of them";
        return Err(Issue::error(Stage::Parse, Code::BadOption, message).into());
    }
    let named = ranges.iter().filter_map(|range| range.sheet.as_ref());
    if let Some(missing) = named.clone().find(|sheet| !names.contains(sheet)) {
        return Err(unknown("range", missing));
    }
    wanted.retain(|index| ranges.iter().any(|range| grid::is_of(range, &names[*index])));
    Ok(wanted)
}
