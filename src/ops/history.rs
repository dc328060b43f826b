//! Looking back: list, show, compare, hand out, save, pin. Nothing here changes a state.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::ffi::OsStr;
use std::path::Path;

use crate::error::Error;
use crate::model::change::StateDiff;
use crate::model::operation::{Image, Kind, Operation, OperationId, Outcome, Status};
use crate::model::reference::Reference;
use crate::model::resolve::{self, Target};
use crate::model::state::StateImage;
use crate::store::{self, Entry, RecordKind, StateDir, Store};
use crate::terraform::read::Reading;

use super::report::{AllReport, DiffReport, ListReport, NoteReport, ShowReport, Side, StateName};
use super::resume::Look;
use super::{Context, Subject, capture, new_id, resume};

/// How many good neighbours of a damaged snapshot are named.
const NEIGHBOURS: usize = 4;

/// The operations of a state, newest first, at most `limit`.
///
/// # Errors
/// The store cannot be read, or holds nothing of this state.
pub(crate) fn list(
    context: &Context,
    subject: &Subject,
    limit: Option<usize>,
) -> Result<ListReport, Error> {
    match context.history_for_reading(&subject.location)? {
        Some(dir) => list_of(&dir, limit),
        None => Ok(ListReport {
            state: subject.name(),
            operations: Vec::new(),
            total: 0,
            newest_good: None,
            damage: Vec::new(),
        }),
    }
}

/// Every state of the store with its last operation, the most recent first.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn list_all(context: &Context) -> Result<AllReport, Error> {
    let mut histories = Vec::new();
    let store = Store::open(&context.config.store)?;
    let all = store.map(|store| store.histories()).transpose()?.unwrap_or_default();
    for dir in &all.dirs {
        histories.push(list_of(dir, Some(1))?);
    }
    let newest = |report: &ListReport| report.operations.first().map(|newest| newest.started);
    histories.sort_by_key(|report| std::cmp::Reverse(newest(report)));
    let unreadable = all.unreadable.iter().map(ToString::to_string).collect();
    Ok(AllReport { histories, store: context.config.store.clone(), unreadable })
}

fn list_of(dir: &StateDir, limit: Option<usize>) -> Result<ListReport, Error> {
    let history = dir.history()?;
    let total = history.operations.len();
    let newest_good = history
        .operations
        .iter()
        .rev()
        .find(|op| op.good_after().is_some())
        .map(|op| op.id.clone());
    let lineage = history
        .operations
        .iter()
        .rev()
        .flat_map(|op| op.after.iter().chain(&op.before))
        .find_map(|image| image.lineage.clone());
    let newest_first = history.operations.into_iter().rev();
    Ok(ListReport {
        state: StateName { identity: dir.identity().clone(), lineage },
        operations: newest_first.take(limit.unwrap_or(usize::MAX)).collect(),
        total,
        newest_good,
        damage: history.damage.iter().map(ToString::to_string).collect(),
    })
}

/// One operation, and what it changed. `None` is the newest.
///
/// # Errors
/// There is no such operation.
pub(crate) fn show(
    context: &Context,
    subject: &Subject,
    reference: Option<&Reference>,
) -> Result<ShowReport, Error> {
    let history = History::open(context, subject)?;
    let operation = match reference {
        None => history.operations.last().cloned(),
        // A person who names an operation means the operation, whatever state it left.
        Some(Reference::Operation { prefix, .. }) => Some(history.operation(prefix)?),
        Some(reference) => match history.resolve(reference)? {
            Target::Now => None,
            Target::Image { operation, .. } => {
                history.operations.iter().find(|op| op.id == operation).cloned()
            }
        },
    };
    let operation = operation.ok_or_else(|| Error::NoHistory { state: describe(subject) })?;
    let mut state = subject.name();
    state.lineage = lineage_of(&operation);
    let (diff, no_diff) = match history.diff_of(&operation) {
        Ok(diff) => (Some(diff), None),
        Err(why) => (None, Some(why)),
    };
    Ok(ShowReport { state, operation, diff, no_diff })
}

fn lineage_of(operation: &Operation) -> Option<crate::model::state::Lineage> {
    let images = operation.after.iter().chain(&operation.before);
    images.into_iter().find_map(|image| image.lineage.clone())
}

/// What differs between two states.
///
/// # Errors
/// One of them does not exist, or cannot be compared.
pub(crate) fn diff(
    context: &Context,
    subject: &Subject,
    called_as: &OsStr,
    (from, to): ((&str, &Reference), (&str, &Reference)),
) -> Result<DiffReport, Error> {
    let history = History::open(context, subject)?;
    let (from_image, from_state) = history.load(context, called_as, from.1)?;
    let (to_image, to_state) = history.load(context, called_as, to.1)?;
    let diff = StateDiff::between(from_state.as_ref(), to_state.as_ref()).map_err(|why| {
        Error::NotComparable { name: format!("`{}` and `{}`", from.0, to.0), why: why.to_string() }
    })?;
    let lineage = to_image.lineage.clone().or_else(|| from_image.lineage.clone());
    Ok(DiffReport {
        state: StateName { lineage, ..subject.name() },
        from: Side { name: from.0.to_owned(), image: from_image },
        to: Side { name: to.0.to_owned(), image: to_image },
        diff,
    })
}

/// The exact bytes of a state.
///
/// # Errors
/// It does not exist, is damaged, or has no bytes.
pub(crate) fn cat(
    context: &Context,
    subject: &Subject,
    called_as: &OsStr,
    (name, reference): (&str, &Reference),
) -> Result<StateImage, Error> {
    let history = History::open(context, subject)?;
    let (image, state) = history.load(context, called_as, reference)?;
    state.ok_or_else(|| Error::NoContent { name: name.to_owned(), what: what_is(&image) })
}

/// In one word, what an image without bytes is.
pub(crate) fn what_is(image: &Image) -> &'static str {
    match image.status {
        Status::Absent => "no state",
        Status::Empty => "an empty state",
        Status::Ok | Status::Encrypted | Status::Ambiguous => "a state that is not kept",
        Status::Invalid => "not a state, and not kept",
        Status::Unreadable => "a state that could not be read",
        Status::Unknown => "not known",
    }
}

/// Takes a snapshot now.
///
/// # Errors
/// The state cannot be read or saved.
pub(crate) fn save(
    context: &Context,
    subject: &Subject,
    called_as: &OsStr,
    (note, is_pinned): (Option<String>, bool),
) -> Result<NoteReport, Error> {
    let dir = context.history_for_writing(&subject.location)?;
    resume::finish_restores(context, &dir)?;
    let ask = || subject.read(context, called_as);
    let mut seen = Look::take(context, &subject.location, ask)?;
    let lock = seen.lock(&dir, ask)?;
    let image = resume::catch_up(context, &dir, &lock, &seen.reading)?.image;
    let id = new_id()?;
    let entry = Entry {
        verb: Some("save".to_owned()),
        before: Some(image.clone()),
        after: Some(image),
        note: note.clone(),
        ..context.entry(RecordKind::Save, &id)
    };
    dir.append(&lock, &entry)?;
    if is_pinned {
        dir.append(&lock, &pin_entry(context, &id, note)?)?;
    }
    drop(lock);
    report(&dir, "saved", &id)
}

/// Keeps an operation's states for ever, or no longer.
///
/// # Errors
/// There is no such operation, or the journal cannot be written.
pub(crate) fn pin(
    context: &Context,
    subject: &Subject,
    reference: &Reference,
    what: Pinning,
) -> Result<NoteReport, Error> {
    let history = History::open(context, subject)?;
    let Target::Image { operation: id, .. } = history.resolve(reference)? else {
        return Err(Error::NoContent { name: "`now`".to_owned(), what: "not saved yet" });
    };
    let lock = history.dir.lock()?;
    let (entry, done) = match what {
        Pinning::Pin(note) => (pin_entry(context, &id, note)?, "pinned"),
        Pinning::Unpin => {
            let entry =
                Entry { target: Some(target(&id)), ..bare_entry(context, RecordKind::Unpin)? };
            (entry, "unpinned")
        }
    };
    history.dir.append(&lock, &entry)?;
    drop(lock);
    report(&history.dir, done, &id)
}

/// Whether a file that is there may be overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overwrite {
    /// No.
    No,
    /// Yes.
    Yes,
}

/// Writes a state into a file that only its owner can read.
///
/// # Errors
/// The file is there already, or cannot be written.
pub(crate) fn write_file(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<(), Error> {
    crate::sys::file::write_private(path, bytes, overwrite == Overwrite::Yes).map_err(|source| {
        match source.kind() {
            std::io::ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
            _ => Error::WriteFile { path: path.to_owned(), source },
        }
    })
}

/// Which way to pin.
pub(crate) enum Pinning {
    /// Keep for ever, and why.
    Pin(Option<String>),
    /// No longer.
    Unpin,
}

fn pin_entry(context: &Context, id: &OperationId, note: Option<String>) -> Result<Entry, Error> {
    Ok(Entry { target: Some(target(id)), note, ..bare_entry(context, RecordKind::Pin)? })
}

fn bare_entry(context: &Context, kind: RecordKind) -> Result<Entry, Error> {
    Ok(context.entry(kind, &new_id()?))
}

fn target(id: &OperationId) -> store::Target {
    store::Target { op: id.clone(), side: None }
}

/// What was noted about an operation, for the answer.
///
/// # Errors
/// The history cannot be read.
pub(super) fn report(
    dir: &StateDir,
    done: &'static str,
    id: &OperationId,
) -> Result<NoteReport, Error> {
    let operations = dir.history()?.operations;
    let operation = operations.into_iter().find(|operation| operation.id == *id);
    let missing = || Error::NoHistory { state: id.to_string() };
    let operation = operation.ok_or_else(missing)?;
    Ok(NoteReport {
        done,
        state: StateName { identity: dir.identity().clone(), lineage: lineage_of(&operation) },
        operation,
    })
}

/// How messages name a state.
pub(crate) fn describe(subject: &Subject) -> String {
    let identity = &subject.location.identity;
    format!("{} · {} · {}", identity.place(), identity.workspace(), identity.backend())
}

impl Subject {
    /// Reads the state as it is now.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub(crate) fn read(&self, context: &Context, called_as: &OsStr) -> Result<Reading, Error> {
        if let Some(reading) = capture::read_if_local(&self.location, context.limits())? {
            return Ok(reading);
        }
        let terraform = self.terraform(called_as)?;
        let workspace = self.workspace.as_deref();
        Ok(capture::read(&self.location, &terraform, workspace, context.limits())?)
    }
}

/// A history that was read, and the state it is about.
pub(crate) struct History<'a> {
    /// Where it is.
    pub(crate) dir: StateDir,
    /// Its operations, oldest first.
    pub(crate) operations: Vec<Operation>,
    subject: &'a Subject,
    /// The state of a change that was seen and not recorded.
    unkept: Option<StateImage>,
}

impl<'a> History<'a> {
    /// Reads the history of a state. One that is not there yet is empty.
    ///
    /// # Errors
    /// The store cannot be read, or there is none.
    pub(crate) fn open(context: &Context, subject: &'a Subject) -> Result<Self, Error> {
        let dir = context.history_for_reading(&subject.location)?;
        let dir = dir.ok_or_else(|| Error::NoHistory { state: describe(subject) })?;
        let operations = dir.history()?.operations;
        Ok(Self { dir, operations, subject, unkept: None })
    }

    /// Adds what happened without us since the last look, without recording it: for a preview. What would
    /// be finished first cannot be previewed.
    ///
    /// # Errors
    /// The state or the store cannot be read.
    pub(crate) fn add_unseen(&mut self, context: &Context, called_as: &OsStr) -> Result<(), Error> {
        if !self.dir.head()?.intents.is_empty() {
            return Err(Error::InterruptedRestore);
        }
        let reading = self.subject.read(context, called_as)?;
        let image = capture::image_of(&reading);
        // A run whose shim was killed will be closed with what is there now.
        let cut_off = self.operations.last_mut().filter(|last| {
            last.kind == Kind::Run && last.outcome == Some(Outcome::Unknown) && last.ended.is_none()
        });
        if let Some(cut_off) = cut_off {
            cut_off.after = Some(image);
            self.unkept = reading.image;
            return Ok(());
        }
        if let Some(entry) = capture::unseen(context, &self.dir, (&reading, &image))? {
            let next = self.dir.head()?.seq.saturating_add(1);
            self.operations.push(store::operation(&entry, next));
            self.unkept = reading.image;
        }
        Ok(())
    }

    /// Finds the state that a reference names.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub(crate) fn resolve(&self, reference: &Reference) -> Result<Target, Error> {
        Ok(reference.resolve(&self.operations)?)
    }

    /// The operation whose id begins so.
    fn operation(&self, prefix: &str) -> Result<Operation, Error> {
        let named = |op: &&Operation| op.id.as_str().starts_with(prefix);
        let mut found = self.operations.iter().filter(named);
        if let (Some(only), None) = (found.next(), found.next()) {
            return Ok(only.clone());
        }
        // Unknown or ambiguous: resolving says which, with the candidates.
        let side = resolve::Side::After;
        self.resolve(&Reference::Operation { prefix: prefix.to_owned(), side })?;
        Err(Error::NoHistory { state: prefix.to_owned() })
    }

    /// The image and, where it has any, the bytes of a state.
    ///
    /// # Errors
    /// It does not exist, cannot be read, or is damaged.
    pub(crate) fn load(
        &self,
        context: &Context,
        called_as: &OsStr,
        reference: &Reference,
    ) -> Result<(Image, Option<StateImage>), Error> {
        match self.resolve(reference)? {
            Target::Now => {
                let reading = self.subject.read(context, called_as)?;
                let image = capture::image_of(&reading);
                let has_bytes = !matches!(image.status, Status::Absent) && image.bytes > 0;
                Ok((image, reading.image.filter(|_| has_bytes)))
            }
            Target::Image { operation, image, .. } => {
                let state = self.content(&operation, &image)?;
                Ok((image, state))
            }
        }
    }

    /// The bytes of an image; none where it has none.
    ///
    /// # Errors
    /// They are damaged or lost; good neighbours are named.
    pub(crate) fn content(
        &self,
        operation: &OperationId,
        image: &Image,
    ) -> Result<Option<StateImage>, Error> {
        if image.stored.is_none() {
            let unkept = self.unkept.as_ref().filter(|kept| Some(kept.digest()) == image.digest);
            return Ok(unkept.map(|kept| StateImage::new(kept.bytes().to_vec())));
        }
        self.dir.get(image).map(Some).map_err(|source| Error::Damaged {
            operation: operation.to_string(),
            neighbours: self.neighbours(operation),
            source,
        })
    }

    /// Good snapshots that can be read, nearest first.
    fn neighbours(&self, of: &OperationId) -> Vec<String> {
        let at = self.operations.iter().position(|op| op.id == *of).unwrap_or_default();
        let mut near: BTreeMap<usize, &Operation> = BTreeMap::new();
        for (index, operation) in self.operations.iter().enumerate() {
            let is_good = operation.good_after().is_some_and(|image| self.dir.get(image).is_ok());
            if index != at && is_good && near.len() < self.operations.len() {
                near.insert(
                    index.abs_diff(at).saturating_mul(2) + usize::from(index > at),
                    operation,
                );
            }
        }
        near.values().take(NEIGHBOURS).map(|op| op.id.to_string()).collect()
    }

    /// What an operation changed, by address; else why that cannot be told.
    fn diff_of(&self, operation: &Operation) -> Result<StateDiff, String> {
        let side = |image: Option<&Image>, which: &str| match image {
            None => Err(format!("what it {which} is not known")),
            Some(image) if matches!(image.status, Status::Absent | Status::Empty) => Ok(None),
            Some(image) => {
                let damaged = |error: Error| {
                    let cause =
                        error.source().map_or_else(|| error.to_string(), ToString::to_string);
                    format!("what it {which} is damaged: {cause}")
                };
                let state = self.content(&operation.id, image).map_err(damaged)?;
                let missing = || format!("what it {which} is {}", what_is(image));
                state.ok_or_else(missing).map(Some)
            }
        };
        let before = match &operation.before {
            None if operation.kind == Kind::Outside => None,
            before => side(before.as_ref(), "found")?,
        };
        let after = side(operation.after.as_ref(), "left")?;
        StateDiff::between(before.as_ref(), after.as_ref()).map_err(|why| why.to_string())
    }
}
