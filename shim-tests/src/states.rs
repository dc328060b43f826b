//! States to play with: as Terraform writes them, of any size.

use std::fmt::Write;

/// The lineage of every state made here, unless another is asked for.
pub const LINEAGE: &str = "ec80aa96-53d4-44b7-9f0c-6c2b9a1e7d10";

/// Returns a state of the builtin `terraform_data` with that serial and those resource names.
#[must_use]
pub fn state(serial: u64, resources: &[&str]) -> String {
    state_of(LINEAGE, serial, resources)
}

/// Returns a state with a given lineage.
#[must_use]
pub fn state_of(lineage: &str, serial: u64, resources: &[&str]) -> String {
    let resources: Vec<String> = resources.iter().map(|name| resource(name, name)).collect();
    document(lineage, serial, &resources)
}

/// Returns a state of about that many bytes, which shrinks under gzip about as real ones do.
///
/// A fixed generator fills it: the same size is the same state.
#[must_use]
pub fn state_of_size(serial: u64, size_bytes: usize) -> String {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut resources = Vec::new();
    let mut bytes = document(LINEAGE, serial, &[]).len();
    while bytes < size_bytes {
        let mut input = String::new();
        for _ in 0..2 {
            // Xorshift: cheap, and gzip cannot guess it.
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            write!(input, "{seed:016x}").expect("a String takes everything");
        }
        let next = resource(&format!("r{:07}", resources.len()), &input);
        bytes += next.len() + 1;
        resources.push(next);
    }
    document(LINEAGE, serial, &resources)
}

/// Returns the whole file.
fn document(lineage: &str, serial: u64, resources: &[String]) -> String {
    let list = if resources.is_empty() {
        "[]".to_owned()
    } else {
        format!("[\n{}\n  ]", resources.join(",\n"))
    };
    format!(
        "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": {serial},\n  \
         \"lineage\": \"{lineage}\",\n  \"outputs\": {{}},\n  \"resources\": {list},\n  \
         \"check_results\": null\n}}\n"
    )
}

/// Returns one resource.
fn resource(name: &str, input: &str) -> String {
    format!(
        r#"    {{
      "mode": "managed",
      "type": "terraform_data",
      "name": "{name}",
      "provider": "provider[\"terraform.io/builtin/terraform\"]",
      "instances": [
        {{
          "schema_version": 0,
          "attributes": {{
            "id": "id-{name}",
            "input": {{
              "value": "{input}",
              "type": "string"
            }},
            "output": {{
              "value": "{input}",
              "type": "string"
            }},
            "triggers_replace": null
          }},
          "sensitive_attributes": []
        }}
      ]
    }}"#
    )
}
