//! `tf`, a drop-in proxy for `terraform` and `tofu` that saves the state before and after every change.
//!
//! # The map of the house
//!
//! | Layer | Room | Holds |
//! | --- | --- | --- |
//! | 5 | this file | the switchboard |
//! | 4 | `cli`, `ui` | what follows `tf shim`; everything a person or a script reads |
//! | 3 | `ops`, `error` | use cases, start to end; what went wrong and what to do about it |
//! | 2½ | `guard`, `check` | judgement: is this state the one we expect? what do these plans mean? |
//! | 2 | `proxy`, `store`, `terraform` | adapters: process, disk, the real binary |
//! | 1 | `model`, `config` | plain data and pure functions; what the user set |
//! | 0 | `env`, `sys` | names; the operating system |
//!
//! Imports point downward, `store` and `terraform` do not know each other, and nothing below layer 4
//! prints. A test reads the imports of every file and compares them with the table of the design.
//!
//! One command through the house: [`main`] asks `proxy` for a route. A command that cannot change state
//! becomes Terraform at once, and none of the rest has run. A guarded one goes to `ops::guarded`, which
//! reads the state (`terraform`), saves it (`store`), has Terraform run (`terraform::supervise`), saves
//! again, and gives the way Terraform ended back to this file.

mod check;
mod cli;
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
mod ui;

use std::process::ExitCode;

use ops::guarded::Call;
use proxy::Route;
use proxy::depth::Depth;

/// Runs `tf`: becomes Terraform, guards it, or answers itself. Ends as interface and Terraform say.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called_as = arguments.next().unwrap_or_default();
    let arguments: Vec<_> = arguments.collect();
    let depth = Depth::from_environment();
    let forward = || cli::cannot_hand_over(proxy::forward(&called_as, &arguments, &depth));
    match proxy::route(&arguments, &depth) {
        Route::Forward => forward(),
        Route::Guard(guarded) => {
            let (called_as, arguments) = (&called_as, &arguments);
            let call = Call { guarded: &guarded, called_as, arguments, depth: &depth, note: None };
            cli::guard(&call).unwrap_or_else(forward)
        }
        Route::Refuse(what) => cli::refuse_to_run(&what),
        Route::Shim { chdir, arguments } => cli::run(&called_as, chdir.as_deref(), arguments),
        Route::Witness => {
            proxy::stand_witness(&called_as);
            ExitCode::SUCCESS
        }
    }
}
