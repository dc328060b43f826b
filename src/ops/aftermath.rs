//! What is known of a run besides the state that it left: the facts for `guard::aftermath`.
//!
//! A [`Watch`] is set just before Terraform starts, and read when it has ended. It is about one state. What
//! is found lying about then is saved before anything is said of it.

use std::path::{Path, PathBuf};

use crate::guard::aftermath::{self, Deed, Find, Omission, Origin, Traces};
use crate::guard::errored::{Standing, standing};
use crate::model::operation::{GuardNote, Image, OperationId, Source, Status};
use crate::model::state::StateImage;
use crate::proxy::{Guarded, Verb};
use crate::store::{DirLock, StateDir, describe};
use crate::sys::room::why_not_written;
use crate::terraform::backup::{Backup, Start};
use crate::terraform::errored;
use crate::terraform::locate::Location;
use crate::terraform::outlook::Outlook;
use crate::terraform::trace::{Fate, Trace};

use super::caller::Caller;
use super::errored::{LEFT_BY_A_FAILED_SAVE, keep, way_back};
use super::{Context, capture};

/// What the history says beside a state that was written into a file without a name.
const WRITTEN_IN_VAIN: &str = "written into a state file that was removed or replaced meanwhile";

/// What must be remembered while Terraform runs.
pub(super) struct Watch {
    /// The command.
    verb: Verb,
    /// What it is bound to do.
    deed: Deed,
    /// The state's own file, held open; none where it is remote.
    state: Option<Trace>,
    /// Where Terraform keeps what it found; none where that is not known.
    backup: Option<Backup>,
    /// What a failed save leaves.
    errored: Trace,
    /// What the saved plan that is applied will have done.
    outlook: Option<Outlook>,
}

/// What was seen of the files when Terraform had just ended.
pub(super) struct Sight {
    /// What became of the state's own file.
    fate: Option<Fate>,
    /// What Terraform started from.
    start: Option<Start>,
    /// What it has left in `errored.tfstate`.
    left: Option<StateImage>,
    /// What is in the state's file, where that has lost its name.
    orphan: Option<StateImage>,
}

/// A run that has ended, and whose states are known.
pub(super) struct Ended<'a> {
    /// How the user calls us.
    pub(super) caller: &'a Caller<'a>,
    /// The state it found.
    pub(super) before: &'a Image,
    /// The state it left.
    pub(super) after: &'a Image,
    /// Whether it ended with status 0.
    pub(super) is_done: bool,
    /// Whether nobody else is known to have been at work.
    pub(super) is_alone: bool,
}

impl Watch {
    /// Looks at everything around a state, just before Terraform starts.
    pub(super) fn set(
        guarded: &Guarded,
        location: &Location,
        (root_module, most_bytes): (&Path, u64),
    ) -> Self {
        let state = capture::local_path(location);
        let is_run_elsewhere = matches!(location.identity.kind.as_str(), "cloud" | "remote");
        let plan = plan_of(guarded, root_module);
        Self {
            verb: guarded.verb,
            deed: if is_run_elsewhere { Deed::Exchanges } else { deed(guarded) },
            state: state.map(|path| Trace::holding(path.to_owned())),
            backup: state.and_then(|path| Backup::expected(guarded, path, root_module)),
            errored: Trace::of(errored::path(root_module)),
            outlook: plan.and_then(|plan| Outlook::of(&plan, most_bytes)),
        }
    }

    /// Takes in what a plan that was made meanwhile will have done.
    pub(super) fn foresee(&mut self, outlook: Option<Outlook>) {
        self.outlook = outlook.or(self.outlook);
    }

    /// Looks again, at once when Terraform has ended: whoever has waited for its lock may write soon.
    pub(super) fn look(&self, context: &Context, is_done: bool) -> Sight {
        let max_bytes = context.config.max_state_bytes;
        let left = self.errored.has_changed().then_some(&context.config.root_module);
        Sight {
            fate: self.state.as_ref().map(Trace::fate),
            start: self.backup.as_ref().and_then(|backup| backup.start(is_done)),
            left: left.and_then(|root_module| errored::find(root_module, max_bytes)),
            orphan: self.state.as_ref().and_then(|state| state.orphan(max_bytes)),
        }
    }

    /// Says what is wrong. What was found lying about is saved first.
    pub(super) fn judge(
        &self,
        context: &Context,
        (dir, lock): (&StateDir, &DirLock),
        sight: &Sight,
        ended: &Ended<'_>,
    ) -> Vec<GuardNote> {
        let find = |state: &StateImage, note: &str, way: &dyn Fn(&OperationId) -> String| {
            // What cannot be saved is told of all the same.
            let kept = keep(context, (dir, lock), state, note).ok();
            Find { image: describe(state, Source::Found), kept: kept.map(|id| (way(&id), id)) }
        };
        let restore = |id: &OperationId| ended.caller.shim(&format!("restore {id}"));
        let back = |id: &OperationId| {
            let left = sight.left.as_ref().map(|left| describe(left, Source::Found));
            let standing = left.map_or(Standing::Apart, |it| standing(&it, ended.after, None));
            way_back(id, standing, ended.caller)
        };
        let orphan = sight.orphan.as_ref().filter(|orphan| is_of_the_run(orphan, ended));
        let left = sight.left.as_ref().filter(|left| is_news(left, ended));
        let origin = sight.start.clone();
        let traces = Traces {
            file: self.omission(sight, ended),
            least_resources: self.outlook.map(|outlook| outlook.resources),
            origin: origin.map(|start| Origin { lineage: start.lineage, serial: start.serial }),
            orphan: orphan.map(|orphan| find(orphan, WRITTEN_IN_VAIN, &restore)),
            errored: left.map(|left| find(left, LEFT_BY_A_FAILED_SAVE, &back)),
        };
        aftermath::judge(&aftermath::Run {
            verb: self.verb.words(),
            deed: self.deed,
            is_done: ended.is_done,
            is_alone: ended.is_alone,
            before: ended.before,
            after: ended.after,
            traces: &traces,
        })
    }

    /// What Terraform was certain to do to a local file, and did not: a plan with changes is not applied
    /// without writing, and what cannot be written was not. That a run without changes writes as well is true
    /// of the Terraform that was looked at (terraform-facts.md 4.2), and not claimed of every other.
    fn omission(&self, sight: &Sight, ended: &Ended<'_>) -> Option<Omission> {
        let writes = matches!(self.verb, Verb::Apply | Verb::Destroy | Verb::Refresh);
        let fate = sight.fate.filter(|_| writes && ended.is_done && ended.is_alone)?;
        let has_changes = self.outlook.is_some_and(|outlook| outlook.has_changes);
        let state = self.state.as_ref()?;
        match fate {
            Fate::Absent if has_changes => Some(Omission::Missing),
            Fate::Untouched if has_changes => Some(Omission::Unwritten),
            Fate::Untouched if why_not_written(state.path()).is_some() => Some(Omission::Unwritten),
            Fate::Absent | Fate::Untouched | Fate::Other => None,
        }
    }
}

/// Whether what is in `errored.tfstate` is not in the state: it is of its lineage, where that has one, and not
/// behind it.
fn is_news(left: &StateImage, ended: &Ended<'_>) -> bool {
    let Some(header) = left.header() else { return false };
    let known = [ended.after, ended.before].into_iter().find(|image| image.lineage.is_some());
    known.is_none_or(|known| {
        known.lineage == header.lineage
            && Some(header.serial) >= ended.after.serial
            && Some(left.digest()) != ended.after.digest
    })
}

/// Whether what is in the file that lost its name is a state, and another than was found.
fn is_of_the_run(orphan: &StateImage, ended: &Ended<'_>) -> bool {
    let is_state = matches!(orphan.status(), Status::Ok | Status::Encrypted);
    let digest = Some(orphan.digest());
    is_state && digest != ended.before.digest && digest != ended.after.digest
}

/// The saved plan that a command applies; none where it makes its own.
fn plan_of(guarded: &Guarded, root_module: &Path) -> Option<PathBuf> {
    let parsed = guarded.line.parse();
    let plan = parsed.positionals.first().filter(|plan| !plan.is_empty())?;
    (guarded.verb == Verb::Apply && !parsed.has_unknown_flags).then(|| root_module.join(plan))
}

/// What a command is bound to have done when it ends with status 0 (all seen with Terraform 1.11.4).
fn deed(guarded: &Guarded) -> Deed {
    let line = &guarded.line;
    match guarded.verb {
        // What `-state-out` names is overwritten by what comes of another state.
        Verb::Apply
        | Verb::Destroy
        | Verb::Refresh
        | Verb::Import
        | Verb::Taint
        | Verb::Untaint
            if line.parse().value("state-out").is_some() =>
        {
            Deed::Exchanges
        }
        Verb::Destroy => destruction(guarded),
        Verb::Apply if line.is_set("destroy") => destruction(guarded),
        Verb::StateMv | Verb::StateRm | Verb::Import => Deed::Changes,
        Verb::Untaint if !line.is_set("allow-missing") => Deed::Changes,
        // What is tainted can be tainted again, and a provider that nobody has be replaced.
        Verb::Apply | Verb::Refresh | Verb::Taint | Verb::Untaint | Verb::StateReplaceProvider => {
            Deed::May
        }
        Verb::StatePush | Verb::ForceUnlock | Verb::WorkspaceNew | Verb::WorkspaceSelect => {
            Deed::Exchanges
        }
        Verb::Init | Verb::StateMigrate | Verb::WorkspaceDelete => Deed::Removes,
    }
}

/// A destruction of everything, unless flags name a part, or it is that of a saved plan, whose flags were
/// given when it was made.
fn destruction(guarded: &Guarded) -> Deed {
    const PARTS: [&str; 4] = ["target", "target-file", "exclude", "exclude-file"];
    let parsed = guarded.line.parse();
    let is_part = parsed.flags.iter().any(|flag| PARTS.contains(&flag.name.as_str()));
    let is_plain = !is_part && !parsed.has_unknown_flags && parsed.positionals.is_empty();
    if is_plain { Deed::Empties } else { Deed::May }
}
