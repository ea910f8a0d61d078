//! The two streams of times, seconds and nanoseconds, as the crate reads them.
//!
//! ORC's C++ library, with which pyarrow writes, stores the nanoseconds of a time before 1970 as a negative
//! number where the seconds were rounded toward zero; its reader and Java's add them up. The crate
//! takes them for a number without a sign. Nor does it cut nanoseconds to microseconds. Where a stripe
//! has such times both streams are written anew before the crate sees them.

use std::io::Read;

use bytes::Bytes;
use orc_rust::compression::Decompressor;
use orc_rust::proto::column_encoding::Kind as EncodingKind;
use orc_rust::proto::stream::Kind as StreamKind;
use orc_rust::proto::{Stream, StripeFooter, StripeInformation};
use orc_rust::reader::ChunkReader;
use orc_rust::reader::metadata::FileMetadata;
use orc_rust::schema::RootDataType;
use orc_rust::stripe::StripeMetadata;
use prost::Message;

use super::orc_error;
use super::runs::decoded;
use super::streams::Source;
use crate::error::Result;
use crate::report::{Code, Issue, Stage};

const SECOND: i128 = 1_000_000_000;
/// From here on a fraction takes a second off a time before 1970 (ORC-763).
const LEAST_FRACTION: i128 = 1_000_000;
/// Times of one column of a stripe that are written anew: 16 bytes each.
const MOST_TIMES: usize = 1 << 25;
/// The header of a compressed block has 23 bits for its length.
const BLOCK: usize = 1 << 18;
/// Values of a run, and how it says that each has 64 bits.
const RUN: usize = 512;
const DIRECT_64: u8 = 0b0111_1110;

/// A column of times.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeColumn {
    pub index: usize,
    /// What its seconds count from, in seconds from 1970.
    pub epoch: i64,
}

/// The stripe with its times as the crate reads them; `None` where they already are.
pub(super) fn rewritten(
    source: &Source,
    metadata: &FileMetadata,
    info: &StripeMetadata,
    root: &RootDataType,
    times: &[TimeColumn],
    in_microseconds: bool,
) -> Result<Option<(Source, StripeMetadata)>> {
    if times.is_empty() {
        return Ok(None);
    }
    let read = |bytes: Bytes| {
        let mut inflated = Vec::new();
        let mut blocks = Decompressor::new(bytes, metadata.compression(), Vec::new());
        // What cannot be inflated ends the crate's reading as well.
        let _ = blocks.read_to_end(&mut inflated);
        inflated
    };
    let Ok(footer) = source.get_bytes(info.footer_offset(), info.footer_length()) else {
        return Ok(None);
    };
    let Ok(mut footer) = StripeFooter::decode(read(footer).as_slice()) else { return Ok(None) };
    let (mut at, mut streams) = (info.offset(), Vec::new());
    for stream in std::mem::take(&mut footer.streams) {
        let Ok(bytes) = source.get_bytes(at, stream.length()) else { return Ok(None) };
        at += stream.length();
        if root.contains_column_index(stream.column() as usize) {
            streams.push((stream, bytes));
        }
    }
    let place = |streams: &[(Stream, Bytes)], column: usize, kind: StreamKind| {
        let is_it = |(stream, _): &(Stream, Bytes)| {
            stream.column() as usize == column && stream.kind() == kind
        };
        streams.iter().position(is_it)
    };
    let is_compressed = metadata.compression().is_some();
    let mut is_changed = false;
    for time in times {
        let seconds = place(&streams, time.index, StreamKind::Data);
        let fractions = place(&streams, time.index, StreamKind::Secondary);
        let (Some(seconds), Some(fractions)) = (seconds, fractions) else { continue };
        let Some(encoding) = footer.columns.get_mut(time.index) else { continue };
        let is_second = encoding.kind() == EncodingKind::DirectV2;
        let parts = decoded(&read(streams[fractions].1.clone()), is_second, false, MOST_TIMES + 1);
        let is_odd = |part: &i64| *part < 0 || (in_microseconds && nanoseconds(*part) % 1000 != 0);
        if !parts.iter().any(is_odd) {
            continue;
        }
        if parts.len() > MOST_TIMES {
            let message = format!(
                "more than {MOST_TIMES} times in one stripe, some of them before 1970 as C++ \
                 writes them, are not read"
            );
            return Err(Issue::error(Stage::Parse, Code::UnsupportedFeature, message).into());
        }
        let whole = decoded(&read(streams[seconds].1.clone()), is_second, true, parts.len());
        let unit = if in_microseconds { 1000 } else { 1 };
        let pairs = whole.iter().zip(&parts).map(|(seconds, part)| {
            let time_ = time_of(*seconds, *part, time.epoch);
            stored(time_.div_euclid(unit) * unit, time.epoch)
        });
        let (whole, parts): (Vec<u64>, Vec<u64>) = pairs.unzip();
        streams[seconds].1 = framed(encoded(&whole), is_compressed);
        streams[fractions].1 = framed(encoded(&parts), is_compressed);
        encoding.kind = Some(EncodingKind::DirectV2 as i32);
        is_changed = true;
    }
    if !is_changed {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    for (mut stream, data) in streams {
        stream.length = Some(data.len() as u64);
        bytes.extend_from_slice(&data);
        footer.streams.push(stream);
    }
    let data_length = bytes.len() as u64;
    let footer = framed(footer.encode_to_vec(), is_compressed);
    bytes.extend_from_slice(&footer);
    let information = StripeInformation {
        offset: Some(0),
        index_length: Some(0),
        data_length: Some(data_length),
        footer_length: Some(footer.len() as u64),
        number_of_rows: Some(info.number_of_rows()),
        ..StripeInformation::default()
    };
    let info = StripeMetadata::try_from(&information).map_err(orc_error)?;
    Ok(Some((Source { bytes: bytes.into(), tail: Bytes::new() }, info)))
}

/// Three bits say how many zeros were left off, if any one more than they say.
fn nanoseconds(part: i64) -> i128 {
    let zeros = (part & 7) as u32;
    let factor = if zeros == 0 { 1 } else { 10i128.pow(zeros + 1) };
    i128::from(part >> 3) * factor
}

/// Nanoseconds from 1970, as the readers of ORC's own project add them up.
fn time_of(seconds: i64, part: i64, epoch: i64) -> i128 {
    let seconds = i128::from(seconds) + i128::from(epoch);
    let nanoseconds = nanoseconds(part);
    let is_before = seconds < 0 && nanoseconds >= LEAST_FRACTION;
    (seconds - i128::from(is_before)) * SECOND + nanoseconds
}

/// The two numbers of which the crate makes this time.
fn stored(time: i128, epoch: i64) -> (u64, u64) {
    let (mut seconds, mut nanoseconds) = (time.div_euclid(SECOND), time.rem_euclid(SECOND));
    if seconds < 0 && nanoseconds >= LEAST_FRACTION {
        // The second before 1970 would become that after it: it is said by two seconds less.
        match seconds {
            -1 => nanoseconds += SECOND,
            _ => seconds += 1,
        }
    }
    // What has no place in 64 bits is beyond all times, and stays so.
    let seconds = seconds - i128::from(epoch);
    let seconds = seconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
    ((seconds << 1 ^ seconds >> 63) as u64, (nanoseconds as u64) << 3)
}

/// Runs of numbers of 64 bits.
fn encoded(values: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() * 8 + values.len() / 128 + 2);
    for run in values.chunks(RUN) {
        let last = run.len() - 1;
        bytes.push(DIRECT_64 | (last >> 8) as u8);
        bytes.push(last as u8);
        run.iter().for_each(|value| bytes.extend(value.to_be_bytes()));
    }
    bytes
}

/// In blocks that say they are not compressed, where blocks are looked for.
fn framed(bytes: Vec<u8>, is_compressed: bool) -> Bytes {
    if !is_compressed {
        return bytes.into();
    }
    let mut blocks = Vec::with_capacity(bytes.len() + 3 * (bytes.len() / BLOCK + 1));
    for block in bytes.chunks(BLOCK) {
        let header = (block.len() as u32) << 1 | 1;
        blocks.extend_from_slice(&header.to_le_bytes()[..3]);
        blocks.extend_from_slice(block);
    }
    blocks.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the crate does with two numbers.
    fn of_crate(seconds: u64, part: u64, epoch: i64) -> i128 {
        let seconds = (seconds >> 1) as i64 ^ -((seconds & 1) as i64);
        let (seconds, nanoseconds) = (seconds + epoch, part >> 3);
        let is_before = seconds < 0 && nanoseconds > 999_999;
        i128::from(seconds - i64::from(is_before)) * SECOND + i128::from(nanoseconds)
    }

    #[test]
    fn every_time_is_stored_so_that_the_crate_finds_it() {
        let near = [-3, -2, -1, 0, 1, 2].map(|second| second * SECOND);
        let around = [-1_000_001, -1_000_000, -999_999, -1, 0, 1, 999_999, 1_000_000, 500_000_000];
        for epoch in [0, 1_420_070_400, 1_420_088_400] {
            for time in near.iter().flat_map(|second| around.map(|part| second + part)) {
                let (seconds, part) = stored(time, epoch);
                assert_eq!(of_crate(seconds, part, epoch), time, "{time}");
            }
        }
    }

    #[test]
    fn negative_fractions_are_added() {
        assert_eq!(time_of(-1, -500_000_000 << 3, 0), -1_500_000_000);
        // -877 ms: two zeros more than six are left off.
        assert_eq!(time_of(-14_182_939, (-877 << 3) | 5, 0), -14_182_939_877_000_000);
        // As Java rounds: a second before, and the fraction from there.
        assert_eq!(time_of(-1, (5 << 3) | 7, 0), -1_500_000_000);
        assert_eq!(time_of(0, -1 << 3, 0), -1);
    }
}
