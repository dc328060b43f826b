//! The user's arguments keep their meaning when one command becomes two.

use shim_tests::{Sandbox, stage};

use super::{assert_nothing_left, newest};

/// A sandbox where everything is judged and nothing is deleted.
fn judged(configuration: &str) -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", configuration);
    sandbox.write(".tf-shim.toml", "[guard.protect]\nworkspaces = [\"*\"]\n");
    Some(sandbox)
}

/// A resource whose input is a variable.
const WITH_VARIABLE: &str = "variable \"v\" {\n  type = string\n}\n\
                             resource \"terraform_data\" \"a\" {\n  input = var.v\n}\n";

/// What is in the state.
fn state(sandbox: &Sandbox, name: &str) -> String {
    String::from_utf8(sandbox.read(name)).unwrap()
}

#[test]
fn variables_reach_the_plan_in_every_way() {
    for (args, variables) in [
        (&["apply", "-auto-approve", "-var", "v=given"][..], None),
        (&["apply", "-auto-approve", "--var=v=given"], None),
        (&["apply", "-auto-approve", "-var-file=given.tfvars"], None),
        (&["apply", "-auto-approve"], Some(("TF_VAR_v", "given"))),
        (&["apply", "-auto-approve"], Some(("TF_CLI_ARGS_apply", "-var v=given"))),
        (&["apply", "-auto-approve", "-var=v=given"], Some(("TF_CLI_ARGS", "-var v=less"))),
    ] {
        let Some(sandbox) = judged(WITH_VARIABLE) else { return };
        sandbox.write("given.tfvars", "v = \"given\"\n");
        let mut call = sandbox.tf(args.iter().copied());
        if let Some((name, value)) = variables {
            call = call.env(name, value);
        }
        call.run().assert_status(0);
        assert!(state(&sandbox, "terraform.tfstate").contains("\"given\""), "{args:?}");
    }
}

#[test]
fn ephemeral_variables_are_given_again() {
    // With a default, the plan does not even say that a value was given.
    for default in ["", "  default = \"x\"\n"] {
        let ephemeral = format!(
            "variable \"e\" {{\n  type = string\n  ephemeral = true\n{default}}}\n\
             resource \"terraform_data\" \"a\" {{\n  input = 1\n}}\n"
        );
        let Some(sandbox) = judged(&ephemeral) else { return };
        sandbox.tf(["apply", "-auto-approve", "-var", "e=secret"]).run().assert_status(0);
        let text = state(&sandbox, "terraform.tfstate");
        assert!(!text.contains("secret"), "{text}");
        sandbox.write("e.tfvars", "e = \"other\"\n");
        sandbox.tf(["apply", "-auto-approve", "-var-file=e.tfvars"]).run().assert_status(0);
    }
}

#[test]
fn a_variable_that_nobody_set_is_asked_for_by_terraform_at_the_terminal() {
    let Some(sandbox) = judged(WITH_VARIABLE) else { return };
    let mut running = sandbox.tf(["apply"]).on_terminal().start();
    running.wait_for_text("Enter a value:");
    running.type_text("typed\n");
    running.wait_for_texts(2, "Enter a value:");
    running.type_text("yes\n");
    running.finish().assert_status(0);
    assert!(state(&sandbox, "terraform.tfstate").contains("\"typed\""));
}

#[test]
fn a_pipe_that_answers_both_questions_applies_nothing() {
    // Terraform reads ahead: the plan takes the yes that was meant for us. Nothing is what must come of it.
    let Some(sandbox) = judged(WITH_VARIABLE) else { return };
    let transcript = sandbox.tf(["apply"]).stdin("piped\nyes\n").run();
    transcript.assert_status(1);
    assert!(transcript.stderr_text().contains("error asking for approval: EOF"), "{transcript}");
    assert!(!sandbox.has("terraform.tfstate"));
}

#[test]
fn states_named_by_flags_are_read_and_written_where_they_are_named() {
    let Some(sandbox) = judged(&stage::resource("a", "1")) else { return };
    let args = ["apply", "-auto-approve", "-state=x.tfstate"];
    sandbox.tf(args).run().assert_status(0);
    assert!(sandbox.has("x.tfstate") && !sandbox.has("terraform.tfstate"));
    let known = sandbox.read("x.tfstate");
    sandbox.write("main.tf", stage::resource("a", "2"));
    let args = ["apply", "-auto-approve", "-state=x.tfstate", "-state-out", "y.tfstate"];
    sandbox.tf(args).run().assert_status(0);
    assert!(sandbox.read("x.tfstate") == known);
    assert!(state(&sandbox, "y.tfstate").contains("\"2\""));
    sandbox.write("main.tf", stage::resource("a", "3"));
    let args = ["apply", "-auto-approve", "-state=y.tfstate", "-backup=z.backup"];
    sandbox.tf(args).run().assert_status(0);
    assert!(state(&sandbox, "z.backup").contains("\"2\""));
}

#[test]
fn targets_and_directories_keep_their_meaning() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write(
        "sub/main.tf",
        stage::resources(&["a", "b"])
            + WITH_VARIABLE.split('\n').next().unwrap()
            + "\n default = 1\n}\n",
    );
    sandbox.write("sub/given.tfvars", "v = \"x\"\n");
    sandbox.write("sub/.tf-shim.toml", "[guard.protect]\nworkspaces = [\"*\"]\n");
    let args = [
        "-chdir=sub",
        "apply",
        "-target",
        "terraform_data.a",
        "-var-file",
        "given.tfvars",
        "-auto-approve",
        "-parallelism=3",
        "-lock-timeout=1s",
        "-input=false",
    ];
    sandbox.tf(args).env("TMPDIR", "../tmp").run().assert_status(0);
    let text = state(&sandbox, "sub/terraform.tfstate");
    assert!(text.contains("\"name\": \"a\"") && !text.contains("\"name\": \"b\""), "{text}");
    assert_nothing_left(&sandbox);
}

#[test]
fn json_stays_json() {
    let Some(sandbox) = judged(&stage::resource("a", "1")) else { return };
    let transcript = sandbox.tf(["apply", "-auto-approve", "-json"]).run();
    transcript.assert_status(0);
    let lines: Vec<serde_json::Value> = transcript
        .stdout_text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    assert!(lines.iter().any(|line| line["type"] == "apply_complete"), "{transcript}");
    assert_eq!(transcript.stderr_text(), "");
}

#[test]
fn what_terraform_refuses_it_refuses_itself() {
    for args in [
        &["apply", "-json"][..],
        &["apply", "-nope", "-auto-approve"],
        &["apply", "-out=x", "-auto-approve"],
        &["apply", "-destroy=maybe", "-auto-approve"],
        &["apply", "-auto-approve=maybe"],
        &["apply", "-detailed-exitcode", "-auto-approve"],
        &["destroy", "-destroy", "-auto-approve"],
        &["destroy", "nope", "-auto-approve"],
        &["apply", "-var"],
        &["apply", "-parallelism=x"],
    ] {
        let Some(sandbox) = judged(&stage::resource("a", "1")) else { return };
        let theirs = sandbox.terraform(args.iter().copied()).run();
        let ours = sandbox.tf(args.iter().copied()).run();
        assert_eq!(ours.status(), theirs.status(), "{args:?}: {ours}");
        // A flag whose value is wrong is refused by `plan`, which names its own help.
        let told = |text: String| text.replace("terraform plan -help", "terraform apply -help");
        let without_time = |text: String| {
            let lines = text.lines().map(|line| {
                let start = line.find("\"@timestamp\"").unwrap_or(line.len());
                line[..start].to_owned()
            });
            lines.collect::<Vec<_>>()
        };
        assert_eq!(told(ours.stderr_text()), theirs.stderr_text(), "{args:?}");
        assert_eq!(without_time(ours.stdout_text()), without_time(theirs.stdout_text()));
        assert!(!sandbox.has("terraform.tfstate"), "{args:?}");
    }
}

#[test]
fn a_flag_that_nobody_knows_does_not_bring_a_plan_through() {
    let Some(sandbox) = super::applied() else { return };
    sandbox.terraform(["plan", "-destroy", "-out=p"]).run().assert_status(0);
    let (transcript, _) = super::refused(&sandbox, sandbox.tf(["apply", "-nope", "p"]));
    assert!(transcript.stderr_text().contains("-nope"), "{transcript}");
}

#[test]
fn help_is_terraforms() {
    let Some(sandbox) = judged("") else { return };
    for args in [["apply", "-help"], ["destroy", "--help"], ["apply", "-version"]] {
        let ours = sandbox.tf(args).run();
        assert_eq!(ours.stdout_text(), sandbox.terraform(args).run().stdout_text());
        ours.assert_status(0);
    }
    assert!(!sandbox.store().exists());
}

#[test]
fn a_recorded_command_line_is_the_users() {
    let Some(sandbox) = judged(WITH_VARIABLE) else { return };
    sandbox.tf(["apply", "-auto-approve", "-var", "v=C4N4RY"]).run().assert_status(0);
    let operation = newest(&sandbox, "done");
    let argv = operation.begin["argv"].to_string();
    assert!(argv.contains("-auto-approve") && !argv.contains("C4N4RY"), "{argv}");
    assert!(!argv.contains("/plan"), "{argv}");
}
