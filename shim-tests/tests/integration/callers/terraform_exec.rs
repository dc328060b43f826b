//! terraform-exec, which terraform-ls, provider tests and many tools of one's own are built on.
//!
//! Its `tfexec/cmd.go`, `cmd_linux.go`, `version.go` and the files of its commands (November 2026): the
//! child leads a process group and is killed when the thread that started it ends; a cancelled context is
//! one SIGINT to that one process and, some time later, SIGKILL; both pipes are read to their ends; all of
//! stderr becomes part of an error; stdout of `-json` is one document, or one in each line.

use nix::sys::signal::Signal;
use shim_tests::callers::{Place, assert_ends, in_both, json, json_lines};
use shim_tests::{Invocation, Transcript};

use super::{applied, captured, configured, recorded, version};

/// Gives a call what terraform-exec gives it.
pub(super) fn surrounded(call: Invocation<'_>) -> Invocation<'_> {
    let call = call.env("TF_IN_AUTOMATION", "1").env("CHECKPOINT_DISABLE", "1");
    let call = call.env("TF_LOG", "").env("TF_LOG_CORE", "").env("TF_LOG_PROVIDER", "");
    let call = call.env("TF_LOG_PATH", "").env("TF_WORKSPACE", "");
    call.env("TF_APPEND_USER_AGENT", "HashiCorp-terraform-exec/0.25.0")
        .with_parent_death(Signal::SIGKILL)
}

/// Prepares a call.
pub(super) fn call<'p>(place: &'p Place, args: &[&str]) -> Invocation<'p> {
    surrounded(place.call(args.iter().copied()))
}

/// Runs several commands.
fn run(place: &Place, lines: &[&[&str]]) -> Vec<Transcript> {
    lines.iter().map(|args| call(place, args).run()).collect()
}

#[test]
fn the_version_is_one_json_document_and_the_older_text_is_understood() {
    let Some(both) =
        in_both(configured, |place| run(place, &[&["version", "-json"], &["version"]]))
    else {
        return;
    };
    let version = version(&both.place);
    assert_eq!(json(&both.through[0])["terraform_version"], *version);
    let text = r"Terraform v?([0-9]+(?:\.[0-9]+)*(?:-[A-Za-z0-9\.]+)?)";
    assert_eq!(captured(text, &both.through[1]), [version]);
}

#[test]
fn a_stack_from_init_to_destroy_is_the_same() {
    let plan = ["plan", "-no-color", "-input=false", "-detailed-exitcode", "-lock-timeout=0s"];
    let more = ["-out=p", "-lock=true", "-parallelism=10", "-refresh=true"];
    let plan: Vec<&str> = plan.into_iter().chain(more).collect();
    let apply = ["apply", "-no-color", "-auto-approve", "-input=false", "-lock=true"];
    let apply: Vec<&str> = apply.into_iter().chain(["-parallelism=10", "-refresh=true"]).collect();
    let apply_plan: Vec<&str> = apply.iter().copied().chain(["p"]).collect();
    let work: &[&[&str]] = &[
        &["init", "-no-color", "-input=false", "-backend=true", "-get=true", "-upgrade=false"],
        &["validate", "-no-color", "-json"],
        &plan,
        &["show", "-json", "-no-color", "p"],
        &apply_plan,
        &plan,
        &apply,
        &["output", "-no-color", "-json"],
        &["show", "-json", "-no-color"],
        &["providers", "schema", "-json", "-no-color"],
        &["graph", "-type=plan"],
        &[
            "destroy",
            "-no-color",
            "-auto-approve",
            "-input=false",
            "-lock-timeout=0s",
            "-lock=true",
        ],
    ];
    let Some(both) = in_both(configured, |place| run(place, work)) else { return };
    assert_ends(&both.through, &[0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for at in [1, 3, 7, 8, 9] {
        assert!(json(&both.through[at]).is_object());
    }
    assert_eq!(json(&both.through[7])["size"]["value"], "small");
    assert_eq!(recorded(&both.place), ["apply", "apply", "destroy"]);
}

#[test]
fn commands_on_state_and_workspaces_are_the_same() {
    let work: &[&[&str]] = &[
        &[
            "state",
            "mv",
            "-no-color",
            "-lock-timeout=0s",
            "-lock=true",
            "terraform_data.a",
            "terraform_data.b",
        ],
        &["state", "mv", "-no-color", "-lock=true", "terraform_data.b", "terraform_data.a"],
        &["taint", "-no-color", "-lock-timeout=0s", "-lock=true", "terraform_data.a"],
        &["untaint", "-no-color", "-lock-timeout=0s", "-lock=true", "terraform_data.a"],
        &["refresh", "-no-color", "-input=false", "-lock=true"],
        &["state", "pull"],
        &["state", "rm", "-no-color", "-lock-timeout=0s", "-lock=true", "terraform_data.a"],
        &["import", "-no-color", "-input=false", "-lock=true", "terraform_data.a", "one"],
        &["workspace", "list", "-no-color"],
        &["workspace", "new", "-no-color", "-lock=true", "w"],
        &["workspace", "show", "-no-color"],
        &["workspace", "select", "-no-color", "default"],
        &["workspace", "delete", "-no-color", "-lock=true", "w"],
    ];
    let Some(both) = in_both(applied, |place| run(place, work)) else { return };
    assert_ends(&both.through, &[0; 13]);
    assert_eq!(json(&both.through[5])["version"], 4);
    let verbs = recorded(&both.place);
    let expected = ["state mv", "state mv", "taint", "untaint", "refresh", "state rm", "import"];
    assert_eq!(verbs[..7], expected, "{verbs:?}");
}

#[test]
fn an_error_on_stderr_is_terraforms_alone() {
    let work: &[&[&str]] = &[
        &["apply", "-no-color", "-auto-approve", "-input=false", "nonsense"],
        &["apply", "-no-color", "-auto-approve", "-input=false", "-nonsense"],
        &["apply", "-no-color", "-auto-approve", "-input=false", "-var", "unknown=1"],
        &["import", "-no-color", "-input=false", "terraform_data.missing", "one"],
        &["state", "rm", "-no-color", "terraform_data.missing"],
        &["taint", "-no-color", "terraform_data.missing"],
        &["state", "push", "missing.tfstate"],
        &["workspace", "select", "-no-color", "missing"],
        &["workspace", "delete", "-no-color", "missing"],
        &["force-unlock", "-no-color", "-force", "00000000-0000-0000-0000-000000000000"],
    ];
    let Some(both) = in_both(applied, |place| run(place, work)) else { return };
    assert_ends(&both.through, &[1; 10]);
    for transcript in &both.through {
        assert!(!transcript.stderr.is_empty(), "{transcript}");
    }
}

#[test]
fn a_language_server_formats_what_it_writes_to_stdin() {
    let work = |place: &Place| {
        let format = call(place, &["fmt", "-no-color", "-"]).stdin("a=1\nlonger = 2\n").run();
        let schema = call(place, &["providers", "schema", "-json", "-no-color"]).run();
        vec![format, schema, call(place, &["validate", "-no-color", "-json"]).run()]
    };
    let Some(both) = in_both(configured, work) else { return };
    assert_eq!(both.through[0].stdout_text(), "a      = 1\nlonger = 2\n");
    assert_eq!(json(&both.through[2])["valid"], true);
    assert!(both.place.sandbox.histories().is_empty(), "nothing is recorded of it");
}

#[test]
fn a_json_apply_is_documents_line_by_line_on_stdout_and_nothing_on_stderr() {
    let work = |place: &Place| {
        let apply = ["apply", "-json", "-auto-approve", "-input=false", "-lock=true"];
        let destroy = ["destroy", "-json", "-auto-approve", "-input=false"];
        run(
            place,
            &[&apply, &["refresh", "-json"], &["plan", "-json", "-detailed-exitcode"], &destroy],
        )
    };
    let Some(both) = in_both(configured, work) else { return };
    assert_ends(&both.through, &[0; 4]);
    for transcript in &both.through {
        assert_eq!(transcript.stderr_text(), "");
        let lines = json_lines(transcript);
        assert_eq!(lines[0]["type"], "version", "{transcript}");
        assert!(lines.iter().all(|line| line["@module"] == "terraform.ui"), "{transcript}");
    }
}
