//! A state as the histories see it: who it is, how far it has come, what is in it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Its input.
    pub(crate) input: String,
    /// Whether it is to be replaced.
    pub(crate) is_tainted: bool,
}

/// Resources by name.
pub(crate) type Resources = BTreeMap<String, Resource>;

/// A state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Its lineage.
    pub(crate) lineage: String,
    /// Its serial.
    pub(crate) serial: u64,
    /// What is in it.
    pub(crate) resources: Resources,
}

impl State {
    /// Reads one; none where there is no file, or an empty one.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok().filter(|bytes| !bytes.is_empty())?;
        let state: Value = serde_json::from_slice(&bytes).unwrap();
        let resources = state["resources"].as_array().unwrap().iter().map(|resource| {
            let instance = &resource["instances"][0];
            let input = instance["attributes"]["input"]["value"].as_str().unwrap_or_default();
            let is_tainted = instance["status"] == "tainted";
            let name = resource["name"].as_str().unwrap().to_owned();
            (name, Resource { input: input.to_owned(), is_tainted })
        });
        Some(Self {
            lineage: state["lineage"].as_str().unwrap().to_owned(),
            serial: state["serial"].as_u64().unwrap(),
            resources: resources.collect(),
        })
    }

    /// The bytes, as Terraform writes them.
    pub(crate) fn bytes(&self) -> String {
        let one = |(name, resource): (&String, &Resource)| {
            let Resource { input, is_tainted } = resource;
            let status = if *is_tainted { "\n          \"status\": \"tainted\"," } else { "" };
            let value = format!(
                "{{\n              \"value\": \"{input}\",\n              \"type\": \"string\"\n            }}"
            );
            format!(
                "    {{\n      \"mode\": \"managed\",\n      \"type\": \"terraform_data\",\n      \
                 \"name\": \"{name}\",\n      \"provider\": \
                 \"provider[\\\"terraform.io/builtin/terraform\\\"]\",\n      \"instances\": [\n        \
                 {{{status}\n          \"schema_version\": 0,\n          \"attributes\": {{\n            \
                 \"id\": \"id-{name}\",\n            \"input\": {value},\n            \"output\": {value},\n            \
                 \"triggers_replace\": null\n          }},\n          \"sensitive_attributes\": []\n        \
                 }}\n      ]\n    }}"
            )
        };
        let all: Vec<String> = self.resources.iter().map(one).collect();
        let list =
            if all.is_empty() { "[]".into() } else { format!("[\n{}\n  ]", all.join(",\n")) };
        format!(
            "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": {},\n  \
             \"lineage\": \"{}\",\n  \"outputs\": {{}},\n  \"resources\": {list},\n  \
             \"check_results\": null\n}}\n",
            self.serial, self.lineage,
        )
    }
}

#[test]
fn a_state_that_was_written_is_read_as_it_was() {
    let one = |input: &str, is_tainted| Resource { input: input.to_owned(), is_tainted };
    let state = State {
        lineage: "ec80aa96-53d4-44b7-9f0c-6c2b9a1e7d10".to_owned(),
        serial: 7,
        resources: [("a".to_owned(), one("1", false)), ("b".to_owned(), one("2", true))].into(),
    };
    let sandbox = shim_tests::Sandbox::new();
    sandbox.write("state", state.bytes());
    assert_eq!(State::read(&sandbox.project().join("state")), Some(state));
}
