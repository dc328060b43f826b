//! What is found beside resources: outputs that change, outputs without a value, checks that fail.

use super::{Stage, finds, text};

/// An output of a data source that is another one at every read.
const RESTLESS_OUTPUT: &str = r#"data "fake_random_data" "r" {}

output "r" {
  value = data.fake_random_data.r.value
}
"#;

#[test]
fn an_output_that_changes_is_told_and_does_not_fail() {
    let Some(stage) = Stage::set(RESTLESS_OUTPUT) else { return };
    let checked = stage.check(&[]);
    checked.assert("idempotent", &["output output.r - restless main.tf:3"]);
    assert_eq!(checked.only()["weight"], "told");
}

#[test]
fn an_output_that_changes_fails_where_it_is_meant_to() {
    let finding = ["output output.r - restless main.tf:3"];
    finds(RESTLESS_OUTPUT, &["--fail-on", "output"], &finding);
}

#[test]
fn an_output_with_a_function_of_time_is_told_so() {
    finds(
        "output \"now\" {\n  value = timestamp()\n}\n",
        &["--fail-on=output"],
        &["output output.now - function main.tf:1"],
    );
}

#[test]
fn an_output_of_something_that_was_found_is_not_found_again() {
    let configuration = r#"resource "terraform_data" "a" {
  input = timestamp()
}
output "now" {
  value = terraform_data.a.output
}
"#;
    let findings = ["update terraform_data.a input function main.tf:1"];
    finds(configuration, &["--fail-on=output"], &findings);
}

#[test]
fn an_output_that_changes_can_be_accepted() {
    let Some(stage) = Stage::set(RESTLESS_OUTPUT) else { return };
    let checked = stage.check(&["--fail-on=output", "--accept", "output.r"]);
    let finding = "output output.r - restless main.tf:3 accepted: given on the command line";
    checked.assert("idempotent", &[finding]);
}

/// A check that fails.
const FAILING_CHECK: &str = r#"
check "health" {
  assert {
    condition     = terraform.workspace == "well"
    error_message = "not well"
  }
}
"#;

#[test]
fn a_check_that_fails_is_told_and_does_not_fail() {
    let Some(stage) = Stage::set(FAILING_CHECK) else { return };
    let checked = stage.check(&[]);
    checked.assert("idempotent", &["check check.health - configuration main.tf:2"]);
    let hint = text(&checked.only()["hint"]);
    assert!(hint.contains("Run `terraform plan`") && hint.contains("--fail-on check"), "{hint}");
}

#[test]
fn a_check_that_fails_fails_where_it_is_meant_to() {
    let finding = ["check check.health - configuration main.tf:2"];
    finds(FAILING_CHECK, &["--fail-on", "output,check"], &finding);
}

#[test]
fn required_outputs_need_a_value() {
    let configuration = r#"output "endpoint" {
  value = terraform_data.a.id
}
output "nothing" {
  value = null
}
output "later" {
  value = timestamp()
}
resource "terraform_data" "a" {}
"#;
    let Some(stage) = Stage::set(configuration) else { return };
    stage
        .sandbox
        .write(".tf-shim.toml", "[check]\noutputs = [\"endpoint\", \"nothing\", \"absent\"]\n");
    let checked = stage.check(&[]);
    let findings = [
        "missing-output output.absent - configuration -",
        "missing-output output.nothing - configuration main.tf:4",
        "output output.later - function main.tf:7",
    ];
    checked.assert("not-idempotent", &findings);
    let cause = |at: usize| text(&checked.answer["findings"][at]["cause"]).to_owned();
    assert_ne!(cause(0), cause(1), "what is not declared and what is null are two things");
}

#[test]
fn required_outputs_that_have_a_value_are_no_finding() {
    let configuration = "output \"endpoint\" {\n  value = terraform_data.a.id\n}\nresource \
                         \"terraform_data\" \"a\" {}\n";
    let Some(stage) = Stage::set(configuration) else { return };
    stage.sandbox.write(".tf-shim.toml", "[check]\noutputs = [\"endpoint\"]\n");
    stage.check(&[]).assert("idempotent", &[]);
    stage.check(&["--plan-only"]).assert("idempotent", &[]);
}

#[test]
fn a_required_output_that_was_never_applied_is_missing() {
    let configuration = "output \"endpoint\" {\n  value = terraform_data.a.id\n}\nresource \
                         \"terraform_data\" \"a\" {}\n";
    let Some(stage) = Stage::set(configuration) else { return };
    stage.sandbox.write(".tf-shim.toml", "[check]\noutputs = [\"endpoint\"]\n");
    let checked = stage.check(&["--plan-only"]);
    let missing = "missing-output output.endpoint - configuration main.tf:1".to_owned();
    assert!(checked.findings().contains(&missing), "{}", checked.transcript);
    checked.transcript.assert_status(2);
}
