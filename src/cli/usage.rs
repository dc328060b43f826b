//! Wrong usage, in our own words.

use std::error::Error as _;
use std::num::ParseIntError;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::model::text::escape;

/// A command line that is no command of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct WrongUsage {
    what: String,
    hint: String,
}

impl WrongUsage {
    /// Takes what clap found, and says it as all our messages are said.
    pub(super) fn of(error: &Error) -> Self {
        let text = |kind| error.get(kind).map(shown).filter(|text| !text.is_empty());
        let arg = text(ContextKind::InvalidArg).unwrap_or_default();
        let value = text(ContextKind::InvalidValue).unwrap_or_default();
        let what = match error.kind() {
            ErrorKind::InvalidSubcommand => {
                let word = text(ContextKind::InvalidSubcommand).unwrap_or_default();
                format!("`{word}` is not a command of tf shim")
            }
            ErrorKind::UnknownArgument => format!("unexpected `{arg}`"),
            ErrorKind::MissingRequiredArgument => format!("`{arg}` is missing"),
            ErrorKind::InvalidValue | ErrorKind::NoEquals if value.is_empty() => {
                format!("`{arg}` needs a value")
            }
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
                // What the standard library says of a number helps nobody.
                let ours = error.source().filter(|why| !why.is::<ParseIntError>());
                let why = ours.map(|why| format!(": {}", escape(why.to_string().as_bytes())));
                format!("`{value}` is not a value of `{arg}`{}", why.unwrap_or_default())
            }
            ErrorKind::ArgumentConflict => {
                let other = text(ContextKind::PriorArg);
                match other {
                    Some(other) if other != arg => format!("`{arg}` cannot be used with `{other}`"),
                    _ => format!("`{arg}` is given more than once"),
                }
            }
            ErrorKind::TooManyValues => format!("`{value}` is one value too many for `{arg}`"),
            ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
            _ => first_line(error),
        };
        Self { what, hint: hint(error) }
    }

    /// What to type instead, or where to read.
    pub(crate) fn hint(&self) -> &str {
        &self.hint
    }
}

fn hint(error: &Error) -> String {
    let suggested = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg]
        .into_iter()
        .chain([ContextKind::SuggestedValue])
        .find_map(|kind| error.get(kind))
        .map(shown)
        .filter(|text| !text.is_empty());
    let valid = error.get(ContextKind::ValidValue).map(shown).filter(|text| !text.is_empty());
    match (suggested, valid) {
        (Some(suggested), _) => format!("did you mean `{suggested}`? see `tf shim help`"),
        (None, Some(valid)) => format!("use one of {valid}"),
        (None, None) => "see `tf shim help`".to_owned(),
    }
}

fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => escape(text.as_bytes()),
        ContextValue::Strings(texts) => {
            texts.iter().map(|text| escape(text.as_bytes())).collect::<Vec<_>>().join(", ")
        }
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn first_line(error: &Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
