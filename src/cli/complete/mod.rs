//! What can be typed next: the answer to a Tab, for the scripts that `tf shim completion` prints.
//!
//! The scripts are thin. They hand the line up to the cursor to `tf shim complete`, a word that no help
//! shows; here it is taken apart, and answered by Terraform itself, which is asked as shells ask it
//! (`COMP_LINE`), or, behind `shim`, by clap's table. Nothing is ever printed but an answer: a Tab that finds
//! a store or a configuration broken finds less. What is easy to get wrong: whether `shim` is our word at
//! some place is for the router to say, so it is asked, with the words of the line.

mod line;
mod script;
mod table;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use crate::model::text::escape;
use crate::ops::completion::{self, Place};
use crate::proxy::depth::Depth;
use crate::proxy::{Route, route};
use crate::ui::report::ReportFormat;

use super::args;
pub(super) use script::script;

use line::Line;
use table::{Given, ValueKind, Wanted};

/// What `shim` is, in shells that show it.
const SHIM: &str = "the history of the state: list, diff, restore, check";

/// What a shell is to offer.
#[derive(Debug, PartialEq, Eq)]
enum Offer {
    /// Words, each with what it means.
    Words(Vec<(String, String)>),
    /// Beginnings of words: no blank follows them.
    Stems(Vec<(String, String)>),
    /// Files.
    Files,
    /// Directories.
    Directories,
}

/// Answers for a line up to the cursor. `breaks` are the bytes at which the shell breaks what it replaces.
///
/// The first line is the kind of answer (`words`, `stems`, `files`, `directories`), a tab, and what of the
/// word at the cursor is not part of the file's name. The others are words that fit, each with a tab and what it means.
pub(super) fn answer(line: &OsStr, breaks: &OsStr) -> String {
    let line = Line::read(line, breaks);
    let (offer, after) = offer(&line);
    let lead = line.current.as_bytes().get(..after).unwrap_or_default();
    let lead = String::from_utf8_lossy(lead);
    let (kind, words) = match offer {
        Offer::Words(words) => ("words", words),
        Offer::Stems(words) => ("stems", words),
        Offer::Files => ("files", Vec::new()),
        Offer::Directories => ("directories", Vec::new()),
    };
    let mut text = format!("{kind}\t{}\n", escape(lead.as_bytes()));
    for (word, meaning) in words {
        let word = format!("{lead}{word}");
        if !word.as_bytes().starts_with(line.current.as_bytes()) {
            continue;
        }
        let Some(rest) = word.get(line.stays..) else { continue };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}\t{}", escape(rest.as_bytes()), escape(meaning.as_bytes()));
    }
    text
}

/// What to offer, and after how many bytes of the word at the cursor it begins.
fn offer(line: &Line<'_>) -> (Offer, usize) {
    let Some(program) = line.program() else { return (Offer::Words(Vec::new()), 0) };
    let mut words = line.arguments();
    if let Route::Shim { chdir, arguments } = route(&words, &Depth::default()) {
        let before = words.len().saturating_sub(arguments.len());
        let place = Place { called_as: program, chdir };
        return behind_shim(line, &place, &arguments, before);
    }
    let current = line.current.as_bytes();
    words.push("shim".into());
    let Route::Shim { chdir, .. } = route(&words, &Depth::default()) else {
        let chdir = chdir_of(&words);
        return terraforms(&Place { called_as: program, chdir }, line.whole(), current);
    };
    if current.starts_with(b"-chdir=") {
        return (Offer::Directories, "-chdir=".len());
    }
    let theirs = completion::terraform_words(&Place { called_as: program, chdir }, line.whole());
    let theirs = theirs.into_iter().map(|word| (word, String::new()));
    (Offer::Words(theirs.chain([("shim".to_owned(), SHIM.to_owned())]).collect()), 0)
}

/// What `-chdir=` names before another command than ours.
fn chdir_of(words: &[OsString]) -> Option<OsString> {
    let leading = words.iter().take_while(|word| word.as_bytes().starts_with(b"-"));
    let named = leading.filter_map(|word| word.as_bytes().strip_prefix(b"-chdir="));
    named.last().map(|directory| OsStr::from_bytes(directory).to_owned())
}

/// Terraform's own words; where it has none, a file may be meant.
fn terraforms(place: &Place<'_>, line: &OsStr, current: &[u8]) -> (Offer, usize) {
    let words = completion::terraform_words(place, line);
    if words.is_empty() {
        return (Offer::Files, after_equals(current));
    }
    (Offer::Words(words.into_iter().map(|word| (word, String::new())).collect()), 0)
}

/// Behind the `=` of a flag.
fn after_equals(current: &[u8]) -> usize {
    let equals =
        current.iter().position(|byte| *byte == b'=').filter(|_| current.starts_with(b"-"));
    equals.map_or(0, |at| at.saturating_add(1))
}

/// What can stand behind `shim`; `before` is how many words come before the arguments.
fn behind_shim(
    line: &Line<'_>,
    place: &Place<'_>,
    arguments: &[OsString],
    before: usize,
) -> (Offer, usize) {
    let root = args::command();
    let (wanted, given) = table::wanted(&root, arguments, &line.current);
    match wanted {
        Wanted::Words(words) => (Offer::Words(words), 0),
        Wanted::Nothing => (Offer::Words(Vec::new()), 0),
        Wanted::Terraform { command, skipped } => {
            let (program, skipped) = match command.as_str() {
                "which" => ("terraform", before.saturating_add(skipped)),
                // These are flags of a plan.
                _ => ("terraform plan", before.saturating_add(skipped)),
            };
            terraforms(place, &line.after(program, skipped), line.current.as_bytes())
        }
        Wanted::Value { kind, after } => value(line, place, &given, (&kind, after)),
    }
}

fn value(
    line: &Line<'_>,
    place: &Place<'_>,
    given: &Given,
    (kind, after): (&ValueKind, usize),
) -> (Offer, usize) {
    let typed = line.current.as_bytes().get(after..).unwrap_or_default();
    let plain = |words: Vec<String>| words.into_iter().map(|word| (word, String::new())).collect();
    let last = |name: &str| given.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    match kind {
        ValueKind::OneOf(words) => (Offer::Words(plain(words.clone())), after),
        ValueKind::Own => (Offer::Words(Vec::new()), after),
        ValueKind::File => (Offer::Files, after),
        ValueKind::Directory => (Offer::Directories, after),
        ValueKind::Command => (Offer::Words(table::commands(&args::command())), after),
        ValueKind::Workspace => {
            let typed = String::from_utf8_lossy(typed);
            let line = format!("terraform workspace select {typed}");
            let words = completion::terraform_words(place, OsStr::new(&line));
            (Offer::Words(plain(words)), after)
        }
        ValueKind::Report => match typed.iter().position(|byte| *byte == b'=') {
            Some(at) => (Offer::Files, after.saturating_add(at).saturating_add(1)),
            None => (reports(typed), after),
        },
        ValueKind::Reference => {
            let named = completion::Named {
                store: last("store"),
                workspace: last("workspace"),
                state: last("state"),
            };
            let typed = String::from_utf8_lossy(typed);
            (Offer::Words(completion::references(place, named, &typed)), after)
        }
    }
}

/// The formats of reports: a file follows each but the last.
fn reports(typed: &[u8]) -> Offer {
    if !typed.is_empty() && b"github".starts_with(typed) && !b"gitlab".starts_with(typed) {
        return Offer::Words(vec![("github".to_owned(), String::new())]);
    }
    let formats =
        ReportFormat::ALL.iter().map(|format| (format!("{}=", format.word()), String::new()));
    Offer::Stems(formats.chain([("github".to_owned(), String::new())]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(line: &str) -> String {
        answer(OsStr::new(line), OsStr::new(" \t\n\"'@><=;|&(:"))
    }

    fn first_words(line: &str) -> Vec<String> {
        let text = answered(line);
        text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn an_answer_holds_what_fits_without_what_bash_keeps() {
        assert_eq!(first_words("tf shim li"), ["words", "list"]);
        assert_eq!(first_words("tf -chdir=x shim list --a"), ["words", "--all"]);
        assert_eq!(first_words("tf shim -color=a"), ["words", "auto", "always"]);
        assert_eq!(first_words("tf shim list --color a"), ["words", "auto", "always"]);
        assert_eq!(answered("tf shim check --report=json=o"), "files\t--report=json=\n");
        assert_eq!(first_words("tf shim check --report jun"), ["stems", "junit="]);
        assert_eq!(first_words("tf shim check --report gith"), ["words", "github"]);
        assert_eq!(answered("tf shim list --store "), "directories\t\n");
        assert_eq!(answered("tf -chdir=su"), "directories\t-chdir=\n");
        assert_eq!(first_words("tf shim check --fail-on output,c"), ["words", "output,check"]);
        assert_eq!(first_words("tf"), ["words"]);
    }
}
