//! The only form of a command line that can be recorded.
//!
//! An allow-list (store.md 12): what is not known to be harmless is not kept. The names of flags are
//! kept, their values only where the list says so, and positional arguments only in the places where
//! Terraform expects a plan, a workspace, an address or a file.
//!
//! What is easy to get wrong: which word *is* a value. Terraform's arity differs per command (its
//! `internal/command/arguments`, 1.11.4), flags may come from `TF_CLI_ARGS*`, and a flag there may take
//! its value from the command line (`TF_CLI_ARGS_apply=-var`). So both are read as one line, by
//! [`RedactedArgv::of_line`]. Doubt redacts.

use std::ffi::{OsStr, OsString};

use serde::{Deserialize, Serialize};

pub(crate) use super::text::OddText;
use super::verbs::{Place, Value, place, value_of};

/// What stands where something was not kept.
pub(crate) const REDACTED: &str = "‹redacted›";

/// What a command line must be read by: its command, and the arity of that command's flags.
#[derive(Clone, Copy)]
pub(crate) struct Grammar<'a> {
    /// The command as it stands in the line, words joined by blanks; for `apply -destroy` it is `apply`.
    pub(crate) command: &'a str,
    /// Whether a flag takes the next word where it has no `=`.
    pub(crate) takes_value: &'a dyn Fn(&str) -> bool,
}

/// A command line with every value that may be a secret replaced by `‹redacted›` (store.md 12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RedactedArgv(Vec<OddText>);

impl RedactedArgv {
    /// Redacts a command line together with the words of the `TF_CLI_ARGS*` variables that Terraform
    /// will insert, given in the order of insertion (the command's own first, then `TF_CLI_ARGS`). The
    /// result begins with one word `NAME=…` per variable. Where the line has another command than the
    /// grammar, nothing behind it is kept.
    pub(crate) fn of_line(
        variables: &[(String, Vec<OsString>)],
        argv: &[OsString],
        grammar: &Grammar<'_>,
    ) -> Self {
        let has_command = argv.iter().any(|word| {
            let bytes = word.as_encoded_bytes();
            !bytes.is_empty() && !bytes.starts_with(b"-")
        });
        let mut inserted = Reader::new(grammar);
        if has_command {
            inserted.starts_after_command();
        }
        let mut line: Vec<OddText> =
            variables.iter().map(|(name, words)| variable(name, &inserted.read(words))).collect();
        let mut reader = inserted;
        if has_command {
            reader.phase = Phase::Lead;
        }
        line.extend(reader.read(argv));
        Self(line)
    }

    /// The words.
    pub(crate) fn words(&self) -> &[OddText] {
        &self.0
    }

    /// The line for people: words in shell quotes where they need them, nothing that could harm a
    /// terminal.
    pub(crate) fn display(&self) -> String {
        self.0.iter().map(|word| quote(&word.display())).collect::<Vec<_>>().join(" ")
    }
}

fn variable(name: &str, words: &[OddText]) -> OddText {
    let words: Vec<_> = words.iter().map(|word| quote(&word.display())).collect();
    OddText::from(format!("{name}={}", words.join(" ")))
}

fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_=./:,@%+‹›".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Where in the line the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before the command.
    Lead,
    /// Inside the command: so many of its words have been read.
    Command(usize),
    /// Among the flags.
    Flags,
    /// Past the first positional argument, where Go's `flag` takes everything for one.
    Positional,
    /// Past something that should not be there.
    Lost,
}

/// What the word after a flag is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    /// The value of a flag that takes one.
    Value(Value),
    /// The value of a flag we do not know, unless it looks like a flag itself.
    Perhaps,
    /// The value of a flag that takes one, or that flag has had it.
    Doubt,
}

/// Reads a command line as Terraform does, and keeps what may be kept.
struct Reader<'v> {
    verb: Vec<&'v str>,
    takes_value: &'v dyn Fn(&str) -> bool,
    phase: Phase,
    pending: Pending,
    positional: usize,
    /// The phase behind the command: flags that were inserted there may already have ended.
    behind: Phase,
}

impl<'v> Reader<'v> {
    fn new(grammar: &Grammar<'v>) -> Self {
        Self {
            verb: grammar.command.split_whitespace().collect(),
            takes_value: grammar.takes_value,
            phase: Phase::Lead,
            pending: Pending::Nothing,
            positional: 0,
            behind: Phase::Flags,
        }
    }

    fn starts_after_command(&mut self) {
        self.phase = Phase::Flags;
    }

    fn read(&mut self, words: &[OsString]) -> Vec<OddText> {
        words.iter().map(|word| self.word(word)).collect()
    }

    fn word(&mut self, word: &OsStr) -> OddText {
        let text = word.to_str();
        let kept = match self.phase {
            Phase::Lead => self.lead(text),
            Phase::Command(done) => self.command(text, done),
            Phase::Flags => self.flag(text),
            Phase::Positional => self.positional(text),
            Phase::Lost => stripped(text),
        };
        if matches!(self.phase, Phase::Flags | Phase::Positional | Phase::Lost) {
            self.behind = self.phase;
        }
        match kept {
            // Paths may be any bytes; they are kept only where the text alone would be.
            Kept::Whole => OddText::from(word),
            Kept::Name(name) => OddText::from(format!("{name}={REDACTED}")),
            Kept::Nothing => OddText::from(REDACTED),
        }
    }

    fn lead<'t>(&mut self, text: Option<&'t str>) -> Kept<'t> {
        match text {
            Some("") => Kept::Whole,
            Some(text) if text.starts_with("-chdir=") => Kept::Whole,
            Some(text) if text.starts_with('-') => match Flag::parse(text) {
                Some(flag) => flag.name_only(),
                None => Kept::Nothing,
            },
            _ => self.command(text, 0),
        }
    }

    fn command<'t>(&mut self, text: Option<&'t str>, done: usize) -> Kept<'t> {
        if text.is_none() || self.verb.get(done).copied() != text {
            self.phase = Phase::Lost;
            return Kept::Nothing;
        }
        let done = done.saturating_add(1);
        self.phase = if done == self.verb.len() { self.behind } else { Phase::Command(done) };
        Kept::Whole
    }

    fn flag<'t>(&mut self, text: Option<&'t str>) -> Kept<'t> {
        if stripped(text) == Kept::Whole {
            // Terraform takes these out before it reads flags, or the flag before takes it as value.
            // Which one is not certain for every version, so what follows is not kept either.
            if matches!(self.pending, Pending::Value(_)) {
                self.pending = Pending::Doubt;
            }
            return Kept::Whole;
        }
        let Some(text) = text else {
            let pending = std::mem::replace(&mut self.pending, Pending::Nothing);
            if pending == Pending::Value(Value::Path) {
                return Kept::Whole;
            }
            if pending == Pending::Nothing {
                self.phase = Phase::Lost;
            }
            return Kept::Nothing;
        };
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Value(value) if value.may_keep(text) => return Kept::Whole,
            Pending::Value(_) => return Kept::Nothing,
            Pending::Perhaps | Pending::Doubt if !text.starts_with('-') => return Kept::Nothing,
            Pending::Doubt => {
                self.phase = Phase::Lost;
                return Kept::Nothing;
            }
            Pending::Perhaps | Pending::Nothing => {}
        }
        if text == "--" {
            self.phase = Phase::Positional;
            return Kept::Whole;
        }
        if text == "-" || !text.starts_with('-') {
            self.phase = Phase::Positional;
            return self.positional(Some(text));
        }
        let Some(flag) = Flag::parse(text) else {
            self.phase = Phase::Lost;
            return Kept::Nothing;
        };
        let value = value_of(flag.name);
        match (flag.value, value) {
            (Some(given), Some(value)) if value.may_keep(given) => Kept::Whole,
            (Some(_), _) => flag.name_only(),
            (None, _) => {
                self.pending = match ((self.takes_value)(flag.name), value) {
                    (true, value) => Pending::Value(value.unwrap_or(Value::Secret)),
                    (false, Some(Value::Bool | Value::SecretBool)) => Pending::Nothing,
                    (false, _) => Pending::Perhaps,
                };
                Kept::Whole
            }
        }
    }

    fn positional<'t>(&mut self, text: Option<&'t str>) -> Kept<'t> {
        if stripped(text) == Kept::Whole {
            return Kept::Whole;
        }
        let at = self.positional;
        self.positional = at.saturating_add(1);
        let kept = match (place(&self.verb, at), text) {
            (Place::None, _) => {
                self.phase = Phase::Lost;
                return Kept::Nothing;
            }
            (Place::Secret, _) => false,
            // `k=v` where a file should be is the value of a `-var` that went astray.
            (Place::Value(Value::Path), Some(text)) => !text.contains('='),
            (Place::Value(value), Some(text)) => value.may_keep(text),
            // Only a path may be odd bytes.
            (Place::Value(value), None) => value == Value::Path,
        };
        if kept { Kept::Whole } else { Kept::Nothing }
    }
}

/// Terraform removes these wherever they stand (facts 2), so they are never part of a value.
fn stripped(text: Option<&str>) -> Kept<'_> {
    match text {
        Some("-no-color" | "-compact-warnings") => Kept::Whole,
        _ => Kept::Nothing,
    }
}

/// How much of a word is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept<'t> {
    Whole,
    /// The flag, dashes included, but not its value.
    Name(&'t str),
    Nothing,
}

/// A word that is a flag.
struct Flag<'t> {
    /// With its dashes.
    dashed: &'t str,
    name: &'t str,
    value: Option<&'t str>,
}

impl<'t> Flag<'t> {
    /// `None` where it is no flag to Go, or where the name itself might be anything.
    fn parse(text: &'t str) -> Option<Self> {
        let (dashed, value) = match text.split_once('=') {
            Some((dashed, value)) => (dashed, Some(value)),
            None => (text, None),
        };
        let name = dashed.strip_prefix('-')?;
        let name = name.strip_prefix('-').unwrap_or(name);
        let is_word = |c: char| c.is_ascii_lowercase() || c == '-';
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 32
            && name.chars().all(is_word);
        is_name.then_some(Self { dashed, name, value })
    }

    fn name_only(&self) -> Kept<'t> {
        match self.value {
            Some(_) => Kept::Name(self.dashed),
            None => Kept::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_oneof, proptest};

    use super::{Grammar, RedactedArgv};

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    /// The arity that the tests' lines need; the real one is the caller's.
    fn takes_value(flag: &str) -> bool {
        let flags = "var var-file target replace state state-out out lock-timeout backend-config";
        flags.split(' ').any(|known| known == flag)
    }

    fn grammar(command: &str) -> Grammar<'_> {
        Grammar { command, takes_value: &takes_value }
    }

    fn shown(line: &str, verb: &str) -> String {
        RedactedArgv::of_line(&[], &words(line), &grammar(verb)).display()
    }

    #[test]
    fn what_the_list_allows_is_kept() {
        for (line, verb) in [
            ("-chdir=prod apply -auto-approve -target module.a.b plan.out", "apply"),
            (
                "apply -var-file=x.tfvars -state-out y --parallelism=3 -lock-timeout 10s -no-color",
                "apply",
            ),
            ("plan -out p -replace=a.b -json -refresh=false", "plan"),
            ("state mv a.b module.c.d", "state mv"),
            ("state rm -dry-run a.b a.c a.d", "state rm"),
            ("state push -force errored.tfstate", "state push"),
            ("workspace new -state old.tfstate blue", "workspace new"),
            ("taint -allow-missing a.b", "taint"),
        ] {
            assert_eq!(shown(line, verb), line);
        }
    }

    #[test]
    fn values_that_may_be_secret_are_not_kept() {
        for (line, verb, expected) in [
            (
                "apply -var k=S -var=k=S --var=k=S",
                "apply",
                "apply -var ‹redacted› -var=‹redacted› --var=‹redacted›",
            ),
            ("apply -var -S p", "apply", "apply -var ‹redacted› p"),
            (
                "init -backend-config=S -backend-config S",
                "init",
                "init -backend-config=‹redacted› -backend-config ‹redacted›",
            ),
            ("import a.b S", "import", "import a.b ‹redacted›"),
            ("import S a.b", "import", "import ‹redacted› ‹redacted›"),
            (
                "apply -new S -other=S -x -json",
                "apply",
                "apply -new ‹redacted› -other=‹redacted› -x -json",
            ),
            ("apply p S -auto-approve", "apply", "apply p ‹redacted› ‹redacted›"),
            (
                "apply -json=S -parallelism=S",
                "apply",
                "apply -json=‹redacted› -parallelism=‹redacted›",
            ),
            ("destroy S", "destroy", "destroy ‹redacted›"),
            ("-token=S apply", "apply", "-token=‹redacted› apply"),
            ("S apply", "apply", "‹redacted› ‹redacted›"),
            ("force-unlock -force S", "force-unlock", "force-unlock -force ‹redacted›"),
            ("apply -S", "apply", "apply ‹redacted›"),
            ("apply -var -no-color S", "apply", "apply -var -no-color ‹redacted›"),
        ] {
            assert_eq!(shown(line, verb), expected);
        }
    }

    #[test]
    fn a_flag_in_the_environment_takes_its_value_from_the_line() {
        let env = [("TF_CLI_ARGS_apply".to_owned(), words("-lock=false -var"))];
        let line = RedactedArgv::of_line(
            &env,
            &words("-chdir=x apply SECRET plan.out"),
            &grammar("apply"),
        );
        let expected = "'TF_CLI_ARGS_apply=-lock=false -var' -chdir=x apply ‹redacted› plan.out";
        assert_eq!(line.display(), expected);
    }

    #[test]
    fn the_environment_may_supply_the_command() {
        let env = [("TF_CLI_ARGS".to_owned(), words("destroy -var S"))];
        let line = RedactedArgv::of_line(&env, &[], &grammar("destroy"));
        assert_eq!(line.display(), "'TF_CLI_ARGS=destroy -var ‹redacted›'");
        let alone = RedactedArgv::of_line(
            &[("TF_CLI_ARGS_apply".to_owned(), words("-var S"))],
            &words("apply"),
            &grammar("apply"),
        );
        assert_eq!(alone.display(), "'TF_CLI_ARGS_apply=-var ‹redacted›' apply");
    }

    #[test]
    fn quotes_are_those_of_a_shell() {
        let argv =
            [OsString::from("state"), OsString::from("rm"), OsString::from(r#"a.b["it's"]"#)];
        let line = RedactedArgv::of_line(&[], &argv, &grammar("state rm"));
        assert_eq!(line.display(), r#"state rm 'a.b["it'\''s"]'"#);
    }

    /// Groups of words that carry the canary `C4N4RY` in a place where it must not be kept.
    fn secret_words() -> impl Strategy<Value = Vec<String>> {
        let canary = "[a-z0-9._/+ -]{0,6}C4N4RY[a-zA-Z0-9=._/:@ -]{0,12}";
        let flag = prop_oneof![
            Just("-var".to_owned()),
            Just("--var".to_owned()),
            Just("-backend-config".to_owned()),
            "-{1,2}[a-z]{3,12}x",
        ];
        (flag, canary, prop::bool::ANY).prop_map(|(flag, canary, joined)| {
            if joined { vec![format!("{flag}={canary}")] } else { vec![flag, format!("k{canary}")] }
        })
    }

    fn harmless_words() -> impl Strategy<Value = Vec<String>> {
        let line = prop::sample::select(vec![
            "-auto-approve",
            "-no-color",
            "-lock=false",
            "-target=a.b",
            "-out p",
            "-json",
            "-var-file x",
            "-compact-warnings",
            "-input=false",
            "-upgrade",
            "-weird",
        ]);
        line.prop_map(|line| line.split(' ').map(str::to_owned).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn no_canary_is_recorded(
            verb in prop::sample::select(vec!["apply", "plan", "init", "import", "refresh", "destroy", "unheard"]),
            groups in prop::collection::vec(prop_oneof![secret_words(), harmless_words()], 1..8),
            split in 0_usize..20,
            first in prop::bool::ANY,
        ) {
            let all: Vec<OsString> = groups.concat().into_iter().map(OsString::from).collect();
            let (env, rest) = all.split_at(split.min(all.len()));
            let env = [("TF_CLI_ARGS".to_owned(), env.to_vec())];
            let mut argv = vec![OsString::from(verb)];
            argv.extend_from_slice(rest);
            if first {
                argv.insert(0, OsString::from("-chdir=dir"));
            }
            let line = RedactedArgv::of_line(&env, &argv, &grammar(verb));
            let json = serde_json::to_string(&line).unwrap();
            assert!(!json.contains("C4N4RY"), "{json}");
            assert!(!line.display().contains("C4N4RY"));
        }
    }
}
