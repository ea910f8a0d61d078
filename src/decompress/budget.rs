//! How much may come out of all compressions of one file together.

use crate::error::Result;
use crate::limits::{Limits, human_bytes};
use crate::report::{Code, Issue};

/// Counts what comes out; the bound is absolute, and relative to what went in.
pub struct Budget<'a> {
    limits: &'a Limits,
    input: u64,
    inflated: u64,
}

impl<'a> Budget<'a> {
    /// For `input` bytes that are about to be inflated.
    pub fn new(input: u64, limits: &'a Limits) -> Self {
        Budget { limits, input, inflated: 0 }
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
        Ok(())
    }
}
