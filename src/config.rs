//! What the user set: environment, the user's file, the project's file; parsed once, typed.
//!
//! The user's file is trusted. The project's file is reviewed in git and not trusted: it holds `[guard]`
//! and `[check]` and nothing else. A key that this version does not know is an error, in both: a
//! setting that protects and is silently ignored would be worse than none.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use crate::env;

/// The project file's name.
const PROJECT_FILE: &str = ".tf-shim.toml";
/// The longest state that is read, unless set otherwise: 1 GiB.
const MAX_STATE_BYTES: u64 = 1 << 30;
/// How long a `state pull` may take, unless set otherwise.
const PULL_TIMEOUT: Duration = Duration::from_secs(60);

/// What the user set.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The directory of the store; absolute.
    pub(crate) store: PathBuf,
    /// What to do when the state cannot be saved first.
    pub(crate) on_error: OnError,
    /// States larger than this are refused, not read.
    pub(crate) max_state_bytes: u64,
    /// How long a `state pull` may take.
    pub(crate) pull_timeout: Duration,
}

/// What to do when the state cannot be saved first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnError {
    /// Do not start Terraform.
    Stop,
    /// Start it all the same.
    Continue,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// A file is there and cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file is not TOML.
    #[error("{place}: not TOML: {message}")]
    Syntax {
        /// File and line.
        place: Place,
        /// What the parser says.
        message: String,
    },
    /// A key that this version does not know.
    #[error("{place}: unknown key `{key}`")]
    UnknownKey {
        /// File and line.
        place: Place,
        /// The key, with its table.
        key: String,
    },
    /// A key that a project file must not hold.
    #[error("{place}: `{key}` is not allowed in a project file")]
    ForbiddenKey {
        /// File and line.
        place: Place,
        /// The key.
        key: String,
    },
    /// A value of the wrong form.
    #[error("{place}: `{key}` must be {expected}")]
    Value {
        /// File and line, or the variable.
        place: Place,
        /// The key.
        key: String,
        /// What would be right.
        expected: &'static str,
    },
    /// There is no place for the store.
    #[error("there is no home directory to keep the store in")]
    NoHome,
}

/// Where a setting stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    file: PathBuf,
    line: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}

impl Config {
    /// Reads everything that counts for a root module.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and key.
    pub(crate) fn load(root_module: &Path) -> Result<Self, ConfigError> {
        let user = UserFile::load()?;
        check_project_files(root_module)?;
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
        Ok(Self { store, on_error, max_state_bytes, pull_timeout })
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
        let UserFile { on_error, max_state_bytes, pull_timeout, .. } = user;
        Ok((Self { store, on_error, max_state_bytes, pull_timeout }, Some(fault)))
    }
}

impl ConfigError {
    /// Whether it only says that there is no place to save to.
    pub(crate) fn is_about_the_store(&self) -> bool {
        matches!(self, Self::NoHome)
    }
}

impl OnError {
    /// What the environment alone says.
    pub(crate) fn of_environment() -> Self {
        let word = set_variable(env::ON_ERROR);
        word.and_then(|word| Self::parse(word.to_str()?)).unwrap_or(Self::Stop)
    }

    const EXPECTED: &str = "`stop` or `continue`";

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

fn variable(name: &str, expected: &'static str) -> ConfigError {
    let place = Place { file: PathBuf::from("environment"), line: None };
    ConfigError::Value { place, key: name.to_owned(), expected }
}

/// `$XDG_STATE_HOME/tf-shim`, else `~/.local/state/tf-shim`. A relative XDG path is ignored, as its
/// specification says.
fn default_store() -> Result<PathBuf, ConfigError> {
    let xdg = set_variable("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = xdg.or_else(|| home().map(|home| home.join(".local/state")));
    state.map(|state| state.join("tf-shim")).ok_or(ConfigError::NoHome)
}

fn home() -> Option<PathBuf> {
    // Not the one of the passwd file: without HOME, somebody wanted us to have none.
    set_variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
}

fn user_file() -> Option<PathBuf> {
    let xdg = set_variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config = xdg.or_else(|| home().map(|home| home.join(".config")))?;
    Some(config.join("tf-shim/config.toml"))
}

/// The user's file.
struct UserFile {
    store: Option<PathBuf>,
    on_error: OnError,
    max_state_bytes: u64,
    pull_timeout: Duration,
}

impl Default for UserFile {
    fn default() -> Self {
        Self {
            store: None,
            on_error: OnError::Stop,
            max_state_bytes: MAX_STATE_BYTES,
            pull_timeout: PULL_TIMEOUT,
        }
    }
}

impl UserFile {
    fn load() -> Result<Self, ConfigError> {
        let Some(path) = user_file() else { return Ok(Self::default()) };
        let Some(text) = read(&path)? else { return Ok(Self::default()) };
        Self::parse(&path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let document = Document { path, text };
        let mut file = Self::default();
        for (key, value) in document.parse()?.into_inner() {
            let name = key.get_ref().as_ref();
            let wrong = |expected| ConfigError::Value {
                place: document.place(&value.span()),
                key: name.to_owned(),
                expected,
            };
            let word = match value.get_ref() {
                DeValue::String(word) => Some(word.as_ref()),
                _ => None,
            };
            match name {
                "store" => {
                    let path = word.map(PathBuf::from).filter(|path| path.is_absolute());
                    file.store = Some(path.ok_or_else(|| wrong("an absolute path"))?);
                }
                "on_error" => {
                    let parsed = word.and_then(OnError::parse);
                    file.on_error = parsed.ok_or_else(|| wrong(OnError::EXPECTED))?;
                }
                "max_state" => {
                    let parsed = word.and_then(parse_size);
                    file.max_state_bytes =
                        parsed.ok_or_else(|| wrong("a size such as \"1GiB\""))?;
                }
                "pull_timeout" => {
                    let parsed = word.and_then(parse_duration);
                    file.pull_timeout =
                        parsed.ok_or_else(|| wrong("a duration such as \"60s\""))?;
                }
                _ => return Err(document.unknown(&key.span(), &deepest_key(name, value.get_ref()))),
            }
        }
        Ok(file)
    }
}

/// Looks at every project file from the root module up to the top of its repository.
fn check_project_files(root_module: &Path) -> Result<(), ConfigError> {
    let root = root_module.canonicalize().unwrap_or_else(|_| root_module.to_owned());
    let top = root.ancestors().find(|directory| directory.join(".git").exists()).unwrap_or(&root);
    for directory in root.ancestors().take_while(|directory| directory.starts_with(top)) {
        let path = directory.join(PROJECT_FILE);
        if let Some(text) = read(&path)? {
            check_project_file(&path, &text)?;
        }
    }
    Ok(())
}

fn check_project_file(path: &Path, text: &str) -> Result<(), ConfigError> {
    let document = Document { path, text };
    for (key, value) in document.parse()?.into_inner() {
        let name = key.get_ref().as_ref();
        if name != "guard" && name != "check" {
            let place = document.place(&key.span());
            return Err(ConfigError::ForbiddenKey { place, key: name.to_owned() });
        }
        let DeValue::Table(table) = value.get_ref() else {
            let place = document.place(&value.span());
            return Err(ConfigError::Value { place, key: name.to_owned(), expected: "a table" });
        };
        if let Some((inner, _)) = table.iter().next() {
            let full = format!("{name}.{}", inner.get_ref());
            return Err(document.unknown(&inner.span(), &full));
        }
    }
    Ok(())
}

/// A table with one key inside is named with it: `retention.auto` says more than `retention`.
fn deepest_key(name: &str, value: &DeValue<'_>) -> String {
    let mut full = name.to_owned();
    if let DeValue::Table(table) = value
        && let Some((inner, _)) = table.iter().next()
    {
        let _ = write!(full, ".{}", inner.get_ref());
    }
    full
}

fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// A file's text and its name, for places.
struct Document<'a> {
    path: &'a Path,
    text: &'a str,
}

impl<'a> Document<'a> {
    fn parse(&self) -> Result<toml::Spanned<DeTable<'a>>, ConfigError> {
        DeTable::parse(self.text).map_err(|error| ConfigError::Syntax {
            place: self.place(&error.span().unwrap_or_default()),
            message: error.message().to_owned(),
        })
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Place { file: self.path.to_owned(), line: Some(line) }
    }

    fn unknown(&self, span: &Range<usize>, key: &str) -> ConfigError {
        ConfigError::UnknownKey { place: self.place(span), key: key.to_owned() }
    }
}

/// A size in bytes: a whole number and a unit.
fn parse_size(text: &str) -> Option<u64> {
    let units: [(&str, u64); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let (number, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    number.trim().parse::<u64>().ok()?.checked_mul(factor).filter(|size| *size > 0)
}

/// A duration: a whole number and `ms`, `s`, `m` or `h`.
fn parse_duration(text: &str) -> Option<Duration> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    let (number, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    let millis = number.trim().parse::<u64>().ok()?.checked_mul(factor)?;
    (millis > 0).then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Result<UserFile, String> {
        UserFile::parse(Path::new("config.toml"), text).map_err(|error| error.to_string())
    }

    fn project(text: &str) -> Option<String> {
        check_project_file(Path::new(".tf-shim.toml"), text).err().map(|error| error.to_string())
    }

    #[test]
    fn the_users_file_is_read() {
        let file = user(
            "store = \"/srv/tf\"\non_error = \"continue\"\nmax_state = \"2MiB\"\npull_timeout = \"5s\"\n",
        );
        let file = file.ok().unwrap();
        assert_eq!(file.store, Some(PathBuf::from("/srv/tf")));
        assert_eq!(file.on_error, OnError::Continue);
        assert_eq!(file.max_state_bytes, 2 << 20);
        assert_eq!(file.pull_timeout, Duration::from_secs(5));
    }

    #[test]
    fn faults_name_file_line_and_key() {
        for (text, expected) in [
            ("\nstore = \"x\"", "config.toml:2: `store` must be an absolute path"),
            ("store = 1", "config.toml:1: `store` must be an absolute path"),
            ("max_state = \"1\"", "config.toml:1: `max_state` must be a size such as \"1GiB\""),
            ("a = 1", "config.toml:1: unknown key `a`"),
            ("[retention]\nauto = true", "config.toml:1: unknown key `retention.auto`"),
        ] {
            assert_eq!(user(text).err().as_deref(), Some(expected));
        }
        assert!(user("store = ").err().unwrap().starts_with("config.toml:1: not TOML"));
    }

    #[test]
    fn a_project_file_can_name_no_store_and_no_unknown_guard() {
        assert_eq!(project(""), None);
        assert_eq!(project("[guard]\n[check]\n"), None);
        for (text, expected) in [
            ("store = \"/x\"", ".tf-shim.toml:1: `store` is not allowed in a project file"),
            ("[hooks]\na=1", ".tf-shim.toml:1: `hooks` is not allowed in a project file"),
            ("[guard]\n\nprotect = 1", ".tf-shim.toml:3: unknown key `guard.protect`"),
            ("check = 1", ".tf-shim.toml:1: `check` must be a table"),
        ] {
            assert_eq!(project(text).as_deref(), Some(expected));
        }
    }

    #[test]
    fn sizes_and_durations_need_a_unit() {
        assert_eq!(parse_size("1GiB"), Some(1 << 30));
        assert_eq!(parse_size("10B"), Some(10));
        assert_eq!(parse_size("10"), None);
        assert_eq!(parse_size("0B"), None);
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!(parse_duration("5"), None);
    }
}
