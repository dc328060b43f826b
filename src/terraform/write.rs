//! Writing a local state, so that a crash at any point leaves the old one, the new one, or a file that
//! every Terraform command refuses to touch.
//!
//! In place, never by rename: a Terraform that waits for the lock keeps the old inode, would apply to it
//! and report success, and its result would be lost (store.md 2). Not "truncate, then write" either: an
//! empty file is no state to Terraform, and it would plan to create everything.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::sys::checkpoint::reach;
use crate::sys::fs::Folder;

use super::{Limits, Terraform, TerraformError, selecting};

/// With this as its first byte a state file is refused by plan, apply, destroy, refresh, `state list` and
/// `state push`, forced or not (store.md 2, measured).
pub(crate) const POISON: u8 = b'#';

/// Overwrites a state file that we hold the lock of.
///
/// # Errors
/// The step that failed. The file may then be poisoned; writing again mends it.
pub(crate) fn overwrite(file: &File, path: &Path, bytes: &[u8]) -> Result<(), TerraformError> {
    let failed = |step| {
        let path = path.to_owned();
        move |source| TerraformError::Write { path, step, source }
    };
    let Some((&first, rest)) = bytes.split_first() else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "a state is never zero bytes");
        return Err(failed("check")(source));
    };
    file.write_all_at(&[POISON], 0).map_err(failed("poison"))?;
    reach("sync-poison");
    file.sync_data().map_err(failed("poison"))?;
    file.write_all_at(rest, 1).map_err(failed("body"))?;
    file.set_len(bytes.len() as u64).map_err(failed("body"))?;
    reach("sync-body");
    file.sync_all().map_err(failed("body"))?;
    let written = read_back(file, bytes.len()).map_err(failed("read back"))?;
    if written.get(1..) != Some(rest) {
        return Err(TerraformError::NotWhatWasWritten { path: path.to_owned() });
    }
    file.write_all_at(&[first], 0).map_err(failed("commit"))?;
    reach("sync-commit");
    file.sync_all().map_err(failed("commit"))
}

fn read_back(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0_u8; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Whether a restore of ours was cut off in this file.
pub(crate) fn is_poisoned(bytes: &[u8]) -> bool {
    bytes.first() == Some(&POISON)
}

/// Puts a state where there is no file: written beside, synced, and given the name only if that is still
/// free. Readable by the owner only. `op` names what is beside, so that [`clear`] finds it after a crash.
///
/// # Errors
/// The step that failed; a file that appeared meanwhile is left alone.
pub(crate) fn create(path: &Path, bytes: &[u8], op: &str) -> Result<(), TerraformError> {
    let failed = |step| {
        let path = path.to_owned();
        move |source| TerraformError::Write { path, step, source }
    };
    let target = end_of_links(path);
    let parent = target.parent().unwrap_or(Path::new("/"));
    let name = target.file_name();
    let name = name.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename));
    let name = name.map_err(failed("name"))?;
    // A link into nowhere is somebody's mistake; Terraform makes no directories there either.
    if target == path {
        std::fs::create_dir_all(parent).map_err(failed("directory"))?;
    }
    let folder = Folder::open(parent).map_err(failed("directory"))?;
    let temporary = temporary_of(op);
    let publish = || {
        let file = folder.create_file(&temporary)?;
        file.write_all_at(bytes, 0)?;
        reach("sync-body");
        file.sync_all()?;
        folder.rename_new(&temporary, &folder, name)?;
        reach("sync-commit");
        folder.sync()
    };
    let published = publish().map_err(failed("create"));
    if published.is_err() {
        let _ = folder.remove(&temporary);
    }
    published
}

/// Removes what a restore that was killed left beside a state that was absent: a copy of a state in the
/// open has no business there. Nothing there is no error.
///
/// # Errors
/// The file is there and stays.
pub(crate) fn clear(path: &Path, op: &str) -> Result<(), TerraformError> {
    let target = end_of_links(path);
    let left = target.with_file_name(temporary_of(op));
    match std::fs::remove_file(&left) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(TerraformError::Write { path: left, step: "remove", source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn temporary_of(op: &str) -> String {
    format!(".tf-shim-{op}.tmp")
}

/// Where a link that leads to no file points: Terraform would create the file there.
pub(super) fn end_of_links(path: &Path) -> PathBuf {
    /// As many as the kernel follows (`path_resolution(7)`).
    const LINKS: usize = 40;
    let mut target = path.to_owned();
    for _ in 0..LINKS {
        let Ok(next) = std::fs::read_link(&target) else { break };
        target = target.parent().unwrap_or(Path::new("/")).join(next);
    }
    target
}

/// Whether a remote may be overwritten against its own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    /// No: lineage and serial must fit.
    No,
    /// Yes; the reason is printed.
    Yes,
}

/// Has Terraform push a state to its backend, under Terraform's own lock and rules. The state goes through
/// stdin: no plaintext file.
///
/// # Errors
/// As [`Terraform::ask_for`].
pub(crate) fn push(
    terraform: &Terraform,
    workspace: Option<&str>,
    bytes: Vec<u8>,
    force: Force,
    limits: Limits<'_>,
) -> Result<(), TerraformError> {
    let arguments: &[&str] = match force {
        Force::No => &["state", "push", "-"],
        Force::Yes => &["state", "push", "-force", "-"],
    };
    terraform.ask_for(arguments, &selecting(workspace), Some(bytes), limits).map(drop)
}

/// Whether the file still has the name that we opened it by: a lock on an inode that nobody will find
/// again protects nothing.
pub(crate) fn still_has_its_name(file: &File, path: &Path) -> bool {
    let opened = file.metadata().map(|m| (m.dev(), m.ino()));
    let named = std::fs::metadata(path).map(|m| (m.dev(), m.ino()));
    matches!((opened, named), (Ok(opened), Ok(named)) if opened == named)
}
