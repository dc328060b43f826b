//! Which guards a command is asked: the second table of interface.md 3.

use crate::model::guard::Guard;

/// How much of a state a command puts at risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// It works on the state that is there: every guard is asked.
    State,
    /// As [`Scope::State`], but for one that brings resources back: a state without them is what it cures.
    Cure,
    /// It replaces the state; Terraform's own rules about serials apply, and it is a way out.
    Replacement,
    /// It moves a state to another place, or removes it.
    Move,
    /// It touches no resource.
    Nothing,
}

impl Scope {
    /// Whether a guard is asked.
    pub(crate) fn asks(self, guard: Guard) -> bool {
        match self {
            Self::State => true,
            Self::Cure => guard != Guard::MissingState,
            Self::Replacement => {
                matches!(guard, Guard::UnwritableState | Guard::Unfinished | Guard::ReadOnly)
            }
            Self::Move => {
                matches!(guard, Guard::CorruptState | Guard::Unfinished | Guard::ReadOnly)
            }
            Self::Nothing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_that_of_the_interface() {
        let asked = |scope: Scope| {
            let guards = Guard::ALL.into_iter().filter(|guard| scope.asks(*guard));
            guards.map(Guard::word).collect::<Vec<_>>().join(" ")
        };
        let all = "read-only unfinished corrupt-state missing-state foreign-state older-state \
                   errored-state unwritable-state protected";
        assert_eq!(asked(Scope::State), all);
        assert_eq!(asked(Scope::Cure), all.replace("missing-state ", ""));
        assert_eq!(asked(Scope::Replacement), "read-only unfinished unwritable-state");
        assert_eq!(asked(Scope::Move), "read-only unfinished corrupt-state");
        assert_eq!(asked(Scope::Nothing), "");
    }
}
