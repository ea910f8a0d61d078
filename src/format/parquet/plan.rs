//! What of a file is read: row groups, rows of them, columns; and the reading of one job.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    statistics::StatisticsConverter,
};
use parquet::basic::Type;
use parquet::file::metadata::RowGroupMetaData;

use super::super::columnar::{self, Between, Bounds, Span, Units, spans};
use super::{arrow_error, check_rows, pages, parquet_error, select};
use crate::context::Context;
use crate::error::Result;
use crate::report::{Code, Issue, Stage};
use crate::table::Rows;

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
        let mut plan =
            Plan { bytes, metadata, schema: Schema::empty().into(), roots, spans, bounds };
        plan.schema = plan.read_schema()?;
        plan.in_microseconds()?;
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
        match schema {
            Some(schema) => Ok(schema),
            None => self.metadata.schema().project(&self.roots).map(Arc::new).map_err(arrow_error),
        }
    }

    fn builder(&self, roots: &[usize]) -> ParquetRecordBatchReaderBuilder<Bytes> {
        let metadata = self.metadata.clone();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.iter().copied());
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), metadata)
            .with_projection(mask)
    }

    /// The old 96-bit times have nanoseconds and reach further than 64 bits of them do: where one of
    /// them is too far away all are read in microseconds. Nothing but the values tells.
    fn in_microseconds(&mut self) -> Result<()> {
        let file = self.metadata.parquet_schema();
        let is_old = |leaf: &usize| file.column(*leaf).physical_type() == Type::INT96;
        let old: Vec<usize> = (0..file.num_columns()).filter(is_old).collect();
        if old.is_empty() {
            return Ok(());
        }
        let fields = self.metadata.schema().fields().iter().map(|field| match field.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
                let wide = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                Arc::new(field.as_ref().clone().with_data_type(wide))
            }
            _ => field.clone(),
        });
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        let Ok(wide) = ArrowReaderMetadata::try_new(self.metadata.metadata().clone(), options)
        else {
            return Ok(());
        };
        let all = std::mem::take(&mut self.roots);
        let narrow = std::mem::replace(&mut self.metadata, wide);
        let root = |leaf: &usize| narrow.parquet_schema().get_column_root_idx(*leaf);
        self.roots = old.iter().map(root).filter(|root| all.contains(root)).collect();
        self.roots.dedup();
        self.schema = self.read_schema()?;
        let mut is_far = false;
        let bounds = self.bounds.clone();
        let job = |span: &Span, columns: &[usize]| {
            columnar::read_job(self, span, columns, columnar::BATCH_ROWS, &bounds, |far, batch| {
                *far |= beyond_nanoseconds(&batch);
                Ok(())
            })
        };
        columnar::shared_out(self, &bounds, bounds.threads + 1, job, |_, _, parts| {
            is_far |= parts.iter().any(|part| part.found);
            Ok(!is_far)
        })?;
        self.roots = all;
        if !is_far {
            self.metadata = narrow;
        }
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

    pub fn in_file(self, nulls: Vec<Option<u64>>) -> InFile {
        InFile { plan: self, nulls }
    }

    /// Where a column of a row group is: pages are looked through before they are inflated.
    fn check_pages(&self, group: &RowGroupMetaData, roots: &[usize]) -> Result<u64> {
        let file = self.metadata.parquet_schema();
        let mut inflated = 0;
        for leaf in 0..file.num_columns() {
            if roots.binary_search(&file.get_column_root_idx(leaf)).is_ok() {
                let column = group.columns().get(leaf);
                let Some(column) = column else {
                    let message = format!("a row group has no column {leaf}");
                    return Err(Issue::error(Stage::Parse, Code::Corrupt, message).into());
                };
                inflated += pages::check(&self.bytes, column, &self.bounds)?;
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
        let mut builder = self
            .builder(&roots)
            .with_row_groups(vec![span.unit])
            .with_batch_size(batch_rows.min(span.rows.max(LEAST_ROWS)));
        if !span.whole {
            builder = builder.with_offset(span.offset).with_limit(span.rows);
        }
        for batch in builder.build().map_err(parquet_error)? {
            if !take(batch.map_err(arrow_error)?)? {
                break;
            }
        }
        Ok(inflated)
    }
}

/// Whether a time is so far away that 64 bits of nanoseconds do not reach it.
fn beyond_nanoseconds(batch: &RecordBatch) -> bool {
    batch.columns().iter().any(|column| {
        let times = column.as_primitive_opt::<TimestampMicrosecondType>();
        times.is_some_and(|times| {
            times.iter().flatten().any(|time| time.checked_mul(1000).is_none())
        })
    })
}

/// Rows that stay in the file.
#[derive(Debug)]
pub(super) struct InFile {
    plan: Plan,
    nulls: Vec<Option<u64>>,
}

impl Rows for InFile {
    fn num_rows(&self) -> u64 {
        self.plan.spans.iter().map(|span| span.rows as u64).sum()
    }

    fn null_counts(&self) -> &[Option<u64>] {
        &self.nulls
    }

    fn each(
        &self,
        schema: &SchemaRef,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        columnar::each(&self.plan, &self.plan.bounds, &mut |batch| {
            // The pipeline may have given the columns other names.
            take(columnar::renamed(batch, schema)?)
        })
    }
}
