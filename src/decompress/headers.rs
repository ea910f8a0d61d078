//! Zip archives that have lost their directory: members found by their own headers.

use bytes::Bytes;
use zip::result::ZipError;

use super::archive::{entry_name, zip_error_of};
use super::budget::Budget;
use super::members::{Entry, Member, What, choose, too_many};
use super::{Wanted, codec};
use crate::context::Context;
use crate::error::{ErrorKind, Result};
use crate::report::{Code, Issue, Stage};

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";

/// Flags of a member, and the usual method.
const ENCRYPTED: usize = 1;
const DESCRIPTOR: usize = 1 << 3;
const DEFLATE: usize = 8;

/// The members of an archive that has lost its directory, as far as their own headers tell.
pub(super) fn by_headers(
    bytes: &Bytes,
    error: &ZipError,
    wanted: Wanted<'_>,
    budget: &mut Budget<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<Member>> {
    let lost = || zip_error_of(error, None);
    if hides_directory(bytes) {
        let message = "the archive is encrypted, its list of members too";
        return Err(Issue::error(Stage::Decompress, Code::Encrypted, message)
            .hint("remove the password and try again")
            .into());
    }
    let mut rest: &[u8] = bytes;
    let mut entries = Vec::new();
    let mut end = 0;
    while let Some(entry) = next_by_header(&mut rest, budget) {
        if entries.len() == context.limits.archive_entries {
            return Err(too_many(entries.len() + 1, context.limits.archive_entries));
        }
        if let Err(error) = &entry.place
            && error.kind() != ErrorKind::Corrupt
        {
            return entry.place.map(|_| Vec::new());
        }
        end = bytes.len() - rest.len();
        entries.push(entry);
    }
    // Half a workbook is none; its parts are no tables.
    let is_workbook = entries
        .iter()
        .any(|entry| matches!(&*entry.name, "[Content_Types].xml" | "mimetype" | "content.xml"));
    if is_workbook || entries.iter().all(|entry| entry.place.is_err()) {
        return Err(lost().into());
    }
    let issue = lost();
    let mut message = format!("{}; its members were found by their own headers", issue.message);
    if rest.starts_with(LOCAL_HEADER) {
        let more = format!("; the {} bytes behind the last of them are not read", rest.len());
        message.push_str(&more);
    }
    context.reporter.push(Issue { message, ..issue }.byte_offset(end as u64));
    let chosen = choose(entries, "zip", wanted, context)?;
    let member = |entry: Entry<_>| Member { name: entry.name, bytes: entry.place };
    Ok(chosen.into_iter().map(member).collect())
}

fn next_by_header(rest: &mut &[u8], budget: &mut Budget<'_>) -> Option<Entry<Result<Bytes>>> {
    if let Some(entry) = next_by_descriptor(rest, budget) {
        return Some(entry);
    }
    let mut behind = *rest;
    let file = zip::read::read_zipfile_from_stream(&mut behind).ok()??;
    let name = entry_name(file.name(), file.name_raw());
    let is_folder = file.is_dir() || name.ends_with('/');
    let what = if is_folder { What::Folder } else { What::File };
    let size = file.compressed_size();
    let mut spool = budget.spool();
    let place =
        codec::inflate_member(file, size, &mut spool, budget).and_then(|()| budget.keep(spool));
    *rest = behind;
    Some(Entry { name, what, place })
}

/// The next member, if it was written to a stream: deflated, and its sizes in a descriptor behind it
/// (APPNOTE.TXT, sections 4.3.7 and 4.3.9). One whose descriptor does not fit is none.
fn next_by_descriptor(rest: &mut &[u8], budget: &mut Budget<'_>) -> Option<Entry<Result<Bytes>>> {
    let header = rest.get(..30).filter(|header| header.starts_with(LOCAL_HEADER))?;
    let number = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let (flags, method) = (number(6), number(8));
    if flags & DESCRIPTOR == 0 || flags & ENCRYPTED != 0 || method != DEFLATE {
        return None;
    }
    let name = rest.get(30..30 + number(26))?;
    let data = rest.get(30 + name.len() + number(28)..)?;
    let name = String::from_utf8_lossy(name).replace('\\', "/");
    let mut spool = budget.spool();
    let (used, place) = match codec::inflate_deflated(data, &mut spool, budget) {
        Ok(used) => (used, budget.keep(spool)),
        // Too much, or no room: what is damaged is told by the descriptor that is not there.
        Err(error) if error.kind() != ErrorKind::Corrupt => (0, Err(error)),
        Err(_) => return None,
    };
    if let Ok(bytes) = &place {
        let length = descriptor(&data[used..], used as u64, bytes)?;
        *rest = &data[used + length..];
    }
    let what = if name.ends_with('/') { What::Folder } else { What::File };
    Some(Entry { name, what, place })
}

/// The length of the descriptor at the beginning of `bytes`, if it is that of a member.
fn descriptor(bytes: &[u8], deflated: u64, inflated: &[u8]) -> Option<usize> {
    let (mark, sums) = match bytes.strip_prefix(b"PK\x07\x08") {
        Some(sums) => (4, sums),
        None => (0, bytes),
    };
    let (sum, sizes) = sums.split_first_chunk::<4>()?;
    let inflated_size = inflated.len() as u64;
    let short = [(deflated as u32).to_le_bytes(), (inflated_size as u32).to_le_bytes()].concat();
    let long = [deflated.to_le_bytes(), inflated_size.to_le_bytes()].concat();
    let length = [short, long].iter().find(|size| sizes.starts_with(size)).map(Vec::len)?;
    (*sum == codec::check_sum(inflated).to_le_bytes()).then_some(mark + 4 + length)
}

/// Whether the first member says that the directory is encrypted, or hides what would stand in it.
fn hides_directory(bytes: &[u8]) -> bool {
    let flags = bytes.get(6..8).map_or(0, |flags| u16::from_le_bytes([flags[0], flags[1]]));
    bytes.starts_with(b"PK\x03\x04") && flags & 1 != 0 && flags & (1 << 6 | 1 << 13) != 0
}
