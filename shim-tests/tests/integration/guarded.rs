//! Guarded commands: one command is one record, and what it keeps are the very bytes that were there.
//!
//! The contract is interface.md 1 and store.md 4 and 5. The histories are read by `History`, which
//! verifies every line and every object it touches.

use nix::sys::signal::Signal;
use shim_tests::backend::HttpBackend;
use shim_tests::bytes::Bytes;
use shim_tests::{End, Operation, Sandbox, Scenario, Step, Transcript, stage, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// Returns a sandbox with a real Terraform, none where there is none.
fn real() -> Option<Sandbox> {
    Sandbox::new().with_real_terraform()
}

/// Returns a sandbox whose fake plays one part for every apply.
fn fake_apply(steps: impl IntoIterator<Item = Step>) -> Sandbox {
    Sandbox::new().with_fake(Scenario::terraform().on(["apply"], steps))
}

/// Reads a file of the project; none where there is none.
fn bytes_of(sandbox: &Sandbox, name: &str) -> Option<Vec<u8>> {
    std::fs::read(sandbox.project().join(name)).ok()
}

/// Runs a guarded command on a state file and fails unless it made exactly one record, whose bytes are
/// those of the file before and after.
#[track_caller]
fn run_recorded(sandbox: &Sandbox, name: &str, args: &[&str], status: i32) -> Operation {
    let known = sandbox.histories().iter().map(|h| h.operations().len()).sum::<usize>();
    let before = bytes_of(sandbox, name);
    let transcript = sandbox.tf(args.iter().copied()).run();
    transcript.assert_status(status);
    let after = bytes_of(sandbox, name);
    let count = sandbox.histories().iter().map(|h| h.operations().len()).sum::<usize>();
    assert_eq!(count, known + 1, "one command is one record: {transcript}");
    let history = sandbox.history_of(name);
    let operation = history.newest();
    assert_eq!(operation.kind, "run", "{operation:#?}");
    assert!(operation.before == before, "before is what was there: {operation:#?}");
    assert!(operation.after == after, "after is what is there: {operation:#?}");
    assert_eq!(operation.end["exit"], status, "{operation:#?}");
    assert_eq!(operation.outcome(), if status == 0 { "done" } else { "failed" });
    assert_eq!(operation.before_status(), if before.is_some() { "ok" } else { "absent" });
    assert_eq!(operation.after_status(), if after.is_some() { "ok" } else { "absent" });
    assert!(history.running().is_empty(), "nothing runs any more: {:?}", history.running());
    operation
}

/// Fails unless a command left no record at all.
#[track_caller]
fn assert_unrecorded(sandbox: &Sandbox, transcript: &Transcript) {
    let lines: Vec<_> = sandbox.histories().into_iter().flat_map(|h| h.lines).collect();
    assert!(lines.is_empty(), "{transcript}\n{lines:#?}");
}

mod real_commands {
    use super::*;

    #[test]
    fn every_guarded_verb_makes_one_record_with_the_exact_bytes() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
        let run = |args: &[&str]| run_recorded(&sandbox, STATE, args, 0);
        let first = run(&["apply", "-auto-approve"]);
        assert_eq!(first.end["changes"]["add"], 3, "{first:#?}");
        sandbox.write("main.tf", stage::resources(&["a", "b", "d"]));
        let changed = run(&["apply", "-auto-approve", "-no-color"]);
        assert_eq!(
            (&changed.end["changes"]["add"], &changed.end["changes"]["remove"]),
            (&1.into(), &1.into())
        );
        assert_eq!(run(&["apply", "-auto-approve"]).end["changes"]["add"], 0);
        assert_eq!(
            run(&["state", "mv", "terraform_data.a", "terraform_data.z"]).verb(),
            "state mv"
        );
        assert_eq!(run(&["state", "rm", "terraform_data.b"]).verb(), "state rm");
        assert_eq!(run(&["import", "terraform_data.b", "some-id"]).verb(), "import");
        assert_eq!(run(&["taint", "terraform_data.d"]).verb(), "taint");
        assert_eq!(run(&["untaint", "terraform_data.d"]).verb(), "untaint");
        assert_eq!(run(&["refresh"]).verb(), "refresh");
        let provider = "terraform.io/builtin/terraform";
        let replace =
            ["state", "replace-provider", "-auto-approve", provider, "example.com/x/terraform"];
        assert_eq!(run(&replace).verb(), "state replace-provider");
        let back =
            ["state", "replace-provider", "-auto-approve", "example.com/x/terraform", provider];
        assert_eq!(run(&back).verb(), "state replace-provider");
        let state = String::from_utf8(sandbox.read(STATE)).unwrap();
        let raised = state.replacen("\"serial\": ", "\"serial\": 1", 1);
        sandbox.write("pushed.tfstate", raised);
        assert_eq!(run(&["state", "push", "pushed.tfstate"]).verb(), "state push");
        let destroyed = run(&["destroy", "-auto-approve"]);
        assert_eq!(destroyed.verb(), "destroy");
        assert_eq!(destroyed.end["after"]["resources"], 0, "{destroyed:#?}");
    }

    #[test]
    fn a_failed_apply_keeps_what_it_had_written() {
        let Some(sandbox) = real() else { return };
        let config = stage::resource("a", "1") + &stage::resource_running("b", "exit 3");
        sandbox.write("main.tf", config);
        let failed = run_recorded(&sandbox, STATE, &["apply", "-auto-approve"], 1);
        assert!(String::from_utf8(failed.after.unwrap()).unwrap().contains("tainted"));
    }

    #[test]
    fn a_command_that_changes_nothing_is_a_record_too() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        run_recorded(&sandbox, STATE, &["apply", "-auto-approve"], 0);
        let nothing = run_recorded(&sandbox, STATE, &["state", "rm", "terraform_data.nope"], 1);
        assert!(nothing.before == nothing.after);
        run_recorded(&sandbox, STATE, &["import", "terraform_data.a", "x"], 1);
    }

    #[test]
    fn a_cancelled_approval_is_a_failed_run_and_the_answer_is_terraforms() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        let transcript = sandbox.tf(["apply"]).stdin("no\n").run();
        assert!(transcript.assert_status(1).stdout_text().contains("Apply cancelled."));
        let operation = sandbox.history().only();
        assert_eq!((operation.outcome(), operation.after_status()), ("failed", "absent"));
        let transcript = sandbox.tf(["apply"]).stdin("yes\n").run();
        assert!(transcript.assert_status(0).stdout_text().contains("Apply complete!"));
    }

    #[test]
    fn a_change_behind_our_back_is_a_record_of_its_own() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        run_recorded(&sandbox, STATE, &["apply", "-auto-approve"], 0);
        let ours = sandbox.read(STATE);
        sandbox.write("main.tf", stage::resource("a", "2"));
        sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
        let theirs = sandbox.read(STATE);
        sandbox.tf(["taint", "terraform_data.a"]).run().assert_status(0);
        let operations = sandbox.history().operations();
        let kinds: Vec<&str> = operations.iter().map(|operation| operation.kind.as_str()).collect();
        assert_eq!(kinds, ["run", "outside", "run"]);
        assert!(operations[1].before.as_ref() == Some(&ours));
        assert!(operations[1].after.as_ref() == Some(&theirs));
        assert!(operations[1].begin["verb"].is_null() && operations[1].begin["user"].is_null());
        assert!(operations[2].before.as_ref() == Some(&theirs));
    }

    #[test]
    fn a_state_written_anew_with_the_same_meaning_is_no_outside_change() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        run_recorded(&sandbox, STATE, &["apply", "-auto-approve"], 0);
        let state = String::from_utf8(sandbox.read(STATE)).unwrap();
        let older = state.replacen("\"terraform_version\": \"", "\"terraform_version\": \"0.", 1);
        let older = older.replace("0.1.", "1.");
        sandbox.write(STATE, older.replace("  ", "\t"));
        let operation = run_recorded(&sandbox, STATE, &["apply", "-auto-approve"], 0);
        assert!(operation.before != operation.after, "the bytes as they were, all the same");
    }

    #[test]
    fn a_new_workspace_from_a_state_and_a_deleted_one_are_records() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        sandbox.write("given.tfstate", states::state(4, &["a"]));
        sandbox.tf(["workspace", "new", "-state=given.tfstate", "w"]).run().assert_status(0);
        let name = "terraform.tfstate.d/w/terraform.tfstate";
        let made = sandbox.read(name);
        let operation = sandbox.history_of(name).only();
        assert!(operation.after == Some(made.clone()), "{operation:#?}");
        assert_eq!(operation.before_status(), "absent");
        sandbox.tf(["workspace", "select", "default"]).run().assert_status(0);
        let deleted = run_recorded(&sandbox, name, &["workspace", "delete", "-force", "w"], 0);
        assert!(deleted.before == Some(made));
        assert_eq!((deleted.verb(), deleted.after_status()), ("workspace delete", "absent"));
    }

    #[test]
    fn a_deleted_workspace_leaves_its_last_state_in_the_store() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        sandbox.tf(["workspace", "new", "w"]).run().assert_status(0);
        let name = "terraform.tfstate.d/w/terraform.tfstate";
        run_recorded(&sandbox, name, &["apply", "-auto-approve"], 0);
        let last = sandbox.read(name);
        sandbox.tf(["workspace", "select", "default"]).run().assert_status(0);
        let refused = run_recorded(&sandbox, name, &["workspace", "delete", "w"], 1);
        assert!(refused.after.as_ref() == Some(&last));
        let deleted = run_recorded(&sandbox, name, &["workspace", "delete", "-force", "w"], 0);
        assert!(deleted.before == Some(last));
    }

    #[test]
    fn an_init_that_moves_the_state_saves_it_first() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        run_recorded(&sandbox, STATE, &["apply", "-auto-approve"], 0);
        let local = sandbox.read(STATE);
        let backend = HttpBackend::start();
        sandbox.write("backend.tf", backend.configuration());
        sandbox.tf(["init", "-force-copy"]).run().assert_status(0);
        let moved = backend.state().unwrap();
        let init = sandbox.history_of(STATE).newest();
        assert_eq!(init.verb(), "init");
        assert!(init.before == Some(local), "{init:#?}");
        assert_eq!(init.end["after"]["bytes"], 0, "Terraform empties the old one: {init:#?}");
        let histories = sandbox.histories();
        let remote = histories.iter().find(|history| history.identity["kind"] == "http").unwrap();
        assert_eq!(remote.newest().begin["kind"], "migrate", "{remote:#?}");
        assert!(remote.newest().after == Some(moved));
    }
}

mod ends {
    use super::*;

    #[test]
    fn every_exit_status_is_terraforms_and_is_recorded() {
        let sandbox = fake_apply([]);
        for status in [0_u8, 1, 2, 3, 11, 64, 124, 125, 126, 127, 128, 255] {
            sandbox.play(Scenario::terraform().on(["apply"], [Step::Exit(status)]));
            sandbox.tf(["apply"]).run().assert_status(status.into());
            let operation = sandbox.history().newest();
            assert_eq!(operation.end["exit"], status, "{operation:#?}");
            assert_eq!(operation.outcome(), if status == 0 { "done" } else { "failed" });
        }
        assert_eq!(sandbox.history().operations().len(), 12);
    }

    #[test]
    fn a_death_by_signal_is_ours_too_and_the_record_says_killed() {
        let signals = [
            Signal::SIGKILL,
            Signal::SIGTERM,
            Signal::SIGINT,
            Signal::SIGHUP,
            Signal::SIGQUIT,
            Signal::SIGPIPE,
            Signal::SIGSEGV,
            Signal::SIGABRT,
            Signal::SIGUSR1,
            Signal::SIGALRM,
            Signal::SIGXCPU,
        ];
        let sandbox = fake_apply([]);
        for (serial, signal) in (20..).zip(signals) {
            let part = [Step::write(STATE, states::state(serial, &["a"])), Step::die(signal)];
            sandbox.play(Scenario::terraform().on(["apply"], part));
            let transcript = sandbox.tf(["apply"]).run();
            assert_eq!(transcript.end, End::by(signal), "{transcript}");
            let operation = sandbox.history().newest();
            assert_eq!(operation.outcome(), "killed", "{operation:#?}");
            assert_eq!(operation.end["signal"], signal as i32, "{operation:#?}");
            assert!(operation.end["exit"].is_null(), "{operation:#?}");
            let written = states::state(serial, &["a"]).into_bytes();
            assert!(operation.after == Some(written), "what it wrote before it died is kept");
        }
    }

    #[test]
    fn a_state_that_is_none_is_kept_as_it_is() {
        for odd in [&b"{"[..], b"\n", b"{}", b"\0\0\0\0", b"\xff\xfe", b"[]", b"{\"version\":4"] {
            let sandbox = fake_apply([Step::write(STATE, odd.to_vec()), Step::Exit(1)]);
            let before = states::state(3, &["a"]);
            sandbox.write(STATE, &before);
            sandbox.tf(["apply"]).run().assert_status(1);
            let operation = sandbox.history().newest();
            assert!(operation.before == Some(before.into_bytes()));
            assert_eq!(operation.after.as_deref(), Some(odd), "{operation:#?}");
            assert_eq!(operation.after_status(), "invalid", "{operation:#?}");
        }
    }

    #[test]
    fn a_state_that_vanishes_or_is_emptied_is_noted() {
        for (step, status) in
            [(Step::Delete(STATE.into()), "absent"), (Step::Truncate(STATE.into(), 0), "empty")]
        {
            let sandbox = fake_apply([step]);
            let before = states::state(3, &["a"]);
            sandbox.write(STATE, &before);
            let transcript = sandbox.tf(["apply"]).run();
            transcript.assert_status(0);
            let operation = sandbox.history().newest();
            assert!(operation.before == Some(before.into_bytes()));
            assert_eq!(operation.after_status(), status, "{operation:#?}");
        }
    }

    #[test]
    fn streams_and_surroundings_of_a_guarded_run_are_the_callers() {
        let part = [Step::EchoStdin, Step::stderr(vec![0, 255])];
        let sandbox = fake_apply(part);
        let running = sandbox.tf(["apply", "-var=x=1", ""]).stdin_left_open().start();
        let given = running.pipes().to_vec();
        let transcript = running.finish();
        let call = transcript.assert_status(0).only_call();
        let received: Vec<String> = call.streams.iter().map(|s| s.target.text()).collect();
        assert_eq!(received, given, "nobody stands between Terraform and its caller");
        assert_eq!(call.args(), ["apply", "-var=x=1", ""]);
        assert_eq!(call.cwd.to_os(), sandbox.project());
        assert_eq!(call.blocked, 0, "no signal is blocked");
        let transcript = sandbox.tf(["apply"]).stdin("a\nb").run();
        assert_eq!(transcript.stdout, b"a\nb");
        assert!(transcript.stderr.ends_with(&[0, 255]) || transcript.stderr.contains(&255));
    }

    #[test]
    fn nothing_of_ours_is_on_stdout() {
        let sandbox = fake_apply([Step::stdout("only this\n")]);
        let transcript = sandbox.tf(["apply"]).env("TF_SHIM_TALK", "1").run();
        assert_eq!(transcript.assert_status(0).stdout_text(), "only this\n");
    }

    #[test]
    fn one_command_through_nested_shims_is_one_record() {
        let sandbox = fake_apply([Step::write(STATE, states::state(1, &["a"]))]);
        let real = std::fs::canonicalize(sandbox.bin().join("terraform")).unwrap();
        sandbox.put_on_path("tofu", &sandbox.tf_program());
        sandbox.copy_tf(&sandbox.path("copy/terraform"));
        let wrapper = sandbox.path("wrapper/terraform");
        sandbox.write_script(
            &wrapper,
            &format!("exec {} \"$@\"", sandbox.path("copy/terraform").display()),
        );
        let path = std::env::join_paths([sandbox.path("wrapper"), sandbox.bin()]).unwrap();
        std::fs::remove_file(sandbox.bin().join("terraform")).unwrap();
        sandbox.put_on_path("terraform", &real);
        let transcript = sandbox.tf(["apply"]).env("PATH", path).run();
        transcript.assert_status(0);
        assert_eq!(transcript.calls().len(), 1, "{transcript}");
        assert_eq!(sandbox.history().only().verb(), "apply");
    }
}

mod unrecorded {
    use super::*;

    #[test]
    fn forms_that_change_nothing_are_forwarded_and_leave_no_trace() {
        let lines: &[&[&str]] = &[
            &["state", "rm", "-dry-run", "terraform_data.a"],
            &["state", "mv", "-dry-run", "terraform_data.a", "terraform_data.b"],
            &["apply", "-help"],
            &["apply", "--help"],
            &["apply", "-h"],
            &["destroy", "-auto-approve", "-help"],
            &["-help", "apply"],
            &["apply", "-auto-approve", "-version"],
            &["apply", "--", "-v"],
            &["-install-autocomplete", "apply"],
            &["plan"],
            &["state", "list"],
            &["state", "pull"],
            &["workspace", "show"],
            &["workspace", "select", "default"],
        ];
        for line in lines {
            let sandbox = Sandbox::new().with_fake(Scenario::new());
            sandbox.write(STATE, states::state(3, &["a"]));
            let transcript = sandbox.tf(line.iter().copied()).run();
            transcript.assert_status(0);
            assert!(!sandbox.store().exists(), "{transcript}");
            let call = transcript.only_call();
            assert_ne!(call.ppid, 0);
            assert!(transcript.stderr.is_empty(), "the shim says nothing: {transcript}");
        }
    }

    #[test]
    fn completion_runs_nothing_and_records_nothing() {
        let sandbox = Sandbox::new().with_fake(Scenario::new());
        let line = sandbox.tf(["apply", "-auto-approve"]).env("COMP_LINE", "terraform apply");
        line.run().assert_status(0);
        assert!(!sandbox.store().exists());
    }

    #[test]
    fn a_command_that_only_tf_cli_args_completes_is_guarded() {
        let sandbox = Sandbox::new().with_fake(Scenario::new());
        sandbox.write(STATE, states::state(3, &["a"]));
        let line = sandbox.tf::<_, &str>([]).env("TF_CLI_ARGS", "destroy -auto-approve");
        line.run().assert_status(0);
        assert_eq!(sandbox.history().newest().verb(), "destroy");
        let line = sandbox.tf(["apply"]).env("TF_CLI_ARGS_apply", "-help");
        line.run().assert_status(0);
        assert_eq!(sandbox.history().newest().verb(), "destroy", "help is no apply");
    }

    #[test]
    fn bypass_records_nothing() {
        let sandbox = Sandbox::new().with_fake(Scenario::new());
        sandbox.write(STATE, states::state(3, &["a"]));
        let transcript = sandbox.tf(["apply"]).env("TF_SHIM_BYPASS", "1").run();
        transcript.assert_status(0);
        assert_eq!(transcript.calls().len(), 1);
        assert!(!sandbox.store().exists());
    }

    #[test]
    fn init_workspace_and_force_unlock_leave_no_record_without_a_state() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        let lines: &[(&[&str], i32)] = &[
            (&["init"], 0),
            (&["workspace", "new", "w"], 0),
            (&["workspace", "select", "-or-create", "v"], 0),
            (&["workspace", "delete", "w"], 0),
            (&["force-unlock", "-force", "0cd20d8b-0160-3766-ed9d-5eb20ce8ac69"], 1),
        ];
        for (line, status) in lines {
            let transcript = sandbox.tf(line.iter().copied()).run();
            transcript.assert_status(*status);
            assert_unrecorded(&sandbox, &transcript);
        }
    }

    #[test]
    fn a_plain_init_over_a_state_is_recorded_and_changes_nothing() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        run_recorded(&sandbox, STATE, &["apply", "-auto-approve"], 0);
        let init = run_recorded(&sandbox, STATE, &["init"], 0);
        assert!(init.before == init.after);
    }

    /// Runs a line that Terraform is sure to refuse, with and without the shim, and fails unless both say
    /// the same and nothing is recorded.
    #[track_caller]
    fn assert_terraforms_own_refusal(
        sandbox: &Sandbox,
        args: &[&str],
        variables: &[(&str, &str)],
        says: &str,
    ) {
        let with = |mut line: shim_tests::Invocation<'_>| {
            for (name, value) in variables {
                line = line.env(*name, *value);
            }
            line.run()
        };
        let plain = with(sandbox.terraform(args.iter().copied()));
        let ours = with(sandbox.tf(args.iter().copied()));
        assert!(plain.stderr_text().contains(says), "{plain}");
        assert_eq!(ours.end, plain.end, "{ours}");
        assert_eq!(ours.stdout_text(), plain.stdout_text());
        assert_eq!(ours.stderr_text(), plain.stderr_text());
        assert_unrecorded(sandbox, &ours);
    }

    #[test]
    fn a_bad_chdir_is_terraforms_to_refuse() {
        let Some(sandbox) = real() else { return };
        let args = ["-chdir=nowhere", "apply", "-auto-approve"];
        assert_terraforms_own_refusal(&sandbox, &args, &[], "Error handling -chdir option");
        sandbox.write("file", "");
        let args = ["-chdir=file", "apply", "-auto-approve"];
        assert_terraforms_own_refusal(&sandbox, &args, &[], "Error handling -chdir option");
    }

    #[test]
    fn unparsable_tf_cli_args_are_terraforms_to_refuse() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        for name in ["TF_CLI_ARGS", "TF_CLI_ARGS_apply"] {
            let variables = [(name, "-var 'a=1")];
            let says = "invalid command line string";
            assert_terraforms_own_refusal(&sandbox, &["apply"], &variables, says);
        }
    }

    #[test]
    fn a_refused_workspace_name_is_terraforms_to_refuse() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resource("a", "1"));
        let variables = [("TF_WORKSPACE", "a/b")];
        let args = ["apply", "-auto-approve"];
        let says = "Invalid workspace name";
        assert_terraforms_own_refusal(&sandbox, &args, &variables, says);
    }

    #[test]
    fn another_workspace_where_the_backend_has_none_is_terraforms_to_refuse() {
        let Some(sandbox) = real() else { return };
        let backend = HttpBackend::start();
        sandbox.write("main.tf", backend.configuration() + &stage::resource("a", "1"));
        sandbox.terraform(["init"]).run().assert_status(0);
        let says = "workspaces not supported";
        assert_terraforms_own_refusal(&sandbox, &["workspace", "delete", "other"], &[], says);
        assert_terraforms_own_refusal(&sandbox, &["workspace", "delete", "a/b"], &[], says);
        let args = ["apply", "-auto-approve"];
        assert_terraforms_own_refusal(&sandbox, &args, &[("TF_WORKSPACE", "other")], says);
    }

    #[test]
    fn a_backend_that_is_not_initialised_is_terraforms_to_refuse() {
        let Some(sandbox) = real() else { return };
        let backend = HttpBackend::start();
        sandbox.write("main.tf", backend.configuration() + &stage::resource("a", "1"));
        let args = ["apply", "-auto-approve"];
        let says = "Backend initialization required";
        assert_terraforms_own_refusal(&sandbox, &args, &[], says);
        sandbox.terraform(["init"]).run().assert_status(0);
        let changed = backend.configuration().replace("retry_max      = 0", "retry_max = 1");
        sandbox.write("main.tf", changed + &stage::resource("a", "1"));
        assert_terraforms_own_refusal(&sandbox, &args, &[], says);
    }

    #[test]
    fn a_changed_backend_is_refused_by_a_plain_init() {
        let Some(sandbox) = real() else { return };
        let backend = HttpBackend::start();
        sandbox.write("main.tf", backend.configuration());
        sandbox.terraform(["init"]).run().assert_status(0);
        sandbox.write(
            "main.tf",
            backend.configuration().replace("retry_max      = 0", "retry_max = 1"),
        );
        assert_terraforms_own_refusal(&sandbox, &["init"], &[], "Backend configuration changed");
    }

    #[test]
    fn an_error_in_the_configuration_with_a_remote_backend_is_terraforms_to_tell() {
        let Some(sandbox) = real() else { return };
        let backend = HttpBackend::start();
        sandbox.write("main.tf", backend.configuration());
        sandbox.terraform(["init"]).run().assert_status(0);
        sandbox.write("broken.tf", "resource \"terraform_data\" {");
        let args = ["apply", "-auto-approve"];
        assert_terraforms_own_refusal(&sandbox, &args, &[], "on broken.tf line 1");
    }

    #[test]
    fn an_error_in_the_configuration_with_a_local_state_is_terraforms_to_tell() {
        let Some(sandbox) = real() else { return };
        sandbox.write("broken.tf", "resource \"terraform_data\" {");
        let plain = sandbox.terraform(["apply", "-auto-approve"]).run();
        let ours = sandbox.tf(["apply", "-auto-approve"]).run();
        assert_eq!(ours.end, plain.end);
        assert!(
            ours.stderr_text().ends_with(&plain.stderr_text())
                || ours.stderr_text().contains(&plain.stderr_text()),
            "{ours}"
        );
    }

    #[test]
    fn leading_flags_and_unknown_commands_are_terraforms_to_refuse() {
        let Some(sandbox) = real() else { return };
        let lines: &[&[&str]] =
            &[&["-no-color", "apply"], &["--", "apply"], &["appply"], &["state", "rmm"]];
        for args in lines {
            let plain = sandbox.terraform(args.iter().copied()).run();
            let ours = sandbox.tf(args.iter().copied()).run();
            assert_eq!(ours.end, plain.end, "{ours}");
            assert_eq!(ours.stdout_text(), plain.stdout_text());
            assert_eq!(ours.stderr_text(), plain.stderr_text());
            assert_unrecorded(&sandbox, &ours);
        }
    }
}

mod left_behind {
    use super::*;

    /// What a provisioner leaves running keeps its environment after the apply has ended.
    #[test]
    fn what_outlived_an_apply_is_guarded_like_any_other() {
        let sandbox = fake_apply([Step::write(STATE, states::state(1, &["a"]))]);
        sandbox.tf(["apply"]).run().assert_status(0);
        let call = sandbox.calls().pop().unwrap();
        let is_depth = |(name, _): &&(Bytes, Bytes)| name.0 == b"TF_SHIM_DEPTH";
        let depth = call.environment.iter().find(is_depth).unwrap().1.to_os();
        sandbox
            .play(Scenario::terraform().on(["apply"], [Step::write(STATE, states::state(2, &[]))]));
        sandbox.tf(["apply"]).env("TF_SHIM_DEPTH", depth).run().assert_status(0);
        let kinds: Vec<_> =
            sandbox.history().operations().into_iter().map(|one| one.kind).collect();
        assert_eq!(kinds, ["run", "run"]);
    }
}
