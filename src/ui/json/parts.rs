//! The parts that several documents share.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::super::time::rfc3339;
use crate::guard::refusal::{Refusal, sentence};
use crate::model::change::StateDiff;
use crate::model::content::ResourceEntry;
use crate::model::operation::{Changes, Image, Operation};
use crate::model::redact::OddText;
use crate::ops::report::{RealReport, RouteReport, Side, StateName};

/// `state`: key, kind, `path` of a local one or `backend` of a remote one, workspace, lineage.
pub(super) fn state(name: &StateName) -> Value {
    let identity = &name.identity;
    let mut object = json!({ "key": identity.key(), "kind": identity.kind });
    match identity.path() {
        Some(path) => object["path"] = plain(path),
        None => object["backend"] = plain(&identity.attributes),
    }
    object["workspace"] = identity.workspace.as_str().into();
    object["lineage"] = name.lineage.as_ref().map(crate::model::state::Lineage::as_str).into();
    object
}

/// One operation, with every key of the interface.
pub(super) fn operation(operation: &Operation) -> Value {
    let guards = operation
        .guards
        .iter()
        .map(|note| json!({ "guard": note.guard, "action": note.action, "text": note.text }));
    json!({
        "id": operation.id.as_str(),
        "seq": operation.seq,
        "kind": operation.kind,
        "verb": operation.verb,
        "argv": operation.argv.as_ref().map(|argv| plain(&argv.words())),
        "started": rfc3339(operation.started),
        "finished": operation.finished.map(rfc3339),
        "user": operation.user.as_ref().map(plain),
        "host": operation.host.as_ref().map(plain),
        "cwd": operation.cwd.as_ref().map(plain),
        "terraform": operation.terraform,
        "exit": operation.exit,
        "signal": operation.signal,
        "outcome": operation.outcome,
        "before": operation.before.as_ref().map(image),
        "after": operation.after.as_ref().map(image),
        "changes": changes(operation.changes),
        "guards": guards.collect::<Vec<_>>(),
        "pinned": operation.pinned,
        "note": operation.note,
    })
}

/// `before`, `after` and other states.
pub(super) fn image(image: &Image) -> Value {
    json!({
        "status": image.status,
        "lineage": image.lineage,
        "serial": image.serial,
        "sha256": image.digest.map(|digest| digest.to_string()),
        "bytes": image.digest.map(|_| image.bytes),
        "resources": image.resources,
    })
}

/// Counts, or null where they are not known.
pub(super) fn changes(changes: Option<Changes>) -> Value {
    plain(&changes)
}

/// What differs, by address and attribute.
pub(super) fn state_diff(diff: &StateDiff) -> Value {
    plain(diff)
}

/// One resource with its id.
pub(super) fn entry(entry: &ResourceEntry) -> Value {
    plain(entry)
}

/// One side of a comparison.
pub(super) fn side(side: &Side) -> Value {
    json!({ "name": side.name, "state": image(&side.image) })
}

/// A guard's finding and its ways out.
pub(super) fn finding(finding: &Refusal) -> Value {
    let ways: Vec<&str> = finding.ways.iter().map(|way| way.command.as_str()).collect();
    json!({
        "guard": finding.guard.word(),
        "text": sentence(finding.expected.as_ref(), &finding.found),
        "way_out": ways.first(),
        "ways_out": ways,
    })
}

/// The real binary, or why there is none.
pub(super) fn real(real: &Result<RealReport, String>) -> Value {
    match real {
        Ok(real) => json!({
            "path": path(&real.path),
            "found_by": real.found_by,
            "trouble": null,
        }),
        Err(why) => json!({ "path": null, "found_by": null, "trouble": why }),
    }
}

/// How a command line would be treated.
pub(super) fn route(route: &RouteReport) -> Value {
    json!({
        "command": route.command,
        "route": route.route,
        "why": route.why,
        "states": route.states.iter().map(state).collect::<Vec<_>>(),
    })
}

/// A path: a string, or `{"b64":"…"}` where it is not UTF-8.
pub(super) fn path(path: &Path) -> Value {
    match str::from_utf8(path.as_os_str().as_bytes()) {
        Ok(text) => text.into(),
        Err(_) => plain(&OddText::from(path.as_os_str())),
    }
}

/// What our own types say of themselves; none of them can fail to.
fn plain<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
