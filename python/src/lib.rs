//! The Python face: `tablemill.read`, `tablemill.inspect`, tables that speak the Arrow PyCapsule
//! interface, one exception class for each kind of error.

mod error;
mod request;
mod source;
mod table;
mod value;

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tablemill::{ErrorKind, Limits, Options};

use request::Request;
use source::{Failure, PySource};
use table::{Ingest, Schema, Table};

#[pymodule]
mod _tablemill {
    #[pymodule_export]
    use super::{Ingest, Schema, Table, inspect, read};

    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        tablemill::quiet_guarded_panics();
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        error::add_classes(module)
    }
}

/// Reads any table-shaped file: unwraps it, tells what it is, parses it, infers the types.
///
/// source: a path, bytes, or a file open in binary mode.
/// type, compression: declared; bytes that contradict them are an error. Default: found out.
/// name: the file's name, for its extension and the tables' names. Default: the path's.
/// sql: steps over the tables: a text, {"sql", "name"}, a list of those, or a dict by table.
/// rejects: a csv file for every row and value of a csv that was repaired, left out or refused.
/// limits: bounds by name, such as {"rows": 1000000, "sql_time": 5.0}; times in seconds.
/// options: pandas' parser options: sep, header, names, dtype, na_values, sheet_name, …
///
/// Raises TablemillError, one subclass for each kind, where there is no faithful table.
#[pyfunction]
#[pyo3(signature = (
    source, *, r#type=None, compression=None, name=None, sql=None, limits=None, rejects=None,
    **options
))]
#[allow(clippy::too_many_arguments)] // they are the keywords of the Python function
fn read(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    r#type: Option<&str>,
    compression: Option<&str>,
    name: Option<String>,
    sql: Option<&Bound<'_, PyAny>>,
    limits: Option<&Bound<'_, PyDict>>,
    rejects: Option<PathBuf>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Ingest> {
    let request = Request { file_type: r#type, compression, name, sql, limits, rejects, options };
    match run(py, source, request, false)? {
        Ok(ingest) => Ingest::new(py, ingest),
        Err(failure) => Err(failure.into_exception(py)),
    }
}

/// The report on a file, also on one that cannot be read: its `is_valid` is then False.
///
/// Takes what `read` takes. Raises for wrong usage, and IoError where there is no file to read.
#[pyfunction]
#[pyo3(signature = (
    source, *, r#type=None, compression=None, name=None, sql=None, limits=None, rejects=None,
    **options
))]
#[allow(clippy::too_many_arguments)] // they are the keywords of the Python function
fn inspect(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    r#type: Option<&str>,
    compression: Option<&str>,
    name: Option<String>,
    sql: Option<&Bound<'_, PyAny>>,
    limits: Option<&Bound<'_, PyDict>>,
    rejects: Option<PathBuf>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Py<PyDict>> {
    let request = Request { file_type: r#type, compression, name, sql, limits, rejects, options };
    match run(py, source, request, true)? {
        Ok(ingest) => value::report(py, &ingest.report),
        Err(failure) => match failure.error.report() {
            Some(found) if failure.error.kind() != ErrorKind::Io => value::report(py, found),
            _ => Err(failure.into_exception(py)),
        },
    }
}

/// Ingests with the GIL released. The outer error is wrong usage, the inner one the file's.
fn run(
    py: Python<'_>,
    source: &Bound<'_, PyAny>,
    request: Request<'_, '_>,
    leave_rows: bool,
) -> PyResult<Result<tablemill::Ingest, Failure>> {
    let (options, limits): (Options, Limits) = request.check(py)?;
    let options = Options { leave_rows, ..options };
    let PySource { source, raised } = PySource::new(source)?;
    let result = py.detach(|| tablemill::ingest(source, &options, &limits));
    Ok(result.map_err(|error| Failure { error, raised }))
}
