//! Chunks of a text that is still in the making, read under a plan that its head suggests.

use std::sync::atomic::AtomicBool;

use super::chunk::Worker;
use super::{AHEAD, Chunk, Kernel, MANY_CHUNKS, Piece, Scan, note_broken};
use crate::error::Result;
use crate::format::chunks::ordered;
use crate::source::Growing;

/// So much behind a chunk is waited for: its last record ends there.
const BEHIND: usize = 64 << 10;
/// Once a text that is larger is whole, what is left goes to all threads.
pub(in super::super) const SMALL: usize = 1 << 20;
/// What is kept of the chunks besides the table: events, places of gaps, and columns times chunks.
const MOST_KEPT: usize = 1 << 20;

/// The first chunks of a text.
#[derive(Debug, Default)]
pub(in super::super) struct Ahead {
    pub chunks: Vec<Chunk>,
    /// Whether only what is known of the rows was kept.
    pub are_slim: bool,
}

impl Scan {
    /// Reads the chunks of which all bytes are there, until the text is whole, there are more rows than
    /// allowed, or `is_text` says otherwise; it is asked before each chunk, with its number and the
    /// text up to where the chunk may read. Where rows stay in the text only what is known of them is kept, once there are many chunks.
    pub fn ahead(
        &self,
        growing: &Growing,
        shift: usize,
        leaves_rows: bool,
        most_rows: u64,
        is_text: impl Fn(usize, &[u8]) -> bool + Sync,
    ) -> Ahead {
        let broken: Vec<AtomicBool> = self.columns.iter().map(|_| AtomicBool::new(false)).collect();
        let kernels: Vec<Kernel> = self.columns.iter().map(|column| column.kernel).collect();
        let mut ahead = Ahead::default();
        let (mut expected, mut kept, mut rows) = (self.start, 0, 0);
        let behind = BEHIND.min(self.chunk_bytes);
        let read = |(scan, worker): &mut (Scan, Worker), index: usize, start: Option<usize>| {
            let target = (index + 1).checked_mul(self.chunk_bytes)?.checked_add(self.start)?;
            let wanted = target.checked_add(behind)?;
            let grown = growing.wait(wanted.checked_add(shift)?);
            let text = grown.text.slice(shift.min(grown.text.len())..);
            let is_left_to_all = grown.is_whole && text.len() > SMALL;
            if text.len() < wanted || is_left_to_all || !is_text(index, &text[..wanted]) {
                return None;
            }
            scan.text = text.slice(..wanted);
            let start = start.unwrap_or_else(|| scan.guess(index));
            let chunk = scan.chunk(worker, &kernels, &broken, (start, target), false).ok()?;
            Some(chunk).filter(|chunk| !chunk.ran_out)
        };
        // Nothing in it fails; what is not there is read later.
        let _: Result<()> = ordered(
            self.threads.saturating_sub(1).max(1),
            usize::MAX / 2,
            AHEAD,
            || (self.clone(), Worker::default()),
            |state, index| read(state, index, None),
            |index, chunk: Option<Chunk>| {
                let chunk = match chunk {
                    Some(chunk) if chunk.start != expected => {
                        read(&mut (self.clone(), Worker::default()), index, Some(expected))
                    }
                    chunk => chunk,
                };
                let Some(mut chunk) = chunk else { return Ok(false) };
                note_broken(&chunk, &broken);
                expected = chunk.end;
                rows += chunk.rows as u64;
                kept += chunk.events.len() + chunk.gaps.len() + chunk.pieces.len();
                if leaves_rows && index >= MANY_CHUNKS {
                    if !ahead.are_slim {
                        ahead.are_slim = true;
                        ahead.chunks.iter_mut().for_each(Chunk::make_slim);
                    }
                    chunk.make_slim();
                }
                ahead.chunks.push(chunk);
                Ok(kept < MOST_KEPT && rows < most_rows)
            },
        );
        ahead
    }

    /// Whether two plans read every chunk alike. What options and names say of columns is the same
    /// where those are.
    pub fn reads_as(&self, other: &Scan) -> bool {
        let kernels = |scan: &Scan| -> Vec<Kernel> {
            scan.columns.iter().map(|column| column.kernel).collect()
        };
        // A pattern among the delimiters is compared by its text.
        format!("{:?}", self.dialect) == format!("{:?}", other.dialect)
            && (self.named, self.stride, self.drop_bad)
                == (other.named, other.stride, other.drop_bad)
            && (self.start, self.row_bytes) == (other.start, other.row_bytes)
            && self.chunk_bytes == other.chunk_bytes
            && self.skipped == other.skipped
            && kernels(self) == kernels(other)
    }
}

impl Chunk {
    fn make_slim(&mut self) {
        for piece in &mut self.pieces {
            *piece = match std::mem::replace(piece, Piece::Skip) {
                Piece::Array(array) => Piece::Nulls(array.logical_null_count() as u64),
                Piece::Gathered(_) => Piece::Skip,
                piece => piece,
            };
        }
    }
}
