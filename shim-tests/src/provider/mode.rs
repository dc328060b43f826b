//! The ways in which a cloud keeps something else than it was told.
//!
//! They are those of real providers: JSON that comes back re-serialised, names in lower case, lists in
//! another order, an empty text that is none. A mode is a function of what was written; writing its own
//! result changes nothing, so a configuration that is written as the cloud likes it is at peace.

use super::value::{Attributes, Value};

/// What attributes and blocks a mode works on, where a type has them.
const REWRITTEN: [&str; 6] = ["force", "items", "password", "rule", "tags", "value"];

/// A way to keep something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Texts that are JSON: keys sorted, white space gone.
    Json,
    /// Texts: lower case.
    Case,
    /// Texts: nothing white at either end.
    Space,
    /// Lists and blocks: sorted.
    Order,
    /// Texts that are numbers: in their shortest form, `1.0` becomes `1`.
    Number,
    /// Empty texts, lists and maps: null.
    Empty,
    /// Texts: no slash at the end.
    Slash,
    /// `value` alone: `x` where it was null.
    Default,
    /// `value` alone: null, whatever was written.
    Drop,
}

impl Mode {
    /// Parses a mode as a configuration writes it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "json" => Self::Json,
            "case" => Self::Case,
            "space" => Self::Space,
            "order" => Self::Order,
            "number" => Self::Number,
            "empty" => Self::Empty,
            "slash" => Self::Slash,
            "default" => Self::Default,
            "drop" => Self::Drop,
            _ => return None,
        })
    }

    /// Returns the mode that an object asks for; none where it asks for none.
    pub(crate) fn of(attributes: &Attributes) -> Option<Self> {
        attributes.get("mode").and_then(Value::as_text).and_then(Self::parse)
    }

    /// Turns what was written into what is kept.
    pub(crate) fn rewrite(self, attributes: &mut Attributes) {
        for (name, value) in attributes {
            if REWRITTEN.contains(&name.as_str()) {
                *value = match self {
                    Self::Default | Self::Drop if name != "value" => continue,
                    // Terraform knows no null in place of blocks.
                    Self::Empty if name == "rule" => continue,
                    _ => self.kept(std::mem::take(value)),
                };
            }
        }
    }

    /// Returns what is kept of a value.
    fn kept(self, value: Value) -> Value {
        match (self, value) {
            (Self::Drop, _) => Value::Null,
            (Self::Default, Value::Null) => "x".into(),
            (Self::Empty, Value::Text(text)) if text.is_empty() => Value::Null,
            (Self::Empty, Value::List(items)) if items.is_empty() => Value::Null,
            (Self::Empty, Value::Map(entries)) if entries.is_empty() => Value::Null,
            (Self::Order, Value::List(mut items)) => {
                // Blocks have no order of their own; that of their encoding is as good as any.
                items.sort_by_key(Value::pack);
                Value::List(items)
            }
            (_, Value::Text(text)) => Value::Text(self.kept_text(text)),
            (Self::Empty, value) => value,
            (_, Value::List(items)) => {
                Value::List(items.into_iter().map(|item| self.kept(item)).collect())
            }
            (_, Value::Map(entries)) => {
                Value::Map(entries.into_iter().map(|(key, item)| (key, self.kept(item))).collect())
            }
            (_, value) => value,
        }
    }

    /// Returns what is kept of a text.
    fn kept_text(self, text: String) -> String {
        match self {
            Self::Json => sorted_json(&text).unwrap_or(text),
            Self::Case => text.to_lowercase(),
            Self::Space => text.trim().to_owned(),
            Self::Slash => text.trim_end_matches('/').to_owned(),
            Self::Number => text.parse::<f64>().map_or(text, |number| number.to_string()),
            Self::Order | Self::Empty | Self::Default | Self::Drop => text,
        }
    }
}

/// Writes JSON anew, keys sorted; `None` for what is no JSON.
fn sorted_json(text: &str) -> Option<String> {
    let mut json: serde_json::Value = serde_json::from_str(text).ok()?;
    json.sort_all_objects();
    Some(json.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Attributes, Mode, Value};

    /// Returns what a mode keeps of `value`.
    fn kept(mode: &str, value: impl Into<Value>) -> Value {
        let mut attributes = Attributes::from([("value".to_owned(), value.into())]);
        Mode::parse(mode).unwrap().rewrite(&mut attributes);
        attributes.remove("value").unwrap()
    }

    #[test]
    fn each_mode_keeps_something_else_and_is_at_peace_with_that() {
        let sorted: Value = ["a", "b"].into();
        for (mode, written, expected) in [
            ("json", "{\n \"b\": 1, \"a\": [2] }".into(), r#"{"a":[2],"b":1}"#.into()),
            ("case", "AbC".into(), "abc".into()),
            ("space", "text\n".into(), "text".into()),
            ("order", ["b", "a"].into(), sorted),
            ("number", "1.0".into(), "1".into()),
            ("empty", "".into(), Value::Null),
            ("empty", Value::List(Vec::new()), Value::Null),
            ("slash", "/a/".into(), "/a".into()),
            ("default", Value::Null, "x".into()),
            ("drop", "gone".into(), Value::Null),
        ] {
            assert_eq!(kept(mode, written), expected, "{mode}");
            assert_eq!(kept(mode, expected.clone()), expected, "{mode} again");
        }
    }
}
