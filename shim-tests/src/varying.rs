//! What differs between two runs of one command although nobody stands between: times and ids.
//!
//! Whoever compares a run through the shim with one without takes these out of both, and nothing else:
//! a pattern here that is too wide hides a difference.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// A pattern, and what stands in its place.
type Rule = (Regex, &'static str);

/// The patterns, in the order in which they are applied.
///
/// Terraform 1.11.4: ids of `terraform_data`, lineages and lock ids are UUIDs; a lock info says when it
/// was made as Go prints a time; the applying of a resource says how long it took; `state mv` and
/// `state rm` name their backup after the second; a `-json` line carries a time.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rule = |pattern: &str, name| (Regex::new(pattern).unwrap(), name);
    vec![
        rule(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[ID]"),
        rule(
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( [+-]\d{4} UTC|Z|[+-]\d\d:?\d\d)",
            "[TIME]",
        ),
        rule(r"\bafter (\d+m)?\d+s\b", "after [SECONDS]"),
        rule(r"\[(\d\dm)?\d+s elapsed\]", "[SECONDS elapsed]"),
        rule(r#""elapsed_seconds":\d+"#, r#""elapsed_seconds":[SECONDS]"#),
        rule(r"\.\d{10}\.backup\b", ".[SECOND].backup"),
    ]
});

/// Returns the bytes with times and ids replaced by names.
#[must_use]
pub fn steady(bytes: &[u8]) -> Vec<u8> {
    RULES.iter().fold(bytes.to_vec(), |bytes, (pattern, name)| {
        pattern.replace_all(&bytes, regex::bytes::NoExpand(name.as_bytes())).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        String::from_utf8(steady(text.as_bytes())).unwrap()
    }

    #[test]
    fn times_and_ids_are_named() {
        for (given, expected) in [
            (
                "terraform_data.a: Creation complete after 1s [id=0f4c1b1e-1d0a-4f0e-9d3c-0123456789ab]",
                "terraform_data.a: Creation complete after [SECONDS] [id=[ID]]",
            ),
            ("Still creating... [01m10s elapsed]", "Still creating... [SECONDS elapsed]"),
            ("Still creating... [10s elapsed]", "Still creating... [SECONDS elapsed]"),
            ("Created:   2026-01-02 03:04:05.231404024 +0000 UTC", "Created:   [TIME]"),
            (r#"{"@timestamp":"2026-01-02T03:04:05.231404Z"}"#, r#"{"@timestamp":"[TIME]"}"#),
            (r#"{"elapsed_seconds":0}"#, r#"{"elapsed_seconds":[SECONDS]}"#),
            ("terraform.tfstate.1768000000.backup", "terraform.tfstate.[SECOND].backup"),
        ] {
            assert_eq!(text(given), expected);
        }
    }

    #[test]
    fn everything_else_stays() {
        for kept in ["serial 41", "Plan: 1 to add", "after 12 resources", "\u{1b}[31m│", "7c1e9a04"]
        {
            assert_eq!(text(kept), kept);
        }
        assert_eq!(steady(b"\xff\x00\xfe"), b"\xff\x00\xfe");
    }
}
