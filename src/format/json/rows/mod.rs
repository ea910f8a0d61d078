//! Rows one after the other in a stretch of the text, straight into columns, on several threads.
//!
//! The text is cut into chunks at rows (`split`). A thread reads the rows of a chunk into a tree of
//! nodes (`read`, `object`, `node`), each of the type that its first value shows, and finishes them
//! (`piece`). What all chunks have seen gives the schema (`seen`, `plan`); a column that a chunk has
//! otherwise is read from it again. Neither threads nor chunk size can change what comes out.

mod asked;
mod cases;
mod cases_found;
mod chunk;
mod in_file;
mod node;
mod notes;
mod object;
mod piece;
mod plan;
mod quick;
mod read;
mod seen;
mod skip;
mod split;
mod table;

use bytes::Bytes;

use super::frame::{Between, RowFrame};
use super::parse;
use crate::context::Context;

pub(super) use quick::{hex4, unescape};
pub(super) use table::table;

/// A nested object may have so many different keys; with more, all such objects are kept as text.
pub(super) const MOST_FIELDS: usize = 1000;

/// A chunk has so many bytes at most, and the rest of its last row.
const LARGEST_CHUNK: usize = 256 << 20;

/// Stands before the name of a feature's member, which is no property.
const MEMBER: &str = "\0member:";

/// Rows in a stretch of a text.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub text: Bytes,
    pub start: usize,
    pub end: usize,
    pub between: Between,
    /// Names for rows that are arrays; by position without, or beyond them.
    pub names: Vec<String>,
    /// Each row is a GeoJSON feature.
    pub features: bool,
    pub value_bytes: usize,
    pub depth: usize,
    pub most_columns: usize,
    pub threads: usize,
    pub chunk_bytes: usize,
}

impl Rows {
    /// The rows of a text that were found.
    pub fn new(frame: &RowFrame, text: &Bytes, context: &Context<'_>) -> Self {
        let limits = context.limits;
        Rows {
            text: text.clone(),
            start: frame.start,
            end: frame.end,
            between: frame.between,
            names: frame.names.clone().unwrap_or_default(),
            features: frame.features,
            value_bytes: usize::try_from(limits.value_bytes).unwrap_or(usize::MAX),
            depth: limits.json_depth.min(parse::DEEPEST),
            most_columns: limits.columns,
            threads: context.options.parallelism.threads(),
            chunk_bytes: context.options.parallelism.chunk_bytes().min(LARGEST_CHUNK),
        }
    }
}
