//! Plans of Terraform 1.11.4, with `planned_values` and the prior state's resources taken out; and small
//! ones by hand for what the builtin provider cannot do.

use serde_json::{Value, json};

use super::{Action, Counts, Plan, PlanError, Presence, Reason, without_keys};

const CLOCK: &str = include_str!("../../check/plans/clock-again.json");
const DEEDS: &str = include_str!("../../check/plans/deeds.json");

fn real(text: &str) -> Plan {
    Plan::parse(text.as_bytes()).unwrap()
}

fn parse(mut document: Value) -> Result<Plan, PlanError> {
    if document.get("format_version").is_none() {
        document["format_version"] = json!("1.2");
    }
    Plan::parse(document.to_string().as_bytes())
}

fn actions_of<'a>(plan: &'a Plan, address: &str) -> Vec<&'a [Action]> {
    let found = plan.changes.iter().filter(|change| change.address == address);
    found.map(|change| change.actions.as_slice()).collect()
}

#[test]
fn a_move_and_an_import_are_actions_although_terraform_says_no_op() {
    let plan = real(DEEDS);
    assert_eq!(actions_of(&plan, "terraform_data.new_name"), [[Action::Move]]);
    assert_eq!(actions_of(&plan, "terraform_data.imported"), [[Action::Import]]);
    assert_eq!(actions_of(&plan, "terraform_data.removed"), [[Action::Forget]]);
    assert_eq!(actions_of(&plan, "terraform_data.tainted"), [[Action::Replace]]);
    let deposed = plan.changes.iter().find(|change| change.deposed.is_some()).unwrap();
    assert_eq!(
        (deposed.deposed.as_deref(), deposed.actions.as_slice()),
        (Some("0011aabb"), &[Action::Delete][..])
    );
    let reasons: Vec<_> = plan.changes.iter().filter_map(|change| change.reason).collect();
    assert!(reasons.contains(&Reason::Tainted) && reasons.contains(&Reason::CountIndex));
}

#[test]
fn objects_are_counted_as_terraform_counts_them() {
    assert_eq!(real(DEEDS).counts(), Counts { create: 2, update: 0, delete: 3 });
    assert_eq!(real(CLOCK).counts(), Counts { create: 2, update: 4, delete: 2 });
}

#[test]
fn managed_instances_are_listed_once_and_data_is_not() {
    let addresses = real(DEEDS).managed_addresses();
    assert_eq!(addresses.iter().filter(|a| *a == "terraform_data.deposed").count(), 1);
    assert!(addresses.iter().all(|address| !address.starts_with("data.")));
    assert!(addresses.contains(&"terraform_data.counted[1]".to_owned()));
}

#[test]
fn applyable_decides_and_is_computed_where_it_is_missing() {
    let drift = json!([{"address": "t.n", "mode": "managed", "type": "t",
        "change": {"actions": ["update"], "before": {"x": 1}, "after": {"x": 2}}}]);
    assert!(parse(json!({"resource_drift": drift})).unwrap().is_empty());
    let moved = json!([{"address": "t.b", "previous_address": "t.a", "mode": "managed", "type": "t",
        "change": {"actions": ["no-op"]}}]);
    assert!(!parse(json!({"resource_changes": moved})).unwrap().is_empty());
    assert!(parse(json!({"resource_changes": moved, "applyable": false})).unwrap().is_empty());
    let output = json!({"o": {"actions": ["update"]}});
    assert!(!parse(json!({"output_changes": output})).unwrap().is_empty());
    let read = json!([{"address": "data.t.n", "mode": "data", "type": "t", "change": {"actions": ["read"]}}]);
    assert!(parse(json!({"resource_changes": read})).unwrap().is_empty());
}

#[test]
fn pairs_of_actions_are_replacements_unless_one_is_forgotten() {
    for (words, expected) in [
        (json!(["delete", "create"]), vec![Action::Replace]),
        (json!(["create", "delete"]), vec![Action::Replace]),
        (json!(["create", "forget"]), vec![Action::Create, Action::Forget]),
        (json!(["forget", "create"]), vec![Action::Create, Action::Forget]),
        (json!(["no-op"]), vec![]),
    ] {
        let changes = json!([{"address": "t.n", "type": "t", "change": {"actions": words}}]);
        let plan = parse(json!({"resource_changes": changes})).unwrap();
        assert_eq!(plan.changes.first().unwrap().actions, expected);
    }
}

#[test]
fn what_is_no_plan_of_ours_is_an_error_that_quotes_nothing() {
    assert_eq!(
        parse(json!({"format_version": "2.0"})).unwrap_err(),
        PlanError::Format("2.0".to_owned())
    );
    assert_eq!(Plan::parse(b"{}").unwrap_err(), PlanError::NoPlan);
    let odd = json!([{"address": "t.n", "type": "t", "change": {"actions": ["explode"]}}]);
    assert_eq!(parse(json!({"resource_changes": odd})).unwrap_err(), PlanError::Action);
    let wrong = Plan::parse(br#"{"format_version": "1.2", "applyable": "C4N4RY"}"#).unwrap_err();
    assert!(!wrong.to_string().contains("C4N4RY") && !format!("{wrong:?}").contains("C4N4RY"));
}

#[test]
fn null_members_are_empty_ones() {
    let plan = parse(json!({"resource_changes": null, "checks": null, "prior_state": null,
        "configuration": {"root_module": null}, "output_changes": null}))
    .unwrap();
    assert!(plan.is_empty() && plan.changes.is_empty());
}

#[test]
fn sensitive_values_are_found_wherever_they_are_marked() {
    let plan = real(CLOCK);
    let expected = ["sensitive-literal", "sensitive-output", "sensitive-variable"];
    assert_eq!(plan.sensitive_values(), expected);
    let state = json!({"values": {"outputs": {"o": {"sensitive": true, "value": {"deep": [7]}}},
        "root_module": {"child_modules": [{"resources": [{"values": {"a": "in-data", "b": "open", "set": ["x", "y"]},
            "sensitive_values": {"a": true, "set": [true]}}]}]}}});
    let plan = parse(json!({"prior_state": state})).unwrap();
    assert_eq!(plan.sensitive_values(), ["7", "in-data", "x", "y"]);
}

#[test]
fn a_plan_does_not_show_its_values() {
    let shown = format!("{:?}", real(CLOCK));
    assert!(shown.contains("terraform_data.time"));
    for value in ["sensitive-", "2026-"] {
        assert!(!shown.contains(value), "{shown}");
    }
}

#[test]
fn outputs_are_missing_unknown_null_or_there() {
    let plan = real(CLOCK);
    assert_eq!(plan.presence("steady"), Presence::Known);
    assert_eq!(plan.presence("nothing"), Presence::Null);
    assert_eq!(plan.presence("none"), Presence::Undeclared);
    // It will be another value, but the state has one.
    assert_eq!(plan.presence("chance"), Presence::Known);
    assert_eq!(real(DEEDS).presence("unknown"), Presence::Unknown);
    let configuration = json!({"root_module": {"outputs": {"a": {}, "b": {}}}});
    let state = json!({"values": {"outputs": {"a": {"value": 1}}}});
    let limited = parse(json!({"configuration": configuration, "prior_state": state})).unwrap();
    assert_eq!(limited.presence("a"), Presence::Known);
    assert_eq!(limited.presence("b"), Presence::Missing);
}

#[test]
fn only_check_blocks_are_checks_and_each_instance_is_named() {
    assert_eq!(real(CLOCK).failing_checks, ["check.inner", r#"module.m["a.b"].check.deep"#]);
    let checks = json!([{"address": {"kind": "resource", "to_display": "t.n"}, "status": "fail"},
        {"address": {"kind": "check", "to_display": "check.a"}, "status": "error"},
        {"address": {"kind": "check", "to_display": "check.b"}, "status": "unknown"}]);
    assert_eq!(parse(json!({"checks": checks})).unwrap().failing_checks, ["check.a"]);
}

#[test]
fn references_lead_through_modules_and_end_at_locals() {
    let wiring = real(CLOCK).wiring;
    let sources = wiring.sources(r#"module.m["a.b"].terraform_data.x"#);
    assert_eq!(sources.resources.into_iter().collect::<Vec<_>>(), ["terraform_data.time"]);
    assert!(!sources.is_cut);
    let sources = wiring.sources("output.of_time");
    assert_eq!(sources.resources.into_iter().collect::<Vec<_>>(), ["module.m.terraform_data.x"]);
    assert!(wiring.sources("terraform_data.local").is_cut);
    let wiring = real(DEEDS).wiring;
    let sources = wiring.sources("output.data").resources;
    assert_eq!(
        sources.into_iter().collect::<Vec<_>>(),
        ["data.terraform_remote_state.pending", "terraform_data.follows"]
    );
}

#[test]
fn configured_attributes_are_known() {
    let wiring = real(CLOCK).wiring;
    assert!(wiring.configures("terraform_data.time", &[json!("input")]));
    assert!(!wiring.configures("terraform_data.time", &[json!("output")]));
    let resources = json!([{"address": "t.n", "expressions": {"rule": [{"port": {"constant_value": 1}}]}},
        {"address": "t.bare", "expressions": {}}]);
    let configuration = json!({"root_module": {"resources": resources}});
    let wiring = parse(json!({"configuration": configuration})).unwrap().wiring;
    assert!(wiring.configures("t.n[\"k\"]", &[json!("rule"), json!(3), json!("port")]));
    assert!(!wiring.configures("t.n", &[json!("rule"), json!(0), json!("id")]));
    assert!(!wiring.configures("t.bare", &[json!("id")]));
}

#[test]
fn keys_are_taken_out_of_addresses() {
    assert_eq!(without_keys(r#"module.m["a.b]\"["].t.n[0]"#), "module.m.t.n");
    assert_eq!(without_keys("t.n"), "t.n");
}

#[test]
fn five_thousand_resources_are_read_in_a_moment() {
    let attributes: Value = (0..20)
        .map(|n| (format!("attribute_{n}"), json!("x".repeat(40))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let changes: Vec<_> = (0..5_000)
        .map(|n| {
            json!({"address": format!("t.n[{n}]"), "mode": "managed", "type": "t",
            "change": {"actions": ["no-op"], "before": attributes, "after": attributes}})
        })
        .collect();
    let text = json!({"format_version": "1.2", "resource_changes": changes}).to_string();
    let began = std::time::Instant::now();
    let plan = Plan::parse(text.as_bytes()).unwrap();
    assert_eq!(plan.managed_addresses().len(), 5_000);
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}
