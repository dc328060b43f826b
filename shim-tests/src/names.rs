//! Replaces what differs from run to run (paths, times, ids) by names, so that a text can be compared.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A lineage or another UUID.
static UUID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"));
/// A SHA-256.
static DIGEST: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[0-9a-f]{64}\b"));
/// RFC 3339.
static TIME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})"));
/// The id of an operation.
static ID: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[0-9a-f]{8}\b"));

/// The names of one sandbox.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Paths and what they are called.
    paths: Vec<(PathBuf, &'static str)>,
}

impl Names {
    /// Adds a directory.
    #[must_use]
    pub fn with(mut self, path: PathBuf, name: &'static str) -> Self {
        self.paths.push((path, name));
        self.paths.sort_by_key(|(path, _)| std::cmp::Reverse(path.as_os_str().len()));
        self
    }

    /// Returns the text with names: `[PROJECT]` and kin, `[LINEAGE1]`, `[SHA1]`, `[TIME]`, `[ID1]`.
    ///
    /// The same thing gets the same name throughout the text, counted by first appearance. What has the
    /// form of an id but no letter, and no digit, is left: eight digits may be a count, eight letters a
    /// word.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let mut text = self.apply_paths(text);
        text = number(&UUID, "LINEAGE", &text);
        text = number(&DIGEST, "SHA", &text);
        text = TIME.replace_all(&text, "[TIME]").into_owned();
        number(&ID, "ID", &text)
    }

    /// Returns the text with the names of paths, and nothing else replaced.
    #[must_use]
    pub fn apply_paths(&self, text: &str) -> String {
        self.paths.iter().fold(text.to_owned(), |text, (path, name)| {
            text.replace(&*path.to_string_lossy(), name)
        })
    }
}

/// Gives every distinct match a name with a number.
fn number(pattern: &Regex, name: &str, text: &str) -> String {
    let mut seen = BTreeMap::new();
    pattern
        .replace_all(text, |found: &Captures<'_>| {
            let word = &found[0];
            let is_mixed = word.bytes().any(|byte| byte.is_ascii_digit())
                && word.bytes().any(|byte| byte.is_ascii_lowercase());
            if !is_mixed {
                return word.to_owned();
            }
            let next = seen.len() + 1;
            format!("[{name}{}]", seen.entry(word.to_owned()).or_insert(next))
        })
        .into_owned()
}

/// Compiles a pattern of ours.
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns are constants")
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn what_differs_from_run_to_run_is_named_and_the_rest_is_left() {
        let names =
            Names::default().with("/tmp/x".into(), "[ROOT]").with("/tmp/x/p".into(), "[PROJECT]");
        let text = "/tmp/x/p /tmp/x/h 7c1e9a04 b3d0417e 7c1e9a04 12345678 deadbeef \
                    2026-11-20T10:00:00.123Z ec80aa96-1111-2222-3333-444455556666";
        assert_eq!(
            names.apply(text),
            "[PROJECT] [ROOT]/h [ID1] [ID2] [ID1] 12345678 deadbeef [TIME] [LINEAGE1]"
        );
    }
}
