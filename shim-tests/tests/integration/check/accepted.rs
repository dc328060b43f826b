//! Accepted differences: rules of `.tf-shim.toml` and of `--accept`, what they cover, what they must say.

use serde_json::json;

use super::{Stage, list, text};

/// A resource that is updated by every apply, one that is replaced, one whose tags and value are rewritten.
const RESTLESS: &str = r#"resource "terraform_data" "updated" {
  input = timestamp()
}
resource "terraform_data" "replaced" {
  triggers_replace = timestamp()
}
resource "fake_normalised" "n" {
  mode  = "case"
  value = "X"
  tags  = { team = "Y" }
}
"#;

/// What is found in [`RESTLESS`].
const FOUND: [&str; 3] = [
    "replace terraform_data.replaced triggers_replace function main.tf:4",
    "update terraform_data.updated input function main.tf:1",
    "normalised fake_normalised.n tags.team,value case main.tf:7",
];

/// A rule with further lines.
fn rule(address: &str, more: &str) -> String {
    format!("[[check.accept]]\naddress = \"{address}\"\n{more}\n")
}

/// A stage on which [`RESTLESS`] is configured, with a project file.
fn stage(project_file: &str) -> Option<Stage> {
    let stage = Stage::set(RESTLESS)?;
    stage.sandbox.write(".tf-shim.toml", project_file);
    Some(stage)
}

/// What is found, the findings of some numbers accepted for a reason.
fn with_accepted(accepted: &[(usize, &str)]) -> Vec<String> {
    let mut found: Vec<String> = FOUND.iter().map(|finding| (*finding).to_owned()).collect();
    for (at, reason) in accepted {
        found[*at] = format!("{} accepted: {reason}", found[*at]);
    }
    found
}

#[test]
fn accepted_differences_are_shown_as_accepted_and_do_not_fail() {
    let rules = rule("terraform_data.updated", "reason = \"clock\"")
        + &rule("terraform_data.replaced", "actions = [\"replace\"]\nreason = \"new each day\"")
        + &rule("fake_normalised.*", "reason = \"upstream bug\"\nexpires = 2026-11-20");
    let Some(stage) = stage(&rules) else { return };
    let checked = stage.check(&[]);
    let found = with_accepted(&[(0, "new each day"), (1, "clock"), (2, "upstream bug")]);
    assert_eq!(checked.findings(), found, "{}", checked.transcript);
    assert_eq!(checked.answer["verdict"], "idempotent");
    checked.transcript.assert_status(0);
    let expires: Vec<_> =
        list(&checked.answer["findings"]).iter().map(|f| &f["accepted"]["expires"]).collect();
    assert_eq!(expires, [&json!(null), &json!(null), &json!("2026-11-20")]);
    assert!(checked.unused_rules().is_empty());
}

#[test]
fn a_loss_is_not_accepted_by_a_rule_that_does_not_say_so() {
    let Some(stage) = stage(&rule("*", "reason = \"everything\"")) else { return };
    let checked = stage.check(&[]);
    let found = with_accepted(&[(1, "everything"), (2, "everything")]);
    assert_eq!(checked.findings(), found, "{}", checked.transcript);
    checked.transcript.assert_status(2);
}

#[test]
fn a_rule_with_actions_covers_no_others() {
    let rules = rule("*", "actions = [\"replace\"]\nreason = \"made anew\"");
    let Some(stage) = stage(&rules) else { return };
    let checked = stage.check(&[]);
    let found = with_accepted(&[(0, "made anew")]);
    assert_eq!(checked.findings(), found, "{}", checked.transcript);
}

#[test]
fn a_rule_with_a_path_covers_no_other_path() {
    let Some(stage) = stage(&rule("fake_normalised.n", "path = \"tags\"\nreason = \"r\"")) else {
        return;
    };
    let checked = stage.check(&[]);
    assert_eq!(checked.findings(), FOUND, "{}", checked.transcript);
    let cause = text(&checked.answer["findings"][2]["cause"]);
    assert!(cause.contains("`value`"), "what is still open is named: {cause}");
    let both = rule("fake_normalised.n", "path = \"tags\"\nreason = \"one\"")
        + &rule("fake_normalised.n", "path = \"value\"\nreason = \"two\"");
    stage.sandbox.write(".tf-shim.toml", both);
    let found = with_accepted(&[(2, "one; two")]);
    assert_eq!(stage.check(&[]).findings(), found);
}

#[test]
fn a_rule_that_has_expired_is_a_finding() {
    let Some(stage) = Stage::set("resource \"terraform_data\" \"a\" {\n  input = uuid()\n}\n")
    else {
        return;
    };
    let rules =
        format!("\n{}", rule("terraform_data.a", "reason = \"for a while\"\nexpires = 2026-11-19"));
    stage.sandbox.write(".tf-shim.toml", rules);
    let findings = [
        "update terraform_data.a input function main.tf:1",
        "expired terraform_data.a - rule .tf-shim.toml:2",
    ];
    stage.check(&[]).assert("not-idempotent", &findings);
}

#[test]
fn a_rule_that_has_expired_fails_where_nothing_differs_too() {
    let Some(stage) = Stage::applied("resource \"fake_thing\" \"a\" {}\n") else { return };
    let rules = rule("fake_thing.a", "reason = \"for a while\"\nexpires = 2026-11-19");
    stage.sandbox.write(".tf-shim.toml", rules);
    stage.check(&[]).assert("not-idempotent", &["expired fake_thing.a - rule .tf-shim.toml:1"]);
}

#[test]
fn a_rule_that_matched_nothing_is_reported_and_does_not_fail() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
    stage.sandbox.write(".tf-shim.toml", rule("fake_thing.b", "reason = \"long gone\""));
    let checked = stage.check(&[]);
    checked.assert("idempotent", &[]);
    assert_eq!(checked.unused_rules(), ["fake_thing.b"]);
    let unused = &checked.answer["unused_rules"][0];
    assert_eq!((&unused["reason"], &unused["line"]), (&json!("long gone"), &json!(1)), "{unused}");
}

#[test]
fn a_rule_of_the_repository_above_holds_too() {
    let Some(stage) = Stage::set("") else { return };
    stage.sandbox.write(".tf-shim.toml", rule("terraform_data.a", "reason = \"above\""));
    stage
        .sandbox
        .write("env/main.tf", "resource \"terraform_data\" \"a\" {\n  input = uuid()\n}\n");
    std::fs::create_dir(stage.sandbox.project().join(".git")).unwrap();
    let line = stage.sandbox.tf(["-chdir=env", "shim", "check", "--yes", "--json"]);
    let finding = "update terraform_data.a input function env/main.tf:1 accepted: above";
    stage.checked(line.run()).assert("idempotent", &[finding]);
}

#[test]
fn a_rule_for_one_run() {
    let Some(stage) = stage("") else { return };
    let accept = ["--accept", "terraform_data.updated:input", "--accept=fake_normalised.*"];
    let checked = stage.check(&accept);
    let reason = "given on the command line";
    let found = with_accepted(&[(1, reason), (2, reason)]);
    assert_eq!(checked.findings(), found, "{}", checked.transcript);
    checked.transcript.assert_status(2);
}

#[test]
fn a_path_may_be_written_in_either_way() {
    let Some(stage) = stage("") else { return };
    for path in ["tags[\"team\"]", "tags.team", "tags[\"*\"]"] {
        let tags = format!("fake_normalised.n:{path}");
        let checked = stage.check(&["--accept", &tags, "--accept=fake_normalised.n:value"]);
        let found = with_accepted(&[(2, "given on the command line")]);
        assert_eq!(checked.findings(), found, "{path}: {}", checked.transcript);
    }
}

#[test]
fn proposed_rules_accept_what_was_open_once_they_have_reasons() {
    let Some(stage) = stage("") else { return };
    let written = stage.check(&["--write-accept"]);
    let proposal = written.transcript.stderr_text();
    let at = proposal.find("# ").unwrap_or_else(|| panic!("{}", written.transcript));
    let ours = |line: &&str| !line.starts_with("tf shim");
    let proposal = proposal[at..].lines().filter(ours).collect::<Vec<_>>().join("\n");
    assert_eq!(proposal.matches("[[check.accept]]").count(), 4, "{proposal}");
    stage.sandbox.write(".tf-shim.toml", &proposal);
    let refused = stage.check(&[]);
    refused.transcript.assert_status(125);
    let stderr = refused.transcript.stderr_text();
    assert!(stderr.contains("reason"), "a rule without a reason is none: {stderr}");
    stage
        .sandbox
        .write(".tf-shim.toml", proposal.replace("reason  = \"\"", "reason = \"because\""));
    let checked = stage.check(&[]);
    checked.transcript.assert_status(0);
    let found = list(&checked.answer["findings"]);
    assert_eq!(found.len(), 3, "{}", checked.transcript);
    assert!(found.iter().all(|finding| finding["accepted"].is_object()), "{}", checked.transcript);
    assert!(checked.unused_rules().is_empty());
}

#[test]
fn proposed_rules_are_an_answer_where_no_document_is_asked_for() {
    let Some(stage) = stage("") else { return };
    let line = shim_tests::shim::shim(&stage.sandbox, ["check", "--yes", "--write-accept"]);
    let transcript = line.run();
    transcript.assert_status(2);
    assert!(transcript.stdout_text().contains("\n[[check.accept]]\n"), "{transcript}");
}

/// Fails unless a project file stops a check before anything was run, and names file, line and key.
#[track_caller]
fn assert_broken(project_file: &str, line: usize, word: &str) {
    let Some(stage) = stage(project_file) else { return };
    let checked = stage.check(&[]);
    checked.transcript.assert_status(125);
    let stderr = checked.transcript.stderr_text();
    assert!(stderr.contains(&format!(".tf-shim.toml:{line}")), "{stderr}");
    assert!(stderr.contains(word), "{stderr}");
    assert_eq!(checked.answer["verdict"], "error", "{}", checked.transcript);
    assert!(checked.steps().is_empty() && stage.cloud().calls().is_empty());
}

#[test]
fn a_rule_without_a_reason_is_a_broken_configuration() {
    assert_broken(&rule("a.b", ""), 1, "reason");
    assert_broken(&rule("a.b", "reason = \" \""), 3, "reason");
}

#[test]
fn a_rule_with_an_unknown_key_is_a_broken_configuration() {
    assert_broken(&rule("a.b", "reason = \"r\"\nresaon = \"s\""), 4, "resaon");
    assert_broken("[check]\noutput = [\"a\"]\n", 2, "output");
}

#[test]
fn a_rule_with_a_wrong_value_is_a_broken_configuration() {
    assert_broken(&rule("a.b", "reason = \"r\"\nexpires = \"soon\""), 4, "expires");
    assert_broken(&rule("a.b", "reason = \"r\"\nactions = [\"destroy\"]"), 4, "actions");
}

#[test]
fn a_rule_that_is_no_rule_is_wrong_usage() {
    let Some(stage) = stage("") else { return };
    for accept in ["", ":path", "a.b:", "a[\"x"] {
        let transcript = stage.prepare(&["--accept", accept]).run();
        transcript.assert_status(64);
        assert!(stage.cloud().calls().is_empty(), "{transcript}");
    }
}
