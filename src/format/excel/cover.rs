//! Where a sheet has cells: runs of filled rows by column, and the blank rows and columns between.
//!
//! Texts of blanks alone, which formulas leave, are no cells here.

use super::sheet::{Area, CellColumn, Sheet, Tag, Texts};

/// Rows of a column that are filled without a gap, the last one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    top: u32,
    bottom: u32,
}

/// The filled rows of each column of a sheet.
pub(super) struct Cover {
    runs: Vec<Vec<Run>>,
}

/// Which texts of a workbook are blank, by index.
#[derive(Clone, Debug, Default)]
pub(super) struct Blanks {
    shared: Vec<u64>,
    own: Vec<u64>,
}

impl Blanks {
    pub fn of(sheet: &Sheet) -> Self {
        Blanks { shared: blank_texts(&sheet.shared), own: blank_texts(&sheet.own) }
    }

    fn contains(&self, tag: Tag, bits: u64) -> bool {
        match tag {
            Tag::Shared => self.shared.binary_search(&bits).is_ok(),
            Tag::Own => self.own.binary_search(&bits).is_ok(),
            _ => false,
        }
    }

    fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.own.is_empty()
    }
}

fn blank_texts(texts: &Texts) -> Vec<u64> {
    (0..texts.len() as u64).filter(|index| texts.get(*index).trim().is_empty()).collect()
}

impl Cover {
    /// Of the cells outside of these areas.
    pub fn new(sheet: &Sheet, outside: &[Area]) -> Self {
        let blanks = Blanks::of(sheet);
        let column = |(index, cells): (usize, &CellColumn)| {
            let mut runs: Vec<Run> = Vec::new();
            let index = index as u32;
            let areas: Vec<&Area> =
                outside.iter().filter(|area| (area.left..=area.right).contains(&index)).collect();
            let mut add = |row: u32| match runs.last_mut() {
                Some(run) if run.bottom + 1 == row => run.bottom = row,
                _ => runs.push(Run { top: row, bottom: row }),
            };
            if areas.is_empty() && blanks.is_empty() {
                cells.rows().iter().for_each(|row| add(*row));
                return runs;
            }
            for at in 0..cells.len() {
                let cell = cells.get(at);
                let is_out = areas.iter().any(|a| (a.top..=a.bottom).contains(&cell.row));
                if !is_out && !blanks.contains(cell.tag, cell.bits) {
                    add(cell.row);
                }
            }
            runs
        };
        Cover { runs: sheet.columns.iter().enumerate().map(column).collect() }
    }

    /// The runs of a column within these rows, cut to them.
    fn within(&self, column: u32, top: u32, bottom: u32) -> impl Iterator<Item = Run> {
        let runs = self.runs.get(column as usize).map(Vec::as_slice).unwrap_or_default();
        let from = runs.partition_point(|run| run.bottom < top);
        runs[from..]
            .iter()
            .take_while(move |run| run.top <= bottom)
            .map(move |run| Run { top: run.top.max(top), bottom: run.bottom.min(bottom) })
    }

    /// The corners of all cells.
    pub fn whole(&self) -> Option<Area> {
        let right = self.runs.len().checked_sub(1)? as u32;
        self.bounds(Area { top: 0, left: 0, bottom: u32::MAX, right })
    }

    /// The corners of the cells within the area.
    pub fn bounds(&self, area: Area) -> Option<Area> {
        let mut found: Option<Area> = None;
        for column in area.left..=area.right.min(self.runs.len() as u32) {
            let mut runs = self.within(column, area.top, area.bottom);
            let Some(first) = runs.next() else { continue };
            let last = runs.last().unwrap_or(first);
            let found = found.get_or_insert(Area {
                top: first.top,
                left: column,
                bottom: last.bottom,
                right: column,
            });
            found.top = found.top.min(first.top);
            found.bottom = found.bottom.max(last.bottom);
            found.right = column;
        }
        found
    }

    /// The cells within the area, counted.
    pub fn count(&self, area: Area) -> u64 {
        let columns = area.left..=area.right;
        let runs = columns.flat_map(|column| self.within(column, area.top, area.bottom));
        runs.map(|run| u64::from(run.bottom - run.top) + 1).sum()
    }

    /// The bands between blank rows, each with its own corners.
    pub fn row_bands(&self, area: Area) -> Vec<Area> {
        let columns = area.left..=area.right;
        let mut runs: Vec<Run> =
            columns.flat_map(|column| self.within(column, area.top, area.bottom)).collect();
        runs.sort_unstable_by_key(|run| run.top);
        let mut bands: Vec<Run> = Vec::new();
        for run in runs {
            match bands.last_mut() {
                Some(band) if run.top <= band.bottom.saturating_add(1) => {
                    band.bottom = band.bottom.max(run.bottom);
                }
                _ => bands.push(run),
            }
        }
        let whole = |band: &Run| Area { top: band.top, bottom: band.bottom, ..area };
        bands.iter().map(whole).collect()
    }

    /// The bands between blank columns, each with its own corners.
    pub fn column_bands(&self, area: Area) -> Vec<Area> {
        let mut bands: Vec<Area> = Vec::new();
        for column in area.left..=area.right {
            if self.within(column, area.top, area.bottom).next().is_none() {
                continue;
            }
            match bands.last_mut() {
                Some(band) if band.right + 1 == column => band.right = column,
                _ => bands.push(Area { left: column, right: column, ..area }),
            }
        }
        bands.into_iter().filter_map(|band| self.bounds(band)).collect()
    }
}
