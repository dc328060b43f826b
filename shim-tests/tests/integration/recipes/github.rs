//! GitHub Actions: every job of both workflows, on machines that are thrown away.

use shim_tests::backend::HttpBackend;
use shim_tests::recipes::github::{Ran, Service};
use shim_tests::recipes::{Machine, yaml};

use super::{checked_out, listed};

/// The workflow with tf in front of terraform.
const APPLY: &str = "contrib/ci/github-actions-apply.yml";
/// The workflow with the check.
const CHECK: &str = "contrib/ci/github-actions.yml";

/// Runs a job on a new machine, and returns what it did and the machine.
fn job(
    service: &mut Service,
    recipe: &str,
    name: &str,
    backend: &HttpBackend,
    shelf: &std::path::Path,
    change: &str,
) -> Option<(Ran, Machine)> {
    let mut machine = Machine::start()?;
    checked_out(&machine.sandbox, backend);
    if !change.is_empty() {
        machine.sandbox.write("environments/prod/more.tf", change);
    }
    let secrets = [("TF_SHIM_PASSPHRASE", "correct horse")];
    let ran = service.run(&yaml(recipe), name, &mut machine, shelf, &secrets);
    Some((ran, machine))
}

#[test]
fn a_workflow_with_its_own_commands_is_guarded_and_the_history_goes_from_machine_to_machine() {
    let (backend, shelf) = (HttpBackend::start(), tempfile::tempdir().unwrap());
    let mut service = Service::default();
    let run = |service: &mut Service, change| {
        job(service, APPLY, "apply", &backend, shelf.path(), change)
    };
    let Some((first, _)) = run(&mut service, "") else { return };
    first.step("Apply").assert_status(0);
    assert!(first.step("Apply").stdout_text().contains("1 added"), "{}", first.step("Apply"));
    assert!(first.step("Apply").stderr_text().contains("tf shim: "), "{}", first.step("Apply"));
    let more = "resource \"terraform_data\" \"b\" {}\n";
    let Some((second, machine)) = run(&mut service, more) else { return };
    assert!(second.left_out.is_empty(), "{:?}", second.left_out);
    assert!(second.steps.iter().all(|(_, step)| step.status() == Some(0)), "{second:#?}");
    let store = machine.sandbox.home().join("tf-shim-store");
    assert_eq!(listed(&machine, &store), ["apply", "apply"], "both machines are in one history");
    assert_eq!(backend.requests().iter().filter(|r| r.starts_with("UNLOCK")).count(), 4);
}

#[test]
fn the_saved_states_are_kept_encrypted_and_can_be_opened() {
    let (backend, shelf) = (HttpBackend::start(), tempfile::tempdir().unwrap());
    let mut service = Service::default();
    let Some((_, _)) = job(&mut service, APPLY, "apply", &backend, shelf.path(), "") else {
        return;
    };
    let packed = service.artefact("states").join("states.tar.gz.enc");
    let bytes = std::fs::read(&packed).unwrap();
    assert!(bytes.starts_with(b"Salted__"), "openssl has encrypted it");
    let Some(machine) = Machine::start() else { return };
    checked_out(&machine.sandbox, &backend);
    let readme =
        std::fs::read_to_string(shim_tests::recipes::file("contrib/ci/README.md")).unwrap();
    let open = super::commands_with(&readme, "openssl enc -d");
    std::fs::copy(&packed, machine.sandbox.project().join("states.tar.gz.enc")).unwrap();
    let environment = [("PASSPHRASE".to_owned(), "correct horse".to_owned())].into();
    machine.run(&["/bin/bash", "-e"], &open, &environment).assert_status(0);
    let init = machine.sandbox.tf(["-chdir=environments/prod", "init"]).run();
    init.assert_status(0);
    let store = machine.sandbox.project().join("states");
    assert_eq!(listed(&machine, &store), ["apply"]);
}

#[test]
fn a_failed_apply_fails_the_job_and_keeps_the_store() {
    let (backend, shelf) = (HttpBackend::start(), tempfile::tempdir().unwrap());
    let mut service = Service::default();
    let run = |service: &mut Service, change| {
        job(service, APPLY, "apply", &backend, shelf.path(), change)
    };
    let failing = shim_tests::stage::resource_running("b", "exit 3");
    let Some((ran, machine)) = run(&mut service, &failing) else { return };
    ran.step("Apply").assert_status(1);
    assert!(ran.left_out.is_empty(), "what keeps the store runs always: {:?}", ran.left_out);
    let store = machine.sandbox.home().join("tf-shim-store");
    assert_eq!(listed(&machine, &store), ["apply"]);
    let Some((_, second)) = run(&mut service, "") else { return };
    let store = second.sandbox.home().join("tf-shim-store");
    assert_eq!(listed(&second, &store), ["apply", "apply"], "the failed one came along");
}

#[test]
fn the_check_of_a_request_leaves_no_stack_behind() {
    let (backend, shelf) = (HttpBackend::start(), tempfile::tempdir().unwrap());
    let mut service = Service::default();
    let Some((ran, machine)) = job(&mut service, CHECK, "check", &backend, shelf.path(), "") else {
        return;
    };
    assert!(ran.steps.iter().all(|(_, step)| step.status() == Some(0)), "{ran:#?}");
    assert!(ran.left_out.is_empty(), "{:?}", ran.left_out);
    assert!(service.artefact("check").join("check.xml").exists());
    assert!(!machine.sandbox.has("environments/scratch/terraform.tfstate.d/check-7"));
}

#[test]
fn a_check_that_finds_something_fails_the_job_and_uploads_it() {
    let (backend, shelf) = (HttpBackend::start(), tempfile::tempdir().unwrap());
    let mut service = Service::default();
    let Some(mut machine) = Machine::start() else { return };
    checked_out(&machine.sandbox, &backend);
    let restless = "resource \"terraform_data\" \"b\" {\n  input = timestamp()\n}\n";
    machine.sandbox.write("environments/scratch/more.tf", restless);
    let ran = service.run(&yaml(CHECK), "check", &mut machine, shelf.path(), &[]);
    ran.step("Check").assert_status(2);
    assert!(ran.left_out.is_empty(), "{:?}", ran.left_out);
    assert!(service.artefact("check").join("check.sarif").exists());
}

#[test]
fn a_deployment_is_recorded_and_followed_by_no_drift() {
    let (backend, shelf) = (HttpBackend::start(), tempfile::tempdir().unwrap());
    let mut service = Service::default();
    let run = |service: &mut Service, name| job(service, CHECK, name, &backend, shelf.path(), "");
    let Some((ran, machine)) = run(&mut service, "deploy") else { return };
    assert!(ran.steps.iter().all(|(_, step)| step.status() == Some(0)), "{ran:#?}");
    let store = machine.sandbox.home().join("tf-shim-store");
    assert_eq!(listed(&machine, &store).len(), 1);
    let Some((ran, _)) = run(&mut service, "drift") else { return };
    ran.step("Look for drift").assert_status(0);
    backend.set_state(None);
    let Some((ran, _)) = run(&mut service, "drift") else { return };
    ran.step("Look for drift").assert_status(2);
    assert!(
        service.artefact("drift").join("check.xml").exists(),
        "reports are kept of a failure too"
    );
}
