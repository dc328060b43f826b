//! A plan that the user saved: judged as it is, and applied as it was judged.

use shim_tests::{Sandbox, stage};

use super::{applied, assert_nothing_left, newest, refused};

#[test]
fn a_saved_plan_that_deletes_nothing_is_applied_without_a_question() {
    let Some(sandbox) = applied() else { return };
    sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
    sandbox.terraform(["plan", "-out=p.tfplan"]).run().assert_status(0);
    let transcript = sandbox.tf(["apply", "-no-color", "p.tfplan"]).run();
    transcript.assert_status(0);
    assert!(transcript.stdout_text().contains("1 added, 0 changed, 0 destroyed"), "{transcript}");
    assert_eq!(newest(&sandbox, "done").end["changes"]["add"], 1);
    assert!(sandbox.has("p.tfplan"), "the user's file stays");
}

#[test]
fn a_stale_plan_is_refused_by_terraform_in_its_own_words() {
    let Some(sandbox) = applied() else { return };
    sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
    sandbox.terraform(["plan", "-out=p"]).run().assert_status(0);
    sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
    let transcript = sandbox.tf(["apply", "p"]).run();
    transcript.assert_status(1);
    assert!(transcript.stderr_text().contains("Saved plan is stale"), "{transcript}");
    assert_nothing_left(&sandbox);
}

#[test]
fn what_is_no_plan_is_refused_by_terraform() {
    let Some(sandbox) = applied() else { return };
    sandbox.write("text", "no plan");
    sandbox.write("dir/x", "");
    for name in ["text", "dir", "nope"] {
        let theirs = sandbox.terraform(["apply", name]).run();
        let ours = sandbox.tf(["apply", name]).run();
        assert_eq!(ours.status(), theirs.status(), "{ours}");
        assert_eq!(ours.stderr_text(), theirs.stderr_text(), "{ours}");
    }
}

#[test]
fn a_plan_that_cannot_be_read_out_is_not_applied() {
    let Some(sandbox) = applied() else { return };
    sandbox.terraform(["plan", "-out=p"]).run().assert_status(0);
    let mut plan = sandbox.read("p");
    // The archive stays one, and the backend can be found: what is in it is no plan any more.
    let places: Vec<usize> =
        (0..plan.len() - 8).filter(|at| plan[*at..].starts_with(b"tfconfig")).collect();
    for at in places {
        plan[at] = b'x';
    }
    sandbox.write("p", plan);
    let (transcript, refusal) = refused(&sandbox, sandbox.tf(["apply", "p"]));
    assert!(transcript.stderr_text().contains("the plan cannot be judged"), "{transcript}");
    assert!(refusal["addresses"].as_array().unwrap().is_empty());
}

#[test]
fn the_path_of_a_plan_is_relative_to_the_directory_that_chdir_names() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("sub/main.tf", stage::resource("a", "1"));
    sandbox.write("sub/.tf-shim.toml", super::RULE);
    sandbox.terraform(["-chdir=sub", "plan", "-out=p"]).run().assert_status(0);
    sandbox.tf(["-chdir=sub", "apply", "p"]).run().assert_status(0);
    assert!(sandbox.has("sub/terraform.tfstate"));
}
