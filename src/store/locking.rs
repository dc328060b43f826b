//! The locks of the store, and the directories one may use while holding them.
//!
//! The order is always: the store's lock, then the history's (store.md 6). Both are held for
//! milliseconds, never while a child runs or a person thinks.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::model::identity::Identity;
use crate::sys::fs::{self, Folder, Made};
use crate::sys::lock::{Grant, Lock, Mode};

use super::atomic::{self, Point, PublishError};
use super::error::{Access, StoreError};
use super::format::Format;

/// How long a lock is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Name of the file that says which state a directory is about.
pub(super) const IDENTITY: &str = "identity.json";

/// Name of lock files, of the store and of each history.
pub(super) const LOCK: &str = "lock";

/// The directories of a history.
const FOLDERS: [&str; 4] = ["journal", "objects", "running", "quarantine"];

/// What a lock file says between two holders. Anything else means that the last one died.
const RELEASED: &str = "free";

/// Where a history is, or shall be.
pub(super) struct Place<'a> {
    /// The root of the store.
    pub(super) root: &'a Path,
    /// The name of the directory in `states/`.
    pub(super) name: &'a str,
    /// Which state it is about.
    pub(super) identity: &'a Identity,
}

impl Place<'_> {
    /// Makes the directories and `identity.json`, and all of it durable, whatever an earlier attempt
    /// has left: it may have died between making and syncing.
    fn furnish(&self, root: &Folder, states: &Folder, folder: &Folder) -> Result<(), StoreError> {
        let failed = |source| StoreError::Create { path: folder.path().to_owned(), source };
        for name in FOLDERS {
            atomic::make_folder(folder, OsStr::new(name)).map_err(failed)?;
        }
        for parent in [folder, states, root] {
            atomic::sync_folder(parent, Point::SyncMkdir).map_err(failed)?;
        }
        let mut text = serde_json::to_vec_pretty(self.identity).map_err(StoreError::Encode)?;
        text.push(b'\n');
        let points = (Point::SyncSetup, Point::SyncSetup);
        match atomic::publish(folder, IDENTITY, &text, 0o600, points) {
            // Without locks another process may have been faster.
            Err(PublishError::Again(error)) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(())
            }
            done => done.map_err(|error| failed(error.into_inner())),
        }
    }
}

/// The proof that we alone write to a history, and the open directories to do it.
#[derive(Debug)]
pub(crate) struct DirLock {
    /// `objects/`.
    pub(super) objects: Folder,
    /// `journal/`.
    pub(super) journal: Folder,
    /// `running/`.
    pub(super) running: Folder,
    /// `quarantine/`.
    pub(super) quarantine: Folder,
    /// The lock of this history; none where there are no locks. Released before the store's.
    dir: Option<Lock>,
    /// The lock of the store.
    _store: Option<Lock>,
}

impl DirLock {
    /// Locks the history for writing and creates it where it is missing. Waits for up to 30 seconds.
    ///
    /// # Errors
    /// * `Locked`: somebody kept it that long.
    /// * `NewerFormat`, `MissingFormat`: this program may not write here.
    /// * It cannot be locked or created.
    pub(super) fn acquire(place: &Place<'_>) -> Result<Self, StoreError> {
        let root = open(place.root)?;
        let format = Format::read(&root)?;
        let format =
            format.ok_or_else(|| StoreError::MissingFormat { path: place.root.to_owned() })?;
        if !format.allows(Access::Write) {
            let path = place.root.to_owned();
            return Err(StoreError::NewerFormat { path, access: Access::Write });
        }
        let store = take_lock(&root, Mode::Shared)?;
        let states = make(&root, "states")?.0;
        let (folder, made) = make(&states, place.name)?;
        check_private(&folder)?;
        let dir = take_lock(&folder, Mode::Exclusive)?;
        if made == Made::New || !has(&folder, IDENTITY)? {
            place.furnish(&root, &states, &folder)?;
        }
        let [journal, objects, running, quarantine] = FOLDERS;
        let lock = Self {
            objects: make(&folder, objects)?.0,
            journal: make(&folder, journal)?.0,
            running: make(&folder, running)?.0,
            quarantine: make(&folder, quarantine)?.0,
            dir,
            _store: store,
        };
        lock.settle(&folder);
        Ok(lock)
    }

    /// Clears away what a holder left that died, and says who holds the lock now.
    fn settle(&self, folder: &Folder) {
        let Some(dir) = &self.dir else { return };
        if dir.text() != RELEASED {
            atomic::sweep(&self.objects);
            atomic::sweep(folder);
        }
        dir.write_text(&format!("pid {}", std::process::id()));
    }

    /// Whether the kernel excludes others. Where it does not, each process writes its own segment, and
    /// nothing may be removed.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.dir.is_some()
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        if let Some(lock) = &self.dir {
            lock.write_text(RELEASED);
        }
    }
}

/// Opens a directory by path and checks that it is ours alone.
pub(super) fn open(path: &Path) -> Result<Folder, StoreError> {
    let failed = |source| StoreError::Open { path: path.to_owned(), source };
    let folder = Folder::open(path).map_err(failed)?;
    check_private(&folder)?;
    Ok(folder)
}

/// Checks that a directory is ours, and that nobody else may write to it.
pub(super) fn check_private(folder: &Folder) -> Result<(), StoreError> {
    let path = folder.path().to_owned();
    let (owner, mode) = match folder.owner_and_mode() {
        Ok(found) => found,
        Err(source) => return Err(StoreError::Open { path, source }),
    };
    if owner != fs::effective_user() {
        return Err(StoreError::Foreign { path, owner });
    }
    if mode & 0o022 != 0 {
        return Err(StoreError::Exposed { path, mode });
    }
    Ok(())
}

/// Makes a directory of the store, or opens the one that is there.
pub(super) fn make(parent: &Folder, name: &str) -> Result<(Folder, Made), StoreError> {
    let path = parent.path().join(name);
    atomic::make_folder(parent, OsStr::new(name))
        .map_err(|source| StoreError::Create { path, source })
}

/// Whether a directory has an entry of that name.
fn has(folder: &Folder, name: &str) -> Result<bool, StoreError> {
    let path = folder.path().join(name);
    let found = folder.identity(name).map_err(|source| StoreError::Open { path, source })?;
    Ok(found.is_some())
}

/// Takes the lock in a directory; none where the file system has no locks. Where the lock file was
/// deleted while it was waited for, the lock on it excludes nobody, and the new file is asked for.
pub(super) fn take_lock(folder: &Folder, mode: Mode) -> Result<Option<Lock>, StoreError> {
    let path = folder.path().join(LOCK);
    let failed = |source| StoreError::Lock { path: path.clone(), source };
    loop {
        let file = atomic::open_lock_file(folder, LOCK).map_err(failed)?;
        let lock = match Lock::acquire(file, mode, PATIENCE).map_err(failed)? {
            Grant::Held(lock) => lock,
            Grant::Unsupported(_) => return Ok(None),
            Grant::Busy(text) => {
                let unnamed = text.is_empty() || text == RELEASED;
                let holder = if unnamed { "another process".to_owned() } else { text };
                return Err(StoreError::Locked { path, holder });
            }
        };
        let held = fs::FileIdentity::of(&lock.file().metadata().map_err(failed)?);
        if folder.identity(LOCK).map_err(failed)? == Some(held) {
            return Ok(Some(lock));
        }
    }
}
