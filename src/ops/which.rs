//! The real binary, and how a command line would be treated.

use std::ffi::{OsStr, OsString};

use crate::config;
use crate::env;
use crate::error::Error;
use crate::model::redact::{Grammar, RedactedArgv};
use crate::proxy::depth::Depth;
use crate::proxy::real::{Candidate, FoundBy, RealBinary, Verdict, survey};
use crate::proxy::{Guarded, Route, route};
use crate::terraform::locate::{Reach, Setting};

use super::read_only::READERS_ONLY;
use super::record::redacted;
use super::report::{RealReport, RouteReport, StateName, WhichReport};
use super::root_module;

/// The real binary, or why there is none.
pub(crate) fn real_report(called_as: &OsStr) -> Result<RealReport, String> {
    let real = RealBinary::find(called_as, &Depth::from_environment());
    real.as_ref().map(report_of).map_err(ToString::to_string)
}

/// A real binary, and how it was found, in words.
pub(super) fn report_of(real: &RealBinary) -> RealReport {
    let found_by = match real.found_by() {
        FoundBy::Variable => "TF_SHIM_REAL".to_owned(),
        FoundBy::Path => format!("first `{}` on PATH", real.name()),
    };
    RealReport { path: real.path().to_owned(), found_by }
}

/// Tells how a command line (without our own name) would be treated; an empty one only asks for the
/// real binary. `chdir` is the one before `shim`; one in the command line itself wins.
///
/// # Errors
/// Which state it would touch cannot be told.
pub(crate) fn which(
    called_as: &OsStr,
    chdir: Option<&OsStr>,
    arguments: &[OsString],
) -> Result<WhichReport, Error> {
    let depth = Depth::from_environment();
    let candidates = survey(called_as, &depth).into_iter().map(describe).collect();
    let route = match arguments {
        [] => None,
        arguments => Some(treatment(chdir, arguments, &depth)?),
    };
    Ok(WhichReport { real: real_report(called_as), candidates, route })
}

fn describe(candidate: Candidate) -> (std::path::PathBuf, String) {
    let verdict = match candidate.verdict {
        Verdict::Ourselves => "this is tf itself",
        Verdict::Shim => "a shim, or a script that leads back to one",
        Verdict::NotExecutable => "not executable",
        Verdict::Fits => "fits",
    };
    (candidate.path, verdict.to_owned())
}

fn treatment(
    chdir: Option<&OsStr>,
    arguments: &[OsString],
    depth: &Depth,
) -> Result<RouteReport, Error> {
    match route(arguments, depth) {
        Route::Guard(guarded) => guarded_treatment(chdir, arguments, &guarded),
        Route::Refuse(_) => Ok(plain(arguments, "refuse", READERS_ONLY)),
        Route::Shim { .. } => {
            Ok(plain(arguments, "shim", "it is a word of tf's own and never reaches Terraform"))
        }
        Route::Forward | Route::Witness => Ok(plain(
            arguments,
            "forward",
            "it cannot change state, or Terraform answers by itself",
        )),
    }
}

fn plain(arguments: &[OsString], route: &'static str, why: &str) -> RouteReport {
    let first = arguments.iter().find(|word| !word.is_empty()).and_then(|word| word.to_str());
    let grammar = Grammar { command: first.unwrap_or_default(), takes_value: &|_| false };
    let command = RedactedArgv::of_line(&[], arguments, &grammar).display();
    RouteReport { command, route, why: why.to_owned(), states: Vec::new() }
}

fn guarded_treatment(
    chdir: Option<&OsStr>,
    arguments: &[OsString],
    guarded: &Guarded,
) -> Result<RouteReport, Error> {
    let chdir = guarded.line.chdir().or(chdir);
    let setting = Setting::read(chdir)?;
    let command = redacted(&guarded.line, arguments);
    let is_read_only = env::is_on(env::READ_ONLY)
        || config::load_guard(&root_module(chdir)).is_ok_and(|guard| guard.read_only);
    if is_read_only && !guarded.only_reads() {
        let why = READERS_ONLY.to_owned();
        let (command, states) = (command.display(), Vec::new());
        return Ok(RouteReport { command, route: "refuse", why, states });
    }
    let (why, states) = match setting.reach(guarded)? {
        Reach::States(states) => ("the state is saved before and after it", states),
        Reach::Nothing => ("it can change state, but there is none to save yet", Vec::new()),
        Reach::Stops => ("Terraform stops before it touches any state", Vec::new()),
    };
    let states = states
        .into_iter()
        .map(|location| StateName { identity: location.identity, lineage: None })
        .collect();
    Ok(RouteReport { command: command.display(), route: "guard", why: why.to_owned(), states })
}
