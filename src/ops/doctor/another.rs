//! Whether a program on `PATH` is a `tf` of ours, though not this one: another version, or a copy.
//!
//! Only asking tells, and a stranger is not run for it: only what is called `tf`, on `PATH` or as the end of
//! a link, and only where no version manager is beside it (tenv 4 has a `tf` of its own, which might
//! install something). What answers `shim version --json` as we do is one of us.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use crate::env;
use crate::sys::file::FileId;
use crate::sys::helper::Question;

use super::PATIENCE;

/// How much it may say, in bytes: a version is short.
const MOST_SAID: usize = 1 << 16;

/// What was asked already: one file may stand on `PATH` by several names.
#[derive(Default)]
pub(super) struct Others {
    known: Vec<(FileId, Option<String>)>,
}

impl Others {
    /// Its version, where it is a `tf`.
    pub(super) fn version_of(&mut self, path: &Path, id: FileId) -> Option<String> {
        if !is_called_tf(path) {
            return None;
        }
        if let Some((_, version)) = self.known.iter().find(|(known, _)| *known == id) {
            return version.clone();
        }
        let version = asked(path);
        self.known.push((id, version.clone()));
        version
    }
}

/// Whether it is called `tf`, or is a link to what is.
fn is_called_tf(path: &Path) -> bool {
    let is_tf = |path: &Path| path.file_name().is_some_and(|name| name == "tf");
    let target = std::fs::read_link(path).is_ok_and(|target| is_tf(&target));
    is_tf(path) || target || path.canonicalize().is_ok_and(|path| is_tf(&path))
}

/// Asks it, without the variables that would have it hand the question over to Terraform, or say more.
fn asked(path: &Path) -> Option<String> {
    let question = Question {
        program: path,
        arguments: &["shim", "version", "--json"].map(OsStr::new),
        directory: Path::new("/"),
        input: b"",
        without: &[env::PREFIX, "TF_CLI_ARGS", "TF_LOG"],
        set: &[],
        patience: PATIENCE,
        most_bytes: MOST_SAID,
    };
    let answer = question.ask().ok().filter(|answer| answer.status == Some(0))?;
    let document: Value = serde_json::from_slice(&answer.stdout).ok()?;
    document.get("format_version")?.as_str()?;
    let version = document.get("version")?.as_str()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    (!version.is_empty() && version.chars().all(is_plain)).then(|| version.to_owned())
}
