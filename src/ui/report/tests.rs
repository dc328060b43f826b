use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::samples::{
    NASTY, accepted, all, clean_at_once, every_class, failed, finding, idempotent, nasty, thousands,
};
use super::{ReportFormat, github, render, transcript};
use crate::check::finding::{CauseKind, Class};
use crate::check::report::{CheckReport, StepName, Verdict};
use crate::model::plan::Action;

/// The forms with a schema, and how their files end.
const FORMS: [(ReportFormat, &str); 6] = [
    (ReportFormat::Json, "check.json"),
    (ReportFormat::Junit, "junit.xml"),
    (ReportFormat::Sarif, "sarif"),
    (ReportFormat::Html, "html"),
    (ReportFormat::GitlabCodequality, "codequality.json"),
    (ReportFormat::GitlabTerraform, "terraform.json"),
];

/// The samples in the forms that have a schema, where `shim-tests` reads and validates them.
#[test]
#[expect(clippy::disallowed_methods, reason = "rewrites an expected output, not a state")]
fn reports_are_those_that_the_schemas_are_held_against() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim-tests");
    if !tests.exists() {
        // The published package does not have them.
        return;
    }
    let accepts = std::env::var_os("TF_SHIM_TESTS_ACCEPT").is_some_and(|value| value == "1");
    let names = ["accepted", "clean-at-once", "every-class", "failed", "interrupted", "nasty"];
    for (name, report) in all().into_iter().filter(|(name, _)| names.contains(name)) {
        for (format, ending) in FORMS {
            if format == ReportFormat::Html && !["every-class", "nasty"].contains(&name) {
                continue;
            }
            let path = tests.join("fixtures/reports").join(format!("{name}.{ending}"));
            let written = render(format, &report).replace(env!("CARGO_PKG_VERSION"), "0.0.0");
            if accepts {
                std::fs::write(&path, &written).unwrap();
            }
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(there == written, "{} is old: run with TF_SHIM_TESTS_ACCEPT=1", path.display());
        }
    }
}

#[test]
fn every_format_has_its_word() {
    for format in ReportFormat::ALL {
        assert_eq!(ReportFormat::of_word(format.word()), Some(format));
    }
    assert_eq!(ReportFormat::of_word("github"), None);
}

/// The words of an enum in the published schema.
fn words_at(pointer: &str) -> Vec<String> {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/check-report.schema.json")).unwrap();
    let words = schema.pointer(pointer).and_then(Value::as_array).unwrap();
    words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_schema_knows_every_word() {
    let classes = Class::ALL.map(Class::word);
    assert_eq!(words_at("/$defs/finding/properties/class/enum"), classes);
    let verdicts =
        [Verdict::Idempotent, Verdict::NotIdempotent, Verdict::Inconclusive, Verdict::Error];
    assert_eq!(words_at("/properties/verdict/enum"), verdicts.map(Verdict::word));
    let actions = Action::ALL.map(Action::word);
    assert_eq!(words_at("/$defs/finding/properties/actions/items/enum"), actions);
    assert_eq!(words_at("/$defs/stepName/enum"), StepName::ALL.map(StepName::word));
    let kinds = CauseKind::ALL.map(CauseKind::word);
    assert_eq!(words_at("/$defs/finding/properties/cause_kind/enum"), kinds);
}

#[test]
fn nothing_treacherous_is_in_any_report() {
    let report = nasty();
    let mut texts: Vec<_> = ReportFormat::ALL.map(|format| render(format, &report)).into();
    texts.extend([transcript(&report), github::annotations(&report), github::outputs(&report)]);
    for text in texts {
        let odd = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200b}".contains(c);
        let found = text.chars().find(|c| odd(*c));
        assert_eq!(found, None, "{text}");
    }
}

#[test]
fn foreign_words_cannot_forge_a_workflow_command() {
    let text = github::annotations(&nasty());
    let known = ["::error ", "::warning ", "::notice ", "tf shim: "];
    for line in text.lines() {
        let start = known.iter().find(|start| line.starts_with(**start));
        assert!(start.is_some(), "{line}");
        let properties = line.split("::").nth(1).unwrap_or_default();
        assert!(line.starts_with("tf shim") || properties.contains("title="), "{line}");
    }
    let outputs = github::outputs(&nasty());
    assert_eq!(outputs.lines().filter(|line| line.starts_with("verdict=")).count(), 1);
    assert_eq!(outputs.lines().next(), Some("verdict=not-idempotent"));
}

#[test]
fn annotations_land_on_the_block_and_stay_within_the_limits() {
    insta::assert_snapshot!(github::annotations(&accepted()), @r#"
    ::error file=.tf-shim.toml,line=21,endLine=29,title=expired%3A aws_db_instance.*::aws_db_instance.* is a rule that has expired: engine_version%0Acause: the rule held until 30 Sep 2026%0Ahint: mend the difference, or give the rule another date%0Aat .tf-shim.toml:21
    ::notice file=modules/asg/main.tf,line=4,endLine=12,title=update%3A module.asg[0].aws_autoscaling_group.web::module.asg[0].aws_autoscaling_group.web is updated on every apply: desired_capacity%0Acause: it differs, and the plan does not tell why%0Ahint: compare the two plans in the evidence directory%0Aat modules/asg/main.tf:4%0Aaccepted: scaled by the autoscaler (until 31 Mar 2027)
    ::notice title=update%3A module.asg[0].aws_autoscaling_group.web::module.asg[0].aws_autoscaling_group.web is updated on every apply: labels, annotations%0Acause: it differs, and the plan does not tell why%0Ahint: compare the two plans in the evidence directory%0Aaccepted: set by `kubectl`, see #12
    ::notice file=.tf-shim.toml,line=9,endLine=17,title=a rule that matched nothing%3A aws_eks_node_group.*::reason: scaled by Karpenter
    "#);
    let text = github::annotations(&thousands(2_000));
    assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), 10);
    assert_eq!(text.lines().last(), Some("tf shim: 1990 more in the summary of this step"));
    insta::assert_snapshot!(github::annotations(&failed()), @r#"
    ::error title=tf shim check%3A apply failed with status 1::Error: creating EC2 Instance: InsufficientInstanceCapacity%0Awhat was applied so far is in the state; operation `7c1e9a04` has the state before and after it%0Asee what it did with `tf shim show 7c1e9a04`, mend the cause, then check again
    "#);
}

#[test]
fn outputs_are_lines_that_a_workflow_can_ask() {
    insta::assert_snapshot!(github::outputs(&accepted()), @r#"
    verdict=not-idempotent
    findings=1
    accepted=2
    unused-rules=1
    resources=3
    create=0
    update=0
    delete=0
    headline=not idempotent: 1 finding, 2 accepted
    addresses<<end-0161261277faaa08a9cd83d50d8b4d5d
    aws_db_instance.*
    end-0161261277faaa08a9cd83d50d8b4d5d
    "#);
}

#[test]
fn a_comment_says_what_to_do_and_folds_the_rest() {
    insta::assert_snapshot!(render(ReportFormat::Markdown, &accepted()), @r#"
    ### Idempotency check: not idempotent

    **1 finding, 2 accepted** · `environments/prod` · workspace `default` · terraform 1.11.4 · operation `7c1e9a04`

    A plan after the apply had nothing to do, but not all is as the project wants it.

    | | Resource | Differs in | Why, and what to do |
    | --- | --- | --- | --- |
    | **expired** | `aws_db_instance.*`<br>at `.tf-shim.toml:21` | `engine_version` | the rule held until 30 Sep 2026<br>**Hint:** mend the difference, or give the rule another date |

    <details>
    <summary>2 accepted</summary>

    | Resource | Differs in | Because |
    | --- | --- | --- |
    | `module.asg[0].aws_autoscaling_group.web`<br>at `modules/asg/main.tf:4` | update: `desired_capacity` | scaled by the autoscaler<br>until 31 Mar 2027 |
    | `module.asg[0].aws_autoscaling_group.web` | update: `labels`<br>`annotations` | set by `kubectl`, see \#&#8203;12 |

    </details>

    <details>
    <summary>1 rule that matched nothing</summary>

    | Rule | For | Because |
    | --- | --- | --- |
    | `aws_eks_node_group.*`<br>at `.tf-shim.toml:9` | `scaling_config[0].desired_size` | scaled by Karpenter<br>until 31 Jan 2027 |

    </details>

    * `-target` limits the plans, so the rest was not looked at

    <details>
    <summary>Steps · 1 min 22 s</summary>

    | Step | Took | Status | Result |
    | --- | --- | --- | --- |
    | plan | 4.2 s | 2 | 2 to add, 1 to change, 0 to destroy |
    | apply | 1 min 12 s | 0 | 2 added, 1 changed |
    | plan again, without refresh | 1.1 s | 0 | nothing to do |
    | plan again | 3.9 s | 0 | nothing to do |

    </details>
    "#);
    insta::assert_snapshot!(render(ReportFormat::Markdown, &failed()), @r#"
    ### Idempotency check: error

    `environments/prod` · workspace `default` · terraform 1.11.4 · operation `7c1e9a04`

    The check did not come to its end, so there is no verdict.

    > **`apply` failed with status 1**
    >
    > Cause: Error: creating EC2 Instance: InsufficientInstanceCapacity
    >
    > Safe: what was applied so far is in the state; operation `7c1e9a04` has the state before and after it
    >
    > **Hint:** see what it did with `tf shim show 7c1e9a04`, mend the cause, then check again

    <details>
    <summary>Steps · 1 min 22 s</summary>

    | Step | Took | Status | Result |
    | --- | --- | --- | --- |
    | plan | 4.2 s | 2 | 2 to add, 1 to change, 0 to destroy |
    | apply | 1 min 12 s | **1** | status 1 |

    </details>
    "#);
    insta::assert_snapshot!(render(ReportFormat::Markdown, &clean_at_once()), @r#"
    ### Idempotency check: idempotent

    **3 resources looked at** · `environments/prod` · workspace `default` · terraform 1.11.4

    plan₀ was empty, so nothing had to be applied.

    <details>
    <summary>Steps · 1 min 22 s</summary>

    | Step | Took | Status | Result |
    | --- | --- | --- | --- |
    | plan | 4.2 s | 0 | nothing to do |

    </details>
    "#);
}

#[test]
fn a_comment_is_cut_between_findings_and_says_so() {
    let text = render(ReportFormat::Markdown, &thousands(2_000));
    assert!(text.len() <= 65_000, "{}", text.len());
    assert!(text.contains("more are left out here"), "{text}");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| **replace**")).collect();
    assert!(rows.len() > 100 && rows.iter().all(|row| row.ends_with(" |")));
    let summary = github::summary(&thousands(20_000));
    assert!(summary.len() <= 1 << 20 && summary.len() > 900_000, "{}", summary.len());
}

#[test]
fn a_cell_holds_foreign_words_and_stays_a_cell() {
    for line in render(ReportFormat::Markdown, &nasty()).lines().filter(|l| l.starts_with("| **")) {
        let bars = line.replace(r"\\", "").replace(r"\|", "").matches('|').count();
        assert_eq!(bars, 5, "{line}");
    }
}

#[test]
fn a_transcript_can_be_pasted_into_a_ticket() {
    insta::assert_snapshot!(transcript(&accepted()), @r#"
    # Idempotency check: not idempotent

    **1 finding, 2 accepted.** A plan after the apply had nothing to do, but not all is as the project wants it.

    | What | |
    | --- | --- |
    | Directory | `/srv/net/environments/prod` |
    | Workspace | `default` |
    | Program | terraform 1.11.4 |
    | Began | 20 Nov 2026 07:57:40 UTC |
    | Took | 1 min 22 s |
    | Resources | 3 |
    | Operation | `7c1e9a04` |

    ## Steps

    | Step | Command | Status | Took | Result | Began | Log |
    | --- | --- | --- | --- | --- | --- | --- |
    | plan | `terraform plan -input=false -detailed-exitcode -var-file=terraform.tfvars -out=…` | 2 | 4.2 s | 2 to add, 1 to change, 0 to destroy | 07:57:40 | [plan0.log](plan0.log) |
    | apply | `terraform apply -input=false …` | 0 | 1 min 12 s | 2 added, 1 changed | 07:57:40 | [apply.log](apply.log) |
    | plan again, without refresh | `terraform plan -refresh=false -input=false -var=password=‹redacted›` | 0 | 1.1 s | nothing to do | 07:57:40 | [A.log](A.log) |
    | plan again | `terraform plan -input=false -detailed-exitcode -var-file=terraform.tfvars -out=…` | 0 | 3.9 s | nothing to do | 07:57:40 | [B.log](B.log) |

    The values of variables are left out of the commands.

    ## Findings

    ### expired · is a rule that has expired

    * `aws_db_instance.*`
      * At `.tf-shim.toml:21`
      * Differs in `engine_version`
      * Cause: the rule held until 30 Sep 2026
      * Hint: mend the difference, or give the rule another date

    ## Accepted differences

    * `module.asg[0].aws_autoscaling_group.web` (update: `desired_capacity`)
      * Because: scaled by the autoscaler, until 31 Mar 2027
    * `module.asg[0].aws_autoscaling_group.web` (update: `labels`, `annotations`)
      * Because: set by `kubectl`, see \#&#8203;12

    ## Rules that matched nothing

    * `aws_eks_node_group.*`, `scaling_config[0].desired_size`, at `.tf-shim.toml:9`
      * Because: scaled by Karpenter, until 31 Jan 2027

    ## Notes

    * `-target` limits the plans, so the rest was not looked at
    "#);
    insta::assert_snapshot!(transcript(&failed()), @r#"
    # Idempotency check: error

    The check did not come to its end, so there is no verdict.

    | What | |
    | --- | --- |
    | Directory | `/srv/net/environments/prod` |
    | Workspace | `default` |
    | Program | terraform 1.11.4 |
    | Began | 20 Nov 2026 07:57:40 UTC |
    | Took | 1 min 22 s |
    | Resources | 0 |
    | Operation | `7c1e9a04` |

    ## Where it ended

    * What: `apply` failed with status 1
    * Cause: Error: creating EC2 Instance: InsufficientInstanceCapacity
    * Safe: what was applied so far is in the state; operation `7c1e9a04` has the state before and after it
    * Next: see what it did with `tf shim show 7c1e9a04`, mend the cause, then check again

    ## Steps

    | Step | Command | Status | Took | Result | Began | Log |
    | --- | --- | --- | --- | --- | --- | --- |
    | plan | `terraform plan -input=false -detailed-exitcode -var-file=terraform.tfvars -out=…` | 2 | 4.2 s | 2 to add, 1 to change, 0 to destroy | 07:57:40 | [plan0.log](plan0.log) |
    | apply | `terraform apply -input=false …` | **1** | 1 min 12 s | status 1 | 07:57:40 | [apply.log](apply.log) |

    The values of variables are left out of the commands.
    "#);
}

#[test]
fn accepted_findings_are_told_and_do_not_fail() {
    let report = accepted();
    let sarif: Value = serde_json::from_str(&render(ReportFormat::Sarif, &report)).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let levels: Vec<_> = results.iter().map(|result| result["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["note", "note", "error"]);
    let why = &results[0]["suppressions"][0]["justification"];
    assert_eq!(why, "accepted: scaled by the autoscaler (until 31 Mar 2027)");
    let junit = render(ReportFormat::Junit, &report);
    assert!(junit.contains("<skipped message=\"accepted: scaled by the autoscaler (until 31 Mar"));
    assert!(junit.contains("tests=\"6\" failures=\"1\" errors=\"0\" skipped=\"2\""), "{junit}");
    let quality: Value =
        serde_json::from_str(&render(ReportFormat::GitlabCodequality, &report)).unwrap();
    assert_eq!(quality[0]["severity"], "info");
    assert_eq!(quality[2]["severity"], "major");
}

#[test]
fn a_finding_without_a_file_has_one_where_a_service_needs_it() {
    let mut report = idempotent();
    report.findings = vec![finding(Class::Update, "aws_x.y", &[])];
    let sarif: Value = serde_json::from_str(&render(ReportFormat::Sarif, &report)).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "environments/prod/main.tf");
    assert_eq!(place["region"]["startLine"], 1);
    let json: Value = serde_json::from_str(&render(ReportFormat::Json, &report)).unwrap();
    assert_eq!(json["findings"][0]["file"], Value::Null);
}

#[test]
fn a_check_that_broke_off_is_not_a_clean_one() {
    let report = failed();
    let quality: Value =
        serde_json::from_str(&render(ReportFormat::GitlabCodequality, &report)).unwrap();
    assert_eq!(quality[0]["severity"], "blocker");
    let sarif: Value = serde_json::from_str(&render(ReportFormat::Sarif, &report)).unwrap();
    let invocation = &sarif["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["exitCode"], 4);
    let junit = render(ReportFormat::Junit, &report);
    assert!(junit.contains("<error type=\"failed\" message=\"`apply` failed with status 1\">"));
}

#[test]
fn fingerprints_outlive_a_line_and_a_rule() {
    let prints = |report: &CheckReport| {
        let report = render(ReportFormat::GitlabCodequality, report);
        let report: Value = serde_json::from_str(&report).unwrap();
        let entries = report.as_array().unwrap().iter();
        entries.map(|entry| entry["fingerprint"].to_string()).collect::<Vec<_>>()
    };
    let before = prints(&accepted());
    let mut moved = accepted();
    for finding in &mut moved.findings {
        finding.accepted = None;
        finding.paths.clear();
        finding.site.iter_mut().for_each(|site| site.line += 40);
    }
    assert_eq!(prints(&moved), before);
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 3);
    moved.workspace = "other".to_owned();
    assert_ne!(prints(&moved), before);
}

#[test]
fn a_home_is_not_told_to_a_service() {
    let mut report = every_class();
    report.directory = "/home/ana/secret/stack".into();
    report.base = "/srv".into();
    for format in [
        ReportFormat::Sarif,
        ReportFormat::Html,
        ReportFormat::Markdown,
        ReportFormat::Junit,
        ReportFormat::GitlabCodequality,
    ] {
        let text = render(format, &report);
        assert!(!text.contains("/home/ana"), "{text}");
    }
}

#[test]
fn two_thousand_findings_take_no_time() {
    let report = thousands(2_000);
    let began = Instant::now();
    for format in ReportFormat::ALL {
        assert!(!render(format, &report).is_empty());
    }
    assert!(!transcript(&report).is_empty() && !github::summary(&report).is_empty());
    // Measured: about a second in a debug build on two cores. The limit is for a busy machine.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(render(ReportFormat::Html, &nasty()).contains(r"&lt;img src=x onerror=alert(1)&gt;"));
    assert_eq!(NASTY.len(), nasty().findings.len());
}
