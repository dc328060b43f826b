//! Everything that can go wrong, with what to do about it.
//!
//! Each layer below has its own small error type; here they get their context, their exit status and
//! their hints. The chain is rendered once, in `ui`.

pub(crate) mod install;

use std::io;
use std::path::PathBuf;

use crate::config::ConfigError;
use crate::guard::refusal::Refusal;
use crate::model::passport::NotAPassport;
use crate::model::reference::NotAReference;
use crate::model::resolve::Unresolved;
use crate::proxy::real::NotFound;
use crate::store::StoreError;
use crate::terraform::TerraformError;
use install::InstallError;

/// The exit statuses (interface.md 1). 125 to 127 follow `env`, `timeout` and `nohup`: no caller can
/// mistake them for Terraform's 0, 1 or 2.
pub(crate) mod status {
    /// Done; `check`: idempotent.
    pub(crate) const DONE: u8 = 0;
    /// Understood, but failed.
    pub(crate) const FAILED: u8 = 1;
    /// `diff -detailed-exitcode`: they differ; `check`: not idempotent.
    pub(crate) const DIFFER: u8 = 2;
    /// Refused: a confirmation not given, the state locked, a store made by a newer `tf`.
    pub(crate) const REFUSED: u8 = 3;
    /// `check`: no verdict possible.
    pub(crate) const NO_VERDICT: u8 = 4;
    /// Wrong usage.
    pub(crate) const WRONG_USAGE: u8 = 64;
    /// `check`: timed out.
    pub(crate) const TIMED_OUT: u8 = 124;
    /// The shim refused or failed; Terraform was not started.
    pub(crate) const NOT_STARTED: u8 = 125;
    /// The real binary is not executable.
    pub(crate) const NOT_EXECUTABLE: u8 = 126;
    /// The real binary was not found.
    pub(crate) const NOT_FOUND: u8 = 127;
}

/// A failure of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The configuration cannot be used.
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    /// There is no real binary to call.
    #[error(transparent)]
    Real(#[from] NotFound),
    /// The state could not be read before a guarded command.
    #[error("cannot read the state; {verb} was not started")]
    NotRead {
        /// Terraform's command.
        verb: &'static str,
        /// Why.
        source: TerraformError,
    },
    /// The state could not be saved before a guarded command.
    #[error("cannot save a snapshot; {verb} was not started")]
    NotSaved {
        /// Terraform's command.
        verb: &'static str,
        /// Why.
        source: StoreError,
    },
    /// A guard refused a command.
    #[error("{verb} was refused: {}", names(refusals))]
    Refused {
        /// Terraform's command, or ours.
        verb: String,
        /// Why; at least one.
        refusals: Vec<Refusal>,
    },
    /// The state after a run could not be saved; Terraform's exit status stands.
    #[error("the state after {verb} was not saved; the next command does it")]
    NotSavedAfter {
        /// Terraform's command.
        verb: &'static str,
        /// Why.
        source: Box<Error>,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A snapshot is damaged.
    #[error("the snapshot {operation} cannot be given back")]
    Damaged {
        /// The operation that it belongs to.
        operation: String,
        /// Good ones around it, as references.
        neighbours: Vec<String>,
        /// What is wrong with it.
        source: StoreError,
    },
    /// Terraform, or a state file.
    #[error(transparent)]
    Terraform(#[from] TerraformError),
    /// A text that is no reference.
    #[error(transparent)]
    Reference(#[from] NotAReference),
    /// A reference that names nothing, or too much.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// Nothing is known of this state yet.
    #[error("there is no history of this state: {state}")]
    NoHistory {
        /// Which.
        state: String,
    },
    /// The root module is not there.
    #[error("{}", no_directory(path))]
    NoDirectory {
        /// Which; empty, where the working directory itself was removed.
        path: PathBuf,
    },
    /// There are no bytes to give.
    #[error("{name} has no content: it is {what}")]
    NoContent {
        /// As the user named it.
        name: String,
        /// What it is instead.
        what: &'static str,
    },
    /// A state cannot be compared.
    #[error("cannot compare {name}: {why}")]
    NotComparable {
        /// Which.
        name: String,
        /// Why not.
        why: String,
    },
    /// A preview would not show what the command does.
    #[error("a restore was interrupted, and is finished before anything else")]
    InterruptedRestore,
    /// There is nothing to undo.
    #[error("no operation of this history changed the state; there is nothing to undo")]
    NothingToUndo,
    /// What the last operation found is not known.
    #[error("cannot undo {operation}: what it found is not known")]
    BeforeUnknown {
        /// Which operation.
        operation: String,
    },
    /// Undoing would orphan what was created.
    #[error("undo would orphan {count} created {}", if *count == 1 { "resource" } else { "resources" })]
    Orphans {
        /// How many.
        count: usize,
    },
    /// A person said no.
    #[error("{what} was not confirmed; nothing was changed")]
    Declined {
        /// What was asked about.
        what: &'static str,
    },
    /// There is nobody to ask.
    #[error("{what} was not confirmed; nothing was changed")]
    NotConfirmed {
        /// What was asked about.
        what: &'static str,
    },
    /// The state changed between the look and the lock.
    #[error("the state changed while the restore was being prepared; nothing was written")]
    ChangedMeanwhile,
    /// What is in the backend after a restore is not what was pushed.
    #[error("the backend does not hold what was pushed")]
    NotWhatWasPushed,
    /// A state cannot get another serial.
    #[error("cannot give {name} a new serial: {why}")]
    NoSerial {
        /// Which.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// A file that would be overwritten.
    #[error("`{}` exists", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// An output file could not be written.
    #[error("cannot write `{}`", path.display())]
    WriteFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An input file is there and cannot be read.
    #[error("cannot read `{}`", path.display())]
    ReadFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What has the name of a passport is none.
    #[error("`{}` is no passport", path.display())]
    NoPassport {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: NotAPassport,
    },
    /// There is no room for the plans of a check.
    #[error("no space is left in `{}`, where the plans are kept", path.display())]
    NoRoom {
        /// Where.
        path: PathBuf,
    },
    /// A variable of Terraform's that holds arguments cannot be taken apart.
    #[error("cannot take `{variable}` apart: unbalanced quotes or a backslash at its end")]
    NotSplit {
        /// Which.
        variable: String,
    },
    /// Flags that mean nothing to a command.
    #[error("{command} does not know `{flag}`")]
    NoSuchFlag {
        /// The command.
        command: &'static str,
        /// The flag.
        flag: &'static str,
    },
    /// Links or start files could not be changed as they were to be.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// No random bits.
    #[error("the system gives no random bits")]
    NoRandom {
        /// Why.
        source: io::Error,
    },
    /// No descriptor to watch signals with.
    #[error("cannot watch signals; {verb} was not started")]
    NoSignals {
        /// Terraform's command.
        verb: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// Whose exit status is meant: the table of interface.md 1 has a column for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A proxied command.
    Proxy,
    /// `tf shim …`.
    Shim,
}

impl Error {
    /// The exit status.
    pub(crate) fn exit_status(&self, caller: Caller) -> u8 {
        match (self, caller) {
            (Self::Real(error), _) => error.exit_status(),
            (Self::Reference(_) | Self::NoSuchFlag { .. }, Caller::Shim) => status::WRONG_USAGE,
            (
                Self::NotConfirmed { .. }
                | Self::Declined { .. }
                | Self::Orphans { .. }
                | Self::ChangedMeanwhile
                | Self::Refused { .. }
                | Self::Terraform(TerraformError::Locked { .. })
                | Self::Store(StoreError::NewerFormat { .. }),
                Caller::Shim,
            ) => status::REFUSED,
            (
                Self::Unresolved(_)
                | Self::Damaged { .. }
                | Self::NoHistory { .. }
                | Self::NoContent { .. }
                | Self::NotComparable { .. }
                | Self::InterruptedRestore
                | Self::NothingToUndo
                | Self::BeforeUnknown { .. }
                | Self::NotWhatWasPushed
                | Self::NoSerial { .. }
                | Self::Exists { .. }
                | Self::WriteFile { .. }
                | Self::ReadFile { .. }
                | Self::NoPassport { .. }
                | Self::NotSplit { .. }
                | Self::NoRoom { .. }
                | Self::NoDirectory { .. }
                | Self::Install(_)
                | Self::Terraform(_),
                Caller::Shim,
            ) => status::FAILED,
            (_, Caller::Proxy)
            | (
                Self::Config(_)
                | Self::NotRead { .. }
                | Self::NotSaved { .. }
                | Self::NotSavedAfter { .. }
                | Self::Store(_)
                | Self::NoRandom { .. }
                | Self::NoSignals { .. },
                Caller::Shim,
            ) => status::NOT_STARTED,
        }
    }

    /// What to do now, in the imperative.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Config(error) => config_hints(error),
            Self::Real(error) => real_hints(error),
            Self::NotRead { verb, source } => {
                let mut hints = terraform_hints(source);
                hints.push(continue_hint(verb));
                hints
            }
            Self::NotSaved { verb, source } => {
                let mut hints = store_hints(source);
                hints.push(continue_hint(verb));
                hints
            }
            Self::NotSavedAfter { .. } => {
                vec!["the state itself is where Terraform left it; run `tf shim save` when the cause is mended".to_owned()]
            }
            Self::Store(error) => store_hints(error),
            Self::Damaged { neighbours, .. } if neighbours.is_empty() => Vec::new(),
            Self::Damaged { neighbours, .. } => {
                vec![format!("good snapshots near it: {}", neighbours.join(", "))]
            }
            Self::Terraform(error) => terraform_hints(error),
            Self::Install(error) => vec![error.hint()],
            Self::Unresolved(_) | Self::NoHistory { .. } => {
                vec!["run `tf shim list`, or `tf shim list --all` for every state of the store".to_owned()]
            }
            Self::BeforeUnknown { .. } => {
                vec!["pick a state from `tf shim list` and run `tf shim restore ID`".to_owned()]
            }
            Self::Orphans { .. } => vec![
                "run `terraform destroy -target=ADDRESS` for what shall go, or `tf shim undo --orphan` to forget it"
                    .to_owned(),
            ],
            Self::NotConfirmed { .. } => vec!["add `--yes` where nobody can be asked".to_owned()],
            Self::ChangedMeanwhile => vec!["look at it with `tf shim diff` and run it again".to_owned()],
            Self::NotWhatWasPushed => {
                vec!["look at it with `tf shim diff`; another writer may have been faster".to_owned()]
            }
            Self::InterruptedRestore => {
                vec!["run `tf shim save` to finish it, then look again".to_owned()]
            }
            Self::Exists { .. } => vec!["add `--force` to overwrite it".to_owned()],
            Self::NoSuchFlag { .. } => vec![
                "select the workspace with TF_WORKSPACE, and give -state after `--`".to_owned(),
            ],
            Self::NoPassport { .. } => vec![
                "put the file right, as it was committed, or remove it and run `tf shim passport`"
                    .to_owned(),
            ],
            Self::NoRoom { .. } => {
                vec!["make room, or set TMPDIR to a directory with more of it".to_owned()]
            }
            Self::NotSplit { .. } => vec!["terraform itself would refuse it".to_owned()],
            Self::Reference(_) => vec!["the forms of REF are in `tf shim help`".to_owned()],
            // It has its ways out.
            Self::Refused { .. }
            | Self::Declined { .. }
            | Self::NoDirectory { .. }
            | Self::NoContent { .. }
            | Self::NotComparable { .. }
            | Self::NothingToUndo
            | Self::NoSerial { .. }
            | Self::WriteFile { .. }
            | Self::ReadFile { .. }
            | Self::NoRandom { .. }
            | Self::NoSignals { .. } => Vec::new(),
        }
    }
}

/// The names of the guards.
fn names(refusals: &[Refusal]) -> String {
    refusals.iter().map(|refusal| refusal.guard.word()).collect::<Vec<_>>().join(", ")
}

fn continue_hint(verb: &str) -> String {
    format!("set TF_SHIM_ON_ERROR=continue to run {verb} without a snapshot")
}

fn config_hints(error: &ConfigError) -> Vec<String> {
    let hint = match error {
        ConfigError::NoHome => "set TF_SHIM_STORE to an absolute path",
        ConfigError::ForbiddenKey { .. } => {
            "a project file holds [guard] and [check]; the rest goes into ~/.config/tf-shim/config.toml"
        }
        ConfigError::UnknownKey { .. } => {
            "remove it, or use a version of tf that knows it; see docs/configuration.md"
        }
        ConfigError::Unfit { .. } => "move it away, or put a file of settings in its place",
        ConfigError::Read { .. }
        | ConfigError::Syntax { .. }
        | ConfigError::Value { .. }
        | ConfigError::MissingKey { .. } => "see docs/configuration.md",
    };
    vec![hint.to_owned()]
}

fn real_hints(error: &NotFound) -> Vec<String> {
    let hint = match error {
        NotFound::Nowhere { .. } => {
            "install Terraform or OpenTofu, or set TF_SHIM_REAL to its absolute path"
        }
        NotFound::NotExecutable { .. } => "make it executable, or set TF_SHIM_REAL to another one",
        NotFound::NotAbsolute { .. }
        | NotFound::Missing { .. }
        | NotFound::Ourselves { .. }
        | NotFound::LeadsBack { .. }
        | NotFound::Circle { .. }
        | NotFound::Loop { .. } => "set TF_SHIM_REAL to the absolute path of the real program",
    };
    vec![hint.to_owned()]
}

fn store_hints(error: &StoreError) -> Vec<String> {
    let hint = match error {
        StoreError::Space { .. } => "make room, or set TF_SHIM_STORE to a place with more of it",
        StoreError::NewerFormat { .. } => "use the newer tf that made it",
        StoreError::Foreign { .. } => "set TF_SHIM_STORE to a directory of your own",
        StoreError::Exposed { .. } => {
            "run `chmod go-w` on it, or set TF_SHIM_STORE to another place"
        }
        _ => "look at the store, or set TF_SHIM_STORE to another place",
    };
    vec![hint.to_owned()]
}

fn terraform_hints(error: &TerraformError) -> Vec<String> {
    let hint = match error {
        TerraformError::TooLarge { .. } => {
            "raise `max_state` in ~/.config/tf-shim/config.toml if it is right"
        }
        TerraformError::TimedOut { .. } => {
            "see whether the backend answers, or raise `pull_timeout` in ~/.config/tf-shim/config.toml"
        }
        TerraformError::Locked { .. } => "wait until it is done, and run it again",
        TerraformError::NotAFile { .. } => "move it away",
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}

/// Says that a directory is not there. The system has no path for a working directory that was removed.
fn no_directory(path: &std::path::Path) -> String {
    if path.as_os_str().is_empty() {
        return "the working directory is gone: it was removed".to_owned();
    }
    format!("there is no directory `{}`", path.display())
}
