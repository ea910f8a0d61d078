//! Objects: their keys, found where the objects before had them.

use std::collections::HashMap;

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
            if !self.more(b'}')? {
                break;
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
        if self.mode.types_only {
            node.nulls += missing;
            node.len = row;
            return Ok(());
        }
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
            return Err(Halt::Limit);
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
        // The root has a bound of its own.
        if fields.room == 0 {
            let Some(left) = self.fields_left.checked_sub(1) else {
                fields.overfull = true;
                return Ok(None);
            };
            self.fields_left = left;
        }
        // Pieces of UTF-8 between quotes are UTF-8.
        let name = std::str::from_utf8(name).map_err(|_| Halt::Broken)?;
        Ok(fields.field(name, Node::default))
    }

    /// The same with all keys looked at first: of those that stand twice the last counts.
    fn checked_fields(&mut self, fields: &mut Struct, row: usize, depth: usize) -> Step {
        let (pairs, behind) = self.pairs(fields, depth)?;
        for pair in &pairs {
            // A key takes its place in the schema where it first stands.
            let Some(field) = self.named(fields, &pair.name)? else { continue };
            self.at = pair.value;
            if pair.is_last {
                self.field(fields, field, row, depth)?;
                fields.pairs += 1;
            } else if !fields.fields[field].present {
                fields.fields[field].present = true;
                fields.order.push(field as u32);
            }
        }
        self.at = behind;
        Ok(())
    }

    /// The pairs of an object from its first key on, and the place behind it.
    pub fn pairs(&mut self, fields: &mut Struct, depth: usize) -> Step<(Vec<Pair>, usize)> {
        let mut pairs: Vec<Pair> = Vec::new();
        let mut last: HashMap<Vec<u8>, usize> = HashMap::new();
        loop {
            let at = self.at;
            let (start, end, _) = self.pass_key()?;
            let mut name = Vec::new();
            quick::unescape(self.text, start, end, &mut name);
            if let Some(before) = last.insert(name.clone(), pairs.len()) {
                pairs[before].is_last = false;
                fields.repeated += 1;
                fields.first_repeated.get_or_insert(at);
            }
            pairs.push(Pair { name, value: self.at, is_last: true });
            self.skip(depth)?;
            if !self.more(b'}')? {
                return Ok((pairs, self.at));
            }
        }
    }
}

/// A key of an object, and where its value begins.
pub(super) struct Pair {
    pub name: Vec<u8>,
    pub value: usize,
    /// Whether no later key is the same.
    pub is_last: bool,
}
