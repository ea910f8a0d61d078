//! Where tables go, and in what format: standard output, or a file that is whole or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::format::write::{OutputFormat, WriteOptions, write_counted};
use crate::{Progress, Report, Table};

use super::beside::Beside;
use super::exit::{Status, Stop};
use super::preview::count;
use super::progress::Bar;
use super::render::Place;
use super::{render, terminal};

/// Where to write, and what.
#[derive(Args, Debug)]
pub(super) struct OutputArguments {
    /// What to write: csv, ndjson, json, parquet, arrow, arrow-stream [default: as --out ends]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    to: Option<Target>,

    /// The file to write, or - for standard output; it is replaced only once all is written
    #[arg(long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    out: PathBuf,
}

/// A format that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Target {
    /// Delimited text with commas
    Csv,
    /// One JSON object a line
    #[value(alias = "jsonl")]
    Ndjson,
    /// One JSON array of objects
    Json,
    /// Apache Parquet
    Parquet,
    /// Arrow IPC file (Feather v2)
    #[value(alias = "feather")]
    Arrow,
    /// Arrow IPC stream
    ArrowStream,
}

impl Target {
    fn by_extension(path: &Path) -> Option<Self> {
        Some(match path.extension()?.to_str()?.to_lowercase().as_str() {
            "csv" => Target::Csv,
            "ndjson" | "jsonl" => Target::Ndjson,
            "json" => Target::Json,
            "parquet" | "pq" => Target::Parquet,
            "arrow" | "feather" | "ipc" => Target::Arrow,
            "arrows" => Target::ArrowStream,
            _ => return None,
        })
    }

    fn is_binary(self) -> bool {
        matches!(self, Target::Parquet | Target::Arrow | Target::ArrowStream)
    }

    fn format(self) -> OutputFormat {
        match self {
            Target::Csv => OutputFormat::Csv,
            Target::Ndjson => OutputFormat::Ndjson,
            Target::Json => OutputFormat::Json,
            Target::Parquet => OutputFormat::Parquet,
            Target::Arrow => OutputFormat::Arrow,
            Target::ArrowStream => OutputFormat::ArrowStream,
        }
    }
}

/// Where a table goes: checked before any file is read.
#[derive(Debug)]
pub(super) struct Output {
    /// The format, if one was asked for.
    pub target: Option<Target>,
    /// The file; `None` for standard output.
    path: Option<PathBuf>,
}

impl OutputArguments {
    /// The output asked for.
    pub(super) fn output(&self) -> Result<Output, Stop> {
        let path = Some(self.out.clone()).filter(|path| path.as_os_str() != "-");
        let target = match (self.to, &path) {
            (None, Some(path)) => match Target::by_extension(path) {
                Some(target) => Some(target),
                None => {
                    let problem = format!("cannot tell a format from --out {}", path.display());
                    return Err(Stop::usage(problem, TARGETS));
                }
            },
            (target, _) => target,
        };
        if path.is_none() && target.is_some_and(Target::is_binary) && io::stdout().is_terminal() {
            let problem = "a binary format does not go to a terminal";
            return Err(Stop::usage(problem, "name a file with --out, or pipe it on"));
        }
        Ok(Output { target, path })
    }
}

/// What to say where no format was given.
pub(super) const TARGETS: &str = "add --to csv, ndjson, json, parquet or arrow";

impl Output {
    /// Whether a person reads the output.
    pub(super) fn is_terminal(&self) -> bool {
        self.path.is_none() && io::stdout().is_terminal()
    }

    /// Whether it goes to this file.
    pub(super) fn is_at(&self, file: &Path) -> bool {
        self.path.as_deref() == Some(file)
    }

    /// Writes one table.
    pub(super) fn write(
        &self,
        table: &Table,
        target: Target,
        options: WriteOptions,
    ) -> Result<(), Stop> {
        let write = |writer: &mut (dyn Write + Send)| write(table, target, options, writer);
        // On a terminal a bar would be mixed with the data.
        let Some(path) = &self.path else {
            return write(&mut io::stdout());
        };
        let progress = Arc::new(Progress::default());
        progress.start("write", 0);
        let _bar = Bar::start(&path.display().to_string(), progress);
        let failed = |error| Stop::Output { path: Some(path.display().to_string()), error };
        let named = |stop| match stop {
            Stop::Output { error, .. } => failed(error),
            other => other,
        };
        // A link keeps pointing at the file, and a device or a pipe is not replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| followed(path));
        if fs::metadata(&path).is_ok_and(|existing| !existing.is_file() && !existing.is_dir()) {
            let mut file = File::options().write(true).open(&path).map_err(failed)?;
            return write(&mut file).map_err(named);
        }
        let mut file = Beside::of(&path).map_err(failed)?;
        write(file.file()).map_err(named)?;
        file.take_its_place().map_err(failed)
    }
}

/// What a link to a file that is not there yet points at; another path itself.
fn followed(path: &Path) -> PathBuf {
    match fs::read_link(path) {
        Ok(target) => path.parent().unwrap_or(Path::new("")).join(target),
        Err(_) => path.to_owned(),
    }
}

fn write(
    table: &Table,
    target: Target,
    options: WriteOptions,
    writer: &mut (dyn Write + Send),
) -> Result<(), Stop> {
    let buffered = BufWriter::with_capacity(256 << 10, writer);
    let mut watched = Watched { inner: buffered, problem: None };
    let written = write_counted(table, target.format(), &options, &mut watched);
    let flushed = watched.flush();
    match (watched.problem.map_or(flushed, Err), written) {
        (Err(error), _) => Err(Stop::Output { path: None, error }),
        (Ok(()), Err(error)) => {
            render::show_error(&error, table.name(), None);
            Err(Stop::Shown(Status::of(&error)))
        }
        (Ok(()), Ok(written)) => {
            let place = Place { label: table.name(), path: None, queries: &[] };
            let report = Report { issues: written.warnings, ..Report::default() };
            render::show_issues(&report, &place);
            let lost = written.nulls;
            if lost > 0 {
                let values = count(lost, "value");
                let was = if lost == 1 { "was" } else { "were" };
                terminal::note(&format!(
                    "{values} of NaN or infinity {was} written as null; JSON has no other word for \
                     them"
                ));
            }
            Ok(())
        }
    }
}

/// Keeps the first error of a writer: those who write tables give it back as a text only, and a
/// closed pipe must be told from a full disk.
struct Watched<W> {
    inner: W,
    problem: Option<io::Error>,
}

impl<W> Watched<W> {
    fn watch<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let copy = io::Error::new(error.kind(), error.to_string());
            self.problem.get_or_insert(error);
            copy
        })
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.watch(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.watch(flushed)
    }
}
