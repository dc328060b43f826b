//! Job control: what shells show and answer about a Terraform that is stopped, continued, killed.

use shim_tests::processes::{is_alive, is_stopped, state_of};
use shim_tests::scene::{Scene, Stage};
use shim_tests::stage::{self, patient_resource};
use shim_tests::wait_until;

use super::shell::{Kind, Shell};

const APPLY: &str = "terraform apply -auto-approve";

/// Has each shell play, on a stage with a slow resource.
fn played(act: impl Fn(&Stage, &mut Shell<'_>, Kind)) {
    for kind in Kind::all() {
        let played = Scene::real(&patient_resource("slow")).compare(|stage| {
            let mut shell = Shell::start(stage, kind);
            act(stage, &mut shell, kind);
            shell.leave()
        });
        played.ended("status: 7");
    }
}

/// Starts an apply in the foreground, and stops it by the key.
fn stopped(stage: &Stage, shell: &mut Shell<'_>) -> u32 {
    stopped_after(stage, shell, APPLY)
}

/// As [`stopped`], for another line.
fn stopped_after(stage: &Stage, shell: &mut Shell<'_>, line: &str) -> u32 {
    shell.enter(line);
    let terraform = stage.provisioning();
    shell.press("\x1a");
    shell.ready();
    wait_until("Terraform to stop", || is_stopped(terraform));
    terraform
}

/// Waits until a process runs again.
fn wait_until_it_runs(pid: u32) {
    wait_until("Terraform to go on", || state_of(pid).is_some_and(|state| state != 'T'));
}

#[test]
fn an_apply_is_stopped_and_continued_in_the_foreground() {
    played(|stage, shell, _| {
        let terraform = stopped(stage, shell);
        shell.run("echo status $?");
        shell.run("jobs");
        shell.foreground();
        wait_until_it_runs(terraform);
        stage.go_on();
        shell.ready();
        shell.run("echo status $?");
        shell.run("jobs");
    });
}

#[test]
fn an_apply_is_stopped_twice() {
    played(|stage, shell, _| {
        let terraform = stopped(stage, shell);
        shell.foreground();
        wait_until_it_runs(terraform);
        shell.press("\x1a");
        shell.ready();
        wait_until("Terraform to stop", || is_stopped(terraform));
        shell.run("jobs");
        shell.foreground();
        wait_until_it_runs(terraform);
        stage.go_on();
        shell.ready();
        shell.run("echo status $?");
    });
}

#[test]
fn an_apply_is_stopped_and_continued_in_the_background() {
    played(|stage, shell, _| {
        let terraform = stopped(stage, shell);
        shell.run("bg");
        wait_until_it_runs(terraform);
        shell.run("jobs");
        stage.go_on();
        shell.run("wait %1");
        shell.run("echo status $?");
    });
}

#[test]
fn a_stopped_apply_is_killed() {
    played(|stage, shell, kind| {
        // It speaks when it likes.
        let terraform = stopped_after(stage, shell, &format!("{APPLY} > out 2>&1"));
        let called = stage.called(terraform);
        shell.run("kill %1");
        if kind == Kind::Dash {
            // It does not continue what it kills.
            shell.run("fg");
        } else {
            wait_until("the end of the job", || !is_alive(called));
            shell.run("wait %1");
        }
        shell.run("echo status $?");
        shell.run("jobs");
    });
}

#[test]
fn an_apply_that_was_started_behind_is_waited_for() {
    played(|stage, shell, _| {
        shell.run(&format!("{APPLY} > out 2>&1 &"));
        let _ = stage.provisioning();
        shell.run("jobs");
        stage.go_on();
        shell.run("wait $!; echo status $?");
        shell.run("jobs");
    });
}

#[test]
fn an_apply_behind_is_killed_and_answers_its_status() {
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        played(|stage, shell, _| {
            shell.run(&format!("{APPLY} > out 2>&1 &"));
            let _ = stage.provisioning();
            shell.run(&format!("kill -{signal} %1"));
            shell.run("wait %1; echo status $?");
            shell.run("jobs");
        });
    }
}

#[test]
fn an_apply_behind_that_asks_waits_for_the_foreground() {
    for kind in Kind::all() {
        let played = Scene::real(&stage::resource("b", "b")).compare(|stage| {
            let mut shell = Shell::start(stage, kind);
            shell.run("terraform apply &");
            shell.running.wait_for_text("Enter a value:");
            shell.wait_for_stop();
            shell.run("jobs");
            shell.foreground();
            shell.press("yes\n");
            shell.ready();
            shell.run("echo status $?");
            shell.leave()
        });
        played.ended("status: 7").shows(1, "Apply complete!");
    }
}

#[test]
fn an_approval_is_asked_for_across_a_stop() {
    for (kind, line) in Kind::all().into_iter().zip(["apply", "destroy", "apply -no-color"]) {
        let played = Scene::real(&stage::resource("b", "b")).compare(|stage| {
            let mut shell = Shell::start(stage, kind);
            shell.enter(&format!("terraform {line}"));
            shell.running.wait_for_text("Enter a value:");
            shell.press("\x1a");
            shell.ready();
            shell.foreground();
            shell.press("yes\n");
            shell.ready();
            shell.run("echo status $?");
            shell.leave()
        });
        played.ended("status: 7").shows(1, "status 0");
    }
}

#[test]
fn ctrl_c_in_a_pipeline_is_told_for_each_of_it() {
    played(|stage, shell, kind| {
        shell.enter(&format!("{APPLY} -no-color 2>&1 | (trap '' INT; cat)"));
        let _ = stage.provisioning();
        shell.press("\x03");
        shell.ready();
        match kind {
            Kind::Bash => shell.run("echo status ${PIPESTATUS[@]}"),
            Kind::Zsh => shell.run("echo status $pipestatus"),
            Kind::Dash => shell.run("echo status $?"),
        }
    });
}

#[test]
fn ctrl_c_and_ctrl_backslash_leave_a_status() {
    for key in ["\x03", "\x1c"] {
        played(|stage, shell, _| {
            shell.enter(&format!("{APPLY} > out 2>&1"));
            let _ = stage.provisioning();
            shell.press(key);
            shell.ready();
            shell.run("echo status $?");
        });
    }
}

#[test]
fn an_apply_behind_stops_where_the_terminal_wants_it() {
    played(|stage, shell, _| {
        shell.run("stty tostop");
        shell.run(&format!("{APPLY} &"));
        shell.wait_for_stop();
        shell.run("jobs");
        shell.foreground();
        let _ = stage.provisioning();
        stage.go_on();
        shell.ready();
        shell.run("echo status $?");
        shell.run("stty -tostop");
    });
}

#[test]
fn a_job_that_is_stopped_for_good_is_continued_in_the_foreground() {
    played(|stage, shell, _| {
        shell.run(&format!("{APPLY} > out 2>&1 &"));
        let terraform = stage.provisioning();
        shell.run("kill -STOP %1");
        shell.wait_for_stop();
        wait_until("Terraform to stop", || is_stopped(terraform));
        shell.run("jobs");
        shell.foreground();
        wait_until_it_runs(terraform);
        stage.go_on();
        shell.ready();
        shell.run("echo status $?");
    });
}

#[test]
fn a_shell_that_leaves_takes_its_stopped_job_along() {
    for kind in Kind::all() {
        let played = Scene::real(&patient_resource("slow")).compare(|stage| {
            let mut shell = Shell::start(stage, kind);
            let line = format!("{APPLY} > out 2>&1");
            let terraform = stopped_after(stage, &mut shell, &line);
            let called = stage.called(terraform);
            shell.run("exit 7");
            shell.leave_behind(&[called, terraform])
        });
        played.ended("status: 7");
    }
}

#[test]
fn a_lost_connection_ends_the_shell_and_its_jobs() {
    for kind in Kind::all() {
        for line in ["terraform apply -auto-approve", "terraform apply -auto-approve > out 2>&1 &"]
        {
            Scene::real(&patient_resource("slow")).compare(|stage| {
                let mut shell = Shell::start(stage, kind);
                shell.enter(line);
                let terraform = stage.provisioning();
                let called = stage.called(terraform);
                shell.running.hang_up();
                // A job behind may be spared, and then comes to its end by itself.
                stage.go_on();
                shell.lost(&[called, terraform])
            });
        }
    }
}

#[test]
fn a_command_that_only_reads_is_stopped_and_continued() {
    for kind in Kind::all() {
        let variable = "variable \"v\" {}\noutput \"o\" {\n  value = var.v\n}\n";
        let played = Scene::real(variable).compare(|stage| {
            let mut shell = Shell::start(stage, kind);
            shell.enter("terraform plan");
            shell.running.wait_for_text("Enter a value:");
            shell.press("\x1a");
            shell.ready();
            shell.run("jobs");
            shell.foreground();
            shell.press("seven\n");
            shell.ready();
            shell.run("echo status $?");
            shell.leave()
        });
        played.ended("status: 7").shows(1, "status 0");
    }
}
