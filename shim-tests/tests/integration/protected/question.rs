//! Terraform's question, asked by us: the same words, the same answers, the same ends.

use shim_tests::{Sandbox, stage};

use super::{assert_nothing_left, newest};

/// A sandbox where everything is judged and nothing is deleted.
fn judged() -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resource("a", "1"));
    sandbox.write(".tf-shim.toml", "[guard.protect]\nworkspaces = [\"*\"]\n");
    Some(sandbox)
}

/// Returns the question that plain Terraform asks.
fn terraforms(sandbox: &Sandbox, args: &[&str]) -> String {
    let transcript = sandbox.terraform(args.iter().copied()).stdin("no\n").run();
    let text = transcript.stdout_text();
    let start = text.rfind("\n\nDo you").or_else(|| text.rfind("\n\nWould you")).unwrap_or(0);
    text[start + 1..].to_owned()
}

#[test]
fn the_question_is_that_of_terraform_and_goes_to_stderr() {
    let Some(sandbox) = judged() else { return };
    sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
    sandbox.write(".tf-shim.toml", "[guard.protect]\nmax_deletes = 9\n");
    sandbox.write("main.tf", stage::resource("a", "2") + "output \"o\" {\n  value = 1\n}\n");
    for workspace in ["default", "prod"] {
        if workspace == "prod" {
            let state = sandbox.read("terraform.tfstate");
            sandbox.terraform(["workspace", "new", "prod"]).run().assert_status(0);
            sandbox.write("terraform.tfstate.d/prod/terraform.tfstate", state);
        }
        for args in [
            &["apply", "-no-color"][..],
            &["destroy", "-no-color"],
            &["apply", "-destroy", "-no-color"],
            &["apply", "-refresh-only", "-no-color"],
        ] {
            let expected = terraforms(&sandbox, args);
            let transcript = sandbox.tf(args.iter().copied()).stdin("no\n").run();
            transcript.assert_status(1);
            assert_eq!(transcript.stderr_text(), expected, "{transcript}");
            assert!(!transcript.stdout_text().contains("Enter a value"), "{transcript}");
        }
    }
    assert_nothing_left(&sandbox);
}

#[test]
fn the_same_answers_are_a_yes() {
    for answer in ["yes\n", "yes \n", "yes\r\n", "no\n", " yes\n", "YES\n", "\nyes\n", "yes", ""] {
        let Some(sandbox) = judged() else { return };
        let args = ["apply", "-no-color"];
        let ours = sandbox.tf(args).stdin(answer).run();
        let is_applied = sandbox.has("terraform.tfstate");
        assert_nothing_left(&sandbox);
        let Some(plain) = judged() else { return };
        let theirs = plain.terraform(args).stdin(answer).run();
        assert_eq!(ours.status(), theirs.status(), "{answer:?}: {ours}");
        assert_eq!(is_applied, plain.has("terraform.tfstate"), "{answer:?}: {ours}");
        let error = "Error: error asking for approval: EOF\n";
        let is_ended = theirs.stderr_text().contains(error);
        assert_eq!(ours.stderr_text().contains(error), is_ended, "{answer:?}: {ours}\n{theirs}");
    }
}

#[test]
fn what_comes_behind_the_answer_is_not_taken() {
    let Some(sandbox) = judged() else { return };
    let shell = format!("{} apply >/dev/null 2>&1; read rest; echo \"$rest\"", "\"$0\"");
    let tf = sandbox.tf_program();
    let args = ["-c".into(), shell.into(), tf.into_os_string()];
    let transcript =
        sandbox.program(std::path::Path::new("/bin/sh"), args).stdin("yes\nthe rest\n").run();
    assert!(transcript.stdout_text().ends_with("the rest\n"), "{transcript}");
    assert!(sandbox.has("terraform.tfstate"));
}

#[test]
fn an_apply_is_one_operation_that_can_be_undone() {
    let Some(sandbox) = judged() else { return };
    sandbox.tf(["apply"]).stdin("yes\n").run().assert_status(0);
    sandbox.write("main.tf", stage::resource("a", "2"));
    let before = sandbox.read("terraform.tfstate");
    sandbox.tf(["apply"]).stdin("yes\n").run().assert_status(0);
    let operation = newest(&sandbox, "done");
    assert_eq!(operation.before.as_deref(), Some(&before[..]));
    assert_eq!(operation.after, Some(sandbox.read("terraform.tfstate")));
    assert_eq!(operation.end["changes"]["change"], 1, "{operation:#?}");
    assert_eq!(sandbox.history().operations().len(), 2);
    sandbox.tf(["shim", "undo", "--yes"]).run().assert_status(0);
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
}

#[test]
fn a_plan_that_fails_ends_as_terraform_does_and_is_recorded() {
    let Some(sandbox) = judged() else { return };
    let failing = "variable \"v\" {\n  default = 1\n}\nresource \"terraform_data\" \"a\" {\n  lifecycle {\n    precondition {\n      \
                   condition = var.v == 2\n      error_message = \"never\"\n    }\n  }\n}\n";
    sandbox.write("main.tf", failing);
    let transcript = sandbox.tf(["apply", "-auto-approve"]).run();
    transcript.assert_status(1);
    assert!(transcript.stderr_text().contains("never"), "{transcript}");
    assert_eq!(newest(&sandbox, "failed").end["exit"], 1);
}
