//! Telling what bytes are: by their content first, by their name second.
//!
//! Takes the bytes of one part, its name and the declared type; gives the format that reads it;
//! refuses bytes that contradict the declaration, and bytes of no known type.

pub mod encoding;
pub mod survey;
mod text;

use crate::error::Result;
use crate::options::FileType;
use crate::report::{Code, Issue, Stage, quote};

use text::document;
pub use text::{json_start, looks_like_text, padding, position};

/// How sure a format is that bytes are its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// They are not.
    No,
    /// Only the name speaks for it.
    NameOnly,
    /// They could be read as it, but are probably something else.
    Weak,
    /// They could be read as it, as many other things could.
    Possible,
    /// They could be read as it, and hardly as anything else.
    Probable,
    /// They look like nothing else.
    Likely,
    /// Its magic number is there.
    Certain,
}

/// What detection needs to know of a format.
pub trait Signature {
    /// The type it reads.
    fn file_type(&self) -> FileType;
    /// The extensions of its files, lower case, without dot.
    fn extensions(&self) -> &'static [&'static str];
    /// How sure it is that these bytes are its own.
    fn recognise(&self, bytes: &[u8]) -> Confidence;
}

/// The format among `candidates` that the bytes are in.
pub fn detect<'a, S: Signature + ?Sized>(
    bytes: &[u8],
    name: &str,
    declared: Option<FileType>,
    candidates: &[&'a S],
) -> Result<&'a S> {
    if bytes.is_empty() {
        let issue = Issue::error(Stage::Parse, Code::Empty, "the file is empty: 0 bytes");
        return Err(issue.byte_offset(0).into());
    }
    // A form is text, so a reader of text would take its marks for rows.
    if is_multipart(bytes) {
        return Err(multipart());
    }
    let extension = extension(name);
    // Each is asked once: a workbook's signature is in its zip directory.
    let scored: Vec<(u32, Confidence, &'a S)> = candidates
        .iter()
        .map(|candidate| {
            let confidence = candidate.recognise(bytes);
            let named = candidate.extensions().contains(&extension.as_str());
            (score(confidence, named), confidence, *candidate)
        })
        .collect();
    // The first of equals: the table's order is the order of preference.
    let best = scored
        .iter()
        .copied()
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .filter(|(_, confidence, _)| *confidence > Confidence::No);
    let Some(declared) = declared else {
        return match best {
            Some((_, _, found)) => Ok(found),
            None => Err(unknown(bytes)),
        };
    };
    if let Some((_, Confidence::Likely | Confidence::Certain, found)) = best
        && declared.accepts(found.file_type())
    {
        return Ok(found);
    }
    let as_declared = scored
        .iter()
        .map(|(_, confidence, candidate)| (*confidence, *candidate))
        .find(|(_, candidate)| candidate.file_type() == declared);
    let other = best.filter(|(_, _, found)| found.file_type() != declared);
    match (as_declared, other) {
        (Some((Confidence::No | Confidence::NameOnly, _)), other) => {
            Err(mismatch(declared, other.map(|(_, _, found)| found.file_type()), bytes))
        }
        (Some(_), Some((_, Confidence::Likely | Confidence::Certain, found))) => {
            Err(mismatch(declared, Some(found.file_type()), bytes))
        }
        (Some((_, candidate)), _) => Ok(candidate),
        (None, other) => Err(mismatch(declared, other.map(|(_, _, f)| f.file_type()), bytes)),
    }
}

/// A name decides among what the content leaves open, and never against what it shows.
fn score(confidence: Confidence, named: bool) -> u32 {
    let content = match confidence {
        Confidence::No => return 0,
        Confidence::NameOnly => 1,
        Confidence::Weak => 5,
        Confidence::Possible => 10,
        Confidence::Probable => 20,
        Confidence::Likely => 60,
        Confidence::Certain => 100,
    };
    content + if named { 30 } else { 0 }
}

/// The last extension of a name, lower case.
pub fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default()
}

fn mismatch(declared: FileType, found: Option<FileType>, bytes: &[u8]) -> crate::Error {
    let (text, hint) = match found {
        Some(found) => {
            (found.to_string(), format!("declare {found}, or no type to have it found out"))
        }
        None if document(bytes).is_some() => (
            document(bytes).unwrap_or_default().to_owned(),
            "save the table itself as csv or xlsx".into(),
        ),
        None => ("of no known type".into(), "check that the right file was sent".into()),
    };
    let message = if declared == FileType::Json {
        format!(
            "declared {declared}, but no JSON begins with {:?}; the bytes are {text}",
            start(bytes)
        )
    } else {
        format!("declared {declared}, but the bytes are {text}")
    };
    let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let (line, _) = position(bytes, blank);
    let issue = Issue::error(Stage::Detect, Code::TypeMismatch, message);
    issue.line(line).byte_offset(blank as u64).raw(&bytes[..bytes.len().min(40)]).hint(hint).into()
}

fn start(bytes: &[u8]) -> String {
    quote(&bytes.trim_ascii_start()[..bytes.trim_ascii_start().len().min(12)])
}

fn unknown(bytes: &[u8]) -> crate::Error {
    if let Some(document) = document(bytes) {
        let message = format!("the bytes are {document}, which is not read");
        return Issue::error(Stage::Detect, Code::UnknownFormat, message)
            .byte_offset(0)
            .hint("save the table itself as csv or xlsx")
            .into();
    }
    let control = text::first_control(bytes);
    let why = match control {
        Some((at, 0)) => format!(" (a NUL at byte {at})"),
        Some((at, byte)) => format!(" (a control character, \\x{byte:02x}, at byte {at})"),
        None => String::new(),
    };
    let message = format!(
        "the bytes are no table we know: not text{why}, and no magic number of {}",
        FileType::ALL.iter().map(|t| t.as_str()).collect::<Vec<_>>().join(", ")
    );
    Issue::error(Stage::Detect, Code::UnknownFormat, message)
        .byte_offset(control.map_or(0, |(at, _)| at as u64))
        .raw(&bytes[..bytes.len().min(16)])
        .hint("check that the right file was sent")
        .into()
}

/// A browser form around the file instead of the file.
fn is_multipart(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    head.starts_with(b"--")
        && memchr::memmem::find(&head.to_ascii_lowercase(), b"content-disposition: form-data")
            .is_some()
}

/// The error for a form.
fn multipart() -> crate::Error {
    let message = "the body is a multipart form, expected the bytes of the file themselves";
    Issue::error(Stage::Detect, Code::MultipartBody, message)
        .byte_offset(0)
        .hint("send the bytes alone: curl --data-binary @FILE")
        .into()
}
