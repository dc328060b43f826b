//! The columns: every guarded command, each in a form that Terraform would carry out.

use shim_tests::Sandbox;

use super::contract::Asks;

/// One command.
#[derive(Clone, Copy)]
pub(crate) struct Verb {
    /// What it is, as the page says it.
    pub(crate) words: &'static str,
    /// How it is called.
    pub(crate) args: &'static [&'static str],
    /// Which guards it asks.
    pub(crate) asks: Asks,
    /// Which workspace's state it is about.
    pub(crate) workspace: &'static str,
    /// Another configuration of the backend, written before.
    backend: Option<&'static str>,
}

impl Verb {
    /// A command about the state of the selected workspace.
    const fn new(words: &'static str, args: &'static [&'static str], asks: Asks) -> Self {
        Self { words, args, asks, workspace: "default", backend: None }
    }

    /// The name of the state file, from the project on.
    pub(crate) fn state(&self) -> String {
        match self.workspace {
            "default" => "terraform.tfstate".to_owned(),
            other => format!("terraform.tfstate.d/{other}/terraform.tfstate"),
        }
    }

    /// Prepares what it needs.
    pub(crate) fn prepare(&self, sandbox: &Sandbox) {
        if let Some(text) = self.backend {
            sandbox.write("backend.tf", text);
        }
    }
}

/// The address of nobody's provider, and of another one.
const PROVIDERS: [&str; 2] = ["registry.terraform.io/hashicorp/none", "example.com/acme/none"];

/// All of them.
pub(crate) const VERBS: &[Verb] = &[
    Verb::new("apply", &["apply", "-auto-approve"], Asks::All),
    Verb::new("apply PLAN", &["apply", "saved.plan"], Asks::All),
    Verb::new("destroy", &["destroy", "-auto-approve"], Asks::All),
    Verb::new("refresh", &["refresh"], Asks::All),
    Verb::new("taint", &["taint", "terraform_data.a"], Asks::All),
    Verb::new("untaint", &["untaint", "terraform_data.a"], Asks::All),
    Verb::new("state mv", &["state", "mv", "terraform_data.a", "terraform_data.z"], Asks::All),
    Verb::new("state rm", &["state", "rm", "terraform_data.a"], Asks::All),
    Verb::new(
        "state replace-provider",
        &["state", "replace-provider", "-auto-approve", PROVIDERS[0], PROVIDERS[1]],
        Asks::All,
    ),
    Verb::new("import", &["import", "terraform_data.c", "some-id"], Asks::AllButMissing),
    Verb::new("state push", &["state", "push", "push.tfstate"], Asks::Writing),
    Verb::new("init -migrate-state", &["init", "-migrate-state"], Asks::Corrupt),
    Verb::new("init -reconfigure", &["init", "-reconfigure"], Asks::Corrupt),
    Verb::new("init -force-copy", &["init", "-force-copy"], Asks::Corrupt),
    Verb {
        backend: Some("terraform {\n  backend \"local\" {\n    path = \"moved.tfstate\"\n  }\n}\n"),
        ..Verb::new("init with a changed backend", &["init", "-input=false"], Asks::Corrupt)
    },
    Verb {
        workspace: "w",
        ..Verb::new("workspace delete", &["workspace", "delete", "-force", "w"], Asks::Corrupt)
    },
    Verb::new("init", &["init"], Asks::Nothing),
    Verb::new("force-unlock", &["force-unlock", "-force", "some-lock"], Asks::Unlocking),
    Verb::new("workspace new", &["workspace", "new", "v"], Asks::NothingAndTouchesNone),
    Verb::new(
        "workspace select -or-create",
        &["workspace", "select", "-or-create", "v"],
        Asks::NothingAndTouchesNone,
    ),
];
