//! Sections 5.7 and 5.8 of the contract: bytes and tables out again.

use serde_json::{Value, json};
use tablemill::{FileType, Limits, Options, Source, ingest};

use super::client::{Answer, Server};

fn get(server: &Server, path: &str, header: (&str, &str)) -> Answer {
    let bearer = format!("Bearer {}", server.token);
    server.send_with("GET", path, &[("Authorization", &bearer), header], b"")
}

#[test]
fn bytes_with_etag_and_ranges() {
    let server = Server::start();
    let id = server.csv();
    let path = format!("/api/v2/files/{id}/data");
    let whole = server.get(&path);
    assert_eq!(whole.body, b"s,d,v\na,b,1\nb,c,2\nc,a,3\n");
    assert_eq!(whole.header("content-type"), Some("application/octet-stream"));
    assert_eq!(whole.header("content-length"), Some("24"));
    assert_eq!(whole.header("content-disposition"), Some("attachment; filename=\"myedges.csv\""));
    assert_eq!(whole.header("x-content-type-options"), Some("nosniff"));
    let etag = whole.header("etag").unwrap();
    assert_eq!(etag.len(), 66);
    let same = get(&server, &path, ("If-None-Match", etag));
    assert_eq!((same.status, same.body.len()), (304, 0));
    let part = get(&server, &path, ("Range", "bytes=6-11"));
    assert_eq!((part.status, part.text()), (206, "a,b,1\n"));
    assert_eq!(part.header("content-range"), Some("bytes 6-11/24"));
    assert_eq!(get(&server, &path, ("Range", "bytes=-6")).text(), "c,a,3\n");
    let outside = get(&server, &path, ("Range", "bytes=24-"));
    assert_eq!(outside.status, 416);
    assert_eq!(outside.header("content-range"), Some("bytes */24"));
    let head = server.send("HEAD", &path, b"");
    assert_eq!(head.header("content-length"), Some("24"));

    let empty = server.create(json!({"file_type": "csv"}));
    let answer = server.get(&format!("/api/v2/files/{empty}/data"));
    assert_eq!(answer.status, 404);
    assert_eq!(answer.value(), json!({"detail": "This file has no uploaded data."}));
    assert_eq!(server.get(&format!("/api/v2/files/{empty}/tables/0")).status, 404);
}

#[test]
fn tables_in_four_formats_agree() {
    let server = Server::start();
    let id =
        server.create(json!({"file_type": "csv", "name": "n", "parser_options": {"sep": ","}}));
    let record = server.upload(&id, "", "s,v,f\n\"a,é\",1,1.5\n,2,\nc,3,-2.25\n".as_bytes());
    assert_eq!(record["is_valid"], true, "{record}");
    let path = format!("/api/v2/files/{id}/tables/0");
    let json = server.get(&format!("{path}?format=json"));
    assert_eq!(json.header("x-total-rows"), Some("3"));
    let expected = json!([
        {"s": "a,é", "v": 1, "f": 1.5}, {"s": null, "v": 2, "f": null},
        {"s": "c", "v": 3, "f": -2.25},
    ]);
    assert_eq!(json.value(), expected);
    let csv = server.get(&format!("{path}?format=csv"));
    assert_eq!(csv.text(), "s,v,f\n\"a,é\",1,1.5\n,2,\nc,3,-2.25\n");
    for (query, accept, file_type) in [
        ("", "*/*", FileType::Arrow),
        ("?format=arrow", "application/vnd.apache.arrow.stream", FileType::Arrow),
        ("?format=parquet", "*/*", FileType::Parquet),
    ] {
        let answer = get(&server, &format!("{path}{query}"), ("Accept", accept));
        assert_eq!(answer.status, 200);
        if accept != "*/*" {
            assert_eq!(answer.header("content-type"), Some(accept));
            assert_eq!(answer.body[..4], [255; 4]);
        }
        let options = Options { file_type: Some(file_type), ..Options::default() };
        let read = ingest(Source::bytes(answer.body), &options, &Limits::default()).unwrap();
        let mut text = Vec::new();
        tablemill::format::write::write_table(
            &read.tables[0],
            tablemill::format::write::OutputFormat::Json,
            &Default::default(),
            &mut text,
        )
        .unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), expected);
    }
    let rows = server.get(&format!("{path}?format=json&offset=1&limit=1")).value();
    assert_eq!(rows, json!([expected[1]]));
    assert_eq!(server.get(&format!("{path}?format=json&offset=9")).value(), json!([]));
    let head = server.send("HEAD", &format!("{path}?format=csv"), b"");
    assert_eq!((head.status, head.header("x-total-rows")), (200, Some("3")));
}

#[test]
fn tables_by_name_and_what_is_refused() {
    let server = Server::start();
    let sql = json!([{"sql": "SELECT s FROM data", "name": "id s/é"}]);
    let id = server.create(json!({"file_type": "csv", "sql_transforms": sql}));
    server.upload(&id, "", b"s\na\n");
    let path = |rest: &str| format!("/api/v2/files/{id}/tables/{rest}");
    for segment in ["1", "id%20s%2F%C3%A9", "Untitled%200"] {
        let answer = server.get(&path(&format!("{segment}?format=csv")));
        assert_eq!((answer.status, answer.text()), (200, "s\na\n"), "{segment}");
    }
    let answer = server.get(&path("2"));
    assert_eq!(answer.status, 404);
    assert_eq!(answer.value(), json!({"detail": "Not found.", "tables": ["Untitled 0", "id s/é"]}));
    let answer = server.get(&path("0?format=xml"));
    assert_eq!(answer.status, 400);
    assert_eq!(answer.value(), json!({"format": ["\"xml\" is not a valid choice."]}));
    assert_eq!(server.get(&path("0?limit=-1")).status, 400);
    assert_eq!(server.get(&path("0?offset=x")).status, 400);
    server.json("PATCH", &format!("/api/v2/files/{id}"), &json!({"file_type": "orc"}));
    let answer = server.get(&path("0"));
    assert_eq!(answer.status, 409);
    assert!(answer.value()["errors"]["detect"][0]["code"].is_string());
}

#[test]
fn large_tables_are_streamed_whole() {
    let server = Server::start();
    let id = server.create(json!({"file_type": "csv"}));
    let rows: String = (0..50_000).map(|n| format!("{n},some text {n}\n")).collect();
    let text = format!("n,t\n{rows}");
    assert_eq!(server.upload(&id, "", text.as_bytes())["is_valid"], true);
    let answer = server.get(&format!("/api/v2/files/{id}/tables/0?format=csv"));
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    assert!(answer.text() == text);
}
