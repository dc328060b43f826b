//! The one table of what is known to only read, for read-only mode.
//!
//! Everything that is not in it is refused there, so the question is never "does this write?" but "do we
//! know that it does not?". In doubt the answer is no: a flag that writes counts wherever it stands, also
//! where Terraform would take it for the value of another one, and a second word that we do not know may be
//! a command of a later version.

use std::ffi::{OsStr, OsString};

use super::argv::{CommandLine, as_flag, is_false};

/// The commands that only read, as one word or several (interface.md 3). `env` is the old name of
/// `workspace`, `state ls` is `OpenTofu`'s name of `state list`.
const READS: &[&str] = &[
    "plan",
    "show",
    "output",
    "validate",
    "fmt",
    "graph",
    "console",
    "providers",
    "providers schema",
    "state",
    "state list",
    "state ls",
    "state show",
    "state pull",
    "version",
    "workspace",
    "workspace list",
    "workspace show",
    "workspace select",
    "env",
    "env list",
    "env show",
    "env select",
    "get",
    "init",
];

/// Commands whose second word makes another command of them; alone they read, or print their help.
const FAMILIES: &[&str] = &["providers", "state", "workspace", "env"];

/// Flags that make one of them write state.
const WRITING_FLAGS: &[(&str, &[&str])] = &[
    ("init", &["migrate-state", "force-copy", "reconfigure"]),
    ("workspace select", &["or-create"]),
    ("env select", &["or-create"]),
];

/// Whether a complete command line is known to only read. One without a command prints the help.
pub(super) fn only_reads(line: &CommandLine) -> bool {
    let command = line.command();
    if !line.has_command() {
        return !line.words().iter().any(is_plain);
    }
    if !READS.contains(&command) {
        return false;
    }
    let is_of_a_family = FAMILIES.contains(&command) && line.rest().iter().any(is_plain);
    let writing = WRITING_FLAGS.iter().find(|(name, _)| *name == command);
    let is_writing = |word: &OsString| writing.is_some_and(|(_, flags)| sets_one_of(word, flags));
    !is_of_a_family && !line.words().iter().any(is_writing)
}

/// Whether Terraform would write into the shell's start files; it does not matter what else is asked for.
pub(super) fn installs_completion(words: &[OsString]) -> bool {
    let is_wish = |word: &OsString| {
        let flag = as_flag(word).map(|(name, _)| name);
        flag.is_some_and(|name| name.ends_with("install-autocomplete"))
    };
    words.iter().any(is_wish)
}

/// Whether a word could be a command: neither empty nor a flag.
fn is_plain(word: &OsString) -> bool {
    !word.is_empty() && !word.as_encoded_bytes().starts_with(b"-")
}

/// Whether a word is one of these flags, and not turned off by its own value.
fn sets_one_of(word: &OsStr, flags: &[&str]) -> bool {
    let Some((name, value)) = as_flag(word) else { return false };
    flags.contains(&name.as_str()) && !value.is_some_and(|value| is_false(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str) -> bool {
        let words: Vec<OsString> = text.split(' ').map(OsString::from).collect();
        only_reads(&CommandLine::read(&words))
    }

    #[test]
    fn what_is_known_to_read_is_let_through() {
        for line in [
            "plan",
            "plan -destroy -out=p",
            "-chdir=x plan",
            "show p",
            "output -json",
            "validate",
            "fmt -recursive",
            "graph",
            "console",
            "providers",
            "providers schema -json",
            "state list",
            "state ls",
            "state show a.b",
            "state pull",
            "version",
            "workspace list",
            "workspace show",
            "workspace select x",
            "env list",
            "env select x",
            "get -update",
            "init",
            "init -upgrade -input=false",
            "init -reconfigure=false",
            "state",
            "workspace",
            "",
            "-json",
            " state list",
            "state pullx state pull",
        ] {
            assert!(reads(line), "{line}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        for line in [
            "apply",
            "destroy",
            "import a b",
            "refresh",
            "taint a",
            "untaint a",
            "state mv a b",
            "state rm a",
            "state rm -dry-run a",
            "state push f",
            "state replace-provider a b",
            "state migrate",
            "workspace new x",
            "workspace delete x",
            "env new x",
            "force-unlock x",
            "workspace select -or-create x",
            "env select --or-create=true x",
            "workspace select x -or-create",
            "init -migrate-state",
            "init --force-copy",
            "init -reconfigure=true",
            "init -reconfigure=maybe",
            "init -reconfigure=false -reconfigure",
            "init -backend-config -migrate-state",
            "init x -force-copy",
            "test",
            "test cleanup",
            "login",
            "logout",
            "providers lock",
            "providers mirror d",
            "providers -x lock",
            "query",
            "stacks",
            "push",
            "metadata functions",
            "foo",
            "Plan",
            "planx plan",
            "applyx apply",
            "state pullx",
            "state showx state rm a",
            "state rmx state rm a",
            "state -x rm a",
            " apply",
            "-- apply",
            "-x apply",
            "state identities",
        ] {
            assert!(!reads(line), "{line}");
        }
    }

    #[test]
    fn a_command_that_is_no_text_is_not_known() {
        use std::os::unix::ffi::OsStringExt;
        for bytes in [b"plan\xff".to_vec(), b"apply\xff".to_vec()] {
            assert!(!only_reads(&CommandLine::read(&[OsString::from_vec(bytes)])));
        }
        assert!(!only_reads(&CommandLine::read(&[OsString::from("state rm")])));
    }

    #[test]
    fn completion_is_installed_by_flags_of_one_and_two_dashes() {
        let installs = |word: &str| installs_completion(&[OsString::from(word)]);
        assert!(installs("-install-autocomplete") && installs("--uninstall-autocomplete"));
        assert!(!installs("install-autocomplete") && !installs("-help"));
    }
}
