//! What a person needs to know where the rounds did not come to their end: which step, why, what is safe,
//! and what to do next.
//!
//! Easy to get wrong: after an apply that was cut short nothing is lost, but something may be there that was
//! not there before. So the next step is to look, not to undo: an undo changes what Terraform remembers and
//! would orphan what was created.

use super::outline::{is_failed, named, short, writes};
use crate::check::report::{CheckReport, End, Step, StepName};

/// How the rounds ended before their end, and what to do now.
pub(in crate::ui) struct Stop {
    /// `apply failed with status 1`.
    pub(in crate::ui) what: String,
    /// What the program said.
    pub(in crate::ui) message: Option<String>,
    /// What is safe, as a clause, commands in back-ticks.
    pub(in crate::ui) safe: String,
    /// What to do, in the imperative, commands in back-ticks.
    pub(in crate::ui) next: String,
}

/// Says how the rounds ended, where they did not come to their end.
pub(in crate::ui) fn stop(report: &CheckReport) -> Option<Stop> {
    let step = report.end.step()?;
    let begun = report.steps.iter().rfind(|begun| begun.name == step);
    let title = step.title();
    let when = if begun.is_some() { "during" } else { "before" };
    let (what, message) = match &report.end {
        End::Complete | End::CleanAtOnce => return None,
        End::TimedOut { .. } => (format!("the time was up {when} `{title}`"), None),
        End::Interrupted { signal, .. } => {
            (format!("interrupted {when} `{title}` by {}", named(*signal)), None)
        }
        End::NotStarted { message, .. } => (message.clone(), None),
        End::Failed { message, .. } => {
            let how = begun.map_or_else(|| "failed".to_owned(), fate);
            (format!("`{title}` {how}"), Some(message.clone()))
        }
    };
    let next = match &report.end {
        End::NotStarted { hints, .. } if !hints.is_empty() => hints.join("; "),
        End::NotStarted { .. } => "check again".to_owned(),
        _ if begun.is_none() => match report.end {
            End::TimedOut { .. } => "check again with a longer `--timeout`".to_owned(),
            _ => "check again".to_owned(),
        },
        _ => next(report, step),
    };
    Some(Stop { what, message, safe: safe(report, step, begun), next })
}

fn fate(step: &Step) -> String {
    match (step.exit, step.signal) {
        (_, Some(signal)) => format!("was ended by {}", named(signal)),
        // It went well, and what it left could not be used.
        (Some(_), None) if !is_failed(step) => "failed".to_owned(),
        (Some(exit), None) => format!("failed with status {exit}"),
        (None, None) => "failed".to_owned(),
    }
}

/// What is safe, as a clause.
fn safe(report: &CheckReport, step: StepName, begun: Option<&Step>) -> String {
    let was = |name| report.steps.iter().any(|gone| gone.name == name);
    if !was(StepName::Apply) {
        let changed = if was(StepName::Destroy) {
            "what was there was to be destroyed"
        } else {
            "nothing was changed"
        };
        return format!("nothing was applied, {changed}");
    }
    let saved = match short(report) {
        Some(id) => format!("operation `{id}` has the state before and after it"),
        None => "`tf shim list` has the states that were saved".to_owned(),
    };
    let is_cut_off = matches!(report.end, End::Interrupted { is_cut_off: true, .. });
    match step {
        _ if is_cut_off && begun.is_some_and(|step| writes(step.name)) => {
            format!("Terraform was cut off and may not have written down what it did; {saved}")
        }
        _ if begun.is_none() => format!("the steps before it came to their end; {saved}"),
        StepName::Apply | StepName::SecondApply => {
            format!("what was applied so far is in the state; {saved}")
        }
        StepName::Destroy => {
            format!("what is left of the stack is in the state, and may cost money; {saved}")
        }
        StepName::FirstPlan
        | StepName::PlanWithoutRefresh
        | StepName::PlanAgain
        | StepName::ThirdPlan => format!("the apply before it came to its end; {saved}"),
    }
}

/// What to do, in the imperative.
fn next(report: &CheckReport, step: StepName) -> String {
    let program = &report.program;
    let look = match short(report) {
        Some(id) => format!("see what it did with `tf shim show {id}`"),
        None => "see what it did with `tf shim list`".to_owned(),
    };
    match (&report.end, step) {
        (_, StepName::Destroy) => format!("{look}, then destroy what is left with `tf destroy`"),
        (End::TimedOut { .. }, step) if writes(step) => {
            format!("{look}, then check again with a longer `--timeout`")
        }
        (End::TimedOut { .. }, _) => "check again with a longer `--timeout`".to_owned(),
        (End::Interrupted { .. }, step) if writes(step) => {
            format!("{look}, then check again, which finishes it")
        }
        (End::Interrupted { .. }, _) => "check again".to_owned(),
        (_, StepName::Apply | StepName::SecondApply) => {
            format!("{look}, mend the cause, then check again")
        }
        (_, _) => {
            format!(
                "run `{program} plan` with the same arguments, mend what it says, then check again"
            )
        }
    }
}
