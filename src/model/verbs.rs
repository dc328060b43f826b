//! What the words of Terraform's commands mean, as far as redaction must know.
//!
//! Two tables: which values of flags may be recorded, and what a positional argument is. From Terraform
//! 1.11.4 and `OpenTofu` 1.10.7 (terraform-facts.md 2). Which flags take the next word as their value is
//! told by the caller. A flag that is unknown is treated as if it took a secret.

/// What a value looks like that may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A truth value as Go reads one.
    Bool,
    /// A flag without a value, which is not on the list: a value it is given is not kept.
    SecretBool,
    /// A number.
    Number,
    /// A duration as Go reads one.
    Duration,
    /// The address of a resource, an instance or a module.
    Address,
    /// The address of a provider.
    Provider,
    /// The name of a workspace.
    Workspace,
    /// The name of a file.
    Path,
    /// Anything, which is not kept.
    Secret,
}

impl Value {
    /// Whether a text is such a value. Someone who mixes up two arguments writes a secret in the place
    /// of an address; so the shape must be right, too.
    pub(super) fn may_keep(self, text: &str) -> bool {
        match self {
            Self::Bool => matches!(
                text,
                "1" | "t"
                    | "T"
                    | "TRUE"
                    | "true"
                    | "True"
                    | "0"
                    | "f"
                    | "F"
                    | "FALSE"
                    | "false"
                    | "False"
            ),
            Self::Number => text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit()),
            Self::Duration => is_duration(text),
            Self::Address => is_address(text),
            Self::Provider => {
                text.len() <= 200
                    && text
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '.' | '/' | '_' | '-'))
            }
            Self::Workspace => !text.contains('='),
            Self::Path => true,
            Self::SecretBool | Self::Secret => false,
        }
    }
}

fn is_duration(text: &str) -> bool {
    text.len() <= 24
        && text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
        && text.chars().all(|c| c.is_ascii_digit() || "+-.hmsuµn".contains(c))
}

/// Names with dots between them; in brackets anything may stand.
fn is_address(text: &str) -> bool {
    let mut in_brackets = false;
    let mut in_quotes = false;
    let mut is_escaped = false;
    let mut dots = 0_u32;
    for c in text.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_quotes => is_escaped = true,
            '"' if in_brackets => in_quotes = !in_quotes,
            ']' if in_brackets && !in_quotes => in_brackets = false,
            _ if in_brackets => {}
            '[' => in_brackets = true,
            '.' => dots = dots.saturating_add(1),
            '_' | '-' | '*' => {}
            _ if c.is_alphanumeric() => {}
            _ => return false,
        }
    }
    dots > 0 && text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// What may be recorded of a flag's value; `None` for a flag that is on no list.
pub(super) fn value_of(flag: &str) -> Option<Value> {
    let value = match flag {
        "refresh"
        | "refresh-only"
        | "destroy"
        | "lock"
        | "input"
        | "compact-warnings"
        | "no-color"
        | "json"
        | "detailed-exitcode"
        | "auto-approve"
        | "upgrade"
        | "migrate-state"
        | "reconfigure"
        | "force-copy"
        | "ignore-remote-version" => Value::Bool,
        "allow-missing"
        | "backend"
        | "concise"
        | "consolidate-errors"
        | "consolidate-warnings"
        | "dry-run"
        | "force"
        | "get"
        | "or-create"
        | "raw"
        | "show-sensitive"
        | "verbose" => Value::SecretBool,
        "target" | "replace" => Value::Address,
        "parallelism" => Value::Number,
        "lock-timeout" => Value::Duration,
        "var-file" | "out" | "state" | "state-out" | "backup" | "chdir" => Value::Path,
        _ => return None,
    };
    Some(value)
}

/// What a positional argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Something that may be recorded where it has the shape of it.
    Value(Value),
    /// Something that must not be recorded.
    Secret,
    /// Nothing should stand here.
    None,
}

/// What the positional argument number `at` of a command is, counted from 0.
pub(super) fn place(verb: &[&str], at: usize) -> Place {
    match (verb, at) {
        (["apply"] | ["state", "push"], 0) => Place::Value(Value::Path),
        (["import" | "taint" | "untaint"] | ["state", "show"], 0)
        | (["state", "mv" | "move"], 0 | 1)
        | (["state", "rm" | "remove" | "list" | "ls"], _) => Place::Value(Value::Address),
        (["state", "replace-provider"], 0 | 1) => Place::Value(Value::Provider),
        (["workspace" | "env", "new" | "select" | "delete"], 0) => Place::Value(Value::Workspace),
        (["import"], 1) | (["force-unlock"], 0) => Place::Secret,
        _ => Place::None,
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn addresses_have_the_shape_of_addresses() {
        for good in ["a.b", "module.x", r#"module.m["a b"].data.t.n[0]"#, r#"a.b["x]y\"="]"#, "ä.ö"]
        {
            assert!(Value::Address.may_keep(good), "{good}");
        }
        for bad in ["", "secret", "i-0123", "arn:aws:x.y", "a=b.c", "pass word.x", "0.x", "/a/b.c"]
        {
            assert!(!Value::Address.may_keep(bad), "{bad}");
        }
    }

    #[test]
    fn durations_have_the_shape_of_durations() {
        assert!(Value::Duration.may_keep("1h10m") && Value::Duration.may_keep("0"));
        assert!(!Value::Duration.may_keep("hunter2") && !Value::Duration.may_keep(""));
    }
}
