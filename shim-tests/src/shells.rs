//! The shells of the machine: the tests of completion and of start files run in them.

use std::path::PathBuf;

/// The variable that turns "no zsh here, skipped" into a failure.
pub const REQUIRE_SHELLS: &str = "TF_SHIM_TESTS_REQUIRE_SHELLS";

/// Finds a shell on the `PATH` of the test run; `None`, with a message, where there is none.
///
/// # Panics
/// If there is none and [`REQUIRE_SHELLS`] is set to something but `0`.
#[must_use]
#[expect(clippy::print_stdout, reason = "a skipped test says so where the test run shows it")]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|directory| directory.join(name)).find(|p| p.is_file());
    let required = std::env::var_os(REQUIRE_SHELLS).is_some_and(|v| !v.is_empty() && v != "0");
    assert!(found.is_some() || !required, "{REQUIRE_SHELLS} is set and PATH has no {name}");
    if found.is_none() {
        println!("skipped: no {name} on PATH");
    }
    found
}
