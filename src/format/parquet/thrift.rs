//! Thrift's compact encoding, as much as it takes to look at metadata and page headers before the crate
//! makes room for what they say.

/// Structs and lists in one another that are followed.
const DEPTH: usize = 32;

const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const SHORT: u8 = 4;
const INT: u8 = 5;
const LONG: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// What a field is by the format.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Binary,
    List(&'static Shape),
    /// The fields that are known; others are passed over as the kinds say that they have.
    Struct(&'static [(i16, Shape)]),
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Shape::Bool => "a boolean (1 or 2)",
            Shape::Byte => "a byte (3)",
            Shape::I16 => "an i16 (4)",
            Shape::I32 => "an i32 (5)",
            Shape::I64 => "an i64 (6)",
            Shape::Double => "a double (7)",
            Shape::Binary => "binary (8)",
            Shape::List(_) => "a list (9)",
            Shape::Struct(_) => "a struct (12)",
        }
    }

    fn is(self, kind: u8) -> bool {
        match self {
            Shape::Bool => matches!(kind, TRUE | FALSE),
            Shape::Byte => kind == BYTE,
            Shape::I16 => kind == SHORT,
            Shape::I32 => kind == INT,
            Shape::I64 => kind == LONG,
            Shape::Double => kind == DOUBLE,
            Shape::Binary => kind == BINARY,
            Shape::List(_) => kind == LIST,
            Shape::Struct(_) => kind == STRUCT,
        }
    }
}

/// Why bytes are not what they should be, and at which of them.
#[derive(Debug, PartialEq)]
pub(super) struct Wrong {
    pub at: usize,
    pub what: String,
    /// All the rest is sound: so it is not damage, but a kind that the crate would misread.
    pub is_unread: bool,
}

type Walk<T> = Result<T, Wrong>;

/// Is called with the numbers of a field, those of a struct and of a field in it, and with its value:
/// an integer, the length of a list, or the kind of a field that is not known.
pub(super) type Note<'n> = &'n mut dyn FnMut(&[i16], i64);

/// Where a struct stands.
#[derive(Clone, Copy)]
enum Above {
    Nothing,
    /// In a field of the outermost.
    Field(i16),
    /// Deeper than is noted.
    More,
}

/// Passes over fields one after the other.
pub(super) struct Thrift<'a> {
    bytes: &'a [u8],
    pub at: usize,
    /// The first known field of another kind than the format's.
    odd: Option<Wrong>,
}

impl<'a> Thrift<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Thrift { bytes, at: 0, odd: None }
    }

    fn wrong<T>(at: usize, what: impl Into<String>) -> Walk<T> {
        Err(Wrong { at, what: what.into(), is_unread: false })
    }

    fn byte(&mut self) -> Walk<u8> {
        let Some(byte) = self.bytes.get(self.at) else {
            return Self::wrong(self.at, "it ends inside of a struct");
        };
        self.at += 1;
        Ok(*byte)
    }

    pub fn varint(&mut self) -> Walk<u64> {
        let start = self.at;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Self::wrong(start, "a number of more than 10 bytes")
    }

    fn number(&mut self) -> Walk<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn pass(&mut self, bytes: u64) -> Walk<()> {
        let left = self.bytes.len() - self.at;
        match usize::try_from(bytes).ok().filter(|bytes| *bytes <= left) {
            Some(bytes) => self.at += bytes,
            None => {
                return Self::wrong(self.at, format!("a value of {bytes} bytes, {left} are left"));
            }
        }
        Ok(())
    }

    /// The next field's number and kind; `None` at the end of the struct.
    fn field(&mut self, last: &mut i16) -> Walk<Option<(i16, u8)>> {
        let start = self.at;
        let head = self.byte()?;
        if head & 0x0f == STOP {
            return Ok(None);
        }
        let number = match head >> 4 {
            0 => i16::try_from(self.number()?).ok(),
            step => last.checked_add(i16::from(step)),
        };
        let Some(number) = number else {
            return Self::wrong(start, "a field whose number is none of 16 bits");
        };
        *last = number;
        Ok(Some((number, head & 0x0f)))
    }

    /// Passes over a struct of known fields; those of it and of the structs directly in it are noted.
    pub fn known(&mut self, fields: &[(i16, Shape)], note: Note<'_>) -> Walk<()> {
        let walk = self.fields(fields, DEPTH, Above::Nothing, note);
        match (self.odd.take(), walk) {
            (None, walk) => walk,
            (Some(odd), walk) => Err(Wrong { is_unread: walk.is_ok(), ..odd }),
        }
    }

    fn fields(
        &mut self,
        fields: &[(i16, Shape)],
        depth: usize,
        above: Above,
        note: Note<'_>,
    ) -> Walk<()> {
        let mut last = 0;
        loop {
            let start = self.at;
            let Some((number, kind)) = self.field(&mut last)? else { return Ok(()) };
            let mut note_it = |value| match above {
                Above::Nothing => note(&[number], value),
                Above::Field(outer) => note(&[outer, number], value),
                Above::More => {}
            };
            match fields.iter().find(|(known, _)| *known == number) {
                Some((_, Shape::Struct(inner))) if kind == STRUCT => {
                    let Some(depth) = depth.checked_sub(1) else { return self.too_deep() };
                    let inside = match above {
                        Above::Nothing => Above::Field(number),
                        _ => Above::More,
                    };
                    self.fields(inner, depth, inside, note)?;
                }
                Some((_, shape)) if shape.is(kind) => note_it(self.shape(*shape, depth)?),
                Some((_, shape)) => {
                    let name = shape.name();
                    self.note_odd(start, format!("field {number} is of kind {kind}, not {name}"));
                    self.skip(kind, depth)?;
                }
                None => {
                    note_it(i64::from(kind));
                    self.skip(kind, depth)?;
                }
            }
        }
    }

    /// Passes over a value; gives what is noted of it.
    fn shape(&mut self, shape: Shape, depth: usize) -> Walk<i64> {
        let Some(depth) = depth.checked_sub(1) else { return self.too_deep() };
        match shape {
            Shape::Bool => {}
            Shape::Byte => self.pass(1)?,
            Shape::I16 | Shape::I32 | Shape::I64 => return self.number(),
            Shape::Double => self.pass(8)?,
            Shape::Binary => {
                let length = self.varint()?;
                self.pass(length)?;
            }
            Shape::List(element) => {
                let start = self.at;
                let (count, kind) = self.list()?;
                if count > 0 && !element.is(kind) {
                    let name = element.name();
                    let what = format!("elements of a list are of kind {kind}, not {name}");
                    self.note_odd(start, what);
                    (0..count).try_for_each(|_| self.skip(kind, depth))?;
                } else {
                    (0..count).try_for_each(|_| self.shape(*element, depth).map(|_| ()))?;
                }
                return Ok(i64::from(count));
            }
            Shape::Struct(fields) => self.fields(fields, depth, Above::More, &mut |_, _| ())?,
        }
        Ok(0)
    }

    fn note_odd(&mut self, at: usize, what: String) {
        self.odd.get_or_insert(Wrong { at, what, is_unread: false });
    }

    fn too_deep<T>(&self) -> Walk<T> {
        Self::wrong(self.at, format!("structs stand more than {DEPTH} deep in one another"))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Walk<()> {
        let Some(depth) = depth.checked_sub(1) else { return self.too_deep() };
        match kind {
            // The field's kind is the value of a boolean; the crate takes no byte in lists either.
            TRUE | FALSE => Ok(()),
            BYTE => self.pass(1),
            SHORT | INT | LONG => self.varint().map(|_| ()),
            DOUBLE => self.pass(8),
            BINARY => {
                let length = self.varint()?;
                self.pass(length)
            }
            LIST | SET => {
                let (count, element) = self.list()?;
                (0..count).try_for_each(|_| self.skip(element, depth))
            }
            MAP => {
                let start = self.at;
                let count = self.varint()?;
                if count > (self.bytes.len() - self.at) as u64 {
                    return self.too_long(start, count);
                }
                let kinds = if count > 0 { self.byte()? } else { 0 };
                (0..count).try_for_each(|_| {
                    self.skip(kinds >> 4, depth)?;
                    self.skip(kinds & 0x0f, depth)
                })
            }
            STRUCT => {
                // The crate does not count the numbers of fields here.
                while let Some((_, kind)) = self.field(&mut 0)? {
                    self.skip(kind, depth)?;
                }
                Ok(())
            }
            UUID => self.pass(16),
            _ => Self::wrong(self.at, format!("a value of the unknown kind {kind}")),
        }
    }

    fn too_long<T>(&self, at: usize, count: u64) -> Walk<T> {
        let left = self.bytes.len() - self.at;
        Self::wrong(
            at,
            format!("a list says it is longer ({count}) than what is left ({left} bytes)"),
        )
    }

    /// The head of a list: its elements' count and kind. Each element has a byte at least.
    fn list(&mut self) -> Walk<(u32, u8)> {
        let start = self.at;
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        if count > (self.bytes.len() - self.at) as u64 {
            return self.too_long(start, count);
        }
        match i32::try_from(count) {
            Ok(count) => Ok((count.unsigned_abs(), head & 0x0f)),
            Err(_) => self.too_long(start, count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shapes::{FILE_METADATA, PAGE_HEADER};
    use super::*;

    type Noted = Vec<(Vec<i16>, i64)>;

    fn footer(bytes: &[u8]) -> Walk<(usize, Noted)> {
        let (mut thrift, mut found) = (Thrift::new(bytes), Noted::new());
        thrift.known(FILE_METADATA, &mut |path, value| found.push((path.to_vec(), value)))?;
        Ok((thrift.at, found))
    }

    #[test]
    fn fields_are_found_behind_all_kinds_of_others() {
        // 1: −1, 2: [{4: "ab"}], 4: [{}, {}], 6: "ab", 8: {}, 11: [{}, {1: true}], 12: {1: 2 → 3}.
        let bytes = [
            0x15, 1, 0x19, 0x1c, 0x48, 2, b'a', b'b', 0, 0x29, 0x2c, 0, 0, 0x28, 2, b'a', b'b',
            0x2c, 0, 0x39, 0x2c, 0, 0x11, 0, 0x1b, 1, 0x55, 2, 3, 0,
        ];
        let (end, found) = footer(&bytes).unwrap();
        assert_eq!(end, bytes.len());
        let numbers: Vec<i16> = found.iter().map(|(path, _)| path[0]).collect();
        assert_eq!(numbers, [1, 2, 4, 6, 8, 11, 12]);
        assert_eq!(found[0].1, -1);
        assert_eq!(found[2].1, 2);
        for end in 0..bytes.len() {
            assert!(footer(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_known_field_of_another_kind_is_refused_where_it_stands() {
        let wrong = footer(&[0x15, 1, 0x2a, 0x2c, 0, 0, 0]).unwrap_err();
        assert_eq!((wrong.at, wrong.is_unread), (2, true));
        assert!(!footer(&[0x16, 1, 0x2a, 0x2c, 0, 0]).unwrap_err().is_unread);
        assert!(footer(&[0x29, 0x18, 0, 0]).unwrap_err().is_unread);
        let page = |bytes: &[u8]| Thrift::new(bytes).known(PAGE_HEADER, &mut |_, _| ());
        assert!(page(&[0x15, 0, 0x15, 8, 0x15, 8, 0x2c, 0x15, 2, 0, 0]).is_ok());
        assert!(page(&[0x15, 0, 0x15, 8, 0x15, 8, 0x2c, 0x18, 1, 2, 0, 0]).is_err());
    }

    #[test]
    fn a_list_that_is_longer_than_the_bytes_is_refused() {
        assert!(footer(&[0x19, 0xf3, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]).is_err());
        assert!(footer(&[0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0]).is_err());
        assert!(footer(&[0x8b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x11, 0, 0]).is_err());
        assert!(footer(&[0x8c; 10_000]).is_err());
    }
}
