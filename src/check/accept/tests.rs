//! Tests of accept rules. They are read by the parser of the configuration, so that both agree.

use std::path::PathBuf;

use chrono::NaiveDate;
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

use super::{apply, propose, rule_of_flag};
use crate::check::finding::{Cause, CauseKind, Class, Finding, Weight};
use crate::config::{AcceptRule, CheckConfig};
use crate::model::plan::Action;

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 3, day).unwrap()
}

fn finding(class: Class, address: &str, actions: &[Action], paths: &[&str]) -> Finding {
    Finding {
        class,
        address: address.to_owned(),
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        actions: actions.to_vec(),
        cause: Cause {
            kind: CauseKind::Unknown,
            text: "It differs.".to_owned(),
            hint: "look".to_owned(),
        },
        accepted: None,
        site: None,
        weight: Weight::Fails,
    }
}

fn rules(text: &str) -> Vec<AcceptRule> {
    CheckConfig::of_text(text).unwrap().accept
}

/// The reasons that findings are accepted for; `-` where they are not. Then how many rules were unused.
fn outcome(text: &str, findings: &[Finding]) -> (Vec<String>, usize) {
    let mut findings = findings.to_vec();
    let unused = apply(&mut findings, &rules(text), day(10));
    let reasons = findings
        .into_iter()
        .map(|finding| finding.accepted.map_or_else(|| "-".to_owned(), |accepted| accepted.reason));
    (reasons.collect(), unused.len())
}

const UPDATE: &[Action] = &[Action::Update];

#[test]
fn a_rule_accepts_what_it_names_and_nothing_else() {
    let text = "[[check.accept]]\naddress = \"module.m[*].t.a\"\npath = \"tags\"\nreason = \"r\"\n";
    let cases = [
        ("module.m[0].t.a", &["tags"][..], "r"),
        ("module.m[\"x\"].t.a[1]", &["tags.x", "tags[\"y\"]"], "r"),
        ("module.m[0].t.a", &["name", "tags"], "-"),
        ("module.m[0].t.a", &["tags_all"], "-"),
        ("module.m[0].t.a", &[], "-"),
        ("module.m[0].t.b", &["tags"], "-"),
        ("t.a", &["tags"], "-"),
    ];
    for (address, paths, expected) in cases {
        let found = finding(Class::Update, address, UPDATE, paths);
        assert_eq!(outcome(text, &[found]).0, [expected], "{address} {paths:?}");
    }
}

#[test]
fn a_loss_is_accepted_only_where_it_is_written() {
    let rule =
        |actions: &str| format!("[[check.accept]]\naddress = \"t.*\"\nreason = \"r\"\n{actions}");
    let replace = finding(Class::Replace, "t.a", &[Action::Replace], &[]);
    let delete = finding(Class::Delete, "t.a", &[Action::Delete], &[]);
    let silent = finding(Class::Replace, "t.a", &[], &["x"]);
    let mixed = finding(Class::Pending, "t.a", &[Action::Update, Action::Delete], &[]);
    let read = finding(Class::Update, "t.a", &[Action::Update, Action::Read], &[]);
    let all = [replace, delete, silent, mixed, read];
    for (actions, expected) in [
        ("", ["-", "-", "-", "-", "r"]),
        ("actions = [\"replace\"]", ["r", "-", "r", "-", "-"]),
        ("actions = [\"delete\"]", ["-", "r", "-", "-", "-"]),
        ("actions = [\"delete\", \"update\"]", ["-", "r", "-", "r", "r"]),
        ("actions = [\"create\"]", ["-", "-", "-", "-", "-"]),
    ] {
        assert_eq!(outcome(&rule(actions), &all).0, expected, "{actions}");
    }
    let outputs =
        [finding(Class::Output, "output.x", &[], &[]), finding(Class::Check, "check.c", &[], &[])];
    let text = rule("").replace("t.*", "output.*");
    assert_eq!(outcome(&text, &outputs).0, ["r", "-"]);
}

#[test]
fn several_rules_accept_together_what_none_accepts_alone() {
    let text = "[[check.accept]]\naddress = \"t.a\"\npath = \"x\"\nreason = \"one\"\nexpires = 2027-03-20\n\
                [[check.accept]]\naddress = \"t.a\"\npath = \"y\"\nreason = \"two\"\nexpires = 2027-03-15\n\
                [[check.accept]]\naddress = \"t.a\"\npath = \"z\"\nreason = \"three\"\n";
    let mut findings = vec![
        finding(Class::Update, "t.a", UPDATE, &["x", "x.q", "y"]),
        finding(Class::Update, "t.a", UPDATE, &["w", "x"]),
    ];
    let unused = apply(&mut findings, &rules(text), day(10));
    let accepted = findings[0].accepted.clone().unwrap();
    assert_eq!((accepted.reason.as_str(), accepted.expires), ("one; two", Some(day(15))));
    assert_eq!(findings[1].accepted, None);
    assert_eq!(findings[1].cause.text, "It differs. Accepted in part; still open: `w`.");
    assert_eq!(findings[1].cause.hint, "look");
    assert_eq!(unused.iter().map(|rule| rule.reason.as_str()).collect::<Vec<_>>(), ["three"]);
    assert_eq!(unused[0].site.as_ref().map(|site| (site.line, site.end_line)), Some((11, 14)));
    assert_eq!(unused[0].path.as_deref(), Some("z"));
}

#[test]
fn a_rule_holds_through_its_last_day_and_then_is_a_finding() {
    let text = "[[check.accept]]\naddress = \"t.*\"\nreason = \"r\"\nexpires = 2027-03-10\n";
    let open = finding(Class::Update, "t.a", UPDATE, &["x"]);
    let mut findings = vec![open.clone()];
    assert!(apply(&mut findings, &rules(text), day(10)).is_empty());
    assert_eq!(findings.len(), 1);
    assert!(findings[0].accepted.is_some());
    let mut findings = vec![open];
    assert!(apply(&mut findings, &rules(text), day(11)).is_empty());
    let [still, expired] = findings.as_slice() else { panic!("two findings") };
    assert!(still.fails() && expired.fails());
    assert_eq!((expired.class, expired.address.as_str()), (Class::Expired, "t.*"));
    assert_eq!(expired.cause.kind, CauseKind::Rule);
    assert!(expired.cause.hint.starts_with("See ") && expired.cause.hint.ends_with("the rule."));
    assert!(expired.cause.text.contains("2027-03-10"), "{}", expired.cause.text);
    let site = expired.site.clone().unwrap();
    assert_eq!((site.file, site.line, site.end_line), (PathBuf::from("/r/.tf-shim.toml"), 1, 4));
    // A rule that accepts everything does not accept the end of another.
    let all = format!("{text}[[check.accept]]\naddress = \"*\"\nreason = \"all\"\n");
    assert_eq!(apply(&mut findings, &rules(&all), day(11)).len(), 0);
    assert_eq!(findings.iter().filter(|finding| finding.fails()).count(), 2);
}

#[test]
fn what_is_missing_is_never_accepted_and_drift_may_be() {
    let mut drift = finding(Class::Drift, "t.a", UPDATE, &["x"]);
    drift.weight = Weight::NoVerdict;
    let missing = finding(Class::MissingOutput, "output.o", &[], &[]);
    let text = "[[check.accept]]\naddress = \"*\"\nreason = \"r\"\n";
    assert_eq!(outcome(text, &[drift, missing.clone()]), (vec!["r".into(), "-".into()], 0));
    assert_eq!(outcome(text, &[missing]), (vec!["-".into()], 1));
}

#[test]
fn a_flag_accepts_for_one_run() {
    let mut findings = vec![
        finding(Class::Update, "t.a[\"x:y\"]", UPDATE, &["tags.q"]),
        finding(Class::Replace, "t.a[\"x:y\"]", &[Action::Replace], &["tags.q"]),
    ];
    let rule = rule_of_flag("t.a[\"x:y\"]:tags").unwrap();
    assert!(apply(&mut findings, &[rule], day(1)).is_empty());
    assert_eq!(findings[0].accepted.as_ref().unwrap().reason, "given on the command line");
    assert_eq!(findings[1].accepted, None);
}

#[test]
fn a_proposal_reads_so() {
    let mut accepted = finding(Class::Update, "t.done", UPDATE, &["x"]);
    accepted.accepted = Some(super::acceptance(&[]));
    let findings = [
        finding(Class::Update, "t.a[\"x\"]", UPDATE, &["tags[\"a*\"]", "y"]),
        finding(Class::Update, "t.a[\"y\"]", UPDATE, &["tags[\"a*\"]", "y"]),
        finding(Class::Replace, "t.b[0]", &[Action::Replace], &[]),
        finding(Class::Output, "output.o", &[], &[]),
        finding(Class::Moved, "t.c[\"*\"]", &[Action::Move], &[]),
        finding(Class::MissingOutput, "output.p", &[], &[]),
        finding(Class::Drift, "", &[], &[]),
        accepted,
    ];
    insta::assert_snapshot!(propose(&findings), @r#"
    # update (2 instances): It differs.
    [[check.accept]]
    address = "t.a[*]"
    path    = "tags[\"a\\*\"]"
    actions = ["update"]
    reason  = ""

    # update (2 instances): It differs.
    [[check.accept]]
    address = "t.a[*]"
    path    = "y"
    actions = ["update"]
    reason  = ""

    # replace: It differs.
    [[check.accept]]
    address = "t.b[0]"
    # Careful: this accepts that the resource is lost, or made anew, again and again.
    actions = ["replace"]
    reason  = ""

    # output: It differs.
    [[check.accept]]
    address = "output.o"
    reason  = ""

    # moved: It differs.
    [[check.accept]]
    address = "t.c[\"\\*\"]"
    actions = ["move"]
    reason  = ""
    "#);
    assert_eq!(propose(&[]), "");
}

#[test]
fn a_proposal_without_reasons_is_a_broken_configuration() {
    let text = propose(&[finding(Class::Update, "t.a", UPDATE, &["x"])]);
    let fault = CheckConfig::of_text(&text).unwrap_err();
    assert!(fault.contains("check.accept.reason"), "{fault}");
}

proptest! {
    #[test]
    fn what_is_proposed_accepts_just_what_was_open(
        open in prop::collection::vec(
            ("t\\.(a|b)(\\[(0|1|\"[a*?:.\\]\\[é\u{202e} ]{0,3}\")\\])?", 0_usize..4,
             prop::collection::btree_set("[ab*?](\\[\"[*\\\\a]\"\\])?(\\.[a?])?", 0..3)),
            1..6,
        ),
        other in "t\\.(a|b|c)(\\[\"[a*?bc]{1,3}\"\\])?",
    ) {
        let kinds = [
            (Class::Update, Action::Update), (Class::Replace, Action::Replace),
            (Class::Delete, Action::Delete), (Class::Pending, Action::Create),
        ];
        let mut findings: Vec<Finding> = open
            .iter()
            .map(|(address, kind, paths)| {
                let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                finding(kinds[*kind].0, address, &[kinds[*kind].1], &paths)
            })
            .collect();
        let text = propose(&findings);
        let rules = rules(&text.replace("reason  = \"\"", "reason = \"because\""));
        let open = findings.len();
        let unused = apply(&mut findings, &rules, day(1));
        prop_assert!(findings.iter().all(|finding| finding.accepted.is_some()), "{}", text);
        prop_assert!(unused.is_empty());
        prop_assert_eq!(findings.len(), open);
        // A resource that was not open stays so, and an action that was not, too.
        let resource = |address: &str| address.split('[').next().unwrap_or_default().to_owned();
        let mut others = vec![
            finding(Class::Update, &format!("{}x", resource(&other)), UPDATE, &["a"]),
            finding(Class::Import, "t.a", &[Action::Import], &["a"]),
        ];
        if findings.iter().all(|finding| resource(&finding.address) != resource(&other)) {
            others.push(finding(Class::Update, &other, UPDATE, &["a"]));
        }
        apply(&mut others, &rules, day(1));
        prop_assert!(others.iter().all(|finding| finding.accepted.is_none()), "{}", text);
    }
}
