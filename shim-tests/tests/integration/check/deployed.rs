//! `--plan-only`: what is deployed is compared with the configuration and with the state, nothing is applied.

use shim_tests::provider::{Step, Value::Number};
use shim_tests::shim::operations;

use super::{Checked, Stage};

/// A thing with a value.
fn thing(value: &str) -> String {
    format!("resource \"fake_thing\" \"a\" {{\n  value = \"{value}\"\n}}\n")
}

/// Runs a check that only plans, and fails where it did more.
#[track_caller]
fn plan_only(stage: &Stage) -> Checked {
    let serial = || stage.sandbox.has("terraform.tfstate").then(|| stage.state()["serial"].clone());
    let (before, known) = (serial(), stage.cloud().objects());
    let checked = stage.check(&["--plan-only"]);
    assert_eq!((serial(), stage.cloud().objects()), (before, known), "{}", checked.transcript);
    assert!(checked.steps().iter().all(|step| ["plan0", "A"].contains(step)), "{checked:?}");
    assert_eq!(checked.answer["plan_only"], true);
    checked
}

#[test]
fn what_is_deployed_as_configured_needs_one_plan() {
    let Some(stage) = Stage::applied(&thing("1")) else { return };
    let checked = plan_only(&stage);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.steps(), ["plan0"]);
    assert!(!stage.sandbox.store().exists() || operations(&stage.sandbox).is_empty());
}

#[test]
fn it_needs_nobodys_yes() {
    let Some(stage) = Stage::set(&thing("1")) else { return };
    let line = shim_tests::shim::shim(&stage.sandbox, ["check", "--json", "--plan-only"]);
    let checked = stage.checked(line.run());
    checked.assert("not-idempotent", &["pending fake_thing.a - configuration main.tf:1"]);
    assert_eq!(stage.cloud().count(Step::Create, "fake_thing"), 0);
}

#[test]
fn what_was_never_applied_is_pending() {
    let Some(stage) = Stage::set(&thing("1")) else { return };
    let checked = plan_only(&stage);
    checked.assert("not-idempotent", &["pending fake_thing.a - configuration main.tf:1"]);
    assert_eq!(checked.only()["actions"], serde_json::json!(["create"]));
}

#[test]
fn what_was_configured_since_is_pending() {
    let Some(stage) = Stage::applied(&thing("1")) else { return };
    stage.configure(&thing("2"));
    let checked = plan_only(&stage);
    checked.assert("not-idempotent", &["pending fake_thing.a value configuration main.tf:1"]);
    assert_eq!(checked.only()["actions"], serde_json::json!(["update"]));
}

#[test]
fn what_was_taken_out_of_the_configuration_is_pending_and_has_no_line() {
    let Some(stage) = Stage::applied(&thing("1")) else { return };
    stage.configure("");
    plan_only(&stage).assert("not-idempotent", &["pending fake_thing.a - configuration -"]);
}

#[test]
fn what_somebody_else_changed_is_drift() {
    let Some(stage) = Stage::applied(&thing("1")) else { return };
    stage.cloud().set("thing-1", "value", "2");
    let checked = plan_only(&stage);
    checked.assert("not-idempotent", &["drift fake_thing.a value elsewhere main.tf:1"]);
    assert_eq!(checked.steps(), ["plan0", "A"]);
}

#[test]
fn what_somebody_else_deleted_is_drift() {
    let Some(stage) = Stage::applied(&thing("1")) else { return };
    stage.cloud().delete("thing-1");
    plan_only(&stage).assert("not-idempotent", &["drift fake_thing.a - elsewhere main.tf:1"]);
}

#[test]
fn what_is_pending_and_what_is_drift_are_told_apart() {
    let two = |value: &str| thing(value) + &thing("1").replace("\"a\"", "\"b\"");
    let Some(stage) = Stage::applied(&two("1")) else { return };
    stage.configure(&two("2"));
    let of_b = stage.state()["resources"][1]["instances"][0]["attributes"]["id"].clone();
    stage.cloud().set(super::text(&of_b), "value", "3");
    let findings = [
        "pending fake_thing.a value configuration main.tf:1",
        "drift fake_thing.b value elsewhere main.tf:4",
    ];
    plan_only(&stage).assert("not-idempotent", &findings);
}

#[test]
fn what_is_pending_and_was_changed_by_somebody_else_too_is_told_so() {
    let two = |value: &str| {
        format!("resource \"fake_thing\" \"a\" {{\n  value = \"{value}\"\n  number = 1\n}}\n")
    };
    let Some(stage) = Stage::applied(&two("1")) else { return };
    stage.configure(&two("2"));
    stage.cloud().set("thing-1", "number", Number(7.0));
    let checked = plan_only(&stage);
    checked
        .assert("not-idempotent", &["pending fake_thing.a number,value configuration main.tf:1"]);
    let cause = super::text(&checked.only()["cause"]);
    assert!(cause.contains("outside"), "{cause}");
}

#[test]
fn drift_that_no_configuration_minds_is_none() {
    let Some(stage) = Stage::applied(&thing("1")) else { return };
    stage.cloud().set("thing-1", "etag", "other");
    plan_only(&stage).assert("idempotent", &[]);
}

#[test]
fn what_the_provider_rewrites_is_drift_with_a_cause() {
    let configuration =
        "resource \"fake_normalised\" \"a\" {\n  mode  = \"case\"\n  value = \"X\"\n}\n";
    let Some(stage) = Stage::applied(configuration) else { return };
    plan_only(&stage).assert("not-idempotent", &["drift fake_normalised.a value case main.tf:1"]);
}

#[test]
fn a_moved_block_that_was_not_carried_out_is_found() {
    let Some(stage) = Stage::applied(&thing("1")) else { return };
    let moved = thing("1").replace("\"a\"", "\"b\"")
        + "moved {\n  from = fake_thing.a\n  to   = fake_thing.b\n}\n";
    stage.configure(&moved);
    plan_only(&stage).assert("not-idempotent", &["moved fake_thing.b - configuration main.tf:1"]);
}

#[test]
fn an_import_block_that_was_not_carried_out_is_found() {
    let Some(stage) = Stage::set("") else { return };
    let id = stage.cloud().insert("fake_thing", [("value", "1".into())]);
    stage
        .configure(&format!("{}import {{\n  to = fake_thing.a\n  id = \"{id}\"\n}}\n", thing("1")));
    plan_only(&stage).assert("not-idempotent", &["import fake_thing.a - configuration main.tf:1"]);
}

#[test]
fn an_import_block_that_would_also_change_something_is_told_with_both() {
    let Some(stage) = Stage::set("") else { return };
    let id = stage.cloud().insert("fake_thing", [("number", Number(1.0))]);
    stage
        .configure(&format!("{}import {{\n  to = fake_thing.a\n  id = \"{id}\"\n}}\n", thing("2")));
    let checked = plan_only(&stage);
    checked.assert("not-idempotent", &["import fake_thing.a number,value configuration main.tf:1"]);
    let cause = super::text(&checked.only()["cause"]);
    assert!(cause.contains("`import`") && cause.contains("`value`"), "{cause}");
    assert_eq!(checked.only()["actions"], serde_json::json!(["update", "import"]));
}

#[test]
fn an_attribute_that_is_new_in_the_configuration_is_pending_and_not_dropped() {
    let Some(stage) = Stage::applied("resource \"fake_thing\" \"a\" {}\n") else { return };
    stage.configure(&thing("1"));
    plan_only(&stage)
        .assert("not-idempotent", &["pending fake_thing.a value configuration main.tf:1"]);
}

#[test]
fn an_output_that_is_new_in_the_configuration_wants_an_apply() {
    let Some(stage) = Stage::applied(&thing("1")) else { return };
    stage.configure(&(thing("1") + "output \"o\" {\n  value = \"new\"\n}\n"));
    let checked = plan_only(&stage);
    checked.assert("idempotent", &["output output.o - unknown main.tf:4"]);
    let hint = super::text(&checked.only()["hint"]);
    assert!(hint.starts_with("Apply") && !hint.contains("--twice"), "{hint}");
}

#[test]
fn a_removed_block_that_was_not_carried_out_is_found_where_it_stands() {
    let Some(stage) = Stage::applied(&thing("1")) else { return };
    stage.configure(
        "# Kept.\nremoved {\n  from = fake_thing.a\n  lifecycle {\n    destroy = false\n  }\n}\n",
    );
    plan_only(&stage).assert("not-idempotent", &["forget fake_thing.a - configuration main.tf:2"]);
}

#[test]
fn moved_import_and_forget_are_settled_by_an_apply() {
    let Some(stage) = Stage::applied(&(thing("1") + &thing("1").replace("\"a\"", "\"gone\"")))
    else {
        return;
    };
    let id = stage.cloud().insert("fake_thing", [("value", "2".into())]);
    let blocks = format!(
        r#"resource "fake_thing" "b" {{
  value = "1"
}}
resource "fake_thing" "c" {{
  value = "2"
}}
moved {{
  from = fake_thing.a
  to   = fake_thing.b
}}
import {{
  to = fake_thing.c
  id = "{id}"
}}
removed {{
  from = fake_thing.gone
  lifecycle {{
    destroy = false
  }}
}}
"#
    );
    stage.configure(&blocks);
    let findings = [
        "moved fake_thing.b - configuration main.tf:1",
        "import fake_thing.c - configuration main.tf:4",
        "forget fake_thing.gone - configuration main.tf:15",
    ];
    plan_only(&stage).assert("not-idempotent", &findings);
    let checked = stage.check(&[]);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.steps(), ["plan0", "apply", "A", "B"]);
    stage.check(&["--plan-only"]).assert("idempotent", &[]);
}

#[test]
fn what_the_last_apply_left_tainted_is_told_so() {
    let Some(stage) = Stage::applied(&thing("1")) else { return };
    stage.terraform(["taint", "fake_thing.a"]).assert_status(0);
    let checked = plan_only(&stage);
    checked.assert("not-idempotent", &["pending fake_thing.a - tainted main.tf:1"]);
    assert_eq!(checked.only()["actions"], serde_json::json!(["replace"]));
    stage.check(&[]).assert("idempotent", &[]);
}

#[test]
fn an_old_object_that_could_not_be_deleted_is_told_so_and_cleaned_up_by_an_apply() {
    let with = |name: &str| {
        format!(
            "resource \"fake_thing\" \"a\" {{\n  name = \"{name}\"\n  lifecycle {{\n    \
             create_before_destroy = true\n  }}\n}}\n"
        )
    };
    let Some(stage) = Stage::applied(&with("a")) else { return };
    stage.configure(&with("b"));
    stage.cloud().fail_next(Step::Delete);
    stage.terraform(["apply", "-auto-approve"]).assert_status(1);
    let checked = plan_only(&stage);
    checked.assert("not-idempotent", &["pending fake_thing.a - deposed main.tf:1"]);
    assert_eq!(checked.only()["actions"], serde_json::json!(["delete"]));
    stage.check(&[]).assert("idempotent", &[]);
    assert_eq!(stage.cloud().ids("fake_thing"), ["thing-2"]);
}

#[test]
fn a_function_of_time_is_pending_for_a_reason() {
    let configuration = "resource \"terraform_data\" \"a\" {\n  input = timestamp()\n}\n";
    let Some(stage) = Stage::applied(configuration) else { return };
    plan_only(&stage)
        .assert("not-idempotent", &["pending terraform_data.a input function main.tf:1"]);
}
