//! `fake_counter`: a computed attribute that changes with every read, which no plan ever minds.
//!
//! ```hcl
//! resource "fake_counter" "a" {
//!   value = "v" # keeps it
//!   # reads: 0 when it is made, then 1, 2, …
//! }
//! ```

use crate::provider::cloud::World;
use crate::provider::resource::{Presence, Resource};
use crate::provider::schema::{Attribute, Schema, Shape};
use crate::provider::value::{Attributes, Value};

/// The type.
pub(super) struct Counter;

impl Resource for Counter {
    fn name(&self) -> &'static str {
        "fake_counter"
    }

    fn schema(&self) -> Schema {
        let attributes = [
            Attribute::optional("value", Shape::Text, "A text."),
            Attribute::computed("reads", Shape::Number, "How often it was read."),
        ];
        Schema::of_resource("Counts how often it is looked at.", attributes)
    }

    fn settle(
        &self,
        _world: &mut World,
        _id: &str,
        _config: &Attributes,
        attributes: &mut Attributes,
    ) {
        if attributes["reads"] == Value::Unknown {
            attributes.insert("reads".to_owned(), Value::Number(0.0));
        }
    }

    fn read(&self, world: &mut World, id: &str, attributes: &mut Attributes) -> Presence {
        let reads = u32::try_from(world.next(id)).expect("few reads");
        attributes.insert("reads".to_owned(), Value::Number(reads.into()));
        Presence::Here
    }
}
