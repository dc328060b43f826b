//! A person at a terminal may delete what is protected, by typing the workspace's name.

use shim_tests::{Invocation, Sandbox, Transcript};

use super::{applied, applied_under, assert_nothing_left, newest};

/// Where the name is typed.
const PROMPT: &str = "Name of the workspace:";

/// Answers the question about a deletion.
fn answered(call: Invocation<'_>, answer: &str) -> (Transcript, String) {
    let mut running = call.on_terminal().start();
    running.wait_for_text(PROMPT);
    running.type_text(answer);
    let transcript = running.finish();
    let screen = transcript.screen.clone().unwrap_or_default();
    (transcript, String::from_utf8_lossy(&screen).into_owned())
}

/// Whether the protected resource is still there.
fn is_there(sandbox: &Sandbox) -> bool {
    String::from_utf8_lossy(&sandbox.read("terraform.tfstate")).contains("\"name\": \"a\"")
}

#[test]
fn the_name_of_the_workspace_lets_it_pass_and_that_is_recorded() {
    for args in [&["destroy"][..], &["destroy", "-auto-approve"], &["apply", "-destroy"]] {
        let Some(sandbox) = applied() else { return };
        let (transcript, screen) = answered(sandbox.tf(args.iter().copied()), "default\n");
        transcript.assert_status(0);
        for told in ["terraform_data.a", "deleted", ".tf-shim.toml:1", "local terraform.tfstate"] {
            assert!(screen.contains(told), "{told}: {screen}");
        }
        assert!(!screen.contains("Only 'yes'"), "one question is enough: {screen}");
        assert!(!is_there(&sandbox), "{screen}");
        let note = &newest(&sandbox, "done").end["guards"][0];
        assert_eq!((&note["guard"], &note["action"]), (&"protected".into(), &"allowed".into()));
        assert!(note["text"].as_str().unwrap().contains("terraform_data.a"), "{note}");
    }
}

#[test]
fn a_saved_plan_is_asked_about_too() {
    let Some(sandbox) = applied() else { return };
    sandbox.terraform(["plan", "-destroy", "-out=p"]).run().assert_status(0);
    let (transcript, _) = answered(sandbox.tf(["apply", "p"]), "default\n");
    transcript.assert_status(0);
    assert!(!is_there(&sandbox));
}

#[test]
fn any_other_answer_is_a_refusal() {
    for answer in ["yes\n", "Default\n", "\n", "\x04", "default", "default\x04"] {
        let answer = if answer == "default" { "defaul\n" } else { answer };
        let Some(sandbox) = applied() else { return };
        let mut running = sandbox.tf(["destroy", "-auto-approve"]).on_terminal().start();
        running.wait_for_text(PROMPT);
        running.type_text(answer);
        if answer == "default\x04" {
            // Behind a text that key only hands it over; again, it ends the input.
            running.type_text("\x04");
        }
        let transcript = running.finish();
        transcript.assert_status(125);
        assert!(is_there(&sandbox), "{transcript}");
        assert_eq!(newest(&sandbox, "refused").end["guards"][0]["action"], "refused");
    }
}

#[test]
fn nobody_is_asked_where_an_agent_types_or_the_rule_denies() {
    let deny = "[guard.protect]\naddresses = [\"terraform_data.a\"]\naction = \"deny\"\n";
    for (variable, rules) in [
        ("CLAUDECODE", super::RULE),
        ("CURSOR_AGENT", super::RULE),
        ("GEMINI_CLI", super::RULE),
        ("CODEX_SANDBOX", super::RULE),
        ("AI_AGENT", super::RULE),
        ("NOBODY", deny),
    ] {
        let Some(sandbox) = applied_under(rules) else { return };
        let call = sandbox.tf(["destroy", "-auto-approve"]).env(variable, "1");
        let transcript = call.on_terminal().run();
        transcript.assert_status(125);
        let screen = String::from_utf8_lossy(&transcript.screen.clone().unwrap()).into_owned();
        assert!(!screen.contains(PROMPT), "{screen}");
        let has_line = screen.contains("{\"tf_shim\":\"refused\",\"guard\":\"protected\"");
        assert_eq!(has_line, variable != "NOBODY", "{screen}");
        assert!(is_there(&sandbox));
        assert_nothing_left(&sandbox);
    }
}

#[test]
fn who_types_through_a_pipe_is_not_at_a_terminal() {
    let Some(sandbox) = applied() else { return };
    let (transcript, _) = super::refused(&sandbox, sandbox.tf(["destroy"]).stdin("default\nyes\n"));
    assert!(!transcript.stderr_text().contains(PROMPT), "{transcript}");
}
