//! How wide a text is on a terminal, and how it is made to fit.
//!
//! Columns are counted, not bytes or characters: a Chinese character and an emoji take two, a combining
//! mark none. The ranges are those that names of resources, people and directories really have; for the
//! rest of Unicode terminals disagree with each other anyway.

/// What stands where something was cut off.
const CUT: char = '…';

/// Counts the columns of a text without control characters.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Cuts a text to at most `limit` columns; where something goes, the last column is `…`.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if columns(text) <= limit {
        return text.to_owned();
    }
    let mut kept = head(text, limit.saturating_sub(1)).trim_end().to_owned();
    if limit > 0 {
        kept.push(CUT);
    }
    kept
}

/// The longest beginning of a text that has at most `limit` columns.
pub(super) fn head(text: &str, limit: usize) -> &str {
    let mut used: usize = 0;
    let end = text.char_indices().find(|(_, character)| {
        used = used.saturating_add(columns_of(*character));
        used > limit
    });
    end.map_or(text, |(at, _)| text.get(..at).unwrap_or(text))
}

/// Breaks a text into lines of at most `limit` columns: between words; within a word that is too long
/// itself, after one of `/.,:&?=` where there is one in the second half of the line.
pub(super) fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let is_first = lines.len() == 1;
            let limit = if is_first { first } else { rest }.max(8);
            let Some(line) = lines.last_mut() else { break };
            let gap = usize::from(!line.is_empty());
            if columns(line).saturating_add(gap).saturating_add(columns(word)) <= limit {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                break;
            }
            if !line.is_empty() {
                lines.push(String::new());
                continue;
            }
            let part = breakable(head(word, limit));
            line.push_str(part);
            word = word.get(part.len()..).unwrap_or_default();
            lines.push(String::new());
        }
    }
    lines
}

fn breakable(part: &str) -> &str {
    let at = part.rfind(['/', '.', ',', ':', '&', '?', '=']);
    let end = at.map_or(0, |at| at.saturating_add(1));
    if end.saturating_mul(2) > part.len() { part.get(..end).unwrap_or(part) } else { part }
}

fn columns_of(character: char) -> usize {
    match u32::from(character) {
        // Combining marks, variation selectors, the joiner of emoji.
        0x0300..=0x036f
        | 0x0483..=0x0489
        | 0x0591..=0x05bd
        | 0x0610..=0x061a
        | 0x064b..=0x065f
        | 0x0e31
        | 0x0e34..=0x0e3a
        | 0x0e47..=0x0e4e
        | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff
        | 0x200b..=0x200f
        | 0x20d0..=0x20ff
        | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f => 0,
        // East Asian wide and full-width forms, emoji.
        0x1100..=0x115f
        | 0x231a..=0x231b
        | 0x23e9..=0x23ec
        | 0x2614..=0x2615
        | 0x26a1
        | 0x2705
        | 0x274c
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x1fa70..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{columns, cut, wrap};

    #[test]
    fn columns_are_those_of_a_terminal() {
        assert_eq!(columns("déjà"), 4);
        assert_eq!(columns("de\u{301}ja\u{300}"), 4);
        assert_eq!(columns("世界"), 4);
        assert_eq!(columns("🚀 x"), 4);
        assert_eq!(columns("שלום"), 4);
    }

    #[test]
    fn what_is_cut_ends_with_a_mark_and_fits() {
        assert_eq!(cut("before vpc move", 15), "before vpc move");
        assert_eq!(cut("before vpc move", 11), "before vpc…");
        assert_eq!(cut("before vpc move", 8), "before…");
        assert_eq!(cut("世界世界", 4), "世…");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn long_words_break_after_punctuation() {
        assert_eq!(wrap("one two three", 9, 9), ["one two", "three"]);
        assert_eq!(
            wrap("module.network.module.subnets", 20, 20),
            ["module.network.", "module.subnets"]
        );
        assert_eq!(wrap("abcdefghijkl", 8, 8), ["abcdefgh", "ijkl"]);
        assert_eq!(wrap("", 9, 9), [""]);
    }
}
