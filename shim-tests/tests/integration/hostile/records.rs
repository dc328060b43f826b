//! `.terraform`: the backend record and the selected workspace, with content that nobody wrote by `init`.

use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::Apply::{AsTerraform, Either, Waits};
use super::{Tree, visit};

/// The backend record.
const RECORD: &str = ".terraform/terraform.tfstate";
/// The selected workspace.
const SELECTED: &str = ".terraform/environment";

/// A tree with a backend record of that content.
macro_rules! record {
    ($name:literal, $text:expr) => {
        Tree { name: $name, set: |sandbox| sandbox.write(RECORD, $text), apply: Either }
    };
}

/// A record of a local backend with these attributes.
fn local(attributes: &str) -> String {
    format!(
        "{{\"version\":3,\"backend\":{{\"type\":\"local\",\"config\":{{{attributes}}},\"hash\":1}}}}"
    )
}

#[test]
fn records_that_are_none() {
    visit(&[
        record!("not JSON", "nonsense \u{1b}[2J"),
        record!("an empty record", ""),
        record!("wrong types", "{\"version\":[],\"backend\":{\"type\":7,\"config\":\"x\"}}"),
        record!("a list", "[[],{}]"),
        record!("ten megabytes", format!("{{\"backend\":{{\"x\":[{}1]}}}}", "1,".repeat(5 << 20))),
        record!("a hundred thousand deep", "{\"backend\":".repeat(100_000)),
    ]);
}

#[test]
fn records_that_lead_elsewhere() {
    visit(&[
        record!("an absolute path", local("\"path\":\"/etc/x\"")),
        record!("a device", local("\"path\":\"/dev/zero\"")),
        record!("a home", local("\"path\":\"~/x\"")),
        record!("the directory above", local("\"path\":\"../../../x/../outside/y\"")),
        record!("a workspace directory", local("\"workspace_dir\":\"/\"")),
        record!("a path that steers", local("\"path\":\"\\u001b[2J\\ntf shim: forged\\u202e\"")),
        record!(
            "an unknown kind",
            "{\"backend\":{\"type\":\"\\u001b[2Jevil\",\"config\":{\"exec\":\"./evil\"}}}"
        ),
        record!(
            "a kind that needs credentials",
            "{\"backend\":{\"type\":\"http\",\"config\":{\"address\":\"http://127.0.0.1:1/\"}}}"
        ),
    ]);
}

#[test]
fn workspaces_of_odd_names() {
    visit(&[
        Tree { name: "../../..", set: |s| s.write(SELECTED, "../../.."), apply: AsTerraform },
        Tree {
            name: "a name that steers",
            set: |s| s.write(SELECTED, "a\u{1b}[2J\ntf shim: forged\u{202e}"),
            apply: AsTerraform,
        },
        Tree { name: "no text", set: |s| s.write(SELECTED, b"\xff\xfe"), apply: Either },
        Tree { name: "NULs", set: |s| s.write(SELECTED, b"a\0b"), apply: Either },
        Tree {
            name: "ten megabytes",
            set: |s| s.write(SELECTED, vec![b'a'; 10 << 20]),
            apply: Either,
        },
        Tree {
            name: "a directory",
            set: |s| std::fs::create_dir_all(s.project().join(SELECTED)).unwrap(),
            apply: AsTerraform,
        },
    ]);
}

#[test]
fn what_is_no_file_there() {
    visit(&[
        Tree {
            name: "the record is a FIFO",
            set: |s| {
                std::fs::create_dir(s.project().join(".terraform")).unwrap();
                mkfifo(&s.project().join(RECORD), Mode::S_IRWXU).unwrap();
            },
            apply: Waits,
        },
        Tree {
            name: "the selected workspace is a FIFO",
            set: |s| {
                std::fs::create_dir(s.project().join(".terraform")).unwrap();
                mkfifo(&s.project().join(SELECTED), Mode::S_IRWXU).unwrap();
            },
            apply: Waits,
        },
        Tree {
            name: "the record is a device without end",
            set: |s| {
                std::fs::create_dir(s.project().join(".terraform")).unwrap();
                symlink("/dev/zero", s.project().join(RECORD)).unwrap();
            },
            apply: Either,
        },
        Tree { name: ".terraform is a file", set: |s| s.write(".terraform", "x"), apply: Either },
        Tree {
            name: "a manifest of modules that leads out",
            set: |s| {
                let modules = "{\"Modules\":[{\"Key\":\"\",\"Source\":\"\",\"Dir\":\".\"},{\"Key\":\"m\",\"Dir\":\"/dev\"}]}";
                s.write(".terraform/modules/modules.json", modules);
            },
            apply: AsTerraform,
        },
    ]);
}
