//! Which functions and which resources a value depends on: from an attribute's expression through locals,
//! variables, module outputs and other resources.
//!
//! A walk over references with a queue, not a recursion; a cycle, which Terraform would refuse, ends it too.
//! What is easy to get wrong is where a reference goes *from*: `var.x` is written in the parent, `module.m.out`
//! in the child, and `each.value` belongs to the block around it.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::tree::{Mention, Tree};
use super::{Configuration, Module, Place, Target, split_key};

/// Over how many other resources a value is followed. A resource passes a change on only through its
/// state, so that what lies further back seldom is the cause.
pub(super) const MAX_RESOURCES: u8 = 2;
/// How many references are followed before the walk is given up.
const MAX_REFERENCES: usize = 20_000;
/// What is inside a resource's block and changes nothing about its values.
const ASIDE: [&str; 4] = ["connection", "depends_on", "provider", "provisioner"];
/// What makes a resource a new one, and with it everything that the provider computes.
const TRIGGERS: [&[&str]; 4] =
    [&["triggers_replace"], &["triggers"], &["keepers"], &["lifecycle", "replace_triggered_by"]];

/// What a value depends on.
#[derive(Default)]
pub(super) struct Reached {
    /// Functions of time and chance.
    pub(super) functions: BTreeSet<&'static str>,
    /// Functions that read files or templates.
    pub(super) readers: BTreeSet<&'static str>,
    /// Resources and data sources that are referred to, without keys.
    pub(super) resources: BTreeSet<String>,
    /// Whether there is such an expression, and every reference in it was followed.
    pub(super) is_whole: bool,
}

/// Tells what an attribute depends on; without a path, what the whole block depends on.
pub(super) fn reach(
    configuration: &Configuration,
    target: &Target,
    path: &[String],
    most_resources: u8,
) -> Reached {
    let mut path: Vec<&str> = path.iter().map(String::as_str).collect();
    if target.key.starts_with("output.") && path.first() != Some(&"value") {
        path.insert(0, "value");
    }
    let mut walk = Walk::new(configuration, most_resources);
    if let Some(from) = walk.origin(&target.module) {
        walk.found.is_whole = walk.follow(from, &target.key, &path);
    }
    walk.run();
    walk.found.is_whole &= walk.followed.len() < MAX_REFERENCES;
    walk.found
}

/// The resources that `replace_triggered_by` names. Nothing but a managed resource can stand there
/// (Terraform's `evalReplaceTriggeredByExpr`, 1.11), so nothing is followed; what a key is made of is none.
pub(super) fn triggers(configuration: &Configuration, target: &Target) -> BTreeSet<String> {
    let Some(module) = configuration.modules.get(&target.module) else { return BTreeSet::new() };
    let places = module.declared.get(&target.key).map(Vec::as_slice).unwrap_or_default();
    let path = ["lifecycle", "replace_triggered_by"];
    let lists = places.iter().rev().filter_map(|place| {
        let tree = module.tree(*place)?;
        Some((tree, expressions(tree, place.node, &path)))
    });
    let Some((tree, nodes)) = lists.into_iter().find(|(_, nodes)| !nodes.is_empty()) else {
        return BTreeSet::new();
    };
    let mentions = nodes.into_iter().flat_map(|node| tree.mentions(node));
    let named = mentions.filter_map(|mention| match mention {
        Mention::Reference(name) => managed(name),
        Mention::Call(_) | Mention::Read(_) => None,
    });
    named.map(|key| node_of(&target.module, &key)).collect()
}

/// The key of the managed resource that a reference is about.
fn managed(reference: &str) -> Option<String> {
    let mut names = reference.split('.');
    let (kind, name) = (names.next()?, names.next()?);
    let is_other = ["count", "data", "each", "local", "module", "path", "self", "terraform", "var"];
    (!is_other.contains(&kind)).then(|| format!("{kind}.{name}"))
}

/// The address, without instance keys, of what is declared in a module.
fn node_of(module: &str, key: &str) -> String {
    let calls = module.split('.').filter(|call| !call.is_empty());
    let words: Vec<&str> = calls.flat_map(|call| ["module", call]).chain([key]).collect();
    words.join(".")
}

/// Where an expression stands.
#[derive(Clone, Copy)]
struct Origin<'a> {
    /// The key of its module.
    key: &'a str,
    /// The module.
    module: &'a Module,
    /// How many resources lie between it and what was asked for.
    resources: u8,
}

/// An expression that is still to be looked at.
struct Expression<'a> {
    /// Where it stands.
    origin: Origin<'a>,
    /// The block around it.
    block: Place,
    /// Its node, in the same file.
    node: usize,
}

/// The walk.
struct Walk<'a> {
    /// What is walked over.
    configuration: &'a Configuration,
    /// Over how many other resources it goes.
    most_resources: u8,
    /// What is still to be looked at; what lies behind fewer resources first.
    queue: VecDeque<Expression<'a>>,
    /// The expressions that were looked at.
    seen: HashSet<(&'a str, Place)>,
    /// The references that were followed; with the block, where that decides what they mean.
    followed: HashSet<(&'a str, Option<Place>, &'a str)>,
    /// What was found.
    found: Reached,
}

impl<'a> Walk<'a> {
    /// A walk that has not begun.
    fn new(configuration: &'a Configuration, most_resources: u8) -> Self {
        Self {
            configuration,
            most_resources,
            queue: VecDeque::new(),
            seen: HashSet::new(),
            followed: HashSet::new(),
            found: Reached::default(),
        }
    }

    /// A module as a starting point.
    fn origin(&self, key: &str) -> Option<Origin<'a>> {
        let (key, module) = self.configuration.modules.get_key_value(key)?;
        Some(Origin { key, module, resources: 0 })
    }

    /// Looks at one expression after the other.
    fn run(&mut self) {
        while let Some(expression) = self.queue.pop_front() {
            let Expression { origin, block, node } = expression;
            let place = Place { node, ..block };
            let Some(tree) = origin.module.tree(place) else { continue };
            if !self.seen.insert((origin.key, place)) {
                continue;
            }
            for mention in tree.mentions(node) {
                match mention {
                    Mention::Call(function) => drop(self.found.functions.insert(function)),
                    Mention::Read(function) => drop(self.found.readers.insert(function)),
                    Mention::Reference(name) => self.refer(origin, block, name),
                }
            }
        }
    }

    /// Follows a reference, once.
    fn refer(&mut self, origin: Origin<'a>, block: Place, name: &'a str) {
        let names: Vec<&str> = name.split('.').collect();
        let around = (names.first() == Some(&"each")).then_some(block);
        if self.followed.len() >= MAX_REFERENCES
            || !self.followed.insert((origin.key, around, name))
        {
            return;
        }
        match names.as_slice() {
            ["local", local, rest @ ..] => {
                self.follow(origin, &format!("local.{local}"), rest);
            }
            ["var", rest @ ..] => self.follow_out(origin, rest),
            ["module", call, output, rest @ ..] => self.follow_in(origin, call, output, rest),
            ["each", ..] => self.look_inside(origin, block, &["for_each"]),
            // All outputs of a module at once.
            ["module", _] => self.found.is_whole = false,
            ["count" | "path" | "self" | "terraform", ..] | [] | [_] => (),
            [data @ ("data" | "ephemeral"), kind, name, rest @ ..] => {
                self.follow_resource(origin, &format!("{data}.{kind}.{name}"), rest);
            }
            [kind, name, rest @ ..] => {
                self.follow_resource(origin, &format!("{kind}.{name}"), rest);
            }
        }
    }

    /// Follows a variable to the call of its module. What the root module is given, nobody computes.
    fn follow_out(&mut self, origin: Origin<'a>, path: &[&str]) {
        let (outer, call) = split_key(origin.key);
        if let Some(outer) = self.origin(outer).filter(|_| !origin.key.is_empty()) {
            let outer = Origin { resources: origin.resources, ..outer };
            self.follow(outer, &format!("module.{call}"), path);
        }
    }

    /// Follows a module's output to its expression.
    fn follow_in(&mut self, origin: Origin<'a>, call: &str, output: &str, path: &[&str]) {
        let dot = if origin.key.is_empty() { "" } else { "." };
        if let Some(inner) = self.origin(&format!("{}{dot}{call}", origin.key)) {
            let inner = Origin { resources: origin.resources, ..inner };
            let path: Vec<&str> = ["value"].iter().chain(path).copied().collect();
            self.follow(inner, &format!("output.{output}"), &path);
        }
    }

    /// Follows to an attribute of a resource: as it is configured, or what the provider computes it from,
    /// as far as that can be told without a schema.
    fn follow_resource(&mut self, origin: Origin<'a>, key: &str, path: &[&str]) {
        self.found.resources.insert(node_of(origin.key, key));
        if origin.resources >= self.most_resources {
            return;
        }
        let origin = Origin { resources: origin.resources.saturating_add(1), ..origin };
        if self.follow(origin, key, path) {
            return;
        }
        match path {
            // `terraform_data` gives its input back as its output.
            ["output", rest @ ..] if key.starts_with("terraform_data.") => {
                let path: Vec<&str> = ["input"].iter().chain(rest).copied().collect();
                self.follow(origin, key, &path);
            }
            // What a data source finds depends on everything that it is asked.
            _ if key.starts_with("data.") => {
                self.follow(origin, key, &[]);
            }
            _ => {
                for trigger in TRIGGERS {
                    self.follow(origin, key, trigger);
                }
            }
        }
    }

    /// Puts an attribute of a declaration into the queue; without a path, all of it. Says whether there is
    /// such an attribute. Of several declarations the last that has it counts, as with override files.
    fn follow(&mut self, origin: Origin<'a>, key: &str, path: &[&str]) -> bool {
        let places = origin.module.declared.get(key).map(Vec::as_slice).unwrap_or_default();
        let before = self.queue.len();
        for place in places.iter().rev() {
            self.look_inside(origin, *place, path);
            if self.queue.len() > before && !path.is_empty() {
                return true;
            }
        }
        self.queue.len() > before
    }

    /// Puts the expressions of one declaration into the queue.
    fn look_inside(&mut self, origin: Origin<'a>, block: Place, path: &[&str]) {
        let Some(tree) = origin.module.tree(block) else { return };
        for node in expressions(tree, block.node, path) {
            let expression = Expression { origin, block, node };
            // What lies behind fewer resources comes first, so that nothing is first met too far away.
            if self.queue.front().is_some_and(|first| first.origin.resources < origin.resources) {
                self.queue.push_back(expression);
            } else {
                self.queue.push_front(expression);
            }
        }
    }
}

/// The nodes that an attribute's value comes from. A literal object is gone into; any other expression
/// counts as a whole.
fn expressions(tree: &Tree, node: usize, path: &[&str]) -> Vec<usize> {
    let is_value = tree.node(node).is_some_and(|node| node.is_computed);
    if path.is_empty() && !is_value {
        let parts = tree.children(Some(node));
        let parts = parts.filter(|(_, part)| !ASIDE.contains(&part.name.as_str()));
        return parts.map(|(node, _)| node).collect();
    }
    let mut found = Vec::new();
    let mut level = vec![node];
    for name in path {
        let mut inner = Vec::new();
        for node in level {
            if tree.node(node).is_some_and(|node| node.is_computed) {
                found.push(node);
                continue;
            }
            members(tree, node, name, &mut inner, &mut found);
        }
        level = inner;
    }
    found.extend(level);
    found
}

/// The members of a name inside a node; where a `dynamic` block makes them, also what it makes them from.
fn members(tree: &Tree, node: usize, name: &str, inner: &mut Vec<usize>, found: &mut Vec<usize>) {
    for (child, part) in tree.children(Some(node)) {
        if part.name == name {
            inner.push(child);
        }
        if part.name != "dynamic" || !part.labels.iter().eq([name]) {
            continue;
        }
        for (child, part) in tree.children(Some(child)) {
            match part.name.as_str() {
                "content" => inner.push(child),
                "for_each" => found.push(child),
                _ => (),
            }
        }
    }
}
