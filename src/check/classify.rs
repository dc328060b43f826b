//! What the plans of a check mean: the differences that an apply leaves behind, and what class each is.
//!
//! The plan without a refresh (A) compares the configuration with what the apply has stored; what it shows is
//! not idempotent whatever the world does. What only the plan with a refresh (B) shows was read back
//! differently: by a provider that rewrites, if the apply touched the object, else by somebody else's hand. The
//! plan after a second apply (C) tells what settles.
//!
//! What is easy to get wrong: that the values at a path differ between two rounds does not show that they
//! never rest. Only if both rounds want the same value, so that it was written in between, does another value
//! that is read show it. And one object may be managed by two resources: then each round changes another
//! of them, and neither is somebody else's drift.

use std::collections::{BTreeSet, HashMap};

use super::cause::{Scene, Seen, is_data};
use super::finding::{Cause, CauseKind, Class, Finding, Weight};
use super::outputs;
use super::paths::{Difference, Wanted, differences, is_related, natural, told, value_at};
use super::report::Verdict;
use super::rivals::{Rival, find_rival};
use super::source::Configuration;
use super::wording;
use crate::model::plan::{Action, Plan, ResourceChange, without_keys};

/// The plans of a check, as far as it came.
pub(crate) struct Rounds<'a> {
    /// plan₀, with a refresh.
    pub(crate) first: &'a Plan,
    /// A: without a refresh; after the apply, if there was one.
    pub(crate) without_refresh: Option<&'a Plan>,
    /// B: with a refresh, after the apply.
    pub(crate) again: Option<&'a Plan>,
    /// C: with a refresh, after a second apply.
    pub(crate) third: Option<&'a Plan>,
    /// Whether anything was meant to be applied.
    pub(crate) mode: Mode,
    /// Whether the state's serial was moved by another writer.
    pub(crate) moved_by_another: bool,
    /// Outputs that must have a value.
    pub(crate) required_outputs: &'a [String],
}

impl<'a> Rounds<'a> {
    /// The last plan with a refresh.
    pub(super) fn last(&self) -> &'a Plan {
        self.third.or(self.again).unwrap_or(self.first)
    }
}

/// What the rounds were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Plans after an apply; or a first plan that was empty.
    Applied,
    /// Plans of what is deployed.
    PlanOnly,
}

/// What fails that is otherwise only told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FailOn {
    /// Outputs that differ.
    pub(crate) output: bool,
    /// `check` blocks that fail.
    pub(crate) check: bool,
}

/// Finds the differences of the rounds: the gravest class first, then by address.
pub(crate) fn classify(
    rounds: &Rounds,
    configuration: &Configuration,
    fail_on: FailOn,
) -> Vec<Finding> {
    let judge = Judge::of(rounds, configuration);
    let mut findings = match rounds.mode {
        Mode::Applied => judge.after_apply(),
        Mode::PlanOnly => judge.plan_only(),
    };
    if rounds.moved_by_another {
        findings.push(state_moved());
    }
    let outputs = outputs::changed(rounds, configuration, &findings, fail_on);
    findings.extend(outputs);
    findings.extend(outputs::missing(rounds));
    findings.extend(outputs::failing_checks(rounds, fail_on));
    for finding in &mut findings {
        finding.site = configuration.site(&finding.address, &finding.paths);
    }
    let rank = |class| Class::ALL.iter().position(|other| *other == class);
    findings.sort_by(|a, b| {
        rank(a.class)
            .cmp(&rank(b.class))
            .then_with(|| natural(&a.address, &b.address))
            .then_with(|| a.paths.cmp(&b.paths))
    });
    findings
}

/// What the findings mean together, once rules have accepted what they accept.
///
/// A state that was moved by somebody else hides everything: what looks like our doing may be theirs. No
/// rule can accept that.
pub(crate) fn verdict(findings: &[Finding]) -> Verdict {
    if findings.iter().any(|finding| finding.class == Class::Drift && finding.address.is_empty()) {
        return Verdict::Inconclusive;
    }
    if findings.iter().any(Finding::fails) {
        return Verdict::NotIdempotent;
    }
    if findings.iter().any(Finding::hides_the_verdict) {
        return Verdict::Inconclusive;
    }
    Verdict::Idempotent
}

/// An object: its address, and its key if it is deposed.
type Key<'a> = (&'a str, Option<&'a str>);

/// A plan's pending changes by object.
struct Round<'a> {
    /// The plan.
    plan: &'a Plan,
    /// What it would do, to managed objects.
    pending: HashMap<Key<'a>, &'a ResourceChange>,
    /// What the refresh found changed.
    drift: HashMap<&'a str, &'a ResourceChange>,
}

impl<'a> Round<'a> {
    /// Sorts a plan by object.
    fn of(plan: &'a Plan) -> Self {
        let pending = plan.changes.iter().filter(|change| change.is_pending());
        let drift = plan.drift.iter().filter(|change| !change.is_data && change.deposed.is_none());
        Self {
            plan,
            pending: pending.map(|change| (key(change), change)).collect(),
            drift: drift.map(|change| (change.address.as_str(), change)).collect(),
        }
    }

    /// What the plan would do to an object.
    fn find(&self, key: Key) -> Option<&'a ResourceChange> {
        self.pending.get(&key).copied()
    }

    /// Drifted objects of which an instance is made.
    fn drifted_sources(&self, address: &str) -> BTreeSet<String> {
        let sources = self.plan.wiring.sources(address);
        let is_source = |drifted: &&&str| {
            let is_behind_local = sources.is_cut && self.plan.relevant.contains(**drifted);
            sources.resources.contains(&without_keys(drifted)) || is_behind_local
        };
        self.drift.keys().filter(is_source).map(|address| (*address).to_owned()).collect()
    }
}

/// The object that a change is about.
fn key(change: &ResourceChange) -> Key<'_> {
    (change.address.as_str(), change.deposed.as_deref())
}

/// Compares the rounds object by object.
struct Judge<'a> {
    /// The configuration's text.
    configuration: &'a Configuration,
    /// plan₀.
    first: Round<'a>,
    /// A.
    without_refresh: Option<Round<'a>>,
    /// B.
    again: Option<Round<'a>>,
    /// C.
    third: Option<Round<'a>>,
    /// Addresses that the first apply has written.
    touched: BTreeSet<&'a str>,
    /// Addresses that the second apply has written, where there was one: it does what B shows.
    touched_again: BTreeSet<&'a str>,
}

impl<'a> Judge<'a> {
    /// Sorts the rounds by object.
    fn of(rounds: &Rounds<'a>, configuration: &'a Configuration) -> Self {
        let written = |plan: &'a Plan| {
            let changes = plan.changes.iter().filter(|change| change.is_written());
            changes.map(|change| change.address.as_str()).collect()
        };
        let second = rounds.third.and(rounds.again);
        Self {
            configuration,
            first: Round::of(rounds.first),
            without_refresh: rounds.without_refresh.map(Round::of),
            again: rounds.again.map(Round::of),
            third: rounds.third.map(Round::of),
            touched: written(rounds.first),
            touched_again: second.map(written).unwrap_or_default(),
        }
    }

    /// The findings after an apply.
    fn after_apply(&self) -> Vec<Finding> {
        let rounds = [&self.without_refresh, &self.again, &self.third];
        let keys: BTreeSet<Key> =
            rounds.into_iter().flatten().flat_map(|round| round.pending.keys().copied()).collect();
        let mut findings = Vec::new();
        for key in keys {
            let stored = self.without_refresh.as_ref().and_then(|round| round.find(key));
            let refreshed = self.after_refresh(key);
            if let (Some(round), Some(change)) = (&self.without_refresh, stored) {
                findings.push(self.judge_stored(key, round, change));
            }
            if let Some((round, change)) = refreshed {
                findings.extend(self.judge_read_back(key, round, change, stored));
            }
        }
        findings
    }

    /// Whether an apply wrote an address before some object was found to differ. The second one counts if
    /// the object differs after it still; else it only brought back what was found.
    fn is_touched(&self, address: &str, key: Key) -> bool {
        self.touched.contains(address)
            || (self.touched_again.contains(address) && !self.settles(key))
    }

    /// The first plan with a refresh after an apply that has an object, and what it would do to it.
    fn after_refresh(&self, key: Key) -> Option<(&Round<'a>, &'a ResourceChange)> {
        let rounds = [&self.again, &self.third];
        rounds.into_iter().flatten().find_map(|round| Some((round, round.find(key)?)))
    }

    /// What differs from the state that the apply left.
    fn judge_stored(&self, key: Key, round: &Round<'a>, change: &'a ResourceChange) -> Finding {
        let differing = differences(change, &round.plan.wiring);
        let again = self.again.as_ref().and_then(|round| round.find(key));
        let paths = told(&differing, change);
        let is_overwritten = change.has(Action::Update) || change.has(Action::Replace);
        let (class, cause) = if self.again.is_some() && again.is_none() && is_overwritten {
            (class_of(change), wording::stale(&paths, &change.provider))
        } else if self.settles(key) {
            (Class::SecondApply, self.settling(round, change))
        } else if let Some(cause) = self.restlessness(key).or_else(|| self.alternation(key)) {
            (Class::Oscillating, cause)
        } else {
            (class_of(change), self.infer(round, change, &differing, Seen::Stored))
        };
        finding(class, change, paths, self.actions(key, class, change), cause)
    }

    /// What differs only once it was read back: all of it, or where the stored state differs too, the rest.
    fn judge_read_back(
        &self,
        key: Key,
        round: &Round<'a>,
        change: &'a ResourceChange,
        stored: Option<&'a ResourceChange>,
    ) -> Option<Finding> {
        let mut differing = differences(change, &round.plan.wiring);
        if let Some(stored) = stored {
            let known = differences(stored, &round.plan.wiring);
            differing.retain(|difference| {
                !known.iter().any(|d| is_related(&d.steps, &difference.steps))
            });
            if differing.is_empty() || !change.is_written() {
                return None;
            }
        }
        let (class, cause, weight) = self.read_back_class(key, round, change, &differing);
        let paths = match stored {
            Some(_) => differing.iter().map(Difference::path).collect(),
            None => told(&differing, change),
        };
        let actions = match stored {
            Some(_) => change.actions.iter().copied().collect(),
            None => self.actions(key, class, change),
        };
        Some(Finding { weight, ..finding(class, change, paths, actions, cause) })
    }

    /// What Terraform would do to an object: as one plan has it and the one with a refresh, and if it never
    /// rests, as any has it.
    fn actions(&self, key: Key, class: Class, change: &ResourceChange) -> BTreeSet<Action> {
        let third = self.third.as_ref().filter(|_| class == Class::Oscillating);
        let rounds = self.again.iter().chain(third);
        let others = rounds.filter_map(|round| round.find(key));
        let others = others.flat_map(|other| other.actions.iter().copied());
        change.actions.iter().copied().chain(others).collect()
    }

    /// The class of what was read back differently, its cause, and how much it counts.
    fn read_back_class(
        &self,
        key: Key,
        round: &Round<'a>,
        change: &'a ResourceChange,
        differing: &[Difference],
    ) -> (Class, Cause, Weight) {
        let is_touched = self.is_touched(&change.address, key);
        if let Some((class, cause)) = self.rivalry(key, round, change, differing) {
            return (class, cause, Weight::Fails);
        }
        let drift = round.drift.get(change.address.as_str());
        let sources = round.drifted_sources(&change.address);
        let is_ours = drift.is_none()
            && !sources.is_empty()
            && sources.iter().all(|source| self.is_touched(source, key));
        if !is_touched && !is_ours {
            let cause = self.infer(round, change, differing, Seen::Drifted);
            return (Class::Drift, as_elsewhere(cause, differing), Weight::NoVerdict);
        }
        if self.settles(key) {
            return (Class::SecondApply, self.settling(round, change), Weight::Fails);
        }
        if let Some(cause) = self.restlessness(key).or_else(|| self.alternation(key)) {
            return (Class::Oscillating, cause, Weight::Fails);
        }
        let class = match class_of(change) {
            Class::Update | Class::Replace => Class::Normalised,
            other => other,
        };
        let cause = match drift {
            None if !sources.is_empty() => wording::follows_drift(&sources, Mode::Applied),
            None | Some(_) => self.infer(round, change, differing, Seen::ReadBack),
        };
        (class, cause, Weight::Fails)
    }

    /// Whether another resource undoes this one, where an apply had a part in it.
    fn rivalry(
        &self,
        key: Key,
        round: &Round<'a>,
        change: &ResourceChange,
        differing: &[Difference],
    ) -> Option<(Class, Cause)> {
        let rival = find_rival(change, differing, round.plan)?;
        let is_touched = self.is_touched(&change.address, key);
        let is_undone = !is_touched && self.is_touched(rival.address, key);
        let class = match is_undone || self.takes_turns(key, &rival) {
            true => Class::Oscillating,
            false if is_touched => Class::Normalised,
            false => return None,
        };
        let names: Vec<_> = differing.iter().map(Difference::path).collect();
        Some((class, wording::rival(&names, rival.address)))
    }

    /// The findings without an apply: `first` has a refresh, the other plan has none.
    fn plan_only(&self) -> Vec<Finding> {
        let keys: BTreeSet<Key> = self.first.pending.keys().copied().collect();
        let changes = keys.into_iter().filter_map(|key| Some((key, self.first.find(key)?)));
        changes.map(|(key, change)| self.judge_deployed(key, change)).collect()
    }

    /// What differs from what is deployed.
    fn judge_deployed(&self, key: Key, change: &'a ResourceChange) -> Finding {
        let round = &self.first;
        let stored = self.without_refresh.as_ref().and_then(|round| round.find(key));
        let differing = differences(change, &round.plan.wiring);
        let paths = told(&differing, change);
        let actions: BTreeSet<_> = change.actions.iter().copied().collect();
        let drift = round.drift.get(change.address.as_str());
        let is_drift = match &self.without_refresh {
            Some(_) => stored.is_none(),
            None => drift.is_some(),
        };
        let (class, cause) = if is_drift {
            (Class::Drift, self.drifted(change, &differing))
        } else {
            (Class::Pending, self.pending(change, &differing))
        };
        let Some((class_of_block, block)) = pending_block(change) else {
            return finding(class, change, paths, actions, cause);
        };
        // A loss outweighs the block.
        let class = if change.has(Action::Replace) { class } else { class_of_block };
        let cause = match change.actions.as_slice() {
            [_] => wording::block_pending(block),
            _ => wording::beside_block(block, &paths, cause),
        };
        finding(class, change, paths, actions, cause)
    }

    /// Why what is deployed is not what the state says.
    fn drifted(&self, change: &'a ResourceChange, differing: &[Difference]) -> Cause {
        let sources = self.first.drifted_sources(&change.address);
        match self.first.drift.get(change.address.as_str()) {
            None if !sources.is_empty() => wording::follows_drift(&sources, Mode::PlanOnly),
            None | Some(_) => self.infer(&self.first, change, differing, Seen::Drifted),
        }
    }

    /// Why what is deployed is not what the configuration says.
    fn pending(&self, change: &'a ResourceChange, differing: &[Difference]) -> Cause {
        let cause = self.infer(&self.first, change, differing, Seen::Pending);
        let has_drift = self.first.drift.contains_key(change.address.as_str());
        if cause.kind == CauseKind::Configuration && change.has(Action::Update) {
            return wording::configured(has_drift);
        }
        cause
    }

    /// The cause as the change itself tells it.
    fn infer(
        &self,
        round: &Round<'a>,
        change: &'a ResourceChange,
        differences: &[Difference<'_>],
        seen: Seen,
    ) -> Cause {
        let configuration = self.configuration;
        Scene { change, differences, plan: round.plan, configuration, seen }.cause()
    }

    /// Whether a second apply was made, and an object is as it should be after it.
    fn settles(&self, key: Key) -> bool {
        self.third.as_ref().is_some_and(|third| third.find(key).is_none())
    }

    /// Whether one of two rivals is to be changed before the second apply, and the other one after it.
    fn takes_turns(&self, key: Key, rival: &Rival) -> bool {
        let other = |round: &Option<Round>| {
            round.as_ref().is_some_and(|round| round.find((rival.address, None)).is_some())
        };
        let own =
            |round: &Option<Round>| round.as_ref().is_some_and(|round| round.find(key).is_some());
        (own(&self.again) && other(&self.third)) || (own(&self.third) && other(&self.again))
    }

    /// Why a second apply settled it.
    fn settling(&self, round: &Round<'a>, change: &ResourceChange) -> Cause {
        let sources = round.plan.wiring.sources(&change.address).resources;
        let own = without_keys(&change.address);
        let is_source = |address: &&&str| {
            let node = without_keys(address);
            node != own && sources.contains(&node)
        };
        let changed = self.touched.iter().filter(is_source).map(|a| (*a).to_owned()).collect();
        wording::unordered(&changed)
    }

    /// Why an object never rests, where that is shown.
    fn restlessness(&self, key: Key) -> Option<Cause> {
        let first = self.first.find(key).filter(|_| self.is_reverted(key));
        let again = self.again.as_ref().and_then(|round| round.find(key));
        let third = self.third.as_ref().and_then(|round| round.find(key));
        let pairs = [(first, again), (again, third)];
        let (names, change) = pairs.into_iter().find_map(|(earlier, later)| {
            let names = self.restless_paths(earlier?, later?);
            (!names.is_empty()).then_some((names, later?))
        })?;
        Some(wording::restless(&names, &change.provider))
    }

    /// Why each apply undoes the one before, where that is shown: what B would do, C would do the other way
    /// round.
    fn alternation(&self, key: Key) -> Option<Cause> {
        let earlier = self.again.as_ref()?.find(key)?;
        let later = self.third.as_ref()?.find(key)?;
        match (earlier.actions.as_slice(), later.actions.as_slice()) {
            ([Action::Create], [Action::Delete]) | ([Action::Delete], [Action::Create]) => {
                let named = ["count", "for_each"].into_iter();
                let named = named.filter_map(|name| self.configuration.resources(key.0, name));
                let data = named.flatten().filter(|source| is_data(source)).collect();
                Some(wording::comes_and_goes(data))
            }
            ([Action::Update], [Action::Update]) => {
                let names = self.swapped_paths(earlier, later);
                (!names.is_empty()).then(|| wording::to_and_fro(&names))
            }
            _ => None,
        }
    }

    /// Paths at which each of two rounds wants what the other one finds.
    fn swapped_paths(&self, earlier: &ResourceChange, later: &ResourceChange) -> Vec<String> {
        let wiring = &self.first.plan.wiring;
        let (before, now) = (differences(earlier, wiring), differences(later, wiring));
        let is_swapped = |difference: &&Difference| {
            before.iter().any(|other| {
                other.steps == difference.steps
                    && other.wanted == Wanted::Known(difference.current)
                    && difference.wanted == Wanted::Known(other.current)
            })
        };
        now.iter().filter(is_swapped).map(Difference::path).collect()
    }

    /// Whether the first plan only brings back what the apply before it had written: the state had what is
    /// wanted, and the refresh found something else.
    fn is_reverted(&self, key: Key) -> bool {
        let (address, deposed) = key;
        let Some(change) = self.first.find(key).filter(|_| deposed.is_none()) else { return false };
        let Some(drift) = self.first.drift.get(address) else { return false };
        let wanted = differences(change, &self.first.plan.wiring);
        let recorded = drift.before.reveal();
        !wanted.is_empty()
            && wanted.iter().all(|difference| match difference.wanted {
                Wanted::Known(value) => value_at(recorded, &difference.steps) == value,
                Wanted::Unknown => false,
            })
    }

    /// Paths at which two rounds want the same value and find two other ones.
    fn restless_paths(&self, earlier: &ResourceChange, later: &ResourceChange) -> Vec<String> {
        if earlier.actions != [Action::Update] || later.actions != [Action::Update] {
            return Vec::new();
        }
        let wiring = &self.first.plan.wiring;
        let (before, now) = (differences(earlier, wiring), differences(later, wiring));
        let is_restless = |difference: &&Difference| {
            before.iter().any(|other| {
                other.steps == difference.steps
                    && other.wanted == difference.wanted
                    && other.wanted != Wanted::Unknown
                    && other.current != difference.current
            })
        };
        now.iter().filter(is_restless).map(Difference::path).collect()
    }
}

/// The class of what a plan would do, by the gravest of its actions.
fn class_of(change: &ResourceChange) -> Class {
    let classes = change.actions.iter().map(|action| match action {
        Action::Create if change.has(Action::Forget) => Class::Replace,
        Action::Create => Class::Create,
        // Data is not judged; no managed object is read.
        Action::Update | Action::Read => Class::Update,
        Action::Delete => Class::Delete,
        Action::Replace => Class::Replace,
        Action::Forget => Class::Forget,
        Action::Move => Class::Moved,
        Action::Import => Class::Import,
    });
    let rank = |class: &Class| Class::ALL.iter().position(|other| other == class);
    classes.min_by_key(rank).unwrap_or(Class::Update)
}

/// The block that has not been carried out, and its class, where a plan would carry one out.
fn pending_block(change: &ResourceChange) -> Option<(Class, &'static str)> {
    if change.has(Action::Import) {
        return Some((Class::Import, "import"));
    }
    if change.has(Action::Move) {
        return Some((Class::Moved, "moved"));
    }
    let is_forgotten = change.has(Action::Forget) && !change.has(Action::Create);
    is_forgotten.then_some((Class::Forget, "removed"))
}

/// Makes a failing finding.
fn finding(
    class: Class,
    change: &ResourceChange,
    paths: Vec<String>,
    actions: BTreeSet<Action>,
    cause: Cause,
) -> Finding {
    Finding {
        class,
        address: change.address.clone(),
        paths,
        actions: actions.into_iter().collect(),
        cause,
        accepted: None,
        site: None,
        weight: Weight::Fails,
    }
}

/// An object that the apply did not touch, and that was as it should be when the check began, was changed
/// meanwhile, in whatever words.
fn as_elsewhere(cause: Cause, differing: &[Difference]) -> Cause {
    if cause.kind == CauseKind::Elsewhere || differing.is_empty() {
        return cause;
    }
    wording::elsewhere(&wording::names_of(differing.iter().map(Difference::path)))
}

/// The finding about the state as a whole.
fn state_moved() -> Finding {
    Finding {
        class: Class::Drift,
        address: String::new(),
        paths: Vec::new(),
        actions: Vec::new(),
        cause: wording::state_moved(),
        accepted: None,
        site: None,
        weight: Weight::NoVerdict,
    }
}
