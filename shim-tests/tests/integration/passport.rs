//! The passport: a fresh clone on a new machine knows what it should find.

use std::path::PathBuf;

use serde_json::Value;
use shim_tests::shim::{document, operations, shim};
use shim_tests::{Invocation, Sandbox, Transcript, stage, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// The name of the passport.
const PASSPORT: &str = ".tf-shim.passport.json";

/// A machine that has applied two resources and written a passport; none where there is no Terraform.
fn with_passport() -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    let written = shim(&sandbox, ["passport"]).run();
    written.assert_status(0);
    assert!(written.stdout_text().contains("with resources, written to "), "{written}");
    Some(sandbox)
}

/// The same call on another machine: its store knows nothing.
fn elsewhere<'s>(sandbox: &Sandbox, call: Invocation<'s>) -> Invocation<'s> {
    call.env("TF_SHIM_STORE", sandbox.path("elsewhere"))
}

fn apply_elsewhere(sandbox: &Sandbox) -> Transcript {
    elsewhere(sandbox, sandbox.tf(["apply", "-auto-approve"])).run()
}

fn remove_state(sandbox: &Sandbox) {
    std::fs::remove_file(sandbox.project().join(STATE)).unwrap();
}

fn passport(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&sandbox.read(PASSPORT)).unwrap()
}

#[test]
fn it_says_what_there_is_and_holds_no_secret() {
    let Some(sandbox) = with_passport() else { return };
    let state: Value = serde_json::from_slice(&sandbox.read(STATE)).unwrap();
    let written = passport(&sandbox);
    assert_eq!(written["format_version"], "1.0");
    let claim = &written["states"][0];
    let keys: Vec<_> = claim.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["kind", "path", "workspace", "lineage", "serial", "has_resources", "when", "by"]
    );
    assert_eq!((&claim["lineage"], &claim["serial"]), (&state["lineage"], &state["serial"]));
    assert_eq!((&claim["kind"], &claim["path"]), (&"local".into(), &STATE.into()));
    assert_eq!((&claim["workspace"], &claim["has_resources"]), (&"default".into(), &true.into()));
}

#[test]
fn it_is_written_anew_only_where_lineage_or_emptiness_changed() {
    let Some(sandbox) = with_passport() else { return };
    let first = sandbox.read(PASSPORT);
    sandbox.write("main.tf", stage::resources(&["a"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    let again = shim(&sandbox, ["passport"]).run();
    again.assert_status(0);
    assert!(again.stdout_text().contains("the passport is right"), "{again}");
    assert!(sandbox.read(PASSPORT) == first);
    shim(&sandbox, ["passport", "--check"]).run().assert_status(0);
    sandbox.tf(["destroy", "-auto-approve"]).run().assert_status(0);
    let differs = shim(&sandbox, ["passport", "--check", "--json"]).run();
    differs.assert_status(1);
    assert_eq!(document(&differs)["result"], "differs");
    assert!(sandbox.read(PASSPORT) == first, "only compared");
    shim(&sandbox, ["passport"]).run().assert_status(0);
    assert_eq!(passport(&sandbox)["states"][0]["has_resources"], false);
    assert!(sandbox.has(PASSPORT) && !sandbox.has(format!("{PASSPORT}.tf-shim-copy")));
}

#[test]
fn a_new_machine_that_finds_no_state_is_refused_until_a_person_accepts() {
    let Some(sandbox) = with_passport() else { return };
    remove_state(&sandbox);
    let refused = apply_elsewhere(&sandbox);
    refused.assert_status(125);
    for part in ["refused: missing-state", ".tf-shim.passport.json, written", "tf shim accept"] {
        assert!(refused.stderr_text().contains(part), "{refused}");
    }
    assert!(!refused.stderr_text().contains("restore @"), "nothing is kept here: {refused}");
    assert!(!sandbox.has(STATE));
    let status = elsewhere(&sandbox, shim(&sandbox, ["--json"])).run();
    assert_eq!(document(&status)["findings"][0]["guard"], "missing-state");
    let write = elsewhere(&sandbox, shim(&sandbox, ["passport"])).run();
    write.assert_status(3);
    elsewhere(&sandbox, shim(&sandbox, ["accept"])).run().assert_status(0);
    apply_elsewhere(&sandbox).assert_status(0);
}

#[test]
fn a_new_machine_that_finds_another_state_is_refused_and_the_right_one_passes() {
    let Some(sandbox) = with_passport() else { return };
    let right = sandbox.read(STATE);
    sandbox.write(STATE, states::state(7, &["a", "b"]));
    let refused = apply_elsewhere(&sandbox);
    refused.assert_status(125);
    assert!(refused.stderr_text().contains("refused: foreign-state"), "{refused}");
    assert!(refused.stderr_text().contains("lineage ec80aa96"), "{refused}");
    sandbox.write(STATE, &right);
    apply_elsewhere(&sandbox).assert_status(0);
    apply_elsewhere(&sandbox).assert_status(0);
}

#[test]
fn a_new_machine_that_finds_an_older_state_than_the_passport_knows_is_refused() {
    let Some(sandbox) = with_passport() else { return };
    let old = sandbox.read(STATE);
    sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    std::fs::remove_file(sandbox.project().join(PASSPORT)).unwrap();
    shim(&sandbox, ["passport"]).run().assert_status(0);
    let newest = sandbox.read(STATE);
    sandbox.write(STATE, old);
    let refused = elsewhere(&sandbox, sandbox.tf(["destroy", "-auto-approve"])).run();
    refused.assert_status(125);
    assert!(refused.stderr_text().contains("refused: older-state"), "{refused}");
    assert!(refused.stderr_text().contains(" or later · resources"), "{refused}");
    sandbox.write(STATE, newest);
    apply_elsewhere(&sandbox).assert_status(0);
}

#[test]
fn where_the_history_knows_better_the_passport_is_not_asked() {
    let Some(sandbox) = with_passport() else { return };
    sandbox.tf(["destroy", "-auto-approve"]).run().assert_status(0);
    remove_state(&sandbox);
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
}

#[test]
fn it_claims_nothing_of_other_files_and_workspaces() {
    let Some(sandbox) = with_passport() else { return };
    let other = ["apply", "-auto-approve", "-state=other.tfstate"];
    elsewhere(&sandbox, sandbox.tf(other)).run().assert_status(0);
    elsewhere(&sandbox, sandbox.tf(["workspace", "new", "blue"])).run().assert_status(0);
    apply_elsewhere(&sandbox).assert_status(0);
    elsewhere(&sandbox, shim(&sandbox, ["passport"])).run().assert_status(0);
    let states = passport(&sandbox)["states"].clone();
    let workspaces: Vec<_> =
        states.as_array().unwrap().iter().map(|claim| claim["workspace"].clone()).collect();
    assert_eq!(workspaces, ["blue", "default"]);
}

#[test]
fn it_moves_with_the_directory_and_knows_a_state_outside_of_it() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let root = "terraform {\n  backend \"local\" {\n    path = \"../kept/x.tfstate\"\n  }\n}\n";
    sandbox.write("stack/main.tf", format!("{root}{}", stage::resources(&["a"])));
    let call = |args: &[&str]| {
        let args = std::iter::once("-chdir=stack").chain(args.iter().copied());
        sandbox.tf(args)
    };
    call(&["init"]).run().assert_status(0);
    call(&["apply", "-auto-approve"]).run().assert_status(0);
    call(&["shim", "passport"]).run().assert_status(0);
    let written: Value =
        serde_json::from_slice(&sandbox.read(PathBuf::from("stack").join(PASSPORT))).unwrap();
    assert_eq!(written["states"][0]["path"], "../kept/x.tfstate");
    std::fs::remove_file(sandbox.project().join("kept/x.tfstate")).unwrap();
    let refused = elsewhere(&sandbox, call(&["apply", "-auto-approve"])).run();
    refused.assert_status(125);
    assert!(refused.stderr_text().contains("tf -chdir=stack shim accept"), "{refused}");
}

#[test]
fn what_is_no_passport_stops_a_new_machine_and_says_where() {
    let Some(sandbox) = with_passport() else { return };
    for (text, why) in [
        ("{\n<<<<<<< HEAD\n", "line 2"),
        ("{\"format_version\": \"9.0\", \"states\": []}", "use a newer tf"),
        ("[]", "line 1"),
    ] {
        sandbox.write(PASSPORT, text);
        let broken = apply_elsewhere(&sandbox);
        broken.assert_status(125);
        assert!(broken.stderr_text().contains(PASSPORT), "{broken}");
        assert!(broken.stderr_text().contains(why), "{broken}");
        let init = sandbox.tf(["init"]).env("TF_SHIM_STORE", sandbox.path("third")).run();
        init.assert_status(0);
        let apply = sandbox.tf(["apply"]).env("TF_SHIM_STORE", sandbox.path("third")).run();
        apply.assert_status(125);
        // Where the history knows what to expect, nobody needs it.
        sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    }
    assert!(operations(&sandbox).iter().all(|operation| operation["outcome"] == "done"));
}
