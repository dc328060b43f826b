//! Which texts of a plan must not be shown anywhere.
//!
//! Terraform marks sensitive values by maps of `true` beside the values, and writes the values themselves in
//! clear text. Whether a variable is sensitive stands in the configuration, its value in `variables`; for
//! variables of a called module only literals and defaults are told. Data sources have no entry in
//! `resource_changes` unless they are still to be read, so the prior state is looked through too (seen with
//! Terraform 1.11.4).

use std::collections::BTreeSet;

use serde_json::Value;

use super::hidden::is_marked_within;
use super::wire::{Document, WireModule, WireStateModule, WireValues};

/// Every text and number that is marked as sensitive.
#[derive(Default)]
pub(super) struct Secrets(BTreeSet<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Secrets {
    /// All of them, sorted.
    pub(super) fn list(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// Goes through a document.
    pub(super) fn learn(&mut self, document: &Document) {
        let changes = document.resource_changes.iter().chain(&document.resource_drift);
        let deferred = document.deferred_changes.iter().filter_map(|d| d.resource_change.as_ref());
        for change in changes.chain(deferred) {
            self.learn_values(&change.change);
        }
        document.output_changes.values().for_each(|values| self.learn_values(values));
        for output in document.prior_state.values.outputs.values().filter(|o| o.sensitive) {
            self.learn_all(output.value.reveal());
        }
        self.learn_state(&document.prior_state.values.root_module);
        let root = &document.configuration.root_module;
        for (name, variable) in &document.variables {
            if root.variables.get(name).is_some_and(|block| block.sensitive) {
                self.learn_all(variable.value.reveal());
            }
        }
        self.learn_module(root);
    }

    /// Learns the marked values of a change.
    fn learn_values(&mut self, values: &WireValues) {
        self.learn_marked(values.before.reveal(), values.before_sensitive.reveal());
        self.learn_marked(values.after.reveal(), values.after_sensitive.reveal());
    }

    /// Learns the marked values of a module instance and those in it.
    fn learn_state(&mut self, module: &WireStateModule) {
        for resource in &module.resources {
            self.learn_marked(resource.values.reveal(), resource.sensitive_values.reveal());
        }
        module.child_modules.iter().for_each(|child| self.learn_state(child));
    }

    /// Learns defaults of sensitive variables, and literals that they are given.
    fn learn_module(&mut self, module: &WireModule) {
        for block in module.variables.values().filter(|block| block.sensitive) {
            self.learn_all(block.default.reveal());
        }
        for call in module.module_calls.values() {
            for (name, expression) in &call.expressions {
                let is_sensitive = call.module.variables.get(name).is_some_and(|v| v.sensitive);
                let literal = expression.reveal().get("constant_value");
                if let Some(literal) = literal.filter(|_| is_sensitive) {
                    self.learn_all(literal);
                }
            }
            self.learn_module(&call.module);
        }
    }

    /// Learns what the marks mark. Where the two have different shapes, as a set whose marks could not be
    /// told apart, everything below is taken.
    fn learn_marked(&mut self, value: &Value, marks: &Value) {
        match (value, marks) {
            (_, marks) if !is_marked_within(marks) => {}
            (Value::Object(members), Value::Object(marks)) => {
                for (name, marks) in marks {
                    if let Some(member) = members.get(name) {
                        self.learn_marked(member, marks);
                    }
                }
            }
            (Value::Array(elements), Value::Array(marks)) if elements.len() == marks.len() => {
                for (element, marks) in elements.iter().zip(marks) {
                    self.learn_marked(element, marks);
                }
            }
            (value, _) => self.learn_all(value),
        }
    }

    /// Learns every text and number within a value.
    fn learn_all(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => drop(self.0.insert(text.clone())),
            Value::Number(number) => drop(self.0.insert(number.to_string())),
            Value::Array(elements) => elements.iter().for_each(|element| self.learn_all(element)),
            Value::Object(members) => members.values().for_each(|member| self.learn_all(member)),
        }
    }
}
