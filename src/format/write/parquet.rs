//! Tables as Parquet, in types that every reader of Parquet knows.
//!
//! Parquet has no times in seconds and no dates in milliseconds: the arrow crate writes those as plain
//! numbers that only it takes for times again. They go out in milliseconds or days instead.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, RecordBatch, make_array};
use arrow::compute::{CastOptions, cast_with_options, take};
use arrow::datatypes::{
    DataType, Date64Type, Field, FieldRef, IntervalUnit, Schema, SchemaRef, Time32MillisecondType,
    Time32SecondType, TimeUnit, TimestampMillisecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::{each, of_column, refused};
use crate::error::{Error, Result};
use crate::guard::guarded_writer;
use crate::naming::child_types;
use crate::report::{Code, Issue, Stage};
use crate::table::Table;

/// A row group is written out when it has taken so much memory, if not for its rows before.
const ROW_GROUP_BYTES: usize = 128 << 20;

/// So many columns are named in one warning.
const NAMED: usize = 10;

const DAY: i64 = 86_400_000;

/// Writes the table. What other readers take for something else is said in the issues.
pub(super) fn write_parquet(table: &Table, out: &mut (dyn Write + Send)) -> Result<Vec<Issue>> {
    for field in table.schema().fields() {
        if let Some(what) = unwritable(field.data_type()) {
            let message =
                format!("the column {:?} cannot be written: Parquet has no {what}", field.name());
            let issue = Issue::error(Stage::Parse, Code::UnsupportedFeature, message);
            return Err(issue
                .column(field.name())
                .hint("write it as arrow, or as csv or ndjson, where its values are text")
                .into());
        }
    }
    let schema = written_schema(table)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let mut writer = guarded_writer("parquet", || {
        ArrowWriter::try_new(out, schema.clone(), Some(properties)).map_err(parquet_error)
    })?;
    each(table, "parquet", &mut |batch| {
        writer.write(&converted_batch(batch, &schema)?).map_err(parquet_error)?;
        if writer.memory_size() > ROW_GROUP_BYTES {
            writer.flush().map_err(parquet_error)?;
        }
        Ok(true)
    })?;
    guarded_writer("parquet", || writer.close().map_err(parquet_error))?;
    Ok(durations(&schema).into_iter().collect())
}

/// What of a type Parquet has no words for, or the crate does not write.
fn unwritable(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::Union(_, _) => Some("unions, which hold values of several types in one column"),
        DataType::Struct(fields) if fields.is_empty() => Some("structs without fields"),
        DataType::Interval(IntervalUnit::MonthDayNano) => Some("intervals with nanoseconds"),
        DataType::Dictionary(_, values) => unwritable(values),
        _ => child_types(data_type).into_iter().find_map(unwritable),
    }
}

fn holds(data_type: &DataType, is_it: &dyn Fn(&DataType) -> bool) -> bool {
    is_it(data_type) || child_types(data_type).into_iter().any(|child| holds(child, is_it))
}

/// The columns as they are written. Whether dates in milliseconds are whole days only their values
/// tell, so those are read beforehand.
fn written_schema(table: &Table) -> Result<SchemaRef> {
    let fields = table.schema().fields();
    let dates = |field: &FieldRef| holds(field.data_type(), &|part| *part == DataType::Date64);
    let mut whole_days: Vec<bool> = fields.iter().map(dates).collect();
    if whole_days.contains(&true) {
        each(table, "parquet", &mut |batch| {
            for (column, whole) in batch.columns().iter().zip(&mut whole_days) {
                *whole = *whole && are_whole_days(&column.to_data());
            }
            Ok(whole_days.contains(&true))
        })?;
    }
    let fields = fields.iter().zip(&whole_days).map(|(field, whole_days)| {
        let written = written_type(field.data_type(), *whole_days);
        Arc::new(field.as_ref().clone().with_data_type(written))
    });
    let metadata = table.schema().metadata().clone();
    Ok(Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), metadata)))
}

/// Whether all dates in milliseconds are whole days, of which 32 bits hold the number.
fn are_whole_days(data: &ArrayData) -> bool {
    if *data.data_type() == DataType::Date64 {
        let array = make_array(data.clone());
        let dates = array.as_primitive::<Date64Type>();
        let is_day = |date: i64| date % DAY == 0 && i32::try_from(date / DAY).is_ok();
        return dates.iter().flatten().all(is_day);
    }
    data.child_data().iter().all(are_whole_days)
}

fn written_type(data_type: &DataType, whole_days: bool) -> DataType {
    let within = |field: &FieldRef| -> FieldRef {
        let data_type = written_type(field.data_type(), whole_days);
        Arc::new(Field::clone(field).with_data_type(data_type))
    };
    match data_type {
        DataType::Timestamp(TimeUnit::Second, zone) => {
            DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
        }
        DataType::Time32(TimeUnit::Second) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Date64 if whole_days => DataType::Date32,
        DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::List(item) => DataType::List(within(item)),
        DataType::LargeList(item) => DataType::LargeList(within(item)),
        DataType::ListView(item) => DataType::ListView(within(item)),
        DataType::LargeListView(item) => DataType::LargeListView(within(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(within(item), *size),
        DataType::Map(entries, sorted) => DataType::Map(within(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(within).collect()),
        DataType::RunEndEncoded(ends, values) => {
            DataType::RunEndEncoded(ends.clone(), within(values))
        }
        DataType::Dictionary(keys, values) => {
            // The crate writes dictionaries of these as bytes, and has no way to do so for the rest.
            let values = match written_type(values, whole_days) {
                DataType::Utf8View => DataType::Utf8,
                DataType::BinaryView => DataType::Binary,
                nested if nested.is_nested() => return nested,
                fixed @ DataType::FixedSizeBinary(_) => return fixed,
                other => other,
            };
            DataType::Dictionary(keys.clone(), Box::new(values))
        }
        other => other.clone(),
    }
}

/// One warning for all columns of durations.
fn durations(schema: &Schema) -> Option<Issue> {
    let is_duration = |part: &DataType| matches!(part, DataType::Duration(_));
    let fields = schema.fields().iter().filter(|field| holds(field.data_type(), &is_duration));
    let names: Vec<&String> = fields.map(|field| field.name()).collect();
    let first = names.first()?;
    let listed: Vec<String> = names.iter().take(NAMED).map(|name| format!("{name:?}")).collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (noun, verb) = if names.len() == 1 { ("column", "holds") } else { ("columns", "hold") };
    let message = format!(
        "the {noun} {}{more} {verb} durations, for which Parquet has no type: readers that do not know \
         Arrow's schema take them for whole numbers",
        listed.join(", ")
    );
    let issue = Issue::warning(Stage::Parse, Code::UnsupportedFeature, message);
    Some(issue.column(*first).hint("write it as arrow, which keeps every type"))
}

fn converted_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| {
        let converted = converted(column, field.data_type());
        converted.map_err(|error| of_column(error, field.name(), None))
    });
    let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = columns.collect::<Result<_>>()?;
    RecordBatch::try_new_with_options(schema.clone(), columns, &rows)
        .map_err(|error| refused(error.to_string()))
}

fn converted(array: &ArrayRef, target: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == target {
        return Ok(array.clone());
    }
    let too_far = |value: i64| {
        ArrowError::CastError(format!(
            "{value} seconds are too many to be milliseconds, which Parquet counts in"
        ))
    };
    match (array.data_type(), target) {
        (DataType::Timestamp(TimeUnit::Second, zone), DataType::Timestamp(_, _)) => {
            let seconds = array.as_primitive::<TimestampSecondType>();
            let milliseconds = seconds.try_unary::<_, TimestampMillisecondType, _>(|value| {
                value.checked_mul(1000).ok_or_else(|| too_far(value))
            })?;
            Ok(Arc::new(milliseconds.with_timezone_opt(zone.clone())))
        }
        (DataType::Time32(TimeUnit::Second), DataType::Time32(_)) => {
            let seconds = array.as_primitive::<Time32SecondType>();
            let milliseconds = seconds.try_unary::<_, Time32MillisecondType, _>(|value| {
                value.checked_mul(1000).ok_or_else(|| too_far(value.into()))
            })?;
            Ok(Arc::new(milliseconds))
        }
        (DataType::Dictionary(_, _), target) if !matches!(target, DataType::Dictionary(_, _)) => {
            let dictionary = array.as_any_dictionary();
            converted(&take(dictionary.values(), dictionary.keys(), None)?, target)
        }
        (from, target) if from.is_nested() || matches!(from, DataType::Dictionary(_, _)) => {
            let data = array.to_data();
            let parts = data.child_data().iter().zip(child_types(target));
            let parts = parts.map(|(part, target)| {
                converted(&make_array(part.clone()), target).map(|part| part.to_data())
            });
            let parts = parts.collect::<Result<_, _>>()?;
            let data = data.into_builder().data_type(target.clone()).child_data(parts);
            Ok(make_array(data.build()?))
        }
        (_, target) => {
            let options = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(array, target, &options)
        }
    }
}

fn parquet_error(error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(io) => (*io).into(),
            Err(other) => refused(other.to_string()),
        },
        other => refused(other.to_string()),
    }
}
