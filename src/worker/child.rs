//! The child: one request, bounds on itself, the work, the answer.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::bounds;
use super::wire::{ANSWER, Answer, REQUEST_BYTES, Request, Task, table_file};
use crate::error::Result;
use crate::format::spill;
use crate::limits::Limits;
use crate::options::{Options, Parallelism};
use crate::pipeline::ingest;
use crate::progress::Progress;
use crate::report::Report;
use crate::source::Source;
use crate::table::Table;

const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// Threads that only wait need little room.
const SMALL_STACK: usize = 128 << 10;

/// Does what the line on standard input asks for and ends; ends at once when standard input does,
/// because then nobody waits any more. For the hidden verb that makes a program a worker.
pub fn serve_worker() -> io::Result<()> {
    let mut input = BufReader::new(io::stdin());
    let mut line = String::new();
    (&mut input).take(REQUEST_BYTES).read_line(&mut line)?;
    let Request { folder, limits, task } = serde_json::from_str(&line)?;
    let folder = PathBuf::from(folder);
    let (stacks, threads) = match &task {
        Task::Ingest { options, .. } => (options.stacks(), options.threads()),
        Task::Query { .. } => (crate::transform::STACKS, Parallelism::default().threads()),
    };
    bounds::set(&limits, stacks, threads as u64);
    end_with_the_parent(input, folder.clone())?;
    let progress = Arc::new(Progress::default());
    tell(Arc::clone(&progress))?;
    #[cfg(debug_assertions)]
    super::bomb::go_off(&task);
    let answer = match task {
        Task::Ingest { path, name, options, rows } => {
            let source = Source::path(&path).named(name);
            options.options().and_then(|options| {
                let options = Options { progress: Some(progress), ..options };
                read(source, &options, &limits, rows, &folder)
            })
        }
        Task::Query { tables, sql } => {
            progress.start("transform", 0);
            query(&tables, &sql, &limits, &folder)
        }
    };
    let answer = answer.unwrap_or_else(Answer::failed);
    let mut out = BufWriter::new(File::create(folder.join(ANSWER))?);
    serde_json::to_writer(&mut out, &answer)?;
    out.flush()
}

fn read(
    source: Source,
    options: &Options,
    limits: &Limits,
    rows: Option<u64>,
    folder: &Path,
) -> Result<Answer> {
    let read = ingest(source, options, limits)?;
    let wanted = if rows == Some(0) { &[] } else { read.tables.as_slice() };
    write(wanted, rows, folder).map_err(|error| {
        // Rows that were left in their file were read only now.
        let mut report = read.report.clone();
        report.tables.clear();
        report.add_error(error.issue().clone());
        error.with_report(report)
    })?;
    let tables = wanted.iter().map(|table| table.name().to_owned()).collect();
    let agent = read.report.agent.clone();
    // The process ends now; giving its memory back piece by piece would only take time.
    std::mem::forget(read.tables);
    Ok(Answer { report: read.report, agent, error: None, tables })
}

#[cfg(feature = "sql")]
fn query(
    tables: &[(String, std::ffi::OsString)],
    sql: &str,
    limits: &Limits,
    folder: &Path,
) -> Result<Answer> {
    let unbounded = Limits { input_bytes: u64::MAX, ..limits.clone() };
    let open = |(name, path): &(String, std::ffi::OsString)| {
        let bytes = Source::path(path).open(&unbounded)?;
        let (schema, batches) =
            spill::read(bytes).map_err(|error| super::death::unreadable(&error))?;
        Ok(Table::new(name, schema, batches))
    };
    let tables = tables.iter().map(open).collect::<Result<Vec<Table>>>()?;
    let result = crate::query(tables, sql, limits)?;
    let report = Report { tables: vec![result.report()], is_valid: true, ..Report::default() };
    write(std::slice::from_ref(&result), None, folder)?;
    Ok(Answer { report, tables: vec![result.name().to_owned()], ..Answer::default() })
}

#[cfg(not(feature = "sql"))]
fn query(_: &[(String, std::ffi::OsString)], _: &str, _: &Limits, _: &Path) -> Result<Answer> {
    Err(crate::Error::from(io::Error::other("this program was built without SQL")))
}

fn write(tables: &[Table], rows: Option<u64>, folder: &Path) -> Result<()> {
    for (index, table) in tables.iter().enumerate() {
        let file = File::create(folder.join(table_file(index)))?;
        match rows {
            Some(rows) => spill::write(&table.slice(0, rows)?, file)?,
            None => spill::write(table, file)?,
        }
    }
    Ok(())
}

/// Standard input stays open as long as the parent lives.
fn end_with_the_parent(mut input: impl Read + Send + 'static, folder: PathBuf) -> io::Result<()> {
    let watch = move || {
        let _ = io::copy(&mut input, &mut io::sink());
        // Nobody else will do it.
        let _ = std::fs::remove_dir_all(folder);
        std::process::abort();
    };
    std::thread::Builder::new().stack_size(SMALL_STACK).spawn(watch).map(drop)
}

/// Says how far the work is: a line `parse 10 20` for each change.
fn tell(progress: Arc<Progress>) -> io::Result<()> {
    let work = move || {
        let mut last = Default::default();
        loop {
            let state = progress.state();
            if state != last {
                let line = format!("{} {} {}\n", state.0, state.1, state.2);
                if io::stdout().write_all(line.as_bytes()).is_err() {
                    return;
                }
                last = state;
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    };
    std::thread::Builder::new().stack_size(SMALL_STACK).spawn(work).map(drop)
}
