//! A check as a pipeline runs it: in a clean clone, without a terminal, with nothing but what is committed.

use shim_tests::Sandbox;
use shim_tests::provider::HEADER;
use shim_tests::shim::document;

use super::{Checked, Stage, names_in};

/// The environment that is checked.
const ENVIRONMENT: &str = "environments/k3s-dev";

/// Runs git with nobody's settings.
fn git(sandbox: &Sandbox, args: &[&str]) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|place| place.join("git")).find(|p| p.exists());
    let settings = ["-c", "user.name=ana", "-c", "user.email=ana@example.org"];
    let more = ["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"];
    let args = settings.iter().chain(&more).chain(args).copied();
    sandbox.program(&found.unwrap(), args).run().assert_status(0);
}

/// A repository with an environment, a module and values, cloned; none without a real Terraform.
fn cloned() -> Option<Stage> {
    let stage = Stage::set("")?;
    let sandbox = &stage.sandbox;
    sandbox.write(
        format!("{ENVIRONMENT}/main.tf"),
        "variable \"size\" {\n  type = number\n}\n\nmodule \"node\" {\n  source = \"../../modules/node\"\n  \
         count  = var.size\n  name   = \"Node-${count.index}\"\n}\n\noutput \"nodes\" {\n  value = \
         module.node[*].id\n}\n",
    );
    sandbox.write(format!("{ENVIRONMENT}/terraform.tfvars"), "size = 2\n");
    sandbox.write(
        "modules/node/main.tf",
        [HEADER, "variable \"name\" {}\n\nresource \"fake_normalised\" \"node\" {\n  mode  = \"case\"\n  \
         value = var.name\n}\n\noutput \"id\" {\n  value = fake_normalised.node.id\n}\n"].concat(),
    );
    sandbox.write(".gitignore", ".terraform/\n*.tfstate*\n");
    git(sandbox, &["init", "-q"]);
    git(sandbox, &["add", "-A"]);
    git(sandbox, &["commit", "-q", "-m", "all"]);
    git(sandbox, &["clone", "-q", ".", "../clone"]);
    Some(stage)
}

/// Runs `tf -chdir=ENV …` in the clone, as a runner of GitHub's does.
fn in_ci(stage: &Stage, args: &[&str]) -> shim_tests::Transcript {
    let chdir = format!("-chdir={ENVIRONMENT}");
    let args = std::iter::once(chdir.as_str()).chain(args.iter().copied());
    let line = stage.sandbox.tf(args).in_directory("../clone").env("CI", "true");
    let line = line.env("GITHUB_ACTIONS", "true").env("TF_IN_AUTOMATION", "1").env("TERM", "dumb");
    let summary = stage.sandbox.path("summary.md").into_os_string();
    let outputs = stage.sandbox.path("outputs").into_os_string();
    line.env("GITHUB_STEP_SUMMARY", summary).env("GITHUB_OUTPUT", outputs).run()
}

/// What is found in the clone, the file seen from the top of the repository.
const FOUND: [&str; 2] = [
    "normalised module.node[0].fake_normalised.node value case modules/node/main.tf:10",
    "normalised module.node[1].fake_normalised.node value case modules/node/main.tf:10",
];

#[test]
fn a_clean_clone_is_checked_with_its_own_values() {
    let Some(stage) = cloned() else { return };
    in_ci(&stage, &["init", "-input=false"]).assert_status(0);
    let transcript = in_ci(
        &stage,
        &[
            "shim",
            "check",
            "--yes",
            "--json",
            "--evidence=artefacts/evidence",
            "--report=sarif=artefacts/check.sarif",
            "--report=junit=artefacts/check.xml",
            "--report=github",
            "--",
            "-var-file=terraform.tfvars",
        ],
    );
    let checked = Checked { answer: document(&transcript), transcript };
    checked.assert("not-idempotent", &FOUND);
    assert_eq!(checked.answer["resources"], 2);
    let clone = stage.sandbox.path("clone");
    let read = |path: &str| std::fs::read_to_string(clone.join("artefacts").join(path)).unwrap();
    shim_tests::reports::validate_sarif(&read("check.sarif"));
    shim_tests::reports::validate_junit(&read("check.xml"));
    assert!(read("check.sarif").contains("\"modules/node/main.tf\""));
    assert_eq!(
        names_in(&clone.join("artefacts/evidence")),
        ["01-plan0.log", "02-apply.log", "03-A.log", "04-B.log", "transcript.md"]
    );
    let annotations = checked.transcript.stderr_text();
    assert!(annotations.contains("::error file=modules/node/main.tf,line=10"), "{annotations}");
    let outputs = std::fs::read_to_string(stage.sandbox.path("outputs")).unwrap();
    assert!(outputs.contains("verdict=not-idempotent"), "{outputs}");
    assert!(
        std::fs::read_to_string(stage.sandbox.path("summary.md"))
            .unwrap()
            .contains("module.node[0]")
    );
    assert!(stage.left_behind().is_empty());
}

#[test]
fn the_project_file_at_the_top_of_the_clone_counts() {
    let Some(stage) = cloned() else { return };
    in_ci(&stage, &["init", "-input=false"]).assert_status(0);
    let rules = "[check]\noutputs = [\"nodes\"]\n\n[[check.accept]]\naddress = \
                 \"module.node[*].fake_normalised.node\"\npath    = \"value\"\nreason  = \"issue 7\"\n";
    stage.sandbox.write_at(&stage.sandbox.path("clone/.tf-shim.toml"), rules);
    let args = ["shim", "check", "--yes", "--json", "--", "-var-file=terraform.tfvars"];
    let transcript = in_ci(&stage, &args);
    let checked = Checked { answer: document(&transcript), transcript };
    let accepted = FOUND.map(|finding| format!("{finding} accepted: issue 7"));
    checked.assert("idempotent", &[&accepted[0], &accepted[1]]);
}

#[test]
fn a_clone_that_was_not_initialised_is_an_error_and_reported() {
    let Some(stage) = cloned() else { return };
    let args = ["shim", "check", "--yes", "--json", "--report=github", "--report=junit=check.xml"];
    let transcript = in_ci(&stage, &args);
    transcript.assert_status(4);
    assert!(transcript.stderr_text().contains("terraform init"), "{transcript}");
    let report = std::fs::read_to_string(stage.sandbox.path("clone/check.xml")).unwrap();
    shim_tests::reports::validate_junit(&report);
    let outputs = std::fs::read_to_string(stage.sandbox.path("outputs")).unwrap();
    assert!(outputs.contains("verdict=error"), "{outputs}");
}

#[test]
fn a_stack_of_a_pull_request_is_thrown_away() {
    let Some(stage) = cloned() else { return };
    in_ci(&stage, &["init", "-input=false"]).assert_status(0);
    let args = ["shim", "check", "--yes", "--json", "--destroy-after", "--", "-var=size=1"];
    let transcript = in_ci(&stage, &args);
    transcript.assert_status(2);
    assert!(stage.cloud().objects().is_empty(), "{transcript}");
    let file = stage.sandbox.path("clone").join(ENVIRONMENT).join("terraform.tfstate");
    let left: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(left["resources"], serde_json::json!([]));
}
