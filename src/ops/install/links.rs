//! The links, and where their directory stands on `PATH`.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::error::install::InstallError;
use crate::proxy::depth::Depth;
use crate::proxy::real::{RealBinary, Verdict, survey};
use crate::sys::file::FileId;

use super::{Program, path_entries, record, step};

/// What the programs that we stand for are called.
pub(super) const NAMES: [&str; 2] = ["terraform", "tofu"];

/// One link.
#[derive(Clone, Debug)]
pub(crate) struct LinkPlan {
    /// Its name.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What is done.
    pub(crate) action: LinkAction,
    /// The real program that it stands for; none where there is none.
    pub(crate) real: Option<PathBuf>,
}

/// What is done about a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkAction {
    /// It is made.
    Make,
    /// It is there.
    Keep,
    /// It leads to us by another path, or to where we were, and is made anew.
    Replace,
    /// There is no program to stand for.
    Skip,
}

/// Where a directory stands on `PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OnPath {
    /// Nowhere.
    Absent,
    /// Before every real program that it has a link for.
    First,
    /// After this one, which therefore runs.
    After(PathBuf),
}

/// What is at the place of a link.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A link to this program; with the path that it holds.
    Ours(PathBuf),
    /// A link of ours to a `tf` that we are not: one that was moved, or another version.
    Former,
    /// This program itself, by another name or as a hard link.
    Itself,
    /// Something else; what, with its article.
    Foreign(String),
}

/// Whose links a directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The usual directory: nobody but us makes links there.
    Usual,
    /// One that holds our record: a link to a `tf` that is gone was ours.
    Recorded,
    /// Any other.
    Other,
}

impl Place {
    /// Looks at a directory.
    pub(super) fn of(directory: &Path, usual: Option<&Path>) -> Self {
        if usual.is_some_and(|usual| is_same(usual, directory)) {
            Self::Usual
        } else if record::is_there(directory) {
            Self::Recorded
        } else {
            Self::Other
        }
    }
}

/// Looks what is at the place of a link.
pub(super) fn look(path: &Path, ours: FileId, place: Place) -> Found {
    let Ok(found) = std::fs::symlink_metadata(path) else { return Found::Nothing };
    if !found.is_symlink() {
        return match FileId::of(&found) {
            id if id == ours => Found::Itself,
            _ if found.is_dir() => Found::Foreign("a directory".to_owned()),
            _ => Found::Foreign("a program of its own".to_owned()),
        };
    }
    let target = std::fs::read_link(path).unwrap_or_default();
    if FileId::at(path) == Some(ours) {
        return Found::Ours(target);
    }
    let is_former = match place {
        Place::Usual => true,
        Place::Recorded => !path.exists(),
        Place::Other => false,
    };
    if is_former && target.file_name().is_some_and(|name| name == "tf") {
        return Found::Former;
    }
    Found::Foreign(format!("a link to `{}`", target.display()))
}

/// Whether two paths are the same directory, also where it is not there yet.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    let (id, other_id) = (FileId::at(one), FileId::at(other));
    if id.is_some() { id == other_id } else { one == other }
}

/// What has to be done about each link.
///
/// # Errors
/// A name is taken.
pub(super) fn plan(
    directory: &Path,
    program: &Program,
    usual: Option<&Path>,
    both: bool,
) -> Result<Vec<LinkPlan>, Error> {
    let place = Place::of(directory, usual);
    let mut links = Vec::new();
    for name in NAMES {
        let path = directory.join(name);
        let real = real(name);
        let is_wanted = both || real.is_some();
        let action = match look(&path, program.id, place) {
            Found::Ours(target) if target == program.path => LinkAction::Keep,
            Found::Itself => LinkAction::Keep,
            Found::Ours(_) | Found::Former => LinkAction::Replace,
            Found::Nothing if is_wanted => LinkAction::Make,
            Found::Nothing | Found::Foreign(_) if !is_wanted => LinkAction::Skip,
            Found::Nothing => LinkAction::Skip,
            Found::Foreign(what) => return Err(InstallError::Occupied { path, what }.into()),
        };
        links.push(LinkPlan { name, path, action, real });
    }
    Ok(links)
}

/// The real program of a name, where there is one.
fn real(name: &str) -> Option<PathBuf> {
    let depth = Depth::from_environment();
    let on_path = survey(OsStr::new(name), &depth);
    let fits = on_path.into_iter().find(|found| found.verdict == Verdict::Fits);
    // TF_SHIM_REAL may name one that is not on PATH.
    let named =
        || RealBinary::find(OsStr::new(name), &depth).ok().filter(|real| real.name() == name);
    fits.map(|found| found.path).or_else(|| named().map(|real| real.path().to_owned()))
}

/// Where the directory stands on `PATH`, with regard to the programs it has links for.
pub(super) fn on_path(directory: &Path, links: &[LinkPlan]) -> OnPath {
    let entries = path_entries();
    let Some(ours) = entries.iter().position(|entry| is_same(entry, directory)) else {
        return OnPath::Absent;
    };
    let linked = links.iter().filter(|link| link.action != LinkAction::Skip);
    let reals = linked.filter_map(|link| link.real.as_deref());
    let before = reals.filter(|real| {
        let at = entries.iter().position(|entry| real.parent() == Some(entry));
        at.is_some_and(|at| at < ours)
    });
    before.map(Path::to_owned).next().map_or(OnPath::First, OnPath::After)
}

/// Makes a link.
///
/// # Errors
/// It cannot be made, or something else came into its place meanwhile.
pub(super) fn make(link: &LinkPlan, program: &Program) -> Result<(), InstallError> {
    match link.action {
        LinkAction::Keep | LinkAction::Skip => Ok(()),
        LinkAction::Make => {
            let made = symlink(&program.path, &link.path);
            // Two at once want the same.
            if made.is_err() && FileId::at(&link.path) == Some(program.id) {
                return Ok(());
            }
            made.map_err(|e| step("make the link", &link.path, e))
        }
        LinkAction::Replace => {
            remove(&link.path)?;
            symlink(&program.path, &link.path).map_err(|e| step("make the link", &link.path, e))
        }
    }
}

/// Removes a link, and nothing but a link.
///
/// # Errors
/// It cannot be removed, or is none.
pub(super) fn remove(path: &Path) -> Result<(), InstallError> {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let removed = if is_link {
        std::fs::remove_file(path)
    } else {
        Err(io::Error::other("it is not a link any more"))
    };
    removed.map_err(|source| step("remove the link", path, source))
}
