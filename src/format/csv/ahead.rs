//! What is read of a text while it is still inflated, on a guess.
//!
//! The head of the text suggests a dialect, a frame and a plan. Chunks are read under that plan as
//! their bytes come. When the text is whole all is settled anew from all of it, as for any text; what
//! was made ahead is taken where the settled plan reads the same. So a guess never changes a result.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::dialect;
use super::plan::Plan;
use super::scan::{self, Chunk, Scan};
use super::structure;
use crate::context::Context;
use crate::detect::encoding::utf8_start;
use crate::detect::survey::{SLICE, Survey, is_utf8_from, slice_ahead};
use crate::options::SkipRows;
use crate::source::Growing;

/// What was made of the beginning of a text.
#[derive(Debug)]
pub(super) struct Ahead {
    surveyed: Vec<Survey>,
    plan: Plan,
    read: scan::Ahead,
}

impl Ahead {
    /// Reads ahead until the text is whole; `None` where there is nothing to begin with. `context` is
    /// not that of the table: what it is told is lost.
    pub fn of(
        head: &[u8],
        growing: &Growing,
        name: &str,
        context: &mut Context<'_>,
    ) -> Option<Ahead> {
        let parser = context.parser();
        let is_plain = parser.nrows.is_none()
            && parser.skipfooter.is_none()
            && parser.byte_range.is_none()
            && parser.encoding.is_none()
            && parser.stacked != Some(true)
            && !matches!(parser.skiprows, Some(SkipRows::Lines(_)));
        let shift = utf8_start(head).filter(|_| is_plain)?;
        let grown = growing.wait(0);
        if grown.is_whole && grown.text.len() > scan::SMALL {
            return None;
        }
        // Whole lines: the rest of the last would look like a short row.
        let end = memchr::memrchr2(b'\n', b'\r', head)? + 1;
        let text = Bytes::copy_from_slice(head.get(shift..end)?);
        std::str::from_utf8(&text).ok()?;
        let dialect = dialect::settle(&text, false, name, context);
        let mut frame = structure::frame(&text, &dialect, context);
        // What stands below the table is not there yet.
        frame.end = text.len();
        let plan = Plan::of(&text, &dialect, &frame, context).ok()?;
        let slices: Mutex<BTreeMap<usize, Survey>> = Mutex::default();
        // Texts are made of what is known to be UTF-8 only: a chunk's slices, and what it may read
        // besides.
        let is_text = |chunk: usize, text: &[u8]| {
            let (start, end) = (chunk * plan.scan.chunk_bytes, (chunk + 1) * plan.scan.chunk_bytes);
            let (mut is_utf8, mut known) = (true, start);
            for index in start.div_ceil(SLICE)..end.div_ceil(SLICE) {
                let Some(slice) = slice_ahead(text, index) else { break };
                is_utf8 &= slice.is_utf8;
                if known == index * SLICE {
                    known += SLICE;
                }
                slices.lock().unwrap_or_else(PoisonError::into_inner).insert(index, slice);
            }
            is_utf8 && is_utf8_from(text, known)
        };
        let leaves_rows = context.options.leave_rows && context.options.transforms.is_empty();
        let read = plan.scan.ahead(growing, shift, leaves_rows, context.limits.rows, is_text);
        let mut slices = slices.into_inner().unwrap_or_else(PoisonError::into_inner);
        let surveyed = (0..).map_while(|index| slices.remove(&index)).collect();
        Some(Ahead { surveyed, plan, read })
    }

    /// The first slices of the text's survey.
    pub fn take_surveyed(&mut self) -> Vec<Survey> {
        std::mem::take(&mut self.surveyed)
    }

    /// The first chunks, if the settled scan reads them as they were read.
    pub fn chunks(self, scan: &Scan, names: &[String], rows_stay: bool) -> Vec<Chunk> {
        let has_values = rows_stay || !self.read.are_slim;
        let is_same = has_values && self.plan.names == names && self.plan.scan.reads_as(scan);
        if is_same { self.read.chunks } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::options::{Options, Parallelism};
    use crate::source::growing;

    #[test]
    fn chunks_of_the_settled_plan_are_taken() {
        let parallelism = Parallelism { threads: 2, chunk_bytes: 8 << 10 };
        let limits = Limits::default();
        let text = format!("id,name\n{}", "12,green tea\n".repeat(10_000));
        let taken = |leave_rows: bool, later: &str| {
            let options = Options { parallelism, leave_rows, ..Options::default() };
            let mut context = Context::new(&options, &limits);
            let (mut grower, growing) = growing(1 << 10, 0, false);
            let text = format!("{text}{later}");
            grower.write(&mut text.into_bytes()).unwrap();
            let whole = grower.finish().unwrap();
            let ahead = Ahead::of(&whole[..8 << 10], &growing, "a.csv", &mut context).unwrap();
            let dialect = dialect::settle(&whole, false, "a.csv", &mut context);
            let frame = structure::frame(&whole, &dialect, &context);
            let plan = Plan::of(&whole, &dialect, &frame, &mut context).unwrap();
            ahead.chunks(&plan.scan, &plan.names, leave_rows)
        };
        // All but the last two: their end is not far enough behind them.
        let chunks = text.len() / (8 << 10);
        assert_eq!(taken(false, "").len(), chunks - 1);
        assert_eq!(taken(true, "").len(), chunks - 1);
        assert_eq!(taken(false, "1,\"never closed\n").len(), chunks - 1);
    }
}
