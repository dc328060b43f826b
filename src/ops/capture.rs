//! Seeing a state and keeping what was seen: read, store, notice what happened without us.

use std::path::Path;

use crate::error::Error;
use crate::guard::state::Meaning;
use crate::model::census::Census;
use crate::model::operation::{Changes, Image, Status};
use crate::model::state::{StateImage, same_meaning};
use crate::store::{DirLock, Entry, RecordKind, StateDir, StoreError, describe};
use crate::terraform::locate::{Location, Place};
use crate::terraform::read::{self, Reading};
use crate::terraform::{Limits, Terraform, TerraformError};

use super::guards::{self, Known};
use super::{Context, new_id};

/// Reads the state at a location as it is now. `workspace` is the one to ask a remote for, where it is
/// not the selected one.
///
/// # Errors
/// It is there and cannot be read; or the remote cannot be asked.
pub(crate) fn read(
    location: &Location,
    terraform: &Terraform,
    workspace: Option<&str>,
    limits: Limits<'_>,
) -> Result<Reading, TerraformError> {
    match &location.place {
        Place::File(path) => read::read_file(path, limits.bytes),
        Place::Remote => read::pull(terraform, workspace, limits),
    }
}

/// Reads a local state; none for a remote one, which nobody asked to be asked.
///
/// # Errors
/// It is there and cannot be read.
pub(crate) fn read_if_local(
    location: &Location,
    limits: Limits<'_>,
) -> Result<Option<Reading>, TerraformError> {
    match &location.place {
        Place::File(path) => read::read_file(path, limits.bytes).map(Some),
        Place::Remote => Ok(None),
    }
}

/// The path of a local state.
pub(crate) fn local_path(location: &Location) -> Option<&Path> {
    match &location.place {
        Place::File(path) => Some(path),
        Place::Remote => None,
    }
}

/// What a reading is, without keeping it.
pub(crate) fn image_of(reading: &Reading) -> Image {
    match &reading.image {
        Some(image) if reading.status != Status::Absent => describe(image, reading.source),
        Some(_) | None => {
            Image { source: Some(reading.source), ..Image::without_bytes(reading.status) }
        }
    }
}

/// Stores the bytes of a reading. No bytes, nothing stored.
///
/// # Errors
/// They are not saved.
pub(crate) fn put(dir: &StateDir, lock: &DirLock, reading: &Reading) -> Result<Image, StoreError> {
    match &reading.image {
        Some(image) if reading.status != Status::Absent && !image.bytes().is_empty() => {
            Ok(dir.put(lock, image)?.image(image, reading.source))
        }
        Some(_) | None => Ok(image_of(reading)),
    }
}

/// The fingerprints of a reading's resources.
pub(crate) fn census(reading: &Reading) -> Census {
    reading.image.as_ref().map(|image| image.scan().census.clone()).unwrap_or_default()
}

/// Records, as an operation of its own, that the state changed without us; nothing if it did not.
/// `image` is the reading, stored.
///
/// A different file with the same meaning (another version of Terraform wrote it again) is no change.
///
/// # Errors
/// The journal cannot be written.
pub(crate) fn observe(
    context: &Context,
    dir: &StateDir,
    lock: &DirLock,
    (reading, image): (&Reading, &Image),
) -> Result<(), Error> {
    let Some(entry) = unseen(context, dir, (reading, image))? else { return Ok(()) };
    dir.append(lock, &entry)?;
    Ok(())
}

/// What would be recorded of a change without us; none where there was none.
///
/// # Errors
/// The journal cannot be read.
pub(crate) fn unseen(
    context: &Context,
    dir: &StateDir,
    (reading, image): (&Reading, &Image),
) -> Result<Option<Entry>, Error> {
    let head = dir.head()?;
    let was = head.last.as_ref();
    let is_known = match was {
        Some(was) => was.is_same_find(image) || is_rewritten(dir, was, reading),
        None => matches!(image.status, Status::Absent | Status::Empty),
    };
    if is_known {
        return Ok(None);
    }
    let notice = guards::notice(context, Known::by(dir, &head), (image, reading))?;
    Ok(Some(Entry {
        before: was.cloned(),
        after: Some(image.clone()),
        changes: changes_of(dir, was, reading),
        guards: notice.into_iter().collect(),
        ..context.entry_of_nobody(RecordKind::Outside, &new_id()?)
    }))
}

/// How the reading compares with a state that is kept.
pub(crate) fn meaning(dir: &StateDir, kept: &Image, reading: &Reading) -> Meaning {
    let Some(found) = &reading.image else { return Meaning::Unknown };
    if kept.digest == Some(found.digest()) {
        return Meaning::Same;
    }
    match dir.get(kept) {
        Ok(kept) if same_meaning(kept.bytes(), found.bytes()) => Meaning::Same,
        Ok(_) => Meaning::Different,
        Err(_) => Meaning::Unknown,
    }
}

/// Whether the reading is the same state under the same serial, only written anew.
fn is_rewritten(dir: &StateDir, was: &Image, reading: &Reading) -> bool {
    let Some(header) = reading.image.as_ref().and_then(StateImage::header) else { return false };
    was.serial == Some(header.serial)
        && was.lineage == header.lineage
        && meaning(dir, was, reading) == Meaning::Same
}

/// Counts what differs between a kept state and one that was read; none where what was read is no state.
pub(crate) fn changes_of(
    dir: &StateDir,
    before: Option<&Image>,
    reading: &Reading,
) -> Option<Changes> {
    let is_countable = matches!(reading.status, Status::Ok | Status::Absent | Status::Empty);
    is_countable.then(|| changes(dir, before, &census(reading))).flatten()
}

/// Counts what differs between a kept state and one whose fingerprints are at hand; none where the kept
/// one cannot be read.
pub(crate) fn changes(dir: &StateDir, before: Option<&Image>, after: &Census) -> Option<Changes> {
    let before = match before.map(|before| before.status) {
        None | Some(Status::Absent | Status::Empty) => Census::default(),
        Some(Status::Ok) => dir.get(before?).ok()?.scan().census.clone(),
        Some(_) => return None,
    };
    Some(before.changes(after))
}
