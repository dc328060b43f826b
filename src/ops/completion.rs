//! What Terraform and a history offer to somebody who is typing a command line.
//!
//! Nothing here fails: whatever cannot be had, now or at all, is not offered. A Tab must not wait long, and
//! must not be answered with an error.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use crate::config::Config;
use crate::env;
use crate::model::operation::Operation;
use crate::proxy::depth::Depth;
use crate::proxy::real::RealBinary;
use crate::terraform::{Limits, Terraform};

use super::{Choice, Context, Subject, history, root_module};

/// How long Terraform may think about its answer. Names of workspaces may come over the network.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much Terraform may answer, in bytes.
const MOST: u64 = 1 << 20;

/// How many operations are offered while nothing of their names is typed.
const OFFERED: usize = 20;

/// Where a command line is typed.
pub(crate) struct Place<'a> {
    /// The name that the program is called by.
    pub(crate) called_as: &'a OsStr,
    /// The directory that `-chdir=` names.
    pub(crate) chdir: Option<OsString>,
}

/// What the flags of the line say about which history is meant.
#[derive(Default)]
pub(crate) struct Named {
    /// `--store`.
    pub(crate) store: Option<OsString>,
    /// `--workspace`.
    pub(crate) workspace: Option<OsString>,
    /// `--state`.
    pub(crate) state: Option<OsString>,
}

/// Asks Terraform what fits at the end of a line, as a shell does (terraform-facts.md 2).
pub(crate) fn terraform_words(place: &Place<'_>, line: &OsStr) -> Vec<String> {
    let depth = Depth::from_environment();
    let Ok(real) = RealBinary::find(place.called_as, &depth) else { return Vec::new() };
    let chdir = place.chdir.as_deref();
    let terraform = Terraform::new(real, depth, root_module(chdir), chdir);
    let limits = Limits { time: PATIENCE, bytes: MOST, give_up: &|| false };
    let answer = terraform.ask_for(&[], &[(env::COMP_LINE, line)], None, limits);
    let text = String::from_utf8_lossy(&answer.unwrap_or_default()).into_owned();
    let words: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

/// The names of states that a history can tell, each with what it means; `typed` is what is there of one.
pub(crate) fn references(place: &Place<'_>, named: Named, typed: &str) -> Vec<(String, String)> {
    let operations = operations(place, named).unwrap_or_default();
    if typed.starts_with("serial:") {
        return unique(operations.iter().filter_map(|operation| {
            let serial = operation.after.as_ref()?.serial?;
            Some((format!("serial:{serial}"), meaning(operation)))
        }));
    }
    if typed.starts_with("before:") {
        return unique(operations.iter().filter_map(|operation| {
            let verb = operation.verb.as_ref()?;
            Some((format!("before:{verb}"), meaning(operation)))
        }));
    }
    let fixed =
        [("@", "the newest good state"), ("@-", "the good one before it"), ("now", "as it is")];
    let fixed = fixed.map(|(name, meaning)| (name.to_owned(), meaning.to_owned()));
    let ids = operations.iter().map(|op| (op.id.short().to_owned(), meaning(op)));
    let ids = ids.filter(|(id, _)| id.starts_with(typed)).take(OFFERED);
    fixed.into_iter().chain(ids).collect()
}

/// The operations on the state that is meant, newest first.
fn operations(place: &Place<'_>, named: Named) -> Option<Vec<Operation>> {
    let (mut config, _) = Config::load_for_looking(&root_module(place.chdir.as_deref())).ok()?;
    if let Some(store) = named.store {
        config.store = std::env::current_dir().ok()?.join(store);
    }
    let choice = Choice {
        workspace: named.workspace.and_then(|name| name.into_string().ok()),
        state: named.state.map(PathBuf::from),
    };
    let subject = Subject::find(place.chdir.as_deref(), &choice).ok()?;
    Some(history::list(&Context::new(config), &subject, None).ok()?.operations)
}

/// The first of each name.
fn unique(names: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    names.filter(|(name, _)| seen.insert(name.clone())).take(OFFERED).collect()
}

fn meaning(operation: &Operation) -> String {
    let verb = operation.verb.as_deref().unwrap_or("outside tf");
    let serial = operation.after.as_ref().and_then(|after| after.serial);
    let serial = serial.map(|serial| format!(", serial {serial}")).unwrap_or_default();
    format!("{verb}{serial}")
}
