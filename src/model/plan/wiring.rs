//! What refers to what in the configuration, as far as a plan tells.
//!
//! A plan lists the references of every expression, and names modules without instance keys
//! (`internal/command/jsonconfig`, Terraform 1.11). It does not list locals: a way that leads through one is
//! cut there, and whoever asks is told so. References are listed with all their beginnings, the longest
//! first: `module.m[0].o` and then `module.m[0]`, which would mean every output if it stood alone.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::hidden::Hidden;
use super::wire::{WireCall, WireModule};

/// The references of a configuration. Nodes are `T.N`, `data.T.N`, `output.N`, `var.N` and `local.N`, behind
/// the path of their module without keys.
#[derive(Debug, Default)]
pub(crate) struct Wiring {
    /// What each node refers to.
    edges: HashMap<String, Vec<String>>,
    /// What the attributes of each resource are made of.
    expressions: HashMap<String, Hidden>,
}

/// What a node is made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    /// Resources without keys: the nearest managed ones, and the data sources on the way to them.
    pub(crate) resources: BTreeSet<String>,
    /// Whether a way ends at a local, beyond which nothing is known.
    pub(crate) is_cut: bool,
}

impl Wiring {
    /// Takes the references of a configuration.
    pub(super) fn of(root: WireModule) -> Self {
        let mut wiring = Self::default();
        wiring.add_module("", root);
        wiring
    }

    /// Whether the root module declares an output.
    pub(crate) fn declares_output(&self, name: &str) -> bool {
        self.edges.contains_key(&format!("output.{name}"))
    }

    /// Whether the configuration of a resource says anything about an attribute; the steps of its path are
    /// names and numbers. What a `dynamic` block makes is not told, and counts as not configured.
    pub(crate) fn configures(&self, address: &str, steps: &[Value]) -> bool {
        let Some((Value::String(attribute), rest)) = steps.split_first() else { return false };
        let expressions = self.expressions.get(&without_keys(address));
        let expression = expressions.and_then(|all| all.reveal().get(attribute));
        expression.is_some_and(|expression| is_named(expression, rest))
    }

    /// What an output (`output.NAME`) or a resource instance is made of.
    pub(crate) fn sources(&self, address: &str) -> Sources {
        let mut sources = Sources::default();
        let start = without_keys(address);
        let mut seen = BTreeSet::from([start.clone()]);
        let mut left = vec![start];
        while let Some(node) = left.pop() {
            for next in self.edges.get(&node).into_iter().flatten() {
                if !seen.insert(next.clone()) {
                    continue;
                }
                match Kind::of(next) {
                    Kind::Local => sources.is_cut = true,
                    Kind::Managed => drop(sources.resources.insert(next.clone())),
                    Kind::Data => {
                        sources.resources.insert(next.clone());
                        left.push(next.clone());
                    }
                    Kind::Value => left.push(next.clone()),
                }
            }
        }
        sources
    }

    /// Adds the blocks of a module; `prefix` is its path, with a dot at the end.
    fn add_module(&mut self, prefix: &str, module: WireModule) {
        for (name, output) in module.outputs {
            let mut edges = references(prefix, [&output.expression]);
            edges.extend(nodes(prefix, &output.depends_on));
            self.edges.insert(format!("{prefix}output.{name}"), edges);
        }
        for block in module.resources {
            let made_of = [&block.expressions, &block.count_expression, &block.for_each_expression];
            let mut edges = references(prefix, made_of);
            edges.extend(nodes(prefix, &block.depends_on));
            let node = format!("{prefix}{}", block.address);
            self.edges.insert(node.clone(), edges);
            self.expressions.insert(node, block.expressions);
        }
        for (name, call) in module.module_calls {
            self.add_call(prefix, &name, call);
        }
    }

    /// Adds a called module, whose resources depend on its `count` and `for_each` too.
    fn add_call(&mut self, prefix: &str, name: &str, call: WireCall) {
        let inner = format!("{prefix}module.{name}.");
        let repeated = references(prefix, [&call.count_expression, &call.for_each_expression]);
        for (variable, expression) in &call.expressions {
            let edges = references(prefix, [expression]);
            self.edges.insert(format!("{inner}var.{variable}"), edges);
        }
        let outputs = call.module.outputs.keys().map(|name| format!("{inner}output.{name}"));
        self.edges.insert(inner.trim_end_matches('.').to_owned(), outputs.collect());
        let blocks: Vec<_> =
            call.module.resources.iter().map(|block| format!("{inner}{}", block.address)).collect();
        self.add_module(&inner, call.module);
        for block in blocks {
            self.edges.entry(block).or_default().extend(repeated.iter().cloned());
        }
    }
}

/// What a node stands for.
enum Kind {
    /// A managed resource: the way ends there.
    Managed,
    /// A data source: what it reads may come from further on.
    Data,
    /// A local: nothing is known of it.
    Local,
    /// An output, a variable or a whole module: the way goes on.
    Value,
}

impl Kind {
    /// Tells what a node stands for from the words after its modules.
    fn of(node: &str) -> Self {
        let mut parts = node.split('.').peekable();
        while parts.next_if_eq(&"module").is_some() {
            parts.next();
        }
        match parts.next() {
            Some("data") => Self::Data,
            Some("local") => Self::Local,
            Some("output" | "var") | None => Self::Value,
            Some(_) => Self::Managed,
        }
    }
}

/// Takes the instance keys out of an address: `module.m["a.b"].t.n[0]` becomes `module.m.t.n`.
pub(crate) fn without_keys(address: &str) -> String {
    let mut kept = String::with_capacity(address.len());
    let (mut in_key, mut in_text, mut is_escaped) = (false, false, false);
    for letter in address.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if in_text => is_escaped = true,
            '"' if in_key => in_text = !in_text,
            '[' if !in_key => in_key = true,
            ']' if in_key && !in_text => in_key = false,
            _ if in_key => {}
            _ => kept.push(letter),
        }
    }
    kept
}

/// The nodes that expressions refer to, however deep.
fn references<const N: usize>(prefix: &str, expressions: [&Hidden; N]) -> Vec<String> {
    let mut found = Vec::new();
    for expression in expressions {
        collect(expression.reveal(), &mut found);
    }
    nodes(prefix, &found)
}

/// Collects the references of an expression and of what is nested in it.
fn collect(expression: &Value, found: &mut Vec<String>) {
    match expression {
        Value::Array(blocks) => blocks.iter().for_each(|block| collect(block, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("constant_value", _) => {}
                    ("references", Value::Array(list)) => {
                        found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => collect(member, found),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The nodes of references, each once, without the beginnings of longer ones.
fn nodes(prefix: &str, references: &[String]) -> Vec<String> {
    let plain: BTreeSet<_> = references.iter().map(|reference| without_keys(reference)).collect();
    let is_beginning = |reference: &str| {
        let longer = format!("{reference}.");
        reference.starts_with("module.") && plain.iter().any(|other| other.starts_with(&longer))
    };
    let kept = plain.iter().filter(|reference| !is_beginning(reference));
    let nodes: BTreeSet<_> = kept.filter_map(|reference| node(prefix, reference)).collect();
    nodes.into_iter().collect()
}

/// The node of one reference; none for what is no value of a block.
fn node(prefix: &str, reference: &str) -> Option<String> {
    let parts: Vec<_> = reference.split('.').collect();
    let node = match parts.as_slice() {
        ["each" | "count" | "path" | "terraform" | "self" | "tofu", ..] => return None,
        ["module", call, output, ..] => format!("module.{call}.output.{output}"),
        [kind @ ("data" | "ephemeral"), of, name, ..] => format!("{kind}.{of}.{name}"),
        [kind, name, ..] => format!("{kind}.{name}"),
        _ => return None,
    };
    Some(format!("{prefix}{node}"))
}

/// Whether an expression, or a block, says something about what the steps lead to.
fn is_named(expression: &Value, steps: &[Value]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return true };
    match expression {
        Value::Array(blocks) => {
            let rest = if step.is_number() { rest } else { steps };
            blocks.iter().any(|block| is_named(block, rest))
        }
        Value::Object(members) if members.is_empty() => true,
        Value::Object(members)
            if members.contains_key("references") || members.contains_key("constant_value") =>
        {
            true
        }
        Value::Object(members) => match step.as_str() {
            Some(name) => members.get(name).is_some_and(|member| is_named(member, rest)),
            None => is_named(expression, rest),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
