//! `version-manager`: stands in for tenv, for asdf since 0.16 and for mise, where the real one is not at hand.
//!
//! It does what these do between a call of `terraform` and the chosen version, and nothing else: no download,
//! no list. Which of them it is, its own file name says; `terraform`, `tofu` and `tf` are tenv's proxies. How
//! each dispatches was read in its public sources, and for mise also seen (see `managers` in the library).

#![expect(clippy::expect_used, reason = "a manager that cannot work must fail the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "the walls of clippy.toml are those of tf itself; this starts programs for a living"
)]
#![expect(clippy::print_stdout, reason = "tenv says there what failed")]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{IsTerminal, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, getpid, setpgid, tcsetpgrp};

/// Tells `tenv call` that it is to lead a process group of its own.
const DETACHED: &str = "VERSION_MANAGER_DETACHED";

fn main() -> ExitCode {
    let program = std::env::current_exe().expect("/proc is there");
    let mut arguments = std::env::args_os();
    let called_as = arguments.next().unwrap_or_default();
    let arguments: Vec<OsString> = arguments.collect();
    match program.file_name().and_then(OsStr::to_str) {
        Some(name @ ("terraform" | "tofu" | "tf")) => tenv_proxy(name, &arguments),
        Some("tenv") => tenv_call(&arguments),
        Some("asdf") => asdf_exec(&arguments),
        Some("mise") => mise_shim(Path::new(&called_as), &arguments),
        _ => panic!("`{}` is no name of a version manager", program.display()),
    }
}

/// tenv's `terraform`, `tofu` and `tf`: start `tenv call NAME …` and wait (its `lightproxy`, v4). On a terminal
/// the child gets a process group of its own, in the foreground.
fn tenv_proxy(name: &str, arguments: &[OsString]) -> ExitCode {
    let mut command = Command::new("tenv");
    command.args(["call", name]).args(arguments).env_remove(DETACHED);
    let is_off = std::env::var_os("TENV_DETACHED_PROXY").is_some_and(|value| value == "false");
    let detaches = !is_off && std::env::var_os("CI").is_none() && std::io::stdin().is_terminal();
    if detaches {
        command.env(DETACHED, "1");
    }
    supervise(command)
}

/// `tenv call NAME …`: finds the version, starts it and waits (its `cmdproxy`, v4).
fn tenv_call(arguments: &[OsString]) -> ExitCode {
    if std::env::var_os(DETACHED).is_some() {
        take_the_foreground();
    }
    let (name, rest) = arguments.get(1).zip(arguments.get(2..)).expect("tenv call NAME");
    // It looks where `-chdir=` leads.
    let chdir = rest.iter().find_map(|word| word.to_str()?.strip_prefix("-chdir="));
    let here = std::env::current_dir().expect("a directory");
    let place = chdir.map_or(here.clone(), |chdir| here.join(chdir));
    let tools: &[(&str, &str, &str)] = &[
        ("tofu", "OpenTofu", ".opentofu-version"),
        ("terraform", "Terraform", ".terraform-version"),
    ];
    let meant = |tool: &&(&str, &str, &str)| name == "tf" || name == tool.0;
    let found = tools.iter().filter(meant).find_map(|(tool, folder, file)| {
        let version = upward(&place, file, |text| Some(text.trim().to_owned()))?;
        Some(home().join(".tenv").join(folder).join(version).join(tool))
    });
    let Some(program) = found else {
        println!("No version files found corresponding to opentofu or terraform");
        return ExitCode::FAILURE;
    };
    let mut command = Command::new(&program);
    command.args(rest).env_remove(DETACHED);
    if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        return captured(command, &program);
    }
    supervise(command)
}

/// Starts and waits. SIGINT is caught and dropped: on Unix tenv trusts that the whole group has it. A death by
/// a signal becomes status 255, Go's -1.
fn supervise(mut command: Command) -> ExitCode {
    drop_interrupts();
    let mut child = command.spawn().expect("the version starts");
    let status = child.wait().expect("a child can be waited for");
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(255))
}

/// Leads a process group of its own in the foreground of the terminal. Go does that in the child, before the
/// program begins; here the program's first act is the same.
fn take_the_foreground() {
    let mut asked = SigSet::empty();
    asked.add(Signal::SIGTTOU);
    asked.thread_block().expect("a signal can be blocked");
    setpgid(Pid::from_raw(0), Pid::from_raw(0)).expect("a group of our own");
    let _no_terminal = tcsetpgrp(std::io::stdin(), getpid());
    asked.thread_unblock().expect("a signal can be unblocked");
}

/// Catches SIGINT and does nothing about it.
fn drop_interrupts() {
    let seen = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(Signal::SIGINT as i32, seen).expect("a handler");
}

/// On GitHub tenv keeps what was said and writes it into the outputs of the step, as setup-terraform does.
fn captured(mut command: Command, program: &Path) -> ExitCode {
    let outputs = std::env::var_os("GITHUB_OUTPUT").unwrap_or_default();
    let mut outputs = OpenOptions::new().append(true).create(true).open(outputs).expect("outputs");
    drop_interrupts();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let said = std::thread::spawn(move || copy(stderr.expect("piped"), std::io::stderr()));
    let stdout = copy(stdout.expect("piped"), std::io::stdout());
    let stderr = said.join().expect("a copy");
    let code = child.wait().expect("a child can be waited for").code().unwrap_or(255);
    for (name, value) in [("stderr", stderr), ("stdout", stdout), ("exitcode", code.to_string())] {
        write_output(&mut outputs, name, &value);
    }
    if code != 0 && code != 2 {
        println!("Failure during {} call : exited with code {code}", program.display());
    }
    ExitCode::from(u8::try_from(code).unwrap_or(255))
}

/// Writes one output of a step, in the form of several lines.
fn write_output(outputs: &mut File, name: &str, value: &str) {
    let text = format!("{name}<<ghadelimeter_1\n{value}\nghadelimeter_1\n");
    outputs.write_all(text.as_bytes()).expect("the outputs can be written");
}

/// Passes a stream on as it comes, and returns all of it.
fn copy(mut from: impl Read, mut to: impl Write) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        let _gone = to.write_all(&chunk[..count]).and_then(|()| to.flush());
        bytes.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `asdf exec NAME …`: the version of `.tool-versions` above the working directory; `-chdir=` means nothing to
/// it. Its directory goes in front of `PATH`, and asdf becomes it (its `cmd.go`, 0.16).
fn asdf_exec(arguments: &[OsString]) -> ExitCode {
    let (name, rest) = arguments.get(1).zip(arguments.get(2..)).expect("asdf exec NAME");
    let here = std::env::current_dir().expect("a directory");
    let Some(version) = tool_version(&here) else {
        complain("No version is set for command terraform");
        return ExitCode::from(126);
    };
    let directory = home().join(".asdf/installs/terraform").join(version).join("bin");
    let mut path = vec![directory.clone()];
    path.extend(entries());
    become_version(Command::new(directory.join(name)).args(rest).env("PATH", joined(path)))
}

/// A shim of mise: a link to mise itself. The version's directory goes where the shims are in `PATH`, before
/// them; where no version is chosen, the next program of that name that is no shim is meant (2026.9).
fn mise_shim(called_as: &Path, arguments: &[OsString]) -> ExitCode {
    let name = called_as.file_name().expect("a shim has a name");
    let shims = home().join(".local/share/mise/shims");
    let here = std::env::current_dir().expect("a directory");
    let mut path = entries();
    let Some(version) = tool_version(&here) else {
        let others = path.iter().filter(|entry| **entry != shims).map(|entry| entry.join(name));
        let Some(next) = others.into_iter().find(|program| program.exists()) else {
            complain("mise ERROR No version is set for shim: terraform");
            return ExitCode::FAILURE;
        };
        return become_version(Command::new(next).args(arguments));
    };
    let directory = home().join(".local/share/mise/installs/terraform").join(version);
    let at = path.iter().position(|entry| *entry == shims).unwrap_or(0);
    path.insert(at, directory.clone());
    let mut command = Command::new(directory.join(name));
    become_version(command.args(arguments).env("PATH", joined(path)).env("__MISE_SHIM", "1"))
}

/// Becomes the version; what comes back is the status of a failure.
fn become_version(command: &mut Command) -> ExitCode {
    complain(&command.exec().to_string());
    ExitCode::from(126)
}

/// The version of Terraform in the nearest `.tool-versions`.
fn tool_version(place: &Path) -> Option<String> {
    upward(place, ".tool-versions", |text| {
        text.lines().find_map(|line| Some(line.strip_prefix("terraform ")?.trim().to_owned()))
    })
}

/// Asks every file of that name from here to the root.
fn upward(place: &Path, file: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    place.ancestors().find_map(|above| read(&fs::read_to_string(above.join(file)).ok()?))
}

/// The home directory.
fn home() -> PathBuf {
    std::env::var_os("HOME").expect("a home").into()
}

/// The entries of `PATH`.
fn entries() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect()
}

/// Makes a `PATH` of entries.
fn joined(path: Vec<PathBuf>) -> OsString {
    std::env::join_paths(path).expect("no colon in a sandbox")
}

/// Says something on stderr.
fn complain(text: &str) {
    let _gone = writeln!(std::io::stderr(), "{text}");
}
