//! A plan, as `show -json` tells it: typed, without what nobody here needs, and without a way to print
//! a value.
//!
//! What is easy to get wrong: whether a plan has anything to do is not told by its actions. A move and an
//! import are `no-op`, and drift alone is no change; Terraform says it with `applyable` (since 1.8,
//! `internal/command/jsonplan`). Where that is missing, as in `OpenTofu` 1.10, it is computed as
//! `Changes.Empty` computes it there (`internal/plans/changes.go`), but for reads of data, after which there is
//! nothing to see.
//!
//! Outputs are told three times. `output_changes` has before (the stored value) and after; under `-target`
//! it leaves out what was not reached. `prior_state` has them all, but with values as they were just
//! evaluated. `planned_values` adds nothing.

mod change;
mod hidden;
mod secrets;
#[cfg(test)]
mod tests;
mod wire;
mod wiring;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use change::{Reason, ResourceChange};
pub(crate) use hidden::{Hidden, is_marked_within};
use secrets::Secrets;
use wire::{Document, WireValues};
pub(crate) use wiring::{Wiring, without_keys};

/// A plan.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Whether there is nothing to do.
    is_empty: bool,
    /// Who made it.
    pub(crate) terraform_version: Option<String>,
    /// What would be done, to objects that stay as they are too.
    pub(crate) changes: Vec<ResourceChange>,
    /// What the refresh found changed since the last apply, as changes that have been made.
    pub(crate) drift: Vec<ResourceChange>,
    /// The root module's outputs.
    pub(crate) outputs: BTreeMap<String, OutputChange>,
    /// Instances whose attributes contribute to what would be done.
    pub(crate) relevant: BTreeSet<String>,
    /// Addresses of `check` block instances that fail, or could not be evaluated.
    pub(crate) failing_checks: Vec<String>,
    /// Addresses that could not be planned yet.
    pub(crate) deferred: Vec<String>,
    /// What refers to what.
    pub(crate) wiring: Wiring,
    /// Outputs of the state from which the plan was made, and whether they have a value.
    stored_outputs: BTreeMap<String, bool>,
    /// Variables of the root module whose values may be told.
    open_variables: BTreeSet<String>,
    /// Whether a variable of the root module is declared and has no value in the plan.
    has_ephemeral_variables: bool,
    /// Every sensitive text and number.
    secrets: Secrets,
}

impl Plan {
    /// Reads what `terraform show -json PLAN` prints.
    ///
    /// # Errors
    /// It is no JSON; or no plan; or a plan in a format of another major version than 1; or it has an action
    /// that we do not know.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, PlanError> {
        let document: Document = serde_json::from_slice(json).map_err(PlanError::json)?;
        let version = document.format_version.as_deref().ok_or(PlanError::NoPlan)?;
        if version != "1" && !version.starts_with("1.") {
            return Err(PlanError::Format(version.chars().take(20).collect()));
        }
        Self::of(document)
    }

    /// Whether there is nothing to do; drift alone is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// How many managed objects would be created, updated and deleted, deposed ones too.
    pub(crate) fn counts(&self) -> Counts {
        let managed = || self.changes.iter().filter(|change| !change.is_data);
        let count = |action| managed().filter(|change| change.has(action)).count();
        let replaced = count(Action::Replace);
        Counts {
            create: count(Action::Create).saturating_add(replaced),
            update: count(Action::Update),
            delete: count(Action::Delete).saturating_add(replaced),
        }
    }

    /// The addresses of managed instances, those to be created or deleted too; sorted, each once.
    pub(crate) fn managed_addresses(&self) -> Vec<String> {
        let managed = self.changes.iter().filter(|change| !change.is_data);
        let addresses: BTreeSet<_> = managed.map(|change| change.address.clone()).collect();
        addresses.into_iter().collect()
    }

    /// The addresses of managed instances that are there after an apply of the plan; sorted, each once.
    pub(crate) fn kept_addresses(&self) -> Vec<String> {
        let goes =
            |change: &&ResourceChange| change.has(Action::Delete) || change.has(Action::Forget);
        let kept = self.changes.iter().filter(|change| !change.is_data && !goes(change));
        let addresses: BTreeSet<_> = kept.map(|change| change.address.clone()).collect();
        addresses.into_iter().collect()
    }

    /// What is known of an output of the root module.
    pub(crate) fn presence(&self, output: &str) -> Presence {
        if !self.wiring.declares_output(output) {
            return Presence::Undeclared;
        }
        match self.outputs.get(output) {
            Some(change) if change.is_unknown() && change.before.reveal().is_null() => {
                Presence::Unknown
            }
            Some(change) if change.is_unknown() => Presence::Known,
            Some(change) if change.after.reveal().is_null() => Presence::Null,
            Some(_) => Presence::Known,
            None => match self.stored_outputs.get(output) {
                None => Presence::Missing,
                Some(false) => Presence::Null,
                Some(true) => Presence::Known,
            },
        }
    }

    /// Every text and number that is marked as sensitive anywhere: in resources, data sources, outputs and
    /// variables, before and after. Sorted, each once; short ones too, so that the caller has to decide
    /// which are too short to be masked in a log.
    pub(crate) fn sensitive_values(&self) -> Vec<&str> {
        self.secrets.list()
    }

    /// Whether the value of a variable of the root module may be told: it is declared, and neither sensitive
    /// nor ephemeral. Ephemeral ones are declared and have no value in a plan (Terraform 1.11.4).
    pub(crate) fn is_open_variable(&self, name: &str) -> bool {
        self.open_variables.contains(name)
    }

    /// Whether variables must be given again to an apply: those that are declared and have no value in the
    /// plan are ephemeral (Terraform 1.11.4; a variable with a default has a value).
    pub(crate) fn has_ephemeral_variables(&self) -> bool {
        self.has_ephemeral_variables
    }

    /// Takes a document apart, after the secrets in it have been learned.
    fn of(mut document: Document) -> Result<Self, PlanError> {
        let mut secrets = Secrets::default();
        secrets.learn(&document);
        let read = |wires: Vec<_>| {
            wires.into_iter().map(ResourceChange::of).collect::<Result<Vec<_>, _>>()
        };
        let changes = read(document.resource_changes)?;
        let outputs = std::mem::take(&mut document.output_changes)
            .into_iter()
            .map(|(name, wire)| Ok((name, OutputChange::of(wire)?)))
            .collect::<Result<BTreeMap<_, _>, PlanError>>()?;
        let blocks = &document.configuration.root_module.variables;
        let is_open = |name: &&String| blocks.get(*name).is_some_and(|block| !block.sensitive);
        let open_variables = document.variables.keys().filter(is_open).cloned().collect();
        let has_ephemeral_variables =
            blocks.keys().any(|name| !document.variables.contains_key(name));
        let is_errored = document.errored.unwrap_or_default();
        let has_work = changes.iter().any(ResourceChange::is_pending)
            || outputs.values().any(|output| output.action.is_some());
        let failing = document.checks.into_iter().flat_map(failing_instances).collect();
        let stored = document.prior_state.values.outputs.into_iter();
        let deferred = document.deferred_changes.into_iter().filter_map(|d| d.resource_change);
        Ok(Self {
            is_empty: !document.applyable.unwrap_or(has_work && !is_errored),
            terraform_version: document.terraform_version,
            changes,
            drift: read(document.resource_drift)?,
            outputs,
            relevant: document.relevant_attributes.into_iter().map(|r| r.resource).collect(),
            failing_checks: failing,
            deferred: deferred.map(|change| change.address).collect(),
            wiring: Wiring::of(document.configuration.root_module),
            stored_outputs: stored.map(|(n, o)| (n, !o.value.reveal().is_null())).collect(),
            open_variables,
            has_ephemeral_variables,
            secrets,
        })
    }
}

/// The failing instances of a `check` block, by address; a check that was not expanded stands for itself.
fn failing_instances(check: wire::WireCheck) -> Vec<String> {
    let fails = |status: &str| matches!(status, "fail" | "error");
    if check.address.kind != "check" || !fails(&check.status) {
        return Vec::new();
    }
    let failing = check.instances.into_iter().filter(|instance| fails(&instance.status));
    let addresses: Vec<_> = failing.map(|instance| instance.address.to_display).collect();
    if addresses.is_empty() { vec![check.address.to_display] } else { addresses }
}

/// What a plan would do to an output of the root module.
#[derive(Debug)]
pub(crate) struct OutputChange {
    /// What would be done; none for nothing.
    pub(crate) action: Option<Action>,
    /// The stored value; null where there is none.
    pub(crate) before: Hidden,
    /// The value after, without what is not known yet.
    pub(crate) after: Hidden,
    /// `true` where the value after is not known yet.
    pub(crate) after_unknown: Hidden,
}

impl OutputChange {
    /// Whether any of the value after is not known yet.
    pub(crate) fn is_unknown(&self) -> bool {
        is_marked_within(self.after_unknown.reveal())
    }

    /// Takes what a document says.
    fn of(wire: WireValues) -> Result<Self, PlanError> {
        Ok(Self {
            action: change::read_actions(&wire.actions)?.first().copied(),
            before: wire.before,
            after: wire.after,
            after_unknown: wire.after_unknown,
        })
    }
}

/// What is known of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// The configuration has no such output.
    Undeclared,
    /// It was not evaluated, and the state does not have it.
    Missing,
    /// It is known only after an apply, and the state does not have it.
    Unknown,
    /// It is null.
    Null,
    /// It has a value.
    Known,
}

/// How many resources a plan would create, update and delete; a replacement counts as both ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// To be created.
    pub(crate) create: usize,
    /// To be updated.
    pub(crate) update: usize,
    /// To be deleted.
    pub(crate) delete: usize,
}

/// Why a document cannot be used. Never quotes it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    /// It cannot be read.
    #[error("the plan cannot be read: {what} at line {line}, column {column}")]
    Json {
        /// What kind of fault.
        what: &'static str,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// It is something else.
    #[error("this is no plan: it has no `format_version`")]
    NoPlan,
    /// It is of another time.
    #[error("the plan has the format {0}, and only formats 1.x can be read")]
    Format(String),
    /// It does something that has no name here.
    #[error("the plan has an action that this version does not know")]
    Action,
}

impl PlanError {
    /// Keeps where the fault is, but not serde's message, which quotes the value.
    #[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
    fn json(error: serde_json::Error) -> Self {
        let what = match error.classify() {
            serde_json::error::Category::Data => "a member of another type",
            serde_json::error::Category::Eof => "an unexpected end",
            serde_json::error::Category::Io | serde_json::error::Category::Syntax => "no JSON",
        };
        Self::Json { what, line: error.line(), column: error.column() }
    }
}

/// What a plan would do to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Action {
    /// Create it.
    Create,
    /// Read it: a data source.
    Read,
    /// Update it in place.
    Update,
    /// Delete it.
    Delete,
    /// Delete and create it, in either order.
    Replace,
    /// Forget it: take it out of the state.
    Forget,
    /// Move it to another address.
    Move,
    /// Import it.
    Import,
}

impl Action {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Create,
        Self::Read,
        Self::Update,
        Self::Delete,
        Self::Replace,
        Self::Forget,
        Self::Move,
        Self::Import,
    ];

    /// The word, in Terraform's manner.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Forget => "forget",
            Self::Move => "move",
            Self::Import => "import",
        }
    }

    /// The action of that word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }
}
