//! Bytes of unknown length on their way: in memory while few, in a temporary file beyond.

use std::fs::File;
use std::io::{self, Write};

use bytes::Bytes;

use super::map;
use crate::error::{Error, Result};
use crate::report::{Code, Issue, Stage};

/// Collects bytes; memory does not grow past the bound it was given.
#[derive(Debug)]
pub struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    length: u64,
    bound: u64,
}

impl Spool {
    /// An empty spool that keeps at most `bound` bytes in memory.
    pub fn new(bound: u64) -> Self {
        Spool { memory: Vec::new(), file: None, length: 0, bound }
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.length += bytes.len() as u64;
        if self.file.is_none() && self.length > self.bound {
            let mut file = tempfile::tempfile().map_err(cannot_write)?;
            file.write_all(&self.memory).map_err(cannot_write)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes).map_err(cannot_write)?,
            None => self.memory.extend_from_slice(bytes),
        }
        Ok(())
    }

    /// How many bytes were added.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// All the bytes; those in the temporary file are mapped.
    pub fn finish(self) -> Result<Bytes> {
        Ok(match self.file {
            Some(file) => map::map_temporary(&file).map_err(cannot_write)?,
            None => self.memory.into(),
        })
    }
}

/// Says which file it was that the system would not let us write, as it does not.
pub(super) fn cannot_write(error: io::Error) -> Error {
    let folder = std::env::temp_dir();
    let message = format!("cannot write a temporary file in {}: {error}", folder.display());
    let issue = Issue::error(Stage::Source, Code::Io, message);
    issue.hint("TMPDIR names the folder of temporary files: one with more room may do").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_that_it_is_of_a_temporary_file() {
        let error = cannot_write(io::ErrorKind::StorageFull.into());
        assert!(error.issue().message.starts_with("cannot write a temporary file in "));
        assert_eq!((error.issue().stage, error.issue().code), (Stage::Source, Code::Io));
        assert!(error.issue().hint.as_deref().is_some_and(|hint| hint.contains("TMPDIR")));
    }

    #[test]
    fn the_same_bytes_from_memory_and_from_a_file() {
        for bound in [0, 5, 6, 100] {
            let mut spool = Spool::new(bound);
            spool.write(b"abc").unwrap();
            spool.write(b"def").unwrap();
            assert_eq!(spool.len(), 6);
            assert_eq!(spool.finish().unwrap(), "abcdef");
        }
    }
}
