//! What must happen, said a second time: the two tables of the contract, in plain code of their own.

use std::fmt;

/// What is wrong with a state, next to the last good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    Right,
    /// No state, an empty one, or one without resources.
    Missing,
    /// What is there is no state.
    Corrupt,
    /// Another lineage.
    Foreign,
    /// A lower serial, or other content under the same one.
    Older,
    /// It cannot be written.
    Unwritable,
    /// A newer state of the lineage lies in `errored.tfstate`.
    Errored,
    /// It cannot be read, or is no file.
    Unreadable,
    /// Nothing; but only commands that read may run.
    ReadOnly,
}

/// Which guards a command asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// All of them.
    All,
    /// All but `missing-state`: it is the cure.
    AllButMissing,
    /// Whether the state can be written: a way out is not barred by what it leads out of.
    Writing,
    /// Whether what would be moved or deleted is a state at all.
    Corrupt,
    /// None: a plain `init`, which is known not to change a state.
    Nothing,
    /// None that judges the state; but it is not known to only read.
    Unlocking,
    /// None, and it touches no state that is there.
    NothingAndTouchesNone,
}

/// What happens to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Terraform is started.
    Passed,
    /// Refused by the guard of that name.
    Refused(String),
    /// The state cannot be saved first, so that Terraform is not started; no guard is named.
    Unsaved,
    /// Something that must not be.
    Wrong(String),
}

/// What the contract says.
pub(crate) fn answer(found: Found, asks: Asks) -> Answer {
    let refused = |guard: &str| Answer::Refused(guard.to_owned());
    let judges_content = matches!(asks, Asks::All | Asks::AllButMissing);
    let judges_writing = judges_content || asks == Asks::Writing;
    match found {
        Found::Unreadable if asks != Asks::NothingAndTouchesNone => Answer::Unsaved,
        Found::ReadOnly if asks != Asks::Nothing => refused("read-only"),
        Found::Missing if asks == Asks::All => refused("missing-state"),
        Found::Corrupt if judges_content || asks == Asks::Corrupt => refused("corrupt-state"),
        Found::Foreign if judges_content => refused("foreign-state"),
        Found::Older if judges_content => refused("older-state"),
        Found::Errored if judges_content => refused("errored-state"),
        Found::Unwritable if judges_writing => refused("unwritable-state"),
        Found::Right
        | Found::Missing
        | Found::Corrupt
        | Found::Foreign
        | Found::Older
        | Found::Unwritable
        | Found::Errored
        | Found::Unreadable
        | Found::ReadOnly => Answer::Passed,
    }
}

/// As the page says it.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("·"),
            Self::Refused(guard) => f.write_str(guard.strip_suffix("-state").unwrap_or(guard)),
            Self::Unsaved => f.write_str("unsaved"),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}
