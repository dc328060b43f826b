//! A state in a backend: recorded through `state pull`, brought back through `state push`, never by force.

use std::time::{Duration, Instant};

use shim_tests::backend::{Fault, HttpBackend};
use shim_tests::shim::{id, operations, serial, shim, with_serial};
use shim_tests::{Sandbox, Transcript, stage};

/// Returns an empty backend and a sandbox that is initialised for it; none without a real Terraform.
fn initialised() -> Option<(HttpBackend, Sandbox)> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    let backend = HttpBackend::start();
    sandbox.write("backend.tf", backend.configuration());
    sandbox.terraform(["init"]).run().assert_status(0);
    Some((backend, sandbox))
}

/// As [`initialised`], with two resources applied through us.
fn applied() -> Option<(HttpBackend, Sandbox)> {
    let (backend, sandbox) = initialised()?;
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    Some((backend, sandbox))
}

/// Returns the state held, which must be there.
fn held(backend: &HttpBackend) -> Vec<u8> {
    backend.state().unwrap()
}

/// Returns the requests that wrote.
fn writes(backend: &HttpBackend) -> Vec<String> {
    backend.requests().into_iter().filter(|request| request.starts_with("POST")).collect()
}

/// Restores without asking.
fn restore(sandbox: &Sandbox, reference: &str) -> Transcript {
    shim(sandbox, ["restore", reference, "--yes"]).run()
}

#[test]
fn a_guarded_apply_is_recorded_and_every_earlier_state_comes_back_under_a_higher_serial() {
    let Some((backend, sandbox)) = applied() else { return };
    let good = held(&backend);
    assert_eq!(operations(&sandbox)[0]["after"]["serial"], serial(&good));
    sandbox.tf(["state", "rm", "terraform_data.b"]).run().assert_status(0);
    let removed = serial(&held(&backend));
    let known = writes(&backend).len();
    restore(&sandbox, "@-").assert_status(0);
    let back = held(&backend);
    assert!(serial(&back) > removed, "it goes forward: {} after {removed}", serial(&back));
    assert!(with_serial(&back, 0) == with_serial(&good, 0));
    assert_eq!(writes(&backend).len(), known + 1, "one push");
    assert!(!backend.is_locked());
    sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
    let newest = operations(&sandbox).remove(0);
    assert_eq!((&newest["kind"], &newest["outcome"]), (&"restore".into(), &"done".into()));
    assert_eq!(newest["after"]["serial"], serial(&back), "what the backend made of it is recorded");
    assert!(!sandbox.has("terraform.tfstate") && !sandbox.has("errored.tfstate"));
}

#[test]
fn undo_and_a_second_undo_work_through_the_backend() {
    let Some((backend, sandbox)) = applied() else { return };
    let good = with_serial(&held(&backend), 0);
    sandbox.tf(["state", "rm", "terraform_data.b"]).run().assert_status(0);
    let removed = with_serial(&held(&backend), 0);
    for wanted in [&good, &removed, &good] {
        shim(&sandbox, ["undo", "--yes"]).run().assert_status(0);
        assert!(with_serial(&held(&backend), 0) == *wanted);
    }
}

#[test]
fn an_empty_backend_gets_the_state_under_a_lineage_of_its_own_choice() {
    let Some((backend, sandbox)) = applied() else { return };
    backend.set_state(None);
    let restored = restore(&sandbox, "@");
    restored.assert_status(0);
    sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
    let newest = operations(&sandbox).remove(0);
    assert_eq!(newest["after"]["serial"], serial(&held(&backend)), "{newest}");
    assert_eq!(newest["outcome"], "done", "{newest}");
}

#[test]
fn a_backend_that_refuses_writes_is_named_and_nothing_is_lost() {
    let Some((backend, sandbox)) = applied() else { return };
    sandbox.tf(["state", "rm", "terraform_data.b"]).run().assert_status(0);
    let before = held(&backend);
    backend.set_fault(Some(Fault::RefuseWrites));
    let refused = restore(&sandbox, "@-");
    refused.assert_status(1);
    let said = refused.stderr_text();
    assert!(said.contains("state push") && said.contains("403"), "{refused}");
    assert!(held(&backend) == before);
    assert!(!backend.is_locked());
    let newest = operations(&sandbox).remove(0);
    assert_eq!((&newest["kind"], &newest["outcome"]), (&"restore".into(), &"failed".into()));
    backend.set_fault(None);
    restore(&sandbox, "@-").assert_status(0);
    sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
}

#[test]
fn a_backend_that_refuses_reads_is_named_and_the_history_is_still_there() {
    let Some((backend, sandbox)) = applied() else { return };
    let known = operations(&sandbox).remove(0);
    backend.set_fault(Some(Fault::RefuseReads));
    let refused = restore(&sandbox, "@");
    refused.assert_status(1);
    assert!(refused.stderr_text().contains("state pull"), "{refused}");
    assert_eq!(operations(&sandbox)[0], known);
    let cat = shim(&sandbox, ["cat", id(&known)]).run();
    cat.assert_status(0);
    assert!(with_serial(&cat.stdout, 0) == with_serial(&held(&backend), 0));
}

#[test]
fn a_lock_of_somebody_else_is_respected() {
    let Some((backend, sandbox)) = applied() else { return };
    sandbox.tf(["state", "rm", "terraform_data.b"]).run().assert_status(0);
    let before = held(&backend);
    backend.lock();
    let refused = restore(&sandbox, "@-");
    assert_ne!(refused.status(), Some(0), "{refused}");
    assert!(refused.stderr_text().contains("lock"), "{refused}");
    assert!(held(&backend) == before && backend.is_locked());
}

#[test]
fn a_backend_that_does_not_answer_is_given_up_after_the_time_that_the_user_set() {
    let Some((backend, sandbox)) = applied() else { return };
    sandbox.write_at(&sandbox.config(), "pull_timeout = \"1s\"\n");
    backend.set_fault(Some(Fault::Stall));
    let start = Instant::now();
    let given_up = restore(&sandbox, "@");
    given_up.assert_status(1);
    assert!(given_up.stderr_text().contains("did not answer within 1 seconds"), "{given_up}");
    assert!(given_up.stderr_text().contains("pull_timeout"), "{given_up}");
    assert!(start.elapsed() < Duration::from_secs(20));
    let guarded = sandbox.tf(["apply", "-auto-approve"]).run();
    guarded.assert_status(125);
    backend.set_fault(None);
    let shown = shim(&sandbox, ["diff", "@", "now", "-detailed-exitcode"]).run();
    shown.assert_status(0);
}

#[test]
fn what_another_writer_did_meanwhile_is_kept_before_it_is_replaced() {
    let Some((backend, sandbox)) = applied() else { return };
    sandbox.terraform(["state", "rm", "terraform_data.a"]).run().assert_status(0);
    let theirs = held(&backend);
    restore(&sandbox, "@").assert_status(0);
    let all = operations(&sandbox);
    let outside = all.iter().find(|operation| operation["kind"] == "outside");
    if let Some(outside) = outside {
        let cat = shim(&sandbox, ["cat", id(outside)]).run();
        assert!(with_serial(&cat.stdout, 0) == with_serial(&theirs, 0), "{cat}");
    }
    let before = format!("{}:before", id(&all[0]));
    let cat = shim(&sandbox, ["cat", &before]).run();
    assert!(with_serial(&cat.stdout, 0) == with_serial(&theirs, 0), "{cat}");
    sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
}
