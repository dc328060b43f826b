//! Real callers from a package registry, where they are installed.
//!
//! They are looked for in [`DIRECTORY`] first, which CI fills with a Python environment, then on the
//! `PATH` of the test run. A test that finds none says so and is skipped.

use std::path::PathBuf;

use crate::programs::{found_or_skipped, skip};

/// The variable that names a directory with callers.
pub const DIRECTORY: &str = "TF_SHIM_TESTS_CALLERS";

/// The variable that turns "not installed, skipped" into a failure.
pub const REQUIRE: &str = "TF_SHIM_TESTS_REQUIRE_CALLERS";

/// Finds a program; `None`, with a message, where there is none.
///
/// # Panics
/// If there is none and [`REQUIRE`] is set to something but `0`.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let first = std::env::var_os(DIRECTORY).map(|directory| PathBuf::from(directory).join(name));
    let first = first.filter(|file| file.is_absolute() && file.is_file());
    first.or_else(|| found_or_skipped(name, REQUIRE))
}

/// Finds a Python that has a package; `None`, with a message, where there is none.
///
/// # Panics
/// If there is none and [`REQUIRE`] is set to something but `0`.
#[must_use]
pub fn find_python_with(package: &str) -> Option<PathBuf> {
    let python = find("python3")?;
    let mut probe = std::process::Command::new(&python);
    let probed = probe.args(["-c", &format!("import {package}")]).output().ok()?;
    if !probed.status.success() {
        return skip(&format!("no {package} in {}", python.display()), REQUIRE);
    }
    Some(python)
}
