//! What stands around a table: lines above it, its header, lines below it.
//!
//! Lines above (titles, notes, `key: value`) hold fewer cells than the table, or stand apart from it
//! by a blank line, or begin as comments do; the row below them must look like the table's first.
//! `header.rs` says which rows are the header, `footer.rs` what stands below. Whatever an option
//! settles is not looked for. All that is left out becomes an issue that says how to keep it.

use super::Place;
use super::dialect::CsvDialect;
use super::footer;
use super::header;
use super::lines::{self, Column, Line};
use super::look::CellLook;
use super::records::RecordReader;
use super::score::MOST_ABOVE;
use crate::context::Context;
use crate::options::{Header, SkipRows};
use crate::report::{Code, Issue, Stage};

/// Rows looked at below the first [`MOST_ABOVE`].
const ROWS: usize = 100;
/// Lines that may stand above a text of one column.
const MOST_TITLES: usize = 4;

/// Where in a region the table lies.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    /// Lines above the header or the first row, those of the dialect included.
    pub skip_rows: u64,
    /// Where the column names are.
    pub header: Header,
    /// Records below the table, as `skipfooter` counts them.
    pub footer_lines: u64,
    /// Where in the region the records below begin; its length where there are none.
    pub end: usize,
    /// Where in the region the lines that were found above begin and end.
    above: Option<Above>,
}

/// Lines above a table.
#[derive(Clone, Debug, PartialEq)]
struct Above {
    from: usize,
    to: usize,
    /// All of them, and those that are comments, which are told of as such.
    lines: u64,
    comments: u64,
}

/// Finds what stands around the table of a region. The dialect's `skip_rows` are left out first.
pub(super) fn frame(region: &[u8], dialect: &CsvDialect, context: &Context<'_>) -> Frame {
    let parser = context.parser();
    let mut reader = RecordReader::new(region, dialect);
    for _ in 0..dialect.skip_rows {
        reader.skip_line();
    }
    let start = reader.offset();
    let mut frame = Frame {
        skip_rows: dialect.skip_rows,
        header: Header::Rows(vec![0]),
        footer_lines: 0,
        end: region.len(),
        above: None,
    };
    let mut found = lines::first(region, start, MOST_ABOVE + ROWS, dialect);
    if let Some(SkipRows::Lines(listed)) = &parser.skiprows {
        drop_listed(&mut found, region, listed);
    }
    let width = table_width(&found);
    let is_free = parser.header.is_none() && parser.names.is_none();
    let mut first = 0;
    if is_free && parser.skiprows.is_none() {
        first = above(&found, width);
        // A row of delimiters alone is a record, not a blank line.
        let has_gap_rows =
            found.first().is_some_and(|line| has_record(region, start, line, dialect));
        if let Some(line) = found.get(first).filter(|_| first > 0 || has_gap_rows) {
            let from = reader.offset();
            let (mut count, mut comments) = (0, 0);
            while reader.offset() < line.offset {
                let mark = dialect.comment.as_ref();
                let is_comment = mark.is_some_and(|m| region[reader.offset()..].starts_with(m));
                comments += u64::from(is_comment);
                reader.skip_line();
                count += 1;
            }
            frame.skip_rows += count;
            frame.above = Some(Above { from, to: line.offset, lines: count, comments });
        }
    }
    let table = found.get(first..).unwrap_or_default();
    let may_end =
        parser.skipfooter.is_none() && parser.nrows.is_none() && parser.byte_range.is_none();
    frame.header = match (&parser.header, &parser.names) {
        (Some(header), _) => header.clone(),
        (None, Some(_)) => Header::None,
        (None, None) => {
            // What stands below must not tell whether the first row is one of the others.
            let below = match parser.skipfooter {
                Some(footer) if found.len() < MOST_ABOVE + ROWS => {
                    let kept = table.len().saturating_sub(footer as usize);
                    table.get(kept).map(|line| line.offset)
                }
                _ if may_end => {
                    let data = table.get(1..).unwrap_or_default();
                    footer::find(region, data, width, dialect).map(|footer| footer.offset)
                }
                _ => None,
            };
            let end = below.unwrap_or(region.len());
            let rows = table.partition_point(|line| line.offset < end);
            header::find(&table[..rows], width)
        }
    };
    if may_end {
        let header_rows = match &frame.header {
            Header::None => 0,
            Header::Rows(rows) => rows.last().map_or(0, |row| *row as usize + 1),
        };
        let data = table.get(header_rows..).unwrap_or_default();
        if let Some(found) = footer::find(region, data, width, dialect) {
            frame.footer_lines = found.records;
            frame.end = found.offset;
        }
    }
    frame
}

impl Frame {
    /// Says what is left out, and how to keep it. `place` is the region's.
    pub(super) fn raise(&self, place: &Place<'_>, context: &mut Context<'_>) {
        if let Some(Above { from, to, lines, comments }) = self.above
            && lines > comments
        {
            let count = lines - comments;
            let what =
                if count == 1 { "line above the table was" } else { "lines above the table were" };
            let issue = skipped(format!("{count} {what} left out"));
            let raw = &place.utf8[from..to];
            let issue = place.mark(issue, from).raw(raw.trim_ascii_end());
            context.reporter.push(
                issue.hint(format!("set skiprows={} to read them as rows", self.skip_rows - lines)),
            );
        }
        if self.footer_lines > 0 {
            let count = self.footer_lines;
            let what =
                if count == 1 { "row below the table was" } else { "rows below the table were" };
            let issue = skipped(format!("{count} {what} left out"));
            let raw = &place.utf8[self.end..];
            let issue = place.mark(issue, self.end).raw(raw.trim_ascii_end());
            context.reporter.push(issue.hint("set skipfooter=0 to read them as rows"));
        }
    }
}

fn skipped(message: String) -> Issue {
    Issue::warning(Stage::Parse, Code::SkippedLines, message)
}

/// Whether a record, of delimiters alone, stands between `start` and the line.
fn has_record(region: &[u8], start: usize, line: &Line, dialect: &CsvDialect) -> bool {
    let mut reader = RecordReader::new(&region[start..line.offset], dialect);
    reader.read(&mut super::records::Record::default())
}

/// Takes out the lines that `skiprows` lists; they count from 0.
fn drop_listed(found: &mut Vec<Line>, region: &[u8], listed: &[u64]) {
    let (mut line, mut counted) = (0u64, 0);
    found.retain(|one| {
        line += memchr::memchr_iter(b'\n', &region[counted..one.offset]).count() as u64;
        counted = one.offset;
        listed.binary_search(&line).is_err()
    });
}

/// The usual number of cells of the table in these lines.
pub(super) fn table_width(found: &[Line]) -> usize {
    if let Some(first) = found.first().filter(|line| is_complete(line)) {
        let count = first.cells.len();
        let alike = found.iter().filter(|line| line.cells.len() == count).count();
        if alike > 1 && alike * 10 >= found.len() * 9 {
            return count;
        }
    }
    // Names alone, below a title.
    if let Some((last, above)) = found.split_last()
        && last.gap
        && is_complete(last)
        && above.iter().all(|line| line.width == 1)
        && above.len() < 4
    {
        return last.width;
    }
    // What is above has its say only where there is little below.
    let body = &found[(found.len() / 2).min(MOST_ABOVE)..];
    let mut widths: Vec<usize> = body.iter().map(|line| line.width).collect();
    widths.sort_unstable();
    let runs = widths.chunk_by(|a, b| a == b);
    let usual = runs.max_by_key(|run| (run.len(), run[0])).map_or(1, |run| run[0]);
    let wide: Vec<usize> = widths.iter().copied().filter(|width| *width > 1).collect();
    let usual = match wide.len() * 5 >= widths.len() * 2 {
        true if usual == 1 => super::score::usual_width(wide.into_iter()),
        _ => usual,
    };
    // A short table below or above many lines of another kind.
    let thin = found.iter().rev().take(5).take_while(|line| line.width == 1).count();
    let rest = &found[..found.len() - thin];
    let Some(last) = rest.last() else { return usual.max(1) };
    let run = rest.iter().rev().take_while(|line| line.width == last.width).count();
    let is_apart = run == rest.len()
        || rest[rest.len() - run].gap
        || rest[rest.len() - run - 1].width == 1 && thin <= 5 && run >= 3;
    if run >= 2 && last.width > usual && is_apart { last.width } else { usual }
}

/// Whether a line holds words in each of its cells, as a header does.
fn is_complete(line: &Line) -> bool {
    line.filled > 1 && line.filled == line.cells.len() && line.is_words() && !line.spaced
}

/// How many lines stand above the table.
fn above(found: &[Line], width: usize) -> usize {
    if width < 2 {
        return marked_on_top(found).max(titles_on_top(found));
    }
    let most = found.len().min(MOST_ABOVE + 1);
    // Pairs of a name and a value, with a blank line below them.
    let ends_pairs = |at: &usize| {
        found[*at].gap && are_pairs(&found[..*at], width) && begins_table(&found[*at..], width)
    };
    if let Some(at) = (1..most.min(31)).rev().find(ends_pairs) {
        return at;
    }
    let Some(mut first) = (0..most).find(|index| may_begin(found, *index, width)) else {
        return 0;
    };
    // A line with as many cells as the table is one of its rows, unless a header is still to come.
    let is_apart = found[..=first].iter().skip(1).any(|line| line.gap);
    if !is_apart && !begins_table(&found[first..], width) {
        let is_row = |line: &Line| {
            let is_filled = line.filled > 1 || !found[first].is_words();
            line.cells.len() >= width && is_filled && !line.spaced && !line.is_remark()
        };
        first = found[..first].iter().position(is_row).unwrap_or(first);
    }
    if first > 0 && is_above(found, first, width) { first } else { 0 }
}

/// In a text of one column only lines that begin as comments do, each before a blank.
fn marked_on_top(found: &[Line]) -> usize {
    let is_note = |line: &&Line| {
        let text = line.first_text();
        line.marked
            && text.iter().find(|byte| byte.is_ascii_alphanumeric() || **byte == b' ')
                == Some(&b' ')
    };
    let notes = found.iter().take_while(is_note).count();
    if notes < found.len() && !found[notes..].iter().any(|line| line.marked) { notes } else { 0 }
}

/// In a text of one column of values: a title, with a blank line below.
fn titles_on_top(found: &[Line]) -> usize {
    let Some(gap) = found.iter().take(MOST_TITLES + 1).position(|line| line.gap) else { return 0 };
    let (titles, rest) = found.split_at(gap);
    let are_texts = titles.iter().all(|line| line.look(0) == CellLook::Text);
    let is_phrase = titles.iter().any(|line| line.first_text().contains(&b' '));
    let values = rest.iter().filter(|line| line.look(0).is_value()).count();
    // The first may be the column's name.
    let is_column = values >= 3 && rest.len() - values <= 1;
    if are_texts && is_phrase && is_column { gap } else { 0 }
}

/// Whether the table may begin with this line.
fn may_begin(found: &[Line], index: usize, width: usize) -> bool {
    let line = &found[index];
    let below = &found[index + 1..found.len().min(index + 6)];
    // Below a full row of names cells on the right may be empty.
    let (count, is_complete) = (line.cells.len(), is_complete(line) && line.width >= width);
    let fits = |line: &&Line| match is_complete {
        true => line.cells.len() == count,
        false => line.width + 1 >= width && line.width > 1,
    };
    let fitting = below.iter().filter(fits).count();
    let next = below.iter().take(2).filter(fits);
    if fitting * 10 < below.len() * 6 && next.count() < 2 {
        return false;
    }
    // The last marked line names the columns if it has as many cells and no row below does.
    if line.marked {
        let next = below.first();
        return line.width == width
            && line.is_words()
            && !line.spaced
            && next.is_some_and(|next| !next.marked && !next.is_words());
    }
    let is_wide = line.width >= width || line.width + 1 == width && width > 2;
    let is_prose = line.spaced && below.first().is_some_and(|next| !next.spaced && next.is_words());
    let is_group = line.filled > 1 || line.text(0).is_empty();
    // Names may be missing, but not all those on the right.
    let has_hole = line.filled < line.width && line.filled > 1 && line.filled * 2 >= width;
    let is_full = line.filled * 2 > width
        || has_hole
        || is_group
            && line.cells.len() >= width
            && below.first().is_some_and(|next| next.filled >= width && next.is_words());
    // What is wider than the table is not its header if a header of its width is right below.
    let is_other = line.width > width
        && below
            .first()
            .is_some_and(|next| next.width == width && next.cells.len() < line.cells.len())
        && begins_table(&found[index + 1..], width);
    is_wide && is_full && !is_prose && !is_other
}

/// Whether the lines above `first` are no part of the table that may begin there.
fn is_above(found: &[Line], first: usize, width: usize) -> bool {
    let line = &found[first];
    let leading = &found[..first];
    let is_thin = |line: &Line| line.filled * 2 <= width || line.filled == 1 || line.marked;
    let starts = begins_table(&found[first..], width);
    let apart = line.gap || leading.iter().any(|line| line.gap);
    if leading.iter().all(is_thin) {
        // One short line right above data in two columns is a short header, if it is one word.
        let is_phrase = leading.iter().any(|line| line.first_text().contains(&b' '));
        let is_marked = leading.iter().all(|line| line.marked);
        return starts || line.is_words() || apart || width > 2 || is_phrase || is_marked;
    }
    let narrower = leading.iter().all(|line| line.width != width || line.spaced || line.marked);
    starts && (narrower || line.gap)
}

/// Whether the first line is text over columns of values, or over the rows of units below it.
pub(in crate::format) fn begins_table(found: &[Line], width: usize) -> bool {
    let Some((first, below)) = found.split_first() else { return false };
    let is_full = first.filled * 10 >= width * 6 || first.text(0).is_empty();
    let skipped = below.iter().take(3).take_while(|line| line.is_words()).count();
    let data = below.get(skipped..).unwrap_or_default();
    let columns: Vec<Column> = lines::columns(data.iter().take(ROWS), width);
    let named =
        columns.iter().enumerate().any(|(at, c)| c.typed && first.look(at) != CellLook::Number);
    // Days over numbers are names too.
    let is_name = |(at, column): (usize, &Column)| match first.look(at) {
        CellLook::Date => column.typed && column.kind == CellLook::Number,
        look => !look.is_value() || first.is_year(at),
    };
    let is_named = columns.iter().enumerate().all(is_name) && !first.look(0).is_value();
    (first.is_words() || is_named) && is_full && named && !data.is_empty()
}

/// Whether these lines are names each with one value, of several kinds, rather than a table like
/// that of `width` columns below them.
pub(in crate::format) fn are_pairs(found: &[Line], width: usize) -> bool {
    let short = found.iter().all(|line| line.width <= 2 && !line.look(0).is_value());
    let ends = found.iter().filter(|line| line.first_text().ends_with(b":")).count();
    let values: Vec<CellLook> =
        found.iter().map(|line| line.look(1)).filter(|look| *look != CellLook::Empty).collect();
    let below = values.get(1..).unwrap_or_default();
    // A column of numbers below a name is a table.
    let is_column = below.len() > 1
        && below.iter().all(|look| *look == below[0] && look.is_value())
        && values[0] == CellLook::Text;
    let is_mixed = values.iter().any(|look| *look != values[0]);
    short && (ends * 2 > found.len() || !is_column && (is_mixed || width > 2))
}
