//! One Ctrl-C, whenever it comes, is one interrupt for Terraform, and nothing is applied behind it.

use nix::sys::signal::Signal;
use shim_tests::provider::{HEADER, Provider, Step};
use shim_tests::{End, Sandbox, stage, wait_until};

use super::{assert_nothing_left, newest};

/// What everything is judged by.
const ALL: &str = "[guard.protect]\nworkspaces = [\"*\"]\n";

/// A sandbox with a resource that is to be made.
fn planned() -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resource("a", "1"));
    sandbox.write(".tf-shim.toml", ALL);
    Some(sandbox)
}

#[test]
fn ctrl_c_during_the_plan_ends_it_as_terraform_does() {
    let provider = Provider::start();
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let sandbox = sandbox.with_provider(&provider);
    let thing = format!("{HEADER}resource \"fake_thing\" \"a\" {{\n  value = \"1\"\n}}\n");
    sandbox.write("main.tf", thing);
    sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
    sandbox.write(".tf-shim.toml", ALL);
    provider.cloud().hold(Step::Read);
    let known = provider.cloud().count(Step::Read, "fake_thing");
    let mut running = sandbox.tf(["destroy", "-auto-approve"]).on_terminal().start();
    wait_until("the refresh", || provider.cloud().count(Step::Read, "fake_thing") > known);
    running.type_text("\x03");
    running.wait_for_text("Interrupt received");
    provider.cloud().release(Step::Read);
    let transcript = running.finish();
    let screen = String::from_utf8_lossy(&transcript.screen.clone().unwrap()).into_owned();
    transcript.assert_status(1);
    assert!(!screen.contains("Two interrupts"), "{screen}");
    assert_eq!(screen.matches("Interrupt received").count(), 1, "{screen}");
    assert!(!screen.contains("Destroying"), "{screen}");
    assert_eq!(provider.cloud().ids("fake_thing"), ["thing-1"]);
    newest(&sandbox, "failed");
}

#[test]
fn ctrl_c_at_the_question_ends_as_terraform_does() {
    let Some(sandbox) = planned() else { return };
    let mut running = sandbox.tf(["apply", "-no-color"]).on_terminal().start();
    running.wait_for_text("Enter a value:");
    running.type_text("\x03");
    let transcript = running.finish();
    transcript.assert_status(1);
    let screen = String::from_utf8_lossy(&transcript.screen.clone().unwrap()).into_owned();
    assert!(screen.contains("Error: error asking for approval: interrupted"), "{screen}");
    assert!(!sandbox.has("terraform.tfstate"));
    newest(&sandbox, "failed");
}

#[test]
fn a_signal_at_the_question_ends_us_and_nothing_is_left() {
    for (signal, end) in [
        (Signal::SIGTERM, End::Status(1)),
        (Signal::SIGINT, End::Status(1)),
        (Signal::SIGHUP, End::by(Signal::SIGHUP)),
    ] {
        let Some(sandbox) = planned() else { return };
        let running = sandbox.tf(["apply", "-no-color"]).stdin_left_open().start();
        wait_until("the question", || running.stderr().ends_with(b"Enter a value: "));
        running.signal(signal);
        let transcript = running.finish();
        assert_eq!(transcript.end, end, "{transcript}");
        assert!(!sandbox.has("terraform.tfstate"));
        assert_nothing_left(&sandbox);
    }
}

#[test]
fn ctrl_c_during_the_apply_is_one_interrupt() {
    let Some(sandbox) = planned() else { return };
    sandbox.write("main.tf", stage::patient_resource_at("slow", &sandbox.project()));
    let mut running = sandbox.tf(["apply", "-auto-approve"]).on_terminal().start();
    running.wait_for_file("begun");
    running.type_text("\x03");
    let transcript = running.finish();
    transcript.assert_status(1);
    let screen = String::from_utf8_lossy(&transcript.screen.clone().unwrap()).into_owned();
    assert_eq!(screen.matches("Interrupt received").count(), 1, "{screen}");
    assert!(!screen.contains("Two interrupts"), "{screen}");
    newest(&sandbox, "failed");
}
