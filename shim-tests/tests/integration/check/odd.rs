//! A Terraform that does what a real one cannot be made to do: it dies, it gives no plan, it never ends.
//! Here the fake plays it.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use shim_tests::shim::{document, shim};
use shim_tests::{End, Sandbox, Scenario, Step, Transcript, states};

use super::{list, names_in, text};

/// A plan that has one change.
fn planned() -> String {
    json!({
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "applyable": true,
        "complete": true,
        "resource_changes": [{
            "address": "t.a", "mode": "managed", "type": "t", "name": "a",
            "provider_name": "registry.terraform.io/test/fake",
            "change": {"actions": ["create"], "before": null, "after": {"v": "1"}, "after_unknown": {}},
        }],
    })
    .to_string()
}

/// A stage with a part for `plan` and one for `show`; the apply writes a state.
fn stage(plan: Vec<Step>, show: Vec<Step>) -> Sandbox {
    let apply =
        [Step::write("terraform.tfstate", states::state(1, &["a"])), Step::stdout("applied\n")];
    let scenario = Scenario::terraform().on(["plan"], plan).on(["show"], show).on(["apply"], apply);
    let sandbox = Sandbox::new().with_fake(scenario);
    sandbox.write("main.tf", "");
    sandbox
}

/// Checks, and fails where anything is left behind.
#[track_caller]
fn check(sandbox: &Sandbox, more: &[&str]) -> (Transcript, Value) {
    let args = ["check", "--yes", "--json"].iter().chain(more);
    ended(sandbox, shim(sandbox, args.copied()).run())
}

/// Takes a check that has ended.
#[track_caller]
fn ended(sandbox: &Sandbox, transcript: Transcript) -> (Transcript, Value) {
    assert!(names_in(&sandbox.path("tmp")).is_empty(), "{transcript}");
    let answer = document(&transcript);
    shim_tests::reports::validate_check_json(&transcript.stdout_text());
    (transcript, answer)
}

/// Fails unless there is no verdict because of the first plan.
#[track_caller]
fn assert_no_verdict((transcript, answer): &(Transcript, Value)) {
    transcript.assert_status(4);
    assert_eq!(answer["verdict"], "error", "{transcript}");
    let end = (text(&answer["end"]["how"]), text(&answer["end"]["step"]));
    assert_eq!(end, ("failed", "plan0"), "{transcript}");
}

#[test]
fn a_plan_with_a_status_of_its_own_leaves_no_verdict() {
    for status in [1, 3, 127, 255] {
        let said = Step::stderr("Error: out of sorts\n");
        let checked = check(&stage(vec![said, Step::Exit(status)], vec![]), &[]);
        assert_no_verdict(&checked);
        assert_eq!(checked.1["steps"][0]["exit"], status);
        assert!(checked.0.stderr_text().contains("Error: out of sorts"), "{}", checked.0);
    }
}

#[test]
fn a_plan_that_is_killed_leaves_no_verdict_and_does_not_kill_the_check() {
    let checked = check(&stage(vec![Step::die(Signal::SIGKILL)], vec![]), &[]);
    assert_no_verdict(&checked);
    let step = &checked.1["steps"][0];
    assert_eq!((&step["exit"], &step["signal"]), (&json!(null), &json!(9)), "{}", checked.0);
}

#[test]
fn a_plan_that_cannot_be_read_leaves_no_verdict() {
    for shown in ["", "{", "[]", "no plan at all\n", "{\"format_version\":\"2.0\"}"] {
        let plan = vec![Step::Exit(2)];
        let checked = check(&stage(plan, vec![Step::stdout(shown)]), &[]);
        let (transcript, answer) = &checked;
        transcript.assert_status(4);
        assert_eq!(answer["verdict"], "error", "{shown}: {transcript}");
    }
}

#[test]
fn a_plan_that_is_never_read_out_can_be_interrupted() {
    let sandbox = stage(vec![Step::Exit(2)], vec![Step::touch("shown"), Step::await_file("go")]);
    let running = shim(&sandbox, ["check", "--yes", "--json", "--plan-only"]).start();
    running.wait_for_file("shown");
    running.signal(Signal::SIGTERM);
    let (transcript, answer) = ended(&sandbox, running.finish());
    assert_eq!(transcript.end, End::by(Signal::SIGTERM), "{transcript}");
    assert_eq!(answer["end"]["how"], "interrupted", "{transcript}");
}

#[test]
fn a_plan_that_is_never_read_out_is_given_up_when_the_time_is_up() {
    let sandbox = stage(vec![Step::Exit(2)], vec![Step::await_file("go")]);
    let (transcript, answer) = check(&sandbox, &["--plan-only", "--timeout", "1s"]);
    transcript.assert_status(124);
    assert_eq!(answer["end"]["how"], "timed-out", "{transcript}");
}

#[test]
fn a_terraform_that_ignores_the_interruption_is_waited_for() {
    let plan = vec![Step::catch([Signal::SIGINT]), Step::touch("ready"), Step::await_file("go")];
    let sandbox = stage(plan, vec![Step::stdout(planned())]);
    let running = shim(&sandbox, ["check", "--yes", "--json"]).start();
    running.wait_for_file("ready");
    running.signal(Signal::SIGINT);
    running.wait_for_signals(1);
    sandbox.write("go", "");
    let (transcript, _) = ended(&sandbox, running.finish());
    assert_eq!(transcript.end, End::by(Signal::SIGINT), "{transcript}");
    assert_eq!(transcript.caught(), [Signal::SIGINT]);
}

#[test]
fn variables_of_the_environment_are_expanded_once_and_not_inherited() {
    let sandbox = stage(vec![Step::Exit(0)], vec![Step::stdout("{\"format_version\":\"1.2\"}")]);
    let line = shim(&sandbox, ["check", "--yes", "--json", "--", "-lock=false"]);
    let line =
        line.env("TF_CLI_ARGS", "-parallelism=7").env("TF_CLI_ARGS_plan", "-lock-timeout=1s");
    let (transcript, answer) = ended(&sandbox, line.run());
    transcript.assert_status(0);
    assert_eq!(list(&answer["steps"]).len(), 1);
    let calls = transcript.calls();
    let plan = calls.iter().find(|call| call.line().contains(" plan ")).expect("a plan");
    let words = plan.line();
    for word in ["-lock-timeout=1s", "-parallelism=7", "-lock=false"] {
        assert_eq!(words.matches(word).count(), 1, "{words}");
    }
    let inherited = plan.environment.iter().any(|(name, _)| name.text().starts_with("TF_CLI_ARGS"));
    assert!(!inherited, "{:?}", plan.environment);
    assert!(plan.streams[0].target.text().contains("/dev/null"), "{:?}", plan.streams);
}
