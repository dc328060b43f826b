//! Every order of a manager and us on `PATH`, and every name we have there.

use std::ffi::OsStr;

use shim_tests::Transcript;
use shim_tests::managers::bash_script;
use shim_tests::scenario::Wait;

use super::{
    Manager, Placed, STATE, Sandbox, Scenario, Step, assert_one_operation, chosen, first_on,
    managed, part, path, program, programs, put, states, system, us,
};

/// Runs a command as a shell would: the first program of that name on `PATH`.
fn run(sandbox: &Sandbox, path: &OsStr, name: &str, words: &[&str]) -> Transcript {
    sandbox.program(&first_on(path, name), words.iter().copied()).env("PATH", path).run()
}

/// Fails unless a plan and an apply each reached the chosen version once, and the apply is one operation.
#[track_caller]
fn assert_right(sandbox: &Sandbox, manager: Manager, parts: &[&str], name: &str) {
    let path = path(sandbox, manager, parts);
    for words in [&["plan"][..], &["apply", "-auto-approve"]] {
        let transcript = run(sandbox, &path, name, words);
        let call = transcript.assert_status(0).only_call();
        assert_eq!(program(call), chosen(manager, sandbox), "{manager:?} {parts:?} {name}");
        assert_eq!(call.args(), words, "{manager:?} {parts:?} {name}");
        assert_eq!(transcript.stderr_text(), "", "{manager:?} {parts:?} {name}");
    }
    assert_one_operation(sandbox, "apply");
}

#[test]
fn in_front_of_a_manager_the_version_it_chose_runs_once() {
    for manager in Manager::all() {
        for name in ["terraform", "tf"] {
            let sandbox = managed(manager, part());
            assert_right(&sandbox, manager, &["us", "manager", "bin"], name);
        }
    }
}

#[test]
fn in_front_of_and_behind_a_manager_twice_the_version_it_chose_runs_once() {
    for manager in Manager::all() {
        let sandbox = managed(manager, part());
        us(&sandbox, "us2");
        let parts = ["us", "manager", "us2", "manager", "us", "bin"];
        assert_right(&sandbox, manager, &parts, "terraform");
    }
}

#[test]
fn two_installations_are_one_however_they_stand_to_a_manager() {
    for manager in Manager::all() {
        for parts in [["opt", "us", "manager"], ["us", "opt", "manager"]] {
            let sandbox = managed(manager, part());
            put(&sandbox.path("opt/terraform"), &sandbox.tf_program(), Placed::Copied);
            assert_right(&sandbox, manager, &parts, "terraform");
        }
    }
}

/// What happens where the directories stand the wrong way round: nothing of ours, and nothing wrong.
#[test]
fn behind_a_manager_that_has_a_version_we_are_not_asked() {
    for manager in Manager::all() {
        let sandbox = managed(manager, part());
        let path = path(&sandbox, manager, &["manager", "us", "bin"]);
        let transcript = run(&sandbox, &path, "terraform", &["apply", "-auto-approve"]);
        assert_eq!(program(transcript.assert_status(0).only_call()), chosen(manager, &sandbox));
        assert!(!sandbox.store().exists(), "{manager:?}");
    }
}

/// Called as `tf` we are asked all the same, and the manager chooses; tenv has a `tf` of its own.
#[test]
fn behind_a_manager_the_name_tf_still_asks_us() {
    for manager in Manager::all() {
        let sandbox = managed(manager, part());
        let parts = ["manager", "us", "bin"];
        if manager == Manager::Tenv {
            let path = path(&sandbox, manager, &parts);
            assert_eq!(first_on(&path, "tf"), sandbox.path("tenv/bin/tf"));
            continue;
        }
        assert_right(&sandbox, manager, &parts, "tf");
    }
}

#[test]
fn a_manager_that_is_named_as_the_real_binary_chooses() {
    for manager in Manager::all() {
        let sandbox = managed(manager, part());
        let named = manager.terraform(&sandbox).into_os_string();
        let sandbox = sandbox.with_variable("TF_SHIM_REAL", named);
        assert_right(&sandbox, manager, &["us", "manager", "bin"], "terraform");
    }
}

/// A version of the manager's that is us, and the real one further down: each of us leads to it once.
#[test]
fn a_manager_whose_version_is_us_leads_to_the_next_real_one() {
    for manager in Manager::all() {
        for parts in [["manager", "us", "system"], ["us", "manager", "system"]] {
            let sandbox = managed(manager, part());
            super::choose_instead(manager, &sandbox, &sandbox.tf_program());
            let real = system(&sandbox);
            let path = path(&sandbox, manager, &parts);
            for words in [&["plan"][..], &["apply", "-auto-approve"]] {
                let transcript = run(&sandbox, &path, "terraform", words);
                let call = transcript.assert_status(0).only_call();
                assert_eq!(program(call), real, "{manager:?} {parts:?} {transcript}");
                assert_eq!(call.args(), words, "{manager:?} {parts:?}");
            }
            assert_one_operation(&sandbox, "apply");
        }
    }
}

/// tenv's `tf` chooses the program too: `OpenTofu` where a version of it is chosen.
#[test]
fn the_tf_of_tenv_and_ours_are_told_apart_by_path() {
    let sandbox = managed(Manager::Tenv, part());
    let tofu = sandbox.home().join(".tenv/OpenTofu/1.8.2/tofu");
    put(&tofu, &programs::find("fake-terraform"), Placed::Copied);
    sandbox.write(".opentofu-version", "1.8.2\n");
    let theirs = path(&sandbox, Manager::Tenv, &["manager", "us"]);
    assert_eq!(program(run(&sandbox, &theirs, "tf", &["plan"]).only_call()), tofu);
    let ours = path(&sandbox, Manager::Tenv, &["us", "manager"]);
    let of_terraform = chosen(Manager::Tenv, &sandbox);
    assert_eq!(program(run(&sandbox, &ours, "tf", &["plan"]).only_call()), of_terraform);
    assert_eq!(program(run(&sandbox, &ours, "tofu", &["plan"]).only_call()), tofu);
}

/// What Terraform starts and calls by name: us, unless the manager has put the version's directory in front.
/// (asdf does; the fake's inner apply in `sub` finds the same chosen version either way.)
#[test]
fn what_terraform_calls_by_name_is_recorded_unless_the_version_is_in_front_by_then() {
    for manager in Manager::all() {
        for name in ["terraform", "tf"] {
            let sandbox = managed(manager, part());
            let script = sandbox.path("inner");
            let body =
                format!("[ -e ../main.tf ] && exit 0; cd sub && exec {name} apply -auto-approve");
            bash_script(&sandbox, &script, &body);
            sandbox.write("main.tf", "");
            sandbox.write("sub/main.tf", "");
            let write = Step::write(STATE, states::state(1, &["a"]));
            let inner = Step::Run(Some(script), Vec::new(), Wait::ForEnd);
            sandbox.play(Scenario::terraform().on(["apply"], [inner, write]));
            let path = path(&sandbox, manager, &["us", "manager", "bin"]);
            let transcript = run(&sandbox, &path, "terraform", &["apply"]);
            let calls = transcript.assert_status(0).calls();
            assert_eq!(calls.len(), 2, "{manager:?} {name} {transcript}");
            let hides_us = matches!(manager, Manager::Asdf | Manager::AsdfOfBash);
            let expected = if hides_us && name == "terraform" { 1 } else { 2 };
            assert_eq!(sandbox.histories().len(), expected, "{manager:?} {name} {transcript}");
        }
    }
}
