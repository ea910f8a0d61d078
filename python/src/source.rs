//! From a Python path, bytes or file to a [`Source`].

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView};
use tablemill::{Error, Source};

use crate::error;

/// An exception raised while a Python file was read; the reader can only pass on its text.
type Raised = Arc<Mutex<Option<PyErr>>>;

/// What to read, and where an exception of the Python file ends up.
pub struct PySource {
    pub source: Source,
    pub raised: Raised,
}

/// An error of the library, and the exception of the Python file that led to it, if one did.
pub struct Failure {
    pub error: Error,
    pub raised: Raised,
}

impl Failure {
    /// The file's own exception as it was raised, or else ours.
    pub fn into_exception(self, py: Python<'_>) -> PyErr {
        let raised = self.raised.lock().ok().and_then(|mut slot| slot.take());
        raised.unwrap_or_else(|| error::exception(py, &self.error))
    }
}

impl PySource {
    pub fn new(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let raised = Raised::default();
        let source = if given.is_instance_of::<PyBytes>() || given.is_instance_of::<PyByteArray>() {
            // `bytes` cannot change and are not copied; a bytearray can, and is.
            in_memory(given.extract::<PyBackedBytes>().map_err(PyErr::from)?)
        } else if given.is_instance_of::<PyMemoryView>() {
            let copy = given.call_method0("tobytes")?;
            in_memory(copy.extract::<PyBackedBytes>().map_err(PyErr::from)?)
        } else if given.hasattr("read")? {
            let reader = PyReader { file: given.clone().unbind(), raised: raised.clone() };
            Source::reader(reader).named(file_name(given))
        } else {
            Source::path(given.extract::<PathBuf>().map_err(|_| {
                let got = type_name(given);
                PyTypeError::new_err(format!(
                    "source: got {got}, expected a path, bytes or a file open in binary mode"
                ))
            })?)
        };
        Ok(PySource { source, raised })
    }
}

fn in_memory(bytes: PyBackedBytes) -> Source {
    Source::bytes(Bytes::from_owner(bytes))
}

/// The last part of `file.name`, where that is a text: it is a number for a bare descriptor.
fn file_name(file: &Bound<'_, PyAny>) -> String {
    let name = file.getattr("name").and_then(|name| name.extract::<PathBuf>());
    let name = name.unwrap_or_default();
    name.file_name().map(Path::new).map(|name| name.display().to_string()).unwrap_or_default()
}

pub fn type_name(value: &Bound<'_, PyAny>) -> String {
    let name = value.get_type().name().map(|name| name.to_string());
    name.unwrap_or_else(|_| "something else".to_owned())
}

/// Reads a Python file, attached to the interpreter only during each call of its `read`.
struct PyReader {
    file: Py<PyAny>,
    raised: Raised,
}

impl Read for PyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = Python::attach(|py| self.read_attached(py, buffer));
        result.map_err(|exception| {
            let text = exception.to_string();
            if let Ok(mut slot) = self.raised.lock() {
                *slot = Some(exception);
            }
            io::Error::other(text)
        })
    }
}

impl PyReader {
    fn read_attached(&self, py: Python<'_>, buffer: &mut [u8]) -> PyResult<usize> {
        let chunk = self.file.bind(py).call_method1("read", (buffer.len(),))?;
        let bytes = chunk.extract::<PyBackedBytes>().map_err(|_| {
            let got = type_name(&chunk);
            PyTypeError::new_err(format!(
                "source: its read() gave {got}, expected bytes; open the file in binary mode"
            ))
        })?;
        let target = buffer
            .get_mut(..bytes.len())
            .ok_or_else(|| PyTypeError::new_err("source: its read(n) gave more than n bytes"))?;
        target.copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}
