//! The hot path: from our own command line to the program that Terraform is.
//!
//! A forwarded command touches nothing but this room and `sys`: no file is read, nothing is parsed that
//! Terraform would not parse, no lock, no thread. What decides is the order in which Terraform itself
//! decides (terraform-facts.md 2): whoever changes [`route`] changes what is protected.

mod ancestry;
pub(crate) mod argv;
pub(crate) mod depth;
pub(crate) mod handover;
mod reading;
pub(crate) mod real;
pub(crate) mod verb;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::env;
use crate::sys::process::{end_by_signal, status_in_place_of};
use crate::sys::spawn::Ending;
use argv::{CliArgs, CommandLine};
use depth::Depth;
use real::{NotFound, RealBinary};
pub(crate) use verb::Verb;

/// What to do with a command line.
pub(crate) enum Route {
    /// Become Terraform.
    Forward,
    /// Save, run, save.
    Guard(Box<Guarded>),
    /// Nothing may run but what is known to only read, and this is not: the words of the command.
    Refuse(String),
    /// `tf shim …`: our own word. Holds `-chdir=` and what follows `shim`.
    Shim {
        /// The directory that `-chdir=` names.
        chdir: Option<OsString>,
        /// The arguments after `shim`.
        arguments: Vec<OsString>,
    },
    /// We were started by ourselves to watch for signals.
    Witness,
}

/// A command that can change state, read as Terraform will read it.
pub(crate) struct Guarded {
    /// Which.
    pub(crate) verb: Verb,
    /// Names this command on this state for shims further down.
    pub(crate) fingerprint: u64,
    /// The complete command line, `TF_CLI_ARGS*` merged in.
    pub(crate) line: CommandLine,
}

/// Why Terraform could not take over.
pub(crate) enum CannotHandOver {
    /// There is no real binary.
    NotFound(NotFound),
    /// It is there and could not be started.
    NotStarted {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Finds the real binary and becomes it. Returns only when that failed.
pub(crate) fn forward(called_as: &OsStr, arguments: &[OsString], depth: &Depth) -> CannotHandOver {
    let real = match RealBinary::find(called_as, depth) {
        Ok(real) => real,
        Err(error) => return CannotHandOver::NotFound(error),
    };
    let source = handover::hand_over(&real, called_as, arguments, depth);
    CannotHandOver::NotStarted { path: real.path().to_owned(), source }
}

/// Is the witness, until the shim that started us is gone.
pub(crate) fn stand_witness(called_as: &OsStr) {
    crate::sys::witness::stand(called_as);
}

/// Ends this process as Terraform ended: with its status, or by the signal that killed it.
pub(crate) fn end_as(ending: Ending) -> ExitCode {
    match ending {
        Ending::Exited(status) => ExitCode::from(u8::try_from(status).unwrap_or(1)),
        Ending::Signalled(signal) => {
            end_by_signal(signal);
            ExitCode::from(status_in_place_of(signal))
        }
    }
}

/// Decides what a command line (without our own name) is.
pub(crate) fn route(arguments: &[OsString], depth: &Depth) -> Route {
    if depth.is_witness() {
        return Route::Witness;
    }
    if env::is_on(env::BYPASS) || std::env::var_os(env::COMP_LINE).is_some_and(|v| !v.is_empty()) {
        return Route::Forward;
    }
    let own = CommandLine::read(arguments);
    // Before help and version, which are ours too behind our own word.
    if own.is_shim() {
        let (chdir, arguments) = own.into_shim();
        return Route::Shim { chdir, arguments };
    }
    if env::is_on(env::READ_ONLY) {
        return route_of_reader(own);
    }
    if argv::answers_by_itself(arguments) {
        return Route::Forward;
    }
    if !own.can_be_completed() && !verb::can_change_state(own.command()) {
        return Route::Forward;
    }
    // Only now: these words can complete a command line, add `-help`, or be unreadable.
    let Ok(line) = own.with_cli_args(CliArgs::from_environment) else { return Route::Forward };
    if argv::answers_by_itself(line.words()) || line.has_leading_flags() {
        return Route::Forward;
    }
    let Some(guarded) = Guarded::of(line) else { return Route::Forward };
    if depth.is_guarding(guarded.fingerprint, &guarded.line) {
        return Route::Forward;
    }
    Route::Guard(Box::new(guarded))
}

/// Decides under `TF_SHIM_READ_ONLY`: what is not known to only read does not reach Terraform. What can
/// change state goes the way of the guarded, where it is refused and recorded, whoever is above us.
fn route_of_reader(own: CommandLine) -> Route {
    let called = own.called();
    let Ok(line) = own.with_cli_args(CliArgs::from_environment) else {
        return Route::Refuse(called);
    };
    if reading::installs_completion(line.words()) {
        return Route::Refuse(called);
    }
    if argv::answers_by_itself(line.words()) {
        return Route::Forward;
    }
    let (is_reading, called) = (reading::only_reads(&line), line.called());
    match Guarded::of(line) {
        Some(guarded) => Route::Guard(Box::new(guarded)),
        None if is_reading => Route::Forward,
        None => Route::Refuse(called),
    }
}

impl Guarded {
    /// A complete command line, where it can change state.
    fn of(line: CommandLine) -> Option<Self> {
        Some(Self { verb: Verb::of(&line)?, fingerprint: line.fingerprint(), line })
    }

    /// Whether it may run where nothing may be changed: a plain `init`.
    pub(crate) fn only_reads(&self) -> bool {
        reading::only_reads(&self.line)
    }

    /// A command line of our own making, on which `TF_CLI_ARGS*` have no influence; none where it cannot
    /// change state.
    pub(crate) fn ours(arguments: &[OsString]) -> Option<Self> {
        Self::of(CommandLine::read(arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(line: &str) -> &'static str {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        match route(&words, &Depth::default()) {
            Route::Forward => "forward",
            Route::Guard(_) => "guard",
            Route::Refuse(_) => "refuse",
            Route::Shim { .. } => "shim",
            Route::Witness => "witness",
        }
    }

    #[test]
    fn what_can_change_state_is_guarded_and_the_rest_is_not() {
        for (line, expected) in [
            ("", "forward"),
            ("plan", "forward"),
            ("apply", "guard"),
            ("-chdir=x apply", "guard"),
            ("apply -help", "forward"),
            ("apply -- -v", "forward"),
            ("-no-color apply", "forward"),
            ("state mv a b", "guard"),
            ("state mv -dry-run a b", "forward"),
            ("state list", "forward"),
            ("state", "forward"),
            ("applyx apply", "guard"),
            ("applyx", "forward"),
            ("planx apply", "forward"),
            ("workspace select x", "forward"),
            ("workspace select -or-create x", "guard"),
            ("env delete x", "guard"),
            ("output shim", "forward"),
            ("shim", "shim"),
            ("shim --version", "shim"),
            ("-chdir=x shim restore --help", "shim"),
        ] {
            assert_eq!(routed(line), expected, "{line}");
        }
    }
}
