//! Finds the state that a reference names, in the operations of one history.
//!
//! Sequence orders, time decorates: operations come oldest first by their number, and nothing here sorts
//! by time. What is not found, or is found twice, is an error that carries what might have been meant.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::operation::{Image, Kind, Operation, OperationId, Outcome, Source, Status};
use super::reference::{Reference, canonical_verb};
use super::state::{Digest, Serial};

/// Which of its two states of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// What it found.
    Before,
    /// What it left.
    After,
}

/// What a reference names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one of these at a time")]
pub(crate) enum Target {
    /// The live state, which no operation can tell.
    Now,
    /// A recorded state. It may be one without bytes, such as an absent one.
    Image {
        /// The operation that found or left it.
        operation: OperationId,
        /// Whether it found or left it.
        side: Side,
        /// The state.
        image: Image,
    },
}

/// An operation that might have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its id.
    pub(crate) id: OperationId,
    /// When it began. UTC.
    pub(crate) when: DateTime<Utc>,
    /// What sort it is.
    pub(crate) kind: Kind,
    /// Its command, where it was one.
    pub(crate) verb: Option<String>,
}

impl Candidate {
    fn of(operation: &Operation) -> Self {
        Self {
            id: operation.id.clone(),
            when: operation.started,
            kind: operation.kind,
            verb: operation.verb.clone(),
        }
    }
}

/// A reference that names no state of this history, or more than one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Unresolved {
    /// The reason.
    pub(crate) why: Why,
    /// What might have been meant, newest first.
    pub(crate) candidates: Vec<Candidate>,
}

/// Why a reference names no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    /// More than one operation or content begins like this.
    #[error("`{0}` is ambiguous")]
    Ambiguous(String),
    /// No operation has such an id.
    #[error("no operation `{0}` in this history")]
    NoOperation(String),
    /// No state has such a content.
    #[error("no state `sha256:{0}` in this history")]
    NoContent(String),
    /// There are not that many different good states.
    #[error("no such good state: this history has {have}")]
    NotGood {
        /// How many there are.
        have: usize,
    },
    /// No state has the serial.
    #[error("no state with serial {0} in this history")]
    NoSerial(Serial),
    /// The verb never ran.
    #[error("no `{0}` in this history")]
    NoVerb(String),
    /// The history begins later.
    #[error("this history does not reach back that far")]
    NothingThen,
    /// It was refused, so it left nothing.
    #[error("`{0}` was refused and left no state; what it found is `{0}:before`")]
    Refused(OperationId),
    /// What it left is not recorded.
    #[error("what `{0}` left is not recorded; what it found may be: `{0}:before`")]
    NoAfter(OperationId),
    /// What it found is not recorded.
    #[error("what `{0}` found is not recorded")]
    NoBefore(OperationId),
}

/// How many operations are shown where none was found.
const SHOWN: usize = 5;

impl Reference {
    /// Finds the state among the operations of a history, which come in order, oldest first.
    ///
    /// # Errors
    /// Nothing is found, more than one is found, or what is found has no such state recorded.
    pub(crate) fn resolve(&self, operations: &[Operation]) -> Result<Target, Unresolved> {
        match self {
            Self::Now => Ok(Target::Now),
            Self::Good { back } => nth_good(operations, *back),
            Self::Operation { prefix, side } => by_id(operations, prefix, *side),
            Self::Serial(serial) => newest(operations, |image| image.serial == Some(*serial))
                .ok_or_else(|| lost(Why::NoSerial(*serial), operations.iter().rev().take(SHOWN))),
            Self::BeforeVerb(verb) => before_verb(operations, verb),
            Self::AsOf(then) => as_of(operations, *then),
            Self::Digest { prefix } => by_content(operations, prefix),
        }
    }
}

fn lost<'a>(why: Why, candidates: impl Iterator<Item = &'a Operation>) -> Unresolved {
    Unresolved { why, candidates: candidates.map(Candidate::of).collect() }
}

fn target(operation: &Operation, side: Side, image: &Image) -> Target {
    Target::Image { operation: operation.id.clone(), side, image: image.clone() }
}

/// The recorded states of an operation, the later one first.
fn images(operation: &Operation) -> impl Iterator<Item = (Side, &Image)> {
    let after = operation.after.as_ref().map(|image| (Side::After, image));
    let before = operation.before.as_ref().map(|image| (Side::Before, image));
    after.into_iter().chain(before)
}

fn newest(operations: &[Operation], is_it: impl Fn(&Image) -> bool) -> Option<Target> {
    operations.iter().rev().find_map(|operation| {
        let mut images = images(operation);
        images.find(|(_, image)| is_it(image)).map(|(side, image)| target(operation, side, image))
    })
}

fn nth_good(operations: &[Operation], back: usize) -> Result<Target, Unresolved> {
    let mut good: Vec<(&Operation, &Image)> = operations
        .iter()
        .rev()
        .filter_map(|operation| operation.good_after().map(|image| (operation, image)))
        .collect();
    good.dedup_by(|older, newer| older.1.digest == newer.1.digest);
    let wanted = good.get(back).map(|(operation, image)| target(operation, Side::After, image));
    wanted.ok_or_else(|| {
        let shown = good.iter().take(SHOWN).map(|(operation, _)| *operation);
        lost(Why::NotGood { have: good.len() }, shown)
    })
}

fn by_id(operations: &[Operation], prefix: &str, side: Side) -> Result<Target, Unresolved> {
    let found: Vec<_> =
        operations.iter().rev().filter(|op| op.id.as_str().starts_with(prefix)).collect();
    let operation = match found.as_slice() {
        [] => {
            let why = Why::NoOperation(prefix.to_owned());
            return Err(lost(why, operations.iter().rev().take(SHOWN)));
        }
        [operation] => *operation,
        [..] => return Err(lost(Why::Ambiguous(prefix.to_owned()), found.into_iter())),
    };
    let id = operation.id.clone();
    let (image, why) = match side {
        Side::Before => (&operation.before, Why::NoBefore(id)),
        Side::After if operation.outcome == Some(Outcome::Refused) => {
            (&operation.after, Why::Refused(id))
        }
        Side::After => (&operation.after, Why::NoAfter(id)),
    };
    match image {
        Some(image) => Ok(target(operation, side, image)),
        None => Err(lost(why, std::iter::once(operation))),
    }
}

fn before_verb(operations: &[Operation], verb: &str) -> Result<Target, Unresolved> {
    let wanted = canonical_verb(verb);
    let is_it = |op: &&Operation| op.verb.as_deref().is_some_and(|v| canonical_verb(v) == wanted);
    let Some(operation) = operations.iter().rev().find(is_it) else {
        let why = Why::NoVerb(verb.to_owned());
        return Err(lost(why, operations.iter().rev().take(SHOWN)));
    };
    match &operation.before {
        Some(image) => Ok(target(operation, Side::Before, image)),
        None => Err(lost(Why::NoBefore(operation.id.clone()), std::iter::once(operation))),
    }
}

/// What was there then: what the newest operation that had ended by then left; while one ran, or where
/// it left nothing, what it found.
fn as_of(operations: &[Operation], then: DateTime<Utc>) -> Result<Target, Unresolved> {
    let found = operations.iter().rev().filter(|op| op.started <= then).find_map(|operation| {
        let has_ended = operation.finished.unwrap_or(operation.started) <= then;
        let (side, image) = images(operation)
            .filter(|(_, image)| image.status != Status::Unknown)
            .filter(|(_, image)| image.source != Some(Source::Found))
            .find(|(side, _)| has_ended || *side == Side::Before)?;
        Some(target(operation, side, image))
    });
    found.ok_or_else(|| lost(Why::NothingThen, operations.iter().take(1)))
}

fn by_content(operations: &[Operation], prefix: &str) -> Result<Target, Unresolved> {
    let is_it = |digest: &Digest| digest.to_string().starts_with(prefix);
    let holders: Vec<_> = operations
        .iter()
        .rev()
        .filter(|op| images(op).any(|(_, image)| image.digest.as_ref().is_some_and(is_it)))
        .collect();
    let contents: BTreeSet<Digest> = holders
        .iter()
        .flat_map(|op| images(op))
        .filter_map(|(_, image)| image.digest.filter(is_it))
        .collect();
    if contents.len() > 1 {
        return Err(lost(Why::Ambiguous(format!("sha256:{prefix}")), holders.into_iter()));
    }
    let wanted = contents.first().copied();
    let found = wanted.and_then(|wanted| newest(operations, |image| image.digest == Some(wanted)));
    found
        .ok_or_else(|| lost(Why::NoContent(prefix.to_owned()), operations.iter().rev().take(SHOWN)))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Reference, Side, Target, Why};
    use crate::model::operation::{Image, Kind, Operation, OperationId, Outcome, Status};
    use crate::model::state::{Digest, Lineage, Serial};

    fn image(serial: u64) -> Image {
        let mut image = Image::without_bytes(Status::Ok);
        image.lineage = Lineage::new("l".to_owned());
        image.serial = Some(Serial(serial));
        image.digest = Some(Digest::of(&serial.to_le_bytes()));
        image
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    /// Operation `seq` begins at minute `10 * seq` and ends five minutes later.
    fn operation(seq: u64, verb: &str, before: Option<u64>, after: Option<u64>) -> Operation {
        let minute = i64::try_from(seq).unwrap() * 10;
        Operation {
            id: OperationId::from_bits((0xaaaa_0000 + seq) << 32),
            seq,
            kind: Kind::Run,
            verb: Some(verb.to_owned()),
            argv: None,
            started: at(minute),
            finished: Some(at(minute + 5)),
            user: None,
            host: None,
            cwd: None,
            terraform: None,
            exit: Some(0),
            signal: None,
            outcome: Some(Outcome::Done),
            before: before.map(image),
            provisional: false,
            ended: None,
            contested: false,
            after: after.map(image),
            changes: None,
            guards: Vec::new(),
            pinned: false,
            note: None,
        }
    }

    fn history() -> Vec<Operation> {
        let mut refused = operation(4, "destroy", Some(3), None);
        refused.outcome = Some(Outcome::Refused);
        let mut save = operation(5, "save", Some(3), Some(3));
        save.kind = Kind::Save;
        vec![
            operation(1, "apply", None, Some(1)),
            operation(2, "state rm", Some(1), Some(2)),
            operation(3, "apply", Some(2), Some(3)),
            refused,
            save,
            operation(6, "apply", Some(3), Some(3)),
        ]
    }

    fn resolve(text: &str) -> Result<(u64, Side), Why> {
        let reference = Reference::parse(text, at(100), &|time| Some(time.and_utc())).unwrap();
        match reference.resolve(&history()) {
            Ok(Target::Image { side, image, .. }) => Ok((image.serial.unwrap().0, side)),
            Ok(Target::Now) => panic!("now"),
            Err(unresolved) => {
                assert!(!unresolved.candidates.is_empty());
                Err(unresolved.why)
            }
        }
    }

    #[test]
    fn good_states_count_once_each() {
        assert_eq!(resolve("@"), Ok((3, Side::After)));
        assert_eq!(resolve("@-"), Ok((2, Side::After)));
        assert_eq!(resolve("@-2"), Ok((1, Side::After)));
        assert_eq!(resolve("@-3"), Err(Why::NotGood { have: 3 }));
    }

    #[test]
    fn ids_name_what_was_left_or_found() {
        assert_eq!(resolve("aaaa0002"), Ok((2, Side::After)));
        assert_eq!(resolve("aaaa0002:before"), Ok((1, Side::Before)));
        assert_eq!(resolve("aaaa0004:before"), Ok((3, Side::Before)));
        assert_eq!(resolve("aaaa"), Err(Why::Ambiguous("aaaa".to_owned())));
        assert_eq!(resolve("bbbb"), Err(Why::NoOperation("bbbb".to_owned())));
        assert!(matches!(resolve("aaaa0004"), Err(Why::Refused(_))));
        assert!(matches!(resolve("aaaa0001:before"), Err(Why::NoBefore(_))));
        let why = resolve("aaaa0004").unwrap_err().to_string();
        assert!(why.contains("`aaaa0004:before`"), "{why}");
    }

    #[test]
    fn serials_verbs_and_contents_find_the_newest() {
        assert_eq!(resolve("serial:2"), Ok((2, Side::Before)));
        assert_eq!(resolve("serial:9"), Err(Why::NoSerial(Serial(9))));
        assert_eq!(resolve("before:state-rm"), Ok((1, Side::Before)));
        assert_eq!(resolve("before:destroy"), Ok((3, Side::Before)));
        assert_eq!(resolve("before:import"), Err(Why::NoVerb("import".to_owned())));
        let digest = Digest::of(&2_u64.to_le_bytes()).prefix(10);
        assert_eq!(resolve(&format!("sha256:{digest}")), Ok((2, Side::Before)));
        assert_eq!(resolve("sha256:00000000"), Err(Why::NoContent("00000000".to_owned())));
    }

    #[test]
    fn what_was_found_lying_about_was_never_the_state_at_a_time() {
        let mut found = operation(7, "save", None, Some(9));
        found.kind = Kind::Save;
        found.after.as_mut().unwrap().source = Some(super::Source::Found);
        let operations: Vec<_> = history().into_iter().chain([found]).collect();
        let serial = |text: &str| {
            let reference = Reference::parse(text, at(100), &|time| Some(time.and_utc())).unwrap();
            match reference.resolve(&operations).unwrap() {
                Target::Image { image, .. } => image.serial.unwrap().0,
                Target::Now => panic!("now"),
            }
        };
        assert_eq!((serial("1m"), serial("@")), (3, 3));
        assert_eq!((serial("aaaa0007"), serial("serial:9")), (9, 9));
    }

    #[test]
    fn a_time_names_the_state_as_it_was_then() {
        assert_eq!(resolve("1970-01-01T00:27Z"), Ok((2, Side::After)));
        assert_eq!(resolve("1970-01-01T00:22Z"), Ok((1, Side::Before)));
        assert_eq!(resolve("1970-01-01T00:46Z"), Ok((3, Side::Before)));
        assert_eq!(resolve("1970-01-01T00:05Z"), Err(Why::NothingThen));
        assert_eq!(resolve("1h"), Ok((3, Side::Before)), "a refused operation left nothing");
        assert_eq!(resolve("30m"), Ok((3, Side::After)));
    }
}
