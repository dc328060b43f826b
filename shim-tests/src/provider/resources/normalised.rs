//! `fake_normalised` and `fake_legacy`: the cloud keeps something else than it was told.
//!
//! `fake_normalised` shows it at the next read, so a plan without refresh is empty and one with refresh
//! is not. `fake_legacy` shows it in the result of the apply already, which Terraform forgives only
//! providers that claim the type system of the old SDK; there every plan has a change.
//!
//! ```hcl
//! resource "fake_normalised" "a" { # or fake_legacy
//!   mode  = "json" # case, space, order, number, empty, slash, default, drop
//!   value = "{ }"
//!   items = ["b", "a"]
//!   tags  = { team = "X" }
//!   force = "X" # as value, but another one makes another object: it is replaced with every apply
//!   rule {
//!     port = 80
//!     cidr = "FE80::/10"
//!   }
//! }
//! ```

use super::thing;
use crate::provider::cloud::World;
use crate::provider::mode::Mode;
use crate::provider::resource::{Presence, Resource};
use crate::provider::schema::{Attribute, Schema, Shape};
use crate::provider::value::{Attributes, Value};

/// The type, by when the other value shows.
#[derive(PartialEq, Eq)]
pub(super) enum Normalised {
    /// `fake_normalised`.
    AtRead,
    /// `fake_legacy`.
    AtApply,
}

impl Resource for Normalised {
    fn name(&self) -> &'static str {
        match self {
            Self::AtRead => "fake_normalised",
            Self::AtApply => "fake_legacy",
        }
    }

    fn schema(&self) -> Schema {
        let attributes = [
            Attribute::required("mode", Shape::Text, "What the cloud does to what it is told."),
            Attribute::optional("value", Shape::Text, "A text."),
            Attribute::optional("items", Shape::TextList, "A list."),
            Attribute::optional("tags", Shape::TextMap, "A map."),
            Attribute::optional("force", Shape::Text, "A text that cannot be changed in place.")
                .forcing_new(),
        ];
        let description = "Keeps something else than it is told.";
        Schema::of_resource(description, attributes).with_block("rule", thing::RULE)
    }

    fn is_legacy(&self) -> bool {
        *self == Self::AtApply
    }

    fn complaint(&self, config: &Attributes) -> Option<&'static str> {
        complaint(config)
    }

    fn settle(
        &self,
        _world: &mut World,
        _id: &str,
        _config: &Attributes,
        attributes: &mut Attributes,
    ) {
        if let (Self::AtApply, Some(mode)) = (self, Mode::of(attributes)) {
            mode.rewrite(attributes);
        }
    }

    fn read(&self, _world: &mut World, _id: &str, attributes: &mut Attributes) -> Presence {
        if let Some(mode) = Mode::of(attributes) {
            mode.rewrite(attributes);
        }
        Presence::Here
    }
}

/// Complains of a `mode` that does not exist.
pub(super) fn complaint(config: &Attributes) -> Option<&'static str> {
    let mode = config.get("mode").and_then(Value::as_text)?;
    Mode::parse(mode).is_none().then_some("There is no such mode.")
}
