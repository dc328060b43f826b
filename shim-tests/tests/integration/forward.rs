//! Forwarding: what the shim does not guard reaches Terraform unchanged, and comes back unchanged.
//!
//! The contract is interface.md 1. What differs for a forwarded command, and all that differs:
//! `TF_SHIM_DEPTH`, closed descriptors 0 to 2, an ignored SIGPIPE.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use proptest::prelude::ProptestConfig;
use shim_tests::{Bytes, Call, End, Group, Sandbox, Scenario, Step, Transcript};

/// A part that answers every command with nothing, so that only the forwarding is seen.
fn quiet() -> Sandbox {
    Sandbox::new().with_fake(Scenario::new())
}

/// Returns an environment without what the shim may add.
fn without_depth(call: &Call) -> Vec<(Bytes, Bytes)> {
    let mut environment = call.environment.clone();
    environment.retain(|(name, _)| name.0 != b"TF_SHIM_DEPTH");
    environment.sort();
    environment
}

/// Fails unless the transcript is of a command that the shim itself ended with this status.
fn assert_ended_by_the_shim(transcript: &Transcript, statuses: &[i32]) {
    let status = transcript.status().unwrap_or(-1);
    assert!(statuses.contains(&status), "{transcript}");
    assert!(transcript.stderr_text().starts_with("tf shim: "), "{transcript}");
    assert!(transcript.stdout.is_empty(), "{transcript}");
    assert!(transcript.calls().is_empty(), "{transcript}");
}

mod arguments {
    use super::*;

    /// Forwards a command line and fails unless the fake received the same.
    fn assert_received(args: &[OsString]) {
        let sandbox = quiet();
        let transcript = sandbox.tf(args.iter().cloned()).run();
        transcript.assert_status(0);
        assert_eq!(transcript.only_call().args(), args, "{transcript}");
    }

    #[test]
    fn exotic_arguments_arrive_as_they_were_given() {
        let odd = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let lines: &[&[OsString]] = &[
            &["plan".into(), "".into()],
            &["".into(), "plan".into()],
            &["plan".into(), "--".into(), "-".into(), "---".into(), "-=".into()],
            &["plan".into(), "-var".into(), "a= b\tc\n".into()],
            &["plan".into(), odd(b"-var=a=\xff\xfe\x80"), odd(b"\xc3\x28")],
            &[odd(b"\xff"), "plan".into()],
            &["plan".into(), "'\"`$(false)\\".into(), "*".into(), "~".into(), "üñí".into()],
            &["plan".into(), "shim".into()],
            &["plan".into(), "apply".into(), "-destroy".into()],
            &["-chdir=.".into(), "plan".into()],
            &["--unknown".into(), "--unknown=shim".into()],
            &["apply-something-else".into()],
        ];
        for line in lines {
            assert_received(line);
        }
    }

    #[test]
    fn hundreds_of_arguments_arrive() {
        let many: Vec<OsString> = std::iter::once("plan".into())
            .chain((0..900).map(|n| format!("-var=v{n}={n}").into()))
            .collect();
        assert_received(&many);
    }

    #[test]
    fn an_argument_of_a_hundred_kilobytes_arrives() {
        assert_received(&["plan".into(), "x".repeat(100_000).into()]);
    }

    #[test]
    fn what_is_received_is_what_was_given() {
        let sandbox = quiet();
        let argument = proptest::collection::vec(1_u8.., 0..24);
        let lines = proptest::collection::vec(argument, 0..12);
        let config =
            ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
        proptest::test_runner::TestRunner::new(config)
            .run(&lines, |line| {
                let args: Vec<OsString> = std::iter::once(OsString::from("plan"))
                    .chain(line.into_iter().map(OsString::from_vec))
                    .collect();
                let transcript = sandbox.tf(args.clone()).run();
                proptest::prop_assert_eq!(transcript.status(), Some(0));
                proptest::prop_assert_eq!(transcript.only_call().args(), args);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn no_arguments_at_all_are_forwarded() {
        let sandbox = Sandbox::new().with_fake(Scenario::terraform());
        let transcript = sandbox.tf::<_, &str>([]).run();
        transcript.assert_status(127);
        assert_eq!(transcript.only_call().args(), [""; 0]);
    }
}

mod streams {
    use super::*;

    #[test]
    fn stdin_stdout_and_stderr_pass_byte_for_byte() {
        let scenario =
            Scenario::new().on(["console"], [Step::EchoStdin, Step::stderr(vec![0, 255, 10])]);
        let sandbox = Sandbox::new().with_fake(scenario);
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
        let transcript = sandbox.tf(["console"]).stdin(bytes.clone()).run();
        assert_eq!(transcript.assert_status(0).stdout, bytes);
        assert_eq!(transcript.stderr, [0, 255, 10]);
    }

    #[test]
    fn stdin_is_not_read_before_terraform_reads_it() {
        let scenario = Scenario::new().on(["console"], [Step::ReadLine]);
        let sandbox = Sandbox::new().with_fake(scenario);
        let running = sandbox.tf(["console"]).stdin("first\nsecond\n").start();
        assert_eq!(running.finish().read_by_fake(), b"first\n");
    }

    #[test]
    fn the_streams_are_the_very_same_files() {
        let sandbox = quiet();
        let running = sandbox.tf(["plan"]).stdin_left_open().start();
        let given = running.pipes().to_vec();
        let transcript = running.finish();
        let call = transcript.assert_status(0).only_call();
        let received: Vec<String> =
            call.streams.iter().map(|stream| stream.target.text()).collect();
        assert_eq!(received, given, "nobody stands between Terraform and its caller");
    }

    #[test]
    fn closed_streams_are_the_null_device() {
        for descriptor in 0..=2 {
            let sandbox = quiet();
            let transcript = sandbox.tf(["plan"]).with_closed(descriptor).run();
            let call = transcript.assert_status(0).only_call();
            let target = call.streams[usize::from(descriptor)].target.text();
            assert_eq!(target, "/dev/null", "descriptor {descriptor}\n{transcript}");
        }
    }

    #[test]
    fn a_terminal_stays_a_terminal_and_ctrl_c_is_one_signal() {
        let part = [
            Step::catch([Signal::SIGINT]),
            Step::stdout("ready\n"),
            Step::AwaitSignals(1),
            Step::Exit(1),
        ];
        let sandbox = Sandbox::new().with_fake(Scenario::new().on(["plan"], part));
        let mut running = sandbox.tf(["plan"]).on_terminal().start();
        running.wait_for_text("ready");
        running.type_text("\x03");
        let transcript = running.finish();
        transcript.assert_status(1);
        assert_eq!(transcript.caught(), [Signal::SIGINT]);
        let call = transcript.only_call();
        assert!(call.streams.iter().all(|stream| stream.is_terminal));
        assert_eq!((call.sid, call.pgid), (call.pid, call.pid), "same session, same group");
        assert_eq!(transcript.screen.as_deref(), Some(&b"ready\n^C"[..]), "nothing of ours");
    }

    #[test]
    fn the_shim_says_nothing() {
        let sandbox = Sandbox::new().with_fake(
            Scenario::new().on(["plan"], [Step::stdout("out\n"), Step::stderr("err\n")]),
        );
        let transcript = sandbox.tf(["plan"]).env("TF_SHIM_TALK", "1").run();
        insta::assert_snapshot!(transcript, @r"
        $ tf plan
        stdout:
          out
        stderr:
          err
        status: 0
        calls:
          [PROJECT]$ terraform plan
        ");
    }
}

mod end {
    use super::*;

    #[test]
    fn every_exit_status_is_handed_back() {
        let sandbox = quiet();
        for status in 0..=255_u8 {
            sandbox.play(Scenario::new().on(["plan"], [Step::Exit(status)]));
            sandbox.tf(["plan"]).run().assert_status(i32::from(status));
        }
    }

    #[test]
    fn death_by_each_signal_is_handed_back() {
        let harmless = [
            Signal::SIGCHLD,
            Signal::SIGCONT,
            Signal::SIGSTOP,
            Signal::SIGTSTP,
            Signal::SIGTTIN,
            Signal::SIGTTOU,
            Signal::SIGURG,
            Signal::SIGWINCH,
        ];
        let sandbox = quiet();
        for signal in Signal::iterator().filter(|signal| !harmless.contains(signal)) {
            sandbox.play(Scenario::new().on(["plan"], [Step::die(signal)]));
            let transcript = sandbox.tf(["plan"]).run();
            assert_eq!(transcript.end, End::by(signal), "{transcript}");
        }
    }

    #[test]
    fn terraform_is_the_same_process_in_the_same_group_and_session() {
        let sandbox = quiet();
        let running = sandbox.tf(["plan"]).start();
        let pid = i32::try_from(running.pid()).unwrap();
        let transcript = running.finish();
        let call = transcript.only_call();
        assert_eq!((call.pid, call.pgid), (pid, pid));
        assert_eq!(call.ppid, i32::try_from(std::process::id()).unwrap());
    }

    #[test]
    fn a_signal_to_the_process_arrives_once() {
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1] {
            let part = [Step::catch([signal]), Step::touch("ready"), Step::AwaitSignals(1)];
            let sandbox = Sandbox::new().with_fake(Scenario::new().on(["plan"], part));
            let running = sandbox.tf(["plan"]).start();
            running.wait_for_file("ready");
            running.signal(signal);
            assert_eq!(running.finish().assert_status(0).caught(), [signal]);
        }
    }

    #[test]
    fn a_signal_to_the_group_arrives_once() {
        let part = [Step::catch([Signal::SIGINT]), Step::touch("ready"), Step::AwaitSignals(1)];
        let sandbox = Sandbox::new().with_fake(Scenario::new().on(["plan"], part));
        let running = sandbox.tf(["plan"]).in_group(Group::Own).start();
        running.wait_for_file("ready");
        running.signal_group(Signal::SIGINT);
        assert_eq!(running.finish().assert_status(0).caught(), [Signal::SIGINT]);
    }
}

mod surroundings {
    use super::*;

    #[test]
    fn blocked_signals_stay_blocked() {
        let sandbox = quiet();
        let line = sandbox.tf(["plan"]).with_blocked(Signal::SIGUSR1).with_blocked(Signal::SIGINT);
        let transcript = line.run();
        let call = transcript.assert_status(0).only_call();
        let expected = 1 << (Signal::SIGUSR1 as i32 - 1) | 1 << (Signal::SIGINT as i32 - 1);
        assert_eq!(call.blocked, expected, "{:#x}", call.blocked);
    }

    #[test]
    fn ignored_signals_stay_ignored() {
        let sandbox = quiet();
        let transcript =
            sandbox.tf(["plan"]).with_ignored(Signal::SIGHUP).with_ignored(Signal::SIGINT).run();
        let call = transcript.assert_status(0).only_call();
        assert!(call.has_ignored(Signal::SIGHUP) && call.has_ignored(Signal::SIGINT));
        assert!(!call.has_ignored(Signal::SIGTERM));
    }

    #[test]
    fn nothing_is_blocked_or_ignored_that_was_not() {
        // The fake cannot say whether SIGPIPE was ignored, but `cat` can: nothing runs before its main.
        let sandbox = quiet();
        let pipe = 1 << (Signal::SIGPIPE as i32 - 1);
        let masks = |transcript: &Transcript| {
            let status = transcript.assert_status(0).stdout_text();
            ["SigBlk:", "SigIgn:"].map(|name| {
                let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
                u64::from_str_radix(line.trim(), 16).unwrap()
            })
        };
        for ignored in [Signal::SIGPIPE, Signal::SIGUSR2] {
            let line = ["/proc/self/status"];
            let direct = sandbox.program(Path::new("/bin/cat"), line).with_ignored(ignored).run();
            let shimmed =
                sandbox.tf(line).env("TF_SHIM_REAL", "/bin/cat").with_ignored(ignored).run();
            let [blocked, kept] = masks(&direct);
            assert_eq!(masks(&shimmed), [blocked, kept & !pipe], "SIGPIPE is back to its default");
        }
    }

    #[test]
    fn the_directory_is_the_same_also_with_chdir() {
        let sandbox = quiet();
        sandbox.write("deep/er/main.tf", "");
        let transcript = sandbox.tf(["-chdir=er", "plan"]).in_directory("deep").run();
        let call = transcript.assert_status(0).only_call();
        assert_eq!(call.cwd.to_os(), sandbox.project().join("deep").into_os_string());
        assert_eq!(call.args(), ["-chdir=er", "plan"]);
    }

    #[test]
    fn the_environment_is_the_same_but_for_the_depth() {
        let sandbox = quiet();
        let prepare = |invocation: shim_tests::Invocation<'_>| {
            invocation
                .env("TF_VAR_x", "1")
                .env("TF_LOG", "")
                .env("TF_CLI_ARGS_plan", "-no-color")
                .env("EMPTY", "")
                .env("ODD", OsStr::from_bytes(b"\xff\xfe=\n"))
                .env(OsStr::from_bytes(b"N\xffAME"), "x")
                .run()
        };
        let direct = prepare(sandbox.terraform(["plan"]));
        let shimmed = prepare(sandbox.tf(["plan"]));
        assert_eq!(without_depth(shimmed.only_call()), without_depth(direct.only_call()));
        assert_eq!(direct.only_call().variable("TF_SHIM_DEPTH"), None);
        assert!(shimmed.only_call().variable("TF_SHIM_DEPTH").is_some());
    }

    #[test]
    fn no_file_is_made() {
        let sandbox = quiet();
        sandbox.tf(["plan"]).run().assert_status(0);
        for directory in [sandbox.home(), sandbox.project(), sandbox.path("tmp")] {
            let left = std::fs::read_dir(&directory).unwrap().count();
            assert_eq!(left, 0, "`{}` has something new", directory.display());
        }
    }
}

mod names {
    use super::*;

    /// Puts two fakes on `PATH` that say who they are.
    fn both() -> Sandbox {
        let sandbox = quiet();
        for name in ["terraform", "tofu"] {
            std::fs::remove_file(sandbox.bin().join(name)).unwrap_or_default();
            sandbox.write_script(&sandbox.bin().join(name), &format!("echo {name}"));
        }
        sandbox
    }

    #[test]
    fn the_name_says_which_program_is_meant() {
        for (name, real) in [
            ("terraform", "terraform"),
            ("tofu", "tofu"),
            ("other", "terraform"),
            ("tf", "terraform"),
        ] {
            let sandbox = both();
            let sandbox = if name == "tf" { sandbox } else { sandbox.called_as(name) };
            let transcript = sandbox.tf(["plan"]).run();
            assert_eq!(transcript.assert_status(0).stdout_text(), format!("{real}\n"), "as {name}");
        }
    }

    #[test]
    fn tf_takes_tofu_where_there_is_no_terraform() {
        let sandbox = both();
        std::fs::remove_file(sandbox.bin().join("terraform")).unwrap();
        assert_eq!(sandbox.tf(["plan"]).run().assert_status(0).stdout_text(), "tofu\n");
    }

    #[test]
    fn a_program_called_by_its_name_takes_no_other() {
        for (name, other) in [("terraform", "tofu"), ("tofu", "terraform")] {
            let sandbox = both().called_as(name);
            std::fs::remove_file(sandbox.bin().join(name)).unwrap();
            let transcript = sandbox.tf(["plan"]).run();
            assert!(!transcript.stdout_text().contains(other), "{transcript}");
            assert_ended_by_the_shim(&transcript, &[127]);
        }
    }

    #[test]
    fn the_real_binary_can_be_named() {
        let sandbox = both();
        let elsewhere = sandbox.path("elsewhere/terraform-1.2.3");
        sandbox.write_script(&elsewhere, "echo elsewhere");
        let transcript = sandbox.tf(["plan"]).env("TF_SHIM_REAL", elsewhere.into_os_string()).run();
        assert_eq!(transcript.assert_status(0).stdout_text(), "elsewhere\n");
    }

    #[test]
    fn a_named_binary_that_is_not_there_is_127_and_not_replaced() {
        let sandbox = quiet();
        let missing = sandbox.path("missing").into_os_string();
        let transcript = sandbox.tf(["plan"]).env("TF_SHIM_REAL", missing).run();
        assert_ended_by_the_shim(&transcript, &[127]);
        assert!(transcript.stderr_text().contains("missing"), "{transcript}");
    }

    #[test]
    fn a_named_binary_that_is_not_absolute_is_never_run() {
        let sandbox = quiet();
        sandbox.write_script(&sandbox.project().join("terraform"), "echo caught");
        for name in ["terraform", "./terraform"] {
            let transcript = sandbox.tf(["plan"]).env("TF_SHIM_REAL", name).run();
            assert_ended_by_the_shim(&transcript, &[125, 126, 127]);
        }
    }

    #[test]
    fn a_binary_that_is_not_executable_is_126() {
        let sandbox = quiet();
        let file = sandbox.path("elsewhere/terraform");
        sandbox.write_at(&file, "#!/bin/sh\n");
        let transcript = sandbox.tf(["plan"]).env("TF_SHIM_REAL", file.into_os_string()).run();
        assert_ended_by_the_shim(&transcript, &[126]);
    }

    #[test]
    fn no_terraform_at_all_is_127() {
        let sandbox = Sandbox::new();
        assert_ended_by_the_shim(&sandbox.tf(["plan"]).run(), &[127]);
        assert_ended_by_the_shim(&sandbox.tf(["plan"]).env_remove("PATH").run(), &[127]);
        assert_ended_by_the_shim(&sandbox.tf(["plan"]).env("PATH", "").run(), &[127]);
    }

    #[test]
    fn empty_and_relative_entries_of_path_never_run_what_lies_here() {
        let sandbox = quiet();
        for directory in ["", "sub"] {
            let file = sandbox.project().join(directory).join("terraform");
            sandbox.write_script(&file, "echo caught");
        }
        let bin = sandbox.bin();
        for start in ["", ".", "sub", "./sub", ":", "sub:."] {
            let alone = sandbox.tf(["plan"]).env("PATH", start).run();
            assert_ended_by_the_shim(&alone, &[127]);
            let path = format!("{start}:{}", bin.display());
            let transcript = sandbox.tf(["plan"]).env("PATH", path).run();
            assert!(transcript.assert_status(0).stdout.is_empty(), "{transcript}");
            assert_eq!(transcript.calls().len(), 1);
        }
    }

    #[test]
    fn what_is_no_program_on_path_is_passed_over() {
        let sandbox = quiet();
        std::fs::create_dir_all(sandbox.path("one/terraform")).unwrap();
        sandbox.write_at(&sandbox.path("two/terraform"), "not executable");
        std::fs::create_dir(sandbox.path("three")).unwrap();
        std::os::unix::fs::symlink("/nowhere", sandbox.path("three/terraform")).unwrap();
        let directories = ["one", "two", "three", "missing", "bin"].map(|name| sandbox.path(name));
        let path = std::env::join_paths(directories).unwrap();
        let transcript = sandbox.tf(["plan"]).env("PATH", path).run();
        assert_eq!(transcript.assert_status(0).calls().len(), 1);
    }
}

mod recursion {
    use super::*;

    /// Returns a sandbox whose `PATH` is these directories below its root.
    fn with_path(sandbox: Sandbox, directories: &[&str]) -> Sandbox {
        let path = std::env::join_paths(directories.iter().map(|name| sandbox.path(name))).unwrap();
        sandbox.with_variable("PATH", path)
    }

    /// Makes `us/terraform` ourselves in one of the ways there are, and returns the program to call.
    fn disguise(sandbox: &Sandbox, how: &str) -> PathBuf {
        let program = sandbox.path("us/tf");
        sandbox.copy_tf(&program);
        let other = sandbox.path("us/terraform");
        match how {
            "symlink" => std::os::unix::fs::symlink(&program, &other).unwrap(),
            "relative symlink" => std::os::unix::fs::symlink("tf", &other).unwrap(),
            "hard link" => std::fs::hard_link(&program, &other).unwrap(),
            _ => sandbox.copy_tf(&other),
        }
        program
    }

    #[test]
    fn we_never_take_ourselves_for_terraform() {
        for how in ["symlink", "relative symlink", "hard link", "copy"] {
            let sandbox = with_path(quiet(), &["us", "bin"]);
            let program = disguise(&sandbox, how);
            for program in [program, sandbox.path("us/terraform")] {
                let transcript = sandbox.program(&program, ["plan"]).run();
                assert_eq!(transcript.assert_status(0).calls().len(), 1, "{how}\n{transcript}");
            }
        }
    }

    #[test]
    fn alone_on_path_we_find_nothing() {
        for how in ["symlink", "relative symlink", "hard link", "copy"] {
            let sandbox = with_path(quiet(), &["us"]);
            let program = disguise(&sandbox, how);
            let transcript = sandbox.program(&program, ["plan"]).run();
            assert_ended_by_the_shim(&transcript, &[127]);
        }
    }

    #[test]
    fn naming_ourselves_as_the_real_binary_is_an_error() {
        let sandbox = quiet();
        let us = sandbox.tf_program().into_os_string();
        let transcript = sandbox.tf(["plan"]).env("TF_SHIM_REAL", us).run();
        assert_ended_by_the_shim(&transcript, &[125, 126, 127]);
    }

    /// Fails unless the error says which programs were looked at.
    fn assert_names_candidates(sandbox: &Sandbox, transcript: &Transcript, candidates: &[&Path]) {
        assert_ended_by_the_shim(transcript, &[125, 126, 127]);
        for candidate in candidates {
            let shown = sandbox.names().apply(&candidate.to_string_lossy());
            assert!(
                transcript.to_string().contains(&shown),
                "`{shown}` is not named\n{transcript}"
            );
        }
    }

    #[test]
    fn a_wrapper_script_that_calls_us_again_ends_with_an_error_that_names_the_candidates() {
        let sandbox = with_path(quiet(), &["wrapped"]);
        let script = sandbox.path("wrapped/terraform");
        sandbox.write_script(&script, &format!("exec {} \"$@\"", sandbox.tf_program().display()));
        let transcript = sandbox.tf(["plan"]).run();
        assert_names_candidates(&sandbox, &transcript, &[&script]);
    }

    #[test]
    fn two_copies_that_call_each_other_end_with_an_error_that_names_the_candidates() {
        let sandbox = with_path(quiet(), &["one", "two"]);
        let copies = [sandbox.path("one/terraform"), sandbox.path("two/terraform")];
        for copy in &copies {
            sandbox.copy_tf(copy);
        }
        let transcript = sandbox.tf(["plan"]).run();
        assert_names_candidates(&sandbox, &transcript, &[&copies[0], &copies[1]]);
    }

    #[test]
    fn a_provisioner_may_call_us_again() {
        let sandbox = quiet();
        let again = Step::Run(
            Some(sandbox.tf_program()),
            vec!["output".into()],
            shim_tests::scenario::Wait::ForEnd,
        );
        sandbox.play(Scenario::new().on(["plan"], [again]).on(["output"], [Step::stdout("42\n")]));
        let transcript = sandbox.tf(["plan"]).run();
        assert_eq!(transcript.assert_status(0).stdout_text(), "42\n");
        assert_eq!(transcript.calls().len(), 2);
    }
}

mod routes {
    use super::*;

    /// Forwards a command line and fails unless the fake, and nobody else, dealt with it.
    fn assert_forwarded(sandbox: &Sandbox, invocation: shim_tests::Invocation<'_>) {
        let running = invocation.start();
        let pid = i32::try_from(running.pid()).unwrap();
        let transcript = running.finish();
        transcript.assert_status(0);
        assert_eq!(transcript.only_call().pid, pid, "handed over\n{transcript}");
        assert!(transcript.stderr.is_empty(), "{transcript}");
        assert!(!sandbox.store().exists(), "a forwarded command leaves no trace\n{transcript}");
    }

    #[test]
    fn commands_that_only_read_are_handed_over() {
        let sandbox = quiet();
        for line in [
            "plan",
            "show",
            "output",
            "validate",
            "fmt",
            "graph",
            "console",
            "providers",
            "version",
            "get",
            "login",
            "logout",
            "test",
            "modules",
            "metadata functions",
            "state list",
            "state show x",
            "state pull",
            "workspace list",
            "workspace show",
            "workspace select x",
            "providers lock",
            "providers schema -json",
            "unknown",
            "state",
            "workspace",
        ] {
            assert_forwarded(&sandbox, sandbox.tf(line.split(' ')));
        }
    }

    #[test]
    fn help_and_version_anywhere_are_handed_over() {
        let sandbox = quiet();
        for line in [
            "-help",
            "--help",
            "-h",
            "-version",
            "--version",
            "-v",
            "apply -help",
            "apply --help",
            "apply -h",
            "apply -auto-approve -h",
            "destroy -target -help",
            "apply -version",
            "apply --version",
            "apply -auto-approve -v",
            "apply -- -v",
            "state rm -help",
            "init -h",
            "-help apply",
            "-chdir=. destroy -help",
            "import -h a b",
            "apply -install-autocomplete",
            "-uninstall-autocomplete apply",
        ] {
            assert_forwarded(&sandbox, sandbox.tf(line.split(' ')));
        }
    }

    #[test]
    fn help_and_version_out_of_the_environment_are_handed_over() {
        let sandbox = quiet();
        for (name, value) in [
            ("TF_CLI_ARGS", "-help"),
            ("TF_CLI_ARGS", "-no-color -version"),
            ("TF_CLI_ARGS_apply", "'-h'"),
            ("TF_CLI_ARGS_apply", "\"-v\""),
        ] {
            assert_forwarded(&sandbox, sandbox.tf(["apply", "-auto-approve"]).env(name, value));
        }
    }

    #[test]
    fn completion_is_handed_over() {
        let sandbox = quiet();
        let complete = |line: &str| sandbox.tf(["apply", "-auto-approve"]).env("COMP_LINE", line);
        assert_forwarded(&sandbox, complete("terraform app"));
    }

    #[test]
    fn a_bypass_hands_over_everything() {
        let sandbox = quiet();
        for line in ["apply -auto-approve", "destroy", "state rm x", "init", "shim list", "shim"] {
            let invocation = sandbox.tf(line.split(' ')).env("TF_SHIM_BYPASS", "1");
            assert_forwarded(&sandbox, invocation);
        }
    }

    #[test]
    fn dry_runs_are_handed_over() {
        let sandbox = quiet();
        for line in ["state mv -dry-run a b", "state rm -dry-run a"] {
            assert_forwarded(&sandbox, sandbox.tf(line.split(' ')));
        }
    }

    #[test]
    fn an_error_in_the_words_is_terraforms_own() {
        let sandbox = Sandbox::new().with_fake(Scenario::terraform());
        let transcript = sandbox.tf(["aply", "-auto-approve"]).run();
        insta::assert_snapshot!(transcript, @r"
        $ tf aply -auto-approve
        stderr:
          Terraform has no command named that.
        status: 1
        calls:
          [PROJECT]$ terraform aply -auto-approve
        ");
    }
}

mod poisoned {
    use super::*;

    /// Fails unless a plan is forwarded as if nothing were wrong.
    fn assert_still_plans(invocation: shim_tests::Invocation<'_>) {
        let transcript = invocation.run();
        transcript.assert_status(0);
        assert_eq!(transcript.stdout_text(), "planned\n", "{transcript}");
        assert!(transcript.stderr.is_empty(), "{transcript}");
        assert_eq!(transcript.only_call().args(), ["plan"]);
    }

    /// A sandbox whose Terraform plans.
    fn planner() -> Sandbox {
        Sandbox::new().with_fake(Scenario::new().on(["plan"], [Step::stdout("planned\n")]))
    }

    #[test]
    fn nonsense_in_every_variable_that_is_not_hot_does_not_matter() {
        let sandbox = planner();
        for name in [
            "TF_SHIM_STORE",
            "TF_SHIM_ON_ERROR",
            "TF_SHIM_ALLOW",
            "TF_SHIM_READ_ONLY",
            "TF_SHIM_QUIET",
            "TF_SHIM_TALK",
            "TF_SHIM_UNKNOWN",
            "XDG_STATE_HOME",
            "XDG_CONFIG_HOME",
        ] {
            for value in
                [&b""[..], b"nonsense", b"\xff\xfe", b"/nowhere/\n", b"-1", b"stop,continue"]
            {
                assert_still_plans(sandbox.tf(["plan"]).env(name, OsStr::from_bytes(value)));
            }
        }
    }

    #[test]
    fn no_home_does_not_matter() {
        let sandbox = planner();
        assert_still_plans(sandbox.tf(["plan"]).env_remove("HOME"));
        assert_still_plans(sandbox.tf(["plan"]).env("HOME", ""));
        assert_still_plans(sandbox.tf(["plan"]).env("HOME", "/nowhere"));
    }

    #[test]
    fn a_store_that_is_no_store_does_not_matter() {
        // A file instead of a directory is unreadable for root as well, unlike a mode of 000.
        let sandbox = planner();
        sandbox.write_at(&sandbox.store(), "not a directory");
        assert_still_plans(sandbox.tf(["plan"]));
        let sandbox = planner();
        sandbox.write_at(&sandbox.store().join("FORMAT"), "nonsense");
        std::os::unix::fs::symlink("lock", sandbox.store().join("lock")).unwrap();
        assert_still_plans(sandbox.tf(["plan"]));
    }

    #[test]
    fn broken_configuration_does_not_matter() {
        let sandbox = planner();
        sandbox.write_at(&sandbox.config(), "store = [nonsense\n\0");
        sandbox.write(".tf-shim.toml", b"[guard\nread_only = \xff\n");
        sandbox.write(".tf-shim.passport.json", "{");
        assert_still_plans(sandbox.tf(["plan"]));
        let sandbox = planner();
        std::fs::create_dir_all(sandbox.config()).unwrap();
        std::fs::create_dir_all(sandbox.project().join(".tf-shim.toml")).unwrap();
        assert_still_plans(sandbox.tf(["plan"]));
    }

    #[test]
    fn a_pipe_in_place_of_a_file_is_not_opened() {
        // Whoever opened it for reading would wait for ever.
        let sandbox = planner();
        let mode = nix::sys::stat::Mode::S_IRWXU;
        std::fs::create_dir_all(sandbox.config().parent().unwrap()).unwrap();
        for name in [".tf-shim.toml", ".tf-shim.passport.json", "terraform.tfstate"] {
            nix::unistd::mkfifo(&sandbox.project().join(name), mode).unwrap();
        }
        nix::unistd::mkfifo(&sandbox.config(), mode).unwrap();
        assert_still_plans(sandbox.tf(["plan"]));
    }

    #[test]
    fn a_directory_that_is_gone_does_not_matter() {
        let sandbox = planner();
        let script = format!(
            "mkdir gone && cd gone && rmdir ../gone && exec {} plan",
            sandbox.path("names/tf").display()
        );
        let path = format!("{}:/usr/bin:/bin", sandbox.bin().display());
        let transcript =
            sandbox.program(Path::new("/bin/sh"), ["-c", &script]).env("PATH", path).run();
        assert_eq!(transcript.assert_status(0).stdout_text(), "planned\n");
    }
}
