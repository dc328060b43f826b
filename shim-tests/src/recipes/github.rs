//! A job of GitHub Actions: steps in order, conditions, variables, and the few actions our recipes use.
//!
//! As GitHub's documentation has it (November 2026): a step without `shell` is run by `bash -e`; what is
//! written to the file `GITHUB_PATH` is in front of `PATH` for the steps that follow; a step whose
//! condition says nothing of success is left out once one has failed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::expressions::Context;
use super::{Machine, list, text};
use crate::transcript::Transcript;

/// Where jobs keep what outlives them.
#[derive(Debug, Default)]
pub struct Service {
    /// Caches by key, newest last.
    caches: Vec<(String, PathBuf)>,
    /// Artefacts of the last job, by name.
    artefacts: BTreeMap<String, PathBuf>,
    /// How many jobs there were.
    runs: u64,
}

/// What a job did.
#[derive(Debug, Default)]
pub struct Ran {
    /// Its steps that were scripts, by name or by their first line.
    pub steps: Vec<(String, Transcript)>,
    /// The steps that were left out.
    pub left_out: Vec<String>,
}

impl Ran {
    /// Returns the transcript of a step.
    ///
    /// # Panics
    /// If it was not run.
    #[must_use]
    #[track_caller]
    pub fn step(&self, name: &str) -> &Transcript {
        let found = self.steps.iter().find(|(found, _)| found == name);
        &found.unwrap_or_else(|| panic!("no step `{name}` was run: {:?}", self.left_out)).1
    }
}

/// A job that runs.
struct Job<'a> {
    /// What outlives it.
    service: &'a mut Service,
    /// What does not.
    machine: &'a mut Machine,
    /// Where the service keeps things.
    shelf: &'a Path,
    /// What expressions know.
    context: Context,
    /// Variables of the workflow and the job.
    environment: BTreeMap<String, String>,
    /// What was done so far.
    ran: Ran,
}

impl Service {
    /// Runs a job of a workflow on a machine; `place` is a directory that outlives it.
    ///
    /// # Panics
    /// If the recipe has something that is not known here.
    pub fn run(
        &mut self,
        workflow: &Value,
        name: &str,
        machine: &mut Machine,
        place: &Path,
        secrets: &[(&str, &str)],
    ) -> Ran {
        self.runs += 1;
        let job = &workflow["jobs"][name];
        assert!(job.is_object(), "no job `{name}`");
        let temp = machine.sandbox.path("runner-temp");
        std::fs::create_dir_all(&temp).unwrap();
        let known = [
            ("github.run_id", self.runs.to_string()),
            ("github.run_attempt", "1".to_owned()),
            ("github.event.pull_request.number", "7".to_owned()),
            ("runner.temp", temp.display().to_string()),
        ];
        let mut context = Context::default();
        for (name, value) in known {
            context.set(name, value);
        }
        for (name, value) in secrets {
            context.set(format!("secrets.{name}"), *value);
        }
        let mut at_work = Job {
            environment: BTreeMap::new(),
            service: self,
            machine,
            shelf: place,
            context,
            ran: Ran::default(),
        };
        at_work.surround(&temp);
        at_work.add_environment(&workflow["env"]);
        at_work.add_environment(&job["env"]);
        for step in list(&job["steps"]) {
            at_work.step(step);
        }
        at_work.ran
    }

    /// Returns an artefact of the last job.
    ///
    /// # Panics
    /// If there is none of that name.
    #[must_use]
    #[track_caller]
    pub fn artefact(&self, name: &str) -> &Path {
        self.artefacts.get(name).unwrap_or_else(|| panic!("no artefact `{name}`"))
    }
}

impl Job<'_> {
    /// Sets the variables that GitHub sets.
    fn surround(&mut self, temp: &Path) {
        for (name, file) in [
            ("GITHUB_PATH", "path"),
            ("GITHUB_ENV", "env"),
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_STEP_SUMMARY", "summary"),
        ] {
            self.set(name, &temp.join(file).display().to_string());
        }
        self.set("RUNNER_TEMP", &temp.display().to_string());
        for (name, value) in [("CI", "true"), ("GITHUB_ACTIONS", "true"), ("TERM", "dumb")] {
            self.set(name, value);
        }
    }

    /// Sets a variable, and what an expression says of it.
    fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
        self.context.set(format!("env.{name}"), value);
    }

    /// Adds the variables of a workflow or a job. The home of GitHub's machines is that of ours.
    fn add_environment(&mut self, variables: &Value) {
        for (name, value) in variables.as_object().into_iter().flatten() {
            let value = self.context.filled(text(value));
            self.set(name, &value.replace("/home/runner", &self.home()));
        }
    }

    /// Returns the home directory.
    fn home(&self) -> String {
        self.machine.sandbox.home().display().to_string()
    }

    /// Runs a step, or leaves it out.
    fn step(&mut self, step: &Value) {
        let name = ["name", "uses", "run"].into_iter().find_map(|key| step[key].as_str());
        let name = name.expect("a step has a name, an action or a script").trim().to_owned();
        if !self.context.holds(step["if"].as_str().unwrap_or("success()")) {
            self.ran.left_out.push(name);
            return;
        }
        if let Some(action) = step["uses"].as_str() {
            self.act(action, &step["with"]);
            return;
        }
        let before = (self.environment.clone(), self.context.clone());
        self.add_environment(&step["env"]);
        let script = self.context.filled(text(&step["run"]));
        let transcript = self.machine.run(&["/bin/bash", "-e"], &script, &self.environment);
        (self.environment, self.context) = before;
        self.context.has_failed |= transcript.status() != Some(0);
        self.take_in(step["id"].as_str(), &transcript);
        self.ran.steps.push((name, transcript));
    }

    /// Takes in what a step has written into the files for it, and how it ended.
    fn take_in(&mut self, id: Option<&str>, transcript: &Transcript) {
        let taken = |name: &str| {
            let file = &self.environment[name];
            let content = std::fs::read_to_string(file).unwrap_or_default();
            let _gone = std::fs::remove_file(file);
            content
        };
        let (path, outputs) = (taken("GITHUB_PATH"), taken("GITHUB_OUTPUT"));
        for line in path.lines() {
            self.machine.path.insert(0, PathBuf::from(line));
        }
        let Some(id) = id else { return };
        let outcome = if transcript.status() == Some(0) { "success" } else { "failure" };
        self.context.set(format!("steps.{id}.outcome"), outcome);
        for (name, value) in outputs.lines().filter_map(|line| line.split_once('=')) {
            self.context.set(format!("steps.{id}.outputs.{name}"), value);
        }
    }

    /// Does what an action does.
    fn act(&mut self, action: &str, given: &Value) {
        let (name, version) = action.split_once('@').expect("an action has a version");
        assert!(version.starts_with('v'), "{action} is named by its major version");
        let with = |key: &str| self.context.filled(text(&given[key]));
        match name {
            "actions/checkout" => {}
            "hashicorp/setup-terraform" => assert_eq!(given["terraform_wrapper"], false),
            "actions/cache/restore" => {
                let (path, keys) = (with("path"), with("restore-keys"));
                self.restore(Path::new(&path), &keys);
            }
            "actions/cache/save" => {
                let (path, key) = (with("path"), with("key"));
                self.save(Path::new(&path), key);
            }
            "actions/upload-artifact" => {
                let (name, path) = (with("name"), with("path"));
                self.keep(name, Path::new(&path));
            }
            "github/codeql-action/upload-sarif" => {
                let report = std::fs::read_to_string(with("sarif_file")).expect("a report");
                crate::reports::validate_sarif(&report);
            }
            other => panic!("no action `{other}` here"),
        }
    }

    /// Fetches the newest cache whose key begins so.
    fn restore(&self, path: &Path, beginning: &str) {
        let found = self.service.caches.iter().rev().find(|(key, _)| key.starts_with(beginning));
        if let Some((_, kept)) = found {
            Machine::copy(kept, path);
        }
    }

    /// Keeps a cache.
    fn save(&mut self, path: &Path, key: String) {
        let kept = self.shelf.join(format!("cache-{}", self.service.caches.len()));
        Machine::copy(path, &kept);
        self.service.caches.push((key, kept));
    }

    /// Keeps an artefact.
    fn keep(&mut self, name: String, path: &Path) {
        assert!(path.exists(), "the artefact `{name}` is at `{}`", path.display());
        let kept = self.shelf.join(format!("artefact-{}-{name}", self.service.runs));
        if path.is_dir() {
            Machine::copy(path, &kept);
        } else {
            std::fs::create_dir_all(&kept).unwrap();
            std::fs::copy(path, kept.join(path.file_name().expect("a name"))).unwrap();
        }
        self.service.artefacts.insert(name, kept);
    }
}
