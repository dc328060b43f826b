//! A check of a state that lies in a backend.

use serde_json::json;
use shim_tests::backend::{Fault, HttpBackend};
use shim_tests::provider::Step;
use shim_tests::shim::{operations, serial, with_serial};

use super::Stage;

/// Sets a stage whose state lies in a backend.
fn stage(configuration: &str) -> Option<(HttpBackend, Stage)> {
    let stage = Stage::set(configuration)?;
    let backend = HttpBackend::start();
    stage.sandbox.write("backend.tf", backend.configuration());
    stage.terraform(["init"]).assert_status(0);
    Some((backend, stage))
}

#[test]
fn it_is_checked_and_recorded_like_any_other() {
    let Some((backend, stage)) = stage("resource \"fake_thing\" \"a\" {}\n") else { return };
    let checked = stage.check(&["--twice", "--destroy-after"]);
    checked.assert("idempotent", &[]);
    let verbs: Vec<_> =
        operations(&stage.sandbox).iter().map(|operation| operation["verb"].clone()).collect();
    assert_eq!(verbs, [json!("destroy"), json!("apply"), json!("apply")]);
    assert!(!backend.is_locked() && !stage.sandbox.has("terraform.tfstate"));
    assert!(stage.cloud().objects().is_empty());
}

#[test]
fn what_is_not_idempotent_is_found_there_too() {
    let configuration = "resource \"terraform_data\" \"a\" {\n  input = uuid()\n}\n";
    let Some((_backend, stage)) = stage(configuration) else { return };
    let findings = ["update terraform_data.a input function main.tf:1"];
    stage.check(&[]).assert("not-idempotent", &findings);
    stage.check(&["--twice"]).assert("not-idempotent", &findings);
}

#[test]
fn somebody_elses_write_leaves_no_verdict() {
    let Some((backend, stage)) = stage("resource \"fake_thing\" \"a\" {}\n") else { return };
    stage.cloud().hold(Step::Create);
    let running = stage.prepare(&[]).start();
    stage.wait_for(Step::Create, "fake_thing", 1);
    let planned = stage.cloud().count(Step::Plan, "fake_thing");
    stage.cloud().hold(Step::Plan);
    stage.cloud().release(Step::Create);
    stage.wait_for(Step::Plan, "fake_thing", planned + 1);
    let left = backend.state().unwrap();
    backend.set_state(Some(with_serial(&left, serial(&left) + 7)));
    stage.cloud().release(Step::Plan);
    let checked = stage.checked(running.finish());
    checked.assert("inconclusive", &["drift - - elsewhere -"]);
}

#[test]
fn a_locked_backend_leaves_no_verdict() {
    let Some((backend, stage)) = stage("resource \"fake_thing\" \"a\" {}\n") else { return };
    backend.lock();
    let checked = stage.check(&[]);
    checked.transcript.assert_status(4);
    assert!(checked.transcript.stderr_text().contains("state lock"), "{}", checked.transcript);
    assert!(stage.cloud().objects().is_empty());
}

#[test]
fn a_backend_that_fails_is_not_applied_to() {
    let Some((backend, stage)) = stage("resource \"fake_thing\" \"a\" {}\n") else { return };
    backend.set_fault(Some(Fault::RefuseReads));
    let checked = stage.check(&[]);
    checked.transcript.assert_status(4);
    assert_eq!(checked.answer["verdict"], "error", "{}", checked.transcript);
    assert!(stage.cloud().objects().is_empty());
}

#[test]
fn what_could_not_be_saved_there_is_kept_and_told() {
    let Some((backend, stage)) = stage("resource \"fake_thing\" \"a\" {}\n") else { return };
    stage.cloud().hold(Step::Create);
    let running = stage.prepare(&[]).start();
    stage.wait_for(Step::Create, "fake_thing", 1);
    backend.set_fault(Some(Fault::RefuseWrites));
    stage.cloud().release(Step::Create);
    let checked = stage.checked(running.finish());
    checked.transcript.assert_status(4);
    assert_eq!(checked.answer["end"]["step"], "apply", "{}", checked.transcript);
    assert!(stage.sandbox.has("errored.tfstate"), "{}", checked.transcript);
    assert!(checked.transcript.stderr_text().contains("errored.tfstate"), "{}", checked.transcript);
}
