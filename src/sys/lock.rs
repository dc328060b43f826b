//! Advisory locks of the kernel (flock), and the one file that names fs2.
//!
//! The kernel's lock alone counts. The text in a lock file is for people, who want to know whom they
//! wait for; the file itself is never truncated and never deleted, because a lock on a name that was
//! deleted excludes nobody.
//!
//! Easy to get wrong: since Rust 1.89 `File` has methods of the same names as fs2's, with other result
//! types, and a method call picks those. So the functions of fs2 are called in full.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt};
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;

/// Length of the text in a lock file. It is always written whole, so that nothing of a longer, older
/// text remains and the file need not be truncated.
const TEXT_BYTES: usize = 64;

/// How a lock is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Any number of holders, none of them exclusive.
    Shared,
    /// One holder.
    Exclusive,
}

/// What asking for a lock gave.
pub(crate) enum Grant {
    /// It is held.
    Held(Lock),
    /// Somebody else kept it for the whole time; their text.
    Busy(String),
    /// This file system has no locks (ENOLCK, ENOTSUP, ENOSYS); the file is returned.
    Unsupported(File),
}

/// A lock that is held until this is dropped, or the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    /// The open lock file.
    file: File,
}

impl Lock {
    /// Asks for a lock on an open file, again and again until `patience` is over.
    ///
    /// # Errors
    /// The kernel refuses for another reason than contention or lack of locks.
    pub(crate) fn acquire(file: File, mode: Mode, patience: Duration) -> io::Result<Grant> {
        let mut pause = Duration::from_millis(1);
        let mut waited = Duration::ZERO;
        loop {
            match try_lock(&file, mode) {
                Ok(()) => return Ok(Grant::Held(Self { file })),
                Err(error) if is_unsupported(&error) => return Ok(Grant::Unsupported(file)),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                Err(_) if waited >= patience => return Ok(Grant::Busy(read_text(&file))),
                Err(_) => {
                    thread::sleep(pause);
                    waited = waited.saturating_add(pause);
                    pause = pause.saturating_mul(2).min(Duration::from_millis(50));
                }
            }
        }
    }

    /// The locked file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Replaces the text for people. A failure is of no consequence and not reported; a file with a
    /// second name is left alone, because somebody may have linked it here to have it overwritten.
    pub(crate) fn write_text(&self, text: &str) {
        let single = self.file.metadata().is_ok_and(|meta| meta.nlink() == 1);
        if single {
            let padded = format!("{text:<width$.width$}\n", width = TEXT_BYTES.saturating_sub(1));
            let _ = self.file.write_all_at(padded.as_bytes(), 0);
        }
    }

    /// The text as it stands.
    pub(crate) fn text(&self) -> String {
        read_text(&self.file)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would do, were it not for a child between fork and exec, which holds a duplicate
        // of the descriptor and with it the lock (flock(2)).
        let _ = fs2::FileExt::unlock(&self.file);
    }
}

/// Bytes that an unprivileged user can still write to the file system that holds `path`.
///
/// Stands here because fs2 is named in one file only.
///
/// # Errors
/// The file system cannot be asked.
pub(crate) fn available_bytes(path: &Path) -> io::Result<u64> {
    fs2::available_space(path)
}

/// One attempt, without waiting.
fn try_lock(file: &File, mode: Mode) -> io::Result<()> {
    match mode {
        Mode::Shared => fs2::FileExt::try_lock_shared(file),
        Mode::Exclusive => fs2::FileExt::try_lock_exclusive(file),
    }
}

/// Whether the error says that there are no locks here.
fn is_unsupported(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| {
        matches!(Errno::from_raw(code), Errno::ENOLCK | Errno::EOPNOTSUPP | Errno::ENOSYS)
    })
}

/// The text of a lock file; empty where there is none or it cannot be read.
fn read_text(file: &File) -> String {
    let mut buffer = [0; TEXT_BYTES];
    let length = file.read_at(&mut buffer, 0).unwrap_or(0);
    let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
    text.trim().chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> File {
        File::options().read(true).write(true).create(true).truncate(false).open(path).unwrap()
    }

    fn held(grant: Grant) -> Lock {
        match grant {
            Grant::Held(lock) => lock,
            Grant::Busy(text) => panic!("busy: {text}"),
            Grant::Unsupported(_) => panic!("no locks"),
        }
    }

    #[test]
    fn exclusive_excludes_and_names_its_holder() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("lock");
        let first = held(Lock::acquire(open(&path), Mode::Exclusive, Duration::ZERO).unwrap());
        first.write_text(&format!("pid 7 {}", "long ".repeat(40)));
        first.write_text("pid 8");
        let second = Lock::acquire(open(&path), Mode::Shared, Duration::from_millis(5)).unwrap();
        assert!(matches!(second, Grant::Busy(text) if text == "pid 8"));
        drop(first);
        held(Lock::acquire(open(&path), Mode::Shared, Duration::ZERO).unwrap());
    }

    #[test]
    fn shared_is_shared() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("lock");
        let _first = held(Lock::acquire(open(&path), Mode::Shared, Duration::ZERO).unwrap());
        let _second = held(Lock::acquire(open(&path), Mode::Shared, Duration::ZERO).unwrap());
        let third = Lock::acquire(open(&path), Mode::Exclusive, Duration::ZERO).unwrap();
        assert!(matches!(third, Grant::Busy(_)));
    }

    #[test]
    fn a_linked_file_keeps_its_content() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("lock");
        drop(open(&path));
        std::fs::hard_link(&path, room.path().join("other")).unwrap();
        let lock = held(Lock::acquire(open(&path), Mode::Exclusive, Duration::ZERO).unwrap());
        lock.write_text("pid 7");
        assert_eq!(lock.text(), "");
    }
}
