//! `fake_shared`: resources that are one and the same object, so that each undoes the other.
//!
//! ```hcl
//! resource "fake_shared" "a" {
//!   object = "o" # the id of the object; another one makes another
//!   value  = "a"
//! }
//! resource "fake_shared" "b" {
//!   object = "o"
//!   value  = "b"
//! }
//! ```

use super::text;
use crate::provider::cloud::World;
use crate::provider::resource::Resource;
use crate::provider::schema::{Attribute, Schema, Shape};
use crate::provider::value::Attributes;

/// The type.
pub(super) struct Shared;

impl Resource for Shared {
    fn name(&self) -> &'static str {
        "fake_shared"
    }

    fn schema(&self) -> Schema {
        let attributes = [
            Attribute::required("object", Shape::Text, "Which object it is.").forcing_new(),
            Attribute::optional("value", Shape::Text, "A text."),
        ];
        Schema::of_resource("Is the same as others.", attributes)
    }

    fn id(&self, _world: &mut World, planned: &Attributes) -> String {
        format!("shared-{}", text(planned, "object").unwrap_or_default())
    }
}
