//! Random command lines of Terraform's grammar (Terraform 1.11.4): commands, flags with and without
//! values, odd places, `TF_CLI_ARGS`, environment, `-chdir`, stdin.
//!
//! A case is drawn from a seed and its number alone, so that one number repeats it on any machine, with
//! any number of threads. The weights are such that much of what is drawn reaches real work (plans,
//! applies, edits of the state), because usage errors are all alike.

pub mod commands;
pub mod draw;
pub mod random;
pub mod shrink;

pub use draw::draw;
