//! What is said of cells that are part of no table, and of those that are merged.

use super::header::Layout;
use super::sheet::{Area, Sheet};
use super::values::write_text;
use crate::context::Context;
use crate::options::CellRange;
use crate::report::{Code, Issue, RAW_CHARACTERS, Stage};

/// The area as Excel and the option `range` name it: `Sheet1!B3:F20`.
pub(super) fn area_name(sheet: &Sheet, area: Area) -> String {
    let range = CellRange {
        sheet: Some(sheet.name.clone()),
        top: Some(area.top),
        left: Some(area.left),
        bottom: Some(area.bottom),
        right: Some(area.right),
    };
    range.to_string()
}

/// The texts of an area in reading order, as many as an issue quotes.
fn quoted(sheet: &Sheet, area: Area) -> String {
    let mut text = String::new();
    let bottom = area.bottom.min(area.top.saturating_add(RAW_CHARACTERS as u32));
    let mut cells: Vec<(u32, u32)> = Vec::new();
    let columns = sheet.columns.iter().enumerate().take(area.right as usize + 1);
    for (index, column) in columns.skip(area.left as usize) {
        let found = column.between(area.top, bottom.saturating_add(1));
        cells.extend(found.map(|at| (column.rows()[at], index as u32)));
    }
    cells.sort_unstable();
    for (row, column) in cells {
        let Some(column) = sheet.columns.get(column as usize) else { continue };
        let Some(at) = column.between(row, row + 1).next() else { continue };
        if !text.is_empty() {
            text.push_str(" / ");
        }
        write_text(column.get(at), sheet, &mut text);
        if text.len() > RAW_CHARACTERS * 4 {
            break;
        }
    }
    text
}

fn left_out(sheet: &Sheet, area: Area, code: Code, place: &str, table: &str) -> Issue {
    let name = area_name(sheet, area);
    let (cells, was, them) = match area.top == area.bottom && area.left == area.right {
        true => ("cell", "was", "it"),
        false => ("cells", "were", "them"),
    };
    let message = format!("{cells} {name} {place} {was} left out");
    Issue::warning(Stage::Parse, code, message)
        .table(table)
        .raw(quoted(sheet, area).as_bytes())
        .hint(format!("range={name:?} reads {them}; skiprows=0 reads the whole sheet as one table"))
}

/// The rows of a block that are titles or notes.
pub(super) fn trimmed(
    sheet: &Sheet,
    area: Area,
    layout: &Layout,
    table: &str,
    context: &mut Context<'_>,
) {
    let fitted = |top: u32, bottom: u32| fit(sheet, Area { top, bottom, ..area });
    if layout.top > area.top {
        let above = fitted(area.top, layout.top - 1);
        context.reporter.push(left_out(sheet, above, Code::SkippedLines, "above the table", table));
    }
    if layout.bottom < area.bottom {
        let below = fitted(layout.bottom + 1, area.bottom);
        context.reporter.push(left_out(sheet, below, Code::SkippedLines, "below the table", table));
    }
}

/// The corners of the cells in an area.
fn fit(sheet: &Sheet, area: Area) -> Area {
    let mut found: Option<Area> = None;
    let columns = sheet.columns.iter().enumerate().take(area.right as usize + 1);
    for (index, column) in columns.skip(area.left as usize) {
        let cells = column.between(area.top, area.bottom.saturating_add(1));
        let (Some(first), Some(last)) = (cells.clone().next(), cells.last()) else { continue };
        let (first, last, index) = (column.rows()[first], column.rows()[last], index as u32);
        let found =
            found.get_or_insert(Area { top: first, left: index, bottom: last, right: index });
        found.top = found.top.min(first);
        found.bottom = found.bottom.max(last);
        found.right = index;
    }
    found.unwrap_or(area)
}

/// A block that is part of no table; `tables` are those of the sheet.
pub(super) fn loose(sheet: &Sheet, area: Area, tables: &[Area], context: &mut Context<'_>) {
    let shares = |other: &&Area| other.left <= area.right && area.left <= other.right;
    let above = tables.iter().filter(shares).filter(|table| table.top > area.bottom);
    let below = tables.iter().filter(shares).filter(|table| table.bottom < area.top);
    let to_next = above.map(|table| table.top - area.bottom).min();
    let to_last = below.map(|table| area.top - table.bottom).min();
    let is_text = (area.left..=area.right).any(|column| {
        sheet.columns.get(column as usize).is_some_and(|column| {
            let mut cells = column.between(area.top, area.bottom.saturating_add(1));
            cells.any(|at| super::lines::is_text(column.get(at)))
        })
    });
    let (place, code) = match (to_next, to_last) {
        (Some(next), last) if last.is_none_or(|last| next <= last) => ("above", Code::SkippedLines),
        (_, Some(_)) => ("below", Code::SkippedLines),
        _ if tables.iter().all(|table| table.top > area.bottom) => ("above", Code::StrayCells),
        _ if tables.iter().all(|table| table.bottom < area.top) => ("below", Code::StrayCells),
        _ => ("beside", Code::StrayCells),
    };
    let which = match (tables.len(), code) {
        (1, _) => "the table",
        (_, Code::SkippedLines) => "a table",
        _ => "the tables",
    };
    let place = format!("{place} {which}");
    let code = if is_text { code } else { Code::StrayCells };
    context.reporter.push(left_out(sheet, area, code, &place, &sheet.name));
}

/// The row of totals of a table that the workbook names.
pub(super) fn totals(sheet: &Sheet, area: Area, table: &str, context: &mut Context<'_>) {
    let message = format!(
        "the totals in {} are no row of the table and were left out",
        area_name(sheet, area)
    );
    let issue = Issue::warning(Stage::Parse, Code::SkippedLines, message);
    context.reporter.push(issue.table(table).raw(quoted(sheet, area).as_bytes()));
}

/// What was made of cells merged in the data of a table: areas whose text counts for each row, and
/// areas of whose value the first cell alone has it.
pub(super) fn merged(
    sheet: &Sheet,
    table: &str,
    filled: &[Area],
    first_only: &[Area],
    context: &mut Context<'_>,
) {
    let mut note = |areas: &[Area], what: &str| {
        let Some(first) = areas.first() else { return };
        let name = area_name(sheet, *first);
        let message = match areas.len() {
            1 => format!("the merged cells {name} {what}"),
            many => format!("{many} areas of merged cells, the first {name}, {what}"),
        };
        let issue = Issue::warning(Stage::Parse, Code::MergedCells, message).table(table);
        let text = quoted(sheet, Area { bottom: first.top, right: first.left, ..*first });
        context.reporter.push(issue.raw(text.as_bytes()));
    };
    note(filled, "give their value to each of their rows");
    note(first_only, "have their value in the first cell only, the others are null");
}

/// The cell as Excel names it with its sheet: `Sheet1!C7`.
pub(super) fn cell_of(sheet: &Sheet, row: u32, column: u32) -> String {
    area_name(sheet, Area { top: row, left: column, bottom: row, right: column })
}
