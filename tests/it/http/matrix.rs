//! One table in every type and wrapping, through the whole flow, beside the library.

use serde_json::{Value, json};
use tablemill::Source;

use super::client::Server;
use super::report::{compare, read, rows};
use crate::boundaries::{files, fixtures};

/// The v2 flow's name of a compression by its extension; zstd has none.
fn declarable(extension: Option<&str>) -> Option<&'static str> {
    match extension? {
        "gz" => Some("gzip"),
        "bz2" => Some("bz2"),
        "zip" => Some("zip"),
        "xz" => Some("xz"),
        "zst" => None,
        other => panic!("a new wrapping: {other}"),
    }
}

/// Creates and uploads; gives the id and the record.
fn sent(server: &Server, file_type: &str, compression: &str, bytes: &[u8]) -> (String, Value) {
    let id = server.create(json!({"file_type": file_type, "file_compression": compression}));
    let record = server.upload(&id, "?erase=true", bytes);
    assert_eq!(record["file_compression"], compression);
    assert_eq!(record["bytes_count"], bytes.len());
    assert_eq!(server.record(&id), record);
    (id, record)
}

#[test]
fn every_type_and_wrapping_as_the_library_reads_it() {
    let server = Server::start();
    let (mut uploads, mut compared) = (0, 0);
    for path in files(&fixtures().join("matrix")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let parts: Vec<&str> = name.split('.').collect();
        let (file_type, wrapping) = (parts[1], parts.get(2).copied());
        let report = read(Source::path(&path), file_type).report;
        let bytes = std::fs::read(&path).unwrap();
        for compression in [Some(""), declarable(wrapping)].into_iter().flatten() {
            let (_, record) = sent(&server, file_type, compression, &bytes);
            let what = format!("{name} declared {compression:?}");
            compared += compare(&record, &report, &what);
            assert_eq!(record["errors"], json!({}), "{what}");
            assert_eq!(record["detected"]["file_type"], file_type, "{what}");
            let found = declarable(wrapping).or(wrapping.map(|_| "zstd")).unwrap_or("");
            assert_eq!(record["detected"]["compression"], found, "{what}");
            let table = &record["tables_schemas"][0];
            assert_eq!((&table["num_rows"], &table["num_cols"]), (&json!(20), &json!(7)), "{what}");
            uploads += 1;
        }
    }
    // 42 with nothing declared, and the four compressions that have a name for seven types.
    assert_eq!((uploads, compared), (42 + 28, 4 * (42 + 28)));
}

#[test]
fn warnings_are_the_librarys() {
    let server = Server::start();
    let mut warned = 0;
    for (file_type, name) in [
        ("csv", "csv/ragged.csv"),
        ("csv", "csv/latin1.csv"),
        ("csv", "csv/dup_header.csv"),
        ("csv", "archives/mixed_members.zip"),
        ("csv", "archives/trailing_garbage.csv.gz"),
        ("xls", "excel/types.xls"),
        ("xlsx", "excel/errors.xlsx"),
        ("xlsx", "excel/multi_sheet.xlsx"),
    ] {
        let path = fixtures().join(name);
        let report = read(Source::path(&path), file_type).report;
        let (_, record) = sent(&server, file_type, "", &std::fs::read(&path).unwrap());
        compare(&record, &report, name);
        warned += usize::from(record["warnings"] != json!([]));
    }
    assert_eq!(warned, 8);
}

#[test]
fn a_table_of_every_type_in_four_formats() {
    let server = Server::start();
    let mut compared = 0;
    for file_type in ["arrow", "csv", "json", "orc", "parquet", "xls", "xlsx"] {
        let path = fixtures().join(format!("matrix/orders.{file_type}"));
        let expected = rows(&read(Source::path(&path), file_type).tables[0]);
        assert_eq!(expected.as_array().unwrap().len(), 20);
        let (id, _) = sent(&server, file_type, "", &std::fs::read(&path).unwrap());
        for format in ["json", "csv", "arrow", "parquet"] {
            let answer = server.get(&format!("/api/v2/files/{id}/tables/0?format={format}"));
            assert_eq!(answer.status, 200, "{file_type} as {format}");
            assert_eq!(answer.header("x-total-rows"), Some("20"));
            let got = match format {
                "json" => answer.value(),
                _ => rows(&read(Source::bytes(answer.body), format).tables[0]),
            };
            assert_eq!(got, expected, "{file_type} as {format}");
            compared += 1;
        }
    }
    assert_eq!(compared, 28);
}
