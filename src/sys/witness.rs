//! The witness: a second process of ours in the same group, which tells whether a signal was sent to the
//! group or to us alone.
//!
//! A signal that another process sent may have gone to our pid only (terraform-exec, `docker stop`) or
//! to the group or tree as well (`kill -- -PGID`, `timeout`, a CI runner). In the second case Terraform
//! has it, and passing it on would be the second interrupt. The witness has Terraform's name, arguments and
//! group, so that whatever reaches Terraform by name, by group or by tree reaches the witness too.
//! It holds none of the user's streams and ends when our end of its pipe closes.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, pipe2, read, write};

use super::process::own_program;
use super::signal::watched;
use super::spawn::{Start, Streams};

/// A running witness. Dropping it ends it.
pub(crate) struct Witness {
    pid: Pid,
    reports: OwnedFd,
    /// Closing this is how the witness learns that we are gone, also when we are killed.
    _tether: OwnedFd,
}

impl Witness {
    /// Starts a witness under the name and arguments of the program that it stands beside; `marker` is
    /// the variable that makes a new process of ours a witness.
    ///
    /// # Errors
    /// No process or descriptor is free.
    pub(crate) fn start(argv: &[OsString], marker: (&str, &OsStr)) -> io::Result<Self> {
        let (their_input, tether) = pipe2(OFlag::O_CLOEXEC)?;
        let (reports, their_output) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        let start = Start {
            program: &own_program()?,
            argv,
            set: &[marker],
            without: &[],
            mask: &watched(),
            streams: Streams::Private(their_input.as_raw_fd(), their_output.as_raw_fd()),
        };
        Ok(Self { pid: start.spawn()?, reports, _tether: tether })
    }

    /// The signals that the witness received since the last call; none when it has ended.
    pub(crate) fn reports(&self) -> Option<Vec<Signal>> {
        let mut buffer = [0_u8; 64];
        match read(&self.reports, &mut buffer) {
            Ok(0) => None,
            Ok(count) => {
                let numbers = buffer.iter().take(count).map(|byte| i32::from(*byte));
                Some(numbers.filter_map(|n| Signal::try_from(n).ok()).collect())
            }
            Err(_) => Some(Vec::new()),
        }
    }
}

impl AsFd for Witness {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reports.as_fd()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // It may be stopped together with the group, and would then not see the pipe close.
        let _ = kill(self.pid, Signal::SIGKILL);
        let _ = waitpid(self.pid, None);
    }
}

/// Is the witness: reports every watched signal as one byte on descriptor 1, ends when descriptor 0
/// closes.
pub(crate) fn stand(argv0: &OsStr) {
    let name = Path::new(argv0).file_name().unwrap_or(argv0);
    if let Ok(name) = CString::new(name.as_bytes()) {
        let _ = nix::sys::prctl::set_name(&name);
    }
    let set: SigSet = watched();
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let Ok(signals) = SignalFd::with_flags(&set, flags) else { return };
    let (input, output) = (io::stdin(), io::stdout());
    loop {
        let mut waiting = [
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(input.as_fd(), PollFlags::POLLIN),
        ];
        if poll(&mut waiting, PollTimeout::NONE).is_err() {
            continue;
        }
        while let Ok(Some(found)) = signals.read_signal() {
            let byte = u8::try_from(found.ssi_signo).unwrap_or_default();
            let _ = write(output.as_fd(), &[byte]);
        }
        if waiting.get(1).and_then(PollFd::revents).is_some_and(|events| !events.is_empty()) {
            return;
        }
    }
}
