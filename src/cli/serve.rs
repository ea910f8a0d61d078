//! `tablemill serve`: the upload service.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::http::{self, Log, ServerConfig};
use crate::{Limits, Worker};

use super::args::limits;
use super::exit::{Status, Stop};
use super::terminal;

/// Where the catalogue and the uploaded bytes are kept, unless said otherwise.
pub(super) const DATA_FOLDER: &str = "tablemill-data";

/// The password of the user that the first start makes.
const ADMIN_PASSWORD: &str = "TABLEMILL_ADMIN_PASSWORD";

/// Run the upload service
///
/// The first start makes the data folder and the user `admin`, with the password in
/// TABLEMILL_ADMIN_PASSWORD or else a random one, which is shown once.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// The folder for the catalogue and the uploaded bytes
    #[arg(long, value_name = "FOLDER", default_value = DATA_FOLDER)]
    data: PathBuf,

    /// The URL under which clients reach the service [default: what they ask for]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// Bytes of one upload, such as 200MB or 1GiB
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "1GiB")]
    max_upload: u64,

    /// Bytes that one upload may become when it is decompressed [default: 8GiB]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    max_inflated: Option<u64>,

    /// Columns of one table [default: 16384]
    #[arg(long, value_name = "N")]
    max_columns: Option<usize>,

    /// Seconds that a token is good for [default: 3600]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    token_lifetime: Option<Duration>,

    /// Seconds after a login in which its tokens can be refreshed [default: 86400]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    refresh_lifetime: Option<Duration>,

    /// Seconds that the SQL of one file may run [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    sql_timeout: Option<Duration>,

    /// Bytes of memory that the SQL of one file may use [default: 2GiB]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    sql_memory: Option<u64>,

    /// A bound for one upload by its name, such as time=120s or memory_bytes=4GiB [default for memory_bytes:
    /// three quarters of the machine's memory shared among the files parsed at the same time]; may be
    /// repeated
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,

    /// Files parsed at the same time; others wait [default: the number of processors, fewer where
    /// each would have less than 1 GiB]
    #[arg(long, value_name = "N")]
    parse_jobs: Option<NonZeroUsize>,

    /// Access-Control-Allow-Origin: *, or origins separated by blanks [default: *]
    #[arg(long, value_name = "ORIGINS")]
    cors_origin: Option<String>,

    /// A proxy whose X-Forwarded headers count; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    trusted_proxy: Vec<IpAddr>,
}

const EXAMPLES: &str = "\
Examples:
  tablemill serve
  tablemill serve --listen 0.0.0.0:8080 --data /var/lib/tablemill --max-upload 200MB
  TABLEMILL_ADMIN_PASSWORD=secret tablemill serve --public-url https://tables.example.org";

impl Serve {
    /// Runs the verb until the process is told to stop.
    pub(super) fn run(&self) -> Result<Status, Stop> {
        let ready = |address: SocketAddr, password: Option<String>| {
            if let Some(password) = password {
                terminal::tell(&format!("made the user admin with the password {password}"));
                terminal::tell("it is not shown again; change it with: tablemill user add admin");
            }
            terminal::tell(&format!("listening on http://{address}"));
        };
        http::run(self.config()?, ready).map_err(|error| Stop::Failed(error.to_string()))?;
        Ok(Status::Valid)
    }

    fn config(&self) -> Result<ServerConfig, Stop> {
        let mut problems = Vec::new();
        let given = limits("--limit", &self.limits, &mut problems);
        if !problems.is_empty() {
            return Err(Stop::Usage { problems, hint: None });
        }
        let worker = Worker::of_this_program()
            .map_err(|error| Stop::Failed(format!("cannot find the program that runs: {error}")))?;
        let mut config = ServerConfig {
            listen: self.listen,
            data: self.data.clone(),
            public_url: self.public_url.clone(),
            upload_bytes: self.max_upload,
            worker: Some(worker),
            trusted_proxies: self.trusted_proxy.clone(),
            admin_password: std::env::var(ADMIN_PASSWORD).ok().filter(|text| !text.is_empty()),
            log: Log::new(|line| terminal::tell(&terminal::printable(line))),
            ..ServerConfig::default()
        };
        set(&mut config.token_seconds, self.token_lifetime.map(|time| time.as_secs()));
        set(&mut config.refresh_seconds, self.refresh_lifetime.map(|time| time.as_secs()));
        if let Some(jobs) = self.parse_jobs {
            config.share_among(jobs.get());
        }
        set(&mut config.cors_origin, self.cors_origin.clone());
        let is_memory =
            |limit: &String| limit.split('=').next().map(str::trim) == Some("memory_bytes");
        let memory_bytes = match self.limits.iter().any(is_memory) {
            true => given.memory_bytes,
            false => config.limits.memory_bytes,
        };
        config.limits = Limits { memory_bytes, ..given };
        let limits = &mut config.limits;
        limits.input_bytes = limits.input_bytes.max(self.max_upload);
        set(&mut limits.inflated_bytes, self.max_inflated);
        set(&mut limits.columns, self.max_columns);
        set(&mut limits.sql_time, self.sql_timeout);
        set(&mut limits.sql_memory_bytes, self.sql_memory);
        Ok(config)
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err("expected a whole number of seconds from 1".to_owned()),
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    match crate::limits::bytes(text)? {
        0 => Err("expected at least one byte".to_owned()),
        bytes => Ok(bytes),
    }
}
