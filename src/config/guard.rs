//! `[guard]`: whether anything may be changed at all, and what must not be deleted.
//!
//! Every file is a section of its own, and a section only adds: what one file protects, no other file can
//! set free again. That is why `workspaces` limits the lists of its own file alone (docs/decisions/0023).

use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::pattern::Pattern;

use super::document::{Document, elements, word};
use super::error::ConfigError;

/// What `[guard]` says, of all files together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GuardConfig {
    /// Whether commands that can change state are refused.
    pub(crate) read_only: bool,
    /// What must not be deleted; the nearest file first.
    pub(crate) protected: Vec<Protected>,
    /// How many deletions a plan may have, in any workspace; the smallest number of all files.
    pub(crate) max_deletes: Option<u64>,
    /// What happens to a plan that deletes too much; the strictest of all files.
    pub(crate) reaction: Reaction,
}

/// What one file protects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Protected {
    /// Addresses of resources or instances.
    pub(crate) addresses: Vec<Pattern>,
    /// Types of resources.
    pub(crate) types: Vec<Pattern>,
    /// In which workspaces; empty for all. Where there are neither addresses nor types, everything in them.
    pub(crate) workspaces: Vec<Pattern>,
    /// The file, absolute.
    pub(crate) file: PathBuf,
    /// The line of the table's head, from 1.
    pub(crate) line: usize,
}

/// What happens to a plan that deletes what is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reaction {
    /// A person at a terminal is asked.
    #[default]
    Ask,
    /// Nobody is.
    Deny,
}

impl GuardConfig {
    /// Reads the table `[guard]`.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and key.
    pub(super) fn parse(
        document: &Document<'_>,
        guard: &Spanned<DeValue<'_>>,
    ) -> Result<Self, ConfigError> {
        let DeValue::Table(table) = guard.get_ref() else {
            return Err(document.wrong(&guard.span(), "guard", "a table"));
        };
        let mut parsed = Self::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "read_only" => {
                    let wrong =
                        || document.wrong(&value.span(), "guard.read_only", "true or false");
                    parsed.read_only = value.get_ref().as_bool().ok_or_else(wrong)?;
                }
                "protect" => {
                    let DeValue::Table(protect) = value.get_ref() else {
                        return Err(document.wrong(&value.span(), "guard.protect", "a table"));
                    };
                    parsed.read_protect(document, protect, document.line(key.span().start))?;
                }
                other => return Err(document.unknown(&key.span(), &format!("guard.{other}"))),
            }
        }
        Ok(parsed)
    }

    fn read_protect(
        &mut self,
        document: &Document<'_>,
        table: &DeTable<'_>,
        line: usize,
    ) -> Result<(), ConfigError> {
        let mut section = Protected {
            addresses: Vec::new(),
            types: Vec::new(),
            workspaces: Vec::new(),
            file: document.path.to_owned(),
            line,
        };
        for (key, value) in table {
            let name = format!("guard.protect.{}", key.get_ref());
            let wrong = |expected| document.wrong(&value.span(), &name, expected);
            match key.get_ref().as_ref() {
                "addresses" => {
                    section.addresses = patterns(value).ok_or_else(|| wrong(PATTERNS))?;
                }
                "types" => section.types = patterns(value).ok_or_else(|| wrong(PATTERNS))?,
                "workspaces" => {
                    section.workspaces = patterns(value).ok_or_else(|| wrong(PATTERNS))?;
                }
                "max_deletes" => {
                    let number = value.get_ref().as_integer().and_then(|number| {
                        u64::from_str_radix(number.as_str(), number.radix()).ok()
                    });
                    self.max_deletes = Some(number.ok_or_else(|| wrong("a whole number"))?);
                }
                "action" => {
                    self.reaction = match value.get_ref().as_str() {
                        Some("ask") => Reaction::Ask,
                        Some("deny") => Reaction::Deny,
                        _ => return Err(wrong("\"ask\" or \"deny\"")),
                    };
                }
                _ => return Err(document.unknown(&key.span(), &name)),
            }
        }
        let lists = [&section.addresses, &section.types, &section.workspaces];
        if lists.iter().any(|list| !list.is_empty()) {
            self.protected.push(section);
        }
        Ok(())
    }

    /// Adds what another file says; only ever tighter.
    pub(super) fn tighten(&mut self, other: Self) {
        self.read_only |= other.read_only;
        self.protected.extend(other.protected);
        self.max_deletes = [self.max_deletes, other.max_deletes].into_iter().flatten().min();
        self.reaction = self.reaction.max(other.reaction);
    }

    /// Whether a plan has to be judged in some workspace.
    pub(crate) fn protects_anything(&self) -> bool {
        self.max_deletes.is_some() || !self.protected.is_empty()
    }

    /// Whether a plan has to be judged in a workspace.
    pub(crate) fn protects(&self, workspace: &str) -> bool {
        self.max_deletes.is_some() || self.protected.iter().any(|part| part.is_for(workspace))
    }
}

impl Protected {
    /// Whether it counts in a workspace.
    pub(crate) fn is_for(&self, workspace: &str) -> bool {
        self.workspaces.is_empty() || self.workspaces.iter().any(|name| name.matches(workspace))
    }
}

/// What a list of patterns must look like.
const PATTERNS: &str = "a list of texts, not empty";

/// Patterns, at least one, none of them blank.
fn patterns(value: &Spanned<DeValue<'_>>) -> Option<Vec<Pattern>> {
    let pattern = |item: &Spanned<DeValue<'_>>| {
        let text = word(item).filter(|text| !text.trim().is_empty())?;
        Some(Pattern::new(&text))
    };
    elements(value)?.iter().map(pattern).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<GuardConfig, String> {
        let path = std::path::Path::new("/r/.tf-shim.toml");
        super::super::project::parse(path, text)
            .map(|file| file.guard)
            .map_err(|error| error.to_string())
    }

    fn texts(patterns: &[Pattern]) -> Vec<&str> {
        patterns.iter().map(Pattern::as_str).collect()
    }

    #[test]
    fn everything_is_read() {
        let guard = parsed(
            "[guard]\nread_only = true\n[guard.protect]\naddresses = [\"a.b\", \"module.x.*\"]\n\
             types = [\"aws_db_*\"]\nworkspaces = [\"prod\"]\nmax_deletes = 0x5\naction = \"deny\"\n",
        )
        .unwrap();
        assert!(guard.read_only && guard.reaction == Reaction::Deny);
        assert_eq!(guard.max_deletes, Some(5));
        let [section] = guard.protected.as_slice() else { panic!() };
        assert_eq!(texts(&section.addresses), ["a.b", "module.x.*"]);
        assert_eq!((texts(&section.types), section.line), (vec!["aws_db_*"], 3));
        assert!(section.is_for("prod") && !section.is_for("default"));
        assert!(guard.protects("default"));
    }

    #[test]
    fn faults_name_line_and_key() {
        for (text, expected) in [
            ("[guard]\nx = 1", "/r/.tf-shim.toml:2: unknown key `guard.x`"),
            (
                "[guard]\nread_only = 1",
                "/r/.tf-shim.toml:2: `guard.read_only` must be true or false",
            ),
            ("[guard.protect]\n\ny = 1", "/r/.tf-shim.toml:3: unknown key `guard.protect.y`"),
            (
                "[guard.protect]\ntypes = []",
                "/r/.tf-shim.toml:2: `guard.protect.types` must be a list of texts, not empty",
            ),
            (
                "[guard.protect]\nmax_deletes = -1",
                "/r/.tf-shim.toml:2: `guard.protect.max_deletes` must be a whole number",
            ),
            (
                "[guard.protect]\naction = \"allow\"",
                "/r/.tf-shim.toml:2: `guard.protect.action` must be \"ask\" or \"deny\"",
            ),
        ] {
            assert_eq!(parsed(text).err().as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_further_file_can_only_tighten() {
        let strict = "[guard]\nread_only = true\n[guard.protect]\naddresses = [\"a.b\"]\n\
                      max_deletes = 2\naction = \"deny\"\n";
        let lax = "[guard]\nread_only = false\n[guard.protect]\nworkspaces = [\"dev\"]\n\
                   max_deletes = 9\naction = \"ask\"\n";
        for (first, second) in [(strict, lax), (lax, strict)] {
            let mut guard = parsed(first).unwrap();
            guard.tighten(parsed(second).unwrap());
            assert!(guard.read_only && guard.reaction == Reaction::Deny);
            assert_eq!(guard.max_deletes, Some(2));
            let is_protected = |part: &Protected| {
                part.is_for("prod") && part.addresses.iter().any(|a| a.matches("a.b"))
            };
            assert!(guard.protected.iter().any(is_protected), "still protected everywhere");
        }
    }
}
