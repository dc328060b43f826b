//! Asking another program something, quietly and not for long.
//!
//! For programs that are not asked about a state (those are asked in `terraform/`): no terminal, an environment
//! from which some variables are taken, and an end to patience. Whoever does not answer in time is killed,
//! with what it started: it has a process group of its own. So a key at the terminal does not reach it, and
//! a signal that is to end us is put off until it is killed.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, killpg, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

/// What fits into a pipe that nobody reads yet (pipe(7): 64 KiB, by default), and more is never said.
pub(crate) const MOST_INPUT_BYTES: usize = 60 << 10;

/// What is asked, and how.
pub(crate) struct Question<'a> {
    /// The program, an absolute path.
    pub(crate) program: &'a Path,
    /// Its arguments.
    pub(crate) arguments: &'a [&'a OsStr],
    /// Where it works.
    pub(crate) directory: &'a Path,
    /// What it reads; at most [`MOST_INPUT_BYTES`] of it.
    pub(crate) input: &'a [u8],
    /// Variables that it does not get: every one whose name begins so.
    pub(crate) without: &'a [&'a str],
    /// Variables that it gets.
    pub(crate) set: &'a [(&'a OsStr, &'a OsStr)],
    /// How long it may take.
    pub(crate) patience: Duration,
    /// How much it may say on each stream, in bytes.
    pub(crate) most_bytes: usize,
}

/// What a program said.
pub(crate) struct Answer {
    /// Its exit status; none where a signal ended it.
    pub(crate) status: Option<i32>,
    /// What it wrote to stdout.
    pub(crate) stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub(crate) stderr: Vec<u8>,
}

impl Question<'_> {
    /// Asks, and waits for the end.
    ///
    /// # Errors
    /// * `TimedOut`: it did not end in time, and was killed.
    /// * `Interrupted`: we were to end, and are not ended by that signal; it was killed.
    /// * `FileTooLarge`: it said too much, and was killed.
    /// * The system's reason why it could not be started.
    pub(crate) fn ask(&self) -> io::Result<Answer> {
        let deadline = Instant::now() + self.patience;
        let ((stdout, their_stdout), (stderr, their_stderr)) = (io::pipe()?, io::pipe()?);
        let mut child = self.start(their_stdout.into(), their_stderr.into())?;
        // Only now, so that it does not inherit the mask.
        let ending = Ending::put_off().inspect_err(|_| kill_with_all(&mut child))?;
        if let Some(mut stdin) = child.stdin.take() {
            // Whoever does not want it may leave it.
            let _ = stdin.write_all(self.input.get(..MOST_INPUT_BYTES).unwrap_or(self.input));
        }
        let heard = self.listen([stdout, stderr], deadline, &ending);
        let ended = heard.and_then(|heard| Ok((heard, end_of(&mut child, deadline, &ending)?)));
        if ended.is_err() {
            kill_with_all(&mut child);
        }
        drop(ending);
        let ([stdout, stderr], status) = ended?;
        Ok(Answer { status, stdout, stderr })
    }

    /// The command holds our copies of their ends; they are gone when this returns.
    fn start(&self, stdout: OwnedFd, stderr: OwnedFd) -> io::Result<Child> {
        #[expect(clippy::disallowed_methods, reason = "sys is where programs are started")]
        let mut command = Command::new(self.program);
        let stdin = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.args(self.arguments).current_dir(self.directory);
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        for (name, _) in std::env::vars_os() {
            if self.without.iter().any(|start| name.as_bytes().starts_with(start.as_bytes())) {
                command.env_remove(name);
            }
        }
        command.envs(self.set.iter().copied()).process_group(0).spawn()
    }

    fn listen(
        &self,
        streams: [PipeReader; 2],
        deadline: Instant,
        ending: &Ending,
    ) -> io::Result<[Vec<u8>; 2]> {
        let mut open: Vec<(usize, PipeReader)> = streams.into_iter().enumerate().collect();
        let mut heard = [Vec::new(), Vec::new()];
        let mut chunk = vec![0_u8; 1 << 16];
        while !open.is_empty() {
            ending.check(deadline)?;
            let ready: Vec<bool> = {
                let mut waiting: Vec<_> = open
                    .iter()
                    .map(|(_, stream)| PollFd::new(stream.as_fd(), PollFlags::POLLIN))
                    .collect();
                let _ = poll(&mut waiting, PollTimeout::from(50_u8));
                waiting.iter().map(|fd| fd.any().unwrap_or(false)).collect()
            };
            let mut still_open = Vec::new();
            for ((at, mut stream), is_ready) in open.into_iter().zip(ready) {
                let count = if is_ready { Some(stream.read(&mut chunk)?) } else { None };
                if let (Some(said), Some(count)) = (heard.get_mut(at), count) {
                    said.extend_from_slice(chunk.get(..count).unwrap_or_default());
                    if said.len() > self.most_bytes {
                        return Err(io::ErrorKind::FileTooLarge.into());
                    }
                }
                if count != Some(0) {
                    still_open.push((at, stream));
                }
            }
            open = still_open;
        }
        Ok(heard)
    }
}

/// The signals that end a program, put off until this is dropped.
struct Ending {
    signals: SignalFd,
    mask_before: SigSet,
    came: Cell<Option<Signal>>,
}

impl Ending {
    fn put_off() -> io::Result<Self> {
        let set: SigSet = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM]
            .into_iter()
            .collect();
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&set, flags)?;
        let mask_before = SigSet::thread_get_mask()?;
        set.thread_block()?;
        Ok(Self { signals, mask_before, came: Cell::new(None) })
    }

    /// Whether there is still time.
    fn check(&self, deadline: Instant) -> io::Result<()> {
        if let Ok(Some(signal)) = self.signals.read_signal() {
            let signal = i32::try_from(signal.ssi_signo).ok();
            self.came.set(signal.and_then(|signal| Signal::try_from(signal).ok()));
            return Err(io::ErrorKind::Interrupted.into());
        }
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.mask_before.thread_set_mask();
        if let Some(signal) = self.came.get() {
            let _ = raise(signal);
        }
    }
}

/// Kills a child that was not waited for yet, so that its number still means its group, with all that it
/// started.
fn kill_with_all(child: &mut Child) {
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let _ = killpg(group, Signal::SIGKILL);
    let _ = child.wait();
}

/// Waits for the end of a program that has closed its streams.
fn end_of(child: &mut Child, deadline: Instant, ending: &Ending) -> io::Result<Option<i32>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        ending.check(deadline)?;
        sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, patience: Duration) -> io::Result<Answer> {
        let arguments = [OsStr::new("-c"), OsStr::new(script)];
        Question {
            program: Path::new("/bin/sh"),
            arguments: &arguments,
            directory: Path::new("/"),
            input: b"in",
            without: &["CARGO_"],
            set: &[(OsStr::new("OURS"), OsStr::new("yes"))],
            patience,
            most_bytes: 4096,
        }
        .ask()
    }

    #[test]
    fn both_streams_and_the_status_come_back() {
        let script = "cat; echo \"$OURS$CARGO_PKG_NAME\" >&2; exit 3";
        let answer = shell(script, Duration::from_secs(20)).unwrap();
        assert_eq!((answer.status, answer.stdout.as_slice()), (Some(3), &b"in"[..]));
        assert_eq!(answer.stderr, b"yes\n");
    }

    #[test]
    fn nobody_is_waited_for_without_end_or_listened_to_without_limit() {
        for script in ["exec sleep 60", "exec >&- 2>&-; exec sleep 60"] {
            let late = shell(script, Duration::from_millis(100)).err().unwrap();
            assert_eq!(late.kind(), io::ErrorKind::TimedOut, "{script}");
        }
        let much = shell("while :; do echo much; done", Duration::from_secs(20)).err().unwrap();
        assert_eq!(much.kind(), io::ErrorKind::FileTooLarge);
    }
}
