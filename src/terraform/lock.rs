//! Terraform's own lock on a local state, held by us while we restore.
//!
//! The kernel's lock decides; the info file beside it only tells people, and Terraform, which waits with
//! `-lock-timeout` only while the file is there, parses and has an `ID` (terraform-facts.md 5).

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use nix::fcntl::OFlag;
use serde_json::{Value, json};

use crate::sys::file::{Holder, lock_holder, open_for_looking, read_small, try_lock};

use super::TerraformError;

/// Larger files tell of no lock. In bytes.
const MOST_INFO: u64 = 64 << 10;

/// The state file, open for writing, and locked until this is dropped.
pub(crate) struct StateLock {
    file: File,
    info: PathBuf,
}

/// What the info file tells.
pub(crate) struct Claim<'a> {
    /// A UUID.
    pub(crate) id: &'a str,
    /// `user@host`.
    pub(crate) who: &'a str,
    /// Since when.
    pub(crate) at: DateTime<Utc>,
}

impl StateLock {
    /// Locks the state file at `path`, links followed as Terraform does; none where there is no file.
    ///
    /// # Errors
    /// Somebody holds it (named, as far as that can be told), or the file cannot be opened for writing.
    pub(crate) fn take(path: &Path, claim: &Claim<'_>) -> Result<Option<Self>, TerraformError> {
        let write = |step| {
            let path = path.to_owned();
            move |source| TerraformError::Write { path, step, source }
        };
        let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let file =
            match OpenOptions::new().read(true).write(true).custom_flags(flags.bits()).open(path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(source) => return Err(write("open")(source)),
            };
        if !file.metadata().is_ok_and(|found| found.is_file()) {
            return Err(TerraformError::NotAFile { path: path.to_owned(), kind: "something else" });
        }
        if !try_lock(&file).map_err(write("lock"))? {
            return Err(TerraformError::Locked {
                path: path.to_owned(),
                holder: describe(path, &file),
            });
        }
        let info = info_path(path);
        let lock = Self { file, info };
        // What was written in part goes with the lock, when this is dropped.
        write_info(&lock.info, path, claim).map_err(|source| TerraformError::Write {
            path: lock.info.clone(),
            step: "lock info",
            source,
        })?;
        Ok(Some(lock))
    }

    /// The locked file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // First the file, then the lock, which goes with the descriptor: as Terraform does.
        let _ = std::fs::remove_file(&self.info);
    }
}

/// Who holds the lock of the state file at `path`; none when nobody does.
pub(crate) fn holder(path: &Path) -> Option<String> {
    let file = open_for_looking(path).ok()?;
    match lock_holder(&file) {
        Ok(Holder::Nobody) | Err(_) => None,
        Ok(_) => Some(describe(path, &file)),
    }
}

/// What the info file of a lock says: whose it is, for what, and since when; in one line.
pub(crate) fn told_by(info: &Path) -> Option<String> {
    let told = told(&read_small(info, MOST_INFO).ok()?);
    (!told.is_empty()).then(|| told.join(", "))
}

/// `DIR/.NAME.lock.info`, NAME without one leading dot.
fn info_path(state: &Path) -> PathBuf {
    let name = state.file_name().unwrap_or_default().as_bytes();
    let name = name.strip_prefix(b".").unwrap_or(name);
    state.with_file_name(OsString::from_vec([b".", name, b".lock.info"].concat()))
}

fn write_info(info: &Path, state: &Path, claim: &Claim<'_>) -> io::Result<()> {
    let text = json!({
        "ID": claim.id,
        "Operation": "tf shim restore",
        "Info": "",
        "Who": claim.who,
        "Version": env!("CARGO_PKG_VERSION"),
        "Created": claim.at.to_rfc3339_opts(SecondsFormat::Nanos, true),
        "Path": state.to_string_lossy(),
    });
    // A stale one without a lock is junk, and is overwritten, as Terraform does.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.custom_flags(OFlag::O_NOFOLLOW.bits());
    options.open(info)?.write_all(text.to_string().as_bytes())
}

/// What the info file says, else the process id, else that somebody is there.
fn describe(state: &Path, file: &File) -> String {
    let pid = match lock_holder(file) {
        Ok(Holder::Process(pid)) => Some(pid),
        Ok(Holder::Nobody | Holder::Unnamed) | Err(_) => None,
    };
    let mut parts = told(&read_small(&info_path(state), MOST_INFO).unwrap_or_default());
    let before_id = parts.iter().position(|part| part.starts_with("lock ")).unwrap_or(parts.len());
    if let Some(pid) = pid {
        parts.insert(before_id, format!("process {pid}"));
    }
    if parts.is_empty() { "another process".to_owned() } else { parts.join(", ") }
}

fn told(info: &[u8]) -> Vec<String> {
    let info: Value = serde_json::from_slice(info).unwrap_or_default();
    let text = |name: &str| info.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let who = text("Who").map(str::to_owned);
    let operation = text("Operation").map(|operation| format!("running {operation}"));
    let since = text("Created").map(|at| format!("since {at}"));
    let id = text("ID").map(|id| format!("lock {id}"));
    [who, operation, since, id].into_iter().flatten().collect()
}
