//! Two resources that manage one object, and undo each other.
//!
//! That two resources are the same object cannot be known without the provider's schema; it is taken for
//! likely if they are of one type and one provider, agree on what usually identifies an object, and the
//! other one wants exactly the values that this one finds.

use serde_json::Value;

use super::paths::{Difference, value_at};
use crate::model::plan::{Plan, ResourceChange};

/// Attributes that say alone what an object is.
const IDENTIFYING: [&str; 8] = ["id", "arn", "self_link", "urn", "uid", "path", "name", "key"];

/// Attributes that say where it is. Where both have one, it has to be the same.
const SCOPES: [&str; 10] = [
    "arn",
    "self_link",
    "bucket",
    "namespace",
    "zone",
    "zone_id",
    "region",
    "location",
    "project",
    "resource_group_name",
];

/// The other resource.
pub(super) struct Rival<'a> {
    /// Its address.
    pub(super) address: &'a str,
}

/// Finds the resource that wants the values that another finds.
pub(super) fn find_rival<'a>(
    change: &ResourceChange,
    differences: &[Difference],
    plan: &'a Plan,
) -> Option<Rival<'a>> {
    if differences.is_empty() {
        return None;
    }
    let is_rival = |other: &&ResourceChange| {
        !other.is_data
            && other.deposed.is_none()
            && other.address != change.address
            && other.kind == change.kind
            && other.provider == change.provider
            && is_same_object(change.before.reveal(), other.after.reveal())
            && differences.iter().all(|difference| wants_what_is_there(other, difference))
    };
    let rival = plan.changes.iter().find(is_rival)?;
    Some(Rival { address: &rival.address })
}

/// Whether another resource wants the value that is there.
fn wants_what_is_there(other: &ResourceChange, difference: &Difference) -> bool {
    value_at(other.after.reveal(), &difference.steps) == difference.current
}

/// Whether two objects look like one.
fn is_same_object(a: &Value, b: &Value) -> bool {
    let both = |name: &&str| {
        let known = |value: &Value| value.get(*name).filter(|value| is_telling(value)).cloned();
        known(a).zip(known(b))
    };
    let agrees = |name: &&'static str| both(name).is_some_and(|(x, y)| x == y);
    let differs = |name: &&'static str| both(name).is_some_and(|(x, y)| x != y);
    agrees(&"id") || (IDENTIFYING.iter().any(agrees) && !SCOPES.iter().any(differs))
}

/// Whether a value can identify anything.
fn is_telling(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty()) || value.is_number()
}
