//! JSON in any layout: records, lines, columnar, split, index, columns, values, table, GeoJSON, one
//! object, or a document that wraps its rows.
//!
//! Takes text in any Unicode encoding; gives one table whose schema is the union of all keys;
//! refuses what is no JSON, with line, column and byte offset.

mod build;
mod durations;
mod frame;
mod gather;
mod layout;
mod lines;
mod mistakes;
mod notes;
mod outline;
mod parse;
mod path;
mod rows;
mod shape;
mod tape;
mod wrapper;

use std::ops::Range;

use bytes::Bytes;

use super::{FormatReader, Input, RawTable};
use crate::context::Context;
use crate::detect::encoding::decode;
use crate::detect::{Confidence, Signature, json_start, padding, position};
use crate::error::{Error, Result};
use crate::options::FileType;
use crate::report::{Code, Issue, Stage};
use frame::{Between, Frame, RowFrame};
use layout::Layout;

/// The pages of a larger mapped file are handed back while it is looked at.
const HELD: usize = 64 << 20;

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
            "record_path",
            "header",
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
            "on_bad_lines",
        ]
    }

    fn read(&self, input: &Input, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
        let bytes = without_padding(&input.bytes, context);
        let mut text = decode(&bytes, HELD, context)?;
        text.utf8 = without_separators(text.utf8);
        let (utf8, shift) = (text.utf8.clone(), text.shift);
        let table = match frame::find(&utf8, shift, &input.name, context)? {
            Frame::Rows(frame) => {
                let before = context.reporter.clone();
                match rows::table(rows::Rows::new(&frame, &utf8, context), &text, context) {
                    // The brackets may not be what they seemed: then the whole text says so.
                    Err(error) if is_outermost(&utf8, &frame) && is_syntax(&error) => {
                        context.restart(before)?;
                        parse::check(&utf8, 0..0, shift, context)?;
                        read_document(&utf8, shift, 0..utf8.len(), &Layout::Records, context)?
                    }
                    table => table?,
                }
            }
            Frame::Document(stretch, layout) => {
                read_document(&utf8, shift, stretch, &layout, context)?
            }
        };
        super::note_options(context);
        // Rows that stay in the file have only the columns wanted.
        let stays = table.in_file.is_some();
        Ok(vec![if stays { table } else { super::select::select_but_skip(table, context)? }])
    }
}

/// The table of a document in a stretch of the text.
fn read_document(
    text: &[u8],
    shift: u64,
    stretch: Range<usize>,
    layout: &Layout,
    context: &mut Context<'_>,
) -> Result<RawTable> {
    let document = parse::parse(text, stretch, &Between::Nothing, shift, context)?;
    let columns = gather::whole(&document, layout, context)?;
    build::table(&document, columns, context)
}

/// Whether nothing stands around the rows but their brackets, and perhaps their names.
fn is_outermost(text: &[u8], frame: &RowFrame) -> bool {
    let begins = text.trim_ascii_start().first() == Some(&b'[');
    begins && frame.between == Between::Commas && frame.path.is_empty()
}

fn is_syntax(error: &Error) -> bool {
    error.issue().code == Code::Syntax
}

/// The bytes without the NULs that fill up a log whose space was taken beforehand.
fn without_padding(text: &Bytes, context: &mut Context<'_>) -> Bytes {
    let padding = padding(text);
    if padding == 0 {
        return text.clone();
    }
    let end = text.len() - padding;
    let message = match padding {
        1 => "a NUL at the end of the file is left out".to_owned(),
        _ => format!("{padding} NULs at the end of the file are left out"),
    };
    let (line, _) = position(text, end);
    context.reporter.push(
        Issue::warning(Stage::Parse, Code::NulByte, message)
            .line(line)
            .byte_offset(end as u64)
            .hint("a program that takes space beforehand leaves them when it is cut off"),
    );
    text.slice(..end)
}

/// The text of RFC 7464 without the separators that stand before its values: a blank for each, so
/// that offsets stay.
fn without_separators(text: Bytes) -> Bytes {
    const SEPARATOR: u8 = 0x1e;
    if text.first() != Some(&SEPARATOR) {
        return text;
    }
    let mut bytes = text.to_vec();
    bytes[0] = b' ';
    for at in 1..bytes.len() {
        // Elsewhere it would stand in a text, where it has to be escaped.
        if bytes[at] == SEPARATOR && bytes[at - 1] == b'\n' {
            bytes[at] = b' ';
        }
    }
    bytes.into()
}
