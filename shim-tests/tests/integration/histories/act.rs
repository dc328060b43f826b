//! What people do all day with a state: the acts that an ordinary history is made of.

use shim_tests::grammar::random::Random;

/// One act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    /// Resources are added, changed or removed, and applied.
    Change,
    /// Applied without a change.
    Same,
    /// A plan is saved, and applied.
    SavedPlan,
    /// A resource cannot be created: status 1, and a state all the same.
    Failing,
    /// `refresh`.
    Refresh,
    /// `apply -refresh-only`.
    RefreshOnly,
    /// `destroy`.
    Destroy,
    /// What a `destroy` left is deleted, by hand.
    CleanUp,
    /// `taint`.
    Taint,
    /// `untaint`.
    Untaint,
    /// A resource is renamed by `state mv`.
    StateMv,
    /// A resource is renamed by a `moved` block.
    Moved,
    /// `state rm`, and `import` of the same.
    ThereAndBack,
    /// `state rm`, and gone from the configuration.
    Forget,
    /// `import` of what is new.
    Import,
    /// `state push` of what `state pull` gave.
    PushBack,
    /// `init`.
    Init,
    /// `workspace new`.
    NewWorkspace,
    /// `workspace select`.
    Select,
    /// `workspace delete`, with what is in it; the name may be used again.
    DeleteWorkspace,
    /// Plain Terraform changes something.
    Outside,
    /// Another version of Terraform writes the same state again.
    Rewritten,
    /// `tf shim save`.
    Save,
    /// `tf shim accept`, where there is nothing to settle.
    Accept,
    /// `tf shim undo`.
    Undo,
    /// `tf shim restore @-`.
    Restore,
    /// `init` with another path of the state, or back.
    Migrate,
    /// `-state=` names a file of its own.
    OtherFile,
    /// `-state-out=` names another file than is read.
    StateOut,
    /// `state mv` into another state.
    Split,
}

/// Every act and how often it is drawn.
pub(crate) const ACTS: &[(Act, usize)] = &[
    (Act::Change, 20),
    (Act::Same, 4),
    (Act::SavedPlan, 6),
    (Act::Failing, 4),
    (Act::Refresh, 3),
    (Act::RefreshOnly, 3),
    (Act::Destroy, 5),
    (Act::CleanUp, 9),
    (Act::Taint, 3),
    (Act::Untaint, 20),
    (Act::StateMv, 4),
    (Act::Moved, 4),
    (Act::ThereAndBack, 4),
    (Act::Forget, 3),
    (Act::Import, 3),
    (Act::PushBack, 3),
    (Act::Init, 2),
    (Act::NewWorkspace, 8),
    (Act::Select, 8),
    (Act::DeleteWorkspace, 12),
    (Act::Outside, 6),
    (Act::Rewritten, 4),
    (Act::Save, 2),
    (Act::Accept, 2),
    (Act::Undo, 4),
    (Act::Restore, 4),
    (Act::Migrate, 6),
    (Act::OtherFile, 3),
    (Act::StateOut, 3),
    (Act::Split, 3),
];

/// Draws one of those that can be done now.
pub(crate) fn draw(random: &mut Random, can: impl Fn(Act) -> bool) -> Act {
    let weight = |(act, weight): &(Act, usize)| if can(*act) { *weight } else { 0 };
    random.weighed(ACTS, weight).0
}
