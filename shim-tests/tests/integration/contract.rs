//! The fake against the real thing: what the fake claims about Terraform's manners is compared with a
//! real Terraform, so that the other chapters do not test against a fairy tale.
//!
//! Each test runs one scenario with both and compares what a proxy can see: how it ended, which streams
//! were used, what happened to the state. Texts are not compared; nobody may rely on them.

use nix::sys::signal::Signal;
use shim_tests::{End, Invocation, Sandbox, Scenario, Step, Transcript, states};

/// A configuration of one resource, made at once.
const ONE: &str = "resource \"terraform_data\" \"x\" {\n  input = \"1\"\n}\n";

/// A configuration whose apply says that it has started and then waits until `go` exists.
const SLOW: &str = r#"resource "terraform_data" "x" {
  provisioner "local-exec" {
    command = ": > started; while [ -e started ] && [ ! -e go ]; do /bin/sleep 0.02; done"
  }
}
"#;

/// What a proxy sees of one command.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// How it ended.
    end: End,
    /// Whether stdout was used.
    speaks: bool,
    /// Whether stderr was used.
    complains: bool,
    /// Whether there is a state afterwards that is not empty.
    has_state: bool,
}

impl Seen {
    /// Looks at a finished command.
    fn of(sandbox: &Sandbox, transcript: &Transcript) -> Self {
        Self {
            end: transcript.end,
            speaks: !transcript.stdout.is_empty(),
            complains: !transcript.stderr.is_empty(),
            has_state: sandbox.has("terraform.tfstate")
                && !sandbox.read("terraform.tfstate").is_empty(),
        }
    }
}

/// Returns both worlds: the fake in its part and, where there is one, the real Terraform.
fn worlds(scenario: &Scenario) -> Vec<Sandbox> {
    let fake = Sandbox::new().with_fake(scenario.clone());
    std::iter::once(fake).chain(Sandbox::new().with_real_terraform()).collect()
}

/// Runs a command in both worlds and fails unless it is seen as expected in each.
fn expect_in_both(
    scenario: &Scenario,
    prepare: impl Fn(&Sandbox),
    command: impl for<'s> Fn(&'s Sandbox) -> Invocation<'s>,
    expected: &Seen,
) {
    for sandbox in worlds(scenario) {
        prepare(&sandbox);
        let transcript = command(&sandbox).run();
        assert_eq!(&Seen::of(&sandbox, &transcript), expected, "{transcript}");
    }
}

/// Returns the fake's part of an apply that can be interrupted.
fn slow_apply(caught: &[Signal], end: Step) -> Scenario {
    let steps = [
        Step::catch(caught.iter().copied()),
        Step::stdout("terraform_data.x: Creating...\n"),
        Step::touch("started"),
        Step::AwaitSignals(1),
        Step::stderr("Interrupt received.\n"),
        Step::write("terraform.tfstate", states::state(2, &["x"])),
        end,
    ];
    Scenario::terraform().on(["apply"], steps)
}

/// Interrupts a slow apply by one signal in both worlds.
fn interrupt(scenario: &Scenario, signal: Signal, expected: End) {
    for sandbox in worlds(scenario) {
        sandbox.write("main.tf", SLOW);
        let mut running = sandbox.terraform(["apply", "-auto-approve", "-no-color"]).start();
        running.wait_for_file("started");
        running.signal(signal);
        // Frees a provisioner that outlives its Terraform: it would hold the output open. Not before: the
        // apply could come to its end while the signal is on its way.
        if expected != End::Status(1) {
            shim_tests::wait_until("the end by the signal", || running.has_ended());
            sandbox.write("go", "");
        }
        let transcript = running.finish();
        assert_eq!(transcript.end, expected, "{transcript}");
        assert!(!transcript.stdout.is_empty(), "{transcript}");
    }
}

#[test]
fn no_command_prints_help_and_ends_with_127() {
    let expected = Seen { end: End::Status(127), speaks: true, complains: false, has_state: false };
    expect_in_both(&Scenario::terraform(), |_| (), |s| s.terraform::<_, &str>([]), &expected);
}

#[test]
fn an_unknown_command_complains_and_ends_with_1() {
    let expected = Seen { end: End::Status(1), speaks: false, complains: true, has_state: false };
    expect_in_both(&Scenario::terraform(), |_| (), |s| s.terraform(["shim"]), &expected);
}

#[test]
fn the_version_is_text_or_json_on_stdout() {
    for sandbox in worlds(&Scenario::terraform()) {
        let text = sandbox.terraform(["version"]).run();
        assert!(text.assert_status(0).stdout_text().starts_with("Terraform v"), "{text}");
        let json = sandbox.terraform(["version", "-json"]).run();
        let parsed: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        assert!(parsed["terraform_version"].is_string(), "{json}");
        assert!(json.stderr.is_empty(), "{json}");
    }
}

#[test]
fn pulling_no_state_prints_nothing() {
    let expected = Seen { end: End::Status(0), speaks: false, complains: false, has_state: false };
    expect_in_both(
        &Scenario::terraform(),
        |sandbox| sandbox.write("main.tf", ONE),
        |sandbox| sandbox.terraform(["state", "pull"]),
        &expected,
    );
}

#[test]
fn pulling_an_empty_state_prints_nothing() {
    let expected = Seen { end: End::Status(0), speaks: false, complains: false, has_state: false };
    expect_in_both(
        &Scenario::terraform(),
        |sandbox| sandbox.write("terraform.tfstate", ""),
        |sandbox| sandbox.terraform(["state", "pull"]),
        &expected,
    );
}

#[test]
fn pulling_a_state_prints_its_bytes_and_a_newline() {
    for sandbox in worlds(&Scenario::terraform()) {
        let version = sandbox.terraform(["version", "-json"]).run();
        let version: serde_json::Value = serde_json::from_slice(&version.stdout).unwrap();
        let version = version["terraform_version"].as_str().unwrap();
        let state = states::state(4, &["x"]).replace("1.11.4", version);
        sandbox.write("terraform.tfstate", &state);
        let pulled = sandbox.terraform(["state", "pull"]).run();
        assert_eq!(pulled.stdout_text(), format!("{state}\n"));
    }
}

#[test]
fn the_directory_of_chdir_is_where_the_state_is() {
    for sandbox in worlds(&Scenario::terraform()) {
        sandbox.write("sub/terraform.tfstate", states::state(4, &["x"]));
        let pulled = sandbox.terraform(["-chdir=sub", "state", "pull"]).run();
        assert!(pulled.assert_status(0).stdout_text().contains("\"serial\": 4"), "{pulled}");
    }
}

#[test]
fn the_workspace_is_default_without_init() {
    for sandbox in worlds(&Scenario::terraform()) {
        let shown = sandbox.terraform(["workspace", "show"]).run();
        assert_eq!(shown.assert_status(0).stdout_text(), "default\n");
    }
}

#[test]
fn an_apply_speaks_on_stdout_and_leaves_a_state() {
    let scenario = Scenario::terraform().on(
        ["apply"],
        [
            Step::stdout("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.\n"),
            Step::write("terraform.tfstate", states::state(1, &["x"])),
        ],
    );
    let expected = Seen { end: End::Status(0), speaks: true, complains: false, has_state: true };
    expect_in_both(
        &scenario,
        |sandbox| sandbox.write("main.tf", ONE),
        |sandbox| sandbox.terraform(["apply", "-auto-approve"]),
        &expected,
    );
}

#[test]
fn an_apply_without_an_answer_fails_and_leaves_no_state() {
    let scenario = Scenario::terraform().on(
        ["apply"],
        [
            Step::stdout("Only 'yes' will be accepted to approve.\n"),
            Step::ReadLine,
            Step::stderr("Error: error asking for approval: EOF\n"),
            Step::Exit(1),
        ],
    );
    let expected = Seen { end: End::Status(1), speaks: true, complains: true, has_state: false };
    expect_in_both(
        &scenario,
        |sandbox| sandbox.write("main.tf", ONE),
        |sandbox| sandbox.terraform(["apply", "-input=false"]),
        &expected,
    );
}

#[test]
fn a_plan_with_changes_ends_with_2_where_it_is_asked_to() {
    let changes = Step::stdout("Plan: 1 to add, 0 to change, 0 to destroy.\n");
    let scenario = Scenario::terraform()
        .on(["plan"], [changes.clone()])
        .on(["plan", "-detailed-exitcode"], [changes, Step::Exit(2)]);
    for (args, status) in [(vec!["plan"], 0), (vec!["plan", "-detailed-exitcode"], 2)] {
        let expected =
            Seen { end: End::Status(status), speaks: true, complains: false, has_state: false };
        expect_in_both(
            &scenario,
            |sandbox| sandbox.write("main.tf", ONE),
            |sandbox| sandbox.terraform(args.clone()),
            &expected,
        );
    }
}

#[test]
fn one_interrupt_ends_an_apply_with_1_and_the_state_is_saved() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let scenario = slow_apply(&[Signal::SIGINT, Signal::SIGTERM], Step::Exit(1));
        for sandbox in worlds(&scenario) {
            sandbox.write("main.tf", SLOW);
            let running = sandbox.terraform(["apply", "-auto-approve"]).start();
            running.wait_for_file("started");
            running.signal(signal);
            let transcript = running.finish();
            let expected =
                Seen { end: End::Status(1), speaks: true, complains: true, has_state: true };
            assert_eq!(Seen::of(&sandbox, &transcript), expected, "{transcript}");
        }
    }
}

#[test]
fn a_hangup_kills_an_apply() {
    interrupt(&slow_apply(&[], Step::Exit(0)), Signal::SIGHUP, End::by(Signal::SIGHUP));
}

#[test]
fn a_kill_kills_an_apply() {
    interrupt(&slow_apply(&[], Step::Exit(0)), Signal::SIGKILL, End::by(Signal::SIGKILL));
}

#[test]
fn a_quit_ends_an_apply_with_2() {
    interrupt(&slow_apply(&[Signal::SIGQUIT], Step::Exit(2)), Signal::SIGQUIT, End::Status(2));
}
