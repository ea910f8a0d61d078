//! The keywords of a call, checked: declared type and compression, options, SQL, limits.

use std::path::PathBuf;
use std::str::FromStr;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};
use serde_json::Value;
use tablemill::{Limits, Options, ParserOptions, Transforms};

use crate::error::bad_option;
use crate::value::from_python;

/// The keywords as given.
pub struct Request<'a, 'py> {
    pub file_type: Option<&'a str>,
    pub compression: Option<&'a str>,
    pub name: Option<String>,
    pub sql: Option<&'a Bound<'py, PyAny>>,
    pub limits: Option<&'a Bound<'py, PyDict>>,
    pub rejects: Option<PathBuf>,
    pub options: Option<&'a Bound<'py, PyDict>>,
}

impl Request<'_, '_> {
    /// Checks all of it before a byte is read.
    pub fn check(self, py: Python<'_>) -> PyResult<(Options, Limits)> {
        let options = Options {
            name: self.name,
            file_type: choice(py, "type", self.file_type)?,
            // Pandas' word for finding it out.
            compression: choice(py, "compression", self.compression.filter(|c| *c != "infer"))?,
            parser: self.options.map_or_else(|| Ok(ParserOptions::default()), parser_options)?,
            transforms: self.sql.map_or(Ok(Transforms::None), transforms)?,
            rejects: self.rejects,
            ..Options::default()
        };
        let limits = self.limits.map_or_else(|| Ok(Limits::default()), checked_limits)?;
        Ok((options, limits))
    }
}

fn choice<T: FromStr<Err = String>>(
    py: Python<'_>,
    name: &str,
    given: Option<&str>,
) -> PyResult<Option<T>> {
    let parsed = given.map(str::parse).transpose();
    parsed.map_err(|problem: String| bad_option(py, format!("{name}: {problem}"), None))
}

fn parser_options(given: &Bound<'_, PyDict>) -> PyResult<ParserOptions> {
    let mut options = ParserOptions::default();
    let mut problems = Vec::new();
    for (name, value) in given {
        let name: String = name.extract()?;
        let value = match from_python(&value).map_err(|error| named(&value, &name, error))? {
            // As in pandas: None is a value of `header`, and elsewhere means "not said".
            Value::Null if name == "header" => Value::String("none".into()),
            value => value,
        };
        if let Err(problem) = options.set(&name, &value) {
            problems.push(problem.to_string());
        }
    }
    if problems.is_empty() {
        return Ok(options);
    }
    Err(bad_option(given.py(), problems.join("; "), None))
}

fn transforms(sql: &Bound<'_, PyAny>) -> PyResult<Transforms> {
    let value = from_python(sql).map_err(|error| named(sql, "sql", error))?;
    Transforms::from_json(&value)
        .map_err(|problem| bad_option(sql.py(), format!("sql: {problem}"), None))
}

/// A `TypeError` with the name of the keyword in front; another exception as it is.
fn named(value: &Bound<'_, PyAny>, name: &str, error: PyErr) -> PyErr {
    let py = value.py();
    if error.is_instance_of::<PyTypeError>(py) {
        PyTypeError::new_err(format!("{name}: {}", error.value(py)))
    } else {
        error
    }
}

/// A number, or a text such as `64MiB` or `30s`; times are in seconds.
fn checked_limits(given: &Bound<'_, PyDict>) -> PyResult<Limits> {
    let py = given.py();
    let mut limits = Limits::default();
    for (name, value) in given {
        let name = name.cast_into::<PyString>()?;
        let name = name.to_cow()?;
        let text = match value.is_instance_of::<PyBool>() {
            true => value.repr()?.to_string(),
            false => value.str()?.to_string(),
        };
        limits.set(&name, &text).map_err(|problem| {
            let (problem, hint) = match problem.split_once("; ") {
                Some((problem, hint)) => (problem, Some(hint.to_owned())),
                None => (problem.as_str(), None),
            };
            let place =
                if Limits::NAMES.contains(&&*name) { format!("{name}: ") } else { String::new() };
            bad_option(py, format!("limits: {place}{problem}"), hint)
        })?;
    }
    Ok(limits)
}
