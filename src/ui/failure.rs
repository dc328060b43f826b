//! How a failure is shown: what, why, and what to do about it.
//!
//! The one place where a chain of errors becomes text. What failed is one line; causes may be the
//! words of another program and keep their lines, each indented, so that none of them can pass for a
//! message of ours.

use std::error::Error;

use super::screen::Frame;
use super::style::{Line, Role, Screen};
use super::table::{Column, Table};
use super::words;
use crate::model::resolve::Candidate;

/// How every message of ours begins.
pub(crate) const OURS: &str = "tf shim: ";

/// Where the text of a labelled line begins.
const INDENT: usize = OURS.len();

/// A failure, as it is shown.
pub(crate) struct Failure {
    what: String,
    causes: Vec<String>,
    candidates: Vec<Candidate>,
    hints: Vec<String>,
}

impl Failure {
    /// Takes the messages of an error and of all its sources.
    pub(crate) fn of(error: &dyn Error) -> Self {
        let mut failure = Self::saying(error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            failure.causes.push(cause.to_string());
            source = cause.source();
        }
        failure
    }

    /// A failure without an error, such as wrong usage.
    pub(crate) fn saying(what: impl Into<String>) -> Self {
        Self { what: what.into(), causes: Vec::new(), candidates: Vec::new(), hints: Vec::new() }
    }

    /// Adds a cause that is no error of its own.
    pub(crate) fn cause(mut self, cause: String) -> Self {
        self.causes.push(cause);
        self
    }

    /// Adds a next step, if there is one: a sentence in the imperative, without a full stop.
    pub(crate) fn hint(mut self, hint: Option<String>) -> Self {
        self.hints.extend(hint);
        self
    }

    /// Adds what might have been meant.
    pub(crate) fn candidates(mut self, candidates: &[Candidate]) -> Self {
        self.candidates.extend_from_slice(candidates);
        self
    }

    /// How it looks.
    pub(crate) fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        screen.fold(Line::of(Role::Error, OURS), Role::Plain, &self.what, frame.width);
        for cause in &self.causes {
            let mut label = Line::of(Role::Dim, "  cause:").padded(INDENT);
            for line in cause.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
                screen.fold(label, Role::Plain, line, frame.width);
                label = Line::new().padded(INDENT);
            }
        }
        screen.append(self.table(frame));
        for hint in &self.hints {
            let label = Line::of(Role::Hint, "  hint:").padded(INDENT);
            screen.fold(label, Role::Plain, hint, frame.width);
        }
        screen
    }

    fn table(&self, frame: &Frame) -> Screen {
        let column = |gives| Column { title: "", pleasant: 0, least: 8, gives };
        let mut table = Table::new(vec![column(0), column(0), column(1)]);
        for candidate in &self.candidates {
            let cells = vec![
                Line::of(Role::Id, candidate.id.short()),
                Line::new().plain(&frame.clock.relative(candidate.when)),
                Line::new().plain(&words::name(candidate.kind, candidate.verb.as_deref())),
            ];
            table.row(Line::new(), cells);
        }
        if self.candidates.is_empty() {
            return Screen::new();
        }
        table.lay_out(INDENT, frame.width)
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use crate::model::resolve::Candidate;
    use crate::ui::Paint;
    use crate::ui::samples::{frame, odd_operations};

    #[derive(Debug, thiserror::Error)]
    #[error("cannot save a snapshot of workspace `prod\x1b[2J`; apply was not started")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("terraform state pull failed with status 1")]
    struct Inner(#[source] Said);

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Said(&'static str);

    fn failure() -> Failure {
        let said = Said("Error: Backend initialization required\n\ntf shim: \u{202e}forged\r\n");
        let hint =
            "run `terraform init`, or set TF_SHIM_ON_ERROR=continue to apply without a snapshot";
        Failure::of(&Outer(Inner(said))).hint(Some(hint.to_owned())).hint(None)
    }

    #[test]
    fn a_chain_is_shown_once_and_cannot_be_forged() {
        insta::assert_snapshot!(failure().screen(&frame(None)).render(Paint::Plain), @r#"
        tf shim: cannot save a snapshot of workspace `prod\u{1b}[2J`; apply was not started
          cause: terraform state pull failed with status 1
          cause: Error: Backend initialization required
                 tf shim: \u{202e}forged
          hint:  run `terraform init`, or set TF_SHIM_ON_ERROR=continue to apply without a snapshot
        "#);
    }

    #[test]
    fn a_chain_folds_on_a_terminal() {
        insta::assert_snapshot!(failure().screen(&frame(Some(80))).render(Paint::Plain), @r#"
        tf shim: cannot save a snapshot of workspace `prod\u{1b}[2J`; apply was not
                 started
          cause: terraform state pull failed with status 1
          cause: Error: Backend initialization required
                 tf shim: \u{202e}forged
          hint:  run `terraform init`, or set TF_SHIM_ON_ERROR=continue to apply without
                 a snapshot
        "#);
        let coloured = failure().screen(&frame(Some(80))).render(Paint::Colour);
        insta::assert_snapshot!(coloured.replace('\x1b', "^"), @r#"
        ^[1m^[31mtf shim: ^[0mcannot save a snapshot of workspace `prod\u{1b}[2J`; apply was not
                 started
        ^[2m  cause:^[0m terraform state pull failed with status 1
        ^[2m  cause:^[0m Error: Backend initialization required
                 tf shim: \u{202e}forged
        ^[36m  hint:^[0m  run `terraform init`, or set TF_SHIM_ON_ERROR=continue to apply without
                 a snapshot
        "#);
    }

    #[test]
    fn what_might_have_been_meant_is_listed() {
        let candidates: Vec<_> = odd_operations()
            .into_iter()
            .take(4)
            .map(|o| Candidate { id: o.id, when: o.started, kind: o.kind, verb: o.verb })
            .collect();
        let failure = Failure::saying("`aaaa` is ambiguous").candidates(&candidates);
        insta::assert_snapshot!(failure.screen(&frame(Some(80))).render(Paint::Plain), @r#"
        tf shim: `aaaa` is ambiguous
                 aaaa0004  2 min ago  apply
                 aaaa0006  2 min ago  apply
                 aaaa0005  2 min ago  save
                 aaaa0003  2 min ago  state replace-provider
        "#);
    }
}
