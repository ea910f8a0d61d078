//! What stands in a block of cells: titles, the header's rows, data, notes below.

use super::lines::lines;
use super::sheet::{Area, Sheet};
use super::values::text_of;
use crate::format::csv::shape::{
    Line, are_pairs, are_units, begins_table, columns, find_header, is_note,
};
use crate::options::Header;

/// The rows of a block, by sheet row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// The first row that is no title.
    pub top: u32,
    /// The header's rows, from `top`; none where there is no header.
    pub header: Header,
    /// The last row of data.
    pub bottom: u32,
}

/// Rows of a block that are looked at, at its top and at its bottom.
const HEAD: u32 = 60;
const TAIL: u32 = 40;
/// Rows of titles.
const TITLES: usize = 50;

/// What the rows of the block are. Without `trim` all belong to the table.
pub(super) fn layout(sheet: &Sheet, area: Area, trim: bool) -> Layout {
    let width = (area.right - area.left + 1) as usize;
    let head =
        lines(sheet, Area { bottom: area.bottom.min(area.top.saturating_add(HEAD)), ..area });
    let merged = Merged::new(sheet, area, HEAD);
    let titles = if trim { titles(&head, width, &merged) } else { 0 };
    let top = match titles {
        0 => area.top,
        _ => head.get(titles).map_or(area.top, |line| line.offset as u32),
    };
    let header = header(&head[titles..], width, &merged, top);
    let rows = match &header {
        Header::None => 0,
        Header::Rows(rows) => rows.last().map_or(0, |last| *last as u32 + 1),
    };
    let first_data = top.saturating_add(rows);
    let bottom =
        if trim { bottom(sheet, area, first_data, &head[titles..], width) } else { area.bottom };
    Layout { top, header, bottom }
}

/// Merged cells at the top of a block.
struct Merged(Vec<Area>);

impl Merged {
    fn new(sheet: &Sheet, area: Area, rows: u32) -> Self {
        let end = area.top.saturating_add(rows);
        let is_here = |merged: &&Area| merged.left <= area.right && merged.right >= area.left;
        Merged(sheet.merged_in(area.top, end).iter().filter(is_here).copied().collect())
    }

    fn in_row(&self, line: &Line) -> impl Iterator<Item = &Area> {
        let row = line.offset as u32;
        self.0.iter().filter(move |area| area.top == row)
    }
}

/// How many lines stand above the table: titles of one cell, or names with a value each.
fn titles(head: &[Line], width: usize, merged: &Merged) -> usize {
    if width == 1 {
        return 0;
    }
    // A cell merged with some of the columns names a group of them.
    let is_group = |line: &Line| {
        let first = line.cells.iter().position(|(_, text)| !text.is_empty()).unwrap_or_default();
        let span = |area: &Area| (area.right - area.left + 1) as usize;
        let is_year = line.cells.get(first).is_some_and(|(look, _)| look.is_value());
        merged.in_row(line).any(|area| {
            first > 0 && (2..width).contains(&span(area)) || is_year && span(area) == width
        })
    };
    if let Some(count) = above_names(head, width, &is_group) {
        return count;
    }
    let titles = head.iter().take_while(|line| line.filled == 1 && !is_group(line)).count();
    if titles > TITLES || titles == head.len() {
        return 0;
    }
    let Some(start) = head.get(titles) else { return 0 };
    // Names with a value each, above a table of more columns.
    if width > 4 && start.filled == 2 && start.width == 2 {
        let pairs = head[titles..].iter().take_while(|line| line.filled <= 2 && line.width <= 2);
        let count = pairs.count();
        if let Some(line) = head.get(titles + count)
            && count <= 12
            && line.is_words()
            && line.filled * 10 >= width * 6
            && are_pairs(&head[titles..titles + count], width)
        {
            return titles + count;
        }
    }
    let next = head.get(titles + 1);
    let is_header = start.is_words() && start.filled * 10 >= width * 6;
    if next.is_none_or(|next| next.filled > 1) || is_header { titles } else { 0 }
}

/// How many lines stand above the first that names the columns from side to side, where one of them
/// holds more than a title: a date, totals of the columns, a name with its value.
fn above_names(head: &[Line], width: usize, is_group: &dyn Fn(&Line) -> bool) -> Option<usize> {
    let is_full = |line: &Line| line.filled * 5 >= width * 4;
    let is_names = |line: &Line| is_full(line) && (0..width).all(|at| !line.look(at).is_value());
    let count = head.iter().take(TITLES).take_while(|line| !is_full(line)).count();
    let (above, names) = (head.get(..count)?, head.get(count)?);
    let is_title = |line: &Line| {
        let holds_value = !line.is_words() || line.first_text().ends_with(b":");
        (line.filled == 1 || holds_value) && line.filled < names.filled && !is_group(line)
    };
    let is_more = above.iter().any(|line| line.filled > 1);
    (is_more
        && width > 2
        && above.iter().all(is_title)
        && is_names(names)
        && begins_table(&head[count..], width))
    .then_some(count)
}

/// The header's rows, as delimited text has them, or as merged cells show them.
fn header(head: &[Line], width: usize, merged: &Merged, top: u32) -> Header {
    let Some(first) = head.first() else { return Header::None };
    let last = merged_rows(head, merged, width);
    if last > top {
        return Header::Rows((0..=u64::from(last - top)).collect());
    }
    match find_header(head, width) {
        Header::Rows(rows) if rows.len() > 1 => {
            // Lines leave blank rows out, sheet rows do not.
            let last = rows.last().and_then(|row| head.get(*row as usize));
            let last = last.map_or(top, |line| line.offset as u32);
            Header::Rows((0..=u64::from(last - top)).collect())
        }
        // A lone row of one text over nothing is a value as much as a name.
        Header::Rows(_) if first.offset as u32 == top => match has_units(head, width) {
            true => Header::Rows(vec![0, 1]),
            false => Header::Rows(vec![0]),
        },
        other => other,
    }
}

/// Whether the second row holds the units of the columns of values: `kg`, `EUR`, or one and the same
/// for all.
fn has_units(head: &[Line], width: usize) -> bool {
    let [names, units, below @ ..] = head else { return false };
    if units.offset != names.offset + 1 || !names.is_words() || !units.is_words() {
        return false;
    }
    let below = columns(below.iter().take(20), width);
    let filled = || (0..width).filter(|column| !units.text(*column).is_empty());
    let first = filled().next().map(|column| units.text(column));
    let same = filled().count() > 1 && filled().all(|column| Some(units.text(column)) == first);
    let typed = filled().all(|column| below[column].typed && !names.text(column).is_empty());
    filled().count() > 0 && typed && (same || are_units(units, width))
}

/// The last row of a header whose first row has merged cells.
fn merged_rows(head: &[Line], merged: &Merged, width: usize) -> u32 {
    let Some(first) = head.first().filter(|line| line.is_words()) else { return 0 };
    let top = first.offset as u32;
    let mut last = top;
    for line in head.iter().take(6) {
        let row = line.offset as u32;
        if row > last || !line.is_words() {
            break;
        }
        for area in merged.in_row(line) {
            let spans = area.right > area.left && ((area.right - area.left) as usize) < width;
            let below = head.iter().find(|line| line.offset as u32 == row + 1);
            if spans && below.is_some_and(|line| line.is_words()) {
                last = last.max(row + 1);
            }
            // Rows merged with the first are header where nothing but names stands beside them.
            let beside =
                head.iter().filter(|line| (row + 1..=area.bottom).contains(&(line.offset as u32)));
            if area.bottom - area.top < 4 && beside.clone().count() > 0 {
                let mut beside = beside;
                if beside.all(Line::is_words) {
                    last = last.max(area.bottom);
                }
            }
        }
    }
    let below = head.iter().filter(|line| line.offset as u32 > last);
    let columns = columns(below.clone(), width);
    // Groups of texts above rows of texts prove nothing, unless the groups reach across.
    let typed = columns.iter().any(|column| column.typed);
    let across = merged.in_row(first).any(|area| area.right > area.left);
    if below.count() > 0 && (typed || across) { last } else { top }
}

/// The last row that is no note.
fn bottom(sheet: &Sheet, area: Area, first_data: u32, head: &[Line], width: usize) -> u32 {
    if width == 1 || area.bottom <= first_data {
        return area.bottom;
    }
    let data: Vec<&Line> = head.iter().filter(|line| line.offset as u32 >= first_data).collect();
    // Lines of one cell at the end may be notes, and say nothing of the rows.
    let lone = data.iter().rev().take_while(|line| line.filled == 1).count();
    let rows = if lone < data.len() { data.len() - lone } else { data.len() };
    let is_noted = rows > 1 && rows < data.len();
    let sample = &data[..rows.min(40)];
    // The last of a few rows may be the note.
    let sample = match sample.len() {
        0 | 1 => return area.bottom,
        _ if is_noted => sample,
        few if few < 40 => &sample[..few - (few / 4).max(1)],
        _ => sample,
    };
    let shape = columns(sample.iter().copied(), width);
    let start = area.bottom.saturating_sub(TAIL).max(first_data + 1);
    let tail = lines(sheet, Area { top: start, ..area });
    let mut end = tail.len();
    for line in tail.iter().rev() {
        if !is_note(line, &shape, width) {
            break;
        }
        end -= 1;
    }
    match end.checked_sub(1) {
        Some(last) if end < tail.len() => tail[last].offset as u32,
        // Nothing but notes so far up is no table with notes.
        _ => area.bottom,
    }
}

/// The names in the header's rows, by column. A merged cell names all its columns.
pub(super) fn names(sheet: &Sheet, area: Area, top: u32, rows: &[u64]) -> Vec<String> {
    let mut names = vec![String::new(); (area.right - area.left + 1) as usize];
    let last = rows.last().copied().unwrap_or_default();
    for row in rows {
        let Ok(row) = u32::try_from(u64::from(top) + row) else { continue };
        let mut texts = vec![String::new(); names.len()];
        let columns = sheet.columns.iter().enumerate().skip(area.left as usize);
        for ((_, column), text) in columns.zip(&mut texts) {
            if let Some(at) = column.between(row, row + 1).next() {
                *text = text_of(column.get(at), sheet);
                cut(text, MOST_NAME);
            }
            if text.trim().is_empty() {
                text.clear();
            }
        }
        let mut filled = false;
        let mut next = area.left;
        for merged in sheet.merged_in(row, row).iter().filter(|m| m.right > m.left) {
            // Areas that overlap, which no program writes, count once.
            if merged.left < next || merged.left > area.right {
                continue;
            }
            next = merged.right.saturating_add(1);
            let first = (merged.left - area.left) as usize;
            let end = (merged.right.min(area.right) - area.left) as usize + 1;
            let name = texts[first].clone();
            texts[first..end].iter_mut().filter(|text| text.is_empty()).for_each(|text| {
                text.clone_from(&name);
            });
            filled = true;
        }
        if !filled && u64::from(row - top) < last {
            let below = u32::try_from(u64::from(top) + last).unwrap_or(row);
            spread(sheet, area, below, &mut texts);
        }
        for (name, text) in names.iter_mut().zip(&texts) {
            if !name.is_empty() && !text.is_empty() {
                name.push(' ');
            }
            name.push_str(text);
            cut(name, MOST_NAME);
        }
    }
    names
}

/// Bytes of a name. One text may name thousands of columns.
pub(super) const MOST_NAME: usize = 4_000;

/// Cuts a text at a character.
pub(super) fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
    }
}

/// A group's name stands in its first column only: over the names below it belongs to those that
/// follow too.
fn spread(sheet: &Sheet, area: Area, below: u32, texts: &mut [String]) {
    let is_named = |index: usize| {
        let column = sheet.columns.get(area.left as usize + index);
        column.is_some_and(|column| !column.between(below, below + 1).is_empty())
    };
    let mut group: Option<String> = None;
    for (index, text) in texts.iter_mut().enumerate() {
        if !text.is_empty() {
            group = is_named(index).then(|| text.clone());
        } else if is_named(index)
            && let Some(group) = &group
        {
            text.clone_from(group);
        }
    }
}
