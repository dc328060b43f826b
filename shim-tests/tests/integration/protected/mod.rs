//! Protection: what a plan may not delete, whatever words made the plan, and who may say otherwise.
//!
//! The contract is interface.md 3. Everything here is held to what holds for all of it: what is refused has
//! status 125 and a record, nothing is destroyed, and no plan is left behind.

mod arguments;
mod nothing;
mod person;
mod question;
mod saved;
mod signals;
mod spellings;
mod trouble;

use serde_json::Value;
use shim_tests::{Invocation, Operation, Sandbox, Transcript, stage};

/// What is protected in most tests: one resource, in every workspace.
const RULE: &str = "[guard.protect]\naddresses = [\"terraform_data.a\"]\n";

/// A sandbox with two resources that were applied by Terraform alone, one of them protected; none without a real
/// Terraform.
fn applied() -> Option<Sandbox> {
    applied_under(RULE)
}

/// As [`applied`], with other rules.
fn applied_under(rules: &str) -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
    sandbox.write(".tf-shim.toml", rules);
    Some(sandbox)
}

/// Runs a command that must be refused, and returns what it said in JSON.
#[track_caller]
fn refused(sandbox: &Sandbox, call: Invocation<'_>) -> (Transcript, Value) {
    let before = sandbox.read("terraform.tfstate");
    let known = sandbox.histories().iter().map(|h| h.runs().len()).sum::<usize>();
    let transcript = call.run();
    transcript.assert_status(125);
    assert!(sandbox.read("terraform.tfstate") == before, "nothing is touched: {transcript}");
    assert_nothing_left(sandbox);
    let operation = sandbox.history().newest();
    assert_eq!(sandbox.history().runs().len(), known + 1, "one record: {operation:#?}");
    assert_eq!(operation.outcome(), "refused", "{operation:#?}");
    let note = &operation.end["guards"][0];
    assert_eq!((&note["guard"], &note["action"]), (&"protected".into(), &"refused".into()));
    let text = transcript.stderr_text();
    let line = text.lines().find(|line| line.starts_with('{')).unwrap_or("null").to_owned();
    (transcript, serde_json::from_str(&line).unwrap())
}

/// Fails unless no plan is left anywhere.
#[track_caller]
fn assert_nothing_left(sandbox: &Sandbox) {
    let left: Vec<_> = std::fs::read_dir(sandbox.path("tmp"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.as_encoded_bytes().starts_with(b"tf-shim"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Returns the newest record, which is of a run that ended so.
#[track_caller]
fn newest(sandbox: &Sandbox, outcome: &str) -> Operation {
    let operation = sandbox.history().newest();
    assert_eq!(operation.outcome(), outcome, "{operation:#?}");
    assert_nothing_left(sandbox);
    operation
}

/// Returns the addresses that a refusal names.
fn addresses(refusal: &Value) -> Vec<&str> {
    refusal["addresses"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
