//! `Ingest`, `Table` and `Schema`: what a read gives.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::{Field, SchemaRef};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyIterator, PyList, PyString};
use pyo3_arrow::error::PyArrowResult;
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};

use crate::value;

/// The tables of a file and the report of what was found.
///
/// `ingest["orders"]` and `ingest[0]` give a table; iterating gives them in order.
#[pyclass(frozen, module = "tablemill")]
pub struct Ingest {
    /// The tables, in the order of the file.
    #[pyo3(get)]
    tables: Py<PyList>,
    /// The report: what the file is, its tables, what was wrong and where.
    #[pyo3(get)]
    report: Py<PyDict>,
    /// What makes the file invalid: a dict from stage to a list of issues; {} when fine.
    #[pyo3(get)]
    errors: Py<PyDict>,
    /// What was repaired, guessed or ignored: a dict from stage to a list of issues.
    #[pyo3(get)]
    warnings: Py<PyDict>,
}

impl Ingest {
    pub fn new(py: Python<'_>, ingest: tablemill::Ingest) -> PyResult<Self> {
        let report = &ingest.report;
        Ok(Ingest {
            report: value::report(py, report)?,
            errors: value::issues(py, report.errors())?,
            warnings: value::issues(py, report.warnings())?,
            tables: PyList::new(py, ingest.tables.into_iter().map(Table))?.unbind(),
        })
    }
}

#[pymethods]
impl Ingest {
    fn __len__(&self, py: Python<'_>) -> usize {
        self.tables.bind(py).len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.tables.bind(py).try_iter()
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let tables = self.tables.bind(key.py());
        if let Ok(name) = key.cast::<PyString>() {
            let name = name.to_cow()?;
            let named = |table: &Bound<'_, PyAny>| {
                table.cast::<Table>().is_ok_and(|table| table.get().0.name() == name)
            };
            let found = tables.iter().find(named);
            return found.ok_or_else(|| PyKeyError::new_err(name.into_owned()));
        }
        let position: isize = key
            .extract()
            .map_err(|_| PyTypeError::new_err("expected a table's name or its position from 0"))?;
        let count = tables.len();
        let index =
            if position < 0 { position.checked_add_unsigned(count) } else { Some(position) };
        let index = index.and_then(|index| usize::try_from(index).ok());
        let index = index.filter(|index| *index < count);
        tables.get_item(index.ok_or_else(|| {
            PyIndexError::new_err(format!("got position {position}, there are {count} tables"))
        })?)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Ingest({})", self.tables.bind(py).repr()?))
    }
}

/// An Arrow table with a name.
///
/// It speaks the Arrow PyCapsule interface: `pyarrow.table(t)`, `polars.DataFrame(t)` and
/// `duckdb.sql("select * from t")` take it as it is; pyarrow shares the memory.
#[pyclass(frozen, module = "tablemill")]
pub struct Table(tablemill::Table);

#[pymethods]
impl Table {
    /// Its name, unique in the file.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The number of rows, headers not counted.
    #[getter]
    fn num_rows(&self) -> u64 {
        self.0.num_rows()
    }

    /// The number of columns.
    #[getter]
    fn num_columns(&self) -> usize {
        self.0.schema().fields().len()
    }

    /// The names of the columns, unique in the table.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        names(self.0.schema())
    }

    /// Its Arrow schema, for `pyarrow.schema(table.schema)` and the like.
    #[getter]
    fn schema(&self) -> Schema {
        Schema(self.0.schema().clone())
    }

    fn __len__(&self) -> usize {
        usize::try_from(self.0.num_rows()).unwrap_or(usize::MAX)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyArrowResult<Bound<'py, PyCapsule>> {
        to_schema_pycapsule(py, self.0.schema().as_ref())
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyArrowResult<Bound<'py, PyCapsule>> {
        let schema = self.0.schema();
        let row = Field::new_struct("", schema.fields().clone(), false)
            .with_metadata(schema.metadata().clone());
        // Cloning a batch copies pointers, not data.
        let batches = self.0.batches().to_vec();
        let arrays = batches.into_iter().map(|b| Ok(Arc::new(StructArray::from(b)) as ArrayRef));
        let reader = Box::new(ArrayIterator::new(arrays, Arc::new(row)));
        to_stream_pycapsule(py, reader, requested_schema)
    }

    fn __repr__(&self) -> String {
        let (name, rows, columns) = (self.0.name(), self.0.num_rows(), self.num_columns());
        format!("Table({name:?}, {rows} rows × {columns} columns)")
    }
}

/// The names and Arrow types of a table's columns.
#[pyclass(frozen, eq, module = "tablemill")]
#[derive(PartialEq)]
pub struct Schema(SchemaRef);

#[pymethods]
impl Schema {
    /// The columns' names.
    #[getter]
    fn names(&self) -> Vec<&str> {
        names(&self.0)
    }

    /// The columns' Arrow types as text, as the report has them.
    #[getter]
    fn types(&self) -> Vec<String> {
        self.0.fields().iter().map(|field| field.data_type().to_string()).collect()
    }

    fn __len__(&self) -> usize {
        self.0.fields().len()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyArrowResult<Bound<'py, PyCapsule>> {
        to_schema_pycapsule(py, self.0.as_ref())
    }

    fn __repr__(&self) -> String {
        let columns = self.0.fields().iter();
        let columns: Vec<String> =
            columns.map(|field| format!("{}: {}", field.name(), field.data_type())).collect();
        format!("Schema({})", columns.join(", "))
    }
}

fn names(schema: &SchemaRef) -> Vec<&str> {
    schema.fields().iter().map(|field| field.name().as_str()).collect()
}
