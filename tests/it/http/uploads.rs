//! Sections 4.2, 5.3, 6 and 8 of the contract: what uploads do, good and bad.

use std::io::Write;

use serde_json::{Value, json};
use tablemill::format::write::{OutputFormat, WriteOptions, write_table};
use tablemill::{Limits, Options, Source, ingest};

use super::client::{Server, read_answer};

/// The same small table in another format.
pub fn table_as(format: OutputFormat) -> Vec<u8> {
    let source = Source::bytes(r#"[{"s":"a","d":"b","v":1},{"s":"b","d":"c","v":2}]"#);
    let read = ingest(source.named("t.json"), &Options::default(), &Limits::default()).unwrap();
    let mut bytes = Vec::new();
    write_table(&read.tables[0], format, &WriteOptions::default(), &mut bytes).unwrap();
    bytes
}

#[test]
fn columnar_json_as_documented() {
    let server = Server::start();
    let id = server.create(json!({"file_type": "json", "name": "myedges"}));
    let body = br#"{"s": ["a","b","c"], "d": ["b","c","a"], "v": [1,2,3],
                    "agent_name": "@graphistry/js-upload-api", "agent_version": "9.9"}"#;
    // curl -d says that this is a form.
    let headers = [
        ("Authorization", &*format!("Bearer {}", server.token)),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let answer = server.send_with("POST", &format!("/api/v2/upload/files/{id}"), &headers, body);
    assert_eq!(answer.status, 200);
    let record = answer.value();
    assert_eq!(
        record["tables_schemas"],
        json!([{
            "name": "Untitled 0", "dtypes": {"s": "object", "d": "object", "v": "int64"},
            "num_cols": 3, "num_rows": 3,
        }])
    );
    assert_eq!(record["errors"], json!({}));
    assert_eq!(record["agent_name"], "@graphistry/js-upload-api");
    assert_eq!(record["agent_version"], "9.9");
    assert_eq!(record["bytes_count"], body.len());
    assert_eq!(record["detected"]["file_type"], "json");
}

#[test]
fn arrow_in_both_framings() {
    let server = Server::start();
    for (format, framing) in [(OutputFormat::Arrow, "file"), (OutputFormat::ArrowStream, "stream")]
    {
        let id = server.create(json!({"file_type": "arrow"}));
        let record = server.upload(&id, "", &table_as(format));
        assert_eq!(record["is_valid"], true, "{record}");
        assert_eq!(record["detected"]["framing"], framing);
    }
}

#[test]
fn erase_decides_whether_bad_bytes_stay() {
    let server = Server::start();
    let bytes = table_as(OutputFormat::Parquet);
    let id = server.create(json!({"file_type": "csv"}));
    let path = format!("/api/v2/files/{id}");
    for (query, kept) in
        [("?erase=true", false), ("?erase=False", true), ("", true), ("?erase=1", false)]
    {
        let record = server.upload(&id, query, &bytes);
        assert_eq!(record["is_valid"], false);
        assert_eq!(record["is_uploaded"], kept, "{query}");
        assert_eq!(record["bytes_count"], if kept { bytes.len() } else { 0 });
        let error = &record["errors"]["detect"][0];
        assert_eq!(error["code"], "type_mismatch", "{record}");
        assert_eq!(record["detected"]["file_type"], "parquet");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.starts_with("PATCH {\"file_type\":\"parquet\"}"), "{hint}");
        assert_eq!(record["tables_schemas"], json!([]));
        assert!(record["detected"].is_object());
        assert_eq!(server.record(&id), record);
        let data = server.get(&format!("{path}/data"));
        assert_eq!(data.status, if kept { 200 } else { 404 });
        let table = server.get(&format!("{path}/tables/0"));
        assert_eq!(table.status, if kept { 409 } else { 404 });
        assert_eq!(server.blobs(), usize::from(kept));
    }
    // A good upload is erased by a bad one, and the same id takes a good one again.
    let good = b"a\n1\n";
    assert_eq!(server.upload(&id, "?erase=true", good)["is_valid"], true);
    assert_eq!(server.upload(&id, "?erase=true", &bytes)["is_uploaded"], false);
    assert_eq!(server.upload(&id, "?erase=true", good)["is_valid"], true);
    assert_eq!(server.blobs(), 2);
    let answer = server.send("POST", &format!("/api/v2/upload/files/{id}?erase=maybe"), good);
    assert_eq!(answer.status, 400);
    assert!(answer.value()["erase"][0].is_string());
}

#[test]
fn a_mismatch_is_mended_by_a_patch() {
    let server = Server::start();
    let id = server.create(json!({"file_type": "csv"}));
    server.upload(&id, "", &table_as(OutputFormat::Parquet));
    let path = format!("/api/v2/files/{id}");
    let record = server.json("PATCH", &path, &json!({"file_type": "parquet"})).value();
    assert_eq!(record["is_valid"], true, "{record}");
    assert_eq!(record["tables_schemas"][0]["num_rows"], 2);
}

#[test]
fn options_in_the_query_stay_with_the_record() {
    let server = Server::start();
    let id = server.create(json!({"file_type": "csv", "parser_options": {"header": 0}}));
    let path = "?sep=%3B&orient=columnar&validate=true&seperator=x";
    let record = server.upload(&id, path, b"a;b\n1;2\n");
    assert_eq!(record["is_valid"], true, "{record}");
    let options = &record["parser_options"];
    assert_eq!(*options, json!({"header": 0, "sep": ";", "orient": "columnar"}));
    let warnings = record["warnings"].to_string();
    assert!(warnings.contains("validate") && warnings.contains("seperator"), "{warnings}");
    let record = server.upload(&id, "?nrows=many", b"a;b\n1;2\n");
    assert_eq!(record["is_valid"], false);
    assert_eq!(record["errors"]["parse"][0]["code"], "bad_option", "{record}");
    // What makes no sense is not kept: the next upload is fine.
    assert_eq!(server.upload(&id, "", b"a;b\n1;2\n")["is_valid"], true);
}

#[test]
fn forms_and_empty_bodies_are_named() {
    let server = Server::start();
    let id = server.create(json!({"file_type": "csv"}));
    let form = b"--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\na,b\r\n--x--\r\n";
    let headers = [
        ("Authorization", &*format!("Bearer {}", server.token)),
        ("Content-Type", "multipart/form-data; boundary=x"),
    ];
    let path = format!("/api/v2/upload/files/{id}");
    let record = server.send_with("POST", &path, &headers, form).value();
    assert_eq!(record["errors"]["detect"][0]["code"], "multipart_body", "{record}");
    assert!(record["errors"]["detect"][0]["hint"].as_str().unwrap().contains("--data-binary"));
    let record = server.upload(&id, "", b"");
    assert_eq!(record["errors"]["parse"][0]["code"], "empty", "{record}");
    assert_eq!((&record["is_uploaded"], &record["bytes_count"]), (&json!(true), &json!(0)));
    assert_eq!(server.get(&format!("/api/v2/files/{id}/data")).body, b"");
}

#[test]
fn compression_declared_found_and_wrong() {
    let server = Server::start();
    let zipped = tablemill_gzip(b"a,b\n1,2\n");
    for (declared, valid) in [("", true), ("gzip", true), ("xz", false)] {
        let id = server.create(json!({"file_type": "csv", "file_compression": declared}));
        let record = server.upload(&id, "", &zipped);
        assert_eq!(record["is_valid"], valid, "{record}");
        assert_eq!(record["file_compression"], declared);
        assert_eq!(record["detected"]["compression"], "gzip");
        if !valid {
            let error = &record["errors"]["decompress"][0];
            assert_eq!(error["code"], "compression_mismatch");
            let hint = error["hint"].as_str().unwrap();
            assert!(hint.starts_with("PATCH {\"file_compression\":\"gzip\"}"), "{hint}");
        }
    }
    let id = server.create(json!({"file_type": "csv", "file_compression": "gzip"}));
    let record = server.upload(&id, "", &zipped[..zipped.len() - 6]);
    assert_eq!(record["errors"]["decompress"][0]["code"], "truncated", "{record}");
}

/// gzip without a crate: one stored block.
fn tablemill_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    let length = u16::try_from(bytes.len()).unwrap();
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(bytes);
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    out.extend((!crc).to_le_bytes());
    out.extend(u32::from(length).to_le_bytes());
    out
}

#[test]
fn sql_of_each_shape_and_refused_kinds() {
    let server = Server::start();
    let id = server.create(json!({"file_type": "csv"}));
    server.upload(&id, "", b"s,d,v\na,b,1\na,c,2\nb,c,3\n");
    let path = format!("/api/v2/files/{id}");
    let patch = |sql: Value| server.json("PATCH", &path, &json!({"sql_transforms": sql})).value();
    for (sql, tables) in [
        (json!("SELECT s FROM data"), json!([["Untitled 0", ["s"], 3]])),
        (
            json!(["SELECT s FROM data", "SELECT count(*) AS n FROM data"]),
            json!([["Untitled 0", ["n"], 1]]),
        ),
        (
            json!(["SELECT s, count(*) AS n FROM data GROUP BY s",
                   {"sql": "SELECT s FROM data", "name": "ids"}]),
            json!([["Untitled 0", ["s", "n"], 2], ["ids", ["s"], 2]]),
        ),
        (json!({"Untitled 0": "SELECT v FROM \"Untitled 0\""}), json!([["Untitled 0", ["v"], 3]])),
        (
            json!({"sql": "SELECT d FROM tables.\"Untitled 0\"", "name": "x"}),
            json!([["Untitled 0", ["s", "d", "v"], 3], ["x", ["d"], 3]]),
        ),
        (json!([]), json!([["Untitled 0", ["s", "d", "v"], 3]])),
    ] {
        let record = patch(sql.clone());
        assert_eq!(record["sql_transforms"], sql);
        assert_eq!(record["errors"], json!({}), "{sql}");
        let found: Vec<Value> = record["tables_schemas"]
            .as_array()
            .unwrap()
            .iter()
            .map(|table| {
                let columns: Vec<&String> = table["dtypes"].as_object().unwrap().keys().collect();
                json!([table["name"], columns, table["num_rows"]])
            })
            .collect();
        assert_eq!(json!(found), tables, "{sql}");
    }
    for sql in [
        "DROP TABLE data",
        "SELECT 1 AS a; SELECT 2 AS a",
        "CREATE TABLE x AS SELECT 1",
        "COPY data TO '/tmp/tablemill-test.csv'",
        "INSERT INTO data VALUES (1)",
        "SET datafusion.execution.batch_size = 1",
        "SHOW TABLES",
        "EXPLAIN SELECT 1",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM nope",
        "SELECT nope FROM data",
        "SELEC 1",
    ] {
        let record = patch(json!(sql));
        assert_eq!(record["is_valid"], false, "{sql}");
        let stages: Vec<&String> = record["errors"].as_object().unwrap().keys().collect();
        assert_eq!(stages, ["transform"], "{sql}: {record}");
        let error = &record["errors"]["transform"][0];
        assert!(error["code"].is_string() && error["message"].is_string(), "{error}");
        assert_eq!(record["detected"]["tables"][0]["num_rows"], 3);
        assert!(!record.to_string().contains(env!("CARGO_MANIFEST_DIR")), "{record}");
    }
    assert!(!std::path::Path::new("/tmp/tablemill-test.csv").exists());
    assert_eq!(patch(Value::Null)["is_valid"], true);
}

#[test]
fn a_query_over_its_time_is_stopped() {
    let server = Server::with(|config| {
        config.limits.sql_time = std::time::Duration::from_millis(300);
    });
    let rows: String = (0..3000).map(|n| format!("{n}\n")).collect();
    let sql = "SELECT count(*) AS n FROM data a, data b, data c WHERE a.v * b.v % 7 = c.v % 5";
    let id = server.create(json!({"file_type": "csv", "sql_transforms": sql}));
    let record = server.upload(&id, "", format!("v\n{rows}").as_bytes());
    assert_eq!(record["errors"]["limits"][0]["code"], "timeout", "{record}");
    server.csv();
}

#[test]
fn too_many_columns_is_a_limit() {
    let server = Server::with(|config| config.limits.columns = 2);
    let id = server.create(json!({"file_type": "csv"}));
    let record = server.upload(&id, "", b"a,b,c\n1,2,3\n");
    assert_eq!(record["errors"]["limits"][0]["code"], "too_many_columns", "{record}");
    assert_eq!(record["is_uploaded"], true);
}

#[test]
fn chunked_bodies_and_aborted_ones() {
    let server = Server::start();
    let id = server.csv();
    let before = server.record(&id);
    let bearer = format!("Bearer {}", server.token);
    let path = format!("/api/v2/upload/files/{id}?erase=true");
    // Cut off in the middle of a chunked body, and of one with a length.
    for (header, body) in [
        (("Transfer-Encoding", "chunked"), &b"8\r\nx,y\n1,2\n\r\n"[..]),
        (("Content-Length", "100"), &b"x,y\n1,2\n"[..]),
    ] {
        let mut stream = server.open("POST", &path, &[("Authorization", &bearer), header]);
        stream.write_all(body).unwrap();
        drop(stream);
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(server.record(&id), before);
    assert_eq!(server.blobs(), 2);
    let headers = [("Authorization", bearer.as_str()), ("Transfer-Encoding", "chunked")];
    let mut stream = server.open("POST", &path, &headers);
    stream.write_all(b"4\r\nx,y\n\r\n4\r\n1,2\n\r\n0\r\n\r\n").unwrap();
    let record = read_answer(stream, false).value();
    assert_eq!(record["tables_schemas"][0]["dtypes"], json!({"x": "int64", "y": "int64"}));
    assert_eq!(record["bytes_count"], 8);
}

#[test]
fn two_uploads_at_once_leave_one_whole_result() {
    let server = Server::start();
    let id = server.create(json!({"file_type": "csv"}));
    let bodies: Vec<String> = (1..=4)
        .map(|n| {
            let row = vec![n.to_string(); n].join(",");
            format!("{}\n{row}\n", (0..n).map(|c| format!("c{c}")).collect::<Vec<_>>().join(","))
        })
        .collect();
    std::thread::scope(|scope| {
        for body in &bodies {
            scope.spawn(|| assert_eq!(server.upload(&id, "", body.as_bytes())["is_valid"], true));
        }
    });
    let record = server.record(&id);
    let columns = record["tables_schemas"][0]["num_cols"].as_u64().unwrap() as usize;
    let expected = &bodies[columns - 1];
    assert_eq!(record["bytes_count"], expected.len());
    assert_eq!(server.get(&format!("/api/v2/files/{id}/data")).body, expected.as_bytes());
    assert_eq!(server.blobs(), 2);
}
