//! What is wrong with a state that was found, next to the last good one.
//!
//! The findings decide whether a state that changed behind our back can become `@`: a zero-byte file
//! after a crash, another stack's file, an old copy must not be what `restore @` gives back.

use crate::model::guard::Guard;
use crate::model::operation::{GuardAction, GuardNote, Image, Status};

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

/// Judges a state that was found against the newest good one. `meaning` compares the two, and matters only
/// where lineage and serial are equal.
pub(crate) fn judge(found: &Image, good: Option<&Image>, meaning: Meaning) -> Vec<GuardNote> {
    let finding = match found.status {
        Status::Invalid | Status::Ambiguous => Some((Guard::CorruptState, corrupt(found))),
        Status::Unreadable | Status::Unknown => None,
        Status::Absent | Status::Empty | Status::Ok | Status::Encrypted => {
            good.and_then(|good| against(found, good, meaning))
        }
    };
    let note = |(guard, text)| GuardNote::new(guard, GuardAction::Noted, text);
    finding.map(note).into_iter().collect()
}

fn corrupt(found: &Image) -> String {
    match found.status {
        Status::Ambiguous => "a key of its header is there twice".to_owned(),
        _ => format!("{} bytes that are no state", found.bytes),
    }
}

/// Where the last good state is empty there is nothing to lose, and nothing to object to.
fn against(found: &Image, good: &Image, meaning: Meaning) -> Option<(Guard, String)> {
    let expected = good.resources.unwrap_or(0);
    if expected == 0 && good.status == Status::Ok {
        return None;
    }
    let was = describe(good);
    let is_gone = matches!(found.status, Status::Absent | Status::Empty);
    if is_gone || (found.status == Status::Ok && found.resources == Some(0)) {
        let is = match found.status {
            Status::Absent => "there is no state".to_owned(),
            Status::Empty => "the state is empty".to_owned(),
            _ => "the state has no resources".to_owned(),
        };
        return Some((Guard::MissingState, format!("expected {was}; {is}")));
    }
    if found.lineage != good.lineage {
        let text = format!("expected {was}; found another lineage: {}", describe(found));
        return Some((Guard::ForeignState, text));
    }
    if found.serial < good.serial {
        return Some((
            Guard::OlderState,
            format!("expected {was}; found an older one: {}", describe(found)),
        ));
    }
    if found.serial == good.serial && meaning == Meaning::Different {
        let text = format!("expected {was}; found other content under the same serial");
        return Some((Guard::OlderState, text));
    }
    None
}

/// `serial 41 (128 resources, lineage ec80aa96)`.
fn describe(image: &Image) -> String {
    let serial = image.serial.map_or_else(|| "no serial".to_owned(), |s| format!("serial {s}"));
    let resources = match image.resources {
        Some(1) => "1 resource".to_owned(),
        count => format!("{} resources", count.unwrap_or(0)),
    };
    let lineage = image.lineage.as_ref().map_or("none", |lineage| lineage.short());
    format!("{serial} ({resources}, lineage {lineage})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::{Lineage, Serial};

    fn state(lineage: &str, serial: u64, resources: u64) -> Image {
        Image {
            lineage: Lineage::new(lineage.to_owned()),
            serial: Some(Serial(serial)),
            resources: Some(resources),
            ..Image::without_bytes(Status::Ok)
        }
    }

    fn finding(found: &Image, good: Option<&Image>, meaning: Meaning) -> Option<String> {
        judge(found, good, meaning).pop().map(|note| note.guard)
    }

    #[test]
    fn what_is_found_is_judged_by_the_last_good_state() {
        let good = state("aaaaaaaa", 5, 2);
        let absent = Image::without_bytes(Status::Absent);
        let empty = Image::without_bytes(Status::Empty);
        let rows = [
            (&absent, Meaning::Unknown, Some("missing-state")),
            (&empty, Meaning::Unknown, Some("missing-state")),
            (&state("aaaaaaaa", 9, 0), Meaning::Unknown, Some("missing-state")),
            (&state("bbbbbbbb", 9, 2), Meaning::Unknown, Some("foreign-state")),
            (&state("aaaaaaaa", 4, 2), Meaning::Unknown, Some("older-state")),
            (&state("aaaaaaaa", 5, 2), Meaning::Different, Some("older-state")),
            (&state("aaaaaaaa", 5, 2), Meaning::Same, None),
            (&state("aaaaaaaa", 6, 1), Meaning::Unknown, None),
        ];
        for (found, meaning, expected) in rows {
            assert_eq!(finding(found, Some(&good), meaning).as_deref(), expected);
        }
    }

    #[test]
    fn where_there_is_nothing_to_lose_nothing_is_wrong() {
        let emptied = state("aaaaaaaa", 5, 0);
        for good in [None, Some(&emptied)] {
            assert_eq!(finding(&state("bbbbbbbb", 1, 3), good, Meaning::Unknown), None);
            assert_eq!(
                finding(&Image::without_bytes(Status::Absent), good, Meaning::Unknown),
                None
            );
        }
    }

    #[test]
    fn what_is_no_state_is_corrupt_whatever_was_there_before() {
        for status in [Status::Invalid, Status::Ambiguous] {
            let found = Image::without_bytes(status);
            assert_eq!(finding(&found, None, Meaning::Unknown).as_deref(), Some("corrupt-state"));
        }
    }
}
