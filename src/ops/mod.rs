//! Use cases: what `tf` does, start to end. They answer with reports and never print.
//!
//! Only here do the store and Terraform meet. Time and ids come from [`Context`], never from the wall.

pub(crate) mod accept;
mod aftermath;
pub(crate) mod caller;
pub(crate) mod capture;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod doctor;
mod end;
mod errored;
pub(crate) mod guarded;
mod guards;
pub(crate) mod history;
pub(crate) mod install;
pub(crate) mod passport;
pub(crate) mod protected;
pub(crate) mod read_only;
mod record;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod resume;
mod shell;
pub(crate) mod status;
pub(crate) mod undo;
mod unwritable;
pub(crate) mod which;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::error::Error;
use crate::model::operation::OperationId;
use crate::model::text::OddText;
use crate::proxy::depth::Depth;
use crate::proxy::real::RealBinary;
use crate::store::{Entry, RecordKind, StateDir, Store};
use crate::sys::{fs, process, random};
use crate::terraform::locate::{Location, Setting};
use crate::terraform::{Limits, Terraform};

use report::StateName;

/// What every use case needs.
pub(crate) struct Context {
    /// What the user set.
    pub(crate) config: Config,
    /// The clock of this process.
    pub(crate) clock: Clock,
    /// Who we are.
    pub(crate) who: Who,
}

/// Where "now" comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    /// The system.
    System,
    /// A test: it stands still.
    #[cfg(debug_assertions)]
    Fixed(DateTime<Utc>),
}

/// Who runs this, and where.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    /// The user's name; none where the system knows none.
    pub(crate) user: Option<OddText>,
    /// The effective user id.
    pub(crate) uid: u32,
    /// The machine's name.
    pub(crate) host: Option<OddText>,
    /// Our directory.
    pub(crate) directory: Option<PathBuf>,
}

impl Clock {
    /// The system's clock; in debug builds the one of `TF_SHIM_TEST_NOW`, where that is set.
    pub(crate) fn new() -> Self {
        #[cfg(debug_assertions)]
        if let Some(fixed) = std::env::var("TF_SHIM_TEST_NOW").ok().and_then(|t| t.parse().ok()) {
            return Self::Fixed(fixed);
        }
        Self::System
    }

    /// The time now. UTC.
    pub(crate) fn now(self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now(),
            #[cfg(debug_assertions)]
            Self::Fixed(at) => at,
        }
    }
}

impl Who {
    /// Asks the system.
    pub(crate) fn ask() -> Self {
        let (user, host) = process::user_and_host();
        Self {
            user: user.map(|name| OddText::from(name.as_str())),
            uid: fs::effective_user(),
            host: host.map(|name| OddText::from(name.as_os_str())),
            directory: std::env::current_dir().ok(),
        }
    }

    /// `user@host`, as Terraform writes it into its lock.
    pub(crate) fn at_host(&self) -> String {
        let text = |part: &Option<OddText>| part.as_ref().map(OddText::display).unwrap_or_default();
        format!("{}@{}", text(&self.user), text(&self.host))
    }
}

impl Context {
    /// Puts the context together.
    pub(crate) fn new(config: Config) -> Self {
        Self { config, clock: Clock::new(), who: Who::ask() }
    }

    /// An entry for the journal that says who, when and where.
    pub(crate) fn entry(&self, kind: RecordKind, op: &OperationId) -> Entry {
        Entry {
            host: self.who.host.clone(),
            uid: Some(self.who.uid),
            user: self.who.user.clone(),
            pid: Some(std::process::id()),
            cwd: self.who.directory.as_ref().map(|directory| OddText::from(directory.as_os_str())),
            ..Entry::new(kind, Some(op.clone()), self.clock.now())
        }
    }

    /// An entry about something that was only seen: it says when, not who.
    pub(crate) fn entry_of_nobody(&self, kind: RecordKind, op: &OperationId) -> Entry {
        Entry::new(kind, Some(op.clone()), self.clock.now())
    }

    /// The history of a state, for writing; the store is created at its first use.
    ///
    /// # Errors
    /// The store cannot be used.
    pub(crate) fn history_for_writing(&self, location: &Location) -> Result<StateDir, Error> {
        let store = Store::open_or_create(&self.config.store)?;
        Ok(store.history_of(&location.identity)?)
    }

    /// The history of a state, for reading; none where there is no store or nothing of that state in it.
    ///
    /// # Errors
    /// The store is there and cannot be read.
    pub(crate) fn history_for_reading(
        &self,
        location: &Location,
    ) -> Result<Option<StateDir>, Error> {
        let Some(store) = Store::open(&self.config.store)? else { return Ok(None) };
        Ok(Some(store.history_of(&location.identity)?).filter(StateDir::exists))
    }

    /// The limits of a helper command that nobody can give up.
    pub(crate) fn limits(&self) -> Limits<'static> {
        self.limits_until(&|| false)
    }

    /// The limits of a helper command.
    pub(crate) fn limits_until<'a>(&self, give_up: &'a dyn Fn() -> bool) -> Limits<'a> {
        Limits { time: self.config.pull_timeout, bytes: self.config.max_state_bytes, give_up }
    }
}

/// A new operation's name.
///
/// # Errors
/// The system gives no random bits.
pub(crate) fn new_id() -> Result<OperationId, Error> {
    random::bits().map(OperationId::from_bits).map_err(|source| Error::NoRandom { source })
}

/// Whether anything may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preview {
    /// Nothing may.
    Yes,
    /// What is seen is recorded.
    No,
}

/// Which state `tf shim …` is about: the one of the root module, unless flags name another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// `--workspace`.
    pub(crate) workspace: Option<String>,
    /// `--state`.
    pub(crate) state: Option<PathBuf>,
}

/// A state that `tf shim …` works on, and how to reach it.
pub(crate) struct Subject {
    /// Where it is.
    pub(crate) location: Location,
    /// Which workspace the helper commands must be told; none for the one that is selected.
    pub(crate) workspace: Option<String>,
    /// The root module.
    pub(crate) directory: PathBuf,
    /// What `-chdir=` named, as it was given.
    chdir: Option<OsString>,
}

impl Subject {
    /// Finds the state that is meant.
    ///
    /// # Errors
    /// The root module is not there, or its backend record cannot be read.
    pub(crate) fn find(chdir: Option<&OsStr>, choice: &Choice) -> Result<Self, Error> {
        let setting = Setting::read(chdir)?;
        if !setting.directory.is_dir() {
            return Err(Error::NoDirectory { path: setting.directory });
        }
        let location = match (&choice.state, &choice.workspace) {
            (Some(path), _) => setting.file(path),
            (None, Some(workspace)) => setting.of_workspace(workspace),
            (None, None) => setting.current(),
        };
        let chdir = chdir.map(OsStr::to_owned);
        let workspace = choice.workspace.clone();
        Ok(Self { location, workspace, directory: setting.directory, chdir })
    }

    /// A conversation with the real binary, in the root module.
    ///
    /// # Errors
    /// There is no real binary.
    pub(crate) fn terraform(&self, called_as: &OsStr) -> Result<Terraform, Error> {
        let depth = Depth::from_environment();
        let real = RealBinary::find(called_as, &depth)?;
        Ok(Terraform::new(real, depth, self.directory.clone(), self.chdir.as_deref()))
    }

    /// The state's name for reports.
    pub(crate) fn name(&self) -> StateName {
        StateName { identity: self.location.identity.clone(), lineage: None }
    }
}

/// The directory that configuration is looked for in: the root module.
pub(crate) fn root_module(chdir: Option<&OsStr>) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    chdir.map_or(here.clone(), |chdir| here.join(Path::new(chdir)))
}
