//! `fake_thing`: behaves. What drifts is what the test has changed in the cloud.
//!
//! ```hcl
//! resource "fake_thing" "a" {
//!   name    = "a" # another one makes another object
//!   value   = "1"
//!   tags    = { team = "x" }
//!   labels  = ["l"] # a set
//!   items   = ["i"] # a list
//!   json    = jsonencode({})
//!   number  = 1
//!   enabled = true
//!   rule {
//!     port = 80
//!     cidr = "10.0.0.0/8"
//!   }
//! }
//! ```

use crate::provider::resource::Resource;
use crate::provider::schema::{Attribute, Schema, Shape};

/// The attributes of a `rule` block.
pub(super) const RULE: [Attribute; 2] = [
    Attribute::optional("port", Shape::Number, "Where it listens."),
    Attribute::optional("cidr", Shape::Text, "Who may come in."),
];

/// The type.
pub(super) struct Thing;

impl Resource for Thing {
    fn name(&self) -> &'static str {
        "fake_thing"
    }

    fn schema(&self) -> Schema {
        let attributes = [
            Attribute::optional("name", Shape::Text, "What others find it by.").forcing_new(),
            Attribute::optional("value", Shape::Text, "A text."),
            Attribute::optional("tags", Shape::TextMap, "A map."),
            Attribute::optional("labels", Shape::TextSet, "A set."),
            Attribute::optional("items", Shape::TextList, "A list."),
            Attribute::optional("json", Shape::Text, "A text that is JSON."),
            Attribute::optional("number", Shape::Number, "A number."),
            Attribute::optional("enabled", Shape::Flag, "A bool."),
            Attribute::computed("etag", Shape::Text, "Another one after every update."),
        ];
        Schema::of_resource("Keeps what it is told.", attributes).with_block("rule", RULE)
    }
}
