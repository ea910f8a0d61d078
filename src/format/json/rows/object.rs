//! Objects: their keys, found where the objects before had them.

use super::node::{Column, Key, Node, Struct};
use super::quick;
use super::read::{Halt, Reader, Step};

/// So many keys are tried from the expected one on.
const AHEAD: usize = 6;

impl Reader<'_> {
    /// The fields of the object that begins here, for a row of its struct.
    pub fn fields(&mut self, fields: &mut Struct, row: usize, depth: usize) -> Step {
        self.at += 1;
        self.blanks();
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(());
        }
        if self.mode.careful {
            return self.checked_fields(fields, row, depth);
        }
        let mut expected = 0;
        let mut pairs = 0;
        loop {
            if self.peek() != b'"' {
                return Err(Halt::Broken);
            }
            pairs += 1;
            match self.key(fields, expected)? {
                Some(index) => {
                    self.colon()?;
                    self.field(fields, index, row, depth)?;
                    expected = index + 1;
                }
                None => {
                    self.colon()?;
                    self.skip(depth)?;
                }
            }
            self.blanks();
            let byte = self.peek();
            self.at += 1;
            match byte {
                b',' => self.blanks(),
                b'}' => break,
                _ => return Err(Halt::Broken),
            }
        }
        fields.pairs += pairs;
        Ok(())
    }

    /// The value of a field.
    #[inline(always)]
    pub fn field(&mut self, fields: &mut Struct, index: usize, row: usize, depth: usize) -> Step {
        let field = &mut fields.fields[index];
        if !field.present {
            field.present = true;
            fields.order.push(index as u32);
        }
        let node = &mut field.node;
        if node.len != row {
            self.fill(node, row)?;
        }
        self.value(node, depth)
    }

    /// Nulls for the rows that had no such key.
    #[inline(never)]
    fn fill(&mut self, node: &mut Node, row: usize) -> Step {
        let missing = row.checked_sub(node.len).ok_or(Halt::Repeated)?;
        if !matches!(node.column, Column::Open | Column::Noted | Column::Skip) {
            self.nulls_left = self.nulls_left.checked_sub(missing).ok_or(Halt::Sparse)?;
        }
        node.pad(row);
        Ok(())
    }

    /// Makes all columns as long as the chunk has rows, and fields as long as their structs.
    pub fn fill_all(&mut self, root: &mut Struct) -> Step {
        self.fill_fields(root, self.row as usize)
    }

    fn fill_fields(&mut self, fields: &mut Struct, rows: usize) -> Step {
        for index in &fields.order {
            let node = &mut fields.fields[*index as usize].node;
            self.fill(node, rows)?;
            self.fill_inner(node)?;
        }
        Ok(())
    }

    fn fill_inner(&mut self, node: &mut Node) -> Step {
        match &mut node.column {
            Column::List(list) => self.fill_inner(&mut list.element),
            Column::Struct(fields) => self.fill_fields(fields, node.len),
            _ => Ok(()),
        }
    }

    /// Passes the key that begins here; its field, or `None` if there is no room for it.
    #[inline(always)]
    fn key(&mut self, fields: &mut Struct, expected: usize) -> Step<Option<usize>> {
        let start = self.at + 1;
        let head = self.text.get(start..).and_then(|rest| rest.first_chunk::<16>());
        if let Some(head) = head {
            let head = u128::from_le_bytes(*head);
            let found = |(index, key): (usize, &Key)| {
                key.matches(head, self.text, start).map(|length| (index, length))
            };
            let ahead = fields.keys.iter().enumerate().skip(expected).take(AHEAD);
            if let Some((index, length)) = { ahead }.find_map(found) {
                self.at = start + length;
                return Ok(Some(index));
            }
        }
        self.other_key(fields)
    }

    #[inline(never)]
    fn other_key(&mut self, fields: &mut Struct) -> Step<Option<usize>> {
        let start = self.at + 1;
        let (end, escaped) = quick::text_end(self.text, start).ok_or(Halt::Broken)?;
        if end - start > self.value_bytes {
            return Err(Halt::Broken);
        }
        self.at = end + 1;
        let field = match escaped {
            false => self.named(fields, &self.text[start..end])?,
            true => {
                let mut name = Vec::new();
                quick::unescape(self.text, start, end, &mut name);
                self.named(fields, &name)?
            }
        };
        Ok(field)
    }

    /// The field of a name.
    pub fn named(&mut self, fields: &mut Struct, name: &[u8]) -> Step<Option<usize>> {
        if let Some(index) = fields.known(name) {
            let has_room = fields.fields[index].present || fields.has_room();
            fields.overfull |= !has_room;
            return Ok(has_room.then_some(index));
        }
        if !fields.has_room() {
            fields.overfull = true;
            return Ok(None);
        }
        self.fields_left = self.fields_left.checked_sub(1).ok_or(Halt::Overfull)?;
        // Pieces of UTF-8 between quotes are UTF-8.
        let name = std::str::from_utf8(name).map_err(|_| Halt::Broken)?;
        Ok(fields.field(name, Node::default))
    }

    /// The same with all keys looked at first: of those that stand twice the last counts.
    fn checked_fields(&mut self, fields: &mut Struct, row: usize, depth: usize) -> Step {
        let mut pairs: Vec<(Vec<u8>, usize, usize)> = Vec::new();
        loop {
            let at = self.at;
            let (start, end, _) = self.pass_key()?;
            let mut name = Vec::new();
            quick::unescape(self.text, start, end, &mut name);
            pairs.push((name, at, self.at));
            self.skip(depth)?;
            self.blanks();
            let byte = self.peek();
            self.at += 1;
            match byte {
                b',' => self.blanks(),
                b'}' => break,
                _ => return Err(Halt::Broken),
            }
        }
        let behind = self.at;
        let mut last = std::collections::HashMap::new();
        for (index, (name, at, _)) in pairs.iter().enumerate() {
            if last.insert(name.as_slice(), index).is_some() {
                self.repeated.push(*at);
            }
        }
        for (index, (name, _, value)) in pairs.iter().enumerate() {
            // A key takes its place in the schema where it first stands.
            let Some(field) = self.named(fields, name)? else { continue };
            self.at = *value;
            if last.get(name.as_slice()) == Some(&index) {
                self.field(fields, field, row, depth)?;
            } else if !fields.fields[field].present {
                fields.fields[field].present = true;
                fields.order.push(field as u32);
            }
        }
        fields.pairs += last.len() as u64;
        self.at = behind;
        Ok(())
    }
}
