//! Reports for the tests of every form: each way a check can end, and one full of nasty words.

use std::path::PathBuf;
use std::time::Duration;

use crate::check::finding::{Acceptance, Cause, CauseKind, Class, Finding, Site, Weight};
use crate::check::report::{CheckReport, Counts, End, Step, StepName, UnusedRule, Verdict};
use crate::model::plan::Action;
use crate::ui::samples::{frame, time};
use crate::ui::{Answer as _, Paint};

/// A report at 80 columns without colour; none of its lines is wider.
pub(in crate::ui) fn at_80(report: &CheckReport) -> String {
    let text = report.screen(&frame(Some(80))).render(Paint::Plain);
    for line in text.lines() {
        assert!(crate::ui::width::columns(line) <= 80, "{line}");
    }
    text
}

/// Every sample with its name.
pub(in crate::ui) fn all() -> Vec<(&'static str, CheckReport)> {
    vec![
        ("idempotent", idempotent()),
        ("clean-at-once", clean_at_once()),
        ("every-class", every_class()),
        ("accepted", accepted()),
        ("failed", failed()),
        ("timed-out", timed_out()),
        ("interrupted", interrupted()),
        ("plan-only", plan_only()),
        ("inconclusive", inconclusive()),
        ("nasty", nasty()),
    ]
}

fn step(name: StepName, argv: &[&str], exit: i32, millis: u64, result: &str) -> Step {
    Step {
        name,
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        exit: Some(exit),
        signal: None,
        began: time("2026-11-20T07:57:40.250Z"),
        took: Duration::from_millis(millis),
        result: result.to_owned(),
        log: Some(format!("{}.log", name.word())),
    }
}

fn steps() -> Vec<Step> {
    let plan =
        ["plan", "-input=false", "-detailed-exitcode", "-var-file=terraform.tfvars", "-out=…"];
    let unrefreshed = ["plan", "-refresh=false", "-input=false", "-var=password=‹redacted›"];
    vec![
        step(StepName::FirstPlan, &plan, 2, 4_210, "2 to add, 1 to change, 0 to destroy"),
        step(StepName::Apply, &["apply", "-input=false", "…"], 0, 72_500, "2 added, 1 changed"),
        step(StepName::PlanWithoutRefresh, &unrefreshed, 0, 1_130, "nothing to do"),
        step(StepName::PlanAgain, &plan, 0, 3_940, "nothing to do"),
    ]
}

/// Everything is as it should be.
pub(in crate::ui) fn idempotent() -> CheckReport {
    CheckReport {
        verdict: Verdict::Idempotent,
        end: End::Complete,
        is_plan_only: false,
        directory: PathBuf::from("/srv/net/environments/prod"),
        base: PathBuf::from("/srv/net"),
        workspace: "default".to_owned(),
        program: "terraform".to_owned(),
        program_version: Some("1.11.4".to_owned()),
        began: time("2026-11-20T07:57:40.250Z"),
        took: Duration::from_millis(82_300),
        steps: steps(),
        findings: Vec::new(),
        unused_rules: Vec::new(),
        notes: Vec::new(),
        resources: ["aws_instance.web[0]", "aws_instance.web[1]", "module.net.aws_vpc.main"]
            .map(str::to_owned)
            .into(),
        counts: Counts::default(),
        operation: Some("7c1e9a0411223344".to_owned()),
    }
}

/// There was nothing to apply.
pub(in crate::ui) fn clean_at_once() -> CheckReport {
    let steps = vec![step(StepName::FirstPlan, &["plan"], 0, 4_210, "nothing to do")];
    CheckReport { end: End::CleanAtOnce, steps, operation: None, ..idempotent() }
}

/// Where the samples' resources are declared.
fn site(file: &str, line: usize) -> Site {
    Site { file: PathBuf::from(format!("/srv/net/{file}")), line, end_line: line + 8 }
}

/// A finding that fails.
pub(in crate::ui) fn finding(class: Class, address: &str, actions: &[Action]) -> Finding {
    Finding {
        class,
        address: address.to_owned(),
        paths: Vec::new(),
        actions: actions.to_vec(),
        cause: Cause {
            kind: CauseKind::Unknown,
            text: "it differs, and the plan does not tell why".to_owned(),
            hint: "compare the two plans in the evidence directory".to_owned(),
        },
        accepted: None,
        site: None,
        weight: Weight::Fails,
    }
}

fn because(finding: Finding, kind: CauseKind, text: &str, hint: &str) -> Finding {
    let cause = Cause { kind, text: text.to_owned(), hint: hint.to_owned() };
    Finding { cause, ..finding }
}

fn differing(finding: Finding, paths: &[&str], site: impl Into<Option<Site>>) -> Finding {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Finding { paths, site: site.into(), ..finding }
}

/// One finding of each class, with the actions that it usually has.
pub(in crate::ui) fn every_class() -> CheckReport {
    let update = [Action::Update];
    let mut findings = grave();
    findings.extend([
        finding(Class::SecondApply, "aws_route53_record.web", &update),
        finding(Class::Moved, "aws_instance.new", &[Action::Move]),
        finding(Class::Import, "aws_s3_bucket.logs", &[Action::Import]),
        finding(Class::Forget, "aws_iam_user.old", &[Action::Forget]),
        finding(Class::Pending, "aws_lb.main", &update),
        Finding { weight: Weight::NoVerdict, ..finding(Class::Drift, "aws_eip.nat", &update) },
        finding(Class::MissingOutput, "output.control_plane_endpoints", &[]),
        Finding { weight: Weight::Told, ..finding(Class::Output, "output.version", &update) },
        Finding { weight: Weight::Told, ..finding(Class::Check, "check.health", &[]) },
        differing(
            finding(Class::Expired, "aws_db_instance.*", &[]),
            &[],
            site(".tf-shim.toml", 12),
        ),
    ]);
    let resources = findings.iter().map(|finding| finding.address.clone());
    CheckReport {
        verdict: Verdict::NotIdempotent,
        resources: resources.filter(|address| !address.contains("put.")).collect(),
        findings,
        counts: Counts { create: 2, update: 5, delete: 2 },
        ..idempotent()
    }
}

/// The classes that are seen most, with the causes that they really have.
fn grave() -> Vec<Finding> {
    let replace = differing(
        finding(Class::Replace, "aws_instance.web[0]", &[Action::Replace]),
        &["user_data"],
        site("environments/prod/main.tf", 12),
    );
    let order = differing(
        finding(
            Class::Normalised,
            r#"module.net["eu-central-1"].aws_security_group.main"#,
            &[Action::Update],
        ),
        &["ingress[0].cidr_blocks", "ingress[1].cidr_blocks", r#"tags["Name"]"#],
        site("modules/net/security.tf", 88),
    );
    let update = differing(
        finding(Class::Update, "aws_ssm_parameter.deployed_at", &[Action::Update]),
        &["value"],
        site("environments/prod/parameters.tf", 3),
    );
    vec![
        because(
            replace,
            CauseKind::Function,
            "`timestamp()` is in its expression, and it is another one at every plan",
            "take the time from a `time_static` resource, or ignore it with \
             `lifecycle { ignore_changes = [user_data] }`",
        ),
        finding(Class::Delete, "aws_iam_role_policy.stale", &[Action::Delete]),
        finding(Class::Create, "aws_cloudwatch_log_group.app", &[Action::Create]),
        because(
            update,
            CauseKind::Function,
            "`timestamp()` is in its expression, and it is another one at every plan",
            "take the time from a `time_static` resource",
        ),
        because(
            order,
            CauseKind::Order,
            "the provider gives the list back in another order",
            "write the list in the provider's order, or through `toset()` or `sort()`",
        ),
        finding(Class::Oscillating, "aws_route.default", &[Action::Update]),
    ]
}

/// One accepted, one without a date, a rule that matched nothing and one that has expired.
pub(in crate::ui) fn accepted() -> CheckReport {
    let mut report = idempotent();
    let scaled = Finding {
        accepted: Some(Acceptance {
            reason: "scaled by the autoscaler".to_owned(),
            expires: "2027-03-31".parse().ok(),
        }),
        ..differing(
            finding(Class::Update, "module.asg[0].aws_autoscaling_group.web", &[Action::Update]),
            &["desired_capacity"],
            site("modules/asg/main.tf", 4),
        )
    };
    let always = Finding {
        accepted: Some(Acceptance {
            reason: "set by `kubectl`, see #12".to_owned(),
            expires: None,
        }),
        ..differing(scaled.clone(), &["labels", "annotations"], None)
    };
    let expired = because(
        differing(
            finding(Class::Expired, "aws_db_instance.*", &[]),
            &["engine_version"],
            site(".tf-shim.toml", 21),
        ),
        CauseKind::Rule,
        "the rule held until 30 Sep 2026",
        "mend the difference, or give the rule another date",
    );
    report.verdict = Verdict::NotIdempotent;
    report.findings = vec![scaled, always, expired];
    report.unused_rules = vec![UnusedRule {
        address: "aws_eks_node_group.*".to_owned(),
        path: Some("scaling_config[0].desired_size".to_owned()),
        reason: "scaled by Karpenter".to_owned(),
        expires: "2027-01-31".parse().ok(),
        site: Some(site(".tf-shim.toml", 9)),
    }];
    report.notes = vec!["`-target` limits the plans, so the rest was not looked at".to_owned()];
    report
}

/// The apply failed.
pub(in crate::ui) fn failed() -> CheckReport {
    let mut report = idempotent();
    report.verdict = Verdict::Error;
    report.end = End::Failed {
        step: StepName::Apply,
        message: "Error: creating EC2 Instance: InsufficientInstanceCapacity".to_owned(),
    };
    report.steps.truncate(2);
    if let Some(apply) = report.steps.last_mut() {
        apply.exit = Some(1);
        apply.result = String::new();
    }
    report.resources.clear();
    report
}

/// The time was up in the second plan.
pub(in crate::ui) fn timed_out() -> CheckReport {
    let mut report = idempotent();
    report.verdict = Verdict::Error;
    report.end = End::TimedOut { step: StepName::PlanAgain };
    if let Some(plan) = report.steps.last_mut() {
        (plan.exit, plan.signal, plan.result) = (None, Some(2), String::new());
    }
    report
}

/// Somebody pressed Ctrl-C during the first plan.
pub(in crate::ui) fn interrupted() -> CheckReport {
    let mut report = idempotent();
    report.verdict = Verdict::Error;
    report.end = End::Interrupted { step: StepName::FirstPlan, signal: 2, is_cut_off: false };
    report.steps.truncate(1);
    if let Some(plan) = report.steps.last_mut() {
        (plan.exit, plan.signal, plan.result) = (None, Some(2), String::new());
    }
    (report.operation, report.resources) = (None, Vec::new());
    report
}

/// Nothing was applied, and something is pending.
pub(in crate::ui) fn plan_only() -> CheckReport {
    let mut report = idempotent();
    report.verdict = Verdict::NotIdempotent;
    report.is_plan_only = true;
    report.steps.truncate(1);
    report.operation = None;
    report.findings = vec![because(
        differing(
            finding(Class::Pending, "module.net.aws_vpc.main", &[Action::Update]),
            &["tags"],
            site("modules/net/main.tf", 1),
        ),
        CauseKind::Configuration,
        "the configuration says something else than what is deployed",
        "apply it",
    )];
    report.counts.update = 1;
    report
}

/// Somebody else wrote the state in between.
pub(in crate::ui) fn inconclusive() -> CheckReport {
    let mut report = idempotent();
    report.verdict = Verdict::Inconclusive;
    report.findings = vec![because(
        Finding { weight: Weight::NoVerdict, ..finding(Class::Drift, "", &[]) },
        CauseKind::Elsewhere,
        "the serial went from 42 to 44, and we wrote 43",
        "let nobody else apply meanwhile, then check again",
    )];
    report
}

/// Words that mean something in one of the forms, each where it hurts.
pub(in crate::ui) const NASTY: [&str; 12] = [
    r#"x.y["a\"b"]"#,
    "x.y[\"line\nbreak\r\n::error::forged\"]",
    "x.y[\"\u{1b}[31m\u{0}\u{7}\u{9b}\u{fffe}\"]",
    "x.y[\"]]>\"]",
    "x.y[\"</script></style><img src=x onerror=alert(1)>\"]",
    "x.y[\"a|b\\|c\"]",
    "x.y[\"``` `code` ```\"]",
    "x.y[\"::warning file=a,line=1::b%0A%25\"]",
    "x.y[\"\u{202e}gnp.exe\u{2066}\u{200b}\"]",
    "x.y[\"🚀 小林 שלום\"]",
    "x.y[\"&amp; <b>*bold*</b> @ana #12 $HOME\"]",
    "end\nEOF\nverdict=idempotent",
];

/// A report whose every foreign word is nasty.
pub(in crate::ui) fn nasty() -> CheckReport {
    let mut report = every_class();
    report.workspace = "a|b`c <\u{202e}>".to_owned();
    report.directory = PathBuf::from("/srv/net/envs/a b%?#\"<é>");
    report.findings = NASTY.iter().map(|word| nasty_finding(word)).collect();
    report.resources = NASTY.map(str::to_owned).into();
    report.notes = NASTY.map(str::to_owned).into();
    report.unused_rules = vec![UnusedRule {
        address: NASTY[4].to_owned(),
        path: Some(NASTY[5].to_owned()),
        reason: NASTY[10].to_owned(),
        expires: None,
        site: report.findings.first().and_then(|finding| finding.site.clone()),
    }];
    for (step, word) in report.steps.iter_mut().zip(NASTY) {
        step.argv.push(word.to_owned());
        step.result = word.to_owned();
        step.log = Some(word.to_owned());
    }
    report.end = End::Failed { step: StepName::PlanAgain, message: NASTY.join("\n") };
    report
}

fn nasty_finding(word: &str) -> Finding {
    let paths = NASTY.iter().take(6).map(|path| (*path).to_owned()).collect();
    let is_accepted = word.contains("bold");
    let reason = word.to_owned();
    Finding {
        paths,
        accepted: is_accepted.then_some(Acceptance { reason, expires: None }),
        site: Some(site("modules/a b%?#\"<é>,::/ma|in`.tf", 7)),
        ..because(
            finding(Class::Update, word, &[Action::Update]),
            CauseKind::Unknown,
            &format!("it holds {word}"),
            &format!("run `{word}`"),
        )
    }
}

/// As many findings as a large stack could have.
pub(in crate::ui) fn thousands(count: usize) -> CheckReport {
    let mut report = every_class();
    let one = report.findings.first().cloned();
    let one = one.unwrap_or_else(|| finding(Class::Update, "", &[]));
    let numbered =
        |number| Finding { address: format!("aws_instance.web[{number}]"), ..one.clone() };
    report.findings = (0..count).map(numbered).collect();
    report.resources = report.findings.iter().map(|finding| finding.address.clone()).collect();
    report
}
