//! Terragrunt: many units at once on one machine, and now and then a terminal of its own making.
//!
//! Its `internal/runner/run/version_check.go` and `internal/shell` (November 2026): `-version` without
//! `TF_CLI_ARGS*`, a pattern at the very beginning of stdout, whose first word decides between Terraform
//! and `OpenTofu`; the program is that of `--tf-path`, `TG_TF_PATH` or `terraform_binary`; an interrupt of
//! the terminal is not forwarded before Terraform had time to end by itself.

use nix::sys::signal::Signal;
use shim_tests::callers::{Place, in_both, interrupted_in_both, json};
use shim_tests::{Running, wait_until};

use super::{CONFIGURATION, captured, configured, slow, version};

/// How many units run at the same time.
const UNITS: usize = 12;

#[test]
fn the_first_word_of_the_version_decides_what_it_is() {
    let work = |place: &Place| vec![place.call(["-version"]).run()];
    let Some(both) = in_both(configured, work) else { return };
    let found = captured(r"^(\S+)\s(v?\d+\.\d+\.\d+)", &both.through[0]);
    assert_eq!(found, ["Terraform".to_owned(), format!("v{}", version(&both.place))]);
}

#[test]
fn the_path_of_another_program_is_tf_itself() {
    let Some(place) = Place::with_tf_in_front() else { return };
    configured(&place.sandbox);
    let transcript = place.sandbox.tf(["-version"]).run();
    let found = captured(r"^(\S+)\s(v?\d+\.\d+\.\d+)", &transcript);
    assert_eq!(found[0], "Terraform", "also under the name `tf`");
}

/// Runs a command in each unit at the same time and returns what was written to stderr and stdout.
fn in_every_unit(place: &Place, args: &[&str]) -> Vec<(i32, Vec<u8>, Vec<u8>)> {
    let start = |unit: usize| {
        let call = place.call(args.iter().copied()).in_directory(format!("units/{unit}"));
        call.env("TF_IN_AUTOMATION", "true").env("TF_INPUT", "0").start()
    };
    let running: Vec<Running<'_>> = (0..UNITS).map(start).collect();
    let ended = running.into_iter().map(Running::finish);
    ended.map(|t| (t.status().unwrap(), t.stderr, t.stdout)).collect()
}

#[test]
fn many_units_at_once_share_one_store() {
    let Some(place) = Place::with_tf_in_front() else { return };
    for unit in 0..UNITS {
        place.sandbox.write(format!("units/{unit}/main.tf"), CONFIGURATION);
    }
    let work: [&[&str]; 4] = [
        &["init", "-input=false"],
        &["apply", "-auto-approve", "-input=false", "-no-color"],
        &["output", "-json"],
        &["destroy", "-auto-approve", "-input=false", "-no-color"],
    ];
    for args in work {
        for (status, stderr, stdout) in in_every_unit(&place, args) {
            assert_eq!((status, stderr.escape_ascii().to_string()), (0, String::new()), "{args:?}");
            if args[0] == "output" {
                let outputs: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
                assert_eq!(outputs["size"]["value"], "small");
            }
        }
    }
    for unit in 0..UNITS {
        let history = place.sandbox.history_of(format!("units/{unit}/terraform.tfstate"));
        let verbs: Vec<String> = history.runs().iter().map(|run| run.verb().to_owned()).collect();
        assert_eq!(verbs, ["apply", "destroy"]);
        assert!(history.running().is_empty());
    }
}

#[test]
fn a_dependency_is_read_from_stdout_alone() {
    let work = |place: &Place| vec![place.call(["output", "-no-color", "-json"]).run()];
    let Some(both) = in_both(super::applied, work) else { return };
    assert_eq!(json(&both.through[0])["size"]["value"], "small");
}

#[test]
fn on_a_terminal_of_its_own_the_screen_is_the_same_when_quiet() {
    let work = |place: &Place| {
        let call = place.call(["apply"]).env("TF_SHIM_QUIET", "1").env("TERM", "xterm-256color");
        let mut running = call.on_terminal().start();
        running.wait_for_text("Enter a value:");
        running.type_text("yes\n");
        vec![running.finish()]
    };
    let Some(both) = in_both(configured, work) else { return };
    assert_eq!(both.through[0].status(), Some(0));
    let screen = String::from_utf8(both.through[0].screen.clone().unwrap()).unwrap();
    assert!(screen.contains("\u{1b}["), "in colour: {screen}");
}

#[test]
fn an_interrupt_of_the_terminal_that_terragrunt_does_not_forward_is_one() {
    let work = |place: &Place| {
        let args = ["apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=1"];
        let running = place.call(args).start();
        running.wait_for_file("begun");
        running.signal_group(Signal::SIGINT);
        wait_until("the first interrupt", || {
            String::from_utf8_lossy(&running.stdout()).contains("Gracefully shutting down")
        });
        vec![running.finish()]
    };
    let Some(both) = interrupted_in_both(slow, work) else { return };
    let text = both.through[0].stdout_text();
    assert_eq!(text.matches("Interrupt received").count(), 1, "{text}");
}
