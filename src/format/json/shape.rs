//! The type of a JSON column: the union over all of its values, one rule for each conflict.
//!
//! | values | type |
//! |---|---|
//! | nothing, or nulls only | null |
//! | true, false | bool |
//! | whole numbers | int64; else uint64; else decimal128(38, 0); else text |
//! | other numbers, or both | float64 if the whole ones stay exact and the others are finite; else decimal128(38, s) if all are plain decimals that fit; else text |
//! | texts | text |
//! | scalars of different kinds | text, each as it stands in the file |
//! | arrays | list of what their elements have in common |
//! | objects | struct of the union of their keys, in order of first appearance |
//! | scalars and containers, arrays and objects | JSON text, each as it stands in the file |
//! | objects without any keys | JSON text |
//! | objects used as maps | JSON text: more than 200 different keys, and on average less than a tenth of them in an object; or more keys than a table may have columns |
//!
//! Columns are the union of keys over all rows, in order of first appearance. Of keys that stand
//! twice in one object the last counts. The rules do not depend on the order of rows, but for the
//! order of names.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};

use super::gather::Doubled;
use super::tape::{Document, Kind};
use crate::infer::number_shape;

/// Objects with at most so many different keys are records.
const MAP_KEYS: usize = 200;
/// The digits of a decimal.
const DIGITS: usize = 38;

/// What the values of a column have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Shape {
    /// Only nulls so far.
    #[default]
    Nothing,
    Bool,
    Number(Numbers),
    Text,
    /// Scalars of different kinds.
    Mixed,
    List(Box<Shape>),
    Struct(Record),
    /// Each value as it stands in the file.
    Json(Why),
}

/// Why values are kept as JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Containers and scalars, or containers of both kinds.
    Mixed,
    /// Objects used as maps, with so many different keys.
    Map(usize),
    /// It is asked for.
    Asked,
}

/// What objects have in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    pub children: Vec<(String, Shape)>,
    objects: u64,
    pairs: u64,
}

impl Record {
    fn is_map(&self, most: usize) -> bool {
        let keys = self.children.len();
        keys > most || keys > MAP_KEYS && self.pairs * 10 < self.objects * keys as u64
    }
}

/// What numbers could be together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Numbers {
    int64: bool,
    uint64: bool,
    whole: bool,
    float: bool,
    /// Digits only, and perhaps a point.
    plain: bool,
    /// The most digits before and behind the point.
    before: usize,
    behind: usize,
    /// Numbers with more digits than a float holds.
    pub long: u64,
}

impl Numbers {
    fn of(text: &[u8]) -> Option<Numbers> {
        let shape = number_shape(text)?;
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let point = memchr::memchr(b'.', digits).unwrap_or(digits.len());
        let is_zero = || !digits.iter().any(|digit| (b'1'..=b'9').contains(digit));
        Some(Numbers {
            int64: shape.int64,
            uint64: shape.uint64,
            whole: shape.decimal,
            float: shape.float,
            // A decimal has no negative zero.
            plain: digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
                && (digits.len() == text.len() || !is_zero()),
            before: point,
            behind: digits.len().saturating_sub(point + 1),
            long: u64::from(shape.long_float),
        })
    }

    fn add(&mut self, other: Numbers) {
        self.int64 &= other.int64;
        self.uint64 &= other.uint64;
        self.whole &= other.whole;
        self.float &= other.float;
        self.plain &= other.plain;
        self.before = self.before.max(other.before);
        self.behind = self.behind.max(other.behind);
        self.long += other.long;
    }

    fn data_type(self) -> DataType {
        match self {
            Numbers { int64: true, .. } => DataType::Int64,
            Numbers { uint64: true, .. } => DataType::UInt64,
            Numbers { whole: true, .. } => DataType::Decimal128(DIGITS as u8, 0),
            Numbers { float: true, .. } => DataType::Float64,
            Numbers { plain: true, before, behind, .. } if before + behind <= DIGITS => {
                DataType::Decimal128(DIGITS as u8, behind as i8)
            }
            _ => DataType::Utf8,
        }
    }
}

impl Shape {
    /// The shape of values. Objects of more than `most` keys are maps.
    pub(super) fn of(
        document: &Document<'_>,
        nodes: impl Iterator<Item = u32>,
        most: usize,
    ) -> (Shape, Doubled) {
        let mut union = Union { document, most, objects: 0, doubled: Doubled::default() };
        let mut shape = Shape::Nothing;
        let mut fields = FieldIndex::default();
        for node in nodes {
            union.add(&mut shape, node, &mut fields);
        }
        shape.settle(most);
        (shape, union.doubled)
    }

    /// Objects that turned out to be maps are text.
    fn settle(&mut self, most: usize) {
        match self {
            Shape::List(element) => element.settle(most),
            Shape::Struct(record) if record.is_map(most) => {
                *self = Shape::Json(Why::Map(record.children.len()));
            }
            Shape::Struct(record) => {
                record.children.iter_mut().for_each(|(_, child)| child.settle(most));
            }
            _ => {}
        }
    }

    /// The Arrow type of the shape.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Shape::Nothing => DataType::Null,
            Shape::Bool => DataType::Boolean,
            Shape::Number(numbers) => numbers.data_type(),
            Shape::Text | Shape::Mixed | Shape::Json(_) => DataType::Utf8,
            Shape::List(element) => {
                DataType::List(Arc::new(Field::new("item", element.data_type(), true)))
            }
            // An object that is always empty has no fields to make a struct of.
            Shape::Struct(record) if record.children.is_empty() => DataType::Utf8,
            Shape::Struct(record) => DataType::Struct(record.fields()),
        }
    }

    /// Calls `note` for the value and all that is in it, with the keys that lead there.
    pub(super) fn walk(&self, name: &str, note: &mut dyn FnMut(&str, &Shape)) {
        note(name, self);
        match self {
            Shape::List(element) => element.walk(&format!("{name}[]"), note),
            Shape::Struct(record) => {
                for (key, child) in &record.children {
                    child.walk(&format!("{name}.{key}"), note);
                }
            }
            _ => {}
        }
    }
}

impl Record {
    /// The fields of the struct.
    pub(super) fn fields(&self) -> Fields {
        let field = |(name, shape): &(String, Shape)| Field::new(name, shape.data_type(), true);
        self.children.iter().map(field).collect()
    }
}

/// The union in the making.
struct Union<'d, 'a> {
    document: &'d Document<'a>,
    most: usize,
    /// Objects so far, to tell one from the next.
    objects: u64,
    doubled: Doubled,
}

impl Union<'_, '_> {
    fn add(&mut self, shape: &mut Shape, index: u32, fields: &mut FieldIndex) {
        let document = self.document;
        match document.node(index).kind {
            Kind::Null => {}
            Kind::True | Kind::False => shape.scalar(Shape::Bool),
            Kind::Text | Kind::EscapedText => shape.scalar(Shape::Text),
            Kind::Number => match (&mut *shape, Numbers::of(document.raw(index))) {
                (Shape::Number(seen), Some(number)) => seen.add(number),
                (_, Some(number)) => shape.scalar(Shape::Number(number)),
                (_, None) => shape.scalar(Shape::Text),
            },
            Kind::Array => {
                if *shape == Shape::Nothing {
                    *shape = Shape::List(Box::default());
                }
                let Shape::List(element) = shape else {
                    *shape = Shape::Json(Why::Mixed);
                    return;
                };
                let inner = fields.list();
                for value in document.elements(index) {
                    self.add(element, value, inner);
                }
            }
            Kind::Object => {
                if *shape == Shape::Nothing {
                    *shape = Shape::Struct(Record::default());
                }
                match shape {
                    Shape::Struct(record) => self.object(record, index, fields),
                    _ => *shape = Shape::Json(Why::Mixed),
                }
            }
        }
    }

    fn object(&mut self, record: &mut Record, index: u32, fields: &mut FieldIndex) {
        let document = self.document;
        self.objects += 1;
        let serial = self.objects;
        record.objects += 1;
        for (key, value) in document.pairs(index) {
            let name = document.scalar_text(key);
            let (position, last, inner) = fields.field(&name);
            if std::mem::replace(last, serial) == serial {
                self.doubled.add(document.node(value).start);
            } else {
                record.pairs += 1;
            }
            if position == record.children.len() {
                record.children.push((name.into_owned(), Shape::Nothing));
            }
            // It is a map already: what its values are like no longer matters.
            if record.children.len() <= self.most {
                self.add(&mut record.children[position].1, value, inner);
            }
        }
    }
}

impl Shape {
    fn scalar(&mut self, new: Shape) {
        let both = match (&*self, &new) {
            (Shape::Nothing, _) => new,
            (Shape::Bool, Shape::Bool) => Shape::Bool,
            (Shape::Text, Shape::Text) => Shape::Text,
            (Shape::List(_) | Shape::Struct(_) | Shape::Json(_), _) => Shape::Json(Why::Mixed),
            _ => Shape::Mixed,
        };
        *self = both;
    }
}

/// Finds a field's position by name, at each level of nesting.
#[derive(Default)]
struct FieldIndex {
    names: HashMap<String, usize>,
    inner: Vec<(u64, FieldIndex)>,
    list: Option<Box<FieldIndex>>,
}

impl FieldIndex {
    /// Its position, the last object that had it, and what is in it.
    fn field(&mut self, name: &str) -> (usize, &mut u64, &mut FieldIndex) {
        let position = match self.names.get(name) {
            Some(position) => *position,
            None => {
                self.names.insert(name.to_owned(), self.inner.len());
                self.inner.push((0, FieldIndex::default()));
                self.inner.len() - 1
            }
        };
        let (last, inner) = &mut self.inner[position];
        (position, last, inner)
    }

    fn list(&mut self) -> &mut FieldIndex {
        self.list.get_or_insert_with(Box::default)
    }
}
