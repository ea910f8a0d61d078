//! Which rows and columns of a file are wanted, and the work on them shared out among threads.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Mutex;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef};
use bytes::Bytes;

use super::super::chunks::ordered;
use super::super::columnar::check_values;
use super::arrays::{Arrays, Miscounted};
use super::dictionaries::Dictionaries;
use super::header::{Header, Position};
use super::messages::{Layout, corrupt};
use super::room::{Piece, filled};
use super::schema::{Column, Columns};
use crate::decompress::{Budget, BufferInflater};
use crate::error::Result;
use crate::limits::Limits;
use crate::report::{Code, Issue};
use crate::table::Rows;

/// A thread takes messages of about so many bytes at a time.
const UNIT_BYTES: usize = 32 << 20;
/// A compressed message counts as so many times its size.
const INFLATES: usize = 2;
/// Of a message with more rows the first ones come before the others, for who wants no more.
const FIRST_ROWS: usize = 1024;
const MANY_ROWS: usize = 1 << 16;

/// A file whose messages are found, and what is wanted of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub bytes: Bytes,
    pub layout: Layout,
    pub columns: Columns,
    pub limits: Limits,
    /// The columns wanted, in the file's order.
    wanted: Vec<usize>,
    threads: usize,
    batches: Vec<Batch>,
    nulls: Vec<Option<u64>>,
    /// Positions among those wanted of columns that have nulls though the schema says they have none.
    pub surprising: Vec<usize>,
}

/// What is asked of a file.
pub(super) struct Asked {
    pub columns: Vec<usize>,
    /// Rows left out at the top, and the most that are wanted then.
    pub skip: u64,
    pub most: u64,
    pub threads: usize,
}

/// A message of rows: which one it is, and the part of its rows that is wanted.
#[derive(Clone, Debug)]
struct Batch {
    index: usize,
    rows: Range<usize>,
    of: usize,
    /// The bytes of work in it.
    weight: usize,
}

/// Messages, and of one message perhaps only some of the wanted columns.
struct Unit {
    batches: Range<usize>,
    columns: Range<usize>,
}

/// A message to read: its first rows, and the columns with their positions.
pub(super) struct Job<'a> {
    pub header: Header,
    pub index: usize,
    pub most: usize,
    pub columns: Vec<(&'a Column, Position)>,
}

/// What all threads share.
pub(super) struct Shared<'a, 'b> {
    pub budget: &'a Mutex<Budget<'b>>,
    pub dictionaries: &'a Dictionaries,
}

/// Columns of one message, and what was miscounted in each.
pub(super) type Part = (Vec<ArrayRef>, Vec<Option<Miscounted>>);

/// What a column of the table is said to have of nulls, and has.
pub(super) type Note<'a> = dyn FnMut(usize, Miscounted) + 'a;

impl Plan {
    /// Looks at the description of each message that is wanted, and at no values.
    pub fn new(
        bytes: Bytes,
        layout: Layout,
        columns: Columns,
        asked: Asked,
        limits: &Limits,
    ) -> Result<Plan> {
        let Asked { columns: wanted, mut skip, most, threads } = asked;
        let is_whole = skip == 0 && most == u64::MAX;
        let mut plan = Plan {
            bytes,
            layout,
            columns,
            limits: limits.clone(),
            wanted,
            threads,
            batches: Vec::new(),
            nulls: Vec::new(),
            surprising: Vec::new(),
        };
        let mut nulls = vec![Some(0u64); plan.wanted.len()];
        let (mut all, mut left) = (0u64, most);
        for index in 0..plan.layout.places.len() {
            if plan.layout.places[index].is_dictionary {
                continue;
            }
            let header = plan.header(index)?;
            all += header.rows as u64;
            if all > limits.rows {
                let message = format!("more than {} rows", limits.rows);
                return Err(Issue::limit(Code::TooManyRows, message, "rows").into());
            }
            for (count, (_, position)) in nulls.iter_mut().zip(plan.positions(&header)?) {
                let node = header.nodes.get(position.node).and_then(|node| node.nulls);
                *count = count.zip(node).map(|(sum, more)| sum + more as u64);
            }
            let start = skip.min(header.rows as u64);
            let length = left.min(header.rows as u64 - start);
            (skip, left) = (skip - start, left - length);
            let packed = if header.codec.is_some() { INFLATES } else { 1 };
            if length > 0 || header.rows == 0 && is_whole {
                plan.batches.push(Batch {
                    index,
                    rows: start as usize..(start + length) as usize,
                    of: header.rows,
                    weight: plan.layout.places[index].body.len().saturating_mul(packed),
                });
            }
            if left == 0 {
                break;
            }
        }
        let is_null = |column: &usize| {
            let field = &plan.columns.columns[plan.wanted[*column]].field;
            !field.is_nullable() && nulls[*column].is_some_and(|nulls| nulls > 0)
        };
        plan.surprising = (0..plan.wanted.len()).filter(is_null).collect();
        let rows = plan.num_rows();
        let counted = plan.wanted.iter().zip(nulls).map(|(column, nulls)| {
            let column = &plan.columns.columns[*column];
            match column.field.data_type() {
                DataType::Null => Some(rows),
                // What is null there only the values tell.
                DataType::RunEndEncoded(..) | DataType::Union(..) => None,
                DataType::Dictionary(..) if !plan.dictionaries_have_no_nulls(column) => None,
                _ => nulls.filter(|_| is_whole),
            }
        });
        plan.nulls = counted.collect();
        Ok(plan)
    }

    fn dictionaries_have_no_nulls(&self, column: &Column) -> bool {
        let dictionaries =
            self.layout.places.iter().enumerate().filter(|(_, place)| place.is_dictionary);
        let mut of_column = dictionaries
            .filter_map(|(index, _)| self.header(index).ok())
            .filter(|header| header.dictionary.map(|(id, _)| id) == column.dictionary);
        let is_plain = self.columns.values(column).is_some_and(|values| {
            use DataType::{Dictionary, Null, RunEndEncoded, Union};
            !matches!(
                values.field.data_type(),
                Dictionary(..) | Null | RunEndEncoded(..) | Union(..)
            )
        });
        is_plain
            && of_column
                .all(|header| header.nodes.first().is_some_and(|node| node.nulls == Some(0)))
    }

    /// What a message says.
    pub fn header(&self, index: usize) -> Result<Header> {
        Header::of(&self.layout.places[index], &self.bytes, &self.limits)
    }

    /// The wanted columns, each with what comes before it in a message.
    fn positions(&self, header: &Header) -> Result<Vec<(&Column, Position)>> {
        let mut found = Vec::with_capacity(self.wanted.len());
        let mut position = Position::default();
        let mut wanted = self.wanted.iter().copied().peekable();
        for (index, column) in self.columns.columns.iter().enumerate() {
            if wanted.peek().is_none() {
                break;
            }
            if wanted.next_if_eq(&index).is_some() {
                found.push((column, position));
            }
            position = header.behind(column, position)?;
        }
        Ok(found)
    }

    /// The dictionaries whose keys are in the wanted columns, and those that these need.
    pub fn needed_dictionaries(&self) -> HashSet<i64> {
        let mut found = Vec::new();
        self.wanted.iter().for_each(|index| self.columns.columns[*index].ids(&mut found));
        let mut needed: HashSet<i64> = found.into_iter().collect();
        // Each needs only such as come before it.
        for (id, values) in self.columns.dictionaries.iter().rev() {
            if needed.contains(id) {
                let mut inside = Vec::new();
                values.ids(&mut inside);
                needed.extend(inside);
            }
        }
        needed
    }

    /// The columns of messages as arrays.
    pub fn arrays(
        &self,
        jobs: &[Job<'_>],
        shared: &Shared<'_, '_>,
        inflater: &mut BufferInflater,
    ) -> Result<Vec<Part>> {
        let mut pieces = Vec::new();
        let mut counts = Vec::new();
        for job in jobs {
            let Header { at, codec, .. } = job.header;
            let body = self.layout.places[job.index].body.start;
            for (column, start) in &job.columns {
                let end = job.header.behind(column, *start)?;
                let ranges = &job.header.buffers[start.buffer..end.buffer];
                counts.push(ranges.len());
                for range in ranges {
                    let range = body + range.start..body + range.end;
                    pieces.push(Piece::of(&self.bytes, range, codec, at)?);
                }
            }
        }
        let mut buffers = filled(&self.bytes, &pieces, shared.budget, inflater)?.into_iter();
        let mut counts = counts.into_iter();
        jobs.iter()
            .map(|job| {
                let columns = job.columns.iter().map(|(column, position)| {
                    let own = buffers.by_ref().take(counts.next().unwrap_or_default());
                    let own: Vec<_> = own.collect();
                    self.array(job, column, *position, own, shared)
                });
                columns.collect::<Result<Part>>()
            })
            .collect()
    }

    fn array(
        &self,
        job: &Job<'_>,
        column: &Column,
        position: Position,
        buffers: Vec<arrow::buffer::Buffer>,
        shared: &Shared<'_, '_>,
    ) -> Result<(ArrayRef, Option<Miscounted>)> {
        let mut work = Arrays {
            header: &job.header,
            position,
            buffers: buffers.into_iter(),
            dictionaries: shared.dictionaries,
            message: job.index,
            is_big_endian: self.columns.is_big_endian,
            limits: &self.limits,
            name: column.field.name(),
            miscounted: None,
        };
        let array = work.array(column, job.most)?;
        let rows = job.header.rows.min(job.most);
        let name = column.field.name();
        if array.len() == rows {
            // The values of dictionaries were looked at when these were read.
            if !matches!(array.data_type(), DataType::Dictionary(..)) {
                check_values(array.as_ref(), &self.limits)
                    .map_err(|error| error.map_issue(|issue| issue.column(name)))?;
            }
            return Ok((array, work.miscounted));
        }
        let message =
            format!("the column {name:?} has {} values in a message of {rows} rows", array.len());
        Err(corrupt(message, job.header.at).map_issue(|issue| issue.column(name)))
    }

    /// The messages shared out.
    fn units(&self, batches: &[Batch]) -> Vec<Unit> {
        let columns = self.wanted.len();
        let mut units = Vec::new();
        let mut at = 0;
        while at < batches.len() {
            let mut weight = batches[at].weight;
            let mut end = at + 1;
            while end < batches.len() && weight + batches[end].weight <= UNIT_BYTES {
                weight += batches[end].weight;
                end += 1;
            }
            // One large message is shared out by its columns.
            let parts = if weight > 2 * UNIT_BYTES { 4 * self.threads } else { 1 };
            let step = columns.div_ceil(parts).max(1);
            for start in (0..columns.max(1)).step_by(step) {
                let columns = start.min(columns)..(start + step).min(columns);
                units.push(Unit { batches: at..end, columns });
            }
            at = end;
        }
        units
    }

    /// Hands over the wanted rows in order, until `take` gives `false`. `in_steps`: the first rows
    /// come before the others of a large message are read.
    pub fn each_batch(
        &self,
        schema: &SchemaRef,
        in_steps: bool,
        note: &mut Note<'_>,
        take: &mut dyn FnMut(RecordBatch, usize) -> Result<bool>,
    ) -> Result<()> {
        let budget = Mutex::new(Budget::new(self.bytes.len() as u64, &self.limits));
        let dictionaries = Dictionaries::read(self, &budget)?;
        let shared = Shared { budget: &budget, dictionaries: &dictionaries };
        let mut batches = self.batches.clone();
        if in_steps && let Some(large) = batches.first().filter(|b| b.rows.len() > MANY_ROWS) {
            let middle = large.rows.start + FIRST_ROWS;
            let head = Batch { rows: large.rows.start..middle, weight: 0, ..large.clone() };
            batches[0].rows.start = middle;
            batches.insert(0, head);
            let head = self.units(&batches[..1]);
            let mut goes_on = true;
            self.run(&batches[..1], &head, 1, schema, &shared, note, &mut |batch, done| {
                goes_on = take(batch, done)?;
                Ok(goes_on)
            })?;
            if !goes_on {
                return Ok(());
            }
            batches.remove(0);
        }
        let units = self.units(&batches);
        self.run(&batches, &units, self.threads, schema, &shared, note, take)
    }

    #[allow(clippy::too_many_arguments)]
    fn run(
        &self,
        batches: &[Batch],
        units: &[Unit],
        threads: usize,
        schema: &SchemaRef,
        shared: &Shared<'_, '_>,
        note: &mut Note<'_>,
        take: &mut dyn FnMut(RecordBatch, usize) -> Result<bool>,
    ) -> Result<()> {
        let read = |inflater: &mut BufferInflater, unit: usize| -> Result<Vec<Part>> {
            let unit = &units[unit];
            let jobs = batches[unit.batches.clone()].iter().map(|batch| {
                let header = self.header(batch.index)?;
                let columns = self.positions(&header)?[unit.columns.clone()].to_vec();
                Ok(Job { header, index: batch.index, most: batch.rows.end, columns })
            });
            self.arrays(&jobs.collect::<Result<Vec<_>>>()?, shared, inflater)
        };
        let mut columns: Vec<Vec<ArrayRef>> = Vec::new();
        ordered(threads, units.len(), 2 * threads, BufferInflater::default, read, |index, parts| {
            let unit = &units[index];
            columns.resize_with(unit.batches.len(), Vec::new);
            for (columns, (arrays, miscounted)) in columns.iter_mut().zip(parts?) {
                columns.extend(arrays);
                for (at, counts) in miscounted.into_iter().enumerate() {
                    counts.into_iter().for_each(|counts| note(unit.columns.start + at, counts));
                }
            }
            if unit.columns.end < self.wanted.len() {
                return Ok(true);
            }
            for (batch, columns) in batches[unit.batches.clone()].iter().zip(columns.drain(..)) {
                let place = &self.layout.places[batch.index];
                let options =
                    RecordBatchOptions::new().with_row_count(Some(batch.of.min(batch.rows.end)));
                let made = RecordBatch::try_new_with_options(schema.clone(), columns, &options)
                    .map_err(|error| corrupt(error.to_string(), place.metadata.start))?;
                let made = made.slice(batch.rows.start, batch.rows.len());
                if !take(made, place.body.end)? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }
}

impl Rows for Plan {
    fn num_rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.rows.len() as u64).sum()
    }

    fn null_counts(&self) -> &[Option<u64>] {
        &self.nulls
    }

    fn each(
        &self,
        schema: &SchemaRef,
        take: &mut dyn FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        self.each_batch(schema, true, &mut |_, _| {}, &mut |batch, _| take(batch))
    }
}
