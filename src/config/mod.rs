//! What the user set: environment, the user's file, the project's file; parsed once, typed.
//!
//! The user's file is trusted. The project's file is reviewed in git and not trusted: it holds `[guard]`
//! and `[check]` and nothing else. A key that this version does not know is an error, in both: a
//! setting that protects and is silently ignored would be worse than none.

mod check;
mod document;
mod error;
mod guard;
mod project;
mod user;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::env;
use crate::model::guard::Guard;

pub(crate) use check::{AcceptRule, CheckConfig, RulePlace};
pub(crate) use error::ConfigError;
pub(crate) use guard::{GuardConfig, Protected, Reaction};
pub(crate) use project::repository_top;
pub(crate) use user::parse_duration;

use error::Place;
use project::ProjectFile;
use user::UserFile;

/// What the user set.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The root module that it counts for.
    pub(crate) root_module: PathBuf,
    /// The directory of the store; absolute.
    pub(crate) store: PathBuf,
    /// What to do when the state cannot be saved first.
    pub(crate) on_error: OnError,
    /// States larger than this are refused, not read.
    pub(crate) max_state_bytes: u64,
    /// How long a `state pull` may take.
    pub(crate) pull_timeout: Duration,
    /// What `tf shim check` is to know.
    pub(crate) check: CheckConfig,
    /// What the guards are to know.
    pub(crate) guard: GuardConfig,
    /// Which state guards may be passed, for this call.
    pub(crate) allow: Vec<Guard>,
}

/// What to do when the state cannot be saved first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnError {
    /// Do not start Terraform.
    Stop,
    /// Start it all the same.
    Continue,
}

impl Config {
    /// Reads everything that counts for a root module.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and key.
    pub(crate) fn load(root_module: &Path) -> Result<Self, ConfigError> {
        Self::load_or(root_module, default_store)
    }

    /// As [`Config::load`] where there is no place for a store, and the command runs all the same: what is
    /// protected is protected without one.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub(crate) fn load_without_store(root_module: &Path) -> Result<Self, ConfigError> {
        Self::load_or(root_module, || Ok(PathBuf::from("/dev/null")))
    }

    fn load_or(
        root_module: &Path,
        default_store: impl FnOnce() -> Result<PathBuf, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let user = UserFile::load()?;
        let ProjectFile { mut check, guard } = project::load(root_module)?;
        check.add(user.check);
        let guard = united(guard, user.guard);
        let from_environment = set_variable(env::STORE).map(PathBuf::from);
        let store = match from_environment.or(user.store) {
            Some(store) if store.is_absolute() => store,
            Some(_) => return Err(variable(env::STORE, "an absolute path")),
            None => default_store()?,
        };
        let on_error = match set_variable(env::ON_ERROR) {
            None => user.on_error,
            Some(word) => word
                .to_str()
                .and_then(OnError::parse)
                .ok_or_else(|| variable(env::ON_ERROR, OnError::EXPECTED))?,
        };
        let UserFile { max_state_bytes, pull_timeout, .. } = user;
        let allow = allowed().ok_or_else(|| variable(env::ALLOW, ALLOWABLE))?;
        let root_module = root_module.to_owned();
        Ok(Self {
            root_module,
            store,
            on_error,
            max_state_bytes,
            pull_timeout,
            check,
            guard,
            allow,
        })
    }

    /// The environment and what can be read of the user's file, for commands that only look back: they
    /// work with a broken configuration. Gives the fault beside it.
    ///
    /// # Errors
    /// There is no place for the store.
    pub(crate) fn load_for_looking(
        root_module: &Path,
    ) -> Result<(Self, Option<ConfigError>), ConfigError> {
        let fault = match Self::load(root_module) {
            Ok(config) => return Ok((config, None)),
            Err(fault) => fault,
        };
        let user = UserFile::load().unwrap_or_default();
        let from_environment = set_variable(env::STORE).map(PathBuf::from);
        let named = from_environment.or(user.store).filter(|store| store.is_absolute());
        let store = named.map_or_else(default_store, Ok)?;
        let UserFile { on_error, max_state_bytes, pull_timeout, check, guard, .. } = user;
        let (guard, allow) = (united(GuardConfig::default(), guard), Vec::new());
        let config = Self {
            root_module: root_module.to_owned(),
            store,
            on_error,
            max_state_bytes,
            pull_timeout,
            check,
            guard,
            allow,
        };
        Ok((config, Some(fault)))
    }
}

/// What the guards are to know, for a root module where nothing else can be had.
///
/// # Errors
/// The first thing that is wrong, with file, line and key.
pub(crate) fn load_guard(root_module: &Path) -> Result<GuardConfig, ConfigError> {
    let user = UserFile::load()?;
    Ok(united(project::load(root_module)?.guard, user.guard))
}

/// What the project's files, the user's and the environment say together.
fn united(mut guard: GuardConfig, user: GuardConfig) -> GuardConfig {
    guard.tighten(user);
    guard.read_only |= env::is_on(env::READ_ONLY);
    guard
}

/// Everything that is wrong with the files and variables that count for a root module, where
/// [`Config::load`] stops at the first: one fault a file, then the variables that hold the wrong thing.
pub(crate) fn faults(root_module: &Path) -> (Vec<ConfigError>, Vec<&'static str>) {
    let files = UserFile::load().err().into_iter().chain(project::faults(root_module)).collect();
    let is_relative = |store: OsString| !Path::new(&store).is_absolute();
    let is_no_word = |word: OsString| word.to_str().and_then(OnError::parse).is_none();
    let store = set_variable(env::STORE).is_some_and(is_relative).then_some(env::STORE);
    let on_error = set_variable(env::ON_ERROR).is_some_and(is_no_word).then_some(env::ON_ERROR);
    let allow = allowed().is_none().then_some(env::ALLOW);
    (files, store.into_iter().chain(on_error).chain(allow).collect())
}

/// What `TF_SHIM_ALLOW` must be.
const ALLOWABLE: &str = "names of state guards, separated by commas";

/// The guards that `TF_SHIM_ALLOW` names; none where it names what is no guard, or one that cannot be passed.
fn allowed() -> Option<Vec<Guard>> {
    let Some(names) = set_variable(env::ALLOW) else { return Some(Vec::new()) };
    let names = names.to_str()?.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| Guard::of_word(name).filter(|guard| guard.can_be_allowed())).collect()
}

impl OnError {
    /// What the environment alone says.
    pub(crate) fn of_environment() -> Self {
        let word = set_variable(env::ON_ERROR);
        word.and_then(|word| Self::parse(word.to_str()?)).unwrap_or(Self::Stop)
    }

    /// What the word must be.
    const EXPECTED: &str = "`stop` or `continue`";

    /// What a word says.
    fn parse(word: &str) -> Option<Self> {
        match word {
            "stop" => Some(Self::Stop),
            "continue" => Some(Self::Continue),
            _ => None,
        }
    }
}

/// A variable that is set; empty counts as unset.
fn set_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable of the wrong form.
fn variable(name: &str, expected: &'static str) -> ConfigError {
    let place = Place { file: PathBuf::from("environment"), line: None };
    ConfigError::Value { place, key: name.to_owned(), expected }
}

/// `$XDG_STATE_HOME/tf-shim`, else `~/.local/state/tf-shim`. A relative XDG path is ignored, as its
/// specification says.
pub(crate) fn default_store() -> Result<PathBuf, ConfigError> {
    let xdg = set_variable("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = xdg.or_else(|| home().map(|home| home.join(".local/state")));
    state.map(|state| state.join("tf-shim")).ok_or(ConfigError::NoHome)
}

/// The user's home, where there is one.
fn home() -> Option<PathBuf> {
    // Not the one of the passwd file: without HOME, somebody wanted us to have none.
    set_variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
}
