//! From journal lines to the history people see.
//!
//! The meaning of a journal is the fold over all its lines, in the order of `seq`. Nothing is ever
//! changed in place: a later line corrects an earlier one.

use std::collections::HashMap;

use crate::model::operation::{Image, Kind, Operation, OperationId, Outcome};

use super::head::Head;
use super::line::Record;
use super::record::{Entry, RecordKind};

/// A fold under way.
#[derive(Default)]
pub(super) struct Fold {
    /// The operations so far, in the order of their first records.
    operations: Vec<Operation>,
    /// Where each stands.
    index: HashMap<OperationId, usize>,
    /// The head so far.
    head: Head,
}

impl Fold {
    /// The operations in the order of their ends, those still open last, and the head.
    pub(super) fn finish(mut self) -> (Vec<Operation>, Head) {
        for open in self.head.open.iter().filter(|open| open.doubtful) {
            let operation = self.index.get(&open.id).and_then(|at| self.operations.get_mut(*at));
            if let Some(operation) = operation {
                operation.outcome = Some(Outcome::Unknown);
            }
        }
        // In the order of their ends: where runs overlap, the one that ended last made what is there.
        self.operations.sort_by_key(|operation| match (operation.ended, operation.outcome) {
            (Some(ended), _) => ended,
            (None, None) => u64::MAX,
            // Its end was lost; it was before whatever came after it.
            (None, Some(_)) => operation.seq,
        });
        (self.operations, self.head)
    }

    /// Notes that a record was lost here.
    pub(super) fn lose(&mut self) {
        self.head.lose();
    }

    /// Takes over the head that was recorded at this place. Its writer may have read lines that are
    /// damaged now, so what it knew to be closed is closed.
    pub(super) fn adopt(&mut self, head: Head) {
        for open in &self.head.open {
            let closed = !head.open.iter().any(|other| other.id == open.id);
            let operation = self.index.get(&open.id).and_then(|at| self.operations.get_mut(*at));
            if let (true, Some(operation)) = (closed, operation) {
                operation.outcome = Some(Outcome::Unknown);
            }
        }
        self.head = head;
    }

    /// Notes the number of a line that cannot be understood.
    pub(super) fn skip(&mut self, seq: u64) {
        self.head.seq = self.head.seq.max(seq);
    }

    /// Takes one more record into account.
    pub(super) fn apply(&mut self, record: &Record) {
        let wanted = self.wanted(record);
        self.head.apply(record);
        match record.entry.kind {
            RecordKind::Begin
            | RecordKind::Outside
            | RecordKind::Save
            | RecordKind::Accept
            | RecordKind::Migrate
            | RecordKind::RestoreIntent
            | RecordKind::End
            | RecordKind::RestoreDone
            | RecordKind::RestoreAbort => self.tell(record, wanted),
            RecordKind::Pin | RecordKind::Unpin => self.pin(record),
            RecordKind::Open
            | RecordKind::Forget
            | RecordKind::Purge
            | RecordKind::Quarantine
            | RecordKind::Repair
            | RecordKind::Unknown => {}
        }
    }

    /// The state that a completed restore has left, where only its intent says so.
    fn wanted(&self, record: &Record) -> Option<Image> {
        let done = record.entry.kind == RecordKind::RestoreDone && record.entry.after.is_none();
        let mut intents = self.head.intents.iter().filter(|_| done);
        intents.find(|intent| Some(&intent.id) == record.entry.op.as_ref())?.wanted.clone()
    }

    /// Takes a record into account that was counted before, but not by the head adopted since.
    pub(super) fn apply_again(&mut self, record: &Record) {
        self.head.apply(record);
        let known = record.entry.op.as_ref().and_then(|id| self.index.get(id));
        if let Some(operation) = known.and_then(|at| self.operations.get_mut(*at)) {
            operation.outcome = operation_of(record).outcome;
        }
    }

    /// A record that begins, continues or is an operation.
    fn tell(&mut self, record: &Record, wanted: Option<Image>) {
        let Some(id) = &record.entry.op else { return };
        let known = self.index.get(id).and_then(|at| self.operations.get_mut(*at));
        if let Some(operation) = known {
            continue_with(operation, record);
            operation.after = operation.after.take().or(wanted);
            return;
        }
        self.index.insert(id.clone(), self.operations.len());
        self.operations.push(operation_of(record));
    }

    /// A record about another operation's keeping.
    fn pin(&mut self, record: &Record) {
        let target = record.entry.target.as_ref().and_then(|target| self.index.get(&target.op));
        if let Some(operation) = target.and_then(|at| self.operations.get_mut(*at)) {
            operation.pinned = record.entry.kind == RecordKind::Pin;
            if operation.pinned && record.entry.note.is_some() {
                operation.note.clone_from(&record.entry.note);
            }
        }
    }
}

/// The operation that a record alone tells of.
pub(super) fn operation_of(record: &Record) -> Operation {
    operation(&record.entry, record.seq)
}

/// The operation that an entry tells of, which need not be recorded; `seq` is where it stands.
pub(crate) fn operation(entry: &Entry, seq: u64) -> Operation {
    let kind = match entry.kind {
        RecordKind::Outside => Kind::Outside,
        RecordKind::Save => Kind::Save,
        RecordKind::Accept => Kind::Accept,
        RecordKind::Migrate => Kind::Migrate,
        RecordKind::RestoreIntent | RecordKind::RestoreDone | RecordKind::RestoreAbort => {
            Kind::Restore
        }
        RecordKind::Begin
        | RecordKind::End
        | RecordKind::Open
        | RecordKind::Pin
        | RecordKind::Unpin
        | RecordKind::Forget
        | RecordKind::Purge
        | RecordKind::Quarantine
        | RecordKind::Repair
        | RecordKind::Unknown => Kind::Run,
    };
    let (finished, outcome) = match entry.kind {
        RecordKind::Begin | RecordKind::RestoreIntent => (None, None),
        RecordKind::End => (Some(entry.t), Some(entry.outcome.unwrap_or(Outcome::Unknown))),
        RecordKind::RestoreAbort => (Some(entry.t), Some(entry.outcome.unwrap_or(Outcome::Failed))),
        _ => (Some(entry.t), Some(entry.outcome.unwrap_or(Outcome::Done))),
    };
    // The intent's `after` is a wish, and what an abort leaves is no achievement of its own.
    let after = match entry.kind {
        RecordKind::RestoreIntent | RecordKind::RestoreAbort => None,
        _ => entry.after.clone(),
    };
    let version =
        after.as_ref().or(entry.before.as_ref()).and_then(|it| it.terraform_version.clone());
    Operation {
        id: entry.op.clone().unwrap_or_else(|| OperationId::from_bits(0)),
        seq,
        kind,
        verb: entry.verb.clone(),
        argv: entry.argv.clone(),
        started: entry.t,
        finished,
        user: entry.user.clone(),
        host: entry.host.clone(),
        cwd: entry.cwd.clone(),
        terraform: entry.tf_version.clone().or(version),
        exit: entry.exit,
        signal: entry.signal,
        outcome,
        before: entry.before.clone(),
        provisional: entry.provisional,
        after,
        ended: finished.map(|_| seq),
        contested: entry.contested,
        changes: entry.changes,
        guards: entry.guards.clone(),
        pinned: false,
        note: entry.note.clone(),
    }
}

/// Adds what a later record of the same operation says.
fn continue_with(operation: &mut Operation, record: &Record) {
    let later = operation_of(record);
    operation.finished = later.finished.or(operation.finished);
    operation.ended = later.ended.or(operation.ended);
    operation.contested |= later.contested;
    operation.outcome = later.outcome.or(operation.outcome);
    operation.exit = later.exit.or(operation.exit);
    operation.signal = later.signal.or(operation.signal);
    operation.changes = later.changes.or(operation.changes);
    operation.terraform = later.terraform.or(operation.terraform.take());
    operation.note = later.note.or(operation.note.take());
    operation.verb = operation.verb.take().or(later.verb);
    operation.guards.extend(later.guards);
    if later.before.is_some() {
        operation.before = later.before;
        operation.provisional = later.provisional;
    }
    operation.after = later.after.or(operation.after.take());
}
