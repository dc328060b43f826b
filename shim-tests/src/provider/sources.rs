//! Data sources and ephemeral resources: what is only read.
//!
//! * `fake_lookup`: `name` of an object of any type, `attribute` (`value` where none is given). Gives
//!   `found` and the attribute as text in `value`, null where there is no such object.
//! * `fake_random_data`: `value` is another one at every read.
//! * Ephemeral `fake_token`: `token` is another one at every opening, and starts with `prefix`.

use super::cloud::World;
use super::schema::{Attribute, Schema, Shape};
use super::value::{Attributes, Value};

/// Something that is only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The data source `fake_lookup`.
    Lookup,
    /// The data source `fake_random_data`.
    Random,
    /// The ephemeral resource `fake_token`.
    Token,
}

/// Every data source.
pub(crate) const DATA: [Source; 2] = [Source::Lookup, Source::Random];

/// Every ephemeral resource.
pub(crate) const EPHEMERAL: [Source; 1] = [Source::Token];

impl Source {
    /// Returns the name of the type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lookup => "fake_lookup",
            Self::Random => "fake_random_data",
            Self::Token => "fake_token",
        }
    }

    /// Returns what it looks like.
    pub(crate) fn schema(self) -> Schema {
        match self {
            Self::Lookup => Schema::new(
                "An attribute of an object that has that name.",
                [
                    Attribute::required("name", Shape::Text, "Whose."),
                    Attribute::optional("attribute", Shape::Text, "Which, `value` if not given."),
                    Attribute::computed("found", Shape::Flag, "Whether there is such an object."),
                    Attribute::computed("value", Shape::Text, "The attribute as text."),
                ],
            ),
            Self::Random => Schema::new(
                "Never the same.",
                [Attribute::computed("value", Shape::Text, "Another one at every read.")],
            ),
            Self::Token => Schema::new(
                "A token that is kept nowhere.",
                [
                    Attribute::optional("prefix", Shape::Text, "What it starts with."),
                    Attribute::computed("token", Shape::Text, "Another one at every opening."),
                ],
            ),
        }
    }

    /// Reads it: adds to the configuration what is computed.
    pub(crate) fn read(self, world: &mut World, mut config: Attributes) -> Attributes {
        let text = |name: &str| config.get(name).and_then(Value::as_text).map(str::to_owned);
        match self {
            Self::Lookup => {
                let found = world.find_named(&text("name").unwrap_or_default());
                let wanted = text("attribute").unwrap_or_else(|| "value".to_owned());
                let value = found.and_then(|held| held.get(&wanted)).map(as_text);
                let is_found = Value::Flag(found.is_some());
                config.insert("found".to_owned(), is_found);
                config.insert("value".to_owned(), value.unwrap_or_default());
            }
            Self::Random => {
                let value = format!("random-{}", world.next(self.name()));
                config.insert("value".to_owned(), value.into());
            }
            Self::Token => {
                let prefix = text("prefix").unwrap_or_else(|| "token".to_owned());
                let token = format!("{prefix}-{}", world.next(self.name()));
                config.insert("token".to_owned(), token.into());
            }
        }
        self.schema().complete(config)
    }
}

/// Returns a value as text, null for what is not a single value.
fn as_text(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.clone()),
        Value::Number(number) => number.to_string().into(),
        Value::Flag(flag) => flag.to_string().into(),
        Value::Null | Value::Unknown | Value::List(_) | Value::Map(_) => Value::Null,
    }
}
