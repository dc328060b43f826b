//! pre-commit: the recipe run by the real one, from `PyPI`, in a repository of git.

use std::path::PathBuf;

use shim_tests::callers::tools;
use shim_tests::recipes::file;
use shim_tests::{Sandbox, Transcript, stage};

/// A repository with the recipe, where both programs are installed.
struct Repository {
    /// Where it is.
    sandbox: Sandbox,
    /// pre-commit.
    pre_commit: PathBuf,
    /// git.
    git: PathBuf,
}

impl Repository {
    /// Makes it; none where something is not installed.
    fn make() -> Option<Self> {
        let pre_commit = tools::find("pre-commit")?;
        let git = tools::find("git")?;
        let sandbox = Sandbox::new().with_real_terraform()?;
        sandbox.put_on_path("tf", &sandbox.tf_program());
        sandbox.put_on_path("git", &git);
        let recipe = std::fs::read(file("contrib/pre-commit/.pre-commit-config.yaml")).unwrap();
        sandbox.write(".pre-commit-config.yaml", recipe);
        let repository = Self { sandbox, pre_commit, git };
        repository.git(&["init", "-q"]);
        Some(repository)
    }

    /// Runs git.
    fn git(&self, args: &[&str]) {
        self.sandbox.program(&self.git, args.iter().copied()).run().assert_status(0);
    }

    /// Adds everything and runs one hook over it.
    fn hook(&self, id: &str) -> Transcript {
        self.git(&["add", "-A", "-f"]);
        let path = format!("{}:/usr/bin:/bin", self.sandbox.bin().display());
        let args = ["run", "--all-files", "--color=never", id];
        self.sandbox.program(&self.pre_commit, args).env("PATH", path).run()
    }
}

#[test]
fn a_clean_repository_passes_every_hook_and_nothing_is_recorded() {
    let Some(repository) = Repository::make() else { return };
    let sandbox = &repository.sandbox;
    sandbox.write("main.tf", stage::resource("a", "1"));
    sandbox.write("modules/net/main.tf", stage::resource("b", "1"));
    sandbox.write("main.tfvars", "size = 1\n");
    sandbox.write(".tf-shim.toml", "[check]\noutputs = [\"nodes\"]\n");
    for id in ["terraform-fmt", "terraform-validate", "no-state", "tf-shim-settings"] {
        repository.hook(id).assert_status(0);
    }
    assert!(sandbox.histories().is_empty());
}

#[test]
fn format_validity_states_and_settings_are_refused() {
    let Some(repository) = Repository::make() else { return };
    let sandbox = &repository.sandbox;
    let refused = |id: &str, why: &str| {
        let transcript = repository.hook(id);
        transcript.assert_status(1);
        assert!(transcript.stdout_text().contains(why), "{transcript}");
    };
    sandbox.write("odd.tf", "locals {\na=1\n}\n");
    refused("terraform-fmt", "files were modified by this hook");
    sandbox.write("modules/net/main.tf", "resource \"terraform_data\" \"b\" {\n  missing = 1\n}\n");
    refused("terraform-validate", "Unsupported argument");
    sandbox.write("terraform.tfstate.backup", "{}");
    refused("no-state", "terraform.tfstate.backup");
    sandbox.write(".tf-shim.toml", "[guard]\nnonsense = 1\n");
    refused("tf-shim-settings", ".tf-shim.toml:2");
}

#[test]
fn a_module_that_needs_init_is_initialised_without_its_backend() {
    let Some(repository) = Repository::make() else { return };
    let sandbox = &repository.sandbox;
    let backend =
        "terraform {\n  backend \"http\" {\n    address = \"http://127.0.0.1:1/none\"\n  }\n}\n\n";
    let module = "module \"net\" {\n  source = \"./net\"\n}\n";
    sandbox.write("main.tf", [backend, module].concat());
    sandbox.write("net/main.tf", stage::resource("b", "1"));
    repository.hook("terraform-validate").assert_status(0);
    assert!(sandbox.histories().is_empty());
}
