//! The store: whether it can be used, whether it is whole, and what is unfinished in it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::{default_store, repository_top};
use crate::error::Error;
use crate::model::operation::{Kind, OperationId, Outcome};
use crate::store::{
    Damage, History, Oddity, RunningMark, StateDir, Store, StoreError, Survey, check_usable,
};
use crate::sys::lock::available_bytes;
use crate::sys::mount::{Nature, kind_of, nature_of};

use super::super::Context;
use super::super::shell;
use super::module::{Module, has_configuration, place_of};
use super::{Ailment, Chart, Cure, Patient, be, git, ignored, named};

/// What `put` wants free beside the state, in bytes (store.md 5).
const MARGIN_BYTES: u64 = 16 << 20;
/// How many times the size of the state should be free (store.md 7).
const COPIES: u64 = 3;
/// A temporary file that was touched since may still be in use.
const IN_USE: Duration = Duration::from_secs(3600);
/// A clock that is this much behind the newest record is wrong, not late. Minutes.
const TOLERANCE_MINUTES: i64 = 10;

/// What is known of the store.
pub(crate) struct StoreFacts {
    /// Where it is, or would be.
    pub(crate) path: PathBuf,
    /// Whether it is there.
    pub(crate) exists: bool,
    /// How many states it has a history of.
    pub(crate) states: usize,
    /// How many operations those have together.
    pub(crate) operations: usize,
    /// How much it holds, in bytes.
    pub(crate) bytes: u64,
    /// How much more the file system takes, in bytes.
    pub(crate) free: Option<u64>,
    /// The kind of the file system.
    pub(crate) file_system: Option<String>,
    /// Lines of journals that were cut off while they were written; nothing is lost by them.
    pub(crate) torn_lines: usize,
}

/// Looks at it; none where there is no place for one.
pub(super) fn look(
    patient: &Patient<'_>,
    directory: &Path,
    module: Option<&Module>,
    chart: &mut Chart,
) -> Option<StoreFacts> {
    let Some(context) = &patient.context else {
        chart.skip("store", "there is no home directory to keep it in");
        return None;
    };
    let root = &context.config.store;
    let near = nearest(root);
    let mut facts = StoreFacts {
        path: root.clone(),
        exists: root.is_dir(),
        states: 0,
        operations: 0,
        bytes: 0,
        free: available_bytes(&near).ok(),
        file_system: kind_of(&near),
        torn_lines: 0,
    };
    let is_module = module.map_or_else(
        || has_configuration(directory),
        |module| module.setting.data.is_dir() || has_configuration(directory),
    );
    judge_surroundings(&facts, &near, (directory, is_module), chart);
    judge_place(&facts, &near, chart);
    judge_room(&facts, module, chart);
    judge_files(root, &mut facts, context.clock.now(), chart);
    if let Err(error) = check_usable(root) {
        judge_unusable(root, &error, chart);
    }
    match Store::open(root).and_then(|store| store.map(|store| store.histories()).transpose()) {
        Ok(found) => {
            let found = found.unwrap_or_default();
            for error in &found.unreadable {
                chart.advise(Ailment::JournalDamaged, chain(error), keep_a_copy(root));
            }
            let mut ward = Ward { patient, context, module, facts: &mut facts, newest: None };
            found.dirs.iter().for_each(|dir| ward.visit(dir, chart));
            let newest = ward.newest;
            judge_clock(newest, context.clock.now(), chart);
        }
        Err(error) => chart.skip("operations", chain(&error)),
    }
    Some(facts)
}

/// The nearest directory that is there, its links resolved.
fn nearest(path: &Path) -> PathBuf {
    let found = path.ancestors().find_map(|above| above.canonicalize().ok());
    found.unwrap_or_else(|| PathBuf::from("/"))
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}

fn keep_a_copy(root: &Path) -> String {
    let mut copy = root.as_os_str().to_owned();
    copy.push(".copy");
    format!("keep a copy as it is, `cp -a {}`", shell::words([root.as_os_str(), &copy]))
}

/// Whether the store goes where the directory goes: with its repository, or with the root module. A
/// directory that is neither, such as a home, is where stores belong.
fn judge_surroundings(
    facts: &StoreFacts,
    near: &Path,
    (directory, is_module): (&Path, bool),
    chart: &mut Chart,
) {
    let shown = facts.path.display();
    let directory = &directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    if let Some(top) = repository_top(directory).filter(|top| near.starts_with(top)) {
        let what = format!("the store `{shown}` is inside the repository `{}`", top.display());
        if git::ignores(directory, &resolved(&facts.path, near)) {
            return chart.add(Ailment::StoreIgnored, what, elsewhere(facts, top));
        }
        return chart.add(Ailment::StoreInRepository, what, out_of_git(facts, near, top));
    }
    if is_module && near.starts_with(directory) {
        let what = format!("the store `{shown}` is inside `{}`", directory.display());
        chart.add(Ailment::StoreInModule, what, elsewhere(facts, directory));
    }
}

/// A path whose beginning is there, with the links of that beginning resolved.
fn resolved(path: &Path, near: &Path) -> PathBuf {
    let there = path.ancestors().find(|above| above.exists());
    let rest = there.and_then(|there| path.strip_prefix(there).ok()).unwrap_or(Path::new(""));
    near.join(rest)
}

/// Elsewhere; and where that is in the same repository, a home that is one, git is told to ignore it.
fn out_of_git(facts: &StoreFacts, near: &Path, top: &Path) -> Cure {
    let moved = elsewhere(facts, top);
    let path = resolved(&facts.path, near);
    let pattern = path.strip_prefix(top).ok().and_then(Path::to_str).map(ignored::literal);
    let (Cure::Advice(_), Some(pattern)) = (&moved, pattern) else { return moved };
    let info = top.join(".git/info");
    if !info.is_dir() {
        return moved;
    }
    let (line, file) = (shell::word(format!("{pattern}/")), shell::word(info.join("exclude")));
    Cure::Command(format!("printf '%s\\n' {line} >> {file}"))
}

fn judge_place(facts: &StoreFacts, near: &Path, chart: &mut Chart) {
    let shown = facts.path.display();
    let Some(kind) = &facts.file_system else { return };
    match nature_of(kind) {
        Nature::Memory => {
            let what = format!("the store `{shown}` is on a {kind}");
            chart.add(Ailment::StoreVolatile, what, elsewhere(facts, near));
        }
        Nature::Network => {
            let what = format!("the store `{shown}` is on a {kind}");
            chart.advise(
                Ailment::StoreOnNetwork,
                what,
                "set TF_SHIM_STORE to a directory on this machine, and copy it from there",
            );
        }
        Nature::Lasting => {}
    }
}

/// Moves the store to where it is by default, unless that is no better, or taken.
fn elsewhere(facts: &StoreFacts, bad: &Path) -> Cure {
    let fits = |store: &PathBuf| !nearest(store).starts_with(bad) && !store.exists();
    let Some(better) = default_store().ok().filter(fits) else {
        let advice = format!(
            "set TF_SHIM_STORE to a lasting directory outside `{}`, and move it there",
            bad.display()
        );
        return Cure::Advice(advice);
    };
    let set = format!("export TF_SHIM_STORE={}", shell::word(&better));
    if !facts.exists {
        return Cure::Command(set);
    }
    let parent = shell::word(better.parent().unwrap_or(&better));
    let moved = shell::words([&facts.path, &better]);
    Cure::Command(format!("mkdir -p {parent} && mv {moved} && {set}"))
}

fn judge_room(facts: &StoreFacts, module: Option<&Module>, chart: &mut Chart) {
    let size = module.and_then(Module::state_file).and_then(|path| std::fs::metadata(path).ok());
    let size = size.map_or(0, |found| found.size());
    let wanted = size.saturating_mul(COPIES).saturating_add(MARGIN_BYTES);
    if facts.free.is_some_and(|free| free < wanted) {
        let mib = |bytes: u64| bytes >> 20;
        let what = format!(
            "{} MiB are free at `{}`; a state of this size wants {} MiB",
            mib(facts.free.unwrap_or(0)),
            facts.path.display(),
            mib(wanted)
        );
        let advice = "make room, or set TF_SHIM_STORE to a place with more of it";
        chart.advise(Ailment::StoreFull, what, advice);
    }
}

fn judge_files(root: &Path, facts: &mut StoreFacts, now: DateTime<Utc>, chart: &mut Chart) {
    let Ok(Some(survey)) = Survey::of(root) else { return };
    facts.bytes = survey.bytes;
    let (mut foreign, mut exposed, mut closed, mut left) = (vec![], vec![], vec![], vec![]);
    for oddity in survey.oddities {
        match oddity {
            Oddity::Foreign(path) => foreign.push(path),
            Oddity::Exposed(path) => exposed.push(path),
            Oddity::Closed(path) => closed.push(path),
            Oddity::Leftover(path, since) => {
                let age = now.signed_duration_since(DateTime::<Utc>::from(since)).to_std();
                left.extend(age.is_ok_and(|age| age > IN_USE).then_some(path));
            }
        }
    }
    let store = shell::word(root);
    let mut judge = |ailment, paths: &[PathBuf], text: &str, command: String| {
        if !paths.is_empty() {
            let what = format!("{} {} {text}", named(paths, root), be(paths.len()));
            chart.mend(ailment, what.replace("``", "the store itself"), command);
        }
    };
    let chown = format!("sudo chown -R \"$(id -u):$(id -g)\" {store}");
    judge(Ailment::StoreExposed, &foreign, "of another user", chown);
    let chmod = format!("chmod -R go-rwx {store}");
    judge(Ailment::StoreExposed, &exposed, "open to others", chmod);
    let open = format!("find {store} -type d -exec chmod u+rwx {{}} +");
    judge(Ailment::StoreUnusable, &closed, "closed to you", open);
    let sweep = format!("find {store} -name '.tmp-*' -mmin +60 -delete");
    judge(Ailment::StoreLeftovers, &left, "left over", sweep);
}

fn judge_unusable(root: &Path, error: &StoreError, chart: &mut Chart) {
    let what = chain(error);
    let advice = match error {
        // Told with the files, all of them at once.
        StoreError::Foreign { .. } | StoreError::Exposed { .. } => return,
        StoreError::NewerFormat { .. } => "use the newer tf that made it",
        StoreError::MissingFormat { .. } | StoreError::BadFormat { .. } => {
            "put the file back from a copy of the store"
        }
        _ => "set TF_SHIM_STORE to a directory that only holds the store",
    };
    let is_named =
        std::env::var_os(crate::env::STORE).is_some_and(|value| Path::new(&value) == root);
    let is_in_the_way = matches!(
        error,
        StoreError::NotAStore { .. } | StoreError::Create { .. } | StoreError::Open { .. }
    );
    if is_named && is_in_the_way {
        return chart.mend(Ailment::StoreUnusable, what, "unset TF_SHIM_STORE");
    }
    chart.advise(Ailment::StoreUnusable, what, advice);
}

fn judge_clock(newest: Option<DateTime<Utc>>, now: DateTime<Utc>, chart: &mut Chart) {
    let tolerance = TimeDelta::minutes(TOLERANCE_MINUTES);
    if let Some(newest) = newest.filter(|newest| newest.signed_duration_since(now) > tolerance) {
        let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M UTC");
        let what = format!("it is {}, and the newest operation is of {}", time(now), time(newest));
        chart.advise(Ailment::Clock, what, "set the clock; `date -u` tells what it says");
    }
}

/// Goes from history to history.
struct Ward<'a> {
    patient: &'a Patient<'a>,
    context: &'a Context,
    module: Option<&'a Module>,
    facts: &'a mut StoreFacts,
    /// The time of the newest operation.
    newest: Option<DateTime<Utc>>,
}

impl Ward<'_> {
    fn visit(&mut self, dir: &StateDir, chart: &mut Chart) {
        self.facts.states = self.facts.states.saturating_add(1);
        let (history, marks) = match dir.history().and_then(|history| Ok((history, dir.running()?)))
        {
            Ok(read) => read,
            Err(error) => {
                return chart.advise(
                    Ailment::JournalDamaged,
                    chain(&error),
                    keep_a_copy(&self.context.config.store),
                );
            }
        };
        self.facts.operations = self.facts.operations.saturating_add(history.operations.len());
        let newest = history.operations.iter().map(|op| op.finished.unwrap_or(op.started)).max();
        self.newest = self.newest.max(newest);
        self.judge_damage(dir, &history, chart);
        self.judge_open(dir, &history, &marks, chart);
        if self.is_ours(dir) {
            judge_newest(self.patient, dir, &history, chart);
            self.judge_lock(&history, chart);
        }
    }

    /// Whether a history is that of the state that is meant.
    fn is_ours(&self, dir: &StateDir) -> bool {
        let ours = self.module.map(|module| module.subject.location.identity.key());
        ours.is_some_and(|key| key == dir.identity().key())
    }

    fn name(&self, dir: &StateDir) -> String {
        match self.module {
            Some(module) if self.is_ours(dir) => format!("`{}`", place_of(module)),
            Some(_) | None => {
                let identity = dir.identity();
                format!("`{}` ({}, {})", identity.place(), identity.workspace(), identity.backend())
            }
        }
    }

    fn judge_damage(&mut self, dir: &StateDir, history: &History, chart: &mut Chart) {
        let is_torn = |damage: &&Damage| matches!(damage, Damage::TornLine { .. });
        let torn = history.damage.iter().filter(is_torn).count();
        self.facts.torn_lines = self.facts.torn_lines.saturating_add(torn);
        if let Some(first) = history.damage.iter().find(|damage| !is_torn(damage)) {
            let more = history.damage.len().saturating_sub(torn).saturating_sub(1);
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            let what = format!("the history of {}: {first}{more}", self.name(dir));
            chart.advise(Ailment::JournalDamaged, what, keep_a_copy(&self.context.config.store));
        }
    }

    /// What began, was not seen to end, and has nobody at work any more.
    fn judge_open(
        &self,
        dir: &StateDir,
        history: &History,
        marks: &[RunningMark],
        chart: &mut Chart,
    ) {
        let is_live = |id: &OperationId| marks.iter().any(|mark| mark.op == *id && mark.is_live());
        let head = &history.head;
        let intents = head.intents.iter().filter(|intent| !is_live(&intent.id));
        if let Some(intent) = intents.into_iter().next() {
            let what = format!("the restore {} of {} was interrupted", intent.id, self.name(dir));
            return chart.add(Ailment::RestoreInterrupted, what, self.finishing(dir));
        }
        let open = head.open.iter().filter(|open| !is_live(&open.id));
        let open: Vec<String> = open
            .map(|open| format!("{} {}", open.verb.as_deref().unwrap_or("run"), open.id))
            .collect();
        let dead = marks.iter().filter(|mark| !mark.is_live()).count();
        if open.is_empty() && dead == 0 {
            return;
        }
        let what = if open.is_empty() { "a command".to_owned() } else { open.join(", ") };
        let what = format!("{what} on {} was not seen to end", self.name(dir));
        chart.add(Ailment::OperationUnfinished, what, self.finishing(dir));
    }

    /// What writes to a history begins with closing what is open in it.
    fn finishing(&self, dir: &StateDir) -> Cure {
        if self.is_ours(dir) {
            return Cure::Command(self.patient.shim("save"));
        }
        let Some(path) = dir.identity().path() else {
            return Cure::Advice(
                "run `tf shim save` in the directory of that configuration".to_owned(),
            );
        };
        let choice = super::Choice { workspace: None, state: Some(path.to_os_string().into()) };
        let there = Patient { choice: &choice, context: None, ..*self.patient };
        Cure::Command(there.shim("save"))
    }

    /// A killed Terraform leaves its lock in a backend; a local lock goes with the process.
    fn judge_lock(&self, history: &History, chart: &mut Chart) {
        let Some(last) = history.operations.last() else { return };
        let is_remote = self.module.is_some_and(|module| module.state_file().is_none());
        let was_killed = matches!(last.outcome, Some(Outcome::Killed | Outcome::Unknown));
        if !is_remote || last.kind != Kind::Run || !was_killed {
            return;
        }
        let verb = last.verb.as_deref().unwrap_or("run");
        let what = format!("the last {verb} ({}) was killed; its lock may still be there", last.id);
        let advice = format!(
            "run `{}`; if it finds the state locked, and nobody works on it, run `{}` with the ID that it shows",
            self.patient.terraform("plan -input=false"),
            self.patient.terraform("force-unlock ID")
        );
        chart.advise(Ailment::LockMayRemain, what, advice);
    }
}

/// Whether the newest good state can be given back.
fn judge_newest(patient: &Patient<'_>, dir: &StateDir, history: &History, chart: &mut Chart) {
    let Some((id, image)) = history.head.good.as_ref().filter(|(_, image)| image.stored.is_some())
    else {
        return;
    };
    if let Err(error) = dir.get(image).map_err(Error::from) {
        let what = format!("{id}: {}", chain(&error));
        chart.mend(Ailment::SnapshotDamaged, what, patient.shim("save"));
    }
}
