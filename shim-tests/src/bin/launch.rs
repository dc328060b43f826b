//! `launch [--block N]… [--ignore N]… [--close N]… [--terminal PATH] [--parent-death N]
//! PROGRAM ARGS…`: starts a program in odd surroundings, in the same process.
//!
//! The standard library has no safe way to give a child a signal mask, an ignored signal, a closed
//! stream or a terminal of its own. The mask is set here and survives because the last step is a plain
//! `execve`, not the one of the standard library, which empties it; ignoring and closing is left to
//! `sh`. Easy to forget: Rust ignores SIGPIPE before `main`, so with `--block` the program inherits that.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "surroundings that cannot be made must fail the test"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the walls of clippy.toml are those of tf itself; this starts programs"
)]

use std::ffi::{CString, OsString};
use std::fs::OpenOptions;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{execve, setsid};

fn main() {
    let mut args = std::env::args_os().skip(1).peekable();
    let mut blocked = SigSet::empty();
    let mut script = String::new();
    let mut terminal = None;
    while args.peek().is_some_and(|arg| arg.as_bytes().starts_with(b"--")) {
        let flag = args.next().unwrap();
        let value = args.next().expect("every flag has a value").into_string().expect("plain text");
        match flag.to_str() {
            Some("--block") => blocked.add(signal(&value)),
            Some("--ignore") => script.push_str(&["trap '' ", &value, "; "].concat()),
            Some("--close") if value == "0" => script.push_str("exec <&-; "),
            Some("--close") => script.push_str(&["exec ", &value, ">&-; "].concat()),
            Some("--terminal") => terminal = Some(value),
            // It outlives an `execve` (PR_SET_PDEATHSIG(2const)), not a fork.
            Some("--parent-death") => set_pdeathsig(signal(&value)).expect("it can be asked for"),
            _ => panic!("unknown flag {}", flag.display()),
        }
    }
    let mut line: Vec<OsString> = args.collect();
    if !script.is_empty() {
        script.push_str("exec \"$@\"");
        line.splice(0..0, ["/bin/sh", "-c", &script, "sh"].map(OsString::from));
    }
    match terminal {
        Some(path) => on_terminal(&path, &line),
        None if blocked == SigSet::empty() => {
            panic!("{}", Command::new(&line[0]).args(&line[1..]).exec())
        }
        None => with_mask(blocked, line),
    }
}

/// Parses the number of a signal.
fn signal(number: &str) -> Signal {
    Signal::try_from(number.parse::<i32>().expect("a number")).expect("a signal")
}

/// Becomes the leader of a session on that terminal: the first terminal such a leader opens is its own
/// (credentials(7) and `man 4 tty`: Linux, unless `O_NOCTTY`).
fn on_terminal(path: &str, line: &[OsString]) {
    setsid().expect("we lead no process group");
    let open = || OpenOptions::new().read(true).write(true).open(path).expect("the terminal opens");
    let error =
        Command::new(&line[0]).args(&line[1..]).stdin(open()).stdout(open()).stderr(open()).exec();
    panic!("{error}")
}

/// Becomes the program with these signals blocked.
fn with_mask(blocked: SigSet, line: Vec<OsString>) {
    let terminated = |text: OsString| CString::new(text.into_vec()).expect("no NUL inside");
    let environment: Vec<CString> = std::env::vars_os()
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            terminated(name)
        })
        .collect();
    let argv: Vec<CString> = line.into_iter().map(terminated).collect();
    blocked.thread_set_mask().expect("signals can be blocked");
    let error = execve(&argv[0], &argv, &environment).unwrap_err();
    panic!("{error}")
}
