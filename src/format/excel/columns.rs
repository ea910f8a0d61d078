//! Columns of cells to Arrow arrays: one type for all rows of a column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, DurationMicrosecondBuilder, Float64Builder,
    Int64Builder, NullArray, RecordBatch, RecordBatchOptions, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema};
use calamine::{Data, ExcelDateTime};
use chrono::{NaiveDate, NaiveDateTime, Timelike};

use super::grid::Grid;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::format::RawTable;
use crate::format::csv::bad_value;
use crate::infer::{Rules, TextColumn, convert, infer};
use crate::report::{Code, Issue, Stage};

/// The typed table of a sheet.
pub(super) fn table(sheet: &str, grid: Grid, context: &mut Context<'_>) -> Result<RawTable> {
    crate::format::select::check_named_columns(&grid.names, context)?;
    let wanted = crate::format::select::wanted_columns(&grid.names, context)?;
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (index, (name, mut cells)) in grid.names.iter().zip(grid.columns).enumerate() {
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&index)) {
            continue;
        }
        let place = Place {
            sheet,
            name,
            names: &grid.names,
            index,
            first_row: grid.first_row,
            column: grid.first_column + index as u32,
        };
        take_errors(&mut cells, &place, context);
        let array = column(&cells, grid.rows as usize, &place, context)?;
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let options = RecordBatchOptions::new().with_row_count(Some(grid.rows as usize));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
        .map_err(|error| Issue::error(Stage::Parse, Code::Corrupt, error.to_string()))?;
    Ok(RawTable::new(Some(sheet.to_owned()), schema, vec![batch]))
}

struct Place<'a> {
    sheet: &'a str,
    name: &'a str,
    names: &'a [String],
    index: usize,
    first_row: u32,
    column: u32,
}

impl Place<'_> {
    /// The cell as Excel names it: `Sheet1!C7`.
    fn cell(&self, row: u32) -> String {
        let mut letters = Vec::new();
        let mut column = self.column + 1;
        while column > 0 {
            letters.push(char::from(b'A' + ((column - 1) % 26) as u8));
            column = (column - 1) / 26;
        }
        let letters: String = letters.into_iter().rev().collect();
        format!("{}!{letters}{}", self.sheet, u64::from(self.first_row) + u64::from(row) + 1)
    }
}

/// Cells such as `#DIV/0!` have no value: they are null, and each is reported.
fn take_errors(cells: &mut Vec<(u32, Data)>, place: &Place<'_>, context: &mut Context<'_>) {
    cells.retain(|(row, value)| {
        let Data::Error(error) = value else { return true };
        let message = format!("cell {} holds the error {error}, read as null", place.cell(*row));
        context.reporter.push(
            Issue::warning(Stage::Parse, Code::CellError, message)
                .table(place.sheet)
                .row(u64::from(*row) + 1)
                .column(place.name)
                .raw(error.to_string().as_bytes()),
        );
        false
    });
}

/// What all values of a column have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Nothing,
    Whole,
    Float,
    Bool,
    Date,
    Stamp,
    Time,
    Duration,
    Text,
}

fn kind_of(value: &Data) -> Kind {
    match value {
        // A text of nothing, which formulas leave, is null in a column of values.
        Data::String(text) if text.is_empty() => Kind::Nothing,
        Data::Int(_) => Kind::Whole,
        // Excel stores whole numbers as floats; up to 2⁵³ they are exact.
        Data::Float(number) if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 => {
            if *number == 0.0 && number.is_sign_negative() {
                Kind::Float
            } else {
                Kind::Whole
            }
        }
        Data::Float(_) => Kind::Float,
        Data::Bool(_) => Kind::Bool,
        Data::DateTime(moment) if moment.is_duration() => Kind::Duration,
        // What rounds up to midnight is the next day's.
        Data::DateTime(moment) if (0.0..1.0).contains(&moment.as_f64()) => match micros_of(value) {
            Some(86_400_000_000..) => Kind::Stamp,
            _ => Kind::Time,
        },
        Data::DateTime(_) | Data::DateTimeIso(_) => match stamp_of(value) {
            Some(stamp) if stamp.num_seconds_from_midnight() == 0 && stamp.nanosecond() == 0 => {
                Kind::Date
            }
            Some(_) => Kind::Stamp,
            None => Kind::Text,
        },
        _ => Kind::Text,
    }
}

fn join(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (Kind::Nothing, other) | (other, Kind::Nothing) => other,
        _ if a == b => a,
        (Kind::Whole, Kind::Float) | (Kind::Float, Kind::Whole) => Kind::Float,
        (Kind::Date, Kind::Stamp) | (Kind::Stamp, Kind::Date) => Kind::Stamp,
        _ => Kind::Text,
    }
}

fn column(
    cells: &[(u32, Data)],
    rows: usize,
    place: &Place<'_>,
    context: &mut Context<'_>,
) -> Result<ArrayRef> {
    let rules = Rules::for_strings(context.parser(), place.names);
    let rules = rules.column(place.name, place.index);
    let kind = cells.iter().map(|(_, value)| kind_of(value)).fold(Kind::Nothing, join);
    let kind = if kind == Kind::Nothing && !cells.is_empty() { Kind::Text } else { kind };
    let asked = rules.forced.is_some()
        || rules.has_null_texts()
        || kind == Kind::Text && (rules.wants_dates() || rules.has_boolean_texts());
    if asked {
        return from_text(cells, rows, &rules, place);
    }
    if kind == Kind::Text {
        note_mixed(cells, place, context);
    }
    let mut cells = cells.iter().peekable();
    let values = (0..rows as u32)
        .map(move |row| cells.next_if(|(at, _)| *at == row).map(|(_, value)| value));
    Ok(build(kind, values, rows))
}

fn build<'a>(kind: Kind, values: impl Iterator<Item = Option<&'a Data>>, rows: usize) -> ArrayRef {
    macro_rules! fill {
        ($builder:expr, $value:expr) => {{
            let mut builder = $builder;
            values.for_each(|cell| builder.append_option(cell.and_then($value)));
            Arc::new(builder.finish())
        }};
    }
    match kind {
        Kind::Nothing => Arc::new(NullArray::new(rows)),
        Kind::Whole => fill!(Int64Builder::with_capacity(rows), |value: &Data| match value {
            Data::Int(number) => Some(*number),
            Data::Float(number) => Some(*number as i64),
            _ => None,
        }),
        Kind::Float => fill!(Float64Builder::with_capacity(rows), |value: &Data| match value {
            Data::Int(number) => Some(*number as f64),
            Data::Float(number) => Some(*number),
            _ => None,
        }),
        Kind::Bool => fill!(BooleanBuilder::with_capacity(rows), |value: &Data| match value {
            Data::Bool(flag) => Some(*flag),
            _ => None,
        }),
        Kind::Date => fill!(Date32Builder::with_capacity(rows), |value: &Data| {
            let days = stamp_of(value)?.date().signed_duration_since(NaiveDate::default());
            Some(days.num_days() as i32)
        }),
        Kind::Stamp => fill!(TimestampMicrosecondBuilder::with_capacity(rows), |value: &Data| {
            Some(stamp_of(value)?.and_utc().timestamp_micros())
        }),
        Kind::Time => fill!(Time64MicrosecondBuilder::with_capacity(rows), |value: &Data| {
            micros_of(value)
        }),
        Kind::Duration => fill!(DurationMicrosecondBuilder::with_capacity(rows), |value: &Data| {
            micros_of(value)
        }),
        Kind::Text => {
            fill!(StringBuilder::new(), |value: &Data| Some(text_of(value)))
        }
    }
}

/// Times and durations are days; Excel keeps milliseconds.
fn micros_of(value: &Data) -> Option<i64> {
    match value {
        Data::DateTime(moment) => Some((moment.as_f64() * 86_400_000.0).round() as i64 * 1000),
        _ => None,
    }
}

fn stamp_of(value: &Data) -> Option<NaiveDateTime> {
    match value {
        Data::DateTime(moment) => from_serial(moment),
        Data::DateTimeIso(text) => {
            let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
            formats
                .iter()
                .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
                .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
        }
        _ => None,
    }
}

fn from_serial(moment: &ExcelDateTime) -> Option<NaiveDateTime> {
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    // Outside of Excel's calendar calamine gives its edge; such a number is no date.
    if !(0.0..2_958_466.0).contains(&moment.as_f64()) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())?.and_hms_milli_opt(
        hour.into(),
        minute.into(),
        second.into(),
        milli.into(),
    )
}

/// The value as Excel would show it without a format.
pub(super) fn text_of(value: &Data) -> String {
    match value {
        Data::Bool(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
        Data::DateTime(moment) => {
            let time = |micros: i64| {
                let (sign, micros) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
                let (seconds, millis) = (micros / 1_000_000, micros / 1000 % 1000);
                let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
                let fraction = if millis > 0 { format!(".{millis:03}") } else { String::new() };
                format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
            };
            match (kind_of(value), from_serial(moment)) {
                (Kind::Time | Kind::Duration, _) => time(micros_of(value).unwrap_or_default()),
                (Kind::Date, Some(stamp)) => stamp.date().to_string(),
                (_, Some(stamp)) => stamp.to_string(),
                (_, None) => moment.as_f64().to_string(),
            }
        }
        other => other.to_string(),
    }
}

/// Through text, because an option asks for a type, for null texts or for dates.
fn from_text(
    cells: &[(u32, Data)],
    rows: usize,
    rules: &crate::infer::ColumnRules,
    place: &Place<'_>,
) -> Result<ArrayRef> {
    let mut texts = TextColumn::default();
    for (row, value) in cells {
        texts.pad_to(*row as usize);
        texts.push(text_of(value).as_bytes(), true);
    }
    texts.pad_to(rows);
    let mut inferred = infer([&texts], rules);
    let is_text = cells.iter().all(|(_, value)| matches!(value, Data::String(_)));
    let keeps = inferred.data_type.is_temporal() || inferred.data_type == DataType::Boolean;
    if rules.forced.is_none() && is_text && !keeps {
        // Text cells that merely look like numbers stay text.
        inferred.data_type = DataType::Utf8;
        inferred.na_is_null = false;
    }
    let mut first_bad: Option<Error> = None;
    let array = convert(&texts, &inferred, rules, &mut |bad| {
        first_bad.get_or_insert_with(|| {
            let row = bad.row as u64 + 1;
            let issue = bad_value(place.name, &inferred.data_type, row, &bad.text);
            let message = format!("{} (cell {})", issue.message, place.cell(bad.row as u32));
            Issue { message, ..issue }.table(place.sheet).into()
        });
    });
    first_bad.map_or(Ok(array), Err)
}

fn note_mixed(cells: &[(u32, Data)], place: &Place<'_>, context: &mut Context<'_>) {
    let Some((row, value)) = cells.iter().find(|(_, v)| !matches!(v, Data::String(_))) else {
        return;
    };
    let has_text = cells.iter().any(|(_, value)| matches!(value, Data::String(_)));
    let message = format!(
        "column {:?} has values of several kinds and is kept as text{}",
        place.name,
        if has_text {
            format!("; cell {} is the first that is no text", place.cell(*row))
        } else {
            String::new()
        }
    );
    context.reporter.push(
        Issue::warning(Stage::Parse, Code::MixedTypes, message)
            .table(place.sheet)
            .row(u64::from(*row) + 1)
            .column(place.name)
            .raw(text_of(value).as_bytes()),
    );
}
