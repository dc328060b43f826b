//! Is this state the one we expect? Pure functions over what was seen; nothing here reads or refuses.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub(crate) mod aftermath;
pub(crate) mod errored;
pub(crate) mod plan;
pub(crate) mod refusal;
mod rename;
pub(crate) mod scope;
pub(crate) mod state;
pub(crate) mod writable;
