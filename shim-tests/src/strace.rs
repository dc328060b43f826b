//! What a command does to the world, as the kernel saw it: programs it starts, whom it connects to, what it
//! opens for writing, makes, renames and removes.
//!
//! Needs `strace`. Every process that the command starts is followed, each into a log of its own, so that no
//! line is cut in two.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::programs::found_or_skipped;
use crate::sandbox::Sandbox;
use crate::transcript::Transcript;

/// The variable that turns "no strace here, skipped" into a failure.
pub const REQUIRE_STRACE: &str = "TF_SHIM_TESTS_REQUIRE_STRACE";

/// The system calls that matter.
const CALLS: &str = "trace=execve,connect,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,\
                     unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,truncate,chmod,fchmodat,mknodat";

/// What one command did to the world. Paths have the names of the sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Programs that it tried to start.
    pub programs: BTreeSet<String>,
    /// Whom it tried to reach.
    pub connections: BTreeSet<String>,
    /// What it opened for writing, made, renamed or removed.
    pub written: BTreeSet<String>,
}

/// One command under `strace`.
#[derive(Clone, Debug)]
pub struct Traced {
    /// What it said, and how it ended; of one that was killed, by SIGKILL.
    pub transcript: Transcript,
    /// What it did.
    pub deeds: Deeds,
    /// Whether it did not end in time, and was killed.
    pub was_killed: bool,
}

/// Runs a program, its absolute path first, under `strace`, with that `PATH`, so much memory for data, in
/// bytes, and so much time; none where there is no `strace`.
///
/// # Panics
/// If a log cannot be read.
#[must_use]
pub fn run(
    sandbox: &Sandbox,
    path: OsString,
    words: &[OsString],
    (memory, patience): (u64, Duration),
) -> Option<Traced> {
    let strace = found_or_skipped("strace", REQUIRE_STRACE)?;
    let logs = sandbox.path("strace");
    std::fs::create_dir(&logs).unwrap();
    let limited = format!("ulimit -d {}; exec \"$@\"", memory >> 10);
    let mut line: Vec<OsString> = ["-c", &limited, "sh"].map(OsString::from).into();
    line.push(strace.into());
    line.extend(["-ff", "-qq", "-y", "--seccomp-bpf", "-e", CALLS, "-o"].map(OsString::from));
    line.extend([logs.join("log").into(), "--".into()]);
    line.extend_from_slice(words);
    let mut running = sandbox.program(Path::new("/bin/sh"), line).env("PATH", path).start();
    let begun = Instant::now();
    let mut was_killed = false;
    while !running.has_ended() {
        if begun.elapsed() > patience && !was_killed {
            running.signal_group(Signal::SIGKILL);
            was_killed = true;
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
    let transcript = running.finish();
    let deeds = read(sandbox, &logs);
    std::fs::remove_dir_all(logs).unwrap();
    Some(Traced { transcript, deeds, was_killed })
}

fn read(sandbox: &Sandbox, logs: &Path) -> Deeds {
    let mut deeds = Deeds::default();
    for entry in std::fs::read_dir(logs).unwrap() {
        let log = std::fs::read(entry.unwrap().path()).unwrap();
        for line in String::from_utf8_lossy(&log).lines() {
            note(sandbox, line, &mut deeds);
        }
    }
    deeds
}

/// Takes one line of a log into account.
fn note(sandbox: &Sandbox, line: &str, deeds: &mut Deeds) {
    let names = sandbox.names();
    let Some((call, rest)) = line.split_once('(') else { return };
    let is_done = !line.contains(") = -1 ");
    match call {
        "execve" => {
            deeds.programs.extend(paths(rest, sandbox).first().map(|path| names.apply_paths(path)));
        }
        "connect" => {
            let whom = rest.split_once('{').and_then(|(_, whom)| whom.split_once('}'));
            deeds.connections.extend(whom.map(|(whom, _)| names.apply_paths(whom)));
        }
        "open" | "openat" | "creat" if is_done => {
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"];
            if call == "creat" || writes.iter().any(|flag| rest.contains(flag)) {
                // The kernel's own name of it, links resolved.
                let path = rest.rsplit_once(") = ").and_then(|(_, result)| result.split_once('<'));
                let path = path.and_then(|(_, path)| path.rsplit_once('>'));
                deeds.written.extend(path.map(|(path, _)| names.apply_paths(path)));
            }
        }
        "open" | "openat" | "creat" => {}
        _ if is_done && !call.contains([' ', '+', '-']) => {
            let paths = paths(rest, sandbox);
            deeds.written.extend(paths.iter().map(|path| names.apply_paths(path)));
        }
        _ => {}
    }
}

/// The paths among the arguments of a call, each below the directory that is given before it; a relative one
/// without is below the project.
fn paths(rest: &str, sandbox: &Sandbox) -> Vec<String> {
    let arguments = rest.split_once(", [").map_or(rest, |(path, _)| path);
    let mut found = Vec::new();
    let mut pieces = arguments.split('"');
    while let (Some(before), Some(path)) = (pieces.next(), pieces.next()) {
        let directory =
            before.rsplit_once('<').and_then(|(_, directory)| directory.split_once('>'));
        let directory = directory.map_or(sandbox.project(), |(directory, _)| directory.into());
        found.push(plain(&directory.join(path)).to_string_lossy().into_owned());
    }
    found
}

/// The path with `.` and `..` taken out, by name only.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_read_and_nothing_else() {
        let sandbox = Sandbox::new();
        let root = sandbox.path("").display().to_string();
        let root = root.trim_end_matches('/');
        let log = format!(
            r#"execve("{root}/bin/terraform", ["terraform", "a\"b"], 0x7f /* 3 vars */) = 0
connect(3<socket:[1]>, {{sa_family=AF_INET, sin_port=htons(80)}}, 16) = -1 ECONNREFUSED (refused)
openat(AT_FDCWD<{root}/project>, "read", O_RDONLY|O_CLOEXEC) = 3<{root}/project/read>
openat(AT_FDCWD<{root}/project>, "link", O_WRONLY|O_CREAT, 0666) = 3<{root}/outside>
openat(AT_FDCWD<{root}/project>, "none", O_RDWR) = -1 ENOENT (No such file or directory)
renameat2(3<{root}/project>, "a", 4<{root}/home>, "b", RENAME_NOREPLACE) = 0
unlink("../x") = 0
--- SIGURG {{si_signo=SIGURG}} ---
+++ exited with 0 +++"#
        );
        let mut deeds = Deeds::default();
        for line in log.lines() {
            note(&sandbox, line, &mut deeds);
        }
        let texts = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
        assert_eq!(texts(&deeds.programs), ["[BIN]/terraform"]);
        assert_eq!(texts(&deeds.connections), ["sa_family=AF_INET, sin_port=htons(80)"]);
        assert_eq!(
            texts(&deeds.written),
            ["[HOME]/b", "[PROJECT]/a", "[ROOT]/outside", "[ROOT]/x"]
        );
    }
}
