//! Cancelled while a provider is at work that does not stop at once: there is time for a second interrupt.
//!
//! A provisioner is ended by Terraform itself at the first interrupt, and the apply with it, so a second one
//! that comes a tenth of a second later would find nobody. Here the provider is held until much later.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use shim_tests::callers::{Both, Place, assert_ends, interrupted_in_both};
use shim_tests::provider::{HEADER, Provider, REATTACH_VARIABLE, Step};
use shim_tests::{Running, Sandbox, wait_until};

/// Far longer than `tf` takes to find out who has a signal, which is 100 ms.
const LONG: Duration = Duration::from_millis(600);

/// Writes a resource of the provider.
fn provided(sandbox: &Sandbox) {
    sandbox
        .write("main.tf", [HEADER, "resource \"fake_slow\" \"a\" {\n  name = \"n\"\n}\n"].concat());
}

/// Applies, has `strike` send a signal while the provider creates, and lets the provider go on late.
#[track_caller]
fn struck(strike: impl Fn(&Running<'_>)) -> Option<Both> {
    let work = |place: &Place| {
        let provider = Provider::start();
        provider.cloud().hold(Step::Create);
        let args = ["apply", "-auto-approve", "-input=false", "-no-color"];
        let running = place.call(args).env(REATTACH_VARIABLE, provider.reattach()).start();
        let creates = || provider.cloud().count(Step::Create, "fake_slow") == 1;
        wait_until("the provider to create", creates);
        strike(&running);
        wait_until("the interrupt", || {
            String::from_utf8_lossy(&running.stdout()).contains("Gracefully shutting down")
        });
        let heard = Instant::now();
        wait_until("time for a second one", || heard.elapsed() > LONG);
        provider.cloud().release(Step::Create);
        vec![running.finish()]
    };
    interrupted_in_both(provided, work)
}

/// Fails unless Terraform had one interrupt and kept what was created meanwhile.
#[track_caller]
fn assert_one_interrupt(both: Option<Both>) {
    let Some(both) = both else { return };
    let text = both.through[0].stdout_text() + &both.through[0].stderr_text();
    assert_eq!(text.matches("Interrupt received").count(), 1, "{text}");
    assert!(!text.contains("Two interrupts"), "{text}");
    assert_ends(&both.through, &[1]);
    let state = String::from_utf8(both.place.sandbox.read(super::STATE)).unwrap();
    assert!(state.contains("fake_slow"), "{state}");
}

#[test]
fn to_the_one_process_as_terraform_exec_and_tfcmt_do() {
    assert_one_interrupt(struck(|running| running.signal(Signal::SIGINT)));
}

#[test]
fn to_the_group_as_terminals_and_ci_runners_do() {
    assert_one_interrupt(struck(|running| running.signal_group(Signal::SIGINT)));
}

#[test]
fn a_termination_of_the_one_process_as_container_runtimes_do() {
    assert_one_interrupt(struck(|running| running.signal(Signal::SIGTERM)));
}
