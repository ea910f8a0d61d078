//! Cells to Arrow arrays, once their type is known.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Decimal128Builder, NullArray, PrimitiveBuilder, StringBuilder,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::column::TextColumn;
use super::lattice::Inferred;
use super::reader::Reader;
use super::rules::ColumnRules;

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
    let mut cells = Cells { column, reader: Reader::new(inferred, rules), bad };
    match &inferred.data_type {
        DataType::Null => Arc::new(NullArray::new(column.len())),
        DataType::Boolean => cells.booleans(),
        DataType::Int8 => cells.whole::<Int8Type>(),
        DataType::Int16 => cells.whole::<Int16Type>(),
        DataType::Int32 => cells.whole::<Int32Type>(),
        DataType::Int64 => cells.primitive::<Int64Type>(Reader::int64),
        DataType::UInt8 => cells.whole::<UInt8Type>(),
        DataType::UInt16 => cells.whole::<UInt16Type>(),
        DataType::UInt32 => cells.whole::<UInt32Type>(),
        DataType::UInt64 => cells.whole::<UInt64Type>(),
        DataType::Float32 => {
            cells.primitive::<Float32Type>(|reader, text| Some(reader.float(text)? as f32))
        }
        DataType::Float64 => cells.primitive::<Float64Type>(Reader::float),
        DataType::Decimal128(precision, scale) => cells.decimals(*precision, *scale),
        DataType::Date32 => cells.primitive::<Date32Type>(|reader, text| reader.date(text)),
        DataType::Timestamp(unit, zone) => cells.stamps(*unit, zone.clone()),
        DataType::Time64(TimeUnit::Nanosecond) => {
            cells.primitive::<Time64NanosecondType>(|reader, text| reader.time(text))
        }
        DataType::Time64(_) => {
            cells.primitive::<Time64MicrosecondType>(|reader, text| Some(reader.time(text)? / 1000))
        }
        _ => cells.texts(),
    }
}

struct Cells<'a, 'b> {
    column: &'a TextColumn,
    reader: Reader<'a>,
    bad: &'b mut dyn FnMut(BadValue),
}

impl<'a> Cells<'a, '_> {
    /// Appends each parsed value, or null where there is none.
    fn each<T>(
        &mut self,
        mut parse: impl FnMut(&mut Reader<'a>, &[u8]) -> Option<T>,
        mut append: impl FnMut(Option<T>),
    ) {
        for (row, cell) in self.column.iter().enumerate() {
            let Some((text, _)) = cell.filter(|(text, quoted)| !self.reader.is_null(text, *quoted))
            else {
                append(None);
                continue;
            };
            let value = parse(&mut self.reader, text);
            if value.is_none() {
                (self.bad)(BadValue { row, text: text.to_vec() });
            }
            append(value);
        }
    }

    fn primitive<T: ArrowPrimitiveType>(
        &mut self,
        parse: impl FnMut(&mut Reader<'a>, &[u8]) -> Option<T::Native>,
    ) -> ArrayRef {
        let mut builder = PrimitiveBuilder::<T>::with_capacity(self.column.len());
        self.each(parse, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn whole<T: ArrowPrimitiveType>(&mut self) -> ArrayRef
    where
        T::Native: TryFrom<i128>,
    {
        self.primitive::<T>(|reader, text| reader.whole(text)?.try_into().ok())
    }

    fn decimals(&mut self, precision: u8, scale: i8) -> ArrayRef {
        let mut builder = Decimal128Builder::with_capacity(self.column.len())
            .with_data_type(DataType::Decimal128(precision, scale));
        self.each(Reader::whole, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn booleans(&mut self) -> ArrayRef {
        let mut builder = BooleanBuilder::with_capacity(self.column.len());
        self.each(|reader, text| reader.boolean(text), |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn stamps(&mut self, unit: TimeUnit, zone: Option<Arc<str>>) -> ArrayRef {
        macro_rules! build {
            ($type:ty) => {{
                let zoned = zone.is_some();
                let mut builder = PrimitiveBuilder::<$type>::with_capacity(self.column.len());
                self.each(
                    |reader, text| reader.stamp(text, unit, zoned),
                    |value| builder.append_option(value),
                );
                Arc::new(builder.finish().with_timezone_opt(zone))
            }};
        }
        match unit {
            TimeUnit::Second => build!(TimestampSecondType),
            TimeUnit::Millisecond => build!(TimestampMillisecondType),
            TimeUnit::Microsecond => build!(TimestampMicrosecondType),
            TimeUnit::Nanosecond => build!(TimestampNanosecondType),
        }
    }

    fn texts(&mut self) -> ArrayRef {
        let mut builder = StringBuilder::with_capacity(self.column.len(), self.column.data_len());
        for cell in self.column.iter() {
            let value = cell.filter(|(text, quoted)| !self.reader.is_null(text, *quoted));
            // Readers hand over valid UTF-8; anything else would be shown, not lost.
            builder.append_option(value.map(|(text, _)| String::from_utf8_lossy(text)));
        }
        Arc::new(builder.finish())
    }
}
