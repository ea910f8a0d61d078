//! What ended a child, as an issue.

use std::process::ExitStatus;

use crate::error::Error;
use crate::limits::{Limits, human_bytes};
use crate::report::{Code, Issue, Stage, quote};

/// Why the parent ended the child, if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    ByItself,
    ForTime,
    ForMemory,
}

/// The error that the child's end is. `stage` is where it was last, `said` the end of what it wrote
/// to standard error.
pub(super) fn error(
    ended: Ended,
    status: ExitStatus,
    stage: &str,
    said: &str,
    limits: &Limits,
) -> Error {
    match (ended, how(status)) {
        (Ended::ForTime, _) | (_, How::OutOfTime) => out_of_time(limits),
        (Ended::ForMemory, _) => out_of_memory(limits),
        // Rust's own words for an allocation that failed, and for a stack that did.
        _ if said.contains("memory allocation of") => out_of_memory(limits),
        _ if said.contains("overflowed its stack") => {
            died(stage, "the reader ran out of stack on this file")
        }
        (_, How::KilledForMemory) => {
            let message = "the system ended the reader, most likely for want of memory";
            Issue::error(Stage::Limits, Code::OutOfMemory, message)
                .hint(
                    "the machine has less memory than this file takes; the limit is `memory_bytes`",
                )
                .into()
        }
        (_, How::FileTooLarge) => {
            let message = "the tables of the file come to more bytes than a file may have";
            Issue::limit(Code::InflatedTooLarge, message, "inflated_bytes").into()
        }
        // Somebody wanted it gone: that says nothing of the file.
        (_, How::Stopped(signal)) => {
            let message = format!("the reader was stopped by signal {signal}");
            Issue::error(Stage::Source, Code::Io, message).into()
        }
        (_, How::Died(how)) => {
            let tells = |line: &&str| !line.trim().is_empty() && !line.starts_with("note: ");
            let last = said.lines().rev().find(tells);
            let said = last.map_or(String::new(), |line| format!(": {}", quote(line.as_bytes())));
            died(stage, &format!("the reader died on this file ({how}){said}"))
        }
    }
}

/// A table that the child wrote and that is not read back.
pub(super) fn unreadable(error: &arrow::error::ArrowError) -> Error {
    let message = format!("the worker's table cannot be read: {error}");
    Issue::error(Stage::Parse, Code::UnsupportedFeature, message).into()
}

/// A file of the child's that is not what the child writes.
pub(super) fn strange(name: &str, why: &str) -> Error {
    let message = format!("the worker's file {name} cannot be used: {why}");
    let issue = Issue::error(Stage::Parse, Code::Corrupt, message);
    issue.hint("the file that was read is made to do this, or the program is no worker").into()
}

fn out_of_time(limits: &Limits) -> Error {
    let message = format!("the file took more than {} s", limits.time.as_secs_f64());
    Issue::limit(Code::Timeout, message, "time").into()
}

fn out_of_memory(limits: &Limits) -> Error {
    let message =
        format!("the file takes more than {} of memory", human_bytes(limits.memory_bytes));
    Issue::limit(Code::OutOfMemory, message, "memory_bytes").into()
}

fn died(stage: &str, message: &str) -> Error {
    let (stage, code) = match stage {
        "decompress" => (Stage::Decompress, Code::Corrupt),
        "transform" => (Stage::Transform, Code::SqlError),
        _ => (Stage::Parse, Code::Corrupt),
    };
    Issue::error(stage, code, message).hint("the file is damaged, or made to do this").into()
}

enum How {
    OutOfTime,
    KilledForMemory,
    FileTooLarge,
    Stopped(i32),
    Died(String),
}

#[cfg(unix)]
fn how(status: ExitStatus) -> How {
    use rustix::process::Signal;
    use std::os::unix::process::ExitStatusExt;

    let Some(signal) = status.signal() else {
        return How::Died(format!("status {}", status.code().unwrap_or_default()));
    };
    let is = |known: Signal| signal == known.as_raw();
    match () {
        () if is(Signal::XCPU) => How::OutOfTime,
        () if is(Signal::KILL) => How::KilledForMemory,
        () if is(Signal::XFSZ) => How::FileTooLarge,
        () if is(Signal::TERM) || is(Signal::INT) || is(Signal::HUP) => How::Stopped(signal),
        () => How::Died(format!("signal {signal}")),
    }
}

#[cfg(not(unix))]
fn how(status: ExitStatus) -> How {
    How::Died(status.to_string())
}
