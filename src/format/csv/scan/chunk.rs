//! One chunk: its blocks, their columns, and what there is to report of its rows.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Scan;
use super::block::{Block, Event, GAPS, What};
use super::column::{Builder, Kernel, Piece};

use crate::error::Result;
use crate::format::chunks::{Rest, Slab};
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
    /// Whether the end of a record was not found before the text ended, or what was seen of it.
    pub ran_out: bool,
    /// Whether that was not the end of the whole text; nothing of the chunk is right then.
    pub gave_up: bool,
}

/// What a thread keeps from chunk to chunk.
#[derive(Debug, Default)]
pub(super) struct Worker {
    block: Block,
    builders: Vec<Builder>,
    rest: Rest,
}

/// A chunk that may begin at a wrong place reads on for so many bytes at least.
const PATIENCE: usize = 1 << 20;
/// A longer record could make a column of texts that Arrow's offsets do not reach.
const LONGEST_RECORD: usize = 1 << 30;
/// Bytes of text whose columns are read one after the other while they are in the cache.
const BLOCK_BYTES: usize = 96 << 10;
/// In wide tables a block has at least so many rows, but no more bytes than this.
const BLOCK_ROWS: usize = 64;
const BLOCK_LIMIT: usize = 512 << 10;

impl Scan {
    fn block_bytes(&self) -> usize {
        (self.row_bytes * BLOCK_ROWS).clamp(BLOCK_BYTES, BLOCK_LIMIT)
    }

    /// Reads the records that begin in `start..target`. Where it is only a guess that one begins at
    /// `start` it does not look far for the end of the last one: a wrong guess may see none.
    pub(super) fn chunk(
        &self,
        worker: &mut Worker,
        kernels: &[Kernel],
        broken: &[AtomicBool],
        (start, target): (usize, usize),
        is_guess: bool,
    ) -> Result<Chunk> {
        let patience = if is_guess { self.chunk_bytes.max(PATIENCE) } else { self.text.len() };
        let text = &self.text[..self.text.len().min(target.saturating_add(patience))];
        let cut = self.cut();
        let Worker { block, builders, rest } = worker;
        builders.resize_with(kernels.len(), Builder::default);
        for ((builder, kernel), broken) in builders.iter_mut().zip(kernels).zip(broken) {
            let room = std::mem::take(builder);
            *builder = match broken.load(Ordering::Relaxed) {
                true => Builder::Broken,
                false => room.again(*kernel),
            };
        }
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
            ran_out: false,
            gave_up: false,
        };
        while chunk.end < target {
            block.fill(text, &cut, chunk.end, chunk.end + self.block_bytes(), target);
            for (column, builder) in builders.iter_mut().enumerate() {
                let rules = &self.columns[column].rules;
                builder.add(&block.column(text, &cut, column), rules);
            }
            chunk.note(block);
            if block.longest > LONGEST_RECORD {
                let message = format!("a record of {} bytes", block.longest);
                let issue = Issue::limit(Code::ValueTooLarge, message, "value_bytes");
                return Err(issue.byte_offset(chunk.end as u64).into());
            }
        }
        chunk.ran_out |= chunk.end >= text.len();
        chunk.gave_up = chunk.ran_out && text.len() < self.text.len();
        let mut slab = Slab::new(rest, builders.iter().flat_map(Builder::bytes));
        let moved: Vec<_> = builders.iter_mut().map(|builder| builder.place(&mut slab)).collect();
        let slab = slab.freeze();
        for (column, (builder, moved)) in builders.iter_mut().zip(moved).enumerate() {
            chunk.long_floats.push(builder.long_floats());
            let piece = builder
                .finish(moved, &slab)
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
        self.ran_out |= block.ran_out;
        self.end = block.next;
    }
}

/// So many bytes are looked at to tell whether a place is inside quotes.
const WINDOW: usize = 64 << 10;
/// So many records are cut for it.
const TRIED: usize = 8;

/// The start of the first record at or behind a place, guessed from the text behind it: once as if
/// the place were outside of quotes and once as if it were inside, and then by what the records from
/// there on look like.
pub(super) fn record_start(scan: &Scan, place: usize) -> usize {
    let (text, dialect) = (&scan.text[..], &scan.dialect);
    let window = &text[place..text.len().min(place + WINDOW)];
    let Some(quote) = dialect.quote else { return line_start(scan, place) };
    if memchr::memchr(quote, window).is_none() {
        return line_start(scan, place);
    }
    let at_line =
        matches!(text[place - 1], b'\n') || text[place - 1] == b'\r' && window[0] != b'\n';
    let outside = if at_line { place } else { record_end(scan, place) };
    let inside = quoted_end(window, quote).map_or(text.len(), |end| {
        let behind = place + end;
        match text.get(behind) {
            None | Some(b'\n' | b'\r') => line_start(scan, behind + 1),
            // The rest of the record, from its next cell on.
            Some(_) => record_end(scan, behind + 1),
        }
    });
    if outside == inside || score(scan, outside) >= score(scan, inside) { outside } else { inside }
}

/// Where a cell ends of which the text is the last part: behind the quote that is not doubled.
fn quoted_end(window: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr(quote, window.get(at..)?)? + 1;
        if window.get(at) != Some(&quote) {
            return Some(at);
        }
        at += 1;
    }
}

/// Where the record ends that goes on at a place.
fn record_end(scan: &Scan, place: usize) -> usize {
    let mut record = Record::default();
    let mut reader = RecordReader::starting_at(&scan.text, &scan.dialect, place);
    if reader.read(&mut record) { record.end } else { scan.text.len() }
}

/// The first line that starts at or behind a place.
fn line_start(scan: &Scan, place: usize) -> usize {
    let text = &scan.text[..];
    let from = place.saturating_sub(1);
    let rest = text.get(from..).unwrap_or_default();
    let at = match scan.dialect.terminator {
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
    let mut reader = RecordReader::starting_at(&scan.text, &scan.dialect, place);
    let mut record = Record::default();
    let mut fitting = 0;
    for _ in 0..TRIED {
        // A wrong guess may have opened a quote that ends far away.
        if !reader.read(&mut record) || record.end - place.min(record.end) > WINDOW {
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
