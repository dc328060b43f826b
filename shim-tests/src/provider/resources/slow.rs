//! `fake_slow`: takes its time, without keeping others waiting.
//!
//! ```hcl
//! resource "fake_slow" "a" {
//!   name      = "n"
//!   create_ms = 500 # each 0 if not given
//!   read_ms   = 0
//!   update_ms = 0
//!   plan_ms   = 0
//!   delete_ms = 0
//!   stops     = true # an interruption of Terraform makes the step fail at once, nothing done
//! }
//! ```

use std::time::Duration;

use super::count;
use crate::provider::cloud::Step;
use crate::provider::resource::{Pause, Resource};
use crate::provider::schema::{Attribute, Schema, Shape};
use crate::provider::value::{Attributes, Value};

/// The type.
pub(super) struct Slow;

impl Resource for Slow {
    fn name(&self) -> &'static str {
        "fake_slow"
    }

    fn schema(&self) -> Schema {
        let milliseconds =
            |name| Attribute::optional(name, Shape::Number, "Milliseconds it takes.");
        let attributes = [
            Attribute::optional("name", Shape::Text, "What others find it by."),
            milliseconds("create_ms"),
            milliseconds("read_ms"),
            milliseconds("update_ms"),
            milliseconds("plan_ms"),
            milliseconds("delete_ms"),
            Attribute::optional("stops", Shape::Flag, "Whether an interruption cuts it short."),
        ];
        Schema::of_resource("Takes its time.", attributes)
    }

    fn pause(&self, step: Step, attributes: &Attributes) -> Pause {
        let name = match step {
            Step::Create => "create_ms",
            Step::Read => "read_ms",
            Step::Update => "update_ms",
            Step::Plan => "plan_ms",
            Step::Delete => "delete_ms",
            Step::Import | Step::Lookup | Step::Open | Step::Close | Step::Stop => {
                return Pause::default();
            }
        };
        Pause {
            duration: Duration::from_millis(count(attributes, name)),
            can_be_cut_short: attributes.get("stops").is_some_and(Value::is_true),
        }
    }
}
