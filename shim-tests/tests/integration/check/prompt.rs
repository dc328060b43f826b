//! A person at a terminal is shown the plan and asked; nobody at all is a refusal.

use nix::sys::signal::Signal;
use shim_tests::End;
use shim_tests::provider::Step;
use shim_tests::shim::shim;

use super::Stage;

/// A thing that is to be made.
const THING: &str = "resource \"fake_thing\" \"a\" {\n  value = \"1\"\n}\n";

/// Checks on a terminal, types an answer where it is asked for, and returns how that ended and the screen.
fn answered(stage: &Stage, args: &[&str], answer: &str) -> (End, String) {
    let line = shim(&stage.sandbox, ["check"].iter().chain(args).copied());
    let mut running = line.on_terminal().start();
    running.wait_for_text("Enter a value:");
    running.type_text(answer);
    let transcript = running.finish();
    assert!(stage.left_behind().is_empty(), "{:?}\n{transcript}", stage.left_behind());
    let screen = transcript.screen.clone().unwrap_or_default();
    (transcript.end, String::from_utf8_lossy(&screen).into_owned())
}

#[test]
fn a_yes_applies_the_plan_that_was_shown() {
    let Some(stage) = Stage::set(THING) else { return };
    let (end, screen) = answered(&stage, &[], "yes\n");
    assert_eq!(end, End::Status(0), "{screen}");
    assert!(screen.contains("fake_thing.a will be created"), "{screen}");
    assert!(screen.contains("Only 'yes' will be accepted"), "{screen}");
    assert_eq!(stage.cloud().ids("fake_thing"), ["thing-1"]);
}

#[test]
fn anything_else_is_a_no() {
    for answer in ["no\n", "y\n", "\n", "\x04"] {
        let Some(stage) = Stage::set(THING) else { return };
        let (end, screen) = answered(&stage, &[], answer);
        assert_eq!(end, End::Status(3), "{answer:?}: {screen}");
        assert_eq!(stage.cloud().count(Step::Create, "fake_thing"), 0, "{screen}");
        assert!(!stage.sandbox.has("terraform.tfstate"), "{screen}");
    }
}

#[test]
fn ctrl_c_ends_by_that_signal_and_nothing_was_applied() {
    let Some(stage) = Stage::set(THING) else { return };
    let args = ["--report", "json=check.json"];
    let (end, screen) = answered(&stage, &args, "\x03");
    assert_eq!(end, End::by(Signal::SIGINT), "{screen}");
    assert_eq!(stage.cloud().count(Step::Create, "fake_thing"), 0, "{screen}");
    let report: serde_json::Value =
        serde_json::from_slice(&stage.sandbox.read("check.json")).unwrap();
    assert_eq!(report["verdict"], "error", "{report}");
}

#[test]
fn a_limit_holds_while_somebody_is_asked() {
    let Some(stage) = Stage::set(THING) else { return };
    let line = shim(&stage.sandbox, ["check", "--timeout", "3s"]);
    let transcript = line.on_terminal().start().finish();
    transcript.assert_status(124);
    assert_eq!(stage.cloud().count(Step::Create, "fake_thing"), 0);
    assert!(stage.left_behind().is_empty());
}

#[test]
fn a_throw_away_stack_is_named_in_the_question() {
    let Some(stage) = Stage::set(THING) else { return };
    let (end, screen) = answered(&stage, &["--destroy-after"], "yes\n");
    assert_eq!(end, End::Status(0), "{screen}");
    assert!(screen.contains("destroy everything"), "{screen}");
    assert!(stage.cloud().objects().is_empty());
}

#[test]
fn nobody_is_asked_where_there_is_nothing_to_apply() {
    let Some(stage) = Stage::applied(THING) else { return };
    let transcript = shim(&stage.sandbox, ["check"]).on_terminal().run();
    transcript.assert_status(0);
}

#[test]
fn nobody_to_ask_is_a_refusal_before_anything_is_run() {
    let Some(stage) = Stage::set(THING) else { return };
    for line in [shim(&stage.sandbox, ["check", "--json"]), shim(&stage.sandbox, ["check"])] {
        let transcript = line.stdin("yes\n").run();
        transcript.assert_status(3);
        assert!(transcript.stderr_text().contains("--yes"), "{transcript}");
        assert!(stage.cloud().calls().is_empty(), "{transcript}");
        assert!(!stage.sandbox.store().exists());
    }
}

#[test]
fn a_refusal_is_reported_too() {
    let Some(stage) = Stage::set(THING) else { return };
    let line = shim(&stage.sandbox, ["check", "--report", "json=check.json"]);
    line.run().assert_status(3);
    let report = String::from_utf8(stage.sandbox.read("check.json")).unwrap();
    shim_tests::reports::validate_check_json(&report);
    assert!(report.contains("\"verdict\": \"error\"") || report.contains("\"verdict\":\"error\""));
}
