//! Reads the JSON form of a configuration into the same tree as HCL.
//!
//! Every string is a template (Terraform's "JSON configuration syntax"), and whether an object is a block or a
//! value only the provider's schema would tell; so both are nodes. An array stands for each of its
//! elements. A document that breaks off keeps what stands before the break.

use crate::model::json::{Token, TokenKind, Tokenizer};
use crate::model::json_text::decode;

use super::hcl::{read_expression, read_template};
use super::tree::{Builder, Tree};

/// Reads a file.
pub(super) fn read(text: &str) -> Tree {
    let mut reader =
        Reader { text, counted: 0, line: 1, levels: Vec::new(), tree: Builder::default() };
    let mut tokens = Tokenizer::new(text.as_bytes());
    while let Ok(Some(token)) = tokens.next_token() {
        reader.count_lines(token.start);
        reader.take(&token);
    }
    let line = reader.line;
    reader.tree.finish(line)
}

/// What a value at some place is.
#[derive(Clone)]
enum Place {
    /// The file itself.
    Root,
    /// An object whose members' names are labels of a block.
    Labels {
        /// The block's type.
        name: String,
        /// The labels so far.
        labels: Vec<String>,
        /// How many are still to come.
        missing: usize,
    },
    /// A block, an attribute, or a member of an object.
    Node {
        /// The block's type or the attribute's name.
        name: String,
        /// The block's labels.
        labels: Vec<String>,
        /// The line of its name.
        line: usize,
    },
    /// A comment.
    Comment,
}

/// An open array or object.
struct Level {
    /// What it is; for an array, what each of its elements is.
    place: Place,
    /// What the value behind the last key is; none in an array.
    member: Option<Place>,
    /// Whether it is an object that began a node.
    is_node: bool,
}

/// The state of reading.
struct Reader<'a> {
    /// The text.
    text: &'a str,
    /// Up to which byte lines are counted.
    counted: usize,
    /// The line of that byte.
    line: usize,
    /// What is open, from the outside in.
    levels: Vec<Level>,
    /// What was found.
    tree: Builder,
}

impl Reader<'_> {
    /// Counts lines up to a byte.
    fn count_lines(&mut self, to: usize) {
        let passed = self.text.get(self.counted..to).unwrap_or_default();
        let lines = passed.matches('\n').count();
        self.line = self.line.saturating_add(lines);
        self.counted = to;
    }

    /// One token.
    fn take(&mut self, token: &Token<'_>) {
        match token.kind {
            TokenKind::Key => {
                let member = self.member(&decode(token.text));
                if let Some(level) = self.levels.last_mut() {
                    level.member = Some(member);
                }
            }
            TokenKind::ObjectStart => {
                let place = self.place();
                let is_node = matches!(place, Place::Node { .. });
                self.open(&place);
                self.levels.push(Level { place, member: None, is_node });
            }
            TokenKind::ArrayStart => {
                let place = self.place();
                self.levels.push(Level { place, member: None, is_node: false });
            }
            TokenKind::ObjectEnd | TokenKind::ArrayEnd => {
                if self.levels.pop().is_some_and(|level| level.is_node) {
                    self.tree.close(self.line);
                }
            }
            TokenKind::String => self.string(&decode(token.text)),
            TokenKind::Number | TokenKind::True | TokenKind::False | TokenKind::Null => {
                self.string("");
            }
        }
    }

    /// What the value that comes next is.
    fn place(&self) -> Place {
        match self.levels.last() {
            None => Place::Root,
            Some(level) => level.member.clone().unwrap_or_else(|| level.place.clone()),
        }
    }

    /// What the member of a name is in the innermost object.
    fn member(&mut self, key: &str) -> Place {
        let line = self.line;
        let name = key.to_owned();
        let Some(level) = self.levels.last() else { return Place::Comment };
        match &level.place {
            Place::Comment => Place::Comment,
            Place::Root | Place::Node { .. } if key == "//" => Place::Comment,
            Place::Root => block(name, Vec::new(), count_labels(key), line),
            Place::Node { .. } if key == "dynamic" => block(name, Vec::new(), 1, line),
            Place::Node { .. } => {
                if key.contains("${") || key.contains("%{") {
                    self.tree.set_computed(true);
                    return Place::Node { name: String::new(), labels: Vec::new(), line };
                }
                Place::Node { name, labels: Vec::new(), line }
            }
            Place::Labels { name, labels, missing } => {
                let labels = labels.iter().cloned().chain([key.to_owned()]).collect();
                block(name.clone(), labels, missing.saturating_sub(1), line)
            }
        }
    }

    /// Begins a node, where a place is one.
    fn open(&mut self, place: &Place) {
        if let Place::Node { name, labels, line } = place {
            self.tree.open(name.clone(), labels.clone(), *line);
        }
    }

    /// A value without members: a template, or in `moved`, `import` and `removed` blocks and in
    /// `replace_triggered_by` an address.
    fn string(&mut self, text: &str) {
        let place = self.place();
        let Place::Node { name, .. } = &place else { return };
        let is_address = match name.as_str() {
            "from" | "to" => matches!(self.tree.name(0), Some("moved" | "import" | "removed")),
            "replace_triggered_by" => self.tree.name(0) == Some("lifecycle"),
            _ => false,
        };
        self.open(&place);
        self.tree.set_computed(true);
        let tree = std::mem::take(&mut self.tree);
        self.tree =
            if is_address { read_expression(text, tree) } else { read_template(text, tree) };
        self.tree.close(self.line);
    }
}

/// A block that has some of its labels.
fn block(name: String, labels: Vec<String>, missing: usize, line: usize) -> Place {
    match missing {
        0 => Place::Node { name, labels, line },
        _ => Place::Labels { name, labels, missing },
    }
}

/// How many labels a block at the top of a file has.
fn count_labels(kind: &str) -> usize {
    match kind {
        "resource" | "data" | "ephemeral" => 2,
        "module" | "output" | "variable" | "check" | "provider" => 1,
        _ => 0,
    }
}
