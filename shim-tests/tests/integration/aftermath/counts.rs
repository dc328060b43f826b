//! What must be in the state after a command that ended well, and is not.

use shim_tests::{Sandbox, Scenario, Step, Transcript, stage, states};

use super::{STATE, assert_found};

/// Returns a sandbox with a state of serial 5, whose fake does that when it is called so.
fn fake(verb: &[&str], steps: impl IntoIterator<Item = Step>) -> Sandbox {
    let sandbox = Sandbox::new().with_fake(Scenario::terraform().on(verb.iter().copied(), steps));
    sandbox.write(STATE, states::state(5, &["a", "b"]));
    sandbox
}

/// Runs a command line, given as one text.
fn run(sandbox: &Sandbox, line: &str) -> Transcript {
    sandbox.tf(line.split(' ')).run()
}

#[test]
fn commands_that_cannot_end_well_without_a_change_are_believed_only_with_one() {
    for line in [
        "state rm terraform_data.a",
        "state mv terraform_data.a terraform_data.c",
        "import terraform_data.c x",
        "untaint terraform_data.a",
    ] {
        let sandbox = fake(&[], []);
        assert_found(&sandbox, &run(&sandbox, line), 0, &["unwritable-state"]);
    }
    for line in [
        "taint terraform_data.a",
        "untaint -allow-missing terraform_data.a",
        "state replace-provider a b",
        "apply -auto-approve",
        "apply -auto-approve -destroy -target=terraform_data.a",
        "refresh",
    ] {
        let sandbox = fake(&[], []);
        assert_found(&sandbox, &run(&sandbox, line), 0, &[]);
    }
}

#[test]
fn a_destruction_of_everything_leaves_nothing() {
    for line in ["destroy -auto-approve", "apply -destroy -auto-approve", "apply -destroy=1"] {
        let word: Vec<&str> = line.split(' ').take(1).collect();
        let sandbox = fake(&word, [Step::write(STATE, states::state(6, &["b"]))]);
        assert_found(&sandbox, &run(&sandbox, line), 0, &["unwritable-state"]);
        let sandbox = fake(&word, [Step::write(STATE, states::state(6, &[]))]);
        assert_found(&sandbox, &run(&sandbox, line), 0, &[]);
    }
    for line in ["destroy -target=terraform_data.a", "destroy -exclude terraform_data.b"] {
        let sandbox = fake(&["destroy"], [Step::write(STATE, states::state(6, &["b"]))]);
        assert_found(&sandbox, &run(&sandbox, line), 0, &[]);
    }
}

#[test]
fn a_state_that_goes_back_or_is_another_is_told() {
    let other = states::state_of("aaaaaaaa-53d4-44b7-9f0c-6c2b9a1e7d10", 9, &["a"]);
    for (state, guard) in [(states::state(4, &["a"]), "older-state"), (other, "foreign-state")] {
        let sandbox = fake(&["apply"], [Step::write(STATE, state.clone())]);
        assert_found(&sandbox, &run(&sandbox, "apply"), 0, &[guard]);
        let failed = [Step::write(STATE, state.clone()), Step::Exit(1)];
        let sandbox = fake(&["apply"], failed);
        assert_found(&sandbox, &run(&sandbox, "apply"), 1, &[guard]);
        let sandbox = fake(&["state", "push"], [Step::write(STATE, state)]);
        assert_found(&sandbox, &run(&sandbox, "state push -force x"), 0, &[]);
    }
}

/// Returns a saved plan of the real Terraform that makes two resources beside the two of [`fake`].
fn plan_of_two() -> Option<Vec<u8>> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resources(&["a", "b", "c", "d"]));
    sandbox.write(STATE, states::state(5, &["a", "b"]));
    sandbox.terraform(["plan", "-out=p"]).run().assert_status(0);
    Some(sandbox.read("p"))
}

#[test]
fn after_a_saved_plan_there_are_as_many_resources_as_it_says() {
    let Some(plan) = plan_of_two() else { return };
    let names = ["a", "b", "c", "d", "e"];
    for (count, found) in [(3, &["missing-state"][..]), (4, &[]), (5, &[])] {
        let state = states::state(6, &names[..count]);
        let sandbox = fake(&["apply"], [Step::write(STATE, state.clone())]);
        sandbox.write("p", &plan);
        assert_found(&sandbox, &run(&sandbox, "apply p"), 0, found);
        let sandbox = fake(&["apply"], [Step::write(STATE, state), Step::Exit(1)]);
        sandbox.write("p", &plan);
        assert_found(&sandbox, &run(&sandbox, "apply p"), 1, &[]);
    }
}

#[test]
fn a_plan_with_changes_is_not_applied_without_writing_the_state() {
    let Some(plan) = plan_of_two() else { return };
    let sandbox = fake(&["apply"], []);
    sandbox.write("p", &plan);
    assert_found(&sandbox, &run(&sandbox, "apply p"), 0, &["unwritable-state"]);
}
