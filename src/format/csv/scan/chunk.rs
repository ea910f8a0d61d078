//! One chunk: its blocks, their columns, and what there is to report of its rows.

use std::sync::atomic::{AtomicBool, Ordering};

use super::block::{Block, Event, GAPS, What};
use super::builder::{Builder, Kernel, Piece};
use super::{Cut, Scan};
use crate::error::Result;
use crate::format::csv::records::{Record, RecordReader};
use crate::infer::Seen;
use crate::report::{Code, Issue, Stage};
use crate::source::release;

/// What was read of a chunk.
#[derive(Debug)]
pub(in super::super) struct Chunk {
    pub start: usize,
    /// Where the next chunk begins.
    pub end: usize,
    pub rows: usize,
    /// A piece for each column of the scan.
    pub pieces: Vec<Piece>,
    /// What the values of each gathered column have in common.
    pub seen: Vec<Option<Seen>>,
    pub long_floats: Vec<u64>,
    pub events: Vec<Event>,
    pub gaps: Vec<usize>,
    /// The most cells of any row that was kept.
    pub width: usize,
    /// The bytes of the longest record.
    pub longest: usize,
}

/// What a thread keeps from chunk to chunk.
#[derive(Debug, Default)]
pub(super) struct Worker {
    block: Block,
}

/// Bytes of text whose columns are read one after the other while they are in the cache.
const BLOCK_BYTES: usize = 96 << 10;
/// In wide tables a block has at least so many rows, but no more bytes than this.
const BLOCK_ROWS: usize = 64;
const BLOCK_LIMIT: usize = 512 << 10;

impl Scan {
    fn block_bytes(&self) -> usize {
        (self.row_bytes * BLOCK_ROWS).clamp(BLOCK_BYTES, BLOCK_LIMIT)
    }

    /// Reads the records that begin in `start..target`.
    pub(super) fn chunk(
        &self,
        worker: &mut Worker,
        kernels: &[Kernel],
        broken: &[AtomicBool],
        start: usize,
        target: usize,
    ) -> Result<Chunk> {
        let (text, cut) = (&self.text[..], self.cut());
        let rows_expected = target.saturating_sub(start) / self.row_bytes.max(1);
        let rows_expected = rows_expected + rows_expected / 8 + 16;
        let mut builders: Vec<Builder> = kernels
            .iter()
            .zip(broken)
            .map(|(kernel, broken)| match broken.load(Ordering::Relaxed) {
                true => Builder::Broken,
                false => Builder::new(*kernel, rows_expected),
            })
            .collect();
        let mut chunk = Chunk {
            start,
            end: start,
            rows: 0,
            pieces: Vec::new(),
            seen: Vec::new(),
            long_floats: Vec::new(),
            events: Vec::new(),
            gaps: Vec::new(),
            width: 0,
            longest: 0,
        };
        while chunk.end < target {
            let block = &mut worker.block;
            block.fill(text, &cut, chunk.end, chunk.end + self.block_bytes(), target);
            for (column, builder) in builders.iter_mut().enumerate() {
                let rules = &self.columns[column].rules;
                if !builder.add(&block.column(text, &cut, column), rules) {
                    broken[column].store(true, Ordering::Relaxed);
                }
            }
            chunk.note(block);
        }
        for (column, builder) in builders.into_iter().enumerate() {
            chunk.long_floats.push(builder.long_floats());
            let piece = builder
                .finish()
                .map_err(|error| Issue::error(Stage::Parse, Code::Corrupt, error.to_string()))?;
            chunk.seen.push(match &piece {
                Piece::Gathered(texts) => Some(self.seen(column, texts)),
                _ => None,
            });
            chunk.pieces.push(piece);
        }
        release(&text[chunk.start..chunk.end.min(text.len())]);
        Ok(chunk)
    }

    /// Where each row of a chunk begins.
    pub fn row_offsets(&self, chunk: usize) -> Vec<usize> {
        let (mut at, end) = (self.starts[chunk], self.starts[chunk + 1]);
        let (cut, mut block, mut offsets) = (self.cut(), Block::default(), Vec::new());
        while at < end {
            block.fill(&self.text, &cut, at, at + self.block_bytes(), end);
            offsets.extend(block.row_offsets(&cut));
            at = block.next;
        }
        offsets
    }
}

impl Scan {
    /// Where the record begins that follows so many rows.
    pub fn first_rows(&self, wanted: u64) -> usize {
        let (mut at, mut left) = (self.start, wanted);
        let (cut, mut block) = (self.cut(), Block::default());
        while at < self.text.len() {
            block.fill(&self.text, &cut, at, at + self.block_bytes(), self.text.len());
            let offsets = block.row_offsets(&cut);
            if offsets.len() as u64 > left {
                return offsets[left as usize];
            }
            left -= offsets.len() as u64;
            at = block.next;
        }
        self.text.len()
    }

    /// The bytes of the longest cell of a chunk, and where its record begins.
    pub fn longest_cell(&self, chunk: &Chunk) -> Option<(usize, usize)> {
        let mut reader = RecordReader::starting_at(&self.text, &self.dialect, chunk.start);
        let mut record = Record::default();
        let mut longest = None;
        while reader.offset() < chunk.end && reader.read(&mut record) {
            let cells = record.cells(&self.text).map(|(cell, _)| (cell.len(), record.offset));
            longest = longest.max(cells.max_by_key(|(bytes, _)| *bytes));
        }
        longest
    }
}

impl Chunk {
    fn note(&mut self, block: &mut Block) {
        let before = self.rows as u64;
        self.events
            .extend(block.events.drain(..).map(|event| Event { row: event.row + before, ..event }));
        let room = GAPS - self.gaps.len().min(GAPS);
        self.gaps.extend(block.gaps.drain(..).take(room));
        self.rows += block.rows;
        self.width = self.width.max(block.width);
        self.longest = self.longest.max(block.longest);
        self.end = block.next;
    }
}

/// So many bytes are looked at to tell whether a place is inside quotes.
const WINDOW: usize = 64 << 10;
/// So many records are cut for it.
const TRIED: usize = 8;

/// The start of the first record at or behind a place, guessed from the text behind it.
pub(super) fn record_start(scan: &Scan, place: usize) -> usize {
    let (text, cut) = (&scan.text[..], scan.cut());
    let outside = line_start(text, place, place, &cut);
    let window = &text[place..text.len().min(place + WINDOW)];
    let Some(quote) = cut.dialect.quote else { return outside };
    if memchr::memchr(quote, window).is_none() {
        return outside;
    }
    // If the place is inside quotes, the record ends on a line with the quote that closes.
    let inside = memchr::memchr_iter(quote, window)
        .map(|at| place + at + 1)
        .find(|after| text.get(*after).is_none_or(|byte| !byte.is_ascii_alphanumeric()))
        .map_or(text.len(), |after| line_start(text, after + 1, after, &cut));
    if outside == inside || score(scan, outside) >= score(scan, inside) { outside } else { inside }
}

/// The first line that starts at or behind `place`; `from` is where to look for line ends.
fn line_start(text: &[u8], place: usize, from: usize, cut: &Cut<'_>) -> usize {
    let from = from.min(place).saturating_sub(1);
    let rest = text.get(from..).unwrap_or_default();
    let at = match cut.dialect.terminator {
        Some(terminator) => memchr::memchr(terminator, rest),
        None => memchr::memchr2(b'\n', b'\r', rest),
    };
    match at.map(|at| from + at) {
        None => text.len(),
        Some(at) if text[at] == b'\r' && text.get(at + 1) == Some(&b'\n') => at + 2,
        Some(at) => at + 1,
    }
}

/// How many records from a place on are as the table's are.
fn score(scan: &Scan, place: usize) -> usize {
    let end = scan.text.len().min(place.saturating_add(WINDOW));
    let Some(window) = scan.text.get(place..end) else { return 0 };
    let mut reader = RecordReader::new(window, &scan.dialect);
    let mut record = Record::default();
    let mut fitting = 0;
    for _ in 0..TRIED {
        if !reader.read(&mut record) || record.end == window.len() {
            break;
        }
        let fits = record.len() == scan.named || record.len() == scan.stride;
        fitting += usize::from(fits && record.oddities.is_empty());
    }
    fitting
}

impl What {
    /// Whether a row of the wrong length was kept.
    pub fn is_kept(self) -> bool {
        !matches!(self, What::Cells { kept: false, .. })
    }
}
