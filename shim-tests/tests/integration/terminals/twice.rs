//! Two signals: Terraform counts, and the second interrupt costs what it has not written.
//!
//! Here is the one difference that is wanted. Two of the same kind that come within a tenth of a second
//! count as one, because senders repeat themselves: `timeout` signals its child and then the group.
//! Without `tf` they are two, or one where the second comes before the first is taken.

use nix::sys::signal::Signal;
use shim_tests::provider::Step;
use shim_tests::scene::{Cast, Scene, Stage, Take};
use shim_tests::{Running, wait_until};

use super::{APPLY, HELD, pass_the_window};

/// Whom a signal goes to.
#[derive(Clone, Copy, Debug)]
enum To {
    /// The process that was called.
    Alone,
    /// Its group.
    Group,
}

/// Sends it.
fn strike(running: &Running<'_>, (to, signal): (To, Signal)) {
    match to {
        To::Alone => running.signal(signal),
        To::Group => running.signal_group(signal),
    }
}

/// Starts an apply that the provider holds back.
fn held(stage: &Stage) -> Running<'_> {
    stage.provider().cloud().hold(Step::Create);
    let running = stage.call(APPLY).start();
    let creations = || stage.provider().cloud().count(Step::Create, "fake_slow");
    wait_until("the creation", || creations() > 0);
    running
}

/// Whether a text was printed so far.
fn is_printed(running: &Running<'_>, text: &str) -> bool {
    String::from_utf8_lossy(&running.stdout()).contains(text)
}

/// Waits until it has been heard, and until nobody can take the next for a repeat.
fn heard(running: &Running<'_>) {
    wait_until("the first to be heard", || is_printed(running, "Stopping operation..."));
    pass_the_window();
}

#[test]
fn one_is_one() {
    for strikes in [
        (To::Alone, Signal::SIGINT),
        (To::Alone, Signal::SIGTERM),
        (To::Group, Signal::SIGINT),
        (To::Group, Signal::SIGTERM),
    ] {
        let played = Scene::provided(HELD).compare(|stage| {
            let running = held(stage);
            strike(&running, strikes);
            heard(&running);
            stage.provider().cloud().release(Step::Create);
            stage.take(running)
        });
        played.ended("status: 1").shows(1, "Interrupt received").shows(0, "Two interrupts");
    }
}

#[test]
fn one_after_the_other_are_two() {
    use Signal::{SIGINT, SIGTERM};
    for (first, second) in [
        ((To::Alone, SIGINT), (To::Alone, SIGINT)),
        ((To::Alone, SIGTERM), (To::Alone, SIGTERM)),
        ((To::Alone, SIGINT), (To::Group, SIGINT)),
        ((To::Group, SIGINT), (To::Alone, SIGINT)),
        ((To::Group, SIGINT), (To::Group, SIGINT)),
        ((To::Alone, SIGINT), (To::Alone, SIGTERM)),
        ((To::Group, SIGTERM), (To::Alone, SIGINT)),
    ] {
        let played = Scene::provided(HELD).compare(|stage| {
            let running = held(stage);
            strike(&running, first);
            heard(&running);
            strike(&running, second);
            stage.take(running)
        });
        played.ended("status: 1").shows(1, "Interrupt received").shows(1, "Two interrupts");
    }
}

/// Has two signals sent at once, and lets the provider finish once Terraform has heard.
fn at_once(stage: &Stage, strikes: [(To, Signal); 2]) -> Take {
    let mut running = held(stage);
    for one in strikes {
        strike(&running, one);
    }
    wait_until("Terraform to hear", || {
        is_printed(&running, "Stopping operation...") || running.has_ended()
    });
    stage.provider().cloud().release(Step::Create);
    stage.take(running)
}

#[test]
fn an_interrupt_and_a_termination_at_once_are_two() {
    for to in [To::Alone, To::Group] {
        let played = Scene::provided(HELD).compare(|stage| {
            let running = held(stage);
            strike(&running, (to, Signal::SIGINT));
            strike(&running, (to, Signal::SIGTERM));
            stage.take(running)
        });
        played.ended("status: 1").shows(1, "Two interrupts");
    }
}

#[test]
fn two_of_a_kind_at_once_are_one_for_us() {
    for (first, second) in [(To::Alone, To::Alone), (To::Alone, To::Group), (To::Group, To::Alone)]
    {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let scene = Scene::provided(HELD);
            let strikes = [(first, signal), (second, signal)];
            let Some(take) = scene.play(Cast::Shim, |stage| at_once(stage, strikes)) else {
                return;
            };
            let seen = (take.count("Interrupt received"), take.count("Two interrupts"));
            assert_eq!(seen, (1, 0), "{first:?} {second:?} {signal}: {take:#?}");
        }
    }
}
