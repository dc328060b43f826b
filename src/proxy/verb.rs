//! The one table of what can change state.

use super::argv::CommandLine;

/// A command that can change state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// `apply`, also of a saved plan.
    Apply,
    /// `destroy`.
    Destroy,
    /// `import`.
    Import,
    /// `refresh`.
    Refresh,
    /// `taint`.
    Taint,
    /// `untaint`.
    Untaint,
    /// `state mv`, in `OpenTofu` also `state move`.
    StateMv,
    /// `state rm`, in `OpenTofu` also `state remove`.
    StateRm,
    /// `state push`.
    StatePush,
    /// `state replace-provider`.
    StateReplaceProvider,
    /// `state migrate`, from Terraform 1.16 on.
    StateMigrate,
    /// `workspace new`.
    WorkspaceNew,
    /// `workspace delete`.
    WorkspaceDelete,
    /// `workspace select -or-create`: `workspace new`, when there is none.
    WorkspaceSelect,
    /// `force-unlock`.
    ForceUnlock,
    /// `init`: writes state when it migrates.
    Init,
}

/// One row: the words of the command, what it is, and which of its flags take the next word
/// (terraform-facts.md 2).
struct Row {
    words: &'static str,
    verb: Verb,
    value_flags: &'static [&'static str],
}

/// `apply` and `destroy`; the last ones are `OpenTofu`'s and, from Terraform 1.14 on, `invoke`.
const APPLY_FLAGS: &[&str] = &[
    "lock-timeout",
    "state",
    "state-out",
    "backup",
    "parallelism",
    "target",
    "replace",
    "var",
    "var-file",
    "invoke",
    "exclude",
    "target-file",
    "exclude-file",
    "deprecation",
    "json-into",
];
/// `taint` and `untaint`.
const TAINT_FLAGS: &[&str] = &["backup", "lock-timeout", "state", "state-out"];
/// `state mv`.
const MV_FLAGS: &[&str] = &["backup", "backup-out", "lock-timeout", "state", "state-out"];
/// `state rm` and `state replace-provider`.
const RM_FLAGS: &[&str] = &["backup", "lock-timeout", "state"];
/// `import`.
const IMPORT_FLAGS: &[&str] = &[
    "state",
    "state-out",
    "backup",
    "parallelism",
    "config",
    "lock-timeout",
    "target",
    "var",
    "var-file",
];
/// `init`.
const INIT_FLAGS: &[&str] = &[
    "var",
    "var-file",
    "target",
    "from-module",
    "lock-timeout",
    "lockfile",
    "test-directory",
    "backend-config",
    "plugin-dir",
];
/// `workspace new`.
const NEW_FLAGS: &[&str] = &["lock-timeout", "state"];
/// `state push`, `workspace delete`.
const LOCK_FLAGS: &[&str] = &["lock-timeout"];

/// What can change state. `env` is the old name of `workspace`.
const TABLE: &[Row] = &[
    Row { words: "apply", verb: Verb::Apply, value_flags: APPLY_FLAGS },
    Row { words: "destroy", verb: Verb::Destroy, value_flags: APPLY_FLAGS },
    Row { words: "import", verb: Verb::Import, value_flags: IMPORT_FLAGS },
    Row { words: "refresh", verb: Verb::Refresh, value_flags: APPLY_FLAGS },
    Row { words: "taint", verb: Verb::Taint, value_flags: TAINT_FLAGS },
    Row { words: "untaint", verb: Verb::Untaint, value_flags: TAINT_FLAGS },
    Row { words: "state mv", verb: Verb::StateMv, value_flags: MV_FLAGS },
    Row { words: "state move", verb: Verb::StateMv, value_flags: MV_FLAGS },
    Row { words: "state rm", verb: Verb::StateRm, value_flags: RM_FLAGS },
    Row { words: "state remove", verb: Verb::StateRm, value_flags: RM_FLAGS },
    Row { words: "state push", verb: Verb::StatePush, value_flags: LOCK_FLAGS },
    Row {
        words: "state replace-provider",
        verb: Verb::StateReplaceProvider,
        value_flags: RM_FLAGS,
    },
    Row { words: "state migrate", verb: Verb::StateMigrate, value_flags: INIT_FLAGS },
    Row { words: "workspace new", verb: Verb::WorkspaceNew, value_flags: NEW_FLAGS },
    Row { words: "workspace delete", verb: Verb::WorkspaceDelete, value_flags: LOCK_FLAGS },
    Row { words: "workspace select", verb: Verb::WorkspaceSelect, value_flags: &[] },
    Row { words: "env new", verb: Verb::WorkspaceNew, value_flags: NEW_FLAGS },
    Row { words: "env delete", verb: Verb::WorkspaceDelete, value_flags: LOCK_FLAGS },
    Row { words: "env select", verb: Verb::WorkspaceSelect, value_flags: &[] },
    Row { words: "force-unlock", verb: Verb::ForceUnlock, value_flags: &[] },
    Row { words: "init", verb: Verb::Init, value_flags: INIT_FLAGS },
];

/// Other commands of several words, so that the longest known one is found.
const OTHERS: &[&str] = &[
    "state list",
    "state ls",
    "state show",
    "state pull",
    "state identities",
    "workspace list",
    "workspace show",
    "env list",
    "env show",
    "providers lock",
    "providers mirror",
    "providers schema",
];

/// Every command that can change state, and every other one of several words.
pub(super) fn known_commands() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.words).chain(OTHERS.iter().copied())
}

/// Whether a command can change state with some of its flags.
pub(super) fn can_change_state(command: &str) -> bool {
    TABLE.iter().any(|row| row.words == command)
}

impl Verb {
    /// The verb of a command line; none where the command cannot change state.
    pub(super) fn of(line: &CommandLine) -> Option<Self> {
        let verb = TABLE.iter().find(|row| row.words == line.command())?.verb;
        let changes = match verb {
            Self::StateMv | Self::StateRm => !line.is_set("dry-run"),
            Self::WorkspaceSelect => line.is_set("or-create"),
            Self::Apply
            | Self::Destroy
            | Self::Import
            | Self::Refresh
            | Self::Taint
            | Self::Untaint
            | Self::StatePush
            | Self::StateReplaceProvider
            | Self::StateMigrate
            | Self::WorkspaceNew
            | Self::WorkspaceDelete
            | Self::ForceUnlock
            | Self::Init => true,
        };
        changes.then_some(verb)
    }

    /// Its words, as lists show them.
    pub(crate) fn words(self) -> &'static str {
        TABLE.iter().find(|row| row.verb == self).map_or("", |row| row.words)
    }

    /// Whether it is one of ours that leaves no record where there is no state.
    pub(crate) fn needs_a_state_to_be_recorded(self) -> bool {
        match self {
            Self::Init | Self::WorkspaceDelete | Self::WorkspaceSelect | Self::ForceUnlock => true,
            Self::Apply
            | Self::Destroy
            | Self::Import
            | Self::Refresh
            | Self::Taint
            | Self::Untaint
            | Self::StateMv
            | Self::StateRm
            | Self::StatePush
            | Self::StateReplaceProvider
            | Self::StateMigrate
            // Looked at only where it copies a state, which is there afterwards.
            | Self::WorkspaceNew => false,
        }
    }
}

/// Whether a flag of that command takes the next word when it is written without `=`; none for a flag
/// that is in no table, so that nobody guesses.
pub(crate) fn takes_value(command: &str, flag: &str) -> Option<bool> {
    let row = TABLE.iter().find(|row| row.words == command)?;
    if row.value_flags.contains(&flag) {
        return Some(true);
    }
    SWITCHES.contains(&flag).then_some(false)
}

/// Flags that take no value, over all guarded commands.
const SWITCHES: &[&str] = &[
    "allow-missing",
    "allow-missing-config",
    "auto-approve",
    "backend",
    "compact-warnings",
    "concise",
    "consolidate-errors",
    "consolidate-warnings",
    "destroy",
    "detailed-exitcode",
    "dry-run",
    "force",
    "force-copy",
    "get",
    "ignore-remote-version",
    "input",
    "json",
    "lock",
    "migrate-state",
    "no-color",
    "or-create",
    "reconfigure",
    "refresh",
    "refresh-only",
    "show-sensitive",
    "upgrade",
    "verify-plugins",
];
