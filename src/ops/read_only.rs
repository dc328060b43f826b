//! Read-only: what is not known to only read does not run.
//!
//! A refusal is recorded, with the state as it was found, where that can be done; where it cannot (no state,
//! no store, no Terraform, a backend that does not answer), the command is refused all the same. Nothing here
//! may end in handing over to Terraform, and nothing here writes a state: an interrupted restore is left to
//! the next command that may.

use crate::config::{self, Config};
use crate::env;
use crate::error::Error;
use crate::guard::refusal::Refusal;
use crate::model::guard::Guard;
use crate::model::operation::Status;
use crate::proxy::real::RealBinary;
use crate::terraform::Terraform;
use crate::terraform::locate::{Location, Reach, Setting};

use super::guarded::{Call, workspace_to_ask};
use super::record::{Record, State};
use super::resume::Look;
use super::{Context, capture, new_id, root_module};

/// What is wrong with a command that is not known to only read. Why it is so here is not said: whoever
/// reads it may be looking for the switch.
pub(super) const READERS_ONLY: &str = "only commands that are known to only read may run here";

/// Asks the environment alone, before anything else can fail or let the command pass.
///
/// # Errors
/// The command is refused.
pub(super) fn ask_environment(call: &Call<'_>) -> Result<(), Error> {
    if call.guarded.only_reads() || !env::is_on(env::READ_ONLY) {
        return Ok(());
    }
    let config = Config::load(&root_module(call.guarded.line.chdir()));
    Err(refuse(call, config.ok().map(Context::new).as_ref(), READERS_ONLY))
}

/// Asks the configuration, too.
///
/// # Errors
/// The command is refused.
pub(super) fn ask(context: &Context, call: &Call<'_>) -> Result<(), Error> {
    if call.guarded.only_reads() || !context.config.guard.read_only {
        return Ok(());
    }
    Err(refuse(call, Some(context), READERS_ONLY))
}

/// Asks the files where nothing else of the configuration can be had.
///
/// # Errors
/// The command is refused, or a file is not to be understood.
pub(super) fn ask_files(call: &Call<'_>) -> Result<(), Error> {
    let guard = config::load_guard(&root_module(call.guarded.line.chdir()))?;
    if call.guarded.only_reads() || !guard.read_only {
        return Ok(());
    }
    Err(refuse(call, None, READERS_ONLY))
}

/// Refuses a plain `init` that would offer to move a state to a new backend: Terraform asks, and a "yes" is
/// enough (terraform-facts.md 3.1).
///
/// # Errors
/// The command is refused.
pub(super) fn ask_about_migration(
    context: &Context,
    call: &Call<'_>,
    setting: &Setting,
    has_state: bool,
) -> Result<(), Error> {
    if !(context.config.guard.read_only && setting.may_need_init && has_state) {
        return Ok(());
    }
    let found = "there is a state, and a backend in the configuration that it would be moved to";
    Err(refuse(call, Some(context), found))
}

/// The refusal of a command that is not known to only read; `what` says which, in words.
pub(crate) fn of(what: &str) -> Error {
    error(what, READERS_ONLY)
}

fn error(what: &str, found: &str) -> Error {
    Error::Refused { verb: what.to_owned(), refusals: vec![refusal(found)] }
}

fn refusal(found: &str) -> Refusal {
    Refusal::of(Guard::ReadOnly, found.to_owned())
}

/// Refuses, and records it where there is something to record and somewhere to.
fn refuse(call: &Call<'_>, context: Option<&Context>, found: &str) -> Error {
    let error = error(call.guarded.verb.words(), found);
    if let (Some(context), Error::Refused { refusals, .. }) = (context, &error) {
        // Recorded or not, the command does not run.
        let _ = record(context, call, refusals);
    }
    error
}

fn record(context: &Context, call: &Call<'_>, refusals: &[Refusal]) -> Result<(), Error> {
    let guarded = call.guarded;
    let setting = Setting::read(guarded.line.chdir())?;
    let Reach::States(locations) = setting.reach(guarded)? else { return Ok(()) };
    let real = RealBinary::find(call.called_as, call.depth)?;
    let chdir = guarded.line.chdir();
    let terraform = Terraform::new(real, call.depth.clone(), setting.directory.clone(), chdir);
    let verb = guarded.verb.words();
    let id = new_id()?;
    let (terraform, setting) = (&terraform, &setting);
    let record = Record { context, call, terraform, setting, verb, id: &id };
    for location in locations {
        if is_half_restored(context, &location) {
            continue;
        }
        let workspace = workspace_to_ask(guarded, &location, setting);
        let ask = || capture::read(&location, terraform, workspace.as_deref(), context.limits());
        let look = Look::take(context, &location, ask)?;
        let is_there = look.reading.status != Status::Absent;
        if is_there || !guarded.verb.needs_a_state_to_be_recorded() {
            record.refuse_unasked(State { location, workspace, look }, refusals)?;
        }
    }
    Ok(())
}

/// Whether what lies there is the work of a restore that was cut off: no state that anybody left.
fn is_half_restored(context: &Context, location: &Location) -> bool {
    let dir = context.history_for_reading(location).ok().flatten();
    let head = dir.and_then(|dir| dir.head().ok());
    head.is_some_and(|head| !head.intents.is_empty())
}
