//! One chunk: its rows, one after the other, into the root's fields.

use super::node::Struct;
use super::read::{Halt, Mode, Reader, Step};
use super::{Between, Rows};

/// A row that was left out because it is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub start: usize,
    pub end: usize,
    /// Rows of the chunk before it.
    pub row: u64,
}

/// What there is to say of a chunk besides its columns.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub rows: u64,
    /// Whether it took care to read it.
    pub careful: bool,
    pub broken: Vec<Broken>,
    /// Where keys stand that stand again in their object.
    pub repeated: Vec<usize>,
    /// Where reading stopped, if it did not come to the end.
    pub failed: Option<(usize, Halt)>,
    /// Where the last row begins.
    pub row_start: usize,
}

/// A chunk may fill in so many nulls for each byte of its text, and some more.
const NULLS_A_BYTE: usize = 4;
const FREE_NULLS: usize = 1 << 20;
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
            match halt {
                Halt::Broken if !mode.careful && self.between == Between::Lines => {
                    mode.careful = true;
                }
                Halt::Repeated if !mode.careful => mode.careful = true,
                Halt::Sparse if !mode.types_only && !root.settled => mode.types_only = true,
                _ => return notes,
            }
            // A root whose types are settled is read in the right mode at once.
            if root.settled {
                return notes;
            }
            root.again();
        }
    }

    /// Fields of all objects at all depths.
    pub(super) fn most_fields(&self) -> usize {
        self.most_columns.saturating_mul(FIELDS_A_COLUMN).saturating_add(8 * super::MOST_FIELDS)
    }

    fn attempt(&self, root: &mut Struct, (start, end): (usize, usize), mode: Mode) -> Notes {
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
                FREE_NULLS + (end - start) * NULLS_A_BYTE
            },
            fields_left: self.most_fields(),
            repeated: Vec::new(),
        };
        let mut notes = Notes::default();
        let read = match self.between {
            Between::Lines => self.lines(&mut reader, root, &mut notes),
            _ => self.others(&mut reader, root, end),
        };
        let read = read.and_then(|()| reader.fill_all(root));
        notes.rows = reader.row;
        notes.careful = mode.careful;
        notes.failed = read.err().map(|halt| (reader.at, halt));
        notes.row_start = reader.row_start;
        notes.repeated = reader.repeated;
        notes
    }

    fn lines(&self, reader: &mut Reader<'_>, root: &mut Struct, notes: &mut Notes) -> Step {
        loop {
            while matches!(reader.peek(), b'\n' | b'\r' | b' ' | b'\t' | 0x1e)
                && reader.at < reader.text.len()
            {
                reader.at += 1;
            }
            if reader.at >= reader.text.len() {
                return Ok(());
            }
            if reader.mode.careful {
                let start = reader.at;
                if self.line(reader).is_err() {
                    let rest = &reader.text[start..];
                    let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    let end = start + length;
                    notes.broken.push(Broken { start, end, row: reader.row });
                    reader.at = end;
                    continue;
                }
                reader.at = start;
            }
            self.row(reader, root)?;
            reader.blanks();
            if reader.at < reader.text.len() && !matches!(reader.peek(), b'\n' | b'{' | b'[' | 0x1e)
            {
                return Err(Halt::Broken);
            }
        }
    }

    /// Checks what stands on a line.
    fn line(&self, reader: &mut Reader<'_>) -> Step {
        loop {
            reader.skip(self.depth)?;
            reader.blanks();
            if reader.at >= reader.text.len() {
                return Ok(());
            }
            match reader.peek() {
                b'\n' => return Ok(()),
                0x1e => reader.at += 1,
                b'{' | b'[' => {}
                _ => return Err(Halt::Broken),
            }
        }
    }

    fn others(&self, reader: &mut Reader<'_>, root: &mut Struct, end: usize) -> Step {
        reader.blanks();
        // Brackets with nothing in between.
        if reader.at >= end {
            return if self.start == self.end || reader.at == end {
                Ok(())
            } else {
                Err(Halt::Broken)
            };
        }
        loop {
            // Only brackets keep rows apart where nothing else does.
            if self.between == Between::Nothing && !matches!(reader.peek(), b'{' | b'[') {
                return Err(Halt::Broken);
            }
            self.row(reader, root)?;
            // Blanks behind the last row of a chunk are the next one's.
            if self.between == Between::Commas || reader.at < end {
                reader.blanks();
            }
            if self.between == Between::Commas && reader.at < self.end {
                if reader.peek() != b',' {
                    return Err(Halt::Broken);
                }
                reader.at += 1;
                if reader.at == self.end {
                    return Err(Halt::Broken);
                }
                if reader.at == end {
                    return Ok(());
                }
                reader.blanks();
            }
            if reader.at >= end {
                // Chunks end where rows do.
                return if reader.at == end { Ok(()) } else { Err(Halt::Broken) };
            }
        }
    }

    /// The row that begins here.
    fn row(&self, reader: &mut Reader<'_>, root: &mut Struct) -> Step {
        let row = reader.row as usize;
        reader.row_start = reader.at;
        match reader.peek() {
            b'{' if self.features => self.feature(reader, root, row)?,
            b'{' => reader.fields(root, row, self.depth.checked_sub(1).ok_or(Halt::Broken)?)?,
            b'[' => self.positions(reader, root, row)?,
            b'n' => reader.skip(0)?,
            _ => {
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
        let depth = self.depth.checked_sub(1).ok_or(Halt::Broken)?;
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
            reader.blanks();
            let byte = reader.peek();
            reader.at += 1;
            match byte {
                b',' => reader.blanks(),
                b']' => return Ok(()),
                _ => return Err(Halt::Broken),
            }
        }
    }

    /// A GeoJSON feature: its properties are columns, and its members, under names of their own.
    fn feature(&self, reader: &mut Reader<'_>, root: &mut Struct, row: usize) -> Step {
        let depth = self.depth.checked_sub(2).ok_or(Halt::Broken)?;
        reader.at += 1;
        reader.blanks();
        if reader.peek() == b'}' {
            reader.at += 1;
            return Ok(());
        }
        loop {
            let (start, end, escaped) = reader.pass_key()?;
            let key = if escaped { &[][..] } else { &reader.text[start..end] };
            match (key, reader.peek()) {
                (b"properties", b'{') => reader.fields(root, row, depth)?,
                (b"properties", b'n') => reader.skip(depth)?,
                (b"type", b'"') if reader.text[reader.at..].starts_with(b"\"Feature\"") => {
                    reader.skip(depth)?;
                }
                _ => {
                    let mut name = vec![super::MEMBER];
                    super::quick::unescape(reader.text, start, end, &mut name);
                    match reader.named(root, &name)? {
                        Some(field) => reader.field(root, field, row, depth)?,
                        None => reader.skip(depth)?,
                    }
                }
            }
            reader.blanks();
            let byte = reader.peek();
            reader.at += 1;
            match byte {
                b',' => reader.blanks(),
                b'}' => return Ok(()),
                _ => return Err(Halt::Broken),
            }
        }
    }
}

fn is_position(name: &str, position: usize) -> bool {
    // No zero or plus before it.
    name.parse() == Ok(position) && (position == 0 || !name.starts_with(['0', '+']))
}
