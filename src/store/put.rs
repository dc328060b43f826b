//! Publishing a snapshot: the steps of store.md 5, each failure with its own way out.

use std::io;

use crate::model::state::{Digest, StateImage};

use super::atomic::{self, Point, PublishError};
use super::error::StoreError;
use super::locking::DirLock;
use super::object::{self, ObjectName, Stored};
use super::state_dir::{StateDir, byte_count, read_object};

/// What must remain free beside the bytes of a state.
const SPARE_BYTES: u64 = 16 << 20;

impl StateDir {
    /// Saves the bytes of a state and makes them durable. What is there already is compared, not
    /// written again; what is there and wrong goes to `quarantine/`.
    ///
    /// # Errors
    /// They are not saved. [`StoreError::Space`] where there is too little room.
    pub(crate) fn put(&self, lock: &DirLock, state: &StateImage) -> Result<Stored, StoreError> {
        self.check_alive()?;
        let name = ObjectName::of(state);
        let failed = |source| StoreError::Put { object: name.as_str().to_owned(), source };
        let needed = byte_count(state.bytes()).saturating_add(SPARE_BYTES);
        let available = lock.objects.available_bytes().map_err(failed)?;
        if available < needed {
            let path = lock.objects.path().to_owned();
            return Err(StoreError::Space { path, needed, available });
        }
        let quarantined = match self.find(lock, &name, state)? {
            Found::Good(stored) => return Ok(stored),
            Found::Bad => true,
            Found::Nothing => false,
        };
        let encoded = object::encode(state.bytes()).map_err(failed)?;
        Point::EncodeVerify.pass().map_err(failed)?;
        if !object::is_encoding_of(&encoded, state.bytes()) {
            return Err(StoreError::EncodeVerify { object: name.as_str().to_owned() });
        }
        self.publish(lock, &name, &encoded).map_err(failed)?;
        Ok(stored(&name, &encoded, quarantined))
    }

    /// Looks for an object that is there already. A bad one is moved away.
    fn find(
        &self,
        lock: &DirLock,
        name: &ObjectName,
        state: &StateImage,
    ) -> Result<Found, StoreError> {
        let failed = |source| StoreError::Put { object: name.as_str().to_owned(), source };
        Point::DedupeVerify.pass().map_err(failed)?;
        match read_object(&lock.objects, name, byte_count(state.bytes())) {
            Ok(encoded) if object::is_encoding_of(&encoded, state.bytes()) => {
                // Whoever wrote it may have died before its name was durable.
                self.sync_objects(lock).map_err(failed)?;
                return Ok(Found::Good(stored(name, &encoded, false)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) if is_our_trouble(&error) => return Err(failed(error)),
            Ok(_) | Err(_) => {}
        }
        atomic::move_away(&lock.objects, name.as_str(), &lock.quarantine).map_err(failed)?;
        Ok(Found::Bad)
    }

    /// Writes an object, and where that fails once more from memory.
    fn publish(&self, lock: &DirLock, name: &ObjectName, encoded: &[u8]) -> io::Result<()> {
        let points = (Point::SyncObject, Point::SyncObjectsDir);
        let attempt = || atomic::publish(&lock.objects, name.as_str(), encoded, 0o400, points);
        match attempt() {
            Err(PublishError::Again(first)) => match attempt() {
                // Without locks another process may have been faster; names are by content.
                Err(PublishError::Again(error)) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.adopt(lock, name, encoded, first)
                }
                done => self.note_death(done),
            },
            done => self.note_death(done),
        }
    }

    /// Accepts an object that somebody else has published meanwhile, if it is the same file.
    fn adopt(
        &self,
        lock: &DirLock,
        name: &ObjectName,
        encoded: &[u8],
        error: io::Error,
    ) -> io::Result<()> {
        let limit = byte_count(encoded);
        if read_object(&lock.objects, name, limit).is_ok_and(|found| found == encoded) {
            return self.sync_objects(lock);
        }
        Err(error)
    }

    /// Syncs `objects/`, and remembers if that failed.
    fn sync_objects(&self, lock: &DirLock) -> io::Result<()> {
        let synced = atomic::sync_folder(&lock.objects, Point::SyncObjectsDir);
        self.note_death(synced.map_err(PublishError::Dead))
    }
}

/// What stands under a wanted name.
enum Found {
    /// The wanted object.
    Good(Stored),
    /// Something else stood there.
    Bad,
    /// Nothing.
    Nothing,
}

/// What is told about an object.
fn stored(name: &ObjectName, encoded: &[u8], quarantined: bool) -> Stored {
    Stored {
        name: name.as_str().to_owned(),
        bytes: byte_count(encoded),
        sha256: Digest::of(encoded),
        quarantined,
    }
}

/// Whether an error says something about us and nothing about the file.
fn is_our_trouble(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let code = error.raw_os_error().map(Errno::from_raw);
    matches!(
        code,
        Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::EACCES | Errno::EPERM)
    )
}
