//! What `install` made besides links, so that `uninstall` can tell it from what was there before.
//!
//! A small file beside the links: directories that were made, start files that were edited, one a line.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::error::install::InstallError;
use crate::sys::{edit, file};

use super::step;

/// The name of the file.
const NAME: &str = ".tf-shim-install";

/// Its first line.
const HEAD: &[u8] = b"# Written by `tf shim install` for `tf shim uninstall`, which removes it.\n";

/// What stands before a directory, and before a start file.
const DIRECTORY: &[u8] = b"directory ";
const START_FILE: &[u8] = b"start-file ";

/// What was made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Directories.
    pub(super) directories: BTreeSet<PathBuf>,
    /// Start files that hold a block of ours.
    pub(super) start_files: BTreeSet<PathBuf>,
}

impl Record {
    /// Reads the record beside the links; an empty one where there is none.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub(super) fn read(directory: &Path) -> Result<Self, InstallError> {
        let path = place(directory);
        let text = edit::read(&path).map_err(|source| step("read", &path, source))?;
        Ok(text.map(|text| Self::parse(&text)).unwrap_or_default())
    }

    fn parse(text: &[u8]) -> Self {
        let mut record = Self::default();
        for line in text.split(|byte| *byte == b'\n') {
            let path = |rest: &[u8]| PathBuf::from(OsStr::from_bytes(rest));
            if let Some(rest) = line.strip_prefix(DIRECTORY) {
                record.directories.insert(path(rest));
            } else if let Some(rest) = line.strip_prefix(START_FILE) {
                record.start_files.insert(path(rest));
            }
        }
        record
    }

    /// Adds what is about to be made.
    pub(super) fn add<'a>(&mut self, made: &[PathBuf], files: impl Iterator<Item = &'a Path>) {
        self.directories.extend(made.iter().cloned());
        self.start_files.extend(files.map(Path::to_owned));
    }

    /// Writes it, where there is anything to tell.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(&self, directory: &Path) -> Result<(), InstallError> {
        if *self == Self::default() {
            return Ok(());
        }
        let path = place(directory);
        file::write(&path, &self.to_text()).map_err(|source| step("write", &path, source))
    }

    fn to_text(&self) -> Vec<u8> {
        let line =
            |kind: &[u8], path: &PathBuf| [kind, path.as_os_str().as_bytes(), b"\n"].concat();
        let directories = self.directories.iter().map(|path| line(DIRECTORY, path));
        let files = self.start_files.iter().map(|path| line(START_FILE, path));
        std::iter::once(HEAD.to_vec()).chain(directories).chain(files).collect::<Vec<_>>().concat()
    }
}

/// Where the record of a directory is.
pub(super) fn place(directory: &Path) -> PathBuf {
    directory.join(NAME)
}

/// Whether there is one: `install` has been at work in this directory.
pub(super) fn is_there(directory: &Path) -> bool {
    place(directory).is_file()
}

/// Removes it; one that is not there is no error.
///
/// # Errors
/// It stays.
pub(super) fn remove(directory: &Path) -> Result<(), InstallError> {
    let path = place(directory);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(step("remove", &path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut record = Record::default();
        let odd = PathBuf::from(OsStr::from_bytes(b"/home/ana/a b\xff"));
        record.add(&[odd], [Path::new("/home/ana/.bashrc")].into_iter());
        assert_eq!(Record::parse(&record.to_text()), record);
        assert_eq!(Record::parse(b"nonsense\n\xff"), Record::default());
    }
}
