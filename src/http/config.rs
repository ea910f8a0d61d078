//! How a server is set up. Every value has a default; none means "unbounded".

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::limits::Limits;
use crate::worker::Worker;

/// Bytes of memory for each of the files that are parsed at a time, unless it was said how many.
const SHARE: u64 = 1 << 30;
/// With less than this hardly any file can be read.
const LEAST_SHARE: u64 = 256 << 20;
/// What is taken for the memory of a machine that does not say.
const UNKNOWN_MEMORY: u64 = 8 << 30;

/// All that can be configured about a server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one. `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// The data folder, made on the first start. `tablemill-data`.
    pub data: PathBuf,
    /// The bounds of a parse. Those of [`Limits::default`], but no more `memory_bytes` than three
    /// quarters of the machine's memory, or of what its control group allows, shared among
    /// `parse_jobs`.
    pub limits: Limits,
    /// Who parses, so that no upload can end the server. Default: nobody else, for callers whose
    /// program is no worker; `tablemill serve` has one. Where it has no folder for its temporary files
    /// they go to `work` in the data folder, which is emptied at each start.
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
    /// Files parsed at a time; others wait. The number of processors, or fewer where each file would
    /// have less than 1 GiB of memory.
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
        let (parse_jobs, memory_bytes) = shares(processors(), machine_memory(), None);
        ServerConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            data: PathBuf::from("tablemill-data"),
            limits: Limits { memory_bytes, ..Limits::default() },
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
            parse_jobs,
            trusted_proxies: Vec::new(),
            admin_password: None,
            log: Log::default(),
        }
    }
}

impl ServerConfig {
    /// Sets how many files are parsed at a time, and shares the machine's memory among them.
    pub fn share_among(&mut self, parse_jobs: usize) {
        let (jobs, memory) = shares(processors(), machine_memory(), Some(parse_jobs));
        self.parse_jobs = jobs;
        self.limits.memory_bytes = memory;
    }

    /// Where workers have their temporary files.
    pub(super) fn work_folder(&self) -> PathBuf {
        self.data.join("work")
    }

    /// Makes the folder for workers and removes what a run that was killed left there. The caller
    /// holds the lock of the data folder.
    pub(super) fn prepare_worker(&mut self) -> std::io::Result<()> {
        let Some(worker) = self.worker.take() else { return Ok(()) };
        let folder = self.work_folder();
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir(&folder)?,
        }
        self.worker = Some(worker.or_in_folder(folder));
        Ok(())
    }
}

/// Files parsed at a time, and bytes of memory for each.
fn shares(processors: usize, memory: u64, jobs: Option<usize>) -> (usize, u64) {
    let all = memory / 4 * 3;
    let jobs =
        jobs.unwrap_or_else(|| processors.min(usize::try_from(all / SHARE).unwrap_or(usize::MAX)));
    let jobs = jobs.max(1);
    (jobs, (all / jobs as u64).clamp(LEAST_SHARE, Limits::default().memory_bytes))
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Bytes of memory that the machine has, or that the control group of this process may have.
fn machine_memory() -> u64 {
    let of_groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let of_groups = of_groups
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok());
    let of_machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kibibytes.checked_mul(1 << 10)
    });
    of_groups.chain(of_machine).min().unwrap_or(UNKNOWN_MEMORY)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_parsed_at_a_time_share_the_memory() {
        const GIB: u64 = 1 << 30;
        assert_eq!(shares(2, 16 * GIB, None), (2, 6 * GIB));
        assert_eq!(shares(8, 64 * GIB, None), (8, 6 * GIB));
        assert_eq!(shares(8, 4 * GIB, None), (3, GIB));
        assert_eq!(shares(8, GIB, None), (1, GIB / 4 * 3));
        assert_eq!(shares(8, 4 * GIB, Some(6)), (6, GIB / 2));
        assert_eq!(shares(1, 1 << 40, None), (1, 8 * GIB));
        assert_eq!(shares(8, GIB, Some(100)), (100, 256 << 20));
        let config = ServerConfig::default();
        let together = config.limits.memory_bytes * config.parse_jobs as u64;
        assert!(config.parse_jobs == 1 || together <= machine_memory());
    }

    #[test]
    fn the_folder_for_workers_is_emptied_at_the_start() {
        let data = tempfile::tempdir().unwrap();
        let worker = Some(Worker::new("tablemill"));
        let mut config =
            ServerConfig { data: data.path().to_owned(), worker, ..ServerConfig::default() };
        let work = config.work_folder();
        std::fs::create_dir_all(work.join("tablemill-left")).unwrap();
        std::fs::write(work.join("tablemill-left/0.arrow"), "left").unwrap();
        config.prepare_worker().unwrap();
        assert_eq!(std::fs::read_dir(&work).unwrap().count(), 0);
        let debug = format!("{:?}", config.worker);
        assert!(debug.contains(work.to_str().unwrap()), "{debug}");
    }
}
