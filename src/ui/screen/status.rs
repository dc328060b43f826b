//! `tf shim`: where things stand.

use serde_json::Value;

use super::super::style::{Line, Role, Screen};
use super::super::{Answer, json, words};
use super::{Facts, Frame, refusal};
use crate::model::operation::Operation;
use crate::ops::report::{RealReport, StateName, StatusReport};

impl Answer for StatusReport {
    fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = heading(self.state.as_ref(), frame);
        screen.gap();
        screen.append(facts(self, frame).lay_out(frame));
        screen.gap();
        if self.findings.is_empty() {
            if self.now.is_some() {
                screen.line(Line::of(Role::Added, "  no guard objects"));
            }
            return screen;
        }
        for finding in &self.findings {
            screen.append(refusal::finding(finding, frame));
        }
        screen
    }

    fn document(&self) -> Value {
        json::status(self)
    }
}

/// Which state it is about.
pub(super) fn heading(state: Option<&StateName>, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    match state {
        Some(state) => screen.fold_line(Line::new(), words::state(state), frame.width),
        None => screen.line(Line::of(Role::Title, "no state known here")),
    }
    screen
}

fn facts(report: &StatusReport, frame: &Frame) -> Facts {
    let mut facts = Facts::new();
    let trouble = report.trouble.as_ref().map(|why| Line::of(Role::Error, why));
    let now = report.now.as_ref().map(|image| Line::new().plain(&words::image(image)));
    facts.add_all("now", now.into_iter().chain(trouble).collect());
    facts.add("last", report.last.as_ref().map(|last| operation(last, frame)));
    facts.add(
        "@",
        report.newest_good.as_ref().map(|(id, image)| {
            Line::of(Role::Id, id.short()).plain("  ").plain(&words::image(image))
        }),
    );
    facts.add("terraform", Some(real(&report.real)));
    let read_only = Line::of(Role::Warning, "only commands that read may run");
    facts.add("guard", report.is_read_only.then_some(read_only));
    let store = Line::new().plain(&report.store.display().to_string());
    let store = match report.operations {
        Some(count) => {
            store.with(Role::Dim, &format!(" · {} of this state", words::operations(count)))
        }
        None => store,
    };
    let trouble = report.store_trouble.as_ref().map(|why| Line::of(Role::Error, why));
    facts.add_all("store", std::iter::once(store).chain(trouble).collect());
    facts
}

/// `7c1e9a04  apply by ana@mbp, 2 min ago: done`.
pub(super) fn operation(operation: &Operation, frame: &Frame) -> Line {
    let (role, word) = words::outcome(operation.outcome);
    let by = words::who(operation).map(|who| format!(" by {who}")).unwrap_or_default();
    Line::of(Role::Id, operation.id.short())
        .plain("  ")
        .plain(&words::operation(operation))
        .plain(&by)
        .with(Role::Dim, &format!(" · {} · ", frame.clock.relative(operation.started)))
        .with(role, word)
}

/// The path of the real binary and how it was found, or why there is none.
pub(super) fn real(real: &Result<RealReport, String>) -> Line {
    match real {
        Ok(real) => Line::new()
            .plain(&real.path.display().to_string())
            .with(Role::Dim, &format!(" · {}", real.found_by)),
        Err(why) => Line::of(Role::Error, why),
    }
}

#[cfg(test)]
mod tests {
    use crate::model::operation::{Image, Status};
    use crate::ops::report::{RealReport, StatusReport};
    use crate::ui::samples::{apply, at_80, coloured, image, missing, state};

    fn report() -> StatusReport {
        StatusReport {
            real: Ok(RealReport {
                path: "/usr/bin/terraform".into(),
                found_by: "first `terraform` on PATH".to_owned(),
            }),
            state: Some(state("/srv/net/terraform.tfstate")),
            now: Some(image(42, 131)),
            trouble: None,
            last: Some(apply()),
            findings: Vec::new(),
            newest_good: Some((apply().id, image(42, 131))),
            is_read_only: false,
            store: "/home/ana/.local/state/tf-shim".into(),
            operations: Some(17),
            store_trouble: None,
        }
    }

    #[test]
    fn status_says_where_things_stand() {
        insta::assert_snapshot!(at_80(&report()), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          now        serial 42 · 131 resources
          last       7c1e9a04  apply by ana@mbp · 2 min ago · done
          @          7c1e9a04  serial 42 · 131 resources
          terraform  /usr/bin/terraform · first `terraform` on PATH
          store      /home/ana/.local/state/tf-shim · 17 operations of this state

          no guard objects
        "#);
        insta::assert_snapshot!(coloured(&report()), @r#"
        ^[1m/srv/net^[0m^[2m · ^[0mdefault^[2m · ^[0mlocal terraform.tfstate^[2m · lineage ec80aa96^[0m

          ^[2mnow^[0m        serial 42 · 131 resources
          ^[2mlast^[0m       ^[36m7c1e9a04^[0m  apply by ana@mbp^[2m · 2 min ago · ^[0mdone
          ^[2m@^[0m          ^[36m7c1e9a04^[0m  serial 42 · 131 resources
          ^[2mterraform^[0m  /usr/bin/terraform^[2m · first `terraform` on PATH^[0m
          ^[2mstore^[0m      /home/ana/.local/state/tf-shim^[2m · 17 operations of this state^[0m

        ^[32m  no guard objects^[0m
        "#);
    }

    #[test]
    fn findings_come_with_their_way_out() {
        let report = StatusReport {
            now: Some(Image::without_bytes(Status::Absent)),
            findings: vec![missing()],
            real: Err("no `terraform` and no `tofu` in the absolute entries of PATH".to_owned()),
            ..report()
        };
        insta::assert_snapshot!(at_80(&report), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          now        no state
          last       7c1e9a04  apply by ana@mbp · 2 min ago · done
          @          7c1e9a04  serial 42 · 131 resources
          terraform  no `terraform` and no `tofu` in the absolute entries of PATH
          store      /home/ana/.local/state/tf-shim · 17 operations of this state

          missing-state · commands that work on the state are refused
          expected  serial 42 · 131 resources · lineage ec80aa96 · last seen 2 min ago
                    by ana@mbp in 7c1e9a04
          found     there is no state
          way out   tf shim restore @  bring the expected state back
                    tf shim accept     what is there now is right
        "#);
    }

    #[test]
    fn where_nothing_is_known_that_is_said() {
        let report = StatusReport {
            state: None,
            now: None,
            last: None,
            newest_good: None,
            trouble: Some("the backend `s3` is not initialised here".to_owned()),
            operations: None,
            store_trouble: Some("permission denied".to_owned()),
            ..report()
        };
        insta::assert_snapshot!(at_80(&report), @r#"
        no state known here

          now        the backend `s3` is not initialised here
          terraform  /usr/bin/terraform · first `terraform` on PATH
          store      /home/ana/.local/state/tf-shim
                     permission denied
        "#);
    }
}
