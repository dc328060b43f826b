//! Becoming another program, and ending as one that we waited for.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::unistd::{getpid, getppid};

/// Replaces this process by `program`, with the environment as it is and one variable set.
///
/// The standard library keeps the signal mask and gives an ignored SIGPIPE its default back (Rust
/// 1.95, seen with a blocked SIGUSR1 in `/proc/self/status`); everything else passes unchanged.
///
/// # Errors
/// The cause why the program could not be started; on success this does not return.
pub(crate) fn become_program(
    program: &Path,
    argv0: &OsStr,
    arguments: &[OsString],
    (name, value): (&str, &OsStr),
) -> io::Error {
    #[expect(clippy::disallowed_methods, reason = "the one place that hands a process over")]
    let mut command = std::process::Command::new(program);
    command.arg0(argv0).args(arguments).env(name, value).exec()
}

/// Ends this process by a signal, as the child that we waited for ended, so that the caller sees the
/// same death. Leaves no core file of our own. Returns where the signal's default is to be ignored, and
/// where we are the first process: the kernel keeps from it every signal that it has no handler for, one
/// of its own too (`pid_namespaces(7)`), and the detour by `abort` ends in a fault.
pub(crate) fn end_by_signal(signal: i32) {
    if is_first() {
        return;
    }
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let _ = nix::sys::prctl::set_dumpable(false);
    if let Ok(signal) = Signal::try_from(signal) {
        let mut only = SigSet::empty();
        only.add(signal);
        let _ = only.thread_unblock();
    }
    // `raise` alone does nothing for a signal that Rust ignores (SIGPIPE); this one restores the
    // default action first. It returns for what it does not know (SIGPWR, SIGSTKFLT) or takes for
    // ignored (SIGIO, which is not on Linux: signal(7)).
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    if let Ok(signal) = Signal::try_from(signal) {
        let _ = raise(signal);
    }
}

/// The status of a process that the signal which ended Terraform cannot end.
///
/// Terraform itself, as the first process, cannot be ended by one either: its runtime tries, and then
/// exits with 2 (Go's `dieFromSignal`; seen with Terraform 1.11.4 and SIGHUP, SIGPIPE). Only SIGKILL
/// from outside the namespace ends it; that, and what is ignored by default, is said as shells do.
pub(crate) fn status_in_place_of(signal: i32) -> u8 {
    /// What Go's runtime exits with.
    const RUNTIME: u8 = 2;
    if is_first() && signal != Signal::SIGKILL as i32 {
        return RUNTIME;
    }
    u8::try_from(signal.saturating_add(128)).unwrap_or(1)
}

/// Whether we are the first process of our namespace, as in a container.
fn is_first() -> bool {
    getpid().as_raw() == 1
}

/// This process, as others see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    /// Our process id.
    pub(crate) pid: i32,
    /// Our parent's.
    pub(crate) parent: i32,
}

impl Own {
    /// Asks the system who we are.
    pub(crate) fn read() -> Self {
        Self { pid: getpid().as_raw(), parent: getppid().as_raw() }
    }
}

/// The program that this process runs, as the kernel names it.
///
/// # Errors
/// `/proc` is not there.
pub(crate) fn own_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// A string for the kernel; a NUL inside ends it there, as it would for any program.
pub(crate) fn c_string(text: &OsStr) -> CString {
    let bytes = text.as_bytes();
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    CString::new(bytes.get(..end).unwrap_or_default()).unwrap_or_default()
}

/// The parent of a process (field 4 of `/proc/PID/stat`).
pub(crate) fn parent_of(pid: i32) -> Option<i32> {
    stat_field(pid, 4)
}

/// When a process was started, in clock ticks since boot (field 22); with its id it names the process for
/// good.
pub(crate) fn start_of(pid: i32) -> Option<u64> {
    stat_field(pid, 22)
}

/// The command line of a process, its name included; none where there is no such process or it is not told.
pub(crate) fn words_of(pid: i32) -> Option<Vec<OsString>> {
    let text = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = text.strip_suffix(b"\0")?;
    Some(text.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_owned()).collect())
}

/// The working directory of a process; none where we may not look.
pub(crate) fn directory_of(pid: i32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// What a variable was when a process was started; none where it was not set, or where we may not look.
pub(crate) fn variable_of(pid: i32, name: &OsStr) -> Option<OsString> {
    let text = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let value =
        |entry: &[u8]| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    let value = text.split(|byte| *byte == 0).find_map(value)?;
    Some(OsStr::from_bytes(&value).to_owned())
}

/// A field of `/proc/PID/stat`, counted from 1 as in `proc_pid_stat(5)`; from the third on.
fn stat_field<T: std::str::FromStr>(pid: i32, number: usize) -> Option<T> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything, blanks included.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

/// The name of the effective user, and of the machine.
pub(crate) fn user_and_host() -> (Option<String>, Option<OsString>) {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    (user.map(|user| user.name), nix::unistd::gethostname().ok())
}

/// Waits until stdin has something to read, or has ended; false when `gives_up` says so first. It is asked
/// ten times a second.
pub(crate) fn wait_for_input(gives_up: &dyn Fn() -> bool) -> bool {
    let input = io::stdin();
    loop {
        if gives_up() {
            return false;
        }
        let mut waiting = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
        if poll(&mut waiting, PollTimeout::from(100_u8)).unwrap_or(0) > 0 {
            return true;
        }
    }
}
