//! Every bound in one struct, handed down every stage. No default means "unbounded".

use std::time::Duration;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// How much of anything a file may have. Over a bound the answer is an error of kind
/// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) that names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of a file as it comes, and of an upload. 64 GiB; a server sets 1 GiB.
    pub input_bytes: u64,
    /// Bytes out of all compressions of one file together. 8 GiB.
    pub inflated_bytes: u64,
    /// Bytes out for each byte in, counted once `ratio_free_bytes` have come out. 1,000.
    pub inflation_ratio: u64,
    /// Bytes that may come out before the ratio counts. 256 MiB.
    pub ratio_free_bytes: u64,
    /// Layers of compression. 3.
    pub nesting: usize,
    /// Members of an archive. 10,000.
    pub archive_entries: usize,
    /// Bytes held in memory while inflating; beyond it they go to a temporary file. 64 MiB.
    pub spool_bytes: u64,
    /// Tables of one file. 1,000.
    pub tables: usize,
    /// Columns of one table. 16,384.
    pub columns: usize,
    /// Rows of one table. 2³¹ − 1.
    pub rows: u64,
    /// Bytes of one value. 64 MiB.
    pub value_bytes: u64,
    /// Cells of a workbook, empty ones in between included. 200 million.
    pub sheet_cells: u64,
    /// Nesting of a JSON document. 128, which is also the most.
    pub json_depth: usize,
    /// Issues listed in a report; all are counted. 1,000.
    pub issues: usize,
    /// SQL steps of one file. 100.
    pub sql_steps: usize,
    /// Bytes of one SQL text. 100 kB.
    pub sql_text_bytes: usize,
    /// Memory of one SQL run. 2 GiB.
    pub sql_memory_bytes: u64,
    /// Time of one SQL run. 60 s.
    pub sql_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            input_bytes: 64 * GIB,
            inflated_bytes: 8 * GIB,
            inflation_ratio: 1_000,
            ratio_free_bytes: 256 * MIB,
            nesting: 3,
            archive_entries: 10_000,
            spool_bytes: 64 * MIB,
            tables: 1_000,
            columns: 16_384,
            rows: (1 << 31) - 1,
            value_bytes: 64 * MIB,
            sheet_cells: 200_000_000,
            json_depth: 128,
            issues: 1_000,
            sql_steps: 100,
            sql_text_bytes: 100_000,
            sql_memory_bytes: 2 * GIB,
            sql_time: Duration::from_secs(60),
        }
    }
}

/// A number of bytes as people write it: `1.5 MiB`.
pub fn human_bytes(bytes: u64) -> String {
    let (unit, size) = match bytes {
        b if b >= GIB => ("GiB", GIB),
        b if b >= MIB => ("MiB", MIB),
        b if b >= KIB => ("KiB", KIB),
        b => return format!("{b} bytes"),
    };
    let value = bytes as f64 / size as f64;
    if value.fract() == 0.0 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}
