//! The journal of one history: which file to read, which to append to, and the two ways to fold it.
//!
//! Reading needs no lock: lines only grow, and a line that is being written fails its sum. Appending
//! needs the proof that the lock is held, which the caller has.
//!
//! Easy to get wrong: a segment's *name* must be durable before anything in it is acknowledged. Its
//! creator may have died between the two syncs, so whoever appends to a segment that has no more than
//! its first record syncs the directory first; beyond that, somebody already has.

use std::io;
use std::thread;
use std::time::Duration;

use crate::model::operation::Operation;
use crate::model::state::Digest;
use crate::sys::fs::Folder;

use super::atomic::{self, Point, PublishError};
use super::error::StoreError;
use super::fold::Fold;
use super::head::Head;
use super::line;
use super::record::Entry;
use super::segment::{Damage, Segment, SegmentName, Step, Walk};

/// A segment that would become longer than this is full.
const FULL_BYTES: u64 = 128 << 10;

/// The last number that has eight digits.
const LAST_NUMBER: u32 = 99_999_999;

/// A segment with no more lines than this, `open` and one record, may have an unsynced name.
const FIRST_LINES: usize = 2;

/// Everything that is known of a history.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Its operations, oldest first.
    pub(crate) operations: Vec<Operation>,
    /// What is wrong with the journal.
    pub(crate) damage: Vec<Damage>,
    /// What the next writer has to know; the same as `StateDir::head` gives.
    pub(crate) head: Head,
}

/// The end of a journal, where the next record goes.
pub(super) struct Tail {
    /// What everything so far amounts to.
    pub(super) head: Head,
    /// The sum to chain to.
    prev: Option<Digest>,
    /// The segment to append to, if there is one that may be.
    last: Option<Last>,
    /// The number for a new segment; none where numbers have run out.
    next: Option<u32>,
}

/// A segment that can be appended to.
struct Last {
    /// Its name.
    name: SegmentName,
    /// Its length.
    bytes: u64,
    /// Whether its name may not be durable yet.
    young: bool,
}

/// Why a record is not on the disk.
pub(super) struct AppendError {
    /// The error for the user.
    pub(super) error: StoreError,
    /// Whether the directory is dead: nothing more may be written there by this process.
    pub(super) dead: bool,
}

/// Who may write to a segment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Writers<'a> {
    /// One at a time: the lock is held.
    Locked,
    /// Several at once, for there are no locks; this one has the given sixteen digits.
    Own(&'a str),
}

/// Reads the whole journal. Without a lock: where the very last line is being written, it is waited for.
///
/// # Errors
/// A segment cannot be read.
pub(super) fn read_history(folder: &Folder) -> Result<History, StoreError> {
    let mut segments = Vec::new();
    for name in names(folder)? {
        segments.push(read(folder, &name)?);
    }
    settle_last(folder, &mut segments)?;
    // The very first line follows none; one that does has lost what was before it.
    let begins_late = |first: &Segment| first.open_line().is_some_and(|open| open.prev.is_some());
    let beheaded = segments
        .first()
        .filter(|first| begins_late(first))
        .map(|first| Damage::Gap { segment: first.name.to_string(), line: 1 });
    let (fold, mut damage) = fold(Walk::along(segments));
    damage.extend(beheaded);
    let (operations, head) = fold.finish();
    Ok(History { operations, damage, head })
}

/// Reads the end of the journal. Without the lock its head may be outdated at once.
///
/// # Errors
/// A segment cannot be read.
pub(super) fn read_tail(folder: &Folder, writers: Writers<'_>) -> Result<Tail, StoreError> {
    let names = names(folder)?;
    let newest = names.last().map_or(0, |name| name.number);
    let parallel = names.iter().any(|name| name.owner.is_some());
    let mut segments: Vec<Segment> = Vec::new();
    for name in names.iter().rev() {
        let segment = read(folder, name)?;
        // A segment without its first line knows nothing of what was before: look there.
        let enough = !parallel && segment.open_line().is_some();
        segments.push(segment);
        if enough {
            break;
        }
    }
    segments.reverse();
    let ours = match writers {
        Writers::Locked => segments.last().filter(|segment| segment.name.owner.is_none()),
        Writers::Own(owner) => {
            segments.iter().rfind(|segment| segment.name.owner.as_deref() == Some(owner))
        }
    };
    let last = ours.filter(|segment| !segment.sealed).map(|segment| Last {
        name: segment.name.clone(),
        bytes: segment.bytes,
        young: segment.lines.len() <= FIRST_LINES,
    });
    let prev = match &last {
        Some(_) => ours.and_then(Segment::last_sum),
        None => segments.iter().rev().find_map(Segment::last_sum),
    };
    let (fold, _) = fold(Walk::along(segments));
    Ok(Tail { head: fold.finish().1, prev, last, next: newest.checked_add(1) })
}

/// Appends a record and makes it durable; gives its number.
///
/// A record whose sync failed is written once more, the same bytes, into a new segment; `fresh` asks
/// for a new segment at once.
///
/// # Errors
/// The record may be there or not; it must not be relied upon.
pub(super) fn append(
    folder: &Folder,
    writers: Writers<'_>,
    entry: &Entry,
    fresh: bool,
) -> Result<u64, AppendError> {
    let tail = read_tail(folder, writers).map_err(alive)?;
    let seq = tail.head.seq.saturating_add(1);
    let line = line::encode(entry, seq, tail.prev).map_err(alive)?;
    let length = u64::try_from(line.bytes.len()).unwrap_or(u64::MAX);
    let fits = |last: &&Last| !fresh && last.bytes.saturating_add(length) <= FULL_BYTES;
    let open = line::encode_open(&tail.head, entry.t, tail.prev).map_err(alive)?;
    if let Some(last) = tail.last.as_ref().filter(fits) {
        match append_to(folder, last, &line.bytes) {
            Ok(()) => return Ok(seq),
            Err(PublishError::Dead(source)) => return Err(failed(folder, source, true)),
            Err(PublishError::Again(_)) => {}
        }
        // The same bytes: should the first copy be there after all, the two are one record.
        let lines = [open.bytes, line.bytes].concat();
        return open_segment(folder, writers, tail.next, &lines).map(|()| seq);
    }
    let line = line::encode(entry, seq, Some(open.sum)).map_err(alive)?;
    let lines = [open.bytes, line.bytes].concat();
    match open_segment(folder, writers, tail.next, &lines) {
        Err(AppendError { dead: false, .. }) => {
            let next = tail.next.and_then(|number| number.checked_add(1));
            open_segment(folder, writers, next, &lines).map(|()| seq)
        }
        done => done.map(|()| seq),
    }
}

/// Appends a line to a segment that is there.
fn append_to(folder: &Folder, last: &Last, line: &[u8]) -> Result<(), PublishError> {
    let mut file = folder.open_append(&last.name.to_string()).map_err(PublishError::Again)?;
    if last.young {
        atomic::sync_folder(folder, Point::SyncJournalDir).map_err(PublishError::Dead)?;
    }
    atomic::append(&mut file, line).map_err(PublishError::Again)
}

/// Creates a new segment with its first two lines.
fn open_segment(
    folder: &Folder,
    writers: Writers<'_>,
    number: Option<u32>,
    lines: &[u8],
) -> Result<(), AppendError> {
    let full = || alive(StoreError::Full { path: folder.path().to_owned() });
    let number = number.filter(|number| *number <= LAST_NUMBER).ok_or_else(full)?;
    let owner = match writers {
        Writers::Locked => None,
        Writers::Own(owner) => Some(owner.to_owned()),
    };
    let name = SegmentName { number, owner }.to_string();
    atomic::create_segment(folder, &name, lines).map_err(|error| {
        let dead = matches!(error, PublishError::Dead(_));
        failed(folder, error.into_inner(), dead)
    })
}

/// An error after which the directory can still be written to.
fn alive(error: StoreError) -> AppendError {
    AppendError { error, dead: false }
}

/// A write that failed.
fn failed(folder: &Folder, source: io::Error, dead: bool) -> AppendError {
    AppendError { error: StoreError::Append { path: folder.path().to_owned(), source }, dead }
}

/// The segments that are there, in their order.
fn names(folder: &Folder) -> Result<Vec<SegmentName>, StoreError> {
    let path = folder.path().to_owned();
    let files = folder.names().map_err(|source| StoreError::ReadJournal { path, source })?;
    let mut names: Vec<_> = files.iter().filter_map(|file| SegmentName::parse(file)).collect();
    names.sort_unstable();
    Ok(names)
}

/// Reads one segment.
fn read(folder: &Folder, name: &SegmentName) -> Result<Segment, StoreError> {
    Segment::read(folder, name).map_err(|source| StoreError::ReadJournal {
        path: folder.path().join(name.to_string()),
        source,
    })
}

/// Reads the last segment again while its last line is not whole: without the lock, somebody may be
/// writing it just now. What stays torn was cut off.
fn settle_last(folder: &Folder, segments: &mut [Segment]) -> Result<(), StoreError> {
    let Some(last) = segments.last_mut() else { return Ok(()) };
    for _ in 0..3 {
        if !last.is_torn() {
            break;
        }
        thread::sleep(Duration::from_millis(15));
        *last = read(folder, &last.name)?;
    }
    Ok(())
}

/// Folds what a walk has met.
fn fold(walk: Walk) -> (Fold, Vec<Damage>) {
    let single = !walk.is_parallel();
    let mut fold = Fold::default();
    for step in walk.steps {
        match step {
            Step::Record(mut record) => {
                // Where several write at once, a head knows only what its writer happened to see.
                if let Some(head) = record.head.take().filter(|_| single) {
                    fold.adopt(*head);
                }
                fold.apply(&record);
            }
            Step::Again(record) => fold.apply_again(&record),
            Step::Skip(seq) => fold.skip(seq),
            Step::Lost => fold.lose(),
        }
    }
    (fold, walk.damage)
}
