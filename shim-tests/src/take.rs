//! What a play of a scene left, with names for times and ids, and where two of them differ.
//!
//! Easy to get wrong: what is replaced here is not compared. A pattern that is too wide hides a difference.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use crate::varying::steady;

/// What differs from play to play besides what [`steady`] knows.
///
/// Terraform tells every 10 seconds that it is still there; the Go runtime ends after SIGQUIT with every
/// stack and register; bash says the process of a job that is started behind, zsh says it with each job, `setsid` with a failure.
static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let rule = |pattern: &str, name| (Regex::new(pattern).unwrap(), name);
    vec![
        rule(r"(?m)^.*: Still \w+\.\.\. \[.*\n", ""),
        rule(r"(?s)SIGQUIT: quit\n.*", "SIGQUIT: quit\n[STACKS]"),
        rule(r"(?m)\[1\] \d+$", "[1] [PID]"),
        rule(r"(?m)^\[1\]  ([+-]) \d+ ", "[1]  + [PID] "),
        rule(r"setsid: child \d+ ", "setsid: child [PID] "),
    ]
});

/// The name of `tf` at the beginning of a line, and what others left in front of it: Terraform ends a
/// colour there, bash a mode of the terminal.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    let left = r"(?:\x1b\[[0-9;]*m|\x1b\[\?2004[hl]|\r)*?";
    Regex::new(&format!(r"^({left})(?:\x1b\[2m)?tf shim: (?:\x1b\[0m)?")).unwrap()
});

/// A colour.
static COLOUR: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\x1b\[[0-9;]*m").unwrap());

/// Gives names to what differs from play to play although nobody stands between.
pub(crate) fn clean(text: &str) -> String {
    let text = String::from_utf8_lossy(&steady(text.as_bytes())).into_owned();
    RULES.iter().fold(text, |text, (pattern, name)| {
        pattern.replace_all(&text, regex::NoExpand(name)).into_owned()
    })
}

/// Returns a line without colours, and without its end.
fn plain(line: &str) -> String {
    COLOUR.replace_all(line, "").trim_end().to_owned()
}

/// A take that was equal with `tf` and without; none where there was no Terraform to play it.
#[derive(Debug)]
pub struct Played(Option<Take>);

impl Played {
    /// Nothing was played.
    pub(crate) fn nowhere() -> Self {
        Self(None)
    }

    /// This was played.
    pub(crate) fn of(take: Take) -> Self {
        Self(Some(take))
    }

    /// Fails unless it ended like that.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "the assertion is the use"
    )]
    pub fn ended(self, end: &str) -> Self {
        if let Some(take) = &self.0 {
            assert_eq!(take.text("end").trim_end(), end, "{self:#?}");
        }
        self
    }

    /// Fails unless a text occurs that many times in what was shown.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "the assertion is the use"
    )]
    pub fn shows(self, count: usize, text: &str) -> Self {
        if let Some(take) = &self.0 {
            assert_eq!(take.count(text), count, "`{text}` in {self:#?}");
        }
        self
    }

    /// Returns the take.
    #[must_use]
    pub fn take(self) -> Option<Take> {
        self.0
    }
}

/// What a play left, as texts under headings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Take {
    /// The texts.
    texts: Vec<(String, String)>,
    /// What `tf` said, where it may.
    talk: Vec<String>,
}

impl Take {
    /// Adds a text.
    pub fn note(&mut self, heading: &str, text: impl Into<String>) {
        self.texts.push((heading.to_owned(), text.into()));
    }

    /// Returns what was kept under that heading, empty if nothing was.
    #[must_use]
    pub fn text(&self, heading: &str) -> &str {
        self.texts.iter().find(|(name, _)| name == heading).map_or("", |(_, text)| text)
    }

    /// Returns the lines that `tf` said.
    #[must_use]
    pub fn talk(&self) -> &[String] {
        &self.talk
    }

    /// Counts how often a text occurs in what was shown.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        let shown = ["stdout", "stderr", "screen"].map(|name| self.text(name));
        shown.iter().map(|shown| shown.matches(text).count()).sum()
    }

    /// Takes out what `tf` said: lines with its name in front, and those indented below. What others
    /// left in front of the name stays: Terraform ends a colour there, bash a mode of the terminal.
    pub(crate) fn take_out_talk(&mut self) {
        for (_, text) in &mut self.texts {
            let mut kept = String::new();
            let mut is_ours = false;
            for line in text.split_inclusive('\n') {
                let name = NAME.captures(line);
                is_ours = name.is_some() || is_ours && line.starts_with("  ");
                match name {
                    Some(name) => {
                        kept.push_str(&name[1]);
                        self.talk.push(plain(&line[name[0].len()..]));
                    }
                    None if is_ours => self.talk.push(plain(line)),
                    None => kept.push_str(line),
                }
            }
            *text = kept;
        }
    }
}

/// Where two takes part.
pub(crate) struct Difference {
    /// How far they agree, in texts and lines.
    pub(crate) at: (usize, usize),
    /// What differs, to be read.
    pub(crate) text: String,
}

impl Difference {
    /// Looks for the first one; none where the takes are equal.
    pub(crate) fn between(without: &Take, through: &Take) -> Option<Self> {
        let (left, right) = (&without.texts, &through.texts);
        let at = (0..left.len().max(right.len())).find(|at| left.get(*at) != right.get(*at))?;
        let nothing = (String::new(), String::new());
        let [left, right] = [left, right].map(|take| take.get(at).unwrap_or(&nothing));
        let lines = [&left.1, &right.1].map(|text| text.lines().collect::<Vec<_>>());
        let same = lines[0].iter().zip(&lines[1]).take_while(|(one, other)| one == other).count();
        let mut text = String::new();
        for (who, (heading, _), lines) in
            [("without", left, &lines[0]), ("through", right, &lines[1])]
        {
            writeln!(text, "{who}, {heading:?} from line {same}:").unwrap();
            for line in lines.iter().skip(same.saturating_sub(2)) {
                writeln!(text, "  {line:?}").unwrap();
            }
        }
        Some(Self { at: (at, same), text })
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, Take, clean};

    fn take(screen: &str) -> Take {
        let mut take = Take::default();
        take.note("screen", screen);
        take
    }

    #[test]
    fn what_tf_says_is_taken_out_and_nothing_else() {
        let mut heard = take(
            "\u{1b}[2mtf shim: \u{1b}[0msaved\n  Plan\nwhole\n\u{1b}[0mtf shim: done\n  hint: x\nnot tf shim: y\n",
        );
        heard.take_out_talk();
        assert_eq!(heard.text("screen"), "whole\n\u{1b}[0mnot tf shim: y\n");
        assert_eq!(heard.talk(), ["saved", "  Plan", "done", "  hint: x"]);
    }

    #[test]
    fn times_jobs_and_stacks_have_names_and_the_rest_differs() {
        let text = "a: Still creating... [10s elapsed]\n[1] 4711\nSIGQUIT: quit\nPC=0x1\n";
        assert_eq!(clean(text), "[1] [PID]\nSIGQUIT: quit\n[STACKS]");
        for (one, other) in [("a\nb", "a\nc"), ("a", "a\n"), ("status 1", "status 2")] {
            assert!(Difference::between(&take(&clean(one)), &take(&clean(other))).is_some());
        }
        assert!(Difference::between(&take("a"), &take("a")).is_none());
    }
}
