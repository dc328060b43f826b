//! Terraform's own backup of a local state: it tells what Terraform really started from.
//!
//! Written at the first write whose content differs from the state at the time of the lock, and holds that
//! state, serialised anew under the same lineage and serial (terraform-facts.md 4.2). Only the first bytes are
//! read: Terraform writes both before the resources.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::json::{TokenKind, Tokenizer};
use crate::model::json_text::{decode, name_is};
use crate::model::state::{Lineage, Serial};
use crate::proxy::{Guarded, Verb};
use crate::sys::file::open_for_looking;

use super::trace::Trace;

/// More than Terraform writes before it comes to lineage and serial.
const HEAD_BYTES: u64 = 16 << 10;

/// A run that takes longer leaves its backup under a name that is not looked for.
const MOST_SECONDS: u64 = 600;

/// Where a run will leave its backup.
pub(crate) enum Backup {
    /// In this file.
    At(Trace),
    /// Beside this state, under the second in which it is written; not before that one.
    Since(PathBuf, u64),
}

/// The state that Terraform found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// Its lineage.
    pub(crate) lineage: Option<Lineage>,
    /// Its serial.
    pub(crate) serial: Serial,
}

impl Backup {
    /// Where a command will leave it; none where it leaves none, or that of another state: with `-state-out`
    /// two states are involved.
    pub(crate) fn expected(guarded: &Guarded, state: &Path, root_module: &Path) -> Option<Self> {
        let parsed = guarded.line.parse();
        if parsed.value("state-out").is_some() || parsed.has_unknown_flags {
            return None;
        }
        let named = parsed.value("backup").filter(|value| !value.is_empty());
        match guarded.verb {
            Verb::Apply
            | Verb::Destroy
            | Verb::Refresh
            | Verb::Import
            | Verb::Taint
            | Verb::Untaint => match named {
                Some(none) if none == "-" => None,
                Some(path) => Some(Self::At(Trace::of(root_module.join(path)))),
                None => Some(Self::At(Trace::of(with_suffix(state, ".backup")))),
            },
            Verb::StateMv | Verb::StateRm => {
                named.is_none().then(|| Self::Since(state.to_owned(), now()))
            }
            Verb::StatePush
            | Verb::StateReplaceProvider
            | Verb::StateMigrate
            | Verb::WorkspaceNew
            | Verb::WorkspaceDelete
            | Verb::WorkspaceSelect
            | Verb::ForceUnlock
            | Verb::Init => None,
        }
    }

    /// What Terraform started from, where it wrote a backup; none where it did not, or that is not known. What
    /// is named by the second is the run's own only where that has ended well.
    pub(crate) fn start(&self, is_done: bool) -> Option<Start> {
        match self {
            Self::At(trace) => trace.has_changed().then(|| read_start(trace.path()))?,
            Self::Since(state, first) => {
                let last = now().min(first.saturating_add(MOST_SECONDS));
                let named = |second| with_suffix(state, &format!(".{second}.backup"));
                let seconds = (*first..=last).rev().filter(|_| is_done);
                seconds.map(named).find_map(|path| read_start(&path))
            }
        }
    }
}

/// The path with something behind its name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The second in which we are, as Terraform counts it.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Reads lineage and serial of a backup.
fn read_start(path: &Path) -> Option<Start> {
    let file = open_for_looking(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    start_in(&head)
}

/// Finds both in the first bytes of a state; none where something else comes first.
fn start_in(head: &[u8]) -> Option<Start> {
    let mut tokens = Tokenizer::new(head);
    tokens.next_token().ok()?.filter(|token| token.kind == TokenKind::ObjectStart)?;
    let (mut lineage, mut serial) = (None, None);
    while lineage.is_none() || serial.is_none() {
        let key = tokens.next_token().ok()?.filter(|token| token.kind == TokenKind::Key)?;
        let value = tokens.next_token().ok()??;
        match value.kind {
            TokenKind::String if name_is(key.text, "lineage") => {
                lineage = Some(Lineage::new(decode(value.text).into_owned()));
            }
            TokenKind::Number if name_is(key.text, "serial") => {
                serial = Some(Serial(std::str::from_utf8(value.text).ok()?.parse().ok()?));
            }
            TokenKind::String | TokenKind::Number => {}
            TokenKind::ObjectStart
            | TokenKind::ObjectEnd
            | TokenKind::ArrayStart
            | TokenKind::ArrayEnd
            | TokenKind::Key
            | TokenKind::True
            | TokenKind::False
            | TokenKind::Null => return None,
        }
    }
    Some(Start { lineage: lineage?, serial: serial? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(text: &str) -> Option<(Option<String>, u64)> {
        let start = start_in(text.as_bytes())?;
        Some((start.lineage.map(|lineage| lineage.as_str().to_owned()), start.serial.0))
    }

    #[test]
    fn lineage_and_serial_are_read_from_a_state_that_is_cut_behind_them() {
        let text = r#"{"version":4,"terraform_version":"1","serial":7,"lineage":"l","outputs":{"a"#;
        assert_eq!(start(text), Some((Some("l".to_owned()), 7)));
        let none = r#"{"version": 4, "serial": 7, "lineage": "", "outputs": {}"#;
        assert_eq!(start(none), Some((None, 7)));
    }

    #[test]
    fn what_comes_in_another_order_or_is_no_state_tells_nothing() {
        for text in
            ["", "[]", "{}", r#"{"outputs":{},"serial":7,"lineage":"l"}"#, r#"{"serial":7,"#]
        {
            assert_eq!(start(text), None, "{text}");
        }
    }
}
