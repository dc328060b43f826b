//! Commands that work when they are copied: every word that comes from outside is quoted.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;

use crate::model::text::is_treacherous;

/// A word of a shell command line, safe to copy: what it stands for is exactly these bytes, whatever they are.
///
/// Quotes where they do; `printf`, where a byte would not survive a terminal (only newlines at the very end
/// are lost by that, as a shell loses them). What is plain stays plain.
pub(in crate::ops) fn word(text: impl AsRef<OsStr>) -> String {
    let bytes = text.as_ref().as_bytes();
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|t| !t.chars().any(is_treacherous))
    else {
        return in_bytes(bytes);
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Several words.
pub(in crate::ops) fn words<T: AsRef<OsStr>>(texts: impl IntoIterator<Item = T>) -> String {
    texts.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

fn in_bytes(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"$(printf '");
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b" -_=./:,@+".contains(byte) {
            quoted.push(char::from(*byte));
        } else {
            // Three digits, so that a digit behind it is none of it. Writing to a string cannot fail.
            let _ = write!(quoted, "\\{byte:03o}");
        }
    }
    quoted.push_str("')\"");
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them_otherwise() {
        for (text, quoted) in [
            ("a/b.tfstate", "a/b.tfstate"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
            ("~", "'~'"),
            ("ä", "'ä'"),
            ("a\nb'%", r#""$(printf 'a\012b\047\045')""#),
        ] {
            assert_eq!(word(text), quoted);
        }
        assert_eq!(word(OsStr::from_bytes(b"\xff1")), r#""$(printf '\3771')""#);
        assert_eq!(words(["a", "b c"]), "a 'b c'");
    }
}
