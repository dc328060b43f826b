//! Values that may be secrets are nowhere in the store but inside the stored states.

use std::path::{Path, PathBuf};

use shim_tests::{Sandbox, Scenario, Step, states};

/// A command line: its words, and variables of its environment.
type Line = (Vec<String>, Vec<(&'static str, String)>);

/// Makes words that occur nowhere else.
struct Canaries {
    /// Those made so far.
    all: Vec<String>,
}

impl Canaries {
    /// Makes the next one.
    fn next(&mut self) -> String {
        let word = format!("canary{:02}zebra", self.all.len());
        self.all.push(word.clone());
        word
    }
}

/// Returns every file below a directory.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        }
        files.push(path);
    }
    files
}

#[test]
fn fifty_canaries_on_the_command_line_are_nowhere_in_the_store() {
    let mut canaries = Canaries { all: Vec::new() };
    let mut lines: Vec<Line> = Vec::new();
    let mut add = |words: &[&str], variables: &[(&'static str, &str)]| {
        let mut fill = |word: &&str| {
            let mut word = (*word).to_owned();
            while word.contains("@@") {
                word = word.replacen("@@", &canaries.next(), 1);
            }
            word
        };
        let words = words.iter().map(&mut fill).collect();
        let variables = variables.iter().map(|(name, value)| (*name, fill(value))).collect();
        lines.push((words, variables));
    };
    let forms: &[&[&str]] = &[
        &["apply", "-var", "password=@@"],
        &["apply", "-var=password=@@"],
        &["apply", "--var", "password=@@"],
        &["apply", "--var=password=@@"],
        &["apply", "-var", "@@"],
        &["apply", "-var=@@"],
        &["apply", "-var", "a=@@", "-var", "b=@@", "-auto-approve"],
        &["apply", "-auto-approve", "-var=x={\"a\":\"@@\"}"],
        &["apply", "-unknown", "@@"],
        &["apply", "-unknown=@@"],
        &["apply", "--unknown=@@"],
        &["apply", "-token", "@@", "-var", "c=@@"],
        &["apply", "-parallelism", "@@"],
        &["apply", "-parallelism=@@"],
        &["apply", "-lock-timeout=@@"],
        &["apply", "-lock=@@"],
        &["apply", "-auto-approve=@@"],
        &["apply", "-var", "-target=@@"],
        &["apply", "-var", "-chdir=@@"],
        &["apply", "-invoke", "@@"],
        &["apply", "-json-into=@@"],
        &["apply", "-", "@@"],
        &["apply", "--", "plan.bin", "@@"],
        &["apply", "plan.bin", "@@"],
        &["apply", "plan.bin", "-var", "d=@@"],
        &["apply", "---var=@@", "@@"],
        &["apply", "-=@@", "@@"],
        &["destroy", "-var", "e=@@"],
        &["destroy", "@@"],
        &["refresh", "-var=f=@@"],
        &["refresh", "@@"],
        &["import", "terraform_data.a", "@@"],
        &["import", "-var", "g=@@", "terraform_data.a", "@@"],
        &["import", "terraform_data.a", "@@", "@@"],
        &["init", "-backend-config", "password=@@"],
        &["init", "-backend-config=secret_key=@@"],
        &["init", "--backend-config=@@"],
        &["init", "-from-module=https://user:@@@example.com/x"],
        &["init", "-plugin-dir", "@@"],
        &["state", "push", "terraform.tfstate", "@@"],
        &["state", "rm", "terraform_data.a", "-var", "@@"],
        &["taint", "-token=@@", "terraform_data.a"],
        &["force-unlock", "-force", "id", "@@"],
        &["workspace", "delete", "default", "@@"],
    ];
    for form in forms {
        add(form, &[]);
    }
    add(&["apply"], &[("TF_CLI_ARGS", "-var h=@@")]);
    add(&["apply"], &[("TF_CLI_ARGS_apply", "-var 'i=@@' -var=j=@@")]);
    add(&["apply"], &[("TF_CLI_ARGS", "-unknown @@"), ("TF_CLI_ARGS_apply", "-token=@@")]);
    add(&["init"], &[("TF_CLI_ARGS_init", "-backend-config=token=@@")]);
    add(&[], &[("TF_CLI_ARGS", "apply -var k=@@")]);
    add(&["apply"], &[("TF_VAR_password", "@@"), ("TF_TOKEN_example_com", "@@")]);
    add(&["apply"], &[("AWS_SECRET_ACCESS_KEY", "@@"), ("TF_HTTP_PASSWORD", "@@")]);
    let scenario = Scenario::new().otherwise([Step::RaiseSerial("terraform.tfstate".into())]);
    let sandbox = Sandbox::new().with_fake(scenario);
    sandbox.write("terraform.tfstate", states::state(100, &["inside-the-state"]));
    let recorded = || sandbox.histories().iter().map(|h| h.runs().len()).sum::<usize>();
    let mut unrecorded = Vec::new();
    for (words, variables) in lines {
        let known = recorded();
        let mut line = sandbox.tf(words);
        for (name, value) in variables {
            line = line.env(name, value);
        }
        let transcript = line.run();
        let text = transcript.stderr_text();
        assert!(!text.contains("canary"), "nor in what the shim says: {transcript}");
        if recorded() == known {
            unrecorded.push(transcript.line);
        }
    }
    assert!(canaries.all.len() >= 50, "{} canaries", canaries.all.len());
    assert_no_canary(&sandbox.store(), &canaries.all);
    // What is certainly no plan, or no flag, is Terraform's to refuse; nothing else is left out.
    let has_no_plan = |line: &String| {
        ["plan.bin", " - ", " -=", " ---var"].iter().any(|word| line.contains(word))
    };
    unrecorded.retain(|line| !has_no_plan(line));
    assert_eq!(unrecorded, [""; 0], "these would run without a record");
}

#[test]
fn a_remote_address_leaves_its_credentials_behind() {
    let scenario = Scenario::terraform()
        .on(["state", "pull"], [Step::PrintState("remote.tfstate".into())])
        .on(["apply"], []);
    let sandbox = Sandbox::new().with_fake(scenario);
    sandbox.write("remote.tfstate", states::state(5, &["a"]));
    let config = r#"{"address":"https://user:canary00zebra@127.0.0.1:9/s?token=canary01zebra",
        "password":"canary02zebra","username":"canary03zebra","lock_address":"http://x/canary04zebra"}"#;
    let record =
        format!(r#"{{"version":3,"backend":{{"type":"http","config":{config},"hash":1}}}}"#);
    sandbox.write(".terraform/terraform.tfstate", record);
    sandbox.tf(["apply"]).run().assert_status(0);
    assert_eq!(sandbox.history().identity["kind"], "http");
    let canaries: Vec<String> = (0..5).map(|n| format!("canary{n:02}zebra")).collect();
    assert_no_canary(&sandbox.store(), &canaries);
}

/// Fails if a word is in the name or content of a file; contents of objects are compressed, and theirs.
#[track_caller]
fn assert_no_canary(store: &Path, canaries: &[String]) {
    let files = files_below(store);
    assert!(files.len() > 5, "there is something to look at: {files:?}");
    for file in files {
        let name = file.to_string_lossy().into_owned();
        let content = if file.is_file() { std::fs::read(&file).unwrap() } else { Vec::new() };
        let content = String::from_utf8_lossy(&content);
        for canary in canaries {
            assert!(!name.contains(canary.as_str()), "{canary} is in the name {name}");
            let line = content.lines().find(|line| line.contains(canary.as_str()));
            assert!(line.is_none(), "{canary} is in {name}: {line:?}");
        }
    }
}

#[test]
fn everything_in_the_store_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let part = [Step::write("terraform.tfstate", states::state(2, &["a"]))];
    let sandbox = Sandbox::new().with_fake(Scenario::new().on(["apply"], part));
    let tf = sandbox.tf_program();
    let script = format!("umask 000; {} apply", tf.display());
    sandbox.program(Path::new("/bin/sh"), ["-c", &script]).run().assert_status(0);
    for file in files_below(&sandbox.store()) {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        let is_object = file.extension().is_some_and(|end| end == "gz");
        let wanted = if file.is_dir() {
            0o700
        } else if is_object {
            0o400
        } else {
            0o600
        };
        assert_eq!(mode, wanted, "{} is {mode:o}", file.display());
    }
}
