//! The stable, serialisable answer: what a file is, what tables it holds, what was wrong and where.
//!
//! The JSON shape is `{"file", "dialect", "tables", "parser_options", "issues", "issue_counts",
//! "is_valid", "timings"}`; `report.schema.json` beside this file describes it and a test holds
//! every fixture's report to it.

mod issue;
mod rejects;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use issue::{Code, Issue, RAW_CHARACTERS, Severity, Stage, quote};
pub use rejects::Rejects;

/// The JSON Schema of a serialised [`Report`].
pub const SCHEMA: &str = include_str!("report.schema.json");

/// What was found in one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The file itself.
    pub file: FileReport,
    /// The dialect of a delimited text; of the first one where an archive holds several.
    pub dialect: Option<Dialect>,
    /// The resulting tables, after any SQL.
    pub tables: Vec<TableReport>,
    /// The tables as read, before SQL; empty where no SQL was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parsed_tables: Vec<TableReport>,
    /// Options which, given explicitly, reproduce this parse.
    pub parser_options: Map<String, Value>,
    /// What was wrong, guessed, repaired or ignored; at most `Limits::issues` of them.
    pub issues: Vec<Issue>,
    /// How often each code came up, those not listed included.
    pub issue_counts: BTreeMap<String, u64>,
    /// Whether every table is a faithful image of the file.
    pub is_valid: bool,
    /// Seconds spent in each stage.
    pub timings: BTreeMap<String, f64>,
    /// `agent_name` and `agent_version`, where columnar JSON says who sent it. The HTTP face keeps
    /// them in the file's record; they are no part of the report.
    #[serde(skip)]
    pub agent: BTreeMap<String, String>,
}

impl Report {
    /// Adds an error that was met after the report was finished.
    pub(crate) fn add_error(&mut self, issue: Issue) {
        self.is_valid = false;
        *self.issue_counts.entry(issue.code.as_str().to_owned()).or_default() += 1;
        self.issues.push(issue);
    }
}

/// What the bytes are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileReport {
    /// The name given, or the last part of the path; empty where there is none.
    pub name: String,
    /// Bytes as they came, still compressed.
    pub bytes: u64,
    /// The layers of compression found, outermost first: `gzip`, `bz2`, `xz`, `zstd`, `zip`.
    pub compression: Vec<String>,
    /// `csv`, `json`, `arrow`, `parquet`, `orc`, `xls`, `xlsx`, `xlsb`, `ods`; null where unknown.
    pub format: Option<String>,
    /// The layout inside the format: `file` or `stream` for arrow, `records`, `lines`, `columnar`, …
    /// for json; null elsewhere.
    pub framing: Option<String>,
    /// The encoding of a text, by its WHATWG name in lower case; null for binary formats.
    pub encoding: Option<String>,
    /// How sure that is: `given` by an option, `certain` (a BOM, or valid UTF-8), `likely`, `unsure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_confidence: Option<String>,
    /// The members read from an archive, in its order.
    pub members: Vec<String>,
    /// How much was read: `metadata` where the values of a Parquet, ORC or Arrow file were left in it
    /// without a look at them, see `Options::leave_rows`; otherwise all, and absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
}

/// How a delimited text is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dialect {
    /// What stands between cells.
    pub delimiter: String,
    /// The quote character, if any.
    pub quote: Option<String>,
    /// The escape character, if quotes are not doubled.
    pub escape: Option<String>,
    /// What a comment line begins with.
    pub comment: Option<String>,
    /// `\n`, `\r\n`, `\r`, `mixed`, or null in a text of one line without an end.
    pub newline: Option<String>,
    /// Lines above the header or the first row that were skipped.
    pub skip_rows: u64,
    /// Rows that make up the header.
    pub header_rows: u64,
    /// Rows at the end, notes and totals, that were left out.
    pub footer_rows: u64,
    /// The decimal mark.
    pub decimal: String,
    /// The mark between groups of digits, if any.
    pub thousands: Option<String>,
}

/// One table: its name, size and columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableReport {
    /// The sheet's, archive member's or file's name.
    pub name: String,
    /// Rows, headers not counted.
    pub num_rows: u64,
    /// Columns.
    pub num_cols: u64,
    /// The cells of a workbook that it was read from, header included: `Sheet1!B3:F20`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Whether its sheet is hidden in the workbook.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The columns in order.
    pub columns: Vec<ColumnReport>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// Its name, unique in the table.
    pub name: String,
    /// Its type in pandas' spelling: `int64`, `object`, `datetime64[us]`, …
    pub dtype: String,
    /// Its Arrow type as arrow-rs prints it.
    pub arrow_type: String,
    /// How many of its values are null; `None` where only the metadata of a Parquet, ORC or Arrow file
    /// was read, and it does not say.
    pub null_count: Option<u64>,
    /// How its texts are written, where not as programs write them: `%d/%m/%Y`, `1.234,5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

impl Report {
    /// The issues that make the file invalid.
    pub fn errors(&self) -> impl Iterator<Item = &Issue> {
        self.issues.iter().filter(|issue| issue.severity == Severity::Error)
    }

    /// The issues that leave the file valid.
    pub fn warnings(&self) -> impl Iterator<Item = &Issue> {
        self.issues.iter().filter(|issue| issue.severity == Severity::Warning)
    }
}

/// A report in the making. Stages push issues here and note what they find.
#[derive(Clone, Debug)]
pub struct Reporter {
    report: Report,
    has_error: bool,
    issues_kept: usize,
}

/// What a report says of a file, of which the first part that says it counts.
#[derive(Debug)]
pub struct Found {
    file: FileReport,
    dialect: Option<Dialect>,
    parser_options: Map<String, Value>,
}

impl Reporter {
    /// An empty report that lists at most `issues_kept` issues.
    pub fn new(issues_kept: usize) -> Self {
        Reporter { report: Report::default(), has_error: false, issues_kept }
    }

    /// Notes an issue. All are counted; an error is listed even where the list is full, in the
    /// place of the last warning, because it says why there is no table.
    pub fn push(&mut self, issue: Issue) {
        *self.report.issue_counts.entry(issue.code.as_str().to_owned()).or_default() += 1;
        let is_error = issue.severity == Severity::Error;
        self.has_error |= is_error;
        if self.report.issues.len() < self.issues_kept {
            self.report.issues.push(issue);
        } else if is_error
            && let Some(last) = self.report.issues.last_mut()
            && last.severity == Severity::Warning
        {
            *last = issue;
        }
    }

    /// Whether an issue of this code would still be listed, so that its text is worth making.
    pub fn has_room(&self) -> bool {
        self.report.issues.len() < self.issues_kept
    }

    /// Counts further issues of a code without listing them.
    pub fn count(&mut self, code: Code, more: u64) {
        if more > 0 {
            *self.report.issue_counts.entry(code.as_str().to_owned()).or_default() += more;
        }
    }

    /// Adds to the time of a stage.
    pub fn add_time(&mut self, stage: &str, time: Duration) {
        *self.report.timings.entry(stage.to_owned()).or_default() += time.as_secs_f64();
    }

    /// What is known of the file so far.
    pub fn file(&mut self) -> &mut FileReport {
        &mut self.report.file
    }

    /// What is known of the file so far, to be put back should its next part come to nothing.
    pub fn found(&self) -> Found {
        let Report { file, dialect, parser_options, .. } = &self.report;
        Found {
            file: file.clone(),
            dialect: dialect.clone(),
            parser_options: parser_options.clone(),
        }
    }

    /// Puts back what was known; gives what took its place.
    pub fn replace_found(&mut self, found: Found) -> Found {
        let Report { file, dialect, parser_options, .. } = &mut self.report;
        Found {
            file: std::mem::replace(file, found.file),
            dialect: std::mem::replace(dialect, found.dialect),
            parser_options: std::mem::replace(parser_options, found.parser_options),
        }
    }

    /// Notes the dialect of the first delimited text.
    pub fn dialect(&mut self, dialect: Dialect) {
        self.report.dialect.get_or_insert(dialect);
    }

    /// Notes an option that reproduces what was found; the first value of a name stays.
    pub fn option(&mut self, name: &str, value: impl Into<Value>) {
        self.report.parser_options.entry(name).or_insert(value.into());
    }

    /// Notes the tables as read, before SQL.
    pub fn parsed_tables(&mut self, tables: Vec<TableReport>) {
        self.report.parsed_tables = tables;
    }

    /// Notes who sent the file.
    pub fn agent(&mut self, key: &str, value: &str) {
        self.report.agent.insert(key.to_owned(), value.to_owned());
    }

    /// The finished report over the resulting tables.
    pub fn finish(mut self, tables: Vec<TableReport>) -> Report {
        self.report.is_valid = !self.has_error;
        self.report.tables = tables;
        self.report
    }
}
