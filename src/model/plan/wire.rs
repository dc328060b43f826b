//! The members of a plan document that we read, by the names that Terraform gives them.
//!
//! Everything may be absent or null: Terraform leaves empty members out, and each version knows a few more
//! than the one before (`internal/command/jsonplan/plan.go`, 1.11; `OpenTofu` 1.10 has no `applyable`).
//! Members that are not named here are passed over without being built. `planned_values` is one of them: what
//! it says about resources stands in `resource_changes` too, and it is a third of the document.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::hidden::Hidden;

/// The document.
#[derive(Deserialize)]
pub(super) struct Document {
    /// `1.2` as of 1.11.
    #[serde(default)]
    pub(super) format_version: Option<String>,
    /// Who wrote it.
    #[serde(default)]
    pub(super) terraform_version: Option<String>,
    /// Whether there is anything to apply.
    #[serde(default)]
    pub(super) applyable: Option<bool>,
    /// Whether planning failed half-way.
    #[serde(default)]
    pub(super) errored: Option<bool>,
    /// What would be done.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) resource_changes: Vec<WireChange>,
    /// What the refresh found.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) resource_drift: Vec<WireChange>,
    /// Resources that could not be planned yet.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) deferred_changes: Vec<WireDeferred>,
    /// Outputs of the root module, unchanged ones too.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) output_changes: BTreeMap<String, WireValues>,
    /// What the changes are made of.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) relevant_attributes: Vec<WireRelevant>,
    /// Conditions and `check` blocks.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) checks: Vec<WireCheck>,
    /// Values of the root module's variables, defaults included.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) variables: BTreeMap<String, WireVariable>,
    /// The state as it was refreshed.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) prior_state: WireState,
    /// The configuration.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) configuration: WireConfiguration,
}

/// One entry of `resource_changes` or `resource_drift`.
#[derive(Deserialize)]
pub(super) struct WireChange {
    /// Where.
    pub(super) address: String,
    /// Where it was, if a `moved` block says so.
    #[serde(default)]
    pub(super) previous_address: Option<String>,
    /// `managed` or `data`.
    #[serde(default)]
    pub(super) mode: Option<String>,
    /// The resource's type.
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    /// The provider's source address.
    #[serde(default)]
    pub(super) provider_name: String,
    /// The key of a deposed object.
    #[serde(default)]
    pub(super) deposed: Option<String>,
    /// Why.
    #[serde(default)]
    pub(super) action_reason: Option<String>,
    /// What.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) change: WireValues,
}

/// Before and after, of a resource or an output.
#[derive(Default, Deserialize)]
pub(super) struct WireValues {
    /// The words.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) actions: Vec<String>,
    /// The value before.
    #[serde(default)]
    pub(super) before: Hidden,
    /// The value after, without what is not known yet.
    #[serde(default)]
    pub(super) after: Hidden,
    /// `true` where it is not known yet.
    #[serde(default)]
    pub(super) after_unknown: Hidden,
    /// `true` where the value before is sensitive.
    #[serde(default)]
    pub(super) before_sensitive: Hidden,
    /// `true` where the value after is sensitive.
    #[serde(default)]
    pub(super) after_sensitive: Hidden,
    /// Attributes that cannot be updated: lists of names and numbers.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) replace_paths: Vec<Vec<serde_json::Value>>,
    /// Present where it is imported.
    #[serde(default)]
    pub(super) importing: Option<serde::de::IgnoredAny>,
}

/// One entry of `deferred_changes`.
#[derive(Deserialize)]
pub(super) struct WireDeferred {
    /// What would have been planned.
    #[serde(default)]
    pub(super) resource_change: Option<WireChange>,
}

/// One entry of `relevant_attributes`.
#[derive(Deserialize)]
pub(super) struct WireRelevant {
    /// The resource instance.
    #[serde(default)]
    pub(super) resource: String,
}

/// One entry of `checks`.
#[derive(Deserialize)]
pub(super) struct WireCheck {
    /// What has the conditions.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) address: WireCheckAddress,
    /// `pass`, `fail`, `error` or `unknown`.
    #[serde(default)]
    pub(super) status: String,
    /// Each instance of it, by module instance.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) instances: Vec<WireCheckInstance>,
}

/// The address of something with conditions.
#[derive(Default, Deserialize)]
pub(super) struct WireCheckAddress {
    /// `check`, `resource`, `output_value` or `var`.
    #[serde(default)]
    pub(super) kind: String,
    /// As Terraform shows it.
    #[serde(default)]
    pub(super) to_display: String,
}

/// One instance of something with conditions.
#[derive(Deserialize)]
pub(super) struct WireCheckInstance {
    /// Which.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) address: WireCheckAddress,
    /// As for the whole.
    #[serde(default)]
    pub(super) status: String,
}

/// One variable's value.
#[derive(Deserialize)]
pub(super) struct WireVariable {
    /// The value.
    #[serde(default)]
    pub(super) value: Hidden,
}

/// A state inside a plan.
#[derive(Default, Deserialize)]
pub(super) struct WireState {
    /// What it holds.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) values: WireStateValues,
}

/// What a state holds.
#[derive(Default, Deserialize)]
pub(super) struct WireStateValues {
    /// Outputs of the root module.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) outputs: BTreeMap<String, WireOutput>,
    /// Resources.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) root_module: WireStateModule,
}

/// One output's value.
#[derive(Deserialize)]
pub(super) struct WireOutput {
    /// Whether it is marked.
    #[serde(default)]
    pub(super) sensitive: bool,
    /// The value.
    #[serde(default)]
    pub(super) value: Hidden,
}

/// A module instance in a state.
#[derive(Default, Deserialize)]
pub(super) struct WireStateModule {
    /// Its resource instances.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) resources: Vec<WireStateResource>,
    /// The modules in it.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) child_modules: Vec<WireStateModule>,
}

/// A resource instance in a state.
#[derive(Deserialize)]
pub(super) struct WireStateResource {
    /// Its attributes.
    #[serde(default)]
    pub(super) values: Hidden,
    /// `true` where they are sensitive.
    #[serde(default)]
    pub(super) sensitive_values: Hidden,
}

/// The configuration.
#[derive(Default, Deserialize)]
pub(super) struct WireConfiguration {
    /// The root module.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) root_module: WireModule,
}

/// A module's configuration.
#[derive(Default, Deserialize)]
pub(super) struct WireModule {
    /// Its outputs.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) outputs: BTreeMap<String, WireOutputBlock>,
    /// Its resources and data sources.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) resources: Vec<WireResourceBlock>,
    /// The modules that it calls.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) module_calls: BTreeMap<String, WireCall>,
    /// Its variables.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) variables: BTreeMap<String, WireVariableBlock>,
}

/// An `output` block.
#[derive(Deserialize)]
pub(super) struct WireOutputBlock {
    /// What it is made of.
    #[serde(default)]
    pub(super) expression: Hidden,
    /// What it waits for.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) depends_on: Vec<String>,
}

/// A `resource` or `data` block.
#[derive(Deserialize)]
pub(super) struct WireResourceBlock {
    /// Its address within the module.
    #[serde(default)]
    pub(super) address: String,
    /// What each attribute is made of.
    #[serde(default)]
    pub(super) expressions: Hidden,
    /// What `count` is made of.
    #[serde(default)]
    pub(super) count_expression: Hidden,
    /// What `for_each` is made of.
    #[serde(default)]
    pub(super) for_each_expression: Hidden,
    /// What it waits for.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) depends_on: Vec<String>,
}

/// A `module` block and the module behind it.
#[derive(Deserialize)]
pub(super) struct WireCall {
    /// What each variable is given.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) expressions: BTreeMap<String, Hidden>,
    /// What `count` is made of.
    #[serde(default)]
    pub(super) count_expression: Hidden,
    /// What `for_each` is made of.
    #[serde(default)]
    pub(super) for_each_expression: Hidden,
    /// The module.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) module: WireModule,
}

/// A `variable` block.
#[derive(Deserialize)]
pub(super) struct WireVariableBlock {
    /// Whether it is marked.
    #[serde(default)]
    pub(super) sensitive: bool,
    /// The default.
    #[serde(default)]
    pub(super) default: Hidden,
}

/// Reads null as the empty value: Go writes a nil list as null.
fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
