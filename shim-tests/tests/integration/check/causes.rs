//! One configuration for each cause that can be told: functions, what providers do to values, and what
//! resources do to each other.

use shim_tests::wait_until;

use super::{Stage, finds, text};

mod functions {
    use super::*;

    #[test]
    fn a_time_stamp_is_updated_by_every_apply() {
        finds(
            "resource \"terraform_data\" \"a\" {\n  input = timestamp()\n}\n",
            &[],
            &["update terraform_data.a input function main.tf:1"],
        );
    }

    /// Terraform says "0 changed" where the new value is the old one; the plan is not empty for all that.
    #[test]
    fn a_time_stamp_that_gives_the_same_value_each_time_is_found_all_the_same() {
        finds(
            "resource \"terraform_data\" \"a\" {\n  input = formatdate(\"YYYY\", timestamp())\n}\n",
            &["--twice"],
            &["update terraform_data.a input function main.tf:1"],
        );
    }

    #[test]
    fn a_uuid_is_updated_by_every_apply() {
        finds(
            "resource \"terraform_data\" \"a\" {\n  input = { key = uuid(), name = \"n\" }\n}\n",
            &[],
            &["update terraform_data.a input.key function main.tf:1"],
        );
    }

    #[test]
    fn a_salted_hash_is_updated_by_every_apply() {
        finds(
            "resource \"terraform_data\" \"a\" {\n  input = bcrypt(\"password\", 4)\n}\n",
            &[],
            &["update terraform_data.a input function main.tf:1"],
        );
    }

    #[test]
    fn the_time_of_the_plan_is_updated_by_every_apply_of_another_second() {
        finds(
            "\n\nresource \"terraform_data\" \"a\" {\n  input = plantimestamp()\n}\n",
            &[],
            &["update terraform_data.a input function main.tf:3"],
        );
    }

    #[test]
    fn a_function_is_found_behind_a_local() {
        let configuration = r#"
locals {
  clock = { now = timestamp() }
  when  = local.clock.now
}
resource "terraform_data" "a" {
  input = "made ${local.when}"
}
"#;
        let findings = ["update terraform_data.a input function main.tf:6"];
        finds(configuration, &[], &findings);
    }

    #[test]
    fn a_function_is_found_behind_the_variable_of_a_module() {
        let call = "module \"m\" {\n  source = \"./m\"\n  when   = timestamp()\n}\n";
        let Some(stage) = Stage::set(call) else { return };
        let module =
            "variable \"when\" {}\n\nresource \"terraform_data\" \"a\" {\n  input = var.when\n}\n";
        stage.install("m", module);
        let findings = ["update module.m.terraform_data.a input function m/main.tf:3"];
        stage.check(&[]).assert("not-idempotent", &findings);
    }

    #[test]
    fn a_function_is_found_behind_the_output_of_a_module() {
        let call = "module \"m\" {\n  source = \"./m\"\n}\nresource \"terraform_data\" \"a\" {\n  input = \
                    module.m.when\n}\n";
        let Some(stage) = Stage::set(call) else { return };
        stage.install("m", "output \"when\" {\n  value = timestamp()\n}\n");
        let findings = ["update terraform_data.a input function main.tf:4"];
        stage.check(&[]).assert("not-idempotent", &findings);
    }

    #[test]
    fn a_function_is_found_behind_a_data_source() {
        let configuration = r#"data "fake_lookup" "d" {
  name = timestamp()
}
resource "fake_thing" "a" {
  value = data.fake_lookup.d.value
}
"#;
        finds(configuration, &[], &["update fake_thing.a value function main.tf:4"]);
    }

    #[test]
    fn what_the_apply_itself_makes_different_has_no_cause_that_can_be_told() {
        // In this order: Terraform asks for the file once more while it applies.
        let configuration = r#"resource "terraform_data" "writes" {
  depends_on = [terraform_data.reads]
  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-c"]
    command     = "echo > written"
  }
}
resource "terraform_data" "reads" {
  input = fileexists("written")
}
"#;
        finds(configuration, &[], &["update terraform_data.reads input unknown main.tf:8"]);
    }

    #[test]
    fn a_function_that_triggers_a_replacement_replaces_by_every_apply() {
        finds(
            "resource \"terraform_data\" \"a\" {\n  triggers_replace = [timestamp()]\n}\n",
            &[],
            &["replace terraform_data.a triggers_replace[0] function main.tf:1"],
        );
    }

    #[test]
    fn a_function_works_through_what_it_changes() {
        let configuration = r#"resource "terraform_data" "a" {
  input = timestamp()
}
resource "terraform_data" "b" {
  lifecycle {
    replace_triggered_by = [terraform_data.a]
  }
}
"#;
        let findings = [
            "replace terraform_data.b - trigger main.tf:4",
            "update terraform_data.a input function main.tf:1",
        ];
        finds(configuration, &[], &findings);
    }

    #[test]
    fn only_what_replace_triggered_by_names_is_said_to_trigger() {
        let configuration = r#"resource "terraform_data" "a" {
  input = timestamp()
}
resource "terraform_data" "unrelated" {
  input = timestamp()
}
resource "terraform_data" "b" {
  lifecycle {
    replace_triggered_by = [terraform_data.a]
  }
}
"#;
        let Some(stage) = Stage::set(configuration) else { return };
        let checked = stage.check(&[]);
        let findings = [
            "replace terraform_data.b - trigger main.tf:7",
            "update terraform_data.a input function main.tf:1",
            "update terraform_data.unrelated input function main.tf:4",
        ];
        checked.assert("not-idempotent", &findings);
        let cause = text(&checked.answer["findings"][0]["cause"]);
        assert!(cause.contains("`terraform_data.a`") && !cause.contains("unrelated"), "{cause}");
        let in_json = r#"{"resource": {"terraform_data": {
  "a": {"input": "${timestamp()}"},
  "unrelated": {"input": "${timestamp()}"},
  "b": {"lifecycle": {"replace_triggered_by": ["terraform_data.a"]}}
}}}"#;
        stage.configure("");
        stage.sandbox.write("all.tf.json", in_json);
        let checked = stage.check(&[]);
        let cause = text(&checked.answer["findings"][0]["cause"]);
        assert!(cause.contains("`terraform_data.a`") && !cause.contains("unrelated"), "{cause}");
    }

    #[test]
    fn a_template_that_asks_the_clock_is_to_blame() {
        let configuration = r#"resource "terraform_data" "a" {
  input = templatefile("greeting.tpl", { name = "x" })
}
"#;
        let Some(stage) = Stage::set(configuration) else { return };
        stage.sandbox.write("greeting.tpl", "Hello ${name}, it is ${timestamp()}.");
        let checked = stage.check(&[]);
        checked.assert("not-idempotent", &["update terraform_data.a input function main.tf:1"]);
        let cause = text(&checked.only()["cause"]);
        assert!(cause.contains("`templatefile()`") && cause.contains("time or chance"), "{cause}");
    }

    #[test]
    fn a_template_that_the_apply_writes_is_pointed_at() {
        let configuration = r#"resource "terraform_data" "reads" {
  input = templatefile("greeting.tpl", { name = "x" })
}
resource "terraform_data" "writes" {
  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-c"]
    command     = "echo Bye > greeting.tpl"
  }
  depends_on = [terraform_data.reads]
}
"#;
        let Some(stage) = Stage::set(configuration) else { return };
        stage.sandbox.write("greeting.tpl", "Hello ${name}");
        let checked = stage.check(&[]);
        checked.assert("not-idempotent", &["update terraform_data.reads input unknown main.tf:1"]);
        let hint = text(&checked.only()["hint"]);
        assert!(hint.contains("`templatefile()`") && hint.contains("write a file"), "{hint}");
    }

    #[test]
    fn what_is_made_of_something_that_changes_is_told_apart_from_what_changes_by_itself() {
        let configuration = r#"resource "fake_thing" "a" {
  value = "1"
  tags  = { made = timestamp() }
}
resource "fake_thing" "b" {
  value = fake_thing.a.etag
}
"#;
        let findings = [
            "update fake_thing.a tags.made function main.tf:1",
            "update fake_thing.b value upstream main.tf:5",
        ];
        finds(configuration, &[], &findings);
    }

    #[test]
    fn a_data_source_that_is_another_one_at_every_read_is_to_blame() {
        let configuration = r#"data "fake_random_data" "r" {}

resource "fake_thing" "a" {
  value = data.fake_random_data.r.value
}
"#;
        finds(configuration, &[], &["update fake_thing.a value restless main.tf:3"]);
    }
}

mod rewritten {
    use super::*;

    /// A value that a provider rewrites: the mode, the attribute, the path at which it shows, the cause.
    const REWRITTEN: [(&str, &str, &str, &str); 11] = [
        ("json", r#"value = "{ \"b\": 1, \"a\": 2 }""#, "value", "json"),
        ("space", r#"value = "text\n""#, "value", "white-space"),
        ("case", r#"value = "Text""#, "value", "case"),
        ("case", r#"tags = { team = "X" }"#, "tags.team", "case"),
        ("order", r#"items = ["b", "a"]"#, "items", "order"),
        ("number", r#"value = "1.0""#, "value", "spelling"),
        ("slash", r#"value = "/a/""#, "value", "spelling"),
        ("empty", r#"value = """#, "value", "spelling"),
        ("empty", "items = []", "items", "spelling"),
        ("default", "value = null", "value", "default"),
        ("drop", r#"value = "v""#, "value", "dropped"),
    ];

    /// Checks a value that is rewritten by a type.
    fn assert_rewritten(kind: &str, class: &str, numbers: std::ops::Range<usize>) {
        for (mode, attribute, path, cause) in &REWRITTEN[numbers] {
            let configuration =
                format!("resource \"{kind}\" \"a\" {{\n  mode = \"{mode}\"\n  {attribute}\n}}\n");
            finds(&configuration, &[], &[&format!("{class} {kind}.a {path} {cause} main.tf:1")]);
        }
    }

    #[test]
    fn json_in_other_words_is_normalised() {
        assert_rewritten("fake_normalised", "normalised", 0..1);
    }

    #[test]
    fn white_space_at_the_end_is_normalised() {
        assert_rewritten("fake_normalised", "normalised", 1..2);
    }

    #[test]
    fn another_case_is_normalised() {
        assert_rewritten("fake_normalised", "normalised", 2..4);
    }

    #[test]
    fn another_order_is_normalised() {
        assert_rewritten("fake_normalised", "normalised", 4..5);
    }

    #[test]
    fn a_number_and_a_slash_in_another_spelling_are_normalised() {
        assert_rewritten("fake_normalised", "normalised", 5..7);
    }

    #[test]
    fn another_kind_of_nothing_is_normalised() {
        assert_rewritten("fake_normalised", "normalised", 7..9);
    }

    #[test]
    fn a_value_that_is_filled_in_is_normalised() {
        assert_rewritten("fake_normalised", "normalised", 9..10);
    }

    #[test]
    fn a_value_that_is_not_kept_is_normalised() {
        assert_rewritten("fake_normalised", "normalised", 10..11);
    }

    #[test]
    fn what_the_apply_itself_answers_in_other_words_is_an_update() {
        assert_rewritten("fake_legacy", "update", 0..5);
    }

    #[test]
    fn what_the_apply_itself_answers_with_something_else_is_an_update() {
        assert_rewritten("fake_legacy", "update", 5..11);
    }

    #[test]
    fn blocks_are_told_by_their_place() {
        let configuration = r#"resource "fake_normalised" "a" {
  mode = "case"
  rule {
    port = 80
  }
  rule {
    cidr = "FE80::/10"
  }
}
"#;
        finds(configuration, &[], &["normalised fake_normalised.a rule[1].cidr case main.tf:1"]);
    }

    #[test]
    fn a_rewritten_value_that_forces_a_new_object_keeps_its_action() {
        let of = |kind: &str| {
            format!("resource \"{kind}\" \"a\" {{\n  mode  = \"case\"\n  force = \"X\"\n}}\n")
        };
        for (kind, class) in [("fake_normalised", "normalised"), ("fake_legacy", "replace")] {
            let Some(stage) = Stage::set(&of(kind)) else { return };
            let checked = stage.check(&[]);
            let finding = format!("{class} {kind}.a force case main.tf:1");
            checked.assert("not-idempotent", &[&finding]);
            assert_eq!(checked.only()["actions"], serde_json::json!(["replace"]));
        }
    }

    #[test]
    fn every_instance_is_found_by_its_key() {
        let configuration = r#"resource "fake_normalised" "a" {
  for_each = toset(["x y", "z"])
  mode     = "case"
  value    = upper(each.key)
}
resource "fake_normalised" "b" {
  count = 2
  mode  = "case"
  value = "B"
}
"#;
        let findings = [
            "normalised fake_normalised.a[\"x y\"] value case main.tf:1",
            "normalised fake_normalised.a[\"z\"] value case main.tf:1",
            "normalised fake_normalised.b[0] value case main.tf:6",
            "normalised fake_normalised.b[1] value case main.tf:6",
        ];
        finds(configuration, &[], &findings);
    }

    #[test]
    fn what_is_listed_in_ignore_changes_is_no_finding() {
        let configuration = "resource \"fake_normalised\" \"a\" {\n  mode = \"case\"\n  value = \"X\"\n  \
                             lifecycle {\n    ignore_changes = [value]\n  }\n}\n";
        let Some(stage) = Stage::set(configuration) else { return };
        stage.check(&[]).assert("idempotent", &[]);
    }
}

mod among_resources {
    use super::*;

    /// Two resources that are one object.
    const RIVALS: &str = r#"resource "fake_shared" "a" {
  object = "o"
  value  = "a"
}
resource "fake_shared" "b" {
  object     = "o"
  value      = "b"
  depends_on = [fake_shared.a]
}
"#;

    #[test]
    fn two_resources_that_are_one_object_are_rivals() {
        finds(RIVALS, &[], &["normalised fake_shared.a value rival main.tf:1"]);
    }

    #[test]
    fn rivals_change_each_other_in_turn() {
        let findings = [
            "oscillating fake_shared.a value rival main.tf:1",
            "oscillating fake_shared.b value rival main.tf:5",
        ];
        finds(RIVALS, &["--twice"], &findings);
    }

    /// A resource that remembers another one, which is made after it.
    const DEPENDENT: &str = r#"resource "fake_dependent" "a" {
  sees = "t"
}
resource "fake_thing" "t" {
  name       = "t"
  value      = "1"
  depends_on = [fake_dependent.a]
}
"#;

    #[test]
    fn what_a_second_apply_settles_lacks_a_depends_on() {
        finds(
            DEPENDENT,
            &["--twice"],
            &["second-apply fake_dependent.a seen depends-on main.tf:1"],
        );
    }

    #[test]
    fn without_a_second_apply_nobody_knows_that_it_settles() {
        finds(DEPENDENT, &[], &["update fake_dependent.a seen unknown main.tf:1"]);
    }

    #[test]
    fn a_value_that_is_another_one_at_every_read_never_rests() {
        finds(
            "resource \"fake_restless\" \"a\" {\n  value = \"v\"\n}\n",
            &["--twice"],
            &["oscillating fake_restless.a value restless main.tf:1"],
        );
    }

    #[test]
    fn a_value_that_was_restless_before_the_check_is_known_to_be_so() {
        let configuration = "resource \"fake_restless\" \"a\" {\n  value = \"v\"\n}\n";
        let Some(stage) = Stage::applied(configuration) else { return };
        stage
            .check(&[])
            .assert("not-idempotent", &["oscillating fake_restless.a value restless main.tf:1"]);
    }

    #[test]
    fn a_value_that_is_read_back_as_another_one_has_no_cause_that_can_be_told() {
        finds(
            "resource \"fake_restless\" \"a\" {\n  value = \"v\"\n}\n",
            &[],
            &["normalised fake_restless.a value unknown main.tf:1"],
        );
    }

    #[test]
    fn an_object_that_is_gone_when_it_is_read_is_to_be_created() {
        finds(
            "resource \"fake_vanishing\" \"a\" {\n  value = \"v\"\n}\n",
            &[],
            &["create fake_vanishing.a - vanished main.tf:1"],
        );
    }

    /// Instances whose number depends on what the apply makes.
    fn counted(count: &str) -> String {
        format!(
            r#"data "fake_lookup" "t" {{
  name = "t"
}}
resource "fake_thing" "t" {{
  name = "t"
}}
resource "terraform_data" "a" {{
  count = data.fake_lookup.t.found ? {count}
}}
"#
        )
    }

    #[test]
    fn an_instance_that_the_apply_calls_for_is_to_be_created() {
        finds(&counted("1 : 0"), &[], &["create terraform_data.a[0] - depends-on main.tf:7"]);
    }

    #[test]
    fn an_instance_that_the_apply_makes_superfluous_is_to_be_deleted() {
        finds(&counted("0 : 1"), &[], &["delete terraform_data.a[0] - depends-on main.tf:7"]);
    }

    /// Each apply makes what the next one finds superfluous.
    #[test]
    fn an_instance_that_looks_for_itself_comes_and_goes() {
        let configuration = r#"data "fake_lookup" "l" {
  name = "self"
}
resource "fake_thing" "a" {
  count = data.fake_lookup.l.found ? 0 : 1
  name  = "self"
}
"#;
        finds(configuration, &[], &["delete fake_thing.a[0] - depends-on main.tf:4"]);
        let Some(stage) = Stage::set(configuration) else { return };
        let checked = stage.check(&["--twice"]);
        checked.assert("not-idempotent", &["oscillating fake_thing.a[0] - restless main.tf:4"]);
        assert_eq!(checked.only()["actions"], serde_json::json!(["create", "delete"]));
        let cause = text(&checked.only()["cause"]);
        assert!(cause.contains("`data.fake_lookup.l`"), "{cause}");
        // The other way round: it is there when the check begins.
        stage.terraform(["apply", "-auto-approve"]).assert_status(0);
        let checked = stage.check(&["--twice"]);
        checked.assert("not-idempotent", &["oscillating fake_thing.a[0] - restless main.tf:4"]);
    }

    #[test]
    fn an_instance_that_the_apply_calls_for_is_settled_by_a_second_one() {
        finds(
            &counted("1 : 0"),
            &["--twice"],
            &["second-apply terraform_data.a[0] - depends-on main.tf:7"],
        );
    }

    #[test]
    fn what_comes_late_is_settled_by_a_second_apply() {
        finds(
            "resource \"fake_late\" \"a\" {\n  value = \"v\"\n  reads = 1\n}\n",
            &["--twice"],
            &["second-apply fake_late.a value depends-on main.tf:1"],
        );
    }

    #[test]
    fn what_may_only_come_late_is_told_so() {
        let Some(stage) =
            Stage::set("resource \"fake_late\" \"a\" {\n  value = \"v\"\n  reads = 9\n}\n")
        else {
            return;
        };
        let checked = stage.check(&[]);
        checked.assert("not-idempotent", &["normalised fake_late.a value dropped main.tf:1"]);
        let hint = text(&checked.only()["hint"]);
        assert!(hint.contains("`--settle 1m`"), "{hint}");
    }

    #[test]
    fn somebody_elses_change_after_the_apply_is_one_of_two_things() {
        let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {\n  value = \"v\"\n}\n")
        else {
            return;
        };
        let checked = std::thread::scope(|scope| {
            scope.spawn(|| {
                let is_there = || !stage.cloud().ids("fake_thing").is_empty();
                wait_until("the object", is_there);
                // The plan without a refresh comes before the wait and reads no object.
                stage.cloud().set("thing-1", "value", "theirs");
            });
            stage.check(&["--settle", "1s"])
        });
        checked.assert("not-idempotent", &["normalised fake_thing.a value unknown main.tf:1"]);
        let cause = text(&checked.only()["cause"]);
        assert!(cause.contains("or somebody changed it meanwhile"), "{cause}");
    }

    #[test]
    fn what_comes_late_is_waited_for() {
        let configuration =
            "resource \"fake_late\" \"a\" {\n  value = \"v\"\n  delay_ms = 400\n}\n";
        let Some(stage) = Stage::set(configuration) else { return };
        stage.check(&["--settle", "500ms"]).assert("idempotent", &[]);
    }

    #[test]
    fn causes_are_told_side_by_side_the_gravest_class_first() {
        let configuration = r#"resource "terraform_data" "z" {
  triggers_replace = uuid()
}
resource "fake_vanishing" "y" {}
resource "terraform_data" "b" {
  input = timestamp()
}
resource "fake_normalised" "a" {
  mode  = "case"
  value = "X"
}
resource "fake_thing" "calm" {
  value = "1"
}
"#;
        let findings = [
            "replace terraform_data.z triggers_replace function main.tf:1",
            "create fake_vanishing.y - vanished main.tf:4",
            "update terraform_data.b input function main.tf:5",
            "normalised fake_normalised.a value case main.tf:8",
        ];
        finds(configuration, &[], &findings);
    }

    #[test]
    fn one_resource_can_have_two_findings() {
        let configuration = r#"resource "fake_normalised" "a" {
  mode  = "case"
  value = "X"
  tags  = { made = timestamp() }
}
"#;
        let findings = [
            "update fake_normalised.a tags.made function main.tf:1",
            "normalised fake_normalised.a value case main.tf:1",
        ];
        finds(configuration, &[], &findings);
    }
}
