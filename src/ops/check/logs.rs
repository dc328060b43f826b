//! What the steps said, fit to be attached to a ticket: every value that is known to be sensitive is masked.
//!
//! Terraform masks what it knows to be sensitive in its own output; what a provider or a provisioner prints,
//! it does not. So everything that a plan marks, the values of variables that are declared sensitive, and what
//! the environment calls a secret is replaced. In doubt a value is masked: a log with too many masks is read
//! twice, one with a password is read by others.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::check::report::Step;
use crate::check::source::{self, Configuration};
use crate::model::plan::Plan;
use crate::model::source::SourceFile;
use crate::terraform::arguments::Arguments;
use crate::terraform::sources;

use super::rounds::Seen;

/// What stands where a value stood; Terraform's own words.
const MASK: &str = "(sensitive value)";
/// Shorter values are not looked for: they would be found everywhere.
const SHORTEST: usize = 4;
/// Parts of variable names in the environment that say that the value is a secret.
const SECRET: &[&str] =
    &["SECRET", "TOKEN", "PASSWORD", "PASSWD", "CREDENTIAL", "PRIVATE", "_KEY", "APIKEY"];
/// Words that are sensitive in one place and ordinary in every other.
const ORDINARY: &[&str] = &["true", "false", "null", "none"];

/// One step's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// The name of its file.
    pub(crate) name: String,
    /// Its text, masked.
    pub(crate) text: String,
}

/// Replaces what must not be told.
#[derive(Default)]
pub(super) struct Masker {
    /// Longest first, so that no part of a longer one is left over.
    needles: BTreeSet<(std::cmp::Reverse<usize>, String)>,
}

impl Masker {
    /// Everything that must not be told: what plans mark, what variables hold, what the environment hides. Without a
    /// plan only the configuration tells which variables are sensitive, and their values are in files.
    pub(super) fn of(seen: &Seen, words: &Arguments, known: &Known<'_>) -> Self {
        let mut masker = Self::default();
        let configuration = known.configuration;
        let has_plan = seen.plans.first.is_some();
        let is_open = |variable: &str| {
            if has_plan {
                return seen.plans.all().any(|plan| plan.is_open_variable(variable));
            }
            configuration.is_open_variable(variable)
        };
        seen.plans.all().for_each(|plan| masker.learn_plan(plan));
        masker.learn_environment(&is_open);
        for assignment in words.values("var") {
            match assignment.to_string_lossy().split_once('=') {
                Some((name, value)) if !is_open(name) => masker.learn(value),
                Some(_) | None => {}
            }
        }
        if has_plan {
            return masker;
        }
        for file in sources::values(known.directory, &words.values("var-file")) {
            learn_values(&mut masker, &file, &is_open);
        }
        for block in configuration.hidden_variables() {
            masker.learn_source(&sources::lines(&block.file, &(block.line..=block.end_line)));
        }
        masker
    }

    /// Learns what the environment calls a secret. `TF_VAR_*` are secrets until a plan says that they are
    /// not.
    pub(super) fn learn_environment(&mut self, is_open: &dyn Fn(&str) -> bool) {
        for (name, value) in std::env::vars() {
            let variable = name.strip_prefix("TF_VAR_");
            let upper = name.to_uppercase();
            let is_secret = match variable {
                Some(variable) => !is_open(variable),
                None => SECRET.iter().any(|part| upper.contains(part)),
            };
            if is_secret {
                self.learn(&value);
            }
        }
    }

    /// Learns what a plan marks as sensitive.
    pub(super) fn learn_plan(&mut self, plan: &Plan) {
        for value in plan.sensitive_values() {
            self.learn(value);
        }
    }

    /// Learns a value: as it is, as JSON writes it, and each of its lines.
    pub(super) fn learn(&mut self, value: &str) {
        self.add(value);
        let quoted = Value::from(value).to_string();
        self.add(quoted.trim_matches('"'));
        for line in value.lines().map(str::trim) {
            self.add(line);
        }
        match serde_json::from_str(value) {
            Ok(document) => self.learn_document(&document),
            // A list or map as Terraform writes it; its parts may be told apart.
            Err(_) => self.learn_quoted(value),
        }
    }

    /// Learns what stands in a file of values, or in a block of the configuration: every quoted text, and every
    /// line, as of a heredoc.
    pub(super) fn learn_source(&mut self, text: &str) {
        self.learn(text);
        for line in text.lines() {
            self.add(line.split_once('=').map_or(line, |(_, value)| value).trim());
        }
    }

    fn learn_document(&mut self, document: &Value) {
        match document {
            Value::Null | Value::Bool(_) => {}
            Value::String(text) => self.add(text),
            Value::Number(number) => self.add(&number.to_string()),
            Value::Array(elements) => elements.iter().for_each(|e| self.learn_document(e)),
            Value::Object(members) => members.values().for_each(|m| self.learn_document(m)),
        }
    }

    fn learn_quoted(&mut self, text: &str) {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once('"') {
            let Some(end) = closing_quote(after) else { return };
            let (quoted, behind) = after.split_at(end);
            self.add(quoted);
            // Terraform's escapes are those of JSON, but for `$${`.
            if let Ok(Value::String(plain)) = serde_json::from_str(&format!("\"{quoted}\"")) {
                self.add(&plain);
                plain.lines().for_each(|line| self.add(line.trim()));
            }
            rest = behind.get(1..).unwrap_or_default();
        }
    }

    fn add(&mut self, text: &str) {
        let text = text.trim_end_matches('\n');
        let is_ordinary = ORDINARY.iter().any(|word| text.eq_ignore_ascii_case(word));
        if text.len() >= SHORTEST && !is_ordinary {
            self.needles.insert((std::cmp::Reverse(text.len()), text.to_owned()));
        }
    }

    /// A text without them.
    pub(super) fn mask(&self, text: &str) -> String {
        let found = self.needles.iter().filter(|(_, needle)| text.contains(needle));
        found.fold(text.to_owned(), |text, (_, needle)| text.replace(needle, MASK))
    }
}

/// Masks the logs, heads each with its command, and tells the steps their names.
pub(super) fn masked(raw: &[String], steps: &mut [Step], masker: &Masker) -> Vec<Log> {
    let mut logs = Vec::new();
    for (at, (log, step)) in raw.iter().zip(steps).enumerate() {
        let name = format!("{:02}-{}.log", at + 1, step.name.word());
        let head = format!("$ {}\n", step.argv.join(" "));
        step.log = Some(name.clone());
        logs.push(Log { name, text: format!("{head}\n{}", masker.mask(log)) });
    }
    logs
}

/// What is known before the first plan.
pub(super) struct Known<'a> {
    /// The root module.
    pub(super) directory: &'a Path,
    /// Its text.
    pub(super) configuration: &'a Configuration,
}

fn learn_values(masker: &mut Masker, file: &SourceFile, is_open: &dyn Fn(&str) -> bool) {
    if let Ok(Value::Object(members)) = serde_json::from_str(&file.text) {
        let hidden = members.iter().filter(|(name, _)| !is_open(name));
        hidden.for_each(|(_, value)| masker.learn(&value.to_string()));
        return;
    }
    for (name, range) in source::assignments(&file.text) {
        if !is_open(&name) {
            masker.learn_source(&sources::lines_of(&file.text, &range));
        }
    }
}

/// Where the quote that ends a text stands.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_value_are_masked_one_by_one() {
        let mut masker = Masker::default();
        masker.learn(r#"{"token": "json-part", "list": ["list-part", 12345]}"#);
        masker.learn(r#"{ a = "hcl-part", b = "with \"quotes\"" }"#);
        masker.learn_source("name = \"file-part\"\npin = 67890\nkey = <<EOT\nheredoc-part\nEOT\n");
        let text =
            "json-part list-part 12345 hcl-part with \"quotes\" file-part 67890 heredoc-part";
        assert_eq!(masker.mask(text), [MASK; 8].join(" "));
    }

    #[test]
    fn values_are_masked_whole_in_lines_and_as_json() {
        let mut masker = Masker::default();
        masker.learn("line-one\nline \"two\"\n");
        masker.learn("line-one-longer");
        let text = "a line-one-longer b\n    line-one\n    line \"two\"\n\"line-one\\nline \\\"two\\\"\\n\"";
        let told = masker.mask(text);
        assert!(!told.contains("line"), "{told}");
        assert!(told.starts_with("a (sensitive value) b\n"));
    }

    #[test]
    fn short_and_ordinary_values_do_not_shred_a_log() {
        let mut masker = Masker::default();
        for value in ["", "1", "yes", "true", "null"] {
            masker.learn(value);
        }
        assert_eq!(masker.mask("1 true yes null"), "1 true yes null");
    }
}
