//! `errored.tfstate`: saved at once, told with the way back, and no command until it is settled.

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;
use shim_tests::backend::{Fault, HttpBackend};
use shim_tests::shim::{operations, serial, shim, with_serial};
use shim_tests::{Sandbox, Transcript, stage, states};

use super::{ERRORED, STATE, assert_found, finds, only_find, paste, resources, way};

/// Returns an empty backend and a sandbox that is initialised for it, with one resource to be made.
fn initialised() -> Option<(HttpBackend, Sandbox)> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    let backend = HttpBackend::start();
    sandbox.write("backend.tf", backend.configuration());
    sandbox.write("main.tf", stage::resources(&["a"]));
    sandbox.terraform(["init"]).run().assert_status(0);
    Some((backend, sandbox))
}

fn apply(sandbox: &Sandbox) -> Transcript {
    sandbox.tf(["apply", "-auto-approve"]).run()
}

/// Fails unless a command was refused for what lies there, and nothing else.
#[track_caller]
fn assert_refused(transcript: &Transcript) {
    transcript.assert_status(125);
    let said = transcript.stderr_text();
    assert!(said.contains("was refused: errored-state"), "{transcript}");
    assert_eq!(said.matches("was refused").count(), 1, "{transcript}");
    assert!(transcript.stdout.is_empty(), "Terraform was not started: {transcript}");
}

#[test]
fn a_failed_save_is_kept_and_pushed_by_the_command_that_is_printed() {
    let Some((backend, sandbox)) = initialised() else { return };
    apply(&sandbox).assert_status(0);
    let held = backend.state().unwrap();
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    backend.set_fault(Some(Fault::RefuseWrites));
    let failed = apply(&sandbox);
    backend.set_fault(None);
    assert_found(&sandbox, &failed, 1, &["errored-state"]);
    assert_eq!(way(&failed, "state push"), "tf state push errored.tfstate");
    let (id, find) = only_find(&sandbox);
    assert_eq!(find["note"], "errored.tfstate, left by a failed save");
    let kept = shim(&sandbox, ["cat", &id]).run();
    assert!(kept.stdout == sandbox.read(ERRORED), "the very bytes are kept");
    // Neither is it the state now, nor the last good one.
    assert!(shim(&sandbox, ["cat", "@"]).run().stdout == held);
    let refused = apply(&sandbox);
    assert_refused(&refused);
    assert_refused(&sandbox.tf(["destroy", "-auto-approve"]).run());
    assert_eq!(finds(&sandbox).len(), 1, "one content is kept once");
    let kinds: Vec<_> = operations(&sandbox).iter().map(|it| it["kind"].clone()).collect();
    assert!(!kinds.contains(&Value::from("outside")), "{kinds:?}");
    paste(&sandbox, &way(&refused, "state push")).assert_status(0);
    assert_eq!(resources(&backend.state().unwrap()), ["a", "b"]);
    sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
    // The file still lies there, and is no news any more.
    assert_found(&sandbox, &apply(&sandbox), 0, &[]);
    paste(&sandbox, &way(&refused, "rm ")).assert_status(0);
    assert!(!sandbox.has(ERRORED));
}

#[test]
fn what_the_first_run_of_all_could_not_save_is_not_forgotten() {
    let Some((backend, sandbox)) = initialised() else { return };
    backend.set_fault(Some(Fault::RefuseWrites));
    assert_found(&sandbox, &apply(&sandbox), 1, &["errored-state"]);
    backend.set_fault(None);
    let refused = apply(&sandbox);
    assert_refused(&refused);
    paste(&sandbox, &way(&refused, "state push")).assert_status(0);
    assert_found(&sandbox, &apply(&sandbox), 0, &[]);
    sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
}

#[test]
fn where_the_backend_answers_nothing_any_more_the_find_is_told_all_the_same() {
    let Some((backend, sandbox)) = initialised() else { return };
    let slow = stage::slow_resource("slow", &sandbox.project());
    sandbox.write("main.tf", slow);
    let running = sandbox.tf(["apply", "-auto-approve"]).start();
    running.wait_for_file("begun");
    backend.set_fault(Some(Fault::RefuseBoth));
    sandbox.write("go", "");
    let failed = running.finish();
    failed.assert_status(1);
    let said = failed.stderr_text();
    assert!(said.contains("the state after apply was not saved"), "{failed}");
    assert!(said.contains("tf shim: errored-state: a state that could not be saved"), "{failed}");
    assert_eq!(resources(&shim(&sandbox, ["cat", &only_find(&sandbox).0]).run().stdout), ["slow"]);
}

#[test]
fn a_restore_of_it_settles_it_as_well() {
    let Some((backend, sandbox)) = initialised() else { return };
    apply(&sandbox).assert_status(0);
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    backend.set_fault(Some(Fault::RefuseWrites));
    apply(&sandbox).assert_status(1);
    backend.set_fault(None);
    shim(&sandbox, ["restore", &only_find(&sandbox).0, "--yes"]).run().assert_status(0);
    assert_eq!(resources(&backend.state().unwrap()), ["a", "b"]);
    assert!(serial(&backend.state().unwrap()) > serial(&sandbox.read(ERRORED)));
    assert_found(&sandbox, &apply(&sandbox), 0, &[]);
}

#[test]
fn a_backup_into_a_missing_directory_leaves_a_state_that_only_a_restore_brings_back() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("net/main.tf", stage::resources(&["a"]));
    sandbox.tf(["-chdir=net", "apply", "-auto-approve"]).run().assert_status(0);
    sandbox.write("net/main.tf", stage::resources(&["a", "b"]));
    let args = ["-chdir=net", "apply", "-auto-approve", "-backup=missing/b"];
    let failed = sandbox.tf(args).run();
    failed.assert_status(1);
    // Terraform's own advice does not work: it has not counted on.
    let push = sandbox.terraform(["-chdir=net", "state", "push", ERRORED]).run();
    assert!(push.assert_status(1).stderr_text().contains("has the same serial"), "{push}");
    let restore = way(&failed, "shim restore");
    assert!(restore.starts_with("tf -chdir=net shim restore "), "{restore}");
    let refused = sandbox.tf(["-chdir=net", "apply", "-auto-approve"]).run();
    assert_refused(&refused);
    assert_eq!(way(&refused, "shim restore"), restore);
    paste(&sandbox, &format!("{restore} --yes")).assert_status(0);
    assert_eq!(resources(&sandbox.read("net/terraform.tfstate")), ["a", "b"]);
    sandbox.tf(["-chdir=net", "apply", "-auto-approve"]).run().assert_status(0);
    paste(&sandbox, &way(&refused, "rm ")).assert_status(0);
    assert!(!sandbox.has("net/errored.tfstate"));
}

#[test]
fn the_commands_that_are_printed_know_the_directory() {
    let Some((backend, sandbox)) = initialised() else { return };
    sandbox.write("net/backend.tf", backend.configuration());
    sandbox.write("net/main.tf", stage::resources(&["a"]));
    sandbox.terraform(["-chdir=net", "init"]).run().assert_status(0);
    let apply = || sandbox.tf(["-chdir=net", "apply", "-auto-approve"]).run();
    apply().assert_status(0);
    sandbox.write("net/main.tf", stage::resources(&["a", "b"]));
    backend.set_fault(Some(Fault::RefuseWrites));
    let failed = apply();
    backend.set_fault(None);
    assert_eq!(way(&failed, "state push"), "tf -chdir=net state push errored.tfstate");
    let refused = apply();
    assert_refused(&refused);
    paste(&sandbox, &way(&refused, "state push")).assert_status(0);
    assert_eq!(resources(&backend.state().unwrap()), ["a", "b"]);
    paste(&sandbox, &way(&refused, "rm ")).assert_status(0);
    assert!(!sandbox.has("net/errored.tfstate"));
    apply().assert_status(0);
}

#[test]
fn what_belongs_to_a_state_that_push_does_not_reach_is_restored() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    sandbox.write("my state", states::state(3, &["a"]));
    sandbox.write(ERRORED, states::state(4, &["a", "b"]));
    let apply = ["apply", "-auto-approve", "-state=my state"];
    let refused = sandbox.tf(apply).run();
    assert_refused(&refused);
    let restore = way(&refused, "shim restore");
    assert!(restore.ends_with(" --state 'my state'"), "{restore}");
    paste(&sandbox, &format!("{restore} --yes")).assert_status(0);
    assert_eq!(resources(&sandbox.read("my state")), ["a", "b"]);
    sandbox.tf(apply).run().assert_status(0);
}

#[test]
fn who_lets_it_pass_is_recorded_and_state_push_is_not_asked() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::resources(&["a"]));
    sandbox.write(STATE, states::state(3, &["a"]));
    sandbox.write(ERRORED, states::state(9, &["a", "b"]));
    for args in
        [&["taint", "terraform_data.a"][..], &["refresh"], &["import", "terraform_data.b", "x"]]
    {
        assert_refused(&sandbox.tf(args.iter().copied()).run());
    }
    let allowed = sandbox.tf(["refresh"]).env("TF_SHIM_ALLOW", "errored-state").run();
    allowed.assert_status(0);
    let newest = operations(&sandbox).remove(0);
    assert_eq!(newest["guards"][0]["action"], "allowed", "{newest}");
    sandbox.write("other.tfstate", states::state(5, &["a"]));
    sandbox.tf(["state", "push", "other.tfstate"]).run().assert_status(0);
    assert!(sandbox.has(ERRORED), "nothing of ours removes it");
}

#[test]
fn the_status_shows_it_and_keeps_nothing() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::resources(&["a"]));
    apply(&sandbox).assert_status(0);
    let status = shim(&sandbox, Vec::<String>::new()).run();
    assert!(!status.stdout_text().contains("errored-state"), "{status}");
    let state = sandbox.read(STATE);
    sandbox.write(ERRORED, with_serial(&state, serial(&state) + 1));
    let status = shim(&sandbox, Vec::<String>::new()).run();
    let said = status.stdout_text();
    assert!(
        said.contains("errored-state") && said.contains("tf state push errored.tfstate"),
        "{status}"
    );
    assert!(finds(&sandbox).is_empty());
}

#[test]
fn what_is_not_ahead_or_no_state_is_in_nobodys_way() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::resources(&["a"]));
    sandbox.write(STATE, states::state(3, &["a"]));
    let long = "x".repeat(10 << 20);
    let other = states::state_of("aaaaaaaa-53d4-44b7-9f0c-6c2b9a1e7d10", 9, &["a"]);
    let same = String::from_utf8(with_serial(states::state(1, &["a"]).as_bytes(), 3)).unwrap();
    let lower = states::state(2, &["a", "b"]);
    for text in [other, same, lower, long, String::new(), "{}".into(), "[1,\n".into()] {
        sandbox.write(ERRORED, &text);
        assert_found(&sandbox, &apply(&sandbox), 0, &[]);
    }
    let path = sandbox.project().join(ERRORED);
    std::fs::remove_file(&path).unwrap();
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    assert_found(&sandbox, &apply(&sandbox), 0, &[]);
    std::fs::remove_file(&path).unwrap();
    for target in ["/dev/zero", ERRORED, "/nowhere"] {
        std::os::unix::fs::symlink(target, &path).unwrap();
        assert_found(&sandbox, &apply(&sandbox), 0, &[]);
        std::fs::remove_file(&path).unwrap();
    }
    std::fs::create_dir(&path).unwrap();
    assert_found(&sandbox, &apply(&sandbox), 0, &[]);
    assert!(finds(&sandbox).is_empty());
}
