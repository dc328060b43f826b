//! The right version: what the manager alone would have chosen, for the command and for every question of ours.
//!
//! A question of ours (`state pull`) that went to another version would be a wrong answer, or none: a state
//! that a newer version wrote is not for an older one.

use std::path::PathBuf;

use shim_tests::backend::HttpBackend;
use shim_tests::{Transcript, stage};

use super::{
    CHOSEN, Manager, Sandbox, Scenario, Step, managed, part, path, program, programs, put, states,
};

/// The version of the directory `sub`.
const OTHER: &str = "1.11.4";

/// A project with `sub` below it, another version chosen there, and a remote state in both.
fn two_versions(manager: Manager, scenario: Scenario) -> Sandbox {
    let sandbox = managed(manager, scenario);
    manager.choose(&sandbox, "sub", OTHER);
    for directory in [".terraform", "sub/.terraform"] {
        let record =
            r#"{"version":3,"backend":{"type":"s3","config":{"bucket":"b","key":"k"},"hash":1}}"#;
        sandbox.write(format!("{directory}/terraform.tfstate"), record);
    }
    sandbox.write("remote.tfstate", states::state(5, &["a"]));
    sandbox.write("sub/remote.tfstate", states::state(5, &["a"]));
    let path = path(&sandbox, manager, &["us", "manager", "bin"]);
    sandbox.with_variable("PATH", path)
}

/// Answers as a remote state does.
fn remote() -> Scenario {
    part()
        .on(["state", "pull"], [Step::PrintState("remote.tfstate".into())])
        .on(["apply"], [Step::RaiseSerial("remote.tfstate".into())])
}

/// Which programs were called, and how.
fn reached(transcript: &Transcript) -> Vec<(PathBuf, String)> {
    let last = |line: String| line.rsplit(' ').next().unwrap_or_default().to_owned();
    transcript.calls().into_iter().map(|call| (program(call), last(call.line()))).collect()
}

/// What the manager runs without us.
fn alone(sandbox: &Sandbox, manager: Manager, words: &[&str], directory: &str) -> PathBuf {
    let path = path(sandbox, manager, &["manager"]);
    let call = sandbox.program(&manager.terraform(sandbox), words.iter().copied());
    let transcript = call.env("PATH", path).in_directory(directory).run();
    program(transcript.assert_status(0).only_call())
}

#[test]
fn questions_of_ours_go_to_the_version_that_runs_the_command() {
    for manager in Manager::choosing() {
        for (words, directory) in [
            (&["apply"][..], "."),
            (&["apply"], "sub"),
            (&["-chdir=sub", "apply"], "."),
            (&["-chdir=..", "apply"], "sub"),
        ] {
            let sandbox = two_versions(manager, remote());
            let expected = alone(&sandbox, manager, words, directory);
            let us = sandbox.path("us/terraform");
            let call = sandbox.program(&us, words.iter().copied()).in_directory(directory);
            let transcript = call.run();
            transcript.assert_status(0);
            let calls = reached(&transcript);
            let said: Vec<_> = calls.iter().map(|(_, word)| word.as_str()).collect();
            assert_eq!(said, ["pull", "apply", "pull"], "{manager:?} {words:?} {transcript}");
            for (program, word) in &calls {
                assert_eq!(program, &expected, "{manager:?} {words:?} in {directory}: {word}");
            }
            let operation = sandbox.history().newest();
            assert_eq!((operation.before_status(), operation.after_status()), ("ok", "ok"));
        }
    }
}

/// Who follows `-chdir=` and who does not: as documented, and so the stand-ins are worth something.
#[test]
fn the_version_with_chdir_is_the_managers_own_choice() {
    for manager in Manager::choosing() {
        let sandbox = two_versions(manager, remote());
        let version = if manager.follows_chdir() { OTHER } else { CHOSEN };
        let expected = manager.place_of(&sandbox, version);
        assert_eq!(alone(&sandbox, manager, &["-chdir=sub", "plan"], "."), expected);
        let words = ["-chdir=sub", "plan"];
        let transcript = sandbox.program(&sandbox.path("us/terraform"), words).run();
        assert_eq!(program(transcript.assert_status(0).only_call()), expected, "{manager:?}");
    }
}

/// Called as `tofu`, tenv chooses among its versions of `OpenTofu`.
#[test]
fn a_version_of_opentofu_is_chosen_by_its_own_file() {
    let manager = Manager::Tenv;
    let sandbox = two_versions(manager, remote());
    let tofu = sandbox.home().join(".tenv/OpenTofu/1.8.2/tofu");
    put(&tofu, &programs::find("fake-terraform"), super::Placed::Copied);
    sandbox.write(".opentofu-version", "1.8.2\n");
    let transcript = sandbox.program(&sandbox.path("us/tofu"), ["apply"]).run();
    transcript.assert_status(0);
    let reached: Vec<_> = reached(&transcript).into_iter().map(|(program, _)| program).collect();
    assert_eq!(reached, vec![tofu; 3]);
}

/// Our own commands ask the same version, too.
#[test]
fn our_own_commands_ask_the_version_of_the_directory() {
    for manager in Manager::choosing() {
        let sandbox = two_versions(manager, remote());
        let words = ["-chdir=sub", "shim", "save"];
        let transcript = sandbox.program(&sandbox.path("us/tf"), words).run();
        let expected = alone(&sandbox, manager, &["-chdir=sub", "plan"], ".");
        assert_eq!(program(transcript.assert_status(0).only_call()), expected, "{manager:?}");
    }
}

/// With a real Terraform, a real remote state, and `-chdir=`: the question is asked with it, as the command is.
#[test]
fn a_real_remote_state_is_pulled_through_chdir() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let backend = HttpBackend::start();
    sandbox.write("sub/main.tf", backend.configuration() + &stage::resource("a", "1"));
    sandbox.tf(["-chdir=sub", "init"]).run().assert_status(0);
    sandbox.tf(["-chdir=sub", "apply", "-auto-approve"]).run().assert_status(0);
    let operation = sandbox.history().newest();
    assert!(operation.after == backend.state() && backend.state().is_some(), "{operation:?}");
}
