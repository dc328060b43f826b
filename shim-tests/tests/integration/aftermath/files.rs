//! The state's own file: removed, replaced, cut or not written while Terraform works on it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use shim_tests::shim::shim;
use shim_tests::{Running, Sandbox, stage};

use super::{STATE, assert_found, finds, only_find, paste, resources, tf_without_powers, way};

/// Returns a sandbox where `a` has been applied, and a `slow` one is to be made.
fn applied() -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resources(&["a"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    sandbox.write("slow.tf", stage::slow_resource("slow", &sandbox.project()));
    Some(sandbox)
}

/// Starts an apply that waits for the file `go`.
fn slow_apply(sandbox: &Sandbox) -> Running<'_> {
    let running = sandbox.tf(["apply", "-auto-approve"]).start();
    running.wait_for_file("begun");
    running
}

#[test]
fn a_state_that_is_removed_while_terraform_works_is_kept_and_comes_back() {
    let Some(sandbox) = applied() else { return };
    let running = slow_apply(&sandbox);
    std::fs::remove_file(sandbox.project().join(STATE)).unwrap();
    sandbox.write("go", "");
    let done = running.finish();
    assert_found(&sandbox, &done, 0, &["missing-state", "missing-state"]);
    assert!(!sandbox.has(STATE));
    let restore = way(&done, "shim restore");
    assert_eq!(restore, format!("tf shim restore {}", only_find(&sandbox).0));
    assert!(!done.stderr_text().contains("tf shim undo"), "{done}");
    // The next command is refused, and leads to what was written, not to what was there before.
    let refused = sandbox.tf(["apply", "-auto-approve"]).run();
    refused.assert_status(125);
    assert!(refused.stderr_text().contains(&format!("way out   {restore} ")), "{refused}");
    paste(&sandbox, &format!("{restore} --yes")).assert_status(0);
    assert_eq!(resources(&sandbox.read(STATE)), ["a", "slow"]);
    sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
}

#[test]
fn where_the_plan_was_judged_it_is_known_what_must_be_there_even_at_the_first_apply() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("slow.tf", stage::slow_resource("slow", &sandbox.project()));
    sandbox.write(".tf-shim.toml", "[guard.protect]\nmax_deletes = 0\n");
    let running = slow_apply(&sandbox);
    std::fs::remove_file(sandbox.project().join(STATE)).unwrap();
    sandbox.write("go", "");
    let done = running.finish();
    done.assert_status(0);
    assert!(done.stderr_text().contains("tf shim: missing-state: "), "{done}");
    assert!(!sandbox.has(STATE));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the walls are those of tf, not of its tests")]
fn a_state_that_another_is_moved_over_is_kept_and_comes_back() {
    let Some(sandbox) = applied() else { return };
    let old = sandbox.read(STATE);
    sandbox.write("old", &old);
    let running = slow_apply(&sandbox);
    std::fs::rename(sandbox.project().join("old"), sandbox.project().join(STATE)).unwrap();
    sandbox.write("go", "");
    let done = running.finish();
    assert_found(&sandbox, &done, 0, &["missing-state"]);
    assert!(sandbox.read(STATE) == old, "what Terraform wrote is not there");
    paste(&sandbox, &format!("{} --yes", way(&done, "shim restore"))).assert_status(0);
    assert_eq!(resources(&sandbox.read(STATE)), ["a", "slow"]);
    sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
}

#[test]
fn an_old_state_that_a_provisioner_puts_there_is_no_good_one() {
    let Some(sandbox) = applied() else { return };
    let good = sandbox.read(STATE);
    let script = format!("cd {}; cp {STATE} x; mv x {STATE}", sandbox.project().display());
    sandbox.write(
        "slow.tf",
        stage::resource_running("sly", &script.replace("cp", "/bin/cp").replace("mv", "/bin/mv")),
    );
    let done = sandbox.tf(["apply", "-auto-approve"]).run();
    assert_found(&sandbox, &done, 0, &["missing-state"]);
    assert!(shim(&sandbox, ["cat", "@"]).run().stdout == good);
}

#[test]
fn a_state_that_is_cut_while_terraform_works_is_written_again_and_nothing_is_said() {
    let Some(sandbox) = applied() else { return };
    let running = slow_apply(&sandbox);
    sandbox.write(STATE, "");
    sandbox.write("go", "");
    assert_found(&sandbox, &running.finish(), 0, &[]);
    assert_eq!(resources(&sandbox.read(STATE)), ["a", "slow"]);
    assert!(finds(&sandbox).is_empty());
}

#[test]
fn the_first_state_of_all_is_missed_when_it_is_removed_and_a_plan_says_what_there_was_to_be() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::slow_resource("slow", &sandbox.project()));
    sandbox.terraform(["plan", "-out=p"]).run().assert_status(0);
    let running = sandbox.tf(["apply", "p"]).start();
    running.wait_for_file("begun");
    std::fs::remove_file(sandbox.project().join(STATE)).unwrap();
    sandbox.write("go", "");
    assert_found(&sandbox, &running.finish(), 0, &["missing-state"]);
}

#[test]
fn a_file_that_terraform_could_not_write_and_did_not_mention_is_told() {
    let Some(sandbox) = applied() else { return };
    std::fs::remove_file(sandbox.project().join("slow.tf")).unwrap();
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    let path = sandbox.project().join(STATE);
    std::fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
    let args = ["apply", "-auto-approve", "-lock=false"];
    let Some(refused) = tf_without_powers(&sandbox, &args) else { return };
    let refused = refused.run();
    refused.assert_status(125);
    assert!(refused.stderr_text().contains("apply was refused: unwritable-state"), "{refused}");
    let allowed = tf_without_powers(&sandbox, &args).unwrap();
    let done = allowed.env("TF_SHIM_ALLOW", "unwritable-state").run();
    done.assert_status(0);
    assert!(done.stdout_text().contains("Apply complete! Resources: 1 added"), "{done}");
    let said = done.stderr_text();
    assert!(said.contains("unwritable-state: the state file was not written"), "{done}");
}
