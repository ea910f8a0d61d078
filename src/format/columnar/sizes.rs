//! How much memory decoded values take: of a dictionary's one long value there may be millions.

use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayData, RecordBatch};
use arrow::datatypes::DataType;

use crate::error::Result;
use crate::limits::{Limits, human_bytes};
use crate::report::{Code, Issue};

/// Bytes that all jobs have decoded and kept.
pub(super) struct Decoded<'a> {
    bytes: AtomicU64,
    limits: &'a Limits,
}

impl<'a> Decoded<'a> {
    pub fn new(limits: &'a Limits) -> Self {
        Decoded { bytes: AtomicU64::new(0), limits }
    }

    /// Counts a batch; an error where all are too many.
    pub fn add(&self, batch: &RecordBatch) -> Result<()> {
        let bytes = of(batch);
        let total = self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if total <= self.limits.inflated_bytes {
            return Ok(());
        }
        let most = human_bytes(self.limits.inflated_bytes);
        let message = format!("the values decoded take more than {most}");
        Err(Issue::limit(Code::InflatedTooLarge, message, "inflated_bytes").into())
    }
}

/// Bytes of the values of a batch, without those that other batches share.
pub(super) fn of(batch: &RecordBatch) -> u64 {
    batch.columns().iter().map(|column| of_array(&column.to_data())).sum()
}

fn of_array(data: &ArrayData) -> u64 {
    let rows = data.len() as u64;
    match data.data_type() {
        DataType::Dictionary(_, _) => rows * 8,
        DataType::Utf8View | DataType::BinaryView => rows * 16,
        _ if !data.child_data().is_empty() => {
            data.child_data().iter().map(of_array).sum::<u64>() + rows * 8
        }
        _ => data.get_slice_memory_size().map_or(rows * 8, |bytes| bytes as u64),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;

    use super::*;

    #[test]
    fn what_is_decoded_is_bounded() {
        let texts = StringArray::from_iter_values((0..1000).map(|_| "x".repeat(1000)));
        let batch = RecordBatch::try_from_iter([("text", Arc::new(texts) as _)]).unwrap();
        assert!((1_000_000..1_010_000).contains(&of(&batch)));
        let limits = Limits { inflated_bytes: 1_500_000, ..Limits::default() };
        let decoded = Decoded::new(&limits);
        decoded.add(&batch).unwrap();
        let error = decoded.add(&batch).unwrap_err();
        assert_eq!(error.issue().code, Code::InflatedTooLarge);
    }
}
