//! The formats: one file or folder each, one row each in [`FORMATS`].

mod arrow_ipc;
mod chunks;
mod columnar;
pub mod csv;
mod encode;
mod excel;
mod far_times;
mod json;
mod orc;
mod parquet;
mod place;
mod select;
pub mod spill;
pub mod write;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;

use crate::context::Context;
use crate::detect::Signature;
use crate::error::Result;
use crate::source::{Ahead, Growing};
use crate::table::Rows;

/// One part to read: its bytes and what it is called.
#[derive(Clone, Debug)]
pub struct Input {
    /// The archive member's or the file's name.
    pub name: String,
    /// The bytes, unwrapped.
    pub bytes: Bytes,
}

/// A table as a reader gives it. The pipeline names it, checks it against the limits and makes its
/// column names unique.
#[derive(Clone, Debug)]
pub struct RawTable {
    /// The sheet's name; `None` where the format names no tables.
    pub name: Option<String>,
    /// The columns.
    pub schema: SchemaRef,
    /// The rows, in batches of this schema.
    pub batches: Vec<RecordBatch>,
    /// The rows where they were left in the file; there are no batches then.
    pub in_file: Option<Arc<dyn Rows>>,
}

impl RawTable {
    /// A table in memory.
    pub fn new(name: Option<String>, schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        RawTable { name, schema, batches, in_file: None }
    }
}

/// What a format has to do: tell its own bytes, and read them.
pub trait FormatReader: Signature + Sync {
    /// The parser options that mean something here; others given are reported as ignored.
    fn options(&self) -> &'static [&'static str];

    /// All tables of the part. What is repaired or guessed goes to the report; an error means that
    /// no faithful table can be made.
    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>>;

    /// Reads ahead in a text of which more than the head comes in the meantime, until it is whole.
    /// What `context` is told is lost; whatever is done here [`read`](Self::read) could do later.
    fn ahead(
        &self,
        _head: &[u8],
        _growing: &Growing,
        _name: &str,
        _context: &mut Context<'_>,
    ) -> Option<Ahead> {
        None
    }

    /// [`read`](Self::read), with what was made ahead.
    fn read_on(
        &self,
        input: &Input,
        _ahead: Ahead,
        context: &mut Context<'_>,
    ) -> Result<Vec<RawTable>> {
        self.read(input, context)
    }
}

/// Every format, in the order in which they are asked.
pub static FORMATS: &[&dyn FormatReader] = &[
    &arrow_ipc::ArrowIpc,
    &parquet::Parquet,
    &orc::Orc,
    &excel::Excel::XLSX,
    &excel::Excel::XLS,
    &excel::Excel::XLSB,
    &excel::Excel::ODS,
    &json::Json,
    &csv::Csv,
];

/// Puts the options that were given into the report: with them the parse is the same again.
fn note_options(context: &mut Context<'_>) {
    for (name, value) in context.parser().given() {
        context.reporter.option(name, value.clone());
    }
}

/// Whether a reader's message says that it does not know a feature, rather than that bytes are bad.
fn names_unsupported(message: &str) -> bool {
    ["not support", "unsupported", "not yet implemented", "not implemented", "nyi"]
        .iter()
        .any(|words| message.contains(words))
}
