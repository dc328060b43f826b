//! What differs between two states: a block for each resource, its attributes under it.

use super::super::style::{Line, Role, Screen};
use super::super::width;
use super::super::words;
use super::Frame;
use crate::model::change::{Action, AttributeChange, ResourceChange, StateDiff};
use crate::model::content::Mode;

/// How much of a difference is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Addresses, and the paths of what changed.
    Paths,
    /// Values, too.
    Values,
}

/// Columns before an attribute.
const INDENT: usize = 6;

/// Paths up to this wide are aligned.
const PATH_COLUMNS: usize = 28;

/// Lists what differs, and its sum.
pub(super) fn changes(diff: &StateDiff, detail: Detail, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    if diff.is_empty() {
        screen.line(Line::of(Role::Dim, "  no difference"));
        return screen;
    }
    for resource in &diff.resources {
        screen.append(block(resource, detail, frame));
    }
    if !diff.outputs.is_empty() {
        screen.gap();
        screen.line(Line::of(Role::Title, "  outputs"));
        let paths: Vec<_> = diff.outputs.iter().map(|output| output.name.as_str()).collect();
        let column = aligned(&paths);
        for output in &diff.outputs {
            let lead = Line::new().plain("  ").join(sign(output.action)).plain(" ");
            let sides = [output.before.as_deref(), output.after.as_deref()];
            match detail {
                Detail::Paths => screen.fold(lead, Role::Plain, &output.name, frame.width),
                Detail::Values => screen.append(value(lead, &output.name, column, sides, frame)),
            }
        }
    }
    screen.gap();
    screen.line(summary(diff));
    screen
}

/// `+3 ~1 -0`, and what these counts leave out.
fn summary(diff: &StateDiff) -> Line {
    let uncounted =
        diff.resources.iter().filter(|r| r.mode == Mode::Data || r.deposed.is_some()).count();
    let also = [("output", diff.outputs.len()), ("data or deposed object", uncounted)];
    let line = Line::new().plain("  ").join(words::counts(diff.changes));
    also.iter().filter(|(_, count)| *count > 0).fold(line, |line, (noun, count)| {
        let count = u64::try_from(*count).unwrap_or(u64::MAX);
        line.with(Role::Dim, " · ").plain(&words::counted(count, noun))
    })
}

fn sign(action: Action) -> Line {
    match action {
        Action::Add => Line::of(Role::Added, "+"),
        Action::Change => Line::of(Role::Changed, "~"),
        Action::Remove => Line::of(Role::Removed, "-"),
    }
}

fn block(resource: &ResourceChange, detail: Detail, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    let lead = Line::new().plain("  ").join(sign(resource.action)).plain(" ");
    let mut head = Line::of(Role::Title, &resource.address);
    if let Some(deposed) = &resource.deposed {
        head = head.with(Role::Dim, &format!(" (deposed {deposed})"));
    }
    let is_listed = detail == Detail::Values || resource.action == Action::Change;
    if let Some(id) = resource.id.as_ref().filter(|_| !is_listed) {
        head = head.with(Role::Dim, &format!(" · id {id}"));
    }
    screen.fold_line(lead, head, frame.width);
    let paths: Vec<_> = resource.attributes.iter().map(|a| a.path.as_str()).collect();
    match detail {
        Detail::Paths if resource.action == Action::Change => {
            let lead = Line::new().padded(INDENT);
            let paths = paths.join(", ");
            screen.fold(
                lead,
                Role::Plain,
                if paths.is_empty() { WRITTEN } else { &paths },
                frame.width,
            );
        }
        Detail::Paths => {}
        Detail::Values if paths.is_empty() && resource.action == Action::Change => {
            screen.line(Line::new().padded(INDENT).with(Role::Dim, WRITTEN));
        }
        Detail::Values => {
            let column = aligned(&paths);
            for attribute in &resource.attributes {
                let AttributeChange { path, before, after, sensitive: _ } = attribute;
                let sides = [before.as_deref(), after.as_deref()];
                screen.append(value(Line::new().padded(INDENT), path, column, sides, frame));
            }
        }
    }
    screen
}

/// Why a change has no attributes.
const WRITTEN: &str = "written differently";

fn aligned(paths: &[&str]) -> usize {
    let widths = paths.iter().map(|path| width::columns(path));
    widths.filter(|columns| *columns <= PATH_COLUMNS).max().unwrap_or(0)
}

/// A path and its two values: in one line where they fit, else one under the other.
fn value(lead: Line, path: &str, column: usize, sides: [Option<&str>; 2], frame: &Frame) -> Screen {
    let indent = lead.columns();
    let head = lead.plain(path);
    let values = match sides {
        [None, None] => Line::new(),
        [Some(only), None] => Line::of(Role::Removed, only),
        [None, Some(only)] => Line::of(Role::Added, only),
        [Some(before), Some(after)] if before == after => Line::of(Role::Changed, after),
        [Some(before), Some(after)] => {
            Line::of(Role::Removed, before).with(Role::Dim, " → ").with(Role::Added, after)
        }
    };
    let one = head.clone().padded(indent + column).plain("  ").join(values);
    let mut screen = Screen::new();
    if frame.width.is_none_or(|width| one.columns() <= width) {
        screen.line(one);
        return screen;
    }
    screen.fold_line(Line::new().padded(indent), Line::new().plain(path), frame.width);
    let roles = [(Role::Removed, "- "), (Role::Added, "+ ")];
    for (side, (role, sign)) in sides.into_iter().zip(roles) {
        if let Some(text) = side {
            let lead = Line::new().padded(indent + 2).with(role, sign);
            screen.fold(lead, role, text, frame.width);
        }
    }
    screen
}
