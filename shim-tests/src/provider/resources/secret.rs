//! `fake_secret`: what must not be seen. The cloud holds all of it, Terraform's state not.
//!
//! ```hcl
//! resource "fake_secret" "a" {
//!   name              = "n"
//!   mode              = "case" # as of fake_normalised, for the password; null: keeps it
//!   password          = "P"    # sensitive
//!   secret_wo         = "W"    # write-only; taken when made, and when the version changes
//!   secret_wo_version = 1
//!   # token: computed, sensitive; another one with every version
//! }
//! ```

use super::normalised;
use crate::provider::cloud::World;
use crate::provider::mode::Mode;
use crate::provider::resource::{Presence, Resource};
use crate::provider::schema::{Attribute, Schema, Shape};
use crate::provider::value::{Attributes, Value};

/// The type.
pub(super) struct Secret;

impl Resource for Secret {
    fn name(&self) -> &'static str {
        "fake_secret"
    }

    fn schema(&self) -> Schema {
        let attributes = [
            Attribute::optional("name", Shape::Text, "What others find it by."),
            Attribute::optional("mode", Shape::Text, "What the cloud does to the password."),
            Attribute::optional("password", Shape::Text, "Kept, not shown.").sensitive(),
            Attribute::optional("secret_wo", Shape::Text, "Taken, not kept.").write_only(),
            Attribute::optional("secret_wo_version", Shape::Number, "Which `secret_wo` it is."),
            Attribute::computed("token", Shape::Text, "Given, not shown.").sensitive(),
        ];
        Schema::of_resource("Has something to hide.", attributes)
    }

    fn complaint(&self, config: &Attributes) -> Option<&'static str> {
        normalised::complaint(config)
    }

    fn plan(&self, _world: &World, prior: Option<&Attributes>, planned: &mut Attributes) {
        let version = "secret_wo_version";
        if prior.is_some_and(|prior| prior[version] != planned[version]) {
            planned.insert("token".to_owned(), Value::Unknown);
        }
    }

    fn settle(
        &self,
        world: &mut World,
        id: &str,
        config: &Attributes,
        attributes: &mut Attributes,
    ) {
        let is_new_version = attributes["token"] == Value::Unknown;
        let kept = world.find(self.name(), id).and_then(|held| held.get("secret_wo")).cloned();
        let secret = if is_new_version { config.get("secret_wo").cloned() } else { kept };
        attributes.insert("secret_wo".to_owned(), secret.unwrap_or_default());
        if is_new_version {
            let token = format!("{id}-token-{}", world.next(&format!("token of {id}")));
            attributes.insert("token".to_owned(), token.into());
        }
    }

    fn read(&self, _world: &mut World, _id: &str, attributes: &mut Attributes) -> Presence {
        if let Some(mode) = Mode::of(attributes) {
            mode.rewrite(attributes);
        }
        Presence::Here
    }
}
