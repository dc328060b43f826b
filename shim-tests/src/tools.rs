//! Programs of the system that a test lends to a sandbox, whose `PATH` holds nothing else.

use std::path::PathBuf;

use crate::sandbox::Sandbox;

/// The variable that turns "no git here, skipped" into a failure.
pub const REQUIRE_GIT: &str = "TF_SHIM_TESTS_REQUIRE_GIT";

/// Finds a program on the `PATH` of the test run.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = std::env::split_paths(&path).map(|directory| directory.join(name));
    candidates.into_iter().find(|candidate| candidate.is_absolute() && candidate.is_file())
}

impl Sandbox {
    /// Adds a directory to `PATH` that holds these programs of the system.
    ///
    /// # Panics
    /// If one of them is missing: they are those that every system has.
    #[must_use]
    pub fn with_tools(self, names: &[&str]) -> Self {
        let directory = self.path("tools");
        std::fs::create_dir(&directory).unwrap();
        for name in names {
            let tool = find(name).unwrap_or_else(|| panic!("PATH has no `{name}`"));
            std::os::unix::fs::symlink(tool, directory.join(name)).unwrap();
        }
        let path = std::env::join_paths([self.bin(), directory]).unwrap();
        self.with_variable("PATH", path)
    }

    /// Puts git on `PATH` and makes the project a repository; `None`, with a message, where there is no git.
    ///
    /// # Panics
    /// If there is none and [`REQUIRE_GIT`] is set.
    #[must_use]
    #[expect(clippy::print_stdout, reason = "a skipped test says so where the test run shows it")]
    pub fn with_git(self) -> Option<Self> {
        let Some(git) = find("git") else {
            let required = std::env::var_os(REQUIRE_GIT).is_some_and(|v| !v.is_empty() && v != "0");
            assert!(!required, "{REQUIRE_GIT} is set and PATH has no git");
            println!("skipped: no git on PATH");
            return None;
        };
        self.put_on_path("git", &git);
        self.git(["init", "-q"]);
        Some(self)
    }

    /// Runs git in the project.
    ///
    /// # Panics
    /// If it fails.
    pub fn git<const N: usize>(&self, args: [&str; N]) {
        self.program(&self.bin().join("git"), args).run().assert_status(0);
    }
}
