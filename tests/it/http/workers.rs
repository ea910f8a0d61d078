//! Files that end the process that reads them: it is a worker, and the server goes on.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::Server;
use crate::worker::Bomb;

fn sent(server: &Server, name: &str) -> Value {
    let id = server.create(json!({"file_type": "csv", "name": name}));
    server.upload(&id, "", b"a\n1\n")
}

#[test]
fn a_file_that_ends_its_reader_is_not_valid_and_the_server_goes_on() {
    for (how, stage, code) in [
        ("abort", "parse", "corrupt"),
        ("overflow", "parse", "corrupt"),
        ("allocate", "limits", "out_of_memory"),
        ("hoard", "limits", "out_of_memory"),
        ("spin", "limits", "timeout"),
    ] {
        let bomb = Bomb::that(how);
        let server = Server::with(|config| {
            config.worker = Some(bomb.worker.clone());
            config.limits.memory_bytes = 200 << 20;
            config.limits.time = Duration::from_secs(1);
        });
        let record = sent(&server, "bomb");
        assert_eq!(record["is_valid"], false, "{how}: {record}");
        assert_eq!(record["is_uploaded"], true, "{how}");
        let stages: Vec<&String> = record["errors"].as_object().unwrap().keys().collect();
        assert_eq!(stages, [stage], "{how}: {record}");
        assert_eq!(record["errors"][stage][0]["code"], code, "{how}: {record}");
        assert_eq!(record["tables_schemas"], json!([]), "{how}");
        assert_eq!(sent(&server, "good")["is_valid"], true, "{how}");
    }
}

#[test]
fn a_server_may_read_in_its_own_process() {
    let server = Server::with(|config| config.worker = None);
    let id = server.csv();
    assert_eq!(server.get(&format!("/api/v2/files/{id}/tables/0")).status, 200);
}
