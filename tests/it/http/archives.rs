//! C5 and C6 of the contract's tests: compressions declared wrongly, broken and hostile archives,
//! and files of several tables in datasets. After each of them the server goes on.

use serde_json::{Value, json};
use tablemill::Source;

use super::client::{Answer, Server};
use super::report::{read, rows};
use crate::boundaries::fixtures;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).unwrap()
}

fn sent(server: &Server, file_type: &str, compression: &str, name: &str) -> (String, Value) {
    let id = server.create(json!({"file_type": file_type, "file_compression": compression}));
    let record = server.upload(&id, "", &fixture(name));
    (id, record)
}

/// The names and sizes of the tables, in their order.
fn tables(record: &Value) -> Vec<(&str, u64)> {
    let tables = record["tables_schemas"].as_array().unwrap().iter();
    tables.map(|t| (t["name"].as_str().unwrap(), t["num_rows"].as_u64().unwrap())).collect()
}

/// The bytes are kept and explained, nothing came of them, and the next request is answered.
fn refused(server: &Server, id: &str, record: &Value, stage: &str, code: &str, what: &str) {
    assert_eq!(record["is_valid"], false, "{what}: {record}");
    assert_eq!(record["is_uploaded"], true, "{what}");
    let stages: Vec<&String> = record["errors"].as_object().unwrap().keys().collect();
    assert_eq!(stages, [stage], "{what}: {record}");
    assert_eq!(record["errors"][stage][0]["code"], code, "{what}: {record}");
    assert_eq!(record["tables_schemas"], json!([]), "{what}");
    assert_eq!(server.record(id), *record, "{what}");
    assert_eq!(server.get(&format!("/api/v2/files/{id}/tables/0")).status, 409, "{what}");
    server.csv();
}

#[test]
fn compressions_declared_wrongly_are_named_and_mended() {
    let server = Server::start();
    let mut checked = 0;
    for (extension, found) in [
        ("", ""),
        (".gz", "gzip"),
        (".bz2", "bz2"),
        (".zip", "zip"),
        (".xz", "xz"),
        (".zst", "zstd"),
    ] {
        let name = format!("matrix/orders.csv{extension}");
        let right = if found == "zstd" { "" } else { found };
        for wrong in ["gzip", "bz2", "zip", "xz"].into_iter().filter(|wrong| *wrong != found) {
            let (id, record) = sent(&server, "csv", wrong, &name);
            let what = format!("{name} declared {wrong}");
            refused(&server, &id, &record, "decompress", "compression_mismatch", &what);
            assert_eq!(record["file_compression"], wrong, "{what}");
            assert_eq!(record["detected"]["compression"], found, "{what}");
            let hint = record["errors"]["decompress"][0]["hint"].as_str().unwrap();
            let patch = json!({"file_compression": right});
            assert!(hint.starts_with(&format!("PATCH {patch} ")), "{what}: {hint}");
            let mended = server.json("PATCH", &format!("/api/v2/files/{id}"), &patch).value();
            assert_eq!(mended["is_valid"], true, "{what}: {mended}");
            assert_eq!(mended["tables_schemas"][0]["num_rows"], 20, "{what}");
            checked += 1;
        }
    }
    assert_eq!(checked, 4 + 4 * 3 + 4);
}

#[test]
fn members_one_after_another_are_one_file() {
    let server = Server::start();
    for (compression, name) in [
        ("gzip", "multi_member.csv.gz"),
        ("gzip", "zero_padded.csv.gz"),
        ("bz2", "multi_stream.csv.bz2"),
        ("xz", "multi_stream.csv.xz"),
        ("", "multi_frame.csv.zst"),
    ] {
        for declared in ["", compression] {
            let (_, record) = sent(&server, "csv", declared, &format!("archives/{name}"));
            assert_eq!(record["errors"], json!({}), "{name}");
            assert_eq!(tables(&record), [("Untitled 0", 20)], "{name}");
        }
    }
}

#[test]
fn broken_and_locked_archives() {
    let server = Server::start();
    for (compression, name, code) in [
        ("gzip", "truncated.csv.gz", "truncated"),
        ("bz2", "truncated.csv.bz2", "truncated"),
        ("zip", "truncated.csv.zip", "truncated"),
        ("xz", "truncated.csv.xz", "truncated"),
        ("", "truncated.csv.zst", "truncated"),
        ("gzip", "second_member_cut.csv.gz", "truncated"),
        ("gzip", "bad_crc.csv.gz", "corrupt"),
        ("bz2", "flipped.csv.bz2", "corrupt"),
        ("zip", "flipped.csv.zip", "corrupt"),
        ("xz", "flipped.csv.xz", "corrupt"),
        ("zip", "encrypted.zip", "encrypted"),
        ("zip", "encrypted_aes.zip", "encrypted"),
        ("zip", "no_members.zip", "no_members"),
        ("zip", "too_deep.zip", "nested_too_deep"),
    ] {
        for declared in ["", compression] {
            let (id, record) = sent(&server, "csv", declared, &format!("broken/{name}"));
            refused(&server, &id, &record, "decompress", code, name);
        }
    }
}

#[test]
fn bombs_are_put_out() {
    let server = Server::with(|config| config.limits.ratio_free_bytes = 8 << 20);
    for (name, bytes) in [
        ("bomb.csv.bz2", 1_000),
        ("bomb.csv.bz2.gz", 1_000),
        ("bomb.csv.zst", 100_000),
        ("bomb.zip", 1_000),
    ] {
        let (id, record) = sent(&server, "csv", "", &format!("broken/{name}"));
        assert!(record["bytes_count"].as_u64().unwrap() < bytes, "{name}");
        refused(&server, &id, &record, "limits", "inflated_too_large", name);
    }
}

const DATASETS: &str = "/api/v2/upload/datasets/";

/// Asks for a dataset of a table whose edges go from one column to another.
fn dataset(server: &Server, reference: &Value, source: &str, destination: &str) -> Answer {
    let body = json!({
        "node_encodings": {"bindings": {}},
        "edge_encodings": {"bindings": {"source": source, "destination": destination}},
        "metadata": {}, "name": "n", "edge_files": [reference], "node_files": [],
    });
    server.json("POST", DATASETS, &body)
}

/// The rows that a dataset keeps of a file once the file is gone.
fn frozen(server: &Server, id: &str) -> Value {
    assert_eq!(server.send("DELETE", &format!("/api/v2/files/{id}"), b"").status, 204);
    let shelves = std::fs::read_dir(server.data.path().join("blobs")).unwrap();
    let blobs: Vec<_> = shelves
        .flat_map(|shelf| std::fs::read_dir(shelf.unwrap().path()).unwrap())
        .map(|blob| blob.unwrap().path())
        .collect();
    assert_eq!(blobs.len(), 1, "{blobs:?}");
    rows(&read(Source::path(&blobs[0]), "arrow").tables[0])
}

#[test]
fn a_dataset_of_the_second_sheet() {
    for (file_type, name) in [("xlsx", "excel/multi_sheet.xlsx"), ("xls", "excel/multi_sheet.xls")]
    {
        let server = Server::start();
        let (id, record) = sent(&server, file_type, "", name);
        assert_eq!(tables(&record), [("Orders 2026", 20), ("Lager", 3), ("Hidden", 1)], "{name}");
        assert_eq!(record["warnings"][0]["code"], "empty_sheet", "{name}");
        // Only the second table has these columns.
        let made = dataset(&server, &json!([id, 1]), "sku", "stock");
        assert_eq!(made.status, 201, "{made:?}");
        for other in [json!(id), json!([id, 0]), json!([id, 2])] {
            let answer = dataset(&server, &other, "sku", "stock");
            assert_eq!(answer.status, 422, "{answer:?}");
            assert_eq!(answer.value()["message"], "Invalid edges bindings");
        }
        let answer = dataset(&server, &json!([id, 3]), "sku", "stock");
        assert_eq!(answer.value()["message"], "Invalid file reference");
        for sheet in ["Orders 2026", "Lager", "Hidden"] {
            assert!(answer.text().contains(sheet), "{answer:?}");
        }
        let expected = read(Source::path(fixtures().join(name)), file_type);
        assert_eq!(frozen(&server, &id), rows(&expected.tables[1]), "{name}");
    }
}

#[test]
fn a_dataset_of_the_second_member() {
    let name = "archives/three_csv.zip";
    for declared in ["", "zip"] {
        let server = Server::start();
        let (id, record) = sent(&server, "csv", declared, name);
        assert_eq!(tables(&record), [("january", 7), ("february", 7), ("march", 6)]);
        let members = json!(["export/january.csv", "export/february.csv", "export/march.csv"]);
        assert_eq!(record["detected"]["members"], members);
        for (index, table) in ["january", "february", "march"].into_iter().enumerate() {
            let path = |table: &str| format!("/api/v2/files/{id}/tables/{table}?format=json");
            let by_name = server.get(&path(table)).value();
            assert_eq!(server.get(&path(&index.to_string())).value(), by_name);
        }
        let second = server.get(&format!("/api/v2/files/{id}/tables/1?format=json")).value();
        assert_eq!((&second[0]["order_id"], &second[0]["zip"]), (&json!(1008), &json!("00501")));
        let made = dataset(&server, &json!([id, 1]), "order_id", "customer");
        assert_eq!(made.status, 201, "{made:?}");
        // Its columns are those of the others; what it kept says which table it is.
        assert_eq!(frozen(&server, &id), second);
    }
}
