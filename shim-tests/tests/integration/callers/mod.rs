//! Who calls us: each caller's own way to call a `terraform`, with a real Terraform behind `tf`.
//!
//! Every piece of work is done twice, without `tf` and with it, and each stream is compared byte for byte
//! ([`shim_tests::callers::in_both`]). No caller here has a terminal but those that make one, and these
//! set `TF_SHIM_QUIET`. What a caller relies on was read in its public source; each file names it and the
//! month.

mod atlantis;
mod cancelled;
mod cdktf;
mod interrupts;
mod pre_commit;
mod python;
mod streams;
mod terraform_exec;
mod terragrunt;
mod terratest;
mod tfcmt;

use regex::Regex;
use shim_tests::callers::Place;
use shim_tests::{Sandbox, Transcript, stage};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// A resource whose input is a variable, and an output of it.
const CONFIGURATION: &str = "variable \"size\" {\n  default = \"small\"\n}\n\n\
     resource \"terraform_data\" \"a\" {\n  input = var.size\n}\n\n\
     output \"size\" {\n  value = terraform_data.a.output\n}\n";

/// Writes [`CONFIGURATION`].
fn configured(sandbox: &Sandbox) {
    sandbox.write("main.tf", CONFIGURATION);
}

/// Writes [`CONFIGURATION`] and has Terraform apply it, without `tf`.
fn applied(sandbox: &Sandbox) {
    configured(sandbox);
    sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
}

/// Writes a configuration of two resources: the second waits, when it is created, for the file `go`.
fn slow(sandbox: &Sandbox) {
    let slow = stage::patient_resource_at("slow", &sandbox.project());
    let slow = slow.replacen("{\n", "{\n  depends_on = [terraform_data.a]\n", 1);
    sandbox.write("main.tf", stage::resource("a", "1") + &slow);
}

/// Returns the verbs that `tf` has recorded for the state of the project, oldest first.
fn recorded(place: &Place) -> Vec<String> {
    let runs = place.sandbox.history_of(STATE).runs();
    runs.iter().map(|run| run.verb().to_owned()).collect()
}

/// Returns the groups of the first match in stdout.
#[track_caller]
fn captured(pattern: &str, transcript: &Transcript) -> Vec<String> {
    let text = transcript.stdout_text();
    let found = Regex::new(pattern).unwrap().captures(&text);
    let found = found.unwrap_or_else(|| panic!("no `{pattern}` in: {transcript}"));
    let groups = found.iter().skip(1).flatten();
    groups.map(|group| group.as_str().to_owned()).collect()
}

/// Returns the version of the real Terraform, as it says itself.
fn version(place: &Place) -> String {
    let probe = place.sandbox.terraform(["version", "-json"]).run();
    shim_tests::callers::json(&probe)["terraform_version"].as_str().unwrap().to_owned()
}
