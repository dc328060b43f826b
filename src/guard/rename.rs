//! What a plan deletes and creates again may be one object under another name.
//!
//! Terraform takes a renamed block for two: it deletes the one and creates the other. A `moved` block tells it
//! better. Whether two are one can only be guessed, by their type and by what is written about them.

use std::fmt;

use serde_json::Value;

use crate::model::address;
use crate::model::plan::{Action, Plan, ResourceChange};

/// Two names that may be of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rename {
    from: String,
    to: String,
}

/// The block that says so, as it can be pasted.
impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "moved {{\n  from = {}\n  to   = {}\n}}", self.from, self.to)
    }
}

/// Finds what may only have another name, among what would be deleted. Each object is one of a pair at most; of
/// all instances of a resource together, one pair is told.
pub(super) fn renames(deleted: &[&ResourceChange], plan: &Plan) -> Vec<Rename> {
    let created = plan.changes.iter().filter(|c| !c.is_data && c.actions == [Action::Create]);
    let created: Vec<&ResourceChange> = created.collect();
    // A destroy has no reason, and one with a reason went with its block, its module or its key.
    let goes = |c: &&&ResourceChange| c.has(Action::Delete) && c.deposed.is_none();
    let deleted = deleted.iter().filter(goes).filter(|change| change.reason.is_some());
    let mut taken: Vec<&str> = Vec::new();
    let mut found: Vec<Rename> = Vec::new();
    for old in deleted {
        let free = |new: &&&ResourceChange| {
            let is_same_kind = new.kind == old.kind && new.provider == old.provider;
            is_same_kind && !taken.contains(&new.address.as_str())
        };
        let candidates: Vec<_> = created.iter().filter(free).collect();
        let is_only = candidates.len() == 1;
        let likely =
            candidates.into_iter().filter_map(|new| Some((likeness(old, new, is_only)?, new)));
        // The first of those that are equally alike: `max_by_key` would take the last.
        let best = likely.reduce(|best, other| if other.0 > best.0 { other } else { best });
        if let Some((_, new)) = best {
            taken.push(&new.address);
            let rename = of_resources(&old.address, &new.address);
            if !found.contains(&rename) {
                found.push(rename);
            }
        }
    }
    found
}

/// How many attributes are the same, and how many more those are than the others; none where the two are not
/// alike. Only what is known before an apply can be compared; where that is nothing, the only candidate will do.
fn likeness(old: &ResourceChange, new: &ResourceChange, is_only: bool) -> Option<(bool, usize)> {
    let (Value::Object(before), Value::Object(after)) = (old.before.reveal(), new.after.reveal())
    else {
        return None;
    };
    let known = || after.iter().filter(|(_, value)| !value.is_null());
    let same = known().filter(|(name, value)| before.get(*name) == Some(*value)).count();
    let other = known().count().saturating_sub(same);
    let has_same_key = key(&old.address) == key(&new.address);
    let is_alike = same > other || (known().next().is_none() && is_only);
    is_alike.then_some((has_same_key, same))
}

/// The names of the resources where the instance keys are the same, else those of the instances.
fn of_resources(from: &str, to: &str) -> Rename {
    let pair = (address::without_key(from), address::without_key(to));
    let (from, to) = match pair {
        (Some(old), Some(new)) if key(from) == key(to) => (old, new),
        _ => (from, to),
    };
    Rename { from: from.to_owned(), to: to.to_owned() }
}

/// The instance key at the end of an address; empty where there is none.
fn key(address: &str) -> &str {
    let resource = address::without_key(address).unwrap_or(address);
    address.get(resource.len()..).unwrap_or_default()
}
