//! The outputs of a step on GitHub: setup-terraform's wrapper and tenv write what Terraform said into them.
//!
//! Our own questions go through the same wrapper. Their answers, whole states with all secrets, must not
//! become outputs, and the last output must be that of the command.

use super::{Manager, Sandbox, Scenario, Step, managed, part, path, states};

/// A value that must not be seen.
const SECRET: &str = "hunter2-of-the-state";

/// Those that write outputs.
fn writers() -> Vec<Manager> {
    let writes = |manager: &Manager| matches!(manager, Manager::Tenv | Manager::SetupTerraform);
    Manager::all().into_iter().filter(writes).collect()
}

/// A project with a remote state that holds the secret.
fn on_github(manager: Manager) -> Sandbox {
    let scenario: Scenario =
        part().on(["state", "pull"], [Step::PrintState("remote.tfstate".into())]).on(
            ["apply"],
            [Step::stdout("Apply complete!\n"), Step::RaiseSerial("remote.tfstate".into())],
        );
    let sandbox = managed(manager, scenario);
    let record =
        r#"{"version":3,"backend":{"type":"s3","config":{"bucket":"b","key":"k"},"hash":1}}"#;
    sandbox.write(".terraform/terraform.tfstate", record);
    sandbox.write("remote.tfstate", states::state(5, &[SECRET]));
    let path = path(&sandbox, manager, &["us", "manager", "bin"]);
    let sandbox = sandbox.with_variable("PATH", path).with_variable("GITHUB_ACTIONS", "true");
    let outputs = sandbox.path("outputs").into_os_string();
    sandbox.with_variable("GITHUB_OUTPUT", outputs)
}

fn outputs(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.path("outputs")).unwrap_or_default()
}

#[test]
fn the_outputs_of_a_step_are_those_of_the_command_and_hold_no_state() {
    for manager in writers() {
        let sandbox = on_github(manager);
        let alone = sandbox.program(&manager.terraform(&sandbox), ["apply"]).run();
        let expected = outputs(&sandbox);
        assert!(expected.contains("Apply complete!"), "{manager:?} {expected}");
        std::fs::remove_file(sandbox.path("outputs")).unwrap();
        let transcript = sandbox.program(&sandbox.path("us/terraform"), ["apply"]).run();
        assert_eq!(transcript.end, alone.end, "{transcript}");
        assert_eq!(transcript.stdout_text(), alone.stdout_text(), "{manager:?}");
        assert_eq!(transcript.calls().len(), 3, "before, the command, after: {transcript}");
        assert!(!outputs(&sandbox).contains(SECRET), "{manager:?} {}", outputs(&sandbox));
        assert_eq!(outputs(&sandbox), expected, "{manager:?}");
        assert_eq!(sandbox.history().newest().after_status(), "ok");
    }
}

/// Where there is no GitHub, the variable is not made up.
#[test]
fn a_question_elsewhere_gets_no_variable_of_github() {
    let manager = Manager::Mise;
    let sandbox = on_github(manager).without_variable("GITHUB_OUTPUT");
    let transcript = sandbox.program(&sandbox.path("us/terraform"), ["apply"]).run();
    for call in transcript.assert_status(0).calls() {
        assert_eq!(call.variable("GITHUB_OUTPUT"), None);
    }
}
