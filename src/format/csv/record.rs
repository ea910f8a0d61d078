//! One record of a text: its cells, where it is, what was odd about it.

/// One cell of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) in_scratch: bool,
    /// Whether it stood between quotes.
    pub quoted: bool,
}

/// Something odd about a record that did not stop the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Text after a closing quote, at this offset.
    StrayQuote(usize),
    /// A quote that is never closed, at this offset; it was taken as text.
    UnclosedQuote(usize),
}

/// So many cells of a record are kept: more than any table may have columns, but no more memory than
/// a line of nothing but delimiters should cost.
const MOST_CELLS: usize = 1 << 18;

/// One record: where it begins, and its cells.
#[derive(Debug, Default)]
pub struct Record {
    /// The offset of its first byte.
    pub offset: usize,
    /// The offset behind it, its line end included.
    pub end: usize,
    pub(super) fields: Vec<Field>,
    /// Cells beyond [`MOST_CELLS`], which are counted but not kept.
    pub(super) beyond: usize,
    pub(super) scratch: Vec<u8>,
    /// What was odd about it.
    pub oddities: Vec<Oddity>,
    /// Whether the end of a cell was looked for up to the end of the text, and not found.
    pub(super) ran_out: bool,
}

impl Record {
    /// The number of cells.
    pub fn len(&self) -> usize {
        self.fields.len() + self.beyond
    }

    pub(super) fn push(&mut self, field: Field) {
        if self.fields.len() < MOST_CELLS {
            self.fields.push(field);
        } else {
            self.beyond += 1;
        }
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// One cell, and whether it was quoted; `None` where the record is too short.
    pub fn cell<'a>(&'a self, text: &'a [u8], index: usize) -> Option<(&'a [u8], bool)> {
        self.fields.get(index).map(|field| self.text_of(field, text))
    }

    /// Where one cell begins; `None` where it is not in the text as it reads, for its quotes.
    pub fn cell_offset(&self, index: usize) -> Option<usize> {
        self.fields.get(index).filter(|field| !field.in_scratch).map(|field| field.start)
    }

    /// The cells' texts, and whether each was quoted. `text` is what the reader reads.
    pub fn cells<'a>(&'a self, text: &'a [u8]) -> impl ExactSizeIterator<Item = (&'a [u8], bool)> {
        self.fields.iter().map(move |field| self.text_of(field, text))
    }

    fn text_of<'a>(&'a self, field: &Field, text: &'a [u8]) -> (&'a [u8], bool) {
        let from = if field.in_scratch { &self.scratch } else { text };
        (&from[field.start..field.end], field.quoted)
    }
}
