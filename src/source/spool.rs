//! Bytes of unknown length on their way: in memory while few, in a temporary file beyond.

use std::fs::File;
use std::io::Write;

use bytes::Bytes;

use super::map;
use crate::error::Result;

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
            let mut file = tempfile::tempfile()?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes)?,
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
            Some(file) => map::map(&file)?,
            None => self.memory.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
