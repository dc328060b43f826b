//! `--accept ADDRESS[:PATH]`: a rule for one run.
//!
//! What is easy to get wrong: a colon may stand in an instance key, `x["a:b"]`, and separates nothing there.

use crate::config::AcceptRule;
use crate::model::pattern::Pattern;

/// The reason of a rule that was given as a flag.
const REASON: &str = "given on the command line";

/// Why a flag's value is no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FlagFault {
    /// Nothing stands before the colon.
    #[error("there is no address: write ADDRESS or ADDRESS:PATH")]
    NoAddress,
    /// Nothing stands behind the colon.
    #[error("there is no path behind the colon: write ADDRESS or ADDRESS:PATH")]
    NoPath,
    /// A bracket or a quote is open at the end.
    #[error("a bracket or a quote is not closed")]
    Unclosed,
}

/// Reads the value of the flag. Such a rule covers no delete and no replacement.
///
/// # Errors
/// Address or path is empty, or a bracket is open at the end.
pub(crate) fn rule_of_flag(text: &str) -> Result<AcceptRule, FlagFault> {
    let (address, path) = match separator(text)? {
        Some(at) => text.split_at_checked(at).unwrap_or((text, "")),
        None => (text, ""),
    };
    let path = path.strip_prefix(':').map(str::trim);
    if address.trim().is_empty() {
        return Err(FlagFault::NoAddress);
    }
    if path == Some("") {
        return Err(FlagFault::NoPath);
    }
    Ok(AcceptRule {
        address: Pattern::new(address.trim()),
        path: path.map(Pattern::new),
        actions: None,
        reason: REASON.to_owned(),
        expires: None,
        place: None,
    })
}

/// The offset of the first colon outside of brackets and quotes.
fn separator(text: &str) -> Result<Option<usize>, FlagFault> {
    let mut first = None;
    let (mut is_key, mut is_quoted) = (false, false);
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if is_quoted => drop(letters.next()),
            '"' if is_key => is_quoted = !is_quoted,
            '[' if !is_quoted => is_key = true,
            ']' if !is_quoted => is_key = false,
            ':' if !is_key => first = first.or(Some(at)),
            _ => (),
        }
    }
    if is_key { Err(FlagFault::Unclosed) } else { Ok(first) }
}

#[cfg(test)]
mod tests {
    use super::{FlagFault, REASON, rule_of_flag};
    use crate::model::pattern::Pattern;

    #[test]
    fn the_first_colon_outside_of_keys_separates() {
        for (text, address, path) in [
            ("a.b", "a.b", None),
            ("a.b:tags", "a.b", Some("tags")),
            ("a.b[\"x:y\"]", "a.b[\"x:y\"]", None),
            ("a.b[\"x]:\\\":y\"]:tags[\"p:q\"]", "a.b[\"x]:\\\":y\"]", Some("tags[\"p:q\"]")),
            ("module.m[*].a.b:*", "module.m[*].a.b", Some("*")),
            ("a.b:x:y", "a.b", Some("x:y")),
        ] {
            let rule = rule_of_flag(text).unwrap();
            assert_eq!(rule.address.as_str(), address);
            assert_eq!(rule.path.as_ref().map(Pattern::as_str), path);
            assert_eq!((rule.reason.as_str(), rule.actions, rule.place), (REASON, None, None));
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for (text, fault) in [
            ("", FlagFault::NoAddress),
            (" :x", FlagFault::NoAddress),
            ("a.b:", FlagFault::NoPath),
            ("a.b[\"x:y", FlagFault::Unclosed),
            ("a.b[0", FlagFault::Unclosed),
        ] {
            assert_eq!(rule_of_flag(text).unwrap_err(), fault, "{text}");
        }
    }
}
