//! The real mise, where one is on `PATH` (npm has it: `@jdxcode/mise-linux-x64`): the same orders as with its
//! stand-in, and what `mise activate` makes of `PATH`.
//!
//! With `TF_SHIM_TESTS_REQUIRE_MISE=1` a missing one is a failure. The versions are fakes where mise would keep
//! real ones, so nothing is downloaded.

use std::ffi::OsString;
use std::path::PathBuf;

use shim_tests::Transcript;
use shim_tests::managers::{Placed, REQUIRE_MISE, put};
use shim_tests::programs::found_or_skipped;

use super::{
    Manager, Sandbox, assert_one_operation, chosen, first_on, managed, part, path, program, system,
};

/// A sandbox with the real mise in place of its stand-in; none where there is none.
fn real() -> Option<Sandbox> {
    let mise = std::fs::canonicalize(found_or_skipped("mise", REQUIRE_MISE)?).unwrap();
    let sandbox = managed(Manager::Mise, part());
    let installed = sandbox.home().join(".local/bin/mise");
    std::fs::remove_file(&installed).unwrap();
    put(&installed, &mise, Placed::Linked);
    system(&sandbox);
    let trusted = sandbox.project().into_os_string();
    Some(
        sandbox
            .with_variable("MISE_OFFLINE", "1")
            .with_variable("MISE_YES", "1")
            .with_variable("MISE_TRUSTED_CONFIG_PATHS", trusted),
    )
}

fn run(sandbox: &Sandbox, path: &OsString, name: &str, words: &[&str]) -> Transcript {
    sandbox.program(&first_on(path, name), words.iter().copied()).env("PATH", path).run()
}

/// The `PATH` that `mise activate` makes of one, at the next prompt.
fn activated(sandbox: &Sandbox, path: &OsString) -> OsString {
    let script =
        "eval \"$(mise activate bash)\"; eval \"$(mise hook-env -s bash)\"; printf %s \"$PATH\"";
    let transcript =
        sandbox.program(&sandbox.path("tools/bash"), ["-c", script]).env("PATH", path).run();
    transcript.assert_status(0).stdout_text().into()
}

#[test]
fn the_real_shims_behave_as_their_stand_in() {
    let Some(sandbox) = real() else { return };
    let expected = chosen(Manager::Mise, &sandbox);
    for parts in [&["us", "manager", "system"][..], &["us", "manager", "us", "manager"]] {
        let path = path(&sandbox, Manager::Mise, parts);
        for name in ["terraform", "tf"] {
            let transcript = run(&sandbox, &path, name, &["plan"]);
            assert_eq!(program(transcript.assert_status(0).only_call()), expected, "{parts:?}");
        }
    }
    let path = path(&sandbox, Manager::Mise, &["us", "manager", "system"]);
    run(&sandbox, &path, "terraform", &["apply", "-auto-approve"]).assert_status(0);
    assert_one_operation(&sandbox, "apply");
}

/// What our stand-in does to `PATH`, the real one does: before the shims, behind us.
#[test]
fn the_real_shims_put_the_version_just_before_themselves() {
    let Some(sandbox) = real() else { return };
    let path = path(&sandbox, Manager::Mise, &["us", "manager", "system"]);
    let transcript = run(&sandbox, &path, "terraform", &["plan"]);
    let seen = transcript.assert_status(0).only_call().variable("PATH").unwrap();
    let entries: Vec<PathBuf> = std::env::split_paths(&seen).collect();
    let version = chosen(Manager::Mise, &sandbox).parent().unwrap().to_owned();
    let shims = Manager::Mise.entries(&sandbox)[0].clone();
    assert_eq!(entries[..3], [sandbox.path("us"), version, shims]);
}

#[test]
fn the_real_one_with_a_version_that_is_us_leads_to_the_next_real_one() {
    let Some(sandbox) = real() else { return };
    super::choose_instead(Manager::Mise, &sandbox, &sandbox.tf_program());
    for parts in [["manager", "us", "system"], ["us", "manager", "system"]] {
        let path = path(&sandbox, Manager::Mise, &parts);
        let transcript = run(&sandbox, &path, "terraform", &["plan"]);
        let reached = program(transcript.assert_status(0).only_call());
        assert_eq!(reached, sandbox.path("system/terraform"), "{parts:?}");
    }
}

/// Without a version for the directory a shim goes on to the next program: to us, and we go on.
#[test]
fn the_real_one_without_a_version_passes_by() {
    let Some(sandbox) = real() else { return };
    std::fs::remove_file(sandbox.project().join(".tool-versions")).unwrap();
    for parts in [["manager", "us", "system"], ["us", "manager", "system"]] {
        let path = path(&sandbox, Manager::Mise, &parts);
        let transcript = run(&sandbox, &path, "terraform", &["plan"]);
        assert_eq!(transcript.status(), Some(0), "{parts:?} {transcript}");
        let reached = program(transcript.only_call());
        assert_eq!(reached, sandbox.path("system/terraform"), "{parts:?}");
    }
}

/// Activated, mise puts the version's own directory in front: behind us only if we come after it.
#[test]
fn activated_the_real_one_hides_us_unless_we_are_put_in_front_afterwards() {
    let Some(sandbox) = real() else { return };
    let before = path(&sandbox, Manager::Mise, &["us", "manager", "system"]);
    let hidden = activated(&sandbox, &before);
    assert_eq!(first_on(&hidden, "terraform"), chosen(Manager::Mise, &sandbox));
    let mut entries = vec![sandbox.path("us")];
    entries.extend(std::env::split_paths(&hidden));
    let in_front = std::env::join_paths(entries).unwrap();
    let transcript = run(&sandbox, &in_front, "terraform", &["apply", "-auto-approve"]);
    assert_eq!(program(transcript.assert_status(0).only_call()), chosen(Manager::Mise, &sandbox));
    assert_one_operation(&sandbox, "apply");
}

/// `[env] _.path` of mise's configuration comes before the versions: the line of the documentation.
#[test]
fn activated_the_real_one_keeps_us_in_front_where_its_configuration_says_so() {
    let Some(sandbox) = real() else { return };
    let us = sandbox.path("us");
    let config = format!("[env]\n_.path = [\"{}\"]\n", us.display());
    sandbox.write_at(&sandbox.home().join(".config/mise/config.toml"), config);
    let plain = path(&sandbox, Manager::Mise, &["manager", "system"]);
    let path = activated(&sandbox, &plain);
    assert_eq!(first_on(&path, "terraform"), us.join("terraform"), "{}", path.display());
    let transcript = run(&sandbox, &path, "terraform", &["plan"]);
    assert_eq!(program(transcript.assert_status(0).only_call()), chosen(Manager::Mise, &sandbox));
}
