//! An `apply` or `destroy` as two commands: a plan into a file, and an apply of that file.
//!
//! Each of the user's words goes where it means the same: what says how to plan to the plan, what says where the
//! state goes to the apply, how things look to both. What Terraform itself would refuse is not split: it is
//! given as it came, but so that nothing can come of it (terraform-facts.md 2, 8.4).

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::proxy::Verb;
use crate::proxy::argv::{CommandLine, is_false, is_true};
use crate::proxy::verb::takes_value;

use super::arguments::{Arguments, Variables, Word, read};

/// What only the apply is told.
const ONLY_APPLY: &[&str] = &["auto-approve", "backup", "state-out", "json-into"];
/// What an apply of a saved plan is told; the rest is in the plan.
const APPLY: &[&str] = &[
    "backup",
    "concise",
    "consolidate-errors",
    "consolidate-warnings",
    "deprecation",
    "input",
    "json",
    "json-into",
    "lock",
    "lock-timeout",
    "parallelism",
    "show-sensitive",
    "state",
    "state-out",
];
/// The switches of `apply`; its other flags are in the one table. Those of [`ANYWHERE`] are none in any other
/// spelling: Terraform refuses `--no-color`.
const SWITCHES: &[&str] = &[
    "auto-approve",
    "concise",
    "consolidate-errors",
    "consolidate-warnings",
    "destroy",
    "input",
    "json",
    "lock",
    "refresh",
    "refresh-only",
    "show-sensitive",
];
/// The switches that Terraform takes out of a command line wherever they stand, in just this spelling.
const ANYWHERE: &[&str] = &["-no-color", "-compact-warnings"];

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// To make things as the configuration says.
    Normal,
    /// To destroy everything.
    Destroy,
    /// To write down what is.
    RefreshOnly,
}

/// A command line, taken apart for its two commands.
pub(crate) struct Detour {
    chdir: Option<OsString>,
    /// The switches that may stand anywhere.
    anywhere: Vec<OsString>,
    words: Arguments,
    /// The plan that is to be applied; none where one is to be made.
    pub(crate) saved: Option<OsString>,
    /// What the plan is for, where one is to be made.
    pub(crate) mode: Mode,
    /// Whether nobody is to be asked.
    pub(crate) is_approved: bool,
}

/// Why a command line cannot be taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Terraform itself refuses it.
    Refused,
    /// A flag is in no table, so that nobody can say where it belongs. Most likely Terraform does not know it
    /// either.
    Unknown {
        /// Its name.
        flag: String,
        /// Whether there are words that are no flags, one of which may be its value.
        has_words: bool,
    },
}

impl Detour {
    /// Takes a command line apart.
    ///
    /// # Errors
    /// Terraform would refuse it, or might.
    pub(crate) fn of(line: &CommandLine, verb: Verb) -> Result<Self, Unfit> {
        let is_anywhere = |word: &OsString| ANYWHERE.iter().any(|switch| word == *switch);
        let (anywhere, rest): (Vec<_>, Vec<_>) =
            line.rest().iter().cloned().partition(|word| is_anywhere(word));
        let words = Arguments { words: read(&rest) };
        let is_destroy = verb == Verb::Destroy;
        let is_approved = words.is_on("auto-approve");
        let has_mode = words.is_on("destroy") || words.is_on("refresh-only");
        let positionals = line.parse().positionals;
        let saved = positionals.first().filter(|plan| !plan.is_empty()).cloned();
        let names = words.words.iter().filter_map(|word| word.name.as_ref());
        if let Some(flag) = names.clone().find(|name| !is_known(name)) {
            let has_words = words.words.iter().any(|word| word.name.is_none());
            return Err(Unfit::Unknown { flag: flag.clone(), has_words });
        }
        let is_refused = !words.words.iter().all(is_clear)
            || positionals.len() > 1
            || (is_destroy && (saved.is_some() || has_mode))
            || (words.is_on("json") && !is_approved && saved.is_none());
        let mode = match (is_destroy || words.is_on("destroy"), words.is_on("refresh-only")) {
            (true, _) => Mode::Destroy,
            (false, true) => Mode::RefreshOnly,
            (false, false) => Mode::Normal,
        };
        if is_refused {
            return Err(Unfit::Refused);
        }
        Ok(Self { chdir: chdir(line), anywhere, words, saved, mode, is_approved })
    }

    /// The command that makes the plan. Our own words come first, so that a flag of the user's that lacks its
    /// value cannot take one of them. `destroy -destroy=false` destroys, so the mode is one of ours.
    pub(crate) fn plan(&self, file: &Path) -> Vec<OsString> {
        let mut line = self.line("plan");
        line.push([OsStr::new("-out="), file.as_os_str()].into_iter().collect());
        if self.mode == Mode::Destroy {
            line.push("-destroy".into());
        }
        let is_kept = |name: &str| !ONLY_APPLY.contains(&name) && name != "destroy";
        line.extend(self.words.keep(|name| name.is_some_and(is_kept)));
        line
    }

    /// The command that applies the plan. Of a plan that is not ours all words stay as they are.
    pub(crate) fn apply(&self, file: &Path, variables: Variables) -> Vec<OsString> {
        let is_kept = |name: &str| {
            let is_variable = matches!(name, "var" | "var-file");
            self.saved.is_some()
                || APPLY.contains(&name)
                || (variables == Variables::Again && is_variable)
        };
        let mut line = self.line("apply");
        line.extend(self.words.keep(|name| name.is_some_and(is_kept)));
        line.push(file.into());
        line
    }

    /// Whether colours are unwanted.
    pub(crate) fn is_plain(&self) -> bool {
        self.anywhere.iter().any(|switch| switch == "-no-color")
    }

    fn line(&self, command: &str) -> Vec<OsString> {
        let chdir = self.chdir.iter().cloned();
        chdir.chain([command.into()]).chain(self.anywhere.iter().cloned()).collect()
    }
}

/// A command line that Terraform would refuse, so that nothing comes of it even if it does not: nobody has
/// approved anything. Behind the first word that is no flag, Terraform reads no more of them.
pub(crate) fn unapproved(line: &CommandLine) -> Vec<OsString> {
    let is_approval = |word: &Word| {
        let is_named = word.name.as_deref() == Some("auto-approve");
        is_named && word.value().is_none_or(|value| is_true(&value))
    };
    let command = line.command().split(' ').map(OsString::from);
    let words = read(line.rest()).into_iter().filter(|word| !is_approval(word));
    chdir(line).into_iter().chain(command).chain(words.flat_map(|word| word.text)).collect()
}

fn chdir(line: &CommandLine) -> Option<OsString> {
    let directory = line.chdir()?;
    Some([OsStr::new("-chdir="), directory].into_iter().collect())
}

/// Whether a flag is in a table of ours.
fn is_known(name: &str) -> bool {
    SWITCHES.contains(&name) || takes_value("apply", name) == Some(true)
}

/// Whether a switch is on or off, and nothing in between.
fn is_clear(word: &Word) -> bool {
    let is_switch = word.name.as_deref().is_some_and(|name| SWITCHES.contains(&name));
    let value = word.value().filter(|_| is_switch);
    value.is_none_or(|value| is_true(&value) || is_false(&value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::Guarded;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn taken(line: &str) -> Option<Detour> {
        let guarded = Guarded::ours(&words(line)).unwrap();
        Detour::of(&guarded.line, guarded.verb).ok()
    }

    fn text(words: &[OsString]) -> String {
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    fn both(line: &str) -> [String; 2] {
        let detour = taken(line).unwrap();
        let apply = detour.apply(Path::new("/p"), Variables::InThePlan);
        [text(&detour.plan(Path::new("/p"))), text(&apply)]
    }

    #[test]
    fn each_word_goes_where_it_means_the_same() {
        assert_eq!(
            both(
                "-chdir=d apply -var a=b -lock-timeout 5m --target=t.c -auto-approve -backup=- \
                 -state s -state-out=o -parallelism=2 -input=false -no-color -refresh=false \
                 -compact-warnings -replace t.d -lock=true -var-file=f"
            ),
            [
                "-chdir=d plan -no-color -compact-warnings -out=/p -var a=b -lock-timeout 5m \
                 --target=t.c -state s -parallelism=2 -input=false -refresh=false -replace t.d \
                 -lock=true -var-file=f",
                "-chdir=d apply -no-color -compact-warnings -lock-timeout 5m -backup=- -state s \
                 -state-out=o -parallelism=2 -input=false -lock=true /p"
            ]
        );
        let again = taken("apply -var a=b -var-file f").unwrap();
        assert_eq!(
            text(&again.apply(Path::new("/p"), Variables::Again)),
            "apply -var a=b -var-file f /p"
        );
    }

    #[test]
    fn every_spelling_of_a_destroy_is_one() {
        for line in [
            "destroy",
            "destroy -destroy=false",
            "destroy -refresh-only=0",
            "apply -destroy",
            "apply --destroy=T",
            "apply -destroy=false -destroy",
        ] {
            let detour = taken(line).unwrap();
            assert_eq!(detour.mode, Mode::Destroy, "{line}");
            let plan = text(&detour.plan(Path::new("/p")));
            assert!(plan.starts_with("plan -out=/p -destroy"), "{plan}");
            assert_eq!(plan.matches("-destroy").count(), 1, "{plan}");
        }
        assert_eq!(taken("apply -destroy -destroy=false").unwrap().mode, Mode::Normal);
        assert_eq!(taken("apply -refresh-only").unwrap().mode, Mode::RefreshOnly);
    }

    #[test]
    fn what_terraform_refuses_is_not_taken_apart_and_approves_nothing() {
        for line in [
            "apply -destroy=maybe",
            "apply -auto-approve=maybe",
            "apply -nope",
            "apply -out=x",
            "apply -detailed-exitcode",
            "apply --no-color",
            "apply a b",
            "apply -json",
            "destroy x",
            "destroy -destroy",
            "destroy -refresh-only",
        ] {
            assert!(taken(line).is_none(), "{line}");
        }
        let line = "apply -nope -auto-approve --auto-approve=1 -auto-approve=maybe x -auto-approve";
        let guarded = Guarded::ours(&words(line)).unwrap();
        assert_eq!(
            text(&unapproved(&guarded.line)),
            "apply -nope -auto-approve=maybe x -auto-approve"
        );
    }

    #[test]
    fn a_saved_plan_is_exchanged_and_nothing_else() {
        let detour = taken("apply -auto-approve -var a=b -target=t.a -no-color -- plan").unwrap();
        assert_eq!(detour.saved.as_deref(), Some(OsStr::new("plan")));
        assert_eq!(
            text(&detour.apply(Path::new("/p"), Variables::InThePlan)),
            "apply -no-color -auto-approve -var a=b -target=t.a /p"
        );
        assert!(taken("apply -json x").is_some() && taken("apply -json -auto-approve").is_some());
    }

    #[test]
    fn who_approves_says_it_last() {
        assert!(taken("apply -auto-approve=false -auto-approve").unwrap().is_approved);
        assert!(!taken("apply -auto-approve -auto-approve=false").unwrap().is_approved);
    }
}
