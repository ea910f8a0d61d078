//! One file of the command line to its tables and report, with a progress bar.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::options::nearest;
use crate::report::{Code, Stage};
use crate::{Error, Ingest, Issue, Limits, Options, Progress, Report, Source, Worker, ingest};

use super::exit::{Status, Stop};
use super::preview::count;
use super::progress::Bar;
use super::render::{self, Place};
use super::terminal;

/// A file that was read, or could not be.
pub(super) struct Reading {
    path: Option<PathBuf>,
    label: String,
    queries: Vec<String>,
    result: Result<Ingest, Error>,
}

/// Whether the argument means standard input.
pub(super) fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// Standard input can be read once only.
pub(super) fn check_files(files: &[PathBuf]) -> Result<(), Stop> {
    if files.iter().filter(|file| is_standard_input(file)).count() > 1 {
        return Err(Stop::usage("- is named twice", "standard input can be read only once"));
    }
    Ok(())
}

/// Within which bounds files are read, and where.
pub(super) struct How {
    /// The bounds.
    pub limits: Limits,
    /// Who reads, if not this process.
    pub worker: Option<Worker>,
    /// Rows of each table that are wanted from a worker; `None` for all.
    pub head: Option<u64>,
}

/// Reads a file, or standard input for `-`.
pub(super) fn read(file: &Path, options: &Options, how: &How) -> Reading {
    let (path, label, source) = if is_standard_input(file) {
        (None, "stdin".to_owned(), Source::reader(std::io::stdin()).named("stdin"))
    } else {
        (Some(file.to_owned()), file.display().to_string(), Source::path(file))
    };
    let progress = Arc::new(Progress::default());
    let bar = Bar::start(&label, Arc::clone(&progress));
    let options = Options { progress: Some(progress), ..options.clone() };
    let result = match (&how.worker, how.head) {
        (None, _) => ingest(source, &options, &how.limits),
        (Some(worker), None) => worker.ingest(source, &options, &how.limits),
        (Some(worker), Some(rows)) => worker.ingest_head(source, &options, &how.limits, rows),
    };
    drop(bar);
    let queries = options.transforms.iter().map(|step| step.sql.clone()).collect();
    Reading { path, label, queries, result }
}

impl Reading {
    /// Valid; invalid; or a matter of wrong options.
    pub(super) fn status(&self) -> Status {
        match &self.result {
            Ok(ingest) if ingest.report.is_valid => Status::Valid,
            Ok(_) => Status::Invalid,
            Err(error) => Status::of(error),
        }
    }

    /// Adds what was met only when rows were read: the file is not valid.
    pub(super) fn note(&mut self, issues: Vec<Issue>) {
        let Ok(ingest) = &mut self.result else { return };
        let report = &mut ingest.report;
        for issue in issues {
            report.add_error(issue);
        }
    }

    /// The report, which there is whatever came of the file.
    pub(super) fn report(&self) -> Report {
        match &self.result {
            Ok(ingest) => ingest.report.clone(),
            Err(error) => error.report().cloned().unwrap_or_else(|| Report {
                issues: vec![error.issue().clone()],
                ..Report::default()
            }),
        }
    }

    /// What came out, valid or not.
    pub(super) fn ingest(&self) -> Option<&Ingest> {
        self.result.as_ref().ok()
    }

    /// The file as it was named.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Shows the warnings and errors on standard error.
    pub(super) fn show_issues(&self) {
        let mut report = self.report();
        for issue in &mut report.issues {
            if issue.hint.is_none() {
                issue.hint = self.hint_for_missing(issue);
            }
        }
        let path = self.path.as_deref();
        let place = Place { label: &self.label, path, queries: &self.queries };
        render::show_issues(&report, &place);
    }

    /// What came out and the status that goes with it, the issues shown. A file that is not valid has
    /// come to nothing, but for what is whole of it, if that is wanted.
    pub(super) fn into_ingest(self, salvage: bool) -> Result<(Ingest, Status), Stop> {
        self.show_issues();
        let status = self.status();
        match self.result {
            Ok(ingest) if ingest.report.is_valid => Ok((ingest, status)),
            Ok(ingest) if !ingest.tables.is_empty() => {
                if salvage {
                    return Ok((ingest, status));
                }
                let rows = ingest.tables.iter().map(crate::Table::num_rows).sum();
                let rows = count(rows, "row");
                terminal::note(&format!("{rows} came out nevertheless: --salvage takes them"));
                Err(Stop::Shown(status))
            }
            _ => Err(Stop::Shown(status)),
        }
    }

    /// The file that was probably meant, where there is none of this name.
    fn hint_for_missing(&self, issue: &Issue) -> Option<String> {
        let path = self.path.as_deref()?;
        if (issue.stage, issue.code) != (Stage::Source, Code::Io) || path.exists() {
            return None;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok();
        let names: Vec<String> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        let wanted = path.file_name()?.to_string_lossy();
        let near = nearest(&wanted, names.iter().map(String::as_str));
        Some(match near {
            Some(near) => {
                format!("did you mean {}?", folder.map_or(near.into(), |f| f.join(near)).display())
            }
            None => "check the path; - reads standard input".to_owned(),
        })
    }
}
