//! The directories in which twins are compared: made once by the real Terraform, then copied.
//!
//! Every resource depends on the one before, also across the module, and nothing has `count` or
//! `for_each`: Terraform walks what does not depend on each other in any order, so its output would
//! differ between two plain runs. For the same reason no world needs a registry or a network.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::backend::http::HttpBackend;
use crate::programs;
use crate::shim::with_serial;

use super::files::Tree;
use super::stage::http_variables;

/// Where an invocation happens, the simplest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum World {
    /// No file at all.
    Empty,
    /// A configuration, never applied.
    Fresh,
    /// Applied, nothing to do.
    Applied,
    /// Applied, then the configuration was edited.
    Changed,
    /// A single resource, applied: for what Terraform lists in no particular order.
    Lone,
    /// A single resource, applied, and no configuration any more.
    Emptied,
    /// A syntax error.
    Broken,
    /// A reference to nothing.
    Invalid,
    /// A variable without a value.
    Asking,
    /// Half a state.
    HalfState,
    /// A state of no bytes.
    EmptyState,
    /// A state of one newline.
    NewlineState,
    /// A state of a version to come.
    NewerState,
    /// A provisioner that describes what it sees.
    Probing,
    /// A provisioner that takes a moment between two lines.
    Slow,
    /// Somebody holds the lock of the local state.
    Locked,
    /// Several workspaces, `dev` selected.
    Workspaces,
    /// A `local` backend with a path of its own.
    LocalBackend,
    /// A `local` backend that was never initialised.
    Uninitialised,
    /// The state is behind the `http` backend.
    Http,
    /// The `http` backend, never initialised, with a local state from before.
    HttpFresh,
    /// The `http` backend, locked by somebody else.
    HttpLocked,
    /// File names and directories that are not UTF-8 or have blanks.
    Odd,
    /// Tests of Terraform's own.
    Tested,
    /// Everything a command line can name: plans, states, variable files, workspaces, a directory with
    /// a state of its own.
    Rich,
}

/// What a world is made of.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The project directory.
    pub project: Tree,
    /// What the `http` backend holds.
    pub remote: Option<Vec<u8>>,
    /// Whether the lock is held by somebody else.
    pub is_locked: bool,
}

/// Every world, made.
#[derive(Debug)]
pub struct Worlds(BTreeMap<World, Setup>);

impl World {
    /// Every world, the simplest first.
    pub const ALL: &[Self] = &[
        Self::Empty,
        Self::Fresh,
        Self::Applied,
        Self::Changed,
        Self::Lone,
        Self::Emptied,
        Self::Broken,
        Self::Invalid,
        Self::Asking,
        Self::HalfState,
        Self::EmptyState,
        Self::NewlineState,
        Self::NewerState,
        Self::Probing,
        Self::Slow,
        Self::Locked,
        Self::Workspaces,
        Self::LocalBackend,
        Self::Uninitialised,
        Self::Http,
        Self::HttpFresh,
        Self::HttpLocked,
        Self::Odd,
        Self::Tested,
        Self::Rich,
    ];
}

/// Two resources, a module, an output: a chain.
pub const MAIN: &str = r#"variable "tag" {
  default = "one"
}
variable "secret" {
  default   = "hush"
  sensitive = true
}
resource "terraform_data" "a" {
  input = var.tag
}
resource "terraform_data" "b" {
  input            = terraform_data.a.output
  triggers_replace = var.tag
}
module "m" {
  source = "./m"
  given  = terraform_data.b.output
}
output "tag" {
  value = module.m.taken
}
output "secret" {
  value     = var.secret
  sensitive = true
}
"#;

/// The module.
const MODULE: &str = r#"variable "given" {
}
resource "terraform_data" "c" {
  input = var.given
}
output "taken" {
  value = terraform_data.c.output
}
"#;

/// `MAIN`, edited: one to change, one to add.
const EDITED: &str = r#"resource "terraform_data" "d" {
  input = module.m.taken
}
"#;

/// A provisioner that runs the probe, and another that prints.
const PROBING: &str = r#"resource "terraform_data" "a" {
  provisioner "local-exec" {
    interpreter = ["./probe", "given"]
    command     = "state list"
    environment = { OF_THE_PROVISIONER = "1" }
  }
  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-c"]
    command     = "echo out; echo err >&2"
  }
}
"#;

/// One resource, some time between two lines of output.
const SLOW: &str = r#"resource "terraform_data" "a" {
  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-c"]
    command     = "echo one; /bin/sleep 0.3; echo two; /bin/sleep 0.3; echo three"
  }
}
"#;

/// A test of Terraform's own.
const TESTED: &str = r#"run "first" {
  assert {
    condition     = output.tag == "one"
    error_message = "not one"
  }
}
run "second" {
  command = plan
  variables {
    tag = "two"
  }
  assert {
    condition     = var.tag == "one"
    error_message = "not one either"
  }
}
"#;

/// Makes a single resource: `workspace delete` lists those of a state in no particular order.
const ONE: &str = "apply -auto-approve -target=terraform_data.a";

/// The lock info of somebody else, as Terraform 1.11.4 writes one.
const LOCK_INFO: &str = r#"{"ID":"6a1d1b1e-0000-4000-8000-000000000001","Operation":"OperationTypeApply","Info":"","Who":"ana@elsewhere","Version":"1.11.4","Created":"2026-11-20T09:00:00.000000001Z","Path":"terraform.tfstate"}"#;

/// A directory in which worlds are made.
struct Workshop {
    directory: tempfile::TempDir,
    terraform: std::path::PathBuf,
    backend: HttpBackend,
}

impl Worlds {
    /// Makes every world with the real Terraform; none where there is none (the harness says so).
    ///
    /// # Panics
    /// If Terraform refuses.
    #[must_use]
    pub fn make() -> Option<Self> {
        let terraform = programs::real_terraform()?;
        let directory = tempfile::Builder::new().prefix("tf-worlds-").tempdir().unwrap();
        let workshop = Workshop { directory, terraform, backend: HttpBackend::start() };
        let made = World::ALL.iter().map(|world| (*world, workshop.make(*world)));
        Some(Self(made.collect()))
    }

    /// Returns what a world is made of.
    #[must_use]
    pub fn setup(&self, world: World) -> &Setup {
        &self.0[&world]
    }
}

/// Returns the configuration that most worlds have.
fn plain() -> Tree {
    Tree::default().with("main.tf", MAIN).with("m/main.tf", MODULE)
}

impl Workshop {
    /// Makes one world.
    fn make(&self, world: World) -> Setup {
        let applied = || self.project(&plain(), &["init", "apply -auto-approve"]);
        let with_state = |state: &str| plain_state(applied(), state);
        let project = match world {
            World::Empty => Tree::default(),
            World::Fresh => self.project(&plain(), &["init"]),
            World::Applied | World::Locked => applied(),
            World::Changed => edited(applied()),
            World::Lone => self.lone(),
            World::Emptied => {
                let mut tree = self.lone();
                tree.remove(Path::new("main.tf"));
                tree
            }
            World::Broken => applied().with("broken.tf", "resource \"terraform_data\" {\n"),
            World::Invalid => applied().with("z.tf", "output \"z\" { value = local.nothing }\n"),
            World::Asking => Tree::default()
                .with("main.tf", "variable \"asked\" {}\noutput \"o\" { value = var.asked }\n"),
            World::HalfState => with_state("{\"version\": 4, \"terraform_ver"),
            World::EmptyState => with_state(""),
            World::NewlineState => with_state("\n"),
            World::NewerState => with_state("{\"version\": 5, \"terraform_version\": \"9.0.0\"}\n"),
            World::Probing => Tree::default().with("main.tf", PROBING),
            World::Slow => Tree::default().with("main.tf", SLOW),
            World::Workspaces => self.project(
                &plain(),
                &["init", "apply -auto-approve", "workspace new empty", "workspace new dev", ONE],
            ),
            World::LocalBackend => {
                let tree = plain().with("backend.tf", local_backend("kept/my.tfstate"));
                self.project(&tree, &["init", "apply -auto-approve"])
            }
            World::Uninitialised => applied().with("backend.tf", local_backend("kept/my.tfstate")),
            World::Http => return self.behind_http(),
            World::HttpLocked => return Setup { is_locked: true, ..self.behind_http() },
            World::HttpFresh => applied().with("backend.tf", http_backend()),
            World::Odd => odd(&applied()),
            World::Tested => self.project(&plain().with("t.tftest.hcl", TESTED), &["init"]),
            World::Rich => self.rich(),
        };
        let is_locked = world == World::Locked;
        let project = if is_locked {
            project.with(".terraform.tfstate.lock.info", LOCK_INFO)
        } else {
            project
        };
        Setup { project, remote: None, is_locked }
    }

    /// Puts files into an empty directory, runs commands there and reads what came of it.
    fn project(&self, files: &Tree, commands: &[&str]) -> Tree {
        let directory = tempfile::tempdir_in(&self.directory).unwrap();
        files.write(directory.path());
        for line in commands {
            self.run(directory.path(), line);
        }
        Tree::read(directory.path())
    }

    /// Runs one command, which must succeed.
    fn run(&self, directory: &Path, line: &str) {
        let output = Command::new(&self.terraform)
            .args(line.split_ascii_whitespace())
            .env_clear()
            .env("CHECKPOINT_DISABLE", "1")
            .env("HOME", self.directory.path())
            .envs(http_variables(&self.backend))
            .current_dir(directory)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "`terraform {line}` for a world: {text}");
    }

    /// The state behind the `http` backend.
    fn behind_http(&self) -> Setup {
        self.backend.set_state(None);
        let tree = plain().with("backend.tf", http_backend());
        let project = self.project(&tree, &["init", "apply -auto-approve"]);
        Setup { project, remote: self.backend.state(), is_locked: false }
    }

    /// One resource.
    fn lone(&self) -> Tree {
        let lone = "resource \"terraform_data\" \"lone\" {\n  input = \"x\"\n}\n";
        let tree =
            self.project(&Tree::default().with("main.tf", lone), &["init", "apply -auto-approve"]);
        let state = tree.file("terraform.tfstate").unwrap().to_vec();
        tree.with("copy.tfstate", state)
    }

    /// Everything a command line can name.
    fn rich(&self) -> Tree {
        let stale = [
            "init",
            "apply -auto-approve",
            "plan -out=stale.bin -var tag=old",
            "taint terraform_data.a",
            "untaint terraform_data.a",
        ];
        let plans = [
            "plan -out=noop.bin",
            "plan -out=change.bin -var tag=two",
            "plan -destroy -out=destroy.bin",
            "workspace new dev",
            ONE,
            "workspace select default",
        ];
        let lines: Vec<&str> = stale.into_iter().chain(plans).collect();
        let tree = self.project(&plain(), &lines);
        let newest = tree.file("terraform.tfstate").unwrap().to_vec();
        let foreign = self.project(&plain(), &["init", "apply -auto-approve"]);
        let foreign = foreign.file("terraform.tfstate").unwrap().to_vec();
        let sub = self.lone();
        let tree = tree
            .with("other.tfstate", newest.clone())
            .with("pushed.tfstate", with_serial(&newest, 99))
            .with("foreign.tfstate", foreign)
            .with("vars.tfvars", "tag = \"filed\"\n")
            .with("ugly.tf", "locals {\n a=1\n   bb   = 2\n}\n")
            .with("d.tf", EDITED);
        sub.0.into_iter().fold(tree, |mut tree, (name, entry)| {
            tree.0.insert(Path::new("sub").join(name), entry);
            tree.0.entry("sub".into()).or_insert((0o755, super::files::Node::Directory));
            tree
        })
    }
}

/// Replaces the state.
fn plain_state(tree: Tree, state: &str) -> Tree {
    tree.with("terraform.tfstate", state)
}

/// Edits the configuration.
fn edited(tree: Tree) -> Tree {
    let main = MAIN.replace("default = \"one\"", "default = \"two\"");
    tree.with("main.tf", main).with("d.tf", EDITED)
}

/// The odd names: the same project with a blank, and with bytes that are no text.
fn odd(applied: &Tree) -> Tree {
    let names = [Path::new("with blank"), Path::new(std::ffi::OsStr::from_bytes(b"no\xffutf8"))];
    let mut tree = Tree::default();
    for name in names {
        tree.0.insert(name.to_owned(), (0o755, super::files::Node::Directory));
        for (path, entry) in &applied.0 {
            tree.0.insert(name.join(path), entry.clone());
        }
    }
    tree
}

/// A `local` backend with a path.
fn local_backend(path: &str) -> String {
    format!("terraform {{\n  backend \"local\" {{\n    path = \"{path}\"\n  }}\n}}\n")
}

/// The `http` backend, whose address comes from the environment, so that a copy works anywhere.
fn http_backend() -> &'static str {
    "terraform {\n  backend \"http\" {\n    retry_max = 0\n  }\n}\n"
}
