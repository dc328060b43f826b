//! Where the programs of this package are: beside the test that runs.

use std::path::PathBuf;
use std::process::Command;

/// The variable that turns "no Terraform here, skipped" into a failure.
pub const REQUIRE_TERRAFORM: &str = "TF_SHIM_TESTS_REQUIRE_TERRAFORM";

/// Finds a binary of this package, by its Cargo name.
///
/// Cargo and nextest name it in a variable; older ones are asked by looking beside the test binary,
/// which lies in `deps/` below the directory of the binaries.
#[must_use]
pub fn find(name: &str) -> PathBuf {
    ["CARGO_BIN_EXE_", "NEXTEST_BIN_EXE_"]
        .iter()
        .find_map(|prefix| std::env::var_os(format!("{prefix}{name}")))
        .map_or_else(|| beside_us(name), PathBuf::from)
}

/// Finds the real Terraform on the `PATH` of the test run, `None` if there is none.
///
/// # Panics
/// If there is none and [`REQUIRE_TERRAFORM`] is set to something but `0`.
#[must_use]
pub fn real_terraform() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join("terraform"))
        .find(|candidate| candidate.is_absolute() && candidate.is_file());
    let required = std::env::var_os(REQUIRE_TERRAFORM).is_some_and(|v| !v.is_empty() && v != "0");
    assert!(found.is_some() || !required, "{REQUIRE_TERRAFORM} is set and PATH has no terraform");
    found
}

/// Whether a program is on the `PATH` of the test run; where it is not, that is said.
///
/// # Panics
/// If it is not there and the variable `required` is set to something but `0`.
#[must_use]
#[expect(clippy::print_stdout, reason = "what is passed over says so where the test run shows it")]
pub fn is_here(name: &str, required: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = std::env::split_paths(&path).any(|directory| directory.join(name).is_file());
    let is_required = std::env::var_os(required).is_some_and(|v| !v.is_empty() && v != "0");
    assert!(is_here || !is_required, "{required} is set and PATH has no {name}");
    if !is_here {
        println!("passed over: no {name} on PATH");
    }
    is_here
}

/// Whether a program is there and does this; where it does not, that is said.
#[must_use]
#[expect(clippy::print_stdout, reason = "what is passed over says so where the test run shows it")]
pub fn works(name: &str, args: &[&str]) -> bool {
    let works = Command::new(name).args(args).output().is_ok_and(|output| output.status.success());
    if !works {
        println!("passed over: `{name}` does not work here");
    }
    works
}

/// Looks where Cargo puts binaries, seen from a test, a benchmark or another binary.
fn beside_us(name: &str) -> PathBuf {
    let us = std::env::current_exe().expect("a running program has a path");
    let mut directory = us.parent().expect("a program lies in a directory");
    if directory.ends_with("deps") {
        directory = directory.parent().expect("deps lies in the target directory");
    }
    let found = directory.join(name);
    assert!(found.exists(), "`{}` is not built; run `cargo test -p shim-tests`", found.display());
    found
}
