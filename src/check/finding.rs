//! What a check found: one difference that an apply leaves behind, without any value.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::model::plan::Action;

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// Replaced on every apply.
    Replace,
    /// Updated on every apply.
    Update,
    /// Still to be created after an apply.
    Create,
    /// Still to be deleted after an apply.
    Delete,
    /// Differs only after a refresh, on a resource that the apply touched.
    Normalised,
    /// Different in every round.
    Oscillating,
    /// Gone after a second apply.
    SecondApply,
    /// A `moved` block that is still pending.
    Moved,
    /// An `import` block that is still pending.
    Import,
    /// A `removed` block that is still pending.
    Forget,
    /// What is deployed is not what the configuration says; without an apply.
    Pending,
    /// Somebody else changed it.
    Drift,
    /// Only an output differs.
    Output,
    /// A `check` block fails.
    Check,
    /// A required output is missing, unknown or null.
    MissingOutput,
    /// An accept rule is past its date.
    Expired,
}

impl Class {
    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Self; 16] = [
        Self::Replace,
        Self::Delete,
        Self::Create,
        Self::Update,
        Self::Normalised,
        Self::Oscillating,
        Self::SecondApply,
        Self::Moved,
        Self::Import,
        Self::Forget,
        Self::Pending,
        Self::Drift,
        Self::MissingOutput,
        Self::Output,
        Self::Check,
        Self::Expired,
    ];

    /// The word of the interface, as in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Update => "update",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Normalised => "normalised",
            Self::Oscillating => "oscillating",
            Self::SecondApply => "second-apply",
            Self::Moved => "moved",
            Self::Import => "import",
            Self::Forget => "forget",
            Self::Pending => "pending",
            Self::Drift => "drift",
            Self::Output => "output",
            Self::Check => "check",
            Self::MissingOutput => "missing-output",
            Self::Expired => "expired",
        }
    }

    /// What it means, as a clause that follows an address.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Replace => "is replaced on every apply",
            Self::Update => "is updated on every apply",
            Self::Create => "is still to be created after an apply",
            Self::Delete => "is still to be deleted after an apply",
            Self::Normalised => "is not what was written once it is read back",
            Self::Oscillating => "is different in every round",
            Self::SecondApply => "settles only with a second apply",
            Self::Moved => "is still to be moved",
            Self::Import => "is still to be imported",
            Self::Forget => "is still to be removed from the state",
            Self::Pending => "is not deployed as the configuration says",
            Self::Drift => "was changed by somebody else",
            Self::Output => "is an output that changes on every apply",
            Self::Check => "is a check that fails",
            Self::MissingOutput => "is a required output that has no value",
            Self::Expired => "is a rule that has expired",
        }
    }
}

/// How much a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// The configuration is not idempotent.
    Fails,
    /// Nothing can be said about the configuration.
    NoVerdict,
    /// It is only told.
    Told,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What kind.
    pub(crate) class: Class,
    /// Where: a resource's address, `output.NAME`, `check.NAME`, a rule's pattern; empty for the state as
    /// a whole.
    pub(crate) address: String,
    /// The attributes that differ, as `tags["Name"]` or `rule[0].port`; sorted. None for the whole resource.
    pub(crate) paths: Vec<String>,
    /// What Terraform would do.
    pub(crate) actions: Vec<Action>,
    /// The likely cause.
    pub(crate) cause: Cause,
    /// The rule that accepts it.
    pub(crate) accepted: Option<Acceptance>,
    /// Where it is declared.
    pub(crate) site: Option<Site>,
    /// How much it counts where it is not accepted.
    pub(crate) weight: Weight,
}

impl Finding {
    /// Whether it stands against the configuration.
    pub(crate) fn fails(&self) -> bool {
        self.accepted.is_none() && self.weight == Weight::Fails
    }

    /// Whether it keeps us from a verdict.
    pub(crate) fn hides_the_verdict(&self) -> bool {
        self.accepted.is_none() && self.weight == Weight::NoVerdict
    }
}

/// Why it differs, as far as it can be told, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// A word for scripts.
    pub(crate) kind: CauseKind,
    /// What happens, in a sentence without a value.
    pub(crate) text: String,
    /// What to do, in the imperative.
    pub(crate) hint: String,
}

/// The causes that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum CauseKind {
    /// A function of time or chance.
    Function,
    /// An unordered list.
    Order,
    /// The provider rewrites JSON.
    Json,
    /// The provider rewrites white space.
    WhiteSpace,
    /// The provider rewrites case.
    Case,
    /// The provider rewrites a number, a slash, an empty value: the same thing in other words.
    Spelling,
    /// The provider fills in a value that the configuration does not name.
    Default,
    /// The provider does not keep the value.
    Dropped,
    /// Two resources undo each other.
    Rival,
    /// A missing `depends_on`.
    DependsOn,
    /// It follows from what another resource does.
    Upstream,
    /// The value is another one at every read.
    Restless,
    /// The object is gone once it is read back.
    Vanished,
    /// A resource that the last apply left tainted.
    Tainted,
    /// `replace_triggered_by` or `triggers_replace`.
    Trigger,
    /// An old object that could not be deleted.
    Deposed,
    /// Somebody else's change.
    Elsewhere,
    /// The configuration says something else.
    Configuration,
    /// A rule or setting of the check itself.
    Rule,
    /// It cannot be told.
    Unknown,
}

impl CauseKind {
    /// All of them, for the published schema.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 20] = [
        Self::Function,
        Self::Order,
        Self::Json,
        Self::WhiteSpace,
        Self::Case,
        Self::Spelling,
        Self::Default,
        Self::Dropped,
        Self::Rival,
        Self::DependsOn,
        Self::Upstream,
        Self::Restless,
        Self::Vanished,
        Self::Tainted,
        Self::Trigger,
        Self::Deposed,
        Self::Elsewhere,
        Self::Configuration,
        Self::Rule,
        Self::Unknown,
    ];

    /// The word in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Order => "order",
            Self::Json => "json",
            Self::WhiteSpace => "white-space",
            Self::Case => "case",
            Self::Spelling => "spelling",
            Self::Default => "default",
            Self::Dropped => "dropped",
            Self::Rival => "rival",
            Self::DependsOn => "depends-on",
            Self::Upstream => "upstream",
            Self::Restless => "restless",
            Self::Vanished => "vanished",
            Self::Tainted => "tainted",
            Self::Trigger => "trigger",
            Self::Deposed => "deposed",
            Self::Elsewhere => "elsewhere",
            Self::Configuration => "configuration",
            Self::Rule => "rule",
            Self::Unknown => "unknown",
        }
    }
}

/// That and why a finding is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acceptance {
    /// The reason that the rule gives.
    pub(crate) reason: String,
    /// The last day on which it holds. UTC.
    pub(crate) expires: Option<NaiveDate>,
}

/// A place in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// The file, absolute.
    pub(crate) file: PathBuf,
    /// The line of the block's head, from 1.
    pub(crate) line: usize,
    /// The line of its end, inclusive.
    pub(crate) end_line: usize,
}

impl Site {
    /// The file as seen from a directory; as it is where it lies elsewhere.
    pub(crate) fn file_below(&self, directory: &Path) -> &Path {
        self.file.strip_prefix(directory).unwrap_or(&self.file)
    }
}
