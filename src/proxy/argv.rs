//! Terraform's command line, read as Terraform reads it.
//!
//! Everything is compared as bytes and passed on as it came; nothing is decoded, normalised or quoted
//! again. What is read here decides what is protected, so the rules are those of Terraform's own
//! `main.go` and of `hashicorp/cli` (terraform-facts.md 2), its odd corners included.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::env;

use super::verb::{known_commands, takes_value};

/// Whether Terraform answers without running the command: help before any `--`, version anywhere,
/// the installation of completions.
pub(super) fn answers_by_itself(words: &[OsString]) -> bool {
    let is_version = |word: &OsString| word == "-v" || word == "-version" || word == "--version";
    if words.iter().any(is_version) {
        return true;
    }
    let before_dashes = words.iter().take_while(|word| *word != "--");
    before_dashes.map(|word| word.as_bytes()).any(|word| {
        let name = word.strip_prefix(b"--").or_else(|| word.strip_prefix(b"-"));
        name == Some(b"help")
            || word == b"-h"
            || name == Some(b"install-autocomplete")
            || name == Some(b"uninstall-autocomplete")
    })
}

/// A complete command line, without our own name and without `-chdir=`.
#[derive(Clone, Debug)]
pub(crate) struct CommandLine {
    chdir: Option<OsString>,
    words: Vec<OsString>,
    command: String,
    /// Where the words after the command begin; none where there is no command.
    after_command: Option<usize>,
    /// Where the command begins.
    command_at: usize,
    /// The variables whose words were merged in, the command's own first, and those words.
    cli_args: Vec<(String, Vec<OsString>)>,
}

/// One flag, and the value it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    /// Without dashes.
    pub(crate) name: String,
    /// After `=`, or the next word; none for a switch.
    pub(crate) value: Option<OsString>,
}

/// The words after the command, taken apart as Go's `flag` does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsed {
    /// The flags in order.
    pub(crate) flags: Vec<Flag>,
    /// What is left.
    pub(crate) positionals: Vec<OsString>,
    /// Whether a flag without `=` is in no table, so that nobody knows if it took the next word.
    pub(crate) has_unknown_flags: bool,
}

/// `TF_CLI_ARGS…` cannot be taken apart; Terraform will say so and stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unparsable;

impl CommandLine {
    /// Reads our own arguments.
    pub(super) fn read(arguments: &[OsString]) -> Self {
        let mut words = arguments.to_vec();
        let chdir = take_chdir(&mut words);
        Self::of(chdir, words)
    }

    fn of(chdir: Option<OsString>, words: Vec<OsString>) -> Self {
        let found = find_command(&words);
        let (command, command_at, after_command) = match found {
            Some((command, at, length)) => (command, at, Some(at + length)),
            None => (String::new(), 0, None),
        };
        Self { chdir, words, command, after_command, command_at, cli_args: Vec::new() }
    }

    /// Inserts the words of `TF_CLI_ARGS` and `TF_CLI_ARGS_<command>` where Terraform does.
    ///
    /// # Errors
    /// [`Unparsable`] where Terraform would refuse them.
    pub(super) fn with_cli_args(
        self,
        read: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Unparsable> {
        let suffix = self.command.replace(['-', ' '], "_");
        let names = [env::TF_CLI_ARGS.to_owned(), format!("{}_{suffix}", env::TF_CLI_ARGS)];
        let last_word = self.command.rsplit(' ').next().unwrap_or_default().to_owned();
        let mut words = self.words;
        let mut cli_args = Vec::new();
        for name in names {
            let Some(value) = read(&name).filter(|value| !value.is_empty()) else { continue };
            let at = words.iter().position(|word| *word == *last_word).map_or(0, |at| at + 1);
            let inserted = split(&value)?;
            words.splice(at..at, inserted.iter().cloned());
            // The second one is inserted at the same place, and so comes first.
            cli_args.insert(0, (name, inserted));
        }
        if cli_args.is_empty() {
            return Ok(Self { words, ..self });
        }
        Ok(Self { cli_args, ..Self::of(self.chdir, words) })
    }

    /// What `TF_CLI_ARGS*` added: the variables in the order of their words, and those words.
    pub(crate) fn cli_args(&self) -> &[(String, Vec<OsString>)] {
        &self.cli_args
    }

    /// Whether there is a command at all.
    pub(super) fn has_command(&self) -> bool {
        self.after_command.is_some()
    }

    /// Whether words of `TF_CLI_ARGS*` can make another command of it: `state` and `rm a.b`.
    pub(super) fn can_be_completed(&self) -> bool {
        !self.has_command() || known_commands().any(|known| begins_with_word(known, &self.command))
    }

    /// Whether flags other than `-chdir=` stand before the command: Terraform refuses those.
    pub(super) fn has_leading_flags(&self) -> bool {
        let before = self.words.get(..self.command_at).unwrap_or_default();
        before.iter().any(|word| word.as_bytes().starts_with(b"-"))
    }

    /// Whether the command is our own word.
    pub(super) fn is_shim(&self) -> bool {
        self.command == "shim" && !self.has_leading_flags()
    }

    /// What `-chdir=` names, and the words after `shim`.
    pub(super) fn into_shim(mut self) -> (Option<OsString>, Vec<OsString>) {
        let rest = self.words.split_off(self.after_command.unwrap_or(self.words.len()));
        (self.chdir, rest)
    }

    /// The command, its words joined by blanks.
    pub(crate) fn command(&self) -> &str {
        &self.command
    }

    /// What a person would say was called: the command, else the first word.
    pub(super) fn called(&self) -> String {
        let word = self.words.iter().find(|word| !word.is_empty());
        match (self.command.as_str(), word) {
            ("", Some(word)) => word.to_string_lossy().into_owned(),
            ("", None) => "terraform".to_owned(),
            (command, _) => command.to_owned(),
        }
    }

    /// All words, in Terraform's order, without `-chdir=`.
    pub(crate) fn words(&self) -> &[OsString] {
        &self.words
    }

    /// The words after the command.
    pub(crate) fn rest(&self) -> &[OsString] {
        let start = self.after_command.unwrap_or(self.words.len());
        self.words.get(start..).unwrap_or_default()
    }

    /// What `-chdir=` names.
    pub(crate) fn chdir(&self) -> Option<&OsStr> {
        self.chdir.as_deref()
    }

    /// Flags and positional words after the command.
    ///
    /// A flag that is in no table may or may not take the next word. Go would stop at the first
    /// positional word, so when flags follow, that word was a value; when none follow, it counts as
    /// positional.
    pub(crate) fn parse(&self) -> Parsed {
        let mut parsed = Parsed::default();
        // These two are taken out wherever they stand, also after positional words.
        let mut words =
            self.rest().iter().filter(|w| *w != "-no-color" && *w != "-compact-warnings");
        while let Some(word) = words.next() {
            let Some((name, value)) = as_flag(word) else {
                if word != "--" {
                    parsed.positionals.push(word.clone());
                }
                parsed.positionals.extend(words.by_ref().cloned());
                break;
            };
            if value.is_some() {
                parsed.flags.push(Flag { name, value });
                continue;
            }
            let takes = takes_value(&self.command, &name);
            parsed.has_unknown_flags |= takes.is_none();
            let is_value = takes.unwrap_or_else(|| next_is_a_value(words.clone()));
            let value = if is_value { words.next().cloned() } else { None };
            parsed.flags.push(Flag { name, value });
        }
        parsed
    }

    /// Whether a switch is on: last one wins, `=false` in Go's spellings turns it off.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        let parsed = self.parse();
        let last = parsed.flags.iter().rev().find(|flag| flag.name == name);
        last.is_some_and(|flag| !flag.value.as_deref().is_some_and(is_false))
    }

    /// Names this command on this state, so that a shim further down does not guard it once more.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hash = Fnv::default();
        hash.add(&self.place(&std::env::current_dir().unwrap_or_default()).to_le_bytes());
        for name in [env::TF_DATA_DIR, env::TF_WORKSPACE] {
            hash.add(std::env::var_os(name).unwrap_or_default().as_bytes());
        }
        hash.value
    }

    /// Names this command and where it works, as far as words and the working directory tell.
    pub(super) fn place(&self, here: &Path) -> u64 {
        let directory = self.chdir.as_ref().map_or(here.to_owned(), |chdir| here.join(chdir));
        let directory = directory.canonicalize().unwrap_or(directory);
        let mut hash = Fnv::default();
        hash.add(self.command.as_bytes());
        hash.add(directory.as_os_str().as_bytes());
        for flag in self.parse().flags.iter().filter(|flag| flag.name.starts_with("state")) {
            hash.add(flag.name.as_bytes());
            hash.add(flag.value.as_deref().unwrap_or_default().as_bytes());
        }
        hash.value
    }
}

impl Parsed {
    /// The last value of a flag; last one wins.
    pub(crate) fn value(&self, name: &str) -> Option<&OsStr> {
        self.flags.iter().rev().find(|flag| flag.name == name)?.value.as_deref()
    }
}

/// Reads the environment for [`CommandLine::with_cli_args`].
pub(super) struct CliArgs;

impl CliArgs {
    /// The value of a variable.
    pub(super) fn from_environment(name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}

/// Takes the last `-chdir=DIR` of the leading flags out, as Terraform does before anything else.
fn take_chdir(words: &mut Vec<OsString>) -> Option<OsString> {
    let leading = words.iter().take_while(|word| word.as_bytes().starts_with(b"-")).count();
    let is_chdir =
        |word: &OsString| word.as_bytes().strip_prefix(b"-chdir=").is_some_and(|d| !d.is_empty());
    let at = words.get(..leading)?.iter().rposition(is_chdir)?;
    let word = words.remove(at);
    word.as_bytes().strip_prefix(b"-chdir=").map(|dir| OsStr::from_bytes(dir).to_owned())
}

/// Finds the command: the first word that is neither empty nor a flag, extended to the longest known
/// command of several words. Returns it with its position and its length in words.
fn find_command(words: &[OsString]) -> Option<(String, usize, usize)> {
    let words_before_dashes = words.iter().take_while(|word| *word != "--");
    let at = words_before_dashes
        .map(|word| word.as_bytes())
        .position(|word| !word.is_empty() && !word.starts_with(b"-"))?;
    // What is no text is no command either, but the beginning of its word may be one.
    let first = words.get(at)?.to_string_lossy();
    if first.contains(' ') {
        return None;
    }
    let ends = |word: &&OsString| {
        let word = word.as_bytes();
        word.is_empty() || word.starts_with(b"-") || word.contains(&b' ')
    };
    let run: Vec<_> =
        words.iter().skip(at).take_while(|word| !ends(word)).map(|w| w.to_string_lossy()).collect();
    let searched = run.join(" ");
    // `hashicorp/cli` takes the longest known command that the line begins with, then asks only that it
    // occurs as whole words *somewhere*: `state pullx state pull` runs `state pull`, and `applyx apply`
    // applies the plan in the file `apply`.
    let known =
        known_commands().filter(|known| searched.starts_with(known)).max_by_key(|k| k.len());
    let Some(known) = known.filter(|known| occurs_as_words(&searched, known)) else {
        return Some((first.into_owned(), at, 1));
    };
    Some((known.to_owned(), at, known.split(' ').count()))
}

/// Whether a known command of several words begins with this one.
fn begins_with_word(known: &str, word: &str) -> bool {
    known.strip_prefix(word).is_some_and(|rest| rest.starts_with(' '))
}

fn occurs_as_words(line: &str, command: &str) -> bool {
    line.match_indices(command).any(|(at, _)| {
        let rest = line.get(at + command.len()..).unwrap_or_default();
        rest.is_empty() || rest.starts_with(' ')
    })
}

/// A word as a flag: one or two dashes, a name, perhaps `=` and a value. `-`, `--` and `-=` are none.
pub(crate) fn as_flag(word: &OsStr) -> Option<(String, Option<OsString>)> {
    let bytes = word.as_bytes();
    let body = bytes.strip_prefix(b"--").or_else(|| bytes.strip_prefix(b"-"))?;
    if body.is_empty() || body.starts_with(b"-") || body.starts_with(b"=") {
        return None;
    }
    let (name, value) = match body.iter().position(|byte| *byte == b'=') {
        Some(at) => (body.get(..at)?, body.get(at + 1..)),
        None => (body, None),
    };
    let name = String::from_utf8_lossy(name).into_owned();
    Some((name, value.map(|value| OsString::from_vec(value.to_vec()))))
}

/// For a flag in no table: whether the next word is a value, because flags follow it.
fn next_is_a_value<'a>(mut rest: impl Iterator<Item = &'a OsString>) -> bool {
    let is_flag = |word: &OsString| word.as_bytes().starts_with(b"-");
    rest.next().is_some_and(|next| !is_flag(next)) && rest.next().is_some_and(is_flag)
}

/// Go's spellings of false (`strconv.ParseBool`).
pub(crate) fn is_false(value: &OsStr) -> bool {
    ["0", "f", "F", "false", "FALSE", "False"].iter().any(|spelling| value == *spelling)
}

/// Go's spellings of true.
pub(crate) fn is_true(value: &OsStr) -> bool {
    ["1", "t", "T", "true", "TRUE", "True"].iter().any(|spelling| value == *spelling)
}

/// Splits a value of `TF_CLI_ARGS` as Terraform does (`mattn/go-shellwords` without expansion;
/// terraform-facts.md 1.4): like no shell and no crate, `;` and its kin silently end it.
///
/// # Errors
/// [`Unparsable`]: an unbalanced quote, backtick or parenthesis, or a backslash at the end.
pub(crate) fn split(value: &OsStr) -> Result<Vec<OsString>, Unparsable> {
    let mut words = Vec::new();
    let mut word: Vec<u8> = Vec::new();
    let mut has_word = false;
    let (mut escaped, mut single, mut double, mut back, mut dollar) =
        (false, false, false, false, false);
    for &byte in value.as_bytes() {
        if escaped {
            (escaped, has_word) = (false, true);
            word.push(byte);
            continue;
        }
        match byte {
            b'\\' if single => word.push(byte),
            b'\\' => escaped = true,
            b' ' | b'\t' | b'\r' | b'\n' if single || double || back || dollar => word.push(byte),
            b' ' | b'\t' | b'\r' | b'\n' => {
                if std::mem::take(&mut has_word) {
                    words.push(OsString::from_vec(std::mem::take(&mut word)));
                }
            }
            b'"' if !single && !dollar => {
                double = !double;
                has_word = true;
            }
            b'\'' if !double && !dollar => {
                single = !single;
                has_word = true;
            }
            b'(' if !single && !double && !back => {
                if dollar || !word.ends_with(b"$") {
                    return Err(Unparsable);
                }
                dollar = true;
                word.push(byte);
            }
            b';' | b'&' | b'|' | b'<' | b'>' if !single && !double && !back && !dollar => {
                // `1>x` reads as a redirection: the digit goes with it.
                has_word &= byte != b'>' || !word.first().is_some_and(u8::is_ascii_digit);
                break;
            }
            _ => {
                if byte == b'`' && !single && !double && !dollar {
                    back = !back;
                }
                if byte == b')' && !single && !double && !back {
                    dollar = !dollar;
                }
                has_word = true;
                word.push(byte);
            }
        }
    }
    if escaped || single || double || back || dollar {
        return Err(Unparsable);
    }
    if has_word {
        words.push(OsString::from_vec(word));
    }
    Ok(words)
}

/// The 64-bit FNV-1a hash, fields kept apart.
pub(super) struct Fnv {
    /// The hash so far.
    pub(super) value: u64,
}

impl Default for Fnv {
    fn default() -> Self {
        Self { value: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Fnv {
    /// Adds a field.
    pub(super) fn add(&mut self, field: &[u8]) {
        for byte in field.iter().chain(&[0xff]) {
            self.value = (self.value ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').filter(|w| !w.is_empty()).map(OsString::from).collect()
    }

    fn line(text: &str) -> CommandLine {
        CommandLine::read(&words(text))
    }

    fn split_text(text: &str) -> Option<Vec<String>> {
        let words = split(OsStr::new(text)).ok()?;
        Some(words.into_iter().map(|word| word.into_string().unwrap()).collect())
    }

    /// Each row was seen with Terraform 1.11.4 (`TF_LOG=info`, "CLI command args").
    #[test]
    fn cli_args_are_split_as_terraform_does() {
        let rows: &[(&str, Option<&[&str]>)] = &[
            ("-a  b", Some(&["-a", "b"])),
            ("''", Some(&[""])),
            ("a''b", Some(&["ab"])),
            ("a\\ b", Some(&["a b"])),
            ("\\", None),
            ("'\\'", Some(&["\\"])),
            ("\"\\\"\"", Some(&["\""])),
            ("$(a b)", Some(&["$(a b)"])),
            ("x$(a)", Some(&["x$(a)"])),
            ("$(a", None),
            ("a)", None),
            ("a(b", None),
            ("`a", None),
            ("a;b", Some(&["a"])),
            ("-var a=x;-destroy", Some(&["-var", "a=x"])),
            ("1>x", Some(&[])),
            ("a1>x", Some(&["a1"])),
            ("\\;x", Some(&[";x"])),
            ("`;`", Some(&["`;`"])),
            ("-target=x[\"k\"]", Some(&["-target=x[k]"])),
        ];
        for (text, expected) in rows {
            let expected = expected.map(|e| e.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
            assert_eq!(split_text(text), expected, "{text}");
        }
    }

    #[test]
    fn the_command_is_the_longest_known_one() {
        for (text, command) in [
            ("apply", "apply"),
            ("state rm a.b", "state rm"),
            ("state pullx", "state"),
            ("state pullx state pull", "state pull"),
            ("state -no-color rm", "state"),
            ("workspace delete x", "workspace delete"),
            ("-chdir=x apply", "apply"),
            ("-- apply", ""),
            ("", ""),
        ] {
            assert_eq!(line(text).command(), command, "{text}");
        }
        let with_blank = CommandLine::read(&[OsString::from("state rm")]);
        assert!(!with_blank.has_command());
        let after_empty = CommandLine::read(&[OsString::new(), OsString::from("apply")]);
        assert_eq!(after_empty.command(), "apply");
    }

    #[test]
    fn chdir_counts_only_among_the_leading_flags() {
        assert_eq!(line("-chdir=a apply").chdir(), Some(OsStr::new("a")));
        assert_eq!(line("apply -chdir=a").chdir(), None);
        assert!(line("-chdir=a -chdir=b apply").has_leading_flags());
        assert!(line("-chdir= apply").has_leading_flags());
        let after_empty = CommandLine::read(&[OsString::new(), "-chdir=a".into(), "apply".into()]);
        assert_eq!(after_empty.chdir(), None);
    }

    #[test]
    fn cli_args_come_after_the_command_and_specific_ones_first() {
        let read = |name: &str| match name {
            "TF_CLI_ARGS" => Some(OsString::from("-var a=g")),
            "TF_CLI_ARGS_state_mv" => Some(OsString::from("-lock=false")),
            _ => None,
        };
        let merged = line("state mv a b").with_cli_args(read).unwrap();
        assert_eq!(merged.words(), words("state mv -lock=false -var a=g a b"));
    }

    #[test]
    fn cli_args_can_supply_the_command() {
        let read = |name: &str| (name == "TF_CLI_ARGS").then(|| OsString::from("destroy -state=x"));
        let merged = line("-no-color").with_cli_args(read).unwrap();
        assert_eq!(merged.command(), "destroy");
        assert_eq!(merged.parse().value("state"), Some(OsStr::new("x")));
    }

    #[test]
    fn flags_are_read_as_go_does() {
        let parsed = line("apply -state a --state=b -lock=false -var x=1 -no-color plan").parse();
        assert_eq!(parsed.value("state"), Some(OsStr::new("b")));
        assert_eq!(parsed.value("lock"), Some(OsStr::new("false")));
        assert_eq!(parsed.positionals, words("plan"));
        let after_positional = line("apply plan -state=x").parse();
        assert_eq!(after_positional.value("state"), None);
    }

    #[test]
    fn an_unknown_flag_does_not_hide_the_state_flag_behind_it() {
        let parsed = line("apply -brand-new value -state=x").parse();
        assert_eq!(parsed.value("state"), Some(OsStr::new("x")));
        let plan = line("apply -brand-new plan").parse();
        assert_eq!(plan.positionals, words("plan"));
    }

    #[test]
    fn terraform_answers_help_and_version_by_itself() {
        for text in ["-v", "apply --version", "apply -help", "plan -- -v", "-install-autocomplete"]
        {
            assert!(answers_by_itself(&words(text)), "{text}");
        }
        for text in ["apply -- -h", "apply -help=true", "apply ---help", "apply v"] {
            assert!(!answers_by_itself(&words(text)), "{text}");
        }
    }

    #[test]
    fn a_switch_is_on_unless_its_last_value_says_false() {
        assert!(line("state rm -dry-run a").is_set("dry-run"));
        assert!(line("state rm --dry-run=true a").is_set("dry-run"));
        assert!(!line("state rm -dry-run -dry-run=F a").is_set("dry-run"));
        assert!(!line("state rm -state -dry-run a").is_set("dry-run"));
    }
}
