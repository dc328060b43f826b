//! `fake_vanishing`: is made, and is gone when it is read. Every apply makes it anew.
//!
//! ```hcl
//! resource "fake_vanishing" "a" {
//!   value = "v"
//! }
//! ```

use crate::provider::cloud::World;
use crate::provider::resource::{Presence, Resource};
use crate::provider::schema::{Attribute, Schema, Shape};
use crate::provider::value::Attributes;

/// The type.
pub(super) struct Vanishing;

impl Resource for Vanishing {
    fn name(&self) -> &'static str {
        "fake_vanishing"
    }

    fn schema(&self) -> Schema {
        let attributes = [Attribute::optional("value", Shape::Text, "A text.")];
        Schema::of_resource("Does not stay.", attributes)
    }

    fn read(&self, world: &mut World, id: &str, _attributes: &mut Attributes) -> Presence {
        world.delete(id);
        Presence::Gone
    }
}
