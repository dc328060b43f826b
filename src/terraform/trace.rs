//! What became of a file while Terraform ran.
//!
//! Terraform writes a local state in place, through a descriptor that it opens at the beginning
//! (terraform-facts.md 4.1). Whoever removes the file meanwhile, or puts another in its place, takes away
//! what Terraform writes from then on, and Terraform reports success. We hold the file open as well, so that
//! what was written into it can still be read when its name is gone.
//!
//! Easy to get wrong: no clock is asked. What is compared is what the file system said before and after.

use std::fs::File;
use std::io::Seek;
use std::path::{Path, PathBuf};

use crate::model::state::StateImage;
use crate::sys::file::{FileId, Glance, open_for_looking};
use crate::sys::mount::{Nature, kind_of, nature_of};

use super::read::read_bytes;

/// A file as it was before a run.
pub(crate) struct Trace {
    path: PathBuf,
    before: Option<Glance>,
    held: Option<File>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is not there.
    Absent,
    /// It was not written, for sure.
    Untouched,
    /// It was written, or made, or another has its name; or that cannot be told.
    Other,
}

impl Trace {
    /// Remembers what is at a path.
    pub(crate) fn of(path: PathBuf) -> Self {
        Self { before: Glance::at(&path), held: None, path }
    }

    /// As [`Trace::of`], and holds the file, if it is one.
    pub(crate) fn holding(path: PathBuf) -> Self {
        let held = open_for_looking(&path).ok();
        let held = held.filter(|file| file.metadata().is_ok_and(|found| found.is_file()));
        Self { held, ..Self::of(path) }
    }

    /// The path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What has become of the file by now. On a network or in user space a file system may tell old times,
    /// and one that counts in seconds tells too little: there nothing is sure.
    pub(crate) fn fate(&self) -> Fate {
        let Some(now) = Glance::at(&self.path) else { return Fate::Absent };
        let is_same = self.before == Some(now) && now.is_fine();
        if is_same && tells_the_truth(&self.path) { Fate::Untouched } else { Fate::Other }
    }

    /// Whether something is there now that was not there before, or is not what it was.
    pub(crate) fn has_changed(&self) -> bool {
        let now = Glance::at(&self.path);
        now.is_some() && now != self.before
    }

    /// What is in the file that is held, where its name is gone or another's; none where it still has its
    /// name, or cannot be read.
    pub(crate) fn orphan(&self, max_bytes: u64) -> Option<StateImage> {
        let mut held = self.held.as_ref()?.try_clone().ok()?;
        let found = held.metadata().ok()?;
        if FileId::at(&self.path) == Some(FileId::of(&found)) {
            return None;
        }
        held.rewind().ok()?;
        read_bytes(&mut held, found.len(), max_bytes, &self.path).ok().map(StateImage::new)
    }
}

/// Whether times and inodes are this machine's own.
fn tells_the_truth(path: &Path) -> bool {
    let kind = path.canonicalize().ok().and_then(|path| kind_of(&path));
    kind.is_some_and(|kind| nature_of(&kind) != Nature::Network && !kind.starts_with("fuse"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::sys::file::write;

    fn room() -> (tempfile::TempDir, PathBuf) {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("terraform.tfstate");
        put(&path, "one");
        (room, path)
    }

    fn put(path: &Path, text: &str) {
        write(path, text.as_bytes()).unwrap();
    }

    #[test]
    fn what_is_written_in_place_has_kept_its_name() {
        let (_room, path) = room();
        let trace = Trace::holding(path.clone());
        assert_eq!(trace.fate(), Fate::Untouched);
        assert!(!trace.has_changed());
        put(&path, "another");
        assert_eq!(trace.fate(), Fate::Other);
        assert!(trace.has_changed());
        assert!(trace.orphan(100).is_none());
    }

    #[test]
    fn what_was_written_into_a_file_without_a_name_is_read_back() {
        for replaces in [true, false] {
            let (room, path) = room();
            let trace = Trace::holding(path.clone());
            let mut terraform = File::options().write(true).open(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            if replaces {
                put(&room.path().join("other"), "other");
                std::fs::hard_link(room.path().join("other"), &path).unwrap();
            }
            terraform.write_all(b"two!").unwrap();
            assert_eq!(trace.fate(), if replaces { Fate::Other } else { Fate::Absent });
            assert_eq!(trace.orphan(100).unwrap().bytes(), b"two!");
        }
    }

    #[test]
    fn where_there_was_nothing_nothing_is_held() {
        let room = tempfile::tempdir().unwrap();
        let trace = Trace::holding(room.path().join("none"));
        assert_eq!(trace.fate(), Fate::Absent);
        assert!(!trace.has_changed());
        assert!(trace.orphan(100).is_none());
    }
}
