//! Why something differs, as far as it can be told, and what to do about it.
//!
//! What is told for certain comes first: what Terraform says itself (`action_reason`, a deposed object), a
//! function of time or chance in the configuration, another resource that the value is made of. Only then are the
//! values compared, and what remains is called unknown. Texts name attributes, resources and providers,
//! never values: whoever adds one here must not quote a [`Difference`].

use std::collections::BTreeSet;

use serde_json::Value;

use super::finding::{Cause, CauseKind};
use super::likeness::{Likeness, likeness};
use super::paths::{Difference, Wanted};
use super::source::Configuration;
use super::wording;
use crate::model::address::module_of;
use crate::model::plan::{Action, Plan, Reason, ResourceChange, without_keys};

/// Where a change was seen, which decides what is said when nothing explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// After an apply, against the state that it left.
    Stored,
    /// After an apply, only once it was read back.
    ReadBack,
    /// Without an apply: what is deployed is another thing.
    Pending,
    /// Not in the state, only in what the refresh found.
    Drifted,
}

/// A change and what is known around it.
pub(super) struct Scene<'a> {
    /// The change.
    pub(super) change: &'a ResourceChange,
    /// Where it differs.
    pub(super) differences: &'a [Difference<'a>],
    /// The plan that has it.
    pub(super) plan: &'a Plan,
    /// The configuration's text.
    pub(super) configuration: &'a Configuration,
    /// Where it was seen.
    pub(super) seen: Seen,
}

impl Scene<'_> {
    /// Tells the likely cause.
    pub(super) fn cause(&self) -> Cause {
        self.by_reason()
            .or_else(|| self.by_action())
            .or_else(|| self.by_differences())
            .or_else(|| self.by_marks())
            .unwrap_or_else(|| self.unknown())
    }

    /// What Terraform says itself.
    fn by_reason(&self) -> Option<Cause> {
        if self.change.deposed.is_some() {
            return Some(wording::deposed());
        }
        Some(match self.change.reason? {
            Reason::Tainted => wording::tainted(),
            Reason::Triggers => self.triggered(),
            Reason::Request => wording::requested(),
            Reason::CannotUpdate => return None,
            Reason::CountIndex | Reason::EachKey => self.unrepeated(),
            Reason::NoResourceConfig
            | Reason::NoModule
            | Reason::WrongRepetition
            | Reason::NoMoveTarget => wording::undeclared(),
        })
    }

    /// What an action means by itself.
    fn by_action(&self) -> Option<Cause> {
        match self.change.actions.as_slice() {
            [Action::Move] => Some(wording::block_pending("moved")),
            [Action::Import] => Some(wording::block_pending("import")),
            [Action::Forget] => Some(wording::block_pending("removed")),
            [Action::Create] => Some(self.missing()),
            [Action::Delete] => Some(wording::undeclared()),
            _ => None,
        }
    }

    /// What the values and their expressions tell.
    fn by_differences(&self) -> Option<Cause> {
        self.function()
            .or_else(|| self.upstream())
            .or_else(|| self.template())
            .or_else(|| self.trigger())
            .or_else(|| self.alike())
            .or_else(|| self.data())
    }

    /// A function of time or chance in the expression of an attribute.
    fn function(&self) -> Option<Cause> {
        let mut names = Vec::new();
        let mut called = BTreeSet::new();
        for difference in self.differences {
            let path = difference.path();
            let functions = self.configuration.functions(&self.change.address, &path);
            let is_unknown = difference.wanted == Wanted::Unknown;
            let guilty: Vec<_> =
                functions.into_iter().filter(|f| is_guilty(f, is_unknown)).collect();
            if !guilty.is_empty() {
                names.push(path);
                called.extend(guilty);
            }
        }
        (!names.is_empty()).then(|| wording::of_functions(&names, &called))
    }

    /// Another resource that is to be changed, and of which an attribute is made.
    fn upstream(&self) -> Option<Cause> {
        let unknown: Vec<_> =
            self.differences.iter().filter(|d| d.wanted == Wanted::Unknown).collect();
        if unknown.is_empty() {
            return None;
        }
        let names: Vec<_> = unknown.iter().map(|difference| difference.path()).collect();
        let mut changing = changing_sources(self.plan, &self.change.address);
        // The whole resource is made of these. The text tells which of them the attributes name; a data
        // source may stand between.
        let made_of: Option<Vec<_>> = names.iter().map(|name| self.named_at(name)).collect();
        if let Some(made_of) = made_of {
            let made_of: BTreeSet<_> = made_of.into_iter().flatten().collect();
            if !made_of.iter().any(|source| is_data(source)) {
                changing.retain(|source| made_of.contains(&without_keys(source)));
            }
        }
        (!changing.is_empty()).then(|| wording::follows(&names, &changing))
    }

    /// The resources that an attribute's expression names, where its text tells.
    fn named_at(&self, path: &str) -> Option<BTreeSet<String>> {
        self.configuration.resources(&self.change.address, path)
    }

    /// A template whose value is not known although nothing changes of which it is made: it calls what the
    /// configuration does not show.
    fn template(&self) -> Option<Cause> {
        let mut names = Vec::new();
        let mut called = BTreeSet::new();
        for difference in self.differences.iter().filter(|d| d.wanted == Wanted::Unknown) {
            let path = difference.path();
            let readers = self.configuration.readers(&self.change.address, &path);
            let templates: Vec<_> =
                readers.into_iter().filter(|name| name.starts_with("template")).collect();
            if !templates.is_empty() {
                names.push(path);
                called.extend(templates);
            }
        }
        (!names.is_empty()).then(|| wording::of_templates(&names, &called))
    }

    /// A map or list of triggers that is another one each time, for no reason that we see.
    fn trigger(&self) -> Option<Cause> {
        let is_trigger = |difference: &&Difference| {
            let first = difference.steps.first().and_then(Value::as_str);
            matches!(first, Some("triggers" | "triggers_replace" | "keepers"))
        };
        let path = self.differences.iter().find(is_trigger)?.path();
        Some(wording::cause(
            CauseKind::Trigger,
            format!("`{path}` is another value in this plan, and replaces the resource."),
            format!(
                "Give `{path}` only what should replace the resource, and nothing that changes by itself."
            ),
        ))
    }

    /// Values that are the same thing in other words.
    fn alike(&self) -> Option<Cause> {
        let all: Vec<_> = self
            .differences
            .iter()
            .map(|difference| (difference, self.likeness(difference)))
            .collect();
        let (_, first) = all
            .iter()
            .find(|(_, alike)| alike.is_some_and(Likeness::is_rewriting))
            .or_else(|| all.iter().find(|(_, alike)| alike.is_some()))?;
        let alike = (*first)?;
        let names: Vec<_> = all
            .iter()
            .filter(|(_, other)| *other == Some(alike))
            .map(|(difference, _)| difference.path())
            .collect();
        let mut cause = self.of_likeness(alike, &names);
        if names.len() < all.len() {
            cause.text.push_str(" Other attributes differ for another reason.");
        }
        Some(cause)
    }

    /// A data source that an attribute is made of, where the object itself is as it was written.
    fn data(&self) -> Option<Cause> {
        let is_drifted = |drifted: &ResourceChange| drifted.address == self.change.address;
        if self.seen == Seen::Pending || self.plan.drift.iter().any(is_drifted) {
            return None;
        }
        let sources = self.plan.wiring.sources(&self.change.address).resources;
        let data: BTreeSet<_> = sources.into_iter().filter(|source| is_data(source)).collect();
        let mut names = Vec::new();
        let mut blamed = BTreeSet::new();
        for name in self.differences.iter().map(Difference::path) {
            let of: Vec<_> = match self.named_at(&name) {
                Some(made_of) => data.intersection(&made_of).cloned().collect(),
                None => data.iter().cloned().collect(),
            };
            if !of.is_empty() {
                names.push(name);
                blamed.extend(of);
            }
        }
        (!names.is_empty()).then(|| wording::of_data(&names, &blamed))
    }

    /// What is sensitive is another part of the same values.
    fn by_marks(&self) -> Option<Cause> {
        let change = self.change;
        let is_same = change.before.reveal() == change.after.reveal();
        let is_marked = change.before_sensitive.reveal() != change.after_sensitive.reveal();
        (self.differences.is_empty() && is_same && is_marked && change.has(Action::Update))
            .then(wording::of_marks)
    }

    /// How what is there is like what is wanted, at one place.
    fn likeness(&self, difference: &Difference) -> Option<Likeness> {
        let Wanted::Known(wanted) = difference.wanted else { return None };
        let is_twin =
            |other: &Difference| is_renamed(difference, other) || is_renamed(other, difference);
        if self.differences.iter().any(is_twin) {
            return Some(Likeness::Case);
        }
        // Without an apply, that the configuration says more or less by now is no doing of the provider.
        likeness(difference.current, wanted)
            .filter(|alike| alike.is_rewriting() || self.seen != Seen::Pending)
    }

    /// What a likeness says about a provider.
    fn of_likeness(&self, alike: Likeness, names: &[String]) -> Cause {
        let provider = &self.change.provider;
        let cause = match alike {
            Likeness::Added => {
                let is_named = |d: &&Difference| {
                    self.plan
                        .wiring
                        .configures(&self.change.address, d.steps.get(..1).unwrap_or_default())
                };
                let is_extended = self.differences.iter().any(|difference| is_named(&difference));
                wording::filled_in(names, is_extended, provider)
            }
            Likeness::Lacking => wording::dropped(names, provider),
            Likeness::Order
            | Likeness::Json
            | Likeness::WhiteSpace
            | Likeness::Case
            | Likeness::Spelling(_) => return wording::rewritten(alike, names, provider),
        };
        match self.seen {
            Seen::ReadBack => wording::perhaps_late(cause),
            Seen::Drifted => wording::perhaps_elsewhere(cause),
            Seen::Stored | Seen::Pending => cause,
        }
    }

    /// An object that is to be created.
    fn missing(&self) -> Cause {
        match self.seen {
            Seen::ReadBack => wording::vanished(&self.change.provider),
            Seen::Drifted => wording::gone_elsewhere(),
            Seen::Pending => wording::configured(false),
            Seen::Stored => self.unrepeated(),
        }
    }

    /// An instance that came or went only once the apply had run.
    fn unrepeated(&self) -> Cause {
        match self.seen {
            Seen::Pending => return wording::configured(false),
            Seen::Drifted => return wording::repeated_elsewhere(),
            Seen::Stored | Seen::ReadBack => (),
        }
        wording::cause(
            CauseKind::DependsOn,
            "The apply did not deal with this instance: its `count` or `for_each` gives another answer \
             than when the apply was planned, or the apply was limited."
                .to_owned(),
            "Make `count` and `for_each` of values that an apply does not change, and check without \
             `-target`."
                .to_owned(),
        )
    }

    /// A replacement that another change asks for. A plan does not say which; the configuration's text names
    /// what may.
    fn triggered(&self) -> Cause {
        let address = &self.change.address;
        let named = self.configuration.triggers(address);
        let is_named = |other: &ResourceChange| {
            named.contains(&without_keys(&other.address))
                && module_of(&other.address) == module_of(address)
        };
        let others = self.plan.changes.iter().filter(|other| {
            other.is_written() && other.address != *address && (named.is_empty() || is_named(other))
        });
        let others: BTreeSet<_> = others.map(|other| other.address.clone()).collect();
        wording::triggered(others, named.is_empty())
    }

    /// What can be said when nothing explains it.
    fn unknown(&self) -> Cause {
        let provider = &self.change.provider;
        let names = wording::names_of(self.differences.iter().map(Difference::path));
        let what = if names.is_empty() { "An attribute".to_owned() } else { names };
        let is_unknown = |difference: &Difference| difference.wanted == Wanted::Unknown;
        let is_computed = !self.differences.is_empty() && self.differences.iter().all(is_unknown);
        match self.seen {
            Seen::Stored if is_computed => wording::cause(
                CauseKind::Unknown,
                format!("{what}: computed anew by every apply, and known only after it."),
                wording::advice(provider),
            ),
            Seen::Stored => wording::cause(
                CauseKind::Unknown,
                format!(
                    "{what}: the state differs from the configuration although it was just applied."
                ),
                self.advice(),
            ),
            Seen::ReadBack => wording::cause(
                CauseKind::Unknown,
                format!(
                    "{what}: the provider `{provider}` reads back another value than was written, or somebody \
                     changed it meanwhile."
                ),
                wording::advice(provider),
            ),
            Seen::Pending => wording::configured(false),
            Seen::Drifted => wording::elsewhere(&what),
        }
    }

    /// What to do where an attribute differs from the state for no reason that we see.
    fn advice(&self) -> String {
        let paths = self.differences.iter().map(Difference::path);
        let readers = paths
            .flat_map(|path| self.configuration.readers(&self.change.address, &path))
            .collect::<BTreeSet<_>>();
        if readers.is_empty() {
            return wording::advice(&self.change.provider);
        }
        wording::look_into(&readers)
    }
}

/// Whether a function explains a difference. All but `plantimestamp` are unknown until the apply (Terraform's
/// `impureFunctions` in `internal/lang/functions.go`, 1.11).
fn is_guilty(function: &str, is_unknown: bool) -> bool {
    is_unknown || function == "plantimestamp"
}

/// Whether one difference is a name that is not wanted, and the other the same name in another case, with the
/// same value.
fn is_renamed(there: &Difference, wanted: &Difference) -> bool {
    let (Some((x, above)), Some((y, beside))) =
        (there.steps.split_last(), wanted.steps.split_last())
    else {
        return false;
    };
    let (Some(x), Some(y)) = (x.as_str(), y.as_str()) else { return false };
    above == beside
        && x != y
        && x.to_lowercase() == y.to_lowercase()
        && there.current.is_some()
        && there.wanted == Wanted::Known(None)
        && wanted.current.is_none()
        && wanted.wanted == Wanted::Known(there.current)
}

/// Whether an address without keys is that of a data source.
pub(super) fn is_data(address: &str) -> bool {
    address.starts_with("data.") || address.contains(".data.")
}

/// What an instance is made of and is to be changed in the same plan, or still to be read. What lies behind a
/// local is not found: `relevant_attributes` would name it, but is about the plan as a whole.
pub(super) fn changing_sources(plan: &Plan, address: &str) -> BTreeSet<String> {
    let sources = plan.wiring.sources(address).resources;
    let own = without_keys(address);
    let is_source = |change: &&ResourceChange| {
        let node = without_keys(&change.address);
        !change.actions.is_empty() && node != own && sources.contains(&node)
    };
    let found: Vec<_> = plan.changes.iter().filter(is_source).collect();
    // A data source that is to be read is only the way to what is changed; it is named if it is all we have.
    let managed: BTreeSet<_> =
        found.iter().filter(|c| !c.is_data).map(|c| c.address.clone()).collect();
    if managed.is_empty() { found.iter().map(|c| c.address.clone()).collect() } else { managed }
}
