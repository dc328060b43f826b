//! A value of a plan, which may be a secret.
//!
//! Terraform writes every value of a plan in clear text, sensitive ones too (`internal/command/jsonplan`,
//! 1.11). So a value that was read has a type that can be compared but not shown: nobody can print a plan
//! by accident, not even in a panic.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// A JSON value that does not show itself. Null where there is none.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(Value);

impl Hidden {
    /// The value, to be compared; whoever asks must not show it.
    pub(crate) const fn reveal(&self) -> &Value {
        &self.0
    }
}

impl From<Value> for Hidden {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Whether `true` stands anywhere in a map of marks, as `after_unknown` and `after_sensitive` are.
pub(crate) fn is_marked_within(marks: &Value) -> bool {
    match marks {
        Value::Bool(is_marked) => *is_marked,
        Value::Array(elements) => elements.iter().any(is_marked_within),
        Value::Object(members) => members.values().any(is_marked_within),
        Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}
