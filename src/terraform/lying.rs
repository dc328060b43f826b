//! What lies about in a root module: states, their copies, plans, and what tells of a lock.
//!
//! The names are Terraform's (terraform-facts.md 1.2, 4.4, 5); a plan can have any name and is known by
//! what is in it. Only names and first bytes are looked at, only in the places where Terraform puts such
//! files, and what cannot be read is passed over.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::locate::{Place, Setting};
use super::planfile::{self, Plan};

/// What Terraform writes when it cannot save a state.
pub(crate) const ERRORED: &str = "errored.tfstate";
/// More entries of one directory are not looked at.
const MOST_ENTRIES: usize = 2000;

/// Files that hold a state or a plan; absolute paths, sorted.
#[derive(Debug, Default)]
pub(crate) struct Lying {
    /// States and copies of states.
    pub(crate) states: Vec<PathBuf>,
    /// Saved plans.
    pub(crate) plans: Vec<PathBuf>,
    /// A state that Terraform could not save.
    pub(crate) errored: Option<PathBuf>,
    /// Files that tell of a lock, each with the state that it is about.
    pub(crate) lock_infos: Vec<(PathBuf, PathBuf)>,
}

impl Lying {
    /// Looks in the root module, in its workspaces, and where the state is.
    pub(crate) fn about(setting: &Setting) -> Self {
        let workspaces = setting.workspace_directory(&setting.backend);
        let mut directories = vec![setting.directory.clone()];
        directories.extend(names(&workspaces).into_iter().map(|name| workspaces.join(name)));
        if let Place::File(path) = setting.current().place {
            let parent = path.parent().map(Path::to_owned);
            directories.extend(parent.filter(|parent| *parent != setting.directory));
        }
        directories.dedup();
        let mut lying = Self::default();
        for directory in directories {
            for name in names(&directory) {
                lying.take(&directory, &name);
            }
        }
        lying
    }

    fn take(&mut self, directory: &Path, name: &OsStr) {
        let path = directory.join(name);
        if let Some(state) = told_of(name) {
            self.lock_infos.push((path, directory.join(state)));
        } else if name == ERRORED {
            self.errored = Some(path.clone());
            self.states.push(path);
        } else if is_state(name) {
            self.states.push(path);
        } else if is_plan(&path) {
            self.plans.push(path);
        }
    }
}

/// `X.tfstate`, and its copies: `.backup`, and `.SECONDS.backup` of the `state` commands.
fn is_state(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let is_copy = name.ends_with(b".backup") && name.windows(9).any(|part| part == b".tfstate.");
    name.ends_with(b".tfstate") || is_copy
}

/// The state that `.NAME.lock.info` tells of. One dot in front is taken from a name that has one, so that
/// two names are possible; the ordinary one counts.
fn told_of(name: &OsStr) -> Option<OsString> {
    let state = name.as_bytes().strip_prefix(b".")?.strip_suffix(b".lock.info")?;
    (!state.is_empty()).then(|| OsString::from_vec(state.to_vec()))
}

/// Whether a file is a saved plan. The ordinary file is ruled out by its first bytes.
fn is_plan(path: &Path) -> bool {
    let is_file = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let mut head = [0_u8; 4];
    let is_read =
        is_file && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok();
    is_read && head == *b"PK\x03\x04" && matches!(planfile::read(path), Ok(Plan::Saved(_)))
}

fn names(directory: &Path) -> Vec<OsString> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.take(MOST_ENTRIES).map(|entry| entry.file_name()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_their_copies_are_known_by_their_names() {
        for name in
            ["terraform.tfstate", "x.tfstate", "terraform.tfstate.backup", "a.tfstate.170.backup"]
        {
            assert!(is_state(OsStr::new(name)), "{name}");
        }
        for name in ["tfstate", "main.tf", "x.backup", "terraform.tfstate.d"] {
            assert!(!is_state(OsStr::new(name)), "{name}");
        }
        let told = |name| told_of(OsStr::new(name));
        assert_eq!(told(".terraform.tfstate.lock.info"), Some("terraform.tfstate".into()));
        assert_eq!(told(".lock.info"), None);
        assert_eq!(told(".terraform.lock.hcl"), None);
    }
}
