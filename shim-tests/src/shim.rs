//! Calling `tf shim …` and reading what it says; looking at trees of files and at states from outside.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::invocation::Invocation;
use crate::sandbox::Sandbox;
use crate::transcript::Transcript;

/// Prepares a call of `tf shim …`.
#[must_use]
pub fn shim<I: IntoIterator<Item = S>, S: Into<OsString>>(
    sandbox: &Sandbox,
    args: I,
) -> Invocation<'_> {
    let args = args.into_iter().map(Into::into);
    sandbox.tf(std::iter::once(OsString::from("shim")).chain(args))
}

/// Returns the one JSON document that a command wrote to stdout.
#[must_use]
#[track_caller]
pub fn document(transcript: &Transcript) -> Value {
    serde_json::from_slice(&transcript.stdout)
        .unwrap_or_else(|error| panic!("no JSON document: {error}\n{transcript}"))
}

/// Returns the operations on the state of the project, newest first, as `tf shim list --json` tells them.
#[must_use]
#[track_caller]
pub fn operations(sandbox: &Sandbox) -> Vec<Value> {
    operations_of(sandbox, &[])
}

/// Returns the operations on the state that further flags name, newest first.
#[must_use]
#[track_caller]
pub fn operations_of(sandbox: &Sandbox, flags: &[&str]) -> Vec<Value> {
    let args = ["list", "--json"].into_iter().chain(flags.iter().copied());
    let transcript = shim(sandbox, args).run();
    transcript.assert_status(0);
    document(&transcript)["operations"].as_array().expect("a list of operations").clone()
}

/// Returns the id of an operation.
///
/// # Panics
/// If it has none.
#[must_use]
#[track_caller]
pub fn id(operation: &Value) -> &str {
    operation["id"].as_str().expect("an operation has an id")
}

/// What a tree of files was: for each entry its mode, when it was changed, its inode and its bytes.
pub type Tree = BTreeMap<PathBuf, (u32, i64, i64, u64, Vec<u8>)>;

/// Remembers everything below a directory, so that two looks can be compared; empty where there is none.
#[must_use]
pub fn tree(top: &Path) -> Tree {
    let mut found = Tree::new();
    let mut waiting = vec![top.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            let meta = std::fs::symlink_metadata(&path).unwrap();
            let bytes = if meta.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
            if meta.is_dir() {
                waiting.push(path.clone());
            }
            let mode = meta.permissions().mode();
            found.insert(path, (mode, meta.mtime(), meta.mtime_nsec(), meta.ino(), bytes));
        }
    }
    found
}

/// Returns a state with other digits in its first `"serial": N`, every other byte as it was.
///
/// # Panics
/// If it has none.
#[must_use]
pub fn with_serial(state: &[u8], serial: u64) -> Vec<u8> {
    let name = b"\"serial\": ";
    let at = state.windows(name.len()).position(|part| part == name).expect("a serial");
    let (head, rest) = state.split_at(at + name.len());
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).expect("an end of the number");
    [head, serial.to_string().as_bytes(), &rest[end..]].concat()
}

/// Returns the serial of a state.
///
/// # Panics
/// If it is no state, or has none.
#[must_use]
pub fn serial(state: &[u8]) -> u64 {
    let state: Value = serde_json::from_slice(state).expect("a state is JSON");
    state["serial"].as_u64().expect("a state has a serial")
}
