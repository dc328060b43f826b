//! Which state a command will touch.
//!
//! The rules are Terraform's (terraform-facts.md 1): what `-state` means depends on the command and on the
//! backend, the workspace comes from the environment or a file, a saved plan brings its own backend. An
//! error here saves the wrong file, so each rule names its row.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::env;
use crate::model::identity::Identity;
use crate::model::text::OddText;
use crate::proxy::argv::Parsed;
use crate::proxy::{Guarded, Verb};
use crate::sys::file::read_small;

use super::TerraformError;
use super::backend::Backend;
use super::planfile::{self, Plan};

/// Terraform's name for the state file of the default workspace.
const DEFAULT_FILE: &str = "terraform.tfstate";
/// Terraform's name for the directory of the other workspaces.
const WORKSPACE_DIRECTORY: &str = "terraform.tfstate.d";

/// Larger files do not hold the name of a workspace. In bytes.
const MOST_SELECTED: u64 = 64 << 10;
/// Larger configuration files are not searched. In bytes.
const MOST_CONFIGURATION: u64 = 8 << 20;

/// One root module as Terraform sees it now.
pub(crate) struct Setting {
    /// The root module, after `-chdir`; absolute.
    pub(crate) directory: PathBuf,
    /// Where Terraform keeps its own things: `.terraform`, unless told otherwise.
    pub(crate) data: PathBuf,
    /// The backend that is in force.
    pub(crate) backend: Backend,
    /// The workspace that is selected.
    pub(crate) workspace: String,
    /// Whether no backend is recorded although the configuration seems to name one.
    pub(crate) may_need_init: bool,
}

/// One state: what it is, and where its bytes are.
#[derive(Clone)]
pub(crate) struct Location {
    /// The key of its history.
    pub(crate) identity: Identity,
    /// Where its bytes are.
    pub(crate) place: Place,
}

/// Where the bytes of a state are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a file; absolute.
    File(PathBuf),
    /// In a backend that only Terraform talks to.
    Remote,
}

/// What a guarded command will touch.
pub(crate) enum Reach {
    /// These states; more than one where a command moves between two.
    States(Vec<Location>),
    /// None that exists or will exist by it: there is nothing to save.
    Nothing,
    /// Terraform is sure to stop before it touches any.
    Stops,
}

impl Setting {
    /// Looks at a root module: `chdir` as given on the command line, relative to our own directory.
    ///
    /// # Errors
    /// Our own directory is gone, or the backend record is there and unreadable.
    pub(crate) fn read(chdir: Option<&OsStr>) -> Result<Self, TerraformError> {
        let here = std::env::current_dir()
            .map_err(|source| TerraformError::Read { path: PathBuf::from("."), source })?;
        let directory = chdir.map_or_else(|| here.clone(), |chdir| here.join(chdir));
        let data = std::env::var_os(env::TF_DATA_DIR).filter(|value| !value.is_empty());
        let data = directory.join(data.unwrap_or_else(|| OsString::from(".terraform")));
        let recorded = Backend::read(&data)?;
        let may_need_init = recorded.is_none() && configuration_names_a_backend(&directory);
        let backend = recorded.unwrap_or_else(Backend::implicit);
        let workspace = selected_workspace(&data)?;
        Ok(Self { directory, data, backend, workspace, may_need_init })
    }

    /// The state of the selected workspace.
    pub(crate) fn current(&self) -> Location {
        self.of_workspace(&self.workspace)
    }

    /// The state of a workspace.
    pub(crate) fn of_workspace(&self, workspace: &str) -> Location {
        if self.backend.is_local() {
            return self.file(&self.local_path(&self.backend, workspace));
        }
        let attributes = self.backend.identity_attributes(&canonical(&self.directory));
        let attributes: BTreeMap<String, OddText> = attributes
            .into_iter()
            .map(|(name, value)| (name, OddText::from(value.as_str())))
            .collect();
        let identity = Identity {
            kind: self.backend.kind.clone(),
            attributes,
            workspace: workspace.to_owned(),
            aliases: Vec::new(),
            project: self.project_name(),
        };
        Location { identity, place: Place::Remote }
    }

    /// The state in a file named by `-state`; relative to the root module.
    pub(crate) fn file(&self, path: &Path) -> Location {
        let path = self.directory.join(path);
        let named = canonical_parent(&path);
        let target = std::fs::read_link(&path).ok().and_then(|_| path.canonicalize().ok());
        let identity = Identity {
            kind: "local".to_owned(),
            attributes: BTreeMap::from([("path".to_owned(), OddText::from(named.as_os_str()))]),
            workspace: self.workspace_of_file(&named),
            aliases: target.iter().map(|target| OddText::from(target.as_os_str())).collect(),
            project: self.project_name(),
        };
        Location { identity, place: Place::File(path) }
    }

    /// Which workspace a state file belongs to, so that one file is one history whichever way it is
    /// named.
    fn workspace_of_file(&self, path: &Path) -> String {
        let of_workspace = || {
            let directory = path.parent()?;
            let is_there =
                directory.parent()? == canonical(&self.workspace_directory(&self.backend));
            let name = directory.file_name()?.to_str()?;
            (is_there && path.file_name()? == DEFAULT_FILE).then(|| name.to_owned())
        };
        of_workspace().unwrap_or_else(|| "default".to_owned())
    }

    fn project_name(&self) -> OddText {
        OddText::from(canonical(&self.directory).file_name().unwrap_or_default())
    }

    /// Path of a workspace's state in a local backend: the `path` attribute counts for the default
    /// workspace only (terraform-facts.md 1.2).
    fn local_path(&self, backend: &Backend, workspace: &str) -> PathBuf {
        if workspace == "default" {
            return self.directory.join(backend.text("path").unwrap_or(DEFAULT_FILE));
        }
        self.workspace_directory(backend).join(workspace).join(DEFAULT_FILE)
    }

    /// Where a local backend keeps the states of the other workspaces.
    pub(super) fn workspace_directory(&self, backend: &Backend) -> PathBuf {
        self.directory.join(backend.text("workspace_dir").unwrap_or(WORKSPACE_DIRECTORY))
    }

    /// What a guarded command will touch.
    ///
    /// # Errors
    /// It cannot be told, as for a plan that was made for another remote backend.
    pub(crate) fn reach(&self, guarded: &Guarded) -> Result<Reach, TerraformError> {
        if !self.directory.is_dir() || has_refused_workspace_name() {
            return Ok(Reach::Stops);
        }
        let parsed = guarded.line.parse();
        match guarded.verb {
            Verb::Apply => self.reach_of_apply(&parsed),
            Verb::Destroy | Verb::Refresh | Verb::Import | Verb::Taint | Verb::Untaint => {
                Ok(one(self.written(&self.backend, &parsed)))
            }
            Verb::StateMv => Ok(self.reach_of_move(&parsed)),
            // With `-state` these work on that file and never talk to a backend (1.2).
            Verb::StateRm | Verb::StateReplaceProvider => {
                Ok(one(match path_flag(&parsed, "state") {
                    Some(path) => self.file(&path),
                    None => self.current(),
                }))
            }
            Verb::StatePush | Verb::ForceUnlock => Ok(one(self.current())),
            Verb::Init | Verb::StateMigrate => Ok(self.reach_of_init()),
            Verb::WorkspaceNew => Ok(self.reach_of_new(&parsed)),
            Verb::WorkspaceDelete => {
                Ok(match parsed.positionals.first().and_then(|w| w.to_str()) {
                    Some(name) => one(self.of_workspace(name)),
                    None => Reach::Stops,
                })
            }
            Verb::WorkspaceSelect => Ok(Reach::Nothing),
        }
    }

    /// `apply PLANFILE` writes to the backend in the plan, in the workspace that is selected now (1.1).
    fn reach_of_apply(&self, parsed: &Parsed) -> Result<Reach, TerraformError> {
        let Some(plan) = parsed.positionals.first().filter(|plan| !plan.is_empty()) else {
            return Ok(one(self.written(&self.backend, parsed)));
        };
        let plan = self.directory.join(plan);
        match planfile::read(&plan)? {
            // Behind a flag that is in no table the word may be its value.
            Plan::Other if parsed.has_unknown_flags => Ok(one(self.written(&self.backend, parsed))),
            Plan::Other => Ok(Reach::Stops),
            Plan::Elsewhere => Ok(one(self.current())),
            Plan::Saved(backend) if backend.is_local() => Ok(one(self.written(&backend, parsed))),
            Plan::Saved(backend) if backend.is_same_place(&self.backend, &self.directory) => {
                Ok(one(self.current()))
            }
            Plan::Saved(backend) => Err(TerraformError::Nowhere {
                reason: format!(
                    "the plan was made for another `{}` backend than this directory uses",
                    backend.kind
                ),
            }),
        }
    }

    /// What the ordinary commands write: `-state-out`, else `-state`, else the workspace's state; with a
    /// remote backend both flags are ignored (1.2).
    fn written(&self, backend: &Backend, parsed: &Parsed) -> Location {
        if !backend.is_local() {
            return self.current();
        }
        let named = path_flag(parsed, "state-out").or_else(|| path_flag(parsed, "state"));
        match named {
            Some(path) => self.file(&path),
            None => self.file(&self.local_path(backend, &self.workspace)),
        }
    }

    fn reach_of_move(&self, parsed: &Parsed) -> Reach {
        let from = match path_flag(parsed, "state") {
            Some(path) => self.file(&path),
            None => self.current(),
        };
        let to = path_flag(parsed, "state-out").map(|path| self.file(&path));
        let other = to.filter(|to| to.identity.key() != from.identity.key());
        Reach::States(std::iter::once(from).chain(other).collect())
    }

    /// A migration reads and may empty every state of the old place, and may overwrite the local one.
    fn reach_of_init(&self) -> Reach {
        let mut states = vec![self.current()];
        let mut add = |location: Location| {
            let is_there = matches!(&location.place, Place::File(path) if path.exists());
            if is_there
                && states.iter().all(|known| known.identity.key() != location.identity.key())
            {
                states.push(location);
            }
        };
        let local =
            if self.backend.is_local() { self.backend.clone() } else { Backend::implicit() };
        add(self.file(&self.local_path(&local, "default")));
        let workspaces = std::fs::read_dir(self.workspace_directory(&local));
        for entry in workspaces.into_iter().flatten().flatten() {
            add(self.file(&entry.path().join(DEFAULT_FILE)));
        }
        Reach::States(states)
    }

    /// `workspace new -state=FILE` writes a state; without it there is nothing to lose, and a look at a
    /// remote workspace that is not there would create it.
    fn reach_of_new(&self, parsed: &Parsed) -> Reach {
        let name = parsed.positionals.first().and_then(|word| word.to_str());
        match (name, path_flag(parsed, "state")) {
            (Some(name), Some(_)) if self.backend.is_local() => one(self.of_workspace(name)),
            _ => Reach::Nothing,
        }
    }
}

fn one(location: Location) -> Reach {
    Reach::States(vec![location])
}

fn path_flag(parsed: &Parsed, name: &str) -> Option<PathBuf> {
    parsed.value(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// `TF_WORKSPACE`, else the file that `workspace select` writes, else `default`; empty counts as unset, and
/// so does a file that cannot be read, for Terraform too.
///
/// # Errors
/// Terraform would wait for the file, or take more for a name than anybody selects.
fn selected_workspace(data: &Path) -> Result<String, TerraformError> {
    let from_environment = std::env::var_os(env::TF_WORKSPACE).filter(|name| !name.is_empty());
    if let Some(name) = from_environment {
        return Ok(name.to_string_lossy().into_owned());
    }
    let path = data.join("environment");
    let selected = match read_small(&path, MOST_SELECTED) {
        Ok(selected) => selected,
        Err(source) if is_refused(&source) && !path.is_dir() => {
            return Err(TerraformError::Read { path, source });
        }
        Err(_) => Vec::new(),
    };
    let selected = String::from_utf8_lossy(&selected).trim().to_owned();
    Ok(if selected.is_empty() { "default".to_owned() } else { selected })
}

/// Whether a file was not read because of what it is.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::FileTooLarge)
}

/// Terraform refuses a `TF_WORKSPACE` that is not its own escaped form as a path segment of a URL
/// (`validWorkspaceName`, 1.11.4); the file is not checked.
fn has_refused_workspace_name() -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+=:@".contains(&byte);
    let name = std::env::var_os(env::TF_WORKSPACE).unwrap_or_default();
    !name.as_bytes().iter().all(|byte| is_plain(*byte))
}

/// Whether the configuration seems to name a backend. Too much is safe: Terraform is then asked.
fn configuration_names_a_backend(directory: &Path) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let is_configuration = |path: &Path| {
        let name = path.file_name().unwrap_or_default().as_bytes();
        [&b".tf"[..], b".tf.json", b".tofu", b".tofu.json"].iter().any(|end| name.ends_with(end))
    };
    entries.map(|entry| entry.path()).filter(|path| is_configuration(path)).any(|path| {
        let text = match read_small(&path, MOST_CONFIGURATION) {
            Ok(text) => text,
            // Terraform reads it, whatever its size; what is no file it would wait for, or refuse.
            Err(error) => return error.kind() == io::ErrorKind::FileTooLarge,
        };
        text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).any(names_a_backend)
    })
}

fn names_a_backend(line: &[u8]) -> bool {
    let is_comment = line.starts_with(b"#") || line.starts_with(b"//");
    let names = |word: &[u8]| line.windows(word.len()).any(|window| window == word);
    !is_comment && (names(b"backend") || names(b"cloud")) && (names(b"\"") || names(b"{"))
}

/// The path with its links resolved, as far as it exists.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| plain(path))
}

/// The canonical directory plus the file's own name: a link is not followed, so that the history stays
/// with the name that Terraform uses. Where the directory is not there yet, its nearest ancestor counts.
fn canonical_parent(path: &Path) -> PathBuf {
    let path = plain(path);
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return path };
    match parent.canonicalize() {
        Ok(parent) => parent.join(name),
        Err(_) => canonical_parent(parent).join(name),
    }
}

/// The path without `.` and with `..` taken back, by name only.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                plain.push(component);
            }
        }
    }
    plain
}
