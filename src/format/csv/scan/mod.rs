//! The fast reader: whole records in chunks, on several threads, into typed columns.
//!
//! Each chunk begins at a record. Where that is inside a text with quotes is guessed from what stands
//! around the place, and checked when the chunk before it is done: a wrong guess costs time, never
//! a row. A column is read as the type that the first rows show; the first value that is not of it
//! ends that, and the column is gathered as text, typed over all its values, and converted.

mod block;
mod builder;
mod chunk;
mod index;
mod masks;
mod ordered;
mod trusted;

use std::sync::atomic::AtomicBool;

use arrow::array::ArrayRef;
use bytes::Bytes;

pub(super) use block::{Cut, Event, What};
pub(super) use builder::{Kernel, Piece};
pub(super) use chunk::Chunk;

use self::ordered::ordered;
use super::dialect::CsvDialect;
use crate::error::Result;
use crate::infer::{ColumnRules, Inferred, Seen, TextColumn, convert};

/// A column: what the options say of it, and what it turned out to be.
#[derive(Clone, Debug)]
pub(super) struct ScanColumn {
    pub rules: ColumnRules,
    pub kernel: Kernel,
    pub inferred: Inferred,
}

/// How a table lies in a text, and how it is read.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    /// The text that holds the table.
    pub text: Bytes,
    pub dialect: CsvDialect,
    /// Columns that have a name.
    pub named: usize,
    /// Cells of a regular row.
    pub stride: usize,
    /// Rows of the wrong length are left out.
    pub drop_bad: bool,
    /// Where lines begin that are left out, in order.
    pub skipped: Vec<usize>,
    /// Where the first row begins.
    pub start: usize,
    /// Bytes of a row of the sample, on average.
    pub row_bytes: usize,
    pub threads: usize,
    pub chunk_bytes: usize,
    pub columns: Vec<ScanColumn>,
    /// Where each chunk begins, and the end of the last.
    pub starts: Vec<usize>,
    /// Rows before each chunk, and all rows.
    pub rows: Vec<u64>,
}

/// So many finished chunks may wait for their turn.
const AHEAD: usize = 6;

impl Scan {
    pub fn cut(&self) -> Cut<'_> {
        let Scan { dialect, named, stride, drop_bad, skipped, .. } = self;
        Cut::new(dialect, *named, *stride, *drop_bad, skipped)
    }

    fn chunk_count(&self) -> usize {
        (self.text.len() - self.start).div_ceil(self.chunk_bytes).max(1)
    }

    /// The first pass: finds where chunks begin, and reads each column as its kernel says. A column
    /// that breaks is skipped in all chunks from then on.
    pub fn first_pass(
        &mut self,
        mut take: impl FnMut(&Scan, usize, Chunk) -> Result<bool>,
    ) -> Result<Vec<bool>> {
        let broken: Vec<AtomicBool> = self.columns.iter().map(|_| AtomicBool::new(false)).collect();
        let kernels: Vec<Kernel> = self.columns.iter().map(|column| column.kernel).collect();
        let count = self.chunk_count();
        let (mut starts, mut rows) = (vec![self.start], vec![0u64]);
        let this = &*self;
        ordered(
            this.threads,
            count,
            AHEAD,
            chunk::Worker::default,
            |worker, index| {
                let start = this.guess(index);
                this.chunk(worker, &kernels, &broken, start, this.target(index + 1))
            },
            |index, chunk| {
                let mut chunk = chunk?;
                let expected = starts.last().copied().unwrap_or(this.start);
                if chunk.start != expected {
                    let mut worker = chunk::Worker::default();
                    let target = this.target(index + 1);
                    chunk = this.chunk(&mut worker, &kernels, &broken, expected, target)?;
                }
                starts.push(chunk.end);
                rows.push(rows.last().copied().unwrap_or_default() + chunk.rows as u64);
                take(this, index, chunk)
            },
        )?;
        self.starts = starts;
        self.rows = rows;
        Ok(broken.into_iter().map(AtomicBool::into_inner).collect())
    }

    /// A later pass, over chunks that are known.
    pub fn pass(
        &self,
        kernels: &[Kernel],
        mut take: impl FnMut(usize, Chunk) -> Result<bool>,
    ) -> Result<()> {
        let broken: Vec<AtomicBool> = kernels.iter().map(|_| AtomicBool::new(false)).collect();
        ordered(
            self.threads,
            self.starts.len() - 1,
            AHEAD,
            chunk::Worker::default,
            |worker, index| {
                self.chunk(worker, kernels, &broken, self.starts[index], self.starts[index + 1])
            },
            |index, chunk| take(index, chunk?),
        )
    }

    /// Converts gathered columns, the chunks of each in turn on all threads.
    pub fn convert(
        &self,
        gathered: &[(usize, Vec<TextColumn>)],
        mut take: impl FnMut(usize, usize, ArrayRef, Vec<crate::infer::BadValue>),
    ) -> Result<()> {
        let jobs: Vec<(usize, usize, &TextColumn)> = gathered
            .iter()
            .flat_map(|(column, parts)| {
                parts.iter().enumerate().map(move |(chunk, part)| (*column, chunk, part))
            })
            .collect();
        ordered(
            self.threads,
            jobs.len(),
            usize::MAX / 2,
            || (),
            |(), index| {
                let (column, _, text) = jobs[index];
                let ScanColumn { rules, inferred, .. } = &self.columns[column];
                let mut bad_values = Vec::new();
                let array = convert(text, inferred, rules, &mut |bad| bad_values.push(bad));
                (array, bad_values)
            },
            |index, (array, bad_values)| {
                take(jobs[index].0, jobs[index].1, array, bad_values);
                Ok(true)
            },
        )
    }

    /// Where a chunk would best end.
    fn target(&self, index: usize) -> usize {
        self.start.saturating_add(index * self.chunk_bytes).min(self.text.len())
    }

    /// The first record that begins at or behind a chunk's place, as well as can be told.
    fn guess(&self, index: usize) -> usize {
        if index == 0 { self.start } else { chunk::record_start(self, self.target(index)) }
    }

    /// Where a row of a chunk begins.
    pub fn row_offset(&self, chunk: usize, row: usize) -> usize {
        let offsets = self.row_offsets(chunk);
        offsets.get(row).copied().unwrap_or(self.starts[chunk])
    }

    /// What the values of a gathered column have in common.
    pub fn seen(&self, column: usize, texts: &TextColumn) -> Seen {
        let mut seen = Seen::default();
        seen.add_all(texts, &self.columns[column].rules);
        seen
    }
}
