//! GitHub Actions: annotations on stdout, the step's summary, the step's outputs.
//!
//! A workflow command is a line that starts with `::`, so foreign text must neither start one nor end one.
//! The runner undoes exactly these: `%25 %0D %0A` in a message, and `%3A %2C` too in a property (its
//! `ActionCommand.cs`, runner 2.3). It takes ten annotations of each level from a step and passes over the
//! others without a word, so the gravest come first and the last line says how many there are besides.

use std::fmt::Write as _;

use super::markdown::markdown;
use super::outline::{address, headline, open};
use super::place::{Place, place};
use super::plain::lines;
use super::stop::stop;
use crate::check::finding::{Finding, Weight};
use crate::check::report::CheckReport;
use crate::model::state::Digest;
use crate::model::text::escape;

/// Annotations of each level that a step may have.
const EACH: usize = 10;

/// Longest message of an annotation, in bytes; GitHub takes 64 KiB.
const LONGEST: usize = 60_000;

/// Longest title; GitHub takes 255 characters.
const TITLE: usize = 200;

/// Longest summary of a step, in bytes: GitHub takes 1 MiB, and nothing of one that is longer.
const SUMMARY: usize = 1_000_000;

/// Longest list among the outputs, in bytes; GitHub takes 1 MiB of a job.
const LIST: usize = 200_000;

/// How grave an annotation is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }

    fn of(finding: &Finding) -> Self {
        match (finding.accepted.is_some(), finding.weight) {
            (true, _) | (false, Weight::Told) => Self::Notice,
            (false, Weight::NoVerdict) => Self::Warning,
            (false, Weight::Fails) => Self::Error,
        }
    }
}

/// The workflow commands, one a line, for stdout.
pub(crate) fn annotations(report: &CheckReport) -> String {
    let mut all = Vec::new();
    if let Some(stop) = stop(report) {
        let parts = [stop.message.as_deref(), Some(&stop.safe), Some(&stop.next)];
        let text: Vec<_> = parts.into_iter().flatten().collect();
        let title = format!("tf shim check: {}", stop.what.replace('`', ""));
        all.push((Level::Error, annotation(Level::Error, None, &title, &text.join("\n"))));
    }
    for finding in open(report).chain(report.accepted()) {
        let level = Level::of(finding);
        let place = place(report, finding.site.as_ref());
        let title = format!("{}: {}", finding.class.word(), address(finding));
        let text = lines(report, finding).join("\n");
        all.push((level, annotation(level, place.as_ref(), &title, &text)));
    }
    for rule in &report.unused_rules {
        let place = place(report, rule.site.as_ref());
        let title = format!("a rule that matched nothing: {}", rule.address);
        let text = format!("reason: {}", rule.reason);
        all.push((Level::Notice, annotation(Level::Notice, place.as_ref(), &title, &text)));
    }
    limited(&all)
}

/// The first ten of each level, gravest first, and how many there are besides.
fn limited(all: &[(Level, String)]) -> String {
    let mut text = String::new();
    for wanted in Level::ALL {
        let these = all.iter().filter(|(level, _)| *level == wanted).take(EACH);
        these.for_each(|(_, line)| text.push_str(line));
    }
    let more = all.len().saturating_sub(text.lines().count());
    if more > 0 {
        let _ = writeln!(text, "tf shim: {more} more in the summary of this step");
    }
    text
}

fn annotation(level: Level, place: Option<&Place>, title: &str, message: &str) -> String {
    let place = place.map(|Place { file, line, end_line }| {
        format!("file={},line={line},endLine={end_line},", property(file))
    });
    let title = super::super::width::cut(&escape(title.as_bytes()), TITLE);
    let message: Vec<_> = message.lines().map(|line| escape(line.as_bytes())).collect();
    let message = first(&message.join("\n"), LONGEST).to_owned();
    let (level, place) = (level.word(), place.unwrap_or_default());
    format!("::{level} {place}title={}::{}\n", property(&title), data(&message))
}

/// The longest beginning that has at most so many bytes.
fn first(text: &str, bytes: usize) -> &str {
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let end = ends.take_while(|end| *end <= bytes).last();
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

/// The message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Markdown to be appended to the file that `GITHUB_STEP_SUMMARY` names.
pub(crate) fn summary(report: &CheckReport) -> String {
    markdown(report, SUMMARY)
}

/// Lines to be appended to the file that `GITHUB_OUTPUT` names.
pub(crate) fn outputs(report: &CheckReport) -> String {
    let failing = report.failing().count();
    let headline = headline(report);
    let counts = report.counts;
    let numbers = [
        ("findings", failing),
        ("accepted", report.accepted().count()),
        ("unused-rules", report.unused_rules.len()),
        ("resources", report.resources.len()),
        ("create", counts.create),
        ("update", counts.update),
        ("delete", counts.delete),
    ];
    let mut text = format!("verdict={}\n", report.verdict.word());
    for (name, number) in numbers {
        let _ = writeln!(text, "{name}={number}");
    }
    let gap = if headline.counts.is_empty() { "" } else { ": " };
    let _ = writeln!(text, "headline={}{gap}{}", headline.verdict, headline.counts);
    text.push_str(&list("addresses", report.failing().map(address)));
    text
}

/// An output of several lines, in GitHub's heredoc form. The delimiter is made of the text, so that no
/// line of it can be the delimiter.
fn list<'a>(name: &str, items: impl Iterator<Item = &'a str>) -> String {
    let mut body = String::new();
    for item in items {
        let line = escape(item.as_bytes());
        if body.len().saturating_add(line.len()) > LIST {
            break;
        }
        body.push_str(&line);
        body.push('\n');
    }
    let end = format!("end-{}", Digest::of(body.as_bytes()).prefix(32));
    format!("{name}<<{end}\n{body}{end}\n")
}
