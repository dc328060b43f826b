//! Without `TF_SHIM_QUIET`, on a terminal, `tf` says its lines, and nothing else differs.

use shim_tests::processes::{is_stopped, state_of};
use shim_tests::scene::{Played, Scene};
use shim_tests::stage::{self, patient_resource};
use shim_tests::wait_until;

use super::shell::{Kind, Shell};
use super::{APPLY, HELD};

/// Fails unless this was said, where there is a Terraform.
#[track_caller]
fn assert_said(played: Played, expected: &str) {
    if let Some(take) = played.take() {
        assert_eq!(take.talk().join("\n"), expected);
    }
}

#[test]
fn an_apply_has_a_line_before_and_a_line_after() {
    let played = Scene::real(&stage::resource("b", "b"))
        .aloud()
        .compare(|stage| stage.take(stage.call(APPLY).on_terminal().start()));
    let expected = "saved serial 41 (1 resource) before apply\n\
                    serial 41 → 43, +1 ~0 -0 · undo with: tf shim undo";
    assert_said(played.ended("status: 0"), expected);
}

#[test]
fn a_command_that_only_reads_has_none() {
    let played = Scene::real(&stage::resource("b", "b"))
        .aloud()
        .compare(|stage| stage.take(stage.call(["plan"]).on_terminal().start()));
    assert_said(played.ended("status: 0"), "");
}

#[test]
fn where_stderr_is_no_terminal_there_is_none() {
    let played = Scene::real(&stage::resource("b", "b")).aloud().compare(|stage| {
        let line = "terraform apply -auto-approve 2> errors";
        stage.take(stage.program("sh", ["-c", line]).on_terminal().start())
    });
    assert_said(played.ended("status: 0"), "");
}

#[test]
fn a_stop_and_an_interrupt_have_the_same_lines() {
    let played = Scene::real(&patient_resource("slow")).aloud().compare(|stage| {
        let mut shell = Shell::start(stage, Kind::Bash);
        shell.enter("terraform apply -auto-approve");
        let terraform = stage.provisioning();
        shell.press("\x1a");
        shell.ready();
        wait_until("Terraform to stop", || is_stopped(terraform));
        shell.foreground();
        wait_until("Terraform to go on", || state_of(terraform) != Some('T'));
        shell.press("\x03");
        shell.ready();
        shell.leave()
    });
    let expected = "saved serial 41 (1 resource) before apply\n\
                    apply failed: serial 41 → 43, +1 ~0 -0 · undo with: tf shim undo";
    assert_said(played.ended("status: 7").shows(1, "Interrupt received"), expected);
}

#[test]
fn of_two_interrupts_the_lines_are_those_of_a_failure() {
    let played = Scene::provided(HELD).aloud().compare(|stage| {
        let mut running = super::keys::held(stage);
        running.type_text("\x03");
        running.wait_for_text("Gracefully shutting down...");
        running.wait_for_text("Stopping operation...");
        running.type_text("\x03");
        stage.take(running)
    });
    let expected = "no state yet before apply\napply failed: still no state";
    assert_said(played.shows(1, "Two interrupts"), expected);
}
