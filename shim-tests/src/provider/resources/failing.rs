//! `fake_failing`: fails at the step it names, each time, as long as it is configured so.
//!
//! For a failure that happens once there is [`Cloud::fail_next`](crate::provider::Cloud::fail_next),
//! which works with every type.
//!
//! ```hcl
//! resource "fake_failing" "a" {
//!   name  = "n"      # another one makes another object
//!   value = "v"
//!   fails = "create" # plan, read, update, delete; null: does not
//!   # "halfway": it is made, and reported as failed, so that it is tainted
//!   # "crash": the provider dies at create; "crash-plan", "crash-read", "crash-update", "crash-delete"
//! }
//! ```

use super::text;
use crate::provider::cloud::Step;
use crate::provider::resource::{Resource, Trouble};
use crate::provider::schema::{Attribute, Schema, Shape};
use crate::provider::value::Attributes;

/// The type.
pub(super) struct Failing;

impl Resource for Failing {
    fn name(&self) -> &'static str {
        "fake_failing"
    }

    fn schema(&self) -> Schema {
        let attributes = [
            Attribute::optional("name", Shape::Text, "What others find it by.").forcing_new(),
            Attribute::optional("value", Shape::Text, "A text."),
            Attribute::optional("fails", Shape::Text, "At which step, and how."),
        ];
        Schema::of_resource("Fails.", attributes)
    }

    fn complaint(&self, config: &Attributes) -> Option<&'static str> {
        let fails = text(config, "fails")?;
        parse(fails).is_none().then_some("There is no such step to fail at.")
    }

    fn trouble(&self, step: Step, attributes: &Attributes) -> Option<Trouble> {
        let (failing, trouble) = parse(text(attributes, "fails")?)?;
        (failing == step).then_some(trouble)
    }
}

/// Parses `fails`.
fn parse(fails: &str) -> Option<(Step, Trouble)> {
    let (name, trouble) = match fails {
        "halfway" => return Some((Step::Create, Trouble::Halfway)),
        "crash" => ("create", Trouble::Crash),
        _ => fails
            .strip_prefix("crash-")
            .map_or((fails, Trouble::Refused), |name| (name, Trouble::Crash)),
    };
    let step = match name {
        "plan" => Step::Plan,
        "create" => Step::Create,
        "read" => Step::Read,
        "update" => Step::Update,
        "delete" => Step::Delete,
        _ => return None,
    };
    Some((step, trouble))
}
