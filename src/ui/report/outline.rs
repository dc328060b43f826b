//! What every form of a check's report says, before it is put into the words of that form.
//!
//! The headline, the sentence under it and the groups of findings are decided once, here, so that the
//! terminal, the pull request and the ticket say the same. Nothing here is escaped: each form has its own
//! rules, and a text that is escaped twice lies.

use chrono::NaiveDate;

use super::super::words::counted;
use crate::check::finding::{Class, Finding, Weight};
use crate::check::report::{CheckReport, End, Step, StepName, Verdict};
use crate::error::status;
use crate::model::plan::Action;

/// The verdict in one line: its first words, which carry the colour, and what follows them.
pub(in crate::ui) struct Headline {
    /// `not idempotent`.
    pub(in crate::ui) verdict: &'static str,
    /// `2 findings, 1 accepted`.
    pub(in crate::ui) counts: String,
}

/// Says the verdict.
pub(in crate::ui) fn headline(report: &CheckReport) -> Headline {
    let verdict = match (report.verdict, report.is_plan_only) {
        (Verdict::Idempotent, false) => "idempotent",
        (Verdict::Idempotent, true) => "as configured",
        (Verdict::NotIdempotent, false) => "not idempotent",
        (Verdict::NotIdempotent, true) => "not as configured",
        (Verdict::Inconclusive, _) => "no verdict",
        (Verdict::Error, _) => match report.end {
            End::TimedOut { .. } => "timed out",
            End::Interrupted { .. } => "interrupted",
            End::NotStarted { .. } => "not started",
            End::Failed { .. } | End::Complete | End::CleanAtOnce => "error",
        },
    };
    Headline { verdict, counts: counts(report) }
}

fn counts(report: &CheckReport) -> String {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let told = open(report).filter(|finding| finding.weight == Weight::Told).count();
    let findings = open(report).count().saturating_sub(told);
    let accepted = report.accepted().count();
    let mut parts = Vec::new();
    if findings > 0 {
        parts.push(counted(number(findings), "finding"));
    }
    if accepted > 0 {
        parts.push(format!("{accepted} accepted"));
    }
    if told > 0 {
        parts.push(format!("{told} for information"));
    }
    if parts.is_empty() && report.verdict == Verdict::Idempotent {
        parts.push(format!("{} looked at", counted(number(report.resources.len()), "resource")));
    }
    parts.join(", ")
}

/// What the verdict means, in a sentence.
pub(in crate::ui) fn meaning(report: &CheckReport) -> &'static str {
    let has_accepted = report.accepted().next().is_some();
    match (report.verdict, &report.end) {
        (Verdict::Idempotent, _) if report.is_plan_only && has_accepted => {
            "What is deployed is what the configuration says, accepted differences aside. Nothing \
             was applied."
        }
        (Verdict::Idempotent, _) if report.is_plan_only => {
            "What is deployed is what the configuration says. Nothing was applied."
        }
        (Verdict::Idempotent, End::CleanAtOnce) if has_accepted => {
            "plan₀ had nothing to do, accepted differences aside, so nothing had to be applied."
        }
        (Verdict::Idempotent, End::CleanAtOnce) => "plan₀ was empty, so nothing had to be applied.",
        (Verdict::Idempotent, _) if has_accepted => {
            "A plan after the apply had nothing to do, accepted differences aside."
        }
        (Verdict::Idempotent, _) => "A plan after the apply had nothing to do.",
        (Verdict::NotIdempotent, _) if report.is_plan_only => {
            "What is deployed is not what the configuration says. Nothing was applied."
        }
        (Verdict::NotIdempotent, End::CleanAtOnce) => {
            "plan₀ was empty, so nothing had to be applied; but it is not all as it should be."
        }
        (Verdict::NotIdempotent, _) if report.failing().all(|finding| is_rule(finding.class)) => {
            "A plan after the apply had nothing to do, but not all is as the project wants it."
        }
        (Verdict::NotIdempotent, _) => {
            "Terraform has just applied this configuration and would not leave it so."
        }
        (Verdict::Inconclusive, _) if report.findings.is_empty() => {
            "Nothing was looked at, so nothing can be said."
        }
        (Verdict::Inconclusive, _) => {
            "Somebody else changed things in the meantime, so nothing can be said. Check again."
        }
        (Verdict::Error, _) => "The check did not come to its end, so there is no verdict.",
    }
}

/// Whether a class is about what the project asks for, not about a difference.
const fn is_rule(class: Class) -> bool {
    matches!(class, Class::Expired | Class::MissingOutput | Class::Check)
}

/// Findings that no rule accepts, in the order of the report.
pub(in crate::ui) fn open(report: &CheckReport) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(|finding| finding.accepted.is_none())
}

/// Those findings by class; what fails stands before what is only told.
pub(in crate::ui) fn groups(report: &CheckReport) -> Vec<(Class, Weight, Vec<&Finding>)> {
    let mut groups: Vec<(Class, Weight, Vec<&Finding>)> = Vec::new();
    for weight in [Weight::Fails, Weight::NoVerdict, Weight::Told] {
        for class in Class::ALL {
            let is_here = |finding: &&Finding| finding.class == class && finding.weight == weight;
            let findings: Vec<_> = open(report).filter(is_here).collect();
            if !findings.is_empty() {
                groups.push((class, weight, findings));
            }
        }
    }
    groups
}

/// The operation of the apply, as it is shown.
pub(in crate::ui) fn short(report: &CheckReport) -> Option<&str> {
    let id = report.operation.as_deref()?;
    Some(id.get(..8).unwrap_or(id))
}

/// The usual names of the signals that people and CI runners send.
pub(in crate::ui) fn named(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        6 => "SIGABRT",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

/// How a step ended, in a word: its status, or the signal.
pub(in crate::ui) fn status(step: &Step) -> String {
    match (step.exit, step.signal) {
        (_, Some(signal)) => named(signal),
        (Some(exit), None) => exit.to_string(),
        (None, None) => "-".to_owned(),
    }
}

/// What came of a step: its own words, else its status.
pub(in crate::ui) fn result(step: &Step) -> String {
    match (is_failed(step), step.result.is_empty()) {
        (false, false) => step.result.clone(),
        (false, true) => "done".to_owned(),
        (true, true) => ended(step),
        (true, false) => format!("{} · {}", step.result, ended(step)),
    }
}

fn ended(step: &Step) -> String {
    match step.signal {
        Some(signal) => format!("ended by {}", named(signal)),
        None => format!("status {}", status(step)),
    }
}

/// Whether a step changes the infrastructure.
pub(super) fn writes(step: StepName) -> bool {
    match step {
        StepName::Apply | StepName::SecondApply | StepName::Destroy => true,
        StepName::FirstPlan
        | StepName::PlanWithoutRefresh
        | StepName::PlanAgain
        | StepName::ThirdPlan => false,
    }
}

/// Whether a step failed. A plan ends with 2 where it has something to do (`-detailed-exitcode`).
pub(in crate::ui) fn is_failed(step: &Step) -> bool {
    let is_good = match step.exit {
        Some(0) => true,
        Some(2) => !writes(step.name),
        Some(_) | None => false,
    };
    !is_good || step.signal.is_some()
}

/// What `tf shim check` ends with (interface.md, exit status); none where a signal ended it.
pub(crate) fn exit_status(report: &CheckReport) -> Option<u8> {
    match (report.verdict, &report.end) {
        (_, End::Interrupted { .. }) => None,
        (_, End::TimedOut { .. }) => Some(status::TIMED_OUT),
        (_, End::NotStarted { status, .. }) => Some(*status),
        (Verdict::Idempotent, _) => Some(status::DONE),
        (Verdict::NotIdempotent, _) => Some(status::DIFFER),
        (Verdict::Inconclusive | Verdict::Error, _) => Some(status::NO_VERDICT),
    }
}

/// Terraform's sign for what it would do.
pub(in crate::ui) fn sign(actions: &[Action]) -> &'static str {
    let has = |action| actions.contains(&action);
    if has(Action::Replace) || (has(Action::Create) && has(Action::Delete)) {
        return "-/+";
    }
    match actions.first() {
        Some(Action::Create) => "+",
        Some(Action::Delete) => "-",
        Some(Action::Update) => "~",
        Some(Action::Read) => "<=",
        Some(Action::Replace) => "-/+",
        Some(Action::Forget) => ".",
        Some(Action::Move) => "->",
        Some(Action::Import) => "<-",
        None => "",
    }
}

/// What a finding is about, where its address is empty: the state as a whole.
pub(in crate::ui) fn address(finding: &Finding) -> &str {
    if finding.address.is_empty() { "the state as a whole" } else { &finding.address }
}

/// `(until 31 Mar 2027)` of a rule, or nothing.
pub(in crate::ui) fn until(expires: Option<NaiveDate>) -> Option<String> {
    expires.map(|day| format!("until {}", day.format("%-d %b %Y")))
}

/// A text of ours that holds back-ticks, taken apart: what stands between two of them is code. Where they
/// do not come in pairs, none of it is.
pub(in crate::ui) fn with_code(text: &str) -> Vec<(bool, &str)> {
    let parts: Vec<_> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![(false, text)];
    }
    let parts = parts.into_iter().enumerate();
    let parts = parts.map(|(at, part)| (!at.is_multiple_of(2), part));
    parts.filter(|(_, part)| !part.is_empty()).collect()
}
