//! Tables that the workbook names among cells that it does not count as theirs.
//!
//! Rows and columns that were added beside such a table without making it larger are found as a
//! region around it. No cell may come twice.

use std::collections::HashMap;

use super::cover::Cover;
use super::notes;
use super::region::Regions;
use super::sheet::{Area, NamedTable, Sheet};
use crate::context::Context;
use crate::report::{Code, Issue, Stage};

/// The tables that stay as the workbook has them; `regions` no longer overlap them. A region that
/// begins where one table does and goes on beyond it takes its place: its name is given by the
/// region's first row and column.
pub(super) fn apart(
    sheet: &Sheet,
    cover: &Cover,
    regions: &mut Regions,
    tables: Vec<NamedTable>,
    context: &mut Context<'_>,
) -> (Vec<NamedTable>, HashMap<(u32, u32), String>) {
    let mut left = tables;
    let mut names = HashMap::new();
    let mut apart = Vec::with_capacity(regions.tables.len());
    for region in std::mem::take(&mut regions.tables) {
        let within: Vec<usize> =
            (0..left.len()).filter(|at| overlap(left[*at].area, region)).collect();
        match within[..] {
            [] => apart.push(region),
            [at] if is_grown(&left[at], region) => {
                let table = left.remove(at);
                context.reporter.push(grown(sheet, &table, region));
                names.insert((region.top, region.left), table.name);
                apart.push(region);
            }
            _ => {
                let mut parts = vec![region];
                for at in within {
                    let own = left[at].area;
                    parts = parts.into_iter().flat_map(|part| around(part, own)).collect();
                }
                for part in parts.into_iter().filter_map(|part| cover.bounds(part)) {
                    let is_table = part.bottom > part.top && part.right > part.left;
                    if is_table { &mut apart } else { &mut regions.loose }.push(part);
                }
            }
        }
    }
    regions.tables = apart;
    (left, names)
}

fn overlap(one: Area, other: Area) -> bool {
    one.left <= other.right
        && other.left <= one.right
        && one.top <= other.bottom
        && other.top <= one.bottom
}

/// Whether the region holds the table and begins where it does.
fn is_grown(table: &NamedTable, region: Area) -> bool {
    let own = table.area;
    own.top == region.top
        && own.left == region.left
        && own.bottom <= region.bottom
        && own.right <= region.right
        && table.header_rows == 1
        && table.totals_rows == 0
}

fn grown(sheet: &Sheet, table: &NamedTable, region: Area) -> Issue {
    let message = format!(
        "the table {:?} is {} in the workbook, but its rows and columns go on: {} was read",
        table.name,
        notes::area_name(sheet, table.area),
        notes::area_name(sheet, region)
    );
    let hint = format!("table_name={:?} reads it as the workbook has it", table.name);
    Issue::warning(Stage::Parse, Code::SkippedLines, message).table(&table.name).hint(hint)
}

/// What of an area is outside of another: above, below, left and right of it.
fn around(area: Area, own: Area) -> Vec<Area> {
    if !overlap(area, own) {
        return vec![area];
    }
    let (top, bottom) = (area.top.max(own.top), area.bottom.min(own.bottom));
    let mut parts = Vec::with_capacity(4);
    if area.top < own.top {
        parts.push(Area { bottom: own.top - 1, ..area });
    }
    if area.left < own.left {
        parts.push(Area { top, bottom, right: own.left - 1, ..area });
    }
    if area.right > own.right {
        parts.push(Area { top, bottom, left: own.right + 1, ..area });
    }
    if area.bottom > own.bottom {
        parts.push(Area { top: own.bottom + 1, ..area });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_around_a_table_cover_the_rest_once() {
        let area = |top, left, bottom, right| Area { top, left, bottom, right };
        let whole = area(0, 0, 9, 9);
        for own in [area(3, 3, 5, 5), area(0, 0, 4, 4), area(5, 5, 20, 20), area(0, 0, 9, 9)] {
            let parts = around(whole, own);
            for row in 0..10 {
                for column in 0..10 {
                    let cell = area(row, column, row, column);
                    let count = parts.iter().filter(|part| overlap(**part, cell)).count();
                    assert_eq!(count, usize::from(!overlap(own, cell)), "{own:?} {cell:?}");
                }
            }
        }
    }
}
