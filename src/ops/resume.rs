//! Closing what was cut off: runs whose shim was killed, restores that wrote in part.
//!
//! Done by the next command that writes, under the lock of the history. Doing it twice does no harm.

use std::path::PathBuf;

use crate::error::Error;
use crate::model::guard::Guard;
use crate::model::operation::{Image, Outcome};
use crate::model::state::{Digest, StateImage};
use crate::store::{
    DirLock, Entry, Head, OpenIntent, OpenOperation, RecordKind, StateDir, StoreError,
};
use crate::sys::random;
use crate::terraform::locate::Location;
use crate::terraform::lock::{Claim, StateLock};
use crate::terraform::read::Reading;
use crate::terraform::{TerraformError, write};

use super::Context;
use super::capture::{changes, changes_of, observe, put};
use super::guards::{self, Known};

/// A reading, and how far the history had come when it was taken.
pub(crate) struct Look {
    /// The state.
    pub(crate) reading: Reading,
    /// The newest sequence number at that time.
    known: u64,
}

impl Look {
    /// Reads the state at a location, remembering how far its history has come.
    ///
    /// # Errors
    /// As `read`.
    pub(crate) fn take<E>(
        context: &Context,
        location: &Location,
        read: impl FnOnce() -> Result<Reading, E>,
    ) -> Result<Self, E> {
        // Where the store cannot be read, that comes to light when it is written.
        let dir = context.history_for_reading(location).ok().flatten();
        let known = dir.and_then(|dir| dir.head().ok()).map_or(0, |head| head.seq);
        Ok(Self { reading: read()?, known })
    }

    /// Locks the history, and looks again where it has moved on since: what others of us did meanwhile
    /// must not pass for a change behind our back.
    ///
    /// # Errors
    /// The history cannot be locked, or the state not be read.
    pub(crate) fn lock<E: From<StoreError>>(
        &mut self,
        dir: &StateDir,
        read: impl Fn() -> Result<Reading, E>,
    ) -> Result<DirLock, E> {
        for _ in 0..ATTEMPTS {
            let lock = dir.lock()?;
            let seq = dir.head()?.seq;
            if seq == self.known {
                return Ok(lock);
            }
            drop(lock);
            self.known = seq;
            self.reading = read()?;
        }
        Ok(dir.lock()?)
    }
}

/// How often a state is looked at again because its history has moved on.
const ATTEMPTS: usize = 5;

/// A history that knows the state as it is now.
pub(crate) struct CaughtUp {
    /// The state as it is now, saved.
    pub(crate) image: Image,
    /// Whether somebody else works on it, so that it may be about to change.
    pub(crate) is_contested: bool,
    /// Whether that is another command of ours, which the guards have been asked about.
    pub(crate) is_busy: bool,
}

/// Saves the state that was read, closes what was cut off, and records what happened without us. Every
/// command that writes begins with this.
///
/// # Errors
/// The store cannot be written.
pub(crate) fn catch_up(
    context: &Context,
    dir: &StateDir,
    lock: &DirLock,
    reading: &Reading,
) -> Result<CaughtUp, Error> {
    let image = put(dir, lock, reading)?;
    let is_busy = is_busy(dir)?;
    let is_contested = reading.is_locked || is_busy;
    close_runs(context, dir, lock, (reading, &image))?;
    if !is_contested {
        observe(context, dir, lock, (reading, &image))?;
    }
    Ok(CaughtUp { image, is_contested, is_busy })
}

/// Whether another run of ours, or the Terraform that one left behind, still works on this state.
///
/// # Errors
/// The markers cannot be read.
fn is_busy(dir: &StateDir) -> Result<bool, Error> {
    Ok(dir.running()?.iter().any(crate::store::RunningMark::is_live))
}

/// Gives each run that was not seen to end its end: the state that is there now is what it left, unless
/// something was recorded since that may have changed it. `image` is the reading, stored.
///
/// # Errors
/// The journal cannot be written.
pub(super) fn close_runs(
    context: &Context,
    dir: &StateDir,
    lock: &DirLock,
    (reading, image): (&Reading, &Image),
) -> Result<(), Error> {
    let (head, marks) = (dir.head()?, dir.running()?);
    for open in &head.open {
        if marks.iter().any(|mark| mark.op == open.id && mark.is_live()) {
            continue;
        }
        let end = end_of(context, dir, &head, open, (reading, image))?;
        dir.append(lock, &end)?;
    }
    // Those of the closed ones, and of runs that were killed before they were recorded as begun.
    for mark in marks.iter().filter(|mark| !mark.is_live()) {
        dir.clear_running(lock, &mark.op)?;
    }
    Ok(())
}

fn end_of(
    context: &Context,
    dir: &StateDir,
    head: &Head,
    open: &OpenOperation,
    (reading, image): (&Reading, &Image),
) -> Result<Entry, Error> {
    let later = head.newest_after.as_ref().is_some_and(|(seq, _)| *seq > open.seq);
    let is_ours = !open.doubtful && !later;
    // It may have been a `destroy`; but no command of ours puts another lineage or an old state there.
    let notice = guards::notice(context, Known::by(dir, head), (image, reading))?;
    let notice = notice.filter(|it| is_ours && it.guard != Guard::MissingState.word());
    Ok(Entry {
        outcome: Some(Outcome::Unknown),
        guards: notice.into_iter().collect(),
        after: is_ours.then(|| image.clone()),
        changes: is_ours.then(|| changes_of(dir, open.before.as_ref(), reading)).flatten(),
        ..context.entry_of_nobody(RecordKind::End, &open.id)
    })
}

/// Finishes restores that were cut off: what was written whole is recorded as done, what was not begun
/// as given up, and a half-written file is written again.
///
/// # Errors
/// A file could not be written; the state is then still refused by every Terraform.
pub(crate) fn finish_restores(context: &Context, dir: &StateDir) -> Result<(), Error> {
    if dir.head()?.intents.is_empty() {
        return Ok(());
    }
    let lock = dir.lock()?;
    let marks = dir.running()?;
    for intent in dir.head()?.intents {
        // One that is still at work finishes by itself.
        if marks.iter().any(|mark| mark.op == intent.id && mark.is_live()) {
            continue;
        }
        finish_restore(context, dir, &lock, &intent)?;
    }
    Ok(())
}

fn finish_restore(
    context: &Context,
    dir: &StateDir,
    lock: &DirLock,
    intent: &OpenIntent,
) -> Result<(), Error> {
    let given_up = |note: &str| Entry {
        outcome: Some(Outcome::Failed),
        note: Some(note.to_owned()),
        ..context.entry_of_nobody(RecordKind::RestoreAbort, &intent.id)
    };
    let (Some(path), Some(wanted)) = (&intent.path, &intent.wanted) else {
        // A remote restore is one push: whether it arrived shows in the next reading.
        dir.append(lock, &given_up("interrupted; whether the push arrived is not known"))?;
        return Ok(());
    };
    let path = PathBuf::from(path.to_os_string());
    let uuid = random::uuid().map_err(|source| Error::NoRandom { source })?;
    let holder = context.who.at_host();
    let claim = Claim { id: &uuid, who: &holder, at: context.clock.now() };
    let held = match StateLock::take(&path, &claim) {
        Ok(Some(held)) => held,
        Ok(None) => {
            write::clear(&path, intent.id.as_str())?;
            dir.append(lock, &given_up("interrupted before it wrote"))?;
            return Ok(());
        }
        // Somebody holds it: the restore itself, perhaps, still at work.
        Err(TerraformError::Locked { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    write::clear(&path, intent.id.as_str())?;
    let bytes = std::fs::read(&path)
        .map_err(|source| TerraformError::Read { path: path.clone(), source })?;
    let is_wanted = wanted.digest == Some(Digest::of(&bytes));
    if !is_wanted && !write::is_poisoned(&bytes) {
        dir.append(lock, &given_up("interrupted before it wrote"))?;
        return Ok(());
    }
    let state: StateImage = dir.get(wanted)?;
    if !is_wanted {
        write::overwrite(held.file(), &path, state.bytes())?;
    }
    let done = Entry {
        outcome: Some(Outcome::Done),
        after: Some(wanted.clone()),
        changes: changes(dir, intent.before.as_ref(), &state.scan().census),
        note: Some("finished after an interruption".to_owned()),
        ..context.entry_of_nobody(RecordKind::RestoreDone, &intent.id)
    };
    dir.append(lock, &done)?;
    Ok(())
}
