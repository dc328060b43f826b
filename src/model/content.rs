//! The resources and outputs of a state, by address.
//!
//! Unlike the scan this builds values, so it is for what a person asks for, never for the path of a
//! guarded command. Deposed objects share the address of their instance, so the key is both.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::address;
use super::census::AddressPrint;
use super::mask::{Marks, Secrets};
use super::operation::Status;
use super::state::StateImage;

/// Whether Terraform manages a resource or only reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// A `resource` block.
    Managed,
    /// A `data` block.
    Data,
}

/// A state whose resources cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotReadable {
    /// The bytes are no state.
    #[error("it is no state: {0}")]
    Invalid(String),
    /// Its content is encrypted.
    #[error("the state is encrypted")]
    Encrypted,
    /// Deeper than the values we build, 127 levels.
    #[error("the state nests too deep to be compared")]
    TooDeep,
}

/// One resource instance of a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ResourceEntry {
    /// Its address, as Terraform writes it.
    pub(crate) address: String,
    /// The key of a deposed object, which has the address of its successor.
    pub(crate) deposed: Option<String>,
    /// Managed or data.
    pub(crate) mode: Mode,
    /// The resource's type, such as `aws_instance`.
    pub(crate) kind: String,
    /// The provider, as the state writes it: `provider["registry.terraform.io/ns/name"]`.
    pub(crate) provider: String,
    /// `attributes.id`, where it is a string that is not sensitive.
    pub(crate) id: Option<String>,
}

/// Lists the resource instances of a state, ordered by address.
///
/// # Errors
/// The state is invalid, encrypted, or nests too deep.
pub(crate) fn list_resources(state: &StateImage) -> Result<Vec<ResourceEntry>, NotReadable> {
    let content = Content::read(Some(state))?;
    let mut secrets = Secrets::default();
    content.teach(&mut secrets);
    let entries = content.instances.iter().map(|((address, deposed), instance)| ResourceEntry {
        address: address.clone(),
        deposed: deposed.clone(),
        mode: instance.mode,
        kind: instance.kind.clone(),
        provider: instance.provider.clone(),
        id: instance.id(&secrets),
    });
    Ok(entries.collect())
}

/// One instance, as the state has it.
pub(super) struct Instance {
    pub(super) mode: Mode,
    pub(super) kind: String,
    pub(super) provider: String,
    /// Fingerprint of the address; none where the census does not count it.
    pub(super) print: Option<AddressPrint>,
    /// `attributes`.
    pub(super) attributes: Value,
    /// All other members but those that are part of the address.
    pub(super) rest: Map<String, Value>,
}

impl Instance {
    /// The paths that this instance marks as sensitive.
    pub(super) fn mark(&self, marks: &mut Marks) {
        if let Some(paths) = member(&self.rest, "sensitive_attributes") {
            marks.read(paths);
        }
    }

    /// `attributes.id`, where it is a string that may be shown.
    pub(super) fn id(&self, secrets: &Secrets) -> Option<String> {
        let mut marks = Marks::default();
        self.mark(&mut marks);
        let id = self.attributes.get("id")?.as_str()?;
        (!marks.has("id") && !secrets.has(id)).then(|| id.to_owned())
    }
}

/// The instances and outputs of a state.
#[derive(Default)]
pub(super) struct Content {
    pub(super) instances: BTreeMap<(String, Option<String>), Instance>,
    pub(super) outputs: BTreeMap<String, Value>,
}

impl Content {
    /// Reads a state; what is absent or empty has nothing.
    pub(super) fn read(state: Option<&StateImage>) -> Result<Self, NotReadable> {
        let Some(state) = state else { return Ok(Self::default()) };
        match state.status() {
            Status::Ok | Status::Ambiguous | Status::Empty => {}
            Status::Encrypted => return Err(NotReadable::Encrypted),
            Status::Invalid | Status::Absent | Status::Unreadable | Status::Unknown => {
                let fault = state.scan().fault.clone().unwrap_or_default();
                return Err(NotReadable::Invalid(fault));
            }
        }
        if state.bytes().is_empty() {
            return Ok(Self::default());
        }
        let whole = match serde_json::from_slice::<Value>(state.bytes()) {
            Ok(whole) => whole,
            // What the scan took and this does not: invalid UTF-8 or half surrogates, or too deep.
            Err(_) => serde_json::from_str(&String::from_utf8_lossy(state.bytes()))
                .map_err(|_| NotReadable::TooDeep)?,
        };
        let mut content = Self::default();
        let Some(top) = whole.as_object() else { return Ok(content) };
        if member(top, "version").and_then(Value::as_u64) != Some(4) {
            return Ok(content);
        }
        for resource in member(top, "resources").and_then(Value::as_array).into_iter().flatten() {
            content.read_resource(resource);
        }
        if let Some(Value::Object(outputs)) = member(top, "outputs") {
            content.outputs = outputs.clone().into_iter().collect();
        }
        Ok(content)
    }

    fn read_resource(&mut self, resource: &Value) {
        let Some(resource) = resource.as_object() else { return };
        let text = |name| member(resource, name).and_then(Value::as_str).unwrap_or_default();
        let (module, kind, name) = (text("module"), text("type"), text("name"));
        let mode = if text("mode") == "data" { Mode::Data } else { Mode::Managed };
        let instances = member(resource, "instances").and_then(Value::as_array);
        for instance in instances.into_iter().flatten().filter_map(Value::as_object) {
            let index = member(instance, "index_key").unwrap_or(&Value::Null);
            let deposed = member(instance, "deposed").and_then(Value::as_str);
            let deposed = deposed.filter(|key| !key.is_empty()).map(str::to_owned);
            let is_counted = mode == Mode::Managed && deposed.is_none();
            let mut read = Instance {
                mode,
                kind: kind.to_owned(),
                provider: text("provider").to_owned(),
                print: is_counted
                    .then(|| AddressPrint::of(module, kind, name, print_of(index).as_deref())),
                attributes: Value::Null,
                rest: Map::new(),
            };
            for (key, value) in instance {
                match key.to_ascii_lowercase().as_str() {
                    "attributes" => read.attributes = value.clone(),
                    "index_key" | "deposed" => {}
                    _ => {
                        read.rest.insert(key.clone(), value.clone());
                    }
                }
            }
            let mut marks = Marks::default();
            read.mark(&mut marks);
            marks.unwrap_dynamic("", &mut read.attributes);
            let address = address::instance(module, mode == Mode::Data, kind, name, index);
            self.instances.insert((address, deposed), read);
        }
    }

    /// Teaches every sensitive value of this state.
    pub(super) fn teach(&self, secrets: &mut Secrets) {
        for instance in self.instances.values() {
            let mut marks = Marks::default();
            instance.mark(&mut marks);
            marks.teach("", &instance.attributes, secrets);
        }
        for output in self.outputs.values().filter(|output| is_sensitive(output)) {
            secrets.learn(output.get("value").unwrap_or(&Value::Null));
        }
    }
}

/// Whether an output is marked as sensitive.
pub(super) fn is_sensitive(output: &Value) -> bool {
    output.get("sensitive").and_then(Value::as_bool).unwrap_or_default()
}

/// The index as the census hashes it.
fn print_of(index: &Value) -> Option<String> {
    match index {
        Value::Null => None,
        Value::String(key) => Some(format!("\"{key}\"")),
        other => Some(other.to_string()),
    }
}

/// A member by name, whatever its case, the last one winning, as in Go.
pub(super) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
