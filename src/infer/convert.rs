//! Cells to Arrow arrays, once their type is known.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, NullArray, PrimitiveBuilder,
    StringBuilder,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use chrono::{NaiveDate, NaiveDateTime, Timelike};

use super::column::TextColumn;
use super::lattice::Inferred;
use super::number::{parse_float, parse_int64, parse_whole};
use super::rules::{ColumnRules, Dates};
use super::temporal::{Temporal, parse_flexible, parse_iso};

/// A value that does not fit the type that was asked for.
#[derive(Clone, Debug)]
pub struct BadValue {
    /// Its row in the part that was converted, from 0.
    pub row: usize,
    /// Its text.
    pub text: Vec<u8>,
}

/// The cells as an array of the inferred type. Values that do not fit (only a type that was asked
/// for can have them) are null in the array and handed to `bad`.
pub fn convert(
    column: &TextColumn,
    inferred: &Inferred,
    rules: &ColumnRules,
    bad: &mut dyn FnMut(BadValue),
) -> ArrayRef {
    let cells = Cells { column, rules, na_is_null: inferred.na_is_null };
    match &inferred.data_type {
        DataType::Null => Arc::new(NullArray::new(column.len())),
        DataType::Boolean => cells.booleans(bad),
        DataType::Int8 => cells.whole::<Int8Type>(bad),
        DataType::Int16 => cells.whole::<Int16Type>(bad),
        DataType::Int32 => cells.whole::<Int32Type>(bad),
        DataType::Int64 => cells.primitive::<Int64Type>(bad, parse_int64),
        DataType::UInt8 => cells.whole::<UInt8Type>(bad),
        DataType::UInt16 => cells.whole::<UInt16Type>(bad),
        DataType::UInt32 => cells.whole::<UInt32Type>(bad),
        DataType::UInt64 => cells.whole::<UInt64Type>(bad),
        DataType::Float32 => {
            cells.primitive::<Float32Type>(bad, |text| parse_float(text).map(|value| value as f32))
        }
        DataType::Float64 => cells.primitive::<Float64Type>(bad, parse_float),
        DataType::Decimal128(precision, scale) => cells.decimals(*precision, *scale, bad),
        DataType::Date32 => cells.dates(bad),
        DataType::Timestamp(unit, zone) => cells.stamps(*unit, zone.clone(), bad),
        DataType::Time64(TimeUnit::Nanosecond) => {
            cells.temporal::<Time64NanosecondType>(bad, |value| match value {
                Temporal::Time(time) => Some(nanos_of_day(time)),
                _ => None,
            })
        }
        DataType::Time64(_) => cells.temporal::<Time64MicrosecondType>(bad, |value| match value {
            Temporal::Time(time) => Some(nanos_of_day(time) / 1000),
            _ => None,
        }),
        _ => cells.texts(),
    }
}

fn nanos_of_day(time: chrono::NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + i64::from(time.nanosecond())
}

struct Cells<'a> {
    column: &'a TextColumn,
    rules: &'a ColumnRules,
    na_is_null: bool,
}

impl<'a> Cells<'a> {
    /// The cells with nulls taken out.
    fn values(&self) -> impl Iterator<Item = Option<&'a [u8]>> + '_ {
        self.column.iter().map(|cell| {
            let (text, quoted) = cell?;
            let is_null =
                self.rules.is_null(text, quoted) || self.na_is_null && self.rules.may_be_null(text);
            (!is_null).then_some(text)
        })
    }

    /// Appends each parsed value, or null where there is none.
    fn each<T>(
        &self,
        bad: &mut dyn FnMut(BadValue),
        mut parse: impl FnMut(&[u8]) -> Option<T>,
        mut append: impl FnMut(Option<T>),
    ) {
        for (row, text) in self.values().enumerate() {
            append(text.and_then(|text| {
                let value = parse(text.trim_ascii());
                if value.is_none() {
                    bad(BadValue { row, text: text.to_vec() });
                }
                value
            }));
        }
    }

    fn numbers<T>(
        &self,
        bad: &mut dyn FnMut(BadValue),
        mut parse: impl FnMut(&[u8]) -> Option<T>,
        append: impl FnMut(Option<T>),
    ) {
        let mut buffer = Vec::new();
        self.each(
            bad,
            |text| self.rules.plain_number(text, &mut buffer).and_then(&mut parse),
            append,
        );
    }

    fn primitive<T: ArrowPrimitiveType>(
        &self,
        bad: &mut dyn FnMut(BadValue),
        parse: impl FnMut(&[u8]) -> Option<T::Native>,
    ) -> ArrayRef {
        let mut builder = PrimitiveBuilder::<T>::with_capacity(self.column.len());
        self.numbers(bad, parse, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn whole<T: ArrowPrimitiveType>(&self, bad: &mut dyn FnMut(BadValue)) -> ArrayRef
    where
        T::Native: TryFrom<i128>,
    {
        self.primitive::<T>(bad, |text| parse_whole(text)?.try_into().ok())
    }

    fn decimals(&self, precision: u8, scale: i8, bad: &mut dyn FnMut(BadValue)) -> ArrayRef {
        let mut builder = Decimal128Builder::with_capacity(self.column.len())
            .with_data_type(DataType::Decimal128(precision, scale));
        self.numbers(bad, parse_whole, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn booleans(&self, bad: &mut dyn FnMut(BadValue)) -> ArrayRef {
        let mut builder = BooleanBuilder::with_capacity(self.column.len());
        self.each(bad, |text| self.rules.boolean(text), |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn parse_temporal(&self, text: &[u8]) -> Option<Temporal> {
        // A date type that was asked for is as good as `parse_dates`.
        let found = match self.rules.dates {
            Dates::Any { dayfirst } => parse_flexible(text, dayfirst),
            _ if self.rules.forced.is_some() => parse_flexible(text, false),
            _ => parse_iso(text),
        };
        found.map(|(value, _)| value)
    }

    fn temporal<T: ArrowPrimitiveType>(
        &self,
        bad: &mut dyn FnMut(BadValue),
        mut value: impl FnMut(Temporal) -> Option<T::Native>,
    ) -> ArrayRef {
        let mut builder = PrimitiveBuilder::<T>::with_capacity(self.column.len());
        self.each(
            bad,
            |text| self.parse_temporal(text).and_then(&mut value),
            |value| builder.append_option(value),
        );
        Arc::new(builder.finish())
    }

    fn dates(&self, bad: &mut dyn FnMut(BadValue)) -> ArrayRef {
        let epoch = NaiveDate::default();
        let mut builder = Date32Builder::with_capacity(self.column.len());
        let days = |text: &[u8]| match self.parse_temporal(text)? {
            Temporal::Date(date) => Some(date.signed_duration_since(epoch).num_days() as i32),
            _ => None,
        };
        self.each(bad, days, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn stamps(
        &self,
        unit: TimeUnit,
        zone: Option<Arc<str>>,
        bad: &mut dyn FnMut(BadValue),
    ) -> ArrayRef {
        let zoned = zone.is_some();
        let moment = move |value: Temporal| -> Option<NaiveDateTime> {
            match value {
                Temporal::Date(date) if !zoned => date.and_hms_opt(0, 0, 0),
                Temporal::Stamp(stamp) if !zoned => Some(stamp),
                Temporal::Zoned(stamp) if zoned => Some(stamp),
                _ => None,
            }
        };
        macro_rules! build {
            ($type:ty, $number:expr) => {{
                let number: fn(NaiveDateTime) -> Option<i64> = $number;
                let array = self.temporal::<$type>(bad, |value| moment(value).and_then(number));
                match (zone, arrow::array::AsArray::as_primitive_opt::<$type>(&array)) {
                    (Some(zone), Some(stamps)) => Arc::new(stamps.clone().with_timezone(zone)),
                    _ => array,
                }
            }};
        }
        // A stamp finer than the unit would be cut: it does not fit.
        match unit {
            TimeUnit::Second => build!(TimestampSecondType, |t| {
                (t.nanosecond() == 0).then(|| t.and_utc().timestamp())
            }),
            TimeUnit::Millisecond => build!(TimestampMillisecondType, |t| {
                (t.nanosecond() % 1_000_000 == 0).then(|| t.and_utc().timestamp_millis())
            }),
            TimeUnit::Microsecond => build!(TimestampMicrosecondType, |t| {
                (t.nanosecond() % 1_000 == 0).then(|| t.and_utc().timestamp_micros())
            }),
            TimeUnit::Nanosecond => {
                build!(TimestampNanosecondType, |t| t.and_utc().timestamp_nanos_opt())
            }
        }
    }

    fn texts(&self) -> ArrayRef {
        let mut builder = StringBuilder::with_capacity(self.column.len(), self.column.data_len());
        for text in self.values() {
            // Readers hand over valid UTF-8; anything else would be shown, not lost.
            builder.append_option(text.map(String::from_utf8_lossy));
        }
        Arc::new(builder.finish())
    }
}
