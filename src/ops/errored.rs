//! States that lie about: what a failed save left in `errored.tfstate`, and what was written into a file
//! that had lost its name. Each is saved at once, as an operation of its own, and once.
//!
//! Such an operation is no look at the state: neither `@` nor what the state is now moves by it.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::guard::errored::{Standing, standing};
use crate::guard::refusal::{Expected, Refusal, Way, told};
use crate::model::guard::Guard;
use crate::model::operation::{Image, OperationId, Source, Status};
use crate::model::state::StateImage;
use crate::store::{DirLock, Entry, RecordKind, StateDir, describe};
use crate::terraform::errored::{NAME, find, path};

use super::caller::Caller;
use super::{Context, new_id, shell};

/// What the history says beside a state that was found in `errored.tfstate`.
pub(super) const LEFT_BY_A_FAILED_SAVE: &str = "errored.tfstate, left by a failed save";

/// A state in `errored.tfstate` that stands in the way.
struct Left {
    state: StateImage,
    image: Image,
    standing: Standing,
    /// The operation that keeps it, where one does.
    kept: Option<OperationId>,
}

/// Looks for an `errored.tfstate` in the root module that is ahead of the state that was found, or that a run
/// of ours left and nothing has come of. It is saved, and objected to.
///
/// # Errors
/// It cannot be saved, or the history cannot be read.
pub(super) fn look(
    context: &Context,
    (dir, lock): (&StateDir, &DirLock),
    states: (&Image, Option<&Expected>),
    caller: &Caller<'_>,
) -> Result<Option<Refusal>, Error> {
    let Some(mut left) = Left::find(context, Some(dir), states)? else { return Ok(None) };
    left.kept = Some(keep(context, (dir, lock), &left.state, LEFT_BY_A_FAILED_SAVE)?);
    Ok(Some(left.refusal(states.0, caller)))
}

/// As [`look`], for those who only ask: nothing is saved.
///
/// # Errors
/// The history cannot be read.
pub(super) fn glance(
    context: &Context,
    dir: Option<&StateDir>,
    states: (&Image, Option<&Expected>),
    caller: &Caller<'_>,
) -> Result<Option<Refusal>, Error> {
    let left = Left::find(context, dir, states)?;
    Ok(left.map(|left| left.refusal(states.0, caller)))
}

impl Left {
    fn find(
        context: &Context,
        dir: Option<&StateDir>,
        (found, expected): (&Image, Option<&Expected>),
    ) -> Result<Option<Self>, Error> {
        let Some(state) = find(&context.config.root_module, context.config.max_state_bytes) else {
            return Ok(None);
        };
        let image = describe(&state, Source::Found);
        let known = expected.map(|expected| (expected.lineage.as_ref(), expected.serial));
        let standing = standing(&image, found, known);
        let kept = dir.map(|dir| kept(dir, &image)).transpose()?.flatten();
        let is_there = matches!(found.status, Status::Ok | Status::Encrypted);
        let counts = match standing {
            Standing::Ahead => true,
            Standing::Beside => kept.is_some(),
            // Where nothing is there and nothing was expected, only our own record knows whose it is.
            Standing::Apart => !is_there && expected.is_none() && kept.is_some(),
        };
        Ok(counts.then_some(Self { state, image, standing, kept }))
    }

    fn refusal(&self, found: &Image, caller: &Caller<'_>) -> Refusal {
        let is = match found.status {
            Status::Absent => "there is no state".to_owned(),
            Status::Empty => "the state is empty".to_owned(),
            Status::Ok | Status::Encrypted => format!("the state is at {}", told(found)),
            Status::Invalid | Status::Ambiguous | Status::Unreadable | Status::Unknown => {
                "what is there is no state".to_owned()
            }
        };
        let way = match &self.kept {
            Some(id) => way_back(id, self.standing, caller),
            // Saving is the business of the command that is refused for it.
            None => caller.terraform(&format!("state push {NAME}")),
        };
        let rm = format!("rm {}", shell::word(path_for(caller)));
        Refusal {
            expected: self.kept.as_ref().map(|id| Expected::left_by(id, &self.image)),
            ways: vec![
                Way { command: way, does: "save what that run did" },
                Way { command: rm, does: "afterwards, or to forget it: the history keeps it" },
            ],
            ..Refusal::of(
                Guard::ErroredState,
                format!("{is}; `{NAME}` holds {}, left by a failed save", told(&self.image)),
            )
        }
    }
}

/// The file as the caller would name it.
fn path_for(caller: &Caller<'_>) -> PathBuf {
    path(Path::new(caller.chdir.unwrap_or_default()))
}

/// What brings a state that was left in `errored.tfstate` to where it belongs: Terraform's own command, where
/// that would take it and it is about the selected workspace; else a restore of ours.
pub(super) fn way_back(id: &OperationId, standing: Standing, caller: &Caller<'_>) -> String {
    let is_selected = caller.state.is_none() && caller.workspace.is_none();
    match standing {
        Standing::Ahead | Standing::Apart if is_selected => {
            caller.terraform(&format!("state push {NAME}"))
        }
        Standing::Ahead | Standing::Beside | Standing::Apart => {
            caller.shim(&format!("restore {id}"))
        }
    }
}

/// Saves a state that was found lying about, and gives the operation that keeps it: the one that does already,
/// where the content is known.
///
/// # Errors
/// It is not saved.
pub(super) fn keep(
    context: &Context,
    (dir, lock): (&StateDir, &DirLock),
    state: &StateImage,
    note: &str,
) -> Result<OperationId, Error> {
    let stored = dir.put(lock, state)?;
    let image = stored.image(state, Source::Found);
    if let Some(id) = kept(dir, &image)? {
        return Ok(id);
    }
    let id = new_id()?;
    let entry = Entry {
        verb: Some("save".to_owned()),
        after: Some(image),
        note: Some(note.to_owned()),
        ..context.entry(RecordKind::Save, &id)
    };
    dir.append(lock, &entry)?;
    Ok(id)
}

/// The operation that keeps a find of that content.
fn kept(dir: &StateDir, find: &Image) -> Result<Option<OperationId>, Error> {
    let operations = dir.history()?.operations;
    let is_it = |image: &Image| {
        image.source == Some(Source::Found) && image.digest == find.digest && image.digest.is_some()
    };
    let mut keepers = operations.iter().rev();
    Ok(keepers.find(|op| op.after.as_ref().is_some_and(is_it)).map(|op| op.id.clone()))
}
