//! Cells merged in the data of a table.
//!
//! Excel keeps the value in the first cell. A label that spans several rows counts for each of them;
//! a number does not, since its sum would change.

use super::census::Census;
use super::grid::Grid;
use super::sheet::{Area, CellColumn, Sheet};

/// The merged areas that begin in the data of a table, by their first column.
pub(super) struct Merges(Vec<Area>);

impl Merges {
    pub fn new(sheet: &Sheet, grid: &Grid) -> Self {
        let end = grid.first_row.saturating_add(grid.rows);
        let is_here = |area: &&Area| {
            (grid.first_row..end).contains(&area.top)
                && (grid.area.left..=grid.area.right).contains(&area.left)
                && (area.bottom > area.top || area.right > area.left)
        };
        let mut areas: Vec<Area> = sheet.merged.iter().filter(is_here).copied().collect();
        areas.sort_by_key(|area| (area.left, area.top));
        Merges(areas)
    }

    /// Those of a column: the ones whose value counts for each of their rows, and the others.
    pub fn of(&self, column: u32, census: &Census) -> (Vec<Area>, Vec<Area>) {
        let from = self.0.partition_point(|area| area.left < column);
        let end = self.0.partition_point(|area| area.left <= column);
        let is_label = census.is_label();
        self.0[from..end]
            .iter()
            .copied()
            .partition(|area| is_label && area.bottom > area.top && area.right == area.left)
    }
}

/// The column with the values of these areas in each of their rows, up to row `end`.
pub(super) fn fill_down(cells: &CellColumn, areas: &[Area], first: u32, end: u32) -> CellColumn {
    let mut filled = CellColumn::default();
    let mut next = cells.between(0, first).end;
    let mut add_until = |filled: &mut CellColumn, row: u32| {
        while next < cells.len() && cells.rows()[next] < row {
            let cell = cells.get(next);
            filled.push(cell.row, cell.tag, cell.bits);
            next += 1;
        }
    };
    let mut row = first;
    for area in areas.iter().filter(|area| area.top >= first) {
        // Areas that overlap, which no program writes, count once.
        if area.top < row {
            continue;
        }
        add_until(&mut filled, area.top + 1);
        let Some(at) = cells.between(area.top, area.top + 1).next() else { continue };
        let value = cells.get(at);
        for below in area.top + 1..=area.bottom.min(end.saturating_sub(1)) {
            add_until(&mut filled, below + 1);
            if filled.rows().last() != Some(&below) {
                filled.push(below, value.tag, value.bits);
            }
        }
        row = area.bottom.saturating_add(1);
    }
    add_until(&mut filled, end);
    filled
}
