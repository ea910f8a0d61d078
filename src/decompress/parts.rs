//! The parts of a workbook that is a zip, each inflated as it is read.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

use bytes::Bytes;
use zip::ZipArchive;

use super::archive::zip_error;
use super::budget::Budget;
use super::codec;
use crate::error::{ErrorKind, Result};
use crate::limits::Limits;
use crate::options::Compression;
use crate::report::{Code, Issue, Stage};

/// A zip whose members are read one by one, any of them as often as wanted, from any thread.
#[derive(Clone)]
pub struct Parts {
    archive: ZipArchive<Cursor<Bytes>>,
    /// Names in lower case, which is how names of parts are compared.
    names: Arc<HashMap<String, usize>>,
    /// The first name that two parts have.
    doubled: Option<String>,
    input: u64,
}

impl Parts {
    /// Reads the directory. Refuses what has more members or says that it inflates to more than
    /// allowed.
    pub fn open(bytes: &Bytes, limits: &Limits) -> Result<Self> {
        super::archive::check_workbook(bytes, limits)?;
        let archive =
            ZipArchive::new(Cursor::new(bytes.clone())).map_err(|error| zip_error(error, None))?;
        if archive.len() > limits.archive_entries {
            let message = format!(
                "the workbook has {} parts, allowed are {}",
                archive.len(),
                limits.archive_entries
            );
            return Err(Issue::limit(Code::TooManyTables, message, "archive_entries").into());
        }
        let mut names = HashMap::new();
        let mut doubled = None;
        for (index, name) in archive.file_names_raw().enumerate() {
            let name = String::from_utf8_lossy(name).replace('\\', "/").to_lowercase();
            if names.insert(name.trim_start_matches('/').to_owned(), index).is_some() {
                doubled.get_or_insert(name);
            }
        }
        if archive.has_duplicate_names() {
            doubled.get_or_insert_with(String::new);
        }
        Ok(Parts { archive, names: Arc::new(names), doubled, input: bytes.len() as u64 })
    }

    /// Whether there is a part of this name, however it is capitalised.
    pub fn has(&self, name: &str) -> bool {
        self.index(name).is_some()
    }

    /// Whether two parts have one name, and which, where that is known. The last of them is read.
    pub fn doubled(&self) -> Option<&str> {
        self.doubled.as_deref()
    }

    /// The bytes that a part says it inflates to; 0 for one that is not there.
    pub fn declared_size(&self, name: &str) -> u64 {
        let entry = self.index(name).and_then(|index| self.archive.by_index_data(index).ok());
        entry.map_or(0, |entry| entry.size())
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.names.get(&name.trim_start_matches('/').to_lowercase()).copied()
    }

    /// Inflates every part once, keeping nothing: for a reader that inflates them whole and believes
    /// what they say of their sizes.
    pub fn check(&self, limits: &Limits) -> Result<()> {
        let mut whole = Budget::new(self.input, limits);
        let mut block = Vec::new();
        for index in 0..self.archive.len() {
            let mut archive = self.archive.clone();
            // A part that cannot be opened is not inflated by anybody.
            let Ok(mut file) = archive.by_index(index) else { continue };
            let name = file.name().map(|name| name.into_owned()).unwrap_or_default();
            let budget = Budget::new(self.input, limits).of_part(file.compressed_size());
            let mut stream = PartStream { name: &name, file: &mut file, budget, given: 0 };
            let mut before = 0;
            loop {
                block.clear();
                match stream.fill(&mut block, 256 << 10) {
                    Ok(true) => {}
                    // Where it ends is for its reader to say.
                    Err(error) if error.kind() != ErrorKind::LimitExceeded => break,
                    Ok(false) => break,
                    Err(error) => return Err(error),
                }
                whole.spend(stream.given() - before)?;
                before = stream.given();
            }
        }
        Ok(())
    }

    /// Opens a part and hands its stream to `work`.
    pub fn stream<T>(
        &self,
        name: &str,
        limits: &Limits,
        work: impl FnOnce(&mut PartStream<'_>) -> Result<T>,
    ) -> Result<T> {
        let Some(index) = self.index(name) else {
            let message = format!("the workbook has no part {name}");
            return Err(Issue::error(Stage::Parse, Code::Corrupt, message).into());
        };
        // The archive's directory is shared; only the place in the bytes is each reader's own.
        let mut archive = self.archive.clone();
        let mut file = archive.by_index(index).map_err(|error| zip_error(error, Some(name)))?;
        let budget = Budget::new(self.input, limits).of_part(file.compressed_size());
        work(&mut PartStream { name, file: &mut file, budget, given: 0 })
    }
}

/// The bytes of one part, as they come out of the compression.
pub struct PartStream<'a> {
    name: &'a str,
    file: &'a mut dyn Read,
    budget: Budget<'a>,
    given: u64,
}

impl PartStream<'_> {
    /// Adds up to `most` bytes to `block`; `false` at the end. Each part alone is held to the limits
    /// of the whole; whoever reads several adds [`PartStream::given`] up.
    pub fn fill(&mut self, block: &mut Vec<u8>, most: usize) -> Result<bool> {
        let start = block.len();
        block.reserve(most);
        let outcome = (&mut *self.file).take(most as u64).read_to_end(block);
        let read = block.len() - start;
        outcome.map_err(|error| self.failed(error, read))?;
        let read = read as u64;
        self.given += read;
        self.budget.spend(read)?;
        Ok(read > 0)
    }

    /// The bytes given so far.
    pub fn given(&self) -> u64 {
        self.given
    }

    fn failed(&self, error: std::io::Error, more: usize) -> crate::Error {
        let at = self.given as usize + more;
        codec::read_error(Compression::Zip, &error, at, at).map_issue(|issue| {
            let message = format!("{}, in {}", issue.message, self.name);
            Issue { stage: Stage::Parse, message, ..issue }
        })
    }
}
