//! CDKTF: every `apply` on a terminal of its own, lines matched, `yes` written.
//!
//! The npm package `@cdktf/cli-core` 0.21.0, `terraform-cli.js`, `deploy-machine.js`, `pty-process.js`:
//! `version -json` once; `plan -out` and `output -json` through pipes; `init`, `apply` and `destroy` in a
//! pseudo-terminal, whose text is cut into whole lines; a line with "Do you want to perform these
//! actions" asks for approval; to stop is to type Ctrl-C. The real `cdktf deploy` was run by hand, see
//! `docs/integrations.md`.

use shim_tests::Running;
use shim_tests::callers::{Place, assert_ends, in_both, interrupted_in_both, json};

use super::{configured, slow};

/// Starts a command as cdktf does.
fn in_terminal<'p>(place: &'p Place, args: &[&str], quiet: bool) -> Running<'p> {
    let call = place.call(args.iter().copied()).env("TERM", "xterm").on_terminal();
    let call = call.env("TF_APPEND_USER_AGENT", "cdktf/0.21.0 (+https://cdk.tf)");
    if quiet { call.env("TF_SHIM_QUIET", "1").start() } else { call.start() }
}

#[test]
fn pipes_and_terminals_are_the_same_when_quiet() {
    let work = |place: &Place| {
        let version = place.call(["version", "-json"]).run();
        let init = in_terminal(place, &["init"], true).finish();
        let plan = place.call(["plan", "-input=false", "-out", "plan"]).run();
        let mut apply = in_terminal(place, &["apply"], true);
        apply.wait_for_text("Enter a value:");
        apply.type_text("yes\n");
        let apply = apply.finish();
        let output = place.call(["output", "-json"]).run();
        let destroy = in_terminal(place, &["destroy", "-auto-approve"], true).finish();
        vec![version, init, plan, apply, output, destroy]
    };
    let Some(both) = in_both(configured, work) else { return };
    assert_ends(&both.through, &[0; 6]);
    assert_eq!(json(&both.through[4])["size"]["value"], "small");
}

#[test]
fn the_approval_is_found_and_ours_are_lines_of_their_own_when_not_quiet() {
    let Some(place) = Place::with_tf_in_front() else { return };
    configured(&place.sandbox);
    let mut running = in_terminal(&place, &["apply", "-no-color"], false);
    running.wait_for_text("Do you want to perform these actions");
    running.wait_for_text("Enter a value:");
    running.type_text("yes\n");
    let transcript = running.finish();
    transcript.assert_status(0);
    let screen = String::from_utf8(transcript.screen.unwrap()).unwrap();
    let ours: Vec<&str> = screen.lines().filter(|line| line.contains("tf shim: ")).collect();
    assert_eq!(ours.len(), 2, "one line before and one after: {screen}");
    assert!(
        ours.iter().all(|line| line.starts_with("\u{1b}[2mtf shim: ")),
        "whole lines: {screen}"
    );
    assert!(screen.contains("Apply complete! Resources: 1 added"), "{screen}");
}

#[test]
fn a_stop_is_one_ctrl_c() {
    let work = |place: &Place| {
        let mut running = in_terminal(place, &["apply", "-auto-approve", "-parallelism=1"], true);
        running.wait_for_file("begun");
        running.type_text("\x03");
        vec![running.finish()]
    };
    let Some(both) = interrupted_in_both(slow, work) else { return };
    assert_ends(&both.through, &[1]);
    let screen = String::from_utf8(both.through[0].screen.clone().unwrap()).unwrap();
    assert_eq!(screen.matches("Interrupt received").count(), 1, "{screen}");
}
