//! Where bytes come from: a path (by memory map), memory, a reader.
//!
//! Takes any of them and gives [`Bytes`]; refuses what is larger than `Limits::input_bytes`.

mod growing;
mod map;
mod room;
mod spool;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::error::Result;
use crate::limits::{Limits, human_bytes};
use crate::report::{Code, Issue, Stage};

pub use growing::{Ahead, Growing, growing};
pub(crate) use map::release;
pub(crate) use room::Room;
pub use spool::Spool;

/// A file to read, wherever it is.
pub struct Source {
    name: String,
    kind: Kind,
}

enum Kind {
    Path(PathBuf),
    Bytes(Bytes),
    Reader(Box<dyn Read + Send>),
}

impl Source {
    /// A file on disk. A regular file is mapped, not read: it must not shrink meanwhile.
    pub fn path(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Source { name: name.unwrap_or_default(), kind: Kind::Path(path.to_owned()) }
    }

    /// Bytes in memory, which are not copied.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Source { name: String::new(), kind: Kind::Bytes(bytes.into()) }
    }

    /// Anything that can be read; it is read to its end, through a temporary file where it is large.
    pub fn reader(reader: impl Read + Send + 'static) -> Self {
        Source { name: String::new(), kind: Kind::Reader(Box::new(reader)) }
    }

    /// The same source under a name, whose extension helps to tell what it is.
    pub fn named(self, name: impl Into<String>) -> Self {
        Source { name: name.into(), ..self }
    }

    /// The name given, or the last part of the path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the file at the path, by whatever name.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let found = |path: &Path| std::fs::canonicalize(path).ok();
        matches!(&self.kind, Kind::Path(own) if found(own).is_some_and(|own| found(path) == Some(own)))
    }

    /// Where the bytes are in a regular file, to be read by another process: their own, or one that
    /// they are written to in `folder`.
    pub(crate) fn into_file(self, folder: &Path, limits: &Limits) -> Result<PathBuf> {
        let mut reader: Box<dyn Read + Send> = match self.kind {
            Kind::Path(path) => match std::fs::metadata(&path) {
                Ok(found) if !found.is_file() && !found.is_dir() => Box::new(File::open(path)?),
                // What is wrong with a path is for its reader to say.
                _ => return Ok(path),
            },
            Kind::Bytes(bytes) => Box::new(std::io::Cursor::new(bytes)),
            Kind::Reader(reader) => reader,
        };
        let path = folder.join("input");
        let most = limits.input_bytes.saturating_add(1);
        let written = std::io::copy(&mut (&mut reader).take(most), &mut File::create(&path)?)?;
        check_size(written, limits)?;
        Ok(path)
    }

    /// All the bytes.
    pub(crate) fn open(self, limits: &Limits) -> Result<Bytes> {
        match self.kind {
            Kind::Bytes(bytes) => {
                check_size(bytes.len() as u64, limits)?;
                Ok(bytes)
            }
            Kind::Path(path) => open_path(&path, limits),
            Kind::Reader(reader) => read_all(reader, limits),
        }
    }
}

impl<P: AsRef<Path>> From<P> for Source {
    fn from(path: P) -> Self {
        Source::path(path)
    }
}

/// The bytes of a regular file that stays as it is, mapped.
pub(crate) fn mapped(file: &File) -> std::io::Result<Bytes> {
    map::map(file)
}

fn open_path(path: &Path, limits: &Limits) -> Result<Bytes> {
    let failed = |error: std::io::Error| {
        Issue::error(Stage::Source, Code::Io, format!("cannot open {}: {error}", path.display()))
    };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        let message = format!("{} is a folder, expected a file", path.display());
        return Err(Issue::error(Stage::Source, Code::Io, message)
            .hint("name the files in it")
            .into());
    }
    if !metadata.is_file() {
        return read_all(file, limits);
    }
    check_size(metadata.len(), limits)?;
    Ok(map::map(&file).map_err(failed)?)
}

fn read_all(mut reader: impl Read, limits: &Limits) -> Result<Bytes> {
    let mut spool = Spool::new(limits.spool_bytes);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        spool.write(&buffer[..read])?;
        check_size(spool.len(), limits)?;
    }
    spool.finish()
}

fn check_size(bytes: u64, limits: &Limits) -> Result<()> {
    if bytes > limits.input_bytes {
        let message = format!(
            "the file has {} or more, allowed are {}",
            human_bytes(bytes),
            human_bytes(limits.input_bytes)
        );
        return Err(Issue::limit(Code::UploadTooLarge, message, "input_bytes").into());
    }
    Ok(())
}
