//! A look at page headers before pages are inflated: the parquet crate makes room for whatever sizes and
//! counts they claim.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::SerializedPageReader;

use super::super::columnar::Bounds;
use super::parquet_error;
use super::shapes::PAGE_HEADER;
use super::thrift::{Thrift, Wrong};
use crate::decompress::{Budget, check_sum};
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// What is looked at in a page's header.
#[derive(Default)]
struct Header {
    inflated: i64,
    stored: i64,
    /// Values, and whether they are those of a dictionary.
    values: i64,
    is_dictionary: bool,
    /// Of the bytes behind the header, where the writer gives one.
    check_sum: Option<u32>,
}

/// Checks the pages of a column of a row group; gives the bytes that they inflate to.
///
/// `summed` counts the bytes whose check sums were compared: those of the whole file at most, as long as
/// no two columns are in one place.
pub(super) fn check(
    bytes: &Bytes,
    column: &ColumnChunkMetaData,
    bounds: &Bounds,
    summed: &mut usize,
) -> Result<u64> {
    let chunk = chunk(bytes, column)?;
    let most = most_inflated(column.compression());
    let mut budget = Budget::new(bounds.input, &bounds.limits);
    let (mut at, mut values, mut inflated) = (0, 0i64, 0);
    while at < chunk.bytes.len() {
        let header = header(&chunk.bytes[at..]);
        // What stands behind the last value may be anything.
        if header.is_err() && values >= column.num_values() {
            break;
        }
        let refuse = |what: String| {
            let place = chunk.start + at as u64;
            let message = format!("the page at byte {place} of column {}: {what}", name(column));
            Issue::error(Stage::Parse, Code::Corrupt, message).byte_offset(place)
        };
        let (header, length) =
            header.map_err(|wrong| refuse(format!("its header is damaged: {}", wrong.what)))?;
        let start = at + length;
        let (Ok(stored), Ok(size)) =
            (usize::try_from(header.stored), u64::try_from(header.inflated))
        else {
            return Err(refuse("its size is negative".into()).into());
        };
        if stored > chunk.bytes.len() - start {
            let left = chunk.bytes.len() - start;
            let issue = refuse(format!("it has {stored} bytes, {left} are left"));
            return Err(Error::from(Issue { code: Code::Truncated, ..issue }));
        }
        if size > (stored as u64).saturating_mul(most).saturating_add(1024) {
            let codec = column.compression();
            let what = format!("{stored} bytes of {codec:?} cannot inflate to {size}");
            return Err(refuse(what).into());
        }
        if let Some(expected) = header.check_sum {
            *summed += stored;
            if *summed > bytes.len() {
                return Err(refuse("it is that of several columns".into()).into());
            }
            if check_sum(&chunk.bytes[start..start + stored]) != expected {
                return Err(refuse("its check sum does not fit".into()).into());
            }
        }
        // Each value of a dictionary has a byte at least.
        let count = u64::try_from(header.values).ok();
        let Some(count) = count.filter(|count| !header.is_dictionary || *count <= size) else {
            let what = format!("it says that {size} bytes hold {} values", header.values);
            return Err(refuse(what).into());
        };
        budget.spend(size)?;
        inflated += size;
        if !header.is_dictionary {
            values = values.saturating_add(count as i64);
        }
        at = start + stored;
    }
    let is_delta = |encoding: Encoding| {
        matches!(encoding, Encoding::DELTA_LENGTH_BYTE_ARRAY | Encoding::DELTA_BYTE_ARRAY)
    };
    if column.encodings().any(is_delta) {
        check_deltas(bytes, column)?;
    }
    Ok(inflated)
}

struct Chunk {
    start: u64,
    bytes: Bytes,
}

/// The bytes of a column of a row group.
fn chunk(bytes: &Bytes, column: &ColumnChunkMetaData) -> Result<Chunk> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let length = column.compressed_size();
    let range = usize::try_from(start).ok().zip(usize::try_from(length).ok());
    let range = range.and_then(|(start, length)| Some((start, start.checked_add(length)?)));
    match range {
        Some((start, end)) if end <= bytes.len() => {
            Ok(Chunk { start: start as u64, bytes: bytes.slice(start..end) })
        }
        _ => {
            let message = format!(
                "column {} says it is {length} bytes at byte {start}, the file has {}",
                name(column),
                bytes.len()
            );
            Err(Issue::error(Stage::Parse, Code::Truncated, message).into())
        }
    }
}

fn name(column: &ColumnChunkMetaData) -> String {
    format!("{:?}", column.column_path().string())
}

/// Bytes that come out of one byte at most.
fn most_inflated(codec: Compression) -> u64 {
    match codec {
        Compression::UNCOMPRESSED => 1,
        Compression::SNAPPY => 32,
        Compression::LZ4 | Compression::LZ4_RAW => 256,
        Compression::GZIP(_) => 1_040,
        // A block of three bytes stands for 128 KiB of the same byte.
        Compression::ZSTD(_) => 64 << 10,
        _ => u64::MAX,
    }
}

/// A page's header and its length.
fn header(bytes: &[u8]) -> std::result::Result<(Header, usize), Wrong> {
    const DATA: i16 = 5;
    const DICTIONARY: i16 = 7;
    const DATA_2: i16 = 8;
    let (mut thrift, mut header) = (Thrift::new(bytes), Header::default());
    thrift.known(PAGE_HEADER, &mut |path, value| match path {
        [2] => header.inflated = value,
        [3] => header.stored = value,
        [4] => header.check_sum = Some(value as u32),
        [kind @ (DATA | DICTIONARY | DATA_2), 1] => {
            header.is_dictionary = *kind == DICTIONARY;
            header.values = value;
        }
        _ => {}
    })?;
    Ok((header, thrift.at))
}

/// Texts in delta encodings begin with a count for which the crate makes room.
fn check_deltas(bytes: &Bytes, column: &ColumnChunkMetaData) -> Result<()> {
    let levels = column.column_descr();
    let has_levels = [levels.max_rep_level() > 0, levels.max_def_level() > 0];
    let reader = SerializedPageReader::new(Arc::new(bytes.clone()), column, 0, None);
    let mut pages = reader.map_err(parquet_error)?;
    let mut values = 0;
    while values < column.num_values() {
        let Some(page) = pages.get_next_page().map_err(parquet_error)? else { break };
        let count = u64::from(page.num_values());
        let (encoding, mut data) = match &page {
            Page::DictionaryPage { .. } => continue,
            Page::DataPage { buf, encoding, .. } => {
                let mut rest = &buf[..];
                for _ in has_levels.iter().filter(|has| **has) {
                    let length = rest.split_first_chunk::<4>();
                    let after = length.and_then(|(length, rest)| {
                        rest.get(u32::from_le_bytes(*length) as usize..)
                    });
                    rest = after.unwrap_or_default();
                }
                (*encoding, rest)
            }
            Page::DataPageV2 {
                buf, encoding, def_levels_byte_len, rep_levels_byte_len, ..
            } => {
                let start = u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len);
                (*encoding, buf.get(start as usize..).unwrap_or_default())
            }
        };
        let lists = match encoding {
            Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
            Encoding::DELTA_BYTE_ARRAY => 2,
            _ => 0,
        };
        for _ in 0..lists {
            // A list that is broken is for the crate to say, if its count is possible.
            let Some((claimed, rest)) = delta_list(data, count) else { break };
            if claimed > count {
                let message = format!(
                    "a page of column {} has {count} values, but lengths of {claimed}",
                    name(column)
                );
                return Err(Issue::error(Stage::Parse, Code::Corrupt, message).into());
            }
            data = rest;
        }
        values = values.saturating_add(count as i64);
    }
    Ok(())
}

/// The count of a list in the encoding `DELTA_BINARY_PACKED`, and what follows the list.
fn delta_list(bytes: &[u8], most: u64) -> Option<(u64, &[u8])> {
    let mut list = Thrift::new(bytes);
    let (block, parts, count) = (list.varint().ok()?, list.varint().ok()?, list.varint().ok()?);
    if count > most {
        return Some((count, &[]));
    }
    list.varint().ok()?;
    let of_part = block.checked_div(parts)?;
    let mut left = count.saturating_sub(1);
    let mut at = list.at;
    while left > 0 {
        let mut block = Thrift::new(bytes.get(at..)?);
        block.varint().ok()?;
        at += block.at;
        let widths = bytes.get(at..at.checked_add(usize::try_from(parts).ok()?)?)?;
        at += widths.len();
        for width in widths {
            if left == 0 || of_part == 0 {
                break;
            }
            let size = of_part.checked_mul(u64::from(*width))? / 8;
            at = at.checked_add(usize::try_from(size).ok()?)?;
            left = left.saturating_sub(of_part);
        }
        if of_part == 0 {
            return None;
        }
    }
    Some((count, bytes.get(at..)?))
}
