//! One exception class for each kind of error, and the way from one to the other.

use std::ffi::CStr;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use tablemill::{Code, Error, ErrorKind, Issue, Stage};

use crate::value;

/// The table from kind to class: the class's name, its full name, its docstring.
static CLASSES: &[(ErrorKind, &str, &CStr, &CStr)] = &[
    (ErrorKind::Io, "IoError", c"tablemill.IoError", c"The file could not be opened or read."),
    (
        ErrorKind::BadOption,
        "BadOptionError",
        c"tablemill.BadOptionError",
        c"An option, or a column or sheet it names, makes no sense here.",
    ),
    (
        ErrorKind::Mismatch,
        "MismatchError",
        c"tablemill.MismatchError",
        c"The bytes contradict the declared type or compression.",
    ),
    (
        ErrorKind::Unsupported,
        "UnsupportedError",
        c"tablemill.UnsupportedError",
        c"The bytes are of a kind, or use a feature, that is not read.",
    ),
    (
        ErrorKind::Corrupt,
        "CorruptError",
        c"tablemill.CorruptError",
        c"The bytes are damaged, empty, or break the rules of their format.",
    ),
    (
        ErrorKind::Encrypted,
        "EncryptedError",
        c"tablemill.EncryptedError",
        c"The bytes are behind a password.",
    ),
    (
        ErrorKind::LimitExceeded,
        "LimitExceededError",
        c"tablemill.LimitExceededError",
        c"A bound was passed; the message names it.",
    ),
    (ErrorKind::Sql, "SqlError", c"tablemill.SqlError", c"A SQL step was refused or failed."),
];

const BASE_DOC: &CStr = c"Why a file gave no tables.

Attributes: kind, code, stage, message; line, column, byte_offset, hint (None where unknown);
report (a dict of what was found before; None where no file was touched).";

struct Classes {
    base: Py<PyType>,
    by_kind: Vec<(ErrorKind, Py<PyType>)>,
}

fn classes(py: Python<'_>) -> PyResult<&'static Classes> {
    static MADE: PyOnceLock<Classes> = PyOnceLock::new();
    MADE.get_or_try_init(py, || {
        let exception = py.get_type::<PyException>();
        let name = c"tablemill.TablemillError";
        let base = PyErr::new_type(py, name, Some(BASE_DOC), Some(&exception), None)?;
        let by_kind = CLASSES
            .iter()
            .map(|(kind, _, name, doc)| {
                PyErr::new_type(py, name, Some(doc), Some(base.bind(py)), None)
                    .map(|class| (*kind, class))
            })
            .collect::<PyResult<_>>()?;
        Ok(Classes { base, by_kind })
    })
}

/// Puts the classes into the module, and `ERROR_KINDS`, a dict from kind to class.
pub fn add_classes(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let classes = classes(py)?;
    module.add("TablemillError", &classes.base)?;
    for ((_, name, _, _), (_, class)) in CLASSES.iter().zip(&classes.by_kind) {
        module.add(*name, class)?;
    }
    let kinds = pyo3::types::PyDict::new(py);
    for kind in ErrorKind::ALL {
        kinds.set_item(kind.as_str(), class_of(classes, *kind))?;
    }
    module.add("ERROR_KINDS", kinds)
}

/// A kind without a class of its own, which a test forbids, is the base class.
fn class_of(classes: &Classes, kind: ErrorKind) -> &Py<PyType> {
    let own = classes.by_kind.iter().find(|(of, _)| *of == kind);
    own.map_or(&classes.base, |(_, class)| class)
}

/// The exception for an error of the library.
pub fn exception(py: Python<'_>, error: &Error) -> PyErr {
    build(py, error).unwrap_or_else(|failed| failed)
}

fn build(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let class = class_of(classes(py)?, error.kind()).bind(py);
    let instance = class.call1((error.to_string(),))?;
    let issue = error.issue();
    instance.setattr("kind", error.kind().as_str())?;
    instance.setattr("code", issue.code.as_str())?;
    instance.setattr("stage", issue.stage.as_str())?;
    instance.setattr("message", &issue.message)?;
    instance.setattr("table", &issue.table)?;
    instance.setattr("row", issue.row)?;
    instance.setattr("line", issue.line)?;
    instance.setattr("column", &issue.column)?;
    instance.setattr("byte_offset", issue.byte_offset)?;
    instance.setattr("hint", &issue.hint)?;
    let report = error.report().map(|report| value::report(py, report)).transpose()?;
    instance.setattr("report", report)?;
    Ok(PyErr::from_value(instance))
}

/// The exception for a keyword whose value makes no sense.
pub fn bad_option(py: Python<'_>, message: String, hint: Option<String>) -> PyErr {
    let issue = Issue::error(Stage::Parse, Code::BadOption, message);
    let issue = match hint {
        Some(hint) => issue.hint(hint),
        None => issue,
    };
    exception(py, &issue.into())
}
