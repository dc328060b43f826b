//! Expressions of GitHub Actions, of the kinds that our recipes use; any other is a panic.

use std::collections::BTreeMap;

/// What names in expressions stand for, such as `github.run_id`.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// By name.
    values: BTreeMap<String, String>,
    /// Whether a step has failed.
    pub has_failed: bool,
}

impl Context {
    /// Lets a name stand for a value.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert(name.into(), value.into());
    }

    /// Whether a condition holds: terms joined by `&&`.
    ///
    /// # Panics
    /// If it does not say whether it wants success, or has a term that is not known here.
    #[must_use]
    pub fn holds(&self, condition: &str) -> bool {
        let is_about_success = condition.contains("always()") || condition.contains("success()");
        assert!(is_about_success, "say when a step with `if` runs: {condition}");
        condition.split("&&").map(str::trim).all(|term| match term {
            "always()" => true,
            "success()" => !self.has_failed,
            term => self.is_true(term),
        })
    }

    /// Fills in `${{ … }}`.
    ///
    /// # Panics
    /// If a name stands for nothing.
    #[must_use]
    pub fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (name, after) = after.split_once("}}").expect("an expression ends");
            let value = self.values.get(name.trim());
            filled += before;
            filled += value.unwrap_or_else(|| panic!("no `{}` here", name.trim()));
            rest = after;
        }
        filled + rest
    }

    /// Whether a comparison or a `contains(fromJSON('[…]'), …)` holds.
    fn is_true(&self, term: &str) -> bool {
        let value = |name: &str| self.values.get(name.trim()).cloned().unwrap_or_default();
        if let Some((name, text)) = term.split_once("==") {
            return value(name) == text.trim().trim_matches('\'');
        }
        let inner =
            term.strip_prefix("contains(fromJSON('").and_then(|rest| rest.strip_suffix(')'));
        let (json, name) = inner
            .and_then(|inner| inner.split_once("'),"))
            .unwrap_or_else(|| panic!("no such condition here: {term}"));
        let words: Vec<String> = serde_json::from_str(json).expect("fromJSON is given JSON");
        words.contains(&value(name))
    }
}
