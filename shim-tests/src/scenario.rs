//! What `fake-terraform` shall do, and what it reports: plain data, shared by both sides.
//!
//! A [`Scenario`] is written as JSON to the file that [`SCENARIO_VARIABLE`] names; every call of the
//! fake appends [`Event`]s, one per line, to the log the scenario names. Paths in steps are relative to
//! the directory Terraform would work in, so after `-chdir=`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use crate::Bytes;

/// Names the file the fake reads its part from.
pub const SCENARIO_VARIABLE: &str = "FAKE_TERRAFORM_SCENARIO";

/// The version the fake pretends to have: the one its manners were learned from.
pub const VERSION: &str = "1.11.4";

/// The part the fake plays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scenario {
    /// Where calls are written down.
    pub log: PathBuf,
    /// Answers to certain command lines; of those that fit the last one counts.
    pub replies: Vec<Reply>,
    /// The answer where there is no command at all.
    pub bare: Vec<Step>,
    /// The answer to everything else.
    pub otherwise: Vec<Step>,
}

/// An answer to certain command lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply {
    /// The first arguments that are no flags must be these words.
    pub words: Vec<String>,
    /// These arguments must occur somewhere.
    pub flags: Vec<String>,
    /// What is done, in this order.
    pub steps: Vec<Step>,
}

/// One thing the fake does. A part that ends without [`Step::Exit`] or [`Step::Die`] ends with 0.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Step {
    /// Prints to stdout.
    Stdout(Bytes),
    /// Prints to stderr.
    Stderr(Bytes),
    /// Reads stdin to its end, logs it and prints it to stdout.
    EchoStdin,
    /// Reads one line of stdin, byte by byte, and logs it.
    ReadLine,
    /// Prints a file to stdout, and a newline, as `state pull` does; a missing or empty one prints
    /// nothing.
    PrintState(PathBuf),
    /// Writes a file in place: truncated, then written, as Terraform does; the directory is made.
    Write(PathBuf, Bytes),
    /// Deletes a file.
    Delete(PathBuf),
    /// Cuts a file to that many bytes.
    Truncate(PathBuf, u64),
    /// Raises the first `"serial": N` of a file by one, written in place.
    RaiseSerial(PathBuf),
    /// From here on these signals (by number) are logged instead of acted upon.
    Catch(Vec<i32>),
    /// Waits until that many signals were caught in this call.
    AwaitSignals(usize),
    /// Waits until a file exists; caught signals are logged meanwhile.
    AwaitFile(PathBuf),
    /// Starts a program; `None` is the fake itself.
    Run(Option<PathBuf>, Vec<Bytes>, Wait),
    /// Ends with that status.
    Exit(u8),
    /// Ends by that signal.
    Die(i32),
}

/// Whether a started program is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wait {
    /// Wait, and end there with its status if that is not 0.
    ForEnd,
    /// Go on at once.
    Not,
}

/// One line of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// The fake was started.
    Call(Box<Call>),
    /// It caught a signal.
    Caught {
        /// Process that caught it.
        pid: i32,
        /// Number of the signal.
        signal: i32,
        /// `si_code`: `SI_USER` is 0, `SI_KERNEL`, so the terminal, is 128.
        code: i32,
        /// Process that sent it, 0 for the kernel.
        sender: u32,
    },
    /// It read from stdin.
    Stdin {
        /// Process that read.
        pid: i32,
        /// What it read.
        bytes: Bytes,
    },
    /// It came to the end of its part. Missing after a death by signal.
    Done {
        /// Process that is about to end.
        pid: i32,
    },
}

/// How the fake was called.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Where the program is, links resolved: tells one version from another.
    pub program: Bytes,
    /// The whole argument vector, the name included.
    pub argv: Vec<Bytes>,
    /// Directory at the start, before `-chdir`.
    pub cwd: Bytes,
    /// The whole environment, in its order.
    pub environment: Vec<(Bytes, Bytes)>,
    /// Process.
    pub pid: i32,
    /// Parent process.
    pub ppid: i32,
    /// Process group.
    pub pgid: i32,
    /// Session.
    pub sid: i32,
    /// Blocked signals, bit N-1 for signal N.
    pub blocked: u64,
    /// Ignored signals. SIGPIPE is always among them: Rust's runtime ignores it before `main`.
    pub ignored: u64,
    /// Descriptors 0, 1 and 2.
    pub streams: Vec<Stream>,
    /// Every open descriptor, and what `/proc/self/fd/N` points to.
    pub descriptors: Vec<(i32, Bytes)>,
}

/// One of the three standard streams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// What `/proc/self/fd/N` points to.
    pub target: Bytes,
    /// Whether it is a terminal.
    pub is_terminal: bool,
}

impl Default for Scenario {
    fn default() -> Self {
        Self::new()
    }
}

impl Scenario {
    /// Returns a part that does nothing and ends with 0, whatever it is asked.
    #[must_use]
    pub fn new() -> Self {
        Self { log: PathBuf::new(), replies: Vec::new(), bare: Vec::new(), otherwise: Vec::new() }
    }

    /// Returns a part with Terraform's manners: `version`, `state pull`, `workspace show`, no command,
    /// an unknown command. `contract.rs` holds it against a real Terraform.
    #[must_use]
    pub fn terraform() -> Self {
        let plain = format!("Terraform v{VERSION}\non linux_amd64\n");
        let json = format!(
            "{{\n  \"terraform_version\": \"{VERSION}\",\n  \"platform\": \"linux_amd64\",\n  \
             \"provider_selections\": {{}},\n  \"terraform_outdated\": false\n}}\n"
        );
        Self {
            bare: vec![
                Step::stdout("Usage: terraform [global options] <subcommand> [args]\n"),
                Step::Exit(127),
            ],
            otherwise: vec![Step::stderr("Terraform has no command named that.\n"), Step::Exit(1)],
            ..Self::new()
        }
        .on(["version"], [Step::stdout(plain)])
        .on(["version", "-json"], [Step::stdout(json)])
        .on(["state", "pull"], [Step::PrintState("terraform.tfstate".into())])
        .on(["workspace", "show"], [Step::stdout("default\n")])
        .on(["validate"], [])
        .on(
            ["plan"],
            [Step::stdout("No changes. Your infrastructure matches the configuration.\n")],
        )
    }

    /// Adds an answer: `words` that start with a dash are flags that must occur, the others the command.
    #[must_use]
    pub fn on<'w>(
        mut self,
        words: impl IntoIterator<Item = &'w str>,
        steps: impl IntoIterator<Item = Step>,
    ) -> Self {
        let (flags, words) =
            words.into_iter().map(str::to_owned).partition(|word| word.starts_with('-'));
        self.replies.push(Reply { words, flags, steps: steps.into_iter().collect() });
        self
    }

    /// Sets what is done where no answer fits.
    #[must_use]
    pub fn otherwise(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.otherwise = steps.into_iter().collect();
        self
    }

    /// Returns the steps for a command line, given without the name.
    #[must_use]
    pub fn steps_for(&self, args: &[OsString]) -> &[Step] {
        let words: Vec<&OsStr> = args
            .iter()
            .map(OsString::as_os_str)
            .filter(|arg| !arg.is_empty() && !arg.as_encoded_bytes().starts_with(b"-"))
            .collect();
        if words.is_empty() && !args.iter().any(|arg| arg == "-version") {
            return if self.bare.is_empty() { &self.otherwise } else { &self.bare };
        }
        self.replies
            .iter()
            .rev()
            .find(|reply| reply.fits(&words, args))
            .map_or(&self.otherwise, |reply| &reply.steps)
    }

    /// Writes the scenario to `file`, for the fake to find.
    pub fn save(&self, file: &Path) {
        let json = serde_json::to_vec_pretty(self).expect("a scenario is plain data");
        std::fs::write(file, json).expect("the sandbox is ours to write");
    }

    /// Reads a scenario.
    #[must_use]
    pub fn load(file: &Path) -> Self {
        let json = std::fs::read(file).expect("the scenario file is there");
        serde_json::from_slice(&json).expect("the scenario file holds a scenario")
    }
}

impl Reply {
    /// Whether the words and flags of a command line are those of this answer.
    fn fits(&self, words: &[&OsStr], args: &[OsString]) -> bool {
        self.words.len() <= words.len()
            && self.words.iter().zip(words).all(|(wanted, given)| wanted.as_str() == *given)
            && self.flags.iter().all(|flag| args.iter().any(|arg| arg == flag.as_str()))
    }
}

impl Step {
    /// Prints to stdout.
    #[must_use]
    pub fn stdout(text: impl Into<Bytes>) -> Self {
        Self::Stdout(text.into())
    }

    /// Prints to stderr.
    #[must_use]
    pub fn stderr(text: impl Into<Bytes>) -> Self {
        Self::Stderr(text.into())
    }

    /// Writes a file in place.
    #[must_use]
    pub fn write(path: impl Into<PathBuf>, content: impl Into<Bytes>) -> Self {
        Self::Write(path.into(), content.into())
    }

    /// Makes an empty file, for a test that waits for it.
    #[must_use]
    pub fn touch(path: impl Into<PathBuf>) -> Self {
        Self::Write(path.into(), Bytes::default())
    }

    /// Waits until a file exists.
    #[must_use]
    pub fn await_file(path: impl Into<PathBuf>) -> Self {
        Self::AwaitFile(path.into())
    }

    /// From here on logs these signals instead of acting upon them.
    #[must_use]
    pub fn catch(signals: impl IntoIterator<Item = Signal>) -> Self {
        Self::Catch(signals.into_iter().map(|signal| signal as i32).collect())
    }

    /// Ends by that signal.
    #[must_use]
    pub fn die(signal: Signal) -> Self {
        Self::Die(signal as i32)
    }
}

impl Event {
    /// Returns the signal, if it tells of one that was caught.
    #[must_use]
    pub fn caught(&self) -> Option<Signal> {
        match self {
            Self::Caught { signal, .. } => Signal::try_from(*signal).ok(),
            Self::Call(_) | Self::Stdin { .. } | Self::Done { .. } => None,
        }
    }
}

impl Call {
    /// Returns the arguments without the name.
    #[must_use]
    pub fn args(&self) -> Vec<OsString> {
        self.argv.iter().skip(1).map(Bytes::to_os).collect()
    }

    /// Returns the command line as text, the directory of the program left out.
    #[must_use]
    pub fn line(&self) -> String {
        let name = self.argv.first().map(Bytes::text).unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        let args = self.argv.iter().skip(1).map(|arg| quote(&arg.0));
        std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
    }

    /// Returns the value of an environment variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        let wanted = Bytes::from(name);
        self.environment.iter().find(|(n, _)| *n == wanted).map(|(_, value)| value.text())
    }

    /// Whether a signal was blocked at the start.
    #[must_use]
    pub fn has_blocked(&self, signal: Signal) -> bool {
        self.blocked & (1 << (signal as i32 - 1)) != 0
    }

    /// Whether a signal was ignored at the start.
    #[must_use]
    pub fn has_ignored(&self, signal: Signal) -> bool {
        self.ignored & (1 << (signal as i32 - 1)) != 0
    }
}

/// Reads a log; one that was never written is empty. A line that is being written is left out.
#[must_use]
pub fn read_log(file: &Path) -> Vec<Event> {
    let text = std::fs::read(file).unwrap_or_default();
    text.split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.ends_with(b"\n"))
        .map(|line| serde_json::from_slice(line).expect("the fake writes whole events"))
        .collect()
}

/// Shows an argument as a shell would take it, odd bytes escaped.
#[must_use]
pub fn quote(arg: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_=./,:@%+[]".contains(byte);
    if !arg.is_empty() && arg.iter().all(is_plain) {
        return String::from_utf8_lossy(arg).into_owned();
    }
    format!("'{}'", arg.escape_ascii())
}
