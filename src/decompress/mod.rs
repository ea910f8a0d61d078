//! Unwrapping: gzip, bz2, xz, zstd and zip, nested, every layer under one budget.
//!
//! Takes the bytes of a file, gives the [`Part`]s in it (one, or an archive's members), refuses what
//! contradicts the declaration, what is damaged, and what inflates beyond the limits.

mod archive;
mod budget;
mod codec;
mod parts;

use bytes::Bytes;

use crate::context::Context;
use crate::error::Result;
use crate::options::Compression;
use crate::report::{Code, Issue, Stage};

pub use archive::{WorkbookZip, workbook_zip};
pub use budget::Budget;
pub use parts::{PartStream, Parts};

/// One file out of the wrappings.
#[derive(Clone, Debug)]
pub struct Part {
    /// The archive member it was, with its folders; `None` outside archives.
    pub member: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}

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
    let whole = Part { member: None, bytes };
    let mut layers = Layers { wanted, budget: &mut budget, context };
    layers.peel(whole, 0, forced)
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
        () if bytes.get(257..262) == Some(b"ustar") => Container::Foreign("tar"),
        () => Container::None,
    }
}

fn check_declared(declared: Compression, found: Container, bytes: &Bytes) -> Result<()> {
    if found == Container::Known(declared) {
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
                    .hint("unpack it, or repack it as gzip, bz2, xz, zstd or zip")
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
        if compression != Compression::Zip {
            let bytes = codec::inflate(compression, &part.bytes, self.budget, self.context)
                .map_err(|error| name_member(error, part.member.as_deref()))?;
            return self.peel(Part { member: part.member, bytes }, depth + 1, false);
        }
        let members = archive::members(&part.bytes, self.wanted, self.budget, self.context)
            .map_err(|error| name_member(error, part.member.as_deref()))?;
        let mut parts = Vec::new();
        for member in members {
            parts.extend(self.peel(member, depth + 1, false)?);
        }
        Ok(parts)
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
