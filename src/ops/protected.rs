//! A protected command: plan, judge, ask, apply that very plan.
//!
//! What is judged is a file that nobody else can write, and what is applied is that file: its digest is taken
//! before the judgement and again before the apply. Everything here fails closed. A plan that cannot be read, a
//! question that gets no answer, a flag that nobody knows: nothing is applied. The private directory that holds
//! the plan is gone when this returns, whatever the way.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::Pid;

use crate::config::Reaction;
use crate::env;
use crate::error::Error;
use crate::guard::plan::{Objection, Unconfirmed, judge, unreadable};
use crate::guard::refusal::Refusal;
use crate::model::digest::{Digest, Digester};
use crate::model::guard::Guard;
use crate::model::operation::{GuardAction, GuardNote};
use crate::model::plan::Plan;
use crate::proxy::{Guarded, Verb};
use crate::sys::scratch::Scratch;
use crate::sys::spawn::{Ending, Streams};
use crate::terraform::arguments::Variables;
use crate::terraform::detour::{Detour, Mode, Unfit, unapproved};
use crate::terraform::locate::{Reach, Setting};
use crate::terraform::outlook::Outlook;
use crate::terraform::sources::{self, Dialect, names_ephemeral};
use crate::terraform::supervise::{Manner, Preparation, Supervisor};
use crate::terraform::{Limits, Terraform};

use super::guarded::{Call, Voice};
use super::{Context, root_module};

/// How long a plan may take to be read out.
const SHOW_LIMIT: Duration = Duration::from_secs(600);
/// A plan holds two states and a configuration, and as JSON it may name every attribute several times; so many
/// times the largest state it may be.
const FACTOR: u64 = 8;
/// Tells Terraform to leave out what to do next: whoever reads it cannot reach the file (1.11.4).
const IN_AUTOMATION: (&str, &str) = ("TF_IN_AUTOMATION", "1");

/// A command whose plan has to be judged.
pub(super) struct Protected<'a> {
    context: &'a Context,
    call: &'a Call<'a>,
    terraform: &'a Terraform,
    voice: &'a dyn Voice,
    workspace: &'a str,
    /// Where Terraform keeps its own things.
    data: &'a Path,
    backend: String,
}

/// How it ended.
pub(super) struct Done {
    /// As Terraform ended, or as it would have.
    pub(super) ending: Ending,
    /// What the guard said.
    pub(super) notes: Vec<GuardNote>,
    /// What the plan that was applied will have done; none where none was, or that cannot be told.
    pub(super) outlook: Option<Outlook>,
}

impl Done {
    /// It ended without a word from the guard.
    pub(super) fn unjudged(ending: Ending) -> Self {
        Self { ending, notes: Vec::new(), outlook: None }
    }
}

/// The question before an apply, which Terraform would ask.
pub(crate) struct Question<'a> {
    /// What is to be agreed to.
    pub(crate) asked: Asked,
    /// The workspace.
    pub(crate) workspace: &'a str,
    /// Who would ask: `Terraform` or `OpenTofu`.
    pub(crate) product: &'static str,
    /// Whether colours are unwanted.
    pub(crate) is_plain: bool,
}

/// What is to be agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To apply.
    Apply,
    /// To destroy everything.
    Destroy,
    /// To write down what is.
    Refresh,
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Yes.
    Yes,
    /// Anything else.
    No,
    /// Nothing: the input has ended, or a signal came.
    None,
}

/// What a person has to confirm.
pub(crate) struct Deletion<'a> {
    /// Terraform's command.
    pub(crate) verb: &'a str,
    /// What is wrong with the plan.
    pub(crate) objection: &'a Objection,
    /// Where the state is, for people.
    pub(crate) backend: &'a str,
    /// The workspace, whose name has to be typed.
    pub(crate) workspace: &'a str,
}

/// What comes of a plan.
enum Verdict {
    /// It is applied.
    Apply(Variables, Vec<GuardNote>),
    /// It is not, and this is how the command ends.
    End(Ending),
}

impl<'a> Protected<'a> {
    /// The command, if its plan has to be judged: none for other commands, and where nothing is protected.
    pub(super) fn of(
        context: &'a Context,
        call: &'a Call<'a>,
        (terraform, setting): (&'a Terraform, &'a Setting),
        voice: &'a dyn Voice,
    ) -> Option<Self> {
        let is_judged = may_be_judged(context, call.guarded);
        if !is_judged || !context.config.guard.protects(&setting.workspace) {
            return None;
        }
        let location = match setting.reach(call.guarded) {
            Ok(Reach::States(locations)) => locations.into_iter().next(),
            Ok(Reach::Nothing | Reach::Stops) | Err(_) => None,
        };
        let backend = location.unwrap_or_else(|| setting.current()).identity.backend();
        Some(Self {
            context,
            call,
            terraform,
            voice,
            workspace: &setting.workspace,
            data: &setting.data,
            backend,
        })
    }

    /// Plans, judges, asks, applies. `started` hears the process id of the apply.
    ///
    /// # Errors
    /// It was refused, or a command could not be started.
    pub(super) fn run(
        &self,
        supervisor: &mut Supervisor,
        manner: Manner<'_>,
        started: &dyn Fn(Pid),
    ) -> Result<Done, Error> {
        let without: Vec<&str> = manner.without.iter().copied().chain([env::TF_CLI_ARGS]).collect();
        let manner = Manner { without: &without, ..manner };
        let detour = match Detour::of(&self.call.guarded.line, self.call.guarded.verb) {
            Ok(detour) => detour,
            Err(unfit) => return self.stop(&unfit, supervisor, manner, started),
        };
        let scratch = scratch()?;
        let file = scratch.file("plan");
        if let Some(ending) = self.obtain(&detour, &scratch, supervisor, manner)? {
            return Ok(Done::unjudged(ending));
        }
        let digest = self.digest(&file)?;
        let (variables, notes) = match self.judge(&detour, &scratch, digest, supervisor)? {
            Verdict::Apply(variables, notes) => (variables, notes),
            Verdict::End(ending) => return Ok(Done::unjudged(ending)),
        };
        if self.digest(&file)? != digest {
            return Err(self.refused(unreadable("it is not the one that was judged", None)));
        }
        let outlook = Outlook::of(&file, self.context.config.max_state_bytes);
        let ending = self.child(detour.apply(&file, variables), supervisor, manner, started)?;
        Ok(Done { ending, notes, outlook })
    }

    /// A command line that Terraform would refuse: it says so itself. Where a flag is in no table and a word
    /// stands behind it, that word may be a saved plan, which Terraform would not even ask about.
    fn stop(
        &self,
        unfit: &Unfit,
        supervisor: &mut Supervisor,
        manner: Manner<'_>,
        started: &dyn Fn(Pid),
    ) -> Result<Done, Error> {
        if let Unfit::Unknown { flag, has_words: true } = unfit {
            let reason = format!("`-{flag}` is no flag that this version of tf knows");
            return Err(self.refused(unreadable(&reason, None)));
        }
        let streams = match manner.streams {
            Streams::Inherited => Streams::Unanswered,
            streams @ (Streams::Unanswered | Streams::Captured(..) | Streams::Private(..)) => {
                streams
            }
        };
        let words = unapproved(&self.call.guarded.line);
        let ending = self.child(words, supervisor, Manner { streams, ..manner }, started)?;
        Ok(Done::unjudged(ending))
    }

    /// Has the plan in its place: the user's, copied, or one that Terraform makes. Gives how the command ends
    /// where there is none.
    fn obtain(
        &self,
        detour: &Detour,
        scratch: &Scratch,
        supervisor: &mut Supervisor,
        manner: Manner<'_>,
    ) -> Result<Option<Ending>, Error> {
        let file = scratch.file("plan");
        let into = scratch
            .create("plan")
            .map_err(|source| Error::WriteFile { path: file.clone(), source })?;
        if let Some(saved) = &detour.saved {
            let path = root_module(self.call.guarded.line.chdir()).join(saved);
            let copied = copy(&path, into, self.limit());
            let unread = |error: io::Error| {
                let reason = format!("{}: {error}", path.display());
                self.refused(unreadable(&reason, None))
            };
            return copied.map(|()| None).map_err(unread);
        }
        drop(into);
        let (name, value) = IN_AUTOMATION;
        let with = [(name, value.as_ref())];
        let manner = Manner { with: &with, ..manner };
        let ending = self.child(detour.plan(&file), supervisor, manner, &|_| ())?;
        Ok(match ending {
            Ending::Exited(0) => supervisor.stopped(),
            Ending::Exited(_) | Ending::Signalled(_) => Some(ending),
        })
    }

    /// Reads the plan out, judges it, and asks who has to be asked.
    fn judge(
        &self,
        detour: &Detour,
        scratch: &Scratch,
        digest: Digest,
        supervisor: &Supervisor,
    ) -> Result<Verdict, Error> {
        let read = self.read(scratch, &|| supervisor.interrupted().is_some());
        if let Some(ending) = supervisor.stopped() {
            return Ok(Verdict::End(ending));
        }
        let sha256 = digest.to_string();
        let plan =
            read.map_err(|reason| self.refused(unreadable(&reason, Some(sha256.clone()))))?;
        let again = plan.has_ephemeral_variables() || self.may_have_ephemeral_variables();
        let variables = if again { Variables::Again } else { Variables::InThePlan };
        if let Some(objection) = judge(&plan, &self.context.config.guard, self.workspace) {
            return self.confirm(&objection, sha256, supervisor, variables);
        }
        // As Terraform: neither where there is nothing to do, nor of a saved plan.
        if detour.is_approved || detour.saved.is_some() || plan.is_empty() {
            return Ok(Verdict::Apply(variables, Vec::new()));
        }
        Ok(self.ask(detour, supervisor, variables))
    }

    /// Asks what Terraform would ask; without a yes it ends as Terraform would.
    fn ask(&self, detour: &Detour, supervisor: &Supervisor, variables: Variables) -> Verdict {
        let question = Question {
            asked: match detour.mode {
                Mode::Normal => Asked::Apply,
                Mode::Destroy => Asked::Destroy,
                Mode::RefreshOnly => Asked::Refresh,
            },
            workspace: self.workspace,
            product: if self.terraform.real().name() == "tofu" { "OpenTofu" } else { "Terraform" },
            is_plain: detour.is_plain(),
        };
        let gives_up = || supervisor.interrupted().is_some();
        let answer = self.voice.approves(&question, &gives_up);
        match (supervisor.stopped(), answer) {
            (Some(ending), _) => Verdict::End(ending),
            (None, Answer::Yes) => Verdict::Apply(variables, Vec::new()),
            (None, Answer::No | Answer::None) => Verdict::End(Ending::Exited(1)),
        }
    }

    /// Has a person confirm what must not be deleted, if one is there and may.
    fn confirm(
        &self,
        objection: &Objection,
        sha256: String,
        supervisor: &Supervisor,
        variables: Variables,
    ) -> Result<Verdict, Error> {
        let refuse = |sha256, why| Err(self.refused(objection.refusal(sha256, why)));
        if self.context.config.guard.reaction == Reaction::Deny {
            return refuse(sha256, Unconfirmed::Denied);
        }
        if !self.voice.has_person() {
            return refuse(sha256, Unconfirmed::NoPerson);
        }
        let (backend, verb) = (self.backend.as_str(), self.call.guarded.verb.words());
        let deletion = Deletion { verb, objection, backend, workspace: self.workspace };
        let gives_up = || supervisor.interrupted().is_some();
        let is_confirmed = self.voice.confirms(&deletion, &gives_up);
        match supervisor.stopped() {
            // An interrupt is an answer, too: no.
            Some(Ending::Exited(_)) => return refuse(sha256, Unconfirmed::Declined),
            Some(ending) => return Ok(Verdict::End(ending)),
            None if !is_confirmed => return refuse(sha256, Unconfirmed::Declined),
            None => {}
        }
        let text = format!("a person confirmed it; {}", objection.summary());
        let note = GuardNote::new(Guard::Protected, GuardAction::Allowed, text);
        Ok(Verdict::Apply(variables, vec![note]))
    }

    /// Whether a variable of the root module may be ephemeral. Where it has a default, a plan shows that, and not
    /// that a value was given (Terraform 1.11.4).
    fn may_have_ephemeral_variables(&self) -> bool {
        let is_tofu = self.terraform.real().name() == "tofu";
        let dialect = if is_tofu { Dialect::OpenTofu } else { Dialect::Terraform };
        let modules = sources::read(self.terraform.directory(), self.data, dialect);
        names_ephemeral(&modules)
    }

    /// What the plan says of itself, or why it cannot be read.
    fn read(&self, scratch: &Scratch, give_up: &dyn Fn() -> bool) -> Result<Plan, String> {
        let limits = Limits { time: SHOW_LIMIT, bytes: self.limit(), give_up };
        let shown = self.terraform.begin_show(&scratch.file("plan"), &scratch.file("plan.json"));
        let document = shown.and_then(|shown| shown.finish(limits)).map_err(|e| e.to_string())?;
        Plan::parse(&document).map_err(|error| error.to_string())
    }

    fn child(
        &self,
        words: Vec<OsString>,
        supervisor: &mut Supervisor,
        manner: Manner<'_>,
        started: &dyn Fn(Pid),
    ) -> Result<Ending, Error> {
        // Not that of the user's own line: a shim further down has to know this one.
        let guards = Guarded::ours(&words).map(|guarded| guarded.fingerprint);
        let argv0 = self.terraform.real().argv0(self.call.called_as).to_owned();
        supervisor.adopt(Preparation::begin(std::iter::once(argv0).chain(words).collect()));
        Ok(supervisor.run(self.terraform, guards, manner, started)?)
    }

    fn digest(&self, file: &Path) -> Result<Digest, Error> {
        digest(file, self.limit()).map_err(|error| {
            let reason = format!("{error}");
            self.refused(unreadable(&reason, None))
        })
    }

    fn limit(&self) -> u64 {
        self.context.config.max_state_bytes.saturating_mul(FACTOR)
    }

    fn refused(&self, refusal: Refusal) -> Error {
        Error::Refused { verb: self.call.guarded.verb.words().to_owned(), refusals: vec![refusal] }
    }
}

/// Whether the plan of a command has to be judged in some workspace.
pub(super) fn may_be_judged(context: &Context, guarded: &Guarded) -> bool {
    let plans = matches!(guarded.verb, Verb::Apply | Verb::Destroy);
    plans && context.config.guard.protects_anything()
}

/// A private directory for the plan.
fn scratch() -> Result<Scratch, Error> {
    let parent = std::env::temp_dir();
    // With `-chdir` a relative path would be another one for Terraform.
    let made = std::path::absolute(&parent).and_then(|parent| Scratch::make(&parent));
    made.map_err(|source| Error::WriteFile { path: parent, source })
}

fn too_large(limit: u64) -> io::Error {
    io::Error::other(format!("it is larger than {limit} bytes"))
}

/// Copies an ordinary file.
fn copy(from: &PathBuf, mut into: File, limit: u64) -> io::Result<()> {
    if !std::fs::metadata(from)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut from = File::open(from)?.take(limit.saturating_add(1));
    let copied = io::copy(&mut from, &mut into)?;
    if copied > limit { Err(too_large(limit)) } else { Ok(()) }
}

fn digest(file: &Path, limit: u64) -> io::Result<Digest> {
    let mut file = File::open(file)?;
    if file.metadata()?.len() > limit {
        return Err(too_large(limit));
    }
    let mut digester = Digester::new();
    let mut chunk = vec![0_u8; 1 << 16];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(digester.finish());
        }
        digester.update(chunk.get(..count).unwrap_or_default());
    }
}
