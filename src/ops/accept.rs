//! `tf shim accept`: "the state as it is now is right". What a guard objected to becomes what is expected.

use crate::error::Error;
use crate::guard::refusal::Refusal;
use crate::model::guard::Guard;
use crate::model::operation::GuardAction;
use crate::store::{Entry, RecordKind};

use super::caller::Caller;
use super::guards::{self, Known};
use super::report::{AcceptReport, NoteReport};
use super::resume::Look;
use super::{Context, Subject, capture, history, new_id, resume};

/// Settles what a guard objects to; where nothing does, nothing is recorded.
///
/// # Errors
/// What is there is no state, which nothing can make right; or it cannot be read or recorded.
pub(crate) fn accept(
    context: &Context,
    subject: &Subject,
    caller: &Caller<'_>,
    note: Option<String>,
) -> Result<AcceptReport, Error> {
    let dir = context.history_for_writing(&subject.location)?;
    resume::finish_restores(context, &dir)?;
    let ask = || subject.read(context, caller.called_as);
    let mut seen = Look::take(context, &subject.location, ask)?;
    let lock = seen.lock(&dir, ask)?;
    let image = resume::catch_up(context, &dir, &lock, &seen.reading)?.image;
    let head = dir.head()?;
    let known = Known::by(&dir, &head);
    let objection = guards::objection(context, known, (&image, &seen.reading))?;
    let Some(objection) = objection else {
        return Ok(AcceptReport { state: subject.name(), operation: None });
    };
    let refusal: Refusal = guards::refusal(known, objection, caller)?;
    if refusal.guard == Guard::CorruptState {
        return Err(Error::Refused { verb: "accept".to_owned(), refusals: vec![refusal] });
    }
    let before = head.good.map(|(_, good)| good);
    let changes = capture::changes_of(&dir, before.as_ref(), &seen.reading);
    let id = new_id()?;
    let entry = Entry {
        verb: Some("accept".to_owned()),
        before,
        after: Some(image),
        changes,
        guards: vec![refusal.note(GuardAction::Allowed)],
        note,
        ..context.entry(RecordKind::Accept, &id)
    };
    dir.append(&lock, &entry)?;
    drop(lock);
    let NoteReport { state, operation, .. } = history::report(&dir, "accepted", &id)?;
    Ok(AcceptReport { state, operation: Some(operation) })
}
