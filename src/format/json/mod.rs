//! JSON in any layout: records, lines, columnar, split, index, columns, values, table, one object.
//!
//! Takes text in any Unicode encoding; gives one table whose schema is the union of all keys;
//! refuses what is no JSON, with line, column and byte offset.

mod build;
mod layout;
mod parse;
mod shape;

use super::{FormatReader, Input, RawTable};
use crate::context::Context;
use crate::detect::encoding::decode;
use crate::detect::{Confidence, Signature, json_start};
use crate::error::Result;
use crate::options::FileType;

/// The reader of JSON.
#[derive(Debug)]
pub struct Json;

impl Signature for Json {
    fn file_type(&self) -> FileType {
        FileType::Json
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["json", "ndjson", "jsonl", "geojson"]
    }

    fn recognise(&self, bytes: &[u8]) -> Confidence {
        json_start(bytes)
    }
}

impl FormatReader for Json {
    fn options(&self) -> &'static [&'static str] {
        &[
            "orient",
            "lines",
            "dtype",
            "encoding",
            "encoding_errors",
            "nrows",
            "num_rows",
            "parse_dates",
            "dayfirst",
            "usecols",
            "columns",
            "na_values",
            "keep_default_na",
            "na_filter",
        ]
    }

    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        let text = decode(&input.bytes, context)?;
        let document = parse::parse(&text.utf8, text.shift, context)?;
        let columns = layout::columns(&document, context)?;
        let table = build::table(&document, columns, context)?;
        super::note_options(context);
        Ok(vec![super::select::select(table, context)?])
    }
}
