//! A refusal: which guard, what was expected, what was found, and the ways out.

use super::super::failure::OURS;
use super::super::style::{Line, Role, Screen};
use super::super::table::{Column, Table};
use super::super::words;
use super::{Facts, Frame};
use crate::guard::refusal::{Expected, Refusal, Way, Witness};
use crate::ops::protected::Deletion;

/// How many addresses are named; `tf shim show` and the JSON line name all of them.
const MOST_ADDRESSES: usize = 20;

/// Says that a command was refused, and why.
pub(crate) fn refused(verb: &str, refusals: &[Refusal], frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    for refusal in refusals {
        let lead = Line::of(Role::Error, OURS);
        let what = format!("{verb} was refused: ");
        let what = Line::new().plain(&what).with(Role::Title, refusal.guard.word());
        screen.fold_line(lead, what, frame.width);
        screen.append(facts(refusal, frame).lay_out(frame));
        screen.append(ways(&refusal.ways, frame));
    }
    screen
}

/// What a command would be refused for, among other things that are shown.
pub(super) fn finding(refusal: &Refusal, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    let what = " · commands that work on the state are refused";
    let line = Line::new().padded(2).with(Role::Warning, refusal.guard.word());
    screen.line(line.with(Role::Dim, what));
    screen.append(facts(refusal, frame).lay_out(frame));
    screen.append(ways(&refusal.ways, frame));
    screen
}

fn facts(refusal: &Refusal, frame: &Frame) -> Facts {
    let mut facts = Facts::new();
    facts
        .add("expected", refusal.expected.as_ref().map(|expected| self::expected(expected, frame)));
    // As wide as the longest, so that the ways out stand under it.
    facts.add_all("found   ", found(&refusal.found, &refusal.addresses));
    facts
}

/// What was found, and under it what would be deleted.
fn found(what: &str, addresses: &[(String, String)]) -> Vec<Line> {
    let mut found = vec![Line::new().plain(what)];
    for (address, why) in addresses.iter().take(MOST_ADDRESSES) {
        found.push(Line::of(Role::Removed, address).with(Role::Dim, &format!(" · {why}")));
    }
    let more = addresses.len().saturating_sub(MOST_ADDRESSES);
    if more > 0 {
        found.push(Line::of(Role::Dim, &format!("and {more} more")));
    }
    found
}

/// What a person has to confirm: above the question.
pub(in crate::ui) fn deletion(deletion: &Deletion<'_>, frame: &Frame) -> Screen {
    let Deletion { verb, objection, backend, workspace } = deletion;
    let mut screen = Screen::new();
    let what = Line::of(Role::Title, &format!("{verb} would delete what must not be deleted"));
    screen.fold_line(Line::of(Role::Warning, OURS), what, frame.width);
    let mut facts = Facts::new();
    facts.add_all("found   ", found(&objection.found(), &objection.deletions));
    let place = Line::new().plain(backend).with(Role::Dim, " · workspace ");
    facts.add("in", Some(place.with(Role::Title, workspace)));
    screen.append(facts.lay_out(frame));
    screen.append(ways(&objection.ways(), frame));
    screen
}

/// `serial 41 · 128 resources · lineage ec80aa96 · last seen 3 days ago by ana@mbp in 7c1e9a04`.
pub(super) fn expected(expected: &Expected, frame: &Frame) -> Line {
    let serial = expected.serial.map(|serial| format!("serial {serial}{}", expected.or_later()));
    let resources = expected.resources.map_or_else(|| "resources".to_owned(), words::resources);
    let lineage = expected.lineage.as_ref().map(|lineage| format!("lineage {}", lineage.short()));
    let parts: Vec<String> = [serial, Some(resources), lineage].into_iter().flatten().collect();
    let when = expected.when.map(|when| format!(" {}", frame.clock.relative(when)));
    let who = expected.who.as_ref().map(|who| format!(" by {who}"));
    let seen = when.unwrap_or_default() + &who.unwrap_or_default();
    let line = Line::new().plain(&parts.join(" · "));
    match &expected.witness {
        Witness::History(id) => {
            line.with(Role::Dim, &format!(" · last seen{seen} in ")).with(Role::Id, id.short())
        }
        Witness::Passport(path) => {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            line.with(Role::Dim, &format!(" · {name}, written{seen}"))
        }
    }
}

/// The commands that lead out, under each other, each with what it is good for.
pub(super) fn ways(ways: &[Way], frame: &Frame) -> Screen {
    let column = |gives| Column { title: "", pleasant: 0, least: 8, gives };
    let mut table = Table::new(vec![column(0), column(0), column(1)]);
    for (index, way) in ways.iter().enumerate() {
        let label = if index == 0 { "way out" } else { "" };
        // The longest label above is `expected`.
        let label = Line::of(Role::Dim, label).padded("expected".len());
        let cells = vec![label, Line::of(Role::Hint, &way.command), Line::of(Role::Dim, way.does)];
        table.row(Line::new(), cells);
    }
    if ways.is_empty() {
        return Screen::new();
    }
    // A command that is cut or folded cannot be pasted, and a block has several lines.
    let has_lines = ways.iter().any(|way| way.command.contains('\n'));
    let is_wide =
        has_lines || frame.width.is_some_and(|width| table.columns().saturating_add(2) > width);
    if !is_wide {
        return table.lay_out(2, frame.width);
    }
    let mut screen = Screen::new();
    let mut lead = Line::new().padded(2).with(Role::Dim, "way out").padded(12);
    for way in ways {
        for line in way.command.lines() {
            screen.line(lead.with(Role::Hint, line));
            lead = Line::new().padded(12);
        }
        screen.fold(Line::new().padded(14), Role::Dim, way.does, frame.width);
    }
    screen
}

#[cfg(test)]
mod tests {
    use super::refused;
    use crate::guard::refusal::{Refusal, Way};
    use crate::model::guard::Guard;
    use crate::ui::Paint;
    use crate::ui::samples::{frame, missing};

    #[test]
    fn a_refusal_says_what_was_expected_and_what_leads_out() {
        let screen = refused("apply", &[missing()], &frame(Some(80)));
        insta::assert_snapshot!(screen.render(Paint::Plain), @r#"
        tf shim: apply was refused: missing-state
          expected  serial 42 · 131 resources · lineage ec80aa96 · last seen 2 min ago
                    by ana@mbp in 7c1e9a04
          found     there is no state
          way out   tf shim restore @  bring the expected state back
                    tf shim accept     what is there now is right
        "#);
    }

    #[test]
    fn what_would_be_deleted_is_named_and_cannot_forge_anything() {
        let refusal = Refusal {
            guard: Guard::Protected,
            expected: None,
            found: "the plan deletes 22 protected resources".to_owned(),
            addresses: (0..22)
                .map(|n| (format!("a.b[\"\u{1b}[2J\n{n}\"]"), "deleted".to_owned()))
                .collect(),
            plan_sha256: Some("ab".repeat(32)),
            ways: vec![Way {
                command: format!("tf -chdir='{}' shim restore @", "x".repeat(60)),
                does: "as it was",
            }],
        };
        let screen = refused("destroy", &[refusal], &frame(Some(80))).render(Paint::Plain);
        let is_short = |line: &str| line.chars().count() <= 80 || line.contains("tf -chdir");
        assert!(screen.lines().all(is_short));
        let shown: Vec<_> = screen.lines().take(3).chain(screen.lines().rev().take(4)).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        tf shim: destroy was refused: protected
          found     the plan deletes 22 protected resources
                    a.b["\u{1b}[2J\n0"] · deleted
                      as it was
          way out   tf -chdir='xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' shim restore @
                    and 2 more
                    a.b["\u{1b}[2J\n19"] · deleted
        "#);
    }
}
