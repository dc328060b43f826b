//! What the use cases answer: plain values, which `ui` turns into text or JSON.

use std::path::PathBuf;

use crate::guard::refusal::Refusal;
use crate::model::change::StateDiff;
use crate::model::content::ResourceEntry;
use crate::model::identity::Identity;
use crate::model::operation::{Changes, GuardNote, Image, Operation, OperationId, Outcome};
use crate::model::passport::Claim;
use crate::model::shell::Shell;
use crate::model::state::{Lineage, Serial};

/// Names the state that a report is about.
#[derive(Clone)]
pub(crate) struct StateName {
    /// What it is.
    pub(crate) identity: Identity,
    /// Its lineage, as last seen.
    pub(crate) lineage: Option<Lineage>,
}

/// `tf shim list`: one history.
pub(crate) struct ListReport {
    /// Which state.
    pub(crate) state: StateName,
    /// Its operations, newest first, as many as were asked for.
    pub(crate) operations: Vec<Operation>,
    /// How many there are in all.
    pub(crate) total: usize,
    /// The operation that left the newest good state: `@`.
    pub(crate) newest_good: Option<OperationId>,
    /// Sentences about lines of the journal that could not be read.
    pub(crate) damage: Vec<String>,
}

/// `tf shim list --all`: every history of the store.
pub(crate) struct AllReport {
    /// One a state, the one with the newest operation first; each has only its last operation.
    pub(crate) histories: Vec<ListReport>,
    /// The store.
    pub(crate) store: PathBuf,
    /// Sentences about histories that cannot be read.
    pub(crate) unreadable: Vec<String>,
}

/// `tf shim show`: one operation.
pub(crate) struct ShowReport {
    /// Which state.
    pub(crate) state: StateName,
    /// The operation.
    pub(crate) operation: Operation,
    /// What it changed, by address; none where one of the two states is not kept.
    pub(crate) diff: Option<StateDiff>,
    /// Why there is no diff, in a sentence.
    pub(crate) no_diff: Option<String>,
}

/// `tf shim diff`: two states.
pub(crate) struct DiffReport {
    /// Which state.
    pub(crate) state: StateName,
    /// The first, as it was named, and what it is.
    pub(crate) from: Side,
    /// The second.
    pub(crate) to: Side,
    /// What differs.
    pub(crate) diff: StateDiff,
}

/// One side of a comparison.
pub(crate) struct Side {
    /// As the user named it.
    pub(crate) name: String,
    /// What it is.
    pub(crate) image: Image,
}

/// `tf shim`: where things stand.
pub(crate) struct StatusReport {
    /// The real binary, or why there is none.
    pub(crate) real: Result<RealReport, String>,
    /// Which state a command here would touch; none where it cannot be told.
    pub(crate) state: Option<StateName>,
    /// The state as it is now, local ones only; a remote one is not asked for.
    pub(crate) now: Option<Image>,
    /// Why it could not be read.
    pub(crate) trouble: Option<String>,
    /// The last operation.
    pub(crate) last: Option<Operation>,
    /// What the guards would refuse a command for, with the ways out.
    pub(crate) findings: Vec<Refusal>,
    /// The operation that left the newest good state, and that state.
    pub(crate) newest_good: Option<(OperationId, Image)>,
    /// Whether commands that can change state are refused.
    pub(crate) is_read_only: bool,
    /// The store.
    pub(crate) store: PathBuf,
    /// Operations in this history; none where the store cannot be read.
    pub(crate) operations: Option<usize>,
    /// Why the store cannot be read.
    pub(crate) store_trouble: Option<String>,
}

/// The real binary.
pub(crate) struct RealReport {
    /// Its path.
    pub(crate) path: PathBuf,
    /// How it was found, in words: "first `terraform` on PATH", `TF_SHIM_REAL`.
    pub(crate) found_by: String,
}

/// `tf shim version`.
pub(crate) struct VersionReport {
    /// The version of this program.
    pub(crate) version: &'static str,
}

/// `tf shim completion`.
pub(crate) struct ScriptReport {
    /// For which shell.
    pub(crate) shell: Shell,
    /// The script, with the path of the program in it.
    pub(crate) script: Vec<u8>,
}

/// `tf shim which`: the real binary, what else is there, how a command line would be treated.
pub(crate) struct WhichReport {
    /// The real binary, or why there is none.
    pub(crate) real: Result<RealReport, String>,
    /// Everything of that name on `PATH`: path, and why it is or is not taken.
    pub(crate) candidates: Vec<(PathBuf, String)>,
    /// The command line asked about, if one was.
    pub(crate) route: Option<RouteReport>,
}

/// How a command line would be treated.
pub(crate) struct RouteReport {
    /// The redacted command line, for people.
    pub(crate) command: String,
    /// `forward`, `guard`, `refuse` or `shim`.
    pub(crate) route: &'static str,
    /// Why, in a sentence.
    pub(crate) why: String,
    /// The states it would touch.
    pub(crate) states: Vec<StateName>,
}

/// `tf shim save`, `pin`, `unpin`.
pub(crate) struct NoteReport {
    /// What was done, for the one line: `saved`, `pinned`, `unpinned`.
    pub(crate) done: &'static str,
    /// Which state.
    pub(crate) state: StateName,
    /// The operation.
    pub(crate) operation: Operation,
}

/// `tf shim accept`.
pub(crate) struct AcceptReport {
    /// Which state.
    pub(crate) state: StateName,
    /// The operation; none where no guard objects, so that there was nothing to settle.
    pub(crate) operation: Option<Operation>,
}

/// `tf shim passport`.
pub(crate) struct PassportReport {
    /// The passport.
    pub(crate) path: PathBuf,
    /// Which state.
    pub(crate) state: StateName,
    /// What the passport said; none where it did not know this state, or was not there.
    pub(crate) said: Option<Claim>,
    /// What is so.
    pub(crate) is: Claim,
    /// What was done about it.
    pub(crate) entered: Entered,
}

/// What was done about a passport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// It says what is so; it was left alone.
    Nothing,
    /// It was written.
    Written,
    /// It does not say what is so, and was only compared.
    Differs,
}

/// What a restore would do.
pub(crate) struct RestorePlan {
    /// Which state.
    pub(crate) state: StateName,
    /// The state that is there now.
    pub(crate) current: Image,
    /// The operation whose state comes back, and that state as it was.
    pub(crate) source: (OperationId, Image),
    /// The serial that it will have.
    pub(crate) serial: Serial,
    /// What changes, from what is there now; none where what is there cannot be compared.
    pub(crate) diff: Option<StateDiff>,
    /// Whether that state is the one that is there: nothing would be gained by writing it anew.
    pub(crate) is_current: bool,
    /// For `undo`: the operation that is undone, and what that means.
    pub(crate) undo: Option<UndoCase>,
    /// Other things to know before saying yes.
    pub(crate) warnings: Vec<String>,
}

/// Which case an undo is (interface.md 2).
pub(crate) struct UndoCase {
    /// The operation that is undone.
    pub(crate) operation: Operation,
    /// Only the state was touched: the undo is exact.
    pub(crate) is_exact: bool,
    /// What was created and would be orphaned.
    pub(crate) orphans: Vec<ResourceEntry>,
    /// What was deleted: coming back as an inventory of what was.
    pub(crate) ghosts: Vec<ResourceEntry>,
}

/// What a restore did.
pub(crate) struct RestoreReport {
    /// Which state.
    pub(crate) state: StateName,
    /// The operation that it was.
    pub(crate) operation: Operation,
    /// What was there before, with its serial.
    pub(crate) before: Image,
    /// What is there now.
    pub(crate) after: Image,
    /// Whether it was an undo.
    pub(crate) is_undo: bool,
}

/// What a guarded run has to say afterwards.
pub(crate) struct RunReport {
    /// The operation.
    pub(crate) operation: OperationId,
    /// Terraform's command.
    pub(crate) verb: String,
    /// How it ended.
    pub(crate) outcome: Option<Outcome>,
    /// The state it found.
    pub(crate) before: Image,
    /// The state it left.
    pub(crate) after: Image,
    /// What changed.
    pub(crate) changes: Option<Changes>,
    /// Findings after the run.
    pub(crate) findings: Vec<GuardNote>,
    /// Whether there is something to undo.
    pub(crate) can_undo: bool,
}
