//! `tf shim diff`.

use serde_json::Value;

use super::super::style::{Line, Role, Screen};
use super::super::{Answer, json, words};
use super::changes::{Detail, changes};
use super::{Facts, Frame};
use crate::ops::report::{DiffReport, Side};

impl Answer for DiffReport {
    fn screen(&self, frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        screen.fold_line(Line::new(), words::state(&self.state), frame.width);
        screen.gap();
        let longest = [&self.from, &self.to].map(|side| Line::new().plain(&side.name).columns());
        let column = longest.into_iter().max().unwrap_or(0);
        let side = |side: &Side| {
            let name = Line::of(Role::Id, &side.name).padded(column);
            Some(name.plain("  ").plain(&words::image(&side.image)))
        };
        let mut facts = Facts::new();
        facts.add("from", side(&self.from));
        facts.add("to", side(&self.to));
        screen.append(facts.lay_out(frame));
        screen.gap();
        screen.append(changes(&self.diff, Detail::Values, frame));
        screen
    }

    fn document(&self) -> Value {
        json::diff(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::change::StateDiff;
    use crate::ops::report::{DiffReport, Side};
    use crate::ui::samples::{at_80, coloured, diff, frame, image, state};
    use crate::ui::{Answer, Paint};

    fn report(diff: StateDiff) -> DiffReport {
        DiffReport {
            state: state("/srv/net/terraform.tfstate"),
            from: Side { name: "@-".to_owned(), image: image(41, 128) },
            to: Side { name: "now".to_owned(), image: image(42, 131) },
            diff,
        }
    }

    #[test]
    fn a_difference_is_listed_by_address_and_attribute() {
        insta::assert_snapshot!(at_80(&report(diff())), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          from  @-   serial 41 · 128 resources
          to    now  serial 42 · 131 resources

          + aws_instance.web[0]
              ami            "ami-0abc"
              instance_type  "t3.micro"
              tags           {"Name":"web"}
          ~ aws_security_group.main
              ingress[0].port          80 → 443
              password                 (sensitive)
              policy
                - "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",
                  \"Action\":\"s3:*\"}]}"
                + "{}"
              tags["\u001b[31m שלום"]  null → "\u202e🚀"
          ~ null_resource.same
              written differently
          - module.network["eu-central-1"].module.subnets["private-a"].
            aws_route_table_association.世界["very-long-key-with-words"]
              id  "rtbassoc-1"
          - aws_instance.web[0] (deposed a1b2c3d4)

          outputs
          ~ url  "http://a" → "http://b"

          +1 ~2 -1 · 1 output · 1 data or deposed object
        "#);
        insta::assert_snapshot!(coloured(&report(diff())), @r#"
        ^[1m/srv/net^[0m^[2m · ^[0mdefault^[2m · ^[0mlocal terraform.tfstate^[2m · lineage ec80aa96^[0m

          ^[2mfrom^[0m  ^[36m@-^[0m   serial 41 · 128 resources
          ^[2mto^[0m    ^[36mnow^[0m  serial 42 · 131 resources

          ^[32m+^[0m ^[1maws_instance.web[0]^[0m
              ami            ^[32m"ami-0abc"^[0m
              instance_type  ^[32m"t3.micro"^[0m
              tags           ^[32m{"Name":"web"}^[0m
          ^[33m~^[0m ^[1maws_security_group.main^[0m
              ingress[0].port          ^[31m80^[0m^[2m → ^[0m^[32m443^[0m
              password                 ^[33m(sensitive)^[0m
              policy
                ^[31m- ^[0m^[31m"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",^[0m
                  ^[31m\"Action\":\"s3:*\"}]}"^[0m
                ^[32m+ ^[0m^[32m"{}"^[0m
              tags["\u001b[31m שלום"]  ^[31mnull^[0m^[2m → ^[0m^[32m"\u202e🚀"^[0m
          ^[33m~^[0m ^[1mnull_resource.same^[0m
              ^[2mwritten differently^[0m
          ^[31m-^[0m ^[1mmodule.network["eu-central-1"].module.subnets["private-a"].^[0m
            ^[1maws_route_table_association.世界["very-long-key-with-words"]^[0m
              id  ^[31m"rtbassoc-1"^[0m
          ^[31m-^[0m ^[1maws_instance.web[0]^[0m^[2m (deposed a1b2c3d4)^[0m

        ^[1m  outputs^[0m
          ^[33m~^[0m url  ^[31m"http://a"^[0m^[2m → ^[0m^[32m"http://b"^[0m

          ^[32m+1^[0m ^[33m~2^[0m ^[31m-1^[0m^[2m · ^[0m1 output^[2m · ^[0m1 data or deposed object
        "#);
    }

    #[test]
    fn without_a_terminal_every_value_has_one_line() {
        insta::assert_snapshot!(report(diff()).screen(&frame(None)).render(Paint::Plain), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          from  @-   serial 41 · 128 resources
          to    now  serial 42 · 131 resources

          + aws_instance.web[0]
              ami            "ami-0abc"
              instance_type  "t3.micro"
              tags           {"Name":"web"}
          ~ aws_security_group.main
              ingress[0].port          80 → 443
              password                 (sensitive)
              policy                   "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\"}]}" → "{}"
              tags["\u001b[31m שלום"]  null → "\u202e🚀"
          ~ null_resource.same
              written differently
          - module.network["eu-central-1"].module.subnets["private-a"].aws_route_table_association.世界["very-long-key-with-words"]
              id  "rtbassoc-1"
          - aws_instance.web[0] (deposed a1b2c3d4)

          outputs
          ~ url  "http://a" → "http://b"

          +1 ~2 -1 · 1 output · 1 data or deposed object
        "#);
    }

    #[test]
    fn no_difference_is_said() {
        insta::assert_snapshot!(at_80(&report(StateDiff::default())), @r#"
        /srv/net · default · local terraform.tfstate · lineage ec80aa96

          from  @-   serial 41 · 128 resources
          to    now  serial 42 · 131 resources

          no difference
        "#);
    }
}
