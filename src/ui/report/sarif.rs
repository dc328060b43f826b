//! SARIF 2.1.0, the OASIS standard that code scanning reads.
//!
//! One run, one rule for each class, one result for each finding. What a rule of the project accepts is a
//! result with a suppression: SARIF's own way to say "known, and not hidden". Paths are relative to the top
//! of the repository (`%SRCROOT%`, which GitHub resolves to it); the absolute one would tell somebody's
//! home, so `originalUriBaseIds` and `workingDirectory` are left out.

use std::fmt::Write as _;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::json::check::weight;
use super::super::time::rfc3339;
use super::outline::{exit_status, meaning};
use super::place::{directory, fingerprinted, place_or_root};
use super::plain::{accepted, lines};
use super::stop::stop;
use crate::check::finding::{Class, Finding, Site, Weight};
use crate::check::report::{CheckReport, End, Verdict};
use crate::model::text::escape;

/// Where the schema of the standard lies.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The whole log.
pub(super) fn sarif(report: &CheckReport) -> Value {
    let results = fingerprinted(report);
    let results = results.iter().map(|(finding, print)| result(report, finding, print));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tf-shim",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Class::ALL.map(rule),
            } },
            // GitHub takes what stands before the last slash as the category, so that two directories
            // of one repository do not close each other's alerts.
            "automationDetails": {
                "id": format!("tf-shim-check/{}/{}/", directory(report), report.workspace),
            },
            "invocations": [invocation(report)],
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn rule(class: Class) -> Value {
    let is_no_resource =
        matches!(class, Class::Output | Class::MissingOutput | Class::Check | Class::Expired);
    let subject = if is_no_resource { "What" } else { "A resource that" };
    let sentence = format!("{subject} {}.", class.meaning());
    json!({
        "id": class.word(),
        "name": class.word(),
        "shortDescription": { "text": sentence },
        "fullDescription": { "text": format!("{sentence} {}", about(class)) },
        "help": { "text": about(class), "markdown": about(class) },
        "defaultConfiguration": { "level": "error" },
        "properties": { "tags": ["terraform", "idempotency"] },
    })
}

/// What a class is a sign of, and what helps, whatever the resource.
const fn about(class: Class) -> &'static str {
    match class {
        Class::Replace => {
            "Something that forces a replacement has another value at every plan. Keep the value \
             stable, or take the attribute that makes it new out of the comparison with ignore_changes."
        }
        Class::Update => {
            "The configuration does not agree with what an apply has just written. Usually a function \
             of time or chance, or a value that the provider does not keep."
        }
        Class::Create => {
            "The apply did not create it, or it is gone again. Usually a resource that the provider \
             does not find when it looks for it."
        }
        Class::Delete => "The apply did not delete it. Usually something else creates it again.",
        Class::Normalised => {
            "The provider writes the value in its own way and gives it back so. Write it as the \
             provider does."
        }
        Class::Oscillating => {
            "Two things undo each other: two resources, or a resource and a service."
        }
        Class::SecondApply => {
            "One apply does not suffice: something is read before it is written. Usually a missing \
             depends_on."
        }
        Class::Moved => "A moved block is still to be carried out.",
        Class::Import => "An import block is still to be carried out.",
        Class::Forget => "A removed block is still to be carried out.",
        Class::Pending => "Nobody has applied this configuration since it was changed.",
        Class::Drift => "Somebody or something changes it beside Terraform.",
        Class::Output => "The value of an output is another one at every plan.",
        Class::Check => "A condition of a check block does not hold.",
        Class::MissingOutput => "The project says that this output exists and has a value.",
        Class::Expired => "Look at the difference again: mend it, or give the rule another date.",
    }
}

fn result(report: &CheckReport, finding: &Finding, fingerprint: &str) -> Value {
    let index = Class::ALL.iter().position(|class| *class == finding.class);
    let suppressions = finding.accepted.iter().map(|acceptance| {
        json!({
            "kind": "external",
            "status": "accepted",
            "justification": accepted(acceptance),
        })
    });
    json!({
        "ruleId": finding.class.word(),
        "ruleIndex": index,
        "level": level(finding),
        "message": { "text": lines(report, finding).join("\n") },
        "locations": [location(report, finding.site.as_ref(), &finding.address)],
        "partialFingerprints": { "tfShimFinding/v1": fingerprint },
        "suppressions": suppressions.collect::<Vec<_>>(),
        "properties": {
            "address": finding.address,
            "paths": finding.paths,
            "actions": finding.actions.iter().map(|action| action.word()).collect::<Vec<_>>(),
            "causeKind": finding.cause.kind.word(),
            "weight": weight(finding.weight),
        },
    })
}

fn level(finding: &Finding) -> &'static str {
    match (finding.accepted.is_some(), finding.weight) {
        // GitHub does not look at suppressions: at least it shall not be an error there.
        (true, _) | (false, Weight::Told) => "note",
        (false, Weight::NoVerdict) => "warning",
        (false, Weight::Fails) => "error",
    }
}

fn location(report: &CheckReport, site: Option<&Site>, name: &str) -> Value {
    let place = place_or_root(report, site);
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.file), "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": place.line, "endLine": place.end_line },
        },
    });
    if !name.is_empty() {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": name, "kind": "resource" }]);
    }
    location
}

/// A relative path as a URI: everything but what RFC 3986 reserves nothing for, percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// How the check itself went: a log without results is no clean bill where this says it failed.
fn invocation(report: &CheckReport) -> Value {
    let took = TimeDelta::from_std(report.took).unwrap_or(TimeDelta::zero());
    let finished = report.began.checked_add_signed(took).unwrap_or(report.began);
    let notifications: Vec<_> = stop(report)
        .iter()
        .map(|stop| {
            let parts =
                [Some(&stop.what), stop.message.as_ref(), Some(&stop.safe), Some(&stop.next)];
            let parts: Vec<_> = parts.into_iter().flatten().map(|p| escape(p.as_bytes())).collect();
            json!({ "level": "error", "message": { "text": parts.join("\n") } })
        })
        .collect();
    let mut invocation = json!({
        "executionSuccessful": report.verdict != Verdict::Error,
        "startTimeUtc": rfc3339(report.began),
        "endTimeUtc": rfc3339(finished),
        "exitCodeDescription": meaning(report),
        "toolExecutionNotifications": notifications,
    });
    if let Some(status) = exit_status(report) {
        invocation["exitCode"] = status.into();
    }
    if let End::Interrupted { signal, .. } = report.end {
        invocation["exitSignalNumber"] = signal.into();
    }
    invocation
}
