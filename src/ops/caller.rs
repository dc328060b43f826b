//! How the user calls us, so that a command can be given back as it is to be pasted.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::terraform::locate::{Location, Place, Setting};

use super::shell;

/// The name, the directory and the flags that were used.
#[derive(Clone, Copy, Default)]
pub(crate) struct Caller<'a> {
    /// The name we were called by.
    pub(crate) called_as: &'a OsStr,
    /// What `-chdir=` named.
    pub(crate) chdir: Option<&'a OsStr>,
    /// `--workspace`.
    pub(crate) workspace: Option<&'a OsStr>,
    /// `--state`.
    pub(crate) state: Option<&'a Path>,
    /// `--store`.
    pub(crate) store: Option<&'a Path>,
}

impl<'a> Caller<'a> {
    /// One who means a certain state: the flags say which, where it is not the one of the root module.
    pub(super) fn about(
        called_as: &'a OsStr,
        chdir: Option<&'a OsStr>,
        setting: &Setting,
        location: &'a Location,
    ) -> Self {
        let own = Self { called_as, chdir, ..Self::default() };
        let key = location.identity.key();
        if setting.current().identity.key() == key {
            return own;
        }
        let workspace = &location.identity.workspace;
        match &location.place {
            Place::File(path) if setting.of_workspace(workspace).identity.key() != key => {
                Self { state: Some(path.strip_prefix(&setting.directory).unwrap_or(path)), ..own }
            }
            Place::File(_) | Place::Remote => {
                Self { workspace: Some(OsStr::new(workspace)), ..own }
            }
        }
    }

    /// A command of ours about the state that is meant.
    pub(super) fn shim(&self, command: &str) -> String {
        let flags = [
            ("--workspace", self.workspace),
            ("--state", self.state.map(Path::as_os_str)),
            ("--store", self.store.map(Path::as_os_str)),
        ];
        let flags = flags.into_iter().filter_map(|(name, value)| Some([OsStr::new(name), value?]));
        let words = [command].into_iter().map(str::to_owned);
        let words = words.chain(flags.flatten().map(shell::word)).collect::<Vec<_>>();
        format!("{} shim {}", self.program(), words.join(" "))
    }

    /// A command of Terraform's, through us, in the root module.
    pub(super) fn terraform(&self, command: &str) -> String {
        format!("{} {command}", self.program())
    }

    /// How we are called: by the name that was used, in the directory that was named.
    pub(super) fn program(&self) -> String {
        let base = Path::new(self.called_as).file_name().unwrap_or_default();
        let name = if base == "terraform" || base == "tofu" { base } else { OsStr::new("tf") };
        let chdir = self.chdir.map(|chdir| {
            let word = [OsStr::new("-chdir="), chdir].into_iter().collect::<OsString>();
            format!(" {}", shell::word(word))
        });
        format!("{}{}", shell::word(name), chdir.unwrap_or_default())
    }
}
