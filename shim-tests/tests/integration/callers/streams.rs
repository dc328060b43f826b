//! What every caller without a terminal relies on: not one byte of ours, whatever the command.

use shim_tests::backend::HttpBackend;
use shim_tests::callers::{Place, assert_ends, in_both, json_lines};
use shim_tests::{Sandbox, Transcript};

use super::{CONFIGURATION, STATE, applied, configured};

/// One of each command that is guarded, in an order in which all of them succeed.
const GUARDED: &[&[&str]] = &[
    &["init"],
    &["apply", "-auto-approve"],
    &["state", "mv", "terraform_data.a", "terraform_data.b"],
    &["state", "mv", "terraform_data.b", "terraform_data.a"],
    &["taint", "terraform_data.a"],
    &["untaint", "terraform_data.a"],
    &["refresh"],
    &["state", "rm", "terraform_data.a"],
    &["import", "terraform_data.a", "one"],
    &["workspace", "new", "w"],
    &["workspace", "select", "-or-create", "default"],
    &["workspace", "delete", "w"],
    &["apply", "-auto-approve", "-var=size=big"],
    &["apply", "-auto-approve", "-refresh-only"],
    &["apply", "-destroy", "-auto-approve"],
    &["apply", "-auto-approve"],
    &["destroy", "-auto-approve"],
];

/// Runs several commands.
fn run(place: &Place, lines: &[&[&str]]) -> Vec<Transcript> {
    lines.iter().map(|args| place.call(args.iter().copied()).run()).collect()
}

#[test]
fn no_guarded_command_says_a_word() {
    let Some(both) = in_both(configured, |place| run(place, GUARDED)) else { return };
    assert_ends(&both.through, &[0; GUARDED.len()]);
    for transcript in &both.through {
        assert_eq!(transcript.stderr_text(), "", "{transcript}");
    }
    assert!(both.place.sandbox.history_of(STATE).runs().len() > 10, "and all are recorded");
}

#[test]
fn no_guarded_command_says_a_word_over_a_remote_backend() {
    let backends = std::cell::RefCell::new(Vec::new());
    let set = |sandbox: &Sandbox| {
        let backend = HttpBackend::start();
        sandbox.write("main.tf", backend.configuration() + CONFIGURATION);
        backends.borrow_mut().push(backend);
    };
    let work: &[&[&str]] = &[
        &["init", "-input=false"],
        &["apply", "-auto-approve", "-input=false"],
        &["apply", "-auto-approve", "-input=false", "-json", "-var=size=big"],
        &["taint", "terraform_data.a"],
        &["state", "rm", "terraform_data.a"],
        &["destroy", "-auto-approve", "-input=false"],
    ];
    let Some(both) = in_both(set, |place| run(place, work)) else { return };
    assert_ends(&both.through, &[0; 6]);
    assert_eq!(json_lines(&both.through[2])[0]["type"], "version");
}

#[test]
fn what_changed_outside_is_noticed_without_a_word() {
    let work = |place: &Place| {
        let first = place.call(["apply", "-auto-approve"]).run();
        place.sandbox.terraform(["apply", "-auto-approve", "-var=size=big"]).run().assert_status(0);
        vec![first, place.call(["apply", "-auto-approve", "-var=size=huge"]).run()]
    };
    let Some(both) = in_both(configured, work) else { return };
    let kinds: Vec<String> =
        both.place.sandbox.history().operations().into_iter().map(|o| o.kind).collect();
    assert!(kinds.contains(&"outside".to_owned()), "{kinds:?}");
}

#[test]
fn quiet_is_quiet_on_a_terminal_too() {
    let work = |place: &Place| {
        let line = |args: &[&str]| {
            place.call(args.iter().copied()).env("TF_SHIM_QUIET", "1").on_terminal().run()
        };
        GUARDED.iter().map(|args| line(args)).collect()
    };
    let Some(both) = in_both(configured, work) else { return };
    assert_ends(&both.through, &[0; GUARDED.len()]);
}

#[test]
fn an_unwritable_home_is_no_matter_to_what_only_reads() {
    let work = |place: &Place| {
        let lines: [&[&str]; 5] = [
            &["version"],
            &["plan", "-input=false", "-detailed-exitcode"],
            &["show", "-json"],
            &["state", "list"],
            &["validate"],
        ];
        let line = |args: &[&str]| {
            place
                .call(args.iter().copied())
                .env("HOME", "/proc/none")
                .env("XDG_STATE_HOME", "/proc/none")
                .run()
        };
        lines.iter().map(|args| line(args)).collect()
    };
    let Some(both) = in_both(applied, work) else { return };
    assert_ends(&both.through, &[0; 5]);
}
