//! Patterns of addresses and attribute paths, as an accept rule writes them.
//!
//! `*` stands for any text, `?` for one character, everything else for itself: brackets and quotes of
//! instance keys are literal. That is why this is no shell glob, where `[` opens a character class
//! (docs/decisions/0018). `\*` and `\?` are the characters themselves; a backslash before anything else is
//! a backslash, so that a key can be pasted as Terraform shows it.

use std::fmt;

use super::address::{self, Wildcards};

/// One step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// `*`: any text, the empty one included.
    Any,
    /// `?`: one character.
    One,
    /// The character itself.
    Letter(char),
}

/// A pattern, matched against a whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// As it was written.
    text: String,
    /// What it means.
    parts: Vec<Part>,
}

impl Pattern {
    /// Takes a pattern apart; every text is one.
    pub(crate) fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let escaped = letters.next_if(|next| letter == '\\' && matches!(next, '*' | '?'));
            parts.push(match (escaped, letter) {
                (Some(escaped), _) => Part::Letter(escaped),
                (None, '*') => Part::Any,
                (None, '?') => Part::One,
                (None, _) => Part::Letter(letter),
            });
        }
        Self { text: text.to_owned(), parts }
    }

    /// Writes a text so that, as a pattern, it matches only itself.
    pub(crate) fn escape(text: &str) -> String {
        text.replace('*', "\\*").replace('?', "\\?")
    }

    /// The pattern as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it stands for the whole text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        self.matches_letters(&letters)
    }

    /// Whether it stands for an address: as it is, or, where the pattern ends without an instance key,
    /// for the address without its last one, as `-target` takes it.
    pub(crate) fn covers_address(&self, address: &str) -> bool {
        if self.matches(address) {
            return true;
        }
        let has_key = self.parts.last() == Some(&Part::Letter(']'));
        !has_key && address::without_key(address).is_some_and(|resource| self.matches(resource))
    }

    /// Whether it stands for a path or for something that the path lies below: `tags` covers `tags.x` and
    /// `tags["x"]`. A member may be written in either way on both sides; a wildcard in brackets, as in
    /// `tags["*"]`, stands for members of both kinds.
    pub(crate) fn covers_path(&self, path: &str) -> bool {
        let path = address::with_dots(path, Wildcards::Kept);
        let starts = address::steps(&path);
        let above = starts.into_iter().filter_map(|start| path.get(..start));
        let above = above.filter(|above| !above.is_empty()).chain([path.as_str()]);
        let above: Vec<&str> = above.collect();
        [Wildcards::Kept, Wildcards::Named].into_iter().any(|wildcards| {
            let pattern = Self::new(&address::with_dots(&self.text, wildcards));
            above.iter().any(|above| pattern.matches(above))
        })
    }

    /// Matches without recursion. Only the last `*` ever needs another try: what an earlier one could
    /// take besides, the last can take too. At worst the product of both lengths.
    fn matches_letters(&self, letters: &[char]) -> bool {
        let (mut part, mut letter) = (0_usize, 0_usize);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let here = letters.get(letter);
            match (self.parts.get(part), here) {
                (None, None) => return true,
                (Some(Part::Any), _) => {
                    part = part.saturating_add(1);
                    retry = Some((part, letter));
                    continue;
                }
                (Some(Part::One), Some(_)) => {
                    (part, letter) = (part.saturating_add(1), letter.saturating_add(1));
                    continue;
                }
                (Some(Part::Letter(wanted)), Some(found)) if wanted == found => {
                    (part, letter) = (part.saturating_add(1), letter.saturating_add(1));
                    continue;
                }
                (None | Some(Part::One | Part::Letter(_)), _) => (),
            }
            let Some((behind, taken)) = retry.filter(|(_, taken)| *taken < letters.len()) else {
                return false;
            };
            (part, letter) = (behind, taken.saturating_add(1));
            retry = Some((part, letter));
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::Pattern;

    /// The plain definition, for comparison: exponential, so only for short texts.
    fn matches_by_definition(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|n| matches_by_definition(rest, &text[n..])),
            ['?', rest @ ..] => !text.is_empty() && matches_by_definition(rest, &text[1..]),
            ['\\', letter @ ('*' | '?'), rest @ ..] | [letter, rest @ ..] => {
                text.first() == Some(letter) && matches_by_definition(rest, &text[1..])
            }
        }
    }

    #[test]
    fn brackets_and_quotes_stand_for_themselves() {
        let pattern = Pattern::new("module.asg[*].aws_autoscaling_group.*");
        assert!(pattern.matches("module.asg[0].aws_autoscaling_group.a"));
        assert!(pattern.matches("module.asg[\"x.y\"].aws_autoscaling_group.a[1]"));
        assert!(!pattern.matches("module.asg.aws_autoscaling_group.a"));
        assert!(!pattern.matches("xmodule.asg[0].aws_autoscaling_group.a"));
        assert!(Pattern::new("a.b[\"k\"]").matches("a.b[\"k\"]"));
        assert!(!Pattern::new("a.b[\"kl\"]").matches("a.b[\"k\"]"));
        assert!(Pattern::new("a.?").matches("a.é"));
        assert!(!Pattern::new("a.?").matches("a."));
    }

    #[test]
    fn a_resource_covers_its_instances_and_no_other_resource() {
        let web = Pattern::new("aws_instance.web");
        for covered in ["aws_instance.web", "aws_instance.web[0]", "aws_instance.web[\"a]b[\"]"] {
            assert!(web.covers_address(covered), "{covered}");
        }
        for other in ["aws_instance.web2", "aws_instance.web[0].x", "module.m.aws_instance.web"] {
            assert!(!web.covers_address(other), "{other}");
        }
        assert!(!Pattern::new("aws_instance.web[0]").covers_address("aws_instance.web[0][1]"));
        assert!(!Pattern::new("module.m.a.b").covers_address("module.m[0].a.b"));
        assert!(Pattern::new("output.x").covers_address("output.x"));
    }

    #[test]
    fn a_path_covers_what_lies_below_it() {
        let tags = Pattern::new("tags");
        for covered in ["tags", "tags.x", "tags[\"x\"]", "tags[0].y"] {
            assert!(tags.covers_path(covered), "{covered}");
        }
        for other in ["tags_all", "x.tags", "tag", "[\"tags\"]"] {
            assert!(!tags.covers_path(other), "{other}");
        }
        assert!(Pattern::new("tags[\"a.b\"]").covers_path("tags[\"a.b\"].c"));
        assert!(!Pattern::new("tags[\"a").covers_path("tags[\"a.b\"]"));
        assert!(Pattern::new("rule[*].port").covers_path("rule[0].port[1]"));
        assert!(!Pattern::new("rule[*].port").covers_path("rule[0].name"));
        assert!(!tags.covers_path(""));
        assert!(Pattern::new("*").covers_path(""));
    }

    #[test]
    fn a_member_is_written_in_either_way() {
        for (pattern, path) in [
            ("tags[\"x\"]", "tags.x"),
            ("tags.x", "tags[\"x\"]"),
            ("tags[\"x\"]", "tags[\"x\"].y"),
            ("rule[*][\"port\"]", "rule[0].port"),
            ("a[\"b\"][\"c d\"][\"e-f\"]", "a.b[\"c d\"].e-f"),
            ("tags[\"*\"]", "tags.x"),
            ("tags[\"*\"]", "tags[\"x y\"]"),
            ("tags[\"k?\"]", "tags.k1"),
            ("tags[\"k8s/*\"]", "tags[\"k8s/name\"]"),
        ] {
            assert!(Pattern::new(pattern).covers_path(path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("tags[\"x\"]", "tags.y"),
            ("tags[\"0\"]", "tags[0]"),
            ("tags[\"a.b\"]", "tags.a.b"),
            ("tags[\"a\\*\"]", "tags.ab"),
            ("tags[\"k?\"]", "tags.k"),
        ] {
            assert!(!Pattern::new(pattern).covers_path(path), "{pattern} {path}");
        }
    }

    #[test]
    fn a_backslash_is_special_only_before_a_wildcard() {
        assert!(Pattern::new("a[\"q\\\"x\"]").matches("a[\"q\\\"x\"]"));
        assert!(Pattern::new("a\\*").matches("a*"));
        assert!(!Pattern::new("a\\*").matches("ab"));
        assert!(Pattern::new("a\\\\*").matches("a\\*"));
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = Pattern::new(&"a*".repeat(500));
        let began = Instant::now();
        assert!(!pattern.matches(&format!("{}b", "a".repeat(499))));
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    proptest! {
        #[test]
        fn the_quick_way_says_what_the_definition_says(
            pattern in "[ab*?\\\\]{0,8}", text in "[ab*?\\\\]{0,8}",
        ) {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(
                Pattern::new(&pattern).matches(&text),
                matches_by_definition(&letters(&pattern), &letters(&text))
            );
        }

        #[test]
        fn an_escaped_text_matches_itself_alone(text in "[a*?\\\\\\[\"]{0,9}", other in "[a*?\\\\\\[\"]{0,9}") {
            let pattern = Pattern::new(&Pattern::escape(&text));
            prop_assert!(pattern.matches(&text));
            prop_assert_eq!(pattern.matches(&other), text == other);
        }
    }
}
