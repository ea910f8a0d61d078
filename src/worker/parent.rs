//! The parent: starts a child, watches it, takes what it made.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use tempfile::TempDir;

use super::bounds;
use super::death::{self, Ended};
use super::made::Made;
use super::running::Running;
use super::wire::{ANSWER, ANSWER_BYTES, Answer, Asked, Request, Task, table_file};
use crate::error::{Error, Result};
use crate::format::spill;
use crate::guard::guarded;
use crate::limits::Limits;
use crate::options::Options;
use crate::pipeline::Ingest;
use crate::progress::Progress;
use crate::report::{Report, Reporter, Stage, TableReport};
use crate::source::Source;
use crate::table::{Rows, Table};

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
    folder: Option<PathBuf>,
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
        Worker { program: program.into(), folder: None }
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
        Worker { folder: Some(folder.into()), ..self }
    }

    /// The same, with temporary files in `folder` where no other was named.
    #[cfg(feature = "server")]
    pub(crate) fn or_in_folder(self, folder: impl Into<PathBuf>) -> Self {
        Worker { folder: self.folder.or_else(|| Some(folder.into())), ..self }
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
            let options_sent = Box::new(Asked::of(options)?);
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
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("tablemill-");
        Ok(match &self.folder {
            Some(folder) => builder.tempdir_in(folder)?,
            None => builder.tempdir()?,
        })
    }

    fn run(
        &self,
        folder: TempDir,
        task: Task,
        limits: &Limits,
        progress: Option<&Progress>,
    ) -> Result<Worked> {
        let (is_head, is_report_only) = match &task {
            Task::Ingest { rows, .. } => (rows.is_some(), *rows == Some(0)),
            Task::Query { .. } => (false, false),
        };
        let made = Made::in_folder(folder.path())?;
        let request =
            Request { folder: folder.path().as_os_str().to_owned(), limits: limits.clone(), task };
        let mut request = serde_json::to_vec(&request).map_err(io::Error::from)?;
        request.push(b'\n');
        let mut running = Running::start(&self.program, made.folder(), request)?;
        let ended = running.watch(limits, progress);
        let (status, stage, said) = running.end()?;
        if ended != Ended::ByItself || !status.success() {
            return Err(death::error(ended, status, &stage, &said, limits));
        }
        let answer = made.bytes(ANSWER, ANSWER_BYTES)?;
        let Answer { mut report, agent, error, tables } = serde_json::from_slice(&answer)
            .map_err(|error| death::strange(ANSWER, &error.to_string()))?;
        report.agent = agent;
        if let Some(issue) = error {
            return Err(Error::from(issue).with_report(report));
        }
        let expected = if is_report_only { 0 } else { report.tables.len() };
        if tables.len() != expected {
            let counts = format!("it names {} tables, expected {expected}", tables.len());
            return Err(death::strange(ANSWER, &counts));
        }
        let mut streams = Vec::new();
        for (index, name) in tables.into_iter().enumerate() {
            let file = table_file(index);
            let bytes = made.bytes(&file, bounds::file_bytes(limits))?;
            guarded(Stage::Parse, "table", || {
                spill::check(&bytes).map_err(|error| death::strange(&file, &error.to_string()))
            })
            .map_err(|error| error.with_report(report.clone()))?;
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
            // The child may have been made to write anything: no panic of the decoder comes through.
            let (schema, batches) = guarded(Stage::Parse, "table", || {
                spill::read(bytes).map_err(|error| death::unreadable(&error))
            })
            .map_err(|error| error.with_report(report.clone()))?;
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
