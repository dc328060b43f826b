//! What one has to know of a history before adding to it, in bounded space.
//!
//! The first line of each segment carries the head of everything before it, so that a guarded command
//! reads the last segment only, and costs the same after a hundred thousand operations.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::operation::{GuardNote, Image, Kind, Operation, OperationId, Source, Status};
use crate::model::redact::OddText;
use crate::model::state::{Lineage, Serial};

use super::fold;
use super::line::Record;
use super::record::{Entry, RecordKind, Target};

/// The sum of a history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The newest sequence number; 0 before the first record.
    pub(crate) seq: u64,
    /// What the state was when it was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<Image>,
    /// The newest recorded `after`, and the sequence number of the record that has it. For a run whose
    /// `before` is provisional.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) newest_after: Option<(u64, Image)>,
    /// The newest good state, and the operation that left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) good: Option<(OperationId, Image)>,
    /// Whether that one is gone for good: an operation of ours took it away, or a person said that nothing
    /// is right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) cleared: bool,
    /// The highest serial seen of each lineage.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) highest_serial: BTreeMap<Lineage, Serial>,
    /// Runs that began and were not seen to end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) open: Vec<OpenOperation>,
    /// Restores that may have written in part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) intents: Vec<OpenIntent>,
    /// Operations that are kept for ever.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pins: Vec<OperationId>,
}

/// A `begin` without its `end`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenOperation {
    /// The operation.
    pub(crate) id: OperationId,
    /// Sequence number of its `begin`.
    pub(crate) seq: u64,
    /// Terraform's command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) verb: Option<String>,
    /// Process id of the shim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<u32>,
    /// The state it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Image>,
    /// Whether that may not be what Terraform started from.
    #[serde(default)]
    pub(crate) provisional: bool,
    /// When it began. UTC.
    pub(crate) started: DateTime<Utc>,
    /// What the guards said before it began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) guards: Vec<GuardNote>,
    /// Whether a record was lost after it began, which may have been its `end`. Such a one is closed as
    /// `unknown`, and never with today's state (store.md 9).
    #[serde(default)]
    pub(crate) doubtful: bool,
}

/// A `restore-intent` without its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenIntent {
    /// The operation.
    pub(crate) id: OperationId,
    /// Sequence number of the intent.
    pub(crate) seq: u64,
    /// The file that is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<OddText>,
    /// What was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Image>,
    /// What shall be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wanted: Option<Image>,
    /// Whose state is restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Target>,
    /// When it began. UTC.
    pub(crate) started: DateTime<Utc>,
}

impl Head {
    /// Takes one more record into account. Records come in the order of the history, each once.
    pub(super) fn apply(&mut self, record: &Record) {
        let entry = &record.entry;
        self.seq = self.seq.max(record.seq);
        self.note_serial(entry.before.as_ref());
        self.note_serial(entry.after.as_ref());
        match entry.kind {
            RecordKind::Begin => self.begin(record),
            RecordKind::End => self.end(record),
            RecordKind::RestoreIntent => self.intend(record),
            RecordKind::RestoreDone | RecordKind::RestoreAbort => self.close_intent(record),
            RecordKind::Outside | RecordKind::Accept | RecordKind::Migrate | RecordKind::Save => {
                self.finish(record, fold::operation_of(record));
            }
            RecordKind::Pin => self.pin(entry),
            RecordKind::Unpin => self.unpin(entry),
            RecordKind::Open
            | RecordKind::Forget
            | RecordKind::Purge
            | RecordKind::Quarantine
            | RecordKind::Repair
            | RecordKind::Unknown => {}
        }
    }

    /// Notes that a record was lost here: whatever is open may have ended.
    pub(super) fn lose(&mut self) {
        for operation in &mut self.open {
            operation.doubtful = true;
        }
    }

    /// A run began.
    fn begin(&mut self, record: &Record) {
        let entry = &record.entry;
        self.see(entry.before.as_ref());
        let Some(id) = entry.op.clone() else { return };
        self.open.retain(|other| other.id != id);
        self.open.push(OpenOperation {
            id,
            seq: record.seq,
            verb: entry.verb.clone(),
            pid: entry.pid,
            before: entry.before.clone(),
            provisional: entry.provisional,
            started: entry.t,
            guards: entry.guards.clone(),
            doubtful: false,
        });
    }

    /// A run ended, or was refused.
    fn end(&mut self, record: &Record) {
        let begun = self.open.iter().position(|other| Some(&other.id) == record.entry.op.as_ref());
        let mut operation = fold::operation_of(record);
        match begun.map(|index| self.open.remove(index)) {
            Some(begun) => {
                operation.guards.splice(0..0, begun.guards).for_each(drop);
                operation.verb = operation.verb.take().or(begun.verb);
            }
            // A correction of an earlier `before` is no look at the state; a refusal's is.
            None => self.see(record.entry.before.as_ref()),
        }
        self.finish(record, operation);
    }

    /// A restore is about to write.
    fn intend(&mut self, record: &Record) {
        let entry = &record.entry;
        self.see(entry.before.as_ref());
        let Some(id) = entry.op.clone() else { return };
        self.intents.retain(|other| other.id != id);
        self.intents.push(OpenIntent {
            id,
            seq: record.seq,
            path: entry.path.clone(),
            before: entry.before.clone(),
            wanted: entry.after.clone(),
            target: entry.target.clone(),
            started: entry.t,
        });
    }

    /// A restore has written, or given up.
    fn close_intent(&mut self, record: &Record) {
        let intent =
            self.intents.iter().position(|other| Some(&other.id) == record.entry.op.as_ref());
        let intent = intent.map(|index| self.intents.remove(index));
        let mut operation = fold::operation_of(record);
        if record.entry.kind == RecordKind::RestoreDone && operation.after.is_none() {
            operation.after = intent.and_then(|intent| intent.wanted);
        }
        self.finish(record, operation);
    }

    /// An operation is complete: what it left is what was last seen, and perhaps good.
    fn finish(&mut self, record: &Record, operation: Operation) {
        let good = operation.good_after().cloned();
        if let (Some(id), Some(image)) = (record.entry.op.clone(), good) {
            self.good = Some((id, image));
            self.cleared = false;
        } else if operation.has_cleared() {
            self.cleared = true;
        }
        if let Some(after) = operation.after {
            // Read before one that is recorded already had written: not the newest.
            if operation.contested && self.knows_newer(&after) {
                return;
            }
            // Found lying about: no look at the state.
            if after.source == Some(Source::Found) {
                return;
            }
            self.see(Some(&after));
            if operation.kind != Kind::Save {
                self.newest_after = Some((record.seq, after));
            }
        }
    }

    /// Whether what was last left is a later state of the same lineage.
    fn knows_newer(&self, image: &Image) -> bool {
        let newest = self.newest_after.as_ref().map(|(_, newest)| newest);
        newest.is_some_and(|newest| newest.lineage == image.lineage && newest.serial > image.serial)
    }

    /// Notes what the state is now, if that was found out.
    fn see(&mut self, image: Option<&Image>) {
        let found = image.filter(|it| !matches!(it.status, Status::Unknown | Status::Unreadable));
        if let Some(image) = found {
            self.last = Some(image.clone());
        }
    }

    /// Keeps the highest serial of each lineage.
    fn note_serial(&mut self, image: Option<&Image>) {
        let Some(image) = image else { return };
        if let (Some(lineage), Some(serial)) = (&image.lineage, image.serial) {
            let highest = self.highest_serial.entry(lineage.clone()).or_insert(serial);
            *highest = serial.max(*highest);
        }
    }

    /// An operation is to be kept.
    fn pin(&mut self, entry: &Entry) {
        if let Some(target) = &entry.target {
            self.pins.retain(|other| *other != target.op);
            self.pins.push(target.op.clone());
        }
    }

    /// It no longer is.
    fn unpin(&mut self, entry: &Entry) {
        if let Some(target) = &entry.target {
            self.pins.retain(|other| *other != target.op);
        }
    }
}
