//! What the proxy says around a guarded command: one line before, one after.
//!
//! Whether it is said at all is decided by [`When::is_shown`], which is pure. Findings are not talk:
//! they are failures, and [`findings`] is shown even where talk is not wanted.

pub(crate) mod progress;

use super::failure::OURS;
use super::screen::Frame;
use super::style::{Line, Role, Screen};
use super::words;
use crate::guard::aftermath::WAY_BACK;
use crate::model::operation::{GuardAction, Image, Outcome, Status};
use crate::ops::report::{RunReport, StateName};

/// What the user wants to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// `TF_SHIM_QUIET`: nothing. It wins over the other.
    Quiet,
    /// `TF_SHIM_TALK`: something, even where stderr is no terminal.
    Talk,
    /// Nothing was said about it.
    Unsaid,
}

/// What decides whether talk is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    /// Whether stderr is a terminal.
    pub(crate) is_terminal: bool,
    /// Whether Terraform was asked for JSON, in any spelling.
    pub(crate) is_json: bool,
    /// What the user wants.
    pub(crate) wish: Wish,
}

impl When {
    /// Whether talk is shown.
    pub(crate) fn is_shown(self) -> bool {
        match self.wish {
            Wish::Quiet => false,
            Wish::Talk => !self.is_json,
            Wish::Unsaid => self.is_terminal && !self.is_json,
        }
    }
}

/// Says what was saved before a command: `tf shim: saved serial 41 (128 resources) before apply`.
pub(crate) fn before(verb: &str, images: &[&Image]) -> Screen {
    let text = match images {
        [] => return Screen::new(),
        [image] => match image.status {
            Status::Absent => format!("no state yet before {verb}"),
            Status::Unreadable | Status::Unknown => {
                format!("no snapshot before {verb}: the state could not be read")
            }
            Status::Ok
            | Status::Empty
            | Status::Invalid
            | Status::Ambiguous
            | Status::Encrypted => {
                format!("saved {} before {verb}", saved(image))
            }
        },
        [..] => {
            let each: Vec<_> = images.iter().map(|image| saved(image)).collect();
            format!("saved {} before {verb}", each.join(" and "))
        }
    };
    said(Line::new().plain(&text))
}

/// Says what became of several states, each with its place, without a way to undo them all at once.
pub(crate) fn after_several(reports: &[(StateName, RunReport)]) -> Screen {
    let mut screen = Screen::new();
    for (name, report) in reports {
        let place = format!("{} · {}: ", name.identity.workspace(), name.identity.backend());
        screen.append(said(Line::of(Role::Dim, &place).join(became(report))));
    }
    screen
}

/// Says what became of the state: `tf shim: serial 41 → 42, +3 ~1 -0 · undo with: tf shim undo`.
pub(crate) fn after(report: &RunReport) -> Screen {
    let verb = &report.verb;
    let (lead, how) = match report.outcome {
        Some(Outcome::Failed) => (format!("{verb} failed"), Role::Warning),
        Some(Outcome::Killed) => (format!("{verb} was killed"), Role::Warning),
        Some(Outcome::Done | Outcome::Refused | Outcome::Unknown) | None => {
            (String::new(), Role::Plain)
        }
    };
    let mut line = Line::of(how, &lead);
    if !lead.is_empty() {
        line.push(Role::Plain, ": ");
    }
    line = line.join(became(report));
    if report.can_undo {
        line = line.with(Role::Dim, " · undo with: ").with(Role::Hint, "tf shim undo");
    }
    said(line)
}

/// Says what was found after the run, a line each. Shown even where talk is not.
pub(crate) fn findings(report: &RunReport, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    let noted = report.findings.iter().filter(|finding| finding.action != GuardAction::Allowed);
    for finding in noted {
        let (text, way) = finding.text.split_once(WAY_BACK).unwrap_or((&finding.text, ""));
        let text = format!("{}: {text}", finding.guard);
        screen.fold(Line::of(Role::Warning, OURS), Role::Plain, &text, frame.width);
        if !way.is_empty() {
            // On a line of its own and never folded: a command that is cut cannot be pasted.
            let lead = Line::new().padded(4).plain("bring it back with: ");
            screen.line(lead.with(Role::Hint, way));
        }
    }
    screen
}

fn said(line: Line) -> Screen {
    let mut screen = Screen::new();
    screen.line(Line::of(Role::Dim, OURS).join(line));
    screen
}

/// A state that was saved: `serial 41 (128 resources)`.
fn saved(image: &Image) -> String {
    let serial = image.serial.map(|serial| format!("serial {serial}"));
    match image.status {
        Status::Ok => {
            let what = serial.unwrap_or_else(|| "a state without serial".to_owned());
            match image.resources {
                Some(count) => format!("{what} ({})", words::resources(count)),
                None => what,
            }
        }
        Status::Absent => "no state".to_owned(),
        Status::Empty => "an empty state".to_owned(),
        Status::Invalid => format!("what is not a state ({})", words::size(image.bytes)),
        Status::Ambiguous => "an ambiguous state".to_owned(),
        Status::Encrypted => match serial {
            Some(serial) => format!("{serial} (encrypted)"),
            None => "an encrypted state".to_owned(),
        },
        Status::Unreadable | Status::Unknown => "nothing (not readable)".to_owned(),
    }
}

fn became(report: &RunReport) -> Line {
    let (before, after) = (&report.before, &report.after);
    match after.status {
        Status::Unknown => {
            return Line::new().plain("what it left is not known yet; the next call finds out");
        }
        Status::Unreadable => return Line::of(Role::Warning, "what it left cannot be read"),
        Status::Invalid => return Line::of(Role::Warning, "what it left is not a state"),
        Status::Absent if before.status == Status::Absent => {
            return Line::new().plain("still no state");
        }
        Status::Absent => return Line::of(Role::Warning, "there is no state any more"),
        Status::Empty => return Line::of(Role::Warning, "the state is empty now"),
        Status::Ok | Status::Ambiguous | Status::Encrypted => {}
    }
    let serial = match (before.serial, after.serial) {
        _ if before.is_same_find(after) => {
            let what = after.serial.map_or_else(|| "state".to_owned(), |s| format!("serial {s}"));
            return Line::new().plain(&what).plain(" unchanged");
        }
        (Some(old), Some(new)) if old != new => format!("serial {old} → {new}"),
        (_, Some(new)) => format!("serial {new}"),
        (_, None) => "state changed".to_owned(),
    };
    let line = Line::new().plain(&serial);
    let line = match report.changes {
        Some(changes) => line.plain(", ").join(words::counts(changes)),
        None => line,
    };
    let had_some = before.resources.is_some_and(|count| count > 0);
    if had_some && after.resources == Some(0) { line.plain(", empty now") } else { line }
}

#[cfg(test)]
mod tests;
