//! Running one program with odd streams, to its end, by a deadline.
//!
//! Closed descriptors, pipes without a reader and pipelines are made by a real shell in front, which
//! then becomes the program, so that its process id stays the one that was started.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::transcript::End;
use crate::wait::DEADLINE;

use super::case::{Input, Output};

/// A program to run.
#[derive(Debug)]
pub struct Run<'r> {
    /// The program.
    pub program: &'r Path,
    /// Its arguments.
    pub args: &'r [OsString],
    /// Its whole environment.
    pub env: &'r BTreeMap<OsString, OsString>,
    /// Its directory.
    pub directory: PathBuf,
    /// What it reads.
    pub input: &'r Input,
    /// Where it writes.
    pub output: Output,
    /// What it ignores.
    pub ignored: &'r [&'static str],
    /// A directory for files of the run, outside everything that is compared.
    pub scratch: &'r Path,
}

/// What came of it.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub end: End,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
    /// Its process id.
    pub pid: i32,
}

impl Run<'_> {
    /// Runs it to its end.
    ///
    /// # Errors
    /// What it had written when the deadline had passed; it and its group are killed.
    pub fn to_end(&self) -> Result<Ended, String> {
        let mut child = self.command().spawn().expect("the program starts");
        let pid = i32::try_from(child.id()).unwrap();
        if let (Input::Bytes(bytes), Some(mut pipe)) = (self.input, child.stdin.take()) {
            let bytes = bytes.clone();
            // A thread, because a pipe may hold less; a program may end without reading it.
            std::thread::spawn(move || pipe.write_all(&bytes));
        }
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let start = Instant::now();
        let is_over =
            drain(&mut child, &mut stdout, &mut stderr, start) && is_ended(&mut child, start);
        if !is_over {
            let _gone = killpg(Pid::from_raw(pid), Signal::SIGKILL);
            let _gone = child.wait();
            let (stdout, stderr) = (stdout.escape_ascii(), stderr.escape_ascii());
            return Err(format!("no end within {DEADLINE:?}\nstdout: {stdout}\nstderr: {stderr}"));
        }
        let status = child.wait().unwrap();
        let end = match (status.code(), status.signal()) {
            (Some(code), _) => End::Status(code),
            (None, Some(signal)) => End::Signal(signal),
            (None, None) => unreachable!("waited without stopping"),
        };
        if self.output == Output::File {
            stdout = std::fs::read(self.scratch.join("output")).unwrap();
        }
        Ok(Ended { end, stdout, stderr, pid })
    }

    /// Builds the command.
    fn command(&self) -> Command {
        let mut command = match self.script() {
            None => Command::new(self.program),
            Some(script) => {
                let mut command = Command::new("/bin/bash");
                command.args(["--norc", "-c", &script, "bash"]).arg(self.program);
                command.env("SCRATCH", self.scratch);
                command
            }
        };
        command.args(self.args).env_clear().envs(self.env).current_dir(&self.directory);
        if self.script().is_some() {
            command.env("SCRATCH", self.scratch);
        }
        command.stdin(match self.input {
            Input::Null | Input::Closed => Stdio::null(),
            Input::Bytes(_) => Stdio::piped(),
            Input::File(bytes) => {
                let path = self.scratch.join("input");
                std::fs::write(&path, bytes).unwrap();
                File::open(path).unwrap().into()
            }
        });
        if self.output == Output::File {
            let file = File::create(self.scratch.join("output")).unwrap();
            command.stdout(file.try_clone().unwrap()).stderr(file);
        } else {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        command.process_group(0);
        command
    }

    /// The shell in front, where one is needed.
    fn script(&self) -> Option<String> {
        let ignored = self.ignored.iter().flat_map(|signal| ["trap '' ", signal, "; "]);
        let ignored: String = ignored.collect();
        let input = if *self.input == Input::Closed { "exec <&-; " } else { "" };
        let output = match self.output {
            Output::Pipes | Output::File => "exec \"$@\"",
            Output::Closed => "exec \"$@\" >&-",
            Output::ErrorClosed => "exec \"$@\" 2>&-",
            // Opened for both first, because a writer alone would wait for a reader.
            Output::Gone => {
                "PATH=/usr/bin:/bin rm -f \"$SCRATCH/fifo\"; \
                 PATH=/usr/bin:/bin mkfifo \"$SCRATCH/fifo\"; exec 3<>\"$SCRATCH/fifo\"; \
                 exec 4>\"$SCRATCH/fifo\"; exec 3>&-; exec \"$@\" >&4 4>&-"
            }
            Output::Head => "\"$@\" | PATH=/usr/bin:/bin head -1; echo \"${PIPESTATUS[@]}\"",
        };
        let is_plain = ignored.is_empty() && input.is_empty();
        let needs_none = is_plain && matches!(self.output, Output::Pipes | Output::File);
        (!needs_none).then(|| [&ignored, input, output].concat())
    }
}

/// Reads both streams to their ends; whether they came before the deadline.
fn drain(child: &mut Child, stdout: &mut Vec<u8>, stderr: &mut Vec<u8>, start: Instant) -> bool {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let mut chunk = vec![0; 65_536];
    while out.is_some() || err.is_some() {
        let ready = |fds: &mut [PollFd<'_>]| poll(fds, PollTimeout::from(1000_u16)).unwrap_or(0);
        let mut fds: Vec<PollFd<'_>> = Vec::new();
        fds.extend(out.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
        fds.extend(err.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
        if ready(&mut fds) == 0 && start.elapsed() > DEADLINE {
            return false;
        }
        let mut readable =
            fds.iter().map(|fd| fd.any() == Some(true)).collect::<Vec<_>>().into_iter();
        if out.is_some() && readable.next() == Some(true) {
            out = take(out, &mut chunk, stdout);
        }
        if err.is_some() && readable.next() == Some(true) {
            err = take(err, &mut chunk, stderr);
        }
    }
    true
}

/// Reads what is there; gives the stream back until its end.
fn take<R: Read>(stream: Option<R>, chunk: &mut [u8], sink: &mut Vec<u8>) -> Option<R> {
    let mut stream = stream?;
    match stream.read(chunk) {
        Ok(count @ 1..) => {
            sink.extend_from_slice(&chunk[..count]);
            Some(stream)
        }
        Ok(0) | Err(_) => None,
    }
}

/// Waits for the process itself; its streams have ended, so it is about to.
fn is_ended(child: &mut Child, start: Instant) -> bool {
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > DEADLINE {
            return false;
        }
        std::thread::park_timeout(std::time::Duration::from_micros(200));
    }
    true
}

/// Whether a variable is set by the shell in front, to something that names the program it starts.
#[must_use]
pub fn is_of_the_shell(name: &OsStr) -> bool {
    name == "_"
}
