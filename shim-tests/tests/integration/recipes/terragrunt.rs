//! Terragrunt: the program that the root configuration names, called as Terragrunt calls it.

use regex::Regex;
use shim_tests::Sandbox;
use shim_tests::callers::json;
use shim_tests::recipes::file;

/// The recipe.
const ROOT: &str = "contrib/terragrunt/root.hcl";

#[test]
fn the_named_program_answers_as_terraform_and_guards_what_the_recipe_lists() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.put_on_path("tf", &sandbox.tf_program());
    sandbox.write("main.tf", shim_tests::stage::resource("a", "1"));
    let recipe = std::fs::read_to_string(file(ROOT)).unwrap();
    let named = Regex::new("(?m)^terraform_binary = \"(.*)\"$").unwrap();
    let program = sandbox.bin().join(&named.captures(&recipe).expect("a program")[1]);
    let call = |args: &[&str]| sandbox.program(&program, args.iter().copied()).run();
    let version = call(&["-version"]).stdout_text();
    assert!(Regex::new(r"^Terraform\sv\d+\.\d+\.\d+").unwrap().is_match(&version), "{version}");
    call(&["init"]).assert_status(0);
    call(&["apply", "-auto-approve", "-input=false"]).assert_status(0);
    assert_eq!(json(&call(&["output", "-json"])), serde_json::json!({}));
    assert_eq!(sandbox.history().only().verb(), "apply");
}

#[test]
fn the_recipe_is_hcl_in_its_canonical_form() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let recipe = std::fs::read_to_string(file(ROOT)).unwrap();
    let formatted = sandbox.terraform(["fmt", "-"]).stdin(recipe.clone()).run();
    assert_eq!(formatted.assert_status(0).stdout_text(), recipe);
}
