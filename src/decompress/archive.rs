//! Zip archives: which members count, and what is inside them.

use std::fmt;
use std::io::{Cursor, Read};

use bytes::Bytes;
use zip::ZipArchive;
use zip::result::ZipError;

use super::budget::Budget;
use super::{Part, Wanted, codec};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::naming::without_compression;
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
) -> Result<Vec<Part>> {
    let mut archive =
        ZipArchive::new(Cursor::new(bytes.clone())).map_err(|e| zip_error(e, None))?;
    let entries = archive.len();
    if entries > context.limits.archive_entries {
        let message = format!(
            "the archive has {entries} members, allowed are {}",
            context.limits.archive_entries
        );
        return Err(Issue::limit(Code::TooManyTables, message, "archive_entries").into());
    }
    let mut candidates = Vec::new();
    for index in 0..entries {
        let file = archive.by_index_raw(index).map_err(|e| zip_error(e, None))?;
        let name = match file.name() {
            Ok(name) => name.replace('\\', "/"),
            Err(_) => String::from_utf8_lossy(file.name_raw()).replace('\\', "/"),
        };
        if file.is_dir() || name.ends_with('/') || is_litter(&name) {
            continue;
        }
        candidates.push((index, name, file.encrypted()));
    }
    if candidates.is_empty() {
        let message = if entries == 0 {
            "the zip archive is empty".to_owned()
        } else {
            format!("none of the {entries} members of the zip archive is a file with data")
        };
        return Err(Issue::error(Stage::Decompress, Code::NoMembers, message).into());
    }
    if candidates.iter().any(|(_, name, _)| has_extension(name, wanted.extensions)) {
        candidates.retain(|(_, name, _)| {
            let keep = has_extension(name, wanted.extensions);
            if !keep {
                let message = format!("the archive member {name:?} was left out");
                context.reporter.push(
                    Issue::warning(Stage::Decompress, Code::SkippedMember, message)
                        .table(name)
                        .hint(format!(
                            "members that end in {} are read",
                            wanted.extensions.join(", ")
                        )),
                );
            }
            keep
        });
    }
    let mut parts = Vec::new();
    for (index, name, encrypted) in candidates {
        if encrypted {
            let message = format!("the archive member {name:?} is encrypted");
            return Err(Issue::error(Stage::Decompress, Code::Encrypted, message)
                .table(name)
                .hint("remove the password and try again")
                .into());
        }
        let file = archive.by_index(index).map_err(|e| zip_error(e, Some(&name)))?;
        let compressed = file.compressed_size();
        let bytes = codec::inflate_member(file, compressed, budget, context)
            .map_err(|error| error.map_issue(|issue| issue.table(&name)))?;
        parts.push(Part { member: Some(name), bytes });
    }
    Ok(parts)
}

/// What macOS and file managers leave in archives.
fn is_litter(name: &str) -> bool {
    name.split('/')
        .any(|piece| piece == "__MACOSX" || piece.starts_with('.') && piece != "." && piece != "..")
}

/// Whether the name ends in one of the extensions, a compression's own ending taken off before.
fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let lower = name.to_lowercase();
    without_compression(&lower)
        .rsplit_once('.')
        .is_some_and(|(_, extension)| extensions.contains(&extension))
}

pub(super) fn zip_error(error: ZipError, member: Option<&str>) -> Error {
    let (code, message) = match &error {
        ZipError::UnsupportedArchive(what) if what.to_lowercase().contains("password") => {
            (Code::Encrypted, "the archive is encrypted".to_owned())
        }
        ZipError::UnsupportedArchive(what) => (
            Code::UnsupportedCompression,
            format!("the zip archive needs {what}, which is not read"),
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
    issue.into()
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
