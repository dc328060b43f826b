//! Everything after `tf shim`: which command, with which flags.
//!
//! Parsing only: an [`Invocation`] is plain data, nothing is looked up and nothing is done. Long flags
//! may be written with one dash, as Terraform's are; `dashes.rs` turns them around before clap sees
//! them. What is easy to get wrong: clap's own status for wrong usage is 2, which of `check` and
//! `diff` means something else, so clap never prints and never exits here.

mod args;
mod check;
mod complete;
mod dashes;
mod exit;
mod failed;
mod install;
mod pages;
mod progress;
mod proxied;
mod read_only;
mod run;
mod usage;
mod voice;

use std::ffi::OsString;

use clap::FromArgMatches as _;
use clap::error::ErrorKind;

use self::args::Cli;
pub(crate) use self::args::{Command, Common};
pub(crate) use self::proxied::{cannot_hand_over, guard, refuse_to_run};
pub(crate) use self::run::run;
pub(crate) use self::usage::WrongUsage;

/// A command and the flags that every command has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    /// The flags that every command has.
    pub(crate) common: Common,
    /// What is to be done.
    pub(crate) command: Command,
}

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// Something to do.
    Run(Box<Invocation>),
    /// A help text: plain, and with colours. For stdout, status 0.
    Help {
        /// Without escape sequences.
        plain: String,
        /// With escape sequences.
        coloured: String,
    },
}

/// Reads the words after `shim`.
///
/// # Errors
/// The words are no command of ours: status [`crate::error::status::WRONG_USAGE`].
pub(crate) fn parse(words: Vec<OsString>) -> Result<Parsed, WrongUsage> {
    let mut command = args::command();
    let words = dashes::normalise(&command, words);
    let cli = command.try_get_matches_from_mut(words);
    match cli.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => Ok(Parsed::Run(Box::new(cli.into()))),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let text = error.render();
                Ok(Parsed::Help { plain: text.to_string(), coloured: text.ansi().to_string() })
            }
            ErrorKind::DisplayVersion => Ok(Parsed::Run(Box::new(Invocation {
                common: Common::default(),
                command: Command::Version,
            }))),
            _ => Err(WrongUsage::of(&error)),
        },
    }
}

impl From<Cli> for Invocation {
    fn from(cli: Cli) -> Self {
        Self { common: cli.common, command: cli.command.unwrap_or(Command::Status) }
    }
}

#[cfg(test)]
mod tests;
