//! The stream compressions: gzip, bz2, xz, zstd; all members, streams, blocks and frames of each.
//!
//! What the format cuts into pieces is inflated piece by piece on several threads and given in order;
//! what is one piece comes out as it is inflated. Threads change nothing in what is given and said.

mod bits;
mod bz2;
mod crew;
mod gzip;
#[cfg(test)]
mod round_trip;
mod serial;
mod xz;
mod zstd;

use std::io::ErrorKind as IoKind;
use std::ops::ControlFlow;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::guard::guarded;
use crate::options::Compression;
use crate::progress::Progress;
use crate::report::{Code, Issue, Stage};

pub(super) use serial::{checked_member, inflate_member, inflate_method};

/// A piece that says it inflates to more is not held in memory whole: it comes out as it is inflated.
const PIECE_BYTES: usize = 32 << 20;

/// Pieces smaller than this are inflated several at a time. Tests have little data.
const BATCH_BYTES: usize = if cfg!(test) { 128 << 10 } else { 4 << 20 };

/// Inflates one layer into `sink`, in order. What is wrong but leaves something whole goes to `issues`.
///
/// An issue of severity error says that what came out ends before its end. `progress` is told the
/// bytes used up.
pub(super) fn inflate(
    compression: Compression,
    bytes: &Bytes,
    threads: usize,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    issues: &mut Vec<Issue>,
    progress: &Progress,
) -> Result<()> {
    let out = Out { sink, progress, given: 0, issues };
    guarded(Stage::Decompress, compression.as_str(), || all(compression, bytes, threads, out))
}

/// All members, streams or frames.
fn all(compression: Compression, bytes: &Bytes, threads: usize, mut out: Out<'_>) -> Result<()> {
    let last = if compression == Compression::Xz { xz::Index::of_last(bytes) } else { None };
    let mut at = 0;
    while at < bytes.len() {
        let next = match compression {
            Compression::Gzip => gzip::inflate(bytes, at, threads, &mut out),
            Compression::Bz2 => bz2::inflate(bytes, at, threads, &mut out),
            Compression::Xz => xz::inflate(bytes, at, last.as_ref(), threads, &mut out),
            Compression::Zstd => zstd::inflate(bytes, at, threads, &mut out),
            Compression::Zip | Compression::Tar => return Err(no_stream(compression)),
        };
        let end = match next {
            Ok(end) => end,
            Err(Stop::Sink(error)) => return Err(error),
            Err(Stop::Damage(damage)) => return out.damaged(compression, &damage, bytes.len()),
        };
        out.done(end);
        if end <= at {
            break;
        }
        at = match tail(compression, bytes, end) {
            Tail::More(at) => at,
            Tail::Nothing => break,
            Tail::Garbage => {
                let rest = &bytes[end..];
                let message =
                    format!("{} bytes after the end of the {compression} data", rest.len());
                out.issues.push(
                    Issue::warning(Stage::Decompress, Code::TrailingData, message)
                        .byte_offset(end as u64)
                        .raw(rest),
                );
                break;
            }
        };
    }
    Ok(())
}

/// Where inflated bytes go.
struct Out<'a> {
    sink: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    progress: &'a Progress,
    given: u64,
    issues: &'a mut Vec<Issue>,
}

impl Out<'_> {
    fn give(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.given += bytes.len() as u64;
        (self.sink)(bytes).map_err(Stop::Sink)
    }

    /// Says how far the input is used up.
    fn done(&self, at: usize) {
        self.progress.done(at as u64);
    }

    /// An error, or an issue where something whole came out before.
    fn damaged(&mut self, compression: Compression, damage: &Damage, of: usize) -> Result<()> {
        let issue = damage.issue(compression, of);
        if self.given == 0 || !damage.whole_before {
            return Err(issue.into());
        }
        let given = self.given;
        let message = if damage.anywhere {
            format!("{}; the {given} bytes that came out may be wrong anywhere", issue.message)
        } else {
            format!("{}; the {given} bytes before it came out", issue.message)
        };
        self.issues.push(Issue { message, ..issue });
        Ok(())
    }
}

/// Why inflating ended before its end.
#[derive(Debug)]
enum Stop {
    /// The taker of the bytes refused.
    Sink(Error),
    Damage(Damage),
}

/// What is wrong with the compressed bytes.
#[derive(Debug)]
struct Damage {
    /// Offset of the damage in the compressed bytes, as near as is known.
    at: usize,
    truncated: bool,
    text: String,
    /// Whether what came out so far is right, as far as anyone can tell.
    whole_before: bool,
    /// Whether the damage may be anywhere in that, and only a check at the end has told of it.
    anywhere: bool,
}

impl Damage {
    fn truncated(at: usize) -> Self {
        Damage { at, truncated: true, text: String::new(), whole_before: true, anywhere: false }
    }

    fn corrupt(at: usize, text: impl Into<String>) -> Self {
        Damage { at, truncated: false, text: text.into(), whole_before: true, anywhere: false }
    }

    fn issue(&self, compression: Compression, of: usize) -> Issue {
        let (code, message) = if self.truncated {
            (Code::Truncated, format!("the {compression} data ends too early, after {of} bytes"))
        } else {
            (Code::Corrupt, format!("the {compression} data is damaged: {}", self.text))
        };
        Issue::error(Stage::Decompress, code, message)
            .byte_offset(self.at as u64)
            .hint("fetch or upload the file again")
    }
}

impl From<Damage> for Stop {
    fn from(damage: Damage) -> Self {
        Stop::Damage(damage)
    }
}

/// What follows a member, stream or frame.
enum Tail {
    /// Another one, at this offset.
    More(usize),
    Nothing,
    Garbage,
}

fn tail(compression: Compression, bytes: &[u8], end: usize) -> Tail {
    // Tapes and block devices pad gzip with zeros; xz pads its streams with them by design.
    let rest = &bytes[end..];
    let padding = rest.iter().take_while(|byte| **byte == 0).count();
    let after = &rest[padding..];
    if after.is_empty() {
        return Tail::Nothing;
    }
    match super::container(after) {
        super::Container::Known(found) if found == compression => Tail::More(end + padding),
        _ => Tail::Garbage,
    }
}

pub(super) fn read_error(
    compression: Compression,
    error: &std::io::Error,
    at: usize,
    of: usize,
) -> Error {
    read_damage(error, at, of).issue(compression, of).into()
}

/// What a decoder's error says of the bytes.
fn read_damage(error: &std::io::Error, at: usize, of: usize) -> Damage {
    let text = error.to_string();
    let truncated = error.kind() == IoKind::UnexpectedEof
        || text.contains("incomplete frame")
        || (at >= of
            && (text.contains("premature eof") || text.contains("decompression not finished")));
    Damage { at, truncated, text, whole_before: truncated, anywhere: false }
}

fn no_stream(compression: Compression) -> Error {
    let message = format!("a {compression} is an archive, not a stream");
    Issue::error(Stage::Decompress, Code::UnsupportedCompression, message).into()
}

/// Whether to go on with the pieces that follow.
type Flow = Result<ControlFlow<()>, Stop>;
