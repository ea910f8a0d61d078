//! How a run ends: the exit status, and why a verb stops early.

use std::io;
use std::process::ExitCode;

use crate::{Error, ErrorKind};

use super::terminal::{self, printable};

/// The exit status; the worst of several files counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    /// Every file is valid.
    Valid,
    /// A file could not be read or is not valid.
    Invalid,
    /// The command makes no sense.
    Usage,
}

impl Status {
    /// The one place where an error's kind becomes an exit status.
    pub(super) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::BadOption => Status::Usage,
            _ => Status::Invalid,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        ExitCode::from(match status {
            Status::Valid => 0,
            Status::Invalid => 1,
            Status::Usage => 2,
        })
    }
}

/// Why a verb stops before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Wrong usage: everything that is wrong, at once, and what to do.
    Usage {
        /// One line each.
        problems: Vec<String>,
        /// What to do instead; may have several lines.
        hint: Option<String>,
    },
    /// Something failed that no file is to blame for.
    Failed(String),
    /// The output could not be written.
    Output {
        /// The file, or `None` for standard output.
        path: Option<String>,
        /// What the operating system said.
        error: io::Error,
    },
    /// The reason has been shown already.
    Shown(Status),
}

impl Stop {
    /// Whether who reads standard output has gone.
    fn is_closed(&self) -> bool {
        matches!(self, Stop::Output { path: None, error }
            if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// A reader that has gone is no reason to stop.
    pub(super) fn unless_closed(self) -> Result<(), Stop> {
        if self.is_closed() { Ok(()) } else { Err(self) }
    }
}

impl Stop {
    /// One thing that is wrong with the command.
    pub(super) fn usage(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Stop::Usage { problems: vec![problem.into()], hint: Some(hint.into()) }
    }
}

/// Only writing to standard output gives a bare `io::Error` in a verb.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Output { path: None, error }
    }
}

/// Says why a run stopped, if it has not been said, and gives its exit status.
pub(super) fn code(result: Result<Status, Stop>) -> ExitCode {
    let stop = match result {
        Ok(status) => return status.into(),
        Err(stop) => stop,
    };
    let style = terminal::Style::of_stderr();
    let error = style.error("error");
    let status = match stop {
        Stop::Shown(status) => status,
        Stop::Usage { problems, hint } => {
            for problem in problems {
                terminal::tell(&format!("{error}: {}", printable(&problem)));
            }
            if let Some(hint) = hint {
                terminal::tell(&format!("  {} hint: {hint}", style.mark("=")));
            }
            Status::Usage
        }
        Stop::Failed(message) => {
            terminal::tell(&format!("{error}: {}", printable(&message)));
            Status::Invalid
        }
        // Who reads our output has seen enough.
        stop if stop.is_closed() => Status::Valid,
        Stop::Output { path, error: problem } => {
            let place = path.as_deref().unwrap_or("standard output");
            terminal::tell(&format!("{error}: cannot write {}: {problem}", printable(place)));
            Status::Invalid
        }
    };
    status.into()
}
