//! The reference pages of `docs/` that are generated from the code.
//!
//! They are checked in; a test compares them with what is rendered here, and rewrites them where
//! `TF_SHIM_TESTS_ACCEPT=1` is set.
#![cfg(test)]

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::args::command;
use super::exit::{STATUSES, Status};
use crate::env::{Reach, VARIABLES};

/// Widest line of a page, in characters.
const COLUMNS: usize = 100;

/// What stands at the top of a page, under its title.
const GENERATED: &str = "<!-- Generated from the code; see src/cli/pages.rs. -->";

/// `docs/commands.md`.
fn commands() -> String {
    let root = command();
    let mut page = format!("# Commands\n\n{GENERATED}\n\n");
    let intro = "Everything here is typed after `tf shim`; `tf shim` alone shows where things stand. \
                 Long flags may be written with one dash, as Terraform's are. `tf -chdir=DIR shim …` is \
                 honoured. `tf shim help COMMAND` shows the same text.";
    let _ = writeln!(page, "{}", wrapped(intro, ""));
    let _ = write!(page, "\n## Common options\n\n{}", options(&root, Kin::Own));
    for command in shown(&root) {
        let _ = write!(page, "\n{}", section(command));
    }
    let references = root.get_after_help().map(ToString::to_string).unwrap_or_default();
    let references = references.split("\n\n").next().unwrap_or_default();
    let lines = references.lines().skip(1).map(|line| line.strip_prefix("  ").unwrap_or(line));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let _ = write!(page, "\n## References\n\nREF names a state:\n\n```text\n{lines}\n```\n");
    page
}

/// The commands that have a section.
fn shown(root: &Command) -> impl Iterator<Item = &Command> {
    root.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set())
}

/// Which options of a command are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kin {
    Own,
    Local,
}

fn section(command: &Command) -> String {
    let name = command.get_name();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut section = format!("## `{name}`\n\n{}\n", wrapped(&format!("{about}."), ""));
    let aliases: Vec<_> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        let _ = writeln!(section, "\nAlso called {}.", aliases.join(", "));
    }
    let usage = usage(command);
    let line = folded(&format!("tf shim {name}{usage}"));
    let _ = write!(section, "\n```text\n{line}\n```\n");
    let options = options(command, Kin::Local);
    if !options.is_empty() {
        let _ = write!(section, "\n{options}");
    }
    section
}

/// A usage line, folded between its options.
fn folded(line: &str) -> String {
    let mut lines = vec![String::new()];
    for part in line.split_inclusive("] ") {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + part.chars().count() > COLUMNS {
            lines.push("    ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(part);
        }
    }
    let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

fn usage(command: &Command) -> String {
    let mut words = String::new();
    for arg in local(command) {
        let value = value_of(arg).unwrap_or_default();
        let word = match (arg.get_short(), arg.get_long()) {
            (Some(short), _) => format!("-{short}{value}"),
            (None, Some(long)) => format!("--{long}{value}"),
            (None, None) if arg.is_last_set() => format!("-- {}…", value.trim_start()),
            (None, None) => value.trim_start().to_owned(),
        };
        let is_free = arg.is_required_set();
        let _ = if is_free { write!(words, " {word}") } else { write!(words, " [{word}]") };
    }
    words
}

fn local(command: &Command) -> impl Iterator<Item = &Arg> {
    let args = command.get_arguments();
    args.filter(|arg| !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help" | "version"))
}

fn options(command: &Command, kin: Kin) -> String {
    let mut list = String::new();
    let is_shown = |arg: &&Arg| match kin {
        Kin::Own => arg.is_global_set(),
        Kin::Local => true,
    };
    let args: Vec<_> = match kin {
        Kin::Own => command.get_arguments().filter(is_shown).collect(),
        Kin::Local => local(command).collect(),
    };
    for arg in args {
        let value = value_of(arg).unwrap_or_default();
        let name = match (arg.get_short(), arg.get_long()) {
            (Some(short), _) => format!("-{short}{value}"),
            (None, Some(long)) => format!("--{long}{value}"),
            (None, None) => value.trim_start().to_owned(),
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy());
        let default = match defaults.collect::<Vec<_>>().as_slice() {
            [value] if kin == Kin::Local && arg.get_action().takes_values() => {
                format!("; default `{value}`")
            }
            _ => String::new(),
        };
        let text = format!("* `{name}`: {help}{default}.");
        let _ = writeln!(list, "{}", wrapped(&text, "  "));
    }
    list
}

/// ` NAME` of a flag that takes a value.
fn value_of(arg: &Arg) -> Option<String> {
    let name = arg.get_value_names().and_then(|names| names.first())?;
    arg.get_action().takes_values().then(|| format!(" {name}"))
}

/// `docs/environment.md`.
fn environment() -> String {
    let mut page = format!("# Environment\n\n{GENERATED}\n\n");
    let intro = "What plain forwarding depends on is in the environment, never in a file. A switch is \
                 on where it is set, not empty and not `0`.";
    let _ = writeln!(page, "{}\n", wrapped(intro, ""));
    for variable in VARIABLES {
        let reach = match variable.reach {
            Reach::Hot => "Looked at by every call.",
            Reach::Guarded => "Looked at by guarded commands and `tf shim`.",
            Reach::Internal => "Internal: set by `tf` for the programs it runs.",
        };
        let text = format!("* `{}`: {} {reach}", variable.name, variable.meaning);
        let _ = writeln!(page, "{}", wrapped(&text, "  "));
    }
    page
}

/// `docs/exit-codes.md`.
fn exit_codes() -> String {
    let mut page = format!("# Exit status\n\n{GENERATED}\n\n");
    let intro = "After a command that Terraform ran, the status is Terraform's own. 125 to 127 follow \
                 `env`, `timeout` and `nohup`: no caller can mistake them for what Terraform says. An internal \
                 failure of `tf` is 125, too.";
    let _ = writeln!(page, "{}\n", wrapped(intro, ""));
    page.push_str("| Status | A command of Terraform's | `tf shim …` |\n| --- | --- | --- |\n");
    for Status { number, proxied, shim } in STATUSES {
        let _ = writeln!(page, "| {number} | {proxied} | {shim} |");
    }
    page
}

/// Folds a paragraph; every line but the first begins with `indent`.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("{indent}{word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "rewrites a page of the documentation, not a state")]
fn pages_are_those_in_docs() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let accepts = std::env::var_os("TF_SHIM_TESTS_ACCEPT").is_some_and(|value| value == "1");
    let pages = [
        ("commands.md", commands()),
        ("environment.md", environment()),
        ("exit-codes.md", exit_codes()),
    ];
    for (name, page) in pages {
        let path = docs.join(name);
        if accepts {
            std::fs::write(&path, &page).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(there, page, "{name} is old: run with TF_SHIM_TESTS_ACCEPT=1");
        assert!(page.lines().all(|line| line.chars().count() <= COLUMNS), "{name}");
    }
}
