//! VS Code: the program of the language server, and the terminals inside.

use shim_tests::Sandbox;
use shim_tests::callers::json;
use shim_tests::recipes::{json as read, text};

/// Sets up what the settings rest on, and returns the settings with this home.
fn settled() -> Option<(Sandbox, String, String)> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", shim_tests::stage::resource("a", "1"));
    let settings = read("contrib/vscode/settings.json");
    let home = sandbox.home().display().to_string();
    let server = text(&settings["terraform.languageServer.terraform.path"]);
    let server = server.replace("/home/you", &home);
    let path = text(&settings["terminal.integrated.env.linux"]["PATH"]);
    let outer = format!("{}:/usr/bin:/bin", sandbox.bin().display());
    let path = path.replace("${env:HOME}", &home).replace("${env:PATH}", &outer);
    sandbox.tf(["shim", "install"]).run().assert_status(0);
    Some((sandbox, server, path))
}

#[test]
fn the_language_server_gets_version_schema_and_format() {
    let Some((sandbox, server, path)) = settled() else { return };
    let call =
        |args: &[&str]| sandbox.program(server.as_ref(), args.iter().copied()).env("PATH", &path);
    assert!(json(&call(&["version", "-json"]).run())["terraform_version"].is_string());
    assert!(json(&call(&["providers", "schema", "-json", "-no-color"]).run()).is_object());
    assert_eq!(json(&call(&["validate", "-json"]).run())["valid"], true);
    let formatted = call(&["fmt", "-"]).stdin("a=1\n").run();
    assert_eq!(formatted.stdout_text(), "a = 1\n");
    assert!(sandbox.histories().is_empty());
}

#[test]
fn what_is_typed_in_a_terminal_is_guarded() {
    let Some((sandbox, server, path)) = settled() else { return };
    let line = "command -v terraform && terraform apply -auto-approve";
    let transcript = sandbox.program("/bin/sh".as_ref(), ["-c", line]).env("PATH", &path).run();
    assert!(transcript.stdout_text().starts_with(&format!("{server}\n")), "{transcript}");
    assert_eq!(sandbox.history().only().verb(), "apply");
}
