//! Where a finding lies, and what makes it the same finding in the next run.
//!
//! Files are named relative to the report's base, which is the top of the repository where there is one: the
//! services that annotate files know no other. Easy to get wrong: an absolute path tells where somebody's
//! home is, so nothing outside the base is named by its place.

use std::collections::BTreeMap;
use std::path::Path;

use crate::check::finding::{Finding, Site};
use crate::check::report::CheckReport;
use crate::model::state::Digest;

/// The directory as a report names it: relative to the base, `.` where it is the base itself. A directory
/// elsewhere is named by its last part, so that nobody's home is told.
pub(in crate::ui) fn directory(report: &CheckReport) -> String {
    let below = report.directory.strip_prefix(&report.base);
    let short =
        below.unwrap_or_else(|_| report.directory.file_name().map_or(Path::new("."), Path::new));
    let text = short.to_string_lossy();
    if text.is_empty() { ".".to_owned() } else { text.into_owned() }
}

/// `modules/net/main.tf:12`.
pub(in crate::ui) fn spot(report: &CheckReport, site: &Site) -> String {
    format!("{}:{}", site.file_below(&report.base).to_string_lossy(), site.line)
}

/// A place inside the repository, as services that annotate files want it.
pub(in crate::ui) struct Place {
    /// The file, relative to the base.
    pub(in crate::ui) file: String,
    /// The first line, from 1.
    pub(in crate::ui) line: usize,
    /// The last, inclusive.
    pub(in crate::ui) end_line: usize,
}

/// Where a finding lies inside the repository; none where that is not known, or it lies elsewhere: a
/// service that shows a repository has no such file.
pub(in crate::ui) fn place(report: &CheckReport, site: Option<&Site>) -> Option<Place> {
    let site = site?;
    let file = site.file.strip_prefix(&report.base).ok()?.to_str()?.to_owned();
    Some(Place { file, line: site.line.max(1), end_line: site.end_line.max(site.line).max(1) })
}

/// Where a finding lies, or line 1 of the root module's `main.tf`: GitHub passes over a SARIF result
/// without a file, and GitLab an entry of code quality. That file is there by convention; where it is not,
/// both show the finding without its source, which is what we want.
pub(in crate::ui) fn place_or_root(report: &CheckReport, site: Option<&Site>) -> Place {
    place(report, site).unwrap_or_else(|| {
        let directory = report.directory.strip_prefix(&report.base).unwrap_or(Path::new(""));
        let file = directory.join("main.tf").to_string_lossy().into_owned();
        Place { file, line: 1, end_line: 1 }
    })
}

/// The findings, each with a fingerprint that is the same in every run and no other's in this one. It is
/// made of the directory, the workspace, the class and the address, not of the line, which moves, nor of the
/// paths, of which a rule may accept some.
pub(in crate::ui) fn fingerprinted(report: &CheckReport) -> Vec<(&Finding, String)> {
    let mut seen = BTreeMap::new();
    let mut all = Vec::new();
    for finding in &report.findings {
        let key = (finding.class, finding.address.as_str());
        let before: &mut usize = seen.entry(key).or_default();
        let parts = [finding.class.word(), &finding.address, &before.to_string()];
        all.push((finding, fingerprint(report, &parts)));
        *before = before.saturating_add(1);
    }
    all
}

/// The fingerprint of something that has such parts, in this directory and workspace.
pub(in crate::ui) fn fingerprint(report: &CheckReport, parts: &[&str]) -> String {
    let directory = directory(report);
    let all: Vec<_> =
        [directory.as_str(), &report.workspace].iter().chain(parts).copied().collect();
    // No part holds a zero byte that Terraform would take, so no two lists become one.
    Digest::of(all.join("\0").as_bytes()).prefix(40)
}
