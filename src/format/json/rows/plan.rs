//! The types that hold for all chunks, and the nodes that read them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields as ArrowFields};

use super::node::{Column, List, Node, Struct};
use super::piece::{Fields, Summary};
use super::seen::{DECIMAL_DIGITS, Kinds, NumberType};
use crate::format::chunks::{Texts, Typed};
use crate::infer::TextColumn;

/// How a column is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plan {
    /// There are only nulls.
    Nothing,
    Bool,
    Int64,
    UInt64,
    Decimal(u32),
    Float64,
    Text,
    /// Texts, and other scalars as they stand in the file.
    Scalar,
    /// Values as they stand in the file.
    Raw,
    /// Scalars as texts, to be typed by what options ask for.
    Gather,
    Skip,
    List(Box<Plan>),
    Struct(Vec<(Box<str>, Plan)>),
}

/// Objects whose keys are this many and more are maps, if few of them are in any one object.
const MAP_KEYS: usize = 200;
/// A map's object has fewer than one in so many of all keys.
const MAP_SHARE: u64 = 10;

/// Objects with more fields at all depths are maps as well.
const DEEP_FIELDS: usize = 8 * super::MOST_FIELDS;
/// Containers deeper than this are kept as text: other programs read no deeper types, and in Parquet
/// a list is three levels.
pub(super) const DEEPEST: usize = 20;

/// The type of so many digits behind the point.
pub(super) fn decimal(scale: u32) -> DataType {
    DataType::Decimal128(DECIMAL_DIGITS as u8, scale as i8)
}

impl Summary {
    /// Adds what was seen in a later chunk, behind so many rows.
    pub fn merge(&mut self, later: Summary, rows: u64) {
        self.seen.merge(&later.seen, rows);
        self.rows += later.rows;
        self.nulls += later.nulls;
        match (&mut self.element, later.element) {
            (Some(element), Some(later)) => element.merge(*later, rows),
            (element @ None, later) => {
                *element = later.map(|mut later| {
                    later.shift(rows);
                    later
                });
            }
            (_, None) => {}
        }
        self.fields.merge(later.fields, rows, super::MOST_FIELDS);
    }

    fn shift(&mut self, rows: u64) {
        let mut shifted = Summary::default();
        std::mem::swap(&mut shifted, self);
        self.seen.merge(&shifted.seen, rows);
        (self.rows, self.nulls) = (shifted.rows, shifted.nulls);
        self.element = shifted.element.map(|mut element| {
            element.shift(rows);
            element
        });
        self.fields.merge(shifted.fields, rows, super::MOST_FIELDS);
    }

    /// Whether objects are used as maps.
    pub fn is_map(&self) -> bool {
        let Fields { all, objects, pairs, overfull, .. } = &self.fields;
        *overfull
            || all.len() > MAP_KEYS && pairs * MAP_SHARE < objects * all.len() as u64
            || self.fields.count() > DEEP_FIELDS
    }

    /// The one type that every value survives, so many levels down.
    fn plan_at(&self, depth: usize) -> Plan {
        let kinds = self.seen.kinds;
        match kinds {
            kinds if kinds.is_empty() => Plan::Nothing,
            Kinds::BOOL => Plan::Bool,
            Kinds::NUMBER => match self.seen.numbers.data_type() {
                NumberType::Int64 => Plan::Int64,
                NumberType::UInt64 => Plan::UInt64,
                NumberType::Decimal(scale) => Plan::Decimal(scale),
                NumberType::Float64 => Plan::Float64,
                NumberType::Text => Plan::Scalar,
            },
            Kinds::TEXT => Plan::Text,
            Kinds::LIST | Kinds::OBJECT if depth > DEEPEST => Plan::Raw,
            Kinds::LIST => Plan::List(Box::new(
                self.element.as_ref().map_or(Plan::Nothing, |element| element.plan_at(depth + 1)),
            )),
            // A struct without fields is of no use to anybody.
            Kinds::OBJECT if self.fields.all.is_empty() || self.is_map() => Plan::Raw,
            Kinds::OBJECT => Plan::Struct(self.fields.plans_at(depth + 1)),
            kinds if kinds.has_containers() => Plan::Raw,
            _ => Plan::Scalar,
        }
    }
}

impl Fields {
    /// Adds what was seen in a later chunk, behind so many rows, for so many keys at most.
    pub fn merge(&mut self, later: Fields, rows: u64, room: usize) {
        self.places += later.places;
        self.objects += later.objects;
        self.pairs += later.pairs;
        self.overfull |= later.overfull;
        self.repeated += later.repeated;
        self.first_repeated = self.first_repeated.or(later.first_repeated);
        for (name, mut summary) in later.all {
            match self.index.get(&name) {
                Some(index) => self.all[*index].1.merge(summary, rows),
                None if self.all.len() >= room => self.overfull = true,
                None => {
                    summary.shift(rows);
                    self.index.insert(name.clone(), self.all.len());
                    self.all.push((name, summary));
                }
            }
        }
    }

    pub fn plans(&self) -> Vec<(Box<str>, Plan)> {
        self.plans_at(1)
    }

    fn plans_at(&self, depth: usize) -> Vec<(Box<str>, Plan)> {
        self.all.iter().map(|(name, summary)| (name.clone(), summary.plan_at(depth))).collect()
    }

    /// Fields at all depths, maps counted once. Of objects with more than so many nothing more is
    /// kept.
    pub fn bound(&mut self, most: usize) -> usize {
        let mut count = 0;
        for (_, summary) in &mut self.all {
            let inner = summary.fields.count();
            if inner > most {
                summary.fields.overfull = true;
                summary.fields.all.clear();
                summary.fields.index.clear();
            }
            let is_map = summary.is_map();
            let elements = summary.element.as_mut().map_or(0, |element| element.fields.bound(most));
            count += 1 + elements + if is_map { 0 } else { inner };
        }
        count
    }

    /// Fields that objects do not have, and those that they have, at any depth.
    pub fn sparse(&self) -> (u64, u64) {
        let cells = self.places.saturating_mul(self.all.len() as u64);
        let (mut missing, mut present) = (cells.saturating_sub(self.pairs), self.pairs);
        for (_, summary) in &self.all {
            let element = summary.element.as_ref().filter(|element| !element.is_map());
            let inner = Some(&summary.fields).filter(|_| !summary.is_map());
            for fields in inner.into_iter().chain(element.map(|element| &element.fields)) {
                let (more_missing, more_present) = fields.sparse();
                missing = missing.saturating_add(more_missing);
                present = present.saturating_add(more_present);
            }
        }
        (missing, present)
    }

    /// Fields, those of nested objects included.
    pub fn count(&self) -> usize {
        let count = |summary: &Summary| {
            1 + summary.fields.count()
                + summary.element.as_ref().map_or(0, |element| element.fields.count())
        };
        self.all.iter().map(|(_, summary)| count(summary)).sum()
    }
}

impl Plan {
    pub fn data_type(&self) -> DataType {
        match self {
            Plan::Nothing | Plan::Skip => DataType::Null,
            Plan::Bool => DataType::Boolean,
            Plan::Int64 => DataType::Int64,
            Plan::UInt64 => DataType::UInt64,
            Plan::Decimal(scale) => decimal(*scale),
            Plan::Float64 => DataType::Float64,
            Plan::Text | Plan::Scalar | Plan::Raw | Plan::Gather => DataType::Utf8,
            Plan::List(element) => {
                DataType::List(Arc::new(Field::new("item", element.data_type(), true)))
            }
            Plan::Struct(fields) => {
                let field =
                    |(name, plan): &(Box<str>, Plan)| Field::new(&**name, plan.data_type(), true);
                DataType::Struct(fields.iter().map(field).collect::<ArrowFields>())
            }
        }
    }

    /// A node that reads this.
    pub fn node(&self) -> Node {
        let texts = || Texts::default().emptied();
        Node::settled(match self {
            Plan::Nothing => Column::Open,
            Plan::Bool => Column::Bool(Typed::default()),
            Plan::Int64 => Column::Int64(Typed::default()),
            Plan::UInt64 => Column::UInt64(Typed::default()),
            Plan::Decimal(scale) => Column::Decimal(Typed::default(), *scale),
            Plan::Float64 => Column::Float64(Typed::default()),
            Plan::Text => Column::Text(texts()),
            Plan::Scalar => Column::Scalar(texts()),
            Plan::Raw => Column::Raw(texts()),
            Plan::Gather => Column::Gather(TextColumn::default(), Vec::new()),
            Plan::Skip => Column::Skip,
            Plan::List(element) => {
                Column::List(Box::new(List { element: element.node(), ..List::default() }))
            }
            Plan::Struct(fields) => {
                Column::Struct(Box::new(root(fields.iter().map(|(name, plan)| (&**name, plan)))))
            }
        })
    }
}

/// A struct of just these fields.
pub(super) fn root<'a>(fields: impl Iterator<Item = (&'a str, &'a Plan)>) -> Struct {
    let mut root = Struct::with_room(usize::MAX);
    for (name, plan) in fields {
        root.field(name, || plan.node());
    }
    // Also those that a chunk does not have are wanted, in this order.
    for (index, field) in root.fields.iter_mut().enumerate() {
        field.present = true;
        root.order.push(index as u32);
    }
    root.settled = true;
    root
}
