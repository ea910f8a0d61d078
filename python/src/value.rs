//! Python values to JSON, for options; reports to Python, as dicts.

use std::collections::BTreeMap;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString, PyType};
use serde_json::{Map, Number, Value};
use tablemill::{Issue, Report};

use crate::source::type_name;

/// Options are flat; what is nested deeper than this refers to itself.
const MAX_DEPTH: usize = 16;

/// The JSON value of an option: None, bool, int, float, str, their numpy forms, type objects such
/// as `str` and `numpy.int64`, dtypes, and dicts and iterables of those.
pub fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    nested(value, MAX_DEPTH)
}

fn nested(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    let refused = || {
        let got = type_name(value);
        PyTypeError::new_err(format!("got {got}, expected a text, number, bool, list or dict"))
    };
    if depth == 0 {
        return Err(PyTypeError::new_err("nested too deeply"));
    }
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
    }
    if let Ok(whole) = value.cast::<PyInt>() {
        let number = whole.extract::<i64>().map(Number::from);
        let number = number.or_else(|_| whole.extract::<u64>().map(Number::from));
        return number.map(Value::Number).map_err(|_| refused());
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        return Number::from_f64(float.value()).map(Value::Number).ok_or_else(refused);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::String(text.to_cow()?.into_owned()));
    }
    if let Ok(class) = value.cast::<PyType>() {
        // dtype=str, dtype={"a": int}, numpy.int64
        return Ok(Value::String(class.name()?.to_string()));
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        let mut map = Map::new();
        for (key, item) in dict {
            map.insert(key_text(&key)?, nested(&item, depth - 1)?);
        }
        return Ok(Value::Object(map));
    }
    if value.is_callable() {
        return Err(refused());
    }
    if value.hasattr("kind")? && value.hasattr("type")? {
        // A dtype of numpy or pandas: its text is its name.
        return Ok(Value::String(value.str()?.to_cow()?.into_owned()));
    }
    if value.hasattr("item")? && !value.hasattr("__len__")? {
        // A scalar of numpy.
        return nested(&value.call_method0("item")?, depth - 1);
    }
    let items = value.try_iter().map_err(|_| refused())?;
    Ok(Value::Array(items.map(|item| nested(&item?, depth - 1)).collect::<PyResult<_>>()?))
}

/// Columns are keyed by name, or by position.
fn key_text(key: &Bound<'_, PyAny>) -> PyResult<String> {
    match nested(key, 1)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(PyTypeError::new_err(format!("got a key {key}, expected a text or a number"))),
    }
}

/// A report as the dict that its JSON is.
pub fn report(py: Python<'_>, report: &Report) -> PyResult<Py<PyDict>> {
    let json = serde_json::to_string(report)
        .map_err(|error| PyRuntimeError::new_err(format!("the report is no JSON: {error}")))?;
    from_json(py, &json)
}

/// Issues by stage, each with the fields it has; the stage is the key, the severity the caller's.
pub fn issues<'a>(py: Python<'_>, issues: impl Iterator<Item = &'a Issue>) -> PyResult<Py<PyDict>> {
    let mut stages: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for issue in issues {
        let mut fields = serde_json::to_value(issue).unwrap_or_default();
        if let Some(fields) = fields.as_object_mut() {
            fields.retain(|name, value| !value.is_null() && name != "stage" && name != "severity");
        }
        stages.entry(issue.stage.as_str()).or_default().push(fields);
    }
    let json = serde_json::to_string(&stages)
        .map_err(|error| PyRuntimeError::new_err(format!("the issues are no JSON: {error}")))?;
    from_json(py, &json)
}

fn from_json(py: Python<'_>, json: &str) -> PyResult<Py<PyDict>> {
    let value = py.import("json")?.call_method1("loads", (json,))?;
    Ok(value.cast_into::<PyDict>()?.unbind())
}
