//! The bodies of the fuzz targets: one function for each boundary that untrusted bytes cross.
//!
//! Each takes any bytes and must return: no panic, no abort, no hang, no unbounded memory. `fuzz/`
//! calls them under a sanitizer; an ordinary test calls them over all fixtures.

mod arrays;
mod choices;
mod damage;
mod tables;
mod workbooks;
mod wrapped;
mod wrapping;
mod written;

pub use choices::Choices;
pub use damage::{damage, damage_inside};
pub use workbooks::written_xlsx;
pub use wrapped::written_wrapping;
pub use written::{written_arrow, written_orc, written_parquet};

use arrow::array::Array;

use crate::{FileType, Limits, Options, Parallelism, Source, Transforms, ingest};

/// Bounds small enough to find a hole quickly.
fn limits() -> Limits {
    Limits {
        input_bytes: 1 << 20,
        inflated_bytes: 16 << 20,
        ratio_free_bytes: 1 << 20,
        rows: 100_000,
        columns: 1_000,
        value_bytes: 1 << 20,
        sheet_cells: 1_000_000,
        tables: 50,
        sql_memory_bytes: 64 << 20,
        sql_time: std::time::Duration::from_secs(2),
        ..Limits::default()
    }
}

/// What takes any bytes and returns.
pub type Boundary = fn(&[u8]);

/// All boundaries, by the names of their fuzz targets.
pub const ALL: &[(&str, Boundary)] = &[
    ("decompress", decompress),
    ("detect", detect),
    ("csv", csv),
    ("json", json),
    ("arrow", arrow),
    ("parquet", parquet),
    ("orc", orc),
    ("excel", excel),
    ("sql", sql),
    ("written_arrow", written_arrow),
    ("written_parquet", written_parquet),
    ("written_orc", written_orc),
    ("written_wrapping", written_wrapping),
    ("written_xlsx", written_xlsx),
];

fn read(bytes: &[u8], file_type: Option<FileType>) {
    // A fuzzer ends at any panic; those that are turned into errors are none of its business.
    crate::quiet_guarded_panics();
    let options = Options { file_type, ..Options::default() };
    let Ok(found) = ingest(Source::bytes(bytes.to_vec()), &options, &limits()) else { return };
    // Arrays of other crates are handed on to other libraries, which trust them.
    for column in found.tables.iter().flat_map(|t| t.batches()).flat_map(|b| b.columns()) {
        let valid = column.to_data().validate_full();
        assert!(valid.is_ok(), "arrays that are not valid: {valid:?}");
    }
}

/// Any wrapping around anything.
pub fn decompress(bytes: &[u8]) {
    crate::quiet_guarded_panics();
    let limits = Limits { nesting: 5, ..limits() };
    let _ = ingest(Source::bytes(bytes.to_vec()), &Options::default(), &limits);
}

/// Any bytes under any name.
pub fn detect(bytes: &[u8]) {
    crate::quiet_guarded_panics();
    for name in ["", "x.csv", "x.json"] {
        let source = Source::bytes(bytes[..bytes.len().min(4096)].to_vec()).named(name);
        let _ = ingest(source, &Options::default(), &limits());
    }
}

/// Delimited text.
pub fn csv(bytes: &[u8]) {
    read_whole(bytes, FileType::Csv);
    same_rows(bytes, FileType::Csv);
}

/// JSON in any layout.
pub fn json(bytes: &[u8]) {
    read_whole(bytes, FileType::Json);
    same_rows(bytes, FileType::Json);
}

/// The readers that are ours do not panic at all: the guard is there for those of other crates.
fn read_whole(bytes: &[u8], file_type: FileType) {
    crate::quiet_guarded_panics();
    let options = Options { file_type: Some(file_type), ..Options::default() };
    if let Err(error) = ingest(Source::bytes(bytes.to_vec()), &options, &limits()) {
        let found = error.report().and_then(|report| report.file.format.as_deref());
        let is_ours = found.is_none_or(|found| found == file_type.as_str());
        let message = error.to_string();
        assert!(!is_ours || !message.contains("gave up on damaged data"), "{message}");
    }
}

/// Cut into many chunks a text has to give the same rows, now and when they are read again.
fn same_rows(bytes: &[u8], file_type: FileType) {
    crate::quiet_guarded_panics();
    let rows = |chunk_bytes, leave_rows| {
        let options = Options {
            file_type: Some(file_type),
            parallelism: Parallelism { threads: 2, chunk_bytes },
            leave_rows,
            ..Options::default()
        };
        let Ok(found) = ingest(Source::bytes(bytes.to_vec()), &options, &limits()) else {
            return None;
        };
        let mut rows = 0;
        for table in &found.tables {
            let counted = table.each_batch(&mut |batch| {
                rows += batch.num_rows();
                Ok(true)
            });
            assert!(counted.is_ok(), "rows that were read once cannot be read again");
        }
        Some(rows)
    };
    let whole = rows(0, false);
    assert_eq!(rows(100, false), whole, "chunks change the number of rows");
    assert_eq!(rows(100, true), whole, "rows are lost in the file");
}

/// Arrow IPC, file and stream.
pub fn arrow(bytes: &[u8]) {
    read(bytes, Some(FileType::Arrow));
}

/// Parquet.
pub fn parquet(bytes: &[u8]) {
    read(bytes, Some(FileType::Parquet));
}

/// ORC.
pub fn orc(bytes: &[u8]) {
    read(bytes, Some(FileType::Orc));
}

/// Workbooks of all kinds.
pub fn excel(bytes: &[u8]) {
    read_whole(bytes, FileType::Xlsx);
}

/// SQL text over a small table.
pub fn sql(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(transforms) = Transforms::from_json(&serde_json::Value::from(text)) else { return };
    let options = Options { transforms, ..Options::default() };
    let source = Source::bytes("s,d,v\na,b,1\nb,c,2.5\n").named("data.csv");
    let _ = ingest(source, &options, &limits());
}
