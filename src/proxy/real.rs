//! Finding the real binary, and never ourselves.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::env;
use crate::sys::file::FileId;

use super::depth::Depth;

/// A program that has been proven not to be this one.
#[derive(Clone, Debug)]
pub(crate) struct RealBinary {
    path: PathBuf,
    id: FileId,
    name: &'static str,
    found_by: FoundBy,
}

/// How the real binary was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoundBy {
    /// `TF_SHIM_REAL` names it.
    Variable,
    /// First fitting program in the absolute entries of `PATH`.
    Path,
}

/// A program that was looked at and not taken.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Why not.
    pub(crate) verdict: Verdict,
}

/// Why a candidate was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is this program, under whatever name.
    Ourselves,
    /// It is a shim, or led straight back to one.
    Shim,
    /// It may not be executed.
    NotExecutable,
    /// It would have been taken.
    Fits,
}

/// Why there is no real binary.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotFound {
    /// Nothing fits on `PATH`.
    #[error("no real {} found on PATH", names.join(" or "))]
    Nowhere {
        /// The names looked for.
        names: Vec<&'static str>,
        /// What was looked at.
        candidates: Vec<Candidate>,
    },
    /// `TF_SHIM_REAL` is not an absolute path.
    #[error("TF_SHIM_REAL is not an absolute path: `{}`", path.display())]
    NotAbsolute {
        /// What it says.
        path: PathBuf,
    },
    /// `TF_SHIM_REAL` names nothing.
    #[error("TF_SHIM_REAL names no file: `{}`", path.display())]
    Missing {
        /// What it says.
        path: PathBuf,
    },
    /// `TF_SHIM_REAL` names this program.
    #[error("TF_SHIM_REAL names tf itself: `{}`", path.display())]
    Ourselves {
        /// What it says.
        path: PathBuf,
    },
    /// `TF_SHIM_REAL` names what called us.
    #[error("TF_SHIM_REAL leads back to tf: `{}`", path.display())]
    LeadsBack {
        /// What it says.
        path: PathBuf,
    },
    /// What there is on `PATH` called us.
    #[error("no real {} found on PATH: what is there leads back to tf", names.join(" or "))]
    Circle {
        /// The names looked for.
        names: Vec<&'static str>,
        /// What was looked at.
        candidates: Vec<Candidate>,
    },
    /// It is there and may not be run.
    #[error("the real binary is not executable: `{}`", path.display())]
    NotExecutable {
        /// Which.
        path: PathBuf,
    },
    /// Shims call each other without end.
    #[error("tf was started {count} times by itself; something on PATH leads back to it")]
    Loop {
        /// How many shims are above.
        count: u32,
        /// What is on `PATH`.
        candidates: Vec<Candidate>,
    },
}

impl NotFound {
    /// 126 where it is there and cannot be run, 127 where there is none; 125 is a loop (interface.md 1).
    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Self::NotExecutable { .. } => 126,
            Self::Nowhere { .. } | Self::Missing { .. } => 127,
            Self::NotAbsolute { .. }
            | Self::Ourselves { .. }
            | Self::LeadsBack { .. }
            | Self::Circle { .. }
            | Self::Loop { .. } => 125,
        }
    }

    /// What was looked at, for the message.
    pub(crate) fn candidates(&self) -> &[Candidate] {
        match self {
            Self::Nowhere { candidates, .. }
            | Self::Circle { candidates, .. }
            | Self::Loop { candidates, .. } => candidates,
            Self::NotAbsolute { .. }
            | Self::Missing { .. }
            | Self::Ourselves { .. }
            | Self::LeadsBack { .. }
            | Self::NotExecutable { .. } => &[],
        }
    }
}

impl RealBinary {
    /// Finds the program that we stand for when called by `called_as`.
    ///
    /// # Errors
    /// [`NotFound`], with every candidate that was looked at.
    pub(crate) fn find(called_as: &OsStr, depth: &Depth) -> Result<Self, NotFound> {
        let ourselves = FileId::of_ourselves();
        let names = names_for(called_as);
        if depth.is_a_loop() {
            let candidates = candidates(names, ourselves, depth);
            return Err(NotFound::Loop { count: depth.count(), candidates });
        }
        if let Some(path) = std::env::var_os(env::REAL).filter(|value| !value.is_empty()) {
            return Self::named(PathBuf::from(path), ourselves, depth);
        }
        let mut is_circle = false;
        for name in names {
            for path in on_path(name) {
                let Ok(found) = std::fs::metadata(&path) else { continue };
                let id = FileId::of(&found);
                if Some(id) == ourselves || depth.knows_as_shim(id) {
                    continue;
                }
                if !depth.leads_back(id, found.len()) {
                    return Ok(Self { path, id, name, found_by: FoundBy::Path });
                }
                is_circle = true;
            }
        }
        Err(not_found(names, candidates(names, ourselves, depth), is_circle))
    }

    fn named(path: PathBuf, ourselves: Option<FileId>, depth: &Depth) -> Result<Self, NotFound> {
        if !path.is_absolute() {
            return Err(NotFound::NotAbsolute { path });
        }
        let Ok(found) = std::fs::metadata(&path) else { return Err(NotFound::Missing { path }) };
        let id = FileId::of(&found);
        if Some(id) == ourselves {
            return Err(NotFound::Ourselves { path });
        }
        if depth.knows_as_shim(id) || depth.leads_back(id, found.len()) {
            return Err(NotFound::LeadsBack { path });
        }
        if !is_executable(&path) {
            return Err(NotFound::NotExecutable { path });
        }
        let name = if path.file_name().is_some_and(|n| n == "tofu") { "tofu" } else { "terraform" };
        Ok(Self { path, id, name, found_by: FoundBy::Variable })
    }

    /// Where it is, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Which file it is.
    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    /// `terraform` or `tofu`.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// How it was found.
    pub(crate) fn found_by(&self) -> FoundBy {
        self.found_by
    }

    /// The name it is called by: ours, where ours is one of Terraform's own, else its own. Terraform uses
    /// it for completion only (terraform-facts.md 12).
    pub(crate) fn argv0<'a>(&'a self, called_as: &'a OsStr) -> &'a OsStr {
        let base = Path::new(called_as).file_name();
        if base.is_some_and(|base| base == self.name) { called_as } else { OsStr::new(self.name) }
    }
}

/// Everything on `PATH` that could be meant, in order, with why it was or was not taken.
pub(crate) fn survey(called_as: &OsStr, depth: &Depth) -> Vec<Candidate> {
    candidates(names_for(called_as), FileId::of_ourselves(), depth)
}

/// The names to look for, in order.
fn names_for(called_as: &OsStr) -> &'static [&'static str] {
    let base = Path::new(called_as).file_name().unwrap_or(called_as);
    if base == "terraform" {
        return &["terraform"];
    }
    if base == "tofu" {
        return &["tofu"];
    }
    &["terraform", "tofu"]
}

/// `PATH` with its absolute entries only: an empty or relative one would run `./terraform`.
fn absolute_path_entries() -> Option<OsString> {
    let path = std::env::var_os("PATH")?;
    let absolute = std::env::split_paths(&path).filter(|entry| entry.is_absolute());
    std::env::join_paths(absolute).ok()
}

/// The programs of that name. The current directory is the root, so that nothing relative can count.
fn on_path(name: &str) -> impl Iterator<Item = PathBuf> {
    let entries = absolute_path_entries().filter(|entries| !entries.is_empty());
    entries.and_then(|e| which::which_in_all(name, Some(e), "/").ok()).into_iter().flatten()
}

/// Looks at every file of those names, the ones that cannot be run included.
fn candidates(names: &[&str], ourselves: Option<FileId>, depth: &Depth) -> Vec<Candidate> {
    let entries = absolute_path_entries().unwrap_or_default();
    let directories = std::env::split_paths(&entries).filter(|entry| entry.is_absolute());
    let mut directories: Vec<PathBuf> = directories.collect();
    let mut seen = Vec::new();
    directories.retain(|directory| {
        let is_new = !seen.contains(directory);
        seen.push(directory.clone());
        is_new
    });
    let files = names.iter().flat_map(|name| directories.iter().map(move |dir| dir.join(name)));
    files.filter_map(|path| judge(path, ourselves, depth)).collect()
}

fn judge(path: PathBuf, ourselves: Option<FileId>, depth: &Depth) -> Option<Candidate> {
    let found = std::fs::metadata(&path).ok()?;
    if found.is_dir() {
        return None;
    }
    let verdict = match FileId::of(&found) {
        id if Some(id) == ourselves => Verdict::Ourselves,
        id if depth.knows_as_shim(id) || depth.leads_back(id, found.len()) => Verdict::Shim,
        _ if !is_executable(&path) => Verdict::NotExecutable,
        _ => Verdict::Fits,
    };
    Some(Candidate { path, verdict })
}

fn not_found(names: &[&'static str], candidates: Vec<Candidate>, is_circle: bool) -> NotFound {
    let barred = candidates.iter().find(|found| found.verdict == Verdict::NotExecutable);
    let names = names.to_vec();
    match barred {
        Some(found) => NotFound::NotExecutable { path: found.path.clone() },
        None if is_circle => NotFound::Circle { names, candidates },
        None => NotFound::Nowhere { names, candidates },
    }
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
