//! What the build makes of the protocol files, and how our values get in and out of its messages.

use super::value::{Attributes, Value};
use tfplugin6::{Diagnostic, DynamicValue, diagnostic::Severity};

/// Terraform's plugin protocol 6.
#[expect(
    unused_qualifications,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated; the protocol file is where it is explained"
)]
#[cfg_attr(
    not(test),
    expect(clippy::missing_docs_in_private_items, reason = "as above; not looked for in tests")
)]
pub(crate) mod tfplugin6 {
    tonic::include_proto!("tfplugin6");
}

/// The health service of gRPC.
#[expect(
    unused_qualifications,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated; the protocol file is where it is explained"
)]
#[cfg_attr(
    not(test),
    expect(clippy::missing_docs_in_private_items, reason = "as above; not looked for in tests")
)]
pub(crate) mod health {
    tonic::include_proto!("grpc.health.v1");
}

/// Reads an object out of a message; `None` is one that does not exist.
///
/// # Panics
/// If it is no object: Terraform keeps to the schema.
pub(crate) fn object(value: Option<DynamicValue>) -> Option<Attributes> {
    let value = value.unwrap_or_default();
    let value = if value.json.is_empty() {
        Value::unpack(&value.msgpack).expect("Terraform sends MessagePack")
    } else {
        json(&value.json)
    };
    match value {
        Value::Null => None,
        Value::Map(attributes) => Some(attributes),
        other => panic!("an object was expected: {other:?}"),
    }
}

/// Reads a value out of the JSON of a state.
pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice::<serde_json::Value>(bytes).expect("Terraform sends JSON").into()
}

/// Puts an object into a message; `None` is one that does not exist.
pub(crate) fn dynamic(object: impl Into<Option<Attributes>>) -> DynamicValue {
    let value = object.into().map_or(Value::Null, Value::Map);
    DynamicValue { msgpack: value.pack(), json: Vec::new() }
}

/// Makes an error that Terraform shows.
pub(crate) fn error(summary: impl Into<String>) -> Diagnostic {
    let detail = "The test provider was told to, or was told nonsense.".to_owned();
    Diagnostic { severity: Severity::Error.into(), summary: summary.into(), detail }
}
