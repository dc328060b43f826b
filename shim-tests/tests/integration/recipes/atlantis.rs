//! Atlantis: the steps of the workflow, as its server runs them; the image's `PATH`.
//!
//! `server/core/runtime/run_step_runner.go` and `env_step_runner.go` of Atlantis (November 2026): a `run`
//! step is `sh -c`, both streams in one text, with `PLANFILE`, `WORKSPACE` and kin set and the directory
//! of downloaded binaries behind `PATH`; an `env` step's value is set for those that follow, its `command`
//! is run the same way and its output trimmed.

use std::ffi::OsString;

use serde_json::Value;
use shim_tests::recipes::{file, list, text, yaml};
use shim_tests::{Sandbox, Transcript, programs, stage};

/// A server: Terraform in its directory of downloads, under the name of its version.
fn server() -> Option<(Sandbox, String)> {
    let real = programs::real_terraform()?;
    let sandbox = Sandbox::new();
    let version = sandbox.program(&real, ["version", "-json"]).run();
    let version = shim_tests::callers::json(&version)["terraform_version"].as_str()?.to_owned();
    let downloads = sandbox.path("downloads");
    std::fs::create_dir(&downloads).unwrap();
    std::os::unix::fs::symlink(real, downloads.join(format!("terraform{version}"))).unwrap();
    sandbox.put_on_path("tf", &sandbox.tf_program());
    sandbox.write("main.tf", stage::resource("a", "1"));
    Some((sandbox, version))
}

/// Runs the steps of a stage of the workflow; the home of the image is that of the sandbox.
fn run(sandbox: &Sandbox, version: &str, name: &str) -> Vec<Transcript> {
    let recipe = yaml("contrib/atlantis/repos.yaml");
    let workflow = text(&recipe["repos"][0]["workflow"]);
    let steps = list(&recipe["workflows"][workflow][name]["steps"]);
    let places = [sandbox.bin(), "/usr/bin".into(), "/bin".into(), sandbox.path("downloads")];
    let mut environment: Vec<(String, OsString)> = vec![
        ("PATH".into(), std::env::join_paths(places).unwrap()),
        ("PLANFILE".into(), sandbox.project().join("default.tfplan").into()),
        ("WORKSPACE".into(), "default".into()),
        ("ATLANTIS_TERRAFORM_VERSION".into(), version.into()),
        ("TF_IN_AUTOMATION".into(), "true".into()),
    ];
    let shell = |line: &str, environment: &[(String, OsString)]| {
        let mut call = sandbox.program("/bin/sh".as_ref(), ["-c", line]);
        for (name, value) in environment {
            call = call.env(name.as_str(), value);
        }
        call.run()
    };
    let mut ran = Vec::new();
    for step in steps {
        let one = &step["env"];
        match (step["run"].as_str(), one["command"].as_str(), one["value"].as_str()) {
            (Some(line), None, None) => {
                assert!(line.starts_with("tf "), "the step goes through tf: {line}");
                ran.push(shell(line, &environment));
            }
            (None, Some(command), None) => {
                let value = shell(command, &environment).assert_status(0).stdout_text();
                environment.push((text(&one["name"]).into(), value.trim().into()));
            }
            (None, None, Some(value)) => {
                let home = sandbox.home().display().to_string();
                let value = value.replace("/home/atlantis", &home);
                environment.push((text(&one["name"]).into(), value.into()));
            }
            other => panic!("no such step here: {other:?}"),
        }
    }
    ran
}

#[test]
fn plan_and_apply_of_the_workflow_are_guarded_with_the_version_that_was_chosen() {
    let Some((sandbox, version)) = server() else { return };
    for stage in ["plan", "apply"] {
        for transcript in run(&sandbox, &version, stage) {
            transcript.assert_status(0);
            assert!(!transcript.stderr_text().contains("tf shim"), "{transcript}");
        }
    }
    let store = sandbox.home().join("tf-shim");
    let histories = shim_tests::history::read_all(&store);
    let verbs: Vec<String> = histories[0].runs().iter().map(|run| run.verb().to_owned()).collect();
    assert_eq!(verbs.last().map(String::as_str), Some("apply"), "{verbs:?}");
    let state: Value = serde_json::from_slice(&sandbox.read("terraform.tfstate")).unwrap();
    assert_eq!(state["terraform_version"], *version);
}

#[test]
fn the_image_finds_tf_first_and_terraform_behind_it() {
    let Some((sandbox, version)) = server() else { return };
    let readme = std::fs::read_to_string(file("contrib/atlantis/README.md")).unwrap();
    let line = |start: &str| {
        let found = readme.lines().find_map(|line| line.strip_prefix(start));
        found.unwrap_or_else(|| panic!("no `{start}` in the README")).to_owned()
    };
    let target = line("COPY tf ");
    let front = line("ENV PATH=");
    let front = front.strip_suffix(":$PATH").expect("in front of what is there");
    assert_eq!(target, format!("{front}/terraform"));
    let place = sandbox.path("image").join(front.trim_start_matches('/'));
    sandbox.copy_tf(&place.join("terraform"));
    let local = sandbox.path("local");
    std::fs::create_dir(&local).unwrap();
    std::os::unix::fs::symlink(programs::real_terraform().unwrap(), local.join("terraform"))
        .unwrap();
    let path = std::env::join_paths([place.clone(), local]).unwrap();
    let call = |args: &[&str]| {
        let call = sandbox.program(&place.join("terraform"), args.iter().copied());
        call.env("PATH", &path).run()
    };
    let asked = call(&["version"]);
    assert!(asked.stdout_text().starts_with(&format!("Terraform v{version}\n")), "{asked}");
    call(&["apply", "-auto-approve", "-input=false"]).assert_status(0);
    assert_eq!(sandbox.history().only().verb(), "apply");
}
