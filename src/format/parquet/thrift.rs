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
}

impl<'a> Thrift<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Thrift { bytes, at: 0 }
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
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                for _ in 0..count {
                    self.skip_element(head & 0x0f, depth)?;
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

    /// Inside a list a boolean has a byte of its own; so every element has one at least.
    fn skip_element(&mut self, kind: u8, depth: usize) -> Option<()> {
        if matches!(kind, 1 | 2) { self.pass(1) } else { self.skip_to(kind, depth) }
    }
}

/// Whether a struct has a field of this number.
pub(super) fn has_field(bytes: &[u8], wanted: i16) -> bool {
    let (mut thrift, mut last) = (Thrift::new(bytes), 0);
    while let Some(Some((number, kind))) = thrift.field(&mut last) {
        if number == wanted && kind == STRUCT {
            return true;
        }
        if thrift.skip(kind).is_none() {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_all_kinds_of_others() {
        // 1: i32 −1, 2: "ab", 3: list of two booleans, 5: {1: true}, 8: {}.
        let bytes =
            [0x15, 1, 0x18, 2, b'a', b'b', 0x19, 0x21, 1, 2, 0x2c, 0x11, 0, 0x3c, 0x00, 0x00];
        assert!(has_field(&bytes, 8));
        assert!(!has_field(&bytes, 7));
        for end in 0..13 {
            assert!(!has_field(&bytes[..end], 8), "cut at {end}");
        }
    }

    #[test]
    fn a_list_that_is_longer_than_the_bytes_ends_with_them() {
        let bytes = [0x19, 0xf3, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
        assert!(!has_field(&bytes, 8));
        let deep = [0x1c; 10_000];
        assert!(!has_field(&deep, 8));
    }
}
