//! Runs the recipes of `contrib/` as the services they are written for do, as far as that needs no service.
//!
//! The commands come from the recipe's own file, so that a recipe that does not work fails a test. What a
//! service does is done here in small: steps, conditions, variables, caches, artefacts. Whatever in a
//! recipe is not known here is a panic, never passed over.

mod expressions;
pub mod github;
pub mod gitlab;
mod machine;

use std::path::PathBuf;

pub use machine::Machine;
use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// Returns the path of a file in the repository.
#[must_use]
pub fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").join(name)
}

/// Reads a YAML file of the repository, of one document.
///
/// # Panics
/// If it is not there or no YAML 1.2.
#[must_use]
pub fn yaml(name: &str) -> Value {
    let text = std::fs::read_to_string(file(name)).expect("the recipe is there");
    let mut documents = YamlLoader::load_from_str(&text).expect("the recipe is YAML");
    assert_eq!(documents.len(), 1, "{name} is one document");
    plain(documents.remove(0))
}

/// Reads a JSON file of the repository.
///
/// # Panics
/// If it is not there or no JSON.
#[must_use]
pub fn json(name: &str) -> Value {
    let text = std::fs::read_to_string(file(name)).expect("the recipe is there");
    serde_json::from_str(&text).expect("the recipe is JSON")
}

/// Returns the text of a value that has to be one.
///
/// # Panics
/// If it is none.
#[must_use]
#[track_caller]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("text was expected: {value}"))
}

/// Returns a list, empty where there is none.
#[must_use]
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Turns YAML into the values that the rest of the harness knows.
fn plain(yaml: Yaml) -> Value {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => Value::String(text),
        Yaml::Integer(number) => number.into(),
        Yaml::Boolean(value) => value.into(),
        Yaml::Null => Value::Null,
        Yaml::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        Yaml::Hash(entries) => {
            let name = |key: Yaml| key.into_string().expect("keys are text");
            let entries = entries.into_iter().map(|(key, value)| (name(key), plain(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Yaml::Alias(_) | Yaml::BadValue => panic!("no aliases and nothing odd in a recipe"),
    }
}
