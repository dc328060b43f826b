//! The arguments behind `--` and those of `TF_CLI_ARGS*`: each reaches the steps that understand it.

use shim_tests::provider::Step;
use shim_tests::shim::{operations, operations_of};

use super::{Stage, text};

/// A thing whose value is a variable.
const VARIABLE: &str = r#"variable "value" {}
resource "fake_thing" "a" {
  value = var.value
}
"#;

/// Fails unless the answer has a note with these words.
#[track_caller]
fn assert_noted(checked: &super::Checked, words: &str) {
    let notes = super::list(&checked.answer["notes"]);
    assert!(notes.iter().any(|note| text(note).contains(words)), "{}", checked.transcript);
}

#[test]
fn a_file_of_variables_in_the_environment() {
    let Some(stage) = Stage::set(VARIABLE) else { return };
    stage.sandbox.write("prod.vars", "value = \"of the file\"\n");
    let line = stage.prepare(&[]).env("TF_CLI_ARGS_plan", "-var-file=prod.vars -parallelism=3");
    let checked = stage.checked(line.run());
    checked.assert("idempotent", &[]);
    assert_eq!(stage.cloud().attribute("thing-1", "value"), "of the file".into());
    for plan in ["plan0", "A", "B"] {
        assert!(checked.argv(plan).contains(&"-var-file=prod.vars"), "{:?}", checked.argv(plan));
    }
    assert!(!checked.argv("apply").iter().any(|word| word.starts_with("-var-file")));
}

#[test]
fn arguments_of_an_apply_in_the_environment_are_for_the_apply() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    let line = stage.prepare(&["--destroy-after"]);
    let line = line.env("TF_CLI_ARGS_apply", "-parallelism=1 -lock-timeout=7s -auto-approve");
    let checked = stage.checked(line.run());
    checked.assert("idempotent", &[]);
    let apply = checked.argv("apply");
    assert!(apply.contains(&"-parallelism=1") && apply.contains(&"-lock-timeout=7s"), "{apply:?}");
    assert!(!checked.argv("plan0").contains(&"-parallelism=1"));
}

#[test]
fn what_an_apply_would_plan_with_goes_to_the_plans() {
    let Some(stage) = Stage::set(VARIABLE) else { return };
    let line = stage.prepare(&[]).env("TF_CLI_ARGS_apply", "-var value=large -auto-approve");
    stage.checked(line.run()).assert("idempotent", &[]);
    assert_eq!(stage.cloud().attribute("thing-1", "value"), "large".into());
    let line = stage.prepare(&[]).env("TF_CLI_ARGS_apply", "-bogus");
    let checked = stage.checked(line.run());
    checked.transcript.assert_status(4);
    assert!(checked.transcript.stderr_text().contains("-bogus"), "{}", checked.transcript);
}

#[test]
fn a_target_that_is_mistyped_is_no_green_light() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    let checked = stage.check(&["--", "-target=fake_thing.nope"]);
    checked.transcript.assert_status(4);
    assert_eq!(checked.answer["verdict"], "inconclusive");
}

#[test]
fn arguments_of_every_command_in_the_environment() {
    let Some(stage) = Stage::set(VARIABLE) else { return };
    let line = stage.prepare(&["--destroy-after", "--", "-var", "value=later wins"]);
    let line = line.env("TF_CLI_ARGS", "-lock-timeout=9s");
    let line = line.env("TF_CLI_ARGS_plan", "-var value=first");
    let line = line.env("TF_CLI_ARGS_destroy", "-var=value=gone");
    let checked = stage.checked(line.run());
    checked.assert("idempotent", &[]);
    for step in ["plan0", "apply", "A", "B", "destroy"] {
        let argv = checked.argv(step);
        assert!(argv.contains(&"-lock-timeout=9s"), "{argv:?}");
    }
    assert!(stage.cloud().objects().is_empty());
}

#[test]
fn a_file_of_variables_goes_to_the_destroy_too() {
    let Some(stage) = Stage::set(VARIABLE) else { return };
    stage.sandbox.write("prod.vars", "value = \"v\"\n");
    let checked = stage.check(&["--destroy-after", "--", "-var-file=prod.vars"]);
    checked.assert("idempotent", &[]);
    assert!(checked.argv("destroy").contains(&"-var-file=prod.vars"));
    assert!(stage.cloud().objects().is_empty());
}

#[test]
fn a_quote_that_is_not_closed_stops_before_anything_is_run() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    for variable in ["TF_CLI_ARGS", "TF_CLI_ARGS_plan", "TF_CLI_ARGS_apply"] {
        let checked = stage.checked(stage.prepare(&[]).env(variable, "-var 'x=1").run());
        assert_eq!(checked.answer["verdict"], "error", "{}", checked.transcript);
        let status = checked.transcript.status();
        assert!(![Some(0), Some(2)].contains(&status), "{}", checked.transcript);
        assert!(checked.transcript.stderr_text().contains(variable), "{}", checked.transcript);
        assert!(stage.cloud().calls().is_empty());
    }
}

#[test]
fn a_plan_file_of_ones_own_is_left_out_and_that_is_said() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    for out in [&["--", "-out=mine.tfplan"][..], &["--", "-out", "mine.tfplan"]] {
        let checked = stage.check(out);
        checked.assert("idempotent", &[]);
        assert_noted(&checked, "-out");
        assert!(!stage.sandbox.has("mine.tfplan"));
    }
}

#[test]
fn a_plan_file_in_the_environment_is_left_out_too() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    let line = stage.prepare(&[]).env("TF_CLI_ARGS_plan", "-out=mine.tfplan -detailed-exitcode");
    let checked = stage.checked(line.run());
    checked.assert("idempotent", &[]);
    assert_noted(&checked, "-out");
    assert!(!stage.sandbox.has("mine.tfplan"));
}

#[test]
fn a_configuration_that_is_generated_is_generated_once() {
    let Some(stage) = Stage::set("") else { return };
    let id = stage.cloud().insert("fake_thing", [("value", "1".into())]);
    stage.configure(&format!("import {{\n  to = fake_thing.a\n  id = \"{id}\"\n}}\n"));
    stage.check(&["--", "-generate-config-out=generated.tf"]).assert("idempotent", &[]);
    assert!(stage.sandbox.has("generated.tf"));
    assert_eq!(stage.cloud().count(Step::Create, "fake_thing"), 0);
}

#[test]
fn a_forced_replacement_happens_once_and_is_no_finding() {
    let Some(stage) = Stage::applied("resource \"fake_thing\" \"a\" {}\n") else { return };
    let checked = stage.check(&["--twice", "--", "-replace=fake_thing.a"]);
    checked.assert("idempotent", &[]);
    assert_noted(&checked, "-replace");
    assert_eq!(stage.cloud().ids("fake_thing"), ["thing-2"]);
    assert_eq!(stage.cloud().count(Step::Create, "fake_thing"), 2);
}

#[test]
fn a_limit_to_some_resources_is_kept_and_said() {
    let configuration = "resource \"fake_thing\" \"a\" {}\nresource \"terraform_data\" \"b\" {\n  \
                         input = uuid()\n}\n";
    let Some(stage) = Stage::set(configuration) else { return };
    let checked = stage.check(&["--", "-target", "fake_thing.a"]);
    checked.assert("idempotent", &[]);
    assert_noted(&checked, "-target");
    assert_eq!(checked.answer["resources"], 1);
}

#[test]
fn a_destruction_is_idempotent_when_nothing_is_left() {
    let Some(stage) = Stage::applied("resource \"fake_thing\" \"a\" {}\n") else { return };
    let checked = stage.check(&["--", "-destroy"]);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.steps(), ["plan0", "apply", "A", "B"]);
    assert!(stage.cloud().objects().is_empty());
}

#[test]
fn a_refresh_alone_changes_the_state_alone() {
    let configuration = "resource \"fake_thing\" \"a\" {\n  value = \"1\"\n}\n";
    let Some(stage) = Stage::applied(configuration) else { return };
    stage.cloud().set("thing-1", "value", "2");
    let checked = stage.check(&["--", "-refresh-only"]);
    checked.assert("idempotent", &[]);
    assert_noted(&checked, "-refresh-only");
    assert_eq!(checked.steps(), ["plan0", "apply", "B"]);
    assert_eq!(stage.cloud().attribute("thing-1", "value"), "2".into());
    let instance = &stage.state()["resources"][0]["instances"][0];
    assert_eq!(instance["attributes"]["value"], "2");
}

#[test]
fn a_check_without_a_refresh_reads_nothing_back_and_says_so() {
    let configuration =
        "resource \"fake_normalised\" \"a\" {\n  mode  = \"case\"\n  value = \"X\"\n}\n";
    let Some(stage) = Stage::set(configuration) else { return };
    let checked = stage.check(&["--", "-refresh=false"]);
    checked.assert("idempotent", &[]);
    assert_noted(&checked, "-refresh=false");
    assert_eq!(stage.cloud().count(Step::Read, "fake_normalised"), 0);
}

#[test]
fn a_state_that_is_named_is_the_one_that_is_checked_and_recorded() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    let checked = stage.check(&["--", "-state=other.tfstate"]);
    checked.assert("idempotent", &[]);
    assert!(stage.sandbox.has("other.tfstate") && !stage.sandbox.has("terraform.tfstate"));
    assert_eq!(operations_of(&stage.sandbox, &["--state", "other.tfstate"]).len(), 1);
    assert_eq!(operations(&stage.sandbox).len(), 0);
}

#[test]
fn an_argument_that_terraform_does_not_know_is_terraforms_own_error() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    let checked = stage.check(&["--", "-frobnicate"]);
    checked.transcript.assert_status(4);
    assert!(checked.transcript.stderr_text().contains("-frobnicate"), "{}", checked.transcript);
    assert!(stage.cloud().objects().is_empty());
}

#[test]
fn flags_of_ours_that_do_not_exist_are_wrong_usage() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    for args in [
        &["--frobnicate"][..],
        &["--timeout", "soon"],
        &["--report", "pdf=x"],
        &["--report", "json"],
        &["--fail-on", "everything"],
        &["--plan-only", "--twice"],
    ] {
        let transcript = stage.prepare(args).run();
        transcript.assert_status(64);
        assert!(stage.cloud().calls().is_empty(), "{transcript}");
    }
}

/// A trace has every secret in it, and the steps' output is kept.
#[test]
fn a_trace_of_terraform_is_not_taken_for_what_it_said() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    let checked = stage.checked(stage.prepare(&["--evidence", "e"]).env("TF_LOG", "trace").run());
    checked.assert("idempotent", &[]);
    let log = String::from_utf8(stage.sandbox.read("e/02-apply.log")).unwrap();
    assert!(!log.contains("[TRACE]"), "{log}");
}
