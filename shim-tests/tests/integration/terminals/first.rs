//! As the first process of a namespace, as in a container: the kernel keeps every signal from it that it
//! has no handler for, its own included, and hands it the orphans.

use nix::sys::signal::Signal;
use shim_tests::processes::children_of;
use shim_tests::programs;
use shim_tests::scene::{Cast, Scene, Stage, Take};
use shim_tests::stage::{patient_resource, resource_running};
use shim_tests::{Invocation, wait_until};

use super::{APPLY, send};

/// Runs the word as process 1.
fn as_first(stage: &Stage) -> Invocation<'_> {
    let args = ["--pid", "--fork", "--mount-proc", "terraform"].into_iter().chain(APPLY);
    stage.program("unshare", args)
}

/// Has process 1 get a signal while Terraform provisions.
fn struck(stage: &Stage, signal: Signal) -> Take {
    let running = as_first(stage).start();
    wait_until("Terraform to provision", || stage.sandbox().has("begun"));
    let first = children_of(running.pid())[0];
    send(first, signal);
    stage.take(running)
}

/// Whether namespaces can be made here; where they cannot, that is said.
fn is_allowed() -> bool {
    programs::works("unshare", &["--pid", "--fork", "--mount-proc", "true"])
}

#[test]
fn what_terraform_handles_ends_it_alike() {
    for (signal, end) in [
        (Signal::SIGINT, "status: 1"),
        (Signal::SIGTERM, "status: 1"),
        (Signal::SIGQUIT, "status: 2"),
    ] {
        if is_allowed() {
            let scene = Scene::real(&patient_resource("slow"));
            let played = scene.compare(|stage| struck(stage, signal));
            played.ended(end).shows(usize::from(end == "status: 1"), "Interrupt received");
        }
    }
}

/// The Go runtime ends by the signal, and where the kernel does not let it, with 2.
#[test]
fn what_would_have_killed_terraform_gives_its_status() {
    if is_allowed() {
        let scene = Scene::real(&patient_resource("slow"));
        scene.compare(|stage| struck(stage, Signal::SIGHUP)).ended("status: 2");
        let played = scene.compare(|stage| {
            let mut running = as_first(stage).start();
            wait_until("Terraform to provision", || stage.sandbox().has("begun"));
            running.close_stdout();
            stage.go_on();
            stage.take(running)
        });
        played.ended("status: 2");
    }
}

#[test]
fn what_terraform_passes_over_is_passed_over() {
    for signal in [Signal::SIGUSR1, Signal::SIGALRM, Signal::SIGPIPE, Signal::SIGTSTP] {
        if is_allowed() {
            let played = Scene::real(&patient_resource("slow")).compare(|stage| {
                let running = as_first(stage).start();
                wait_until("Terraform to provision", || stage.sandbox().has("begun"));
                send(children_of(running.pid())[0], signal);
                stage.go_on();
                stage.take(running)
            });
            played.ended("status: 0").shows(1, "Apply complete!");
        }
    }
}

/// Terraform killed below us has no like without us: whoever kills process 1 takes everything along. Shells
/// say 137 where we may not die of it.
#[test]
fn a_terraform_that_is_killed_gives_the_status_of_shells() {
    if is_allowed() {
        let take = Scene::real(&patient_resource("slow")).play(Cast::Shim, |stage| {
            let running = as_first(stage).start();
            wait_until("Terraform to provision", || stage.sandbox().has("begun"));
            let first = children_of(running.pid())[0];
            // Terraform and the witness beside it.
            for pid in children_of(first) {
                send(pid, Signal::SIGKILL);
            }
            stage.take(running)
        });
        assert!(take.is_none_or(|take| take.text("end") == "status: 137\n"));
    }
}

#[test]
fn orphans_hold_nothing_up() {
    if is_allowed() {
        // One that ends at once, one that would live on: the kernel takes it along with process 1.
        let script = "(: &) ; (/bin/sleep 600 > /dev/null 2>&1 &) ; exit 0";
        let scene = Scene::real(&resource_running("b", script));
        scene.compare(|stage| stage.take(as_first(stage).start())).ended("status: 0");
    }
}
