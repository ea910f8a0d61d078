//! Rows one after the other in a stretch of the text, straight into columns, on several threads.
//!
//! The text is cut into chunks at rows (`split`). A thread reads the rows of a chunk into a tree of
//! nodes (`read`, `object`, `node`), each of the type that its first value shows, and finishes them
//! (`piece`). What all chunks have seen gives the schema (`seen`, `plan`); a column that a chunk has
//! otherwise is read from it again. Neither threads nor chunk size can change what comes out.

mod asked;
#[cfg(test)]
mod cases;
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
mod split;
mod table;

use bytes::Bytes;

pub(super) use table::table;

/// How rows follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    /// Each on a line of its own; a broken line costs that line.
    Lines,
    /// One after the other, over lines at will.
    Nothing,
    /// Separated by commas; the brackets are outside of the stretch.
    Commas,
}

/// A nested object may have so many different keys; with more, all such objects are kept as text.
const MOST_FIELDS: usize = 1000;

/// Stands before the name of a feature's member, which is no property.
const MEMBER: u8 = 0;

/// Rows in a stretch of a text.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub text: Bytes,
    pub start: usize,
    pub end: usize,
    pub between: Between,
    /// Names for rows that are arrays, else by position.
    pub names: Option<Vec<String>>,
    /// Each row is a GeoJSON feature.
    pub features: bool,
    pub value_bytes: usize,
    pub depth: usize,
    pub most_columns: usize,
    pub threads: usize,
    pub chunk_bytes: usize,
}
