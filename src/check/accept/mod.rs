//! Accepted differences: which findings a rule covers, and what becomes of rules that cover nothing.
//!
//! A rule is read as narrowly as it is written. It never covers a delete or a replacement that it does not
//! name, a finding with several paths is accepted only when every one of them is covered, and a rule that
//! is past its date covers nothing and is a finding itself.

mod flag;
mod propose;

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::config::{AcceptRule, RulePlace};
use crate::model::plan::Action;

use super::finding::{Acceptance, Cause, CauseKind, Class, Finding, Site, Weight};
use super::report::UnusedRule;

pub(crate) use flag::rule_of_flag;
pub(crate) use propose::propose;

/// Marks the findings that rules accept, adds one for every rule that has expired, and gives the rules
/// that matched nothing. `today` is the day in UTC; a rule holds through its last day.
pub(crate) fn apply(
    findings: &mut Vec<Finding>,
    rules: &[AcceptRule],
    today: NaiveDate,
) -> Vec<UnusedRule> {
    let (live, expired): (Vec<&AcceptRule>, Vec<&AcceptRule>) =
        rules.iter().partition(|rule| rule.expires.is_none_or(|last| today <= last));
    let mut used = BTreeSet::new();
    for finding in findings.iter_mut().filter(|finding| is_acceptable(finding)) {
        let covers: Vec<Cover<'_>> = live
            .iter()
            .enumerate()
            .filter_map(|(number, rule)| Cover::of(number, rule, finding))
            .collect();
        used.extend(covers.iter().map(|cover| cover.number));
        if finding.accepted.is_none() {
            judge(finding, &covers);
        }
    }
    findings.extend(expired.into_iter().map(expired_finding));
    let unused = live.iter().enumerate().filter(|(number, _)| !used.contains(number));
    unused.map(|(_, rule)| unused_rule(rule)).collect()
}

/// Whether a rule may accept a finding at all.
fn is_acceptable(finding: &Finding) -> bool {
    match finding.class {
        Class::MissingOutput | Class::Expired => false,
        Class::Replace
        | Class::Update
        | Class::Create
        | Class::Delete
        | Class::Normalised
        | Class::Oscillating
        | Class::SecondApply
        | Class::Moved
        | Class::Import
        | Class::Forget
        | Class::Pending
        | Class::Drift
        | Class::Output
        | Class::Check => true,
    }
}

/// What a rule must permit to accept a finding. The class counts besides the actions, so that no finding
/// about a loss is accepted because its actions were left out. Reading changes nothing.
fn needed_actions(finding: &Finding) -> BTreeSet<Action> {
    let of_class = match finding.class {
        Class::Replace => Some(Action::Replace),
        Class::Delete => Some(Action::Delete),
        Class::Update
        | Class::Create
        | Class::Normalised
        | Class::Oscillating
        | Class::SecondApply
        | Class::Moved
        | Class::Import
        | Class::Forget
        | Class::Pending
        | Class::Drift
        | Class::Output
        | Class::Check
        | Class::MissingOutput
        | Class::Expired => None,
    };
    let actions = finding.actions.iter().copied().filter(|action| *action != Action::Read);
    actions.chain(of_class).collect()
}

/// Whether a rule permits an action. A loss has to be written.
fn permits(rule: &AcceptRule, action: Action) -> bool {
    match &rule.actions {
        Some(actions) => actions.contains(&action),
        None => !matches!(action, Action::Delete | Action::Replace),
    }
}

/// What a rule covers of a finding: something, else there is no such cover.
struct Cover<'a> {
    /// The rule's number among those that hold.
    number: usize,
    /// The rule.
    rule: &'a AcceptRule,
    /// The paths that it covers; none for the whole finding.
    paths: Option<BTreeSet<usize>>,
}

impl<'a> Cover<'a> {
    /// Compares a rule with a finding.
    fn of(number: usize, rule: &'a AcceptRule, finding: &Finding) -> Option<Self> {
        let is_permitted = needed_actions(finding).into_iter().all(|action| permits(rule, action));
        if !is_permitted || !rule.address.covers_address(&finding.address) {
            return None;
        }
        let Some(pattern) = &rule.path else { return Some(Self { number, rule, paths: None }) };
        let paths = finding.paths.iter().enumerate();
        let covered: BTreeSet<usize> =
            paths.filter(|(_, path)| pattern.covers_path(path)).map(|(at, _)| at).collect();
        (!covered.is_empty()).then_some(Self { number, rule, paths: Some(covered) })
    }

    /// Whether it covers a path.
    fn has(&self, path: usize) -> bool {
        self.paths.as_ref().is_none_or(|paths| paths.contains(&path))
    }
}

/// Accepts a finding of which nothing stays open; else says in its cause what does.
fn judge(finding: &mut Finding, covers: &[Cover<'_>]) {
    if let Some(whole) = covers.iter().find(|cover| cover.paths.is_none()) {
        finding.accepted = Some(acceptance(&[whole.rule]));
        return;
    }
    let mut rules: Vec<&AcceptRule> = Vec::new();
    let mut open = Vec::new();
    for (at, path) in finding.paths.iter().enumerate() {
        match covers.iter().find(|cover| cover.has(at)) {
            Some(cover) if rules.iter().any(|rule| std::ptr::eq(*rule, cover.rule)) => (),
            Some(cover) => rules.push(cover.rule),
            None => open.push(format!("`{path}`")),
        }
    }
    if rules.is_empty() {
        return;
    }
    if open.is_empty() {
        finding.accepted = Some(acceptance(&rules));
        return;
    }
    let text = &mut finding.cause.text;
    text.push_str(" Accepted in part; still open: ");
    text.push_str(&open.join(", "));
    text.push('.');
}

/// What several rules say together: every reason once, and the earliest date.
fn acceptance(rules: &[&AcceptRule]) -> Acceptance {
    let mut reasons: Vec<&str> = Vec::new();
    for rule in rules {
        if !reasons.contains(&rule.reason.as_str()) {
            reasons.push(&rule.reason);
        }
    }
    let expires = rules.iter().filter_map(|rule| rule.expires).min();
    Acceptance { reason: reasons.join("; "), expires }
}

/// The finding that a rule past its date becomes.
fn expired_finding(rule: &AcceptRule) -> Finding {
    let date = rule.expires.map(|date| date.to_string()).unwrap_or_default();
    let path = rule.path.as_ref().map(|path| format!(", `{path}`,")).unwrap_or_default();
    Finding {
        class: Class::Expired,
        address: rule.address.as_str().to_owned(),
        paths: Vec::new(),
        actions: Vec::new(),
        cause: Cause {
            kind: CauseKind::Rule,
            text: format!("The rule that accepts `{}`{path} held until {date}.", rule.address),
            hint:
                "See whether its reason still holds; then set a new `expires`, or remove the rule."
                    .to_owned(),
        },
        accepted: None,
        site: rule.place.as_ref().map(site),
        weight: Weight::Fails,
    }
}

/// A rule that matched nothing, for the report.
fn unused_rule(rule: &AcceptRule) -> UnusedRule {
    UnusedRule {
        address: rule.address.as_str().to_owned(),
        path: rule.path.as_ref().map(|path| path.as_str().to_owned()),
        reason: rule.reason.clone(),
        expires: rule.expires,
        site: rule.place.as_ref().map(site),
    }
}

/// Where a rule stands, as a place.
fn site(place: &RulePlace) -> Site {
    Site { file: place.file.clone(), line: place.line, end_line: place.end_line }
}

#[cfg(test)]
mod tests;
