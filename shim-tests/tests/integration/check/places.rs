//! Where a finding is declared: the file and line that its owner can change.

use super::{Stage, names_in};

/// A resource that is updated by every apply.
const CLOCK: &str = "resource \"terraform_data\" \"a\" {\n  input = timestamp()\n}\n";

#[test]
fn in_a_file_of_json() {
    let Some(stage) = Stage::set("") else { return };
    stage.sandbox.write(
        "clock.tf.json",
        "{\n  \"resource\": {\n    \"terraform_data\": {\n      \"a\": {\n        \"input\": \
         \"${timestamp()}\"\n      }\n    }\n  }\n}\n",
    );
    stage
        .check(&[])
        .assert("not-idempotent", &["update terraform_data.a input function clock.tf.json:4"]);
}

#[test]
fn in_the_override_file_that_sets_the_attribute() {
    let main = "resource \"fake_thing\" \"a\" {\n  value = \"x\"\n}\nresource \"fake_thing\" \"b\" {\n  \
                value = \"x\"\n  tags  = { at = timestamp() }\n}\n";
    let Some(stage) = Stage::set(main) else { return };
    let over = "# Ours.\nresource \"fake_thing\" \"a\" {\n  value = uuid()\n}\n";
    stage.sandbox.write("over_override.tf", over);
    let over = r#"{"resource": {"fake_thing": {"b": {"value": "y"}}}}"#;
    stage.sandbox.write("json_override.tf.json", over);
    let findings = [
        "update fake_thing.a value function over_override.tf:2",
        "update fake_thing.b tags.at function main.tf:4",
    ];
    stage.check(&[]).assert("not-idempotent", &findings);
    let over = "{\n  \"resource\": {\"fake_thing\": {\n    \"b\": {\"value\": \"${uuid()}\", \"tags\": {}}\n  }}\n}\n";
    stage.sandbox.write("json_override.tf.json", over);
    let findings = [
        "update fake_thing.a value function over_override.tf:2",
        "update fake_thing.b value function json_override.tf.json:3",
    ];
    stage.check(&[]).assert("not-idempotent", &findings);
}

#[test]
fn in_a_module_in_a_module() {
    let Some(stage) = Stage::set("module \"outer\" {\n  source = \"./outer\"\n  count  = 1\n}\n")
    else {
        return;
    };
    stage.sandbox.write("outer/inner/main.tf", CLOCK);
    let call = "module \"inner\" {\n  source   = \"./inner\"\n  for_each = toset([\"x\"])\n}\n";
    stage.install("outer", call);
    let findings = ["update module.outer[0].module.inner[\"x\"].terraform_data.a input function \
         outer/inner/main.tf:1"];
    stage.check(&[]).assert("not-idempotent", &findings);
}

#[test]
fn in_a_module_whose_record_lies_elsewhere() {
    let Some(stage) = Stage::set("module \"m\" {\n  source = \"./m\"\n}\n") else { return };
    stage.sandbox.write("m/main.tf", CLOCK);
    let data = ("TF_DATA_DIR", "elsewhere");
    let init = stage.sandbox.terraform(["init"]).env(data.0, data.1).run();
    init.assert_status(0);
    let checked = stage.checked(stage.prepare(&[]).env(data.0, data.1).run());
    checked
        .assert("not-idempotent", &["update module.m.terraform_data.a input function m/main.tf:1"]);
    assert!(!stage.sandbox.has(".terraform"), "{:?}", names_in(&stage.sandbox.project()));
}

/// Nobody can change a downloaded module where it lies; the call of it can be changed.
#[test]
fn of_a_downloaded_module_it_is_the_call() {
    let Some(stage) = Stage::set("") else { return };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|place| place.join("git")).find(|p| p.exists());
    let git = found.unwrap();
    let modules = stage.sandbox.path("modules");
    stage.sandbox.write_at(&modules.join("clock/main.tf"), CLOCK);
    let place = modules.display().to_string();
    for args in [
        &["-C", &place, "-c", "init.defaultBranch=main", "init", "-q"][..],
        &["-C", &place, "add", "-A"],
        &["-C", &place, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "all"],
    ] {
        stage.sandbox.program(&git, args.iter().copied()).run().assert_status(0);
    }
    stage.configure(&format!(
        "\n\nmodule \"clock\" {{\n  source = \"git::file://{place}//clock\"\n}}\n"
    ));
    // Git is half made of scripts.
    let init = stage.sandbox.terraform(["init"]).env("PATH", std::env::var_os("PATH").unwrap());
    init.run().assert_status(0);
    stage.check(&[]).assert(
        "not-idempotent",
        &["update module.clock.terraform_data.a input function main.tf:3"],
    );
}

#[test]
fn seen_from_where_one_stands_and_from_the_top_of_the_repository() {
    let Some(stage) = Stage::set("") else { return };
    stage.sandbox.write("stacks/a/main.tf", CLOCK);
    let finding = |file: &str| format!("update terraform_data.a input function {file}:1");
    let line = stage.prepare(&["--plan-only"]).in_directory("stacks/a");
    stage
        .checked(line.run())
        .assert("not-idempotent", &["pending terraform_data.a - configuration main.tf:1"]);
    std::fs::create_dir(stage.sandbox.project().join(".git")).unwrap();
    let line = stage.prepare(&[]).in_directory("stacks/a");
    stage.checked(line.run()).assert("not-idempotent", &[&finding("stacks/a/main.tf")]);
}
