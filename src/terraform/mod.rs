//! Conversation with the real binary: quiet helper commands, where the state is, reading and writing it,
//! and the guarded run itself.
//!
//! What the store is, this room does not know; it deals in bytes and places.

pub(crate) mod arguments;
pub(crate) mod backend;
pub(crate) mod backup;
pub(crate) mod detour;
pub(crate) mod errored;
pub(crate) mod locate;
pub(crate) mod lock;
pub(crate) mod lying;
pub(crate) mod outlook;
pub(crate) mod plan;
pub(crate) mod planfile;
mod protobuf;
pub(crate) mod read;
pub(crate) mod sources;
pub(crate) mod supervise;
pub(crate) mod trace;
pub(crate) mod version;
pub(crate) mod writable;
pub(crate) mod write;

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::env;
use crate::proxy::depth::{Depth, Handing};
use crate::proxy::real::RealBinary;
use crate::sys::helper::Question;
use crate::sys::process::Own;

/// Why a conversation with Terraform, or with a state file, failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TerraformError {
    /// A helper command could not be started.
    #[error("cannot start `{what}`")]
    Start {
        /// Verb and flag names.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A helper command did not end in time.
    #[error("`{what}` did not answer within {} seconds", limit.as_secs())]
    TimedOut {
        /// Verb and flag names.
        what: String,
        /// The limit.
        limit: Duration,
    },
    /// A helper command's answer, or a file, is larger than `max_state`.
    #[error("{what} is larger than {limit} bytes (`max_state`)")]
    TooLarge {
        /// What was read.
        what: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A second signal came while we waited.
    #[error("`{what}` was given up after a second signal")]
    Abandoned {
        /// Verb and flag names.
        what: String,
    },
    /// A helper command ended with an error.
    #[error("`{what}` failed{}: {message}", status.map(|s| format!(" with status {s}")).unwrap_or_default())]
    Failed {
        /// Verb and flag names.
        what: String,
        /// Its exit status; none when a signal ended it.
        status: Option<i32>,
        /// Terraform's error, in one line.
        message: String,
        /// All it said on stderr.
        stderr: String,
    },
    /// A file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write `{}` ({step})", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// At which step.
        step: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// What is there is no ordinary file.
    #[error("`{}` is {kind}, not a file", path.display())]
    NotAFile {
        /// Where.
        path: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// The file changed again and again while it was read.
    #[error("`{}` kept changing while it was read", path.display())]
    Unstable {
        /// Which.
        path: PathBuf,
    },
    /// Somebody holds Terraform's lock.
    #[error("the state `{}` is locked by {holder}", path.display())]
    Locked {
        /// The state.
        path: PathBuf,
        /// Who, as far as it can be told.
        holder: String,
    },
    /// What was written is not what is there now.
    #[error("`{}` does not hold what was written to it", path.display())]
    NotWhatWasWritten {
        /// Which.
        path: PathBuf,
    },
    /// A saved plan could not be taken apart.
    #[error("cannot read the saved plan `{}`: {reason}", path.display())]
    Plan {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The place of a state cannot be told.
    #[error("cannot tell which state this command would touch: {reason}")]
    Nowhere {
        /// Why not.
        reason: String,
    },
}

/// Limits of a helper command.
#[derive(Clone, Copy)]
pub(crate) struct Limits<'a> {
    /// How long it may take.
    pub(crate) time: Duration,
    /// How much it may answer.
    pub(crate) bytes: u64,
    /// Asked now and then: whether to give up.
    pub(crate) give_up: &'a dyn Fn() -> bool,
}

/// A real binary and the root module it is asked about.
///
/// It is asked as the user calls it, in our own directory and with the same `-chdir=`: what stands behind the
/// name may be a version manager, and asdf and mise choose the version by the working directory alone.
pub(crate) struct Terraform {
    real: RealBinary,
    depth: Depth,
    directory: PathBuf,
    chdir: Option<OsString>,
}

impl Terraform {
    /// A real binary, asked about the root module `directory`, which is what `-chdir=` leads to.
    pub(crate) fn new(
        real: RealBinary,
        depth: Depth,
        directory: PathBuf,
        chdir: Option<&OsStr>,
    ) -> Self {
        let chdir = chdir.map(|chdir| [OsStr::new("-chdir="), chdir].into_iter().collect());
        Self { real, depth, directory, chdir }
    }

    /// The real binary.
    pub(crate) fn real(&self) -> &RealBinary {
        &self.real
    }

    /// The root module it is asked about.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What the shims above have learned.
    pub(crate) fn depth(&self) -> &Depth {
        &self.depth
    }

    /// Runs a helper command to its good end: no terminal, no `TF_CLI_ARGS*`, no logging, its output
    /// captured. Gives what it wrote to stdout.
    ///
    /// # Errors
    /// It could not be started, did not end in time, said more than allowed, or failed.
    pub(crate) fn ask_for(
        &self,
        arguments: &[&str],
        set: &[(&str, &OsStr)],
        input: Option<Vec<u8>>,
        limits: Limits<'_>,
    ) -> Result<Vec<u8>, TerraformError> {
        let what = format!("{} {}", self.real.name(), arguments.join(" "));
        let start = |source| TerraformError::Start { what: what.clone(), source };
        let (mut answer, theirs) = io::pipe().map_err(start)?;
        let words: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let handle = self.listened_to(&words, set, input, theirs).start().map_err(start)?;
        let read = read_answer(&mut answer, &what, limits);
        if read.is_err() {
            let _ = handle.kill();
        }
        let stdout = read?;
        succeeded(&what, &handle.into_output().map_err(start)?)?;
        Ok(stdout)
    }

    /// As [`Terraform::ask_for`], of a command that touches no state: it has a process group of its own, and
    /// who does not answer in time is killed with all that it started.
    fn ask_aside(
        &self,
        arguments: &[&str],
        set: &[(&str, &OsStr)],
        limits: Limits<'_>,
    ) -> Result<Vec<u8>, TerraformError> {
        let what = format!("{} {}", self.real.name(), arguments.join(" "));
        let words = self.chdir.as_deref().into_iter().chain(arguments.iter().map(OsStr::new));
        let words: Vec<&OsStr> = words.collect();
        let environment = self.scrubbed_environment(set);
        let set: Vec<_> = environment.iter().map(|(n, v)| (n.as_os_str(), v.as_os_str())).collect();
        let question = Question {
            program: self.real.path(),
            arguments: &words,
            directory: Path::new("."),
            input: b"",
            without: &[""],
            set: &set,
            patience: limits.time,
            most_bytes: usize::try_from(limits.bytes).unwrap_or(usize::MAX),
        };
        let answer = question.ask().map_err(|source| match source.kind() {
            io::ErrorKind::TimedOut => {
                TerraformError::TimedOut { what: what.clone(), limit: limits.time }
            }
            io::ErrorKind::FileTooLarge => TerraformError::TooLarge {
                what: format!("the answer of `{what}`"),
                limit: limits.bytes,
            },
            _ => TerraformError::Start { what: what.clone(), source },
        })?;
        succeeded_saying(&what, answer.status, &answer.stderr)?;
        Ok(answer.stdout)
    }

    /// The expression holds the writing end of the answer: it must be gone before the answer can end.
    fn command(
        &self,
        arguments: &[&OsStr],
        set: &[(&str, &OsStr)],
        input: Option<Vec<u8>>,
        answer: impl Into<OwnedFd>,
    ) -> duct::Expression {
        let words = self.chdir.as_deref().into_iter().chain(arguments.iter().copied());
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the real binary")]
        let command = duct::cmd(self.real.path(), words)
            .stdout_file(answer.into())
            .unchecked()
            .full_env(self.scrubbed_environment(set));
        match input {
            Some(bytes) => command.stdin_bytes(bytes),
            None => command.stdin_null(),
        }
    }

    /// As [`Terraform::command`], its words on stderr captured: duct has a thread for that, while it runs.
    fn listened_to(
        &self,
        arguments: &[&OsStr],
        set: &[(&str, &OsStr)],
        input: Option<Vec<u8>>,
        answer: impl Into<OwnedFd>,
    ) -> duct::Expression {
        self.command(arguments, set, input, answer).stderr_capture()
    }

    /// Our environment without what would change a helper's answer: `TF_CLI_ARGS*` would be added to
    /// its command line (terraform-facts.md 1.4), `TF_LOG*` to its stderr. And without what would make the
    /// answer public: setup-terraform's wrapper (v4) and tenv (v4) write all they hear into `GITHUB_OUTPUT`,
    /// and that would be the state. Without the variable the wrapper would write to stdout, so it is led astray.
    fn scrubbed_environment(&self, set: &[(&str, &OsStr)]) -> Vec<(OsString, OsString)> {
        let handing = Handing::Child { of: Own::read().pid };
        let depth = self.depth.deeper(handing, self.real.id(), None).to_value();
        let own = [(env::DEPTH, depth.as_os_str()), ("TF_INPUT", OsStr::new("0"))];
        let has_outputs = std::env::var_os(env::GITHUB_OUTPUT).is_some();
        let astray = has_outputs.then_some((env::GITHUB_OUTPUT, OsStr::new("/dev/null")));
        let set: Vec<(&str, &OsStr)> =
            own.into_iter().chain(astray).chain(set.iter().copied()).collect();
        let kept = std::env::vars_os().filter(|(name, _)| {
            let name = name.as_bytes();
            let is_scrubbed = name.starts_with(b"TF_CLI_ARGS") || name.starts_with(b"TF_LOG");
            !is_scrubbed && !set.iter().any(|(n, _)| name == n.as_bytes())
        });
        let added = set.iter().map(|(name, value)| (OsString::from(name), (*value).to_owned()));
        kept.chain(added).collect()
    }
}

/// Whether a helper command ended well.
fn succeeded(what: &str, output: &Output) -> Result<(), TerraformError> {
    succeeded_saying(what, output.status.code(), &output.stderr)
}

/// Whether a helper command ended well, where its words are elsewhere.
fn succeeded_saying(what: &str, status: Option<i32>, stderr: &[u8]) -> Result<(), TerraformError> {
    if status == Some(0) {
        return Ok(());
    }
    let stderr = without_colours(&String::from_utf8_lossy(stderr));
    let message = first_error(&stderr);
    Err(TerraformError::Failed { what: what.to_owned(), status, message, stderr })
}

/// What a helper command is told to work in a workspace; nothing for the one that is selected.
fn selecting(workspace: Option<&str>) -> Vec<(&'static str, &OsStr)> {
    workspace.map(|name| (env::TF_WORKSPACE, OsStr::new(name))).into_iter().collect()
}

/// Reads until the end, in time, and not too much.
fn read_answer(
    answer: &mut io::PipeReader,
    what: &str,
    limits: Limits<'_>,
) -> Result<Vec<u8>, TerraformError> {
    let deadline = Instant::now() + limits.time;
    let mut bytes = Vec::new();
    let mut chunk = vec![0_u8; 1 << 16];
    loop {
        if (limits.give_up)() {
            return Err(TerraformError::Abandoned { what: what.to_owned() });
        }
        if Instant::now() >= deadline {
            return Err(TerraformError::TimedOut { what: what.to_owned(), limit: limits.time });
        }
        let ready = {
            let mut waiting = [PollFd::new(answer.as_fd(), PollFlags::POLLIN)];
            poll(&mut waiting, PollTimeout::from(50_u8)).unwrap_or(0) > 0
        };
        if !ready {
            continue;
        }
        let read = |source| TerraformError::Start { what: what.to_owned(), source };
        let count = answer.read(&mut chunk).map_err(read)?;
        if count == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if bytes.len() as u64 > limits.bytes {
            let what = format!("the answer of `{what}`");
            return Err(TerraformError::TooLarge { what, limit: limits.bytes });
        }
    }
}

/// Takes terminal escapes out: Terraform colours its errors even into a pipe (terraform-facts.md 6).
pub(crate) fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            // A colour is ESC [ digits and semicolons, ended by a letter.
            let _ = rest.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Terraform's first error in one line: the title, without the box around it.
pub(crate) fn first_error(stderr: &str) -> String {
    let lines = || stderr.lines().map(|line| line.trim_start_matches(['│', '╷', '╵', ' ']).trim());
    let titled = lines().find(|line| line.starts_with("Error:"));
    titled.or_else(|| lines().find(|line| !line.is_empty())).unwrap_or("no message").to_owned()
}
