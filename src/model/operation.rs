//! One entry of the history of a state: who did what, when, and what the state was before and after.
//!
//! These types are what the journal folds to. They hold no state content, only its [`Image`]: enough
//! to find the stored object and to prove that its bytes are the right ones.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::guard::Guard;
use super::redact::{OddText, RedactedArgv};
use super::state::{Digest, Lineage, Serial};

/// Names one operation: sixteen lower-case hexadecimal digits, of which people see the first eight.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct OperationId(String);

impl OperationId {
    /// Number of digits of a complete id.
    pub(crate) const DIGITS: usize = 16;

    /// Makes an id from random bits.
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(format!("{bits:016x}"))
    }

    /// All sixteen digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits, as lists show them.
    pub(crate) fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// A string that is not sixteen lower-case hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an operation id")]
pub(crate) struct NotAnId(String);

impl FromStr for OperationId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex && text.len() == Self::DIGITS {
            return Ok(Self(text.to_owned()));
        }
        Err(NotAnId(text.to_owned()))
    }
}

impl TryFrom<String> for OperationId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl From<OperationId> for String {
    fn from(id: OperationId) -> Self {
        id.0
    }
}

/// What sort of operation an entry of the history is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A guarded command that ran (or was refused) through us.
    Run,
    /// The state changed without us; the entry was made the moment that was seen.
    Outside,
    /// A snapshot asked for with `tf shim save`.
    Save,
    /// `tf shim restore` or `tf shim undo`.
    Restore,
    /// "The state as it is now is right."
    Accept,
    /// The state moved to another backend.
    Migrate,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// Ended with status 0.
    Done,
    /// Ended with another status.
    Failed,
    /// Ended by a signal.
    Killed,
    /// A guard or a lock refused; Terraform was not started.
    Refused,
    /// The end was not seen: the shim was killed, or the record is damaged.
    Unknown,
}

/// What was found where a state should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// A state with a lineage or resources.
    Ok,
    /// No file; from a remote: an empty answer or the skeleton with serial 0.
    Absent,
    /// No bytes, or a state without lineage and without resources, such as `{"version":4}`.
    Empty,
    /// Not a state at all.
    Invalid,
    /// A key that decides (serial, lineage, …) is there twice, so readers may disagree about it.
    Ambiguous,
    /// Ciphertext of an encrypting `OpenTofu`.
    Encrypted,
    /// Something is there and could not be read.
    Unreadable,
    /// Not looked at.
    Unknown,
}

/// Where the bytes of an image came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// Read from the state file.
    File,
    /// Answer of `state pull`.
    Pull,
    /// Found lying about, such as an `errored.tfstate`.
    Found,
}

/// A state as it was at one moment: what it was, and where its bytes are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    /// What was found.
    pub(crate) status: Status,
    /// Where it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<Source>,
    /// The lineage, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lineage: Option<Lineage>,
    /// The serial, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) serial: Option<Serial>,
    /// SHA-256 of the exact bytes; none where there were no bytes to read.
    #[serde(default, rename = "id", skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<Digest>,
    /// Length of the exact bytes.
    #[serde(default)]
    pub(crate) bytes: u64,
    /// Name of the object that holds the bytes, in `objects/`; none where nothing was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stored: Option<String>,
    /// Length of that object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stored_bytes: Option<u64>,
    /// SHA-256 of that object's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stored_sha256: Option<Digest>,
    /// Managed resource instances, deposed ones excepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<u64>,
    /// The version of Terraform that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) terraform_version: Option<String>,
}

impl Image {
    /// An image without bytes: nothing there, not readable, or not looked at.
    pub(crate) fn without_bytes(status: Status) -> Self {
        Self {
            status,
            source: None,
            lineage: None,
            serial: None,
            digest: None,
            bytes: 0,
            stored: None,
            stored_bytes: None,
            stored_sha256: None,
            resources: None,
            terraform_version: None,
        }
    }

    /// Whether the two are the same find: same status and same bytes.
    pub(crate) fn is_same_find(&self, other: &Self) -> bool {
        self.status == other.status && self.digest == other.digest
    }
}

/// How many managed resource instances differ between two states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// Only in the second.
    pub(crate) add: u64,
    /// In both, with different content; a replacement counts here.
    pub(crate) change: u64,
    /// Only in the first.
    pub(crate) remove: u64,
}

/// What a guard said about an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GuardNote {
    /// The guard's name, as in `TF_SHIM_ALLOW`.
    pub(crate) guard: String,
    /// What was done about it.
    pub(crate) action: GuardAction,
    /// The finding in one sentence.
    pub(crate) text: String,
}

impl GuardNote {
    /// What a guard of ours says. In the journal the name is a text: a later version may know more guards.
    pub(crate) fn new(guard: Guard, action: GuardAction, text: String) -> Self {
        Self { guard: guard.word().to_owned(), action, text }
    }
}

/// What was done about a guard's finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GuardAction {
    /// The command was refused.
    Refused,
    /// The user let it pass.
    Allowed,
    /// It was written down: the state was found like that, or became so.
    Noted,
}

/// One operation of a history, folded from its journal lines.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// The name of the operation.
    pub(crate) id: OperationId,
    /// Position in the order of this history; only grows.
    pub(crate) seq: u64,
    /// What sort it is.
    pub(crate) kind: Kind,
    /// Terraform's command, such as `state rm`; for our own operations `restore`, `undo`, `save`.
    pub(crate) verb: Option<String>,
    /// The redacted command line.
    pub(crate) argv: Option<RedactedArgv>,
    /// When it began, or was seen. UTC.
    pub(crate) started: DateTime<Utc>,
    /// When it ended. UTC. None while it runs, or when the end was not seen.
    pub(crate) finished: Option<DateTime<Utc>>,
    /// Who ran it; none for what happened outside.
    pub(crate) user: Option<OddText>,
    /// On which machine.
    pub(crate) host: Option<OddText>,
    /// In which directory.
    pub(crate) cwd: Option<OddText>,
    /// The version of Terraform, as the state says it.
    pub(crate) terraform: Option<String>,
    /// Terraform's exit status.
    pub(crate) exit: Option<i32>,
    /// The signal that ended Terraform.
    pub(crate) signal: Option<i32>,
    /// How it ended; none while it runs.
    pub(crate) outcome: Option<Outcome>,
    /// The state it found.
    pub(crate) before: Option<Image>,
    /// Whether `before` was taken while another run held the state, so that it may not be what
    /// Terraform really started from.
    pub(crate) provisional: bool,
    /// The state it left.
    pub(crate) after: Option<Image>,
    /// Sequence number of the record of its end.
    pub(crate) ended: Option<u64>,
    /// Whether another held the state when `after` was read, so that it may be more than this one left.
    pub(crate) contested: bool,
    /// What changed between the two.
    pub(crate) changes: Option<Changes>,
    /// What the guards said.
    pub(crate) guards: Vec<GuardNote>,
    /// Whether it is kept for ever.
    pub(crate) pinned: bool,
    /// What a person wrote about it: the text of `save -m` or `pin -m`.
    pub(crate) note: Option<String>,
}

impl Operation {
    /// Whether nothing is there by right since this operation: a command whose business it is took the state
    /// away, or a person accepted that there is none.
    pub(crate) fn has_cleared(&self) -> bool {
        let is_gone = self
            .after
            .as_ref()
            .is_some_and(|after| matches!(after.status, Status::Absent | Status::Empty));
        let takes_away =
            matches!(self.verb.as_deref(), Some("workspace delete" | "init" | "state migrate"));
        is_gone
            && match self.kind {
                Kind::Run => takes_away && self.outcome == Some(Outcome::Done),
                Kind::Accept => true,
                Kind::Outside | Kind::Save | Kind::Restore | Kind::Migrate => false,
            }
    }

    /// The state this operation left, if that is a *good* one (interface.md 2): it parses, has a
    /// lineage, and a run of ours left it without a finding, or it was found and no guard objects,
    /// or it was accepted, or restored. `save` and refused operations never leave one, and one that was
    /// not alone when it looked leaves that to the other.
    pub(crate) fn good_after(&self) -> Option<&Image> {
        let counts = match self.kind {
            Kind::Run => self.guards.iter().all(|note| note.action == GuardAction::Allowed),
            Kind::Outside => self.guards.is_empty(),
            Kind::Restore | Kind::Accept | Kind::Migrate => true,
            Kind::Save => false,
        };
        let after = self.after.as_ref()?;
        let refused = self.outcome == Some(Outcome::Refused);
        let is_state =
            matches!(after.status, Status::Ok | Status::Encrypted) && after.lineage.is_some();
        (counts && !refused && !self.contested && is_state).then_some(after)
    }
}
