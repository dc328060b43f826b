//! A scene at a terminal, or with signals, looks the same with `tf` as without: what is shown, how it ends,
//! how the terminal is left, what state and lock lie there.
//!
//! `signals.rs` counts what Terraform receives; here two whole plays are compared, see
//! [`shim_tests::scene`].

mod drawing;
mod first;
mod keys;
mod prompts;
mod sent;
mod shell;
mod shells;
mod stops;
mod talk;
mod twice;

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shim_tests::wait_until;

/// An apply that asks nothing.
const APPLY: [&str; 2] = ["apply", "-auto-approve"];

/// A resource that is created as long as the provider holds it back, whatever Terraform says.
const HELD: &str = "resource \"fake_slow\" \"slow\" {\n  name = \"slow\"\n}\n";

/// Sends a signal to one process.
fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
}

/// Lets time pass, more than `tf` waits before it passes a signal on.
fn pass_the_window() {
    let start = Instant::now();
    wait_until("time to pass", || start.elapsed() >= Duration::from_millis(250));
}
