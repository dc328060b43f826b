//! Which values of a state must not be shown.
//!
//! Two nets. A value is masked where a state marks its path as sensitive; and it is masked wherever else
//! it turns up, because Terraform's marks do not follow a value through a provider. The second net has a
//! lower bound, [`SHORTEST`]: that a port or a `yes` elsewhere equals some sensitive value tells nobody
//! anything, and masking every `80` would make a comparison useless. At its own marked path a value is
//! masked however short it is.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::address::{element, member};

/// What is shown in place of a value.
pub(super) const SENSITIVE: &str = "(sensitive)";

/// Fewest characters or digits of a value that is masked wherever it turns up. Four, because a PIN has
/// four digits.
const SHORTEST: usize = 4;

/// Longest rendering of a value, in characters.
const LONGEST: usize = 120;

/// The texts of sensitive values, wherever they were marked.
#[derive(Default)]
pub(super) struct Secrets(HashSet<String>);

impl Secrets {
    /// Learns every string and number within a sensitive value.
    pub(super) fn learn(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::String(text) => self.learn_text(text.clone()),
            Value::Number(number) => self.learn_text(number.to_string()),
            Value::Array(elements) => elements.iter().for_each(|element| self.learn(element)),
            // Not the names: those of a sensitive object are mostly words of its schema, and learning
            // `name` would mask half of every comparison.
            Value::Object(members) => members.values().for_each(|value| self.learn(value)),
        }
    }

    fn learn_text(&mut self, text: String) {
        let is_word = matches!(text.as_str(), "true" | "false" | "null" | "none" | "default");
        if text.chars().count() >= SHORTEST && !is_word {
            self.0.insert(text);
        }
    }

    /// Whether a text is that of a sensitive value.
    pub(super) fn has(&self, text: &str) -> bool {
        self.0.contains(text)
    }

    fn has_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.has(text),
            Value::Number(number) => self.has(&number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        }
    }
}

/// The paths that one or two versions of an instance mark as sensitive, as [`member`] and [`element`]
/// write them.
#[derive(Default)]
pub(super) struct Marks(HashSet<String>);

impl Marks {
    /// Reads `sensitive_attributes`. A step that is not understood ends its path there, so that more is
    /// masked, not less.
    pub(super) fn read(&mut self, sensitive_attributes: &Value) {
        for path in sensitive_attributes.as_array().into_iter().flatten() {
            let mut text = String::new();
            for step in path.as_array().into_iter().flatten() {
                let value = step.get("value").unwrap_or(&Value::Null);
                let key = value.get("value").unwrap_or(value);
                let number = key.as_u64().and_then(|key| usize::try_from(key).ok());
                text = match (key.as_str(), number) {
                    (Some(name), _) => member(&text, name),
                    (None, Some(index)) => element(&text, index),
                    (None, None) => break,
                };
            }
            self.0.insert(text);
        }
    }

    /// Whether this very path is marked; an empty mark covers everything.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains(path) || self.0.contains("")
    }

    /// Takes the wrapping off values whose type is only known at run time: Terraform writes them as
    /// `{"value":…,"type":…}`, but its paths, in marks and in messages, know nothing of that (seen with
    /// `terraform_data`, 1.11.4). An object of that shape with a mark at its `value` or `type` is left
    /// alone, because it may be what it seems to be.
    pub(super) fn unwrap_dynamic(&self, path: &str, value: &mut Value) {
        if is_dynamic(value) && !self.reaches_into(path) {
            let inner = value.get_mut("value").map(Value::take);
            *value = inner.unwrap_or_default();
        }
        match value {
            Value::Array(elements) => {
                for (at, value) in elements.iter_mut().enumerate() {
                    self.unwrap_dynamic(&element(path, at), value);
                }
            }
            Value::Object(members) => {
                for (name, value) in members.iter_mut() {
                    self.unwrap_dynamic(&member(path, name), value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn reaches_into(&self, path: &str) -> bool {
        let inner = ["value", "type"].map(|name| member(path, name));
        self.0.iter().any(|mark| inner.iter().any(|inner| mark.starts_with(inner)))
    }

    /// Teaches the values at marked paths.
    pub(super) fn teach(&self, path: &str, value: &Value, secrets: &mut Secrets) {
        if self.has(path) {
            secrets.learn(value);
            return;
        }
        match value {
            Value::Array(elements) => {
                for (index, value) in elements.iter().enumerate() {
                    self.teach(&element(path, index), value, secrets);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    self.teach(&member(path, name), value, secrets);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Whether an object is a value together with its type, as cty writes types in JSON.
fn is_dynamic(value: &Value) -> bool {
    let Some(members) = value.as_object() else { return false };
    let is_type = match members.get("type") {
        Some(Value::String(name)) => {
            matches!(name.as_str(), "string" | "number" | "bool" | "dynamic")
        }
        Some(Value::Array(parts)) => matches!(
            parts.first().and_then(Value::as_str),
            Some("list" | "set" | "map" | "object" | "tuple")
        ),
        _ => false,
    };
    is_type && members.len() == 2 && members.contains_key("value")
}

/// What may be shown of a value, and whether something of it was masked.
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) is_masked: bool,
}

/// Decides what may be shown.
pub(super) struct Mask<'a> {
    pub(super) secrets: &'a Secrets,
    pub(super) marks: &'a Marks,
}

impl Mask<'_> {
    /// Renders a value as short JSON.
    pub(super) fn show(&self, path: &str, value: &Value) -> Shown {
        if self.marks.has(path) || self.secrets.has_value(value) {
            return Shown { text: SENSITIVE.to_owned(), is_masked: true };
        }
        let mut is_masked = false;
        let text = self.masked(path, value, &mut is_masked).to_string();
        Shown { text: shortened(text), is_masked }
    }

    /// Whether the name of a member is itself a sensitive value. Names at the top are words of the
    /// schema.
    pub(super) fn hides_name(&self, path: &str, name: &str) -> bool {
        !path.is_empty() && self.secrets.has(name)
    }

    fn masked(&self, path: &str, value: &Value, is_masked: &mut bool) -> Value {
        if self.marks.has(path) || self.secrets.has_value(value) {
            *is_masked = true;
            return Value::from(SENSITIVE);
        }
        match value {
            Value::Array(elements) => {
                let elements = elements.iter().enumerate();
                elements
                    .map(|(at, value)| self.masked(&element(path, at), value, is_masked))
                    .collect()
            }
            Value::Object(members) => {
                let mut shown = Map::new();
                for (name, value) in members {
                    let value = self.masked(&member(path, name), value, is_masked);
                    let is_secret = self.hides_name(path, name);
                    *is_masked |= is_secret;
                    shown.insert(if is_secret { SENSITIVE } else { name }.to_owned(), value);
                }
                Value::Object(shown)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Marks, Mask, Secrets};

    #[test]
    fn a_secret_is_masked_wherever_it_turns_up_unless_it_is_trivial() {
        let mut secrets = Secrets::default();
        secrets.learn(&json!({"a": "hunter2", "b": [12345, "80", true, null, "", "true"]}));
        let marks = Marks::default();
        let mask = Mask { secrets: &secrets, marks: &marks };
        let shown =
            mask.show("x", &json!({"p": "hunter2", "hunter2": 1, "n": "12345", "port": "80"}));
        let expected = r#"{"p":"(sensitive)","(sensitive)":1,"n":"(sensitive)","port":"80"}"#;
        assert_eq!(shown.text, expected);
        assert!(shown.is_masked);
        assert!(!mask.show("x", &json!([true, null, "", "true"])).is_masked);
        assert_eq!(mask.show("x", &json!(12345)).text, "(sensitive)");
    }

    #[test]
    fn marked_paths_are_masked_whatever_they_hold() {
        let mut marks = Marks::default();
        marks.read(&json!([
            [{"type": "get_attr", "value": "tags"}, {"type": "index", "value": {"value": "a b", "type": "string"}}],
            [{"type": "get_attr", "value": "list"}, {"type": "index", "value": {"value": 1, "type": "number"}}],
            [{"type": "get_attr", "value": "odd"}, {"type": "splat"}],
        ]));
        let secrets = Secrets::default();
        let mask = Mask { secrets: &secrets, marks: &marks };
        assert_eq!(
            mask.show("tags", &json!({"a b": 1, "c": 2})).text,
            r#"{"a b":"(sensitive)","c":2}"#
        );
        assert_eq!(mask.show("list", &json!([1, 2])).text, r#"[1,"(sensitive)"]"#);
        assert_eq!(mask.show("odd", &json!([1])).text, "(sensitive)");
    }

    #[test]
    fn dynamic_values_lose_their_wrapping_before_marks_apply() {
        let mut marks = Marks::default();
        marks.read(&json!([
            [{"type": "get_attr", "value": "input"}, {"type": "get_attr", "value": "a"}],
            [{"type": "get_attr", "value": "object"}, {"type": "get_attr", "value": "value"}],
        ]));
        let mut attributes = json!({
            "input": {"value": {"a": "s3cret", "b": "string"}, "type": ["object", {"a": "string", "b": "string"}]},
            "object": {"value": "s3cret2", "type": "string"},
        });
        marks.unwrap_dynamic("", &mut attributes);
        let mut secrets = Secrets::default();
        marks.teach("", &attributes, &mut secrets);
        let shown = Mask { secrets: &secrets, marks: &marks }.show("", &attributes);
        let expected = r#"{"input":{"a":"(sensitive)","b":"string"},"object":{"value":"(sensitive)","type":"string"}}"#;
        assert_eq!(shown.text, expected);
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let (secrets, marks) = (Secrets::default(), Marks::default());
        let shown = Mask { secrets: &secrets, marks: &marks }.show("x", &json!("é".repeat(500)));
        assert_eq!(shown.text.chars().count(), 121);
    }
}
