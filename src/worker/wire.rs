//! What parent and child say to each other: a request as one line on the child's standard input,
//! lines of progress on its standard output, an answer in a file.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::options::{
    Compression, FileType, Options, Parallelism, ParserOptions, TableNames, Transforms,
};
use crate::report::{Code, Issue, Report, Stage};

/// The file in the folder that holds the answer.
pub(super) const ANSWER: &str = "answer.json";
/// Bytes of an answer that are read at most.
pub(super) const ANSWER_BYTES: u64 = 64 << 20;
/// Bytes of a request that are read at most.
pub(super) const REQUEST_BYTES: u64 = 1 << 30;

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
    /// The same options; where the progress goes is not among them. Parser options that were not set
    /// by name cannot be sent: an error.
    pub fn of(options: &Options) -> Result<Self> {
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
        let asked = Asked {
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
        };
        match asked.parser() {
            Ok(again) if again == parser => Ok(asked),
            Ok(_) => Err(bad_option("parser options were set as fields, expected by name")
                .hint("set them with ParserOptions::set or ParserOptions::from_json")
                .into()),
            Err(error) => Err(error),
        }
    }

    fn parser(&self) -> Result<ParserOptions> {
        let mut parser = ParserOptions::from_json(&self.parser).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            bad_option(&problems.join("; "))
        })?;
        for name in &self.unknown {
            // An unknown name is noted, never refused.
            parser
                .set(name, &Value::Bool(true))
                .map_err(|problem| bad_option(&problem.to_string()))?;
        }
        Ok(parser)
    }

    /// Bytes of stacks that the work may take beside the usual.
    pub fn stacks(&self) -> u64 {
        if self.transforms.is_empty() { 0 } else { crate::transform::STACKS }
    }

    /// Threads that may be busy at a time.
    pub fn threads(&self) -> usize {
        self.parallelism.threads()
    }

    /// The options again.
    pub fn options(self) -> Result<Options> {
        let parser = self.parser()?;
        Ok(Options {
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
        })
    }
}

fn bad_option(message: &str) -> Issue {
    Issue::error(Stage::Parse, Code::BadOption, message)
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
pub(super) fn table_file(index: usize) -> String {
    format!("{index}.arrow")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::options::Step;

    fn sent(options: &Options) -> Options {
        let text = serde_json::to_string(&Asked::of(options).unwrap()).unwrap();
        serde_json::from_str::<Asked>(&text).unwrap().options().unwrap()
    }

    #[test]
    fn options_of_every_kind_arrive() {
        let parser = r##"{
            "sep": ";", "lineterminator": "\n", "quotechar": "'", "quoting": 1,
            "doublequote": false, "escapechar": "\\", "escape_outside": false, "comment": "#",
            "skipinitialspace": true, "encoding": "latin1", "encoding_errors": "replace",
            "header": [0, 1], "names": ["a", "b"], "usecols": ["a"], "index_col": [0, "a"],
            "prefix": "c", "mangle_dupe_cols": true, "skiprows": [0, 2], "skipfooter": 1,
            "stacked": true, "nrows": "10", "byte_range": [1, 9], "skip_blank_lines": false,
            "on_bad_lines": "skip", "dtype": {"a": "int8", "b": "category"}, "decimal": ",",
            "thousands": ".", "true_values": ["ja"], "false_values": ["nein"],
            "na_values": {"a": ["-"]}, "keep_default_na": false, "na_filter": true,
            "parse_dates": ["a"], "dayfirst": true, "compression": "gzip", "orient": "records",
            "lines": true, "record_path": ["a", "b"], "sheet_name": ["Sheet1", 2],
            "range": ["B3:F20"], "table_name": ["t"], "row_groups": [0, 0, 2], "stripes": [1],
            "hedaer": 0
        }"##;
        let parser: Value = serde_json::from_str(parser).unwrap();
        let parser = ParserOptions::from_json(parser.as_object().unwrap()).unwrap();
        let text = format!("{parser:#?}");
        let unset = text.lines().find(|line| !line.starts_with("     ") && line.ends_with("None,"));
        assert_eq!(unset, None, "an option is not set");
        let step = Step { sql: "SELECT 1".to_owned(), name: Some("one".to_owned()) };
        let options = Options {
            name: Some("n".to_owned()),
            file_type: Some(FileType::Parquet),
            compression: Some(Compression::Zstd),
            parser,
            transforms: Transforms::Steps(vec![step]),
            table_names: TableNames::Untitled,
            progress: None,
            rejects: Some("r.csv".into()),
            leave_rows: true,
            verify: true,
            parallelism: Parallelism { threads: 3, chunk_bytes: 77 },
        };
        assert_eq!(format!("{:?}", sent(&options)), format!("{options:?}"));
        assert_eq!(sent(&options).parser, options.parser);
        let unquoted =
            json!({"quotechar": "", "na_values": ["-"], "parse_dates": true, "header": null});
        let parser = ParserOptions::from_json(unquoted.as_object().unwrap()).unwrap();
        let options = Options { parser, ..Options::default() };
        assert_eq!(sent(&options).parser, options.parser);
    }

    #[test]
    fn limits_arrive() {
        let time = Duration::from_nanos(1_500_000_001);
        let limits = Limits { rows: u64::MAX, time, ..Limits::default() };
        let text = serde_json::to_string(&limits).unwrap();
        assert_eq!(serde_json::from_str::<Limits>(&text).unwrap(), limits);
    }

    #[test]
    fn what_cannot_be_sent_or_read_is_an_error() {
        let mut options = Options::default();
        options.parser.nrows = Some(1);
        let error = Asked::of(&options).unwrap_err();
        assert_eq!(error.issue().code, Code::BadOption);
        let mut asked = serde_json::to_value(Asked::of(&Options::default()).unwrap()).unwrap();
        asked["parser"] = json!({"quoting": 9});
        let error = serde_json::from_value::<Asked>(asked).unwrap().options().unwrap_err();
        assert_eq!(error.issue().code, Code::BadOption);
        assert!(error.issue().message.contains("quoting: got 9"), "{error}");
    }
}
