//! The commands and their flags, as clap and as plain data: they are the same types.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::check::accept;
use crate::config::{AcceptRule, parse_duration};
use crate::model::shell::Shell;
use crate::ui::Color;
use crate::ui::report::ReportFormat;

/// How a state is named; shown by `help` and by the commands that take a REF. It fits 80 columns.
const REFERENCES: &str = "\
REF names a state:
  now               the live state, as it is on disk or in the backend
  @, @-, @-3        the newest good state; that many different good ones earlier
  7c1e9a04          what that operation left; the first 4 digits may be enough
  7c1e:before       what it found; a refused operation has only this
  serial:41         the newest with that serial
  before:destroy    what the last operation of that command found
  90m, 2h, 3d, 2w   as of then: one to three digits and one of m h d w y
  2026-11-20T10:00  as of then, local time unless Z or an offset is given
  sha256:1a2b3c4d   by content, a prefix of at least 8 digits";

/// What `check` does; shown below its options. It fits 80 columns.
const ROUNDS: &str = "\
Rounds: plan, apply, A: plan -refresh=false, B: plan. With --twice: apply, plan.
The arguments after -- go to every plan; the plans are private and are removed.

Status: 0 idempotent, 2 not, 3 not confirmed, 4 no verdict possible, 124 timed
out. Reports: text json junit sarif markdown html gitlab-codequality
gitlab-terraform, each with =PATH, or =- for stdout; and github.";

/// What a passport is; shown below the options of `passport`. It fits 80 columns.
const PASSPORT: &str = "\
The passport is `.tf-shim.passport.json`, to be committed: kind of the backend,
workspace, lineage, whether there are resources, when, by whom; no secret. It is
written anew only where lineage or emptiness changed. A fresh clone on a new
machine that finds no state, or another one, is then refused like any other.";

/// What `doctor` does; shown below its options. It fits 80 columns.
const DOCTOR: &str = "\
It looks, and changes nothing; no remote is asked. Each finding has a word that
stays the same, why it matters, and a command that mends it.

Status: 0 where nothing is wrong or there are only notes, 1 where there is a
problem. With --json, for monitoring.";

/// How links are treated; shown below the options of `install`. It fits 80 columns.
const INSTALL: &str = "\
Nothing that is not a link to tf is ever replaced. A name is linked where there
is a real program to stand for. Without --edit no file of yours is touched.";

/// What `tf shim` is, above its commands.
const ABOUT: &str = "Saves the state of Terraform before and after each change, and brings it back.\n\
                     Without a command: where things stand.";

/// Below the commands.
const AFTER: &str = "\
Long flags may be written with one dash, as Terraform's are, and a directory
given first, as in `tf -chdir=prod shim list`. Everything else that `tf` is
given goes to terraform.";

fn styles() -> Styles {
    Styles::styled()
        .header(anstyle::Style::new().bold())
        .usage(anstyle::Style::new().bold())
        .literal(AnsiColor::Cyan.on_default())
        .placeholder(anstyle::Style::new().dimmed())
}

/// The command line after `tf shim`.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "tf shim",
    bin_name = "tf shim",
    display_name = "tf shim",
    no_binary_name = true,
    version,
    about = ABOUT,
    after_help = format!("{REFERENCES}\n\n{AFTER}"),
    max_term_width = 100,
    subcommand_value_name = "COMMAND",
    subcommand_help_heading = "Commands",
    styles = styles()
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// The whole table, built.
pub(super) fn command() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command.mut_subcommand("help", |help| help.about("Show this, or the help of one command"))
}

/// The flags that every command has.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Answer with one JSON document.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Use the history of this workspace.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) workspace: Option<String>,
    /// Use the history of what `-state=PATH` names.
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) state: Option<PathBuf>,
    /// When to use colours.
    #[arg(
        long,
        global = true,
        value_name = "auto|always|never",
        value_enum,
        hide_possible_values = true,
        default_value_t,
        hide_default_value = true
    )]
    pub(crate) color: Color,
    /// Go on without asking.
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Use the store in this directory.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
}

impl ValueEnum for Color {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }))
    }
}

impl ValueEnum for Shell {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Bash, Self::Zsh, Self::Fish]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.word()))
    }
}

/// The options of `check`.
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CheckOptions {
    /// Never apply; see whether what is deployed is what the configuration says.
    #[arg(long, conflicts_with_all = ["twice", "destroy_after", "settle"])]
    pub(crate) plan_only: bool,
    /// Apply a second time, and plan a third time.
    #[arg(long)]
    pub(crate) twice: bool,
    /// Wait so long before a plan that reads back what was applied, as 30s or 2m.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) settle: Option<Duration>,
    /// Interrupt terraform, once, when all of it takes longer, and end with 124.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Destroy at the end, whatever the verdict: for throw-away stacks.
    #[arg(long)]
    pub(crate) destroy_after: bool,
    /// Fail on outputs that differ, or on checks that fail, too; may be repeated.
    #[arg(
        long,
        value_name = "output|check",
        value_enum,
        value_delimiter = ',',
        hide_possible_values = true
    )]
    pub(crate) fail_on: Vec<Kind>,
    /// Accept this difference, for this run; `*` stands for any text; may be repeated.
    #[arg(long, value_name = "ADDRESS[:PATH]", value_parser = accept::rule_of_flag)]
    pub(crate) accept: Vec<AcceptRule>,
    /// Propose rules for `.tf-shim.toml` that would accept what is open.
    #[arg(long)]
    pub(crate) write_accept: bool,
    /// Write a report; may be repeated.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = ReportTarget::parse)]
    pub(crate) report: Vec<ReportTarget>,
    /// Write a transcript and one masked log a step into this directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) evidence: Option<PathBuf>,
    /// Arguments of terraform for every plan, such as -var-file=FILE.
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<OsString>,
}

/// What else a check fails on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Outputs that differ.
    Output,
    /// Checks that fail.
    Check,
}

/// A report, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReportTarget {
    /// Into a file.
    File(ReportFormat, PathBuf),
    /// Where GitHub Actions shows it.
    Github,
}

impl ReportTarget {
    /// Reads `FORMAT=PATH`, or `github`.
    fn parse(text: &str) -> Result<Self, String> {
        if text == "github" {
            return Ok(Self::Github);
        }
        let (word, path) = text.split_once('=').unwrap_or((text, ""));
        let Some(format) = ReportFormat::of_word(word) else {
            let known: Vec<_> = ReportFormat::ALL.iter().map(|format| format.word()).collect();
            return Err(format!("the formats are {}, github", known.join(", ")));
        };
        if path.is_empty() {
            return Err(format!("where to? write {word}=PATH"));
        }
        if is_of_the_project(Path::new(path)) {
            return Err(
                "a report never takes the place of a state or of a configuration".to_owned()
            );
        }
        Ok(Self::File(format, PathBuf::from(path)))
    }
}

/// Whether a path has the name of a file that Terraform or we read: what is there may be all there is of it.
fn is_of_the_project(path: &Path) -> bool {
    const NAMES: [&str; 3] = [".tf-shim.toml", ".tf-shim.passport.json", ".terraform.lock.hcl"];
    const ENDS: [&str; 9] = [
        ".tfstate",
        ".tfstate.backup",
        ".tf",
        ".tf.json",
        ".tofu",
        ".tofu.json",
        ".tfvars",
        ".tfvars.json",
        ".tfplan",
    ];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    NAMES.contains(&&*name) || ENDS.iter().any(|end| name.ends_with(end))
}

/// Reads a duration as the configuration does.
fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "a whole number and ms, s, m or h, as in 90s".to_owned())
}

/// A command of `tf shim`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Show where things stand: terraform, the state, the last operation, the store.
    #[command(skip)]
    Status,
    /// List the operations on this state, newest first.
    #[command(visible_alias = "log")]
    List {
        /// How many: 20 where this is not given, all with --json.
        #[arg(short = 'n', value_name = "N")]
        number: Option<usize>,
        /// Every state in the store, each with its last operation.
        #[arg(long)]
        all: bool,
    },
    /// Show one operation: who, when, where, and what it changed.
    #[command(after_help = REFERENCES)]
    Show {
        /// The operation; the last one where this is not given.
        #[arg(value_name = "REF")]
        reference: Option<String>,
    },
    /// Show what differs between two states, by address and attribute.
    #[command(after_help = REFERENCES)]
    Diff {
        /// The older state.
        #[arg(value_name = "A", default_value = "@-")]
        from: String,
        /// The newer state.
        #[arg(value_name = "B", default_value = "now")]
        to: String,
        /// End with status 2 where they differ.
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Write the exact bytes of a state.
    #[command(after_help = REFERENCES)]
    Cat {
        /// The state.
        #[arg(value_name = "REF")]
        reference: String,
        /// Into this file, which only you can read, instead of to stdout.
        #[arg(short = 'o', value_name = "FILE")]
        output: Option<PathBuf>,
        /// Overwrite the file.
        #[arg(long, requires = "output")]
        force: bool,
    },
    /// Save a snapshot of the state now.
    Save {
        /// A note to find it by.
        #[arg(short = 'm', value_name = "TEXT", allow_hyphen_values = true)]
        message: Option<String>,
        /// Keep it for ever.
        #[arg(long)]
        pin: bool,
    },
    /// Make a saved state the current one, under a new serial.
    #[command(after_help = REFERENCES)]
    Restore {
        /// The state that comes back.
        #[arg(value_name = "REF")]
        reference: String,
        /// Show what would change, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Push with terraform's own -force where a backend refuses.
        #[arg(long)]
        force: bool,
    },
    /// Restore what was before the last operation that changed the state.
    Undo {
        /// Show what would change, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Go on although things that exist would no longer be known to terraform.
        #[arg(long)]
        orphan: bool,
    },
    /// Keep an operation for ever.
    #[command(after_help = REFERENCES)]
    Pin {
        /// The operation.
        #[arg(value_name = "REF")]
        reference: String,
        /// A note: why it is kept.
        #[arg(short = 'm', value_name = "TEXT", allow_hyphen_values = true)]
        message: Option<String>,
    },
    /// No longer keep an operation for ever.
    #[command(after_help = REFERENCES)]
    Unpin {
        /// The operation.
        #[arg(value_name = "REF")]
        reference: String,
    },
    /// Say that the state as it is now is right: settle a finding.
    Accept {
        /// Why, for the history.
        #[arg(short = 'm', long, value_name = "TEXT")]
        message: Option<String>,
    },
    /// Write down which state there should be, to be committed.
    #[command(after_help = PASSPORT)]
    Passport {
        /// Only compare; status 1 where it does not say what is so.
        #[arg(long)]
        check: bool,
    },
    /// Prove that plan, apply, plan ends empty, or say why it does not.
    #[command(after_help = ROUNDS)]
    Check(CheckOptions),
    /// Say what is wrong with this set-up, and how to mend it.
    #[command(after_help = DOCTOR)]
    Doctor,
    /// Show which terraform runs, and how a command line would be treated.
    Which {
        /// A command line of terraform's.
        #[arg(last = true, value_name = "ARGS")]
        args: Vec<OsString>,
    },
    /// Link terraform and tofu to tf, so that scripts reach it, too.
    #[command(after_help = INSTALL)]
    Install {
        /// Where the links go; default `~/.local/share/tf-shim/bin`.
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
        /// Put PATH and completion into the start file of your shell.
        #[arg(long)]
        edit: bool,
        /// Link both names, also where there is no such program yet.
        #[arg(long)]
        both: bool,
        /// Show what would change, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Take away what install has put there; the store stays.
    Uninstall {
        /// Look for links here, too.
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
        /// Show what would change, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Print a script for a shell that completes what you type.
    Completion {
        /// The shell.
        #[arg(value_name = "SHELL", value_enum)]
        shell: Shell,
    },
    /// Answer a Tab, for those scripts.
    #[command(hide = true)]
    Complete {
        /// At which characters the shell breaks what it replaces.
        #[arg(long, value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
        breaks: OsString,
        /// The line up to the cursor.
        #[arg(last = true, value_name = "LINE", required = true)]
        line: OsString,
    },
    /// Show the version of tf.
    Version,
}
