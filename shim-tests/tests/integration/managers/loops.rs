//! What leads back to us: passed by, or an error with a name; never without end, never two operations.

use std::path::Path;

use shim_tests::Transcript;
use shim_tests::managers::bash_script;

use super::{
    Manager, Placed, Sandbox, Scenario, Step, assert_one_operation, choose_instead, managed, part,
    path, program, programs, put, system, tools, us,
};

/// Ways in which a script named `terraform` calls `terraform` again.
const AGAIN: &[&str] = &[
    r#"terraform "$@""#,
    r#"exec terraform "$@""#,
    r#"terraform "$@" | cat"#,
    r#"( terraform "$@"; exit $? )"#,
    r#"run() { terraform "$@"; }; run "$@""#,
    r#"exec env GREETING=hello terraform "$@""#,
    r#"bash -c 'terraform "$@"; exit' bash "$@""#,
    r#"printf '%s\n' "$@" | xargs terraform"#,
    r#"make -s -f - --eval="all:; @terraform $*" < /dev/null"#,
    // Drops TF_SHIM_DEPTH, as sudo does.
    r#"env -u TF_SHIM_DEPTH terraform "$@""#,
    r#"env -i PATH="$PATH" HOME="$HOME" FAKE_TERRAFORM_SCENARIO="$FAKE_TERRAFORM_SCENARIO" terraform "$@""#,
];

/// Returns a sandbox with us in `us`, a script of that body in `wrap`, and, where wanted, a fake in `system`.
fn wrapped(body: &str, has_real: bool) -> Sandbox {
    let sandbox = Sandbox::new().with_fake(part());
    let _ = tools(&sandbox);
    us(&sandbox, "us");
    if has_real {
        system(&sandbox);
    }
    bash_script(&sandbox, &sandbox.path("wrap/terraform"), body);
    let entries = ["us", "wrap", "system"].map(|name| sandbox.path(name));
    let path = super::path_of(&sandbox, entries);
    sandbox.with_variable("PATH", path)
}

/// Calls our `terraform`.
fn run(sandbox: &Sandbox, words: &[&str]) -> Transcript {
    sandbox.program(&sandbox.path("us/terraform"), words.iter().copied()).run()
}

/// Fails unless we refused with 125 and named these.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, transcript: &Transcript, candidates: &[&Path]) {
    transcript.assert_status(125);
    assert!(transcript.calls().is_empty(), "{transcript}");
    let text = transcript.stderr_text();
    assert!(text.starts_with("tf shim: ") && text.contains("TF_SHIM_REAL"), "{transcript}");
    for candidate in candidates {
        assert!(text.contains(&*candidate.to_string_lossy()), "{transcript}");
    }
    assert!(!sandbox.store().exists() || sandbox.histories().is_empty(), "{transcript}");
}

#[test]
fn a_wrapper_that_calls_us_again_is_passed_by() {
    for body in AGAIN {
        let sandbox = wrapped(body, true);
        for words in [&["plan"][..], &["apply", "-auto-approve"]] {
            let transcript = run(&sandbox, words);
            let call = transcript.assert_status(0).only_call();
            assert_eq!(call.args(), words, "{body}");
            assert_eq!(program(call), sandbox.path("system/terraform"), "{body}");
        }
        assert_one_operation(&sandbox, "apply");
    }
}

#[test]
fn a_wrapper_that_calls_us_again_with_nothing_behind_it_is_a_named_error() {
    for body in AGAIN {
        let sandbox = wrapped(body, false);
        let transcript = run(&sandbox, &["plan"]);
        // make and xargs have statuses of their own for a command that failed.
        if body.contains("make") || body.contains("xargs") || body.contains("| cat") {
            assert!(transcript.stderr_text().contains("wrap/terraform"), "{transcript}");
            continue;
        }
        assert_refused(&sandbox, &transcript, &[&sandbox.path("wrap/terraform")]);
    }
}

/// Each round has a word more, so that no two are the same, and a program in between: the count ends it.
#[test]
fn a_wrapper_that_never_says_the_same_twice_is_a_named_error() {
    let body = r#"bash -c 'terraform "$@" -again; exit' bash "$@""#;
    let sandbox = wrapped(body, true);
    assert_refused(&sandbox, &run(&sandbox, &["plan"]), &[&sandbox.path("wrap/terraform")]);
}

/// As sudo does, and what is in between becomes another program: only the rounds themselves can tell.
#[test]
fn a_wrapper_that_drops_the_variable_and_itself_ends() {
    let body = r#"exec bash -c 'env -u TF_SHIM_DEPTH terraform "$@"; exit' bash "$@""#;
    let sandbox = wrapped(body, true);
    for words in [&["plan"][..], &["apply", "-auto-approve"]] {
        let transcript = run(&sandbox, words);
        assert_eq!(
            program(transcript.assert_status(0).only_call()),
            sandbox.path("system/terraform")
        );
    }
    assert_one_operation(&sandbox, "apply");
}

/// A guarded command leaves a process of ours behind, which a wrapper cannot drop.
#[test]
fn a_guarded_command_is_known_again_without_the_variable() {
    let sandbox = wrapped(r#"exec env -u TF_SHIM_DEPTH terraform "$@""#, true);
    let transcript = run(&sandbox, &["apply", "-auto-approve"]);
    assert_eq!(program(transcript.assert_status(0).only_call()), sandbox.path("system/terraform"));
    assert_one_operation(&sandbox, "apply");
}

/// What a wrapper adds for good reasons arrives.
#[test]
fn a_wrapper_may_change_words_and_environment() {
    let sandbox = wrapped(r#"exec env TF_IN_AUTOMATION=1 terraform "$@" -no-color"#, true);
    let transcript = run(&sandbox, &["apply", "-auto-approve"]);
    let call = transcript.assert_status(0).only_call();
    assert_eq!(call.args(), ["apply", "-auto-approve", "-no-color"]);
    assert_eq!(call.variable("TF_IN_AUTOMATION").as_deref(), Some("1"));
    assert_one_operation(&sandbox, "apply");
}

#[test]
fn a_manager_whose_only_version_is_us_is_a_named_error() {
    for manager in Manager::all() {
        let sandbox = managed(manager, part());
        choose_instead(manager, &sandbox, &sandbox.tf_program());
        let path = path(&sandbox, manager, &["us", "manager"]);
        let sandbox = sandbox.with_variable("PATH", path);
        let transcript = run(&sandbox, &["plan"]);
        let text = transcript.stderr_text();
        let named = match manager {
            Manager::AsdfOfBash => super::chosen(manager, &sandbox),
            other => other.terraform(&sandbox),
        };
        assert!(text.contains(&*named.to_string_lossy()), "{transcript}");
        let status = match manager {
            // It makes 1 of every error.
            Manager::SetupTerraform => 1,
            // It takes its shims out of PATH, so that nothing is left but us.
            Manager::AsdfOfBash => 127,
            Manager::Tfenv | Manager::Tenv | Manager::Asdf | Manager::Mise => 125,
        };
        transcript.assert_status(status);
        assert!(transcript.calls().is_empty(), "{manager:?} {transcript}");
    }
}

#[test]
fn a_named_manager_that_leads_back_is_a_named_error() {
    for manager in Manager::all() {
        let sandbox = managed(manager, part());
        choose_instead(manager, &sandbox, &sandbox.tf_program());
        system(&sandbox);
        let path = path(&sandbox, manager, &["us", "manager", "system"]);
        let named = manager.terraform(&sandbox);
        let sandbox = sandbox.with_variable("PATH", path).with_variable("TF_SHIM_REAL", &named);
        let transcript = run(&sandbox, &["plan"]);
        let text = transcript.stderr_text();
        assert!(text.contains("TF_SHIM_REAL") && transcript.calls().is_empty(), "{transcript}");
        assert!(text.contains(&*named.to_string_lossy()), "{transcript}");
        let status = if manager == Manager::SetupTerraform { 1 } else { 125 };
        transcript.assert_status(status);
    }
}

/// Real nesting is no circle: what Terraform starts may call the manager again, with the very same words.
#[test]
fn what_terraform_starts_reaches_the_same_version() {
    for manager in Manager::all() {
        for outer in ["plan", "apply"] {
            let sandbox = managed(manager, part());
            let path = path(&sandbox, manager, &["us", "manager", "system"]);
            system(&sandbox);
            let sandbox = sandbox.with_variable("PATH", path);
            let again = |words: &[&str]| {
                let words = words.iter().map(|word| (*word).into()).collect();
                let us = Some(sandbox.path("us/terraform"));
                Step::Run(us, words, shim_tests::scenario::Wait::ForEnd)
            };
            let part = Scenario::terraform()
                .on([outer], [again(&["output"]), again(&["output", "-json"])])
                .on(["output"], [Step::stdout("42\n")]);
            sandbox.play(part);
            let transcript = run(&sandbox, &[outer]);
            transcript.assert_status(0);
            let reached: Vec<_> = transcript.calls().into_iter().map(program).collect();
            let expected = super::chosen(manager, &sandbox);
            assert_eq!(reached, vec![expected; 3], "{manager:?} {transcript}");
        }
    }
}

/// Two steps of Terraform's that say the same in the same place are nesting too, as often as somebody may mean it.
#[test]
fn the_same_words_inside_themselves_are_terraforms_own_business() {
    let sandbox = Sandbox::new().with_fake(part());
    let _ = tools(&sandbox);
    us(&sandbox, "us");
    put(&sandbox.path("system/terraform"), &programs::find("fake-terraform"), Placed::Copied);
    let path = super::path_of(&sandbox, ["us", "system"].map(|name| sandbox.path(name)));
    let sandbox = sandbox.with_variable("PATH", path);
    sandbox.write_script(
        &sandbox.path("once"),
        "[ -e twice ] && exit 0; [ -e once ] && : > twice; : > once; exec terraform plan",
    );
    let part = Scenario::terraform().on(
        ["plan"],
        [Step::Run(Some(sandbox.path("once")), Vec::new(), shim_tests::scenario::Wait::ForEnd)],
    );
    sandbox.play(part);
    let transcript = run(&sandbox, &["plan"]);
    assert_eq!(transcript.assert_status(0).calls().len(), 3, "{transcript}");
}
