//! `tf shim which`.

use serde_json::Value;

use super::super::style::{Line, Role, Screen};
use super::super::table::{Column, Table};
use super::super::{Answer, json, words};
use super::{Facts, Frame, MARGIN, status};
use crate::ops::report::{RouteReport, WhichReport};

impl Answer for WhichReport {
    fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        screen.fold_line(Line::new(), status::real(&self.real), frame.width);
        if !self.candidates.is_empty() {
            screen.gap();
            screen.append(candidates(self, frame));
        }
        if let Some(route) = &self.route {
            screen.gap();
            screen.append(shown(route, frame));
        }
        screen
    }

    fn document(&self) -> Value {
        json::which(self)
    }
}

fn candidates(report: &WhichReport, frame: &Frame) -> Screen {
    let column = |gives| Column { title: "", pleasant: 0, least: 24, gives };
    let mut table = Table::new(vec![column(2), column(1)]);
    let taken = report.real.as_ref().ok().map(|real| &real.path);
    for (path, why) in &report.candidates {
        let is_taken = taken == Some(path);
        let (mark, role) = if is_taken { ("> ", Role::Plain) } else { ("", Role::Dim) };
        let cells = vec![Line::of(role, &path.display().to_string()), Line::of(role, why)];
        table.row(Line::of(Role::Title, mark), cells);
    }
    table.lay_out(MARGIN, frame.width)
}

fn shown(route: &RouteReport, frame: &Frame) -> Screen {
    let mut screen = Screen::new();
    screen.fold(Line::new(), Role::Title, &route.command, frame.width);
    let mut facts = Facts::new();
    let how = Line::of(Role::Hint, route.route).plain(": ").plain(&route.why);
    facts.add("route", Some(how));
    facts.add_all("state", route.states.iter().map(words::state).collect());
    screen.append(facts.lay_out(frame));
    screen
}

#[cfg(test)]
mod tests {
    use crate::ops::report::{RealReport, RouteReport, WhichReport};
    use crate::ui::samples::{at_80, coloured, remote, state};

    fn report() -> WhichReport {
        WhichReport {
            real: Ok(RealReport {
                path: "/usr/bin/terraform".into(),
                found_by: "first `terraform` on PATH that is not tf".to_owned(),
            }),
            candidates: vec![
                ("/home/ana/bin/terraform".into(), "tf itself".to_owned()),
                ("/usr/bin/terraform".into(), "taken".to_owned()),
                (
                    "/opt/a/rather/long/path/to/some/version/manager/shims/terraform".into(),
                    "comes later on PATH".to_owned(),
                ),
            ],
            route: Some(RouteReport {
                command: "terraform apply -var ‹redacted›".to_owned(),
                route: "guard",
                why: "it can change state".to_owned(),
                states: vec![state("/srv/net/terraform.tfstate"), remote()],
            }),
        }
    }

    #[test]
    fn which_says_what_runs_and_why() {
        insta::assert_snapshot!(at_80(&report()), @r#"
        /usr/bin/terraform · first `terraform` on PATH that is not tf

          /home/ana/bin/terraform                                    tf itself
        > /usr/bin/terraform                                         taken
          /opt/a/rather/long/path/to/some/version/manager/shims/te…  comes later on PATH

        terraform apply -var ‹redacted›
          route  guard: it can change state
          state  /srv/net · default · local terraform.tfstate · lineage ec80aa96
                 net · prod · s3 acme-states/prod/net.tfstate · no lineage yet
        "#);
        insta::assert_snapshot!(coloured(&report()), @r#"
        /usr/bin/terraform^[2m · first `terraform` on PATH that is not tf^[0m

          ^[2m/home/ana/bin/terraform^[0m                                    ^[2mtf itself^[0m
        ^[1m> ^[0m/usr/bin/terraform                                         taken
          ^[2m/opt/a/rather/long/path/to/some/version/manager/shims/te…^[0m  ^[2mcomes later on PATH^[0m

        ^[1mterraform apply -var ‹redacted›^[0m
          ^[2mroute^[0m  ^[36mguard^[0m: it can change state
          ^[2mstate^[0m  ^[1m/srv/net^[0m^[2m · ^[0mdefault^[2m · ^[0mlocal terraform.tfstate^[2m · lineage ec80aa96^[0m
                 ^[1mnet^[0m^[2m · ^[0mprod^[2m · ^[0ms3 acme-states/prod/net.tfstate^[2m · no lineage yet^[0m
        "#);
        let nothing = WhichReport {
            real: Err("no `terraform` on PATH".to_owned()),
            candidates: Vec::new(),
            route: None,
        };
        insta::assert_snapshot!(at_80(&nothing), @r#"
        no `terraform` on PATH
        "#);
    }
}
