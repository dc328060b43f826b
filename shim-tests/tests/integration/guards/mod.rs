//! The guards: every odd state against every guarded command, and the ways out.
//!
//! The table is tried cell by cell: a recorded history, the state replaced behind our back, one command.
//! What must happen is said by `contract`, on its own; what did happen is written into `docs/guards.md`.

pub(crate) mod contract;
mod page;
mod scene;
mod states;
mod table;
mod unfinished;
mod verbs;
pub(crate) mod ways;

/// The guards that `TF_SHIM_ALLOW` may name.
const ALLOWABLE: &[&str] = &[
    "missing-state",
    "corrupt-state",
    "foreign-state",
    "older-state",
    "unwritable-state",
    "errored-state",
];
