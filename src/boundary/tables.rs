//! Arbitrary tables, of any type that a format can hold.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, Field,
    FieldRef, Fields, IntervalUnit, Schema, TimeUnit, UnionFields, UnionMode,
};

use super::arrays::array;
use super::choices::Choices;
use crate::naming::child_types;

/// Whose types a table may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Arrow,
    Parquet,
    Orc,
}

const UNITS: &[TimeUnit] =
    &[TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];
const MOST_DEPTH: usize = 3;

/// A table; `None` where the arrays do not want to be what the bytes say.
pub(super) fn table(choices: &mut Choices<'_>, family: Family) -> Option<RecordBatch> {
    let rows = match choices.below(6) {
        0 => choices.below(2),
        1 | 2 => choices.below(10),
        3 | 4 => choices.below(200),
        _ => choices.below(3000),
    };
    let least = usize::from(family != Family::Arrow);
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for index in 0..least + choices.below(6) {
        let data_type = data_type(choices, family, 0);
        let nullable = choices.one_in(2) || may_only_be_nullable(&data_type);
        columns.push(array(choices, &data_type, rows, nullable)?);
        fields.push(Field::new(format!("c{index}"), data_type, nullable));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).ok()
}

/// The table in stretches of rows, as a writer may be given it.
pub(super) fn stretches(table: &RecordBatch, choices: &mut Choices<'_>) -> Vec<RecordBatch> {
    let mut stretches = Vec::new();
    let mut at = 0;
    let schema = table.schema();
    let is_cut = !schema.fields().iter().any(|field| has_union_inside(field.data_type()));
    while at < table.num_rows() {
        let left = table.num_rows() - at;
        let length = if is_cut && choices.one_in(2) { 1 + choices.below(left) } else { left };
        stretches.push(table.slice(at, length));
        at += length;
        if stretches.len() == 8 {
            stretches.push(table.slice(at, table.num_rows() - at));
            break;
        }
    }
    stretches
}

/// Whether there is a union inside of another type: arrow's writer begins it at its first row where the
/// rows it is given begin later.
fn has_union_inside(data_type: &DataType) -> bool {
    child_types(data_type)
        .into_iter()
        .any(|child| matches!(child, DataType::Union(..)) || has_union_inside(child))
}

fn may_only_be_nullable(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Null | DataType::RunEndEncoded(..) | DataType::Union(..))
}

fn data_type(choices: &mut Choices<'_>, family: Family, depth: usize) -> DataType {
    if family == Family::Orc {
        return choices.one_of(&ORC_TYPES).clone();
    }
    if depth < MOST_DEPTH && choices.one_in(3) {
        return nested_type(choices, family, depth + 1);
    }
    flat_type(choices, family)
}

const ORC_TYPES: [&DataType; 11] = [
    &DataType::Boolean,
    &DataType::Int8,
    &DataType::Int16,
    &DataType::Int32,
    &DataType::Int64,
    &DataType::Float32,
    &DataType::Float64,
    &DataType::Utf8,
    &DataType::Binary,
    &DataType::Date32,
    &DataType::Timestamp(TimeUnit::Nanosecond, None),
];

fn flat_type(choices: &mut Choices<'_>, family: Family) -> DataType {
    use DataType::*;
    let is_arrow = family == Family::Arrow;
    match choices.below(34) {
        0 => Int64,
        1 => Utf8,
        2 => Float64,
        3 => Boolean,
        4 => Int8,
        5 => Int16,
        6 => Int32,
        7 => UInt8,
        8 => UInt16,
        9 => UInt32,
        10 => UInt64,
        11 => Float16,
        12 => Float32,
        13 => LargeUtf8,
        14 => Utf8View,
        15 => Binary,
        16 => LargeBinary,
        17 => BinaryView,
        18 => FixedSizeBinary(1 + choices.below(20) as i32),
        19 => Date32,
        20 if is_arrow => Date64,
        21 => choices.one_of(&[&Time32(TimeUnit::Second), &Time32(TimeUnit::Millisecond)]).clone(),
        22 => Time64(choices.one_of(&UNITS[2..])),
        23 => Timestamp(choices.one_of(UNITS), None),
        24 => Timestamp(choices.one_of(UNITS), Some("Europe/Berlin".into())),
        25 => Timestamp(choices.one_of(UNITS), Some("+05:30".into())),
        26 => Duration(choices.one_of(UNITS)),
        27 => Interval(IntervalUnit::DayTime),
        28 if is_arrow => Interval(IntervalUnit::MonthDayNano),
        29 => decimal(choices, Decimal32Type::MAX_PRECISION, Decimal32),
        30 => decimal(choices, Decimal64Type::MAX_PRECISION, Decimal64),
        31 => decimal(choices, Decimal128Type::MAX_PRECISION, Decimal128),
        32 => decimal(choices, Decimal256Type::MAX_PRECISION, Decimal256),
        33 if is_arrow => Null,
        _ => Interval(IntervalUnit::YearMonth),
    }
}

fn decimal(choices: &mut Choices<'_>, most: u8, make: fn(u8, i8) -> DataType) -> DataType {
    let precision = 1 + choices.below(most.into()) as u8;
    make(precision, choices.below(usize::from(precision) + 1) as i8)
}

fn nested_type(choices: &mut Choices<'_>, family: Family, depth: usize) -> DataType {
    let field = |choices: &mut Choices<'_>, name: &str| -> FieldRef {
        let data_type = data_type(choices, family, depth);
        let nullable = choices.one_in(2) || may_only_be_nullable(&data_type);
        Arc::new(Field::new(name, data_type, nullable))
    };
    let kinds = if family == Family::Arrow { 10 } else { 5 };
    match choices.below(kinds) {
        0 => DataType::List(field(choices, "item")),
        1 => DataType::LargeList(field(choices, "item")),
        2 => {
            let size = 1 + choices.below(3) as i32;
            DataType::FixedSizeList(field(choices, "item"), size)
        }
        3 => {
            let fields = (0..=choices.below(3)).map(|index| field(choices, &format!("f{index}")));
            DataType::Struct(fields.collect())
        }
        4 => {
            let key = Arc::new(Field::new("key", DataType::Utf8, false));
            let entry = DataType::Struct(Fields::from(vec![key, field(choices, "value")]));
            DataType::Map(Arc::new(Field::new("entries", entry, false)), false)
        }
        5 => DataType::ListView(field(choices, "item")),
        6 => DataType::LargeListView(field(choices, "item")),
        7 => {
            let key = choices.one_of(&[&DataType::Int8, &DataType::Int32, &DataType::UInt16]);
            let value = choices.one_of(&[&DataType::Utf8, &DataType::Int64, &DataType::Utf8View]);
            DataType::Dictionary(Box::new(key.clone()), Box::new(value.clone()))
        }
        8 => {
            let ends = Arc::new(Field::new("run_ends", DataType::Int32, false));
            let values = Arc::new(Field::new("values", flat_type(choices, family), true));
            DataType::RunEndEncoded(ends, values)
        }
        _ => {
            let mode = choices.one_of(&[UnionMode::Sparse, UnionMode::Dense]);
            let count = 1 + choices.below(3) as i8;
            let fields = (0..count).map(|id| (id, field(choices, &format!("u{id}"))));
            DataType::Union(fields.collect::<UnionFields>(), mode)
        }
    }
}
