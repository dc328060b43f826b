//! The guards by name: what can stand between a command and Terraform.
//!
//! The words are the contract with the user (`TF_SHIM_ALLOW`, refusals, `--json`); what each of them judges
//! is told in the room `guard`.

use std::fmt;

/// A guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Guard {
    /// There is no state, an empty one, or one without resources, where there should be one that has some.
    MissingState,
    /// What is there is not a state.
    CorruptState,
    /// The state is of another lineage.
    ForeignState,
    /// The state is an old one.
    OlderState,
    /// The state could not be written.
    UnwritableState,
    /// A newer state lies in `errored.tfstate`.
    ErroredState,
    /// A restore was cut off and cannot be finished.
    Unfinished,
    /// Only commands that are known to only read may run.
    ReadOnly,
    /// The plan deletes or replaces what is protected.
    Protected,
}

impl Guard {
    /// All of them, in the order in which they are asked and listed.
    pub(crate) const ALL: [Self; 9] = [
        Self::ReadOnly,
        Self::Unfinished,
        Self::CorruptState,
        Self::MissingState,
        Self::ForeignState,
        Self::OlderState,
        Self::ErroredState,
        Self::UnwritableState,
        Self::Protected,
    ];

    /// Its name.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::MissingState => "missing-state",
            Self::CorruptState => "corrupt-state",
            Self::ForeignState => "foreign-state",
            Self::OlderState => "older-state",
            Self::UnwritableState => "unwritable-state",
            Self::ErroredState => "errored-state",
            Self::Unfinished => "unfinished",
            Self::ReadOnly => "read-only",
            Self::Protected => "protected",
        }
    }

    /// The guard of that name.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guard| guard.word() == word)
    }

    /// Whether `TF_SHIM_ALLOW` may let it pass: it judges the state, and nothing is broken on our side.
    pub(crate) const fn can_be_allowed(self) -> bool {
        match self {
            Self::MissingState
            | Self::CorruptState
            | Self::ForeignState
            | Self::OlderState
            | Self::UnwritableState
            | Self::ErroredState => true,
            Self::Unfinished | Self::ReadOnly | Self::Protected => false,
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::Guard;

    #[test]
    fn every_guard_is_found_by_its_name() {
        for guard in Guard::ALL {
            assert_eq!(Guard::of_word(guard.word()), Some(guard));
        }
        assert_eq!(Guard::of_word("Missing-State"), None);
    }

    #[test]
    fn neither_protection_nor_reading_only_can_be_let_pass() {
        let fixed = Guard::ALL.into_iter().filter(|guard| !guard.can_be_allowed());
        let fixed: Vec<_> = fixed.map(Guard::word).collect();
        assert_eq!(fixed, ["read-only", "unfinished", "protected"]);
    }
}
