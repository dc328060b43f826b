//! `tf shim check`: is the configuration idempotent, and if not, why?
//!
//! The rounds are in `rounds`, what the plans mean in the room `check`, and here one becomes the other:
//! whatever happens, the answer is a report, and the private directory that held the plans is gone when it is
//! given. What is easy to get wrong: a check that was stopped has a report, too, and its logs are masked with
//! what the plans it got so far call sensitive.

mod logs;
mod rounds;
mod step;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::check::accept;
use crate::check::classify::{self, FailOn, Mode, Rounds as Facts};
use crate::check::finding::Finding;
use crate::check::report::{CheckReport, Counts, End, Step, StepName, UnusedRule, Verdict};
use crate::check::source::Configuration;
use crate::config::{AcceptRule, repository_top};
use crate::error::{Caller, Error, status};
use crate::model::plan::Plan;
use crate::proxy::depth::Depth;
use crate::proxy::real::RealBinary;
use crate::sys::scratch::Scratch;
use crate::terraform::Terraform;
use crate::terraform::arguments::{Arguments, Variables};
use crate::terraform::locate::Setting;
use crate::terraform::sources::{self, Dialect, names_ephemeral};
use crate::terraform::supervise::Supervisor;

pub(crate) use self::logs::Log;
use self::logs::{Known, Masker};
use self::rounds::{Rounds, Seen, Stop, Words};
use super::guarded::Voice;
use super::{Clock, Context, root_module};

/// What is asked for.
pub(crate) struct Request<'a> {
    /// The name we were called by.
    pub(crate) called_as: &'a OsStr,
    /// What `-chdir=` names.
    pub(crate) chdir: Option<&'a OsStr>,
    /// The user's arguments for every plan.
    pub(crate) arguments: &'a [OsString],
    /// How far to go.
    pub(crate) extent: Extent,
    /// How long to wait before a plan that looks at what is really there.
    pub(crate) settle: Option<Duration>,
    /// How long everything may take.
    pub(crate) timeout: Option<Duration>,
    /// Whether to destroy what was applied.
    pub(crate) destroy_after: bool,
    /// What else counts.
    pub(crate) fail_on: FailOn,
    /// Rules for this run.
    pub(crate) accept: Vec<AcceptRule>,
    /// Whether the logs are wanted, so that everything that must be masked in them must be known.
    pub(crate) keeps_logs: bool,
    /// Whether the apply was agreed to.
    pub(crate) approval: Approval,
}

/// How far a check goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// It never applies.
    PlanOnly,
    /// One apply.
    Once,
    /// Two.
    Twice,
}

/// Whether somebody agreed to the apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    /// Yes.
    Given,
    /// There is somebody to be asked.
    ToBeAsked,
    /// There is nobody.
    Impossible,
}

/// Who is told while it runs, and asked.
pub(crate) trait Audience {
    /// A step begins.
    fn began(&self, step: StepName);
    /// It runs, for so long already; about once a second, and at once when a signal came.
    fn runs(&self, for_so_long: Duration, is_interrupted: bool);
    /// Nothing runs, for so long still, so that things may settle.
    fn rests(&self, for_so_long: Duration);
    /// That is over, or a step that began did not start.
    fn rested(&self);
    /// A step has ended.
    fn ended(&self, step: &Step);
    /// Whether the plan on the screen may be applied, and destroyed again. Where `gives_up` becomes true while
    /// it is asked, the answer is no.
    fn approves(&self, is_destroyed_after: bool, gives_up: &dyn Fn() -> bool) -> bool;
    /// Whether stderr shows colours.
    fn is_coloured(&self) -> bool;
    /// Who says what goes wrong beside the apply.
    fn voice(&self) -> &dyn Voice;
}

/// The answer.
pub(crate) struct Checked {
    /// What every report format shows.
    pub(crate) report: CheckReport,
    /// One log a step, masked.
    pub(crate) logs: Vec<Log>,
    /// Rules that would accept what is open.
    pub(crate) proposal: String,
    /// What went wrong on our side; no verdict was possible then.
    pub(crate) error: Option<Error>,
    /// What Terraform said on stderr when it failed, masked.
    pub(crate) said: Option<String>,
    /// The watch over signals, so that none ends us before the reports are written.
    watch: Option<Supervisor>,
}

impl Checked {
    /// Opens the door to signals again.
    pub(crate) fn release(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.release();
        }
    }
}

/// Goes the rounds and judges them. There is always a report, of what could be seen.
pub(crate) fn run(context: &Context, request: &Request<'_>, audience: &dyn Audience) -> Checked {
    let frame = Frame::of(context.clock, request);
    match Stage::set(request) {
        Ok(stage) => stage.play(context, request, audience, frame),
        Err(error) => frame.refused(error),
    }
}

/// The answer where not even the settings could be read.
pub(crate) fn refused(clock: Clock, request: &Request<'_>, error: Error) -> Checked {
    Frame::of(clock, request).refused(error)
}

/// Everything that has to be there before the first step.
struct Stage {
    terraform: Terraform,
    scratch: Scratch,
    supervisor: Supervisor,
    words: Words,
    configuration: Configuration,
}

impl Stage {
    fn set(request: &Request<'_>) -> Result<Self, Error> {
        if request.approval == Approval::Impossible && request.extent != Extent::PlanOnly {
            return Err(Error::NotConfirmed { what: "check" });
        }
        let setting = Setting::read(request.chdir)?;
        if !setting.directory.is_dir() {
            return Err(Error::NoDirectory { path: setting.directory });
        }
        let words = |command: &'static str| {
            let read = Arguments::of(command, request.arguments);
            read.map_err(|variable| Error::NotSplit { variable })
        };
        let (plan, apply, destroy) = (words("plan")?, words("apply")?, words("destroy")?);
        let depth = Depth::from_environment();
        let real = RealBinary::find(request.called_as, &depth)?;
        let parent = std::env::temp_dir();
        let scratch = Scratch::make(&parent)
            .map_err(|source| Error::WriteFile { path: parent.clone(), source })?;
        let no_signals = |source| Error::NoSignals { verb: "check", source };
        let supervisor = Supervisor::idle().map_err(no_signals)?;
        let modules = sources::read(&setting.directory, &setting.data, dialect(&real));
        let variables =
            if names_ephemeral(&modules) { Variables::Again } else { Variables::InThePlan };
        let words = Words { plan, apply, destroy, variables };
        let terraform = Terraform::new(real, depth, setting.directory, request.chdir);
        let configuration = Configuration::of(&modules);
        Ok(Self { terraform, scratch, supervisor, words, configuration })
    }

    fn play(
        self,
        context: &Context,
        request: &Request<'_>,
        audience: &dyn Audience,
        frame: Frame,
    ) -> Checked {
        let Self { terraform, scratch, supervisor, words, configuration } = self;
        let began = Instant::now();
        let (given, directory) = (words.plan.clone(), terraform.directory().to_owned());
        let mut notes = notes(&words.plan);
        let mut rounds = Rounds {
            request,
            context,
            audience,
            terraform,
            scratch: &scratch,
            supervisor,
            words,
            began,
            deadline: request.timeout.map(|timeout| began + timeout),
            counts_seconds: configuration.calls("plantimestamp"),
            reads_all: request.keeps_logs
                || request.extent == Extent::Twice
                || !context.config.check.outputs.is_empty()
                || configuration.declares_checks(),
            seen: Seen::default(),
            pending: None,
        };
        let mut stop = rounds.go().err();
        rounds.last_words();
        // Somebody who says no, or interrupts, wants nothing more to happen.
        let is_left = matches!(stop, Some(Stop::Interrupted { .. } | Stop::Refused { .. }));
        if request.destroy_after && is_left {
            let left =
                "--destroy-after was not carried out: `terraform destroy` destroys what is there";
            notes.push(left.to_owned());
        } else if request.destroy_after {
            let destroyed = rounds.destroy().err();
            if stop.is_some() && destroyed.is_some() {
                notes.push("--destroy-after failed, too: what is there is still there".to_owned());
            }
            stop = stop.or(destroyed);
        }
        let Rounds { seen, supervisor, .. } = rounds;
        let judged = Judged::of(&seen, &configuration, request, context);
        notes.extend(incomplete(&seen));
        let known = Known { directory: &directory, configuration: &configuration };
        let masker = Masker::of(&seen, &given, &known);
        drop(scratch);
        let frame = Frame { is_limited: given.has("target"), ..frame };
        let checked = frame.answer(seen, judged, stop, &masker, notes);
        Checked { watch: Some(supervisor), ..checked }
    }
}

/// The findings, with the rules applied.
#[derive(Default)]
struct Judged {
    findings: Vec<Finding>,
    unused_rules: Vec<UnusedRule>,
    verdict: Option<Verdict>,
}

impl Judged {
    fn of(
        seen: &Seen,
        configuration: &Configuration,
        request: &Request<'_>,
        context: &Context,
    ) -> Self {
        let Some(first) = &seen.plans.first else { return Self::default() };
        let config = &context.config.check;
        let mode = if request.extent == Extent::PlanOnly { Mode::PlanOnly } else { Mode::Applied };
        let facts = Facts {
            first,
            without_refresh: seen.plans.without_refresh.as_ref(),
            again: seen.plans.again.as_ref(),
            third: seen.plans.third.as_ref(),
            mode,
            moved_by_another: seen.moved_by_another,
            required_outputs: &config.outputs,
        };
        let mut findings = if seen.ended_empty() {
            Vec::new()
        } else {
            classify::classify(&facts, configuration, request.fail_on)
        };
        let rules: Vec<AcceptRule> = config.accept.iter().chain(&request.accept).cloned().collect();
        let today = context.clock.now().date_naive();
        let unused_rules = accept::apply(&mut findings, &rules, today);
        let verdict = Some(classify::verdict(&findings));
        Self { findings, unused_rules, verdict }
    }
}

/// What is known of the check before it begins.
struct Frame {
    directory: PathBuf,
    base: PathBuf,
    workspace: String,
    program: String,
    is_plan_only: bool,
    /// Whether `-target` limits the plans.
    is_limited: bool,
    began: DateTime<Utc>,
    start: Instant,
}

impl Frame {
    fn of(clock: Clock, request: &Request<'_>) -> Self {
        let root = root_module(request.chdir);
        let directory = root.canonicalize().unwrap_or(root);
        let here = std::env::current_dir().unwrap_or_default();
        let base = repository_top(&directory).map_or(here, Path::to_owned);
        let setting = Setting::read(request.chdir).ok();
        let workspace = setting.map_or_else(String::new, |setting| setting.workspace);
        let depth = Depth::from_environment();
        let real = RealBinary::find(request.called_as, &depth);
        let program = real.map_or("terraform", |real| real.name()).to_owned();
        let is_plan_only = request.extent == Extent::PlanOnly;
        let (began, start) = (clock.now(), Instant::now());
        Self { directory, base, workspace, program, is_plan_only, is_limited: false, began, start }
    }

    fn refused(&self, error: Error) -> Checked {
        let stop = Stop::Refused { step: StepName::FirstPlan, error };
        self.answer(Seen::default(), Judged::default(), Some(stop), &Masker::default(), Vec::new())
    }

    fn answer(
        &self,
        seen: Seen,
        judged: Judged,
        stop: Option<Stop>,
        masker: &Masker,
        notes: Vec<String>,
    ) -> Checked {
        let (last, ended_empty) = (seen.plans.last(), seen.ended_empty());
        let resources = if ended_empty { Plan::kept_addresses } else { Plan::managed_addresses };
        let (end, error, said) = end_of(stop, &seen, masker);
        let is_whole = matches!(end, End::Complete | End::CleanAtOnce);
        let resources = last.map(resources).unwrap_or_default();
        let verdict = match judged.verdict.filter(|_| is_whole) {
            None => Verdict::Error,
            // A name that is mistyped limits the plans to nothing.
            Some(Verdict::Idempotent) if resources.is_empty() && self.is_limited => {
                Verdict::Inconclusive
            }
            Some(verdict) => verdict,
        };
        let proposal = accept::propose(&judged.findings);
        let mut steps = seen.steps;
        let logs = logs::masked(&seen.logs, &mut steps, masker);
        let report = CheckReport {
            verdict,
            end,
            is_plan_only: self.is_plan_only,
            directory: self.directory.clone(),
            base: self.base.clone(),
            workspace: self.workspace.clone(),
            program: self.program.clone(),
            program_version: last.and_then(|plan| plan.terraform_version.clone()),
            began: self.began,
            took: self.start.elapsed(),
            steps,
            findings: judged.findings,
            unused_rules: judged.unused_rules,
            notes,
            resources,
            counts: last.filter(|_| !ended_empty).map(Plan::counts).unwrap_or_default(),
            operation: seen.operation.map(|id| id.short().to_owned()),
        };
        Checked { report, logs, proposal, error, said, watch: None }
    }
}

/// How it ended, for the report, for our own exit, and what Terraform said about it.
fn end_of(
    stop: Option<Stop>,
    seen: &Seen,
    masker: &Masker,
) -> (End, Option<Error>, Option<String>) {
    match stop {
        None => {
            let is_clean = seen.plans.first.as_ref().is_some_and(Plan::is_empty);
            let is_clean = is_clean && !seen.has_applied();
            (if is_clean { End::CleanAtOnce } else { End::Complete }, None, None)
        }
        Some(Stop::Failed { step, message, said }) => {
            let message = masker.mask(&message);
            (End::Failed { step, message }, None, Some(masker.mask(&said)))
        }
        Some(Stop::Refused { step, error }) => {
            let message = masker.mask(&error.to_string());
            if seen.steps.iter().any(|begun| begun.name == step) {
                return (End::Failed { step, message }, Some(error), None);
            }
            let (hints, status) = (error.hints(), exit_status(&error));
            (End::NotStarted { step, message, hints, status }, Some(error), None)
        }
        Some(Stop::TimedOut { step }) => (End::TimedOut { step }, None, None),
        Some(Stop::Interrupted { step, signal, came_again }) => {
            let is_cut_off = came_again || seen.was_killed();
            (End::Interrupted { step, signal, is_cut_off }, None, None)
        }
    }
}

/// Our status for a failure of ours: without a verdict it is never 1.
fn exit_status(error: &Error) -> u8 {
    match error.exit_status(Caller::Shim) {
        status::FAILED => status::NO_VERDICT,
        status => status,
    }
}

/// What must be known of the arguments to read the verdict rightly.
fn notes(plan: &Arguments) -> Vec<String> {
    let told = [
        (plan.has("out"), "-out was left out: the check keeps its plans to itself"),
        (
            plan.has("replace"),
            "-replace went to the first plan only: a forced replacement is never gone",
        ),
        (
            plan.has("target"),
            "the plans are limited by -target: what it leaves out was not checked",
        ),
        (
            plan.has("exclude"),
            "the plans are limited by -exclude: what it leaves out was not checked",
        ),
        (plan.is_off("refresh"), "with -refresh=false nothing was read back from the provider"),
        (
            plan.is_on("refresh-only"),
            "with -refresh-only only the state was checked, not the configuration",
        ),
    ];
    told.into_iter().filter(|(is_so, _)| *is_so).map(|(_, note)| note.to_owned()).collect()
}

/// What the last plan left out, and not because the user wanted it.
fn incomplete(seen: &Seen) -> Option<String> {
    let plan = seen.plans.last().filter(|plan| !plan.deferred.is_empty())?;
    Some(format!("Terraform put these off, so they were not checked: {}", plan.deferred.join(", ")))
}

/// Which files count.
fn dialect(real: &RealBinary) -> Dialect {
    if real.name() == "tofu" { Dialect::OpenTofu } else { Dialect::Terraform }
}

/// What a plan would do, in Terraform's words.
fn words_of(counts: Counts, is_empty: bool) -> String {
    if is_empty {
        return "no changes".to_owned();
    }
    let Counts { create, update, delete } = counts;
    format!("{create} to add, {update} to change, {delete} to destroy")
}
