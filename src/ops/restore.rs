//! Giving a state back: first a plan that can be shown and refused, then the deed.
//!
//! A restore goes forward: the old content under a new serial. What is there now is saved first, so a
//! restore is an operation that can itself be undone.

use std::ffi::OsStr;
use std::path::Path;

use crate::error::Error;
use crate::model::change::StateDiff;
use crate::model::operation::{Image, OperationId, Outcome, Source, Status};
use crate::model::reference::Reference;
use crate::model::resolve::{self, Target};
use crate::model::state::{
    Census, Lineage, Serial, StateHeader, StateImage, empty_state, same_meaning, splice_serial,
};
use crate::model::text::OddText;
use crate::store::{self, Entry, Head, RecordKind, Running, StateDir};
use crate::sys::random;
use crate::terraform::TerraformError;
use crate::terraform::lock::{self, Claim, StateLock};
use crate::terraform::read::{Reading, read_file, read_under_own_lock};
use crate::terraform::write::{self, Force};

use super::history::{History, describe, what_is};
use super::report::{RestorePlan, RestoreReport, UndoCase};
use super::{Context, Preview, Subject, capture, new_id, resume};

/// A restore that is ready: what it would do, and the bytes.
pub(crate) struct Prepared {
    /// For people.
    pub(crate) plan: RestorePlan,
    source: (OperationId, store::Side),
    verb: &'static str,
    current: Reading,
    wanted: StateImage,
}

/// Prepares a restore of the state that a reference names. One that was cut off before is finished
/// first, unless this is only a preview.
///
/// # Errors
/// There is none, it is damaged, or the state that is there now cannot be read.
pub(crate) fn prepare(
    context: &Context,
    subject: &Subject,
    called_as: &OsStr,
    reference: &Reference,
    preview: Preview,
) -> Result<Prepared, Error> {
    if preview == Preview::No {
        finish_interrupted(context, subject)?;
    }
    let history = History::open(context, subject)?;
    if preview == Preview::Yes && !history.dir.head()?.intents.is_empty() {
        return Err(Error::InterruptedRestore);
    }
    let (operation, side, image) = match history.resolve(reference)? {
        Target::Now => {
            let name = "`now`".to_owned();
            return Err(Error::NoContent { name, what: "the state that is there already" });
        }
        Target::Image { operation, side, image } => (operation, side, image),
    };
    let side = match side {
        resolve::Side::Before => store::Side::Before,
        resolve::Side::After => store::Side::After,
    };
    prepare_image(
        context,
        subject,
        called_as,
        &history,
        Wanted { source: (operation, side), image, verb: "restore", undo: None },
    )
}

/// Finishes a restore of ours that was cut off, so that what follows sees its result.
pub(super) fn finish_interrupted(context: &Context, subject: &Subject) -> Result<(), Error> {
    match context.history_for_reading(&subject.location)? {
        Some(dir) => resume::finish_restores(context, &dir),
        None => Ok(()),
    }
}

/// Which image shall come back, and why.
pub(super) struct Wanted {
    /// The operation it belongs to, and which of its two states.
    pub(super) source: (OperationId, store::Side),
    /// The state as it was.
    pub(super) image: Image,
    /// `restore` or `undo`.
    pub(super) verb: &'static str,
    /// For `undo`: the case.
    pub(super) undo: Option<UndoCase>,
}

pub(super) fn prepare_image(
    context: &Context,
    subject: &Subject,
    called_as: &OsStr,
    history: &History<'_>,
    wanted: Wanted,
) -> Result<Prepared, Error> {
    let current = subject.read(context, called_as)?;
    let head = history.dir.head()?;
    let old = history.content(&wanted.source.0, &wanted.image)?;
    let next = forward(&head, &current, old.as_ref(), &wanted.image)?;
    let is_encrypted = next.status() == Status::Encrypted;
    let serial = next.header().map_or(Serial(0), |header| header.serial);
    let diff = StateDiff::between(comparable(&current), Some(&next)).ok();
    let is_current = current.image.as_ref().is_some_and(|now| {
        let (now, then) = (now.bytes(), old.as_ref().map(StateImage::bytes));
        then.is_some_and(|then| now == then)
    });
    let mut warnings = Vec::new();
    if is_encrypted {
        warnings.push(
            "the state is encrypted; it comes back byte for byte, under its old serial".to_owned(),
        );
    }
    if let Some(path) = capture::local_path(&subject.location)
        && let Some(holder) = lock::holder(path)
    {
        warnings.push(format!("the state is locked by {holder}"));
    }
    let plan = RestorePlan {
        state: super::report::StateName {
            lineage: next.header().and_then(|header| header.lineage.clone()),
            ..subject.name()
        },
        current: capture::image_of(&current),
        source: (wanted.source.0.clone(), wanted.image),
        serial,
        diff,
        is_current,
        undo: wanted.undo,
        warnings,
    };
    Ok(Prepared { plan, source: wanted.source, verb: wanted.verb, current, wanted: next })
}

/// What the current state is for a comparison: what is no state is as good as none.
fn comparable(reading: &Reading) -> Option<&StateImage> {
    reading.image.as_ref().filter(|image| image.status() == Status::Ok)
}

/// The old content under a serial higher than any that was seen; everything else byte for byte.
///
/// "No state" comes back as an empty one of the same lineage: Terraform would take a missing file for a
/// new beginning.
fn forward(
    head: &Head,
    current: &Reading,
    old: Option<&StateImage>,
    image: &Image,
) -> Result<StateImage, Error> {
    let now = current.image.as_ref().and_then(StateImage::header);
    let Some(old) = old else {
        if !matches!(image.status, Status::Absent | Status::Empty) {
            return Err(Error::NoContent { name: "the state".to_owned(), what: what_is(image) });
        }
        return empty(head, now);
    };
    let header = match (old.status(), old.header()) {
        // Of a key that is there twice Terraform takes the last, and so do we.
        (Status::Ok | Status::Ambiguous, Some(header)) => header,
        (Status::Empty, _) => return empty(head, now),
        (Status::Encrypted, _) => return Ok(StateImage::new(old.bytes().to_vec())),
        _ => {
            let why = "it is not a state that Terraform would take";
            return Err(Error::NoSerial { name: "the snapshot".to_owned(), why });
        }
    };
    let serial = next_serial(head, now, header.lineage.as_ref(), header.serial)?;
    Ok(StateImage::new(splice_serial(old.bytes().to_vec(), header, serial)))
}

fn empty(head: &Head, now: Option<&StateHeader>) -> Result<StateImage, Error> {
    let last = head.last.as_ref().filter(|last| last.lineage.is_some());
    let good = head.good.as_ref().map(|(_, good)| good);
    let lineage = now
        .and_then(|now| now.lineage.clone())
        .or_else(|| last.and_then(|last| last.lineage.clone()))
        .or_else(|| good.and_then(|good| good.lineage.clone()));
    let why = "no lineage is known that an empty state could have";
    let lineage =
        lineage.ok_or_else(|| Error::NoSerial { name: "an empty state".to_owned(), why })?;
    let version = now
        .and_then(|now| now.terraform_version.clone())
        .or_else(|| last.or(good).and_then(|image| image.terraform_version.clone()))
        .unwrap_or_else(|| "1.0.0".to_owned());
    let serial = next_serial(head, now, Some(&lineage), Serial(0))?;
    Ok(StateImage::new(empty_state(&lineage, serial, &version)))
}

/// One more than the highest that is known of the lineage, and than what is there now.
fn next_serial(
    head: &Head,
    now: Option<&StateHeader>,
    lineage: Option<&Lineage>,
    own: Serial,
) -> Result<Serial, Error> {
    let seen = lineage.and_then(|lineage| head.highest_serial.get(lineage)).copied();
    let current = now.map(|now| now.serial);
    let highest = [Some(own), seen, current].into_iter().flatten().max().unwrap_or(own);
    let why = "the highest one is reached";
    highest.next().ok_or_else(|| Error::NoSerial { name: "the state".to_owned(), why })
}

/// Carries a prepared restore out.
///
/// # Errors
/// The state is locked, changed meanwhile, or could not be written. What was there is saved in any case.
pub(crate) fn carry_out(
    context: &Context,
    subject: &Subject,
    called_as: &OsStr,
    prepared: Prepared,
    force: Force,
) -> Result<RestoreReport, Error> {
    let restore = Restore {
        context,
        subject,
        called_as,
        id: new_id()?,
        dir: context.history_for_writing(&subject.location)?,
        prepared,
    };
    match capture::local_path(&subject.location) {
        Some(path) => restore.local(path),
        None => restore.remote(force),
    }
}

/// A restore that is recorded as intended.
struct Intent {
    before: Image,
    wanted: Image,
    /// Held while the restore is at work.
    marker: Running,
}

struct Restore<'a> {
    context: &'a Context,
    subject: &'a Subject,
    called_as: &'a OsStr,
    id: OperationId,
    dir: StateDir,
    prepared: Prepared,
}

impl Restore<'_> {
    fn local(self, path: &Path) -> Result<RestoreReport, Error> {
        let uuid = random::uuid().map_err(|source| Error::NoRandom { source })?;
        let holder = self.context.who.at_host();
        let claim = Claim { id: &uuid, who: &holder, at: self.context.clock.now() };
        let lock = StateLock::take(path, &claim)?;
        // Terraform removes an empty state file when it gives its lock back; a lock on a file that has
        // no name any more protects nothing.
        if lock.as_ref().is_some_and(|lock| !write::still_has_its_name(lock.file(), path)) {
            return Err(Error::ChangedMeanwhile);
        }
        let most = self.context.config.max_state_bytes;
        let reading = match &lock {
            Some(_) => read_under_own_lock(path, most),
            None => read_file(path, most),
        };
        let reading = self.check_unchanged(reading?)?;
        let intent = self.intend(&reading, Some(path))?;
        let written = match &lock {
            Some(lock) => write::overwrite(lock.file(), path, self.prepared.wanted.bytes()),
            None => write::create(path, self.prepared.wanted.bytes(), self.id.as_str()),
        };
        let checked = written.and_then(|()| self.check_file(path));
        self.conclude(checked.map_err(Error::from), intent)
    }

    /// Between the look and the lock somebody may have written.
    fn check_unchanged(&self, reading: Reading) -> Result<Reading, Error> {
        let shown = self.prepared.current.image.as_ref().map(StateImage::digest);
        let found = reading.image.as_ref().map(StateImage::digest);
        if shown == found { Ok(reading) } else { Err(Error::ChangedMeanwhile) }
    }

    fn check_file(&self, path: &Path) -> Result<(), TerraformError> {
        let reading = read_under_own_lock(path, self.context.config.max_state_bytes)?;
        if reading.image.is_some_and(|image| image.digest() == self.prepared.wanted.digest()) {
            return Ok(());
        }
        Err(TerraformError::NotWhatWasWritten { path: path.to_owned() })
    }

    /// One push through Terraform's own lock and rules; then what is there is pulled and compared.
    fn remote(self, force: Force) -> Result<RestoreReport, Error> {
        let terraform = self.subject.terraform(self.called_as)?;
        let workspace = self.subject.workspace.as_deref();
        let pull =
            || capture::read(&self.subject.location, &terraform, workspace, self.context.limits());
        let reading = self.check_unchanged(pull()?)?;
        let mut intent = self.intend(&reading, None)?;
        let bytes = self.prepared.wanted.bytes().to_vec();
        let pushed = write::push(&terraform, workspace, bytes, force, self.context.limits());
        if let Err(error) = pushed {
            return self.conclude(Err(error.into()), intent);
        }
        // The backend gives its own serial (and an empty one a new lineage): record what it made of it.
        let arrived = pull()?;
        let is_same = arrived
            .image
            .as_ref()
            .is_some_and(|image| has_same_content(image, &self.prepared.wanted));
        let lock = self.dir.lock()?;
        intent.wanted = capture::put(&self.dir, &lock, &arrived)?;
        drop(lock);
        let checked = if is_same { Ok(()) } else { Err(Error::NotWhatWasPushed) };
        self.conclude(checked, intent)
    }

    /// Saves what is there and what shall be there, and records the intent. Durable when this returns.
    fn intend(&self, reading: &Reading, path: Option<&Path>) -> Result<Intent, Error> {
        let lock = self.dir.lock()?;
        let before = resume::catch_up(self.context, &self.dir, &lock, reading)?.image;
        let stored = self.dir.put(&lock, &self.prepared.wanted)?;
        let wanted = stored.image(&self.prepared.wanted, Source::File);
        let (op, side) = self.prepared.source.clone();
        let entry = Entry {
            verb: Some(self.prepared.verb.to_owned()),
            before: Some(before.clone()),
            after: Some(wanted.clone()),
            path: path.map(|path| OddText::from(path.as_os_str())),
            target: Some(store::Target { op: op.clone(), side: Some(side) }),
            note: Some(format!("{op}{}", if side == store::Side::Before { ":before" } else { "" })),
            ..self.context.entry(RecordKind::RestoreIntent, &self.id)
        };
        // So that no other command takes it for one that was cut off.
        let marker = self.dir.mark_running(&lock, &self.id)?;
        self.dir.append(&lock, &entry)?;
        Ok(Intent { before, wanted, marker })
    }

    /// Records how it ended.
    fn conclude(self, result: Result<(), Error>, intent: Intent) -> Result<RestoreReport, Error> {
        let Intent { before, wanted, marker } = intent;
        let lock = self.dir.lock()?;
        let is_written = result.is_ok() || matches!(result, Err(Error::NotWhatWasPushed));
        // A local file that was written in part stays an open intent: the next call writes it whole.
        let is_in_part = result.is_err() && self.is_poisoned();
        if !is_in_part {
            self.dir.append(&lock, &self.conclusion(is_written, &before, &wanted))?;
        }
        drop(marker);
        drop(lock);
        result?;
        let operations = self.dir.history()?.operations;
        let operation = operations.into_iter().find(|operation| operation.id == self.id);
        let operation =
            operation.ok_or_else(|| Error::NoHistory { state: describe(self.subject) })?;
        let is_undo = self.prepared.verb == "undo";
        let state = self.prepared.plan.state;
        Ok(RestoreReport { state, operation, before, after: wanted, is_undo })
    }

    fn conclusion(&self, is_written: bool, before: &Image, wanted: &Image) -> Entry {
        if !is_written {
            return Entry {
                outcome: Some(Outcome::Failed),
                after: Some(before.clone()),
                ..self.context.entry_of_nobody(RecordKind::RestoreAbort, &self.id)
            };
        }
        let census: Census = self.prepared.wanted.scan().census.clone();
        Entry {
            outcome: Some(Outcome::Done),
            after: Some(wanted.clone()),
            changes: capture::changes(&self.dir, Some(before), &census),
            ..self.context.entry_of_nobody(RecordKind::RestoreDone, &self.id)
        }
    }

    fn is_poisoned(&self) -> bool {
        let path = capture::local_path(&self.subject.location);
        path.and_then(|path| std::fs::read(path).ok()).is_some_and(|b| write::is_poisoned(&b))
    }
}

/// Whether two states mean the same, lineage aside: an empty remote gives its own.
fn has_same_content(arrived: &StateImage, wanted: &StateImage) -> bool {
    if same_meaning(arrived.bytes(), wanted.bytes()) {
        return true;
    }
    StateDiff::between(Some(arrived), Some(wanted)).is_ok_and(|diff| diff.is_empty())
}
