//! The shells of the machine: the tests of completion and of start files run in them.

use std::path::PathBuf;

use crate::programs::found_or_skipped;

/// The variable that turns "no zsh here, skipped" into a failure.
pub const REQUIRE_SHELLS: &str = "TF_SHIM_TESTS_REQUIRE_SHELLS";

/// Finds a shell on the `PATH` of the test run; `None`, with a message, where there is none.
///
/// # Panics
/// If there is none and [`REQUIRE_SHELLS`] is set to something but `0`.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    found_or_skipped(name, REQUIRE_SHELLS)
}
