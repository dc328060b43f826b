//! What can stand at the cursor behind `tf shim`, read from clap's own table.
//!
//! There is no second list of commands and flags: what is added to `args.rs` is completed. What a value is
//! like is told by its name (`DIR`, `REF`), which the help shows, too.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use clap::{Arg, ArgAction, Command};

use super::super::dashes::{Flags, takes_value};

/// What can stand at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One of these words, each with what it means.
    Words(Vec<(String, String)>),
    /// A value, after the first `after` bytes of the word at the cursor.
    Value {
        /// What it is like.
        kind: ValueKind,
        /// Where it begins.
        after: usize,
    },
    /// An argument of Terraform's, behind `--` of that command.
    Terraform {
        /// The command of ours.
        command: String,
        /// How many words stand before it, `--` included.
        skipped: usize,
    },
    /// Nothing that we could know.
    Nothing,
}

/// What a value is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// One of a few, of which several may be given with commas between them.
    OneOf(Vec<String>),
    /// A state.
    Reference,
    /// A workspace.
    Workspace,
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A format of a report and a file.
    Report,
    /// One of our commands.
    Command,
    /// Something that a person has to make up.
    Own,
}

/// The values that flags of the line were given, by the names of the flags.
pub(super) type Given = Vec<(String, OsString)>;

/// Reads the words between `shim` and the cursor. Gives what can stand there, and what flags were given.
pub(super) fn wanted(root: &Command, words: &[OsString], current: &OsStr) -> (Wanted, Given) {
    let mut walk = Walk::at(root);
    for word in words {
        walk.take(word);
    }
    let wanted = walk.at_cursor(current);
    (wanted, walk.given)
}

struct Walk<'c> {
    root: &'c Command,
    flags: Flags,
    /// The command, once it is there; none where a word stands in its place that is none.
    command: Option<&'c Command>,
    is_known: bool,
    positionals: usize,
    /// The flag whose value comes next.
    awaits: Option<&'c Arg>,
    given: Given,
    used: Vec<String>,
    taken: usize,
    is_over: bool,
}

impl<'c> Walk<'c> {
    fn at(root: &'c Command) -> Self {
        Self {
            root,
            flags: Flags::of(root),
            command: None,
            is_known: true,
            positionals: 0,
            awaits: None,
            given: Given::new(),
            used: Vec::new(),
            taken: 0,
            is_over: false,
        }
    }

    fn take(&mut self, word: &OsString) {
        if self.is_over {
            return;
        }
        self.taken = self.taken.saturating_add(1);
        if let Some(flag) = self.awaits.take() {
            self.given.push((name_of(flag), word.clone()));
            return;
        }
        if word == "--" {
            self.is_over = true;
            return;
        }
        if let Some((flag, value)) = self.flag(word) {
            self.used.push(name_of(flag));
            match value {
                Some(value) => self.given.push((name_of(flag), value)),
                None => self.awaits = takes_value(flag).then_some(flag),
            }
            return;
        }
        if word.as_bytes().starts_with(b"-") {
            return;
        }
        if self.command.is_some() {
            self.positionals = self.positionals.saturating_add(1);
            return;
        }
        self.command = self.root.find_subcommand(word);
        self.is_known = self.command.is_some();
    }

    /// The flag that a word is, in either spelling, and the value behind its `=`.
    fn flag(&self, word: &OsStr) -> Option<(&'c Arg, Option<OsString>)> {
        let word = self.flags.with_two_dashes(word.to_owned());
        let bytes = word.as_bytes();
        if let Some(long) = bytes.strip_prefix(b"--") {
            let mut parts = long.splitn(2, |byte| *byte == b'=');
            let name = str::from_utf8(parts.next()?).ok()?;
            let value = parts.next().map(|value| OsStr::from_bytes(value).to_owned());
            return self.args().find(|arg| arg.get_long() == Some(name)).map(|arg| (arg, value));
        }
        let [b'-', short, rest @ ..] = bytes else { return None };
        let arg = self.args().find(|arg| arg.get_short() == Some(char::from(*short)))?;
        let value = (!rest.is_empty()).then(|| OsStr::from_bytes(rest).to_owned());
        Some((arg, value))
    }

    fn args(&self) -> impl Iterator<Item = &'c Arg> + use<'c> {
        let args = self.command.unwrap_or(self.root).get_arguments();
        args.filter(|arg| !arg.is_hide_set())
    }

    fn at_cursor(&self, current: &OsStr) -> Wanted {
        if let Some(flag) = self.awaits {
            return value(flag, current, 0);
        }
        let bytes = current.as_bytes();
        if self.is_over {
            let takes = self.args().any(Arg::is_last_set);
            return match self.command.filter(|_| takes) {
                Some(command) => Wanted::Terraform {
                    command: command.get_name().to_owned(),
                    skipped: self.taken,
                },
                None => Wanted::Nothing,
            };
        }
        if bytes.starts_with(b"-") {
            return match (self.flag(current), bytes.iter().position(|byte| *byte == b'=')) {
                (Some((flag, Some(_))), Some(at)) => value(flag, current, at.saturating_add(1)),
                (Some(_) | None, Some(_)) => Wanted::Nothing,
                (Some(_) | None, None) => self.flags_like(bytes),
            };
        }
        if !self.is_known {
            return Wanted::Nothing;
        }
        let Some(command) = self.command else {
            return Wanted::Words(commands(self.root));
        };
        if command.get_name() == "help" {
            return Wanted::Value { kind: ValueKind::Command, after: 0 };
        }
        let mut positionals = command.get_positionals().filter(|arg| !arg.is_last_set());
        match positionals.nth(self.positionals) {
            Some(arg) => value(arg, current, 0),
            None => Wanted::Nothing,
        }
    }

    /// The flags that can be added, with as many dashes as were typed; two where that is open.
    fn flags_like(&self, typed: &[u8]) -> Wanted {
        let dashes = if typed.len() > 1 && !typed.starts_with(b"--") { "-" } else { "--" };
        let is_free = |arg: &&Arg| {
            !self.used.contains(&name_of(arg)) || matches!(arg.get_action(), ArgAction::Append)
        };
        let mut words = Vec::new();
        for arg in self.args().filter(|arg| !arg.is_positional()).filter(is_free) {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            if let Some(long) = arg.get_long() {
                words.push((format!("{dashes}{long}"), help));
            } else if let Some(short) = arg.get_short() {
                words.push((format!("-{short}"), help));
            }
        }
        Wanted::Words(words)
    }
}

/// The commands with what they do.
pub(super) fn commands(root: &Command) -> Vec<(String, String)> {
    let shown = root.get_subcommands().filter(|command| !command.is_hide_set());
    let about = |command: &Command| command.get_about().map(ToString::to_string);
    shown
        .map(|command| (command.get_name().to_owned(), about(command).unwrap_or_default()))
        .collect()
}

fn name_of(arg: &Arg) -> String {
    arg.get_id().as_str().to_owned()
}

fn value(arg: &Arg, current: &OsStr, after: usize) -> Wanted {
    let kind = kind_of(arg).unwrap_or(ValueKind::Own);
    let typed = current.as_bytes().get(after..).unwrap_or_default();
    let comma =
        arg.get_value_delimiter().and_then(|_| typed.iter().rposition(|byte| *byte == b','));
    let after = after.saturating_add(comma.map_or(0, |at| at.saturating_add(1)));
    Wanted::Value { kind, after }
}

/// What the value of a flag, or an argument, is like; none where its name is not known here.
fn kind_of(arg: &Arg) -> Option<ValueKind> {
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        let names = possible.iter().map(|value| value.get_name().to_owned()).collect();
        return Some(ValueKind::OneOf(names));
    }
    let name = arg.get_value_names().and_then(|names| names.first())?;
    Some(match name.as_str() {
        "REF" | "A" | "B" => ValueKind::Reference,
        "NAME" => ValueKind::Workspace,
        "PATH" | "FILE" => ValueKind::File,
        "DIR" => ValueKind::Directory,
        "FORMAT=PATH" => ValueKind::Report,
        "COMMAND" => ValueKind::Command,
        "N" | "TEXT" | "DURATION" | "ADDRESS[:PATH]" | "ARGS" | "LINE" => ValueKind::Own,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::args::command;
    use super::*;

    fn at(line: &str) -> Wanted {
        let mut words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let current = words.pop().unwrap();
        wanted(&command(), &words, &current).0
    }

    fn words(line: &str) -> Vec<String> {
        match at(line) {
            Wanted::Words(words) => words.into_iter().map(|(word, _)| word).collect(),
            other => panic!("{line}: {other:?}"),
        }
    }

    fn kind(line: &str) -> (ValueKind, usize) {
        match at(line) {
            Wanted::Value { kind, after } => (kind, after),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_value_of_the_table_is_known() {
        let root = command();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            for arg in command.get_arguments().filter(|arg| takes_value(arg)) {
                let name = command.get_name();
                assert!(
                    kind_of(arg).is_some(),
                    "{name} {}: name its kind in kind_of",
                    arg.get_id()
                );
            }
        }
    }

    #[test]
    fn commands_are_offered_once_and_hidden_ones_never() {
        let all = words("");
        assert!(all.contains(&"restore".to_owned()) && all.contains(&"help".to_owned()), "{all:?}");
        assert!(!all.contains(&"complete".to_owned()), "{all:?}");
        assert_eq!(words("--json "), all);
        assert_eq!(at("lst "), Wanted::Nothing);
        assert_eq!(kind("help "), (ValueKind::Command, 0));
    }

    #[test]
    fn flags_have_the_dashes_that_were_typed() {
        assert!(words("list -").contains(&"--all".to_owned()));
        assert!(words("list --a").contains(&"--all".to_owned()));
        assert!(words("log -a").contains(&"-all".to_owned()));
        assert!(words("list -").contains(&"-n".to_owned()));
        assert!(!words("list -all -").contains(&"--all".to_owned()), "it was given");
        assert!(words("check --report json=x -").contains(&"--report".to_owned()), "again");
        assert!(!words("save -").contains(&"--all".to_owned()), "it is another command's");
    }

    #[test]
    fn values_are_known_by_their_names() {
        let colours = ["auto", "always", "never"].map(str::to_owned).to_vec();
        assert_eq!(kind("list --color "), (ValueKind::OneOf(colours.clone()), 0));
        assert_eq!(kind("list -color=al"), (ValueKind::OneOf(colours), 7));
        assert_eq!(kind("diff "), (ValueKind::Reference, 0));
        assert_eq!(kind("diff @ "), (ValueKind::Reference, 0));
        assert_eq!(at("diff @ now "), Wanted::Nothing);
        assert_eq!(kind("cat @ -o "), (ValueKind::File, 0));
        assert_eq!(kind("--store "), (ValueKind::Directory, 0));
        assert_eq!(kind("-workspace="), (ValueKind::Workspace, 11));
        assert_eq!(kind("check --report=json=x"), (ValueKind::Report, 9));
        assert_eq!(kind("check --fail-on output,").1, 7);
        assert_eq!(kind("save -m "), (ValueKind::Own, 0));
    }

    #[test]
    fn what_follows_two_dashes_is_terraforms() {
        let behind =
            |command: &str, skipped| Wanted::Terraform { command: command.into(), skipped };
        assert_eq!(at("which -- ap"), behind("which", 2));
        assert_eq!(at("check --yes -- -var-file=x -"), behind("check", 3));
        assert_eq!(at("list -- "), Wanted::Nothing);
    }
}
