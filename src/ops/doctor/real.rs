//! The real binary: whether there is one, and whether it answers.

use std::path::{Path, PathBuf};

use crate::proxy::depth::Depth;
use crate::proxy::real::{FoundBy, NotFound, RealBinary};
use crate::sys::file::FileId;
use crate::terraform::version::Version;
use crate::terraform::{Terraform, TerraformError};

use super::super::shell;
use super::path::is_program;
use super::{Ailment, Chart, Cure, Kind, OnPath, Patient, Real};

/// Where it may be although `PATH` does not lead there; below the home where they begin with `~`.
const USUAL_PLACES: &[&str] = &[
    "/usr/local/bin",
    "/usr/bin",
    "/opt/homebrew/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/snap/bin",
    "~/.local/bin",
    "~/bin",
    "~/.tfenv/bin",
    "~/.tenv/bin",
    "~/.asdf/shims",
    "~/.local/share/mise/shims",
];

/// Finds it and asks for its version.
pub(super) fn look(
    patient: &Patient<'_>,
    directory: &Path,
    on_path: &[OnPath],
    chart: &mut Chart,
) -> (Real, Option<Version>) {
    let depth = Depth::from_environment();
    let real = match RealBinary::find(patient.called_as, &depth) {
        Ok(real) => real,
        Err(error) => {
            judge_missing(&error, chart);
            return (Err(error), None);
        }
    };
    let terraform = Terraform::new(real.clone(), depth, directory.to_owned(), patient.chdir);
    let version = match terraform.version(patient.limits()) {
        Ok(version) => Some(version),
        Err(error) => {
            judge_silent(&real, &error, on_path, chart);
            None
        }
    };
    (Ok(real), version)
}

fn judge_missing(error: &NotFound, chart: &mut Chart) {
    let (ailment, what) = (Ailment::RealMissing, error.to_string());
    match error {
        NotFound::NotAbsolute { .. } | NotFound::Missing { .. } | NotFound::Ourselves { .. } => {
            chart.mend(ailment, what, "unset TF_SHIM_REAL");
        }
        NotFound::LeadsBack { .. } => chart.mend(Ailment::Loop, what, "unset TF_SHIM_REAL"),
        NotFound::NotExecutable { path } => {
            chart.mend(ailment, what, format!("chmod +x {}", shell::word(path)));
        }
        NotFound::Nowhere { names, .. } => match elsewhere(names) {
            Some(place) => {
                let command = format!("export PATH=\"${{PATH:+$PATH:}}\"{}", shell::word(&place));
                chart.mend(ailment, format!("{what}, but `{}` has one", place.display()), command);
            }
            None => chart.advise(ailment, what, "install Terraform or OpenTofu"),
        },
        NotFound::Circle { .. } | NotFound::Loop { .. } => {
            chart.advise(Ailment::Loop, what, "set TF_SHIM_REAL to the absolute path of Terraform");
        }
    }
}

/// A usual place that has such a program, other than us.
fn elsewhere(names: &[&str]) -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let place = |place: &&str| match place.strip_prefix("~/") {
        Some(below) => home.as_ref().map(|home| home.join(below)),
        None => Some(PathBuf::from(place)),
    };
    let is_real = |path: &PathBuf| is_program(path) && FileId::at(path) != FileId::of_ourselves();
    let has_one = |place: &PathBuf| names.iter().any(|name| is_real(&place.join(name)));
    USUAL_PLACES.iter().filter_map(place).find(has_one)
}

/// What was found does not say its version: it leads back to us, or it is broken.
fn judge_silent(real: &RealBinary, error: &TerraformError, on_path: &[OnPath], chart: &mut Chart) {
    // Only a shim of ours, further down, begins its words so.
    let leads_back = matches!(error, TerraformError::Failed { stderr, .. }
        if stderr.lines().any(|line| line.starts_with("tf shim: ")));
    let (ailment, what) = if leads_back {
        (Ailment::Loop, format!("`{}` calls tf again", real.path().display()))
    } else {
        (Ailment::RealBroken, format!("`{}` does not work: {error}", real.path().display()))
    };
    let is_another = |entry: &&OnPath| {
        let is_program = matches!(entry.kind, Kind::Manager(_) | Kind::Other);
        let fits = entry.name == real.name() && is_program;
        fits && FileId::at(&entry.path) != Some(real.id())
    };
    let cure = match (real.found_by(), on_path.iter().find(is_another)) {
        (FoundBy::Variable, _) => Cure::Command("unset TF_SHIM_REAL".to_owned()),
        (FoundBy::Path, Some(other)) => {
            Cure::Command(format!("export TF_SHIM_REAL={}", shell::word(&other.path)))
        }
        (FoundBy::Path, None) => Cure::Advice(
            "set TF_SHIM_REAL to the absolute path of a Terraform that works".to_owned(),
        ),
    };
    chart.add(ailment, what, cure);
}
