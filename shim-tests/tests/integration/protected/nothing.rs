//! Where nothing is protected, nothing changes: `tf` runs as Terraform alone does.

use shim_tests::scene::Scene;
use shim_tests::{Sandbox, Scenario, stage};

/// Protects another workspace than the one that is selected.
const ELSEWHERE: &str =
    "[guard.protect]\nworkspaces = [\"prod\"]\ntypes = [\"*\"]\naction = \"deny\"\n";

#[test]
fn in_another_workspace_every_spelling_runs_as_it_does_without_us() {
    let scene = Scene::real(&stage::resource("b", "b")).with_file(".tf-shim.toml", ELSEWHERE);
    for args in [
        &["destroy", "-auto-approve"][..],
        &["destroy"],
        &["apply", "-destroy", "-auto-approve"],
        &["apply", "--destroy=true", "--auto-approve"],
        &["apply", "-replace=terraform_data.b", "-auto-approve"],
        &["apply", "-auto-approve", "-json"],
        &["apply", "-refresh-only", "-auto-approve"],
        &["apply", "-nope"],
        &["apply", "-json"],
        &["destroy", "nope"],
    ] {
        scene.compare(|stage| stage.take(stage.call(args.iter().copied()).start()));
    }
}

#[test]
fn one_command_is_one_call_with_the_words_as_they_came() {
    let fake = || Sandbox::new().with_fake(Scenario::terraform());
    for (args, rules) in [
        (&["destroy", "-auto-approve", "-var", "a=b"][..], ELSEWHERE),
        (&["apply", "--auto-approve", ""], ELSEWHERE),
        (&["apply", "-nope", "x"], ""),
        (&["refresh"], "[guard.protect]\nworkspaces = [\"default\"]\nmax_deletes = 0\n"),
        (&["state", "rm", "a.b"], "[guard.protect]\ntypes = [\"*\"]\n"),
        (&["taint", "a.b"], "[guard.protect]\ntypes = [\"*\"]\n"),
        (&["plan", "-destroy"], "[guard.protect]\ntypes = [\"*\"]\n"),
    ] {
        let sandbox = fake();
        sandbox.write(".tf-shim.toml", rules);
        let transcript = sandbox.tf(args.iter().copied()).run();
        let call = transcript.only_call();
        assert_eq!(call.args(), args.iter().map(std::ffi::OsString::from).collect::<Vec<_>>());
        assert_eq!(call.variable("TF_IN_AUTOMATION"), None, "{transcript}");
    }
}

#[test]
fn where_a_plan_is_judged_and_passes_the_screen_is_that_of_terraform() {
    let scene = Scene::real(&stage::resource("b", "b"))
        .with_file(".tf-shim.toml", "[guard.protect]\naddresses = [\"terraform_data.nope\"]\n");
    for args in [
        &["apply", "-auto-approve"][..],
        &["apply", "-auto-approve", "-no-color"],
        &["apply", "-auto-approve", "-replace=terraform_data.b"],
        &["apply", "-auto-approve", "-refresh-only"],
        &["apply", "-destroy", "-auto-approve"],
    ] {
        scene.compare(|stage| stage.take(stage.call(args.iter().copied()).start()));
    }
    // On a terminal, with Terraform's own question, and ours in its place.
    for (args, answer) in [
        (&["apply"][..], "yes\n"),
        (&["apply"], "no\n"),
        (&["apply", "-no-color"], "yes\n"),
        (&["apply", "-destroy"], "no\n"),
        (&["apply", "-destroy"], "yes\n"),
        (&["destroy"], "no\n"),
    ] {
        scene.compare(|stage| {
            let mut running = stage.call(args.iter().copied()).on_terminal().start();
            running.wait_for_text("Enter a value:");
            running.type_text(answer);
            stage.take(running)
        });
    }
}

#[test]
fn an_apply_that_has_nothing_to_do_asks_nobody() {
    let scene = Scene::real("").with_file(".tf-shim.toml", "[guard.protect]\nmax_deletes = 9\n");
    scene.compare(|stage| {
        stage.call(["apply", "-auto-approve"]).run().assert_status(0);
        stage.take(stage.call(["apply"]).start())
    });
}
