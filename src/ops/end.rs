//! The end of a guarded command: what it left, what may be said of it, and its record.
//!
//! Terraform's exit status stands whatever is found here. What it started from is only certain where nobody
//! else held the state.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::guard::aftermath::UNREADABLE;
use crate::model::census::Census;
use crate::model::operation::{Changes, GuardNote, Image, Operation, OperationId, Outcome, Status};
use crate::model::state::StateImage;
use crate::store::{DirLock, Entry, RecordKind, RunningMark, StateDir};
use crate::sys::spawn::Ending;
use crate::terraform::TerraformError;
use crate::terraform::read::Reading;
use crate::terraform::supervise::Supervisor;

use super::aftermath::{Ended, Sight};
use super::guarded::Voice;
use super::guards::{self, Known};
use super::record::{Begun, Record};
use super::report::{RunReport, StateName};
use super::{capture, resume};

/// How long a run whose `before` is in doubt waits for the records of others.
const PATIENCE: Duration = Duration::from_secs(2);

/// A Terraform that has just got the lock plans before it writes, which takes it longer than this.
const PROMPT: Duration = Duration::from_millis(20);

/// Runs of others that had ended before ours did.
#[derive(Default)]
struct Earlier {
    /// The newest sequence number then.
    seq: u64,
    /// Those whose record was still on its way.
    recording: Vec<OperationId>,
}

impl Record<'_> {
    /// Saves the state as it became, and records how the command ended and what the guards let pass. Never fails
    /// the command.
    pub(super) fn end(
        &self,
        state: &Begun,
        (ending, notes): (Ending, &[GuardNote]),
        supervisor: &Supervisor,
        voice: &dyn Voice,
    ) -> Option<(StateName, RunReport)> {
        let failed = |error: Error| {
            voice.failed(&Error::NotSavedAfter { verb: self.verb, source: Box::new(error) });
        };
        let ended = self.try_end(state, (ending, notes), supervisor).map_err(failed).ok()?;
        let (mut report, unread) = ended;
        if let Some(error) = unread {
            failed(error.into());
            // That it cannot be read has just been said.
            report.findings.retain(|finding| !finding.text.starts_with(UNREADABLE));
            if report.findings.is_empty() {
                return None;
            }
        }
        let lineage = report.after.lineage.clone();
        Some((StateName { identity: state.location.identity.clone(), lineage }, report))
    }

    fn try_end(
        &self,
        state: &Begun,
        (ending, notes): (Ending, &[GuardNote]),
        supervisor: &Supervisor,
    ) -> Result<(RunReport, Option<TerraformError>), Error> {
        // At once, before another run that waits for Terraform's lock can have written.
        let look_after = supervisor.since_end();
        let give_up = || supervisor.gives_up();
        let limits = self.context.limits_until(&give_up);
        let reading =
            capture::read(&state.location, self.terraform, state.workspace.as_deref(), limits);
        let sight = state.watch.look(self.context, is_done(ending));
        let earlier =
            if state.provisional { self.earlier(&state.dir)? } else { Earlier::default() };
        let lock = state.dir.lock()?;
        if give_up() {
            let what = "reading the state after the run".to_owned();
            return Err(TerraformError::Abandoned { what }.into());
        }
        let (after, census) = match &reading {
            Ok(reading) => (capture::put(&state.dir, &lock, reading)?, capture::census(reading)),
            Err(_) => (Image::without_bytes(Status::Unreadable), Census::default()),
        };
        let before = self.settled_before(state, &earlier, &reading)?;
        // A run that the lock refused has changed nothing; what is there belongs to the one that holds it.
        let is_refused = state.provisional && !is_done(ending) && {
            let is_locked = reading.as_ref().is_ok_and(|reading| reading.is_locked);
            is_locked || self.others_are_busy(&state.dir)?
        };
        let after = (!is_refused).then_some(after);
        let contested = is_contested(state, &reading, look_after)?;
        let mut findings = match &after {
            Some(after) => {
                let is_alone = !contested && self.is_alone(state)?;
                let outcome = (is_done(ending), is_alone);
                self.findings(state, (&lock, &sight), (&before, after), outcome)
            }
            None => Vec::new(),
        };
        if let (Some(after), Ok(reading), true) = (&after, &reading, findings.is_empty()) {
            findings.extend(self.left_as_it_was(state, (&before, after), reading)?);
        }
        let changes =
            after.as_ref().and_then(|after| changes(state, Some(&before), after, &census));
        let entry = Entry {
            before: state.provisional.then(|| before.clone()),
            after: after.clone(),
            contested,
            changes,
            guards: notes.iter().chain(&findings).cloned().collect(),
            tf_version: after.as_ref().and_then(|after| after.terraform_version.clone()),
            outcome: Some(outcome(ending)),
            ms: u64::try_from(state.started.elapsed().as_millis()).ok(),
            exit: ending.status(),
            signal: ending.signal(),
            ..self.context.entry_of_nobody(RecordKind::End, self.id)
        };
        state.dir.append(&lock, &entry)?;
        if let (true, Ok(reading), Some(after)) = (state.provisional, &reading, &after) {
            // A run whose shim was killed may have ended while we waited for its lock.
            resume::close_runs(self.context, &state.dir, &lock, (reading, after))?;
        }
        drop(lock);
        let after = after.unwrap_or_else(|| Image::without_bytes(Status::Unknown));
        let report = RunReport {
            operation: self.id.clone(),
            verb: self.verb.to_owned(),
            outcome: Some(outcome(ending)),
            can_undo: findings.is_empty() && can_undo(&before, &after, changes),
            before,
            after,
            changes,
            findings,
        };
        Ok((report, reading.err()))
    }

    /// What is wrong with what the run left. What was found lying about is saved first.
    fn findings(
        &self,
        state: &Begun,
        (lock, sight): (&DirLock, &Sight),
        (before, after): (&Image, &Image),
        (is_done, is_alone): (bool, bool),
    ) -> Vec<GuardNote> {
        let caller = &self.caller(&state.location);
        let ended = Ended { caller, before, after, is_done, is_alone };
        state.watch.judge(self.context, (&state.dir, lock), sight, &ended)
    }

    /// What a guard objects to in a state that the command found and left alone. A command that is asked nothing
    /// about it, such as `init`, must not make it the one that is expected.
    fn left_as_it_was(
        &self,
        state: &Begun,
        (before, after): (&Image, &Image),
        reading: &Reading,
    ) -> Result<Option<GuardNote>, Error> {
        if state.is_allowed || !before.is_same_find(after) {
            return Ok(None);
        }
        let head = state.dir.head()?;
        guards::notice(self.context, Known::by(&state.dir, &head), (after, reading))
    }

    /// Whether no other run of ours was at work between our beginning and now, or is.
    fn is_alone(&self, state: &Begun) -> Result<bool, Error> {
        let newest = state.dir.head()?.newest_after;
        let is_followed = newest.is_some_and(|(seq, _)| seq > state.seq);
        Ok(!state.provisional && !is_followed && !self.others_are_busy(&state.dir)?)
    }

    /// What the run really started from.
    ///
    /// Where another one held the state when we looked, that is what one of those left whose Terraform had
    /// ended before ours did: the lock lets one work at a time, so all of them came before us, and the
    /// highest serial is the last of them. In doubt (it may be made of our own result, its record did not
    /// come, it was not alone when it looked) nobody knows.
    fn settled_before(
        &self,
        state: &Begun,
        earlier: &Earlier,
        reading: &Result<Reading, TerraformError>,
    ) -> Result<Image, Error> {
        if !state.provisional {
            return Ok(state.before.clone());
        }
        let unknown = Image::without_bytes(Status::Unknown);
        let operations = state.dir.history()?.operations;
        let is_earlier = |other: &&Operation| {
            let is_recorded = other.ended.is_some_and(|seq| seq > state.seq && seq <= earlier.seq);
            is_recorded || earlier.recording.contains(&other.id)
        };
        let others: Vec<&Operation> =
            operations.iter().filter(|other| other.id != *self.id).filter(is_earlier).collect();
        if others.iter().any(|other| other.ended.is_none()) {
            return Ok(unknown);
        }
        let left =
            |other: &Operation| other.after.as_ref().map(|after| (after.serial, other.ended));
        let last = others.into_iter().filter(|other| other.after.is_some()).max_by_key(|o| left(o));
        let Some((last, image)) = last.and_then(|last| Some((last, last.after.as_ref()?))) else {
            return Ok(unknown);
        };
        let is_there_still = reading
            .as_ref()
            .is_ok_and(|reading| reading.image.as_ref().map(StateImage::digest) == image.digest);
        let is_doubtful = last.contested || (is_there_still && last.seq > state.seq);
        Ok(if is_doubtful { unknown } else { image.clone() })
    }

    /// Who had ended before our Terraform did: those whose record is there, and those whose record is on
    /// its way, which is waited for.
    fn earlier(&self, dir: &StateDir) -> Result<Earlier, Error> {
        let seq = dir.head()?.seq;
        let is_on_its_way = |mark: &RunningMark| mark.op != *self.id && mark.is_only_recording();
        let marks = dir.running()?.into_iter().filter(is_on_its_way);
        let recording: Vec<OperationId> = marks.map(|mark| mark.op).collect();
        let deadline = Instant::now() + PATIENCE;
        while !recording.is_empty() && Instant::now() < deadline {
            if !dir.running()?.iter().any(|mark| recording.contains(&mark.op)) {
                break;
            }
            sleep(Duration::from_millis(10));
        }
        Ok(Earlier { seq, recording })
    }

    fn others_are_busy(&self, dir: &StateDir) -> Result<bool, Error> {
        Ok(dir.running()?.iter().any(|mark| mark.op != *self.id && mark.is_live()))
    }
}

fn is_done(ending: Ending) -> bool {
    ending == Ending::Exited(0)
}

fn outcome(ending: Ending) -> Outcome {
    match ending {
        Ending::Exited(0) => Outcome::Done,
        Ending::Exited(_) => Outcome::Failed,
        Ending::Signalled(_) => Outcome::Killed,
    }
}

/// What changed; none where one of the two cannot be counted.
fn changes(
    state: &Begun,
    before: Option<&Image>,
    after: &Image,
    census: &Census,
) -> Option<Changes> {
    let is_countable =
        |image: &Image| matches!(image.status, Status::Ok | Status::Absent | Status::Empty);
    if !is_countable(after) || !before.is_some_and(is_countable) {
        return None;
    }
    if state.provisional {
        return capture::changes(&state.dir, before, census);
    }
    Some(state.census.changes(census))
}

/// Whether there is something that `undo` would take back.
fn can_undo(before: &Image, after: &Image, changes: Option<Changes>) -> bool {
    let is_known = |image: &Image| !matches!(image.status, Status::Unknown | Status::Unreadable);
    let has_moved =
        before.serial != after.serial || changes.is_some_and(|c| c != Changes::default());
    is_known(before) && is_known(after) && before.digest != after.digest && has_moved
}

/// Whether what was read may not be what this run alone left (somebody else had the lock by then, for
/// long enough to have written), or is not the newest any more.
fn is_contested(
    state: &Begun,
    reading: &Result<Reading, TerraformError>,
    look_after: Duration,
) -> Result<bool, Error> {
    let Ok(reading) = reading else { return Ok(false) };
    let newest = state.dir.head()?.newest_after.filter(|(seq, _)| *seq > state.seq);
    let header = reading.image.as_ref().and_then(StateImage::header);
    let is_late = newest.zip(header).is_some_and(|((_, newest), header)| {
        newest.lineage == header.lineage && newest.serial > Some(header.serial)
    });
    Ok((reading.is_locked && look_after > PROMPT) || is_late)
}
