//! The records of one guarded command: what it found, and that it begins, or does not.
//!
//! Saving is the store's business, waiting is `supervise`'s, the end is told in `end.rs`; here is what is true
//! about a run before it starts and when it may be said.

use std::ffi::OsString;
use std::time::Instant;

use nix::unistd::Pid;

use crate::error::Error;
use crate::guard::refusal::Refusal;
use crate::model::census::Census;
use crate::model::guard::Guard;
use crate::model::operation::{
    Changes, GuardAction, GuardNote, Image, OperationId, Outcome, Status,
};
use crate::model::redact::{Grammar, RedactedArgv};
use crate::model::text::OddText;
use crate::proxy::Verb;
use crate::proxy::argv::CommandLine;
use crate::proxy::verb::takes_value;
use crate::store::{DirLock, Entry, RecordKind, Running, StateDir, StoreError};
use crate::sys::mark::ProcessMark;
use crate::terraform::Terraform;
use crate::terraform::locate::{Location, Setting};
use crate::terraform::read::Reading;

use super::aftermath::Watch;
use super::caller::Caller;
use super::guarded::{Call, Voice};
use super::guards::{self, Known};
use super::resume::{CaughtUp, Look};
use super::{Context, capture, errored, resume, unwritable};

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
    /// Where it is.
    pub(super) location: Location,
    /// Which workspace a remote must be asked for, where it is not the selected one.
    pub(super) workspace: Option<String>,
    /// Its history.
    pub(super) dir: StateDir,
    /// The state that was found, saved.
    pub(super) before: Image,
    /// When Terraform was about to start.
    pub(super) started: Instant,
    /// The fingerprints of what was found.
    pub(super) census: Census,
    /// Whether it may not be what Terraform starts from.
    pub(super) provisional: bool,
    /// The number of the record that it begins.
    pub(super) seq: u64,
    /// What is remembered of the files around it.
    pub(super) watch: Watch,
    /// Whether a guard objected, and was let pass.
    pub(super) is_allowed: bool,
    marker: Running,
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
        let caller = self.caller(&location);
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
        let place = (&location, (&dir, &lock));
        let refusals = match unfinished {
            Some(refusal) => vec![refusal],
            None => self.ask_guards(place, (&caught_up, &look.reading), &caller)?,
        };
        let is_allowed = |refusal: &Refusal| self.context.config.allow.contains(&refusal.guard);
        if !refusals.iter().all(is_allowed) {
            self.refuse(&dir, &lock, caught_up, &refusals).map_err(as_not_saved)?;
            return Err(Error::Refused { verb: self.verb.to_owned(), refusals });
        }
        let is_allowed = !refusals.is_empty();
        let allowed = refusals.iter().map(|refusal| refusal.note(GuardAction::Allowed)).collect();
        let begun = self.begin_under_lock(&dir, &lock, caught_up, allowed).map_err(as_not_saved)?;
        drop(lock);
        let (before, provisional, seq, marker) = begun;
        let around = (self.terraform.directory(), self.context.config.max_state_bytes);
        let watch = Watch::set(self.call.guarded, &location, around);
        Ok(Begun {
            location,
            workspace,
            dir,
            before,
            started: Instant::now(),
            census,
            provisional,
            seq,
            watch,
            is_allowed,
            marker,
        })
    }

    /// How the user calls us, about a state of this command.
    pub(super) fn caller<'a>(&'a self, location: &'a Location) -> Caller<'a> {
        let chdir = self.call.guarded.line.chdir();
        Caller::about(self.call.called_as, chdir, self.setting, location)
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
        (location, (dir, lock)): (&Location, (&StateDir, &DirLock)),
        (seen, reading): (&CaughtUp, &Reading),
        caller: &Caller<'_>,
    ) -> Result<Vec<Refusal>, Error> {
        let scope = guards::scope(self.call.guarded, self.setting);
        let head = dir.head()?;
        let known = Known::by(dir, &head);
        // Who is asked nothing about the state does not need what tells which one it should be.
        let objection = if scope.asks(Guard::CorruptState) {
            guards::objection(self.context, known, (&seen.image, reading))?
        } else {
            None
        };
        // What another of ours is just doing to the state is no accident.
        let counts = |guard: Guard| guard == Guard::CorruptState || !seen.is_busy;
        let objection = objection.filter(|(it, _)| scope.asks(it.guard) && counts(it.guard));
        let refusal = |objection| guards::refusal(known, objection, caller);
        let mut refusals: Vec<Refusal> = objection.map(refusal).transpose()?.into_iter().collect();
        if scope.asks(Guard::ErroredState) && counts(Guard::ErroredState) {
            let expected = guards::expected(self.context, &head, &location.identity)?;
            let found = (&seen.image, expected.as_ref());
            refusals.extend(errored::look(self.context, (dir, lock), found, caller)?);
        }
        if scope.asks(Guard::UnwritableState) {
            refusals.extend(unwritable::look(location, &seen.image));
        }
        Ok(refusals)
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
