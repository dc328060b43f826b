//! Idempotency: what do these plans mean? Pure functions; nothing here runs Terraform or reads a file.
//!
//! Plans come in as [`crate::model::plan::Plan`], the configuration as text, and what leaves is a
//! [`report::CheckReport`]: findings with addresses and attribute paths. Values are compared here and never leave:
//! a plan holds every secret in clear text.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub(crate) mod accept;
mod cause;
pub(crate) mod classify;
pub(crate) mod finding;
mod likeness;
mod outputs;
mod paths;
pub(crate) mod report;
mod rivals;
pub(crate) mod source;
mod wording;

#[cfg(test)]
mod tests;
