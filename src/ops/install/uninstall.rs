//! `tf shim uninstall`: takes away what `install` put there, and says what stays.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::Error;
use crate::error::install::InstallError;
use crate::ops::root_module;

use super::links::{self, Found, NAMES, Place};
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
    /// Start files that could not be looked at or changed, and may hold a block of ours.
    pub(crate) passed: Vec<Passed>,
    /// Lines that a person wrote and that name a directory of the links: the file, and the line's number.
    pub(crate) by_hand: Vec<(PathBuf, usize)>,
    /// The store, which stays.
    pub(crate) store: Option<Stays>,
    /// Whether it was carried out.
    pub(crate) is_done: bool,
}

/// A start file that was passed over.
pub(crate) struct Passed {
    /// Which.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) why: String,
}

impl Passed {
    fn over(path: &Path, error: &InstallError) -> Self {
        let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Self { path: path.to_owned(), why }
    }
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
/// The program has no path; a start file was left half edited.
pub(crate) fn plan(
    called_as: &OsStr,
    directory: Option<&Path>,
    store: Option<&Path>,
) -> Result<UninstallPlan, Error> {
    let around = Surroundings::look();
    let mut plan = UninstallPlan {
        program: program::find(called_as)?,
        links: Vec::new(),
        edits: Vec::new(),
        directories: Vec::new(),
        records: Vec::new(),
        is_hashed: false,
        passed: Vec::new(),
        by_hand: Vec::new(),
        store: stays(store),
        is_done: false,
    };
    let home = around.home.as_deref();
    let mut files: BTreeSet<PathBuf> = home.into_iter().flat_map(start_file::all).collect();
    for file in &files {
        plan.look_at(file)?;
    }
    let usual = around.usual_directory();
    let named = directory.and_then(|named| std::path::absolute(named).ok());
    let in_blocks = plan.edits.iter().flat_map(|edit| start_file::directories_in(edit, home));
    let places: Vec<PathBuf> =
        usual.iter().cloned().chain(named).chain(in_blocks).chain(path_entries()).collect();
    let mut seen = BTreeSet::new();
    let (mut made, mut left) = (BTreeSet::new(), Vec::from_iter(usual.clone()));
    for place in places {
        // Two entries of PATH may be one directory.
        if !seen.insert(place.canonicalize().unwrap_or_else(|_| place.clone())) {
            continue;
        }
        let record = Record::read(&place)?;
        if plan.take_from(&place, usual.as_deref()) {
            left.push(place);
        }
        for file in record.start_files {
            if files.insert(file.clone()) {
                plan.look_at(&file)?;
            }
        }
        made.extend(record.directories);
    }
    // Sorted, a directory comes before what is in it.
    plan.directories = made.into_iter().rev().filter(|directory| directory.is_dir()).collect();
    for file in files {
        let lines = start_file::lines_naming(&file, &left, home);
        plan.by_hand.extend(lines.into_iter().map(|line| (file.clone(), line)));
    }
    Ok(plan)
}

impl UninstallPlan {
    /// Looks for a block in a start file.
    ///
    /// # Errors
    /// An edit of it was cut off: neither it nor its copy is touched before a person has looked.
    fn look_at(&mut self, file: &Path) -> Result<(), InstallError> {
        match start_file::plan_removal(file) {
            Ok(edit) => self.edits.extend(edit),
            Err(error @ InstallError::CutOff { .. }) => return Err(error),
            Err(error) => self.passed.push(Passed::over(file, &error)),
        }
        Ok(())
    }

    /// Looks for links and a record in a directory; tells whether there was any of it.
    fn take_from(&mut self, place: &Path, usual: Option<&Path>) -> bool {
        let kind = Place::of(place, usual);
        let mut is_ours = false;
        for path in NAMES.iter().map(|name| place.join(name)) {
            if matches!(links::look(&path, self.program.id, kind), Found::Ours(_) | Found::Former) {
                is_ours = true;
                self.links.push(path);
            }
        }
        self.is_hashed |= is_ours && path_entries().iter().any(|entry| entry == place);
        if record::is_there(place) {
            self.records.push(place.to_owned());
            return true;
        }
        is_ours
    }
}

/// Does what the plan says. A start file that cannot be changed is passed over.
///
/// # Errors
/// A link cannot be changed; what came before is done.
pub(crate) fn carry_out(mut plan: UninstallPlan) -> Result<UninstallPlan, Error> {
    let mut done = Vec::new();
    for edit in std::mem::take(&mut plan.edits) {
        match start_file::carry_out(&edit) {
            Ok(()) => done.push(edit),
            Err(error) => plan.passed.push(Passed::over(&edit.path, &error)),
        }
    }
    plan.edits = done;
    for link in &plan.links {
        links::remove(link)?;
    }
    for directory in &plan.records {
        // A block that stays has to be found by the next run.
        let files = Record::read(directory)?.start_files;
        if !plan.passed.iter().any(|passed| files.contains(&passed.path)) {
            record::remove(directory)?;
        }
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
