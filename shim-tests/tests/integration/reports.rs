//! The checked-in reports of `tf shim check` against the schemas of their forms. The unit tests of `tf`
//! hold what it writes against the same files, so that a report that is not valid cannot be written.

use std::path::Path;

use shim_tests::reports::{
    check_html, fixtures, validate_check_json, validate_codequality, validate_gitlab_terraform,
    validate_junit, validate_sarif,
};

/// Calls a function with every checked-in report whose name ends so, and says how many there were.
fn each(ending: &str, validate: fn(&str)) -> usize {
    let entries = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let is_meant = |path: &Path| path.to_str().unwrap().ends_with(ending);
    let meant: Vec<_> = entries.filter(|path| is_meant(path)).collect();
    for path in &meant {
        validate(&std::fs::read_to_string(path).unwrap());
    }
    meant.len()
}

#[test]
fn json_reports_are_as_the_published_schema_says() {
    assert_eq!(each(".check.json", validate_check_json), 6);
}

#[test]
fn sarif_reports_are_sarif() {
    assert_eq!(each(".sarif", validate_sarif), 6);
}

#[test]
fn junit_reports_are_what_jenkins_reads() {
    assert_eq!(each(".junit.xml", validate_junit), 6);
}

#[test]
fn gitlab_reports_are_what_gitlab_reads() {
    assert_eq!(each(".codequality.json", validate_codequality), 6);
    assert_eq!(each(".terraform.json", validate_gitlab_terraform), 6);
}

#[test]
fn html_reports_stand_alone() {
    assert_eq!(each(".html", check_html), 2);
}

#[test]
#[should_panic(expected = "not-a-verdict")]
fn a_verdict_that_is_none_is_noticed() {
    let report = std::fs::read_to_string(fixtures().join("accepted.check.json")).unwrap();
    validate_check_json(&report.replace("not-idempotent", "not-a-verdict"));
}

#[test]
#[should_panic(expected = "<img> in the page")]
fn a_picture_from_elsewhere_is_noticed() {
    let page = std::fs::read_to_string(fixtures().join("every-class.html")).unwrap();
    check_html(&page.replace("<main>", "<main><img alt=\"\" src=\"https://example.com/\"/>"));
}
