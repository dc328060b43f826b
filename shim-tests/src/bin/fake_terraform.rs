//! `fake-terraform`: does what its scenario says and writes down how it was called.
//!
//! For everything a real Terraform cannot be made to do: any status, any death, dying half-way, saying
//! what it received. Signals are read from a `signalfd`, so that the whole program is one thread and
//! every caught signal is logged with its origin.

#![expect(clippy::expect_used, reason = "a fake that cannot play its part must fail the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "the walls of clippy.toml are those of tf itself; the fake plays Terraform"
)]

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{IsTerminal, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{getpgrp, getpid, getppid, getsid, read};
use shim_tests::Bytes;
use shim_tests::scenario::{Call, Event, SCENARIO_VARIABLE, Scenario, Step, Stream, Wait};
use shim_tests::wait::DEADLINE;

fn main() -> ExitCode {
    let file = std::env::var_os(SCENARIO_VARIABLE).expect("the sandbox names a scenario");
    let scenario = Scenario::load(Path::new(&file));
    let log = scenario.log.clone();
    append(&log, &Event::Call(Box::new(describe_call())));
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    change_directory(&args);
    let mut fake = Fake { log, caught: 0, signals: None, set: SigSet::empty() };
    let status = fake.play(scenario.steps_for(&args));
    fake.note_signals();
    append(&fake.log, &Event::Done { pid: getpid().as_raw() });
    ExitCode::from(status)
}

/// The player: what it caught so far, and where it writes.
struct Fake {
    /// Where events go.
    log: PathBuf,
    /// Signals caught in this call.
    caught: usize,
    /// Where caught signals are read, once there are any to catch.
    signals: Option<SignalFd>,
    /// What is caught.
    set: SigSet,
}

impl Fake {
    /// Does the steps in order and returns the status.
    fn play(&mut self, steps: &[Step]) -> u8 {
        for step in steps {
            if let Some(status) = self.take(step) {
                return status;
            }
        }
        0
    }

    /// Does one step; a status ends the part.
    fn take(&mut self, step: &Step) -> Option<u8> {
        match step {
            Step::Stdout(bytes) => print(std::io::stdout(), &bytes.0),
            Step::Stderr(bytes) => print(std::io::stderr(), &bytes.0),
            Step::EchoStdin => {
                let mut bytes = Vec::new();
                std::io::stdin().read_to_end(&mut bytes).expect("stdin can be read");
                self.note_stdin(&bytes);
                print(std::io::stdout(), &bytes);
            }
            Step::ReadLine => self.note_stdin(&read_line()),
            Step::PrintState(path) => {
                let state = std::fs::read(path).unwrap_or_default();
                if !state.is_empty() {
                    print(std::io::stdout(), &[&state, &b"\n"[..]].concat());
                }
            }
            Step::Write(path, content) => write_in_place(path, &content.0),
            Step::Delete(path) => std::fs::remove_file(path).expect("the file is there"),
            Step::Truncate(path, length) => {
                let file = OpenOptions::new().write(true).open(path).expect("the file is there");
                file.set_len(*length).expect("a file of ours can be cut");
            }
            Step::RaiseSerial(path) => raise_serial(path),
            Step::Catch(signals) => self.catch(signals),
            Step::AwaitSignals(count) => {
                let count = *count;
                self.wait(&format!("{count} signals"), |fake| fake.caught >= count);
            }
            Step::AwaitFile(path) => {
                self.wait(&format!("file `{}`", path.display()), |_| path.exists());
            }
            Step::Run(program, args, wait) => return run(program.as_deref(), args, *wait),
            Step::Exit(status) => return Some(*status),
            Step::Die(signal) => self.die(*signal),
        }
        None
    }

    /// Blocks signals and reads them from now on.
    fn catch(&mut self, signals: &[i32]) {
        for signal in signals {
            self.set.add(Signal::try_from(*signal).expect("a signal has a number"));
        }
        self.set.thread_block().expect("signals can be blocked");
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        self.signals = Some(SignalFd::with_flags(&self.set, flags).expect("signalfd works"));
    }

    /// Logs the signals that have come.
    fn note_signals(&mut self) {
        while let Some(Ok(Some(found))) = self.signals.as_ref().map(SignalFd::read_signal) {
            self.caught += 1;
            append(
                &self.log,
                &Event::Caught {
                    pid: getpid().as_raw(),
                    signal: i32::try_from(found.ssi_signo).expect("signal numbers are small"),
                    code: found.ssi_code,
                    sender: found.ssi_pid,
                },
            );
        }
    }

    /// Waits for a condition and logs signals meanwhile.
    fn wait(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        loop {
            self.note_signals();
            if condition(self) {
                return;
            }
            assert!(start.elapsed() < DEADLINE, "fake-terraform waited in vain: {what}");
            match &self.signals {
                Some(signals) => {
                    let mut fds = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
                    let _woken = poll(&mut fds, PollTimeout::from(2_u8));
                }
                None => std::thread::park_timeout(Duration::from_millis(2)),
            }
        }
    }

    /// Logs what was read from stdin.
    fn note_stdin(&self, bytes: &[u8]) {
        append(&self.log, &Event::Stdin { pid: getpid().as_raw(), bytes: bytes.into() });
    }

    /// Ends by a signal, without a core file.
    ///
    /// The default handler is put back first: Rust ignores SIGPIPE and handles SIGSEGV and SIGBUS.
    fn die(&mut self, signal: i32) -> ! {
        self.note_signals();
        setrlimit(Resource::RLIMIT_CORE, 0, 0).expect("a limit can be lowered");
        let number = Signal::try_from(signal).expect("a signal has a number");
        let _unknown = signal_hook::low_level::emulate_default_handler(signal);
        SigSet::from(number).thread_unblock().expect("a signal can be unblocked");
        kill(getpid(), number).expect("we may signal ourselves");
        panic!("survived signal {signal}")
    }
}

/// Writes down how we were called.
fn describe_call() -> Call {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is there");
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a known field");
        u64::from_str_radix(line.trim(), 16).expect("a mask is hexadecimal")
    };
    let terminals = [
        std::io::stdin().is_terminal(),
        std::io::stdout().is_terminal(),
        std::io::stderr().is_terminal(),
    ];
    let streams = terminals.into_iter().enumerate().map(|(number, is_terminal)| {
        let target = std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap_or_default();
        Stream { target: target.as_os_str().into(), is_terminal }
    });
    Call {
        program: Bytes::from(
            std::fs::read_link("/proc/self/exe").expect("/proc is there").as_os_str(),
        ),
        argv: std::env::args_os().map(|arg| arg.as_os_str().into()).collect(),
        cwd: std::env::current_dir().unwrap_or_default().as_os_str().into(),
        environment: std::env::vars_os()
            .map(|(name, value)| (name.as_os_str().into(), value.as_os_str().into()))
            .collect(),
        pid: getpid().as_raw(),
        ppid: getppid().as_raw(),
        pgid: getpgrp().as_raw(),
        sid: getsid(None).expect("we have a session").as_raw(),
        blocked: mask("SigBlk:"),
        ignored: mask("SigIgn:"),
        streams: streams.collect(),
        descriptors: open_descriptors(),
    }
}

/// Lists every open descriptor; the one that reads the list is gone when its target is read.
fn open_descriptors() -> Vec<(i32, Bytes)> {
    let entries = std::fs::read_dir("/proc/self/fd").expect("/proc is there");
    let paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    let number = |path: &Path| path.file_name()?.to_str()?.parse().ok();
    let mut all: Vec<(i32, Bytes)> = paths
        .iter()
        .filter_map(|path| Some((number(path)?, std::fs::read_link(path).ok()?.as_os_str().into())))
        .collect();
    all.sort();
    all
}

/// Obeys a leading `-chdir=`, as Terraform does.
fn change_directory(args: &[OsString]) {
    let leading = args.iter().take_while(|arg| arg.as_bytes().starts_with(b"-"));
    if let Some(directory) =
        leading.filter_map(|arg| arg.as_bytes().strip_prefix(b"-chdir=")).last()
    {
        let directory = Bytes::from(directory).to_os();
        std::env::set_current_dir(directory).expect("the directory of -chdir is there");
    }
}

/// Appends one event in one write, so that parallel calls do not mix.
fn append(log: &Path, event: &Event) {
    let mut line = serde_json::to_vec(event).expect("an event is plain data");
    line.push(b'\n');
    let mut file = OpenOptions::new().append(true).create(true).open(log).expect("the log opens");
    file.write_all(&line).expect("the log can be written");
}

/// Prints; a reader who went away is no business of the part.
fn print(mut stream: impl Write, bytes: &[u8]) {
    let _gone = stream.write_all(bytes).and_then(|()| stream.flush());
}

/// Reads up to and including a newline, and not one byte more.
fn read_line() -> Vec<u8> {
    let stdin = std::io::stdin();
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") && read(stdin.as_fd(), &mut byte).expect("stdin can be read") == 1
    {
        line.push(byte[0]);
    }
    line
}

/// Writes as Terraform writes a state: the same inode, truncated, then written, then synced.
fn write_in_place(path: &Path, content: &[u8]) {
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).expect("the directory can be made");
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .expect("the file can be written");
    file.write_all(content).expect("the file can be written");
    file.sync_all().expect("the file can be synced");
}

/// Raises the first serial of a file by one. A serial that keeps its length is patched where it is.
fn raise_serial(path: &Path) {
    const KEY: &[u8] = b"\"serial\": ";
    let state = std::fs::read(path).expect("the state is there");
    let at = state.windows(KEY.len()).position(|window| window == KEY).expect("a serial");
    let start = at + KEY.len();
    let digits = state[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let old = String::from_utf8(state[start..start + digits].to_vec()).expect("digits are UTF-8");
    let new = (old.parse::<u64>().expect("a serial is a number") + 1).to_string();
    if new.len() == old.len() {
        let mut file = OpenOptions::new().write(true).open(path).expect("the state is ours");
        let offset = u64::try_from(start).expect("a file fits");
        file.seek(std::io::SeekFrom::Start(offset)).expect("a file can be sought");
        file.write_all(new.as_bytes()).expect("the state can be written");
        return;
    }
    write_in_place(path, &[&state[..start], new.as_bytes(), &state[start + digits..]].concat());
}

/// Starts a program; the status of one that failed ends the part.
fn run(program: Option<&Path>, args: &[Bytes], wait: Wait) -> Option<u8> {
    let us = std::env::current_exe().expect("a running program has a path");
    let mut child = Command::new(program.unwrap_or(&us))
        .args(args.iter().map(Bytes::to_os))
        .spawn()
        .expect("the program starts");
    match wait {
        Wait::Not => None,
        Wait::ForEnd => {
            let status = child.wait().expect("a child can be waited for");
            let code = status.code().map_or(255, |code| u8::try_from(code).unwrap_or(255));
            (code != 0).then_some(code)
        }
    }
}
