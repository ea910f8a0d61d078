//! The columns of a chunk, finished: arrays, and what was seen of them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, new_null_array};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::CastOptions;
use arrow::datatypes::{DataType, Decimal128Type, Field, Float64Type, Int64Type, UInt64Type};
use arrow::error::ArrowError;

use super::node::{Column, Node, Struct};
use super::plan::Plan;
use super::seen::Seen;
use crate::format::chunks::{Frozen, Moved, Rest, Slab};
use crate::infer::TextColumn;

/// A column of a chunk.
#[derive(Debug)]
pub(super) struct Piece {
    pub rows: usize,
    pub kept: Kept,
}

/// A column by its key.
pub(super) type Named = (Box<str>, Piece);

/// What was kept of it.
#[derive(Debug)]
pub(super) enum Kept {
    /// All are null.
    Nulls,
    /// Nothing, though there are values.
    Nothing,
    Array(ArrayRef),
    /// Values as they stand in the file.
    Raw(ArrayRef),
    Gathered(TextColumn, Vec<usize>),
    List(OffsetBuffer<i32>, Option<NullBuffer>, Box<Piece>),
    Struct(Option<NullBuffer>, Vec<Named>),
}

/// What was seen of a column: of its own values, of its elements, of its fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    pub seen: Seen,
    /// Values, and nulls among them.
    pub rows: u64,
    pub nulls: u64,
    pub element: Option<Box<Summary>>,
    pub fields: Fields,
}

/// What was seen of the fields of objects.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    /// In order of first appearance.
    pub all: Vec<(Box<str>, Summary)>,
    pub index: std::collections::HashMap<Box<str>, usize>,
    /// Places for objects, objects, and the keys of all of them together.
    pub places: u64,
    pub objects: u64,
    pub pairs: u64,
    /// There are more keys than a struct may have.
    pub overfull: bool,
    /// Keys that stand again in their object, and where the first one does.
    pub repeated: u64,
    pub first_repeated: Option<usize>,
}

/// A column whose values were moved to where they stay.
enum Placed {
    Nulls,
    Nothing,
    Bool(BooleanBuffer, Option<NullBuffer>),
    Int64(Moved),
    UInt64(Moved),
    Float64(Moved),
    Decimal(Moved, u32),
    Text(Moved),
    Raw(Moved),
    Gathered(TextColumn, Vec<usize>),
    List(OffsetBuffer<i32>, Option<NullBuffer>, Box<(usize, Placed)>),
    Struct(Option<NullBuffer>, Vec<(Box<str>, (usize, Placed))>),
}

/// Takes the columns out of a root, if they are to be kept; its room stays.
pub(super) fn finish(
    root: &mut Struct,
    rows: usize,
    keeps: bool,
    rest: &mut Rest,
) -> Result<(Fields, Vec<Named>), ArrowError> {
    let fields = summary(root, rows as u64, 0);
    if !keeps {
        let nothing =
            |(name, _): &(Box<str>, Summary)| (name.clone(), Piece { rows, kept: Kept::Nothing });
        let pieces = fields.all.iter().map(nothing).collect();
        return Ok((fields, pieces));
    }
    let mut sizes = Vec::new();
    for index in &root.order {
        collect_sizes(&root.fields[*index as usize].node, &mut sizes);
    }
    let mut slab = Slab::new(rest, sizes.into_iter());
    let placed = place_fields(root, &mut slab);
    let slab = slab.freeze();
    let pieces = placed.into_iter().map(|(name, placed)| Ok((name, piece(placed, &slab)?)));
    Ok((fields, pieces.collect::<Result<_, ArrowError>>()?))
}

fn summary(fields: &Struct, places: u64, nulls: u64) -> Fields {
    let mut all = Vec::with_capacity(fields.order.len());
    let mut index = std::collections::HashMap::with_capacity(fields.order.len());
    for field in fields.order.iter().map(|index| &fields.fields[*index as usize]) {
        index.insert(field.name.clone(), all.len());
        all.push((field.name.clone(), summary_of(&field.node)));
    }
    let (objects, pairs) = (places - nulls, fields.pairs);
    let Struct { overfull, repeated, first_repeated, .. } = *fields;
    Fields { all, index, places, objects, pairs, overfull, repeated, first_repeated }
}

fn summary_of(node: &Node) -> Summary {
    let mut seen = node.seen.clone();
    let (mut element, mut fields) = (None, Fields::default());
    if !matches!(node.column, Column::Noted) {
        seen.count_kept(node.len - node.nulls);
    }
    match &node.column {
        Column::Int64(typed) => seen.numbers.note_values(&typed.values),
        Column::Float64(typed) => {
            seen.numbers.long += typed.long;
        }
        Column::List(list) => element = Some(Box::new(summary_of(&list.element))),
        Column::Struct(inner) => fields = summary(inner, node.len as u64, node.nulls as u64),
        _ => {}
    }
    Summary { seen, rows: node.len as u64, nulls: node.nulls as u64, element, fields }
}

fn collect_sizes(node: &Node, sizes: &mut Vec<usize>) {
    match &node.column {
        Column::Int64(typed) => sizes.extend(typed.bytes()),
        Column::UInt64(typed) => sizes.extend(typed.bytes()),
        Column::Float64(typed) => sizes.extend(typed.bytes()),
        Column::Decimal(typed, _) => sizes.extend(typed.bytes()),
        Column::Text(texts) | Column::Scalar(texts) | Column::Raw(texts) => {
            sizes.extend(texts.bytes());
        }
        Column::List(list) => collect_sizes(&list.element, sizes),
        Column::Struct(fields) => {
            let present = |index: &u32| &fields.fields[*index as usize];
            fields.order.iter().map(present).for_each(|field| collect_sizes(&field.node, sizes));
        }
        _ => {}
    }
}

fn place_fields(fields: &mut Struct, slab: &mut Slab<'_>) -> Vec<(Box<str>, (usize, Placed))> {
    let mut placed = Vec::with_capacity(fields.order.len());
    for index in &fields.order {
        let field = &mut fields.fields[*index as usize];
        placed.push((field.name.clone(), place(&mut field.node, slab)));
    }
    placed
}

fn place(node: &mut Node, slab: &mut Slab<'_>) -> (usize, Placed) {
    let rows = node.len;
    let placed = match &mut node.column {
        Column::Open => Placed::Nulls,
        Column::Noted | Column::Skip => Placed::Nothing,
        Column::Bool(typed) => {
            let values = BooleanBuffer::collect_bool(rows, |row| typed.values[row] != 0);
            Placed::Bool(values, typed.valid.finish(rows))
        }
        Column::Int64(typed) => Placed::Int64(typed.place(slab)),
        Column::UInt64(typed) => Placed::UInt64(typed.place(slab)),
        Column::Float64(typed) => Placed::Float64(typed.place(slab)),
        Column::Decimal(typed, scale) => Placed::Decimal(typed.place(slab), *scale),
        Column::Text(texts) | Column::Scalar(texts) => Placed::Text(texts.place(slab)),
        Column::Raw(texts) => Placed::Raw(texts.place(slab)),
        Column::Gather(texts, places) => {
            Placed::Gathered(std::mem::take(texts), std::mem::take(places))
        }
        Column::List(list) => {
            let mut offsets = Vec::with_capacity(rows + 1);
            offsets.push(0);
            offsets.extend_from_slice(&list.ends);
            let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
            let element = place(&mut list.element, slab);
            Placed::List(offsets, list.valid.finish(rows), Box::new(element))
        }
        Column::Struct(fields) => {
            let valid = fields.valid.finish(rows);
            Placed::Struct(valid, place_fields(fields, slab))
        }
    };
    (rows, placed)
}

fn piece((rows, placed): (usize, Placed), slab: &Frozen) -> Result<Piece, ArrowError> {
    let kept = match placed {
        Placed::Nulls => Kept::Nulls,
        Placed::Nothing => Kept::Nothing,
        Placed::Bool(values, valid) => Kept::Array(Arc::new(BooleanArray::new(values, valid))),
        Placed::Int64(moved) => Kept::Array(moved.numbers::<Int64Type>(slab)?),
        Placed::UInt64(moved) => Kept::Array(moved.numbers::<UInt64Type>(slab)?),
        Placed::Float64(moved) => Kept::Array(moved.numbers::<Float64Type>(slab)?),
        Placed::Decimal(moved, scale) => {
            let array = moved.numbers::<Decimal128Type>(slab)?;
            // The values are those of the wanted scale already; only the type's name is not.
            let data = array.to_data().into_builder();
            let data = data.data_type(super::plan::decimal(scale)).build()?;
            Kept::Array(arrow::array::make_array(data))
        }
        Placed::Text(moved) => Kept::Array(moved.texts(slab)),
        Placed::Raw(moved) => Kept::Raw(moved.texts(slab)),
        Placed::Gathered(texts, places) => Kept::Gathered(texts, places),
        Placed::List(offsets, valid, element) => {
            Kept::List(offsets, valid, Box::new(piece(*element, slab)?))
        }
        Placed::Struct(valid, fields) => {
            let fields = fields.into_iter().map(|(name, placed)| Ok((name, piece(placed, slab)?)));
            Kept::Struct(valid, fields.collect::<Result<_, ArrowError>>()?)
        }
    };
    Ok(Piece { rows, kept })
}

impl Piece {
    /// The column as this plan has it; `None` if it has to be read again for that.
    pub fn array(&self, plan: &Plan) -> Result<Option<ArrayRef>, ArrowError> {
        let data_type = plan.data_type();
        Ok(match (&self.kept, plan) {
            (Kept::Nulls, _) => Some(new_null_array(&data_type, self.rows)),
            (Kept::Raw(array), Plan::Raw) => Some(array.clone()),
            (Kept::Array(_), Plan::Raw) => None,
            (Kept::Array(array), _) if *array.data_type() == data_type => Some(array.clone()),
            (Kept::Array(array), Plan::Float64 | Plan::UInt64 | Plan::Decimal(0))
                if *array.data_type() == DataType::Int64 =>
            {
                // Every value of the whole column is known to survive.
                let options = CastOptions { safe: false, ..CastOptions::default() };
                Some(arrow::compute::cast_with_options(array, &data_type, &options)?)
            }
            (Kept::List(offsets, valid, element), Plan::List(plan)) => {
                let Some(values) = element.array(plan)? else { return Ok(None) };
                let field = Arc::new(Field::new("item", plan.data_type(), true));
                let list = arrow::array::ListArray::try_new(
                    field,
                    offsets.clone(),
                    values,
                    valid.clone(),
                )?;
                Some(Arc::new(list))
            }
            (Kept::Struct(valid, fields), Plan::Struct(plans)) => {
                let DataType::Struct(types) = data_type else { return Ok(None) };
                let known: std::collections::HashMap<&str, &Piece> =
                    fields.iter().map(|(name, piece)| (&**name, piece)).collect();
                let mut arrays = Vec::with_capacity(plans.len());
                for ((name, plan), field) in plans.iter().zip(&types) {
                    match known.get(&**name) {
                        Some(piece) => match piece.array(plan)? {
                            Some(array) => arrays.push(array),
                            None => return Ok(None),
                        },
                        None => arrays.push(new_null_array(field.data_type(), self.rows)),
                    }
                }
                let array = arrow::array::StructArray::try_new(types, arrays, valid.clone())?;
                Some(Arc::new(array))
            }
            _ => None,
        })
    }
}
