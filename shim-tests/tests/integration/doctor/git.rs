//! What git tracks, ignores and refuses; with a real git.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use shim_tests::{Sandbox, states};

use super::{STATE, Ward};

/// A repository with a configuration and nothing else; none without git.
fn repository() -> Option<Ward> {
    let ward = Ward::new(Sandbox::new());
    let sandbox = ward.sandbox.with_git()?;
    sandbox.write("main.tf", "");
    Some(Ward { sandbox, ..ward })
}

/// The lines that a sound `.gitignore` has.
const SOUND: &str = "*.tfstate\n*.tfstate.*\n.terraform/\n";

#[test]
fn what_git_tracks_is_forgotten_and_stays_on_the_disk() {
    let Some(ward) = repository() else { return };
    let odd = OsStr::from_bytes(b"it's \xff.tfstate");
    ward.sandbox.write(STATE, states::state(1, &["a"]));
    ward.sandbox.write(odd, states::state(1, &["a"]));
    ward.sandbox.write(".terraform/providers/x", "x");
    ward.sandbox.git(["add", "-A"]);
    ward.sandbox.write(".gitignore", SOUND);
    let found = ward
        .cures("state-tracked", &["git tracks `.terraform/providers/x`", "`terraform.tfstate`"]);
    assert!(!found.has("state-not-ignored"), "{}", found.transcript);
    assert!(ward.sandbox.has(STATE) && ward.sandbox.has(odd));
}

#[test]
fn a_hook_that_means_another_repository_does_not_mislead() {
    let Some(ward) = repository() else { return };
    ward.sandbox.write(STATE, states::state(1, &["a"]));
    ward.sandbox.git(["add", "-A"]);
    let ward = ward.with("GIT_DIR", "/nowhere").with("GIT_INDEX_FILE", "/nowhere/index");
    ward.look().finding("state-tracked", &["`terraform.tfstate`"]);
}

#[test]
fn states_and_plans_that_are_there_and_not_ignored_are_a_problem() {
    let Some(ward) = Ward::applied() else { return };
    let Some(sandbox) = ward.sandbox.with_git() else { return };
    let ward = Ward { sandbox, ..ward };
    ward.sandbox.terraform(["plan", "-out", "next [1]"]).run().assert_status(0);
    // Without an end of line: what is added must not become part of the last one.
    ward.sandbox.write(".gitignore", "# mine\n*.log");
    let after =
        ward.cures("state-not-ignored", &["`next [1]`, `terraform.tfstate` are not ignored"]);
    assert!(!after.has("gitignore"), "{}", after.transcript);
    let lines = String::from_utf8(ward.sandbox.read(".gitignore")).unwrap();
    assert_eq!(
        lines.lines().collect::<Vec<_>>(),
        ["# mine", "*.log", "*.tfstate", "*.tfstate.*", ".terraform/", r"/next\ \[1\]"]
    );
}

#[test]
fn lines_for_what_is_not_there_yet_are_a_note() {
    let Some(ward) = repository() else { return };
    let after = ward.cures("gitignore", &["*.tfstate *.tfstate.* .terraform/"]);
    assert!(!after.has("state-not-ignored"));
    let lines = String::from_utf8(ward.sandbox.read(".gitignore")).unwrap();
    assert_eq!(lines, SOUND, "a new file begins with its first line");
    let Some(ward) = repository() else { return };
    ward.sandbox.write_at(&ward.sandbox.home().join(".config/git/ignore"), SOUND);
    assert!(!ward.look().has("gitignore"), "the user's own file counts, too");
    std::fs::remove_file(ward.sandbox.project().join("main.tf")).unwrap();
    std::fs::remove_file(ward.sandbox.home().join(".config/git/ignore")).unwrap();
    assert!(!ward.look().has("gitignore"), "there is nothing of Terraform's here");
}

#[test]
fn what_belongs_into_the_repository_is_added_even_where_a_pattern_ignores_it() {
    let Some(ward) = repository() else { return };
    ward.sandbox.write(".gitignore", format!("{SOUND}.terraform*\n"));
    ward.sandbox.write(".terraform.lock.hcl", "");
    ward.cures("not-committed", &["`.terraform.lock.hcl` is not in the repository"]);
    ward.sandbox.write(".tf-shim.passport.json", "{}");
    ward.cures("not-committed", &["`.tf-shim.passport.json`"]);
}

#[test]
fn a_module_below_the_top_is_looked_at_by_itself() {
    let Some(ward) = repository() else { return };
    ward.sandbox.write("prod net/main.tf", "");
    ward.sandbox.write("prod net/terraform.tfstate", states::state(1, &["a"]));
    ward.sandbox.git(["add", "-A"]);
    assert!(!ward.look().has("state-tracked"), "it is another module's");
    let call = ["-chdir=prod net", "shim", "doctor", "--json"];
    let found = shim_tests::shim::document(&ward.sandbox.tf(call).run());
    let findings = found["findings"].as_array().unwrap();
    let tracked = findings.iter().find(|finding| finding["id"] == "state-tracked").unwrap();
    let module = ward.sandbox.project().join("prod net");
    assert_eq!(
        tracked["fix"],
        format!("git -C '{}' rm --cached -q -- terraform.tfstate", module.display())
    );
}

#[test]
fn a_repository_of_somebody_else_is_refused_by_git_and_allowed_by_its_fix() {
    let Some(ward) = repository() else { return };
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let project = ward.sandbox.project();
    for path in [project.clone(), project.join(".git")] {
        std::os::unix::fs::chown(path, Some(4242), None).unwrap();
    }
    let found = ward.look();
    assert_eq!(found.document["not_looked_at"][0]["what"], "git", "{}", found.transcript);
    let after = ward.cures("git-refuses", &["belongs to somebody else"]);
    after.finding("gitignore", &[]);
}

#[test]
fn without_git_it_is_said_that_git_was_not_asked() {
    let ward = Ward::new(Sandbox::new());
    std::fs::create_dir(ward.sandbox.project().join(".git")).unwrap();
    let found = ward.look();
    assert_eq!(found.document["not_looked_at"][0]["why"], "there is no git on PATH");
    assert!(found.document["facts"]["repository"].is_string());
    let Some(git) = shim_tests::programs::on_path("git") else { return };
    ward.sandbox.put_on_path("git", &git);
    let broken = ward.look();
    let why = broken.document["not_looked_at"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("git failed: "), "{why}");
}
