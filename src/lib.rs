//! `tf`, a drop-in proxy for `terraform` and `tofu`.

mod config;
mod env;
mod error;
mod guard;
mod model;
mod ops;
mod proxy;
mod store;
mod sys;
mod terraform;

use std::io::Write;
use std::process::ExitCode;

use proxy::CannotHandOver;
use proxy::depth::Depth;

/// Runs `tf`: becomes Terraform.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called_as = arguments.next().unwrap_or_default();
    let arguments: Vec<_> = arguments.collect();
    let depth = Depth::from_environment();
    let (what, status) = match proxy::forward(&called_as, &arguments, &depth) {
        CannotHandOver::NotFound(error) => (error.to_string(), error.exit_status()),
        CannotHandOver::NotStarted { path, source } => {
            (format!("cannot run `{}`: {source}", path.display()), 126)
        }
    };
    let _ = writeln!(std::io::stderr(), "tf shim: {what}");
    ExitCode::from(status)
}
