//! The only place that creates, renames and removes files of the store, and that syncs them.
//!
//! Every point where the order of effects matters has a name, [`Point`]. In debug builds a process can
//! be told to die right before one of them, so that tests can look at what a crash there leaves behind.
//!
//! Easy to get wrong: after a failed sync the kernel has already marked the pages clean, so that asking
//! again succeeds and means nothing. Nothing here ever syncs a second time what failed once; a file is
//! written anew under another name, a directory that failed is given up.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use crate::sys::fs::{Folder, Made, reserve};
use crate::sys::random;

/// How names of unfinished files start.
pub(super) const TEMPORARY: &str = ".tmp-";

/// A point where the order of effects matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// Before the bytes of an object are synced.
    SyncObject,
    /// Before the name of an object is synced.
    SyncObjectsDir,
    /// Before a line of the journal is synced.
    SyncJournal,
    /// Before the name of a new segment is synced.
    SyncJournalDir,
    /// Before the directory that holds a new directory is synced.
    SyncMkdir,
    /// Before FORMAT, README or `identity.json` are synced.
    SyncSetup,
    /// Before an object that is there is read to see if it is the wanted one.
    DedupeVerify,
    /// Before the compressed bytes are decoded again.
    EncodeVerify,
}

impl Point {
    /// The name that tests use.
    #[cfg(debug_assertions)]
    fn name(self) -> &'static str {
        match self {
            Self::SyncObject => "sync-object",
            Self::SyncObjectsDir => "sync-objects-dir",
            Self::SyncJournal => "sync-journal",
            Self::SyncJournalDir => "sync-journal-dir",
            Self::SyncMkdir => "sync-mkdir",
            Self::SyncSetup => "sync-setup",
            Self::DedupeVerify => "dedupe-verify",
            Self::EncodeVerify => "encode-verify",
        }
    }

    /// Passes this point.
    ///
    /// # Errors
    /// Only where a unit test asked for one.
    #[cfg_attr(
        not(test),
        expect(clippy::unnecessary_wraps, reason = "only unit tests make a point fail")
    )]
    pub(super) fn pass(self) -> io::Result<()> {
        #[cfg(debug_assertions)]
        crash::at(self);
        #[cfg(test)]
        faults::at(self)?;
        Ok(())
    }
}

/// Why a publication failed.
#[derive(Debug)]
pub(super) enum PublishError {
    /// Nothing is left of the attempt; another one may succeed.
    Again(io::Error),
    /// The directory may not be durable, and asking again would prove nothing.
    Dead(io::Error),
}

impl PublishError {
    /// The cause.
    pub(super) fn into_inner(self) -> io::Error {
        match self {
            Self::Again(error) | Self::Dead(error) => error,
        }
    }
}

/// Makes a directory, or opens the one that is there, and makes its name durable if it is new.
///
/// # Errors
/// It cannot be made, opened or synced.
pub(super) fn make_folder(parent: &Folder, name: &OsStr) -> io::Result<(Folder, Made)> {
    let (folder, made) = parent.make_folder(name)?;
    if made == Made::New {
        sync_folder(parent, Point::SyncMkdir)?;
    }
    Ok((folder, made))
}

/// Makes the names in a directory durable.
///
/// # Errors
/// They may not be.
pub(super) fn sync_folder(folder: &Folder, point: Point) -> io::Result<()> {
    point.pass()?;
    folder.sync()
}

/// Writes a new file so that it is there completely or not at all, also after a power cut: temporary
/// name, sync, rename without replace, sync of the directory.
///
/// # Errors
/// [`PublishError`]. An `AlreadyExists` inside `Again` means that the name was taken meanwhile.
pub(super) fn publish(
    folder: &Folder,
    name: &str,
    bytes: &[u8],
    mode: u32,
    (file_point, folder_point): (Point, Point),
) -> Result<(), PublishError> {
    let temporary = random::hex16().map_err(PublishError::Again)?;
    let temporary = format!("{TEMPORARY}{temporary}");
    let written = write_synced(folder, &temporary, bytes, mode, file_point)
        .and_then(|()| folder.rename_new(&temporary, folder, name));
    if let Err(error) = written {
        let _ = folder.remove(&temporary);
        return Err(PublishError::Again(error));
    }
    sync_folder(folder, folder_point).map_err(PublishError::Dead)
}

/// Creates a file with all its bytes and its final mode, and syncs it.
fn write_synced(
    folder: &Folder,
    name: &str,
    bytes: &[u8],
    mode: u32,
    point: Point,
) -> io::Result<()> {
    let mut file = folder.create_file(name)?;
    reserve(&file, bytes.len().try_into().unwrap_or(u64::MAX))?;
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    point.pass()?;
    file.sync_all()
}

/// Appends a line to an open segment and makes it durable.
///
/// # Errors
/// The line may be there in part, whole or not at all. Nothing may be appended to this file any more.
pub(super) fn append(file: &mut File, line: &[u8]) -> io::Result<()> {
    file.write_all(line)?;
    Point::SyncJournal.pass()?;
    file.sync_data()
}

/// Creates a segment with its first lines and makes both it and its name durable.
///
/// # Errors
/// As [`publish`], but what was written stays: it may hold what another reader has already seen.
pub(super) fn create_segment(
    folder: &Folder,
    name: &str,
    lines: &[u8],
) -> Result<(), PublishError> {
    let mut file = folder.create_file(name).map_err(PublishError::Again)?;
    if let Err(error) = file.write_all(lines) {
        // Not a whole record: nobody has acted upon it, and a full disk must not collect such files.
        let _ = folder.remove(name);
        return Err(PublishError::Again(error));
    }
    Point::SyncJournal.pass().and_then(|()| file.sync_all()).map_err(PublishError::Again)?;
    sync_folder(folder, Point::SyncJournalDir).map_err(PublishError::Dead)
}

/// Creates the marker of an operation. Not synced: after a power cut nobody runs any more.
///
/// # Errors
/// It is there already, or cannot be created.
pub(super) fn create_marker(folder: &Folder, name: &str) -> io::Result<File> {
    folder.create_file(name)
}

/// Removes the marker of an operation that is over.
///
/// # Errors
/// It is there and stays.
pub(super) fn remove_marker(folder: &Folder, name: &str) -> io::Result<()> {
    folder.remove(name)
}

/// Opens a lock file, and creates it where it is missing.
///
/// # Errors
/// It is something else than a file, or cannot be created.
pub(super) fn open_lock_file(folder: &Folder, name: &str) -> io::Result<File> {
    folder.open_or_create(name)
}

/// Moves a file that is not what its name says to another directory, where people can look at it.
///
/// # Errors
/// It stays where it is.
pub(super) fn move_away(folder: &Folder, name: &str, to: &Folder) -> io::Result<()> {
    let new = format!("{name}.{}", random::hex16()?);
    folder.rename_new(name, to, &new)?;
    sync_folder(to, Point::SyncObjectsDir)
}

/// Removes what a killed process left unfinished. Only for those who hold the lock: for everybody else
/// it may be somebody's work. Failures are left to the next call.
pub(super) fn sweep(folder: &Folder) {
    let names = folder.names().unwrap_or_default();
    for name in names.iter().filter(|name| name.starts_with(TEMPORARY)) {
        let _ = folder.remove(name);
    }
}

/// Death on request, for tests that look at what a crash leaves behind. Not in release builds.
#[cfg(debug_assertions)]
mod crash {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::Point;

    /// `<point>` or `<point>:<n>`: die before the n-th pass.
    const VARIABLE: &str = "TF_SHIM_TEST_CRASH_AT";

    /// How often the point of the variable was passed.
    static PASSES: AtomicUsize = AtomicUsize::new(0);

    /// Ends this process at once if the variable names this point and this pass.
    pub(super) fn at(point: Point) {
        let Some(wish) = std::env::var_os(VARIABLE) else { return };
        let wish = wish.to_string_lossy();
        let (name, nth) = wish.split_once(':').unwrap_or((&wish, "1"));
        if name != point.name() {
            return;
        }
        let before = PASSES.fetch_add(1, Ordering::SeqCst);
        if nth.parse() == Ok(before.saturating_add(1)) {
            let ourselves = nix::unistd::Pid::this();
            let _ = nix::sys::signal::kill(ourselves, nix::sys::signal::Signal::SIGKILL);
        }
    }
}

/// Failures on request, for unit tests of this thread.
#[cfg(test)]
pub(super) mod faults {
    use std::cell::RefCell;
    use std::io;

    use super::Point;

    thread_local! {
        /// Points that fail, each once, in any order.
        static PLANNED: RefCell<Vec<Point>> = const { RefCell::new(Vec::new()) };
        /// Points that were passed.
        static PASSED: RefCell<Vec<Point>> = const { RefCell::new(Vec::new()) };
    }

    /// Lets the next passes of these points fail with EIO.
    pub(in crate::store) fn plan(points: &[Point]) {
        PLANNED.set(points.to_vec());
        PASSED.take();
    }

    /// The points passed since the plan was made.
    pub(in crate::store) fn passed() -> Vec<Point> {
        PASSED.take()
    }

    /// Passes a point.
    pub(super) fn at(point: Point) -> io::Result<()> {
        PASSED.with_borrow_mut(|passed| passed.push(point));
        PLANNED.with_borrow_mut(|planned| {
            let Some(index) = planned.iter().position(|other| *other == point) else {
                return Ok(());
            };
            planned.remove(index);
            Err(nix::errno::Errno::EIO.into())
        })
    }
}
