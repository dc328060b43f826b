//! The user's file: `$XDG_CONFIG_HOME/tf-shim/config.toml`, trusted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::check::CheckConfig;
use super::document::{Document, deepest_key, read};
use super::error::ConfigError;
use super::guard::GuardConfig;
use super::{OnError, home, set_variable};

/// The longest state that is read, unless set otherwise: 1 GiB.
const MAX_STATE_BYTES: u64 = 1 << 30;
/// How long a `state pull` may take, unless set otherwise.
const PULL_TIMEOUT: Duration = Duration::from_secs(60);

/// The user's file.
pub(super) struct UserFile {
    /// `store`.
    pub(super) store: Option<PathBuf>,
    /// `on_error`.
    pub(super) on_error: OnError,
    /// `max_state`.
    pub(super) max_state_bytes: u64,
    /// `pull_timeout`.
    pub(super) pull_timeout: Duration,
    /// `[check]`.
    pub(super) check: CheckConfig,
    /// `[guard]`.
    pub(super) guard: GuardConfig,
}

impl Default for UserFile {
    fn default() -> Self {
        Self {
            store: None,
            on_error: OnError::Stop,
            max_state_bytes: MAX_STATE_BYTES,
            pull_timeout: PULL_TIMEOUT,
            check: CheckConfig::default(),
            guard: GuardConfig::default(),
        }
    }
}

impl UserFile {
    /// Reads it where it is.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and key.
    pub(super) fn load() -> Result<Self, ConfigError> {
        let Some(path) = user_file() else { return Ok(Self::default()) };
        let Some(text) = read(&path)? else { return Ok(Self::default()) };
        Self::parse(&path, &text)
    }

    /// Takes its text apart.
    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let document = Document::new(path, text);
        let mut file = Self::default();
        for (key, value) in document.parse()?.into_inner() {
            let name = key.get_ref().as_ref();
            let wrong = |expected| document.wrong(&value.span(), name, expected);
            let word = value.get_ref().as_str();
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
                    let size = word.and_then(parse_size);
                    file.max_state_bytes = size.ok_or_else(|| wrong("a size such as \"1GiB\""))?;
                }
                "pull_timeout" => {
                    let parsed = word.and_then(parse_duration);
                    file.pull_timeout =
                        parsed.ok_or_else(|| wrong("a duration such as \"60s\""))?;
                }
                "guard" => file.guard = GuardConfig::parse(&document, &value)?,
                "check" => file.check = CheckConfig::parse(&document, &value)?,
                _ => return Err(document.unknown(&key.span(), &deepest_key(name, value.get_ref()))),
            }
        }
        Ok(file)
    }
}

/// Where it is; none without a home.
fn user_file() -> Option<PathBuf> {
    let xdg = set_variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config = xdg.or_else(|| home().map(|home| home.join(".config")))?;
    Some(config.join("tf-shim/config.toml"))
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

/// A duration: a whole number and `ms`, `s`, `m` or `h`; none for anything else, and for nothing.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
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
        let file = user("[check]\noutputs = [\"a\"]\n").ok().unwrap();
        assert_eq!(file.check.outputs, ["a"]);
    }

    #[test]
    fn faults_name_file_line_and_key() {
        for (text, expected) in [
            ("\nstore = \"x\"", "config.toml:2: `store` must be an absolute path"),
            ("store = 1", "config.toml:1: `store` must be an absolute path"),
            ("max_state = \"1\"", "config.toml:1: `max_state` must be a size such as \"1GiB\""),
            ("a = 1", "config.toml:1: unknown key `a`"),
            ("[check]\nx = 1", "config.toml:2: unknown key `check.x`"),
            ("[retention]\nauto = true", "config.toml:1: unknown key `retention.auto`"),
        ] {
            assert_eq!(user(text).err().as_deref(), Some(expected));
        }
        assert!(user("store = ").err().unwrap().starts_with("config.toml:1: not TOML"));
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
