//! How much may come out of all compressions of one file together, and how much of it stays in memory.

use std::time::Instant;

use bytes::Bytes;

use crate::error::Result;
use crate::limits::{Limits, human_bytes};
use crate::report::{Code, Issue};
use crate::source::Spool;

/// Counts what comes out; the bound is absolute, and relative to what went in.
pub struct Budget<'a> {
    limits: &'a Limits,
    input: u64,
    inflated: u64,
    held: u64,
    part: Option<u64>,
    started: Instant,
}

/// Bytes that may come out of a part of a workbook before its own ratio counts.
const PART_FREE_BYTES: u64 = 100 << 10;

impl<'a> Budget<'a> {
    /// For `input` bytes that are about to be inflated.
    pub fn new(input: u64, limits: &'a Limits) -> Self {
        Budget { limits, input, inflated: 0, held: 0, part: None, started: Instant::now() }
    }

    /// The same for one part of a workbook, which says that it is `compressed` bytes of the input.
    pub fn of_part(self, compressed: u64) -> Self {
        Budget { part: Some(compressed.min(self.input)), ..self }
    }

    /// The bytes that may yet be held in memory; what is more goes to a temporary file.
    pub(super) fn room(&self) -> u64 {
        self.limits.spool_bytes - self.held
    }

    /// Counts bytes that came out whole: those that fit are in memory.
    pub(super) fn hold(&mut self, bytes: Bytes) -> Bytes {
        let length = bytes.len() as u64;
        if length <= self.room() {
            self.held += length;
        }
        bytes
    }

    /// A spool with what room in memory is left.
    pub(super) fn spool(&self) -> Spool {
        Spool::new(self.room())
    }

    /// All that is in the spool.
    pub(super) fn keep(&mut self, spool: Spool) -> Result<Bytes> {
        spool.finish().map(|bytes| self.hold(bytes))
    }

    /// Notes `bytes` more; an error once they are too many.
    pub fn spend(&mut self, bytes: u64) -> Result<()> {
        self.inflated += bytes;
        let limits = self.limits;
        if self.inflated > limits.inflated_bytes {
            let message =
                format!("the file inflates to more than {}", human_bytes(limits.inflated_bytes));
            return Err(Issue::limit(Code::InflatedTooLarge, message, "inflated_bytes").into());
        }
        let ratio_bound = self.input.max(1).saturating_mul(limits.inflation_ratio);
        if self.inflated > limits.ratio_free_bytes.max(ratio_bound) {
            let message = format!(
                "{} inflate to more than {}, over {} : 1",
                human_bytes(self.input),
                human_bytes(self.inflated),
                limits.inflation_ratio
            );
            return Err(Issue::limit(Code::InflatedTooLarge, message, "inflation_ratio").into());
        }
        if let Some(compressed) = self.part {
            let part_bound = compressed.max(1).saturating_mul(limits.part_ratio);
            if self.inflated > PART_FREE_BYTES.max(part_bound) {
                let message = format!(
                    "a part of the workbook inflates from {} to more than {}, over {} : 1",
                    human_bytes(compressed),
                    human_bytes(PART_FREE_BYTES.max(part_bound)),
                    limits.part_ratio
                );
                return Err(Issue::limit(Code::InflatedTooLarge, message, "part_ratio").into());
            }
        }
        if self.started.elapsed() > limits.time {
            let message = format!("inflating took more than {} s", limits.time.as_secs_f64());
            return Err(Issue::limit(Code::Timeout, message, "time").into());
        }
        Ok(())
    }
}
