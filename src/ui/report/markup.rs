//! Escaping for XML, HTML and Markdown.
//!
//! Each function takes foreign text as it is and gives back what can stand in one place of its form and
//! mean nothing there. The house's `escape` comes first: XML 1.0 cannot hold most control characters at
//! all, not even as references (its production 2, Char), and a browser obeys bidirectional ones.

use std::fmt::Write as _;

use super::super::width;
use super::outline::with_code;
use crate::model::text::escape;

/// Text between tags or in an attribute, in XML and in HTML.
pub(super) fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in escape(text.as_bytes()).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // The two that XML forbids beside the control characters.
            '\u{fffe}' | '\u{ffff}' => safe.extend(character.escape_unicode()),
            _ => safe.push(character),
        }
    }
    safe
}

/// One of our sentences in HTML: what stands in back-ticks becomes code.
pub(super) fn html_prose(text: &str) -> String {
    let part = |(is_code, part): (bool, &str)| {
        if is_code { format!("<code>{}</code>", xml(part)) } else { xml(part) }
    };
    with_code(text).into_iter().map(part).collect()
}

/// An address or a path in HTML, with places where a narrow screen may break it.
pub(super) fn html_code(text: &str) -> String {
    let mut code = String::from("<code>");
    for part in xml(text).split_inclusive(['.', '/', '[', '_']) {
        code.push_str(part);
        code.push_str("<wbr/>");
    }
    let end = code.len().saturating_sub(if code.ends_with("<wbr/>") { 6 } else { 0 });
    code.truncate(end);
    code.push_str("</code>");
    code
}

/// Where Markdown stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// In a paragraph or a list.
    Paragraph,
    /// In a cell of a table, where a pipe ends the cell even inside code.
    Cell,
}

/// Longest foreign text in Markdown, in columns. Nobody reads on, and a comment has an end.
const LONGEST: usize = 2_000;

/// Code in Markdown: its fence is longer than any run of back-ticks in it.
pub(super) fn code(text: &str, within: Within) -> String {
    let text = width::cut(&escape(text.as_bytes()), LONGEST);
    if text.is_empty() {
        return "–".to_owned();
    }
    let is_cell = within == Within::Cell;
    // A pipe is written `\|` in a cell (GFM 0.29, tables), and a backslash before it would undo that.
    if is_cell && text.contains('|') && text.contains('\\') {
        return entities(&text);
    }
    let text = if is_cell { text.replace('|', r"\|") } else { text };
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.saturating_add(1));
    let is_tight = !text.starts_with(['`', ' ']) && !text.ends_with(['`', ' ']);
    let gap = if is_tight { "" } else { " " };
    format!("{fence}{gap}{text}{gap}{fence}")
}

/// Code as HTML, with every letter that means something as a number.
fn entities(text: &str) -> String {
    let mut code = String::from("<code>");
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            // Writing to a string cannot fail.
            let _ = write!(code, "&#{};", u32::from(character));
        } else {
            code.push(character);
        }
    }
    code.push_str("</code>");
    code
}

/// One of our sentences in Markdown, which may quote foreign words: what stands in back-ticks becomes code,
/// and nothing else means anything. It must not begin a line.
pub(super) fn prose(text: &str, within: Within) -> String {
    let text = width::cut(text, LONGEST);
    let part = |(is_code, part): (bool, &str)| {
        if is_code { code(part, within) } else { words(part) }
    };
    with_code(&text).into_iter().map(part).collect()
}

/// Words in Markdown that are words only.
pub(super) fn words(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in escape(text.as_bytes()).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // `@ana` would call ana, and `#12` link to an issue, in a comment on GitHub or GitLab: a
            // blank without width keeps them apart.
            '@' | '#' | '!' => {
                safe.push('\\');
                safe.push(character);
                safe.push_str("&#8203;");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                safe.push('\\');
                safe.push(character);
            }
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{Within, code, html_code, html_prose, prose, words, xml};

    #[test]
    fn xml_holds_what_xml_cannot_hold() {
        assert_eq!(xml("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
        assert_eq!(xml("]]>\u{0}\u{1b}\u{fffe}\n"), r"]]&gt;\u{0}\u{1b}\u{fffe}\n");
        assert_eq!(xml("\u{202e}x"), r"\u{202e}x");
    }

    #[test]
    fn code_in_markdown_cannot_be_left() {
        assert_eq!(code("a", Within::Cell), "`a`");
        assert_eq!(code("a``b", Within::Paragraph), "```a``b```");
        assert_eq!(code("`a`", Within::Paragraph), "`` `a` ``");
        assert_eq!(code("a|b", Within::Cell), r"`a\|b`");
        assert_eq!(code("a|b", Within::Paragraph), "`a|b`");
        assert_eq!(code(r"a\|b", Within::Cell), "<code>a&#92;&#124;b</code>");
        assert_eq!(code("a\nb", Within::Cell), r"`a\nb`");
        assert_eq!(code("", Within::Cell), "–");
    }

    #[test]
    fn prose_means_nothing_but_its_words() {
        assert_eq!(prose("run `a|b` <now> *x*", Within::Cell), r"run `a\|b` &lt;now&gt; \*x\*");
        assert_eq!(words("ask @ana, #12"), r"ask \@&#8203;ana, \#&#8203;12");
        assert_eq!(prose("one ` alone", Within::Paragraph), r"one \` alone");
        assert_eq!(html_prose("run `a<b` & go"), "run <code>a&lt;b</code> &amp; go");
    }

    #[test]
    fn code_in_html_breaks_between_names() {
        assert_eq!(html_code("a.b_c"), "<code>a.<wbr/>b_<wbr/>c</code>");
        assert_eq!(html_code("a."), "<code>a.</code>");
        assert_eq!(html_code("</script>"), "<code>&lt;/<wbr/>script&gt;</code>");
    }
}
