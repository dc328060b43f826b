//! Whether a state that a failed save left behind is ahead of the one that is there.

use std::cmp::Ordering;

use crate::model::operation::{Image, Status};
use crate::model::state::{Lineage, Serial};

/// How a state that was left behind stands to the one that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Of the same lineage, under a higher serial.
    Ahead,
    /// Other content of the same lineage under the same serial: a local save that failed before it counted
    /// on (seen with Terraform 1.11.4 and a backup that cannot be written). Terraform refuses to push it.
    Beside,
    /// Older, the same, or nothing to do with it.
    Apart,
}

/// How `left` stands to the state that was found; where none was found, to the one that should be there: its
/// lineage and serial.
pub(crate) fn standing(
    left: &Image,
    found: &Image,
    expected: Option<(Option<&Lineage>, Option<Serial>)>,
) -> Standing {
    let is_there = matches!(found.status, Status::Ok | Status::Encrypted);
    let there = is_there.then_some((found.lineage.as_ref(), found.serial));
    let Some((lineage, serial)) = there.or(expected) else { return Standing::Apart };
    if left.lineage.is_none() || left.lineage.as_ref() != lineage {
        return Standing::Apart;
    }
    match left.serial.cmp(&serial) {
        Ordering::Greater => Standing::Ahead,
        Ordering::Equal if left.digest != found.digest => Standing::Beside,
        Ordering::Equal | Ordering::Less => Standing::Apart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::Digest;

    fn state(lineage: &str, serial: u64) -> Image {
        Image {
            lineage: Lineage::new(lineage.to_owned()),
            serial: Some(Serial(serial)),
            digest: Some(Digest::of(format!("{lineage} {serial}").as_bytes())),
            ..Image::without_bytes(Status::Ok)
        }
    }

    #[test]
    fn only_a_higher_serial_of_the_same_lineage_is_ahead() {
        let left = state("a", 5);
        for (found, is) in [
            (state("a", 4), Standing::Ahead),
            (state("a", 5), Standing::Apart),
            (state("a", 6), Standing::Apart),
            (state("b", 4), Standing::Apart),
            (Image { digest: None, ..state("a", 5) }, Standing::Beside),
        ] {
            assert_eq!(standing(&left, &found, None), is);
        }
        assert_eq!(standing(&state("", 5), &state("", 4), None), Standing::Apart);
    }

    #[test]
    fn where_none_is_there_the_expected_one_counts() {
        let (left, lineage) = (state("a", 5), Lineage::new("a".to_owned()));
        for status in [Status::Absent, Status::Empty, Status::Invalid] {
            let found = Image::without_bytes(status);
            let next_to = |serial| standing(&left, &found, Some((lineage.as_ref(), serial)));
            assert_eq!(next_to(Some(Serial(4))), Standing::Ahead);
            assert_eq!(next_to(Some(Serial(5))), Standing::Beside);
            assert_eq!(next_to(Some(Serial(6))), Standing::Apart);
            // The passport knows no serial.
            assert_eq!(next_to(None), Standing::Ahead);
            assert_eq!(standing(&left, &found, None), Standing::Apart);
        }
    }
}
