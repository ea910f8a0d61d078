//! The fast reader: whole records in chunks, on several threads, into typed columns.
//!
//! Each chunk begins at a record. Where that is inside a text with quotes is guessed from what stands
//! around the place, and checked when the chunk before it is done: a wrong guess costs time, never
//! a row. A column is read as the type that the first rows show; the first value that is not of it
//! ends that, and the column is gathered as text, typed over all its values, and converted.

mod ahead;
mod block;
mod builder;
mod chunk;
mod column;
mod index;
mod masks;

use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::ArrayRef;
use bytes::Bytes;

pub(super) use ahead::{Ahead, SMALL};
pub(super) use block::{Cut, Event, What};
pub(super) use chunk::Chunk;
pub(super) use column::{Kernel, Piece};

use super::dialect::CsvDialect;
use crate::error::Result;
use crate::format::chunks::ordered;
use crate::infer::{BadValue, ColumnRules, Inferred, Seen, TextColumn, convert};
use crate::report::{Code, Issue, Stage};

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

/// Every value was of its column's type when the text was read before.
fn changed(offset: usize) -> Issue {
    let message = "the file changed while it was read";
    let issue = Issue::error(Stage::Parse, Code::Corrupt, message).byte_offset(offset as u64);
    issue.hint("read a copy that nobody writes to")
}

/// The columns that a chunk shows to be of another type.
fn note_broken(chunk: &Chunk, broken: &[AtomicBool]) {
    for (piece, broken) in chunk.pieces.iter().zip(broken) {
        if matches!(piece, Piece::Broken) {
            broken.store(true, Ordering::Relaxed);
        }
    }
}

fn last(starts: &[usize]) -> usize {
    starts.last().copied().unwrap_or_default()
}

/// So many finished chunks may wait for their turn.
const AHEAD: usize = 4;
/// A text of fewer chunks than this is read into memory in any case.
const MANY_CHUNKS: usize = 8;

impl Scan {
    pub fn cut(&self) -> Cut<'_> {
        let Scan { dialect, named, stride, drop_bad, skipped, .. } = self;
        Cut::new(dialect, *named, *stride, *drop_bad, skipped)
    }

    /// Whether the text is so large that its rows had better stay in it.
    pub fn is_large(&self) -> bool {
        self.chunk_count() > MANY_CHUNKS
    }

    fn chunk_count(&self) -> usize {
        (self.text.len() - self.start).div_ceil(self.chunk_bytes).max(1)
    }

    /// The first pass: finds where chunks begin, and reads each column as its kernel says. A column
    /// that breaks is skipped in all chunks from then on. `ahead` are the first chunks, where they
    /// were read before.
    pub fn first_pass(
        &mut self,
        ahead: Vec<Chunk>,
        mut take: impl FnMut(&Scan, usize, Chunk) -> Result<bool>,
    ) -> Result<Vec<bool>> {
        let broken: Vec<AtomicBool> = self.columns.iter().map(|_| AtomicBool::new(false)).collect();
        let kernels: Vec<Kernel> = self.columns.iter().map(|column| column.kernel).collect();
        let count = self.chunk_count();
        let (mut starts, mut rows) = (vec![self.start], vec![0u64]);
        let this = &*self;
        // Only where it is sure that the chunk was cut right.
        let mut accept = |index, chunk: Chunk, starts: &mut Vec<usize>| {
            note_broken(&chunk, &broken);
            starts.push(chunk.end);
            rows.push(rows.last().copied().unwrap_or_default() + chunk.rows as u64);
            take(this, index, chunk)
        };
        let mut known = 0;
        for chunk in ahead {
            if chunk.start != last(&starts) || !this.holds(known, &chunk) {
                break;
            }
            accept(known, chunk, &mut starts)?;
            known += 1;
        }
        let from = last(&starts);
        ordered(
            this.threads,
            count - known,
            AHEAD,
            chunk::Worker::default,
            |worker, index| {
                let start = if index == 0 { from } else { this.guess(known + index) };
                let place = (start, this.target(known + index + 1));
                this.chunk(worker, &kernels, &broken, place, true)
            },
            |index, chunk: Result<Chunk>| {
                let expected = last(&starts);
                // What was read from a wrong place says nothing, not even by an error.
                let chunk = match chunk {
                    Ok(chunk) if chunk.start == expected && !chunk.gave_up => chunk,
                    _ => {
                        let place = (expected, this.target(known + index + 1));
                        let mut worker = chunk::Worker::default();
                        this.chunk(&mut worker, &kernels, &broken, place, false)?
                    }
                };
                accept(known + index, chunk, &mut starts)
            },
        )?;
        self.starts = starts;
        self.rows = rows;
        Ok(broken.into_iter().map(AtomicBool::into_inner).collect())
    }

    /// Whether a chunk that was read of a text of unknown end is the same in this one.
    fn holds(&self, index: usize, chunk: &Chunk) -> bool {
        let target = (index + 1).checked_mul(self.chunk_bytes);
        let target = target.and_then(|bytes| bytes.checked_add(self.start));
        target.is_some_and(|target| target <= self.text.len()) && chunk.end <= self.text.len()
    }

    /// A later pass, over chunks that are known.
    pub fn pass(
        &self,
        kernels: &[Kernel],
        take: impl FnMut(usize, Chunk) -> Result<bool>,
    ) -> Result<()> {
        self.pass_with(kernels, Ok, take)
    }

    /// Reads all chunks into arrays, the types being known: `take` gets the arrays of each chunk, one
    /// for each column whose kernel is not `Skip`, and the values that do not fit.
    pub fn arrays(
        &self,
        kernels: &[Kernel],
        mut take: impl FnMut(usize, usize, Vec<(usize, ArrayRef, Vec<BadValue>)>) -> Result<bool>,
    ) -> Result<()> {
        let convert = |chunk: Chunk| {
            let mut arrays = Vec::new();
            for (column, piece) in chunk.pieces.into_iter().enumerate() {
                match piece {
                    Piece::Skip | Piece::Nulls(_) => {}
                    Piece::Broken => return Err(changed(chunk.start).into()),
                    Piece::Array(array) => arrays.push((column, array, Vec::new())),
                    Piece::Gathered(texts) => {
                        let (array, bad) = self.converted(column, &texts);
                        arrays.push((column, array, bad));
                    }
                }
            }
            Ok((chunk.rows, arrays))
        };
        self.pass_with(kernels, convert, |index, (rows, arrays)| take(index, rows, arrays))
    }

    /// A later pass whose threads also do `work` on each chunk.
    fn pass_with<T: Send>(
        &self,
        kernels: &[Kernel],
        work: impl Fn(Chunk) -> Result<T> + Sync,
        mut take: impl FnMut(usize, T) -> Result<bool>,
    ) -> Result<()> {
        let broken: Vec<AtomicBool> = kernels.iter().map(|_| AtomicBool::new(false)).collect();
        ordered(
            self.threads,
            self.starts.len() - 1,
            AHEAD,
            chunk::Worker::default,
            |worker, index| {
                let place = (self.starts[index], self.starts[index + 1]);
                self.chunk(worker, kernels, &broken, place, false).and_then(&work)
            },
            |index, done: Result<T>| take(index, done?),
        )
    }

    fn converted(&self, column: usize, texts: &TextColumn) -> (ArrayRef, Vec<BadValue>) {
        let ScanColumn { rules, inferred, .. } = &self.columns[column];
        let mut bad_values = Vec::new();
        let array = convert(texts, inferred, rules, &mut |bad| bad_values.push(bad));
        (array, bad_values)
    }

    /// Converts gathered columns, the chunks of each in turn on all threads.
    pub fn convert(
        &self,
        gathered: &[(usize, Vec<TextColumn>)],
        mut take: impl FnMut(usize, usize, ArrayRef, Vec<BadValue>) -> Result<()>,
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
            |(), index| self.converted(jobs[index].0, jobs[index].2),
            |index, (array, bad_values)| {
                take(jobs[index].0, jobs[index].1, array, bad_values).map(|()| true)
            },
        )
    }

    /// Where a chunk would best end.
    fn target(&self, index: usize) -> usize {
        self.start.saturating_add(index.saturating_mul(self.chunk_bytes)).min(self.text.len())
    }

    /// The first record that begins at or behind a chunk's place, as well as can be told.
    fn guess(&self, index: usize) -> usize {
        if index == 0 { self.start } else { chunk::record_start(self, self.target(index)) }
    }

    /// What the values of a gathered column have in common.
    pub fn seen(&self, column: usize, texts: &TextColumn) -> Seen {
        let mut seen = Seen::default();
        seen.add_all(texts, &self.columns[column].rules);
        seen
    }
}
