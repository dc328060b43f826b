//! What a check finds beside resources: outputs that change, outputs without a value, failing checks.
//!
//! An output mostly changes because a resource does. Such an output is no finding of its own: it would
//! only say again, in other words and with another weight, what the resource's finding says.

use std::collections::{BTreeMap, BTreeSet};

use super::cause;
use super::classify::{FailOn, Mode, Rounds};
use super::finding::{Cause, CauseKind, Class, Finding, Weight};
use super::likeness::{Likeness, likeness};
use super::paths::{Wanted, differences_between};
use super::source::Configuration;
use super::wording::{self, cause};
use crate::model::plan::{Action, OutputChange, Plan, Presence, without_keys};

/// Finds outputs that differ and that no finding explains.
pub(super) fn changed(
    rounds: &Rounds,
    configuration: &Configuration,
    findings: &[Finding],
    fail_on: FailOn,
) -> Vec<Finding> {
    let plans = match rounds.mode {
        Mode::PlanOnly => vec![rounds.first],
        Mode::Applied => {
            [rounds.without_refresh, rounds.again, rounds.third].into_iter().flatten().collect()
        }
    };
    // The last plan that shows an output knows most about it.
    let mut changing = BTreeMap::new();
    for plan in plans {
        for (name, output) in plan.outputs.iter().filter(|(_, output)| output.action.is_some()) {
            changing.insert(name.as_str(), (plan, output));
        }
    }
    let blamed: BTreeSet<_> = findings.iter().map(|f| without_keys(&f.address)).collect();
    let own = changing.into_iter().filter(|(name, (plan, output))| {
        let address = format!("output.{name}");
        configuration.calls_itself(&address) || !is_explained(plan, output, &address, &blamed)
    });
    let found = own.map(|(name, (plan, output))| {
        let address = format!("output.{name}");
        let is_gone = rounds.third.is_some_and(|third| {
            third.outputs.get(name).is_none_or(|output| output.action.is_none())
        });
        let cause = if is_gone {
            wording::unordered(&BTreeSet::new())
        } else {
            cause_of(plan, output, &address, configuration, rounds.mode)
        };
        Finding {
            actions: output.action.into_iter().collect(),
            weight: if fail_on.output { Weight::Fails } else { Weight::Told },
            ..finding(Class::Output, address, cause)
        }
    });
    found.collect()
}

/// Finds required outputs that have no value.
pub(super) fn missing(rounds: &Rounds) -> Vec<Finding> {
    let last = rounds.last();
    let required: BTreeSet<_> = rounds.required_outputs.iter().collect();
    let found = required.into_iter().filter_map(|name| {
        let (text, hint) = match last.presence(name) {
            Presence::Known => return None,
            Presence::Undeclared => (
                "The root module declares no such output.",
                "Declare it, or take it out of `outputs` in the `[check]` section.",
            ),
            Presence::Missing => (
                "The state has no value for it.",
                "Apply without `-target`, so that it is evaluated.",
            ),
            Presence::Unknown => {
                ("It is known only after an apply.", "Apply, or make it of values that are known.")
            }
            Presence::Null => ("It is null.", "Give it a value, or find out what it is made of."),
        };
        let cause = cause(CauseKind::Configuration, text.to_owned(), hint.to_owned());
        Some(finding(Class::MissingOutput, format!("output.{name}"), cause))
    });
    found.collect()
}

/// Finds `check` blocks that fail in the last plan.
pub(super) fn failing_checks(rounds: &Rounds, fail_on: FailOn) -> Vec<Finding> {
    let hint = if fail_on.check {
        "Run `terraform plan` to see its message."
    } else {
        "Run `terraform plan` to see its message; `--fail-on check` makes it count."
    };
    let failing = rounds.last().failing_checks.iter().map(|address| Finding {
        weight: if fail_on.check { Weight::Fails } else { Weight::Told },
        ..finding(
            Class::Check,
            address.clone(),
            cause(
                CauseKind::Configuration,
                "An assertion of the check fails, or cannot be evaluated.".to_owned(),
                hint.to_owned(),
            ),
        )
    });
    failing.collect()
}

/// Makes a failing finding.
fn finding(class: Class, address: String, cause: Cause) -> Finding {
    Finding {
        class,
        address,
        paths: Vec::new(),
        actions: Vec::new(),
        cause,
        accepted: None,
        site: None,
        weight: Weight::Fails,
    }
}

/// Whether a finding is about something that the output is made of.
fn is_explained(
    plan: &Plan,
    output: &OutputChange,
    address: &str,
    blamed: &BTreeSet<String>,
) -> bool {
    let sources = plan.wiring.sources(address);
    if sources.resources.iter().any(|source| blamed.contains(source)) {
        return true;
    }
    let mut relevant = plan.relevant.iter().map(|instance| without_keys(instance));
    sources.is_cut && output.is_unknown() && relevant.any(|instance| blamed.contains(&instance))
}

/// Why an output differs.
fn cause_of(
    plan: &Plan,
    output: &OutputChange,
    address: &str,
    configuration: &Configuration,
    mode: Mode,
) -> Cause {
    let (before, after) = (output.before.reveal(), output.after.reveal());
    if output.action == Some(Action::Update) && !output.is_unknown() && before == after {
        return wording::of_marks();
    }
    let called: BTreeSet<_> = configuration.functions(address, "").into_iter().collect();
    if !called.is_empty() {
        // An output has no `ignore_changes`.
        let hint = format!("Use {} instead.", wording::instead_of(&called));
        return Cause { hint, ..wording::of_functions(&["value".to_owned()], &called) };
    }
    let sources = plan.wiring.sources(address).resources;
    let drifted = plan.drift.iter().map(|change| &change.address);
    let drifted: BTreeSet<_> =
        drifted.filter(|address| sources.contains(&without_keys(address))).cloned().collect();
    if !drifted.is_empty() {
        return wording::follows_drift(&drifted, mode);
    }
    let data: BTreeSet<_> = sources.into_iter().filter(|source| cause::is_data(source)).collect();
    if !data.is_empty() {
        return wording::of_data(&["value".to_owned()], &data);
    }
    let readers = configuration.readers(address, "");
    let alike = differences_between(before, after).iter().any(|d| match d.wanted {
        Wanted::Known(wanted) => likeness(d.current, wanted).is_some_and(Likeness::is_rewriting),
        Wanted::Unknown => false,
    });
    let text = match (output.action, output.is_unknown(), before.is_null(), alike) {
        (Some(Action::Delete), _, _, _) => "The configuration does not declare it any more.",
        (_, true, true, _) => {
            "It is known only after an apply, and the state does not have it yet."
        }
        (_, true, false, _) => "It is computed anew by every apply, and known only after it.",
        (_, false, true, _) => "The state does not have it yet.",
        (_, false, false, true) => "It is the same value in other words than at the last apply.",
        (_, false, false, false) => {
            "It has another value than at the last apply, and nothing tells why."
        }
    };
    let hint = match mode {
        Mode::PlanOnly => "Apply, so that the state has what the configuration says.".to_owned(),
        Mode::Applied if readers.is_empty() => {
            "Check with `--twice` whether it settles, and look at what its expression is made of."
                .to_owned()
        }
        Mode::Applied => wording::look_into(&readers),
    };
    cause(CauseKind::Unknown, text.to_owned(), hint)
}
