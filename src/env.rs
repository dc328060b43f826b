//! The name and meaning of every environment variable that `tf` looks at.
//!
//! What plain forwarding depends on is here and marked so; nothing else may be read before
//! Terraform has taken over. `docs/environment.md` is generated from the table below.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Forward everything, unguarded and unrecorded. Hot.
pub(crate) const BYPASS: &str = "TF_SHIM_BYPASS";
/// The real binary, an absolute path. Hot.
pub(crate) const REAL: &str = "TF_SHIM_REAL";
/// Nesting, and what the shims above are guarding. Hot, internal.
pub(crate) const DEPTH: &str = "TF_SHIM_DEPTH";
/// The directory of the store.
pub(crate) const STORE: &str = "TF_SHIM_STORE";
/// What to do when the state cannot be saved first.
pub(crate) const ON_ERROR: &str = "TF_SHIM_ON_ERROR";
/// State guards that may be passed, for one call.
pub(crate) const ALLOW: &str = "TF_SHIM_ALLOW";
/// Refuse what is not known to only read. Hot.
pub(crate) const READ_ONLY: &str = "TF_SHIM_READ_ONLY";
/// No talk.
pub(crate) const QUIET: &str = "TF_SHIM_QUIET";
/// Talk without a terminal.
pub(crate) const TALK: &str = "TF_SHIM_TALK";

/// Terraform: words inserted into every command line. Hot.
pub(crate) const TF_CLI_ARGS: &str = "TF_CLI_ARGS";
/// How much Terraform logs; the names of kindred variables begin so, too.
pub(crate) const TF_LOG: &str = "TF_LOG";
/// Set where GitHub Actions runs us.
pub(crate) const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";
/// The file that GitHub shows as a step's summary.
pub(crate) const GITHUB_STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The file that GitHub reads a step's outputs from.
pub(crate) const GITHUB_OUTPUT: &str = "GITHUB_OUTPUT";
/// Where Terraform's log goes.
pub(crate) const TF_LOG_PATH: &str = "TF_LOG_PATH";
/// Terraform: the directory of the backend record, default `.terraform`. Hot only in a nested call.
pub(crate) const TF_DATA_DIR: &str = "TF_DATA_DIR";
/// Terraform: the workspace, over what `workspace select` chose. Hot only in a nested call.
pub(crate) const TF_WORKSPACE: &str = "TF_WORKSPACE";
/// A shell asks for completions; Terraform answers and does nothing else. Hot.
pub(crate) const COMP_LINE: &str = "COMP_LINE";

/// Where Terraform's own configuration is; not the one of a project.
pub(crate) const TF_CLI_CONFIG_FILE: &str = "TF_CLI_CONFIG_FILE";

/// What the names of our variables begin with.
pub(crate) const PREFIX: &str = "TF_SHIM_";
/// What the names of those begin with that only tests and debug builds know.
pub(crate) const TEST_PREFIX: &str = "TF_SHIM_TEST";
/// Every variable of ours.
pub(crate) const OURS: &[&str] =
    &[BYPASS, REAL, STORE, ON_ERROR, ALLOW, READ_ONLY, QUIET, TALK, DEPTH];

/// When a variable is looked at. For the reference page.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By every call, forwarded ones included.
    Hot,
    /// Only by guarded commands and `tf shim`.
    Guarded,
    /// Set by us for our own children.
    Internal,
}

/// One row of the reference page.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// Who looks at it.
    pub(crate) reach: Reach,
    /// What it does, in Markdown, one sentence or two.
    pub(crate) meaning: &'static str,
}

/// Every variable of ours, in the order of the reference page.
#[cfg(test)]
pub(crate) const VARIABLES: &[Variable] = &[
    Variable {
        name: BYPASS,
        reach: Reach::Hot,
        meaning: "`1`: forward everything, unguarded and unrecorded.",
    },
    Variable {
        name: REAL,
        reach: Reach::Hot,
        meaning: "The real binary, an absolute path. Default: the first fitting program in the \
                  absolute entries of `PATH` that is not `tf` itself.",
    },
    Variable {
        name: STORE,
        reach: Reach::Guarded,
        meaning: "The directory of the store. Default: `$XDG_STATE_HOME/tf-shim`, else \
                  `~/.local/state/tf-shim`. Wins over `store` in the configuration.",
    },
    Variable {
        name: ON_ERROR,
        reach: Reach::Guarded,
        meaning: "`stop` (default) or `continue`: what to do when the state cannot be saved first.",
    },
    Variable {
        name: ALLOW,
        reach: Reach::Guarded,
        meaning: "Names of state guards, separated by commas, that may be passed by this call; \
                  recorded. Never `protected`, `read-only` or `unfinished`.",
    },
    Variable {
        name: READ_ONLY,
        reach: Reach::Hot,
        meaning: "`1`: refuse what is not known to only read.",
    },
    Variable {
        name: QUIET,
        reach: Reach::Guarded,
        meaning: "`1`: no talk. Refusals and failures still speak.",
    },
    Variable {
        name: TALK,
        reach: Reach::Guarded,
        meaning: "`1`: talk even where stderr is not a terminal, as in a CI log.",
    },
    Variable {
        name: DEPTH,
        reach: Reach::Internal,
        meaning: "How deep shims are nested, and what the ones above are guarding.",
    },
];

/// Variables by which known agents tell that they run a command.
const AGENTS: &[&str] = &["CLAUDECODE", "CURSOR_AGENT", "GEMINI_CLI", "AI_AGENT"];
/// What the names of further such variables begin with.
const AGENT_PREFIX: &[u8] = b"CODEX_";

/// Whether a known agent runs this command: no person would read a question.
pub(crate) fn has_agent() -> bool {
    let is_known = |name: &OsStr| {
        AGENTS.iter().any(|known| name == *known) || name.as_bytes().starts_with(AGENT_PREFIX)
    };
    std::env::vars_os().any(|(name, value)| !value.is_empty() && is_known(&name))
}

/// Whether a switch is on: set, not empty, and not `0`.
pub(crate) fn is_on(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
}

#[cfg(test)]
mod tests {
    use super::{OURS, PREFIX, VARIABLES};

    #[test]
    fn every_variable_of_the_reference_is_one_of_ours() {
        let listed: Vec<_> = VARIABLES.iter().map(|variable| variable.name).collect();
        assert_eq!(listed, OURS);
        assert!(OURS.iter().all(|name| name.starts_with(PREFIX)));
    }
}
