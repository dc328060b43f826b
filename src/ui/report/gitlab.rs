//! GitLab's two reports: `artifacts:reports:codequality` and `artifacts:reports:terraform`.
//!
//! Code quality is the list that a merge request compares with that of its target branch: the fingerprint
//! decides what is new. So it must not move with a line, and a check that broke off must not look like a
//! list without faults: it is an entry itself.

use serde_json::{Value, json};

use super::outline::{exit_status, headline};
use super::place::{Place, fingerprint, fingerprinted, place_or_root};
use super::plain::lines;
use super::stop::stop;
use crate::check::finding::{Class, Finding, Weight};
use crate::check::report::CheckReport;
use crate::model::text::escape;

/// The findings, each with the five keys that GitLab reads (its documentation, "Code Quality report
/// format", 17).
pub(super) fn codequality(report: &CheckReport) -> Value {
    let broken = stop(report).map(|stop| {
        let what = escape(format!("{}: {}", headline(report).verdict, stop.what).as_bytes());
        let place = place_or_root(report, None);
        let fingerprint = fingerprint(report, &["stopped"]);
        entry(&what, "tf-shim-check/stopped", &fingerprint, severity_of_stop(report), &place)
    });
    let findings = fingerprinted(report).into_iter().map(|(finding, fingerprint)| {
        let check = format!("tf-shim-check/{}", finding.class.word());
        let place = place_or_root(report, finding.site.as_ref());
        entry(&lines(report, finding).join(". "), &check, &fingerprint, severity(finding), &place)
    });
    broken.into_iter().chain(findings).collect()
}

fn entry(
    description: &str,
    check: &str,
    fingerprint: &str,
    severity: &str,
    place: &Place,
) -> Value {
    json!({
        "description": description,
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": { "path": place.file, "lines": { "begin": place.line } },
    })
}

/// Somebody stopped it, or it stopped by itself.
fn severity_of_stop(report: &CheckReport) -> &'static str {
    if exit_status(report).is_none() { "major" } else { "blocker" }
}

/// What takes something away weighs more than what writes it again.
fn severity(finding: &Finding) -> &'static str {
    if finding.accepted.is_some() {
        return "info";
    }
    match (finding.weight, finding.class) {
        (Weight::Told, _) => "info",
        (Weight::NoVerdict, _) => "minor",
        (Weight::Fails, Class::Replace | Class::Delete) => "critical",
        (Weight::Fails, _) => "major",
    }
}

/// What the last plan would do, for the widget of a merge request.
pub(super) fn terraform(report: &CheckReport) -> Value {
    let counts = report.counts;
    json!({ "create": counts.create, "update": counts.update, "delete": counts.delete })
}
