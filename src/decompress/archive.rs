//! Zip archives: workbooks among them, and what is inside of the others.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::io::{Cursor, Read};

use bytes::Bytes;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::budget::Budget;
use super::members::{Entry, Inflated, Member, What, choose, too_many};
use super::{Wanted, codec, headers};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// A zip that is itself a workbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkbookZip {
    /// `xl/workbook.xml`.
    Xlsx,
    /// `xl/workbook.bin`.
    Xlsb,
    /// `content.xml` beside a `mimetype`.
    Ods,
}

impl fmt::Display for WorkbookZip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WorkbookZip::Xlsx => "xlsx",
            WorkbookZip::Xlsb => "xlsb",
            WorkbookZip::Ods => "ods",
        })
    }
}

/// Which workbook a zip is, if it is one, judged by its members.
pub fn workbook_zip(bytes: &[u8]) -> Option<WorkbookZip> {
    if !bytes.starts_with(b"PK") {
        return None;
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let has = |archive: &ZipArchive<_>, wanted: &str| {
        let mut names = archive.file_names().flatten();
        names.any(|name| name.replace('\\', "/").eq_ignore_ascii_case(wanted))
    };
    if has(&archive, "xl/workbook.bin") {
        return Some(WorkbookZip::Xlsb);
    }
    if has(&archive, "xl/workbook.xml") {
        return Some(WorkbookZip::Xlsx);
    }
    if has(&archive, "[Content_Types].xml") {
        // The workbook's part may have any name; the types of the parts are listed here.
        let name = archive
            .file_names()
            .flatten()
            .find(|name| name.eq_ignore_ascii_case("[Content_Types].xml"));
        let name = name?.into_owned();
        let mut types = Vec::new();
        let _ = archive.by_name(&name).ok()?.take(1 << 20).read_to_end(&mut types);
        let names = |what: &str| memchr::memmem::find(&types, what.as_bytes()).is_some();
        if names("ms-excel.sheet.binary.") {
            return Some(WorkbookZip::Xlsb);
        }
        let in_xl = archive.file_names().flatten().any(|name| name.starts_with("xl/"));
        let is_sheet = names("spreadsheetml.sheet.main+xml")
            || names("spreadsheetml.template.main+xml")
            || names("ms-excel.sheet.macroEnabled.main+xml")
            || names("ms-excel.template.macroEnabled.main+xml");
        return (is_sheet || in_xl).then_some(WorkbookZip::Xlsx);
    }
    let mut mimetype = String::new();
    archive.by_name("mimetype").ok()?.take(100).read_to_string(&mut mimetype).ok()?;
    mimetype
        .starts_with("application/vnd.oasis.opendocument.spreadsheet")
        .then_some(WorkbookZip::Ods)
}

/// The members that count, inflated, in archive order.
pub(super) fn members(
    bytes: &Bytes,
    wanted: Wanted<'_>,
    budget: &mut Budget<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<Member>> {
    let mut archive = match ZipArchive::new(Cursor::new(bytes.clone())) {
        Ok(archive) => archive,
        Err(error) => return headers::by_headers(bytes, &error, wanted, budget, context),
    };
    let count = archive.len();
    if count > context.limits.archive_entries {
        return Err(too_many(count, context.limits.archive_entries));
    }
    let mut entries = Vec::new();
    for place in 0..count {
        let file = archive.by_index_data(place).map_err(|e| zip_error(e, None))?;
        let name = entry_name(file.name(), file.name_raw());
        let is_folder = file.is_dir() || name.ends_with('/');
        let what = if is_folder { What::Folder } else { What::File };
        entries.push(Entry { name, what, place });
    }
    let doubled = match archive.has_duplicate_names() {
        true => doubled_names(bytes, archive.central_directory_start()),
        false => HashSet::new(),
    };
    let mut members = Vec::new();
    for Entry { name, place, .. } in choose(entries, "zip", wanted, context)? {
        let raw = archive.by_index_data(place).map_err(|e| zip_error(e, None))?;
        if doubled.contains(raw.name_raw()) {
            let message =
                "several members of the zip archive have this name: only the last is read";
            let issue = Issue::error(Stage::Decompress, Code::SkippedMember, message).table(&name);
            context.reporter.push(issue.hint("unpack it and give the files names of their own"));
        }
        let inflated = member(&mut archive, bytes, place, &name, budget);
        members.push(Member { name, bytes: inflated });
    }
    Ok(members)
}

pub(super) fn inflated_member(
    file: impl Read,
    compressed: u64,
    inflated: u64,
    budget: &mut Budget<'_>,
) -> Inflated {
    let mut spool = budget.spool();
    let cut = codec::inflate_member(file, compressed, inflated, &mut spool, budget)?;
    Ok((budget.keep(spool)?, cut))
}

/// The names that stand more than once in the directory (APPNOTE.TXT, section 4.3.12).
fn doubled_names(bytes: &[u8], start: u64) -> HashSet<&[u8]> {
    let (mut names, mut doubled) = (HashSet::new(), HashSet::new());
    let mut rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..));
    while let Some(header) = rest.filter(|rest| rest.starts_with(b"PK\x01\x02")) {
        let number = |at: usize| {
            let field = header.get(at..at + 2);
            field.map_or(0, |field| usize::from(u16::from_le_bytes([field[0], field[1]])))
        };
        let behind_name = 46 + number(28);
        let Some(name) = header.get(46..behind_name) else { break };
        if !names.insert(name) {
            doubled.insert(name);
        }
        rest = header.get(behind_name + number(30) + number(32)..);
    }
    doubled
}

fn member(
    archive: &mut ZipArchive<Cursor<Bytes>>,
    bytes: &Bytes,
    index: usize,
    name: &str,
    budget: &mut Budget<'_>,
) -> Inflated {
    let raw = archive.by_index_raw(index).map_err(|error| zip_error(error, Some(name)))?;
    if raw.encrypted() {
        return Err(encrypted(name));
    }
    let (method, compressed, inflated, crc) =
        (raw.compression(), raw.compressed_size(), raw.size(), raw.crc32());
    let start = raw.data_start().and_then(|start| usize::try_from(start).ok());
    drop(raw);
    let data = start
        .zip(usize::try_from(compressed).ok())
        .and_then(|(start, length)| Some(start..start.checked_add(length)?))
        .filter(|range| range.end <= bytes.len());
    match (method, data) {
        (CompressionMethod::Stored, Some(data)) if compressed == inflated => {
            budget.spend(compressed)?;
            return Ok(codec::checked_member(bytes.slice(data), crc, inflated));
        }
        #[allow(deprecated)] // how the crate names a method that it has not
        (CompressionMethod::Unsupported(method), Some(data)) => {
            let mut spool = budget.spool();
            let data = &bytes[data];
            return match codec::inflate_method(method, data, inflated, &mut spool, budget) {
                Some(outcome) => outcome
                    .and_then(|()| Ok(codec::checked_member(budget.keep(spool)?, crc, inflated))),
                None => {
                    let error = ZipError::CompressionMethodNotSupported(method);
                    Err(zip_error(error, Some(name)))
                }
            };
        }
        _ => {}
    }
    let file = archive.by_index(index).map_err(|error| zip_error(error, Some(name)))?;
    inflated_member(file, compressed, inflated, budget)
}

pub(super) fn entry_name(name: zip::result::ZipResult<Cow<'_, str>>, raw: &[u8]) -> String {
    match name {
        Ok(name) => name.replace('\\', "/"),
        Err(_) => String::from_utf8_lossy(raw).replace('\\', "/"),
    }
}

fn encrypted(name: &str) -> Error {
    let message = format!("the archive member {name:?} is encrypted");
    Issue::error(Stage::Decompress, Code::Encrypted, message)
        .table(name)
        .hint("remove the password and try again")
        .into()
}

pub(super) fn zip_error(error: ZipError, member: Option<&str>) -> Error {
    zip_error_of(&error, member).into()
}

/// The methods of zip (APPNOTE.TXT, section 4.4.5) that nothing here inflates.
fn method_name(method: u16) -> &'static str {
    match method {
        1 => "shrink",
        2..=5 => "reduce",
        6 => "implode",
        10 => "DCL implode",
        16 | 18 | 19 => "an IBM method",
        94 => "MP3",
        96 => "JPEG",
        97 => "WavPack",
        98 => "PPMd",
        _ => "an unknown method",
    }
}

pub(super) fn zip_error_of(error: &ZipError, member: Option<&str>) -> Issue {
    let (code, message) = match error {
        ZipError::UnsupportedArchive(what) if what.to_lowercase().contains("password") => {
            (Code::Encrypted, "the archive is encrypted".to_owned())
        }
        ZipError::UnsupportedArchive(what) => (
            Code::UnsupportedCompression,
            format!("the zip archive needs {what}, which is not read"),
        ),
        ZipError::CompressionMethodNotSupported(method) => (
            Code::UnsupportedCompression,
            format!("the member is compressed by {} ({method}), not read", method_name(*method)),
        ),
        ZipError::Io(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            (Code::Truncated, "the zip archive ends too early".to_owned())
        }
        ZipError::InvalidArchive(what)
            if what.contains("central directory") || what.contains("EOCD") =>
        {
            (Code::Truncated, format!("the zip archive has no directory at its end: {what}"))
        }
        other => (Code::Corrupt, format!("the zip archive is damaged: {other}")),
    };
    let mut issue = Issue::error(Stage::Decompress, code, message);
    if let Some(member) = member {
        issue = issue.table(member);
    }
    issue
}

/// Checks what a workbook's parts say they inflate to, before a reader inflates them.
///
/// A part may say less than it holds; the reader below then stops at its checksum.
pub(super) fn check_workbook(bytes: &Bytes, limits: &crate::Limits) -> Result<()> {
    let archive = ZipArchive::new(Cursor::new(bytes.clone())).map_err(|e| zip_error(e, None))?;
    let mut budget = Budget::new(bytes.len() as u64, limits);
    let declared = archive.decompressed_size().unwrap_or(0);
    budget.spend(declared.try_into().unwrap_or(u64::MAX))
}
