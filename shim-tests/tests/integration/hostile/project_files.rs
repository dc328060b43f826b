//! `.tf-shim.toml` in every shape: what it must not say, and what must not lie in its place.

use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::Apply::{AsTerraform, Refused};
use super::{Tree, visit};

/// The name of a project file.
const FILE: &str = ".tf-shim.toml";

/// A tree with a project file that says this.
macro_rules! saying {
    ($name:literal, $text:expr, $apply:expr) => {
        Tree { name: $name, set: |sandbox| sandbox.write(FILE, $text), apply: $apply }
    };
}

#[test]
fn keys_that_would_redirect_or_run_something() {
    visit(&[
        saying!(
            "a store of its own",
            "store = \"/tmp/elsewhere\"\n",
            Refused("[PROJECT]/.tf-shim.toml:1: `store` is not allowed in a project file")
        ),
        saying!(
            "going on without a snapshot",
            "\non_error = \"continue\"\n",
            Refused("[PROJECT]/.tf-shim.toml:2: `on_error` is not allowed in a project file")
        ),
        saying!(
            "another real binary",
            "real = \"./evil\"\n",
            Refused("[PROJECT]/.tf-shim.toml:1: `real` is not allowed in a project file")
        ),
        saying!(
            "hooks",
            "[hooks]\nbefore = \"./evil\"\n",
            Refused("[PROJECT]/.tf-shim.toml:1: `hooks` is not allowed in a project file")
        ),
        saying!(
            "no retention",
            "[retention]\nauto = true\nkeep_last = 0\n",
            Refused("[PROJECT]/.tf-shim.toml:1: `retention` is not allowed in a project file")
        ),
        saying!(
            "states too large to be saved",
            "max_state = \"1B\"\n",
            Refused("[PROJECT]/.tf-shim.toml:1: `max_state` is not allowed in a project file")
        ),
    ]);
}

#[test]
fn keys_that_would_loosen_a_guard() {
    visit(&[
        saying!(
            "guards let pass",
            "[guard]\nallow = [\"missing-state\"]\n",
            Refused("[PROJECT]/.tf-shim.toml:2: unknown key `guard.allow`")
        ),
        saying!(
            "an action that permits",
            "[guard.protect]\ntypes = [\"x\"]\naction = \"allow\"\n",
            Refused("[PROJECT]/.tf-shim.toml:3: `guard.protect.action` must be")
        ),
        saying!(
            "a command inside an inline table",
            "guard = { read_only = false, ask_program = \"./evil\" }\n",
            Refused("[PROJECT]/.tf-shim.toml:1: unknown key `guard.ask_program`")
        ),
        saying!(
            "a key that would steer a terminal",
            "\"\\u001b[2J\\ntf shim: forged\\u202e\" = 1\n",
            Refused("[PROJECT]/.tf-shim.toml:1: ")
        ),
    ]);
}

#[test]
fn read_only_of_the_user_is_not_undone() {
    visit(&[Tree {
        name: "read_only = false against the user's true",
        set: |sandbox| {
            sandbox.write_at(&sandbox.config(), "[guard]\nread_only = true\n");
            sandbox.write(FILE, "[guard]\nread_only = false\n");
        },
        apply: Refused("apply was refused: read-only"),
    }]);
}

#[test]
fn what_is_no_text_of_settings() {
    visit(&[
        saying!(
            "bytes that are not UTF-8",
            b"[guard]\n\xff\xfe\n",
            Refused("`[PROJECT]/.tf-shim.toml` is not UTF-8")
        ),
        saying!("NULs", [0_u8; 4096], Refused("[PROJECT]/.tf-shim.toml:1: not TOML")),
        saying!(
            "brackets, a hundred thousand deep",
            format!("x = {}", "[".repeat(100_000)),
            Refused("[PROJECT]/.tf-shim.toml:1: not TOML")
        ),
        saying!(
            "tables, ten thousand deep",
            format!("[{}x]\n", "a.".repeat(10_000)),
            Refused("[PROJECT]/.tf-shim.toml:1: ")
        ),
        saying!(
            "more than anybody writes",
            "# much\n".repeat(400_000),
            Refused("`[PROJECT]/.tf-shim.toml` is larger than 1 MiB")
        ),
        saying!(
            "as many rules as fit",
            "[[check.accept]]\naddress = \"a*b*c*d*e\"\nreason = \"r\"\n".repeat(18_000),
            AsTerraform
        ),
    ]);
}

#[test]
fn what_is_no_file() {
    visit(&[
        Tree {
            name: "a FIFO",
            set: |s| mkfifo(&s.project().join(FILE), Mode::S_IRWXU).unwrap(),
            apply: Refused("`[PROJECT]/.tf-shim.toml` is not a regular file"),
        },
        Tree {
            name: "a directory",
            set: |s| std::fs::create_dir(s.project().join(FILE)).unwrap(),
            apply: Refused("`[PROJECT]/.tf-shim.toml` is not a regular file"),
        },
        Tree {
            name: "a link to a device without end",
            set: |s| symlink("/dev/zero", s.project().join(FILE)).unwrap(),
            apply: Refused("`[PROJECT]/.tf-shim.toml` is a link that leads out of the repository"),
        },
        Tree {
            name: "a link to a file of the system",
            set: |s| symlink("/etc/passwd", s.project().join(FILE)).unwrap(),
            apply: Refused("`[PROJECT]/.tf-shim.toml` is a link that leads out of the repository"),
        },
        Tree {
            name: "a link to itself",
            set: |s| symlink(FILE, s.project().join(FILE)).unwrap(),
            apply: Refused("cannot read `[PROJECT]/.tf-shim.toml`"),
        },
        Tree {
            name: "a link to another file of the tree",
            set: |s| {
                s.write("policy.toml", "[guard.protect]\ntypes = [\"aws_*\"]\n");
                symlink("policy.toml", s.project().join(FILE)).unwrap();
            },
            apply: AsTerraform,
        },
    ]);
}
