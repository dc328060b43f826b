//! Programs that call Terraform: the surroundings they make, and their work done twice.
//!
//! [`in_both`] sets two equal places, one with Terraform on `PATH`, one with `tf` in front of it under
//! the same name, has the same work done in both, and compares what the caller gets: both streams to
//! their ends, byte for byte once times and ids are named, the screen where there is one, and how each
//! command ended. So "not one byte of ours on any stream" holds for whatever is done in it.
//!
//! Easy to get wrong: what the work itself decides must not depend on which of the two places it is in.

pub mod pipes;
pub mod tools;

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::invocation::Invocation;
use crate::sandbox::Sandbox;
use crate::transcript::{End, Transcript};
use crate::varying::steady;

/// A project, and a `PATH` on which a caller finds `terraform`.
#[derive(Debug)]
pub struct Place {
    /// The project and what surrounds it; `terraform` in it is the real one.
    pub sandbox: Sandbox,
    /// The directory of the `terraform` that is found first.
    front: PathBuf,
}

impl Place {
    /// Makes a place where `tf` stands in front of Terraform as `terraform`; none without a real one.
    #[must_use]
    pub fn with_tf_in_front() -> Option<Self> {
        let sandbox = Sandbox::new().with_real_terraform()?;
        let front = sandbox.path("front");
        std::fs::create_dir(&front).unwrap();
        symlink(sandbox.tf_program(), front.join("terraform")).unwrap();
        Some(Self { sandbox, front })
    }

    /// Makes a place with Terraform alone; none without a real one.
    #[must_use]
    pub fn with_terraform_alone() -> Option<Self> {
        let sandbox = Sandbox::new().with_real_terraform()?;
        let front = sandbox.bin();
        Some(Self { sandbox, front })
    }

    /// Returns the `terraform` that is found first on `PATH`, absolute.
    #[must_use]
    pub fn terraform(&self) -> PathBuf {
        self.front.join("terraform")
    }

    /// Returns the `PATH` of a caller: what stands in front, Terraform, and the system's programs.
    #[must_use]
    pub fn path(&self) -> OsString {
        let system = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
        let ours = [self.front.clone(), self.sandbox.bin()];
        std::env::join_paths(ours.into_iter().chain(system)).expect("no colon in our paths")
    }

    /// Prepares a call of that `terraform`.
    #[must_use]
    pub fn call<I: IntoIterator<Item = S>, S: Into<OsString>>(&self, args: I) -> Invocation<'_> {
        self.program(&self.terraform(), args)
    }

    /// Prepares a call of any program that finds `terraform` on `PATH`.
    #[must_use]
    pub fn program<I: IntoIterator<Item = S>, S: Into<OsString>>(
        &self,
        program: &Path,
        args: I,
    ) -> Invocation<'_> {
        self.sandbox.program(program, args).env("PATH", self.path())
    }

    /// Prepares a shell command line, as callers that go through `sh -c` start Terraform.
    #[must_use]
    pub fn shell(&self, line: impl AsRef<OsStr>) -> Invocation<'_> {
        self.program(Path::new("/bin/sh"), [OsStr::new("-c"), line.as_ref()])
    }
}

/// The same work done with Terraform alone and with `tf` in front.
#[derive(Debug)]
pub struct Both {
    /// Where `tf` stood in front.
    pub place: Place,
    /// What the caller got there, in order.
    pub through: Vec<Transcript>,
}

/// Does the same work in both places and fails unless the caller gets the same in both; none without a
/// real Terraform.
///
/// # Panics
/// If one stream differs by one byte, or one end.
#[track_caller]
#[must_use]
pub fn in_both(set: impl Fn(&Sandbox), work: impl Fn(&Place) -> Vec<Transcript>) -> Option<Both> {
    done_in_both(set, work, Order::AsPrinted)
}

/// As [`in_both`], for commands that are interrupted: Terraform prints what it does then from several
/// threads, so the lines are compared in no order, and blank ones and the terminal's `^C` not at all.
///
/// # Panics
/// If one line is in one of the two only, or one end differs.
#[track_caller]
#[must_use]
pub fn interrupted_in_both(
    set: impl Fn(&Sandbox),
    work: impl Fn(&Place) -> Vec<Transcript>,
) -> Option<Both> {
    done_in_both(set, work, Order::Any)
}

/// Whether the order of lines is compared.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// It is.
    AsPrinted,
    /// It is not.
    Any,
}

/// Does the same work in both places and compares.
#[track_caller]
fn done_in_both(
    set: impl Fn(&Sandbox),
    work: impl Fn(&Place) -> Vec<Transcript>,
    order: Order,
) -> Option<Both> {
    let alone = Place::with_terraform_alone()?;
    let place = Place::with_tf_in_front()?;
    set(&alone.sandbox);
    set(&place.sandbox);
    let (expected, through) = (work(&alone), work(&place));
    assert_eq!(expected.len(), through.len(), "the same work is as many commands");
    for (plain, ours) in expected.iter().zip(&through) {
        assert_same(plain, ours, order);
    }
    Some(Both { place, through })
}

/// Fails unless two transcripts are the same but for times, ids and the names of their places.
#[track_caller]
fn assert_same(plain: &Transcript, ours: &Transcript, order: Order) {
    let line = &plain.line;
    let named = |of: &Transcript, bytes: &[u8]| match order {
        Order::AsPrinted => named(of, bytes),
        Order::Any => sorted(&named(of, bytes)),
    };
    assert_eq!(named(ours, &ours.stdout), named(plain, &plain.stdout), "stdout of `{line}`");
    assert_eq!(named(ours, &ours.stderr), named(plain, &plain.stderr), "stderr of `{line}`");
    let screen = |of: &Transcript| of.screen.as_ref().map(|screen| named(of, screen));
    assert_eq!(screen(ours), screen(plain), "screen of `{line}`");
    assert_eq!(ours.end, plain.end, "end of `{line}`: {ours}");
}

/// Returns the lines in alphabetical order, without blank ones and without `^C`.
fn sorted(text: &str) -> String {
    let text = text.replace("^C", "");
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Returns bytes as text in which whatever is not plain is escaped, times, ids and places named.
fn named(transcript: &Transcript, bytes: &[u8]) -> String {
    let text = steady(bytes);
    let lines: Vec<String> =
        text.split(|byte| *byte == b'\n').map(|line| line.escape_ascii().to_string()).collect();
    transcript.names.apply(&lines.join("\n"))
}

/// Returns the JSON documents of a stream with one in each line, as consumers of `-json` read it.
///
/// # Panics
/// If a line is none.
#[must_use]
#[track_caller]
pub fn json_lines(transcript: &Transcript) -> Vec<serde_json::Value> {
    let parse = |line: &str| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: `{line}`\n{transcript}"))
    };
    transcript.stdout_text().lines().map(parse).collect()
}

/// Returns the one JSON document on stdout.
///
/// # Panics
/// If there is none, or something beside it.
#[must_use]
#[track_caller]
pub fn json(transcript: &Transcript) -> serde_json::Value {
    serde_json::from_slice(&transcript.stdout)
        .unwrap_or_else(|error| panic!("no JSON document: {error}\n{transcript}"))
}

/// Fails unless the commands ended with these statuses.
///
/// # Panics
/// If one ended otherwise.
#[track_caller]
pub fn assert_ends(transcripts: &[Transcript], statuses: &[i32]) {
    assert_eq!(transcripts.len(), statuses.len(), "one status for each command");
    for (transcript, status) in transcripts.iter().zip(statuses) {
        assert_eq!(transcript.end, End::Status(*status), "{transcript}");
    }
}
