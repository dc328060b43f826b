//! The resource types, each odd in one way.
//!
//! Every one has a computed `id`, counted per type (`thing-1`, `thing-2`, …), and can be imported by it.
//!
//! | Type | Oddity |
//! | --- | --- |
//! | `fake_thing` | none; `etag` changes with every update |
//! | `fake_normalised` | reads something else than was written, see `mode` |
//! | `fake_legacy` | stores something else than was planned, see `mode` |
//! | `fake_restless` | `value` reads differently every time |
//! | `fake_counter` | `reads`, which is computed, grows with every read |
//! | `fake_shared` | all that name the same `object` are one object |
//! | `fake_late` | reads the value before the last for a while |
//! | `fake_dependent` | remembers a `fake_thing` as it was at the last apply, and minds |
//! | `fake_vanishing` | is gone when it is read |
//! | `fake_failing` | fails, or kills the provider, at the step it names |
//! | `fake_slow` | takes its time |
//! | `fake_secret` | has sensitive and write-only attributes |

mod counter;
mod dependent;
mod failing;
mod late;
mod normalised;
mod restless;
mod secret;
mod shared;
mod slow;
mod thing;
mod vanishing;

use super::resource::Resource;
use super::value::{Attributes, Value};

/// Every resource type.
pub(crate) const ALL: [&dyn Resource; 12] = [
    &thing::Thing,
    &normalised::Normalised::AtRead,
    &normalised::Normalised::AtApply,
    &restless::Restless,
    &counter::Counter,
    &shared::Shared,
    &late::Late,
    &dependent::Dependent,
    &vanishing::Vanishing,
    &failing::Failing,
    &slow::Slow,
    &secret::Secret,
];

/// Returns an attribute as text, none where it is none.
fn text<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.get(name).and_then(Value::as_text)
}

/// Returns an attribute as a count, 0 where it is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test counts in small positive numbers; the rest saturates"
)]
fn count(attributes: &Attributes, name: &str) -> u64 {
    attributes.get(name).and_then(Value::as_number).unwrap_or_default() as u64
}
