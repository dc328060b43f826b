//! Undo: what was before the last operation that changed the state comes back, and it is said what that
//! means for the infrastructure.

use serde_json::Value;
use shim_tests::shim::{document, id, operations, operations_of, serial, shim, tree, with_serial};
use shim_tests::{Sandbox, Scenario, Step, Transcript, stage, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// Returns a sandbox in which a real Terraform has applied two resources; none where there is none.
fn applied() -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    Some(sandbox)
}

/// Undoes without asking, and fails unless that ends with this status.
#[track_caller]
fn undo(sandbox: &Sandbox, status: i32) -> Transcript {
    let transcript = shim(sandbox, ["undo", "--yes"]).run();
    transcript.assert_status(status);
    transcript
}

/// Fails unless the real Terraform finds nothing to do.
#[track_caller]
fn assert_plan_is_empty(sandbox: &Sandbox) {
    sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
}

/// Runs a guarded command that must do well.
#[track_caller]
fn run(sandbox: &Sandbox, args: &[&str]) {
    sandbox.tf(args.iter().copied()).run().assert_status(0);
}

#[test]
fn what_touched_only_the_state_is_undone_exactly() {
    let Some(sandbox) = applied() else { return };
    let good = with_serial(&sandbox.read(STATE), 0);
    let commands: [&[&str]; 3] = [
        &["state", "rm", "terraform_data.b"],
        &["state", "mv", "terraform_data.a", "terraform_data.z"],
        &["taint", "terraform_data.a"],
    ];
    for command in commands {
        run(&sandbox, command);
        let undone = undo(&sandbox, 0);
        assert!(undone.stderr_text().contains("exact"), "{undone}");
        assert!(with_serial(&sandbox.read(STATE), 0) == good, "{command:?}");
        assert_plan_is_empty(&sandbox);
    }
    run(&sandbox, &["state", "rm", "terraform_data.b"]);
    let without = with_serial(&sandbox.read(STATE), 0);
    run(&sandbox, &["import", "terraform_data.b", "some-id"]);
    assert!(undo(&sandbox, 0).stderr_text().contains("exact"));
    assert!(with_serial(&sandbox.read(STATE), 0) == without, "import");
}

#[test]
fn a_second_undo_undoes_the_first() {
    let Some(sandbox) = applied() else { return };
    run(&sandbox, &["state", "rm", "terraform_data.b"]);
    let removed = sandbox.read(STATE);
    undo(&sandbox, 0);
    undo(&sandbox, 0);
    assert!(sandbox.read(STATE) == with_serial(&removed, serial(&removed) + 2));
    undo(&sandbox, 0);
    assert_plan_is_empty(&sandbox);
}

#[test]
fn what_was_created_would_be_orphaned_and_is_named_with_its_ids() {
    let Some(sandbox) = applied() else { return };
    sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
    run(&sandbox, &["apply", "-auto-approve"]);
    let applied = sandbox.read(STATE);
    let state: Value = serde_json::from_slice(&applied).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let created = resources.iter().find(|resource| resource["name"] == "c").unwrap();
    let created_id = created["instances"][0]["attributes"]["id"].as_str().unwrap();
    let refused = undo(&sandbox, 3);
    let said = refused.stderr_text();
    assert!(said.contains("terraform_data.c") && said.contains(created_id), "{refused}");
    assert!(said.contains("--orphan"), "{refused}");
    assert!(sandbox.read(STATE) == applied, "nothing is written");
    assert!(operations(&sandbox).iter().all(|operation| operation["kind"] != "restore"));
    shim(&sandbox, ["undo", "--orphan", "--yes"]).run().assert_status(0);
    let list = sandbox.terraform(["state", "list"]).run();
    assert_eq!(list.stdout, b"terraform_data.a\nterraform_data.b\n");
}

#[test]
fn after_a_destroy_what_comes_back_is_called_an_inventory() {
    let Some(sandbox) = applied() else { return };
    let good = sandbox.read(STATE);
    run(&sandbox, &["destroy", "-auto-approve"]);
    let undone = undo(&sandbox, 0);
    assert!(undone.stderr_text().contains("inventory"), "{undone}");
    assert!(with_serial(&sandbox.read(STATE), 0) == with_serial(&good, 0));
}

#[test]
fn what_happened_outside_and_a_lost_file_are_undone_too() {
    let Some(sandbox) = applied() else { return };
    sandbox.terraform(["state", "rm", "terraform_data.b"]).run().assert_status(0);
    undo(&sandbox, 0);
    assert_plan_is_empty(&sandbox);
    std::fs::remove_file(sandbox.project().join(STATE)).unwrap();
    undo(&sandbox, 0);
    assert_plan_is_empty(&sandbox);
    sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
    sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
    let refused = undo(&sandbox, 3);
    assert!(refused.stderr_text().contains("terraform_data.c"), "{refused}");
}

#[test]
fn what_did_not_change_the_state_is_passed_over() {
    let Some(sandbox) = applied() else { return };
    run(&sandbox, &["state", "rm", "terraform_data.b"]);
    sandbox.write("main.tf", stage::resources(&["a"]));
    run(&sandbox, &["apply", "-auto-approve"]);
    shim(&sandbox, ["save", "-m", "note"]).run().assert_status(0);
    shim(&sandbox, ["pin", "@"]).run().assert_status(0);
    undo(&sandbox, 0);
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    assert_plan_is_empty(&sandbox);
}

#[test]
fn a_failed_apply_that_wrote_its_state_is_undone() {
    let Some(sandbox) = applied() else { return };
    sandbox.write("bad.tf", stage::resource_running("bad", "exit 1"));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(1);
    let refused = undo(&sandbox, 3);
    assert!(refused.stderr_text().contains("terraform_data.bad"), "{refused}");
    shim(&sandbox, ["undo", "--yes", "--orphan"]).run().assert_status(0);
    std::fs::remove_file(sandbox.project().join("bad.tf")).unwrap();
    assert_plan_is_empty(&sandbox);
}

#[test]
fn where_there_is_nothing_to_undo_that_is_an_error_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    sandbox.write(STATE, states::state(1, &["a"]));
    undo(&sandbox, 1);
    shim(&sandbox, ["save"]).run().assert_status(0);
    let before = tree(&sandbox.project());
    let nothing = undo(&sandbox, 1);
    assert!(nothing.stderr_text().contains("nothing to undo"), "{nothing}");
    assert!(tree(&sandbox.project()) == before);
}

#[test]
fn after_a_restore_undo_undoes_the_restore() {
    let sandbox = Sandbox::new().with_fake(Scenario::terraform());
    for (number, resources) in [(1, &["a"][..]), (2, &["a", "b"]), (3, &["a", "b", "c"])] {
        sandbox.play(
            Scenario::terraform()
                .on(["apply"], [Step::write(STATE, states::state(number, resources))]),
        );
        run(&sandbox, &["apply"]);
    }
    shim(&sandbox, ["restore", "serial:1", "--yes"]).run().assert_status(0);
    undo(&sandbox, 0);
    assert!(sandbox.read(STATE) == states::state(5, &["a", "b", "c"]).into_bytes());
}

#[test]
fn a_deleted_workspace_comes_back_by_its_name() {
    let Some(sandbox) = applied() else { return };
    run(&sandbox, &["workspace", "new", "blue"]);
    run(&sandbox, &["apply", "-auto-approve"]);
    let path = "terraform.tfstate.d/blue/terraform.tfstate";
    let blue = sandbox.read(path);
    run(&sandbox, &["workspace", "select", "default"]);
    run(&sandbox, &["workspace", "delete", "-force", "blue"]);
    assert!(!sandbox.has(path));
    let deleted = operations_of(&sandbox, &["--workspace", "blue"]).remove(0);
    assert_eq!(deleted["verb"], "workspace delete", "{deleted}");
    shim(&sandbox, ["undo", "--yes", "--workspace", "blue"]).run().assert_status(0);
    assert!(sandbox.read(path) == with_serial(&blue, serial(&blue) + 1));
    sandbox.terraform(["workspace", "select", "blue"]).run().assert_status(0);
    assert_plan_is_empty(&sandbox);
}

#[test]
fn the_report_as_json_names_operation_before_and_after() {
    let sandbox = Sandbox::new();
    sandbox.write(STATE, states::state(1, &["a", "b"]));
    shim(&sandbox, ["save"]).run().assert_status(0);
    sandbox.write(STATE, states::state(2, &["a"]));
    let done = shim(&sandbox, ["undo", "--yes", "--json"]).run();
    done.assert_status(0);
    let report = document(&done);
    let newest = operations(&sandbox).remove(0);
    assert_eq!(report["format_version"], "1.0", "{report:#}");
    assert!(report.to_string().contains(id(&newest)), "{report:#}");
}

#[test]
fn what_only_moved_is_neither_orphaned_nor_gone() {
    let Some(sandbox) = applied() else { return };
    let moved = stage::resources(&["a", "c"])
        + "moved {\n  from = terraform_data.b\n  to   = terraform_data.c\n}\n";
    sandbox.write("main.tf", moved);
    run(&sandbox, &["apply", "-auto-approve"]);
    let undone = undo(&sandbox, 0);
    assert!(undone.stderr_text().contains("exact"), "{undone}");
    assert!(!undone.stderr_text().contains("destroy -target"), "{undone}");
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    assert_plan_is_empty(&sandbox);
}

#[test]
fn a_preview_shows_what_happened_outside() {
    let Some(sandbox) = applied() else { return };
    run(&sandbox, &["state", "rm", "terraform_data.b"]);
    sandbox.terraform(["state", "rm", "terraform_data.a"]).run().assert_status(0);
    let preview = shim(&sandbox, ["undo", "--dry-run"]).run();
    preview.assert_status(0);
    assert!(preview.stdout_text().contains("outside tf"), "{preview}");
    assert!(preview.stdout_text().contains("+ terraform_data.a"), "{preview}");
    assert_eq!(operations(&sandbox).len(), 2, "a preview records nothing");
}
