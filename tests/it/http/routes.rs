//! `/openapi.json` and the router, held to one list of routes written down here.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tablemill::http::admin;

use super::client::Server;

/// Every route, as the vendor's documents spell it.
const ROUTES: &[(&str, &str)] = &[
    ("GET", "/openapi.json"),
    ("POST", "/api-token-auth/"),
    ("POST", "/api/v2/auth/token/generate"),
    ("POST", "/api/v2/auth/token/refresh"),
    ("POST", "/api-token-refresh/"),
    ("POST", "/api-token-verify/"),
    ("POST", "/api/v2/auth/token/verify"),
    ("GET", "/api/v2/auth/pkey/jwt/"),
    ("POST", "/api/v2/auth/pkey/jwt/"),
    ("POST", "/api/v2/o/{org}/switch/"),
    ("GET", "/api/v2/files/"),
    ("POST", "/api/v2/files/"),
    ("GET", "/api/v2/files/{file_id}"),
    ("PATCH", "/api/v2/files/{file_id}"),
    ("DELETE", "/api/v2/files/{file_id}"),
    ("GET", "/api/v2/files/{file_id}/data"),
    ("GET", "/api/v2/files/{file_id}/tables/{table}"),
    ("POST", "/api/v2/upload/files/{file_id}"),
    ("POST", "/api/v2/upload/datasets/"),
];

/// The methods that a path of an OpenAPI document may have.
const METHODS: &[&str] = &["GET", "PUT", "POST", "DELETE", "PATCH", "TRACE"];

/// Method, path, and what is said of it.
fn documented(server: &Server) -> Vec<(String, String, Value)> {
    let answer = server.send_with("GET", "/openapi.json", &[], b"");
    assert_eq!(answer.status, 200);
    let document = answer.value();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    for (_, path, operation) in &found {
        for requirement in operation["security"].as_array().into_iter().flatten() {
            for name in requirement.as_object().unwrap().keys() {
                let scheme = &document["components"]["securitySchemes"][name];
                assert!(scheme.is_object(), "{path}: {name}");
            }
        }
    }
    found
}

/// The path with a real file, table and organisation in it.
fn filled(server: &Server, path: &str) -> String {
    let path = match path.contains("{file_id}") {
        true => path.replace("{file_id}", &server.csv()),
        false => path.to_owned(),
    };
    path.replace("{table}", "0").replace("{org}", "org1")
}

/// The same path with its last slash, or without.
fn other_spelling(path: &str) -> String {
    match path.strip_suffix('/') {
        Some(shorter) => shorter.to_owned(),
        None => format!("{path}/"),
    }
}

#[test]
fn the_document_is_the_list() {
    let server = Server::start();
    let found = documented(&server);
    let pairs: BTreeSet<(&str, &str)> = found.iter().map(|(m, p, _)| (&**m, &**p)).collect();
    assert_eq!(pairs, ROUTES.iter().copied().collect());
    assert_eq!(found.len(), ROUTES.len());
    let ids: BTreeSet<&str> =
        found.iter().map(|(.., operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), ROUTES.len(), "{ids:?}");
    for (method, path, operation) in &found {
        assert!(!operation["responses"].as_object().unwrap().is_empty(), "{method} {path}");
        let declared: BTreeSet<String> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let used = path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned);
        assert_eq!(declared, used.collect(), "{method} {path}");
        // Who asks must be known everywhere but where one becomes known.
        let open = path.contains("token") || path == "/openapi.json";
        assert_eq!(operation["security"].is_null(), open, "{method} {path}");
    }
}

#[test]
fn all_of_the_list_is_served_in_both_spellings() {
    let server = Server::start();
    admin::join_organisation(server.data.path(), "admin", "org1").unwrap();
    let mut served = 0;
    for (method, path) in ROUTES {
        for respell in [str::to_owned, other_spelling] {
            let path = respell(&filled(&server, path));
            let body = match *method {
                "GET" | "DELETE" => json!(null).to_string(),
                _ => json!({}).to_string(),
            };
            let answer = server.send(method, &path, body.as_bytes());
            assert!(![404, 405].contains(&answer.status), "{method} {path}: {answer:?}");
            assert!(answer.status < 500, "{method} {path}: {answer:?}");
            served += 1;
        }
    }
    assert_eq!(served, 2 * ROUTES.len());
}

#[test]
fn nothing_but_the_list_is_served() {
    let server = Server::start();
    admin::join_organisation(server.data.path(), "admin", "org1").unwrap();
    let paths: BTreeSet<&str> = ROUTES.iter().map(|(_, path)| *path).collect();
    for path in paths {
        let listed: BTreeSet<&str> = ROUTES
            .iter()
            .filter(|(_, listed)| *listed == path)
            .map(|(method, _)| *method)
            .collect();
        let filled = filled(&server, path);
        for method in METHODS.iter().filter(|method| !listed.contains(**method)) {
            let answer = server.send(method, &filled, b"{}");
            assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
            let allowed = answer.header("allow").unwrap().split(',').map(str::trim);
            // A GET is answered without its body, too.
            let allowed: BTreeSet<&str> = allowed.filter(|method| *method != "HEAD").collect();
            assert_eq!(allowed, listed, "{path}");
        }
    }
}
