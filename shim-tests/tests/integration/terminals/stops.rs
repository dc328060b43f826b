//! Stops and continues that a process sends, to whom ever, in whatever order.
//!
//! Easy to get wrong: the kernel drops a stop that waits when a continue comes, and the other way round,
//! so what comes last counts; who takes a signal in hand takes that upon himself.

use std::cell::Cell;

use nix::sys::signal::Signal;
use shim_tests::processes::{self, children_of, state_of};
use shim_tests::scene::{Scene, Stage};
use shim_tests::stage::patient_resource;
use shim_tests::wait::comes;
use shim_tests::wait_until;

use super::shell::{Kind, Shell};
use super::{APPLY, send};

/// A scene with a slow resource.
fn slow() -> Scene {
    Scene::real(&patient_resource("slow"))
}

/// Whether Terraform, and what was called, are stopped or not.
fn are_stopped(stage: &Stage, terraform: u32, is_stopped: bool) -> impl Fn() -> bool {
    let is = move |pid| {
        if is_stopped {
            return processes::is_stopped(pid);
        }
        state_of(pid).is_some_and(|state| state != 'T')
    };
    let called = stage.called(terraform);
    move || is(terraform) && is(called)
}

/// Waits until Terraform, and what was called, are stopped or not.
fn wait_until_stopped(stage: &Stage, terraform: u32, is_stopped: bool) {
    wait_until("both to stop or to go on", are_stopped(stage, terraform, is_stopped));
}

#[test]
fn a_stop_and_a_continue_at_once_end_in_neither() {
    // The kernel throws a continue away that comes in the microseconds between our last look for one and
    // our own stop. Once in all the plays is that; twice is not.
    let lost = Cell::new(0);
    for (stop, go) in [("alone", "alone"), ("group", "group"), ("alone", "group")] {
        let played = slow().compare(|stage| {
            let running = stage.call(APPLY).start();
            let terraform = stage.provisioning();
            for (to, signal) in [(stop, Signal::SIGTSTP), (go, Signal::SIGCONT)] {
                match to {
                    "alone" => running.signal(signal),
                    _ => running.signal_group(signal),
                }
            }
            if !comes(are_stopped(stage, terraform, false)) {
                lost.set(lost.get() + 1);
                running.signal_group(Signal::SIGCONT);
                wait_until_stopped(stage, terraform, false);
            }
            stage.go_on();
            stage.take(running)
        });
        played.ended("status: 0").shows(1, "Apply complete!");
    }
    assert!(lost.get() <= 1, "{} continues were lost", lost.get());
}

#[test]
fn a_stop_that_was_sent_to_all_is_undone_by_a_continue_to_the_one() {
    for (stop, go) in [("alone", "alone"), ("group", "alone"), ("alone", "group")] {
        let played = slow().compare(|stage| {
            let running = stage.call(APPLY).start();
            let terraform = stage.provisioning();
            for (to, signal) in [(stop, Signal::SIGTSTP), (go, Signal::SIGCONT)] {
                match to {
                    "alone" => running.signal(signal),
                    _ => running.signal_group(signal),
                }
                wait_until_stopped(stage, terraform, signal == Signal::SIGTSTP);
            }
            stage.go_on();
            stage.take(running)
        });
        played.ended("status: 0").shows(1, "Apply complete!");
    }
}

#[test]
fn the_stop_key_is_undone_by_a_continue_to_the_one_that_was_called() {
    let played = slow().compare(|stage| {
        let mut shell = Shell::start(stage, Kind::Bash);
        shell.enter("terraform apply -auto-approve > out 2>&1");
        let terraform = stage.provisioning();
        shell.press("\x1a");
        shell.ready();
        wait_until_stopped(stage, terraform, true);
        send(children_of(shell.running.pid())[0], Signal::SIGCONT);
        wait_until_stopped(stage, terraform, false);
        stage.go_on();
        shell.run("wait %1");
        shell.run("echo status $?");
        shell.leave()
    });
    played.ended("status: 7").shows(1, "status 0");
}
