//! tar: ustar, GNU and pax headers (POSIX.1-2001, "ustar Interchange Format" and "pax"; GNU tar's
//! manual, "Basic Tar Format"). Members are slices of the archive's bytes.

use std::ops::Range;

use bytes::Bytes;

use super::budget::Budget;
use super::members::{Entry, Member, What, choose, too_many};
use super::{Cut, Wanted};
use crate::context::Context;
use crate::error::Result;
use crate::report::{Code, Issue, Stage};

const BLOCK: usize = 512;

/// The longest name that is believed.
const NAME_BYTES: usize = 64 << 10;

/// Whether the bytes begin with a header of tar: a check sum that fits, or else its magic. No header
/// is without a NUL, and no text has one.
pub(super) fn is_tar(bytes: &[u8]) -> bool {
    let magic = bytes.get(257..263).is_some_and(|magic| magic == b"ustar\0" || magic == b"ustar ");
    let block = &bytes[..bytes.len().min(BLOCK)];
    let named = block.len() == BLOCK && block[0] != 0 && has_checksum(block);
    (magic || named) && block.contains(&0)
}

/// The members that count, in archive order.
pub(super) fn members(
    bytes: &Bytes,
    wanted: Wanted<'_>,
    // Its members are bytes that were counted when the layer around it came off.
    _: &mut Budget<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<Member>> {
    let mut entries = Vec::new();
    let mut walk = Walk { bytes, at: 0 };
    let (mut more, mut cut) = (0, Vec::new());
    let end = loop {
        match walk.next() {
            Ok(Some(entry)) => {
                if let Place::Cut(_, damage) = &entry.place {
                    cut.push((entry.name.clone(), damage.issue.clone()));
                }
                entries.push(entry);
                if entries.len() > context.limits.archive_entries {
                    return Err(too_many(entries.len(), context.limits.archive_entries));
                }
                if !cut.is_empty() && walk.at >= bytes.len() {
                    break None;
                }
            }
            Ok(None) if walk.next_archive() => more += 1,
            Ok(None) => break walk.ending(),
            Err(error) if entries.is_empty() => return Err(error),
            Err(error) => {
                let issue = error.issue().clone();
                let message = format!("{}; the members before it are read", issue.message);
                break Some(Issue { message, ..issue });
            }
        }
    };
    if more > 0 {
        let message =
            format!("{} tar archives, one after the other; the members of all are read", more + 1);
        context.reporter.push(Issue::warning(Stage::Decompress, Code::TrailingData, message));
    }
    if let Some(issue) = end {
        context.reporter.push(issue);
    }
    let chosen = choose(entries, "tar", wanted, context);
    // The damage of a member that is read goes with it; that of others is the archive's.
    let is_read = |name: &str| chosen.iter().flatten().any(|entry| entry.name == name);
    for (name, issue) in cut.into_iter().filter(|(name, _)| !is_read(name)) {
        context.reporter.push(issue.table(name));
    }
    let mut members = Vec::new();
    for Entry { name, place, .. } in chosen? {
        let bytes = match place {
            Place::Data(range) => Ok((bytes.slice(range), None)),
            Place::Cut(range, cut) => Ok((bytes.slice(range), Some(*cut))),
            Place::Sparse => {
                let message = "a sparse file in a tar, which is not read";
                Err(Issue::error(Stage::Decompress, Code::UnsupportedFeature, message)
                    .hint("pack it without --sparse")
                    .into())
            }
        };
        members.push(Member { name, bytes });
    }
    Ok(members)
}

enum Place {
    Data(Range<usize>),
    /// The archive ends within it.
    Cut(Range<usize>, Box<Cut>),
    Sparse,
}

/// The way from header to header.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// What headers before a member's own say of it.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Walk<'_> {
    /// The next entry; `None` at the end of the archive.
    fn next(&mut self) -> Result<Option<Entry<Place>>> {
        let mut said = Said::default();
        loop {
            let rest = &self.bytes[self.at.min(self.bytes.len())..];
            if rest.is_empty() {
                return Ok(None);
            }
            let Some(header) = rest.get(..BLOCK) else {
                // Less than a header, and zeros: padding.
                let is_padding = rest.iter().all(|byte| *byte == 0);
                return if is_padding { Ok(None) } else { Err(self.truncated().into()) };
            };
            if header.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            if !has_checksum(header) {
                let message = "the tar archive is damaged: the check sum of a header does not fit";
                return Err(self.issue(Code::Corrupt, message).into());
            }
            let kind = header[156];
            let size = match said.size.filter(|_| !matches!(kind, b'x' | b'g' | b'L' | b'K')) {
                Some(size) => Some(size),
                None => number(&header[124..136]),
            };
            let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
                let message = "the tar archive is damaged: the size of a member is no number";
                return Err(self.issue(Code::Corrupt, message).into());
            };
            let start = self.at + BLOCK;
            // Some writers give links and folders a size, but no bytes.
            let bare = matches!(kind, b'1'..=b'6') && self.is_header(start);
            let end = if bare { Some(start) } else { start.checked_add(size) };
            let Some(end) = end.filter(|end| *end <= self.bytes.len()) else {
                let end = self.next_header(start).unwrap_or(self.bytes.len());
                let cut = Place::Cut(start..end, Box::new(self.cut(start..end, size)));
                let name = said.name(header);
                let is_file =
                    matches!(kind, b'0' | 0 | b'7') && !said.sparse && !name.ends_with('/');
                if is_file && start < end {
                    self.at = end;
                    return Ok(Some(Entry { name, what: What::File, place: cut }));
                }
                return Err(self.truncated().into());
            };
            let data = &self.bytes[start..end];
            let before = self.at;
            // The last block may not be filled up.
            self.at = end.next_multiple_of(BLOCK);
            match kind {
                b'L' => {
                    let length = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
                    said.name = Some(data[..length.min(NAME_BYTES)].to_vec());
                }
                b'x' => said.pax(data),
                b'K' | b'g' => {}
                _ => {
                    let name = said.name(header);
                    let what = match kind {
                        b'0' | 0 | b'7' | b'S' if !name.ends_with('/') => What::File,
                        b'0' | 0 | b'5' | b'7' | b'D' => What::Folder,
                        b'1' | b'2' => What::Other("a link"),
                        b'3' | b'4' => What::Other("a device"),
                        b'6' => What::Other("a pipe"),
                        b'M' => What::Other("continued from another volume"),
                        _ => What::Other("no file"),
                    };
                    if kind == b'S' {
                        self.at = self.behind_sparse_maps(before, size);
                        said.sparse = true;
                    }
                    let place = if said.sparse { Place::Sparse } else { Place::Data(start..end) };
                    return Ok(Some(Entry { name, what, place }));
                }
            }
        }
    }

    /// An old GNU sparse file may have more blocks of its map behind its header.
    fn behind_sparse_maps(&self, header: usize, size: usize) -> usize {
        let mut start = header + BLOCK;
        let mut more = self.bytes.get(header + 482).is_some_and(|flag| *flag == 1);
        while more {
            more = self.bytes.get(start + 504).is_some_and(|flag| *flag == 1);
            start += BLOCK;
        }
        start.saturating_add(size).min(self.bytes.len()).next_multiple_of(BLOCK)
    }

    fn is_header(&self, at: usize) -> bool {
        let block = self.bytes.get(at..at + BLOCK);
        block.is_none_or(|block| has_checksum(block) || block.iter().all(|byte| *byte == 0))
    }

    /// Goes on to the archive behind the zeros that end this one; whether there is one.
    fn next_archive(&mut self) -> bool {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let zeros = rest.iter().take_while(|byte| **byte == 0).count() / BLOCK * BLOCK;
        let found = zeros > 0 && rest.get(zeros..zeros + BLOCK).is_some_and(has_checksum);
        if found {
            self.at += zeros;
        }
        found
    }

    /// What is odd about the end of an archive all of whose members are there.
    fn ending(&self) -> Option<Issue> {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        if rest.is_empty() {
            let message = "the tar archive ends without its mark: members may be missing";
            let issue = Issue::warning(Stage::Decompress, Code::Truncated, message);
            return Some(issue.byte_offset(self.bytes.len() as u64));
        }
        let padding = rest.iter().take_while(|byte| **byte == 0).count();
        let garbage = &rest[padding..];
        (!garbage.is_empty()).then(|| {
            let message = format!("{} bytes after the end of the tar archive", garbage.len());
            Issue::warning(Stage::Decompress, Code::TrailingData, message)
                .byte_offset((self.bytes.len() - garbage.len()) as u64)
                .raw(garbage)
        })
    }

    fn truncated(&self) -> Issue {
        let message = format!("the tar archive ends too early, after {} bytes", self.bytes.len());
        self.issue(Code::Truncated, &message)
    }

    /// The next header behind, told by its magic and its check sum.
    fn next_header(&self, at: usize) -> Option<usize> {
        let mut blocks = self.bytes.get(at..)?.chunks_exact(BLOCK);
        let is_header = |block: &[u8]| block[257..262] == *b"ustar" && has_checksum(block);
        blocks.position(is_header).map(|index| at + index * BLOCK)
    }

    fn cut(&self, there: Range<usize>, size: usize) -> Cut {
        let there = there.len();
        let message = format!(
            "the tar archive ends within this member, which has {size} bytes by its header; the \
             {there} bytes of it that are there came out"
        );
        Cut { issue: self.issue(Code::Truncated, &message), is_whole: false }
    }

    fn issue(&self, code: Code, message: &str) -> Issue {
        Issue::error(Stage::Decompress, code, message)
            .byte_offset(self.at as u64)
            .hint("fetch or upload the file again")
    }
}

impl Said {
    /// The name of the member that the header belongs to.
    fn name(&mut self, header: &[u8]) -> String {
        let name = self.name.take().unwrap_or_else(|| name_of(header));
        let name = String::from_utf8_lossy(&name).replace('\\', "/");
        match name.strip_prefix("./") {
            Some(bare) if !bare.is_empty() => bare.to_owned(),
            _ => name,
        }
    }

    /// Records of pax: `LENGTH KEY=VALUE\n`, the length that of all of it.
    fn pax(&mut self, mut records: &[u8]) {
        while let Some(space) = records.iter().take(20).position(|byte| *byte == b' ') {
            let length = std::str::from_utf8(&records[..space]).ok().and_then(|n| n.parse().ok());
            let Some((record, rest)) = length.and_then(|length| records.split_at_checked(length))
            else {
                return;
            };
            let record = record.get(space + 1..).unwrap_or_default();
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            if let Some(equals) = record.iter().position(|byte| *byte == b'=') {
                let (key, value) = (&record[..equals], &record[equals + 1..]);
                let value = &value[..value.len().min(NAME_BYTES)];
                match key {
                    b"path" => self.name = Some(value.to_vec()),
                    b"size" => {
                        let text = std::str::from_utf8(value).ok();
                        self.size = text.and_then(|text| text.parse().ok());
                    }
                    b"GNU.sparse.name" => {
                        self.name = Some(value.to_vec());
                        self.sparse = true;
                    }
                    _ => self.sparse |= key.starts_with(b"GNU.sparse."),
                }
            }
            records = rest;
        }
    }
}

/// The name in a header itself, with its prefix.
fn name_of(header: &[u8]) -> Vec<u8> {
    let text = |field: &[u8]| {
        let length = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        field[..length].to_vec()
    };
    let name = text(&header[..100]);
    // GNU's own headers have times where ustar has the prefix.
    let prefix = if header[257..263] == *b"ustar\0" { text(&header[345..500]) } else { Vec::new() };
    if prefix.is_empty() { name } else { [prefix, b"/".to_vec(), name].concat() }
}

/// Octal digits, or a number of base 256 where the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // A negative number is no size; more than 64 bits are none either.
        return (*first == 0x80
            && rest.iter().take(rest.len().saturating_sub(8)).all(|byte| *byte == 0))
        .then(|| rest.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
    }
    let text = std::str::from_utf8(field).ok()?;
    let digits = text.trim_matches([' ', '\0']);
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// Whether a header's check sum fits: that of its bytes, its own field taken as spaces.
fn has_checksum(header: &[u8]) -> bool {
    let Some(expected) = number(&header[148..156]).filter(|sum| *sum > 0) else { return false };
    let sum = |value: fn(u8) -> i64| {
        let field = 8 * i64::from(b' ');
        let others = header[..148].iter().chain(&header[156..BLOCK]);
        field + others.map(|byte| value(*byte)).sum::<i64>()
    };
    let expected = expected as i64;
    // Some old writers took bytes as signed.
    sum(|byte| byte.into()) == expected || sum(|byte| i64::from(byte as i8)) == expected
}
