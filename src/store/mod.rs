//! Snapshots on disk: immutable objects named by their content, an append-only journal per state, and
//! nothing else that matters.
//!
//! A [`Store`] is a directory of the user's, outside any repository; in it each state has a
//! [`StateDir`]. This room never asks the clock, never invents operations and knows nothing of
//! Terraform: what is saved, when and why is told by its callers.
//!
//! Easy to get wrong: something is *saved* when the record that mentions it is durable, not before.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::model::identity::Identity;
use crate::sys::fs::{Folder, Made};
use crate::sys::lock::Mode;

use self::atomic::{Point, PublishError};
use self::format::Format;
use self::locking::{IDENTITY, LOCK, check_private, make, open, take_lock};

mod atomic;
mod error;
mod fold;
mod format;
mod head;
mod journal;
mod line;
mod locking;
mod object;
mod put;
mod record;
mod running;
mod segment;
mod state_dir;
mod survey;
#[cfg(test)]
mod tests;

pub(crate) use self::error::{Access, StoreError};
pub(crate) use self::fold::operation;
pub(crate) use self::head::{Head, OpenIntent, OpenOperation};
pub(crate) use self::journal::History;
pub(crate) use self::locking::DirLock;
pub(crate) use self::object::describe;
pub(crate) use self::record::{Entry, RecordKind, Side, Target};
pub(crate) use self::running::{Running, RunningMark};
pub(crate) use self::segment::Damage;
pub(crate) use self::state_dir::StateDir;
pub(crate) use self::survey::{Oddity, Survey, check_usable};

/// The name of the directory of all histories.
const STATES: &str = "states";

/// How many digits of the identity's hash end the name of a directory.
const KEY_DIGITS: usize = 12;

/// The user's store.
#[derive(Debug)]
pub(crate) struct Store {
    /// Its directory.
    root: PathBuf,
}

/// All histories of a store.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    /// Those that can be told, by the name of their directory.
    pub(crate) dirs: Vec<StateDir>,
    /// What kept the others from being told.
    pub(crate) unreadable: Vec<StoreError>,
}

impl Store {
    /// Opens the store for reading; none where there is none. Makes nothing and takes no lock.
    ///
    /// # Errors
    /// * `Foreign`, `Exposed`: it is not ours alone.
    /// * `NewerFormat`: this program would misread it.
    /// * It cannot be read.
    pub(crate) fn open(root: &Path) -> Result<Option<Self>, StoreError> {
        let folder = match open(root) {
            Err(StoreError::Open { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            opened => opened?,
        };
        let format = Format::read(&folder)?;
        if format.is_none() && !has_states(&folder)? {
            return Ok(None);
        }
        Self::checked(root, format.as_ref()).map(Some)
    }

    /// Opens the store for writing, and creates it where there is none.
    ///
    /// # Errors
    /// As [`Self::open`], and:
    /// * `NewerFormat`, `MissingFormat`: this program may not write to it.
    /// * `NotAStore`: there is something else in that directory.
    /// * It cannot be created.
    pub(crate) fn open_or_create(root: &Path) -> Result<Self, StoreError> {
        create_path(root)?;
        let folder = open(root)?;
        let format = match Format::read(&folder)? {
            Some(format) => format,
            None => create(&folder)?,
        };
        if !format.allows(Access::Write) {
            let path = root.to_owned();
            return Err(StoreError::NewerFormat { path, access: Access::Write });
        }
        Self::checked(root, Some(&format))
    }

    /// A store whose format lets us read.
    fn checked(root: &Path, format: Option<&Format>) -> Result<Self, StoreError> {
        if format.is_some_and(|format| !format.allows(Access::Read)) {
            let path = root.to_owned();
            return Err(StoreError::NewerFormat { path, access: Access::Read });
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Finds the history of a state; it may not be on the disk yet.
    ///
    /// Two clones of one configuration may lie in directories of different names, and the label is made
    /// from those; so the hash at the end of the name decides.
    ///
    /// # Errors
    /// The directory of the histories cannot be read.
    pub(crate) fn history_of(&self, identity: &Identity) -> Result<StateDir, StoreError> {
        let wanted = identity.directory_name();
        let names = self.names()?;
        let same = names.iter().find(|name| key_of(name) == key_of(&wanted));
        let name = same.unwrap_or(&wanted).clone();
        Ok(StateDir::new(&self.root, name, identity.clone()))
    }

    /// Reads which histories there are.
    ///
    /// # Errors
    /// Their directory cannot be read. A single one that cannot is listed in `unreadable`.
    pub(crate) fn histories(&self) -> Result<Histories, StoreError> {
        let mut all = Histories::default();
        let names = self.names()?;
        let Some(states) = self.states()? else { return Ok(all) };
        for name in names {
            match read_identity(&states, &name) {
                Ok(identity) => all.dirs.push(StateDir::new(&self.root, name, identity)),
                Err(error) => all.unreadable.push(error),
            }
        }
        Ok(all)
    }

    /// The names of all histories.
    fn names(&self) -> Result<Vec<String>, StoreError> {
        let Some(states) = self.states()? else { return Ok(Vec::new()) };
        let path = states.path().to_owned();
        let mut names = states.names().map_err(|source| StoreError::Open { path, source })?;
        names.retain(|name| key_of(name).is_some());
        Ok(names)
    }

    /// The directory of the histories, if there is one.
    fn states(&self) -> Result<Option<Folder>, StoreError> {
        match open(&self.root)?.folder(STATES) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Open { path: self.root.join(STATES), source }),
        }
    }
}

/// The hash at the end of a directory's name; none where the name is not one of ours.
fn key_of(name: &str) -> Option<&str> {
    let (label, key) = name.rsplit_once('-')?;
    let odd = |b: u8| !matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let hex = key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (key.len() == KEY_DIGITS && hex && !label.bytes().any(odd)).then_some(key)
}

/// Reads which state a directory is about.
fn read_identity(states: &Folder, name: &str) -> Result<Identity, StoreError> {
    let path = states.path().join(name).join(IDENTITY);
    let mut text = Vec::new();
    let file = states.folder(name).and_then(|folder| folder.open_file(IDENTITY));
    let read = file.and_then(|file| file.take(1 << 20).read_to_end(&mut text));
    let identity = read.and_then(|_| Ok(serde_json::from_slice(&text)?));
    identity.map_err(|source| StoreError::ReadIdentity { path, source })
}

/// Makes the root and what is missing above it, each 0700 and durable.
fn create_path(root: &Path) -> Result<(), StoreError> {
    let (Some(parent), Some(name)) = (root.parent(), root.file_name()) else { return Ok(()) };
    if root.is_dir() {
        return Ok(());
    }
    create_path(parent)?;
    let failed = |source| StoreError::Create { path: root.to_owned(), source };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let parent = Folder::open(parent).map_err(failed)?;
    atomic::make_folder(&parent, name).map_err(failed)?;
    Ok(())
}

/// Makes a store of an empty directory, or of what a first use left that was cut off. FORMAT comes
/// last: with it, everything is there.
fn create(root: &Folder) -> Result<Format, StoreError> {
    let failed = |source| StoreError::Create { path: root.path().to_owned(), source };
    refuse_foreign_content(root)?;
    root.make_private().map_err(failed)?;
    let _lock = take_lock(root, Mode::Exclusive)?;
    // While we waited, somebody else may have done it.
    if let Some(format) = Format::read(root)? {
        return Ok(format);
    }
    refuse_foreign_content(root)?;
    atomic::sweep(root);
    if make(root, STATES)?.1 == Made::Existing {
        atomic::sync_folder(root, Point::SyncMkdir).map_err(failed)?;
    }
    let format = Format::new().map_err(failed)?;
    let mut text = serde_json::to_vec(&format).map_err(StoreError::Encode)?;
    text.push(b'\n');
    for (name, text) in [(format::README, format::README_TEXT.as_bytes()), (format::FILE, &text)] {
        match atomic::publish(root, name, text, 0o600, (Point::SyncSetup, Point::SyncSetup)) {
            Err(PublishError::Again(error)) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => done.map_err(|error| failed(error.into_inner()))?,
        }
    }
    // Where there are no locks, the FORMAT of somebody else may stand there.
    Ok(Format::read(root)?.unwrap_or(format))
}

/// Refuses to make a store of a directory that is used for something else, or of one whose FORMAT
/// was lost. FORMAT is read after the histories were seen: it was there before the first of them,
/// so that one which somebody else makes and uses meanwhile is not taken for a damaged one.
fn refuse_foreign_content(root: &Folder) -> Result<(), StoreError> {
    let path = root.path().to_owned();
    if has_states(root)? && Format::read(root)?.is_none() {
        return Err(StoreError::MissingFormat { path });
    }
    let names = root.names().map_err(|source| StoreError::Open { path: path.clone(), source })?;
    let ours = |name: &String| {
        let fixed = [STATES, LOCK, format::README, format::FILE];
        fixed.contains(&name.as_str()) || name.starts_with(atomic::TEMPORARY)
    };
    if names.iter().all(ours) {
        return Ok(());
    }
    Err(StoreError::NotAStore { path })
}

/// Whether any history is there.
fn has_states(root: &Folder) -> Result<bool, StoreError> {
    let states = match root.folder(STATES) {
        Ok(states) => states,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(StoreError::Open { path: root.path().join(STATES), source }),
    };
    check_private(&states)?;
    let path = states.path().to_owned();
    let names = states.names().map_err(|source| StoreError::Open { path, source })?;
    Ok(!names.is_empty())
}
