//! `tf shim check`: carries it out, and sees that every report is written, however it ended.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::check::classify::FailOn;
use crate::check::report::{CheckReport, End, StepName};
use crate::env;
use crate::error::{Error, status};
use crate::ops::check::{self, Approval, Checked, Extent, Request};
use crate::proxy;
use crate::sys::file;
use crate::sys::spawn::Ending;
use crate::ui::Format;
use crate::ui::failure::Failure;
use crate::ui::report::{self, github};

use super::args::{CheckOptions, Kind, ReportTarget};
use super::failed;
use super::progress::Progress;
use super::run::Session;

/// The name of the transcript in the directory of the evidence.
const TRANSCRIPT: &str = "transcript.md";

/// Runs a check and ends as it says: with the status of its verdict, or by the signal that ended it.
pub(super) fn run(session: &Session<'_>, options: &CheckOptions) -> ExitCode {
    let request = request(session, options);
    let refused = |error| check::refused(crate::ops::Clock::new(), &request, error);
    let begin = || {
        if let Some(flag) = unknown_flag(session) {
            return Err(Error::NoSuchFlag { command: "check", flag });
        }
        session.ask_guards()?;
        try_targets(options)?;
        session.context()
    };
    let mut checked = match begin() {
        Ok(context) => check::run(&context, &request, &Progress::new(session.ui)),
        Err(error) => refused(error),
    };
    let is_written = write_all(session, options, &checked);
    let is_written = tell(session, options, &checked) && is_written;
    checked.release();
    if let End::Interrupted { signal, .. } = checked.report.end {
        return proxy::end_as(Ending::Signalled(signal));
    }
    ExitCode::from(match report::exit_status(&checked.report) {
        Some(status::DONE) if !is_written => status::FAILED,
        Some(status) => status,
        None => status::NO_VERDICT,
    })
}

fn request<'a>(session: &Session<'a>, options: &'a CheckOptions) -> Request<'a> {
    let approval = match (session.invocation.common.yes, session.ui.can_ask()) {
        (true, _) => Approval::Given,
        (false, true) => Approval::ToBeAsked,
        (false, false) => Approval::Impossible,
    };
    Request {
        called_as: session.called_as,
        chdir: session.chdir,
        arguments: &options.args,
        extent: match (options.plan_only, options.twice) {
            (true, _) => Extent::PlanOnly,
            (false, true) => Extent::Twice,
            (false, false) => Extent::Once,
        },
        settle: options.settle,
        timeout: options.timeout,
        destroy_after: options.destroy_after,
        fail_on: FailOn {
            output: options.fail_on.contains(&Kind::Output),
            check: options.fail_on.contains(&Kind::Check),
        },
        accept: options.accept.clone(),
        keeps_logs: options.evidence.is_some(),
        approval,
    }
}

/// These name another history; what a check works on is what Terraform works on.
fn unknown_flag(session: &Session<'_>) -> Option<&'static str> {
    let common = &session.invocation.common;
    common.workspace.as_ref().map(|_| "--workspace").or(common.state.as_ref().map(|_| "--state"))
}

/// Writes what was asked for; one that cannot be written does not keep back the others.
fn write_all(session: &Session<'_>, options: &CheckOptions, checked: &Checked) -> bool {
    let mut is_written = true;
    let mut note = |written: Result<(), Error>| {
        if let Err(error) = written {
            // It may be what kept the check from its beginning, and is told as that.
            if checked.error.as_ref().is_none_or(|told| told.to_string() != error.to_string()) {
                failed::tell(session.ui, &error);
            }
            is_written = false;
        }
    };
    if let Some(directory) = &options.evidence {
        note(write_evidence(directory, checked));
    }
    for target in &options.report {
        match target {
            ReportTarget::File(format, path) if is_stdout(path) => {
                let text = report::render(*format, &checked.report);
                let written = session.ui.print_bytes(text.as_bytes());
                note(written.map_err(|source| failed_to_write(path, source)));
            }
            ReportTarget::File(format, path) => {
                note(write(path, &report::render(*format, &checked.report)));
            }
            ReportTarget::Github => note(write_github(session, &checked.report)),
        }
    }
    is_written
}

/// Finds out before anything is applied whether the reports can be written.
fn try_targets(options: &CheckOptions) -> Result<(), Error> {
    if let Some(directory) = &options.evidence {
        let probe = directory.join(TRANSCRIPT);
        make_parent(&probe)
            .and_then(|()| file::append(&probe, b""))
            .map_err(|e| failed_to_write(&probe, e))?;
    }
    for target in &options.report {
        match target {
            ReportTarget::File(_, path) if !is_stdout(path) => {
                let made = make_parent(path).and_then(|()| file::append(path, b""));
                made.map_err(|source| failed_to_write(path, source))?;
            }
            ReportTarget::File(..) | ReportTarget::Github => {}
        }
    }
    Ok(())
}

fn make_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), fs::create_dir_all)
}

/// `-`: in place of the text.
fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    make_parent(path)
        .and_then(|()| file::write(path, text.as_bytes()))
        .map_err(|source| failed_to_write(path, source))
}

fn failed_to_write(path: &Path, source: io::Error) -> Error {
    Error::WriteFile { path: path.to_owned(), source }
}

/// A transcript and the logs. What an earlier check left there under the same names is replaced, and logs of
/// steps that this one did not have are removed: the directory tells of one check.
fn write_evidence(directory: &Path, checked: &Checked) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(|source| failed_to_write(directory, source))?;
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_log_name) {
            let _ = fs::remove_file(entry.path());
        }
    }
    for log in &checked.logs {
        write(&directory.join(&log.name), &log.text)?;
    }
    write(&directory.join(TRANSCRIPT), &report::transcript(&checked.report))
}

/// `03-A.log`: our own names.
fn is_log_name(name: &str) -> bool {
    let number = name.get(..2).is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let step = name.get(3..).and_then(|rest| rest.strip_suffix(".log"));
    let is_step = |step: &str| StepName::ALL.iter().any(|name| name.word() == step);
    number && name.get(2..3) == Some("-") && step.is_some_and(is_step)
}

/// Annotations on the stream that the runner reads anyway, and what GitHub names files for.
fn write_github(session: &Session<'_>, report: &CheckReport) -> Result<(), Error> {
    if std::env::var_os(env::GITHUB_ACTIONS).is_none_or(|value| value.is_empty()) {
        session.ui.warn("--report github: GITHUB_ACTIONS is not set, nothing to write for it");
        return Ok(());
    }
    // The runner reads both streams; on stdout a document must stand alone.
    session.ui.quote(&github::annotations(report));
    append(env::GITHUB_STEP_SUMMARY, &github::summary(report))?;
    append(env::GITHUB_OUTPUT, &github::outputs(report))
}

fn append(variable: &str, text: &str) -> Result<(), Error> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
    else {
        return Ok(());
    };
    file::append(&path, text.as_bytes()).map_err(|source| failed_to_write(&path, source))
}

/// The answer on stdout; on stderr what Terraform and we have to say where it failed. False where the answer
/// could not be written.
fn tell(session: &Session<'_>, options: &CheckOptions, checked: &Checked) -> bool {
    if let Some(said) = &checked.said {
        session.ui.quote(said);
    }
    let has_text = session.format() == Format::Text && !has_stdout_report(options);
    if let Some(error) = &checked.error {
        // Where both streams are one terminal, the answer says it.
        if !(has_text && io::stdout().is_terminal() && session.ui.stderr_is_terminal()) {
            failed::tell(session.ui, error);
        }
    }
    let mut is_written = true;
    if !has_stdout_report(options) && session.ui.answer(&checked.report, session.format()).is_err()
    {
        session.ui.fail(&Failure::saying("cannot write the answer".to_owned()));
        is_written = false;
    }
    if options.write_accept && !checked.proposal.is_empty() {
        if has_text {
            let _ = session.ui.print_bytes(format!("\n{}", checked.proposal).as_bytes());
        } else {
            session.ui.quote(&checked.proposal);
        }
    }
    is_written
}

/// Whether a report takes the place of the text.
fn has_stdout_report(options: &CheckOptions) -> bool {
    let is_there = |target: &ReportTarget| match target {
        ReportTarget::File(_, path) => is_stdout(path),
        ReportTarget::Github => false,
    };
    options.report.iter().any(is_there)
}
