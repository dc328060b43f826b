//! `minimal-exec`: the smallest proxy there can be, the yardstick of the benchmark.
//!
//! It becomes the program that `MINIMAL_EXEC_TARGET` names. Without that variable it ends at once: then
//! it plays the real binary, the cheapest one there can be.

#![expect(
    clippy::disallowed_methods,
    reason = "the walls of clippy.toml are those of tf itself; this starts a program"
)]

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Names the program to become.
const TARGET: &str = "MINIMAL_EXEC_TARGET";

fn main() -> ExitCode {
    let Some(target) = std::env::var_os(TARGET) else { return ExitCode::SUCCESS };
    let _error = Command::new(target).args(std::env::args_os().skip(1)).env_remove(TARGET).exec();
    ExitCode::from(126)
}
