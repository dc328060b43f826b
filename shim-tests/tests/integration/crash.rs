//! Death of the shim at every named point of the writer (store.md 5): what was promised is there, the next
//! command succeeds, and the journal and its objects are sound.
//!
//! A debug build ends itself by SIGKILL right before it passes the point that `TF_SHIM_TEST_CRASH_AT`
//! names, for the n-th time. Each test counts n up until the command survives.

use nix::sys::signal::Signal;
use shim_tests::{End, Sandbox, Scenario, Step, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// More often than this no point is passed in one command.
const MOST: usize = 40;

/// What is there before the command that crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// No store at all.
    Fresh,
    /// A store that knows this very state.
    Known,
    /// A store, and a state that changed since.
    Changed,
}

/// Plays an apply that writes a state.
fn writing(serial: u64) -> Scenario {
    let steps = [Step::write(STATE, states::state(serial, &["a", "b"]))];
    Scenario::terraform().on(["apply"], steps)
}

/// Sets the stage.
fn set(start: Start) -> Sandbox {
    let sandbox = Sandbox::new().with_fake(writing(2));
    sandbox.write(STATE, states::state(1, &["a"]));
    if start != Start::Fresh {
        sandbox.tf(["apply"]).run().assert_status(0);
    }
    if start == Start::Changed {
        sandbox.write(STATE, states::state(7, &["c"]));
    }
    sandbox
}

/// Counts the commands that reached Terraform.
fn applies(sandbox: &Sandbox) -> usize {
    sandbox.calls().iter().filter(|call| call.line().contains("apply")).count()
}

/// Crashes at a point as often as it is passed, and returns how often that was.
fn crash_everywhere(point: &str, start: Start) -> usize {
    for n in 1..=MOST {
        let what = format!("{point}:{n} {start:?}");
        let sandbox = set(start);
        let found = sandbox.read(STATE);
        let known_runs = sandbox.histories().iter().map(|h| h.runs().len()).sum::<usize>();
        let known_applies = applies(&sandbox);
        sandbox.play(writing(9));
        let crashed =
            sandbox.tf(["apply"]).env("TF_SHIM_TEST_CRASH_AT", format!("{point}:{n}")).run();
        if crashed.end == End::Status(0) {
            return n - 1;
        }
        assert_eq!(crashed.end, End::by(Signal::SIGKILL), "{what}: {crashed}");
        let was_started = applies(&sandbox) > known_applies;
        let left = sandbox.read(STATE);
        let wanted =
            if was_started { states::state(9, &["a", "b"]).into_bytes() } else { found.clone() };
        assert!(left == wanted, "{what}: only Terraform writes the state");
        sandbox.play(writing(10));
        let next = sandbox.tf(["apply"]).run();
        assert_eq!(next.end, End::Status(0), "{what}: the next command works: {next}");
        let history = sandbox.history();
        let runs = history.runs();
        let last = runs.last().unwrap();
        assert!(last.before.as_ref() == Some(&left), "{what}: {last:?}");
        assert!(last.after == Some(states::state(10, &["a", "b"]).into_bytes()), "{what}");
        assert!(
            runs.iter().all(|run| !run.end.is_null()),
            "{what}: every run has an end: {runs:?}"
        );
        assert!(history.running().is_empty(), "{what}: {:?}", history.running());
        let cut_off = &runs[known_runs..runs.len() - 1];
        if was_started {
            assert_eq!(cut_off.len(), 1, "{what}: what ran was recorded before it ran");
            assert!(cut_off[0].before == Some(found), "{what}");
        }
        for run in cut_off {
            assert!(matches!(run.outcome(), "unknown" | "done"), "{what}: {run:?}");
            assert!(run.after.as_ref() == Some(&left), "{what}: {run:?}");
        }
        let garbage = garbage_in(&history.directory.join("objects"));
        assert!(garbage.is_empty(), "{what}: {garbage:?}");
    }
    panic!("{point} is passed more than {MOST} times")
}

/// Returns the temporary files of a directory.
fn garbage_in(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".tmp")).collect()
}

/// Crashes at a point in every situation, and fails if it is never passed.
fn crash(point: &str) {
    let passed: Vec<usize> = [Start::Fresh, Start::Known, Start::Changed]
        .map(|start| crash_everywhere(point, start))
        .to_vec();
    assert!(passed.iter().any(|count| *count > 0), "{point} is never passed: {passed:?}");
}

#[test]
fn at_sync_object() {
    crash("sync-object");
}

#[test]
fn at_sync_objects_dir() {
    crash("sync-objects-dir");
}

#[test]
fn at_sync_journal() {
    crash("sync-journal");
}

#[test]
fn at_sync_journal_dir() {
    crash("sync-journal-dir");
}

#[test]
fn at_sync_mkdir() {
    crash("sync-mkdir");
}

#[test]
fn at_sync_setup() {
    crash("sync-setup");
}

#[test]
fn at_dedupe_verify() {
    crash("dedupe-verify");
}

#[test]
fn at_encode_verify() {
    crash("encode-verify");
}

#[test]
fn twice_in_a_row_is_no_worse_than_once() {
    for (first, second) in [
        ("sync-journal:1", "sync-journal:2"),
        ("sync-object:1", "sync-objects-dir:1"),
        ("sync-journal:3", "sync-journal:1"),
    ] {
        let sandbox = set(Start::Changed);
        for (point, serial) in [(first, 9), (second, 10)] {
            sandbox.play(writing(serial));
            let crashed = sandbox.tf(["apply"]).env("TF_SHIM_TEST_CRASH_AT", point).run();
            assert!(matches!(crashed.end, End::Signal(9) | End::Status(0)), "{crashed}");
        }
        sandbox.play(writing(11));
        sandbox.tf(["apply"]).run().assert_status(0);
        let history = sandbox.history();
        assert!(history.runs().iter().all(|run| !run.end.is_null()), "{:?}", history.runs());
        assert!(history.running().is_empty());
    }
}
