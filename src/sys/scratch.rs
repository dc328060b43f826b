//! A private directory for what must not stay: plans hold every secret in clear text.
//!
//! It is removed when it is dropped, on every way out that a process has in its own hands. Where it has
//! not (SIGKILL, a power cut), the next one sweeps: the name says which process it belonged to, and what
//! belongs to none that lives is removed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::fs::effective_user;
use super::lock::available_bytes;
use super::mark::ProcessMark;
use super::random;

/// Less space than this is none: a page or two are left over by who failed for want of more. Bytes.
const LITTLE: u64 = 64 << 10;
/// What the names begin with.
const PREFIX: &str = "tf-shim-plans-";

/// A private directory.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes one in `parent`, readable by nobody else, and removes what dead processes left there.
    ///
    /// # Errors
    /// The system's reason.
    pub(crate) fn make(parent: &Path) -> io::Result<Self> {
        sweep(parent);
        let own = ProcessMark::read_own().ok_or_else(|| io::Error::other("no /proc/self"))?;
        let name = format!("{PREFIX}{}-{}-{}", own.pid, own.start, random::hex16()?);
        let path = parent.join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory that it was made in.
    pub(crate) fn parent(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Whether hardly anything more can be written to it.
    pub(crate) fn is_full(&self) -> bool {
        available_bytes(&self.path).is_ok_and(|bytes| bytes < LITTLE)
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Creates a file in it that is not there yet.
    ///
    /// # Errors
    /// The system's reason.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.file(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the directories of processes that are no more. Only our own: others may write into a shared
/// directory, too.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(owner_of) else { continue };
        let is_ours = fs::symlink_metadata(entry.path())
            .is_ok_and(|found| found.is_dir() && found.uid() == effective_user());
        let lives = ProcessMark::read(owner.0).is_some_and(|mark| mark.start == owner.1);
        if is_ours && !lives {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Process and start time in a name.
fn owner_of(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix(PREFIX)?.split('-');
    let pid = parts.next()?.parse().ok()?;
    let start = parts.next()?.parse().ok()?;
    Some((pid, start)).filter(|_| parts.next().is_some_and(|random| random.len() == 16))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_private_and_goes_with_its_owner() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::make(parent.path()).unwrap();
        scratch.create("plan").unwrap();
        let mode = fs::metadata(&scratch.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(scratch);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_the_dead_left_is_swept_and_what_the_living_have_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let alive = Scratch::make(parent.path()).unwrap();
        let dead = parent.path().join(format!("{PREFIX}1-999999999999-0123456789abcdef"));
        let foreign = parent.path().join(format!("{PREFIX}notes"));
        fs::create_dir(&dead).unwrap();
        fs::create_dir(&foreign).unwrap();
        let _another = Scratch::make(parent.path()).unwrap();
        assert!(alive.path.is_dir() && foreign.is_dir());
        assert!(!dead.exists());
    }
}
