//! Times after 2099 in zones with summer time.
//!
//! ORC stores times by the writer's clock, and the rules that turn them back are listed to the end of
//! 2099 only: behind it there would be no summer time. The calendar repeats: a year that has the same
//! weekdays has the same rules, as long as the last rules known go on.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayData, ArrayRef, AsArray, PrimitiveArray, RecordBatch, RecordBatchOptions,
    make_array,
};
use arrow::datatypes::{
    ArrowTimestampType, DataType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};
use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone};

use super::super::columnar::arrow_error;
use crate::error::Result;

/// The last year with rules of its own.
const LAST_YEAR: i32 = 2099;
/// The first moment of 2100, less a day: seconds.
const FAR: i64 = 4_102_444_800 - 86_400;

/// The same batch, its far times by the rules of the last year known.
pub(super) fn corrected<Z: TimeZone>(batch: RecordBatch, zone: &Z) -> Result<RecordBatch> {
    if !batch.columns().iter().any(|column| has_far(&column.to_data())) {
        return Ok(batch);
    }
    let columns = batch.columns().iter().map(|column| array(column.to_data(), zone));
    let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), columns, &options).map_err(arrow_error)
}

fn unit(data_type: &DataType) -> Option<i64> {
    match data_type {
        DataType::Timestamp(TimeUnit::Nanosecond, None) => Some(1_000_000_000),
        DataType::Timestamp(TimeUnit::Microsecond, None) => Some(1_000_000),
        _ => None,
    }
}

fn has_far(data: &ArrayData) -> bool {
    match unit(data.data_type()) {
        Some(unit) => data.buffer::<i64>(0)[..data.len()].iter().any(|time| *time >= FAR * unit),
        None => data.child_data().iter().any(has_far),
    }
}

fn array<Z: TimeZone>(data: ArrayData, zone: &Z) -> Result<ArrayRef> {
    if !has_far(&data) {
        return Ok(make_array(data));
    }
    match data.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, None) => {
            Ok(times::<TimestampNanosecondType, Z>(&make_array(data), 1_000_000_000, zone))
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            Ok(times::<TimestampMicrosecondType, Z>(&make_array(data), 1_000_000, zone))
        }
        _ => {
            let children = data.child_data().iter();
            let children = children.map(|child| Ok(array(child.clone(), zone)?.to_data()));
            let children = children.collect::<Result<Vec<ArrayData>>>()?;
            let whole = data.into_builder().child_data(children).build().map_err(arrow_error)?;
            Ok(make_array(whole))
        }
    }
}

fn times<T: ArrowTimestampType, Z: TimeZone>(array: &ArrayRef, unit: i64, zone: &Z) -> ArrayRef {
    let values: &PrimitiveArray<T> = array.as_primitive();
    Arc::new(values.unary::<_, T>(|time| {
        let shift = if time >= FAR * unit { shift(time.div_euclid(unit), zone) } else { 0 };
        time.saturating_add(shift * unit)
    }))
}

/// Seconds to add to a time of the writer's clock that was made without summer time.
fn shift<Z: TimeZone>(local: i64, zone: &Z) -> i64 {
    let offset = |seconds: i64| {
        let moment = DateTime::from_timestamp(seconds, 0)?;
        Some(i64::from(zone.offset_from_utc_datetime(&moment.naive_utc()).fix().local_minus_utc()))
    };
    let found = || {
        // The clock of the crate: the moment and its offset from UTC, as listed.
        let moment = local - offset(local - offset(local)?)?;
        let listed = offset(moment)?;
        let date = DateTime::from_timestamp(moment, 0)?;
        if date.year() <= LAST_YEAR {
            return Some(0);
        }
        let like = (0..28).map(|back| LAST_YEAR - back).find(|year| is_like(*year, date.year()))?;
        let same = date.with_year(like)?;
        Some(offset(same.timestamp())? - listed)
    };
    found().unwrap_or_default()
}

/// Whether two years have the same days on the same weekdays.
fn is_like(year: i32, other: i32) -> bool {
    let ends = |year| {
        let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
        Some((first.weekday(), NaiveDate::from_ymd_opt(year, 12, 31)?.weekday()))
    };
    ends(year) == ends(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_of_the_same_weekdays_are_found_for_every_year() {
        for year in 2100..2600 {
            assert!((2072..=LAST_YEAR).any(|known| is_like(known, year)), "{year}");
        }
        assert!(!is_like(2096, 2100));
    }

    #[test]
    fn nothing_is_shifted_where_the_clock_stays() {
        assert_eq!(shift(FAR + 200 * 86_400, &chrono::Utc), 0);
    }
}
