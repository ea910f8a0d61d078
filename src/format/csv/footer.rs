//! What stands below a table: totals, sources, notes, counts of rows.
//!
//! Takes the end of a region and what the table's columns hold; gives the first record that is no
//! row of the table. A last row that fits the table is data, a row cut short by the end of the file
//! is too. What does not fit must also say so: by a blank line above it, a word such as *Total* or
//! *Source*, a mark such as `*` or `(`, or a text where a number belongs.

use super::dialect::CsvDialect;
use super::lines::{self, Column, Line};
use super::look::CellLook;
use super::records::{Record, RecordReader};

/// So much of the end is looked at, and so many records of it may be a footer.
const TAIL: usize = 16 << 10;
const MOST: usize = 30;

/// Where the footer begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Footer {
    /// The offset in the region.
    pub offset: usize,
    /// Its records.
    pub records: u64,
}

/// The words that begin a line of totals.
const TOTALS: &[&str] = &[
    "total",
    "totals",
    "sum",
    "subtotal",
    "grand",
    "overall",
    "gesamt",
    "summe",
    "gesamtsumme",
    "insgesamt",
    "endsumme",
    "somme",
    "totaux",
    "totale",
    "totaal",
    "suma",
    "soma",
    "razem",
    "итого",
    "всего",
    "合計",
    "总计",
    "average",
    "mean",
    "mittelwert",
    "saldo",
    "endsaldo",
    "kontostand",
];

/// The words that begin a note.
const NOTES: &[&str] = &[
    "source",
    "sources",
    "quelle",
    "quellen",
    "note",
    "notes",
    "footnote",
    "footnotes",
    "generated",
    "exported",
    "created",
    "printed",
    "end",
    "eof",
    "copyright",
    "©",
    "remark",
    "remarks",
    "hinweis",
    "anmerkung",
    "anmerkungen",
    "stand",
    "fuente",
    "nota",
    "notas",
    "remarque",
    "erstellt",
    "legend",
    "report",
    "last",
    "data",
    "disclaimer",
    "fin",
    "ende",
    "page",
    "seite",
    "records",
    "rows",
];

/// What stands below the rows that Postgres copies out.
const END_OF_COPY: &[u8] = b"\\.";

/// Finds the footer. `data` are the first rows of the table, `width` its number of columns.
pub(super) fn find(
    region: &[u8],
    data: &[Line],
    width: usize,
    dialect: &CsvDialect,
) -> Option<Footer> {
    let first = data.first()?;
    let mut from = first.offset;
    if region.len() - from > TAIL {
        from = region.len() - TAIL;
        from += memchr::memchr2(b'\n', b'\r', &region[from..])? + 1;
    }
    let tail = lines::read(&region[from..], from, usize::MAX, dialect);
    // The table's own rows: those of the head, but not its last, which may be the footer.
    let rows = &data[..data.len().min(100)];
    let rows = if rows.len() > 3 && region.len() - first.offset <= TAIL {
        &rows[..rows.len() - rows.len().min(8) / 4 - 1]
    } else if rows.len() > 1 {
        &rows[..rows.len() - 1]
    } else {
        return None;
    };
    let is_row =
        |line: &&Line| line.width >= width || line.cells.len() >= width && line.filled * 2 >= width;
    let fitting = rows.iter().filter(is_row);
    let columns = lines::columns(fitting, width);
    let table = Table { width, columns, is_ragged: is_ragged(rows, width) };
    let ends_in_line = !matches!(region.last(), Some(b'\n' | b'\r' | 0x1a));
    let mut start = None;
    // The gap that a later line of the footer stands behind.
    let mut apart = false;
    for (index, line) in tail.iter().enumerate().skip(1).rev().take(MOST) {
        let is_cut = ends_in_line && index + 1 == tail.len() && line.width > 1;
        if line.offset <= first.offset || !table.is_below(line, apart, is_cut) {
            break;
        }
        apart = false;
        start = Some(index);
        // Lines between the blank one and a footer that says so belong to it.
        let above = tail[..index].iter().rev().take(5).position(|line| line.gap);
        if !line.gap
            && let Some(distance) = above
        {
            let block = &tail[index - 1 - distance..index];
            apart = block.iter().all(|line| table.clashes(line));
        }
    }
    let start = start.filter(|start| *start > 0);
    let last = &tail[start.unwrap_or(tail.len()).checked_sub(1)?];
    // Rows of delimiters alone belong to what is below if the table has no such rows and no gaps.
    let rows = &tail[..start.unwrap_or(tail.len())];
    let never_lacks = |column: usize| rows.iter().all(|line| !line.text(column).is_empty());
    let is_full =
        width > 1 && !first.gap && !rows.iter().any(|line| line.gap) && (0..width).any(never_lacks);
    let end = start.map_or(region.len(), |start| tail[start].offset);
    let offset = match is_full {
        true => first_below(region, last, dialect).unwrap_or(end),
        false => end,
    };
    let records = records_from(&region[offset..], dialect);
    // One such row alone may be a row in which everything is missing.
    (start.is_some() || records > 1).then_some(Footer { offset, records })
}

/// Where the first record below this line begins, if there is one; where a row holds quoted cells
/// that are empty, the one below it.
fn first_below(region: &[u8], line: &Line, dialect: &CsvDialect) -> Option<usize> {
    let mut reader = RecordReader::starting_at(region, dialect, line.offset);
    let mut record = Record::default();
    reader.read(&mut record);
    let mut first = None;
    while reader.read(&mut record) {
        let mut cells = record.cells(region);
        if cells.len() > 1 && cells.all(|(cell, quoted)| quoted && cell.is_empty()) {
            first = None;
            continue;
        }
        first.get_or_insert(record.offset);
    }
    first
}

/// Records of a text, rows of delimiters alone included.
fn records_from(text: &[u8], dialect: &CsvDialect) -> u64 {
    let mut reader = RecordReader::new(text, dialect);
    let mut record = Record::default();
    let mut count = 0;
    while reader.read(&mut record) {
        count += 1;
    }
    count
}

/// Whether rows of all lengths are usual.
fn is_ragged(rows: &[Line], width: usize) -> bool {
    rows.iter().filter(|line| line.width * 2 <= width).count() * 20 > rows.len()
}

/// Whether a row below the others is a note: one text alone, where that is no row of a table whose
/// columns hold `columns`. Totals are rows.
pub(in crate::format) fn is_note(line: &Line, columns: &[Column], width: usize) -> bool {
    let table = Table { width, columns: columns.to_vec(), is_ragged: false };
    let text = line.first_text();
    let says_so = begins_with(text, NOTES) || is_marked(text) || is_count(line);
    let clashes = table.clashes(line);
    width > 1
        && line.filled == 1
        && !begins_with(text, TOTALS)
        && (line.gap || says_so || clashes)
        && (clashes || table.has_new_gaps(line))
}

struct Table {
    width: usize,
    columns: Vec<Column>,
    is_ragged: bool,
}

impl Table {
    fn is_below(&self, line: &Line, apart: bool, is_cut: bool) -> bool {
        let apart = apart || line.gap;
        let clashes = self.clashes(line);
        if self.width == 1 {
            return clashes
                && (is_count(line) || apart && self.columns.first().is_some_and(|c| c.typed));
        }
        let text = line.first_text();
        let says_so = begins_with(text, TOTALS);
        let is_note = begins_with(text, NOTES)
            || is_marked(text)
            || line.filled == 1 && (is_count(line) || text == END_OF_COPY);
        let is_short = line.filled == 1 || line.filled * 2 <= self.width && line.width < self.width;
        // Cells are missing that no row lacks, or hold what no row has there.
        let is_cut_short = line.width < self.width && line.cells.len() < self.width;
        let misfits = clashes || line.width > self.width || is_cut_short || self.has_new_gaps(line);
        if is_cut && !clashes && !says_so {
            return false;
        }
        (is_short && (apart || is_note || clashes && !self.is_ragged) && misfits)
            || (says_so && misfits)
            || (apart && clashes && line.width <= self.width && line.filled < self.width)
            || (apart && clashes && line.look(0) == CellLook::Text && self.typed(0))
    }

    fn typed(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|column| column.typed)
    }

    /// Whether a cell holds text where the table has values.
    fn clashes(&self, line: &Line) -> bool {
        let texts = |column: &usize| line.look(*column) == CellLook::Text && self.typed(*column);
        (0..line.width.min(self.width)).any(|column| texts(&column)) || line.width > self.width
    }

    fn has_new_gaps(&self, line: &Line) -> bool {
        (0..self.width).any(|column| {
            line.text(column).is_empty() && self.columns.get(column).is_some_and(|c| !c.gaps)
        })
    }
}

fn begins_with(text: &[u8], words: &[&str]) -> bool {
    let text = String::from_utf8_lossy(text).to_lowercase();
    let text = text.trim_start_matches(['*', '#', '-', '=', '(', ' ', '[']);
    let word = text.split(|c: char| !c.is_alphanumeric() && c != '©').next().unwrap_or_default();
    words.contains(&word)
}

/// Footnotes, rules and counts begin with a mark.
fn is_marked(text: &[u8]) -> bool {
    let is_rule =
        text.len() >= 3 && text.iter().all(|byte| matches!(byte, b'-' | b'=' | b'*' | b'_'));
    is_rule
        || text.starts_with(b"--")
        || text.starts_with(b"**")
        || text.starts_with("†".as_bytes())
        || matches!(text, [b'*' | b'#' | b'(' | b'[' | b'=', ..])
}

/// `(10 rows)`, `3 records selected.`
fn is_count(line: &Line) -> bool {
    let text = line.first_text().trim_ascii();
    let text = text.strip_prefix(b"(").unwrap_or(text);
    let lower = String::from_utf8_lossy(text).to_lowercase();
    lower.starts_with(|c: char| c.is_ascii_digit())
        && ["row", "record", "zeile", "ligne", "fila"].iter().any(|word| lower.contains(word))
}
