//! One call of a program in a sandbox: what surrounds it, and the running process.
//!
//! Every program gets a process group of its own, so that a test can signal the group as a terminal
//! does, without hitting the test run. A process that does not end by the deadline is killed and fails
//! the test.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::programs;
use crate::reader::Reader;
use crate::sandbox::Sandbox;
use crate::scenario::{Event, quote};
use crate::terminal::{Size, Terminal};
use crate::transcript::{End, Transcript};
use crate::wait::{self, DEADLINE, wait_until};

/// What a program reads.
#[derive(Clone, Debug, Default)]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Null,
    /// These bytes through a pipe, then the end.
    Bytes(Vec<u8>),
    /// A pipe that stays open until [`Running::close_stdin`].
    Open,
}

/// Whose process group a program is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Its own.
    Own,
    /// That of another process.
    Of(u32),
}

/// A prepared call.
#[derive(Clone, Debug)]
pub struct Invocation<'s> {
    /// Where it happens.
    sandbox: &'s Sandbox,
    /// What is run.
    program: PathBuf,
    /// With these arguments.
    args: Vec<OsString>,
    /// In this environment.
    environment: BTreeMap<OsString, OsString>,
    /// In this directory.
    directory: PathBuf,
    /// Reading this.
    stdin: Stdin,
    /// In this process group.
    group: Group,
    /// Flags for `launch`; none starts the program directly.
    launch: Vec<String>,
    /// On a terminal of its own, of this size.
    terminal: Option<Size>,
}

impl<'s> Invocation<'s> {
    /// Prepares a call in the surroundings of the sandbox.
    pub(crate) fn new(sandbox: &'s Sandbox, program: &Path, args: Vec<OsString>) -> Self {
        Self {
            sandbox,
            program: program.to_owned(),
            args,
            environment: sandbox.environment().clone(),
            directory: sandbox.project(),
            stdin: Stdin::Null,
            group: Group::Own,
            launch: Vec::new(),
            terminal: None,
        }
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Self {
        self.environment.remove(OsStr::new(name));
        self
    }

    /// Runs in another directory, relative to the project.
    #[must_use]
    pub fn in_directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = self.directory.join(directory);
        self
    }

    /// Gives bytes to read.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Bytes(bytes.into());
        self
    }

    /// Gives a pipe to read that stays open.
    #[must_use]
    pub fn stdin_left_open(mut self) -> Self {
        self.stdin = Stdin::Open;
        self
    }

    /// Runs in a given process group.
    #[must_use]
    pub fn in_group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    /// Blocks a signal beforehand.
    #[must_use]
    pub fn with_blocked(self, signal: Signal) -> Self {
        self.launched("--block", &(signal as i32).to_string())
    }

    /// Ignores a signal beforehand.
    #[must_use]
    pub fn with_ignored(self, signal: Signal) -> Self {
        self.launched("--ignore", signal.as_str().trim_start_matches("SIG"))
    }

    /// Asks the kernel beforehand for a signal when the thread that starts it ends: Go's `Pdeathsig`, which
    /// terraform-exec sets to SIGKILL on Linux.
    #[must_use]
    pub fn with_parent_death(self, signal: Signal) -> Self {
        self.launched("--parent-death", &(signal as i32).to_string())
    }

    /// Closes descriptor 0, 1 or 2 beforehand.
    #[must_use]
    pub fn with_closed(self, descriptor: u8) -> Self {
        self.launched("--close", &descriptor.to_string())
    }

    /// Runs as the leader of a session on a pseudo-terminal of 80 by 24, which is all three streams.
    #[must_use]
    pub fn on_terminal(self) -> Self {
        self.on_terminal_of(Size::default())
    }

    /// As [`Invocation::on_terminal`], of another size.
    #[must_use]
    pub fn on_terminal_of(mut self, size: Size) -> Self {
        self.terminal = Some(size);
        self
    }

    /// Runs to the end.
    ///
    /// # Panics
    /// If it does not end by the deadline, or leaves a process behind that holds its output.
    #[must_use]
    pub fn run(self) -> Transcript {
        self.start().finish()
    }

    /// Starts and returns at once.
    #[must_use]
    pub fn start(mut self) -> Running<'s> {
        let terminal = self.terminal.map(Terminal::open);
        if let Some(terminal) = &terminal {
            self = self.launched("--terminal", terminal.name());
        }
        let mut command = self.command(terminal.is_some());
        let known_events = self.sandbox.events().len();
        // A program that a test has just copied is busy while another test's child, forked meanwhile,
        // still has the copy open.
        let mut spawned = command.spawn();
        let deadline = Instant::now() + DEADLINE;
        while spawned.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::ExecutableFileBusy)
            && Instant::now() < deadline
        {
            std::thread::yield_now();
            spawned = command.spawn();
        }
        let mut child = spawned.unwrap_or_else(|error| {
            panic!("cannot start `{}`: {error}", self.program.display());
        });
        let pipes = [
            pipe_name(child.stdin.as_ref()),
            pipe_name(child.stdout.as_ref()),
            pipe_name(child.stderr.as_ref()),
        ];
        let pipe = child.stdin.take();
        let pipe = match (&self.stdin, pipe) {
            (Stdin::Bytes(bytes), Some(mut pipe)) => {
                let bytes = bytes.clone();
                // A thread, because a program may end without reading all of it.
                std::thread::spawn(move || pipe.write_all(&bytes));
                None
            }
            (_, pipe) => pipe,
        };
        Running {
            stdout: child.stdout.take().map(Reader::start),
            stderr: child.stderr.take().map(Reader::start),
            stdin: pipe,
            terminal,
            child,
            line: self.line(),
            known_events,
            pipes,
            sandbox: self.sandbox,
        }
    }

    /// Adds a flag for `launch`.
    fn launched(mut self, flag: &str, value: &str) -> Self {
        self.launch.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// Returns the command line for the transcript.
    fn line(&self) -> String {
        let name = self.program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let args = self.args.iter().map(|arg| quote(arg.as_encoded_bytes()));
        std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
    }

    /// Builds the command. On a terminal `launch` opens the streams, so it must not lead a group.
    fn command(&self, has_terminal: bool) -> Command {
        let mut command = if self.launch.is_empty() {
            Command::new(&self.program)
        } else {
            let mut command = Command::new(programs::find("launch"));
            command.args(&self.launch).arg(&self.program);
            command
        };
        command.args(&self.args).env_clear().envs(&self.environment).current_dir(&self.directory);
        if has_terminal {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
            return command;
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        match self.stdin {
            Stdin::Null => command.stdin(Stdio::null()),
            Stdin::Bytes(_) | Stdin::Open => command.stdin(Stdio::piped()),
        };
        match self.group {
            Group::Own => command.process_group(0),
            Group::Of(pid) => command.process_group(i32::try_from(pid).unwrap()),
        };
        command
    }
}

/// A program that runs.
#[derive(Debug)]
pub struct Running<'s> {
    /// Where it runs.
    sandbox: &'s Sandbox,
    /// The process.
    child: Child,
    /// Its command line.
    line: String,
    /// How many events the log had before.
    known_events: usize,
    /// What the kernel calls the pipes of its streams.
    pipes: [String; 3],
    /// Its input, if it was left open.
    stdin: Option<std::process::ChildStdin>,
    /// Its output.
    stdout: Option<Reader>,
    /// Its talk.
    stderr: Option<Reader>,
    /// Its terminal.
    terminal: Option<Terminal>,
}

impl Running<'_> {
    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns what the kernel calls the pipes it was given for stdin, stdout and stderr, empty where it
    /// was given something else. Both ends of a pipe have the same name.
    #[must_use]
    pub fn pipes(&self) -> &[String; 3] {
        &self.pipes
    }

    /// Returns what was printed to stdout so far.
    #[must_use]
    pub fn stdout(&self) -> Vec<u8> {
        self.stdout.as_ref().map(Reader::bytes).unwrap_or_default()
    }

    /// Returns what was printed to stderr so far.
    #[must_use]
    pub fn stderr(&self) -> Vec<u8> {
        self.stderr.as_ref().map(Reader::bytes).unwrap_or_default()
    }

    /// Returns what the terminal shows so far, empty without one.
    #[must_use]
    pub fn screen(&self) -> Vec<u8> {
        self.terminal.as_ref().map(Terminal::screen).unwrap_or_default()
    }

    /// Waits until a file of the project exists.
    pub fn wait_for_file(&self, name: &str) {
        wait_until(&format!("file `{name}`"), || self.sandbox.has(name));
    }

    /// Waits until the terminal shows a text.
    pub fn wait_for_text(&self, text: &str) {
        self.wait_for_texts(1, text);
    }

    /// Waits until the terminal has shown a text that many times.
    ///
    /// # Panics
    /// If it does not by the deadline; the message shows what it does show.
    pub fn wait_for_texts(&self, count: usize, text: &str) {
        let is_there = || String::from_utf8_lossy(&self.screen()).matches(text).count() >= count;
        let has_come = wait::comes(is_there);
        assert!(has_come, "no `{text}` on the screen: {}", self.screen().escape_ascii());
    }

    /// Waits until the fake has caught that many signals since the start.
    pub fn wait_for_signals(&self, count: usize) {
        wait_until(&format!("{count} caught signals"), || {
            let events = self.sandbox.events().into_iter().skip(self.known_events);
            events.filter(|event| matches!(event, Event::Caught { .. })).count() >= count
        });
    }

    /// Signals this one process.
    pub fn signal(&self, signal: Signal) {
        kill(self.raw_pid(), signal).expect("the process is not waited for yet");
    }

    /// Signals its whole process group, as `kill -- -PGID` does.
    pub fn signal_group(&self, signal: Signal) {
        killpg(self.raw_pid(), signal).expect("the process leads its group");
    }

    /// Types on the terminal. `\x03` is Ctrl-C, `\x04` the end of input.
    ///
    /// # Panics
    /// If the program has no terminal.
    pub fn type_text(&mut self, text: &str) {
        self.terminal.as_mut().expect("the program has a terminal").type_text(text);
    }

    /// Changes the size of its terminal, of which the kernel tells the foreground by SIGWINCH.
    ///
    /// # Panics
    /// If the program has no terminal.
    pub fn resize(&self, size: Size) {
        self.terminal.as_ref().expect("the program has a terminal").resize(size);
    }

    /// Returns how its terminal is set, where that is not as at first; none without a terminal.
    #[must_use]
    pub fn changed_settings(&self) -> Option<String> {
        Some(self.terminal.as_ref()?.changed_settings()?.0)
    }

    /// Closes its terminal, as a lost connection does.
    ///
    /// # Panics
    /// If the program has no terminal.
    pub fn hang_up(&mut self) {
        self.terminal.take().expect("the program has a terminal").hang_up();
    }

    /// Waits until stdout ends with a text.
    pub fn wait_for_stdout(&self, end: &str) {
        wait_until(&format!("`{end}` on stdout"), || self.stdout().ends_with(end.as_bytes()));
    }

    /// Writes to its input, which was left open.
    ///
    /// # Panics
    /// If it was not, or nobody reads it.
    pub fn write_stdin(&mut self, text: &str) {
        self.stdin.as_mut().expect("the input was left open").write_all(text.as_bytes()).unwrap();
    }

    /// Closes its input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Stops reading its stdout and closes the pipe, as `head` does.
    pub fn close_stdout(&mut self) {
        if let Some(reader) = self.stdout.take() {
            reader.stop();
        }
    }

    /// Stops reading both streams and closes the pipes, as a caller that gives up does.
    pub fn close_output(&mut self) {
        self.close_stdout();
        if let Some(reader) = self.stderr.take() {
            reader.stop();
        }
    }

    /// Whether it has ended; the answer is cheap and does not wait.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Closes its input and waits for the end.
    ///
    /// # Panics
    /// If it does not end by the deadline.
    pub fn wait_for_end(&mut self) {
        self.stdin = None;
        let start = Instant::now();
        while !self.has_ended() {
            if start.elapsed() > DEADLINE {
                self.give_up();
            }
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
    }

    /// Waits for the end, and collects what it did.
    ///
    /// # Panics
    /// If it does not end by the deadline, or something it left behind still holds its output.
    #[must_use]
    pub fn finish(mut self) -> Transcript {
        self.wait_for_end();
        let status = self.child.wait().unwrap();
        let end = match (status.code(), status.signal()) {
            (Some(code), _) => End::Status(code),
            (None, Some(signal)) => End::Signal(signal),
            (None, None) => unreachable!("waited without stopping"),
        };
        let collect = |reader: Option<Reader>| reader.map(Reader::finish).unwrap_or_default();
        Transcript {
            line: std::mem::take(&mut self.line),
            end,
            stdout: collect(self.stdout.take()),
            stderr: collect(self.stderr.take()),
            screen: self.terminal.take().map(Terminal::finish),
            events: self.sandbox.events().split_off(self.known_events),
            names: self.sandbox.names(),
        }
    }

    /// Kills the whole group and fails.
    fn give_up(&mut self) -> ! {
        let _gone = killpg(self.raw_pid(), Signal::SIGKILL);
        let _gone = self.child.kill();
        panic!(
            "`{}` did not end within {DEADLINE:?}\nstdout: {}\nstderr: {}\nscreen: {}",
            self.line,
            self.stdout().escape_ascii(),
            self.stderr().escape_ascii(),
            self.screen().escape_ascii(),
        )
    }

    /// Returns the process id as nix wants it.
    fn raw_pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }
}

/// Asks the kernel for the name of our end of a pipe.
fn pipe_name(end: Option<&impl AsRawFd>) -> String {
    let Some(end) = end else { return String::new() };
    let name = std::fs::read_link(format!("/proc/self/fd/{}", end.as_raw_fd())).unwrap();
    name.to_string_lossy().into_owned()
}
