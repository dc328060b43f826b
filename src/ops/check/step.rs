//! One step of a check: a real command, its words captured, its end told.
//!
//! Nothing of what is said goes to the user's streams: it is kept for the logs. What can change state goes the
//! way of every guarded command; the record says that it was a check.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::time::Instant;

use crate::check::report::{Step, StepName};
use crate::env;
use crate::error::Error;
use crate::model::operation::{Changes, Image, OperationId};
use crate::model::redact::{Grammar, RedactedArgv};
use crate::model::text::OddText;
use crate::proxy::Guarded;
use crate::proxy::verb::takes_value;
use crate::sys::spawn::{Ending, Streams};
use crate::terraform::arguments::plan_takes_value;
use crate::terraform::supervise::{Manner, Preparation};
use crate::terraform::{first_error, without_colours};

use super::super::guarded::{self, Call, Verdict, Voice};
use super::super::protected::{Answer, Deletion, Question};
use super::super::report::{RunReport, StateName};
use super::rounds::{Rounds, Stop};

/// How a step's command is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// It only reads.
    Plain,
    /// It can change state.
    Guarded,
}

impl Rounds<'_> {
    /// Runs one step to its end and gives its status; for a plan 0 and 2 are good, for the others 0.
    pub(super) fn step(
        &mut self,
        name: StepName,
        words: Vec<OsString>,
        care: Care,
    ) -> Result<i32, Stop> {
        self.stopped(name)?;
        let argv0 = self.terraform.real().argv0(self.request.called_as).to_owned();
        let argv: Vec<OsString> = std::iter::once(argv0).chain(words).collect();
        let files = self.outputs(name)?;
        self.audience.began(name);
        let (began, start) = (self.context.clock.now(), Instant::now());
        let audience = self.audience;
        let tick = |is_interrupted| audience.runs(start.elapsed(), is_interrupted);
        let manner = Manner {
            streams: Streams::Captured(files.0.as_raw_fd(), files.1.as_raw_fd()),
            without: without(),
            with: &[],
            until: self.deadline,
            tick: Some(&tick),
        };
        let mut heard = None;
        let run = match care {
            Care::Plain => self.run_plain(name, argv.clone(), manner),
            Care::Guarded => self.run_guarded(name, &argv, manner, &mut heard),
        };
        let ending = match run {
            Ok(ending) => ending,
            Err(stop) => {
                self.audience.rested();
                return Err(stop);
            }
        };
        let (out, err) = (self.said(name, "out"), self.said(name, "err"));
        let step = Step {
            name,
            argv: redacted(&argv).iter().map(|word| self.without_place(word)).collect(),
            exit: ending.status(),
            signal: ending.signal(),
            began,
            took: start.elapsed(),
            result: heard.as_ref().and_then(became).unwrap_or_else(|| result(name, ending)),
            log: None,
        };
        self.note_what_was_left(heard);
        self.audience.ended(&step);
        self.seen.steps.push(step);
        let text = self.without_place(&format!("{out}{err}"));
        self.seen.logs.push(text);
        self.stopped(name)?;
        let is_plan = !matches!(name, StepName::Apply | StepName::SecondApply | StepName::Destroy);
        match ending {
            Ending::Exited(status @ 0) => Ok(status),
            Ending::Exited(status @ 2) if is_plan => Ok(status),
            ending => Err(self.failed(name, message(ending, &err), err)),
        }
    }

    fn run_plain(
        &mut self,
        step: StepName,
        argv: Vec<OsString>,
        manner: Manner<'_>,
    ) -> Result<Ending, Stop> {
        self.supervisor.adopt(Preparation::begin(argv));
        let run = self.supervisor.run(&self.terraform, None, manner, |_| ());
        run.map_err(|error| Stop::Refused { step, error: error.into() })
    }

    fn run_guarded(
        &mut self,
        step: StepName,
        argv: &[OsString],
        manner: Manner<'_>,
        heard: &mut Option<Heard>,
    ) -> Result<Ending, Stop> {
        let words = argv.get(1..).unwrap_or_default();
        let Some(guarded) = Guarded::ours(words) else {
            return self.run_plain(step, argv.to_vec(), manner);
        };
        let depth = self.terraform.depth().clone();
        let call = Call {
            guarded: &guarded,
            called_as: self.request.called_as,
            arguments: words,
            depth: &depth,
            note: Some("tf shim check"),
        };
        let listener = Listener { voice: self.audience.voice(), ended: RefCell::default() };
        let real = self.terraform.real().clone();
        let watched = (&mut self.supervisor, manner);
        let verdict = guarded::run_step(self.context, &call, real, watched, &listener);
        *heard = listener.ended.into_inner();
        match verdict.map_err(|error| Stop::Refused { step, error })? {
            Verdict::Ended(ending) => Ok(ending),
            Verdict::HandOver => self.run_plain(step, argv.to_vec(), manner),
        }
    }

    fn note_what_was_left(&mut self, heard: Option<Heard>) {
        let Some(Heard { operation, after, .. }) = heard else { return };
        self.seen.left = after.lineage.zip(after.serial);
        self.seen.operation.get_or_insert(operation);
    }

    fn outputs(&self, step: StepName) -> Result<(File, File), Stop> {
        let create = |end: &str| self.scratch.create(&format!("{}.{end}", step.word()));
        let made = create("out").and_then(|out| Ok((out, create("err")?)));
        made.map_err(|source| {
            let error = Error::WriteFile { path: self.scratch.file(step.word()), source };
            Stop::Refused { step, error }
        })
    }

    fn said(&self, step: StepName, end: &str) -> String {
        let bytes = fs::read(self.scratch.file(&format!("{}.{end}", step.word())));
        without_colours(&String::from_utf8_lossy(&bytes.unwrap_or_default()))
    }

    /// Our private directory is another one each time, and gone when anybody reads of it.
    fn without_place(&self, text: &str) -> String {
        let place = format!("{}/", self.scratch.path().display());
        text.replace(&place, "")
    }
}

/// Hears what the guarded apply has to say, and passes on what a person must hear.
struct Listener<'a> {
    voice: &'a dyn Voice,
    ended: RefCell<Option<Heard>>,
}

/// What a guarded step left behind.
struct Heard {
    operation: OperationId,
    after: Image,
    changes: Option<Changes>,
}

impl Voice for Listener<'_> {
    fn saved(&self, _verb: &str, _states: &[Image]) {}

    fn ended(&self, reports: &[(StateName, RunReport)]) {
        if let [(_, report), ..] = reports {
            self.ended.replace(Some(Heard {
                operation: report.operation.clone(),
                after: report.after.clone(),
                changes: report.changes,
            }));
        }
    }

    fn failed(&self, error: &Error) {
        self.voice.failed(error);
    }

    fn excused(&self, verb: &str, error: &Error) {
        self.voice.excused(verb, error);
    }

    /// Whoever runs a check has agreed to its apply, and Terraform asks about no saved plan.
    fn approves(&self, _: &Question<'_>, _: &dyn Fn() -> bool) -> Answer {
        Answer::None
    }

    /// A check shows no plan while it goes its rounds: nobody can confirm what they have not seen.
    fn has_person(&self) -> bool {
        false
    }

    fn confirms(&self, _: &Deletion<'_>, _: &dyn Fn() -> bool) -> bool {
        false
    }
}

/// What the children do not get: their arguments hold it already, and a trace holds every secret, unless
/// it goes to a file of the user's.
fn without() -> &'static [&'static str] {
    let goes_to_a_file = std::env::var_os(env::TF_LOG_PATH).is_some_and(|path| !path.is_empty());
    if goes_to_a_file { &[env::TF_CLI_ARGS] } else { &[env::TF_CLI_ARGS, env::TF_LOG] }
}

/// A command line as it may be shown.
fn redacted(argv: &[OsString]) -> Vec<String> {
    let words = argv.get(1..).unwrap_or_default();
    let is_flag = |word: &&OsString| word.as_encoded_bytes().starts_with(b"-");
    let command = words.iter().find(|word| !is_flag(word)).and_then(|word| word.to_str());
    let command = command.unwrap_or_default();
    let takes_value = |flag: &str| match command {
        "plan" => plan_takes_value(flag),
        _ => takes_value(command, flag) == Some(true),
    };
    let grammar = Grammar { command, takes_value: &takes_value };
    let line = RedactedArgv::of_line(&[], words, &grammar);
    let program = argv.iter().take(1).map(|name| OddText::from(name.as_os_str()).display());
    program.chain(line.words().iter().map(OddText::display)).collect()
}

fn message(ending: Ending, stderr: &str) -> String {
    match ending {
        Ending::Exited(_) => first_error(stderr),
        Ending::Signalled(signal) => format!("ended by signal {signal}"),
    }
}

/// What a step that ended well made of the state; none where it cannot be told.
fn became(heard: &Heard) -> Option<String> {
    let Changes { add, change, remove } = heard.changes?;
    Some(format!("{add} added, {change} changed, {remove} destroyed"))
}

fn result(step: StepName, ending: Ending) -> String {
    let is_plan = !matches!(step, StepName::Apply | StepName::SecondApply | StepName::Destroy);
    match ending {
        Ending::Exited(0) if is_plan => "no changes".to_owned(),
        Ending::Exited(0) => "done".to_owned(),
        Ending::Exited(2) if is_plan => "changes".to_owned(),
        Ending::Exited(_) => "failed".to_owned(),
        Ending::Signalled(_) => "killed".to_owned(),
    }
}
