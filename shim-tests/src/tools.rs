//! Programs of the system that a test lends to a sandbox, whose `PATH` holds nothing else.

use crate::programs::{found_or_skipped, on_path};
use crate::sandbox::Sandbox;

/// The variable that turns "no git here, skipped" into a failure.
pub const REQUIRE_GIT: &str = "TF_SHIM_TESTS_REQUIRE_GIT";

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
            let tool = on_path(name).unwrap_or_else(|| panic!("PATH has no `{name}`"));
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
    pub fn with_git(self) -> Option<Self> {
        let git = found_or_skipped("git", REQUIRE_GIT)?;
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
