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
pub(crate) fn member(path: &str, name: &str) -> String {
    match (is_name(name), path) {
        (true, "") => name.to_owned(),
        (true, _) => format!("{path}.{name}"),
        (false, _) => format!("{path}[{}]", quoted(name)),
    }
}

/// Whether a member of that name is written behind a dot.
fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && letters.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// A path, or a pattern of one, with every member behind a dot that can stand there, as [`member`] writes
/// it: `tags["x"]` becomes `tags.x`, and `tags["a b"]` stays.
pub(super) fn with_dots(path: &str, wildcards: Wildcards) -> String {
    let mut written = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find("[\"") {
        let (before, key) = rest.split_at_checked(start).unwrap_or((rest, ""));
        written.push_str(before);
        let inside = key.get(2..).unwrap_or_default();
        let length = quoted_length(inside);
        let (name, behind) = inside.split_at_checked(length).unwrap_or((inside, ""));
        let plain = match wildcards {
            Wildcards::Kept => name.to_owned(),
            Wildcards::Named => name.replace(['*', '?'], "_"),
        };
        rest = match behind.strip_prefix("\"]") {
            Some(behind) if is_name(&plain) && !written.is_empty() => {
                written.extend([".", name]);
                behind
            }
            Some(_) | None => {
                written.extend(["[\"", name]);
                behind
            }
        };
    }
    written.push_str(rest);
    written
}

/// What the wildcards of a pattern are in [`with_dots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wildcards {
    /// Letters that no name has, so that a key with one stays in its brackets.
    Kept,
    /// Part of a name.
    Named,
}

/// How many bytes there are before the quote that ends a text.
fn quoted_length(text: &str) -> usize {
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '"' => return at,
            _ => (),
        }
    }
    text.len()
}

/// The module instance that an address is in: `module.m["k"].module.n`; empty for the root.
pub(crate) fn module_of(address: &str) -> &str {
    let mut end = 0;
    let steps: Vec<usize> = steps(address).into_iter().chain([address.len()]).collect();
    let mut at = steps.iter();
    loop {
        let word = address.get(end..).unwrap_or_default();
        let word = word.strip_prefix('.').unwrap_or(word);
        if !word.starts_with("module.") {
            break;
        }
        // Behind `module` stands the name, and perhaps a key.
        let mut ends = at.by_ref().filter(|next| **next > end).skip(1);
        let Some(mut name) = ends.next() else { break };
        if address.get(*name..).is_some_and(|rest| rest.starts_with('[')) {
            name = ends.next().unwrap_or(name);
        }
        end = *name;
    }
    address.get(..end).unwrap_or_default()
}

/// The path of an element: `path[0]`.
pub(crate) fn element(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// Where the steps behind the first begin: the offset of each `.` and `[` outside of brackets and quotes.
/// `module.m["a.b"].t` has three.
pub(crate) fn steps(address: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut is_key = false;
    let mut is_quoted = false;
    let mut letters = address.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if is_quoted => drop(letters.next()),
            '"' if is_key => is_quoted = !is_quoted,
            ']' if !is_quoted => is_key = false,
            '[' if !is_key => {
                is_key = true;
                starts.push(at);
            }
            '.' if !is_key => starts.push(at),
            _ => (),
        }
    }
    starts
}

/// An address without the instance key at its end; none where there is no key.
pub(crate) fn without_key(address: &str) -> Option<&str> {
    let last = *steps(address).last()?;
    let (resource, key) = address.split_at_checked(last)?;
    (key.starts_with('[') && key.ends_with(']')).then_some(resource)
}

/// The names of an address or a path, in order: `module.a["k"].t.n[0]` has `module`, `a`, `t`, `n`. Of keys,
/// texts count only where `keys` says so.
pub(crate) fn names(address: &str, keys: Keys) -> Vec<String> {
    let mut names = Vec::new();
    let mut start = 0;
    for end in steps(address).into_iter().chain([address.len()]) {
        let step = address.get(start..end).unwrap_or_default();
        start = end;
        match (step.strip_prefix('['), keys) {
            (None, _) => names.push(step.strip_prefix('.').unwrap_or(step).to_owned()),
            (Some(key), Keys::Named) => {
                let text = key.strip_prefix('"').and_then(|key| key.strip_suffix("\"]"));
                names.extend(text.map(unquoted));
            }
            (Some(_), Keys::Dropped) => (),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// What becomes of the texts in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// They are instance keys and name nothing.
    Dropped,
    /// They are members of a map, as good as names.
    Named,
}

/// The text that stands between quotes, escapes resolved; what is no escape stays as it is.
pub(crate) fn unquoted(text: &str) -> String {
    if !text.contains(['\\', '$', '%']) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (meant, length) = unescaped(rest).unwrap_or((letter, letter.len_utf8()));
        plain.push(meant);
        rest = rest.get(length..).unwrap_or_default();
    }
    plain
}

/// The character that an escape at the start of a text means, and the escape's length in bytes. Of `$${`
/// it is the first of both signs, as one of them goes.
fn unescaped(text: &str) -> Option<(char, usize)> {
    if text.starts_with("$${") || text.starts_with("%%{") {
        return Some((text.chars().next()?, 2));
    }
    let mut letters = text.strip_prefix('\\')?.chars();
    let digits = match letters.next()? {
        'n' => return Some(('\n', 2)),
        'r' => return Some(('\r', 2)),
        't' => return Some(('\t', 2)),
        same @ ('"' | '\\') => return Some((same, 2)),
        'u' => 6,
        'U' => 10,
        _ => return None,
    };
    let code = u32::from_str_radix(text.get(2..digits)?, 16).ok()?;
    Some((char::from_u32(code)?, digits))
}

/// A text as HCL writes it, quotes included.
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

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{
        Keys, Wildcards, element, instance, member, module_of, names, quoted, steps, unquoted,
        with_dots, without_key,
    };

    #[test]
    fn steps_begin_outside_of_keys() {
        assert_eq!(steps(r#"module.m["a.b[\"]x"].t.n[0]"#), [6, 8, 20, 22, 24]);
        assert_eq!(steps(""), [0; 0]);
        assert_eq!(without_key(r#"a.b["x].y"]"#), Some("a.b"));
        assert_eq!(without_key("a.b[0].c"), None);
        assert_eq!(without_key("a.b[0"), None);
    }

    #[test]
    fn the_module_of_an_address_keeps_its_keys() {
        for (address, module) in [
            ("t.n[0]", ""),
            ("module.m.t.n", "module.m"),
            (r#"module.m["a.b"].module.k[0].data.t.n["x"]"#, r#"module.m["a.b"].module.k[0]"#),
            ("module.m", "module.m"),
            ("module.m[1]", "module.m[1]"),
            ("module", ""),
            ("", ""),
        ] {
            assert_eq!(module_of(address), module, "{address}");
        }
    }

    #[test]
    fn names_are_what_is_not_an_instance_key() {
        let address = r#"module.m["a.b"].data.t.n[0]"#;
        assert_eq!(names(address, Keys::Dropped), ["module", "m", "data", "t", "n"]);
        assert_eq!(names(r#"tags["a\"b\""][0].c"#, Keys::Named), ["tags", "a\"b\"", "c"]);
        assert_eq!(names("", Keys::Named), [""; 0]);
    }

    proptest! {
        #[test]
        fn what_was_quoted_is_found_again(text in any::<String>()) {
            let written = quoted(&text);
            prop_assert_eq!(unquoted(&written[1..written.len() - 1]), text);
        }

        #[test]
        fn any_text_has_names(text in any::<String>()) {
            let _ = (names(&text, Keys::Named), without_key(&text), module_of(&text));
            let _ = with_dots(&text, Wildcards::Named);
        }
    }

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
