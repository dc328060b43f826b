//! GitLab CI: every job of both pipelines.

use shim_tests::backend::HttpBackend;
use shim_tests::recipes::gitlab::{Ran, run};
use shim_tests::recipes::{Machine, yaml};

use super::{checked_out, listed};

/// The pipeline with tf in front of terraform.
const APPLY: &str = "contrib/ci/gitlab-ci-apply.yml";
/// The pipeline with the check.
const CHECK: &str = "contrib/ci/gitlab-ci.yml";

/// Runs a job on a new machine.
fn job(
    recipe: &str,
    name: &str,
    backend: &HttpBackend,
    cache: &std::path::Path,
) -> Option<(Ran, Machine)> {
    let machine = Machine::start()?;
    machine.install_tf();
    checked_out(&machine.sandbox, backend);
    let ran = run(&yaml(recipe), name, &machine, cache, &[("PASSPHRASE", "correct horse")]);
    Some((ran, machine))
}

#[test]
fn a_pipeline_with_its_own_commands_is_guarded_and_the_history_goes_from_machine_to_machine() {
    let (backend, cache) = (HttpBackend::start(), tempfile::tempdir().unwrap());
    for expected in [1, 2] {
        let Some((ran, machine)) = job(APPLY, "apply", &backend, cache.path()) else { return };
        ran.script.assert_status(0);
        ran.after.unwrap().assert_status(0);
        let store = machine.sandbox.project().join(".tf-shim-store");
        assert_eq!(listed(&machine, &store), vec!["apply"; expected]);
        assert!(machine.sandbox.read("states.tar.gz.enc").starts_with(b"Salted__"));
    }
}

#[test]
fn a_deployment_is_recorded_and_followed_by_no_drift() {
    let (backend, cache) = (HttpBackend::start(), tempfile::tempdir().unwrap());
    let Some((ran, machine)) = job(CHECK, "deploy", &backend, cache.path()) else { return };
    ran.script.assert_status(0);
    let store = machine.sandbox.project().join(".tf-shim-store");
    assert_eq!(listed(&machine, &store).len(), 1);
    let Some((ran, _)) = job(CHECK, "drift", &backend, cache.path()) else { return };
    ran.script.assert_status(0);
    backend.set_state(None);
    let Some((ran, _)) = job(CHECK, "drift", &backend, cache.path()) else { return };
    ran.script.assert_status(2);
}

#[test]
fn the_check_of_a_request_leaves_nothing_behind() {
    let (backend, cache) = (HttpBackend::start(), tempfile::tempdir().unwrap());
    let Some(machine) = Machine::start() else { return };
    machine.install_tf();
    checked_out(&machine.sandbox, &backend);
    // Its state has a key of its own, in the backend s3; here the local backend, which has none.
    let mut pipeline = yaml(CHECK);
    let init = pipeline["check"]["before_script"][0].as_str().unwrap().to_owned();
    let (init, key) = init.split_once(" -backend-config=").expect("the state has a key of its own");
    assert_eq!(key, "\"key=check/$CI_MERGE_REQUEST_IID.tfstate\"");
    pipeline["check"]["before_script"][0] = init.into();
    let ran = run(&pipeline, "check", &machine, cache.path(), &[]);
    ran.script.assert_status(0);
    ran.after.unwrap().assert_status(0);
    let state = machine.sandbox.read("environments/scratch/terraform.tfstate");
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    assert_eq!(state["resources"], serde_json::json!([]));
}
