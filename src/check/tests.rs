//! Rounds of plans and what they mean. `plans/` has those that Terraform 1.11.4 made of a configuration that
//! uses the clock, and of one that has something of everything pending; what the builtin provider cannot do (it
//! never drifts) is written by hand.

use serde_json::{Value, json};

use super::classify::{FailOn, Mode, Rounds, classify, verdict};
use super::finding::{CauseKind, Class, Finding, Weight};
use super::report::Verdict;
use super::source::Configuration;
use crate::model::plan::{Action, Plan};
use crate::model::source::{ModuleSource, SourceFile};

const FIRST: &str = include_str!("plans/clock-first.json");
const STORED: &str = include_str!("plans/clock-stored.json");
const AGAIN: &str = include_str!("plans/clock-again.json");
const THIRD: &str = include_str!("plans/clock-third.json");
const DEEDS: &str = include_str!("plans/deeds.json");

fn real(text: &str) -> Plan {
    Plan::parse(text.as_bytes()).unwrap()
}

/// A plan of changes, drift and the configuration's resources.
fn plan(changes: &Value, drift: &Value) -> Plan {
    wired(changes, drift, &json!({}))
}

fn wired(changes: &Value, drift: &Value, module: &Value) -> Plan {
    let document = json!({
        "format_version": "1.2", "resource_changes": changes, "resource_drift": drift,
        "configuration": {"root_module": module},
    });
    real(&document.to_string())
}

fn change(address: &str, action: &str, before: &Value, after: &Value) -> Value {
    json!({
        "address": address, "mode": "managed", "type": address.split('.').next().unwrap(),
        "provider_name": "registry.terraform.io/test/fake",
        "change": {"actions": [action], "before": before, "after": after},
    })
}

fn empty() -> Plan {
    plan(&json!([]), &json!([]))
}

fn created(addresses: &[&str]) -> Plan {
    let changes: Vec<_> =
        addresses.iter().map(|a| change(a, "create", &json!(null), &json!({}))).collect();
    plan(&json!(changes), &json!([]))
}

/// A plan that brings a drifted object back.
fn reverting(address: &str, found: &Value, wanted: &Value) -> Plan {
    plan(
        &json!([change(address, "update", found, wanted)]),
        &json!([change(address, "update", wanted, found)]),
    )
}

fn applied<'a>(first: &'a Plan, stored: &'a Plan, again: &'a Plan) -> Rounds<'a> {
    Rounds {
        first,
        without_refresh: Some(stored),
        again: Some(again),
        third: None,
        mode: Mode::Applied,
        moved_by_another: false,
        required_outputs: &[],
    }
}

fn plan_only<'a>(first: &'a Plan, stored: &'a Plan) -> Rounds<'a> {
    Rounds { again: None, mode: Mode::PlanOnly, ..applied(first, stored, stored) }
}

fn find(rounds: &Rounds) -> Vec<Finding> {
    find_in(rounds, "")
}

/// What is found where the configuration is one file.
fn find_in(rounds: &Rounds, text: &str) -> Vec<Finding> {
    let file = SourceFile { path: "/p/main.tf".into(), text: text.to_owned() };
    let root = ModuleSource { key: String::new(), is_foreign: false, files: vec![file] };
    let findings = classify(rounds, &Configuration::of(&[root]), FailOn::default());
    for cause in findings.iter().map(|finding| &finding.cause) {
        for sentence in [&cause.text, &cause.hint] {
            let begins = sentence.starts_with(|first: char| first.is_uppercase() || first == '`');
            assert!(begins && sentence.ends_with('.'), "{sentence}");
        }
        let asks_for_rounds = ["--twice", "--settle"].iter().any(|flag| cause.hint.contains(flag));
        assert!(rounds.mode == Mode::Applied || !asks_for_rounds, "{}", cause.hint);
    }
    findings
}

fn only(rounds: &Rounds) -> Finding {
    let findings = find(rounds);
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    finding.clone()
}

/// The one finding where the configuration is one file.
fn only_in(rounds: &Rounds, text: &str) -> Finding {
    let findings = find_in(rounds, text);
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    finding.clone()
}

fn brief(findings: &[Finding]) -> Vec<(Class, &str, CauseKind)> {
    findings.iter().map(|f| (f.class, f.address.as_str(), f.cause.kind)).collect()
}

const CLOCK: [(Class, &str, CauseKind); 9] = [
    (Class::Replace, "terraform_data.trigger", CauseKind::Trigger),
    (Class::Replace, "terraform_data.triggered", CauseKind::Trigger),
    (Class::Update, "module.m[\"a.b\"].terraform_data.x", CauseKind::Upstream),
    (Class::Update, "terraform_data.local", CauseKind::Unknown),
    (Class::Update, "terraform_data.plantime", CauseKind::Unknown),
    (Class::Update, "terraform_data.time", CauseKind::Unknown),
    (Class::Output, "output.chance", CauseKind::Unknown),
    (Class::Check, "check.inner", CauseKind::Configuration),
    (Class::Check, "module.m[\"a.b\"].check.deep", CauseKind::Configuration),
];

#[test]
fn a_configuration_that_uses_the_clock_is_updated_and_replaced_each_time() {
    let [first, stored, again, third] = [FIRST, STORED, AGAIN, THIRD].map(real);
    let findings = find(&applied(&first, &stored, &again));
    assert_eq!(brief(&findings), CLOCK);
    let paths: Vec<_> = findings.iter().map(|finding| finding.paths.join(" ")).collect();
    assert_eq!(
        paths,
        ["triggers_replace[0]", "", "input", "input.at", "input", "input", "", "", ""]
    );
    assert_eq!(verdict(&findings), Verdict::NotIdempotent);
    let twice = Rounds { third: Some(&third), ..applied(&first, &stored, &again) };
    assert_eq!(brief(&find(&twice)), CLOCK);
}

#[test]
fn nothing_that_is_told_has_a_value_in_it() {
    let [first, stored, again] = [FIRST, STORED, AGAIN].map(real);
    let text = format!("{:?}", find(&applied(&first, &stored, &again)));
    for value in ["2026-", "sensitive-"] {
        assert!(!text.contains(value), "{text}");
    }
    let secret = |text: &str| json!({"id": "i", "m": {"key": text, "other": text}});
    let again = reverting("t.a", &secret("C4N4RY"), &secret("C4N4RY "));
    let text = format!("{:?}", find(&applied(&created(&["t.a"]), &empty(), &again)));
    assert!(text.contains("m.key") && !text.contains("C4N4RY"), "{text}");
}

#[test]
fn everything_pending_after_an_apply_has_its_class() {
    let plan = real(DEEDS);
    let findings = find(&applied(&plan, &plan, &plan));
    let expected = [
        (Class::Replace, "terraform_data.tainted", CauseKind::Tainted),
        (Class::Delete, "terraform_data.counted[1]", CauseKind::DependsOn),
        (Class::Delete, "terraform_data.deposed", CauseKind::Deposed),
        (Class::Create, "terraform_data.follows", CauseKind::DependsOn),
        (Class::Moved, "terraform_data.new_name", CauseKind::Configuration),
        (Class::Import, "terraform_data.imported", CauseKind::Configuration),
        (Class::Forget, "terraform_data.removed", CauseKind::Configuration),
    ];
    assert_eq!(brief(&findings), expected);
    assert!(findings.iter().all(Finding::fails));
}

#[test]
fn without_an_apply_it_is_pending() {
    let plan = real(DEEDS);
    let findings = find(&plan_only(&plan, &plan));
    let classes: Vec<_> = findings.iter().map(|finding| finding.class).collect();
    let moves = [Class::Moved, Class::Import, Class::Forget];
    assert_eq!(classes, [moves.as_slice(), &[Class::Pending; 4]].concat());
}

#[test]
fn a_plan_that_is_clean_at_once_finds_nothing() {
    let first = empty();
    let rounds = Rounds { without_refresh: None, again: None, ..applied(&first, &first, &first) };
    assert_eq!(find(&rounds), []);
    assert_eq!(verdict(&[]), Verdict::Idempotent);
}

#[test]
fn what_the_provider_rewrites_at_read_is_normalised() {
    let wanted = json!({"id": "i", "policy": r#"{"a":1,"b":[2]}"#});
    let found = json!({"id": "i", "policy": "{\"b\": 2, \"a\": 1}"});
    let finding = only(&applied(&created(&["t.a"]), &empty(), &reverting("t.a", &found, &wanted)));
    assert_eq!((finding.class, finding.cause.kind), (Class::Normalised, CauseKind::Json));
    assert_eq!(finding.paths, ["policy"]);
    assert_eq!(finding.actions, [Action::Update]);
    assert!(finding.fails());
}

#[test]
fn the_same_on_what_the_apply_did_not_touch_is_somebody_elses() {
    let (wanted, found) = (json!({"id": "i", "n": "A"}), json!({"id": "i", "n": "a"}));
    let finding = only(&applied(&created(&["t.b"]), &empty(), &reverting("t.a", &found, &wanted)));
    assert_eq!((finding.class, finding.weight), (Class::Drift, Weight::NoVerdict));
    assert_eq!(finding.cause.kind, CauseKind::Elsewhere);
    assert_eq!(verdict(&[finding]), Verdict::Inconclusive);
}

#[test]
fn a_provider_that_answers_the_apply_with_another_value_is_updated_each_time() {
    let (wanted, found) = (json!({"id": "i", "n": "A"}), json!({"id": "i", "n": "a"}));
    let plan = plan(&json!([change("t.a", "update", &found, &wanted)]), &json!([]));
    let finding = only(&applied(&created(&["t.a"]), &plan, &plan));
    assert_eq!((finding.class, finding.cause.kind), (Class::Update, CauseKind::Case));
    let finding = only(&applied(&created(&["t.a"]), &plan, &empty()));
    assert!(finding.cause.text.contains("a plan with a refresh is empty"), "{:?}", finding.cause);
}

#[test]
fn what_only_the_refresh_adds_to_an_update_is_told_apart() {
    let stored = json!({"id": "i", "time": "1", "tags": {"a": "x"}});
    let wanted = json!({"id": "i", "time": "2", "tags": {"a": "x"}});
    let found = json!({"id": "i", "time": "1", "tags": {"a": "X"}});
    let before = plan(&json!([change("t.a", "update", &stored, &wanted)]), &json!([]));
    let after = plan(
        &json!([change("t.a", "update", &found, &wanted)]),
        &json!([change("t.a", "update", &stored, &found)]),
    );
    let findings = find(&applied(&before, &before, &after));
    let told: Vec<_> = findings.iter().map(|f| (f.class, f.paths.join(" "))).collect();
    assert_eq!(
        told,
        [(Class::Update, "time".to_owned()), (Class::Normalised, "tags.a".to_owned())]
    );
}

#[test]
fn drift_that_nothing_reverts_is_no_finding() {
    let again = plan(
        &json!([change("t.a", "no-op", &json!({"at": 2}), &json!({"at": 2}))]),
        &json!([change("t.a", "update", &json!({"at": 1}), &json!({"at": 2}))]),
    );
    assert!(again.is_empty());
    assert_eq!(find(&applied(&created(&["t.a"]), &empty(), &again)), []);
    assert_eq!(find(&plan_only(&again, &empty())), []);
}

#[test]
fn an_object_that_cannot_be_read_back_is_to_be_created() {
    let object = json!({"id": "i"});
    let again = plan(
        &json!([change("t.a", "create", &json!(null), &object)]),
        &json!([change("t.a", "delete", &object, &json!(null))]),
    );
    let finding = only(&applied(&created(&["t.a"]), &empty(), &again));
    assert_eq!((finding.class, finding.cause.kind), (Class::Create, CauseKind::Vanished));
    let finding = only(&applied(&created(&["t.b"]), &empty(), &again));
    assert_eq!((finding.class, finding.cause.kind), (Class::Drift, CauseKind::Elsewhere));
}

/// `t.a` and `t.b` manage one object, which has the value of the one that wrote last.
fn rivals(loser: &str, winner: &str) -> Plan {
    let object = |value: &str| json!({"id": "same", "v": value});
    plan(
        &json!([
            change(loser, "update", &object(winner), &object(loser)),
            change(winner, "no-op", &object(winner), &object(winner)),
        ]),
        &json!([change(loser, "update", &object(loser), &object(winner))]),
    )
}

#[test]
fn two_resources_that_undo_each_other_are_nobody_elses_drift() {
    let finding = only(&applied(&rivals("t.a", "t.b"), &empty(), &rivals("t.b", "t.a")));
    assert_eq!((finding.class, finding.address.as_str()), (Class::Oscillating, "t.b"));
    assert_eq!((finding.cause.kind, finding.weight), (CauseKind::Rival, Weight::Fails));
    assert!(finding.cause.text.contains("`t.a`"));
    let both = created(&["t.a", "t.b"]);
    let (again, third) = (rivals("t.a", "t.b"), rivals("t.b", "t.a"));
    let finding = only(&applied(&both, &empty(), &again));
    assert_eq!((finding.class, finding.cause.kind), (Class::Normalised, CauseKind::Rival));
    let stored = empty();
    let twice = Rounds { third: Some(&third), ..applied(&both, &stored, &again) };
    let expected = [
        (Class::Oscillating, "t.a", CauseKind::Rival),
        (Class::Oscillating, "t.b", CauseKind::Rival),
    ];
    assert_eq!(brief(&find(&twice)), expected);
}

#[test]
fn resources_with_other_identities_are_no_rivals() {
    let object = |id: &str, value: &str| json!({"id": id, "name": "n", "region": id, "v": value});
    let again = plan(
        &json!([
            change("t.a", "update", &object("1", "b"), &object("1", "a")),
            change("t.b", "no-op", &object("2", "b"), &object("2", "b")),
        ]),
        &json!([change("t.a", "update", &object("1", "a"), &object("1", "b"))]),
    );
    let finding = only(&applied(&created(&["t.b"]), &empty(), &again));
    assert_eq!(finding.class, Class::Drift);
}

#[test]
fn what_a_second_apply_settles_names_what_it_waited_for() {
    let module = json!({"resources": [{"address": "t.a", "expressions": {"v": {"references": ["t.b.v", "t.b"]}}}]});
    let (old, new) = (json!({"id": "a", "v": "1"}), json!({"id": "a", "v": "2"}));
    let stored = wired(&json!([change("t.a", "update", &old, &new)]), &json!([]), &module);
    let (first, third) = (created(&["t.b"]), empty());
    let rounds = Rounds { third: Some(&third), ..applied(&first, &stored, &stored) };
    let finding = only(&rounds);
    assert_eq!((finding.class, finding.cause.kind), (Class::SecondApply, CauseKind::DependsOn));
    assert!(finding.cause.text.contains("`t.b`"), "{:?}", finding.cause);
}

#[test]
fn a_value_that_is_another_at_every_read_oscillates() {
    let object = |value: &str| json!({"id": "i", "v": value});
    let [first, again, third] =
        ["r0", "r1", "r2"].map(|value| reverting("t.a", &object(value), &object("set")));
    let stored = empty();
    let finding = only(&applied(&first, &stored, &again));
    assert_eq!((finding.class, finding.cause.kind), (Class::Oscillating, CauseKind::Restless));
    let creating = created(&["t.a"]);
    assert_eq!(only(&applied(&creating, &stored, &again)).class, Class::Normalised);
    let twice = Rounds { third: Some(&third), ..applied(&creating, &stored, &again) };
    assert_eq!(only(&twice).class, Class::Oscillating);
    let steady = Rounds { third: Some(&again), ..applied(&creating, &stored, &again) };
    assert_eq!(only(&steady).class, Class::Normalised);
}

#[test]
fn another_value_before_is_not_restless_if_another_one_was_wanted() {
    let object = |value: &str| json!({"id": "i", "v": value});
    // The configuration was changed from `Old` to `New`, and the provider writes in lower case.
    let first = plan(&json!([change("t.a", "update", &object("old"), &object("New"))]), &json!([]));
    let again = reverting("t.a", &object("new"), &object("New"));
    let finding = only(&applied(&first, &empty(), &again));
    assert_eq!((finding.class, finding.cause.kind), (Class::Normalised, CauseKind::Case));
}

#[test]
fn what_follows_from_a_value_that_was_read_back_differently_is_our_doing() {
    let module = json!({"resources": [{"address": "t.a", "expressions": {"v": {"references": ["t.b.v", "t.b"]}}}]});
    let (old, new) = (json!({"id": "a", "v": "1"}), json!({"id": "a", "v": "2"}));
    let again = wired(
        &json!([change("t.a", "update", &old, &new)]),
        &json!([change("t.b", "update", &json!({"v": "1"}), &json!({"v": "2"}))]),
        &module,
    );
    let finding = only(&applied(&created(&["t.b"]), &empty(), &again));
    assert_eq!((finding.class, finding.cause.kind), (Class::Normalised, CauseKind::Upstream));
    let finding = only(&applied(&created(&["t.c"]), &empty(), &again));
    assert_eq!((finding.class, finding.weight), (Class::Drift, Weight::NoVerdict));
}

#[test]
fn without_an_apply_drift_fails_and_is_told_from_what_is_pending() {
    let object = |value: &str| json!({"id": "i", "v": value});
    let drifted = reverting("t.a", &object("theirs"), &object("ours"));
    let finding = only(&plan_only(&drifted, &empty()));
    assert_eq!((finding.class, finding.cause.kind), (Class::Drift, CauseKind::Elsewhere));
    assert!(finding.fails());
    let stored =
        plan(&json!([change("t.a", "update", &object("old"), &object("ours"))]), &json!([]));
    let finding = only(&plan_only(&drifted, &stored));
    assert_eq!((finding.class, finding.cause.kind), (Class::Pending, CauseKind::Configuration));
    assert!(finding.cause.text.contains("outside"), "{:?}", finding.cause);
    // Somebody did by hand what the configuration says by now.
    assert_eq!(find(&plan_only(&empty(), &stored)), []);
}

#[test]
fn a_state_that_somebody_else_wrote_hides_everything() {
    let [first, stored, again] = [FIRST, STORED, AGAIN].map(real);
    let rounds = Rounds { moved_by_another: true, ..applied(&first, &stored, &again) };
    let findings = find(&rounds);
    assert_eq!(verdict(&findings), Verdict::Inconclusive);
    let state = findings.iter().find(|finding| finding.class == Class::Drift).unwrap();
    assert_eq!((state.address.as_str(), state.weight), ("", Weight::NoVerdict));
}

#[test]
fn data_is_never_a_finding_but_an_output_made_of_it_is_told() {
    let document = json!({
        "format_version": "1.2",
        "resource_changes": [{"address": "data.t.d", "mode": "data", "type": "t", "change": {"actions": ["read"]}}],
        "output_changes": {"o": {"actions": ["update"], "before": "1", "after": "2", "after_unknown": false}},
        "configuration": {"root_module": {
            "outputs": {"o": {"expression": {"references": ["data.t.d.v", "data.t.d"]}}},
            "resources": [{"address": "data.t.d"}],
        }},
    });
    let again = real(&document.to_string());
    let first = created(&["t.a"]);
    let finding = only(&applied(&first, &again, &again));
    assert_eq!((finding.class, finding.cause.kind), (Class::Output, CauseKind::Restless));
    assert_eq!((finding.weight, verdict(&[finding])), (Weight::Told, Verdict::Idempotent));
    let fail_on = FailOn { output: true, check: false };
    let findings = classify(&applied(&first, &again, &again), &Configuration::default(), fail_on);
    assert_eq!(verdict(&findings), Verdict::NotIdempotent);
}

#[test]
fn required_outputs_have_to_have_a_value() {
    let [first, stored, again] = [FIRST, STORED, AGAIN].map(real);
    let required = ["steady", "nothing", "absent", "chance"].map(str::to_owned);
    let rounds = Rounds { required_outputs: &required, ..applied(&first, &stored, &again) };
    let findings = find(&rounds);
    let missing: Vec<_> = findings
        .iter()
        .filter(|f| f.class == Class::MissingOutput)
        .map(|f| f.address.as_str())
        .collect();
    assert_eq!(missing, ["output.absent", "output.nothing"]);
}

#[test]
fn failing_checks_count_where_they_are_meant_to() {
    let plan = real(
        &json!({"format_version": "1.2", "checks": [
        {"address": {"kind": "check", "to_display": "check.c"}, "status": "fail"}]})
        .to_string(),
    );
    let rounds = Rounds { without_refresh: None, again: None, ..applied(&plan, &plan, &plan) };
    assert_eq!(verdict(&find(&rounds)), Verdict::Idempotent);
    let fail_on = FailOn { output: false, check: true };
    let findings = classify(&rounds, &Configuration::default(), fail_on);
    assert_eq!(verdict(&findings), Verdict::NotIdempotent);
}

#[test]
fn a_replacement_that_only_the_refresh_asks_for_keeps_its_action() {
    let (wanted, found) = (json!({"id": "i", "n": "A"}), json!({"id": "i", "n": "a"}));
    let mut replaced = change("t.a", "delete", &found, &wanted);
    replaced["change"]["actions"] = json!(["delete", "create"]);
    replaced["change"]["replace_paths"] = json!([["n"], ["zone", 0]]);
    replaced["action_reason"] = json!("replace_because_cannot_update");
    let again = plan(&json!([replaced]), &json!([change("t.a", "update", &wanted, &found)]));
    let finding = only(&applied(&created(&["t.a"]), &empty(), &again));
    assert_eq!((finding.class, finding.cause.kind), (Class::Normalised, CauseKind::Case));
    assert_eq!(finding.actions, [Action::Replace]);
    assert_eq!(finding.paths, ["n", "zone[0]"]);
}

#[test]
fn a_name_in_another_case_is_not_something_added() {
    let wanted = json!({"id": "i", "labels": {"Team": "x"}});
    let found = json!({"id": "i", "labels": {"team": "x"}});
    let finding = only(&applied(&created(&["t.a"]), &empty(), &reverting("t.a", &found, &wanted)));
    assert_eq!(finding.cause.kind, CauseKind::Case);
    assert_eq!(finding.paths, ["labels.Team", "labels.team"]);
}

#[test]
fn what_is_filled_in_and_what_is_dropped_are_told_apart() {
    let full = json!({"id": "i", "size": 3});
    let bare = json!({"id": "i", "size": null});
    let cause = |found: &Value, wanted: &Value| {
        only(&applied(&created(&["t.a"]), &empty(), &reverting("t.a", found, wanted))).cause.kind
    };
    assert_eq!(cause(&full, &bare), CauseKind::Default);
    assert_eq!(cause(&bare, &full), CauseKind::Dropped);
    let (none, empty) = (json!({"l": null}), json!({"l": []}));
    assert_eq!(cause(&none, &empty), CauseKind::Spelling);
    let (zero, some) = (json!({"l": 0}), json!({"l": 5}));
    assert_eq!(cause(&some, &zero), CauseKind::Unknown);
}

/// A replacement that `replace_triggered_by` asks for, beside updates of other resources.
fn triggered(others: &[&str]) -> Plan {
    let (old, new) = (json!({"id": "i", "v": "1"}), json!({"id": "i", "v": "2"}));
    let mut replaced = change("module.m[0].t.b", "delete", &old, &old);
    replaced["change"]["actions"] = json!(["delete", "create"]);
    replaced["action_reason"] = json!("replace_by_triggers");
    let others = others.iter().map(|address| change(address, "update", &old, &new));
    let changes: Vec<_> = others.chain([replaced]).collect();
    plan(&json!(changes), &json!([]))
}

#[test]
fn replace_triggered_by_is_told_with_what_it_names_alone() {
    let module = |key: &str, text: &str| ModuleSource {
        key: key.to_owned(),
        is_foreign: false,
        files: vec![SourceFile { path: "/p/main.tf".into(), text: text.to_owned() }],
    };
    let inner = "resource \"t\" \"b\" {\n  lifecycle {\n    replace_triggered_by = [t.a]\n  }\n}\n";
    let configuration = Configuration::of(&[module("", ""), module("m", inner)]);
    let addresses = ["module.m[0].t.a[\"k\"]", "module.m[1].t.a[\"k\"]", "t.a", "module.m[0].t.c"];
    let plan = triggered(&addresses);
    let rounds = applied(&plan, &plan, &plan);
    let text = |configuration: &Configuration| {
        let findings = classify(&rounds, configuration, FailOn::default());
        assert_eq!(findings[0].class, Class::Replace);
        findings[0].cause.text.clone()
    };
    assert_eq!(
        text(&configuration),
        "`replace_triggered_by` names `module.m[0].t.a[\"k\"]`, which would change as well."
    );
    let guess = text(&Configuration::default());
    assert!(guess.contains("perhaps") && guess.contains("`module.m[0].t.c`"), "{guess}");
}

#[test]
fn what_an_attribute_is_not_made_of_is_not_to_blame() {
    let module = json!({"resources": [{"address": "t.a", "expressions": {
        "v": {"references": ["t.b.v", "t.b", "data.t.d.v", "data.t.d"]}}, "depends_on": ["t.c"]}]});
    let (old, new) = (json!({"id": "a", "v": "1"}), json!({"id": "a", "v": "2"}));
    let mut follows = change("t.a", "update", &old, &json!({"id": "a"}));
    follows["change"]["after_unknown"] = json!({"v": true});
    let others = ["t.b", "t.c"].map(|address| change(address, "update", &old, &new));
    let changes: Vec<_> = others.into_iter().chain([follows]).collect();
    let plan = wired(&json!(changes), &json!([]), &module);
    let cause = |text: &str| {
        let findings = find_in(&applied(&plan, &plan, &plan), text);
        findings.into_iter().find(|finding| finding.address == "t.a").unwrap().cause
    };
    let of_b =
        cause("resource \"t\" \"a\" {\n  v = t.b.v\n  w = data.t.d.v\n  depends_on = [t.c]\n}\n");
    assert_eq!(of_b.text, "`v`: made of `t.b`, which would change as well.");
    // A data source may pass on what it depends on.
    let of_data = cause("resource \"t\" \"a\" {\n  v = data.t.d.v\n}\n");
    assert_eq!(of_data.text, "`v`: made of `t.b` and `t.c`, which would change as well.");
    let stored = wired(&json!([change("t.a", "update", &old, &new)]), &json!([]), &module);
    let first = created(&["t.a"]);
    let rounds = applied(&first, &stored, &stored);
    let kind = |text: &str| only_in(&rounds, text).cause.kind;
    assert_eq!(kind(""), CauseKind::Restless);
    assert_eq!(kind("resource \"t\" \"a\" {\n  v = data.t.d.v\n}\n"), CauseKind::Restless);
    assert_eq!(kind("resource \"t\" \"a\" {\n  v = 1\n  w = data.t.d.v\n}\n"), CauseKind::Unknown);
}

#[test]
fn what_one_apply_creates_and_the_next_one_deletes_oscillates() {
    let object = json!({"id": "i"});
    let create = plan(&json!([change("t.a[0]", "create", &json!(null), &object)]), &json!([]));
    let delete = plan(&json!([change("t.a[0]", "delete", &object, &json!(null))]), &json!([]));
    let text = "resource \"t\" \"a\" {\n  count = data.t.d.found ? 0 : 1\n}\n";
    for (first, again) in [(&create, &delete), (&delete, &create)] {
        let rounds = applied(first, again, again);
        assert!([Class::Create, Class::Delete].contains(&only(&rounds).class));
        let finding = only_in(&Rounds { third: Some(first), ..rounds }, text);
        assert_eq!((finding.class, finding.cause.kind), (Class::Oscillating, CauseKind::Restless));
        assert_eq!(finding.actions, [Action::Create, Action::Delete]);
        assert!(finding.cause.text.contains("`data.t.d`"), "{:?}", finding.cause);
    }
}

#[test]
fn what_each_apply_sets_back_oscillates() {
    let object = |value: &str| json!({"id": "i", "v": value});
    let update = |from: &str, to: &str| {
        plan(&json!([change("t.a", "update", &object(from), &object(to))]), &json!([]))
    };
    let (there, back, on) = (update("1", "2"), update("2", "1"), update("2", "3"));
    let first = created(&["t.a"]);
    let swapped = Rounds { third: Some(&back), ..applied(&first, &there, &there) };
    assert_eq!(only(&swapped).class, Class::Oscillating);
    let going_on = Rounds { third: Some(&on), ..applied(&first, &there, &there) };
    assert_eq!(only(&going_on).class, Class::Update);
}

#[test]
fn somebody_elses_change_that_a_second_apply_reverts_stays_theirs() {
    let object = |value: &str| json!({"id": "i", "v": value});
    let again = reverting("t.a", &object("theirs"), &object("ours"));
    let (first, stored, third) = (created(&["t.b"]), empty(), empty());
    let rounds = Rounds { third: Some(&third), ..applied(&first, &stored, &again) };
    let finding = only(&rounds);
    assert_eq!((finding.class, finding.weight), (Class::Drift, Weight::NoVerdict));
    // What is found again after we have written it is no longer somebody else's.
    let rounds = Rounds { third: Some(&again), ..applied(&first, &stored, &again) };
    let finding = only(&rounds);
    assert_eq!((finding.class, finding.weight), (Class::Normalised, Weight::Fails));
}

#[test]
fn a_template_may_call_what_the_configuration_does_not_show() {
    let text =
        "resource \"t\" \"a\" {\n  v = templatefile(\"x.tpl\", {})\n  w = filemd5(\"x\")\n}\n";
    let module = json!({"resources": [{"address": "t.a", "expressions": {"v": {}}}]});
    let old = json!({"id": "i", "v": "1", "w": "1"});
    let mut later = change("t.a", "update", &old, &json!({"id": "i", "w": "1"}));
    later["change"]["after_unknown"] = json!({"v": true});
    let later = wired(&json!([later]), &json!([]), &module);
    let first = created(&["t.a"]);
    let finding = only_in(&applied(&first, &later, &later), text);
    assert_eq!(finding.cause.kind, CauseKind::Function);
    assert!(finding.cause.text.contains("`templatefile()`"), "{:?}", finding.cause);
    let new = json!({"id": "i", "v": "1", "w": "2"});
    let known = wired(&json!([change("t.a", "update", &old, &new)]), &json!([]), &module);
    let finding = only_in(&applied(&first, &known, &known), text);
    assert_eq!(finding.cause.kind, CauseKind::Unknown);
    assert!(finding.cause.hint.contains("`filemd5()`"), "{:?}", finding.cause);
}

#[test]
fn what_is_read_back_may_be_late_or_somebody_elses() {
    let (wanted, bare) = (json!({"id": "i", "v": "1"}), json!({"id": "i", "v": null}));
    let cause = |found: &Value, wanted: &Value| {
        only(&applied(&created(&["t.a"]), &empty(), &reverting("t.a", found, wanted))).cause
    };
    assert!(cause(&bare, &wanted).hint.contains("--settle 1m"));
    assert!(cause(&wanted, &bare).hint.contains("--settle 1m"));
    let other = cause(&json!({"id": "i", "v": "2"}), &wanted);
    assert!(other.text.contains("or somebody changed it meanwhile"), "{other:?}");
    assert!(other.hint.contains("--settle 1m"), "{other:?}");
    // What the apply itself answered does not come late.
    let stored = plan(&json!([change("t.a", "update", &bare, &wanted)]), &json!([]));
    let cause = only(&applied(&created(&["t.a"]), &stored, &stored)).cause;
    assert_eq!(cause.kind, CauseKind::Dropped);
    assert!(!cause.hint.contains("--settle"), "{cause:?}");
}

#[test]
fn without_an_apply_a_provider_is_not_blamed_for_what_was_configured_since() {
    let (more, less) = (json!({"id": "i", "v": "1"}), json!({"id": "i", "v": null}));
    for (there, wanted) in [(&more, &less), (&less, &more)] {
        let pending = plan(&json!([change("t.a", "update", there, wanted)]), &json!([]));
        let finding = only(&plan_only(&pending, &pending));
        assert_eq!((finding.class, finding.cause.kind), (Class::Pending, CauseKind::Configuration));
        let finding = only(&plan_only(&reverting("t.a", there, wanted), &empty()));
        assert_eq!(finding.class, Class::Drift);
        assert!(finding.cause.text.contains("somebody changed it"), "{:?}", finding.cause);
    }
}

#[test]
fn a_block_that_would_also_change_something_is_told_with_both() {
    let (there, wanted) = (json!({"id": "i", "v": null}), json!({"id": "i", "v": "A"}));
    let mut import = change("t.a", "update", &there, &wanted);
    import["change"]["importing"] = json!({"id": "i"});
    let mut moved = change("t.b", "update", &json!({"id": "i", "v": "a"}), &wanted);
    moved["previous_address"] = json!("t.old");
    let mut lost = change("t.c", "delete", &there, &wanted);
    lost["change"]["actions"] = json!(["delete", "create"]);
    lost["previous_address"] = json!("t.gone");
    let plan = plan(&json!([import, moved, lost]), &json!([]));
    let findings = find(&plan_only(&plan, &plan));
    let expected = [
        (Class::Moved, "t.b", CauseKind::Case),
        (Class::Import, "t.a", CauseKind::Configuration),
        (Class::Pending, "t.c", CauseKind::Configuration),
    ];
    assert_eq!(brief(&findings), expected);
    for (finding, block) in findings.iter().zip(["`moved`", "`import`", "`moved`"]) {
        assert!(finding.cause.text.contains(block), "{:?}", finding.cause);
        assert_eq!(finding.paths, ["v"]);
    }
    assert!(findings[1].cause.text.ends_with("The apply would also change `v`."));
    assert_eq!(findings[1].actions, [Action::Update, Action::Import]);
}

#[test]
fn what_is_only_marked_differently_is_told_so() {
    let object = json!({"id": "i", "v": "1"});
    let mut marked = change("t.a", "update", &object, &object);
    marked["change"]["after_sensitive"] = json!({"v": true});
    let again = plan(&json!([marked]), &json!([]));
    let finding = only(&applied(&created(&["t.a"]), &again, &again));
    assert!(finding.cause.text.contains("marked as sensitive"), "{:?}", finding.cause);
    assert_eq!((finding.class, finding.paths), (Class::Update, Vec::new()));
}

/// A plan that changes one output.
fn with_output(change: &Value) -> Plan {
    let document = json!({"format_version": "1.2", "output_changes": {"o": change},
        "configuration": {"root_module": {"outputs": {"o": {"expression": {}}}}}});
    real(&document.to_string())
}

#[test]
fn an_output_is_told_with_what_can_be_done_about_it() {
    let new = with_output(&json!({"actions": ["create"], "before": null, "after": "1"}));
    let finding = only(&plan_only(&new, &new));
    assert!(finding.cause.hint.starts_with("Apply"), "{:?}", finding.cause);
    let first = created(&["t.a"]);
    let other = with_output(&json!({"actions": ["update"], "before": "1", "after": "2"}));
    assert!(only(&applied(&first, &other, &other)).cause.hint.contains("--twice"));
    let text = "output \"o\" {\n  value = file(\"x\")\n}\n";
    let cause = only_in(&applied(&first, &other, &other), text).cause;
    assert!(cause.hint.contains("`file()`"), "{cause:?}");
    let same = json!({"actions": ["update"], "before": "1", "after": "1", "after_sensitive": true});
    let same = with_output(&same);
    let cause = only(&applied(&first, &same, &same)).cause;
    assert!(cause.text.contains("sensitive"), "{cause:?}");
}
