//! A configuration file as TOML in which everything knows its line.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::fcntl::OFlag;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};

/// Larger files are no configuration. In bytes.
const MOST_BYTES: u64 = 1 << 20;

/// A file's text and its name, for places.
pub(super) struct Document<'a> {
    /// The file's name.
    pub(super) path: &'a Path,
    /// The file's text.
    text: &'a str,
    /// Where its lines end, so that the lines of many rules are found at once.
    ends: Vec<usize>,
}

impl<'a> Document<'a> {
    /// A file's text.
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text, ends: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    /// Parses the text.
    ///
    /// # Errors
    /// It is not TOML.
    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'a>>, ConfigError> {
        DeTable::parse(self.text).map_err(|error| ConfigError::Syntax {
            place: self.place(&error.span().unwrap_or_default()),
            message: error.message().to_owned(),
        })
    }

    /// The file, and the line where a span begins.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        Place { file: self.path.to_owned(), line: Some(self.line(span.start)) }
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end < offset) + 1
    }

    /// A value of the wrong form.
    pub(super) fn wrong(
        &self,
        span: &Range<usize>,
        key: &str,
        expected: &'static str,
    ) -> ConfigError {
        ConfigError::Value { place: self.place(span), key: key.to_owned(), expected }
    }

    /// A key that this version does not know.
    pub(super) fn unknown(&self, span: &Range<usize>, key: &str) -> ConfigError {
        ConfigError::UnknownKey { place: self.place(span), key: key.to_owned() }
    }
}

/// A table with one key inside is named with it: `retention.auto` says more than `retention`.
pub(super) fn deepest_key(name: &str, value: &DeValue<'_>) -> String {
    let mut full = name.to_owned();
    if let DeValue::Table(table) = value
        && let Some((inner, _)) = table.iter().next()
    {
        let _ = write!(full, ".{}", inner.get_ref());
    }
    full
}

/// A string.
pub(super) fn word(value: &Spanned<DeValue<'_>>) -> Option<String> {
    value.get_ref().as_str().map(str::to_owned)
}

/// The elements of a list that has some.
pub(super) fn elements<'a, 'i>(
    value: &'a Spanned<DeValue<'i>>,
) -> Option<&'a [Spanned<DeValue<'i>>]> {
    let elements: &[_] = value.get_ref().as_array()?.as_ref();
    (!elements.is_empty()).then_some(elements)
}

/// Reads a file; none where there is none. Nothing is waited for, and nothing large is read.
///
/// # Errors
/// It is there and cannot be read, or is nothing that could be a configuration.
pub(super) fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let unfit = |why| ConfigError::Unfit { path: path.to_owned(), why };
    let file = match OpenOptions::new().read(true).custom_flags(flags.bits()).open(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) && path.is_symlink() => {
            return Err(unfit("is a link that leads nowhere"));
        }
        Err(error) if is_absent(&error) => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(unfit("is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(unfit("is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| unfit("is not UTF-8"))
}

/// Whether an error says that there is no such file.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}
