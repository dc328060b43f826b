//! How Terraform writes the address of an instance and the path of an attribute.
//!
//! Both quote strings as HCL does (`toHCLQuotedString` in Terraform's `internal/addrs`, 1.11), so that
//! what we show can be pasted into a command. Terraform shows characters that cannot be printed as
//! `\u….`; so nothing of an address can harm a terminal.

use serde_json::Value;

use super::text::is_treacherous;

/// Address of an instance: `module.m["k"].data.type.name[0]`. `module` is as the state writes it.
pub(super) fn instance(
    module: &str,
    is_data: bool,
    kind: &str,
    name: &str,
    index: &Value,
) -> String {
    let prefix = if module.is_empty() { String::new() } else { format!("{module}.") };
    let data = if is_data { "data." } else { "" };
    format!("{prefix}{data}{kind}.{name}{}", index_key(index))
}

fn index_key(index: &Value) -> String {
    match index {
        Value::Null => String::new(),
        Value::String(key) => format!("[{}]", quoted(key)),
        other => format!("[{other}]"),
    }
}

/// The path of a member: `path.name`, or `path["odd name"]`.
pub(super) fn member(path: &str, name: &str) -> String {
    let mut letters = name.chars();
    let is_name = letters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && letters.all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    match (is_name, path) {
        (true, "") => name.to_owned(),
        (true, _) => format!("{path}.{name}"),
        (false, _) => format!("{path}[{}]", quoted(name)),
    }
}

/// The path of an element: `path[0]`.
pub(super) fn element(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '$' | '%' if letters.peek() == Some(&'{') => quoted.extend([letter, letter]),
            _ if is_treacherous(letter) || (letter.is_whitespace() && letter != ' ') => {
                let code = u32::from(letter);
                let escaped = if code < 0x1_0000 {
                    format!("\\u{code:04x}")
                } else {
                    format!("\\U{code:08x}")
                };
                quoted.push_str(&escaped);
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{element, instance, member};

    #[test]
    fn addresses_are_written_as_terraform_writes_them() {
        let module = r#"module.m["q\"x"].module.k[0]"#;
        assert_eq!(
            instance(module, true, "t", "n", &json!(3)),
            r#"module.m["q\"x"].module.k[0].data.t.n[3]"#
        );
        assert_eq!(instance("", false, "t", "n", &json!(null)), "t.n");
        assert_eq!(
            instance("", false, "t", "n", &json!("a\"b\\${c}%{d}$e\n\u{202e}")),
            r#"t.n["a\"b\\$${c}%%{d}$e\n\u202e"]"#
        );
    }

    #[test]
    fn paths_quote_what_is_no_name() {
        let path = element(&member(&member("input", "tags"), "a b"), 0);
        assert_eq!(path, r#"input.tags["a b"][0]"#);
        assert_eq!(member("", "0x"), r#"["0x"]"#);
        assert_eq!(member("", "id"), "id");
    }
}
