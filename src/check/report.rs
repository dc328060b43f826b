//! The answer of `tf shim check`, whole, as every report format shows it.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

use super::finding::{Finding, Site};
pub(crate) use crate::model::plan::Counts;

/// What the check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A second plan is empty, accepted differences aside.
    Idempotent,
    /// It is not.
    NotIdempotent,
    /// Somebody else's change hides the answer.
    Inconclusive,
    /// The rounds could not be gone to their end.
    Error,
}

impl Verdict {
    /// The word of the interface, as in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Idempotent => "idempotent",
            Self::NotIdempotent => "not-idempotent",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
        }
    }
}

/// How the rounds ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All of them were gone.
    Complete,
    /// The first plan was empty, so that nothing had to be applied.
    CleanAtOnce,
    /// A step failed; its first error, in one line.
    Failed {
        /// Which.
        step: StepName,
        /// What Terraform, or we, said. No values.
        message: String,
    },
    /// The time was up during a step.
    TimedOut {
        /// Which.
        step: StepName,
    },
    /// A signal ended it during a step.
    Interrupted {
        /// Which.
        step: StepName,
        /// The signal's number.
        signal: i32,
        /// Whether Terraform may not have written down what it had done: a second signal came, or one killed it.
        is_cut_off: bool,
    },
    /// A step was refused, or something of ours failed before it: it was not started.
    NotStarted {
        /// Which.
        step: StepName,
        /// Why. No values.
        message: String,
        /// What to do now, in the imperative.
        hints: Vec<String>,
        /// The exit status.
        status: u8,
    },
}

impl End {
    /// The word of the JSON report.
    pub(crate) const fn how(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::CleanAtOnce => "clean-at-once",
            Self::Failed { .. } => "failed",
            Self::TimedOut { .. } => "timed-out",
            Self::Interrupted { .. } => "interrupted",
            Self::NotStarted { .. } => "not-started",
        }
    }

    /// The step at which it ended; none where all were gone.
    pub(crate) const fn step(&self) -> Option<StepName> {
        match self {
            Self::Complete | Self::CleanAtOnce => None,
            Self::Failed { step, .. }
            | Self::TimedOut { step }
            | Self::Interrupted { step, .. }
            | Self::NotStarted { step, .. } => Some(*step),
        }
    }
}

/// A step of the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StepName {
    /// plan₀: what an apply would do.
    FirstPlan,
    /// The apply.
    Apply,
    /// A: the plan without a refresh.
    PlanWithoutRefresh,
    /// B: the plan with a refresh.
    PlanAgain,
    /// The second apply.
    SecondApply,
    /// C: the plan after the second apply.
    ThirdPlan,
    /// The destroy at the end.
    Destroy,
}

impl StepName {
    /// All of them, in the order in which they are gone.
    pub(crate) const ALL: [Self; 7] = [
        Self::FirstPlan,
        Self::Apply,
        Self::PlanWithoutRefresh,
        Self::PlanAgain,
        Self::SecondApply,
        Self::ThirdPlan,
        Self::Destroy,
    ];

    /// The word in JSON, and in the names of log files.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::FirstPlan => "plan0",
            Self::Apply => "apply",
            Self::PlanWithoutRefresh => "A",
            Self::PlanAgain => "B",
            Self::SecondApply => "apply2",
            Self::ThirdPlan => "C",
            Self::Destroy => "destroy",
        }
    }

    /// What it is, for a person.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::FirstPlan => "plan",
            Self::Apply => "apply",
            Self::PlanWithoutRefresh => "plan again, without refresh",
            Self::PlanAgain => "plan again",
            Self::SecondApply => "apply again",
            Self::ThirdPlan => "plan a third time",
            Self::Destroy => "destroy",
        }
    }
}

/// One step as it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Which.
    pub(crate) name: StepName,
    /// The command line, with the values of variables left out.
    pub(crate) argv: Vec<String>,
    /// Its exit status; none where a signal ended it.
    pub(crate) exit: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// When it began. UTC.
    pub(crate) began: DateTime<Utc>,
    /// How long it took.
    pub(crate) took: Duration,
    /// What came of it, in a few words: `2 to add, 0 to change, 0 to destroy`.
    pub(crate) result: String,
    /// The name of its log in the evidence directory.
    pub(crate) log: Option<String>,
}

/// A rule that matched nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnusedRule {
    /// Its pattern.
    pub(crate) address: String,
    /// Its path.
    pub(crate) path: Option<String>,
    /// Its reason.
    pub(crate) reason: String,
    /// Its last day.
    pub(crate) expires: Option<NaiveDate>,
    /// Where it stands; none where it was given as a flag.
    pub(crate) site: Option<Site>,
}

/// Everything there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckReport {
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// How the rounds ended.
    pub(crate) end: End,
    /// Whether nothing was applied because nothing was meant to be (`--plan-only`).
    pub(crate) is_plan_only: bool,
    /// The root module, absolute.
    pub(crate) directory: PathBuf,
    /// What files are named relative to in reports: the top of the repository, else where we were called.
    pub(crate) base: PathBuf,
    /// The workspace.
    pub(crate) workspace: String,
    /// The real binary's name: `terraform` or `tofu`.
    pub(crate) program: String,
    /// Its version, where a plan told it.
    pub(crate) program_version: Option<String>,
    /// When it began. UTC.
    pub(crate) began: DateTime<Utc>,
    /// How long it took.
    pub(crate) took: Duration,
    /// The steps, in order.
    pub(crate) steps: Vec<Step>,
    /// The findings, the gravest class first, then by address.
    pub(crate) findings: Vec<Finding>,
    /// Rules that matched nothing.
    pub(crate) unused_rules: Vec<UnusedRule>,
    /// What else has to be said, in sentences: a plan limited by `-target`, an argument left out.
    pub(crate) notes: Vec<String>,
    /// The addresses that were looked at: managed resource instances of the last plan.
    pub(crate) resources: Vec<String>,
    /// What the last plan would do.
    pub(crate) counts: Counts,
    /// The operation of the apply in the history, where one was recorded.
    pub(crate) operation: Option<String>,
}

impl CheckReport {
    /// Findings that stand against the configuration.
    pub(crate) fn failing(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.fails())
    }

    /// Findings that a rule accepts.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.accepted.is_some())
    }
}
