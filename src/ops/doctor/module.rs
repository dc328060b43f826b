//! The root module: its backend, its state, and the files that Terraform leaves about.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User, geteuid};

use crate::guard::state::{Meaning, judge};
use crate::model::guard::Guard;
use crate::model::operation::Image;
use crate::model::state::StateImage;
use crate::terraform::locate::{Place, Setting};
use crate::terraform::lying::Lying;
use crate::terraform::read::{Reading, read_file};
use crate::terraform::version::Version;
use crate::terraform::{TerraformError, lock};

use super::super::guards::{self, Known};
use super::super::report::StateName;
use super::super::shell;
use super::super::{Subject, capture};
use super::{Ailment, Chart, Cure, Patient, be, below, named};

/// What is known of the root module.
pub(super) struct Module {
    /// Its backend and workspace.
    pub(super) setting: Setting,
    /// The state that is meant.
    pub(super) subject: Subject,
    /// What lies about.
    pub(super) lying: Lying,
    /// Whether there is anything of Terraform's here.
    pub(super) is_one: bool,
    /// The state as it is now; a remote one is not asked for.
    pub(super) now: Option<Image>,
    name: StateName,
    locked_by: Option<String>,
}

/// Where the state is kept.
pub(crate) struct BackendFacts {
    /// `local`, `http`, `s3`, …
    pub(crate) kind: String,
    /// Whether the configuration seems to name a backend that no `init` has recorded.
    pub(crate) may_need_init: bool,
    /// Whether it locks, as far as one can tell from its settings.
    pub(crate) locks: bool,
    /// The command that tells whether it keeps older versions, where there is one.
    pub(crate) versioning: Option<String>,
}

/// What a report says of it.
pub(super) type ModuleFacts =
    (Option<StateName>, Option<Image>, Option<String>, Option<BackendFacts>);

impl Module {
    /// What a report says of it.
    pub(super) fn into_facts(self) -> ModuleFacts {
        let backend = &self.setting.backend;
        let facts = BackendFacts {
            kind: backend.kind.clone(),
            may_need_init: self.setting.may_need_init,
            locks: backend.missing_lock().is_none(),
            versioning: backend.versioning_question(|text| shell::word(text)),
        };
        (Some(self.name), self.now, self.locked_by, Some(facts))
    }

    /// The path of the state, where it is a file.
    pub(super) fn state_file(&self) -> Option<&Path> {
        capture::local_path(&self.subject.location)
    }
}

/// Looks at it; none where it cannot be told which state is meant.
pub(super) fn look(
    patient: &Patient<'_>,
    directory: &Path,
    version: Option<&Version>,
    chart: &mut Chart,
) -> Option<Module> {
    let found = Setting::read(patient.chdir).map_err(crate::error::Error::from);
    let found =
        found.and_then(|setting| Ok((setting, Subject::find(patient.chdir, patient.choice)?)));
    let (setting, subject) = match found {
        Ok(found) => found,
        Err(error) => {
            judge_record(patient, directory, &error.to_string(), chart);
            return None;
        }
    };
    let lying = Lying::about(&setting);
    let is_one = !lying.states.is_empty() || setting.data.is_dir() || has_configuration(directory);
    let name = subject.name();
    let mut module = Module { setting, subject, lying, is_one, now: None, name, locked_by: None };
    judge_backend(patient, &module, chart);
    judge_state(patient, &mut module, version, chart);
    judge_errored(patient, &module, chart);
    judge_readers(&module, chart);
    judge_locks(&module, chart);
    Some(module)
}

fn judge_record(patient: &Patient<'_>, directory: &Path, why: &str, chart: &mut Chart) {
    let data = std::env::var_os(crate::env::TF_DATA_DIR).filter(|value| !value.is_empty());
    let record =
        directory.join(data.unwrap_or_else(|| ".terraform".into())).join("terraform.tfstate");
    let mut aside = record.clone().into_os_string();
    aside.push(".broken");
    let moved = shell::words([record.as_os_str(), &aside]);
    let init = patient.terraform("init -reconfigure");
    chart.mend(Ailment::BackendRecord, why, format!("mv {moved} && {init}"));
}

pub(super) fn has_configuration(directory: &Path) -> bool {
    let ends = [".tf", ".tf.json", ".tofu", ".tofu.json"];
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.into_iter().any(|name| ends.iter().any(|end| name.ends_with(end)))
}

fn judge_backend(patient: &Patient<'_>, module: &Module, chart: &mut Chart) {
    let backend = &module.setting.backend;
    let Some(missing) = backend.missing_lock() else { return };
    let what = format!("the backend `{}` does not lock: `{missing}` is not set", backend.kind);
    let init = |set: &str| {
        Cure::Command(patient.terraform(&format!("init -reconfigure -backend-config={set}")))
    };
    let cure = match missing {
        "use_lockfile" => init("use_lockfile=true"),
        "lock" => init("lock=true"),
        _ => Cure::Advice(format!(
            "give the backend a `{missing}`, if the server can lock, and run `{}`",
            patient.terraform("init -reconfigure")
        )),
    };
    chart.add(Ailment::NoLocking, what, cure);
}

fn judge_state(
    patient: &Patient<'_>,
    module: &mut Module,
    version: Option<&Version>,
    chart: &mut Chart,
) {
    let reading = match capture::read_if_local(&module.subject.location, patient.limits()) {
        Ok(Some(reading)) => reading,
        Ok(None) => {
            chart.skip("state", "it is in a backend, which is not asked");
            return;
        }
        Err(error) => {
            let cure = cure_of(&error, module.state_file());
            chart.add(Ailment::StateUnreadable, error.to_string(), cure);
            return;
        }
    };
    let now = capture::image_of(&reading);
    module.name.lineage.clone_from(&now.lineage);
    module.locked_by = module.state_file().and_then(lock::holder);
    if let (Some(version), Some(by)) = (version, &now.terraform_version)
        && version.is_older_than(by)
    {
        let what =
            format!("the state was written by Terraform {by}, and this is {}", version.number);
        let advice = format!("use Terraform {by} or newer here");
        chart.advise(Ailment::NewerState, what, advice);
    }
    // Whoever holds the lock is changing it.
    if module.locked_by.is_none() {
        judge_content(patient, module, (&now, &reading), chart);
    }
    module.now = Some(now);
}

/// The findings of the guards.
fn judge_content(
    patient: &Patient<'_>,
    module: &Module,
    (now, reading): (&Image, &Reading),
    chart: &mut Chart,
) {
    // What is wrong with the store is told elsewhere.
    let location = &module.subject.location;
    let context = patient.context.as_ref();
    let dir = context.and_then(|context| context.history_for_reading(location).ok()?);
    let head = dir.as_ref().and_then(|dir| dir.head().ok()).unwrap_or_default();
    // A restore that was interrupted is told elsewhere, too.
    if !head.intents.is_empty() {
        return;
    }
    let known = Known { dir: dir.as_ref(), head: &head, identity: &location.identity };
    let judged = match context {
        Some(context) => guards::objection(context, known, (now, reading)),
        None => Ok(judge(now, None, Meaning::Unknown).map(|objection| (objection, None))),
    };
    let objection = match judged {
        Ok(objection) => objection,
        Err(error) => {
            let cure = error.hints().into_iter().next().unwrap_or_default();
            chart.add(Ailment::Passport, error.to_string(), Cure::Advice(cure));
            return;
        }
    };
    let Some(objection) = objection else { return };
    let ailment = match objection.0.guard {
        Guard::MissingState => Ailment::MissingState,
        Guard::ForeignState => Ailment::ForeignState,
        Guard::OlderState => Ailment::OlderState,
        _ => Ailment::CorruptState,
    };
    let cure = if head.good.is_some() {
        Cure::Command(patient.shim("restore @"))
    } else {
        Cure::Advice(
            "no good state is known; look for a copy, such as `terraform.tfstate.backup`"
                .to_owned(),
        )
    };
    chart.add(ailment, guards::noted(objection).text, cure);
}

fn cure_of(error: &TerraformError, path: Option<&Path>) -> Cure {
    match (error, path) {
        (TerraformError::NotAFile { .. }, Some(path)) => {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".away");
            Cure::Command(format!("mv {}", shell::words([path.as_os_str(), &aside])))
        }
        (TerraformError::Read { source, .. }, Some(path))
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            allowing(path)
        }
        (TerraformError::TooLarge { .. }, _) => Cure::Advice(
            "if it is right, raise `max_state` in ~/.config/tf-shim/config.toml".to_owned(),
        ),
        _ => Cure::Advice("see to the file and the file system it is on".to_owned()),
    }
}

/// What gives access to a file: to its mode, where it is ours to change; else who has to be asked. A
/// directory above it may be what is closed.
fn allowing(path: &Path) -> Cure {
    let closed = path.ancestors().find_map(|at| Some((at, std::fs::metadata(at).ok()?)));
    let Some((closed, found)) = closed else {
        return Cure::Advice("ask the owner of the directories above it".to_owned());
    };
    let (word, us) = (shell::word(closed), geteuid());
    if found.uid() == us.as_raw() {
        let bits = if found.is_dir() { "rwx" } else { "rw" };
        return Cure::Command(format!("chmod u+{bits} {word}"));
    }
    let name = |uid: Uid| User::from_uid(uid).ok().flatten().map(|user| user.name);
    let number = |uid: Uid| uid.as_raw().to_string();
    let owner = name(Uid::from_raw(found.uid())).unwrap_or_else(|| number(found.uid().into()));
    let (shown, we) = (closed.display(), name(us).unwrap_or_else(|| number(us)));
    Cure::Advice(format!(
        "`{shown}` belongs to {owner}: ask for access, or make it yours with `sudo chown {} {word}`",
        shell::word(we)
    ))
}

/// What Terraform could not save is pushed where it is newer than what is there, and kept in the store where
/// it is not: nothing is thrown away that exists only once.
fn judge_errored(patient: &Patient<'_>, module: &Module, chart: &mut Chart) {
    let Some(path) = &module.lying.errored else { return };
    let read = |path: &Path| read_file(path, patient.limits().bytes).ok()?.image;
    let Some(header) = read(path).as_ref().and_then(StateImage::header).cloned() else {
        let what = "`errored.tfstate` lies here, and is no state";
        let aside = shell::words([path.clone(), path.with_extension("tfstate.broken")]);
        chart.mend(Ailment::ErroredState, what, format!("mv {aside}"));
        return;
    };
    let is_superseded = module.now.as_ref().is_some_and(|now| {
        now.lineage == header.lineage && now.serial.is_some_and(|serial| serial >= header.serial)
    });
    let what = format!("`errored.tfstate` lies here, with serial {}", header.serial);
    let (file, remove) = (shell::word(path), format!("rm {}", shell::word(path)));
    if is_superseded {
        let mut choice = patient.choice.clone();
        choice.state = Some(path.clone());
        choice.workspace = None;
        let save = Patient { choice: &choice, context: None, ..*patient }.shim("save");
        let what = format!("{what}, which is not newer than the state");
        chart.mend(Ailment::ErroredState, what, format!("{save} && {remove}"));
        return;
    }
    let push = patient.terraform(&format!("state push {file}"));
    chart.mend(Ailment::ErroredState, what, format!("{push} && {remove}"));
}

/// Files that every user of the machine can read. Whether a group is others cannot be told from here.
fn judge_readers(module: &Module, chart: &mut Chart) {
    let record = module.setting.data.join("terraform.tfstate");
    let record = Some(record).filter(|_| module.setting.backend.holds_secrets());
    let lying = &module.lying;
    let named_file = module.state_file().map(Path::to_owned);
    let files = lying.states.iter().chain(&lying.plans).cloned().chain(record).chain(named_file);
    let mut open: Vec<PathBuf> = files.filter(|path| is_open_to_others(path)).collect();
    open.sort_unstable();
    open.dedup();
    if open.is_empty() {
        return;
    }
    let what = format!(
        "{} can be read by every user of this machine",
        named(&open, &module.setting.directory)
    );
    let chmod = format!("chmod go-rwx {}", shell::words(&open));
    chart.mend(Ailment::ReadableByOthers, what, chmod);
}

/// Whether others may read a file, and reach it: one closed directory above it keeps them out.
fn is_open_to_others(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    let allows = |path: &Path, bit: u32| {
        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & bit != 0)
    };
    allows(&path, 0o004) && path.ancestors().skip(1).all(|above| allows(above, 0o001))
}

/// Lock infos whose lock nobody holds.
fn judge_locks(module: &Module, chart: &mut Chart) {
    let is_held = |state: &Path| {
        let name = state.file_name().unwrap_or_default();
        let mut dotted = std::ffi::OsString::from(".");
        dotted.push(name);
        lock::holder(state).is_some() || lock::holder(&state.with_file_name(dotted)).is_some()
    };
    let infos = module.lying.lock_infos.iter().filter(|(_, state)| !is_held(state));
    let stale: Vec<PathBuf> = infos.map(|(info, _)| info.clone()).collect();
    let Some(first) = stale.first() else { return };
    let told = lock::told_by(first).map(|told| format!(" ({told})")).unwrap_or_default();
    let directory = &module.setting.directory;
    let what = format!(
        "{}{told} {} there, and nobody holds the lock",
        named(&stale, directory),
        be(stale.len())
    );
    chart.mend(Ailment::StaleLock, what, format!("rm {}", shell::words(&stale)));
}

/// The place of the state, for a person.
pub(super) fn place_of(module: &Module) -> String {
    match &module.subject.location.place {
        Place::File(path) => below(path, &module.setting.directory).display().to_string(),
        Place::Remote => module.setting.backend.kind.clone(),
    }
}
