//! A configuration file as TOML in which everything knows its line.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};

/// A file's text and its name, for places.
pub(super) struct Document<'a> {
    /// The file's name.
    pub(super) path: &'a Path,
    /// The file's text.
    pub(super) text: &'a str,
}

impl<'a> Document<'a> {
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
        let before = self.text.get(..offset).unwrap_or_default();
        before.matches('\n').count() + 1
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

/// Reads a file; none where there is none.
///
/// # Errors
/// It is there and cannot be read.
pub(super) fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
    }
}

/// Whether an error says that there is no such file.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}
