//! `tf shim doctor`: what is wrong with this set-up, and the command that mends it.
//!
//! It looks and changes nothing: no file is made, no lock is taken, no remote is asked. It needs nothing
//! to be right either: whatever cannot be looked at is said so, and the rest is looked at all the same.
//! Each part below looks at one thing and adds what it finds; the table of everything that can be found
//! is in `ailment`. What is easy to get wrong: a fix is copied into a shell, so what comes from outside goes
//! through `ops::shell`, and what may be secret (values of variables, aliases, addresses) is not shown at all.

mod ailment;
mod another;
mod git;
mod ignored;
mod module;
mod path;
mod real;
mod start_files;
mod store;
mod variables;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
use crate::model::operation::Image;
use crate::proxy::real::RealBinary;
use crate::terraform::Limits;
use crate::terraform::version::Version;

use super::caller::Caller;
use super::report::{RealReport, StateName};
use super::{Choice, Context};

pub(crate) use self::ailment::{Ailment, Weight};
pub(crate) use self::git::GitFacts;
pub(crate) use self::module::BackendFacts;
pub(crate) use self::path::{Kind, OnPath};
pub(crate) use self::store::StoreFacts;

/// How long another program may take to answer: far longer than it does, short enough for monitoring.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much it may say, in bytes.
const MOST_SAID: usize = 16 << 20;
/// How many files a finding names; its fix names all.
const NAMED: usize = 3;

/// One thing that is wrong.
pub(crate) struct Finding {
    /// What it is.
    pub(crate) ailment: Ailment,
    /// The thing it was found at, in a sentence.
    pub(crate) what: String,
    /// What to do.
    pub(crate) cure: Cure,
}

/// What to do about a finding.
pub(crate) enum Cure {
    /// A command that mends it when it is copied into a shell.
    Command(String),
    /// Where no command can: what a person has to do.
    Advice(String),
}

/// What was found, and what was seen on the way.
pub(crate) struct DoctorReport {
    /// Which state a command here would touch; none where it cannot be told.
    pub(crate) state: Option<StateName>,
    /// What is wrong, the weightier first.
    pub(crate) findings: Vec<Finding>,
    /// What could not be looked at, and why.
    pub(crate) not_looked_at: Vec<(&'static str, String)>,
    /// The real binary, or why there is none.
    pub(crate) real: Result<RealReport, String>,
    /// Which version it is; none where it does not say.
    pub(crate) version: Option<Version>,
    /// What stands on `PATH` under one of our names, in order.
    pub(crate) path: Vec<OnPath>,
    /// The state as it is now; a remote one is not asked for.
    pub(crate) now: Option<Image>,
    /// Who holds its lock now.
    pub(crate) locked_by: Option<String>,
    /// Where the state is kept.
    pub(crate) backend: Option<BackendFacts>,
    /// The repository.
    pub(crate) git: Option<GitFacts>,
    /// The store; none where there is no place for one.
    pub(crate) store: Option<StoreFacts>,
}

impl DoctorReport {
    /// How many findings are problems.
    pub(crate) fn problems(&self) -> usize {
        self.findings.iter().filter(|found| found.ailment.weight() == Weight::Problem).count()
    }
}

/// What was called, and how.
pub(crate) struct Patient<'a> {
    /// The name we were called by.
    pub(crate) called_as: &'a OsStr,
    /// `-chdir` before `shim`.
    pub(crate) chdir: Option<&'a OsStr>,
    /// Which state was meant.
    pub(crate) choice: &'a Choice,
    /// `--store`.
    pub(crate) store: Option<&'a Path>,
    /// What the user set; none where there is no place for a store.
    pub(crate) context: Option<Context>,
}

/// What the parts add to.
#[derive(Default)]
struct Chart {
    findings: Vec<Finding>,
    not_looked_at: Vec<(&'static str, String)>,
}

/// Looks at everything.
///
/// # Errors
/// The directory that was named is not there.
pub(crate) fn examine(patient: &Patient<'_>) -> Result<DoctorReport, Error> {
    let directory = super::root_module(patient.chdir);
    if !directory.is_dir() {
        return Err(Error::NoDirectory { path: directory });
    }
    let mut chart = Chart::default();
    let path = path::look(patient, &mut chart);
    let (real, version) = real::look(patient, &directory, &path, &mut chart);
    path::judge_others(patient, &path, &real, &mut chart);
    variables::look(patient, &directory, &mut chart);
    start_files::look(&mut chart);
    let module = module::look(patient, &directory, version.as_ref(), &mut chart);
    let git = git::look(&directory, module.as_ref(), &mut chart);
    let store = store::look(patient, &directory, module.as_ref(), &mut chart);
    chart.findings.sort_by_key(|found| (found.ailment.weight(), found.ailment));
    let module = module.map(module::Module::into_facts);
    let (state, now, locked_by, backend) = module.unwrap_or_default();
    Ok(DoctorReport {
        state,
        findings: chart.findings,
        not_looked_at: chart.not_looked_at,
        real: real.as_ref().map(super::which::report_of).map_err(ToString::to_string),
        version,
        path,
        now,
        locked_by,
        backend,
        git,
        store,
    })
}

impl Chart {
    /// Adds a finding that a command mends.
    fn mend(&mut self, ailment: Ailment, what: impl Into<String>, command: impl Into<String>) {
        let (what, cure) = (what.into(), Cure::Command(command.into()));
        self.findings.push(Finding { ailment, what, cure });
    }

    /// Adds a finding that a person has to see to.
    fn advise(&mut self, ailment: Ailment, what: impl Into<String>, advice: impl Into<String>) {
        let (what, cure) = (what.into(), Cure::Advice(advice.into()));
        self.findings.push(Finding { ailment, what, cure });
    }

    /// Adds a finding.
    fn add(&mut self, ailment: Ailment, what: impl Into<String>, cure: Cure) {
        self.findings.push(Finding { ailment, what: what.into(), cure });
    }

    /// Notes that something could not be looked at.
    fn skip(&mut self, what: &'static str, why: impl Into<String>) {
        self.not_looked_at.push((what, why.into()));
    }
}

impl Patient<'_> {
    /// A command of ours about the state that was meant.
    fn shim(&self, command: &str) -> String {
        self.caller().shim(command)
    }

    /// A command of Terraform's, through us, in the root module.
    fn terraform(&self, command: &str) -> String {
        self.caller().terraform(command)
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            called_as: self.called_as,
            chdir: self.chdir,
            workspace: self.choice.workspace.as_ref().map(OsStr::new),
            state: self.choice.state.as_deref(),
            store: self.store,
        }
    }

    /// The limits of a helper command.
    fn limits(&self) -> Limits<'static> {
        let bytes = self.context.as_ref().map_or(1 << 30, |context| context.config.max_state_bytes);
        Limits { time: PATIENCE, bytes, give_up: &|| false }
    }
}

/// Paths for a sentence, each in back-ticks, relative to the root module where they are below it.
fn named(paths: &[PathBuf], directory: &Path) -> String {
    let shown = |path: &PathBuf| format!("`{}`", below(path, directory).display());
    let first: Vec<_> = paths.iter().take(NAMED).map(shown).collect();
    match paths.len().checked_sub(NAMED) {
        Some(more) if more > 0 => format!("{} and {more} more", first.join(", ")),
        Some(_) | None => first.join(", "),
    }
}

/// A path as seen from the root module.
fn below<'a>(path: &'a Path, directory: &Path) -> &'a Path {
    path.strip_prefix(directory).unwrap_or(path)
}

/// `is`, or `are` for more than one.
fn be(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// The real binary, or why there is none.
type Real = Result<RealBinary, crate::proxy::real::NotFound>;
