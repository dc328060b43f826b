//! What a file of configuration says, as far as the check asks: blocks and attributes with their lines, and
//! what their expressions mention.
//!
//! Flat on purpose. Nodes and mentions stand in the order of the text, and a node knows where what is
//! inside it ends; so everything inside a block is one slice, and a file of ten thousand nested brackets
//! neither builds nor drops anything by recursion.

use std::collections::BTreeSet;
use std::ops::Range;

/// The functions whose value is another one at every call or at every plan. The first three are those that
/// Terraform calls impure (`impureFunctions` in its `internal/lang/functions.go`, 1.11); `plantimestamp` is
/// the time of the plan.
const RESTLESS: [&str; 4] = ["bcrypt", "plantimestamp", "timestamp", "uuid"];

/// The functions that read files or templates: what a file holds may be written by the apply itself, and what
/// a template calls is not known here.
const READING: [&str; 12] = [
    "file",
    "filebase64",
    "filebase64sha256",
    "filebase64sha512",
    "fileexists",
    "filemd5",
    "fileset",
    "filesha1",
    "filesha256",
    "filesha512",
    "templatefile",
    "templatestring",
];

/// A block, an attribute, or a member of a literal object.
#[derive(Debug)]
pub(super) struct Node {
    /// The block's type or the attribute's name; empty where it is computed.
    pub(super) name: String,
    /// The block's labels.
    pub(super) labels: Vec<String>,
    /// The line of its head, from 1.
    pub(super) line: usize,
    /// The line of its end, inclusive.
    pub(super) end_line: usize,
    /// Whether it may hold members that no node inside it names: any expression but a literal object.
    pub(super) is_computed: bool,
    /// The first node behind it.
    end: usize,
    /// What it mentions.
    mentions: Range<usize>,
}

/// Something that an expression mentions and that may make its value another one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mention {
    /// A call of a function of time or chance.
    Call(&'static str),
    /// A call of a function that reads a file or a template.
    Read(&'static str),
    /// A reference, without instance keys: `local.x`, `module.m.out.y`.
    Reference(String),
}

/// Everything that one file says.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Blocks and attributes, in the order of the text.
    nodes: Vec<Node>,
    /// Mentions, in the order of the text.
    mentions: Vec<Mention>,
    /// The names of all functions that are called.
    pub(super) called: BTreeSet<String>,
}

impl Tree {
    /// A node by its number.
    pub(super) fn node(&self, node: usize) -> Option<&Node> {
        self.nodes.get(node)
    }

    /// The nodes right inside a node, or at the top.
    pub(super) fn children(&self, parent: Option<usize>) -> impl Iterator<Item = (usize, &Node)> {
        let first = parent.map_or(0, |parent| parent.saturating_add(1));
        let end = parent.map_or(self.nodes.len(), |parent| self.end_of(parent));
        let siblings = std::iter::successors(Some(first), |at| Some(self.end_of(*at)));
        let inside = siblings.take_while(move |at| *at < end);
        inside.filter_map(|at| Some((at, self.nodes.get(at)?)))
    }

    /// What a node mentions, everything inside it included.
    pub(super) fn mentions(&self, node: usize) -> &[Mention] {
        let range = self.nodes.get(node).map(|node| node.mentions.clone()).unwrap_or_default();
        self.mentions.get(range).unwrap_or_default()
    }

    /// The first node behind a node: always a later one.
    fn end_of(&self, node: usize) -> usize {
        let next = node.saturating_add(1);
        self.nodes.get(node).map_or(usize::MAX, |node| node.end.max(next))
    }
}

/// Builds a tree in the order of the text.
#[derive(Default)]
pub(super) struct Builder {
    /// What there is so far.
    tree: Tree,
    /// The nodes that are not at their end, from the outside in.
    open: Vec<usize>,
}

impl Builder {
    /// Begins a node inside the innermost open one.
    pub(super) fn open(&mut self, name: String, labels: Vec<String>, line: usize) {
        let mentions = self.tree.mentions.len();
        self.open.push(self.tree.nodes.len());
        self.tree.nodes.push(Node {
            name,
            labels,
            line,
            end_line: line,
            is_computed: false,
            end: usize::MAX,
            mentions: mentions..mentions,
        });
    }

    /// Ends the innermost open node.
    pub(super) fn close(&mut self, line: usize) {
        let (end, mentions) = (self.tree.nodes.len(), self.tree.mentions.len());
        let node = self.open.pop();
        if let Some(node) = node.and_then(|node| self.tree.nodes.get_mut(node)) {
            node.end = end;
            node.end_line = line.max(node.line);
            node.mentions.end = mentions;
        }
    }

    /// Says of the innermost open node that it may hold what no node inside it names, or that it may not.
    pub(super) fn set_computed(&mut self, is_computed: bool) {
        let node = self.open.last().and_then(|node| self.tree.nodes.get_mut(*node));
        if let Some(node) = node {
            node.is_computed = is_computed;
        }
    }

    /// The name of an open node, 0 being the innermost.
    pub(super) fn name(&self, above: usize) -> Option<&str> {
        let node = *self.open.iter().rev().nth(above)?;
        self.tree.nodes.get(node).map(|node| node.name.as_str())
    }

    /// Notes a call.
    pub(super) fn call(&mut self, function: &str) {
        if !self.tree.called.contains(function) {
            self.tree.called.insert(function.to_owned());
        }
        if let Some(restless) = RESTLESS.into_iter().find(|name| *name == function) {
            self.tree.mentions.push(Mention::Call(restless));
        }
        if let Some(reading) = READING.into_iter().find(|name| *name == function) {
            self.tree.mentions.push(Mention::Read(reading));
        }
    }

    /// Begins a reference; gives its number, for [`Self::extend`].
    pub(super) fn refer(&mut self, name: &str) -> usize {
        self.tree.mentions.push(Mention::Reference(name.to_owned()));
        self.tree.mentions.len().saturating_sub(1)
    }

    /// Adds an attribute to a reference.
    pub(super) fn extend(&mut self, reference: usize, name: &str) {
        if let Some(Mention::Reference(text)) = self.tree.mentions.get_mut(reference) {
            text.push('.');
            text.push_str(name);
        }
    }

    /// Ends every open node, and gives the tree.
    pub(super) fn finish(mut self, line: usize) -> Tree {
        while !self.open.is_empty() {
            self.close(line);
        }
        self.tree
    }
}
