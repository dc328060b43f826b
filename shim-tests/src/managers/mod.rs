//! Version managers in a sandbox: what stands between the name `terraform` and a version of it.
//!
//! None of them is in the registries that the tests may use, except mise (npm, `@jdxcode/mise-linux-x64`); so
//! each is a stand-in that does what the real one does between the call and the version, and nothing else. What
//! that is was read in the public sources, without taking a line of them:
//!
//! | Manager | From | Between the call and the version |
//! | --- | --- | --- |
//! | tfenv 3.0 | `bin/terraform`, `lib/tfenv-exec.sh` | bash becomes bash becomes the version; follows `-chdir=`; puts its own directories, and then the version's *file*, in front of `PATH` |
//! | tenv 4 | `lightproxy`, `pkg/cmdproxy` | a program starts `tenv call`, which starts the version; both wait; follows `-chdir=`; SIGINT is left to the group |
//! | asdf 0.15 | `lib/commands/command-exec.bash` | a bash shim becomes bash `asdf` becomes the version; ignores `-chdir=`; the version's directory goes in front of `PATH`, its shims out of it |
//! | asdf 0.16 | `cmd.go`, `internal/shims` | the same shim, a compiled `asdf`; the shims stay in `PATH` |
//! | mise 2026.9 | seen | a link to a compiled program becomes the version; ignores `-chdir=`; the version's directory goes into `PATH` just before the shims |
//! | setup-terraform 4 | `wrapper/terraform.js` | a node script starts `terraform-bin`, waits, and writes the outputs of the step |
//!
//! A version is any program: the fake, a real Terraform, or `tf` itself, which is how loops are made.

mod scripts;

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::programs::{self, found_or_skipped, on_path};
use crate::sandbox::Sandbox;

/// The variable that turns "no node here, skipped" into a failure.
pub const REQUIRE_NODE: &str = "TF_SHIM_TESTS_REQUIRE_NODE";

/// The variable that turns "no mise here, skipped" into a failure.
pub const REQUIRE_MISE: &str = "TF_SHIM_TESTS_REQUIRE_MISE";

/// A version manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// tfenv 3: bash scripts.
    Tfenv,
    /// tenv 4: compiled, supervises.
    Tenv,
    /// asdf up to 0.15: bash.
    AsdfOfBash,
    /// asdf from 0.16: a bash shim, a compiled program.
    Asdf,
    /// mise: links to one compiled program.
    Mise,
    /// The wrapper of setup-terraform: node, supervises.
    SetupTerraform,
}

/// How a version gets to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// As a file of its own, so that the call tells which version it was.
    Copied,
    /// As a link: the same file as its target.
    Linked,
}

impl Manager {
    /// All that can run here; without node, setup-terraform's wrapper is left out, with a message.
    ///
    /// # Panics
    /// If there is no node and [`REQUIRE_NODE`] is set.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Tfenv, Self::Tenv, Self::AsdfOfBash, Self::Asdf, Self::Mise];
        if found_or_skipped("node", REQUIRE_NODE).is_some() {
            all.push(Self::SetupTerraform);
        }
        all
    }

    /// Those that choose among versions by files in the working directory.
    #[must_use]
    pub fn choosing() -> Vec<Self> {
        vec![Self::Tfenv, Self::Tenv, Self::AsdfOfBash, Self::Asdf, Self::Mise]
    }

    /// Whether it looks for a version where `-chdir=` leads.
    #[must_use]
    pub fn follows_chdir(self) -> bool {
        matches!(self, Self::Tfenv | Self::Tenv)
    }

    /// Whether the version is another process than the call of the manager.
    #[must_use]
    pub fn supervises(self) -> bool {
        matches!(self, Self::Tenv | Self::SetupTerraform)
    }

    /// Installs it, without any version.
    pub fn install(self, sandbox: &Sandbox) {
        let home = |name: &str| sandbox.home().join(name);
        let program = programs::find("version-manager");
        let compiled = |place: PathBuf| put(&place, &program, Placed::Copied);
        match self {
            Self::Tfenv => {
                sandbox.write_executable(&home(".tfenv/bin/terraform"), scripts::TFENV_TERRAFORM);
                sandbox.write_executable(&home(".tfenv/bin/tfenv"), scripts::TFENV);
                sandbox.write_executable(&home(".tfenv/libexec/tfenv-exec"), scripts::TFENV_EXEC);
            }
            Self::Tenv => {
                for name in ["tenv", "terraform", "tofu", "tf"] {
                    compiled(sandbox.path("tenv/bin").join(name));
                }
            }
            Self::AsdfOfBash => {
                sandbox.write_executable(&home(".asdf/shims/terraform"), scripts::ASDF_SHIM);
                sandbox.write_executable(&home(".asdf/bin/asdf"), scripts::ASDF);
            }
            Self::Asdf => {
                sandbox.write_executable(&home(".asdf/shims/terraform"), scripts::ASDF_SHIM);
                compiled(home(".asdf/bin/asdf"));
            }
            Self::Mise => {
                compiled(home(".local/bin/mise"));
                std::fs::create_dir_all(home(".local/share/mise/shims")).unwrap();
                let shim = home(".local/share/mise/shims/terraform");
                symlink(home(".local/bin/mise"), shim).unwrap();
            }
            Self::SetupTerraform => {
                sandbox
                    .write_executable(&sandbox.path("setup/terraform"), scripts::SETUP_TERRAFORM);
            }
        }
    }

    /// What it wants on `PATH`, the directory with `terraform` first.
    #[must_use]
    pub fn entries(self, sandbox: &Sandbox) -> Vec<PathBuf> {
        let names: &[&str] = match self {
            Self::Tfenv => &["home/.tfenv/bin"],
            Self::Tenv => &["tenv/bin"],
            Self::AsdfOfBash | Self::Asdf => &["home/.asdf/shims", "home/.asdf/bin"],
            Self::Mise => &["home/.local/share/mise/shims", "home/.local/bin"],
            Self::SetupTerraform => &["setup"],
        };
        names.iter().map(|name| sandbox.path(name)).collect()
    }

    /// Its `terraform`.
    #[must_use]
    pub fn terraform(self, sandbox: &Sandbox) -> PathBuf {
        self.entries(sandbox)[0].join("terraform")
    }

    /// Where it keeps a version of Terraform.
    #[must_use]
    pub fn place_of(self, sandbox: &Sandbox, version: &str) -> PathBuf {
        let home = sandbox.home();
        match self {
            Self::Tfenv => home.join(".tfenv/versions").join(version).join("terraform"),
            Self::Tenv => home.join(".tenv/Terraform").join(version).join("terraform"),
            Self::AsdfOfBash | Self::Asdf => {
                home.join(".asdf/installs/terraform").join(version).join("bin/terraform")
            }
            Self::Mise => {
                home.join(".local/share/mise/installs/terraform").join(version).join("terraform")
            }
            Self::SetupTerraform => sandbox.path("setup/terraform-bin"),
        }
    }

    /// Puts a program where it keeps that version.
    pub fn add(self, sandbox: &Sandbox, version: &str, program: &Path, placed: Placed) {
        put(&self.place_of(sandbox, version), program, placed);
    }

    /// Chooses a version in a directory of the project.
    pub fn choose(self, sandbox: &Sandbox, directory: &str, version: &str) {
        let (file, text) = match self {
            Self::Tfenv | Self::Tenv => (".terraform-version", format!("{version}\n")),
            Self::AsdfOfBash | Self::Asdf | Self::Mise => {
                (".tool-versions", format!("terraform {version}\n"))
            }
            Self::SetupTerraform => return,
        };
        sandbox.write(Path::new(directory).join(file), text);
    }

    /// Variables that it wants.
    #[must_use]
    pub fn variables(self, sandbox: &Sandbox) -> Vec<(&'static str, OsString)> {
        match self {
            Self::SetupTerraform => {
                vec![("TERRAFORM_CLI_PATH", sandbox.path("setup").into_os_string())]
            }
            Self::Tfenv | Self::Tenv | Self::AsdfOfBash | Self::Asdf | Self::Mise => Vec::new(),
        }
    }
}

/// Puts a program at a place.
pub fn put(place: &Path, program: &Path, placed: Placed) {
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    match placed {
        Placed::Copied => programs::copy(program, place),
        Placed::Linked => symlink(program, place).unwrap(),
    }
}

/// Writes a script of bash.
pub fn bash_script(sandbox: &Sandbox, place: &Path, body: &str) {
    sandbox.write_executable(place, &format!("#!/usr/bin/env bash\n{body}\n"));
}

/// Makes a directory with what scripts need (`bash`, `env`, node where there is one) and nothing named
/// terraform, and returns it.
///
/// # Panics
/// If there is no bash.
#[must_use]
pub fn tools(sandbox: &Sandbox) -> PathBuf {
    let tools = sandbox.path("tools");
    std::fs::create_dir(&tools).unwrap();
    for name in ["bash", "sh", "env", "cat", "node", "make", "xargs"] {
        if let Some(program) = on_path(name) {
            symlink(program, tools.join(name)).unwrap();
        }
    }
    assert!(tools.join("bash").exists(), "PATH has no bash");
    tools
}
