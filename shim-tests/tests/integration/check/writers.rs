//! Somebody else at work meanwhile: what they did is not held against the configuration, and hides the
//! answer.

use shim_tests::provider::Step;
use shim_tests::shim::{serial, with_serial};

use super::{Checked, Stage, text};

/// A thing that is there when the check begins, and one that its apply makes.
const TWO: &str = r#"resource "fake_thing" "a" {
  value = "1"
}
resource "fake_thing" "b" {
  value = "2"
}
"#;

/// Sets a stage on which `a` is applied already and `b` is not.
fn stage() -> Option<Stage> {
    let stage = Stage::applied(TWO.split_inclusive("}\n").next().unwrap())?;
    stage.configure(TWO);
    stage.cloud().forget_calls();
    Some(stage)
}

/// Checks, and lets `strike` happen while the apply is at work.
fn struck_at_apply(stage: &Stage, args: &[&str], strike: impl FnOnce()) -> Checked {
    stage.cloud().hold(Step::Create);
    let running = stage.prepare(args).start();
    stage.wait_for(Step::Create, "fake_thing", 1);
    strike();
    stage.cloud().release(Step::Create);
    stage.checked(running.finish())
}

/// Checks, and lets `strike` happen between the apply and B: while A has read the state and waits for the
/// provider.
fn struck_before_the_plan_with_refresh(stage: &Stage, strike: impl FnOnce()) -> Checked {
    stage.cloud().hold(Step::Create);
    let running = stage.prepare(&[]).start();
    stage.wait_for(Step::Create, "fake_thing", 1);
    let planned = stage.cloud().count(Step::Plan, "fake_thing");
    stage.cloud().hold(Step::Plan);
    stage.cloud().release(Step::Create);
    stage.wait_for(Step::Plan, "fake_thing", planned + 2);
    strike();
    stage.cloud().release(Step::Plan);
    stage.checked(running.finish())
}

/// Writes the state as another Terraform does that changes nothing else.
fn move_serial(stage: &Stage) {
    let left = stage.sandbox.read("terraform.tfstate");
    stage.sandbox.write("terraform.tfstate", with_serial(&left, serial(&left) + 7));
}

#[test]
fn a_change_of_what_the_apply_did_not_touch_leaves_no_verdict() {
    let Some(stage) = stage() else { return };
    let checked = struck_at_apply(&stage, &[], || stage.cloud().set("thing-1", "value", "other"));
    checked.assert("inconclusive", &["drift fake_thing.a value elsewhere main.tf:1"]);
    assert_eq!(checked.only()["weight"], "no-verdict");
}

#[test]
fn a_deletion_of_what_the_apply_did_not_touch_leaves_no_verdict() {
    let Some(stage) = stage() else { return };
    let checked = struck_at_apply(&stage, &[], || {
        stage.cloud().delete("thing-1");
    });
    checked.assert("inconclusive", &["drift fake_thing.a - elsewhere main.tf:1"]);
}

#[test]
fn a_finding_beside_the_drift_is_a_verdict_all_the_same() {
    let Some(stage) = stage() else { return };
    stage.configure(&[TWO, "resource \"terraform_data\" \"c\" {\n  input = uuid()\n}\n"].concat());
    let checked = struck_at_apply(&stage, &[], || stage.cloud().set("thing-1", "value", "other"));
    let findings = [
        "update terraform_data.c input function main.tf:7",
        "drift fake_thing.a value elsewhere main.tf:1",
    ];
    checked.assert("not-idempotent", &findings);
}

#[test]
fn drift_can_be_accepted() {
    let Some(stage) = stage() else { return };
    let args = ["--accept", "fake_thing.a:value"];
    let checked = struck_at_apply(&stage, &args, || stage.cloud().set("thing-1", "value", "other"));
    let finding =
        "drift fake_thing.a value elsewhere main.tf:1 accepted: given on the command line";
    checked.assert("idempotent", &[finding]);
}

#[test]
fn a_change_of_what_no_configuration_minds_is_nothing() {
    let Some(stage) = stage() else { return };
    let checked = struck_at_apply(&stage, &[], || stage.cloud().set("thing-1", "etag", "other"));
    checked.assert("idempotent", &[]);
}

#[test]
fn a_state_that_was_written_meanwhile_leaves_no_verdict() {
    let Some(stage) = stage() else { return };
    let checked = struck_before_the_plan_with_refresh(&stage, || {
        move_serial(&stage);
    });
    checked.assert("inconclusive", &["drift - - elsewhere -"]);
    assert!(text(&checked.only()["cause"]).contains("wrote the state"), "{checked:?}");
}

#[test]
fn another_terraform_that_changes_the_state_meanwhile_leaves_no_verdict() {
    let Some(stage) = stage() else { return };
    let checked = struck_before_the_plan_with_refresh(&stage, || {
        stage.terraform(["state", "rm", "-lock=false", "fake_thing.b"]).assert_status(0);
    });
    assert!(checked.findings().contains(&"drift - - elsewhere -".to_owned()), "{checked:?}");
    assert_eq!(checked.answer["verdict"], "inconclusive", "{checked:?}");
    checked.transcript.assert_status(4);
}

#[test]
fn nothing_accepts_a_state_that_somebody_else_wrote() {
    let Some(stage) = stage() else { return };
    stage
        .sandbox
        .write(".tf-shim.toml", "[[check.accept]]\naddress = \"*\"\nreason = \"everything\"\n");
    let checked = struck_before_the_plan_with_refresh(&stage, || {
        move_serial(&stage);
    });
    assert_eq!(checked.answer["verdict"], "inconclusive", "{checked:?}");
    checked.transcript.assert_status(4);
}
