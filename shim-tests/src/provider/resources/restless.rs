//! `fake_restless`: a configured attribute that reads as another value every time.
//!
//! ```hcl
//! resource "fake_restless" "a" {
//!   value = "v" # reads as "v-1", "v-2", …
//! }
//! ```

use super::text;
use crate::provider::cloud::World;
use crate::provider::resource::{Presence, Resource};
use crate::provider::schema::{Attribute, Schema, Shape};
use crate::provider::value::Attributes;

/// The type.
pub(super) struct Restless;

impl Resource for Restless {
    fn name(&self) -> &'static str {
        "fake_restless"
    }

    fn schema(&self) -> Schema {
        let attributes = [Attribute::optional("value", Shape::Text, "Never reads the same.")];
        Schema::of_resource("Is another one whenever it is looked at.", attributes)
    }

    fn read(&self, world: &mut World, id: &str, attributes: &mut Attributes) -> Presence {
        let value = text(attributes, "value").unwrap_or("restless");
        let value = format!("{value}-{}", world.next(id));
        attributes.insert("value".to_owned(), value.into());
        Presence::Here
    }
}
