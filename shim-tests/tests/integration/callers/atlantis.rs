//! Atlantis: plans in one process, applies the file in another, watches what is printed.
//!
//! Its `server/core/terraform/tfclient/terraform_client.go`, `server/core/runtime/plan_step_runner.go`,
//! `apply_step_runner.go` and `models/shell_command_runner.go` (November 2026): every command goes through
//! `sh -c`; a `terraform` on `PATH` is asked for its version, and used where no other is wanted; both
//! streams are read line by line into one text, which is commented on the request; an apply whose plan is
//! remote is confirmed by `yes\n`, written when the last two lines are those of the prompt.

use shim_tests::callers::{Place, assert_ends, in_both};
use shim_tests::{Invocation, Transcript};

use super::{applied, captured, configured, recorded, version};

/// The two lines that Atlantis waits for before it confirms, and what it is still to be asked.
const PROMPT: &str = "  Only 'yes' will be accepted to approve.\n\n  Enter a value: ";

/// Prepares a command line in the environment of a project.
fn step<'p>(place: &'p Place, arguments: &str) -> Invocation<'p> {
    let line = format!("{} {arguments}", place.terraform().display());
    let call = place.shell(line).env("TF_IN_AUTOMATION", "true").env("WORKSPACE", "default");
    let call = call.env("ATLANTIS_TERRAFORM_VERSION", "1.11.4").env("TF_PLUGIN_CACHE_DIR", "");
    call.env("DIR", place.sandbox.project())
}

/// Runs several.
fn steps(place: &Place, lines: &[&str]) -> Vec<Transcript> {
    lines.iter().map(|line| step(place, line).run()).collect()
}

#[test]
fn the_terraform_on_path_is_asked_for_its_version() {
    let Some(both) = in_both(configured, |place| vec![place.call(["version"]).run()]) else {
        return;
    };
    let found = captured(r"(?:Terraform|OpenTofu) v(.*?)(\s.*)?\n", &both.through[0]);
    assert_eq!(found[0], version(&both.place));
}

#[test]
fn a_plan_of_one_process_is_applied_by_another() {
    let work = |place: &Place| {
        let plan = place.sandbox.project().join("default.tfplan");
        let file = plan.display();
        let lines = [
            "init -input=false -upgrade".to_owned(),
            "workspace show".to_owned(),
            format!("plan -input=false -refresh -out \"{file}\""),
            format!("show -json \"{file}\""),
            format!("apply -input=false \"{file}\""),
            format!("plan -input=false -refresh -out \"{file}\""),
        ];
        steps(place, &lines.each_ref().map(String::as_str))
    };
    let Some(both) = in_both(configured, work) else { return };
    assert_ends(&both.through, &[0; 6]);
    assert!(
        both.through[2].stdout_text().contains("\n\u{1b}[1mPlan:\u{1b}[0m 1 to add")
            || both.through[2].stdout_text().contains("\nPlan: 1 to add"),
        "{}",
        both.through[2]
    );
    assert!(both.through[5].stdout_text().contains("No changes."), "{}", both.through[5]);
    assert_eq!(recorded(&both.place), ["apply"]);
}

#[test]
fn a_prompt_is_seen_at_once_and_confirmed_through_a_pipe() {
    let work = |place: &Place| {
        let mut running = step(place, "apply -no-color -var size=big").stdin_left_open().start();
        running.wait_for_stdout(PROMPT);
        running.write_stdin("yes\n");
        let confirmed = running.finish();
        let mut running = step(place, "apply -no-color -var size=huge").stdin_left_open().start();
        running.wait_for_stdout(PROMPT);
        running.write_stdin("no\n");
        vec![confirmed, running.finish()]
    };
    let Some(both) = in_both(applied, work) else { return };
    assert_ends(&both.through, &[0, 1]);
    assert!(
        both.through[0].stdout_text().contains("Apply complete! Resources: 0 added, 1 changed")
    );
    let runs = both.place.sandbox.history().runs();
    let outcomes: Vec<&str> = runs.iter().map(shim_tests::Operation::outcome).collect();
    assert_eq!(outcomes, ["done", "failed"]);
}

#[test]
fn a_workspace_that_is_missing_is_made_after_its_selection_failed() {
    let lines =
        ["workspace show", "workspace select staging", "workspace new staging", "workspace show"];
    let Some(both) = in_both(applied, |place| steps(place, &lines)) else { return };
    assert_ends(&both.through, &[0, 1, 0, 0]);
    assert_eq!(both.through[3].stdout_text(), "staging\n");
}

#[test]
fn a_stale_plan_is_refused_in_terraforms_own_words() {
    let lines = [
        "plan -input=false -out stale.tfplan -var size=big",
        "apply -input=false -auto-approve -var size=huge",
        "apply -input=false stale.tfplan",
    ];
    let Some(both) = in_both(applied, |place| steps(place, &lines)) else { return };
    assert_ends(&both.through, &[0, 0, 1]);
    assert!(both.through[2].stderr_text().contains("Saved plan is stale"), "{}", both.through[2]);
}

#[test]
fn the_name_of_a_downloaded_binary_is_no_name_of_another_program() {
    let Some(place) = Place::with_tf_in_front() else { return };
    configured(&place.sandbox);
    let name = place.sandbox.path("front/terraform1.11.4");
    std::os::unix::fs::symlink(place.sandbox.tf_program(), &name).unwrap();
    let transcript = place.program(&name, ["apply", "-auto-approve", "-input=false"]).run();
    transcript.assert_status(0);
    assert_eq!(transcript.stderr_text(), "");
    assert_eq!(recorded(&place), ["apply"]);
}
