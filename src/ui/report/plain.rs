//! A finding in plain sentences, for the forms that know no structure: a test's failure, an annotation, an
//! entry of code quality.
//!
//! Foreign words are escaped here, so that each line stays one line; the escaping of the form comes after.

use std::time::Duration;

use chrono::TimeDelta;

use super::super::time;
use super::outline::address;
use super::place::spot;
use crate::check::finding::{Acceptance, Finding};
use crate::check::report::{CheckReport, Step};
use crate::model::text::escape;

/// Paths that are named in a sentence; the others are counted.
const NAMED: usize = 20;

/// What is wrong, in one line: `aws_x.y is updated on every apply: tags, user_data`.
pub(super) fn sentence(finding: &Finding) -> String {
    let about = escape(address(finding).as_bytes());
    let meaning = finding.class.meaning();
    match paths(finding) {
        Some(paths) => format!("{about} {meaning}: {paths}"),
        None => format!("{about} {meaning}"),
    }
}

/// The paths in one line, at most twenty of them.
pub(super) fn paths(finding: &Finding) -> Option<String> {
    let named: Vec<_> = finding.paths.iter().take(NAMED).map(|p| escape(p.as_bytes())).collect();
    let more = finding.paths.len().saturating_sub(named.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    (!named.is_empty()).then(|| format!("{}{more}", named.join(", ")))
}

/// Everything about a finding, a line each: what, why, what to do, where, and why it is accepted.
pub(super) fn lines(report: &CheckReport, finding: &Finding) -> Vec<String> {
    let mut lines = vec![sentence(finding)];
    let mut add = |label: &str, text: &str| {
        if !text.is_empty() {
            lines.push(format!("{label}{}", escape(text.as_bytes())));
        }
    };
    add("cause: ", &finding.cause.text);
    add("hint: ", &finding.cause.hint);
    if let Some(site) = &finding.site {
        add("at ", &spot(report, site));
    }
    if let Some(acceptance) = &finding.accepted {
        add("", &accepted(acceptance));
    }
    lines
}

/// `accepted: scaled by the autoscaler (until 31 Mar 2027)`.
pub(super) fn accepted(acceptance: &Acceptance) -> String {
    let until = super::outline::until(acceptance.expires);
    let until = until.map(|until| format!(" ({until})")).unwrap_or_default();
    format!("accepted: {}{until}", acceptance.reason)
}

/// A command line as one would type it.
pub(super) fn command(report: &CheckReport, step: &Step) -> String {
    let names_program = step.argv.first().is_some_and(|word| word.ends_with(&report.program));
    let program = if names_program { None } else { Some(&report.program) };
    let words: Vec<_> = program.into_iter().chain(&step.argv).map(|word| quoted(word)).collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_=./:,+@%‹›…".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// How long something took.
pub(super) fn took(took: Duration) -> String {
    time::duration(TimeDelta::from_std(took).unwrap_or(TimeDelta::MAX))
}

/// When it began: `20 Nov 2026 07:57:40 UTC`. A report travels, so its time is in no local zone.
pub(super) fn began(report: &CheckReport) -> String {
    report.began.format("%-d %b %Y %H:%M:%S UTC").to_string()
}
