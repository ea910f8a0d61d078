//! The stream compressions: gzip, bz2, xz, zstd; all members, streams and frames of each.

use std::io::{ErrorKind as IoKind, Read};

use bytes::Bytes;

use super::budget::Budget;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::options::Compression;
use crate::report::{Code, Issue, Stage};
use crate::source::Spool;

/// What an xz stream may ask for its dictionary; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;

/// The bytes inside one layer.
pub(super) fn inflate(
    compression: Compression,
    bytes: &Bytes,
    budget: &mut Budget<'_>,
    context: &mut Context<'_>,
) -> Result<Bytes> {
    context.progress().start("decompress", bytes.len() as u64);
    let mut spool = Spool::new(context.limits.spool_bytes);
    let mut rest: &[u8] = bytes;
    while !rest.is_empty() {
        let consumed = bytes.len() - rest.len();
        let stream = match compression {
            Compression::Gzip => {
                drain(flate2::bufread::GzDecoder::new(&mut rest), &mut spool, budget)
            }
            Compression::Bz2 => {
                drain(bzip2::bufread::BzDecoder::new(&mut rest), &mut spool, budget)
            }
            Compression::Xz => match xz2::stream::Stream::new_stream_decoder(XZ_MEMORY, 0) {
                Ok(stream) => drain(
                    xz2::bufread::XzDecoder::new_stream(&mut rest, stream),
                    &mut spool,
                    budget,
                ),
                Err(error) => Err(Stop::Read(error.into())),
            },
            Compression::Zstd => match zstd::stream::read::Decoder::with_buffer(&mut rest) {
                Ok(decoder) => drain(decoder.single_frame(), &mut spool, budget),
                Err(error) => Err(Stop::Read(error)),
            },
            Compression::Zip => unreachable_archive(),
        };
        match stream {
            Ok(()) => {}
            Err(Stop::Limit(error)) => return Err(error),
            Err(Stop::Read(error)) => {
                return Err(read_error(compression, error, bytes.len() - rest.len(), bytes.len()));
            }
        }
        context.progress().done((bytes.len() - rest.len()) as u64);
        if bytes.len() - rest.len() == consumed {
            break;
        }
        rest = match tail(compression, rest) {
            Tail::More(more) => more,
            Tail::Nothing => break,
            Tail::Garbage => {
                let offset = (bytes.len() - rest.len()) as u64;
                let message =
                    format!("{} bytes after the end of the {compression} data", rest.len());
                context.reporter.push(
                    Issue::warning(Stage::Decompress, Code::TrailingData, message)
                        .byte_offset(offset)
                        .raw(rest),
                );
                break;
            }
        };
    }
    spool.finish()
}

/// What follows a member, stream or frame.
enum Tail<'a> {
    More(&'a [u8]),
    Nothing,
    Garbage,
}

fn tail(compression: Compression, rest: &[u8]) -> Tail<'_> {
    // Tapes and block devices pad gzip with zeros; xz pads its streams with them by design.
    let padding = rest.iter().take_while(|byte| **byte == 0).count();
    let after = &rest[padding..];
    if after.is_empty() {
        return Tail::Nothing;
    }
    match super::container(after) {
        super::Container::Known(found) if found == compression => Tail::More(after),
        _ => Tail::Garbage,
    }
}

enum Stop {
    Read(std::io::Error),
    Limit(Error),
}

fn drain(
    mut decoder: impl Read,
    spool: &mut Spool,
    budget: &mut Budget<'_>,
) -> std::result::Result<(), Stop> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                budget.spend(read as u64).map_err(Stop::Limit)?;
                spool.write(&buffer[..read]).map_err(Stop::Limit)?;
            }
            Err(error) if error.kind() == IoKind::Interrupted => {}
            Err(error) => return Err(Stop::Read(error)),
        }
    }
}

/// Archive members go through the same budget.
pub(super) fn inflate_member(
    decoder: impl Read,
    compressed: u64,
    budget: &mut Budget<'_>,
    context: &mut Context<'_>,
) -> Result<Bytes> {
    let mut spool = Spool::new(context.limits.spool_bytes);
    match drain(decoder, &mut spool, budget) {
        Ok(()) => spool.finish(),
        Err(Stop::Limit(error)) => Err(error),
        Err(Stop::Read(error)) => Err(read_error(Compression::Zip, error, 0, compressed as usize)),
    }
}

pub(super) fn read_error(
    compression: Compression,
    error: std::io::Error,
    at: usize,
    of: usize,
) -> Error {
    let text = error.to_string();
    let truncated = error.kind() == IoKind::UnexpectedEof
        || text.contains("incomplete frame")
        || (at >= of
            && (text.contains("premature eof") || text.contains("decompression not finished")));
    let (code, message) = if truncated {
        (Code::Truncated, format!("the {compression} data ends too early, after {of} bytes"))
    } else {
        (Code::Corrupt, format!("the {compression} data is damaged: {text}"))
    };
    Issue::error(Stage::Decompress, code, message)
        .byte_offset(at as u64)
        .hint("fetch or upload the file again")
        .into()
}

fn unreachable_archive() -> std::result::Result<(), Stop> {
    Err(Stop::Read(std::io::Error::other("a zip is no stream")))
}
