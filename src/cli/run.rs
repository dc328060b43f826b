//! Carries out what follows `tf shim`: picks the use case, shows its report, gives the status.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::{self, Config};
use crate::env;
use crate::error::{self, Error, status as exit};
use crate::model::reference::Reference;
use crate::model::shell::Shell;
use crate::ops;
use crate::ops::caller::Caller;
use crate::ops::doctor::{self, Patient};
use crate::ops::history::{self, Overwrite, Pinning};
use crate::ops::install::program_path;
use crate::ops::passport::Errand;
use crate::ops::report::{Entered, ScriptReport, VersionReport};
use crate::ops::restore::Prepared;
use crate::ops::{
    Choice, Context, Preview, Subject, accept, passport, restore, root_module, status, undo, which,
};
use crate::terraform::write::Force;
use crate::ui::failure::Failure;
use crate::ui::{self, Answer, Color, Format, Ui};

use super::install::Earnest;
use super::{Command, Invocation, Parsed, check, complete, failed, install, parse, read_only};

/// How many operations `list` shows as text, unless told otherwise.
const LISTED: usize = 20;

/// Reads and carries out the words after `tf shim`. `chdir` is what `-chdir=` before it names.
pub(crate) fn run(called_as: &OsStr, chdir: Option<&OsStr>, words: Vec<OsString>) -> ExitCode {
    let now = ops::Clock::new().now();
    let invocation = match parse(words) {
        Ok(Parsed::Run(invocation)) => *invocation,
        Ok(Parsed::Help { plain, coloured }) => {
            let ui = Ui::new(Color::Auto, now);
            return written(&ui, ui.print_help(&plain, &coloured));
        }
        Err(usage) => {
            let hint = Some(usage.hint().to_owned());
            Ui::new(Color::Auto, now).fail(&Failure::saying(usage.to_string()).hint(hint));
            return ExitCode::from(exit::WRONG_USAGE);
        }
    };
    let ui = Ui::new(invocation.common.color, now);
    let session = Session { ui: &ui, called_as, chdir, invocation: &invocation };
    if let Command::Check(options) = &invocation.command {
        return check::run(&session, options);
    }
    let done = session.ask_guards().map_err(Trouble::from).and_then(|()| session.carry_out());
    match done {
        Ok(status) => ExitCode::from(status),
        Err(Trouble::Ours(error)) => {
            failed::tell(&ui, &error);
            ExitCode::from(error.exit_status(error::Caller::Shim))
        }
        Err(Trouble::Output(error)) => written(&ui, Err(error)),
    }
}

fn written(ui: &Ui, result: std::io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => {
            ui.fail(&Failure::saying(format!("cannot write the answer: {error}")));
            ExitCode::from(exit::FAILED)
        }
    }
}

/// What keeps a command from its end.
enum Trouble {
    /// A failure of ours.
    Ours(Error),
    /// stdout cannot be written.
    Output(std::io::Error),
}

impl<E: Into<Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Ours(error.into())
    }
}

/// One command, and what it needs.
pub(super) struct Session<'a> {
    pub(super) ui: &'a Ui,
    pub(super) called_as: &'a OsStr,
    pub(super) chdir: Option<&'a OsStr>,
    pub(super) invocation: &'a Invocation,
}

impl Session<'_> {
    /// Whether the command may run here.
    ///
    /// # Errors
    /// It may not.
    pub(super) fn ask_guards(&self) -> Result<(), Error> {
        let Some(what) = read_only::refused(&self.invocation.command) else { return Ok(()) };
        let guard = || config::load_guard(&root_module(self.chdir));
        // A file that cannot be understood stops by itself whatever asks it.
        if env::is_on(env::READ_ONLY) || guard().is_ok_and(|guard| guard.read_only) {
            return Err(ops::read_only::of(what));
        }
        Ok(())
    }

    fn carry_out(&self) -> Result<u8, Trouble> {
        match &self.invocation.command {
            Command::Version => self.version(),
            // Ends in its own way: by a signal, too.
            Command::Check(_) => Ok(exit::DONE),
            Command::Which { args } => {
                let report = which::which(self.called_as, self.chdir, args)?;
                let is_found = report.real.is_ok();
                self.answer(&report)?;
                Ok(if is_found { exit::DONE } else { exit::NOT_FOUND })
            }
            Command::Doctor => self.doctor(),
            Command::Status => {
                let context = self.context_for_looking()?;
                let subject = self.subject();
                self.answer(&status::status(&context, subject.as_ref(), &self.caller()))
            }
            Command::List { number, all } => self.list(*number, *all),
            Command::Show { reference } => {
                let context = self.context_for_looking()?;
                let reference =
                    reference.as_deref().map(|text| reference_of(&context, text)).transpose()?;
                let report = history::show(&context, &self.subject()?, reference.as_ref())?;
                self.answer(&report)
            }
            Command::Diff { from, to, detailed_exitcode } => {
                self.diff(from, to, *detailed_exitcode)
            }
            Command::Cat { reference, output, force } => {
                self.cat(reference, output.as_ref(), *force)
            }
            Command::Save { message, pin } => {
                let (context, subject) = (self.context()?, self.subject()?);
                let note = (message.clone(), *pin);
                self.answer(&history::save(&context, &subject, self.called_as, note)?)
            }
            Command::Pin { reference, message } => {
                self.pin(reference, Pinning::Pin(message.clone()))
            }
            Command::Unpin { reference } => self.pin(reference, Pinning::Unpin),
            Command::Accept { message } => self.accept(message.clone()),
            Command::Passport { check } => self.passport(*check),
            Command::Restore { reference, dry_run, force } => {
                let (context, subject) = (self.context()?, self.subject()?);
                let reference = reference_of(&context, reference)?;
                let preview = preview(*dry_run);
                let prepared =
                    restore::prepare(&context, &subject, self.called_as, &reference, preview)?;
                let force = if *force { Force::Yes } else { Force::No };
                self.give_back(&context, &subject, prepared, (preview, force), "restore")
            }
            Command::Undo { dry_run, orphan } => self.undo(*dry_run, *orphan),
            Command::Install { directory, edit, both, dry_run } => {
                let wish = (directory.as_deref(), *edit, *both);
                self.answer(&install::install(self, wish, earnest(*dry_run))?)
            }
            Command::Uninstall { directory, dry_run } => {
                let plan = install::uninstall(self, directory.as_deref(), earnest(*dry_run))?;
                let is_whole = plan.passed.is_empty();
                self.answer(&plan)?;
                Ok(if is_whole { exit::DONE } else { exit::FAILED })
            }
            Command::Completion { shell } => self.completion(*shell),
            Command::Complete { breaks, line } => {
                let answer = complete::answer(line, breaks);
                self.ui.print_bytes(answer.as_bytes()).map_err(Trouble::Output)?;
                Ok(exit::DONE)
            }
        }
    }

    fn completion(&self, shell: Shell) -> Result<u8, Trouble> {
        let program = program_path(self.called_as);
        let script = complete::script(shell, program.as_deref());
        match self.format() {
            Format::Text => self.ui.print_bytes(&script).map_err(Trouble::Output)?,
            Format::Json => return self.answer(&ScriptReport { shell, script }),
        }
        Ok(exit::DONE)
    }

    fn version(&self) -> Result<u8, Trouble> {
        self.answer(&VersionReport { version: env!("CARGO_PKG_VERSION") })
    }

    /// Nothing has to be right for this: what cannot be read is among what it finds.
    fn doctor(&self) -> Result<u8, Trouble> {
        let config = Config::load_for_looking(&root_module(self.chdir));
        let context = config.ok().map(|(config, _)| self.with_store(config));
        let patient = Patient {
            called_as: self.called_as,
            chdir: self.chdir,
            choice: &self.choice(),
            store: self.invocation.common.store.as_deref(),
            context,
        };
        let report = doctor::examine(&patient)?;
        self.answer(&report)?;
        Ok(if report.problems() == 0 { exit::DONE } else { exit::FAILED })
    }

    fn list(&self, number: Option<usize>, all: bool) -> Result<u8, Trouble> {
        let context = self.context_for_looking()?;
        if all {
            return self.answer(&history::list_all(&context)?);
        }
        let limit = number.or((self.format() == Format::Text).then_some(LISTED));
        self.answer(&history::list(&context, &self.subject()?, limit)?)
    }

    fn diff(&self, from: &str, to: &str, detailed_exitcode: bool) -> Result<u8, Trouble> {
        let context = self.context_for_looking()?;
        let (a, b) = (reference_of(&context, from)?, reference_of(&context, to)?);
        let report =
            history::diff(&context, &self.subject()?, self.called_as, ((from, &a), (to, &b)))?;
        self.answer(&report)?;
        let differs = detailed_exitcode && !report.diff.is_empty();
        Ok(if differs { exit::DIFFER } else { exit::DONE })
    }

    fn cat(&self, text: &str, output: Option<&PathBuf>, force: bool) -> Result<u8, Trouble> {
        let context = self.context_for_looking()?;
        let reference = reference_of(&context, text)?;
        let state = history::cat(&context, &self.subject()?, self.called_as, (text, &reference))?;
        match output {
            Some(path) => {
                let overwrite = if force { Overwrite::Yes } else { Overwrite::No };
                history::write_file(path, state.bytes(), overwrite)?;
            }
            None => self.ui.print_bytes(state.bytes()).map_err(Trouble::Output)?,
        }
        Ok(exit::DONE)
    }

    fn pin(&self, text: &str, what: Pinning) -> Result<u8, Trouble> {
        let context = self.context()?;
        let reference = reference_of(&context, text)?;
        self.answer(&history::pin(&context, &self.subject()?, &reference, what)?)
    }

    fn accept(&self, message: Option<String>) -> Result<u8, Trouble> {
        let (context, subject) = (self.context()?, self.subject()?);
        self.answer(&accept::accept(&context, &subject, &self.caller(), message)?)
    }

    fn passport(&self, check: bool) -> Result<u8, Trouble> {
        let (context, subject) = (self.context()?, self.subject()?);
        let errand = if check { Errand::Compare } else { Errand::Write };
        let report = passport::enter(&context, &subject, &self.caller(), errand)?;
        let is_right = report.entered != Entered::Differs;
        self.answer(&report)?;
        Ok(if is_right { exit::DONE } else { exit::FAILED })
    }

    fn undo(&self, dry_run: bool, orphan: bool) -> Result<u8, Trouble> {
        let (context, subject) = (self.context()?, self.subject()?);
        let preview = preview(dry_run);
        let prepared = undo::prepare(&context, &subject, self.called_as, preview)?;
        let orphans = prepared.plan.undo.as_ref().map_or(0, |case| case.orphans.len());
        if orphans > 0 && !orphan && preview == Preview::No {
            self.show_plan(&prepared);
            return Err(Error::Orphans { count: orphans }.into());
        }
        self.give_back(&context, &subject, prepared, (preview, Force::No), "undo")
    }

    /// Shows what would be done, asks, does it, and says what was done.
    fn give_back(
        &self,
        context: &Context,
        subject: &Subject,
        prepared: Prepared,
        (preview, force): (Preview, Force),
        what: &'static str,
    ) -> Result<u8, Trouble> {
        if preview == Preview::Yes {
            return self.answer(&prepared.plan);
        }
        if prepared.plan.is_current {
            self.ui.warn("that state is the current one; nothing was written");
            return match self.format() {
                Format::Text => Ok(exit::DONE),
                Format::Json => self.answer(&prepared.plan),
            };
        }
        self.show_plan(&prepared);
        let question = match what {
            "undo" => "Do you want to undo this operation?",
            _ => "Do you want to make this the current state?",
        };
        if !self.invocation.common.yes && !self.ui.confirm(question) {
            let error = if self.ui.can_ask() {
                Error::Declined { what }
            } else {
                Error::NotConfirmed { what }
            };
            return Err(error.into());
        }
        let report = restore::carry_out(context, subject, self.called_as, prepared, force)?;
        self.answer(&report)
    }

    /// As JSON there is one document, the result.
    fn show_plan(&self, prepared: &Prepared) {
        match self.format() {
            Format::Text => self.ui.explain(&prepared.plan),
            Format::Json => {}
        }
    }

    fn answer(&self, report: &dyn Answer) -> Result<u8, Trouble> {
        self.ui.answer(report, self.format()).map_err(Trouble::Output)?;
        Ok(exit::DONE)
    }

    pub(super) fn format(&self) -> Format {
        if self.invocation.common.json { Format::Json } else { Format::Text }
    }

    pub(super) fn context(&self) -> Result<Context, Error> {
        Ok(self.with_store(Config::load(&root_module(self.chdir))?))
    }

    /// Commands that only look back work with a broken configuration; they say what is broken.
    fn context_for_looking(&self) -> Result<Context, Error> {
        let (config, fault) = Config::load_for_looking(&root_module(self.chdir))?;
        if let Some(fault) = fault {
            self.ui.warn(&fault.to_string());
        }
        Ok(self.with_store(config))
    }

    fn with_store(&self, mut config: Config) -> Context {
        if let Some(store) = &self.invocation.common.store {
            config.store = std::env::current_dir().unwrap_or_default().join(store);
        }
        Context::new(config)
    }

    fn choice(&self) -> Choice {
        let common = &self.invocation.common;
        Choice { workspace: common.workspace.clone(), state: common.state.clone() }
    }

    /// How we are called, for commands that are given back.
    fn caller(&self) -> Caller<'_> {
        let common = &self.invocation.common;
        Caller {
            called_as: self.called_as,
            chdir: self.chdir,
            workspace: common.workspace.as_ref().map(OsStr::new),
            state: common.state.as_deref(),
            store: common.store.as_deref(),
        }
    }

    fn subject(&self) -> Result<Subject, Error> {
        Subject::find(self.chdir, &self.choice())
    }
}

fn preview(dry_run: bool) -> Preview {
    if dry_run { Preview::Yes } else { Preview::No }
}

fn earnest(dry_run: bool) -> Earnest {
    if dry_run { Earnest::Show } else { Earnest::Act }
}

fn reference_of(context: &Context, text: &str) -> Result<Reference, Error> {
    Ok(Reference::parse(text, context.clock.now(), &ui::from_local)?)
}
