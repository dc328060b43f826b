//! Holds the reports of `tf shim check` against the schemas of their forms.
//!
//! JSON is validated by a validator, the XML of `JUnit` by `xmllint` against Jenkins' schema. What no schema can
//! say is checked here: that counts agree with what is counted, that fingerprints are unique, that an HTML
//! page refers to nothing. Where there is no `xmllint` on `PATH` the XSD is passed over, and the rest of
//! [`validate_junit`] still holds; with [`REQUIRE_XMLLINT`] set, as in CI, that is a failure.
//!
//! Every function panics with what is wrong, as an assertion does.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use regex::Regex;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

use crate::programs;

/// The variable that turns "no xmllint here, passed over" into a failure.
pub const REQUIRE_XMLLINT: &str = "TF_SHIM_TESTS_REQUIRE_XMLLINT";

/// The reports that are checked in, one of each kind: what the unit tests of `tf` compare with.
#[must_use]
pub fn fixtures() -> PathBuf {
    ours("fixtures/reports")
}

/// Validates the JSON report, and what `check --json` prints, against the published schema.
pub fn validate_check_json(json: &str) {
    held_against("../docs/check-report.schema.json", json);
}

/// Validates what `doctor --json` prints against the published schema.
pub fn validate_doctor_json(json: &str) {
    held_against("../docs/doctor.schema.json", json);
}

/// Validates a SARIF log against the schema of the standard, and against what code scanning asks for
/// besides: a file and a line for each result, and a fingerprint that no other result has.
pub fn validate_sarif(json: &str) {
    let log = held_against("fixtures/schemas/sarif-schema-2.1.0.json", json);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("a driver has rules");
    let mut seen = BTreeSet::new();
    for result in run["results"].as_array().expect("a run has results") {
        let index =
            usize::try_from(result["ruleIndex"].as_u64().expect("a result has a rule")).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"], "{result}");
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("a result has a file");
        assert!(!uri.is_empty() && !uri.starts_with('/') && !uri.contains(".."), "{uri}");
        assert!(place["region"]["startLine"].as_u64() > Some(0), "{result}");
        let fingerprint = result["partialFingerprints"]["tfShimFinding/v1"].as_str();
        assert!(seen.insert(fingerprint.expect("a result has a fingerprint")), "{result}");
    }
}

/// Validates GitLab's code quality report: the keys that its documentation asks for, and unique
/// fingerprints.
pub fn validate_codequality(json: &str) {
    let report: Value = serde_json::from_str(json).expect("code quality is JSON");
    let mut seen = BTreeSet::new();
    for entry in report.as_array().expect("code quality is a list") {
        let text = |value: &Value| {
            let text = value.as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{entry}");
            text.to_owned()
        };
        text(&entry["description"]);
        text(&entry["check_name"]);
        let severity = text(&entry["severity"]);
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity.as_str()));
        assert!(seen.insert(text(&entry["fingerprint"])), "{entry}");
        let path = text(&entry["location"]["path"]);
        assert!(!path.starts_with('/') && !path.starts_with("./"), "{path}");
        assert!(entry["location"]["lines"]["begin"].as_u64() > Some(0), "{entry}");
    }
}

/// Validates GitLab's Terraform report: three counts and nothing else.
pub fn validate_gitlab_terraform(json: &str) {
    let report: Value = serde_json::from_str(json).expect("the Terraform report is JSON");
    let report = report.as_object().expect("the Terraform report is an object");
    let keys: BTreeSet<_> = report.keys().map(String::as_str).collect();
    assert_eq!(keys, ["create", "delete", "update"].into());
    assert!(report.values().all(Value::is_u64), "{report:?}");
}

/// Validates a `JUnit` report against Jenkins' schema, and its counts and names, of which no schema knows.
pub fn validate_junit(xml: &str) {
    let document = Document::parse(xml).expect("a JUnit report is XML");
    let suites = document.root_element();
    let suite = suites.children().find(Node::is_element).expect("there is a suite");
    let tests: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
    assert!(!tests.is_empty(), "Jenkins fails a build whose report holds no test");
    let having = |tag: &str| {
        let has = |test: &&Node| test.children().any(|node| node.has_tag_name(tag));
        tests.iter().filter(has).count().to_string()
    };
    for node in [suites, suite] {
        assert_eq!(node.attribute("tests"), Some(tests.len().to_string().as_str()));
        assert_eq!(node.attribute("failures"), Some(having("failure").as_str()));
        assert_eq!(node.attribute("errors"), Some(having("error").as_str()));
    }
    assert_eq!(suite.attribute("skipped"), Some(having("skipped").as_str()));
    let stamp = suite.attribute("timestamp").expect("a suite has a time stamp");
    assert!(Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$").unwrap().is_match(stamp), "{stamp}");
    let mut seen = BTreeSet::new();
    for test in tests {
        let name = (test.attribute("classname"), test.attribute("name"));
        assert!(seen.insert(name), "GitLab takes two tests of one name for one: {name:?}");
    }
    held_against_xsd("fixtures/schemas/junit-10.xsd", xml);
}

/// Checks an HTML report: well-formed, one file, no script, nothing from elsewhere, readable on a phone,
/// by day and by night.
pub fn check_html(html: &str) {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let page = Document::parse_with_options(html, options).expect("the page is well-formed");
    assert!(html.starts_with("<!DOCTYPE html>"));
    assert_eq!(page.root_element().attribute("lang"), Some("en"));
    let meta = |name: &str| {
        let is = |node: &Node| {
            node.attribute("name") == Some(name) || node.attribute("http-equiv") == Some(name)
        };
        let found = page.descendants().find(is).and_then(|node| node.attribute("content"));
        found.unwrap_or_else(|| panic!("there is no {name}")).to_owned()
    };
    assert!(meta("viewport").contains("width=device-width"));
    assert!(meta("Content-Security-Policy").contains("default-src 'none'"));
    assert_eq!(meta("color-scheme"), "light dark");
    let count = |tag: &str| page.descendants().filter(|node| node.has_tag_name(tag)).count();
    assert_eq!((count("title"), count("h1"), count("main"), count("style")), (1, 1, 1, 1));
    for node in page.descendants().filter(Node::is_element) {
        check_element(node);
    }
    let style = page.descendants().find(|node| node.has_tag_name("style"));
    let style = style.and_then(|node| node.text()).unwrap_or_default();
    assert!(style.contains("prefers-color-scheme: dark"));
    assert!(!style.contains("url(") && !style.contains("@import"), "the style is all here");
}

/// Checks that an element brings nothing in and does nothing.
fn check_element(node: Node) {
    let tag = node.tag_name().name();
    let forbidden = ["script", "link", "iframe", "object", "embed", "img", "base", "form", "svg"];
    assert!(!forbidden.contains(&tag), "<{tag}> in the page");
    for attribute in node.attributes() {
        let name = attribute.name();
        let brings = ["src", "srcset", "href", "action", "data", "background", "poster", "style"];
        assert!(!name.starts_with("on") && !brings.contains(&name), "{tag} {name}");
    }
    if tag == "th" {
        assert!(node.has_attribute("scope"), "a header cell says what it heads");
    }
}

/// A file of this package.
fn ours(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A pattern for languages in the schema of SARIF that is no regular expression, and how its first errata
/// have it. We write no language.
const SLIP: &str = "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$";
const MENDED: &str = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$";

/// Validates a JSON document, which is given back, against a schema of this package.
fn held_against(schema: &str, json: &str) -> Value {
    let text = std::fs::read_to_string(ours(schema)).expect("the schema is there");
    let text: Value =
        serde_json::from_str(&text.replace(SLIP, MENDED)).expect("the schema is JSON");
    let validator = jsonschema::options().should_validate_formats(true).build(&text);
    let validator = validator.unwrap_or_else(|error| panic!("{schema} is no schema: {error}"));
    let document: Value = serde_json::from_str(json).expect("the report is JSON");
    let faults = validator.iter_errors(&document);
    let faults: Vec<_> =
        faults.map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "against {schema}:\n{}", faults.join("\n"));
    document
}

/// Validates XML against a schema of this package, where `xmllint` is there.
fn held_against_xsd(schema: &str, xml: &str) {
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema"]).arg(ours(schema)).arg("-");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        return programs::skip("no xmllint on PATH", REQUIRE_XMLLINT).unwrap_or_default();
    };
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    stdin.write_all(xml.as_bytes()).expect("xmllint reads what it validates");
    drop(stdin);
    let said = child.wait_with_output().expect("xmllint ends");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}
