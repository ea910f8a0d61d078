//! What every stage is handed: the options, the limits, the report in the making.

use std::time::Instant;

use crate::error::Result;
use crate::limits::Limits;
use crate::options::{Options, ParserOptions};
use crate::progress::Progress;
use crate::report::{Code, Issue, Rejects, Reporter, Stage};
use crate::source::Source;

/// What every stage is handed.
#[derive(Debug)]
pub struct Context<'a> {
    /// All that the caller asked for.
    pub options: &'a Options,
    /// Every bound.
    pub limits: &'a Limits,
    /// The report in the making.
    pub reporter: Reporter,
    rejects: Option<Rejects>,
    started: Instant,
}

impl<'a> Context<'a> {
    /// A context with an empty report.
    pub fn new(options: &'a Options, limits: &'a Limits) -> Self {
        Context {
            options,
            limits,
            reporter: Reporter::new(limits.issues),
            rejects: None,
            started: Instant::now(),
        }
    }

    /// The parser options.
    pub fn parser(&self) -> &'a ParserOptions {
        &self.options.parser
    }

    /// Runs a stage: its time goes to the report, its name to the progress.
    pub fn stage<T>(&mut self, name: &'static str, work: impl FnOnce(&mut Self) -> T) -> T {
        self.progress().start(name, 0);
        let start = std::time::Instant::now();
        let result = work(self);
        self.reporter.add_time(name, start.elapsed());
        result
    }

    /// An error once the time for the file is up. For between steps of the work.
    pub fn check_time(&self) -> Result<()> {
        if self.started.elapsed() <= self.limits.time {
            return Ok(());
        }
        let message = format!("the file took more than {} s", self.limits.time.as_secs_f64());
        Err(Issue::limit(Code::Timeout, message, "time").into())
    }

    /// Makes the file for rejects, if one is wanted.
    pub fn open_rejects(&mut self, source: &Source) -> Result<()> {
        if let Some(path) = &self.options.rejects {
            if source.is_at(path) {
                let message = format!("rejects is {}, the file to be read", path.display());
                return Err(Issue::error(Stage::Parse, Code::BadOption, message)
                    .hint("name another file: it is written anew")
                    .into());
            }
            let failed = |error: std::io::Error| {
                let message = format!("cannot write {}: {error}", path.display());
                Issue::error(Stage::Source, Code::Io, message)
            };
            self.rejects = Some(Rejects::create(path).map_err(failed)?);
        }
        Ok(())
    }

    /// Adds to the file for rejects, if there is one.
    pub fn reject(&mut self, issue: &Issue, raw: &[u8]) -> Result<()> {
        match &mut self.rejects {
            Some(rejects) => Ok(rejects.add(issue, raw)?),
            None => Ok(()),
        }
    }

    /// Whether somebody wants every reject, also those that the report has no room for.
    pub fn wants_rejects(&self) -> bool {
        self.rejects.is_some()
    }

    /// Report and rejects as they were before a first attempt at reading.
    pub fn restart(&mut self, before: Reporter) -> Result<()> {
        self.reporter = before;
        match &mut self.rejects {
            Some(rejects) => Ok(rejects.restart()?),
            None => Ok(()),
        }
    }

    /// Completes the file for rejects.
    pub fn close_rejects(&mut self) -> Result<()> {
        match &mut self.rejects {
            Some(rejects) => Ok(rejects.finish()?),
            None => Ok(()),
        }
    }

    /// Where to say how far the work is.
    pub fn progress(&self) -> &'a Progress {
        static NOBODY: std::sync::LazyLock<Progress> = std::sync::LazyLock::new(Progress::default);
        self.options.progress.as_deref().unwrap_or(&NOBODY)
    }
}
