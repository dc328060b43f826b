//! Plain data and pure functions: what a state is, what an operation is, how a user names one.
//!
//! Nothing in this room reads, writes or asks the clock. Everything that comes from outside (bytes of
//! a state, a reference typed by a person, a command line) is turned into a type here, at the door.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub(crate) mod address;
pub(crate) mod census;
pub(crate) mod change;
pub(crate) mod content;
pub(crate) mod digest;
pub(crate) mod guard;
pub(crate) mod identity;
pub(crate) mod json;
pub(crate) mod json_text;
mod mask;
pub(crate) mod operation;
pub(crate) mod passport;
pub(crate) mod pattern;
pub(crate) mod plan;
pub(crate) mod redact;
pub(crate) mod reference;
pub(crate) mod resolve;
pub(crate) mod scan;
pub(crate) mod shell;
pub(crate) mod source;
pub(crate) mod state;
pub(crate) mod text;
mod verbs;
