//! `doctor --json`: what `docs/doctor.schema.json` describes.

use serde_json::{Value, json};

use super::FORMAT_VERSION;
use super::parts::{image, path, real, state};
use crate::ops::doctor::{Cure, DoctorReport, Finding, OnPath, StoreFacts, Weight};

/// The whole document.
pub(in super::super) fn document(report: &DoctorReport) -> Value {
    let skipped =
        report.not_looked_at.iter().map(|(what, why)| json!({ "what": what, "why": why }));
    let problems = report.problems();
    json!({
        "format_version": FORMAT_VERSION,
        "healthy": problems == 0,
        "problems": problems,
        "notes": report.findings.len().saturating_sub(problems),
        "state": report.state.as_ref().map(state),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "not_looked_at": skipped.collect::<Vec<_>>(),
        "facts": facts(report),
    })
}

fn finding(finding: &Finding) -> Value {
    let (fix, advice) = match &finding.cure {
        Cure::Command(command) => (Some(command), None),
        Cure::Advice(advice) => (None, Some(advice)),
    };
    let weight: Weight = finding.ailment.weight();
    json!({
        "id": finding.ailment.word(),
        "weight": weight.word(),
        "what": finding.what,
        "why": finding.ailment.why(),
        "fix": fix,
        "advice": advice,
    })
}

fn facts(report: &DoctorReport) -> Value {
    let backend = report.backend.as_ref().map(|backend| {
        json!({
            "kind": backend.kind,
            "may_need_init": backend.may_need_init,
            "locks": backend.locks,
            "versioning": backend.versioning,
        })
    });
    let version = report.version.as_ref();
    json!({
        "tf": env!("CARGO_PKG_VERSION"),
        "real": real(&report.real),
        "product": version.map(|version| &version.product),
        "version": version.map(|version| &version.number),
        "path": report.path.iter().map(on_path).collect::<Vec<_>>(),
        "now": report.now.as_ref().map(image),
        "locked_by": report.locked_by,
        "backend": backend,
        "repository": report.git.as_ref().map(|git| path(&git.top)),
        "store": report.store.as_ref().map(store),
    })
}

fn on_path(entry: &OnPath) -> Value {
    json!({
        "name": entry.name,
        "path": path(&entry.path),
        "kind": entry.kind.word(),
        "wins": entry.wins,
    })
}

fn store(store: &StoreFacts) -> Value {
    json!({
        "path": path(&store.path),
        "exists": store.exists,
        "states": store.states,
        "operations": store.operations,
        "bytes": store.bytes,
        "free_bytes": store.free,
        "file_system": store.file_system,
        "torn_lines": store.torn_lines,
        // Nothing that verifies a store as a whole has been run on one yet.
        "last_verified": null,
    })
}
