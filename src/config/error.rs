//! What can be wrong with the configuration, and where.
//!
//! Every fault in a file names it, the line and the key: a person must find it without reading the rest.

use std::path::{Path, PathBuf};

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
    /// Something is there that a configuration file cannot be.
    #[error("`{}` {why}", path.display())]
    Unfit {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
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
    /// A key that must be there is not.
    #[error("{place}: `{table}` needs `{key}`")]
    MissingKey {
        /// File and line of the table.
        place: Place,
        /// The table.
        table: &'static str,
        /// The key.
        key: &'static str,
    },
    /// There is no place for the store.
    #[error("there is no home directory to keep the store in")]
    NoHome,
}

impl ConfigError {
    /// The file and the line that are meant; none for what has no file.
    pub(crate) fn place(&self) -> Option<(&Path, Option<usize>)> {
        match self {
            Self::Read { path, .. } | Self::Unfit { path, .. } => Some((path, None)),
            Self::Syntax { place, .. }
            | Self::UnknownKey { place, .. }
            | Self::ForbiddenKey { place, .. }
            | Self::Value { place, .. }
            | Self::MissingKey { place, .. } => Some((&place.file, place.line)),
            Self::NoHome => None,
        }
    }

    /// Whether it only says that there is no place to save to.
    pub(crate) fn is_about_the_store(&self) -> bool {
        matches!(self, Self::NoHome)
    }
}

/// Where a setting stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The file, or `environment`.
    pub(super) file: PathBuf,
    /// The line, from 1.
    pub(super) line: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}
