//! Another writer between our look and Terraform's lock.

use shim_tests::{Sandbox, programs, stage};

use super::{assert_found, findings};

/// Returns a sandbox whose Terraform is late: somebody else applies `more` before each of these commands.
fn overtaken(verb: &str) -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    let real = programs::real_terraform()?;
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    let real = real.display();
    std::fs::remove_file(sandbox.bin().join("terraform")).unwrap();
    let body = format!(
        "case \"$*\" in \"{verb}\"*) {real} apply -auto-approve -backup=- >&2 ;; esac\nexec {real} \"$@\""
    );
    sandbox.write_script(&sandbox.bin().join("terraform"), &body);
    Some(sandbox)
}

#[test]
fn another_writer_in_between_is_told_with_both_serials() {
    for (verb, line) in [
        ("taint", &["taint", "terraform_data.a"][..]),
        ("state rm", &["state", "rm", "terraform_data.a"]),
        ("apply -replace", &["apply", "-replace=terraform_data.a", "-auto-approve"]),
    ] {
        let Some(sandbox) = overtaken(verb) else { return };
        sandbox.write("more.tf", stage::resources(&["c"]));
        let done = sandbox.tf(line.iter().copied()).run();
        done.assert_status(0);
        let found = findings(&sandbox);
        assert_eq!(found.len(), 1, "{done}");
        assert_eq!(found[0].0, "older-state");
        let text = &found[0].1;
        assert!(text.starts_with("another writer was at work: "), "{text}");
        assert!(
            text.contains("started from serial") && text.contains("saved before it is"),
            "{text}"
        );
        assert!(done.stderr_text().contains(text.as_str()), "{done}");
    }
}

#[test]
fn where_nobody_came_between_or_there_is_no_backup_nothing_is_said() {
    let Some(sandbox) = overtaken("taint") else { return };
    // The other one changes nothing.
    assert_found_but_for_terraform(&sandbox, &["taint", "terraform_data.a"]);
    sandbox.write("more.tf", stage::resources(&["c"]));
    assert_found_but_for_terraform(&sandbox, &["taint", "-backup=-", "terraform_data.a"]);
}

/// Fails unless a command ended well and nothing was found.
#[track_caller]
fn assert_found_but_for_terraform(sandbox: &Sandbox, line: &[&str]) {
    assert_found(sandbox, &sandbox.tf(line.iter().copied()).run(), 0, &[]);
}
