//! One chunk: its rows, one after the other, into the root's fields.

use super::node::Struct;
use super::read::{Halt, Mode, Reader, Step};
use super::{Between, Rows};

/// A row that was left out because it is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub start: usize,
    pub end: usize,
}

/// What there is to say of a chunk besides its columns.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub rows: u64,
    /// How it was read.
    pub mode: Mode,
    pub broken: Vec<Broken>,
    /// Where reading stopped, if it did not come to the end.
    pub failed: Option<(usize, Halt)>,
    /// Where the last row begins.
    pub row_start: usize,
}

/// A chunk may fill in a null for so many bytes of its text, and some more.
const BYTES_A_NULL: usize = 2;
const FREE_NULLS: usize = 1 << 19;
/// A chunk is longer than this only where a row is; offsets of texts have 32 bits.
const LONGEST: usize = 1 << 30;
/// So many fields, those of nested objects included, for each column that is allowed.
const FIELDS_A_COLUMN: usize = 8;

impl Rows {
    /// Reads the rows of a chunk into a root, in the first mode that can: as they come; with care,
    /// where something is broken or stands twice; for types only, where columns are sparse.
    pub(super) fn chunk(&self, root: &mut Struct, place: (usize, usize), mode: Mode) -> Notes {
        let mut mode = mode;
        loop {
            let notes = self.attempt(root, place, mode);
            let Some((_, halt)) = notes.failed else { return notes };
            // A root whose types are settled is read in the right mode at once.
            if root.settled {
                return notes;
            }
            match halt {
                Halt::Broken | Halt::Limit if !mode.careful && self.between == Between::Lines => {
                    mode.careful = true;
                }
                Halt::Repeated if !mode.careful => mode.careful = true,
                Halt::Sparse if !mode.types_only => mode.types_only = true,
                _ => return notes,
            }
            root.again();
        }
    }

    /// Fields of all objects at all depths.
    pub(super) fn most_fields(&self) -> usize {
        self.most_columns.saturating_mul(FIELDS_A_COLUMN).saturating_add(8 * super::MOST_FIELDS)
    }

    fn attempt(&self, root: &mut Struct, (start, end): (usize, usize), mode: Mode) -> Notes {
        if end - start > LONGEST {
            let failed = Some((start, Halt::LongRow));
            return Notes { failed, row_start: start, mode, ..Notes::default() };
        }
        let mut reader = Reader {
            // A row of a line ends with its line; others may look one byte further, at the comma.
            text: match self.between {
                Between::Lines => &self.text[..end],
                _ => &self.text[..self.end],
            },
            at: start,
            mode,
            over_lines: self.between != Between::Lines,
            value_bytes: self.value_bytes,
            row: 0,
            row_start: start,
            nulls_left: if root.settled {
                usize::MAX
            } else {
                FREE_NULLS + (end - start) / BYTES_A_NULL
            },
            fields_left: self.most_fields(),
        };
        let mut notes = Notes::default();
        let read = match self.between {
            Between::Lines => self.lines(&mut reader, root, &mut notes),
            _ => self.others(&mut reader, root, end),
        };
        let read = read.and_then(|()| reader.fill_all(root));
        notes.rows = reader.row;
        notes.mode = mode;
        notes.failed = read.err().map(|halt| (reader.at, halt));
        notes.row_start = reader.row_start;
        notes
    }

    fn lines(&self, reader: &mut Reader<'_>, root: &mut Struct, notes: &mut Notes) -> Step {
        loop {
            while matches!(reader.peek(), b'\n' | b'\r' | b' ' | b'\t')
                && reader.at < reader.text.len()
            {
                reader.at += 1;
            }
            if reader.at >= reader.text.len() {
                return Ok(());
            }
            if reader.mode.careful {
                let start = reader.at;
                match self.line(reader) {
                    Ok(()) => reader.at = start,
                    Err(Halt::Broken) => {
                        let rest = &reader.text[start..];
                        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                        reader.at = start + length;
                        notes.broken.push(Broken { start, end: reader.at });
                        continue;
                    }
                    // A line that is over a limit is not broken, and its rows are not to be lost.
                    Err(halt) => {
                        reader.row_start = start;
                        return Err(halt);
                    }
                }
            }
            let first = reader.peek();
            self.row(reader, root)?;
            end_of_row(reader, first)?;
        }
    }

    /// Checks what stands on a line.
    fn line(&self, reader: &mut Reader<'_>) -> Step {
        loop {
            let first = reader.peek();
            reader.skip(self.depth)?;
            end_of_row(reader, first)?;
            if matches!(reader.peek(), b'\n' | 0) {
                return Ok(());
            }
        }
    }

    fn others(&self, reader: &mut Reader<'_>, root: &mut Struct, end: usize) -> Step {
        reader.blanks();
        if reader.at >= self.end {
            // There is nothing between the brackets, or nothing more.
            let is_empty = self.text[self.start..self.end].trim_ascii().is_empty();
            let is_end = is_empty || self.between == Between::Nothing;
            return if is_end { Ok(()) } else { Err(Halt::Broken) };
        }
        while reader.at < end {
            // Only braces keep rows apart where nothing else does.
            if self.between == Between::Nothing && reader.peek() != b'{' {
                return Err(Halt::Broken);
            }
            self.row(reader, root)?;
            // Blanks behind the last row of a chunk are the next one's.
            if self.between == Between::Nothing && reader.at >= end {
                break;
            }
            reader.blanks();
            if self.between == Between::Nothing || reader.at >= self.end {
                continue;
            }
            if reader.peek() != b',' {
                return Err(Halt::Broken);
            }
            reader.at += 1;
            if reader.at == end && end < self.end {
                return Ok(());
            }
            reader.blanks();
            if reader.at >= self.end {
                // A comma with nothing behind it.
                return Err(Halt::Broken);
            }
        }
        // Chunks end where rows do.
        if reader.at == end { Ok(()) } else { Err(Halt::Broken) }
    }

    /// The row that begins here.
    fn row(&self, reader: &mut Reader<'_>, root: &mut Struct) -> Step {
        let row = reader.row as usize;
        reader.row_start = reader.at;
        match reader.peek() {
            b'{' if self.features => self.feature(reader, root, row)?,
            b'{' => reader.fields(root, row, self.depth.checked_sub(1).ok_or(Halt::Limit)?)?,
            b'[' => self.positions(reader, root, row)?,
            b'n' => reader.skip(0)?,
            _ => {
                root.pairs += 1;
                if let Some(field) = reader.named(root, b"0")? {
                    reader.field(root, field, row, self.depth)?;
                }
            }
        }
        reader.row += 1;
        Ok(())
    }

    /// A row that is an array: columns by position.
    fn positions(&self, reader: &mut Reader<'_>, root: &mut Struct, row: usize) -> Step {
        let depth = self.depth.checked_sub(1).ok_or(Halt::Limit)?;
        reader.at += 1;
        reader.blanks();
        if reader.peek() == b']' {
            reader.at += 1;
            return Ok(());
        }
        let mut position = 0;
        loop {
            let known = root
                .fields
                .get(position)
                .is_some_and(|field| field.present && is_position(&field.name, position));
            let field = match known {
                true => Some(position),
                false => reader.named(root, position.to_string().as_bytes())?,
            };
            match field {
                Some(field) => reader.field(root, field, row, depth)?,
                None => reader.skip(depth)?,
            }
            position += 1;
            root.pairs += 1;
            if !reader.more(b']')? {
                return Ok(());
            }
        }
    }

    /// A GeoJSON feature: its properties are columns, and its members, under names of their own.
    fn feature(&self, reader: &mut Reader<'_>, root: &mut Struct, row: usize) -> Step {
        let depth = self.depth.checked_sub(1).ok_or(Halt::Limit)?;
        reader.at += 1;
        reader.blanks();
        if reader.peek() == b'}' {
            reader.at += 1;
            return Ok(());
        }
        if reader.mode.careful {
            let (pairs, behind) = reader.pairs(root, depth)?;
            for pair in pairs.iter().filter(|pair| pair.is_last) {
                reader.at = pair.value;
                self.member(reader, root, row, &pair.name)?;
            }
            reader.at = behind;
            return Ok(());
        }
        let mut had_properties = false;
        loop {
            let (start, end, _) = reader.pass_key()?;
            let mut name = Vec::new();
            super::quick::unescape(reader.text, start, end, &mut name);
            if name == b"properties" && std::mem::replace(&mut had_properties, true) {
                return Err(Halt::Repeated);
            }
            self.member(reader, root, row, &name)?;
            if !reader.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// The value of a feature's member.
    fn member(&self, reader: &mut Reader<'_>, root: &mut Struct, row: usize, name: &[u8]) -> Step {
        let depth = self.depth.checked_sub(1).ok_or(Halt::Limit)?;
        match (name, reader.peek()) {
            (b"properties", b'{') => {
                reader.fields(root, row, depth.checked_sub(1).ok_or(Halt::Limit)?)
            }
            (b"properties", b'n') => reader.skip(depth),
            (b"type", b'"') if reader.text[reader.at..].starts_with(b"\"Feature\"") => {
                reader.skip(depth)
            }
            _ => {
                root.pairs += 1;
                match reader.named(root, &[super::MEMBER.as_bytes(), name].concat())? {
                    Some(field) => reader.field(root, field, row, depth),
                    None => reader.skip(depth),
                }
            }
        }
    }
}

/// Where rows are lines, a line ends with its row; only objects may stand side by side.
fn end_of_row(reader: &mut Reader<'_>, first: u8) -> Step {
    reader.blanks();
    let ends = reader.at >= reader.text.len() || reader.peek() == b'\n';
    let goes_on = first == b'{' && reader.peek() == b'{';
    if ends || goes_on { Ok(()) } else { Err(Halt::Broken) }
}

fn is_position(name: &str, position: usize) -> bool {
    // No zero or plus before it.
    name.parse() == Ok(position) && (name.len() == 1 || !name.starts_with(['0', '+']))
}
