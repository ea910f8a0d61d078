//! What every stage is handed: the options, the limits, the report in the making.

use crate::limits::Limits;
use crate::options::{Options, ParserOptions};
use crate::progress::Progress;
use crate::report::Reporter;

/// What every stage is handed.
#[derive(Debug)]
pub struct Context<'a> {
    /// All that the caller asked for.
    pub options: &'a Options,
    /// Every bound.
    pub limits: &'a Limits,
    /// The report in the making.
    pub reporter: Reporter,
}

impl<'a> Context<'a> {
    /// A context with an empty report.
    pub fn new(options: &'a Options, limits: &'a Limits) -> Self {
        Context { options, limits, reporter: Reporter::new(limits.issues) }
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

    /// Where to say how far the work is.
    pub fn progress(&self) -> &Progress {
        static NOBODY: std::sync::LazyLock<Progress> = std::sync::LazyLock::new(Progress::default);
        self.options.progress.as_deref().unwrap_or(&NOBODY)
    }
}
