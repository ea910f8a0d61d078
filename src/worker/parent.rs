//! The parent: starts a child, watches it, takes what it made.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use tempfile::TempDir;

use super::death::{self, Ended};
use super::wire::{ANSWER, Answer, Asked, MOST_BYTES, Request, Task, table_file};
use super::{VERB, bounds};
use crate::error::{Error, Result};
use crate::format::spill;
use crate::limits::Limits;
use crate::options::Options;
use crate::pipeline::Ingest;
use crate::progress::Progress;
use crate::report::{Report, Reporter, TableReport};
use crate::source::Source;
use crate::table::{Rows, Table};

const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// A child whose time is up may say so itself, with a report of what it found until then.
const GRACE: Duration = Duration::from_millis(500);
/// Of what a child says on standard error the first so many bytes are kept.
const SAID: u64 = 64 << 10;
/// The program that runs, wherever its file is by now.
#[cfg(target_os = "linux")]
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Reads files in processes of their own, each within the memory and time of its [`Limits`].
///
/// The program must be `tablemill`, or one that calls [`serve_worker`](crate::serve_worker) where its
/// first argument is `worker`.
#[derive(Clone, Debug)]
pub struct Worker {
    program: PathBuf,
    folder: PathBuf,
}

/// A table as a worker wrote it.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// An Arrow stream, mapped.
    pub bytes: Bytes,
}

/// What a worker made of a file.
#[derive(Clone, Debug)]
pub struct Worked {
    /// The tables, in the order of the report.
    pub streams: Vec<Stream>,
    /// The report.
    pub report: Report,
    is_head: bool,
}

impl Worker {
    /// Workers of this program, with their temporary files in the system's folder for such.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Worker { program: program.into(), folder: std::env::temp_dir() }
    }

    /// Workers of the program that runs now.
    pub fn of_this_program() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if Path::new(THIS_PROGRAM).exists() {
            return Ok(Worker::new(THIS_PROGRAM));
        }
        std::env::current_exe().map(Worker::new)
    }

    /// The same, with temporary files in `folder`.
    pub fn in_folder(self, folder: impl Into<PathBuf>) -> Self {
        Worker { folder: folder.into(), ..self }
    }

    /// What [`ingest`](crate::ingest) does, in a worker. Tables are mapped from files that are gone
    /// when nobody holds them any more.
    pub fn ingest(
        &self,
        source: impl Into<Source>,
        options: &Options,
        limits: &Limits,
    ) -> Result<Ingest> {
        self.work(source.into(), options, limits, None)?.ingest()
    }

    /// The same with no more than the first `rows` rows of each table, whose number of rows is all the
    /// same that of the file; with 0 there are no tables at all, only the report.
    pub fn ingest_head(
        &self,
        source: impl Into<Source>,
        options: &Options,
        limits: &Limits,
        rows: u64,
    ) -> Result<Ingest> {
        self.work(source.into(), options, limits, Some(rows))?.ingest()
    }

    /// The same with the tables as bytes.
    pub fn streams(
        &self,
        source: impl Into<Source>,
        options: &Options,
        limits: &Limits,
    ) -> Result<Worked> {
        self.work(source.into(), options, limits, None)
    }

    /// What [`query`](crate::query) does, in a worker.
    #[cfg(feature = "sql")]
    pub fn query(&self, tables: &[Table], sql: &str, limits: &Limits) -> Result<Table> {
        let folder = self.folder()?;
        let mut given = Vec::new();
        for (index, table) in tables.iter().enumerate() {
            let path = folder.path().join(format!("given-{index}.arrow"));
            spill::write(table, std::fs::File::create(&path)?)?;
            given.push((table.name().to_owned(), path.into_os_string()));
        }
        let task = Task::Query { tables: given, sql: sql.to_owned() };
        let worked = self.run(folder, task, limits, None)?.ingest()?;
        let made = worked.tables.into_iter().next();
        made.ok_or_else(|| io::Error::other("the worker gave no table").into())
    }

    fn work(
        &self,
        source: Source,
        options: &Options,
        limits: &Limits,
        rows: Option<u64>,
    ) -> Result<Worked> {
        let named = options.name.clone().unwrap_or_else(|| source.name().to_owned());
        let name = source.name().to_owned();
        let work = || {
            let folder = self.folder()?;
            let path = source.into_file(folder.path(), limits)?;
            let bytes = std::fs::metadata(&path).map_or(0, |found| found.len());
            let options_sent = Box::new(Asked::of(options));
            let path = path.into_os_string();
            let task = Task::Ingest { path, name, options: options_sent, rows };
            self.run(folder, task, limits, options.progress.as_deref()).map_err(|error| match error
                .report()
            {
                Some(_) => error,
                None => with_report(error, &named, bytes, limits),
            })
        };
        work().map_err(|error: Error| match error.report() {
            Some(_) => error,
            None => with_report(error, &named, 0, limits),
        })
    }

    fn folder(&self) -> Result<TempDir> {
        Ok(tempfile::Builder::new().prefix("tablemill-").tempdir_in(&self.folder)?)
    }

    fn run(
        &self,
        folder: TempDir,
        task: Task,
        limits: &Limits,
        progress: Option<&Progress>,
    ) -> Result<Worked> {
        let is_head = matches!(task, Task::Ingest { rows: Some(_), .. });
        let request =
            Request { folder: folder.path().as_os_str().to_owned(), limits: limits.clone(), task };
        let mut request = serde_json::to_vec(&request).map_err(io::Error::from)?;
        request.push(b'\n');
        let mut running = Running::start(&self.program, &request)?;
        let ended = running.watch(limits, progress);
        let (status, stage, said) = running.end()?;
        if ended != Ended::ByItself || !status.success() {
            return Err(death::error(ended, status, &stage, &said, limits));
        }
        let mut text = String::new();
        let answer = std::fs::File::open(folder.path().join(ANSWER))?;
        answer.take(MOST_BYTES).read_to_string(&mut text)?;
        let Answer { mut report, agent, error, tables } =
            serde_json::from_str(&text).map_err(io::Error::from)?;
        report.agent = agent;
        if let Some(issue) = error {
            return Err(Error::from(issue).with_report(report));
        }
        let unbounded = Limits { input_bytes: u64::MAX, ..limits.clone() };
        let mut streams = Vec::new();
        for (index, name) in tables.into_iter().enumerate() {
            // Mapped, a file that is gone is still there.
            let bytes = Source::path(table_file(folder.path(), index)).open(&unbounded)?;
            streams.push(Stream { name, bytes });
        }
        Ok(Worked { streams, report, is_head })
    }
}

impl Worked {
    /// The tables, decoded; their arrays point into the mapped files.
    pub fn ingest(self) -> Result<Ingest> {
        let Worked { streams, report, is_head } = self;
        let mut tables = Vec::new();
        for (index, Stream { name, bytes }) in streams.into_iter().enumerate() {
            let (schema, batches) = spill::read(bytes)
                .map_err(|error| death::unreadable(error).with_report(report.clone()))?;
            let described = report.tables.get(index).filter(|_| is_head);
            tables.push(match described {
                Some(described) => {
                    let rows = Arc::new(Head::new(described, batches));
                    Table::in_file(name, schema, rows)
                }
                None => Table::new(name, schema, batches),
            });
        }
        Ok(Ingest { tables, report })
    }
}

/// The report on a file of which a dead child said nothing.
fn with_report(error: Error, name: &str, bytes: u64, limits: &Limits) -> Error {
    let mut reporter = Reporter::new(limits.issues);
    reporter.file().name = name.to_owned();
    reporter.file().bytes = bytes;
    reporter.push(error.issue().clone());
    error.with_report(reporter.finish(Vec::new()))
}

/// The first rows of a table of which more is known.
#[derive(Debug)]
struct Head {
    rows: u64,
    nulls: Vec<Option<u64>>,
    batches: Vec<RecordBatch>,
}

impl Head {
    fn new(described: &TableReport, batches: Vec<RecordBatch>) -> Self {
        let nulls = described.columns.iter().map(|column| column.null_count).collect();
        Head { rows: described.num_rows, nulls, batches }
    }
}

impl Rows for Head {
    fn num_rows(&self) -> u64 {
        self.rows
    }

    fn null_counts(&self) -> &[Option<u64>] {
        &self.nulls
    }

    fn each(&self, _: &SchemaRef, take: &mut dyn FnMut(RecordBatch) -> Result<bool>) -> Result<()> {
        for batch in &self.batches {
            if !take(batch.clone())? {
                break;
            }
        }
        Ok(())
    }
}

/// A child at work.
struct Running {
    child: Child,
    lines: Receiver<String>,
    said: Option<JoinHandle<String>>,
    stage: String,
}

impl Running {
    fn start(program: &Path, request: &[u8]) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg(VERB).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // The allocator would take a gigabyte of address space as if it were used.
        command.env("MIMALLOC_ARENA_EAGER_COMMIT", "0");
        // Ctrl-C at the parent's terminal is the parent's business: the child ends when it does.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot start the worker: {error}"))
        })?;
        let (sender, lines) = mpsc::channel();
        let mut running = Running { child, lines, said: None, stage: String::new() };
        if let Some(error) = running.child.stderr.take() {
            running.said = Some(std::thread::Builder::new().spawn(move || all_said(error))?);
        }
        if let Some(output) = running.child.stdout.take() {
            let read = move || {
                for line in BufReader::new(output.take(MOST_BYTES)).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            };
            std::thread::Builder::new().spawn(read)?;
        }
        if let Some(input) = &mut running.child.stdin {
            // A child that ended already says why by its status.
            let _ = input.write_all(request);
        }
        Ok(running)
    }

    /// Waits for the child's end, and ends it where it takes too much.
    fn watch(&mut self, limits: &Limits, progress: Option<&Progress>) -> Ended {
        let start = Instant::now();
        let time = limits.time.saturating_add(GRACE);
        loop {
            match self.lines.recv_timeout(BETWEEN_LOOKS) {
                Ok(line) => self.note(&line, progress),
                Err(RecvTimeoutError::Timeout) => {}
                // Its output ends where it ends; if not quite at once, then soon.
                Err(RecvTimeoutError::Disconnected) => {
                    if !matches!(self.child.try_wait(), Ok(None)) {
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

    /// Ends the child if it still runs; gives its status, its last stage and what it said.
    fn end(mut self) -> Result<(std::process::ExitStatus, String, String)> {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
        }
        let status = self.child.wait()?;
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        Ok((status, std::mem::take(&mut self.stage), said))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only where starting or waiting failed is there anything left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn all_said(mut error: impl Read) -> String {
    let mut said = Vec::new();
    let _ = (&mut error).take(SAID).read_to_end(&mut said);
    let _ = io::copy(&mut error, &mut io::sink());
    String::from_utf8_lossy(&said).into_owned()
}
