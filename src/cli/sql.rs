//! `tablemill sql`: one query over the tables of several files.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::format::write::WriteOptions;
use crate::naming::unique_table;
use crate::{Progress, Table};

use super::args::{ReadArguments, SqlArguments};
use super::exit::{Status, Stop};
use super::output::{OutputArguments, Target};
use super::preview::{self, count};
use super::progress::Bar;
use super::read;
use super::render;
use super::terminal::{self, Style};

/// Rows that are shown on a terminal.
const ROWS: u64 = 40;

/// Ask one SQL query of the tables of files
///
/// Each table is there under its name: the file's name without extensions, the sheet's, or the
/// archive member's. Where names clash the later one gets " (2)". The first table is also `data`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Sql {
    /// The query: SELECT, WITH, VALUES
    #[arg(value_name = "QUERY")]
    query: String,

    /// The files; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    output: OutputArguments,

    /// Ask also what is whole of damaged files; the exit status stays 1
    #[arg(long)]
    salvage: bool,

    #[command(flatten)]
    read: ReadArguments,
}

const EXAMPLES: &str = "\
Examples:
  tablemill sql \"SELECT city, count(*) AS n FROM orders GROUP BY city\" orders.csv
  tablemill sql \"SELECT * FROM orders JOIN towns USING (zip)\" orders.csv towns.xlsx --to json
  cat log.csv | tablemill sql \"SELECT max(time) AS latest FROM data\" -";

impl Sql {
    /// Runs the verb.
    pub(super) fn run(&self) -> Result<Status, Stop> {
        let options = self.read.options(&SqlArguments::default())?;
        let output = self.output.output()?;
        read::check_files(&self.files)?;
        if self.query.trim().is_empty() {
            return Err(Stop::usage("the query is empty", "write a SELECT"));
        }
        let how = self.read.how()?;
        let mut tables: Vec<Table> = Vec::new();
        let mut taken = HashSet::new();
        let (mut worst, mut refused) = (Status::Valid, false);
        for file in &self.files {
            // A bad file does not keep the next ones from being told about.
            match read::read(file, &options, &how).into_ingest(self.salvage) {
                Ok((ingest, status)) => {
                    worst = worst.max(status);
                    tables.extend(ingest.tables.into_iter().map(|table| {
                        let name = unique_table(table.name().to_owned(), &taken);
                        taken.insert(name.clone());
                        table.renamed(name)
                    }));
                }
                Err(Stop::Shown(status)) => {
                    worst = worst.max(status);
                    refused |= !self.salvage;
                }
                Err(stop) => return Err(stop),
            }
        }
        if refused || tables.is_empty() {
            return Err(Stop::Shown(worst));
        }
        let progress = Arc::new(Progress::default());
        progress.start("sql", 0);
        let bar = Bar::start("the query", progress);
        let result = match &how.worker {
            Some(worker) => worker.query(&tables, &self.query, &how.limits),
            None => crate::query(tables, &self.query, &how.limits),
        };
        drop(bar);
        let result = result.map_err(|error| {
            render::show_error(&error, "the query", Some(&self.query));
            Stop::Shown(Status::of(&error))
        })?;
        match output.target {
            None if output.is_terminal() => show(&result)?,
            target => {
                let target = target.unwrap_or(Target::Csv);
                let written = output.write(&result, target, WriteOptions::default());
                written.or_else(Stop::unless_closed)?;
            }
        }
        Ok(worst)
    }
}

/// The result for a person's eyes.
fn show(table: &Table) -> io::Result<()> {
    let style = Style::of_stdout();
    let mut out = BufWriter::new(io::stdout().lock());
    for line in preview::lines(table, ROWS, terminal::width(), style)? {
        writeln!(out, "{line}")?;
    }
    let rows = count(table.num_rows(), "row");
    let all = if table.num_rows() > ROWS { "; --to csv or --out FILE gives all" } else { "" };
    writeln!(out, "{}", style.faint(&format!("  {rows}{all}")))?;
    out.flush()
}
