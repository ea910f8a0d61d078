//! The type of a JSON column: the union over all of its values, one rule for each conflict.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Fields};
use std::sync::Arc;

use super::parse::{Document, Kind};
use crate::infer::{NumberShape, number_shape};

/// Objects with more different keys than this are kept as JSON text: they are maps, not records.
const MOST_FIELDS: usize = 1000;

/// What the values of a column have in common.
///
/// Conflicts: whole and other numbers make float64 only if every whole one stays exact, else text;
/// scalars of different kinds make text; scalars and containers, lists and objects make JSON text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Shape {
    /// Only nulls so far.
    #[default]
    Nothing,
    Bool,
    Number(NumberShape),
    Text,
    List(Box<Shape>),
    Struct(Vec<(String, Shape)>),
    /// Containers and scalars, or containers of both kinds: each value as it stands in the file.
    Json,
}

impl Shape {
    /// The shape of values.
    pub(super) fn of(document: &Document<'_>, nodes: impl Iterator<Item = u32>) -> Shape {
        let mut shape = Shape::Nothing;
        let mut fields = FieldIndex::default();
        for node in nodes {
            shape.add(document, node, &mut fields);
        }
        shape
    }

    fn add(&mut self, document: &Document<'_>, index: u32, fields: &mut FieldIndex) {
        let node = document.node(index);
        match node.kind {
            Kind::Null => {}
            Kind::True | Kind::False => self.scalar(Shape::Bool),
            Kind::Text | Kind::EscapedText => self.scalar(Shape::Text),
            Kind::Number => match (&mut *self, number_shape(document.raw(index))) {
                (Shape::Number(seen), Some(shape)) => {
                    seen.int64 &= shape.int64;
                    seen.uint64 &= shape.uint64;
                    seen.decimal &= shape.decimal;
                    seen.float &= shape.float;
                    seen.long_float |= shape.long_float;
                }
                (_, Some(shape)) => self.scalar(Shape::Number(shape)),
                (_, None) => self.scalar(Shape::Text),
            },
            Kind::Array => match self {
                Shape::Nothing => {
                    let mut element = Shape::Nothing;
                    let inner = fields.list();
                    for value in document.elements(index) {
                        element.add(document, value, inner);
                    }
                    *self = Shape::List(Box::new(element));
                }
                Shape::List(element) => {
                    let inner = fields.list();
                    for value in document.elements(index) {
                        element.add(document, value, inner);
                    }
                }
                _ => *self = Shape::Json,
            },
            Kind::Object => {
                if *self == Shape::Nothing {
                    *self = Shape::Struct(Vec::new());
                }
                let Shape::Struct(children) = self else {
                    *self = Shape::Json;
                    return;
                };
                for (key, value) in document.pairs(index) {
                    let name = document.scalar_text(key);
                    let (position, inner) = fields.field(&name);
                    if position == children.len() {
                        children.push((name.into_owned(), Shape::Nothing));
                    }
                    children[position].1.add(document, value, inner);
                    if children.len() > MOST_FIELDS {
                        *self = Shape::Json;
                        return;
                    }
                }
                // Arrow has no use for a struct without fields that all writers share.
            }
        }
    }

    fn scalar(&mut self, new: Shape) {
        let both = match (&*self, &new) {
            (Shape::Nothing, _) => new,
            (Shape::Bool, Shape::Bool) => Shape::Bool,
            (Shape::List(_) | Shape::Struct(_) | Shape::Json, _) => Shape::Json,
            _ => Shape::Text,
        };
        *self = both;
    }

    /// The Arrow type of the shape.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Shape::Nothing => DataType::Null,
            Shape::Bool => DataType::Boolean,
            Shape::Number(shape) => match shape {
                NumberShape { int64: true, .. } => DataType::Int64,
                NumberShape { uint64: true, .. } => DataType::UInt64,
                NumberShape { decimal: true, .. } => DataType::Decimal128(38, 0),
                NumberShape { float: true, .. } => DataType::Float64,
                _ => DataType::Utf8,
            },
            Shape::Text | Shape::Json => DataType::Utf8,
            Shape::List(element) => {
                DataType::List(Arc::new(Field::new("item", element.data_type(), true)))
            }
            // An object that is always empty has no fields to make a struct of.
            Shape::Struct(children) if children.is_empty() => DataType::Utf8,
            Shape::Struct(children) => DataType::Struct(fields(children)),
        }
    }
}

fn fields(children: &[(String, Shape)]) -> Fields {
    children.iter().map(|(name, shape)| Field::new(name, shape.data_type(), true)).collect()
}

/// Finds a field's position by name, at each level of nesting.
#[derive(Default)]
struct FieldIndex {
    names: HashMap<String, usize>,
    inner: Vec<FieldIndex>,
    list: Option<Box<FieldIndex>>,
}

impl FieldIndex {
    fn field(&mut self, name: &str) -> (usize, &mut FieldIndex) {
        let position = match self.names.get(name) {
            Some(position) => *position,
            None => {
                self.names.insert(name.to_owned(), self.inner.len());
                self.inner.push(FieldIndex::default());
                self.inner.len() - 1
            }
        };
        (position, &mut self.inner[position])
    }

    fn list(&mut self) -> &mut FieldIndex {
        self.list.get_or_insert_with(Box::default)
    }
}
