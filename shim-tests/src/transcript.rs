//! What one command did, as values and as one text to compare.

use std::fmt;

use nix::sys::signal::Signal;

use crate::names::Names;
use crate::scenario::{Call, Event};

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a status.
    Status(i32),
    /// By a signal.
    Signal(i32),
}

impl End {
    /// Returns the end by a signal.
    #[must_use]
    pub fn by(signal: Signal) -> Self {
        Self::Signal(signal as i32)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status: {status}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "signal: {signal}"),
                Err(_) => write!(f, "signal: {number}"),
            },
        }
    }
}

/// What one command did.
///
/// As text (`Display`) it is the whole session: command, output, end, and the calls that reached the
/// fake, with what differs from run to run replaced by names. Empty parts are left out.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// The command line.
    pub line: String,
    /// How it ended.
    pub end: End,
    /// What it printed to stdout, empty on a terminal.
    pub stdout: Vec<u8>,
    /// What it printed to stderr, empty on a terminal.
    pub stderr: Vec<u8>,
    /// What its terminal showed, if it had one.
    pub screen: Option<Vec<u8>>,
    /// What the fake wrote down meanwhile.
    pub events: Vec<Event>,
    /// The names for the text.
    pub names: Names,
}

impl Transcript {
    /// Returns the exit status, `None` after a death by signal.
    #[must_use]
    pub fn status(&self) -> Option<i32> {
        match self.end {
            End::Status(status) => Some(status),
            End::Signal(_) => None,
        }
    }

    /// Returns stdout as text.
    #[must_use]
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns stderr as text.
    #[must_use]
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Returns the calls that reached the fake, in order.
    #[must_use]
    pub fn calls<'t>(&'t self) -> Vec<&'t Call> {
        let call = |event: &'t Event| match event {
            Event::Call(call) => Some(&**call),
            Event::Caught { .. } | Event::Stdin { .. } | Event::Done { .. } => None,
        };
        self.events.iter().filter_map(call).collect()
    }

    /// Returns the one call that reached the fake.
    ///
    /// # Panics
    /// If it was not exactly one.
    #[must_use]
    pub fn only_call(&self) -> &Call {
        let calls = self.calls();
        assert_eq!(calls.len(), 1, "one call of the fake was expected:\n{self}");
        calls[0]
    }

    /// Returns the signals the fake caught, in order.
    #[must_use]
    pub fn caught(&self) -> Vec<Signal> {
        self.events.iter().filter_map(Event::caught).collect()
    }

    /// Returns what the fake read from stdin.
    #[must_use]
    pub fn read_by_fake(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for event in &self.events {
            if let Event::Stdin { bytes, .. } = event {
                all.extend_from_slice(&bytes.0);
            }
        }
        all
    }

    /// Fails unless the command ended with this status; shows everything if not.
    ///
    /// # Panics
    /// If it ended otherwise.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        reason = "the assertion is the use; the value is for chaining"
    )]
    pub fn assert_status(&self, status: i32) -> &Self {
        assert_eq!(self.end, End::Status(status), "{self}");
        self
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("$ {}\n", self.line);
        let empty = Vec::new();
        let screen = self.screen.as_ref().unwrap_or(&empty);
        for (name, bytes) in
            [("stdout", &self.stdout), ("stderr", &self.stderr), ("screen", screen)]
        {
            if !bytes.is_empty() {
                text.push_str(&block(name, &String::from_utf8_lossy(bytes)));
            }
        }
        text.push_str(&self.end.to_string());
        text.push('\n');
        let calls: Vec<String> = self.calls().into_iter().map(describe).collect();
        if !calls.is_empty() {
            text.push_str(&block("calls", &calls.join("\n")));
        }
        f.write_str(self.names.apply(text.trim_end()).trim_end())
    }
}

/// Describes one call: what is unusual about its surroundings, then the command line.
fn describe(call: &Call) -> String {
    let mut line = String::new();
    for (name, value) in &call.environment {
        let name = name.text();
        if name.starts_with("TF_") && !name.starts_with("TF_SHIM_") {
            line.push_str(&[name.as_str(), "=", &crate::scenario::quote(&value.0), " "].concat());
        }
    }
    format!("{}$ {line}{}", call.cwd.text(), call.line())
}

/// Indents a text under a heading; a missing newline at its end is shown, blank lines stay blank.
fn block(heading: &str, text: &str) -> String {
    let mut block = format!("{heading}:\n");
    for line in text.lines() {
        block.push_str(format!("  {line}").trim_end());
        block.push('\n');
    }
    block
}
