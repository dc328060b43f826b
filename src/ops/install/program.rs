//! Where this program is, by a path that lasts.
//!
//! Three paths lead to a running program: an entry of `PATH`, the name it was called by, and its file as
//! the system knows it. Homebrew, Nix and version managers put a version into the last one, and keep the
//! first one pointing to the newest; so the first is asked first.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::error::install::InstallError;
use crate::sys::file::FileId;

use super::path_entries;

/// This program, as links lead to it.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its path, absolute.
    pub(crate) path: PathBuf,
    /// Which file it is.
    pub(crate) id: FileId,
    /// Why that path may not last, as a clause.
    pub(crate) fleeting: Option<&'static str>,
}

/// Finds it: the first path that lasts, else the first.
///
/// # Errors
/// No path leads to the running file any more.
pub(super) fn find(called_as: &OsStr) -> Result<Program, InstallError> {
    let id = FileId::of_ourselves().ok_or(InstallError::NoProgram)?;
    let on_path = path_entries().into_iter().map(|entry| entry.join("tf"));
    let called =
        Some(PathBuf::from(called_as)).filter(|path| path.as_os_str().as_bytes().contains(&b'/'));
    let called = called.and_then(|path| std::path::absolute(path).ok());
    // Called by a link of ours, its target is what counts.
    let is_link =
        |path: &PathBuf| path.file_name().is_some_and(|n| n == "terraform" || n == "tofu");
    let called = called.map(|path| if is_link(&path) { target_of(&path) } else { path });
    let file = std::env::current_exe().ok();
    let candidates: Vec<PathBuf> =
        on_path.chain(called).chain(file).filter(|path| FileId::at(path) == Some(id)).collect();
    let lasting = candidates.iter().find(|path| fleeting(path).is_none());
    let path = lasting.or(candidates.first()).cloned().ok_or(InstallError::NoProgram)?;
    let fleeting = fleeting(&path);
    Ok(Program { path, id, fleeting })
}

fn target_of(link: &Path) -> PathBuf {
    std::fs::read_link(link)
        .ok()
        .filter(|target| target.is_absolute())
        .unwrap_or_else(|| link.to_owned())
}

/// Why a path may not last, as a clause; none where nothing speaks against it.
fn fleeting(path: &Path) -> Option<&'static str> {
    let has = |name: &str| path.components().any(|part| part.as_os_str() == name);
    if path.starts_with("/nix/store") {
        return Some("which goes when Nix collects garbage");
    }
    if has("Cellar") {
        return Some("which goes with the next version");
    }
    let is_build = |above: &Path| {
        let profile = above.ends_with("target/debug") || above.ends_with("target/release");
        // Cargo marks its directory so, whatever it is called (Cargo 1.95).
        profile || above.join("CACHEDIR.TAG").exists()
    };
    if path.ancestors().any(is_build) {
        return Some("which is in a build directory");
    }
    if path.starts_with(std::env::temp_dir())
        || path.starts_with("/proc")
        || path.starts_with("/run/user")
    {
        return Some("which is a temporary place");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_versions_and_builds_do_not_last() {
        for (path, lasts) in [
            ("/opt/homebrew/bin/tf", true),
            ("/opt/homebrew/Cellar/tf-shim/0.1.0/bin/tf", false),
            ("/home/ana/.nix-profile/bin/tf", true),
            ("/nix/store/1b2c-tf-shim-0.1.0/bin/tf", false),
            ("/usr/local/bin/tf", true),
            ("/proc/self/exe", false),
            ("/home/ana/tf-shim/target/release/tf", false),
        ] {
            assert_eq!(fleeting(Path::new(path)).is_none(), lasts, "{path}");
        }
    }
}
