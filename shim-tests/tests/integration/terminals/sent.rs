//! Signals that a process sends, and what stands between the sender and Terraform: pipelines, jobs behind,
//! `timeout`, `nohup`, `setsid`, and what terraform-exec does.

use nix::sys::signal::Signal;
use shim_tests::scene::{Scene, Stage, Take};
use shim_tests::stage::{self, patient_resource};
use shim_tests::{Running, Scenario, Step, processes, states, wait_until};

use super::{APPLY, send};

/// What the fake counts.
const COUNTED: [Signal; 7] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGALRM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// A scene with a slow resource.
fn slow() -> Scene {
    Scene::real(&patient_resource("slow"))
}

/// A scene with a fake that counts what it gets, until the file `go` is there.
fn counting() -> Scene {
    let part = [
        Step::catch(COUNTED),
        Step::touch("ready"),
        Step::await_file("go"),
        Step::write("terraform.tfstate", states::state(42, &["a"])),
    ];
    Scene::fake(Scenario::terraform().on(["apply"], part))
}

/// Waits until everything that was sent so far has been dealt with, and lets the fake go on.
fn counted<'s>(stage: &'s Stage, running: Running<'s>, called: u32) -> Take {
    let marks = || stage.caught().iter().filter(|signal| **signal == Signal::SIGUSR2).count();
    send(called, Signal::SIGUSR2);
    wait_until("the mark", || marks() > 0);
    stage.go_on();
    stage.take(running)
}

#[test]
fn a_signal_to_the_process_alone() {
    for (signal, end) in [
        (Signal::SIGINT, "status: 1"),
        (Signal::SIGTERM, "status: 1"),
        (Signal::SIGHUP, "signal: SIGHUP"),
        (Signal::SIGQUIT, "status: 2"),
    ] {
        let played = slow().compare(|stage| {
            let running = stage.call(APPLY).start();
            let _ = stage.provisioning();
            running.signal(signal);
            stage.take(running)
        });
        played.ended(end).shows(usize::from(end == "status: 1"), "Interrupt received");
    }
}

#[test]
fn a_signal_to_the_group() {
    for (signal, end) in [
        (Signal::SIGINT, "status: 1"),
        (Signal::SIGTERM, "status: 1"),
        (Signal::SIGHUP, "signal: SIGHUP"),
        (Signal::SIGQUIT, "status: 2"),
    ] {
        let played = slow().called_tf().compare(|stage| {
            let running = stage.call(APPLY).start();
            let _ = stage.provisioning();
            running.signal_group(signal);
            stage.take(running)
        });
        played.ended(end).shows(usize::from(end == "status: 1"), "Interrupt received");
    }
}

#[test]
fn signals_that_terraform_passes_over_end_nothing() {
    for signal in [Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGALRM, Signal::SIGPIPE] {
        for to_group in [false, true] {
            let played = slow().compare(|stage| {
                let running = stage.call(APPLY).start();
                let terraform = stage.provisioning();
                if to_group {
                    running.signal_group(signal);
                } else {
                    running.signal(signal);
                }
                let is_pending = |pid| processes::is_pending(pid, signal);
                let called = stage.called(terraform);
                wait_until("it to be taken", || !is_pending(called) && !is_pending(terraform));
                stage.go_on();
                stage.take(running)
            });
            played.ended("status: 0").shows(1, "Apply complete!");
        }
    }
}

#[test]
fn every_signal_is_counted_alike() {
    for signal in COUNTED.into_iter().filter(|signal| *signal != Signal::SIGUSR2) {
        for to_group in [false, true] {
            let played = counting().compare(|stage| {
                let running = stage.call(["apply"]).start();
                let called = stage.called(stage.faking());
                if to_group {
                    running.signal_group(signal);
                } else {
                    running.signal(signal);
                }
                counted(stage, running, called)
            });
            assert_eq!(played.ended("status: 0").take().unwrap().text("caught"), signal.as_str());
        }
    }
}

#[test]
fn a_pipeline_whose_reader_stays() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let script = "terraform apply -auto-approve -no-color 2>&1 | (trap '' INT TERM; cat)\n\
                      echo status ${PIPESTATUS[@]}";
        let played = slow().compare(|stage| {
            // A trap that does something: bash itself goes on, and its children are as if there were none.
            let script = ["trap : INT TERM\n", script].concat();
            let running = stage.program("bash", ["-c", &script]).start();
            let _ = stage.provisioning();
            running.signal_group(signal);
            stage.take(running)
        });
        played.ended("status: 0").shows(1, "Interrupt received").shows(1, "status 1 0");
    }
}

#[test]
fn a_pipeline_whose_reader_goes() {
    let played = slow().compare(|stage| {
        let script =
            "terraform apply -auto-approve -no-color | head -n 1\necho status ${PIPESTATUS[@]}";
        let running = stage.program("bash", ["-c", script]).start();
        stage.take(running)
    });
    played.ended("status: 0").shows(1, "status 141 0");
    let played = slow().compare(|stage| {
        let mut running = stage.call(APPLY).start();
        let _ = stage.provisioning();
        running.close_stdout();
        stage.go_on();
        stage.take(running)
    });
    played.ended("signal: SIGPIPE");
}

#[test]
fn a_pipeline_that_answers() {
    for (writer, end) in [("yes", "1"), ("yes yes", "0"), ("echo yes", "0"), ("printf yes", "1")] {
        let played = Scene::real(&stage::resource("b", "b")).compare(|stage| {
            let script = format!("{writer} | terraform apply; echo status ${{PIPESTATUS[1]}}");
            let running = stage.program("bash", ["-c", &script]).start();
            stage.take(running)
        });
        played.ended("status: 0").shows(1, &format!("status {end}"));
    }
}

#[test]
fn a_job_of_a_script_whose_interrupts_are_ignored_at_first() {
    for (shell, to_group) in [("bash", false), ("bash", true), ("dash", false), ("dash", true)] {
        let played = slow().compare(|stage| {
            let script = "trap : INT; terraform apply -auto-approve -no-color & job=$!\n\
                          wait $job; [ $? -gt 128 ] && wait $job; echo status $?";
            let running = stage.program(shell, ["-c", script]).start();
            let called = stage.called(stage.provisioning());
            if to_group {
                running.signal_group(Signal::SIGINT);
            } else {
                send(called, Signal::SIGINT);
            }
            stage.take(running)
        });
        played.ended("status: 0").shows(1, "Interrupt received");
    }
}

#[test]
fn timeout_sends_it_to_its_child_alone() {
    for name in ["INT", "TERM", "HUP"] {
        let played = slow().compare(|stage| {
            let args = ["--foreground", "-s", name, "600", "terraform"];
            let args = args.into_iter().chain(APPLY);
            let running = stage.program("timeout", args).start();
            let _ = stage.provisioning();
            // Its timer is SIGALRM, so that nobody has to wait for it.
            running.signal(Signal::SIGALRM);
            stage.take(running)
        });
        played.ended("status: 124").shows(usize::from(name != "HUP"), "Interrupt received");
    }
}

/// `timeout` sends it to its child, then to the group: Terraform alone often takes these for two. Through
/// `tf` they are always one, so this is a play that Terraform gives too, if the two fall together.
#[test]
fn timeout_sends_it_to_its_child_and_to_the_group() {
    for name in ["INT", "TERM", "HUP"] {
        let played = slow().compare(|stage| {
            let args = ["-s", name, "600", "terraform"].into_iter().chain(APPLY);
            let running = stage.program("timeout", args).start();
            let _ = stage.provisioning();
            running.signal(Signal::SIGALRM);
            stage.take(running)
        });
        let count = usize::from(name != "HUP");
        played.ended("status: 124").shows(count, "Interrupt received").shows(0, "Two interrupts");
    }
}

#[test]
fn nohup_outlives_the_terminal() {
    let played = slow().compare(|stage| {
        let args = ["terraform"].into_iter().chain(APPLY);
        let mut running = stage.program("nohup", args).on_terminal().start();
        let terraform = stage.provisioning();
        running.hang_up();
        let called = stage.called(terraform);
        let is_pending = |pid| processes::is_pending(pid, Signal::SIGHUP);
        wait_until("it to be taken", || !is_pending(called) && !is_pending(terraform));
        stage.go_on();
        stage.take(running)
    });
    let take = played.ended("status: 0").take();
    assert!(take.is_none_or(|take| take.text("file nohup.out, mode 600").contains("complete!")));
}

#[test]
fn a_session_of_its_own() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let played = slow().compare(|stage| {
            let args = ["--wait", "terraform"].into_iter().chain(APPLY);
            let running = stage.program("setsid", args).on_terminal().start();
            let called = stage.called(stage.provisioning());
            send(called, signal);
            stage.take(running)
        });
        played.shows(usize::from(signal != Signal::SIGHUP), "Interrupt received");
    }
}

/// Its child leads a group and is to die with it; it is cancelled by an interrupt to that process alone.
#[test]
fn terraform_exec_cancels() {
    for line in [["apply", "-auto-approve"], ["destroy", "-auto-approve"]] {
        let played = slow().compare(|stage| {
            let call = stage.call(line).with_parent_death(Signal::SIGKILL);
            let running = call.env("TF_IN_AUTOMATION", "1").start();
            if line[0] == "apply" {
                let _ = stage.provisioning();
                running.signal(Signal::SIGINT);
            }
            stage.take(running)
        });
        played.shows(usize::from(line[0] == "apply"), "Interrupt received");
    }
}
