//! From stored bytes and settings to an outcome: the pipeline, run off the async threads, a bounded
//! number at a time; its tables go to blobs.

use std::path::PathBuf;

use tokio::runtime::Handle;

use super::app::App;
use super::error::{ApiError, ApiResult};
use super::findings;
use crate::limits::Limits;
use crate::options::{Options, ParserOptions, TableNames, Transforms};
use crate::pipeline::ingest;
use crate::report::{Code, Issue, Report, Stage};
use crate::source::Source;
use crate::store::{
    Blobs, FileSettings, Outcome, StoreError, StoredBytes, StoredTable, write_table,
};
use crate::table::Table;
use crate::worker::{Stream, Worker};

/// What came of a parse, and who the data says made it.
#[derive(Debug, Default)]
pub struct Milled {
    /// For the record.
    pub outcome: Outcome,
    /// `agent_name`, where the data names one.
    pub agent_name: Option<String>,
    /// `agent_version`, likewise.
    pub agent_version: Option<String>,
}

/// How an upload was asked for.
#[derive(Debug, Default)]
pub struct Asked {
    /// Problems found in the request: errors make the file invalid, warnings join the others.
    pub issues: Vec<Issue>,
    /// The sender says that the body is a browser form.
    pub multipart: bool,
    /// Whether the bytes go if they are not valid, so that hints do not promise them.
    pub erase: bool,
}

/// Parses and transforms. `Err` only where it is our fault; what is wrong with the file is in the
/// outcome. The outcome's tables are stored but not yet referred to.
pub async fn mill(
    app: &App,
    upload: &StoredBytes,
    settings: &FileSettings,
    asked: Asked,
) -> ApiResult<Milled> {
    let work = Work {
        path: app.store.blobs.path(&upload.blob),
        blobs: app.store.blobs.clone(),
        runtime: Handle::current(),
        limits: app.config.limits.clone(),
        settings: settings.clone(),
        asked,
        worker: app.config.worker.clone(),
    };
    let _slot = app.parse_slots.acquire().await.map_err(ApiError::internal)?;
    tokio::task::spawn_blocking(|| work.run()).await?
}

/// Deletes the tables of an outcome that came to nothing.
pub async fn forget(app: &App, outcome: &Outcome) {
    let blobs: Vec<String> = outcome.tables.iter().map(|table| table.blob.clone()).collect();
    app.store.blobs.delete(&blobs).await;
}

/// Tables in memory, or as a worker wrote them.
enum Made {
    Here(Vec<Table>),
    Apart(Vec<Stream>),
}

struct Work {
    path: PathBuf,
    blobs: Blobs,
    runtime: Handle,
    limits: Limits,
    settings: FileSettings,
    asked: Asked,
    worker: Option<Worker>,
}

impl Work {
    fn run(self) -> ApiResult<Milled> {
        if self.asked.multipart && starts_a_form(&self.path) {
            let message = "the body is a multipart form, expected the bytes of the file themselves";
            let issue = Issue::error(Stage::Detect, Code::MultipartBody, message).byte_offset(0);
            return Ok(self.judge(&Report::default(), &[issue], Vec::new()));
        }
        let options = match self.options() {
            Ok(options) => options,
            Err(issues) => return Ok(self.judge(&Report::default(), &issues, Vec::new())),
        };
        let source = Source::path(&self.path).named(self.settings.name.clone());
        let read = match &self.worker {
            Some(worker) => worker
                .streams(source, &options, &self.limits)
                .map(|worked| (worked.report, Made::Apart(worked.streams))),
            None => ingest(source, &options, &self.limits)
                .map(|read| (read.report, Made::Here(read.tables))),
        };
        match read {
            Ok((report, made)) if report.is_valid && !self.asked.refuses() => {
                let tables = self.store(&made, &report)?;
                Ok(self.judge(&report, &[], tables))
            }
            Ok((report, _)) => Ok(self.judge(&report, &[], Vec::new())),
            Err(error) => {
                let issue = error.issue().clone();
                if issue.stage == Stage::Source {
                    return Err(ApiError::internal(issue.message));
                }
                let report = error.into_report().unwrap_or_default();
                Ok(self.judge(&report, &[issue], Vec::new()))
            }
        }
    }

    /// The settings for the pipeline. They were checked when they were stored; should they be bad
    /// all the same, it is the file that is not valid.
    fn options(&self) -> Result<Options, Vec<Issue>> {
        let bad = |message: String| Issue::error(Stage::Parse, Code::BadOption, message);
        let settings = &self.settings;
        let file_type = settings.file_type.parse().map_err(|problem| vec![bad(problem)])?;
        let compression = match settings.file_compression.as_str() {
            "" => None,
            name => Some(name.parse().map_err(|problem| vec![bad(problem)])?),
        };
        let parser = ParserOptions::from_json(&settings.parser_options).map_err(|problems| {
            problems.iter().map(|problem| bad(problem.to_string())).collect::<Vec<_>>()
        })?;
        let transforms = Transforms::from_json(&settings.sql_transforms)
            .map_err(|problem| vec![bad(format!("sql_transforms: {problem}"))])?;
        Ok(Options {
            name: Some(settings.name.clone()),
            file_type: Some(file_type),
            compression,
            parser,
            transforms,
            table_names: TableNames::Untitled,
            ..Options::default()
        })
    }

    /// Writes the tables to blobs; if one fails, those written before go again.
    fn store(&self, made: &Made, report: &Report) -> ApiResult<Vec<StoredTable>> {
        let mut stored: Vec<StoredTable> = Vec::new();
        for (index, described) in report.tables.iter().enumerate() {
            match self.store_one(made, index) {
                Ok(blob) => stored.push(StoredTable {
                    name: described.name.clone(),
                    dtypes: findings::dtypes(described),
                    num_cols: described.num_cols,
                    num_rows: described.num_rows,
                    blob,
                }),
                Err(error) => {
                    let blobs: Vec<String> = stored.into_iter().map(|table| table.blob).collect();
                    self.runtime.block_on(self.blobs.delete(&blobs));
                    return Err(error.into());
                }
            }
        }
        Ok(stored)
    }

    fn store_one(&self, made: &Made, index: usize) -> crate::store::Result<String> {
        let blob = self.runtime.block_on(self.blobs.create())?;
        let mut writer = blob.blocking(self.runtime.clone());
        let missing = || StoreError::Task("a table of the report is missing".to_owned());
        match made {
            Made::Here(tables) => {
                write_table(tables.get(index).ok_or_else(missing)?, &mut writer)?;
            }
            // What a worker wrote is what is stored: it is not even decoded here.
            Made::Apart(streams) => {
                let stream = streams.get(index).ok_or_else(missing)?;
                std::io::Write::write_all(&mut writer, &stream.bytes)?;
            }
        }
        writer.finish()
    }

    /// The outcome: the request's own problems come before those of the pipeline.
    fn judge(&self, report: &Report, errors: &[Issue], tables: Vec<StoredTable>) -> Milled {
        let kept = !self.asked.erase;
        let errors = match self.asked.refuses() {
            true => findings::errors(self.asked.errors(), report, kept),
            // The pipeline's error is the last issue of its report, where others may precede it.
            false if report.errors().next().is_some() => {
                findings::errors(report.errors(), report, kept)
            }
            false => findings::errors(errors, report, kept),
        };
        let warnings = self.asked.warnings().chain(report.warnings());
        let agent = |name: &str| report.agent.get(name).filter(|text| !text.is_empty()).cloned();
        Milled {
            outcome: Outcome {
                is_valid: errors.is_empty(),
                errors,
                warnings: findings::warnings(warnings, report),
                detected: findings::detected(report),
                tables,
            },
            agent_name: agent("agent_name"),
            agent_version: agent("agent_version"),
        }
    }
}

impl Asked {
    fn errors(&self) -> impl Iterator<Item = &Issue> {
        self.issues.iter().filter(|issue| issue.severity == crate::report::Severity::Error)
    }

    fn warnings(&self) -> impl Iterator<Item = &Issue> {
        self.issues.iter().filter(|issue| issue.severity == crate::report::Severity::Warning)
    }

    fn refuses(&self) -> bool {
        self.errors().next().is_some()
    }
}

/// Whether the bytes begin as a form's body must.
fn starts_a_form(path: &std::path::Path) -> bool {
    let mut start = [0; 2];
    let read = std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start));
    read.is_ok() && start == *b"--"
}
