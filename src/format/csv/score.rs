//! How good a table a dialect makes of the samples.
//!
//! The score is the product of three shares, each from 0 to 1:
//!
//! - *uniform*: how many rows have the usual number of cells, squared. A row beside another of its
//!   own length counts for a little more than half, since several tables may be stacked. A few
//!   short lines above and below (titles, notes) do not count, but then a header must follow.
//! - *typed*: how much the cells of each column look like values of one kind (`look.rs`). Text that
//!   still holds other delimiters or quotes counts for little.
//! - *cut*: more columns are better than fewer, as there are fewer ways to cut that well by chance.
//!
//! Quotes that close in the middle of a cell, or never, take off from it. What delimiters must
//! earn before they are believed is in `sniff.rs`.

use super::dialect::{CsvDialect, Delimiter};
use super::look::{CellLook, look, weight};
use super::records::{Oddity, Record, RecordReader};
use super::sample::Piece;

/// Rows looked at in the head and in each window.
const HEAD_ROWS: usize = 150;
const WINDOW_ROWS: usize = 40;
/// Cells looked at in a row, and of each cell so many bytes.
const CELLS: usize = 200;
const CELL_BYTES: usize = 400;
/// So many lines above a table may be no part of it.
pub(super) const MOST_ABOVE: usize = 60;

struct Row {
    width: usize,
    /// Where its cells begin among all looks.
    first: usize,
    /// Place in its piece, from 0, and whether that is the head.
    index: usize,
    in_head: bool,
}

/// How the samples look when they are cut by a dialect.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The usual number of cells.
    pub width: usize,
    /// Columns in which anything stands.
    pub filled: usize,
    /// Rows looked at.
    pub rows: usize,
    /// The share of rows of the usual width.
    pub uniform: f64,
    /// How typed the columns are.
    pub typed: f64,
    /// The share of columns that hold values: numbers, dates, booleans.
    pub values: f64,
    /// Whether some column holds values for the greater part.
    pub has_values: bool,
    /// Whether the first row is one of the table, or is its header with one name less.
    pub first_fits: bool,
    /// Whether the first row of that width holds text over a column of values.
    pub has_header: bool,
    /// Short lines above the first row of that width.
    pub above: usize,
    /// Quoted cells.
    pub quoted: usize,
    /// Quotes that close too early or never.
    pub oddities: usize,
    /// Quoted cells that hold what would end them without quotes.
    protected: usize,
    /// Cells of text, and those of them that are quoted.
    texts: usize,
    quoted_texts: usize,
    /// Cells that hold anything.
    cells: usize,
    /// Cells behind a delimiter that hold anything, and those of them that begin with a blank.
    behind: usize,
    spaced: usize,
    /// Whether all rows have the same number of cells.
    is_even: bool,
    /// Whether the delimiter is a mark that sentences hardly have.
    is_rare: bool,
}

impl Shape {
    /// Cuts the pieces. Lines that begin with `mark` are left out.
    pub(super) fn of(pieces: &[Piece<'_>], dialect: &CsvDialect, mark: Option<&[u8]>) -> Shape {
        let (mut rows, mut looks) = (Vec::new(), Vec::new());
        let is_frequent = |bytes: &[u8]| matches!(bytes, b"," | b" " | b":");
        let mark_bytes = match &dialect.delimiter {
            Delimiter::Bytes(bytes) => bytes.as_slice(),
            _ => b" ",
        };
        let mut shape = Shape { is_rare: !is_frequent(mark_bytes), ..Shape::default() };
        let mut record = Record::default();
        for piece in pieces {
            let mut reader = RecordReader::new(piece.text, dialect);
            let most = if piece.is_head { HEAD_ROWS } else { WINDOW_ROWS };
            let mut index = 0;
            while index < most && reader.read(&mut record) {
                let is_open = record.oddities.iter().any(|o| matches!(o, Oddity::UnclosedQuote(_)));
                if is_open && piece.is_cut {
                    break;
                }
                if mark.is_some_and(|mark| piece.text[record.offset..].starts_with(mark)) {
                    continue;
                }
                let first = looks.len();
                rows.push(Row { width: record.len(), first, index, in_head: piece.is_head });
                index += 1;
                shape.oddities += record.oddities.len();
                for (index, (cell, quoted)) in record.cells(piece.text).take(CELLS).enumerate() {
                    let cell = &cell[..cell.len().min(CELL_BYTES)];
                    let look = look(cell);
                    shape.count(index, cell, quoted, look, mark_bytes, dialect.quote);
                    looks.push((look, weight(look, cell, quoted)));
                }
            }
        }
        shape.rows = rows.len();
        shape.width = usual_width(rows.iter().map(|row| row.width));
        shape.measure(&rows, &looks);
        shape
    }

    fn count(
        &mut self,
        index: usize,
        cell: &[u8],
        quoted: bool,
        look: CellLook,
        delimiter: &[u8],
        quote: Option<u8>,
    ) {
        self.cells += usize::from(!cell.is_empty());
        self.texts += usize::from(look == CellLook::Text);
        if quoted {
            self.quoted += 1;
            self.quoted_texts += usize::from(look == CellLook::Text);
            let ends = |byte: &u8| matches!(byte, b'\n' | b'\r') || Some(*byte) == quote;
            let holds = cell.iter().any(ends) || memchr::memmem::find(cell, delimiter).is_some();
            self.protected += usize::from(holds);
        }
        if index > 0 && !cell.is_empty() {
            self.behind += 1;
            self.spaced += usize::from(!quoted && cell[0] == b' ');
        }
    }

    /// Whether the quotes do what quotes are for, or stand around most texts
    /// or most cells.
    pub(super) fn needs_quotes(&self) -> bool {
        self.protected > 0 || self.quoted_texts * 2 > self.texts || self.quoted * 2 > self.cells
    }

    /// Whether quotes stand around nearly all cells.
    pub(super) fn quotes_all(&self) -> bool {
        self.quoted > 0 && self.quoted * 10 >= self.cells * 9
    }

    /// Whether this is how sentences are cut: at marks before blanks or at the ends of lines, in
    /// rows of several lengths, with no values.
    pub(super) fn is_prose(&self) -> bool {
        !self.has_values
            && !self.is_even
            && (self.filled < 2 || self.spaced * 10 >= self.behind * 9)
    }

    /// Whether all rows below the first lines are cut alike, by a mark that sentences hardly have or
    /// by one between quoted cells.
    fn is_steady(&self) -> bool {
        let rows = self.rows - self.above;
        let is_quoted = self.quoted > 0 && (self.quoted + self.above) * 20 >= self.cells * 19;
        self.uniform > 0.999
            && self.spaced == 0
            && (self.is_rare && rows >= 4 || is_quoted && rows >= 2)
    }

    fn measure(&mut self, rows: &[Row], looks: &[(CellLook, f32)]) {
        let width = self.width;
        if width < 2 {
            return;
        }
        let fits = |row: &Row| row.width == width;
        let Some(first) = rows.first() else { return };
        self.first_fits = first.width == width || first.width + 1 == width;
        self.above = rows.iter().take(MOST_ABOVE).take_while(|row| row.width * 2 <= width).count();
        let below = rows.iter().rev().take(5).take_while(|row| row.width * 2 <= width).count();
        // What is cut must outweigh what is not.
        let cut = rows.iter().filter(|row| fits(row)).count();
        let below = if self.above + below < rows.len() && below <= cut { below } else { 0 };
        self.is_even = cut == rows.len();
        let (mut good, mut count) = (0.0, 0.0);
        let body = self.above..rows.len() - below;
        for index in body {
            let row = &rows[index];
            let is_same = |other: Option<&Row>| other.is_some_and(|o| o.width == row.width);
            // A window may begin inside a quoted cell.
            if !row.in_head && row.index < 3 && !fits(row) {
                continue;
            }
            count += 1.0;
            good += match row.width {
                _ if fits(row) => 1.0,
                1 => 0.0,
                _ if index == self.above && row.width + 1 == width => 0.8,
                _ if index > 0 && is_same(rows.get(index - 1)) => 0.6,
                _ if is_same(rows.get(index + 1)) => 0.6,
                _ => 0.0,
            };
        }
        self.uniform = good / f64::max(count, 1.0);
        self.type_columns(rows, looks);
    }

    fn type_columns(&mut self, rows: &[Row], looks: &[(CellLook, f32)]) {
        let fitting: Vec<&Row> = rows.iter().filter(|row| row.width == self.width).collect();
        // The first is most often a header.
        let data = if fitting.len() > 1 { &fitting[1..] } else { &fitting[..] };
        let columns = self.width.min(CELLS);
        let (mut typed, mut valued) = (0.0, 0usize);
        for column in 0..columns {
            let (mut numbers, mut dates, mut texts, mut sum) = (0usize, 0usize, 0usize, 0.0f64);
            for row in data {
                let (look, weight) = looks[row.first + column];
                match look.kind() {
                    CellLook::Empty => continue,
                    CellLook::Text => texts += 1,
                    CellLook::Date => dates += 1,
                    _ => numbers += 1,
                }
                sum += f64::from(weight);
            }
            let filled = numbers + dates + texts;
            let head = looks[fitting[0].first + column].0;
            if filled == 0 {
                self.filled += usize::from(head != CellLook::Empty);
                typed += 0.4;
                continue;
            }
            self.filled += 1;
            let usual = numbers.max(dates).max(texts) as f64 / filled as f64;
            typed += sum / filled as f64 * (0.6 + 0.4 * usual);
            self.has_values |= texts * 2 < filled;
            if texts * 5 <= filled {
                valued += 1;
                self.has_header |= fitting.len() > 1 && head == CellLook::Text;
            }
        }
        self.typed = typed / columns as f64;
        self.values = valued as f64 / self.filled.max(1) as f64;
    }

    /// How good the table is, from 0 to 1.
    pub(super) fn score(&self) -> f64 {
        if self.width < 2 {
            return 0.0;
        }
        let cut = match self.filled {
            0 | 1 => 0.4,
            columns => ((columns as f64 - 1.0) / columns as f64).sqrt(),
        };
        // Short lines above data without a header speak for a text in one column.
        let led = match (self.above > 0 && !self.has_header, self.width) {
            (false, _) => 1.0,
            _ if self.is_steady() => 0.8,
            (true, 2) if !self.has_values => 0.15,
            (true, _) if !self.has_values => 0.2,
            (true, _) => 0.5,
        };
        let odd = (self.oddities as f64 / self.rows.max(1) as f64 * 2.0).min(1.0);
        self.uniform.powi(2) * self.typed * cut * led * (1.0 - 0.7 * odd)
    }
}

/// The most frequent of the widths above one, the largest among equals; 1 where there is none.
pub(super) fn usual_width(widths: impl Iterator<Item = usize>) -> usize {
    let mut sorted: Vec<usize> = widths.filter(|width| *width > 1).collect();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| run.len()).map_or(1, |run| run[0])
}
