//! Asking the guards about a state: what should be there, what objects, and what leads out.
//!
//! What is judged is told in the room `guard`; here its facts are gathered, and its answers become refusals
//! that a person can act on. Nothing here stops a command: that is the business of whoever asked.

use std::error::Error as _;

use crate::error::Error;
use crate::guard::refusal::{Expected, Refusal, Way, Witness, sentence};
use crate::guard::scope::Scope;
use crate::guard::state::{Meaning, Objection, judge};
use crate::model::guard::Guard;
use crate::model::identity::Identity;
use crate::model::operation::{GuardAction, GuardNote, Image, Operation, Source};
use crate::model::text::OddText;
use crate::proxy::{Guarded, Verb};
use crate::store::{Head, StateDir};
use crate::terraform::locate::{Location, Setting};
use crate::terraform::read::Reading;

use super::caller::Caller;
use super::{Context, capture, passport};

/// How much a command puts at risk: the second table of interface.md 3.
pub(super) fn scope(guarded: &Guarded, setting: &Setting) -> Scope {
    match guarded.verb {
        Verb::Apply
        | Verb::Destroy
        | Verb::Refresh
        | Verb::Taint
        | Verb::Untaint
        | Verb::StateMv
        | Verb::StateRm
        | Verb::StateReplaceProvider => Scope::State,
        Verb::Import => Scope::Cure,
        Verb::StatePush => Scope::Replacement,
        Verb::WorkspaceDelete | Verb::StateMigrate => Scope::Move,
        Verb::Init if moves(guarded, setting) => Scope::Move,
        Verb::Init | Verb::WorkspaceNew | Verb::WorkspaceSelect | Verb::ForceUnlock => {
            Scope::Nothing
        }
    }
}

/// Whether an `init` may move the state: it says so, or there is a backend that it has not seen yet.
fn moves(guarded: &Guarded, setting: &Setting) -> bool {
    let says_so = ["migrate-state", "force-copy", "reconfigure"]
        .into_iter()
        .any(|switch| guarded.line.is_set(switch));
    says_so || setting.may_need_init
}

/// What is known of a state.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// Its history; none where there is no store yet.
    pub(super) dir: Option<&'a StateDir>,
    /// The sum of its history.
    pub(super) head: &'a Head,
    /// Which state it is.
    pub(super) identity: &'a Identity,
}

impl<'a> Known<'a> {
    /// What a history knows.
    pub(super) fn by(dir: &'a StateDir, head: &'a Head) -> Self {
        Self { dir: Some(dir), head, identity: dir.identity() }
    }
}

/// What should be there: the newest good state of the history, else what the passport says. None where
/// nothing is known, or where it was taken away by right.
///
/// # Errors
/// The passport is no passport.
pub(super) fn expected(
    context: &Context,
    head: &Head,
    identity: &Identity,
) -> Result<Option<Expected>, Error> {
    match &head.good {
        _ if head.cleared => Ok(None),
        Some((id, good)) => Ok(Some(Expected::left_by(id, good))),
        None => passport::expected(context, identity),
    }
}

/// Judges a state that was found, next to what is known of it.
///
/// # Errors
/// The passport is no passport.
pub(super) fn objection(
    context: &Context,
    known: Known<'_>,
    (found, reading): (&Image, &Reading),
) -> Result<Option<(Objection, Option<Expected>)>, Error> {
    let Known { dir, head, identity } = known;
    let expected = expected(context, head, identity)?;
    // Only there does the content matter, and only there is it worth reading.
    let good = head.good.as_ref().map(|(_, good)| good);
    let good = good.filter(|good| good.serial == found.serial && good.lineage == found.lineage);
    let meaning = dir.zip(good).map(|(dir, good)| capture::meaning(dir, good, reading));
    let meaning = meaning.unwrap_or(Meaning::Unknown);
    let objection = judge(found, expected.as_ref(), meaning);
    Ok(objection.map(|objection| (objection, expected)))
}

/// What the record of a state that was only seen keeps: what a guard would object to. Where the passport
/// cannot be asked, that: nobody knows then whether the state is the right one.
///
/// # Errors
/// The history cannot be read.
pub(super) fn notice(
    context: &Context,
    known: Known<'_>,
    found: (&Image, &Reading),
) -> Result<Option<GuardNote>, Error> {
    match objection(context, known, found) {
        Ok(objection) => Ok(objection.map(noted)),
        Err(Error::NoPassport { path, .. }) => {
            let text =
                format!("`{}`, which should tell the lineage, is no passport", path.display());
            Ok(Some(GuardNote::new(Guard::ForeignState, GuardAction::Noted, text)))
        }
        Err(error) => Err(error),
    }
}

/// What the record of something that was only seen keeps of an objection.
pub(super) fn noted((objection, expected): (Objection, Option<Expected>)) -> GuardNote {
    let text = sentence(expected.as_ref(), &objection.found);
    GuardNote::new(objection.guard, GuardAction::Noted, text)
}

/// Makes a refusal of an objection: with who last saw the state that is missed, and with the ways out.
///
/// # Errors
/// The history cannot be read.
pub(super) fn refusal(
    known: Known<'_>,
    (objection, expected): (Objection, Option<Expected>),
    caller: &Caller<'_>,
) -> Result<Refusal, Error> {
    let operations = known.dir.map(StateDir::history).transpose()?.unwrap_or_default().operations;
    let expected = expected.map(|expected| with_witness(&operations, expected));
    let mut ways = ways(objection.guard, expected.as_ref(), known.head, caller);
    if let (Some(expected), false) = (&expected, ways.is_empty()) {
        ways.splice(0..0, newer_find(&operations, expected, caller));
    }
    let found = match (&expected, objection.guard) {
        (_, Guard::CorruptState) if ways.is_empty() => format!(
            "{}, and no good one is known: look for a copy, such as `terraform.tfstate.backup`",
            objection.found
        ),
        (Some(Expected { witness: Witness::Passport(_), .. }), Guard::MissingState) => format!(
            "{}: bring it from where it was last seen, or run `init` for the backend it is in",
            objection.found
        ),
        _ => objection.found,
    };
    Ok(Refusal { expected, ways, ..Refusal::of(objection.guard, found) })
}

/// Who left the expected state, and when.
fn with_witness(operations: &[Operation], expected: Expected) -> Expected {
    let Witness::History(id) = &expected.witness else { return expected };
    let Some(operation) = operations.iter().find(|operation| operation.id == *id) else {
        return expected;
    };
    let user = operation.user.as_ref().map(OddText::display);
    let host = operation.host.as_ref().map(OddText::display);
    let who = user.zip(host).map(|(user, host)| format!("{user}@{host}"));
    let when = operation.finished.or(Some(operation.started));
    Expected { when, who, ..expected }
}

/// The way to a state that was found lying about and is ahead of the expected one: what Terraform wrote into
/// a file that was removed meanwhile, above all.
fn newer_find(operations: &[Operation], expected: &Expected, caller: &Caller<'_>) -> Option<Way> {
    let is_ahead = |image: &Image| {
        image.source == Some(Source::Found)
            && image.lineage == expected.lineage
            && image.serial > expected.serial
    };
    let found = operations.iter().rev().find(|it| it.after.as_ref().is_some_and(is_ahead))?;
    Some(Way {
        command: caller.shim(&format!("restore {}", found.id.short())),
        does: "bring back what the last run wrote and could not keep",
    })
}

/// A restore that was cut off and cannot be finished.
pub(super) fn unfinished(error: &Error, caller: &Caller<'_>) -> Refusal {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let chain: Vec<String> =
        std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect();
    Refusal {
        ways: vec![Way {
            command: caller.shim("restore @"),
            does: "write the state again, when the cause is mended",
        }],
        ..Refusal::of(
            Guard::Unfinished,
            format!("an interrupted restore could not be finished: {}", chain.join(": ")),
        )
    }
}

fn ways(guard: Guard, expected: Option<&Expected>, head: &Head, caller: &Caller<'_>) -> Vec<Way> {
    let restore = Way { command: caller.shim("restore @"), does: "bring the last good state back" };
    let accept = Way { command: caller.shim("accept"), does: "say that what is there is right" };
    let is_kept = expected.is_some_and(|it| matches!(it.witness, Witness::History(_)));
    match guard {
        Guard::MissingState | Guard::ForeignState | Guard::OlderState if is_kept => {
            vec![restore, accept]
        }
        Guard::MissingState | Guard::ForeignState | Guard::OlderState => vec![accept],
        Guard::CorruptState if head.good.is_some() => vec![restore],
        Guard::CorruptState
        | Guard::UnwritableState
        | Guard::ErroredState
        | Guard::Unfinished
        | Guard::ReadOnly
        | Guard::Protected => Vec::new(),
    }
}

/// Refuses where a guard objects to the state as it is.
///
/// # Errors
/// A guard objects; or what it needs cannot be read.
pub(super) fn settled(
    what: &str,
    context: &Context,
    location: &Location,
    found: (&Image, &Reading),
    caller: &Caller<'_>,
) -> Result<(), Error> {
    let dir = context.history_for_reading(location)?;
    let head = dir.as_ref().map(StateDir::head).transpose()?.unwrap_or_default();
    let known = Known { dir: dir.as_ref(), head: &head, identity: &location.identity };
    let Some(objection) = objection(context, known, found)? else { return Ok(()) };
    let refusals = vec![refusal(known, objection, caller)?];
    Err(Error::Refused { verb: what.to_owned(), refusals })
}
