//! The tables of a sheet, told from titles, notes and stray cells around them.
//!
//! Blank rows and columns cut a sheet into blocks, again and again until nothing is left to cut.
//! Not every cut is one between tables: what stands below a blank row goes on with the table above
//! unless it has a header of its own or reaches beyond its columns; what stands beside a blank column
//! of the same rows is the same table where one side is a single column, has no header, or has a cell
//! merged with the other side. A block of texts below each other above or below a table, and a cell
//! alone, are no tables.

use super::cover::Cover;
use super::lines::lines;
use super::sheet::{Area, Sheet};
use crate::error::Result;
use crate::format::csv::shape::{CellLook, Line, Part, are_pairs, begins_table, columns};
use crate::limits::Limits;
use crate::report::{Code, Issue};

/// What a sheet is made of, in reading order.
#[derive(Debug, Default)]
pub(super) struct Regions {
    pub tables: Vec<Area>,
    /// Blocks of cells that are part of no table.
    pub loose: Vec<Area>,
    /// Whether there are but words, which are then the table.
    pub is_all_words: bool,
}

/// Rows of a block that are looked at.
const ROWS: u32 = 16;
/// With more blank rows or columns it is one table with blanks. Looking at each costs its columns.
const MOST_BANDS: usize = 4_096;
const MOST_LOOKS: usize = 4_000_000;
/// With more blocks it is one table of cells here and there.
const MOST_BLOCKS: usize = 2_000;
/// Merged areas that are looked at for one that spans a blank column.
const MOST_MERGED: usize = 10_000;
/// Cuts within cuts.
const DEPTH: usize = 40;
/// Blank rows within a table.
const LONGEST_GAP: u32 = 20;

/// Cuts the sheet's cells, as far as `cover` has them. `is_all` says that those are all its cells:
/// then something of them is a table.
pub(super) fn regions(
    sheet: &Sheet,
    cover: &Cover,
    is_all: bool,
    limits: &Limits,
) -> Result<Regions> {
    let Some(whole) = cover.whole() else { return Ok(Regions::default()) };
    let mut finder = Finder { sheet, cover, blocks: Vec::new(), most: limits.tables };
    finder.cut(whole, 0)?;
    let mut blocks = std::mem::take(&mut finder.blocks);
    if blocks.len() > MOST_BLOCKS {
        finder.check_tables(&blocks)?;
        return Ok(Regions { tables: vec![whole], ..Regions::default() });
    }
    blocks.sort_by_key(|area| (area.top, area.left));
    if is_all && let [only] = blocks[..] {
        return Ok(Regions { tables: vec![only], ..Regions::default() });
    }
    let mut found = Regions::default();
    for block in &blocks {
        let is_table = finder.is_table(*block, &blocks);
        if is_table { &mut found.tables } else { &mut found.loose }.push(*block);
    }
    if is_all && found.tables.is_empty() {
        // Nothing but words: then those are the table.
        return Ok(Regions { tables: vec![whole], loose: Vec::new(), is_all_words: true });
    }
    Ok(found)
}

struct Finder<'a> {
    sheet: &'a Sheet,
    cover: &'a Cover,
    blocks: Vec<Area>,
    /// Tables that are allowed.
    most: usize,
}

/// Rows between blank rows.
struct Band {
    area: Area,
    part: Part,
}

impl Finder<'_> {
    fn cut(&mut self, area: Area, depth: usize) -> Result<()> {
        if self.blocks.len() > MOST_BLOCKS {
            return Ok(());
        }
        let Some(area) = self.cover.bounds(area) else { return Ok(()) };
        let bands = self.cover.row_bands(area);
        let most = MOST_BANDS.min(MOST_LOOKS / (area.right - area.left + 1) as usize);
        if depth == DEPTH || bands.len() > most {
            // Blanks within one table, unless those looked at are tables enough already.
            if depth < DEPTH && most > self.most {
                let first = self.join_rows(&bands[..most]);
                self.check_tables(&first)?;
            }
            self.blocks.push(area);
            return Ok(());
        }
        let groups = self.join_rows(&bands);
        for group in groups {
            let parts = self.join_columns(self.cover.column_bands(group));
            match parts[..] {
                [_] | [] => self.blocks.push(group),
                _ => parts.into_iter().try_for_each(|part| self.cut(part, depth + 1))?,
            }
        }
        Ok(())
    }

    /// The error of blocks that are more tables than allowed.
    fn check_tables(&self, blocks: &[Area]) -> Result<()> {
        let tables = blocks.iter().filter(|block| self.is_table(**block, blocks));
        if tables.take(self.most.saturating_add(1)).count() <= self.most {
            return Ok(());
        }
        let message = format!(
            "more than {} tables in the sheet {:?}, which is the most allowed",
            self.most, self.sheet.name
        );
        let issue = Issue::limit(Code::TooManyTables, message, "tables").table(&self.sheet.name);
        Err(issue.hint("skiprows=0 reads the whole sheet as one table").into())
    }

    fn head(&self, area: Area) -> Vec<Line> {
        lines(self.sheet, Area { bottom: area.bottom.min(area.top + ROWS - 1), ..area })
    }

    /// Bands below each other that are one table, as one.
    fn join_rows(&self, bands: &[Area]) -> Vec<Area> {
        let mut bands: Vec<Area> =
            bands.iter().filter_map(|band| self.cover.bounds(*band)).collect();
        if bands.len() > 1 {
            bands = self.join_lone_headers(bands);
        }
        let mut groups: Vec<Area> = Vec::new();
        let mut table: Option<Band> = None;
        // Words behind a gap: the name of the rows or the table below, or a note.
        let mut words: Vec<Area> = Vec::new();
        for area in bands {
            let band = Band { part: Part::new(self.head(area)), area };
            if is_words(&band) {
                words.push(area);
                continue;
            }
            match &mut table {
                Some(above) if !starts(above, &band, self) => {
                    let within = |words: &Area| {
                        words.left >= above.area.left && words.right <= above.area.right
                    };
                    groups.extend(words.drain(..).filter(|words| !within(words)));
                    above.area.bottom = area.bottom;
                }
                _ => {
                    groups.extend(table.take().map(|table| table.area));
                    groups.append(&mut words);
                    table = Some(band);
                }
            }
        }
        if let (None, [first, .., last]) = (&table, &words[..])
            && words.iter().all(|words| words.left == words.right && words.left == first.left)
        {
            // One column of texts with blank rows in it.
            return vec![Area { bottom: last.bottom, ..*first }];
        }
        groups.extend(table.map(|table| table.area));
        groups.append(&mut words);
        groups
    }

    /// A header with a blank row below it belongs to the rows that follow.
    fn join_lone_headers(&self, bands: Vec<Area>) -> Vec<Area> {
        let mut joined: Vec<Area> = Vec::with_capacity(bands.len());
        let mut lone = false;
        for band in bands {
            if lone
                && let Some(above) = joined.last_mut()
                && band.top - above.bottom <= 3
                && band.left >= above.left
                && band.right <= above.right
                && band.right > band.left
                && Part::new(self.head(band)).header.is_none()
            {
                above.bottom = band.bottom;
                lone = false;
                continue;
            }
            lone = band.bottom - band.top < 2 && {
                let head = self.head(band);
                let full = (band.right - band.left + 1) as usize;
                head.iter().all(|line| line.is_words())
                    && head
                        .last()
                        .is_some_and(|line| line.filled > 2 && line.filled * 5 >= full * 4)
            };
            joined.push(band);
        }
        joined
    }

    /// Parts side by side that are one table, as one.
    fn join_columns(&self, parts: Vec<Area>) -> Vec<Area> {
        let mut joined: Vec<Area> = Vec::with_capacity(parts.len());
        for part in parts {
            match joined.last_mut() {
                Some(left) if self.is_same_table(left, &part) => {
                    left.right = part.right;
                    left.top = left.top.min(part.top);
                    left.bottom = left.bottom.max(part.bottom);
                }
                _ => joined.push(part),
            }
        }
        joined
    }

    fn is_same_table(&self, left: &Area, right: &Area) -> bool {
        if right.left - left.right != 2 {
            return false;
        }
        let (above, below) = (left.top.abs_diff(right.top), left.bottom.abs_diff(right.bottom));
        let is_merged = self.sheet.merged.iter().take(MOST_MERGED).any(|area| {
            (left.left..=left.right).contains(&area.left)
                && (right.left..=right.right).contains(&area.right)
                && (right.top..=right.bottom).contains(&area.top)
                && area.left > left.left
        });
        if is_merged && below <= 2 {
            return true;
        }
        let (first, second) = (self.head(*left), self.head(*right));
        let (wide, other) = (right.right - right.left, left.right - left.left);
        let values = columns(second.iter(), wide as usize + 1);
        if wide == 0 && values[0].typed && above <= 2 && below <= 2 && left.bottom > left.top {
            // Values beside their labels.
            return true;
        }
        if above != 0 || below != 0 {
            return false;
        }
        let (Some(names), Some(header)) = (first.first(), second.first()) else { return false };
        if names.cells == header.cells {
            return false;
        }
        let has_header = header.is_words() && begins_table(&second, wide as usize + 1)
            || Part::new(second).header.is_some();
        wide == 0 || other == 0 || !has_header
    }

    /// Whether a block is a table rather than words around one.
    fn is_table(&self, block: Area, blocks: &[Area]) -> bool {
        let count = self.cover.count(block);
        if count == 1 {
            return false;
        }
        let head = self.head(block);
        let width = (block.right - block.left + 1) as usize;
        let height = block.bottom - block.top + 1;
        let others = || blocks.iter().filter(|other| **other != block);
        let shares = |other: &&Area| other.left <= block.right && block.left <= other.right;
        if width == 1 {
            let texts = head.iter().all(|line| !line.look(0).is_value());
            let is_long = head.iter().any(|line| line.first_text().len() > 60);
            let is_around = others().filter(shares).any(|other| other.right > other.left);
            let has_gaps = count < u64::from(height) && others().next().is_some();
            return !(texts && (height <= 2 || is_long || (has_gaps || is_around) && height <= 12));
        }
        if height == 1 {
            return false;
        }
        let below = others().filter(shares).filter(|other| other.top > block.bottom);
        let wider = below.map(|other| (other.right - other.left + 1) as usize).max();
        // Texts beside texts below a header are a table; names with a value each are of many kinds.
        let is_texts = height > 2
            && head.iter().all(|line| line.is_words() && line.filled == 2)
            && !head.iter().any(|line| line.first_text().ends_with(b":"));
        let is_pairs = |wider: usize| wider > 2 && height <= 12 && are_pairs(&head, wider);
        width > 2 || is_texts || !wider.is_some_and(is_pairs)
    }
}

/// Whether the band holds nothing but one text a row.
fn is_words(band: &Band) -> bool {
    let lines = &band.part.lines;
    band.area.bottom - band.area.top < ROWS
        && lines.iter().all(|line| line.filled == 1)
        && lines.iter().all(|line| !line.cells.last().is_some_and(|(look, _)| look.is_value()))
        && lines.iter().all(|line| line.width == lines[0].width)
}

/// Whether a table of its own begins here, below that one.
fn starts(above: &Band, band: &Band, finder: &Finder<'_>) -> bool {
    let (table, area) = (&above.area, &band.area);
    let is_apart = area.left > table.right || area.right < table.left;
    let sticks_out = area.right > table.right || area.left < table.left;
    if is_apart || sticks_out || area.top - table.bottom > LONGEST_GAP + 1 {
        return true;
    }
    let first = &above.part;
    if are_pairs(&first.lines, band.part.width) && first.width == 2 && band.part.width > 2 {
        return true;
    }
    if area.left == area.right && table.left == table.right {
        let [name, value, ..] = &band.part.lines[..] else { return false };
        let was_typed = columns(first.lines.iter().skip(1), 1)[0].typed;
        return !name.look(0).is_value() && value.look(0).is_value() && was_typed;
    }
    let Some(header) = band.part.header else { return false };
    if area.left == table.left {
        return band.part.is_other_than(first) || has_other_kinds(above, band, header);
    }
    // Names over values, where the table above has none.
    let shifted = finder.head(Area { left: table.left, ..*area });
    let shift = (area.left - table.left) as usize;
    let typed = columns(first.lines.iter().skip(1), first.width.max(shift + band.part.width));
    let clashes = (shift..shift + band.part.width).any(|column| {
        typed[column].typed && shifted.get(header).is_some_and(|l| l.look(column) == CellLook::Text)
    });
    clashes && begins_table(&band.part.lines[header..], band.part.width)
}

/// Whether the header stands over columns of values that hold texts in the table above.
fn has_other_kinds(above: &Band, band: &Band, header: usize) -> bool {
    let width = band.part.width;
    let lines = &band.part.lines[header..];
    let rows = above.part.header.map_or(0, |header| header + 1);
    let Some(table) = above.part.lines.get(rows..).filter(|rows| !rows.is_empty()) else {
        return false;
    };
    let (was, is) = (columns(table.iter(), width), columns(lines.iter().skip(1), width));
    let has_text = |column: usize| table.iter().any(|line| line.look(column) == CellLook::Text);
    let has_name = |column: usize| lines[0].look(column) == CellLook::Text;
    begins_table(lines, width)
        && (0..width).any(|at| has_name(at) && is[at].typed && !was[at].typed && has_text(at))
}
