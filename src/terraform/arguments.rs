//! Arguments of plans and applies: which words go where when one command becomes several.
//!
//! A check makes several plans from one set of arguments, and a protected apply becomes a plan and an apply of
//! it; the words must mean the same in each. So `TF_CLI_ARGS*` are expanded here, in Terraform's order, and the
//! children get none of them. What is easy to get wrong: which word is a value; the arity is that of the one
//! table in `proxy::verb`.

use std::ffi::OsString;

use crate::env;
use crate::proxy::argv::{Unparsable, as_flag, is_false, split};
use crate::proxy::verb::takes_value;

/// Flags that we give ourselves, or that change what a plan says and not what it plans.
const OURS: &[&str] = &["out", "input", "json", "detailed-exitcode", "no-color"];
/// Flags that make sense once: a forced replacement is never gone (terraform-facts.md 8.3), and a file that
/// was generated is there.
const ONCE: &[&str] = &["replace", "generate-config-out"];
/// What `apply PLANFILE` still takes to heart; the rest is in the plan (terraform-facts.md 2).
const APPLY: &[&str] =
    &["lock", "lock-timeout", "parallelism", "state", "state-out", "backup", "compact-warnings"];
/// What an `apply` knows and what changes nothing about its plan.
const ONLY_APPLY: &[&str] =
    &["auto-approve", "backup", "state-out", "lock", "lock-timeout", "parallelism"];
/// What `destroy` does not know of what `plan` knows.
const NOT_DESTROY: &[&str] = &["destroy", "refresh-only", "replace", "generate-config-out"];

/// The arguments of a plan, word by word.
#[derive(Clone)]
pub(crate) struct Arguments {
    pub(super) words: Vec<Word>,
}

/// A flag with its value, or a positional word.
#[derive(Clone)]
pub(super) struct Word {
    /// The flag's name; none for what is no flag.
    pub(super) name: Option<String>,
    /// As it was written: one word or two.
    pub(super) text: Vec<OsString>,
}

/// Which plan the arguments are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// The one that is applied.
    First,
    /// After an apply, against the state as it is written down.
    WithoutRefresh,
    /// After an apply.
    Later,
}

impl Arguments {
    /// The user's words for `command`, behind what `TF_CLI_ARGS*` give it. A plan that is to be applied gets what
    /// an apply would plan with, too: an `apply` without a file makes its own plan, with `TF_CLI_ARGS_apply`.
    ///
    /// # Errors
    /// The name of the variable that cannot be taken apart.
    pub(crate) fn of(command: &str, words: &[OsString]) -> Result<Self, String> {
        let mut all = Vec::new();
        if command == "plan" {
            let apply = Self { words: read(&inserted(format!("{}_apply", env::TF_CLI_ARGS))?) };
            all.extend(apply.keep(|name| name.is_none_or(|name| !ONLY_APPLY.contains(&name))));
        }
        all.extend(inserted(format!("{}_{command}", env::TF_CLI_ARGS))?);
        all.extend(inserted(env::TF_CLI_ARGS.to_owned())?);
        all.extend(words.iter().cloned());
        Ok(Self { words: read(&all) })
    }

    /// What `plan` gets, ours apart.
    pub(crate) fn for_plan(&self, round: Round) -> Vec<OsString> {
        let is_kept = |name: &str| match round {
            _ if OURS.contains(&name) => false,
            Round::First => true,
            Round::WithoutRefresh => name != "refresh" && !ONCE.contains(&name),
            Round::Later => !ONCE.contains(&name),
        };
        self.keep(|name| name.is_none_or(is_kept))
    }

    /// What `apply PLANFILE` gets. Variables only where some are ephemeral: those are in no plan and must be
    /// given again (terraform-facts.md 8.4).
    pub(crate) fn for_apply(&self, variables: Variables) -> Vec<OsString> {
        let is_variable = |name: &str| matches!(name, "var" | "var-file");
        self.keep(|name| {
            name.is_some_and(|name| {
                APPLY.contains(&name) || (variables == Variables::Again && is_variable(name))
            })
        })
    }

    /// What `destroy` gets.
    pub(crate) fn for_destroy(&self) -> Vec<OsString> {
        let is_kept = |name: &str| !OURS.contains(&name) && !NOT_DESTROY.contains(&name);
        self.keep(|name| name.is_some_and(is_kept))
    }

    /// Whether a switch is on; the last one wins.
    pub(crate) fn is_on(&self, switch: &str) -> bool {
        let last = self.words.iter().rfind(|word| word.name.as_deref() == Some(switch));
        last.is_some_and(|word| word.value().is_none_or(|value| !is_false(&value)))
    }

    /// Whether a switch is turned off in so many words.
    pub(crate) fn is_off(&self, switch: &str) -> bool {
        self.has(switch) && !self.is_on(switch)
    }

    /// Whether a flag is there at all.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.words.iter().any(|word| word.name.as_deref() == Some(flag))
    }

    /// The values of a flag, in order.
    pub(crate) fn values(&self, flag: &str) -> Vec<OsString> {
        let named = self.words.iter().filter(|word| word.name.as_deref() == Some(flag));
        named.filter_map(Word::value).collect()
    }

    /// The words of those that are kept, as they were written; what is no flag has no name.
    pub(super) fn keep(&self, is_kept: impl Fn(Option<&str>) -> bool) -> Vec<OsString> {
        let kept = self.words.iter().filter(|word| is_kept(word.name.as_deref()));
        kept.flat_map(|word| word.text.iter().cloned()).collect()
    }
}

/// Whether variables are given to an apply of a saved plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variables {
    /// They are.
    Again,
    /// The plan holds them.
    InThePlan,
}

impl Word {
    /// The flag's value; none for a switch without one.
    pub(super) fn value(&self) -> Option<OsString> {
        match self.text.as_slice() {
            [_, value] => Some(value.clone()),
            [word] => as_flag(word)?.1,
            _ => None,
        }
    }
}

/// The words that a variable holds; none where it is not set.
fn inserted(variable: String) -> Result<Vec<OsString>, String> {
    let value = std::env::var_os(&variable).filter(|value| !value.is_empty());
    value.map_or(Ok(Vec::new()), |value| split(&value)).map_err(|Unparsable| variable)
}

/// Takes the words of a `plan` apart. Behind the first positional word, Terraform reads no more flags.
pub(super) fn read(words: &[OsString]) -> Vec<Word> {
    let mut taken = Vec::new();
    let mut words = words.iter();
    let mut is_over = false;
    while let Some(word) = words.next() {
        let flag = if is_over { None } else { as_flag(word) };
        let Some((name, value)) = flag else {
            is_over = true;
            taken.push(Word { name: None, text: vec![word.clone()] });
            continue;
        };
        let takes_next = value.is_none() && plan_takes_value(&name);
        let text = std::iter::once(word).chain(words.by_ref().take(usize::from(takes_next)));
        taken.push(Word { text: text.cloned().collect(), name: Some(name) });
    }
    taken
}

/// `plan` knows what `apply` knows, and two more (terraform-facts.md 2).
pub(crate) fn plan_takes_value(flag: &str) -> bool {
    matches!(flag, "out" | "generate-config-out") || takes_value("apply", flag) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Arguments { words: read(&words) }
    }

    fn line(words: &[OsString]) -> String {
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn later_plans_get_the_same_words_but_for_what_makes_sense_once() {
        let given = "-var a=b -out p -replace=t.a --replace t.b -target=t.c -refresh=true -json \
                     -generate-config-out g -input=true -var-file=x extra -out y";
        let words = arguments(given);
        assert_eq!(
            line(&words.for_plan(Round::First)),
            "-var a=b -replace=t.a --replace t.b -target=t.c -refresh=true -generate-config-out g \
             -var-file=x extra -out y"
        );
        assert_eq!(
            line(&words.for_plan(Round::WithoutRefresh)),
            "-var a=b -target=t.c -var-file=x extra -out y"
        );
        assert_eq!(
            line(&words.for_plan(Round::Later)),
            "-var a=b -target=t.c -refresh=true -var-file=x extra -out y"
        );
    }

    #[test]
    fn an_apply_of_a_plan_gets_what_is_not_in_the_plan() {
        let words =
            arguments("-var a=b -lock-timeout 5m -target=t.c -parallelism=2 -destroy -state=s");
        let in_the_plan = words.for_apply(Variables::InThePlan);
        assert_eq!(line(&in_the_plan), "-lock-timeout 5m -parallelism=2 -state=s");
        let again = words.for_apply(Variables::Again);
        assert_eq!(line(&again), "-var a=b -lock-timeout 5m -parallelism=2 -state=s");
    }

    #[test]
    fn a_destroy_gets_what_it_knows() {
        let words = arguments("-destroy -replace=t.a -refresh-only -var a=b -target=t.c x");
        assert_eq!(line(&words.for_destroy()), "-var a=b -target=t.c");
    }

    #[test]
    fn the_last_spelling_of_a_switch_counts() {
        let words = arguments("-refresh=false -refresh -destroy --destroy=F");
        assert!(words.is_on("refresh") && !words.is_off("refresh"));
        assert!(words.is_off("destroy") && !words.is_on("destroy"));
        assert!(!words.is_off("lock") && !words.is_on("lock"));
        assert_eq!(arguments("-var a=1 --var=b=2").values("var"), ["a=1", "b=2"]);
    }
}
