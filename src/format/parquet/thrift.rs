//! Thrift's compact encoding, as much as it takes to look at page headers before anything is read.

/// Structs and lists in one another that are followed.
const DEPTH: usize = 32;

const STOP: u8 = 0;
const BYTE: u8 = 3;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// Reads fields one after the other; `None` where the bytes are no such thing, or end.
pub(super) struct Thrift<'a> {
    bytes: &'a [u8],
    pub at: usize,
    /// Whether a list says it has more elements than there are bytes.
    too_long: bool,
}

impl<'a> Thrift<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Thrift { bytes, at: 0, too_long: false }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    pub fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub fn number(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn pass(&mut self, bytes: u64) -> Option<()> {
        let end = self.at.checked_add(usize::try_from(bytes).ok()?)?;
        self.at = (end <= self.bytes.len()).then_some(end)?;
        Some(())
    }

    /// The next field's number and kind; `Some(None)` at the end of the struct.
    pub fn field(&mut self, last: &mut i16) -> Option<Option<(i16, u8)>> {
        let head = self.byte()?;
        if head & 0x0f == STOP {
            return Some(None);
        }
        *last = match head >> 4 {
            0 => self.number()? as i16,
            step => last.checked_add(i16::from(step))?,
        };
        Some(Some((*last, head & 0x0f)))
    }

    pub fn skip(&mut self, kind: u8) -> Option<()> {
        self.skip_to(kind, DEPTH)
    }

    fn skip_to(&mut self, kind: u8, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // The field's kind is the value of a boolean.
            1 | 2 => Some(()),
            BYTE => self.pass(1),
            4..=6 => self.varint().map(|_| ()),
            DOUBLE => self.pass(8),
            BINARY => {
                let length = self.varint()?;
                self.pass(length)
            }
            LIST | SET => {
                let (count, element) = self.list()?;
                for _ in 0..count {
                    self.skip_element(element, depth)?;
                }
                Some(())
            }
            MAP => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                for _ in 0..count {
                    self.skip_element(kinds >> 4, depth)?;
                    self.skip_element(kinds & 0x0f, depth)?;
                }
                Some(())
            }
            STRUCT => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip_to(kind, depth)?;
                }
                Some(())
            }
            UUID => self.pass(16),
            _ => None,
        }
    }

    /// The head of a list: its elements' count and kind.
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        self.too_long |= count > (self.bytes.len() - self.at) as u64;
        (!self.too_long).then_some((count, head & 0x0f))
    }

    /// Inside a list a boolean has a byte of its own; so every element has one at least.
    fn skip_element(&mut self, kind: u8, depth: usize) -> Option<()> {
        if matches!(kind, 1 | 2) { self.pass(1) } else { self.skip_to(kind, depth) }
    }
}

/// What a file's metadata is looked through for before the crate makes room for it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Footer {
    /// Some of the columns are encrypted.
    pub is_encrypted: bool,
    /// How many row groups it says there are.
    pub row_groups: u64,
    /// A list says it has more elements than there are bytes.
    pub is_too_long: bool,
}

/// Looks through a file's metadata, as far as it can be read.
pub(super) fn footer(bytes: &[u8]) -> Footer {
    const ROW_GROUPS: i16 = 4;
    const ENCRYPTION: i16 = 8;
    let (mut thrift, mut last) = (Thrift::new(bytes), 0);
    let mut footer = Footer::default();
    while let Some(Some((number, kind))) = thrift.field(&mut last) {
        footer.is_encrypted |= number == ENCRYPTION && kind == STRUCT;
        if number == ROW_GROUPS && kind == LIST {
            let at = thrift.at;
            footer.row_groups = thrift.list().map_or(0, |(count, _)| count);
            thrift.at = at;
        }
        if thrift.skip(kind).is_none() {
            break;
        }
    }
    footer.is_too_long = thrift.too_long;
    footer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_all_kinds_of_others() {
        // 1: i32 −1, 2: "ab", 3: list of two booleans, 4: list of two structs, 5: {1: true}, 8: {}.
        let bytes = [
            0x15, 1, 0x18, 2, b'a', b'b', 0x19, 0x21, 1, 2, 0x19, 0x2c, 0, 0, 0x1c, 0x11, 0, 0x3c,
            0x00, 0x00,
        ];
        let found = Footer { is_encrypted: true, row_groups: 2, is_too_long: false };
        assert_eq!(footer(&bytes), found);
        for end in 0..17 {
            assert!(!footer(&bytes[..end]).is_encrypted, "cut at {end}");
        }
    }

    #[test]
    fn a_list_that_is_longer_than_the_bytes_ends_with_them() {
        assert!(footer(&[0x19, 0xf3, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]).is_too_long);
        assert!(footer(&[0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0]).is_too_long);
        assert_eq!(footer(&[0x1c; 10_000]), Footer::default());
    }
}
