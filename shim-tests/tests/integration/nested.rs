//! What calls `terraform` inside a `terraform`, and around it: provisioners, hooks, make, xargs, functions.
//!
//! All of it is allowed, as without us. Nothing waits for itself; what changes a state has a record of its own,
//! what does not has none; and who comes second is refused by Terraform's own lock, in Terraform's own words.

use std::path::{Path, PathBuf};

use shim_tests::managers::{Placed, bash_script, put, tools};
use shim_tests::{Invocation, Sandbox, Transcript, stage};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";
/// The words of most tests.
const APPLY: [&str; 2] = ["apply", "-auto-approve"];

/// Returns a sandbox whose `PATH` is us under three names, tools, and a real Terraform.
fn surroundings() -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    let tools = tools(&sandbox);
    for name in ["tf", "terraform", "tofu"] {
        put(&sandbox.path("us").join(name), &sandbox.tf_program(), Placed::Linked);
    }
    let path = std::env::join_paths([sandbox.path("us"), tools, sandbox.bin()]).unwrap();
    Some(sandbox.with_variable("PATH", path))
}

/// As [`surroundings`], with a resource `a` whose creation runs a script of bash. The state has a resource `b`
/// and an output already.
fn provisioned(script: &str) -> Option<Sandbox> {
    let sandbox = surroundings()?;
    let before = stage::resource("b", "1") + "output \"answer\" {\n  value = 42\n}\n";
    sandbox.write("main.tf", &before);
    sandbox.terraform(APPLY).run().assert_status(0);
    let hook = sandbox.path("hook");
    bash_script(&sandbox, &hook, script);
    sandbox.write("main.tf", before + &stage::resource_running("a", &hook.to_string_lossy()));
    Some(sandbox)
}

/// Applies, through us, and fails unless that was well.
fn apply(sandbox: &Sandbox) -> Transcript {
    let transcript = terraform(sandbox, &APPLY).run();
    transcript.assert_status(0);
    transcript
}

/// Our `terraform`.
fn terraform<'s>(sandbox: &'s Sandbox, words: &[&str]) -> Invocation<'s> {
    sandbox.program(&sandbox.path("us/terraform"), words.iter().copied())
}

/// The verbs of the guarded commands of a state, in order.
fn verbs(sandbox: &Sandbox, state: impl AsRef<Path>) -> Vec<String> {
    sandbox.history_of(state).runs().iter().map(|run| run.verb().to_owned()).collect()
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    String::from_utf8(sandbox.read(name)).unwrap()
}

mod provisioners {
    use super::*;

    #[test]
    fn reading_the_same_directory_is_allowed_and_leaves_no_record() {
        let Some(sandbox) = provisioned(
            "terraform output -raw answer > answer; terraform state list > list; \
             terraform version > version; terraform fmt -check=false > /dev/null; \
             tf shim list > operations; echo $? > status",
        ) else {
            return;
        };
        apply(&sandbox);
        assert_eq!(text(&sandbox, "answer"), "42");
        assert_eq!(text(&sandbox, "list"), "terraform_data.b\n");
        assert!(text(&sandbox, "version").starts_with("Terraform v"));
        assert_eq!(text(&sandbox, "status"), "0\n");
        assert!(text(&sandbox, "operations").contains("apply"), "the one under way");
        assert_eq!(verbs(&sandbox, STATE), ["apply"]);
        assert_eq!(sandbox.histories().len(), 1);
    }

    #[test]
    fn an_apply_in_another_directory_has_a_record_of_its_own() {
        let script = "terraform -chdir=other apply -auto-approve && cd third && terraform apply -auto-approve";
        let Some(sandbox) = provisioned(script) else { return };
        for name in ["other", "third"] {
            sandbox.write(format!("{name}/main.tf"), stage::resource(name, "1"));
        }
        apply(&sandbox);
        for state in [STATE, "other/terraform.tfstate", "third/terraform.tfstate"] {
            assert_eq!(verbs(&sandbox, state), ["apply"]);
            let run = sandbox.history_of(state).newest();
            assert_eq!(run.outcome(), "done", "{state}");
            assert!(run.after == Some(sandbox.read(state)), "{state}");
        }
        assert_eq!(sandbox.histories().len(), 3);
    }

    #[test]
    fn an_apply_of_another_workspace_and_another_state_file_has_a_record_of_its_own() {
        let script = "TF_WORKSPACE=w terraform apply -auto-approve -target=terraform_data.b \
                      && terraform apply -auto-approve -state=x.tfstate -target=terraform_data.b";
        let Some(sandbox) = provisioned(script) else { return };
        apply(&sandbox);
        for state in [STATE, "terraform.tfstate.d/w/terraform.tfstate", "x.tfstate"] {
            assert_eq!(verbs(&sandbox, state), ["apply"], "{state}");
        }
    }

    /// Fails unless a command inside the apply is refused by the lock, with the words that it has without us.
    #[track_caller]
    fn assert_locked(words: &str) {
        let script = format!("terraform {words} > out 2> err; echo $? > status");
        let Some(sandbox) = provisioned(&script) else { return };
        apply(&sandbox);
        assert_eq!(text(&sandbox, "status"), "1\n", "{words}");
        let ours = text(&sandbox, "err");
        assert!(ours.contains("Error acquiring the state lock"), "{words}: {ours}");
        let Some(plain) = provisioned(&script) else { return };
        let path = std::env::join_paths([plain.path("tools"), plain.bin()]).unwrap();
        plain.terraform(APPLY).env("PATH", path).run().assert_status(0);
        assert!(!plain.store().exists(), "nothing of ours took part");
        let first = |text: String| text.lines().take(3).collect::<Vec<_>>().join("\n");
        assert_eq!(first(ours), first(text(&plain, "err")), "{words}");
    }

    #[test]
    fn a_plan_or_a_change_of_the_same_state_is_refused_by_terraforms_lock() {
        for words in
            ["plan", "state rm terraform_data.b", "apply -auto-approve", "taint terraform_data.b"]
        {
            assert_locked(words);
        }
    }

    #[test]
    fn without_the_lock_a_change_of_the_same_state_is_done_and_recorded() {
        let script = "terraform state rm -lock=false terraform_data.b; echo $? > status; \
                      terraform plan -lock=false > /dev/null; echo $? >> status";
        let Some(sandbox) = provisioned(script) else { return };
        apply(&sandbox);
        assert_eq!(text(&sandbox, "status"), "0\n0\n");
        assert_eq!(verbs(&sandbox, STATE), ["apply", "state rm"]);
        let history = sandbox.history_of(STATE);
        assert!(history.running().is_empty(), "{:?}", history.running());
        assert!(history.runs().iter().all(|run| run.outcome() == "done"), "{:#?}", history.runs());
    }

    /// The same command on the same state is the same operation, whoever says it again.
    #[test]
    fn without_the_lock_the_same_command_inside_itself_is_one_record() {
        let script =
            "terraform apply -auto-approve -lock=false -target=terraform_data.b; echo $? > status";
        let Some(sandbox) = provisioned(script) else { return };
        apply(&sandbox);
        assert_eq!(text(&sandbox, "status"), "0\n");
        assert_eq!(verbs(&sandbox, STATE), ["apply"]);
    }

    #[test]
    fn a_change_through_sudo_or_env_is_seen_as_the_same_command_too() {
        let script = "env -u TF_SHIM_DEPTH terraform apply -auto-approve -lock=false \
                      -target=terraform_data.b; env -u TF_SHIM_DEPTH terraform -chdir=other apply \
                      -auto-approve; env -u TF_SHIM_DEPTH TF_WORKSPACE=w terraform apply -auto-approve \
                      -target=terraform_data.b";
        let Some(sandbox) = provisioned(script) else { return };
        sandbox.write("other/main.tf", stage::resource("other", "1"));
        apply(&sandbox);
        for state in [STATE, "other/terraform.tfstate", "terraform.tfstate.d/w/terraform.tfstate"] {
            assert_eq!(verbs(&sandbox, state), ["apply"], "{state}");
        }
    }

    #[test]
    fn a_refused_or_failed_command_inside_leaves_the_apply_alone() {
        let script = "terraform -chdir=missing apply; terraform frobnicate; terraform apply -nonsense; \
                      tf shim restore serial:99 --yes; echo $? > status";
        let Some(sandbox) = provisioned(script) else { return };
        apply(&sandbox);
        assert_eq!(text(&sandbox, "status"), "1\n");
        assert_eq!(verbs(&sandbox, STATE), ["apply"]);
    }
}

mod scripts {
    use super::*;

    /// Four directories, one resource each.
    fn stacks(sandbox: &Sandbox) -> Vec<PathBuf> {
        let names = ["one", "two", "three", "four"];
        for name in names {
            sandbox.write(format!("{name}/main.tf"), stage::resource(name, "1"));
        }
        names.iter().map(|name| Path::new(name).join(STATE)).collect()
    }

    /// Runs a script of bash in the project.
    fn bash(sandbox: &Sandbox, script: &str) -> Transcript {
        let file = sandbox.path("script");
        bash_script(sandbox, &file, script);
        sandbox.program(&file, [""; 0]).run()
    }

    #[track_caller]
    fn assert_each_has_one_record(sandbox: &Sandbox, states: &[PathBuf]) {
        for state in states {
            assert_eq!(verbs(sandbox, state), ["apply"], "{}", state.display());
        }
        assert_eq!(sandbox.histories().len(), states.len());
    }

    #[test]
    fn xargs_and_make_run_many_at_once_and_each_is_recorded() {
        let rules = ["one", "two", "three", "four"]
            .map(|name| format!("{name}:; @terraform -chdir={name} apply -auto-approve\n"));
        for script in [
            "printf '%s\\n' one two three four | \
             xargs -P 4 -I {} terraform -chdir={} apply -auto-approve",
            "make -j4 -s one two three four",
        ] {
            let Some(sandbox) = surroundings() else { return };
            let states = stacks(&sandbox);
            sandbox.write("Makefile", ".PHONY: one two three four\n".to_owned() + &rules.concat());
            bash(&sandbox, script).assert_status(0);
            assert_each_has_one_record(&sandbox, &states);
        }
    }

    #[test]
    fn functions_aliases_and_subshells_are_recorded() {
        let Some(sandbox) = surroundings() else { return };
        let states = stacks(&sandbox);
        let script = "shopt -s expand_aliases\n\
                      alias tfa='terraform apply -auto-approve'\n\
                      terraform_in() { command terraform \"-chdir=$1\" apply -auto-approve; }\n\
                      terraform_in one && (cd two && tfa) && \
                      (cd three; exec tf apply -auto-approve) && \
                      out=$(terraform -chdir=four apply -auto-approve)";
        bash(&sandbox, script).assert_status(0);
        assert_each_has_one_record(&sandbox, &states);
    }

    /// As Terragrunt does: version first, `init`, hooks before and after, the command with variables.
    #[test]
    fn hooks_before_and_after_are_calls_of_their_own() {
        let Some(sandbox) = surroundings() else { return };
        let states = stacks(&sandbox);
        let script = "cd one && terraform -version > /dev/null && terraform init -input=false > /dev/null \
                      && (cd ../two && terraform apply -auto-approve -input=false) \
                      && TF_CLI_ARGS_apply=-no-color terraform apply -auto-approve -input=false \
                      && terraform output -json > /dev/null \
                      && (cd ../three && terraform apply -auto-approve -input=false) \
                      && terraform plan -detailed-exitcode > /dev/null";
        bash(&sandbox, script).assert_status(0);
        assert_each_has_one_record(&sandbox, &states[..3]);
    }

    #[test]
    fn what_is_read_in_a_pipeline_is_not_mixed_with_words_of_ours() {
        let Some(sandbox) = surroundings() else { return };
        sandbox.write("main.tf", "output \"list\" {\n  value = [1, 2]\n}\n");
        let script = "terraform apply -auto-approve > /dev/null 2> err; \
                      terraform output -json list | cat; test ! -s err";
        let transcript = bash(&sandbox, script);
        assert_eq!(transcript.assert_status(0).stdout_text(), "[1,2]\n");
    }
}
