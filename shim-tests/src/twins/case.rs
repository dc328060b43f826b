//! One invocation as data, which can be printed, repeated and made smaller.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::scenario::{Scenario, quote};

use super::worlds::World;

/// What stands behind the shim.
#[derive(Clone, Debug)]
pub enum Behind {
    /// The real Terraform.
    Terraform,
    /// The fake, with a part to play.
    Fake(Box<Scenario>),
    /// A shell script that tells of its descriptors and signals what no Go or Rust program can: their
    /// runtimes open closed descriptors and touch SIGPIPE before `main`.
    Teller,
}

/// What the program reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The null device.
    Null,
    /// These bytes through a pipe, then the end.
    Bytes(Vec<u8>),
    /// A file of these bytes.
    File(Vec<u8>),
    /// Descriptor 0 is closed.
    Closed,
}

/// Where it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Two pipes.
    Pipes,
    /// stdout is closed.
    Closed,
    /// stderr is closed.
    ErrorClosed,
    /// stdout is a pipe whose reader is gone before the start.
    Gone,
    /// stdout goes through `| head -1` of a real shell, which tells the statuses of the pipeline.
    Head,
    /// stdout and stderr are one file.
    File,
}

/// One invocation.
#[derive(Clone, Debug)]
pub struct Case {
    /// A name for people.
    pub name: String,
    /// Where it happens.
    pub world: World,
    /// The program behind.
    pub behind: Behind,
    /// Arguments, without the name.
    pub args: Vec<OsString>,
    /// Variables on top of those of the stage.
    pub env: Vec<(OsString, OsString)>,
    /// The directory below the project.
    pub directory: PathBuf,
    /// What it reads.
    pub input: Input,
    /// Where it writes.
    pub output: Output,
    /// Signals that are ignored from the start, by their names without `SIG`.
    pub ignored: Vec<&'static str>,
}

impl Case {
    /// An invocation of the real Terraform without anything odd; the line is split at blanks.
    #[must_use]
    pub fn new(world: World, line: &str) -> Self {
        Self::of(world, line.split_ascii_whitespace())
    }

    /// As [`Case::new`], with arguments of any bytes.
    #[must_use]
    pub fn of<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(world: World, args: I) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        Self {
            name: String::new(),
            world,
            behind: Behind::Terraform,
            args,
            env: Vec::new(),
            directory: PathBuf::new(),
            input: Input::Null,
            output: Output::Pipes,
            ignored: Vec::new(),
        }
    }

    /// Adds a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Gives it something to read.
    #[must_use]
    pub fn input(mut self, input: Input) -> Self {
        self.input = input;
        self
    }

    /// Gives it text to read through a pipe.
    #[must_use]
    pub fn answer(self, text: &str) -> Self {
        self.input(Input::Bytes(text.into()))
    }

    /// Says where it writes.
    #[must_use]
    pub fn output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// Runs it in a directory of the project.
    #[must_use]
    pub fn inside(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Puts another program behind.
    #[must_use]
    pub fn behind(mut self, behind: Behind) -> Self {
        self.behind = behind;
        self
    }

    /// Puts the fake behind, with a part to play.
    #[must_use]
    pub fn fake(self, scenario: Scenario) -> Self {
        self.behind(Behind::Fake(Box::new(scenario)))
    }

    /// Ignores a signal from the start.
    #[must_use]
    pub fn ignoring(mut self, signal: &'static str) -> Self {
        self.ignored.push(signal);
        self
    }
}

/// Shows it as a line for a shell, with the world in front.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:?}", self.world)?;
        if !self.directory.as_os_str().is_empty() {
            write!(f, "/{}", self.directory.display())?;
        }
        match &self.behind {
            Behind::Terraform => write!(f, "] ")?,
            Behind::Fake(_) => write!(f, ", fake] ")?,
            Behind::Teller => write!(f, ", teller] ")?,
        }
        for (name, value) in &self.env {
            write!(f, "{}={} ", name.as_bytes().escape_ascii(), quote(value.as_bytes()))?;
        }
        write!(f, "terraform")?;
        for arg in self.args.iter().take(40) {
            write!(f, " {}", quote(arg.as_bytes()))?;
        }
        if self.args.len() > 40 {
            write!(f, " … ({} arguments)", self.args.len())?;
        }
        match &self.input {
            Input::Null => {}
            Input::Bytes(bytes) => write!(f, " <<<'{}'", bytes.escape_ascii())?,
            Input::File(bytes) => write!(f, " <file '{}'", bytes.escape_ascii())?,
            Input::Closed => write!(f, " <&-")?,
        }
        match self.output {
            Output::Pipes => Ok(()),
            Output::Closed => write!(f, " >&-"),
            Output::ErrorClosed => write!(f, " 2>&-"),
            Output::Gone => write!(f, " | (reader gone)"),
            Output::Head => write!(f, " | head -1"),
            Output::File => write!(f, " >file 2>&1"),
        }
    }
}
