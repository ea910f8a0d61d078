//! Sections 9.1 and 9.2 of the contract: datasets over files, checked and frozen.

use serde_json::{Value, json};

use super::client::{Answer, Server};

const PATH: &str = "/api/v2/upload/datasets/";

fn body(edges: Value, source: &str) -> Value {
    json!({
        "node_encodings": {"bindings": {}},
        "edge_encodings": {"bindings": {"source": source, "destination": "d"}},
        "metadata": {}, "name": "n", "edge_files": edges, "node_files": [],
    })
}

fn refused(answer: &Answer, status: u16, message: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    let value = answer.value();
    assert_eq!(value["success"], false);
    assert_eq!(value["message"], message, "{value}");
    assert_eq!(value["error_code"], status);
    assert!(value["detail"].is_string() && value["data"]["error_message"].is_string());
    value
}

#[test]
fn a_dataset_keeps_what_it_was_made_of() {
    let server = Server::start();
    let id = server.csv();
    let answer = server.json("POST", PATH, &body(json!([id]), "s"));
    assert_eq!(answer.status, 201, "{answer:?}");
    let value = answer.value();
    assert_eq!(value["success"], true);
    assert_eq!(value["data"]["dataset_id"].as_str().unwrap().len(), 32);
    let answer = server.json("POST", PATH, &body(json!([[id, 0]]), "s"));
    assert_eq!(answer.status, 201);
    // Another upload and the end of the file leave the frozen table alone.
    server.upload(&id, "", b"x\n1\n");
    assert_eq!(server.blobs(), 3);
    server.send("DELETE", &format!("/api/v2/files/{id}"), b"");
    assert_eq!(server.blobs(), 1);
    // Without files, data follows later.
    let mut later = body(json!(null), "s");
    later.as_object_mut().unwrap().remove("node_files");
    assert_eq!(server.json("POST", PATH, &later).status, 201);
}

#[test]
fn references_are_checked() {
    let server = Server::start();
    let id = server.csv();
    let post = |edges: Value| server.json("POST", PATH, &body(edges, "s"));
    let value = refused(&post(json!([null])), 422, "Invalid file reference");
    assert_eq!(
        value["data"]["error_message"],
        "edge_files[0] is null: the file could not be created; see the answer to the create call"
    );
    refused(&post(json!([7])), 422, "Invalid file reference");
    refused(&post(json!(id)), 422, "Invalid file reference");
    let value = refused(&post(json!([[id, 1]])), 422, "Invalid file reference");
    assert!(value.to_string().contains("Untitled 0"));
    let missing = "0".repeat(32);
    let value = refused(&post(json!([missing])), 404, "File not found");
    assert!(value["data"]["error_message"].as_str().unwrap().contains(&missing));
    refused(&post(json!(["undefined"])), 404, "File not found");
    let empty = server.create(json!({"file_type": "csv"}));
    refused(&post(json!([empty])), 422, "File is not valid");
    server.upload(&empty, "", b"");
    let value = refused(&post(json!([empty])), 422, "File is not valid");
    assert_eq!(value["data"]["errors"]["parse"][0]["code"], "empty");
}

#[test]
fn bindings_are_checked() {
    let server = Server::start();
    let id = server.csv();
    let answer = server.json("POST", PATH, &body(json!([id]), "zz"));
    let value = refused(&answer, 422, "Invalid edges bindings");
    assert_eq!(
        value["data"]["error_message"],
        "edge binding \"source\" names column \"zz\"; the edges table has: s, d, v"
    );
    assert_eq!(value["data"]["bindings"]["source"], "zz");
    assert!(answer.reason.contains("zz"), "{}", answer.reason);
    let mut nodes = body(json!([id]), "s");
    nodes["node_files"] = json!([id]);
    nodes["node_encodings"] = json!({"bindings": {"node": "nn"}});
    refused(&server.json("POST", PATH, &nodes), 422, "Invalid nodes bindings");
    nodes["node_encodings"] = json!({"bindings": {"node": "s"}, "complex": {"default": {
        "pointColorEncoding": {"graphType": "point", "attribute": "vv", "mapping": {}}}}});
    refused(&server.json("POST", PATH, &nodes), 422, "Invalid nodes bindings");
    nodes["node_encodings"]["complex"]["default"]["pointColorEncoding"]["attribute"] = json!("v");
    assert_eq!(server.json("POST", PATH, &nodes).status, 201);
    refused(&server.json("POST", PATH, &json!({})), 422, "Invalid edges bindings");
}

#[test]
fn every_refusal_wears_the_envelope() {
    let server = Server::start();
    let answer = server.send_with("POST", PATH, &[], b"{}");
    refused(&answer, 401, "Authentication credentials were not provided.");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    refused(&server.send("POST", PATH, b"["), 400, "Invalid request");
    let mut foreign = body(json!([]), "s");
    foreign["org_name"] = json!("other");
    let value = refused(&server.json("POST", PATH, &foreign), 400, "Invalid request");
    assert!(value["data"]["errors"]["org_name"][0].is_string());
    refused(&server.get(PATH), 405, "Method \"GET\" not allowed.");
    // Not built yet.
    for (method, path) in [
        ("GET", format!("{PATH}{}", "0".repeat(32))),
        ("POST", format!("{PATH}{}/edges/arrow", "0".repeat(32))),
    ] {
        refused(&server.send(method, &path, b""), 404, "Not found.");
    }
}
