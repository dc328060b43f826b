//! `tf shim show`: one operation.

use serde_json::Value;

use super::super::style::{Line, Role, Screen};
use super::super::{Answer, json, time, words};
use super::changes::{Detail, changes};
use super::{Facts, Frame};
use crate::model::operation::{GuardAction, Image, Operation};
use crate::ops::report::ShowReport;

impl Answer for ShowReport {
    fn screen(&self, frame: &Frame) -> Screen {
        let operation = &self.operation;
        let mut screen = Screen::new();
        screen.fold_line(Line::new(), words::state(&self.state), frame.width);
        screen.gap();
        screen.append(facts(operation, frame).lay_out(frame));
        screen.gap();
        match (&self.diff, &self.no_diff) {
            (Some(diff), _) => screen.append(changes(diff, Detail::Paths, frame)),
            (None, Some(why)) => screen.fold(Line::new().plain("  "), Role::Dim, why, frame.width),
            (None, None) => {}
        }
        screen
    }

    fn document(&self) -> Value {
        json::show(self)
    }
}

fn facts(operation: &Operation, frame: &Frame) -> Facts {
    let plain = |text: String| Line::new().plain(&text);
    let mut facts = Facts::new();
    facts.add(
        "operation",
        Some(
            Line::of(Role::Id, operation.id.as_str())
                .plain("  ")
                .with(Role::Title, &words::operation(operation)),
        ),
    );
    facts.add("when", Some(when(operation, frame)));
    facts.add("who", words::who(operation).map(plain));
    facts.add("where", operation.cwd.as_ref().map(|cwd| plain(cwd.display())));
    facts.add("command", operation.argv.as_ref().map(|argv| plain(argv.display())));
    facts.add("terraform", operation.terraform.clone().map(plain));
    facts.add("outcome", Some(outcome(operation)));
    let before = operation.before.as_ref().map(image);
    let held = if operation.provisional { " · another run held it" } else { "" };
    facts.add("before", before.map(|line| line.with(Role::Dim, held)));
    facts.add("after", operation.after.as_ref().map(image));
    let guards = operation.guards.iter().map(|note| {
        let (role, word) = match note.action {
            GuardAction::Refused => (Role::Error, "refused"),
            GuardAction::Allowed => (Role::Warning, "allowed"),
            GuardAction::Noted => (Role::Warning, "found"),
        };
        Line::of(role, word).plain(" ").plain(&note.guard).plain(": ").plain(&note.text)
    });
    facts.add_all("guards", guards.collect());
    facts.add("pinned", operation.pinned.then(|| Line::new().plain("kept for ever")));
    facts.add("note", operation.note.clone().map(plain));
    facts
}

fn when(operation: &Operation, frame: &Frame) -> Line {
    let line = Line::new().plain(&frame.clock.exact(operation.started));
    match operation.finished {
        Some(finished) if finished > operation.started => {
            let took = time::duration(finished.signed_duration_since(operation.started));
            line.with(Role::Dim, " · took ").plain(&took)
        }
        Some(_) | None => line,
    }
}

fn outcome(operation: &Operation) -> Line {
    let (role, word) = words::outcome(operation.outcome);
    let line = Line::of(role, word);
    match (operation.signal, operation.exit) {
        (Some(signal), _) => line.plain(&format!(" by signal {signal}")),
        (None, Some(exit)) => line.with(Role::Dim, &format!(" · status {exit}")),
        (None, None) => line,
    }
}

/// A state with its size and the beginning of its digest.
fn image(image: &Image) -> Line {
    let line = Line::new().plain(&words::image(image));
    match &image.digest {
        Some(digest) => {
            let size = words::size(image.bytes);
            line.with(Role::Dim, &format!(" · {size} · sha256:{}", digest.prefix(12)))
        }
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use crate::model::operation::{GuardAction, Operation};
    use crate::ops::report::ShowReport;
    use crate::ui::samples::{apply, at_80, coloured, diff, guard, odd_operations, state};

    fn report(operation: Operation) -> ShowReport {
        let state = state("/srv/net/terraform.tfstate");
        ShowReport { state, operation, diff: Some(diff()), no_diff: None }
    }

    #[test]
    fn an_operation_says_who_did_what() {
        insta::assert_snapshot!(at_80(&report(apply())), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          operation  7c1e9a0411223344  apply
          when       20 Nov 2026 07:57:40 +00:00 · took 1 min 12 s
          who        ana@mbp
          where      /srv/net
          command    apply -auto-approve -var ‹redacted›
          terraform  1.11.4
          outcome    done · status 0
          before     serial 41 · 128 resources · 125.3 KiB · sha256:b8282e78d87c
          after      serial 42 · 131 resources · 128.2 KiB · sha256:ed049108bc18

          + aws_instance.web[0] · id i-0abc
          ~ aws_security_group.main
              ingress[0].port, password, policy, tags["\u001b[31m שלום"]
          ~ null_resource.same
              written differently
          - module.network["eu-central-1"].module.subnets["private-a"].
            aws_route_table_association.世界["very-long-key-with-words"] · id i-0abc
          - aws_instance.web[0] (deposed a1b2c3d4) · id i-0abc

          outputs
          ~ url

          +1 ~2 -1 · 1 output · 1 data or deposed object
        "#);
        insta::assert_snapshot!(coloured(&report(apply())), @r#"
        ^[1m/srv/net^[0m^[2m · ^[0mdefault^[2m · ^[0mlocal terraform.tfstate^[2m · lineage ec80aa96^[0m

          ^[2moperation^[0m  ^[36m7c1e9a0411223344^[0m  ^[1mapply^[0m
          ^[2mwhen^[0m       20 Nov 2026 07:57:40 +00:00^[2m · took ^[0m1 min 12 s
          ^[2mwho^[0m        ana@mbp
          ^[2mwhere^[0m      /srv/net
          ^[2mcommand^[0m    apply -auto-approve -var ‹redacted›
          ^[2mterraform^[0m  1.11.4
          ^[2moutcome^[0m    done^[2m · status 0^[0m
          ^[2mbefore^[0m     serial 41 · 128 resources^[2m · 125.3 KiB · sha256:b8282e78d87c^[0m
          ^[2mafter^[0m      serial 42 · 131 resources^[2m · 128.2 KiB · sha256:ed049108bc18^[0m

          ^[32m+^[0m ^[1maws_instance.web[0]^[0m^[2m · id i-0abc^[0m
          ^[33m~^[0m ^[1maws_security_group.main^[0m
              ingress[0].port, password, policy, tags["\u001b[31m שלום"]
          ^[33m~^[0m ^[1mnull_resource.same^[0m
              written differently
          ^[31m-^[0m ^[1mmodule.network["eu-central-1"].module.subnets["private-a"].^[0m
            ^[1maws_route_table_association.世界["very-long-key-with-words"]^[0m^[2m · id i-0abc^[0m
          ^[31m-^[0m ^[1maws_instance.web[0]^[0m^[2m (deposed a1b2c3d4)^[0m^[2m · id i-0abc^[0m

        ^[1m  outputs^[0m
          ^[33m~^[0m url

          ^[32m+1^[0m ^[33m~2^[0m ^[31m-1^[0m^[2m · ^[0m1 output^[2m · ^[0m1 data or deposed object
        "#);
    }

    #[test]
    fn guards_and_notes_are_shown() {
        let text = "expected serial 41 or later of lineage ec80aa96, found serial 38; 12 resources would be forgotten";
        let operation = Operation {
            guards: vec![
                guard(GuardAction::Refused, "older-state", text),
                guard(GuardAction::Allowed, "foreign-state", "lineage \u{1b}[31m"),
            ],
            provisional: true,
            pinned: true,
            note: Some("before vpc move".to_owned()),
            ..odd_operations().remove(4)
        };
        let mut report = report(operation);
        report.diff = None;
        report.no_diff = Some("the state it left is not kept".to_owned());
        insta::assert_snapshot!(at_80(&report), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          operation  aaaa000200000000  apply
          when       20 Nov 2026 07:57:40 +00:00 · took 1 min 12 s
          who        מרים\u{202e}\u{1b}[31m@a-very-long-host-name.example.org
          where      /srv/net
          command    apply -auto-approve -var ‹redacted›
          terraform  1.11.4
          outcome    killed · status 0
          before     serial 41 · 128 resources · 125.3 KiB · sha256:b8282e78d87c ·
                     another run held it
          guards     refused older-state: expected serial 41 or later of lineage
                     ec80aa96, found serial 38; 12 resources would be forgotten
                     allowed foreign-state: lineage \u{1b}[31m
          pinned     kept for ever
          note       before vpc move

          the state it left is not kept
        "#);
    }
}
