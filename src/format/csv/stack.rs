//! Several tables stacked in one text, with blank lines or rows of delimiters between them.
//!
//! A part behind a gap is a table of its own if it has its own header: text over values, with names
//! or a width that the table above has not, or the header of the table above again; a title may
//! stand above it. Blank lines within a table, below a title or above a footer do not split.

use std::ops::Range;

use super::dialect::CsvDialect;
use super::lines::{self, Line};
use super::structure::{are_pairs, begins_table};

/// One of the tables.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Region {
    /// Where it lies in the text, its title included.
    pub range: Range<usize>,
    /// The title line above it, if there is one.
    pub title: Option<String>,
}

/// With so many gaps it is one table with blank lines.
pub(super) const MOST_GAPS: usize = 4096;
/// Rows of a part that are looked at.
const ROWS: usize = 12;
/// Lines that a title may have.
const TITLE_LINES: usize = 3;

/// The tables of a text. `gaps` are where blank lines and rows of delimiters alone begin, outside
/// of quotes and in order. One region where it is one table.
pub(super) fn regions(utf8: &[u8], dialect: &CsvDialect, gaps: &[usize]) -> Vec<Region> {
    let whole = || vec![Region { range: 0..utf8.len(), title: None }];
    if gaps.is_empty() || gaps.len() >= MOST_GAPS {
        return whole();
    }
    let mut tables: Vec<(usize, Option<String>, Part)> = Vec::new();
    let mut title: Option<(usize, String)> = None;
    // A text that is hardly cut at all holds no tables.
    let (mut cut, mut count) = (0usize, 0usize);
    for part in parts(utf8, dialect, gaps) {
        cut += part.lines.iter().filter(|line| line.width > 1).count();
        count += part.lines.len();
        let pending = title.take();
        if part.header.is_none() {
            // A title belongs to what comes below, if that is a table.
            title = part.title().map(|text| (part.start, text));
            continue;
        }
        let starts = match tables.last_mut() {
            None => true,
            // Pairs above a wider table describe it.
            Some((_, _, table)) if are_pairs(&table.lines, part.width) => {
                *table = part;
                continue;
            }
            Some((_, _, table)) => part.is_other_than(table),
        };
        if starts {
            let own = part.title();
            let (start, text) = match (pending, own) {
                (Some((start, text)), _) => (start, Some(text)),
                (None, own) => (part.start, own),
            };
            tables.push((start, text, part));
        }
    }
    if tables.len() < 2 || cut * 5 < count * 3 {
        return whole();
    }
    let ends: Vec<usize> =
        tables.iter().skip(1).map(|(start, _, _)| *start).chain([utf8.len()]).collect();
    let mut regions: Vec<Region> = tables
        .into_iter()
        .zip(ends)
        .map(|((start, title, _), end)| Region { range: start..end, title })
        .collect();
    // What is above the first belongs to it.
    if let Some(first) = regions.first_mut() {
        first.range.start = 0;
    }
    regions
}

/// What stands between two gaps.
pub(in crate::format) struct Part {
    start: usize,
    pub lines: Vec<Line>,
    /// Which of the lines is the header, with at least one row below it.
    pub header: Option<usize>,
    pub width: usize,
}

fn parts<'a>(
    utf8: &'a [u8],
    dialect: &'a CsvDialect,
    gaps: &'a [usize],
) -> impl Iterator<Item = Part> + 'a {
    let line_after = |at: usize| {
        let rest = &utf8[at..];
        match memchr::memchr2(b'\n', b'\r', rest) {
            Some(end) if rest[end] == b'\r' && rest.get(end + 1) == Some(&b'\n') => at + end + 2,
            Some(end) => at + end + 1,
            None => utf8.len(),
        }
    };
    let starts = std::iter::once(0).chain(gaps.iter().map(move |gap| line_after(*gap)));
    let ends = gaps.iter().copied().chain([utf8.len()]);
    starts.zip(ends).filter(|(start, end)| start < end).filter_map(move |(start, end)| {
        let text = &utf8[start..end];
        let lines = lines::first(text, 0, ROWS, dialect);
        let first = lines.first()?;
        let start = start + first.offset;
        Some(Part { start, ..Part::new(lines) })
    })
}

/// The line that names columns: at the top, or below a title.
fn header(lines: &[Line], width: usize) -> Option<usize> {
    if width < 2 {
        return None;
    }
    let titles = lines.iter().take(TITLE_LINES).take_while(|line| line.filled == 1).count();
    let first = lines.get(titles)?;
    let below = lines.get(titles + 1..)?;
    let is_full = first.filled * 10 >= width * 6 && first.filled > 1;
    let fits = below.iter().filter(|line| line.width > 1).count() * 2 > below.len();
    let is_header = first.is_words() && is_full && fits && !below.is_empty();
    is_header.then_some(titles)
}

impl Part {
    /// Of the first lines of what stands between gaps.
    pub(in crate::format) fn new(lines: Vec<Line>) -> Self {
        // The rows below decide the width; titles are shorter.
        let width = lines.iter().map(|line| line.width).max().unwrap_or(1);
        let header = header(&lines, width);
        Part { start: 0, lines, header, width }
    }

    /// The text of a part that is nothing but a title, or of the title line in it.
    fn title(&self) -> Option<String> {
        let titles = self.header.unwrap_or(self.lines.len());
        let lines = &self.lines[..titles];
        let is_title = (1..=TITLE_LINES).contains(&titles)
            && lines.iter().all(|line| line.filled == 1 && !line.look(0).is_value());
        let text = lines.first().filter(|_| is_title)?.first_text();
        let text = String::from_utf8_lossy(text);
        let text = text
            .trim_matches(|c: char| c.is_whitespace() || matches!(c, '#' | '*' | '=' | '-' | ':'));
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn names(&self) -> Vec<&[u8]> {
        let header = self.header.and_then(|at| self.lines.get(at));
        header.map_or_else(Vec::new, |line| (0..line.width).map(|c| line.text(c)).collect())
    }

    /// The lines from the header on.
    fn table(&self) -> &[Line] {
        &self.lines[self.header.unwrap_or_default()..]
    }

    /// Whether this is a table of its own below that one.
    pub(in crate::format) fn is_other_than(&self, table: &Part) -> bool {
        if self.names() == table.names() {
            return true;
        }
        let typed = begins_table(self.table(), self.width);
        let below = lines::columns(table.table().iter().skip(1), table.width);
        let was_typed = below.iter().any(|column| column.typed);
        // Text in columns of values is no row of that table.
        let clashes = self.table().first().is_some_and(|line| {
            (0..table.width).any(|column| {
                below[column].typed && matches!(line.look(column), super::look::CellLook::Text)
            })
        });
        let data = |part: &Part| part.table().iter().skip(1).any(|line| line.width == part.width);
        match (typed, was_typed) {
            (true, true) => clashes || self.width != table.width,
            (true, false) => self.width != table.width || self.table().len() > 1,
            (false, true) => clashes && self.table().len() > 2 && self.width > 1,
            (false, false) => self.width != table.width && self.table().len() > 2 && data(self),
        }
    }
}
