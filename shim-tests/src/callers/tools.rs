//! Real callers from a package registry, where they are installed.
//!
//! They are looked for in [`DIRECTORY`] first, which CI fills with a Python environment, then on the
//! `PATH` of the test run. A test that finds none says so and is skipped.

use std::path::PathBuf;

/// The variable that names a directory with callers.
pub const DIRECTORY: &str = "TF_SHIM_TESTS_CALLERS";

/// The variable that turns "not installed, skipped" into a failure.
pub const REQUIRE: &str = "TF_SHIM_TESTS_REQUIRE_CALLERS";

/// Finds a program; `None`, with a message, where there is none.
///
/// # Panics
/// If there is none and [`REQUIRE`] is set to something but `0`.
#[must_use]
#[expect(clippy::print_stdout, reason = "a skipped test says so where the test run shows it")]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = std::env::var_os(DIRECTORY).map(PathBuf::from);
    let places = first.into_iter().chain(std::env::split_paths(&path));
    let found =
        places.map(|place| place.join(name)).find(|file| file.is_absolute() && file.is_file());
    if found.is_none() {
        assert!(!is_required(), "{REQUIRE} is set and there is no {name}");
        println!("skipped: no {name}");
    }
    found
}

/// Finds a Python that has a package; `None`, with a message, where there is none.
///
/// # Panics
/// If there is none and [`REQUIRE`] is set to something but `0`.
#[must_use]
#[expect(clippy::print_stdout, reason = "a skipped test says so where the test run shows it")]
pub fn find_python_with(package: &str) -> Option<PathBuf> {
    let python = find("python3")?;
    let mut probe = std::process::Command::new(&python);
    let probed = probe.args(["-c", &format!("import {package}")]).output().ok()?;
    if !probed.status.success() {
        assert!(!is_required(), "{REQUIRE} is set and {} has no {package}", python.display());
        println!("skipped: {} has no {package}", python.display());
        return None;
    }
    Some(python)
}

/// Whether a missing caller is a failure.
fn is_required() -> bool {
    std::env::var_os(REQUIRE).is_some_and(|value| !value.is_empty() && value != "0")
}
