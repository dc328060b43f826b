//! What a check leaves in the history, and which steps it takes.

use serde_json::{Value, json};
use shim_tests::provider::Step;
use shim_tests::shim::{document, id, operations, shim};

use super::{Stage, text};

/// A thing with a value.
fn thing(value: &str) -> String {
    format!("resource \"fake_thing\" \"a\" {{\n  value = \"{value}\"\n}}\n")
}

/// Returns verb, outcome and note of each operation, newest first.
fn brief(operations: &[Value]) -> Vec<(&str, &str, &str)> {
    let told = |operation| -> (&str, &str, &str) {
        let word = |key: &str| Value::get(operation, key).and_then(Value::as_str).unwrap_or("-");
        (word("verb"), word("outcome"), word("note"))
    };
    operations.iter().map(told).collect()
}

#[test]
fn the_apply_is_one_guarded_operation_that_can_be_undone() {
    let Some(stage) = Stage::set(&thing("1")) else { return };
    stage.sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    stage.configure(&thing("2"));
    let checked = stage.check(&[]);
    checked.assert("idempotent", &[]);
    let recorded = operations(&stage.sandbox);
    assert_eq!(brief(&recorded), [("apply", "done", "tf shim check"), ("apply", "done", "-")]);
    assert_eq!(recorded[0]["changes"], json!({"add": 0, "change": 1, "remove": 0}));
    assert!(id(&recorded[0]).starts_with(text(&checked.answer["operation"])), "{checked:?}");
    shim(&stage.sandbox, ["undo", "--yes"]).run().assert_status(0);
    let instance = &stage.state()["resources"][0]["instances"][0];
    assert_eq!(instance["attributes"]["value"], "1");
}

#[test]
fn the_command_line_of_the_apply_is_recorded_without_our_private_directory() {
    let Some(stage) = Stage::set(&thing("1")) else { return };
    stage.check(&["--", "-var", "secret=s3cret"]).transcript.assert_status(4);
    stage.configure(&[thing("1").as_str(), "variable \"secret\" {\n}\n"].concat());
    stage.check(&["--", "-var", "secret=s3cret"]).assert("idempotent", &[]);
    let recorded = operations(&stage.sandbox);
    assert_eq!(recorded.len(), 1, "{recorded:#?}");
    let line = recorded[0]["argv"].to_string();
    assert!(line.contains("apply") && !line.contains("s3cret"), "{line}");
}

#[test]
fn two_applies_are_two_operations() {
    let configuration = "resource \"terraform_data\" \"a\" {\n  input = uuid()\n}\n";
    let Some(stage) = Stage::set(configuration) else { return };
    let checked = stage.check(&["--twice"]);
    checked.assert("not-idempotent", &["update terraform_data.a input function main.tf:1"]);
    assert_eq!(checked.steps(), ["plan0", "apply", "A", "B", "apply2", "C"]);
    let note = ("apply", "done", "tf shim check");
    assert_eq!(brief(&operations(&stage.sandbox)), [note, note]);
}

#[test]
fn a_check_of_a_throw_away_stack_leaves_an_empty_state() {
    let Some(stage) = Stage::set(&thing("1")) else { return };
    let checked = stage.check(&["--destroy-after"]);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.steps(), ["plan0", "apply", "A", "B", "destroy"]);
    assert_eq!(stage.state()["resources"], json!([]));
    assert!(stage.cloud().objects().is_empty());
    let recorded = operations(&stage.sandbox);
    let note = "tf shim check";
    assert_eq!(brief(&recorded), [("destroy", "done", note), ("apply", "done", note)]);
}

#[test]
fn a_throw_away_stack_is_destroyed_whatever_the_verdict() {
    let configuration =
        "resource \"fake_normalised\" \"a\" {\n  mode  = \"case\"\n  value = \"X\"\n}\n";
    let Some(stage) = Stage::set(configuration) else { return };
    let checked = stage.check(&["--twice", "--destroy-after"]);
    checked.assert("not-idempotent", &["normalised fake_normalised.a value case main.tf:1"]);
    assert_eq!(checked.steps(), ["plan0", "apply", "A", "B", "apply2", "C", "destroy"]);
    assert!(stage.cloud().objects().is_empty());
}

#[test]
fn a_throw_away_stack_is_destroyed_after_an_apply_that_failed_half_way() {
    let Some(stage) = Stage::set(&[thing("1").as_str(), FAILING].concat()) else { return };
    let checked = stage.check(&["--destroy-after"]);
    checked.transcript.assert_status(4);
    assert_eq!(checked.answer["verdict"], "error");
    assert_eq!(checked.steps(), ["plan0", "apply", "destroy"]);
    assert!(stage.cloud().objects().is_empty(), "{}", checked.transcript);
}

/// A resource that cannot be made, after `a`.
const FAILING: &str = r#"resource "fake_failing" "f" {
  fails      = "create"
  depends_on = [fake_thing.a]
}
"#;

#[test]
fn a_destroy_that_fails_leaves_no_verdict_unsaid() {
    let Some(stage) = Stage::set(&thing("1")) else { return };
    stage.cloud().fail_next(Step::Delete);
    let checked = stage.check(&["--destroy-after"]);
    checked.transcript.assert_status(4);
    assert_eq!(checked.answer["end"]["step"], "destroy", "{}", checked.transcript);
    assert_eq!(stage.cloud().ids("fake_thing"), ["thing-1"]);
}

#[test]
fn the_steps_are_told_with_command_status_and_duration() {
    let Some(stage) = Stage::set(&thing("1")) else { return };
    let checked = stage.check(&["--", "-parallelism=3"]);
    checked.assert("idempotent", &[]);
    let exits: Vec<_> =
        super::list(&checked.answer["steps"]).iter().map(|step| step["exit"].clone()).collect();
    assert_eq!(exits, [json!(2), json!(0), json!(0), json!(0)]);
    for step in super::list(&checked.answer["steps"]) {
        assert!(step["seconds"].as_f64() > Some(0.0), "{step}");
    }
    assert!(checked.argv("A").contains(&"-refresh=false"), "{:?}", checked.argv("A"));
    assert!(!checked.argv("B").contains(&"-refresh=false"), "{:?}", checked.argv("B"));
    for step in checked.steps() {
        let argv = checked.argv(step);
        assert!(argv.contains(&"-parallelism=3") && argv.contains(&"-input=false"), "{argv:?}");
        assert!(argv[0].ends_with("terraform"), "{argv:?}");
    }
}

#[test]
fn nobody_who_reads_the_answer_changes_nothing_about_it() {
    let Some(stage) = Stage::set("resource \"terraform_data\" \"a\" {\n  input = uuid()\n}\n")
    else {
        return;
    };
    let mut running = stage.prepare(&["--report", "json=check.json"]).start();
    running.close_stdout();
    running.finish().assert_status(2);
    assert!(stage.sandbox.has("check.json") && stage.left_behind().is_empty());
}

#[test]
fn each_step_is_told_on_stderr_unless_nobody_wants_to_hear_it() {
    let Some(stage) = Stage::set(&thing("1")) else { return };
    let told = stage.check(&["--twice"]).transcript.stderr_text();
    assert_eq!(told.lines().count(), 6, "{told}");
    assert!(told.lines().all(|line| line.starts_with("tf shim: ")), "{told}");
    let quiet = stage.prepare(&[]).env("TF_SHIM_QUIET", "1").run();
    assert_eq!(quiet.assert_status(0).stderr_text(), "");
}

#[test]
fn text_is_for_people_and_json_is_the_only_thing_on_stdout() {
    let Some(stage) = Stage::set("resource \"terraform_data\" \"a\" {\n  input = uuid()\n}\n")
    else {
        return;
    };
    let transcript = shim(&stage.sandbox, ["check", "--yes"]).run();
    transcript.assert_status(2);
    let stdout = transcript.stdout_text();
    for word in ["terraform_data.a", "input", "uuid()", "main.tf:1"] {
        assert!(stdout.contains(word), "{word}: {transcript}");
    }
    let json = stage.prepare(&[]).run();
    assert_eq!(document(&json)["format_version"], "1.0");
}

#[test]
fn a_throw_away_stack_that_was_there_already_is_destroyed_too() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    stage.check(&[]).assert("idempotent", &[]);
    let checked = stage.check(&["--destroy-after"]);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.steps(), ["plan0", "destroy"]);
    assert!(stage.cloud().objects().is_empty());
}
