//! The history of one state: its directory in the store, its lock, its snapshots and its journal.
//!
//! Reading (`history`, `head`, `get`, `running`) takes no lock and makes nothing. Writing (`put`,
//! `append`, `mark_running`) asks for a [`DirLock`] as proof. The order is always: `put` first, then
//! the record that mentions it; and Terraform only after both.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::identity::Identity;
use crate::model::operation::{Image, OperationId, Outcome};
use crate::model::state::StateImage;
use crate::sys::fs::Folder;
use crate::sys::random;

use super::atomic::{self, PublishError};
use super::error::StoreError;
use super::head::Head;
use super::journal::{self, History, Writers};
use super::locking::{DirLock, Place};
use super::object::{self, ObjectName};
use super::record::Entry;
use super::running::{self, Running, RunningMark};

/// The history of one state. It may not be on the disk yet.
#[derive(Debug)]
pub(crate) struct StateDir {
    /// The state.
    identity: Identity,
    /// The root of the store.
    root: PathBuf,
    /// The name of the directory in `states/`.
    name: String,
    /// The whole path.
    path: PathBuf,
    /// Sixteen digits for a segment of our own, should there be no locks.
    owner: OnceLock<String>,
    /// Whether a sync of one of its directories has failed: nothing here becomes durable any more.
    dead: AtomicBool,
    /// Whether the last append failed: what is in its segment is not known.
    doubt: AtomicBool,
}

impl StateDir {
    /// The history in a directory of the store, whether it is there or not.
    pub(super) fn new(root: &Path, name: String, identity: Identity) -> Self {
        let path = root.join("states").join(&name);
        Self {
            identity,
            root: root.to_owned(),
            name,
            path,
            owner: OnceLock::new(),
            dead: AtomicBool::new(false),
            doubt: AtomicBool::new(false),
        }
    }

    /// Which state this is the history of.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where it is.
    #[cfg(test)]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is anything.
    pub(crate) fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Locks the history for writing and creates it where it is missing. Waits for up to 30 seconds.
    ///
    /// # Errors
    /// * `Locked`: somebody kept it that long.
    /// * `NewerFormat`, `MissingFormat`: this program may not write here.
    /// * It cannot be locked or created.
    pub(crate) fn lock(&self) -> Result<DirLock, StoreError> {
        let place = Place { root: &self.root, name: &self.name, identity: &self.identity };
        DirLock::acquire(&place)
    }

    /// Remembers a directory that may not be durable.
    pub(super) fn note_death(&self, result: Result<(), PublishError>) -> io::Result<()> {
        if matches!(result, Err(PublishError::Dead(_))) {
            self.dead.store(true, Ordering::Relaxed);
        }
        result.map_err(PublishError::into_inner)
    }

    /// Refuses to go on where nothing becomes durable any more.
    pub(super) fn check_alive(&self) -> Result<(), StoreError> {
        if self.dead.load(Ordering::Relaxed) {
            return Err(StoreError::Dead { path: self.path.clone() });
        }
        Ok(())
    }

    /// Appends a record, makes it durable, and gives its number.
    ///
    /// # Errors
    /// It must not be relied upon.
    pub(crate) fn append(&self, lock: &DirLock, entry: &Entry) -> Result<u64, StoreError> {
        self.check_alive()?;
        let fresh = self.doubt.load(Ordering::Relaxed);
        let done = journal::append(&lock.journal, self.writers(lock)?, entry, fresh);
        self.doubt.store(done.is_err(), Ordering::Relaxed);
        done.map_err(|failure| {
            if failure.dead {
                self.dead.store(true, Ordering::Relaxed);
            }
            failure.error
        })
    }

    /// Who writes to the journal.
    fn writers(&self, lock: &DirLock) -> Result<Writers<'_>, StoreError> {
        if lock.is_exclusive() {
            return Ok(Writers::Locked);
        }
        if self.owner.get().is_none() {
            let path = self.path.clone();
            let random = random::hex16().map_err(|source| StoreError::Append { path, source })?;
            let _ = self.owner.set(random);
        }
        Ok(self.owner.get().map_or(Writers::Locked, |owner| Writers::Own(owner)))
    }

    /// Reads what the next writer has to know; only the last segment, however long the history is.
    /// Without a [`DirLock`] in hand it may be outdated at once.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) fn head(&self) -> Result<Head, StoreError> {
        match self.folder("journal")? {
            Some(folder) => Ok(journal::read_tail(&folder, Writers::Locked)?.head),
            None => Ok(Head::default()),
        }
    }

    /// Reads and folds the whole journal. No lock. What is open and has nobody at work is `unknown`.
    ///
    /// # Errors
    /// The journal cannot be read. Lines that are damaged are no error but in `damage`.
    pub(crate) fn history(&self) -> Result<History, StoreError> {
        let Some(folder) = self.folder("journal")? else { return Ok(History::default()) };
        let mut history = journal::read_history(&folder)?;
        let mut open = history.operations.iter_mut().filter(|it| it.outcome.is_none()).peekable();
        if open.peek().is_some() {
            let marks = self.running()?;
            let is_live =
                |id: &OperationId| marks.iter().any(|mark| mark.op == *id && mark.is_live());
            open.filter(|operation| !is_live(&operation.id))
                .for_each(|operation| operation.outcome = Some(Outcome::Unknown));
        }
        Ok(history)
    }

    /// Reads the bytes of a snapshot, and proves that they are the ones that were saved.
    ///
    /// # Errors
    /// * `NoObject`: the image was recorded without bytes.
    /// * `DamagedObject`: what is there is something else.
    /// * `Get`: it is not there, or cannot be read.
    pub(crate) fn get(&self, image: &Image) -> Result<StateImage, StoreError> {
        let (Some(stored), Some(digest)) = (&image.stored, image.digest) else {
            return Err(StoreError::NoObject);
        };
        let damaged = |fault| StoreError::DamagedObject { object: stored.clone(), fault };
        let failed = |source| StoreError::Get { object: stored.clone(), source };
        let name = ObjectName::parse(stored).ok_or_else(|| damaged("its name is no object's"))?;
        let missing = || failed(io::ErrorKind::NotFound.into());
        let objects = self.folder("objects")?.ok_or_else(missing)?;
        let encoded = match read_object(&objects, &name, image.bytes) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(damaged("it is longer than recorded"));
            }
            read => read.map_err(failed)?,
        };
        let plain = object::decode(&encoded, image.bytes).map_err(damaged)?;
        let state = StateImage::new(plain);
        if state.digest() != digest {
            return Err(damaged("its content is not what was saved"));
        }
        Ok(state)
    }

    /// Marks an operation as under way for as long as the result lives. Before the child is started;
    /// [`Running::note_child`] afterwards.
    ///
    /// # Errors
    /// It cannot be marked.
    #[expect(clippy::unused_self, reason = "beside `running`, where one looks for it")]
    pub(crate) fn mark_running(
        &self,
        lock: &DirLock,
        op: &OperationId,
    ) -> Result<Running, StoreError> {
        let mark = |source| StoreError::Mark { path: lock.running.path().to_owned(), source };
        Running::create(lock.running.try_clone().map_err(mark)?, op)
    }

    /// Reads which operations are, or were, under way.
    ///
    /// # Errors
    /// The markers cannot be read.
    pub(crate) fn running(&self) -> Result<Vec<RunningMark>, StoreError> {
        match self.folder("running")? {
            Some(folder) => running::read_all(&folder),
            None => Ok(Vec::new()),
        }
    }

    /// Removes the marker of an operation that was found dead and has been closed.
    ///
    /// # Errors
    /// It is there and stays.
    #[expect(clippy::unused_self, reason = "beside `running`, where one looks for it")]
    pub(crate) fn clear_running(&self, lock: &DirLock, op: &OperationId) -> Result<(), StoreError> {
        let path = lock.running.path().join(op.as_str());
        atomic::remove_marker(&lock.running, op.as_str())
            .map_err(|source| StoreError::Mark { path, source })
    }

    /// Opens one of the directories for reading; none where it is not there.
    fn folder(&self, name: &str) -> Result<Option<Folder>, StoreError> {
        let opened = Folder::open(&self.root)
            .and_then(|root| root.folder("states"))
            .and_then(|states| states.folder(&self.name))
            .and_then(|folder| folder.folder(name));
        match opened {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Open { path: self.path.join(name), source }),
        }
    }
}

/// Reads an object's file, which cannot be longer than the plain bytes allow.
pub(super) fn read_object(folder: &Folder, name: &ObjectName, plain: u64) -> io::Result<Vec<u8>> {
    let limit = object::longest_encoding(plain);
    let file = folder.open_file(name.as_str())?;
    let mut encoded = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut encoded)?;
    if byte_count(&encoded) > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(encoded)
}

/// A length as the journal has it.
pub(super) fn byte_count(bytes: &[u8]) -> u64 {
    bytes.len().try_into().unwrap_or(u64::MAX)
}
