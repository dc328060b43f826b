//! The stage of a test: a private home, project, `PATH` and environment, a fixed clock, fixed ids.
//!
//! A program in a sandbox gets nothing from the environment of the test run: no `HOME`, no
//! `XDG_STATE_HOME`, no `TF_*` of the developer, and a `PATH` that holds only what the test put there.
//! (Provisioners of a real Terraform therefore say `/bin/sleep`, not `sleep`.)

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::history::{self, History};
use crate::invocation::Invocation;
use crate::names::Names;
use crate::programs;
use crate::provider::{Provider, REATTACH_VARIABLE};
use crate::scenario::{Call, Event, SCENARIO_VARIABLE, Scenario, read_log};

/// The clock of debug builds of `tf`, RFC 3339.
pub const NOW_VARIABLE: &str = "TF_SHIM_TEST_NOW";

/// The seed of the ids of debug builds of `tf`, a number.
pub const IDS_VARIABLE: &str = "TF_SHIM_TEST_IDS";

/// What the clock says in every sandbox.
pub const NOW: &str = "2026-11-20T10:00:00Z";

/// A private world for one test; removed when dropped.
#[derive(Debug)]
pub struct Sandbox {
    /// Holds everything below; its path is canonical.
    root: PathBuf,
    /// Removes it.
    _directory: TempDir,
    /// Environment of every program started here.
    environment: BTreeMap<OsString, OsString>,
    /// What is run by [`Sandbox::tf`].
    tf: PathBuf,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// Makes a sandbox with an empty project and no Terraform at all.
    #[must_use]
    pub fn new() -> Self {
        Self::of(&programs::find("tf-under-test"))
    }

    /// Makes a sandbox for another build of `tf`, for example the release build of a benchmark.
    #[must_use]
    pub fn of(tf: &Path) -> Self {
        let directory = tempfile::Builder::new().prefix("tf-sandbox-").tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for name in ["home", "project", "bin", "names", "tmp"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        let environment = [
            ("HOME", root.join("home").into_os_string()),
            ("PATH", root.join("bin").into_os_string()),
            ("TMPDIR", root.join("tmp").into_os_string()),
            ("TZ", "UTC".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("CHECKPOINT_DISABLE", "1".into()),
            (NOW_VARIABLE, NOW.into()),
            (IDS_VARIABLE, "1".into()),
        ];
        let environment = environment.into_iter().map(|(n, v)| (n.into(), v)).collect();
        let sandbox = Self { root, _directory: directory, environment, tf: PathBuf::new() };
        let link = sandbox.root.join("names/tf");
        symlink(tf, &link).unwrap();
        Self { tf: link, ..sandbox }
    }

    /// Puts the fake on `PATH` as `terraform`, with a part to play.
    #[must_use]
    pub fn with_fake(mut self, scenario: Scenario) -> Self {
        self.play(scenario);
        self.put_on_path("terraform", &programs::find("fake-terraform"));
        let file = self.root.join("scenario.json").into_os_string();
        self.environment.insert(SCENARIO_VARIABLE.into(), file);
        self
    }

    /// Puts the real Terraform on `PATH`; `None`, with a message, where there is none.
    ///
    /// # Panics
    /// If there is none and `TF_SHIM_TESTS_REQUIRE_TERRAFORM` is set.
    #[must_use]
    #[expect(clippy::print_stdout, reason = "a skipped test says so where the test run shows it")]
    pub fn with_real_terraform(self) -> Option<Self> {
        let Some(real) = programs::real_terraform() else {
            println!("skipped: no terraform on PATH");
            return None;
        };
        self.put_on_path("terraform", &real);
        Some(self)
    }

    /// Attaches every Terraform started here to a provider, which must outlive it.
    #[must_use]
    pub fn with_provider(self, provider: &Provider) -> Self {
        self.with_variable(REATTACH_VARIABLE, provider.reattach())
    }

    /// Sets a variable for every program started here.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.insert(name.into(), value.as_ref().into());
        self
    }

    /// Removes a variable for every program started here.
    #[must_use]
    pub fn without_variable(mut self, name: &str) -> Self {
        self.environment.remove(OsStr::new(name));
        self
    }

    /// Lets [`Sandbox::tf`] run `tf` under another name, through a symlink.
    #[must_use]
    pub fn called_as(mut self, name: &str) -> Self {
        let target = std::fs::canonicalize(&self.tf).unwrap();
        self.tf = self.root.join("names").join(name);
        symlink(target, &self.tf).unwrap();
        self
    }

    /// Gives the fake another part, from the next call on.
    pub fn play(&self, scenario: Scenario) {
        let log = self.root.join("calls.jsonl");
        Scenario { log, ..scenario }.save(&self.root.join("scenario.json"));
    }

    /// Prepares a call of `tf`.
    #[must_use]
    pub fn tf<I: IntoIterator<Item = S>, S: Into<OsString>>(&self, args: I) -> Invocation<'_> {
        self.program(&self.tf, args)
    }

    /// Prepares a call of what stands behind `terraform` on the private `PATH`, without `tf`.
    #[must_use]
    pub fn terraform<I: IntoIterator<Item = S>, S: Into<OsString>>(
        &self,
        args: I,
    ) -> Invocation<'_> {
        self.program(&self.bin().join("terraform"), args)
    }

    /// Prepares a call of any program.
    #[must_use]
    pub fn program<I: IntoIterator<Item = S>, S: Into<OsString>>(
        &self,
        program: &Path,
        args: I,
    ) -> Invocation<'_> {
        Invocation::new(self, program, args.into_iter().map(Into::into).collect())
    }

    /// Returns the working directory of every call.
    #[must_use]
    pub fn project(&self) -> PathBuf {
        self.root.join("project")
    }

    /// Returns the home directory.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// Returns the only entry of `PATH`.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// Returns the store of `tf`, which need not exist yet.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.home().join(".local/state/tf-shim")
    }

    /// Returns the user's configuration file, which need not exist.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.home().join(".config/tf-shim/config.toml")
    }

    /// Returns a path below the root of the sandbox, outside project and home.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Returns the program that [`Sandbox::tf`] runs, symlinks resolved.
    #[must_use]
    pub fn tf_program(&self) -> PathBuf {
        std::fs::canonicalize(&self.tf).unwrap()
    }

    /// Returns the environment every program here is started with.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<OsString, OsString> {
        &self.environment
    }

    /// Returns the names that replace what differs from run to run.
    #[must_use]
    pub fn names(&self) -> Names {
        Names::default()
            .with(self.root.clone(), "[ROOT]")
            .with(self.project(), "[PROJECT]")
            .with(self.home(), "[HOME]")
            .with(self.bin(), "[BIN]")
            .with(self.store(), "[STORE]")
    }

    /// Writes a file of the project; directories are made.
    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        write(&self.project().join(name), content.as_ref());
    }

    /// Writes a file anywhere below the root of the sandbox.
    ///
    /// # Panics
    /// If the path leads out of the sandbox.
    pub fn write_at(&self, path: &Path, content: impl AsRef<[u8]>) {
        assert!(path.starts_with(&self.root), "`{}` is not in the sandbox", path.display());
        write(path, content.as_ref());
    }

    /// Writes an executable shell script.
    pub fn write_script(&self, path: &Path, body: &str) {
        self.write_executable(path, &format!("#!/bin/sh\n{body}\n"));
    }

    /// Writes an executable text, its first line included.
    pub fn write_executable(&self, path: &Path, text: &str) {
        let mut draft = path.as_os_str().to_owned();
        draft.push(".draft");
        let draft = PathBuf::from(draft);
        self.write_at(&draft, text);
        std::fs::set_permissions(&draft, Permissions::from_mode(0o755)).unwrap();
        programs::copy(&draft, path);
        std::fs::remove_file(draft).unwrap();
    }

    /// Reads a file of the project.
    #[must_use]
    pub fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        std::fs::read(self.project().join(name)).unwrap()
    }

    /// Whether a file of the project exists.
    #[must_use]
    pub fn has(&self, name: impl AsRef<Path>) -> bool {
        self.project().join(name).exists()
    }

    /// Puts a symlink on the private `PATH`, in place of what is there.
    pub fn put_on_path(&self, name: &str, target: &Path) {
        let link = self.bin().join(name);
        if link.is_symlink() {
            std::fs::remove_file(&link).unwrap();
        }
        symlink(target, link).unwrap();
    }

    /// Copies the program under test, so that the copy is another file with the same content.
    pub fn copy_tf(&self, to: &Path) {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        programs::copy(&self.tf_program(), to);
    }

    /// Reads every history of the store, verified.
    #[must_use]
    pub fn histories(&self) -> Vec<History> {
        history::read_all(&self.store())
    }

    /// Reads the one history of the store, verified.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[must_use]
    pub fn history(&self) -> History {
        let mut all = self.histories();
        assert_eq!(all.len(), 1, "one history was expected: {all:#?}");
        all.remove(0)
    }

    /// Reads the history of a state file of the project, verified.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn history_of(&self, name: impl AsRef<Path>) -> History {
        let path = self.project().join(name);
        let all = self.histories();
        let found = all.iter().find(|history| {
            history.identity["kind"] == "local" && history.path() == path.as_os_str().as_bytes()
        });
        found.unwrap_or_else(|| panic!("no history of `{}`: {all:#?}", path.display())).clone()
    }

    /// Reads everything the fake has written down so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        read_log(&self.path("calls.jsonl"))
    }

    /// Reads the calls of the fake so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let call = |event| if let Event::Call(call) = event { Some(*call) } else { None };
        self.events().into_iter().filter_map(call).collect()
    }
}

/// Writes a file and the directories above it.
fn write(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}
