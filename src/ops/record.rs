//! The records of one guarded command: what it found, how it ended, what it left.
//!
//! Saving is the store's business, waiting is `supervise`'s; here is what is true about a run and when it
//! may be said. What it started from is only certain where nobody else held the state.

use std::ffi::OsString;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use crate::error::Error;
use crate::guard::aftermath;
use crate::guard::refusal::Refusal;
use crate::model::census::Census;
use crate::model::guard::Guard;
use crate::model::operation::{
    Changes, GuardAction, GuardNote, Image, Operation, OperationId, Outcome, Status,
};
use crate::model::redact::{Grammar, RedactedArgv};
use crate::model::state::StateImage;
use crate::model::text::OddText;
use crate::proxy::Verb;
use crate::proxy::argv::CommandLine;
use crate::proxy::verb::takes_value;
use crate::store::{DirLock, Entry, RecordKind, Running, RunningMark, StateDir, StoreError};
use crate::sys::mark::ProcessMark;
use crate::sys::spawn::Ending;
use crate::terraform::locate::{Location, Setting};
use crate::terraform::read::Reading;
use crate::terraform::supervise::Supervisor;
use crate::terraform::{Terraform, TerraformError};

use super::caller::Caller;
use super::guarded::{Call, Voice};
use super::guards::{self, Known};
use super::report::{RunReport, StateName};
use super::resume::{CaughtUp, Look};
use super::{Context, capture, resume};

/// How long a run whose `before` is in doubt waits for the records of others.
const PATIENCE: Duration = Duration::from_secs(2);

/// A Terraform that has just got the lock plans before it writes, which takes it longer than this.
const PROMPT: Duration = Duration::from_millis(20);

/// One state that the command will touch, as it was found.
pub(super) struct State {
    /// Where it is.
    pub(super) location: Location,
    /// Which workspace a remote must be asked for, where it is not the selected one.
    pub(super) workspace: Option<String>,
    /// What was read.
    pub(super) look: Look,
}

/// One state that was saved and whose run is recorded as begun.
pub(super) struct Begun {
    location: Location,
    workspace: Option<String>,
    dir: StateDir,
    /// The state that was found, saved.
    pub(super) before: Image,
    started: Instant,
    census: Census,
    provisional: bool,
    seq: u64,
    marker: Running,
}

/// Runs of others that had ended before ours did.
#[derive(Default)]
struct Earlier {
    /// The newest sequence number then.
    seq: u64,
    /// Those whose record was still on its way.
    recording: Vec<OperationId>,
}

/// A command line as it may be recorded, `TF_CLI_ARGS*` included.
pub(super) fn redacted(line: &CommandLine, arguments: &[OsString]) -> RedactedArgv {
    let takes_value = |flag: &str| takes_value(line.command(), flag) == Some(true);
    let grammar = Grammar { command: line.command(), takes_value: &takes_value };
    RedactedArgv::of_line(line.cli_args(), arguments, &grammar)
}

/// Notes in every marker which process Terraform is.
pub(super) fn note_child(begun: &[Begun], child: Pid) {
    let mark = u32::try_from(child.as_raw()).ok().and_then(ProcessMark::read);
    let Some(mark) = mark else { return };
    for state in begun {
        // Without the note, a next call after our death would not wait for Terraform; nothing else.
        let _ = state.marker.note_child(&mark);
    }
}

/// Writes the records of one command.
pub(super) struct Record<'a> {
    /// What every use case needs.
    pub(super) context: &'a Context,
    /// The command as it was called.
    pub(super) call: &'a Call<'a>,
    /// The real binary.
    pub(super) terraform: &'a Terraform,
    /// The root module as it was found.
    pub(super) setting: &'a Setting,
    /// Terraform's command.
    pub(super) verb: &'static str,
    /// The operation.
    pub(super) id: &'a OperationId,
}

impl Record<'_> {
    /// Saves the state as it was found, closes what was cut off before, and records that the command
    /// begins. Durable when this returns.
    ///
    /// # Errors
    /// The state could not be saved; or a guard refused the command, which is recorded.
    pub(super) fn begin(&self, state: State) -> Result<Begun, Error> {
        let not_saved = |source: StoreError| Error::NotSaved { verb: self.verb, source };
        let as_not_saved = |error: Error| match error {
            Error::Store(source) => not_saved(source),
            other => other,
        };
        let State { location, workspace, mut look } = state;
        let dir = self.context.history_for_writing(&location).map_err(as_not_saved)?;
        let caller = Caller::about(
            self.call.called_as,
            self.call.guarded.line.chdir(),
            self.setting,
            &location,
        );
        let unfinished = self.finish_restores(&dir, &caller)?;
        let read = || {
            let limits = self.context.limits();
            capture::read(&location, self.terraform, workspace.as_deref(), limits)
                .map_err(|source| Error::NotRead { verb: self.verb, source })
        };
        let lock = look.lock(&dir, read).map_err(as_not_saved)?;
        let census = capture::census(&look.reading);
        let caught_up = resume::catch_up(self.context, &dir, &lock, &look.reading);
        let caught_up = caught_up.map_err(as_not_saved)?;
        let refusals = match unfinished {
            Some(refusal) => vec![refusal],
            None => self.ask_guards(&dir, (&caught_up, &look.reading), &caller)?,
        };
        let is_allowed = |refusal: &Refusal| self.context.config.allow.contains(&refusal.guard);
        if !refusals.iter().all(is_allowed) {
            self.refuse(&dir, &lock, caught_up, &refusals).map_err(as_not_saved)?;
            return Err(Error::Refused { verb: self.verb.to_owned(), refusals });
        }
        let allowed = refusals.iter().map(|refusal| refusal.note(GuardAction::Allowed)).collect();
        let begun = self.begin_under_lock(&dir, &lock, caught_up, allowed).map_err(as_not_saved)?;
        drop(lock);
        let (before, provisional, seq, marker) = begun;
        Ok(Begun {
            location,
            workspace,
            dir,
            before,
            started: Instant::now(),
            census,
            provisional,
            seq,
            marker,
        })
    }

    /// Finishes restores that were cut off. Where one cannot be, the command is refused, unless it touches
    /// no resource.
    fn finish_restores(
        &self,
        dir: &StateDir,
        caller: &Caller<'_>,
    ) -> Result<Option<Refusal>, Error> {
        let not_saved = |source: StoreError| Error::NotSaved { verb: self.verb, source };
        if dir.head().map_err(not_saved)?.intents.is_empty() {
            return Ok(None);
        }
        let finished = resume::finish_restores(self.context, dir);
        let is_asked = guards::scope(self.call.guarded, self.setting).asks(Guard::Unfinished);
        Ok(finished.err().filter(|_| is_asked).map(|error| guards::unfinished(&error, caller)))
    }

    /// What the guards that this command is asked object to.
    fn ask_guards(
        &self,
        dir: &StateDir,
        (seen, reading): (&CaughtUp, &Reading),
        caller: &Caller<'_>,
    ) -> Result<Vec<Refusal>, Error> {
        let scope = guards::scope(self.call.guarded, self.setting);
        let head = dir.head()?;
        let known = Known::by(dir, &head);
        let objection = guards::objection(self.context, known, (&seen.image, reading))?;
        // What another of ours is just doing to the state is no accident.
        let counts = |guard: Guard| guard == Guard::CorruptState || !seen.is_busy;
        let objection = objection.filter(|(it, _)| scope.asks(it.guard) && counts(it.guard));
        let refusal = |objection| guards::refusal(known, objection, caller);
        Ok(objection.map(refusal).transpose()?.into_iter().collect())
    }

    /// Records that the command was refused.
    ///
    /// # Errors
    /// The journal cannot be written.
    fn refuse(
        &self,
        dir: &StateDir,
        lock: &DirLock,
        seen: CaughtUp,
        refusals: &[Refusal],
    ) -> Result<(), Error> {
        let entry = Entry {
            provisional: seen.is_contested,
            outcome: Some(Outcome::Refused),
            guard: refusals.first().map(|refusal| refusal.guard.word().to_owned()),
            guards: refusals.iter().map(|refusal| refusal.note(GuardAction::Refused)).collect(),
            ..self.entry(RecordKind::End, Some(seen.image))
        };
        dir.append(lock, &entry)?;
        Ok(())
    }

    /// An entry that says what was called.
    fn entry(&self, kind: RecordKind, before: Option<Image>) -> Entry {
        let real = self.terraform.real().path();
        Entry {
            verb: Some(self.verb.to_owned()),
            argv: Some(redacted(&self.call.guarded.line, self.call.arguments)),
            tf: Some(OddText::from(real.as_os_str())),
            before,
            note: self.call.note.map(str::to_owned),
            ..self.context.entry(kind, self.id)
        }
    }

    fn begin_under_lock(
        &self,
        dir: &StateDir,
        lock: &DirLock,
        caught_up: CaughtUp,
        allowed: Vec<GuardNote>,
    ) -> Result<(Image, bool, u64, Running), Error> {
        let CaughtUp { image, is_contested: provisional, .. } = caught_up;
        let marker = dir.mark_running(lock, self.id)?;
        let word = if allowed.is_empty() { "ok" } else { "allowed" };
        let entry = Entry {
            provisional,
            guard: Some(word.to_owned()),
            guards: allowed,
            ..self.entry(RecordKind::Begin, Some(image.clone()))
        };
        let seq = dir.append(lock, &entry)?;
        Ok((image, provisional, seq, marker))
    }

    /// Saves the state as it was found, and records that the command was refused unasked. An interrupted
    /// restore is not finished: that would write.
    ///
    /// # Errors
    /// The state could not be saved, or the journal not be written.
    pub(super) fn refuse_unasked(&self, state: State, refusals: &[Refusal]) -> Result<(), Error> {
        let State { location, workspace, mut look } = state;
        let dir = self.context.history_for_writing(&location)?;
        let read = || -> Result<Reading, Error> {
            let limits = self.context.limits();
            Ok(capture::read(&location, self.terraform, workspace.as_deref(), limits)?)
        };
        let lock = look.lock(&dir, read)?;
        let seen = resume::catch_up(self.context, &dir, &lock, &look.reading)?;
        self.refuse(&dir, &lock, seen, refusals)
    }

    /// Records that what was begun did not run.
    pub(super) fn abandon(&self, begun: &[Begun], outcome: Outcome, signal: Option<i32>) {
        for state in begun {
            let entry = Entry {
                outcome: Some(outcome),
                signal,
                after: Some(state.before.clone()),
                changes: Some(Changes::default()),
                note: Some("Terraform was not started".to_owned()),
                ..self.context.entry_of_nobody(RecordKind::End, self.id)
            };
            // If this fails, the next call closes the record as unknown, which is true as well.
            let _ = state.dir.lock().and_then(|lock| state.dir.append(&lock, &entry));
        }
    }

    /// Records that what was begun did not run, and which guard refused it, if one did.
    pub(super) fn give_up(&self, begun: &[Begun], error: &Error) {
        let Error::Refused { refusals, .. } = error else {
            return self.abandon(begun, Outcome::Failed, None);
        };
        for state in begun {
            let note = |refusal: &Refusal| refusal.note(GuardAction::Refused);
            let entry = Entry {
                outcome: Some(Outcome::Refused),
                guard: Some("refused".to_owned()),
                guards: refusals.iter().map(note).collect(),
                changes: Some(Changes::default()),
                ..self.context.entry_of_nobody(RecordKind::End, self.id)
            };
            // As above.
            let _ = state.dir.lock().and_then(|lock| state.dir.append(&lock, &entry));
        }
    }

    /// Saves the state as it became, and records how the command ended and what the guards let pass. Never fails
    /// the command.
    pub(super) fn end(
        &self,
        state: &Begun,
        (ending, notes): (Ending, &[GuardNote]),
        supervisor: &Supervisor,
        voice: &dyn Voice,
    ) -> Option<(StateName, RunReport)> {
        match self.try_end(state, (ending, notes), supervisor) {
            Ok(report) => {
                let lineage = report.after.lineage.clone();
                Some((StateName { identity: state.location.identity.clone(), lineage }, report))
            }
            Err(error) => {
                let source = Box::new(error);
                voice.failed(&Error::NotSavedAfter { verb: self.verb, source });
                None
            }
        }
    }

    fn try_end(
        &self,
        state: &Begun,
        (ending, notes): (Ending, &[GuardNote]),
        supervisor: &Supervisor,
    ) -> Result<RunReport, Error> {
        // At once, before another run that waits for Terraform's lock can have written.
        let look_after = supervisor.since_end();
        let give_up = || supervisor.gives_up();
        let limits = self.context.limits_until(&give_up);
        let reading =
            capture::read(&state.location, self.terraform, state.workspace.as_deref(), limits);
        let earlier =
            if state.provisional { self.earlier(&state.dir)? } else { Earlier::default() };
        let lock = state.dir.lock()?;
        if give_up() {
            let what = "reading the state after the run".to_owned();
            return Err(TerraformError::Abandoned { what }.into());
        }
        let (mut after, census) = match &reading {
            Ok(reading) => {
                (Some(capture::put(&state.dir, &lock, reading)?), capture::census(reading))
            }
            Err(_) => (Some(Image::without_bytes(Status::Unreadable)), Census::default()),
        };
        let before = self.settled_before(state, &earlier, &reading)?;
        // A run that the lock refused has changed nothing; what is there belongs to the one that holds it.
        let is_refused = state.provisional && ending != Ending::Exited(0) && {
            let is_locked = reading.as_ref().is_ok_and(|reading| reading.is_locked);
            is_locked || self.others_are_busy(&state.dir)?
        };
        if is_refused {
            after = None;
        }
        let changes =
            after.as_ref().and_then(|after| changes(state, Some(&before), after, &census));
        let findings = after.as_ref().map_or_else(Vec::new, |after| {
            let may_remove = matches!(self.call.guarded.verb, Verb::WorkspaceDelete | Verb::Init);
            aftermath::judge(Some(&before), after, may_remove)
        });
        let entry = Entry {
            before: state.provisional.then(|| before.clone()),
            after: after.clone(),
            contested: is_contested(state, &reading, look_after)?,
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
        if let Err(error) = reading {
            return Err(error.into());
        }
        let after = after.unwrap_or_else(|| Image::without_bytes(Status::Unknown));
        Ok(RunReport {
            operation: self.id.clone(),
            verb: self.verb.to_owned(),
            outcome: Some(outcome(ending)),
            can_undo: can_undo(&before, &after, changes),
            before,
            after,
            changes,
            findings,
        })
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

    /// After an `init` that moved the state: its new place knows where it came from. Nothing where the
    /// backend is the same, or the new place is empty.
    pub(super) fn follow_migration(&self, was: &Setting, voice: &dyn Voice) {
        if self.call.guarded.verb != Verb::Init {
            return;
        }
        let Ok(is) = Setting::read(self.call.guarded.line.chdir()) else { return };
        let (from, to) = (was.current(), is.current());
        if from.identity.key() == to.identity.key() {
            return;
        }
        let limits = self.context.limits();
        let Ok(reading) = capture::read(&to, self.terraform, None, limits) else { return };
        if matches!(reading.status, Status::Absent | Status::Empty) {
            return;
        }
        if let Err(error) = self.record_migration(&from, &to, &reading) {
            voice.failed(&Error::NotSavedAfter { verb: self.verb, source: Box::new(error) });
        }
    }

    fn record_migration(
        &self,
        from: &Location,
        to: &Location,
        reading: &Reading,
    ) -> Result<(), Error> {
        let dir = self.context.history_for_writing(to)?;
        let lock = dir.lock()?;
        let image = capture::put(&dir, &lock, reading)?;
        let entry = Entry {
            verb: Some(self.verb.to_owned()),
            argv: Some(redacted(&self.call.guarded.line, self.call.arguments)),
            before: dir.head()?.last,
            after: Some(image),
            changes: capture::changes(&dir, dir.head()?.last.as_ref(), &capture::census(reading)),
            outcome: Some(Outcome::Done),
            note: Some(format!("from {} {}", from.identity.backend(), from.identity.place())),
            ..self.context.entry(RecordKind::Migrate, self.id)
        };
        dir.append(&lock, &entry)?;
        Ok(())
    }
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
    let is_known = before.status != Status::Unknown && after.status != Status::Unknown;
    let has_moved =
        before.serial != after.serial || changes.is_some_and(|c| c != Changes::default());
    is_known && before.digest != after.digest && has_moved
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
