//! Several commands at once: on one state, with and without Terraform's lock, and in many directories.
//!
//! store.md 5, "Overlap": whoever may have waited says so, and no record claims what it cannot know.

use serde_json::Value;
use shim_tests::{Operation, Running, Sandbox, Scenario, Step, Transcript, stage, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// Returns the names of the resource instances of a state, sorted.
fn instances(state: &[u8]) -> Vec<String> {
    let state: Value = serde_json::from_slice(state).unwrap();
    let mut names = Vec::new();
    for resource in state["resources"].as_array().unwrap() {
        for instance in resource["instances"].as_array().unwrap() {
            let key = instance["index_key"].as_str().unwrap_or_default();
            names.push([resource["name"].as_str().unwrap(), key].concat());
        }
    }
    names.sort();
    names
}

/// Returns a directory where one apply is under way, and that apply.
fn slow_apply(sandbox: &Sandbox) -> Running<'_> {
    let config = stage::resource("a", "1") + &stage::slow_resource("slow", &sandbox.project());
    sandbox.write("main.tf", config);
    let running = sandbox.tf(["apply", "-auto-approve"]).start();
    running.wait_for_file("begun");
    running
}

mod two_on_one_state {
    use super::*;

    #[test]
    fn the_one_that_waited_starts_from_what_the_first_left_and_nothing_is_lost() {
        let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
        let first = slow_apply(&sandbox);
        sandbox.write("more.tf", stage::resource("b", "1"));
        let second = sandbox.tf(["apply", "-auto-approve", "-lock-timeout=50s"]).start();
        shim_tests::wait_until("the second to wait", || {
            String::from_utf8_lossy(&second.stdout()).contains("Acquiring state lock")
        });
        sandbox.write("go", "");
        first.finish().assert_status(0);
        second.finish().assert_status(0);
        let state = sandbox.read(STATE);
        assert_eq!(instances(&state), ["a", "b", "slow"]);
        let history = sandbox.history();
        let runs = history.operations();
        assert_eq!(runs.len(), 2, "nobody acted behind our back: {runs:?}");
        let (first, second) = (&runs[0], &runs[1]);
        assert_eq!(first.before_status(), "absent");
        assert_eq!(second.begin["provisional"], true, "{second:?}");
        match second.before_status() {
            "unknown" => {}
            _ => assert_eq!(instances(second.before.as_ref().unwrap()), ["a", "slow"]),
        }
        assert!(second.after.as_ref() == Some(&state));
    }

    #[test]
    fn the_one_that_the_lock_refused_has_no_after() {
        let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
        let first = slow_apply(&sandbox);
        let refused = sandbox.tf(["apply", "-auto-approve"]).run();
        refused.assert_status(1);
        assert!(refused.stderr_text().contains("Error acquiring the state lock"), "{refused}");
        sandbox.write("go", "");
        first.finish().assert_status(0);
        let runs = sandbox.history().runs();
        assert_eq!(runs.len(), 2, "{runs:?}");
        assert_eq!((runs[1].outcome(), runs[1].after_status()), ("failed", "none"));
        assert!(runs[1].end["changes"].is_null(), "{:?}", runs[1]);
        assert!(runs[0].after == Some(sandbox.read(STATE)));
    }

    #[test]
    fn a_run_beside_a_foreign_lock_is_no_worse() {
        let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
        let config = stage::resource("a", "1") + &stage::slow_resource("slow", &sandbox.project());
        sandbox.write("main.tf", config);
        let foreign = sandbox.terraform(["apply", "-auto-approve"]).start();
        foreign.wait_for_file("begun");
        sandbox.tf(["apply", "-auto-approve"]).run().assert_status(1);
        sandbox.write("go", "");
        foreign.finish().assert_status(0);
        let refused = sandbox.history().newest();
        assert_eq!((refused.before_status(), refused.after_status()), ("unknown", "none"));
        let left = sandbox.read(STATE);
        sandbox.tf(["taint", "terraform_data.a"]).run().assert_status(0);
        let operations = sandbox.history().operations();
        assert!(operations.last().unwrap().before.as_ref() == Some(&left), "{operations:?}");
    }
}

mod in_turn {
    use super::*;

    #[test]
    fn a_state_read_before_another_run_of_ours_is_not_believed_after_it() {
        let slow = [Step::PrintState(STATE.into()), Step::touch("read"), Step::await_file("go")];
        let sandbox = Sandbox::new().with_fake(Scenario::terraform().on(["state", "pull"], slow));
        let record = r#"{"version":3,"backend":{"type":"s3","config":{"bucket":"b","key":"k"}}}"#;
        sandbox.write(".terraform/terraform.tfstate", record);
        sandbox.write(STATE, states::state(3, &["a"]));
        let late = sandbox.tf(["apply"]).start();
        late.wait_for_file("read");
        let writes = |serial, names: &[&str]| {
            let part = [Step::write(STATE, states::state(serial, names))];
            Scenario::terraform().on(["apply"], part)
        };
        sandbox.play(writes(4, &["a", "b"]));
        sandbox.tf(["apply"]).run().assert_status(0);
        sandbox.play(writes(5, &["a", "b", "c"]));
        sandbox.write("go", "");
        late.finish().assert_status(0);
        let operations = sandbox.history().operations();
        let outside = operations.iter().skip(1).find(|one| one.kind == "outside");
        assert!(outside.is_none(), "nobody acted behind our back: {operations:#?}");
        let late = operations.last().unwrap();
        let found = late.before.as_deref().map(instances);
        let is_right =
            late.before_status() == "unknown" || found == Some(vec!["a".into(), "b".into()]);
        assert!(is_right, "it did not start from what it had read long before: {late:?}");
    }

    #[test]
    fn a_run_does_not_claim_to_have_found_what_was_made_of_its_own_result() {
        let steps = |name: &str, serial, names: &[&str]| {
            let waits = Step::await_file(format!("go-{name}"));
            let ready = Step::touch(format!("ready-{name}"));
            let writes = Step::write(STATE, states::state(serial, names));
            Scenario::terraform().on(["apply"], [ready, waits, writes])
        };
        let sandbox = Sandbox::new().with_fake(steps("first", 2, &["a"]));
        sandbox.write(STATE, states::state(1, &[]));
        let first = sandbox.tf(["apply"]).start();
        first.wait_for_file("ready-first");
        // The second writes, gives Terraform's lock back, and takes its time to end.
        let part = [
            Step::touch("ready-second"),
            Step::await_file("go-second"),
            Step::write(STATE, states::state(3, &["a", "second"])),
            Step::touch("written"),
            Step::await_file("end-second"),
        ];
        sandbox.play(Scenario::terraform().on(["apply"], part));
        let second = sandbox.tf(["apply"]).start();
        second.wait_for_file("ready-second");
        sandbox.play(steps("third", 4, &["a", "second", "third"]));
        let third = sandbox.tf(["apply"]).start();
        third.wait_for_file("ready-third");
        sandbox.write("go-first", "");
        first.finish().assert_status(0);
        sandbox.write("go-second", "");
        second.wait_for_file("written");
        sandbox.write("go-third", "");
        third.finish().assert_status(0);
        sandbox.write("end-second", "");
        second.finish().assert_status(0);
        let runs = sandbox.history().runs();
        for (run, own) in runs.iter().zip(["a", "second", "third"]) {
            let found = run.before.as_deref().map(instances).unwrap_or_default();
            assert!(!found.contains(&own.to_owned()), "{own} is its own doing: {run:?}");
        }
    }
}

mod many_on_one_state {
    use super::*;

    /// Starts that many commands and waits for all of them.
    fn at_once<'s>(count: usize, start: impl Fn(usize) -> Running<'s>) -> Vec<Transcript> {
        let running: Vec<Running<'_>> = (0..count).map(start).collect();
        running.into_iter().map(Running::finish).collect()
    }

    /// Fails unless every run has begun and ended, and nobody is said to have acted behind our back.
    #[track_caller]
    fn assert_complete(sandbox: &Sandbox, count: usize) -> Vec<Operation> {
        let history = sandbox.history();
        let runs = history.runs();
        assert_eq!(runs.len(), count, "{runs:?}");
        assert!(runs.iter().all(|run| !run.end.is_null()), "every begin has an end: {runs:?}");
        assert!(history.running().is_empty(), "{:?}", history.running());
        let outside: Vec<Operation> =
            history.operations().into_iter().filter(|one| one.kind == "outside").collect();
        assert!(outside.is_empty(), "nobody acted behind our back: {outside:?}");
        runs
    }

    /// Whether Terraform gave up at once although it was told to wait; any other failure is a failure of
    /// the test.
    ///
    /// Terraform 1.11.4 takes its lock first and writes who holds it afterwards; who comes in between
    /// finds nobody to wait for, or half a name. Ten at once on one processor, without us: two to six.
    #[track_caller]
    fn lost_the_lock(transcript: &Transcript) -> bool {
        let text = transcript.stderr_text();
        let lost = text.contains("open .terraform.tfstate.lock.info: no such file or directory")
            || text.contains("could not unmarshal lock info");
        transcript.assert_status(i32::from(lost));
        lost
    }

    #[test]
    fn ten_applies_that_wait_for_each_other_are_a_consistent_chain() {
        let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
        let keys = (0..10).map(|n| format!("\"k{n}\"")).collect::<Vec<_>>().join(", ");
        sandbox.write(
            "main.tf",
            format!("resource \"terraform_data\" \"r\" {{\n  for_each = toset([{keys}])\n}}\n"),
        );
        let apply = |n: usize| {
            let target = format!("-target=terraform_data.r[\"k{n}\"]");
            sandbox.tf(["apply", "-auto-approve", "-lock-timeout=58s", &target]).start()
        };
        let transcripts = at_once(10, apply);
        let refused: Vec<usize> = (0..10).filter(|n| lost_the_lock(&transcripts[*n])).collect();
        for n in &refused {
            apply(*n).finish().assert_status(0);
        }
        assert_eq!(instances(&sandbox.read(STATE)).len(), 10, "no result is lost");
        let (failed, done): (Vec<_>, Vec<_>) = assert_complete(&sandbox, 10 + refused.len())
            .into_iter()
            .partition(|run| run.outcome() == "failed");
        assert_eq!(failed.len(), refused.len(), "{failed:?}");
        for run in done {
            let argv = run.begin["argv"].to_string();
            let own = (0..10).find(|n| argv.contains(&format!("k{n}"))).unwrap();
            let own = format!("rk{own}");
            if let Some(before) = &run.before {
                assert!(!instances(before).contains(&own), "before it ran: {run:?}");
            }
            let after = run.after.as_ref().unwrap();
            assert!(instances(after).contains(&own), "after it ran: {run:?}");
        }
    }

    /// Raises the serial of one state twenty times at once, without Terraform's lock, and returns what was
    /// recorded.
    fn twenty_without_a_lock() -> Vec<Operation> {
        let part = [Step::RaiseSerial(STATE.into())];
        let sandbox = Sandbox::new().with_fake(Scenario::terraform().on(["apply"], part));
        sandbox.write(STATE, states::state(10, &["a"]));
        sandbox.tf(["apply", "-lock=false"]).run().assert_status(0);
        let known = sandbox.history().operations().len();
        for transcript in at_once(20, |_| sandbox.tf(["apply", "-lock=false"]).start()) {
            transcript.assert_status(0);
        }
        let history = sandbox.history();
        assert!(history.running().is_empty(), "{:?}", history.running());
        history.operations().split_off(known)
    }

    #[test]
    fn twenty_without_a_lock_are_twenty_whole_records() {
        let operations = twenty_without_a_lock();
        let is_run = |one: &&Operation| one.kind == "run";
        let runs: Vec<&Operation> = operations.iter().filter(is_run).collect();
        assert_eq!(runs.len(), 20, "{operations:#?}");
        let is_whole = |run: &&Operation| run.outcome() == "done" && run.after_status() == "ok";
        assert!(runs.iter().all(is_whole), "{runs:#?}");
    }

    #[test]
    fn what_others_of_us_did_meanwhile_is_no_outside_change() {
        let operations = twenty_without_a_lock();
        assert!(operations.iter().all(|one| one.kind == "run"), "{operations:#?}");
    }

    #[test]
    fn no_record_claims_to_have_found_what_came_later() {
        let serial = |bytes: &Option<Vec<u8>>| {
            let state: Value = serde_json::from_slice(bytes.as_ref()?).unwrap();
            state["serial"].as_u64()
        };
        for run in twenty_without_a_lock() {
            if let (Some(before), Some(after)) = (serial(&run.before), serial(&run.after)) {
                assert!(before <= after || run.kind != "run", "{before} before {after}: {run:?}");
            }
        }
    }

    #[test]
    fn twenty_first_uses_of_a_store_at_once_make_one_store() {
        let sandbox = Sandbox::new().with_fake(Scenario::terraform().on(["apply"], []));
        for transcript in at_once(20, |_| sandbox.tf(["apply", "-lock=false"]).start()) {
            transcript.assert_status(0);
        }
        assert_complete(&sandbox, 20);
    }

    #[test]
    fn twenty_in_different_directories_do_not_mix() {
        let part = [Step::write(STATE, states::state(1, &["a"]))];
        let sandbox = Sandbox::new().with_fake(Scenario::terraform().on(["apply"], part));
        for n in 0..20 {
            sandbox.write(format!("d{n}/{STATE}"), states::state(n + 10, &["b"]));
        }
        let transcripts =
            at_once(20, |n| sandbox.tf(["apply"]).in_directory(format!("d{n}")).start());
        for transcript in transcripts {
            transcript.assert_status(0);
        }
        assert_eq!(sandbox.histories().len(), 20);
        for n in 0..20 {
            let runs = sandbox.history_of(format!("d{n}/{STATE}")).runs();
            assert_eq!(runs.len(), 1, "{runs:?}");
            assert!(runs[0].before == Some(states::state(n + 10, &["b"]).into_bytes()));
            assert!(runs[0].after == Some(states::state(1, &["a"]).into_bytes()));
        }
    }

    #[test]
    fn twenty_real_applies_in_different_directories_do_not_mix() {
        let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
        for n in 0..20 {
            sandbox.write(format!("d{n}/main.tf"), stage::resource(&format!("r{n}"), "1"));
        }
        let transcripts = at_once(20, |n| {
            sandbox.tf(["apply", "-auto-approve"]).in_directory(format!("d{n}")).start()
        });
        for transcript in transcripts {
            transcript.assert_status(0);
        }
        for n in 0..20 {
            let run = sandbox.history_of(format!("d{n}/{STATE}")).only();
            assert!(run.after == Some(sandbox.read(format!("d{n}/{STATE}"))));
            assert_eq!(instances(run.after.as_ref().unwrap()), [format!("r{n}")]);
        }
    }
}
