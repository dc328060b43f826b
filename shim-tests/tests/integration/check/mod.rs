//! `tf shim check` against a real Terraform: what it finds, what it says of it, what it leaves behind.
//!
//! A test writes a configuration, runs a check and compares findings, each told in one line; see
//! [`Checked::findings`]. Whatever a test is about, every check here is also held to what holds for all of
//! them: its answer is of the published form, its status is that of its verdict, and nothing is left in the
//! directory for temporary files.

mod accepted;
mod arguments;
mod artefacts;
mod beside;
mod canaries;
mod causes;
mod deployed;
mod failures;
mod odd;
mod peace;
mod pipeline;
mod places;
mod prompt;
mod record;
mod remote;
mod stopped;
mod writers;

use std::path::Path;

use serde_json::Value;
use shim_tests::provider::{Cloud, HEADER, Provider, Step};
use shim_tests::reports::validate_check_json;
use shim_tests::shim::{document, shim};
use shim_tests::{Invocation, Sandbox, Transcript, wait_until};

/// A provider and a sandbox that is attached to it.
pub(super) struct Stage {
    /// What Terraform talks to.
    provider: Provider,
    /// Where everything runs.
    sandbox: Sandbox,
}

impl Stage {
    /// Sets the stage with a configuration; none without a real Terraform.
    fn set(configuration: &str) -> Option<Self> {
        let provider = Provider::start();
        let sandbox = Sandbox::new().with_real_terraform()?.with_provider(&provider);
        sandbox.write("versions.tf", HEADER);
        let stage = Self { provider, sandbox };
        stage.configure(configuration);
        Some(stage)
    }

    /// As [`Stage::set`], and applied by Terraform alone.
    fn applied(configuration: &str) -> Option<Self> {
        let stage = Self::set(configuration)?;
        stage.terraform(["apply", "-auto-approve"]).assert_status(0);
        Some(stage)
    }

    /// Writes `main.tf`.
    fn configure(&self, configuration: &str) {
        self.sandbox.write("main.tf", configuration);
    }

    /// Writes a module and installs it.
    fn install(&self, name: &str, configuration: &str) {
        self.sandbox.write(format!("{name}/main.tf"), configuration);
        self.terraform(["init", "-input=false"]).assert_status(0);
    }

    /// Returns what is behind the provider.
    fn cloud(&self) -> &Cloud {
        self.provider.cloud()
    }

    /// Runs Terraform itself.
    fn terraform<const N: usize>(&self, args: [&str; N]) -> Transcript {
        self.sandbox.terraform(args).run()
    }

    /// Prepares a check that asks nobody and answers in JSON.
    fn prepare(&self, args: &[&str]) -> Invocation<'_> {
        shim(&self.sandbox, ["check", "--yes", "--json"].iter().chain(args).copied())
    }

    /// Checks.
    #[track_caller]
    fn check(&self, args: &[&str]) -> Checked {
        self.checked(self.prepare(args).run())
    }

    /// Takes a check that has ended.
    #[track_caller]
    fn checked(&self, transcript: Transcript) -> Checked {
        assert!(self.left_behind().is_empty(), "{:?}\n{transcript}", self.left_behind());
        validate_check_json(&transcript.stdout_text());
        Checked { answer: document(&transcript), transcript }
    }

    /// Returns what lies in the directory for temporary files.
    fn left_behind(&self) -> Vec<String> {
        names_in(&self.sandbox.path("tmp"))
    }

    /// Returns the state, as Terraform prints it.
    fn state(&self) -> Value {
        serde_json::from_slice(&self.sandbox.read("terraform.tfstate")).unwrap()
    }

    /// Waits until Terraform has asked for something, as often as that.
    fn wait_for(&self, step: Step, kind: &str, count: usize) {
        wait_until(&format!("{count} times {step:?}"), || self.cloud().count(step, kind) == count);
    }
}

/// Checks a configuration that is not idempotent and compares what is found.
#[track_caller]
fn finds(configuration: &str, args: &[&str], findings: &[&str]) {
    let Some(stage) = Stage::set(configuration) else { return };
    stage.check(args).assert("not-idempotent", findings);
}

/// A check that has ended with an answer.
#[derive(Debug)]
pub(super) struct Checked {
    /// What it printed, and its status.
    transcript: Transcript,
    /// The document.
    answer: Value,
}

impl Checked {
    /// Fails unless this is the verdict, the status is that of the verdict, and this is what was found.
    #[track_caller]
    fn assert(&self, verdict: &str, findings: &[&str]) -> &Self {
        assert_eq!(self.findings(), findings, "{}", self.transcript);
        assert_eq!(self.answer["verdict"], verdict, "{}", self.transcript);
        let status = match verdict {
            "idempotent" => 0,
            "not-idempotent" => 2,
            _ => 4,
        };
        self.transcript.assert_status(status);
        self
    }

    /// Tells each finding in one line: class, address, paths, kind of cause, place, and, where it is
    /// accepted, why. What there is none of is a dash.
    fn findings(&self) -> Vec<String> {
        list(&self.answer["findings"]).iter().map(brief).collect()
    }

    /// Returns the one finding.
    #[track_caller]
    fn only(&self) -> &Value {
        let findings = list(&self.answer["findings"]);
        assert_eq!(findings.len(), 1, "{}", self.transcript);
        &findings[0]
    }

    /// Returns the names of the steps.
    fn steps(&self) -> Vec<&str> {
        list(&self.answer["steps"]).iter().map(|step| text(&step["name"])).collect()
    }

    /// Returns the command line of a step.
    #[track_caller]
    fn argv(&self, name: &str) -> Vec<&str> {
        let steps = list(&self.answer["steps"]);
        let step = steps.iter().find(|step| step["name"] == name);
        let step = step.unwrap_or_else(|| panic!("there is no step {name}\n{}", self.transcript));
        list(&step["argv"]).iter().map(text).collect()
    }

    /// Returns the accept rules that matched nothing, by address.
    fn unused_rules(&self) -> Vec<&str> {
        list(&self.answer["unused_rules"]).iter().map(|rule| text(&rule["address"])).collect()
    }
}

/// Tells a finding in one line.
fn brief(finding: &Value) -> String {
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let paths: Vec<_> = list(&finding["paths"]).iter().map(text).collect();
    let place = finding["file"].as_str().map(|file| format!("{file}:{}", finding["line"]));
    let reason = finding["accepted"]["reason"].as_str();
    [
        text(&finding["class"]).to_owned(),
        or_dash(text(&finding["address"]).to_owned()),
        or_dash(paths.join(",")),
        text(&finding["cause_kind"]).to_owned(),
        or_dash(place.unwrap_or_default()),
    ]
    .into_iter()
    .chain(reason.map(|reason| format!("accepted: {reason}")))
    .collect::<Vec<_>>()
    .join(" ")
}

/// Returns the elements of a list.
#[track_caller]
fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

/// Returns a text.
#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// Returns the names of what lies in a directory, sorted; none where there is no such directory.
fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
