//! `tf shim check`: the verdict first, in one line, then why, then what to do about it.
//!
//! Findings stand in groups, so that forty resources with the same fault read as one fault. Nothing is
//! cut: an address and a path are there to be copied. Easy to get wrong: what is accepted is shown too,
//! with its reason, or nobody would ever look at it again.

use chrono::TimeDelta;
use serde_json::Value;

use super::super::report::outline::{
    address, groups, headline, is_failed, meaning, result, short, sign, until,
};
use super::super::report::place::spot;
use super::super::report::stop::{Stop, stop};
use super::super::style::{Line, Role, Screen};
use super::super::table::{Column, Table};
use super::super::time::duration;
use super::super::{Answer, json};
use super::Frame;
use crate::check::finding::{Class, Finding, Weight};
use crate::check::report::{CheckReport, UnusedRule, Verdict};

impl Answer for CheckReport {
    fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = head(self, frame);
        if let Some(stop) = stop(self) {
            screen.gap();
            screen.append(stopped(&stop, frame));
        }
        for (class, weight, findings) in groups(self) {
            screen.gap();
            screen.append(group(self, class, weight, &findings, frame));
        }
        for part in [accepted, unused, notes, steps] {
            screen.gap();
            screen.append(part(self, frame));
        }
        screen
    }

    fn document(&self) -> Value {
        json::check::check(self)
    }
}

/// Columns before what belongs to a finding.
const INDENT: usize = 6;

/// The verdict, what it means, and where it was found.
fn head(report: &CheckReport, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    let headline = headline(report);
    let mut line = Line::of(verdict_role(report.verdict), headline.verdict);
    if !headline.counts.is_empty() {
        line = line.with(Role::Dim, " · ").with(Role::Title, &headline.counts);
    }
    screen.line(line);
    screen.fold(Line::new(), Role::Plain, meaning(report), frame.width);
    let mut place = Line::of(Role::Dim, &report.directory.to_string_lossy());
    let version = report.program_version.as_deref();
    let program = version.map(|version| format!("{} {version}", report.program));
    let operation = short(report).map(|id| format!("operation {id}"));
    for part in [Some(report.workspace.clone()), program, operation].into_iter().flatten() {
        place = place.with(Role::Dim, " · ").with(Role::Dim, &part);
    }
    screen.fold_line(Line::new(), place, frame.width);
    screen
}

fn verdict_role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Idempotent => Role::Added,
        Verdict::NotIdempotent | Verdict::Error => Role::Error,
        Verdict::Inconclusive => Role::Warning,
    }
}

/// Why there is no verdict, and what to do now.
fn stopped(stop: &Stop, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    screen.fold(Line::new().padded(2), Role::Error, &stop.what, frame.width);
    let mut facts = |label: &str, role, text: &str| {
        let lead = Line::new().padded(2).with(role, label).padded(9);
        screen.fold(lead, Role::Plain, text, frame.width);
    };
    for line in stop.message.iter().flat_map(|message| message.lines()) {
        facts("cause:", Role::Dim, line);
    }
    facts("safe:", Role::Dim, &stop.safe);
    facts("hint:", Role::Hint, &stop.next);
    screen
}

/// Findings of one class under its name.
fn group(
    report: &CheckReport,
    class: Class,
    weight: Weight,
    findings: &[&Finding],
    frame: &Frame,
) -> Screen {
    let role = match weight {
        Weight::Fails => Role::Error,
        Weight::NoVerdict => Role::Warning,
        Weight::Told => Role::Title,
    };
    let mut screen = Screen::new();
    let count = findings.len();
    let counted = if count > 1 { format!(" · {count}") } else { String::new() };
    let title = Line::of(role, class.word())
        .with(Role::Dim, &counted)
        .with(Role::Dim, &format!(" · {}", class.meaning()));
    screen.fold_line(Line::new(), title, frame.width);
    let is_same =
        |a: &&Finding, b: &&Finding| a.cause.text == b.cause.text && a.cause.hint == b.cause.hint;
    for alike in findings.chunk_by(is_same) {
        for finding in alike {
            screen.append(one(report, finding, frame));
        }
        // What is the same for all of them is said once, below them and further left.
        let indent = if alike.len() > 1 { 2 } else { INDENT };
        if let Some(finding) = alike.first() {
            screen.append(why(finding, indent, frame));
        }
    }
    screen
}

/// One finding: its address, what differs, and where it is declared.
fn one(report: &CheckReport, finding: &Finding, frame: &Frame) -> Screen {
    let mut screen = subject(finding, frame);
    let under = || Line::new().padded(INDENT);
    if !finding.paths.is_empty() {
        screen.fold(under(), Role::Plain, &finding.paths.join(", "), frame.width);
    }
    if let Some(site) = &finding.site {
        let spot = spot(report, site);
        screen.fold(under().with(Role::Dim, "at "), Role::Plain, &spot, frame.width);
    }
    screen
}

/// Why, and what to do about it.
fn why(finding: &Finding, indent: usize, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    let labelled =
        [("cause:", Role::Dim, &finding.cause.text), ("hint:", Role::Hint, &finding.cause.hint)];
    for (label, role, text) in labelled.into_iter().filter(|(_, _, text)| !text.is_empty()) {
        let lead = Line::new().padded(indent).with(role, label).padded(indent + 7);
        screen.fold(lead, Role::Plain, text, frame.width);
    }
    screen
}

/// The sign and the address.
fn subject(finding: &Finding, frame: &Frame) -> Screen {
    let role = match sign(&finding.actions) {
        "+" => Role::Added,
        "-" | "-/+" => Role::Removed,
        _ => Role::Changed,
    };
    let lead = Line::new().padded(2).with(role, sign(&finding.actions)).padded(INDENT);
    let mut screen = Screen::new();
    screen.fold(lead, Role::Title, address(finding), frame.width);
    screen
}

/// What a rule accepts, with its reason.
fn accepted(report: &CheckReport, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    for finding in report.accepted() {
        let Some(acceptance) = &finding.accepted else { continue };
        if screen == Screen::new() {
            screen.line(Line::of(Role::Title, "accepted"));
        }
        screen.append(subject(finding, frame));
        let paths = finding.paths.join(", ");
        let class = Line::new().plain(finding.class.word());
        let class = if paths.is_empty() { class } else { class.plain(" · ").plain(&paths) };
        screen.fold_line(Line::new().padded(INDENT), class, frame.width);
        let reason = because(&acceptance.reason, until(acceptance.expires));
        screen.fold_line(Line::new().padded(INDENT), reason, frame.width);
    }
    screen
}

/// A reason and how long it holds.
fn because(reason: &str, until: Option<String>) -> Line {
    let line = Line::of(Role::Dim, "because: ").plain(reason);
    until.map_or(line.clone(), |until| line.with(Role::Dim, " · ").plain(&until))
}

/// Rules that matched nothing.
fn unused(report: &CheckReport, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    if !report.unused_rules.is_empty() {
        screen.line(Line::of(Role::Warning, "rules that matched nothing"));
    }
    for rule in &report.unused_rules {
        let UnusedRule { address, path, reason, expires, site } = rule;
        let path = path.as_ref().map(|path| format!(" · {path}")).unwrap_or_default();
        let address = Line::of(Role::Title, address).plain(&path);
        screen.fold_line(Line::new().padded(INDENT), address, frame.width);
        if let Some(site) = site {
            let at = Line::of(Role::Dim, "at ").plain(&spot(report, site));
            screen.fold_line(Line::new().padded(INDENT), at, frame.width);
        }
        let reason = because(reason, until(*expires));
        screen.fold_line(Line::new().padded(INDENT), reason, frame.width);
    }
    screen
}

/// What else has to be said.
fn notes(report: &CheckReport, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    for note in &report.notes {
        screen.fold(Line::of(Role::Warning, "  ! "), Role::Plain, note, frame.width);
    }
    screen
}

/// What was run, how it ended, how long it took.
fn steps(report: &CheckReport, frame: &Frame) -> Screen {
    if report.steps.is_empty() {
        return Screen::new();
    }
    let column = |least, gives| Column { title: "", pleasant: 0, least, gives };
    let mut table = Table::new(vec![column(8, 2), column(0, 0), column(10, 1)]);
    for step in &report.steps {
        let took = TimeDelta::from_std(step.took).unwrap_or(TimeDelta::MAX);
        let role = if is_failed(step) { Role::Error } else { Role::Plain };
        let cells = vec![
            Line::of(role, step.name.title()),
            Line::of(Role::Dim, &duration(took)),
            Line::of(role, &result(step)),
        ];
        table.row(Line::new(), cells);
    }
    let mut screen = Screen::new();
    screen.line(Line::of(Role::Title, "steps"));
    screen.append(table.lay_out(2, frame.width));
    screen
}

#[cfg(test)]
mod tests {
    use crate::ui::report::samples::{
        accepted, at_80, clean_at_once, every_class, failed, idempotent, inconclusive, interrupted,
        plan_only, thousands, timed_out,
    };
    use crate::ui::samples::coloured;

    #[test]
    fn the_verdict_comes_first() {
        insta::assert_snapshot!(at_80(&idempotent()), @r#"
        idempotent · 3 resources looked at
        A plan after the apply had nothing to do.
        /srv/net/environments/prod · default · terraform 1.11.4 · operation 7c1e9a04

        steps
          plan                         4.2 s       2 to add, 1 to change, 0 to destroy
          apply                        1 min 12 s  2 added, 1 changed
          plan again, without refresh  1.1 s       nothing to do
          plan again                   3.9 s       nothing to do
        "#);
        insta::assert_snapshot!(at_80(&clean_at_once()), @r#"
        idempotent · 3 resources looked at
        plan₀ was empty, so nothing had to be applied.
        /srv/net/environments/prod · default · terraform 1.11.4

        steps
          plan  4.2 s  nothing to do
        "#);
        insta::assert_snapshot!(at_80(&plan_only()), @r#"
        not as configured · 1 finding
        What is deployed is not what the configuration says. Nothing was applied.
        /srv/net/environments/prod · default · terraform 1.11.4

        pending · is not deployed as the configuration says
          ~   module.net.aws_vpc.main
              tags
              at modules/net/main.tf:1
              cause: the configuration says something else than what is deployed
              hint:  apply it

        steps
          plan  4.2 s  2 to add, 1 to change, 0 to destroy
        "#);
        insta::assert_snapshot!(at_80(&inconclusive()), @r#"
        no verdict · 1 finding
        Somebody else changed things in the meantime, so nothing can be said. Check
        again.
        /srv/net/environments/prod · default · terraform 1.11.4 · operation 7c1e9a04

        drift · was changed by somebody else
              the state as a whole
              cause: the serial went from 42 to 44, and we wrote 43
              hint:  let nobody else apply meanwhile, then check again

        steps
          plan                         4.2 s       2 to add, 1 to change, 0 to destroy
          apply                        1 min 12 s  2 added, 1 changed
          plan again, without refresh  1.1 s       nothing to do
          plan again                   3.9 s       nothing to do
        "#);
    }

    #[test]
    fn findings_stand_by_class_with_what_to_do() {
        insta::assert_snapshot!(at_80(&every_class()), @r#"
        not idempotent · 14 findings, 2 for information
        Terraform has just applied this configuration and would not leave it so.
        /srv/net/environments/prod · default · terraform 1.11.4 · operation 7c1e9a04

        replace · is replaced on every apply
          -/+ aws_instance.web[0]
              user_data
              at environments/prod/main.tf:12
              cause: `timestamp()` is in its expression, and it is another one at every
                     plan
              hint:  take the time from a `time_static` resource, or ignore it with
                     `lifecycle { ignore_changes = [user_data] }`

        delete · is still to be deleted after an apply
          -   aws_iam_role_policy.stale
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        create · is still to be created after an apply
          +   aws_cloudwatch_log_group.app
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        update · is updated on every apply
          ~   aws_ssm_parameter.deployed_at
              value
              at environments/prod/parameters.tf:3
              cause: `timestamp()` is in its expression, and it is another one at every
                     plan
              hint:  take the time from a `time_static` resource

        normalised · is not what was written once it is read back
          ~   module.net["eu-central-1"].aws_security_group.main
              ingress[0].cidr_blocks, ingress[1].cidr_blocks, tags["Name"]
              at modules/net/security.tf:88
              cause: the provider gives the list back in another order
              hint:  write the list in the provider's order, or through `toset()` or
                     `sort()`

        oscillating · is different in every round
          ~   aws_route.default
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        second-apply · settles only with a second apply
          ~   aws_route53_record.web
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        moved · is still to be moved
          ->  aws_instance.new
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        import · is still to be imported
          <-  aws_s3_bucket.logs
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        forget · is still to be removed from the state
          .   aws_iam_user.old
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        pending · is not deployed as the configuration says
          ~   aws_lb.main
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        missing-output · is a required output that has no value
              output.control_plane_endpoints
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        expired · is a rule that has expired
              aws_db_instance.*
              at .tf-shim.toml:12
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        drift · was changed by somebody else
          ~   aws_eip.nat
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        output · is an output that changes on every apply
          ~   output.version
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        check · is a check that fails
              check.health
              cause: it differs, and the plan does not tell why
              hint:  compare the two plans in the evidence directory

        steps
          plan                         4.2 s       2 to add, 1 to change, 0 to destroy
          apply                        1 min 12 s  2 added, 1 changed
          plan again, without refresh  1.1 s       nothing to do
          plan again                   3.9 s       nothing to do
        "#);
    }

    #[test]
    fn what_is_accepted_is_shown_with_its_reason() {
        insta::assert_snapshot!(at_80(&accepted()), @r#"
        not idempotent · 1 finding, 2 accepted
        A plan after the apply had nothing to do, but not all is as the project wants
        it.
        /srv/net/environments/prod · default · terraform 1.11.4 · operation 7c1e9a04

        expired · is a rule that has expired
              aws_db_instance.*
              engine_version
              at .tf-shim.toml:21
              cause: the rule held until 30 Sep 2026
              hint:  mend the difference, or give the rule another date

        accepted
          ~   module.asg[0].aws_autoscaling_group.web
              update · desired_capacity
              because: scaled by the autoscaler · until 31 Mar 2027
          ~   module.asg[0].aws_autoscaling_group.web
              update · labels, annotations
              because: set by `kubectl`, see #12

        rules that matched nothing
              aws_eks_node_group.* · scaling_config[0].desired_size
              at .tf-shim.toml:9
              because: scaled by Karpenter · until 31 Jan 2027

          ! `-target` limits the plans, so the rest was not looked at

        steps
          plan                         4.2 s       2 to add, 1 to change, 0 to destroy
          apply                        1 min 12 s  2 added, 1 changed
          plan again, without refresh  1.1 s       nothing to do
          plan again                   3.9 s       nothing to do
        "#);
        insta::assert_snapshot!(coloured(&accepted()), @r#"
        ^[1m^[31mnot idempotent^[0m^[2m · ^[0m^[1m1 finding, 2 accepted^[0m
        A plan after the apply had nothing to do, but not all is as the project wants
        it.
        ^[2m/srv/net/environments/prod^[0m^[2m · ^[0m^[2mdefault^[0m^[2m · ^[0m^[2mterraform 1.11.4^[0m^[2m · ^[0m^[2moperation 7c1e9a04^[0m

        ^[1m^[31mexpired^[0m^[2m · is a rule that has expired^[0m
              ^[1maws_db_instance.*^[0m
              engine_version
              ^[2mat ^[0m.tf-shim.toml:21
              ^[2mcause:^[0m the rule held until 30 Sep 2026
              ^[36mhint:^[0m  mend the difference, or give the rule another date

        ^[1maccepted^[0m
          ^[33m~^[0m   ^[1mmodule.asg[0].aws_autoscaling_group.web^[0m
              update · desired_capacity
              ^[2mbecause: ^[0mscaled by the autoscaler^[2m · ^[0muntil 31 Mar 2027
          ^[33m~^[0m   ^[1mmodule.asg[0].aws_autoscaling_group.web^[0m
              update · labels, annotations
              ^[2mbecause: ^[0mset by `kubectl`, see #12

        ^[33mrules that matched nothing^[0m
              ^[1maws_eks_node_group.*^[0m · scaling_config[0].desired_size
              ^[2mat ^[0m.tf-shim.toml:9
              ^[2mbecause: ^[0mscaled by Karpenter^[2m · ^[0muntil 31 Jan 2027

        ^[33m  ! ^[0m`-target` limits the plans, so the rest was not looked at

        ^[1msteps^[0m
          plan                         ^[2m4.2 s^[0m       2 to add, 1 to change, 0 to destroy
          apply                        ^[2m1 min 12 s^[0m  2 added, 1 changed
          plan again, without refresh  ^[2m1.1 s^[0m       nothing to do
          plan again                   ^[2m3.9 s^[0m       nothing to do
        "#);
    }

    #[test]
    fn a_cause_that_many_share_is_told_once() {
        insta::assert_snapshot!(at_80(&thousands(3)), @r#"
        not idempotent · 3 findings
        Terraform has just applied this configuration and would not leave it so.
        /srv/net/environments/prod · default · terraform 1.11.4 · operation 7c1e9a04

        replace · 3 · is replaced on every apply
          -/+ aws_instance.web[0]
              user_data
              at environments/prod/main.tf:12
          -/+ aws_instance.web[1]
              user_data
              at environments/prod/main.tf:12
          -/+ aws_instance.web[2]
              user_data
              at environments/prod/main.tf:12
          cause: `timestamp()` is in its expression, and it is another one at every plan
          hint:  take the time from a `time_static` resource, or ignore it with
                 `lifecycle { ignore_changes = [user_data] }`

        steps
          plan                         4.2 s       2 to add, 1 to change, 0 to destroy
          apply                        1 min 12 s  2 added, 1 changed
          plan again, without refresh  1.1 s       nothing to do
          plan again                   3.9 s       nothing to do
        "#);
    }

    #[test]
    fn a_check_that_broke_off_says_what_is_safe() {
        insta::assert_snapshot!(at_80(&failed()), @r#"
        error
        The check did not come to its end, so there is no verdict.
        /srv/net/environments/prod · default · terraform 1.11.4 · operation 7c1e9a04

          `apply` failed with status 1
          cause: Error: creating EC2 Instance: InsufficientInstanceCapacity
          safe:  what was applied so far is in the state; operation `7c1e9a04` has the
                 state before and after it
          hint:  see what it did with `tf shim show 7c1e9a04`, mend the cause, then
                 check again

        steps
          plan   4.2 s       2 to add, 1 to change, 0 to destroy
          apply  1 min 12 s  status 1
        "#);
        insta::assert_snapshot!(at_80(&timed_out()), @r#"
        timed out
        The check did not come to its end, so there is no verdict.
        /srv/net/environments/prod · default · terraform 1.11.4 · operation 7c1e9a04

          the time was up during `plan again`
          safe:  the apply before it came to its end; operation `7c1e9a04` has the state
                 before and after it
          hint:  check again with a longer `--timeout`

        steps
          plan                         4.2 s       2 to add, 1 to change, 0 to destroy
          apply                        1 min 12 s  2 added, 1 changed
          plan again, without refresh  1.1 s       nothing to do
          plan again                   3.9 s       ended by SIGINT
        "#);
        insta::assert_snapshot!(at_80(&interrupted()), @r#"
        interrupted
        The check did not come to its end, so there is no verdict.
        /srv/net/environments/prod · default · terraform 1.11.4

          interrupted during `plan` by SIGINT
          safe:  nothing was applied, nothing was changed
          hint:  check again

        steps
          plan  4.2 s  ended by SIGINT
        "#);
    }
}
