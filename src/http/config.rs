//! How a server is set up. Every value has a default; none means "unbounded".

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::limits::Limits;
use crate::worker::Worker;

/// All that can be configured about a server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one. `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// The data folder, made on the first start. `tablemill-data`.
    pub data: PathBuf,
    /// The bounds of a parse. Those of [`Limits::default`].
    pub limits: Limits,
    /// Who parses, so that no upload can end the server. Default: nobody else, for callers whose
    /// program is no worker; `tablemill serve` has one.
    pub worker: Option<Worker>,
    /// Bytes of an upload. 1 GiB.
    pub upload_bytes: u64,
    /// Bytes of any other request body. 16 MiB.
    pub json_bytes: u64,
    /// What absolute links begin with. Default: the scheme and host of the request.
    pub public_url: Option<String>,
    /// `Access-Control-Allow-Origin`: `*`, or one or several origins separated by blanks. `*`.
    pub cors_origin: String,
    /// How long a token is good. 1 hour.
    pub token_seconds: u64,
    /// How long after the login a token can be refreshed. 24 hours.
    pub refresh_seconds: u64,
    /// How long a body may stand still, or a download go unread, before the connection is closed.
    /// 2 minutes.
    pub idle: Duration,
    /// How long an unwanted body is read and thrown away, so that its sender sees the answer.
    /// 1 minute.
    pub drain: Duration,
    /// How long running requests get to finish when the server stops. 30 s.
    pub shutdown: Duration,
    /// Files parsed at a time; others wait. The number of processors.
    pub parse_jobs: usize,
    /// Proxies whose `X-Forwarded-…` headers count. None.
    pub trusted_proxies: Vec<IpAddr>,
    /// The password of the user `admin`, used only when that user is made. Default: random.
    pub admin_password: Option<String>,
    /// Where lines about faults of ours go. Default: nowhere.
    pub log: Log,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            data: PathBuf::from("tablemill-data"),
            limits: Limits::default(),
            worker: None,
            upload_bytes: 1 << 30,
            json_bytes: 16 << 20,
            public_url: None,
            cors_origin: "*".into(),
            token_seconds: 3600,
            refresh_seconds: 24 * 3600,
            idle: Duration::from_secs(120),
            drain: Duration::from_secs(60),
            shutdown: Duration::from_secs(30),
            parse_jobs: std::thread::available_parallelism().map_or(1, usize::from),
            trusted_proxies: Vec::new(),
            admin_password: None,
            log: Log::default(),
        }
    }
}

/// Takes lines for the log. The library itself never prints.
#[derive(Clone, Default)]
pub struct Log(Option<Arc<Write>>);

type Write = dyn Fn(&str) + Send + Sync;

impl Log {
    /// A log that hands each line to `write`.
    pub fn new(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Log(Some(Arc::new(write)))
    }

    pub(super) fn line(&self, line: &str) {
        if let Some(write) = &self.0 {
            write(line);
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Log(…)" } else { "Log(none)" })
    }
}
