//! The reports of `tf shim check`: one report, in the words of everybody who has to read it.
//!
//! Everything here turns a [`CheckReport`] into text and nothing else: the caller writes files. No form
//! holds a value, because a [`CheckReport`] holds none. What is easy to get wrong is foreign text: an
//! address may hold a quote, a pipe, `]]>`, `</script>`, `::` or a control character, and each form has its
//! own way to be broken by one. So every text goes through the house's `escape` first, then through the
//! escaping of its form ([`markup`]).

pub(crate) mod github;
mod gitlab;
mod html;
mod junit;
mod markdown;
mod markup;
pub(super) mod outline;
pub(super) mod place;
mod plain;
mod sarif;
pub(super) mod stop;
mod transcript;

#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;

use chrono::TimeDelta;

pub(crate) use self::outline::exit_status;
pub(crate) use self::transcript::transcript;
use super::screen::Frame;
use super::style::Paint;
use super::time::Clock;
use super::{Answer as _, json};
use crate::check::report::CheckReport;

/// A form in which a report can be written to a file. GitHub's annotations are apart: they go to stdout
/// and to files that GitHub names ([`github`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportFormat {
    /// As on a terminal, without colour and not folded.
    Text,
    /// What `--json` prints; `docs/check-report.schema.json` describes it.
    Json,
    /// The XML of `JUnit`, for the test tab of a CI server.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// For a comment on a pull request.
    Markdown,
    /// One file for a browser.
    Html,
    /// The code quality report of GitLab.
    GitlabCodequality,
    /// The Terraform report of GitLab: what the last plan would do.
    GitlabTerraform,
}

impl ReportFormat {
    /// All of them, in the order in which they are told.
    pub(crate) const ALL: [Self; 8] = [
        Self::Text,
        Self::Json,
        Self::Junit,
        Self::Sarif,
        Self::Markdown,
        Self::Html,
        Self::GitlabCodequality,
        Self::GitlabTerraform,
    ];

    /// The word of `--report`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::GitlabCodequality => "gitlab-codequality",
            Self::GitlabTerraform => "gitlab-terraform",
        }
    }

    /// The form of that word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }
}

/// Longest Markdown report, in bytes: GitHub takes 65,536 characters in a comment, GitLab a million.
const COMMENT: usize = 65_000;

/// Writes a report in one form; it ends with an end of line.
pub(crate) fn render(format: ReportFormat, report: &CheckReport) -> String {
    match format {
        ReportFormat::Text => text(report),
        ReportFormat::Json => json::written(&json::check::check(report)),
        ReportFormat::Junit => junit::junit(report),
        ReportFormat::Sarif => json::written(&sarif::sarif(report)),
        ReportFormat::Markdown => markdown::markdown(report, COMMENT),
        ReportFormat::Html => html::html(report),
        ReportFormat::GitlabCodequality => json::written(&gitlab::codequality(report)),
        ReportFormat::GitlabTerraform => json::written(&gitlab::terraform(report)),
    }
}

fn text(report: &CheckReport) -> String {
    let took = TimeDelta::from_std(report.took).unwrap_or(TimeDelta::zero());
    let now = report.began.checked_add_signed(took).unwrap_or(report.began);
    report.screen(&Frame { width: None, clock: Clock::at(now) }).render(Paint::Plain)
}
