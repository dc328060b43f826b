//! The recipes of `contrib/`: taken from their files, held against a schema where one is at hand, and run.

mod atlantis;
mod github;
mod gitlab;
mod pre_commit;
mod schemas;
mod terragrunt;
mod vscode;

use shim_tests::backend::HttpBackend;
use shim_tests::recipes::Machine;
use shim_tests::shim::document;
use shim_tests::{Sandbox, Transcript};

/// What a repository has that is deployed by a pipeline: `prod`, in a backend, and `scratch`, which is
/// made of the same and thrown away.
fn checked_out(sandbox: &Sandbox, backend: &HttpBackend) {
    let module =
        "variable \"size\" {}\n\nresource \"terraform_data\" \"a\" {\n  input = var.size\n}\n";
    sandbox.write("environments/prod/main.tf", backend.configuration() + module);
    sandbox.write("environments/scratch/main.tf", module);
    for name in ["prod", "scratch"] {
        sandbox.write(format!("environments/{name}/terraform.tfvars"), "size = 1\n");
    }
}

/// Returns the verbs of the operations on the state of `prod`, newest first, as `tf` lists them.
fn listed(machine: &Machine, store: &std::path::Path) -> Vec<String> {
    let args = ["-chdir=environments/prod", "shim", "list", "--json"];
    let transcript = machine.sandbox.tf(args).env("TF_SHIM_STORE", store).run();
    verbs(transcript.assert_status(0))
}

/// Returns the verbs of a list in JSON, newest first.
fn verbs(transcript: &Transcript) -> Vec<String> {
    let operations = document(transcript)["operations"].as_array().unwrap().clone();
    operations.iter().map(|one| one["verb"].as_str().unwrap_or("-").to_owned()).collect()
}

/// Returns the commands of the first `console` block that has this text in it, prompts and output left out.
#[track_caller]
fn commands_with(markdown: &str, text: &str) -> String {
    let mut blocks =
        markdown.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains(text));
    let block = block.unwrap_or_else(|| panic!("no block with `{text}`"));
    let commands: Vec<&str> = block.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    commands.join("\n")
}
