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

use super::Cut;

pub use serial::check_sum;
pub(super) use serial::{End, checked_member, inflate_deflated, inflate_member, inflate_method};

/// A piece that says it inflates to more is not held in memory whole: it comes out as it is inflated.
const PIECE_BYTES: usize = 32 << 20;

/// Pieces smaller than this are inflated several at a time. Tests have little data.
const BATCH_BYTES: usize = if cfg!(test) { 128 << 10 } else { 4 << 20 };

/// Inflates one layer into `sink`, in order. What is odd goes to `issues`; damage that leaves
/// something whole is the answer.
///
/// `sink` takes the bytes out of a buffer, or leaves another in its place. Where nothing comes out for
/// a while it is given nothing, so that it can look at the clock.
/// `progress` is told the bytes used up.
pub(super) fn inflate(
    compression: Compression,
    bytes: &Bytes,
    threads: usize,
    sink: &mut dyn FnMut(&mut Vec<u8>) -> Result<()>,
    issues: &mut Vec<Issue>,
    progress: &Progress,
) -> Result<Option<Cut>> {
    let out = Out { sink, progress, given: 0, issues };
    guarded(Stage::Decompress, compression.as_str(), || all(compression, bytes, threads, out))
}

/// All members, streams or frames.
fn all(
    compression: Compression,
    bytes: &Bytes,
    threads: usize,
    mut out: Out<'_>,
) -> Result<Option<Cut>> {
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
        let end = match next.and_then(|end| out.done(end).map(|()| end)) {
            Ok(end) => end,
            Err(Stop::Sink(error)) => return Err(error),
            Err(Stop::Damage(damage)) => {
                return out.damaged(compression, &damage, bytes.len()).map(Some);
            }
        };
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
    Ok(None)
}

/// Where inflated bytes go.
struct Out<'a> {
    sink: &'a mut dyn FnMut(&mut Vec<u8>) -> Result<()>,
    progress: &'a Progress,
    given: u64,
    issues: &'a mut Vec<Issue>,
}

impl Out<'_> {
    /// Gives the bytes of a buffer, which has anything in it then.
    fn give(&mut self, bytes: &mut Vec<u8>) -> Result<(), Stop> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.given += bytes.len() as u64;
        (self.sink)(bytes).map_err(Stop::Sink)
    }

    /// Says how far the input is used up, also where nothing came of it.
    fn done(&mut self, at: usize) -> Result<(), Stop> {
        self.progress.done(at as u64);
        (self.sink)(&mut Vec::new()).map_err(Stop::Sink)
    }

    /// An error, or what is to be said where something whole came out before.
    fn damaged(&self, compression: Compression, damage: &Damage, of: usize) -> Result<Cut> {
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
        Ok(Cut { issue: Issue { message, ..issue }, is_whole: damage.all_there })
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
    code: Code,
    text: String,
    /// Whether what came out so far is right, as far as anyone can tell.
    whole_before: bool,
    /// Whether the damage may be anywhere in that, and only a check at the end has told of it.
    anywhere: bool,
    /// Whether all came out nevertheless, to the end of the input.
    all_there: bool,
}

impl Damage {
    fn truncated(at: usize) -> Self {
        Damage { code: Code::Truncated, ..Damage::corrupt(at, "") }
    }

    fn corrupt(at: usize, text: impl Into<String>) -> Self {
        let (code, text) = (Code::Corrupt, text.into());
        Damage { at, code, text, whole_before: true, anywhere: false, all_there: false }
    }

    fn issue(&self, compression: Compression, of: usize) -> Issue {
        let text = &self.text;
        let (message, hint) = match self.code {
            Code::Truncated => (
                format!("the {compression} data ends too early, after {of} bytes"),
                "fetch or upload the file again",
            ),
            Code::UnsupportedCompression => (
                format!("the {compression} data {text}"),
                "compress it again with the usual settings: no long window, no dictionary",
            ),
            _ => (
                format!("the {compression} data is damaged: {text}"),
                "fetch or upload the file again",
            ),
        };
        Issue::error(Stage::Decompress, self.code, message).byte_offset(self.at as u64).hint(hint)
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

/// What decoders say of sound bytes that they are not made for, and what it means.
const UNSUPPORTED: [(&str, &str); 3] = [
    ("too much memory", "needs a window of more than 128 MiB, which is not read"),
    ("memory limit", "needs a dictionary of more than 256 MiB, which is not read"),
    (
        "Dictionary mismatch",
        "was compressed with a dictionary of its own, which is not in the file",
    ),
];

/// What a decoder's error says of the bytes.
fn read_damage(error: &std::io::Error, at: usize, of: usize) -> Damage {
    let text = error.to_string();
    let truncated = error.kind() == IoKind::UnexpectedEof
        || text.contains("incomplete frame")
        || (at >= of
            && (text.contains("premature eof") || text.contains("decompression not finished")));
    let unsupported = UNSUPPORTED.iter().find(|(said, _)| text.contains(said));
    let damage = match unsupported {
        _ if truncated => Damage::truncated(at),
        Some((_, what)) => {
            Damage { code: Code::UnsupportedCompression, ..Damage::corrupt(at, *what) }
        }
        None => Damage::corrupt(at, text),
    };
    Damage { whole_before: truncated, ..damage }
}

fn no_stream(compression: Compression) -> Error {
    let message = format!("a {compression} is an archive, not a stream");
    Issue::error(Stage::Decompress, Code::UnsupportedCompression, message).into()
}

/// Whether to go on with the pieces that follow.
type Flow = Result<ControlFlow<()>, Stop>;
