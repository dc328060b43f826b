//! The rounds, one step after the other: what is run, with which words, and what stops it.
//!
//! Every step runs under one watch over the signals, so that nothing can end us between two of them and leave
//! a plan behind. The apply is a guarded command like any other. What may go on at the same time does: a plan
//! is read out while it is applied, which only reads it, too; a check must cost what its steps cost.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::check::report::{Step, StepName};
use crate::error::Error;
use crate::model::operation::OperationId;
use crate::model::plan::Plan;
use crate::model::state::{Lineage, Serial};
use crate::sys::scratch::Scratch;
use crate::terraform::arguments::{Arguments, Round, Variables};
use crate::terraform::plan::{self, Shown};
use crate::terraform::supervise::Supervisor;
use crate::terraform::{Limits, Terraform, TerraformError};

use super::super::Context;
use super::step::Care;
use super::{Approval, Audience, Extent, Request};

/// How long a plan may take to be read out where the check itself has no limit.
const SHOW_LIMIT: Duration = Duration::from_secs(600);
/// How long the values of a plan are waited for when the check has failed, only to mask the logs.
const LAST_WORDS: Duration = Duration::from_secs(20);
/// A plan may name every attribute several times; so many times the largest state it may be.
const SHOW_FACTOR: u64 = 8;

/// Why the rounds were not gone to their end.
pub(super) enum Stop {
    /// A step failed.
    Failed {
        /// Which.
        step: StepName,
        /// The first error, in one line.
        message: String,
        /// All that was said on stderr.
        said: String,
    },
    /// Something of ours failed, or somebody said no.
    Refused {
        /// Before which step.
        step: StepName,
        /// Why.
        error: Error,
    },
    /// The time was up.
    TimedOut {
        /// During which step.
        step: StepName,
    },
    /// A signal came.
    Interrupted {
        /// During which step.
        step: StepName,
        /// Its number.
        signal: i32,
        /// Whether another one came after it.
        came_again: bool,
    },
}

/// The plans that were made and read out.
#[derive(Default)]
pub(super) struct Plans {
    /// plan₀.
    pub(super) first: Option<Plan>,
    /// A, where it was not empty.
    pub(super) without_refresh: Option<Plan>,
    /// B.
    pub(super) again: Option<Plan>,
    /// C.
    pub(super) third: Option<Plan>,
}

impl Plans {
    /// The last plan that looked at what is really there.
    pub(super) fn last(&self) -> Option<&Plan> {
        self.third.as_ref().or(self.again.as_ref()).or(self.first.as_ref())
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Plan> {
        [&self.first, &self.without_refresh, &self.again, &self.third].into_iter().flatten()
    }
}

/// What a plan's exit status says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Planned {
    /// There is nothing to do.
    Nothing,
    /// There is something to do.
    Something,
}

/// A check that is going on.
pub(super) struct Rounds<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) context: &'a Context,
    pub(super) audience: &'a dyn Audience,
    pub(super) terraform: Terraform,
    pub(super) scratch: &'a Scratch,
    pub(super) supervisor: Supervisor,
    pub(super) words: Words,
    pub(super) began: Instant,
    pub(super) deadline: Option<Instant>,
    /// Whether a function of the configuration gives another value each second, so that two plans must not
    /// fall into the same one.
    pub(super) counts_seconds: bool,
    /// Whether even an empty plan has something to say: checks, required outputs, values to be masked.
    pub(super) reads_all: bool,
    pub(super) seen: Seen,
    /// A plan that is being read out.
    pub(super) pending: Option<(StepName, Shown)>,
}

/// What the rounds have brought to light.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) steps: Vec<Step>,
    /// What each step wrote to stdout, then to stderr; not masked.
    pub(super) logs: Vec<String>,
    pub(super) plans: Plans,
    /// Whether a plan after an apply had something to do.
    pub(super) has_found: bool,
    /// Whether the state is not the one that our own apply left.
    pub(super) moved_by_another: bool,
    /// The operation of the first apply.
    pub(super) operation: Option<OperationId>,
    /// What the last apply left.
    pub(super) left: Option<(Lineage, Serial)>,
}

impl Seen {
    /// Whether an apply was begun.
    pub(super) fn has_applied(&self) -> bool {
        self.steps.iter().any(|step| step.name == StepName::Apply)
    }

    /// Whether a signal killed a step.
    pub(super) fn was_killed(&self) -> bool {
        self.steps.iter().any(|step| step.signal.is_some())
    }

    /// Whether every plan after the apply was empty, and so was not even read out.
    pub(super) fn ended_empty(&self) -> bool {
        self.has_applied() && !self.has_found && self.plans.again.is_none()
    }
}

/// The user's arguments, for each command.
pub(super) struct Words {
    pub(super) plan: Arguments,
    pub(super) apply: Arguments,
    pub(super) destroy: Arguments,
    /// Whether an apply needs the variables again.
    pub(super) variables: Variables,
}

impl Rounds<'_> {
    /// Goes the rounds. What was learned is in `seen`, whatever stops them.
    pub(super) fn go(&mut self) -> Result<(), Stop> {
        let first = self.plan(StepName::FirstPlan, Round::First)?;
        let is_only = self.request.extent == Extent::PlanOnly;
        if first == Planned::Nothing || is_only {
            self.read_out()?;
            return if first == Planned::Something { self.plan_without_refresh() } else { Ok(()) };
        }
        if self.request.approval == Approval::ToBeAsked {
            self.read_out()?;
            self.ask()?;
        }
        self.apply(StepName::Apply, StepName::FirstPlan)?;
        self.wait_for_the_second()?;
        self.plan_without_refresh()?;
        self.settle(StepName::PlanAgain)?;
        self.plan(StepName::PlanAgain, Round::Later)?;
        self.read_out()?;
        if self.request.extent == Extent::Twice {
            self.apply(StepName::SecondApply, StepName::PlanAgain)?;
            self.settle(StepName::ThirdPlan)?;
            self.plan(StepName::ThirdPlan, Round::Later)?;
            self.read_out()?;
        }
        Ok(())
    }

    /// Destroys what was applied.
    pub(super) fn destroy(&mut self) -> Result<(), Stop> {
        // What is left behind costs money; the time of the check is not its time.
        self.deadline = None;
        let mut words = self.command(&["destroy", "-input=false", "-no-color", "-auto-approve"]);
        words.extend(self.words.destroy.for_destroy());
        self.step(StepName::Destroy, words, Care::Guarded).map(|_| ())
    }

    /// Waits, not long, for a plan that is still being read out, only so that its values can be masked.
    pub(super) fn last_words(&mut self) {
        let Some((step, shown)) = self.pending.take() else { return };
        let limits = || Limits { time: LAST_WORDS, ..self.limits(&|| false) };
        let read = |shown: Shown| Plan::parse(&shown.finish(limits()).ok()?).ok();
        // A key at the terminal may have ended it together with the step.
        let again = || {
            let answer = self.scratch.file("again.json");
            read(self.terraform.begin_show(&self.file_of(step), &answer).ok()?)
        };
        if let Some(plan) = read(shown).or_else(again) {
            self.seen.plans.keep(step, plan);
        }
    }

    fn plan_without_refresh(&mut self) -> Result<(), Stop> {
        let plan = &self.words.plan;
        // Terraform refuses the two together; and a refresh is all that such a plan would do.
        if plan.is_on("refresh-only") {
            return Ok(());
        }
        self.plan(StepName::PlanWithoutRefresh, Round::WithoutRefresh)?;
        if self.request.extent == Extent::PlanOnly { self.read_out() } else { Ok(()) }
    }

    /// Makes a plan and begins to read it out.
    ///
    /// Reading a plan out starts Terraform and every provider once more. An empty plan (its exit status says
    /// so: terraform-facts.md 8.2) is read only where it has something to say all the same.
    fn plan(&mut self, step: StepName, round: Round) -> Result<Planned, Stop> {
        let file = self.file_of(step);
        let mut words = self.command(&["plan", "-input=false", "-no-color", "-detailed-exitcode"]);
        let mut out = OsString::from("-out=");
        out.push(&file);
        words.push(out);
        if round == Round::WithoutRefresh {
            words.push("-refresh=false".into());
        }
        words.extend(self.words.plan.for_plan(round));
        let planned = match self.step(step, words, Care::Plain)? {
            0 => Planned::Nothing,
            _ => Planned::Something,
        };
        if let Some((lineage, serial)) = &self.seen.left {
            let is_ours = plan::state_of(&file).is_none_or(|(l, s)| l == *lineage && s == *serial);
            self.seen.moved_by_another |= !is_ours;
        }
        self.seen.has_found |= round != Round::First && planned == Planned::Something;
        let is_told = match round {
            Round::First => true,
            Round::WithoutRefresh => planned == Planned::Something,
            Round::Later => self.seen.has_found || self.seen.moved_by_another || self.reads_all,
        };
        if is_told {
            // One at a time: whoever is read out meanwhile came before.
            self.read_out()?;
            let failed = |error: TerraformError| self.unreadable(step, &error);
            let shown = self
                .terraform
                .begin_show(&file, &self.scratch.file(&format!("{}.json", step.word())));
            self.pending = Some((step, shown.map_err(failed)?));
        }
        Ok(planned)
    }

    /// Waits for the plan that is being read out, if there is one.
    fn read_out(&mut self) -> Result<(), Stop> {
        let Some((step, shown)) = self.pending.take() else { return Ok(()) };
        let give_up = || self.supervisor.interrupted().is_some();
        let document = shown.finish(self.limits(&give_up));
        self.stopped(step)?;
        let document = document.map_err(|error| self.unreadable(step, &error))?;
        let plan = Plan::parse(&document)
            .map_err(|error| self.failed(step, error.to_string(), String::new()))?;
        if let Some(made) = self.seen.steps.iter_mut().find(|made| made.name == step) {
            made.result = super::words_of(plan.counts(), plan.is_empty());
        }
        self.seen.plans.keep(step, plan);
        Ok(())
    }

    fn apply(&mut self, step: StepName, of: StepName) -> Result<(), Stop> {
        if self.scratch.is_full() {
            return Err(self.failed(step, String::new(), String::new()));
        }
        let mut words = self.command(&["apply", "-input=false", "-no-color"]);
        words.extend(self.words.apply.for_apply(self.words.variables));
        words.push(self.file_of(of).into_os_string());
        self.step(step, words, Care::Guarded).map(|_| ())
    }

    fn ask(&self) -> Result<(), Stop> {
        // Not the words of the step: they advise to apply a file that nobody else can reach.
        let plan = self.file_of(StepName::FirstPlan);
        let shown = self.terraform.tell_plan(&plan, self.audience.is_coloured());
        shown.map_err(|error| self.unreadable(StepName::FirstPlan, &error))?;
        let gives_up = || self.stopped(StepName::Apply).is_err();
        if self.audience.approves(self.request.destroy_after, &gives_up) {
            return Ok(());
        }
        self.stopped(StepName::Apply)?;
        let error = Error::Declined { what: "apply" };
        Err(Stop::Refused { step: StepName::Apply, error })
    }

    /// `plantimestamp()` in two plans of one second is the same: it would look idempotent.
    fn wait_for_the_second(&mut self) -> Result<(), Stop> {
        let next = self.began + Duration::from_secs(1);
        if self.counts_seconds && Instant::now() < next {
            return self.rest(next - Instant::now(), StepName::PlanWithoutRefresh);
        }
        Ok(())
    }

    fn settle(&mut self, before: StepName) -> Result<(), Stop> {
        match self.request.settle {
            Some(time) => self.rest(time, before),
            None => Ok(()),
        }
    }

    fn rest(&mut self, time: Duration, before: StepName) -> Result<(), Stop> {
        let end = Instant::now() + time;
        let until = self.deadline.map_or(end, |deadline| deadline.min(end));
        self.supervisor.rest(until, &|| {
            self.audience.rests(until.saturating_duration_since(Instant::now()));
        });
        self.audience.rested();
        self.stopped(before)
    }

    /// Whether a signal came or the time is up.
    pub(super) fn stopped(&self, step: StepName) -> Result<(), Stop> {
        if let Some(signal) = self.supervisor.interrupted() {
            let came_again = self.supervisor.was_interrupted_again();
            return Err(Stop::Interrupted { step, signal, came_again });
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Stop::TimedOut { step });
        }
        Ok(())
    }

    fn limits<'g>(&self, give_up: &'g dyn Fn() -> bool) -> Limits<'g> {
        let left = self.deadline.map(|d| d.saturating_duration_since(Instant::now()));
        let bytes = self.context.config.max_state_bytes.saturating_mul(SHOW_FACTOR);
        Limits { time: left.unwrap_or(SHOW_LIMIT), bytes, give_up }
    }

    fn command(&self, words: &[&str]) -> Vec<OsString> {
        let chdir = self.request.chdir.map(|directory| {
            let mut word = OsString::from("-chdir=");
            word.push(directory);
            word
        });
        chdir.into_iter().chain(words.iter().map(OsString::from)).collect()
    }

    /// A step has failed. Where the private directory is full, that is why, and Terraform could not even say so:
    /// its words go there, too.
    pub(super) fn failed(&self, step: StepName, message: String, said: String) -> Stop {
        if self.scratch.is_full() {
            let error = Error::NoRoom { path: self.scratch.parent().to_owned() };
            return Stop::Refused { step, error };
        }
        Stop::Failed { step, message, said }
    }

    fn unreadable(&self, step: StepName, error: &TerraformError) -> Stop {
        if !self.file_of(step).exists() {
            let message = "it made no plan: is -help or -version among the arguments?".to_owned();
            return self.failed(step, message, String::new());
        }
        let said = match error {
            TerraformError::Failed { stderr, .. } => stderr.clone(),
            _ => String::new(),
        };
        self.failed(step, error.to_string(), said)
    }

    fn file_of(&self, step: StepName) -> PathBuf {
        self.scratch.file(&format!("{}.tfplan", step.word()))
    }
}

impl Plans {
    fn keep(&mut self, step: StepName, plan: Plan) {
        let place = match step {
            StepName::FirstPlan => &mut self.first,
            StepName::PlanWithoutRefresh => &mut self.without_refresh,
            StepName::PlanAgain => &mut self.again,
            StepName::ThirdPlan => &mut self.third,
            StepName::Apply | StepName::SecondApply | StepName::Destroy => return,
        };
        *place = Some(plan);
    }
}
