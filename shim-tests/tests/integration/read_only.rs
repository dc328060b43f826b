//! Read-only: nothing reaches Terraform but what is known to only read, whoever asks for it and however.
//!
//! The contract is interface.md 3. Most of it is shown with the fake, which writes down every call: where it
//! was not called, nothing ran.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;
use shim_tests::shim::{document, operations, shim, tree};
use shim_tests::{Sandbox, Scenario, Transcript, stage, states};

/// Turns it on.
const READ_ONLY: &str = "TF_SHIM_READ_ONLY";
/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// A sandbox that is read-only, with a state, and a fake that does nothing and ends with 0.
fn fake() -> Sandbox {
    let sandbox = Sandbox::new().with_fake(Scenario::new()).with_variable(READ_ONLY, "1");
    sandbox.write(STATE, states::state(3, &["a", "b"]));
    sandbox
}

/// Fails unless a command was refused by this guard, for people and for programs, and nothing ran.
#[track_caller]
fn assert_refused(transcript: &Transcript, status: i32) {
    transcript.assert_status(status);
    assert!(transcript.calls().is_empty(), "nothing runs: {transcript}");
    let said = transcript.stderr_text();
    let (text, line) = said.trim_end().rsplit_once('\n').unwrap();
    assert!(text.starts_with("tf shim: ") && text.contains("was refused: read-only"), "{said}");
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["tf_shim"], &line["guard"]), (&"refused".into(), &"read-only".into()));
    for way_round in ["TF_SHIM_", "BYPASS", "unset", "config.toml", "accept"] {
        assert!(!said.contains(way_round), "no way round is named: {said}");
    }
}

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

#[test]
fn what_is_known_to_read_runs_as_ever() {
    let sandbox = fake();
    for line in [
        "plan",
        "plan -destroy -out=p",
        "show",
        "output -json",
        "validate",
        "fmt",
        "graph",
        "console",
        "providers",
        "providers schema -json",
        "state list",
        "state ls",
        "state show a",
        "state pull",
        "version",
        "-version",
        "workspace list",
        "workspace show",
        "workspace select x",
        "env list",
        "get",
        "init",
        "init -upgrade -input=false",
        "",
        "-help",
        "apply -help",
        "destroy -v",
    ] {
        let transcript = sandbox.tf(words(line)).run();
        transcript.assert_status(0);
        assert_eq!(transcript.calls().len(), 1, "{transcript}");
        assert!(transcript.stderr.is_empty(), "{transcript}");
    }
    let transcript = sandbox.tf(words("apply")).env("COMP_LINE", "terraform ap").run();
    assert_eq!(transcript.calls().len(), 1, "a completion is an answer: {transcript}");
}

#[test]
fn everything_else_is_refused() {
    let sandbox = fake();
    for line in [
        "apply",
        "apply -auto-approve",
        "destroy",
        "import a b",
        "refresh",
        "taint a",
        "untaint a",
        "state mv a b",
        "state rm a",
        "state rm -dry-run a",
        "state push f",
        "state migrate",
        "state replace-provider a b",
        "workspace new x",
        "workspace delete x",
        "env new x",
        "workspace select -or-create x",
        "workspace select --or-create=true x",
        "force-unlock x",
        "init -migrate-state",
        "init --force-copy",
        "init -reconfigure=1",
        "test",
        "login",
        "logout",
        "providers lock",
        "providers mirror d",
        "push",
        "query",
        "stacks",
        "foo",
        "Plan",
        "help",
        "-install-autocomplete",
        "plan --uninstall-autocomplete",
        "-chdir=. destroy",
        "-no-color apply",
        "metadata functions",
        "state foo",
    ] {
        let transcript = sandbox.tf(words(line)).run();
        assert_refused(&transcript, 125);
        assert!(transcript.stdout.is_empty(), "{transcript}");
    }
}

#[test]
fn words_that_smuggle_a_command_in_are_refused() {
    let sandbox = fake();
    for (variable, value, line) in [
        ("TF_CLI_ARGS", "destroy -auto-approve", ""),
        ("TF_CLI_ARGS", "apply", "-no-color"),
        ("TF_CLI_ARGS", "rm a.b", "state"),
        ("TF_CLI_ARGS_state", "push f", "state"),
        ("TF_CLI_ARGS_", "apply", ""),
        ("TF_CLI_ARGS", "-migrate-state", "init"),
        ("TF_CLI_ARGS_init", "--reconfigure=true", "init"),
        ("TF_CLI_ARGS_workspace_select", "-or-create", "workspace select x"),
        ("TF_CLI_ARGS", "-install-autocomplete", "plan"),
        ("TF_CLI_ARGS", "delete x", "workspace"),
        ("TF_CLI_ARGS", "lock", "providers"),
        ("TF_CLI_ARGS", "\"", "plan"),
    ] {
        assert_refused(&sandbox.tf(words(line)).env(variable, value).run(), 125);
    }
    let odd: &[&[&[u8]]] = &[
        &[b"", b"apply"],
        &[b"state", b"rmx", b"state", b"rm", b"a"],
        &[b"state", b"pullx", b"state", b"rm", b"a"],
        &[b"applyx", b"apply"],
        &[b"apply\xff", b"apply"],
        &[b"plan\xff"],
        &[b"state rm", b"a"],
        &[b"--", b"apply"],
        &[b"-install-autocomplete", b"-help"],
        &[b"-v", b"-install-autocomplete"],
        &[b"init", b"-backend-config", b"-force-copy"],
        &[b"\x1b[2J\ntf shim: saved"],
    ];
    for line in odd {
        let line: Vec<OsString> = line.iter().map(|word| OsStr::from_bytes(word).into()).collect();
        let transcript = sandbox.tf(line).run();
        assert_refused(&transcript, 125);
        assert!(!transcript.stderr.contains(&0x1b), "nothing steers a terminal: {transcript}");
        let said = transcript.stderr_text();
        let ours = said.lines().filter(|line| line.starts_with("tf shim: "));
        assert_eq!(ours.count(), 1, "{transcript}");
    }
}

#[test]
fn real_terraform_runs_the_command_that_was_smuggled_in_and_we_saw_it() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::resources(&["a"]));
    let smuggled: [(&[&[u8]], Option<&str>); 3] = [
        (&[b"applyx", b"apply"], None),
        (&[b"apply\xff", b"apply"], None),
        (&[b"state"], Some("rm terraform_data.a")),
    ];
    for (line, arguments) in smuggled {
        sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
        // A plan in a file of that name is what the first word makes of it.
        sandbox.terraform(["plan", "-destroy", "-out=apply"]).run().assert_status(0);
        let line: Vec<OsString> = line.iter().map(|word| OsStr::from_bytes(word).into()).collect();
        let call = |sandbox: &Sandbox| {
            let call = sandbox.tf(line.clone());
            let call = match arguments {
                Some(arguments) => call.env("TF_CLI_ARGS", arguments),
                None => call,
            };
            (call.clone().env(READ_ONLY, "1").run(), call.run())
        };
        let before = sandbox.history().runs().len();
        let (refused, guarded) = call(&sandbox);
        assert_refused(&refused, 125);
        guarded.assert_status(0);
        let runs = sandbox.history().runs();
        assert_eq!(runs.len(), before + 2, "a refusal and a run: {guarded}");
        assert_eq!(operations(&sandbox)[0]["changes"]["remove"], 1, "{guarded}");
    }
}

#[test]
fn a_guarded_command_is_saved_and_recorded_as_refused_and_changes_nothing() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    let good = operations(&sandbox)[0]["after"]["sha256"].clone();
    let before = tree(&sandbox.project());
    let transcript = sandbox.tf(["destroy", "-auto-approve"]).env(READ_ONLY, "1").run();
    assert_refused(&transcript, 125);
    assert_eq!(tree(&sandbox.project()), before, "not a byte and not a time");
    let newest = sandbox.history().newest();
    assert_eq!((newest.outcome(), newest.verb()), ("refused", "destroy"));
    assert_eq!(newest.before, Some(sandbox.read(STATE)), "what was there is kept");
    let told = &operations(&sandbox)[0];
    assert_eq!(told["guards"][0]["guard"], "read-only");
    assert_eq!(told["guards"][0]["action"], "refused");
    assert_eq!((&told["after"], &told["exit"]), (&Value::Null, &Value::Null));
    let current = shim(&sandbox, ["show", "--json", "@"]).run();
    current.assert_status(0);
    let left = document(&current).to_string();
    assert!(left.contains(good.as_str().unwrap()), "`@` did not move: {left}");
}

#[test]
fn a_state_that_changed_meanwhile_is_kept_with_the_refusal() {
    let sandbox = fake();
    for serial in [3, 4] {
        sandbox.write(STATE, states::state(serial, &["a"]));
        assert_refused(&sandbox.tf(["apply"]).run(), 125);
        assert_eq!(sandbox.history().newest().before, Some(sandbox.read(STATE)));
    }
}

mod refused_where_nothing_can_be_recorded {
    use super::*;

    /// Runs an apply that is to go on in spite of everything.
    fn apply(sandbox: &Sandbox) -> Transcript {
        sandbox.tf(["apply"]).env("TF_SHIM_ON_ERROR", "continue").run()
    }

    #[test]
    fn no_store() {
        let sandbox = fake();
        sandbox.write_at(&sandbox.store(), "a file");
        assert_refused(&apply(&sandbox), 125);
    }

    #[test]
    fn no_home() {
        let sandbox = fake().without_variable("HOME");
        assert_refused(&apply(&sandbox), 125);
        let sandbox = sandbox.without_variable(READ_ONLY);
        apply(&sandbox).assert_status(0);
        sandbox.write(".tf-shim.toml", "[guard]\nread_only = true\n");
        assert_refused(&apply(&sandbox), 125);
    }

    #[test]
    fn no_configuration_that_can_be_read() {
        let sandbox = fake();
        sandbox.write(".tf-shim.toml", "nonsense");
        assert_refused(&apply(&sandbox), 125);
        sandbox.write_at(&sandbox.config(), "store = 1");
        assert_refused(&apply(&sandbox), 125);
    }

    #[test]
    fn no_state_that_can_be_read() {
        let sandbox = fake();
        std::fs::remove_file(sandbox.project().join(STATE)).unwrap();
        mkfifo(&sandbox.project().join(STATE), Mode::S_IRWXU).unwrap();
        assert_refused(&apply(&sandbox), 125);
    }

    #[test]
    fn no_root_module() {
        let sandbox = fake();
        assert_refused(&sandbox.tf(["-chdir=nowhere", "apply"]).run(), 125);
        assert_refused(&sandbox.tf(["apply"]).env("TF_WORKSPACE", "a/b").run(), 125);
    }

    #[test]
    fn no_terraform() {
        let sandbox = Sandbox::new().with_variable(READ_ONLY, "1");
        assert_refused(&apply(&sandbox), 125);
    }
}

mod said_by_a_file {
    use super::*;

    /// A project below the top of a repository, in which a file says it.
    fn with_file(at: &str) -> Sandbox {
        let sandbox = fake().without_variable(READ_ONLY);
        std::fs::create_dir(sandbox.project().join(".git")).unwrap();
        sandbox.write(format!("a/{STATE}"), states::state(3, &["a"]));
        let text = "[guard]\nread_only = true\n";
        if at.starts_with('~') {
            sandbox.write_at(&sandbox.config(), text);
        } else {
            sandbox.write(at, text);
        }
        sandbox
    }

    #[test]
    fn guarded_commands_are_refused_and_a_nearer_file_does_not_loosen_it() {
        for at in ["a/.tf-shim.toml", ".tf-shim.toml", "~"] {
            let sandbox = with_file(at);
            let apply = || sandbox.tf(["-chdir=a", "apply"]).run();
            assert_refused(&apply(), 125);
            assert_eq!(sandbox.history().newest().outcome(), "refused");
            if at == "a/.tf-shim.toml" {
                continue;
            }
            sandbox.write("a/.tf-shim.toml", "[guard]\nread_only = false\n");
            assert_refused(&apply(), 125);
        }
    }

    #[test]
    fn what_is_forwarded_reads_no_file() {
        let sandbox = with_file(".tf-shim.toml");
        for line in ["plan", "test", "logout"] {
            assert_eq!(sandbox.tf(words(line)).run().calls().len(), 1, "{line}");
        }
    }

    #[test]
    fn our_own_commands_know_it() {
        let sandbox = with_file(".tf-shim.toml");
        assert_refused(&shim(&sandbox, ["undo", "--yes"]).run(), 3);
        assert_refused(&shim(&sandbox, ["install"]).run(), 3);
        let which = shim(&sandbox, ["which", "--json", "--", "apply"]).run();
        assert_eq!(document(&which)["route"]["route"], "refuse", "{which}");
    }
}

#[test]
fn words_of_our_own_that_write_or_weaken_are_refused() {
    let sandbox = fake();
    shim(&sandbox, ["save", "--pin"]).run().assert_status(0);
    let (project, home) = (tree(&sandbox.project()), tree(&sandbox.home()));
    for line in [
        "restore serial:3 --yes",
        "restore serial:3 --yes --force",
        "undo --yes --orphan",
        "check --yes",
        "check --yes --destroy-after",
        "cat serial:3 -o terraform.tfstate --force",
        "unpin serial:3",
        "install",
        "install --edit",
        "uninstall",
    ] {
        assert_refused(&shim(&sandbox, words(line)).run(), 3);
    }
    assert_eq!(tree(&sandbox.project()), project);
    assert_eq!(tree(&sandbox.home()), home);
    for line in [
        "",
        "list",
        "show",
        "cat serial:3",
        "cat serial:3 -o copy",
        "save",
        "diff serial:3 now",
        "pin serial:3",
        "which -- apply",
        "completion bash",
        "version",
        "help",
        "restore serial:3 --dry-run",
        "install --dry-run",
    ] {
        shim(&sandbox, words(line)).run().assert_status(0);
    }
}

#[test]
fn a_check_that_is_refused_still_writes_its_report() {
    let sandbox = fake();
    let transcript = shim(&sandbox, ["check", "--yes", "--report", "json=out.json"]).run();
    transcript.assert_status(3);
    assert!(transcript.calls().is_empty(), "{transcript}");
    let report: Value = serde_json::from_slice(&sandbox.read("out.json")).unwrap();
    assert_eq!(report["verdict"], "error");
}

#[test]
fn bypass_forwards_all_the_same() {
    let sandbox = fake();
    let transcript = sandbox.tf(["destroy"]).env("TF_SHIM_BYPASS", "1").run();
    assert_eq!(transcript.calls().len(), 1, "{transcript}");
    let transcript = sandbox.tf(["destroy"]).env(READ_ONLY, "0").run();
    assert_eq!(transcript.calls().len(), 1, "`0` is off: {transcript}");
}

#[test]
fn a_shim_below_a_run_is_refused_too() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let inner = sandbox.path("inner");
    let tf = sandbox.path("names/tf");
    let body = format!("{READ_ONLY}=1 {} apply -auto-approve >&2; echo $? > status", tf.display());
    sandbox.write_script(&inner, &body);
    sandbox.write("main.tf", stage::resource_running("a", &inner.to_string_lossy()));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    assert_eq!(String::from_utf8(sandbox.read("status")).unwrap().trim(), "125");
}

#[test]
fn a_plain_init_that_would_move_the_state_is_refused() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::resources(&["a"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    sandbox.tf(["init"]).env(READ_ONLY, "1").run().assert_status(0);
    let backend = "terraform {\n  backend \"local\" {\n    path = \"other.tfstate\"\n  }\n}\n";
    sandbox.write("backend.tf", backend);
    let before = sandbox.read(STATE);
    let init = sandbox.tf(["init"]).env(READ_ONLY, "1").stdin("yes\n").run();
    assert_refused(&init, 125);
    assert!(!sandbox.has("other.tfstate") && sandbox.read(STATE) == before);
    sandbox.tf(["init"]).stdin("yes\n").run().assert_status(0);
    assert!(sandbox.has("other.tfstate"), "without us a \"yes\" is enough");
}

#[test]
fn a_person_at_a_terminal_gets_words_and_an_agent_gets_the_line_as_well() {
    let sandbox = fake();
    let screen = |transcript: &Transcript| {
        String::from_utf8_lossy(transcript.screen.as_ref().unwrap()).into_owned()
    };
    let person = sandbox.tf(["apply"]).on_terminal().run();
    person.assert_status(125);
    let said = screen(&person);
    assert!(said.contains("was refused") && !said.contains("{\"tf_shim\""), "{said}");
    for agent in ["CLAUDECODE", "CURSOR_AGENT", "GEMINI_CLI", "AI_AGENT", "CODEX_SANDBOX"] {
        let told = sandbox.tf(["apply"]).env(agent, "1").on_terminal().run();
        assert!(screen(&told).contains("{\"tf_shim\""), "{agent}: {told}");
    }
}
