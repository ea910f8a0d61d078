//! What the crates say, in our terms, and where it was.

use arrow::error::ArrowError;

use super::{Bounds, Span, Units, unit_name};
use crate::error::Error;
use crate::report::{Code, Issue, Stage};

/// The same error with its row group or stripe, and its column where only one was read.
pub(super) fn placed(
    error: Error,
    units: &dyn Units,
    span: &Span,
    columns: &[usize],
    bounds: &Bounds,
) -> Error {
    let unit = unit_name(bounds.format);
    error.map_issue(|mut issue| {
        let is_damage = matches!(issue.code, Code::Corrupt | Code::Truncated);
        if !is_damage || issue.message.starts_with(unit) {
            return issue;
        }
        issue.message = format!("{unit} {}: {}", span.unit, issue.message);
        if let ([column], None) = (columns, &issue.column) {
            issue = issue.column(units.schema().field(*column).name());
        }
        issue
    })
}

/// Without the names of the crates' own kinds of errors before it.
pub(in super::super) fn plain(message: &str) -> String {
    const KINDS: [&str; 4] =
        ["Parquet argument error: ", "Parquet error: ", "External error: ", "Arrow: "];
    let mut rest = message;
    while let Some(shorter) = KINDS.iter().find_map(|kind| rest.strip_prefix(kind)) {
        rest = shorter;
    }
    rest.to_owned()
}

pub(super) fn is_overflow(error: &Error) -> bool {
    error.issue().message == OVERFLOW
}

const OVERFLOW: &str = "a column of one batch has more than 2 GiB of values";

/// What the arrow crates say, in our terms.
pub(in super::super) fn arrow_error(error: ArrowError) -> Error {
    let message = plain(&error.to_string());
    let lower = message.to_lowercase();
    if lower.contains("index overflow decoding byte array") || lower.contains("offset overflow") {
        return Issue::limit(Code::ValueTooLarge, OVERFLOW, "value_bytes").into();
    }
    let is_end = matches!(&error, ArrowError::IoError(_, io)
        if io.kind() == std::io::ErrorKind::UnexpectedEof)
        || lower.contains("unexpected end")
        || lower.contains("eof");
    let code = match error {
        ArrowError::NotYetImplemented(_) => Code::UnsupportedFeature,
        _ if is_end => Code::Truncated,
        _ if super::super::names_unsupported(&lower) => Code::UnsupportedFeature,
        _ => Code::Corrupt,
    };
    Issue::error(Stage::Parse, code, message).into()
}
