//! What is written into the journal: flat, with optional fields, one entry a line.
//!
//! Fields and kinds are only ever added. How an entry becomes a line is told in `line.rs`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::operation::{Changes, GuardNote, Image, OperationId, Outcome};
use crate::model::redact::{OddText, RedactedArgv};

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RecordKind {
    /// First line of a segment: carries the head. Not an entry; repeats the last `seq`.
    Open,
    /// A guarded command is about to start.
    Begin,
    /// It ended, or was refused before it began.
    End,
    /// The state changed without us.
    Outside,
    /// A snapshot was asked for.
    Save,
    /// The state as it is was declared right.
    Accept,
    /// The state moved to another backend.
    Migrate,
    /// A restore is about to write.
    RestoreIntent,
    /// It has written.
    RestoreDone,
    /// It has not, and will not.
    RestoreAbort,
    /// An operation is kept for ever.
    Pin,
    /// It no longer is.
    Unpin,
    /// Objects may be moved to the trash.
    Forget,
    /// They were deleted.
    Purge,
    /// An object was not what its name says.
    Quarantine,
    /// Damage was looked at and recorded.
    Repair,
    /// Something of a later version.
    #[serde(other)]
    Unknown,
}

/// Which of an operation's two states is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// The state it found.
    Before,
    /// The state it left.
    After,
}

/// The operation that another one is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    /// Its name.
    pub(crate) op: OperationId,
    /// Which of its states, where that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) side: Option<Side>,
}

/// What a caller writes into the journal. Everything but kind, operation and time is optional.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// What it is about.
    pub(crate) kind: RecordKind,
    /// The operation it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) op: Option<OperationId>,
    /// When. UTC.
    pub(crate) t: DateTime<Utc>,
    /// On which machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<OddText>,
    /// User id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uid: Option<u32>,
    /// User name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<OddText>,
    /// Process id of the shim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<u32>,
    /// In which directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cwd: Option<OddText>,
    /// Terraform's command, or our own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) verb: Option<String>,
    /// The redacted command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) argv: Option<RedactedArgv>,
    /// The real binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tf: Option<OddText>,
    /// Its version, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tf_version: Option<String>,
    /// `ok`, or one word for what the guards did; the details are in `guards`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) guard: Option<String>,
    /// What the guards said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) guards: Vec<GuardNote>,
    /// The state that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Image>,
    /// The state that was left; in a `restore-intent`, the one that is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Image>,
    /// Whether `before` may not be what Terraform starts from.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) provisional: bool,
    /// Whether another held the state when `after` was read, so that it may be more than this one left.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) contested: bool,
    /// Terraform's exit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exit: Option<i32>,
    /// The signal that ended Terraform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signal: Option<i32>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<Outcome>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ms: Option<u64>,
    /// What changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) changes: Option<Changes>,
    /// What a person wrote about it, or why something was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// The operation that a pin, unpin or restore is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Target>,
    /// The file that a restore writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<OddText>,
    /// The objects that a forget, purge or quarantine is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) objects: Vec<String>,
}

impl Entry {
    /// An entry that says nothing yet but what, which and when.
    pub(crate) fn new(kind: RecordKind, op: Option<OperationId>, t: DateTime<Utc>) -> Self {
        Self {
            kind,
            op,
            t,
            host: None,
            uid: None,
            user: None,
            pid: None,
            cwd: None,
            verb: None,
            argv: None,
            tf: None,
            tf_version: None,
            guard: None,
            guards: Vec::new(),
            before: None,
            after: None,
            provisional: false,
            contested: false,
            exit: None,
            signal: None,
            outcome: None,
            ms: None,
            changes: None,
            note: None,
            target: None,
            path: None,
            objects: Vec::new(),
        }
    }
}

/// For leaving out what is the default.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}
