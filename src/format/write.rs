//! Tables out again: csv, ndjson, json, parquet, Arrow file and stream.
//!
//! Takes a [`Table`] and a writer; values come out as the v2 flow documents them: null is an empty
//! csv cell and empty text `""`; times are ISO 8601; nested values are JSON text in csv; binary is
//! base64; NaN and infinities are null in JSON; decimals with a fraction are text in
//! JSON.

mod arrow_file;
mod parquet;

use std::io::Write;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;

use super::encode::{Encoder, json_text};
use crate::error::{Error, Result};
use crate::guard::guarded_writer;
use crate::report::{Code, Issue, Stage};
use crate::table::Table;

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// UTF-8, comma, `\n`, quoted as RFC 4180 has it.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// An array of row objects.
    Json,
    /// Parquet with zstd pages.
    Parquet,
    /// Arrow IPC file.
    Arrow,
    /// Arrow IPC stream.
    ArrowStream,
}

/// How to write it.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions {
    /// Whether csv begins with the column names.
    pub header: bool,
    /// Whether csv tells empty text (`""`) from null (nothing).
    pub quote_empty: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        WriteOptions { header: true, quote_empty: true }
    }
}

/// Writes the whole table.
///
/// ```
/// use tablemill::format::write::{OutputFormat, WriteOptions, write_table};
/// # use tablemill::{Limits, Options, Source, ingest};
/// let file = Source::bytes(r#"{"a": 1, "b": null}"#).named("x.json");
/// let table = &ingest(file, &Options::default(), &Limits::default())?.tables[0];
/// let mut out = Vec::new();
/// write_table(table, OutputFormat::Csv, &WriteOptions::default(), &mut out)?;
/// assert_eq!(out, b"a,b\n1,\n");
/// # Ok::<(), tablemill::Error>(())
/// ```
pub fn write_table(
    table: &Table,
    format: OutputFormat,
    options: &WriteOptions,
    out: &mut (dyn Write + Send),
) -> Result<()> {
    write_counted(table, format, options, out).map(|_| ())
}

/// What the format could not say as the table does.
#[derive(Debug, Default)]
pub struct Written {
    /// Values in columns of floats that were written as null, as JSON has no word for them: NaN and
    /// infinities.
    pub nulls: u64,
    /// Warnings of columns that other readers take for something else.
    pub warnings: Vec<Issue>,
}

/// The same; says what the format had no words for.
pub fn write_counted(
    table: &Table,
    format: OutputFormat,
    options: &WriteOptions,
    out: &mut (dyn Write + Send),
) -> Result<Written> {
    let mut written = Written::default();
    match format {
        OutputFormat::Csv => write_csv(table, options, out)?,
        OutputFormat::Ndjson | OutputFormat::Json => {
            written.nulls = write_json(table, format, out)?;
        }
        OutputFormat::Parquet => written.warnings = parquet::write_parquet(table, out)?,
        OutputFormat::Arrow => arrow_file::write_arrow_file(table, out)?,
        OutputFormat::ArrowStream => write_arrow_stream(table, out)?,
    }
    Ok(written)
}

/// Hands over the rows. A panic of the writer's is told from one of the reader's.
fn each(
    table: &Table,
    writer: &str,
    take: &mut dyn FnMut(&RecordBatch) -> Result<bool>,
) -> Result<()> {
    table.each_batch(&mut |batch| guarded_writer(writer, || take(batch)))
}

/// Rows go out in pieces of about this size.
const PIECE: usize = 256 << 10;

fn write_csv(table: &Table, options: &WriteOptions, out: &mut dyn Write) -> Result<()> {
    let names = table.schema().fields().iter().map(|field| field.name());
    let mut piece = Vec::with_capacity(PIECE + 4096);
    if options.header {
        for (index, name) in names.enumerate() {
            if index > 0 {
                piece.push(b',');
            }
            push_csv_cell(&mut piece, name.as_bytes(), true);
        }
        piece.push(b'\n');
    }
    let mut cell = Vec::new();
    let mut rows_before = 0;
    each(table, "csv", &mut |batch| {
        let encoders = encoders(batch)?;
        for row in 0..batch.num_rows() {
            for (index, encoder) in encoders.iter().enumerate() {
                if index > 0 {
                    piece.push(b',');
                }
                if encoder.is_null(row) {
                    // Alone in its row it would be a blank line, which is no row at all.
                    if encoders.len() == 1 {
                        piece.extend_from_slice(b"\"\"");
                    }
                    continue;
                }
                cell.clear();
                let name = || batch.schema_ref().field(index).name();
                let row_of_table = rows_before + row as u64 + 1;
                let written = encoder.text(row, &mut cell);
                written.map_err(|error| of_column(error, name(), Some(row_of_table)))?;
                push_csv_cell(&mut piece, &cell, options.quote_empty);
            }
            piece.push(b'\n');
            if piece.len() >= PIECE {
                out.write_all(&piece)?;
                piece.clear();
            }
        }
        rows_before += batch.num_rows() as u64;
        Ok(true)
    })?;
    out.write_all(&piece)?;
    Ok(())
}

fn push_csv_cell(out: &mut Vec<u8>, cell: &[u8], quote_empty: bool) {
    let quoted = cell.is_empty() && quote_empty
        || cell.iter().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r'));
    if !quoted {
        return out.extend_from_slice(cell);
    }
    out.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

fn write_json(table: &Table, format: OutputFormat, out: &mut dyn Write) -> Result<u64> {
    let keys: Vec<Vec<u8>> = table
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let mut key = Vec::new();
            json_text(field.name(), &mut key);
            key.push(b':');
            key
        })
        .collect();
    let is_array = format == OutputFormat::Json;
    let mut piece = Vec::with_capacity(PIECE + 4096);
    if is_array {
        piece.push(b'[');
    }
    let (mut first, mut lost, mut rows_before) = (true, 0, 0);
    each(table, "json", &mut |batch| {
        let encoders = encoders(batch)?;
        lost += batch.columns().iter().map(|column| not_finite(column.as_ref())).sum::<u64>();
        for row in 0..batch.num_rows() {
            if is_array && !first {
                piece.push(b',');
            }
            if is_array {
                piece.push(b'\n');
            }
            first = false;
            piece.push(b'{');
            for (index, (encoder, key)) in encoders.iter().zip(&keys).enumerate() {
                if index > 0 {
                    piece.push(b',');
                }
                piece.extend_from_slice(key);
                let name = || batch.schema_ref().field(index).name();
                let row_of_table = rows_before + row as u64 + 1;
                let written = encoder.json(row, &mut piece);
                written.map_err(|error| of_column(error, name(), Some(row_of_table)))?;
            }
            piece.push(b'}');
            if !is_array {
                piece.push(b'\n');
            }
            if piece.len() >= PIECE {
                out.write_all(&piece)?;
                piece.clear();
            }
        }
        rows_before += batch.num_rows() as u64;
        Ok(true)
    })?;
    if is_array {
        piece.extend_from_slice(b"\n]\n");
    }
    out.write_all(&piece)?;
    Ok(lost)
}

/// Values of a column of floats that are no number or infinite.
fn not_finite(column: &dyn Array) -> u64 {
    let count = match column.data_type() {
        DataType::Float64 => {
            let floats = column.as_primitive::<Float64Type>();
            floats.iter().flatten().filter(|value| !value.is_finite()).count()
        }
        DataType::Float32 => {
            let floats = column.as_primitive::<Float32Type>();
            floats.iter().flatten().filter(|value| !value.is_finite()).count()
        }
        _ => 0,
    };
    count as u64
}

fn encoders(batch: &RecordBatch) -> Result<Vec<Encoder<'_>>> {
    let columns = batch.columns().iter().zip(batch.schema_ref().fields());
    columns
        .map(|(column, field)| {
            Encoder::new(column.as_ref() as &dyn Array)
                .map_err(|error| of_column(error, field.name(), None))
        })
        .collect()
}

fn write_arrow_stream(table: &Table, out: &mut dyn Write) -> Result<()> {
    let mut writer = StreamWriter::try_new(out, table.schema()).map_err(arrow_error)?;
    each(table, "arrow", &mut |batch| writer.write(batch).map(|()| true).map_err(arrow_error))?;
    writer.finish().map_err(arrow_error)
}

fn arrow_error(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, io) => io.into(),
        // Dictionaries of columns in other columns.
        ArrowError::InvalidArgumentError(message) if message.starts_with("Dictionary repl") => {
            let message = "dictionaries in lists or structs differ from batch to batch, which an Arrow \
                           file has no place for";
            let issue = Issue::error(Stage::Parse, Code::UnsupportedFeature, message);
            issue.hint("write it as arrow-stream, which has").into()
        }
        other => refused(other.to_string()),
    }
}

/// What is wrong with a column, and with the value in one of its rows, counted from 1.
fn of_column(error: ArrowError, column: &str, row: Option<u64>) -> Error {
    if let ArrowError::IoError(_, io) = error {
        return io.into();
    }
    let message = format!("the column {column:?} cannot be written so: {error}");
    let issue = Issue::error(Stage::Parse, Code::UnsupportedFeature, message).column(column);
    let issue = row.into_iter().fold(issue, |issue, row| issue.row(row));
    issue.hint("write it as arrow, which keeps every type").into()
}

fn refused(message: String) -> Error {
    // The file format has one dictionary for each column, the stream one for each batch.
    let hint = match message.contains("Dictionary replacement") {
        true => "write it as arrow-stream, in which each batch may bring a dictionary of its own",
        false => "write it as arrow, which keeps every type",
    };
    let message = format!("the table cannot be written so: {message}");
    let issue = Issue::error(Stage::Parse, Code::UnsupportedFeature, message);
    issue.hint(hint).into()
}
