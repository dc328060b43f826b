//! Undo: restore what was before the last operation that changed the state, and say which case that is.

use std::collections::HashSet;
use std::ffi::OsStr;

use crate::error::Error;
use crate::model::change::{Action, StateDiff};
use crate::model::content::{Mode, ResourceEntry, list_resources};
use crate::model::operation::{Image, Kind, Operation, Outcome, Status};
use crate::model::state::{StateImage, same_meaning};
use crate::store::Side;

use super::history::History;
use super::report::UndoCase;
use super::restore::{Prepared, Wanted, finish_interrupted, prepare_image};
use super::resume::Look;
use super::{Context, Preview, Subject, resume};

/// Prepares the undo of the last operation that changed the state. What happened outside since the last
/// look counts, and is recorded first unless this is only a preview.
///
/// # Errors
/// There is nothing to undo, or what was before is not known or damaged.
pub(crate) fn prepare(
    context: &Context,
    subject: &Subject,
    called_as: &OsStr,
    preview: Preview,
) -> Result<Prepared, Error> {
    if preview == Preview::No {
        finish_interrupted(context, subject)?;
        record_what_happened_outside(context, subject, called_as)?;
    }
    let mut history = History::open(context, subject)?;
    if preview == Preview::Yes {
        history.add_unseen(context, called_as)?;
    }
    let operation = last_that_changed(&history)?;
    let before = operation.before.clone().filter(|before| before.status != Status::Unknown);
    // An entry made when a state was first seen has no before: there was none that we know of.
    let is_first_sight = operation.before.is_none() && operation.kind == Kind::Outside;
    if is_first_sight {
        return Err(Error::NothingToUndo);
    }
    let unknown = || Error::BeforeUnknown { operation: operation.id.to_string() };
    let image = before.ok_or_else(unknown)?;
    let undo = Some(case(&history, operation)?);
    let source = (operation.id.clone(), Side::Before);
    let wanted = Wanted { source, image, verb: "undo", undo };
    prepare_image(context, subject, called_as, &history, wanted)
}

fn record_what_happened_outside(
    context: &Context,
    subject: &Subject,
    called_as: &OsStr,
) -> Result<(), Error> {
    let Some(dir) = context.history_for_reading(&subject.location)? else { return Ok(()) };
    let ask = || subject.read(context, called_as);
    let mut seen = Look::take(context, &subject.location, ask)?;
    let lock = seen.lock(&dir, ask)?;
    resume::catch_up(context, &dir, &lock, &seen.reading)?;
    Ok(())
}

/// The last operation whose two states differ in meaning. One whose before is not known may have changed
/// anything, and is not passed over.
fn last_that_changed<'a>(history: &'a History<'_>) -> Result<&'a Operation, Error> {
    for operation in history.operations.iter().rev() {
        let counts = match operation.kind {
            Kind::Save | Kind::Accept => false,
            Kind::Run | Kind::Outside | Kind::Restore | Kind::Migrate => {
                operation.outcome != Some(Outcome::Refused)
            }
        };
        if counts && has_changed(history, operation)? {
            return Ok(operation);
        }
    }
    Err(Error::NothingToUndo)
}

fn has_changed(history: &History<'_>, operation: &Operation) -> Result<bool, Error> {
    let (before, after) = match (&operation.before, &operation.after) {
        (Some(before), Some(after)) => (before, after),
        // A run that the lock refused, or one that is still running, left nothing of its own.
        (_, None) => return Ok(operation.outcome == Some(Outcome::Unknown)),
        (None, Some(_)) => return Ok(true),
    };
    if before.status == Status::Unknown {
        return Ok(true);
    }
    if before.is_same_find(after) {
        return Ok(false);
    }
    let is_nothing = |image: &Image| matches!(image.status, Status::Absent | Status::Empty);
    if is_nothing(before) && is_nothing(after) {
        return Ok(false);
    }
    let content = |image: &Image| history.content(&operation.id, image);
    match (content(before)?, content(after)?) {
        (Some(before), Some(after)) => Ok(!same_meaning(before.bytes(), after.bytes())),
        _ => Ok(true),
    }
}

/// Whether a command touches only Terraform's memory, so that undoing it is exact.
fn touches_only_state(operation: &Operation) -> bool {
    let verb = operation.verb.as_deref().unwrap_or_default();
    match operation.kind {
        Kind::Restore | Kind::Migrate => true,
        Kind::Run => {
            verb.starts_with("state ")
                || verb.starts_with("workspace ")
                || matches!(verb, "import" | "taint" | "untaint" | "init")
        }
        Kind::Outside | Kind::Save | Kind::Accept => false,
    }
}

fn case(history: &History<'_>, operation: &Operation) -> Result<UndoCase, Error> {
    let is_exact = touches_only_state(operation);
    let operation_of_case = operation.clone();
    if is_exact {
        let (orphans, ghosts) = (Vec::new(), Vec::new());
        return Ok(UndoCase { operation: operation_of_case, is_exact, orphans, ghosts });
    }
    let side = |image: Option<&Image>| match image {
        Some(image) => history.content(&operation.id, image),
        None => Ok(None),
    };
    let before = side(operation.before.as_ref())?.filter(|state| state.status() == Status::Ok);
    let after = side(operation.after.as_ref())?.filter(|state| state.status() == Status::Ok);
    // A state that vanished deleted nothing; what is restored is what still exists.
    let is_gone = after.is_none() && operation.kind == Kind::Outside;
    let diff = StateDiff::between(before.as_ref(), after.as_ref());
    let (Ok(diff), false) = (diff, is_gone) else {
        let (orphans, ghosts) = (Vec::new(), Vec::new());
        return Ok(UndoCase { operation: operation_of_case, is_exact: is_gone, orphans, ghosts });
    };
    let mut orphans = of_action(&diff, Action::Add, after.as_ref());
    let mut ghosts = of_action(&diff, Action::Remove, before.as_ref());
    let has_moved = take_out_moved(&mut orphans, &mut ghosts);
    // Nothing but addresses differs: only Terraform's memory was touched after all.
    let is_exact = has_moved
        && orphans.is_empty()
        && ghosts.is_empty()
        && diff.resources.iter().all(|change| change.action != Action::Change);
    Ok(UndoCase { operation: operation_of_case, is_exact, orphans, ghosts })
}

/// Takes out what came under one address and went under another: the same thing, by type, provider and id.
/// Tells whether there was any.
fn take_out_moved(came: &mut Vec<ResourceEntry>, went: &mut Vec<ResourceEntry>) -> bool {
    type Thing = (String, String, String);
    let thing = |entry: &ResourceEntry| -> Option<Thing> {
        Some((entry.kind.clone(), entry.provider.clone(), entry.id.clone()?))
    };
    let new: HashSet<Thing> = came.iter().filter_map(thing).collect();
    let moved: HashSet<Thing> = went.iter().filter_map(thing).filter(|t| new.contains(t)).collect();
    let stays = |entry: &ResourceEntry| !thing(entry).is_some_and(|thing| moved.contains(&thing));
    came.retain(stays);
    went.retain(stays);
    !moved.is_empty()
}

/// The managed resources that the difference has under that action, as the state lists them.
fn of_action(diff: &StateDiff, action: Action, state: Option<&StateImage>) -> Vec<ResourceEntry> {
    let listed = state.and_then(|state| list_resources(state).ok()).unwrap_or_default();
    let is_meant = |entry: &ResourceEntry| {
        entry.mode == Mode::Managed
            && diff.resources.iter().any(|change| {
                change.action == action
                    && change.address == entry.address
                    && change.deposed == entry.deposed
            })
    };
    listed.into_iter().filter(is_meant).collect()
}
