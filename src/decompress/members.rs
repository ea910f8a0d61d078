//! Which entries of an archive are read, and what is said of the others.

use bytes::Bytes;

use super::{Cut, Wanted};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::naming::without_compression;
use crate::report::{Code, Issue, Stage};

/// A file out of an archive, or why it is none.
pub(super) struct Member {
    /// Its name in the archive, with its folders.
    pub name: String,
    pub bytes: Inflated,
}

/// The bytes of a member, and what is damaged behind or in them; or why there are none.
pub(super) type Inflated = Result<(Bytes, Option<Cut>)>;

/// What an archive's directory says of an entry.
pub(super) struct Entry<T> {
    pub name: String,
    pub what: What,
    /// Where to find it.
    pub place: T,
}

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    File,
    Folder,
    /// Nothing with bytes of its own: a link, a device.
    Other(&'static str),
}

/// The most names that are listed of what was left out.
const NAMES: usize = 5;

/// The entries that are read, in archive order. `kind` is the archive's.
pub(super) fn choose<T>(
    entries: Vec<Entry<T>>,
    kind: &str,
    wanted: Wanted<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<Entry<T>>> {
    let count = entries.len();
    let mut left_out = LeftOut::default();
    let mut chosen = Vec::new();
    let mut is_hidden = false;
    for entry in entries {
        match entry.what {
            What::Folder => left_out.folders += 1,
            What::Other(what) => left_out.names.push(format!("{} ({what})", entry.name)),
            What::File if is_litter(&entry.name) => {
                is_hidden |= is_hidden_by_choice(&entry.name);
                left_out.names.push(entry.name);
            }
            What::File => chosen.push(entry),
        }
    }
    if chosen.is_empty() {
        let message = if count == 0 {
            format!("the {kind} archive is empty")
        } else {
            let members = if count == 1 {
                "the one member"
            } else {
                &*format!("none of the {count} members")
            };
            let is = if count == 1 { "is no" } else { "is a" };
            let left_out = left_out.message().map(|left_out| format!(": {left_out}"));
            let left_out = left_out.unwrap_or_default();
            format!("{members} of the {kind} archive {is} file with data{left_out}")
        };
        let issue = Issue::error(Stage::Decompress, Code::NoMembers, message);
        return Err(if is_hidden {
            issue.hint("names that begin with a dot are left out; rename what holds data")
        } else {
            issue
        }
        .into());
    }
    if let Some(message) = left_out.message() {
        let issue = Issue::warning(Stage::Decompress, Code::SkippedMember, message);
        context.reporter.push(issue.hint("they hold no tables"));
    }
    if chosen.iter().any(|entry| has_extension(&entry.name, wanted.extensions)) {
        chosen.retain(|entry| {
            let keep = has_extension(&entry.name, wanted.extensions);
            if !keep {
                let message = format!("the archive member {:?} was left out", entry.name);
                context.reporter.push(
                    Issue::warning(Stage::Decompress, Code::SkippedMember, message)
                        .table(&entry.name)
                        .hint(format!(
                            "members that end in {} are read",
                            wanted.extensions.join(", ")
                        )),
                );
            }
            keep
        });
    }
    Ok(chosen)
}

#[derive(Default)]
struct LeftOut {
    folders: usize,
    names: Vec<String>,
}

impl LeftOut {
    /// Folders alone are not worth a word: their files are named with them.
    fn message(&self) -> Option<String> {
        let count = self.folders + self.names.len();
        let mut pieces = Vec::new();
        match self.folders {
            0 => {}
            1 => pieces.push("a folder".to_owned()),
            folders => pieces.push(format!("{folders} folders")),
        }
        pieces.extend(self.names.iter().take(NAMES).cloned());
        if let Some(more) = self.names.len().checked_sub(NAMES).filter(|more| *more > 0) {
            pieces.push(format!("{more} more"));
        }
        let entries = if count == 1 { "1 entry" } else { &*format!("{count} entries") };
        (!self.names.is_empty()).then(|| format!("{entries} left out: {}", pieces.join(", ")))
    }
}

/// Whether a dot before a name hides it, and no file manager wrote it.
fn is_hidden_by_choice(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.starts_with('.') && !file.starts_with("._") && file != ".DS_Store"
}

/// What file managers leave in archives.
fn is_litter(name: &str) -> bool {
    name.split('/')
        .any(|piece| piece == "__MACOSX" || piece.starts_with('.') && piece != "." && piece != "..")
        || name.rsplit('/').next().is_some_and(|file| {
            file.eq_ignore_ascii_case("thumbs.db") || file.eq_ignore_ascii_case("desktop.ini")
        })
}

/// Whether the name ends in one of the extensions, a compression's own ending taken off before.
fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let lower = name.to_lowercase();
    without_compression(&lower)
        .rsplit_once('.')
        .is_some_and(|(_, extension)| extensions.contains(&extension))
}

/// An archive of more entries than allowed.
pub(super) fn too_many(entries: usize, allowed: usize) -> Error {
    let message = format!("the archive has {entries} members, allowed are {allowed}");
    Issue::limit(Code::TooManyTables, message, "archive_entries").into()
}
