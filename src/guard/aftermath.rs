//! What is wrong after a run. Terraform's exit status stands; this only says so.

use crate::model::guard::Guard;
use crate::model::operation::{GuardAction, GuardNote, Image, Status};

/// Judges the state that a run left against the one it found. `may_remove` tells whether the command is
/// one that may take the state away, as `workspace delete` does.
pub(crate) fn judge(before: Option<&Image>, after: &Image, may_remove: bool) -> Vec<GuardNote> {
    let had_resources = before.and_then(|before| before.resources).is_some_and(|count| count > 0);
    let finding = match after.status {
        Status::Absent if had_resources && !may_remove => {
            Some((Guard::MissingState, "the state is gone after the run"))
        }
        Status::Empty if had_resources && !may_remove => {
            Some((Guard::MissingState, "the state is empty after the run"))
        }
        Status::Ok | Status::Encrypted | Status::Unknown | Status::Absent | Status::Empty => None,
        Status::Invalid | Status::Ambiguous => {
            Some((Guard::CorruptState, "what the run left is no state"))
        }
        Status::Unreadable => Some((Guard::MissingState, "the state cannot be read after the run")),
    };
    let note =
        |(guard, text): (Guard, &str)| GuardNote::new(guard, GuardAction::Noted, text.to_owned());
    finding.map(note).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_resources(count: u64) -> Image {
        Image { resources: Some(count), ..Image::without_bytes(Status::Ok) }
    }

    #[test]
    fn a_state_that_vanished_is_noted_unless_the_command_removes_it() {
        let before = with_resources(1);
        for status in [Status::Absent, Status::Empty] {
            let after = Image::without_bytes(status);
            assert_eq!(judge(Some(&before), &after, false).len(), 1);
            assert!(judge(Some(&before), &after, true).is_empty());
            assert!(judge(None, &after, false).is_empty());
        }
    }

    #[test]
    fn what_is_no_state_is_noted_and_a_state_is_not() {
        let invalid = Image::without_bytes(Status::Invalid);
        assert_eq!(judge(None, &invalid, true).len(), 1);
        assert!(judge(None, &with_resources(0), false).is_empty());
    }
}
