//! What is wrong with a state that was found, next to the last good one.
//!
//! The findings decide whether a state that changed behind our back can become `@`: a zero-byte file
//! after a crash, another stack's file, an old copy must not be what `restore @` gives back.

use crate::model::guard::Guard;
use crate::model::operation::{Image, Status};

use super::refusal::{Expected, describe};

/// Whether two states differ in more than formatting and the version that wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The same, as far as anybody can tell.
    Same,
    /// Different.
    Different,
    /// Not compared.
    Unknown,
}

/// What is wrong with a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Objection {
    /// Which guard objects.
    pub(crate) guard: Guard,
    /// What was found: a sentence, without a full stop.
    pub(crate) found: String,
}

/// Judges a state that was found against the one that should be there; none where nothing is known, or there
/// is nothing to lose. `meaning` compares the two, and matters only where lineage and serial are equal.
pub(crate) fn judge(
    found: &Image,
    expected: Option<&Expected>,
    meaning: Meaning,
) -> Option<Objection> {
    let (guard, found) = match found.status {
        Status::Invalid | Status::Ambiguous => (Guard::CorruptState, corrupt(found)),
        Status::Unreadable | Status::Unknown => return None,
        Status::Absent | Status::Empty | Status::Ok | Status::Encrypted => {
            against(found, expected?, meaning)?
        }
    };
    Some(Objection { guard, found })
}

fn corrupt(found: &Image) -> String {
    match found.status {
        Status::Ambiguous => "a state in which a key of its header is there twice".to_owned(),
        _ => format!("{} bytes that are no state", found.bytes),
    }
}

/// Where the state that should be there has nothing in it there is nothing to lose, and nothing to object to.
fn against(found: &Image, expected: &Expected, meaning: Meaning) -> Option<(Guard, String)> {
    if expected.resources == Some(0) {
        return None;
    }
    let is = describe(found.serial, found.resources, found.lineage.as_ref());
    match found.status {
        Status::Absent => return Some((Guard::MissingState, "there is no state".to_owned())),
        Status::Empty => {
            let what = if found.bytes == 0 { "a state of 0 bytes" } else { "an empty state" };
            return Some((Guard::MissingState, what.to_owned()));
        }
        Status::Ok if found.resources == Some(0) => {
            return Some((Guard::MissingState, format!("a state without resources: {is}")));
        }
        _ => {}
    }
    if found.lineage != expected.lineage {
        return Some((Guard::ForeignState, format!("another lineage: {is}")));
    }
    match expected.serial {
        Some(serial) if found.serial < Some(serial) => {
            Some((Guard::OlderState, format!("an older state: {is}")))
        }
        Some(serial) if found.serial == Some(serial) && meaning == Meaning::Different => {
            Some((Guard::OlderState, format!("other content under the same serial: {is}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::guard::refusal::Witness;
    use crate::model::operation::OperationId;
    use crate::model::state::{Lineage, Serial};

    fn state(lineage: &str, serial: u64, resources: u64) -> Image {
        Image {
            lineage: Lineage::new(lineage.to_owned()),
            serial: Some(Serial(serial)),
            resources: Some(resources),
            ..Image::without_bytes(Status::Ok)
        }
    }

    fn left(image: &Image) -> Expected {
        Expected::left_by(&OperationId::from_bits(7), image)
    }

    fn objects(found: &Image, expected: Option<&Expected>, meaning: Meaning) -> Option<Guard> {
        judge(found, expected, meaning).map(|objection| objection.guard)
    }

    #[test]
    fn what_is_found_is_judged_by_the_last_good_state() {
        let good = left(&state("aaaaaaaa", 5, 2));
        let absent = Image::without_bytes(Status::Absent);
        let empty = Image::without_bytes(Status::Empty);
        let rows = [
            (&absent, Meaning::Unknown, Some(Guard::MissingState)),
            (&empty, Meaning::Unknown, Some(Guard::MissingState)),
            (&state("aaaaaaaa", 9, 0), Meaning::Unknown, Some(Guard::MissingState)),
            (&state("bbbbbbbb", 9, 2), Meaning::Unknown, Some(Guard::ForeignState)),
            (&state("aaaaaaaa", 4, 2), Meaning::Unknown, Some(Guard::OlderState)),
            (&state("aaaaaaaa", 5, 2), Meaning::Different, Some(Guard::OlderState)),
            (&state("aaaaaaaa", 5, 2), Meaning::Same, None),
            (&state("aaaaaaaa", 6, 1), Meaning::Unknown, None),
        ];
        for (found, meaning, expected) in rows {
            assert_eq!(objects(found, Some(&good), meaning), expected);
        }
    }

    #[test]
    fn where_there_is_nothing_to_lose_nothing_is_wrong() {
        let emptied = left(&state("aaaaaaaa", 5, 0));
        for good in [None, Some(&emptied)] {
            assert_eq!(objects(&state("bbbbbbbb", 1, 3), good, Meaning::Unknown), None);
            let absent = Image::without_bytes(Status::Absent);
            assert_eq!(objects(&absent, good, Meaning::Unknown), None);
        }
    }

    #[test]
    fn a_passport_knows_the_lineage_that_there_are_resources_and_a_serial_that_was_reached() {
        let claim = Expected {
            resources: None,
            witness: Witness::Passport(PathBuf::from("p")),
            ..left(&state("aaaaaaaa", 5, 2))
        };
        for (found, expected) in [
            (Image::without_bytes(Status::Absent), Some(Guard::MissingState)),
            (state("bbbbbbbb", 9, 2), Some(Guard::ForeignState)),
            (state("aaaaaaaa", 4, 1), Some(Guard::OlderState)),
            (state("aaaaaaaa", 5, 1), None),
            (state("aaaaaaaa", 9, 1), None),
            (state("aaaaaaaa", 9, 0), Some(Guard::MissingState)),
        ] {
            assert_eq!(objects(&found, Some(&claim), Meaning::Unknown), expected);
        }
        let of_an_older_tf = Expected { serial: None, ..claim };
        assert_eq!(
            objects(&state("aaaaaaaa", 1, 1), Some(&of_an_older_tf), Meaning::Unknown),
            None
        );
    }

    #[test]
    fn what_is_no_state_is_corrupt_whatever_was_there_before() {
        for status in [Status::Invalid, Status::Ambiguous] {
            let found = Image::without_bytes(status);
            assert_eq!(objects(&found, None, Meaning::Unknown), Some(Guard::CorruptState));
        }
    }
}
