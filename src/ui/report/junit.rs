//! The XML of `JUnit`, for the test tab of a CI server.
//!
//! Every managed resource that was looked at is a test, and so is everything else that has a finding. There
//! is no standard, only readers: this is what Jenkins' schema allows (`junit-10.xsd` of its xUnit plugin)
//! and GitLab, GitHub's test reporters and `junit2html` read. A test that holds two failures is valid there
//! and is counted as one by most, so each finding is a test of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use super::markup::xml;
use super::outline::{address, headline};
use super::place::{directory, place};
use super::plain::{accepted, lines, sentence};
use super::stop::{Stop, stop};
use crate::check::finding::{Finding, Site, Weight};
use crate::check::report::{CheckReport, Step};

/// What a test came to.
enum Case {
    /// It is as it should be; what is told all the same.
    Passed(Option<String>),
    /// It failed: type, message, text.
    Failed(&'static str, String, String),
    /// Nothing can be said: type, message, text.
    Broken(&'static str, String, String),
    /// A rule accepts it: the reason.
    Accepted(String),
}

/// One test.
struct Test {
    class: String,
    name: String,
    place: Option<(String, usize)>,
    took: Duration,
    case: Case,
}

/// The whole document.
pub(super) fn junit(report: &CheckReport) -> String {
    let mut tests: Vec<Test> =
        stop(report).map(|stop| stopped(report, &stop)).into_iter().collect();
    tests.extend(findings(report));
    let found: BTreeSet<_> = report.findings.iter().map(|f| f.address.as_str()).collect();
    let fine = report.resources.iter().filter(|address| !found.contains(address.as_str()));
    tests.extend(fine.map(|address| passed(report, address)));
    if tests.is_empty() {
        // Jenkins fails a build whose report holds no test at all.
        tests.push(passed(report, headline(report).verdict));
    }
    document(report, &tests)
}

fn passed(report: &CheckReport, address: &str) -> Test {
    Test {
        class: class_name(report, address),
        name: address.to_owned(),
        place: None,
        took: Duration::ZERO,
        case: Case::Passed(None),
    }
}

/// A test for each finding. Where an address has several they are told apart by class and number: GitLab
/// takes two tests of one name for one.
fn findings(report: &CheckReport) -> Vec<Test> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &report.findings {
        let count = count.entry(address(finding)).or_default();
        *count = count.saturating_add(1);
    }
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut tests = Vec::new();
    for finding in &report.findings {
        let (about, class) = (address(finding), finding.class.word());
        let number = seen.entry((about, class)).or_default();
        *number = number.saturating_add(1);
        let name = match (count.get(about), *number) {
            (Some(1) | None, _) => about.to_owned(),
            (Some(_), 1) => format!("{about} ({class})"),
            (Some(_), number) => format!("{about} ({class} {number})"),
        };
        tests.push(Test {
            class: class_name(report, &finding.address),
            name,
            place: spot(report, finding.site.as_ref()),
            took: Duration::ZERO,
            case: case(report, finding),
        });
    }
    tests
}

fn spot(report: &CheckReport, site: Option<&Site>) -> Option<(String, usize)> {
    place(report, site).map(|place| (place.file, place.line))
}

fn case(report: &CheckReport, finding: &Finding) -> Case {
    let text = || lines(report, finding).join("\n");
    if let Some(acceptance) = &finding.accepted {
        return Case::Accepted(accepted(acceptance));
    }
    match finding.weight {
        Weight::Fails => Case::Failed(finding.class.word(), sentence(finding), text()),
        Weight::NoVerdict => Case::Broken(finding.class.word(), sentence(finding), text()),
        Weight::Told => Case::Passed(Some(text())),
    }
}

/// A test for the step at which it ended.
fn stopped(report: &CheckReport, why: &Stop) -> Test {
    let (step, how) = (report.end.step(), report.end.how());
    let took =
        report.steps.iter().rfind(|gone| Some(gone.name) == step).map(|gone: &Step| gone.took);
    let parts = [why.message.as_ref(), Some(&why.safe), Some(&why.next)];
    let text: Vec<_> = parts.into_iter().flatten().flat_map(|part| part.lines()).collect();
    Test {
        class: format!("{}.steps", directory(report)),
        name: step.map_or("check", |step| step.title()).to_owned(),
        place: None,
        took: took.unwrap_or_default(),
        case: Case::Broken(how, why.what.clone(), text.join("\n")),
    }
}

/// The module of an address, without its keys; the directory for what lies in the root module.
fn class_name(report: &CheckReport, address: &str) -> String {
    let directory = directory(report);
    let module = module(address);
    if module.is_empty() { directory } else { format!("{directory}.{module}") }
}

/// `module.a.module.b` of `module.a["x.y"].module.b[0].aws_x.y`.
fn module(address: &str) -> String {
    let mut parts = Vec::new();
    let mut rest = address;
    while let Some(inner) = rest.strip_prefix("module.") {
        let end = inner.find(['.', '[']).unwrap_or(inner.len());
        let (name, after) = inner.split_at(end);
        parts.push(format!("module.{name}"));
        rest = past_key(after).strip_prefix('.').unwrap_or_default();
    }
    parts.join(".")
}

/// What follows a key in brackets, which may hold brackets of its own between quotes.
fn past_key(text: &str) -> &str {
    if !text.starts_with('[') {
        return text;
    }
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ']' if !is_quoted => return text.get(at.saturating_add(1)..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}

fn document(report: &CheckReport, tests: &[Test]) -> String {
    let count = |is: fn(&Case) -> bool| tests.iter().filter(|test| is(&test.case)).count();
    let failures = count(|case| matches!(case, Case::Failed(..)));
    let errors = count(|case| matches!(case, Case::Broken(..)));
    let skipped = count(|case| matches!(case, Case::Accepted(_)));
    let name = format!("tf shim check: {} ({})", directory(report), report.workspace);
    let (name, tests_count, time) = (xml(&name), tests.len(), seconds(report.took));
    let counts = format!("tests=\"{tests_count}\" failures=\"{failures}\" errors=\"{errors}\"");
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "<testsuites name=\"tf shim check\" {counts} time=\"{time}\">");
    // A time without a zone, as Ant's schema has it. UTC.
    let began = report.began.format("%Y-%m-%dT%H:%M:%S");
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" {counts} skipped=\"{skipped}\" time=\"{time}\" \
         timestamp=\"{began}\">",
    );
    text.push_str(&properties(report));
    for test in tests {
        text.push_str(&written(test));
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn properties(report: &CheckReport) -> String {
    let version = report.program_version.as_deref().unwrap_or("unknown");
    let all = [
        ("verdict", report.verdict.word()),
        ("workspace", &report.workspace),
        (&report.program, version),
    ];
    let all = all.map(|(name, value)| {
        format!("      <property name=\"{}\" value=\"{}\"/>\n", xml(name), xml(value))
    });
    format!("    <properties>\n{}    </properties>\n", all.concat())
}

fn written(one: &Test) -> String {
    let (class, name) = (xml(&one.class), xml(&one.name));
    let place =
        one.place.as_ref().map(|(file, line)| format!(" file=\"{}\" line=\"{line}\"", xml(file)));
    let place = place.unwrap_or_default();
    let time = seconds(one.took);
    let head = format!("<testcase classname=\"{class}\" name=\"{name}\"{place} time=\"{time}\"");
    let inner = match &one.case {
        Case::Passed(None) => return format!("    {head}/>\n"),
        Case::Passed(Some(text)) => format!("<system-out>{}</system-out>", multiline(text)),
        Case::Failed(class, message, text) => fault("failure", class, message, text),
        Case::Broken(class, message, text) => fault("error", class, message, text),
        Case::Accepted(reason) => format!("<skipped message=\"{}\"/>", xml(reason)),
    };
    format!("    {head}>\n      {inner}\n    </testcase>\n")
}

fn fault(tag: &str, class: &str, message: &str, text: &str) -> String {
    let (message, text) = (xml(message), multiline(text));
    format!("<{tag} type=\"{class}\" message=\"{message}\">{text}</{tag}>")
}

/// Our own lines stay lines.
fn multiline(text: &str) -> String {
    text.lines().map(xml).collect::<Vec<_>>().join("\n")
}

fn seconds(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::module;

    #[test]
    fn the_module_of_an_address_has_no_keys() {
        assert_eq!(module("aws_x.y"), "");
        assert_eq!(module("module.a.aws_x.y[0]"), "module.a");
        assert_eq!(module(r#"module.a["x.]\"y"].module.b[0].aws_x.y"#), "module.a.module.b");
        assert_eq!(module("module.a["), "module.a");
        assert_eq!(module("module."), "module.");
    }
}
