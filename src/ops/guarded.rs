//! The guarded command, start to end: save, run, save, record, and end as Terraform ended.
//!
//! The order is the promise. Before Terraform starts, the bytes and the record are on the disk, or it is not
//! started. After it, its exit status stands whatever happens to us. No lock of ours is held while it
//! runs, only the marker that says that it does.

use std::ffi::{OsStr, OsString};

use nix::unistd::Pid;

use crate::config::{Config, OnError};
use crate::error::Error;
use crate::model::operation::{Image, OperationId, Outcome, Status};
use crate::proxy::depth::Depth;
use crate::proxy::real::RealBinary;
use crate::proxy::{Guarded, Verb};
use crate::sys::spawn::Ending;
use crate::terraform::Terraform;
use crate::terraform::locate::{Location, Place, Reach, Setting};
use crate::terraform::read::is_sure_stop;
use crate::terraform::supervise::{Manner, Preparation, Supervisor};

use super::protected::{Answer, Deletion, Done, Protected, Question, may_be_judged};
use super::record::{Begun, Record, State, note_child};
use super::report::{RunReport, StateName};
use super::resume::Look;
use super::{Context, capture, new_id, read_only, root_module};

/// A guarded command as it was called.
pub(crate) struct Call<'a> {
    /// What it is.
    pub(crate) guarded: &'a Guarded,
    /// The name we were called by.
    pub(crate) called_as: &'a OsStr,
    /// The arguments as they came.
    pub(crate) arguments: &'a [OsString],
    /// What the shims above have learned.
    pub(crate) depth: &'a Depth,
    /// What the record shall say beside it.
    pub(crate) note: Option<&'static str>,
}

/// What is left to do.
pub(crate) enum Verdict {
    /// Become Terraform: there is nothing to save, or it is sure to stop by itself.
    HandOver,
    /// It ran; end as it did.
    Ended(Ending),
}

/// Who tells the user.
pub(crate) trait Voice {
    /// The state was saved; Terraform starts now.
    fn saved(&self, verb: &str, states: &[Image]);
    /// Terraform has ended and the state is saved again.
    fn ended(&self, reports: &[(StateName, RunReport)]);
    /// Something failed after the command has ended.
    fn failed(&self, error: &Error);
    /// The state cannot be saved, and the command runs all the same, as the user wants it.
    fn excused(&self, verb: &str, error: &Error);
    /// Asks what Terraform would ask before an apply. Where `gives_up` becomes true meanwhile, nothing is
    /// answered.
    fn approves(&self, question: &Question<'_>, gives_up: &dyn Fn() -> bool) -> Answer;
    /// Whether a person is there who can be asked more than that.
    fn has_person(&self) -> bool;
    /// Has a person confirm a deletion by typing the workspace's name.
    fn confirms(&self, deletion: &Deletion<'_>, gives_up: &dyn Fn() -> bool) -> bool;
}

/// Runs a guarded command.
///
/// # Errors
/// Terraform was not started: the state or the store could not be read or written, and nothing says to
/// go on without.
pub(crate) fn run(call: &Call<'_>, voice: &dyn Voice) -> Result<Verdict, Error> {
    read_only::ask_environment(call)?;
    let real = RealBinary::find(call.called_as, call.depth)?;
    let chdir = call.guarded.line.chdir();
    let config = match Config::load(&root_module(chdir)) {
        Err(error)
            if error.is_about_the_store() && OnError::of_environment() == OnError::Continue =>
        {
            read_only::ask_files(call)?;
            voice.excused(call.guarded.verb.words(), &error.into());
            let context = Context::new(Config::load_without_store(&root_module(chdir))?);
            return run_unsaved_alone(&context, call, real, voice);
        }
        config => config?,
    };
    let context = Context::new(config);
    let verb = call.guarded.verb.words();
    let no_signals = |source| Error::NoSignals { verb, source };
    read_only::ask(&context, call)?;
    match Run::prepare(&context, call, real.clone()) {
        Ok(Some((run, preparation))) => {
            let mut supervisor = preparation.watch().map_err(no_signals)?;
            let verdict = run.carry_out(&mut supervisor, Manner::INVISIBLE, voice);
            supervisor.release();
            verdict
        }
        Ok(None) => Ok(Verdict::HandOver),
        Err(error) => {
            excuse(&context, verb, error, voice)?;
            run_unsaved_alone(&context, call, real, voice)
        }
    }
}

/// As [`run_unsaved`], under a watch of its own.
fn run_unsaved_alone(
    context: &Context,
    call: &Call<'_>,
    real: RealBinary,
    voice: &dyn Voice,
) -> Result<Verdict, Error> {
    if !may_be_judged(context, call.guarded) {
        return Ok(Verdict::HandOver);
    }
    let verb = call.guarded.verb.words();
    let watched = Supervisor::idle().map_err(|source| Error::NoSignals { verb, source });
    let mut supervisor = watched?;
    let watched = (&mut supervisor, Manner::INVISIBLE);
    let verdict = run_unsaved(context, call, real, watched, voice);
    supervisor.release();
    verdict
}

/// Runs a guarded command as one step of several, under a watch that goes on.
///
/// # Errors
/// As [`run`].
pub(super) fn run_step(
    context: &Context,
    call: &Call<'_>,
    real: RealBinary,
    (supervisor, manner): (&mut Supervisor, Manner<'_>),
    voice: &dyn Voice,
) -> Result<Verdict, Error> {
    read_only::ask(context, call)?;
    match Run::prepare(context, call, real.clone()) {
        Ok(Some((run, preparation))) => {
            supervisor.adopt(preparation);
            run.carry_out(supervisor, manner, voice)
        }
        Ok(None) => Ok(Verdict::HandOver),
        Err(error) => {
            excuse(context, call.guarded.verb.words(), error, voice)?;
            run_unsaved(context, call, real, (supervisor, manner), voice)
        }
    }
}

/// Runs a command whose state could not be saved. What is protected is protected all the same.
fn run_unsaved(
    context: &Context,
    call: &Call<'_>,
    real: RealBinary,
    (supervisor, manner): (&mut Supervisor, Manner<'_>),
    voice: &dyn Voice,
) -> Result<Verdict, Error> {
    if !may_be_judged(context, call.guarded) {
        return Ok(Verdict::HandOver);
    }
    let verb = call.guarded.verb.words();
    let chdir = call.guarded.line.chdir();
    let setting = Setting::read(chdir).map_err(|source| Error::NotRead { verb, source })?;
    let terraform = Terraform::new(real, call.depth.clone(), setting.directory.clone(), chdir);
    let Some(protected) = Protected::of(context, call, (&terraform, &setting), voice) else {
        return Ok(Verdict::HandOver);
    };
    protected.run(supervisor, manner, &|_| ()).map(|done| Verdict::Ended(done.ending))
}

/// Whether `TF_SHIM_ON_ERROR=continue` lets the command run without a snapshot.
fn is_excused(context: &Context, error: &Error) -> bool {
    let is_about_saving = matches!(error, Error::NotRead { .. } | Error::NotSaved { .. });
    is_about_saving && context.config.on_error == OnError::Continue
}

/// A guarded command whose states have been read.
struct Run<'a> {
    context: &'a Context,
    call: &'a Call<'a>,
    terraform: Terraform,
    setting: Setting,
    verb: &'static str,
    id: OperationId,
    states: Vec<State>,
}

impl<'a> Run<'a> {
    /// Finds and reads every state that the command will touch; none where Terraform can as well be called
    /// directly.
    fn prepare(
        context: &'a Context,
        call: &'a Call<'a>,
        real: RealBinary,
    ) -> Result<Option<(Self, Preparation)>, Error> {
        let verb = call.guarded.verb.words();
        let not_read = |source| Error::NotRead { verb, source };
        let chdir = call.guarded.line.chdir();
        if !root_module(chdir).is_dir() {
            return Ok(None);
        }
        let setting = Setting::read(chdir).map_err(not_read)?;
        let locations = match setting.reach(call.guarded).map_err(not_read)? {
            Reach::States(locations) => locations,
            Reach::Nothing | Reach::Stops => return Ok(None),
        };
        let terraform = Terraform::new(real, call.depth.clone(), setting.directory.clone(), chdir);
        if setting.may_need_init && call.guarded.verb != Verb::Init {
            let answer = terraform.ask_for(&["state", "pull"], &[], None, context.limits());
            if answer.as_ref().err().is_some_and(is_sure_stop) {
                return Ok(None);
            }
        }
        let mut states = Vec::new();
        for location in locations {
            let workspace = workspace_to_ask(call.guarded, &location, &setting);
            let ask =
                || capture::read(&location, &terraform, workspace.as_deref(), context.limits());
            match Look::take(context, &location, ask) {
                Ok(look) => states.push(State { location, workspace, look }),
                Err(error) if is_sure_stop(&error) => return Ok(None),
                Err(_) if is_no_workspace(workspace.as_deref(), &terraform, context) => {
                    return Ok(None);
                }
                // A remote that cannot be asked is what `init` is there to mend, and what it migrates
                // from stays where it is.
                Err(_) if is_init_of_remote(call.guarded.verb, &location) => {}
                Err(error) => return Err(not_read(error)),
            }
        }
        let is_there = |state: &State| state.look.reading.status != Status::Absent;
        read_only::ask_about_migration(context, call, &setting, states.iter().any(is_there))?;
        if call.guarded.verb.needs_a_state_to_be_recorded() {
            states.retain(is_there);
        }
        if states.is_empty() {
            return Ok(None);
        }
        let argv0 = terraform.real().argv0(call.called_as).to_owned();
        let argv = std::iter::once(argv0).chain(call.arguments.iter().cloned()).collect();
        let (id, preparation) = (new_id()?, Preparation::begin(argv));
        Ok(Some((Self { context, call, terraform, setting, verb, id, states }, preparation)))
    }

    /// Saves, runs, saves.
    fn carry_out(
        self,
        supervisor: &mut Supervisor,
        manner: Manner<'_>,
        voice: &dyn Voice,
    ) -> Result<Verdict, Error> {
        let Self { context, call, terraform, setting, verb, id, states } = self;
        let (terraform, setting) = (&terraform, &setting);
        let record = Record { context, call, terraform, setting, verb, id: &id };
        let protected = Protected::of(context, call, (terraform, setting), voice);
        let mut begun = Vec::new();
        for state in states {
            match record.begin(state) {
                Ok(state) => begun.push(state),
                Err(error) => {
                    // What was begun will not run, and says so.
                    let is_refused = matches!(error, Error::Refused { .. });
                    let outcome = if is_refused { Outcome::Refused } else { Outcome::Failed };
                    record.abandon(&begun, outcome, None);
                    let verdict = excuse(context, verb, error, voice)?;
                    let Some(protected) = protected else { return Ok(verdict) };
                    let done = protected.run(supervisor, manner, &|_| ())?;
                    return Ok(Verdict::Ended(done.ending));
                }
            }
        }
        let images: Vec<Image> = begun.iter().map(|state| state.before.clone()).collect();
        voice.saved(verb, &images);
        if let Some(signal) = supervisor.ended_before_start() {
            record.abandon(&begun, Outcome::Killed, Some(signal));
            return Ok(Verdict::Ended(Ending::Signalled(signal)));
        }
        let note_child = |child: Pid| note_child(&begun, child);
        let run = if let Some(protected) = protected {
            protected.run(supervisor, manner, &note_child)
        } else {
            let guards = Some(call.guarded.fingerprint);
            let ending = supervisor.run(terraform, guards, manner, note_child);
            ending.map(Done::unjudged).map_err(Error::from)
        };
        let run = run.inspect_err(|error| record.give_up(&begun, error))?;
        let Done { ending, notes, outlook } = run;
        for state in &mut begun {
            state.watch.foresee(outlook);
        }
        let end = |state: &Begun| record.end(state, (ending, &notes), supervisor, voice);
        let ended = begun.iter().filter_map(end);
        let reports: Vec<(StateName, RunReport)> = ended.collect();
        drop(begun);
        voice.ended(&reports);
        record.follow_migration(setting, voice);
        Ok(Verdict::Ended(ending))
    }
}

/// Lets an error pass where the user said so.
fn excuse(
    context: &Context,
    verb: &str,
    error: Error,
    voice: &dyn Voice,
) -> Result<Verdict, Error> {
    if is_excused(context, &error) {
        voice.excused(verb, &error);
        return Ok(Verdict::HandOver);
    }
    Err(error)
}

/// `workspace delete NAME` is about another workspace than the selected one.
pub(super) fn workspace_to_ask(
    guarded: &Guarded,
    location: &Location,
    setting: &Setting,
) -> Option<String> {
    let workspace = &location.identity.workspace;
    let is_other = guarded.verb == Verb::WorkspaceDelete && *workspace != setting.workspace;
    (location.place == Place::Remote && is_other).then(|| workspace.clone())
}

/// Whether a workspace that is to be deleted is none: Terraform says so itself. Asked only where its state
/// could not be read, because the name may be one that `TF_WORKSPACE` cannot have.
fn is_no_workspace(name: Option<&str>, terraform: &Terraform, context: &Context) -> bool {
    let Some(name) = name else { return false };
    match terraform.ask_for(&["workspace", "list"], &[], None, context.limits()) {
        // The selected one is marked with a star (Terraform 1.11.4).
        Ok(list) => {
            let list = String::from_utf8_lossy(&list);
            !list.lines().any(|line| line.trim_start_matches([' ', '*']) == name)
        }
        Err(error) => is_sure_stop(&error),
    }
}

fn is_init_of_remote(verb: Verb, location: &Location) -> bool {
    verb == Verb::Init && location.place == Place::Remote
}
