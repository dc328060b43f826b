//! What a run leaves behind, and what stands in the way of its saving anything at all.
//!
//! interface.md 3, "After the run", `errored-state`, `unwritable-state`. The faults are real: backends that
//! refuse, files that go away, file systems that are full. As important: what is no finding.

mod counts;
mod errored;
mod files;
mod peace;
mod unwritable;
mod writers;

use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;
use shim_tests::shim::{id, operations};
use shim_tests::{Invocation, Sandbox, Transcript, programs};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// The name it gives a state that it could not save.
const ERRORED: &str = "errored.tfstate";

/// Returns the names of the resources of a state, sorted.
fn resources(state: &[u8]) -> Vec<String> {
    let state: Value = serde_json::from_slice(state).unwrap();
    let list = state["resources"].as_array().unwrap();
    let mut names: Vec<String> =
        list.iter().map(|resource| resource["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Runs a command line that was printed, as a person would who pastes it.
fn paste(sandbox: &Sandbox, command: &str) -> Transcript {
    let path = std::env::join_paths([sandbox.path("names"), sandbox.bin(), "/bin".into()]).unwrap();
    sandbox.program(Path::new("/bin/sh"), ["-c", command]).env("PATH", path).run()
}

/// Returns the printed command that contains these words, up to what it is good for.
#[track_caller]
fn way(transcript: &Transcript, words: &str) -> String {
    let text = transcript.stderr_text();
    // Terraform has advice of its own, in a frame.
    let line = text.lines().find(|line| line.contains(words) && !line.contains('│'));
    let line = line.unwrap_or_else(|| panic!("`{words}` is not offered: {transcript}"));
    let line = line.trim_start().trim_start_matches("way out").trim_start();
    let command = line.rsplit_once(" with: ").map_or(line, |(_, command)| command);
    command.split("  ").next().unwrap().to_owned()
}

/// Returns the findings of the newest run: guard and text.
fn findings(sandbox: &Sandbox) -> Vec<(String, String)> {
    let all = operations(sandbox);
    let newest = all.iter().find(|operation| operation["kind"] == "run").unwrap();
    let notes = newest["guards"].as_array().unwrap();
    let text = |note: &Value, name: &str| note[name].as_str().unwrap().to_owned();
    notes.iter().map(|note| (text(note, "guard"), text(note, "text"))).collect()
}

/// Fails unless a run ended with that status and exactly these guards had something to say, on stderr and in
/// the history, which is sound.
#[track_caller]
fn assert_found(sandbox: &Sandbox, transcript: &Transcript, status: i32, guards: &[&str]) {
    transcript.assert_status(status);
    let found = findings(sandbox);
    let names: Vec<&str> = found.iter().map(|(guard, _)| guard.as_str()).collect();
    assert_eq!(names, guards, "{found:?}\n{transcript}");
    let said = transcript.stderr_text();
    for (guard, text) in &found {
        let lines = text.replace("; bring it back with: ", "\n    bring it back with: ");
        assert!(
            said.contains(&format!("tf shim: {guard}: {lines}\n")),
            "{guard}: {text}\n{transcript}"
        );
    }
    assert_eq!(said.matches("tf shim: ").count(), guards.len(), "{transcript}");
}

/// Returns the operations that keep what was found lying about.
fn finds(sandbox: &Sandbox) -> Vec<Value> {
    let is_find = |operation: &Value| operation["kind"] == "save" && operation["before"].is_null();
    operations(sandbox).into_iter().filter(is_find).collect()
}

/// Returns the only one, with its id.
#[track_caller]
fn only_find(sandbox: &Sandbox) -> (String, Value) {
    let mut all = finds(sandbox);
    assert_eq!(all.len(), 1, "{all:?}");
    let find = all.remove(0);
    (id(&find)[..8].to_owned(), find)
}

/// Prepares a call of `tf` by a user whom permissions stop, also where the test run is the superuser's; none
/// where that cannot be arranged.
fn tf_without_powers<'s>(sandbox: &'s Sandbox, args: &[&str]) -> Option<Invocation<'s>> {
    if !nix::unistd::geteuid().is_root() {
        return Some(sandbox.tf(args.iter().copied()));
    }
    let setpriv = programs::on_path("setpriv")?;
    let powers = ["--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"];
    let program = sandbox.path("names").join("tf").into_os_string();
    let words = powers.map(OsString::from).into_iter().chain([program]);
    Some(sandbox.program(&setpriv, words.chain(args.iter().map(OsString::from))))
}
