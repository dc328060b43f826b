//! What stands on `PATH` under the names of Terraform and of us, and which one wins.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::ops::install::{program_path, takes_over};
use crate::proxy::real::RealBinary;
use crate::sys::file::FileId;

use super::super::shell;
use super::another::Others;
use super::{Ailment, Chart, Patient, Real};

/// The names that matter: what people type.
const NAMES: [&str; 3] = ["tf", "terraform", "tofu"];

/// A program on `PATH`.
pub(crate) struct OnPath {
    /// By which name.
    pub(crate) name: &'static str,
    /// Where.
    pub(crate) path: PathBuf,
    /// What it is.
    pub(crate) kind: Kind,
    /// Whether it is the first of its name: the one that runs.
    pub(crate) wins: bool,
}

/// What a program is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// This program.
    Ourselves,
    /// A `tf` of ours that is another file, with its version.
    Another(String),
    /// A link that leads to no file; a shell passes it over.
    Dangling,
    /// A version manager or wrapper, by its name.
    Manager(&'static str),
    /// Anything else.
    Other,
}

impl Kind {
    /// Its word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Ourselves => "tf",
            Self::Another(_) => "another-tf",
            Self::Dangling => "dangling",
            Self::Manager(name) => name,
            Self::Other => "other",
        }
    }
}

/// Looks at every absolute entry.
pub(super) fn look(patient: &Patient<'_>, chart: &mut Chart) -> Vec<OnPath> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let entries: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let (absolute, relative): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| entry.is_absolute());
    if !relative.is_empty() && !path.is_empty() {
        judge_relative(&absolute, &relative, chart);
    }
    let mut others = Others::default();
    let mut found: Vec<OnPath> = Vec::new();
    for name in NAMES {
        for path in absolute.iter().map(|directory| directory.join(name)) {
            if found.iter().any(|known| known.path == path) {
                continue;
            }
            let Some(kind) = kind_at(&path, &mut others) else { continue };
            let can_win = |entry: &OnPath| entry.name == name && entry.kind != Kind::Dangling;
            let wins = kind != Kind::Dangling && !found.iter().any(can_win);
            found.push(OnPath { name, path, kind, wins });
        }
    }
    judge(patient, &found, chart);
    for entry in &found {
        judge_dangling(patient, entry, chart);
    }
    found
}

/// What is at a path; none where nothing is that matters to a shell or to us.
fn kind_at(path: &Path, others: &mut Others) -> Option<Kind> {
    let Some(id) = FileId::at(path) else {
        return path.is_symlink().then_some(Kind::Dangling);
    };
    if !is_program(path) {
        return None;
    }
    if Some(id) == FileId::of_ourselves() {
        return Some(Kind::Ourselves);
    }
    let kind = kind_of(path);
    let another = if kind == Kind::Other { others.version_of(path, id) } else { None };
    Some(another.map_or(kind, Kind::Another))
}

/// A link that was ours: in a directory of ours, or to a `tf`.
fn judge_dangling(patient: &Patient<'_>, entry: &OnPath, chart: &mut Chart) {
    let target = std::fs::read_link(&entry.path).unwrap_or_default();
    let is_usual = entry.path.parent().is_some_and(|at| at.ends_with("tf-shim/bin"));
    let was_ours = is_usual || target.file_name().is_some_and(|name| name == "tf");
    if entry.kind != Kind::Dangling || !was_ours {
        return;
    }
    let (link, gone) = (entry.path.display(), target.display());
    let what = format!("`{link}` leads to `{gone}`, which is not there");
    match relink(patient, entry) {
        Some(command) if entry.name != "tf" => chart.mend(Ailment::DanglingLink, what, command),
        Some(_) | None => {
            chart.mend(Ailment::DanglingLink, what, format!("rm {}", shell::word(&entry.path)));
        }
    }
}

/// The command that makes a link lead to this program; none where its path is not known.
fn relink(patient: &Patient<'_>, entry: &OnPath) -> Option<String> {
    let program = program_path(patient.called_as)?;
    if takes_over(&entry.path) {
        return Some(format!("{} shim install", shell::word(&program)));
    }
    Some(format!("ln -sfn {}", shell::words([&program, &entry.path])))
}

/// Other copies of tf that run where this one is meant, or that are taken for Terraform.
pub(super) fn judge_others(
    patient: &Patient<'_>,
    found: &[OnPath],
    real: &Real,
    chart: &mut Chart,
) {
    let real = real.as_ref().ok().map(RealBinary::path);
    for entry in found {
        let Kind::Another(version) = &entry.kind else { continue };
        let is_real = real == Some(entry.path.as_path());
        // Where this tf is not on PATH, that is told, with the same fix.
        let is_told = entry.name == "tf" && !found.iter().any(|e| e.kind == Kind::Ourselves);
        if !(entry.wins || is_real) || is_told {
            continue;
        }
        let as_real = if is_real { "; it is run as the real Terraform" } else { "" };
        let what =
            format!("`{}` is another tf, {version}, not this one{as_real}", entry.path.display());
        let ours = found.iter().find(|e| e.name == entry.name && e.kind == Kind::Ourselves);
        let in_front_of_it = || {
            let directory = ours.and_then(|ours| ours.path.parent());
            directory.filter(|at| !brings_others(found, at)).map(|at| in_front(Some(at)))
        };
        let link = || relink(patient, entry).filter(|_| entry.path.is_symlink());
        let cure = if entry.wins { in_front_of_it().or_else(link) } else { link() };
        match cure {
            Some(command) => chart.mend(Ailment::AnotherTf, what, command),
            None => chart.advise(Ailment::AnotherTf, what, "keep one of the two on PATH"),
        }
    }
}

fn judge_relative(absolute: &[PathBuf], relative: &[PathBuf], chart: &mut Chart) {
    let shown: Vec<_> = relative.iter().map(|entry| format!("`{}`", entry.display())).collect();
    let clean = std::env::join_paths(absolute).unwrap_or_default();
    chart.mend(
        Ailment::RelativePath,
        format!("PATH has entries that are not absolute: {}", shown.join(", ")),
        format!("export PATH={}", shell::word(clean)),
    );
}

fn judge(patient: &Patient<'_>, found: &[OnPath], chart: &mut Chart) {
    let is_ours = |entry: &&OnPath| entry.kind == Kind::Ourselves;
    for name in NAMES {
        let ours = found.iter().filter(is_ours).find(|entry| entry.name == name);
        let winner = found.iter().find(|entry| entry.name == name && entry.wins);
        let (Some(ours), Some(winner)) = (ours, winner) else { continue };
        if !matches!(winner.kind, Kind::Ourselves | Kind::Another(_)) {
            let what = format!(
                "`{name}` runs {}, which comes before `{}`",
                shown(winner),
                ours.path.display()
            );
            chart.mend(Ailment::Shadowed, what, in_front(ours.path.parent()));
        }
    }
    if found.iter().any(|entry| entry.kind == Kind::Ourselves) {
        return;
    }
    let other = found.iter().find(|entry| entry.name == "tf" && entry.wins);
    let what = match other {
        Some(other) => format!("this tf is not on PATH, and `tf` is {}", shown(other)),
        None => "this tf is not on PATH".to_owned(),
    };
    match own_directory(patient) {
        Some(directory) => chart.mend(Ailment::NotOnPath, what, in_front(Some(&directory))),
        None => chart.advise(Ailment::NotOnPath, what, "link it as `tf` into a directory on PATH"),
    }
}

/// Whether a directory in front would have something run past every tf.
fn brings_others(found: &[OnPath], directory: &Path) -> bool {
    let is_there = |entry: &&OnPath| entry.path.parent() == Some(directory);
    found.iter().filter(is_there).any(|e| matches!(e.kind, Kind::Manager(_) | Kind::Other))
}

fn shown(entry: &OnPath) -> String {
    match &entry.kind {
        Kind::Manager(name) => format!("`{}` ({name})", entry.path.display()),
        Kind::Another(version) => format!("`{}`, another tf, {version}", entry.path.display()),
        Kind::Ourselves | Kind::Dangling | Kind::Other => format!("`{}`", entry.path.display()),
    }
}

fn in_front(directory: Option<&Path>) -> String {
    format!("export PATH={}:\"$PATH\"", shell::word(directory.unwrap_or(Path::new("/"))))
}

/// A directory in which we stand under one of the names.
fn own_directory(patient: &Patient<'_>) -> Option<PathBuf> {
    let called = Path::new(patient.called_as);
    let called = std::env::current_dir().ok()?.join(called);
    let program = crate::sys::process::own_program().ok();
    let is_ours = |path: &Path| {
        let is_named = path.file_name().is_some_and(|name| NAMES.iter().any(|n| name == *n));
        is_named && FileId::at(path).is_some() && FileId::at(path) == FileId::of_ourselves()
    };
    let found = [Some(called), program].into_iter().flatten().find(|path| is_ours(path))?;
    found.parent()?.canonicalize().ok()
}

/// Whether a file can be run.
pub(super) fn is_program(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// The first program of a name on `PATH`, absolute entries only.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let absolute = std::env::split_paths(&path).filter(|entry| entry.is_absolute());
    absolute.map(|directory| directory.join(name)).find(|path| is_program(path))
}

/// Recognises version managers by what lies beside their programs, or by what those lead to: tenv 4 and
/// tfenv 3 install their own program beside the others, mise 2026 links all names to itself, asdf 0.16
/// keeps them in `shims`, setup-terraform 3 renames the real one to `terraform-bin`.
fn kind_of(path: &Path) -> Kind {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let beside =
        |name: &str| [path, &target].iter().any(|path| path.with_file_name(name).is_file());
    let is_below = |name: &str| path.ancestors().any(|above| above.ends_with(name));
    let managers = [
        ("tenv", beside("tenv")),
        ("tfenv", beside("tfenv")),
        ("mise", target.ends_with("mise") || is_below("mise/shims")),
        ("asdf", is_below(".asdf/shims") || is_below("asdf/shims")),
        ("setup-terraform", beside("terraform-bin")),
    ];
    managers.iter().find(|(_, is_it)| *is_it).map_or(Kind::Other, |(name, _)| Kind::Manager(name))
}
