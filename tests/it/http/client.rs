//! A server on a free port in this process, and a client that sends just what it is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use tablemill::Worker;
use tablemill::http::{App, ServerConfig, admin, serve};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A running server; it stops when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub data: TempDir,
    /// A token of `admin` that never expires.
    pub token: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub reason: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Server {
    pub fn start() -> Self {
        Server::with(|_| {})
    }

    /// A server whose configuration was changed by `configure`.
    pub fn with(configure: impl FnOnce(&mut ServerConfig)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = ServerConfig {
            data: data.path().into(),
            admin_password: Some("tuna".into()),
            // As `tablemill serve` has it, where that program was built.
            worker: option_env!("CARGO_BIN_EXE_tablemill").map(Worker::new),
            ..ServerConfig::default()
        };
        configure(&mut config);
        let folder = config.data.clone();
        let (ready, started) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (app, made) = App::open(config).await.unwrap();
                assert_eq!(made, None);
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                serve(app, listener, async {
                    let _ = stopped.await;
                })
                .await;
            });
        });
        let address = started.recv().unwrap();
        let token = admin::token(&folder, "admin").unwrap();
        Server { address, data, token, stop: Some(stop), thread: Some(thread) }
    }

    /// A token of another user, who is made.
    pub fn user(&self, name: &str) -> String {
        admin::add_user(self.data.path(), name, "secret").unwrap();
        admin::token(self.data.path(), name).unwrap()
    }

    /// Sends a request as `admin`.
    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        self.send_as(&self.token, method, path, body)
    }

    /// Sends a request with a user's token.
    pub fn send_as(&self, token: &str, method: &str, path: &str, body: &[u8]) -> Answer {
        self.send_with(method, path, &[("Authorization", &format!("Bearer {token}"))], body)
    }

    /// Sends a request with these headers and a Content-Length.
    pub fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let length = body.len().to_string();
        let mut all = headers.to_vec();
        all.push(("Content-Length", &length));
        let mut stream = self.open(method, path, &all);
        stream.write_all(body).unwrap();
        read_answer(stream, method == "HEAD")
    }

    /// Opens a connection and sends the head of a request.
    pub fn open(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        head.push_str("Connection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, b"")
    }

    /// Sends JSON.
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, body.to_string().as_bytes())
    }

    /// Makes a file and gives its id.
    pub fn create(&self, body: Value) -> String {
        let answer = self.json("POST", "/api/v2/files/", &body);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.value()["file_id"].as_str().unwrap().to_owned()
    }

    /// Uploads bytes; gives the record.
    pub fn upload(&self, id: &str, query: &str, bytes: &[u8]) -> Value {
        let answer = self.send("POST", &format!("/api/v2/upload/files/{id}{query}"), bytes);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.value()
    }

    /// A valid csv file of columns s, d, v and three rows; gives its id.
    pub fn csv(&self) -> String {
        let id = self.create(json!({"file_type": "csv", "name": "myedges"}));
        let record = self.upload(&id, "", b"s,d,v\na,b,1\nb,c,2\nc,a,3\n");
        assert_eq!(record["is_valid"], true, "{record}");
        id
    }

    /// The record of a file.
    pub fn record(&self, id: &str) -> Value {
        let answer = self.get(&format!("/api/v2/files/{id}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.value()
    }

    /// How many blobs are on disk, once there are no more changes for a while: an answer does not
    /// wait until what it leaves behind is swept up.
    pub fn blobs(&self) -> usize {
        let count = || -> usize {
            let shelves = std::fs::read_dir(self.data.path().join("blobs")).unwrap();
            let files =
                |shelf: std::path::PathBuf| std::fs::read_dir(shelf).map_or(0, Iterator::count);
            shelves.map(|shelf| files(shelf.unwrap().path())).sum()
        };
        let (mut last, mut same) = (count(), 0);
        while same < 5 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let now = count();
            same = if now == last { same + 1 } else { 0 };
            last = now;
        }
        last
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON, which it must say it is.
    pub fn value(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Reads an answer to the end of the connection.
pub fn read_answer(mut stream: TcpStream, headless: bool) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    parse_answer(&bytes, headless)
}

fn parse_answer(bytes: &[u8], headless: bool) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let rest = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().splitn(3, ' ');
    let status: u16 = first.nth(1).unwrap().parse().unwrap();
    if status == 100 {
        return parse_answer(rest, headless);
    }
    let reason = first.next().unwrap_or("").to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut answer = Answer { status, reason, headers, body: rest.to_vec() };
    if answer.header("transfer-encoding") == Some("chunked") && !headless {
        answer.body = unchunked(rest);
    } else if let Some(length) = answer.header("content-length")
        && !headless
    {
        assert_eq!(length.parse::<usize>().unwrap(), rest.len());
    }
    answer
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = bytes.windows(2).position(|window| window == b"\r\n").expect("a whole body");
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 2 + size + 2..];
    }
}
