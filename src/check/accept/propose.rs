//! `--write-accept`: rules that would accept what is open, for a person to fill in.
//!
//! The reason is left blank on purpose. A blank reason is a broken configuration, so that nobody commits
//! a rule without having said why.
//!
//! Every address and path is written so that it stands for itself alone, an asterisk in a key included; only
//! the instances of one resource that differ alike become one rule, with `[*]` for their key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::model::address::without_key;
use crate::model::pattern::Pattern;
use crate::model::plan::Action;
use crate::model::text::{escape, is_treacherous};

use super::super::finding::Finding;
use super::{is_acceptable, needed_actions};

/// Writes rules as TOML; nothing where nothing is open that a rule could accept.
pub(crate) fn propose(findings: &[Finding]) -> String {
    let mut text = String::new();
    for group in groups(findings) {
        group.write(&mut text);
    }
    text
}

/// Findings that one set of rules would accept.
struct Group<'a> {
    /// The pattern of their addresses.
    address: String,
    /// The first of them.
    first: &'a Finding,
    /// How many there are.
    count: usize,
}

/// Findings that are open, instances of one resource that differ alike together, in the order of the first.
fn groups(findings: &[Finding]) -> Vec<Group<'_>> {
    let open = findings.iter().filter(|finding| {
        finding.accepted.is_none() && is_acceptable(finding) && !finding.address.trim().is_empty()
    });
    let mut order: Vec<Group<'_>> = Vec::new();
    let mut places: BTreeMap<_, usize> = BTreeMap::new();
    for finding in open {
        let resource = without_key(&finding.address).unwrap_or(&finding.address);
        let key = (
            resource,
            // What has no key is no instance of it.
            resource == finding.address,
            finding.class,
            needed_actions(finding),
            finding.paths.as_slice(),
        );
        let next = order.len();
        match order.get_mut(*places.entry(key).or_insert(next)) {
            Some(group) if group.first.address != finding.address => {
                group.address = format!("{}[*]", Pattern::escape(resource));
                group.count = group.count.saturating_add(1);
            }
            Some(_) => (),
            None => {
                let address = Pattern::escape(&finding.address);
                order.push(Group { address, first: finding, count: 1 });
            }
        }
    }
    order
}

impl Group<'_> {
    /// Writes a rule for every path; one without a path where there is none.
    fn write(&self, text: &mut String) {
        let paths: Vec<Option<&String>> = match self.first.paths.as_slice() {
            [] => vec![None],
            paths => paths.iter().map(Some).collect(),
        };
        for path in paths {
            if !text.is_empty() {
                text.push('\n');
            }
            self.write_rule(path, text);
        }
    }

    /// Writes one rule.
    fn write_rule(&self, path: Option<&String>, text: &mut String) {
        let others = match self.count {
            1 => String::new(),
            count => format!(" ({count} instances)"),
        };
        let finding = self.first;
        let cause = escape(finding.cause.text.as_bytes());
        let mut line = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        line(&format!("# {}{others}: {cause}", finding.class.word()));
        line("[[check.accept]]");
        line(&format!("address = {}", toml_string(&self.address)));
        if let Some(path) = path {
            line(&format!("path    = {}", toml_string(&Pattern::escape(path))));
        }
        let actions = needed_actions(finding);
        if actions.contains(&Action::Delete) || actions.contains(&Action::Replace) {
            line(
                "# Careful: this accepts that the resource is lost, or made anew, again and again.",
            );
        }
        if !actions.is_empty() {
            line(&format!("actions = [{}]", words(&actions)));
        }
        line("reason  = \"\"");
    }
}

/// Actions as TOML strings.
fn words(actions: &BTreeSet<Action>) -> String {
    let words: Vec<String> = actions.iter().map(|action| toml_string(action.word())).collect();
    words.join(", ")
}

/// A basic string of TOML, which shows what a terminal would not.
fn toml_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            _ if is_treacherous(letter) => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\U{:08X}", u32::from(letter));
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
