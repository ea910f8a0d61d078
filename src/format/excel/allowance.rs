//! How much may be made of a workbook: texts that many cells share, and rows and columns of nothing.
//!
//! A cell holds the number of a shared text, so a small file can ask for any number of copies of a
//! long one; two cells far apart ask for all rows and columns between them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::limits::{Limits, human_bytes};
use crate::report::{Code, Issue};

/// What may still be made of one workbook.
pub(super) struct Allowance {
    /// Bytes of texts in all, and those that are left.
    texts: u64,
    left: AtomicU64,
}

impl Allowance {
    /// For a file of `input` bytes: what its compression might hold is what its cells may repeat.
    pub fn new(input: u64, limits: &Limits) -> Self {
        let texts = input.saturating_mul(limits.inflation_ratio).max(limits.ratio_free_bytes);
        let texts = texts.min(limits.inflated_bytes);
        Allowance { texts, left: AtomicU64::new(texts) }
    }

    /// Takes so many bytes of texts that are about to be made.
    pub fn spend_texts(&self, bytes: u64) -> Result<()> {
        let take = |left: u64| left.checked_sub(bytes);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => Ok(()),
            Err(_) => {
                let message = format!(
                    "the texts that the workbook's cells share come to more than {}",
                    human_bytes(self.texts)
                );
                Err(Issue::limit(Code::InflatedTooLarge, message, "inflation_ratio").into())
            }
        }
    }
}

/// Checks how many cells the tables span against those that are there.
pub(super) fn check_spanned(spanned: u64, present: u64, limits: &Limits) -> Result<()> {
    if spanned > limits.sheet_cells {
        let message = "the tables of the workbook span more cells than allowed";
        return Err(Issue::limit(Code::TooManyCells, message, "sheet_cells").into());
    }
    let is_small = spanned.saturating_mul(8) <= limits.ratio_free_bytes;
    if is_small || spanned <= present.saturating_mul(limits.inflation_ratio) {
        return Ok(());
    }
    let message = format!(
        "{present} cells span tables of {spanned} cells, more than {} for each",
        limits.inflation_ratio
    );
    let issue = Issue::limit(Code::TooManyCells, message, "inflation_ratio");
    Err(issue.hint("range names the cells to read; the limit is `inflation_ratio`").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_by_the_file() {
        let limits = Limits { ratio_free_bytes: 100, inflation_ratio: 10, ..Limits::default() };
        let allowance = Allowance::new(50, &limits);
        assert!(allowance.spend_texts(400).is_ok());
        assert!(allowance.spend_texts(100).is_ok());
        let error = allowance.spend_texts(1).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::LimitExceeded);
        assert!(Allowance::new(1, &limits).spend_texts(100).is_ok());
    }

    #[test]
    fn cells_of_nothing_are_bounded() {
        let limits = Limits::default();
        assert!(check_spanned(100_000_000, 10_000, &limits).is_err());
        assert!(check_spanned(100_000_000, 100_000, &limits).is_ok());
        assert!(check_spanned(10_000_000, 2, &limits).is_ok());
        assert!(check_spanned(300_000_000, 300_000_000, &limits).is_err());
    }
}
