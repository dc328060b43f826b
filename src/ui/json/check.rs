//! `check --json`, and the JSON report: what `docs/check-report.schema.json` describes.
//!
//! The keys of interface.md 4 come first in each object; the others are added. Addresses and paths, never a
//! value. Easy to get wrong: a word of one of the enums that the schema does not know; a test compares them.

use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use serde_json::{Value, json};

use super::super::time::rfc3339;
use super::FORMAT_VERSION;
use super::parts::path;
use crate::check::finding::{Finding, Site, Weight};
use crate::check::report::{CheckReport, End, Step, StepName, UnusedRule};

/// The whole report.
pub(in crate::ui) fn check(report: &CheckReport) -> Value {
    let took = TimeDelta::from_std(report.took).unwrap_or(TimeDelta::zero());
    let finished = report.began.checked_add_signed(took).unwrap_or(report.began);
    let rules = report.unused_rules.iter().map(|rule| unused(report, rule));
    json!({
        "format_version": FORMAT_VERSION,
        "verdict": report.verdict.word(),
        "steps": report.steps.iter().map(step).collect::<Vec<_>>(),
        "findings": report.findings.iter().map(|f| finding(report, f)).collect::<Vec<_>>(),
        "unused_rules": rules.collect::<Vec<_>>(),
        "end": end(&report.end),
        "plan_only": report.is_plan_only,
        "directory": path(&report.directory),
        "workspace": report.workspace,
        "program": report.program,
        "terraform": report.program_version,
        "started": rfc3339(report.began),
        "finished": rfc3339(finished),
        "seconds": seconds(report.took),
        "notes": report.notes,
        "resources": report.resources.len(),
        "plan": {
            "create": report.counts.create,
            "update": report.counts.update,
            "delete": report.counts.delete,
        },
        "operation": report.operation,
    })
}

fn step(step: &Step) -> Value {
    json!({
        "name": step.name.word(),
        "argv": step.argv,
        "exit": step.exit,
        "seconds": seconds(step.took),
        "signal": step.signal,
        "started": rfc3339(step.began),
        "result": step.result,
        "log": step.log,
    })
}

fn finding(report: &CheckReport, finding: &Finding) -> Value {
    let accepted = finding.accepted.as_ref().map(
        |acceptance| json!({ "reason": acceptance.reason, "expires": acceptance.expires.map(day) }),
    );
    json!({
        "class": finding.class.word(),
        "address": finding.address,
        "paths": finding.paths,
        "actions": finding.actions.iter().map(|action| action.word()).collect::<Vec<_>>(),
        "cause": finding.cause.text,
        "hint": finding.cause.hint,
        "accepted": accepted,
        "file": file(report, finding.site.as_ref()),
        "line": finding.site.as_ref().map(|site| site.line),
        "end_line": finding.site.as_ref().map(|site| site.end_line),
        "cause_kind": finding.cause.kind.word(),
        "weight": weight(finding.weight),
    })
}

fn unused(report: &CheckReport, rule: &UnusedRule) -> Value {
    json!({
        "address": rule.address,
        "path": rule.path,
        "reason": rule.reason,
        "expires": rule.expires.map(day),
        "file": file(report, rule.site.as_ref()),
        "line": rule.site.as_ref().map(|site| site.line),
    })
}

/// How much a finding counts where it is not accepted.
pub(in crate::ui) const fn weight(weight: Weight) -> &'static str {
    match weight {
        Weight::Fails => "fails",
        Weight::NoVerdict => "no-verdict",
        Weight::Told => "told",
    }
}

fn end(end: &End) -> Value {
    let (signal, message) = match end {
        End::Complete | End::CleanAtOnce | End::TimedOut { .. } => (None, None),
        End::Failed { message, .. } | End::NotStarted { message, .. } => (None, Some(message)),
        End::Interrupted { signal, .. } => (Some(signal), None),
    };
    json!({
        "how": end.how(),
        "step": end.step().map(StepName::word),
        "signal": signal,
        "message": message,
    })
}

fn file(report: &CheckReport, site: Option<&Site>) -> Value {
    site.map_or(Value::Null, |site| path(site.file_below(&report.base)))
}

fn day(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// Seconds with milliseconds.
fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}
