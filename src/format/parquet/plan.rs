//! What of a file is read: row groups, rows of them, columns; and the reading of one job.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, IntervalUnit, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    statistics::StatisticsConverter,
};
use parquet::basic::{ConvertedType, Type};
use parquet::file::metadata::{KeyValue, RowGroupMetaData};

use super::super::columnar::{self, Between, Bounds, InFile, Span, Units, spans};
use super::{arrow_error, check_rows, leaves, pages, parquet_error, select};
use crate::context::Context;
use crate::error::Result;
use crate::report::{Code, Issue, Stage};

/// Under this name a footer has the schema of who wrote it.
const ARROW_SCHEMA: &str = "ARROW:schema";
/// Rows of a batch of a small row group, which may have more than it says.
const LEAST_ROWS: usize = 1 << 10;

/// What of a file is read.
#[derive(Debug)]
pub(super) struct Plan {
    bytes: Bytes,
    metadata: ArrowReaderMetadata,
    schema: SchemaRef,
    /// The columns wanted, by their places at the top level.
    roots: Vec<usize>,
    spans: Vec<Span>,
    bounds: Bounds,
    /// The same file with the months of its intervals, if it has such.
    months: Option<ArrowReaderMetadata>,
}

impl Plan {
    pub fn new(
        bytes: Bytes,
        metadata: ArrowReaderMetadata,
        bounds: Bounds,
        context: &mut Context<'_>,
    ) -> Result<Self> {
        let fields = metadata.schema().fields();
        let columns = fields.len() as u64;
        if columns > bounds.limits.columns as u64 {
            let message = format!("got {columns} columns, allowed are {}", bounds.limits.columns);
            return Err(Issue::limit(Code::TooManyColumns, message, "columns").into());
        }
        let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        let mut roots: Vec<usize> = match select::wanted_columns(&names, context)? {
            Some(wanted) => wanted.into_iter().collect(),
            None => (0..names.len()).collect(),
        };
        roots.sort_unstable();
        let found = metadata.metadata();
        let units: Vec<usize> = match &context.parser().row_groups {
            None => (0..found.num_row_groups()).collect(),
            Some(groups) => {
                let count = found.num_row_groups() as u64;
                if let Some(missing) = groups.iter().find(|group| **group >= count) {
                    let message = format!("row_groups names group {missing}, the file has {count}");
                    return Err(Issue::error(Stage::Parse, Code::BadOption, message).into());
                }
                groups.iter().map(|group| *group as usize).collect()
            }
        };
        let rows = |unit: &usize| (*unit, found.row_group(*unit).num_rows().max(0) as u64);
        let units: Vec<(usize, u64)> = units.iter().map(rows).collect();
        let skip = select::skipped_rows(context);
        let spans = spans(&units, skip, context.parser().nrows.unwrap_or(u64::MAX));
        check_rows(spans.iter().map(|span| span.rows as u64).sum(), &bounds.limits)?;
        let schema = Schema::empty().into();
        let mut plan = Plan { bytes, metadata, schema, roots, spans, bounds, months: None };
        plan.schema = plan.read_schema()?;
        plan.in_microseconds(context)?;
        plan.find_intervals()?;
        Ok(plan)
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The only leaf of a column, as the file numbers it; `None` for nested ones.
    fn leaf(&self, column: usize) -> Option<usize> {
        let file = self.metadata.parquet_schema();
        let mut leaves = (0..file.num_columns())
            .filter(|leaf| file.get_column_root_idx(*leaf) == self.roots[column]);
        let leaf = leaves.next()?;
        let is_flat = file.column(leaf).path().parts().len() == 1;
        (is_flat && file.column(leaf).max_rep_level() == 0).then_some(leaf)
    }

    /// The schema as batches have it, which is without the file's own metadata.
    fn read_schema(&self) -> Result<SchemaRef> {
        let reader = self.builder(&self.roots).with_row_groups(Vec::new()).build();
        let mut schema = None;
        if let Ok(reader) = reader {
            schema = Some(arrow::array::RecordBatchReader::schema(&reader));
        }
        let schema = match schema {
            Some(schema) => schema,
            None => {
                self.metadata.schema().project(&self.roots).map(Arc::new).map_err(arrow_error)?
            }
        };
        if self.months.is_none() {
            return Ok(schema);
        }
        Ok(Arc::new(leaves::mapped(&schema, |_, data_type| match data_type {
            DataType::Interval(_) => DataType::Interval(IntervalUnit::MonthDayNano),
            other => other.clone(),
        })))
    }

    fn builder(&self, roots: &[usize]) -> ParquetRecordBatchReaderBuilder<Bytes> {
        self.builder_of(&self.metadata, roots)
    }

    fn builder_of(
        &self,
        metadata: &ArrowReaderMetadata,
        roots: &[usize],
    ) -> ParquetRecordBatchReaderBuilder<Bytes> {
        let metadata = metadata.clone();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.iter().copied());
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), metadata)
            .with_projection(mask)
    }

    /// The old 96-bit times have nanoseconds and reach further than 64 bits of them do: a column with
    /// one that is too far away is read in microseconds. Nothing but the values tells.
    fn in_microseconds(&mut self, context: &mut Context<'_>) -> Result<()> {
        let file = self.metadata.parquet_schema();
        let is_old: Vec<bool> = (0..file.num_columns())
            .map(|leaf| file.column(leaf).physical_type() == Type::INT96)
            .collect();
        let roots = (0..file.num_columns()).filter(|leaf| is_old[*leaf]);
        let mut roots: Vec<usize> = roots.map(|leaf| file.get_column_root_idx(leaf)).collect();
        roots.dedup();
        roots.retain(|root| self.roots.contains(root));
        if roots.is_empty() {
            return Ok(());
        }
        let wide = self.widened(&is_old)?;
        let all = std::mem::replace(&mut self.roots, roots);
        let narrow = std::mem::replace(&mut self.metadata, wide);
        self.schema = self.read_schema()?;
        let mut is_far = vec![false; is_old.len()];
        let bounds = self.bounds.clone();
        let job = |span: &Span, columns: &[usize]| {
            let leaves = self.leaves_of(columns);
            columnar::read_job(self, span, columns, columnar::BATCH_ROWS, &bounds, |far, batch| {
                leaves::note_far(&batch, &leaves, far);
                Ok(())
            })
        };
        let read = columnar::shared_out(self, &bounds, bounds.threads + 1, job, |_, _, parts| {
            let found = parts.iter().flat_map(|part: &columnar::Read<Vec<usize>>| &part.found);
            found.for_each(|leaf| is_far[*leaf] |= is_old[*leaf]);
            Ok(true)
        });
        self.roots = all;
        self.metadata = narrow;
        // What cannot be decoded is said when the rows are read.
        if read.is_ok() && is_far.contains(&true) {
            self.metadata = self.widened(&is_far)?;
            let file = self.metadata.parquet_schema();
            let mut columns: Vec<usize> = (0..is_far.len())
                .filter(|leaf| is_far[*leaf])
                .map(|leaf| file.get_column_root_idx(leaf))
                .collect();
            columns.dedup();
            for column in columns {
                let message =
                    "times beyond 1677 to 2262 are read in microseconds, finer digits are cut";
                let issue = Issue::warning(Stage::Parse, Code::TimePrecision, message);
                let name = self.metadata.schema().field(column).name();
                context.reporter.push(issue.column(name));
            }
        }
        self.schema = self.read_schema()?;
        Ok(())
    }

    /// The same with some leaves' times in microseconds.
    fn widened(&self, leaves: &[bool]) -> Result<ArrowReaderMetadata> {
        let schema = leaves::mapped(self.metadata.schema(), |leaf, data_type| match data_type {
            DataType::Timestamp(TimeUnit::Nanosecond, zone) if leaves[leaf] => {
                DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
            }
            other => other.clone(),
        });
        self.with_types(schema)
    }

    fn with_types(&self, schema: Schema) -> Result<ArrowReaderMetadata> {
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        ArrowReaderMetadata::try_new(self.metadata.metadata().clone(), options)
            .map_err(parquet_error)
    }

    /// The leaves of some columns, in order, as the file numbers them.
    fn leaves_of(&self, columns: &[usize]) -> Vec<usize> {
        let file = self.metadata.parquet_schema();
        let is_of = |leaf: &usize| {
            let root = file.get_column_root_idx(*leaf);
            columns.iter().any(|column| self.roots[*column] == root)
        };
        (0..file.num_columns()).filter(is_of).collect()
    }

    /// An interval of the file has months, days and milliseconds; the crate gives the months or the rest.
    /// Both are read and put together.
    fn find_intervals(&mut self) -> Result<()> {
        let file = self.metadata.metadata().file_metadata();
        let has_types = |values: &Vec<KeyValue>| values.iter().any(|v| v.key == ARROW_SCHEMA);
        let is_interval = |leaf| {
            let column = file.schema_descr().column(leaf);
            column.converted_type() == ConvertedType::INTERVAL
        };
        // Who wrote a schema of Arrow knows which of them there is.
        if file.key_value_metadata().is_some_and(has_types)
            || !(0..file.schema_descr().num_columns()).any(is_interval)
        {
            return Ok(());
        }
        let schema = leaves::mapped(self.metadata.schema(), |_, data_type| match data_type {
            DataType::Interval(_) => DataType::Interval(IntervalUnit::YearMonth),
            other => other.clone(),
        });
        self.months = Some(self.with_types(schema)?);
        self.schema = self.read_schema()?;
        Ok(())
    }

    /// Nulls of each column, as far as the footer says: of all rows, and of columns that are not nested.
    pub fn null_counts(&self) -> Vec<Option<u64>> {
        let of_span = |column: usize| {
            move |span: &Span| self.claimed_nulls(span, column).filter(|n| *n <= span.rows as u64)
        };
        let count = |column| self.spans.iter().map(of_span(column)).sum();
        (0..self.roots.len()).map(count).collect()
    }

    pub fn in_file(self, nulls: Vec<Option<u64>>) -> InFile<Plan> {
        InFile::new(self.bounds.clone(), self, nulls)
    }

    fn has_intervals(&self, columns: &[usize]) -> bool {
        columns.iter().any(|column| {
            let mut is_one = false;
            leaves::each(self.schema.field(*column).data_type(), &mut |data_type| {
                is_one |= matches!(data_type, DataType::Interval(_));
            });
            is_one
        })
    }

    /// Where a column of a row group is: pages are looked through before they are inflated.
    fn check_pages(&self, group: &RowGroupMetaData, roots: &[usize]) -> Result<u64> {
        let file = self.metadata.parquet_schema();
        let (mut inflated, mut summed) = (0, 0);
        for leaf in 0..file.num_columns() {
            if roots.binary_search(&file.get_column_root_idx(leaf)).is_ok() {
                let column = group.columns().get(leaf);
                let Some(column) = column else {
                    let message = format!("a row group has no column {leaf}");
                    return Err(Issue::error(Stage::Parse, Code::Corrupt, message).into());
                };
                inflated += pages::check(&self.bytes, column, &self.bounds, &mut summed)?;
            }
        }
        Ok(inflated)
    }
}

impl Units for Plan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn spans(&self) -> &[Span] {
        &self.spans
    }

    fn bytes(&self, unit: usize) -> u64 {
        let file = self.metadata.parquet_schema();
        let group = self.metadata.metadata().row_group(unit);
        let columns = group.columns().iter().enumerate().filter(|(leaf, _)| {
            *leaf < file.num_columns()
                && self.roots.binary_search(&file.get_column_root_idx(*leaf)).is_ok()
        });
        columns.map(|(_, column)| column.uncompressed_size().max(0) as u64).sum()
    }

    fn weight(&self, column: usize) -> u64 {
        let file = self.metadata.parquet_schema();
        let groups = self.metadata.metadata().row_groups();
        let leaves =
            (0..file.num_columns()).filter(|l| file.get_column_root_idx(*l) == self.roots[column]);
        let weight = |leaf: usize| {
            let of_value = match file.column(leaf).physical_type() {
                Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => 16,
                _ => 4,
            };
            let of_group = |group: &RowGroupMetaData| {
                let column = group.columns().get(leaf)?;
                let values = (column.num_values().max(0) as u64).saturating_mul(of_value);
                Some(values.saturating_add(column.uncompressed_size().max(0) as u64))
            };
            groups.iter().filter_map(of_group).fold(0, u64::saturating_add)
        };
        leaves.map(weight).fold(0, u64::saturating_add)
    }

    fn claimed_nulls(&self, span: &Span, column: usize) -> Option<u64> {
        let leaf = self.leaf(column)?;
        if self.metadata.parquet_schema().column(leaf).max_def_level() == 0 {
            return Some(0);
        }
        let group = self.metadata.metadata().row_group(span.unit);
        let nulls = group.columns().get(leaf)?.statistics()?.null_count_opt()?;
        span.whole.then_some(nulls)
    }

    fn claimed_bounds(&self, span: &Span, column: usize) -> Option<Between> {
        let leaf = self.leaf(column)?;
        let group = self.metadata.metadata().row_group(span.unit);
        // How the old bounds of texts were compared was never settled.
        if group.columns().get(leaf)?.statistics()?.is_min_max_deprecated() {
            return None;
        }
        let field = self.schema.field(column);
        let is_text = matches!(
            field.data_type(),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary
        );
        if !field.data_type().is_primitive() && !is_text {
            return None;
        }
        let parquet = self.metadata.parquet_schema();
        let converter = StatisticsConverter::try_new(field.name(), &self.schema, parquet).ok()?;
        // Two columns of one name: the statistics may be those of the other.
        if converter.parquet_column_index() != Some(leaf) {
            return None;
        }
        let least = converter.row_group_mins([group]).ok()?;
        Between::new(least, converter.row_group_maxes([group]).ok()?)
    }

    fn read(
        &self,
        span: &Span,
        columns: &[usize],
        batch_rows: usize,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<u64> {
        let roots: Vec<usize> = columns.iter().map(|column| self.roots[*column]).collect();
        let group = self.metadata.metadata().row_group(span.unit);
        let inflated = self.check_pages(group, &roots)?;
        let reader = |metadata: &ArrowReaderMetadata| {
            let mut builder = self
                .builder_of(metadata, &roots)
                .with_row_groups(vec![span.unit])
                .with_batch_size(batch_rows.min(span.rows.max(LEAST_ROWS)));
            if !span.whole {
                builder = builder.with_offset(span.offset).with_limit(span.rows);
            }
            builder.build().map_err(parquet_error)
        };
        let mut months = match &self.months {
            Some(metadata) if self.has_intervals(columns) => Some(reader(metadata)?),
            _ => None,
        };
        for batch in reader(&self.metadata)? {
            let mut batch = batch.map_err(arrow_error)?;
            if let Some(months) = &mut months {
                let months = months.next().transpose().map_err(arrow_error)?;
                batch = leaves::with_months(&batch, months.as_ref())?;
            }
            if !take(batch)? {
                break;
            }
        }
        Ok(inflated)
    }
}
