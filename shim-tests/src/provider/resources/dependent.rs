//! `fake_dependent`: remembers another object as it was at the last apply, and wants to remember it as
//! it is. Made before the other one, it needs a second apply: what lacks is a `depends_on`.
//!
//! Without one the order is a matter of luck. A test that wants the wrong order says
//! `depends_on = [fake_dependent.a]` in the other resource.
//!
//! ```hcl
//! resource "fake_dependent" "a" {
//!   sees = "t" # the `name` of any object
//!   # seen: its `value` at the last apply, "nothing" if there was none, "null" if it had none
//! }
//! ```

use super::text;
use crate::provider::cloud::World;
use crate::provider::resource::Resource;
use crate::provider::schema::{Attribute, Schema, Shape};
use crate::provider::value::{Attributes, Value};

/// The type.
pub(super) struct Dependent;

impl Resource for Dependent {
    fn name(&self) -> &'static str {
        "fake_dependent"
    }

    fn schema(&self) -> Schema {
        let attributes = [
            Attribute::required("sees", Shape::Text, "The name of another object."),
            Attribute::computed("seen", Shape::Text, "Its value at the last apply."),
        ];
        Schema::of_resource("Depends on another object and does not say so.", attributes)
    }

    fn plan(&self, world: &World, prior: Option<&Attributes>, planned: &mut Attributes) {
        if prior.is_some_and(|prior| prior["seen"] != now(world, planned)) {
            planned.insert("seen".to_owned(), Value::Unknown);
        }
    }

    fn settle(
        &self,
        world: &mut World,
        _id: &str,
        _config: &Attributes,
        attributes: &mut Attributes,
    ) {
        if attributes["seen"] == Value::Unknown {
            let seen = now(world, attributes);
            attributes.insert("seen".to_owned(), seen);
        }
    }
}

/// Returns what there is to be seen.
fn now(world: &World, attributes: &Attributes) -> Value {
    let Some(name) = text(attributes, "sees") else { return Value::Unknown };
    let Some(found) = world.find_named(name) else { return "nothing".into() };
    text(found, "value").unwrap_or("null").into()
}
