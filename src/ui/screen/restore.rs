//! What `tf shim restore` and `tf shim undo` would do.

use serde_json::Value;

use super::super::style::{Line, Role, Screen};
use super::super::table::{Column, Table};
use super::super::{Answer, json, words};
use super::changes::{Detail, changes};
use super::{Facts, Frame, status};
use crate::model::content::ResourceEntry;
use crate::ops::report::{RestorePlan, UndoCase};

impl Answer for RestorePlan {
    fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        screen.fold_line(Line::new(), words::state(&self.state), frame.width);
        screen.gap();
        let (id, source) = &self.source;
        let to = Line::new()
            .plain(&words::image(source))
            .with(Role::Dim, " · of ")
            .with(Role::Id, id.short())
            .with(Role::Dim, &format!(" · as serial {}", self.serial));
        let mut facts = Facts::new();
        let undone = self.undo.as_ref().map(|case| status::operation(&case.operation, frame));
        facts.add("undoes", undone);
        facts.add("from", Some(Line::new().plain(&words::image(&self.current))));
        facts.add("to", Some(to));
        screen.append(facts.lay_out(frame));
        screen.gap();
        let difference = self.diff.as_ref().map(|diff| changes(diff, Detail::Paths, frame));
        screen.append(difference.unwrap_or_else(|| {
            let mut screen = Screen::new();
            screen.line(Line::of(Role::Dim, "  what is there now cannot be compared"));
            screen
        }));
        screen.gap();
        screen.append(self.meaning(frame));
        for warning in &self.warnings {
            screen.fold(Line::of(Role::Warning, "  ! "), Role::Plain, warning, frame.width);
        }
        screen
    }

    fn document(&self) -> Value {
        json::restore_plan(self)
    }
}

impl RestorePlan {
    /// Which case it is, in sentences, with the things that it is about.
    fn meaning(&self, frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        let say = |screen: &mut Screen, role, text: &str| {
            screen.fold(Line::new().plain("  "), role, text, frame.width);
        };
        let Some(UndoCase { is_exact, orphans, ghosts, .. }) = &self.undo else {
            say(&mut screen, Role::Plain, MEMORY);
            return screen;
        };
        if *is_exact {
            say(&mut screen, Role::Plain, EXACT);
            return screen;
        }
        say(&mut screen, Role::Plain, MEMORY);
        if !orphans.is_empty() {
            screen.gap();
            say(&mut screen, Role::Warning, ORPHANS);
            screen.append(entries(orphans, frame));
        }
        if !ghosts.is_empty() {
            screen.gap();
            say(&mut screen, Role::Warning, GHOSTS);
            screen.append(entries(ghosts, frame));
        }
        screen
    }
}

const MEMORY: &str = "This changes what Terraform remembers, not the infrastructure.";
const EXACT: &str = "Only the state was touched, so this undo is exact.";
const ORPHANS: &str = "These were created and go on existing, but Terraform would no longer know \
                       them. Go on with --orphan:";
const GHOSTS: &str = "These were deleted. What comes back is an inventory of what was, not the \
                      things themselves:";

/// Resources with their ids, as they are needed to find the real things.
fn entries(entries: &[ResourceEntry], frame: &Frame) -> Screen {
    let column = |least, gives| Column { title: "", pleasant: 0, least, gives };
    let mut table = Table::new(vec![column(32, 2), column(20, 1)]);
    for entry in entries {
        let id = entry.id.as_deref().map(|id| Line::of(Role::Id, id));
        let id = id.unwrap_or_else(|| Line::of(Role::Dim, "no id in the state"));
        let address = match &entry.deposed {
            Some(deposed) => format!("{} (deposed {deposed})", entry.address),
            None => entry.address.clone(),
        };
        table.row(Line::new(), vec![Line::new().plain(&address), id]);
    }
    let is_narrow = frame.width.is_some_and(|width| table.columns() + 4 > width);
    if !is_narrow {
        return table.lay_out(4, frame.width);
    }
    // Both are there to be copied, so neither is cut: one under the other.
    let mut screen = Screen::new();
    for entry in entries {
        screen.fold(Line::new().padded(4), Role::Plain, &entry.address, frame.width);
        let id = entry.id.as_deref().unwrap_or("no id in the state");
        screen.fold(Line::new().padded(6), Role::Id, id, frame.width);
    }
    screen
}

#[cfg(test)]
mod tests {
    use crate::model::operation::{Image, Status};
    use crate::model::state::Serial;
    use crate::ops::report::{RestorePlan, UndoCase};
    use crate::ui::samples::{apply, at_80, coloured, diff, entry, image, operations, state};

    fn plan(undo: Option<UndoCase>) -> RestorePlan {
        RestorePlan {
            is_current: false,
            state: state("/srv/net/terraform.tfstate"),
            current: image(42, 131),
            source: (apply().id, image(41, 128)),
            serial: Serial(43),
            diff: Some(diff()),
            undo,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn a_restore_says_from_what_to_what() {
        let mut plan = plan(None);
        plan.warnings.push(
            "serial 42 was written by another program, and nothing of it is known but its bytes"
                .to_owned(),
        );
        insta::assert_snapshot!(at_80(&plan), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          from  serial 42 · 131 resources
          to    serial 41 · 128 resources · of 7c1e9a04 · as serial 43

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

          This changes what Terraform remembers, not the infrastructure.
          ! serial 42 was written by another program, and nothing of it is known but its
            bytes
        "#);
        insta::assert_snapshot!(coloured(&plan), @r#"
        ^[1m/srv/net^[0m^[2m · ^[0mdefault^[2m · ^[0mlocal terraform.tfstate^[2m · lineage ec80aa96^[0m

          ^[2mfrom^[0m  serial 42 · 131 resources
          ^[2mto^[0m    serial 41 · 128 resources^[2m · of ^[0m^[36m7c1e9a04^[0m^[2m · as serial 43^[0m

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

          This changes what Terraform remembers, not the infrastructure.
        ^[33m  ! ^[0mserial 42 was written by another program, and nothing of it is known but its
            bytes
        "#);
    }

    #[test]
    fn an_undo_says_which_case_it_is() {
        let operation = operations().remove(2);
        let exact = UndoCase { operation, is_exact: true, orphans: Vec::new(), ghosts: Vec::new() };
        insta::assert_snapshot!(at_80(&plan(Some(exact))), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          undoes  91aa20c5  state rm by ana@mbp · 3 days ago · done
          from    serial 42 · 131 resources
          to      serial 41 · 128 resources · of 7c1e9a04 · as serial 43

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

          Only the state was touched, so this undo is exact.
        "#);
    }

    #[test]
    fn orphans_and_ghosts_are_listed_with_their_ids() {
        let long = r#"module.network["eu-central-1"].module.subnets["private-a"].aws_subnet.this["very-long"]"#;
        let case = |orphans| UndoCase {
            operation: apply(),
            is_exact: false,
            orphans,
            ghosts: vec![entry("random_id.x", None), entry("aws_instance.old", Some("i-0f"))],
        };
        let short = vec![entry("aws_instance.web[0]", Some("i-0abc12345"))];
        insta::assert_snapshot!(at_80(&plan(Some(case(short)))), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          undoes  7c1e9a04  apply by ana@mbp · 2 min ago · done
          from    serial 42 · 131 resources
          to      serial 41 · 128 resources · of 7c1e9a04 · as serial 43

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

          This changes what Terraform remembers, not the infrastructure.

          These were created and go on existing, but Terraform would no longer know
          them. Go on with --orphan:
            aws_instance.web[0]  i-0abc12345

          These were deleted. What comes back is an inventory of what was, not the
          things themselves:
            random_id.x       no id in the state
            aws_instance.old  i-0f
        "#);
        let mut nothing = plan(Some(case(vec![entry(long, Some("subnet-0123456789abcdef"))])));
        nothing.current = Image::without_bytes(Status::Invalid);
        nothing.diff = None;
        insta::assert_snapshot!(at_80(&nothing), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          undoes  7c1e9a04  apply by ana@mbp · 2 min ago · done
          from    not a state · 0 B
          to      serial 41 · 128 resources · of 7c1e9a04 · as serial 43

          what is there now cannot be compared

          This changes what Terraform remembers, not the infrastructure.

          These were created and go on existing, but Terraform would no longer know
          them. Go on with --orphan:
            module.network["eu-central-1"].module.subnets["private-a"].aws_subnet.
            this["very-long"]
              subnet-0123456789abcdef

          These were deleted. What comes back is an inventory of what was, not the
          things themselves:
            random_id.x       no id in the state
            aws_instance.old  i-0f
        "#);
    }
}
