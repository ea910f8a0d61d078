//! Rows of a sheet as lines, which is how tables are told from titles and notes in delimited text.

use super::sheet::{Area, Cell, Sheet, Tag};
use super::values::{Value, value, write_text};
use crate::format::csv::shape::{CellLook, Line, look};

/// Columns that are looked at.
const COLUMNS: u32 = 2_000;
/// Bytes of a cell that are kept.
const CELL_BYTES: usize = 80;

/// The rows of the area that hold anything; `offset` is the sheet's row.
pub(super) fn lines(sheet: &Sheet, area: Area) -> Vec<Line> {
    let right = area.right.min(area.left.saturating_add(COLUMNS - 1));
    let height = (area.bottom - area.top + 1) as usize;
    let mut rows: Vec<Vec<(CellLook, Vec<u8>)>> = vec![Vec::new(); height];
    let mut text = String::new();
    let columns = sheet.columns.iter().enumerate().take(right as usize + 1);
    for (index, column) in columns.skip(area.left as usize) {
        for at in column.between(area.top, area.bottom.saturating_add(1)) {
            let cell = column.get(at);
            text.clear();
            write_text(cell, sheet, &mut text);
            let trimmed = text.trim().as_bytes();
            if trimmed.is_empty() {
                continue;
            }
            let row = &mut rows[(cell.row - area.top) as usize];
            row.resize(index - area.left as usize, (CellLook::Empty, Vec::new()));
            let kept = trimmed[..trimmed.len().min(CELL_BYTES)].to_vec();
            row.push((look_of(cell, sheet, trimmed), kept));
        }
    }
    let mut gap = false;
    let mut lines = Vec::new();
    let all = (right - area.left + 1) as usize;
    for (offset, mut cells) in rows.into_iter().enumerate() {
        if cells.is_empty() {
            gap = true;
            continue;
        }
        let width = cells.len();
        // Those at the end that are blank are cells too.
        cells.resize(all, (CellLook::Empty, Vec::new()));
        lines.push(Line {
            offset: area.top as usize + offset,
            width,
            filled: cells.iter().filter(|(_, text)| !text.is_empty()).count(),
            gap: std::mem::take(&mut gap),
            marked: false,
            spaced: false,
            cells,
        });
    }
    lines
}

fn look_of(cell: Cell, sheet: &Sheet, text: &[u8]) -> CellLook {
    match value(cell, sheet) {
        // A text may be all that is left of a number or a date.
        Value::Text => look(text),
        Value::Error => CellLook::Empty,
        Value::Whole(1900..=2100) => CellLook::Year,
        Value::Whole(_) | Value::Float(_) => CellLook::Number,
        Value::Bool(_) => CellLook::Boolean,
        _ => CellLook::Date,
    }
}

/// Whether a cell is a text.
pub(super) fn is_text(cell: Cell) -> bool {
    matches!(cell.tag, Tag::Shared | Tag::Own)
}
