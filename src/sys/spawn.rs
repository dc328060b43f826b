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
use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::process::c_string;

/// The null device.
const NULL: &str = "/dev/null";

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a status, 0 to 255.
    Exited(i32),
    /// By a signal.
    Signalled(i32),
}

impl Ending {
    /// The status; none where a signal ended it.
    pub(crate) fn status(self) -> Option<i32> {
        match self {
            Self::Exited(status) => Some(status),
            Self::Signalled(_) => None,
        }
    }

    /// The signal that ended it.
    pub(crate) fn signal(self) -> Option<i32> {
        match self {
            Self::Exited(_) => None,
            Self::Signalled(signal) => Some(signal),
        }
    }
}

/// What a child's standard streams become.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Streams {
    /// Ours, untouched.
    Inherited,
    /// The null device as 0, and ours as 1 and 2: who asks gets no answer.
    Unanswered,
    /// The null device as 0, and these descriptors as 1 and 2: what is said goes into files.
    Captured(RawFd, RawFd),
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
    /// Variables that are left out of it: every one whose name begins so.
    pub(crate) without: &'a [&'a str],
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
        match self.streams {
            Streams::Inherited => {}
            Streams::Unanswered => {
                actions.add_open(0, Path::new(NULL), OFlag::O_RDONLY, Mode::empty())?;
            }
            Streams::Captured(output, error) => {
                actions.add_open(0, Path::new(NULL), OFlag::O_RDONLY, Mode::empty())?;
                actions.add_dup2(output, 1)?;
                actions.add_dup2(error, 2)?;
            }
            Streams::Private(input, output) => {
                actions.add_dup2(input, 0)?;
                actions.add_dup2(output, 1)?;
                actions.add_open(2, Path::new(NULL), OFlag::O_WRONLY, Mode::empty())?;
            }
        }
        let argv: Vec<CString> = self.argv.iter().map(|word| c_string(word)).collect();
        let environment = self.environment();
        Ok(posix_spawn(self.program, &actions, &attributes, &argv, &environment)?)
    }

    fn environment(&self) -> Vec<CString> {
        let is_left_out = |name: &OsStr| {
            let begins = |start: &&str| name.as_bytes().starts_with(start.as_bytes());
            self.set.iter().any(|(n, _)| name == *n) || self.without.iter().any(begins)
        };
        let kept = std::env::vars_os().filter(|(name, _)| !is_left_out(name));
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
