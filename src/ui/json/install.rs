//! `install --json`, `uninstall --json`, `completion --json`.

use serde_json::{Value, json};

use super::{FORMAT_VERSION, path};
use crate::ops::install::uninstall::UninstallPlan;
use crate::ops::install::{Edit, EditAction, InstallPlan, LinkAction, OnPath};
use crate::ops::report::ScriptReport;

/// `install --json`; `done` is null where nothing was to change, or a change was only shown.
pub(in crate::ui) fn installed(plan: &InstallPlan) -> Value {
    let links = plan.links.iter().map(|link| {
        let action = match link.action {
            LinkAction::Make => "make",
            LinkAction::Keep => "keep",
            LinkAction::Replace => "replace",
            LinkAction::Skip => "skip",
        };
        json!({
            "name": link.name,
            "path": path(&link.path),
            "action": action,
            "real": link.real.as_deref().map(path),
        })
    });
    let (position, after) = match &plan.on_path {
        OnPath::First => ("first", None),
        OnPath::Absent => ("absent", None),
        OnPath::After(real) => ("after", Some(path(real))),
    };
    let (file, by_hand) = &plan.by_hand;
    json!({
        "format_version": FORMAT_VERSION,
        "done": (plan.is_done && !plan.is_nothing()).then_some("installed"),
        "program": path(&plan.program.path),
        "directory": path(&plan.directory),
        "links": links.collect::<Vec<_>>(),
        "on_path": { "position": position, "after": after },
        "shell": plan.shell.map(crate::model::shell::Shell::word),
        "start_file": file.as_deref().map(path),
        "lines": by_hand,
        "edits": plan.edits.iter().map(edit).collect::<Vec<_>>(),
        "warnings": plan.warnings,
    })
}

/// `uninstall --json`; `done` as in [`installed`].
pub(in crate::ui) fn uninstalled(plan: &UninstallPlan) -> Value {
    let paths = |paths: &[std::path::PathBuf]| paths.iter().map(|p| path(p)).collect::<Vec<_>>();
    let store = plan.store.as_ref();
    json!({
        "format_version": FORMAT_VERSION,
        "done": (plan.is_done && !plan.is_nothing()).then_some("uninstalled"),
        "program": path(&plan.program.path),
        "links": paths(&plan.links),
        "edits": plan.edits.iter().map(edit).collect::<Vec<_>>(),
        "directories": paths(&plan.directories),
        "passed": plan.passed.iter().map(|passed| {
            json!({ "path": path(&passed.path), "why": passed.why })
        }).collect::<Vec<_>>(),
        "by_hand": plan.by_hand.iter().map(|(file, line)| {
            json!({ "path": path(file), "line": line })
        }).collect::<Vec<_>>(),
        "store": store.map(|store| json!({ "path": path(&store.path), "bytes": store.bytes })),
    })
}

/// `completion --json`.
pub(in crate::ui) fn script(report: &ScriptReport) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "shell": report.shell.word(),
        "script": String::from_utf8_lossy(&report.script),
    })
}

fn edit(edit: &Edit) -> Value {
    let action = match edit.action {
        EditAction::Create => "create",
        EditAction::Put => "put",
        EditAction::Keep => "keep",
        EditAction::TakeOut => "take-out",
        EditAction::Remove => "remove",
    };
    json!({ "path": path(&edit.path), "action": action })
}
