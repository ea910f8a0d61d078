//! The leaves of nested columns: a file's columns are those of the schema that have no children, in order.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayData, ArrayRef, AsArray, IntervalMonthDayNanoArray, RecordBatch,
    RecordBatchOptions, make_array,
};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{
    DataType, Field, FieldRef, Fields, IntervalDayTimeType, IntervalMonthDayNano, IntervalUnit,
    IntervalYearMonthType, Schema, TimeUnit,
};

use super::arrow_error;
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// Hands on each leaf's type.
pub(super) fn each(data_type: &DataType, see: &mut dyn FnMut(&DataType)) {
    type_of(data_type, &mut |leaf| {
        see(leaf);
        leaf.clone()
    });
}

/// The same schema with other types for some leaves.
pub(super) fn mapped(schema: &Schema, mut map: impl FnMut(usize, &DataType) -> DataType) -> Schema {
    let mut leaf = 0;
    let mut count = |data_type: &DataType| {
        leaf += 1;
        map(leaf - 1, data_type)
    };
    let fields = schema.fields().iter().map(|field| field_of(field, &mut count));
    Schema::new(fields.collect::<Fields>())
}

fn field_of(field: &FieldRef, map: &mut dyn FnMut(&DataType) -> DataType) -> FieldRef {
    let data_type = type_of(field.data_type(), map);
    Arc::new(Field::clone(field).with_data_type(data_type))
}

fn type_of(data_type: &DataType, map: &mut dyn FnMut(&DataType) -> DataType) -> DataType {
    match data_type {
        DataType::List(child) => DataType::List(field_of(child, map)),
        DataType::LargeList(child) => DataType::LargeList(field_of(child, map)),
        DataType::ListView(child) => DataType::ListView(field_of(child, map)),
        DataType::LargeListView(child) => DataType::LargeListView(field_of(child, map)),
        DataType::FixedSizeList(child, size) => {
            DataType::FixedSizeList(field_of(child, map), *size)
        }
        DataType::Map(entries, is_sorted) => DataType::Map(field_of(entries, map), *is_sorted),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| field_of(field, map)).collect())
        }
        leaf => map(leaf),
    }
}

/// Notes which leaves have a time in microseconds so far away that 64 bits of nanoseconds do not reach it.
pub(super) fn note_far(batch: &RecordBatch, leaves: &[usize], far: &mut Vec<usize>) {
    let mut place = 0;
    for column in batch.columns() {
        find_far(&column.to_data(), leaves, &mut place, far);
    }
}

fn find_far(data: &ArrayData, leaves: &[usize], place: &mut usize, far: &mut Vec<usize>) {
    let is_leaf =
        matches!(data.data_type(), DataType::Dictionary(_, _) | DataType::RunEndEncoded(_, _));
    if !is_leaf && !data.child_data().is_empty() {
        for child in data.child_data() {
            find_far(child, leaves, place, far);
        }
        return;
    }
    let leaf = leaves.get(*place);
    *place += 1;
    let (Some(leaf), DataType::Timestamp(TimeUnit::Microsecond, _)) = (leaf, data.data_type())
    else {
        return;
    };
    let times = &data.buffer::<i64>(0)[..data.len()];
    let is_far = |at: usize, time: i64| data.is_valid(at) && time.checked_mul(1000).is_none();
    if !far.contains(leaf) && times.iter().enumerate().any(|(at, time)| is_far(at, *time)) {
        far.push(*leaf);
    }
}

/// Intervals of days and milliseconds together with the months of the same rows.
pub(super) fn with_months(
    batch: &RecordBatch,
    months: Option<&RecordBatch>,
) -> Result<RecordBatch> {
    let months =
        months.filter(|months| months.num_rows() == batch.num_rows()).ok_or_else(uneven)?;
    let pairs = batch.columns().iter().zip(months.columns());
    let columns = pairs.map(|(rest, months)| whole(&rest.to_data(), &months.to_data()));
    let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
    let schema = mapped(&batch.schema(), |_, data_type| whole_type(data_type));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &options).map_err(arrow_error)
}

fn whole_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Interval(_) => DataType::Interval(IntervalUnit::MonthDayNano),
        other => other.clone(),
    }
}

fn whole(rest: &ArrayData, months: &ArrayData) -> Result<ArrayRef> {
    if rest.len() != months.len() || rest.child_data().len() != months.child_data().len() {
        return Err(uneven());
    }
    if matches!(rest.data_type(), DataType::Interval(_)) {
        let (rest, months) = (make_array(rest.clone()), make_array(months.clone()));
        let rest = rest.as_primitive_opt::<IntervalDayTimeType>().ok_or_else(uneven)?;
        let months = months.as_primitive_opt::<IntervalYearMonthType>().ok_or_else(uneven)?;
        let both = rest.values().iter().zip(months.values());
        let values = both.map(|(rest, months)| {
            let nanoseconds = i64::from(rest.milliseconds.cast_unsigned()) * 1_000_000;
            IntervalMonthDayNano::new(*months, rest.days, nanoseconds)
        });
        let values: ScalarBuffer<IntervalMonthDayNano> = values.collect();
        return Ok(Arc::new(IntervalMonthDayNanoArray::new(values, rest.nulls().cloned())));
    }
    let data_type = type_of(rest.data_type(), &mut |leaf| whole_type(leaf));
    if data_type == *rest.data_type() {
        return Ok(make_array(rest.clone()));
    }
    let children = rest.child_data().iter().zip(months.child_data());
    let children = children.map(|(rest, months)| Ok(whole(rest, months)?.to_data()));
    let children = children.collect::<Result<Vec<ArrayData>>>()?;
    let whole = rest.clone().into_builder().data_type(data_type).child_data(children);
    Ok(make_array(whole.build().map_err(arrow_error)?))
}

fn uneven() -> Error {
    let message = "the months of intervals and the rest of them differ in their rows";
    Issue::error(Stage::Parse, Code::Corrupt, message).into()
}
