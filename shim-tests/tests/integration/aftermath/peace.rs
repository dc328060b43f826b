//! What is no finding: ordinary work, in all its forms, with the real Terraform.

use shim_tests::backend::HttpBackend;
use shim_tests::provider::{HEADER, Provider};
use shim_tests::{Sandbox, stage};

use super::assert_found;

/// Runs command lines, one text each, and fails unless each ends well and nothing is found.
#[track_caller]
fn assert_quiet(sandbox: &Sandbox, lines: &[&str]) {
    for line in lines {
        assert_found(sandbox, &sandbox.tf(line.split(' ')).run(), 0, &[]);
    }
}

/// Saves a plan.
fn plan(sandbox: &Sandbox) {
    sandbox.terraform(["plan", "-out=p"]).run().assert_status(0);
}

/// Every kind of change that a plan can hold.
const EVERYTHING: &str = "
resource \"terraform_data\" \"replaced\" { triggers_replace = 2 }
resource \"terraform_data\" \"updated\" { input = 2 }
resource \"terraform_data\" \"renamed\" {}
resource \"terraform_data\" \"fewer\" { count = 1 }
resource \"terraform_data\" \"imported\" {}
resource \"terraform_data\" \"new\" { input = terraform_data.updated.output }
moved {
  from = terraform_data.old
  to   = terraform_data.renamed
}
removed {
  from = terraform_data.forgotten
  lifecycle { destroy = false }
}
import {
  to = terraform_data.imported
  id = \"x\"
}
";

/// What it is a change of.
const BEFORE: &str = "
resource \"terraform_data\" \"replaced\" { triggers_replace = 1 }
resource \"terraform_data\" \"updated\" { input = 1 }
resource \"terraform_data\" \"old\" {}
resource \"terraform_data\" \"fewer\" { count = 3 }
resource \"terraform_data\" \"forgotten\" {}
resource \"terraform_data\" \"gone\" {}
";

#[test]
fn a_saved_plan_with_every_kind_of_change_leaves_what_it_says() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", BEFORE);
    plan(&sandbox);
    assert_quiet(&sandbox, &["apply p"]);
    sandbox.write("main.tf", EVERYTHING);
    plan(&sandbox);
    assert_quiet(&sandbox, &["apply p"]);
    plan(&sandbox);
    assert_quiet(&sandbox, &["apply p", "apply p"]);
    sandbox.terraform(["plan", "-destroy", "-out=p"]).run().assert_status(0);
    assert_quiet(&sandbox, &["apply p"]);
}

#[test]
fn what_has_drifted_away_before_a_plan_is_not_missed_after_it() {
    let provider = Provider::start();
    let sandbox = Sandbox::new().with_real_terraform();
    let Some(sandbox) = sandbox.map(|sandbox| sandbox.with_provider(&provider)) else { return };
    sandbox.write("main.tf", format!("{HEADER}\n{VANISHING}"));
    assert_quiet(&sandbox, &["apply -auto-approve"]);
    for id in provider.cloud().ids("fake_thing").iter().take(1) {
        assert!(provider.cloud().delete(id));
    }
    sandbox.write("main.tf", HEADER);
    plan(&sandbox);
    assert_quiet(&sandbox, &["apply p"]);
}

/// Two objects of the cloud.
const VANISHING: &str = "resource \"fake_thing\" \"a\" {}\nresource \"fake_thing\" \"b\" {}\n";

#[test]
fn the_commands_that_change_nothing_or_little_are_quiet() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    assert_quiet(
        &sandbox,
        &[
            "apply -auto-approve",
            "apply -auto-approve",
            "apply -auto-approve -lock=false",
            "apply -auto-approve -refresh-only",
            "apply -auto-approve -backup=-",
            "refresh",
            "taint terraform_data.a",
            "taint terraform_data.a",
            "taint -allow-missing terraform_data.zz",
            "untaint terraform_data.a",
            "untaint -allow-missing terraform_data.zz",
            "state mv terraform_data.a terraform_data.c",
            "state mv terraform_data.c terraform_data.a",
            "state mv -state-out=other.tfstate terraform_data.b terraform_data.b",
            "state rm terraform_data.a",
            "import terraform_data.a x",
            "apply -auto-approve -target=terraform_data.a",
            "destroy -auto-approve -target=terraform_data.a",
            "destroy -auto-approve",
            "destroy -auto-approve",
            "apply -auto-approve -state=third.tfstate",
            "apply -auto-approve -state=third.tfstate -state-out=fourth.tfstate",
        ],
    );
}

#[test]
fn a_backend_and_its_workspaces_are_quiet() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let backend = HttpBackend::start();
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    assert_quiet(&sandbox, &["apply -auto-approve"]);
    sandbox.write("backend.tf", backend.configuration());
    sandbox.tf(["init", "-force-copy"]).run().assert_status(0);
    assert_quiet(
        &sandbox,
        &[
            "apply -auto-approve",
            "taint terraform_data.a",
            "apply -auto-approve",
            "state rm terraform_data.a",
            "apply -auto-approve",
            "destroy -auto-approve",
        ],
    );
}
