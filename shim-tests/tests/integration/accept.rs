//! `tf shim accept`: what a guard objected to becomes what is expected, and that is recorded.

use shim_tests::shim::{document, id, operations, shim, tree, with_serial};
use shim_tests::{Sandbox, Transcript, stage, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// Returns a sandbox in which a real Terraform has applied two resources; none where there is none.
fn applied() -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    apply(&sandbox).assert_status(0);
    Some(sandbox)
}

fn apply(sandbox: &Sandbox) -> Transcript {
    sandbox.tf(["apply", "-auto-approve"]).run()
}

/// A way to lose a state; the text is another stack's.
type Loss = fn(&Sandbox, &str);

/// Fails unless an apply is refused by this guard.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, guard: &str) {
    let refused = apply(sandbox);
    refused.assert_status(125);
    assert!(refused.stderr_text().contains(&format!("refused: {guard}\n")), "{refused}");
}

#[test]
fn what_is_accepted_is_what_is_expected_from_then_on() {
    let other = states::state_of("11111111-53d4-44b7-9f0c-6c2b9a1e7d10", 50, &["x"]);
    let losses: [(&str, Loss); 4] = [
        ("missing-state", |sandbox, _| {
            std::fs::remove_file(sandbox.project().join(STATE)).unwrap();
        }),
        ("missing-state", |sandbox, _| sandbox.write(STATE, "")),
        ("foreign-state", |sandbox, other| sandbox.write(STATE, other)),
        ("older-state", |sandbox, _| {
            let old = with_serial(&sandbox.read(STATE), 0);
            sandbox.write(STATE, old);
        }),
    ];
    for (guard, lose) in losses {
        let Some(sandbox) = applied() else { return };
        lose(&sandbox, &other);
        assert_refused(&sandbox, guard);
        let before = tree(&sandbox.project());
        let accepted = shim(&sandbox, ["accept", "-m", "moved house", "--json"]).run();
        accepted.assert_status(0);
        assert!(tree(&sandbox.project()) == before, "it only says so");
        let operation = document(&accepted)["operation"].clone();
        assert_eq!(
            (&operation["kind"], &operation["note"]),
            (&"accept".into(), &"moved house".into())
        );
        assert_eq!(operation["guards"][0]["guard"], guard);
        assert_eq!(operation["guards"][0]["action"], "allowed");
        let status = document(&shim(&sandbox, ["--json"]).run());
        assert_eq!(status["findings"], serde_json::json!([]), "{guard}");
        apply(&sandbox).assert_status(0);
    }
}

#[test]
fn a_command_that_is_asked_nothing_does_not_make_a_state_the_right_one() {
    for command in [&["init"][..], &["state", "push", STATE], &["workspace", "new", "x"]] {
        let Some(sandbox) = applied() else { return };
        let old = sandbox.read(STATE);
        sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
        apply(&sandbox).assert_status(0);
        sandbox.write(STATE, old);
        sandbox.tf(command.iter().copied()).run().assert_status(0);
        sandbox.tf(["workspace", "select", "default"]).run().assert_status(0);
        assert_refused(&sandbox, "older-state");
    }
}

#[test]
fn what_is_no_state_cannot_be_accepted() {
    let Some(sandbox) = applied() else { return };
    sandbox.write(STATE, "{\"version\": 4, \"ser");
    let refused = shim(&sandbox, ["accept"]).run();
    refused.assert_status(3);
    assert!(refused.stderr_text().contains("accept was refused: corrupt-state"), "{refused}");
    assert!(refused.stderr_text().contains("tf shim restore @"), "{refused}");
    assert_refused(&sandbox, "corrupt-state");
}

#[test]
fn where_no_guard_objects_nothing_is_recorded() {
    let Some(sandbox) = applied() else { return };
    let before = operations(&sandbox);
    let nothing = shim(&sandbox, ["accept"]).run();
    nothing.assert_status(0);
    assert_eq!(nothing.stdout_text(), "tf shim: no guard objects; there is nothing to accept\n");
    let json = document(&shim(&sandbox, ["accept", "--json"]).run());
    assert!(json["operation"].is_null());
    assert_eq!(operations(&sandbox).len(), before.len());
}

#[test]
fn what_is_accepted_can_be_named_and_its_past_still_comes_back() {
    let Some(sandbox) = applied() else { return };
    let good = sandbox.read(STATE);
    let lost = operations(&sandbox);
    sandbox.write(STATE, states::state_of("11111111-53d4-44b7-9f0c-6c2b9a1e7d10", 50, &["x"]));
    shim(&sandbox, ["accept"]).run().assert_status(0);
    let cat = |reference: &str| shim(&sandbox, ["cat", reference]).run().stdout;
    assert!(cat("@") == sandbox.read(STATE) && cat("@-") == good);
    shim(&sandbox, ["restore", id(&lost[0]), "--yes"]).run().assert_status(0);
    apply(&sandbox).assert_status(0);
}

#[test]
fn a_guard_that_is_allowed_by_name_lets_this_call_pass_and_no_other() {
    let Some(sandbox) = applied() else { return };
    let old = sandbox.read(STATE);
    sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
    apply(&sandbox).assert_status(0);
    sandbox.write(STATE, old);
    let call =
        |allow: &str| sandbox.tf(["apply", "-auto-approve"]).env("TF_SHIM_ALLOW", allow).run();
    call("missing-state,foreign-state").assert_status(125);
    assert_refused(&sandbox, "older-state");
    call(" older-state , missing-state").assert_status(0);
    let newest = &operations(&sandbox)[0];
    assert_eq!(newest["guards"][0]["guard"], "older-state");
    assert_eq!(newest["guards"][0]["action"], "allowed");
    // What that run left is what is expected now.
    apply(&sandbox).assert_status(0);
}

#[test]
fn what_can_never_be_allowed_is_a_broken_configuration() {
    let Some(sandbox) = applied() else { return };
    for allow in ["protected", "read-only", "unfinished", "everything", "missing-state;older-state"]
    {
        let broken = sandbox.tf(["apply", "-auto-approve"]).env("TF_SHIM_ALLOW", allow).run();
        broken.assert_status(125);
        assert!(broken.stderr_text().contains("`TF_SHIM_ALLOW` must be names"), "{broken}");
    }
    assert_eq!(operations(&sandbox).len(), 1);
}
