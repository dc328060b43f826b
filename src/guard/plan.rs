//! Protection: what a plan would delete of that which must not be deleted.
//!
//! It judges the plan, not the words that made it: a destroy, an emptied configuration and a changed `for_each`
//! are the same to it. What is easy to get wrong: an object goes also where another takes its place, where it is
//! a deposed one, and where a `moved` block gives it a new name first. To forget an object is not to delete it:
//! it goes on to be, and the history knows it.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::config::{GuardConfig, Protected};
use crate::model::address;
use crate::model::guard::Guard;
use crate::model::pattern::Pattern;
use crate::model::plan::{Action, Plan, Reason, ResourceChange, without_keys};

use super::refusal::{Refusal, Way, with_names};
use super::rename::{Rename, renames};

/// What is wrong with a plan.
#[derive(Debug)]
pub(crate) struct Objection {
    /// What would be deleted or replaced and must not be, and why Terraform would do it; where there are too many
    /// deletions, all of them.
    pub(crate) deletions: Vec<(String, String)>,
    /// The tables that protect it: file, and line from 1.
    rules: Vec<(PathBuf, usize)>,
    /// Deletions and how many are allowed, where there are more.
    excess: Option<(u64, u64)>,
    /// What may only have another name now.
    renames: Vec<Rename>,
}

/// Why nobody confirmed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unconfirmed {
    /// There is nobody to be asked.
    NoPerson,
    /// Nobody may be asked.
    Denied,
    /// Somebody was, and did not.
    Declined,
}

/// Judges a plan; none where it deletes nothing that is protected in that workspace, and not too much.
pub(crate) fn judge(plan: &Plan, config: &GuardConfig, workspace: &str) -> Option<Objection> {
    let deleted: Vec<&ResourceChange> =
        plan.changes.iter().filter(|change| change.is_deleted()).collect();
    let count = u64::try_from(deleted.len()).unwrap_or(u64::MAX);
    let excess = config.max_deletes.filter(|most| count > *most).map(|most| (count, most));
    let sections: Vec<&Protected> =
        config.protected.iter().filter(|section| section.is_for(workspace)).collect();
    let mut rules = Vec::new();
    let mut hit = Vec::new();
    for change in deleted {
        let rule = sections.iter().find(|section| covers(section, change));
        if let Some(rule) = rule {
            rules.push((rule.file.clone(), rule.line));
        }
        if rule.is_some() || excess.is_some() {
            hit.push(change);
        }
    }
    rules.sort();
    rules.dedup();
    if hit.is_empty() {
        return None;
    }
    let deletions = hit.iter().map(|change| (name(change), why(change))).collect();
    Some(Objection { deletions, rules, excess, renames: renames(&hit, plan) })
}

/// Whether a section protects an object, under its name or the one that it had.
fn covers(section: &Protected, change: &ResourceChange) -> bool {
    if section.addresses.is_empty() && section.types.is_empty() {
        return true;
    }
    let named = |address: &str| section.addresses.iter().any(|p| covers_address(p, address));
    section.types.iter().any(|kind| kind.matches(&change.kind))
        || named(&change.address)
        || change.previous_address.as_deref().is_some_and(named)
}

/// Whether a pattern stands for an instance, for its resource, or for a module that it is in. Instance keys
/// that the pattern leaves out do not matter, wherever they stand.
fn covers_address(pattern: &Pattern, address: &str) -> bool {
    variants(address).iter().any(|address| {
        let module = address::module_of(address);
        let ends = address::steps(module).into_iter().chain([module.len()]);
        let modules = ends.filter_map(|end| module.get(..end)).filter(|module| !module.is_empty());
        pattern.covers_address(address) || modules.into_iter().any(|module| pattern.matches(module))
    })
}

/// More keys than this are left out all together or not at all: each doubles the ways to write an address.
const MOST_KEYS: usize = 6;

/// The ways to write an address: with each of its instance keys, and without.
fn variants(address: &str) -> Vec<String> {
    let starts = address::steps(address);
    let ends = starts.iter().copied().skip(1).chain([address.len()]);
    let first = starts.first().copied().unwrap_or(address.len());
    let steps: Vec<&str> =
        starts.iter().zip(ends).filter_map(|(start, end)| address.get(*start..end)).collect();
    if steps.iter().filter(|step| step.starts_with('[')).count() > MOST_KEYS {
        return vec![address.to_owned(), without_keys(address)];
    }
    let mut variants = vec![address.get(..first).unwrap_or_default().to_owned()];
    for step in steps {
        let without = if step.starts_with('[') { variants.clone() } else { Vec::new() };
        for variant in &mut variants {
            variant.push_str(step);
        }
        variants.extend(without);
    }
    variants
}

fn name(change: &ResourceChange) -> String {
    let address = change.address.clone();
    match &change.deposed {
        Some(key) => format!("{address} (deposed {key})"),
        None => address,
    }
}

fn why(change: &ResourceChange) -> String {
    let what = if change.has(Action::Replace) { "replaced" } else { "deleted" };
    let because = match change.reason {
        Some(Reason::Tainted) => ": it is tainted",
        Some(Reason::CannotUpdate) => ": it cannot be updated",
        Some(Reason::Request) => ": -replace asks for it",
        Some(Reason::Triggers) => ": replace_triggered_by asks for it",
        Some(Reason::NoResourceConfig) => ": its block is gone",
        Some(Reason::NoModule) => ": its module is gone",
        Some(Reason::WrongRepetition) => ": count or for_each came or went",
        Some(Reason::CountIndex) => ": its index is beyond count",
        Some(Reason::EachKey) => ": its key is gone from for_each",
        Some(Reason::NoMoveTarget) => ": what it is moved to is not there",
        None => "",
    };
    let mut text = format!("{what}{because}");
    if let Some(previous) = &change.previous_address {
        let _ = write!(text, ", moved from {previous}");
    }
    text
}

impl Objection {
    /// What is wrong, in a sentence without a full stop.
    pub(crate) fn found(&self) -> String {
        let mut parts = Vec::new();
        if !self.rules.is_empty() {
            let place = |(file, line): &(PathBuf, usize)| format!("{}:{line}", file.display());
            let rules: Vec<String> = self.rules.iter().map(place).collect();
            parts.push(format!("the plan deletes what {} protects", rules.join(" and ")));
        }
        if let Some((count, most)) = self.excess {
            let objects = if count == 1 { "object" } else { "objects" };
            parts.push(format!(
                "the plan deletes or replaces {count} {objects}, and max_deletes allows {most}"
            ));
        }
        parts.join("; ")
    }

    /// What is kept of it in the record, which has to name what was deleted even if nobody else does.
    pub(crate) fn summary(&self) -> String {
        with_names(&self.found(), &self.deletions)
    }

    /// What leads out: blocks that keep an object under its new name.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let way = |rename: &Rename| Way {
            command: rename.to_string(),
            does: "the same object under a new name? add this block, and nothing is deleted",
        };
        self.renames.iter().map(way).collect()
    }

    /// The refusal of it.
    pub(crate) fn refusal(&self, plan_sha256: String, why: Unconfirmed) -> Refusal {
        let because = match why {
            Unconfirmed::NoPerson => "nobody is there to confirm it",
            Unconfirmed::Denied => "`action = \"deny\"` lets nobody confirm it",
            Unconfirmed::Declined => "the name of the workspace was not typed",
        };
        Refusal {
            guard: Guard::Protected,
            expected: None,
            found: format!("{}; {because}", self.found()),
            addresses: self.deletions.clone(),
            plan_sha256: Some(plan_sha256),
            ways: self.ways(),
        }
    }
}

/// The refusal of a plan that cannot be judged: what nobody can read may delete anything.
pub(crate) fn unreadable(reason: &str, plan_sha256: Option<String>) -> Refusal {
    Refusal {
        plan_sha256,
        ..Refusal::of(Guard::Protected, format!("the plan cannot be judged: {reason}"))
    }
}

#[cfg(test)]
mod tests;
