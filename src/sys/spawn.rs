//! Starting a program that keeps the user's terminal, and waiting for it.
//!
//! `posix_spawn`, not the standard library: the child must get the signal mask that we were started
//! with, while ours is closed, and its ignored signals as they were (`nohup`).

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::process::c_string;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a status, 0 to 255.
    Exited(i32),
    /// By a signal.
    Signalled(i32),
}

/// What a child's standard streams become.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Streams {
    /// Ours, untouched.
    Inherited,
    /// These descriptors as 0 and 1, and the null device as 2.
    Private(RawFd, RawFd),
}

/// What to start.
pub(crate) struct Start<'a> {
    /// The program, an absolute path.
    pub(crate) program: &'a Path,
    /// The name it is called by, and its arguments.
    pub(crate) argv: &'a [OsString],
    /// Variables that differ from our own environment.
    pub(crate) set: &'a [(&'a str, &'a OsStr)],
    /// The signal mask of the child.
    pub(crate) mask: &'a SigSet,
    /// Its standard streams.
    pub(crate) streams: Streams,
}

impl Start<'_> {
    /// Starts the program in our process group and session.
    ///
    /// # Errors
    /// The system's reason: not there, not executable, no memory.
    pub(crate) fn spawn(&self) -> io::Result<Pid> {
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_flags(
            PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF,
        )?;
        attributes.set_sigmask(self.mask)?;
        // Rust ignores SIGPIPE at its start; Terraform must die of it as it would alone.
        let mut back_to_default = SigSet::empty();
        back_to_default.add(Signal::SIGPIPE);
        attributes.set_sigdefault(&back_to_default)?;
        let mut actions = PosixSpawnFileActions::init()?;
        if let Streams::Private(input, output) = self.streams {
            actions.add_dup2(input, 0)?;
            actions.add_dup2(output, 1)?;
            actions.add_open(
                2,
                Path::new("/dev/null"),
                nix::fcntl::OFlag::O_WRONLY,
                nix::sys::stat::Mode::empty(),
            )?;
        }
        let argv: Vec<CString> = self.argv.iter().map(|word| c_string(word)).collect();
        let environment = self.environment();
        Ok(posix_spawn(self.program, &actions, &attributes, &argv, &environment)?)
    }

    fn environment(&self) -> Vec<CString> {
        let kept = std::env::vars_os().filter(|(name, _)| !self.set.iter().any(|(n, _)| name == n));
        let set = self.set.iter().map(|(name, value)| (OsString::from(name), (*value).to_owned()));
        kept.chain(set).map(|(name, value)| c_string(&assignment(&name, &value))).collect()
    }
}

fn assignment(name: &OsStr, value: &OsStr) -> OsString {
    OsString::from_vec([name.as_bytes(), b"=", value.as_bytes()].concat())
}

/// Whether a child has ended, without waiting; none while it runs or is stopped.
///
/// A child whose status the system does not give (it was reaped elsewhere) counts as ended with 1: it is
/// gone, and how is not known.
pub(crate) fn ending_of(pid: Pid) -> Option<Ending> {
    match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(_, status)) => Some(Ending::Exited(status)),
        Ok(WaitStatus::Signaled(_, signal, _)) => Some(Ending::Signalled(signal as i32)),
        Ok(_) | Err(Errno::EINTR) => None,
        Err(_) => Some(Ending::Exited(1)),
    }
}
