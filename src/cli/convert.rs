//! `tablemill convert`: one table of a file into another format.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::format::write::WriteOptions;
use crate::options::nearest;
use crate::{Ingest, Options, Report, Table};

use super::args::{ReadArguments, SqlArguments};
use super::exit::{Status, Stop};
use super::output::{OutputArguments, TARGETS};
use super::preview::count;
use super::read;
use super::terminal::printable;

/// Write a table of a file as csv, ndjson, json, parquet or arrow
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Convert {
    /// The file; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    output: OutputArguments,

    /// The table to write, by name or by position from 0; needed where there are several
    #[arg(long, value_name = "NAME|N")]
    table: Option<String>,

    /// Keep every cell as the text in the file: no types, no nulls
    #[arg(long)]
    text: bool,

    /// Begin a csv with the column names: always, never, or auto, if the input did
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    header: Header,

    /// Write what is whole of a damaged file; the exit status stays 1
    #[arg(long)]
    salvage: bool,

    #[command(flatten)]
    read: ReadArguments,

    #[command(flatten)]
    sql: SqlArguments,
}

const EXAMPLES: &str = "\
Examples:
  tablemill convert orders.csv.gz --out orders.parquet
  tablemill convert book.xlsx --table May --to ndjson | head
  tablemill convert towns.csv --to csv --text --header always";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Header {
    Auto,
    Always,
    Never,
}

impl Convert {
    /// Runs the verb.
    pub(super) fn run(&self) -> Result<Status, Stop> {
        let mut options = Options { leave_rows: true, ..self.read.options(&self.sql)? };
        if self.text {
            keep_text(&mut options)?;
        }
        let output = self.output.output()?;
        let Some(target) = output.target else {
            return Err(Stop::usage("no format to write was given", TARGETS));
        };
        if self.read.rejects().is_some_and(|rejects| output.is_at(rejects)) {
            let problem = "--rejects and --out are the same file";
            return Err(Stop::usage(problem, "name two files"));
        }
        let reading = read::read(&self.file, &options, &self.read.how()?);
        let (ingest, status) = reading.into_ingest(self.salvage)?;
        let table = self.chosen(&ingest)?;
        let header = self.header(&ingest.report);
        // As text, an empty cell is what the file has, not a null to be told from it.
        let write = WriteOptions { header, quote_empty: !self.text };
        output.write(table, target, write).or_else(Stop::unless_closed)?;
        Ok(status)
    }

    /// The table asked for, or the only one.
    fn chosen<'a>(&self, ingest: &'a Ingest) -> Result<&'a Table, Stop> {
        let file = printable(&self.file.to_string_lossy());
        let tables = &ingest.tables;
        let Some(wanted) = &self.table else {
            return match tables.as_slice() {
                [only] => Ok(only),
                [] => Err(Stop::Failed(format!("{file} holds no table"))),
                _ => {
                    let problem = format!("{file} holds {} tables", tables.len());
                    Err(Stop::usage(problem, listed("choose one with --table", tables)))
                }
            };
        };
        let by_name = tables.iter().find(|table| table.name() == wanted);
        let by_position = || wanted.parse().ok().and_then(|index: usize| tables.get(index));
        by_name.or_else(by_position).ok_or_else(|| {
            let near = nearest(wanted, tables.iter().map(Table::name));
            let near = near.map(|near| format!("did you mean {near:?}? "));
            let hint = format!("{}the tables are", near.unwrap_or_default());
            Stop::usage(format!("{file} holds no table {wanted:?}"), listed(&hint, tables))
        })
    }

    fn header(&self, report: &Report) -> bool {
        match self.header {
            Header::Always => true,
            Header::Never => false,
            Header::Auto => report.dialect.as_ref().is_none_or(|dialect| dialect.header_rows > 0),
        }
    }
}

/// Every cell as it stands in the file.
fn keep_text(options: &mut Options) -> Result<(), Stop> {
    if options.parser.dtype.is_some() {
        return Err(Stop::usage("--text and -o dtype contradict each other", "drop one of them"));
    }
    for (name, value) in [("dtype", json!("str")), ("na_filter", json!(false))] {
        if let Err(problem) = options.parser.set(name, &value) {
            return Err(Stop::Failed(format!("--text: {problem}")));
        }
    }
    Ok(())
}

/// Tables by position and name, one a line; not more than fit on a screen.
fn listed(hint: &str, tables: &[Table]) -> String {
    let shown = 20;
    let mut text = format!("{hint}:");
    for (index, table) in tables.iter().take(shown).enumerate() {
        let rows = count(table.num_rows(), "row");
        let columns = count(table.schema().fields().len() as u64, "column");
        text.push_str(&format!("\n    {index}: {} ({rows}, {columns})", printable(table.name())));
    }
    if tables.len() > shown {
        text.push_str(&format!("\n    … {} more", tables.len() - shown));
    }
    text
}
