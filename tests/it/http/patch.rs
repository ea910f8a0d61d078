//! Section 5.4 of the contract (C4): changing settings and parsing again.

use serde_json::{Value, json};

use super::client::Server;

#[test]
fn a_wrong_separator_is_mended() {
    let server = Server::start();
    let id = server.create(json!({"file_type": "csv", "parser_options": {"sep": ","}}));
    let bytes = b"s;d\na;b\n";
    let record = server.upload(&id, "", bytes);
    assert_eq!(record["tables_schemas"][0]["num_cols"], 1, "{record}");
    let path = format!("/api/v2/files/{id}");
    let answer = server.json("PATCH", &path, &json!({"parser_options": {"sep": ";"}}));
    assert_eq!(answer.status, 200, "{answer:?}");
    let record = answer.value();
    assert_eq!(record["tables_schemas"][0]["dtypes"], json!({"s": "object", "d": "object"}));
    assert_eq!(record["bytes_count"], bytes.len());
    assert_eq!(server.get(&format!("{path}/data")).body, bytes);
    assert_eq!(server.blobs(), 2);
}

#[test]
fn what_is_refused_changes_nothing() {
    let server = Server::start();
    let id = server.csv();
    let before = server.record(&id);
    let path = format!("/api/v2/files/{id}");
    for (body, expected) in [
        (
            json!({"name": "new", "parser_options": {"sep": 3}}),
            json!({"parser_options": ["sep: got 3, expected a string"]}),
        ),
        (json!({"parser_option": {}}), json!({"parser_option": ["Unknown field."]})),
        (json!({"file_type": null}), json!({"file_type": ["This field may not be null."]})),
        (json!({"sql_transforms": [[]]}), json!(null)),
    ] {
        let answer = server.json("PATCH", &path, &body);
        assert_eq!(answer.status, 400, "{body}");
        if !expected.is_null() {
            assert_eq!(answer.value(), expected);
        }
    }
    assert_eq!(server.record(&id), before);
}

#[test]
fn a_record_can_be_sent_back() {
    let server = Server::start();
    let id = server.csv();
    let before = server.record(&id);
    let path = format!("/api/v2/files/{id}");
    let answer = server.json("PATCH", &path, &before);
    assert_eq!(answer.status, 200, "{answer:?}");
    let after = answer.value();
    for (field, value) in before.as_object().unwrap() {
        if field == "updated_at" {
            assert!(after[field].as_str() > value.as_str());
        } else {
            assert_eq!(after[field], *value, "{field}");
        }
    }
}

#[test]
fn names_do_not_parse_and_bytes_are_never_erased() {
    let server = Server::start();
    let id = server.create(json!({"file_type": "json", "sql_transforms": "DROP TABLE data"}));
    let path = format!("/api/v2/files/{id}");
    // Before any upload only the record changes.
    let record = server.json("PATCH", &path, &json!({"file_type": "csv"})).value();
    assert_eq!((&record["is_uploaded"], &record["errors"]), (&json!(false), &json!({})));
    assert_eq!(record["detected"], Value::Null);
    let record = server.upload(&id, "?erase=false", b"a\n1\n");
    assert_eq!(record["is_valid"], false);
    let code = record["errors"]["transform"][0]["code"].as_str().unwrap();
    assert!(["not_one_query", "forbidden"].contains(&code), "{record}");
    assert_eq!(record["detected"]["tables"][0]["dtypes"], json!({"a": "int64"}));
    let named = server.json("PATCH", &path, &json!({"name": "x", "description": null})).value();
    assert_eq!(named["errors"], record["errors"]);
    // A wrong type fails, keeps the bytes and the new setting.
    let wrong = server.json("PATCH", &path, &json!({"file_type": "parquet"})).value();
    assert_eq!(wrong["errors"]["detect"][0]["code"], "type_mismatch", "{wrong}");
    assert_eq!((&wrong["file_type"], &wrong["is_uploaded"]), (&json!("parquet"), &json!(true)));
    let body = json!({"sql_transforms": null, "file_type": "csv"});
    let right = server.json("PATCH", &path, &body).value();
    assert_eq!(right["is_valid"], true, "{right}");
    assert_eq!(right["tables_schemas"][0]["name"], "Untitled 0");
}
