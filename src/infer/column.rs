//! A run of cells of one column, as text.

/// How a cell stood in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cell {
    /// As it is.
    Plain,
    /// Between quotes.
    Quoted,
    /// Not there: the row was too short, or the value was null.
    Missing,
}

/// Cells of one column, one behind the other.
#[derive(Clone, Debug, Default)]
pub struct TextColumn {
    data: Vec<u8>,
    ends: Vec<u32>,
    kinds: Vec<Cell>,
}

impl TextColumn {
    /// Adds a cell that is there.
    pub fn push(&mut self, text: &[u8], quoted: bool) {
        self.data.extend_from_slice(text);
        self.ends.push(self.data.len() as u32);
        self.kinds.push(if quoted { Cell::Quoted } else { Cell::Plain });
    }

    /// Adds missing cells until there are `rows`.
    pub fn pad_to(&mut self, rows: usize) {
        let end = self.data.len() as u32;
        self.ends.resize(rows.max(self.ends.len()), end);
        self.kinds.resize(self.ends.len(), Cell::Missing);
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of all cells together.
    pub fn data_len(&self) -> usize {
        self.data.len()
    }

    /// The cell's text and how it stood; `None` where it is missing.
    pub fn get(&self, row: usize) -> Option<(&[u8], bool)> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        match self.kinds[row] {
            Cell::Missing => None,
            kind => Some((&self.data[start..self.ends[row] as usize], kind == Cell::Quoted)),
        }
    }

    /// All cells in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<(&[u8], bool)>> {
        (0..self.len()).map(|row| self.get(row))
    }
}
