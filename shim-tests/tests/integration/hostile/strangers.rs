//! Files that are named as if somebody read them: nobody does.

use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use shim_tests::Sandbox;

use super::Apply::{AsTerraform, Either};
use super::{Tree, visit};

/// Settings that would do harm.
const HARM: &str = "store = \"outside\"\non_error = \"continue\"\nreal = \"./evil\"\n[hooks]\nbefore = \"./evil\"\n";

/// A file of that name that says this.
macro_rules! file {
    ($name:literal, $text:expr) => {
        Tree { name: $name, set: |sandbox| sandbox.write($name, $text), apply: AsTerraform }
    };
}

#[test]
fn settings_under_other_names() {
    visit(&[
        file!("tf-shim.toml", HARM),
        file!(".tf-shim.json", "{\"store\":\"outside\",\"real\":\"./evil\"}"),
        file!("config.toml", HARM),
        file!(".config/tf-shim/config.toml", HARM),
        file!(".tf-shim/config.toml", HARM),
        file!(".local/state/tf-shim/FORMAT", "nonsense"),
    ]);
}

#[test]
fn files_of_shells_and_managers() {
    visit(&[
        file!(".env", "TF_SHIM_BYPASS=1\nTF_SHIM_REAL=./evil\nTF_SHIM_STORE=outside\n"),
        file!(".envrc", "export TF_SHIM_BYPASS=1\n./evil\n"),
        file!(
            ".terraformrc",
            "provider_installation {\n  dev_overrides { \"x/y\" = \"./evil\" }\n}\n"
        ),
        file!(".tool-versions", "terraform path:./evil\n"),
        file!("mise.toml", "[hooks]\nenter = \"./evil\"\n"),
        file!(".terraform-version", "../../evil\n"),
    ]);
}

/// A repository whose own configuration names programs.
fn scheming_git(sandbox: &Sandbox) {
    let evil = sandbox.project().join("evil");
    let evil = evil.display();
    sandbox.write(".git/HEAD", "ref: refs/heads/main\n");
    sandbox.write(".git/objects/keep", "");
    sandbox.write(".git/refs/heads/keep", "");
    let config = format!(
        "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {evil}\n\thooksPath = {project}\n\tpager = {evil}\n\
         \teditor = {evil}\n\tsshCommand = {evil}\n\tgitProxy = {evil}\n\taskPass = {evil}\n\
         \texcludesFile = /dev/zero\n[pager]\n\tls-files = {evil}\n\tcheck-ignore = {evil}\n\
         [alias]\n\tls-files = !{evil}\n[filter \"evil\"]\n\tclean = {evil}\n\tprocess = {evil}\n\
         [diff]\n\texternal = {evil}\n[credential]\n\thelper = {evil}\n",
        project = sandbox.project().display()
    )
    .replace("\texcludesFile = /dev/zero\n", "");
    sandbox.write(".git/config", config);
    sandbox.write(".gitattributes", "* filter=evil diff=evil\n");
    sandbox.write_script(&sandbox.project().join("post-index-change"), "exec ./evil");
}

#[test]
fn repositories_of_odd_kinds() {
    visit(&[
        Tree { name: "a git that schemes", set: scheming_git, apply: AsTerraform },
        file!(".git", "gitdir: /nowhere/at/all\n"),
        Tree {
            name: ".git is a FIFO",
            set: |s| mkfifo(&s.project().join(".git"), Mode::S_IRWXU).unwrap(),
            apply: AsTerraform,
        },
        Tree {
            name: ".gitignore is a FIFO",
            set: |s| mkfifo(&s.project().join(".gitignore"), Mode::S_IRWXU).unwrap(),
            apply: AsTerraform,
        },
    ]);
}

#[test]
fn passports_of_odd_kinds() {
    const PASSPORT: &str = ".tf-shim.passport.json";
    visit(&[
        Tree {
            name: "nonsense",
            set: |s| s.write(PASSPORT, "{\"lineage\":[\"\\u001b[2J\"],\"real\":\"./evil\"}"),
            apply: Either,
        },
        Tree { name: "large", set: |s| s.write(PASSPORT, vec![b'['; 10 << 20]), apply: Either },
        Tree {
            name: "a FIFO",
            set: |s| mkfifo(&s.project().join(PASSPORT), Mode::S_IRWXU).unwrap(),
            apply: Either,
        },
        Tree {
            name: "a device without end",
            set: |s| symlink("/dev/zero", s.project().join(PASSPORT)).unwrap(),
            apply: Either,
        },
    ]);
}
