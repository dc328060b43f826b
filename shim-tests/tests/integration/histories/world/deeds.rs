//! The acts, one by one: what is typed, and what the fake writes for it.

use std::path::PathBuf;

use shim_tests::grammar::random::Random;
use shim_tests::{Scenario, Step, stage};

use super::super::act::Act;
use super::super::state::{Resource, Resources};
use super::{Behind, FAILING, MOVED, Must, WORKSPACES, World};

impl World {
    /// Does it.
    pub(crate) fn act(&mut self, act: Act, random: &mut Random) {
        match act {
            Act::Change => self.change(random, &["apply", "-auto-approve"]),
            Act::Same => self.apply(&["apply", "-auto-approve"], None),
            Act::SavedPlan => self.saved_plan(random),
            Act::Failing => self.failing(),
            Act::Refresh => self.write_state(&["refresh"], Must::Do, None),
            Act::RefreshOnly => {
                self.write_state(&["apply", "-refresh-only", "-auto-approve"], Must::Do, None);
            }
            Act::Destroy => {
                let nothing = Some(Resources::new());
                self.write_state(&["destroy", "-auto-approve"], Must::Do, nothing);
            }
            Act::CleanUp => self.clean_up(),
            Act::Taint | Act::Untaint => self.taint(random, act == Act::Taint),
            Act::StateMv => self.state_mv(random),
            Act::Moved => self.moved(random),
            Act::ThereAndBack => self.there_and_back(random),
            Act::Forget => self.forget(random),
            Act::Import => self.import(random),
            Act::PushBack => self.push_back(),
            Act::Init => self.tf(&["init", "-input=false"], Must::Do, Vec::new()),
            Act::NewWorkspace => self.new_workspace(random),
            Act::Select => self.select(random),
            Act::DeleteWorkspace => self.delete_workspace(random),
            Act::Outside => self.outside(random),
            Act::Rewritten => self.rewritten(),
            Act::Save => self.shim(&["save"], Must::Do),
            Act::Accept => self.shim(&["accept", "-m", "as it is", "--yes"], Must::DoOrNothing),
            Act::Undo => self.shim(&["undo", "--yes", "--orphan"], Must::DoOrNothing),
            Act::Restore => self.shim(&["restore", "@-", "--yes"], Must::DoOrNothing),
            Act::Migrate => self.migrate(),
            Act::OtherFile => self.other_file(random),
            Act::StateOut => self.state_out(random),
            Act::Split => self.split(random),
        }
    }

    /// Changes the configuration.
    fn edit(&mut self, random: &mut Random) {
        let fresh = self.fresh();
        let unused = self.unused();
        match random.below(4) {
            0 if !self.config.is_empty() => {
                let at = random.below(self.config.len());
                self.config.remove(at);
            }
            1 if !self.config.is_empty() => {
                let at = random.below(self.config.len());
                self.config[at].1 = fresh;
            }
            _ => {
                let unused = unused.into_iter().take(1 + random.below(3));
                self.config.extend(unused.map(|name| (name, fresh.clone())));
            }
        }
    }

    /// Changes the configuration and applies it.
    fn change(&mut self, random: &mut Random, args: &[&str]) {
        self.edit(random);
        self.apply(args, None);
    }

    /// Saves a plan and applies it.
    fn saved_plan(&mut self, random: &mut Random) {
        self.edit(random);
        self.configure("");
        if self.behind == Behind::Fake {
            // A file that is no plan is none that the fake would write.
            return self.apply(&["apply", "-auto-approve"], None);
        }
        self.tf(&["plan", "-out=saved.plan"], Must::Do, Vec::new());
        let resources = self.applied();
        self.write_state(&["apply", "saved.plan"], Must::Do, Some(resources));
    }

    /// Applies what cannot be created.
    fn failing(&mut self) {
        let mut resources = self.applied();
        resources.insert(FAILING.to_owned(), Resource { input: String::new(), is_tainted: true });
        let path = self.path();
        let steps = self.written(&path, &path, Some(resources));
        self.configure(&stage::resource_running(FAILING, "exit 3"));
        self.tf(&["apply", "-auto-approve"], Must::Fail, steps);
        self.configure("");
    }

    /// Deletes what a destroy left.
    fn clean_up(&mut self) {
        let path = self.path();
        self.told.push(format!("rm {path}"));
        std::fs::remove_file(self.sandbox.project().join(path)).unwrap();
    }

    /// Taints one that is not, or the other way round.
    fn taint(&mut self, random: &mut Random, taints: bool) {
        let mut resources = self.resources();
        let fits = |name: &String| resources[name].is_tainted != taints;
        let names: Vec<String> = resources.keys().filter(|name| fits(name)).cloned().collect();
        if names.is_empty() {
            return;
        }
        let name = random.pick(&names).clone();
        resources.get_mut(&name).unwrap().is_tainted = taints;
        let verb = if taints { "taint" } else { "untaint" };
        let address = format!("terraform_data.{name}");
        self.write_state(&[verb, &address], Must::Do, Some(resources));
    }

    /// Gives a resource another name, in the configuration; returns both.
    fn rename(&mut self, random: &mut Random) -> (String, String) {
        let from = random.pick(&self.settled()).clone();
        let to = random.pick(&self.unused()).clone();
        let entry = self.config.iter_mut().find(|(name, _)| *name == from).unwrap();
        entry.0.clone_from(&to);
        (from, to)
    }

    /// Renames by hand.
    fn state_mv(&mut self, random: &mut Random) {
        let mut resources = self.resources();
        let (from, to) = self.rename(random);
        let moved = resources.remove(&from).unwrap();
        resources.insert(to.clone(), moved);
        let (from, to) = (format!("terraform_data.{from}"), format!("terraform_data.{to}"));
        self.write_state(&["state", "mv", &from, &to], Must::Do, Some(resources));
    }

    /// Renames by a block.
    fn moved(&mut self, random: &mut Random) {
        let (from, to) = self.rename(random);
        let resources = self.applied();
        let path = self.path();
        let steps = self.written(&path, &path, Some(resources));
        self.configure(&format!(
            "moved {{\n  from = terraform_data.{from}\n  to   = terraform_data.{to}\n}}\n"
        ));
        self.tf(&["apply", "-auto-approve"], Must::Do, steps);
        self.configure("");
    }

    /// Removes one from the state.
    fn remove(&mut self, random: &mut Random) -> String {
        let name = random.pick(&self.settled()).clone();
        let mut resources = self.resources();
        resources.remove(&name);
        let address = format!("terraform_data.{name}");
        self.write_state(&["state", "rm", &address], Must::Do, Some(resources));
        name
    }

    /// Imports one that is in the configuration.
    fn import_it(&mut self, name: &str) {
        let mut resources = self.resources();
        resources.insert(name.to_owned(), Resource { input: String::new(), is_tainted: false });
        let address = format!("terraform_data.{name}");
        self.write_state(&["import", &address, "some-id"], Must::Do, Some(resources));
    }

    /// Removes one and imports it again.
    fn there_and_back(&mut self, random: &mut Random) {
        let name = self.remove(random);
        self.import_it(&name);
    }

    /// Removes one for good.
    fn forget(&mut self, random: &mut Random) {
        let name = self.remove(random);
        self.config.retain(|(known, _)| *known != name);
        self.configure("");
    }

    /// Imports one that is new.
    fn import(&mut self, random: &mut Random) {
        let name = random.pick(&self.unused()).clone();
        let fresh = self.fresh();
        self.config.push((name.clone(), fresh));
        self.import_it(&name);
    }

    /// Pushes what was pulled.
    fn push_back(&mut self) {
        self.configure("");
        let pulled = std::fs::read(self.sandbox.project().join(self.path())).unwrap();
        self.sandbox.write("pulled.json", pulled);
        self.tf(&["state", "push", "pulled.json"], Must::Do, Vec::new());
    }

    /// Steps of the fake that select a workspace.
    fn selecting(name: &str) -> Step {
        Step::write(".terraform/environment", name)
    }

    /// Makes a workspace, and selects it.
    fn new_workspace(&mut self, random: &mut Random) {
        let known = self.workspaces();
        let unknown: Vec<&str> =
            WORKSPACES.iter().copied().filter(|name| !known.iter().any(|k| k == name)).collect();
        let name = (*random.pick(&unknown)).to_owned();
        let or_create = random.percent(30);
        self.make_workspace(&name, if or_create { &["select", "-or-create"] } else { &["new"] });
    }

    /// Makes a workspace of that name.
    fn make_workspace(&mut self, name: &str, words: &[&str]) {
        self.configure("");
        let made = Step::touch(format!("terraform.tfstate.d/{name}/.keep"));
        let args = [&["workspace"], words, &[name]].concat();
        self.tf(&args, Must::Do, vec![made, Self::selecting(name)]);
        name.clone_into(&mut self.workspace);
    }

    /// Selects another workspace.
    fn select(&mut self, random: &mut Random) {
        let all = [self.workspaces(), vec!["default".to_owned()]].concat();
        let name = random.pick(&all).clone();
        self.select_it(&name);
    }

    /// Selects a workspace.
    fn select_it(&mut self, name: &str) {
        self.configure("");
        self.tf(&["workspace", "select", name], Must::Do, vec![Self::selecting(name)]);
        name.clone_into(&mut self.workspace);
    }

    /// Deletes a workspace and what is in it, and may make it again, from nothing.
    fn delete_workspace(&mut self, random: &mut Random) {
        let name = random.pick(&self.workspaces()).clone();
        if self.workspace == name {
            self.select_it("default");
        }
        self.configure("");
        let path = self.path_of(&name);
        let directory = format!("terraform.tfstate.d/{name}");
        let beside =
            [".keep", "terraform.tfstate.backup"].map(|file| format!("{directory}/{file}"));
        let there = std::iter::once(path).chain(beside).filter(|path| self.sandbox.has(path));
        let steps = there.map(|path| Step::Delete(PathBuf::from(path))).collect();
        self.tf(&["workspace", "delete", "-force", &name], Must::Do, steps);
        if self.behind == Behind::Fake {
            std::fs::remove_dir_all(self.sandbox.project().join(directory)).unwrap();
        }
        if random.percent(50) {
            self.make_workspace(&name, &["new"]);
            self.apply(&["apply", "-auto-approve"], None);
        }
    }

    /// Plain Terraform changes something.
    fn outside(&mut self, random: &mut Random) {
        self.edit(random);
        if self.config.is_empty() {
            let fresh = self.fresh();
            self.config.push(("a".to_owned(), fresh));
        }
        self.configure("");
        self.told.push("terraform apply -auto-approve".to_owned());
        let (path, applied) = (self.path(), self.applied());
        let steps = self.written(&path, &path, Some(applied));
        if self.behind == Behind::Fake {
            self.sandbox.play(Scenario::terraform().on(["apply"], steps));
        }
        let transcript = self.sandbox.terraform(["apply", "-auto-approve"]).run();
        if transcript.status() != Some(0) {
            self.wrong.push(transcript.to_string());
        }
    }

    /// Another version writes the same.
    fn rewritten(&mut self) {
        let path = self.path();
        self.told.push(format!("another version rewrites {path}"));
        let state: serde_json::Value = serde_json::from_slice(&self.sandbox.read(&path)).unwrap();
        let text = serde_json::to_string(&state).unwrap();
        self.sandbox.write(&path, text.replace("1.11.4", "1.10.2") + "\n");
    }

    /// Moves the state to the other path, or back.
    fn migrate(&mut self) {
        let from = self.path();
        self.is_moved = !self.is_moved;
        let to = self.path();
        self.configure("");
        let record = if self.is_moved {
            format!(
                "{{\"version\":3,\"backend\":{{\"type\":\"local\",\"config\":{{\"path\":\"{MOVED}\",\
                 \"workspace_dir\":null}},\"hash\":1}}}}"
            )
        } else {
            "{\"version\":3}".to_owned()
        };
        let mut steps = vec![
            Step::write(&to, self.sandbox.read(&from)),
            Step::write(".terraform/terraform.tfstate", record),
        ];
        if self.is_moved {
            // What is left of an implicit local state after a migration (terraform-facts 3.1).
            steps.push(Step::touch(&from));
        }
        self.tf(&["init", "-migrate-state", "-force-copy", "-input=false"], Must::Do, steps);
    }

    /// Works on another file.
    fn other_file(&mut self, random: &mut Random) {
        let (path, applied) = ("other.tfstate", self.applied());
        let steps = self.written(path, path, Some(applied));
        self.configure("");
        if random.percent(30) && self.state_in(path).is_some() {
            let steps = self.written(path, path, Some(Resources::new()));
            return self.tf(&["destroy", "-auto-approve", "-state=other.tfstate"], Must::Do, steps);
        }
        self.tf(&["apply", "-auto-approve", "-state=other.tfstate"], Must::Do, steps);
    }

    /// Reads one and writes another.
    fn state_out(&mut self, random: &mut Random) {
        self.edit(random);
        self.configure("");
        let (path, applied) = (self.path(), self.applied());
        let steps = self.written(&path, "out.tfstate", Some(applied));
        let state = format!("-state={path}");
        self.tf(&["apply", "-auto-approve", &state, "-state-out=out.tfstate"], Must::Do, steps);
    }

    /// Moves one into a state of its own stack.
    fn split(&mut self, random: &mut Random) {
        let (path, other) = (self.path(), "split.tfstate");
        let name = random.pick(&self.settled()).clone();
        let fresh = format!("s{}", self.fresh());
        let mut left = self.resources();
        let taken = left.remove(&name).unwrap();
        let mut grown = self.state_in(other).map(|state| state.resources).unwrap_or_default();
        grown.insert(fresh.clone(), taken);
        let mut steps = self.written(&path, &path, Some(left));
        steps.extend(self.written(other, other, Some(grown)));
        self.config.retain(|(known, _)| *known != name);
        self.configure("");
        let (state, out) = (format!("-state={path}"), format!("-state-out={other}"));
        let (from, to) = (format!("terraform_data.{name}"), format!("terraform_data.{fresh}"));
        self.tf(&["state", "mv", &state, &out, &from, &to], Must::Do, steps);
    }
}
