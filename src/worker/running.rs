//! A child that runs: started, listened to, watched, ended.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::death::Ended;
use super::{VERB, bounds};
use crate::error::Result;
use crate::limits::Limits;
use crate::progress::Progress;

const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// A child whose time is up may say so itself, with a report of what it found until then.
const GRACE: Duration = Duration::from_millis(500);
/// Of what a child says on standard error the first so many bytes are kept.
const SAID: usize = 64 << 10;
/// How long the rest of it is waited for once the child has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Bytes of a line of progress, and lines that may wait.
const LINE: (u64, usize) = (256, 64);
/// What a child may know of the environment: nothing of it is a secret. Its temporary files go to
/// the folder of its work.
const HANDED_ON: &[&str] = &[
    "LANG",
    "LC_ALL",
    "TZ",
    "RUST_BACKTRACE",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SystemRoot",
    #[cfg(debug_assertions)]
    "TABLEMILL_WORKER_TEST",
];
const ALLOCATOR: &str = "MIMALLOC_";

/// A child at work.
pub(super) struct Running {
    child: Child,
    is_reaped: bool,
    lines: Receiver<String>,
    said: Said,
    said_all: Receiver<()>,
    /// Its standard input stays open as long as this is here.
    _alive: Sender<()>,
    stage: String,
}

/// How a child ended, the stage it was in, and what it said to standard error.
pub(super) type End = (ExitStatus, String, String);

impl Running {
    /// Starts a child on a request, with `folder` for its temporary files.
    pub fn start(program: &Path, folder: &Path, request: Vec<u8>) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg(VERB).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_clear();
        let is_handed_on = |name: &str| HANDED_ON.contains(&name) || name.starts_with(ALLOCATOR);
        command
            .envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_handed_on)));
        for name in ["TMPDIR", "TMP", "TEMP"] {
            command.env(name, folder);
        }
        // The allocator would take a gigabyte of address space as if it were used.
        command.env("MIMALLOC_ARENA_EAGER_COMMIT", "0");
        // Ctrl-C at the parent's terminal is the parent's business: the child ends when it does.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot start the worker: {error}"))
        })?;
        let (sender, lines) = mpsc::sync_channel(LINE.1);
        let (saying, said_all) = mpsc::channel::<()>();
        let (alive, until) = mpsc::channel::<()>();
        let said = Said::default();
        let mut running = Running {
            child,
            is_reaped: false,
            lines,
            said: said.clone(),
            said_all,
            _alive: alive,
            stage: String::new(),
        };
        if let Some(mut error) = running.child.stderr.take() {
            let mut said = said;
            thread(move || {
                let _ = io::copy(&mut error, &mut said);
                drop(saying);
            })?;
        }
        if let Some(output) = running.child.stdout.take() {
            thread(move || {
                for_each_line(output, |line| sender.send(line).is_ok());
            })?;
        }
        if let Some(mut input) = running.child.stdin.take() {
            // A child that never reads it is ended like any other that takes too long.
            thread(move || {
                // One that ended already says why by its status.
                let _ = input.write_all(&request);
                let _ = until.recv();
            })?;
        }
        Ok(running)
    }

    /// Waits for the child's end, and says why it is to be ended where it takes too much.
    pub fn watch(&mut self, limits: &Limits, progress: Option<&Progress>) -> Ended {
        let start = Instant::now();
        let time = limits.time.saturating_add(GRACE);
        loop {
            match self.lines.recv_timeout(BETWEEN_LOOKS) {
                Ok(line) => self.note(&line, progress),
                // What it started may hold its output open.
                Err(RecvTimeoutError::Timeout) if self.has_ended() => return Ended::ByItself,
                Err(RecvTimeoutError::Timeout) => {}
                // Its output ends where it ends; if not quite at once, then soon.
                Err(RecvTimeoutError::Disconnected) => {
                    if self.has_ended() {
                        return Ended::ByItself;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            if start.elapsed() > time {
                return Ended::ForTime;
            }
            let memory = bounds::memory_of(self.child.id());
            if memory.is_some_and(|bytes| bytes > limits.memory_bytes) {
                return Ended::ForMemory;
            }
        }
    }

    fn note(&mut self, line: &str, progress: Option<&Progress>) {
        let mut words = line.split(' ');
        let stage = words.next().unwrap_or_default();
        let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        let (done, total) = (number(), number());
        self.stage = stage.to_owned();
        let known = ["source", "decompress", "detect", "parse", "transform"];
        if let (Some(progress), Some(stage)) =
            (progress, known.into_iter().find(|known| *known == stage))
        {
            progress.start(stage, total);
            progress.done(done);
        }
    }

    /// Ends the child if it still runs, and whatever it started.
    pub fn end(mut self) -> Result<End> {
        self.kill();
        let status = self.child.wait()?;
        self.is_reaped = true;
        // What left its group may hold its standard error open.
        let _ = self.said_all.recv_timeout(LAST_WORDS);
        Ok((status, std::mem::take(&mut self.stage), self.said.text()))
    }

    /// Whether the child has ended. It stays to be waited for, so that its number is nobody else's.
    #[cfg(unix)]
    fn has_ended(&mut self) -> bool {
        use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(Pid::from_child(&self.child)), look), Ok(None))
    }

    #[cfg(not(unix))]
    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn kill(&mut self) {
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process_group};
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        let _ = self.child.kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only where starting or waiting failed is there anything left to end.
        if !self.is_reaped {
            self.kill();
            let _ = self.child.wait();
        }
    }
}

fn thread(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().spawn(work).map(drop)
}

/// Hands on lines, or pieces of lines that are too long, until `take` gives `false`.
fn for_each_line(output: impl Read, take: impl Fn(String) -> bool) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut output).take(LINE.0).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if take(String::from_utf8_lossy(&line).trim_end().to_owned()) => {}
            Ok(_) => return,
        }
    }
}

/// The beginning of what was said.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn text(&self) -> String {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = SAID.saturating_sub(said.len()).min(bytes.len());
        said.extend_from_slice(&bytes[..room]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
