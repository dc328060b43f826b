//! One destroy in many spellings: each is refused, and nothing is destroyed.

use shim_tests::provider::{HEADER, Provider};
use shim_tests::{Sandbox, stage};

use super::{RULE, addresses, applied, applied_under, assert_nothing_left, refused};

#[test]
fn every_spelling_of_a_destroy_is_refused() {
    let Some(sandbox) = applied() else { return };
    for args in [
        &["destroy", "-auto-approve"][..],
        &["destroy"],
        &["apply", "-destroy", "-auto-approve"],
        &["apply", "--destroy=true", "--auto-approve"],
        &["apply", "-destroy=T", "-auto-approve=1", "-no-color"],
        &["destroy", "-auto-approve", "-target=terraform_data.a"],
        &["destroy", "-auto-approve", "-destroy=false", "-refresh=false"],
        &["destroy", "-auto-approve", "-json"],
        &["-chdir=.", "destroy", "-auto-approve"],
    ] {
        let (transcript, refusal) = refused(&sandbox, sandbox.tf(args.iter().copied()));
        assert_eq!(addresses(&refusal), ["terraform_data.a"], "{transcript}");
        assert_eq!(refusal["guard"], "protected");
        assert_eq!(refusal["plan_sha256"].as_str().map(str::len), Some(64), "{refusal}");
        assert!(!transcript.stdout_text().contains("tf shim"), "{transcript}");
    }
}

#[test]
fn what_the_environment_adds_is_a_spelling_too() {
    let Some(sandbox) = applied() else { return };
    for (args, variable, value) in [
        (&["apply", "-auto-approve"][..], "TF_CLI_ARGS", "-destroy"),
        (&["apply"], "TF_CLI_ARGS_apply", "-destroy -auto-approve"),
        (&["destroy"], "TF_CLI_ARGS_destroy", "-auto-approve"),
        (&[], "TF_CLI_ARGS", "destroy -auto-approve"),
        // What `plan` alone is told is not for an apply.
        (&["destroy", "-auto-approve"], "TF_CLI_ARGS_plan", "-target=terraform_data.b"),
    ] {
        let call = sandbox.tf(args.iter().copied()).env(variable, value);
        let (transcript, refusal) = refused(&sandbox, call);
        assert_eq!(addresses(&refusal), ["terraform_data.a"], "{transcript}");
    }
}

#[test]
fn a_saved_plan_is_a_spelling_too() {
    let Some(sandbox) = applied() else { return };
    sandbox.terraform(["plan", "-destroy", "-out=destroy.tfplan"]).run().assert_status(0);
    let (transcript, refusal) = refused(&sandbox, sandbox.tf(["apply", "destroy.tfplan"]));
    assert_eq!(addresses(&refusal), ["terraform_data.a"], "{transcript}");
    assert!(!transcript.stdout_text().contains("Destroying"), "{transcript}");
}

#[test]
fn a_changed_configuration_is_a_spelling_too() {
    let input = stage::resource("a", "a");
    let counted = |count: &str| input.replacen('{', &format!("{{\n  count = {count}"), 1);
    let keyed = |keys: &str| input.replacen('{', &format!("{{\n  for_each = toset({keys})"), 1);
    for (first, second, expected) in [
        (input.clone(), String::new(), "terraform_data.a"),
        (counted("1"), counted("0"), "terraform_data.a[0]"),
        (keyed("[\"x\", \"y\"]"), keyed("[\"y\"]"), "terraform_data.a[\"x\"]"),
        (input.clone(), keyed("[\"x\"]"), "terraform_data.a"),
    ] {
        let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
        let other = stage::resource("other", "1");
        sandbox.write("main.tf", first + &other);
        sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
        sandbox.write(".tf-shim.toml", RULE);
        sandbox.write("main.tf", second + &other);
        let (transcript, refusal) = refused(&sandbox, sandbox.tf(["apply", "-auto-approve"]));
        assert_eq!(addresses(&refusal), [expected], "{transcript}");
    }
}

#[test]
fn a_replacement_is_a_spelling_too() {
    let Some(sandbox) = applied() else { return };
    let call = sandbox.tf(["apply", "-auto-approve", "-replace=terraform_data.a"]);
    let (transcript, _) = refused(&sandbox, call);
    assert!(transcript.stderr_text().contains("replaced: -replace asks for it"), "{transcript}");
    sandbox.terraform(["taint", "terraform_data.a"]).run().assert_status(0);
    let (transcript, _) = refused(&sandbox, sandbox.tf(["apply", "-auto-approve"]));
    assert!(transcript.stderr_text().contains("replaced: it is tainted"), "{transcript}");
}

#[test]
fn a_name_that_changed_is_said_to_be_one_and_the_block_that_mends_it_works() {
    let Some(sandbox) = applied() else { return };
    let renamed = stage::resource("new", "a") + &stage::resource("b", "b");
    sandbox.write("main.tf", &renamed);
    let (transcript, refusal) = refused(&sandbox, sandbox.tf(["apply", "-auto-approve"]));
    assert_eq!(addresses(&refusal), ["terraform_data.a"]);
    let text = transcript.stderr_text();
    let block: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.contains("moved {"))
        .take(4)
        .map(|line| line.trim_start().trim_start_matches("way out").trim())
        .collect();
    assert_eq!(block, ["moved {", "from = terraform_data.a", "to   = terraform_data.new", "}"]);
    sandbox.write("main.tf", renamed + &block.join("\n") + "\n");
    let moved = sandbox.tf(["apply", "-auto-approve"]).run();
    moved.assert_status(0);
    assert!(moved.stdout_text().contains("0 added, 0 changed, 0 destroyed"), "{moved}");
}

#[test]
fn what_is_moved_or_forgotten_is_not_deleted() {
    let Some(sandbox) = applied() else { return };
    let rest = stage::resource("b", "b");
    let moved = stage::resource("new", "a")
        + &rest
        + "moved {\n  from = terraform_data.a\n  to = terraform_data.new\n}\n";
    sandbox.write("main.tf", moved);
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    sandbox.write(".tf-shim.toml", RULE.replace("data.a", "data.new"));
    let forgotten =
        "removed {\n  from = terraform_data.new\n  lifecycle {\n    destroy = false\n  }\n}\n";
    sandbox.write("main.tf", rest.clone() + forgotten);
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
}

#[test]
fn an_object_that_is_moved_and_replaced_is_protected_under_its_old_name() {
    let Some(sandbox) = applied() else { return };
    let moved = stage::resource("new", "a")
        + &stage::resource("b", "b")
        + "moved {\n  from = terraform_data.a\n  to = terraform_data.new\n}\n";
    sandbox.write("main.tf", moved);
    let call = sandbox.tf(["apply", "-auto-approve", "-replace=terraform_data.new"]);
    let (transcript, refusal) = refused(&sandbox, call);
    assert_eq!(addresses(&refusal), ["terraform_data.new"], "{transcript}");
}

#[test]
fn a_module_a_type_and_a_workspace_protect_what_is_in_them() {
    for rule in [
        "addresses = [\"module.m\"]",
        "addresses = [\"module.m.terraform_data.a\"]",
        "types = [\"terraform_*\"]",
        "workspaces = [\"default\"]",
        "types = [\"terraform_data\"]\nworkspaces = [\"def*\"]",
        "max_deletes = 1",
    ] {
        let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
        sandbox.write("m/main.tf", stage::resources(&["a", "b"]));
        sandbox.write(
            "main.tf",
            "module \"m\" {\n  source = \"./m\"\n  for_each = toset([\"k\"])\n}\n",
        );
        sandbox.terraform(["init"]).run().assert_status(0);
        sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
        sandbox.write(".tf-shim.toml", format!("[guard.protect]\n{rule}\n"));
        let (transcript, refusal) = refused(&sandbox, sandbox.tf(["destroy", "-auto-approve"]));
        let named = addresses(&refusal);
        assert!(named.contains(&"module.m[\"k\"].terraform_data.a"), "{rule}: {transcript}");
    }
}

#[test]
fn a_replacement_that_a_provider_asks_for_is_refused_and_nothing_reaches_it() {
    let provider = Provider::start();
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let sandbox = sandbox.with_provider(&provider);
    let thing = |value: &str| {
        format!("{HEADER}resource \"fake_thing\" \"a\" {{\n  value = \"{value}\"\n}}\n")
    };
    sandbox.write("main.tf", thing("1"));
    sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
    sandbox.write(".tf-shim.toml", "[guard.protect]\ntypes = [\"fake_*\"]\n");
    let args = ["apply", "-auto-approve", "-replace=fake_thing.a"];
    let (transcript, refusal) = refused(&sandbox, sandbox.tf(args));
    assert_eq!(addresses(&refusal), ["fake_thing.a"], "{transcript}");
    assert_eq!(provider.cloud().ids("fake_thing"), ["thing-1"]);
    sandbox.write("main.tf", HEADER);
    refused(&sandbox, sandbox.tf(["apply", "-auto-approve"]));
    assert_eq!(provider.cloud().ids("fake_thing"), ["thing-1"]);
}

#[test]
fn a_check_may_not_delete_it_either() {
    let Some(sandbox) = applied() else { return };
    sandbox.write("main.tf", stage::resource("b", "b"));
    let before = sandbox.read("terraform.tfstate");
    let checked = sandbox.tf(["shim", "check", "--yes"]).run();
    assert_ne!(checked.status(), Some(0), "{checked}");
    assert!(sandbox.read("terraform.tfstate") == before, "{checked}");
    assert!(checked.stderr_text().contains("protected"), "{checked}");
    assert_nothing_left(&sandbox);
}

#[test]
fn deny_is_deny_in_a_users_file_and_cannot_be_taken_back_by_a_project() {
    let Some(sandbox) = applied_under("[guard.protect]\naction = \"ask\"\n") else { return };
    let deny = "[guard.protect]\naddresses = [\"terraform_data.a\"]\naction = \"deny\"\n";
    sandbox.write_at(&sandbox.config(), deny);
    let (transcript, _) = refused(&sandbox, sandbox.tf(["destroy", "-auto-approve"]));
    assert!(transcript.stderr_text().contains("\"deny\""), "{transcript}");
}
