//! What parent and child say to each other: a request as one line on the child's standard input,
//! lines of progress on its standard output, an answer in a file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::limits::Limits;
use crate::options::{
    Compression, FileType, Options, Parallelism, ParserOptions, TableNames, Transforms,
};
use crate::report::{Issue, Report};

/// The file in the folder that holds the answer.
pub(super) const ANSWER: &str = "answer.json";
/// Bytes of a request or an answer that are read at most.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// What a worker is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    /// Where the answer and the tables go.
    pub folder: OsString,
    /// Bounds, also of the process itself.
    pub limits: Limits,
    /// The work.
    pub task: Task,
}

/// The work.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Task {
    /// Reads a file.
    Ingest {
        /// Its path.
        path: OsString,
        /// The name of the source.
        name: String,
        /// How to read it.
        options: Box<Asked>,
        /// Rows of each table that are wanted at most; with 0 no tables are written.
        rows: Option<u64>,
    },
    /// Runs a query.
    Query {
        /// Names and files of the tables.
        tables: Vec<(String, OsString)>,
        /// The query.
        sql: String,
    },
}

/// [`Options`] in a form that can be sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    name: Option<String>,
    file_type: Option<FileType>,
    compression: Option<Compression>,
    parser: Map<String, Value>,
    unknown: Vec<String>,
    transforms: Transforms,
    table_names: TableNames,
    rejects: Option<OsString>,
    leave_rows: bool,
    verify: bool,
    parallelism: Parallelism,
}

impl Asked {
    /// The same options; where the progress goes is not among them.
    pub fn of(options: &Options) -> Self {
        // Every field by name: one that is added later must be sent too.
        let Options {
            name,
            file_type,
            compression,
            parser,
            transforms,
            table_names,
            progress: _,
            rejects,
            leave_rows,
            verify,
            parallelism,
        } = options.clone();
        Asked {
            name,
            file_type,
            compression,
            parser: parser.given().clone(),
            unknown: parser.unknown().iter().map(|option| option.name.clone()).collect(),
            transforms,
            table_names,
            rejects: rejects.map(|path| path.into_os_string()),
            leave_rows,
            verify,
            parallelism,
        }
    }

    /// Bytes of stacks that the work may take beside the usual.
    pub fn stacks(&self) -> u64 {
        if self.transforms.is_empty() { 0 } else { crate::transform::STACKS }
    }

    /// Threads that may be busy at a time.
    pub fn threads(&self) -> usize {
        self.parallelism.threads()
    }

    /// The options again. They were checked when they were first set.
    pub fn options(self) -> Options {
        let mut parser = ParserOptions::from_json(&self.parser).unwrap_or_default();
        for name in &self.unknown {
            // An unknown name is noted, never refused.
            let _ = parser.set(name, &Value::Bool(true));
        }
        Options {
            name: self.name,
            file_type: self.file_type,
            compression: self.compression,
            parser,
            transforms: self.transforms,
            table_names: self.table_names,
            progress: None,
            rejects: self.rejects.map(Into::into),
            leave_rows: self.leave_rows,
            verify: self.verify,
            parallelism: self.parallelism,
        }
    }
}

/// What came of it. The tables are in files of the folder, see [`table_file`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    /// What was found.
    pub report: Report,
    /// What a serialised report leaves out.
    pub agent: BTreeMap<String, String>,
    /// Why there are no tables.
    pub error: Option<Issue>,
    /// The names of the tables that were written.
    pub tables: Vec<String>,
}

impl Answer {
    /// The answer that a failure is.
    pub fn failed(error: Error) -> Self {
        let issue = error.issue().clone();
        let report = error.into_report().unwrap_or_default();
        let agent = report.agent.clone();
        Answer { report, agent, error: Some(issue), tables: Vec::new() }
    }
}

/// The name of the file of a table.
pub(super) fn table_file(folder: &Path, index: usize) -> std::path::PathBuf {
    folder.join(format!("{index}.arrow"))
}
