//! A look at the store from outside: how large it is, and what is odd about its files.
//!
//! Reads directories and what the system says of files, never their content; takes no lock and makes
//! nothing. It works where the store itself refuses to be opened: that is when it is wanted.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::sys::file::takes_files;
use crate::sys::fs::effective_user;

use super::atomic::TEMPORARY;
use super::error::{Access, StoreError};
use super::format::Format;
use super::locking::open;

/// More entries are not looked at: a store of that size has other troubles.
const MOST_ENTRIES: usize = 500_000;

/// What a walk through a store has found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// How much all files hold, in bytes.
    pub(crate) bytes: u64,
    /// What is odd, in no order.
    pub(crate) oddities: Vec<Oddity>,
}

/// Something that ought not to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// It belongs to somebody else.
    Foreign(PathBuf),
    /// Others may write to a directory, or look into the store.
    Exposed(PathBuf),
    /// We may not write to a directory, although it is ours.
    Closed(PathBuf),
    /// A temporary file, and since when it has not been touched.
    Leftover(PathBuf, SystemTime),
}

/// Whether a store could be used for writing, or made, as it is now; nothing is made to find out.
///
/// # Errors
/// As [`Store::open_or_create`](super::Store::open_or_create) would give them.
pub(crate) fn check_usable(root: &Path) -> Result<(), StoreError> {
    let folder = match open(root) {
        Err(StoreError::Open { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return check_creatable(root);
        }
        opened => opened?,
    };
    match Format::read(&folder)? {
        Some(format) if !format.allows(Access::Write) => {
            Err(StoreError::NewerFormat { path: root.to_owned(), access: Access::Write })
        }
        Some(_) => Ok(()),
        None => super::refuse_foreign_content(&folder),
    }
}

/// Whether the nearest directory that is there takes a new one.
fn check_creatable(root: &Path) -> Result<(), StoreError> {
    let nearest = root.ancestors().skip(1).find(|above| above.symlink_metadata().is_ok());
    if nearest.is_some_and(takes_files) {
        return Ok(());
    }
    let is_directory = nearest.is_some_and(Path::is_dir);
    let kind =
        if is_directory { io::ErrorKind::PermissionDenied } else { io::ErrorKind::NotADirectory };
    Err(StoreError::Create { path: root.to_owned(), source: kind.into() })
}

impl Survey {
    /// Walks through a store; none where there is no such directory.
    ///
    /// # Errors
    /// There is one, and it cannot be looked into.
    pub(crate) fn of(root: &Path) -> io::Result<Option<Self>> {
        let found = match std::fs::metadata(root) {
            Ok(found) if found.is_dir() => found,
            Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut survey = Self::default();
        if found.mode() & 0o077 != 0 {
            survey.oddities.push(Oddity::Exposed(root.to_owned()));
        }
        survey.judge_directory(root, &found);
        std::fs::read_dir(root)?;
        survey.walk(root);
        Ok(Some(survey))
    }

    fn walk(&mut self, root: &Path) {
        let mut waiting = vec![root.to_owned()];
        let mut left = MOST_ENTRIES;
        while let Some(directory) = waiting.pop() {
            for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten().take(left) {
                left = left.saturating_sub(1);
                let path = entry.path();
                let Ok(found) = std::fs::symlink_metadata(&path) else { continue };
                if found.is_dir() {
                    if found.mode() & 0o022 != 0 {
                        self.oddities.push(Oddity::Exposed(path.clone()));
                    }
                    self.judge_directory(&path, &found);
                    waiting.push(path);
                    continue;
                }
                self.bytes = self.bytes.saturating_add(found.len());
                if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                    let since = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    self.oddities.push(Oddity::Leftover(path, since));
                } else if found.uid() != effective_user() {
                    self.oddities.push(Oddity::Foreign(path));
                }
            }
        }
    }

    fn judge_directory(&mut self, path: &Path, found: &std::fs::Metadata) {
        if found.uid() != effective_user() {
            self.oddities.push(Oddity::Foreign(path.to_owned()));
        } else if found.mode() & 0o700 != 0o700 {
            self.oddities.push(Oddity::Closed(path.to_owned()));
        }
    }
}
