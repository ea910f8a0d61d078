//! What a child wrote, opened as what a stranger wrote: it may have been made to write anything.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::death;
use crate::error::Result;
use crate::limits::human_bytes;
use crate::source;

/// A folder that a child writes to, held by a handle: should the child move it and put something
/// else in its place, that is not looked at.
pub(super) struct Made {
    folder: PathBuf,
    #[cfg(unix)]
    handle: File,
}

impl Made {
    /// To be called before the child starts.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        Ok(Made {
            folder: folder.to_owned(),
            #[cfg(unix)]
            handle: File::open(folder)?,
        })
    }

    /// The bytes of a regular file of our own that has no more than `most` of them, mapped.
    pub fn bytes(&self, name: &str, most: u64) -> Result<Bytes> {
        let file = match self.open(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error.into()),
            Err(error) => return Err(death::strange(name, &error.to_string())),
            Ok(file) => file,
        };
        let found = file.metadata()?;
        if !found.is_file() || !is_ours(&found) {
            return Err(death::strange(name, "it is no regular file of ours"));
        }
        if found.len() > most {
            let (bytes, most) = (human_bytes(found.len()), human_bytes(most));
            return Err(death::strange(name, &format!("it has {bytes}, allowed are {most}")));
        }
        // Mapped, a file that is gone is still there.
        Ok(source::mapped(&file)?)
    }

    /// Follows no link and waits for nobody, as opening a pipe would.
    #[cfg(unix)]
    fn open(&self, name: &str) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags, openat};

        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.handle, name, flags, Mode::empty())?))
    }

    #[cfg(not(unix))]
    fn open(&self, name: &str) -> io::Result<File> {
        File::open(self.folder.join(name))
    }

    /// The folder's path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(unix)]
fn is_ours(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_ours(_: &std::fs::Metadata) -> bool {
    true
}
