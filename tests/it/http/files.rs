//! Sections 2, 4 and 5 of the contract: records, lists, other people's files.

use serde_json::{Value, json};

use super::client::Server;

#[test]
fn every_route_answers_with_and_without_its_slash() {
    let server = Server::start();
    let id = server.csv();
    for path in [
        "/api/v2/files".to_owned(),
        format!("/api/v2/files/{id}"),
        format!("/api/v2/files/{id}/data"),
        format!("/api/v2/files/{id}/tables/0"),
        "/openapi.json".to_owned(),
    ] {
        for path in [path.clone(), format!("{path}/"), format!("{path}/?x=1")] {
            assert_eq!(server.get(&path).status, 200, "{path}");
            let head = server.send("HEAD", &path, b"");
            assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        }
    }
    for path in ["/api/v2/files", "/api/v2/files/"] {
        let answer = server.send("POST", path, br#"{"file_type": "json"}"#);
        assert_eq!(answer.status, 201);
        let id = answer.value()["file_id"].as_str().unwrap().to_owned();
        for path in [format!("/api/v2/upload/files/{id}"), format!("/api/v2/upload/files/{id}/")] {
            assert_eq!(server.send("POST", &path, b"[{\"a\": 1}]").status, 200);
        }
        assert_eq!(server.send("DELETE", &format!("/api/v2/files/{id}/"), b"").status, 204);
    }
}

#[test]
fn a_record_has_every_field() {
    let server = Server::start();
    let body = json!({
        "file_type": "csv", "file_compression": "gzip", "name": "n", "description": "d",
        "parser_options": {"sep": ";"}, "sql_transforms": {"sql": "SELECT * FROM data"},
        "agent_name": "a", "agent_version": "1", "whatever": [1],
    });
    let answer = server.json("POST", "/api/v2/files/", &body);
    assert_eq!(answer.status, 201);
    let record = answer.value();
    for (field, value) in body.as_object().unwrap() {
        if field != "whatever" {
            assert_eq!(record[field], *value, "{field}");
        }
    }
    let id = record["file_id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    assert_eq!(record["author"], 1);
    assert_eq!(record["errors"], json!({}));
    assert_eq!(record["tables_schemas"], json!([]));
    assert_eq!(record["detected"], Value::Null);
    assert_eq!((&record["is_uploaded"], &record["is_valid"]), (&json!(false), &json!(false)));
    assert!(record["created_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(record["created_at"].as_str().unwrap().len(), "2026-11-22T01:02:03.000000Z".len());
    assert_eq!(server.record(id), record);
}

#[test]
fn bad_fields_all_at_once() {
    let server = Server::start();
    let create = |body: Value| server.json("POST", "/api/v2/files/", &body);
    let required = json!({"file_type": ["This field is required."]});
    assert_eq!((create(json!({})).status, create(json!({})).value()), (400, required));
    let answer = create(json!({"file_type": "foo", "file_compression": "rar", "name": 3}));
    assert_eq!(
        answer.value(),
        json!({
            "file_type": ["\"foo\" is not a valid choice."],
            "file_compression": ["\"rar\" is not a valid choice."],
            "name": ["Not a valid string."],
        })
    );
    let answer = create(json!({"file_type": "csv", "parser_options": {"sep": 3}}));
    assert_eq!(answer.value(), json!({"parser_options": ["sep: got 3, expected a string"]}));
    let answer = create(json!({"file_type": "csv", "parser_options": {"seperator": 3}}));
    assert_eq!(answer.status, 201);
    let answer = create(json!({"file_type": "csv", "sql_transforms": 3}));
    assert!(answer.value()["sql_transforms"][0].as_str().unwrap().starts_with("step 1: "));
    let answer = create(json!({"file_type": "csv", "sql_transforms": vec!["SELECT 1"; 101]}));
    assert_eq!(answer.status, 400);
    assert_eq!(server.get("/api/v2/files/").value()["count"], 1);
}

#[test]
fn lists_are_paged_newest_first() {
    let server = Server::with(|config| config.public_url = Some("https://host/".into()));
    let mut ids: Vec<String> =
        (0..231).map(|_| server.create(json!({"file_type": "csv"}))).collect();
    ids.reverse();
    let mut seen: Vec<String> = Vec::new();
    let mut path = "/api/v2/files/?x=%20y&limit=100".to_owned();
    let mut pages = 0;
    loop {
        let page = server.get(&path).value();
        pages += 1;
        assert_eq!(page["count"], 231);
        let results = page["results"].as_array().unwrap();
        seen.extend(results.iter().map(|r| r["file_id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = next.strip_prefix("https://host").unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!((pages, seen), (3, ids));
    let page = server.get("/api/v2/files/?limit=100&offset=100").value();
    assert_eq!(page["previous"], "https://host/api/v2/files/?limit=100");
    assert_eq!(page["next"], "https://host/api/v2/files/?limit=100&offset=200");
    assert_eq!(
        server.get("/api/v2/files?limit=x").value()["results"].as_array().unwrap().len(),
        100
    );
    let all = server.get("/api/v2/files?limit=5000").value();
    assert_eq!(all["results"].as_array().unwrap().len(), 231);
    assert_eq!(all["next"], Value::Null);
    let past = server.get("/api/v2/files?offset=500").value();
    assert_eq!((&past["results"], &past["count"]), (&json!([]), &json!(231)));
}

#[test]
fn other_peoples_files_are_not_there() {
    let server = Server::start();
    let id = server.csv();
    let missing = "0".repeat(32);
    let bob = server.user("bob");
    for (method, path, body) in [
        ("GET", "/api/v2/files/ID", "".to_owned()),
        ("PATCH", "/api/v2/files/ID", "{\"name\": \"x\"}".to_owned()),
        ("DELETE", "/api/v2/files/ID", "".to_owned()),
        ("POST", "/api/v2/upload/files/ID", "a,b\n1,2\n".to_owned()),
        ("GET", "/api/v2/files/ID/data", "".to_owned()),
        ("GET", "/api/v2/files/ID/tables/0", "".to_owned()),
    ] {
        let theirs = server.send_as(&bob, method, &path.replace("ID", &id), body.as_bytes());
        let none = server.send_as(&bob, method, &path.replace("ID", &missing), body.as_bytes());
        let odd = server.send_as(&bob, method, &path.replace("ID", "%ff"), body.as_bytes());
        for answer in [&theirs, &none, &odd] {
            assert_eq!(answer.status, 404, "{method} {path}");
            assert_eq!(answer.value(), json!({"detail": "Not found."}));
        }
        assert_eq!(theirs.reason, none.reason);
    }
    assert_eq!(server.send_as(&bob, "GET", "/api/v2/files/", b"").value()["count"], 0);
    let body = json!({
        "edge_files": [id], "edge_encodings": {"bindings": {"source": "s", "destination": "d"}},
        "node_encodings": {"bindings": {}}, "metadata": {},
    });
    let path = "/api/v2/upload/datasets/";
    let theirs = server.send_as(&bob, "POST", path, body.to_string().as_bytes());
    let none = body.to_string().replace(&id, &missing);
    let none = server.send_as(&bob, "POST", path, none.as_bytes());
    assert_eq!(theirs.status, 404);
    assert_eq!(theirs.text().replace(&id, &missing), none.text());
    assert_eq!(server.record(&id)["is_valid"], true);
}

#[test]
fn deleting_leaves_nothing_behind() {
    let server = Server::start();
    let id = server.csv();
    assert_eq!(server.blobs(), 2);
    let path = format!("/api/v2/files/{id}");
    let answer = server.send("DELETE", &path, b"");
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(server.send("DELETE", &path, b"").status, 404);
    assert_eq!(server.get(&path).status, 404);
    assert_eq!(server.blobs(), 0);
}
