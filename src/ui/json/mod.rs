//! What `--json` prints: one document a call, for scripts to rely on.
//!
//! The keys are the contract of interface.md 2: they are only ever added, never renamed, and a key
//! whose value is unknown is there with null. Times are UTC with milliseconds. Unlike the text, these
//! documents carry foreign strings as they are; JSON escapes what needs it.

pub(super) mod check;
pub(super) mod doctor;
pub(super) mod install;
mod parts;
pub(super) mod refusal;

use std::fmt::Write as _;

use serde_json::{Value, json};

use self::parts::{
    changes, entry, finding, image, operation, path, real, route, side, state, state_diff,
};
use crate::model::text::escape;
use crate::ops::report::{
    AcceptReport, AllReport, DiffReport, Entered, ListReport, NoteReport, PassportReport,
    RestorePlan, RestoreReport, ShowReport, StatusReport, VersionReport, WhichReport,
};

/// Version of every document here. The second number grows with each added key.
const FORMAT_VERSION: &str = "1.0";

/// A document as it is printed: in lines, with an end of line.
pub(super) fn written(document: &Value) -> String {
    safe(&format!("{document:#}\n"))
}

/// JSON in which what could harm a terminal and JSON lets through (bidirectional controls, C1) is written as
/// `\u202e`, which says the same.
fn safe(json: &str) -> String {
    let mut safe = String::new();
    for character in json.chars() {
        let mut bytes = [0; 4];
        let shown: &str = character.encode_utf8(&mut bytes);
        if character <= '~' || escape(shown.as_bytes()) == shown {
            safe.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(safe, "\\u{unit:04x}");
        }
    }
    safe
}

/// `list --json`.
pub(super) fn list(report: &ListReport) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "state": state(&report.state),
        "operations": report.operations.iter().map(operation).collect::<Vec<_>>(),
    })
}

/// `list --all --json`: the last operation of each state.
pub(super) fn all(report: &AllReport) -> Value {
    let histories = report.histories.iter().map(|history| {
        json!({
            "state": state(&history.state),
            "total": history.total,
            "operations": history.operations.iter().map(operation).collect::<Vec<_>>(),
        })
    });
    json!({
        "format_version": FORMAT_VERSION,
        "store": path(&report.store),
        "states": histories.collect::<Vec<_>>(),
    })
}

/// `show --json`.
pub(super) fn show(report: &ShowReport) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "state": state(&report.state),
        "operation": operation(&report.operation),
        "diff": report.diff.as_ref().map(state_diff),
        "no_diff": report.no_diff,
    })
}

/// `diff --json`.
pub(super) fn diff(report: &DiffReport) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "state": state(&report.state),
        "from": side(&report.from),
        "to": side(&report.to),
        "differ": !report.diff.is_empty(),
        "diff": state_diff(&report.diff),
    })
}

/// `tf shim --json`.
pub(super) fn status(report: &StatusReport) -> Value {
    let good = report
        .newest_good
        .as_ref()
        .map(|(id, left)| json!({ "id": id.as_str(), "state": image(left) }));
    json!({
        "format_version": FORMAT_VERSION,
        "state": report.state.as_ref().map(state),
        "now": report.now.as_ref().map(image),
        "trouble": report.trouble,
        "last": report.last.as_ref().map(operation),
        "newest_good": good,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "read_only": report.is_read_only,
        "real": real(&report.real),
        "store": {
            "path": path(&report.store),
            "operations": report.operations,
            "trouble": report.store_trouble,
        },
    })
}

/// `which --json`.
pub(super) fn which(report: &WhichReport) -> Value {
    let candidates =
        report.candidates.iter().map(|(found, why)| json!({ "path": path(found), "why": why }));
    json!({
        "format_version": FORMAT_VERSION,
        "state": report.route.as_ref().and_then(|route| route.states.first()).map(state),
        "real": real(&report.real),
        "candidates": candidates.collect::<Vec<_>>(),
        "route": report.route.as_ref().map(route),
    })
}

/// `accept --json`; `operation` is null where there was nothing to settle.
pub(super) fn accepted(report: &AcceptReport) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "state": state(&report.state),
        "operation": report.operation.as_ref().map(operation),
    })
}

/// `passport --json`.
pub(super) fn passport(report: &PassportReport) -> Value {
    let entered = match report.entered {
        Entered::Nothing => "right",
        Entered::Written => "written",
        Entered::Differs => "differs",
    };
    json!({
        "format_version": FORMAT_VERSION,
        "state": state(&report.state),
        "path": path(&report.path),
        "result": entered,
        "said": report.said,
        "is": report.is,
    })
}

/// `save --json`, `pin --json`, `unpin --json`.
pub(super) fn note(report: &NoteReport) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "state": state(&report.state),
        "done": report.done,
        "operation": operation(&report.operation),
    })
}

/// `restore --dry-run --json`, `undo --dry-run --json`.
pub(super) fn restore_plan(report: &RestorePlan) -> Value {
    let (id, source) = &report.source;
    let undo = report.undo.as_ref().map(|case| {
        json!({
            "operation": operation(&case.operation),
            "exact": case.is_exact,
            "orphans": case.orphans.iter().map(entry).collect::<Vec<_>>(),
            "ghosts": case.ghosts.iter().map(entry).collect::<Vec<_>>(),
        })
    });
    json!({
        "format_version": FORMAT_VERSION,
        "state": state(&report.state),
        "done": null,
        "current": image(&report.current),
        "source": { "id": id.as_str(), "state": image(source) },
        "serial": report.serial,
        "diff": report.diff.as_ref().map(state_diff),
        "undo": undo,
        "warnings": report.warnings,
    })
}

/// `restore --json`, `undo --json`.
pub(super) fn restored(report: &RestoreReport) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "state": state(&report.state),
        "done": if report.is_undo { "undone" } else { "restored" },
        "operation": operation(&report.operation),
        "before": image(&report.before),
        "after": image(&report.after),
        "changes": changes(report.operation.changes),
    })
}

/// `version --json`.
pub(super) fn version(report: &VersionReport) -> Value {
    json!({ "format_version": FORMAT_VERSION, "version": report.version })
}

#[cfg(test)]
mod tests;
