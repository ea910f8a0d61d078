//! A file that takes the place of another once it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// A file in the making beside the one that it will be.
pub(super) struct Beside {
    path: PathBuf,
    held: Held,
}

enum Held {
    /// It has no name before it is whole: however the program ends until then, nothing of it stays.
    #[cfg(target_os = "linux")]
    Nameless(File),
    /// Where systems or file systems do not know such files: gone unless the program is ended.
    Named(NamedTempFile),
}

impl Beside {
    /// An empty file in the folder of `path`, with the rights of any new file.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let folder = folder(path);
        #[cfg(target_os = "linux")]
        if let Some(file) = nameless(folder) {
            return Ok(Beside { path: path.to_owned(), held: Held::Nameless(file) });
        }
        let mut builder = builder();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder)?;
        Ok(Beside { path: path.to_owned(), held: Held::Named(file) })
    }

    /// The file, to be written.
    pub(super) fn file(&mut self) -> &mut File {
        match &mut self.held {
            #[cfg(target_os = "linux")]
            Held::Nameless(file) => file,
            Held::Named(file) => file.as_file_mut(),
        }
    }

    /// It is whole: now it is the file at the path, with the rights of the one that was there.
    pub(super) fn take_its_place(mut self) -> io::Result<()> {
        if let Ok(existing) = fs::metadata(&self.path) {
            self.file().set_permissions(existing.permissions())?;
        }
        let named = match self.held {
            #[cfg(target_os = "linux")]
            Held::Nameless(file) => {
                builder().make_in(folder(&self.path), |path| link(&file, path))?.into_temp_path()
            }
            Held::Named(file) => file.into_temp_path(),
        };
        named.persist(&self.path).map_err(|problem| problem.error)
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn builder() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".tablemill-");
    builder
}

/// Where the open files of this process have names.
#[cfg(target_os = "linux")]
const OPEN_FILES: &str = "/proc/self/fd";

#[cfg(target_os = "linux")]
fn nameless(folder: &Path) -> Option<File> {
    use rustix::fs::{CWD, Mode, OFlags, openat};
    if !Path::new(OPEN_FILES).exists() {
        return None;
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    openat(CWD, folder, flags, Mode::from_raw_mode(0o666)).ok().map(File::from)
}

#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    let opened = format!("{OPEN_FILES}/{}", file.as_raw_fd());
    Ok(linkat(CWD, opened, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn it_is_there_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        for text in ["first", "second"] {
            let before = names();
            let mut beside = Beside::of(&path).unwrap();
            beside.file().write_all(text.as_bytes()).unwrap();
            // Not all systems and file systems know files without a name.
            let named = usize::from(matches!(beside.held, Held::Named(_)));
            assert_eq!(names(), before + named);
            beside.take_its_place().unwrap();
            assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names()), (text, 1));
        }
        drop(Beside::of(&path).unwrap());
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names()), ("second", 1));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Beside::of(&folder.path().join("none/out"));
        assert_eq!(missing.err().map(|error| error.kind()), Some(io::ErrorKind::NotFound));
    }
}
