//! The world of one history: a configuration, a selected workspace, a backend, and states on the disk.
//!
//! What the next act can be follows from the disk alone, so that a real Terraform and the fake are led
//! through the same life. The fake is told beforehand what Terraform would write.

mod deeds;

use shim_tests::shim::shim;
use shim_tests::{Sandbox, Scenario, Step, Transcript, stage};

use super::act::Act;
use super::state::{Resource, Resources, State};

/// The names that resources may have.
const NAMES: &[&str] = &["a", "b", "c", "d", "e", "f"];
/// The workspaces beside the default one.
const WORKSPACES: &[&str] = &["blue", "green"];
/// The other path of the state.
const MOVED: &str = "moved/network.tfstate";
/// What cannot be created.
const FAILING: &str = "failing";

/// Who stands behind the name `terraform`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// A real one.
    Real,
    /// The fake.
    Fake,
}

/// How a command must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Must {
    /// With 0.
    Do,
    /// With 1.
    Fail,
    /// With 0, or with 1 where there is nothing to do.
    DoOrNothing,
}

/// One history as it is lived.
pub(crate) struct World {
    /// Where.
    pub(crate) sandbox: Sandbox,
    /// By whom.
    behind: Behind,
    /// The configuration: inputs by name.
    config: Vec<(String, String)>,
    /// The selected workspace.
    workspace: String,
    /// Whether the state is at the other path.
    is_moved: bool,
    /// Numbers for what must be new.
    fresh: u64,
    /// Every command so far.
    pub(crate) told: Vec<String>,
    /// What was wrong.
    pub(crate) wrong: Vec<String>,
}

impl World {
    /// An empty one; none where there is no Terraform.
    pub(crate) fn new(behind: Behind) -> Option<Self> {
        let sandbox = match behind {
            Behind::Real => Sandbox::new().with_real_terraform()?,
            Behind::Fake => Sandbox::new().with_fake(Scenario::terraform()),
        };
        Some(Self {
            sandbox,
            behind,
            config: vec![("a".to_owned(), "0".to_owned())],
            workspace: "default".to_owned(),
            is_moved: false,
            fresh: 0,
            told: Vec::new(),
            wrong: Vec::new(),
        })
    }

    /// Path of the state of the selected workspace, from the project on.
    fn path(&self) -> String {
        self.path_of(&self.workspace)
    }

    /// Path of the state of a workspace.
    fn path_of(&self, workspace: &str) -> String {
        match workspace {
            "default" if self.is_moved => MOVED.to_owned(),
            "default" => "terraform.tfstate".to_owned(),
            other => format!("terraform.tfstate.d/{other}/terraform.tfstate"),
        }
    }

    /// The state in a file of the project.
    fn state_in(&self, path: &str) -> Option<State> {
        State::read(&self.sandbox.project().join(path))
    }

    /// The state of the selected workspace.
    fn state(&self) -> Option<State> {
        self.state_in(&self.path())
    }

    /// The resources of the selected workspace.
    fn resources(&self) -> Resources {
        self.state().map(|state| state.resources).unwrap_or_default()
    }

    /// Those that are in the state and in the configuration.
    fn settled(&self) -> Vec<String> {
        let resources = self.resources();
        let names = self.config.iter().map(|(name, _)| name.clone());
        names.filter(|name| resources.contains_key(name)).collect()
    }

    /// Names that are neither in the configuration nor in the state.
    fn unused(&self) -> Vec<String> {
        let resources = self.resources();
        let is_used = |name: &str| {
            resources.contains_key(name) || self.config.iter().any(|(used, _)| used == name)
        };
        NAMES.iter().filter(|name| !is_used(name)).map(|&name| name.to_owned()).collect()
    }

    /// The workspaces that are there, beside the default one.
    fn workspaces(&self) -> Vec<String> {
        let has = |name: &&&str| self.sandbox.has(format!("terraform.tfstate.d/{name}"));
        WORKSPACES.iter().filter(has).map(|&name| name.to_owned()).collect()
    }

    /// Whether an act can be done now.
    pub(crate) fn can(&self, act: Act) -> bool {
        let settled = || !self.settled().is_empty();
        let is_there = || self.state().is_some();
        match act {
            Act::Change
            | Act::Same
            | Act::SavedPlan
            | Act::RefreshOnly
            | Act::Outside
            | Act::Refresh
            | Act::OtherFile
            | Act::Init => true,
            Act::Destroy
            | Act::PushBack
            | Act::Rewritten
            | Act::StateOut
            | Act::Save
            | Act::Accept
            | Act::Undo
            | Act::Restore => is_there(),
            Act::CleanUp => self.state().is_some_and(|state| state.resources.is_empty()),
            // One that was untainted is there for Terraform, and nothing fails.
            Act::Failing => self.resources().get(FAILING).is_none_or(|it| it.is_tainted),
            Act::Untaint => self.resources().values().any(|resource| resource.is_tainted),
            Act::StateMv | Act::Moved => settled() && !self.unused().is_empty(),
            Act::Taint | Act::ThereAndBack | Act::Forget | Act::Split => settled(),
            Act::Import => !self.unused().is_empty(),
            Act::NewWorkspace => self.workspaces().len() < WORKSPACES.len(),
            Act::Select | Act::DeleteWorkspace => !self.workspaces().is_empty(),
            Act::Migrate => self.workspaces().is_empty() && is_there(),
        }
    }

    /// Runs one command through `tf`; `steps` is what the fake does for it.
    fn tf(&mut self, args: &[&str], must: Must, steps: Vec<Step>) {
        if self.behind == Behind::Fake {
            let words = args.iter().copied().take_while(|word| !word.starts_with('-'));
            let end = (must == Must::Fail).then_some(Step::Exit(1));
            let steps = steps.into_iter().chain(end);
            let words: Vec<&str> = words.take(2).collect();
            // `state mv A B` is played by its first two words, `apply PLAN` by its first.
            let words = if words[0] == "state" || words[0] == "workspace" {
                &words[..]
            } else {
                &words[..1]
            };
            self.sandbox.play(Scenario::terraform().on(words.iter().copied(), steps));
        }
        let transcript = self.sandbox.tf(args.iter().copied()).run();
        self.look(&format!("tf {}", args.join(" ")), &transcript, must);
    }

    /// Runs a command of ours.
    fn shim(&mut self, args: &[&str], must: Must) {
        let transcript = shim(&self.sandbox, args.iter().copied()).run();
        self.look(&format!("tf shim {}", args.join(" ")), &transcript, must);
    }

    /// Keeps what was done, and what was wrong with it.
    fn look(&mut self, line: &str, transcript: &Transcript, must: Must) {
        self.told.push(line.to_owned());
        let fits = match must {
            Must::Do => transcript.status() == Some(0),
            Must::Fail => transcript.status() == Some(1),
            Must::DoOrNothing => matches!(transcript.status(), Some(0 | 1)),
        };
        if !fits || transcript.stderr_text().contains("\"tf_shim\":\"refused\"") {
            self.wrong.push(transcript.to_string());
        }
    }

    /// A number that was not there before, as text.
    fn fresh(&mut self) -> String {
        self.fresh += 1;
        self.fresh.to_string()
    }

    /// Writes the configuration, and more of it.
    fn configure(&self, more: &str) {
        let resources = self.config.iter().map(|(name, input)| stage::resource(name, input));
        let text: String = resources.collect();
        let backend =
            format!("terraform {{\n  backend \"local\" {{\n    path = \"{MOVED}\"\n  }}\n}}\n");
        let backend = if self.is_moved { &backend } else { "" };
        self.sandbox.write("main.tf", format!("# A stack.\n{backend}{text}{more}"));
    }

    /// What an apply of the configuration leaves.
    fn applied(&self) -> Resources {
        let one = |(name, input): &(String, String)| {
            (name.clone(), Resource { input: input.clone(), is_tainted: false })
        };
        self.config.iter().map(one).collect()
    }

    /// What Terraform would write to a file, given what it read; none keeps the resources.
    fn written(&mut self, from: &str, to: &str, resources: Option<Resources>) -> Vec<Step> {
        let was = self.state_in(from);
        let state = match (was, resources) {
            (Some(was), None) => was,
            (Some(was), Some(resources)) if was.resources == resources => was,
            (Some(was), Some(resources)) => {
                // One write for each resource, or nearly.
                let serial = was.serial + 1 + self.fresh % 2;
                State { serial, resources, ..was }
            }
            (None, resources) => State {
                lineage: format!(
                    "{:08x}-53d4-44b7-9f0c-6c2b9a1e7d10",
                    self.fresh().len() as u64 * 7919 + self.fresh
                ),
                serial: 1 + self.fresh % 3,
                resources: resources.unwrap_or_default(),
            },
        };
        let before = std::fs::read(self.sandbox.project().join(to)).unwrap_or_default();
        let is_new = before.is_empty() || before == state.bytes().as_bytes();
        let backup = (!is_new).then(|| Step::write(format!("{to}.backup"), before));
        backup.into_iter().chain([Step::write(to, state.bytes())]).collect()
    }

    /// Runs a command that leaves these resources in the selected workspace.
    fn write_state(&mut self, args: &[&str], must: Must, resources: Option<Resources>) {
        let path = self.path();
        let steps = self.written(&path, &path, resources);
        self.configure("");
        self.tf(args, must, steps);
    }

    /// Applies the configuration.
    fn apply(&mut self, args: &[&str], resources: Option<Resources>) {
        let resources = resources.unwrap_or_else(|| self.applied());
        self.write_state(args, Must::Do, Some(resources));
    }
}
