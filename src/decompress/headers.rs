//! Zip archives that have lost their directory: members found by their own headers.

use bytes::Bytes;
use zip::result::ZipError;

use super::archive::{entry_name, inflated_member, zip_error_of};
use super::budget::Budget;
use super::codec::{self, End};
use super::members::{Entry, Inflated, Member, What, choose, too_many};
use super::{Cut, Wanted};
use crate::context::Context;
use crate::error::{ErrorKind, Result};
use crate::report::{Code, Issue, Stage};

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";

/// Flags of a member, and the usual methods.
const ENCRYPTED: usize = 1;
const DESCRIPTOR: usize = 1 << 3;
const STORED: usize = 0;
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
    let is_of_workbook = |name: &str| {
        matches!(name, "[Content_Types].xml" | "mimetype" | "content.xml")
            || ["xl/", "_rels/", "docProps/", "META-INF/"]
                .iter()
                .any(|folder| name.starts_with(folder))
    };
    let is_workbook = entries.iter().any(|entry| is_of_workbook(&entry.name));
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

fn next_by_header(rest: &mut &[u8], budget: &mut Budget<'_>) -> Option<Entry<Inflated>> {
    let header = Header::of(rest);
    if let Some(entry) = header.and_then(|header| header.cut(rest, budget)) {
        return Some(entry);
    }
    if let Some(entry) = header.and_then(|header| header.streamed(rest, budget)) {
        return Some(entry);
    }
    let mut behind = *rest;
    let file = zip::read::read_zipfile_from_stream(&mut behind).ok()??;
    let name = entry_name(file.name(), file.name_raw());
    let is_folder = file.is_dir() || name.ends_with('/');
    let what = if is_folder { What::Folder } else { What::File };
    let (compressed, size) = (file.compressed_size(), file.size());
    let place = inflated_member(file, compressed, size, budget);
    *rest = behind;
    Some(Entry { name, what, place })
}

/// What a member's own header says (APPNOTE.TXT, section 4.3.7).
#[derive(Clone, Copy)]
struct Header<'a> {
    method: usize,
    /// What the sizes of the member say that it has; nothing where they stand behind it.
    compressed: Option<u64>,
    size: u64,
    sum: u32,
    name: &'a [u8],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// The header that the bytes begin with, but for that of a member that is encrypted.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..30).filter(|header| header.starts_with(LOCAL_HEADER))?;
        let number = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let (flags, method) = (number(6), number(8));
        let (name, rest) = bytes[30..].split_at_checked(number(26))?;
        let (extra, data) = rest.split_at_checked(number(28))?;
        let long = |at: usize| (number(at + 2) << 16 | number(at)) as u32;
        let (sum, size) = (long(14), long(22).into());
        let compressed = match long(18) {
            _ if flags & DESCRIPTOR != 0 => None,
            u32::MAX => Some(size_of_zip64(extra)?),
            size => Some(u64::from(size)),
        };
        (flags & ENCRYPTED == 0).then_some(Header { method, compressed, size, sum, name, data })
    }

    fn entry(self, place: Inflated) -> Entry<Inflated> {
        let name = String::from_utf8_lossy(self.name).replace('\\', "/");
        let what = if name.ends_with('/') { What::Folder } else { What::File };
        Entry { name, what, place }
    }

    /// The member, if the bytes end before it does: stored or deflated, as far as it is there.
    /// Where its size is wrong and other members follow it goes as far as they tell.
    fn cut(self, rest: &mut &'a [u8], budget: &mut Budget<'_>) -> Option<Entry<Inflated>> {
        self.compressed.filter(|size| *size > self.data.len() as u64)?;
        let mut spool = budget.spool();
        let (written, end) = match self.method {
            STORED => {
                let end = self.next_header().unwrap_or(self.data.len());
                let data = &self.data[..end];
                (budget.spend(end as u64).and_then(|()| spool.write(data)), end)
            }
            DEFLATE => match codec::inflate_deflated(self.data, &mut spool, budget) {
                Ok(End::Cut) => (Ok(()), self.data.len()),
                Ok(End::At(end)) => {
                    *rest = &self.data[end..];
                    let whole = budget.keep(spool);
                    let checked = |bytes| codec::checked_member(bytes, self.sum, self.size);
                    return Some(self.entry(whole.map(checked)));
                }
                Err(error) if error.kind() != ErrorKind::Corrupt => (Err(error), 0),
                Err(_) => return None,
            },
            _ => return None,
        };
        *rest = &self.data[end..];
        Some(self.ended(written.and_then(|()| budget.keep(spool))))
    }

    /// Where the next header begins.
    fn next_header(self) -> Option<usize> {
        let mut found = memchr::memmem::find_iter(self.data, LOCAL_HEADER);
        found.find(|at| {
            let header = self.data.get(*at..*at + 30);
            // A version that there is, and a name.
            header.is_some_and(|header| (10..=63).contains(&header[4]) && header[26..28] != [0, 0])
        })
    }

    /// The member, if it was written to a stream: deflated, and its sizes in a descriptor behind it
    /// (APPNOTE.TXT, sections 4.3.7 and 4.3.9). One whose descriptor does not fit is none.
    fn streamed(self, rest: &mut &'a [u8], budget: &mut Budget<'_>) -> Option<Entry<Inflated>> {
        if self.compressed.is_some() || self.method != DEFLATE {
            return None;
        }
        let mut spool = budget.spool();
        let used = match codec::inflate_deflated(self.data, &mut spool, budget) {
            Ok(End::At(used)) => used,
            Ok(End::Cut) => {
                *rest = &[];
                return Some(self.ended(budget.keep(spool)));
            }
            // Too much, or no room: what is damaged is told by the descriptor that is not there.
            Err(error) if error.kind() != ErrorKind::Corrupt => {
                return Some(self.entry(Err(error)));
            }
            Err(_) => return None,
        };
        let place = budget.keep(spool);
        if let Ok(bytes) = &place {
            let length = descriptor(&self.data[used..], used as u64, bytes)?;
            *rest = &self.data[used + length..];
        }
        Some(self.entry(place.map(|bytes| (bytes, None))))
    }

    /// The member as far as it is there.
    fn ended(self, place: Result<Bytes>) -> Entry<Inflated> {
        self.entry(place.map(|bytes| {
            let message = format!(
                "the zip archive ends within this member; the {} bytes of it that are there came out",
                bytes.len()
            );
            let issue = Issue::error(Stage::Decompress, Code::Truncated, message)
                .hint("fetch or upload the file again");
            (bytes, Some(Cut { issue, is_whole: false }))
        }))
    }
}

/// The second size in the field of zip64 (APPNOTE.TXT, section 4.5.3): a local header has both.
fn size_of_zip64(mut fields: &[u8]) -> Option<u64> {
    while let Some((head, rest)) = fields.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let (value, more) = rest.split_at_checked(length)?;
        if head[..2] == [1, 0] {
            return value.get(8..16)?.first_chunk().map(|size| u64::from_le_bytes(*size));
        }
        fields = more;
    }
    None
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
