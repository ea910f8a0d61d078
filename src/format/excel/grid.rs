//! Which cells of a sheet are tables: those that options name, the workbook's own tables, or what is
//! found.

use super::cover::Cover;
use super::header::{self, Layout};
use super::notes;
use super::own;
use super::region;
use super::sheet::{Area, CellColumn, NamedTable, Sheet};
use crate::context::Context;
use crate::error::Result;
use crate::options::{CellRange, Header, ParserOptions, SkipRows};
use crate::report::{Code, Issue, Stage};

/// The cells of one table.
#[derive(Debug)]
pub(super) struct Grid {
    pub table: String,
    /// The columns' names as the file has them; empty where it has none.
    pub names: Vec<String>,
    /// The cells, header included.
    pub area: Area,
    /// The header's rows, counted from the first.
    pub header: Header,
    /// Sheet row of the first row of data.
    pub first_row: u32,
    pub rows: u32,
    /// Whether the workbook names it.
    pub is_named: bool,
}

/// The tables of a sheet.
#[derive(Debug, Default)]
pub(super) struct Grids {
    pub grids: Vec<Grid>,
    /// Rows that options left out, by sheet row: those that follow have moved up.
    pub removed: Vec<u32>,
    /// Whether nothing stands around the only table, so that `header` alone gives it again.
    pub is_plain: bool,
    /// Whether tables were looked for.
    pub is_found: bool,
    /// Why there is no table where options look for one.
    pub refused: Vec<Issue>,
}

/// The tables of this sheet that the options ask for; all that are there where they ask for none.
pub(super) fn grids(sheet: &mut Sheet, context: &mut Context<'_>) -> Result<Grids> {
    let parser = context.parser();
    let mut found = if let Some(wanted) = &parser.table_name {
        let tables = std::mem::take(&mut sheet.tables);
        let wanted = tables.iter().filter(|table| wanted.contains(&table.name));
        Grids {
            grids: wanted.map(|table| named(sheet, table, context)).collect(),
            ..Grids::default()
        }
    } else if let Some(ranges) = &parser.range {
        in_ranges(sheet, ranges, context)?
    } else if asks_for_rows(parser) {
        in_rows(sheet, context)?
    } else {
        everywhere(sheet, context)?
    };
    for grid in &mut found.grids {
        if let Some(wanted) = parser.nrows {
            grid.rows = grid.rows.min(u32::try_from(wanted).unwrap_or(u32::MAX));
        }
        check_size(sheet, grid, context)?;
        let below = grid.first_row.saturating_add(grid.rows);
        grid.area.bottom = below.saturating_sub(1).max(grid.area.top);
    }
    Ok(found)
}

/// Whether options say where in the sheet the table is, as pandas has it: then all cells are one.
fn asks_for_rows(parser: &ParserOptions) -> bool {
    parser.header.is_some()
        || parser.skiprows.is_some()
        || parser.names.is_some()
        || parser.skipfooter.is_some()
}

/// The workbook's own tables, and those found among the other cells.
fn everywhere(sheet: &mut Sheet, context: &mut Context<'_>) -> Result<Grids> {
    let tables = std::mem::take(&mut sheet.tables);
    let own: Vec<Area> = tables.iter().map(|table| table.area).collect();
    let cover = Cover::new(sheet, &own);
    let mut regions = region::regions(sheet, &cover, own.is_empty(), context.limits)?;
    let (tables, mut grown) = own::apart(sheet, &cover, &mut regions, tables, context);
    let own: Vec<Area> = tables.iter().map(|table| table.area).collect();
    let mut layouts: Vec<(Area, Layout)> = regions
        .tables
        .iter()
        .map(|area| (*area, header::layout(sheet, *area, !regions.is_all_words)))
        .collect();
    layouts.sort_by_key(|(area, layout)| (layout.top, area.left));
    let mut areas: Vec<Area> = own;
    areas.extend(&regions.tables);
    for area in &regions.loose {
        notes::loose(sheet, *area, &areas, context);
    }
    let mut grids: Vec<Grid> = tables.iter().map(|table| named(sheet, table, context)).collect();
    let (mut index, mut has_gap) = (0, false);
    for (area, layout) in &layouts {
        let table = grown.remove(&(area.top, area.left)).unwrap_or_else(|| {
            index += 1;
            numbered(&sheet.name, index - 1)
        });
        notes::trimmed(sheet, *area, layout, &table, context);
        let area = Area { top: layout.top, bottom: layout.bottom, ..*area };
        let mut grid = grid(sheet, table, area, layout, context);
        let first = grid.first_row;
        skip_blank_rows(sheet, &mut grid);
        has_gap |= grid.first_row != first;
        grids.push(grid);
    }
    // In reading order, whoever names them.
    grids.sort_by_key(|grid| (grid.area.top, grid.area.left));
    let is_plain = match (&regions.tables[..], &layouts[..]) {
        ([area], [(_, layout)]) => {
            regions.loose.is_empty()
                && !has_gap
                && tables.is_empty()
                && layout.top == area.top
                && layout.bottom == area.bottom
                && used(sheet) == Some(*area)
        }
        _ => false,
    };
    Ok(Grids { grids, is_plain, is_found: true, ..Grids::default() })
}

/// `Sheet1`, `Sheet1 2`, `Sheet1 3`.
fn numbered(sheet: &str, index: usize) -> String {
    if index == 0 { sheet.to_owned() } else { format!("{sheet} {}", index + 1) }
}

/// The areas that the option `range` names.
fn in_ranges(sheet: &mut Sheet, ranges: &[CellRange], context: &mut Context<'_>) -> Result<Grids> {
    let parser = context.parser();
    if let Some(SkipRows::Lines(_)) = parser.skiprows {
        let message = "skiprows as a list and range do not go together";
        let issue = Issue::error(Stage::Parse, Code::BadOption, message);
        return Err(issue
            .hint("leave the rows out by the range, or give skiprows a number")
            .into());
    }
    let cover = Cover::new(sheet, &[]);
    let mut found = Grids::default();
    for range in ranges.iter().filter(|range| is_of(range, &sheet.name)) {
        let Some(area) = area_of(range, &cover) else {
            let message = format!("the range {range} of the sheet {:?} has no cells", sheet.name);
            let issue = Issue::warning(Stage::Parse, Code::EmptySheet, message);
            context.reporter.push(issue.table(&sheet.name));
            continue;
        };
        let table = numbered(&sheet.name, found.grids.len());
        match in_area(sheet, table, area, area.top, false, context) {
            Ok(grid) => found.grids.push(grid),
            Err(issue) => found.refused.push(*issue),
        }
    }
    Ok(found)
}

/// Whether the range is one of this sheet.
pub(super) fn is_of(range: &CellRange, sheet: &str) -> bool {
    range.sheet.as_ref().is_none_or(|name| name == sheet)
}

/// Open sides reach as far as there are cells; `None` where the range has none.
fn area_of(range: &CellRange, cover: &Cover) -> Option<Area> {
    let asked = Area {
        top: range.top.unwrap_or(0),
        left: range.left.unwrap_or(0),
        bottom: range.bottom.unwrap_or(u32::MAX),
        right: range.right.unwrap_or(u32::MAX),
    };
    let filled = cover.bounds(asked)?;
    Some(Area {
        top: range.top.unwrap_or(filled.top),
        left: range.left.unwrap_or(filled.left),
        bottom: range.bottom.unwrap_or(filled.bottom),
        right: range.right.unwrap_or(filled.right),
    })
}

/// All cells as one table, without the rows that the options leave out.
fn in_rows(sheet: &mut Sheet, context: &mut Context<'_>) -> Result<Grids> {
    let parser = context.parser();
    let mut found = Grids::default();
    if let Some(SkipRows::Lines(lines)) = &parser.skiprows {
        found.removed = lines.iter().filter_map(|line| u32::try_from(*line).ok()).collect();
        sheet.columns.iter_mut().for_each(|column| remove_rows(column, &found.removed));
        // Where cells were merged is no longer where they are.
        sheet.merged.clear();
    }
    let Some(area) = used(sheet) else { return Ok(found) };
    let trim = parser.header.is_none() && parser.skiprows.is_none();
    let start = if parser.skiprows.is_some() { 0 } else { area.top };
    match in_area(sheet, sheet.name.clone(), area, start, trim, context) {
        Ok(grid) => found.grids.push(grid),
        Err(issue) => found.refused.push(*issue),
    }
    Ok(found)
}

/// The corners of all cells, texts of blanks included.
fn used(sheet: &Sheet) -> Option<Area> {
    let filled = || sheet.columns.iter().enumerate().filter(|(_, column)| column.len() > 0);
    let rows = || filled().map(|(_, column)| column.rows());
    Some(Area {
        top: rows().filter_map(|rows| rows.first().copied()).min()?,
        left: filled().next()?.0 as u32,
        bottom: rows().filter_map(|rows| rows.last().copied()).max()?,
        right: filled().next_back()?.0 as u32,
    })
}

/// Takes these rows out; they leave no gap.
fn remove_rows(column: &mut CellColumn, removed: &[u32]) {
    let cells = std::mem::take(column);
    for at in 0..cells.len() {
        let cell = cells.get(at);
        let above = removed.partition_point(|row| *row < cell.row);
        if removed.get(above) != Some(&cell.row) {
            column.push(cell.row - above as u32, cell.tag, cell.bits);
        }
    }
}

/// One table of an area by pandas' options; rows are skipped from `start` on. An issue where they
/// leave nothing.
fn in_area(
    sheet: &Sheet,
    table: String,
    mut area: Area,
    start: u32,
    trim: bool,
    context: &mut Context<'_>,
) -> std::result::Result<Grid, Box<Issue>> {
    let last = u64::from(area.bottom) + 1;
    let beyond = |what: String| {
        let message = format!("{what} of the sheet {:?}, whose last row is {last}", sheet.name);
        Box::new(Issue::error(Stage::Parse, Code::BadOption, message).table(&table))
    };
    let parser = context.parser();
    if let Some(skip) = &parser.skiprows {
        let rows = match skip {
            SkipRows::First(rows) => u32::try_from(*rows).unwrap_or(u32::MAX),
            SkipRows::Lines(_) => 0,
        };
        area.top = area.top.max(start.saturating_add(rows));
        if parser.range.is_none() && rows > 0 {
            // Rows that are asked for begin where the option says, blank or not.
            area.top = start.saturating_add(rows);
        }
    }
    if area.top > area.bottom {
        return Err(beyond("skiprows leaves no row".to_owned()));
    }
    let found = header::layout(sheet, area, trim);
    let whole = Area { top: found.top, ..area };
    let header = match &parser.header {
        Some(header) => header.clone(),
        None if parser.names.is_some() => Header::None,
        None => found.header.clone(),
    };
    if let Header::Rows(rows) = &header
        && let Some(asked) =
            rows.last().filter(|row| u64::from(whole.top) + 1 > last.saturating_sub(**row))
    {
        return Err(beyond(format!("header names row {asked}, which is not among those")));
    }
    if trim {
        let layout = Layout { bottom: area.bottom, ..found.clone() };
        notes::trimmed(sheet, area, &layout, &table, context);
    }
    let layout = Layout { header, bottom: area.bottom, ..found };
    let mut grid = grid(sheet, table, whole, &layout, context);
    if parser.header.is_none() {
        skip_blank_rows(sheet, &mut grid);
    }
    let footer = u32::try_from(parser.skipfooter.unwrap_or(0)).unwrap_or(u32::MAX);
    grid.rows = grid.rows.saturating_sub(footer);
    if let Some(given) = &parser.names {
        if given.len() > grid.names.len() {
            let message = format!(
                "names has {} names for {} columns; those at its end were not used",
                given.len(),
                grid.names.len()
            );
            let issue = Issue::warning(Stage::Parse, Code::OptionIgnored, message);
            context.reporter.push(issue.table(&grid.table));
        }
        grid.names.iter_mut().zip(given).for_each(|(name, given)| name.clone_from(given));
    }
    Ok(grid)
}

/// The table of an area whose layout is known.
fn grid(sheet: &Sheet, table: String, area: Area, layout: &Layout, context: &Context<'_>) -> Grid {
    let (names, first_row) = match &layout.header {
        Header::None => (positions(area, context), area.top),
        Header::Rows(rows) => {
            let last = rows.last().copied().unwrap_or_default();
            let below = u64::from(area.top) + last + 1;
            let names = header::names(sheet, area, area.top, rows);
            (names, u32::try_from(below).unwrap_or(u32::MAX))
        }
    };
    Grid {
        table,
        names,
        area,
        header: layout.header.clone(),
        first_row,
        rows: area.bottom.saturating_add(1).saturating_sub(first_row),
        is_named: false,
    }
}

/// Blank rows between the header and the data are no rows.
fn skip_blank_rows(sheet: &Sheet, grid: &mut Grid) {
    let end = grid.first_row.saturating_add(grid.rows);
    let columns =
        (grid.area.left..=grid.area.right).filter_map(|at| sheet.columns.get(at as usize));
    let first = columns.filter_map(|column| {
        let cells = column.between(grid.first_row, end);
        cells.clone().next().map(|at| column.rows()[at])
    });
    let first = first.min().unwrap_or(grid.first_row);
    grid.rows -= first - grid.first_row;
    grid.first_row = first;
}

/// The names of columns without a header.
fn positions(area: Area, context: &Context<'_>) -> Vec<String> {
    let prefix = context.parser().prefix.clone().unwrap_or_default();
    (0..=area.right - area.left).map(|index| format!("{prefix}{index}")).collect()
}

/// A table that the workbook names.
fn named(sheet: &Sheet, table: &NamedTable, context: &mut Context<'_>) -> Grid {
    let area = table.area;
    let header = match table.header_rows {
        0 => Header::None,
        rows => Header::Rows((0..u64::from(rows)).collect()),
    };
    let totals = table.totals_rows.min(area.bottom - area.top);
    let bottom = area.bottom - totals;
    let layout = Layout { top: area.top, header, bottom };
    let mut grid = grid(sheet, table.name.clone(), Area { bottom, ..area }, &layout, context);
    if totals > 0 {
        let rows = Area { top: bottom + 1, ..area };
        notes::totals(sheet, rows, &table.name, context);
    }
    for (name, known) in grid.names.iter_mut().zip(&table.columns) {
        if name.is_empty() || table.header_rows == 0 {
            name.clone_from(known);
        }
    }
    // Rows kept ready for what is to come hold nothing yet.
    let last = (area.left..=area.right).filter_map(|column| {
        let column = sheet.columns.get(column as usize)?;
        let cells = column.between(grid.first_row, bottom.saturating_add(1));
        Some(column.rows()[cells.last()?])
    });
    grid.rows = last.max().map_or(0, |last| last + 1 - grid.first_row);
    grid.is_named = true;
    grid
}

/// Corners far apart span a table of mostly nothing, which would not fit into memory.
fn check_size(sheet: &Sheet, grid: &Grid, context: &Context<'_>) -> Result<()> {
    let (width, height) =
        (grid.names.len() as u64, u64::from(grid.area.bottom - grid.area.top) + 1);
    let spanned = width * height;
    if spanned > context.limits.sheet_cells {
        let cells: u64 = sheet.columns.iter().map(|column| column.len() as u64).sum();
        let message = format!(
            "{cells} cells of the sheet {:?} span {height} rows and {width} columns: {spanned} \
             cells, allowed are {}",
            sheet.name, context.limits.sheet_cells
        );
        let issue = Issue::limit(Code::TooManyCells, message, "sheet_cells").table(&sheet.name);
        return Err(issue.hint("remove the stray cells far from the table").into());
    }
    Ok(())
}
