//! The harness of the black-box tests: it knows the command line and the store format of `tf`, and
//! nothing inside.
//!
//! A test makes a [`Sandbox`], runs one command in it and looks at the [`Transcript`]. What stands
//! behind the name `terraform` in the sandbox is either a real one or `fake-terraform`, which does
//! what a [`Scenario`] says and writes down how it was called.
//!
//! ```no_run
//! use shim_tests::{Sandbox, Scenario, Step};
//!
//! let sandbox = Sandbox::new().with_fake(Scenario::new().on(["plan"], [Step::Exit(2)]));
//! let transcript = sandbox.tf(["plan"]).run();
//! assert_eq!(transcript.status(), Some(2));
//! ```
//!
//! Easy to get wrong: a test that changes its own process (environment, directory, signals) changes
//! its neighbours. Everything is set on the [`Invocation`], never on ourselves.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a harness that cannot set the stage must stop the test"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the walls of clippy.toml are those of tf itself; this crate starts programs for a living"
)]
#![expect(
    clippy::missing_panics_doc,
    reason = "every function here panics where the stage cannot be set; that is what a test wants"
)]

pub mod backend;
pub mod bytes;
pub mod callers;
pub mod grammar;
pub mod history;
pub mod invocation;
pub mod managers;
pub mod names;
pub mod pages;
pub mod processes;
pub mod programs;
pub mod provider;
mod reader;
pub mod recipes;
pub mod reports;
pub mod sandbox;
pub mod scenario;
pub mod scene;
pub mod shells;
pub mod shim;
pub mod stage;
pub mod states;
pub mod strace;
mod take;
pub mod terminal;
pub mod tools;
pub mod transcript;
pub mod twins;
pub mod varying;
pub mod wait;

pub use bytes::Bytes;
pub use history::{History, Operation};
pub use invocation::{Group, Invocation, Running, Stdin};
pub use sandbox::Sandbox;
pub use scenario::{Call, Event, Scenario, Step};
pub use terminal::Size;
pub use transcript::{End, Transcript};
pub use wait::wait_until;
