//! Columns of values in the making, nested as the values are.
//!
//! A node takes the values of one place in the schema, in the type that its first value shows. A value
//! of another kind ends that: from then on the node only notes what it sees, and the column is read
//! again once its type is known.

use std::collections::HashMap;

use super::seen::{Kinds, Seen};
use crate::format::chunks::{Texts, Typed, Validity};
use crate::infer::TextColumn;

/// A column in the making.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Values so far, nulls included.
    pub len: usize,
    pub nulls: usize,
    pub seen: Seen,
    pub column: Column,
    /// The room of a column that was finished.
    spare: Option<Box<Column>>,
}

/// How values are kept.
#[derive(Debug, Default)]
pub(super) enum Column {
    /// Only nulls so far; the first value decides.
    #[default]
    Open,
    /// Values are looked at, not kept.
    Noted,
    /// Values are passed over.
    Skip,
    Bool(Typed<u8>),
    Int64(Typed<i64>),
    UInt64(Typed<u64>),
    Float64(Typed<f64>),
    /// Whole multiples of so many digits behind the point.
    Decimal(Typed<i128>, u32),
    Text(Texts),
    /// Texts, and other scalars as they stand in the file.
    Scalar(Texts),
    /// All values as they stand in the file.
    Raw(Texts),
    /// Scalars as texts, and where each stands.
    Gather(TextColumn, Vec<usize>),
    List(Box<List>),
    Struct(Box<Struct>),
}

/// Lists: where each ends in the column of all elements.
#[derive(Debug, Default)]
pub(super) struct List {
    pub ends: Vec<i32>,
    pub valid: Validity,
    pub element: Node,
}

/// Objects: a column for each key.
#[derive(Debug, Default)]
pub(super) struct Struct {
    pub valid: Validity,
    pub keys: Vec<Key>,
    pub fields: Vec<Field>,
    /// The fields that this chunk has, in order of first appearance.
    pub order: Vec<u32>,
    index: HashMap<Box<[u8]>, u32>,
    /// Keys of all objects together.
    pub pairs: u64,
    /// Keys that stand again in their object, and where the first one does.
    pub repeated: u64,
    pub first_repeated: Option<usize>,
    /// More keys than a struct may have: no more are added.
    pub overfull: bool,
    /// How many keys it may have.
    pub room: usize,
    /// Its fields are all that will come.
    pub settled: bool,
}

/// A field of objects.
#[derive(Debug)]
pub(super) struct Field {
    pub name: Box<str>,
    pub node: Node,
    /// Whether this chunk has it.
    pub present: bool,
}

/// A key as it stands in the file, with its closing quote.
#[derive(Debug)]
pub(super) struct Key {
    /// Its first 16 bytes, and which of them count.
    head: u128,
    mask: u128,
    text: Box<[u8]>,
}

impl Key {
    fn new(name: &str) -> Self {
        let text: Box<[u8]> = [name.as_bytes(), b"\""].concat().into();
        // A key with escapes never stands in the file as it is.
        if name.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
            return Key { head: 1, mask: 0, text };
        }
        let counted = text.len().min(16);
        let mut head = [0; 16];
        head[..counted].copy_from_slice(&text[..counted]);
        let mask = if counted == 16 { u128::MAX } else { (1 << (8 * counted)) - 1 };
        Key { head: u128::from_le_bytes(head), mask, text }
    }

    /// The bytes it takes if it stands at a place of which the first 16 bytes are known.
    #[inline(always)]
    pub fn matches(&self, head: u128, text: &[u8], at: usize) -> Option<usize> {
        let same = head & self.mask == self.head;
        (same && (self.text.len() <= 16 || text[at..].starts_with(&self.text)))
            .then_some(self.text.len())
    }
}

impl Node {
    /// A node whose column is known.
    pub fn settled(column: Column) -> Self {
        Node { column, ..Node::default() }
    }

    /// The column for the values of a kind, if all values so far are of it.
    pub fn begin(&mut self, kind: Kinds) {
        let spare = self.spare.take().map(|spare| *spare);
        let mut column = match (kind, spare) {
            (Kinds::BOOL, Some(Column::Bool(room))) => Column::Bool(room),
            (Kinds::BOOL, _) => Column::Bool(Typed::default()),
            (Kinds::NUMBER, Some(Column::Int64(room))) => Column::Int64(room),
            (Kinds::NUMBER, spare) => {
                self.spare = spare.map(Box::new);
                Column::Int64(Typed::default())
            }
            (Kinds::TEXT, Some(Column::Text(room))) => Column::Text(room),
            (Kinds::TEXT, _) => Column::Text(Texts::default().emptied()),
            (Kinds::LIST, Some(Column::List(room))) => Column::List(room),
            (Kinds::LIST, _) => Column::List(Box::default()),
            (_, Some(Column::Struct(room))) => Column::Struct(room),
            (_, _) => Column::Struct(Box::default()),
        };
        column.nulls(0, self.len);
        self.column = column;
    }

    /// Numbers from now on are floats; those so far are exact as such.
    pub fn begin_floats(&mut self) {
        let Column::Int64(whole) = &mut self.column else { return };
        let mut typed = match self.spare.take().map(|spare| *spare) {
            Some(Column::Float64(room)) => room,
            _ => Typed::default(),
        };
        typed.values.extend(whole.values.iter().map(|value| *value as f64));
        typed.valid = std::mem::take(&mut whole.valid);
        self.column = Column::Float64(typed);
    }

    /// Adds nulls, so that there are as many values as said.
    pub fn pad(&mut self, len: usize) {
        self.column.nulls(self.len, len);
        self.nulls += len - self.len;
        self.len = len;
    }

    /// Nothing is kept from here on.
    pub fn note_only(&mut self) {
        self.column = Column::Noted;
    }

    /// The same node, empty, for another chunk.
    pub fn again(&mut self) {
        self.len = 0;
        self.nulls = 0;
        self.seen = Seen::default();
        let mut column = std::mem::take(&mut self.column);
        match &mut column {
            // A place that the last chunk did not have does not keep its room.
            Column::Open | Column::Noted | Column::Skip => {
                self.spare = None;
                return;
            }
            Column::List(list) => list.again(),
            Column::Struct(fields) => fields.again(),
            other => other.clear(),
        }
        self.spare = Some(Box::new(column));
    }
}

impl Column {
    /// Rows `from .. to` are null.
    fn nulls(&mut self, from: usize, to: usize) {
        fn typed<T: Clone + Default>(column: &mut Typed<T>, rows: std::ops::Range<usize>) {
            column.values.resize(rows.end, T::default());
            column.valid.nulls(rows);
        }
        if from >= to {
            return;
        }
        let rows = from..to;
        match self {
            Column::Open | Column::Noted | Column::Skip => {}
            Column::Bool(column) => typed(column, rows),
            Column::Int64(column) => typed(column, rows),
            Column::UInt64(column) => typed(column, rows),
            Column::Float64(column) => typed(column, rows),
            Column::Decimal(column, _) => typed(column, rows),
            Column::Text(texts) | Column::Scalar(texts) | Column::Raw(texts) => {
                texts.ends.resize(to + 1, texts.data.len() as i32);
                texts.valid.nulls(rows);
            }
            Column::Gather(texts, places) => {
                texts.pad_to(to);
                places.resize(to, 0);
            }
            Column::List(list) => {
                list.ends.resize(to, list.element.len as i32);
                list.valid.nulls(rows);
            }
            // Fields are filled up when their next value comes, or at the end.
            Column::Struct(fields) => fields.valid.nulls(rows),
        }
    }

    fn clear(&mut self) {
        fn typed<T>(column: &mut Typed<T>) {
            column.values.clear();
            column.valid.clear();
            column.long = 0;
        }
        match self {
            Column::Bool(column) => typed(column),
            Column::Int64(column) => typed(column),
            Column::Float64(column) => typed(column),
            Column::Text(texts) => *texts = std::mem::take(texts).emptied(),
            _ => {}
        }
    }
}

impl List {
    fn again(&mut self) {
        self.ends.clear();
        self.valid.clear();
        self.element.again();
    }
}

impl Struct {
    /// For so many keys at most.
    pub fn with_room(room: usize) -> Self {
        Struct { room, ..Struct::default() }
    }

    /// The same fields, empty, for another chunk.
    pub fn again(&mut self) {
        if self.fields.len() > super::MOST_FIELDS.max(self.room).saturating_mul(4) {
            *self = Struct::with_room(self.room);
        }
        self.valid.clear();
        self.order.clear();
        self.pairs = 0;
        (self.repeated, self.first_repeated) = (0, None);
        self.overfull = false;
        for field in &mut self.fields {
            field.present = false;
            field.node.again();
        }
    }

    /// The field of a name, if it is known.
    pub fn known(&self, name: &[u8]) -> Option<usize> {
        self.index.get(name).map(|index| *index as usize)
    }

    /// Whether this chunk may have one more field. Those of other chunks take no room in it.
    pub fn has_room(&self) -> bool {
        let room = if self.room == 0 { super::MOST_FIELDS } else { self.room };
        !self.settled && self.order.len() < room
    }

    /// The field of a name, new if need be; `None` if there is no room for it.
    pub fn field(&mut self, name: &str, new: impl FnOnce() -> Node) -> Option<usize> {
        if let Some(index) = self.known(name.as_bytes()) {
            return Some(index);
        }
        if !self.has_room() {
            self.overfull = true;
            return None;
        }
        let index = self.fields.len();
        self.index.insert(name.as_bytes().into(), index as u32);
        self.keys.push(Key::new(name));
        self.fields.push(Field { name: name.into(), node: new(), present: false });
        Some(index)
    }
}
