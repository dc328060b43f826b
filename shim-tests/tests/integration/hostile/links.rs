//! Links, FIFOs and heaps of bytes where Terraform keeps states, locks and plans.

use std::ffi::OsString;
use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use shim_tests::{Sandbox, states, strace};

use super::Apply::{AsTerraform, Either, Waits};
use super::{MEMORY, PATIENCE, Tree, visit};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";
/// What tells of its lock.
const INFO: &str = ".terraform.tfstate.lock.info";
/// What Terraform writes when it cannot save a state.
const ERRORED: &str = "errored.tfstate";

/// Makes a FIFO in the project.
fn fifo(sandbox: &Sandbox, name: &str) {
    mkfifo(&sandbox.project().join(name), Mode::S_IRWXU).unwrap();
}

/// Makes a link in the project.
fn link(sandbox: &Sandbox, name: &str, target: &str) {
    symlink(target, sandbox.project().join(name)).unwrap();
}

#[test]
fn where_the_state_is() {
    visit(&[
        Tree {
            name: "a link to a state elsewhere",
            set: |s| {
                s.write_at(&s.path("outside/state"), states::state(3, &["a"]));
                link(s, STATE, "../outside/state");
            },
            apply: AsTerraform,
        },
        Tree { name: "a link to itself", set: |s| link(s, STATE, STATE), apply: Either },
        Tree {
            name: "a link to nothing elsewhere",
            set: |s| link(s, STATE, "../outside/new"),
            apply: AsTerraform,
        },
        Tree { name: "a link to a device", set: |s| link(s, STATE, "/dev/zero"), apply: Waits },
        Tree { name: "a FIFO", set: |s| fifo(s, STATE), apply: Waits },
        Tree {
            name: "a state full of what steers",
            set: |s| {
                let state = states::state(3, &["a"]).replace(
                    "\"name\": \"a\"",
                    "\"name\": \"a\\u001b[2J\\ntf shim: forged\\u202e\"",
                );
                s.write(STATE, state);
            },
            apply: Either,
        },
        Tree {
            name: "holes of three gigabytes",
            set: |s| {
                s.write(STATE, "{");
                let file = std::fs::OpenOptions::new().write(true).open(s.project().join(STATE));
                file.unwrap().set_len(3 << 30).unwrap();
            },
            apply: Either,
        },
        Tree {
            name: "workspaces are the root",
            set: |s| link(s, "terraform.tfstate.d", "/"),
            apply: AsTerraform,
        },
    ]);
}

#[test]
fn where_terraform_keeps_its_things() {
    visit(&[
        Tree {
            name: ".terraform leads elsewhere",
            set: |s| link(s, ".terraform", "../outside"),
            apply: AsTerraform,
        },
        Tree {
            name: ".terraform leads to itself",
            set: |s| link(s, ".terraform", ".terraform"),
            apply: Either,
        },
        Tree { name: "the lock's file is a FIFO", set: |s| fifo(s, INFO), apply: Waits },
        Tree {
            name: "the lock's file is a link",
            set: |s| link(s, INFO, "../outside/info"),
            apply: AsTerraform,
        },
        Tree {
            name: "the lock's file steers",
            set: |s| s.write(INFO, "{\"ID\":\"\\u001b[2J\",\"Who\":\"x\\ntf shim: forged\"}"),
            apply: AsTerraform,
        },
        Tree { name: "errored.tfstate is a FIFO", set: |s| fifo(s, ERRORED), apply: Either },
        Tree {
            name: "errored.tfstate is a link",
            set: |s| link(s, ERRORED, "/etc/passwd"),
            apply: Either,
        },
        Tree {
            name: "errored.tfstate is large",
            set: |s| s.write(ERRORED, vec![b'{'; 10 << 20]),
            apply: Either,
        },
        Tree {
            name: "errored.tfstate steers",
            set: |s| s.write(ERRORED, states::state_of("\\u001b[2J\\ntf shim: forged", 9, &["a"])),
            apply: Either,
        },
    ]);
}

#[test]
fn configuration_and_plans() {
    visit(&[
        Tree { name: "a FIFO among the configuration", set: |s| fifo(s, "b.tf"), apply: Waits },
        Tree {
            name: "a device among the configuration",
            set: |s| link(s, "b.tf", "/dev/zero"),
            apply: AsTerraform,
        },
        Tree {
            name: "a directory among the configuration",
            set: |s| s.write("b.tf/x", ""),
            apply: AsTerraform,
        },
        Tree { name: "variables from a FIFO", set: |s| fifo(s, "x.auto.tfvars"), apply: Waits },
        Tree { name: "a plan that is a FIFO", set: |s| fifo(s, "tfplan"), apply: AsTerraform },
        Tree {
            name: "a plan that is a bomb",
            set: |s| s.write("tfplan", bomb()),
            apply: AsTerraform,
        },
    ]);
}

#[test]
fn a_plan_that_is_a_bomb_is_followed_without_unpacking_it() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("tfplan", bomb());
    let us = sandbox.path("names/tf").into_os_string();
    let words = ["shim", "which", "--", "apply", "tfplan"].map(OsString::from);
    let line: Vec<_> = std::iter::once(us).chain(words).collect();
    let path = sandbox.bin().into_os_string();
    let Some(seen) = strace::run(&sandbox, path, &line, (MEMORY, PATIENCE)) else { return };
    seen.transcript.assert_status(0);
    let said = seen.transcript.stdout_text();
    assert!(said.contains("guard: ") && said.contains("local terraform.tfstate"), "{said}");
}

/// A plan for the local backend: a zip archive whose member `tfplan` is a protobuf message with a text of 480
/// MiB before the backend, and is nearly nothing when it is packed.
fn bomb() -> Vec<u8> {
    const PIECES: u32 = 480;
    let zeros = vec![0_u8; 1 << 20];
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    let mut piece = Vec::with_capacity(1 << 16);
    deflate.compress_vec(&zeros, &mut piece, flate2::FlushCompress::Sync).unwrap();
    // The head of field 1, the zeros, and field 13 with `local` in its field 1. Head and tail are in blocks
    // of their own, not packed.
    let head: &[u8] = &[0x0a, 0x80, 0x80, 0x80, 0xf0, 0x01];
    let tail: &[u8] = b"\x6a\x07\x0a\x05local";
    let (mut sum, mut sum_of_zeros, mut sum_of_tail) = Default::default();
    let add = |sum: &mut flate2::Crc, bytes: &[u8]| sum.update(bytes);
    add(&mut sum, head);
    add(&mut sum_of_zeros, &zeros);
    add(&mut sum_of_tail, tail);
    let mut packed = [&[0, 6, 0, !6, 0xff], head].concat();
    for _ in 0..PIECES {
        packed.extend_from_slice(&piece);
        sum.combine(&sum_of_zeros);
    }
    sum.combine(&sum_of_tail);
    packed.extend([&[1, 9, 0, !9, 0xff], tail].concat());
    let (length, size) = (u32::try_from(packed.len()).unwrap(), 6 + (PIECES << 20) + 9);
    let sizes = [sum.sum(), length, size].map(u32::to_le_bytes).concat();
    let common = [&[20, 0, 0, 0, 8, 0, 0, 0, 0, 0][..], &sizes, &[6, 0, 0, 0]].concat();
    let local = [b"PK\x03\x04", &common[..], b"tfplan", &packed].concat();
    let central = [b"PK\x01\x02\x14\x00", &common[..], &[0; 14], b"tfplan"].concat();
    let [long, at] = [central.len(), local.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes());
    let end = [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &long, &at, &[0, 0]].concat();
    [local, central, end].concat()
}
