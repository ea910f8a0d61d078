//! The server and its administration from the command line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use super::room::Room;

/// A running server, ended with the test.
struct Server {
    child: Child,
    address: String,
    said: Vec<String>,
}

impl Server {
    fn start(room: &Room, password: Option<&str>) -> Self {
        Server::start_with(room, password, &[])
    }

    fn start_with(room: &Room, password: Option<&str>, variables: &[(&str, &str)]) -> Self {
        let mut command = room.command(&["serve", "--listen", "127.0.0.1:0", "--data", "data"]);
        command.env_remove("TABLEMILL_ADMIN_PASSWORD").stderr(Stdio::piped());
        command.envs(variables.iter().copied());
        if let Some(password) = password {
            command.env("TABLEMILL_ADMIN_PASSWORD", password);
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut server = Server { child, address: String::new(), said: Vec::new() };
        for line in lines.map(Result::unwrap) {
            if let Some(address) = line.strip_prefix("listening on http://") {
                server.address = address.to_owned();
            }
            server.said.push(line);
            if !server.address.is_empty() {
                return server;
            }
        }
        panic!("the server did not start: {:?}", server.said);
    }

    /// The first line of the answer.
    fn get(&self, path: &str, token: &str) -> String {
        self.send("GET", path, token, "").lines().next().unwrap_or_default().to_owned()
    }

    /// The answer.
    fn send(&self, method: &str, path: &str, token: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        let length = format!("Content-Length: {}\r\n", body.len());
        let rest = format!("Authorization: Bearer {token}\r\nConnection: close\r\n\r\n{body}");
        stream.write_all((head + &length + &rest).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_starts_and_knows_its_users() {
    let room = Room::new(&[]);
    let server = Server::start(&room, None);
    assert!(server.said[0].starts_with("made the user admin with the password "));
    assert!(server.get("/api/v2/files/", "nonsense").contains(" 401 "));
    let added = room.run_with_input(&["user", "add", "ann", "--data", "data"], b"secret\n");
    added.expect(0);
    for user in ["admin", "ann"] {
        let token = room.run(&["token", user, "--data", "data"]).expect(0);
        assert!(server.get("/api/v2/files/", token.text().trim()).contains(" 200 "), "{user}");
    }
    room.run(&["user", "join", "ann", "mill", "--data", "data"]).expect(0);
    let key = room.run(&["user", "key", "ann", "--data", "data"]).expect(0);
    assert_eq!(key.text().trim().split(':').count(), 2);
    room.run(&["token", "nobody", "--data", "data"]).expect(1);
    room.run_with_input(&["user", "add", "bob", "--data", "data"], b"").expect(2);
}

#[test]
fn uploads_are_read_by_workers() {
    let room = Room::new(&[]);
    let server = Server::start_with(&room, None, &[("TABLEMILL_WORKER_TEST", "abort")]);
    let token = room.run(&["token", "admin", "--data", "data"]).expect(0);
    let token = token.text().trim();
    for (name, valid) in [("bomb", "false"), ("good", "true")] {
        let file = format!("{{\"file_type\": \"csv\", \"name\": \"{name}\"}}");
        let made = server.send("POST", "/api/v2/files/", token, &file);
        let id = made.split("\"file_id\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let path = format!("/api/v2/upload/files/{}", id.unwrap());
        let answer = server.send("POST", &path, token, "a\n1\n");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains(&format!("\"is_valid\":{valid}")), "{answer}");
    }
}

#[test]
fn a_password_from_the_environment_is_not_shown() {
    let room = Room::new(&[]);
    let server = Server::start(&room, Some("correct horse"));
    assert_eq!(server.said.len(), 1, "{:?}", server.said);
    drop(server);
    // The second start knows the user already.
    assert_eq!(Server::start(&room, None).said.len(), 1);
}
