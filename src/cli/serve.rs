//! `tablemill serve`: the upload service.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::http::{self, Log, ServerConfig};

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

    /// Files parsed at the same time; others wait [default: the number of processors]
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
        http::run(self.config(), ready).map_err(|error| Stop::Failed(error.to_string()))?;
        Ok(Status::Valid)
    }

    fn config(&self) -> ServerConfig {
        let mut config = ServerConfig {
            listen: self.listen,
            data: self.data.clone(),
            public_url: self.public_url.clone(),
            upload_bytes: self.max_upload,
            trusted_proxies: self.trusted_proxy.clone(),
            admin_password: std::env::var(ADMIN_PASSWORD).ok().filter(|text| !text.is_empty()),
            log: Log::new(|line| terminal::tell(&terminal::printable(line))),
            ..ServerConfig::default()
        };
        set(&mut config.token_seconds, self.token_lifetime.map(|time| time.as_secs()));
        set(&mut config.refresh_seconds, self.refresh_lifetime.map(|time| time.as_secs()));
        set(&mut config.parse_jobs, self.parse_jobs.map(NonZeroUsize::get));
        set(&mut config.cors_origin, self.cors_origin.clone());
        let limits = &mut config.limits;
        limits.input_bytes = limits.input_bytes.max(self.max_upload);
        set(&mut limits.inflated_bytes, self.max_inflated);
        set(&mut limits.columns, self.max_columns);
        set(&mut limits.sql_time, self.sql_timeout);
        set(&mut limits.sql_memory_bytes, self.sql_memory);
        config
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

/// `1048576`, `200MB`, `1.5 GiB`, `4k`: powers of 1,000, or of 1,024 where there is an `i`.
fn bytes(text: &str) -> Result<u64, String> {
    let expected = || "expected bytes such as 1048576, 200MB or 1GiB".to_owned();
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(expected()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(expected);
    }
    match number.parse::<f64>() {
        Ok(number) if number > 0.0 && number * (factor as f64) < 1e18 => {
            Ok((number * factor as f64).ceil() as u64)
        }
        _ => Err(expected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_may_have_a_unit() {
        for (text, expected) in [
            ("1048576", 1_048_576),
            ("200MB", 200_000_000),
            ("1GiB", 1 << 30),
            ("1.5 kib", 1_536),
            ("4k", 4_000),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "0", "-1", "1.2.3", "GB", "3 apples", "99999999999TB", "."] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
