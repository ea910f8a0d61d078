//! Arrays of a given type, their values made by bytes.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray,
    FixedSizeListArray, GenericListArray, GenericListViewArray, MapArray, NullArray,
    OffsetSizeTrait, PrimitiveArray, RunArray, StringArray, StructArray, UnionArray,
};
use arrow::buffer::{BooleanBuffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    FieldRef, Fields, Int8Type, Int32Type, TimeUnit, UInt16Type, UnionMode, i256,
};

use super::choices::Choices;

/// So many bytes: the choices' own, few different ones, or noise that grows out of a few.
fn fill(choices: &mut Choices<'_>, count: usize) -> Vec<u8> {
    match choices.below(4) {
        0 => {
            let mut bytes = choices.take(count).to_vec();
            bytes.resize(count, 0);
            bytes
        }
        1 => {
            let pattern =
                [choices.byte(), 0, 0, 0, 0, 0, 0, 0, choices.byte(), 0, 0, 0, 0, 0, 0, 0];
            pattern.iter().copied().cycle().take(count).collect()
        }
        _ => {
            let mut state = choices.number() | 1;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            };
            (0..count).map(|_| next()).collect()
        }
    }
}

fn nulls(choices: &mut Choices<'_>, rows: usize, nullable: bool) -> Option<NullBuffer> {
    (nullable && choices.one_in(2)).then(|| {
        let bits = fill(choices, rows);
        NullBuffer::from(bits.iter().map(|byte| byte % 4 != 1).collect::<Vec<bool>>())
    })
}

fn lengths(choices: &mut Choices<'_>, rows: usize) -> Vec<usize> {
    fill(choices, rows).iter().map(|byte| usize::from(byte % 4)).collect()
}

/// An array of a type; `None` where it does not want to be what the bytes say.
pub(super) fn array(
    choices: &mut Choices<'_>,
    data_type: &DataType,
    rows: usize,
    nullable: bool,
) -> Option<ArrayRef> {
    use DataType::*;
    let missing = nulls(choices, rows, nullable);
    Some(match data_type {
        Null => Arc::new(NullArray::new(rows)),
        Boolean => {
            let bits =
                fill(choices, rows).iter().map(|byte| byte % 2 == 1).collect::<BooleanBuffer>();
            Arc::new(BooleanArray::new(bits, missing))
        }
        Utf8 | LargeUtf8 | Utf8View => {
            let texts = values(choices, rows);
            let text = |row: usize| {
                let is_null = missing.as_ref().is_some_and(|missing| missing.is_null(row));
                (!is_null).then(|| String::from_utf8_lossy(&texts[row]).into_owned())
            };
            let texts: StringArray = (0..rows).map(text).collect();
            arrow::compute::cast(&texts, data_type).ok()?
        }
        Binary | LargeBinary | BinaryView => {
            let found = values(choices, rows);
            let bytes = |row: usize| {
                let is_null = missing.as_ref().is_some_and(|missing| missing.is_null(row));
                (!is_null).then(|| &found[row])
            };
            let bytes: BinaryArray = (0..rows).map(bytes).collect();
            arrow::compute::cast(&bytes, data_type).ok()?
        }
        FixedSizeBinary(size) => {
            let bytes = fill(choices, rows * usize::try_from(*size).ok()?);
            Arc::new(FixedSizeBinaryArray::try_new(*size, bytes.into(), missing).ok()?)
        }
        Decimal32(precision, _) => {
            let most = 10_i32.pow((*precision).into());
            primitive::<Decimal32Type>(choices, data_type, rows, missing, |v| v % most)
        }
        Decimal64(precision, _) => {
            let most = 10_i64.pow((*precision).into());
            primitive::<Decimal64Type>(choices, data_type, rows, missing, |v| v % most)
        }
        Decimal128(precision, _) => {
            let most = 10_i128.pow((*precision).into());
            primitive::<Decimal128Type>(choices, data_type, rows, missing, |v| v % most)
        }
        Decimal256(precision, _) => {
            let most = 10_i128.pow((*precision).min(38).into());
            let fit = |v: i256| i256::from_i128(v.as_i128() % most);
            primitive::<Decimal256Type>(choices, data_type, rows, missing, fit)
        }
        List(field) => list::<i32>(choices, field, rows, missing)?,
        LargeList(field) => list::<i64>(choices, field, rows, missing)?,
        ListView(field) => list_view::<i32>(choices, field, rows, missing)?,
        LargeListView(field) => list_view::<i64>(choices, field, rows, missing)?,
        FixedSizeList(field, size) => {
            let count = rows * usize::try_from(*size).ok()?;
            let items = array(choices, field.data_type(), count, field.is_nullable())?;
            Arc::new(FixedSizeListArray::try_new(field.clone(), *size, items, missing).ok()?)
        }
        Struct(fields) => structure(choices, fields, rows, missing)?,
        Map(field, sorted) => {
            let Struct(fields) = field.data_type() else { return None };
            let offsets = OffsetBuffer::from_lengths(lengths(choices, rows));
            let entries = structure(choices, fields, *offsets.last()? as usize, None)?;
            let entries = entries.as_any().downcast_ref::<StructArray>()?.clone();
            Arc::new(MapArray::try_new(field.clone(), offsets, entries, missing, *sorted).ok()?)
        }
        Dictionary(key, value) => {
            let count = 1 + choices.below(20);
            let values = array(choices, value, count, false)?;
            match key.as_ref() {
                Int8 => dictionary::<Int8Type>(choices, values, rows, missing, |n| n as i8)?,
                Int32 => dictionary::<Int32Type>(choices, values, rows, missing, |n| n as i32)?,
                _ => dictionary::<UInt16Type>(choices, values, rows, missing, |n| n as u16)?,
            }
        }
        RunEndEncoded(_, field) => {
            let mut ends = Vec::new();
            let mut end = 0;
            while end < rows {
                end = rows.min(end + 1 + choices.below(40));
                ends.push(end as i32);
            }
            let values = array(choices, field.data_type(), ends.len(), true)?;
            let ends = PrimitiveArray::<Int32Type>::from(ends);
            Arc::new(RunArray::try_new(&ends, values.as_ref()).ok()?)
        }
        Union(fields, mode) => {
            let ids: Vec<i8> =
                fill(choices, rows).iter().map(|byte| (byte % fields.len() as u8) as i8).collect();
            let mut counts = vec![0_i32; fields.len()];
            let offsets: Vec<i32> = ids
                .iter()
                .map(|id| {
                    let count = &mut counts[*id as usize];
                    *count += 1;
                    *count - 1
                })
                .collect();
            let is_dense = *mode == UnionMode::Dense;
            let children = fields.iter().map(|(id, field)| {
                let count = if is_dense { counts[id as usize] as usize } else { rows };
                array(choices, field.data_type(), count, field.is_nullable())
            });
            let children = children.collect::<Option<Vec<_>>>()?;
            let offsets = is_dense.then(|| ScalarBuffer::from(offsets));
            Arc::new(UnionArray::try_new(fields.clone(), ids.into(), offsets, children).ok()?)
        }
        Time32(_) => bounded_time(choices, data_type, rows, missing)?,
        Time64(_) => bounded_time(choices, data_type, rows, missing)?,
        other => any_primitive(choices, other, rows, missing)?,
    })
}

/// Times of day lie within a day: other ones are no values of their type.
fn bounded_time(
    choices: &mut Choices<'_>,
    data_type: &DataType,
    rows: usize,
    missing: Option<NullBuffer>,
) -> Option<ArrayRef> {
    use arrow::datatypes::{
        Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    };
    Some(match data_type {
        DataType::Time32(TimeUnit::Second) => {
            primitive::<Time32SecondType>(choices, data_type, rows, missing, |v| {
                v.rem_euclid(86_400)
            })
        }
        DataType::Time32(_) => {
            primitive::<Time32MillisecondType>(choices, data_type, rows, missing, |v| {
                v.rem_euclid(86_400_000)
            })
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            primitive::<Time64MicrosecondType>(choices, data_type, rows, missing, |v| {
                v.rem_euclid(86_400_000_000)
            })
        }
        _ => primitive::<Time64NanosecondType>(choices, data_type, rows, missing, |v| {
            v.rem_euclid(86_400_000_000_000)
        }),
    })
}

fn any_primitive(
    choices: &mut Choices<'_>,
    data_type: &DataType,
    rows: usize,
    missing: Option<NullBuffer>,
) -> Option<ArrayRef> {
    macro_rules! made {
        ($type:ty) => {
            primitive::<$type>(choices, data_type, rows, missing, |value| value)
        };
    }
    use arrow::datatypes::*;
    Some(match data_type {
        DataType::Int8 => made!(Int8Type),
        DataType::Int16 => made!(Int16Type),
        DataType::Int32 => made!(Int32Type),
        DataType::Int64 => made!(Int64Type),
        DataType::UInt8 => made!(UInt8Type),
        DataType::UInt16 => made!(UInt16Type),
        DataType::UInt32 => made!(UInt32Type),
        DataType::UInt64 => made!(UInt64Type),
        DataType::Float16 => made!(Float16Type),
        DataType::Float32 => made!(Float32Type),
        DataType::Float64 => made!(Float64Type),
        DataType::Date32 => made!(Date32Type),
        DataType::Date64 => made!(Date64Type),
        DataType::Timestamp(TimeUnit::Second, _) => made!(TimestampSecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => made!(TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => made!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => made!(TimestampNanosecondType),
        DataType::Duration(TimeUnit::Second) => made!(DurationSecondType),
        DataType::Duration(TimeUnit::Millisecond) => made!(DurationMillisecondType),
        DataType::Duration(TimeUnit::Microsecond) => made!(DurationMicrosecondType),
        DataType::Duration(TimeUnit::Nanosecond) => made!(DurationNanosecondType),
        DataType::Interval(IntervalUnit::YearMonth) => made!(IntervalYearMonthType),
        DataType::Interval(IntervalUnit::DayTime) => made!(IntervalDayTimeType),
        DataType::Interval(IntervalUnit::MonthDayNano) => made!(IntervalMonthDayNanoType),
        _ => return None,
    })
}

/// Values of any bits, but for what `fit` makes of them.
fn primitive<T: ArrowPrimitiveType>(
    choices: &mut Choices<'_>,
    data_type: &DataType,
    rows: usize,
    missing: Option<NullBuffer>,
    fit: impl Fn(T::Native) -> T::Native,
) -> ArrayRef {
    let bytes = fill(choices, rows * size_of::<T::Native>());
    // This buffer begins where every type may begin.
    let mut aligned = MutableBuffer::new(bytes.len());
    aligned.extend_from_slice(&bytes);
    let found = ScalarBuffer::<T::Native>::from(arrow::buffer::Buffer::from(aligned));
    let fitting: Vec<T::Native> = found.iter().map(|value| fit(*value)).collect();
    Arc::new(PrimitiveArray::<T>::new(fitting.into(), missing).with_data_type(data_type.clone()))
}

/// Some bytes for each row, as text or not; few different ones in half of the tables.
fn values(choices: &mut Choices<'_>, rows: usize) -> Vec<Vec<u8>> {
    let different = if choices.one_in(2) { 1 + choices.below(20) } else { rows };
    let found: Vec<Vec<u8>> = (0..different.clamp(1, 64))
        .map(|index| {
            let length = choices.one_of(&[0, 1, 3, 12, 13, 40]);
            let mut bytes = choices.take(length).to_vec();
            bytes.extend_from_slice(index.to_string().as_bytes());
            bytes
        })
        .collect();
    (0..rows).map(|row| found[row * 7 % found.len()].clone()).collect()
}

fn list<O: OffsetSizeTrait>(
    choices: &mut Choices<'_>,
    field: &FieldRef,
    rows: usize,
    missing: Option<NullBuffer>,
) -> Option<ArrayRef> {
    let offsets = OffsetBuffer::<O>::from_lengths(lengths(choices, rows));
    let count = offsets.last()?.as_usize();
    let items = array(choices, field.data_type(), count, field.is_nullable())?;
    Some(Arc::new(GenericListArray::try_new(field.clone(), offsets, items, missing).ok()?))
}

fn list_view<O: OffsetSizeTrait>(
    choices: &mut Choices<'_>,
    field: &FieldRef,
    rows: usize,
    missing: Option<NullBuffer>,
) -> Option<ArrayRef> {
    let count = 4 + choices.below(rows + 1);
    let items = array(choices, field.data_type(), count, field.is_nullable())?;
    let sizes = lengths(choices, rows);
    let starts = fill(choices, rows);
    let offsets = starts
        .iter()
        .zip(&sizes)
        .map(|(start, size)| O::usize_as(usize::from(*start) % (count - size + 1)));
    let offsets: Vec<O> = offsets.collect();
    let sizes: Vec<O> = sizes.into_iter().map(O::usize_as).collect();
    let (offsets, sizes) = (offsets.into(), sizes.into());
    Some(Arc::new(
        GenericListViewArray::try_new(field.clone(), offsets, sizes, items, missing).ok()?,
    ))
}

fn structure(
    choices: &mut Choices<'_>,
    fields: &Fields,
    rows: usize,
    missing: Option<NullBuffer>,
) -> Option<ArrayRef> {
    let columns =
        fields.iter().map(|field| array(choices, field.data_type(), rows, field.is_nullable()));
    let columns = columns.collect::<Option<Vec<_>>>()?;
    Some(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, missing, rows).ok()?))
}

fn dictionary<K: arrow::datatypes::ArrowDictionaryKeyType>(
    choices: &mut Choices<'_>,
    values: ArrayRef,
    rows: usize,
    missing: Option<NullBuffer>,
    key: impl Fn(usize) -> K::Native,
) -> Option<ArrayRef> {
    let count = values.len();
    let keys = fill(choices, rows).into_iter().map(|byte| key(usize::from(byte) % count));
    let keys = PrimitiveArray::<K>::new(keys.collect::<Vec<_>>().into(), missing);
    Some(Arc::new(DictionaryArray::try_new(keys, values).ok()?))
}
