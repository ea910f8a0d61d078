//! Sections 2 and 10 of the contract: refusals, bounds, connections, other origins.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{Server, read_answer};

#[test]
fn everything_unknown_is_json() {
    let server = Server::start();
    for path in ["/", "/nope", "/api/v2/files/undefined", "/api/v2/upload/files/", "//", "/%ff"] {
        let answer = server.send("GET", path, b"");
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.value(), json!({"detail": "Not found."}));
    }
    let answer = server.send("PUT", "/api/v2/files/", b"");
    assert_eq!(answer.status, 405);
    assert_eq!(answer.value(), json!({"detail": "Method \"PUT\" not allowed."}));
    let allow = answer.header("allow").unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    // Personal keys take both methods, or a client would retry in vain.
    let answer = server.send_with("POST", "/api/v2/auth/pkey/jwt/", &[], b"{}");
    assert_eq!(answer.status, 401);
}

#[test]
fn other_origins_may_ask() {
    let server = Server::start();
    let origin = [("Origin", "https://page"), ("Access-Control-Request-Method", "PATCH")];
    let answer = server.send_with("OPTIONS", "/api/v2/files/", &origin, b"");
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-max-age"), Some("86400"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("PATCH"));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("traceparent"));
    let answer = server.send_with("GET", "/api/v2/files/", &origin, b"");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("X-Total-Rows"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[test]
fn too_large_is_said_before_and_after_the_body() {
    let server = Server::with(|config| {
        config.upload_bytes = 1000;
        config.json_bytes = 2000;
    });
    let id = server.create(json!({"file_type": "csv"}));
    let path = format!("/api/v2/upload/files/{id}");
    let before = server.record(&id);
    // A client that writes everything before it reads must see the answer, not a reset.
    for bytes in [1001, 50_000_000] {
        let answer = server.send("POST", &path, &vec![b'x'; bytes]);
        assert_eq!(answer.status, 413);
        let limits = &answer.value()["errors"]["limits"][0];
        assert_eq!(limits["code"], "upload_too_large");
        assert!(limits["hint"].as_str().unwrap().contains("parquet"));
        for text in [answer.text(), &answer.reason] {
            assert!(text.contains("1000 bytes") && text.contains(&bytes.to_string()), "{text}");
        }
    }
    let bearer = format!("Bearer {}", server.token);
    let headers = [("Authorization", bearer.as_str()), ("Transfer-Encoding", "chunked")];
    let mut stream = server.open("POST", &path, &headers);
    for _ in 0..200 {
        stream.write_all(b"400\r\n").unwrap();
        stream.write_all(&[b'x'; 1024]).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(read_answer(stream, false).status, 413);
    assert_eq!(server.record(&id), before);
    assert_eq!(server.blobs(), 0);
    let large = json!({"file_type": "csv", "name": "x".repeat(3000)});
    assert_eq!(server.json("POST", "/api/v2/files/", &large).status, 413);
    // A wrong token is as visible as a large body.
    assert_eq!(server.send_as("x", "POST", &path, &vec![0; 5_000_000]).status, 401);
}

#[test]
fn clients_that_wait_are_told_at_once() {
    let server = Server::with(|config| config.upload_bytes = 1000);
    let id = server.create(json!({"file_type": "csv"}));
    let path = format!("/api/v2/upload/files/{id}");
    let bearer = format!("Bearer {}", server.token);
    let expect = [("Authorization", bearer.as_str()), ("Expect", "100-continue")];
    let mut headers = expect.to_vec();
    headers.push(("Content-Length", "1001"));
    let start = Instant::now();
    let answer = read_answer(server.open("POST", &path, &headers), false);
    assert_eq!(answer.status, 413);
    assert!(start.elapsed() < Duration::from_secs(5));
    let mut headers = expect.to_vec();
    headers.push(("Content-Length", "4"));
    let mut stream = server.open("POST", &path, &headers);
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"a\n1\n").unwrap();
    assert_eq!(read_answer(stream, false).value()["is_valid"], true);
}

#[test]
fn a_body_that_stands_still_is_given_up() {
    let server = Server::with(|config| {
        config.idle = Duration::from_millis(200);
        config.drain = Duration::from_millis(200);
    });
    let id = server.create(json!({"file_type": "csv"}));
    let bearer = format!("Bearer {}", server.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Length", "100")];
    let mut stream = server.open("POST", &format!("/api/v2/upload/files/{id}"), &headers);
    stream.write_all(b"a,b\n").unwrap();
    let start = Instant::now();
    assert_eq!(read_answer(stream, false).status, 408);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(server.record(&id)["is_uploaded"], false);
}

#[test]
fn what_is_stored_outlives_the_server() {
    let first = Server::start();
    let id = first.csv();
    let record = first.record(&id);
    let folder = tempfile::tempdir().unwrap();
    for entry in ["catalogue.sqlite", "catalogue.sqlite-wal", "secret.key"] {
        let from = first.data.path().join(entry);
        if from.exists() {
            std::fs::copy(from, folder.path().join(entry)).unwrap();
        }
    }
    let blobs = first.data.path().join("blobs");
    for shelf in std::fs::read_dir(blobs).unwrap() {
        let shelf = shelf.unwrap().path();
        let to = folder.path().join("blobs").join(shelf.file_name().unwrap());
        std::fs::create_dir_all(&to).unwrap();
        for blob in std::fs::read_dir(&shelf).unwrap() {
            let blob = blob.unwrap().path();
            std::fs::copy(&blob, to.join(blob.file_name().unwrap())).unwrap();
        }
        // What a crash leaves half-written is swept up.
        std::fs::write(to.join("0123#1"), "half").unwrap();
    }
    let second = Server::with(|config| config.data = folder.path().into());
    let answer = second.send_as(&first.token, "GET", &format!("/api/v2/files/{id}"), b"");
    assert_eq!(answer.value(), record);
    let path = format!("/api/v2/files/{id}/tables/0?format=csv");
    let answer = second.send_as(&first.token, "GET", &path, b"");
    assert_eq!(answer.text(), "s,d,v\na,b,1\nb,c,2\nc,a,3\n");
    let shelves = std::fs::read_dir(folder.path().join("blobs")).unwrap();
    let left: usize =
        shelves.map(|shelf| std::fs::read_dir(shelf.unwrap().path()).unwrap().count()).sum();
    assert_eq!(left, 2);
}
