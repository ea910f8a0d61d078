//! One opaque error: its kind, its place, and the report of what was found before it.

use std::fmt;

use crate::report::{Code, Issue, Report, Stage};

/// A `Result` with our [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why no table could be made. Faces map this to an HTTP status, an exit code, an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system would not let us read or write.
    Io,
    /// An option, or a column or sheet it names, makes no sense here.
    BadOption,
    /// The bytes contradict the declared type or compression.
    Mismatch,
    /// The bytes are of a kind, or use a feature, that we do not read.
    Unsupported,
    /// The bytes are damaged, empty, or break the rules of their format.
    Corrupt,
    /// The bytes are behind a password.
    Encrypted,
    /// A bound of [`Limits`](crate::Limits) was passed.
    LimitExceeded,
    /// A SQL step was refused or failed.
    Sql,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: &[ErrorKind] = &[
        ErrorKind::Io,
        ErrorKind::BadOption,
        ErrorKind::Mismatch,
        ErrorKind::Unsupported,
        ErrorKind::Corrupt,
        ErrorKind::Encrypted,
        ErrorKind::LimitExceeded,
        ErrorKind::Sql,
    ];

    /// A stable snake_case name.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Io => "io",
            ErrorKind::BadOption => "bad_option",
            ErrorKind::Mismatch => "mismatch",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Encrypted => "encrypted",
            ErrorKind::LimitExceeded => "limit_exceeded",
            ErrorKind::Sql => "sql",
        }
    }
}

/// Why a file gave no tables. [`Error::issue`] says where; [`Error::report`] what was found before.
pub struct Error(Box<Inner>);

struct Inner {
    issue: Issue,
    report: Option<Report>,
}

impl Error {
    /// What sort of trouble this is.
    pub fn kind(&self) -> ErrorKind {
        let issue = &self.0.issue;
        match (issue.stage, issue.code) {
            (Stage::Limits, _) | (_, Code::NestedTooDeep) => ErrorKind::LimitExceeded,
            (Stage::Transform, _) => ErrorKind::Sql,
            (Stage::Source, _) => ErrorKind::Io,
            (_, Code::CompressionMismatch | Code::TypeMismatch | Code::MultipartBody) => {
                ErrorKind::Mismatch
            }
            (_, Code::UnsupportedCompression | Code::UnsupportedFeature | Code::UnknownFormat) => {
                ErrorKind::Unsupported
            }
            (_, Code::BadOption | Code::UnknownColumn | Code::UnknownSheet) => ErrorKind::BadOption,
            (_, Code::Encrypted) => ErrorKind::Encrypted,
            _ => ErrorKind::Corrupt,
        }
    }

    /// The error as it stands in the report: code, message, place, hint.
    pub fn issue(&self) -> &Issue {
        &self.0.issue
    }

    /// What was found before the error; present on every error of [`ingest`](crate::ingest).
    pub fn report(&self) -> Option<&Report> {
        self.0.report.as_ref()
    }

    /// The report, taken out.
    pub fn into_report(self) -> Option<Report> {
        self.0.report
    }

    pub(crate) fn with_report(mut self, report: Report) -> Self {
        self.0.report = Some(report);
        self
    }

    /// The same error, its issue changed by `change` (to add a place or a table).
    pub(crate) fn map_issue(mut self, change: impl FnOnce(Issue) -> Issue) -> Self {
        self.0.issue = change(self.0.issue.clone());
        self
    }
}

impl From<Issue> for Error {
    fn from(issue: Issue) -> Self {
        Error(Box::new(Inner { issue, report: None }))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Issue::error(Stage::Source, Code::Io, error.to_string()).into()
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        std::io::Error::other(error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issue = &self.0.issue;
        write!(f, "{}: {}", issue.code.as_str(), issue.message)?;
        if let Some(line) = issue.line {
            write!(f, " (line {line})")?;
        } else if let Some(offset) = issue.byte_offset {
            write!(f, " (byte {offset})")?;
        }
        if let Some(hint) = &issue.hint {
            write!(f, "; hint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}, {:?})", self.kind(), self.0.issue)
    }
}

impl std::error::Error for Error {}
