//! `tablemill inspect`: what a file is, what tables it holds, what was wrong and where.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use crate::limits::human_bytes;
use crate::report::{Dialect, Report, Stage, TableReport};
use crate::{Issue, Options};

use super::args::{ReadArguments, SqlArguments};
use super::exit::{Status, Stop};
use super::grid::{self, Cell, Column};
use super::preview::{self, count};
use super::read::{self, How, Reading};
use super::terminal::{self, Style, printable};

/// Rows of the preview.
const ROWS: u64 = 10;
/// Columns that are listed of one table.
const COLUMNS: usize = 50;
/// Tables that are shown with columns and rows; the rest by name and size.
const TABLES: usize = 10;
/// Said of a file whose values were not looked at.
const METADATA_ONLY: &str = "metadata and first rows only; --verify reads everything";

/// Say what files are, what tables they hold, and what is wrong with them
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Inspect {
    /// The files; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Print one JSON report a line, in the order of the files
    #[arg(long)]
    json: bool,

    /// Decode every value of Parquet, ORC and Arrow files, of which only the metadata is read otherwise
    #[arg(long)]
    verify: bool,

    #[command(flatten)]
    read: ReadArguments,

    #[command(flatten)]
    sql: SqlArguments,
}

const EXAMPLES: &str = "\
Examples:
  tablemill inspect orders.csv.gz
  tablemill inspect --json *.xlsx | jq .tables
  tablemill inspect towns.csv -o sep=';' -o 'dtype={\"zip\": \"str\"}'";

impl Inspect {
    /// Runs the verb.
    pub(super) fn run(&self) -> Result<Status, Stop> {
        let options =
            Options { leave_rows: true, verify: self.verify, ..self.read.options(&self.sql)? };
        read::check_files(&self.files)?;
        self.read.check_rejects(self.files.len())?;
        let head = Some(if self.json { 0 } else { ROWS });
        let how = How { head, ..self.read.how()? };
        let mut status = Status::Valid;
        for (index, file) in self.files.iter().enumerate() {
            let mut reading = read::read(file, &options, &how);
            if self.json {
                let report = serde_json::to_string(&reading.report())
                    .map_err(|error| Stop::Failed(format!("cannot print the report: {error}")))?;
                writeln!(io::stdout(), "{report}")?;
            } else {
                let mut out = BufWriter::new(io::stdout().lock());
                if index > 0 {
                    writeln!(out)?;
                }
                let damage = summary(&reading, Style::of_stdout(), &mut out)?;
                out.flush()?;
                drop(out);
                reading.note(damage);
                reading.show_issues();
            }
            status = status.max(reading.status());
        }
        Ok(status)
    }
}

/// What was found; of a file that is not valid, as much as was found before the error. Gives what was
/// met only when the first rows were read.
fn summary(reading: &Reading, style: Style, out: &mut dyn Write) -> io::Result<Vec<Issue>> {
    let mut damage = Vec::new();
    let report = reading.report();
    // Of a file that could not even be opened there is nothing to say but that.
    if report.errors().any(|error| error.stage == Stage::Source) {
        return Ok(damage);
    }
    let label = style.strong(&printable(reading.label()));
    writeln!(out, "{label}: {}", file_line(&report))?;
    if let Some(dialect) = &report.dialect {
        writeln!(out, "dialect: {}", dialect_line(dialect, is_one_column(&report)))?;
    }
    let Some(ingest) = reading.ingest() else { return Ok(damage) };
    if report.file.read.is_some() {
        writeln!(out, "{}", style.faint(METADATA_ONLY))?;
    }
    let width = terminal::width();
    for (index, (table, columns)) in ingest.tables.iter().zip(&report.tables).enumerate() {
        if index < TABLES {
            writeln!(out)?;
        } else if index == TABLES {
            writeln!(out, "\n{}:", count((report.tables.len() - TABLES) as u64, "more table"))?;
        }
        writeln!(out, "{}", table_line(columns, style))?;
        if index >= TABLES || columns.columns.is_empty() {
            continue;
        }
        for line in column_lines(columns, width, style) {
            writeln!(out, "{line}")?;
        }
        if columns.num_rows > 0 {
            writeln!(out)?;
            match preview::lines(table, ROWS, width, style) {
                Ok(lines) => lines.iter().try_for_each(|line| writeln!(out, "{line}"))?,
                Err(error) => {
                    writeln!(out, "{}", style.faint("  the first rows cannot be read"))?;
                    let issue = error.issue().clone();
                    damage.push(if issue.table.is_some() {
                        issue
                    } else {
                        issue.table(&columns.name)
                    });
                }
            }
        }
    }
    Ok(damage)
}

/// `csv in zip, gzip (utf-8, 1.2 MiB)`.
fn file_line(report: &Report) -> String {
    let file = &report.file;
    let mut text = file.format.clone().unwrap_or_else(|| "unknown format".to_owned());
    if let Some(framing) = &file.framing {
        text.push_str(&format!(" {framing}"));
    }
    if !file.compression.is_empty() {
        text.push_str(&format!(" in {}", file.compression.join(", ")));
    }
    let encoding = file.encoding.as_ref().map(|encoding| format!("{encoding}, "));
    text.push_str(&format!(" ({}{})", encoding.unwrap_or_default(), human_bytes(file.bytes)));
    text
}

/// Whether nothing was cut: the delimiter of such a text only says what does not occur in it.
fn is_one_column(report: &Report) -> bool {
    let tables =
        if report.parsed_tables.is_empty() { &report.tables } else { &report.parsed_tables };
    let is_chosen =
        ["usecols", "columns"].iter().any(|name| report.parser_options.contains_key(*name));
    !is_chosen && !tables.is_empty() && tables.iter().all(|table| table.columns.len() == 1)
}

/// `delimiter ";", quote "'", newline "\r\n", 1 header row, 2 lines skipped`.
fn dialect_line(dialect: &Dialect, is_one_column: bool) -> String {
    let mut parts = vec![match is_one_column {
        true => "one column, no delimiter".to_owned(),
        false => format!("delimiter {:?}", dialect.delimiter),
    }];
    let mut quoted = |what: &str, value: &Option<String>| {
        if let Some(value) = value {
            parts.push(format!("{what} {value:?}"));
        }
    };
    quoted("quote", &dialect.quote);
    quoted("escape", &dialect.escape);
    quoted("comment", &dialect.comment);
    quoted("newline", &dialect.newline);
    quoted("thousands", &dialect.thousands);
    if dialect.decimal != "." {
        parts.push(format!("decimal {:?}", dialect.decimal));
    }
    parts.push(match dialect.header_rows {
        0 => "no header".to_owned(),
        rows => count(rows, "header row"),
    });
    if dialect.skip_rows > 0 {
        parts.push(format!("{} skipped", count(dialect.skip_rows, "line")));
    }
    parts.join(", ")
}

/// `orders: 120 rows, 5 columns`; of a workbook with its cells: `(Sheet1!B3:F20, hidden)`.
fn table_line(table: &TableReport, style: Style) -> String {
    let rows = count(table.num_rows, "row");
    let columns = count(table.num_cols, "column");
    let hidden = table.hidden.then_some("hidden sheet");
    let place: Vec<&str> = table.range.as_deref().into_iter().chain(hidden).collect();
    let place = match place.is_empty() {
        true => String::new(),
        false => style.faint(&format!(" ({})", printable(&place.join(", ")))),
    };
    format!("{}: {rows}, {columns}{place}", style.strong(&printable(&table.name)))
}

/// Name, type and nulls of each column.
fn column_lines(table: &TableReport, width: usize, style: Style) -> Vec<String> {
    let shown = table.columns.iter().take(COLUMNS);
    let column = |name: &str, right, cells: Vec<String>| Column {
        name: name.to_owned(),
        right,
        cells: cells.into_iter().map(Cell::plain).collect(),
    };
    let names = shown.clone().map(|column| printable(&column.name)).collect();
    let dtypes = shown.clone().map(|column| column.dtype.clone()).collect();
    // What pandas calls `object` may be many things.
    let arrow_types = shown.clone().map(|column| printable(&column.arrow_type)).collect();
    let nulls = shown
        .map(|column| column.null_count.map_or_else(|| "?".to_owned(), |count| count.to_string()))
        .collect();
    let columns = [
        column("column", false, names),
        column("dtype", false, dtypes),
        column("arrow type", false, arrow_types),
        column("nulls", true, nulls),
    ];
    let (mut lines, _) = grid::lines(columns.into_iter(), width, style);
    if table.columns.len() > COLUMNS {
        let more = count((table.columns.len() - COLUMNS) as u64, "more column");
        lines.push(style.faint(&format!("  … {more}")));
    }
    lines
}
