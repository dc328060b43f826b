//! `tf shim uninstall`: takes away what `install` put there, and says what stays.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::Error;
use crate::ops::root_module;

use super::links::{self, Found, NAMES};
use super::record::{self, Record};
use super::{Edit, Program, Surroundings, path_entries, program, start_file};

/// What uninstalling would do, or did.
pub(crate) struct UninstallPlan {
    /// This program, which stays.
    pub(crate) program: Program,
    /// Links that go.
    pub(crate) links: Vec<PathBuf>,
    /// What is done to start files.
    pub(crate) edits: Vec<Edit>,
    /// Directories that `install` made, the innermost first; those that are not empty stay.
    pub(crate) directories: Vec<PathBuf>,
    /// Directories whose record goes.
    pub(crate) records: Vec<PathBuf>,
    /// Whether a shell that runs may still know where a link was.
    pub(crate) is_hashed: bool,
    /// The store, which stays.
    pub(crate) store: Option<Stays>,
    /// Whether it was carried out.
    pub(crate) is_done: bool,
}

/// What stays.
pub(crate) struct Stays {
    /// Where.
    pub(crate) path: PathBuf,
    /// How much, in bytes; none where there is nothing.
    pub(crate) bytes: Option<u64>,
}

impl UninstallPlan {
    /// Whether there is nothing to take away.
    pub(crate) fn is_nothing(&self) -> bool {
        self.links.is_empty() && self.edits.is_empty() && self.records.is_empty()
    }
}

/// Looks what is there of ours. Nothing is changed.
///
/// # Errors
/// The program has no path; a start file cannot be read, or was left half edited.
pub(crate) fn plan(
    called_as: &OsStr,
    directory: Option<&Path>,
    store: Option<&Path>,
) -> Result<UninstallPlan, Error> {
    let around = Surroundings::look();
    let program = program::find(called_as)?;
    let usual = around.usual_directory();
    let named = directory.and_then(|named| std::path::absolute(named).ok());
    let on_path = path_entries();
    let mut seen = BTreeSet::new();
    let places = usual.iter().cloned().chain(named).chain(on_path.iter().cloned());
    // Two entries of PATH may be one directory.
    let places: Vec<PathBuf> = places
        .filter(|place| seen.insert(place.canonicalize().unwrap_or_else(|_| place.clone())))
        .collect();
    let mut plan = UninstallPlan {
        program,
        links: Vec::new(),
        edits: Vec::new(),
        directories: Vec::new(),
        records: Vec::new(),
        is_hashed: false,
        store: stays(store),
        is_done: false,
    };
    let mut files: BTreeSet<PathBuf> =
        around.home.iter().flat_map(|home| start_file::all(home)).collect();
    let mut made = BTreeSet::new();
    for place in places {
        let is_usual = usual.as_ref().is_some_and(|usual| links::is_same(usual, &place));
        let found = NAMES.iter().map(|name| place.join(name));
        let ours = found.filter(|path| {
            matches!(links::look(path, plan.program.id, is_usual), Found::Ours(_) | Found::Former)
        });
        let before = plan.links.len();
        plan.links.extend(ours);
        plan.is_hashed |= plan.links.len() > before && on_path.contains(&place);
        let record = Record::read(&place)?;
        if record::place(&place).exists() {
            plan.records.push(place);
        }
        made.extend(record.directories);
        files.extend(record.start_files);
    }
    // Sorted, a directory comes before what is in it.
    plan.directories = made.into_iter().rev().filter(|directory| directory.is_dir()).collect();
    for file in files {
        plan.edits.extend(start_file::plan_removal(&file)?);
    }
    Ok(plan)
}

/// Does what the plan says.
///
/// # Errors
/// A link or a start file cannot be changed; what came before is done.
pub(crate) fn carry_out(mut plan: UninstallPlan) -> Result<UninstallPlan, Error> {
    for edit in &plan.edits {
        start_file::carry_out(edit)?;
    }
    for link in &plan.links {
        links::remove(link)?;
    }
    for directory in &plan.records {
        record::remove(directory)?;
    }
    // What is not empty is used by somebody else by now, such as the store.
    plan.directories.retain(|directory| std::fs::remove_dir(directory).is_ok());
    plan.is_done = true;
    Ok(plan)
}

/// Where the store is and how much is in it; none where no place is known.
fn stays(named: Option<&Path>) -> Option<Stays> {
    let configured =
        || Config::load_for_looking(&root_module(None)).ok().map(|(config, _)| config.store);
    let path = named.and_then(|named| std::path::absolute(named).ok()).or_else(configured)?;
    let bytes = path.is_dir().then(|| size_of(&path));
    Some(Stays { path, bytes })
}

/// The bytes of all files below a directory.
fn size_of(directory: &Path) -> u64 {
    let mut bytes = 0_u64;
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                waiting.push(entry.path());
            } else {
                bytes = bytes.saturating_add(found.len());
            }
        }
    }
    bytes
}
