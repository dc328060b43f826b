//! The provider of the tests keeps its promises: each resource type is odd in its one way, seen through a
//! real Terraform, so that what `tf` makes of it is tested against something.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use shim_tests::provider::{Cloud, HEADER, Provider, Step};
use shim_tests::{Sandbox, Transcript, wait_until};

/// A provider and a sandbox that is attached to it.
struct Stage {
    /// What Terraform talks to.
    provider: Provider,
    /// Where Terraform runs.
    sandbox: Sandbox,
}

impl Stage {
    /// Sets the stage with a configuration, [`HEADER`] apart; none without a real Terraform.
    fn set(configuration: &str) -> Option<Self> {
        let provider = Provider::start();
        let sandbox = Sandbox::new().with_real_terraform()?.with_provider(&provider);
        let stage = Self { provider, sandbox };
        stage.configure(configuration);
        Some(stage)
    }

    /// As [`Stage::set`], and applied.
    fn applied(configuration: &str) -> Option<Self> {
        let stage = Self::set(configuration)?;
        stage.apply().assert_status(0);
        Some(stage)
    }

    /// Writes another configuration.
    fn configure(&self, configuration: &str) {
        self.sandbox.write("main.tf", [HEADER, configuration].concat());
    }

    /// Returns what is behind the provider.
    fn cloud(&self) -> &Cloud {
        self.provider.cloud()
    }

    /// Runs Terraform itself.
    fn terraform<const N: usize>(&self, args: [&str; N]) -> Transcript {
        self.sandbox.terraform(args).run()
    }

    /// Applies.
    fn apply(&self) -> Transcript {
        self.terraform(["apply", "-auto-approve"])
    }

    /// Fails unless a plan has this status, which is 2 where it has changes.
    #[track_caller]
    fn assert_plan(&self, status: i32) {
        self.terraform(["plan", "-detailed-exitcode"]).assert_status(status);
    }

    /// As [`Stage::assert_plan`], for a plan that does not ask the provider what there is.
    #[track_caller]
    fn assert_plan_without_refresh(&self, status: i32) {
        self.terraform(["plan", "-refresh=false", "-detailed-exitcode"]).assert_status(status);
    }

    /// Makes a plan and returns it as JSON.
    #[track_caller]
    fn plan(&self) -> Value {
        self.terraform(["plan", "-out=planned"]).assert_status(0);
        let shown = self.terraform(["show", "-json", "planned"]);
        shown.assert_status(0);
        serde_json::from_slice(&shown.stdout).unwrap()
    }

    /// Makes a plan and returns its actions on each resource that it changes, by address.
    #[track_caller]
    fn actions(&self) -> Vec<(String, Value)> {
        let plan = self.plan();
        let changes = plan["resource_changes"].as_array().unwrap().iter();
        let changes = changes.map(|change| {
            (change["address"].as_str().unwrap().to_owned(), change["change"]["actions"].clone())
        });
        changes.filter(|(_, actions)| *actions != serde_json::json!(["no-op"])).collect()
    }

    /// Reads the state.
    fn state(&self) -> String {
        String::from_utf8(self.sandbox.read("terraform.tfstate")).unwrap()
    }
}

/// A `fake_thing` with one of everything.
const THING: &str = r#"
resource "fake_thing" "a" {
  name    = "a"
  value   = "1"
  tags    = { team = "x" }
  labels  = ["m", "l"]
  items   = ["z", "y"]
  json    = jsonencode({ b = 1 })
  number  = 1.5
  enabled = true
  rule {
    port = 80
    cidr = "10.0.0.0/8"
  }
  rule {
    port = 443
  }
}
"#;

#[test]
fn a_thing_that_was_applied_needs_no_change() {
    let Some(stage) = Stage::applied(THING) else { return };
    stage.assert_plan(0);
    assert_eq!(stage.cloud().ids("fake_thing"), ["thing-1"]);
    assert_eq!(stage.cloud().attribute("thing-1", "tags"), [("team", "x")].into());
    stage.terraform(["destroy", "-auto-approve"]).assert_status(0);
    assert!(stage.cloud().ids("fake_thing").is_empty());
}

#[test]
fn a_thing_is_updated_in_place_and_gets_another_etag() {
    let Some(stage) = Stage::applied(THING) else { return };
    let etag = stage.cloud().attribute("thing-1", "etag");
    stage.configure(&THING.replace("\"y\"", "\"x\""));
    stage.apply().assert_status(0);
    stage.assert_plan(0);
    assert_eq!(stage.cloud().attribute("thing-1", "items"), ["z", "x"].into());
    assert_ne!(stage.cloud().attribute("thing-1", "etag"), etag);
}

#[test]
fn another_name_makes_another_thing() {
    let Some(stage) = Stage::applied(THING) else { return };
    stage.configure(&THING.replace("\"a\"\n", "\"b\"\n"));
    stage.apply().assert_status(0);
    stage.assert_plan(0);
    assert_eq!(stage.cloud().ids("fake_thing"), ["thing-2"]);
}

#[test]
fn what_is_changed_or_deleted_behind_the_back_is_seen_with_refresh_only() {
    let Some(stage) = Stage::applied(THING) else { return };
    stage.cloud().set("thing-1", "value", "2");
    stage.assert_plan_without_refresh(0);
    assert_eq!(stage.actions(), [("fake_thing.a".to_owned(), serde_json::json!(["update"]))]);
    stage.apply().assert_status(0);
    stage.assert_plan(0);
    assert!(stage.cloud().delete("thing-1"));
    assert_eq!(stage.actions(), [("fake_thing.a".to_owned(), serde_json::json!(["create"]))]);
}

#[test]
fn a_drift_that_no_configuration_minds_is_no_change() {
    let Some(stage) = Stage::applied(THING) else { return };
    stage.cloud().set("thing-1", "etag", "other");
    let plan = stage.plan();
    assert_eq!(plan["applyable"], false, "{plan}");
    assert_eq!(plan["resource_drift"].as_array().unwrap().len(), 1, "{plan}");
}

#[test]
fn an_object_that_was_there_before_is_imported() {
    let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {\n  value = \"v\"\n}\n") else {
        return;
    };
    let id = stage.cloud().insert("fake_thing", [("value", "v".into())]);
    stage.terraform(["import", "fake_thing.a", "nothing-1"]).assert_status(1);
    stage.terraform(["import", "fake_thing.a", &id]).assert_status(0);
    stage.assert_plan(0);
    assert_eq!(stage.cloud().count(Step::Create, "fake_thing"), 0);
}

/// What each mode rewrites.
const REWRITTEN: [(&str, &str); 9] = [
    ("json", r#"value = "{ \"b\": 1, \"a\": 2 }""#),
    ("case", r#"tags = { team = "X" }"#),
    ("space", r#"value = "text\n""#),
    ("order", r#"items = ["b", "a"]"#),
    ("number", r#"value = "1.0""#),
    ("empty", r#"value = """#),
    ("slash", r#"value = "/a/""#),
    ("default", "value = null"),
    ("drop", r#"value = "v""#),
];

/// Returns a resource of a type with a mode and an attribute.
fn rewriting(kind: &str, mode: &str, attribute: &str) -> String {
    format!("resource \"{kind}\" \"a\" {{\n  mode = \"{mode}\"\n  {attribute}\n}}\n")
}

#[test]
fn what_is_normalised_differs_after_every_refresh_and_only_then() {
    for (mode, attribute) in REWRITTEN {
        let configuration = rewriting("fake_normalised", mode, attribute);
        let Some(stage) = Stage::applied(&configuration) else { return };
        stage.assert_plan_without_refresh(0);
        assert_eq!(stage.actions().len(), 1, "{mode}");
        stage.apply().assert_status(0);
        stage.assert_plan_without_refresh(0);
        stage.assert_plan(2);
    }
}

#[test]
fn what_the_legacy_type_stores_differs_without_refresh_too() {
    for (mode, attribute) in REWRITTEN {
        let Some(stage) = Stage::applied(&rewriting("fake_legacy", mode, attribute)) else {
            return;
        };
        stage.assert_plan_without_refresh(2);
        stage.assert_plan(2);
        stage.apply().assert_status(0);
        stage.assert_plan_without_refresh(2);
        stage.assert_plan(2);
    }
}

#[test]
fn a_rewritten_attribute_that_forces_a_new_object_replaces_it_every_time() {
    for (kind, first) in [("fake_normalised", 0), ("fake_legacy", 2)] {
        let Some(stage) = Stage::applied(&rewriting(kind, "case", "force = \"X\"")) else { return };
        stage.assert_plan_without_refresh(first);
        for _ in 0..2 {
            let replaced = serde_json::json!(["delete", "create"]);
            assert_eq!(stage.actions(), [(format!("{kind}.a"), replaced)]);
            stage.apply().assert_status(0);
        }
    }
}

#[test]
fn blocks_are_rewritten_too() {
    let block = "rule {\n    cidr = \"FE80::/10\"\n  }";
    let Some(stage) = Stage::applied(&rewriting("fake_normalised", "case", block)) else { return };
    stage.assert_plan_without_refresh(0);
    stage.assert_plan(2);
}

#[test]
fn a_mode_that_does_not_exist_is_refused() {
    let Some(stage) = Stage::set(&rewriting("fake_normalised", "odd", "")) else { return };
    stage.terraform(["validate"]).assert_status(1);
}

#[test]
fn a_restless_attribute_differs_in_every_round() {
    let Some(stage) = Stage::applied("resource \"fake_restless\" \"a\" {\n  value = \"v\"\n}\n")
    else {
        return;
    };
    stage.assert_plan_without_refresh(0);
    let before = |plan: &Value| plan["resource_changes"][0]["change"]["before"]["value"].clone();
    let first = stage.plan();
    assert_eq!(first["applyable"], true, "{first}");
    stage.apply().assert_status(0);
    let second = stage.plan();
    assert_eq!(second["applyable"], true, "{second}");
    assert_ne!(before(&first), before(&second));
}

#[test]
fn a_counter_drifts_with_every_read_and_no_plan_minds() {
    let Some(stage) = Stage::applied("resource \"fake_counter\" \"a\" {\n  value = \"v\"\n}\n")
    else {
        return;
    };
    for _ in 0..2 {
        let plan = stage.plan();
        assert_eq!(plan["applyable"], false, "{plan}");
        assert_eq!(plan["resource_drift"].as_array().unwrap().len(), 1, "{plan}");
        stage.apply().assert_status(0);
    }
    stage.configure("resource \"fake_counter\" \"a\" {\n  value = \"w\"\n}\n");
    stage.apply().assert_status(0);
    stage.assert_plan(0);
}

#[test]
fn two_resources_that_share_an_object_undo_each_other() {
    let Some(stage) = Stage::applied(
        r#"
resource "fake_shared" "a" {
  object = "o"
  value  = "a"
}
resource "fake_shared" "b" {
  object     = "o"
  value      = "b"
  depends_on = [fake_shared.a]
}
"#,
    ) else {
        return;
    };
    let update = serde_json::json!(["update"]);
    stage.assert_plan_without_refresh(0);
    assert_eq!(stage.actions(), [("fake_shared.a".to_owned(), update.clone())]);
    stage.apply().assert_status(0);
    assert_eq!(stage.actions(), [("fake_shared.b".to_owned(), update)]);
    assert_eq!(stage.cloud().ids("fake_shared"), ["shared-o"]);
}

#[test]
fn what_is_late_differs_for_as_many_reads_as_it_says() {
    let Some(stage) =
        Stage::applied("resource \"fake_late\" \"a\" {\n  value = \"v\"\n  reads = 2\n}\n")
    else {
        return;
    };
    stage.assert_plan_without_refresh(0);
    stage.assert_plan(2);
    stage.assert_plan(2);
    stage.assert_plan(0);
}

#[test]
fn what_is_late_stays_late_when_the_same_is_written_again() {
    let Some(stage) =
        Stage::applied("resource \"fake_late\" \"a\" {\n  value = \"v\"\n  reads = 2\n}\n")
    else {
        return;
    };
    stage.apply().assert_status(0);
    assert_eq!(stage.cloud().count(Step::Update, "fake_late"), 1);
    stage.assert_plan(2);
    stage.assert_plan(0);
}

#[test]
fn what_is_late_by_the_clock_differs_until_then() {
    let Some(stage) = Stage::applied(
        "resource \"fake_late\" \"a\" {\n  value = \"v\"\n  delay_ms = 3600000\n}\n",
    ) else {
        return;
    };
    stage.assert_plan(2);
    let settled = "resource \"fake_late\" \"a\" {\n  value = \"w\"\n  delay_ms = 0\n}\n";
    stage.configure(settled);
    stage.apply().assert_status(0);
    stage.assert_plan(0);
}

/// A resource that remembers a thing which Terraform makes after it.
const DEPENDENT: &str = r#"
resource "fake_dependent" "a" {
  sees = "t"
}
resource "fake_thing" "t" {
  name       = "t"
  value      = "1"
  depends_on = [fake_dependent.a]
}
"#;

#[test]
fn a_dependent_made_too_early_is_settled_by_a_second_apply() {
    let Some(stage) = Stage::applied(DEPENDENT) else { return };
    assert_eq!(stage.cloud().attribute("dependent-1", "seen"), "nothing".into());
    stage.assert_plan_without_refresh(2);
    stage.assert_plan(2);
    stage.apply().assert_status(0);
    stage.assert_plan(0);
    assert_eq!(stage.cloud().attribute("dependent-1", "seen"), "1".into());
}

#[test]
fn what_vanishes_is_created_by_every_apply() {
    let Some(stage) = Stage::applied("resource \"fake_vanishing\" \"a\" {}\n") else { return };
    for _ in 0..2 {
        stage.assert_plan_without_refresh(0);
        let create = serde_json::json!(["create"]);
        assert_eq!(stage.actions(), [("fake_vanishing.a".to_owned(), create)]);
        stage.apply().assert_status(0);
    }
    assert_eq!(stage.cloud().count(Step::Create, "fake_vanishing"), 3);
}

/// Returns a resource that fails at a step.
fn failing(fails: &str, value: &str) -> String {
    format!(
        "resource \"fake_failing\" \"a\" {{\n  fails = \"{fails}\"\n  value = \"{value}\"\n}}\n"
    )
}

#[test]
fn what_fails_fails_at_its_step() {
    let Some(stage) = Stage::set(&failing("plan", "1")) else { return };
    stage.terraform(["plan"]).assert_status(1);
    stage.configure(&failing("create", "1"));
    stage.assert_plan(2);
    stage.apply().assert_status(1);
    assert!(stage.cloud().ids("fake_failing").is_empty());
    stage.configure(&failing("update", "1"));
    stage.apply().assert_status(0);
    stage.assert_plan(0);
    stage.configure(&failing("update", "2"));
    stage.apply().assert_status(1);
    assert_eq!(stage.cloud().attribute("failing-1", "value"), "1".into());
    stage.configure(&failing("delete", "1"));
    stage.apply().assert_status(0);
    stage.terraform(["destroy", "-auto-approve"]).assert_status(1);
    assert_eq!(stage.cloud().ids("fake_failing"), ["failing-1"]);
    stage.configure(&failing("read", "1"));
    stage.apply().assert_status(0);
    stage.terraform(["plan"]).assert_status(1);
}

#[test]
fn what_fails_halfway_is_tainted() {
    let Some(stage) = Stage::set(&failing("halfway", "1")) else { return };
    stage.apply().assert_status(1);
    assert_eq!(stage.cloud().ids("fake_failing"), ["failing-1"]);
    assert!(stage.state().contains("\"tainted\""));
    let replaced = serde_json::json!(["delete", "create"]);
    assert_eq!(stage.actions(), [("fake_failing.a".to_owned(), replaced)]);
}

#[test]
fn a_crash_breaks_off_the_command_and_the_next_one_finds_the_provider_again() {
    let with = |time: u32, rest: &str| {
        let thing = THING.replace("\n  name ", "\n  depends_on = [fake_slow.s]\n  name ");
        format!("{thing}resource \"fake_slow\" \"s\" {{\n  create_ms = {time}\n}}\n{rest}")
    };
    let Some(stage) = Stage::set(&with(3_600_000, &failing("crash", "1"))) else { return };
    let crashed = stage.apply();
    crashed.assert_status(1);
    assert!(crashed.stderr_text().contains("Plugin did not respond"), "{crashed}");
    assert!(stage.cloud().objects().is_empty(), "what was under way is lost, the rest never begun");
    stage.configure(&with(0, &failing("crash-plan", "1")));
    stage.terraform(["plan"]).assert_status(1);
    stage.configure(&with(0, ""));
    stage.apply().assert_status(0);
    stage.assert_plan(0);
}

#[test]
fn a_failure_can_be_ordered_once_and_leaves_a_deposed_object() {
    let with = |name: &str| {
        format!(
            "resource \"fake_thing\" \"a\" {{\n  name = \"{name}\"\n  lifecycle {{\n    \
             create_before_destroy = true\n  }}\n}}\n"
        )
    };
    let Some(stage) = Stage::applied(&with("a")) else { return };
    stage.configure(&with("b"));
    stage.cloud().fail_next(Step::Delete);
    stage.apply().assert_status(1);
    assert_eq!(stage.cloud().ids("fake_thing"), ["thing-1", "thing-2"]);
    assert!(stage.state().contains("\"deposed\""));
    let plan = stage.plan();
    let deposed = |change: &&Value| change["deposed"].is_string();
    assert_eq!(plan["resource_changes"].as_array().unwrap().iter().filter(deposed).count(), 1);
    stage.apply().assert_status(0);
    stage.assert_plan(0);
    assert_eq!(stage.cloud().ids("fake_thing"), ["thing-2"]);
}

/// Returns a slow resource and a thing, which do not depend on each other.
fn slow(attributes: &str) -> String {
    format!("resource \"fake_slow\" \"a\" {{\n  {attributes}\n}}\n{THING}")
}

#[test]
fn an_interruption_cuts_short_what_is_slow_and_says_so() {
    let Some(stage) = Stage::set(&slow("create_ms = 3600000\n  stops = true")) else { return };
    let running = stage.sandbox.terraform(["apply", "-auto-approve"]).start();
    let done = || stage.cloud().ids("fake_thing").len();
    wait_until("the slow one not to keep the other waiting", || {
        stage.cloud().count(Step::Create, "fake_slow") == 1 && done() == 1
    });
    running.signal(Signal::SIGINT);
    running.finish().assert_status(1);
    assert_eq!(stage.cloud().count(Step::Stop, ""), 1);
    assert!(stage.cloud().ids("fake_slow").is_empty());
}

#[test]
fn what_is_slow_takes_its_time_at_every_step_that_it_names() {
    let times = |time: u32| format!("plan_ms = {time}\n  read_ms = {time}\n  create_ms = {time}");
    let Some(stage) = Stage::set(&slow(&times(300))) else { return };
    let start = Instant::now();
    stage.apply().assert_status(0);
    assert!(start.elapsed() >= Duration::from_millis(600), "planned and created");
    let start = Instant::now();
    stage.assert_plan(0);
    assert!(start.elapsed() >= Duration::from_millis(600), "read and planned");
}

#[test]
fn a_held_step_waits_for_the_test_whatever_happens_meanwhile() {
    let Some(stage) = Stage::set(THING) else { return };
    stage.cloud().hold(Step::Create);
    let running = stage.sandbox.terraform(["apply", "-auto-approve"]).start();
    wait_until("the apply", || stage.cloud().count(Step::Create, "fake_thing") == 1);
    running.signal(Signal::SIGINT);
    wait_until("the interruption", || stage.cloud().count(Step::Stop, "") == 1);
    assert!(stage.cloud().ids("fake_thing").is_empty());
    stage.cloud().release(Step::Create);
    running.finish().assert_status(1);
    assert_eq!(stage.cloud().ids("fake_thing"), ["thing-1"]);
    stage.assert_plan(0);
}

/// A resource with a secret of each kind.
const SECRET: &str = r#"
resource "fake_secret" "a" {
  password          = "Passw0rd"
  secret_wo         = "Wr1teonly"
  secret_wo_version = 1
}
"#;

#[test]
fn a_secret_is_kept_from_the_screen_and_a_write_only_one_from_the_state_too() {
    let Some(stage) = Stage::set(SECRET) else { return };
    let applied = stage.apply();
    applied.assert_status(0);
    assert!(!applied.stdout_text().contains("Passw0rd"), "{applied}");
    assert_eq!(stage.cloud().attribute("secret-1", "secret_wo"), "Wr1teonly".into());
    assert!(stage.state().contains("Passw0rd") && stage.state().contains("secret-1-token-1"));
    assert!(!stage.state().contains("Wr1teonly"));
    stage.configure(&SECRET.replace("Wr1teonly", "0ther"));
    stage.assert_plan(0);
    stage.configure(&SECRET.replace("Wr1teonly", "0ther").replace("= 1", "= 2"));
    stage.apply().assert_status(0);
    stage.assert_plan(0);
    assert_eq!(stage.cloud().attribute("secret-1", "secret_wo"), "0ther".into());
    assert_eq!(stage.cloud().attribute("secret-1", "token"), "secret-1-token-2".into());
}

#[test]
fn a_normalised_secret_differs_and_is_still_not_shown() {
    let Some(stage) = Stage::applied(&SECRET.replace("{\n", "{\n  mode = \"case\"\n")) else {
        return;
    };
    stage.assert_plan_without_refresh(0);
    let planned = stage.terraform(["plan", "-detailed-exitcode"]);
    planned.assert_status(2);
    assert!(!planned.stdout_text().to_lowercase().contains("passw0rd"), "{planned}");
    let plan = stage.plan();
    assert_eq!(plan["resource_changes"][0]["change"]["before"]["password"], "passw0rd", "{plan}");
}

#[test]
fn a_data_source_is_read_and_a_random_one_differs_every_time() {
    let Some(stage) = Stage::applied(
        r#"
resource "fake_thing" "a" {
  name  = "a"
  value = "1"
}
data "fake_lookup" "a" {
  name       = fake_thing.a.name
  depends_on = [fake_thing.a]
}
data "fake_random_data" "r" {}
output "found" {
  value = data.fake_lookup.a.value
}
"#,
    ) else {
        return;
    };
    stage.assert_plan(0);
    assert!(stage.state().contains("\"value\": \"random-"));
    assert_eq!(stage.terraform(["output", "-raw", "found"]).stdout_text(), "1");
    let random = "data \"fake_random_data\" \"r\" {}\n\
                  output \"r\" {\n  value = data.fake_random_data.r.value\n}\n";
    stage.configure(random);
    stage.apply().assert_status(0);
    stage.assert_plan(2);
}

#[test]
fn an_ephemeral_token_is_opened_and_closed_and_kept_nowhere() {
    // Whoever opens the token cannot be the one that is configured with it.
    let token = r#"
provider "fake" {
  alias = "opener"
}
ephemeral "fake_token" "t" {
  provider = fake.opener
  prefix   = "ephem3ral"
}
provider "fake" {
  token = ephemeral.fake_token.t.token
}
"#;
    let configuration = SECRET.replace("\"Wr1teonly\"", "ephemeral.fake_token.t.token");
    let Some(stage) = Stage::applied(&[token, &configuration].concat()) else { return };
    assert!(matches!(
        stage.cloud().attribute("secret-1", "secret_wo").as_text(),
        Some(text) if text.starts_with("ephem3ral-")
    ));
    assert!(!stage.state().contains("ephem3ral"));
    let opened = stage.cloud().count(Step::Open, "fake_token");
    assert_eq!(stage.cloud().count(Step::Close, "fake_token"), opened);
    stage.assert_plan(0);
}

#[test]
fn the_provider_is_attached_through_us_as_well() {
    let Some(stage) = Stage::set(THING) else { return };
    stage.sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    stage.sandbox.tf(["plan", "-detailed-exitcode"]).run().assert_status(0);
    stage.cloud().set("thing-1", "enabled", false);
    stage.sandbox.tf(["plan", "-detailed-exitcode"]).run().assert_status(2);
    assert_eq!(stage.sandbox.history().operations().len(), 1);
}

#[test]
fn two_terraforms_share_a_provider() {
    let Some(stage) = Stage::set(THING) else { return };
    stage.sandbox.write("other/main.tf", [HEADER, THING].concat());
    stage.cloud().hold(Step::Create);
    let apply = ["apply", "-auto-approve"];
    let here = stage.sandbox.terraform(apply).start();
    let there = stage.sandbox.terraform(apply).in_directory("other").start();
    wait_until("both", || stage.cloud().count(Step::Create, "fake_thing") == 2);
    stage.cloud().release(Step::Create);
    here.finish().assert_status(0);
    there.finish().assert_status(0);
    assert_eq!(stage.cloud().ids("fake_thing"), ["thing-1", "thing-2"]);
}
