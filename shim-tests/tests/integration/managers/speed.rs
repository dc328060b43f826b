//! What the knowledge about managers costs: nothing on the plain path, little where calls are nested.
//!
//! Counted in system calls, which do not depend on the machine's mood; needs `strace`.

use std::ffi::OsString;
use std::path::Path;

use shim_tests::managers::{Placed, put};
use shim_tests::programs::found_or_skipped;

use super::{Manager, Sandbox, managed, part, path, programs, us};

/// The variable that turns "no strace here, skipped" into a failure.
const REQUIRE_STRACE: &str = "TF_SHIM_TESTS_REQUIRE_STRACE";

/// The system calls of ours before the program that we start takes over; none without `strace`.
fn calls_of_ours(sandbox: &Sandbox, path: &OsString, depth: Option<&str>) -> Option<Vec<String>> {
    let strace = found_or_skipped("strace", REQUIRE_STRACE)?;
    let log = sandbox.path("strace.log");
    let us = sandbox.path("us/terraform");
    let words = ["-o", &log.to_string_lossy(), &us.to_string_lossy(), "plan"].map(OsString::from);
    let mut call = sandbox.program(&strace, words).env("PATH", path);
    if let Some(depth) = depth {
        call = call.env("TF_SHIM_DEPTH", depth);
    }
    call.run().assert_status(0);
    let log = std::fs::read_to_string(log).unwrap();
    let after_start = log.lines().skip(1);
    let ours = after_start.take_while(|line| !line.starts_with("execve("));
    Some(ours.map(str::to_owned).collect())
}

fn about_processes(calls: &[String]) -> Vec<&String> {
    let is_own =
        |call: &&String| call.contains("/proc/self/exe") || call.contains("/proc/self/maps");
    calls.iter().filter(|call| call.contains("/proc/") && !is_own(call)).collect()
}

#[test]
fn plain_forwarding_looks_at_no_process_and_asks_for_no_directory() {
    let sandbox = Sandbox::new().with_fake(part());
    us(&sandbox, "us");
    put(&sandbox.path("system/terraform"), &programs::find("fake-terraform"), Placed::Linked);
    let path = std::env::join_paths(["us", "system"].map(|name| sandbox.path(name))).unwrap();
    let Some(calls) = calls_of_ours(&sandbox, &path, None) else { return };
    assert_eq!(about_processes(&calls), Vec::<&String>::new(), "{calls:#?}");
    assert!(!calls.iter().any(|call| call.starts_with("getcwd")), "{calls:#?}");
    // One identity of ours, one of each candidate, as ever.
    let looks = calls.iter().filter(|call| call.contains("system/terraform")).count();
    assert!(looks <= 3, "{calls:#?}");
}

#[test]
fn a_nested_call_asks_for_a_few_things_more() {
    let sandbox = Sandbox::new().with_fake(part());
    us(&sandbox, "us");
    let real = programs::find("fake-terraform");
    put(&sandbox.path("system/terraform"), &real, Placed::Linked);
    let path = std::env::join_paths(["us", "system"].map(|name| sandbox.path(name))).unwrap();
    let Some(plain) = calls_of_ours(&sandbox, &path, None) else { return };
    let depth = format!("1;e1;{};7:7;;", identity(&real));
    let nested = calls_of_ours(&sandbox, &path, Some(&depth)).unwrap();
    let more = nested.len().saturating_sub(plain.len());
    assert!(more <= 20, "{} and {}, {more} more: {nested:#?}", plain.len(), nested.len());
}

/// In front of a script the processes above are looked at: a few files each, nothing beside what bash costs.
#[test]
fn in_front_of_a_script_the_processes_above_are_looked_at() {
    let sandbox = managed(Manager::Tfenv, part());
    let path = path(&sandbox, Manager::Tfenv, &["us", "manager"]);
    let Some(calls) = calls_of_ours(&sandbox, &path, None) else { return };
    assert!(!about_processes(&calls).is_empty(), "{calls:#?}");
}

fn identity(file: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(file).unwrap();
    format!("{}:{}", found.dev(), found.ino())
}
