//! A failure of ours, as it is shown: the chain, what might have been meant, what to do now.

use std::error::Error as _;

use crate::env;
use crate::error::Error;
use crate::proxy::real::{Candidate, NotFound, Verdict};
use crate::ui::failure::Failure;
use crate::ui::{Audience, Ui};

/// Tells a failure. A refusal is told in its own form; where no person would read it, for programs, too.
pub(super) fn tell(ui: &Ui, error: &Error) {
    let Error::Refused { verb, refusals } = error else { return ui.fail(&show(error)) };
    ui.refuse(verb, refusals, if has_person(ui) { Audience::Person } else { Audience::Programs });
}

/// Whether a person is there to read and to answer: at a terminal, and no known agent types.
pub(super) fn has_person(ui: &Ui) -> bool {
    ui.can_ask() && !env::has_agent()
}

/// Puts a failure together.
fn show(error: &Error) -> Failure {
    let mut failure = Failure::of(error);
    if let Error::Unresolved(unresolved) = error {
        failure = failure.candidates(&unresolved.candidates);
    }
    if let Error::Real(not_found) = error {
        failure = looked_at(failure, not_found);
    }
    error.hints().into_iter().fold(failure, |failure, hint| failure.hint(Some(hint)))
}

/// A failure that does not keep a command from running.
pub(super) fn excused(verb: &str, error: &Error) -> Failure {
    let what = format!("{verb} runs without a snapshot, as TF_SHIM_ON_ERROR=continue wants it");
    let mut failure = Failure::saying(what);
    let mut source = error.source();
    while let Some(cause) = source {
        failure = failure.cause(cause.to_string());
        source = cause.source();
    }
    failure
}

fn looked_at(failure: Failure, error: &NotFound) -> Failure {
    error.candidates().iter().fold(failure, |failure, candidate| failure.cause(line(candidate)))
}

fn line(candidate: &Candidate) -> String {
    let why = match candidate.verdict {
        Verdict::Ourselves => "is tf itself",
        Verdict::Shim => "is a shim, or leads back to one",
        Verdict::NotExecutable => "is not executable",
        Verdict::Fits => "would have been called",
    };
    format!("`{}` {why}", candidate.path.display())
}
