//! tfcmt: passes output on, parses it, comments it on a request, and ends as Terraform ended.
//!
//! Its `pkg/terraform/parser.go` and `pkg/controller/plan.go` (November 2026): stdout and stderr are kept
//! apart and in one text; patterns at line starts tell a plan, no changes and an error from each other;
//! the exit status of `-detailed-exitcode` is passed on; a cancelled run is SIGINT to the one process and
//! then a thousand hours of patience.

use nix::sys::signal::Signal;
use regex::Regex;
use shim_tests::callers::{Place, assert_ends, in_both, interrupted_in_both};

use super::{STATE, applied, configured, slow};

/// What tfcmt finds in the text.
#[track_caller]
fn finds(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).unwrap().is_match(text)
}

/// A line that is a good plan.
const PASS: &str = r"(?m)^(Plan: \d|No changes.)";
/// A line that is an error.
const FAIL: &str = r"(?m)^([│|] )?(Error: )";

#[test]
fn a_plan_is_told_from_no_changes_and_from_an_error() {
    let plan = ["plan", "-no-color", "-input=false", "-detailed-exitcode"];
    let work = |place: &Place| {
        let with = |more: &'static str| place.call(plan.into_iter().chain([more])).run();
        vec![with("-var=size=big"), with("-var=size=small"), with("-destroy"), with("-var=other=1")]
    };
    let Some(both) = in_both(applied, work) else { return };
    assert_ends(&both.through, &[2, 0, 2, 1]);
    for (transcript, passes) in both.through.iter().zip([true, true, true, false]) {
        let combined = transcript.stdout_text() + &transcript.stderr_text();
        assert_eq!(finds(PASS, &combined), passes, "{transcript}");
        assert_eq!(finds(FAIL, &combined), !passes, "{transcript}");
    }
    assert!(finds(r"(?m)([1-9][0-9]* to destroy.)", &both.through[2].stdout_text()));
    assert!(finds(r"(?m)^ *# (.*) will be updated in-place$", &both.through[0].stdout_text()));
}

#[test]
fn an_apply_is_parsed_and_its_status_passed_on() {
    let work = |place: &Place| {
        let apply = ["apply", "-auto-approve", "-no-color", "-input=false"];
        let failing = apply.into_iter().chain(["-var=other=1"]);
        vec![place.call(apply).run(), place.call(failing).run()]
    };
    let Some(both) = in_both(configured, work) else { return };
    assert_ends(&both.through, &[0, 1]);
    assert!(finds(r"(?m)^(Apply complete!)", &both.through[0].stdout_text()));
    assert!(finds(r"(?m)^(Error: )", &both.through[1].stderr_text()), "{}", both.through[1]);
}

#[test]
fn talk_that_was_asked_for_matches_no_pattern() {
    let Some(place) = Place::with_tf_in_front() else { return };
    configured(&place.sandbox);
    let apply = ["apply", "-auto-approve", "-no-color", "-input=false"];
    let transcript = place.call(apply).env("TF_SHIM_TALK", "1").run();
    let ours = transcript.assert_status(0).stderr_text();
    assert_eq!(ours.lines().filter(|line| line.starts_with("tf shim: ")).count(), 2, "{ours}");
    for pattern in [PASS, FAIL, r"(?m)^(Apply complete!)", r"(?m)^([│|] )?(Warning: )"] {
        assert!(!finds(pattern, &ours), "`{pattern}` in: {ours}");
    }
}

#[test]
fn a_cancelled_apply_is_waited_for_and_keeps_what_was_done() {
    let work = |place: &Place| {
        let apply = ["apply", "-auto-approve", "-no-color", "-parallelism=1"];
        let running = place.call(apply).start();
        running.wait_for_file("begun");
        running.signal(Signal::SIGINT);
        vec![running.finish()]
    };
    let Some(both) = interrupted_in_both(slow, work) else { return };
    assert_ends(&both.through, &[1]);
    let state = String::from_utf8(both.place.sandbox.read(STATE)).unwrap();
    assert!(state.contains("\"name\": \"a\""), "{state}");
}
