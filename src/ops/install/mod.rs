//! `tf shim install` and `uninstall`: links named `terraform` and `tofu` that lead to this program, and the
//! lines that put them first on `PATH`.
//!
//! First a plan, a plain value that can be shown; then it is carried out. Nothing that is not a link to us
//! is ever replaced or removed, and a start file is touched only where that was asked for. What is easy to
//! get wrong: a link must lead to a path that lasts. The path of the running file is often the wrong one,
//! because package managers put a version into it; [`program`] looks for a better one.

mod block;
mod links;
mod program;
mod record;
mod start_file;
pub(crate) mod uninstall;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::env;
use crate::error::Error;
use crate::error::install::InstallError;
use crate::model::shell::{Shell, path_word};
use crate::proxy::depth::Depth;
use crate::proxy::real::RealBinary;
use crate::sys::edit;
use crate::sys::file::FileId;
use crate::sys::lock::{Grant, Lock, Mode};

pub(crate) use links::{LinkAction, LinkPlan, OnPath};
pub(crate) use program::Program;
pub(crate) use start_file::{Edit, EditAction};

use record::Record;

/// What a person asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// The directory of the links; none for the usual one.
    pub(crate) directory: Option<&'a Path>,
    /// Whether start files are to be edited.
    pub(crate) edits: bool,
    /// Whether a name is linked for which there is no program.
    pub(crate) both: bool,
}

/// What installing would do, or did.
pub(crate) struct InstallPlan {
    /// This program, by a path that lasts.
    pub(crate) program: Program,
    /// Where the links are.
    pub(crate) directory: PathBuf,
    /// Whether that is where they are unless another place is named.
    pub(crate) is_usual: bool,
    /// The links.
    pub(crate) links: Vec<LinkPlan>,
    /// Where the directory stands on `PATH` as it is now.
    pub(crate) on_path: OnPath,
    /// The shell of the user, and what else is known of it.
    pub(crate) shell: Option<Shell>,
    /// What is done to start files; empty where that was not asked for.
    pub(crate) edits: Vec<Edit>,
    /// The start file that the lines belong into, and those lines.
    pub(crate) by_hand: (Option<PathBuf>, Vec<String>),
    /// Directories that have to be made, the outermost first.
    pub(crate) makes: Vec<PathBuf>,
    /// Things to know.
    pub(crate) warnings: Vec<String>,
    /// Whether it was carried out.
    pub(crate) is_done: bool,
}

impl InstallPlan {
    /// Whether everything is as it would be made.
    pub(crate) fn is_nothing(&self) -> bool {
        let no_link =
            |link: &LinkPlan| !matches!(link.action, LinkAction::Make | LinkAction::Replace);
        self.links.iter().all(no_link)
            && self.edits.iter().all(|edit| edit.action == EditAction::Keep)
    }
}

/// Where things are for this user.
pub(crate) struct Surroundings {
    /// `HOME`, where it is an absolute path.
    pub(crate) home: Option<PathBuf>,
    /// What `SHELL` names.
    pub(crate) shell: Option<Shell>,
}

impl Surroundings {
    /// Looks at the environment.
    pub(crate) fn look() -> Self {
        let shell = std::env::var_os("SHELL").map(PathBuf::from);
        let word = shell.as_deref().and_then(Path::file_name).map(OsStrExt::as_bytes);
        Self { home: absolute("HOME"), shell: word.and_then(Shell::of_word) }
    }

    /// Where links go unless another place is named: `$XDG_DATA_HOME/tf-shim/bin`, else
    /// `~/.local/share/tf-shim/bin`.
    fn usual_directory(&self) -> Option<PathBuf> {
        let data = absolute("XDG_DATA_HOME")
            .or_else(|| self.home.as_ref().map(|home| home.join(".local/share")));
        data.map(|data| data.join("tf-shim/bin"))
    }
}

/// A variable that holds an absolute path.
fn absolute(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    value.filter(|path| path.is_absolute())
}

/// The absolute entries of `PATH`, in order.
fn path_entries() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|entry| entry.is_absolute()).collect()
}

/// Where this program is, by a path that lasts; none where its file is gone.
pub(crate) fn program_path(called_as: &OsStr) -> Option<PathBuf> {
    program::find(called_as).ok().map(|program| program.path)
}

/// Whether `install` would make a link its own that leads to a `tf` that we are not.
pub(crate) fn takes_over(link: &Path) -> bool {
    let usual = Surroundings::look().usual_directory();
    let place = link.parent().map(|directory| links::Place::of(directory, usual.as_deref()));
    let is_linked = link.file_name().is_some_and(|name| links::NAMES.iter().any(|n| name == *n));
    let ours = FileId::of_ourselves().filter(|_| is_linked);
    ours.zip(place)
        .is_some_and(|(ours, place)| links::look(link, ours, place) == links::Found::Former)
}

/// How long another `install` is waited for: it asks nobody while it holds the lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keeps others of ours from the start files, as long as it is held: two edits at once would each take the
/// other's copy for that of an edit which was cut off. It is on the home itself, so that nothing is left.
/// None where it cannot be had; what is written then is still compared with what was read.
pub(crate) fn alone() -> Option<Grant> {
    let home = Surroundings::look().home?;
    let there = home.ancestors().find(|above| above.is_dir())?;
    Lock::acquire(File::open(there).ok()?, Mode::Exclusive, PATIENCE).ok()
}

/// Looks what has to be done. Nothing is changed.
///
/// # Errors
/// A name is taken by something else; there is no place; a start file could not be edited.
pub(crate) fn plan(called_as: &OsStr, wish: Wish<'_>) -> Result<InstallPlan, Error> {
    let around = Surroundings::look();
    let program = program::find(called_as)?;
    let usual = around.usual_directory();
    let directory = match (wish.directory, &usual) {
        (Some(named), _) => usable(named)?,
        (None, Some(usual)) => usable(usual)?,
        (None, None) => return Err(InstallError::NoHome.into()),
    };
    let is_usual = usual.as_deref().is_some_and(|usual| links::is_same(usual, &directory));
    let links = links::plan(&directory, &program, usual.as_deref(), wish.both)?;
    if links.iter().all(|link| link.action == LinkAction::Skip) {
        // There is nothing to stand for; the words for that exist.
        RealBinary::find(OsStr::new("tf"), &Depth::from_environment())?;
    }
    let on_path = links::on_path(&directory, &links);
    let target = start_file::Target {
        directory: &directory,
        program: &program.path,
        home: around.home.as_deref(),
        shell: around.shell,
    };
    let edits = if wish.edits { start_file::plan(&target)? } else { Vec::new() };
    let by_hand = (start_file::first(&target), start_file::lines(&target));
    let makes = missing(directory.as_path(), edits.iter().map(|edit| edit.path.as_path()));
    let warnings = warnings(&program);
    let shell = around.shell;
    Ok(InstallPlan {
        program,
        directory,
        is_usual,
        links,
        on_path,
        shell,
        edits,
        by_hand,
        makes,
        warnings,
        is_done: false,
    })
}

/// Does what the plan says. What was done stays done where a later step fails.
///
/// # Errors
/// A directory, a link or a start file cannot be written.
pub(crate) fn carry_out(mut plan: InstallPlan) -> Result<InstallPlan, Error> {
    if !plan.is_nothing() {
        let mut made = Vec::new();
        if let Err(cause) = make_all(&plan, &mut made) {
            return Err(InstallError::Halfway { made, source: Box::new(cause) }.into());
        }
    }
    plan.is_done = true;
    Ok(plan)
}

/// Makes everything; `made` is what is there even where a later step fails.
fn make_all(plan: &InstallPlan, made: &mut Vec<PathBuf>) -> Result<(), InstallError> {
    for directory in &plan.makes {
        match std::fs::create_dir(directory) {
            // Two at once want the same.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(step("make the directory", directory, error));
            }
            Ok(()) | Err(_) => made.push(directory.clone()),
        }
    }
    // Before what it tells of, so that nothing is done that nobody knows how to undo.
    let mut record = Record::read(&plan.directory)?;
    record.add(&plan.makes, plan.edits.iter().map(|edit| edit.path.as_path()));
    record.write(&plan.directory)?;
    for edit in &plan.edits {
        start_file::carry_out(edit)?;
        made.push(edit.path.clone());
    }
    for link in &plan.links {
        links::make(link, &plan.program)?;
        made.push(link.path.clone());
    }
    Ok(())
}

/// A directory that can be an entry of `PATH`, absolute.
fn usable(directory: &Path) -> Result<PathBuf, InstallError> {
    let path = normal(&std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned()));
    let why = match path.as_os_str().as_bytes() {
        bytes if bytes.contains(&b':') => "a colon separates the entries of PATH",
        bytes if bytes.iter().any(u8::is_ascii_control) => "there is a control character in it",
        _ if path.exists() && !path.is_dir() => "it is not a directory",
        _ => return Ok(path),
    };
    Err(InstallError::Unusable { path, why })
}

/// A path without `..` and a slash at its end. What is there is asked: `..` behind a link leads elsewhere.
fn normal(path: &Path) -> PathBuf {
    let is_up = |part: Component<'_>| part == Component::ParentDir;
    if !path.components().any(is_up) {
        return path.components().collect();
    }
    let mut normal = PathBuf::new();
    for part in path.components() {
        if is_up(part) {
            normal = normal.canonicalize().unwrap_or(normal);
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}

/// The directories that are not there yet, outermost first: that of the links, and those of start files.
fn missing<'a>(directory: &'a Path, files: impl Iterator<Item = &'a Path>) -> Vec<PathBuf> {
    let wanted = std::iter::once(directory).chain(files.filter_map(Path::parent));
    let mut missing = Vec::new();
    for wanted in wanted {
        let absent = wanted.ancestors().take_while(|above| !above.exists());
        let absent: Vec<PathBuf> = absent.map(Path::to_owned).collect();
        let new = absent.into_iter().rev().filter(|path| !missing.contains(path));
        let new: Vec<PathBuf> = new.collect();
        missing.extend(new);
    }
    missing
}

fn warnings(program: &Program) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(why) = program.fleeting {
        let path = program.path.display();
        warnings
            .push(format!("the links lead to `{path}`, {why}; put tf into a lasting place first"));
    }
    let named = std::env::var_os(env::REAL).filter(|real| !real.is_empty());
    if let Some(real) = named.filter(|real| !Path::new(real).is_file()) {
        let real = real.display();
        warnings.push(format!("TF_SHIM_REAL names no file, so nothing will run: `{real}`"));
    }
    if let Some(place) = edit::exposed(&program.path) {
        let (path, place) = (program.path.display(), place.display());
        warnings.push(format!(
            "everybody can put another program in the place of `{path}`: run `chmod o-w {place}`"
        ));
    }
    warnings
}

/// What a step that failed is called.
fn step(what: &'static str, path: &Path, source: io::Error) -> InstallError {
    InstallError::Step { what, path: path.to_owned(), source }
}

/// How a path is typed: `tf` where that word leads to the program, else the path.
fn typed(program: &Path, home: Option<&Path>, shell: Option<Shell>) -> OsString {
    let first = path_entries().iter().map(|entry| entry.join("tf")).find(|path| path.is_file());
    if first.is_some_and(|first| FileId::at(&first) == FileId::at(program)) {
        return OsString::from("tf");
    }
    let home = home.map(|home| home.as_os_str().as_bytes());
    OsStr::from_bytes(&path_word(program.as_os_str().as_bytes(), home, shell)).to_owned()
}
