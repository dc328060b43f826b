//! Where the programs of this package are: beside the test that runs.

use std::path::{Path, PathBuf};
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

/// Finds a program on the `PATH` of the test run.
#[must_use]
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = std::env::split_paths(&path).map(|directory| directory.join(name));
    candidates.into_iter().find(|candidate| candidate.is_absolute() && candidate.is_file())
}

/// Finds a program on the `PATH` of the test run that not every machine has; `None`, with a message, where
/// there is none.
///
/// # Panics
/// If there is none and the variable `require` is set to something but `0`.
#[must_use]
pub fn found_or_skipped(name: &str, require: &str) -> Option<PathBuf> {
    on_path(name).or_else(|| skip(&format!("no {name} on PATH"), require))
}

/// Says that a test is skipped, and why.
///
/// # Panics
/// If the variable `require` is set to something but `0`: then nothing may be skipped for that reason.
#[must_use]
#[expect(clippy::print_stdout, reason = "a skipped test says so where the test run shows it")]
pub fn skip<T>(why: &str, require: &str) -> Option<T> {
    let is_required = std::env::var_os(require).is_some_and(|v| !v.is_empty() && v != "0");
    assert!(!is_required, "{require} is set, and there is {why}");
    println!("skipped: {why}");
    None
}

/// Finds the real Terraform on the `PATH` of the test run; `None`, with a message, where there is none.
///
/// # Panics
/// If there is none and [`REQUIRE_TERRAFORM`] is set to something but `0`.
#[must_use]
pub fn real_terraform() -> Option<PathBuf> {
    found_or_skipped("terraform", REQUIRE_TERRAFORM)
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

/// Copies a program in a process of its own. Were it open for writing in ours, the child that another
/// test forks meanwhile would have it open as well, and nobody could start it: "text file busy".
///
/// # Panics
/// If it cannot be copied.
pub fn copy(from: &Path, to: &Path) {
    let copied = Command::new("/bin/cp").arg("--").arg(from).arg(to).status();
    assert!(copied.unwrap().success(), "cannot copy to `{}`", to.display());
}
