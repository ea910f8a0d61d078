//! Unwrapping: gzip, bz2, xz, zstd, zip and tar, nested, every layer under one budget.
//!
//! Takes the bytes of a file, gives the [`Part`]s in it (one, or an archive's members), refuses what
//! contradicts the declaration, and what inflates beyond the limits. Of what is damaged it gives what
//! is whole.

mod archive;
mod blocks;
mod budget;
mod buffers;
mod codec;
mod headers;
mod members;
mod parts;
mod tar;

use std::panic::resume_unwind;

use bytes::Bytes;

use self::members::Member;
use crate::context::Context;
use crate::error::{ErrorKind, Result};
use crate::guard::guarded;
use crate::options::Compression;
use crate::report::{Code, Issue, Stage};
use crate::source::{Ahead, Growing, growing, release};

pub use archive::{WorkbookZip, workbook_zip};
pub use blocks::deflated_length;
pub use budget::Budget;
pub use buffers::{BufferCodec, BufferInflater};
pub use codec::check_sum;
pub use parts::{PartStream, Parts};

/// The pages of a larger mapped file are handed back each time that so many bytes came out of it.
const HELD: usize = 64 << 20;

/// Bytes of a text that usually come out of one byte, at the least.
const USUAL_RATIO: u64 = 3;

/// One file out of the wrappings.
#[derive(Debug)]
pub struct Part {
    /// The archive member it was, with its folders; `None` outside archives.
    pub member: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
    /// What was damaged behind these bytes, so that the last line may be half a line. It is in no
    /// report yet: it is the error where nothing can be made of the bytes.
    pub cut: Option<Box<Cut>>,
    /// What was made of the bytes while they were inflated.
    pub ahead: Option<Ahead>,
}

/// Damage behind the bytes of a part.
#[derive(Clone, Debug)]
pub struct Cut {
    /// What is damaged, as an error.
    pub issue: Issue,
    /// Whether all bytes are there nevertheless, and only a check behind them does not fit.
    pub is_whole: bool,
}

impl Part {
    fn new(member: Option<String>, bytes: Bytes) -> Self {
        Part { member, bytes, cut: None, ahead: None }
    }
}

/// Reads ahead in a part while it is inflated: is given the head and the growing text.
pub type ReadAhead<'a> = &'a dyn Fn(&Bytes, &Growing) -> Option<Ahead>;

/// Which members of an archive are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Extensions of the declared type, or of every known type.
    pub extensions: &'a [&'static str],
}

/// Every layer off, down to what is no compression we know.
pub fn unwrap(
    bytes: Bytes,
    declared: Option<Compression>,
    wanted: Wanted<'_>,
    read_ahead: ReadAhead<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<Part>> {
    let found = container(&bytes);
    // Nothing at all is no contradiction: it is reported as empty.
    if let Some(declared) = declared.filter(|_| !bytes.is_empty()) {
        check_declared(declared, found, &bytes).inspect_err(|_| {
            if let Container::Known(found) = found {
                context.reporter.file().compression.push(found.as_str().to_owned());
            }
        })?;
    }
    let mut budget = Budget::new(bytes.len() as u64, context.limits);
    let forced = declared == Some(Compression::Zip);
    let whole = Part::new(None, bytes);
    let mut layers = Layers { wanted, read_ahead, budget: &mut budget, context };
    let parts = layers.peel(whole, 0, forced)?;
    let inside = &context.reporter.file().compression;
    if declared == Some(Compression::Tar) && !inside.iter().any(|layer| layer == "tar") {
        let message = format!("declared tar, but inside of the {} is none", inside.join("+"));
        return Err(Issue::error(Stage::Decompress, Code::CompressionMismatch, message)
            .byte_offset(0)
            .hint("declare the compression alone, or none to have it found out")
            .into());
    }
    Ok(parts)
}

/// The container the bytes are in, judged by its magic numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Container {
    None,
    Known(Compression),
    /// Recognised only so that an error can name it.
    Foreign(&'static str),
}

fn container(bytes: &[u8]) -> Container {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    // "BZh" may begin a text; the block's own magic number follows in a real stream.
    let bz2 = starts(b"BZh")
        && bytes.get(3).is_some_and(|level| (b'1'..=b'9').contains(level))
        && bytes.get(4..10).is_none_or(|magic| {
            magic == [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
                || magic == [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]
        });
    let skippable =
        bytes.len() >= 4 && bytes[0] & 0xf0 == 0x50 && bytes[1..4] == [0x2a, 0x4d, 0x18];
    match () {
        () if starts(&[0x1f, 0x8b]) => Container::Known(Compression::Gzip),
        () if bz2 => Container::Known(Compression::Bz2),
        () if starts(&[0xfd, b'7', b'z', b'X', b'Z', 0]) => Container::Known(Compression::Xz),
        () if starts(&[0x28, 0xb5, 0x2f, 0xfd]) || skippable => Container::Known(Compression::Zstd),
        () if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") => Container::Known(Compression::Zip),
        () if starts(&[0x04, 0x22, 0x4d, 0x18]) => Container::Foreign("lz4"),
        () if starts(&[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c]) => Container::Foreign("7z"),
        () if starts(b"Rar!\x1a\x07") => Container::Foreign("rar"),
        () if starts(&[0x1f, 0x9d]) => Container::Foreign("Z (compress)"),
        () if tar::is_tar(bytes) => Container::Known(Compression::Tar),
        () => Container::None,
    }
}

fn check_declared(declared: Compression, found: Container, bytes: &Bytes) -> Result<()> {
    if found == Container::Known(declared) {
        return Ok(());
    }
    // A tar is in a compression more often than not; whether it is there is seen once that is off.
    if let Container::Known(outer) = found
        && declared == Compression::Tar
        && outer != Compression::Zip
    {
        return Ok(());
    }
    let found = match found {
        Container::Known(compression) => compression.as_str(),
        Container::Foreign(name) => name,
        Container::None if bytes.is_empty() => "empty",
        Container::None => "not compressed",
    };
    let message = format!("declared {declared}, but the bytes are {found}");
    let hint = match found {
        "not compressed" | "empty" => {
            "declare no compression, or upload the compressed file".into()
        }
        found => format!("declare {found}, or none to have it found out"),
    };
    Err(Issue::error(Stage::Decompress, Code::CompressionMismatch, message)
        .byte_offset(0)
        .hint(hint)
        .into())
}

struct Layers<'a, 'b, 'c> {
    wanted: Wanted<'a>,
    read_ahead: ReadAhead<'a>,
    budget: &'b mut Budget<'c>,
    context: &'b mut Context<'c>,
}

impl Layers<'_, '_, '_> {
    /// `zip_declared`: the outermost layer was said to be a zip, so that a workbook is refused.
    fn peel(&mut self, part: Part, depth: usize, zip_declared: bool) -> Result<Vec<Part>> {
        let compression = match container(&part.bytes) {
            Container::None => return Ok(vec![part]),
            Container::Known(compression) => compression,
            Container::Foreign(name) => {
                let message = format!("the bytes are {name}, which is not read");
                return Err(Issue::error(Stage::Decompress, Code::UnsupportedCompression, message)
                    .byte_offset(0)
                    .hint("unpack it, or repack it as gzip, bz2, xz, zstd, zip or tar")
                    .into());
            }
        };
        if compression == Compression::Zip
            && let Some(workbook) = workbook_zip(&part.bytes)
        {
            if zip_declared {
                let message = format!("declared zip, but the zip is itself an {workbook} workbook");
                return Err(Issue::error(Stage::Decompress, Code::CompressionMismatch, message)
                    .byte_offset(0)
                    .hint("declare no compression: a workbook is a zip of its own")
                    .into());
            }
            return Ok(vec![part]);
        }
        if depth == self.context.limits.nesting {
            let message = format!(
                "more than {} layers of compression, one inside the other",
                self.context.limits.nesting
            );
            return Err(Issue::error(Stage::Decompress, Code::NestedTooDeep, message)
                .hint("unpack the outer layers first; the limit is `nesting`")
                .into());
        }
        let found = &mut self.context.reporter.file().compression;
        if found.len() == depth {
            found.push(compression.as_str().to_owned());
        }
        let members = match compression {
            Compression::Zip => archive::members,
            Compression::Tar => tar::members,
            _ => {
                let inflated = self
                    .inflate(compression, part)
                    .map_err(|error| name_member(error.0, error.1.as_deref()))?;
                return self.peel(inflated, depth + 1, false);
            }
        };
        // Its members were damaged one by one; what is behind the archive's end is said at once.
        if let Some(cut) = part.cut {
            self.context.reporter.push(cut.issue);
        }
        let members = || members(&part.bytes, self.wanted, self.budget, self.context);
        let members = guarded(Stage::Decompress, compression.as_str(), members)
            .map_err(|error| name_member(error, part.member.as_deref()))?;
        self.each_member(members, depth + 1)
    }

    /// One stream compression off, on a thread of its own, so that what is inside can be read meanwhile.
    fn inflate(
        &mut self,
        compression: Compression,
        part: Part,
    ) -> Result<Part, (crate::Error, Option<String>)> {
        let Part { member, bytes, cut, .. } = part;
        let context = &mut *self.context;
        let progress = context.progress();
        progress.start("decompress", bytes.len() as u64);
        let parallelism = context.options.parallelism;
        let threads = parallelism.threads();
        let likely = (bytes.len() as u64).saturating_mul(USUAL_RATIO);
        let (mut grower, growing) = growing(self.budget.room(), likely, threads > 1);
        let budget = &mut *self.budget;
        let mut issues = Vec::new();
        let inflating = || -> Result<_> {
            let mut given = 0;
            let mut sink = |piece: &mut Vec<u8>| {
                budget.spend(piece.len() as u64)?;
                given += piece.len();
                // Of a mapped file those pages come back that are still wanted.
                if given > HELD && bytes.len() > HELD {
                    given = 0;
                    release(&bytes);
                }
                grower.write(piece)
            };
            let damage =
                codec::inflate(compression, &bytes, threads, &mut sink, &mut issues, progress)?;
            Ok((budget.hold(grower.finish()?), damage))
        };
        let (inflated, ahead) = if threads == 1 {
            (inflating(), None)
        } else {
            std::thread::scope(|scope| {
                let inflating = scope.spawn(inflating);
                let head = growing.wait(parallelism.head_bytes());
                // What is read ahead is held until all parts are whole: one, not those of all members.
                let ahead = match container(&head.text) {
                    Container::None if member.is_none() => (self.read_ahead)(&head.text, &growing),
                    _ => None,
                };
                (inflating.join().unwrap_or_else(|panic| resume_unwind(panic)), ahead)
            })
        };
        let of_member = |issue: Issue| match &member {
            Some(member) => issue.table(member),
            None => issue,
        };
        for issue in issues {
            context.reporter.push(of_member(issue));
        }
        match inflated {
            Ok((bytes, None)) => Ok(Part { member, bytes, cut, ahead }),
            Ok((bytes, Some(Cut { issue, is_whole }))) => {
                // The damage of an outer layer is the cause of that inside.
                let mut first =
                    cut.unwrap_or_else(|| Box::new(Cut { issue: of_member(issue), is_whole }));
                first.is_whole &= is_whole;
                Ok(Part { member, bytes, cut: Some(first), ahead })
            }
            Err(error) => Err(match cut {
                // What an outer layer lost is why.
                Some(cut) if error.kind() == ErrorKind::Corrupt => (cut.issue.into(), None),
                _ => (error, member),
            }),
        }
    }

    /// What is in the members of an archive. One that is damaged, locked or of no kind we read is an
    /// issue, as long as another is left.
    fn each_member(&mut self, members: Vec<Member>, depth: usize) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        let mut empty = Vec::new();
        let mut failed = Vec::new();
        for Member { name, bytes } in members {
            let part = |bytes| Part::new(Some(name.clone()), bytes);
            let found = match bytes {
                Ok((bytes, None)) if bytes.is_empty() => {
                    empty.push(part(bytes));
                    continue;
                }
                Ok((bytes, Some(cut))) if bytes.is_empty() => Err(cut.issue.into()),
                Ok((bytes, cut)) => {
                    let cut = cut.map(|cut| Cut { issue: cut.issue.table(&name), ..cut });
                    let cut = cut.map(Box::new);
                    self.peel(Part { cut, ..part(bytes) }, depth, false)
                }
                Err(error) => Err(error),
            };
            match found.map_err(|error| name_member(error, Some(&name))) {
                Ok(found) => parts.extend(found),
                Err(error) if matches!(error.kind(), ErrorKind::LimitExceeded | ErrorKind::Io) => {
                    return Err(error);
                }
                Err(error) => failed.push(error),
            }
        }
        if parts.is_empty() && failed.is_empty() {
            // That there is nothing is then for the format to say.
            empty.truncate(1);
            return Ok(empty);
        }
        let mut failed = failed.into_iter();
        // Where nothing is left the first of them is the error of all.
        let first = if parts.is_empty() { failed.next() } else { None };
        for error in failed {
            self.context.reporter.push(error.issue().clone());
        }
        for Part { member, .. } in empty {
            let name = member.unwrap_or_default();
            let message = format!("the archive member {name:?} is empty; it was left out");
            let issue = Issue::warning(Stage::Decompress, Code::SkippedMember, message);
            self.context.reporter.push(issue.table(name));
        }
        first.map_or(Ok(parts), Err)
    }
}

fn name_member(error: crate::Error, member: Option<&str>) -> crate::Error {
    error.map_issue(|issue| match (&issue.table, member) {
        (None, Some(member)) => issue.table(member),
        _ => issue,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_begins_like_bz2_is_text() {
        assert_eq!(container(b"BZh1 is a car\n"), Container::None);
        assert_eq!(container(b"BZh91AY&SY...."), Container::Known(Compression::Bz2));
    }
}
