//! Configurations that are idempotent: no finding, status 0.

use shim_tests::provider::Step;
use shim_tests::shim::operations;

use super::Stage;

/// Fails unless a configuration is idempotent after an apply of the check.
#[track_caller]
fn is_at_peace(configuration: &str, args: &[&str]) {
    let Some(stage) = Stage::set(configuration) else { return };
    let checked = stage.check(args);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.steps(), ["plan0", "apply", "A", "B"]);
}

#[test]
fn what_is_clean_at_once_is_not_applied() {
    let Some(stage) = Stage::applied("resource \"fake_thing\" \"a\" {\n  value = \"1\"\n}\n")
    else {
        return;
    };
    let known = stage.sandbox.read("terraform.tfstate");
    let checked = stage.check(&[]);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.steps(), ["plan0"]);
    assert_eq!(checked.answer["end"]["how"], "clean-at-once");
    assert!(!stage.sandbox.store().exists() || operations(&stage.sandbox).is_empty());
    assert!(known == stage.sandbox.read("terraform.tfstate"));
}

#[test]
fn an_empty_configuration() {
    let Some(stage) = Stage::set("") else { return };
    stage.check(&[]).assert("idempotent", &[]);
}

#[test]
fn one_of_everything() {
    is_at_peace(
        r#"
resource "fake_thing" "a" {
  name    = "a"
  value   = "1"
  tags    = { team = "x" }
  labels  = ["m", "l"]
  items   = ["z", "y"]
  json    = jsonencode({ b = 1 })
  number  = 1.5
  enabled = true
  rule {
    port = 80
  }
}
resource "terraform_data" "b" {
  input            = { thing = fake_thing.a.etag }
  triggers_replace = [fake_thing.a.id]
}
"#,
        &[],
    );
}

#[test]
fn modules_with_keys_and_numbers() {
    let Some(stage) = Stage::set(
        r#"
module "by_key" {
  source   = "./m"
  for_each = { one = "1", two = "2" }
  value    = each.value
}
module "by_number" {
  source = "./m"
  count  = 2
  value  = count.index
}
output "values" {
  value = [for m in module.by_key : m.value]
}
"#,
    ) else {
        return;
    };
    let module = r#"
terraform {
  required_providers {
    fake = {
      source = "test/fake"
    }
  }
}
variable "value" {}
resource "fake_thing" "t" {
  for_each = toset(["x", "y"])
  value    = "${each.key} ${var.value}"
}
output "value" {
  value = fake_thing.t["x"].value
}
"#;
    stage.install("m", module);
    let checked = stage.check(&[]);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.answer["resources"], 8);
}

#[test]
fn a_data_source_of_what_is_made_in_the_same_apply() {
    is_at_peace(
        r#"
resource "fake_thing" "a" {
  name  = "a"
  value = "1"
}
data "fake_lookup" "a" {
  name       = fake_thing.a.name
  depends_on = [fake_thing.a]
}
resource "fake_thing" "b" {
  value = data.fake_lookup.a.value
}
"#,
        &[],
    );
}

#[test]
fn a_data_source_that_changes_and_that_nobody_uses() {
    is_at_peace("data \"fake_random_data\" \"r\" {}\nresource \"fake_thing\" \"a\" {}\n", &[]);
}

#[test]
fn checks_and_conditions_that_pass() {
    is_at_peace(
        r#"
resource "fake_thing" "a" {
  value = "1"
  lifecycle {
    postcondition {
      condition     = self.value == "1"
      error_message = "no"
    }
  }
}
check "a" {
  data "fake_lookup" "none" {
    name = "nothing"
  }
  assert {
    condition     = !data.fake_lookup.none.found
    error_message = "no"
  }
}
"#,
        &["--fail-on", "check"],
    );
}

#[test]
fn an_ephemeral_variable_is_given_to_the_apply_again() {
    let configuration = r#"
variable "token" {
  type      = string
  ephemeral = true
}
resource "fake_secret" "a" {
  secret_wo         = var.token
  secret_wo_version = 1
}
"#;
    let Some(stage) = Stage::set(configuration) else { return };
    stage.prepare(&["--", "-var", "token=t0ken"]).run().assert_status(0);
    assert_eq!(stage.cloud().attribute("secret-1", "secret_wo"), "t0ken".into());
    let checked = stage.check(&["--", "-var=token=0ther"]);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.steps(), ["plan0"], "another write-only value is no change");
}

#[test]
fn an_ephemeral_resource_and_what_is_write_only() {
    is_at_peace(
        r#"
provider "fake" {
  alias = "opener"
}
ephemeral "fake_token" "t" {
  provider = fake.opener
}
provider "fake" {
  token = ephemeral.fake_token.t.token
}
resource "fake_secret" "a" {
  password          = "Passw0rd"
  secret_wo         = ephemeral.fake_token.t.token
  secret_wo_version = 1
}
"#,
        &[],
    );
}

#[test]
fn a_computed_attribute_that_drifts_all_the_time() {
    is_at_peace("resource \"fake_counter\" \"a\" {\n  value = \"v\"\n}\n", &[]);
}

#[test]
fn outputs_sensitive_ones_and_empty_ones_too() {
    is_at_peace(
        r#"
variable "secret" {
  sensitive = true
  default   = "s3cret"
}
resource "fake_thing" "a" {
  value = var.secret
}
output "sensitive" {
  value     = fake_thing.a.value
  sensitive = true
}
output "nothing" {
  value = null
}
output "list" {
  value = [fake_thing.a.id, fake_thing.a.etag]
}
"#,
        &["--fail-on", "output"],
    );
}

#[test]
fn a_second_apply_of_what_is_at_peace_changes_nothing() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {\n  value = \"1\"\n}\n") else {
        return;
    };
    stage.check(&["--twice"]).assert("idempotent", &[]);
    assert_eq!(stage.cloud().count(Step::Create, "fake_thing"), 1);
    assert_eq!(stage.cloud().count(Step::Update, "fake_thing"), 0);
}

#[test]
fn a_json_configuration() {
    let Some(stage) = Stage::set("") else { return };
    stage.sandbox.write(
        "more.tf.json",
        r#"{"resource": {"fake_thing": {"a": {"value": "1", "tags": {"t": "x"}}}}}"#,
    );
    stage.check(&[]).assert("idempotent", &[]);
}

#[test]
fn a_change_of_what_is_deployed() {
    let of = |value: &str| format!("resource \"fake_thing\" \"a\" {{\n  value = \"{value}\"\n}}\n");
    let Some(stage) = Stage::applied(&of("1")) else { return };
    stage.configure(&of("2"));
    let checked = stage.check(&[]);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.steps(), ["plan0", "apply", "A", "B"]);
    assert_eq!(stage.cloud().attribute("thing-1", "value"), "2".into());
}

#[test]
fn drift_that_the_apply_of_the_check_takes_back() {
    let Some(stage) = Stage::applied("resource \"fake_thing\" \"a\" {\n  value = \"1\"\n}\n")
    else {
        return;
    };
    stage.cloud().set("thing-1", "value", "2");
    stage.check(&[]).assert("idempotent", &[]);
    assert_eq!(stage.cloud().attribute("thing-1", "value"), "1".into());
}

#[test]
fn a_workspace_of_its_own() {
    let Some(stage) =
        Stage::set("resource \"fake_thing\" \"a\" {\n  value = terraform.workspace\n}\n")
    else {
        return;
    };
    stage.terraform(["workspace", "new", "w"]).assert_status(0);
    let checked = stage.check(&[]);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.answer["workspace"], "w");
    assert_eq!(stage.cloud().attribute("thing-1", "value"), "w".into());
    let line = stage.prepare(&["--plan-only"]).env("TF_WORKSPACE", "default");
    let checked = stage.checked(line.run());
    checked.assert("not-idempotent", &["pending fake_thing.a - configuration main.tf:1"]);
}
