//! Reports and evidence: all of them at once, each valid, after every kind of end.

use serde_json::Value;
use shim_tests::provider::Step;
use shim_tests::reports;

use super::{Checked, Stage, list, names_in, text};

/// Every report that is a file.
const REPORTS: [&str; 8] = [
    "json=out/check.json",
    "junit=out/check.xml",
    "sarif=out/check.sarif",
    "markdown=out/check.md",
    "html=out/check.html",
    "text=out/check.txt",
    "gitlab-codequality=out/codequality.json",
    "gitlab-terraform=out/terraform.json",
];

/// Something of several classes, an accepted difference and a rule that matches nothing.
const MIXED: &str = r#"resource "terraform_data" "a" {
  input = timestamp()
}
resource "fake_normalised" "b" {
  mode  = "case"
  value = "X"
}
resource "fake_thing" "c" {
  value = "calm"
}
"#;

/// Checks with every report and with evidence.
#[track_caller]
fn check_with_everything(stage: &Stage, more: &[&str]) -> Checked {
    let flags = REPORTS.iter().flat_map(|report| ["--report", report]);
    let args: Vec<&str> = flags
        .chain(["--report", "github", "--evidence", "out/evidence"])
        .chain(more.iter().copied())
        .collect();
    let line = stage.prepare(&args).env("GITHUB_ACTIONS", "true");
    let line = line.env("GITHUB_STEP_SUMMARY", stage.sandbox.project().join("out/summary.md"));
    stage.checked(line.env("GITHUB_OUTPUT", stage.sandbox.project().join("out/outputs")).run())
}

/// Reads a file of the project as text.
fn read(stage: &Stage, name: &str) -> String {
    String::from_utf8(stage.sandbox.read(name)).unwrap()
}

/// Fails unless every report is there and valid.
#[track_caller]
fn assert_valid(stage: &Stage, checked: &Checked) {
    reports::validate_check_json(&checked.transcript.stdout_text());
    reports::validate_check_json(&read(stage, "out/check.json"));
    reports::validate_junit(&read(stage, "out/check.xml"));
    reports::validate_sarif(&read(stage, "out/check.sarif"));
    reports::check_html(&read(stage, "out/check.html"));
    reports::validate_codequality(&read(stage, "out/codequality.json"));
    reports::validate_gitlab_terraform(&read(stage, "out/terraform.json"));
    let verdict = text(&checked.answer["verdict"]);
    let outputs = read(stage, "out/outputs");
    assert!(outputs.contains(&format!("verdict={verdict}\n")), "{outputs}");
    for page in ["out/check.md", "out/check.txt", "out/summary.md", "out/evidence/transcript.md"] {
        assert!(!read(stage, page).trim().is_empty(), "{page}");
    }
    let written: Value = serde_json::from_str(&read(stage, "out/check.json")).unwrap();
    assert_eq!(written, checked.answer, "the report and the answer are one");
}

#[test]
fn all_of_them_at_once() {
    let Some(stage) = Stage::set(MIXED) else { return };
    let rules = "[[check.accept]]\naddress = \"terraform_data.a\"\nreason = \"it is the clock\"\n\
                 [[check.accept]]\naddress = \"fake_thing.gone\"\nreason = \"long gone\"\n";
    stage.sandbox.write(".tf-shim.toml", rules);
    let checked = check_with_everything(&stage, &[]);
    let findings = [
        "update terraform_data.a input function main.tf:1 accepted: it is the clock",
        "normalised fake_normalised.b value case main.tf:4",
    ];
    checked.assert("not-idempotent", &findings);
    assert_valid(&stage, &checked);
    let pages = ["check.xml", "check.md", "check.txt", "check.html", "evidence/transcript.md"];
    for page in pages {
        // An HTML page may break long names where it likes.
        let page = read(&stage, &format!("out/{page}")).replace("<wbr/>", "");
        for word in ["terraform_data.a", "fake_normalised.b", "value", "it is the clock"] {
            assert!(page.contains(word), "{word}: {page}");
        }
    }
    let annotations = checked.transcript.stderr_text();
    assert!(annotations.contains("::error file=main.tf,line=4"), "{annotations}");
    assert!(annotations.contains("::notice file=main.tf,line=1"), "{annotations}");
    assert_eq!(
        list(&serde_json::from_str(&read(&stage, "out/codequality.json")).unwrap()).len(),
        2
    );
}

#[test]
fn of_what_is_idempotent() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    let checked = check_with_everything(&stage, &[]);
    checked.assert("idempotent", &[]);
    assert_valid(&stage, &checked);
    assert_eq!(read(&stage, "out/codequality.json").trim(), "[]");
}

#[test]
fn of_an_empty_configuration() {
    let Some(stage) = Stage::set("") else { return };
    let checked = check_with_everything(&stage, &[]);
    checked.assert("idempotent", &[]);
    assert_valid(&stage, &checked);
}

#[test]
fn of_a_plan_alone() {
    let Some(stage) = Stage::set(MIXED) else { return };
    let checked = check_with_everything(&stage, &["--plan-only"]);
    checked.transcript.assert_status(2);
    assert_valid(&stage, &checked);
    let counts: Value = serde_json::from_str(&read(&stage, "out/terraform.json")).unwrap();
    assert_eq!(counts, serde_json::json!({"create": 3, "update": 0, "delete": 0}));
}

#[test]
fn of_a_failure() {
    let Some(stage) = Stage::set("resource \"fake_failing\" \"f\" {\n  fails = \"create\"\n}\n")
    else {
        return;
    };
    let checked = check_with_everything(&stage, &[]);
    checked.transcript.assert_status(4);
    assert_valid(&stage, &checked);
    assert!(read(&stage, "out/check.xml").contains("<error"));
    let sarif: Value = serde_json::from_str(&read(&stage, "out/check.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn of_a_refusal() {
    let Some(stage) = Stage::set("") else { return };
    stage.sandbox.write(".tf-shim.toml", "[[check.accept]]\naddress = \"a\"\n");
    let checked = check_with_everything(&stage, &[]);
    checked.transcript.assert_status(125);
    assert_valid(&stage, &checked);
}

#[test]
fn of_no_verdict() {
    let two = "resource \"fake_thing\" \"a\" {}\nresource \"fake_thing\" \"b\" {}\n";
    let Some(stage) = Stage::applied(two.split_inclusive('\n').next().unwrap()) else { return };
    stage.configure(two);
    stage.cloud().hold(Step::Create);
    let before = stage.cloud().count(Step::Create, "fake_thing");
    let checked = std::thread::scope(|scope| {
        let running = scope.spawn(|| check_with_everything(&stage, &[]));
        stage.wait_for(Step::Create, "fake_thing", before + 1);
        stage.cloud().set("thing-1", "value", "theirs");
        stage.cloud().release(Step::Create);
        running.join().unwrap()
    });
    checked.assert("inconclusive", &["drift fake_thing.a value elsewhere main.tf:1"]);
    assert_valid(&stage, &checked);
}

/// Keys that would be commands to a terminal, a runner, a browser or a reader of XML.
#[test]
fn of_names_that_mean_harm() {
    let configuration = r#"resource "fake_normalised" "a" {
  for_each = toset(["\u001b[2J", "x\n::error::y", "<script>alert(1)</script>", "]]>&'", "a|b`c", "\u202e"])
  mode     = "case"
  value    = "X"
  tags     = { (each.key) = "<B>" }
}
"#;
    let Some(stage) = Stage::set(configuration) else { return };
    let checked = check_with_everything(&stage, &[]);
    checked.transcript.assert_status(2);
    assert_eq!(list(&checked.answer["findings"]).len(), 6);
    assert_valid(&stage, &checked);
    let text = shim_tests::shim::shim(&stage.sandbox, ["check", "--yes"]).run();
    let pages = ["check.xml", "check.sarif", "check.md", "check.txt", "summary.md", "outputs"];
    let pages = pages.map(|page| read(&stage, &format!("out/{page}")));
    let streams = [checked.transcript.stderr_text(), text.stdout_text(), text.stderr_text()];
    for page in pages.iter().chain(&streams) {
        assert!(!page.contains(['\u{1b}', '\u{202e}']), "{}", page.escape_debug());
        assert!(!page.lines().any(|line| line.starts_with("::error::y")), "{page}");
    }
    assert!(!read(&stage, "out/check.html").contains("<script"));
    // In Markdown nothing between back-ticks is HTML; the one line with a back-tick of its own is left out.
    let page = read(&stage, "out/check.md");
    let lines = page.lines().filter(|line| !line.contains("b`c"));
    let outside: String = lines.flat_map(|line| line.split('`').step_by(2)).collect();
    assert!(!outside.contains("<script"), "{outside}");
}

#[test]
fn without_github_there_is_nothing_for_it() {
    let Some(stage) = Stage::set("") else { return };
    let checked = stage.check(&["--report", "github"]);
    checked.assert("idempotent", &[]);
    let stderr = checked.transcript.stderr_text();
    assert!(stderr.contains("GITHUB_ACTIONS") && !stderr.contains("::"), "{stderr}");
}

#[test]
fn a_report_replaces_that_of_an_earlier_check() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    check_with_everything(&stage, &["--twice"]).assert("idempotent", &[]);
    let logs =
        ["01-plan0.log", "02-apply.log", "03-A.log", "04-B.log", "05-apply2.log", "06-C.log"];
    let evidence = stage.sandbox.project().join("out/evidence");
    assert_eq!(names_in(&evidence), [&logs[..], &["transcript.md"]].concat());
    stage.sandbox.write("out/evidence/notes.txt", "ours");
    let checked = check_with_everything(&stage, &[]);
    assert_valid(&stage, &checked);
    assert_eq!(names_in(&evidence), ["01-plan0.log", "notes.txt", "transcript.md"]);
    assert_eq!(checked.answer["steps"][0]["log"], "01-plan0.log");
}

#[test]
fn the_evidence_is_a_record_of_what_was_run() {
    let Some(stage) = Stage::set(MIXED) else { return };
    let checked = stage.check(&["--evidence", "out/evidence", "--", "-parallelism=2"]);
    checked.transcript.assert_status(2);
    let transcript = read(&stage, "out/evidence/transcript.md");
    for word in ["terraform plan", "-parallelism=2", "terraform apply", "-refresh=false", "1.11.4"]
    {
        assert!(transcript.contains(word), "{word}: {transcript}");
    }
    let log = read(&stage, "out/evidence/02-apply.log");
    assert!(log.starts_with("$ terraform apply"), "{log}");
    assert!(log.contains("Apply complete! Resources: 3 added"), "{log}");
    let private = stage.sandbox.path("tmp").display().to_string();
    for name in names_in(&stage.sandbox.project().join("out/evidence")) {
        let page = read(&stage, &format!("out/evidence/{name}"));
        assert!(!page.contains(&private), "{name}: our private directory is gone by then: {page}");
    }
}
