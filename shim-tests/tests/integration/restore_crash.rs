//! Death in the middle of a restore: the file is the old one, the new one, or one that every Terraform
//! refuses and leaves alone; the next command of ours finishes it or gives it up, and nothing is lost.
//!
//! A debug build ends itself by SIGKILL right before it passes the point that `TF_SHIM_TEST_CRASH_AT`
//! names, for the n-th time. Each test counts n up until the restore survives.

use nix::sys::signal::Signal;
use serde_json::Value;
use shim_tests::shim::{operations, serial, shim, tree, with_serial};
use shim_tests::{End, Sandbox, Scenario, Transcript, stage, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// Kills the process at a named point.
const CRASH: &str = "TF_SHIM_TEST_CRASH_AT";

/// More often than this no point is passed in one restore.
const MOST: usize = 12;

/// What is there when the restore begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Another good state of the same lineage, longer than the old one.
    Changed,
    /// No file.
    Absent,
}

/// What comes after the crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// `tf apply`, of a Terraform that changes nothing.
    Guarded,
    /// `tf shim restore` of the same state.
    Restore,
    /// `tf shim undo`.
    Undo,
    /// `tf shim save`.
    Save,
}

/// Sets the stage: serial 1 is known, and then something happened to it.
fn set(loss: Loss) -> Sandbox {
    let sandbox = Sandbox::new().with_fake(Scenario::terraform().on(["apply"], []));
    sandbox.write(STATE, states::state(1, &["a", "b"]));
    shim(&sandbox, ["save"]).run().assert_status(0);
    match loss {
        Loss::Changed => sandbox.write(STATE, states::state(2, &["a", "b", "c", "d"])),
        Loss::Absent => std::fs::remove_file(sandbox.project().join(STATE)).unwrap(),
    }
    sandbox
}

/// Runs what comes after the crash.
fn go_on(sandbox: &Sandbox, next: Next) -> Transcript {
    match next {
        Next::Guarded => sandbox.tf(["apply"]).run(),
        Next::Restore => shim(sandbox, ["restore", "serial:1", "--yes"]).run(),
        Next::Undo => shim(sandbox, ["undo", "--yes", "--orphan"]).run(),
        Next::Save => shim(sandbox, ["save"]).run(),
    }
}

/// Reads the state; none where there is no file.
fn found(sandbox: &Sandbox) -> Option<Vec<u8>> {
    std::fs::read(sandbox.project().join(STATE)).ok()
}

/// Returns the restores that the history tells of, oldest first.
fn restores(sandbox: &Sandbox) -> Vec<Value> {
    let mut all = operations(sandbox);
    all.retain(|operation| operation["kind"] == "restore");
    all.reverse();
    all
}

/// Crashes at a point as often as it is passed, goes on, and returns how often that was.
fn crash_everywhere(point: &str, loss: Loss, next: Next) -> usize {
    for n in 1..=MOST {
        let what = format!("{point}:{n} {loss:?} {next:?}");
        let sandbox = set(loss);
        let old = found(&sandbox);
        let new =
            states::state(if loss == Loss::Changed { 3 } else { 2 }, &["a", "b"]).into_bytes();
        let crashed = shim(&sandbox, ["restore", "serial:1", "--yes"])
            .env(CRASH, format!("{point}:{n}"))
            .run();
        if crashed.end == End::Status(0) {
            assert!(found(&sandbox) == Some(new), "{what}");
            return n - 1;
        }
        assert_eq!(crashed.end, End::by(Signal::SIGKILL), "{what}: {crashed}");
        let left = found(&sandbox);
        let is_poisoned = left.as_ref().is_some_and(|bytes| bytes[0] == b'#');
        let is_new = left.as_ref() == Some(&new);
        assert!(left == old || is_new || is_poisoned, "{what}: {left:?}");
        if loss == Loss::Changed && matches!(point, "sync-poison" | "sync-body") {
            assert!(is_poisoned, "{what}: nobody may take it for a state");
        }
        // Listing what happened neither needs the state nor mends it.
        let _listed = operations(&sandbox);
        let after = go_on(&sandbox, next);
        // Where nothing was written, and nothing happened, there is nothing to undo.
        let is_nothing = next == Next::Undo && after.end == End::Status(1);
        // Nor is there a state where none was and none was written: that is still refused.
        let is_missed = next == Next::Guarded && old.is_none() && found(&sandbox).is_none();
        if is_missed {
            assert_eq!(after.end, End::Status(125), "{what}: {after}");
            assert!(after.stderr_text().contains("missing-state"), "{what}: {after}");
            continue;
        }
        assert!(after.end == End::Status(0) || is_nothing, "{what}: {after}");
        let state = found(&sandbox);
        let state_or = |bytes: &Option<Vec<u8>>| bytes.as_ref().is_none_or(|b| b[0] == b'{');
        assert!(state_or(&state), "{what}: a whole state is there");
        if next == Next::Restore {
            let whole = state.clone().unwrap();
            assert!(
                with_serial(&whole, 0) == with_serial(&new, 0),
                "{what}: it is what was wanted"
            );
        }
        // A lock info without a lock is junk to everybody; a copy of a state would not be.
        let mut names = tree(&sandbox.project()).into_keys();
        let copy = names.find(|name| name.to_string_lossy().contains(".tf-shim-"));
        assert_eq!(copy, None, "{what}: no copy is left beside it");
        // Every intent has an end, the history is sound, and each thing that was there can be had.
        for restore in restores(&sandbox) {
            assert!(restore["outcome"].is_string(), "{what}: {restore}");
            assert_ne!(restore["outcome"], "unknown", "{what}: {restore}");
        }
        for history in sandbox.histories() {
            let mut kept = history
                .lines
                .iter()
                .flat_map(|line| ["before", "after"].map(|side| history.bytes(&line[side])));
            let old_is_kept = old.is_none() || kept.any(|bytes| bytes == old);
            assert!(old_is_kept, "{what}: what was there is kept");
        }
        // Once more changes nothing that matters.
        let known = restores(&sandbox).len();
        shim(&sandbox, ["save"]).run().assert_status(0);
        assert!(found(&sandbox) == state, "{what}: doing it twice does no harm");
        assert_eq!(restores(&sandbox).len(), known, "{what}");
    }
    panic!("{point} is passed more than {MOST} times");
}

#[test]
fn a_crash_at_any_point_of_the_file_is_finished_by_any_next_command() {
    for next in [Next::Guarded, Next::Restore, Next::Undo, Next::Save] {
        for point in ["sync-poison", "sync-body", "sync-commit"] {
            assert_eq!(crash_everywhere(point, Loss::Changed, next), 1, "{point} {next:?}");
        }
        for point in ["sync-body", "sync-commit"] {
            assert_eq!(crash_everywhere(point, Loss::Absent, next), 1, "{point} {next:?}");
        }
    }
}

#[test]
fn a_crash_at_any_point_of_the_store_is_finished_by_any_next_command() {
    for (at, point) in ["sync-object", "sync-objects-dir", "sync-journal"].into_iter().enumerate() {
        let nexts = [Next::Guarded, Next::Restore, Next::Undo, Next::Save];
        for (loss, next) in [(Loss::Changed, nexts[at]), (Loss::Absent, nexts[at + 1])] {
            let passed = crash_everywhere(point, loss, next);
            assert!(passed >= 1, "{point} {loss:?}");
        }
    }
}

#[test]
fn a_poisoned_state_is_refused_and_left_alone_by_every_command_of_the_real_terraform() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    sandbox.tf(["state", "rm", "terraform_data.b"]).run().assert_status(0);
    for point in ["sync-poison", "sync-body"] {
        let crashed = shim(&sandbox, ["restore", "@-", "--yes"]).env(CRASH, point).run();
        assert_eq!(crashed.end, End::by(Signal::SIGKILL), "{crashed}");
        let poisoned = sandbox.read(STATE);
        assert_eq!(poisoned[0], b'#', "{point}");
        sandbox.write("pushed.json", states::state(99, &["x"]));
        let commands: [&[&str]; 9] = [
            &["plan"],
            &["plan", "-lock=false"],
            &["apply", "-auto-approve"],
            &["apply", "-auto-approve", "-lock=false"],
            &["destroy", "-auto-approve"],
            &["state", "list"],
            &["state", "rm", "terraform_data.a"],
            &["state", "push", "-force", "pushed.json"],
            &["refresh"],
        ];
        for command in commands {
            let refused = sandbox.terraform(command.iter().copied()).run();
            refused.assert_status(1);
            assert!(sandbox.read(STATE) == poisoned, "{point}: {refused}");
        }
        // Ours finishes it, and Terraform goes on.
        let list = sandbox.tf(["apply", "-auto-approve"]).run();
        list.assert_status(0);
        sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
        let finished = restores(&sandbox).pop().unwrap();
        assert_eq!(finished["outcome"], "done", "{finished}");
        sandbox.tf(["state", "rm", "terraform_data.b"]).run().assert_status(0);
    }
}

#[test]
fn a_crash_while_a_crash_is_mended_is_mended_too() {
    for point in ["sync-poison", "sync-body", "sync-commit"] {
        let sandbox = set(Loss::Changed);
        for _ in 0..3 {
            let crashed = shim(&sandbox, ["restore", "serial:1", "--yes"]).env(CRASH, point).run();
            assert_eq!(crashed.end, End::by(Signal::SIGKILL), "{crashed}");
        }
        sandbox.tf(["apply"]).run().assert_status(0);
        let state = found(&sandbox).unwrap();
        assert!(state == states::state(serial(&state), &["a", "b"]).into_bytes(), "{point}");
        let _sound = sandbox.history_of(STATE).lines;
    }
}

#[test]
fn kill_at_any_time_loses_nothing() {
    // A debug build is twenty times slower.
    let megabytes = if cfg!(debug_assertions) { 1 } else { 5 };
    let state = states::state_of_size(1, megabytes << 20).into_bytes();
    let other = states::state_of_size(2, (megabytes << 20) - 50_000).into_bytes();
    let sandbox = Sandbox::new();
    sandbox.write(STATE, &state);
    shim(&sandbox, ["save"]).run().assert_status(0);
    sandbox.write(STATE, &other);
    shim(&sandbox, ["save"]).run().assert_status(0);
    let start = std::time::Instant::now();
    shim(&sandbox, ["restore", "serial:1", "--yes"]).run().assert_status(0);
    let whole = start.elapsed();
    let bare = [with_serial(&state, 0), with_serial(&other, 0)];
    for round in 0_u32..20 {
        let wanted = if round % 2 == 0 { "serial:2" } else { "serial:1" };
        let mut running = shim(&sandbox, ["restore", wanted, "--yes"]).start();
        let moment = std::time::Instant::now() + whole * (round + 1) / 20;
        while std::time::Instant::now() < moment && !running.has_ended() {
            std::thread::yield_now();
        }
        if !running.has_ended() {
            running.signal(Signal::SIGKILL);
        }
        let _killed = running.finish();
        let left = sandbox.read(STATE);
        if left[0] != b'#' {
            assert!(bare.contains(&with_serial(&left, 0)), "round {round}: old or new");
        }
        shim(&sandbox, ["save"]).run().assert_status(0);
        let mended = sandbox.read(STATE);
        assert!(bare.contains(&with_serial(&mended, 0)), "round {round}: whole again");
    }
    let unfinished = restores(&sandbox).into_iter().find(|op| !op["outcome"].is_string());
    assert_eq!(unfinished, None);
}
