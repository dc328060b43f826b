//! Markdown for a comment on a pull request, and for the summary of a GitHub step.
//!
//! What fails stands open in a table; what is accepted, unused or run is folded away. It has a limit,
//! because a comment that is too long is refused whole: it is cut between two findings, and says so. Easy to
//! get wrong: a cut inside a table cell or before a `</details>` breaks everything below it.

use std::fmt::Write as _;

use super::markup::{Within, code, prose, words};
use super::outline::{address, groups, headline, is_failed, meaning, result, short, status, until};
use super::place::{directory, spot};
use super::plain::took;
use super::stop::stop;
use crate::check::finding::{Class, Finding, Site, Weight};
use crate::check::report::{CheckReport, Step, UnusedRule};

/// Paths that are named in a cell; the others are counted.
const NAMED: usize = 12;

/// What is left for the sentences about a cut, and for the tags around a folded part.
const RESERVE: usize = 400;

/// The whole document, at most `limit` bytes long.
pub(super) fn markdown(report: &CheckReport, limit: usize) -> String {
    let mut text = head(report);
    let steps = steps(report);
    let mut room = limit.saturating_sub(text.len() + steps.len());
    let found: Vec<_> = groups(report).into_iter().flat_map(|(_, _, group)| group).collect();
    let rows = found.into_iter().map(|finding| row(report, finding)).collect();
    let mut add = |part: String| {
        room = room.saturating_sub(part.len());
        text.push_str(&part);
        room
    };
    let left = add(String::new());
    let left = add(table("| | Resource | Differs in | Why, and what to do |", rows, left));
    let accepted: Vec<_> = report.accepted().map(|finding| accepted(report, finding)).collect();
    let title = format!("{} accepted", accepted.len());
    let left = add(folded(&title, "| Resource | Differs in | Because |", accepted, left));
    let unused: Vec<_> = report.unused_rules.iter().map(|rule| unused(report, rule)).collect();
    let title = format!("{} that matched nothing", rules(unused.len()));
    let left = add(folded(&title, "| Rule | For | Because |", unused, left));
    add(notes(report, left));
    text.push_str(&steps);
    text
}

fn rules(count: usize) -> String {
    super::super::words::counted(u64::try_from(count).unwrap_or(u64::MAX), "rule")
}

/// The verdict, where, what it means, and what happened where there is none.
fn head(report: &CheckReport) -> String {
    let headline = headline(report);
    let mut text = format!("### Idempotency check: {}\n\n", headline.verdict);
    let version = report.program_version.as_deref().unwrap_or_default();
    let mut facts = vec![
        code(&directory(report), Within::Paragraph),
        format!("workspace {}", code(&report.workspace, Within::Paragraph)),
        words(format!("{} {version}", report.program).trim_end()),
    ];
    facts.extend(short(report).map(|id| format!("operation {}", code(id, Within::Paragraph))));
    if !headline.counts.is_empty() {
        facts.insert(0, format!("**{}**", headline.counts));
    }
    let _ = write!(text, "{}\n\n{}\n", facts.join(" · "), meaning(report));
    if let Some(stop) = stop(report) {
        let _ = write!(text, "\n> **{}**\n", prose(&stop.what, Within::Paragraph));
        for line in stop.message.iter().flat_map(|message| message.lines()) {
            let _ = write!(text, ">\n> Cause: {}\n", prose(line, Within::Paragraph));
        }
        let _ = write!(text, ">\n> Safe: {}\n", prose(&stop.safe, Within::Paragraph));
        let _ = write!(text, ">\n> **Hint:** {}\n", prose(&stop.next, Within::Paragraph));
    }
    text
}

/// A table with as many rows as there is room for, and how many there are besides.
fn table(head: &str, rows: Vec<String>, room: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let columns = head.matches('|').count().saturating_sub(1);
    let mut text = format!("\n{head}\n|{}\n", " --- |".repeat(columns));
    let mut left = rows.len();
    for row in rows {
        if text.len() + row.len() + RESERVE > room {
            break;
        }
        text.push_str(&row);
        left = left.saturating_sub(1);
    }
    if left > 0 {
        let _ = write!(
            text,
            "\n_{left} more are left out here; the JSON and HTML reports have all._\n"
        );
    }
    text
}

/// A table that is folded away.
fn folded(title: &str, head: &str, rows: Vec<String>, room: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let table = table(head, rows, room.saturating_sub(RESERVE));
    format!("\n<details>\n<summary>{title}</summary>\n{table}\n</details>\n")
}

fn row(report: &CheckReport, finding: &Finding) -> String {
    let class = match finding.weight {
        Weight::Fails | Weight::NoVerdict => format!("**{}**", finding.class.word()),
        Weight::Told => finding.class.word().to_owned(),
    };
    let mut why = prose(&finding.cause.text, Within::Cell);
    if !finding.cause.hint.is_empty() {
        let gap = if why.is_empty() { "" } else { "<br>" };
        let _ = write!(why, "{gap}**Hint:** {}", prose(&finding.cause.hint, Within::Cell));
    }
    format!("| {class} | {} | {} | {why} |\n", subject(report, finding), paths(finding))
}

/// The address, and where it is declared.
fn subject(report: &CheckReport, finding: &Finding) -> String {
    format!("{}{}", code(address(finding), Within::Cell), at(report, finding.site.as_ref()))
}

fn at(report: &CheckReport, site: Option<&Site>) -> String {
    let spot = site.map(|site| format!("<br>at {}", code(&spot(report, site), Within::Cell)));
    spot.unwrap_or_default()
}

fn paths(finding: &Finding) -> String {
    if finding.paths.is_empty() {
        let is_resource = !matches!(
            finding.class,
            Class::Output | Class::MissingOutput | Class::Check | Class::Expired
        );
        return if is_resource { "the whole resource".to_owned() } else { String::new() };
    }
    let named = finding.paths.iter().take(NAMED).map(|path| code(path, Within::Cell));
    let mut text = named.collect::<Vec<_>>().join("<br>");
    let more = finding.paths.len().saturating_sub(NAMED);
    if more > 0 {
        let _ = write!(text, "<br>and {more} more");
    }
    text
}

fn accepted(report: &CheckReport, finding: &Finding) -> String {
    let Some(acceptance) = &finding.accepted else { return String::new() };
    let because = because(&acceptance.reason, until(acceptance.expires));
    let (subject, class) = (subject(report, finding), finding.class.word());
    format!("| {subject} | {class}: {} | {because} |\n", paths(finding))
}

fn because(reason: &str, until: Option<String>) -> String {
    let until = until.map(|until| format!("<br>{until}")).unwrap_or_default();
    format!("{}{until}", prose(reason, Within::Cell))
}

fn unused(report: &CheckReport, rule: &UnusedRule) -> String {
    let address = code(&rule.address, Within::Cell);
    let path = rule.path.as_deref().map(|path| code(path, Within::Cell));
    let path = path.unwrap_or_else(|| "the whole resource".to_owned());
    let because = because(&rule.reason, until(rule.expires));
    format!("| {address}{} | {path} | {because} |\n", at(report, rule.site.as_ref()))
}

/// What else has to be said, as far as there is room.
fn notes(report: &CheckReport, room: usize) -> String {
    let mut text = String::new();
    for note in &report.notes {
        let line = format!("* {}\n", prose(note, Within::Paragraph));
        if text.len() + line.len() + RESERVE < room {
            text.push_str(&line);
        }
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

fn steps(report: &CheckReport) -> String {
    let rows: Vec<_> = report.steps.iter().map(step).collect();
    let title = format!("Steps · {}", took(report.took));
    folded(&title, "| Step | Took | Status | Result |", rows, usize::MAX)
}

fn step(step: &Step) -> String {
    let mark = if is_failed(step) { "**" } else { "" };
    let status = status(step);
    let (title, result) = (step.name.title(), prose(&result(step), Within::Cell));
    format!("| {title} | {} | {mark}{status}{mark} | {result} |\n", took(step.took))
}
