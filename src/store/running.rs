//! Markers of operations under way: the one thing held while Terraform runs.
//!
//! A marker is a file named after the operation. The kernel's lock on it says that the shim supervises;
//! the text in it says which process Terraform is, so that after the death of the shim the next call
//! can tell whether Terraform still works.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use crate::model::operation::OperationId;
use crate::sys::fs::Folder;
use crate::sys::lock::{Grant, Lock, Mode};
use crate::sys::mark::ProcessMark;

use super::atomic;
use super::error::StoreError;

/// How long a marker's creator waits for somebody who happens to look at it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The marker of our own operation; removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    /// The directory of the markers.
    folder: Folder,
    /// The name of the file.
    name: String,
    /// The lock; none where there are no locks.
    lock: Option<Lock>,
    /// The file, where it is not inside the lock.
    file: Option<File>,
}

impl Running {
    /// Creates the marker of an operation and holds it.
    ///
    /// # Errors
    /// It cannot be created or locked.
    pub(super) fn create(folder: Folder, op: &OperationId) -> Result<Self, StoreError> {
        let name = op.as_str().to_owned();
        let path = folder.path().join(&name);
        let failed = |source| StoreError::Mark { path: path.clone(), source };
        let file = atomic::create_marker(&folder, &name).map_err(failed)?;
        let (lock, file) = match Lock::acquire(file, Mode::Exclusive, PATIENCE).map_err(failed)? {
            Grant::Held(lock) => (Some(lock), None),
            Grant::Unsupported(file) => (None, Some(file)),
            Grant::Busy(_) => return Err(failed(io::ErrorKind::WouldBlock.into())),
        };
        let running = Self { folder, name, lock, file };
        running.write(None).map_err(failed)?;
        Ok(running)
    }

    /// Notes which process Terraform is, once it was started.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn note_child(&self, child: &ProcessMark) -> Result<(), StoreError> {
        let path = self.folder.path().join(&self.name);
        self.write(Some(child)).map_err(|source| StoreError::Mark { path, source })
    }

    /// Writes the text: one line for us, one for Terraform. It only ever becomes longer.
    fn write(&self, child: Option<&ProcessMark>) -> io::Result<()> {
        let mut text = String::new();
        for (who, mark) in [("shim", ProcessMark::read_own().as_ref()), ("terraform", child)] {
            if let Some(mark) = mark {
                let _ = writeln!(text, "{who} {mark}");
            }
        }
        match self.lock.as_ref().map(Lock::file).or(self.file.as_ref()) {
            Some(file) => file.write_all_at(text.as_bytes(), 0),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // While the lock is still held. Where it stays, the next call finds it without a supervisor.
        let _ = atomic::remove_marker(&self.folder, &self.name);
    }
}

/// An operation that is, or was, under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunningMark {
    /// The operation.
    pub(crate) op: OperationId,
    /// Whether a shim still supervises it.
    pub(crate) supervised: bool,
    /// Which process Terraform is; none where it had not been started, or not noted, yet.
    pub(crate) child: Option<ProcessMark>,
}

impl RunningMark {
    /// Whether its Terraform has ended and its shim is still at work: the record is on its way.
    pub(crate) fn is_only_recording(&self) -> bool {
        self.supervised && self.child.as_ref().is_some_and(|child| !child.is_alive())
    }

    /// Whether anything still works on this operation: its shim or its Terraform.
    pub(crate) fn is_live(&self) -> bool {
        self.supervised || self.child.as_ref().is_some_and(ProcessMark::is_alive)
    }
}

/// Reads all markers, ours included.
///
/// # Errors
/// They cannot be read. One that vanishes meanwhile is no error.
pub(super) fn read_all(folder: &Folder) -> Result<Vec<RunningMark>, StoreError> {
    let path = folder.path().to_owned();
    let names = folder.names().map_err(|source| StoreError::ReadMarks { path, source })?;
    let mut marks = Vec::new();
    for op in names.iter().filter_map(|name| name.parse::<OperationId>().ok()) {
        match read(folder, op.clone()) {
            Ok(mark) => marks.push(mark),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                let path = folder.path().join(op.as_str());
                return Err(StoreError::ReadMarks { path, source });
            }
        }
    }
    Ok(marks)
}

/// Reads one marker. Whether it is held can only be found out by asking for the lock, for a moment.
fn read(folder: &Folder, op: OperationId) -> io::Result<RunningMark> {
    let mut file = folder.open_file(op.as_str())?;
    let mut text = String::new();
    file.by_ref().take(4096).read_to_string(&mut text)?;
    let mark = |who: &str| {
        text.lines().find_map(|line| line.strip_prefix(who)?.trim().parse::<ProcessMark>().ok())
    };
    let supervised = match Lock::acquire(file, Mode::Shared, Duration::ZERO)? {
        Grant::Busy(_) => true,
        Grant::Held(_) => false,
        Grant::Unsupported(_) => mark("shim ").is_some_and(|shim| shim.is_alive()),
    };
    Ok(RunningMark { op, supervised, child: mark("terraform ") })
}
