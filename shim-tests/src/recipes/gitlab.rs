//! A job of GitLab CI: one shell for `before_script` and `script`, another for `after_script`, a cache,
//! artefacts.
//!
//! As GitLab's documentation has it (November 2026): the first command that fails ends the job;
//! `after_script` runs whatever happened, in a new shell and without its environment; a cache lies inside
//! the project; variables are expanded in variables.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{Machine, list, text};
use crate::transcript::Transcript;

/// What a job did.
#[derive(Debug)]
pub struct Ran {
    /// `before_script` and `script`.
    pub script: Transcript,
    /// `after_script`, where there is one.
    pub after: Option<Transcript>,
}

/// Runs a job of a pipeline in the checkout of a machine; `cache` is a directory that outlives it.
///
/// # Panics
/// If the recipe has something that is not known here, or an artefact is not there afterwards.
#[must_use]
pub fn run(
    pipeline: &Value,
    name: &str,
    machine: &Machine,
    cache: &Path,
    given: &[(&str, &str)],
) -> Ran {
    let job = &pipeline[name];
    assert!(job.is_object(), "no job `{name}`");
    for key in job.as_object().into_iter().flatten().map(|(key, _)| key.as_str()) {
        assert!(KNOWN.contains(&key), "no `{key}` of a job here");
    }
    let checkout = machine.sandbox.project();
    let environment = variables(pipeline, job, &checkout, given);
    let cached: Vec<&str> = list(&job["cache"]["paths"]).iter().map(text).collect();
    for path in &cached {
        if cache.join(path).exists() {
            Machine::copy(&cache.join(path), &checkout.join(path));
        }
    }
    let shell = ["/bin/bash", "-eo", "pipefail"];
    let lines = |key: &str| -> Vec<&str> { list(&job[key]).iter().map(text).collect() };
    let main = [lines("before_script"), lines("script")].concat().join("\n");
    let script = machine.run(&shell, &main, &environment);
    let after = lines("after_script").join("\n");
    let after = (!after.is_empty()).then(|| machine.run(&shell, &after, &environment));
    for path in &cached {
        Machine::copy(&checkout.join(path), &cache.join(path));
    }
    let reports =
        job["artifacts"]["reports"].as_object().into_iter().flatten().map(|(_, path)| path);
    for path in list(&job["artifacts"]["paths"]).iter().chain(reports).map(text) {
        assert!(checkout.join(path).exists(), "the artefact `{path}` is there\n{script}");
    }
    Ran { script, after }
}

/// What a job may have; what decides where and when it runs is not looked at.
const KNOWN: [&str; 13] = [
    "stage",
    "timeout",
    "rules",
    "environment",
    "resource_group",
    "interruptible",
    "variables",
    "cache",
    "before_script",
    "script",
    "after_script",
    "artifacts",
    "image",
];

/// Returns the variables of a job.
fn variables(
    pipeline: &Value,
    job: &Value,
    checkout: &Path,
    given: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let predefined = [("CI", "true"), ("CI_MERGE_REQUEST_IID", "7"), ("TERM", "dumb")];
    let all = predefined.iter().chain(given);
    let mut environment: BTreeMap<String, String> =
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let directory = checkout.display().to_string();
    environment.insert("CI_PROJECT_DIR".to_owned(), directory.clone());
    for source in [&pipeline["variables"], &job["variables"]] {
        for (name, value) in source.as_object().into_iter().flatten() {
            let value = text(value).replace("$CI_PROJECT_DIR", &directory);
            environment.insert(name.clone(), value);
        }
    }
    environment
}
