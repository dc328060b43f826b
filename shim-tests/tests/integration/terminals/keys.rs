//! Keys, the window and the line to it, during a guarded command that runs.

use shim_tests::provider::Step;
use shim_tests::scene::{Scene, Stage};
use shim_tests::stage::patient_resource;
use shim_tests::{Running, Size, wait_until};

use super::{APPLY, HELD, pass_the_window};

/// Starts an apply on a terminal, and returns when the provider holds the creation back.
pub(super) fn held(stage: &Stage) -> Running<'_> {
    stage.provider().cloud().hold(Step::Create);
    let running = stage.call(APPLY).on_terminal().start();
    let creations = || stage.provider().cloud().count(Step::Create, "fake_slow");
    wait_until("the creation", || creations() > 0);
    running.wait_for_text("Creating...");
    running
}

#[test]
fn one_ctrl_c_ends_an_apply_in_order() {
    let scene = Scene::real(&patient_resource("slow"));
    for scene in [scene.clone(), scene.called_tf()] {
        let played = scene.compare(|stage| {
            let mut running = stage.call(APPLY).on_terminal().start();
            let _ = stage.provisioning();
            running.type_text("\x03");
            stage.take(running)
        });
        played.ended("status: 1").shows(1, "Interrupt received").shows(0, "Two interrupts");
    }
}

#[test]
fn one_ctrl_c_lets_a_provider_finish_what_it_does() {
    let played = Scene::provided(HELD).compare(|stage| {
        let mut running = held(stage);
        running.type_text("\x03");
        running.wait_for_text("Stopping operation...");
        // Time for a second one that nobody typed.
        pass_the_window();
        stage.provider().cloud().release(Step::Create);
        stage.take(running)
    });
    played.ended("status: 1").shows(1, "Interrupt received").shows(0, "Two interrupts");
}

#[test]
fn two_ctrl_c_end_an_apply_at_once() {
    let scene = Scene::provided(HELD);
    for scene in [scene.clone(), scene.called_tf()] {
        let played = scene.compare(|stage| {
            let mut running = held(stage);
            running.type_text("\x03");
            running.wait_for_text("Gracefully shutting down...");
            running.wait_for_text("Stopping operation...");
            running.type_text("\x03");
            stage.take(running)
        });
        played.ended("status: 1").shows(1, "Interrupt received").shows(1, "Two interrupts");
    }
}

#[test]
fn ctrl_backslash_shows_the_stacks_and_leaves_the_lock_info() {
    let played = Scene::real(&patient_resource("slow")).compare(|stage| {
        let mut running = stage.call(APPLY).on_terminal().start();
        let _ = stage.provisioning();
        running.type_text("\x1c");
        stage.take(running)
    });
    let take = played.ended("status: 2").shows(1, "SIGQUIT: quit").take();
    assert!(take.is_none_or(|take| take.text(LOCK_INFO).contains("OperationTypeApply")));
}

/// The file that says who holds the lock of a state.
const LOCK_INFO: &str = "file .terraform.tfstate.lock.info, mode 600";

#[test]
fn a_lost_connection_ends_an_apply_and_leaves_the_lock_info() {
    let played = Scene::real(&patient_resource("slow")).compare(|stage| {
        let mut running = stage.call(APPLY).on_terminal().start();
        let terraform = stage.provisioning();
        running.hang_up();
        stage.take_after(running, &[terraform])
    });
    let take = played.ended("signal: SIGHUP").take();
    assert!(take.is_none_or(|take| take.text(LOCK_INFO).contains("OperationTypeApply")));
}

#[test]
fn an_error_is_wrapped_to_the_window_as_it_is_by_then() {
    let failing = patient_resource("slow").replace("exit 0", "echo A long tale of woe; exit 3");
    for columns in [40, 120] {
        let played = Scene::real(&failing).compare(|stage| {
            let running = stage.call(APPLY).on_terminal().start();
            let _ = stage.provisioning();
            running.resize(Size { columns, lines: 24 });
            stage.go_on();
            stage.take(running)
        });
        played.ended("status: 1").shows(2, "A long tale of woe\n");
    }
}

#[test]
fn ctrl_c_while_waiting_for_the_lock() {
    let played = Scene::real(&patient_resource("slow")).compare(|stage| {
        let first = stage.sandbox().terraform(APPLY).start();
        let _ = stage.provisioning();
        let mut running = stage.call(["apply", "-lock-timeout=60s"]).on_terminal().start();
        running.wait_for_text("Acquiring state lock");
        running.type_text("\x03");
        running.wait_for_end();
        stage.go_on();
        first.finish().assert_status(0);
        stage.take(running)
    });
    played.ended("status: 1");
}

#[test]
fn ctrl_c_while_a_command_only_reads() {
    let played = Scene::provided(HELD).compare(|stage| {
        stage.provider().cloud().hold(Step::Plan);
        let mut running = stage.call(["plan"]).on_terminal().start();
        wait_until("the plan", || stage.provider().cloud().count(Step::Plan, "fake_slow") > 0);
        running.type_text("\x03");
        running.wait_for_text("Stopping operation...");
        stage.provider().cloud().release(Step::Plan);
        stage.take(running)
    });
    played.ended("status: 1").shows(1, "Interrupt received");
}
