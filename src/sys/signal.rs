//! Signals: which we watch, who sent them, how to wait for them without handlers.
//!
//! Easy to get wrong: a signal from the terminal reaches the whole foreground group, so Terraform has
//! it already. Delivering it once more would be the second interrupt, and the second means data loss
//! (Terraform counts SIGINT and SIGTERM together: its `makeShutdownCh`, 1.11.4).

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nix::sys::signal::{SigSet, Signal, kill, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

/// Every signal that could end or stop us while Terraform runs.
///
/// TTIN, TTOU, WINCH and URG keep their default: the kernel does the right thing for the whole group.
/// CONT continues us all the same, blocked or not (`signal(7)`), and tells that a stop is off. SIGPIPE is
/// ignored by Rust's start-up. Faults of our own (SEGV, BUS, …) must end us.
const WATCHED: [Signal; 16] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGXCPU,
    Signal::SIGXFSZ,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGSTKFLT,
    Signal::SIGTSTP,
    Signal::SIGCONT,
];

/// The watched signals as a set.
pub(crate) fn watched() -> SigSet {
    WATCHED.into_iter().collect()
}

/// Where a signal came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The kernel: a key at the terminal, a closed terminal, a timer, a limit.
    Kernel,
    /// Another process.
    Process,
}

/// One signal that we received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Which.
    pub(crate) signal: Signal,
    /// From where.
    pub(crate) origin: Origin,
}

/// The signals while Terraform runs: blocked, and read one by one from a descriptor.
pub(crate) struct Watch {
    descriptor: SignalFd,
    mask_before: SigSet,
}

impl Watch {
    /// Blocks the watched signals and SIGCHLD, and opens the descriptor that they are read from.
    ///
    /// An inherited "ignore" of SIGCHLD would make the kernel throw the child's status away, so it gets
    /// a handler of ours that does nothing; Go programs set their own in any case. SIGXFSZ gets one too,
    /// unless it is ignored: it comes with an error of a write of ours (`ulimit -f`), which is what we tell,
    /// and would end us by itself once it is no longer blocked.
    ///
    /// # Errors
    /// No descriptor is free.
    pub(crate) fn begin() -> io::Result<Self> {
        let is_harmless = is_in(ignored(), Signal::SIGXFSZ);
        let handled = [Signal::SIGCHLD].into_iter();
        for signal in handled.chain((!is_harmless).then_some(Signal::SIGXFSZ)) {
            signal_hook::flag::register(signal as i32, Arc::new(AtomicBool::new(false)))?;
        }
        let mut set = watched();
        set.add(Signal::SIGCHLD);
        let mask_before = SigSet::thread_get_mask()?;
        set.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self { descriptor: SignalFd::with_flags(&set, flags)?, mask_before })
    }

    /// The mask that was in force before, which the child gets.
    pub(crate) fn mask_before(&self) -> &SigSet {
        &self.mask_before
    }

    /// The next signal that is waiting; none when there is none. SIGCHLD is reported too.
    pub(crate) fn next(&self) -> Option<Received> {
        let found = self.descriptor.read_signal().ok().flatten()?;
        let signal = i32::try_from(found.ssi_signo).ok().and_then(|n| Signal::try_from(n).ok())?;
        // SI_KERNEL is 0x80; a positive code is the kernel's, the others name a sender
        // (sigaction(2), "si_code").
        let origin = if found.ssi_code > 0 { Origin::Kernel } else { Origin::Process };
        Some(Received { signal, origin })
    }

    /// Blocks SIGCHLD again, for the next child.
    #[expect(clippy::unused_self, reason = "only a watch blocks it")]
    pub(crate) fn hold_child_signal(&self) {
        let mut only = SigSet::empty();
        only.add(Signal::SIGCHLD);
        let _ = only.thread_block();
    }

    /// Lets SIGCHLD through again: a helper is waited for, and a blocked SIGCHLD would make a timed wait
    /// run to its end.
    #[expect(clippy::unused_self, reason = "only a watch blocks it")]
    pub(crate) fn release_child_signal(&self) {
        let mut only = SigSet::empty();
        only.add(Signal::SIGCHLD);
        let _ = only.thread_unblock();
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Lets every signal that was blocked for us through again.
pub(crate) fn restore(mask: &SigSet) {
    let _ = mask.thread_set_mask();
}

/// Sends a signal to a process.
///
/// # Errors
/// The process is gone, or is not ours.
pub(crate) fn send(pid: Pid, signal: Signal) -> io::Result<()> {
    Ok(kill(pid, signal)?)
}

/// Stops ourselves as the terminal's stop key would, and returns when we are continued.
///
/// SIGTSTP is blocked while we watch; raising it and opening the mask for a moment gives its default
/// action, so that the shell sees the same stop as without us.
pub(crate) fn stop_ourselves() {
    let mut only = SigSet::empty();
    only.add(Signal::SIGTSTP);
    let _ = raise(Signal::SIGTSTP);
    let _ = only.thread_unblock();
    let _ = only.thread_block();
}

/// The signals that this process ignores, by number; Terraform inherits that.
pub(crate) fn ignored() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0)
}

/// Whether `signal` is in a set as [`ignored`] gives it.
pub(crate) fn is_in(set: u64, signal: Signal) -> bool {
    let bit = (signal as i32).checked_sub(1).and_then(|n| u32::try_from(n).ok());
    bit.and_then(|n| 1_u64.checked_shl(n)).is_some_and(|bit| set & bit != 0)
}
