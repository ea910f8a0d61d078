//! What of a file is read: stripes, rows of them, columns; and the reading of one job.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, SchemaRef};
use chrono::TimeZone;
use orc_rust::ArrowSchemaOptions;
use orc_rust::array_decoder::NaiveStripeDecoder;
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::metadata::{FileMetadata, read_metadata};
use orc_rust::schema::{DataType, RootDataType, TimestampPrecision};
use orc_rust::statistics::{ColumnStatistics, TypeStatistics};
use orc_rust::stripe::Stripe;

use super::super::columnar::{self, Between, Bounds, InFile, Span, Units, check_rows, spans};
use super::super::select;
use super::blocks::Codec;
use super::streams::{Source, check_stripe};
use super::times::{TimeColumn, rewritten};
use super::{UNRELEASED_VERSION, is_far, orc_error, unread, zones};
use crate::context::Context;
use crate::error::Result;
use crate::report::{Code, Issue, Stage};

/// What of a file is read.
#[derive(Debug)]
pub(super) struct Plan {
    source: Source,
    codec: Codec,
    metadata: FileMetadata,
    schema: SchemaRef,
    /// The columns wanted, by their places at the top level.
    roots: Vec<usize>,
    spans: Vec<Span>,
    bounds: Bounds,
    precision: TimestampPrecision,
}

impl Plan {
    pub fn new(
        mut source: Source,
        codec: Codec,
        bounds: Bounds,
        context: &mut Context<'_>,
    ) -> Result<Self> {
        let metadata = read_metadata(&mut source).map_err(orc_error)?;
        let version = metadata.file_format_version();
        if version == UNRELEASED_VERSION {
            return Err(unread(&format!("of the unreleased version {version}")));
        }
        let columns = metadata.root_data_type().children();
        let names: Vec<String> = columns.iter().map(|column| column.name().to_owned()).collect();
        if names.len() > bounds.limits.columns {
            let message =
                format!("got {} columns, allowed are {}", names.len(), bounds.limits.columns);
            return Err(Issue::limit(Code::TooManyColumns, message, "columns").into());
        }
        let mut roots: Vec<usize> = match select::wanted_columns(&names, context)? {
            Some(wanted) => wanted.into_iter().collect(),
            None => (0..names.len()).collect(),
        };
        roots.sort_unstable();
        let stripes = metadata.stripe_metadatas();
        let units: Vec<usize> = match &context.parser().stripes {
            None => (0..stripes.len()).collect(),
            Some(wanted) => {
                let count = stripes.len() as u64;
                if let Some(missing) = wanted.iter().find(|stripe| **stripe >= count) {
                    let message = format!("stripes names stripe {missing}, the file has {count}");
                    return Err(Issue::error(Stage::Parse, Code::BadOption, message).into());
                }
                wanted.iter().map(|stripe| *stripe as usize).collect()
            }
        };
        let all = stripes.iter().map(|stripe| stripe.number_of_rows());
        let all = all.fold(0, u64::saturating_add);
        if all != metadata.number_of_rows() {
            let claimed = metadata.number_of_rows();
            let message = format!("the stripes have {all} rows, the footer says {claimed}");
            let issue = Issue::warning(Stage::Parse, Code::WrongStatistics, message);
            context.reporter.push(issue);
        }
        let units: Vec<(usize, u64)> =
            units.iter().map(|unit| (*unit, stripes[*unit].number_of_rows())).collect();
        let skip = select::skipped_rows(context);
        let nrows = context.parser().nrows.unwrap_or(u64::MAX);
        let most = units.iter().map(|(_, rows)| *rows).fold(0, u64::saturating_add);
        check_rows(most.saturating_sub(skip).min(nrows), &bounds.limits)?;
        let spans = spans(&units, skip, nrows);
        let precision = TimestampPrecision::Nanosecond;
        let schema = schema(&metadata, metadata.root_data_type(), precision);
        let mut plan = Plan { source, codec, metadata, schema, roots, spans, bounds, precision };
        plan.set_precision(precision);
        Ok(plan)
    }

    pub fn set_precision(&mut self, precision: TimestampPrecision) {
        self.precision = precision;
        self.schema = schema(&self.metadata, &self.projected(&self.roots), precision);
    }

    fn projected(&self, roots: &[usize]) -> RootDataType {
        let root = self.metadata.root_data_type();
        let indices =
            roots.iter().map(|column| root.children()[*column].data_type().column_index());
        root.project(&ProjectionMask::roots(root, indices))
    }

    fn column(&self, column: usize) -> &DataType {
        self.metadata.root_data_type().children()[self.roots[column]].data_type()
    }

    /// Whether there are times that nanoseconds do not reach. Where the statistics do not say that there
    /// are none the columns are read: the type of a column hangs on no statistics of rows that
    /// are not read.
    pub fn has_far_times(&mut self) -> Result<bool> {
        const REACH: u64 = 9_223_372_036_854 - 2 * 86_400_000;
        let mut unknown = Vec::new();
        for (column, root) in self.roots.iter().enumerate() {
            let mut times = Vec::new();
            time_columns(self.column(column), &mut times);
            for (index, _) in times {
                let statistics = self.metadata.column_file_statistics().get(index);
                match statistics.and_then(ColumnStatistics::type_statistics) {
                    Some(TypeStatistics::Timestamp { min, max, min_utc, max_utc }) => {
                        let found = [min, max, min_utc, max_utc];
                        if found.iter().any(|time| time.unsigned_abs() > REACH) {
                            unknown.push(*root);
                        }
                    }
                    _ if statistics.is_some_and(is_all_null) => {}
                    _ => unknown.push(*root),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(false);
        }
        unknown.dedup();
        let (all, schema) = (std::mem::replace(&mut self.roots, unknown), self.schema.clone());
        self.set_precision(self.precision);
        let bounds = self.bounds.clone();
        let job = |span: &Span, columns: &[usize]| {
            let rows = columnar::BATCH_ROWS;
            columnar::read_job(self, span, columns, rows, &bounds, |(): &mut (), _| Ok(()))
        };
        let read = columnar::shared_out(self, &bounds, bounds.threads + 1, job, |_, _, _| Ok(true));
        (self.roots, self.schema) = (all, schema);
        match read {
            Err(error) if is_far(&error) => Ok(true),
            read => read.map(|()| false),
        }
    }

    /// Nulls of each column, as far as the statistics say.
    pub fn null_counts(&self) -> Vec<Option<u64>> {
        let of_span = |column: usize| move |span: &Span| self.claimed_nulls(span, column);
        let of_file = |column: usize| {
            let all: u64 = self.spans.iter().map(|span| span.rows as u64).sum();
            let index = self.column(column).column_index();
            let statistics = self.metadata.column_file_statistics().get(index)?;
            // Of all rows, or of none of it.
            let is_all = self.spans.len() == self.metadata.stripe_metadatas().len()
                && self.spans.iter().all(|span| span.whole);
            nulls(statistics, all).filter(|_| is_all)
        };
        let count = |column| {
            let by_stripe: Option<u64> = self.spans.iter().map(of_span(column)).sum();
            by_stripe.or_else(|| of_file(column))
        };
        (0..self.roots.len()).map(count).collect()
    }

    fn statistics(&self, span: &Span, column: usize) -> Option<&ColumnStatistics> {
        let stripe = self.metadata.stripe_metadatas().get(span.unit)?;
        stripe.column_statistics().get(self.column(column).column_index())
    }

    pub fn in_file(self, nulls: Vec<Option<u64>>) -> InFile<Plan> {
        InFile::new(self.bounds.clone(), self, nulls)
    }
}

fn schema(
    metadata: &FileMetadata,
    root: &RootDataType,
    precision: TimestampPrecision,
) -> SchemaRef {
    let of_user = metadata.user_custom_metadata().iter();
    let of_user: HashMap<String, String> = of_user
        .map(|(key, value)| (key.clone(), String::from_utf8_lossy(value).into_owned()))
        .collect();
    let options = ArrowSchemaOptions::new().with_timestamp_precision(precision);
    Arc::new(root.create_arrow_schema_with_options(&of_user, options))
}

/// The columns of times in a column, and whether they are by the writer's clock.
fn time_columns(column: &DataType, found: &mut Vec<(usize, bool)>) {
    match column {
        DataType::Timestamp { column_index } => found.push((*column_index, true)),
        DataType::TimestampWithLocalTimezone { column_index } => found.push((*column_index, false)),
        DataType::Struct { children, .. } => {
            children.iter().for_each(|child| time_columns(child.data_type(), found));
        }
        DataType::List { child, .. } => time_columns(child, found),
        DataType::Map { key, value, .. } => {
            time_columns(key, found);
            time_columns(value, found);
        }
        DataType::Union { variants, .. } => {
            variants.iter().for_each(|variant| time_columns(variant, found));
        }
        _ => {}
    }
}

/// All columns of times, and what each counts from.
fn times<Z: TimeZone>(root: &RootDataType, zone: Option<&Z>) -> Vec<TimeColumn> {
    /// The beginning of 2015.
    const EPOCH: i64 = 1_420_070_400;
    let local = zone.and_then(|zone| zone.with_ymd_and_hms(2015, 1, 1, 0, 0, 0).single());
    let local = local.map_or(EPOCH, |time| time.timestamp());
    let mut found = Vec::new();
    root.children().iter().for_each(|column| time_columns(column.data_type(), &mut found));
    let of = |(index, is_local)| TimeColumn { index, epoch: if is_local { local } else { EPOCH } };
    found.into_iter().map(of).collect()
}

fn is_all_null(statistics: &ColumnStatistics) -> bool {
    statistics.number_of_values() == 0 && statistics.has_null()
}

/// Old writers counted no values; that none of them is null and none is a value is no statement.
fn nulls(statistics: &ColumnStatistics, rows: u64) -> Option<u64> {
    let says = rows == 0 || statistics.number_of_values() > 0 || statistics.has_null();
    rows.checked_sub(statistics.number_of_values()).filter(|_| says)
}

impl Units for Plan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn spans(&self) -> &[Span] {
        &self.spans
    }

    fn bytes(&self, unit: usize) -> u64 {
        // A guess: what comes out is only known when it has.
        const INFLATION: u64 = 4;
        let stripe = &self.metadata.stripe_metadatas()[unit];
        let share = (self.roots.len() as u64).max(1);
        let of = (self.metadata.root_data_type().children().len() as u64).max(1);
        let length = stripe.data_length().min(self.bounds.input);
        let factor = if self.metadata.compression().is_some() { INFLATION } else { 1 };
        length.saturating_mul(factor).saturating_mul(share) / of
    }

    fn weight(&self, column: usize) -> u64 {
        let rows = self.metadata.number_of_rows();
        let column = self.column(column);
        let statistics = self.metadata.column_file_statistics().get(column.column_index());
        let of_texts = match statistics.and_then(ColumnStatistics::type_statistics) {
            Some(TypeStatistics::String { sum, .. } | TypeStatistics::Binary { sum }) => {
                u64::try_from(*sum).unwrap_or_default()
            }
            _ => 0,
        };
        let of_value = match column {
            DataType::Boolean { .. } | DataType::Byte { .. } => 2,
            DataType::Timestamp { .. } | DataType::Decimal { .. } => 24,
            DataType::Struct { .. }
            | DataType::List { .. }
            | DataType::Map { .. }
            | DataType::Union { .. } => 64,
            _ => 8,
        };
        rows.saturating_mul(of_value).saturating_add(of_texts)
    }

    fn claimed_nulls(&self, span: &Span, column: usize) -> Option<u64> {
        nulls(self.statistics(span, column)?, span.rows as u64).filter(|_| span.whole)
    }

    fn claimed_bounds(&self, span: &Span, column: usize) -> Option<Between> {
        let (least, most): (ArrayRef, ArrayRef) = match self
            .statistics(span, column)?
            .type_statistics()?
        {
            TypeStatistics::Integer { min, max, .. } => {
                (Arc::new(Int64Array::from(vec![*min])), Arc::new(Int64Array::from(vec![*max])))
            }
            TypeStatistics::Double { min, max, .. } => {
                (Arc::new(Float64Array::from(vec![*min])), Arc::new(Float64Array::from(vec![*max])))
            }
            TypeStatistics::Date { min, max } => {
                (Arc::new(Date32Array::from(vec![*min])), Arc::new(Date32Array::from(vec![*max])))
            }
            TypeStatistics::String { lower_bound, upper_bound, .. } if !upper_bound.is_empty() => (
                Arc::new(StringArray::from(vec![lower_bound.as_str()])),
                Arc::new(StringArray::from(vec![upper_bound.as_str()])),
            ),
            _ => return None,
        };
        let kind = self.schema.field(column).data_type();
        let is_same = kind == least.data_type()
            || (kind.is_integer() && least.data_type() == &ArrowType::Int64)
            || (kind.is_floating() && least.data_type() == &ArrowType::Float64);
        // Infinite bounds stand for none.
        let (least, most) = (cast(&least, kind).ok()?, cast(&most, kind).ok()?);
        Between::new(least, most).filter(|_| is_same)
    }

    fn read(
        &self,
        span: &Span,
        columns: &[usize],
        batch_rows: usize,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<u64> {
        let roots: Vec<usize> = columns.iter().map(|column| self.roots[*column]).collect();
        let root = self.projected(&roots);
        let info = &self.metadata.stripe_metadatas()[span.unit];
        let inflated =
            check_stripe(&self.source, &self.metadata, self.codec, info, &root, &self.bounds)?;
        let mut source = self.source.clone();
        let mut stripe =
            Stripe::new(&mut source, &self.metadata, &root, info).map_err(orc_error)?;
        let zone = stripe.writer_tz();
        let times = times(&root, zone.as_ref());
        let in_microseconds = self.precision == TimestampPrecision::Microsecond;
        let rewritten =
            rewritten(&self.source, &self.metadata, info, &root, &times, in_microseconds)?;
        if let Some((mut source, info)) = rewritten {
            stripe = Stripe::new(&mut source, &self.metadata, &root, &info).map_err(orc_error)?;
        }
        let schema = schema(&self.metadata, &root, self.precision);
        let batch_rows = batch_rows.min(span.rows.max(1));
        let batches = NaiveStripeDecoder::new(stripe, schema.clone(), batch_rows);
        let (mut skip, mut left) = (span.offset, span.rows);
        for batch in batches.map_err(orc_error)? {
            let batch = batch.map_err(orc_error)?;
            let start = skip.min(batch.num_rows());
            let length = left.min(batch.num_rows() - start);
            skip -= start;
            left -= length;
            if length > 0 {
                let batch = columnar::renamed(batch.slice(start, length), &schema)?;
                let batch = match &zone {
                    Some(zone) => zones::corrected(batch, zone)?,
                    None => batch,
                };
                if !take(batch)? {
                    break;
                }
            }
            if left == 0 {
                break;
            }
        }
        Ok(inflated)
    }
}
