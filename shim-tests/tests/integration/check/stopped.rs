//! A check that is stopped at each of its steps: by a signal to it alone or to its group, by its own limit,
//! by SIGKILL. Terraform is interrupted once, what it did is saved, the reports are there, no plan is.

use nix::sys::signal::Signal;
use shim_tests::provider::Step;
use shim_tests::shim::operations;
use shim_tests::{End, Running, wait_until};

use super::{Checked, Stage, names_in, text};

/// A resource that a second apply has to write again.
const REWRITTEN: &str = r#"resource "fake_normalised" "a" {
  mode  = "case"
  value = "X"
}
"#;

/// The steps of a check with everything, and what Terraform asks of the provider in each, no two alike in a
/// row.
const STEPS: [(&str, Step); 7] = [
    ("plan0", Step::Plan),
    ("apply", Step::Create),
    ("A", Step::Plan),
    ("B", Step::Read),
    ("apply2", Step::Update),
    ("C", Step::Read),
    ("destroy", Step::Delete),
];

/// What every check here is asked for.
const ARGS: [&str; 8] = [
    "--twice",
    "--destroy-after",
    "--evidence",
    "evidence",
    "--report",
    "json=out/check.json",
    "--report",
    "junit=out/check.xml",
];

/// Sets a stage on which the first step of a check will be held.
fn stage() -> Option<Stage> {
    let stage = Stage::set(REWRITTEN)?;
    stage.cloud().hold(Step::Plan);
    Some(stage)
}

/// Lets a check go on until it is held in a step; false where it ends, or is interrupted, before.
fn reaches(stage: &Stage, running: &mut Running<'_>, wanted: &str) -> bool {
    let mut from = 0;
    for (at, (name, step)) in STEPS.into_iter().enumerate() {
        let has = |step: Step| stage.cloud().calls()[from..].iter().any(|call| call.step == step);
        wait_until(name, || has(step) || has(Step::Stop) || running.has_ended());
        if name == wanted || !has(step) || has(Step::Stop) {
            return has(step) && !has(Step::Stop);
        }
        from = stage.cloud().calls().len();
        stage.cloud().hold(STEPS[at + 1].1);
        stage.cloud().release(step);
    }
    false
}

/// Lets go whatever is held.
fn release(stage: &Stage) {
    for (_, step) in STEPS {
        stage.cloud().release(step);
    }
}

/// Fails unless a check that was stopped in a step has kept its promises, and returns its report.
#[track_caller]
fn assert_kept(stage: &Stage, checked: &Checked, name: &str, how: &str) {
    let Checked { answer, transcript } = checked;
    assert_eq!(
        (text(&answer["verdict"]), text(&answer["end"]["how"])),
        ("error", how),
        "{transcript}"
    );
    assert_eq!(answer["end"]["step"], name, "{transcript}");
    let report = stage.sandbox.read("out/check.json");
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["verdict"], "error", "{transcript}");
    shim_tests::reports::validate_junit(
        std::str::from_utf8(&stage.sandbox.read("out/check.xml")).unwrap(),
    );
    let logs = logs(stage);
    assert_eq!(logs.matches("Interrupt received").count(), 1, "{name}: {logs}");
    assert!(!logs.contains("Two interrupts received"), "{name}: {logs}");
    assert_eq!(stage.cloud().count(Step::Stop, ""), 1, "{name}");
    let operations = operations_or_none(stage);
    let at = STEPS.iter().position(|(step, _)| *step == name).unwrap();
    let expected = [0, 1, 1, 1, 2, 2, 3][at];
    assert_eq!(operations.len(), expected, "{name}: {operations:#?}");
    if let Some(newest) = operations.first() {
        assert_eq!(newest["after"]["status"], "ok", "{operations:#?}");
        assert_eq!(newest["after"]["serial"], stage.state()["serial"], "{operations:#?}");
        let is_struck = ["apply", "apply2", "destroy"].contains(&name);
        let outcome = if is_struck { "failed" } else { "done" };
        assert_eq!(newest["outcome"], outcome, "{name}: {operations:#?}");
    }
    // Nothing holds the lock, and whatever was made is known.
    release(stage);
    stage.terraform(["apply", "-auto-approve"]).assert_status(0);
    assert_eq!(stage.cloud().ids("fake_normalised").len(), 1, "{name}: nothing was orphaned");
}

/// Returns the operations, none where there is no store.
fn operations_or_none(stage: &Stage) -> Vec<serde_json::Value> {
    if stage.sandbox.store().exists() { operations(&stage.sandbox) } else { Vec::new() }
}

/// Returns all logs of the evidence directory.
fn logs(stage: &Stage) -> String {
    let directory = stage.sandbox.project().join("evidence");
    let names = names_in(&directory).into_iter().filter(|name| *name != "transcript.md");
    names.map(|name| std::fs::read_to_string(directory.join(name)).unwrap()).collect()
}

/// Whom a signal is sent to.
#[derive(Clone, Copy)]
enum To {
    /// The process of the check, and no other.
    CheckAlone,
    /// Its process group, Terraform included.
    Group,
}

/// Stops a check in a step by a signal.
#[track_caller]
fn struck(name: &str, signal: Signal, to: To) {
    let Some(stage) = stage() else { return };
    let mut running = stage.prepare(&ARGS).start();
    assert!(reaches(&stage, &mut running, name), "{name} was not reached");
    match to {
        To::CheckAlone => running.signal(signal),
        To::Group => running.signal_group(signal),
    }
    wait_until("the interruption", || stage.cloud().count(Step::Stop, "") > 0);
    release(&stage);
    let checked = stage.checked(running.finish());
    assert_eq!(checked.transcript.end, End::by(signal), "{}", checked.transcript);
    assert_kept(&stage, &checked, name, "interrupted");
}

/// An interrupt and a termination, to the check alone and to its group.
fn struck_in_every_way(name: &str) {
    struck(name, Signal::SIGINT, To::CheckAlone);
    struck(name, Signal::SIGTERM, To::Group);
}

mod by_a_signal {
    use super::*;

    #[test]
    fn in_the_first_plan() {
        struck_in_every_way("plan0");
    }

    #[test]
    fn in_the_apply() {
        struck_in_every_way("apply");
    }

    #[test]
    fn in_the_apply_the_other_way_round() {
        struck("apply", Signal::SIGTERM, To::CheckAlone);
        struck("apply", Signal::SIGINT, To::Group);
    }

    #[test]
    fn in_the_plan_without_refresh() {
        struck_in_every_way("A");
    }

    #[test]
    fn in_the_plan_with_refresh() {
        struck_in_every_way("B");
    }

    #[test]
    fn in_the_second_apply() {
        struck_in_every_way("apply2");
    }

    #[test]
    fn in_the_third_plan() {
        struck_in_every_way("C");
    }

    #[test]
    fn in_the_destroy() {
        struck_in_every_way("destroy");
    }

    #[test]
    fn as_a_shell_sees_it() {
        for (signal, status) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
            let Some(stage) = stage() else { return };
            let tf = stage.sandbox.tf_program();
            let script = stage.sandbox.path("session");
            let line = format!(
                "trap : INT TERM\n{} shim check --yes --json >answer.json\necho ended=$?",
                tf.display()
            );
            stage.sandbox.write_script(&script, &line);
            let mut running = stage.sandbox.program(&script, [""; 0]).start();
            assert!(reaches(&stage, &mut running, "apply"));
            running.signal_group(signal);
            wait_until("the interruption", || stage.cloud().count(Step::Stop, "") > 0);
            release(&stage);
            let transcript = running.finish();
            assert_eq!(transcript.stdout_text(), format!("ended={status}\n"), "{transcript}");
        }
    }

    #[test]
    fn while_it_waits_for_things_to_settle() {
        let Some(stage) = Stage::set(REWRITTEN) else { return };
        let running = stage.prepare(&["--settle", "1h"]).start();
        wait_until("the wait before B", || {
            String::from_utf8_lossy(&running.stderr()).contains("without refresh")
        });
        running.signal(Signal::SIGINT);
        let checked = stage.checked(running.finish());
        assert_eq!(checked.transcript.end, End::by(Signal::SIGINT), "{}", checked.transcript);
        assert_eq!(checked.answer["end"]["how"], "interrupted");
        assert_eq!(checked.steps(), ["plan0", "apply", "A"]);
        assert_eq!(stage.cloud().count(Step::Stop, ""), 0);
    }

    #[test]
    fn a_second_signal_does_not_keep_back_the_reports() {
        let Some(stage) = stage() else { return };
        let mut running = stage.prepare(&ARGS).start();
        assert!(reaches(&stage, &mut running, "apply"));
        for _ in 0..2 {
            running.signal(Signal::SIGINT);
            wait_until("the interruption", || stage.cloud().count(Step::Stop, "") > 0);
        }
        release(&stage);
        let checked = stage.checked(running.finish());
        assert_eq!(checked.transcript.end, End::by(Signal::SIGINT), "{}", checked.transcript);
        assert_eq!(checked.answer["verdict"], "error");
        assert!(stage.sandbox.has("out/check.json") && stage.sandbox.has("evidence/transcript.md"));
    }
}

mod by_its_limit {
    use super::*;

    /// Lets a limit strike in a step. How long the steps before it take is not ours to say, so a limit that
    /// struck too early is tried again, twice as long.
    fn struck_in(name: &str) {
        for seconds in [1_u32, 2, 4, 8, 16, 32] {
            let Some(stage) = stage() else { return };
            let limit = format!("{seconds}s");
            let args: Vec<&str> = ARGS.into_iter().chain(["--timeout", &limit]).collect();
            let args: Vec<&str> =
                args.into_iter().filter(|arg| *arg != "--destroy-after").collect();
            let mut running = stage.prepare(&args).start();
            let is_there = reaches(&stage, &mut running, name);
            wait_until("the limit", || {
                stage.cloud().count(Step::Stop, "") > 0 || running.has_ended()
            });
            release(&stage);
            let checked = stage.checked(running.finish());
            checked.transcript.assert_status(124);
            if is_there {
                assert_kept(&stage, &checked, name, "timed-out");
                return;
            }
            assert_eq!(checked.answer["end"]["how"], "timed-out", "{}", checked.transcript);
        }
        panic!("{name} was never reached in time");
    }

    #[test]
    fn in_the_first_plan() {
        struck_in("plan0");
    }

    #[test]
    fn in_the_apply() {
        struck_in("apply");
    }

    #[test]
    fn in_the_plan_without_refresh() {
        struck_in("A");
    }

    #[test]
    fn in_the_plan_with_refresh() {
        struck_in("B");
    }

    #[test]
    fn in_the_second_apply() {
        struck_in("apply2");
    }

    #[test]
    fn in_the_third_plan() {
        struck_in("C");
    }

    #[test]
    fn while_it_waits_for_things_to_settle() {
        for seconds in [2_u32, 4, 8, 16, 32] {
            let Some(stage) = Stage::set(REWRITTEN) else { return };
            let limit = format!("{seconds}s");
            let checked = stage.check(&["--settle", "1h", "--timeout", &limit]);
            checked.transcript.assert_status(124);
            if checked.steps().contains(&"A") {
                assert_eq!(checked.steps(), ["plan0", "apply", "A"]);
                return;
            }
        }
        panic!("it never came to the wait");
    }

    #[test]
    fn a_throw_away_stack_is_destroyed_all_the_same() {
        let Some(stage) = Stage::set(REWRITTEN) else { return };
        for seconds in [2_u32, 4, 8, 16, 32] {
            let limit = format!("{seconds}s");
            let checked = stage.check(&["--settle", "1h", "--timeout", &limit, "--destroy-after"]);
            checked.transcript.assert_status(124);
            assert!(stage.cloud().objects().is_empty(), "{}", checked.transcript);
            if checked.steps().contains(&"A") {
                assert_eq!(checked.steps(), ["plan0", "apply", "A", "destroy"]);
                return;
            }
        }
        panic!("it never came to the wait");
    }

    #[test]
    fn almost_before_anything_was_begun() {
        let Some(stage) = Stage::set(REWRITTEN) else { return };
        let checked = stage.check(&["--timeout", "1ms"]);
        checked.transcript.assert_status(124);
        assert_eq!(checked.answer["end"]["how"], "timed-out", "{}", checked.transcript);
        assert!(stage.cloud().objects().is_empty(), "{}", checked.transcript);
    }

    #[test]
    fn a_limit_that_is_long_enough_changes_nothing() {
        let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
        stage.check(&["--timeout", "1h"]).assert("idempotent", &[]);
    }
}

#[test]
fn what_a_killed_check_left_behind_is_swept_by_the_next() {
    let Some(stage) = stage() else { return };
    let mut running = stage.prepare(&ARGS).start();
    assert!(reaches(&stage, &mut running, "B"));
    running.signal(Signal::SIGKILL);
    release(&stage);
    let killed = running.finish();
    assert_eq!(killed.end, End::by(Signal::SIGKILL));
    assert!(!stage.left_behind().is_empty(), "or there is nothing to be swept");
    // What it has started goes on, and holds the lock until it is done.
    let args = ["--", "-lock-timeout=30s"];
    stage
        .check(&args)
        .assert("not-idempotent", &["normalised fake_normalised.a value case main.tf:1"]);
}

#[test]
fn a_directory_of_a_check_that_is_at_work_is_left_alone() {
    let Some(stage) = stage() else { return };
    let mut running = stage.prepare(&[]).start();
    assert!(reaches(&stage, &mut running, "B"));
    let known = stage.left_behind();
    assert_eq!(known.len(), 1);
    stage.sandbox.write("other/main.tf", "resource \"terraform_data\" \"a\" {}\n");
    let line = stage.prepare(&[]).in_directory("other").start().finish();
    line.assert_status(0);
    assert_eq!(stage.left_behind(), known);
    release(&stage);
    let checked = stage.checked(running.finish());
    checked.assert("not-idempotent", &["normalised fake_normalised.a value case main.tf:1"]);
}

/// Nothing of what is private can be read by others meanwhile.
#[test]
fn plans_are_private_while_they_are_there() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(stage) = stage() else { return };
    let mut running = stage.prepare(&[]).start();
    assert!(reaches(&stage, &mut running, "B"));
    let place = stage.sandbox.path("tmp").join(&stage.left_behind()[0]);
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place), 0o700);
    release(&stage);
    let _ended = running.finish();
}
