//! Long flags with one dash: `-json`, `-workspace=prod`, `-dry-run`.
//!
//! Only words that can be flags are touched: nothing after `--`, no value of a flag, no short flag and
//! nothing glued to a short flag that takes a value (`-mtext`). Which flags take values is asked of
//! clap's own table, so that there is no second one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use clap::{Arg, ArgAction, Command};

/// Gives every long flag its second dash.
pub(super) fn normalise(command: &Command, words: Vec<OsString>) -> Vec<OsString> {
    let flags = Flags::of(command);
    let mut is_value = false;
    let mut is_over = false;
    let turned = words.into_iter().map(|word| {
        if is_over || std::mem::take(&mut is_value) {
            return word;
        }
        if word == "--" {
            is_over = true;
            return word;
        }
        let word = flags.with_two_dashes(word);
        is_value = flags.takes_the_next(word.as_bytes());
        word
    });
    turned.collect()
}

/// Every flag of every command, and whether it takes a value. A flag means the same in all of them.
pub(super) struct Flags {
    long: BTreeMap<String, bool>,
    short: BTreeMap<u8, bool>,
}

impl Flags {
    /// Reads the table.
    pub(super) fn of(command: &Command) -> Self {
        let mut flags = Self { long: BTreeMap::new(), short: BTreeMap::new() };
        let commands = std::iter::once(command).chain(command.get_subcommands());
        for arg in commands.flat_map(Command::get_arguments) {
            let takes = takes_value(arg);
            if let Some(long) = arg.get_long() {
                flags.long.insert(long.to_owned(), takes);
            }
            if let Some(short) = arg.get_short().and_then(|short| u8::try_from(short).ok()) {
                flags.short.insert(short, takes);
            }
        }
        flags
    }

    /// A word as clap wants it.
    pub(super) fn with_two_dashes(&self, word: OsString) -> OsString {
        let is_long = match word.as_bytes() {
            [b'-', first, _, ..] if *first != b'-' => {
                let name = name_of(word.as_bytes());
                // What is no flag at all is turned, too: then clap complains about the whole word, not
                // about its first letter.
                self.long.contains_key(name) || self.short.get(first) != Some(&true)
            }
            _ => false,
        };
        if !is_long {
            return word;
        }
        let mut bytes = vec![b'-'];
        bytes.extend(word.into_vec());
        OsString::from_vec(bytes)
    }

    fn takes_the_next(&self, word: &[u8]) -> bool {
        match word {
            [b'-', b'-', ..] if !word.contains(&b'=') => {
                self.long.get(name_of(word)).copied().unwrap_or(false)
            }
            [b'-', short] => self.short.get(short).copied().unwrap_or(false),
            _ => false,
        }
    }
}

/// Whether a flag has a value.
pub(super) fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// The name of a flag without its dashes and its value; empty where it is not ASCII.
fn name_of(word: &[u8]) -> &str {
    let name = word.split(|byte| *byte == b'=').next().unwrap_or_default();
    let name = str::from_utf8(name).unwrap_or_default();
    name.trim_start_matches('-')
}
