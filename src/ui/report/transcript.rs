//! `transcript.md` of the evidence directory: what was done, when, where, and what came of it.
//!
//! It is made to be pasted into a change ticket and read a year later by somebody who was not there. So it
//! holds everything, in the order in which it happened, with exact times in UTC and nothing folded away.

use std::fmt::Write as _;

use chrono::NaiveDate;

use super::markup::{Within, code, prose};
use super::outline::{address, groups, headline, is_failed, meaning, result, short, status, until};
use super::place::spot;
use super::plain::{began, command, took};
use super::stop::stop;
use crate::check::finding::{Finding, Site};
use crate::check::report::CheckReport;

/// The whole document.
pub(crate) fn transcript(report: &CheckReport) -> String {
    let headline = headline(report);
    let mut text = format!("# Idempotency check: {}\n\n", headline.verdict);
    let counts = if headline.counts.is_empty() {
        String::new()
    } else {
        format!("**{}.** ", headline.counts)
    };
    let _ = write!(text, "{counts}{}\n\n{}", meaning(report), facts(report));
    text.push_str(&stopped(report));
    text.push_str(&steps(report));
    text.push_str(&findings(report));
    text.push_str(&accepted(report));
    text.push_str(&unused(report));
    if !report.notes.is_empty() {
        text.push_str("\n## Notes\n\n");
    }
    for note in &report.notes {
        let _ = writeln!(text, "* {}", prose(note, Within::Paragraph));
    }
    text
}

fn facts(report: &CheckReport) -> String {
    let version = report.program_version.as_deref().unwrap_or("of unknown version");
    let directory = report.directory.to_string_lossy();
    let resources = report.resources.len().to_string();
    let rows = [
        ("Directory", Some(code(&directory, Within::Cell))),
        ("Workspace", Some(code(&report.workspace, Within::Cell))),
        ("Program", Some(prose(&format!("{} {version}", report.program), Within::Cell))),
        ("Began", Some(began(report))),
        ("Took", Some(took(report.took))),
        ("Resources", Some(resources)),
        ("Operation", short(report).map(|id| code(id, Within::Cell))),
    ];
    let mut text = String::from("| What | |\n| --- | --- |\n");
    for (label, value) in rows {
        if let Some(value) = value {
            let _ = writeln!(text, "| {label} | {value} |");
        }
    }
    text
}

fn stopped(report: &CheckReport) -> String {
    let Some(stop) = stop(report) else { return String::new() };
    let mut text = String::from("\n## Where it ended\n\n");
    let _ = writeln!(text, "* What: {}", prose(&stop.what, Within::Paragraph));
    for line in stop.message.iter().flat_map(|message| message.lines()) {
        let _ = writeln!(text, "* Cause: {}", prose(line, Within::Paragraph));
    }
    let _ = writeln!(text, "* Safe: {}", prose(&stop.safe, Within::Paragraph));
    let _ = writeln!(text, "* Next: {}", prose(&stop.next, Within::Paragraph));
    text
}

fn steps(report: &CheckReport) -> String {
    if report.steps.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n## Steps\n\n| Step | Command | Status | Took | Result | Began | Log |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for step in &report.steps {
        let mark = if is_failed(step) { "**" } else { "" };
        let _ = writeln!(
            text,
            "| {} | {} | {mark}{}{mark} | {} | {} | {} | {} |",
            step.name.title(),
            code(&command(report, step), Within::Cell),
            status(step),
            took(step.took),
            prose(&result(step), Within::Cell),
            step.began.format("%H:%M:%S"),
            step.log.as_deref().map(log).unwrap_or_default(),
        );
    }
    text.push_str("\nThe values of variables are left out of the commands.\n");
    text
}

/// A link to a log that lies beside the transcript.
fn log(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.chars().all(is_plain) {
        return format!("[{name}]({name})");
    }
    code(name, Within::Cell)
}

fn findings(report: &CheckReport) -> String {
    let groups = groups(report);
    if groups.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n## Findings\n");
    for (class, _, findings) in groups {
        let _ = write!(text, "\n### {} · {}\n\n", class.word(), class.meaning());
        for finding in findings {
            let _ = writeln!(text, "* {}", code(address(finding), Within::Paragraph));
            text.push_str(&details(report, finding));
        }
    }
    text
}

fn details(report: &CheckReport, finding: &Finding) -> String {
    let mut text = String::new();
    let mut add = |label: &str, value: &str| {
        let _ = writeln!(text, "  * {label}{value}");
    };
    if let Some(spot) = at(report, finding.site.as_ref()) {
        add("At ", &spot);
    }
    if !finding.paths.is_empty() {
        add("Differs in ", &paths(finding));
    }
    if !finding.cause.text.is_empty() {
        add("Cause: ", &prose(&finding.cause.text, Within::Paragraph));
    }
    if !finding.cause.hint.is_empty() {
        add("Hint: ", &prose(&finding.cause.hint, Within::Paragraph));
    }
    text
}

fn at(report: &CheckReport, site: Option<&Site>) -> Option<String> {
    site.map(|site| code(&spot(report, site), Within::Paragraph))
}

fn paths(finding: &Finding) -> String {
    let paths = finding.paths.iter().map(|path| code(path, Within::Paragraph));
    paths.collect::<Vec<_>>().join(", ")
}

fn accepted(report: &CheckReport) -> String {
    let mut text = String::new();
    for finding in report.accepted() {
        let Some(acceptance) = &finding.accepted else { continue };
        let paths =
            if finding.paths.is_empty() { String::new() } else { format!(": {}", paths(finding)) };
        let until = until_of(acceptance.expires);
        let _ = writeln!(
            text,
            "* {} ({}{paths})\n  * Because: {}{until}",
            code(address(finding), Within::Paragraph),
            finding.class.word(),
            prose(&acceptance.reason, Within::Paragraph),
        );
    }
    if text.is_empty() { text } else { format!("\n## Accepted differences\n\n{text}") }
}

fn unused(report: &CheckReport) -> String {
    let mut text = String::new();
    for rule in &report.unused_rules {
        let path = rule.path.as_deref().map(|path| format!(", {}", code(path, Within::Paragraph)));
        let at = at(report, rule.site.as_ref()).map(|spot| format!(", at {spot}"));
        let (path, at) = (path.unwrap_or_default(), at.unwrap_or_default());
        let (expires, reason) = (rule.expires, &rule.reason);
        let rule = code(&rule.address, Within::Paragraph);
        let (reason, until) = (prose(reason, Within::Paragraph), until_of(expires));
        let _ = writeln!(text, "* {rule}{path}{at}\n  * Because: {reason}{until}");
    }
    if text.is_empty() { text } else { format!("\n## Rules that matched nothing\n\n{text}") }
}

/// `, until 31 Mar 2027` of a rule with a date.
fn until_of(expires: Option<NaiveDate>) -> String {
    until(expires).map(|until| format!(", {until}")).unwrap_or_default()
}
