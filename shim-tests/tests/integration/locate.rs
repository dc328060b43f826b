//! Which state: every way to name one leads to the history of that state, and to no other.
//!
//! The rules are Terraform's (terraform-facts 1), so Terraform itself says where it wrote: a test compares
//! the history with the file that changed.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use shim_tests::backend::HttpBackend;
use shim_tests::{Invocation, Operation, Sandbox, Scenario, Step, stage, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";
/// The words of most tests.
const APPLY: [&str; 2] = ["apply", "-auto-approve"];

/// Returns a sandbox with a real Terraform and one resource.
fn real() -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resource("a", "1"));
    Some(sandbox)
}

/// Runs a command that writes the state file `name`, and fails unless it is recorded there, and only there,
/// with the bytes that were and are in the file.
#[track_caller]
fn assert_lands_in(sandbox: &Sandbox, name: impl AsRef<Path>, line: Invocation<'_>) -> Operation {
    let name = name.as_ref();
    let counts = || -> Vec<_> {
        sandbox.histories().iter().map(|h| (h.path(), h.operations().len())).collect()
    };
    let known: BTreeSet<_> = counts().into_iter().collect();
    let path = sandbox.project().join(name);
    let before = std::fs::read(&path).ok();
    let transcript = line.run();
    transcript.assert_status(0);
    let after = std::fs::read(&path).ok();
    assert!(after.is_some(), "Terraform wrote `{}`: {transcript}", path.display());
    let operation = sandbox.history_of(name).newest();
    assert!(operation.before == before, "{operation:?}");
    assert!(operation.after == after, "{operation:?}");
    let touched = counts().into_iter().filter(|history| !known.contains(history)).count();
    assert_eq!(touched, 1, "one history and no other: {transcript}");
    operation
}

mod local {
    use super::*;

    #[test]
    fn workspaces_have_histories_of_their_own() {
        let Some(sandbox) = real() else { return };
        assert_lands_in(&sandbox, STATE, sandbox.tf(APPLY));
        sandbox.tf(["workspace", "new", "w"]).run().assert_status(0);
        let of_w = "terraform.tfstate.d/w/terraform.tfstate";
        let run = assert_lands_in(&sandbox, of_w, sandbox.tf(APPLY));
        assert_eq!(run.before_status(), "absent");
        assert_eq!(sandbox.history_of(of_w).identity["workspace"], "w");
        let line = sandbox.tf(APPLY).env("TF_WORKSPACE", "default");
        assert_lands_in(&sandbox, STATE, line);
        let of_v = "terraform.tfstate.d/v/terraform.tfstate";
        assert_lands_in(&sandbox, of_v, sandbox.tf(APPLY).env("TF_WORKSPACE", "v"));
        assert_lands_in(&sandbox, of_w, sandbox.tf(APPLY).env("TF_WORKSPACE", ""));
        assert_eq!(sandbox.histories().len(), 3);
    }

    #[test]
    fn directories_have_histories_of_their_own() {
        let Some(sandbox) = real() else { return };
        for name in ["x", "y"] {
            sandbox.write(format!("{name}/main.tf"), stage::resource(name, "1"));
            let file = format!("{name}/{STATE}");
            assert_lands_in(&sandbox, file, sandbox.tf(APPLY).in_directory(name));
        }
        assert_eq!(sandbox.histories().len(), 2);
    }

    #[test]
    fn chdir_and_the_directory_itself_are_one_history() {
        let Some(sandbox) = real() else { return };
        sandbox.write("sub/main.tf", stage::resource("b", "1"));
        let name = "sub/terraform.tfstate";
        assert_lands_in(&sandbox, name, sandbox.tf(["-chdir=sub", "apply", "-auto-approve"]));
        assert_lands_in(&sandbox, name, sandbox.tf(APPLY).in_directory("sub"));
        assert_lands_in(
            &sandbox,
            name,
            sandbox.tf(["-chdir=./sub/../sub", "destroy", "-auto-approve"]),
        );
        symlink(sandbox.project().join("sub"), sandbox.project().join("link")).unwrap();
        assert_lands_in(&sandbox, name, sandbox.tf(["-chdir=link", "apply", "-auto-approve"]));
        let line =
            sandbox.tf(["-chdir=link", "apply", "-auto-approve", "-state=terraform.tfstate"]);
        assert_lands_in(&sandbox, name, line);
        assert_eq!(sandbox.histories().len(), 1);
    }

    #[test]
    fn the_data_directory_decides_workspace_and_backend() {
        let Some(sandbox) = real() else { return };
        sandbox.tf(["workspace", "new", "w"]).env("TF_DATA_DIR", "data").run().assert_status(0);
        let of_w = "terraform.tfstate.d/w/terraform.tfstate";
        assert_lands_in(&sandbox, of_w, sandbox.tf(APPLY).env("TF_DATA_DIR", "data"));
        assert_lands_in(&sandbox, STATE, sandbox.tf(APPLY));
        let absolute = sandbox.project().join("data").into_os_string();
        assert_lands_in(&sandbox, of_w, sandbox.tf(APPLY).env("TF_DATA_DIR", absolute));
    }

    #[test]
    fn a_local_backend_with_path_and_workspace_directory_is_followed() {
        let Some(sandbox) = real() else { return };
        let backend = "terraform {\n  backend \"local\" {\n    path = \"deep/here.tfstate\"\n    \
                       workspace_dir = \"spaces\"\n  }\n}\n";
        sandbox.write("backend.tf", backend);
        sandbox.tf(["init"]).run().assert_status(0);
        assert_lands_in(&sandbox, "deep/here.tfstate", sandbox.tf(APPLY));
        let line = sandbox.tf(APPLY).env("TF_WORKSPACE", "w");
        assert_lands_in(&sandbox, "spaces/w/terraform.tfstate", line);
        assert_lands_in(&sandbox, "deep/here.tfstate", sandbox.tf(["taint", "terraform_data.a"]));
    }

    #[test]
    fn state_flags_are_followed_whatever_the_workspace() {
        let Some(sandbox) = real() else { return };
        let line = sandbox.tf(["apply", "-auto-approve", "-state=x.tfstate"]);
        assert_lands_in(&sandbox, "x.tfstate", line);
        let line = sandbox.tf(["apply", "-auto-approve", "-state", "x.tfstate"]);
        assert_lands_in(&sandbox, "x.tfstate", line.env("TF_WORKSPACE", "w"));
        let line = sandbox.tf(["taint", "--state=x.tfstate", "terraform_data.a"]);
        assert_lands_in(&sandbox, "x.tfstate", line);
        let line =
            sandbox.tf(["apply", "-auto-approve", "-state=x.tfstate", "-state-out=y.tfstate"]);
        assert_lands_in(&sandbox, "y.tfstate", line);
        let line = sandbox.tf(["apply", "-auto-approve", "-state-out=z.tfstate"]);
        assert_lands_in(&sandbox, "z.tfstate", line);
        let line = sandbox.tf(["state", "rm", "-state=x.tfstate", "terraform_data.a"]);
        assert_lands_in(&sandbox, "x.tfstate", line);
        let line = sandbox.tf(["import", "-state=deep/er/n.tfstate", "terraform_data.a", "id"]);
        assert_lands_in(&sandbox, "deep/er/n.tfstate", line);
        let line = sandbox.tf(["refresh", "-state=x.tfstate", "-state=deep/er/n.tfstate"]);
        assert_lands_in(&sandbox, "deep/er/n.tfstate", line);
    }

    #[test]
    fn state_flags_in_tf_cli_args_are_followed() {
        let Some(sandbox) = real() else { return };
        let line = || sandbox.tf(APPLY);
        let general = || line().env("TF_CLI_ARGS", "-state=g.tfstate");
        assert_lands_in(&sandbox, "g.tfstate", general());
        let own = line().env("TF_CLI_ARGS_apply", "'-state=s p.tfstate'");
        assert_lands_in(&sandbox, "s p.tfstate", own);
        let both = general().env("TF_CLI_ARGS_apply", "-state=s.tfstate");
        assert_lands_in(&sandbox, "g.tfstate", both);
        let all = sandbox.tf(["apply", "-auto-approve", "-state=u.tfstate"]);
        assert_lands_in(&sandbox, "u.tfstate", all.env("TF_CLI_ARGS", "-state=g.tfstate"));
        let other = line().env("TF_CLI_ARGS_destroy", "-state=d.tfstate");
        assert_lands_in(&sandbox, STATE, other);
    }

    #[test]
    fn one_file_is_one_history_however_it_is_named() {
        let Some(sandbox) = real() else { return };
        let of_w = "terraform.tfstate.d/w/terraform.tfstate";
        sandbox.tf(["workspace", "new", "w"]).run().assert_status(0);
        assert_lands_in(&sandbox, of_w, sandbox.tf(APPLY));
        let absolute = format!("-state={}", sandbox.project().join(of_w).display());
        let detour = format!("-state=../project/{of_w}");
        for state in [format!("-state={of_w}"), format!("-state=./{of_w}"), absolute, detour] {
            let line = sandbox.tf(["apply", "-auto-approve", &state]);
            assert_lands_in(&sandbox, of_w, line);
            assert_eq!(sandbox.histories().len(), 1, "{state}");
        }
        sandbox.write("elsewhere/main.tf", stage::resource("a", "1"));
        let state = format!("-state=../{of_w}");
        let line = sandbox.tf(["apply", "-auto-approve", &state]).in_directory("elsewhere");
        assert_lands_in(&sandbox, of_w, line);
        assert_eq!(sandbox.histories().len(), 1, "from another directory");
    }

    #[test]
    fn a_symlinked_state_is_read_and_kept_under_its_own_name() {
        let Some(sandbox) = real() else { return };
        sandbox.write("vault/real.tfstate", states::state(3, &["a"]));
        symlink("vault/real.tfstate", sandbox.project().join(STATE)).unwrap();
        let run = assert_lands_in(&sandbox, STATE, sandbox.tf(APPLY));
        assert!(run.before == Some(states::state(3, &["a"]).into_bytes()));
        assert!(sandbox.project().join(STATE).is_symlink());
        let target = sandbox.project().join("vault/real.tfstate");
        let aliases = &sandbox.history().identity["aliases"];
        assert_eq!(aliases[0], *target.to_string_lossy(), "{aliases}");
    }

    #[test]
    fn a_move_to_another_state_is_one_operation_in_two_histories() {
        let Some(sandbox) = real() else { return };
        sandbox.write("main.tf", stage::resources(&["a", "b"]));
        assert_lands_in(&sandbox, STATE, sandbox.tf(APPLY));
        let from = sandbox.read(STATE);
        let words =
            ["state", "mv", "-state-out=other.tfstate", "terraform_data.a", "terraform_data.a"];
        sandbox.tf(words).run().assert_status(0);
        let source = sandbox.history_of(STATE).newest();
        let target = sandbox.history_of("other.tfstate").newest();
        assert_eq!(source.id, target.id, "one operation");
        assert!(source.before == Some(from));
        assert!(source.after == Some(sandbox.read(STATE)));
        assert_eq!(target.before_status(), "absent");
        assert!(target.after == Some(sandbox.read("other.tfstate")));
    }

    #[test]
    fn names_that_are_not_utf_8_are_kept_without_loss() {
        let Some(sandbox) = real() else { return };
        let odd = |text: &[u8]| OsString::from_vec(text.to_vec());
        let directory = odd(b"d\xff\xfeir");
        let main = Path::new(&directory).join("main.tf");
        sandbox.write(&main, stage::resource("a", "1"));
        let state = Path::new(&directory).join(STATE);
        assert_lands_in(&sandbox, &state, sandbox.tf(APPLY).in_directory(&directory));
        let flag = odd(b"-state=t\xff.tfstate");
        let line = sandbox.tf([OsStr::new("apply"), OsStr::new("-auto-approve"), &flag]);
        assert_lands_in(&sandbox, odd(b"t\xff.tfstate"), line);
        let name = odd(b"s\xc3\x28.tfstate");
        let words = [OsStr::new("apply"), OsStr::new("-auto-approve"), OsStr::new("-state"), &name];
        let run = assert_lands_in(&sandbox, &name, sandbox.tf(words));
        let argv = run.begin["argv"].as_array().unwrap();
        assert_eq!(shim_tests::history::odd_text(&argv[3]), b"s\xc3\x28.tfstate");
        let cwd = sandbox.history_of(&state).newest().begin["cwd"].clone();
        assert!(shim_tests::history::odd_text(&cwd).ends_with(b"d\xff\xfeir"));
        assert_eq!(sandbox.histories().len(), 3);
    }
}

mod plans {
    use super::*;

    #[test]
    fn a_saved_plan_lands_in_the_state_it_writes() {
        let Some(sandbox) = real() else { return };
        sandbox.tf(["plan", "-out=p"]).run().assert_status(0);
        assert_lands_in(&sandbox, STATE, sandbox.tf(["apply", "p"]));
        sandbox.write("main.tf", stage::resource("a", "2"));
        sandbox.tf(["plan", "-out=p", "-state=x.tfstate"]).run().assert_status(0);
        let line = sandbox.tf(["apply", "-state=x.tfstate", "p"]);
        assert_lands_in(&sandbox, "x.tfstate", line);
    }

    #[test]
    fn a_plan_of_another_workspace_lands_in_the_selected_one() {
        let Some(sandbox) = real() else { return };
        sandbox.tf(["plan", "-out=p"]).env("TF_WORKSPACE", "w").run().assert_status(0);
        assert_lands_in(&sandbox, STATE, sandbox.tf(["apply", "p"]));
    }

    #[test]
    fn a_plan_made_for_another_local_path_lands_there() {
        let Some(sandbox) = real() else { return };
        let backend =
            "terraform {\n  backend \"local\" {\n    path = \"far/away.tfstate\"\n  }\n}\n";
        sandbox.write("made/main.tf", backend.to_owned() + &stage::resource("a", "1"));
        sandbox.tf(["init"]).in_directory("made").run().assert_status(0);
        sandbox.tf(["plan", "-out=../p"]).in_directory("made").run().assert_status(0);
        sandbox.write("empty/.keep", "");
        let line = sandbox.tf(["apply", "../p"]).in_directory("empty");
        assert_lands_in(&sandbox, "empty/far/away.tfstate", line);
    }

    #[test]
    fn what_is_no_plan_is_terraforms_to_refuse() {
        let Some(sandbox) = real() else { return };
        sandbox.write("text", "not a plan");
        for name in ["text", "missing", "."] {
            let plain = sandbox.terraform(["apply", name]).run();
            let ours = sandbox.tf(["apply", name]).run();
            assert_eq!((ours.end, ours.stderr_text()), (plain.end, plain.stderr_text()));
        }
        assert!(sandbox.histories().is_empty());
    }
}

mod remote {
    use super::*;

    /// A project whose state is in a server of its own.
    fn remote() -> Option<(Sandbox, HttpBackend)> {
        let sandbox = real()?;
        let backend = HttpBackend::start();
        sandbox.write("backend.tf", backend.configuration());
        sandbox.tf(["init"]).run().assert_status(0);
        Some((sandbox, backend))
    }

    /// Returns the newest operation of the remote state.
    fn newest(sandbox: &Sandbox) -> Operation {
        let histories = sandbox.histories();
        let found = histories.iter().find(|history| history.identity["kind"] == "http");
        found.unwrap().newest()
    }

    #[test]
    fn a_remote_state_is_pulled_before_and_after() {
        let Some((sandbox, backend)) = remote() else { return };
        sandbox.tf(APPLY).run().assert_status(0);
        let first = newest(&sandbox);
        assert_eq!((first.before_status(), first.after_status()), ("absent", "ok"));
        assert!(first.after == backend.state(), "the very bytes the server holds");
        assert_eq!(first.end["after"]["source"], "pull");
        let held = backend.state();
        sandbox.write("main.tf", stage::resource("a", "2"));
        sandbox
            .tf(APPLY)
            .env("TF_CLI_ARGS", "-lock=false")
            .env("TF_LOG", "trace")
            .run()
            .assert_status(0);
        let second = newest(&sandbox);
        assert!(second.before == held && second.after == backend.state());
        assert_ne!(held, backend.state());
        assert!(!sandbox.has(STATE));
        assert_eq!(sandbox.histories().len(), 1);
        let address = sandbox.history().identity["attributes"]["address"].to_string();
        assert!(address.contains("127.0.0.1"), "{address}");
    }

    #[test]
    fn a_saved_plan_of_a_remote_state_lands_there() {
        let Some((sandbox, backend)) = remote() else { return };
        sandbox.tf(["plan", "-out=p"]).run().assert_status(0);
        sandbox.tf(["apply", "p"]).run().assert_status(0);
        assert!(newest(&sandbox).after == backend.state());
        assert!(backend.state().is_some());
    }

    #[test]
    fn a_plan_for_another_remote_state_is_never_recorded_as_ours() {
        let Some((sandbox, backend)) = remote() else { return };
        sandbox.tf(["plan", "-out=p"]).run().assert_status(0);
        sandbox.write("empty/.keep", "");
        let transcript = sandbox.tf(["apply", "../p"]).in_directory("empty").run();
        transcript.assert_status(125);
        assert!(backend.state().is_none(), "Terraform was not started");
        assert!(transcript.stderr_text().contains("another `http` backend"), "{transcript}");
        let excused = sandbox.tf(["apply", "../p"]).in_directory("empty");
        excused.env("TF_SHIM_ON_ERROR", "continue").run().assert_status(0);
        assert!(backend.state().is_some());
    }

    #[test]
    fn state_flags_beside_a_remote_state_mean_what_terraform_means() {
        let Some((sandbox, backend)) = remote() else { return };
        sandbox.tf(["apply", "-auto-approve", "-state=x.tfstate"]).run().assert_status(0);
        assert!(newest(&sandbox).after == backend.state(), "ignored by apply");
        sandbox.write("x.tfstate", states::state(3, &["a", "b"]));
        let known = backend.requests().len();
        let line = sandbox.tf(["state", "rm", "-state=x.tfstate", "terraform_data.b"]);
        line.run().assert_status(0);
        assert_eq!(backend.requests().len(), known, "the server is not asked");
        let operation = sandbox.history_of("x.tfstate").newest();
        assert!(operation.before == Some(states::state(3, &["a", "b"]).into_bytes()));
        assert!(operation.after == Some(sandbox.read("x.tfstate")));
    }

    #[test]
    fn two_remote_states_are_two_histories_and_two_clones_are_one() {
        let Some((sandbox, backend)) = remote() else { return };
        let other = HttpBackend::start();
        for (name, server) in [("clone", &backend), ("other", &other)] {
            sandbox.write(
                format!("{name}/main.tf"),
                server.configuration() + &stage::resource("a", "1"),
            );
            sandbox.tf(["init"]).in_directory(name).run().assert_status(0);
        }
        for name in [".", "clone", "other"] {
            sandbox.tf(APPLY).in_directory(name).run().assert_status(0);
        }
        let mut counts: Vec<usize> = sandbox.histories().iter().map(|h| h.runs().len()).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 2]);
    }

    #[test]
    fn a_remote_workspace_is_asked_for_by_name() {
        let pull = [Step::PrintState("remote.tfstate".into())];
        let scenario = Scenario::terraform().on(["state", "pull"], pull).otherwise([]);
        let sandbox = Sandbox::new().with_fake(scenario);
        sandbox.write("remote.tfstate", states::state(5, &["a"]));
        let record =
            r#"{"version":3,"backend":{"type":"s3","config":{"bucket":"b","key":"k"},"hash":1}}"#;
        sandbox.write(".terraform/terraform.tfstate", record);
        sandbox.write(".terraform/environment", "here");
        let transcript = sandbox.tf(["workspace", "delete", "-force", "there"]).run();
        transcript.assert_status(0);
        let pulls =
            transcript.calls().into_iter().filter(|call| call.line().ends_with("state pull"));
        let asked: Vec<_> = pulls.map(|call| call.variable("TF_WORKSPACE")).collect();
        assert_eq!(asked[0].as_deref(), Some("there"), "{transcript}");
        assert_eq!(sandbox.history().identity["workspace"], "there");
        sandbox.tf(["apply"]).run().assert_status(0);
        let names: Vec<_> =
            sandbox.histories().iter().map(|h| h.identity["workspace"].to_string()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}
